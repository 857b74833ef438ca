"""Values written once per group, given to every row of it; apart, because only a sheet that is plainly a grouped
report may be filled: a blank cell elsewhere means that there is no value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pbr_lib.cells import TEXT, Cells
from pbr_lib.reading.grids import Area, Block, MemoryGrid, Spot, filled
from pbr_lib.reading.rows import Ledger

__all__ = ["Filler", "filler"]


@dataclass
class Filler:
    """Fills blanks from above, block by block: within ``merged`` cells, and in the ``leading`` columns of groups.

    ``report`` says afterwards how many cells were filled, by position of the column.
    """

    leading: tuple[int, ...] = ()
    asked: bool = False
    undecided: bool = False
    merged: tuple[tuple[int, Area], ...] = ()
    count: dict[int, int] = field(default_factory=dict)
    _last: dict[int, tuple[int, str, int]] = field(default_factory=dict)
    _tops: dict[Area, tuple[str, int]] = field(default_factory=dict)
    _seen: int = 0

    def learn(self, block: Block, ledger: Ledger) -> None:
        """Decide by the first records whether the sheet is a grouped report, and which columns hold its groups.

        It is one when the report's own totals part the rows, and the first column is filled behind such a gap and
        nowhere else.
        """
        if len(block) < 2 or not (self.asked or self.undecided):
            return
        full = [filled(cells) for cells in block.columns]
        if not self.asked:
            inner = [total for total in ledger.totals if total.row < block.rows[-1]]
            behind_gap = np.diff(block.rows, prepend=block.rows[0] - 2) > 1
            if not inner or not full[0][0] or full[0].all() or (full[0] & ~behind_gap).any():
                return
        whole = next((n for n, column in enumerate(full) if column.all()), 0 if not self.asked else 1)
        self.leading = tuple(range(whole)) or ((0,) if self.asked else ())

    def __call__(self, block: Block) -> Block:
        """The block with its groups' values in every row."""
        if not len(block) or not (self.leading or self.merged):
            return block
        columns = list(block.columns)
        self._fill_merged(block.rows, columns)
        newest = np.full(len(block), -1, dtype=np.int64)
        for number in self.leading:
            columns[number], newest = self._fill(number, columns[number], newest)
        self._seen += len(block)
        return Block(block.rows, tuple(columns), block.short, block.beyond)

    def _fill(self, number: int, cells: Cells, outer: npt.NDArray[np.int64]) -> tuple[Cells, npt.NDArray[np.int64]]:
        """One column filled from above, and for each row where its value stands (counted over all blocks).

        ``outer`` is the same of the column before: where a group begins anew, the groups within it begin too.
        """
        own = filled(cells)
        at, text, kind = self._last.get(number, (-1, "", TEXT))
        places = np.where(own, np.arange(len(own)) + self._seen, -1)
        places = np.maximum(np.maximum.accumulate(places), at)
        use = (places >= 0) & (places >= outer) & ~own
        # Position 0 is the value carried over from the block before, position 1 an empty cell.
        source = np.where(places >= self._seen, places - self._seen + 2, 0)
        source = np.where(own, np.arange(len(own)) + 2, np.where(use, source, 1))
        kinds = None if cells.kinds is None and kind == TEXT else _kinds(cells)
        texts = pa.concat_arrays([pa.array([text, ""], type=pa.string()), cells.text]).take(pa.array(source))
        if kinds is not None:
            kinds = np.concatenate([np.array([kind, TEXT], dtype=np.uint8), kinds])[source]
        made = Cells(texts, kinds)
        self.count[number] = self.count.get(number, 0) + int(filled(made)[use].sum())
        last = int(places[-1])
        if last >= self._seen:
            here = last - self._seen
            self._last[number] = (
                last,
                cells.text[here].as_py(),
                TEXT if cells.kinds is None else int(cells.kinds[here]),
            )
        return made, np.maximum(places, outer)

    def _fill_merged(self, rows: npt.NDArray[np.int64], columns: list[Cells]) -> None:
        changes: dict[int, dict[int, tuple[str, int]]] = {}
        for number, area in self.merged:
            bottom = area.top if area.bottom is None else area.bottom
            if bottom < rows[0] or area.top > rows[-1]:
                continue
            start, stop = np.searchsorted(rows, [area.top, bottom + 1])
            cells = columns[number]
            if start < stop and rows[start] == area.top:
                kind = TEXT if cells.kinds is None else int(cells.kinds[start])
                self._tops[area] = (cells.text[int(start)].as_py(), kind)
            value = self._tops.get(area, ("", TEXT))
            for at in range(int(start), int(stop)) if value[0] else ():
                if rows[at] != area.top:
                    changes.setdefault(number, {})[at] = value
        for number, values in changes.items():
            columns[number] = self._changed(number, columns[number], values)

    def _changed(self, number: int, cells: Cells, values: dict[int, tuple[str, int]]) -> Cells:
        texts, kinds = cells.text.to_pylist(), _kinds(cells).copy()
        for at, (text, kind) in values.items():
            if not texts[at]:
                texts[at], kinds[at] = text, kind
                self.count[number] = self.count.get(number, 0) + 1
        return Cells(pa.array(texts, type=pa.string()), kinds if kinds.any() else None)


def _kinds(cells: Cells) -> npt.NDArray[np.uint8]:
    return np.full(len(cells), TEXT, dtype=np.uint8) if cells.kinds is None else cells.kinds


def filler(spot: Spot, grouped: bool | None) -> Filler:
    """What fills the groups of a table: nothing where ``grouped`` is False, see :class:`Filler` for the rest."""
    if grouped is False:
        return Filler()
    merged: tuple[tuple[int, Area], ...] = ()
    if isinstance(spot.grid, MemoryGrid):
        place = {column: number for number, column in enumerate(spot.columns)}
        merged = tuple(
            (place[area.left], area)
            for area in spot.grid.merged
            if area.left in place and area.top > spot.area.top and (area.bottom or 0) > area.top
        )
    known = isinstance(spot.grid, MemoryGrid)
    return Filler(asked=bool(grouped), undecided=known and grouped is None, merged=merged)
