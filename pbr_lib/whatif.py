"""Targets tried out: other numbers in place of those that stand or are proposed; apart, because trying is arithmetic on
rows, writes nothing, and must read and round a number exactly as the file of targets and renewal do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from pbr_lib.agreement import moved
from pbr_lib.definitions import Goal, Metric, Target, number
from pbr_lib.errors import InputError, UnknownPartner, did_you_mean, parted
from pbr_lib.goalrows import Instance, typed_target
from pbr_lib.model import Unit
from pbr_lib.params import Params
from pbr_lib.renewal.rounding import multiple, rounding_unit

__all__ = ["Edit", "apply", "ask", "changed", "chosen"]

_WHERE = "the change asked for"
_HOW = 'write it like "+10 %", "-5 %", "+2" or, of a percentage, "+5 points"'
_ONE, _HUNDRED = Decimal(1), Decimal(100)


@dataclass(frozen=True)
class Edit:
    """Another target for a goal (empty: each goal that has a number), for these partners (none: all).

    Either ``target``, as the file of targets writes it, or ``change``: ``+10 %``, ``-2``, ``+5 points``. ``reason`` is
    what the row's basis will say.
    """

    goal: str = ""
    target: str = ""
    change: str = ""
    partners: tuple[str, ...] = ()
    reason: str = ""


def ask(goal: str, target: Any, change: str, partners: Iterable[str] | str | None, reason: str = "") -> Edit:
    """What somebody asked for in a notebook: a target may be a number, a text, a day, or the two ends of a range.

    Raises
    ------
    InputError
        When not exactly one of target and change is given, or a target without a goal.
    """
    text, change = _text(target), change.strip()
    if bool(text) == bool(change):
        raise InputError("this needs a target or a change, and not both", _WHERE, 'e.g. target=6, or change="+10 %"')
    if text and not goal:
        raise InputError("one target cannot suit every goal", _WHERE, 'name the goal, or say change="+10 %"')
    if change and not goal and not change.endswith("%"):
        raise InputError("one step cannot suit every goal", _WHERE, 'name the goal, or say change="+10 %"')
    whose = (partners,) if isinstance(partners, str) else tuple(partners or ())
    return Edit(goal, text, change, whose, reason.strip())


def _text(target: Any) -> str:
    if target is None:
        return ""
    if isinstance(target, dt.date):
        return target.isoformat()
    if isinstance(target, tuple | list):
        return "..".join(_text(end) for end in target)
    return format(target, "f") if isinstance(target, Decimal) else str(target).strip()


def chosen(rows: Sequence[Instance], edit: Edit, settings: Params) -> list[int]:
    """The places of the rows that an edit speaks of.

    Raises
    ------
    InputError
        For a goal that is not defined, a partner without a row, or when no row is left.
    """
    if edit.goal and edit.goal not in settings.goals:
        fix = did_you_mean(edit.goal, list(settings.goals))
        raise InputError(f'no goal is called "{edit.goal}"', "params/goals.yaml", fix)
    known = dict.fromkeys(row.partner_id for row in rows)
    for partner in edit.partners:
        if partner not in known:
            raise UnknownPartner(f'no target is of a partner "{partner}"', _WHERE, did_you_mean(partner, list(known)))
    whose = set(edit.partners or known)
    found = [at for at, row in enumerate(rows) if row.goal == (edit.goal or row.goal) and row.partner_id in whose]
    if not found:
        own = sorted({row.goal for row in rows if row.partner_id in whose})
        who = ", ".join(edit.partners) or "any partner"
        raise InputError(f'no target of {who} is of the goal "{edit.goal}"', _WHERE, did_you_mean(edit.goal, own))
    return found


def apply(rows: Sequence[Instance], edits: Iterable[Edit], settings: Params) -> tuple[Instance, ...]:
    """The rows with other targets, in the same order; a row whose target stays is the same row.

    Stretch and red flag stay where they still lie on their side of the target. A target that is a day stays under a
    change; both ends of a range move.

    Raises
    ------
    InputError
        As :func:`chosen`, and for a target or change that cannot be read, or that makes no target.
    """
    out = list(rows)
    for edit in edits:
        for at in chosen(out, edit, settings):
            row = out[at]
            goal = settings.goals[row.goal]
            target = _edited(row, edit, goal, settings.metrics)
            if target != row.target:
                basis = edit.reason or "; ".join(filter(None, ("set by hand", row.basis.removeprefix("set by hand; "))))
                out[at] = replace(moved(row, target), basis=basis)
    return tuple(out)


def _edited(row: Instance, edit: Edit, goal: Goal, metrics: Mapping[str, Metric]) -> Target:
    metric = metrics[goal.metric]
    if edit.target:
        return typed_target(edit.target, goal, metric, "the target asked for")
    return changed(row.target, edit.change, metric.unit.unit, goal.renew.round_to)


def changed(target: Target, change: str, unit: Unit, round_to: Decimal | None = None) -> Target:
    """A target after a change, rounded as renewal rounds it; ``+10 %`` is of the number that stands.

    Raises
    ------
    InputError
        For a change that cannot be read, or whose outcome is no target.
    """
    share, step = _read(change, unit)

    def move(value: Decimal) -> Decimal:
        wish = value * (_ONE + share) + step
        return multiple(wish, rounding_unit(unit, round_to, wish))

    try:
        if target.between is not None:
            return Target(between=(move(target.between[0]), move(target.between[1])))
        return target if target.value is None else target.moved_to(move(target.value))
    except ValidationError as error:
        what, fix = parted(error.errors()[0]["ctx"]["error"])
        raise InputError(what, _WHERE, fix) from None


def _read(change: str, unit: Unit) -> tuple[Decimal, Decimal]:
    """The share by which, and the step by which, a number moves."""
    text = change.strip().replace("−", "-")
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").strip()
    for word in (" points", " point"):
        if digits.endswith(word) and unit.kind == "percent":
            return Decimal(0), sign * _number(digits.removesuffix(word), change) / _HUNDRED
    if digits.endswith("%"):
        return sign * _number(digits, change), Decimal(0)
    if unit.kind == "percent":
        raise InputError(f'"{change}" does not say of what', _WHERE, 'of a percentage write "+10 %" or "+5 points"')
    return Decimal(0), sign * _number(digits, change)


def _number(text: str, change: str) -> Decimal:
    try:
        value = number(text)
    except ValueError:
        value = None
    if value is None or value < 0:
        raise InputError(f'"{change}" is no change', _WHERE, _HOW)
    return value
