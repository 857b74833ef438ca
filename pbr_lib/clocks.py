"""From the clock of one time zone to that of another, for whole columns; apart, because the zone rules come from
Python one moment at a time, and a column holds millions of them.

Between two changes of a zone's clock its distance from UTC is the same, so only the changes are looked up.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pbr_lib.errors import SourceError

__all__ = ["from_utc", "known_zone", "to_utc"]

Micros = npt.NDArray[np.int64]

_SECOND = 1_000_000
_DAY = 86_400
_BLOCK = 3_660 * _DAY
"""Changes are looked up and kept for about ten years at a time."""


def known_zone(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of that name.

    Raises
    ------
    SourceError
        When there is no such zone.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        fix = "write a zone like Europe/Berlin, America/New_York or UTC"
        raise SourceError(f'"{name}" is no time zone', fix=fix) from None


def from_utc(moments: Micros, zone: str) -> Micros:
    """What the clock of ``zone`` shows at these moments; microseconds since 1970, in UTC and out on that clock."""
    if not len(moments):
        return moments
    return moments + _distances(moments // _SECOND, zone) * _SECOND


def to_utc(clock: Micros, zone: str) -> tuple[Micros, int, int]:
    """The moments at which the clock of ``zone`` shows this, and how many were shown twice or never.

    Of an hour that a clock shows twice, in autumn, the first is taken; a time that it skips, in spring, is moved on
    by what was skipped.
    """
    if not len(clock):
        return clock, 0, 0
    seconds = clock // _SECOND
    before = _distances(seconds - _DAY, zone)
    after = _distances(seconds + _DAY, zone)
    near = np.flatnonzero(before != after)
    if not len(near):
        return clock - before * _SECOND, 0, 0
    early, late = seconds[near] - before[near], seconds[near] - after[near]
    fits_early = _distances(early, zone) == before[near]
    fits_late = _distances(late, zone) == after[near]
    distance = before.copy()
    distance[near] = np.where(fits_late & ~fits_early, after[near], before[near])
    return clock - distance * _SECOND, int((fits_early & fits_late).sum()), int((~fits_early & ~fits_late).sum())


def _distances(seconds: Micros, zone: str) -> Micros:
    """Seconds east of UTC at these moments, given in seconds since 1970."""
    first, last = int(seconds.min()) // _BLOCK, int(seconds.max()) // _BLOCK
    blocks = [_changes(zone, block) for block in range(first, last + 1)]
    changes = np.concatenate([block[0] for block in blocks])
    if not len(changes):
        return np.full(len(seconds), blocks[0][1][0], np.int64)
    distances = np.concatenate([blocks[0][1][:1], *(block[1][1:] for block in blocks)])
    return distances[np.searchsorted(changes, seconds, side="right")]


@lru_cache(maxsize=1024)
def _changes(zone: str, block: int) -> tuple[Micros, Micros]:
    """When the zone's distance from UTC changes within a block of days, and the distance before and after each."""
    info = known_zone(zone)
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

    def distance(second: int) -> int:
        moved = (start + dt.timedelta(seconds=second)).astimezone(info).utcoffset()
        return int(moved.total_seconds()) if moved else 0

    changes: list[int] = []
    distances = [distance(block * _BLOCK)]
    for day in range(block * _BLOCK, (block + 1) * _BLOCK, _DAY):
        low, high = day, day + _DAY
        there = distance(high)
        if there == distances[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if distance(middle) == distances[-1] else (low, middle)
        changes.append(high)
        distances.append(there)
    return np.array(changes, np.int64), np.array(distances, np.int64)
