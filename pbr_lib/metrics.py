"""A definition and the model make a value *and the records behind it*; apart, because nothing else may count.

The value is an aggregate of the hits (see ``hits``), the evidence is the hits themselves. All partners and all
quarters are measured in one pass: the engine gives the cells that have hits, and a grid of partners by quarters
says what the absence of one means.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from pbr_lib.definitions import Metric, RatioMetric, SimpleMetric
from pbr_lib.grid import Cells, Found, Grid, divide, judge, with_enough
from pbr_lib.hits import Hits, compile_filter, select
from pbr_lib.periods import Quarter
from pbr_lib.window import Window, plan_rates

__all__ = ["Cell", "Measurement", "Part", "Window", "compile_filter", "measure", "plan_rates", "programme", "select"]

_EVIDENCE = pa.schema(
    [
        ("partner_id", pa.string()),
        ("period_id", pa.string()),
        ("record_id", pa.string()),
        ("day", pa.date32()),
        ("counts", pa.decimal128(38, 16)),
        ("role", pa.string()),
        ("table", pa.string()),
    ]
)
_ORDER = [(name, "ascending") for name in ("partner_id", "period_id", "role", "day", "record_id", "table")]


@dataclass(frozen=True)
class Part:
    """One metric within a measurement: its role, whether it is added or taken off, and where its hits come from."""

    role: str
    metric: SimpleMetric
    hits: Hits = field(repr=False)
    sign: int = 1

    def records(self, quarters: Iterable[Quarter]) -> pa.Table:
        """The hits of those quarters; none of the whole programme, whose records are other partners' as well."""
        wanted = [quarter for quarter in quarters if _taken(self.metric, quarter, self.hits.window)]
        if self.metric.scope == "programme" or not wanted:
            return _EVIDENCE.empty_table()
        rows = self.hits.of(self.metric, wanted, self.role == "in progress")
        found = rows.mutate(counts=(rows.counts * self.sign).cast("decimal(38,16)")).to_pyarrow()
        words = {"role": pa.scalar(self.role), "table": pa.scalar(self.metric.table)}
        columns = [
            pa.repeat(words[name.name], len(found)) if name.name in words else found[name.name].cast(name.type)
            for name in _EVIDENCE
        ]
        return pa.table(columns, schema=_EVIDENCE)


class Cell(NamedTuple):
    """What one metric says of one partner and quarter; see :class:`Measurement`."""

    state: str
    value: Decimal | None
    n: int
    first_day: dt.date | None
    in_progress: Decimal | None
    reason: str


@dataclass(frozen=True)
class Measurement:
    """One metric for every partner and quarter.

    ``values`` has one row for each partner and quarter, with columns partner_id, period_id, state (value,
    zero, unknown, not_started), value (Decimal, or None when there is none), n (records; of a ratio those
    of the denominator), numerator and denominator of a ratio, first_day (of the earliest record),
    in_progress and reason (why there is no value, or why one is not settled yet). ``cell`` gives one of them.
    ``records`` and ``evidence`` give the records behind any of them.
    """

    name: str
    parts: tuple[Part, ...] = field(repr=False)
    _grid: Grid = field(repr=False)
    _cells: Cells = field(repr=False)

    @cached_property
    def values(self) -> pd.DataFrame:
        """Every partner with every quarter, so that absence stays visible."""
        cells, objects = self._cells, {}
        for name in ("value", "first_day", "in_progress", "numerator", "denominator"):
            objects[name] = pd.Series(getattr(cells, name), dtype=object)
        partners, quarters = self._grid.labels
        words = {"partner_id": partners, "period_id": quarters, "state": cells.states, "reason": cells.reason}
        texts = {name: pd.Series(list(text), dtype="str") for name, text in words.items()}
        order = ["partner_id", "period_id", "state", "value", "n", "first_day", "in_progress", "reason"]
        return pd.DataFrame({**texts, **objects, "n": cells.n})[[*order, "numerator", "denominator"]]

    def cell(self, partner_id: str, period_id: str) -> Cell:
        """What it says of one partner and quarter; ``KeyError`` for one that was not measured."""
        at, cells = self._grid.at(partner_id, period_id), self._cells
        return Cell(
            cells.state_at(at),
            cells.value[at],
            int(cells.n[at]),
            cells.first_day[at],
            cells.in_progress[at],
            str(cells.reason[at]),
        )

    def columns(self, partners: Sequence[str], quarters: Sequence[str]) -> tuple[Any, Any]:
        """Values (Decimal, or None when not known) and record counts as arrays of partners by quarters."""
        where = self._grid.cells(partners, quarters)
        return self._cells.value[where], self._cells.n[where]

    def records(self, quarters: Iterable[Quarter]) -> pa.Table:
        """The records behind the values of those quarters, sorted.

        Columns: partner_id, period_id, record_id, day, counts (what the record adds to the value, a decimal of 16
        places; null when it has no value, 0 for a repeat in a distinct count), role (actual, in progress,
        numerator, denominator) and table. A record that counts in several parts of one role stands there once.
        """
        labels = list(quarters)
        whole = pa.concat_tables(part.records(labels) for part in self.parts)
        roles = [part.role for part in self.parts]
        if len(set(roles)) < len(roles):
            keys = [name for name in _EVIDENCE.names if name not in ("counts", "day")]
            joined = whole.group_by(keys).aggregate([("counts", "sum"), ("day", "min")])
            joined = joined.rename_columns([*keys, "counts", "day"]).select(_EVIDENCE.names)
            whole = joined.cast(_EVIDENCE)
        return whole.sort_by(_ORDER)

    def evidence(self, quarters: Iterable[Quarter]) -> pd.DataFrame:
        """The :meth:`records` as a frame, with Decimal and date as they are."""
        return self.records(quarters).to_pandas(date_as_object=True)


def measure(connection: ibis.BaseBackend, metrics: Mapping[str, Metric], window: Window) -> dict[str, Measurement]:
    """Measure every metric for all partners and all quarters of the window.

    Parameters
    ----------
    connection:
        Holds the normalised tables under their names.
    metrics:
        By name; a ratio finds its parts among them.
    window:
        Quarters, as-of day, plan rates and coverage.
    """
    hits = Hits(connection, window)
    grid = Grid.of(connection.table("partners").select("partner_id", "joined_on").to_pyarrow(), window)
    simple = {name: _cells(hits, m, grid) for name, m in metrics.items() if isinstance(m, SimpleMetric)}
    out: dict[str, Measurement] = {}
    for name, metric in metrics.items():
        if isinstance(metric, RatioMetric):
            cells = divide(metric, simple, grid)
            terms = [("numerator", term) for term in metric.numerator]
            terms += [("denominator", term) for term in metric.denominator]
            parts = tuple(_part(role, term, metrics, hits) for role, term in terms)
        else:
            cells, parts = with_enough(metric, simple[name], grid), (Part("actual", metric, hits),)
            parts += (Part("in progress", metric, hits),) if metric.in_progress is not None else ()
        out[name] = Measurement(name, parts, grid, cells)
    return out


def programme(connection: ibis.BaseBackend, metric: SimpleMetric, window: Window) -> pd.DataFrame:
    """The total of all partners for each quarter, added up in the three ways (domain.md 8.2).

    Columns: period_id, state, gross (every partner's full value), split (every partner's share; adds up across
    partners), distinct (each record once, which is the programme's total), records (how many, each once) and
    reason. Amounts are Decimal, or None where the state is neither value nor zero.

    Raises
    ------
    ValueError
        For a metric that does not add up, such as an average.
    """
    if not metric.additive:
        raise ValueError(f'"{metric.aggregate}" does not add up over partners; give a count or a sum')
    alone, pooled = Hits(connection, window), Hits(connection, window, pooled=True)
    known = connection.table("partners").select("partner_id")
    plain = metric.model_copy(update={"credit": "full", "credit_type": metric.credits, "sum": None, "min_n": 1})
    ways = {
        "gross": (alone, plain),
        "split": (alone, plain.model_copy(update={"sum": "split"})),
        "distinct": (pooled, plain),
    }
    none = pa.table({"partner_id": pa.array([None], pa.string()), "joined_on": pa.array([None], pa.date32())})
    grid = Grid.of(none, window)
    cells: dict[str, Cells] = {}
    for way, (hits, one) in ways.items():
        quarters = [quarter for quarter in window.quarters if _taken(one, quarter, window)]
        rows = hits.of(one, quarters)
        rows = rows if hits.pooled or metric.scope == "programme" else rows.semi_join(known, "partner_id")
        cells[way] = judge(one, grid.place(_aggregated(one, rows, ["period_id"])), grid)
    whole = cells["distinct"]
    amounts = {way: pd.Series(one.value, dtype=object) for way, one in cells.items()}
    labels = [quarter.key for quarter in window.quarters]
    texts = {"period_id": labels, "state": list(whole.states), **amounts, "records": whole.n}
    return pd.DataFrame({**texts, "reason": list(whole.reason)})


def _part(role: str, term: str, metrics: Mapping[str, Metric], hits: Hits) -> Part:
    metric = metrics[term.removeprefix("-")]
    if not isinstance(metric, SimpleMetric):
        raise TypeError(f"{term} is a ratio and cannot be part of one")
    return Part(role, metric, hits, -1 if term.startswith("-") else 1)


def _taken(metric: SimpleMetric, quarter: Quarter, window: Window) -> bool:
    """Whether a metric is read for a quarter at all: a snapshot only for the one that holds the as-of day."""
    return not metric.snapshot or quarter.holds(window.as_of)


def _cells(hits: Hits, metric: SimpleMetric, grid: Grid) -> Cells:
    quarters = [quarter for quarter in hits.window.quarters if _taken(metric, quarter, hits.window)]
    keys = hits.keys(metric)
    under_way: Found | None = None
    if metric.in_progress is not None:
        under_way = grid.place(_aggregated(metric, hits.of(metric, quarters, under_way=True), keys))
    found = grid.place(_aggregated(metric, hits.of(metric, quarters), keys))
    if metric.scope == "partner" and found.unconverted.any():
        found = replace(found, lost=grid.named(hits.unconverted(metric, quarters)))
    return judge(metric, found, grid, under_way)


def _aggregated(metric: SimpleMetric, hits: ir.Table, keys: list[str]) -> pa.Table:
    """One row for each group that has hits: value, known, n, unconverted, first_day; parts is what to divide by."""
    counts = hits.counts
    if metric.aggregate == "median":
        hits = _ranked(hits, keys)
        counts = hits.counts
        middle = (2 * hits.place >= hits.total - 2) & (2 * hits.place <= hits.total) & counts.notnull()
        value, parts = counts.sum(where=middle), counts.count(where=middle)
    else:
        value = {"min": counts.min(), "max": counts.max()}.get(metric.aggregate, counts.sum())
        parts = counts.count() if metric.aggregate == "average" else ibis.literal(1)
    found = hits.group_by(*keys).agg(
        value=value,
        parts=parts,
        known=counts.count(),
        n=hits.count(),
        unconverted=hits.unconverted.sum(),
        first_day=hits.day.min(),
    )
    return found.to_pyarrow()


def _ranked(hits: ir.Table, keys: list[str]) -> ir.Table:
    """Each hit with its place among those of its group that have a value, and how many these are."""
    order = ibis.window(group_by=keys, order_by=[hits.counts.isnull(), hits.counts, hits.record_id])
    group = ibis.window(group_by=keys)
    return hits.mutate(place=ibis.row_number().over(order), total=hits.counts.count().over(group))
