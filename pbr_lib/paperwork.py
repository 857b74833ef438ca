"""What people write in params/ as tables of the model: actions, targets and manual facts; apart, so that joint
accountability is measured like anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pbr_lib import canonical
from pbr_lib.definitions import Target
from pbr_lib.params import Params
from pbr_lib.schema import TABLES

__all__ = ["tables"]


def tables(params: Params) -> dict[str, pa.Table]:
    """The tables whose home is params."""
    rows = {"actions": _actions(params), "targets": _targets(params), "manual_facts": _facts(params)}
    return {name: _table(name, list(each)) for name, each in rows.items()}


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = canonical.schema_of(TABLES[name])
    return pa.Table.from_pylist([{field: row.get(field) for field in schema.names} for row in rows], schema=schema)


def _actions(params: Params) -> Iterator[dict[str, Any]]:
    for action in params.actions:
        yield {
            "action_id": action.action_id,
            "partner_id": action.partner_id,
            "goal": action.goal or None,
            "side": action.side,
            "action": action.action,
            "owner": action.owner or None,
            "opened": action.opened,
            "due_on": action.due,
            "status": action.status,
            "closed_on": action.closed_on,
        }


def _targets(params: Params) -> Iterator[dict[str, Any]]:
    for label, instances in sorted(params.instances.items()):
        start = params.quarter(label).start
        for instance in instances:
            goal = params.goals[instance.goal]
            unit = params.metrics[goal.metric].unit
            value = _number(instance.target)
            money = unit.kind == "money"
            yield {
                "target_id": f"{label}/{instance.partner_id}/{instance.goal}",
                "partner_id": instance.partner_id,
                "goal": instance.goal,
                "metric": goal.metric,
                "period_start": start,
                "count": None if money else value,
                "amount": value if money else None,
                "currency": unit.currency if money else None,
                "is_agreed": bool(instance.agreed_by_us and instance.agreed_by_them),
            }


def _number(target: Target) -> Decimal | None:
    return target.value if target.between is None else target.between[0]


def _facts(params: Params) -> Iterator[dict[str, Any]]:
    for fact in params.facts:
        yield {
            "fact_id": f"{fact.fact}/{fact.partner_id}/{fact.valid_on}",
            "partner_id": fact.partner_id,
            "fact": fact.fact,
            "valid_on": fact.valid_on,
            "value": None if fact.currency else fact.value,
            "amount": fact.value if fact.currency else None,
            "currency": fact.currency or None,
            "entered_by": fact.entered_by or None,
            "entered_on": fact.entered_on,
            "note": fact.note or None,
        }
