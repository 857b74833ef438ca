"""The small values that everything speaks in; apart, because all rooms share them.

An :class:`Amount` knows its :class:`Unit`, a :class:`Finding` says what is odd about a row.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Literal

__all__ = [
    "Amount",
    "Finding",
    "Label",
    "Severity",
    "Unit",
    "count_of",
    "date_text",
    "named",
    "percent_text",
    "plain_digits",
]

Severity = Literal["error", "warning", "info"]
UnitKind = Literal["count", "money", "percent", "days", "number"]

_MARKDOWN_SIGNS = str.maketrans({sign: "\\" + sign for sign in "\\`*_{}[]()<>#+-.!|~$&="} | {"\n": " ", "\r": " "})


# ---------------------------------------------------------------------------------------------- values


@dataclass(frozen=True)
class Unit:
    """What a number counts: ``kind``, the ISO ``currency`` of money, and how many ``decimals`` to show."""

    kind: UnitKind = "count"
    currency: str = ""
    decimals: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The unit as plain JSON values; what is not set is left out."""
        out: dict[str, Any] = {"kind": self.kind}
        if self.currency:
            out["currency"] = self.currency
        if self.decimals is not None:
            out["decimals"] = self.decimals
        return out

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Unit:
        """The unit that :meth:`as_json` wrote."""
        return cls(value.get("kind", "count"), value.get("currency", ""), value.get("decimals"))


@dataclass(frozen=True)
class Amount:
    """A number that knows its unit: ``f"{Amount(Decimal(3))}"`` is ``3``, of money ``$170,000``.

    ``value`` is a Decimal, a share for percentages (0.6 is 60 %), or None for *not measurable*.
    The text is rounded once, half-up, at this edge and nowhere before.
    """

    value: Decimal | None
    unit: Unit = Unit()

    def __str__(self) -> str:
        return self.text

    def __format__(self, spec: str) -> str:
        if not spec or self.value is None:
            return self.text
        return format(self.value, spec)

    @property
    def known(self) -> bool:
        """Whether there is a number at all."""
        return self.value is not None

    @property
    def decimals(self) -> int:
        """Decimals shown: the unit's own, else whole money from 1,000 on, else what the kind asks for."""
        if self.unit.decimals is not None:
            return self.unit.decimals
        if self.unit.kind == "money":
            value = self.value or Decimal(0)
            whole = value == value.to_integral_value() or abs(value) >= 1000
            return 0 if whole else minor_digits(self.unit.currency)
        return 1 if self.unit.kind == "number" else 0

    @property
    def text(self) -> str:
        """The number as people write it; ``not measurable`` when there is none."""
        if self.value is None:
            return "not measurable"
        if self.unit.kind == "percent":
            return percent_text(self.value, self.decimals)
        number = rounded(self.value, self.decimals)
        if self.unit.kind == "money":
            return _money_text(number, self.unit.currency, self.decimals)
        text = f"{number:,.{self.decimals}f}"
        return f"{text} days" if self.unit.kind == "days" else text

    def as_json(self) -> dict[str, Any]:
        """Value (as text, so that no float comes near money), unit and printed text."""
        value = None if self.value is None else plain_digits(self.value)
        return {"value": value, "unit": self.unit.as_json(), "text": self.text}


def count_of(number: int) -> Amount:
    """A whole number as an amount: ``1,200``."""
    return Amount(Decimal(number))


def named(number: int, noun: str) -> str:
    """A number with what it counts: ``1 partner``, ``1,200 partners``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Label(str):
    """Text from a CRM that is safe inside Markdown: an f-string escapes its signs, so a name stays a name."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return format(str(self).translate(_MARKDOWN_SIGNS), spec)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """``value`` rounded half-up to ``decimals``: 24.785 becomes 24.79 (goals.md, T43)."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def percent_text(share: Decimal, decimals: int = 0) -> str:
    """A share as percentage: 0.6 is ``60 %``."""
    return f"{rounded(share * 100, decimals):,.{decimals}f} %"


def date_text(day: dt.date, year: bool = True) -> str:
    """A date as ``4 Sep 2026``, the same in every time zone and on every machine."""
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[day.month - 1]
    return f"{day.day} {month} {day.year}" if year else f"{day.day} {month}"


@lru_cache(maxsize=64)
def minor_digits(currency: str) -> int:
    """Digits after the point of a currency's smallest coin: USD 2, JPY 0, KWD 3 (CLDR, for display only)."""
    from babel.numbers import get_currency_precision

    return int(get_currency_precision(currency))


def _money_text(number: Decimal, currency: str, decimals: int) -> str:
    sign = "-" if number < 0 else ""
    symbol = _symbol(currency)
    space = " " if symbol[-1:].isalpha() else ""
    return f"{sign}{symbol}{space}{abs(number):,.{decimals}f}"


@lru_cache(maxsize=64)
def _symbol(currency: str) -> str:
    from babel.numbers import get_currency_symbol

    return str(get_currency_symbol(currency, locale="en_US")) or currency


def plain_digits(value: Decimal) -> str:
    """A number without an exponent and without noughts behind the last digit that tells: ``1200``, ``0.85``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# -------------------------------------------------------------------------------------------- findings


@dataclass(frozen=True, order=True)
class Finding:
    """Something odd in the data or the params that did not stop the run, or one of the errors that did.

    ``count`` stands for that many rows alike; ``row`` and ``value`` show the first of them.
    ``partner_id`` is set when a finding concerns one partner only, and nobody else may see it.
    """

    severity: Severity
    what: str
    file: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    fix: str = ""
    count: int = 1
    partner_id: str = ""
    rule: str = ""

    @property
    def where(self) -> str:
        """File, row and column in words."""
        parts = [self.file, f"row {self.row}" if self.row is not None else "", self.column]
        return ", ".join(part for part in parts if part)
