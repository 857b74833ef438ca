"""The rows of a text file, by two paths that give the same: apart, because one is plain and the other is fast.

The standard library's reader is the reference. It is strict: a quote that is never closed, or that has letters
behind it, is refused with its row, since lenient readers join rows there in silence. pyarrow reads twelve times
faster, and is taken where :func:`look` has seen that every quote of the file stands where both agree.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from pbr_lib.cells import Cells
from pbr_lib.errors import SourceError
from pbr_lib.reading.encodings import Utf8Stream
from pbr_lib.reading.grids import Block, filled, joined, no_cells, strings

__all__ = ["Look", "fast_blocks", "look", "records", "reference_blocks"]

LONGEST_ROW = 1 << 23
_PIECE = 1 << 23
_ROWS = 16_384
_QUOTE, _LINE_ENDS = 34, (10, 13)
_ARROW_BYTES, _ARROW_ROWS = 1 << 21, 16_384
# What text that was encoded twice begins with; a search for one rare byte of it first is much faster.
_DOUBLED = ((b"\x83", b"\xc3\x83"), (b"\xac", b"\xc3\xa2\xe2\x82\xac"), (b"\x82", b"\xc3\x82\xc2"))
# The limit is one for the whole process, and only ever raised: a text area of a CRM holds 131,072 letters and more.
csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW))


# -------------------------------------------------------------------------------------------- one look


@dataclass(frozen=True)
class Look:
    """What one pass over a file found: whether ``plain`` enough for the fast path, and text that was encoded twice."""

    plain: bool
    doubled: bool


def look(stream: Utf8Stream, delimiter: str) -> Look:
    """Pass once over a file.

    Raises
    ------
    UnicodeError
        When it is no text of its encoding.
    SourceError
        When it holds a zero byte, or a line without an end.
    """
    allowed = np.zeros(256, dtype=bool)
    plain = len(delimiter.encode()) == 1
    allowed[[_QUOTE, *_LINE_ENDS, *delimiter.encode()[:1]]] = True
    before, opened, doubled, since = 10, 0, False, 0
    piece = _full(stream)
    while piece:
        after = _full(stream)
        if b"\x00" in piece:
            raise SourceError("the file holds a zero byte, which no text does", "", "export it again; it was damaged")
        ended = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        since = since + len(piece) if ended < 0 else len(piece) - ended
        if since > LONGEST_ROW:
            raise SourceError(
                f"a line of the file has more than {LONGEST_ROW:,} bytes", "", "this is no table; export it again"
            )
        doubled = doubled or any(rare in piece and sign in piece for rare, sign in _DOUBLED)
        if plain and b'"' in piece:
            plain, opened = _quotes_fit(piece, (before, after[0] if after else 10), allowed, opened)
        before, piece = piece[-1], after
    return Look(plain and not opened, doubled)


def _full(stream: Utf8Stream) -> bytes:
    """The next bytes, as many as a piece holds unless the file ends."""
    pieces, left = [], _PIECE
    while left and (data := stream.read(left)):
        pieces.append(data)
        left -= len(data)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _quotes_fit(piece: bytes, beside: tuple[int, int], allowed: npt.NDArray[np.bool_], opened: int) -> tuple[bool, int]:
    """Whether each quote opens a cell, closes one, or is one of a pair within; and whether one is left open.

    Quotes open and close by turns. One that opens has a separator or line end before it, or (within a cell) the
    quote that closed; one that closes has a separator, a line end, or another quote behind it. Where this holds
    throughout, every reader of CSV finds the same cells.
    """
    array = np.frombuffer(piece, dtype=np.uint8)
    at = np.flatnonzero(array == _QUOTE)
    opening, closing = at[opened::2], at[1 - opened :: 2]
    # Position -1 is the last byte of the piece; what stands before and behind the piece is looked at apart.
    left, right = array[opening - 1], array[np.minimum(closing + 1, len(array) - 1)]
    fits = bool(allowed[left[opening > 0]].all()) and bool(allowed[right].all())
    if len(opening) and opening[0] == 0:
        fits = fits and bool(allowed[beside[0]])
    if len(closing) and closing[-1] == len(array) - 1:
        fits = fits and bool(allowed[beside[1]])
    return fits, (opened + len(at)) % 2


# ------------------------------------------------------------------------------------------- reference


def records(stream: io.TextIOBase, delimiter: str) -> Iterator[list[str]]:
    """Every row of a text as the standard library reads it, strictly.

    Raises
    ------
    SourceError
        When a row cannot be read; ``where`` is its number.
    """
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            what = f"this row cannot be read: {error}"
            if "unexpected end of data" in str(error):
                what = "a quote opens in this row and is never closed"
            fix = "look for a quote that is not closed, or stands within a text, and export again"
            raise SourceError(what, f"row {number}", fix) from None
        except UnicodeError:
            raise SourceError("this row is no text of its encoding", f"row {number}", "correct encoding:") from None
        if row is None:
            return
        yield row


def reference_blocks(stream: Utf8Stream, delimiter: str, first: int, columns: Sequence[int]) -> Iterator[Block]:
    """The rows of a file from row ``first`` on, in those columns, by the standard library."""
    with io.TextIOWrapper(io.BufferedReader(stream, _ROWS * 8), encoding="utf-8", newline="") as text:
        rows = records(text, delimiter)
        for _ in islice(rows, first - 1):
            pass
        number = first
        while chunk := list(islice(rows, _ROWS)):
            numbers = np.arange(number, number + len(chunk), dtype=np.int64)
            yield _block(numbers, chunk, columns)
            number += len(chunk)


def _block(numbers: npt.NDArray[np.int64], rows: list[list[str]], columns: Sequence[int]) -> Block:
    """Rows of any width as a block: a row without a single cell is blank, not short."""
    needed = max(columns) + 1
    widths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    beyond: dict[int, str] = {}
    for at in np.flatnonzero(widths > needed).tolist():
        if any(cell.strip() for cell in rows[at][needed:]):
            beyond[at] = _one_line(rows[at])
        rows[at] = rows[at][:needed]
    short = (widths < needed) & (widths > 0)
    for at in np.flatnonzero(widths < needed).tolist():
        rows[at] = rows[at] + [""] * (needed - len(rows[at]))
        # A blank row of one cell, such as a line of spaces, is no short record.
        short[at] = short[at] and any(cell.strip() for cell in rows[at])
    by_column = list(zip(*rows, strict=True))
    cells = tuple(Cells(strings(by_column[number])) for number in columns)
    return Block(numbers, cells, short if short.any() else None, beyond)


def _one_line(row: Sequence[str]) -> str:
    return " | ".join(" ".join(cell.split()) for cell in row if cell.strip())


# ------------------------------------------------------------------------------------------------ fast


def fast_blocks(
    opened: Callable[[bool], Utf8Stream], delimiter: str, width: int, first: int, columns: Sequence[int]
) -> Iterator[Block]:
    """The same rows by pyarrow; what it cannot read is read by the standard library from there on.

    Parameters
    ----------
    opened:
        Opens the file anew; its argument says whether bytes are to be checked.
    delimiter, first, columns:
        As in :func:`reference_blocks`.
    width:
        How many cells most rows have. Rows of another width are parsed one by one.
    """
    odd: list[tuple[int, str]] = []
    numbers = _Numbers(odd)
    try:
        for batch in _arrow_batches(opened(False), delimiter, width, odd):
            block = _of_arrow(batch, numbers.take(batch.num_rows), columns)
            merged = _with_odd(block, numbers.odd_before(numbers.next), delimiter, columns)
            if merged is not None and (kept := merged.take(merged.rows >= first)):
                yield kept
            numbers.given = numbers.next - 1
        rest = _with_odd(None, numbers.odd_before(None), delimiter, columns)
        if rest is not None and (kept := rest.take(rest.rows >= first)):
            yield kept
        return
    except (pa.ArrowInvalid, csv.Error):
        # A row longer than pyarrow takes at once, for instance.
        pass
    yield from reference_blocks(opened(True), delimiter, max(numbers.given + 1, first), columns)


class _Numbers:
    """Which row of the file each row of pyarrow is: it counts the rows that it skips, and not those that it gives."""

    def __init__(self, odd: list[tuple[int, str]]) -> None:
        self._odd, self._taken, self._passed = odd, 0, 0
        self.next, self.given = 1, 0

    def take(self, count: int) -> npt.NDArray[np.int64]:
        """The numbers of the next ``count`` rows."""
        pieces, left = [], count
        while left:
            until = self._odd[self._passed][0] if self._passed < len(self._odd) else self.next + left
            run = min(until - self.next, left)
            pieces.append(np.arange(self.next, self.next + run, dtype=np.int64))
            self.next, left = self.next + run, left - run
            while self._passed < len(self._odd) and self._odd[self._passed][0] == self.next:
                self._passed, self.next = self._passed + 1, self.next + 1
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)

    def odd_before(self, row: int | None) -> list[tuple[int, str]]:
        """The skipped rows before that row (None: all) that were not asked for yet."""
        start = self._taken
        while self._taken < len(self._odd) and (row is None or self._odd[self._taken][0] < row):
            self._taken += 1
        return self._odd[start : self._taken]


def _arrow_batches(
    stream: Utf8Stream, delimiter: str, width: int, odd: list[tuple[int, str]]
) -> Iterator[pa.RecordBatch]:
    def skip(row: pyarrow.csv.InvalidRow) -> str:
        odd.append((row.number, row.text))
        return "skip"

    names = [str(number) for number in range(width)]
    options = (
        pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=_ARROW_BYTES),
        pyarrow.csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip
        ),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            null_values=[],
            check_utf8=False,  # every byte has been looked at already
        ),
    )
    with stream, pyarrow.csv.open_csv(pa.PythonFile(stream, mode="r"), *options) as reader:
        parts: list[pa.RecordBatch] = []
        for batch in reader:
            parts.append(batch)
            if sum(part.num_rows for part in parts) >= _ARROW_ROWS:
                yield pa.concat_batches(parts)
                parts = []
        if parts:
            yield pa.concat_batches(parts)


def _of_arrow(batch: pa.RecordBatch, rows: npt.NDArray[np.int64], columns: Sequence[int]) -> Block:
    width, needed = batch.num_columns, max(columns) + 1
    cells = tuple(Cells(batch.column(n)) if n < width else no_cells(len(rows)) for n in columns)
    short = None
    if width < needed:
        # A blank line comes as a row of empty cells.
        short = np.logical_or.reduce([filled(Cells(batch.column(n))) for n in range(width)])
    beyond: dict[int, str] = {}
    for at in _filled_behind(batch, needed):
        beyond[at] = _one_line([batch.column(n)[at].as_py() for n in range(width)])
    return Block(rows, cells, short, beyond)


def _filled_behind(batch: pa.RecordBatch, needed: int) -> list[int]:
    if batch.num_columns <= needed:
        return []
    behind = np.logical_or.reduce([filled(Cells(batch.column(n))) for n in range(needed, batch.num_columns)])
    return [int(at) for at in np.flatnonzero(behind)]


def _with_odd(block: Block | None, odd: list[tuple[int, str]], delimiter: str, columns: Sequence[int]) -> Block | None:
    """A block with the rows of other widths at their places."""
    if not odd:
        return block
    rows = [next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), []) for _, text in odd]
    other = _block(np.array([number for number, _ in odd], dtype=np.int64), rows, columns)
    if block is None or not len(block):
        return other
    both = joined([block, other])
    order = np.argsort(both.rows, kind="stable")
    moved = np.empty(len(order), dtype=np.int64)
    moved[order] = np.arange(len(order))
    beyond = {int(moved[at]): text for at, text in both.beyond.items()}
    cells = tuple(Cells(column.text.take(pa.array(order))) for column in both.columns)
    return Block(both.rows[order], cells, None if both.short is None else both.short[order], beyond)
