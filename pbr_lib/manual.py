"""Which figures a person entered by hand, so that they are always shown as such; apart, because a measured value does
not tell whether a system or a person is behind it, and whoever reads it must know.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pbr_lib.definitions import AllOf, AnyOf, Compare, Filter, Metric, Not, SimpleMetric
from pbr_lib.lists import Fact
from pbr_lib.model import date_text
from pbr_lib.periods import Quarter

__all__ = ["manual_marks"]

_TABLE = "manual_facts"


def manual_marks(
    metric: Metric, metrics: Mapping[str, Metric], facts: Iterable[Fact], partner_id: str, quarter: Quarter
) -> tuple[str, ...]:
    """``manual: entered by Channel manager, 4 Sep 2026``, for each person and day behind a partner's figure.

    Empty for a metric that rests on exports alone. Where the metric takes facts and the partner has none in the
    quarter, the figure is marked all the same: ``manual: nothing entered``.
    """
    parts = [metric] if isinstance(metric, SimpleMetric) else [metrics[name] for name in metric.parts]
    entered = [part for part in parts if isinstance(part, SimpleMetric) and part.table == _TABLE]
    if not entered:
        return ()
    mine = [fact for fact in facts if fact.partner_id == partner_id]
    found = {
        (fact.entered_on or dt.date.max, fact.entered_by)
        for part in entered
        for fact in mine
        if _in_time(part, fact.valid_on, quarter) and _holds(part.where, _cells(fact))
    }
    return tuple(_mark(who, day) for day, who in sorted(found)) or ("manual: nothing entered",)


def _mark(who: str, day: dt.date) -> str:
    when = "" if day == dt.date.max else f", {date_text(day)}"
    return f"manual: entered by {who}{when}" if who else f"manual: entered{when}, nobody says by whom"


def _in_time(metric: SimpleMetric, day: dt.date, quarter: Quarter) -> bool:
    """Whether a fact lies in the quarters that the metric takes for this one; a level holds from its day on."""
    last = quarter.shift(metric.shift_quarters)
    first = last.shift(1 - metric.trailing_quarters)
    if metric.nature == "level":
        return day < (first.start if metric.read_at == "start" else quarter.end)
    return first.start <= day < last.end


def _cells(fact: Fact) -> dict[str, Any]:
    """A fact as a row of its table."""
    money = bool(fact.currency)
    return {
        "fact_id": f"{fact.fact}/{fact.partner_id}/{fact.valid_on}",
        "fact": fact.fact,
        "partner_id": fact.partner_id,
        "valid_on": fact.valid_on,
        "value": None if money else fact.value,
        "amount": fact.value if money else None,
        "currency": fact.currency or None,
        "entered_by": fact.entered_by or None,
        "entered_on": fact.entered_on,
        "note": fact.note or None,
    }


def _holds(node: Filter, row: Mapping[str, Any]) -> bool:
    """Whether a filter lets a row through: two-valued, as the engine has it (a leaf on nothing is false)."""
    if isinstance(node, AllOf):
        return all(_holds(item, row) for item in node.items)
    if isinstance(node, AnyOf):
        return any(_holds(item, row) for item in node.items)
    if isinstance(node, Not):
        return not _holds(node.item, row)
    cell = row.get(node.column)
    if node.op == "is_null":
        return (cell is None) is bool(node.value)
    if node.op in ("is_not", "not_in"):
        return not _holds(Compare(node.column, node.op.replace("is_not", "is").removeprefix("not_"), node.value), row)
    return cell is not None and _compared(node.op, cell, node.value)


def _compared(op: str, cell: Any, value: Any) -> bool:
    """One leaf; numbers compare as numbers and days as days, whichever way the filter writes them."""
    given = [_alike(cell, each) for each in (value if isinstance(value, tuple) else (value,))]
    if op in ("is", "in"):
        return cell in given
    if op in ("starts_with", "contains"):
        return str(cell).startswith(str(value)) if op == "starts_with" else str(value) in str(cell)
    if op == "between":
        return bool(given[0] <= cell <= given[1])
    return bool({"gt": cell > given[0], "gte": cell >= given[0], "lt": cell < given[0], "lte": cell <= given[0]}[op])


def _alike(cell: Any, value: Any) -> Any:
    if isinstance(cell, Decimal) and not isinstance(value, Decimal):
        return Decimal(str(value))
    if isinstance(cell, dt.date) and isinstance(value, str):
        return dt.date.fromisoformat(value)
    return value
