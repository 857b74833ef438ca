"""What becomes of a number that a rule asks for: step limit, floor and cap, proration, rounding, in this order
(goals.md 4.1); apart, because these bounds hold for every rule, and property tests hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from pbr_lib.renewal.facts import Frame, Log
from pbr_lib.renewal.rounding import inside, multiple, percent, plain, rounding_unit, say, steady

__all__ = ["beside", "bounded"]

_ZERO, _ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True)
class _Window:
    """Between which values a target may lie: by the step limit, and by floor and cap."""

    low: Decimal
    high: Decimal
    floor: Decimal | None
    cap: Decimal | None


def bounded(frame: Frame, value: Decimal, log: Log) -> Decimal:
    """Step limit, floor and cap, proration, rounding."""
    value, window = _capped(frame, *_limited(frame, value, log), log)
    part = frame.step.eligible
    if part is None or part.full:
        log.stage("proration", value, "every day counts")
    elif not frame.scales:
        log.stage("proration", value, "not prorated: this does not grow with the days")
    else:
        value, low, high = (steady(part.part(each)) for each in (value, window.low, window.high))
        floor, cap = (None if each is None else steady(part.part(each)) for each in (window.floor, window.cap))
        window = _Window(low, high, floor, cap)
        log.flag("prorated")
        log.stage("proration", value, part.words)
    rounded = _on_right_side(frame, _rounded(frame, value, window, "prorated" in log.flags), log)
    log.stage("rounding", rounded, f"to multiples of {say(_grain(frame, rounded), frame.unit)}, half up")
    return rounded


def _limited(frame: Frame, value: Decimal, log: Log) -> tuple[Decimal, Decimal, Decimal]:
    """No further from the last target than the step limit, which is never less than one unit of rounding.

    Otherwise a target of 1 could never move, and one of 2 could rise but never fall.
    """
    renew, start = frame.step.goal.renew, frame.start
    shares = (renew.max_step_down, renew.max_step_up)
    down, up = (max(share * abs(start), frame.grain) if share else _ZERO for share in shares)
    low, high = start - down, start + up
    kept = min(max(value, low), high)
    if kept == value:
        log.stage("step limit", value, "within the step limit")
        return value, low, high
    rising = value > high
    share, size = (shares[1], up) if rising else (shares[0], down)
    sign = "+" if rising else "−"
    words = f"step limited to {sign}{percent(share)}"
    if size > share * abs(start):
        words = f"step limited to {sign}{say(size, frame.unit)}, one unit of rounding"
    log.flag("step limited", words)
    log.stage("step limit", kept, words)
    return kept, low, high


def _capped(frame: Frame, value: Decimal, low: Decimal, high: Decimal, log: Log) -> tuple[Decimal, _Window]:
    """Not below the floor and not above the cap: the goal's own, and those that the kind of number has."""
    renew, unit = frame.step.goal.renew, frame.unit
    floor, cap = renew.floor, renew.cap
    if frame.target.base is None and (floor is None or floor < 0):
        floor = _ZERO
    shares = unit.kind == "percent" and frame.start <= 1
    if shares and cap is None and all(past.actual is None or past.actual <= 1 for past in frame.step.past):
        # A share that was never above 100 % has its whole there; one that was, such as net retention, has not.
        cap = _ONE
    if cap is not None and floor is not None:
        cap = max(cap, floor)
    window = _Window(low, high, floor, cap)
    if floor is not None and value < floor:
        words = f"raised to the floor of {say(floor, unit)}" if renew.floor == floor else "not below 0"
        log.flag("floor", words)
        log.stage("floor and cap", floor, words)
        return floor, window
    if cap is not None and value > cap:
        words = f"held at the cap of {say(cap, unit)}" if renew.cap == cap else f"not above {say(cap, unit)}"
        log.flag("cap", words)
        log.stage("floor and cap", cap, words)
        return cap, window
    log.stage("floor and cap", value, "within floor and cap")
    return value, window


def _grain(frame: Frame, value: Decimal) -> Decimal:
    """The unit of rounding; a finer one for the few days of a part of a quarter, which it would drown."""
    if not value or abs(value) >= frame.grain:
        return frame.grain
    return min(frame.grain, rounding_unit(frame.unit, None, value))


def _rounded(frame: Frame, value: Decimal, window: _Window, prorated: bool) -> Decimal:
    """Half up, but not across the step limit, floor or cap as long as a multiple lies within them."""
    if value == frame.given and not prorated:
        return frame.given
    grain = _grain(frame, value) if prorated else frame.grain
    target = multiple(value, grain)
    low = window.low if window.floor is None else max(window.low, window.floor)
    high = window.high if window.cap is None else min(window.high, window.cap)
    # A floor or cap may lie beyond the step limit, and then it stands.
    bounds = ((min(low, value), max(high, value)), (window.floor, window.cap))
    choices = (inside(target, least, most, grain) for least, most in bounds)
    target = next((each for each in choices if each is not None), target)
    if target <= 0 < frame.given and frame.target.base is None and (prorated or frame.target.kind == "at_least"):
        # A goal of nothing is no goal, and a few days of a small one are not none.
        return plain(grain)
    return target


def _on_right_side(frame: Frame, target: Decimal, log: Log) -> Decimal:
    """Beyond the base, or attainment would be undefined; a target never moves past its last value to get there."""
    base, given = frame.target.base, frame.given
    if base is None:
        return target
    higher = frame.target.kind == "at_least"
    if target > base if higher else target < base:
        return target
    rounding = ROUND_FLOOR if higher else ROUND_CEILING
    beyond = multiple(base, frame.grain, rounding) + (frame.grain if higher else -frame.grain)
    log.flag("base", f"kept {'above' if higher else 'below'} the base of {say(base, frame.unit)}")
    return plain(min(beyond, given) if higher else max(beyond, given))


def beside(frame: Frame, bound: Decimal | None, target: Decimal, above: bool) -> Decimal | None:
    """Stretch or red flag moved in proportion, on its own side of the target; None where no room is left there."""
    given, base = frame.given, frame.target.base or _ZERO
    if bound is None or target == given:
        return bound
    moved = bound + target - given if given == base else base + (bound - base) * (target - base) / (given - base)
    grain = _grain(frame, target)
    moved = multiple(moved, grain)
    apart = bound > given if above else bound < given
    if apart:
        moved = max(moved, target + grain) if above else min(moved, target - grain)
    if frame.unit.kind == "percent" and bound <= 1:
        moved = min(moved, _ONE)
    if frame.target.base is None:
        moved = max(moved, _ZERO)
    return moved if not apart or (moved > target if above else moved < target) else None
