"""Whether targets are attainable, by the probability of meeting them (goals.md 3.2); apart, because a check, a draft
of targets and a pack must give one and the same verdict.

The probability decides. A partner's own mean, its z-score, the growth asked for and how often the target was met are
told as reasons and never decide: eight quarters move the last in steps of 12.5 points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import numpy as np
import numpy.typing as npt

from pbr_lib.agreement import aim
from pbr_lib.definitions import SmartSpec, Target
from pbr_lib.goalrows import Instance
from pbr_lib.model import Amount, Unit, percent_text
from pbr_lib.predictive import Predictive
from pbr_lib.smart.own import Own, own
from pbr_lib.smart.plan import Plan, definition
from pbr_lib.smart.rules import Found, found

__all__ = ["BANDS", "Band", "Judged", "Verdict", "check", "judge"]

Band = Literal["not attainable", "stretch", "attainable", "easy", "already normal", "cannot be judged yet"]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BANDS: tuple[Band, ...] = ("not attainable", "stretch", "attainable", "easy", "already normal", "cannot be judged yet")
"""How a target is called, the hardest first; ``Judged.band`` holds places in it."""
_UNJUDGED = len(BANDS) - 1
_RULES: Mapping[Band, str] = {
    "not attainable": "A1",
    "stretch": "A2",
    "easy": "A3",
    "already normal": "A4",
    "cannot be judged yet": "A5",
}
_EVEN = 0.6
"""The probability at which a target is proposed: well within attainable, and more often met than not."""
_ROOM = 1.5
_RARE = 0.001
_TIMES = 10.0
_LARGE = Decimal(10) ** 15


@dataclass(frozen=True)
class Verdict:
    """What is said of one target: the probability of meeting it (None: cannot be judged), its band, and why.

    ``proposed`` is the target whose probability is nearest to 60 %, ``chance`` that probability.
    """

    p: float | None
    band: Band
    why: str
    proposed: Decimal | None = None
    chance: float | None = None


@dataclass(frozen=True)
class Judged:
    """The verdicts on one goal for its rows (N of them): numbers as arrays, words when they are asked for.

    ``p`` is float64[N], NaN where it cannot be judged, ``band`` int64[N]; ``at`` is each row's place among the
    partners of the metric, -1 where the metric does not know the partner.
    """

    rows: tuple[Instance, ...] = field(repr=False)
    unit: Unit
    p: Floats = field(repr=False)
    band: Ints = field(repr=False)
    at: Ints = field(repr=False)
    reasons: tuple[str, ...] = field(repr=False)
    proposed: Floats = field(repr=False)
    chance: Floats = field(repr=False)
    own: Own | None = field(default=None, repr=False)
    met: Ints | None = field(default=None, repr=False)

    def verdict(self, row: int) -> Verdict:
        """The verdict on one row, in words."""
        band = BANDS[self.band[row]]
        if self.band[row] == _UNJUDGED:
            return Verdict(None, band, self.reasons[row])
        p, target = float(self.p[row]), self.rows[row].target
        proposed = None if np.isnan(self.proposed[row]) else _exact(self.proposed[row], self.unit)
        chance = None if proposed is None else float(self.chance[row])
        why = "; ".join(filter(None, (*self._evidence(row, target), self._proposal(target, proposed, chance))))
        return Verdict(p, band, why, proposed, chance)

    def _evidence(self, row: int, target: Target) -> Iterator[str]:
        at = int(self.at[row])
        if self.own is None or self.met is None or not self.own.count[at]:
            yield "no closed quarter of its own, so peers decide"
            return
        count, mean = int(self.own.count[at]), float(self.own.mean[at])
        quarters = f"{count} quarters" if count > 1 else "quarter"
        yield f"mean of its last {quarters} {_near(mean, self.unit)}, met in {int(self.met[row])} of {count}"
        if target.value is None:
            return
        value, year = float(target.value), float(self.own.year[at])
        if year > 0:
            yield f"{_growth(value / year - 1)} the mean of its last four"
        if self.own.deviation[at] > 0:
            yield f"z {(value - mean) / float(self.own.deviation[at]):.1f}"

    def _proposal(self, target: Target, proposed: Decimal | None, chance: float | None) -> str:
        if proposed is None or chance is None or proposed == target.value or proposed <= 0 < (target.value or 0):
            return ""
        return f"{Amount(proposed, self.unit)} would be met in {_hundred(chance)}"


def judge(plan: Plan) -> dict[str, Judged]:
    """Every goal that has rows, judged from the start of the quarter."""
    return {key: _judged(plan, key, rows) for key, rows in plan.by_goal.items() if rows}


def check(plan: Plan, judged: Mapping[str, Judged] | None = None) -> Iterator[Found]:
    """A1 to A6, goals in the order of their definitions; a verdict *attainable* is no finding."""
    for key, one in (judge(plan) if judged is None else judged).items():
        for at, row in enumerate(one.rows):
            band = BANDS[one.band[at]]
            if band in _RULES:
                place, told = row.where or definition(key), _told(one, at)
                yield found(_RULES[band], told, place, goal=key, partner_id=row.partner_id)
        yield from _unexplained(plan, key, one)


# ----------------------------------------------------------------------------------------------- numbers


def _judged(plan: Plan, key: str, rows: tuple[Instance, ...]) -> Judged:
    metric, unit = plan.goal(key).metric, plan.unit(key)
    history, chances = plan.history.get(metric), plan.chances.get(metric)
    places = {} if history is None else history.row
    at = np.array([places.get(row.partner_id, -1) for row in rows], np.int64)
    nothing = np.full(len(rows), np.nan)
    unjudged = np.full(len(rows), _UNJUDGED, np.int64)
    if history is None or chances is None or not len(history.partners):
        reasons = tuple("nothing was measured to judge it by" for _ in rows)
        return Judged(rows, unit, nothing, unjudged, at, reasons, nothing, nothing)
    low, high = _bounds(rows)
    known = (at >= 0) & ~(np.isneginf(low) & np.isposinf(high))
    p = np.where(known, _within(chances.predictive, at, (low, high), len(history.partners)), np.nan)
    enough = known & chances.enough[at] & ~np.isnan(p)
    mine = own(history.before(plan.period(key)))
    proposed, chance = _proposals(chances.predictive, at, rows, unit)
    reasons = tuple(_reason(row, here, chances.reason) for row, here in zip(rows, at.tolist(), strict=True))
    met = _met(mine, at, low, high)
    band = np.where(enough, _banded(p, plan.settings.workbook.smart), _UNJUDGED)
    return Judged(rows, unit, np.where(enough, p, np.nan), band, at, reasons, proposed, chance, mine, met)


def _bounds(rows: tuple[Instance, ...]) -> tuple[Floats, Floats]:
    """Between which values each target is met; minus to plus infinity for a day, which no history judges."""
    low, high = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
    for at, row in enumerate(rows):
        target = row.target
        if target.between is not None:
            low[at], high[at] = float(target.between[0]), float(target.between[1])
        elif target.at_least is not None:
            low[at] = float(target.at_least)
        elif target.at_most is not None:
            high[at] = float(target.at_most)
    return low, high


def _within(predictive: Predictive, at: Ints, bounds: tuple[Floats, Floats], size: int) -> Floats:
    """The probability of ending between two bounds: P(X >= low) + P(X <= high) - 1, which holds for jumps too."""
    low, high = bounds
    out = np.zeros(len(at))
    for bound, side in ((low, predictive.at_least), (high, predictive.at_most)):
        real = np.isfinite(bound)
        asked = np.zeros(size)
        asked[at[real & (at >= 0)]] = bound[real & (at >= 0)]
        out += np.where(real, side(asked)[at], 1.0) if real.any() else 1.0
    return np.clip(out - 1, 0, 1)


def _banded(p: Floats, spec: SmartSpec) -> Ints:
    """The bands of goals.md 3.2: 0.10, 0.40 and 0.80 belong to the easier side, 0.95 is still easy."""
    lower = [float(bound) for bound in (spec.unattainable_below, spec.stretch_below, spec.easy_from)]
    band = np.searchsorted(lower, p, side="right")
    return np.asarray(np.where(p > float(spec.normal_from), 4, band), np.int64)


def _met(mine: Own, at: Ints, low: Floats, high: Floats) -> Ints:
    with np.errstate(invalid="ignore"):
        inside = (mine.value[at] >= low[:, None]) & (mine.value[at] <= high[:, None])
    return np.asarray(inside.sum(axis=1), np.int64)


def _proposals(predictive: Predictive, at: Ints, rows: tuple[Instance, ...], unit: Unit) -> tuple[Floats, Floats]:
    """The number whose probability lies nearest to 60 %, and that probability; NaN for bands and days."""
    kinds = np.array([row.target.kind for row in rows])
    out, chance = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for kind, level, side in (("at_least", 1 - _EVEN, predictive.at_least), ("at_most", _EVEN, predictive.at_most)):
        mine = (kinds == kind) & (at >= 0)
        if not mine.any():
            continue
        edge = predictive.quantile(np.array([level]))[:, 0]
        best = _handy(edge, unit)
        p = side(best)
        if unit.kind == "count":
            # One step harder may lie nearer: counts jump over 60 %.
            harder = best + 1 if kind == "at_least" else np.maximum(best - 1, 0)
            other = side(harder)
            nearer = np.abs(other - _EVEN) < np.abs(p - _EVEN)
            best, p = np.where(nearer, harder, best), np.where(nearer, other, p)
        out[mine], chance[mine] = best[at[mine]], p[at[mine]]
    return out, chance


def _handy(values: Floats, unit: Unit) -> Floats:
    """Numbers that people would write: whole counts and days, whole points of a percentage, else two digits."""
    if unit.kind == "count":
        return np.maximum(np.rint(values), 1.0)
    if unit.kind == "percent":
        return np.rint(values * 100) / 100
    if unit.kind == "days":
        return np.rint(values)
    size = np.abs(np.where(np.isfinite(values) & (values != 0), values, 1.0))
    step = 10.0 ** (np.floor(np.log10(size)) - 1)
    return np.rint(values / step) * step


def _exact(value: float, unit: Unit) -> Decimal:
    """A handy number without the dust of binary fractions."""
    exact = Decimal(repr(float(value)))
    if abs(exact) >= _LARGE:
        return exact.to_integral_value()
    if unit.kind in ("count", "days"):
        return exact.quantize(Decimal(1), ROUND_HALF_UP)
    return exact.quantize(Decimal("0.000001"), ROUND_HALF_UP).normalize() + 0


# ------------------------------------------------------------------------------------------------ words


def _reason(row: Instance, at: int, reasons: tuple[str, ...] | object) -> str:
    if row.target.kind == "done_by":
        return "a day is met or not, and no history says how likely"
    if at < 0:
        return "nothing was measured of this partner"
    told = reasons[at] if isinstance(reasons, tuple | list) and at < len(reasons) else ""
    return told or "not enough history"


def _told(one: Judged, at: int) -> str:
    verdict, target = one.verdict(at), aim(one.rows[at].target, one.unit)
    why = verdict.why
    if verdict.p is None:
        return f"{target} cannot be judged yet: {why}"
    if verdict.band == "not attainable":
        if verdict.p < _RARE:
            return f"{target} is not attainable on the evidence: met less than 1 time in 1,000 ({why})"
        return f"{target} is not attainable on the evidence: met 1 time in {round(1 / verdict.p):,} ({why})"
    if verdict.band == "already normal":
        return f"{target} is not a goal: it is already normal, met in {_hundred(verdict.p)} ({why})"
    word = "is a stretch" if verdict.band == "stretch" else "is easy"
    return f"{target} {word}: met in {_hundred(verdict.p)} ({why})"


def _hundred(p: float) -> str:
    """``17 of 100 cases``; what is possible is never none, and what is not sure never all."""
    share = min(max(round(p * 100), 1 if p > 0 else 0), 99 if p < 1 else 100)
    return f"{share} of 100 cases"


def _growth(growth: float) -> str:
    """``67 % above``; from ten times on, ``12 times``."""
    if growth >= _TIMES - 1:
        return f"{growth + 1:,.0f} times"
    return f"{percent_text(Decimal(repr(abs(growth))))} {'above' if growth >= 0 else 'below'}"


def _near(value: float, unit: Unit) -> str:
    """A mean as people write it: one decimal for counts, else as the unit does."""
    exact = Decimal(repr(round(float(value), 9)))
    return str(Amount(exact, Unit("number", decimals=1) if unit.kind == "count" else unit))


def _unexplained(plan: Plan, key: str, one: Judged) -> Iterator[Found]:
    """A6: a number far from the partner's own last eight quarters, and no word about where it comes from.

    Where higher is better, from their first quarter (p25) to 1.5 times their highest; for at_most the mirror of it.
    """
    if one.own is None:
        return
    mine, at = one.own, one.at
    least = plan.settings.workbook.smart.least_quarters
    value = np.array([np.nan if row.target.value is None else float(row.target.value) for row in one.rows])
    up = np.array([row.target.kind == "at_least" for row in one.rows])
    low = np.where(up, mine.p25[at], mine.least[at] / _ROOM)
    high = np.where(up, _ROOM * mine.most[at], mine.p75[at])
    with np.errstate(invalid="ignore"):
        far = (at >= 0) & (mine.count[at] >= least) & ((value < low) | (value > high))
    for number in np.flatnonzero(far).tolist():
        row = one.rows[number]
        if not row.basis.strip():
            span = f"{_near(low[number], one.unit)} to {_near(high[number], one.unit)}"
            told = (
                f"{aim(row.target, one.unit)} lies outside {span}, which its last quarters suggest, and basis is empty"
            )
            yield found("A6", told, row.where or definition(key), goal=key, partner_id=row.partner_id)
