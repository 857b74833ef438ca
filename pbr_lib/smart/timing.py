"""Whether goals are relevant, time-bound, and agreed by both sides in time; apart, because these rules speak of what a
goal stands among: objectives, weights, quarters and signatures.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from pbr_lib import agreement
from pbr_lib.agreement import aim
from pbr_lib.errors import UnknownQuarter
from pbr_lib.goalrows import Instance
from pbr_lib.model import date_text, percent_text
from pbr_lib.smart.plan import Plan, definition
from pbr_lib.smart.rules import RULES, Found, found

__all__ = ["check"]

_MOST = 7
_LARGE = Decimal("0.6")
_DAY = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


def check(plan: Plan) -> Iterator[Found]:
    """R1 to R6, T1 to T6, J1 and J2 (R7 needs figures: see ``smart_moving``)."""
    yield from _objectives(plan)
    yield from _weights(plan)
    for key in plan.settings.goals:
        yield from _calendar(plan, key)
        yield from _issued(plan, key)
        yield from _done_by(plan, key)
    yield from _agreed(plan)


# --------------------------------------------------------------------------------------------- relevant


def _objectives(plan: Plan) -> Iterator[Found]:
    known = plan.settings.objectives
    for key, goal in plan.settings.goals.items():
        if goal.objective not in known:
            yield found("R1", f'no objective is called "{goal.objective}"', definition(key), goal=key)
    served = {plan.goal(key).objective for key in plan.running}
    for name in known:
        if name not in served:
            told = f'no goal of {plan.quarter} serves the objective "{name}"'
            yield found("R2", told, f"params/goals.yaml, objectives.{name}")
    for partner, rows in plan.by_partner.items():
        if len(rows) <= _MOST:
            continue
        for name, count in Counter(plan.goal(row.goal).objective for row in rows).items():
            if count > _MOST:
                told = f'{count} goals serve the objective "{name}", and {_MOST} are the most'
                yield found("R3", told, rows[0].where, partner_id=partner)


def _weights(plan: Plan) -> Iterator[Found]:
    """A single goal carries all the weight, and nothing is odd about that."""
    for partner, rows in plan.by_partner.items():
        weights = [plan.goal(row.goal).weight if row.weight is None else row.weight for row in rows]
        total = sum(weights, Decimal(0))
        if total <= 0:
            yield found("R4", "the weights of its goals add up to 0", rows[0].where, partner_id=partner)
            continue
        for row, weight in zip(rows, weights, strict=True):
            place = row.where or definition(row.goal)
            if weight == 0:
                yield found("R6", "it carries no weight", place, goal=row.goal, partner_id=partner)
            elif len(rows) > 1 and weight / total > _LARGE:
                told = f"it carries {percent_text(weight / total)} of the partner's weight"
                yield found("R5", told, place, goal=row.goal, partner_id=partner)


# ------------------------------------------------------------------------------------------- time-bound


def _calendar(plan: Plan, key: str) -> Iterator[Found]:
    goal, quarter = plan.goal(key), plan.period(key)
    for name, label in (("first_period", goal.first_period), ("last_period", goal.last_period)):
        try:
            if label:
                quarter.calendar.parse(label)
        except UnknownQuarter as error:
            yield found("T1", f"{name}: {error.what}", definition(key), goal=key, fix=error.fix)
    first, last = plan.started(key), plan.ended(key)
    told = ""
    if first is not None and quarter.start < first.start:
        told = f"it begins with {first}, after {quarter}"
    elif last is not None and last.start < quarter.start:
        told = f"it ended with {last}, before {quarter}"
    for row in plan.by_goal[key] if told else ():
        yield found("T2", told, row.where or definition(key), goal=key, partner_id=row.partner_id)


def _issued(plan: Plan, key: str) -> Iterator[Found]:
    """T3 to T5. A goal is issued when the later side agreed; while one has not, it still is to be issued."""
    quarter = plan.period(key)
    least = plan.settings.workbook.smart.least_days_left
    later = f"set the target in {quarter.shift(1)}"
    frozen = plan.quarter.label in plan.closed
    for row in plan.by_goal[key]:
        concerns = {"goal": key, "partner_id": row.partner_id}
        place = row.where or definition(key)
        if frozen:
            changed = row.agreed_target is not None and row.agreed_target != row.target and not _amended(plan, row)
            if changed or not row.agreed:
                how = "the target was changed" if changed else "the target was not agreed"
                yield found("T3", f"{plan.quarter} is closed, and {how}", place, fix=later, **concerns)
            continue
        day = issue_day(row, plan.as_of)
        if day is None:
            continue
        left = (quarter.last_day - day).days
        when = f"agreed on {date_text(day)}" if row.agreed else f"not agreed by {date_text(day)}"
        if left <= 0:
            yield found(
                "T4", f"{when}, and {quarter} ends on {date_text(quarter.last_day)}", place, fix=later, **concerns
            )
        elif left < least:
            days = f"{left} day{'' if left == 1 else 's'} before {quarter} ends; {least} are the least"
            yield found("T5", f"{when}, {days}", place, fix=later, **concerns)


def issue_day(row: Instance, as_of: dt.date) -> dt.date | None:
    """The day on which the later of both sides agreed, as their entries say (2026-07-06); ``as_of`` while one has not.

    None where both agreed and no entry names a day.
    """
    if not row.agreed:
        return as_of
    days = []
    for text in (row.agreed_by_us, row.agreed_by_them):
        for written in _DAY.findall(text):
            try:
                days.append(dt.date.fromisoformat(written))
            except ValueError:
                continue
    return max(days) if days else None


def _done_by(plan: Plan, key: str) -> Iterator[Found]:
    quarter = plan.period(key)
    for row in plan.by_goal[key]:
        day = row.target.done_by
        if day is not None and not quarter.holds(day):
            span = f"{date_text(quarter.start)} to {date_text(quarter.last_day)}"
            told = f"it is to be done by {date_text(day)}, and {quarter} is {span}"
            yield found("T6", told, row.where or definition(key), goal=key, partner_id=row.partner_id)


# ---------------------------------------------------------------------------------------------- agreed


def _agreed(plan: Plan) -> Iterator[Found]:
    """Of a closed quarter T3 tells the same."""
    if plan.quarter.label in plan.closed:
        return
    until = agreement.deadline(plan.quarter, plan.settings)
    late = plan.as_of > until
    missing = {"proposed": "neither side", "agreed by us": "only our side", "agreed by them": "only the partner's side"}
    for key, rows in plan.by_goal.items():
        for row in rows:
            state = agreement.state_of(row, plan.goal(key))
            place, concerns = row.where or definition(key), {"goal": key, "partner_id": row.partner_id}
            if late and state in missing:
                told = (
                    f"{missing[state]} agreed by {date_text(until)}, {plan.settings.workbook.agreement.deadline_days}"
                )
                yield found("J1", f"{told} days into {plan.quarter}", place, fix=_who(state), **concerns)
            was = row.agreed_target
            if row.agreed and was is not None and was != row.target and not _amended(plan, row):
                unit = plan.unit(key)
                told = f"{aim(was, unit)} was agreed, and the row says {aim(row.target, unit)} without an amendment"
                yield found("J2", told, place, **concerns)


def _who(state: str) -> str:
    column = {"agreed by us": "agreed_by_them", "agreed by them": "agreed_by_us"}.get(state)
    return f"let the other side agree: fill {column}" if column else RULES["J1"].fix


def _amended(plan: Plan, row: Instance) -> bool:
    """Whether both sides agreed to the target that the row now has."""
    return any(
        change.quarter == plan.quarter.label
        and (change.partner_id, change.goal) == (row.partner_id, row.goal)
        and change.agreed
        and change.target == row.target
        for change in plan.settings.amendments
    )
