"""Clocks of time zones, against Python's own, one moment at a time."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.clocks import from_utc, known_zone, to_utc
from pbr_lib.errors import SourceError

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca")
ZONES += ("America/Sao_Paulo", "Pacific/Apia", "Europe/Dublin")
EPOCH = dt.datetime(1970, 1, 1)
moments = st.lists(st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(2199, 12, 30)), min_size=1, max_size=6)


def micros(*times: dt.datetime) -> np.ndarray:
    return np.array([(time - EPOCH) // dt.timedelta(microseconds=1) for time in times], np.int64)


def back(values: np.ndarray) -> list[dt.datetime]:
    return [EPOCH + dt.timedelta(microseconds=int(value)) for value in values]


@given(moments, st.sampled_from(ZONES))
def test_from_utc_is_what_python_says(times: list[dt.datetime], zone: str) -> None:
    """The clock of a zone at a moment."""
    info = zoneinfo.ZoneInfo(zone)
    expected = [time.replace(tzinfo=dt.UTC).astimezone(info).replace(tzinfo=None) for time in times]
    assert back(from_utc(micros(*times), zone)) == expected


@given(moments, st.sampled_from(ZONES))
def test_to_utc_is_what_python_says(times: list[dt.datetime], zone: str) -> None:
    """The moment of a clock's time; the first one where it is shown twice."""
    info = zoneinfo.ZoneInfo(zone)
    expected = [time.replace(tzinfo=info).astimezone(dt.UTC).replace(tzinfo=None) for time in times]
    assert back(to_utc(micros(*times), zone)[0]) == expected


def test_hours_of_spring_and_autumn_are_counted() -> None:
    """In Berlin 02:30 came twice on 27 October 2024 and never on 31 March."""
    clock = micros(*(dt.datetime(2024, month, day, 2, 30) for month, day in ((10, 27), (3, 31), (6, 1))))
    found, twice, never = to_utc(clock, "Europe/Berlin")
    assert back(found)[0] == dt.datetime(2024, 10, 27, 0, 30)
    assert back(found)[1] == dt.datetime(2024, 3, 31, 1, 30)
    assert (twice, never) == (1, 1)


def test_no_moments_at_all() -> None:
    """An empty column needs no zone."""
    nothing = np.zeros(0, np.int64)
    assert len(from_utc(nothing, "Europe/Berlin")) == len(to_utc(nothing, "Europe/Berlin")[0]) == 0


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../secret", "/etc/passwd", "a\0b", "Europe"])
def test_what_is_no_zone_is_said(name: str) -> None:
    """A misspelt zone is the user's fault, and never a path."""
    with pytest.raises(SourceError, match="no time zone"):
        known_zone(name)
