"""Whether definitions fit the normalised tables; apart, because this needs grammar and model at once.

These are the checks that no single file can make: does the table exist, has the column a type that the
aggregate and the operator can work with, does the reference resolve.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from pbr_lib.definitions import (
    Compare,
    Filter,
    Goal,
    GoalsFile,
    Metric,
    MetricsFile,
    RatioMetric,
    SimpleMetric,
    columns_of,
)
from pbr_lib.errors import InputError, UnknownQuarter, did_you_mean, parted
from pbr_lib.periods import Calendar
from pbr_lib.schema import TABLES, ColumnSpec, TableSpec
from pbr_lib.yamlfile import Document, Place

__all__ = ["check_goals", "check_metrics", "check_percent"]

_NUMERIC = ("money", "number", "integer")
_DATES = ("date", "timestamp")


def check_percent(value: Decimal, metric: Metric | None) -> None:
    """A percentage is written as ``85 %`` or 0.85; 85 alone may be a slip, so ``ValueError``."""
    if metric is not None and metric.unit.kind == "percent" and abs(value) > 2:
        raise ValueError(f"{value} is no share; write {value} % or {value / 100}")


def check_metrics(file: MetricsFile, document: Document, known: Mapping[str, Metric] | None = None) -> list[InputError]:
    """Faults of metrics against the normalised tables and each other; ``known`` adds those of other files."""
    out: list[InputError] = []
    every = {**(known or {}), **file.metrics}
    for name, metric in file.metrics.items():
        place: Place = ("metrics", name)
        if isinstance(metric, RatioMetric):
            out += _check_ratio(metric, place, every, document)
            continue
        table = TABLES.get(metric.table)
        if table is None:
            fix = did_you_mean(metric.table, list(TABLES))
            out.append(document.fault((*place, "table"), f'no table is called "{metric.table}"', fix))
            continue
        if metric.scope == "partner" and not table.credited and table.column("partner_id") is None:
            fix = f"use one of: {', '.join(t.name for t in TABLES.values() if t.credited or t.column('partner_id'))}"
            out.append(document.fault((*place, "table"), f"rows of {table.name} belong to no partner", fix))
            continue
        out += _check_simple(metric, table, place, document)
    return out


def check_goals(
    file: GoalsFile, metrics: MetricsFile, document: Document, calendar_called: Callable[[str], Calendar]
) -> list[InputError]:
    """Faults of goal definitions: references, calendars, partner filters, first and last period, percentages.

    ``calendar_called`` gives the calendar of a name, and raises ``ValueError`` for one that is not there.
    """
    out: list[InputError] = []
    for name, goal in file.goals.items():
        place: Place = ("goals", name)
        metric = metrics.metrics.get(goal.metric)
        if metric is None:
            fix = did_you_mean(goal.metric, list(metrics.metrics))
            out.append(document.fault((*place, "metric"), f'no metric is called "{goal.metric}"', fix))
        if goal.objective not in file.objectives:
            fix = did_you_mean(goal.objective, list(file.objectives))
            out.append(document.fault((*place, "objective"), f'no objective is called "{goal.objective}"', fix))
        out += _check_periods(goal, calendar_called, place, document)
        out += _check_filter(goal.applies_to, TABLES["partners"], (*place, "applies_to"), document)
        bounds = goal.target.between or ()
        for key, value in (("target", goal.target.value), ("stretch", goal.stretch), ("red_flag", goal.red_flag)):
            for each in (value, *(bounds if key == "target" else ())):
                try:
                    if each is not None:
                        check_percent(each, metric)
                except ValueError as error:
                    out.append(document.fault((*place, key), *parted(error)))
    for name, parent in file.parents.items():
        place = ("parents", name)
        goal_of = file.goals.get(parent.goal)
        if goal_of is None:
            fix = did_you_mean(parent.goal, list(file.goals))
            out.append(document.fault((*place, "goal"), f'no goal is called "{parent.goal}"', fix))
        elif parent.target is not None and parent.target.kind != goal_of.target.kind:
            what = f"{parent.goal} is {goal_of.target.kind}, its parent {parent.target.kind}"
            out.append(document.fault((*place, "target"), what, f"write the target as {goal_of.target.kind}"))
        out += _check_filter(parent.partners, TABLES["partners"], (*place, "partners"), document)
    return out


def _check_periods(
    goal: Goal, calendar_called: Callable[[str], Calendar], place: Place, document: Document
) -> Iterator[InputError]:
    """The goal's calendar, and its first and last period in it."""
    try:
        calendar = calendar_called(goal.calendar)
    except ValueError as error:
        yield document.fault((*place, "calendar"), *parted(error))
        return
    found = {}
    for key in ("first_period", "last_period"):
        label = getattr(goal, key)
        try:
            if label:
                found[key] = calendar.parse(label)
        except UnknownQuarter as error:
            yield document.fault((*place, key), error.what, error.fix)
    if len(found) == 2 and found["last_period"] < found["first_period"]:
        what = f"{goal.last_period} lies before the first period, {goal.first_period}"
        yield document.fault((*place, "last_period"), what, "write a later quarter, or remove last_period")


def _check_ratio(
    metric: RatioMetric, place: Place, every: Mapping[str, Metric], document: Document
) -> list[InputError]:
    out = []
    known = {name: other for name, other in every.items() if isinstance(other, SimpleMetric)}
    for key in ("numerator", "denominator"):
        terms = [term.removeprefix("-") for term in getattr(metric, key)]
        lost = [term for term in terms if term not in known]
        for term in lost:
            what = f'no simple metric is called "{term}"'
            out.append(document.fault((*place, key), what, did_you_mean(term, list(known))))
        if not lost and len(terms) > 1:
            out += [document.fault((*place, key), *told) for told in _unlike([known[term] for term in terms], terms)]
    return out


def _unlike(parts: list[SimpleMetric], names: list[str]) -> Iterator[tuple[str, str]]:
    """Why metrics cannot be added up: (what, fix)."""
    first = parts[0].unit
    for part, name in zip(parts, names, strict=True):
        if not part.additive:
            yield f"{name} ({part.aggregate}) cannot be added to others", "add up counts and sums only"
        elif (part.unit.kind, part.unit.currency) != (first.kind, first.currency):
            units = [" ".join(filter(None, (unit.kind, unit.currency))) for unit in (first, part.unit)]
            yield f"{names[0]} is in {units[0]} and {name} in {units[1]}", "add up metrics of one unit only"


def _check_simple(metric: SimpleMetric, table: TableSpec, place: Place, document: Document) -> list[InputError]:
    out: list[InputError] = []
    numeric = not metric.aggregate.startswith("count")
    wanted = {"of": _NUMERIC if numeric else None, "date": _DATES, "valid_from": _DATES, "valid_to": _DATES}
    for key, kinds in (wanted | {"existing_since": _DATES}).items():
        out += _check_column(getattr(metric, key), kinds, table, ((*place, key), document))
    out += [document.fault((*place, key), what, fix) for key, what, fix in _unit_faults(metric, table, numeric)]
    out += [document.fault((*place, key), what, fix) for key, what, fix in _credit_faults(metric, table)]
    out += _check_filter(metric.where, table, (*place, "where"), document)
    if metric.in_progress is not None:
        under: Place = (*place, "in_progress")
        out += _check_filter(metric.in_progress.where, table, (*under, "where"), document)
        out += _check_column(metric.in_progress.date, _DATES, table, ((*under, "date"), document))
    return out


def _unit_faults(metric: SimpleMetric, table: TableSpec, numeric: bool) -> Iterator[tuple[str, str, str]]:
    of = table.column(metric.of or "")
    if of is not None and numeric and of.kind in _NUMERIC and (of.kind == "money") != (metric.unit.kind == "money"):
        fix = "give it unit: {kind: money, currency: USD}" if of.kind == "money" else "use another kind of unit"
        yield "unit", f"{of.name} is {of.kind_text}, the unit is {metric.unit.kind}", fix
    if not numeric and metric.unit.kind != "count":
        yield "unit", f"{metric.aggregate} gives a count, the unit is {metric.unit.kind}", "write unit: {kind: count}"


def _credit_faults(metric: SimpleMetric, table: TableSpec) -> Iterator[tuple[str, str, str]]:
    if metric.way == "split" and metric.aggregate != "sum":
        key, instead = ("sum", "gross") if metric.sum else ("credit", "full")
        yield key, "only a sum can be split", f"write {key}: {instead}"
    if not table.credited:
        keys = ("credit_type", "credit", "sum", "credit_method", "credit_status", "late")
        for key in keys:
            if getattr(metric, key) != SimpleMetric.model_fields[key].default:
                yield key, f"{table.name} carries no credit", "remove this key"


def _check_column(
    name: str | None, kinds: tuple[str, ...] | None, table: TableSpec, at: tuple[Place, Document]
) -> list[InputError]:
    place, document = at
    if name is None:
        return []
    column = table.column(name)
    if column is None:
        return [document.fault(place, f'{table.name} has no column "{name}"', did_you_mean(name, table.names))]
    if kinds and column.kind not in kinds:
        fits = [c.name for c in table.columns if c.kind in kinds]
        what = f"{name} is {column.kind_text}, which does not fit here"
        return [document.fault(place, what, f"use one of: {', '.join(fits) or 'none of this table fits'}")]
    return []


def _check_filter(node: Filter, table: TableSpec, place: Place, document: Document) -> list[InputError]:
    out = []
    for leaf in columns_of(node):
        column = table.column(leaf.column)
        if column is None:
            fix = did_you_mean(leaf.column, (*table.names, "all_of", "any_of", "not"))
            what = f'{table.name} has no column "{leaf.column}"'
            out.append(document.fault(_inside(place, leaf, document), what, fix))
            continue
        problem = _misfit(leaf, column)
        if problem:
            out.append(document.fault(_inside(place, leaf, document), *problem))
    return out


def _inside(place: Place, leaf: Compare, document: Document) -> Place:
    deeper = (*place, leaf.column)
    return deeper if deeper in document.lines else place


def _misfit(leaf: Compare, column: ColumnSpec) -> tuple[str, str] | None:
    """Why an operator or a value cannot go with a column: (what, fix), or None."""
    if leaf.op == "is_null":
        return None
    if leaf.op in ("starts_with", "contains") and column.kind != "text":
        return f"{leaf.op} needs text, {column.name} is {column.kind_text}", "use another operator"
    if column.kind == "bool" and leaf.op not in ("is", "is_not"):
        return f"{column.name} is true or false", f"write {column.name}: true"
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    for value in values:
        if not _fits(value, column):
            return f'"{value}" does not fit {column.name}, which is {column.kind_text}', _example(column)
        if column.values and leaf.op in ("is", "is_not", "in", "not_in") and value not in column.values:
            return f'{column.name} is never "{value}"', did_you_mean(str(value), column.values)
    return None


def _fits(value: object, column: ColumnSpec) -> bool:
    if column.kind == "text":
        return isinstance(value, str)
    if column.kind == "bool":
        return isinstance(value, bool)
    if column.kind in _DATES:
        return isinstance(value, dt.date)
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _example(column: ColumnSpec) -> str:
    examples = {"text": "put quotes around the text", "bool": "write true or false"}
    return examples.get(column.kind, "write a day like 2026-09-30" if column.kind in _DATES else "write a number")
