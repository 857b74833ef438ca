"""What a goal will come to, as a partner is shown it: a range, a chance, and on what ground; apart, because here it is
decided which way of forecasting may speak at all, and a forecast without evidence ends here.

How wide a range must be is learnt from past quarters at the very same point (see ``contest``); whether our way is
shown, a simple one, or none, is for the back-test to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pbr_lib import backtest, calibration, contest, forecast_subjects
from pbr_lib.contest import OURS, RUN_RATE, SEASONAL, Round
from pbr_lib.definitions import Target
from pbr_lib.ground import Ground
from pbr_lib.periods import Quarter
from pbr_lib.predictive import Predictive

__all__ = ["Outlook", "Prospect", "outlooks", "prospect"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_WAYS = {
    RUN_RATE: "run-rate: what is booked so far, at the same pace to the end",
    SEASONAL: "as in the same quarter last year, or where that is not known in the last one",
}


class Tested(Protocol):
    """What a back-test says of each metric (see ``scores.Backtest``)."""

    def choice(self, metric: str) -> str:
        """Which way of forecasting is shown; empty when none is."""
        ...

    def held(self, metric: str) -> tuple[int, float]:
        """On how many partner-quarters our range was tried, and which share of final values it held."""
        ...


@dataclass(frozen=True)
class Outlook:
    """What one goal of one partner will come to; ``reason`` says why there is no forecast, and is empty where one is.

    ``low`` to ``high`` is meant to hold the final value four times of five; ``mid`` is as often passed as not.
    ``p_met`` is None without a target that is a number. ``held`` is the share of past final values that such ranges
    held, each corrected by earlier quarters only, on ``calibrated_on`` partner-quarters; None where these are too few.
    """

    low: float | None
    mid: float | None
    high: float | None
    p_met: float | None
    basis: str
    reason: str
    calibrated_on: int
    held: float | None

    @property
    def known(self) -> bool:
        """Whether there is a forecast."""
        return not self.reason

    @property
    def calibration(self) -> str:
        """How far the range can be trusted, in words to print beside it."""
        return _trust(self.calibrated_on, self.held)


@dataclass(frozen=True)
class Prospect:
    """What one metric will come to, for P partners.

    ``ranges`` holds low, middle and high end, an array of P by 3; ``reason`` is empty where a forecast may be shown.
    ``method`` names the way that speaks, and is empty where none does.
    """

    metric: str
    partners: tuple[str, ...] = field(repr=False)
    predictive: Predictive | None = field(repr=False)
    ranges: Floats = field(repr=False)
    basis: Sequence[str] = field(repr=False)
    reason: Sequence[str] = field(repr=False)
    method: str = OURS
    calibrated_on: int = 0
    held: float | None = None

    @cached_property
    def row(self) -> Mapping[str, int]:
        """The row of each partner."""
        return {partner: at for at, partner in enumerate(self.partners)}

    @property
    def enough(self) -> Mask:
        """Of which partners there is a forecast."""
        return np.array([not each for each in self.reason], bool)

    def outlooks(self, targets: Mapping[str, Target]) -> dict[str, Outlook]:
        """The outlook of every partner; ``targets`` maps those that have one to it."""
        if self.predictive is None:
            chances = np.full(len(self.partners), np.nan)
        else:
            chances = backtest.chance_of(self.predictive, [targets.get(partner) for partner in self.partners])
        return {partner: self._of(at, float(chances[at])) for at, partner in enumerate(self.partners)}

    def _of(self, at: int, chance: float) -> Outlook:
        if self.reason[at]:
            return Outlook(None, None, None, None, "", self.reason[at], 0, None)
        low, mid, high = (float(end) for end in self.ranges[at])
        p_met = None if np.isnan(chance) else chance
        return Outlook(low, mid, high, p_met, self.basis[at], "", self.calibrated_on, self.held)


def outlooks(
    base: Ground, metric: str, targets: Mapping[str, Target], tested: Tested | None = None
) -> dict[str, Outlook]:
    """What a metric will come to in the quarter of a ground, for every partner (see :func:`prospect`)."""
    return prospect(base, metric, tested).outlooks(targets)


def prospect(base: Ground, metric: str, tested: Tested | None = None, quarter: Quarter | None = None) -> Prospect:
    """What a metric will come to in the quarter of a ground, as seen on its as-of day.

    Parameters
    ----------
    base:
        What was measured, and the rows of targets.
    metric:
        The name of a metric that a goal uses.
    tested:
        The back-test of this ground, which says what may be shown; without it our own way speaks.
    quarter:
        The quarter of a goal in a calendar of its own; the ground's unless said.
    """
    partners = tuple(base.partners)
    why = forecast_subjects.why_not(base.params.metrics[metric])
    quarter = quarter or base.quarter
    if quarter.last_day <= base.as_of:
        why = "the quarter is over"
    if why:
        return _silent(metric, partners, why)
    method = tested.choice(metric) if tested is not None else OURS
    if not method and tested is not None:
        count = tested.held(metric)[0]
        return _silent(metric, partners, f"no forecast: no method proved reliable on {count:,} past partner-quarters")
    whole = forecast_subjects.subject_of(base, metric, quarter.calendar)
    some = whole.of_partners(forecast_subjects.sample(whole, backtest.SAMPLE), backtest.DRAWS)
    past = contest.play(some, quarter.elapsed(base.as_of))
    now = contest.round_of(whole, quarter, base.as_of, past)
    return _told(metric, partners, method, now, past)


def _told(metric: str, partners: tuple[str, ...], method: str, now: Round, past: Sequence[Round]) -> Prospect:
    correction = contest.taught(past) if method == OURS else None
    count, held = _tried(method, past)
    basis: Sequence[str] = now.ours.basis
    if method != OURS:
        basis = [f"{_WAYS[method]}; on past quarters this came closer than any other way"] * len(partners)
    reason = list(now.ours.reason)
    for at in np.flatnonzero(np.isnan(now.points[method])) if method != OURS else ():
        reason[at] = reason[at] or "not enough history: nothing is known of the quarters to go by"
    return Prospect(
        metric, partners, now.what[method], now.ranges(method, correction), basis, reason, method, count, held
    )


def _tried(method: str, past: Sequence[Round]) -> tuple[int, float | None]:
    """On how many partner-quarters ranges were tried that knew earlier quarters only, and which share they held."""
    held = []
    for one, correction in list(contest.rolled(past))[backtest.TEACHING :]:
        ends = one.ranges(method, correction if method == OURS else None)[one.rows]
        held.append(calibration.covered(ends[:, 0], ends[:, 2], one.actual[one.rows]))
    tried = np.concatenate(held) if held else np.zeros(0, bool)
    enough = len(tried) >= calibration.LEAST_CASES
    return len(tried), float(tried.mean()) if enough else None


def _silent(metric: str, partners: tuple[str, ...], why: str) -> Prospect:
    size = len(partners)
    return Prospect(metric, partners, None, np.full((size, 3), np.nan), [""] * size, [why] * size, "")


def _trust(count: int, held: float | None) -> str:
    if held is None:
        tried = f"only {count}" if count else "no"
        return f"not calibrated: {tried} past partner-quarters to try the range on"
    return f"calibrated on {count:,} partner-quarters: the 80 % range held {100 * held:.0f} % of the time"
