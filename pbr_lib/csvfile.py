"""The small CSV files that people edit in Excel, row by row with clear faults; apart from the big exports,
because here a person typed every cell and deserves an answer for every cell.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pbr_lib.definitions import day, number
from pbr_lib.errors import InputError, did_you_mean, parted

__all__ = ["CsvFile", "Row"]


class CsvFile:
    """A CSV file with known columns; ``errors`` fills while its rows are read."""

    def __init__(self, path: Path, name: str, columns: tuple[str, ...], required: tuple[str, ...]) -> None:
        self.path = path
        self.name = name
        self.columns = columns
        self.required = required
        self.errors: list[InputError] = []
        self.delimiter = ","

    def rows(self) -> Iterator[Row]:
        """Every row that is not blank; parted by comma, semicolon or tab, as Excel likes it."""
        try:
            text = self.path.read_bytes().decode("utf-8-sig")
        except (UnicodeDecodeError, OSError):
            self.errors.append(InputError("this is no UTF-8 text", self.name, 'save it as "CSV UTF-8"'))
            return
        head = text.partition("\n")[0]
        self.delimiter = max(",;\t", key=head.count)
        records = [(number, [cell.strip() for cell in cells]) for number, cells in self._records(text)]
        # Excel writes empty cells behind the last column, into every row.
        width = max((n + 1 for _, cells in records for n, cell in enumerate(cells) if cell), default=0)
        header = records[0][1][:width] if records else []
        if (self.errors and not records) or not self._header_fits(header):
            return
        uneven: list[tuple[int, int]] = []
        filled = [(number, cells) for number, cells in records[1:] if any(cells)]
        for number_of_row, cells in filled:
            if len(cells[:width]) == len(header) and len(cells) <= len(records[0][1]):
                yield from self._row(header, cells[:width], number_of_row)
            else:
                uneven.append((number_of_row, len(cells)))
        self._note_uneven(uneven, len(header), len(filled))

    def _records(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Every row with the number under which a spreadsheet shows it; ends at a row that cannot be read."""
        # A quote that is never closed would swallow the rest of the file in silence, hence strict.
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)
        number_of_row = 1
        try:
            for cells in reader:
                yield number_of_row, cells
                number_of_row += 1
        except csv.Error as error:
            fix = "look for a quote that is not closed, or stands within a text"
            where = f"{self.name}, row {number_of_row}"
            self.errors.append(InputError(f"this row cannot be read: {error}", where, fix))

    def _row(self, header: list[str], cells: list[str], number_of_row: int) -> Iterator[Row]:
        if cells == header:
            what = "the names of the columns stand here again"
            self.errors.append(InputError(what, f"{self.name}, row {number_of_row}", "remove this row"))
            return
        row = Row(self, number_of_row, dict(zip(header, cells, strict=True)))
        for column in self.required:
            if not row.cells.get(column):
                row.fault(column, "this cell is empty", f"fill in {column}")
        yield row

    def _note_uneven(self, uneven: list[tuple[int, int]], width: int, count: int) -> None:
        """Rows with too many or too few cells; where most are like that, the first row is to blame."""
        if len(uneven) > 1 and 2 * len(uneven) > count:
            what = f"{width} columns are named here, {len(uneven)} rows have {uneven[0][1]} cells"
            fix = "add the missing name to the first row, or take out the one too many"
            self.errors.append(InputError(what, f"{self.name}, row 1", fix))
            return
        fix = f'leave no cell out, write empty ones as well, and put quotes around text that holds "{self.delimiter}"'
        for number_of_row, cells in uneven:
            where = f"{self.name}, row {number_of_row}"
            self.errors.append(InputError(f"{cells} cells stand under {width} columns", where, fix))

    def _header_fits(self, header: list[str]) -> bool:
        before = len(self.errors)
        where = f"{self.name}, row 1"
        if 2 * sum(name in self.columns for name in header) < len(self.required):
            fix = f"start it with {','.join(self.columns)}"
            self.errors.append(InputError("the row with the columns' names is missing", where, fix))
            return False
        missing = [column for column in self.columns if column not in header]
        unknown = [name for name in header if name not in self.columns]
        for name in unknown:
            fix = did_you_mean(name, missing or self.columns)
            what = f'unknown column "{name}"' if name else f"column {header.index(name) + 1} has no name"
            self.errors.append(InputError(what, where, fix))
        for name in missing:
            told = any(not u or did_you_mean(u, [name]).startswith("did") for u in unknown)
            if name in self.required and not told:
                self.errors.append(InputError(f'the column "{name}" is missing', where, f"add {name} to the first row"))
        for name in dict.fromkeys(name for name in header if header.count(name) > 1 and name in self.columns):
            self.errors.append(InputError(f'the column "{name}" stands here twice', where, "remove one of them"))
        return len(self.errors) == before


@dataclass(frozen=True)
class Row:
    """One row by column name; a cell that does not fit becomes a fault of its file."""

    file: CsvFile
    line: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        """File and row."""
        return f"{self.file.name}, row {self.line}"

    def text(self, column: str) -> str:
        """The cell, or an empty text."""
        return self.cells.get(column, "")

    def number(self, column: str, percent: bool = False) -> Decimal | None:
        """The cell as a number, None when it is empty or no number (which is noted)."""
        text = self.cells.get(column)
        if not text:
            return None
        if "," in text and self.file.delimiter == ";":
            self.fault(column, f'"{text}" may be read in two ways', "write it with a point, and without commas")
            return None
        try:
            value = number(text)
        except ValueError as error:
            self.fault(column, *parted(error))
            return None
        if percent and abs(value) > 2:
            self.fault(column, f"{text} is no share", f"write {text} % or {value / 100}")
            return None
        return value

    def date(self, column: str) -> dt.date | None:
        """The cell as an ISO date, None when it is empty or no date (which is noted)."""
        text = self.text(column)
        if not text:
            return None
        try:
            return day(text)
        except ValueError as error:
            self.fault(column, *parted(error))
            return None

    def known(self, column: str, known: Collection[str]) -> str:
        """The cell when it is one of the known words, else an empty text (which is noted)."""
        text = self.text(column)
        if text and text not in known:
            self.fault(column, f'"{text}" is not known here', did_you_mean(text, list(known)))
            return ""
        return text

    def fault(self, column: str, what: str, fix: str) -> None:
        """Note a fault of this cell."""
        self.file.errors.append(InputError(what, f"{self.where}, {column}", fix))
