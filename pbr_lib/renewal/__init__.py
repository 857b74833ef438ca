"""How next quarter's target follows from the last one: pure arithmetic that two parties sign; apart, because nothing in
here knows where a target is written or who is asked.
"""
