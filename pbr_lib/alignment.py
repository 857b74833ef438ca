"""Ids of one record in their two lengths, brought to one; apart, because a report gives fifteen characters and an
API export eighteen, and rows of two exports must still find each other.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib import cell_ids
from pbr_lib.schema import TABLES

__all__ = ["aligned"]

_SHORT = "^[0-9A-Za-z]{15}$"


def aligned(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables with short Salesforce ids completed where they refer to a key that stands there in full.

    A reference of fifteen characters becomes its eighteen only if the table that it points to holds exactly that
    key; anything else stays as it was exported. References to partners are the crosswalk's.
    """
    out = dict(tables)
    for name, table in tables.items():
        for column in TABLES[name].columns:
            target, _, key = column.refers.partition(".")
            if not target or target == "partners" or target not in tables or not len(table):
                continue
            cells = _completed(out[name][column.name], tables[target][key])
            if cells is not None:
                at = out[name].column_names.index(column.name)
                out[name] = out[name].set_column(at, column.name, cells)
    return out


def _completed(cells: pa.ChunkedArray, keys: pa.ChunkedArray) -> pa.Array | None:
    if cells.null_count == len(cells) or not len(keys) or pc.max(pc.utf8_length(keys)).as_py() != 18:
        return None
    short = pc.fill_null(pc.match_substring_regex(cells, _SHORT), False)
    lost = pc.and_(short, pc.invert(pc.is_in(cells, value_set=keys)))
    rows = np.flatnonzero(np.asarray(lost))
    if not len(rows):
        return None
    wanted = cells.take(pa.array(rows))
    full = cell_ids.completed(pa.concat_arrays(wanted.chunks) if wanted.num_chunks != 1 else wanted.chunk(0))
    found = np.asarray(pc.is_in(full, value_set=keys))
    values = np.full(len(cells), None, object)
    values[rows[found]] = np.array(full.to_pylist(), object)[found]
    return pc.coalesce(pa.chunked_array([pa.array(values, pa.string())]), cells) if found.any() else None
