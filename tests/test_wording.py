"""A definition in words says what is computed, and nothing else."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from pbr_lib.definitions import Metric, RatioMetric, SimpleMetric, UnitSpec
from pbr_lib.wording import describe

COUNT = UnitSpec(kind="count")


def words(**facts: Any) -> str:
    """The words for a count of opportunities, unless said otherwise."""
    usual: dict[str, Any] = {"label": "Deals", "table": "opportunities", "aggregate": "count", "date": "close_date"}
    return describe(SimpleMetric(**(usual | {"unit": COUNT} | facts)), {})


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ({"is_won": True}, "won"),
        ({"is_won": False}, "not won"),
        ({"is_won": {"is_not": True}}, "not won"),
        ({"type": "new"}, "type is new"),
        ({"type": {"is_not": "new"}}, "type is not new"),
        ({"type": ["new", "renewal"]}, "type one of new, renewal"),
        ({"type": {"not_in": ["new"]}}, "type none of new"),
        ({"loss_reason": {"is_null": True}}, "loss reason is empty"),
        ({"loss_reason": {"is_null": False}}, "loss reason is filled"),
        ({"amount": {"gte": Decimal("1.5")}}, "amount at least 1.5"),
        ({"amount": {"between": [1, 5]}}, "amount from 1 to 5"),
        ({"close_date": {"lt": dt.date(2026, 7, 1)}}, "closing day before 1 Jul 2026"),
        ({"name": {"contains": "x"}}, "name contains x"),
        (
            {"is_won": True, "any_of": [{"type": "new"}, {"type": "renewal"}]},
            "won and (type is new or type is renewal)",
        ),
        ({"any_of": [{"is_won": True, "type": "new"}, {"is_lost": True}]}, "(won and type is new) or lost"),
        ({"not": {"is_won": True, "type": "new"}}, "not (won and type is new)"),
    ],
)
def test_filters_read_as_they_compute(where: dict[str, Any], text: str) -> None:
    """Every operator has words, and brackets stand where they matter."""
    expected = f"Number of opportunities where {text}, with any credit to the partner, by closing day."
    assert words(where=where) == expected


def test_credit_money_and_levels_are_named() -> None:
    """Whose credit, at which rates, shared or not, and at which day a level is read."""
    money = {"aggregate": "sum", "of": "amount", "unit": UnitSpec(kind="money", currency="USD")}
    assert words(**money, credit="split", credit_type=("sourced",)) == (
        "Sum of amount over opportunities, credited to the partner as sourced, by closing day, in USD at plan rates, "
        "shared where several partners are credited."
    )
    assert "credited to the partner as sourced," in words(**money, credit="sourced_only")
    level = {"table": "certifications", "nature": "level", "valid_from": "issued_on", "valid_to": "expires_on"}
    assert words(**level, aggregate="count_distinct", of="person_id", min_n=3) == (
        "Different people in certifications, valid on the day (day of issue to day of expiry). "
        "At least 3 records, else not measurable."
    )


@pytest.mark.parametrize("aggregate", ["average", "median", "min", "max", "latest"])
def test_every_aggregate_has_a_word(aggregate: str) -> None:
    """No name of an aggregate shows as it stands in the file."""
    text = words(table="surveys", aggregate=aggregate, of="score", date="answered_on", unit=UnitSpec(kind="number"))
    assert text.split()[0] in ("Mean", "Median", "Smallest", "Largest", "Latest")
    assert text.endswith("by day of the answer.")


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"trailing_quarters": 4}, "by closing day over the 4 quarters that end with this one."),
        ({"shift_quarters": 1, "snapshot": True},
         "by closing day in the next quarter, as things stand on the as-of day."),
        ({"shift_quarters": 2}, "by closing day 2 quarters later."),
        ({"existing_since": "created_at"}, "only where the day of creation lies before that time."),
        ({"scope": "programme"}, "Number of opportunities, by closing day, over the whole programme."),
        ({"credit_method": ["campaign"]}, "with any credit to the partner by campaign,"),
        ({"credit_status": ["confirmed", "claimed"], "late": True}, "(confirmed or claimed) even if claimed late,"),
        ({"maturity_days": 60}, "Settled 60 days after the quarter's end, until then marked as immature."),
        ({"nature": "level", "valid_from": "created_at", "read_at": "start"},
         "valid before the quarter (day of creation)."),
        ({"nature": "level", "valid_from": "created_at", "read_at": "start", "trailing_quarters": 4},
         "valid before the 4 quarters that end with this one (day of creation)."),
    ],
)  # fmt: skip
def test_windows_and_credit_have_words(facts: dict[str, Any], text: str) -> None:
    """Every key that changes the number changes the sentence."""
    assert text in words(**facts)


def test_a_sum_above_the_line_shows_its_signs() -> None:
    """Several parts are told one by one, after the formula."""
    parts: dict[str, Metric] = {
        name: SimpleMetric(label=name.title(), table="opportunities", aggregate="count", date="close_date", unit=COUNT)
        for name in ("won", "lost", "open")
    }
    rate = RatioMetric(type="ratio", label="r", numerator=["won", "-lost"], denominator=["won", "open"], unit=COUNT,
                       scale=100)  # fmt: skip
    text = describe(rate, parts)
    assert text.startswith("(Won − lost) ÷ (won + open) × 100. Won: Number of opportunities, with any credit")
    assert text.count("Number of opportunities") == 3


def test_a_rate_says_what_stands_above_and_below() -> None:
    """Numerator and denominator each have their own words, since their filters differ."""
    parts: dict[str, Metric] = {
        name: SimpleMetric(label=name.title(), table="opportunities", aggregate="count", date="close_date", unit=COUNT,
                           where={f"is_{name}": True})
        for name in ("won", "lost")
    }  # fmt: skip
    rate = RatioMetric(type="ratio", label="r", numerator="won", denominator="lost", min_n=5, unit=COUNT)
    text = describe(rate, parts)
    assert text.startswith("Won ÷ lost. Above: Number of opportunities where won, ")
    assert "Below: Number of opportunities where lost, " in text
    assert text.endswith("At least 5 records, else not measurable.")
