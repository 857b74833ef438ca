"""Export files as raw rows: headers found, footers cut, encodings known, and every fault with file, row and remedy."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import archives, reading
from pbr_lib.errors import SourceError
from pbr_lib.mapping import Source
from pbr_lib.reading import Export, RawTable

COLUMNS = {"Lead ID": "lead_id", "Company": "company", "Created Date": "created_at", "Status": "status"}
HEAD = "Lead ID,Company,Created Date,Status\n"
BODY = "L1,Müller & Söhne,2026-07-01,New\nL2,Łódź Works,2026-07-02,New\n"


def export(folder: Path, file: str = "leads.csv", **changes: Any) -> Export:
    """A mapping of leads onto a file in that folder."""
    keys = {"pbr": 1, "file": file, "table": "leads", "as_of": "2026-09-04", "covers_from": "2024-01-01"}
    source = Source.model_validate({**keys, "columns": COLUMNS, **changes})
    return Export(source, folder, "data/here", "params/sources/leads.yaml")


def read(tmp_path: Path, data: str | bytes, file: str = "leads.csv", **changes: Any) -> RawTable:
    """The raw rows of these bytes."""
    (tmp_path / file).write_bytes(data.encode() if isinstance(data, str) else data)
    return reading.read_source(export(tmp_path, file, **changes))


def refused(tmp_path: Path, data: str | bytes, file: str = "leads.csv", **changes: Any) -> SourceError:
    """The error that reading these bytes gives; it has a place and a remedy."""
    with pytest.raises(SourceError) as caught:
        read(tmp_path, data, file, **changes)
    assert caught.value.where.startswith(f"data/here/{file}")
    assert caught.value.fix
    return caught.value


def sheet(path: Path, rows: list[list[Any]], title: str = "Leads", *more: str) -> Path:
    """A workbook with these rows in its first sheet."""
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for name in more:
        book.create_sheet(name)
    book.save(path)
    return path


# ------------------------------------------------------------------------------------------- text files


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ((HEAD + BODY).encode(), "utf-8"),
        ((HEAD + BODY).encode("utf-8-sig"), "utf-8-sig"),
        ((HEAD + BODY).encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + (HEAD + BODY).encode("utf-16-be"), "utf-16"),
        ((HEAD + BODY.replace("Łódź", "Lodz")).encode("cp1252"), "cp1252"),
    ],
)
def test_encodings_are_known_without_being_told(tmp_path: Path, data: bytes, encoding: str) -> None:
    """A byte-order mark, UTF-8 and Windows-1252 are told apart, and every letter is right."""
    raw = read(tmp_path, data)
    assert raw.encoding == encoding
    assert list(raw.frame["Lead ID"]) == ["L1", "L2"]
    assert raw.frame["Company"].iloc[0] == "Müller & Söhne"


def test_an_encoding_that_is_told_is_taken(tmp_path: Path) -> None:
    """A mapping may name the encoding, and a mark that comes with it is no part of the first label."""
    data = (HEAD + BODY).encode("cp1250")
    assert read(tmp_path, data, encoding="cp1250").frame["Company"].iloc[1] == "Łódź Works"
    assert len(read(tmp_path, (HEAD + BODY).encode("utf-8-sig"), encoding="utf-8").frame) == 2
    for encoding in ("ascii", "utf-16", "no-such-thing"):
        error = refused(tmp_path, (HEAD + BODY).encode(), encoding=encoding)
        assert f"is not {encoding}" in error.what
        assert "params/sources/leads.yaml" in error.fix


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_matter(tmp_path: Path, line_end: str) -> None:
    """Unix, Windows and old Macintosh line ends give the same rows."""
    raw = read(tmp_path, (HEAD + BODY).replace("\n", line_end))
    assert raw.frame.to_numpy().tolist() == [line.split(",") for line in BODY.splitlines()]


def test_lines_above_and_below_the_data_are_remarks(tmp_path: Path) -> None:
    """The header is found by its labels; titles, totals and footers are kept as remarks and accounted for."""
    text = f'"Leads\nof all"\n\n{HEAD}{BODY}\nL3,,,\nTotal,2,,\nAs of 2026-09-04\n"Confidential, do not share"\n'
    raw = read(tmp_path, text)
    assert list(raw.frame.index) == [4, 5]
    assert raw.remarks == ("Leads\nof all", "", "L3", "Total 2", "As of 2026-09-04", "Confidential, do not share")
    assert raw.set_aside == tuple((number, "line below the data") for number in range(6, 11))
    assert raw.rows_read == 7


def test_blank_rows_within_the_data_are_set_aside(tmp_path: Path) -> None:
    """A blank row between two records is set aside, and the rows keep their numbers."""
    raw = read(tmp_path, HEAD + "L1,a,,\n\n,,,\nL2,b,,\n")
    assert list(raw.frame.index) == [2, 5]
    assert raw.set_aside == ((3, "blank row"), (4, "blank row"))


def test_rows_that_are_too_long_are_set_aside(tmp_path: Path) -> None:
    """A separator within a text moves the cells behind it, so such a row is set aside with its number."""
    raw = read(tmp_path, HEAD + "L1,Smith, Jones & Co,2026-07-01,New\nL2,b,2026-07-01,New,,\nL3,c,2026-07-01,New\n")
    assert list(raw.frame["Lead ID"]) == ["L2", "L3"]
    assert list(raw.frame.index) == [3, 4]
    assert raw.set_aside == ((2, "more cells than labels"),)


def test_rows_that_are_too_short_are_told(tmp_path: Path) -> None:
    """A row that lacks its last cells is read as if they were empty, and its number is kept."""
    raw = read(tmp_path, HEAD + "L1,a\nL2,b,2026-07-01,New\n")
    assert raw.short == (2,)
    assert raw.frame.loc[2].tolist() == ["L1", "a", "", ""]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (HEAD + 'L1,a,,\nL2,"b,,\nL3,c,,\n', 3),
        (HEAD + 'L1,a,,\nL2,"b"b,,\nL3,c,,\n', 3),
        ('"Title\n' + HEAD + BODY, 1),
    ],
)
def test_a_lost_quote_is_told_with_its_row(tmp_path: Path, text: str, row: int) -> None:
    """An open quote would join rows in silence; it stops the reading at its row instead."""
    error = refused(tmp_path, text)
    assert error.where == f"data/here/leads.csv, row {row}"
    assert "quote" in error.fix


def test_text_stays_text(tmp_path: Path) -> None:
    """Formulas, markup, code and numbers with leading zeros come through letter by letter."""
    odd = ["=1+1", "<b>x</b>", "'; DROP TABLE leads --", "007", "1e5", "NA", "null", "{{x}}", "a\nb", " x ", "\u202e"]
    text = HEAD + "".join(f'L{n},"{value}",,\n' for n, value in enumerate(odd))
    assert list(read(tmp_path, text).frame["Company"]) == odd


_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)


@given(st.lists(st.lists(_CELLS, min_size=1, max_size=6), max_size=8))
def test_no_row_vanishes(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    """Whatever rows stand below the header, each is read or set aside, once, under its own number."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([list(COLUMNS), *rows])
    raw = read(tmp_path_factory.mktemp("rows"), out.getvalue().encode("utf-8-sig"))
    numbers = [*raw.frame.index, *(number for number, _ in raw.set_aside)]
    assert sorted(numbers) == list(range(2, len(rows) + 2))
    for number, cells in raw.frame.iterrows():
        row = rows[int(str(number)) - 2]
        assert cells.tolist() == [*row, "", "", "", ""][:4]


def test_many_rows_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file is read in several pieces, rows and their numbers are the same."""
    monkeypatch.setattr(reading, "_CHUNK", 3)
    raw = read(tmp_path, HEAD + "".join(f"L{n},c{n},,\n" for n in range(10)))
    assert list(raw.frame["Lead ID"]) == [f"L{n}" for n in range(10)]
    assert list(raw.frame.index) == list(range(2, 12))


# ------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize("label", list(COLUMNS))
def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path, label: str) -> None:
    """A mapped column that is not there is named, with the label that may be meant and the mapping to mend."""
    error = refused(tmp_path, "Title\n" + HEAD.replace(label, f"{label}s") + BODY)
    assert error.where == "data/here/leads.csv, row 2"
    assert error.what == f'a column is missing: "{label}" (did you mean "{label}s"?)'
    assert "params/sources/leads.yaml" in error.fix


def test_credit_columns_are_needed_too(tmp_path: Path) -> None:
    """A column that names partners is missed like any other, and all that are missing are told at once."""
    error = refused(tmp_path, HEAD + BODY, attribution=[{"column": "Partner", "credit": "sourced", "split": "Split"}])
    assert "2 columns are missing" in error.what
    assert '"Partner"' in error.what
    assert '"Split"' in error.what


def test_a_label_that_stands_there_twice(tmp_path: Path) -> None:
    """Two columns of one mapped name cannot be told apart; two of another name do not matter."""
    error = refused(
        tmp_path, HEAD.replace("Status", "Company") + BODY, columns={"Lead ID": "lead_id", "Company": "company"}
    )
    assert 'the column "Company" stands there twice' in error.what
    raw = read(tmp_path, "Lead ID,x,x,\nL1,1,2,3\n", columns={"Lead ID": "lead_id"})
    assert list(raw.frame.columns) == ["Lead ID", "x (1)", "x (2)", "(column 4)"]


@pytest.mark.parametrize(
    ("data", "what", "fix"),
    [
        (b"", "empty", "export it again"),
        (b"\n\n\n", "empty", "export it again"),
        (b"\xef\xbb\xbf", "empty", "export it again"),
        (b"Report\nNothing found\n", "no row holds the labels", "columns: in params/sources/leads.yaml"),
        (HEAD.replace(",", ";").encode(), "no row holds the labels", 'delimiter: ";"'),
        (HEAD.replace(",", "\t").encode(), "no row holds the labels", 'delimiter: "\\t"'),
        (b"\x00\x01\x02\x03" * 50, "no text file", "CSV"),
        (b"PK\x03\x04" + bytes(range(256)), "no text file", "CSV"),
        (b"\x81\x8d\x8f" * 20, "no text file", "CSV"),
        (HEAD.encode("utf-16-le"), "no text file", "CSV"),
    ],
)
def test_a_file_that_is_none_of_its_kind(tmp_path: Path, data: bytes, what: str, fix: str) -> None:
    """An empty file, another report, another separator or no text at all: one error that says which."""
    error = refused(tmp_path, data)
    assert what in error.what
    assert fix in error.fix


def test_a_header_without_rows_is_an_export_without_records(tmp_path: Path) -> None:
    """A report that found nothing is read as no rows, with its remarks."""
    raw = read(tmp_path, HEAD + "As of 2026-09-04\n")
    assert len(raw.frame) == 0
    assert list(raw.frame.columns) == list(COLUMNS)
    assert raw.remarks == ("As of 2026-09-04",)
    assert read(tmp_path, HEAD).rows_read == 0


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing export names the file that may be meant and the mapping that asks for it."""
    (tmp_path / "leads-2026.csv").write_text("x")
    (tmp_path / "~$leads.csv").write_text("x")
    with pytest.raises(SourceError, match="missing") as caught:
        reading.read_source(export(tmp_path))
    assert caught.value.where == "data/here/leads.csv"
    assert 'is it "leads-2026.csv"?' in caught.value.fix
    assert "params/sources/leads.yaml" in caught.value.fix


# --------------------------------------------------------------------------------------------- workbooks


def test_a_sheet_is_read_like_a_file(tmp_path: Path) -> None:
    """A sheet has a header somewhere, remarks around the data, and rows under the numbers that Excel shows."""
    rows = [
        ["Leads"],
        [],
        list(COLUMNS),
        ["L1", "a", dt.datetime(2026, 7, 1), 5],
        ["L2", 7.0, None, True],
        ["As of today"],
    ]
    sheet(tmp_path / "leads.xlsx", rows)
    raw = reading.read_source(export(tmp_path, "leads.xlsx"))
    assert raw.file == "leads.xlsx [Leads]"
    assert list(raw.frame.index) == [4, 5]
    assert raw.remarks[-1] == "As of today"
    assert reading.cell_text(raw.frame.loc[5, "Company"]) == "7"
    assert raw.rows_read == 3


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    """A renamed sheet is named with those there are and the mapping to mend."""
    sheet(tmp_path / "leads.xlsx", [list(COLUMNS)], "Lead", "Other")
    with pytest.raises(SourceError, match='no sheet is called "Leads"') as caught:
        reading.read_source(export(tmp_path, "leads.xlsx", sheet="Leads"))
    assert caught.value.where == "data/here/leads.xlsx"
    assert 'did you mean "Lead"?' in caught.value.fix
    assert "params/sources/leads.yaml" in caught.value.fix


def test_a_column_missing_from_a_sheet(tmp_path: Path) -> None:
    """A missing column of a sheet is told with file, sheet and row."""
    sheet(tmp_path / "leads.xlsx", [["x"], ["Lead ID", "Company", "Created", "Status"]])
    with pytest.raises(SourceError, match=r'"Created Date" .did you mean "Created"') as caught:
        reading.read_source(export(tmp_path, "leads.xlsx"))
    assert caught.value.where == "data/here/leads.xlsx [Leads], row 2"


def broken_workbooks(tmp_path: Path) -> dict[str, bytes]:
    """Bytes that call themselves a workbook."""
    whole = sheet(tmp_path / "whole.xlsx", [list(COLUMNS), ["L1", "a", "b", "c"]]).read_bytes()
    garbled = archives.rewrite(whole, lambda name, data: data[:150] if "sheet1" in name else data)
    return {
        "empty": b"",
        "garbage": bytes(range(256)) * 8,
        "truncated": whole[: len(whole) // 2],
        "garbled": garbled,
        "web page": b"<html><table><tr><td>Lead ID</td></tr></table></html>",
        "CSV": (HEAD + BODY).encode(),
        "old Excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000),
    }


@pytest.mark.parametrize("kind", ["empty", "garbage", "truncated", "garbled", "web page", "CSV", "old Excel"])
@pytest.mark.parametrize("suffix", ["xlsx", "xls", "xlsb", "ods"])
def test_a_workbook_that_cannot_be_read(tmp_path: Path, kind: str, suffix: str) -> None:
    """Whatever is wrong with a workbook, the answer is one error with a remedy."""
    data = broken_workbooks(tmp_path)[kind]
    error = refused(tmp_path, data, f"leads.{suffix}")
    assert "cannot be read" in error.what
    assert "Excel" in error.fix


def test_an_empty_sheet(tmp_path: Path) -> None:
    """A sheet without a cell is an empty export, with its place."""
    sheet(tmp_path / "leads.xlsx", [])
    with pytest.raises(SourceError, match="empty") as caught:
        reading.read_source(export(tmp_path, "leads.xlsx"))
    assert caught.value.fix


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (5.0, "5"),
        (-0.0, "0"),
        (1234.5, "1234.5"),
        (0.1 + 0.2, "0.3"),
        (1e15, "1000000000000000"),
        (1e-7, "0.0000001"),
        (dt.date(2026, 9, 4), "2026-09-04"),
        (dt.datetime(2026, 9, 4, 10, 30), "2026-09-04T10:30:00"),
        (True, "True"),
        ("  x ", "x"),
    ],
)
def test_cells_as_text(cell: Any, text: str) -> None:
    """Numbers lose the noise of arithmetic, days are ISO, texts their spaces."""
    assert reading.cell_text(cell) == text


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    """Equal content has an equal fingerprint, whatever the file is called and however old it is."""
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"x")
    os.utime(tmp_path / "b", (0, 0))
    assert reading.sha256(tmp_path / "a") == reading.sha256(tmp_path / "b")
    (tmp_path / "b").write_bytes(b"y")
    assert reading.sha256(tmp_path / "a") != reading.sha256(tmp_path / "b")
