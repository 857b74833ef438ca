"""Random definitions over random tables: the engine and the plain-Python oracle must agree to the last digit."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from statistics import median
from typing import Any

import ibis
import oracle
import small_world
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pbr_lib import metrics
from pbr_lib.definitions import (
    AllOf,
    AnyOf,
    Compare,
    Filter,
    InProgress,
    Metric,
    Not,
    RatioMetric,
    SimpleMetric,
    UnitSpec,
)
from pbr_lib.extracts import Extract
from pbr_lib.params import Rate
from pbr_lib.schema import TABLES, ColumnSpec

LABELS = ("2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4")
RATES = {
    "EUR": [(dt.date(2025, 1, 1), Decimal("1.08")), (dt.date(2026, 4, 1), Decimal("1.12345678"))],
    "GBP": [(dt.date(2026, 1, 1), Decimal("1.3")), (dt.date(2026, 7, 2), Decimal("9"))],
}
TABLE_NAMES = ("opportunities", "leads", "registrations", "certifications", "surveys", "subscription_movements")
TABLE_NAMES += ("manual_facts",)
SEEDS = range(4)
QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # each example measures a small world; shrinking one takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def world(seed: int) -> tuple[dict[str, list[dict[str, Any]]], ibis.BaseBackend]:
    """The rows of a seed, and an engine that holds them."""
    tables = {
        name: [{column: row.get(column) for column in TABLES[name].names} for row in rows]
        for name, rows in small_world.random_tables(seed).items()
    }
    return tables, small_world.connect(tables)


# ------------------------------------------------------------------------------------------ strategies


def literals(column: ColumnSpec, rows: list[dict[str, Any]]) -> st.SearchStrategy[Any]:
    """Values to compare a column with: some that occur in it, some that do not."""
    held = [row[column.name] for row in rows]
    held = sorted({cell.date() if isinstance(cell, dt.datetime) else cell for cell in held if cell is not None})
    strange: list[Any] = {
        "text": ["x' OR 1=1 --", "'; DROP TABLE leads; --", "%", "_", "o", "nowhere"],
        "bool": [True, False],
        "date": [dt.date(1999, 1, 1), dt.date(2026, 6, 30)],
        "timestamp": [dt.date(1999, 1, 1), dt.date(2026, 6, 30)],
    }.get(column.kind, [0, Decimal("0.00001"), Decimal("1234.56789"), -5, Decimal("1E+3")])
    return st.sampled_from([*held, *strange])


def leaves(table: str, rows: list[dict[str, Any]]) -> st.SearchStrategy[Filter]:
    """One comparison, by any operator that the grammar allows for the column."""

    def of(column: ColumnSpec) -> st.SearchStrategy[Filter]:
        values = literals(column, rows)
        several = st.lists(values, min_size=1, max_size=3).map(tuple)
        single = ["is", "is_not"] + ([] if column.kind == "bool" else ["gt", "gte", "lt", "lte"])
        single += ["starts_with", "contains"] if column.kind == "text" else []
        out = [
            st.builds(Compare, st.just(column.name), st.sampled_from(single), values),
            st.builds(Compare, st.just(column.name), st.just("is_null"), st.booleans()),
        ]
        if column.kind != "bool":
            pairs = st.tuples(values, values)
            out.append(st.builds(Compare, st.just(column.name), st.sampled_from(["in", "not_in"]), several))
            out.append(st.builds(Compare, st.just(column.name), st.just("between"), pairs))
        return st.one_of(out)

    return st.sampled_from(TABLES[table].columns).flatmap(of)


def filters(table: str, rows: list[dict[str, Any]]) -> st.SearchStrategy[Filter]:
    """Nested filters."""
    several = {"min_size": 1, "max_size": 3}
    deeper = st.recursive(
        leaves(table, rows),
        lambda inner: st.one_of(
            st.lists(inner, **several).map(lambda items: AllOf(tuple(items))),
            st.lists(inner, **several).map(lambda items: AnyOf(tuple(items))),
            inner.map(Not),
        ),
        max_leaves=5,
    )
    return st.one_of(st.just(AllOf()), deeper)


@st.composite
def simple_metrics(draw: st.DrawFn, seed: int, table: str = "") -> SimpleMetric:
    """A metric that the catalogue would let through."""
    table = table or draw(st.sampled_from(TABLE_NAMES))
    spec, rows = TABLES[table], world(seed)[0][table]
    where = filters(table, rows)
    dates = [column.name for column in spec.columns if column.kind in ("date", "timestamp")]
    numbers = [column for column in spec.columns if column.kind in ("money", "number", "integer")]
    aggregates = ["count", "count_distinct"] + (
        ["sum", "sum", "average", "median", "min", "max", "latest"] if numbers else []
    )
    facts: dict[str, Any] = {"label": "m", "table": table, "aggregate": draw(st.sampled_from(aggregates))}
    facts["where"], facts["unit"] = draw(where), UnitSpec(kind="count")
    if facts["aggregate"] == "count_distinct":
        facts["of"] = draw(st.sampled_from(spec.names))
    elif facts["aggregate"] != "count":
        of = draw(st.sampled_from(numbers))
        money = of.kind == "money"
        facts["of"], facts["unit"] = (
            of.name,
            UnitSpec(kind="money", currency="USD") if money else UnitSpec(kind="number"),
        )
    facts |= draw(windows(dates))
    if draw(st.integers(0, 4)) == 0:
        facts["scope"] = "programme"
    elif spec.credited:
        kinds = st.lists(st.sampled_from(["sourced", "influenced", "resold"]), unique=True, max_size=2)
        ways = [{}, {"credit": "full"}, {"credit": "sourced_only"}, {"sum": "gross"}, {"sum": "distinct"}]
        ways += [{"credit": "split"}, {"sum": "split"}] * 2 if facts["aggregate"] == "sum" else []
        facts |= {"credit_type": tuple(draw(kinds)), **draw(st.sampled_from(ways))}
        facts["credit_status"] = draw(st.sampled_from([("confirmed",), ("confirmed",), ("confirmed", "claimed")]))
        facts["credit_method"] = draw(st.sampled_from([(), (), ("campaign",), ("campaign", "field")]))
        facts["late"] = draw(st.booleans())
    if draw(st.booleans()):
        facts["in_progress"] = InProgress(where=draw(where), date=draw(st.sampled_from(dates)))
    facts["maturity_days"] = draw(st.sampled_from([0, 0, 10, 100]))
    facts |= {"min_n": draw(st.integers(1, 3)), "when_missing": draw(st.sampled_from(["unknown", "zero"]))}
    return SimpleMetric(**facts)


@st.composite
def windows(draw: st.DrawFn, dates: list[str]) -> dict[str, Any]:
    """How a metric lies in time: a flow over a window, or a level on a day."""
    facts: dict[str, Any] = {"snapshot": draw(st.integers(0, 5)) == 0}
    facts["existing_since"] = draw(st.sampled_from([None, None, *dates]))
    trailing = draw(st.sampled_from([1, 1, 2, 4]))
    if draw(st.integers(0, 3)):
        shift = draw(st.sampled_from([0, 0, 1, 2]))
        return facts | {"date": draw(st.sampled_from(dates)), "trailing_quarters": trailing, "shift_quarters": shift}
    facts |= {"nature": "level", "valid_from": draw(st.sampled_from(dates))}
    facts["valid_to"] = draw(st.sampled_from([None, *dates]))
    at_start = draw(st.booleans())
    return facts | ({"read_at": "start", "trailing_quarters": trailing} if at_start else {})


@st.composite
def terms(draw: st.DrawFn, defined: dict[str, Metric]) -> tuple[str, ...]:
    """What stands above or below a line: one metric, or several counts and sums with their signs."""
    additive = [
        name for name, metric in sorted(defined.items()) if isinstance(metric, SimpleMetric) and metric.additive
    ]
    if not additive or draw(st.booleans()):
        return (draw(st.sampled_from(sorted(defined))),)
    names = draw(st.lists(st.sampled_from(additive), min_size=1, max_size=3))
    return tuple(draw(st.sampled_from(["", "", "-"])) + name for name in names)


@st.composite
def coverages(draw: st.DrawFn, as_of: dt.date) -> dict[str, tuple[dt.date, dt.date]]:
    """What the exports cover: mostly everything, sometimes from too late, to too early, or nothing."""
    out = {}
    for table in (*TABLE_NAMES, "service_links"):
        first = draw(st.sampled_from([dt.date(2025, 1, 1)] * 3 + [dt.date(2026, 4, 1), dt.date(2026, 4, 2)]))
        late = draw(st.sampled_from([0, 0, 0, 14, 15, 100]))
        if draw(st.integers(0, 5)):
            out[table] = (first, as_of - dt.timedelta(days=late))
    return out


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, dict[str, Metric], dt.date, dict[str, tuple[dt.date, dt.date]]]:
    """A seed, two metrics and a ratio, a day, and what the exports cover."""
    seed = draw(st.sampled_from(SEEDS))
    defined: dict[str, Metric] = {f"m{i}": draw(simple_metrics(seed)) for i in range(2)}
    defined["ratio"] = RatioMetric(
        type="ratio",
        label="r",
        numerator=draw(terms(defined)),
        denominator=draw(terms(defined)),
        scale=draw(st.sampled_from([None, None, Decimal("0.5"), Decimal(100)])),
        maturity_days=draw(st.sampled_from([0, 0, 50])),
        min_n=draw(st.integers(1, 3)),
        zero_denominator=draw(st.sampled_from(["unknown", "zero"])),
        unit=UnitSpec(kind="percent"),
    )
    as_of = draw(st.sampled_from([dt.date(2026, 9, 4), dt.date(2026, 6, 30), dt.date(2026, 7, 1)]))
    return seed, defined, as_of, draw(coverages(as_of))


# ----------------------------------------------------------------------------------------------- laws


@QUICK
@given(cases())
def test_engine_and_oracle_agree(case: Any) -> None:
    """Value, state, n, in progress, and numerator and denominator are the same to the last digit."""
    seed, defined, as_of, covers = case
    tables, connection = world(seed)
    quarters = tuple(small_world.quarter(label) for label in LABELS)
    rates = tuple(Rate(c, "USD", "plan", day, rate) for c, pairs in RATES.items() for day, rate in pairs)
    extracts = tuple(Extract(t, t, f"{t}.csv", "", last, first) for t, (first, last) in covers.items())
    window = metrics.Window(quarters, as_of, "USD", rates, extracts)
    whole = oracle.World(tables, quarters, as_of, "USD", RATES, covers)
    for name, measured in metrics.measure(connection, defined, window).items():
        expected = oracle.measure(whole, defined, name)
        assert len(measured.values) == len(expected)
        for row in measured.values.itertuples(index=False):
            cell = expected[row.partner_id, row.period_id]
            got = (row.state, row.value, row.n, row.in_progress, row.numerator, row.denominator)
            wanted = (cell.state, cell.value, cell.n, cell.in_progress, cell.numerator, cell.denominator)
            assert got == wanted, (name, row.partner_id, row.period_id, defined[name])
            assert bool(row.reason) == (row.state in ("unknown", "not_started") or cell.young) or row.state == "zero"
            assert measured.cell(row.partner_id, row.period_id).value == row.value
        _check_evidence(measured, defined, name, expected)


def _check_sums(evidence: Any, defined: dict[str, Metric], metric: RatioMetric, expected: dict[Any, Any]) -> None:
    """Of a ratio of counts and sums the records above and below add up to numerator and denominator."""
    for role, names in (("numerator", metric.numerator), ("denominator", metric.denominator)):
        parts = [defined[name.lstrip("-")] for name in names]
        if all(isinstance(part, SimpleMetric) and part.additive and part.scope == "partner" for part in parts):
            rows = evidence[evidence["role"] == role]
            assert not rows.duplicated(["partner_id", "period_id", "record_id", "table"]).any()
            for (partner, period), cell in expected.items():
                mine = rows[(rows["partner_id"] == partner) & (rows["period_id"] == period)]
                whole = getattr(cell, role)
                counts = [value for value in mine["counts"] if value is not None]
                assert whole is None or sum(counts, Decimal(0)) == whole


def _check_evidence(
    measured: metrics.Measurement, defined: dict[str, Metric], name: str, expected: dict[Any, oracle.Cell]
) -> None:
    """The records listed are those that count, and what they count adds up to the value."""
    metric = defined[name]
    evidence = measured.evidence([small_world.quarter(label) for label in LABELS])
    if isinstance(metric, RatioMetric):
        assert set(evidence["role"]) <= {"numerator", "denominator"}
        _check_sums(evidence, defined, metric, expected)
        return
    if metric.scope == "programme":
        assert evidence.empty
        return
    actual = evidence[evidence["role"] == "actual"]
    for (partner, period), cell in expected.items():
        mine = actual[(actual["partner_id"] == partner) & (actual["period_id"] == period)]
        assert sorted(mine["record_id"]) == sorted(hit.key for hit in cell.hits)
        counts = [value for value in mine["counts"] if value is not None]
        if cell.value is not None and metric.aggregate in ("count", "count_distinct", "sum", "latest"):
            assert sum(counts, Decimal(0)) == cell.value
        if cell.state == "value" and metric.aggregate in ("min", "max"):
            assert cell.value in counts
        if cell.state == "value" and metric.aggregate == "median":
            assert cell.value == median(counts)


@settings(QUICK, max_examples=100)
@given(st.data())
def test_a_filter_and_its_complement_part_the_table(data: st.DataObject) -> None:
    """n(f) + n(not f) = n(all), with the very rows that plain Python lets through."""
    seed, table = data.draw(st.sampled_from(SEEDS)), data.draw(st.sampled_from(TABLE_NAMES))
    tables, connection = world(seed)
    node = data.draw(filters(table, tables[table]))
    key = oracle.KEYS[table]
    inside, outside = metrics.select(connection, table, node), metrics.select(connection, table, Not(node))
    assert inside | outside == {row[key] for row in tables[table]}
    assert not inside & outside
    assert inside == {row[key] for row in tables[table] if oracle.holds(node, row)}
