"""Which row of a sheet is its header; apart, because it is judged by content alone, the same for every kind of file.

Where a mapping names labels, the row that holds most of them is the header. Where nobody has mapped the file yet, it
is the first row that fills the width of the table with different words while the rows below look like data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pbr_lib.errors import did_you_mean
from pbr_lib.reading.words import is_footer, is_number

__all__ = ["guessed", "held", "label", "looks_like_data", "nearest", "sought"]

_LONGEST = 255  # CRM labels end at 80 characters; Excel's own table headers at 255
_DATED = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*")
_COMPARED = 20


def label(cell: str) -> str:
    """A header cell as its column is called: without outer blanks and BOM, line breaks as one space."""
    text = cell.strip(" \t\r\n\u00a0\ufeff")
    return re.sub(r"\s*[\r\n]+\s*", " ", text) if "\n" in text or "\r" in text else text


def held(row: Sequence[str], labels: frozenset[str]) -> int:
    """How many of the labels a row holds: exactly, or else whatever the case."""
    cells = {label(cell) for cell in row}
    exact = len(cells & labels)
    if exact == len(labels):
        return exact
    folded = {cell.casefold() for cell in cells}
    return sum(each in cells or label(each).casefold() in folded for each in labels)


def sought(rows: Sequence[Sequence[str]], labels: frozenset[str]) -> tuple[int, int]:
    """The position of the row that holds most labels, and how many: the first of equals, (-1, 0) when none does."""
    best, most = -1, 0
    for position, row in enumerate(rows):
        count = held(row, labels)
        if count > most:
            best, most = position, count
    return best, most


def guessed(rows: Sequence[Sequence[str]]) -> tuple[int, float]:
    """The position of the row that is most likely a header, and how likely (0 to 1); (-1, 0.0) when none is."""
    widths = [sum(bool(cell.strip()) for cell in row) for row in rows]
    scores = [_score(rows, widths, position) for position in range(len(rows))]
    best = max(scores, default=0.0)
    if best <= 0:
        return -1, 0.0
    # The header stands above its data, so the first of nearly equals is meant.
    position = next(n for n, score in enumerate(scores) if score >= 0.9 * best)
    return position, scores[position]


def _score(rows: Sequence[Sequence[str]], widths: Sequence[int], position: int) -> float:
    cells = [label(cell) for cell in rows[position] if cell.strip()]
    if not cells or any(len(cell) > _LONGEST for cell in cells) or is_footer(cells[0]):
        return 0.0
    below = widths[position + 1 : position + 1 + _COMPARED]
    full = sorted(width for width in below if width)
    usual = full[len(full) * 3 // 4] if full else len(cells)
    widest = max(max(widths), 1)
    if len(cells) == 1 and widest > 1:
        return 0.0
    words = sum(not looks_like_data(cell) for cell in cells) / len(cells)
    different = len({cell.casefold() for cell in cells}) / len(cells)
    breadth = min(len(cells) / max(usual, 1), 1.0) * (0.5 + 0.5 * min(len(cells) / widest, 1.0))
    followed = 1.0 if full else 0.8
    return breadth * words * different * followed


def looks_like_data(cell: str) -> bool:
    """Whether a text reads as a number, a date, a truth value, an address or a long text: no column is called so."""
    text = cell.strip()
    if is_number(text) or _DATED.fullmatch(text) or text.lower() in ("true", "false"):
        return True
    return len(text) > 100 or "://" in text or ("@" in text and " " not in text)


def nearest(rows: Sequence[Sequence[str]], labels: frozenset[str], first: int = 1) -> str:
    """What stands in the row that comes nearest to holding the labels, in words; empty for an empty sheet.

    Parameters
    ----------
    rows, labels:
        The rows looked at, and the labels sought.
    first:
        The number of the first row.
    """
    position, _ = sought(rows, labels)
    if position < 0:
        position, _ = guessed(rows)
    if position < 0:
        position = max(range(len(rows)), key=lambda n: sum(map(bool, rows[n])), default=-1)
    if position < 0:
        return ""
    cells = [label(cell) for cell in rows[position] if cell.strip()]
    shown = ", ".join(cell[:40] for cell in cells[:8]) + (" ..." if len(cells) > 8 else "")
    missing = sorted(each for each in labels if not held(rows[position], frozenset([each])))
    hints = "; ".join(f'"{each}" ({did_you_mean(each, cells, 6)})' for each in missing[:3])
    return f"row {first + position} comes nearest: {shown}" + (f"; missing are {hints}" if hints else "")
