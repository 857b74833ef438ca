"""Tables foot: what a table sums is what it lists, and what it cannot know it does not print as zero."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape
from typing import Any

import pytest

from pbr_lib import plantables, tables
from pbr_lib.blocks import Table
from pbr_lib.goalview import GoalView
from pbr_lib.model import Amount, Unit
from pbr_lib.review import Review

USD = Unit("money", "USD")
PARTNERS = [f"P-{number:03}" for number in range(1, 13)]
QUARTER = {
    "label": "2026-Q3",
    "start": "2026-07-01",
    "last_day": "2026-09-30",
    "as_of": "2026-09-04",
    "phase": "running",
}
QUARTER |= {
    "before": "2026-Q2",
    "business_days": 66,
    "business_days_passed": 48,
    "holidays": [],
    "weekend": [5, 6],
    "since": None,
}


def deal(key: str, amount: str | None, credits: Sequence[str] = ("sourced",), **more: Any) -> dict[str, Any]:
    """A won deal as a slice holds it."""
    row: dict[str, Any] = {
        "id": key,
        "name": f"Deal {key}",
        "account_name": "Customer",
        "amount": amount,
        "currency": "USD",
    }
    row |= {"stage": "won", "source_stage": "Closed Won", "close_date": "2026-08-20", "loss_reason": None}
    row |= {"next_step": None, "credits": list(credits), "plan_amount": amount}
    return row | {"sourced_share": "1" if "sourced" in credits else None} | more


def cells(table: Table, column: str) -> list[Any]:
    """A column's cells, amounts and dates as values."""
    return list(table.frame[column])


# ------------------------------------------------------------------------------------------ attribution


def test_each_deal_counts_in_one_row_and_the_rows_add_up() -> None:
    """Sourced wins over influenced, influenced over resold; the total is each deal once, at the partner's share."""
    deals = [
        deal("1", "100", sourced_share="0.6"),
        deal("2", "10", ["sourced", "resold"]),
        deal("3", "1000", ["influenced"]),
        deal("4", "1", ["influenced", "resold"]),
        deal("5", "5000", ["resold"]),
        deal("6", "77", stage="open_mid"),
        deal("7", "88", stage="lost"),
    ]
    table = tables.attribution_table(deals, USD)
    assert cells(table, "deals") == [2, 2, 1, 5, 3]
    assert cells(table, "amount") == [70, 1001, 5000, 6071, 5011]
    assert "this partner's share" in table.caption
    assert sum(cells(table, "amount")[:3]) == cells(table, "amount")[3]


def test_a_deal_without_a_rate_leaves_its_row_unknown() -> None:
    """The row and the total are not measurable; other rows stay."""
    table = tables.attribution_table([deal("1", "100"), deal("2", "9", ["resold"], plan_amount=None)], USD)
    assert cells(table, "amount") == [100, 0, None, None, None]
    assert cells(table, "deals") == [1, 0, 1, 2, 1]
    assert not table.caption


@pytest.mark.parametrize("who", PARTNERS)
def test_the_demo_is_reconciled(demo_review: Callable[..., Review], who: str) -> None:
    """The first row is the sourced goal's actual, where there is such a goal; the rows foot."""
    for quarter in ("2026-Q3", "2026-Q2"):
        review = demo_review(who, quarter)
        amounts = cells(review.attribution, "amount")
        assert sum(amounts[:3]) == amounts[3]
        sourced = [goal.actual.value for goal in review.all_goals if goal.key == "sourced_revenue_q"]
        assert not sourced or sourced[0] == amounts[0]


# ------------------------------------------------------------------------------------------------ goals


def test_the_goal_table_says_the_same_as_the_goals(demo_review: Callable[..., Review]) -> None:
    """Each row holds a goal's actual, target, attainment, status and bar; recipes name its records."""
    for who in PARTNERS:
        review = demo_review(who)
        table = review.goals
        assert cells(table, "goal") == [goal.label for goal in review.all_goals]
        assert cells(table, "actual") == [goal.actual.value for goal in review.all_goals]
        assert cells(table, "attained") == [goal.ratio.value for goal in review.all_goals]
        assert [recipe["goal"] for recipe in table.recipes] == [goal.key for goal in review.all_goals]
        listed = {block.name for block in review.evidence.blocks}
        assert {recipe["records"] for recipe in table.recipes} - {None} == listed


def test_records_listed_add_up_to_the_actual(demo_review: Callable[..., Review]) -> None:
    """What each record counts adds up to the goal's actual; the parts of a rate divide to it."""
    for who in PARTNERS:
        review = demo_review(who)
        for goal in review.all_goals:
            table = review.records(goal.key)
            if goal.facts["aggregate"] == "ratio" and goal.actual.known:
                above, below = (sum(cells(table, name)) for name in ("numerator", "denominator"))
                assert goal.actual.value == Decimal(above) / Decimal(below)
            elif goal.facts["aggregate"] == "sum" and goal.actual.known:
                assert sum(cells(table, "counts")) == goal.actual.value


def ratio_goal(records: list[dict[str, Any]]) -> GoalView:
    """A rate with these records."""
    facts = {"key": "g", "label": "Rate", "unit": {"kind": "percent"}, "aggregate": "ratio", "records": records}
    facts |= {"table": "leads", "actual": "0.5", "attained": "1", "n": 2, "period": None}
    return GoalView(
        facts | {"target": {"kind": "at_least", "value": "0.5", "low": None, "high": None, "due": None, "from": None}}
    )


def record(key: str, role: str, counts: str | None = "1") -> dict[str, Any]:
    """A record as a slice holds it."""
    return {
        "id": key,
        "role": role,
        "day": "2026-08-01",
        "counts": counts,
        "company": "C",
        "source": "S",
        "status": "new",
    }


def test_a_record_of_either_part_of_a_rate_has_one_row() -> None:
    """In both parts, in one, or in the numerator alone: each record once, with what it counts on either side."""
    records = [
        record("1", "numerator"),
        record("1", "denominator"),
        record("2", "denominator"),
        record("3", "numerator"),
    ]
    table = tables.record_table(ratio_goal(records), 25)
    assert list(zip(cells(table, "id"), cells(table, "numerator"), cells(table, "denominator"), strict=True)) == [
        ("1", 1, 1),
        ("2", 0, 1),
        ("3", 1, 0),
    ]


def test_a_record_without_a_value_counts_nothing_it_can_name() -> None:
    """A null contribution is an empty cell, not a zero."""
    facts = ratio_goal([record("1", "actual", None)]).facts | {"aggregate": "sum", "unit": USD.as_json()}
    table = tables.record_table(GoalView(facts), 25)
    assert cells(table, "counts") == [None]


# ---------------------------------------------------------------------------------- deals and actions


def test_deals_are_sorted_by_size_and_unknown_ones_come_last() -> None:
    """Largest first, ties by id; an amount without a rate is left empty."""
    deals = [
        deal("b", "5"),
        deal("a", "5"),
        deal("c", None, plan_amount=None),
        deal("d", "9"),
        deal("e", "1", stage="lost"),
    ]
    table = tables.deal_table(deals, ("won",), USD, 25)
    assert cells(table, "id") == ["d", "a", "b", "c"]
    assert cells(table, "amount") == [9, 5, 5, None]


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"status": "open", "due": "2026-09-03"}, "overdue"),
        ({"status": "open", "due": "2026-09-04"}, "open"),
        ({"status": "in progress", "due": "2026-09-03"}, "overdue"),
        ({"status": "in progress", "due": None}, "in progress"),
        ({"status": "done", "due": "2026-08-01", "closed_on": "2026-08-01"}, "done"),
        ({"status": "done", "due": "2026-08-01", "closed_on": "2026-08-02"}, "done, late"),
        ({"status": "dropped", "due": "2026-08-01"}, "dropped"),
    ],
)
def test_an_action_is_overdue_the_day_after(facts: dict[str, Any], word: str) -> None:
    """Due today is not late; what was done late is said to be."""
    action = {"action": "Call", "side": "joint", "owner": "We", "opened": "2026-Q3", "closed_on": None} | facts
    table = plantables.action_table([action], QUARTER)
    assert table.rows[0][5].word == word
    assert table.rows[0][1] == "both"


def test_missing_exports_are_named_as_such() -> None:
    """An export that was not provided has no day and no number of records."""
    rows = [
        {"about": "Here", "covers_from": "2024-07-01", "as_of": "2026-09-04", "records": 0},
        {"about": "Gone", "covers_from": "2024-07-01", "as_of": None, "records": 0},
    ]
    table = tables.source_table(rows)
    assert [str(cell) for cell in table.rows[0]][1:] == ["2024-07-01", "2026-09-04", "0", "● read"]
    assert table.rows[1][1:4] == (None, None, None)
    assert table.rows[1][4].word == "not provided"


@pytest.mark.parametrize(
    ("since", "holidays", "expected"),
    [(None, [], 48 / 66), ("2026-08-10", [], 20 / 38), (None, ["2026-09-07"], 48 / 65)],
)
def test_even_pace_counts_business_days(since: str | None, holidays: list[str], expected: float) -> None:
    """From the first day or from joining, without week-ends and holidays; the last day reaches the target."""
    facts = ratio_goal([]).facts | {"aggregate": "sum", "unit": {"kind": "count"}, "actual": "0"}
    facts |= {"pace_basis": "even pace over business days", "pace_curve": None}
    facts["target"] = facts["target"] | {"value": "1"}
    frame = tables.pace_frame(GoalView(facts), QUARTER | {"since": since, "holidays": holidays})
    assert frame[frame["day"] == dt.date(2026, 9, 4)]["expected"].iloc[0] == pytest.approx(expected)
    assert frame["expected"].iloc[-1] == 1
    assert frame["expected"].is_monotonic_increasing


def test_nothing_to_show_is_said_in_words(demo_review: Callable[..., Review]) -> None:
    """An empty table has a sentence of its own, in the notebook, on the page and in the terminal."""
    review = demo_review("P-007")
    for table in (review.wins, review.losses, review.open_deals, review.findings):
        if not table.rows:
            assert table.plain() == table.empty
            assert escape(table.empty) in table.html()
            assert table.empty.endswith(".")
    assert Amount(None, USD).text == "not measurable"
