"""How wide a range must be to hold what it promises; apart, because the answer comes from past ranges and what became
of them, whatever method drew them (goals.md 6.3: conformal correction).

A range that held too few past values is widened: of amounts by a share of its width, of counts, which jump from whole
number to whole number, by a higher level. One that held too many is narrowed by a lower level. Between four fifths and
a little more of past values held, it stays as it was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pbr_lib.predictive import Predictive

__all__ = ["LEAST_CASES", "MOST", "NOMINAL", "Correction", "as_they_are", "by_level", "by_width"]
__all__ += ["covered", "levels_needed", "width_scores"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NOMINAL, MOST = 0.8, 0.85
"""The share of final values that a range is meant to hold, and the most it should hold before it is narrowed."""
LEAST_CASES = 20
"""How many past partner-quarters a correction needs; with fewer a range stays as it is drawn."""

_LEVELS = (0.5, 0.998)  # never narrower than the middle half, however much stays as it is
_WIDEST = 3.0
_HAIR = 1e-9  # so that a level never lies just where a jump of the distribution is


@dataclass(frozen=True)
class Correction:
    """What past ranges taught: at which ``level`` to draw one, by which share of its width to ``stretch`` it at either
    end, and from how many partner-quarters.
    """

    level: float = NOMINAL
    stretch: float = 0.0
    cases: int = 0

    def of(self, what: Predictive, scale: Floats) -> tuple[Floats, Floats]:
        """The lower and upper ends of the range of each partner.

        ``scale`` is a usual value of each partner, which lends width to a range that has none.
        """
        tail = (1 - self.level) / 2
        ends = what.quantile(np.array([tail, 1 - tail]))
        if not self.stretch:
            return ends[:, 0], ends[:, 1]
        move = self.stretch * _width(ends[:, 0], ends[:, 1], scale)
        return ends[:, 0] - move, ends[:, 1] + move


def as_they_are() -> Correction:
    """No correction: the range that the method draws."""
    return Correction()


def levels_needed(what: Predictive, actual: Floats) -> Floats:
    """For each partner the least level whose central range would have held what came; 0 where the middle held it."""
    safe = np.nan_to_num(actual)
    upto, below = what.at_most(safe), 1 - what.at_least(safe)
    return np.clip(np.maximum(1 - 2 * upto, 2 * below - 1) + _HAIR, 0.0, 1.0)


def by_level(needed: Floats) -> Correction:
    """Wider or narrower by the level alone: ``needed`` says what each past value took (see :func:`levels_needed`)."""
    if len(needed) < LEAST_CASES:
        return as_they_are()
    level = float(np.clip(NOMINAL, _reach(needed, NOMINAL), _reach(needed, MOST)))
    return Correction(level=float(np.clip(level, *_LEVELS)), cases=len(needed))


def width_scores(low: Floats, high: Floats, actual: Floats, scale: Floats) -> Floats:
    """By how much of its width each range missed (above 0) or had to spare (below 0)."""
    return np.asarray(np.maximum(low - actual, actual - high) / _width(low, high, scale), np.float64)


def by_width(scores: Floats, needed: Floats) -> Correction:
    """Wider by a share of the width, by the ``scores`` of past ranges; narrower by the level, as :func:`by_level`.

    Width alone cannot narrow where much often stays as it is: half of all amounts may lie exactly on the lower end.
    """
    if len(scores) < LEAST_CASES:
        return as_they_are()
    stretch = min(max(_reach(scores, NOMINAL), 0.0), _WIDEST)
    level = NOMINAL if stretch else min(by_level(needed).level, NOMINAL)
    return Correction(level, stretch, len(scores))


def covered(low: Floats, high: Floats, actual: Floats) -> Mask:
    """Whether each range holds what came, a hair's breadth allowed for floats."""
    hair = 1e-9 * (1 + np.abs(actual))
    return np.asarray((actual >= low - hair) & (actual <= high + hair), bool)


def _reach(scores: Floats, share: float) -> float:
    """The score that this share of scores does not pass, with one place more for the one to come."""
    place = min(int(np.ceil((len(scores) + 1) * share)), len(scores))
    return float(np.sort(scores)[place - 1])


def _width(low: Floats, high: Floats, scale: Floats) -> Floats:
    return np.maximum(high - low, 0.02 * scale)
