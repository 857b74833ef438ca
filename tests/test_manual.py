"""Figures that people entered are marked as such, with who and when."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from pbr_lib.definitions import Metric, RatioMetric, SimpleMetric, UnitSpec
from pbr_lib.lists import Fact
from pbr_lib.manual import manual_marks
from pbr_lib.periods import Calendar

Q3 = Calendar().parse("2026-Q3")
COUNT = UnitSpec(kind="count")


def manual(**more: Any) -> SimpleMetric:
    """Sponsor meetings, as entered by hand."""
    facts = {"label": "m", "table": "manual_facts", "aggregate": "count", "date": "valid_on", "unit": COUNT}
    return SimpleMetric(**(facts | {"where": {"fact": "sponsor_met"}} | more))


def fact(name: str = "sponsor_met", day: str = "2026-08-10", value: str = "1", **more: Any) -> Fact:
    """A fact of partner A."""
    facts = {"entered_by": "Channel manager", "entered_on": dt.date(2026, 9, 4)}
    return Fact(name, more.pop("partner_id", "A"), dt.date.fromisoformat(day), Decimal(value), **(facts | more))


def marks(metric: Metric, *facts: Fact, **metrics: Metric) -> tuple[str, ...]:
    """The marks of partner A in 2026-Q3."""
    return manual_marks(metric, metrics, facts, "A", Q3)


LEADS = SimpleMetric(label="l", table="leads", aggregate="count", date="created_at", unit=COUNT)


def test_a_figure_entered_by_hand_says_so() -> None:
    """By whom, and on which day."""
    assert marks(manual(), fact()) == ("manual: entered by Channel manager, 4 Sep 2026",)
    assert marks(manual(), fact(entered_on=None)) == ("manual: entered by Channel manager",)
    assert marks(manual(), fact(entered_by="")) == ("manual: entered, 4 Sep 2026, nobody says by whom",)


def test_what_a_system_measured_is_not_marked() -> None:
    """Also when facts are there."""
    assert marks(LEADS, fact()) == ()


def test_a_ratio_with_one_such_part_is_marked() -> None:
    """Half of it is somebody's word."""
    ratio = RatioMetric(type="ratio", label="r", numerator="met_1", denominator="leads", unit=UnitSpec(kind="percent"))
    parts: dict[str, Metric] = {"met_1": manual(), "leads": LEADS}
    assert marks(ratio, fact(), **parts) == ("manual: entered by Channel manager, 4 Sep 2026",)


def test_only_facts_that_count_are_named() -> None:
    """Another fact, partner or quarter is none of this figure's; without any, it is marked all the same."""
    others = (fact("plan"), fact(partner_id="B"), fact(day="2026-10-01"), fact(day="2026-06-30"))
    assert marks(manual(), *others) == ("manual: nothing entered",)


def test_each_person_and_day_is_named_once_in_order() -> None:
    """Two facts of one person on one day are one mark."""
    later = fact(day="2026-07-01", entered_by="Alliance lead", entered_on=dt.date(2026, 9, 9))
    found = marks(manual(), later, fact(), fact(day="2026-08-11"))
    assert found == ("manual: entered by Channel manager, 4 Sep 2026", "manual: entered by Alliance lead, 9 Sep 2026")


@pytest.mark.parametrize(
    ("more", "day", "counts"),
    [
        ({"trailing_quarters": 2}, "2026-04-01", True),
        ({"trailing_quarters": 2}, "2026-03-31", False),
        ({"shift_quarters": 1}, "2026-12-31", True),
        ({"shift_quarters": 1}, "2026-08-10", False),
        ({"nature": "level", "valid_from": "valid_on", "date": None}, "2025-01-01", True),
        ({"nature": "level", "valid_from": "valid_on", "date": None}, "2026-10-01", False),
        ({"nature": "level", "valid_from": "valid_on", "date": None, "read_at": "start"}, "2026-07-01", False),
    ],
)
def test_the_days_are_those_of_the_metric(more: dict[str, Any], day: str, counts: bool) -> None:
    """Windows that reach back, look ahead, or read a level."""
    assert (marks(manual(**more), fact(day=day)) != ("manual: nothing entered",)) == counts


@pytest.mark.parametrize(
    ("where", "counts"),
    [
        ({"value": {"gte": 1}}, True),
        ({"value": {"gt": 1}}, False),
        ({"value": {"lte": 1}}, True),
        ({"value": {"lt": 1}}, False),
        ({"value": 1}, True),
        ({"value": {"between": [0, 2]}}, True),
        ({"fact": ["sponsor_met", "plan"]}, True),
        ({"fact": {"not_in": ["sponsor_met"]}}, False),
        ({"fact": {"is_not": "plan"}}, True),
        ({"fact": {"starts_with": "sponsor"}}, True),
        ({"fact": {"contains": "_x"}}, False),
        ({"note": {"is_null": True}}, True),
        ({"note": {"is_not": "x"}}, True),
        ({"amount": {"gte": 0}}, False),
        ({"not": {"fact": "sponsor_met"}}, False),
        ({"any_of": [{"fact": "plan"}, {"value": 1}]}, True),
        ({"all_of": [{"fact": "plan"}, {"value": 1}]}, False),
        ({"entered_on": {"gte": "2026-09-01"}}, True),
        ({}, True),
    ],
)
def test_filters_hold_as_in_the_engine(where: dict[str, Any], counts: bool) -> None:
    """Two-valued, nulls included."""
    assert (marks(manual(where=where), fact()) != ("manual: nothing entered",)) == counts


def test_money_is_an_amount() -> None:
    """A fact with a currency fills the column amount, not value."""
    spent = fact("spend", value="500", currency="USD")
    assert marks(manual(where={"amount": {"gte": 100}}), spent)[0].startswith("manual: entered by")
    assert marks(manual(where={"value": {"gte": 100}}), spent) == ("manual: nothing entered",)
