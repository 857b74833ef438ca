"""One pass over the XML of an Excel package before any parser sees it; apart, because it is the gate against hostile
workbooks, and because it finds what the parser says nothing about: errors, formulas without a value, what is hidden.

Everything here works on bytes, piece by piece, with searches that stop at what is rare.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from lxml import etree

from pbr_lib.errors import SourceError
from pbr_lib.reading.grids import Area, column_letters

__all__ = ["MOST_CELLS", "SheetScan", "Workbook", "area_of", "column_number", "scan", "workbook"]

# Cells are held in a dense rectangle of 32 bytes each, so a rectangle beyond this needs gigabytes.
MOST_CELLS = 60_000_000
_PIECE = 1 << 22
_MOST_NOTED = 200_000
_HOSTILE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.I)
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_FILLED = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br=[\"']([A-Z]{1,3})(\d{1,7})[\"'][^>]*(?<!/)>")
_ERROR = re.compile(
    rb"<(?:\w+:)?c\s([^>]*\bt=[\"']e[\"'][^>]*)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]{1,40})</", re.S
)
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:</(?:\w+:)?c>|<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</)"
)
_ADDRESS = re.compile(rb"\br=[\"']([A-Z]{1,3})(\d{1,7})[\"']")
_HIDDEN = re.compile(rb"\bhidden=[\"'](?:1|true)[\"']")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s([^>]*)>")


@dataclass
class SheetScan:
    """What the XML of one sheet says: addresses are rows from 1 and columns from 0."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    empty_formulas: list[tuple[int, int]] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Workbook:
    """The parts of an Excel package: the part of each sheet by name, its state, and its Excel tables."""

    parts: dict[str, str]
    states: dict[str, str]
    tables: dict[str, tuple[tuple[str, Area, int], ...]]
    model: bool = False


def column_number(letters: bytes) -> int:
    """The number of a column from 0: ``A`` is 0, ``AA`` 26."""
    number = 0
    for sign in letters:
        number = number * 26 + sign - 64
    return number - 1


def area_of(text: str) -> Area | None:
    """The rectangle that ``A1:C9`` names; None when it names none."""
    found = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?", text)
    if not found:
        return None
    left, top = column_number(found[1].encode()), int(found[2])
    right = column_number((found[3] or found[1]).encode())
    return Area(min(top, int(found[4] or top)), min(left, right), max(left, right), max(top, int(found[4] or top)))


# --------------------------------------------------------------------------------------- the package


def workbook(package: zipfile.ZipFile) -> Workbook:
    """The sheets and tables of a package; what it does not say is left out.

    Raises
    ------
    SourceError
        When a part holds a document type or an entity, as no workbook does.
    """
    names = {name.replace("\\", "/").lstrip("/").lower(): name for name in package.namelist()}
    book = _xml(package, names, "xl/workbook.xml")
    targets = _targets(package, names, "xl/workbook.xml")
    parts: dict[str, str] = {}
    states: dict[str, str] = {}
    tables: dict[str, tuple[tuple[str, Area, int], ...]] = {}
    for sheet in _all(book, "sheet"):
        name = sheet.get("name", "")
        link = next((value for key, value in sheet.attrib.items() if str(key).endswith("}id")), "")
        part = targets.get(link, "")
        states[name] = sheet.get("state", "visible").lower()
        if part.lower() in names:
            parts[name] = names[part.lower()]
            tables[name] = tuple(_tables(package, names, part))
    return Workbook(parts, states, tables, "xl/model/item.data" in names)


def _tables(package: zipfile.ZipFile, names: dict[str, str], part: str) -> Iterator[tuple[str, Area, int]]:
    for target in sorted(set(_targets(package, names, part).values())):
        if "/tables/" not in target.lower():
            continue
        table = _xml(package, names, target.lower())
        area = None if table is None else area_of(table.get("ref", ""))
        if table is None or area is None or table.get("headerRowCount") == "0":
            continue
        totals = table.get("totalsRowCount", "0")
        yield table.get("displayName") or table.get("name", ""), area, int(totals) if totals.isdigit() else 0


def _targets(package: zipfile.ZipFile, names: dict[str, str], part: str) -> dict[str, str]:
    """What the links of a part point to, by their ids, as paths from the root of the package."""
    folder, _, file = part.rpartition("/")
    links = _xml(package, names, f"{folder}/_rels/{file}.rels".lower())
    out: dict[str, str] = {}
    for link in _all(links, "Relationship"):
        target = link.get("Target", "").replace("\\", "/")
        if link.get("TargetMode") == "External" or not target:
            continue
        pieces = [] if target.startswith("/") else folder.split("/")
        for piece in target.split("/"):
            if piece == "..":
                pieces = pieces[:-1]
            elif piece not in ("", "."):
                pieces.append(piece)
        out[link.get("Id", "")] = "/".join(pieces)
    return out


def _xml(package: zipfile.ZipFile, names: dict[str, str], part: str) -> Any:
    """A small part as a tree; None when it is not there or no XML."""
    if part.lower() not in names:
        return None
    with package.open(names[part.lower()]) as stream:
        data = stream.read(16 << 20)
    if _HOSTILE.search(data):
        raise hostile()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _all(tree: Any, name: str) -> list[Any]:
    return [] if tree is None else [node for node in tree.iter() if str(node.tag).rpartition("}")[2] == name]


def hostile() -> SourceError:
    """The refusal of XML that defines entities, with which a small file can be made to fill any memory."""
    return SourceError(
        "the workbook holds XML with a document type, as only an XML bomb does",
        "",
        "do not open it; ask its sender for another export",
    )


# ----------------------------------------------------------------------------------------- one sheet


def scan(opened: Callable[[], IO[bytes]]) -> SheetScan:
    """Look through the XML of one sheet; ``opened`` opens it anew.

    Raises
    ------
    SourceError
        When it holds a document type, or when its filled cells span more than can be read.
    """
    out = SheetScan()
    rows, columns, columns_done = 1, 1, False
    with opened() as stream:
        for piece in _pieces(stream):
            if b"<!" in piece and _HOSTILE.search(piece):
                raise hostile()
            if not columns_done:
                _hidden_columns(piece.partition(b"sheetData")[0], out)
                columns_done = b"sheetData" in piece
            here = _bounds(piece)
            rows, columns = max(rows, here[0]), max(columns, here[1])
            _odd_cells(piece, out)
    if rows * columns > MOST_CELLS:
        with opened() as stream:
            _check_extent(stream)
    return out


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The XML in pieces that end behind a row, so that no cell is cut in two unless rows are absurdly long."""
    rest = b""
    while data := stream.read(_PIECE):
        data = rest + data
        cut = data.rfind(b"row>") + 4
        if cut < 4:
            cut = data.rfind(b">") + 1 if len(data) > 8 * _PIECE else 0
        if cut:
            yield data[:cut]
        rest = data[cut:]
    yield rest


def _bounds(piece: bytes) -> tuple[int, int]:
    """The last row and the number of columns that the addresses in a piece of XML name, styled blanks included.

    All at once and not one by one, since every cell has an address: ``r="AB12"``, and every row ``r="12"``.
    """
    array = np.frombuffer(piece, dtype=np.uint8)
    if len(array) < 16:
        return 1, 1
    at = np.flatnonzero((array[:-11] == 0x72) & (array[1:-10] == 0x3D)) + 3
    # Each line holds one sign of the values: where letters end, the columns end; where digits end, the rows.
    signs = [array[at + n].astype(np.int64) for n in range(8)]
    columns, rows = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    lettered, counted = np.ones(len(at), bool), np.ones(len(at), bool)
    for sign in signs[:3]:
        lettered &= (sign >= 65) & (sign <= 90)
        columns = np.where(lettered, columns * 26 + sign - 64, columns)
    for sign in signs[:7]:
        counted &= (sign >= 48) & (sign <= 57)
        rows = np.where(counted, rows * 10 + sign - 48, rows)
    return int(rows.max(initial=1)), int(columns.max(initial=1))


def _odd_cells(piece: bytes, out: SheetScan) -> None:
    if b't="e"' in piece or b"t='e'" in piece:
        for found in _ERROR.finditer(piece):
            if len(out.errors) < _MOST_NOTED and (at := _address(found[1])):
                out.errors[at] = found[2].decode("ascii", "replace")
    if b"<f" in piece or b":f" in piece:
        _formulas(piece, out)
    if b"hidden=" in piece:
        out.hidden_rows += sum(bool(_HIDDEN.search(row)) for row in _ROW.findall(piece))


def _check_extent(stream: IO[bytes]) -> None:
    """Refuse a sheet whose filled cells span too much, naming the one that lies furthest out."""
    last_row, last_column, furthest = 0, 0, ""
    for piece in _pieces(stream):
        for letters, digits in _FILLED.findall(piece):
            row, column = int(digits), column_number(letters)
            if row > last_row or column > last_column:
                last_row, last_column = max(row, last_row), max(column, last_column)
                furthest = f"{column_letters(column)}{row}"
    cells = last_row * (last_column + 1)
    if cells > MOST_CELLS:
        what = f"the sheet claims {cells:,} cells, because of a cell in {furthest}"
        raise SourceError(what, "", "delete the rows and columns behind the data, and save the workbook again")


def _formulas(piece: bytes, out: SheetScan) -> None:
    for found in _FORMULA.finditer(piece):
        # A formula whose value is the empty text has a type and no value, and that is a value.
        if b't="str"' in found[1] or b"t='str'" in found[1] or len(out.empty_formulas) >= _MOST_NOTED:
            continue
        if at := _address(found[1]):
            out.empty_formulas.append(at)


def _address(attributes: bytes) -> tuple[int, int] | None:
    found = _ADDRESS.search(attributes)
    return (int(found[2]), column_number(found[1])) if found else None


def _hidden_columns(piece: bytes, out: SheetScan) -> None:
    for attributes in _COLUMN.findall(piece):
        if _HIDDEN.search(attributes):
            ends = [re.search(rb"\b" + name + rb"=[\"'](\d{1,5})[\"']", attributes) for name in (b"min", b"max")]
            if ends[0] and ends[1]:
                out.hidden_columns.append((int(ends[0][1]) - 1, int(ends[1][1]) - 1))
