"""Tables in marked-up files as grids: HTML under the name of a workbook, the XML workbooks of Excel 2003, and web
archives; apart, because many programs write these and call them .xls.

Markup is parsed as data: no network, no entities of the file's own, no script. A web page is refused, since what a
browser shows is a page of the report and not the report.
"""

from __future__ import annotations

import email
import email.policy
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from pbr_lib.cells import BOOL, DATE, DATETIME, ERROR, NUMBER, TEXT, Cells
from pbr_lib.errors import SourceError
from pbr_lib.reading import encodings
from pbr_lib.reading.gate import HEAD_BYTES, Origin
from pbr_lib.reading.grids import Area, MemoryGrid, Slab, strings
from pbr_lib.reading.sheetxml import MOST_CELLS, hostile

__all__ = ["archive_grids", "html_grids", "spreadsheet_grids"]

_MOST_BYTES = 512 << 20
_MOST_TABLES, _WIDEST, _TALLEST, _DEEPEST = 200, 16_384, 1_048_576, 8
_ROWS = 65_536
_PAGE = re.compile(rb"<(?:script|nav|form|iframe|input|button|svg|video)\b", re.I)
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.I)
_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_TYPES = {"Number": NUMBER, "Boolean": BOOL, "Error": ERROR, "DateTime": DATETIME}


@dataclass
class _Sheet:
    """A sheet while it is collected: its rows as lists of (text, kind), and its merged cells."""

    name: str = ""
    rows: list[list[tuple[str, int]]] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)
    cells: int = 0
    hidden_rows: int = 0

    def put(self, row: list[tuple[str, int]]) -> None:
        """Add a row."""
        self.cells += len(row)
        if self.cells > MOST_CELLS or len(self.rows) >= 4 * _TALLEST:
            raise SourceError(f"the file claims more than {MOST_CELLS:,} cells", "", "export it as CSV (UTF-8)")
        self.rows.append(row)

    def grid(self, facts: dict[str, str]) -> MemoryGrid:
        """The sheet as a grid, without empty rows and columns at its end."""
        while self.rows and not any(text.strip() for text, _ in self.rows[-1]):
            self.rows.pop()
        width = max((len(row) for row in self.rows), default=0)
        slabs = []
        for start in range(0, len(self.rows), _ROWS):
            chunk = [row + [("", TEXT)] * (width - len(row)) for row in self.rows[start : start + _ROWS]]
            columns = []
            for values in zip(*chunk, strict=True):
                kinds = [kind for _, kind in values]
                columns.append(Cells(strings([text for text, _ in values]), _array(kinds)))
            slabs.append(Slab(start + 1, tuple(columns)))
        if self.name:
            facts = {**facts, "sheet": self.name}
        return MemoryGrid(self.name, tuple(slabs) if width else (), facts, merged=tuple(self.merged))


def _array(kinds: list[int]) -> Any:
    import numpy as np

    return np.array(kinds, dtype=np.uint8) if any(kinds) else None


# -------------------------------------------------------------------------------------------------- HTML


def html_grids(origin: Origin) -> tuple[MemoryGrid, ...]:
    """The tables of an HTML file.

    Raises
    ------
    SourceError
        When it is a web page, holds no table of two rows, or cannot be parsed.
    """
    data = _whole(origin)
    if _PAGE.search(data):
        raise _web_page(origin)
    facts = {"format": f"HTML table in a .{origin.name.rpartition('.')[2].lower()} file"}
    if origin.member:
        facts["member"] = origin.member
    text, name, guess = _decoded(data)
    return _tables_of(origin, text, {**facts, "encoding": name}, guess)


def _web_page(origin: Origin) -> SourceError:
    what = "this is a web page, not an export: it was saved with the browser"
    return origin.fault(what, "use the export of the CRM (CSV or Excel), and download the file itself")


def _whole(origin: Origin) -> bytes:
    with origin.open() as stream:
        pieces, size = [], 0
        while piece := stream.read(1 << 22):
            pieces.append(piece)
            size += len(piece)
            if size > _MOST_BYTES:
                raise origin.fault(
                    f"this file has more than {_MOST_BYTES >> 20} MB of markup", "export it as CSV (UTF-8)"
                )
    return b"".join(pieces)


def _decoded(data: bytes) -> tuple[str, str, str]:
    """The text, the name of its encoding, and that name again where it was guessed."""
    declared = _CHARSET.search(data[:4096])
    candidates = encodings.guessed(data[:HEAD_BYTES], len(data) <= HEAD_BYTES)
    if declared and len(candidates) > 1:
        # What is declared comes behind UTF-8, which fits by accident in no real text.
        for codec in (candidates[0].codec, declared[1].decode("ascii")):
            try:
                return data.decode(codec).removeprefix("\ufeff"), codec, ""
            except (UnicodeError, LookupError):
                continue
    for encoding in candidates:
        try:
            text = encoding.decoder()(data, True).removeprefix("\ufeff")
            return text, encoding.name, encoding.name if encoding.guessed else ""
        except UnicodeError:
            continue
    return data.decode("latin-1"), "Latin-1", "Latin-1"


def _tables_of(origin: Origin, text: str, facts: dict[str, str], guess: str) -> tuple[MemoryGrid, ...]:
    sheets: list[_Sheet] = []
    try:
        _collect(text, sheets)
    except (etree.LxmlError, ValueError, AssertionError) as error:
        if not sheets:
            raise origin.fault(f"this HTML cannot be read: {error}", "export it again as CSV (UTF-8)") from None
    except SourceError as error:
        raise origin.fault(error.what, error.fix) from None
    grids = [sheet.grid(facts) for sheet in sheets if len(sheet.rows) > 1 or len(sheets) == 1]
    found = tuple(
        MemoryGrid(grid.name, grid.slabs, grid.facts, merged=grid.merged, guess=guess) for grid in grids if grid.slabs
    )
    if not found:
        raise origin.fault("this is a web page without a table of records", "export the report as CSV or Excel")
    return found


def _collect(text: str, sheets: list[_Sheet]) -> None:
    """Walk through the tables, keeping no more than one row of the document."""
    source = io.BytesIO(text.replace("\x00", "").encode("utf-8", "replace"))
    events = etree.iterparse(
        source,
        events=("start", "end"),
        tag=("table", "tr"),
        html=True,
        encoding="utf-8",
        no_network=True,
        huge_tree=True,
    )
    open_tables: list[tuple[_Sheet, dict[int, int]]] = []
    for event, node in events:
        if node.tag == "table" and event == "start":
            if len(open_tables) >= _DEEPEST or len(sheets) >= _MOST_TABLES:
                raise SourceError("the tables of this file are nested too deep, or too many", "", "this is no export")
            open_tables.append((_Sheet(), {}))
            sheets.append(open_tables[-1][0])
        elif node.tag == "table":
            if open_tables:
                open_tables.pop()
            node.clear()
        elif event == "end" and open_tables:
            sheet, spans = open_tables[-1]
            sheet.put(_row(node, sheet, spans))
            node.clear()
    if any(entry.level_name == "FATAL" for entry in events.error_log):
        # The parser gives up in silence where elements are nested too deep, and rows would be missing.
        raise SourceError("this HTML is nested too deep to be read", "", "export it again as CSV (UTF-8)")


def _row(node: Any, sheet: _Sheet, spans: dict[int, int]) -> list[tuple[str, int]]:
    """The cells of one row; ``spans`` says in which columns a cell from above still reaches down."""
    cells: list[tuple[str, int]] = []
    number = len(sheet.rows) + 1
    for cell in node.iterchildren("td", "th"):
        while spans.get(len(cells), 0) > 0:
            spans[len(cells)] -= 1
            cells.append(("", TEXT))
        wide, high = _span(cell.get("colspan")), _span(cell.get("rowspan"))
        if len(cells) + wide > _WIDEST:
            raise SourceError(f"a row of the table has more than {_WIDEST:,} cells", "", "this is no export")
        left = len(cells)
        if high > 1:
            sheet.merged.append(Area(number, left, left + wide - 1, number + high - 1))
            spans.update(dict.fromkeys(range(left, left + wide), high - 1))
        cells.append((_cell_text(cell), TEXT))
        cells.extend([("", TEXT)] * (wide - 1))
    while spans.get(len(cells), 0) > 0:
        spans[len(cells)] -= 1
        cells.append(("", TEXT))
    return cells


def _span(text: str | None) -> int:
    return min(max(int(text), 1), _TALLEST) if text and text.isascii() and text.isdigit() and len(text) < 8 else 1


def _cell_text(cell: Any) -> str:
    """The text of a cell as a browser shows it: blanks run together, ``<br>`` a new line."""
    pieces: list[str] = []
    for node in cell.iter():
        if not isinstance(node.tag, str):
            pieces.append(node.tail or "" if node is not cell else "")
            continue
        if node.tag in ("br", "p", "div") and pieces and node is not cell:
            pieces.append("\n")
        pieces.append(node.text or "")
        if node is not cell:
            pieces.append(node.tail or "")
    lines = ("".join(pieces)).split("\n") if any(each == "\n" for each in pieces) else ["".join(pieces)]
    return "\n".join(" ".join(re.split(r"[ \t\r\n\f]+", line)).strip(" ") for line in lines).strip("\n")


# ------------------------------------------------------------------------------------ SpreadsheetML 2003


def spreadsheet_grids(origin: Origin) -> tuple[MemoryGrid, ...]:
    """The sheets of an XML workbook of Excel 2003.

    Raises
    ------
    SourceError
        When it defines entities, or is no well-formed XML.
    """
    data = _whole(origin)
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", data.replace(b"\x00", b"")[:65_536], re.I):
        raise origin.fault(hostile().what, hostile().fix)
    facts = {"format": f"Excel 2003 XML in a .{origin.name.rpartition('.')[2].lower()} file"}
    if origin.member:
        facts["member"] = origin.member
    sheets: list[_Sheet] = []
    hidden: list[_Sheet] = []
    try:
        _collect_sheets(data, sheets, hidden)
    except etree.LxmlError as error:
        raise origin.fault(f"this XML workbook is damaged or cut off: {error}", "export it again") from None
    except SourceError as error:
        raise origin.fault(error.what, error.fix) from None
    kept = [sheet for sheet in sheets if not any(sheet is each for each in hidden)] or sheets
    return tuple(sheet.grid(facts) for sheet in kept)


def _collect_sheets(data: bytes, sheets: list[_Sheet], hidden: list[_Sheet]) -> None:
    tags = tuple(_SS + name for name in ("Worksheet", "Row"))
    visible = ("{urn:schemas-microsoft-com:office:excel}Visible",)
    events = etree.iterparse(
        io.BytesIO(data),
        events=("start", "end"),
        tag=(*tags, *visible),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    for event, node in events:
        name = node.tag.rpartition("}")[2]
        if name == "Worksheet" and event == "start":
            sheets.append(_Sheet(node.get(_SS + "Name", "")))
        elif name == "Visible" and event == "end" and sheets and (node.text or "").startswith("SheetHidden"):
            hidden.append(sheets[-1])
        elif name == "Row" and event == "end" and sheets:
            _put_row(node, sheets[-1])
            # Rows stay in the tree as empty elements unless their parent lets them go.
            node.clear()
            while node.getprevious() is not None:
                del node.getparent()[0]


def _put_row(node: Any, sheet: _Sheet) -> None:
    index = _span(node.get(_SS + "Index")) if node.get(_SS + "Index") else len(sheet.rows) + 1
    for _ in range(index - len(sheet.rows) - 1):
        sheet.put([])
    cells: list[tuple[str, int]] = []
    for cell in node.iterchildren(_SS + "Cell"):
        place = cell.get(_SS + "Index")
        if place:
            cells.extend([("", TEXT)] * (min(_span(place), _WIDEST) - 1 - len(cells)))
        down, across = (
            int(text) if (text := cell.get(_SS + key, "0")).isdigit() else 0 for key in ("MergeDown", "MergeAcross")
        )
        if down:
            row = len(sheet.rows) + 1
            sheet.merged.append(Area(row, len(cells), len(cells) + min(across, _WIDEST), row + min(down, _TALLEST)))
        data = next(cell.iterchildren(_SS + "Data"), None)
        cells.append(_typed(data))
        cells.extend([("", TEXT)] * min(across, _WIDEST - len(cells)))
    sheet.put(cells)


def _typed(data: Any) -> tuple[str, int]:
    if data is None:
        return "", TEXT
    text = "".join(data.itertext())
    kind = _TYPES.get(data.get(_SS + "Type", "String"), TEXT)
    if kind == BOOL:
        return ("true" if text.strip() in ("1", "true") else "false"), BOOL
    if kind == NUMBER:
        from pbr_lib.reading.workbook_child import cell_text

        try:
            return cell_text(float(text)), NUMBER
        except ValueError:
            return text, TEXT
    if kind == DATETIME:
        day, _, time = text.strip().partition("T")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            return text, TEXT
        clock = time.partition(".")[0]
        return (day, DATE) if clock in ("", "00:00:00") else (f"{day}T{clock}", DATETIME)
    return text, kind


# --------------------------------------------------------------------------------------------- archives


def archive_grids(origin: Origin) -> tuple[MemoryGrid, ...]:
    """The tables of a web archive, as Excel writes one (.mht): its sheets are HTML parts.

    Raises
    ------
    SourceError
        When none of its parts holds a table.
    """
    try:
        message = email.message_from_bytes(_whole(origin), policy=email.policy.compat32)
        parts = list(_html_parts(message))
    except (ValueError, LookupError, RecursionError) as error:
        raise origin.fault(f"this web archive cannot be read: {error}", "export it again as CSV (UTF-8)") from None
    grids: list[MemoryGrid] = []
    facts = {"format": f"web archive in a .{origin.name.rpartition('.')[2].lower()} file"}
    for data in parts:
        if b"<table" not in data.lower():
            continue
        if _PAGE.search(re.sub(rb"<(?:script|link)\b", b"", data, flags=re.I)):
            raise _web_page(origin)
        text, name, guess = _decoded(data)
        try:
            grids.extend(_tables_of(origin, text, {**facts, "encoding": name}, guess))
        except SourceError:
            continue
    if not grids:
        raise origin.fault("this web archive holds no table of records", "export the report as CSV or Excel")
    return tuple(grids)


def _html_parts(message: Any) -> Iterator[bytes]:
    for part in message.walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield payload
