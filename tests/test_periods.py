"""Fiscal calendars: published labels and counts, and laws that hold for every date."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.errors import UnknownQuarter
from pbr_lib.periods import Calendar, Quarter

PLAIN = Calendar()
DATES = st.dates(dt.date(1990, 1, 1), dt.date(2199, 12, 31))
CALENDARS = st.builds(
    Calendar,
    first_month=st.integers(1, 12),
    label=st.sampled_from(["calendar", "fiscal"]),
    label_year=st.sampled_from(["end", "start"]),
)
MODERN = st.dates(dt.date(2001, 1, 1), dt.date(2098, 12, 31))  # two digits name a year without doubt
DAY = dt.timedelta(days=1)


# ------------------------------------------------------------------------------------- published labels


def test_april_year_named_by_its_end() -> None:
    """A fiscal year from April that ends in 2023 is FY23, and 23 June 2022 lies in its first quarter."""
    calendar = Calendar(first_month=4, label="fiscal", label_year="end")
    assert str(calendar.quarter_of(dt.date(2022, 6, 23))) == "FY23-Q1"


@pytest.mark.parametrize(("label_year", "label"), [("start", "FY23"), ("end", "FY24")])
def test_label_by_start_or_end(label_year: str, label: str) -> None:
    """April 2023 to March 2024 is 2023 when years are named by their start, 2024 by their end."""
    calendar = Calendar(first_month=4, label="fiscal", label_year=label_year)  # type: ignore[arg-type]
    quarters = calendar.quarters(dt.date(2023, 4, 1), dt.date(2024, 3, 31))
    assert [str(quarter) for quarter in quarters] == [f"{label}-Q{n}" for n in (1, 2, 3, 4)]
    assert (quarters[0].start, quarters[-1].last_day) == (dt.date(2023, 4, 1), dt.date(2024, 3, 31))


def test_us_federal_third_quarter() -> None:
    """The third quarter of the US federal fiscal year 2017 runs from 1 April to 30 June 2017."""
    quarter = Calendar(first_month=10, label="fiscal").parse("FY17-Q3")
    assert (quarter.start, quarter.last_day) == (dt.date(2017, 4, 1), dt.date(2017, 6, 30))


def test_calendar_year_needs_no_shift() -> None:
    """A year from January is named by the only year it touches, whichever rule is set."""
    for label_year in ("start", "end"):
        quarter = Calendar(label_year=label_year).parse("2026-Q3")  # type: ignore[arg-type]
        assert (quarter.start, quarter.end) == (dt.date(2026, 7, 1), dt.date(2026, 10, 1))


# ------------------------------------------------------------------------------------------ business days


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("2020-01-01", "2020-01-02", 1),
        ("2020-01-02", "2020-01-10", 6),
        ("2019-09-01", "2019-10-01", 21),
        ("2026-09-05", "2026-09-07", 0),
        ("2026-09-04", "2026-09-04", 0),
        ("2026-09-05", "2026-09-04", 0),
    ],
)
def test_business_days_without_the_end(start: str, end: str, count: int) -> None:
    """Business days count the first day, never the last, and an empty range has none."""
    assert PLAIN.business_days(dt.date.fromisoformat(start), dt.date.fromisoformat(end)) == count


def test_holidays_are_no_business_days() -> None:
    """A holiday on a weekday counts like a Saturday, one on a Sunday changes nothing."""
    calendar = Calendar(holidays=(dt.date(2026, 12, 25), dt.date(2026, 12, 27)))
    assert calendar.business_days(dt.date(2026, 12, 21), dt.date(2026, 12, 28)) == 4
    assert calendar.add_business_days(dt.date(2026, 12, 24), 1) == dt.date(2026, 12, 28)


@given(DATES, st.integers(0, 40))
def test_adding_business_days_lands_on_one(day: dt.date, count: int) -> None:
    """After ``count`` business days lies a business day, with exactly ``count`` of them between."""
    landed = PLAIN.add_business_days(day, count)
    assert np.is_busday(landed)
    first = day if np.is_busday(day) else landed if count == 0 else day
    assert PLAIN.business_days(first + DAY, landed + DAY) == count


# ------------------------------------------------------------------------------------------------- laws


@given(CALENDARS, DATES)
def test_every_date_lies_in_exactly_one_quarter(calendar: Calendar, day: dt.date) -> None:
    """A date lies in its own quarter and in neither neighbour."""
    quarter = calendar.quarter_of(day)
    assert quarter.holds(day)
    assert not quarter.shift(-1).holds(day)
    assert not quarter.shift(1).holds(day)


@given(CALENDARS, DATES, st.integers(-200, 200))
def test_shift_has_an_inverse(calendar: Calendar, day: dt.date, by: int) -> None:
    """Going there and back again is standing still, and four quarters are the same one a year later."""
    quarter = calendar.quarter_of(day)
    assert quarter.shift(by).shift(-by) == quarter
    later = quarter.shift(4)
    assert (later.number, later.year) == (quarter.number, quarter.year + 1)


@given(CALENDARS, DATES)
def test_quarters_follow_without_a_gap(calendar: Calendar, day: dt.date) -> None:
    """A quarter ends where the next begins, holds three months, and comes before it."""
    quarter = calendar.quarter_of(day)
    assert quarter.end == quarter.shift(1).start
    assert quarter.last_day == quarter.end - DAY
    assert 89 <= (quarter.end - quarter.start).days <= 92
    assert quarter < quarter.shift(1)


@given(CALENDARS, MODERN)
def test_a_label_can_be_read_again(calendar: Calendar, day: dt.date) -> None:
    """What is written as a label is read as the same quarter."""
    quarter = calendar.quarter_of(day)
    assert calendar.parse(str(quarter)) == quarter
    assert calendar.parse(f" {quarter} ") == quarter


@given(CALENDARS, DATES, st.integers(0, 900))
def test_the_quarters_of_a_span_cover_it(calendar: Calendar, first: dt.date, days: int) -> None:
    """From the first to the last day each quarter comes once, in order."""
    last = first + dt.timedelta(days=days)
    quarters = calendar.quarters(first, last)
    assert quarters[0].holds(first)
    assert quarters[-1].holds(last)
    assert list(quarters) == [quarters[0].shift(n) for n in range(len(quarters))]


@given(CALENDARS, DATES, DATES, st.booleans())
def test_elapsed_never_goes_back(calendar: Calendar, one: dt.date, other: dt.date, business: bool) -> None:
    """The elapsed share grows with time, from 0 before the quarter to 1 on its last day."""
    quarter = calendar.quarter_of(one)
    early, late = sorted((one, other))
    shares = [quarter.elapsed(day, business=business) for day in (quarter.start - DAY, early, late, quarter.last_day)]
    assert shares[0] == 0
    assert shares[-1] == 1
    assert 0 <= shares[1] <= shares[2] <= 1


@given(CALENDARS, DATES, st.integers(0, 95))
def test_elapsed_since_a_late_start_is_never_more(calendar: Calendar, day: dt.date, joined: int) -> None:
    """Who joined within the quarter starts at 0 and reaches 1 on the same last day."""
    quarter = calendar.quarter_of(day)
    since = min(quarter.start + dt.timedelta(days=joined), quarter.last_day)
    assert quarter.elapsed(since - DAY, since, business=False) == 0
    assert quarter.elapsed(quarter.last_day, since, business=False) == 1
    assert quarter.elapsed(day, since, business=False) <= quarter.elapsed(day, business=False)


def test_elapsed_counts_both_ends() -> None:
    """On the tenth of a month that starts a quarter, ten days have passed, this one included."""
    quarter = PLAIN.parse("2026-Q1")
    assert quarter.elapsed(dt.date(2026, 1, 10), business=False) == pytest.approx(10 / 90)
    assert quarter.elapsed(dt.date(2026, 1, 2), business=True) == pytest.approx(2 / 64)


# --------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "text",
    ["", "Q3", "2026Q3", "2026-Q0", "2026-Q5", "26-Q3", "FY26-Q3", "0000-Q1", "9999-Q4", "２０２６-Q3", "2026-Q3 late"],
)
def test_what_is_no_quarter_is_refused_with_an_example(text: str) -> None:
    """A text that names no quarter of the calendar is refused, and the message shows how to write one."""
    with pytest.raises(UnknownQuarter) as caught:
        PLAIN.parse(text)
    assert f'"{text}"' in caught.value.what
    assert "2026-Q3" in caught.value.fix


def test_a_fiscal_calendar_refuses_calendar_labels() -> None:
    """Two ways to name a quarter never mix, since 2026-Q3 and FY26-Q3 are different months."""
    with pytest.raises(UnknownQuarter, match="no quarter") as caught:
        Calendar(first_month=4, label="fiscal").parse("2026-Q3")
    assert "FY26-Q3" in caught.value.fix


def test_a_quarter_prints_as_its_label() -> None:
    """A quarter is its label when printed, and equal quarters are one key."""
    assert f"{Quarter(PLAIN, 2026, 3)}" == "2026-Q3"
    assert len({PLAIN.parse("2026-Q3"), PLAIN.quarter_of(dt.date(2026, 8, 1))}) == 1
