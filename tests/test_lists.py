"""The crosswalk and the facts that people enter by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from pbr_lib import lists
from pbr_lib.csvfile import CsvFile


def read(tmp_path: Path, columns: tuple[str, ...], text: str) -> CsvFile:
    """A CSV file of these lines."""
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return CsvFile(path, "params/list.csv", columns, ())


def test_a_crosswalk_says_who_a_partner_is_elsewhere(tmp_path: Path) -> None:
    """The entity may be left out, and so may system and method."""
    file = read(
        tmp_path, lists.CROSSWALK_COLUMNS, "system,given,partner_id,decided_by\nportal,77,P-1,ops\n,Old Ltd,P-1,\n"
    )
    one, two = lists.crosswalk(file.rows())
    assert (one.system, one.given, one.partner_id, one.method, one.decided_by) == (
        "portal",
        "77",
        "P-1",
        "manual",
        "ops",
    )
    assert (two.entity, two.system, two.given) == ("partner", "", "Old Ltd")
    assert not file.errors


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("partner,,a,P-1\npartner,,a,P-2", "stands for P-1 already"),
        ("account,,a,P-1", '"account" is not known here'),
    ],
)
def test_a_crosswalk_that_contradicts_itself(tmp_path: Path, lines: str, what: str) -> None:
    """One text in one system stands for one partner."""
    file = read(tmp_path, lists.CROSSWALK_COLUMNS, f"entity,system,given,partner_id\n{lines}\n")
    list(lists.crosswalk(file.rows()))
    assert [what in str(error) for error in file.errors] == [True]
    assert all(error.fix and "row" in error.where for error in file.errors)


def test_a_fact_is_a_figure_with_a_day(tmp_path: Path) -> None:
    """Plain numbers and money, with who entered them."""
    head = "fact,partner_id,valid_on,value,currency,entered_by,entered_on,note\n"
    file = read(tmp_path, lists.FACT_COLUMNS, head + "sponsor_met,P-1,2026-09-30,1,,ops,2026-10-01,minutes\n")
    (one,) = lists.facts(file.rows())
    assert (one.fact, one.valid_on, one.value) == ("sponsor_met", dt.date(2026, 9, 30), Decimal(1))
    assert (one.entered_by, one.entered_on, one.note) == ("ops", dt.date(2026, 10, 1), "minutes")


@pytest.mark.parametrize(
    "line",
    [
        "Sponsor met,P-1,2026-09-30,1,",
        "spend,P-1,2026-09-30,1,dollars",
        "spend,P-1,soon,1,",
        "spend,P-1,2026-09-30,much,",
    ],
)
def test_a_fact_that_cannot_be_read(tmp_path: Path, line: str) -> None:
    """Each fault has a row, a column and a remedy, and gives no fact."""
    file = read(tmp_path, lists.FACT_COLUMNS, f"fact,partner_id,valid_on,value,currency\n{line}\n")
    assert list(lists.facts(file.rows())) == []
    (error,) = file.errors
    assert error.fix
    assert "row 2" in error.where


def test_a_fact_stands_once(tmp_path: Path) -> None:
    """The same fact of the same partner and day twice is a fault."""
    text = "fact,partner_id,valid_on,value,currency\n" + "spend,P-1,2026-09-30,1,USD\n" * 2
    file = read(tmp_path, lists.FACT_COLUMNS, text)
    assert len(list(lists.facts(file.rows()))) == 1
    assert len(file.errors) == 1
