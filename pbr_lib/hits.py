"""The rows that count, as Ibis expressions; apart, because value and evidence are both made from them and from
nothing else, so that the two cannot disagree.

A *hit* is one row for each record, partner and period, with what the record contributes. Nothing is kept in the
engine but who is credited: the hits of all quarters are read once for the values, those of one quarter again when
its evidence is asked for.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from pbr_lib.definitions import AllOf, AnyOf, Compare, Filter, Not, SimpleMetric
from pbr_lib.periods import Quarter
from pbr_lib.schema import TABLES
from pbr_lib.window import Period, Window, period_of
from pbr_lib.zone_steps import Step, steps

__all__ = ["Hits", "compile_filter", "select"]

_ONE, _NONE = Decimal(1), Decimal(0)
_EXACT = "decimal(38,6)"
_LONG_AGO = dt.date(1990, 1, 1)


def select(connection: ibis.BaseBackend, table: str, where: Filter) -> set[str]:
    """The keys of the rows of a table that a filter lets through."""
    rows = connection.table(table)
    key = TABLES[table].key
    return set(rows.filter(compile_filter(rows, where))[key].to_pyarrow().to_pylist())


# ------------------------------------------------------------------------------------------- compiling


_LEAVES: dict[str, Callable[[Any, Any], Any]] = {
    "is": operator.eq,
    "in": lambda column, values: column.isin([_literal(value) for value in values]),
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "between": lambda column, pair: column.between(_literal(pair[0]), _literal(pair[1])),
    "starts_with": lambda column, text: column.startswith(text),
    "contains": lambda column, text: column.contains(text),
}


def compile_filter(table: ir.Table, node: Filter) -> ir.BooleanValue:
    """A filter as an Ibis expression, two-valued: a leaf on a null is false, a negation its exact complement."""
    if isinstance(node, AllOf):
        return functools.reduce(operator.and_, (compile_filter(table, item) for item in node.items), ibis.literal(True))
    if isinstance(node, AnyOf):
        return functools.reduce(operator.or_, (compile_filter(table, item) for item in node.items))
    if isinstance(node, Not):
        return ~compile_filter(table, node.item)
    column = table[node.column]
    if node.op == "is_null":
        return column.isnull() if node.value else column.notnull()
    if node.op in ("is_not", "not_in"):
        positive = Compare(node.column, "is" if node.op == "is_not" else "in", node.value)
        return ~compile_filter(table, positive)
    column = _day(column)
    value = node.value if isinstance(node.value, tuple) else _literal(node.value)
    return _LEAVES[node.op](column, value).fill_null(False)


def _literal(value: Any) -> Any:
    """A value as it is: left to itself, Ibis cuts a decimal to three places.

    At least six of them, since Ibis compares only decimals of which one type holds the other.
    """
    if not isinstance(value, Decimal):
        return value
    exact = Decimal(format(value, "f"))
    return ibis.literal(exact, type=f"decimal(38, {max(6, -int(exact.as_tuple().exponent))})")


def _day(column: Any, ahead: tuple[Step, ...] = ()) -> Any:
    """The day of a column; a timestamp is moved to another zone's clock first, a day never."""
    if not column.type().is_timestamp():
        return column
    if ahead:
        until = [(column < ibis.literal(later), seconds) for (_, seconds), (later, _) in pairwise(ahead)]
        seconds = ibis.cases(*until, else_=ahead[-1][1]) if until else ibis.literal(ahead[-1][1])
        column = column + seconds.cast("int64").as_interval("s")
    return column.date()


# ------------------------------------------------------------------------------------------------ hits


@dataclass(frozen=True)
class Hits:
    """Makes the hits of metrics over one engine and window; who is credited is worked out once for each way.

    With ``pooled`` the partners are one: each credited record counts once, whoever has the credit.
    """

    connection: ibis.BaseBackend
    window: Window
    pooled: bool = False
    _credits: dict[Any, ir.Table] = field(default_factory=dict, repr=False)

    def of(self, metric: SimpleMetric, quarters: Iterable[Quarter], under_way: bool = False) -> ir.Table:
        """The rows that count in those quarters.

        Columns: partner_id (not of the whole programme), period_id, record_id, day, counts (what the row adds, a
        decimal; null where it has no value) and unconverted (money without a rate).
        """
        spec = TABLES[metric.table]
        where, date = metric.where, None if metric.nature == "level" else metric.date
        if under_way and metric.in_progress is not None:
            where, date = metric.in_progress.where, metric.in_progress.date
        periods = [period_of(metric, quarter, self.window.as_of) for quarter in quarters]
        rows = self._rows(metric, periods, where, date)
        rows = rows.mutate(record_id=rows[spec.key], unconverted=ibis.literal(False))
        if metric.unit.kind == "money" and metric.of is not None:
            rows = _converted(rows, metric, self.window, periods)
        elif metric.way == "split" and metric.of is not None and spec.credited and metric.aggregate == "sum":
            part = rows[metric.of].cast(_EXACT) * rows.share.cast("decimal(38,6)")
            rows = rows.mutate(**{metric.of: part})
        keys = self.keys(metric)
        counts = _contribution(rows, metric, keys).name("counts")
        return rows.select(*keys, "record_id", "day", counts, "unconverted")

    def foreign(self, metric: SimpleMetric, quarters: Iterable[Quarter]) -> ir.Table:
        """How many records of those quarters are in another currency than the metric: the keys, and n."""
        periods = [period_of(metric, quarter, self.window.as_of) for quarter in quarters]
        rows = self._rows(metric, periods, metric.where, None if metric.nature == "level" else metric.date)
        target = ibis.literal(metric.unit.currency or self.window.currency)
        rows = rows.filter(rows.currency.notnull() & (rows.currency != target) & rows[metric.of].notnull())
        return rows.group_by(*self.keys(metric)).agg(n=rows.count())

    def unconverted(self, metric: SimpleMetric, quarters: Iterable[Quarter], under_way: bool = False) -> pa.Table:
        """The records of a money metric that have no rate, sorted: keys, record_id, day, currency and amount."""
        spec, keys = TABLES[metric.table], self.keys(metric)
        rows = self.of(metric, quarters, under_way)
        table = self.connection.table(metric.table)
        table = table.select(lost_id=table[spec.key], currency=table.currency, amount=table[metric.of])
        lost = rows.filter(rows.unconverted).select(*keys, "record_id", "day")
        lost = lost.join(table, lost.record_id == table.lost_id).drop("lost_id")
        return lost.order_by(*keys, "day", "record_id").to_pyarrow()

    def keys(self, metric: SimpleMetric) -> list[str]:
        """What values are grouped by: partner and quarter, or the quarter alone."""
        return ["period_id"] if self.pooled or metric.scope == "programme" else ["partner_id", "period_id"]

    def _rows(self, metric: SimpleMetric, periods: list[Period], where: Filter, date: str | None) -> ir.Table:
        """The rows that a filter lets through, in their periods, with those who are credited."""
        rows = self.connection.table(metric.table)
        rows = _select(rows.filter(compile_filter(rows, where)), metric, date)
        return self._credited(_in_periods(rows, metric, date, periods), metric)

    def _credited(self, rows: ir.Table, metric: SimpleMetric) -> ir.Table:
        spec = TABLES[metric.table]
        if metric.scope == "programme":
            return rows
        if spec.credited:
            credit = self._credit(metric, spec.singular)
            return rows.join(credit, rows[spec.key] == credit.subject_id)
        if self.pooled:
            return rows.semi_join(self.connection.table("partners").select("partner_id"), "partner_id")
        return rows

    def _credit(self, metric: SimpleMetric, singular: str) -> ir.Table:
        """One row for each record and partner, whatever number of credits the partner has on it (AT8)."""
        way = (singular, metric.credits, metric.credit_method, metric.credit_status, metric.late)
        if way in self._credits:
            return self._credits[way]
        credit = self.connection.table("attributions")
        keep = (credit.subject_type == singular) & credit.status.fill_null("confirmed").isin(metric.credit_status)
        if not metric.late:
            keep = keep & ~credit.is_late.fill_null(False)
        if metric.credits:
            keep = keep & credit.credit_type.isin(list(metric.credits))
        if metric.credit_method:
            keep = keep & credit.method.isin(list(metric.credit_method))
        credit = credit.filter(keep).select("subject_id", "partner_id", "share")
        if self.pooled:
            known = self.connection.table("partners").select("partner_id")
            credit = credit.semi_join(known, "partner_id").select("subject_id", "share")
        keys = [name for name in credit.columns if name != "share"]
        found = credit.group_by(*keys).agg(share=credit.share.cast("decimal(5,4)").max()).cache()
        self._credits[way] = found
        return found


def _select(rows: ir.Table, metric: SimpleMetric, date: str | None) -> ir.Table:
    """The columns that are needed: a query costs by the columns that travel through it, far more than by its rows."""
    spec = TABLES[metric.table]
    needed = {spec.key, metric.of, date, metric.existing_since}
    needed |= {metric.valid_from, metric.valid_to} if date is None else set()
    needed |= {"currency"} if metric.unit.kind == "money" else set()
    needed |= set() if spec.credited or metric.scope == "programme" else {"partner_id"}
    return rows.select(*(name for name in spec.names if name in needed))


def _in_periods(rows: ir.Table, metric: SimpleMetric, date: str | None, periods: list[Period]) -> ir.Table:
    """Each row beside every period that it counts in; a timestamp's day is the one in the zone of its period."""
    dates = (date or metric.valid_from, None if date else metric.valid_to, metric.existing_since)
    timed = any(rows[name].type().is_timestamp() for name in dates if name is not None)
    zones: dict[tuple[str, str] | None, list[Period]] = {}
    for period in periods:
        zones.setdefault(period.zones if timed else None, []).append(period)
    parts = [_in_zone(rows, metric, date, those) for those in (zones or {None: periods}).values()]
    return functools.reduce(lambda one, other: one.union(other), parts)


def _in_zone(rows: ir.Table, metric: SimpleMetric, date: str | None, periods: list[Period]) -> ir.Table:
    """Each row beside every period that it counts in, of periods whose days begin in one zone."""
    spans, ahead = _periods(periods), _ahead(periods, date is None)
    conditions = []
    if date is None:
        day = _day(rows[metric.valid_from], ahead)
        conditions.append(day <= spans.span_at)
        if metric.valid_to is not None:
            until = _day(rows[metric.valid_to], ahead)
            conditions.append((until >= spans.span_at) | until.isnull())
    else:
        day = _day(rows[date], ahead)
        conditions += [day >= spans.span_start, day < spans.span_end]
    if metric.existing_since is not None:
        conditions.append(_day(rows[metric.existing_since], ahead) < spans.span_start)
    rows = rows.mutate(day=day)
    return rows.join(spans, functools.reduce(operator.and_, conditions))


def _ahead(periods: list[Period], any_day: bool) -> tuple[Step, ...]:
    """How far the zone of the periods is ahead of the tables' clock; with ``any_day`` long before them as well."""
    zones = periods[0].zones if periods else None
    if zones is None:
        return ()
    first = min(period.first.start for period in periods)
    return steps(*zones, min(first, _LONG_AGO) if any_day else first, max(period.last.end for period in periods))


def _periods(periods: list[Period]) -> ir.Table:
    """The period table: key, half-open range, and the day at which a level is read."""
    columns = {
        "period_id": pa.array([period.quarter.key for period in periods], pa.string()),
        "span_start": pa.array([period.first.start for period in periods], pa.date32()),
        "span_end": pa.array([period.last.end for period in periods], pa.date32()),
        "span_at": pa.array([period.at for period in periods], pa.date32()),
    }
    return ibis.memtable(pa.table(columns))


def _converted(rows: ir.Table, metric: SimpleMetric, window: Window, periods: list[Period]) -> ir.Table:
    """The column of the metric in its own currency, each row at the rate that the metric asks for.

    A row finds its rate by equal keys, which every engine joins fast: currency, period, and where it matters day.
    """
    rates = ibis.memtable(_rates(metric, window, metric.unit.currency or window.currency, periods))
    keys = {"rate_currency": rows.currency, "rate_period": rows.period_id, "rate_day": rows.day}
    rows = rows.left_join(rates, [keys[name] == rates[name] for name in rates.columns if name in keys])
    # Wider types than needed: Ibis multiplies only decimals of which one type holds the other. The
    # product of 4 + 4 + 8 decimals is exact in 16, and nothing is rounded before the report edge.
    value = rows[metric.of].cast("decimal(18,4)") * rows.rate.cast("decimal(22,8)")
    if metric.way == "split" and TABLES[metric.table].credited:
        value = value * rows.share.cast("decimal(18,4)")
    unconverted = rows.rate.isnull() & rows[metric.of].notnull()
    return rows.mutate(unconverted=unconverted, **{str(metric.of): value.cast("decimal(38,16)")})


def _rates(metric: SimpleMetric, window: Window, target: str, periods: list[Period]) -> pa.Table:
    """The rates into ``target`` by the keys that the metric's policy needs; the target's own rate is 1.

    A spot rate is of the record's day. An average is of the quarter that holds the record's day: where a metric looks
    at other quarters than its own, each of them has its average.
    """
    book, fx = window.book, metric.unit.fx
    table: list[_Rated] = []
    if fx == "close_date_rate" and periods:
        first, end = min(period.first.start for period in periods), max(period.last.end for period in periods)
        table = [(each, "", s.first, s.end, s.rate.rate) for each, s in book.between("spot", target, first, end)]
        return _rate_table([(target, "", first, end, _ONE), *table], by_day=True).drop_columns("rate_period")
    whole = fx == "plan_rate" or metric.nature == "level"
    whole = whole or all(period.first == period.quarter == period.last for period in periods)
    for period in periods:
        key, own = period.quarter.key, period.quarter
        table.append((target, key, period.first.start, period.last.end, _ONE))
        if fx == "plan_rate":
            plan = book.on("plan", target, own.start).items()
            table += [(each, key, own.start, own.end, rate.rate) for each, rate in plan]
            continue
        last_day = period.last.last_day
        for quarter in (own,) if whole else own.calendar.quarters(period.first.start, last_day):
            averages = book.averages(target, quarter.start, quarter.end).items()
            table += [(each, key, quarter.start, quarter.end, average.rate) for each, average in averages]
    found = _rate_table(table, by_day=not whole)
    return found.drop_columns("rate_day") if whole else found


_Rated = tuple[str, str, dt.date, dt.date, Decimal]


def _rate_table(rates: list[_Rated], by_day: bool) -> pa.Table:
    """Currency, period, day and rate: a row for each rate, or for each of the days on which it holds."""
    days = np.array([(end - first).days if by_day else 1 for _, _, first, end, _ in rates], np.int64)
    at = np.repeat(np.arange(len(rates)), days)
    starts = np.array([first for _, _, first, _, _ in rates], "datetime64[D]").astype(np.int64)
    day = starts[at] + np.arange(len(at)) - np.repeat(np.cumsum(days) - days, days)
    columns = {
        "rate_currency": pa.array([rate[0] for rate in rates], pa.string()),
        "rate_period": pa.array([rate[1] for rate in rates], pa.string()),
        "rate": pa.array([rate[4] for rate in rates], pa.decimal128(14, 8)),
    }
    table = pa.table(columns).take(pa.array(at, pa.int64()))
    return table.append_column("rate_day", pa.array(day.astype("datetime64[D]"), pa.date32()))


def _contribution(rows: ir.Table, metric: SimpleMetric, keys: list[str]) -> Any:
    """What each row adds: its value; of a distinct count 1 for the first of a kind; of *latest* the last only.

    A row without a value adds null and never 0, so that nothing but nulls stays unknown.
    """
    one = ibis.literal(_ONE).cast(_EXACT)
    if metric.of is None or (metric.aggregate == "count_distinct" and metric.of == TABLES[metric.table].key):
        split = metric.way == "split" and TABLES[metric.table].credited
        return rows.share.cast(_EXACT) if split else one  # a key is never null and no record comes twice
    value = rows[metric.of]
    if metric.aggregate == "count_distinct":
        group, order, adds = [*keys, value], [rows.day, rows.record_id], one
    elif metric.aggregate == "latest":
        adds = _decimal(value)
        group, order = list(keys), [value.isnull(), ibis.desc(rows.day), ibis.desc(rows.record_id)]
    else:
        return _decimal(value)
    first = ibis.row_number().over(ibis.window(group_by=group, order_by=order)) == 0
    nothing = ibis.literal(_NONE).cast(adds.type())
    return value.isnull().ifelse(ibis.null(adds.type()), first.ifelse(adds, nothing))


def _decimal(value: Any) -> Any:
    return value.cast(_EXACT) if value.type().is_integer() else value
