"""The Excel exporter: executed notebook in, workbook out; apart, because a workbook has an order of its own.

A summary first, then the goals with live formulas, charts, and one sheet for every other table. Nothing in it
comes from anywhere but the notebook, so the same notebook gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nbconvert.exporters import Exporter
from openpyxl.formatting.rule import DataBarRule
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet
from traitlets import default

from pbr_lib.export.documents import Part, cover, in_server, parts, safe_url, syntax_tree
from pbr_lib.export.formulas import GoalSheet, Records, column, goal_sheet
from pbr_lib.export.natives import write_drawing
from pbr_lib.export.sheets import (
    BLUE,
    DARK,
    ORANGE,
    Book,
    Formula,
    Grid,
    Shown,
    amount_of,
    as_of,
    finished,
    fit_height,
    head,
    link,
    number,
    number_format,
    one_line,
    put,
    set_widths,
    shown,
    unique_labels,
    write_grid,
)
from pbr_lib.model import date_text

__all__ = ["CommandLineXlsxExporter", "XlsxExporter"]

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,12})?")
_MISSING = frozenset({"", "NaN", "NaT", "<NA>"})
_OVERVIEW = ("goal", "actual", "target", "attained", "status")
_PAGE_ROWS = 64  # rows of the sheet of charts that go on one printed page
_WIDTHS = (66, 18, 18, 18, 18, 16)


class XlsxExporter(Exporter):
    """Executed notebook in, Excel workbook out: formulas live, values visible without computing."""

    export_from_notebook = "Excel pack"
    output_mimetype = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".xlsx"

    # nbconvert's base promises a notebook here; every exporter of documents answers with its content.
    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[bytes, Any]:
        """The workbook and the resources.

        Raises
        ------
        RenderError
            The notebook ended in an error, was never run, or its goals and records contradict each other.
        """
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        found = parts(nb)
        book = Book.empty(cover(found, str(nb.metadata.get("title", "Notebook"))))
        _write(book, found)
        _describe(book)
        return finished(book), resources


class CommandLineXlsxExporter(XlsxExporter):
    """The same under a name with a hyphen, ``pbr-xlsx``; off inside a server, whose addresses cannot hold one."""

    @default("enabled")
    def _enabled_default(self) -> bool:
        return not in_server()


@dataclass(frozen=True)
class _Exhibit:
    """A sheet that the summary links to, and a word on how much is in it."""

    sheet: Worksheet
    extent: str


@dataclass
class _Tables:
    """The sheets of tables, those of named blocks by their name, and what goals may compute from."""

    exhibits: list[_Exhibit] = field(default_factory=list)
    by_name: dict[str, _Exhibit] = field(default_factory=dict)
    records: dict[str, Records] = field(default_factory=dict)


def _write(book: Book, found: Sequence[Part]) -> None:
    goals = max(filter(_is_goals, found), key=lambda part: len(part.data["rows"]), default=None)
    drawings = [part for part in found if part.kind == "image" or _is_block(part, "chart")]
    # Sheets come in the order in which they are made, and the goals are written once the records are known.
    summary = book.sheet("Summary", DARK)
    goals_sheet = book.sheet("Goals", BLUE) if goals else None
    exhibits = [_drawings(book, drawings)] if drawings else []
    tables = _tables(book, [part for part in found if part is not goals])
    made = None
    if goals and goals_sheet:
        printed = amount_of(book.cover["score"])
        made = goal_sheet(goals, tables.records, printed.value if printed else None)
        _goals(book, goals_sheet, goals.data, made)
        exhibits.insert(0, _Exhibit(goals_sheet, _count(len(made.rows), "goal")))
    page = _Summary(book, summary)
    page.front(made)
    page.overview(made, tables) if made else page.cards(found)
    page.contents([*exhibits, *tables.exhibits])
    page.prose(found)
    set_widths(summary, _WIDTHS)
    summary.sheet_view.showGridLines = False


def _describe(book: Book) -> None:
    properties = book.workbook.properties
    properties.title = one_line(book.cover["title"])
    properties.creator = book.meta("organisation")
    properties.subject = " · ".join(filter(None, (one_line(book.cover["kicker"]), book.meta("quarter"))))
    book.workbook.active = 0
    book.workbook.calculation.fullCalcOnLoad = True


def _is_block(part: Part, kind: str) -> bool:
    return part.kind == "block" and bool(part.data["kind"] == kind)


def _is_goals(part: Part) -> bool:
    return _is_block(part, "table") and bool(part.data["role"] == "goals")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


# ---------------------------------------------------------------------------------------------- sheets


def _goals(book: Book, sheet: Worksheet, block: Mapping[str, Any], made: GoalSheet) -> None:
    rows = [[cells[key] for key in cells] for cells in made.rows]
    columns = [made.labels[key] for key in made.rows[0]] if made.rows else []
    hint = "Figures in blue are inputs: change one, and attainment and score follow. Status words stay as issued."
    caption = " ".join(filter(None, (block["caption"], hint if rows else "")))
    title = block["title"] or "Goals"
    top = write_grid(book, sheet, Grid(title, caption, columns, rows, "Goals", block["empty"]))
    if rows:
        # What only the formulas need stays off the paper.
        sheet.print_area = f"A1:{get_column_letter(made.printed)}{top + len(rows)}"
    if rows and "attained" in made.rows[0]:
        letter = get_column_letter(list(made.rows[0]).index("attained") + 1)
        bar = DataBarRule("num", 0, "num", 1, color="9DC3E6", minLength=0, maxLength=100)
        sheet.conditional_formatting.add(f"{letter}{top + 1}:{letter}{top + len(rows)}", bar)


def _drawings(book: Book, drawings: Sequence[Part]) -> _Exhibit:
    sheet = book.sheet("Charts", ORANGE)
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "portrait"
    row = start = 1
    for part in drawings:
        after = write_drawing(book, sheet, row, part)
        if after - start > _PAGE_ROWS and row > start:
            sheet.row_breaks.append(Break(row - 1))
            start = row
        row = after
    charts = sum(part.kind == "block" for part in drawings)
    words = [_count(n, noun) for n, noun in ((charts, "chart"), (len(drawings) - charts, "picture")) if n]
    return _Exhibit(sheet, ", ".join(words))


def _tables(book: Book, found: Iterable[Part]) -> _Tables:
    """A sheet for each table and frame, in the order of the notebook; a table shown twice comes once."""
    tables, written, frames = _Tables(), [], 0
    for part in found:
        if part.kind == "frame":
            frames += 1
            title = f"Table {frames}"
            sheet = book.sheet(title)
            grid = Grid(title, "", unique_labels(part.data["columns"]), _frame_rows(part.data), book.table_name(title))
            write_grid(book, sheet, grid)
            tables.exhibits.append(_Exhibit(sheet, _count(len(grid.rows), "row")))
        elif _is_block(part, "table") and part.data not in written:
            written.append(part.data)
            _block_table(book, part.data, tables)
    return tables


def _block_table(book: Book, block: Mapping[str, Any], tables: _Tables) -> None:
    keep = [i for i, column in enumerate(block["columns"]) if column["kind"] != "bar"]
    labels = unique_labels(block["columns"][i]["label"] for i in keep)
    title = block["title"] or block["name"]
    sheet = book.sheet(title)
    rows = [[shown(cells[i]) for i in keep] for cells in block["rows"]]
    grid = Grid(title, block["caption"], labels, rows, book.table_name(block["name"]), block["empty"])
    write_grid(book, sheet, grid)
    exhibit = _Exhibit(sheet, _count(len(rows), "record" if block["role"] == "records" else "row"))
    tables.exhibits.append(exhibit)
    known = tables.records.get(block["name"])
    if known is None or known.rows < len(rows):
        numbers = {block["columns"][i]["key"]: _numbers(cells[i] for cells in block["rows"]) for i in keep}
        keys = {block["columns"][i]["key"]: label for i, label in zip(keep, labels, strict=True)}
        tables.records[block["name"]] = Records(grid.table, keys, numbers, len(rows))
        tables.by_name[block["name"]] = exhibit


def _numbers(cells: Iterable[Any]) -> list[Decimal]:
    amounts = (amount_of(cell) for cell in cells)
    return [amount.value for amount in amounts if amount and amount.value is not None]


def _frame_rows(frame: Mapping[str, Any]) -> list[list[Shown]]:
    """The texts of a plain table, as numbers where a whole column can be nothing else."""
    columns = []
    for place in range(len(frame["columns"])):
        texts = [row[place] for row in frame["rows"]]
        known = [text for text in texts if text not in _MISSING]
        if known and all(_NUMBER.fullmatch(text) for text in known):
            decimals = max(len(text.partition(".")[2]) for text in known)
            form = "0." + "0" * decimals if decimals else "0"
            columns.append([_frame_number(text, form) for text in texts])
        else:
            columns.append([Shown(text or None, text=text) for text in texts])
    return [list(row) for row in zip(*columns, strict=True)]


def _frame_number(text: str, form: str) -> Shown:
    return Shown(None) if text in _MISSING else Shown(number(Decimal(text)), "Pack number", form, text)


# --------------------------------------------------------------------------------------------- summary


@dataclass
class _Summary:
    """The first sheet, written from top to bottom; ``row`` is the next free row."""

    book: Book
    sheet: Worksheet
    row: int = 1

    def line(self, *cells: Shown) -> None:
        """Write a row and go on to the next."""
        for place, cell in enumerate(cells, 1):
            if cell.value is not None:
                put(self.book, self.sheet, (self.row, place), cell)
        fit_height(self.sheet, self.row, cells, _WIDTHS)
        self.row += 1

    def front(self, made: GoalSheet | None) -> None:
        """Who, which quarter, as of when, and how it stands."""
        cover, day = self.book.cover, as_of(self.book)
        dated = f"Data as of {date_text(day)}" if day else ""
        for words, style in (
            (cover["kicker"].upper(), "kicker"),
            (cover["title"], "title"),
            (cover["subtitle"], "prose"),
            (dated, "small"),
        ):
            if words:
                self.line(Shown(words, f"Pack {style}"))
        score = amount_of(cover["score"])
        if score and score.value is not None:
            self.row += 1
            value = made.score if made and made.score else number(score.value)
            self.line(Shown(value, "Pack score", number_format(score)))
            self.line(Shown(cover["score_label"], "Pack small"))
        if cover["status"]:
            self.line(shown(cover["status"]))
        if cover["facts"]:
            self.row += 1
        for label, value in cover["facts"]:
            self.line(Shown(f"{label}: {value}", "Pack prose"))

    def overview(self, made: GoalSheet, tables: _Tables) -> None:
        """The goals at a glance, each figure looked up in the table of goals."""
        self.row += 1
        self.line(Shown("Goals", "Pack heading"))
        if not made.rows:
            return
        keys = [key for key in _OVERVIEW if key in made.labels]
        labels = [*(made.labels[key] for key in keys), "Records"]
        styles = ["Pack head right" if key in ("actual", "target", "attained") else "Pack head" for key in keys]
        head(self.book, self.sheet, (self.row, 1), labels, styles)
        self.row += 1
        for place, (cells, recipe) in enumerate(zip(made.rows, made.recipes, strict=True), 1):
            self.line(*(_looked_up(cells[key], column("Goals", made.labels[key]), place) for key in keys))
            exhibit = tables.by_name.get(str(recipe.get("records")))
            if exhibit:
                self._linked((self.row - 1, len(keys) + 1), exhibit.extent, exhibit)

    def cards(self, found: Iterable[Part]) -> None:
        """Headline figures, where no goal table holds them already."""
        for part in found:
            if _is_block(part, "cards"):
                self.row += 1
                if part.data["title"]:
                    self.line(Shown(part.data["title"], "Pack heading"))
                for card in part.data["cards"]:
                    status = shown(card["status"]) if card["status"] else Shown(None)
                    self.line(Shown(card["label"], "Pack wrapped"), shown(card["value"]), status)
                    for small in card["lines"]:
                        self.line(Shown(small, "Pack small"))

    def contents(self, exhibits: Sequence[_Exhibit]) -> None:
        """Links to the other sheets."""
        if not exhibits:
            return
        self.row += 1
        self.line(Shown("In this workbook", "Pack heading"))
        for exhibit in exhibits:
            self._linked((self.row, 1), exhibit.sheet.title, exhibit)
            self.line(Shown(None), Shown(exhibit.extent, "Pack small"))

    def prose(self, found: Iterable[Part]) -> None:
        """Notes and Markdown as plain lines; a heading with nothing to say under it is left out."""
        waiting: list[str] = []
        for part in found:
            if part.kind == "frame" or (part.kind == "block" and part.data["kind"] != "note"):
                waiting.clear()
            for is_heading, text in _prose(part):
                if is_heading:
                    waiting[:] = [text]
                    continue
                if waiting:
                    self.row += 1
                    self.line(Shown(waiting.pop(), "Pack heading"))
                self.line(Shown(text, "Pack prose"))

    def _linked(self, place: tuple[int, int], words: str, exhibit: _Exhibit) -> None:
        put(self.book, self.sheet, place, Shown(words, "Pack link"))
        link(self.sheet, place, exhibit.sheet)


def _looked_up(cell: Shown, table_column: str, place: int) -> Shown:
    value = cell.value.value if isinstance(cell.value, Formula) else cell.value
    if value is None:
        return Shown(None)
    if isinstance(value, dt.date):
        value = Decimal(str(to_excel(value)))
    known = value if isinstance(value, str | Decimal) else Decimal(repr(value))
    style = {"Pack input": "Pack number", "Pack text": "Pack wrapped"}.get(cell.style, cell.style)
    return Shown(Formula(f"=INDEX({table_column},{place})", known), style, cell.format)


# ----------------------------------------------------------------------------------------------- prose


def _prose(part: Part) -> Iterator[tuple[bool, str]]:
    """Lines of a part, each with whether it is a heading; nothing for what has a sheet of its own."""
    if part.kind == "markdown":
        yield from _lines(syntax_tree(part.data))
    elif part.kind == "text":
        yield False, part.data
    elif _is_block(part, "note"):
        if part.data["title"]:
            yield True, part.data["title"]
        yield from _lines(syntax_tree(part.data["markdown"]))
        yield from ((False, "• " + "".join(run["text"] for run in runs)) for runs in part.data["items"])


def _lines(nodes: Iterable[Mapping[str, Any]]) -> Iterator[tuple[bool, str]]:
    for node in nodes:
        kind, children = node["type"], node.get("children", ())
        if kind in ("heading", "paragraph", "block_text"):
            text = _inline(children).strip()
            if text:
                yield kind == "heading", text
        elif kind == "list":
            yield from ((False, text) for text in _items(node))
        elif kind == "block_code":
            yield False, node["raw"].rstrip("\n")
        elif kind == "table":
            yield from ((False, text) for text in _table_lines(children))
        elif kind == "block_quote":
            yield from _lines(children)


def _items(node: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    attributes = node.get("attrs", {})
    for place, item in enumerate(node["children"], attributes.get("start", 1)):
        sign = f"{place}." if attributes.get("ordered") else "•"
        for child in item["children"]:
            if child["type"] == "list":
                yield from _items(child, depth + 1)
                continue
            for _, text in _lines([child]):
                yield f"{'    ' * depth}{sign} {text}"
                sign = " "


def _table_lines(children: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for child in children:
        if child["children"] and child["children"][0]["type"] == "table_cell":
            yield " | ".join(_inline(cell["children"]).strip() for cell in child["children"])
        else:
            yield from _table_lines(child["children"])


def _inline(nodes: Iterable[Mapping[str, Any]]) -> str:
    return "".join(_inline_text(node) for node in nodes)


def _inline_text(node: Mapping[str, Any]) -> str:
    kind = node["type"]
    if kind in ("text", "codespan"):
        return str(node["raw"])
    if kind in ("softbreak", "linebreak"):
        return "\n" if kind == "linebreak" else " "
    text = _inline(node.get("children", ()))
    url = safe_url(node["attrs"]["url"]) if kind == "link" else None
    return f"{text} ({url})" if url and url not in (text, f"mailto:{text}") else text
