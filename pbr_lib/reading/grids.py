"""The values that readers of files and the search for tables share; apart, because each reader makes a grid and
knows nothing of headers, and the search knows nothing of files.

A *grid* is a sheet as it stands: cells with the addresses under which a spreadsheet shows them. A *block* is a
piece of it, some columns of some consecutive rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.cells import TEXT, Cells
from pbr_lib.model import Finding

__all__ = [
    "BLOCK_ROWS",
    "HEAD_ROWS",
    "Area",
    "Aside",
    "Batch",
    "Block",
    "Grid",
    "How",
    "MemoryGrid",
    "Slab",
    "Spot",
    "Total",
    "column_letters",
    "filled",
    "joined",
    "no_cells",
    "strings",
]

BLOCK_ROWS = 65_536
HEAD_ROWS = 200  # a report's title and filters take 5 to 30 rows; a header further down is named by header_row
_BLANK_STARTS = np.zeros(256, dtype=bool)
_BLANK_STARTS[:33] = True
_BLANK_STARTS[[0xC2, 0xE1, 0xE2, 0xE3, 0xEF]] = True  # first bytes of every blank beyond ASCII, and of the BOM


@dataclass(frozen=True)
class How:
    """What a mapping says about reading a file; every field may stay empty.

    ``labels`` are those that the mapping reads (none when nobody has mapped the file yet), ``member`` a file of a
    zip (name or pattern), ``range`` like ``B5:K200`` or the name of an Excel table, ``header_row`` a row as a
    spreadsheet counts, ``grouped`` whether values written once per group are repeated for each row (None: only
    where cells are merged or the sheet is plainly a grouped report).
    """

    labels: frozenset[str] = frozenset()
    member: str = ""
    sheet: str = ""
    range: str = ""
    header_row: int = 0
    encoding: str = ""
    delimiter: str = ""
    grouped: bool | None = None


@dataclass(frozen=True)
class Batch:
    """Some rows of a table: the number under which a spreadsheet shows each, and its cells in the order of labels."""

    rows: npt.NDArray[np.int64]
    columns: tuple[Cells, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Aside:
    """Rows that are no records: why, how many, the numbers of the first eight, and the first one's text."""

    reason: str
    count: int
    rows: tuple[int, ...]
    sample: str


@dataclass(frozen=True)
class Total:
    """A row of sums or counts that the report itself made: set aside, and kept to check against."""

    row: int
    kind: Literal["subtotal", "total", "count"]
    label: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Area:
    """A rectangle of a grid: rows from 1, columns from 0, both ends included; ``bottom`` None is the end."""

    top: int
    left: int
    right: int
    bottom: int | None = None

    @property
    def text(self) -> str:
        """The rectangle as a spreadsheet writes it, ``B5:K200``."""
        below = "" if self.bottom is None else str(self.bottom)
        return f"{column_letters(self.left)}{self.top}:{column_letters(self.right)}{below}"


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a grid, in the columns that were asked for.

    ``short`` marks rows that have fewer cells than asked for (None: none), ``beyond`` holds the text of rows with
    something behind the last column asked for, by position in the block.
    """

    rows: npt.NDArray[np.int64]
    columns: tuple[Cells, ...] = field(repr=False)
    short: npt.NDArray[np.bool_] | None = None
    beyond: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, mask: npt.NDArray[np.bool_]) -> Block:
        """The rows of that mask."""
        if mask.all():
            return self
        beyond: dict[int, str] = {}
        if self.beyond:
            moved = np.cumsum(mask) - 1
            beyond = {int(moved[at]): text for at, text in self.beyond.items() if mask[at]}
        short = None if self.short is None else self.short[mask]
        return Block(self.rows[mask], tuple(cells.take(mask) for cells in self.columns), short, beyond)


class Grid(Protocol):
    """A sheet as it stands, whatever the file."""

    @property
    def name(self) -> str:
        """The sheet's name, empty for a file that has no sheets."""
        ...

    @property
    def facts(self) -> Mapping[str, str]:
        """What is known of the file, for reports."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the sheet as a whole; ``file`` is still empty."""
        ...

    @property
    def guess(self) -> str:
        """The encoding when it was guessed, for a finding that shows cells; else empty."""
        ...

    @property
    def doubled(self) -> bool:
        """Whether text that was encoded twice may be there."""
        ...

    @property
    def head(self) -> Sequence[Sequence[str]]:
        """The texts of the first rows, row 1 first."""
        ...

    def texts(self, first: int, last: int) -> list[list[str]]:
        """The texts of those rows, both included; rows past the end are left out."""
        ...

    def blocks(self, first: int, columns: Sequence[int]) -> Iterator[Block]:
        """The grid from row ``first`` on, in those columns (from 0)."""
        ...


@dataclass(frozen=True)
class Spot:
    """Where a table lies in a grid: its area (header on top), the columns that belong to it, and their labels.

    ``held`` counts the mapped labels in its header, ``score`` says how likely a guessed header is one; ``above`` is
    the text of the rows above it; ``parted`` says that other tables lie on the same sheet,
    ``cropped`` that what stands to the right was left out on purpose; ``totals`` counts the
    total rows that an Excel table declares.
    """

    grid: Grid = field(repr=False)
    area: Area
    columns: tuple[int, ...]
    labels: tuple[str, ...]
    held: int = 0
    score: float = 0.0
    above: tuple[str, ...] = ()
    parted: bool = False
    cropped: bool = False
    totals: int = 0
    findings: tuple[Finding, ...] = ()


# ----------------------------------------------------------------------------------------------- in memory


@dataclass(frozen=True)
class Slab:
    """Consecutive rows of a sheet in memory, all columns of the sheet."""

    first: int
    columns: tuple[Cells, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0


@dataclass(frozen=True)
class MemoryGrid:
    """A sheet that is whole in memory: workbooks and marked-up tables.

    ``merged`` are its merged cells, ``tables`` its Excel tables by name (with the count of total rows),
    ``empty_formulas`` the addresses (row, column from 0) of formulas without a value.
    """

    name: str
    slabs: tuple[Slab, ...] = field(repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    merged: tuple[Area, ...] = ()
    tables: tuple[tuple[str, Area, int], ...] = ()
    empty_formulas: tuple[tuple[int, int], ...] = ()
    guess: str = ""
    doubled: bool = True

    @property
    def width(self) -> int:
        """Columns of the sheet."""
        return len(self.slabs[0].columns) if self.slabs else 0

    @property
    def height(self) -> int:
        """The number of the last row."""
        return self.slabs[-1].first + len(self.slabs[-1]) - 1 if self.slabs else 0

    @cached_property
    def head(self) -> list[list[str]]:
        """The texts of the first rows."""
        return self.texts(1, HEAD_ROWS)

    def texts(self, first: int, last: int) -> list[list[str]]:
        """The texts of those rows, both included."""
        out: list[list[str]] = []
        for slab in self.slabs:
            start, stop = max(first - slab.first, 0), min(last - slab.first + 1, len(slab))
            if start < stop:
                lists = [cells.text.slice(start, stop - start).to_pylist() for cells in slab.columns]
                out.extend(list(row) for row in zip(*lists, strict=True))
        return out

    @cached_property
    def occupied(self) -> npt.NDArray[np.bool_]:
        """Which cells hold something: one row of the matrix for each row of the sheet."""
        out = np.zeros((self.height, self.width), dtype=bool)
        for slab in self.slabs:
            for number, cells in enumerate(slab.columns):
                out[slab.first - 1 : slab.first - 1 + len(slab), number] = filled(cells)
        return out

    def blocks(self, first: int, columns: Sequence[int]) -> Iterator[Block]:
        """The grid from row ``first`` on, in those columns."""
        for slab in self.slabs:
            skip = max(first - slab.first, 0)
            if skip >= len(slab):
                continue
            rows = np.arange(slab.first + skip, slab.first + len(slab), dtype=np.int64)
            cells = [slab.columns[number] for number in columns]
            kinds = [None if each.kinds is None else each.kinds[skip:] for each in cells]
            yield Block(
                rows, tuple(Cells(each.text.slice(skip), kind) for each, kind in zip(cells, kinds, strict=True))
            )


# ------------------------------------------------------------------------------------------------- columns


def strings(values: Sequence[str]) -> pa.StringArray:
    """Texts as an Arrow column."""
    return pa.array(values, type=pa.string())


def no_cells(count: int) -> Cells:
    """That many empty cells."""
    return Cells(pa.array(np.full(count, "", dtype=object), type=pa.string()))


def joined(blocks: Sequence[Block]) -> Block:
    """Several blocks of the same columns as one."""
    if len(blocks) == 1:
        return blocks[0]
    rows = np.concatenate([block.rows for block in blocks])
    columns = tuple(_stacked([block.columns[n] for block in blocks]) for n in range(len(blocks[0].columns)))
    short = None
    if any(block.short is not None for block in blocks):
        parts = [np.zeros(len(block), dtype=bool) if block.short is None else block.short for block in blocks]
        short = np.concatenate(parts)
    starts = np.cumsum([0, *[len(block) for block in blocks]])
    beyond = {
        int(start) + at: text for start, block in zip(starts, blocks, strict=False) for at, text in block.beyond.items()
    }
    return Block(rows, columns, short, beyond)


def _stacked(parts: Sequence[Cells]) -> Cells:
    text = pa.concat_arrays([part.text for part in parts])
    if all(part.kinds is None for part in parts):
        return Cells(text)
    plain = [np.full(len(part), TEXT, dtype=np.uint8) if part.kinds is None else part.kinds for part in parts]
    return Cells(text, np.concatenate(plain))


def filled(cells: Cells) -> npt.NDArray[np.bool_]:
    """Which cells hold more than blanks."""
    text = cells.text
    count = len(text)
    if not count:
        return np.zeros(0, dtype=bool)
    _, offsets, data = text.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32, count=text.offset + count + 1)[text.offset :]
    out: npt.NDArray[np.bool_] = ends[1:] > ends[:-1]
    if data is None or not out.any():
        return out
    bytes_ = np.frombuffer(data, dtype=np.uint8)
    odd = _BLANK_STARTS[bytes_[np.minimum(ends[:-1], len(bytes_) - 1)]]
    odd &= out
    if odd.any():
        trimmed = pc.utf8_trim(text.filter(pa.array(odd)), characters=" \t\r\n\x0b\x0c\u00a0\u2003\u2009\u3000\ufeff")
        out[np.flatnonzero(odd)] = pc.greater(pc.binary_length(trimmed), 0).to_numpy(zero_copy_only=False)
    return out


def column_letters(number: int) -> str:
    """The letters of a column counted from 0: 0 is ``A``, 26 ``AA``."""
    letters, number = "", number + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
