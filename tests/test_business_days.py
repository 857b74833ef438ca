"""Weekends and public holidays: what the law of a place says, whatever the machine."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.business_days import WEEKDAYS, Workdays, check_country

DATES = st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31))
WORKDAYS = st.builds(
    Workdays,
    weekend=st.sampled_from([(5, 6), (4, 5), (6,), ()]),
    holidays=st.lists(DATES, max_size=4).map(tuple),
    country=st.sampled_from(["", "DE", "US"]),
)


def test_an_american_quarter() -> None:
    """The fourth of July 2026 is a Saturday, so the Friday before is free; so is the first Monday of September."""
    days = Workdays(country="US")
    assert days.days_off(dt.date(2026, 7, 1), dt.date(2026, 10, 1)) == (
        dt.date(2026, 7, 3),
        dt.date(2026, 7, 4),
        dt.date(2026, 9, 7),
    )
    assert days.count(dt.date(2026, 7, 1), dt.date(2026, 10, 1)) == 66 - 2


def test_a_subdivision_has_holidays_of_its_own() -> None:
    """Epiphany (6 January) is free in Bavaria and not in Hamburg."""
    span = (dt.date(2026, 1, 5), dt.date(2026, 1, 10))
    assert Workdays(country="DE", subdivision="BY").count(*span) == 4
    assert Workdays(country="DE", subdivision="HH").count(*span) == 5


def test_listed_days_are_free_beside_those_of_the_country() -> None:
    """Holidays of the country and those that people list are both free, and each counts once."""
    christmas = (dt.date(2026, 12, 24), dt.date(2026, 12, 25))
    days = Workdays(holidays=christmas, country="DE")
    assert days.count(dt.date(2026, 12, 21), dt.date(2026, 12, 28)) == 3
    assert days.days_off(dt.date(2026, 12, 21), dt.date(2026, 12, 28)) == (*christmas, dt.date(2026, 12, 26))


def test_a_weekend_of_friday_and_saturday() -> None:
    """Where people rest on Friday and Saturday, Sunday is the first business day after Thursday."""
    days = Workdays(weekend=(4, 5))
    assert days.count(dt.date(2026, 9, 3), dt.date(2026, 9, 10)) == 5
    assert days.after(dt.date(2026, 9, 3), 1) == dt.date(2026, 9, 6)


@given(WORKDAYS, st.lists(st.tuples(DATES, DATES), min_size=1, max_size=5))
def test_columns_are_counted_like_single_spans(days: Workdays, spans: list[tuple[dt.date, dt.date]]) -> None:
    """An array of spans says what each says alone."""
    starts, ends = (np.array([span[at] for span in spans], "datetime64[D]") for at in (0, 1))
    assert days.counts(starts, ends).tolist() == [days.count(*span) for span in spans]


@given(WORKDAYS, DATES, st.integers(0, 400))
def test_days_add_up(days: Workdays, start: dt.date, length: int) -> None:
    """Every day of a span is a business day, or lies on the weekend, or is a day off."""
    every = [start + dt.timedelta(days=n) for n in range(length)]
    end = start + dt.timedelta(days=length)
    free = set(days.days_off(start, end)) if length else set()
    assert days.count(start, end) == sum(day.weekday() not in days.weekend and day not in free for day in every)


@given(WORKDAYS, DATES, st.integers(1, 300))
def test_after_so_many_business_days_lies_one(days: Workdays, start: dt.date, count: int) -> None:
    """Adding business days lands on a business day, with so many of them behind it."""
    landed = days.after(start, count)
    day = dt.timedelta(days=1)
    assert days.count(landed, landed + day) == 1
    assert days.count(start + day, landed + day) == count


def test_no_span_has_no_days() -> None:
    """An empty column has no counts, an empty span no business day."""
    none = np.array([], "datetime64[D]")
    assert Workdays(country="DE").counts(none, none).tolist() == []
    assert Workdays().count(dt.date(2026, 1, 5), dt.date(2026, 1, 5)) == 0


@pytest.mark.parametrize(
    ("country", "subdivision", "weekend", "what", "fix"),
    [
        ("Germany", "", None, 'no holidays are known for the country "Germany"', 'did you mean "DE"?'),
        ("UK", "", None, 'no holidays are known for the country "UK"', 'did you mean "GB"?'),
        ("deu", "", None, 'no holidays are known for the country "deu"', 'did you mean "DE"?'),
        ("QQ", "", None, 'no holidays are known for the country "QQ"', "write its two letters"),
        ("DE", "Bayern", None, 'DE has no subdivision "Bayern"', 'did you mean "BY"?'),
        ("US", "XX", None, 'US has no subdivision "XX"', "known: AK, AL"),
        ("VA", "X", None, 'VA has no subdivision "X"', "remove subdivision"),
        ("SA", "", None, "the weekend of SA is not the usual one", "weekend: [Friday, Saturday]"),
    ],
)
def test_an_unknown_place_is_told_with_what_was_meant(
    country: str, subdivision: str, weekend: tuple[int, ...] | None, what: str, fix: str
) -> None:
    """Countries are two letters; names, other codes and slips of the pen are led to them."""
    with pytest.raises(ValueError, match="; ") as caught:
        check_country(country, subdivision, weekend)
    told = str(caught.value)
    assert what in told.split("; ")[0]
    assert fix in told.split("; ")[1]


def test_known_places_pass() -> None:
    """A known place is no fault, nor is a country whose weekend somebody has said."""
    check_country("DE", "BY", None)
    check_country("NO", "", None)
    check_country("SA", "", (WEEKDAYS.index("Friday"), WEEKDAYS.index("Saturday")))
