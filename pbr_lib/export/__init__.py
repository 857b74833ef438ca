"""Executed notebook in, pack out: interchangeable exporters that know blocks and nothing of each other."""
