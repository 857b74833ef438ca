"""What shows itself: cover, cards, table, chart, note; apart, because exporters know blocks and nothing else.

A block answers ``_repr_mimebundle_`` with ``text/html`` for JupyterLab, ``text/plain`` for a terminal and
:data:`MIMETYPE`, the structured truth that the exporters read. The layout of that JSON has a version
(:data:`VERSION`); docs/reference/blocks.md describes it. Blocks are values: every verb returns a copy.
"""

from __future__ import annotations

import base64
import datetime as dt
import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pbr_lib.model import Amount, date_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MIMETYPE", "VERSION", "Bar", "Block", "Card", "Cards", "Chart", "Column", "Cover", "Group", "Note"]
__all__ += ["Run", "Status", "Table"]

MIMETYPE = "application/vnd.pbr.block+json"
VERSION = 1

Tone = Literal["good", "warn", "bad", "neutral"]
ColumnKind = Literal["text", "amount", "date", "status", "bar"]
_TONES = {"good": "#0b5fa5", "warn": "#8a5a00", "bad": "#b4451f", "neutral": "#5b6577"}


@dataclass(frozen=True)
class Status:
    """A state in a word, a shape and a tone, so that colour never carries it alone."""

    word: str
    shape: str
    tone: Tone

    def __str__(self) -> str:
        return f"{self.shape} {self.word}"

    def as_json(self) -> dict[str, Any]:
        """As a cell."""
        return {"status": self.word, "shape": self.shape, "tone": self.tone, "text": str(self)}

    def html(self) -> str:
        """As a coloured span."""
        return f'<span style="color:{_TONES[self.tone]};white-space:nowrap">{html.escape(str(self))}</span>'


@dataclass(frozen=True)
class Bar:
    """Progress to a goal: how full (1 is the target), where pace expects it to be, in which tone."""

    share: Decimal | None
    mark: Decimal | None
    tone: Tone

    def as_json(self) -> dict[str, Any]:
        """As a cell; ``mark`` is null when nothing is paced."""
        share = None if self.share is None else float(self.share)
        return {"bar": share, "mark": None if self.mark is None else float(self.mark), "tone": self.tone, "text": ""}

    def html(self) -> str:
        """As two nested boxes."""
        width = 0 if self.share is None else min(max(float(self.share), 0.0), 1.2) / 1.2 * 100
        return (
            '<div style="width:8em;height:.7em;background:#8884;border-radius:2px">'
            f'<div style="width:{width:.0f}%;height:.7em;background:{_TONES[self.tone]};border-radius:2px"></div></div>'
        )


Cell = str | Amount | dt.date | Status | Bar | None


@dataclass(frozen=True)
class Block:
    """The base: one exhibit of a pack. Subclasses say how it looks as JSON, HTML and plain text."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": self.plain(), "text/html": self.html(), MIMETYPE: self.as_json()}

    def __repr__(self) -> str:
        return self.plain()

    def as_json(self) -> dict[str, Any]:
        """The structured truth, in plain JSON values."""
        raise NotImplementedError

    def html(self) -> str:
        """For JupyterLab: escaped text, no scripts, readable on light and dark ground."""
        raise NotImplementedError

    def plain(self) -> str:
        """For a terminal."""
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class Run:
    """A piece of a sentence, plain or strong. Its text is shown as it is, never parsed."""

    text: str
    strong: bool = False

    def as_json(self) -> dict[str, Any]:
        """As a piece of a note."""
        return {"text": self.text, "strong": self.strong}


@dataclass(frozen=True, repr=False)
class Note(Block):
    """Prose: either Markdown that a person wrote, or generated sentences made of runs."""

    markdown: str = ""
    sentences: tuple[tuple[Run, ...], ...] = ()
    title: str = ""

    def as_json(self) -> dict[str, Any]:
        """``markdown`` or ``items``; exactly one of them is filled."""
        items = [[run.as_json() for run in sentence] for sentence in self.sentences]
        return {"version": VERSION, "kind": "note", "title": self.title, "markdown": self.markdown, "items": items}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown = {"text/markdown": self.markdown} if self.markdown else {"text/html": self.html()}
        return {"text/plain": self.plain(), **shown, MIMETYPE: self.as_json()}

    def html(self) -> str:
        """A list of sentences, or the Markdown source in a paragraph."""
        if self.markdown:
            return f"<p>{html.escape(self.markdown)}</p>"
        lines = []
        for sentence in self.sentences:
            runs = (f"<b>{html.escape(r.text)}</b>" if r.strong else html.escape(r.text) for r in sentence)
            lines.append(f"<li>{''.join(runs)}</li>")
        return f"<ul>{''.join(lines)}</ul>"

    def plain(self) -> str:
        """One line a sentence."""
        return self.markdown or "\n".join("• " + "".join(run.text for run in s) for s in self.sentences)


@dataclass(frozen=True, repr=False)
class Card:
    """One headline figure: a label, the figure, up to three small lines, a state."""

    label: str
    value: Amount
    lines: tuple[str, ...] = ()
    status: Status | None = None

    def as_json(self) -> dict[str, Any]:
        """As a member of ``cards``."""
        status = self.status.as_json() if self.status else None
        return {"label": self.label, "value": self.value.as_json(), "lines": list(self.lines), "status": status}


@dataclass(frozen=True, repr=False)
class Cards(Block):
    """A row of headline figures."""

    cards: tuple[Card, ...]
    title: str = ""
    name: str = "scorecard"

    def as_json(self) -> dict[str, Any]:
        """``cards``: label, value, lines, status."""
        cards = [card.as_json() for card in self.cards]
        return {"version": VERSION, "kind": "cards", "name": self.name, "title": self.title, "cards": cards}

    def html(self) -> str:
        """Boxes side by side."""
        boxes = []
        for card in self.cards:
            small = "<br>".join(html.escape(line) for line in card.lines)
            status = card.status.html() if card.status else ""
            boxes.append(
                '<div style="flex:1;min-width:9em;border-left:4px solid #8886;padding:.4em .8em">'
                f'<div style="opacity:.75">{html.escape(card.label)}</div>'
                f'<div style="font-size:1.7em;font-weight:600">{html.escape(card.value.text)}</div>'
                f'<div style="font-size:.9em">{small}<br>{status}</div></div>'
            )
        return f'<div style="display:flex;gap:.8em;flex-wrap:wrap">{"".join(boxes)}</div>'

    def plain(self) -> str:
        """One line a card."""
        return "\n".join(
            f"{card.label}: {card.value} {' · '.join(card.lines)} {card.status or ''}".rstrip() for card in self.cards
        )


@dataclass(frozen=True, repr=False)
class Cover(Block):
    """The head of a pack: who, which quarter, how it stands, and what the document is about.

    ``meta`` feeds document properties and running headers: partner_id, partner, quarter, period, as_of,
    organisation, edition, language, confidential, fingerprint.
    """

    title: str
    kicker: str
    subtitle: str
    meta: Mapping[str, str]
    score: Amount = field(default_factory=lambda: Amount(None))
    score_label: str = ""
    status: Status | None = None
    facts: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Title, kicker, subtitle, score, facts and meta."""
        return {
            "version": VERSION,
            "kind": "cover",
            "title": str(self.title),
            "kicker": self.kicker,
            "subtitle": self.subtitle,
            "score": self.score.as_json() if self.score.known else None,
            "score_label": self.score_label,
            "status": self.status.as_json() if self.status else None,
            "facts": [list(fact) for fact in self.facts],
            "meta": dict(self.meta),
        }

    def html(self) -> str:
        """Title and facts."""
        facts = " · ".join(f"{html.escape(label)}: {html.escape(value)}" for label, value in self.facts)
        score = f"<b>{html.escape(self.score.text)}</b> {html.escape(self.score_label)}" if self.score.known else ""
        status = self.status.html() if self.status else ""
        return (
            f'<div style="opacity:.75">{html.escape(self.kicker)}</div>'
            f'<div style="font-size:2em;font-weight:700">{html.escape(self.title)}</div>'
            f"<div>{html.escape(self.subtitle)}</div><div>{score} {status}</div>"
            f'<div style="font-size:.9em;opacity:.75">{facts}</div>'
        )

    def plain(self) -> str:
        """Title, subtitle and score."""
        return f"{self.title}\n{self.subtitle}\n{self.score if self.score.known else ''} {self.status or ''}".strip()


@dataclass(frozen=True)
class Column:
    """A column of a table: key, label, kind, and whether the page may leave it to the workbook.

    ``width`` is a relative width for the page (0 lets the content decide); ``sheet_only`` columns
    appear in the workbook and not on the page.
    """

    key: str
    label: str
    kind: ColumnKind = "text"
    width: float = 0
    sheet_only: bool = False

    def as_json(self) -> dict[str, Any]:
        """As a member of ``columns``."""
        return {
            "key": self.key,
            "label": self.label,
            "kind": self.kind,
            "width": self.width,
            "sheet_only": self.sheet_only,
        }


@dataclass(frozen=True, repr=False)
class Table(Block):
    """Rows under labelled columns; a goal table is a table with a bar column.

    ``print_rows`` is how many rows a page shows, all rows go to the workbook. ``role`` tells the
    exporters of two special cases: ``goals`` (``recipes`` say how each actual and attainment recompute)
    and ``records`` (a recipe names the table by its ``name``).
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    caption: str = ""
    empty: str = "Nothing to show."
    print_rows: int = 40
    role: Literal["plain", "goals", "records"] = "plain"
    recipes: tuple[Mapping[str, Any], ...] = ()

    def head(self, rows: int) -> Table:
        """A copy with the first ``rows`` rows."""
        return replace(self, rows=self.rows[:rows], recipes=self.recipes[:rows])

    def select(self, *keys: str) -> Table:
        """A copy with those columns, in that order."""
        places = [[column.key for column in self.columns].index(key) for key in keys]
        columns = tuple(self.columns[place] for place in places)
        return replace(self, columns=columns, rows=tuple(tuple(row[p] for p in places) for row in self.rows))

    def printing(self, rows: int) -> Table:
        """A copy of which a page shows that many rows; the workbook still gets all."""
        return replace(self, print_rows=rows)

    def titled(self, title: str, caption: str = "") -> Table:
        """A copy under another title."""
        return replace(self, title=title, caption=caption or self.caption)

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a frame for an analyst's own work; amounts as Decimal, what is missing as None."""
        import pandas as pd

        data = [[_datum(cell) for cell in row] for row in self.rows]
        return pd.DataFrame(data, columns=[column.key for column in self.columns])

    def as_json(self) -> dict[str, Any]:
        """``columns``, ``rows`` of cells, and what the exporters need beside them."""
        return {
            "version": VERSION,
            "kind": "table",
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "empty": self.empty,
            "print_rows": self.print_rows,
            "role": self.role,
            "columns": [column.as_json() for column in self.columns],
            "rows": [[_cell(cell) for cell in row] for row in self.rows],
            "recipes": [dict(recipe) for recipe in self.recipes],
        }

    def html(self) -> str:
        """An HTML table of the rows that a page would show."""
        shown = self.rows[: self.print_rows]
        keep = [i for i, column in enumerate(self.columns) if not column.sheet_only]
        sides = {i: "right" if self.columns[i].kind == "amount" else "left" for i in keep}
        head = "".join(f'<th style="text-align:{sides[i]}">{html.escape(self.columns[i].label)}</th>' for i in keep)
        body = "".join(
            "<tr>" + "".join(f'<td style="text-align:{sides[i]}">{_html(row[i])}</td>' for i in keep) + "</tr>"
            for row in shown
        )
        title = f"<div><b>{html.escape(self.title)}</b></div>" if self.title else ""
        more = len(self.rows) - len(shown)
        note = f"{more} more rows in the workbook. " if more else ""
        if not self.rows:
            return f"{title}<p><i>{html.escape(self.empty)}</i></p>"
        return (
            f"{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f'<div style="font-size:.9em;opacity:.75">{html.escape(note + self.caption)}</div>'
        )

    def plain(self) -> str:
        """Columns padded with spaces."""
        if not self.rows:
            return self.empty
        lines = [[column.label for column in self.columns]]
        lines += [[_text(cell) for cell in row] for row in self.rows[: self.print_rows]]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


@dataclass(frozen=True, repr=False)
class Chart(Block):
    """A picture with its numbers: SVG for print, PNG for notebooks, the tidy frame, alternative text.

    ``frame`` maps column names to lists of plain values; ``native`` says how Excel draws the same
    (``{"type": "line" | "bar" | "column", "x": column, "series": [columns], "stacked": bool}``).
    ``width`` is ``half`` or ``full``; two half charts in a row stand side by side.
    """

    name: str
    title: str
    alt: str
    svg: str
    png: bytes
    frame: Mapping[str, Sequence[Any]]
    native: Mapping[str, Any]
    caption: str = ""
    width: Literal["half", "full"] = "full"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # No text/html here: JupyterLab would prefer it to the picture.
        return {
            "text/plain": self.plain(),
            "image/svg+xml": self.svg,
            "image/png": base64.b64encode(self.png).decode("ascii"),
            MIMETYPE: self.as_json(),
        }

    def titled(self, title: str, caption: str = "") -> Chart:
        """A copy under another title."""
        return replace(self, title=title, caption=caption or self.caption)

    def as_json(self) -> dict[str, Any]:
        """Everything but the pictures, which travel beside the block under their own types."""
        return {
            "version": VERSION,
            "kind": "chart",
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "alt": self.alt,
            "width": self.width,
            # A list, since a notebook's file sorts the keys of a mapping and columns have an order.
            "frame": [{"name": column, "values": [_value(v) for v in values]} for column, values in self.frame.items()],
            "native": dict(self.native),
        }

    def html(self) -> str:
        """The picture as an HTML page would embed it."""
        data = base64.b64encode(self.png).decode("ascii")
        return f'<img alt="{html.escape(self.alt, quote=True)}" src="data:image/png;base64,{data}">'

    def plain(self) -> str:
        """The alternative text."""
        return f"{self.title}: {self.alt}"


@dataclass(frozen=True, repr=False)
class Group(Block):
    """Several notes or tables that one expression shows, such as the records behind every goal."""

    blocks: tuple[Block, ...]

    def as_json(self) -> dict[str, Any]:
        """``blocks``: each as its own JSON; exporters take them one after another."""
        return {"version": VERSION, "kind": "group", "blocks": [block.as_json() for block in self.blocks]}

    def html(self) -> str:
        """One under another."""
        return "".join(block.html() for block in self.blocks)

    def plain(self) -> str:
        """One under another."""
        return "\n\n".join(block.plain() for block in self.blocks)


def _cell(cell: Cell) -> Any:
    if cell is None or isinstance(cell, str):
        return None if cell is None else str(cell)
    if isinstance(cell, dt.date):
        return {"date": cell.isoformat(), "text": date_text(cell)}
    return cell.as_json()


def _datum(cell: Cell) -> Any:
    if isinstance(cell, Amount):
        return cell.value
    return cell if cell is None or isinstance(cell, dt.date) else _text(cell)


def _text(cell: Cell) -> str:
    if isinstance(cell, dt.date):
        return date_text(cell)
    if isinstance(cell, Bar):
        return ""
    return "–" if cell is None else str(cell)


def _html(cell: Cell) -> str:
    return cell.html() if isinstance(cell, Status | Bar) else html.escape(_text(cell))


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    # A frame holds what is missing as not-a-number, which JSON cannot.
    return None if isinstance(value, float) and not math.isfinite(value) else value
