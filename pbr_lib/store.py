"""Canonical tables on disk, and the one connection to the engine; apart, because this is the only door to DuckDB.

Everything here can be made again from exports and params, so the folder may be deleted at any time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["connect", "write_tables"]


def connect(tables: Mapping[str, pa.Table]) -> ibis.BaseBackend:
    """DuckDB, embedded and locked, holding the normalised tables under their names.

    After loading it can neither read nor write files nor be told otherwise: defence in depth, since no
    text of a user ever becomes SQL.
    """
    connection = ibis.duckdb.connect()
    for name, table in tables.items():
        connection.create_table(name, table)
    connection.raw_sql("SET enable_external_access=false")
    connection.raw_sql("SET lock_configuration=true")
    return connection


def write_tables(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """One Parquet file for each table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        aside = folder / f".{name}.{os.getpid()}"
        pq.write_table(table, aside, compression="zstd")
        aside.replace(folder / f"{name}.parquet")
