"""Who is looked at together, and the rows and lines of it: groups of partners, the sheet of their goals, and one goal
over a group; apart, because adding up (``sums``) and showing (``tables``) both speak of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pandas as pd

from pbr_lib.definitions import Goal, Metric, Parent, Target
from pbr_lib.errors import InputError, did_you_mean
from pbr_lib.goals import Result
from pbr_lib.model import Unit, named, percent_text
from pbr_lib.rollup.pooling import Parts

__all__ = ["COLUMNS", "Group", "RollUp", "everybody", "groups_by", "missing", "parents", "sheet"]

COLUMNS: tuple[str, ...] = (
    "partner_id",
    "goal",
    "metric",
    "unit",
    "currency",
    "period",
    "state",
    "actual",
    "target",
    "attained",
)
COLUMNS += ("met", "n", "numerator", "denominator", "weight")
"""A sheet has one row for each partner and goal, with these columns.

``unit`` is the kind of the metric's unit; ``actual``, ``attained``, ``numerator``, ``denominator`` are Decimal or None,
``met`` is True, False or None, ``target`` is a Target, ``weight`` a Decimal.
"""

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Group:
    """Partners that are looked at together: all, those alike in a column, or a named parent.

    ``kind`` is ``all``, the name of the column, or ``parent``; a parent is about one ``goal`` and may have a target
    of its own.
    """

    kind: str
    name: str
    label: str
    members: frozenset[str] = field(repr=False)
    goal: str = ""
    own: Target | None = None


@dataclass(frozen=True)
class RollUp:
    """One goal over a group of partners.

    ``partners`` have the goal, of ``known`` there is something to add up; ``actual`` over ``target`` is what these
    attain, ``target`` being a parent's own where it has one. ``target_share`` says how much of all partners' targets
    the known ones hold, None where targets are not added up. ``gross`` is the sum of the partners where records stand
    with several of them and ``actual`` counts each once. ``median`` is that of the partners' attainments, ``met`` of
    ``judged`` partners reach their targets. ``weight`` and ``known_weight`` are sums over partners. ``remarks`` say
    what else a reader must know.
    """

    group: Group
    goal: str
    metric: str
    period: str
    unit: Unit
    partners: int
    known: int = 0
    actual: Decimal | None = None
    target: Target | None = None
    attained: Decimal | None = None
    target_share: Decimal | None = None
    gross: Decimal | None = None
    assigned: Decimal | None = None
    median: Decimal | None = None
    met: int = 0
    judged: int = 0
    weight: Decimal = _ZERO
    known_weight: Decimal = _ZERO
    remarks: tuple[str, ...] = ()

    @property
    def share_met(self) -> Decimal | None:
        """The share of partners who reach their targets, of those of whom it is known."""
        return Decimal(self.met) / self.judged if self.judged else None

    @property
    def basis(self) -> str:
        """``based on 9 of 12 partners, 81 % of target``."""
        share = "" if self.target_share is None else f", {percent_text(self.target_share)} of target"
        return f"based on {self.known} of {named(self.partners, 'partner')}{share}"


# ---------------------------------------------------------------------------------------------- groups


def everybody(partners: Iterable[str]) -> Group:
    """The whole programme."""
    return Group("all", "all", "All partners", frozenset(partners))


def groups_by(column: str, partners: Mapping[str, Mapping[str, Any]]) -> tuple[Group, ...]:
    """The partners alike in a column of the partner table (tier, region, ...), in the order of its values.

    Raises
    ------
    InputError
        For a column that the partner table does not have.
    """
    known = list(dict.fromkeys(key for row in partners.values() for key in row))
    if known and column not in known:
        what = f'the partner table has no column "{column}"'
        raise InputError(what, "the grouping asked for", did_you_mean(column, known))
    found: dict[str, list[str]] = {}
    for partner, row in partners.items():
        value = row.get(column)
        found.setdefault("" if value is None else str(value), []).append(partner)
    named = sorted(found, key=lambda value: (value == "", value))
    return tuple(Group(column, value, value or "not given", frozenset(found[value])) for value in named)


def parents(defined: Mapping[str, Parent], selected: Mapping[str, Iterable[str]]) -> tuple[Group, ...]:
    """The named parents of ``goals.yaml``; ``selected`` says which partners the filter of each lets through."""
    return tuple(
        Group("parent", name, one.label, frozenset(selected.get(name, ())), one.goal, one.target)
        for name, one in defined.items()
    )


# ----------------------------------------------------------------------------------------------- sheet


def sheet(
    results: Iterable[tuple[Result, Goal]], metrics: Mapping[str, Metric], period: str, parts: Mapping[str, Parts]
) -> pd.DataFrame:
    """Evaluated goals as rows of :data:`COLUMNS`; ``parts`` gives numerators and denominators by metric."""
    rows = []
    for result, goal in results:
        instance, measured, unit = result.instance, result.measured, metrics[goal.metric].unit
        top, bottom = parts.get(goal.metric, {}).get(instance.partner_id, (None, None))
        weight = goal.weight if instance.weight is None else instance.weight
        actual = measured.value if measured.known else None
        who = (instance.partner_id, result.key, goal.metric, unit.kind, unit.currency or "", period)
        seen = (measured.state, actual, instance.target, result.attained, result.met, measured.n)
        rows.append((*who, *seen, top, bottom, weight))
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def missing(cell: Any) -> bool:
    """Whether a cell of a sheet is empty."""
    return cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell)
