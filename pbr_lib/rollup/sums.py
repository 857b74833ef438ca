"""Many partners' goals in one line: sums over sums, pooled rates, and how much is known; apart, because a portfolio is
never the mean of its partners, and the rules of that (goals.md 5.3) have their own oracles.

Unknown is never zero: a partner without an actual is left out of actual *and* target, and the line says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

import pandas as pd

from pbr_lib.definitions import Goal, Metric, RatioMetric, SimpleMetric, Target
from pbr_lib.goals import Weighted, attainment, has_ratio, weighted
from pbr_lib.model import Amount, Unit, named, percent_text
from pbr_lib.rollup.pooling import Overlap
from pbr_lib.rollup.portfolio import COLUMNS, Group, RollUp, missing

__all__ = ["roll_up", "score"]

_ZERO, _ONE = Decimal(0), Decimal(1)
_EXACT = 60  # digits of a sum, which is exact; a division has 28 and is rounded once
_NO_POOL = {"median": "medians", "min": "smallest values", "max": "largest values", "latest": "latest values"}


@dataclass(frozen=True)
class _Rows:
    """The rows of one goal as columns, each target taken apart once."""

    partner: list[str]
    actual: list[Decimal | None]
    target: list[Target]
    kind: list[str]
    rated: list[bool]
    bounds: list[tuple[Decimal, ...]]
    attained: list[Decimal | None]
    met: list[bool | None]
    n: list[int]
    numerator: list[Decimal | None]
    denominator: list[Decimal | None]
    weight: list[Decimal]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> _Rows:
        column = {name: [None if missing(cell) else cell for cell in rows[name]] for name in COLUMNS}
        targets: list[Any] = column["target"]
        kinds = [target.kind for target in targets]
        return cls(
            partner=[str(partner) for partner in column["partner_id"]],
            actual=column["actual"],
            target=targets,
            kind=kinds,
            rated=[kind != "done_by" and has_ratio(target) for kind, target in zip(kinds, targets, strict=True)],
            bounds=[_bounds(target) for target in targets],
            attained=column["attained"],
            met=column["met"],
            n=[int(count or 0) for count in column["n"]],
            numerator=column["numerator"],
            denominator=column["denominator"],
            weight=[_ONE if weight is None else weight for weight in column["weight"]],
        )


def _bounds(target: Target) -> tuple[Decimal, ...]:
    """The numbers of a target that add up: value and base, or the two ends."""
    return target.between or (target.value or _ZERO, target.base or _ZERO)


# ---------------------------------------------------------------------------------------------- adding


def roll_up(
    rows: pd.DataFrame,
    metrics: Mapping[str, Metric],
    groups: Sequence[Group],
    overlaps: Mapping[str, Overlap] | None = None,
) -> tuple[RollUp, ...]:
    """Every goal of a sheet over every group that has it, goals in their order.

    Parameters
    ----------
    rows:
        A sheet, see :data:`COLUMNS`.
    metrics:
        By name; they say what adds up and what is pooled.
    groups:
        Parents are rolled up for their own goal only, and also when no partner has it.
    overlaps:
        By metric: the records that stand with several partners (see :func:`pooling.overlap`).
    """
    out = []
    for goal, mine in rows.groupby("goal", sort=False):
        columns, refused = _Rows.of(mine), _refusal(mine)
        metric = str(mine["metric"].iloc[0])
        first = RollUp(groups[0], str(goal), metric, str(mine["period"].iloc[0]), metrics[metric].unit.unit, 0)
        for group in groups:
            if group.goal and group.goal != goal:
                continue
            places = [at for at, partner in enumerate(columns.partner) if partner in group.members]
            if not places and group.kind != "parent":
                continue
            crossing = (overlaps or {}).get(metric, Overlap())
            job = _Job(group, metrics[metric], metrics, columns, places, crossing)
            base = job.headed(first)
            out.append(job.refused(base, refused) if refused else job.added(base))
    return tuple(out)


def _refusal(rows: pd.DataFrame) -> str:
    """Why rows cannot be rolled up together; empty when they are of one metric, unit, currency, period and kind."""
    kinds = {"metric": "metrics", "unit": "units", "currency": "currencies", "period": "periods"}
    for column, words in kinds.items():
        found = sorted({str(value) for value in rows[column] if not missing(value)})
        if len(found) > 1:
            return f"not added up: different {words} ({', '.join(found)})"
    found = sorted({target.kind for target in rows["target"]})
    return f"not added up: different kinds of target ({', '.join(found)})" if len(found) > 1 else ""


@dataclass(frozen=True)
class _Job:
    """One goal and one group: which rows, and how they add up."""

    group: Group
    metric: Metric
    metrics: Mapping[str, Metric]
    rows: _Rows
    places: list[int]
    overlap: Overlap

    def headed(self, first: RollUp) -> RollUp:
        """Whatever needs no adding up: counts, the median attainment, who met."""
        met = [self.rows.met[at] for at in self.places if self.rows.met[at] is not None]
        found = sorted(a for at in self.places if (a := self.rows.attained[at]) is not None and self.rows.rated[at])
        return _with(
            first,
            group=self.group,
            partners=len(self.places),
            median=_middle(found),
            met=sum(map(bool, met)),
            judged=len(met),
            weight=_total(self.rows.weight[at] for at in self.places if self._weighs(at)),
        )

    def _weighs(self, at: int) -> bool:
        """Whether a row is any part of a score: a target of 0 is met or not, and has no percentage."""
        return self.rows.rated[at] or self.rows.kind[at] == "done_by"

    def refused(self, base: RollUp, why: str) -> RollUp:
        """Nothing but a remark, and the target if all have the same."""
        targets = [self.group.own] if self.group.own is not None else [self.rows.target[at] for at in self.places]
        common = targets[0] if targets and all(target == targets[0] for target in targets) else None
        return _with(base, known=self._known(), target=common, remarks=(why,))

    def added(self, base: RollUp) -> RollUp:
        """The line of the goal, in the way that its metric adds up."""
        own = self.group.own
        if not self.places:
            return _with(base, target=own, remarks=("no partner of this group has the goal",))
        kind = self.rows.kind[self.places[0]]
        if own is not None and own.kind != kind:
            return self.refused(base, f"not added up: the parent's target is {own.kind}, those of partners are {kind}")
        if kind == "done_by":
            return self._done(base)
        why = self._no_pool()
        if isinstance(self.metric, SimpleMetric) and self.metric.additive and not why:
            return self._sum(base)
        if why or not any(self._quotient(at) for at in self.places):
            why = why or self._nothing_pooled()
            return self.refused(base, why)
        return self._pool(base)

    # -------------------------------------------------------------------------------- sums over sums

    def _sum(self, base: RollUp) -> RollUp:
        rows = self.rows
        known = [at for at in self.places if rows.actual[at] is not None]
        rated = [at for at in self.places if rows.rated[at]]
        compared = [at for at in known if rows.rated[at]] if rated else known
        kind = rows.kind[self.places[0]]
        gross = _total(rows.actual[at] for at in compared)
        excess = self.overlap.excess("actual", {rows.partner[at] for at in compared})
        actual = gross - excess if compared else None
        held, whole = (self._target(places, kind) for places in (compared, rated))
        if compared and held is None:
            return self.refused(base, "not added up: some targets have a base and some have none")
        share = _span(held) / _span(whole) if held and whole and kind != "between" else None
        if not rated and known:
            held = whole = Target.model_validate({kind: _ZERO})
        assigned = whole.value if whole is not None and rated else None
        remarks, target = [*self._shares(excess, gross), *self._left_out(known, compared)], held
        if self.group.own is not None:
            target = self.group.own
            held = _part_of(target, share)
            remarks += _assignment(assigned, target, base.unit)
            if held is not None and held != target:
                part = Amount(held.value, base.unit)
                remarks.append(f"held against {part}, the part of the target that known partners hold")
        return _with(
            base,
            known=len(known),
            actual=actual,
            target=target or whole,
            attained=None if held is None else attainment(held, actual),
            target_share=share,
            gross=gross if excess else None,
            assigned=assigned,
            known_weight=_total(rows.weight[at] for at in compared if self._weighs(at)),
            remarks=tuple(remarks),
        )

    def _target(self, places: list[int], kind: str) -> Target | None:
        """The sum of instance targets."""
        if not places:
            return None
        first, second = (_total(self.rows.bounds[at][end] for at in places) for end in (0, 1))
        if kind == "between":
            return Target.model_validate({kind: (first, second)})
        based = [self.rows.target[at].base is not None for at in places]
        if kind == "at_most" and any(based) and not all(based):
            return None
        return Target.model_validate({kind: first, "from": second if any(based) else None})

    def _shares(self, excess: Decimal, gross: Decimal) -> list[str]:
        unit, noun = self.metric.unit.unit, self.overlap.noun
        if excess:
            return [f"sum of partners {Amount(gross, unit)}; each {noun} once {Amount(gross - excess, unit)}"]
        if not self.overlap.whole:
            return ["what several partners share may count with each of them"]
        return []

    def _left_out(self, known: list[int], compared: list[int]) -> list[str]:
        count = len(known) - len(compared)
        return [f"{named(count, 'partner')} with a target of 0 left out of the percentage"] if count else []

    # ----------------------------------------------------------------------------- pooled quotients

    def _quotient(self, at: int) -> bool:
        return self.rows.numerator[at] is not None and self.rows.denominator[at] is not None

    def _pool(self, base: RollUp) -> RollUp:
        rows = self.rows
        known = [at for at in self.places if self._quotient(at)]
        partners = {rows.partner[at] for at in known}
        excess = [self.overlap.excess(role, partners) for role in ("numerator", "denominator")]
        top = _total(rows.numerator[at] for at in known) - excess[0]
        bottom = _total(rows.denominator[at] for at in known) - excess[1]
        actual, remark = self._divided(top, bottom, sum(rows.n[at] for at in known))
        remarks = [remark] if remark else []
        if any(excess):
            remarks.append(f"each {self.overlap.noun} once, whoever shares it")
        target = self.group.own or self._common_target(known, remarks)
        weight = _total(rows.weight[at] for at in known if self._weighs(at)) if actual is not None else _ZERO
        return _with(
            base,
            known=len(known),
            actual=actual,
            target=target,
            attained=None if target is None else attainment(target, actual),
            known_weight=weight,
            remarks=tuple(remarks),
        )

    def _divided(self, top: Decimal, bottom: Decimal, n: int) -> tuple[Decimal | None, str]:
        least = self.metric.min_n
        zero = isinstance(self.metric, RatioMetric) and self.metric.zero_denominator == "zero"
        if not bottom:
            return (_ZERO, "") if zero else (None, "nothing to divide by")
        if n < least:
            return None, f"{n} record{'' if n == 1 else 's'} in all, at least {least} are needed"
        scale = self.metric.scale if isinstance(self.metric, RatioMetric) else None
        return top / bottom * (scale if scale is not None else _ONE), ""

    def _common_target(self, known: list[int], remarks: list[str]) -> Target | None:
        """The one target that all have; else what the pool would be if each partner met its own exactly."""
        targets = [self.rows.target[at] for at in known]
        if all(target == targets[0] for target in targets):
            return targets[0]
        kind = self.rows.kind[known[0]]
        weights = [self.rows.denominator[at] or _ZERO for at in known]
        whole = _total(weights)
        based = {target.base is not None for target in targets}
        if whole <= 0 or len(based) > 1:
            return None
        pairs = list(zip(known, weights, strict=True))
        first, second = (_total(self.rows.bounds[at][end] * weight for at, weight in pairs) / whole for end in (0, 1))
        remarks.append("the target is the partners' own, each weighed by the records that its figure rests on")
        if kind == "between":
            return Target.model_validate({kind: (first, second)})
        return Target.model_validate({kind: first, "from": second if based == {True} else None})

    # --------------------------------------------------------------------------------- everything else

    def _done(self, base: RollUp) -> RollUp:
        """Milestones are counted: how many partners are done."""
        known = [at for at in self.places if self.rows.attained[at] is not None]
        done = _total(self.rows.attained[at] for at in known)
        attained = done / len(known) if known else None
        weight = _total(self.rows.weight[at] for at in known)
        remark = f"{done:f} of {named(len(known), 'partner')} done in time"
        return _with(base, known=len(known), attained=attained, known_weight=weight, remarks=(remark,))

    def _no_pool(self) -> str:
        every = [self.metric] if isinstance(self.metric, SimpleMetric) else [self.metrics[n] for n in self.metric.parts]
        if any(isinstance(one, SimpleMetric) and one.scope == "programme" for one in every):
            return "not added up: a figure of the whole programme, the same for every partner"
        return ""

    def _nothing_pooled(self) -> str:
        if isinstance(self.metric, SimpleMetric) and self.metric.aggregate in _NO_POOL:
            return f"not added up: {_NO_POOL[self.metric.aggregate]} of several partners make no common one"
        if self._known():
            return "not added up: the sums behind the partners' figures are not known"
        return "nothing is known of any partner"

    def _known(self) -> int:
        return sum(self.rows.actual[at] is not None for at in self.places)


# ---------------------------------------------------------------------------------------------- little


def _with(one: RollUp, **facts: Any) -> RollUp:
    return RollUp(**(vars(one) | facts))


def _total(numbers: Iterable[Decimal | None]) -> Decimal:
    """A sum that is exact, and so the same in any order."""
    with localcontext() as context:
        context.prec = _EXACT
        return sum((number for number in numbers if number is not None), _ZERO)


def _middle(ordered: Sequence[Decimal]) -> Decimal | None:
    half, odd = divmod(len(ordered), 2)
    if not ordered:
        return None
    return ordered[half] if odd else (ordered[half - 1] + ordered[half]) / 2


def _span(target: Target) -> Decimal:
    """How far a target lies from where it starts."""
    return abs((target.value or _ZERO) - (target.base or _ZERO))


def _part_of(own: Target, share: Decimal | None) -> Target | None:
    """The part of a parent's own target that the known partners hold; targets that do not add up are held whole."""
    if share is None or share == 1 or own.value is None:
        return own
    if not share:
        return None
    base = None if own.base is None else own.base * share
    return Target.model_validate({own.kind: own.value * share, "from": base})


def _assignment(assigned: Decimal | None, own: Target, unit: Unit) -> list[str]:
    """How the partners' targets add up to the parent's own."""
    if assigned is None or not own.value:
        return []
    if assigned == own.value:
        return ["assigned in full"]
    gap = assigned / own.value - 1
    share = percent_text(abs(gap), 0 if abs(gap) >= Decimal("0.01") else 1)
    both = f"{Amount(assigned, unit)} of {Amount(own.value, unit)}"
    return [f"{'over' if gap > 0 else 'under'}-assigned by {share}: {both}"]


# ----------------------------------------------------------------------------------------------- score


def score(lines: Iterable[RollUp], goals: Mapping[str, Goal]) -> Weighted:
    """The weighted score of a group from its lines, one for each goal (goals.md 5.3).

    A goal weighs as much as it weighs with its partners together, so one that few have moves little. Attainments
    are floored at 0 and capped as in a partner's own score, and below 60 % of known weight there is none.
    """
    rated = (one for one in lines if one.target is None or has_ratio(one.target))
    return weighted((one.attained, one.known_weight, one.weight, goals[one.goal].cap_attainment) for one in rated)
