"""The small CSV files that people edit in Excel, row by row with clear faults; apart from the big exports,
because here a person typed every cell and deserves an answer for every cell.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pbr_lib.definitions import number
from pbr_lib.errors import InputError, did_you_mean

__all__ = ["CsvFile", "Row"]


class CsvFile:
    """A CSV file with known columns; ``errors`` fills while its rows are read."""

    def __init__(self, path: Path, name: str, columns: tuple[str, ...], required: tuple[str, ...]) -> None:
        self.path = path
        self.name = name
        self.columns = columns
        self.required = required
        self.errors: list[InputError] = []

    def rows(self) -> Iterator[Row]:
        """Every row that is not blank; comma or semicolon, as Excel likes it."""
        try:
            text = self.path.read_text(encoding="utf-8-sig")
        except (UnicodeDecodeError, OSError):
            self.errors.append(InputError("this is no UTF-8 text", self.name, 'save it as "CSV UTF-8"'))
            return
        lines = text.splitlines(keepends=True)
        head = lines[0] if lines else ""
        reader = csv.reader(lines, delimiter=";" if head.count(";") > head.count(",") else ",")
        header = [cell.strip() for cell in next(reader, [])]
        if not self._header_fits(header):
            return
        while True:
            number_of_row = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                self.errors.append(InputError(f"this row cannot be read: {error}", f"{self.name}, row {number_of_row}"))
                return
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield from self._row(header, cells, number_of_row)

    def _row(self, header: list[str], cells: list[str], number_of_row: int) -> Iterator[Row]:
        where = f"{self.name}, row {number_of_row}"
        if len(cells) != len(header):
            fix = "count the commas; put quotes around text that holds a comma"
            self.errors.append(InputError(f"{len(cells)} cells under {len(header)} columns", where, fix))
            return
        row = Row(self, number_of_row, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
        for column in self.required:
            if not row.text(column):
                row.fault(column, "this cell is empty", f"write the {column.replace('_', ' ')}")
        yield row

    def _header_fits(self, header: list[str]) -> bool:
        before = len(self.errors)
        where = f"{self.name}, row 1"
        unknown = [name for name in header if name not in self.columns]
        for name in unknown:
            missing = [column for column in self.columns if column not in header]
            self.errors.append(InputError(f'unknown column "{name}"', where, did_you_mean(name, missing)))
        for name in self.required:
            if name not in header and not any(did_you_mean(u, [name]).startswith("did") for u in unknown):
                self.errors.append(InputError(f'the column "{name}" is missing', where, f"add {name} to the first row"))
        for name in {name for name in header if header.count(name) > 1}:
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
        text = self.text(column)
        if not text:
            return None
        try:
            value = number(text)
        except ValueError as error:
            self.fault(column, str(error), "mend this cell")
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
            return dt.date.fromisoformat(text)
        except ValueError:
            self.fault(column, f'"{text}" is no date', "write year, month and day like 2026-09-30")
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
