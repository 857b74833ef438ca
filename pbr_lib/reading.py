"""Export files as raw rows of text with their place; apart, because reading guesses nothing and converts nothing.

A report has lines above its header and below its data. The header is found by content (the row that holds
the labels of the mapping), what lies above and below is kept as *remarks*, and each row keeps the number
under which the user finds it in the file.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from python_calamine import CalamineError, CalamineWorkbook

from pbr_lib.errors import SourceError, did_you_mean
from pbr_lib.mapping import Source

__all__ = ["Export", "RawTable", "cell_text", "read_source", "sha256", "wanted_labels"]

_TOTALS = ("grand total", "total", "subtotal", "sum", "count")
_SHEETS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_CHUNK = 50_000


@dataclass(frozen=True)
class Export:
    """One export: its mapping, the folder that it lies in, and how messages call both.

    ``shown`` is the folder as the user wrote it, ``mapping`` the file that describes the export.
    """

    source: Source
    folder: Path
    shown: str = "data"
    mapping: str = "its mapping"

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / self.source.file

    @property
    def where(self) -> str:
        """The file as messages call it."""
        return f"{self.shown}/{self.source.file}"

    def fault(self, what: str, fix: str, row: int | None = None, sheet: str = "") -> SourceError:
        """An error of this export, with its row and sheet."""
        place = self.where + (f" [{sheet}]" if sheet else "") + (f", row {row}" if row else "")
        return SourceError(what, place, fix)


@dataclass(frozen=True)
class RawTable:
    """Rows as they stand in the file: ``frame`` has one column per label and the row number as index.

    ``short`` are rows with fewer cells than labels, whose last cells were taken for empty.
    """

    file: str
    frame: pd.DataFrame = field(repr=False)
    remarks: tuple[str, ...]
    set_aside: tuple[tuple[int, str], ...]
    encoding: str = ""
    short: tuple[int, ...] = ()

    @property
    def rows_read(self) -> int:
        """Rows below the header, remarks and blank lines included."""
        return len(self.frame) + len(self.set_aside)


def sha256(path: Path) -> str:
    """The fingerprint of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_source(export: Export) -> RawTable:
    """The raw rows of one export.

    Raises
    ------
    SourceError
        When the file or sheet is missing, cannot be decoded, or no row holds the mapped labels.
    """
    path, source = export.path, export.source
    if not path.is_file():
        near = difflib.get_close_matches(source.file, sorted(_names(export.folder)), n=1)
        hint = f'is it "{near[0]}"? ' if near else ""
        fix = f"{hint}put the export there, correct file: in {export.mapping}, or write optional: true there"
        raise export.fault("this export is missing", fix)
    if path.suffix.lower() in _SHEETS:
        return _sheet_table(export)
    return _csv_table(*_text(export), export)


def _names(folder: Path) -> Iterator[str]:
    return (path.name for path in folder.glob("*") if path.is_file() and not path.name.startswith((".", "~$")))


def _text(export: Export) -> tuple[str, str]:
    """Byte-order mark, else strict UTF-8, else Windows-1252: statistics guess wrong on real exports."""
    data, given = export.path.read_bytes(), export.source.encoding
    marks = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
    candidates = [given] if given else [name for mark, name in marks if data.startswith(mark)]
    for encoding in candidates or ["utf-8", "cp1252"]:
        try:
            text = data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        if "\0" not in text:
            return text.removeprefix("\ufeff"), encoding
    if given:
        fix = f"correct encoding: in {export.mapping}, or remove it to have it found out"
        raise export.fault(f"this file is not {given}", fix)
    raise export.fault("this is no text file", "export it again as CSV (UTF-8)")


# ----------------------------------------------------------------------------------------- text files


def _csv_table(text: str, encoding: str, export: Export) -> RawTable:
    source, stream = export.source, io.StringIO(text, newline="")
    rows = _numbered(stream, export)
    head: list[list[str]] = []
    for _, row in islice(rows, 60):
        head.append(row)
        if _holds_labels(row, source):
            break
    if not head or not _holds_labels(head[-1], source):
        raise _no_header(export, head, _delimiter_hint(text, export))
    labels = _labels(head[-1], export, len(head))
    first = len(head) + 1
    frame, torn, short = _frame(rows, labels, first)
    remarks = tuple(" ".join(cell for cell in row if cell) for row in head[:-1])
    table = _without_footer(frame.drop(index=torn), source.file, remarks, encoding)
    aside = (*table.set_aside, *((number, "more cells than labels") for number in torn))
    kept = set(table.frame.index)
    return RawTable(
        source.file, table.frame, table.remarks, aside, encoding, tuple(number for number in short if number in kept)
    )


def _numbered(stream: io.StringIO, export: Export) -> Iterator[tuple[int, list[str]]]:
    """Every row with the number under which a spreadsheet shows it."""
    # Lenient reading joins rows in silence where a quote is lost, hence strict.
    reader = csv.reader(stream, delimiter=export.source.delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            fix = "look for a quote that is not closed, or stands within a text, and export again"
            raise export.fault(f"this row cannot be read: {error}", fix, number) from None
        if row is None:
            return
        yield number, row


def _frame(
    rows: Iterable[tuple[int, list[str]]], labels: list[str], first: int
) -> tuple[pd.DataFrame, list[int], list[int]]:
    """The rows as a frame of text, and the numbers of rows that are too long or too short.

    A row with more cells than labels cannot be told apart cell by cell, since a separator within a text
    moves all that follows; one with fewer lacks its last cells, which some exports leave out when empty.
    """
    width, torn, short = len(labels), list[int](), list[int]()
    iterator, chunks = iter(rows), list[pd.DataFrame]()
    while chunk := list(islice(iterator, _CHUNK)):
        cells = []
        for number, row in chunk:
            if len(row) != width:
                if any(row[width:]):
                    torn.append(number)
                elif len(row) < width and sum(map(bool, row)) > 1:
                    short.append(number)
                row = row[:width] + [""] * (width - len(row))
            cells.append(row)
        columns = zip(*cells, strict=True)
        chunks.append(pd.DataFrame({i: pd.array(column, dtype="str") for i, column in enumerate(columns)}))
    frame = pd.concat(chunks, ignore_index=True) if chunks else pd.DataFrame(columns=range(width), dtype="str")
    frame.columns = pd.Index(labels)
    frame.index = pd.RangeIndex(first, first + len(frame))
    return frame, torn, short


def _delimiter_hint(text: str, export: Export) -> str:
    for delimiter in ";\t,|":
        lines = text.splitlines()[:60]
        if any(_holds_labels([cell.strip('"') for cell in line.split(delimiter)], export.source) for line in lines):
            shown = "\\t" if delimiter == "\t" else delimiter
            return f'write delimiter: "{shown}" into {export.mapping}'
    return ""


# -------------------------------------------------------------------------------------------- workbooks


def _sheet_table(export: Export) -> RawTable:
    rows, sheet = _sheet_rows(export)
    source = export.source
    at = next((i for i, row in enumerate(rows[:60]) if _holds_labels(row, source)), None)
    if at is None:
        raise _no_header(export, rows[:60])
    labels = _labels([cell_text(cell) for cell in rows[at]], export, at + 1, sheet)
    body = [list(row) + [""] * (len(labels) - len(row)) for row in rows[at + 1 :]]
    frame = pd.DataFrame(body, columns=labels, dtype=object)
    frame.index = pd.RangeIndex(at + 2, at + 2 + len(frame))
    remarks = tuple(" ".join(cell_text(cell) for cell in row if cell != "") for row in rows[:at])
    return _without_footer(frame, f"{source.file} [{sheet}]", remarks, "")


def _sheet_rows(export: Export) -> tuple[list[list[Any]], str]:
    try:
        workbook = CalamineWorkbook.from_path(export.path)
        names = workbook.sheet_names
        sheet = export.source.sheet or names[0]
        if sheet in names:
            return workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False), sheet
    except (CalamineError, OSError, ValueError, IndexError) as error:
        fix = "open it in Excel without a password and save it again as .xlsx"
        raise export.fault(f"this workbook cannot be read: {error}", fix) from None
    fix = f"{did_you_mean(sheet, names)} (the sheet is named in {export.mapping})"
    raise export.fault(f'no sheet is called "{sheet}"', fix)


# ------------------------------------------------------------------------------------ header and footer


def _without_footer(frame: pd.DataFrame, file: str, remarks: tuple[str, ...], encoding: str) -> RawTable:
    """Cut report lines from the end, and blank rows anywhere; each with its reason."""
    filled = (frame != "").to_numpy().sum(axis=1)
    first = frame.iloc[:, 0].astype(str).str.strip().str.lower() if len(frame.columns) else pd.Series(dtype=str)
    end = len(frame)
    while end and (filled[end - 1] <= 1 or first.iloc[end - 1] in _TOTALS):
        end -= 1
    below = frame.iloc[end:]
    tail = tuple(text for text in (" ".join(str(c) for c in row if c != "") for row in below.to_numpy()) if text)
    aside = [(int(number), "line below the data") for number in below.index]
    blank = filled[:end] == 0
    aside += [(int(number), "blank row") for number in frame.index[:end][blank]]
    return RawTable(file, frame.iloc[:end][~blank], (*remarks, *tail), tuple(aside), encoding)


def _holds_labels(row: list[Any], source: Source) -> bool:
    """Half of the mapped labels make a header, so that one missing column still gets a clear answer."""
    cells = {cell_text(cell) for cell in row}
    return 2 * sum(label in cells for label in source.columns) >= len(source.columns)


def _labels(header: list[str], export: Export, row: int, sheet: str = "") -> list[str]:
    labels = [str(cell).strip() or f"(column {i + 1})" for i, cell in enumerate(header)]
    wanted = wanted_labels(export.source)
    twice = sorted({label for label in labels if labels.count(label) > 1 and label in wanted})
    if twice:
        fix = "rename one of the two columns in the report and export again"
        raise export.fault(f'the column "{twice[0]}" stands there twice', fix, row, sheet)
    missing = [label for label in wanted if label not in labels]
    if missing:
        spare = [label for label in labels if label not in wanted]
        hints = "; ".join(f'"{label}" ({did_you_mean(label, spare)})' for label in missing)
        fix = f"add the column to the report and export again, or correct the label in {export.mapping}"
        what = f"{'a column is' if len(missing) == 1 else f'{len(missing)} columns are'} missing: {hints}"
        raise export.fault(what, fix, row, sheet)
    return [label if labels.count(label) == 1 else f"{label} ({i})" for i, label in enumerate(labels)]


def wanted_labels(source: Source) -> list[str]:
    """The labels that a mapping reads."""
    credits = [label for credit in source.attribution for label in (credit.column, credit.split) if label]
    return list(dict.fromkeys([*source.columns, *credits]))


def _no_header(export: Export, rows: list[list[Any]], hint: str = "") -> SourceError:
    if not any(cell != "" for row in rows for cell in row):
        return export.fault("this export is empty", "export it again, with its header and its rows")
    fullest = max(rows[:20], key=lambda row: sum(cell != "" for cell in row))
    seen = ", ".join(cell_text(cell)[:30] for cell in fullest[:8] if cell != "")
    label = next(iter(export.source.columns))
    other = f"look at columns: and sheet: in {export.mapping}" if export.source.sheet else ""
    fix = hint or other or f"look at columns: in {export.mapping}, or export it again with its header"
    return export.fault(f'no row holds the labels of the mapping, such as "{label}"; one row reads: {seen}', fix)


def cell_text(cell: Any) -> str:
    """A cell of a workbook as text: whole numbers without a point, dates as ISO."""
    if isinstance(cell, float):
        # Excel itself shows fifteen digits; the rest is noise of its arithmetic.
        return str(int(cell)) if cell.is_integer() else format(Decimal(format(cell, ".15g")), "f")
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat()
    return str(cell).strip()
