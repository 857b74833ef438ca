"""Partners by quarters, and what each cell says: value, zero, unknown or not started; apart, because what absence
means is decided here, once, and without the engine.

A grid is partner-major; its columns are arrays of one length, since a programme has many cells and few kinds of
them. Numbers are Decimal: a sum is exact, and a division is rounded once, to 28 digits.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.definitions import RatioMetric, SimpleMetric
from pbr_lib.model import date_text
from pbr_lib.periods import Quarter
from pbr_lib.window import Window, period_of

__all__ = ["Cells", "Found", "Grid", "divide", "judge", "with_enough"]

Objects = npt.NDArray[np.object_]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

STATES = ("value", "zero", "unknown", "not_started")
_VALUE, _ZERO, _UNKNOWN, _NOT_STARTED = range(4)
_NO_RECORD = "no record in the quarter"
_NOUGHT = Decimal(0)
_NAMED = 3  # records without a rate that a reason names
_RATES = {"plan_rate": "plan rate", "close_date_rate": "spot rate of its day", "period_average": "average rate"}


@dataclass(frozen=True)
class Found:
    """What the engine found, one array element for each cell: value (Decimal or None), counts, and first day.

    ``lost`` names the first records of each cell that are money without a rate, where they may be named.
    """

    value: Objects
    known: Ints
    n: Ints
    unconverted: Ints
    first_day: Objects
    lost: Objects | None = None

    def lost_at(self, at: int) -> str:
        """How many records of a cell have no rate, and the ids of the first of them."""
        count = int(self.unconverted[at])
        if self.lost is None or self.lost[at] is None:
            return _records(count)
        more = count - len(self.lost[at])
        return f"{_records(count)}: {', '.join(self.lost[at])}" + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Cells:
    """One metric over the grid: state (index into STATES), value, n, known (records with a value), reason, ..."""

    state: npt.NDArray[np.int8]
    value: Objects
    n: Ints
    known: Ints
    first_day: Objects
    in_progress: Objects
    reason: Objects
    numerator: Objects
    denominator: Objects

    @property
    def states(self) -> Objects:
        """The states in words."""
        return np.array(STATES, dtype=object)[self.state]

    def state_at(self, at: int) -> str:
        """The state of one cell in words."""
        return STATES[self.state[at]]


@dataclass(frozen=True)
class Grid:
    """All partners and all quarters of a window, and the day on which each partner joined."""

    partners: pa.Array = field(repr=False)
    joined: npt.NDArray[np.datetime64] = field(repr=False)
    window: Window

    @classmethod
    def of(cls, partners: pa.Table, window: Window) -> Grid:
        """The grid of a table of partners (partner_id, joined_on)."""
        joined = np.asarray(partners["joined_on"].cast(pa.date32()).to_numpy(), "datetime64[D]")
        return cls(partners["partner_id"].combine_chunks(), joined, window)

    @property
    def quarters(self) -> tuple[Quarter, ...]:
        """The quarters, in order."""
        return self.window.quarters

    @property
    def size(self) -> int:
        """The number of cells."""
        return len(self.partners) * len(self.quarters)

    @cached_property
    def labels(self) -> tuple[Objects, Objects]:
        """Partner and quarter of each cell."""
        partners = np.array(self.partners.to_pylist(), dtype=object)
        quarters = np.array([quarter.key for quarter in self.quarters], dtype=object)
        return np.repeat(partners, len(quarters)), np.tile(quarters, len(partners))

    def at(self, partner_id: str, period_id: str) -> int:
        """The place of a cell; ``KeyError`` for a partner or a quarter that is not here."""
        row, column = self._places
        return row[partner_id] * len(self.quarters) + column[period_id]

    def cells(self, partners: Sequence[str], period_ids: Sequence[str]) -> Ints:
        """The places of cells, an array of partners by quarters; ``KeyError`` for what is not here."""
        row, column = self._places
        rows = np.array([row[partner] for partner in partners], np.int64)
        columns = np.array([column[period] for period in period_ids], np.int64)
        return rows[:, None] * len(self.quarters) + columns[None, :]

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, int]]:
        rows = {partner: i for i, partner in enumerate(self.partners.to_pylist())}
        return rows, {quarter.key: i for i, quarter in enumerate(self.quarters)}

    def place(self, found: pa.Table) -> Found:
        """Rows of the engine at their cells; rows without a partner stand at every partner."""
        labels = pa.array([quarter.key for quarter in self.quarters], pa.string())
        column = pc.index_in(found["period_id"].cast(pa.string()), labels).to_numpy()
        if "partner_id" in found.column_names:
            row = pc.index_in(found["partner_id"].cast(pa.string()), self.partners)
            kept = row.is_valid().to_numpy().astype(bool)
            found = found.filter(pa.array(kept))
            at = row.fill_null(0).to_numpy()[kept].astype(np.int64) * len(labels) + column[kept]
            return self._placed(found, at, np.arange(len(found)))
        everyone = np.arange(len(self.partners)) * len(labels)
        at = (everyone[:, None] + column[None, :]).ravel()
        return self._placed(found, at, np.tile(np.arange(len(found)), len(self.partners)))

    def named(self, records: pa.Table) -> Objects:
        """The first few record ids of each cell, in their order; None where a cell has none."""
        found = records.to_pandas(date_as_object=True)
        found = found.groupby(["partner_id", "period_id"], sort=False).head(_NAMED)
        rows, columns = self._places
        out = _objects(self.size)
        for partner, period, record in zip(found["partner_id"], found["period_id"], found["record_id"], strict=True):
            if partner in rows and period in columns:
                at = rows[partner] * len(self.quarters) + columns[period]
                out[at] = (*(out[at] or ()), record)
        return out

    def _placed(self, found: pa.Table, at: Ints, rows: Ints) -> Found:
        counts = {}
        for name in ("known", "n", "unconverted"):
            counts[name] = np.zeros(self.size, np.int64)
            counts[name][at] = found[name].to_numpy().astype(np.int64)[rows]
        values = np.array(found["value"].to_pandas(), dtype=object)
        parts = found["parts"].to_numpy().astype(np.int64)
        for row in np.flatnonzero(parts > 1):
            # The engine's mean rounds to the scale of its column; sum and count divided in Decimal do not.
            values[row] = values[row] / int(parts[row])
        days = found["first_day"].to_numpy().astype("datetime64[D]").astype(object)
        out = (_objects(self.size), _objects(self.size))
        out[0][at], out[1][at] = values[rows], days[rows]
        return Found(out[0], counts["known"], counts["n"], counts["unconverted"], out[1])

    def by_quarter(self, each: Callable[[Quarter], Any], kind: str = "object") -> npt.NDArray[Any]:
        """What a quarter says, at each of its cells; ``kind`` is the array's type."""
        return np.tile(np.array([each(quarter) for quarter in self.quarters], dtype=kind), len(self.partners))


def judge(metric: SimpleMetric, found: Found, grid: Grid, under_way: Found | None = None) -> Cells:
    """State and reason of each cell; a zero is asserted only where the exports cover the whole quarter."""
    window = grid.window
    state = np.zeros(grid.size, np.int8)
    reason = np.full(grid.size, "", dtype=object)
    there = found.n > 0
    summed = metric.additive or metric.when_missing == "zero"
    gaps = grid.by_quarter(lambda quarter: _gap(metric, quarter, window))
    other = grid.by_quarter(lambda quarter: metric.snapshot and not quarter.holds(window.as_of), "bool")
    joined = np.repeat(grid.joined, len(grid.quarters))
    later = joined >= grid.by_quarter(lambda quarter: quarter.end, "datetime64[D]")
    ahead = grid.by_quarter(lambda quarter: quarter.start > window.as_of, "bool")
    seen = f"known only as it stands on {date_text(window.as_of)}"
    empty, lost = there & (found.known == 0), found.unconverted > 0
    rules: list[tuple[Mask, int, Any]] = [
        (~there, _ZERO if summed else _UNKNOWN, "" if summed else _NO_RECORD),
        (empty, _UNKNOWN, lambda at: f"the column {metric.of} is empty in all of {_records(int(found.n[at]))}"),
        (lost, _UNKNOWN, lambda at: f"no {_RATES[metric.unit.fx]} for the currency of {found.lost_at(at)}"),
        (gaps != "", _UNKNOWN, lambda at: gaps[at]),
        (other, _UNKNOWN, seen),
        (~there & later, _NOT_STARTED, "the partner joined later"),
        (ahead, _NOT_STARTED, "the quarter has not begun"),
    ]
    for where, code, why in rules:
        state[where] = code
        if not callable(why):
            reason[where] = why
        else:
            for at in np.flatnonzero(where):
                reason[at] = why(at)
    value = _only(state == _VALUE, found.value)
    value[state == _ZERO] = _NOUGHT
    progress, nothing = _objects(grid.size), _objects(grid.size)
    if under_way is not None:
        progress = _only((under_way.unconverted == 0) & (state <= _ZERO), under_way.value)
    cells = Cells(state, value, found.n, found.known, found.first_day, progress, reason, nothing, nothing)
    return _with_maturity(metric, cells, grid)


def _gap(metric: SimpleMetric, quarter: Quarter, window: Window) -> str:
    period = period_of(metric, quarter, window.as_of)
    return window.gap(metric.table, period.last, period.first)


def _with_maturity(metric: SimpleMetric, cells: Cells, grid: Grid) -> Cells:
    """A cohort that is still young keeps its value, and says so."""
    if not metric.maturity_days:
        return cells
    window = grid.window

    def young(quarter: Quarter) -> str:
        immature = period_of(metric, quarter, window.as_of).immature(window.as_of, metric.maturity_days)
        return _immature(quarter, metric.maturity_days) if immature else ""

    mark = grid.by_quarter(young)
    marked = (cells.state <= _ZERO) & (cells.reason == "")
    return replace(cells, reason=np.where(marked, mark, cells.reason))


def _immature(quarter: Quarter, days: int) -> str:
    return f"cohort of {quarter.label}, still immature: settled {days} days after its end"


def _records(count: int) -> str:
    return f"{count} record" if count == 1 else f"{count} records"


def _too_few(n: int, least: int) -> str:
    return f"{_records(n)}, at least {least} are needed" if n else _NO_RECORD


def with_enough(metric: SimpleMetric, cells: Cells, grid: Grid) -> Cells:
    """Fewer records with a value than ``min_n`` say nothing."""
    few = (cells.state == _VALUE) & (cells.known < metric.min_n)
    if not few.any():
        return cells
    state, value, reason = cells.state.copy(), cells.value.copy(), cells.reason.copy()
    state[few], value[few] = _UNKNOWN, None
    for at in np.flatnonzero(few):
        reason[at] = _too_few(int(cells.known[at]), metric.min_n)
    return replace(cells, state=state, value=value, reason=reason)


# ---------------------------------------------------------------------------------------------- ratios


@dataclass(frozen=True)
class _Sum:
    """Several metrics added up: known where all of them are, else in the state of the first that is not."""

    state: npt.NDArray[np.int8]
    value: Objects
    n: Ints
    first_day: Objects
    reason: Objects


def divide(metric: RatioMetric, parts: Mapping[str, Cells], grid: Grid) -> Cells:
    """Numerator by denominator, divided in Decimal; too few records make it unknown."""
    top, bottom = _added(metric.numerator, parts), _added(metric.denominator, parts)
    state = np.where(bottom.state > _ZERO, bottom.state, np.where(top.state > _ZERO, top.state, _VALUE))
    reason = np.where(bottom.state > _ZERO, bottom.reason, np.where(top.state > _ZERO, top.reason, ""))
    both = state == _VALUE
    nought = both & np.asarray(bottom.value == _NOUGHT, bool)
    few = both & (bottom.n < metric.min_n) & ~(nought & (metric.zero_denominator == "zero"))
    value = _objects(grid.size)
    value[nought & ~few] = _NOUGHT if metric.zero_denominator == "zero" else None
    state[nought & ~few] = _ZERO if metric.zero_denominator == "zero" else _UNKNOWN
    reason[nought & ~few] = "nothing to divide by"
    state[few] = _UNKNOWN
    for at in np.flatnonzero(few):
        reason[at] = _too_few(int(bottom.n[at]), metric.min_n)
    divided = np.flatnonzero(both & ~few & ~nought)
    value[divided] = top.value[divided] / bottom.value[divided]
    if metric.scale is not None:
        value[divided] = value[divided] * metric.scale
    if metric.maturity_days:
        reason = _young_ratio(metric, state, reason, grid)
    known = np.zeros(grid.size, np.int64)
    none = _objects(grid.size)
    state = state.astype(np.int8)
    return Cells(state, value, bottom.n, known, bottom.first_day, none, reason, top.value, bottom.value)


def _added(terms: tuple[str, ...], parts: Mapping[str, Cells]) -> _Sum:
    first = parts[terms[0].removeprefix("-")]
    if len(terms) == 1 and not terms[0].startswith("-"):
        return _Sum(first.state, first.value, first.n, first.first_day, first.reason)
    size = len(first.value)
    state, reason = np.zeros(size, np.int8), np.full(size, "", dtype=object)
    total, n, day = np.full(size, _NOUGHT, dtype=object), np.zeros(size, np.int64), _objects(size)
    for term in terms:
        cells = parts[term.removeprefix("-")]
        worse = (state <= _ZERO) & (cells.state > _ZERO)
        state[worse], reason[worse] = cells.state[worse], cells.reason[worse]
        with localcontext() as context:
            context.prec = 60  # a sum is exact; only the division rounds
            both = np.flatnonzero((state <= _ZERO) & (cells.state <= _ZERO))
            add = operator.sub if term.startswith("-") else operator.add
            total[both] = add(total[both], cells.value[both])
        n = n + cells.n
        dated = np.flatnonzero(cells.first_day != None)  # noqa: E711 - element by element
        for at in dated:
            day[at] = cells.first_day[at] if day[at] is None else min(day[at], cells.first_day[at])
    total[state > _ZERO] = None
    return _Sum(state, total, n, day, reason)


def _young_ratio(metric: RatioMetric, state: Any, reason: Objects, grid: Grid) -> Objects:
    as_of = grid.window.as_of

    def young(quarter: Quarter) -> str:
        immature = as_of < quarter.last_day + dt.timedelta(days=metric.maturity_days)
        return _immature(quarter, metric.maturity_days) if immature else ""

    return np.where((state <= _ZERO) & (reason == ""), grid.by_quarter(young), reason)


def _only(where: Mask, values: Objects) -> Objects:
    """The values where a condition holds, None elsewhere."""
    out = _objects(len(values))
    out[where] = values[where]
    return out


def _objects(size: int) -> Objects:
    return np.full(size, None, dtype=object)
