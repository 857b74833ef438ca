"""Which target counts: proposed, agreed, amended, edited without leave, or the last agreed one after the deadline."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest
import tiny_workbook

from pbr_lib import agreement, params
from pbr_lib.definitions import Target
from pbr_lib.goalrows import Amendment, Instance
from pbr_lib.params import Params

D = Decimal
BOTH = {"agreed_by_us": "We, 2026-07-01", "agreed_by_them": "They, 2026-07-02"}
KEY = ("A", "leads_q")
BEFORE, LATE = dt.date(2026, 7, 31), dt.date(2026, 8, 1)


def at_least(value: int) -> Target:
    """A target."""
    return Target(at_least=D(value))


def row(value: int, **more: object) -> Instance:
    """A row of A's leads goal."""
    return Instance("A", "leads_q", at_least(value), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Params:
    """A workbook; quarters start on 1 January, April, July and October, and 30 days are left to agree."""
    return params.read(tiny_workbook.write(tmp_path_factory.mktemp("agreement"), {}))


def count(settings: Params, day: dt.date, rows: dict[str, Instance], *changes: Amendment) -> agreement.Agreed:
    """How the row of 2026-Q3 counts on a day."""
    instances = MappingProxyType({label: (each,) for label, each in rows.items()})
    changed = replace(settings, instances=instances, amendments=tuple(changes))
    return agreement.agreed(changed, day)["2026-Q3"][KEY]


def test_both_signatures_put_a_target_in_force(settings: Params) -> None:
    """One is not enough; the quarter's first day makes an agreed target an active one."""
    half = count(settings, BEFORE, {"2026-Q3": row(5, agreed_by_us="We, 2026-07-01")})
    assert (half.state, half.in_force, half.remark) == ("agreed by us", False, "the partner has not agreed yet")
    other = count(settings, BEFORE, {"2026-Q3": row(5, agreed_by_them="They")})
    assert (other.state, other.remark) == ("agreed by them", "we have not agreed yet")
    none = count(settings, BEFORE, {"2026-Q3": row(5)})
    assert (none.state, none.in_force) == ("proposed", False)
    assert count(settings, dt.date(2026, 6, 30), {"2026-Q3": row(5, **BOTH)}).state == "agreed"
    active = count(settings, BEFORE, {"2026-Q3": row(5, **BOTH)})
    assert (active.state, active.in_force, active.remark) == ("active", True, "")


def test_after_the_deadline_the_last_agreed_target_stands(settings: Params) -> None:
    """Until its last day the proposal is shown; then the newest agreed one, however long ago, and it says so."""
    rows = {"2026-Q1": row(4, stretch=D(6), **BOTH), "2026-Q2": row(7), "2026-Q3": row(9, stretch=D(11))}
    assert count(settings, BEFORE, rows).instance.target == at_least(9)
    fallen = count(settings, LATE, rows)
    assert (fallen.state, fallen.since, fallen.in_force) == ("lapsed", "2026-Q1", True)
    assert (fallen.instance.target, fallen.instance.stretch) == (at_least(4), D(6))
    assert fallen.row.target == at_least(9)
    assert fallen.remark == "not agreed by both sides by 31 Jul 2026; the last agreed target, 4 of 2026-Q1, stands"


def test_a_target_that_never_was_agreed_says_so(settings: Params) -> None:
    """There is nothing to fall back to: the proposal stands, and is not in force."""
    fallen = count(settings, LATE, {"2026-Q3": row(9)})
    assert (fallen.state, fallen.in_force, fallen.instance.target) == ("lapsed", False, at_least(9))
    assert "never before" in fallen.remark


def test_a_change_after_agreement_counts_only_as_an_amendment(settings: Params) -> None:
    """What both agreed to stands against an edit of the file; an agreed amendment moves it, an open one waits."""
    edited = row(6, agreed_target=at_least(5), **BOTH)
    one = count(settings, BEFORE, {"2026-Q3": edited})
    assert one.instance.target == at_least(5)
    assert one.remark == "5 was agreed; the row says 6 now, without an amendment"
    open_ = Amendment("2026-Q3", "A", "leads_q", at_least(6), "two people left", agreed_by_us="We")
    waiting = count(settings, BEFORE, {"2026-Q3": row(5, **BOTH)}, open_)
    assert waiting.instance.target == at_least(5)
    assert waiting.remark == "an amendment to 6 awaits agreement: two people left"
    moved = count(settings, BEFORE, {"2026-Q3": row(5, stretch=D(6), **BOTH)}, replace(open_, agreed_by_them="They"))
    assert (moved.instance.target, moved.instance.stretch) == (at_least(6), None)
    assert moved.amended == "amended from 5 to 6: two people left"
    later = Amendment("2026-Q3", "A", "leads_q", at_least(7), "and back", **BOTH)
    twice = count(settings, BEFORE, {"2026-Q3": row(5, **BOTH)}, replace(open_, agreed_by_them="They"), later)
    assert (twice.instance.target, twice.remark) == (at_least(7), "amended from 6 to 7: and back")


def test_a_lapsed_target_falls_back_to_what_was_amended(settings: Params) -> None:
    """The last agreed target is the amended one."""
    change = Amendment("2026-Q2", "A", "leads_q", at_least(3), "fewer people", **BOTH)
    fallen = count(settings, LATE, {"2026-Q2": row(5, **BOTH), "2026-Q3": row(9)}, change)
    assert fallen.instance.target == at_least(3)


def test_a_goal_without_approval_is_in_force_unsigned(settings: Params) -> None:
    """``needs_approval: false`` in renew."""
    goal = settings.goals["leads_q"]
    free = goal.model_copy(update={"renew": goal.renew.model_copy(update={"needs_approval": False})})
    changed = replace(settings, goals={**settings.goals, "leads_q": free})
    assert count(changed, LATE, {"2026-Q3": row(5)}).state == "active"


def test_the_day_comes_from_the_calendar_and_the_workbook(settings: Params, tmp_path: Path) -> None:
    """Thirty days after the first day, unless the workbook says otherwise."""
    assert agreement.deadline(settings.quarter("2026-Q3"), settings) == dt.date(2026, 7, 31)
