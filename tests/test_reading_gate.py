"""Everything that is no export is refused in one sentence that says what it is; packages give their members."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest
from reading_support import BODY, DEALS, HEAD, LABELS, book, finish, html, read, refused, saved, zipped

from pbr_lib import reading
from pbr_lib.errors import SourceError
from pbr_lib.reading import How, packages

CSV = (HEAD + BODY).encode()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"%PDF-1.7\n...", "PDF"),
        (b"\x89PNG\r\n\x1a\n....", "picture"),
        (b"\xff\xd8\xff\xe0....", "picture"),
        (b"PAR1....", "Parquet"),
        (b"SQLite format 3\x00....", "SQLite"),
        (b"7z\xbc\xaf\x27\x1c..", "7-Zip"),
        (b"Rar!\x1a\x07", "RAR"),
        (b"{\\rtf1 x}", "RTF"),
        (b'{"deals": []}', "JSON"),
        (b'[{"id": 1}]', "JSON"),
        (b"[1, 2, 3]", "JSON"),
        (b"\xef\xbb\xbf {\n}", "JSON"),
        ('{"a": 1}'.encode("utf-16"), "JSON"),
        (b"\x09\x04\x06\x00\x00\x00", "Excel 4"),
        (b"PK\x05\x06" + bytes(18), "zip is empty"),
    ],
)
@pytest.mark.parametrize("name", ["deals.csv", "deals.xlsx"])
def test_strangers(tmp_path: Path, data: bytes, what: str, name: str) -> None:
    """The bytes decide, whatever the name."""
    assert what in refused(tmp_path, data, name).what


def test_brackets_may_begin_a_header(tmp_path: Path) -> None:
    """A header like ``[Id],[Name]`` is no JSON."""
    assert read(tmp_path, "[Id],[Name]\n1,a\n", how=How(frozenset(["[Id]"]))).table.labels == ("[Id]", "[Name]")


def test_files_that_are_none(tmp_path: Path) -> None:
    """A missing file, a folder, and the lock file of an open workbook."""
    (tmp_path / "~$deals.xlsx").write_bytes(b"x")
    for name, what in (("none.csv", "missing"), ("", "folder"), ("~$deals.xlsx", "lock file")):
        with pytest.raises(SourceError, match=what) as caught:
            reading.read(tmp_path / name, "data/it", How(LABELS))
        assert (caught.value.where, bool(caught.value.fix)) == ("data/it", True)


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    """Equal content has an equal fingerprint, whatever the file is called and however old it is."""
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"x")
    os.utime(tmp_path / "b", (0, 0))
    assert reading.sha256(tmp_path / "a") == reading.sha256(tmp_path / "b")
    (tmp_path / "b").write_bytes(b"y")
    assert reading.sha256(tmp_path / "a") != reading.sha256(tmp_path / "b")


@pytest.mark.parametrize("name", ["success072126.csv", "error.csv"])
def test_result_logs_are_refused(tmp_path: Path, name: str) -> None:
    """What Data Loader writes beside an import reads like an export, and is none."""
    last = "STATUS" if name.startswith("s") else "ERROR"
    data = f'"ID","DEAL ID","PARTNER","STAGE","AMOUNT","{last}"\n"1","2","3","4","5","Item Created"\n'
    assert "result log" in refused(tmp_path, data, name).what
    assert read(tmp_path, data, name, How(LABELS | {last})).rows
    assert read(tmp_path, data, "deals.csv").rows


def test_rows_can_be_asked_for_once(tmp_path: Path) -> None:
    """A second time would give nothing and say so to nobody."""
    table = read(tmp_path, CSV).table
    with pytest.raises(RuntimeError):
        next(table.batches())


# --------------------------------------------------------------------------------------------- packages


def test_a_zip_with_one_export(tmp_path: Path) -> None:
    """The one table is read where it lies; what is no export is passed over."""
    data = zipped(report_csv=CSV, manual_pdf=b"%PDF-1.7", note_txt=b"Thank you.")
    done = read(tmp_path, data, "deals.zip")
    assert done.numbers == [2, 3]
    assert done.table.place == "data/deals.zip [report.csv]"
    assert done.table.facts["member"] == "report.csv"
    assert {finding.severity for finding in done.table.findings} == {"info"}
    half = read(tmp_path, zipped(deals1_csv=CSV, deals2_csv=CSV + b'D-9,"open'[:4] + b"\x00"), "deals.zip")
    assert half.told('"deals2.csv" in this zip was passed over').severity == "warning"


def test_a_zip_with_several(tmp_path: Path) -> None:
    """The member with the labels is taken; several need a word in the mapping."""
    data = zipped(deals_csv=CSV, leads_csv=b"Lead ID,Name\n1,a\n")
    assert read(tmp_path, data, "all.zip").table.facts["member"] == "deals.csv"
    parts = zipped(part1_csv=CSV, part2_csv=CSV)
    error = refused(tmp_path, parts, "all.zip")
    assert "[part1.csv]" in error.what
    assert "member:" in error.fix
    for member in ("part2.csv", "*2.CSV"):
        done = read(tmp_path, parts, "all.zip", How(LABELS, member=member))
        assert done.table.facts["member"] == "part2.csv"
    assert "no file in this zip" in refused(tmp_path, parts, "all.zip", How(LABELS, member="x.csv")).what


def test_names_in_a_zip_are_no_paths(tmp_path: Path) -> None:
    """A member that climbs out of its folder is a label, and nothing is written there."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../evil.csv", CSV)
        archive.writestr("__MACOSX/._evil.csv", CSV)
        archive.writestr("/abs/book.xlsx", saved(book(("Other", [["a", "b"], ["x", 1]]))))
    done = read(tmp_path / "", out.getvalue(), "deals.zip")
    assert done.table.facts["member"] == "../../evil.csv"
    assert not list(tmp_path.parent.rglob("evil.csv"))


def test_a_member_without_a_name(tmp_path: Path) -> None:
    """A damaged table of contents may name nothing at all; that member is passed over."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.csv", CSV)
        archive.writestr("deals.csv", CSV)
        archive.infolist()[0].filename = ""
    assert read(tmp_path, out.getvalue(), "deals.zip").table.facts["member"] == "deals.csv"


def test_a_workbook_in_a_zip(tmp_path: Path) -> None:
    """It is read like one that lies beside it."""
    done = read(tmp_path, zipped(deals_xlsx=saved(book(("Deals", DEALS)))), "deals.zip")
    assert done.table.place == "data/deals.zip [deals.xlsx] [Deals]"
    assert len(done.rows) == 2
    assert read(tmp_path, zipped(deals_xls=html(DEALS).encode()), "deals.zip").numbers == [2, 3]


def test_gzip(tmp_path: Path) -> None:
    """A gzip file is read as what it holds."""
    assert read(tmp_path, gzip.compress(CSV), "deals.csv.gz").numbers == [2, 3]
    assert len(read(tmp_path, gzip.compress(saved(book(("Deals", DEALS)))), "deals.xlsx.gz").rows) == 2


def corrupted(data: bytes) -> bytes:
    """A zip whose packed bytes are spoiled, and its table of contents is not."""
    spoiled = bytearray(data)
    for at in range(45, 60):
        spoiled[at] ^= 0xFF
    return bytes(spoiled)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (zipped(inner_zip=zipped(a_csv=CSV)), "package within a package"),
        (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "package within a package"),
        (gzip.compress(CSV, mtime=0)[:-12], "cannot be unpacked"),
        (b"\x1f\x8b" + bytes(30), "cannot be unpacked"),
        (corrupted(zipped(a_csv=CSV)), "cannot be unpacked"),
        (zipped(a_csv=bytes(60 << 20)), "zip bomb"),
        (zipped(a_pdf=b"%PDF"), "PDF"),
        (zipped(word__document_xml=b"x", **{"[Content_Types]_xml": b"x"}), "document of another program"),
    ],
)
def test_packages_that_are_refused(tmp_path: Path, data: bytes, what: str) -> None:
    """Nested, broken, hostile, or without an export."""
    assert what in refused(tmp_path, data, "deals.zip").what


def test_unpacking_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that never ends is stopped by the bytes that were really read."""
    monkeypatch.setattr(packages, "_EXPORT", 1 << 20)
    data = gzip.compress(HEAD.encode() + b"D-1,Acme,Won,1\n" * 200_000)
    assert "unpacks to more than" in refused(tmp_path, data, "deals.csv.gz").what


def test_a_survey_gives_every_table(tmp_path: Path) -> None:
    """Every table of every member, each of which can be read."""
    data = zipped(deals_csv=CSV, book_xlsx=saved(book(("A", DEALS), ("B", [["x", "y"], ["a", 1]]))))
    (tmp_path / "all.zip").write_bytes(data)
    tables = reading.survey(tmp_path / "all.zip", "all.zip")
    assert [table.place for table in tables] == [
        "all.zip [book.xlsx] [A]",
        "all.zip [book.xlsx] [B]",
        "all.zip [deals.csv]",
    ]
    assert [len(finish(table).rows) for table in tables] == [2, 1, 2]
    best = reading.survey(tmp_path / "all.zip", "all.zip", How(frozenset(["x", "y"])))[0]
    assert best.place.endswith("[B]")
