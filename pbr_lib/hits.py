"""The rows that count, as Ibis expressions; apart, because value and evidence are both made from them and from
nothing else, so that the two cannot disagree.

A *hit* is one row for each record, partner and period, with what the record contributes. Nothing is kept in the
engine but who is credited: the hits of all quarters are read once for the values, those of one quarter again when
its evidence is asked for.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from pbr_lib.definitions import AllOf, AnyOf, Compare, Filter, Not, SimpleMetric
from pbr_lib.periods import Quarter
from pbr_lib.schema import TABLES
from pbr_lib.window import Period, Window, period_of, plan_rates

__all__ = ["Hits", "compile_filter", "select"]

_ONE, _NONE = Decimal(1), Decimal(0)
_EXACT = "decimal(38,6)"


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


def _day(column: Any) -> Any:
    return column.date() if column.type().is_timestamp() else column


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
        decimal; null where it has no value) and unconverted (money without a plan rate).
        """
        spec = TABLES[metric.table]
        rows = self.connection.table(metric.table)
        where, date = metric.where, None if metric.nature == "level" else metric.date
        if under_way and metric.in_progress is not None:
            where, date = metric.in_progress.where, metric.in_progress.date
        periods = [period_of(metric, quarter, self.window.as_of) for quarter in quarters]
        rows = _select(rows.filter(compile_filter(rows, where)), metric, date)
        rows = _in_periods(rows, metric, date, periods)
        rows = self._credited(rows, metric)
        rows = rows.mutate(record_id=rows[spec.key], unconverted=ibis.literal(False))
        if metric.unit.kind == "money" and metric.of is not None:
            rows = _at_plan_rate(rows, metric, self.window)
        elif metric.way == "split" and metric.of is not None and spec.credited and metric.aggregate == "sum":
            part = rows[metric.of].cast(_EXACT) * rows.share.cast("decimal(38,6)")
            rows = rows.mutate(**{metric.of: part})
        keys = self.keys(metric)
        counts = _contribution(rows, metric, keys).name("counts")
        return rows.select(*keys, "record_id", "day", counts, "unconverted")

    def keys(self, metric: SimpleMetric) -> list[str]:
        """What values are grouped by: partner and quarter, or the quarter alone."""
        return ["period_id"] if self.pooled or metric.scope == "programme" else ["partner_id", "period_id"]

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
    """Each row beside every period that it counts in."""
    spans = _periods(periods)
    conditions = []
    if date is None:
        day = _day(rows[metric.valid_from])
        conditions.append(day <= spans.span_at)
        if metric.valid_to is not None:
            until = _day(rows[metric.valid_to])
            conditions.append((until >= spans.span_at) | until.isnull())
    else:
        day = _day(rows[date])
        conditions += [day >= spans.span_start, day < spans.span_end]
    if metric.existing_since is not None:
        conditions.append(_day(rows[metric.existing_since]) < spans.span_start)
    rows = rows.mutate(day=day)
    return rows.join(spans, functools.reduce(operator.and_, conditions))


def _periods(periods: list[Period]) -> ir.Table:
    """The period table: label, half-open range, and the day at which a level is read."""
    columns = {
        "period_id": pa.array([period.quarter.label for period in periods], pa.string()),
        "span_start": pa.array([period.first.start for period in periods], pa.date32()),
        "span_end": pa.array([period.last.end for period in periods], pa.date32()),
        "span_at": pa.array([period.at for period in periods], pa.date32()),
    }
    return ibis.memtable(pa.table(columns))


def _at_plan_rate(rows: ir.Table, metric: SimpleMetric, window: Window) -> ir.Table:
    """The column of the metric in its own currency, at the rate that holds at the start of each row's period."""
    target = metric.unit.currency or window.currency
    table = [
        (rate.currency, quarter.label, rate.rate)
        for quarter in window.quarters
        for rate in plan_rates(window.rates, target, quarter.start)
    ]
    columns = {
        "rate_currency": pa.array([row[0] for row in table], pa.string()),
        "rate_period": pa.array([row[1] for row in table], pa.string()),
        "plan_rate": pa.array([row[2] for row in table], pa.decimal128(14, 8)),
    }
    rates = ibis.memtable(pa.table(columns))
    rows = rows.left_join(rates, [rows.currency == rates.rate_currency, rows.period_id == rates.rate_period])
    # Wider types than needed: Ibis multiplies only decimals of which one type holds the other. The
    # product of 4 + 4 + 8 decimals is exact in 16, and nothing is rounded before the report edge.
    value = rows[metric.of].cast("decimal(18,4)") * rows.plan_rate.cast("decimal(22,8)")
    if metric.way == "split" and TABLES[metric.table].credited:
        value = value * rows.share.cast("decimal(18,4)")
    unconverted = rows.plan_rate.isnull() & rows[metric.of].notnull()
    return rows.mutate(unconverted=unconverted, **{str(metric.of): value.cast("decimal(38,16)")})


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
