"""Votes of whole columns: what decides, and what stays a question."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.cell_dates import DateRules, to_moments
from pbr_lib.cells import DATE, DATETIME, NUMBER, Cells
from pbr_lib.guesses import guess_dates, guess_kind, guess_numbers, guess_separator

EXPORTS = Path(__file__).resolve().parents[2] / "shared" / "exports"


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["2024-01-31"], ["%Y-%m-%d"]),
        (["03/09/2018", "25/12/2018"], ["%d/%m/%Y"]),
        (["03/09/2018", "12/25/2018"], ["%m/%d/%Y"]),
        (["30.09.2026", "1.2.2026"], ["%d.%m.%Y"]),
        (["8/31/2024", "9/1/2024", "5/20/2024 7:42"], ["%m/%d/%Y", "%m/%d/%Y %H:%M"]),
        (["8/31/2024", "9/1/2024", "5/2/24"], ["%m/%d/%Y", "%m/%d/%y"]),
        (["15 Apr, 2021 00:02:00"], ["%d %b, %Y %H:%M:%S"]),
        (["2024-01-22T16:14:25.000+0000"], ["%Y-%m-%dT%H:%M:%S.%f%z"]),
        (["31/05/2026, 10:00"], ["%d/%m/%Y, %H:%M"]),
        (["2/13/24 7:42 PM"], ["%m/%d/%y %I:%M %p"]),
        (["Sep-00"], ["%b-%y"]),
        (["1. März 2024"], ["%d. %b %Y"]),
        (["20240131"], ["%Y%m%d"]),
        (["March", "Q3-2024", "10", "1.5"], []),
        ([], []),
    ],
)
def test_formats(values: list[str], formats: list[str]) -> None:
    """One cell with a day beyond twelve decides for the column."""
    guess = guess_dates(values)
    assert list(guess.formats) == formats and not guess.ambiguous and not guess.mixed


def test_where_nothing_decides_it_is_a_question() -> None:
    """Every day up to twelve in both orders: both formats, and no choice."""
    guess = guess_dates(["03/09/2018", "04/10/2018", "04/10/2018"])
    assert guess.ambiguous and set(guess.formats) == {"%m/%d/%Y", "%d/%m/%Y"} and guess.counts == (3, 3)


def test_where_values_contradict_each_other_it_is_a_question() -> None:
    """Both orders are listed with their counts and a value that forces each."""
    guess = guess_dates(["8/31/2024", "9/30/2024", "31/8/2024"])
    assert guess.mixed and guess.formats == ("%m/%d/%Y", "%d/%m/%Y") and guess.counts == (2, 1)
    assert guess.examples == ("8/31/2024", "31/8/2024")


def test_what_else_a_vote_on_dates_says() -> None:
    """Times, zones, serial numbers, two-digit years, and what no format reads."""
    assert guess_dates(["2024-01-22T16:14:25Z"]).zone == "UTC"
    assert guess_dates(["2024-01-22T16:14:25+02:00"]).zone == "own"
    assert guess_dates(["2024-01-22 16:14"]).zone == ""
    stamped = guess_dates(["2023-05-11 00:00:00", "2023-05-12 00:00:00"])
    assert stamped.with_time and stamped.midnights
    assert not guess_dates(["2023-05-11 10:00"]).midnights
    assert guess_dates(["1/2/24"]).two_digit_years
    odd = guess_dates(["44198.0", "45000", "soon", "2024-01-01"])
    assert (odd.serials, odd.strays, odd.read, odd.total, odd.share) == (2, ("soon",), 1, 4, 0.25)


@given(st.lists(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2060, 1, 1)), min_size=1, max_size=9), st.data())
def test_what_was_guessed_reads_what_was_written(moments: list[dt.datetime], data: st.DataObject) -> None:
    """A format found by a vote gives the moments again, unless the vote is a question."""
    days = ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y-%m-%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y")
    times = (" %H:%M:%S", "T%H:%M:%S", ", %H:%M:%S", " %I:%M:%S %p")
    form = data.draw(st.sampled_from(days)) + data.draw(st.sampled_from(times))
    values = [moment.strftime(form) for moment in moments]
    guess = guess_dates(values)
    assert guess.share == 1
    if not guess.ambiguous:
        found = to_moments(Cells(pa.array(values)), DateRules(guess.formats)).values.to_pylist()
        assert found == [moment.replace(microsecond=0) for moment in moments]


@pytest.mark.parametrize(
    ("values", "decimal", "ambiguous", "mixed"),
    [
        (["1", "2"], ".", False, False),
        (["1.5"], ".", False, False),
        (["1,5", "2"], ",", False, False),
        (["1,234"], "", True, False),
        (["1,234", "1,234.5"], ".", False, False),
        (["1,234", "0,123"], ",", False, False),
        (["1.234.567"], ",", False, False),
        (["1,5", "1.5"], "", False, True),
        ([], ".", False, False),
    ],
)
def test_the_sign_before_decimals(values: list[str], decimal: str, ambiguous: bool, mixed: bool) -> None:
    """One value that allows one reading decides; two that contradict each other make a question."""
    guess = guess_numbers(values)
    assert (guess.decimal, guess.ambiguous, guess.mixed) == (decimal, ambiguous, mixed)


def test_what_else_a_vote_on_numbers_says() -> None:
    """Currencies, signs, suffixes, percent signs, and what is no number."""
    guess = guess_numbers(["$1,117.10K", "EUR 7,980", "12 %", "n/a"])
    assert (guess.currencies, guess.signs, guess.suffixes, guess.percent) == (("EUR",), ("$",), ("K",), True)
    assert guess.share_numeric == 0.75 and guess.strays == ("n/a",) and guess.examples == ("$1,117.10K",)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["", " "], "empty"),
        (["Yes", "No", "Yes"], "bool"),
        (["1", "0"], "bool"),
        (["1", "0", "2"], "number"),
        (["2024-01-31", "2024-02-01"], "date"),
        (["2024-01-31 00:00:00", "2024-02-01 00:00:00"], "date"),
        (["2024-01-31 10:00", "2024-02-01 00:00"], "timestamp"),
        (["001C000000o4OOI", "001C000000o4OojIAE"], "id"),
        (["P-001", "P-002"], "id"),
        (["00123", "456"], "id"),
        (["12345678901", "22345678901"], "id"),
        (["d9b1d7db-5a5e-4d5f-9b0a-3f1f0c1b2a3d"], "id"),
        (["$1,234.50", "12"], "number"),
        (["Acme", "Bolt"], "text"),
        (["Differentiation", "Acknowledgement"[:15]], "text"),
        (["2024-01-31", "soon"], "text"),
    ],
)
def test_kinds(values: list[str], kind: str) -> None:
    """What a column probably holds."""
    assert guess_kind(Cells(pa.array(values))).kind == kind


def test_kinds_of_a_workbook() -> None:
    """A workbook says itself what its cells are."""
    days = np.array([DATE, DATETIME, 0], np.uint8)
    assert guess_kind(Cells(pa.array(["2024-01-01", "2024-01-02T10:00:00", ""]), days)).kind == "timestamp"
    numbers = np.array([NUMBER, NUMBER], np.uint8)
    assert guess_kind(Cells(pa.array(["1", "0"]), numbers)).kind == "number"


@pytest.mark.parametrize(
    ("values", "separator"),
    [
        (["A;B", "C"], ";"),
        (["x|y"], "|"),
        (["a\nb"], "\n"),
        (["Wholesaler,Components Buyer", "Wholesaler", "Components Buyer"], ","),
        (["Acme, Inc.", "Bolt, Ltd."], ""),
        (["Acme", ""], ""),
    ],
)
def test_separators(values: list[str], separator: str) -> None:
    """A comma within names parts nothing."""
    assert guess_separator(values) == separator


@pytest.mark.skipif(not EXPORTS.is_dir(), reason="the third-party exports are not beside the checkout")
def test_real_exports_can_be_guessed() -> None:
    """Every column of every small CSV file gets an answer, in the same way twice."""
    seen = 0
    for path in sorted(EXPORTS.rglob("*.csv")):
        if path.stat().st_size > 3_000_000:
            continue
        rows = list(csv.reader(path.read_text("cp1252", "replace").splitlines()[:200]))
        for column in zip(*(row for row in rows if rows and len(row) == len(rows[0])), strict=True):
            values = list(column[1:])
            kind = guess_kind(Cells(pa.array(values, pa.string())))
            assert kind == guess_kind(Cells(pa.array(values, pa.string()))) and 0 <= kind.confidence <= 1
            guess_dates(values), guess_numbers(values), guess_separator(values)
            seen += 1
    assert seen > 100
