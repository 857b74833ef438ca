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
from pbr_lib.model import TABLES, date_text
from pbr_lib.params import Rate
from pbr_lib.periods import Quarter

__all__ = ["Measurement", "Window", "compile_filter", "describe", "measure", "plan_rates"]
__all__ += ["select"]

_ALIASES = {"in_progress": "in progress", "actual": "actual"}


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
        have = [extract for extract in self.extracts if extract.table == table and extract.as_of]
        if not have:
            return f"no export of {table} was provided"
        if all(extract.covers_from > quarter.start for extract in have):
            return f"the export of {table} begins on {date_text(min(extract.covers_from for extract in have))}"
        newest = max(extract.as_of for extract in have if extract.as_of)
        allowed = dt.timedelta(days=self.stale_after_days if until == self.as_of else 0)
        return "" if newest + allowed >= until else f"the export of {table} ends on {date_text(newest)}"


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
            wanted = hits.filter(hits.period_id.isin(labels))
            columns = ["partner_id", "period_id", "record_id", "day", "counts"]
            frame = _frame(wanted.select(columns).to_pyarrow())
            frames.append(frame.assign(role=_ALIASES.get(role, role)))
        whole = pd.concat(frames, ignore_index=True)
        return whole.sort_values(["partner_id", "period_id", "role", "day", "record_id"], ignore_index=True)


def measure(
    connection: ibis.BaseBackend, metrics: Mapping[str, Metric], window: Window
) -> dict[str, Measurement]:
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
    "in": lambda column, values: column.isin(list(values)),
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "between": lambda column, pair: column.between(pair[0], pair[1]),
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
    return _LEAVES[node.op](column, node.value).fill_null(False)


def _hits(
    connection: ibis.BaseBackend, metric: SimpleMetric, window: Window, under_way: bool = False
) -> ir.Table:
    """The rows that count: partner_id, period_id, record_id, day, counts, unconverted."""
    spec = TABLES[metric.table]
    rows = connection.table(metric.table)
    where, date = metric.where, metric.date
    if under_way and metric.in_progress is not None:
        where, date = metric.in_progress.where, metric.in_progress.date
    rows = rows.filter(compile_filter(rows, where))
    if spec.credited:
        credit = _credit(connection, metric, spec.singular)
        rows = rows.join(credit, rows[spec.key] == credit.subject_id)
    else:
        rows = rows.mutate(share=ibis.literal(Decimal(1)).cast("decimal(5,4)"))
    rows = _in_periods(rows, metric, date, window)
    rows = rows.mutate(record_id=rows[spec.key], unconverted=ibis.literal(False))
    if metric.aggregate == "count":
        return rows.mutate(counts=ibis.literal(Decimal(1)).cast("decimal(38,6)"))
    value = rows[metric.of]
    if metric.unit.kind == "money":
        rows = _at_plan_rate(rows, window, metric)
        # Wider types than needed: Ibis multiplies only decimals of which one type holds the other. The
        # product of 4 + 4 + 8 decimals is exact in 16, and nothing is rounded before the report edge.
        value = rows[metric.of].cast("decimal(18,4)") * rows.plan_rate.cast("decimal(22,8)")
        if metric.credit == "split":
            value = value * rows.share.cast("decimal(18,4)")
        value = value.cast("decimal(38,16)")
        rows = rows.mutate(unconverted=rows.plan_rate.isnull() & rows[metric.of].notnull())
    return rows.mutate(counts=_contribution(rows, metric, value))


def _credit(connection: ibis.BaseBackend, metric: SimpleMetric, singular: str) -> ir.Table:
    """One row for each record and partner, whatever number of credits the partner has on it."""
    credit = connection.table("attributions")
    credit = credit.filter(credit.subject_type == singular)
    if metric.credits:
        credit = credit.filter(credit.credit_type.isin(list(metric.credits)))
    return credit.group_by("subject_id", "partner_id").agg(share=credit.share.cast("decimal(5,4)").max())


def _in_periods(rows: ir.Table, metric: SimpleMetric, date: str | None, window: Window) -> ir.Table:
    periods = _periods(window)
    if metric.nature == "level":
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


def _at_plan_rate(rows: ir.Table, window: Window, metric: SimpleMetric) -> ir.Table:
    """The plan rate of each record's currency at the start of its period; null when there is none."""
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
    return rows.left_join(rates, [rows.currency == rates.rate_currency, rows.period_id == rates.rate_period])


def plan_rates(rates: Iterable[Rate], target: str, day: dt.date) -> list[Rate]:
    """The plan rate into ``target`` of each currency that has one on ``day``; the target's own is 1."""
    newest: dict[str, Rate] = {target: Rate(target, target, "plan", dt.date.min, Decimal(1))}
    for rate in sorted(rates, key=lambda rate: rate.valid_from):
        if rate.kind == "plan" and rate.to_currency == target and rate.valid_from <= day and rate.currency != target:
            newest[rate.currency] = rate
    return list(newest.values())


def _contribution(rows: ir.Table, metric: SimpleMetric, value: Any) -> Any:
    """What each row adds: its value; of a distinct count 1 for the first of a kind; of *latest* the last only."""
    nothing = ibis.literal(Decimal(0)).cast("decimal(38,6)")
    if metric.aggregate == "count_distinct":
        window = ibis.window(group_by=[rows.partner_id, rows.period_id, value], order_by=[rows.day, rows.record_id])
        first = (ibis.row_number().over(window) == 0) & value.notnull()
        return first.ifelse(ibis.literal(Decimal(1)).cast("decimal(38,6)"), nothing)
    if metric.aggregate == "latest":
        order = [value.isnull(), ibis.desc(rows.day), ibis.desc(rows.record_id)]
        window = ibis.window(group_by=[rows.partner_id, rows.period_id], order_by=order)
        return (ibis.row_number().over(window) == 0).ifelse(value, ibis.literal(Decimal(0)).cast(value.type()))
    return value


def _day(column: Any) -> Any:
    return column.date() if column.type().is_timestamp() else column


# ------------------------------------------------------------------------------------------- measuring


def _measure_simple(
    connection: ibis.BaseBackend, metric: SimpleMetric, window: Window, partners: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, ir.Table]]:
    parts = {"actual": _hits(connection, metric, window)}
    found = _aggregate(parts["actual"])
    spine = _spine(partners, window)
    values = spine.merge(found, how="left", on=["partner_id", "period_id"])
    values["n"] = values["n"].fillna(0).astype(int)
    values["value"] = [_value(metric, row) for row in values.itertuples(index=False)]
    values["state"], values["reason"] = _states(metric, values, window)
    unknown = values["state"].isin(["unknown", "not_started"])
    values["value"] = values["value"].astype(object).where(~unknown, None)
    values["in_progress"] = None
    if metric.in_progress is not None:
        parts["in_progress"] = _hits(connection, metric, window, under_way=True)
        more = _aggregate(parts["in_progress"]).set_index(["partner_id", "period_id"])
        more = more["total"].where(more["unconverted"] == 0)
        keys = pd.MultiIndex.from_frame(values[["partner_id", "period_id"]])
        under_way = pd.Series(more.reindex(keys).to_numpy(dtype=object), index=values.index)
        values["in_progress"] = under_way.where(under_way.notna() & ~unknown, None)
    columns = ["partner_id", "period_id", "state", "value", "n", "first_day", "in_progress", "reason"]
    return values[columns].assign(numerator=None, denominator=None), parts


def _aggregate(hits: ir.Table) -> pd.DataFrame:
    grouped = hits.group_by("partner_id", "period_id").agg(
        total=hits.counts.sum(),
        smallest=hits.counts.min(),
        largest=hits.counts.max(),
        known=hits.counts.count(),
        n=hits.count(),
        unconverted=hits.unconverted.sum(),
        first_day=hits.day.min(),
    )
    return _frame(grouped.to_pyarrow())


def _frame(table: pa.Table) -> pd.DataFrame:
    """Arrow to pandas with Decimal and date as they are, never as float."""
    return table.to_pandas(date_as_object=True)


def _spine(partners: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Every partner with every quarter, so that absence stays visible."""
    periods = pd.DataFrame(
        {
            "period_id": [quarter.label for quarter in window.quarters],
            "start": [quarter.start for quarter in window.quarters],
            "end": [quarter.end for quarter in window.quarters],
        }
    )
    return partners.merge(periods, how="cross")


def _value(metric: SimpleMetric, row: Any) -> Decimal | None:
    if row.n == 0 or row.total is None or pd.isna(row.total):
        return None
    if metric.aggregate == "average":
        return Decimal(row.total) / int(row.known)
    if metric.aggregate in ("min", "max"):
        return Decimal(row.smallest if metric.aggregate == "min" else row.largest)
    return Decimal(row.total)


def _states(metric: SimpleMetric, values: pd.DataFrame, window: Window) -> tuple[list[str], list[str]]:
    gaps = {quarter.label: window.gap(metric.table, quarter) for quarter in window.quarters}
    additive = metric.aggregate in ("count", "count_distinct", "sum") or metric.when_missing == "zero"
    out = []
    for index, row in enumerate(values.itertuples(index=False)):
        joined = row.joined_on if isinstance(row.joined_on, dt.date) and not pd.isna(row.joined_on) else None
        if row.start > window.as_of:
            out.append(("not_started", "the quarter has not begun"))
        elif joined is not None and pd.Timestamp(joined).date() >= row.end and row.n == 0:
            out.append(("not_started", "the partner joined later"))
        elif gaps[row.period_id]:
            out.append(("unknown", gaps[row.period_id]))
        elif row.n and row.unconverted:
            out.append(("unknown", f"no plan rate for the currency of {int(row.unconverted)} records"))
        elif row.n and row.value is None:
            out.append(("unknown", f"the column {metric.of} is empty in all {row.n} records"))
        elif row.n:
            out.append(("value", ""))
        elif additive:
            values.at[values.index[index], "value"] = Decimal(0)
            out.append(("zero", ""))
        else:
            out.append(("unknown", "no record in the quarter"))
    return [state for state, _ in out], [reason for _, reason in out]


def _few_is_unknown(values: pd.DataFrame, min_n: int) -> pd.DataFrame:
    few = (values["state"] == "value") & (values["n"] < min_n)
    out = values.copy()
    out.loc[few, "state"] = "unknown"
    out.loc[few, "value"] = None
    out.loc[few, "reason"] = [f"{n} of at least {min_n} records" for n in values.loc[few, "n"]]
    return out


def _ratio(metric: RatioMetric, top: pd.DataFrame, bottom: pd.DataFrame) -> pd.DataFrame:
    """Numerator by denominator, divided in Decimal; too few records make it unknown."""
    out = bottom.copy()
    out["numerator"], out["denominator"] = top["value"], bottom["value"]
    rows = []
    for n, up, down, state, reason in zip(
        bottom["n"], top["value"], bottom["value"], bottom["state"], bottom["reason"], strict=True
    ):
        if state in ("unknown", "not_started") or up is None or down is None:
            rows.append((state if state != "value" else "unknown", None, reason))
        elif n < metric.min_n and (down != 0 or metric.zero_denominator == "unknown"):
            what = "no record in the quarter" if n == 0 else f"{n} of at least {metric.min_n} records"
            rows.append(("unknown", None, what))
        elif down == 0:
            known = metric.zero_denominator == "zero"
            rows.append(("zero" if known else "unknown", Decimal(0) if known else None, "nothing to divide by"))
        else:
            rows.append(("value", up / down, ""))
    out["state"], out["value"], out["reason"] = zip(*rows, strict=True) if rows else ([], [], [])
    return out


# ------------------------------------------------------------------------------------------ definitions


def describe(metric: Metric, metrics: Mapping[str, Metric]) -> str:
    """The definition in words, made from what is computed and so never at odds with it."""
    if isinstance(metric, RatioMetric):
        top, bottom = metrics[metric.numerator], metrics[metric.denominator]
        few = f" At least {metric.min_n} records, else not measurable." if metric.min_n > 1 else ""
        return f"{top.label} ÷ {bottom.label.lower()}. Both: {describe(bottom, metrics)}{few}"
    own = metric.of == TABLES[metric.table].key
    what = {
        "count": f"Number of {metric.table}",
        "count_distinct": f"Number of {metric.table}" if own else f"Different {_plural(metric.of)} in {metric.table}",
        "sum": f"Sum of {_words(metric.of)} over {metric.table}",
        "average": f"Mean {_words(metric.of)} over {metric.table}",
        "min": f"Smallest {_words(metric.of)} in {metric.table}",
        "max": f"Largest {_words(metric.of)} in {metric.table}",
        "latest": f"Latest {_words(metric.of)} in {metric.table}",
    }[metric.aggregate]
    where = _filter_words(metric.where)
    parts = [what + (f" where {where}" if where else "")]
    if metric.credits:
        parts.append(f"credited to the partner as {' or '.join(metric.credits)}")
    elif TABLES[metric.table].credited:
        parts.append("with any credit to the partner")
    if metric.nature == "level":
        until = f" to {_words(metric.valid_to)}" if metric.valid_to else ""
        parts.append(f"valid on the day ({_words(metric.valid_from)}{until})")
    else:
        parts.append(f"by {_words(metric.date)}")
    if metric.unit.kind == "money":
        parts.append(f"in {metric.unit.currency} at plan rates")
    if metric.credit == "split":
        parts.append("shared where several partners are credited")
    few = f" At least {metric.min_n} records, else not measurable." if metric.min_n > 1 else ""
    return ", ".join(parts) + "." + few


def _filter_words(node: Filter) -> str:
    if isinstance(node, AllOf | AnyOf):
        word = " and " if isinstance(node, AllOf) else " or "
        return word.join(_filter_words(item) for item in node.items)
    if isinstance(node, Not):
        return f"not ({_filter_words(node.item)})"
    value = node.value
    listed = ", ".join(str(v).replace("_", " ") for v in value) if isinstance(value, tuple) else str(value)
    if isinstance(value, bool):
        plain = {"is_won": "won", "is_lost": "lost", "is_open": "open"}.get(node.column, _words(node.column))
        positive = value == (node.op != "is_not")
        return plain if positive else f"not {plain}"
    signs = {"gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most", "in": "one of"}
    signs |= {"is_not": "is not", "not_in": "none of", "starts_with": "starts with", "between": "between"}
    return f"{_words(node.column)} {signs.get(node.op, node.op.replace('_', ' '))} {listed.replace('_', ' ')}"


_DAYS = {
    "created_at": "day of creation",
    "close_date": "closing day",
    "submitted_on": "day of submission",
    "decided_on": "day of decision",
    "answered_on": "day of the answer",
    "issued_on": "day of issue",
    "expires_on": "day of expiry",
    "joined_on": "day of joining",
}


def _words(column: str | None) -> str:
    return _DAYS.get(column or "", (column or "").removesuffix("_id").removesuffix("_name").replace("_", " "))


def _plural(column: str | None) -> str:
    word = _words(column)
    return {"person": "people", "company": "companies"}.get(word, word + "s")
