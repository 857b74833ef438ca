"""What the tests of reading share: files that are made on the spot, and a table read to its end."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pbr_lib import reading
from pbr_lib.errors import SourceError
from pbr_lib.model import Finding
from pbr_lib.reading import How, RawTable

EXPORTS = Path(__file__).resolve().parents[2] / "shared" / "exports"
LABELS = frozenset(["Deal ID", "Partner", "Stage", "Amount"])
MAPPED = How(labels=LABELS)
HEAD = "Deal ID,Partner,Stage,Amount\n"
BODY = "D-1,Müller & Söhne,Won,100\nD-2,Łódź Works,Open,200\n"
DEALS: list[list[Any]] = [
    ["Deal ID", "Partner", "Stage", "Amount"],
    ["D-1", "Acme", "Won", 100],
    ["D-2", "Beta", "Open", 200],
]


@dataclass(frozen=True)
class Done:
    """A table read to its end: the numbers of its rows, their texts, and the table."""

    numbers: list[int]
    rows: list[list[str]]
    kinds: list[list[int]]
    table: RawTable

    @property
    def reasons(self) -> dict[str, tuple[int, ...]]:
        """The rows that were set aside, by reason."""
        return {aside.reason: aside.rows for aside in self.table.aside}

    def told(self, text: str) -> Finding:
        """The one finding that says so."""
        found = [finding for finding in self.table.findings if text in finding.what]
        assert len(found) == 1, [finding.what for finding in self.table.findings]
        assert found[0].file == self.table.place
        return found[0]


def finish(table: RawTable) -> Done:
    """Read a table to its end; no row of it may vanish."""
    numbers: list[int] = []
    rows: list[list[str]] = []
    kinds: list[list[int]] = []
    for batch in table.batches():
        assert len(batch.columns) == len(table.labels)
        assert all(cells.text.null_count == 0 and len(cells) == len(batch) for cells in batch.columns)
        numbers += batch.rows.tolist()
        rows += [list(row) for row in zip(*[cells.text.to_pylist() for cells in batch.columns], strict=True)]
        by_column = [[0] * len(batch) if cells.kinds is None else cells.kinds.tolist() for cells in batch.columns]
        kinds += [list(row) for row in zip(*by_column, strict=True)]
    assert table.rows_read == len(numbers) + sum(aside.count for aside in table.aside)
    assert numbers == sorted(set(numbers))
    return Done(numbers, rows, kinds, table)


def read(folder: Path, data: str | bytes, file: str = "deals.csv", how: How = MAPPED) -> Done:
    """These bytes as a file, read to the end."""
    (folder / file).write_bytes(data.encode() if isinstance(data, str) else data)
    return finish(reading.read(folder / file, f"data/{file}", how))


def refused(folder: Path, data: str | bytes, file: str = "deals.csv", how: How = MAPPED) -> SourceError:
    """The error that reading these bytes gives; it has a place and a remedy."""
    with pytest.raises(SourceError) as caught:
        read(folder, data, file, how)
    assert caught.value.where.startswith(f"data/{file}")
    assert caught.value.fix
    return caught.value


def book(*sheets: tuple[str, Sequence[Sequence[Any]]]) -> openpyxl.Workbook:
    """A workbook with these rows in these sheets."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets:
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    return made


def saved(made: openpyxl.Workbook) -> bytes:
    """A workbook as bytes."""
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def changed(package: bytes, new: Mapping[str, bytes | None]) -> bytes:
    """A zip with some parts exchanged, added or (None) left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in old.namelist():
            if name not in new:
                target.writestr(name, old.read(name))
        for name, data in new.items():
            if data is not None:
                target.writestr(name, data)
    return out.getvalue()


def part(package: bytes, name: str) -> bytes:
    """One part of a zip."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.read(name)


def zipped(**files: bytes) -> bytes:
    """A zip of these files, with ``_csv`` and the like as suffix."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(".".join(name.rsplit("_", 1)), data)
    return out.getvalue()


def html(rows: Sequence[Sequence[str]], before: str = "<html><head><title>Report</title></head><body>") -> str:
    """The rows as a table of HTML, as CRMs save it under the name of a workbook."""
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return before + "<table>" + "\n".join(lines) + "</table></body></html>"


def _written(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return str(int(value)) if isinstance(value, bool) else str(value)


def spreadsheetml(rows: Sequence[Sequence[Any]], name: str = "Deals") -> str:
    """The rows as an XML workbook of Excel 2003."""
    kinds = {int: "Number", float: "Number", dt.datetime: "DateTime", bool: "Boolean"}
    lines = []
    for row in rows:
        cells = [f'<Cell><Data ss:Type="{kinds.get(type(v), "String")}">{_written(v)}</Data></Cell>' for v in row]
        lines.append(f"<Row>{''.join(cells)}</Row>")
    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel">'
        f'<Worksheet ss:Name="{name}"><Table>{"".join(lines)}</Table></Worksheet></Workbook>'
    )
