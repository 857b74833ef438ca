"""Marked-up tables under other names: read as tables of records, refused as pages."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

import pytest
from reading_support import DEALS, LABELS, book, html, read, refused, saved, spreadsheetml

from pbr_lib.cells import BOOL, DATE, DATETIME, NUMBER
from pbr_lib.reading import How

ROWS = [[str(cell) for cell in row] for row in DEALS]


@pytest.mark.parametrize("suffix", ["xls", "xlsx", "csv"])
@pytest.mark.parametrize(
    "before", ["<html><body>", "", "<!-- x -->\n<HTML>", '<?xml version="1.0"?><!DOCTYPE html><html>']
)
def test_html_under_another_name(tmp_path: Path, suffix: str, before: str) -> None:
    """A table of records is read, whatever the file is called."""
    done = read(tmp_path, html(ROWS, before), f"deals.{suffix}")
    assert (done.rows, done.numbers) == (ROWS[1:], [2, 3])
    assert done.table.facts["format"] == f"HTML table in a .{suffix} file"


def test_what_stands_in_html_cells(tmp_path: Path) -> None:
    """Entities become letters, breaks become lines, blanks run together, and inner tables are not part of a row."""
    cells = ["D&amp;1", "M&uuml;ller<br>&nbsp;S\u00f6hne", " <b>W</b>on\n  now ", "<p>1</p><p>2</p>"]
    done = read(tmp_path, html([ROWS[0], cells, ROWS[1]]), "deals.xls")
    assert done.rows[0] == ["D&1", "Müller\n\u00a0Söhne", "Won now", "1\n2"]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (html([ROWS[0], ["D-1", "Müller", "Öffen", "1"]]).encode("cp1252"), "Windows-1252"),
        (
            html([ROWS[0], ["D-1", "Müller", "Öffen", "1"]], '<meta charset="iso-8859-1">').encode("latin-1"),
            "iso-8859-1",
        ),
        (html([ROWS[0], ["D-1", "Müller", "Öffen", "1"]]).encode("utf-16"), "UTF-16"),
        (html([ROWS[0], ["D-1", "Müller", "Öffen", "1"]], "\ufeff<html>").encode(), "UTF-8 with BOM"),
        (html([ROWS[0], ["D-1", "Müller", "Öffen", "1"]], '<meta charset="latin-1">').encode(), "utf-8"),
    ],
)
def test_encodings_of_html(tmp_path: Path, data: bytes, encoding: str) -> None:
    """The mark, UTF-8 if it fits, what the file declares, and Windows-1252."""
    done = read(tmp_path, data, "deals.xls")
    assert done.table.facts["encoding"] == encoding
    assert done.rows == [["D-1", "Müller", "Öffen", "1"]]


def test_the_table_with_the_labels_is_found(tmp_path: Path) -> None:
    """Layout tables and summaries around it do not matter."""
    text = html([["Report", "Deals"], ["As of", "2026-09-30"]]) + html(ROWS) + html([["Total", "2"]])
    assert read(tmp_path, text, "deals.xls").rows == ROWS[1:]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<!DOCTYPE html><html><script>x</script>" + html(ROWS), "this is a web page"),
        ("<!DOCTYPE html><html><body><nav>x</nav><p>Sign in</p></body></html>", "this is a web page"),
        ("<html><body><p>Your session has ended.</p></body></html>", "web page without a table"),
        ("<table>" * 50 + "</table>" * 50, "nested too deep"),
        ("<table><tr><td>" + "<div>" * 100_000, "nested too deep"),
        ("<table><tr>" + "<td colspan=16000>x" * 3 + "</tr></table>", "more than 16,384 cells"),
    ],
)
def test_pages_are_refused(tmp_path: Path, text: str, what: str) -> None:
    """A page that a browser saved is no export, and hostile markup ends in one sentence."""
    assert what in refused(tmp_path, text, "deals.xls").what


def test_spreadsheetml(tmp_path: Path) -> None:
    """The XML workbooks of Excel 2003 give kinds, merged cells and gaps like other workbooks."""
    rows = [["Deal ID", "Partner", "Stage", "Amount"], ["D-1", dt.datetime(2026, 9, 30), True, 100.50]]
    text = spreadsheetml([*rows, ["D-2", dt.datetime(2026, 9, 30, 14, 5), False, 7]])
    done = read(tmp_path, text.replace("<Row>", '<Row ss:Index="5">', 1), "deals.xls")
    assert done.table.header_row == 5
    assert done.rows == [["D-1", "2026-09-30", "true", "100.5"], ["D-2", "2026-09-30T14:05:00", "false", "7"]]
    assert done.kinds[0][1:] == [DATE, BOOL, NUMBER]
    assert done.kinds[1][1] == DATETIME
    assert done.table.place == "data/deals.xls [Deals]"
    assert 'no sheet is called "x"' in refused(tmp_path, text, "deals.xls", How(LABELS, sheet="x")).what


def test_gaps_and_merged_cells_of_spreadsheetml(tmp_path: Path) -> None:
    """A cell may name its column, reach over rows, and leave out those that are empty."""
    text = spreadsheetml([ROWS[0], ["D-1", "Acme", "Won", 1], ["D-2"]])
    text = text.replace('<Cell><Data ss:Type="String">Acme', '<Cell ss:MergeDown="1"><Data ss:Type="String">Acme')
    text = text.replace(
        "D-2</Data></Cell>", 'D-2</Data></Cell><Cell ss:Index="4"><Data ss:Type="Number">2</Data></Cell>'
    )
    assert read(tmp_path, text, "deals.xls").rows == [["D-1", "Acme", "Won", "1"], ["D-2", "Acme", "", "2"]]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (spreadsheetml(DEALS).replace("<Workbook", '<!DOCTYPE x [<!ENTITY a "b">]><Workbook', 1), "XML bomb"),
        (spreadsheetml(DEALS)[:700], "damaged or cut off"),
        ('<?xml version="1.0"?><rss><item>x</item></rss>', "XML file"),
        ("<svg></svg>", "XML file"),
    ],
)
def test_other_xml_is_refused(tmp_path: Path, text: str, what: str) -> None:
    """Entities, a cut file, and XML of any other kind."""
    assert what in refused(tmp_path, text, "deals.xls").what


def archive(page: str, encoding: str = "quoted-printable") -> bytes:
    """A web archive with this page as its sheet."""
    body = page.replace("=", "=3D").encode() if encoding == "quoted-printable" else base64.encodebytes(page.encode())
    head = 'MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\nContent-Type: multipart/related; boundary="B"\r\n\r\n'
    frame = "--B\r\nContent-Type: text/html\r\n\r\n<html><frameset></frameset></html>\r\n"
    sheet = f'--B\r\nContent-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + frame.encode() + sheet.encode() + body + b"\r\n--B--\r\n"


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_web_archives(tmp_path: Path, encoding: str) -> None:
    """What Excel saves as one web page holds its sheets as parts."""
    done = read(tmp_path, archive(html(ROWS), encoding), "deals.xls")
    assert done.rows == ROWS[1:]
    assert done.table.facts["format"] == "web archive in a .xls file"


def test_a_web_archive_without_a_table(tmp_path: Path) -> None:
    """A page saved with its pictures is refused."""
    assert "no table" in refused(tmp_path, archive("<html>x</html>"), "deals.xls").what


@pytest.mark.parametrize("name", ["deals.csv", "deals.xls", "deals.txt"])
def test_a_workbook_under_another_name(tmp_path: Path, name: str) -> None:
    """The first bytes say what it is."""
    done = read(tmp_path, saved(book(("Deals", DEALS))), name)
    assert done.table.facts["format"] == f"XLSX in a .{name[-3:]} file"


@pytest.mark.parametrize("name", ["deals.xls", "deals.xlsx"])
@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_text_under_the_name_of_a_workbook(tmp_path: Path, name: str, delimiter: str) -> None:
    """A text file called .xls is read as text, and that is said."""
    done = read(tmp_path, "\n".join(delimiter.join(row) for row in ROWS), name)
    assert done.rows == ROWS[1:]
    assert done.table.facts["format"] == f"{'TSV' if delimiter == chr(9) else 'CSV'} in a {Path(name).suffix} file"
