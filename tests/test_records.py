"""Records as plain rows: which columns they show, how numbers and days are written, and ids of several tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import small_world
from hypothesis import given
from hypothesis import strategies as st
from small_world import COUNT, Q3, USD, credit, deal, measure, partner, quarter, revenue

from pbr_lib import records
from pbr_lib.definitions import RatioMetric, SimpleMetric, UnitSpec
from pbr_lib.dossier import plain
from pbr_lib.schema import TABLES


@given(st.lists(st.none() | st.decimals(-(10**9), 10**9, places=16), max_size=6))
def test_numbers_are_written_as_everywhere_else(numbers: list[Decimal | None]) -> None:
    """Arrow's way of writing a decimal gives the same text as Python's, noughts and exponents included."""
    column = pa.chunked_array([pa.array(numbers, pa.decimal128(38, 16))])
    assert records.plain_column(column) == [None if number is None else plain(number + 0) for number in numbers]


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([dt.date(2026, 9, 4), None], pa.date32(), ["2026-09-04", None]),
        ([dt.datetime(2026, 9, 4, 12, 30)], pa.timestamp("us"), ["2026-09-04T12:30:00"]),
        (["=1+1", "", None], pa.string(), ["=1+1", "", None]),
        ([Decimal(100), Decimal(0)], pa.decimal128(18, 0), ["100", "0"]),
    ],
)
def test_other_columns_stay_what_they_are(values: list[Any], kind: pa.DataType, texts: list[Any]) -> None:
    """Days in the order year, month, day; text untouched; whole numbers keep their noughts."""
    assert records.plain_column(pa.chunked_array([pa.array(values, kind)])) == texts


@pytest.mark.parametrize("table", sorted(TABLES))
def test_what_a_list_shows_is_in_its_table(table: str) -> None:
    """Every column shown exists, under the name of the list or the one that the table gives it."""
    called = [records._CALLED.get((table, name), name) for name in records.fields(table)]
    assert set(called) <= set(TABLES[table].names)


def tables() -> dict[str, Any]:
    """A deal and a claim that have the same id."""
    claim = {"claim_id": "1", "partner_id": "A", "status": "paid", "paid_amount": Decimal(5), "currency": "USD"}
    return {
        "partners": [partner("A"), partner("B")],
        "opportunities": [deal("1", "50"), deal("2", "7")],
        "attributions": [credit("1", "A"), credit("2", "B")],
        "mdf_claims": [claim | {"paid_on": dt.date(2026, 8, 2)}],
    }


def test_records_of_one_table_keep_their_ids() -> None:
    """One row for each record with its columns, in the order of partners."""
    measured = measure(tables(), won=revenue())["won"]
    first, second = records.listed(measured.records([quarter(Q3)]), small_world.arrow(tables()))
    assert first == {
        "name": "Deal 1", "account_name": None, "source_stage": None, "amount": "50", "currency": "USD",
        "id": "1", "role": "actual", "day": "2026-08-20", "counts": "50",
    }  # fmt: skip
    assert second["id"] == "2"


def test_records_of_several_tables_name_their_table() -> None:
    """Two tables may use one id; every row has the columns of both, so that a list can be drawn of them."""
    spent = SimpleMetric(label="S", table="mdf_claims", aggregate="sum", of="paid_amount", date="paid_on", unit=USD)
    per = RatioMetric(type="ratio", label="r", numerator="won", denominator="spent", unit=UnitSpec(kind="number"))
    measured = measure(tables(), won=revenue(), spent=spent, per=per)["per"]
    rows = records.listed(measured.records([quarter(Q3)]), small_world.arrow(tables()))
    assert [(row["id"], row["role"], row["counts"]) for row in rows] == [
        ("claim 1", "denominator", "5"), ("opportunity 1", "numerator", "50"), ("opportunity 2", "numerator", "7"),
    ]  # fmt: skip
    assert {tuple(sorted(row)) for row in rows} == {tuple(sorted(rows[0]))}
    assert (rows[0]["status"], rows[0]["name"], rows[1]["status"]) == ("paid", None, None)


def test_no_hits_are_no_rows() -> None:
    """An empty quarter has an empty list, whatever the metric."""
    count = revenue(aggregate="count", of=None, unit=COUNT)
    measured = measure({"partners": [partner("A")]}, won=count)["won"]
    assert records.listed(measured.records([quarter(Q3)]), small_world.arrow({})) == []
