"""What a renewal starts from: the last target and earlier actuals, made comparable with the new quarter; apart, because
days that did not count and a 53rd week concern every rule alike.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from pbr_lib.definitions import Goal, Metric, Target
from pbr_lib.model import Unit
from pbr_lib.pacing import YOUNG, is_flow
from pbr_lib.peers import PeerValue
from pbr_lib.periods import Quarter, comparable
from pbr_lib.proration import Eligible
from pbr_lib.renewal.rounding import multiple, rounding_unit, say

__all__ = ["Certainty", "Flag", "Frame", "Log", "Past", "Stage", "Step", "actual_of", "framed"]

Certainty = Literal["final", "provisional", "forecast"]
Flag = Literal[
    "missing actual",
    "some actuals missing",
    "provisional actual",
    "forecast actual",
    "target of the definition",
    "scaled to a whole quarter",
    "scaled by weeks",
    "step limited",
    "floor",
    "cap",
    "base",
    "carried",
    "prorated",
    "peers too few",
    "to be set by hand",
    "done",
    "not taking part",
]

_ZERO, _ONE = Decimal(0), Decimal(1)
_HALF_A_CENT = Decimal("0.005")


@dataclass(frozen=True)
class Past:
    """What came of one earlier quarter.

    ``actual`` is None where it is not known. ``eligible`` are the days that counted for the partner then, None for
    all of them. ``first_day`` is the day of the first record, for milestones.
    """

    quarter: Quarter
    actual: Decimal | None = None
    certainty: Certainty = "final"
    eligible: Eligible | None = None
    first_day: dt.date | None = None


@dataclass(frozen=True)
class Step:
    """Everything that one goal of one partner is renewed from.

    Parameters
    ----------
    goal, metric:
        The definitions.
    quarter:
        The quarter that the target is for.
    past:
        The quarters before it without a gap, the latest first: ``past[0]`` is the last quarter, ``past[3]`` the same
        quarter of last year.
    last:
        The target that counted in the last quarter; None where there was none, and the definition's stands in.
    stretch, red_flag:
        Those that stood beside ``last``.
    carried:
        The part of ``last`` that was carried over into it; it is carried once and then dropped.
    eligible:
        The days of the new quarter that count for the partner, None for all of them.
    peers:
        The quantile that ``renew.quantile`` asks for, None where fewer than five peers are known.
    part:
        Whether ``last`` is the target of the days that counted in ``past[0]``; False where it was agreed for the whole
        quarter, and days fell out later.
    """

    goal: Goal
    metric: Metric
    quarter: Quarter
    past: tuple[Past, ...] = ()
    last: Target | None = None
    stretch: Decimal | None = None
    red_flag: Decimal | None = None
    carried: Decimal = Decimal(0)
    eligible: Eligible | None = None
    peers: PeerValue | None = None
    part: bool = True


@dataclass(frozen=True)
class Stage:
    """One stage of the fixed order: its name, the value after it (None where it is no number), and what it did."""

    name: str
    value: Decimal | None
    words: str


@dataclass
class Log:
    """What a proposal says of its own making, while it is made."""

    flags: list[Flag] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)

    def flag(self, flag: Flag, remark: str = "") -> None:
        """Something to look at; said once."""
        if flag not in self.flags:
            self.flags.append(flag)
        if remark and remark not in self.remarks:
            self.remarks.append(remark)

    def stage(self, name: str, value: Decimal | None, words: str) -> None:
        """One stage is done."""
        self.stages.append(Stage(name, value, words))


@dataclass(frozen=True)
class Frame:
    """What the stages work on: ``given`` is the last target, ``start`` the same as one of the whole new quarter.

    ``scales`` says whether figures grow with the days that count. With a base they would have to be scaled without
    it, so there they stay as they are, as everywhere else.
    """

    step: Step
    target: Target
    given: Decimal
    start: Decimal
    said: str
    scales: bool
    grain: Decimal
    unit: Unit
    label: str


def framed(step: Step, target: Target, log: Log) -> Frame:
    """The last target made comparable with the new quarter, and what else the stages need."""
    unit, given = step.metric.unit.unit, target.value or _ZERO
    scales = is_flow(step.metric) and target.base is None
    label = step.past[0].quarter.label if step.past else step.quarter.shift(-1).label
    start, said = given - step.carried, ""
    if step.carried:
        said = f" ({say(given, unit)} without the {say(step.carried, unit)} carried over)"
    if scales and step.past and step.part and "target of the definition" not in log.flags:
        start, scaled = _scaled(step, step.past[0], start, log, of_definition=True)
        said += scaled
    said = say(start, unit) + said
    size = start or next((each.actual for each in step.past if each.actual), _ZERO)
    grain = rounding_unit(unit, step.goal.renew.round_to, size)
    log.stage("last target", start, f"target {said}" + (" of the definition" if log.flags else f" of {label}"))
    return Frame(step, target, given, start, said, scales, grain, unit, label)


def _scaled(step: Step, past: Past, value: Decimal, log: Log, of_definition: bool = False) -> tuple[Decimal, str]:
    """A figure of an earlier quarter for all days and as many weeks as the new quarter has, and what was done."""
    unit, said = step.metric.unit.unit, ""
    part = past.eligible
    if part is not None and part.days and not part.full:
        said = f" (from {say(value, unit)} in {part.days} of {part.of} days)"
        whole = step.goal.target.value if of_definition else None
        # A rounded part does not give the whole back; where the definition's own target gives that part, it is it.
        value = whole if whole is not None and _is_part(value, whole, part, unit) else part.scaled_up(value)
        log.flag("scaled to a whole quarter")
    weeks, then = step.quarter.weeks, past.quarter.weeks
    if weeks is not None and then is not None and weeks != then:
        value = value * weeks / then
        yearly = comparable(step.quarter)
        log.flag(
            "scaled by weeks",
            yearly.basis
            if yearly.quarter == past.quarter
            else f"{weeks} weeks follow {then}: figures of {past.quarter.label} are scaled by {weeks}/{then}",
        )
    return value, said


def _is_part(value: Decimal, whole: Decimal, part: Eligible, unit: Unit) -> bool:
    exact = part.part(whole)
    if unit.kind == "count":
        return value == max(_ONE, multiple(exact, _ONE))
    return abs(exact - value) <= _HALF_A_CENT


def actual_of(frame: Frame, past: Past, log: Log) -> tuple[Decimal, str] | None:
    """What an earlier quarter came to, for a whole quarter, and in words; None when that is not known."""
    too_short = past.eligible is not None and not past.eligible.full and past.eligible.days < YOUNG
    if past.actual is None or (too_short and frame.scales):
        return None
    if past.certainty == "provisional":
        log.flag("provisional actual", f"{past.quarter.label} is provisional")
    if past.certainty == "forecast":
        log.flag("forecast actual", f"{past.quarter.label} is a forecast, not an actual")
    value, said = _scaled(frame.step, past, past.actual, log) if frame.scales else (past.actual, "")
    return value, say(value, frame.unit) + said
