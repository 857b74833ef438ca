"""Whether goals are measurable: exported, dated, fresh, ever matched, and in a unit that can say what the target asks;
apart, because these rules ask what the exports can bear.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from pbr_lib.agreement import aim
from pbr_lib.goalrows import Instance
from pbr_lib.model import minor_digits, percent_text
from pbr_lib.periods import Quarter
from pbr_lib.smart.own import typical
from pbr_lib.smart.plan import Plan, definition
from pbr_lib.smart.rules import Found, found
from pbr_lib.smart.words import foreign_money

__all__ = ["check"]

_DATED = 0.95
_STEP = 0.05
_SHOWN = 3
MANUAL = "manual_facts"


def check(plan: Plan) -> Iterator[Found]:
    """M1 to M10: what concerns a metric once for each, then goals in the order of their definitions."""
    for metric in plan.measured:
        missing = _missing(plan, metric)
        if missing:
            rule = "M11" if _optional(plan, metric) else "M1"
            yield found(rule, missing, _place(metric), metric=metric)
            continue
        yield from _reaching(plan, metric)
        yield from _filled(plan, metric)
    for key in plan.running:
        yield from _whole(plan, key)
        yield from _steps(plan, key)
        yield from _money(plan, key)
        yield from _based(plan, key)
        yield from _by_hand(plan, key)


def _place(metric: str) -> str:
    return f"params/metrics.yaml, metrics.{metric}"


# ------------------------------------------------------------------------------------------ the exports


def _missing(plan: Plan, metric: str) -> str:
    """Why a metric cannot be measured at all; of what is not there nothing more is told."""
    told = _now(plan, metric)
    return told if told.endswith((" was provided", " was not provided")) else ""


def _optional(plan: Plan, metric: str) -> bool:
    """Whether every mapping of the metric's table says that its export may be missing."""
    table = plan.parts(metric)[metric].table
    sources = [source for source in plan.settings.sources.values() if source.table == table]
    return bool(sources) and all(source.optional for source in sources)


def _now(plan: Plan, metric: str) -> str:
    running = plan.quarter.calendar.quarter_of(plan.as_of)
    return plan.gap(plan.parts(metric)[metric].table, min(plan.quarter, running))


def _reaching(plan: Plan, metric: str) -> Iterator[Found]:
    """Not lately enough, or not far enough back."""
    part, now = plan.parts(metric)[metric], _now(plan, metric)
    if " ends on " in now:
        allowed = plan.settings.workbook.stale_after_days
        yield found("M3", f"{now}; {allowed} days are allowed", _place(metric), metric=metric)
    past = _past(plan, metric)
    gaps = {quarter.label: told for quarter in past if (told := plan.gap(part.table, quarter))}
    if gaps:
        told = f"{next(iter(gaps.values()))}, so {_listed(list(gaps))} cannot be measured"
        yield found("M4", told, _place(metric), metric=metric)
    # Of a level no row need begin in a quarter: what was valid stays valid.
    rows = plan.rows.get(metric) if part.nature == "flow" else None
    bare = [quarter.label for quarter in past if rows is not None and not rows.get(quarter.label)]
    bare = [label for label in bare if label not in gaps]
    if bare:
        told = f"the table {part.table} holds no row at all of {_listed(bare)}"
        yield found("M4", told, _place(metric), metric=metric)


def _past(plan: Plan, metric: str) -> list[Quarter]:
    """The quarters that are over, from the first one of any goal that uses the metric; no further than measured."""
    starts = [first.start for key in plan.measured[metric] if (first := plan.started(key)) is not None]
    if not starts:
        return []
    known = next((plan.history[name] for name in _histories(plan, metric) if name in plan.history), None)
    reach = list(known.quarters) if known else [plan.quarter.shift(back) for back in range(-12, 0)]
    before = [quarter for quarter in reach if min(starts) <= quarter.start < plan.quarter.start]
    return [quarter for quarter in before if quarter.last_day <= plan.as_of]


def _histories(plan: Plan, metric: str) -> list[str]:
    return [metric, *(plan.goal(key).metric for key in plan.measured[metric])]


def _filled(plan: Plan, metric: str) -> Iterator[Found]:
    part = plan.parts(metric)[metric]
    share = plan.dated.get(metric)
    if share is not None and share < _DATED:
        column = part.valid_from if part.nature == "level" else part.date
        # 94.99 % must not be printed as the 95 % that it falls short of.
        shown = percent_text(Decimal(int(share * 1000)) / 1000, 1)
        told = f"{shown} of the rows of {part.table} have a date in {column}"
        yield found("M2", told, _place(metric), metric=metric)
    if plan.ever.get(metric) == 0:
        yield found("M5", f"no row of {part.table} has ever matched its filter", _place(metric), metric=metric)


def _listed(labels: list[str]) -> str:
    if len(labels) <= _SHOWN:
        return " and ".join([", ".join(labels[:-1]), labels[-1]]) if len(labels) > 1 else labels[0]
    return f"{labels[0]} to {labels[-1]} ({len(labels)} quarters)"


# --------------------------------------------------------------------------------------------- the unit


def _whole(plan: Plan, key: str) -> Iterator[Found]:
    if plan.unit(key).kind != "count":
        return
    for row in plan.by_goal[key]:
        odd = next((value for value in _numbers(row) if value != value.to_integral_value()), None)
        if odd is not None:
            told = f"the target {_digits(odd)} is no whole number, and a count always is"
            yield found("M6", told, row.where or definition(key), goal=key, partner_id=row.partner_id)


def _steps(plan: Plan, key: str) -> Iterator[Found]:
    """By the median number of records of the partner's last eight quarters; none known is left to M4 and A5."""
    history = plan.history.get(plan.goal(key).metric)
    if plan.unit(key).kind != "percent" or history is None:
        return
    usual = typical(history.before(plan.period(key)))
    coarse = {history.partners[at]: float(usual[at]) for at in np.flatnonzero((usual >= 1) & (usual * _STEP < 1))}
    for row in plan.by_goal[key]:
        if row.partner_id in coarse:
            n = coarse[row.partner_id]
            step = percent_text(1 / Decimal(repr(n)), 1)
            told = f"it rests on {n:g} records in a typical quarter, so it moves in steps of {step}"
            yield found("M7", told, row.where or definition(key), goal=key, partner_id=row.partner_id)


def _money(plan: Plan, key: str) -> Iterator[Found]:
    unit, name = plan.unit(key), plan.name(key)
    sign = foreign_money(name, unit.currency)
    if sign:
        kind = f"in {unit.currency}" if unit.currency else "no money"
        yield found("M8", f'the name "{name}" says {sign}, its metric is {kind}', definition(key), goal=key)
    if unit.kind != "money":
        return
    digits = minor_digits(unit.currency)
    coin = Decimal(1).scaleb(-digits)
    for row in plan.by_goal[key]:
        odd = next((value for value in _numbers(row) if _places(value) > digits), None)
        if odd is not None:
            told = f"the target {_digits(odd)} is finer than the smallest coin, {coin} {unit.currency}"
            yield found("M8", told, row.where or definition(key), goal=key, partner_id=row.partner_id)


def _based(plan: Plan, key: str) -> Iterator[Found]:
    """A base is where the partner stood, so that something must have been measured before."""
    rows = [row for row in plan.by_goal[key] if row.target.base is not None]
    history = plan.history.get(plan.goal(key).metric)
    if not rows or history is None:
        return
    before = history.before(plan.period(key))
    known = ~np.isnan(before.value)
    for row in rows:
        at = before.row.get(row.partner_id)
        if at is None or not known[at].any():
            base = aim(row.target.model_copy(update={row.target.kind: row.target.base}), plan.unit(key))
            told = f"attainment starts from {base}, and no earlier quarter was measured"
            yield found("M9", told, row.where or definition(key), goal=key, partner_id=row.partner_id)


def _by_hand(plan: Plan, key: str) -> Iterator[Found]:
    if any(part.table == MANUAL for part in plan.parts(plan.goal(key).metric).values()):
        told = "its figures are entered by hand (params/manual_facts.csv), and packs mark them so"
        yield found("M10", told, definition(key), goal=key)


def _numbers(row: Instance) -> tuple[Decimal, ...]:
    return row.target.between or (() if row.target.value is None else (row.target.value,))


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _digits(value: Decimal) -> str:
    return format(value, "f")
