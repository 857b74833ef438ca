"""How wide the columns of a printed table are; apart, because cards of blocks, frames and Markdown all need it.

Widths come from the advance widths of the letters, so a table fits its page before Typst ever sees it: numbers,
dates and states keep to one line, text shares what is left, and a table that is too wide is cut into groups of
columns that each begin with the first one.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pbr_lib.export import fonts

__all__ = ["TEXT_WIDTH", "Field", "breakable", "parted"]

TEXT_WIDTH = 499.9
_GAP = 10.0
_BAR = 78.0
_LONG_CELL = 1200  # letters; in the narrowest column these fill about half a page
_SMALLEST = 7.2
_WORD = 110.0
_PROSE = 300.0
_MOST_COLUMNS = 10
_SIGNIFICANT = 400
_TOKEN = re.compile(r"[^\s\u200b]+")


@dataclass(frozen=True)
class Field:
    """A column to be printed: its label, kind, cells as the template takes them, and hints."""

    label: Any
    kind: str
    cells: Sequence[Any]
    hint: float = 0
    strong: bool = False

    @property
    def right(self) -> bool:
        """Whether the column stands at its right edge, as numbers do."""
        return self.kind == "amount"

    @property
    def grows(self) -> bool:
        """Whether more room does it good: text wraps, numbers, dates and states do not."""
        return self.kind in ("text", "bar")


@dataclass(frozen=True)
class _Need:
    """What a column asks for: the least it can do with, what is fair, what its longest cell would like."""

    least: float
    natural: float
    full: float
    hint: float
    grows: bool


def parted(fields: Sequence[Field], size: float) -> tuple[float, list[dict[str, Any]], float]:
    """The type size, the groups of columns side by side, and about how high all of it becomes."""
    while size > _SMALLEST and len(fields) <= _MOST_COLUMNS and not _fits([_need(f, size) for f in fields]):
        size = round(size - 0.4, 1)
    parts, height = [], 0.0
    for group in _groups(fields, [_need(f, size) for f in fields]):
        widths = _widths([_need(f, size) for f in group])
        parts.append(_part(group, widths, size))
        height += _height(group, widths, size)
    return size, parts, height


def breakable(text: str, room: float, size: float) -> str:
    """``text`` with zero-width spaces inside the words that are wider than ``room``."""
    if len(text) * size * 0.25 < room:
        return text

    def cut(match: re.Match[str]) -> str:
        word = match.group()
        return _cut(word) if fonts.measure(word, size, heavy=True) > room else word

    return _TOKEN.sub(cut, text)


def _cut(word: str) -> str:
    # A mark that stands on a letter stays with it.
    out = word[:1]
    for sign, last in zip(word[1:], word, strict=False):
        joined = unicodedata.category(sign)[0] == "M" or "\u200d" in (sign, last)
        out += sign if joined else "\u200b" + sign
    return out


def _part(group: Sequence[Field], widths: Sequence[float], size: float) -> dict[str, Any]:
    pads = [_GAP] * len(group)
    pads[0] -= _GAP / 2
    pads[-1] -= _GAP / 2
    columns, cells = [], []
    for field, width, pad in zip(group, widths, pads, strict=True):
        room = width - pad - 0.5
        look = "strong" if field.strong else "plain"
        columns.append({"width": round(width, 2), "pad": pad, "right": field.right, "look": look})
        cells.append([_softened(cell, room, size) for cell in field.cells])
    heads = [_softened(f.label, w - p - 0.5, size * 0.92) for f, w, p in zip(group, widths, pads, strict=True)]
    rows = [list(row) for row in zip(*cells, strict=True)]
    longest = max((len(_plain(cell)) for field in group for cell in field.cells), default=0)
    return {"columns": columns, "heads": heads, "rows": rows, "whole": longest <= _LONG_CELL}


def _softened(cell: Any, room: float, size: float) -> Any:
    if isinstance(cell, str):
        return breakable(cell, room, size)
    if isinstance(cell, list):
        return [_softened(run, room, size) for run in cell]
    if "body" in cell:
        return cell | {"body": _softened(cell["body"], room, size)}
    return cell | {"text": breakable(cell["text"], room, size)} if "text" in cell else cell


# ---------------------------------------------------------------------------------------------- widths


def _need(field: Field, size: float) -> _Need:
    head = _plain(field.label)
    word = _longest(head, size * 0.92, True)
    label = fonts.measure(head, size * 0.92, True)
    if field.kind == "bar":
        wide = max(_BAR, word) + _GAP
        return _Need(max(_BAR * 0.7, word) + _GAP, wide, wide, field.hint, True)
    cells = field.cells[:_SIGNIFICANT]
    if not field.grows:
        # "not measurable" among numbers may take two lines; it must not make the column wide.
        word = max([word, *(_longest(_plain(c), size) for c in cells if _is_quiet(c))])
        cells = [c for c in cells if not _is_quiet(c)]
    texts = [_plain(cell) for cell in cells]
    widest = max((fonts.measure(text, size, field.strong) for text in texts), default=0.0)
    if not field.grows:
        if field.kind == "status":
            widest *= 1.05
        # A label over numbers may run over two lines, the numbers may not.
        narrow = max(min(widest, _WORD), min(word, _WORD))
        wide = max(narrow, min(label, narrow * 1.6)) + _GAP + 1
        return _Need(narrow + _GAP + 1, wide, wide, field.hint, False)
    longest = max((_longest(text, size, field.strong) for text in dict.fromkeys(texts)), default=0.0)
    least = min(max(longest, word), _WORD) + _GAP + 1
    full = max(least, max(widest, label) + _GAP + 1)
    return _Need(least, min(full, max(least, _PROSE)), full, field.hint, True)


def _longest(text: str, size: float, heavy: bool = False) -> float:
    return max((fonts.measure(word, size, heavy) for word in text.split()), default=0.0)


def _is_quiet(cell: Any) -> bool:
    return isinstance(cell, dict) and cell.get("k") == "quiet"


def _fits(needs: Sequence[_Need]) -> bool:
    return sum(need.least for need in needs) <= TEXT_WIDTH + _GAP


def _groups(fields: Sequence[Field], needs: Sequence[_Need]) -> list[list[Field]]:
    if _fits(needs) and len(fields) <= _MOST_COLUMNS:
        return [list(fields)]
    least = max(2, math.ceil((len(fields) - 1) / (_MOST_COLUMNS - 1)))
    for count in range(least, len(fields)):
        # Groups of about equal size look meant; a full one and a rest look torn.
        each = math.ceil((len(fields) - 1) / count)
        groups = [[0, *range(i, min(i + each, len(fields)))] for i in range(1, len(fields), each)]
        if all(_fits([needs[i] for i in group]) for group in groups):
            break
    return [[fields[i] for i in group] for group in groups]


def _widths(needs: Sequence[_Need]) -> list[float]:
    # The outer columns have no padding towards the margins, so there is a gap more to give away.
    least = [need.least for need in needs]
    least[0] -= _GAP / 2
    least[-1] -= _GAP / 2
    room = TEXT_WIDTH - sum(least)
    if room <= 0:
        return [width * TEXT_WIDTH / sum(least) for width in least]
    if any(need.hint for need in needs):
        return _hinted(needs, least)
    widths = list(least)
    for wants in (
        [need.natural - need.least if need.grows else 0.0 for need in needs],
        [need.natural - need.least if not need.grows else 0.0 for need in needs],
        [need.full - need.natural for need in needs],
    ):
        widths = [width + more for width, more in zip(widths, _poured(wants, TEXT_WIDTH - sum(widths)), strict=True)]
    room = TEXT_WIDTH - sum(widths)
    shares = [2.0 if need.grows else 1.0 for need in needs]
    return [width + room * share / sum(shares) for width, share in zip(widths, shares, strict=True)]


def _poured(wants: Sequence[float], room: float) -> list[float]:
    """``room`` shared so that small wants are met in full and the great ones get equal parts of the rest."""
    given = [0.0] * len(wants)
    for left, i in zip(range(len(wants), 0, -1), sorted(range(len(wants)), key=wants.__getitem__), strict=True):
        given[i] = min(wants[i], room / left)
        room -= given[i]
    return given


def _hinted(needs: Sequence[_Need], least: Sequence[float]) -> list[float]:
    """Columns without a hint get what they need; the others share the rest by their hints."""
    fixed = {i: least[i] + need.natural - need.least for i, need in enumerate(needs) if not need.hint}
    if sum(fixed.values()) + sum(least[i] for i in range(len(needs)) if i not in fixed) > TEXT_WIDTH:
        fixed = {i: least[i] for i in fixed}
    while True:
        free = [i for i in range(len(needs)) if i not in fixed]
        room, hints = TEXT_WIDTH - sum(fixed.values()), sum(needs[i].hint for i in free)
        short = [i for i in free if room * needs[i].hint / hints < least[i]]
        if not short:
            return [fixed[i] if i in fixed else room * needs[i].hint / hints for i in range(len(needs))]
        fixed |= {i: least[i] for i in short}


def _height(group: Sequence[Field], widths: Sequence[float], size: float) -> float:
    rows = len(group[0].cells)
    lines = 0.0
    for row in range(min(rows, 60)):
        lines += max(
            math.ceil(fonts.measure(_plain(f.cells[row]), size) * 1.1 / max(w - _GAP, 1)) or 1
            for f, w in zip(group, widths, strict=True)
        )
    return (lines + rows + 3) * size * 1.25


def _plain(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, list):
        return "".join(map(_plain, cell))
    if cell.get("k") == "status":
        return f"{cell['shape']} {cell['word']}"
    return _plain(cell.get("body", cell.get("text", "")))
