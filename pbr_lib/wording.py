"""A definition in words, made from what is computed and so never at odds with it; apart, because measuring
and wording change for different reasons.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pbr_lib.definitions import AllOf, AnyOf, Filter, Metric, Not, RatioMetric
from pbr_lib.model import date_text
from pbr_lib.schema import TABLES

__all__ = ["describe"]


def describe(metric: Metric, metrics: Mapping[str, Metric]) -> str:
    """The definition in words, made from what is computed and so never at odds with it."""
    if isinstance(metric, RatioMetric):
        top, bottom = metrics[metric.numerator], metrics[metric.denominator]
        both = f"Above: {describe(top, metrics)} Below: {describe(bottom, metrics)}"
        return f"{top.label} ÷ {bottom.label.lower()}. {both}{_least(metric)}"
    own = metric.of == TABLES[metric.table].key
    what = {
        "count": f"Number of {metric.table}",
        "count_distinct": f"Number of {metric.table}" if own else f"Different {_plural(metric.of)} in {metric.table}",
        "sum": f"Sum of {_words(metric.of)} over {metric.table}",
        "average": f"Mean {_words(metric.of)} over {metric.table}",
        "min": f"Smallest {_words(metric.of)} in {metric.table}",
        "max": f"Largest {_words(metric.of)} in {metric.table}",
        "latest": f"Latest {_words(metric.of)} in {metric.table}",
    }[metric.aggregate]
    where = _filter_words(metric.where)
    parts = [what + (f" where {where}" if where else "")]
    if metric.credits:
        parts.append(f"credited to the partner as {' or '.join(metric.credits)}")
    elif TABLES[metric.table].credited:
        parts.append("with any credit to the partner")
    if metric.nature == "level":
        until = f" to {_words(metric.valid_to)}" if metric.valid_to else ""
        parts.append(f"valid on the day ({_words(metric.valid_from)}{until})")
    else:
        parts.append(f"by {_words(metric.date)}")
    if metric.unit.kind == "money":
        parts.append(f"in {metric.unit.currency} at plan rates")
    if metric.credit == "split":
        parts.append("shared where several partners are credited")
    return ", ".join(parts) + "." + _least(metric)


def _least(metric: Metric) -> str:
    return f" At least {metric.min_n} records, else not measurable." if metric.min_n > 1 else ""


def _filter_words(node: Filter, inside: bool = False) -> str:
    if isinstance(node, AllOf | AnyOf):
        word = " and " if isinstance(node, AllOf) else " or "
        text = word.join(_filter_words(item, inside=True) for item in node.items)
        return f"({text})" if inside and len(node.items) > 1 else text
    if isinstance(node, Not):
        return f"not ({_filter_words(node.item)})"
    value, column = node.value, _words(node.column)
    if node.op == "is_null":
        return f"{column} is {'empty' if value else 'filled'}"
    if isinstance(value, bool):
        plain = {"is_won": "won", "is_lost": "lost", "is_open": "open"}.get(node.column, column)
        return plain if value == (node.op != "is_not") else f"not {plain}"
    if node.op == "between":
        return f"{column} from {_literal(value[0])} to {_literal(value[1])}"
    listed = ", ".join(_literal(item) for item in value) if isinstance(value, tuple) else _literal(value)
    signs = _DAY_SIGNS if isinstance(value, dt.date) else _SIGNS
    return f"{column} {signs.get(node.op, node.op.replace('_', ' '))} {listed}"


_SIGNS = {"gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most", "in": "one of"}
_SIGNS |= {"not_in": "none of"}
_DAY_SIGNS = {"gt": "after", "gte": "on or after", "lt": "before", "lte": "on or before"}


def _literal(value: Any) -> str:
    return date_text(value) if isinstance(value, dt.date) else str(value).replace("_", " ")


_DAYS = {
    "created_at": "day of creation",
    "close_date": "closing day",
    "submitted_on": "day of submission",
    "decided_on": "day of decision",
    "answered_on": "day of the answer",
    "issued_on": "day of issue",
    "expires_on": "day of expiry",
    "joined_on": "day of joining",
}


def _words(column: str | None) -> str:
    return _DAYS.get(column or "", (column or "").removesuffix("_id").removesuffix("_name").replace("_", " "))


def _plural(column: str | None) -> str:
    word = _words(column)
    return {"person": "people", "company": "companies"}.get(word, word + "s")
