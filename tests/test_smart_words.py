"""Placeholders, vague names, numbers and currencies in names, in five languages."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.smart.words import foreign_money, hidden_numbers, is_placeholder, vague


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "?",
        "-",
        "TBD",
        "tbd.",
        "N/A",
        "n.a.",
        "nobody",
        "to be decided",
        "Noch offen",
        "unbekannt",
        "À définir",
        "aucun",
        "Por definir",
        "ninguno",
        "未定",
        "担当者未定",
        "ＴＢＤ",
        "…",
    ],
)
def test_placeholders_name_nobody(text: str) -> None:
    """Whatever stands for an owner who is not there."""
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text", ["Channel manager", "A. Ono", "田中", "Vertrieb Nord", "Nan", "Open Systems lead", "Ida"]
)
def test_people_and_roles_are_no_placeholders(text: str) -> None:
    """A person and a role are both fine."""
    assert not is_placeholder(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Improve the pipeline", "improve"),
        ("Do your best", "do your best"),
        ("So viele Leads wie möglich", ""),
        ("Umsatz steigern", "steigern"),
        ("Améliorer les ventes", "améliorer"),
        ("Mejorar las ventas", "mejorar"),
        ("売上を向上させる", "向上"),
        ("Keep satisfaction at {target} or better", ""),
        ("Create 5 more leads", ""),
        ("New partner leads", ""),
        ("Growers who signed", ""),
    ],
)
def test_vague_names(text: str, word: str) -> None:
    """A wish without a number is vague; with one it says how much."""
    assert vague(text) == word


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Create 5 leads", {5}),
        ("Create five new partnership leads", {5}),
        ("Fünf neue Leads", {5}),
        ("Cinco oportunidades", {5}),
        ("新規リード５件", {5}),
        ("新規リード五件", {5}),
        ("Win $10,000", {10000, 10}),
        ("Win 10.000 €", {10000, 10}),
        ("Win 10 000 €", {10000}),
        ("Win $10k", {10000}),
        ("Win 1.5 million", {1500000}),
        ("Win 30 % of deals", {30, Decimal("0.3")}),
        ("Keep 12-month retention", set()),
        ("Close within 30 days", set()),
        ("FY26-Q3 leads of 2026", set()),
        ("Sell M365 to 3-tier shops", set()),
        ("A two-tier distribution", set()),
        ("Call once a week", set()),
        ("Create {target} leads", set()),
    ],
)
def test_numbers_in_names(text: str, meant: set[Decimal]) -> None:
    """Each number in every reading that it may have; parts of words, years and spans of time are none."""
    found = {reading for _, readings in hidden_numbers(text) for reading in readings}
    assert {Decimal(each) for each in meant} <= found
    assert bool(found) == bool(meant)


def test_days_are_numbers_where_days_are_counted() -> None:
    """What the metric counts is no span of time."""
    assert hidden_numbers("Decide within 2 working days") == ()
    assert hidden_numbers("Decide within 2 working days", days=True) == (("2", (Decimal(2),)),)


@pytest.mark.parametrize(
    ("text", "currency", "sign"),
    [
        ("Win {target} €", "USD", "€"),
        ("Win EUR {target}", "USD", "EUR"),
        ("Win ${target}", "CAD", ""),
        ("Win ${target}", "EUR", "$"),
        ("¥{target}", "JPY", ""),
        ("Create {target} leads", "", ""),
        ("$ of leads", "", "$"),
    ],
)
def test_foreign_money(text: str, currency: str, sign: str) -> None:
    """A sign that several countries share belongs to each of them."""
    assert foreign_money(text, currency) == sign


@given(st.text(max_size=60))
def test_any_text_is_only_read(text: str) -> None:
    """No text, whatever it holds, raises or is taken for more than text."""
    is_placeholder(text)
    vague(text)
    foreign_money(text, "USD")
    for _, readings in hidden_numbers(text):
        assert all(reading.is_finite() for reading in readings)


@given(st.integers(0, 10**7))
def test_a_number_is_found_as_it_is_written(number: int) -> None:
    """With and without separators, a number means itself."""
    for written in (f"{number:,}", f"{number:,}".replace(",", ".")):
        found = {reading for _, readings in hidden_numbers(f"Reach {written} leads") for reading in readings}
        assert Decimal(number) in found or 1900 <= number <= 2099
