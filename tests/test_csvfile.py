"""The small CSV files: what Excel writes is read, and every cell that does not fit gets an answer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from pbr_lib.csvfile import CsvFile, Row
from pbr_lib.errors import InputError

COLUMNS = ("id", "target", "due", "side")


def rows(tmp_path: Path, text: str | bytes) -> tuple[list[Row], list[InputError]]:
    """The rows of a text and the faults that reading them found."""
    path = tmp_path / "some.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    file = CsvFile(path, "params/some.csv", COLUMNS, ("id",))
    return list(file.rows()), file.errors


def only(found: list[InputError]) -> InputError:
    """The one fault, with file and remedy."""
    assert len(found) == 1, [str(error) for error in found]
    assert found[0].where.startswith("params/some.csv")
    assert found[0].fix
    return found[0]


@pytest.mark.parametrize(
    "text",
    [
        b"id,target,due,side\nA,5,2026-09-30,us\n",
        b"id;target;due;side\r\nA;5;2026-09-30;us\r\n",
        b"id\ttarget\tdue\tside\nA\t5\t2026-09-30\tus\n",
        b"\xef\xbb\xbfid,target,due,side\nA,5,2026-09-30,us",
        b'"id","target","due","side"\n"A","5","2026-09-30","us"\n\n\n',
        b"side, due ,target,id\nus , 2026-09-30,5, A\n",
        b"id,target,due,side,,\nA,5,2026-09-30,us,,\n,,,,,\n",
        b"id,target,due,side\rA,5,2026-09-30,us\r",
    ],
    ids=["comma", "semicolon and CRLF", "tab", "BOM", "quotes and blank lines", "spaces", "empty columns", "CR"],
)
def test_what_spreadsheets_write_is_read(tmp_path: Path, text: bytes) -> None:
    """Separator, line ends, quotes, spaces and the order of columns do not matter."""
    (row,), errors = rows(tmp_path, text)
    assert not errors
    assert [row.text(column) for column in COLUMNS] == ["A", "5", "2026-09-30", "us"]
    assert (row.number("target"), row.date("due")) == (Decimal(5), dt.date(2026, 9, 30))
    assert row.known("side", ("us", "partner")) == "us"


def test_rows_are_counted_as_a_spreadsheet_counts(tmp_path: Path) -> None:
    """Blank lines count and a line break within a cell does not, so the number is the one that Excel shows."""
    found, _ = rows(tmp_path, 'id,target,due,side\n"A\nA",,,\n\nB,,,\n')
    assert [(row.line, row.text("id")) for row in found] == [(2, "A\nA"), (4, "B")]
    odd = "\u2028\x85\x0b"
    found, _ = rows(tmp_path, f"id,target,due,side\nA{odd}A,,,\nB,,,\n")
    assert [(row.line, row.text("id")) for row in found] == [(2, f"A{odd}A"), (3, "B")]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", "row 1", "names"),
        ("\n\n", "row 1", "names"),
        ("A,5,2026-09-30,us\n", "row 1", "names"),
        ("id,traget,due,side\n", "row 1", 'unknown column "traget"'),
        ("target,due,side\nA,,\n", "row 1", '"id" is missing'),
        ("id,target,target,side\n", "row 1", "twice"),
        ("id,,due,side\n", "row 1", "column 2 has no name"),
        (",target,due,side\nA,,,\n", "row 1", "column 1 has no name"),
        ("id,target,due,side\nid,target,due,side\nA,,,\n", "row 2", "again"),
        ("id,target,due,side\nA,5\nB,,,\nC,,,\n", "row 2", "2 cells stand under 4 columns"),
        ("id,target,due,side\nA,5,,us,x\nB,,,\n", "row 2", "5 cells stand under 4 columns"),
        ("id,target,due\nA,5,,us\nB,5,,us\n", "row 1", "2 rows have 4 cells"),
        ('id,target,due,side\nA,,,\n"B,,,\nC,,,\n', "row 3", "cannot be read"),
        ('id,target,due,side\nA,,,\n"B"b,,,\nC,,,\n', "row 3", "cannot be read"),
        ('"id,target,due,side\nA,,,\n', "row 1", "cannot be read"),
        ("id,target,due,side\n,5,,\n", "row 2, id", "empty"),
        (b"id,target,due,side\nM\xfcller,,,\n", "", "UTF-8"),
        ("id,target,due,side\nA,,,\n".encode("utf-16"), "", "UTF-8"),
    ],
)
def test_a_broken_file_is_told_once(tmp_path: Path, text: str | bytes, where: str, what: str) -> None:
    """Each way to break a file gives one fault with row and remedy."""
    _, errors = rows(tmp_path, text)
    told = only(errors)
    assert what in told.what
    assert told.where == ", ".join(part for part in ("params/some.csv", where) if part)


@pytest.mark.parametrize(
    ("text", "column", "what", "fix"),
    [
        ("A,five,,", "target", '"five" is no number', "85 %"),
        ("A,5 USD,,", "target", '"5 USD" is no number', "85 %"),
        ("A,1e5,,", "target", "is no number", "85 %"),
        ("A,999999999999999999,,", "target", "larger", "digits"),
        ("A,,30.09.2026,", "due", '"30.09.2026" is no day', "2026-09-30"),
        ("A,,2026-9-3,", "due", "is no day", "2026-09-30"),
        ("A,,2026-02-30,", "due", "is no day", "2026-09-30"),
        ("A,,20260930,", "due", "is no day", "2026-09-30"),
        ("A,,2026-W24-5,", "due", "is no day", "2026-09-30"),
        ("A,,,uss", "side", '"uss" is not known', 'did you mean "us"?'),
    ],
)
def test_a_cell_that_does_not_fit_is_told_with_its_column(
    tmp_path: Path, text: str, column: str, what: str, fix: str
) -> None:
    """A cell that cannot be read names file, row and column, and shows how to write it."""
    (row,), errors = rows(tmp_path, f"id,target,due,side\n{text}\n")
    assert row.number("target") is None
    assert row.date("due") is None
    assert row.known("side", ("us", "partner")) == ""
    told = only(errors)
    assert told.where == f"params/some.csv, row 2, {column}"
    assert what in told.what
    assert fix in told.fix


def test_a_comma_in_a_semicolon_file_is_no_guess(tmp_path: Path) -> None:
    """Where a semicolon parts the cells, 1,234 may be one or a thousand, so it is asked about."""
    (row,), errors = rows(tmp_path, "id;target;due;side\nA;1,234;;\n")
    assert row.number("target") is None
    assert "two ways" in only(errors).what
    (row,), errors = rows(tmp_path, 'id,target,due,side\nA,"1,234",,\n')
    assert (row.number("target"), errors) == (Decimal(1234), [])


def test_a_percentage_is_a_share(tmp_path: Path) -> None:
    """Where a share is wanted, 85 % and 0.85 are the same and 85 alone is asked about."""
    found, errors = rows(tmp_path, "id,target,due,side\nA,85 %,,\nB,0.85,,\nC,85,,\n")
    assert [row.number("target", percent=True) for row in found] == [Decimal("0.85"), Decimal("0.85"), None]
    told = only(errors)
    assert "85 is no share" in told.what
    assert "85 % or 0.85" in told.fix


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    """A path that cannot be opened is a fault, never a traceback."""
    file = CsvFile(tmp_path, "params/some.csv", COLUMNS, ("id",))
    assert list(file.rows()) == []
    assert only(file.errors)
