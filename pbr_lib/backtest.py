"""Past quarters forecast again, with what was known at points of them, and scored; apart, because no way of forecasting
is trusted or shown before it has beaten the simple ones here (goals.md 6.4).

The figures are today's view of the past: deals and leads as they stand now, by the days on which they were made and
closed. What was changed since, an amount say, is seen as it is now.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pbr_lib import contest, forecast_subjects, ground, results
from pbr_lib.contest import METHODS, OURS, Round, Subject
from pbr_lib.definitions import Target
from pbr_lib.ground import Ground
from pbr_lib.ingest import Loaded
from pbr_lib.params import Params
from pbr_lib.periods import Quarter
from pbr_lib.predictive import Predictive
from pbr_lib.scores import Backtest, no_cases

__all__ = ["DRAWS", "POINTS", "SAMPLE", "TEACHING", "Backtest", "chance_of", "of", "run"]

Floats = npt.NDArray[np.float64]

POINTS = (0.25, 0.5, 0.75, 0.9)
"""The shares of a quarter's business days at which it is forecast."""
SAMPLE, DRAWS = 300, 400
"""How many partners are looked at, and how many outcomes are drawn for each: enough for scores, at a constant price."""
TEACHING = 2
"""How many quarters only teach how wide ranges must be, and are not scored."""


def run(settings: Params, loaded: Loaded) -> Backtest:
    """Measure what goals need and back-test every metric that grows.

    Raises
    ------
    InputError
        For faults in params and exports that nothing can be measured with.
    """
    return of(ground.lay(settings, loaded, settings.calendar.quarter_of(loaded.as_of)))


def of(base: Ground) -> Backtest:
    """Back-test every metric of a goal that grows, on the closed quarters of a ground."""
    targets = _Targets(base)
    parts, labels, skipped = list[pd.DataFrame](), dict[str, str](), dict[str, str]()
    for name in dict.fromkeys(goal.metric for goal in base.params.goals.values()):
        metric = base.params.metrics[name]
        reason = forecast_subjects.why_not(metric)
        if not reason:
            whole = forecast_subjects.subject_of(base, name)
            some = whole.of_partners(forecast_subjects.sample(whole, SAMPLE), DRAWS)
            cases = _cases(some, targets)
            reason = "" if len(cases) else "not enough closed quarters"
            parts.append(cases)
        if reason:
            skipped[metric.label] = reason
        else:
            labels[name] = metric.label
    parts = [part for part in parts if len(part)]
    cases = pd.concat(parts, ignore_index=True) if parts else no_cases()
    return Backtest(cases, labels, skipped, base.as_of.isoformat())


# ------------------------------------------------------------------------------------------------ cases


class _Targets:
    """The target that counted for each partner, quarter and metric; looked up once for each partner and quarter."""

    def __init__(self, base: Ground) -> None:
        self._base = base
        self._known: dict[tuple[str, str], dict[str, Target]] = {}

    def of(self, partner: str, quarter: Quarter, metric: str) -> Target | None:
        """What was agreed, or what the definition gives."""
        if (partner, quarter.label) not in self._known:
            found: dict[str, Target] = {}
            for key, one in results.targets(self._base, partner, quarter).items():
                found.setdefault(self._base.params.goals[key].metric, one.instance.target)
            self._known[partner, quarter.label] = found
        return self._known[partner, quarter.label].get(metric)


def _cases(subject: Subject, targets: _Targets) -> pd.DataFrame:
    parts = []
    for point in POINTS:
        rounds = contest.play(subject, point)
        for at, (one, correction) in enumerate(contest.rolled(rounds)):
            if at < TEACHING or not len(one.rows):
                continue
            wanted = [targets.of(subject.history.partners[row], one.quarter, subject.name) for row in one.rows]
            for method in METHODS:
                ranges = one.ranges(method, correction if method == OURS else None)
                parts.append(_frame(subject, one, method, ranges, wanted).assign(at=point))
    if not parts:
        return no_cases()
    cases = pd.concat(parts, ignore_index=True)
    usual = float(cases["actual"].abs().mean())
    return cases.assign(scale=usual if usual > 0 else 1.0)


def _frame(subject: Subject, one: Round, method: str, ranges: Floats, wanted: Sequence[Target | None]) -> pd.DataFrame:
    rows = one.rows
    chance, met = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    whole: list[Target | None] = [None] * len(one.actual)
    for row, target in zip(rows, wanted, strict=True):
        whole[row] = target
    chance = chance_of(one.what[method], whole)[rows]
    for at, target in enumerate(wanted):
        met[at] = _met(target, float(one.actual[rows[at]]))
    columns = {
        "metric": subject.name,
        "quarter": one.quarter.label,
        "partner_id": [subject.history.partners[row] for row in rows],
        "method": method,
        "low": ranges[rows, 0],
        "middle": ranges[rows, 1],
        "high": ranges[rows, 2],
        "actual": one.actual[rows],
        "p_met": np.where(np.isnan(met), np.nan, chance),
        "met": met,
    }
    return pd.DataFrame(columns)


def chance_of(what: Predictive, targets: Sequence[Target | None]) -> Floats:
    """For each partner the chance of meeting its target; NaN without one, or where it is no number."""
    lows, highs = np.full(len(targets), np.nan), np.full(len(targets), np.nan)
    for at, target in enumerate(targets):
        if target is not None and target.between is not None:
            lows[at], highs[at] = (float(bound) for bound in target.between)
        elif target is not None and target.at_least is not None:
            lows[at] = float(target.at_least)
        elif target is not None and target.at_most is not None:
            highs[at] = float(target.at_most)
    has_low, has_high = ~np.isnan(lows), ~np.isnan(highs)
    above = np.where(has_low, what.at_least(np.nan_to_num(lows)), 1.0)
    under = np.where(has_high, what.at_most(np.nan_to_num(highs)), 1.0)
    return np.where(has_low | has_high, np.clip(above + under - 1, 0.0, 1.0), np.nan)


def _met(target: Target | None, actual: float) -> float:
    if target is None or target.kind == "done_by":
        return math.nan
    low, high = target.between or (target.at_least, target.at_most)
    hair = 1e-6
    return float((low is None or actual >= float(low) - hair) and (high is None or actual <= float(high) + hair))
