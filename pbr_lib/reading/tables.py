"""One table of a file, read from its header to its end; apart, because every kind of file ends up here, and counts
its rows in the same way: what is read is given or set aside, always.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from pbr_lib.cells import Cells
from pbr_lib.errors import SourceError
from pbr_lib.model import Finding
from pbr_lib.reading.grids import BLOCK_ROWS, Aside, Batch, Block, Spot, Total, joined
from pbr_lib.reading.groups import filler
from pbr_lib.reading.rows import TAIL_ROWS, TOTAL, Keys, Ledger, below, keys_of, put_total, sift
from pbr_lib.reading.watch import Watch

__all__ = ["RawTable"]


class RawTable:
    """One table found in a file: its labels and facts at once, its rows by :meth:`batches`.

    ``place`` is what messages call it; ``labels`` are the header's as they stand, ``repeated`` those that stand
    there more than once; ``header_row`` is the row of the header. ``rows_read``, ``aside``, ``remarks``, ``totals``
    and ``findings`` are complete once :meth:`batches` is exhausted; then ``rows_read`` equals the rows given and
    those set aside.
    """

    def __init__(self, spot: Spot, place: str, grouped: bool | None = None) -> None:
        self.place = place
        self.labels = spot.labels
        self.repeated = frozenset(each for each, count in Counter(spot.labels).items() if count > 1)
        self.header_row = spot.area.top
        self.facts: Mapping[str, str] = dict(spot.grid.facts)
        self.rows_read = 0
        self.aside: tuple[Aside, ...] = ()
        self.remarks: tuple[str, ...] = spot.above
        self.totals: tuple[Total, ...] = ()
        self.findings: tuple[Finding, ...] = tuple(
            replace(finding, file=place) for finding in (*spot.grid.findings, *spot.findings)
        )
        self._spot, self._grouped, self._started = spot, grouped, False
        self._ledger, self._watch = Ledger(), Watch(spot, place)

    def __repr__(self) -> str:
        return f"RawTable({self.place!r}, {len(self.labels)} columns, header in row {self.header_row})"

    def batches(self) -> Iterator[Batch]:
        """The rows of the table in pieces of up to 65,536; can be asked for once.

        Raises
        ------
        SourceError
            When a row cannot be read: a quote that is never closed, bytes that are no text.
        RuntimeError
            When it is called again.
        """
        if self._started:
            raise RuntimeError("the rows of a table can be read once; read the file again")
        self._started = True
        given = 0
        try:
            for block in self._records():
                self._watch.see(block)
                for start in range(0, len(block), BLOCK_ROWS):
                    batch = Batch(
                        block.rows[start : start + BLOCK_ROWS], tuple(_piece(c, start) for c in block.columns)
                    )
                    given += len(batch)
                    yield batch
        except SourceError as error:
            # A reader knows rows, and not what the table is called.
            where = f"{self.place}, {error.where}" if error.where else self.place
            raise SourceError(error.what, where, error.fix) from None
        except (UnicodeError, OSError) as error:
            what = f"the file changed while it was read, or cannot be read any more: {error}"
            raise SourceError(what, self.place, "start again when nothing writes to it") from None
        self._close(given)

    def _records(self) -> Iterator[Block]:
        """The records, with the end of the table held back until it is known to be the end."""
        spot, ledger = self._spot, self._ledger
        fill = filler(spot, self._grouped)
        pending: list[Block] = []
        keys, count = Keys(), 0
        for number, block in enumerate(self._rows()):
            if number == 0:
                keys = keys_of(block)
            kept = sift(block, spot.labels, keys, ledger)
            if number == 0:
                fill.learn(kept, ledger)
            count += len(kept)
            pending.append(kept)
            while sum(map(len, pending[1:])) >= TAIL_ROWS:
                if len(first := pending.pop(0)):
                    yield fill(first)
        if pending:
            last = below(joined(pending), spot.labels, keys, ledger, count)
            if len(last):
                yield fill(last)
        self._watch.filled = fill.count

    def _rows(self) -> Iterator[Block]:
        area, first = self._spot.area, self._spot.area.top + 1
        for block in self._spot.grid.blocks(first, self._spot.columns):
            if area.bottom is not None:
                # Rows come in order, so the first row behind the area ends the reading.
                end = int(np.searchsorted(block.rows, area.bottom, side="right"))
                mask = np.arange(len(block)) < end
                block = block.take(mask)
                if not len(block):
                    return
            self.rows_read += len(block)
            if self._spot.cropped:
                block = replace(block, beyond={})
            yield self._without_totals(block)

    def _without_totals(self, block: Block) -> Block:
        """The block without the total rows that an Excel table declares at its end."""
        area = self._spot.area
        if not self._spot.totals or area.bottom is None or block.rows[-1] <= area.bottom - self._spot.totals:
            return block
        records = block.rows <= area.bottom - self._spot.totals
        for at in np.flatnonzero(~records).tolist():
            cells = [column.text[at].as_py() for column in block.columns]
            if any(cells):
                put_total(self._ledger, "total", int(block.rows[at]), cells, self.labels)
            else:
                self._ledger.put(TOTAL, (int(block.rows[at]),), "")
        return block.take(records)

    def _close(self, given: int) -> None:
        ledger = self._ledger
        self.aside = ledger.asides
        self.totals = tuple(sorted(ledger.totals, key=lambda total: total.row))
        self.remarks += tuple(text for _, text in sorted(ledger.remarks) if text)
        self.findings += self._watch.findings(given, ledger)


def _piece(cells: Cells, start: int) -> Cells:
    if start == 0 and len(cells) <= BLOCK_ROWS:
        return cells
    kinds = None if cells.kinds is None else cells.kinds[start : start + BLOCK_ROWS]
    return Cells(cells.text.slice(start, BLOCK_ROWS), kinds)
