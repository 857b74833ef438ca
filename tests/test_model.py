"""Amounts as people write them, labels that stay text, and tables that fit together."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import mistune
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.model import Amount, Finding, Label, Unit, date_text, percent_text, rounded
from pbr_lib.schema import OPEN_STAGES, STAGE_LABELS, TABLES

USD = Unit("money", "USD")
DECIMALS = st.decimals(-(10**12), 10**12, allow_nan=False, places=6)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("3", Unit(), "3"),
        ("1234567", Unit(), "1,234,567"),
        ("2.5", Unit(), "3"),
        ("-2.5", Unit(), "-3"),
        ("24.785", USD, "$24.79"),
        ("24.784999", USD, "$24.78"),
        ("24", USD, "$24"),
        ("170000", USD, "$170,000"),
        ("1000.5", USD, "$1,001"),
        ("-1250.5", USD, "-$1,251"),
        ("-0.5", USD, "-$0.50"),
        ("1234.5", Unit("money", "EUR"), "€1,235"),
        ("12.5", Unit("money", "GBP"), "£12.50"),
        ("1234", Unit("money", "JPY"), "¥1,234"),
        ("123.4", Unit("money", "JPY"), "¥123"),
        ("1.2345", Unit("money", "KWD"), "KWD 1.235"),
        ("12.5", Unit("money", "SEK"), "SEK 12.50"),
        ("12.345", Unit("money", "USD", 1), "$12.3"),
        ("0.6", Unit("percent"), "60 %"),
        ("0.125", Unit("percent"), "13 %"),
        ("0.8449", Unit("percent", decimals=1), "84.5 %"),
        ("12.34", Unit("percent"), "1,234 %"),
        ("45", Unit("days"), "45 days"),
        ("4.45", Unit("number"), "4.5"),
        ("4.4", Unit("number", decimals=0), "4"),
    ],
)
def test_amounts_as_people_write_them(value: str, unit: Unit, text: str) -> None:
    """An amount prints with its unit, rounded once and half-up."""
    amount = Amount(Decimal(value), unit)
    assert amount.text == str(amount) == f"{amount}" == text
    assert amount.as_json()["text"] == text


def test_unknown_is_said_and_never_zero() -> None:
    """What was not measured says so, whatever its unit and whatever format is asked for."""
    for unit in (Unit(), USD, Unit("percent")):
        amount = Amount(None, unit)
        assert not amount.known
        assert f"{amount}" == f"{amount:,.2f}" == "not measurable"
        assert amount.as_json()["value"] is None


def test_a_format_reaches_the_number() -> None:
    """Who asks for a format gets the number alone."""
    assert f"{Amount(Decimal('1234.5'), USD):,.2f}" == "1,234.50"


@given(DECIMALS, st.integers(0, 6))
def test_rounding_is_half_up_and_near(value: Decimal, decimals: int) -> None:
    """A rounded number is never further away than half a step, and a half always moves away from zero."""
    out = rounded(value, decimals)
    step = Decimal(1).scaleb(-decimals)
    assert abs(out - value) <= step / 2
    assert out % step == 0
    if abs(out - value) == step / 2:
        assert abs(out) > abs(value)


@given(DECIMALS)
def test_json_keeps_every_digit(value: Decimal) -> None:
    """The number travels as text and comes back exactly."""
    assert Decimal(Amount(value, USD).as_json()["value"]) == value


@given(st.sampled_from(["count", "money", "percent"]), st.sampled_from(["", "USD"]), st.none() | st.integers(0, 6))
def test_a_unit_survives_json(kind: str, currency: str, decimals: int | None) -> None:
    """A unit written to JSON is read as the same unit."""
    unit = Unit(kind, currency, decimals)  # type: ignore[arg-type]
    assert Unit.from_json(unit.as_json()) == unit


def test_dates_and_shares_read_the_same_everywhere() -> None:
    """Dates have English months and no leading zero, shares a space before the sign."""
    assert date_text(dt.date(2026, 9, 4)) == "4 Sep 2026"
    assert date_text(dt.date(2026, 9, 4), year=False) == "4 Sep"
    assert percent_text(Decimal("0.333"), 1) == "33.3 %"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30))
def test_a_label_in_markdown_is_read_as_itself(text: str) -> None:
    """Whatever a CRM calls a partner, an f-string of Markdown shows just that and nothing it could mean."""
    tree = mistune.create_markdown(renderer=None)(f"x{Label(text)}x")
    assert [node["type"] for node in tree] == ["paragraph"]  # type: ignore[index,union-attr]
    shown = "".join(child["raw"] for child in tree[0]["children"])  # type: ignore[index,union-attr,call-overload]
    assert shown == f"x{text}x"


def test_a_label_is_its_text_elsewhere() -> None:
    """A label compares and prints like the text it is; only formatting escapes."""
    label = Label("A *b* [c](d)")
    assert label == "A *b* [c](d)"
    assert f"{label}" == "A \\*b\\* \\[c\\]\\(d\\)"
    assert f"{label:>30}".endswith("\\(d\\)")
    assert f"{Label('two' + chr(10) + '# lines')}" == "two \\# lines"


def test_the_tables_fit_together() -> None:
    """Keys exist and are required, names are unique, and what is credited has a word of its own."""
    assert len({table.singular for table in TABLES.values()}) == len(TABLES)
    for name, table in TABLES.items():
        assert table.name == name
        key = table.column(table.key)
        assert key is not None
        assert key.required
        assert len(set(table.names)) == len(table.names)
        assert all(column.doc for column in table.columns)
    assert TABLES["partners"].column("nonsense") is None
    assert set(OPEN_STAGES) < set(STAGE_LABELS)


def test_a_finding_says_where() -> None:
    """File, row and column are joined as far as they are known."""
    assert Finding("error", "w", "a.csv", 3, "Amount").where == "a.csv, row 3, Amount"
    assert Finding("error", "w", "a.csv").where == "a.csv"
    assert Finding("error", "w").where == ""
