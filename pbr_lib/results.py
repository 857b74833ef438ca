"""The goals of one partner in one quarter, evaluated; apart, because packs, checks, renewals and roll-ups must not
each have an answer of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from pbr_lib import goals
from pbr_lib.agreement import Agreed
from pbr_lib.definitions import Goal
from pbr_lib.goalrows import Instance
from pbr_lib.goals import Clock, Facts, Result
from pbr_lib.ground import Ground
from pbr_lib.periods import Quarter

__all__ = ["Evaluated", "of_partner", "targets"]

UNAGREED = "from the goal's definition; not agreed yet"


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
    clock = ground.clock(partner_id, quarter)
    for key, goal in ground.params.goals.items():
        if partner_id not in ground.applies[key] or ground.params.quarter(goal.first_period).start > quarter.start:
            continue
        metric = ground.params.metrics[goal.metric]
        target = goals.resolve_target(goal, metric, clock)
        if target is not None:
            stretch, red_flag = goals.resolve_bounds(goal, metric, target)
            row = Instance(partner_id, key, target, stretch=stretch, red_flag=red_flag, basis=UNAGREED)
            out[key] = Agreed(row, row, "proposed", UNAGREED)
    return out


def of_partner(ground: Ground, partner_id: str, quarter: Quarter) -> tuple[Evaluated, ...]:
    """Every goal of a partner in a quarter, evaluated, in the order of the definitions."""
    if not ground.takes_part(partner_id, quarter):
        return ()
    clock = ground.clock(partner_id, quarter)
    return tuple(
        Evaluated(_result(ground, key, one, clock), ground.params.goals[key], one)
        for key, one in targets(ground, partner_id, quarter).items()
    )


def _result(ground: Ground, key: str, one: Agreed, clock: Clock) -> Result:
    goal = ground.params.goals[key]
    fact = ground.fact(goal.metric, one.instance.partner_id, clock.quarter)
    return goals.evaluate(key, goal, ground.params.metrics[goal.metric], one.instance, Facts(fact, clock))
