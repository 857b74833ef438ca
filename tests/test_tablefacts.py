"""What a metric stands on: dated rows, rows ever matched, rows in each quarter."""

from __future__ import annotations

import datetime as dt

import small_world as world

from pbr_lib.definitions import RatioMetric, SimpleMetric, UnitSpec
from pbr_lib.tablefacts import facts

COUNT = UnitSpec(kind="count")


def test_rows_dated_matched_and_by_quarter() -> None:
    """A level is dated by the day from which its rows are valid; a ratio has no table of its own."""
    deals = [
        world.deal("1", close_date=dt.date(2026, 7, 1)),
        world.deal("2", close_date=dt.date(2026, 9, 30), stage="lost"),
        world.deal("3", close_date=None, stage="open_mid"),
        world.deal("4", close_date=dt.date(2026, 3, 31)),
    ]
    connection = world.connect({"opportunities": deals})
    flow = {"label": "x", "table": "opportunities", "aggregate": "count", "unit": COUNT, "date": "close_date"}
    metrics = {
        "won": SimpleMetric(where={"is_won": True}, **flow),
        "never": SimpleMetric(where={"stage": "open_late"}, **flow),
        "people": SimpleMetric(
            label="p", table="certifications", aggregate="count", nature="level", valid_from="issued_on", unit=COUNT
        ),
        "rate": RatioMetric(type="ratio", label="r", numerator="won", denominator="never", unit=COUNT),
    }
    found = facts(connection, metrics, [world.quarter(label) for label in ("2026-Q1", "2026-Q2", "2026-Q3")])
    assert list(found) == ["won", "never", "people"]
    assert (found["won"].dated, found["won"].ever, found["won"].rows) == (0.75, 2, {"2026-Q1": 1, "2026-Q3": 2})
    assert (found["never"].ever, found["never"].rows) == (0, found["won"].rows)
    assert (found["people"].dated, found["people"].ever, found["people"].rows) == (1.0, 0, {})
