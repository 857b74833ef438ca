"""What was booked on which day, as arrays; apart, because pace and forecast ask a thousand times how much was there by
a day, and the engine is asked once.

Only metrics that grow day by day have bookings: a level is read and not booked, and a ratio is made of two metrics.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.definitions import Metric, SimpleMetric
from pbr_lib.hits import Hits
from pbr_lib.periods import Quarter

__all__ = ["Bookings", "bookable", "day_shares", "of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]


def bookable(metric: Metric) -> bool:
    """Whether a metric has bookings: it grows day by day, and each partner has its own."""
    return isinstance(metric, SimpleMetric) and metric.grows and metric.scope == "partner"


@dataclass(frozen=True)
class Bookings:
    """Every hit of one metric that added something, sorted by partner, quarter, day and size.

    One row stands for ``records`` hits of one partner and day that added ``each`` apiece. ``partner`` and ``quarter``
    are positions in ``partners`` and ``quarters``.
    """

    partners: tuple[str, ...] = field(repr=False)
    quarters: tuple[Quarter, ...]
    partner: Ints = field(repr=False)
    quarter: Ints = field(repr=False)
    day: Days = field(repr=False)
    each: Floats = field(repr=False)
    records: Ints = field(repr=False)

    @cached_property
    def amount(self) -> Floats:
        """What each row adds to the value of its partner and quarter."""
        return self.each * self.records

    @cached_property
    def elapsed(self) -> Floats:
        """The share of its quarter's business days that has passed at the end of the day of each row, 0 to 1."""
        out = np.zeros(len(self.day))
        for at, quarter in enumerate(self.quarters):
            rows = self.quarter == at
            since = (self.day[rows] - np.datetime64(quarter.start, "D")).astype(np.int64)
            shares = day_shares(quarter)
            out[rows] = shares[np.clip(since, 0, len(shares) - 1)]
        return out

    @cached_property
    def column(self) -> dict[str, int]:
        """The position of each quarter, by its key in data."""
        return {quarter.key: at for at, quarter in enumerate(self.quarters)}

    def booked_by(self, cutoffs: Days) -> Floats:
        """What was booked in each quarter up to and with a day of its own, an array of partners by quarters."""
        return self._sum(self.amount, self.day <= cutoffs.astype("datetime64[D]")[self.quarter])

    def final(self) -> Floats:
        """What was booked in each whole quarter, an array of partners by quarters."""
        return self._sum(self.amount)

    def records_by(self, cutoffs: Days) -> Floats:
        """How many records were booked in each quarter up to and with a day of its own."""
        return self._sum(self.records, self.day <= cutoffs.astype("datetime64[D]")[self.quarter])

    def counts(self) -> Floats:
        """How many records were booked in each whole quarter, an array of partners by quarters."""
        return self._sum(self.records)

    def by(self, quarter: Quarter, as_of: dt.date) -> tuple[Floats, Floats]:
        """What was booked in one quarter up to and with a day, and in how many records, by partner."""
        at = self.column.get(quarter.key)
        if at is None:
            return np.zeros(len(self.partners)), np.zeros(len(self.partners))
        rows = (self.quarter == at) & (self.day <= np.datetime64(as_of, "D"))
        who, size = self.partner[rows], len(self.partners)
        amount = np.bincount(who, self.amount[rows], size)
        return amount.astype(np.float64), np.bincount(who, self.records[rows], size).astype(np.float64)

    def must_speak_of(self, partners: Sequence[str]) -> None:
        """Raise ``ValueError`` unless the rows are those of the same partners in the same order."""
        if self.partners != tuple(partners):
            raise ValueError("bookings and history are of different partners; make both for the same ones")

    def only(self, rows: Mask) -> Bookings:
        """Some of the rows, with the same partners and quarters."""
        names = ("partner", "quarter", "day", "each", "records")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def _sum(self, what: Any, rows: Mask | None = None) -> Floats:
        shape = (len(self.partners), len(self.quarters))
        cell = self.partner * shape[1] + self.quarter
        if rows is not None:
            cell, what = cell[rows], what[rows]
        return np.bincount(cell, what, shape[0] * shape[1]).astype(np.float64).reshape(shape)


def of(hits: Hits, metric: SimpleMetric, partners: Sequence[str], quarters: Sequence[Quarter]) -> Bookings:
    """The bookings of a metric in those quarters; hits that add nothing or have no value are left out.

    Raises
    ------
    ValueError
        For a metric that has no bookings (see :func:`bookable`).
    """
    if not bookable(metric):
        raise ValueError(f'"{metric.label}" does not grow day by day; give a count or a sum of partners')
    rows = hits.of(metric, quarters)
    rows = rows.filter(rows.counts.notnull() & (rows.counts != 0))
    rows = rows.select("partner_id", "period_id", "day", each=rows.counts.cast("float64"))
    found = rows.group_by("partner_id", "period_id", "day", "each").agg(records=rows.count()).to_pyarrow()
    who = _positions(found["partner_id"], list(partners))
    when = _positions(found["period_id"], [quarter.key for quarter in quarters])
    day = found["day"].to_numpy().astype("datetime64[D]")
    each, records = found["each"].to_numpy(), found["records"].to_numpy()
    place = np.where((who >= 0) & (when >= 0), who * len(quarters) + when, -1)
    order = np.lexsort((each, day, place))
    order = order[np.searchsorted(place[order], 0) :]
    return Bookings(tuple(partners), tuple(quarters), who[order], when[order], day[order], each[order], records[order])


def _positions(column: Any, names: list[str]) -> Ints:
    """Where each value stands in a list of names; -1 where it does not."""
    found = pc.index_in(column, value_set=pa.array(names, column.type))
    return np.asarray(pc.fill_null(found, -1).to_numpy(), np.int64)


@lru_cache(maxsize=256)
def day_shares(quarter: Quarter) -> Floats:
    """The share of business days that has passed at the end of each day of a quarter; do not write into it."""
    days = (quarter.end - quarter.start).days
    shares = np.array([quarter.elapsed(quarter.start + dt.timedelta(days=at)) for at in range(days)], np.float64)
    shares.flags.writeable = False
    return shares
