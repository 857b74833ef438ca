"""What the columns of an export hold, counted once over all rows; apart, because every part of a proposal asks, and
an export of millions of rows is read only once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib import cell_text
from pbr_lib.cell_text import TextRules
from pbr_lib.cells import Cells
from pbr_lib.reading import RawTable

__all__ = ["MOST", "Asked", "ColumnFacts", "TableFacts", "gather"]

MOST = 20_000
"""So many distinct values of a column are kept; whoever votes on a column needs no more."""

_COMBINATIONS = 5_000


@dataclass(frozen=True)
class ColumnFacts:
    """One column: how many cells are filled, and each distinct text with its count (the first :data:`MOST`).

    ``kinds`` counts the filled cells of a workbook by their kind (:mod:`pbr_lib.cells`); ``distinct_kinds`` gives
    the kind of each kept text. ``whole`` says whether ``counts`` holds every distinct value.
    """

    label: str
    rows: int
    filled: int
    counts: Mapping[str, int] = field(repr=False)
    distinct_kinds: Mapping[str, int] = field(repr=False, default_factory=dict)
    whole: bool = True

    @cached_property
    def cells(self) -> Cells:
        """The distinct values as cells, for trying out how they can be read."""
        kinds = [self.distinct_kinds.get(text, 0) for text in self.counts]
        return Cells(pa.array(list(self.counts), pa.string()), np.array(kinds, np.uint8) if any(kinds) else None)

    @property
    def texts(self) -> tuple[str, ...]:
        """The distinct values that are written as text, in the order in which they came."""
        return tuple(text for text in self.counts if not self.distinct_kinds.get(text))

    def samples(self, most: int = 3) -> tuple[str, ...]:
        """The first distinct values."""
        return tuple(self.counts)[:most]


@dataclass(frozen=True)
class TableFacts:
    """A table: its columns by label, and how often values of the watched columns stand in one row together.

    ``repeats`` counts, for each possible key, the rows whose key stood there before in the same file; ``drops`` holds
    the values of the first possible key, file by file. ``remarks`` are the lines around the data of the first file.
    """

    place: str
    labels: tuple[str, ...]
    rows: int
    columns: Mapping[str, ColumnFacts] = field(repr=False)
    together: Mapping[tuple[str, ...], int] = field(repr=False, default_factory=dict)
    repeats: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    drops: tuple[frozenset[str], ...] = field(repr=False, default=())
    remarks: tuple[str, ...] = field(default=(), repr=False)
    facts: Mapping[str, str] = field(default_factory=dict, repr=False)
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Asked:
    """What is to be counted beside the single columns.

    The values of ``watched`` are counted together, row by row; of ``flags`` only whether they are filled; ``keys``
    are labels that may make a key.
    """

    watched: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()


def gather(tables: Sequence[RawTable], rules: TextRules, asked: Asked = Asked()) -> TableFacts:
    """Read tables of the same header to their end and count what their columns hold.

    ``rules`` say how text is cleaned, which should be as the ingest will clean it. The rows of the tables are used up.

    Raises
    ------
    SourceError
        When a file cannot be read to its end.
    """
    counting = _Counting(tables[0].labels, rules, asked)
    for table in tables:
        counting.begin()
        for batch in table.batches():
            counting.add(batch.columns)
    return counting.result(tables[0])


class _Counting:
    def __init__(self, labels: tuple[str, ...], rules: TextRules, asked: Asked) -> None:
        self.labels, self.rules, self.asked = labels, rules, asked
        self.rows = 0
        self.filled = [0] * len(labels)
        self.counts: list[dict[str, int]] = [{} for _ in labels]
        self.kinds: list[dict[str, int]] = [{} for _ in labels]
        self.whole = [True] * len(labels)
        self.together: Counter[tuple[str, ...]] = Counter()
        self.keys: list[dict[tuple[str, ...], list[pa.StringArray]]] = []

    def begin(self) -> None:
        """Begin the next file."""
        self.keys.append({key: [] for key in self.asked.keys})

    def add(self, columns: Sequence[Cells]) -> None:
        """Count one batch."""
        texts = [cell_text.clean(cells, self.rules) for cells in columns]
        self.rows += len(texts[0]) if texts else 0
        for at, (text, cells) in enumerate(zip(texts, columns, strict=True)):
            self._count(at, text, cells)
        # Of a label that stands there twice, the first column counts.
        by_label = dict(reversed(list(zip(self.labels, texts, strict=True))))
        for key, arrays in self.keys[-1].items():
            arrays.append(pc.binary_join_element_wise(*(by_label[label] for label in key), " / ", null_handling="skip"))
        if self.asked.watched or self.asked.flags:
            self._count_together(by_label)

    def _count(self, at: int, text: pa.StringArray, cells: Cells) -> None:
        self.filled[at] += len(text) - text.null_count
        counts, kinds = self.counts[at], self.kinds[at]
        found = pc.value_counts(text)
        for value, count in zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True):
            if value is None:
                continue
            if value in counts:
                counts[value] += count
            elif len(counts) < MOST:
                counts[value] = count
            else:
                self.whole[at] = False
        if cells.kinds is not None and cells.kinds.any():
            known = text.dictionary_encode()
            first = np.full(len(known.dictionary), -1)
            codes = pc.fill_null(known.indices, -1).to_numpy(zero_copy_only=False)
            first[codes[::-1][codes[::-1] >= 0]] = np.flatnonzero(codes >= 0)[::-1]
            for value, row in zip(known.dictionary.to_pylist(), first.tolist(), strict=True):
                if value in counts:
                    kinds.setdefault(value, int(cells.kinds[row]))

    def _count_together(self, by_label: Mapping[str, pa.StringArray]) -> None:
        parts = {f"w{i}": pc.fill_null(by_label[label], "") for i, label in enumerate(self.asked.watched)}
        for i, label in enumerate(self.asked.flags):
            parts[f"f{i}"] = pc.if_else(pc.is_valid(by_label[label]), "1", "")
        grouped = pa.table(parts).group_by(list(parts), use_threads=False).aggregate([([], "count_all")])
        counts = grouped["count_all"].to_pylist()
        for key, count in zip(zip(*(grouped[name].to_pylist() for name in parts), strict=True), counts, strict=True):
            if key in self.together or len(self.together) < _COMBINATIONS:
                self.together[key] += count

    def result(self, table: RawTable) -> TableFacts:
        """What was counted; ``table`` is the first that was read."""
        columns: dict[str, ColumnFacts] = {}
        for at, label in enumerate(self.labels):
            facts = (self.filled[at], self.counts[at], self.kinds[at], self.whole[at])
            columns.setdefault(label, ColumnFacts(label, self.rows, *facts))
        repeats: Counter[tuple[str, ...]] = Counter()
        drops: list[frozenset[str]] = []
        for keys in self.keys:
            for key, arrays in keys.items():
                whole = pa.chunked_array(arrays, pa.string())
                filled = whole.filter(pc.not_equal(whole, ""))
                unique = pc.unique(filled)
                repeats[key] += len(filled) - len(unique)
                if key == self.asked.keys[0]:
                    drops.append(frozenset(unique.slice(0, 10 * MOST).to_pylist()))
        about = (table.remarks, table.facts, table.repeated)
        counted = (self.rows, columns, self.together, repeats, tuple(drops))
        return TableFacts(table.place, self.labels, *counted, *about)
