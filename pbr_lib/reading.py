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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from python_calamine import CalamineError, CalamineWorkbook

from pbr_lib.definitions import Source
from pbr_lib.errors import SourceError, did_you_mean

__all__ = ["RawTable", "cell_text", "read_source", "sha256", "wanted_labels"]

_TOTALS = ("grand total", "total", "subtotal", "sum", "count")


@dataclass(frozen=True)
class RawTable:
    """Rows as they stand in the file: ``frame`` has one column per label and the row number as index."""

    file: str
    frame: pd.DataFrame = field(repr=False)
    remarks: tuple[str, ...]
    set_aside: tuple[tuple[int, str], ...]
    encoding: str = ""

    @property
    def rows_read(self) -> int:
        """Rows below the header, remarks and blank lines included."""
        return len(self.frame) + len(self.set_aside)


def sha256(path: Path) -> str:
    """The fingerprint of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_source(source: Source, folder: Path) -> RawTable:
    """The raw rows of one export.

    Raises
    ------
    SourceError
        When the file or sheet is missing, cannot be decoded, or no row holds the mapped labels.
    """
    path = folder / source.file
    if not path.is_file():
        near = difflib.get_close_matches(source.file, [p.name for p in folder.glob("*") if p.is_file()], n=1)
        hint = f'is it "{near[0]}"? ' if near else ""
        fix = f"{hint}Put the export there, or write optional: true into its mapping"
        raise SourceError("this export is missing", _name(path, folder), fix)
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"):
        rows, sheet = _sheet_rows(path, source, folder)
        return _table(rows, source, f"{source.file} [{sheet}]", "")
    text, encoding = _text(path, source, folder)
    return _csv_table(text, source, encoding)


def _name(path: Path, folder: Path) -> str:
    return f"{folder.name}/{path.name}"


def _text(path: Path, source: Source, folder: Path) -> tuple[str, str]:
    """Byte-order mark, else strict UTF-8, else Windows-1252: statistics guess wrong on real exports."""
    data = path.read_bytes()
    marks = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
    candidates = [source.encoding] if source.encoding else [n for mark, n in marks if data.startswith(mark)]
    for encoding in candidates or ["utf-8", "cp1252"]:
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError) as error:
            if source.encoding:
                fix = "correct encoding: in the mapping, or remove it to have it detected"
                raise SourceError(f"this file is not {encoding}: {error}", _name(path, folder), fix) from None
            continue
        if "\0" in text:
            break
        return text, encoding
    raise SourceError("this is no text file", _name(path, folder), "export it again as CSV (UTF-8)")


def _csv_table(text: str, source: Source, encoding: str) -> RawTable:
    """Only the lines above the header go through Python; the rows go through pandas at C speed."""
    head = []
    reader = csv.reader(io.StringIO(text), delimiter=source.delimiter)
    try:
        for row in reader:
            head.append((reader.line_num, row))
            if _holds_labels(row, source) or len(head) > 60:
                break
    except csv.Error as error:
        raise SourceError(f"this is no CSV: {error}", source.file, "export it again as CSV") from None
    if not head or not _holds_labels(head[-1][1], source):
        raise _no_header(source, [row for _, row in head])
    lines_above, header = head[-1]
    labels = _labels(header, source, source.file)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=source.delimiter,
            skiprows=lines_above,
            header=None,
            names=labels,
            index_col=False,
            dtype="str",
            na_filter=False,
            skip_blank_lines=False,
        ).fillna("")
    except (pd.errors.ParserError, ValueError) as error:
        raise SourceError(f"a row does not fit under the header: {error}", source.file, "mend that row") from None
    frame.index = pd.RangeIndex(lines_above + 1, lines_above + 1 + len(frame))
    remarks = tuple(" ".join(cell for cell in row if cell) for _, row in head[:-1])
    return _without_footer(frame, source.file, remarks, encoding)


def _sheet_rows(path: Path, source: Source, folder: Path) -> tuple[list[list[Any]], str]:
    try:
        workbook = CalamineWorkbook.from_path(path)
    except (CalamineError, OSError, ValueError) as error:
        fix = "open it in Excel without a password and save it again as .xlsx"
        raise SourceError(f"this workbook cannot be read: {error}", _name(path, folder), fix) from None
    sheet = source.sheet or workbook.sheet_names[0]
    if sheet not in workbook.sheet_names:
        fix = did_you_mean(sheet, workbook.sheet_names)
        raise SourceError(f'no sheet is called "{sheet}"', _name(path, folder), fix)
    return workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False), sheet


def _table(rows: list[list[Any]], source: Source, file: str, encoding: str) -> RawTable:
    at = next((i for i, row in enumerate(rows[:60]) if _holds_labels(row, source)), None)
    if at is None:
        raise _no_header(source, rows[:60])
    labels = _labels([cell_text(cell) for cell in rows[at]], source, file)
    body = [list(row) + [""] * (len(labels) - len(row)) for row in rows[at + 1 :]]
    frame = pd.DataFrame(body, columns=labels, dtype=object)
    frame.index = pd.RangeIndex(at + 2, at + 2 + len(frame))
    remarks = tuple(" ".join(cell_text(cell) for cell in row if cell != "") for row in rows[:at])
    return _without_footer(frame, file, remarks, encoding)


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


def _labels(header: list[str], source: Source, file: str) -> list[str]:
    labels = [str(cell).strip() or f"(column {i + 1})" for i, cell in enumerate(header)]
    wanted = wanted_labels(source)
    twice = sorted({label for label in labels if labels.count(label) > 1 and label in wanted})
    if twice:
        fix = "rename one of the two columns in the report and export again"
        raise SourceError(f'the column "{twice[0]}" stands there twice', file, fix)
    missing = [label for label in wanted if label not in labels]
    if missing:
        spare = [label for label in labels if label not in wanted]
        hints = "; ".join(f'"{label}" ({did_you_mean(label, spare)})' for label in missing)
        fix = "add the column to the report and export again, or correct the label in the mapping"
        what = f"{'a column is' if len(missing) == 1 else f'{len(missing)} columns are'} missing: {hints}"
        raise SourceError(what, file, fix)
    return [label if labels.count(label) == 1 else f"{label} ({i})" for i, label in enumerate(labels)]


def wanted_labels(source: Source) -> list[str]:
    """The labels that a mapping reads."""
    credits = [label for credit in source.attribution for label in (credit.column, credit.split) if label]
    return list(dict.fromkeys([*source.columns, *credits]))


def _no_header(source: Source, rows: list[list[Any]]) -> SourceError:
    cells = [cell_text(cell) for row in rows for cell in row if cell != ""]
    label = next(iter(source.columns))
    fix = f'check the labels under columns: in the mapping; looking for "{label}", {did_you_mean(label, cells, 8)}'
    return SourceError("no row holds the labels of the mapping", source.file, fix)


def cell_text(cell: Any) -> str:
    """A cell of a workbook as text: whole numbers without a point, dates as ISO."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat()
    return str(cell).strip()
