"""Whether a quarter's goals are specific, measurable, attainable, relevant and time-bound (goals.md 3); apart, because
what is found is told in a check, beside a draft of targets and in a notebook alike.

The rules stand in ``rules``; each group of them has a room of its own. Numbers are judged for all partners at
once, and a sentence is made only where something is found.
"""

from __future__ import annotations

from collections.abc import Mapping

from pbr_lib.smart import attainable, measurable, moving, specific, timing
from pbr_lib.smart.attainable import Judged, Verdict, judge
from pbr_lib.smart.plan import Chances, Plan
from pbr_lib.smart.rules import LETTERS, RULES, Found, Rule

__all__ = ["LETTERS", "RULES", "Chances", "Found", "Judged", "Plan", "Rule", "Verdict", "check", "judge"]


def check(plan: Plan, judged: Mapping[str, Judged] | None = None) -> tuple[Found, ...]:
    """Every rule that a goal of the quarter breaks, in the order of the rules, then of goals and rows.

    ``judged`` saves judging twice where the caller has the verdicts already. What concerns the set of goals as a
    whole is found by ``fleet.check``.
    """
    out = [*specific.check(plan), *measurable.check(plan), *attainable.check(plan, judged)]
    out += [*timing.check(plan), *moving.check(plan)]
    return tuple(sorted(out, key=lambda one: one.order))
