"""Days that count: both ends inclusive, pauses once, and the published figure (goals.md 4.1 and 11, T37)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.goalrows import Pause
from pbr_lib.model import rounded
from pbr_lib.periods import Calendar, Span
from pbr_lib.proration import Eligible, eligible, resting

D = Decimal
Q3 = Calendar().parse("2026-Q3")
YEAR = Span(dt.date(2019, 1, 1), dt.date(2020, 1, 1))
OFFSETS = st.integers(-40, 130)


def day(text: str) -> dt.date:
    """A day of 2026, as ``08-01``."""
    return dt.date.fromisoformat(f"2026-{text}")


def pause(first: str, last: str, goal: str = "") -> Pause:
    """A pause of 2026."""
    return Pause("P", goal, day(first), day(last), "rebuild")


def test_t37_from_the_first_of_june() -> None:
    """T37 (B55): from 1 June 2019, 214 of 365 days are 58.63 %, and 800,000 become 469,041.10."""
    part = eligible(YEAR, dt.date(2019, 6, 1))
    assert (part.days, part.of) == (214, 365)
    assert rounded(part.share * 100, 2) == D("58.63")
    assert rounded(part.part(D(800_000)), 2) == D("469041.10")


def test_the_day_of_joining_counts() -> None:
    """From the 16th of a month of 30 days, 15 days count."""
    june = Span(day("06-01"), day("07-01"))
    assert eligible(june, day("06-16")).days == 15


def test_the_last_day_counts() -> None:
    """Who ends on 31 July takes part on all of July."""
    assert eligible(Q3, ended=day("07-31")) == Eligible(31, 92, "31 of 92 days: ended on 31 Jul 2026")


@pytest.mark.parametrize("facts", [(None, None), (day("07-01"), day("09-30")), (day("01-01"), day("12-31"))])
def test_a_whole_quarter_says_nothing(facts: tuple[dt.date | None, dt.date | None]) -> None:
    """Where every day counts there is nothing to say."""
    part = eligible(Q3, *facts)
    assert part.full
    assert part.words == ""
    assert part.part(D(5)) == part.scaled_up(D(5)) == 5


def test_pauses_that_overlap_count_once() -> None:
    """1 to 10 and 5 to 15 July are 15 days."""
    part = eligible(Q3, pauses=[pause("07-05", "07-15"), pause("07-01", "07-10")])
    assert part.days == 92 - 15
    assert part.words.startswith("77 of 92 days: paused from 1 Jul 2026 to 10 Jul 2026, paused from 5 Jul 2026")


def test_a_pause_within_another_takes_nothing_more() -> None:
    """What rests already cannot rest twice."""
    assert eligible(Q3, pauses=[pause("07-01", "07-31"), pause("07-10", "07-12")]).days == 61


def test_a_pause_before_joining_takes_nothing() -> None:
    """Days before the first one are no days of the partner."""
    part = eligible(Q3, day("08-01"), pauses=[pause("07-01", "07-31")])
    assert part.words == "61 of 92 days: joined on 1 Aug 2026"


def test_a_pause_outside_the_quarter_changes_nothing() -> None:
    """Nor does one of another quarter."""
    assert eligible(Q3, pauses=[pause("01-01", "06-30")]) == Eligible(92, 92)


@pytest.mark.parametrize("facts", [{"joined": day("10-01")}, {"ended": day("06-30")}])
def test_no_day_may_count(facts: dict[str, dt.date]) -> None:
    """Before the first and after the last day there is none, and nothing can be concluded from it."""
    part = eligible(Q3, **facts)
    assert part.days == 0
    with pytest.raises(ValueError, match="leave the period out"):
        part.scaled_up(D(1))


def test_pauses_of_all_goals_and_of_one() -> None:
    """A pause without a goal concerns every goal."""
    every, own = pause("07-01", "07-02"), pause("07-03", "07-03", "a_goal")
    assert resting([every, own], "a_goal") == (every, own)
    assert resting([every, own], "b_goal") == (every,)
    assert "paused on 3 Jul 2026" in eligible(Q3, pauses=[own]).words


@given(OFFSETS, OFFSETS, st.lists(st.tuples(OFFSETS, st.integers(0, 40)), max_size=4))
def test_days_are_counted_one_by_one(joined: int, ended: int, rests: list[tuple[int, int]]) -> None:
    """The count is that of the days on which the partner is there and not paused."""

    def at(offset: int) -> dt.date:
        return Q3.start + dt.timedelta(days=offset)

    pauses = [Pause("P", "", at(first), at(first + length), "") for first, length in rests]
    days = [at(offset) for offset in range(92)]
    there = [d for d in days if at(joined) <= d <= at(ended)]
    there = [d for d in there if not any(p.first_day <= d <= p.last_day for p in pauses)]
    part = eligible(Q3, at(joined), at(ended), pauses)
    assert part.days == len(there)
    assert bool(part.words) == (len(there) < 92)
