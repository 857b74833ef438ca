"""One metric over partners and quarters as plain arrays; apart, because judging, renewing and forecasting thousands
of goals is arithmetic on whole columns, and must not know how a value was measured.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pbr_lib.metrics import Measurement
from pbr_lib.periods import Quarter

__all__ = ["Floats", "History", "of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]


@dataclass(frozen=True)
class History:
    """What one metric was, partner by partner (rows) and quarter by quarter (columns, the oldest first).

    ``value`` is NaN where it is not known, and a true zero is 0.0; ``exact`` holds the same as Decimal or None. ``n``
    counts records, of a ratio those of the denominator. ``member`` says whether the partner took part on every day
    of the quarter, ``closed`` whether the quarter is over.
    """

    partners: tuple[str, ...] = field(repr=False)
    quarters: tuple[Quarter, ...]
    value: Floats = field(repr=False)
    exact: Objects = field(repr=False)
    n: Ints = field(repr=False)
    member: Mask = field(repr=False)
    closed: Mask

    @cached_property
    def usable(self) -> Mask:
        """Where a value speaks for a whole quarter: known, over, and the partner took part throughout."""
        return ~np.isnan(self.value) & self.member & self.closed[None, :]

    @cached_property
    def row(self) -> Mapping[str, int]:
        """The row of each partner."""
        return {partner: at for at, partner in enumerate(self.partners)}

    @cached_property
    def column(self) -> Mapping[str, int]:
        """The column of each quarter, by its key."""
        return {quarter.key: at for at, quarter in enumerate(self.quarters)}

    def before(self, quarter: Quarter) -> History:
        """The quarters before one, which is all that was known when it began."""
        return self.only([at for at, each in enumerate(self.quarters) if each.start < quarter.start])

    def without(self, resting: Iterable[tuple[int, dt.date, dt.date]]) -> History:
        """The same, where no quarter that a pause reaches into speaks for a whole one.

        A pause is the row of a partner, its first and its last day.
        """
        member = self.member.copy()
        for row, first, last in resting:
            member[row] &= [quarter.last_day < first or last < quarter.start for quarter in self.quarters]
        return replace(self, member=member)

    def only(self, columns: Sequence[int]) -> History:
        """Some of the quarters."""
        at = list(columns)
        return replace(
            self,
            quarters=tuple(self.quarters[i] for i in at),
            value=self.value[:, at],
            exact=self.exact[:, at],
            n=self.n[:, at],
            member=self.member[:, at],
            closed=self.closed[at],
        )


def of(
    measured: Measurement,
    partners: Mapping[str, Mapping[str, Any]],
    quarters: Sequence[Quarter],
    as_of: dt.date,
) -> History:
    """The history of a measured metric; ``partners`` maps ids to rows with ``joined_on`` and ``ended_on``."""
    ids = tuple(partners)
    grid = measured.columns(ids, [quarter.key for quarter in quarters])
    joined = _days([row.get("joined_on") for row in partners.values()], dt.date.min)
    ended = _days([row.get("ended_on") for row in partners.values()], dt.date.max)
    starts = np.array([quarter.start for quarter in quarters], "datetime64[D]")
    lasts = np.array([quarter.last_day for quarter in quarters], "datetime64[D]")
    member = (joined[:, None] <= starts[None, :]) & (ended[:, None] >= lasts[None, :])
    closed = np.array([quarter.last_day <= as_of for quarter in quarters], bool)
    exact, n = grid
    value = np.array([[np.nan if cell is None else float(cell) for cell in row] for row in exact], np.float64)
    return History(ids, tuple(quarters), value.reshape(exact.shape), exact, n, member, closed)


def _days(values: Sequence[Any], missing: dt.date) -> Any:
    return np.array([value if isinstance(value, dt.date) else missing for value in values], "datetime64[D]")
