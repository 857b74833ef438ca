"""Normalised tables as Arrow and as Parquet files; apart, because the ingest writes them and the engine reads them.

A table of the model always has every column of its schema, in its order and with its type, however little an
export fills. On disk a table is one Parquet file, and whoever needs three of its columns reads three.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pbr_lib.schema import TABLES, TableSpec

__all__ = ["ARROW_TYPES", "Tables", "column", "empty", "read", "schema_of", "whole", "write"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "money": pa.decimal128(18, 4),
    "number": pa.decimal128(18, 6),
    "integer": pa.int64(),
    "bool": pa.bool_(),
}
_LEVEL = 1  # zstd at its fastest: these files live as long as their exports do


def schema_of(spec: TableSpec) -> pa.Schema:
    """The Arrow schema of a normalised table."""
    return pa.schema([(column.name, ARROW_TYPES[column.kind]) for column in spec.columns])


def empty(spec: TableSpec) -> pa.Table:
    """A table without rows."""
    return schema_of(spec).empty_table()


def whole(spec: TableSpec, table: pa.Table) -> pa.Table:
    """``table`` with every column of its schema, nulls where it has none."""
    have = set(table.column_names)
    columns = [
        table[field.name].cast(field.type) if field.name in have else pa.nulls(len(table), field.type)
        for field in schema_of(spec)
    ]
    return pa.table(columns, schema=schema_of(spec))


def column(tables: Mapping[str, pa.Table], table: str, name: str) -> pa.ChunkedArray:
    """One column of one table, read alone where the tables lie on disk."""
    return tables.select(table, [name])[name] if isinstance(tables, Tables) else tables[table][name]


def write(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
    """One Parquet file of several pieces, there whole or not at all. Returns the number of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    rows = 0
    with pq.ParquetWriter(aside, schema, **_options(schema)) as writer:
        for table in tables:
            writer.write_table(table)
            rows += len(table)
    aside.replace(path)
    return rows


def read(path: Path, spec: TableSpec, columns: list[str] | None = None) -> pa.Table:
    """The rows of a source, with nulls in what its export does not fill: all columns, or those named."""
    there = pq.read_schema(path).names
    table = pq.read_table(path, columns=None if columns is None else [name for name in columns if name in there])
    if columns is None:
        return whole(spec, table)
    for missing in schema_of(spec):
        if missing.name in columns and missing.name not in there:
            table = table.append_column(missing, pa.nulls(len(table), missing.type))
    return table


def _options(schema: pa.Schema) -> dict[str, Any]:
    """No dictionary for what is different in each row, and bounds only where a reader looks for one partner."""
    wide = (pa.types.is_decimal, pa.types.is_timestamp, pa.types.is_integer)
    apart = {field.name for field in schema if any(test(field.type) for test in wide)}
    apart |= {schema.names[0], "src_id", "name"}
    return {
        "compression": "zstd",
        "compression_level": _LEVEL,
        "use_dictionary": [name for name in schema.names if name not in apart],
        "write_statistics": [name for name in schema.names if name == "partner_id"],
    }


class Tables(Mapping[str, pa.Table]):
    """The normalised tables of one state of the exports, as Parquet files that are read when they are asked for.

    Parameters
    ----------
    folder:
        Holds ``<table>.parquet``; a table without a file is empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> pa.Table:
        return self.select(name)

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)

    def path(self, name: str) -> Path:
        """Where a table lies."""
        return self.folder / f"{TABLES[name].name}.parquet"

    def rows(self, name: str) -> int:
        """How many rows a table has, without reading them."""
        path = self.path(name)
        return int(pq.read_metadata(path).num_rows) if path.is_file() else 0

    def select(self, name: str, columns: Iterable[str] | None = None) -> pa.Table:
        """A table, or some of its columns."""
        path = self.path(name)
        wanted = None if columns is None else list(columns)
        if path.is_file():
            return pq.read_table(path, columns=wanted)
        nothing = empty(TABLES[name])
        return nothing if wanted is None else nothing.select(wanted)
