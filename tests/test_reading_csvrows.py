"""Two ways through a CSV file: the fast one gives what the strict one gives, row for row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.errors import SourceError
from pbr_lib.reading import csvrows
from pbr_lib.reading.encodings import Encoding, Utf8Stream
from pbr_lib.reading.grids import Block

UTF8 = Encoding("utf-8", "UTF-8")


def stream(text: str, checked: bool = True) -> Utf8Stream:
    """The text as a file is opened."""
    return Utf8Stream(io.BytesIO(text.encode()), UTF8, 0, checked)


def rows(blocks: Iterator[Block]) -> list[Any]:
    """Every row with its number, cells, and what is odd about it; the error where reading ends."""
    out: list[Any] = []
    try:
        for block in blocks:
            assert len(block)
            for at in range(len(block)):
                short = block.short is not None and bool(block.short[at])
                cells = [cells.text[at].as_py() for cells in block.columns]
                out.append((int(block.rows[at]), cells, short, block.beyond.get(at)))
    except SourceError as error:
        out.append(str(error))
    return out


def by_reference(text: str, first: int = 1, columns: int = 2) -> list[Any]:
    """The rows by the standard library."""
    return rows(csvrows.reference_blocks(stream(text), ",", first, range(columns)))


def fast(text: str, first: int = 1, columns: int = 2, width: int = 2) -> list[Any]:
    """The rows by pyarrow."""
    return rows(csvrows.fast_blocks(lambda checked: stream(text, checked), ",", width, first, range(columns)))


_RAW = st.text(st.sampled_from('ab,"\n\r é'), max_size=40)
_CELL = st.text(st.sampled_from('ab,"\n\r é0'), max_size=5)
_WRITTEN = st.lists(st.lists(_CELL, max_size=4), max_size=8)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """CSV as programs write it, in all their manners, or any text at all."""
    if draw(st.booleans()):
        return draw(_RAW)
    out = io.StringIO(newline="")
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    writer = csv.writer(out, quoting=quoting, lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"])))
    writer.writerows(draw(_WRITTEN))
    return out.getvalue()


@given(
    texts(),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([(1 << 23, 1 << 21, 16_384), (3, 16, 1), (1, 8, 2)]),
)
def test_both_ways_give_the_same(text: str, first: int, columns: int, width: int, sizes: tuple[int, int, int]) -> None:
    """Where the look at the quotes allows it, the fast way gives the same rows, numbers and oddities."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in zip(("_PIECE", "_ARROW_BYTES", "_ARROW_ROWS"), sizes, strict=True):
            patch.setattr(csvrows, name, size)
        try:
            plain = csvrows.look(stream(text), ",").plain
        except SourceError:
            return
        if plain:
            assert fast(text, first, columns, width) == by_reference(text, first, columns)


@given(_RAW, st.integers(1, 9))
def test_the_look_does_not_depend_on_its_pieces(text: str, size: int) -> None:
    """A file is judged alike in whatever pieces it comes."""
    whole = csvrows.look(stream(text), ",")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvrows, "_PIECE", size)
        assert csvrows.look(stream(text), ",") == whole


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a,b\n1,2\n", True),
        ('"a","b"\n"1","x\ny"\n', True),
        ('a,"say ""hi"""\n', True),
        ('"",""\n', True),
        ('5" pipe,b\n', False),
        ('"b"b,1\n', False),
        ('"open,1\n', False),
        (' "a",b\n', False),
    ],
)
def test_which_quotes_are_plain(text: str, plain: bool) -> None:
    """Quotes that open and close cells are plain; any other sends the file the strict way."""
    assert csvrows.look(stream(text), ",").plain is plain


def test_numbers_count_rows_and_not_lines() -> None:
    """A cell of several lines is one row, a blank line is one too."""
    text = 'a,b\n"x\ny",2\n\n3,4\n'
    assert [row[0] for row in fast(text)] == [1, 2, 3, 4]
    assert fast(text) == by_reference(text)


def test_ragged_rows() -> None:
    """A row with fewer cells is short, one with more has its whole text kept; blank cells behind are nothing."""
    text = "a,b\n1\n1,2,3\n1,2,,\n ,\n\n"
    assert by_reference(text) == fast(text)
    assert by_reference(text)[1:] == [
        (2, ["1", ""], True, None),
        (3, ["1", "2"], False, "1 | 2 | 3"),
        (4, ["1", "2"], False, None),
        (5, [" ", ""], False, None),
        (6, ["", ""], False, None),
    ]


@pytest.mark.parametrize(
    ("text", "row", "what"),
    [('a\n"b\nc\n', 2, "never closed"), ('a\n"b"b\n', 2, "cannot be read"), ('"a\n', 1, "never closed")],
)
def test_a_lost_quote_is_told_with_its_row(text: str, row: int, what: str) -> None:
    """An open quote would join rows in silence, and stops the reading instead."""
    last = by_reference(text, 1, 1)[-1]
    assert f"row {row}" in last
    assert what in last


def test_a_row_longer_than_the_fast_way_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a row, and all behind it, are read the other way, and none twice."""
    monkeypatch.setattr(csvrows, "_ARROW_BYTES", 64)
    monkeypatch.setattr(csvrows, "_ARROW_ROWS", 1)
    text = "a,b\n" + "1,2\n" * 40 + f"{'x' * 500},3\n" + "4,5\n" * 3
    assert fast(text) == by_reference(text)


@pytest.mark.parametrize(("text", "what"), [("a\n\x00\n", "zero byte"), ("x" * (1 << 24), "a line of the file")])
def test_what_no_table_has(text: str, what: str) -> None:
    """Zero bytes, and lines without an end."""
    with pytest.raises(SourceError, match=what):
        csvrows.look(stream(text), ",")
