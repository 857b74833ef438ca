"""A definition and the model make a value *and the records behind it*; apart, because nothing else may count.

A metric compiles to Ibis expressions. Its *hits* are the rows that count, one for each record, partner and
period, with what the record contributes; the value is an aggregate of the hits, the evidence is the hits
themselves, so the two cannot disagree. All partners and all periods are measured in one pass.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from pbr_lib.definitions import AllOf, AnyOf, Compare, Filter, Metric, Not, RatioMetric, SimpleMetric
from pbr_lib.ingest import Extract
from pbr_lib.model import date_text
from pbr_lib.params import Rate
from pbr_lib.periods import Quarter
from pbr_lib.schema import TABLES

__all__ = ["Measurement", "Window", "compile_filter", "measure", "plan_rates"]
__all__ += ["select"]

_ALIASES = {"in_progress": "in progress"}
_KEYS = ["partner_id", "period_id"]
_ONE, _NONE = Decimal(1), Decimal(0)
_OVERLAP = 92


@dataclass(frozen=True)
class Window:
    """For which quarters, as of which day, at which plan rates, and what the exports cover."""

    quarters: tuple[Quarter, ...]
    as_of: dt.date
    currency: str
    rates: tuple[Rate, ...] = ()
    extracts: tuple[Extract, ...] = ()
    stale_after_days: int = 14

    def gap(self, table: str, quarter: Quarter) -> str:
        """Why a zero of this table and quarter cannot be asserted; empty when the exports cover it whole."""
        until = min(quarter.last_day, self.as_of)
        every = [extract for extract in self.extracts if extract.table == table]
        have = [(extract.covers_from, extract.as_of) for extract in every if extract.as_of]
        if not have:
            return f"no export of {table} was provided"
        if len(have) < len(every):
            missing = next(extract for extract in every if not extract.as_of)
            return f"the export {missing.about or missing.source} was not provided"
        first = max(reach[0] for reach in have if not any(_continues(reach, other) for other in have))
        if first > quarter.start:
            return f"the export of {table} begins on {date_text(first)}"
        last = min(reach[1] for reach in have if not any(_continues(other, reach) for other in have))
        allowed = dt.timedelta(days=self.stale_after_days if until == self.as_of else 0)
        return "" if last + allowed >= until else f"the export of {table} ends on {date_text(last)}"


def _continues(later: tuple[dt.date, dt.date], earlier: tuple[dt.date, dt.date]) -> bool:
    """Whether an export takes up where another of its table ends, as this year's file does after the archive.

    Exports that run side by side, one for each region say, overlap by far more; all of them must be fresh.
    """
    overlap = (earlier[1] - later[0]).days + 1
    return later[1] > earlier[1] and 0 <= overlap <= _OVERLAP and later[0] > earlier[0]


@dataclass(frozen=True)
class Measurement:
    """One metric for every partner and quarter.

    ``values`` has one row for each partner and quarter, with columns partner_id, period_id, state (value,
    zero, unknown, not_started), value (Decimal, or None when there is none), n (records; of a ratio those
    of the denominator), numerator and denominator of a ratio, first_day (of the earliest record),
    in_progress and reason. ``evidence`` gives the records behind any of them.
    """

    name: str
    values: pd.DataFrame = field(repr=False)
    _parts: Mapping[str, ir.Table] = field(repr=False)

    def evidence(self, quarters: Iterable[Quarter]) -> pd.DataFrame:
        """The records behind the values of those quarters.

        Columns: partner_id, period_id, role (actual, in progress, numerator, denominator), record_id, day
        and counts, what the record adds to the value (Decimal; 0 for a repeat in a distinct count).
        """
        labels = [quarter.label for quarter in quarters]
        frames = []
        for role, hits in self._parts.items():
            wanted = hits.filter(hits.period_id.isin(labels)).drop("unconverted")
            frames.append(_frame(wanted.to_pyarrow()).assign(role=_ALIASES.get(role, role)))
        whole = pd.concat(frames, ignore_index=True)
        return whole.sort_values(["partner_id", "period_id", "role", "day", "record_id"], ignore_index=True)


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
    joined = connection.table("partners").select("partner_id", "joined_on").to_pandas()
    simple = {
        name: _measure_simple(connection, metric, window, joined)
        for name, metric in metrics.items()
        if isinstance(metric, SimpleMetric)
    }
    out: dict[str, Measurement] = {}
    for name, metric in metrics.items():
        if isinstance(metric, RatioMetric):
            top, bottom = simple[metric.numerator], simple[metric.denominator]
            parts = {"numerator": top[1]["actual"], "denominator": bottom[1]["actual"]}
            out[name] = Measurement(name, _ratio(metric, top[0], bottom[0]), parts)
        else:
            values, parts = simple[name]
            out[name] = Measurement(name, _few_is_unknown(values, metric.min_n), parts)
    return out


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
    if column.type().is_timestamp():
        column = column.date()
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


def _hits(connection: ibis.BaseBackend, metric: SimpleMetric, window: Window, under_way: bool = False) -> ir.Table:
    """The rows that count, kept in the engine: partner_id, period_id, record_id, day, counts, unconverted."""
    spec = TABLES[metric.table]
    rows = connection.table(metric.table)
    where, date = metric.where, None if metric.nature == "level" else metric.date
    if under_way and metric.in_progress is not None:
        where, date = metric.in_progress.where, metric.in_progress.date
    needed = {spec.key, metric.of, date} | ({metric.valid_from, metric.valid_to} if date is None else set())
    needed |= {"currency"} if metric.unit.kind == "money" else set()
    needed |= set() if spec.credited else {"partner_id"}
    # A query costs by the columns that travel through it, far more than by its rows.
    rows = rows.filter(compile_filter(rows, where)).select(*(name for name in spec.names if name in needed))
    if spec.credited:
        credit = _credit(connection, metric, spec.singular)
        rows = rows.join(credit, rows[spec.key] == credit.subject_id)
    rows = _in_periods(rows, metric, date, window)
    rows = rows.mutate(record_id=rows[spec.key], unconverted=ibis.literal(False))
    if metric.unit.kind == "money" and metric.of is not None:
        rows = _at_plan_rate(rows, metric, window)
    counts = _contribution(rows, metric).name("counts")
    return rows.select(*_KEYS, "record_id", "day", counts, "unconverted").cache()


def _credit(connection: ibis.BaseBackend, metric: SimpleMetric, singular: str) -> ir.Table:
    """One row for each record and partner, whatever number of credits the partner has on it."""
    credit = connection.table("attributions")
    credit = credit.filter(credit.subject_type == singular)
    if metric.credits:
        credit = credit.filter(credit.credit_type.isin(list(metric.credits)))
    return credit.group_by("subject_id", "partner_id").agg(share=credit.share.cast("decimal(5,4)").max())


def _in_periods(rows: ir.Table, metric: SimpleMetric, date: str | None, window: Window) -> ir.Table:
    periods = _periods(window)
    if date is None:
        day = _day(rows[metric.valid_from])
        conditions = [day <= periods.at]
        if metric.valid_to is not None:
            until = _day(rows[metric.valid_to])
            conditions.append((until >= periods.at) | until.isnull())
        reading = functools.reduce(operator.and_, conditions)
    else:
        day = _day(rows[date])
        reading = (day >= periods.start) & (day < periods.end)
    return rows.mutate(day=day).join(periods, reading)


def _periods(window: Window) -> ir.Table:
    """The period table: label, half-open range, and the day at which a level is read."""
    columns: dict[str, list[Any]] = {
        "period_id": [quarter.label for quarter in window.quarters],
        "start": [quarter.start for quarter in window.quarters],
        "end": [quarter.end for quarter in window.quarters],
        "at": [min(quarter.last_day, window.as_of) for quarter in window.quarters],
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
    if metric.credit == "split":
        value = value * rows.share.cast("decimal(18,4)")
    unconverted = rows.plan_rate.isnull() & rows[metric.of].notnull()
    return rows.mutate(unconverted=unconverted, **{str(metric.of): value.cast("decimal(38,16)")})


def plan_rates(rates: Iterable[Rate], target: str, day: dt.date) -> list[Rate]:
    """The plan rate into ``target`` of each currency that has one on ``day``; the target's own is 1."""
    newest: dict[str, Rate] = {target: Rate(target, target, "plan", dt.date.min, Decimal(1))}
    for rate in sorted(rates, key=lambda rate: rate.valid_from):
        if rate.kind == "plan" and rate.to_currency == target and rate.valid_from <= day and rate.currency != target:
            newest[rate.currency] = rate
    return list(newest.values())


def _contribution(rows: ir.Table, metric: SimpleMetric) -> Any:
    """What each row adds: its value; of a distinct count 1 for the first of a kind; of *latest* the last only.

    A row without a value adds null and never 0, so that nothing but nulls stays unknown.
    """
    if metric.of is None:
        return ibis.literal(_ONE).cast("decimal(38,6)")
    value = rows[metric.of]
    if metric.aggregate == "count_distinct":
        group, order, adds = [*_KEYS, value], [rows.day, rows.record_id], ibis.literal(_ONE).cast("decimal(38,6)")
    elif metric.aggregate == "latest":
        group, adds = list(_KEYS), value
        order = [value.isnull(), ibis.desc(rows.day), ibis.desc(rows.record_id)]
    else:
        return value
    first = ibis.row_number().over(ibis.window(group_by=group, order_by=order)) == 0
    nothing = ibis.literal(_NONE).cast(adds.type())
    return value.isnull().ifelse(ibis.null(adds.type()), first.ifelse(adds, nothing))


def _day(column: Any) -> Any:
    return column.date() if column.type().is_timestamp() else column


# ------------------------------------------------------------------------------------------- measuring


def _measure_simple(
    connection: ibis.BaseBackend, metric: SimpleMetric, window: Window, partners: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, ir.Table]]:
    parts = {"actual": _hits(connection, metric, window)}
    values = _spine(partners, window).merge(_aggregate(metric, parts["actual"]), how="left", on=_KEYS)
    values[["n", "known", "unconverted"]] = values[["n", "known", "unconverted"]].fillna(0).astype(int)
    values["state"], values["reason"] = _states(metric, values, window)
    zero, value = values["state"] == "zero", values["state"] == "value"
    values["value"] = values["value"].astype(object).where(value, None).mask(zero, _NONE)
    values["in_progress"] = None
    if metric.in_progress is not None:
        parts["in_progress"] = _hits(connection, metric, window, under_way=True)
        more = _aggregate(metric, parts["in_progress"]).set_index(_KEYS)
        more = more["value"].where(more["unconverted"] == 0).reindex(pd.MultiIndex.from_frame(values[_KEYS]))
        under_way = pd.Series(more.to_numpy(dtype=object), index=values.index)
        values["in_progress"] = under_way.where(under_way.notna() & (zero | value), None)
    columns = [*_KEYS, "state", "value", "n", "known", "first_day", "in_progress", "reason"]
    return values[columns].assign(numerator=None, denominator=None), parts


def _aggregate(metric: SimpleMetric, hits: ir.Table) -> pd.DataFrame:
    """One row for each partner and quarter that has hits: value, n, known, unconverted, first_day."""
    bound = {"min": hits.counts.min(), "max": hits.counts.max()}
    grouped = hits.group_by(*_KEYS).agg(
        value=bound.get(metric.aggregate, hits.counts.sum()),
        known=hits.counts.count(),
        n=hits.count(),
        unconverted=hits.unconverted.sum(),
        first_day=hits.day.min(),
    )
    found = _frame(grouped.to_pyarrow())
    if metric.aggregate == "average":
        # The engine's mean rounds to the scale of its column; sum and count divided in Decimal do not.
        pairs = zip(found["value"], found["known"], strict=True)
        found["value"] = pd.Series([total / int(n) if n else None for total, n in pairs], found.index, dtype=object)
    return found


def _frame(table: pa.Table) -> pd.DataFrame:
    """Arrow to pandas with Decimal and date as they are, never as float."""
    return table.to_pandas(date_as_object=True)


def _spine(partners: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Every partner with every quarter, so that absence stays visible."""
    periods = pd.DataFrame(
        {
            "period_id": [quarter.label for quarter in window.quarters],
            "start": pd.to_datetime([quarter.start for quarter in window.quarters]),
            "end": pd.to_datetime([quarter.end for quarter in window.quarters]),
        }
    )
    return partners.assign(joined_on=pd.to_datetime(partners["joined_on"])).merge(periods, how="cross")


def _states(metric: SimpleMetric, values: pd.DataFrame, window: Window) -> tuple[pd.Series, pd.Series]:
    """State and reason of each row; a zero is asserted only where the exports cover the whole quarter."""
    gaps = values["period_id"].map({quarter.label: window.gap(metric.table, quarter) for quarter in window.quarters})
    additive = metric.aggregate in ("count", "count_distinct", "sum") or metric.when_missing == "zero"
    found, lost = values["n"] > 0, values["unconverted"]
    rules: list[tuple[pd.Series, str, Any]] = [
        (~found, "zero" if additive else "unknown", "" if additive else "no record in the quarter"),
        (
            found & (values["known"] == 0),
            "unknown",
            f"the column {metric.of} is empty in all of " + _records(values["n"]),
        ),
        (lost > 0, "unknown", "no plan rate for the currency of " + _records(lost)),
        (gaps != "", "unknown", gaps),
        (~found & (values["joined_on"] >= values["end"]), "not_started", "the partner joined later"),
        (values["start"] > pd.Timestamp(window.as_of), "not_started", "the quarter has not begun"),
    ]
    state, reason = pd.Series("value", values.index), pd.Series("", values.index)
    for rows, name, why in rules:
        state, reason = state.mask(rows, name), reason.mask(rows, why)
    return state, reason


def _records(counts: pd.Series) -> pd.Series:
    return counts.astype(str) + (counts == 1).map({True: " record", False: " records"})


def _few_is_unknown(values: pd.DataFrame, min_n: int) -> pd.DataFrame:
    """Fewer records with a value than ``min_n`` say nothing."""
    few = (values["state"] == "value") & (values["known"] < min_n)
    out = values.drop(columns="known")
    out.loc[few, "state"] = "unknown"
    out.loc[few, "value"] = None
    out.loc[few, "reason"] = [_too_few(n, min_n) for n in values.loc[few, "known"]]
    return out


def _too_few(n: int, least: int) -> str:
    count = f"{n} record" if n == 1 else f"{n} records"
    return f"{count}, at least {least} are needed" if n else "no record in the quarter"


def _ratio(metric: RatioMetric, top: pd.DataFrame, bottom: pd.DataFrame) -> pd.DataFrame:
    """Numerator by denominator, divided in Decimal; too few records make it unknown."""
    out = bottom.drop(columns="known").assign(in_progress=None)
    out["numerator"], out["denominator"] = top["value"], bottom["value"]
    parts = zip(top["state"], top["reason"], bottom["state"], bottom["reason"], strict=True)
    rows: list[tuple[str, Decimal | None, str]] = []
    for n, up, down, states in zip(bottom["n"], top["value"], bottom["value"], parts, strict=True):
        if up is None or down is None:
            state, reason = states[2:] if down is None else states[:2]
            rows.append((state, None, reason))
        elif n < metric.min_n and (down != 0 or metric.zero_denominator == "unknown"):
            rows.append(("unknown", None, _too_few(n, metric.min_n)))
        elif down == 0:
            known = metric.zero_denominator == "zero"
            rows.append(("zero" if known else "unknown", Decimal(0) if known else None, "nothing to divide by"))
        else:
            rows.append(("value", up / down, ""))
    for place, column in enumerate(("state", "value", "reason")):
        out[column] = pd.Series([row[place] for row in rows], out.index, dtype=object)
    return out
