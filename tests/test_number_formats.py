"""The grammar of numbers: what each shape means, and why the others mean nothing."""

from __future__ import annotations

import pytest

from pbr_lib.number_formats import NO_NUMBER, Plan, currency_of, planned


def shown(text: str, decimal: str = ".", **signs: str) -> str:
    """The digits as read, with what stood around them; or the reason."""
    plan = planned("".join("0" if sign in "123456789" else sign for sign in text), decimal, signs)  # type: ignore[arg-type]
    if not isinstance(plan, Plan):
        return plan
    data = text.encode()
    digits = "".join(chr(data[at]) for at in plan.whole) + "".join(["."] + [chr(data[at]) for at in plan.part])
    around = (f"e{plan.power}" if plan.power else "", "%" if plan.percent else "", plan.currency, plan.sign)
    return " ".join(part for part in ("-" * plan.negative + digits.rstrip("."), *around) if part)


@pytest.mark.parametrize(
    ("text", "decimal", "meant"),
    [
        ("5", ".", "5"),
        ("-5.25", ".", "-5.25"),
        (".5", ".", ".5"),
        ("1,234.56", ".", "1234.56"),
        ("1.234,56", ",", "1234.56"),
        ("1 234,56", ",", "1234.56"),
        ("1\u00a0234\u00a0567,8", ",", "1234567.8"),
        ("1\u202f234,5 €", ",", "1234.5 EUR"),
        ("1'234.50", ".", "1234.50"),
        ("CHF 1’234.50", ".", "1234.50 CHF"),
        ("12,34,567.00", ".", "1234567.00"),
        ("1,234", ",", "1.234"),
        ("1,234", ".", "1234"),
        ("1.234", ",", "1234"),
        ("EUR 7,980", ".", "7980 EUR"),
        ("7,980 EUR", ".", "7980 EUR"),
        ("$1,117.10K", ".", "1117.10 e3 $"),
        ("12 k", ".", "12 e3"),
        ("12k€", ".", "12 e3 EUR"),
        ("12 Mio. €", ",", "12 e6 EUR"),
        ("1,5 Tsd. EUR", ",", "1.5 e3 EUR"),
        ("3 bn", ".", "3 e9"),
        ("3 Mrd", ".", "3 e9"),
        ("2m", ".", "2 e6"),
        ("5 MXN", ".", "5 MXN"),
        ("5 kr", ".", "5 kr"),
        ("US$ 5", ".", "5 USD"),
        ("R$ 10", ".", "10 BRL"),
        ("USD $10", ".", NO_NUMBER),
        ("(1.234,56)", ",", "-1234.56"),
        ("($5)", ".", "-5 $"),
        ("$(5)", ".", "-5 $"),
        ("5-", ".", "-5"),
        ("€ -5", ".", "-5 EUR"),
        ("-€5", ".", "-5 EUR"),
        ("\u22125", ".", "-5"),
        ("+5", ".", "5"),
        ("85 %", ".", "85 %"),
        ("-85%", ".", "-85 %"),
    ],
)
def test_numbers(text: str, decimal: str, meant: str) -> None:
    """Currency, sign, grouping, suffix: what people write around digits."""
    assert shown(text, decimal) == meant


@pytest.mark.parametrize(
    ("text", "decimal", "reason"),
    [
        ("", ".", NO_NUMBER),
        ("-", ".", NO_NUMBER),
        ("abc", ".", NO_NUMBER),
        ("5.", ".", "an unknown suffix"),
        ("1,23,4", ".", "digits grouped in no known way"),
        ("1,2345", ".", "digits grouped in no known way"),
        ("1234,567", ".", "digits grouped in no known way"),
        ("1.5", ",", "digits grouped in no known way"),
        ("1.234.567", ".", "digits grouped in no known way"),
        ("1,234 567", ".", "digits grouped in no known way"),
        ("1'234,5", ".", "digits grouped in no known way"),
        ("1.234,567.8", ".", "digits grouped in no known way"),
        ("12 34", ".", "digits grouped in no known way"),
        ("2024-01-31", ".", NO_NUMBER),
        ("12 apples", ".", "an unknown suffix"),
        ("12 T", ".", "an ambiguous suffix"),
        ("12 T€", ".", "an ambiguous suffix"),
        ("5 TEUR", ".", "an ambiguous suffix"),
        ("2 billion", ".", "an ambiguous suffix"),
        ("3 MM", ".", "an ambiguous suffix"),
        ("12 kk", ".", "an unknown suffix"),
        ("XYZ 5", ".", NO_NUMBER),
        ("about 5", ".", NO_NUMBER),
        ("--5", ".", NO_NUMBER),
        ("-(5)", ".", NO_NUMBER),
        ("(5", ".", NO_NUMBER),
        ("5)", ".", NO_NUMBER),
        (")5(", ".", NO_NUMBER),
        ("-5-", ".", NO_NUMBER),
        ("+-5", ".", NO_NUMBER),
        ("USD 5 EUR", ".", "two currencies"),
        ("$5%", ".", NO_NUMBER),
        ("5%%", ".", "an unknown suffix"),
        ("=1+1", ".", NO_NUMBER),
        ("0x10", ".", NO_NUMBER),
        ("1_000", ".", NO_NUMBER),
    ],
)
def test_what_is_no_number(text: str, decimal: str, reason: str) -> None:
    """Nothing is skipped, and no grouping is mended."""
    assert shown(text, decimal) == reason


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("1,5", "1.5"), ("1.5", "1.5"), ("1.234.567", "1234567")],
)
def test_without_a_decimal_sign_only_one_reading_counts(text: str, meant: str) -> None:
    """Both signs, or a group that is none, tell decimals from thousands."""
    assert shown(text, "") == meant
    plan = planned("0,000", "")
    assert isinstance(plan, Plan) and plan.ambiguous


def test_signs_of_the_mapping_win() -> None:
    """A dollar is what the mapping says; else it names no single currency."""
    assert currency_of("$", {}) == "" and currency_of("$", {"$": "CAD"}) == "CAD"
    assert shown("$5", **{"$": "AUD"}) == "5 AUD"
    assert currency_of("XYZ", {}) is None and currency_of("eur", {}) is None and currency_of("EUR", {}) == "EUR"
