"""Fiscal calendars: published labels and counts, and laws that hold for every date."""

from __future__ import annotations

import datetime as dt
import pickle
import time
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.errors import UnknownQuarter
from pbr_lib.fiscal_weeks import FiscalWeeks
from pbr_lib.periods import Calendar, Quarter, comparable, same_period

PLAIN = Calendar()
NRF = Calendar(label="fiscal", label_year="start", weeks=FiscalWeeks("4-5-4", 1, 5, "nearest"), name="retail")
DATES = st.dates(dt.date(1990, 1, 1), dt.date(2199, 12, 31))
WEEKS = st.builds(
    FiscalWeeks,
    pattern=st.sampled_from(["4-4-5", "4-5-4", "5-4-4", "13x4"]),
    ends_in=st.integers(1, 12),
    weekday=st.integers(0, 6),
    rule=st.sampled_from(["nearest", "last"]),
    extra_week_in=st.integers(1, 4),
    periods=st.sampled_from(["3-3-3-4", "4-3-3-3"]),
)
MONTHS = st.builds(
    Calendar,
    first_month=st.integers(1, 12),
    label=st.sampled_from(["calendar", "fiscal"]),
    label_year=st.sampled_from(["end", "start"]),
)
CALENDARS = MONTHS | st.builds(
    Calendar,
    label=st.sampled_from(["calendar", "fiscal"]),
    label_year=st.sampled_from(["end", "start"]),
    weeks=WEEKS,
    name=st.sampled_from(["", "partner_fy"]),
)
MODERN = st.dates(dt.date(2001, 1, 1), dt.date(2098, 12, 31))  # two digits name a year without doubt
DAY = dt.timedelta(days=1)


# ------------------------------------------------------------------------------------- published labels


def test_april_year_named_by_its_end() -> None:
    """T15 (fy-quarter): a year from April that ends in 2023 is FY23, and 23 June 2022 lies in its first quarter."""
    calendar = Calendar(first_month=4, label="fiscal", label_year="end")
    assert str(calendar.quarter_of(dt.date(2022, 6, 23))) == "FY23-Q1"


@pytest.mark.parametrize(("label_year", "label"), [("start", "FY23"), ("end", "FY24")])
def test_label_by_start_or_end(label_year: str, label: str) -> None:
    """T16 (Zoho's documentation): April 2023 to March 2024 is 2023 when named by its start, 2024 by its end."""
    calendar = Calendar(first_month=4, label="fiscal", label_year=label_year)  # type: ignore[arg-type]
    quarters = calendar.quarters(dt.date(2023, 4, 1), dt.date(2024, 3, 31))
    assert [str(quarter) for quarter in quarters] == [f"{label}-Q{n}" for n in (1, 2, 3, 4)]
    assert (quarters[0].start, quarters[-1].last_day) == (dt.date(2023, 4, 1), dt.date(2024, 3, 31))


def test_us_federal_third_quarter() -> None:
    """T17 (fiscalyear): the third quarter of the US federal fiscal year 2017 runs from 1 April to 30 June 2017."""
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
        ("2019-09-01", "2019-10-01", 21),  # and its Saturdays are 4, see below
        ("2026-09-05", "2026-09-07", 0),
        ("2026-09-04", "2026-09-04", 0),
        ("2026-09-05", "2026-09-04", 0),
    ],
)
def test_business_days_without_the_end(start: str, end: str, count: int) -> None:
    """T18 (documentation of Polars and NumPy): the first day counts, the last never, and an empty range has none."""
    assert PLAIN.business_days(dt.date.fromisoformat(start), dt.date.fromisoformat(end)) == count


def test_saturdays_alone() -> None:
    """T18: September 2019 has four Saturdays."""
    calendar = Calendar(weekend=(0, 1, 2, 3, 4, 6))
    assert calendar.business_days(dt.date(2019, 9, 1), dt.date(2019, 10, 1)) == 4


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
    """A quarter ends where the next begins, holds three months or whole weeks, and comes before it."""
    quarter = calendar.quarter_of(day)
    assert quarter.end == quarter.shift(1).start
    assert quarter.last_day == quarter.end - DAY
    length = (quarter.end - quarter.start).days
    assert 89 <= length <= 92 if quarter.weeks is None else quarter.weeks in (12, 13, 14, 16, 17)
    assert quarter.weeks is None or length == 7 * quarter.weeks
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


@given(CALENDARS, DATES)
def test_fiscal_months_make_a_quarter(calendar: Calendar, day: dt.date) -> None:
    """The months of a quarter begin with it, follow without a gap, and end with it."""
    quarter = calendar.quarter_of(day)
    months = quarter.months
    assert (months[0].start, months[-1].end) == (quarter.start, quarter.end)
    assert all(one.end == other.start for one, other in pairwise(months))
    assert len(months) in (3, 4)


@given(CALENDARS, DATES, st.integers(0, 500))
def test_the_period_table_has_no_gap_and_no_overlap(calendar: Calendar, first: dt.date, days: int) -> None:
    """Of each kind there is exactly one period for every date, and every kind covers the same days."""
    last = first + dt.timedelta(days=days)
    table = calendar.period_table(first, last)
    assert table["period_id"].is_unique
    assert (table["start"] < table["end"]).all()
    for _, kind in table.groupby("kind", sort=False):
        assert (kind["start"].iloc[1:].to_numpy() == kind["end"].iloc[:-1].to_numpy()).all()
        assert kind["start"].iloc[0].date() == calendar.year_span(calendar.year_of(first)).start
        assert kind["end"].iloc[-1].date() == calendar.year_span(calendar.year_of(last)).end
    sums = table.groupby("kind")["business_days"].sum()
    assert sums.nunique() == 1


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


# ------------------------------------------------------------------------------------------ period tables


def test_the_period_table_of_a_year_of_weeks() -> None:
    """A year has four quarters, twelve months and its weeks, each with its length and business days."""
    table = NRF.period_table(dt.date(2023, 2, 1), dt.date(2023, 2, 2))
    assert table["kind"].value_counts().to_dict() == {"week": 53, "month": 12, "quarter": 4, "year": 1}
    assert list(table.columns) == [
        "calendar_id", "period_id", "kind", "label", "start", "end", "weeks", "business_days",
    ]  # fmt: skip
    quarter = table[table["kind"] == "quarter"].iloc[3]
    assert (quarter["calendar_id"], quarter["period_id"], quarter["label"]) == ("retail", "retail:FY23-Q4", "FY23-Q4")
    assert (quarter["weeks"], quarter["business_days"]) == (14, 70)
    assert (quarter["start"].date(), quarter["end"].date()) == (dt.date(2023, 10, 29), dt.date(2024, 2, 4))
    assert table["label"].iloc[[0, 5, 16, -1]].tolist() == ["FY23", "FY23-M01", "FY23-M12", "FY23-W53"]


def test_the_period_table_of_a_year_of_months() -> None:
    """Years of months have no weeks to be counted, and none are listed."""
    table = PLAIN.period_table(dt.date(2025, 12, 31), dt.date(2026, 1, 1))
    assert table["kind"].value_counts().to_dict() == {"month": 24, "quarter": 8, "year": 2}
    assert table["weeks"].isna().all()
    assert table["period_id"].iloc[[0, 1, 2, 10]].tolist() == ["2025", "2026", "2025-Q1", "2025-M01"]


# ------------------------------------------------------------------------------------- comparing quarters


def test_fourteen_weeks_compare_with_thirteen() -> None:
    """The fourth quarter of NRF 2023 has 14 weeks; a year later its figure counts for 13, and the words say so."""
    found = comparable(NRF.parse("FY24-Q4"))
    assert (found.quarter.label, found.factor) == ("FY23-Q4", 13 / 14)
    assert found.scaled(Decimal(140)) == 130
    assert found.basis == "13 weeks are compared with 14: last year's figure is scaled by 13/14"


def test_thirteen_weeks_compare_with_fourteen() -> None:
    """The long quarter itself is compared with a figure scaled up; two years back the quarter is named."""
    found = comparable(NRF.parse("FY23-Q4"))
    assert (found.quarter.label, found.scaled(Decimal(13))) == ("FY22-Q4", 14)
    assert comparable(NRF.parse("FY25-Q4"), 2).basis == (
        "13 weeks are compared with 14: the figure of FY23-Q4 is scaled by 13/14"
    )


@given(CALENDARS, DATES, st.integers(1, 8))
def test_comparing_keeps_the_quarter_and_its_rate(calendar: Calendar, day: dt.date, back: int) -> None:
    """The same quarter, so many years before; what is sold by the week stays the same by the week."""
    quarter = calendar.quarter_of(day)
    found = comparable(quarter, back)
    assert (found.quarter.number, found.quarter.year) == (quarter.number, quarter.year - back)
    assert (found.basis == "") == (found.factor == 1)
    if quarter.weeks and found.quarter.weeks:
        assert found.scaled(Decimal(1000 * found.quarter.weeks)) == 1000 * quarter.weeks
    else:
        assert found.scaled(Decimal(1000)) == 1000


def test_two_fiscal_years_and_the_year_before() -> None:
    """Acceptance case 20: in a pack of 2026-Q3 a year from February stands in FY27-Q3, and before it FY26-Q3."""
    partner_fy = Calendar(2, "fiscal", name="partner_fy")
    quarter = same_period(PLAIN.parse("2026-Q3"), partner_fy, dt.date(2026, 9, 30))
    assert (quarter.label, quarter.key) == ("FY27-Q3", "partner_fy:FY27-Q3")
    assert (quarter.start, quarter.last_day) == (dt.date(2026, 8, 1), dt.date(2026, 10, 31))
    then = comparable(quarter)
    assert (then.quarter.label, then.quarter.start, then.factor) == ("FY26-Q3", dt.date(2025, 8, 1), 1)


def test_a_running_quarter_speaks_of_the_period_that_runs() -> None:
    """While a quarter runs, the other calendar is read on the as-of day; once it is over, on its last day."""
    partner_fy, asked = Calendar(2, "fiscal", name="partner_fy"), PLAIN.parse("2026-Q3")
    assert same_period(asked, partner_fy, dt.date(2026, 7, 20)).label == "FY27-Q2"
    assert same_period(asked, partner_fy, dt.date(2027, 3, 1)).label == "FY27-Q3"
    assert same_period(asked, PLAIN, dt.date(2026, 7, 20)) == asked


@given(CALENDARS, MODERN)
def test_a_key_can_be_read_again(calendar: Calendar, day: dt.date) -> None:
    """What stands in data is read as the same quarter, and keys of two calendars never collide."""
    quarter = calendar.quarter_of(day)
    assert calendar.parse(quarter.key) == quarter
    assert quarter.key != Calendar(name="other").quarter_of(day).key
    assert pickle.loads(pickle.dumps(quarter)) == quarter


# ----------------------------------------------------------------------------------------------- speed


@pytest.mark.parametrize("calendar", [PLAIN, NRF], ids=["months", "weeks"])
def test_quarters_are_cheap(calendar: Calendar) -> None:
    """A hundred thousand times from a day to its quarter's first day takes well under a second or so of work."""
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=n) for n in range(1_000)]
    begun = time.process_time()
    for _ in range(100):
        for day in days:
            calendar.quarter_of(day).start  # noqa: B018 - what it costs is asked, not what it says
    assert time.process_time() - begun < 3  # measured 0.3 s; machines differ and are shared


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
