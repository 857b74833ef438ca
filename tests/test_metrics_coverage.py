"""When a zero may be asserted, and which rows a filter lets through."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import small_world
import tiny_workbook
from small_world import CALENDAR, Q3, deal, leads, measure, partner, quarter, revenue, row

from pbr_lib import metrics, params
from pbr_lib.definitions import AllOf, Compare, Not
from pbr_lib.errors import ParamsError
from pbr_lib.extracts import Extract
from pbr_lib.metrics import Window
from pbr_lib.params import Rate

# ------------------------------------------------------------------------------------------- coverage


def test_a_missing_export_is_unknown_and_never_zero() -> None:
    """Acceptance case 19: without the training export nobody has zero certified people."""
    tables = {"partners": [partner("A")]}
    measured = measure(tables, absent=["leads"], leads=leads(), revenue=revenue())
    assert tuple(row(measured["leads"], "A")[["state", "value"]]) == ("unknown", None)
    assert tuple(row(measured["revenue"], "A")[["state", "value"]]) == ("zero", 0)


def extract(first: str, last: str | None, source: str = "crm") -> Extract:
    """An export of leads that covers those days."""
    day = dt.date.fromisoformat
    return Extract(source, "leads", f"{source}.csv", source, None if last is None else day(last), day(first))


@pytest.mark.parametrize(
    ("extracts", "reason"),
    [
        ([extract("2026-07-01", "2026-09-04")], ""),
        ([extract("2026-07-02", "2026-09-04")], "the export of leads begins on 2 Jul 2026"),
        ([extract("2026-07-01", "2026-08-21")], ""),
        ([extract("2026-07-01", "2026-08-20")], "the export of leads ends on 20 Aug 2026"),
        ([], "no export of leads was provided"),
        ([extract("2026-07-01", None)], "no export of leads was provided"),
        ([extract("2026-07-01", "2026-09-04"), extract("2026-07-01", None, "north")],
         "the export north was not provided"),
        ([extract("2020-01-01", "2026-07-31", "archive"), extract("2026-08-01", "2026-09-04")], ""),
        ([extract("2020-01-01", "2026-07-15", "archive"), extract("2026-07-10", "2026-09-04")], ""),
        ([extract("2020-01-01", "2026-07-31", "archive"), extract("2026-08-02", "2026-09-04")],
         "the export of leads begins on 2 Aug 2026"),
        ([extract("2024-01-01", "2026-06-30", "north"), extract("2024-01-01", "2026-09-04", "south")],
         "the export of leads ends on 30 Jun 2026"),
        ([extract("2024-01-01", "2026-09-04", "north"), extract("2026-07-15", "2026-09-04", "south")],
         "the export of leads begins on 15 Jul 2026"),
    ],
)  # fmt: skip
def test_a_zero_needs_exports_that_cover_the_quarter(extracts: list[Extract], reason: str) -> None:
    """From the first day to the as-of day less the tolerance; one archive may hand over, regions may not lag."""
    window = Window((quarter(Q3),), dt.date(2026, 9, 4), "USD", (), tuple(extracts))
    assert window.gap("leads", quarter(Q3)) == reason


def test_a_past_quarter_needs_its_last_day() -> None:
    """The tolerance is for the running quarter only: a quarter that is over is covered to its end or not."""
    window = Window((), dt.date(2026, 9, 4), "USD", (), (extract("2026-01-01", "2026-06-29"),))
    assert window.gap("leads", quarter("2026-Q2")) == "the export of leads ends on 29 Jun 2026"


def test_what_has_not_begun_is_neither_zero_nor_unknown() -> None:
    """A quarter after the as-of day, and quarters before a partner joined, have not started."""
    tables = {"partners": [partner("A"), partner("B", joined_on=dt.date(2026, 7, 1))]}
    frame = measure(tables, ("2026-Q2", Q3, "2026-Q4"), m=leads())["m"].values
    states = frame.pivot(index="partner_id", columns="period_id", values="state")
    wanted = [["zero", "zero", "not_started"], ["not_started", "zero", "not_started"]]
    pd.testing.assert_frame_equal(
        states, pd.DataFrame(wanted, states.index, states.columns, dtype=states.dtypes.iloc[0])
    )


# -------------------------------------------------------------------------------------------- filters


def test_an_injected_literal_stays_a_literal() -> None:
    """A value that looks like SQL finds the row that holds it, and nothing else happens."""
    evil = "x' OR 1=1 --"
    tables = {"partners": [partner("A", tier=evil), partner("B", tier="Gold"), partner("C", tier=None)]}
    connection = small_world.connect(tables)
    found = {
        op: metrics.select(connection, "partners", Compare("tier", op, evil))
        for op in ("is", "starts_with", "contains")
    }
    assert all(keys == {"A"} for keys in found.values())
    assert metrics.select(connection, "partners", Compare("tier", "is_not", evil)) == {"B", "C"}


@pytest.mark.parametrize("literal", ["0.1234", "123.45", "0.00001", "1E+3", "-0"])
def test_decimals_are_compared_to_the_last_digit(literal: str) -> None:
    """No literal is cut to fewer places than it has."""
    amount = Decimal(literal).quantize(Decimal("0.0001"))
    tables = {
        "partners": [partner("A")],
        "opportunities": [deal("O1", str(amount)), deal("O2", str(amount + Decimal("0.0001")))],
    }
    connection = small_world.connect(tables)
    at_most = metrics.select(connection, "opportunities", Compare("amount", "lte", Decimal(literal)))
    within = metrics.select(
        connection, "opportunities", Compare("amount", "between", (Decimal(literal), Decimal(literal)))
    )
    exact = amount == Decimal(literal)
    assert at_most == {"O1"}
    assert within == ({"O1"} if exact else set())


def test_an_empty_filter_lets_everything_through() -> None:
    """No filter is one that always holds, and its complement never does."""
    connection = small_world.connect({"partners": [partner("A"), partner("B")]})
    assert metrics.select(connection, "partners", AllOf()) == {"A", "B"}
    assert metrics.select(connection, "partners", Not(AllOf())) == set()


def test_plan_rates_take_the_newest_of_the_day() -> None:
    """Of several plan rates the newest that is valid counts; the target's own rate is always one."""
    rates = [Rate("EUR", "USD", "plan", dt.date(year, 1, 1), Decimal(year)) for year in (2027, 2025, 2026)]
    rates.append(Rate("USD", "USD", "plan", dt.date(2020, 1, 1), Decimal(9)))
    found = {rate.currency: rate.rate for rate in metrics.plan_rates(rates, "USD", CALENDAR.parse(Q3).start)}
    assert found == {"USD": 1, "EUR": 2026}


# -------------------------------------------------------------------------------------------- refusals


def test_what_cannot_be_measured_is_refused_when_params_are_read(tmp_path: Path) -> None:
    """A table whose rows belong to no partner, and a rate finer than the engine keeps, are named with a remedy."""
    metric = "  acc: {label: A, table: accounts, aggregate: count, date: created_at, unit: {kind: count}}\n"
    root = tiny_workbook.write(tmp_path, tiny_workbook.usual(), metrics=tiny_workbook.METRICS + metric)
    rates = "currency,to_currency,kind,valid_from,rate,source\nJPY,USD,plan,2026-01-01,0.006789123,budget\n"
    tiny_workbook.put(root, "params/rates.csv", rates)
    with pytest.raises(ParamsError) as caught:
        params.read(root)
    accounts, rate = caught.value.errors
    assert "rows of accounts belong to no partner" in accounts.what
    assert "opportunities" in accounts.fix
    assert rate.what == "0.006789123 has more than eight decimals"
    assert rate.where.startswith("params/rates.csv, row 2")
