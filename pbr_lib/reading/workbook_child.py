"""The process that reads a workbook with calamine; apart, because the library ends its whole process on a hostile
workbook, and its memory can only be bounded where nothing else lives.

Started as ``python -P workbook_child.py FILE FOLDER SHEET MEMORY SECONDS``, so that it imports nothing of the package;
writes ``summary.json`` and one Arrow file per sheet into FOLDER. A workbook that cannot be read is told in the summary,
with exit code 0.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

__all__ = ["cell_text", "column", "main"]

# The kinds of pbr_lib.cells, said again: what is imported here is paid by every workbook.
TEXT, NUMBER, DATE, DATETIME, BOOL = range(5)
_ROWS = 65_536
_KINDS: dict[type, int] = {
    str: TEXT,
    int: NUMBER,
    float: NUMBER,
    bool: BOOL,
    dt.date: DATE,
    dt.datetime: DATETIME,
    dt.timedelta: NUMBER,
    dt.time: TEXT,
}
_MOST_SHEETS = 60


def main(arguments: Sequence[str]) -> int:
    """Read the workbook; returns the exit code.

    ``arguments`` are the file, the folder to write into, the one sheet wanted (or empty), the memory limit in bytes
    and the limit of computing time in seconds.
    """
    path, folder, wanted, memory, seconds = arguments
    _limit(int(memory), int(seconds))
    summary: dict[str, Any] = {"sheets": [], "hidden": "", "error": ""}
    try:
        _read(path, Path(folder), wanted, summary)
    except Exception as error:  # noqa: BLE001  whatever is wrong with a workbook, its reader says so in one line
        summary["error"] = f"{type(error).__name__}: {error}"
    Path(folder, "summary.json").write_text(json.dumps(summary), "utf-8")
    return 0


def _limit(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; there the look at the package comes first and last
        return
    for name, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        hard = resource.getrlimit(name)[1]
        resource.setrlimit(name, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _read(path: str, folder: Path, wanted: str, summary: dict[str, Any]) -> None:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    for number, about in enumerate(book.sheets_metadata):
        state = str(about.visible).rpartition(".")[2].lower()
        kind = str(about.typ).rpartition(".")[2].lower()
        entry = {"name": about.name, "state": state, "kind": kind, "file": "", "merged": [], "error": ""}
        summary["sheets"].append(entry)
        if number >= _MOST_SHEETS or kind not in ("worksheet", "macrosheet", "dialogsheet"):
            continue
        if about.name == "hiddenSheet":
            summary["hidden"] = _first_cell(book, about.name)
        if (wanted and wanted != about.name) or (not wanted and state != "visible"):
            continue
        try:
            sheet = book.get_sheet_by_name(about.name)
            entry["file"] = f"{number}.arrow"
            _write(sheet, folder / entry["file"])
            entry["merged"] = [[*start, *end] for start, end in (sheet.merged_cell_ranges or [])][:200_000]
        except Exception as error:  # noqa: BLE001  one broken sheet does not spoil the others
            entry["file"], entry["error"] = "", f"{type(error).__name__}: {error}"


def _first_cell(book: Any, name: str) -> str:
    row = next(iter(book.get_sheet_by_name(name).iter_rows()), [""])
    return str(row[0]) if row else ""


def _write(sheet: Any, path: Path) -> None:
    """One sheet as an Arrow file: for each column its texts and its kinds, rows from the first of the sheet on."""
    import pyarrow as pa

    width = (sheet.end[1] + 1) if sheet.end else 0
    fields = [
        (f"{part}{number}", kind) for number in range(width) for part, kind in (("t", pa.string()), ("k", pa.uint8()))
    ]
    schema = pa.schema(fields)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        # Rows come from the first of the sheet on, their cells only from the first column in use.
        before = [""] * (sheet.start[1] if sheet.start else 0)
        for rows in _chunks(sheet.iter_rows(), max(min(_ROWS, 4_000_000 // max(width, 1)), 1)):
            arrays: list[Any] = []
            for values in zip(*(before + row for row in rows), strict=True):
                texts, kinds = column(values)
                arrays += [pa.array(texts, pa.string()), pa.array(kinds, pa.uint8())]
            if arrays:
                writer.write_batch(pa.record_batch(arrays, schema=schema))


def _chunks(rows: Iterator[list[Any]], count: int) -> Iterator[list[list[Any]]]:
    while chunk := list(islice(rows, count)):
        yield chunk


def column(values: Sequence[Any]) -> tuple[list[str], bytes | list[int]]:
    """The texts and kinds of one column of calamine's values; each distinct value is converted once."""
    kinds = list(map(type, values))
    distinct = set(kinds)
    if distinct <= {str}:
        return list(values), [TEXT] * len(values)
    # One and True are equal, and so share a place in a dictionary, unless their types stand beside them.
    keys = list(zip(kinds, values, strict=True))
    texts = {key: cell_text(key[1]) for key in set(keys)}
    known = {kind: _KINDS.get(kind, TEXT) for kind in distinct}
    return [texts[key] for key in keys], [known[kind] for kind in kinds]


def cell_text(value: Any) -> str:
    """A value as text in its one form: numbers as plain decimals of 15 digits, days and moments as ISO.

    A duration is the number of days that Excel holds for it, a time of day is text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dt.datetime):
        return _moment(value)
    if isinstance(value, dt.timedelta):
        return _number(value / dt.timedelta(days=1))
    return str(value.isoformat() if isinstance(value, dt.date | dt.time) else value)


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    # Excel itself shows fifteen digits; the rest is noise of its arithmetic.
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(Decimal(format(value, ".15g")), "f")


def _moment(value: dt.datetime) -> str:
    """A moment to the second: Excel's days as fractions miss it by less than a millisecond."""
    with contextlib.suppress(OverflowError):
        value += dt.timedelta(milliseconds=1)
    return value.replace(microsecond=0).isoformat()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
