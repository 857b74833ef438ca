"""The normalised tables and the small values everything speaks in; apart, because all rooms share them.

Whatever a CRM calls its columns, past the ingest there are only these tables (:data:`TABLES`) and these
nouns: an :class:`Amount` knows its :class:`Unit`, a :class:`Finding` says what is odd about a row.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Literal

__all__ = [
    "CREDIT_TYPES",
    "OPEN_STAGES",
    "STAGE_LABELS",
    "TABLES",
    "Amount",
    "ColumnSpec",
    "Finding",
    "Label",
    "Severity",
    "TableSpec",
    "Unit",
    "date_text",
    "percent_text",
]

Kind = Literal["text", "date", "timestamp", "money", "number", "integer", "bool"]
Severity = Literal["error", "warning", "info"]
UnitKind = Literal["count", "money", "percent", "days", "number"]

CREDIT_TYPES = ("sourced", "influenced", "resold", "delivered")
OPEN_STAGES = ("open_early", "open_mid", "open_late")
STAGE_LABELS = {
    "open_early": "Open, early",
    "open_mid": "Open, middle",
    "open_late": "Open, late",
    "won": "Won",
    "lost": "Lost",
}

_MARKDOWN_SIGNS = str.maketrans({sign: "\\" + sign for sign in "\\`*_{}[]()<>#+-.!|~$&="} | {"\n": " ", "\r": " "})


# ---------------------------------------------------------------------------------------------- tables


@dataclass(frozen=True)
class ColumnSpec:
    """One column of a normalised table: its type, whether a row can live without it, what it means."""

    name: str
    kind: Kind
    doc: str
    required: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSpec:
    """One normalised table: columns, primary key, and whether credit reaches it through attributions."""

    name: str
    doc: str
    key: str
    columns: tuple[ColumnSpec, ...]
    singular: str
    credited: bool = False

    def column(self, name: str) -> ColumnSpec | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(column.name for column in self.columns)


def _text(name: str, doc: str, required: bool = False, values: tuple[str, ...] = ()) -> ColumnSpec:
    return ColumnSpec(name, "text", doc, required, values)


def _date(name: str, doc: str, required: bool = False) -> ColumnSpec:
    return ColumnSpec(name, "date", doc, required)


TABLES: dict[str, TableSpec] = {
    table.name: table
    for table in (
        TableSpec(
            "partners",
            "The partners of the programme: a kind of account of its own, never a tag.",
            "partner_id",
            (
                _text("partner_id", "stable id, the one goals and actions use", True),
                _text("account_id", "the partner's account in the CRM"),
                _text("name", "the partner's name", True),
                _text("partner_type", "reseller, distributor, msp, si, agency, referral, isv, ..."),
                _text("tier", "level in the programme"),
                _text("region", "sales region"),
                _text("status", "prospect, onboarding, active, dormant or ended"),
                _date("joined_on", "first day of the partnership"),
                _date("ended_on", "last day of the partnership"),
                _text("partner_manager", "the owner on our side: a role or a name"),
                _text("primary_contact", "the owner on the partner's side: a role or a name"),
                _text("email", "where the pack goes"),
                _text("domain", "the partner's mail domain"),
            ),
            "partner",
        ),
        TableSpec(
            "accounts",
            "End customers and prospects.",
            "account_id",
            (
                _text("account_id", "stable id", True),
                _text("name", "the account's name", True),
                _text("kind", "customer, prospect, partner or both"),
                _text("industry", "industry"),
                _text("country", "country"),
                ColumnSpec("created_at", "timestamp", "when the account was made"),
            ),
            "account",
        ),
        TableSpec(
            "leads",
            "Leads; credit comes from attributions.",
            "lead_id",
            (
                _text("lead_id", "stable id", True),
                _text("company", "company of the lead"),
                _text("email", "e-mail of the lead"),
                _text("source", "where the lead came from"),
                _text(
                    "status",
                    "state of the lead",
                    values=("new", "working", "accepted", "rejected", "converted", "duplicate"),
                ),
                ColumnSpec("created_at", "timestamp", "when the lead was made", True),
                _date("converted_on", "when it became an opportunity"),
                _text("converted_opportunity_id", "the opportunity that it became"),
                _text("owner", "our owner"),
            ),
            "lead",
            credited=True,
        ),
        TableSpec(
            "opportunities",
            "Opportunities with amount, stage and dates; credit comes from attributions.",
            "opportunity_id",
            (
                _text("opportunity_id", "stable id", True),
                _text("name", "the opportunity's name"),
                _text("account_id", "the customer's account"),
                _text("account_name", "the customer's name"),
                _text("type", "new, expansion or renewal"),
                ColumnSpec("amount", "money", "amount in the record's own currency"),
                _text("currency", "ISO 4217 code of the amount"),
                ColumnSpec("created_at", "timestamp", "when the opportunity was made", True),
                _date("close_date", "expected, later real, closing day"),
                _text("stage", "canonical stage", True, values=tuple(STAGE_LABELS)),
                _text("source_stage", "the stage as the CRM words it"),
                ColumnSpec("is_open", "bool", "neither won nor lost (computed from the stage)"),
                ColumnSpec("is_won", "bool", "won (computed from the stage)"),
                ColumnSpec("is_lost", "bool", "lost (computed from the stage)"),
                _text("loss_reason", "why it was lost"),
                _text("next_step", "what comes next"),
                _text("owner", "our owner"),
            ),
            "opportunity",
            credited=True,
        ),
        TableSpec(
            "attributions",
            "Who is credited for what: one row per record, partner and type of credit.",
            "attribution_id",
            (
                _text("attribution_id", "made from subject, partner and credit", True),
                _text("subject_type", "lead or opportunity", True, values=("lead", "opportunity")),
                _text("subject_id", "the record", True),
                _text("partner_id", "the credited partner", True),
                _text("credit_type", "kind of credit", True, values=CREDIT_TYPES),
                ColumnSpec("share", "number", "part of the credit, 0 to 1, four decimals", True),
                _text("method", "field, junction, registration, campaign or manual"),
            ),
            "attribution",
        ),
        TableSpec(
            "registrations",
            "Deal registrations.",
            "registration_id",
            (
                _text("registration_id", "stable id", True),
                _text("partner_id", "the partner that registered the deal", True),
                _text("opportunity_id", "the opportunity, once there is one"),
                _text("account_name", "the customer"),
                _date("submitted_on", "when the partner asked", True),
                _date("decided_on", "when we answered"),
                _text(
                    "status",
                    "state of the registration",
                    True,
                    values=("submitted", "approved", "rejected", "expired", "withdrawn"),
                ),
                _text("reject_reason", "why it was rejected"),
                _date("expires_on", "until when it protects the deal"),
                ColumnSpec("amount", "money", "estimated amount"),
                _text("currency", "ISO 4217 code of the amount"),
            ),
            "registration",
        ),
        TableSpec(
            "certifications",
            "Credentials that people of a partner hold.",
            "certification_id",
            (
                _text("certification_id", "stable id", True),
                _text("partner_id", "the partner", True),
                _text("person_id", "who holds it", True),
                _text("name", "name of the credential"),
                _text("level", "associate, professional or expert"),
                _date("issued_on", "first valid day", True),
                _date("expires_on", "last valid day"),
            ),
            "certification",
        ),
        TableSpec(
            "surveys",
            "Answers of customers and partners to surveys.",
            "response_id",
            (
                _text("response_id", "stable id", True),
                _text("partner_id", "the partner who served the customer", True),
                _text("kind", "csat, nps or psat"),
                ColumnSpec("score", "number", "the score given", True),
                _date("answered_on", "day of the answer", True),
            ),
            "survey response",
        ),
    )
}


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
        value = None if self.value is None else _plain(self.value)
        return {"value": value, "unit": self.unit.as_json(), "text": self.text}


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


def _plain(value: Decimal) -> str:
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
