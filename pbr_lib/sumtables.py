"""The tables of a reconciliation: what was won, by credit, to be held against the CRM's own report; apart, because
here money must add up on the page as it does in the books.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from pbr_lib.blocks import Cell, Column, Status, Table
from pbr_lib.checktables import ADDS_UP, OFF
from pbr_lib.model import Amount, Unit, count_of, minor_digits
from pbr_lib.shares import allocate

if TYPE_CHECKING:
    from pbr_lib.reconciliation import QuarterSums, Reconciliation, Sums

__all__ = ["apart_table", "currency_table", "quarter_table", "way_table"]

_COUNT = Unit("count")
_CREDITS = {"sourced": "Sourced", "influenced": "Influenced", "resold": "Resold"}
_INCOMPLETE = Status("incomplete", "◆", "warn")
_SHOWN = 60


def quarter_table(found: Reconciliation) -> Table:
    """One row a quarter, newest first, in the reporting currency; on the page the parts add up to the cent."""
    apart = any(one.total.unconverted for one in found.quarters)
    columns = (
        Column("quarter", "Quarter"),
        Column("deals", "Won deals", "amount"),
        Column("total", "Won in all", "amount"),
        Column("sourced", "Sourced", "amount"),
        Column("influenced_only", "Influenced only", "amount"),
        Column("unattributed", "Unattributed", "amount"),
        Column("state", "Account", "status"),
        Column("resold", "Of it resold", "amount"),
        Column("unconverted", "Not in the sums", "amount", sheet_only=not apart),
        Column("sourced_deals", "Sourced deals", "amount", sheet_only=True),
        Column("influenced_only_deals", "Influenced deals", "amount", sheet_only=True),
        Column("unattributed_deals", "Unattributed deals", "amount", sheet_only=True),
        Column("resold_deals", "Resold deals", "amount", sheet_only=True),
    )
    caption = "Won in all = sourced + influenced only + unattributed, each deal once, at plan rates. "
    caption += "Resold cuts across the other credits and is never added to them."
    rows = tuple(_quarter(one, found.currency) for one in reversed(found.quarters))
    title = f"Won by quarter, in {found.currency}"
    return Table("Won by quarter", columns, rows, title, caption, "No quarter is asked for.", _SHOWN)


def _quarter(one: QuarterSums, currency: str) -> tuple[Cell, ...]:
    parts = (one.sourced, one.influenced_only, one.unattributed)
    unit = _money(currency)
    total, *shown = _footing(one.total.reporting, [part.reporting for part in parts], unit)
    return (
        one.quarter,
        count_of(one.total.deals),
        total,
        *shown,
        OFF if not _adds_up(one.total, parts) else _INCOMPLETE if one.total.unconverted else ADDS_UP,
        Amount(one.resold.reporting, unit),
        count_of(one.total.unconverted),
        *(count_of(part.deals) for part in parts),
        count_of(one.resold.deals),
    )


def _adds_up(total: Sums, parts: Sequence[Sums]) -> bool:
    """Whether deals and amounts of the parts are those of the whole, in every currency, before any rounding."""
    first, *others = parts
    whole = sum(others, first)
    return (whole.deals, whole.amounts, whole.reporting) == (total.deals, dict(total.amounts), total.reporting)


def _footing(total: Decimal, parts: Sequence[Decimal], unit: Unit) -> list[Amount]:
    """The total and its parts, rounded so that the printed parts add up to the printed total."""
    if any(parts) and not any(part < 0 for part in parts):
        rounded = allocate(total, parts, unit.decimals or 0)
        return [Amount(sum(rounded, Decimal(0)), unit), *(Amount(part, unit) for part in rounded)]
    return [Amount(total, unit), *(Amount(part, unit) for part in parts)]


def currency_table(found: Reconciliation) -> Table:
    """One row a quarter and currency, the newest quarter first: the exact amounts that stand in the CRM."""
    columns = (
        Column("quarter", "Quarter"),
        Column("currency", "Currency"),
        Column("total", "Won in all", "amount"),
        Column("sourced", "Sourced", "amount"),
        Column("influenced_only", "Influenced only", "amount"),
        Column("unattributed", "Unattributed", "amount"),
        Column("resold", "Of it resold", "amount"),
    )
    rows = tuple(row for one in reversed(found.quarters) for row in _currencies(one))
    caption = "Amounts as they stand in the CRM, in the currency of each deal and without any conversion."
    title = "Won in the deals' currencies"
    return Table("Won by currency", columns, rows, title, caption, "No deal was won.", _SHOWN)


def _currencies(one: QuarterSums) -> Iterator[tuple[Cell, ...]]:
    parts = (one.total, one.sourced, one.influenced_only, one.unattributed, one.resold)
    for currency in sorted(one.total.amounts):
        unit = _money(currency)
        amounts = (Amount(part.amounts.get(currency, Decimal(0)), unit) for part in parts)
        yield (one.quarter, currency or "none", *amounts)


def way_table(found: Reconciliation, quarter: str) -> Table:
    """One row a credit: why the sum over partners is more than what was won, and where it is not."""
    columns = (
        Column("credit", "Credit"),
        Column("deals", "Won deals", "amount"),
        Column("distinct", "Each deal once", "amount"),
        Column("split", "Shares of all partners", "amount"),
        Column("gross", "Full amounts of all partners", "amount"),
        Column("partners", "Partners", "amount"),
    )
    unit = _money(found.currency)
    rows = tuple(
        (
            label,
            count_of(one.credits[name].distinct.deals),
            Amount(one.credits[name].distinct.reporting, unit),
            Amount(one.credits[name].split.reporting, unit),
            Amount(one.credits[name].gross.reporting, unit),
            count_of(len(one.credits[name].by_partner)),
        )
        for one in found.quarters
        if one.quarter == quarter
        for name, label in _CREDITS.items()
    )
    caption = "A deal with two partners counts twice where full amounts are added up: such a sum is never what was won."
    title = f"Three ways to sum {quarter}"
    return Table("Three ways to sum", columns, rows, title, caption, "The quarter is not in the data.")


def apart_table(found: Reconciliation) -> Table:
    """The won deals that could not be summed, by id."""
    columns = (
        Column("opportunity_id", "Record"),
        Column("amount", "Amount", "amount"),
        Column("close_date", "Closed", "date"),
        Column("why", "Why it is in no sum", width=2),
        Column("currency", "Currency", sheet_only=True),
    )
    rows = tuple(
        (
            one.opportunity_id,
            None if one.amount is None else Amount(one.amount, _money(one.currency)),
            one.close_date,
            one.why,
            one.currency,
        )
        for one in found.apart
    )
    empty = "Every won deal is in the sums."
    return Table("Not in the sums", columns, rows, "Won deals that are in no sum", empty=empty, print_rows=_SHOWN)


def _money(currency: str) -> Unit:
    """Money to its smallest coin, since a reconciliation is not rounded; a plain number where no currency is known."""
    return Unit("money", currency, minor_digits(currency)) if currency else Unit("number", decimals=2)
