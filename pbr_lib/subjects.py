"""The records that can carry credit, as numbers; apart, because millions of ids are looked up once and never again.

Records are numbered in the order of their type and id, so that whatever is sorted by number is sorted by id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.schema import SUBJECTS
from pbr_lib.shares import Numbers

__all__ = ["NEVER_DAY", "Subjects", "day_numbers", "whole_column"]

NEVER_DAY = np.int32(np.iinfo(np.int32).max)
"""The day of what has not happened."""

_TYPES = tuple(sorted(SUBJECTS))


@dataclass(frozen=True)
class Subjects:
    """Leads, movements and opportunities.

    Attributes
    ----------
    keys:
        The ids of each type, sorted.
    rows:
        Which row of its table each id stands in; None where the table is in order.
    starts:
        The number of the first record of each type.
    """

    keys: Mapping[str, pa.StringArray] = field(repr=False)
    rows: Mapping[str, Numbers | None] = field(repr=False)
    starts: Mapping[str, int]

    @classmethod
    def of(cls, tables: Mapping[str, pa.Table]) -> Subjects:
        """The records of the tables that carry credit."""
        keys, rows, starts, start = {}, {}, {}, 0
        for kind in _TYPES:
            spec = SUBJECTS[kind]
            column = whole_column(tables[spec.name][spec.key])
            keys[kind], rows[kind] = _sorted(column)
            starts[kind] = start
            start += len(column)
        return cls(keys, rows, starts)

    def __len__(self) -> int:
        return sum(map(len, self.keys.values()))

    def numbers(self, kind: str, ids: Sequence[pa.Array]) -> list[Numbers]:
        """The number of each id of that type, -1 for what is not there; all at once, since the look-up is dear."""
        if not any(len(each) - each.null_count for each in ids) or not len(self.keys[kind]):
            return [np.full(len(each), -1, np.int64) for each in ids]
        found = pc.index_in(pa.chunked_array(ids, pa.string()), value_set=self.keys[kind], skip_nulls=True)
        flat = np.asarray(pc.fill_null(found, -1), np.int64)
        flat = np.where(flat >= 0, flat + self.starts[kind], -1)
        return np.split(flat, np.cumsum([len(each) for each in ids])[:-1])

    def column(self, kind: str, column: pa.ChunkedArray) -> pa.Array:
        """A column of that type's table in the order of the numbers."""
        rows = self.rows[kind]
        return whole_column(column if rows is None else column.take(pa.array(rows)))

    def kinds(self, numbers: Numbers) -> list[tuple[str, slice]]:
        """The stretches of sorted numbers that belong to one type."""
        bounds = np.searchsorted(numbers, [*self.starts.values(), len(self)])
        return [(kind, slice(bounds[i], bounds[i + 1])) for i, kind in enumerate(_TYPES) if bounds[i + 1] > bounds[i]]

    def ids(self, kind: str, numbers: Numbers) -> pa.StringArray:
        """The ids of records of that type."""
        return self.keys[kind].take(pa.array(numbers - self.starts[kind]))

    def days(self, tables: Mapping[str, pa.Table]) -> tuple[Numbers, Numbers]:
        """For each record the day it was made and the day its deal closed; ``NEVER_DAY`` where it has none."""
        made, closed = np.full(len(self), NEVER_DAY), np.full(len(self), NEVER_DAY)
        for kind in ("lead", "opportunity"):
            table = tables[SUBJECTS[kind].name]
            span = slice(self.starts[kind], self.starts[kind] + len(table))
            made[span] = day_numbers(self.column(kind, table["created_at"]))
            if kind == "opportunity":
                decided = pc.is_in(self.column(kind, table["stage"]), pa.array(["won", "lost"]))
                day = day_numbers(self.column(kind, table["close_date"]))
                closed[span] = np.where(np.asarray(decided), day, NEVER_DAY)
        return made, closed


def day_numbers(column: pa.Array) -> Numbers:
    """Days since 1970 of dates or times; ``NEVER_DAY`` where there is none."""
    return np.asarray(pc.fill_null(column.cast(pa.date32(), safe=False).cast(pa.int32()), NEVER_DAY))


def whole_column(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece, copied only where it is in several."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _sorted(column: pa.StringArray) -> tuple[pa.StringArray, Numbers | None]:
    if len(column) < 2 or pc.all(pc.less_equal(column[:-1], column[1:])).as_py():
        return column, None
    order = pc.sort_indices(column)
    return column.take(order), np.asarray(order)
