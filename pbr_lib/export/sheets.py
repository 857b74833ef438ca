"""Cells, styles and tables of a workbook; apart, because every sheet must write text in one safe way.

Text from a CRM never becomes a formula here, whatever it begins with: :func:`put` is the only way into a cell.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from pbr_lib.archives import rewrite, stamped_core
from pbr_lib.model import Amount, Unit, date_text

__all__ = ["BLUE", "DARK", "GREY", "ORANGE", "Book", "Formula", "Grid", "Shown", "amount_of", "as_of", "finished"]
__all__ += ["fit_height", "head", "link", "number", "number_format", "one_line", "put", "set_widths", "shown"]
__all__ += ["unique_labels", "width_of", "write_grid"]

BLUE, ORANGE, GREY, DARK = "0B5FA5", "C8641B", "8B95A5", "1B2A41"
_TONES = {"good": "0B5FA5", "warn": "8A5A00", "bad": "B4451F", "neutral": "5B6577"}
_FONT = "Calibri"
_HEIGHTS = {"Pack title": 32, "Pack score": 38, "Pack heading": 21}
_LINE_HEIGHT = 15.5
_MOST_TEXT, _MOST_WIDTH, _MOST_HEIGHT = 32_767, 60, 400
_FILTERED = 12  # rows from which on a table gets filter buttons
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_ENCODED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\]")
_FORMULA = re.compile(r'<c r="([A-Z]+[0-9]+)"([^>]*)><f>([^<]*)</f><v ?/?>(?:</v>)?</c>')
_PICTURE = re.compile(r"(<(?:\w+:)?cNvPr [^>]*?)( ?/?>)")
_FIRST_DAY = dt.date(1900, 3, 1)  # Excel counts a 29 February 1900, so earlier days stay text.


@dataclass(frozen=True)
class Formula:
    """A formula with its leading ``=``, and the value it has when nobody has touched the workbook."""

    text: str
    value: Decimal | str


@dataclass
class Book:
    """A workbook in the making: what its sheets share, and what the finishing pass must know of it."""

    workbook: Workbook
    cover: Mapping[str, Any]
    caches: dict[str, dict[str, Decimal | str]] = field(default_factory=dict)
    alts: list[tuple[bool, str]] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)

    @classmethod
    def empty(cls, cover: Mapping[str, Any]) -> Book:
        """A workbook with styles and no sheets."""
        workbook = Workbook()
        workbook.remove(workbook.worksheets[0])
        for style in _styles():
            workbook.add_named_style(style)
        return cls(workbook, cover)

    def meta(self, key: str) -> str:
        """A value of the cover's meta in one clean line."""
        return one_line(self.cover.get("meta", {}).get(key))

    def sheet(self, title: str, tab: str = GREY) -> Worksheet:
        """A new sheet; its title is made legal and unique."""
        taken = {name.casefold() for name in self.workbook.sheetnames}
        clean = one_line(_NOT_IN_TITLES.sub(" ", title)).strip("' ") or "Table"
        made = _cut(clean, 31).strip("' ")
        count = 2
        # Excel keeps the name History for itself.
        while made.casefold() in taken or made.casefold() == "history":
            made = _cut(clean, 31 - len(f" ({count})")).rstrip() + f" ({count})"
            count += 1
        sheet: Worksheet = self.workbook.create_sheet(made)
        sheet.sheet_properties.tabColor = tab
        _print_setup(self, sheet)
        return sheet

    def table_name(self, name: str) -> str:
        """A legal, unique name for an Excel table."""
        clean = "T_" + (re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:200] or "table")
        made, count = clean, 2
        while made.casefold() in self.tables:
            made, count = f"{clean}_{count}", count + 1
        self.tables.add(made.casefold())
        return made


@dataclass(frozen=True)
class Shown:
    """A cell ready to write: value, named style, number format, and the text that a reader sees of it."""

    value: str | int | float | dt.date | Formula | None
    style: str = "Pack text"
    format: str = ""
    text: str = ""


@dataclass(frozen=True)
class Grid:
    """A table ready to write: ``table`` is its Excel name, ``empty`` what to say when there are no rows."""

    title: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Shown]]
    table: str
    empty: str = "Nothing to show."


# ----------------------------------------------------------------------------------------------- cells


def put(book: Book, sheet: Worksheet, place: tuple[int, int], cell: Shown) -> None:
    """Write a cell. Text is always text: a leading ``=`` is shown and never evaluated."""
    target = sheet.cell(*place)
    # The style goes first: setting it later would wipe quotePrefix.
    target.style = cell.style
    if isinstance(cell.value, Formula):
        target.value = _encoded(cell.value.text)
        book.caches.setdefault(sheet.title, {})[target.coordinate] = cell.value.value
    elif isinstance(cell.value, str):
        text = _clean(cell.value)
        target.value = _encoded(text)
        target.data_type = "s"
        if cell.value[:1] in ("\t", "\r") or text.strip()[:1] in ("=", "+", "-", "@"):
            target.quotePrefix = True
    elif cell.value is not None:
        target.value = cell.value
    if cell.format:
        target.number_format = cell.format
    if cell.style in _HEIGHTS:
        sheet.row_dimensions[place[0]].height = _HEIGHTS[cell.style]


def link(sheet: Worksheet, place: tuple[int, int], target: Worksheet) -> None:
    """Make a written cell jump to another sheet of this workbook."""
    cell = sheet.cell(*place)
    quoted = target.title.replace("'", "''")
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{quoted}'!A1")


def shown(cell: Any) -> Shown:
    """A cell of a table block, ready to write."""
    if cell is None or isinstance(cell, str):
        return Shown(cell, text=cell or "")
    if "date" in cell:
        day = dt.date.fromisoformat(cell["date"])
        value = day if day >= _FIRST_DAY else cell["text"]
        return Shown(value, "Pack date", "d mmm yyyy", cell["text"])
    if "status" in cell:
        return Shown(cell["text"], f"Pack {cell['tone']}", text=cell["text"])
    amount = amount_of(cell)
    if amount is None:
        return Shown(None)
    if amount.value is None:
        return Shown(cell["text"], "Pack muted", text=cell["text"])
    return Shown(number(amount.value), "Pack number", number_format(amount), cell["text"])


def amount_of(cell: Any) -> Amount | None:
    """The amount that a cell of a block holds, or None if it holds something else."""
    if not isinstance(cell, Mapping) or "unit" not in cell:
        return None
    value = cell.get("value")
    return Amount(None if value is None else Decimal(str(value)), Unit.from_json(cell["unit"]))


def number(value: Decimal) -> int | float:
    """A Decimal as Excel holds it."""
    whole = value == value.to_integral_value()
    return int(value) if whole and abs(value) < 10**15 else float(value)


def number_format(amount: Amount) -> str:
    """The Excel format that shows an amount as its printed text does."""
    places = "." + "0" * amount.decimals if amount.decimals else ""
    digits = f"#,##0{places}"
    if amount.unit.kind == "money":
        return _currency(amount.unit.currency) + digits
    return digits + {"percent": " %", "days": ' "days"'}.get(amount.unit.kind, "")


def _currency(code: str) -> str:
    known = {"USD": "[$$-409]", "EUR": "[$€-2]"}
    symbol = Amount(Decimal(0), Unit("money", code, 0)).text.removesuffix("0").replace('"', "")
    return known.get(code, f'"{symbol}"' if symbol else "")


def _clean(text: str) -> str:
    return _cut(_ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")), _MOST_TEXT)


def _encoded(text: str) -> str:
    # Excel reads _x0041_ inside a text as the letter A unless the first sign is written this way.
    return _ENCODED.sub("_x005F_", text)


def _cut(text: str, most: int) -> str:
    # Excel counts UTF-16 units, so an emoji counts twice.
    return text if len(text) * 2 <= most else text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")


# ---------------------------------------------------------------------------------------------- tables


def write_grid(book: Book, sheet: Worksheet, grid: Grid) -> int:
    """Write title, caption and table; give the row of the table's head.

    The table is a structured Excel table with frozen head, print titles and widths from its content.
    """
    widths = _widths(grid)
    put(book, sheet, (1, 1), Shown(grid.title, "Pack heading"))
    lines = textwrap.wrap(grid.caption, max(80, sum(widths))) or [""]
    for offset, line in enumerate(lines):
        put(book, sheet, (2 + offset, 1), Shown(line, "Pack small"))
    top = len(lines) + 3
    if not grid.rows or not grid.columns:
        put(book, sheet, (top, 1), Shown(grid.empty, "Pack text"))
        return top
    filtered = len(grid.rows) >= _FILTERED
    head(book, sheet, (top, 1), grid.columns, _head_styles(grid, filtered))
    for offset, cells in enumerate(grid.rows, 1):
        fitted = [_fitted(cell) for cell in cells]
        for place, cell in enumerate(fitted, 1):
            put(book, sheet, (top + offset, place), cell)
        fit_height(sheet, top + offset, fitted, widths)
    corner = f"{get_column_letter(len(grid.columns))}{top + len(grid.rows)}"
    table = Table(displayName=grid.table, name=grid.table, ref=f"A{top}:{corner}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)
    sheet.add_table(table)
    table._initialise_columns()
    for made, label in zip(table.tableColumns, grid.columns, strict=True):
        made.name = _encoded(label)
    if not filtered:
        table.autoFilter = None
    sheet.freeze_panes = f"A{top + 1}"
    sheet.print_title_rows = f"{top}:{top}"
    set_widths(sheet, widths)
    return top


def head(
    book: Book, sheet: Worksheet, place: tuple[int, int], labels: Sequence[str], styles: Sequence[str] = ()
) -> None:
    """Write a row of column labels from ``place`` on, each in its style."""
    row, first = place
    for offset, label in enumerate(labels):
        style = styles[offset] if offset < len(styles) else "Pack head"
        put(book, sheet, (row, first + offset), Shown(label, style))


def fit_height(sheet: Worksheet, row: int, cells: Sequence[Shown], widths: Sequence[float]) -> None:
    """Make a row as high as its wrapped texts need; few viewers do that by themselves."""
    wrapped = [(c.value, w) for c, w in zip(cells, widths, strict=False) if c.style in ("Pack wrapped", "Pack prose")]
    lines = max((_line_count(text, width) for text, width in wrapped if isinstance(text, str)), default=1)
    if lines > 1:
        sheet.row_dimensions[row].height = min(lines * _LINE_HEIGHT, _MOST_HEIGHT)


def _line_count(text: str, width: float) -> int:
    # A proportional font sets a little more or less than a letter a unit; err on the side of air.
    room = max(width * 0.95 - 2, 1)
    return sum(max(math.ceil(width_of(line) / room), 1) for line in text.split("\n"))


def _head_styles(grid: Grid, filtered: bool) -> list[str]:
    """Labels over numbers stand to the right, as the numbers do."""
    right = "Pack head filter" if filtered else "Pack head right"
    numeric = ("Pack number", "Pack input")
    counts = [sum(cell.style in numeric for cell in cells) for cells in zip(*grid.rows, strict=True)]
    return [right if 2 * count > len(grid.rows) else "Pack head" for count in counts]


def set_widths(sheet: Worksheet, widths: Sequence[float]) -> None:
    """Set the widths of the first columns, in letters."""
    for place, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width


def unique_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels as Excel wants them in a table: in one line, none empty, none twice."""
    made: list[str] = []
    taken: set[str] = set()
    for place, label in enumerate(labels, 1):
        # LibreOffice cannot read a reference to a column whose label ends in a straight apostrophe.
        clean = _cut(one_line(label).replace("'", "’"), 240) or f"Column {place}"
        unique, count = clean, 2
        while unique.casefold() in taken:
            unique, count = f"{clean} {count}", count + 1
        taken.add(unique.casefold())
        made.append(unique)
    return tuple(made)


def one_line(text: Any) -> str:
    """A text without breaks and unprintable signs, for titles and properties; nothing for None."""
    return " ".join(_clean("" if text is None else str(text)).split())


def width_of(text: str) -> int:
    """How many letters wide a text is; Chinese, Japanese and Korean signs count twice."""
    lines = text.split("\n") or [""]
    return max(sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line) for line in lines)


def _widths(grid: Grid) -> list[int]:
    widths = [width_of(label) + 4 for label in grid.columns]
    for cells in grid.rows:
        for place, cell in enumerate(cells):
            if cell.text and len(cell.text) > widths[place] // 2:
                widths[place] = max(widths[place], math.ceil(width_of(cell.text[:400]) * 1.1) + 3)
    return [min(max(width, 10), _MOST_WIDTH) for width in widths]


def _fitted(cell: Shown) -> Shown:
    long = isinstance(cell.value, str) and cell.style == "Pack text" and (width_of(cell.text[:400]) > _MOST_WIDTH - 2)
    return Shown(cell.value, "Pack wrapped", cell.format, cell.text) if long or "\n" in cell.text else cell


# -------------------------------------------------------------------------------------- styles, printing


def _styles() -> Iterable[NamedStyle]:
    top = Alignment(vertical="top")
    # Words are indented, or a number touches the words in the next column. Numbers are not: LibreOffice
    # forgets an indent on the right where only the number format differs from the cell before.
    left, right = Alignment("left", "top", indent=1), Alignment("right", "top")
    wrapped = Alignment("left", "top", wrap_text=True, indent=1)
    rule = Border(bottom=Side(style="medium", color=DARK))
    ground = PatternFill("solid", fgColor="F3F6FA")
    ink, strong, quiet = Font(_FONT, 11, color=DARK), Font(_FONT, 11, color=DARK, bold=True), _TONES["neutral"]
    # Each style names its font: viewers fall back to a serif where it is left out.
    yield NamedStyle("Pack text", ink, alignment=left)
    yield NamedStyle("Pack wrapped", ink, alignment=wrapped)
    yield NamedStyle("Pack date", ink, alignment=left)
    yield NamedStyle("Pack number", ink, alignment=right)
    yield NamedStyle("Pack muted", Font(_FONT, 11, color=quiet, italic=True), alignment=right)
    unlocked = Protection(locked=False)
    yield NamedStyle("Pack input", Font(_FONT, 11, color="0000C8"), ground, alignment=right, protection=unlocked)
    yield NamedStyle("Pack link", Font(_FONT, 11, color=BLUE, underline="single"), alignment=left)
    yield NamedStyle("Pack head", strong, ground, rule, wrapped)
    yield NamedStyle("Pack head right", strong, ground, rule, Alignment("right", "top", wrap_text=True))
    # The filter button covers the right end of a head.
    yield NamedStyle("Pack head filter", strong, ground, rule, Alignment("right", "top", wrap_text=True, indent=2))
    yield NamedStyle("Pack prose", ink, alignment=Alignment("left", "top", wrap_text=True))
    yield NamedStyle("Pack small", Font(_FONT, 10, color=quiet), alignment=top)
    yield NamedStyle("Pack heading", Font(_FONT, 14, color=DARK, bold=True), alignment=top)
    yield NamedStyle("Pack kicker", Font(_FONT, 10, color=BLUE, bold=True), alignment=top)
    yield NamedStyle("Pack title", Font(_FONT, 22, color=DARK, bold=True), alignment=top)
    yield NamedStyle("Pack score", Font(_FONT, 26, color=BLUE, bold=True), alignment=Alignment("left", "top"))
    for tone, colour in _TONES.items():
        yield NamedStyle(f"Pack {tone}", Font(_FONT, 11, color=colour, bold=tone != "neutral"), alignment=left)


def _print_setup(book: Book, sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    partner = book.meta("partner") or one_line(book.cover["title"])
    day = as_of(book)
    sheet.oddHeader.left.text = _running(partner)
    sheet.oddHeader.right.text = _running(book.meta("quarter"))
    sheet.oddFooter.left.text = _running(_confidential(book))
    sheet.oddFooter.center.text = _running(f"Data as of {date_text(day)}" if day else "")
    sheet.oddFooter.right.text = "Page &P of &N"


def as_of(book: Book) -> dt.date | None:
    """The day of the data, from the cover."""
    try:
        return dt.date.fromisoformat(book.meta("as_of"))
    except ValueError:
        return None


def _confidential(book: Book) -> str:
    said = book.meta("confidential")
    if said.casefold() in ("true", "yes", "1"):
        return "Confidential"
    return book.meta("organisation") if said.casefold() in ("false", "no", "0", "") else said


def _running(text: str) -> str:
    # A single & starts a code in headers and footers; all of them together may hold 255 signs.
    return _cut(text, 70).replace("&", "&&")


# -------------------------------------------------------------------------------------- finishing pass


def finished(book: Book) -> bytes:
    """The file: cached values of formulas, alternative texts, the day of the data as its only time."""
    day = as_of(book) or dt.date(1980, 1, 1)
    stamp = f"{day.isoformat()}T00:00:00Z"
    sheets = {f"xl/worksheets/sheet{i}.xml": sheet.title for i, sheet in enumerate(book.workbook.worksheets, 1)}
    alts = [alt for _, alt in sorted(book.alts, key=lambda pair: pair[0])]

    def edit(name: str, content: bytes) -> bytes:
        if name in sheets:
            return _with_caches(content.decode("utf-8"), book.caches.get(sheets[name], {})).encode("utf-8")
        if name.startswith("xl/drawings/drawing"):
            return _with_alts(content.decode("utf-8"), alts).encode("utf-8")
        return stamped_core(content, stamp) if name == "docProps/core.xml" else content

    package = io.BytesIO()
    book.workbook.save(package)
    return rewrite(package.getvalue(), edit)


def _with_caches(xml: str, values: Mapping[str, Decimal | str]) -> str:
    """Fill in what openpyxl cannot write: the value beside a formula, for viewers that do not compute."""

    def filled(found: re.Match[str]) -> str:
        place, attributes, formula = found.groups()
        value = values[place]
        if isinstance(value, str):
            return f'<c r="{place}"{attributes} t="str"><f>{formula}</f><v>{escape(_encoded(_clean(value)))}</v></c>'
        return f'<c r="{place}"{attributes}><f>{formula}</f><v>{number(value)!r}</v></c>'

    return _FORMULA.sub(filled, xml)


def _with_alts(xml: str, alts: Sequence[str]) -> str:
    waiting = iter(alts)

    def described(found: re.Match[str]) -> str:
        alt = next(waiting, "")
        return f"{found[1]} descr={quoteattr(_clean(alt))}{found[2]}" if alt else found[0]

    return _PICTURE.sub(described, xml)
