"""The targets proposed for the next quarter, for every partner and goal; apart, because the pack shows them, the
command writes them, and both must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from pbr_lib import goals, proration, results
from pbr_lib.agreement import Agreed
from pbr_lib.definitions import Goal
from pbr_lib.ground import Ground
from pbr_lib.pacing import is_flow
from pbr_lib.peers import PeerValue
from pbr_lib.periods import Quarter
from pbr_lib.renewal import rules, stopping
from pbr_lib.renewal.rules import Past, Proposal, Step

__all__ = ["Draft", "Dropped", "Mid", "Proposals", "propose"]

Mid = Callable[[str, str], Decimal | None]
"""What the forecast expects of a goal and partner in the running quarter, or None."""

_FIRST = "first target, from the goal's definition"


@dataclass(frozen=True)
class Draft:
    """One proposed target: whose and which goal, what the rule gives, and which target it follows."""

    partner_id: str
    goal: str
    proposal: Proposal
    before: Agreed | None = None
    stop: str = ""


@dataclass(frozen=True)
class Dropped:
    """A goal that is not carried on for a partner, and why."""

    partner_id: str
    goal: str
    reason: str


@dataclass(frozen=True)
class Proposals:
    """Everything proposed for a quarter, by partner in the order of ids, goals in the order of the definitions.

    ``retire`` names the goals that no longer tell partners apart, with the reason; to be decided by people.
    """

    quarter: Quarter
    drafts: tuple[Draft, ...] = field(repr=False)
    dropped: tuple[Dropped, ...] = field(default=(), repr=False)
    retire: Mapping[str, str] = field(default_factory=dict)

    def of(self, partner_id: str) -> tuple[Draft, ...]:
        """Those of one partner."""
        return self._by_partner.get(partner_id, ())

    @cached_property
    def _by_partner(self) -> Mapping[str, tuple[Draft, ...]]:
        groups: dict[str, list[Draft]] = {}
        for draft in self.drafts:
            groups.setdefault(draft.partner_id, []).append(draft)
        return {partner: tuple(each) for partner, each in groups.items()}


def propose(ground: Ground, mid: Mid = lambda goal, partner: None) -> Proposals:
    """The targets of the quarter after the ground's, one for each partner and goal.

    A partner goes on with the goals that it has, as long as the definition still selects it; a goal that begins in
    the new quarter joins them. ``mid`` stands in for the actual of a quarter that is still running.
    """
    quarter = ground.quarter.shift(1)
    maker = _Maker(ground, quarter, mid)
    drafts: list[Draft] = []
    dropped: list[Dropped] = []
    for partner_id in ground.partners:
        before = results.targets(ground, partner_id, ground.quarter)
        if not ground.takes_part(partner_id, quarter):
            ended = ground.partners[partner_id].get("ended_on")
            left = ended is not None and ended < quarter.start
            reason = f"the partner has {'left' if left else 'not joined'} the programme{'' if left else ' yet'}"
            dropped += [Dropped(partner_id, goal, reason) for goal in before]
            continue
        for key, goal in ground.params.goals.items():
            why = maker.why_not(partner_id, key, goal, key in before, bool(before))
            if why and key in before:
                dropped.append(Dropped(partner_id, key, why))
            elif not why:
                draft = maker.draft(partner_id, key, before.get(key))
                if draft.proposal.target is None:
                    dropped.append(Dropped(partner_id, key, draft.proposal.basis))
                else:
                    drafts.append(draft)
    return Proposals(quarter, tuple(drafts), tuple(dropped), dict(_topped_out(ground)))


def _topped_out(ground: Ground) -> Iterator[tuple[str, str]]:
    """Goals whose metric is nearly the same for all partners in the last quarter that is over (goals.md 4.2)."""
    for key, goal in ground.params.goals.items():
        history = ground.history(goal.metric, ground.params.calendar_of(goal))
        over = [at for at, closed in enumerate(history.closed) if closed]
        if over:
            values = history.value[history.usable[:, over[-1]], over[-1]]
            unit = ground.params.metrics[goal.metric].unit.unit
            advice = stopping.topped_out(values, unit, ground.params.workbook.peers.least)
            if advice is not None:
                yield key, advice.words


class _Maker:
    """Makes one draft after another; what all partners of a goal share is worked out once."""

    def __init__(self, ground: Ground, quarter: Quarter, mid: Mid) -> None:
        self.ground = ground
        self.quarter = quarter
        self.mid = mid
        self.quantiles: dict[str, Mapping[str, PeerValue | None]] = {}
        self.periods: dict[tuple[str, int], Quarter] = {}

    def why_not(self, partner_id: str, key: str, goal: Goal, had: bool, others: bool) -> str:
        """Why a goal is not proposed for a partner; empty when it is."""
        if partner_id not in self.ground.applies[key]:
            return "its definition no longer selects the partner"
        if not results.runs(self.ground, goal, self.quarter):
            return "the goal has run out" if had else "the goal has not begun"
        return "" if had or not others or self._begins(goal) else "the partner goes without it"

    def _begins(self, goal: Goal) -> bool:
        """Whether the new quarter is the goal's first."""
        return self.ground.params.calendar_of(goal).parse(goal.first_period) == self._period(goal)

    def _period(self, goal: Goal) -> Quarter:
        """The new quarter in the goal's own calendar: the one after that of this quarter's pack."""
        return self._before(goal, 0)

    def _before(self, goal: Goal, quarters: int) -> Quarter:
        """The quarter that lies so many before the new one, in the goal's own calendar; the same for all partners."""
        place = (goal.calendar, quarters)
        if place not in self.periods:
            self.periods[place] = self.ground.period(goal, self.ground.quarter).shift(1 - quarters)
        return self.periods[place]

    def draft(self, partner_id: str, key: str, before: Agreed | None) -> Draft:
        """The proposal for one partner and goal."""
        goal = self.ground.params.goals[key]
        period = self._period(goal)
        if before is None:
            first = self._first(partner_id, key, goal, period)
            if first is not None:
                return Draft(partner_id, key, first)
        step = self._step(partner_id, key, goal, before, period)
        return Draft(partner_id, key, rules.propose(step), before, self._stop(partner_id, key, goal))

    def _first(self, partner_id: str, key: str, goal: Goal, period: Quarter) -> Proposal | None:
        """The first target of a goal is its definition's; of a goal set by peers it is theirs, by the rule."""
        if goal.renew.rule == "peer":
            return None
        metric = self.ground.params.metrics[goal.metric]
        clock = self.ground.clock(partner_id, period, key)
        target = goals.resolve_target(goal, metric, clock)
        if target is None:
            why = "a new partner skips its first quarter" if clock.eligible else "no day of the quarter counts"
            return Proposal(None, basis=why, flags=("not taking part",))
        stretch, red_flag = goals.resolve_bounds(goal, metric, target)
        return Proposal(target, stretch, red_flag, _FIRST, ("target of the definition",))

    def _step(self, partner_id: str, key: str, goal: Goal, before: Agreed | None, period: Quarter) -> Step:
        row = None if before is None else before.instance
        return Step(
            goal,
            self.ground.params.metrics[goal.metric],
            period,
            tuple(self._past(partner_id, key, goal, self._before(goal, back)) for back in range(1, _reach(goal) + 1)),
            None if row is None else row.target,
            None if row is None else row.stretch,
            None if row is None else row.red_flag,
            Decimal(0) if row is None or row.carried is None else row.carried,
            eligible=self._eligible(partner_id, key, goal, period),
            part=before is None or before.row.where == "" or "prorated" in before.row.basis,
            peers=self._quantile(goal).get(partner_id) if goal.renew.rule == "peer" else None,
        )

    def _past(self, partner_id: str, key: str, goal: Goal, quarter: Quarter) -> Past:
        """One earlier quarter: as issued where it is closed, else as measured; a running one as forecast."""
        ground = self.ground
        eligible = self._eligible(partner_id, key, goal, quarter)
        figure = None
        if not goal.calendar:
            figure = ground.record.figures.get((quarter.label, partner_id, key))
        fact = ground.fact(goal.metric, partner_id, quarter)
        if figure is not None and figure.metric == goal.metric:
            return Past(quarter, figure.actual, "final", eligible, fact.first_day)
        phase, actual = ground.clock(partner_id, quarter, key).phase, fact.value if fact.known else None
        if phase == "running" and is_flow(ground.params.metrics[goal.metric]):
            return Past(quarter, self.mid(key, partner_id), "forecast", eligible, fact.first_day)
        return Past(quarter, actual, "final" if phase == "final" else "provisional", eligible, fact.first_day)

    def _eligible(self, partner_id: str, key: str, goal: Goal, quarter: Quarter) -> proration.Eligible:
        row = self.ground.partners[partner_id]
        joined = None if goal.new_partner == "full" else row.get("joined_on")
        resting = proration.resting(self.ground.pauses_of(partner_id), key)
        return proration.eligible(quarter, joined, row.get("ended_on"), resting)

    def _quantile(self, goal: Goal) -> Mapping[str, PeerValue | None]:
        """What the peers of every partner reached in the last quarter that is over."""
        if goal.metric not in self.quantiles:
            history = self.ground.history(goal.metric, self.ground.params.calendar_of(goal))
            over = [at for at, closed in enumerate(history.closed) if closed]
            at = over[-1] if over else None
            values = [None] * len(history.partners) if at is None else list(history.exact[:, at])
            if at is not None:
                values = [v if ok else None for v, ok in zip(values, history.member[:, at], strict=True)]
            found = self.ground.peers.quantiles(values, goal.renew.quantile)
            self.quantiles[goal.metric] = dict(zip(history.partners, found, strict=True))
        return self.quantiles[goal.metric]

    def _stop(self, partner_id: str, key: str, goal: Goal) -> str:
        """Whether the goal should be raised, replaced or retired, in words; empty when it goes on."""
        longest = max(goal.stop.met_in_a_row or 0, goal.stop.unmoved_in_a_row or 0)
        if not longest:
            return ""
        unit = self.ground.params.metrics[goal.metric].unit.unit
        advice = stopping.advise(goal.stop, [*self._outcomes(partner_id, key, goal, longest)], unit)
        return "; ".join(each.words for each in advice)

    def _outcomes(self, partner_id: str, key: str, goal: Goal, longest: int) -> Iterator[stopping.Outcome]:
        """The quarters that are over, the latest first, against the targets that counted in them."""
        ground, told = self.ground, 0
        for back in range(longest + 1):
            quarter = ground.quarter.shift(-back)
            period = ground.period(goal, quarter)
            if period not in ground.quarters:
                return  # further back than anything is measured
            if told == longest or ground.clock(partner_id, period).phase == "running":
                continue
            told += 1
            fact = ground.fact(goal.metric, partner_id, period)
            actual = fact.value if fact.known else None
            one = ground.agreed.get(quarter.label, {}).get((partner_id, key))
            met = None
            if one is not None and actual is not None:
                met = goals.is_met(one.instance.target, actual, fact.first_day)
            yield stopping.Outcome(period.label, met, actual, fact.known)


def _reach(goal: Goal) -> int:
    """How many quarters back a rule looks."""
    renew = goal.renew
    return {"rolling_average": renew.quarters or 4, "same_quarter_last_year": 4}.get(renew.rule, 1)
