"""What may come, as a distribution for each of many partners at once; apart, because forecasts, checks and proposals
ask the same two questions of it: which range, and how likely is at least this.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Predictive", "Samples", "pinball", "seed_of"]

Floats = npt.NDArray[np.float64]


class Predictive(Protocol):
    """What may come of P partners."""

    def quantile(self, levels: Floats) -> Floats:
        """Quantiles, an array of P by the number of levels; the lowest value whose probability reaches the level."""
        ...

    def at_least(self, target: Floats) -> Floats:
        """For each partner the probability of reaching its target or more."""
        ...

    def at_most(self, target: Floats) -> Floats:
        """For each partner the probability of its target or less."""
        ...

    @property
    def mean(self) -> Floats:
        """The expectation of each partner."""
        ...


@dataclass(frozen=True)
class Samples:
    """A distribution given by equally likely draws, an array of P by N."""

    draws: Floats = field(repr=False)

    def quantile(self, levels: Floats) -> Floats:
        """See :class:`Predictive`."""
        return np.asarray(np.quantile(self.draws, levels, axis=1, method="inverted_cdf").T, np.float64)

    def at_least(self, target: Floats) -> Floats:
        """See :class:`Predictive`."""
        return np.asarray((self.draws >= target[:, None]).mean(axis=1), np.float64)

    def at_most(self, target: Floats) -> Floats:
        """See :class:`Predictive`."""
        return np.asarray((self.draws <= target[:, None]).mean(axis=1), np.float64)

    @property
    def mean(self) -> Floats:
        """See :class:`Predictive`."""
        return np.asarray(self.draws.mean(axis=1), np.float64)


def pinball(actual: Floats, quantile: Floats, level: float) -> Floats:
    """The pinball loss of quantile forecasts, element by element; its mean is a proper score (goals.md 6.4)."""
    miss = actual - quantile
    return np.maximum(level * miss, (level - 1) * miss)


def seed_of(*texts: str) -> int:
    """A seed made of texts alone, so that the same data draw the same numbers on every machine and day."""
    return int.from_bytes(hashlib.sha256("\0".join(texts).encode()).digest()[:8], "big")
