"""Excel and OpenDocument workbooks as grids; apart, because they are read in a process of their own, behind a gate.

First the package is looked at (:mod:`pbr_lib.reading.sheetxml`), then a child process reads it with bounded memory
and time, and hands its cells over in Arrow files. Whatever a hostile workbook does to that process, here it becomes
one sentence.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pyarrow as pa

from pbr_lib.cells import ERROR, Cells
from pbr_lib.errors import SourceError, did_you_mean
from pbr_lib.model import Finding
from pbr_lib.reading import packages, sheetxml
from pbr_lib.reading.gate import Origin
from pbr_lib.reading.grids import Area, How, MemoryGrid, Slab

__all__ = ["grids", "ole_grids"]

_MEMORY, _SECONDS, _PATIENCE = 6 << 30, 600, 900
_NAMES = {"xlsx": "XLSX", "xlsb": "XLSB", "ods": "ODS", "xls": "XLS"}
_AGAIN = "open it in Excel without a password and save it again as .xlsx"
_CHUNK = 1 << 20


def grids(origin: Origin, how: How) -> tuple[MemoryGrid, ...]:
    """The visible sheets of a workbook that is a zip package (or the one that is named), in their order.

    Raises
    ------
    SourceError
        When it is damaged, hostile, locked, or another document; when it has no such sheet; or when its data lie in
        a place that only Excel can open.
    """
    with packages.checked(origin) as package:
        form = packages.is_workbook(package)
        if form == "other":
            raise origin.fault(
                "this is a document of another program, not a workbook", "export it as .xlsx or CSV (UTF-8)"
            )
        try:
            book, scans = _looked_at(package, form, how)
        except SourceError as error:
            raise SourceError(
                error.what, origin.shown + (f" [{error.where}]" if error.where else ""), error.fix
            ) from None
        except packages.BROKEN as error:
            raise origin.fault(
                f"this workbook cannot be read: {error}", "it is damaged or cut off; export it again"
            ) from None
    return _read(origin, form, how, book, scans)


def _looked_at(
    package: zipfile.ZipFile, form: str, how: How
) -> tuple[sheetxml.Workbook | None, dict[str, sheetxml.SheetScan]]:
    names = {name.replace("\\", "/").lstrip("/").lower(): name for name in package.namelist()}
    if form == "ods":
        if (
            b"encryption-data" in package.read(names["meta-inf/manifest.xml"])
            if "meta-inf/manifest.xml" in names
            else False
        ):
            raise SourceError("this workbook is locked with a password", "", "save it without a password")
        _no_entities(package, names["content.xml"])
    if form != "xlsx":
        return None, {}
    book = sheetxml.workbook(package)
    if "xl/sharedstrings.xml" in names:
        _no_entities(package, names["xl/sharedstrings.xml"])
    scans: dict[str, sheetxml.SheetScan] = {}
    for name, part in book.parts.items():
        if name == how.sheet or (not how.sheet and book.states.get(name) == "visible"):
            try:
                scans[name] = sheetxml.scan(lambda part=part: package.open(part))  # type: ignore[misc]
            except SourceError as error:
                raise SourceError(error.what, name, error.fix) from None
    return book, scans


def _no_entities(package: zipfile.ZipFile, part: str) -> None:
    # A document type can stand nowhere but before the first element.
    with package.open(part) as stream:
        if re.search(rb"<!(?:DOCTYPE|ENTITY)", stream.read(65_536), re.I):
            raise sheetxml.hostile()


def ole_grids(origin: Origin, how: How) -> tuple[MemoryGrid, ...]:
    """The visible sheets of an old workbook (.xls), or of a new one that turns out to be locked.

    Raises
    ------
    SourceError
        As :func:`grids`.
    """
    head, marks = b"", dict[str, bool]()
    with origin.open() as stream:
        while data := stream.read(_CHUNK):
            piece = head[-64:] + data
            for name in (
                "EncryptedPackage",
                "EncryptionInfo",
                "Workbook",
                "Book",
                "WordDocument",
                "DRMContent",
                "__substg",
            ):
                marks[name] = marks.get(name, False) or name.encode("utf-16-le") in piece
            head = data
    if marks.get("EncryptedPackage") or marks.get("EncryptionInfo") or marks.get("DRMContent"):
        what = "this workbook is locked with a password or a sensitivity label"
        raise origin.fault(what, "open it in Excel, remove the protection, and save it again as .xlsx")
    if marks.get("WordDocument") or marks.get("__substg"):
        raise origin.fault("this is a document of Word or Outlook, not a workbook", "export it as .xlsx or CSV (UTF-8)")
    if not marks.get("Workbook") and not marks.get("Book"):
        raise origin.fault("this workbook is damaged or cut off: it has no sheets", "export it again")
    return _read(origin, "xls", how, None, {})


# ----------------------------------------------------------------------------------- the other process


def _read(
    origin: Origin, form: str, how: How, book: sheetxml.Workbook | None, scans: Mapping[str, sheetxml.SheetScan]
) -> tuple[MemoryGrid, ...]:
    with tempfile.TemporaryDirectory(prefix="pbr-") as name:
        folder = Path(name)
        summary = _summary(origin, _rightly_named(origin, folder, form), folder, how.sheet)
        listed: list[dict[str, Any]] = summary["sheets"]
        _check_names(origin, listed, how.sheet)
        facts = {"format": _format(origin, form), **_dynamics(summary["hidden"])}
        if origin.member:
            facts["member"] = origin.member
        made = tuple(
            _grid(origin, folder, sheet, {**facts, "sheet": sheet["name"]}, book, scans.get(sheet["name"]))
            for sheet in listed
            if sheet["file"]
        )
    broken = next((sheet for sheet in listed if sheet["error"]), None)
    if broken and not any(grid.slabs for grid in made):
        what = f'the sheet "{broken["name"]}" cannot be read: {broken["error"][:200]}'
        raise origin.fault(what, _AGAIN)
    if book and book.model and not any(grid.slabs for grid in made):
        what = "the data of this workbook lie in its Power Pivot model, which only Excel can open"
        raise origin.fault(what, "export the data themselves, or load them into a sheet")
    return _with_hidden(made, listed, how.sheet)


def _rightly_named(origin: Origin, folder: Path, form: str) -> Path:
    """The file under a name that says what it is: calamine trusts the suffix, and people and programs do not."""
    right = (".xlsx", ".xlsm") if form == "xlsx" else (f".{form}",)
    if origin.path is not None and origin.path.suffix.lower() in right:
        return origin.path.resolve()
    path = folder / f"workbook.{form}"
    with origin.open() as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    return path


def _summary(origin: Origin, path: Path, folder: Path, sheet: str) -> dict[str, Any]:
    # Started as a file and not as a module, it imports nothing of this package; -P keeps the folder of the exports
    # out of the path that modules are taken from.
    child = Path(__file__).with_name("workbook_child.py")
    command = [
        sys.executable,
        "-P",
        str(child),
        str(path),
        str(folder),
        sheet,
        str(_MEMORY),
        str(_SECONDS),
    ]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise origin.fault(
            f"this workbook was not read within {_PATIENCE} seconds", "export it as CSV (UTF-8)"
        ) from None
    told = folder / "summary.json"
    if done.returncode or not told.is_file():
        raise origin.fault(_death(done.stderr), "delete what lies far behind the data, or export it as CSV (UTF-8)")
    summary: dict[str, Any] = json.loads(told.read_text("utf-8"))
    if summary["error"]:
        raise _refusal(origin, summary["error"])
    return summary


def _death(stderr: bytes) -> str:
    wanted = re.search(rb"memory allocation of (\d+) bytes failed", stderr)
    if wanted:
        return f"the workbook claims {int(wanted[1]) // 32:,} cells, more than memory holds"
    return "this workbook cannot be read: the program that reads it was ended by it"


def _refusal(origin: Origin, error: str) -> SourceError:
    if "assword" in error:
        return origin.fault("this workbook is locked with a password", "save it without a password")
    if "MemoryError" in error:
        return origin.fault("the workbook claims more cells than memory holds", "export it as CSV (UTF-8)")
    short = re.sub(r"\s+", " ", error.partition(": ")[2] or error)[:200]
    return origin.fault(f"this workbook cannot be read: {short}", f"it is damaged or cut off; {_AGAIN}")


def _check_names(origin: Origin, listed: list[dict[str, Any]], sheet: str) -> None:
    names = [each["name"] for each in listed]
    if sheet and sheet not in names:
        fix = f"{did_you_mean(sheet, names)} (the sheet is named in the mapping)"
        raise origin.fault(f'no sheet is called "{sheet}"', fix)
    named = next((each for each in listed if each["name"] == sheet), None)
    if named and not named["file"] and not named["error"]:
        raise origin.fault(f'"{sheet}" is a chart, not a sheet of cells', "name another sheet in the mapping")


def _format(origin: Origin, form: str) -> str:
    suffix = origin.name.rpartition(".")[2].lower()
    usual = {form, "xlsm", "xltx", "xltm"} if form == "xlsx" else {form, "xlt"}
    return _NAMES[form] if suffix in usual else f"{_NAMES[form]} in a .{suffix} file"


def _dynamics(cell: str) -> dict[str, str]:
    """What Dynamics says of its own export: the entity, and the logical name behind each label."""
    entity, _, rest = cell.partition(":")
    fields = rest.partition(":")[2]
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,127}", entity) or "=" not in fields:
        return {}
    labels: dict[str, str] = {}
    for logical, shown in parse_qsl(fields, keep_blank_values=True, max_num_fields=20_000):
        if logical != "checksumLogicalName":
            labels.setdefault(shown, logical)
    return {"dynamics_entity": entity, "dynamics_labels": json.dumps(labels, ensure_ascii=False)}


# ------------------------------------------------------------------------------------------ the grids


def _grid(
    origin: Origin,
    folder: Path,
    sheet: Mapping[str, Any],
    facts: dict[str, str],
    book: sheetxml.Workbook | None,
    scan: sheetxml.SheetScan | None,
) -> MemoryGrid:
    slabs: list[Slab] = []
    first = 1
    with pa.OSFile(str(folder / sheet["file"])) as source:
        reader = pa.ipc.open_file(source)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            slabs.append(_slab(batch, first, scan))
            first += batch.num_rows
    merged = tuple(Area(top + 1, left, right, bottom + 1) for top, left, bottom, right in sheet["merged"])
    findings = _hidden_cells(scan) if scan else ()
    tables = book.tables.get(sheet["name"], ()) if book else ()
    formulas = tuple(scan.empty_formulas) if scan else ()
    grid = MemoryGrid(sheet["name"], tuple(slabs), facts, findings, merged, tables, formulas)
    return grid if slabs and grid.occupied.any() else replace(grid, slabs=())


def _slab(batch: pa.RecordBatch, first: int, scan: sheetxml.SheetScan | None) -> Slab:
    columns: list[Cells] = []
    errors: dict[int, dict[int, str]] = {}
    for (row, column), text in scan.errors.items() if scan else ():
        if first <= row < first + batch.num_rows:
            errors.setdefault(column, {})[row - first] = text
    for number in range(batch.num_columns // 2):
        text, kinds = batch.column(2 * number), batch.column(2 * number + 1).to_numpy(zero_copy_only=False)
        if number in errors:
            texts, kinds = text.to_pylist(), kinds.copy()
            for at, shown in errors[number].items():
                texts[at], kinds[at] = shown, ERROR
            text = pa.array(texts, pa.string())
        columns.append(Cells(text, kinds if kinds.any() else None))
    return Slab(first, tuple(columns))


def _hidden_cells(scan: sheetxml.SheetScan) -> tuple[Finding, ...]:
    out = []
    if scan.hidden_rows:
        what = f"{scan.hidden_rows:,} hidden rows count like any other"
        fix = "clear the filter and show the rows, to see what is counted"
        out.append(Finding("warning", what, fix=fix, count=scan.hidden_rows))
    columns = sum(last - first + 1 for first, last in scan.hidden_columns if first < 16_000 and last < 16_000)
    if columns:
        what = f"{columns:,} hidden columns are read like any other"
        out.append(Finding("warning", what, fix="show the columns, to see what is read", count=columns))
    return tuple(out)


def _with_hidden(made: tuple[MemoryGrid, ...], listed: list[dict[str, Any]], sheet: str) -> tuple[MemoryGrid, ...]:
    """The grids, each with a word on the sheets that were not read because they are hidden."""
    hidden = [each["name"] for each in listed if each["state"] != "visible" and each["name"] != "hiddenSheet"]
    broken = [each["name"] for each in listed if each["error"]]
    more: list[Finding] = []
    if sheet in hidden:
        more.append(Finding("warning", f'the sheet "{sheet}" is hidden, and was read because the mapping names it'))
    elif hidden and not sheet:
        names = ", ".join(f'"{name}"' for name in hidden[:5])
        fix = "write sheet: into the mapping to read one of them"
        more.append(Finding("info", f"hidden sheets were not read: {names}", fix=fix, count=len(hidden)))
    if broken:
        names = ", ".join(f'"{name}"' for name in broken[:5])
        more.append(Finding("warning", f"sheets that cannot be read: {names}", count=len(broken)))
    return tuple(replace(grid, findings=(*grid.findings, *more)) for grid in made)
