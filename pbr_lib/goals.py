"""Attainment, pace, status and the weighted score (goals.md 5 and 6); apart, because this arithmetic has
published oracles and must be readable beside them.

Everything is Decimal, nothing is rounded here, and unknown never becomes zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from pbr_lib.definitions import Goal, Metric, SimpleMetric, StatusBands, Target
from pbr_lib.params import Instance
from pbr_lib.periods import Quarter

__all__ = ["Clock", "Measured", "Pace", "Result", "Score", "Standing", "attainment", "evaluate", "score"]
__all__ += ["is_met", "resolve_bounds", "resolve_target", "standing"]

Phase = Literal["running", "closing", "final"]
Standing = Literal[
    "exceeded",
    "met",
    "missed",
    "on track",
    "at risk",
    "off track",
    "below floor",
    "too early",
    "not measurable",
]

_ADDITIVE = ("count", "count_distinct", "sum")
_ZERO, _ONE = Decimal(0), Decimal(1)
_YOUNG = 14
_LEAST_KNOWN_WEIGHT = Decimal("0.6")


@dataclass(frozen=True)
class Clock:
    """Where a quarter stands on the run's business day.

    ``since`` is the first day that counts for a partner who joined within the quarter, else None.
    """

    quarter: Quarter
    as_of: dt.date
    final_after: int = 10
    since: dt.date | None = None

    @property
    def phase(self) -> Phase:
        """running until the last day, closing until the close lag is over, then final."""
        if self.as_of < self.quarter.last_day:
            return "running"
        # Counted from the last day, so that the lag is as long whatever weekday the next quarter begins on.
        final_on = self.quarter.calendar.add_business_days(self.quarter.last_day, self.final_after)
        return "final" if self.as_of >= final_on else "closing"

    @property
    def age(self) -> int:
        """Days that have counted so far, this one included."""
        start = max(self.quarter.start, self.since) if self.since else self.quarter.start
        return (self.as_of - start).days + 1

    def elapsed(self, business: bool) -> Decimal:
        """The share of the time that has passed, 0 to 1."""
        return Decimal(repr(self.quarter.elapsed(self.as_of, self.since, business=business)))

    @property
    def eligible(self) -> Decimal:
        """The share of the quarter's days on which the partner takes part (both ends inclusive)."""
        start = max(self.quarter.start, self.since) if self.since else self.quarter.start
        return Decimal((self.quarter.end - start).days) / Decimal((self.quarter.end - self.quarter.start).days)


@dataclass(frozen=True)
class Measured:
    """What the measurement says of one metric, partner and quarter."""

    state: str = "unknown"
    value: Decimal | None = None
    n: int = 0
    first_day: dt.date | None = None
    in_progress: Decimal | None = None
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a number, zero included."""
        return self.state in ("value", "zero") and self.value is not None


@dataclass(frozen=True)
class Pace:
    """What was to be expected by now, the index of actual against it, and what the expectation rests on."""

    expected: Decimal | None
    index: Decimal | None
    basis: str
    share: Decimal | None = None


@dataclass(frozen=True)
class Result:
    """One goal of one partner in one quarter, evaluated."""

    key: str
    instance: Instance
    measured: Measured
    attained: Decimal | None
    pace: Pace
    standing: Standing


@dataclass(frozen=True)
class Score:
    """The weighted attainment of a partner's goals; ``value`` is None when too little weight is known."""

    value: Decimal | None
    expected: Decimal | None
    known_goals: int
    goals: int
    known_weight: Decimal
    standing: Standing


def attainment(target: Target, actual: Decimal | None, first_day: dt.date | None = None) -> Decimal | None:
    """How much of a target is reached, uncapped (goals.md 5.1).

    None where it is undefined: nothing measured, or at least 0, which is met or not but has no ratio.
    """
    if target.kind == "done_by":
        done = first_day is not None and target.done_by is not None and first_day <= target.done_by
        return None if actual is None else (_ONE if done else _ZERO)
    if actual is None:
        return None
    if target.between is not None:
        low, high = target.between
        distance = max(low - actual, actual - high, _ZERO)
        return max(_ZERO, _ONE - distance / (high - low))
    goal = target.value
    if goal is None:
        return None
    if target.kind == "at_least":
        if target.base is not None:
            return (actual - target.base) / (goal - target.base)
        return actual / goal if goal > 0 else None
    if target.base is not None:
        return (target.base - actual) / (target.base - goal)
    if goal == 0:
        return _ONE if actual <= 0 else None
    return _ONE if actual <= goal else max(_ZERO, 2 - actual / goal)


def is_met(target: Target, actual: Decimal, first_day: dt.date | None = None) -> bool:
    """Whether a target is reached, also where attainment has no ratio."""
    if target.kind == "done_by":
        return attainment(target, actual, first_day) == 1
    if target.between is not None:
        return target.between[0] <= actual <= target.between[1]
    goal = target.value or _ZERO
    return actual >= goal if target.kind == "at_least" else actual <= goal


def resolve_target(goal: Goal, metric: Metric, clock: Clock) -> Target | None:
    """The target that a definition gives a partner when no row agrees one; None when the first period is skipped.

    A partner who joined within the quarter gets the share of its eligible days; counts are rounded
    half-up and stay at least 1 (goals.md 4.1).
    """
    value = goal.target.value
    joining = clock.since is not None and clock.since > clock.quarter.start
    if joining and goal.new_partner == "skip_first":
        return None
    if not joining or goal.new_partner == "full" or value is None or value <= 0 or goal.target.base is not None:
        return goal.target
    return goal.target.moved_to(_share_of(value, metric, clock)) if _is_flow(metric) else goal.target


def resolve_bounds(goal: Goal, metric: Metric, target: Target) -> tuple[Decimal | None, Decimal | None]:
    """Stretch and red flag beside a resolved target: parts of the definition's own where the target is one."""
    whole, value = goal.target.value, target.value
    if whole is None or value is None or whole == value:
        return goal.stretch, goal.red_flag

    def part(bound: Decimal | None) -> Decimal | None:
        return None if bound is None else _rounded(bound * value / whole, metric)

    return part(goal.stretch), part(goal.red_flag)


def _share_of(value: Decimal, metric: Metric, clock: Clock) -> Decimal:
    part = _rounded(value * clock.eligible, metric)
    return max(_ONE, part) if metric.unit.kind == "count" else part


def _rounded(value: Decimal, metric: Metric) -> Decimal:
    places = {"count": _ONE, "money": Decimal("0.01")}.get(metric.unit.kind)
    return value if places is None else value.quantize(places, ROUND_HALF_UP)


def _is_flow(metric: Metric) -> bool:
    """Whether a metric grows day by day; levels, ratios and means do not."""
    return isinstance(metric, SimpleMetric) and metric.grows


def evaluate(key: str, goal: Goal, metric: Metric, instance: Instance, facts: tuple[Measured, Clock]) -> Result:
    """One goal's result from what was measured and where the clock stands."""
    measured, clock = facts
    actual = measured.value if measured.known else None
    attained = attainment(instance.target, actual, measured.first_day)
    pace = _pace(goal, metric, instance, measured, clock)
    return Result(key, instance, measured, attained, pace, _standing(goal, instance, measured, pace, clock))


def score(results: Iterable[tuple[Result, Goal]], phase: Phase = "running") -> Score:
    """The weighted mean of attainments, each floored at 0 and capped; no score below 60 % of known weight."""
    rows = [
        (result, result.instance.weight if result.instance.weight is not None else goal.weight, goal.cap_attainment)
        for result, goal in results
    ]
    rows = [row for row in rows if row[1] > 0]
    known = [(result, weight, cap) for result, weight, cap in rows if result.attained is not None]
    whole = sum((weight for _, weight, _ in rows), _ZERO)
    share = sum((weight for _, weight, _ in known), _ZERO) / whole if whole else _ZERO
    if not known or share < _LEAST_KNOWN_WEIGHT:
        return Score(None, None, len(known), len(rows), share, "not measurable")
    total = sum((weight for _, weight, _ in known), _ZERO)
    value = sum((w * min(max(r.attained or _ZERO, _ZERO), cap) for r, w, cap in known), _ZERO) / total
    expected = sum((w * (r.pace.share if r.pace.share is not None else _ONE) for r, w, _ in known), _ZERO) / total
    if phase != "running":
        state: Standing = "met" if value >= 1 else "missed"
    elif not expected or all(result.standing == "too early" for result, _, _ in known):
        state = "too early"
    else:
        state = standing(value / expected, StatusBands())
    return Score(value, expected, len(known), len(rows), share, state)


def standing(index: Decimal | None, bands: StatusBands) -> Standing:
    """A pace index in words."""
    if index is None:
        return "not measurable"
    if index >= bands.green_from:
        return "on track"
    return "at risk" if index >= bands.amber_from else "off track"


def _pace(goal: Goal, metric: Metric, instance: Instance, measured: Measured, clock: Clock) -> Pace:
    """Only flows are paced; a level or a ratio is held against its target as it stands."""
    target, actual = instance.target, measured.value if measured.known else None
    attained = attainment(target, actual, measured.first_day)
    if target.done_by is not None:
        due = clock.as_of >= target.done_by
        return Pace(None, attained if due or attained else None, "held against its day", _ONE if due else _ZERO)
    if not _is_flow(metric) or target.kind != "at_least" or target.value is None:
        return Pace(None, attained, "held against the target as it stands")
    calendar = goal.pace == "calendar_days"
    share = clock.elapsed(business=not calendar)
    base = target.base or _ZERO
    expected = base + (target.value - base) * share
    gained = None if actual is None else actual - base
    wanted = expected - base
    index = None if gained is None or wanted == 0 else gained / wanted
    basis = "calendar days" if calendar else "business days"
    return Pace(expected, index, f"even pace over {basis}", share)


def _standing(goal: Goal, instance: Instance, measured: Measured, pace: Pace, clock: Clock) -> Standing:
    if not measured.known or measured.value is None:
        return "not measurable"
    actual = measured.value
    if clock.phase != "running":
        return _verdict(instance, measured)
    target, floor = instance.target, instance.red_flag
    met = is_met(target, actual, measured.first_day)
    base = target.base or _ZERO
    if clock.age < _YOUNG:
        return "too early"
    if not met and pace.expected is not None and pace.expected - base < 1:
        return "too early"
    if not met and target.done_by is not None and clock.as_of < target.done_by:
        return "too early"
    if floor is not None and _worse(actual, _floor_by_now(floor, base, pace), target):
        return "below floor"
    if pace.index is None:
        return "on track" if met else "off track"
    return standing(pace.index, goal.status)


def _floor_by_now(floor: Decimal, base: Decimal, pace: Pace) -> Decimal:
    """The floor of a paced goal grows with the quarter as its target does."""
    return floor if pace.expected is None or pace.share is None else base + (floor - base) * pace.share


def _verdict(instance: Instance, measured: Measured) -> Standing:
    actual = measured.value or _ZERO
    stretch, floor = instance.stretch, instance.red_flag
    met = is_met(instance.target, actual, measured.first_day)
    if met and stretch is not None and not _worse(actual, stretch, instance.target):
        return "exceeded"
    if met:
        return "met"
    return "below floor" if floor is not None and _worse(actual, floor, instance.target) else "missed"


def _worse(actual: Decimal, bound: Decimal, target: Target) -> bool:
    return actual > bound if target.kind == "at_most" else actual < bound
