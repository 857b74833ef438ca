"""What the rows of one table add up to, to be held against the CRM's own report; apart, because these sums know
nothing of partners, credit or rates: each amount stays in its own currency, to the cent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.periods import Calendar
from pbr_lib.schema import TABLES, TableSpec

__all__ = ["Line", "by", "summed"]

_DAYS = {
    "opportunities": "close_date",
    "leads": "created_at",
    "accounts": "created_at",
    "registrations": "submitted_on",
}
_DAYS |= {"certifications": "issued_on", "surveys": "answered_on", "activities": "at", "campaigns": "start_on"}
_DAYS |= {"mdf_claims": "requested_on", "mdf_allocations": "valid_on", "trainings": "completed_on"}
_DAYS |= {"subscription_movements": "effective_on", "partners": "joined_on"}
_KINDS = {"opportunities": "stage", "leads": "status", "registrations": "status", "partners": "status"}
_KINDS |= {"accounts": "kind", "campaigns": "type", "surveys": "kind", "subscription_movements": "kind"}
_MOST = 24

Line = tuple[str, str, int, Decimal | None]
"""A group, a currency, the number of rows, and the sum of their amounts (None where there is none)."""


def by(table: str, rows: pa.Table, group: pa.ChunkedArray | pa.Array) -> list[Line]:
    """Rows and amounts by group and currency; amounts as exact decimals, in the order of groups and currencies."""
    money = _money(TABLES[table])
    currency = rows["currency"] if money and "currency" in rows.column_names else pa.nulls(len(rows), pa.string())
    keyed = pa.table({"group": pc.fill_null(group, "(none)"), "currency": pc.fill_null(currency, "")})
    amounts = rows[money].cast(pa.decimal128(38, 4)) if money else pa.nulls(len(rows), pa.decimal128(38, 4))
    grouped = keyed.append_column("amount", amounts).group_by(["group", "currency"])
    found = grouped.aggregate([("amount", "sum"), ([], "count_all")]).to_pylist()
    return sorted((str(r["group"]), str(r["currency"]), int(r["count_all"]), r["amount_sum"]) for r in found)


def summed(table: str, rows: pa.Table, calendar: Calendar) -> Iterator[str]:
    """Lines for the terminal: the sums by state, and by quarter."""
    spec = TABLES[table]
    kind, day = _KINDS.get(table), _DAYS.get(table)
    if kind and spec.column(kind):
        yield from _lines(f"by {kind}", by(table, rows, rows[kind]))
    if day and spec.column(day):
        quarters = _quarters(rows[day], calendar)
        yield from _lines(f"by quarter of {day}", by(table, rows, quarters))
        if table == "opportunities":
            won = pc.equal(rows["stage"], "won")
            mask = pc.fill_null(won, False)
            kept = pa.chunked_array([quarters]).filter(mask)
            yield from _lines(f"won, by quarter of {day}", by(table, rows.filter(mask), kept))


def _lines(title: str, found: list[Line]) -> Iterator[str]:
    if not found:
        return
    yield f"  {title}"
    width = max(len(line[0]) for line in found[:_MOST])
    for group, currency, count, amount in found[:_MOST]:
        money = "" if amount is None else f"  {amount:>18,.2f} {currency}".rstrip()
        yield f"    {group:<{width}}  {count:>9,}{money}"
    if len(found) > _MOST:
        yield f"    and {len(found) - _MOST} more"


def _money(spec: TableSpec) -> str:
    wanted = ("amount", "arr_delta", "requested_amount", "actual_cost")
    return next((name for name in wanted if spec.column(name) is not None), "")


def _quarters(days: pa.ChunkedArray, calendar: Calendar) -> pa.Array:
    """The label of the quarter of each day, worked out once for each distinct day."""
    coded = days.cast(pa.date32()).combine_chunks().dictionary_encode()
    labels = [_label(day, calendar) for day in coded.dictionary.to_pylist()]
    return pa.array(labels, pa.string()).take(coded.indices)


def _label(day: Any, calendar: Calendar) -> str | None:
    return calendar.quarter_of(day).label if isinstance(day, dt.date) else None
