"""Whether the goals of all partners, taken together, are set well (goals.md 3.4); apart, because what is wrong with the
set need not be wrong with any one goal in it, and concerns no single partner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from pbr_lib import goals
from pbr_lib.history import History
from pbr_lib.model import percent_text
from pbr_lib.smart.attainable import Judged, judge
from pbr_lib.smart.own import spearman
from pbr_lib.smart.plan import Plan
from pbr_lib.smart.rules import Found, found

__all__ = ["LEAST_GOALS", "SOUND", "attained", "bimodality", "check", "sizes"]

Floats = npt.NDArray[np.float64]

SOUND = (0.50, 0.75)
"""Between which shares of targets expected to be met a set of goals is sound."""
LEAST_GOALS = 10
"""Of fewer goals nothing is said as a whole."""
_LEAST_PARTNERS = 20
_LEAST_SHAPE = 30
_BY_SIZE = 0.5
_TWO_PEAKS = 5 / 9
_CAP = 1.5
_ONE_RATE = Decimal("0.8")


def check(plan: Plan, judged: Mapping[str, Judged] | None = None) -> tuple[Found, ...]:
    """F1 to F5, in this order."""
    verdicts = judge(plan) if judged is None else judged
    shares = _scores(plan)
    out = [*_expected(plan, verdicts), *_by_size(plan, shares), *_camps(plan, shares), *_one_rate(plan)]
    return (*out, *_unjudged(plan, verdicts))


def _place(plan: Plan) -> str:
    return f"params/goals/{plan.quarter.label}.csv"


# ---------------------------------------------------------------------------------------------- chances


def _expected(plan: Plan, judged: Mapping[str, Judged]) -> Iterator[Found]:
    """The mean probability of meeting a target is the share of goals that will be met, as far as can be said."""
    p = np.concatenate([one.p for one in judged.values()]) if judged else np.empty(0)
    p = p[~np.isnan(p)]
    if len(p) < LEAST_GOALS:
        return
    share = float(p.sum() / len(p))
    if not SOUND[0] <= share <= SOUND[1]:
        side = "too hard" if share < SOUND[0] else "too easy"
        told = f"{_percent(share)} of the {len(p):,} goals that can be judged are likely to be met; "
        yield found("F1", f"{told}50 to 75 % is sound, so targets are {side} on the whole", _place(plan))


def _unjudged(plan: Plan, judged: Mapping[str, Judged]) -> Iterator[Found]:
    every = sum(len(one.rows) for one in judged.values())
    blind = sum(int(np.isnan(one.p).sum()) for one in judged.values())
    if blind:
        share = _percent(blind / every)
        told = f"{blind:,} of {every:,} goals ({share}) cannot be judged yet: they have not passed"
        yield found("F5", told, _place(plan))


# ----------------------------------------------------------------------------------- the quarter before


def attained(plan: Plan) -> Mapping[tuple[str, str], float]:
    """Attainment of the newest closed quarter before the plan's, by (partner, goal): given, or worked out here.

    Targets are those that both sides agreed to, else as the rows of that quarter's file say. What is unknown, what has
    no ratio and what is to be done by a day is left out.
    """
    if plan.attained:
        return plan.attained
    out: dict[tuple[str, str], float] = {}
    label = _before(plan)
    for row in plan.settings.instances.get(label, ()):
        metric = plan.settings.goals[row.goal].metric if row.goal in plan.settings.goals else ""
        history, target = plan.history.get(metric), row.agreed_target or row.target
        at = None if history is None else history.row.get(row.partner_id)
        if history is None or at is None or label not in history.column or target.kind == "done_by":
            continue
        column = history.column[label]
        if history.usable[at, column]:
            share = goals.attainment(target, history.exact[at, column])
            if share is not None:
                out[row.partner_id, row.goal] = float(share)
    return out


def sizes(plan: Plan) -> Mapping[str, float]:
    """What each partner weighs: given, or the sum of the largest money metric (else count) of the plan over a year.

    The year ends before the quarter whose attainment it is compared with; else whoever had a good quarter would be
    large because of it.
    """
    if plan.size:
        return plan.size
    label = _before(plan)
    year = {name: _year(plan.history[name], label) for name in dict.fromkeys(_metrics(plan)) if name in plan.history}
    for kind in ("money", "count"):
        totals = {name: float(sums[~np.isnan(sums)].sum()) for name, sums in year.items() if _kind(plan, name) == kind}
        if any(total > 0 for total in totals.values()):
            name = max(totals, key=lambda each: totals[each])
            known = ~np.isnan(year[name])
            partners = plan.history[name].partners
            return {partners[at]: float(year[name][at]) for at in np.flatnonzero(known)}
    return {}


def _metrics(plan: Plan) -> list[str]:
    return [plan.goal(key).metric for key in plan.running]


def _kind(plan: Plan, name: str) -> str:
    metric = plan.settings.metrics.get(name)
    return metric.unit.kind if metric else ""


def _before(plan: Plan) -> str:
    """The newest quarter before the plan's that is over and has rows; empty when there is none."""
    for back in range(1, 9):
        quarter = plan.quarter.shift(-back)
        if quarter.last_day <= plan.as_of and plan.settings.instances.get(quarter.label):
            return quarter.label
    return ""


def _year(history: History, label: str) -> Floats:
    """Each partner's sum over the four quarters before one; NaN where one of them does not count."""
    at = history.column.get(label, 0)
    if at < 4:
        return np.full(len(history.partners), np.nan)
    value = np.where(history.usable, history.value, np.nan)[:, at - 4 : at]
    return np.asarray(value.sum(axis=1), np.float64)


def _scores(plan: Plan) -> dict[str, float]:
    """Each partner's mean attainment, goals capped at 0 and 150 %, in the order of partners."""
    shares: dict[str, list[float]] = {}
    for (partner, _), share in attained(plan).items():
        shares.setdefault(partner, []).append(min(max(share, 0.0), _CAP))
    return {partner: sum(sorted(shares[partner])) / len(shares[partner]) for partner in sorted(shares)}


def _by_size(plan: Plan, scores: Mapping[str, float]) -> Iterator[Found]:
    weight = sizes(plan)
    both = [partner for partner in scores if partner in weight]
    if len(both) < _LEAST_PARTNERS:
        return
    rho = spearman(np.array([scores[each] for each in both]), np.array([weight[each] for each in both]))
    if abs(rho) > _BY_SIZE:
        who = "larger" if rho > 0 else "smaller"
        told = f"the {who} a partner, the more it attained in the last closed quarter (rank correlation {rho:.2f}, "
        yield found("F2", f"{told}{len(both):,} partners)", _place(plan))


def _camps(plan: Plan, scores: Mapping[str, float]) -> Iterator[Found]:
    """Two signs at once: Sarle's coefficient above 5/9, which a lopsided distribution reaches as well, and a valley.

    The valley: fewer partners in the middle third of the range than in either outer third.
    """
    values = np.array(list(scores.values()))
    if len(values) < _LEAST_SHAPE:
        return
    coefficient = bimodality(values)
    low, high = float(values.min()), float(values.max())
    thirds = np.histogram(values, bins=3, range=(low, high))[0] if high > low else np.array([0, len(values), 0])
    if coefficient > _TWO_PEAKS and thirds[1] < min(thirds[0], thirds[2]):
        told = f"attainment in the last closed quarter falls into two camps: {thirds[0]:,} partners below "
        told += f"{_percent(low + (high - low) / 3)}, {thirds[2]:,} above {_percent(high - (high - low) / 3)}, "
        yield found("F3", f"{told}{thirds[1]:,} between (Sarle's coefficient {coefficient:.2f})", _place(plan))


def bimodality(values: Floats) -> float:
    """Sarle's coefficient of bimodality: 1/3 for a normal distribution, 5/9 for a uniform one, 1 for two points.

    (g1² + 1) / (g2 + 3(n-1)²/((n-2)(n-3))) with the sample's skewness and excess kurtosis; 0.0 below four values and
    where nothing varies.
    """
    n = len(values)
    centred = values - values.mean() if n else values
    second = float((centred**2).mean()) if n else 0.0
    if n < 4 or second <= 0:
        return 0.0
    g1, g2 = float((centred**3).mean()) / second**1.5, float((centred**4).mean()) / second**2 - 3
    skew = g1 * np.sqrt(n * (n - 1)) / (n - 2)
    excess = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * g2 + 6)
    return float((skew**2 + 1) / (excess + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))))


# ------------------------------------------------------------------------------------------------- rate


def _one_rate(plan: Plan) -> Iterator[Found]:
    """By what rate each target moved since the quarter before, to a whole point: renewal rounds targets."""
    last = {
        (row.partner_id, row.goal): row.target.value
        for row in plan.settings.instances.get(plan.quarter.shift(-1).label, ())
        if row.target.value
    }
    rates: Counter[float] = Counter()
    for row in plan.instances:
        before = last.get((row.partner_id, row.goal))
        if before and row.target.value is not None:
            rates[round(float(row.target.value / before) - 1, 2)] += 1
    moved = sum(rates.values())
    if moved < LEAST_GOALS:
        return
    rate, count = min(rates.items(), key=lambda item: (-item[1], item[0]))
    if count > _ONE_RATE * moved:
        share = percent_text(Decimal(count) / moved)
        how = f"moved by {_percent(rate)}" if rate else "stayed as they were"
        told = f"{count:,} of {moved:,} targets ({share}) {how} since {plan.quarter.shift(-1)}"
        yield found("F4", told, _place(plan))


def _percent(share: float) -> str:
    return percent_text(Decimal(repr(float(share))))
