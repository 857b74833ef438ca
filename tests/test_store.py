"""The engine is locked and the tables on disk are what was read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pbr_lib import store

TABLE = pa.table({"key": ["a", "b"], "amount": pa.array([Decimal("1.5000"), None], pa.decimal128(18, 4))})


def test_tables_come_back_with_their_types() -> None:
    """Decimals stay decimals and nulls stay nulls inside the engine."""
    found = store.connect({"rows": TABLE}).table("rows").order_by("key").to_pyarrow()
    assert found.to_pylist() == TABLE.to_pylist()
    assert found.schema.field("amount").type == pa.decimal128(18, 4)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "COPY rows TO '{file}'",
        "ATTACH '{file}' AS other",
        "SET enable_external_access=true",
        "SET lock_configuration=false",
        "INSTALL httpfs",
    ],
)
def test_the_engine_reaches_no_file_and_cannot_be_unlocked(statement: str, tmp_path: Path) -> None:
    """After loading, neither reading nor writing files nor changing that is possible."""
    file = tmp_path / "secret.csv"
    file.write_text("a,b\n1,2\n")
    connection = store.connect({"rows": TABLE})
    with pytest.raises(duckdb.Error):
        connection.raw_sql(statement.format(file=file))
    assert file.read_text() == "a,b\n1,2\n"


def test_two_connections_know_nothing_of_each_other() -> None:
    """Each run has an engine of its own."""
    first, second = store.connect({"rows": TABLE}), store.connect({"others": TABLE})
    assert first.raw_sql("SHOW TABLES").fetchall() == [("rows",)]
    assert second.raw_sql("SHOW TABLES").fetchall() == [("others",)]
