"""The goals of one partner in one quarter, evaluated; apart, because packs, checks, renewals and roll-ups must not
each have an answer of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from pbr_lib import goals
from pbr_lib.agreement import Agreed
from pbr_lib.definitions import Goal
from pbr_lib.goalrows import Instance
from pbr_lib.goals import Facts, Result
from pbr_lib.ground import Ground
from pbr_lib.pacing import PaceShare
from pbr_lib.periods import Quarter

__all__ = ["Ahead", "Evaluated", "of_partner", "runs", "targets"]

UNAGREED = "from the goal's definition; not agreed yet"


class Ahead(Protocol):
    """What is known of a running quarter beyond what was measured: the pace of its past, and the chance to meet."""

    def share(self, key: str, partner_id: str) -> PaceShare | None:
        """The share of the final value that is usually there by now, None where days are to be counted."""
        ...

    def p_met(self, key: str, partner_id: str) -> Decimal | None:
        """The chance to meet the target, None without a forecast."""
        ...


@dataclass(frozen=True)
class Evaluated:
    """One goal as it stands: what was measured against the target that counts, and how that target came about."""

    result: Result
    goal: Goal
    agreed: Agreed


def targets(ground: Ground, partner_id: str, quarter: Quarter) -> dict[str, Agreed]:
    """The targets that count for a partner, in the order of the definitions.

    They are the rows of the quarter's file; where it has none at all for the partner, what the definitions give.
    """
    rows = ground.rows_of(quarter.label).get(partner_id)
    if rows:
        return {key: rows[key] for key in ground.params.goals if key in rows}
    out = {}
    for key, goal in ground.params.goals.items():
        if partner_id not in ground.applies[key] or not runs(ground, goal, quarter):
            continue
        metric = ground.params.metrics[goal.metric]
        target = goals.resolve_target(goal, metric, ground.clock(partner_id, ground.period(goal, quarter), key))
        if target is not None:
            stretch, red_flag = goals.resolve_bounds(goal, metric, target)
            row = Instance(partner_id, key, target, stretch=stretch, red_flag=red_flag, basis=UNAGREED)
            out[key] = Agreed(row, row, "proposed", UNAGREED)
    return out


def runs(ground: Ground, goal: Goal, quarter: Quarter) -> bool:
    """Whether a goal has begun in a quarter, and not ended before it."""
    return ground.runs(goal, quarter)


def of_partner(ground: Ground, partner_id: str, quarter: Quarter, ahead: Ahead | None = None) -> tuple[Evaluated, ...]:
    """Every goal of a partner in a quarter, evaluated, in the order of the definitions.

    ``ahead`` tells of the running quarter; without it pace is counted in days.
    """
    if not ground.takes_part(partner_id, quarter):
        return ()
    return tuple(
        Evaluated(_result(ground, one, quarter, ahead), ground.params.goals[key], one)
        for key, one in targets(ground, partner_id, quarter).items()
    )


def _result(ground: Ground, one: Agreed, quarter: Quarter, ahead: Ahead | None) -> Result:
    key, partner_id = one.instance.goal, one.instance.partner_id
    goal = ground.params.goals[key]
    clock = ground.clock(partner_id, ground.period(goal, quarter), key)
    fact = ground.fact(goal.metric, partner_id, clock.quarter)
    facts = Facts(fact, clock)
    if ahead is not None:
        facts = Facts(fact, clock, ahead.share(key, partner_id), ahead.p_met(key, partner_id))
    return goals.evaluate(key, goal, ground.params.metrics[goal.metric], one.instance, facts)
