"""The calendar of what each export covers."""

from __future__ import annotations

import datetime as dt

import pytest

from pbr_lib.coverage import calendar
from pbr_lib.extracts import Extract
from pbr_lib.periods import Calendar

QUARTERS = tuple(Calendar().parse(label) for label in ("2026-Q1", "2026-Q2", "2026-Q3"))


def extract(first: str, last: str | None, source: str = "deals") -> Extract:
    """An export that covers these days."""
    as_of = None if last is None else dt.date.fromisoformat(last)
    return Extract(source, "opportunities", f"{source}.csv", "", as_of, dt.date.fromisoformat(first))


@pytest.mark.parametrize(
    ("first", "last", "states"),
    [
        ("2020-01-01", "2026-09-30", ["whole", "whole", "whole"]),
        ("2026-02-01", "2026-08-31", ["part", "whole", "part"]),
        ("2026-04-01", "2026-06-30", ["none", "whole", "none"]),
        ("2026-03-31", "2026-04-01", ["part", "part", "none"]),
        ("2020-01-01", None, ["none", "none", "none"]),
    ],
)
def test_each_quarter_is_covered_whole_in_part_or_not(first: str, last: str | None, states: list[str]) -> None:
    """Both ends are inclusive, and an export that is not there covers nothing."""
    assert [row.state for row in calendar([extract(first, last)], QUARTERS)] == states


def test_the_share_is_that_of_days() -> None:
    """Of 90 days of the first quarter of 2026 an export from 1 February on covers 59."""
    (row, *_) = calendar([extract("2026-02-01", "2026-12-31")], QUARTERS)
    assert row.share == pytest.approx(59 / 90)
    assert row.as_json()["share"] == 0.6556


def test_sources_come_by_name() -> None:
    """The order of the mappings' files plays no part."""
    rows = list(calendar([extract("2026-01-01", "2026-12-31", name) for name in ("b", "a")], QUARTERS[:1]))
    assert [row.source for row in rows] == ["a", "b"]
