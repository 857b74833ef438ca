"""Years of whole weeks: published calendars, an independent implementation, and laws for every rule.

The numbers T1 to T14 are those of the table of oracles, which names where each was published. Ends are inclusive here,
as they were printed.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.fiscal_weeks import FiscalWeeks
from pbr_lib.periods import Calendar

DAY = dt.timedelta(days=1)
SATURDAY = 5
NRF = Calendar(label="fiscal", label_year="start", weeks=FiscalWeeks("4-5-4", 1, SATURDAY, "nearest"))
DATES = st.dates(dt.date(1970, 1, 1), dt.date(2199, 12, 31))
RULES = st.builds(
    FiscalWeeks,
    pattern=st.sampled_from(["4-4-5", "4-5-4", "5-4-4", "13x4"]),
    ends_in=st.integers(1, 12),
    weekday=st.integers(0, 6),
    rule=st.sampled_from(["nearest", "last"]),
    extra_week_in=st.integers(1, 4),
    periods=st.sampled_from(["3-3-3-4", "3-3-4-3", "3-4-3-3", "4-3-3-3"]),
)


def day(text: str) -> dt.date:
    """A date as it is written."""
    return dt.date.fromisoformat(text)


def last_days(calendar: Calendar, first: str, last: str) -> list[str]:
    """The last day of every quarter from one to another, as text."""
    return [str(quarter.last_day) for quarter in calendar.quarters(day(first), day(last))]


# -------------------------------------------------------------------- the calendar of US retail (NRF, 4-5-4)


def test_nrf_2023_has_53_weeks() -> None:
    """T1 (Coresight; NRF's list of long years): fiscal 2023 runs from 29 January 2023 to 3 February 2024."""
    span = NRF.year_span(2023)
    assert (span.start, span.end - DAY, NRF.weeks_of(2023)) == (day("2023-01-29"), day("2024-02-03"), 53)
    assert [NRF.weeks_of(year) for year in (2012, 2017, 2023)] == [53, 53, 53]


@pytest.mark.parametrize(
    ("year", "end", "weeks"),
    [(2016, "2017-01-28", 52), (2017, "2018-02-03", 53), (2018, "2019-02-02", 52), (2019, "2020-02-01", 52)],
)
def test_nrf_year_ends(year: int, end: str, weeks: int) -> None:
    """T2 (merch_calendar's specification): the nearest Saturday, not the last, which would be 27 January 2018."""
    assert (NRF.year_span(year).end - DAY, NRF.weeks_of(year)) == (day(end), weeks)


def test_nrf_quarters() -> None:
    """T3 (merch_calendar's specification): quarters of fiscal 2019, and the first ones of 2017 and 2018."""
    quarters = [NRF.parse(f"FY19-Q{number}") for number in (2, 3, 4)]
    assert [str(each.last_day) for each in quarters] == ["2019-08-03", "2019-11-02", "2020-02-01"]
    assert [str(each.start) for each in quarters] == ["2019-05-05", "2019-08-04", "2019-11-03"]
    assert [str(NRF.parse(f"FY{year}-Q1").last_day) for year in (17, 18)] == ["2017-04-29", "2018-05-05"]


def test_nrf_months() -> None:
    """T4 (merch_calendar's specification): the months of fiscal 2014 begin on these days."""
    found = [str(month.start) for n in (1, 2, 3, 4) for month in NRF.parse(f"FY14-Q{n}").months]
    assert found == ["2014-02-02", "2014-03-02", "2014-04-06", "2014-05-04", "2014-06-01", "2014-07-06",
                     "2014-08-03", "2014-08-31", "2014-10-05", "2014-11-02", "2014-11-30", "2015-01-04"]  # fmt: skip


def test_nrf_october_2015() -> None:
    """T5 (nrf-calendar): October 2015, the third month of the third quarter, is 4 to 31 October."""
    october = NRF.parse("FY15-Q3").months[2]
    assert (october.start, october.end - DAY) == (day("2015-10-04"), day("2015-10-31"))


def test_nrf_long_years() -> None:
    """T6 (a Ruby specification of the calendar): the 36 years of 53 weeks from 2000 to 2197."""
    published = [2000, 2006, 2012, 2017, 2023, 2028, 2034, 2040, 2045, 2051, 2056, 2062, 2068, 2073, 2079, 2084,
                 2090, 2096, 2102, 2108, 2113, 2119, 2124, 2130, 2136, 2141, 2147, 2152, 2158, 2164, 2169, 2175,
                 2180, 2186, 2192, 2197]  # fmt: skip
    assert [year for year in range(2000, 2198) if NRF.weeks_of(year) == 53] == published


@pytest.mark.parametrize(
    ("text", "year", "week"),
    [
        ("2014-01-01", 2013, 48),
        ("2014-02-01", 2013, 52),
        ("2014-02-02", 2014, 1),
        ("2011-05-01", 2011, 14),
        ("2014-08-31", 2014, 31),
        ("2015-01-31", 2014, 52),
        ("2017-12-30", 2017, 48),
    ],
)
def test_nrf_week_of_a_date(text: str, year: int, week: int) -> None:
    """T7 (merch_calendar's specification of weeks, and the same rule)."""
    found = NRF.week_of(day(text))
    assert (found.year, found.number) == (year, week)
    assert found.start <= day(text) < found.start + 7 * DAY


def test_nrf_week_of_a_month() -> None:
    """T7: New Year's Day 2014 lies in the fifth week of December, which is the eleventh month."""
    found = NRF.week_of(day("2014-01-01"))
    assert (found.month, found.week_of_month) == (11, 5)


def test_nrf_years_to_come() -> None:
    """T8 (by the rule; pandas agrees): fiscal 2024 to 2027 have 52 weeks each."""
    spans = [NRF.year_span(year) for year in range(2024, 2028)]
    assert [str(span.start) for span in spans] == ["2024-02-04", "2025-02-02", "2026-02-01", "2027-01-31"]
    assert [str(span.end - DAY) for span in spans] == ["2025-02-01", "2026-01-31", "2027-01-30", "2028-01-29"]
    assert {NRF.weeks_of(year) for year in range(2024, 2028)} == {52}


def test_nrf_quarters_of_2026() -> None:
    """T9 (by the rule): the quarters of fiscal 2026, each of 13 weeks."""
    quarters = [NRF.parse(f"FY26-Q{number}") for number in (1, 2, 3, 4)]
    assert [str(each.start) for each in quarters] == ["2026-02-01", "2026-05-03", "2026-08-02", "2026-11-01"]
    assert [str(each.last_day) for each in quarters] == ["2026-05-02", "2026-08-01", "2026-10-31", "2027-01-30"]
    assert [each.weeks for each in quarters] == [13, 13, 13, 13]


# ---------------------------------------------------------------------------------------- other rules (pandas)


@pytest.mark.parametrize(
    ("rule", "ends"),
    [
        ("last", ["2006-08-26", "2007-08-25", "2008-08-30", "2013-08-31", "2019-08-31"]),
        ("nearest", ["2006-09-02", "2007-09-01", "2011-09-03", "2016-09-03"]),
    ],
)
def test_year_ends_in_august(rule: str, ends: list[str]) -> None:
    """T10 and T11 (tests of pandas): the last Saturday of August, and the one nearest to its end."""
    weeks = FiscalWeeks("4-4-5", 8, SATURDAY, rule)  # type: ignore[arg-type]
    assert [str(weeks.last_day(int(end[:4]))) for end in ends] == ends


def test_an_extra_week_in_the_last_quarter() -> None:
    """T12 (tests of pandas): last Saturday of September, extra week in the fourth quarter, which is that of 2012."""
    calendar = Calendar(weeks=FiscalWeeks("4-4-5", 9, SATURDAY, "last", 4))
    assert last_days(calendar, "2010-03-27", "2013-06-29") == [
        "2010-03-27", "2010-06-26", "2010-09-25", "2010-12-25", "2011-03-26", "2011-06-25", "2011-09-24",
        "2011-12-24", "2012-03-24", "2012-06-23", "2012-09-29", "2012-12-29", "2013-03-30", "2013-06-29",
    ]  # fmt: skip


def test_an_extra_week_in_the_first_quarter() -> None:
    """T13 (tests of pandas): last Saturday of December, extra week in the first quarter."""
    calendar = Calendar(label="fiscal", weeks=FiscalWeeks("4-4-5", 12, SATURDAY, "last", 1))
    quarters = [calendar.parse(f"FY11-Q{number}") for number in (1, 2, 3, 4)]
    assert [each.weeks for each in quarters] == [14, 13, 13, 13]
    assert quarters[0].last_day == day("2011-04-02")


def test_a_calendar_year_without_a_year_end() -> None:
    """T14 (tests of pandas): the Saturday nearest to 31 December is in 2002, then in 2004; 2003 has none."""
    weeks = FiscalWeeks("4-4-5", 12, SATURDAY, "nearest")
    assert [str(weeks.last_day(year)) for year in (2002, 2003)] == ["2002-12-28", "2004-01-03"]
    assert Calendar(weeks=weeks).quarter_of(day("2004-01-03")).label == "2003-Q4"
    assert Calendar(weeks=weeks).quarter_of(day("2004-01-04")).label == "2004-Q1"


@given(st.integers(1, 12), st.integers(0, 6), st.sampled_from(["nearest", "last"]), st.integers(1990, 2190))
def test_year_ends_are_those_of_pandas(ends_in: int, weekday: int, rule: str, anchor: int) -> None:
    """pandas has the same rules in a code of its own."""
    weeks = FiscalWeeks("4-4-5", ends_in, weekday, rule)  # type: ignore[arg-type]
    theirs = pd.offsets.FY5253(weekday=weekday, startingMonth=ends_in, variation=rule)
    assert theirs.is_on_offset(pd.Timestamp(weeks.last_day(anchor)))
    assert theirs.rollforward(pd.Timestamp(weeks.last_day(anchor) + DAY)).date() == weeks.last_day(anchor + 1)


@given(DATES)
def test_weeks_of_iso_are_such_weeks(any_day: dt.date) -> None:
    """A year that ends on the Sunday nearest to 31 December is the year of ISO 8601."""
    calendar = Calendar(weeks=FiscalWeeks("4-4-5", 12, 6, "nearest"))
    found = calendar.week_of(any_day)
    assert (found.year, found.number) == any_day.isocalendar()[:2]


# -------------------------------------------------------------------------------------------- thirteen periods


@pytest.mark.parametrize(("periods", "weeks"), [("3-3-3-4", [12, 12, 12, 16]), ("4-3-3-3", [16, 12, 12, 12])])
def test_thirteen_periods(periods: str, weeks: list[int]) -> None:
    """Quarters hold three or four periods of four weeks; the 53rd week makes the last one of its quarter five."""
    calendar = Calendar(weeks=FiscalWeeks("13x4", 1, SATURDAY, "nearest", 4, periods))  # type: ignore[arg-type]
    short = [calendar.parse(f"2026-Q{number}") for number in (1, 2, 3, 4)]
    assert [each.weeks for each in short] == weeks
    assert [len(each.months) for each in short] == [count // 4 for count in weeks]
    long = calendar.parse("2024-Q4")
    assert (long.weeks, (long.months[-1].end - long.months[-1].start).days) == (weeks[3] + 1, 35)


# -------------------------------------------------------------------------------------------------------- laws


@given(RULES, st.integers(1990, 2190))
def test_a_year_is_whole(weeks: FiscalWeeks, anchor: int) -> None:
    """52 or 53 weeks, four quarters and their months without a gap, the end on its weekday and near its month's."""
    year = weeks.year(anchor)
    assert year.weeks in (52, 53)
    assert year.end == weeks.year(anchor + 1).start
    assert weeks.last_day(anchor).weekday() == weeks.weekday
    assert [months[0] for months in year.months] == list(year.quarters[:4])
    assert [months[-1] for months in year.months] == list(year.quarters[1:])
    lengths = [(b - a).days // 7 for months in year.months for a, b in pairwise(months)]
    assert sum(lengths) == year.weeks
    assert lengths == [count for months in weeks.weeks_of_months(year.weeks == 53) for count in months]


@given(RULES, DATES)
def test_every_date_lies_in_exactly_one_year(weeks: FiscalWeeks, any_day: dt.date) -> None:
    """The anchor of a day names the year that holds it."""
    year = weeks.year(weeks.anchor_of(any_day))
    assert year.start <= any_day < year.end


@given(RULES, st.integers(1990, 2190))
def test_the_end_is_near_the_end_of_its_month(weeks: FiscalWeeks, anchor: int) -> None:
    """``last`` is the last such day of the month, ``nearest`` lies at most three days from its end."""
    end = weeks.last_day(anchor)
    month_end = (pd.Timestamp(anchor, weeks.ends_in, 1) + pd.offsets.MonthEnd(0)).date()
    if weeks.rule == "last":
        assert 0 <= (month_end - end).days <= 6
    else:
        assert abs((month_end - end).days) <= 3


@pytest.mark.parametrize("ask", [lambda c: c.weeks_of(2026), lambda c: c.week_of(dt.date(2026, 1, 1))])
def test_years_of_months_have_no_weeks(ask: object) -> None:
    """Who asks a calendar of months for weeks is told, and gets no number."""
    with pytest.raises(ValueError, match="no whole number of weeks"):
        ask(Calendar())  # type: ignore[operator]
    assert Calendar().parse("2026-Q3").weeks is None
