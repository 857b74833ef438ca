"""The records behind a number as plain rows, with the columns that make them recognisable; apart, because a
programme has millions of them and only whole columns are fast enough.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.model import plain_digits
from pbr_lib.schema import TABLES

__all__ = ["fields", "listed", "plain", "plain_column"]

_FIELDS = {
    "leads": ("company", "source", "status"),
    "opportunities": ("name", "account_name", "source_stage", "amount", "currency"),
    "registrations": ("account_name", "status"),
    "certifications": ("person_id", "name", "level", "expires_on"),
    "surveys": ("kind", "score"),
    "partners": ("name",),
    "campaign_partners": ("name",),
    "trainings": ("person_id", "name"),
    "mdf_allocations": ("amount", "currency"),
    "mdf_claims": ("status",),
    "subscription_movements": ("kind", "amount", "currency"),
    "activities": ("kind",),
    "actions": ("name", "status"),
    "targets": ("name", "amount", "currency"),
    "manual_facts": ("name",),
}
# What a list shows under a name that the table calls otherwise.
_CALLED = {
    ("trainings", "name"): "course",
    ("subscription_movements", "amount"): "arr_delta",
    ("actions", "name"): "action",
    ("targets", "name"): "goal",
    ("manual_facts", "name"): "fact",
}


def fields(table: str) -> tuple[str, ...]:
    """The columns that a list of records of a table shows."""
    return _FIELDS.get(table, ())


def listed(hits: pa.Table, tables: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    """One dictionary of plain JSON values for each hit (see ``Measurement.records``), in their order.

    Keys: what the tables of the hits show, then id, role, day and counts. Where the hits come from several tables,
    every row has the keys of all of them, and an id names its table, since two tables may use the same.
    """
    names = sorted(pc.unique(hits["table"]).to_pylist())
    keys = list(dict.fromkeys(key for name in names for key in fields(name)))
    columns: dict[str, list[Any]] = {key: [None] * len(hits) for key in keys}
    ids = hits["record_id"].to_pylist()
    for name in names:
        rows = range(len(hits)) if len(names) == 1 else _rows(hits, name)
        at = pc.index_in(hits["record_id"].take(pa.array(rows)), tables[name][TABLES[name].key].combine_chunks())
        for key in fields(name):
            found = plain_column(tables[name][_CALLED.get((name, key), key)].take(at))
            for row, value in zip(rows, found, strict=True):
                columns[key][row] = value
        if len(names) > 1:
            for row in rows:
                ids[row] = f"{TABLES[name].singular} {ids[row]}"
    columns |= {"id": ids, "role": hits["role"].to_pylist()}
    columns |= {"day": plain_column(hits["day"]), "counts": plain_column(hits["counts"])}
    order = list(columns)
    return [dict(zip(order, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _rows(hits: pa.Table, table: str) -> list[int]:
    return [int(row) for row in pc.indices_nonzero(pc.equal(hits["table"], table)).to_pylist()]


def plain_column(column: pa.ChunkedArray) -> list[Any]:
    """A column as JSON holds it: Decimal and date as text without needless noughts, what is missing as None."""
    if pa.types.is_decimal(column.type):
        return _digits(column)
    if pa.types.is_date(column.type):
        return list(column.cast(pa.string()).to_pylist())
    if pa.types.is_timestamp(column.type):
        return [None if value is None else value.isoformat() for value in column.to_pylist()]
    return list(column.to_pylist())


def _digits(column: pa.ChunkedArray) -> list[Any]:
    text = column.cast(pa.string())
    out = list((pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".") if column.type.scale > 0 else text).to_pylist())
    for row in pc.indices_nonzero(pc.match_substring(text, "E").fill_null(False)).to_pylist():
        # Arrow writes what is very small with an exponent, nought among it.
        number = format(Decimal(text[row].as_py()), "f")
        out[row] = number.rstrip("0").rstrip(".")
    return out


def plain(value: Any) -> Any:
    """A value as JSON holds it: Decimal and date as text, what is missing as null."""
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, Decimal):
        return plain_digits(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
