"""Whether a metric has anything to stand on: rows with a date, rows that its filter ever matched, rows in each quarter;
apart, because a goal may be measurable by its definition and still not by the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import ibis
import pyarrow as pa

from pbr_lib.definitions import Metric, SimpleMetric
from pbr_lib.hits import compile_filter
from pbr_lib.periods import Quarter

__all__ = ["TableFacts", "facts"]


@dataclass(frozen=True)
class TableFacts:
    """Of one metric, over all partners and days.

    ``dated`` is the share of its table's rows whose date column is filled (1 for an empty table), ``ever`` how many
    rows its filter matches, ``rows`` how many rows of the table, before any filter, lie in each quarter.
    """

    dated: float
    ever: int
    rows: Mapping[str, int] = field(repr=False)


def facts(
    connection: ibis.BaseBackend, metrics: Mapping[str, Metric], quarters: Iterable[Quarter]
) -> dict[str, TableFacts]:
    """The facts of every simple metric, by name; metrics of one table and date column share one reading of it."""
    labels = [(quarter.label, quarter.start, quarter.end) for quarter in quarters]
    spans = {
        "label": pa.array([label for label, _, _ in labels], pa.string()),
        "span_start": pa.array([start for _, start, _ in labels], pa.date32()),
        "span_end": pa.array([end for _, _, end in labels], pa.date32()),
    }
    periods = ibis.memtable(pa.table(spans))
    seen: dict[tuple[str, str], tuple[float, dict[str, int]]] = {}
    out = {}
    for name, metric in metrics.items():
        if not isinstance(metric, SimpleMetric):
            continue
        table, date = connection.table(metric.table), metric.date or metric.valid_from or ""
        if (metric.table, date) not in seen:
            seen[metric.table, date] = _read(table, date, periods)
        dated, rows = seen[metric.table, date]
        ever = int(table.filter(compile_filter(table, metric.where)).count().to_pyarrow().as_py())
        out[name] = TableFacts(dated, ever, rows)
    return out


def _read(table: ibis.Table, date: str, periods: ibis.Table) -> tuple[float, dict[str, int]]:
    day = table[date].date() if table[date].type().is_timestamp() else table[date]
    days = table.select(day=day)
    whole, filled = (int(count.to_pyarrow().as_py()) for count in (days.count(), days.day.count()))
    inside = days.join(periods, [days.day >= periods.span_start, days.day < periods.span_end])
    counted = inside.group_by("label").agg(n=inside.count()).to_pyarrow()
    rows = dict(zip(counted["label"].to_pylist(), counted["n"].to_pylist(), strict=True))
    return (filled / whole if whole else 1.0), rows
