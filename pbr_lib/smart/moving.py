"""Whether the metrics of one objective ever move together; apart, because it asks the history of all partners at once
and only ever gives a remark.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from pbr_lib.history import History
from pbr_lib.smart.own import spearman
from pbr_lib.smart.plan import Plan
from pbr_lib.smart.rules import Found, found

__all__ = ["check"]

_LEAST = 30
_TOGETHER = 0.1


def check(plan: Plan) -> Iterator[Found]:
    """R7: a metric whose changes from quarter to quarter go with those of no other metric of its objective.

    Over all partners, by rank correlation, on 30 changes or more; below 0.1 either way counts as not moving together.
    """
    for objective in plan.settings.objectives:
        keys = [key for key in plan.running if plan.goal(key).objective == objective]
        names = [name for name in dict.fromkeys(plan.goal(key).metric for key in keys) if name in plan.history]
        histories = {name: plan.history[name].before(plan.quarter) for name in names}
        moved: dict[str, list[float]] = {name: [] for name in names}
        for one, other in combinations(names, 2):
            rho = _together(histories[one], histories[other])
            if rho is not None:
                moved[one].append(abs(rho))
                moved[other].append(abs(rho))
        for name, strengths in moved.items():
            if strengths and max(strengths) < _TOGETHER:
                told = f'it never moved with any other metric of the objective "{objective}" '
                told += f"(rank correlation of its changes {max(strengths):.2f} at most)"
                yield found("R7", told, f"params/metrics.yaml, metrics.{name}", metric=name)


def _together(one: History, other: History) -> float | None:
    """The rank correlation of changes of the same partners and quarters; None with too few, or when one never moved."""
    if one.partners != other.partners or one.quarters != other.quarters:
        return None
    a, b = _changes(one), _changes(other)
    both = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[both], b[both]
    if len(a) < _LEAST or not a.any() or not b.any():
        return None
    return spearman(a, b)


def _changes(history: History) -> npt.NDArray[np.float64]:
    value = np.where(history.usable, history.value, np.nan)
    return np.asarray(np.diff(value, axis=1), np.float64)
