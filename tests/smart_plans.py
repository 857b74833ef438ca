"""A quarter of goals in which nothing is wrong, and a way to put exactly one fault into it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import tiny_workbook

from pbr_lib import params
from pbr_lib.history import History
from pbr_lib.params import Params
from pbr_lib.periods import Calendar
from pbr_lib.predictive import Predictive, Samples
from pbr_lib.smart import Plan

QUARTER = Calendar().parse("2026-Q3")
AS_OF = dt.date(2026, 9, 4)
PARTNERS = ("A", "B")

METRICS = """
pbr: 1
metrics:
  new_leads: {label: New leads, table: leads, aggregate: count, date: created_at, unit: {kind: count}, better: higher}
  revenue_won:
    {label: Revenue won, table: opportunities, aggregate: sum, of: amount, where: {is_won: true}, date: close_date,
     credit_type: [sourced], unit: {kind: money, currency: USD}}
  won_deals:
    {label: Deals won, table: opportunities, aggregate: count, where: {is_won: true}, date: close_date,
     unit: {kind: count}}
  all_deals:
    {label: Deals closed, table: opportunities, aggregate: count, date: close_date, unit: {kind: count}}
  win_rate:
    {type: ratio, label: Win rate, numerator: won_deals, denominator: all_deals, unit: {kind: percent}}
  rating:
    {label: Rating, table: manual_facts, aggregate: latest, of: value, date: valid_on, unit: {kind: number}}
"""
GOALS = """
pbr: 1
objectives: {grow: Grow together, win: Win together}
goals:
  leads_q:
    {name: "Create {target} new leads", metric: new_leads, objective: grow, first_period: 2026-Q1,
     target: {at_least: 5}, owners: {vendor: Channel manager, partner: Alliance lead}}
  revenue_q:
    {name: "Win {target}", metric: revenue_won, objective: win, first_period: 2026-Q1,
     target: {at_least: 1000}, owners: {vendor: Channel manager, partner: Alliance lead}}
  rate_q:
    {metric: win_rate, objective: win, first_period: 2026-Q1,
     target: {at_least: 30 %}, owners: {vendor: Channel manager, partner: Alliance lead}}
"""
_SIGNED = {"agreed_by_us": "We, 2026-07-03", "agreed_by_them": "They, 2026-07-06"}
ROWS: tuple[Mapping[str, str], ...] = tuple(
    {"partner_id": partner, "goal": goal, "target": target, **_SIGNED}
    for partner in PARTNERS
    for goal, target in (("leads_q", "5"), ("revenue_q", "1000"), ("rate_q", "30 %"))
)
COLUMNS = ("partner_id", "goal", "target", "weight", "owner_us", "owner_them", "agreed_by_us", "agreed_by_them")
COLUMNS += ("basis", "agreed_target")


@dataclass(frozen=True)
class Chance:
    """What may come of all partners, with evidence for each unless said otherwise."""

    predictive: Predictive
    enough: Any
    reason: Sequence[str] = ()


@dataclass(frozen=True)
class Fault:
    """One fault: words of the YAML files changed, cells of the first row (or rows added), or facts of the plan."""

    goals: tuple[str, str] = ("", "")
    metrics: tuple[str, str] = ("", "")
    row: Mapping[str, str] = field(default_factory=dict)
    more: Sequence[Mapping[str, str]] = ()
    last: Sequence[Mapping[str, str]] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    settings: Callable[[Params], Params] = lambda settings: settings


def history(values: Sequence[Sequence[float]], n: int = 40, partners: Sequence[str] = PARTNERS) -> History:
    """Values of the quarters before 2026-Q3 and of it, one row for each partner."""
    array = np.array(values, np.float64)
    quarters = tuple(QUARTER.shift(back) for back in range(1 - array.shape[1], 1))
    exact = np.array(
        [[None if np.isnan(cell) else Decimal(repr(float(cell))) for cell in row] for row in array], object
    )
    closed = np.array([quarter.last_day <= AS_OF for quarter in quarters])
    counts = np.full(array.shape, n, np.int64)
    return History(tuple(partners), quarters, array, exact, counts, np.ones(array.shape, bool), closed)


def chance(*draws: float, partners: int = len(PARTNERS)) -> Chance:
    """Equally likely outcomes, the same for all partners."""
    return Chance(Samples(np.tile(np.array(draws, np.float64), (partners, 1))), np.ones(partners, bool))


def read(folder: Path, fault: Fault) -> Params:
    """The params with the fault in them, read as ever."""
    goals, metrics = GOALS.replace(*fault.goals), METRICS.replace(*fault.metrics)
    tiny_workbook.write(folder, {"partners": [tiny_workbook.partner(key) for key in PARTNERS]}, goals, metrics)
    first, *rest = ROWS
    rows = [{**first, **fault.row}, *rest, *({**_SIGNED, **row} for row in fault.more)]
    for label, each in (("2026-Q3", rows), ("2026-Q2", [{**_SIGNED, **row} for row in fault.last])):
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(each)
        tiny_workbook.put(folder, f"params/goals/{label}.csv", out.getvalue())
    return fault.settings(params.read(folder))


def plan_of(folder: Path, fault: Fault | None = None) -> Plan:
    """The clean plan, or the one with a fault in it."""
    fault = fault or Fault()
    settings = read(folder, fault)
    quarters = [QUARTER.shift(back).label for back in range(-8, 1)]
    simple = ("new_leads", "revenue_won", "won_deals", "all_deals", "rating")
    plan = Plan(
        settings,
        QUARTER,
        AS_OF,
        settings.instances["2026-Q3"],
        {key: {"partner_id": key, "joined_on": dt.date(2020, 1, 1), "ended_on": None} for key in PARTNERS},
        {key: set(PARTNERS) for key in settings.goals},
        {
            "new_leads": history([[4, 5, 6, 4, 5, 6, 5, 4, 2]] * 2),
            "revenue_won": history([[900, 1100, 1000, 800, 1200, 1000, 900, 1100, 400]] * 2),
            "win_rate": history([[0.3, 0.35, 0.25, 0.3, 0.3, 0.35, 0.3, 0.25, 0.3]] * 2),
            "rating": history([[4, 5, 4, 5, 4, 5, 4, 5, 4]] * 2),
        },
        {
            "new_leads": chance(3, 4, 4, 5, 5, 5, 6, 6, 7, 8),
            "revenue_won": chance(800, 900, 950, 990, 1000, 1050, 1100, 1150, 1200, 1300),
            "win_rate": chance(0.2, 0.25, 0.28, 0.29, 0.3, 0.31, 0.32, 0.33, 0.35, 0.4),
            "rating": chance(3, 4, 4, 5, 5, 5, 6, 6, 7, 8),
        },
        dated=dict.fromkeys(simple, 1.0),
        ever=dict.fromkeys(simple, 100),
        rows={name: dict.fromkeys(quarters, 9) for name in simple},
    )
    return replace(plan, **fault.plan)


def goal_with(key: str, **changes: Any) -> Callable[[Params], Params]:
    """Params in which one definition was changed after it was read: faults that reading itself would refuse."""

    def changed(settings: Params) -> Params:
        goal = settings.goals[key].model_copy(update=changes)
        return replace(settings, goals={**settings.goals, key: goal})

    return changed
