"""From clock to clock by steps: the same as moving each time on its own, on nights when clocks change as well."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.errors import SourceError
from pbr_lib.zone_steps import Step, steps

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Atlantic/Azores"]
SPAN = (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
TIMES = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31))
NIGHTS = [
    dt.datetime(2026, 10, 25),
    dt.datetime(2026, 3, 29),
    dt.datetime(2026, 11, 1),
    dt.datetime(2026, 3, 8),
    dt.datetime(2026, 4, 4),
]
NEAR = st.builds(
    lambda night, minutes: night + dt.timedelta(minutes=minutes), st.sampled_from(NIGHTS), st.integers(-900, 900)
)


def moved(when: dt.datetime, table: tuple[Step, ...]) -> dt.datetime:
    """A time moved by the step that holds then."""
    ahead = table[0][1]
    for since, seconds in table:
        ahead = seconds if when >= since else ahead
    return when + dt.timedelta(seconds=ahead)


@given(st.sampled_from(ZONES), st.sampled_from(ZONES), TIMES | NEAR)
def test_steps_say_what_each_moment_says(clock: str, zone: str, when: dt.datetime) -> None:
    """The standard library moves one time after the other; the steps move them all alike."""
    alone = when.replace(tzinfo=ZoneInfo(clock)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert moved(when, steps(clock, zone, *SPAN)) == alone


def test_zone_before_date() -> None:
    """T19: 03:30 on 1 April in UTC is still March in New York; 15:00 on 31 March is April already in Tokyo."""
    york, tokyo = steps("UTC", "America/New_York", *SPAN), steps("UTC", "Asia/Tokyo", *SPAN)
    assert moved(dt.datetime(2026, 4, 1, 3, 30), york).date() == dt.date(2026, 3, 31)
    assert moved(dt.datetime(2026, 3, 31, 15), tokyo).date() == dt.date(2026, 4, 1)


def test_few_steps() -> None:
    """Between Berlin and New York there are four changes a year; within one zone, or to Tokyo from UTC, none."""
    assert [seconds // 3600 for _, seconds in steps("Europe/Berlin", "America/New_York", *SPAN)] == [-6, -5, -6, -5, -6]
    assert len(steps("UTC", "Asia/Tokyo", *SPAN)) == 1


def test_an_unknown_zone_is_told() -> None:
    """A zone that does not exist is named, with how to write one."""
    with pytest.raises(SourceError, match="no time zone"):
        steps("UTC", "Europe/Atlantis", *SPAN)
