"""How days and numbers are written: whole columns vote, and nothing is decided that could be otherwise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.cells import BOOL, DATE, NUMBER
from pbr_lib.proposal_facts import ColumnFacts
from pbr_lib.proposal_forms import days_of, fits, read_days, read_figures
from pbr_lib.schema import TABLES, ColumnSpec

Columns = dict[str, tuple[ColumnSpec, Sequence[ColumnFacts]]]


def facts(*texts: str, kind: int = 0) -> ColumnFacts:
    kinds = dict.fromkeys(texts, kind) if kind else {}
    return ColumnFacts("label", len(texts), len(texts), dict.fromkeys(texts, 1), kinds)


def columns(**texts: list[str]) -> Columns:
    out: Columns = {}
    for name, these in texts.items():
        spec = TABLES["opportunities"].column(name)
        assert spec is not None
        out[name] = (spec, (facts(*these),))
    return out


@given(
    st.lists(st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31)), min_size=1),
    st.sampled_from(["%m/%d/%Y", "%d/%m/%Y"]),
)
def test_days_are_read_as_written_or_asked(days: list[dt.date], form: str) -> None:
    written = [day.strftime(form) for day in days]
    found = read_days(columns(close_date=written))
    if found.options:
        assert all(day.day <= 12 for day in days)
        assert {forms[0] for forms, _ in found.options} == {"%m/%d/%Y", "%d/%m/%Y"}
    else:
        assert set(days_of(facts(*written), found.formats("close_date"))) == set(days)
        assert not found.unread


def test_one_clear_column_decides_for_all() -> None:
    found = read_days(columns(close_date=["03/09/26"], created_at=["02/23/26"]))
    assert (found.date, found.timestamp, found.options) == (("%m/%d/%y",), ("%m/%d/%y",), ())
    assert "created_at" in found.notes[0]


def test_two_clear_orders_are_kept_apart() -> None:
    found = read_days(columns(close_date=["31/01/2026"], created_at=["02/23/2026"]))
    assert found.own == {"close_date": ("%d/%m/%Y",), "created_at": ("%m/%d/%Y",)}


def test_a_column_in_both_orders_is_a_question() -> None:
    found = read_days(columns(close_date=["31/01/2026", "01/31/2026"]))
    assert found.unclear == ("close_date",) and len(found.options) == 2


def test_dates_around_the_data_decide_where_no_column_does() -> None:
    assert read_days(columns(close_date=["03/09/2026"]), frozenset({"dm"})).date == ("%d/%m/%Y",)


def test_cells_that_no_format_reads_are_named() -> None:
    found = read_days(columns(close_date=["2026-01-31", "2026-02-28", "soon"]))
    assert found.unread == {"close_date": ("soon",)}


@pytest.mark.parametrize(
    ("amounts", "decimal"),
    [
        (["1,100.50", "20"], "."),
        (["1.100,50", "20"], ","),
        (["10", "20"], "."),
        (["1.100"], ""),
        (["1.100,50", "1,100.50"], ""),
    ],
)
def test_the_decimal_sign(amounts: list[str], decimal: str) -> None:
    assert read_figures(columns(amount=amounts)).decimal == decimal


def test_the_look_of_a_file_suggests_its_decimal_sign() -> None:
    assert read_figures(columns(amount=["1.100"]), ",").decimal == ","


def test_signs_of_several_currencies_are_told() -> None:
    found = read_figures(columns(amount=["$10", "€20", "USD 5"]))
    assert found.signs == ("$",) and set(found.currencies) == {"EUR", "USD"}


@pytest.mark.parametrize(
    ("shares", "whole", "unclear"),
    [
        (["10", "100"], True, False),
        (["0.1", "1"], False, False),
        (["0", "1"], False, True),
        (["10 %", "85 %"], False, False),
    ],
)
def test_plain_numbers_of_shares(shares: list[str], whole: bool, unclear: bool) -> None:
    found = read_figures(columns(probability=shares))
    assert (bool(found.whole), bool(found.unclear_shares)) == (whole, unclear)


@pytest.mark.parametrize(
    ("name", "cells", "fitting"),
    [
        ("close_date", facts("2026-01-31", "31.01.2026"), True),
        ("close_date", facts("2026-01-31", kind=DATE), True),
        ("close_date", facts("yes", "no"), False),
        ("close_date", facts(), True),
        ("amount", facts("1,100.00", "12 k"), True),
        ("amount", facts("12.5", kind=NUMBER), True),
        ("amount", facts("2026-01-31", "soon"), False),
        ("amount", facts("true", kind=BOOL), False),
        ("stage", facts(*(f"word {number}" for number in range(100))), False),
        ("stage", facts("Won", "Lost"), True),
    ],
)
def test_cells_confirm_or_refuse_a_column(name: str, cells: ColumnFacts, fitting: bool) -> None:
    spec = TABLES["opportunities"].column(name)
    assert spec is not None and fits(spec, cells) is fitting
