"""Where the tables of a sheet lie; apart, because a report has lines above and below its data, and a sheet that people
made has tables, pivots and notes side by side.

A table begins at its header and ends where an empty row or column is followed by another table. Nothing is cut where
no other table begins: a blank row between records, or an empty column between two others, belongs to the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pbr_lib.errors import SourceError, did_you_mean
from pbr_lib.model import Finding
from pbr_lib.reading.grids import HEAD_ROWS, Area, Grid, How, MemoryGrid, Spot
from pbr_lib.reading.headers import guessed, held, label, looks_like_data, sought
from pbr_lib.reading.rows import row_text

__all__ = ["fits", "spots"]

_MOST_TABLES, _WIDEST = 50, 16_384
_RANGE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7}):\$?([A-Za-z]{1,3})\$?(\d{0,7})")
Matrix = npt.NDArray[np.bool_]


def fits(spot: Spot, how: How) -> bool:
    """Whether the header of a table holds at least half of the mapped labels; True when nothing is mapped."""
    return 2 * spot.held >= len(how.labels)


def spots(grid: Grid, how: How) -> tuple[Spot, ...]:
    """The tables of a sheet, best first: by the labels that their headers hold, else from the top left.

    Raises
    ------
    SourceError
        When ``how`` names a range or a header row that the sheet does not have; ``where`` is the row, if any.
    """
    if how.range:
        found = [_ranged(grid, how)]
    elif how.header_row:
        found = _at_row(grid, how)
    elif isinstance(grid, MemoryGrid):
        found = _of_sheet(grid, how)
    else:
        found = _of_text(grid, how)
    counted = [replace(spot, held=held(spot.labels, how.labels)) for spot in found if spot.columns]
    if how.labels:
        counted.sort(key=lambda spot: -spot.held)
    return tuple(counted)


# ------------------------------------------------------------------------------------------- as told


def _ranged(grid: Grid, how: How) -> Spot:
    totals = 0
    area = _area(how.range)
    if area is None:
        tables = grid.tables if isinstance(grid, MemoryGrid) else ()
        known = [name for name, _, _ in tables]
        named = next((each for each in tables if each[0].casefold() == how.range.casefold()), None)
        if named is None:
            hint = did_you_mean(how.range, known) if known else "no Excel table has a name here"
            fix = f'write range: as "B5:K200", or the name of an Excel table ({hint})'
            raise SourceError(f'no range or table is called "{how.range}"', "", fix)
        _, area, totals = named
    rows = grid.texts(area.top, min(area.bottom or area.top + HEAD_ROWS, area.top + HEAD_ROWS))
    cropped = [row[area.left : area.right + 1] for row in rows]
    if not any(cell.strip() for row in cropped for cell in row):
        raise SourceError(f"the range {how.range} is empty", "", "correct range: in the mapping")
    at = how.header_row - area.top if how.header_row else _header(cropped, how, first=True)
    if not 0 <= at < len(cropped):
        raise SourceError(
            f"the header in row {how.header_row} lies outside of {how.range}", "", "correct header_row: or range:"
        )
    return replace(_spot(grid, replace(area, top=area.top + at), totals=totals), cropped=True)


def _area(text: str) -> Area | None:
    found = _RANGE.fullmatch(text.strip())
    if not found:
        return None
    left, right = sorted((_column(found[1]), _column(found[3])))
    top, bottom = int(found[2]), int(found[4]) if found[4] else None
    if top < 1 or (bottom is not None and bottom < top):
        return None
    return Area(top, left, right, bottom)


def _column(letters: str) -> int:
    number = 0
    for sign in letters.upper():
        number = number * 26 + ord(sign) - 64
    return number - 1


def _at_row(grid: Grid, how: How) -> list[Spot]:
    row = how.header_row
    header = next(iter(grid.texts(row, row)), [])
    if row < 1 or not any(cell.strip() for cell in header):
        fix = "correct header_row: in the mapping, or remove it to have the header found by its labels"
        raise SourceError(f"row {row} is empty, so it is no header", f"row {row}", fix)
    if not isinstance(grid, MemoryGrid) or not how.labels:
        return [_spot(grid, Area(row, 0, len(header) - 1))]
    strips = [(a, b) for a, b in _strips(grid, grid.occupied, how) if any(cell.strip() for cell in header[a : b + 1])]
    return [next(_stacked(grid, grid.occupied, strip, (row - 1, 1.0))) for strip in strips]


def _header(rows: Sequence[Sequence[str]], how: How, first: bool = False) -> int:
    """The position of the header among some rows, -1 where there is none; ``first``: the first row if in doubt."""
    if how.labels:
        at, count = sought(rows, how.labels)
        if 2 * count >= len(how.labels):
            return at
    elif not first:
        return guessed(rows)[0]
    return 0 if first else -1


# ---------------------------------------------------------------------------------------- text files


def _of_text(grid: Grid, how: How) -> list[Spot]:
    at = _header(grid.head, how)
    if at < 0:
        return []
    width = len(grid.head[at])
    return [_spot(grid, Area(at + 1, 0, width - 1), score=guessed(grid.head)[1])]


def _spot(grid: Grid, area: Area, occupied: Matrix | None = None, score: float = 1.0, totals: int = 0) -> Spot:
    """The table below a header: its columns are those with a label, and those without one that hold something."""
    if area.right >= _WIDEST:
        what = f"a row has {area.right + 1:,} cells, more columns than a spreadsheet can have"
        raise SourceError(what, f"row {area.top}", "this is no export of records; export it again")
    header = next(iter(grid.texts(area.top, area.top)), [])
    if occupied is None and isinstance(grid, MemoryGrid):
        occupied = grid.occupied
    names = [label(header[n]) if n < len(header) else "" for n in range(area.left, area.right + 1)]
    columns = [area.left + n for n, name in enumerate(names) if name or _used(occupied, area, area.left + n)]
    labels = tuple(names[column - area.left] or f"(column {column + 1})" for column in columns)
    rows = grid.texts(max(area.top - HEAD_ROWS, 1), area.top - 1) if area.top > 1 else []
    above = tuple(text[:1000] for text in (row_text(row[area.left : area.right + 1]) for row in rows) if text)
    if isinstance(grid, MemoryGrid) and area.bottom is None:
        area = replace(area, bottom=_last_row(occupied, columns, area.top))
    return Spot(grid, area, tuple(columns), labels, score=score, above=above, totals=totals)


def _used(occupied: Matrix | None, area: Area, column: int) -> bool:
    # Of a text file only the head is known, and a column that is there at all may fill later.
    if occupied is None:
        return True
    bottom = len(occupied) if area.bottom is None else area.bottom
    return column < occupied.shape[1] and bool(occupied[area.top : bottom, column].any())


def _last_row(occupied: Matrix | None, columns: Sequence[int], top: int) -> int:
    """The last row with anything in it: rows behind it are nothing, not even blank rows of the table."""
    if occupied is None or not columns:
        return top
    full = np.flatnonzero(occupied[:, list(columns)].any(axis=1))
    return max(int(full[-1]) + 1, top) if len(full) else top


# -------------------------------------------------------------------------------------------- sheets


def _of_sheet(grid: MemoryGrid, how: How) -> list[Spot]:
    occupied = grid.occupied
    if not occupied.any():
        return []
    objects = [_of_object(grid, occupied, area, totals) for _, area, totals in grid.tables[:_MOST_TABLES]]
    if objects and (not how.labels or any(2 * held(spot.labels, how.labels) >= len(how.labels) for spot in objects)):
        return [replace(spot, parted=len(objects) > 1) for spot in objects]
    found: list[Spot] = []
    for strip in _strips(grid, occupied, how):
        rows = _cropped(grid.head, *strip)
        named = _header(rows, how) if how.labels else -1
        for spot in _stacked(grid, occupied, strip, (named, 1.0) if named >= 0 else guessed(rows)):
            found.append(spot)
            if len(found) >= _MOST_TABLES:
                break
    # A lone word beside a table is a note, and no table without rows.
    tables = [spot for spot in found if len(spot.labels) > 1 or spot.area.bottom != spot.area.top] or found
    return [replace(spot, parted=len(tables) > 1) for spot in tables]


def _of_object(grid: MemoryGrid, occupied: Matrix, area: Area, totals: int) -> Spot:
    spot = _spot(grid, area, occupied, totals=totals)
    bottom = area.bottom or area.top
    below = occupied[bottom : bottom + 1, area.left : area.right + 1]
    if totals or not below.size or not below.any():
        return spot
    what = f"rows below row {bottom} lie outside of the Excel table and were not read"
    fix = "extend the Excel table over them, or write range: into the mapping"
    return replace(spot, findings=(Finding("warning", what, row=bottom + 1, fix=fix),))


def _strips(grid: MemoryGrid, occupied: Matrix, how: How) -> list[tuple[int, int]]:
    """The sheet cut at empty columns, but only where another table begins behind them."""
    full = occupied.any(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8)))
    strips = [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    if len(strips) < 2:
        return strips
    rows = grid.head
    whole, most = sought(rows, how.labels) if how.labels else (-1, 0)
    if most:
        within = [sought(_cropped(rows, *strip), how.labels)[1] for strip in strips]
        if max(within) < most:
            # The labels of one table stand on both sides of an empty column.
            with_labels = [n for n, (a, b) in enumerate(strips) if held(rows[whole][a : b + 1], how.labels)]
            first, last = with_labels[0], with_labels[-1]
            return [(strips[first][0], strips[last][1]), *strips[:first], *strips[last + 1 :]]
        return strips
    return _rejoined(rows, occupied, strips)


def _cropped(rows: Sequence[Sequence[str]], left: int, right: int) -> list[Sequence[str]]:
    return [row[left : right + 1] for row in rows]


def _rejoined(rows: Sequence[Sequence[str]], occupied: Matrix, strips: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbours with their headers in one row and equally many rows are one table with an empty column in it."""
    out: list[tuple[int, int]] = []
    ends: list[tuple[int, int]] = []
    for left, right in strips:
        header = guessed(_cropped(rows, left, right))[0]
        if left == right:
            # A single column has no width to judge a header by; the row beside it tells.
            header = ends[-1][0] if ends else header
        here = (header, int(np.flatnonzero(occupied[:, left : right + 1].any(axis=1))[-1]))
        if out and here == ends[-1]:
            out[-1] = (out[-1][0], right)
        else:
            out.append((left, right))
            ends.append(here)
    return out


def _stacked(grid: MemoryGrid, occupied: Matrix, strip: tuple[int, int], first: tuple[int, float]) -> Iterator[Spot]:
    """The tables of a strip, one below the other, from the header at the position ``first`` on."""
    left, right = strip
    at, score = first
    while at >= 0:
        top = at + 1
        break_ = _next_table(grid, occupied, left, right, top)
        bottom = break_[0] if break_ else None
        spot = _spot(grid, Area(top, left, right, bottom), occupied, score)
        if bottom is not None:
            spot = replace(spot, area=replace(spot.area, bottom=_end(occupied, spot.columns, top, bottom)))
        yield spot
        at, score = (break_[1] - 1, 1.0) if break_ else (-1, 0.0)


def _end(occupied: Matrix, columns: Sequence[int], top: int, bottom: int) -> int:
    full = np.flatnonzero(occupied[top - 1 : bottom, list(columns)].any(axis=1))
    return top + int(full[-1]) if len(full) else top


def _next_table(grid: MemoryGrid, occupied: Matrix, left: int, right: int, top: int) -> tuple[int, int] | None:
    """Where another table begins below a header: the last row before it, and its own header row."""
    full: Matrix = np.asarray(occupied[top:, left : right + 1].any(axis=1))
    starts: npt.NDArray[np.int64] = np.flatnonzero(full[1:] & ~full[:-1]) + 1
    for start in starts[:HEAD_ROWS].tolist():
        first = top + start + 1
        rows = _cropped(grid.texts(first, first + 6), left, right)
        for offset in range(min(3, len(rows) - 1)):
            if sum(bool(cell.strip()) for cell in rows[offset]) > 1:
                above = [row for row in _cropped(grid.texts(top + 1, top + 20), left, right)[: start - 1] if any(row)]
                if _begins(rows[offset:], above):
                    return first - 1, first + offset
                break
    return None


def _begins(rows: Sequence[Sequence[str]], above: Sequence[Sequence[str]]) -> bool:
    """Whether a row is the header of another table: different words, with data of another kind right below them.

    And either the table above holds nothing but such data in one of those columns, so that a word among it must be a
    label, or the new rows leave a column empty that every record above fills.

    Parameters
    ----------
    rows:
        The row, and some below it.
    above:
        The first rows of the table above.
    """
    names = [cell.strip() for cell in rows[0] if cell.strip()]
    if len({name.casefold() for name in names}) < len(names) or any(map(looks_like_data, names)) or len(rows) < 2:
        return False
    places = [n for n, cell in enumerate(rows[0]) if cell.strip()]
    unlike = [n for n in places if rows[1][n].strip() and looks_like_data(rows[1][n])]
    if not unlike or not above:
        return bool(unlike)
    if any(not any(each[n].strip() and not looks_like_data(each[n]) for each in above) for n in unlike):
        return True
    always = [n for n in range(len(rows[0])) if all(each[n].strip() for each in above)]
    return any(not any(row[n].strip() for row in rows) for n in always)
