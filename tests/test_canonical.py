"""Normalised tables on disk and in memory keep their contract."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from pbr_lib import canonical
from pbr_lib.canonical import Tables
from pbr_lib.schema import TABLES


@pytest.mark.parametrize("name", list(TABLES))
def test_a_table_is_whole_however_little_is_given(name: str) -> None:
    """Every column in its order with its type, nulls where nothing was given."""
    spec = TABLES[name]
    table = canonical.whole(spec, pa.table({spec.key: ["k"]}))
    assert table.schema.equals(canonical.schema_of(spec))
    assert table[spec.key].to_pylist() == ["k"]
    assert canonical.empty(spec).schema.equals(table.schema)


def test_tables_on_disk_are_read_by_name_and_by_column(tmp_path: Path) -> None:
    """A table without a file is empty; the number of rows is known without reading them."""
    spec = TABLES["opportunities"]
    rows = pa.table({"opportunity_id": ["a", "b"], "amount": [Decimal("1.5"), None]})
    pieces = [canonical.whole(spec, rows.slice(0, 1)), canonical.whole(spec, rows.slice(1))]
    assert canonical.write(tmp_path / "opportunities.parquet", pieces, canonical.schema_of(spec)) == 2
    tables = Tables(tmp_path)
    assert set(tables) == set(TABLES)
    assert tables.rows("opportunities") == 2
    assert tables["opportunities"]["amount"].to_pylist() == [Decimal("1.5"), None]
    assert tables.select("opportunities", ["opportunity_id"]).column_names == ["opportunity_id"]
    assert canonical.column(tables, "opportunities", "opportunity_id").to_pylist() == ["a", "b"]
    assert (tables.rows("leads"), len(tables["leads"])) == (0, 0)
    assert tables.select("leads", ["lead_id"]).column_names == ["lead_id"]
    assert [path.name for path in tmp_path.iterdir()] == ["opportunities.parquet"]


def test_one_column_of_tables_in_memory() -> None:
    """The same call serves tables that are not on disk."""
    assert canonical.column({"leads": pa.table({"lead_id": ["x"]})}, "leads", "lead_id").to_pylist() == ["x"]
