"""Attainment, pace, status and the weighted score (goals.md 5 and 6); apart, because this arithmetic has
published oracles and must be readable beside them.

Everything is Decimal, nothing is rounded here, and unknown never becomes zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from pbr_lib.definitions import Goal, Metric, StatusBands, Target
from pbr_lib.model import date_text, percent_text
from pbr_lib.pacing import YOUNG, Clock, Facts, Measured, Pace, PaceShare, Phase, is_flow, pace
from pbr_lib.params import Instance

__all__ = ["Clock", "Facts", "Measured", "Pace", "PaceShare", "Result", "Score", "Standing", "attainment", "evaluate"]
__all__ += ["has_ratio", "is_met", "resolve_bounds", "resolve_target", "score", "standing", "weighted"]
__all__ += ["Weighted", "weights_fault"]

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

_ZERO, _ONE = Decimal(0), Decimal(1)
_LEAST_KNOWN_WEIGHT = Decimal("0.6")
_LEAST = percent_text(_LEAST_KNOWN_WEIGHT)


@dataclass(frozen=True)
class Result:
    """One goal of one partner in one quarter, evaluated.

    ``met`` says whether the target is reached as things stand, also where attainment has no ratio; None when nothing
    is known. ``reachable`` is actual + in progress, ``reach`` what that would attain: both only of flows that grow to
    a least target, and never part of the actual. ``p_met`` is the probability of meeting the target, where there is a
    forecast; ``judged_by`` says what the standing rests on while the quarter runs. ``note`` is a remark for people,
    such as ``done, late (4 Sep 2026, due 1 Sep 2026)``.
    """

    key: str
    instance: Instance
    measured: Measured
    attained: Decimal | None
    pace: Pace
    standing: Standing
    met: bool | None = None
    reachable: Decimal | None = None
    reach: Decimal | None = None
    p_met: Decimal | None = None
    judged_by: Literal["pace", "probability", "result"] = "pace"
    note: str = ""


@dataclass(frozen=True)
class Score:
    """The weighted attainment of a partner's goals; ``value`` is None when too little weight is known.

    ``left_out`` counts goals whose target has no ratio: they are met or not met, and no part of a mean.
    """

    value: Decimal | None
    expected: Decimal | None
    known_goals: int
    goals: int
    known_weight: Decimal
    standing: Standing
    left_out: int = 0

    @property
    def words(self) -> str:
        """What the score rests on: ``based on 4 of 5 goals, 80 % of weight``."""
        text = Weighted(self.value, self.known_goals, self.goals, self.known_weight).words
        if self.left_out:
            text += f"; {self.left_out} with a target of 0 {'is' if self.left_out == 1 else 'are'} met or not, left out"
        return text


@dataclass(frozen=True)
class Weighted:
    """A weighted mean of attainments and what it rests on: how many goals of how many, and how much of the weight."""

    value: Decimal | None
    known: int
    goals: int
    known_weight: Decimal

    @property
    def words(self) -> str:
        """``based on 4 of 5 goals, 80 % of weight``, or why there is no mean."""
        if self.goals == 0:
            return "no goal has both a weight and a percentage"
        share = percent_text(self.known_weight)
        goals = f"{self.known} of {self.goals} goal{'' if self.goals == 1 else 's'}"
        if self.value is None:
            short = self.known_weight < _LEAST_KNOWN_WEIGHT
            # 59.6 % must not be printed as the 60 % that it falls short of.
            share = percent_text(self.known_weight, 1) if short and share == _LEAST else share
            return f"no score: {goals} known, {share} of weight, and {_LEAST} are needed"
        return f"based on {goals}, {share} of weight"


def attainment(target: Target, actual: Decimal | None, first_day: dt.date | None = None) -> Decimal | None:
    """How much of a target is reached, uncapped (goals.md 5.1).

    None where it is undefined: nothing measured, or a target without a ratio (see :func:`has_ratio`).
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
    if goal is None or not has_ratio(target):
        return None
    if target.base is not None:
        # The same quotient serves both directions: from 96 down to 80, 88 is half the way.
        return (actual - target.base) / (goal - target.base)
    if target.kind == "at_least":
        return actual / goal
    return _ONE if actual <= goal else max(_ZERO, 2 - actual / goal)


def has_ratio(target: Target) -> bool:
    """Whether attainment is a ratio: a target of 0 without a base is met or not met and has none.

    Neither way: were *at most 0* 100 % when met and nothing when missed, a mean would count only the good ones.
    """
    return target.value is None or target.base is not None or target.value > 0


def is_met(target: Target, actual: Decimal, first_day: dt.date | None = None) -> bool:
    """Whether a target is reached, also where attainment has no ratio."""
    if target.kind == "done_by":
        return attainment(target, actual, first_day) == 1
    if target.between is not None:
        return target.between[0] <= actual <= target.between[1]
    goal = target.value or _ZERO
    return actual >= goal if target.kind == "at_least" else actual <= goal


def resolve_target(goal: Goal, metric: Metric, clock: Clock) -> Target | None:
    """The target that a definition gives a partner when no row agrees one; None when the partner takes no part.

    A partner who joined, left or paused within the quarter gets the share of its eligible days; counts are rounded
    half-up and stay at least 1 (goals.md 4.1). Under ``new_partner: full`` joining takes nothing away, and under
    ``skip_first`` the quarter of joining has no target.
    """
    value = goal.target.value
    joining = clock.since is not None and clock.since > clock.quarter.start
    days, whole = clock.days, (clock.quarter.end - clock.quarter.start).days
    if not days or (joining and goal.new_partner == "skip_first"):
        return None
    if joining and clock.since is not None and goal.new_partner == "full":
        days += (clock.since - clock.quarter.start).days
    if days == whole or value is None or value <= 0 or goal.target.base is not None:
        return goal.target
    return goal.target.moved_to(_share_of(value, metric, Decimal(days) / whole)) if is_flow(metric) else goal.target


def resolve_bounds(goal: Goal, metric: Metric, target: Target) -> tuple[Decimal | None, Decimal | None]:
    """Stretch and red flag beside a resolved target: parts of the definition's own where the target is one."""
    whole, value = goal.target.value, target.value
    if whole is None or value is None or whole == value:
        return goal.stretch, goal.red_flag

    def part(bound: Decimal | None) -> Decimal | None:
        return None if bound is None else _rounded(bound * value / whole, metric)

    return part(goal.stretch), part(goal.red_flag)


def _share_of(value: Decimal, metric: Metric, share: Decimal) -> Decimal:
    part = _rounded(value * share, metric)
    return max(_ONE, part) if metric.unit.kind == "count" else part


def _rounded(value: Decimal, metric: Metric) -> Decimal:
    places = {"count": _ONE, "money": Decimal("0.01")}.get(metric.unit.kind)
    return value if places is None else value.quantize(places, ROUND_HALF_UP)


def evaluate(key: str, goal: Goal, metric: Metric, instance: Instance, facts: Facts) -> Result:
    """One goal's result from what was measured, where the clock stands, and what may still come."""
    measured, target = facts.measured, instance.target
    actual = measured.value if measured.known else None
    attained = attainment(target, actual, measured.first_day)
    paced = pace(goal, metric, target, facts, attained)
    likely = _likely(metric, target, facts)
    reachable = None
    if actual is not None and measured.in_progress is not None and is_flow(metric) and target.kind == "at_least":
        reachable = actual + measured.in_progress
    return Result(
        key,
        instance,
        measured,
        attained,
        paced,
        _standing(goal, instance, facts, paced, likely),
        met=None if actual is None else is_met(target, actual, measured.first_day),
        reachable=reachable,
        reach=attainment(target, reachable),
        p_met=facts.p_met,
        judged_by="result" if facts.clock.phase != "running" else "pace" if likely is None else "probability",
        note=_note(target, actual, measured.first_day),
    )


def _likely(metric: Metric, target: Target, facts: Facts) -> Decimal | None:
    """The probability that a standing rests on: of counts only, whose pace says too much of too little."""
    counted = metric.unit.kind == "count" and is_flow(metric) and target.done_by is None
    return facts.p_met if counted else None


def _note(target: Target, actual: Decimal | None, first_day: dt.date | None) -> str:
    if actual is None:
        return ""
    if target.done_by is not None:
        due = date_text(target.done_by)
        if first_day is None:
            return f"not done, due {due}"
        late = ", late" if first_day > target.done_by else ""
        return f"done{late} ({date_text(first_day)}, due {due})"
    if not has_ratio(target):
        return f"{'met' if is_met(target, actual) else 'not met'}; a target of 0 has no percentage"
    return ""


def score(results: Iterable[tuple[Result, Goal]], phase: Phase = "running") -> Score:
    """The weighted mean of attainments, each floored at 0 and capped; no score below 60 % of known weight.

    Goals without weight, and those whose target has no ratio, are no part of it: neither known nor missing.
    """
    rows = [
        (result, result.instance.weight if result.instance.weight is not None else goal.weight, goal.cap_attainment)
        for result, goal in results
    ]
    weighty = [row for row in rows if row[1] > 0]
    rows = [row for row in weighty if has_ratio(row[0].instance.target)]
    mean = weighted((r.attained, w if r.attained is not None else _ZERO, w, cap) for r, w, cap in rows)
    facts = (mean.known, mean.goals, mean.known_weight)
    left_out = len(weighty) - len(rows)
    if mean.value is None:
        return Score(None, None, *facts, "not measurable", left_out)
    known = [(result, weight) for result, weight, _ in rows if result.attained is not None]
    total = sum((weight for _, weight in known), _ZERO)
    expected = sum((w * (r.pace.share if r.pace.share is not None else _ONE) for r, w in known), _ZERO) / total
    if phase != "running":
        state: Standing = "met" if mean.value >= 1 else "missed"
    elif not expected or all(result.standing == "too early" for result, _ in known):
        state = "too early"
    else:
        state = standing(mean.value / expected, StatusBands())
    return Score(mean.value, expected, *facts, state, left_out)


def weighted(rows: Iterable[tuple[Decimal | None, Decimal, Decimal, Decimal]]) -> Weighted:
    """The mean of attainments by weight, each floored at 0 and capped; none below 60 % of known weight.

    A row is attainment (None where it is not known), the weight behind what is known, the whole weight, and the cap.
    """
    every = [row for row in rows if row[2] > 0]
    known = [row for row in every if row[0] is not None and row[1] > 0]
    whole, total = sum((row[2] for row in every), _ZERO), sum((row[1] for row in known), _ZERO)
    share = total / whole if whole else _ZERO
    if not known or share < _LEAST_KNOWN_WEIGHT:
        return Weighted(None, len(known), len(every), share)
    value = sum((weight * min(max(a or _ZERO, _ZERO), cap) for a, weight, _, cap in known), _ZERO) / total
    return Weighted(value, len(known), len(every), share)


def weights_fault(weights: Sequence[Decimal]) -> str:
    """What is odd about the weights of one partner's goals, in words; empty when nothing is.

    The score divides by their sum, so weights need not make 100; those that look like percentages and make something
    else are probably a slip (a published plan reads 30/30/40, a copy of it 30/30/60).
    """
    whole = sum(weights, _ZERO)
    if any(weight < 0 for weight in weights):
        return "a weight is below 0"
    if weights and whole <= 0:
        return "no goal has a weight above 0, so there is no score"
    # Weights that are all alike, or small, are plainly no percentages.
    percentages = len(set(weights)) > 1 and all(weight >= 5 or weight == 0 for weight in weights)
    if percentages and whole != 100 and 50 <= whole <= 200:
        return f"the weights add up to {whole.normalize():f}, not to 100; the score divides by their sum"
    return ""


def standing(index: Decimal | None, bands: StatusBands) -> Standing:
    """A pace index in words."""
    if index is None:
        return "not measurable"
    if index >= bands.green_from:
        return "on track"
    return "at risk" if index >= bands.amber_from else "off track"


def _standing(goal: Goal, instance: Instance, facts: Facts, paced: Pace, likely: Decimal | None) -> Standing:
    measured, clock = facts.measured, facts.clock
    if not measured.known or measured.value is None:
        return "not measurable"
    actual = measured.value
    if clock.phase != "running":
        return _verdict(instance, measured)
    target, floor = instance.target, instance.red_flag
    met = is_met(target, actual, measured.first_day)
    base = target.base or _ZERO
    if clock.age < YOUNG:
        return "too early"
    if not met and paced.expected is not None and paced.expected - base < 1:
        return "too early"
    if not met and target.done_by is not None and clock.as_of < target.done_by:
        return "too early"
    if floor is not None and _worse(actual, _floor_by_now(floor, base, paced), target):
        return "below floor"
    if likely is not None:
        return _by_probability(likely, goal.status)
    if paced.index is None:
        return "on track" if met else "off track"
    return standing(paced.index, goal.status)


def _by_probability(likely: Decimal, bands: StatusBands) -> Standing:
    if likely >= bands.likely_from:
        return "on track"
    return "at risk" if likely >= bands.possible_from else "off track"


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
