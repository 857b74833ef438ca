"""Filters over the labels of an export, evaluated on text; apart, because past the ingest filters compile to Ibis,
and here there are only cells.

The same grammar and the same two-valued logic: a comparison with an empty cell is false, and a negation is the
exact complement.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.definitions import AllOf, AnyOf, Compare, Filter, Not

__all__ = ["fitting"]


def fitting(node: Filter, columns: Mapping[str, pa.StringArray], rows: int) -> pa.BooleanArray:
    """Which rows a filter lets through.

    Parameters
    ----------
    node:
        Its columns are labels of the export.
    columns:
        Cleaned text by label, null where a cell is empty.
    rows:
        How many there are, for a filter that names no column.
    """
    if isinstance(node, AllOf):
        every = pa.array([True] * rows) if not node.items else None
        return every if every is not None else functools.reduce(pc.and_, _each(node.items, columns, rows))
    if isinstance(node, AnyOf):
        return functools.reduce(pc.or_, _each(node.items, columns, rows))
    if isinstance(node, Not):
        return pc.invert(fitting(node.item, columns, rows))
    return _leaf(node, columns[node.column])


def _each(items: tuple[Filter, ...], columns: Mapping[str, pa.StringArray], rows: int) -> list[pa.BooleanArray]:
    return [fitting(item, columns, rows) for item in items]


def _leaf(node: Compare, text: pa.StringArray) -> pa.BooleanArray:
    if node.op == "is_null":
        return pc.is_null(text) if node.value else pc.is_valid(text)
    if node.op in ("is_not", "not_in"):
        return pc.invert(_leaf(Compare(node.column, "is" if node.op == "is_not" else "in", node.value), text))
    values = node.value if isinstance(node.value, tuple) else (node.value,)
    if node.op in ("is", "in"):
        return pc.is_in(text, pa.array([_written(value) for value in values], pa.string()))
    if node.op == "starts_with":
        return pc.fill_null(pc.starts_with(text, str(node.value)), False)
    if node.op == "contains":
        return pc.fill_null(pc.match_substring(text, str(node.value)), False)
    return _ordered(node, text)


def _ordered(node: Compare, text: pa.StringArray) -> pa.BooleanArray:
    """Greater and less, of numbers as numbers and of days as ISO text; what is neither is false."""
    values = node.value if isinstance(node.value, tuple) else (node.value,)
    if all(isinstance(value, int | Decimal) for value in values):
        plain = pc.if_else(pc.match_substring_regex(text, r"^-?\d{1,14}(\.\d{1,6})?$"), text, None)
        cells: Any = plain.cast(pa.decimal128(28, 6))
        bounds = [pa.scalar(Decimal(value), pa.decimal128(28, 6)) for value in values]
    else:
        cells, bounds = text, [pa.scalar(_written(value)) for value in values]
    compare = {"gt": pc.greater, "gte": pc.greater_equal, "lt": pc.less, "lte": pc.less_equal}
    if node.op == "between":
        within = pc.and_(pc.greater_equal(cells, bounds[0]), pc.less_equal(cells, bounds[1]))
        return pc.fill_null(within, False)
    return pc.fill_null(compare[node.op](cells, bounds[0]), False)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
