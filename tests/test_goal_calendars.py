"""Goals with calendars of their own, measured: quarters of several calendars in one window, and days in their zones."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import small_world
from small_world import AS_OF, CALENDAR, COUNT, credit, deal, leads, partner, revenue

from pbr_lib import metrics
from pbr_lib.definitions import SimpleMetric
from pbr_lib.fiscal_weeks import FiscalWeeks
from pbr_lib.metrics import Measurement, Window
from pbr_lib.periods import Calendar, Quarter

PARTNER_FY = Calendar(2, "fiscal", name="partner_fy")
RETAIL = Calendar(label="fiscal", label_year="start", weeks=FiscalWeeks("4-5-4", 1, 5, "nearest"), name="retail")


def lead_tables(moments: dict[str, dt.datetime]) -> dict[str, list[Any]]:
    """Leads of partner A, created at these times on the tables' clock."""
    return {
        "partners": [partner("A")],
        "leads": [{"lead_id": key, "created_at": when} for key, when in moments.items()],
        "attributions": [credit(key, "A", subject_type="lead") for key in moments],
    }


def measured(tables: dict[str, list[Any]], quarters: list[Quarter], metric: SimpleMetric) -> Measurement:
    """One metric over quarters of any calendars."""
    covered = small_world.window(AS_OF, [], small_world.RATES)
    window = Window(tuple(quarters), AS_OF, "USD", covered.rates, covered.extracts)
    return metrics.measure(small_world.connect(tables), {"m": metric}, window)["m"]


def found(one: Measurement, quarter: Quarter) -> Any:
    """The value of partner A."""
    return one.cell("A", quarter.key).value


def test_quarters_of_several_calendars_are_measured_side_by_side() -> None:
    """Acceptance case 20: one deal lies in 2026-Q3, in FY27-Q2 of a year from February and in NRF's FY26-Q2."""
    days = {"O1": dt.date(2026, 7, 31), "O2": dt.date(2026, 8, 1), "O3": dt.date(2026, 8, 2)}
    tables: dict[str, list[Any]] = {
        "partners": [partner("A")],
        "opportunities": [deal(key, str(10**at), close_date=day) for at, (key, day) in enumerate(days.items())],
        "attributions": [credit(key, "A") for key in days],
    }
    labels = [(CALENDAR, "2026-Q3"), (PARTNER_FY, "FY27-Q2"), (PARTNER_FY, "FY27-Q3"), (RETAIL, "FY26-Q2")]
    labels += [(RETAIL, "FY26-Q3")]
    quarters = [calendar.parse(label) for calendar, label in labels]
    one = measured(tables, quarters, revenue())
    assert [found(one, quarter) for quarter in quarters] == [111, 1, 110, 11, 100]
    assert [row["record_id"] for row in one.records([quarters[4]]).to_pylist()] == ["O3"]
    assert set(one.records(quarters)["period_id"].to_pylist()) == {quarter.key for quarter in quarters}


def test_equal_labels_of_two_calendars_stay_apart() -> None:
    """FY26-Q2 means other days in each calendar; keys tell them apart where labels do not."""
    tables = lead_tables({"L1": dt.datetime(2025, 6, 1, 12), "L2": dt.datetime(2026, 6, 1, 12)})
    quarters = [PARTNER_FY.parse("FY26-Q2"), RETAIL.parse("FY26-Q2")]
    one = measured(tables, quarters, leads())
    assert [set(one.records([quarter])["record_id"].to_pylist()) for quarter in quarters] == [{"L1"}, {"L2"}]


@pytest.mark.parametrize(
    ("moment", "zone", "label"),
    [
        (dt.datetime(2026, 4, 1, 3, 30), "America/New_York", "2026-Q1"),
        (dt.datetime(2026, 3, 31, 15, 0), "Asia/Tokyo", "2026-Q2"),
        (dt.datetime(2026, 4, 1, 3, 59, 59, 999_999), "America/New_York", "2026-Q1"),
        (dt.datetime(2026, 4, 1, 4, 0), "America/New_York", "2026-Q2"),
    ],
)
def test_zone_before_date(moment: dt.datetime, zone: str, label: str) -> None:
    """T19: a timestamp goes to the zone of the calendar before its day is taken, and the records say that day."""
    calendar = Calendar(name="there", time_zone=zone, clock="UTC")
    quarters = [calendar.parse("2026-Q1"), calendar.parse("2026-Q2")]
    one = measured(lead_tables({"L1": moment}), quarters, leads())
    assert [found(one, quarter) for quarter in quarters] == [1, 0] if label == "2026-Q1" else [0, 1]
    day = one.records(quarters)["day"].to_pylist()[0]
    assert calendar.parse(label).holds(day)


def test_days_never_shift() -> None:
    """T19: a day is a day; a deal that closes on 31 March does so everywhere."""
    calendar = Calendar(name="there", time_zone="America/New_York", clock="Asia/Tokyo")
    tables: dict[str, list[Any]] = {
        "partners": [partner("A")],
        "opportunities": [deal("O1", "5", close_date=dt.date(2026, 4, 1))],
        "attributions": [credit("O1", "A")],
    }
    quarters = [calendar.parse("2026-Q1"), calendar.parse("2026-Q2")]
    assert [found(measured(tables, quarters, revenue()), quarter) for quarter in quarters] == [0, 5]


def test_half_past_eleven_on_the_last_day() -> None:
    """Acceptance case 2: 23:30 in New York on 30 June, 1 July in UTC, counts in the quarter that ends that day."""
    calendar = Calendar(name="there", time_zone="America/New_York", clock="UTC")
    utc = Calendar(name="utc", clock="UTC", time_zone="UTC")
    quarters = [calendar.parse("2026-Q2"), utc.parse("2026-Q2"), utc.parse("2026-Q3")]
    one = measured(lead_tables({"L1": dt.datetime(2026, 7, 1, 3, 30)}), quarters, leads())
    assert [found(one, quarter) for quarter in quarters] == [1, 0, 1]


@pytest.mark.parametrize("seed", range(3))
def test_every_moment_counts_where_the_standard_library_puts_it(seed: int) -> None:
    """Random times around the nights on which clocks change, and around the ends of weeks-based quarters."""
    dice = random.Random(seed)
    weeks = FiscalWeeks("4-4-5", 12, 6 - seed, "nearest")
    calendar = Calendar(weeks=weeks, name="there", time_zone="America/New_York", clock="Europe/Berlin")
    quarters = [calendar.parse(f"2025-Q{n}") for n in (1, 2, 3, 4)]
    nights = [dt.datetime(2025, 3, 9), dt.datetime(2025, 3, 30), dt.datetime(2025, 10, 26), dt.datetime(2025, 11, 2)]
    nights += [dt.datetime.combine(quarter.end, dt.time()) for quarter in quarters]
    moments = {
        f"L{i:03}": dice.choice(nights) + dt.timedelta(seconds=dice.randint(-36_000, 36_000)) for i in range(150)
    }
    days = {
        key: when.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(ZoneInfo("America/New_York")).date()
        for key, when in moments.items()
    }
    one = measured(lead_tables(moments), quarters, leads())
    for quarter in quarters:
        rows = one.records([quarter]).to_pylist()
        assert {row["record_id"]: row["day"] for row in rows} == {
            k: day for k, day in days.items() if quarter.holds(day)
        }


def test_levels_are_read_in_the_zone_of_the_calendar() -> None:
    """What began at 01:00 on the first of October, in UTC, stood in New York on the last day of September already."""
    calendar = Calendar(name="there", time_zone="America/New_York", clock="UTC")
    here = Calendar(name="here", time_zone="UTC", clock="UTC")
    known = {"label": "Leads", "table": "leads", "aggregate": "count_distinct", "of": "lead_id", "unit": COUNT}
    level = SimpleMetric(**known, nature="level", valid_from="created_at", credit_type=("sourced",))
    tables = lead_tables({"L1": dt.datetime(2026, 10, 1, 1), "L2": dt.datetime(2010, 7, 1, 2)})
    quarters = [calendar.parse("2026-Q3"), here.parse("2026-Q3")]
    one = measured(tables, quarters, level)
    assert [found(one, quarter) for quarter in quarters] == [2, 1]
    first = {row["record_id"]: row["day"] for row in one.records([quarters[0]]).to_pylist()}
    assert first == {"L1": dt.date(2026, 9, 30), "L2": dt.date(2010, 6, 30)}
