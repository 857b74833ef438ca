"""Which target counts, and why: proposed, agreed, amended, or the last agreed one because nobody signed in time;
apart, because a pack, a check and a renewal must all take the same target for the same quarter.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from pbr_lib.definitions import Goal, Target
from pbr_lib.goalrows import Amendment, Instance
from pbr_lib.model import Amount, Unit, date_text
from pbr_lib.params import Params
from pbr_lib.periods import Quarter

__all__ = ["Agreed", "State", "agreed", "aim", "deadline", "moved", "state_of"]

State = Literal["proposed", "agreed by us", "agreed by them", "agreed", "active", "lapsed", "closed"]
Key = tuple[str, str]
_OPEN: Mapping[State, str] = {
    "proposed": "neither side has agreed yet",
    "agreed by us": "the partner has not agreed yet",
    "agreed by them": "we have not agreed yet",
}


@dataclass(frozen=True)
class Agreed:
    """A row of targets as it counts on a day.

    ``row`` is what stands in the file, ``instance`` the same with the target that counts, ``remark`` says in words
    why the two differ or what is still open. ``since`` is the quarter from which a target that fell back comes.
    """

    row: Instance
    instance: Instance
    state: State
    remark: str = ""
    since: str = ""
    amended: str = ""

    @property
    def in_force(self) -> bool:
        """Whether the target that counts was agreed by both sides."""
        return self.state in ("agreed", "active", "closed") or bool(self.since)


def deadline(quarter: Quarter, params: Params) -> dt.date:
    """The last day on which both sides can still agree the targets of a quarter."""
    return quarter.start + dt.timedelta(days=params.workbook.agreement.deadline_days)


def aim(target: Target, unit: Unit) -> str:
    """A target in words: ``5``, ``$10,000``, ``80 % to 90 %``, ``15 Sep 2026``."""
    if target.done_by is not None:
        return date_text(target.done_by)
    if target.between is not None:
        return f"{Amount(target.between[0], unit)} to {Amount(target.between[1], unit)}"
    return str(Amount(target.value, unit))


def agreed(params: Params, as_of: dt.date, closed: frozenset[str] = frozenset()) -> dict[str, dict[Key, Agreed]]:
    """Every row of every quarter as it counts on ``as_of``: {quarter: {(partner, goal): Agreed}}.

    ``closed`` names the quarters whose figures are frozen.
    """
    changes: dict[tuple[str, str, str], list[Amendment]] = defaultdict(list)
    for amendment in params.amendments:
        changes[amendment.quarter, amendment.partner_id, amendment.goal].append(amendment)
    units = {key: params.metrics[goal.metric].unit.unit for key, goal in params.goals.items()}
    last: dict[Key, tuple[str, Instance, str]] = {}
    out: dict[str, dict[Key, Agreed]] = {}
    for quarter in sorted(params.quarter(label) for label in params.instances):
        label = quarter.label
        rows = out[label] = {}
        until = deadline(quarter, params)
        when = f"not agreed by both sides by {date_text(until)}"
        for row in params.instances[label]:
            key = (row.partner_id, row.goal)
            unit, one = units[row.goal], _settled(row, params.goals[row.goal], units[row.goal])
            if changes:
                one = _amended(one, changes.get((label, *key), []), unit)
            if not one.in_force and as_of > until:
                one = _lapsed(one, last.get(key), when)
            elif one.in_force and quarter.start <= as_of:
                state: State = "closed" if label in closed else "active"
                one = Agreed(one.row, one.instance, state, one.remark, one.since, one.amended)
            if one.state in ("agreed", "active", "closed"):
                last[key] = (label, one.instance, aim(one.instance.target, unit))
            rows[key] = one
    return out


def state_of(row: Instance, goal: Goal) -> State:
    """How far the agreement of a row has come, whatever the day."""
    if row.agreed or not goal.renew.needs_approval:
        return "agreed"
    if row.moved:
        return "proposed"
    if row.agreed_by_us:
        return "agreed by us"
    return "agreed by them" if row.agreed_by_them else "proposed"


def _settled(row: Instance, goal: Goal, unit: Unit) -> Agreed:
    """The row without amendments: what both sides agreed to stands, whatever the file says now."""
    state = state_of(row, goal)
    was = row.agreed_target
    if not row.agreed or was is None or not row.moved:
        if row.moved and state == "proposed" and was is not None:
            side = "we" if row.agreed_by_us else "the partner"
            return Agreed(
                row, row, state, f"{side} agreed to {aim(was, unit)}; the row says {aim(row.target, unit)} now"
            )
        return Agreed(row, row, state, _OPEN.get(state, ""))
    told = f"{aim(was, unit)} was agreed; the row says {aim(row.target, unit)} now, without an amendment"
    return Agreed(row, moved(row, was), state, told)


def _amended(one: Agreed, changes: list[Amendment], unit: Unit) -> Agreed:
    for change in changes:
        if not change.agreed:
            told = f"an amendment to {aim(change.target, unit)} awaits agreement: {change.reason}"
            one = replace(one, remark=told)
            continue
        told = f"amended from {aim(one.instance.target, unit)} to {aim(change.target, unit)}: {change.reason}"
        state: State = "agreed" if one.state != "closed" else one.state
        one = replace(one, instance=moved(one.instance, change.target), state=state, remark=told, amended=told)
    return one


def _lapsed(one: Agreed, last: tuple[str, Instance, str] | None, when: str) -> Agreed:
    """Nobody signed in time: the last agreed target stands, and where there never was one, the proposal."""
    if last is None:
        told = f"{when}, and never before; the proposal stands unsigned"
        return Agreed(one.row, one.instance, "lapsed", told, one.since, one.amended)
    label, before, words = last
    told = f"{when}; the last agreed target, {words} of {label}, stands"
    instance = one.instance.aimed(before.target, before.stretch, before.red_flag)
    return Agreed(one.row, instance, "lapsed", told, label, one.amended)


def moved(row: Instance, target: Target) -> Instance:
    """The row with another target; stretch and red flag stay where they still lie beyond it on their side."""
    value = target.value
    if value is None:
        return row.aimed(target, row.stretch, row.red_flag)
    up = target.kind == "at_least"

    def beyond(bound: Decimal | None, better: bool) -> Decimal | None:
        if bound is None:
            return None
        fits = bound > value if up == better else bound < value
        return bound if fits else None

    return row.aimed(target, beyond(row.stretch, True), beyond(row.red_flag, False))
