"""Rows of targets, amendments and pauses: how people write them, and what is said of a cell that cannot be read."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import goalbook, goalrows
from pbr_lib.csvfile import CsvFile, Row
from pbr_lib.definitions import Goal, Owners, SimpleMetric, Target, UnitSpec
from pbr_lib.goalrows import Instance

D = Decimal
OWNERS = Owners(vendor="We", partner="They")


def goal(**target: object) -> Goal:
    """A goal with that target."""
    facts = {"metric": "leads", "objective": "grow", "first_period": "2024-Q1", "owners": OWNERS}
    return Goal.model_validate({**facts, "target": target})


def metric(kind: str = "count") -> SimpleMetric:
    """A metric of that unit."""
    unit = UnitSpec(kind=kind, currency="USD" if kind == "money" else None)  # type: ignore[arg-type]
    return SimpleMetric(label="M", table="leads", aggregate="count", date="created_at", unit=unit)


def row(columns: tuple[str, ...], **cells: str) -> Row:
    """A row of a file that gathers its faults."""
    return Row(CsvFile(Path(), "file.csv", columns, ()), 2, cells)


@pytest.mark.parametrize(
    ("of", "kind", "text", "target"),
    [
        (goal(at_least=5), "count", "7", Target(at_least=D(7))),
        (goal(at_most=5), "days", "3.5", Target(at_most=D("3.5"))),
        (goal(at_least=D("0.5")), "percent", "85 %", Target(at_least=D("0.85"))),
        (goal(at_least=D("0.5")), "percent", "0.85", Target(at_least=D("0.85"))),
        (goal(between=(1, 2)), "count", "80..90", Target(between=(D(80), D(90)))),
        (goal(done_by="2026-09-30"), "count", "2026-12-15", Target(done_by=dt.date(2026, 12, 15))),
        (goal(at_least=5), "count", "", None),
    ],
)
def test_a_target_reads_as_its_definition_asks(of: Goal, kind: str, text: str, target: Target | None) -> None:
    """A number, a share, a range, a day."""
    cells = row(goalrows.GOAL_COLUMNS, target=text)
    assert goalrows.read_target(cells, of, metric(kind)) == target
    assert cells.file.errors == []


def test_a_base_stays_when_a_target_moves() -> None:
    """``from`` belongs to the definition."""
    cells = row(goalrows.GOAL_COLUMNS, target="12")
    moved = goalrows.read_target(cells, goal(**{"at_least": 10, "from": 4}), metric())
    assert moved is not None
    assert (moved.value, moved.base) == (12, 4)


@pytest.mark.parametrize(
    ("of", "kind", "text", "what"),
    [
        (goal(at_least=5), "count", "many", "no number"),
        (goal(at_least=5), "count", "-2", "negative"),
        (goal(at_least=D("0.5")), "percent", "85", "no share"),
        (goal(between=(1, 2)), "count", "80", "no range"),
        (goal(between=(1, 2)), "count", "90..80", "below"),
        (goal(between=(1, 2)), "count", "80..", "no number"),
        (goal(done_by="2026-09-30"), "count", "30.9.", "no day"),
        (goal(**{"at_least": 10, "from": 4}), "count", "4", "equals"),
    ],
)
def test_a_target_that_cannot_be_read_is_told(of: Goal, kind: str, text: str, what: str) -> None:
    """With file, row, column and remedy; no target is guessed."""
    cells = row(goalrows.GOAL_COLUMNS, target=text)
    assert goalrows.read_target(cells, of, metric(kind)) is None
    (fault,) = cells.file.errors
    assert what in fault.what
    assert fault.where == "file.csv, row 2, target"
    assert fault.fix


@given(st.decimals(0, 10**9, places=4), st.sampled_from(["count", "money", "percent", "days", "number"]))
def test_what_is_written_is_read_again(value: Decimal, kind: str) -> None:
    """Each target as the file writes it."""
    value = value / 10**9 if kind == "percent" else value
    one = metric(kind)
    text = goalbook.cell(Target(at_least=value), one.unit.unit)
    again = goalrows.read_target(row(goalrows.GOAL_COLUMNS, target=text), goal(at_least=1), one)
    assert again is not None
    assert again.value == value


@pytest.mark.parametrize(
    ("us", "them", "signed_for", "agreed", "moved"),
    [("", "", 4, False, False), ("We", "", 5, False, False), ("We", "", 4, False, True), ("We", "They", 4, True, True)],
)
def test_who_agreed_to_what(us: str, them: str, signed_for: int, agreed: bool, moved: bool) -> None:
    """A target has moved when somebody signed for another."""
    one = Instance("A", "g", Target(at_least=D(5)), agreed_by_us=us, agreed_by_them=them)
    one = Instance(**{**vars(one), "agreed_target": Target(at_least=D(signed_for))})
    assert (one.agreed, one.moved) == (agreed, moved)


def test_a_pause_ends_no_earlier_than_it_begins() -> None:
    """One day is a pause; an end before the beginning is told, and a row without days is left to the reader."""
    days = [("2026-08-01", "2026-08-01"), ("2026-08-02", "2026-08-01"), ("", "2026-08-01")]
    rows = [row(goalrows.PAUSE_COLUMNS, partner_id="A", first_day=a, last_day=b, reason="r") for a, b in days]
    (one,) = goalrows.pauses(rows)
    assert (one.first_day, one.last_day) == (dt.date(2026, 8, 1), dt.date(2026, 8, 1))
    assert rows[1].file.errors[0].where.endswith("last_day")


def test_an_amendment_needs_goal_and_reason() -> None:
    """Rows without are told by the reader of the file, and none becomes an amendment."""
    usual = {"quarter": "2026-Q3", "partner_id": "A", "goal": "g", "target": "6", "reason": "why"}
    rows = [row(goalrows.AMENDMENT_COLUMNS, **(usual | more)) for more in ({}, {"reason": ""}, {"goal": "other"})]
    (one,) = goalrows.amendments(rows, {"g": goal(at_least=5)}, {"leads": metric()})
    assert (one.target.value, one.agreed) == (6, False)
