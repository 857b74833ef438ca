"""The one connection to the engine, holding the normalised tables; apart, because this is the only door to DuckDB.

Everything here can be made again from exports and params, so the folder may be deleted at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import pyarrow as pa

from pbr_lib.canonical import Tables

__all__ = ["connect"]

_IN_MEMORY = 500_000


def connect(tables: Mapping[str, pa.Table], names: Iterable[str] | None = None) -> ibis.BaseBackend:
    """DuckDB, embedded and locked, holding the normalised tables under their names: all of them, or those ``names``.

    Small tables stand in memory; one of more than half a million rows is read from its Parquet file, column by
    column. After loading the engine can neither read nor write any other file nor be told otherwise: defence in
    depth, since no text of a user ever becomes SQL.
    """
    connection = ibis.duckdb.connect()
    paths: list[str] = []
    for name in tables if names is None else names:
        if isinstance(tables, Tables) and tables.rows(name) > _IN_MEMORY:
            connection.read_parquet(tables.path(name), table_name=name)
            paths.append(str(tables.path(name)))
        else:
            connection.create_table(name, tables[name])
    if paths:
        listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
        connection.raw_sql(f"SET allowed_paths=[{listed}]")
    connection.raw_sql("SET enable_external_access=false")
    connection.raw_sql("SET lock_configuration=true")
    return connection
