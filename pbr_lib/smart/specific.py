"""Whether goals are specific, and assigned to somebody on both sides; apart, because these rules read only what people
wrote, and never a measured figure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pbr_lib.agreement import aim
from pbr_lib.definitions import SimpleMetric, Target
from pbr_lib.goalrows import Instance
from pbr_lib.model import date_text
from pbr_lib.smart.plan import Plan, definition
from pbr_lib.smart.rules import Found, found
from pbr_lib.smart.words import hidden_numbers, is_placeholder, plain, vague

__all__ = ["check"]


def check(plan: Plan) -> Iterator[Found]:
    """S1 to S11, goals in the order of their definitions, rows in the order of the file."""
    yield from _resolved(plan)
    for key in plan.settings.goals:
        yield from _directed(plan, key)
        yield from _named(plan, key)
        yield from _selected(plan, key)
        yield from _owned(plan, key)
    yield from _members(plan)
    yield from _once(plan)


def _resolved(plan: Plan) -> Iterator[Found]:
    for key, goal in plan.settings.goals.items():
        if goal.metric not in plan.settings.metrics:
            yield found("S1", f'no metric is called "{goal.metric}"', definition(key), goal=key)
    for row in plan.instances:
        if row.goal not in plan.settings.goals:
            told = f'no goal is called "{row.goal}"'
            yield found("S1", told, row.where, goal=row.goal, partner_id=row.partner_id)


def _directed(plan: Plan, key: str) -> Iterator[Found]:
    """A metric that leaves ``better`` unsaid may be counted either way: escalations are kept down by at_most."""
    metric, kind = plan.metric(key), plan.goal(key).target.kind
    if metric is None:
        return
    said = "better" in metric.model_fields_set
    if kind == "at_least" and metric.better == "lower":
        yield found("S2", "the target is at_least, and lower is better for its metric", definition(key), goal=key)
    elif kind == "at_most" and metric.better == "higher" and said:
        yield found("S2", "the target is at_most, and higher is better for its metric", definition(key), goal=key)


def _named(plan: Plan, key: str) -> Iterator[Found]:
    name = plan.name(key)
    wish = vague(name) if name or plan.metric(key) else ""
    if wish:
        yield found("S8", f'the name "{name}" is vague ("{wish}")', definition(key), goal=key)
    metric = plan.metric(key)
    numbers = hidden_numbers(name, metric is not None and metric.unit.kind == "days")
    if "{target}" in name or not numbers:
        return
    shown = " and ".join(dict.fromkeys(text for text, _ in numbers))
    meant = {reading for _, readings in numbers for reading in readings}
    if metric is not None and metric.unit.kind == "percent":
        meant |= {reading / 100 for reading in meant}
    rows = plan.by_goal[key]
    agree = 0
    for row in rows:
        if not _values(row.target) or meant & set(_values(row.target)):
            agree += 1
            continue
        told = f'the name "{name}" says {shown}, the target is {aim(row.target, plan.unit(key))}'
        yield found("S6", told, row.where, goal=key, partner_id=row.partner_id)
    target = plan.goal(key).target
    if rows:
        if agree == len(rows):
            yield found("S7", f'the name "{name}" repeats the target, {shown}', definition(key), goal=key)
    elif _values(target) and not meant & set(_values(target)):
        told = f'the name "{name}" says {shown}, the target is {aim(target, plan.unit(key))}'
        yield found("S6", told, definition(key), goal=key)


def _values(target: Target) -> tuple[Decimal, ...]:
    return target.between or (() if target.value is None else (target.value,))


def _selected(plan: Plan, key: str) -> Iterator[Found]:
    chosen = plan.applies.get(key, ())
    if not chosen and key in plan.running:
        yield found("S3", "its applies_to selects no partner", definition(key), goal=key)
        return
    for row in plan.by_goal[key]:
        if row.partner_id not in chosen and row.partner_id in plan.partners:
            told = "the partner is none of those whom applies_to selects"
            yield found("S4", told, row.where or definition(key), goal=key, partner_id=row.partner_id)


def _members(plan: Plan) -> Iterator[Found]:
    """Said once for each partner, at its first row, and not again for each of its goals."""
    for partner, rows in plan.by_partner.items():
        told = _absent(plan.partners.get(partner), partner, plan)
        if told:
            more = f"; {len(rows)} goals are set for it" if len(rows) > 1 else ""
            yield found("S5", told + more, rows[0].where, partner_id=partner)


def _absent(row: Mapping[str, Any] | None, partner: str, plan: Plan) -> str:
    if row is None:
        return f'no partner is called "{partner}"'
    joined, ended = row.get("joined_on"), row.get("ended_on")
    if isinstance(ended, dt.date) and ended < plan.quarter.start:
        return f"the partner ended on {date_text(ended)}, before {plan.quarter} begins"
    if isinstance(joined, dt.date) and joined >= plan.quarter.end:
        return f"the partner joins on {date_text(joined)}, after {plan.quarter} ends"
    return ""


def _once(plan: Plan) -> Iterator[Found]:
    """Metrics that count the very same, under two names, are one metric here."""
    same = _twins(plan)
    for partner, rows in plan.by_partner.items():
        if len(rows) < 2:
            continue
        first: dict[tuple[str, str], Instance] = {}
        for row in rows:
            metric = plan.goal(row.goal).metric
            before = first.setdefault((same.get(metric, metric), row.target.kind), row)
            if before is not row:
                kind = row.target.kind
                other = f"{before.goal} ({before.where})" if before.where else before.goal
                told = f"{other} sets {kind} for the same metric and partner"
                yield found("S9", told, row.where or definition(row.goal), goal=row.goal, partner_id=partner)


def _twins(plan: Plan) -> dict[str, str]:
    """Each metric's first twin: the same in everything but label and explanation."""
    out: dict[str, str] = {}
    first: dict[str, str] = {}
    for name in dict.fromkeys(goal.metric for goal in plan.settings.goals.values()):
        metric = plan.settings.metrics.get(name)
        if isinstance(metric, SimpleMetric):
            out[name] = first.setdefault(repr(metric.model_copy(update={"label": "", "about": ""})), name)
    return out


# ------------------------------------------------------------------------------------------ assignable


def _owned(plan: Plan, key: str) -> Iterator[Found]:
    """The owners that count: those of the row, and where it names none, those of the definition (told once)."""
    owners = plan.goal(key).owners
    rows = plan.by_goal[key]
    sides = (("our side", owners.vendor, "owner_us"), ("the partner's side", owners.partner, "owner_them"))
    for side, given, column in sides:
        inherits = not rows or any(not getattr(row, column).strip() for row in rows)
        if inherits and is_placeholder(given):
            yield found("S10", _nobody(side, given), definition(key), goal=key)
        for row in rows:
            own = getattr(row, column)
            if own.strip() and is_placeholder(own):
                yield found("S10", _nobody(side, own), row.where, goal=key, partner_id=row.partner_id)
    if (not rows or any(not (row.owner_us or row.owner_them) for row in rows)) and _alike(
        owners.vendor, owners.partner
    ):
        yield found("S11", f'"{owners.vendor}" answers for both sides', definition(key), goal=key)
    for row in rows:
        us, them = row.owner_us or owners.vendor, row.owner_them or owners.partner
        if (row.owner_us or row.owner_them) and _alike(us, them):
            yield found("S11", f'"{us}" answers for both sides', row.where, goal=key, partner_id=row.partner_id)


def _nobody(side: str, text: str) -> str:
    return f'{side} has no owner: "{text}" names nobody' if text.strip() else f"{side} has no owner"


def _alike(us: str, them: str) -> bool:
    return plain(us) == plain(them) and not is_placeholder(us)
