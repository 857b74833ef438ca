"""What a partner's own last quarters say about a target: mean, spread, how often it was met; apart, because a check
gives these figures as reasons, and never as the rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pbr_lib.history import History

__all__ = ["Own", "own", "ranks", "spearman", "typical"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LAST = 8
_YEAR = 4


@dataclass(frozen=True)
class Own:
    """The last eight quarters of P partners, quarters that count only (known, over, the partner there throughout).

    ``value`` is float64[P, 8] with NaN where a quarter does not count, ``count`` int64[P] how many do. ``mean``,
    ``deviation`` (n - 1), ``p25``, ``least`` and ``most`` are float64[P], NaN where there are too few; ``year`` is the
    mean of the last four quarters, NaN unless all four count.
    """

    value: Floats = field(repr=False)
    count: Ints = field(repr=False)
    mean: Floats = field(repr=False)
    deviation: Floats = field(repr=False)
    p25: Floats = field(repr=False)
    p75: Floats = field(repr=False)
    least: Floats = field(repr=False)
    most: Floats = field(repr=False)
    year: Floats = field(repr=False)


def own(history: History) -> Own:
    """What partners did; ``history`` ends before the quarter that is judged, and quarters under way are left out."""
    history = _over_by_now(history)
    usable = history.usable[:, -_LAST:]
    value = np.where(usable, history.value[:, -_LAST:], np.nan)
    count = usable.sum(axis=1)
    known = np.where(usable, value, 0.0)
    mean = _over(known.sum(axis=1), count)
    squares = np.where(usable, (value - mean[:, None]) ** 2, 0.0).sum(axis=1)
    deviation = np.sqrt(_over(squares, count - 1))
    ordered = np.sort(value, axis=1)
    last = usable[:, -_YEAR:]
    whole = last.shape[1] == _YEAR
    year = np.where(whole & last.all(axis=1), _over(known[:, -_YEAR:].sum(axis=1), last.sum(axis=1)), np.nan)
    bounds = (_quantile(ordered, count, 0.25), _quantile(ordered, count, 0.75))
    ends = (_quantile(ordered, count, 0.0), _quantile(ordered, count, 1.0))
    return Own(value, count, mean, deviation, *bounds, *ends, year)


def typical(history: History) -> Floats:
    """The median number of records of each partner's last eight quarters that count; NaN where there is none."""
    history = _over_by_now(history)
    usable = history.usable[:, -_LAST:]
    counts = np.where(usable, history.n[:, -_LAST:].astype(np.float64), np.nan)
    return _quantile(np.sort(counts, axis=1), usable.sum(axis=1), 0.5)


def _over_by_now(history: History) -> History:
    """A quarter under way is none of the last eight, so that a check ahead of time sees eight as well."""
    return history.only(np.flatnonzero(history.closed).tolist())


def _over(total: Floats, count: Ints) -> Floats:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _quantile(ordered: Floats, count: Ints, level: float) -> Floats:
    """The quantile of the first ``count`` values of each row, interpolated (type 7); NaN where there is none."""
    if ordered.shape[1] == 0:
        return np.full(len(ordered), np.nan)
    place = np.maximum(count - 1, 0) * level
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    at = np.arange(len(ordered))
    below, above = ordered[at, low], ordered[at, high]
    return np.where(count > 0, below + (above - below) * (place - low), np.nan)


def ranks(values: Floats) -> Floats:
    """Ranks from 1 on; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], np.float64)


def spearman(one: Floats, other: Floats) -> float:
    """The rank correlation of two columns without NaN; 0.0 where either does not vary: nothing goes with it."""
    a, b = ranks(one), ranks(other)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale else 0.0
