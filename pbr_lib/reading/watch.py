"""What is odd about the cells of a table while it is read; apart, because none of it stops the reading, and all of
it must be told.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.cells import ERROR, Cells
from pbr_lib.model import Finding, Severity
from pbr_lib.reading.grids import Block, MemoryGrid, Spot, column_letters
from pbr_lib.reading.rows import Ledger
from pbr_lib.reading.words import number_in

__all__ = ["Watch"]

# How many records exports stop at, and what stops them there.
_LIMITS = {
    1_000: "a preview or a list of associations",
    2_000: "a report on the screen",
    65_535: "an old Excel sheet",
    65_536: "an old Excel sheet",
    100_000: "an export of a CRM",
    1_048_575: "an Excel sheet",
    1_048_576: "an Excel sheet",
}
# UTF-8 read as Windows-1252 and written as UTF-8 again: "é" has become "Ã©", a dash "â€“".
_DOUBLED = "Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|Â[\u00a0-\u00bf]"
_SIGNS = (b"\xc3\x83", b"\xc3\xa2\xe2\x82\xac", b"\xc3\x82\xc2")
_SHOWN = 3


@dataclass
class _Cell:
    """The first cell of a kind, and how many there are."""

    row: int
    column: str
    value: str
    count: int = 0


@dataclass
class Watch:
    """Looks at every block of a table; ``filled`` takes the number of cells filled from above, by column."""

    spot: Spot
    place: str
    filled: dict[int, int] = field(default_factory=dict)
    _short: _Cell | None = None
    _last: int = 0
    _errors: dict[int, _Cell] = field(default_factory=dict)
    _doubled: _Cell | None = None
    _guessed: list[_Cell] = field(default_factory=list)

    def see(self, block: Block) -> None:
        """Look at the next records."""
        self._last = int(block.rows[-1])
        if block.short is not None and block.short.any():
            first = int(block.rows[int(np.flatnonzero(block.short)[0])])
            self._short = self._short or _Cell(first, "", "")
            self._short.count += int(block.short.sum())
        for number, cells in enumerate(block.columns):
            if cells.kinds is not None:
                self._see_errors(block, number, cells.kinds == ERROR)
            if self.spot.grid.doubled and _has_signs(cells):
                self._see_doubled(block, number)
        if self.spot.grid.guess and len(self._guessed) < _SHOWN:
            self._see_guessed(block)

    def _see_errors(self, block: Block, number: int, wrong: npt.NDArray[np.bool_]) -> None:
        if not wrong.any():
            return
        at = int(np.flatnonzero(wrong)[0])
        cell = _Cell(int(block.rows[at]), self.spot.labels[number], block.columns[number].text[at].as_py())
        self._errors.setdefault(number, cell).count += int(wrong.sum())

    def _see_doubled(self, block: Block, number: int) -> None:
        text = block.columns[number].text
        found = np.flatnonzero(pc.match_substring_regex(text, _DOUBLED).to_numpy(zero_copy_only=False))
        if not len(found):
            return
        at = int(found[0])
        cell = _Cell(int(block.rows[at]), self.spot.labels[number], text[at].as_py()[:80])
        self._doubled = self._doubled or cell
        self._doubled.count += len(found)

    def _see_guessed(self, block: Block) -> None:
        cells = [
            _Cell(int(block.rows[at]), self.spot.labels[number], column.text[at].as_py()[:60])
            for number, column in enumerate(block.columns)
            for at in np.flatnonzero(~_ascii(column.text))[:_SHOWN].tolist()
        ]
        self._guessed.extend(sorted(cells, key=lambda cell: cell.row))
        del self._guessed[_SHOWN:]

    # ------------------------------------------------------------------------------------------ at the end

    def findings(self, given: int, ledger: Ledger) -> tuple[Finding, ...]:
        """Everything that is odd, once the table is read; ``given`` is the number of its records."""
        out = [*self._of_text(), *self._of_cells(), *self._of_groups(), *self._of_end(given, ledger)]
        beyond = ledger.counts.get("more cells than labels", 0)
        if beyond:
            rows = ledger.rows["more cells than labels"]
            fix = "look for a separator within a text that has no quotes, and export again"
            what = "rows with more cells than labels were set aside"
            out.append(
                self._finding(
                    "warning", what, fix, _Cell(rows[0], "", ledger.samples["more cells than labels"], beyond)
                )
            )
        if self._short:
            what = "rows with fewer cells than labels; the missing cells count as empty"
            out.append(self._finding("warning", what, "look whether the export was cut or edited", self._short))
        return tuple(out)

    def _of_text(self) -> list[Finding]:
        out = []
        if self.spot.grid.guess:
            cells = (
                self._guessed
                or [_Cell(self.spot.area.top, name, name) for name in self.spot.labels if not name.isascii()][:_SHOWN]
            )
            first = cells[0] if cells else _Cell(self.spot.area.top, "", "")
            shown = " | ".join(cell.value for cell in cells)
            what = f"the file does not say its encoding and was read as {self.spot.grid.guess}"
            fix = "if these words look wrong, write encoding: into the mapping"
            out.append(self._finding("info", what, fix, _Cell(first.row, first.column, shown, 1)))
        if self._doubled:
            what = "text was encoded twice, so letters with accents are wrong"
            fix = 'export again as UTF-8 from the CRM itself, without saving it in a program that calls it "ANSI"'
            out.append(self._finding("warning", what, fix, self._doubled))
        return out

    def _of_cells(self) -> list[Finding]:
        out = []
        for number, cell in sorted(self._errors.items()):
            address = f"{column_letters(self.spot.columns[number])}{cell.row}"
            fix = "mend the formula and save the workbook again"
            out.append(self._finding("error", f"cell {address} shows the error {cell.value}", fix, cell))
        empty: dict[int, _Cell] = {}
        place = {column: number for number, column in enumerate(self.spot.columns)}
        area = self.spot.area
        formulas = self.spot.grid.empty_formulas if isinstance(self.spot.grid, MemoryGrid) else ()
        for row, column in formulas:
            if column in place and row > area.top and (area.bottom is None or row <= area.bottom):
                empty.setdefault(column, _Cell(row, self.spot.labels[place[column]], "")).count += 1
        for column, cell in sorted(empty.items()):
            what = f"cell {column_letters(column)}{cell.row} holds a formula whose value was never saved"
            fix = "open the workbook in Excel, save it, and read it again"
            out.append(self._finding("error", what, fix, cell))
        return out

    def _of_groups(self) -> list[Finding]:
        names = [self.spot.labels[number] for number, count in sorted(self.filled.items()) if count]
        if not names:
            return []
        what = f"values written once per group were given to each of its rows: {', '.join(names)}"
        fix = "write grouped: false into the mapping if a blank cell means that there is no value"
        cell = _Cell(self.spot.area.top, names[0], "", sum(self.filled.values()))
        return [self._finding("info", what, fix, cell)]

    def _of_end(self, given: int, ledger: Ledger) -> list[Finding]:
        out = []
        if given in _LIMITS:
            what = f"the table holds exactly {given:,} rows, where {_LIMITS[given]} ends: it was probably cut"
            fix = "compare with the number of records in the CRM, and export in parts"
            out.append(self._finding("warning", what, fix, _Cell(self.spot.area.top, "", "")))
        for total in ledger.totals:
            stated = [number_in(value) for value in total.values.values()]
            if total.kind != "count" or len(stated) != 1 or stated[0] is None or total.row < self._last:
                continue
            same = stated[0] == given
            what = f"the report states {stated[0]:,} records, and {given:,} were read"
            fix = "" if same else "compare with the CRM, and export again"
            cell = _Cell(total.row, "", total.label or str(stated[0]))
            out.append(self._finding("info" if same else "warning", what, fix, cell))
        for row, text in ledger.doubts:
            what = "the last row reads like a total and is filled like a record, so it counts as a record"
            fix = "export without totals, or set an end with range: in the mapping"
            out.append(self._finding("warning", what, fix, _Cell(row, "", text[:120])))
        return out

    def _finding(self, severity: Severity, what: str, fix: str, cell: _Cell) -> Finding:
        return Finding(severity, what, self.place, cell.row, cell.column, cell.value, fix, max(cell.count, 1))


def _has_signs(cells: Cells) -> bool:
    """Whether the bytes of a column may hold text that was encoded twice: a cheap look before a dear one."""
    text = cells.text
    data = text.buffers()[2]
    if data is None or not len(text):
        return False
    offsets = np.frombuffer(text.buffers()[1], dtype=np.int32, count=text.offset + len(text) + 1)
    piece = data.slice(int(offsets[text.offset]), int(offsets[-1] - offsets[text.offset])).to_pybytes()
    return any(sign in piece for sign in _SIGNS)


def _ascii(text: pa.StringArray) -> npt.NDArray[np.bool_]:
    out: npt.NDArray[np.bool_] = pc.string_is_ascii(text).to_numpy(zero_copy_only=False)
    return out
