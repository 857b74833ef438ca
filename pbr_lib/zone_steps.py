"""How far the clock of one zone is ahead of another's, as steps over time; apart, because the engine that moves
millions of timestamps knows no zones, and can add a number of seconds that changes a few times a year.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import numpy as np

from pbr_lib import clocks

__all__ = ["Step", "steps"]

Step = tuple[dt.datetime, int]
"""From this time on the first clock, so many seconds lead to the other."""

_QUARTER_HOUR = 15 * 60 * 1_000_000  # clocks change on quarter hours, and by quarter hours
_MARGIN = dt.timedelta(days=3)
_EPOCH = dt.date(1970, 1, 1)


@lru_cache(maxsize=256)
def steps(clock: str, zone: str, first: dt.date, last: dt.date) -> tuple[Step, ...]:
    """The steps from the clock of one zone to that of another, for days ``first`` to ``last`` and some around.

    The first step also holds for whatever lies before, the last for whatever comes after. Of an hour that ``clock``
    shows twice the first is meant, and a time that it skips is moved on by what was skipped (see ``clocks.to_utc``).

    Raises
    ------
    SourceError
        When there is no such zone.
    """
    begin, end = ((day - _EPOCH).days * 86_400_000_000 for day in (first - _MARGIN, last + _MARGIN))
    shown = np.arange(begin, end, _QUARTER_HOUR, dtype=np.int64)
    moments, _, _ = clocks.to_utc(shown, clock)
    ahead = (clocks.from_utc(moments, zone) - shown) // 1_000_000
    at = np.concatenate([[0], np.flatnonzero(np.diff(ahead)) + 1])
    starts = shown[at].astype("datetime64[us]").astype(dt.datetime)
    return tuple((start, int(seconds)) for start, seconds in zip(starts.tolist(), ahead[at], strict=True))
