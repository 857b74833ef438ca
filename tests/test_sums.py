"""Sums of one table, held against the CRM's own report: exact, by currency, and nothing left out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import canonical, sums
from pbr_lib.periods import Calendar
from pbr_lib.schema import TABLES

_ROW = st.tuples(
    st.sampled_from(["won", "lost", "open_early"]),
    st.one_of(st.none(), st.decimals(-(10**6), 10**9, places=4)),
    st.sampled_from(["USD", "EUR", None]),
    st.one_of(st.none(), st.dates(dt.date(2025, 1, 1), dt.date(2026, 12, 31))),
)


def table(rows: list[tuple[str, Decimal | None, str | None, dt.date | None]]) -> pa.Table:
    """Opportunities of these stages, amounts, currencies and closing days."""
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    plain = pa.table(
        {
            "opportunity_id": [str(i) for i in range(len(rows))],
            "stage": pa.array(columns[0], pa.string()),
            "amount": pa.array(columns[1], pa.decimal128(18, 4)),
            "currency": pa.array(columns[2], pa.string()),
            "close_date": pa.array(columns[3], pa.date32()),
        }
    )
    return canonical.whole(TABLES["opportunities"], plain)


@given(st.lists(_ROW, max_size=30))
def test_every_row_and_cent_is_in_exactly_one_line(
    rows: list[tuple[str, Decimal | None, str | None, dt.date | None]],
) -> None:
    """Whatever the grouping, counts and amounts add up to the whole."""
    whole = table(rows)
    found = sums.by("opportunities", whole, whole["stage"])
    assert sum(line[2] for line in found) == len(rows)
    assert sum((line[3] or Decimal(0)) for line in found) == sum((row[1] or Decimal(0)) for row in rows)


def test_the_lines_name_stage_quarter_and_currency() -> None:
    """Won deals by quarter stand apart; each currency has its own line."""
    rows = [
        ("won", Decimal("10.50"), "USD", dt.date(2026, 7, 1)),
        ("won", Decimal("2"), "EUR", dt.date(2026, 9, 30)),
        ("lost", Decimal("7"), "USD", None),
    ]
    lines = list(sums.summed("opportunities", table(rows), Calendar()))
    assert "  won, by quarter of close_date" in lines
    assert any(line.split() == ["2026-Q3", "1", "10.50", "USD"] for line in lines)
    assert any(line.split() == ["2026-Q3", "1", "2.00", "EUR"] for line in lines)
    assert any(line.split() == ["(none)", "1", "7.00", "USD"] for line in lines)


def test_a_table_without_money_is_counted() -> None:
    """Leads have states and days, and no amounts."""
    leads = pa.table({"lead_id": ["a", "b"], "status": ["new", "new"], "created_at": [dt.datetime(2026, 7, 1), None]})
    lines = list(sums.summed("leads", canonical.whole(TABLES["leads"], leads), Calendar()))
    assert any(line.split() == ["new", "2"] for line in lines)
    assert any(line.split() == ["2026-Q3", "1"] for line in lines)
