"""Workbooks: cells keep their kind and address, what is hidden is told, and hostile packages end in one sentence."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl.worksheet.table import Table
from reading_support import DEALS, EXPORTS, LABELS, Done, book, changed, finish, part, read, refused, saved

from pbr_lib import reading
from pbr_lib.cells import BOOL, DATE, DATETIME, ERROR, NUMBER, TEXT
from pbr_lib.reading import How, workbook_child, workbooks

SHEET = "xl/worksheets/sheet1.xml"


def read_book(folder: Path, *sheets: tuple[str, list[list[Any]]], how: How = How(labels=LABELS)) -> Done:  # noqa: B008
    """A workbook with these sheets, read to the end."""
    return read(folder, saved(book(*sheets)), "deals.xlsx", how)


def test_cells_keep_their_kind(tmp_path: Path) -> None:
    """Numbers, days, moments and truth values have one text each, whatever Excel shows."""
    values: list[tuple[Any, str, int]] = [
        (5, "5", NUMBER),
        (1234.5, "1234.5", NUMBER),
        (0.1 + 0.2, "0.3", NUMBER),
        (1e15, "1000000000000000", NUMBER),
        (1e-7, "0.0000001", NUMBER),
        (12345678901234567.0, "12345678901234600", NUMBER),
        (dt.date(2026, 9, 30), "2026-09-30", DATE),
        (dt.datetime(2026, 9, 30, 14, 5), "2026-09-30T14:05:00", DATETIME),
        (dt.time(14, 5), "14:05:00", TEXT),
        (dt.timedelta(hours=36), "1.5", NUMBER),
        (True, "true", BOOL),
        (" x ", " x ", TEXT),
        ("007", "007", TEXT),
        (None, "", TEXT),
    ]
    rows = [[f"D-{n}", "Acme", value, "x"] for n, (value, _, _) in enumerate(values)]
    done = read_book(tmp_path, ("Deals", [DEALS[0], *rows]))
    assert [row[2] for row in done.rows] == [text for _, text, _ in values]
    assert [row[2] for row in done.kinds] == [kind for _, _, kind in values]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0, "0"),
        (float("nan"), "nan"),
        (dt.datetime(2026, 9, 30, 23, 59, 59, 999_600), "2026-10-01T00:00:00"),
        (dt.datetime(2026, 9, 30, 0, 0), "2026-09-30T00:00:00"),
        (dt.datetime.max, "9999-12-31T23:59:59"),
        (10**20, "100000000000000000000"),
    ],
)
def test_texts_of_odd_values(value: Any, text: str) -> None:
    """Noise below a millisecond is none of the moment, and nothing overflows."""
    assert workbook_child.cell_text(value) == text


def test_equal_values_of_different_kinds() -> None:
    """One, true and 1.0 are equal to Python, and three things in a sheet."""
    texts, kinds = workbook_child.column([1, True, 1.0, "1", ""])
    assert texts == ["1", "true", "1", "1", ""]
    assert list(kinds) == [NUMBER, BOOL, NUMBER, TEXT, TEXT]


def test_addresses_hold(tmp_path: Path) -> None:
    """Empty rows and columns before the table change no row number, and no column is lost."""
    above: list[list[Any]] = [["", "Deals of the quarter"], [], ["", "As of 2026-09-30"], *[[] for _ in range(11)]]
    done = read_book(tmp_path, ("Deals", [*above, *[["", *row] for row in DEALS]]))
    assert (done.table.header_row, done.numbers) == (15, [16, 17])
    assert done.table.labels == tuple(DEALS[0])
    assert done.table.remarks == ("Deals of the quarter", "As of 2026-09-30")
    assert done.table.place == "data/deals.xlsx [Deals]"


def test_the_sheet_is_found_by_its_labels(tmp_path: Path) -> None:
    """A cover, a dashboard and notes before the data do not matter."""
    cover = [["Partner business review"], [], ["Prepared for", "Acme"]]
    done = read_book(tmp_path, ("Info", cover), ("Numbers", [["Deal ID", "Sum"], ["x", 1]]), ("Data", DEALS))
    assert done.table.place == "data/deals.xlsx [Data]"
    older = [[*row[:3], "x"] for row in DEALS]
    done = read_book(tmp_path, ("Old", older), ("Data", DEALS))
    assert "[Old]" in done.told("other tables hold some of the labels").what


def test_two_sheets_that_fit(tmp_path: Path) -> None:
    """They are listed with the key that tells them apart, and the key helps."""
    data = saved(book(("2025", DEALS), ("2026", DEALS)))
    error = refused(tmp_path, data, "deals.xlsx")
    assert "2 tables fit equally well" in error.what
    assert "[2025]" in error.what
    assert "[2026]" in error.what
    assert "sheet:" in error.fix
    assert read(tmp_path, data, "deals.xlsx", How(LABELS, sheet="2026")).table.place == "data/deals.xlsx [2026]"
    error = refused(tmp_path, data, "deals.xlsx", How(LABELS, sheet="2027"))
    assert 'no sheet is called "2027"' in error.what
    assert "did you mean" in error.fix


def test_hidden_things_are_told(tmp_path: Path) -> None:
    """Hidden rows and columns count and are told; hidden sheets are not read, unless they are named."""
    made = book(("Deals", DEALS), ("Old", DEALS))
    made["Old"].sheet_state = "hidden"
    made["Deals"].row_dimensions[2].hidden = True
    made["Deals"].column_dimensions["B"].hidden = True
    done = read(tmp_path, saved(made), "deals.xlsx")
    assert len(done.rows) == 2
    assert (done.told("1 hidden rows").severity, done.told("1 hidden columns").severity) == ("warning", "warning")
    assert '"Old"' in done.told("hidden sheets were not read").what
    named = read(tmp_path, saved(made), "deals.xlsx", How(LABELS, sheet="Old"))
    assert named.told("is hidden, and was read").severity == "warning"


def test_what_dynamics_says_of_its_own_export(tmp_path: Path) -> None:
    """The very hidden sheet of Dynamics names the entity and the logical name behind each label."""
    rows = [["(Do Not Modify) Opportunity", "Topic", "Est. revenue"], ["a-1", "x", 5], ["a-2", "y", 6]]
    cell = (
        "opportunity:Ab+c==:opportunityid=%28Do%20Not%20Modify%29%20Opportunity&checksumLogicalName=%28x%29&name=Topic"
    )
    made = book(("Open Opportunities", rows), ("hiddenSheet", [[cell + "&estimatedvalue=Est.%20revenue"]]))
    made["hiddenSheet"].sheet_state = "veryHidden"
    for column in "AB":
        made["Open Opportunities"].column_dimensions[column].hidden = True
    done = read(tmp_path, saved(made), "deals.xlsx", How())
    assert done.table.facts["dynamics_entity"] == "opportunity"
    assert json.loads(done.table.facts["dynamics_labels"]) == {
        "(Do Not Modify) Opportunity": "opportunityid",
        "Topic": "name",
        "Est. revenue": "estimatedvalue",
    }
    assert not [finding for finding in done.table.findings if "hiddenSheet" in finding.what]


def test_error_cells_have_their_kind_and_address(tmp_path: Path) -> None:
    """An error is no empty cell: it keeps its text, and is told with its address."""
    rows = [*DEALS, ["D-3", "Acme", "Won", "#REF!"], ["D-4", "Acme", "Won", "#N/A"]]
    done = read_book(tmp_path, ("Deals", rows))
    assert [row[3] for row in done.rows[2:]] == ["#REF!", "#N/A"]
    assert [row[3] for row in done.kinds] == [NUMBER, NUMBER, ERROR, ERROR]
    finding = done.told("cell D4 shows the error #REF!")
    assert (finding.severity, finding.row, finding.column, finding.count) == ("error", 4, "Amount", 2)


def test_formulas_without_a_value(tmp_path: Path) -> None:
    """A workbook that a library wrote holds formulas nobody computed; each is told."""
    done = read_book(tmp_path, ("Deals", [*DEALS, ["D-3", "Acme", "Won", "=D2*2"], ["D-4", "Acme", "Won", "=D3*2"]]))
    finding = done.told("cell D4 holds a formula whose value was never saved")
    assert (finding.severity, finding.count) == ("error", 2)
    assert done.rows[2][3] == ""


def test_an_excel_table_bounds_its_rows(tmp_path: Path) -> None:
    """Where Excel says which cells are a table, those are read; a row below it is told."""
    made = book(("Deals", [*DEALS, ["D-3", "Gamma", "Won", 300], [], ["note", "x"]]))
    made["Deals"].add_table(Table(displayName="tblDeals", ref="A1:D3"))
    done = read(tmp_path, saved(made), "deals.xlsx")
    assert done.numbers == [2, 3]
    assert done.told("lie outside of the Excel table").row == 4
    named = read(tmp_path, saved(made), "deals.xlsx", How(LABELS, range="TBLdeals"))
    assert named.numbers == [2, 3]
    assert "tblDeals" in refused(tmp_path, saved(made), "deals.xlsx", How(LABELS, range="tblDeal")).fix


def test_a_range_that_is_told(tmp_path: Path) -> None:
    """A range bounds rows and columns; one that is empty or lies elsewhere is an error."""
    data = saved(book(("Deals", [["x"], *[["", *row, "aside"] for row in DEALS], ["", "D-3", "Late", "Won", 5]])))
    done = read(tmp_path, data, "deals.xlsx", How(LABELS, range="B2:E3"))
    assert (done.numbers, done.table.labels) == ([3], tuple(DEALS[0]))
    assert read(tmp_path, data, "deals.xlsx", How(LABELS, range="B2:E")).numbers == [3, 4, 5]
    assert "is empty" in refused(tmp_path, data, "deals.xlsx", How(LABELS, range="X1:Z9")).what


def test_old_and_other_workbooks() -> None:
    """XLS, XLSB and ODS come the same way, with days as days."""
    if not EXPORTS.is_dir():
        pytest.skip("the folder of third-party exports is not here")
    traps = EXPORTS / "xlsx-traps-calamine"
    for name, form in (("date_1904.xls", "XLS"), ("date.xlsb", "XLSB"), ("date_1904.xlsx", "XLSX")):
        done = finish(reading.survey(traps / name, name, How(header_row=1))[0])
        assert done.table.facts["format"] == form
        assert (done.rows[0][0], done.kinds[0][0]) == ("2021-01-02", DATE)
        assert float(done.rows[1][0]) == pytest.approx(10.632, abs=0.001)


# --------------------------------------------------------------------------------- hostile and broken


def whole() -> bytes:
    """A sound workbook."""
    return saved(book(("Deals", DEALS)))


def far_cell(address: str) -> bytes:
    """A workbook with a cell far behind its data."""
    row = "".join(sign for sign in address if sign.isdigit())
    cell = f'<row r="{row}"><c r="{address}"><v>1</v></c></row></sheetData>'.encode()
    return changed(whole(), {SHEET: part(whole(), SHEET).replace(b"</sheetData>", cell)})


def test_a_cell_at_the_far_end(tmp_path: Path) -> None:
    """The 5 kB workbook that would need gigabytes is refused with the address to delete."""
    error = refused(tmp_path, far_cell("XFD1048576"), "deals.xlsx")
    assert "claims 17,179,869,184 cells, because of a cell in XFD1048576" in error.what
    assert error.where == "data/deals.xlsx [Deals]"
    assert len(read(tmp_path, far_cell("ZZ900"), "deals.xlsx").rows) >= 2
    assert len(read(tmp_path, far_cell("B100000"), "deals.xlsx").rows) >= 2


def test_a_styled_cell_at_the_far_end_is_nothing(tmp_path: Path) -> None:
    """A cell with a colour and no value claims nothing."""
    cell = b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    data = changed(whole(), {SHEET: part(whole(), SHEET).replace(b"</sheetData>", cell)})
    assert len(read(tmp_path, data, "deals.xlsx").rows) == 2


def test_entities_are_refused(tmp_path: Path) -> None:
    """No workbook defines entities; the classic bomb never reaches a parser."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'
    for name in (SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels"):
        xml = b"<x/>" if name == "xl/sharedStrings.xml" else part(whole(), name)
        data = changed(whole(), {name: bomb + xml})
        assert "XML bomb" in refused(tmp_path, data, "deals.xlsx").what


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    """A part that would unpack to hundreds of times its size is refused by the table of contents."""
    data = changed(whole(), {"xl/media/image1.xml": bytes(40 << 20)})
    assert "zip bomb" in refused(tmp_path, data, "deals.xlsx").what


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "csv"])
def test_data_that_only_excel_can_open(tmp_path: Path, suffix: str) -> None:
    """Empty sheets over a Power Pivot model are refused with that reason; an empty sheet alone is empty."""
    empty = saved(book(("Sheet1", [])))
    data = changed(empty, {"xl/model/item.data": b"x"})
    assert "Power Pivot" in refused(tmp_path, data, f"deals.{suffix}").what
    assert "empty" in refused(tmp_path, empty, f"deals.{suffix}").what


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (whole()[: len(whole()) // 2], "damaged or cut off"),
        (changed(whole(), {SHEET: part(whole(), SHEET)[:200]}), "cannot be read"),
        (changed(whole(), {SHEET: None}), "cannot be read"),
        (changed(whole(), {"xl/workbook.xml": b"<x"}), "cannot be read"),
        (b"PK\x03\x04" + bytes(range(256)), "damaged or cut off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "damaged or cut off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le") + bytes(5000), "cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "locked with a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "Word or Outlook"),
    ],
)
def test_broken_workbooks(tmp_path: Path, data: bytes, what: str) -> None:
    """Whatever is wrong with a workbook, the answer is one error with a remedy."""
    assert what in refused(tmp_path, data, "deals.xlsx").what


def test_the_other_process_may_die(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory or time run out there, here it is one sentence."""
    monkeypatch.setattr(workbooks, "_MEMORY", 1 << 24)
    refused(tmp_path, whole(), "deals.xlsx")
    monkeypatch.undo()
    monkeypatch.setattr(workbooks, "_PATIENCE", 0.001)
    assert "was not read within" in refused(tmp_path, whole(), "deals.xlsx").what
    assert "claims 125,000 cells" in workbooks._death(b"memory allocation of 4000000 bytes failed")


def test_a_locked_zip(tmp_path: Path) -> None:
    """The mark of encryption in the table of contents is enough."""
    data = bytearray(whole())
    at = data.rfind(b"PK\x01\x02")
    data[at + 8] |= 1
    assert "locked with a password" in refused(tmp_path, bytes(data), "deals.xlsx").what


def ods(rows: list[list[str]], before: bytes = b"") -> bytes:
    """An OpenDocument sheet with these texts."""
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = "".join(f' xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    content = (
        f'<office:document-content{names} office:version="1.3"><office:body><office:spreadsheet>'
        f'<table:table table:name="Deals">{lines}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml", "<m:manifest xmlns:m='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'/>"
        )
        archive.writestr("content.xml", before + content.encode())
    return out.getvalue()


def test_open_document_sheets(tmp_path: Path) -> None:
    """ODS is read like the others, and its entities are refused like theirs."""
    rows = [[str(cell) for cell in row] for row in DEALS]
    done = read(tmp_path, ods(rows), "deals.ods")
    assert done.rows == rows[1:]
    assert done.table.facts["format"] == "ODS"
    assert "XML bomb" in refused(tmp_path, ods(rows, b"<!DOCTYPE x>"), "deals.ods").what
