"""What a metric means, told once more in plain Python: no engine, no frame, nothing shared with ``pbr_lib.metrics``.

Tables are lists of dictionaries. It is slow, obvious, and wrong in other ways than the product, which is the point.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from pbr_lib.definitions import AllOf, AnyOf, Filter, Metric, Not, RatioMetric, SimpleMetric
from pbr_lib.periods import Quarter

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

KEYS = {
    "partners": "partner_id",
    "leads": "lead_id",
    "opportunities": "opportunity_id",
    "registrations": "registration_id",
    "certifications": "certification_id",
    "surveys": "response_id",
    "subscription_movements": "movement_id",
    "manual_facts": "fact_id",
}
CREDITED = {"leads": "lead", "opportunities": "opportunity", "subscription_movements": "movement"}
WRITTEN = ("manual_facts",)


@dataclass(frozen=True)
class World:
    """The data, the quarters, the day, the plan rates into one currency, and what each export covers.

    ``rates`` maps a currency to its (first day, rate) pairs; ``covers`` a table to (first day, last day), a
    table that is not in it was not provided.
    """

    tables: Tables
    quarters: tuple[Quarter, ...]
    as_of: dt.date
    currency: str
    rates: Mapping[str, Sequence[tuple[dt.date, Decimal]]]
    covers: Mapping[str, tuple[dt.date, dt.date]]
    tolerance: int = 14


@dataclass
class Cell:
    """What one metric says of one partner and quarter."""

    state: str
    value: Decimal | None
    n: int
    in_progress: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    hits: list[Hit] = field(default_factory=list)
    young: bool = False


@dataclass(frozen=True)
class Hit:
    """One record that counts: its key, day and value in the metric's unit; ``lost`` when no rate was found."""

    key: str
    day: dt.date
    value: Any
    lost: bool = False


def holds(node: Filter, row: Row) -> bool:
    """Whether a filter lets a row through: a comparison with nothing is false, a negation is the complement."""
    if isinstance(node, AllOf):
        return all(holds(item, row) for item in node.items)
    if isinstance(node, AnyOf):
        return any(holds(item, row) for item in node.items)
    if isinstance(node, Not):
        return not holds(node.item, row)
    cell, value, op = row[node.column], node.value, node.op
    if isinstance(cell, dt.datetime):
        cell = cell.date()
    if op == "is_null":
        return (cell is None) == value
    if op in ("is_not", "not_in"):
        return not (cell is not None and (cell == value if op == "is_not" else cell in value))
    if cell is None:
        return False
    return {
        "is": lambda: cell == value,
        "in": lambda: cell in value,
        "gt": lambda: cell > value,
        "gte": lambda: cell >= value,
        "lt": lambda: cell < value,
        "lte": lambda: cell <= value,
        "between": lambda: value[0] <= cell <= value[1],
        "starts_with": lambda: cell.startswith(value),
        "contains": lambda: value in cell,
    }[op]()


def measure(world: World, metrics: Mapping[str, Metric], name: str) -> dict[tuple[str, str], Cell]:
    """One metric for every partner and quarter."""
    metric = metrics[name]
    out = {}
    for partner in world.tables["partners"]:
        for quarter in world.quarters:
            key = (partner["partner_id"], quarter.label)
            if isinstance(metric, RatioMetric):
                top, bottom = (
                    _sum([(term.startswith("-"), _simple(world, metrics[term.lstrip("-")], partner, quarter))
                          for term in terms])
                    for terms in (metric.numerator, metric.denominator)
                )  # fmt: skip
                out[key] = _ratio(metric, top, bottom)
                out[key].young = _young(world, metric, quarter) and out[key].value is not None
            else:
                out[key] = _with_enough(metric, _simple(world, metric, partner, quarter))
    return out


def _simple(world: World, metric: SimpleMetric, partner: Row, quarter: Quarter) -> Cell:
    hits = list(_hits(world, metric, partner, quarter))
    cell = Cell(_state(world, metric, partner, quarter, hits), None, len(hits), hits=hits)
    if cell.state == "value":
        cell.value = _aggregate(metric, hits)
    elif cell.state == "zero":
        cell.value = Decimal(0)
    last = quarter.shift(metric.shift_quarters)
    cell.young = _young(world, metric, last) and cell.value is not None
    if metric.in_progress is not None and cell.value is not None:
        under_way = list(_hits(world, metric, partner, quarter, under_way=True))
        if under_way and not any(hit.lost for hit in under_way):
            cell.in_progress = _aggregate(metric, under_way)
    return cell


def _young(world: World, metric: Metric, last: Quarter) -> bool:
    return metric.maturity_days > 0 and (world.as_of - last.last_day).days < metric.maturity_days


def _span(metric: SimpleMetric, quarter: Quarter) -> tuple[dt.date, dt.date]:
    """First and last day whose rows count."""
    last = quarter.shift(metric.shift_quarters)
    first = last
    for _ in range(metric.trailing_quarters - 1):
        first = first.shift(-1)
    return first.start, last.last_day


def _hits(world: World, metric: SimpleMetric, partner: Row, quarter: Quarter, under_way: bool = False) -> Iterator[Hit]:
    where = metric.in_progress.where if under_way else metric.where
    if metric.snapshot and not quarter.start <= world.as_of <= quarter.last_day:
        return
    for row in world.tables[metric.table]:
        day = _day_that_counts(world, metric, row, quarter, under_way)
        share = _share(world, metric, partner, row)
        if day is None or share is None or not holds(where, row):
            continue
        value = True if metric.of is None else row[metric.of]
        lost = False
        if metric.unit.kind == "money" and value is not None:
            rate = _rate(world, metric.unit.currency, row["currency"], quarter.start)
            lost = rate is None
            with localcontext() as context:
                context.prec = 60
                value = None if rate is None else value * rate
        if value is not None and metric.of is not None and "split" in (metric.credit, metric.sum):
            with localcontext() as context:
                context.prec = 60
                value = value * share
        yield Hit(row[KEYS[metric.table]], day, value, lost)


def _day_that_counts(world: World, metric: SimpleMetric, row: Row, quarter: Quarter, under_way: bool) -> dt.date | None:
    """The day by which a row belongs to the quarter; None when it does not."""
    first, last = _span(metric, quarter)
    if metric.existing_since:
        since = _date(row[metric.existing_since])
        if since is None or since >= first:
            return None
    if metric.nature == "level" and not under_way:
        at = min(quarter.last_day, world.as_of)
        at = first - dt.timedelta(days=1) if metric.read_at == "start" else at
        start, end = _date(row[metric.valid_from]), _date(row[metric.valid_to]) if metric.valid_to else None
        return start if start is not None and start <= at and (end is None or end >= at) else None
    day = _date(row[metric.in_progress.date if under_way else metric.date])
    return day if day is not None and first <= day <= last else None


def _date(cell: Any) -> dt.date | None:
    return cell.date() if isinstance(cell, dt.datetime) else cell


def _share(world: World, metric: SimpleMetric, partner: Row, row: Row) -> Decimal | None:
    """The largest share that the partner holds on the row by the credits that count; None for no credit."""
    if metric.scope == "programme":
        return Decimal(1)
    if metric.table not in CREDITED:
        return Decimal(1) if row["partner_id"] == partner["partner_id"] else None
    wanted = ("sourced",) if metric.credit == "sourced_only" else metric.credit_type
    shares = [
        credit["share"]
        for credit in world.tables["attributions"]
        if credit["subject_type"] == CREDITED[metric.table]
        and credit["subject_id"] == row[KEYS[metric.table]]
        and credit["partner_id"] == partner["partner_id"]
        and (not wanted or credit["credit_type"] in wanted)
        and (not metric.credit_method or credit["method"] in metric.credit_method)
        and (credit["status"] or "confirmed") in metric.credit_status
        and (metric.late or not credit["is_late"])
    ]
    return max(shares, default=None)


def _rate(world: World, into: str, currency: str | None, day: dt.date) -> Decimal | None:
    if currency == into:
        return Decimal(1)
    known = [pair for pair in world.rates.get(currency or "", ()) if pair[0] <= day] if into == world.currency else []
    return max(known)[1] if known else None


def _aggregate(metric: SimpleMetric, hits: Sequence[Hit]) -> Decimal | None:
    values = [hit.value for hit in hits if hit.value is not None]
    if not values:
        return None
    if metric.aggregate == "count":
        return Decimal(len(values))
    if metric.aggregate == "count_distinct":
        return Decimal(len(set(values)))
    if metric.aggregate in ("min", "max"):
        return Decimal({"min": min, "max": max}[metric.aggregate](values))
    if metric.aggregate == "median":
        ranked, half = sorted(values), len(values) // 2
        return Decimal(ranked[half]) if len(values) % 2 else (Decimal(ranked[half - 1]) + ranked[half]) / 2
    if metric.aggregate == "latest":
        return Decimal(max((hit.day, hit.key, hit.value) for hit in hits if hit.value is not None)[2])
    with localcontext() as context:
        context.prec = 60
        total = sum(values, Decimal(0))
    return total / len(values) if metric.aggregate == "average" else total


def _state(world: World, metric: SimpleMetric, partner: Row, quarter: Quarter, hits: Sequence[Hit]) -> str:
    if quarter.start > world.as_of:
        return "not_started"
    if not hits and partner["joined_on"] is not None and partner["joined_on"] >= quarter.end:
        return "not_started"
    if metric.snapshot and not quarter.start <= world.as_of <= quarter.last_day:
        return "unknown"
    if not _covered(world, metric, quarter) or any(hit.lost for hit in hits):
        return "unknown"
    if hits:
        return "unknown" if all(hit.value is None for hit in hits) else "value"
    sums_up = metric.aggregate in ("count", "count_distinct", "sum")
    return "zero" if sums_up or metric.when_missing == "zero" else "unknown"


def _covered(world: World, metric: SimpleMetric, quarter: Quarter) -> bool:
    table = metric.table
    if table in WRITTEN:
        return True
    if table not in world.covers or (table == "subscription_movements" and "service_links" not in world.covers):
        return False
    begin, end = _span(metric, quarter)
    first, last = world.covers[table]
    until = min(end, world.as_of)
    slack = world.tolerance if until == world.as_of else 0
    return first <= begin and last + dt.timedelta(days=slack) >= until


def _with_enough(metric: SimpleMetric, cell: Cell) -> Cell:
    known = sum(hit.value is not None for hit in cell.hits)
    if cell.state == "value" and known < metric.min_n:
        return Cell("unknown", None, cell.n, cell.in_progress, hits=cell.hits)
    return cell


def _sum(terms: Sequence[tuple[bool, Cell]]) -> Cell:
    """Cells added up, or taken off; one that is not known makes the sum not known."""
    n = sum(cell.n for _, cell in terms)
    for _, cell in terms:
        if cell.value is None:
            return Cell(cell.state, None, n)
    with localcontext() as context:
        context.prec = 60
        return Cell("value", sum((-cell.value if minus else cell.value for minus, cell in terms), Decimal(0)), n)


def _ratio(metric: RatioMetric, top: Cell, bottom: Cell) -> Cell:
    def cell(state: str, value: Decimal | None) -> Cell:
        return Cell(state, value, bottom.n, numerator=top.value, denominator=bottom.value)

    if bottom.value is None:
        return cell(bottom.state, None)
    if top.value is None:
        return cell(top.state, None)
    if bottom.value == 0 and metric.zero_denominator == "zero":
        return cell("zero", Decimal(0))
    if bottom.value == 0 or bottom.n < metric.min_n:
        return cell("unknown", None)
    quotient = top.value / bottom.value
    return cell("value", quotient if metric.scale is None else quotient * metric.scale)
