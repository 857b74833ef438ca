"""Draws and days for the demo; apart, because every table of the demo is made from the same two.

Only uniform numbers are drawn, and every distribution is a small table that they are looked up in: the
other draws of numpy may change with its version, and then the same seed would no longer make the same demo.
Days are counted from :data:`START`, the first day of the history, which is a Monday.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pbr_lib.periods import Calendar

__all__ = [
    "AS_OF",
    "FIRST_DAYS",
    "QUARTERS",
    "START",
    "THIS_QUARTER",
    "TODAY",
    "Bools",
    "Dice",
    "Floats",
    "Ints",
    "closing_days",
    "created_days",
    "day_number",
    "minute_number",
    "quarter_number",
    "weekday",
]

START = dt.date(2024, 7, 1)
AS_OF = dt.date(2026, 9, 4)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

QUARTERS = Calendar().quarters(START, AS_OF)
THIS_QUARTER = len(QUARTERS) - 1
# The history, then the quarters in which open deals are expected to close.
_ALL_FIRST_DAYS = np.array([(q.start - START).days for q in Calendar().quarters(START, dt.date(2028, 12, 31))])
FIRST_DAYS = _ALL_FIRST_DAYS[: len(QUARTERS) + 1]
TODAY = (AS_OF - START).days

# Back-loaded quarters: the last third holds 44 % of what is created and half of what is closed.
_THIRDS = (0.0, 1 / 3, 2 / 3, 1.0)
_CREATED_BY = (0.0, 0.26, 0.56, 1.0)
_CLOSED_BY = (0.0, 0.22, 0.50, 1.0)
_SEASON = (0.92, 1.20, 0.90, 1.00)  # Q3, Q4, Q1, Q2: the history starts with a third quarter
_GROWTH = 1.05


class Dice:
    """Reproducible draws: one stream per table, so that a change in one leaves the others alone."""

    def __init__(self, seed: int, stream: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream])))

    def uniform(self, count: int) -> Floats:
        """Numbers from 0 up to 1."""
        return self._generator.random(count)

    def hits(self, count: int, chance: float | Floats) -> Bools:
        """True with that chance."""
        return self.uniform(count) < chance

    def exactly(self, count: int, share: float) -> Bools:
        """That share of ``count`` places, to the nearest whole one, so that small demos keep the proportion too."""
        return np.argsort(np.argsort(self.uniform(count), kind="stable"), kind="stable") < round(count * share)

    def below(self, count: int, limit: int | Ints) -> Ints:
        """Whole numbers from 0 up to and without ``limit``."""
        return (self.uniform(count) * limit).astype(np.int64)

    def between(self, count: int, least: int, most: int) -> Ints:
        """Whole numbers from ``least`` to ``most``."""
        return least + self.below(count, most - least + 1)

    def pick(self, count: int, weights: Floats | Sequence[float]) -> Ints:
        """Places in ``weights``, heavy ones more often."""
        return _shelf(weights, self.uniform(count))

    def spread(self, count: int, weights: Floats | Sequence[float]) -> Ints:
        """Like ``pick``, in order and as evenly as the weights ask for, so that chance cannot hide the seasons."""
        return _shelf(weights, (np.arange(count) + self.uniform(count)) / max(count, 1))

    def table(self, count: int, at: Sequence[float], values: Sequence[float]) -> Floats:
        """Values from a table of a distribution: ``values`` at the shares ``at``, straight lines between them."""
        return np.interp(self.uniform(count), at, values)

    def minute(self, count: int) -> Ints:
        """A minute of a working day, 8:00 to 18:00."""
        return self.between(count, 8 * 60, 18 * 60 - 1)


def _shelf(weights: Floats | Sequence[float], draws: Floats) -> Ints:
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    shelf: Ints = np.searchsorted(edges, draws * edges[-1], side="right").clip(max=len(edges) - 1)
    return shelf


def day_number(text: str) -> int:
    """The day in ``2026-07-14`` or ``2026-07-14 15:05``."""
    return (dt.date.fromisoformat(text[:10]) - START).days


def minute_number(text: str) -> int:
    """The minute of the day in ``2026-07-14 15:05``."""
    return int(text[11:13]) * 60 + int(text[14:16])


def weekday(days: Ints) -> Ints:
    """Saturdays become Fridays, Sundays become Mondays; the history starts on a Monday."""
    place = days % 7
    moved: Ints = days - (place == 5) + (place == 6)
    return moved


def quarter_number(days: Ints) -> Ints:
    """Which of :data:`QUARTERS` each day lies in."""
    return np.searchsorted(FIRST_DAYS, days, side="right") - 1


def created_days(dice: Dice, count: int) -> Ints:
    """Days of creation: growth from quarter to quarter, seasons, and more towards the end of each quarter."""
    length = np.diff(FIRST_DAYS)
    passed = np.interp((TODAY + 1 - FIRST_DAYS[-2]) / length[-1], _THIRDS, _CREATED_BY)
    whole = np.ones(len(length))
    whole[-1] = passed
    weights = [_GROWTH**number * _SEASON[number % 4] * whole[number] for number in range(len(length))]
    quarter = dice.spread(count, weights)
    place = np.interp(dice.uniform(count) * whole[quarter], _CREATED_BY, _THIRDS)
    days = FIRST_DAYS[quarter] + (place * length[quarter]).astype(np.int64)
    return weekday(days.clip(max=TODAY))


def closing_days(raw: Ints) -> Ints:
    """The days on which deals close that would have closed on ``raw``: later, as quarters fill up late."""
    number = np.searchsorted(_ALL_FIRST_DAYS, raw, side="right") - 1
    first, length = _ALL_FIRST_DAYS[number], np.diff(_ALL_FIRST_DAYS)[number]
    place = np.interp((raw - first) / length, _CLOSED_BY, _THIRDS)
    return weekday(first + (place * length).astype(np.int64))
