"""The PDF exporter: what a pack must say, how it is tagged, what it refuses, and that its bytes hold still."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import itertools
import os
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
import pikepdf
import pypdfium2
import pytest

from pbr_lib.blocks import Bar, Block, Card, Cards, Chart, Column, Cover, Note, Run, Status, Table
from pbr_lib.errors import RenderError
from pbr_lib.export import columns, fonts, pages, pdf
from pbr_lib.export.documents import parts
from pbr_lib.export.pdf import PdfExporter
from pbr_lib.model import Amount, Label, Unit


def _dot() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00\x80")) + chunk(b"IEND", b"")


PNG = base64.b64encode(_dot()).decode()
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="243pt" height="120pt" viewBox="0 0 243 120">'
    '<rect width="100" height="40" fill="#0b5fa5"/>'
    '<text x="10" y="60" style="font: 9px \'Source Sans Pro\', sans-serif">drawn words</text></svg>'
)
PAYLOAD = '#read("/etc/passwd") *b* $a$ <i>x</i> @ref <label> \\n //x /*y*/ `raw` #import "@preview/x:1.0.0"'
BEHIND, AHEAD = Status("Behind", "▼", "bad"), Status("Attained", "▲", "good")
META = {
    "partner": "Aurora Systems",
    "quarter": "Q3 FY2026",
    "as_of": "2026-09-04",
    "as_of_text": "4 Sep 2026",
    "organisation": "Example Alliance",
    "language": "en-GB",
    "confidential": "Confidential: for the named partner",
    "fingerprint": "2f9c1a7e",
}


# ------------------------------------------------------------------------------------------ notebooks


def amount(value: str | int | None, kind: Any = "count") -> Amount:
    """An amount of that value."""
    return Amount(None if value is None else Decimal(value), Unit(kind, "USD" if kind == "money" else ""))


def shows(*bundles: Any, tags: tuple[str, ...] = (), metadata: dict[str, Any] | None = None) -> Any:
    """An executed code cell that shows blocks or mimebundles."""
    data = [b._repr_mimebundle_() if isinstance(b, Block) else b for b in bundles]
    outputs = [nbformat.v4.new_output("display_data", data=bundle, metadata=metadata or {}) for bundle in data]
    cell = nbformat.v4.new_code_cell("show()", outputs=outputs, execution_count=1)
    cell.metadata["tags"] = list(tags)
    return cell


def words(source: str) -> Any:
    """A Markdown cell."""
    return nbformat.v4.new_markdown_cell(source)


def notebook(*cells: Any) -> Any:
    """A notebook of those cells."""
    return nbformat.v4.new_notebook(cells=list(cells))


def cover(title: str = "Aurora Systems", **meta: str) -> Cover:
    """A cover with a score and facts."""
    facts = (("Tier", "Gold"), ("Region", "Nordics"))
    score = amount("0.91", "percent")
    return Cover(title, "Partner Business Review", "Gold partner", META | meta, score, "of plan", BEHIND, facts)


def goals() -> Table:
    """A table of goals, one of them not measurable."""
    heads = (
        Column("goal", "Goal"),
        Column("actual", "Actual", "amount"),
        Column("attained", "Attained", "amount"),
        Column("bar", "Progress", "bar"),
        Column("status", "Status", "status"),
        Column("id", "Only in the sheet", sheet_only=True),
    )
    rows = (
        ("New leads", amount(3), amount("0.6", "percent"), Bar(Decimal("0.6"), Decimal("0.7"), "bad"), BEHIND, "g1"),
        ("Revenue", amount(10450, "money"), amount("1.3", "percent"), Bar(Decimal("1.3"), None, "good"), AHEAD, "g2"),
        ("Renewals", amount(None), amount(None), Bar(None, None, "neutral"), None, "g3"),
    )
    return Table("goals", heads, rows, "Goals of the quarter", "A caption below.", role="goals")


def records(count: int, printed: int = 40, name: str = "Deal") -> Table:
    """A table of that many records."""
    heads = (Column("name", "Opportunity"), Column("amount", "Amount", "amount"), Column("close", "Close", "date"))
    day = dt.date(2026, 9, 4)
    rows = tuple((f"{name} {i:03d}", amount(1000 + i, "money"), day) for i in range(count))
    return Table("records", heads, rows, "Records", print_rows=printed, role="records")


def chart(width: Any = "half", svg: str = SVG, alt: str = "Seven thousand dollars by week ten.") -> Chart:
    """A chart with a made-up picture."""
    png = base64.b64decode(PNG)
    return Chart("pace", "Against pace", alt, svg, png, {"x": [1]}, {"type": "line"}, "Dashed is even pace.", width)


def full() -> Any:
    """A notebook with every kind of block."""
    cards = Cards((Card("New leads", amount(3), ("target 5",), BEHIND), Card("Revenue", amount(None), ())))
    note = Note(sentences=((Run("Three new leads", True), Run(" were created, target five.")),))
    return notebook(
        shows(cover()),
        shows(cards, note),
        words("## Goals"),
        shows(goals()),
        words("## Pace"),
        shows(chart(), chart()),
        shows(chart("full")),
        shows(Note(markdown="We had a **good** start.")),
        words("## Records"),
        shows(records(120, 90)),
    )


def printed(nb: Any) -> tuple[bytes, list[str]]:
    """The PDF of a notebook and its findings."""
    document, resources = PdfExporter().from_notebook_node(nb)
    return document, resources["pbr"]["findings"]


def texts(document: bytes) -> list[str]:
    """The text of each page, with its lines closed up."""
    with pypdfium2.PdfDocument(document) as opened:
        found = [page.get_textpage().get_text_range() for page in opened]
    return [" ".join(text.split()) for text in found]


def text(nb: Any) -> str:
    """All text of the PDF of a notebook."""
    return " ".join(texts(printed(nb)[0]))


def tags(document: bytes) -> list[tuple[str, str]]:
    """Every structure element in reading order, with its alternative text."""
    with pikepdf.open(BytesIO(document)) as opened:
        return list(_walked(opened.Root.StructTreeRoot))


def _walked(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, pikepdf.Array):
        for inner in node:
            yield from _walked(inner)
    elif isinstance(node, pikepdf.Dictionary):
        if "/S" in node:
            yield str(node.S).lstrip("/"), str(node.get("/Alt", ""))
        if "/K" in node:
            yield from _walked(node.K)


# ----------------------------------------------------------------------------------------- the document


def test_every_block_prints_its_text() -> None:
    """Cover, cards, sentences, goals, captions and records are there as text."""
    found = text(full())
    for words_ in (
        "PARTNER BUSINESS REVIEW",
        "91 %",
        "▼ Behind",
        "Tier Gold",
        "target 5",
        "Three new leads were created, target five.",
        "$10,450",
        "130 %",
        "A caption below.",
        "Dashed is even pace.",
        "drawn words",
        "We had a good start.",
        "4 Sep 2026",
        "not measurable",
    ):
        assert words_ in found
    assert "Only in the sheet" not in found
    assert "g1" not in found


def test_properties_come_from_the_cover() -> None:
    """Title, author, language and date are the pack's own, and no clock is in the file."""
    with pikepdf.open(BytesIO(printed(full())[0])) as opened:
        info = opened.docinfo
        assert str(info["/Title"]) == "Partner Business Review – Aurora Systems – Q3 FY2026"
        assert str(info["/Author"]) == "Example Alliance"
        assert str(info["/CreationDate"]).startswith("D:20260904")
        assert str(opened.Root.Lang) == "en"
        assert opened.Root.MarkInfo.Marked


def test_claims_pdf_ua_and_pdf_a() -> None:
    """Typst enforces both standards and the metadata say so."""
    with pikepdf.open(BytesIO(printed(full())[0])) as opened, opened.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["pdfaid:part"] == "2"


def test_structure_has_headings_figures_and_table_heads() -> None:
    """One first heading, no level skipped, each figure with its words, each table with head cells."""
    found = tags(printed(full())[0])
    levels = [int(kind[1]) for kind, _ in found if re.fullmatch(r"H\d", kind)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert [alt for kind, alt in found if kind == "Figure"] == ["Seven thousand dollars by week ten."] * 3
    kinds = [kind for kind, _ in found]
    assert kinds.count("THead") == kinds.count("Table") == 2
    assert kinds.count("TH") == 5 + 3


def test_bookmarks_follow_the_headings() -> None:
    """The outline has the partner, the sections under it, the exhibits under those."""
    with pikepdf.open(BytesIO(printed(full())[0])) as opened, opened.open_outline() as outline:
        (partner,) = outline.root
        assert str(partner.title) == "Aurora Systems"
        assert [str(section.title) for section in partner.children] == ["Goals", "Pace", "Records"]
        assert [str(exhibit.title) for exhibit in partner.children[0].children] == ["Goals of the quarter"]


def test_running_lines() -> None:
    """Page one has no header, the others name partner and quarter, and every page says what it is."""
    first, *others = texts(printed(full())[0])
    assert first.count("Aurora Systems") == 1
    assert len(others) >= 2
    for number, page in enumerate([first, *others], 1):
        assert "Confidential: for the named partner" in page
        assert f"Data as of 4 Sep 2026 · 2f9c1a7e · page {number} of {len(others) + 1}" in page
    for page in others:
        assert "Aurora Systems Q3 FY2026" in page


def test_table_heads_repeat_and_the_rest_is_counted() -> None:
    """A long table names its columns on each page and says how many rows only the workbook has."""
    pages_ = [page for page in texts(printed(notebook(shows(records(120, 90))))[0]) if "Deal" in page]
    assert len(pages_) > 1
    assert all("Opportunity Amount Close" in page for page in pages_)
    assert "Deal 089" in pages_[-1]
    assert "Deal 090" not in pages_[-1]
    assert "and 30 more in the workbook" in pages_[-1]


def test_empty_table_says_so() -> None:
    """A table without rows prints its sentence and no head."""
    empty = Table("lost", (Column("a", "Reason"),), (), "Deals lost", empty="No deals were lost.")
    found = text(notebook(shows(empty)))
    assert "Deals lost No deals were lost." in found
    assert "Reason" not in found


def test_short_tables_stay_on_one_page() -> None:
    """Eight rows that would straddle a page move to the next one together with their title."""
    moved = 0
    for count in range(30, 42, 2):
        found = texts(printed(notebook(shows(records(count)), shows(records(8, name="Late"))))[0])
        (page,) = [page for page in found if "Late" in page]
        moved += page == found[-1] and len(found) == 2
        assert page.rindex("Records") < page.index("Late 000")
    assert 0 < moved < 6


def test_bars_are_decoration() -> None:
    """A bar leaves an empty cell behind for screen readers, and the row keeps its five cells."""
    kinds = [kind for kind, _ in tags(printed(notebook(shows(goals())))[0])]
    assert kinds.count("TD") == 3 * 5
    assert "Figure" not in kinds


# --------------------------------------------------------------------------------------- an analyst's cells


def test_markdown_prints_as_it_reads() -> None:
    """Emphasis, lists, tables, code and links come through; an unsafe link keeps its words only."""
    source = (
        "# Own words\n\nSome *soft*, **strong**, ~~gone~~ and `a<b>` text.\n\n1. one\n2. two\n   - inner\n\n"
        "| Region | Deals |\n|---|--:|\n| Nordics | 12 |\n\n> quoted\n\n```\nx = 1\n  y\n```\n\n"
        "[good](https://example.org/a?b=1&c=2) [bad](javascript:alert(1))\n\n---\n\n<div>raw</div>\n"
    )
    document = printed(notebook(words(source)))[0]
    (page,) = texts(document)
    for words_ in ("Some soft, strong, gone and a<b> text.", "1. one", "• inner", "Region Deals Nordics 12", "x = 1"):
        assert words_ in page
    assert "good bad" in page
    assert "<div>raw</div>" in page
    with pikepdf.open(BytesIO(document)) as opened:
        links = [str(note.A.URI) for note in opened.pages[0].Annots if "/A" in note]
    assert links == ["https://example.org/a?b=1&c=2"]
    kinds = [kind for kind, _ in tags(document)]
    assert {"H1", "L", "LI", "Table", "TH", "Link"} <= set(kinds)


def test_payloads_print_literally() -> None:
    """Nothing from data is markup, in whatever place it stands."""
    table = Table(PAYLOAD, (Column("a", PAYLOAD),), ((PAYLOAD,),), PAYLOAD, PAYLOAD)
    cards = Cards((Card(PAYLOAD, amount(1), (PAYLOAD,), Status("x", "▲", "good")),), PAYLOAD)
    note = Note(sentences=((Run(PAYLOAD), Run(PAYLOAD, True)),), title=PAYLOAD)
    found = text(notebook(shows(cover(PAYLOAD, partner=PAYLOAD), cards, note, table), words(f"{Label(PAYLOAD)}")))
    assert found.count('#read("/etc/passwd")') >= 9
    assert found.count("$a$ <i>x</i> @ref <label>") >= 8
    assert "root:" not in found


def test_frames_print_as_tables() -> None:
    """A plain DataFrame becomes a table with head cells, and rows past forty are counted."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"region": ["Nordics", "Baltics"] * 25, "amount": range(50)})
    document = printed(notebook(shows({"text/html": frame.to_html(), "text/plain": "x"})))[0]
    found = " ".join(texts(document))
    assert "region amount Nordics 0 Baltics 1" in found
    assert "and 10 more rows" in found
    assert ("TH", "") in tags(document)


def test_wide_tables_are_cut_into_groups() -> None:
    """More columns than a page holds continue below, each group beginning with the first column."""
    heads = tuple(Column(f"c{i}", f"Head {i}") for i in range(14))
    wide = Table("wide", heads, (tuple(f"cell {i}" for i in range(14)),), "Wide")
    found = text(notebook(shows(wide)))
    assert found.count("Head 0") == 2
    assert all(f"Head {i}" in found and f"cell {i}" in found for i in range(14))


def test_plain_outputs_and_hidden_cells() -> None:
    """Text output keeps its line ends and wraps; cells for the analyst only stay out."""
    stream = nbformat.v4.new_output("stream", name="stdout", text="a  b\n" + "x" * 300 + "\n")
    shown = nbformat.v4.new_code_cell("print()", outputs=[stream], execution_count=1)
    found = text(notebook(shown, shows({"text/plain": "secret"}, tags=("check",))))
    assert "a b" in found
    assert "x" * 300 in found.replace(" ", "")
    assert "secret" not in found


def test_pictures_need_words() -> None:
    """A picture takes its description from the metadata; one without gets a stand-in and a finding."""
    named = shows({"image/png": PNG}, metadata={"alt": "A dot"})
    document, findings = printed(notebook(shows(cover()), named, shows({"image/png": PNG})))
    figures = [alt for kind, alt in tags(document) if kind == "Figure"]
    assert figures == ["A dot", "Picture without description from cell 3"]
    assert len(findings) == 1
    assert "(cell 3)" in findings[0]


def test_notebook_without_a_cover() -> None:
    """The first heading becomes the document's title, whatever its level, and there is no head."""
    document = printed(notebook(words("### My study\n\nText."), words("# Next")))[0]
    assert [kind for kind, _ in tags(document) if kind.startswith("H")] == ["H1", "H1"]
    with pikepdf.open(BytesIO(document)) as opened:
        assert str(opened.docinfo["/Title"]) == "My study"
        assert str(opened.docinfo["/CreationDate"]).startswith("D:19800101")
    assert texts(printed(notebook())[0]) == ["page 1 of 1"]


# ------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    "name",
    [
        "The Consolidated Intercontinental Managed Infrastructure and Applications Services Cooperative of Greater "
        "Rotterdam and the Delta Region B.V.",
        "Північне Сяйво Інтеграція",
        "Βόρειο Σέλας Συστήματα",
        "<b>Bold</b> & *Partners* #1",
        "=CMD() Labs",
        "Two\nlines",
        "X" * 180,
    ],
)
def test_names_print_as_they_are(name: str) -> None:
    """A partner may be called anything, at any length, and is found by copying."""
    document, findings = printed(notebook(shows(cover(name, partner=name)), words("## A"), shows(records(60, 60))))
    assert findings == []
    found = texts(document)[0]
    assert " ".join(name.split()).replace(" ", "") in found.replace(" ", "")


@pytest.mark.skipif(len(fonts.families()) < 4, reason="the package with the CJK font is not installed")
def test_chinese_names_print() -> None:
    """With the extra font a Chinese name is set in it, copies as text, and needs no finding."""
    document, findings = printed(notebook(shows(cover("極光系統股份有限公司")), words("日本語 한국어")))
    assert findings == []
    assert "極光系統股份有限公司" in texts(document)[0]


def test_unknown_letters_are_found_and_do_not_fail() -> None:
    """A letter that no font holds prints as a box, copies as itself, and is reported with its cell."""
    document, findings = printed(notebook(shows(cover()), words("Old \U00013080 and private \ue000")))
    assert findings == [
        'no font holds "\ue000" (U+E000); a placeholder was printed (cell 2)',
        'no font holds "\U00013080" (U+13080); a placeholder was printed (cell 2)',
    ]
    assert "Old \U00013080 and private \ufffd" in texts(document)[0]


def test_unknown_letters_inside_a_picture_are_found() -> None:
    """The words in an SVG go through the same fonts and the same report."""
    picture = SVG.replace("drawn words", "&#x13080; \ue001")
    _, findings = printed(notebook(shows(chart(svg=picture))))
    assert [finding[:16] for finding in findings] == ['no font holds "\ue001', 'no font holds "\U00013080']


def test_missing_ignores_what_draws_nothing() -> None:
    """Spaces, joiners and selectors need no glyph; letters of the three fonts are held."""
    assert fonts.missing("Aé Ж Ω ▲ ● \u200b\u00a0\u2009\u200d\ufe0f\n\x07 שלום") == frozenset()
    assert fonts.missing("a\U00013080\ue000") == {"\U00013080", "\ue000"}


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\x1f", "\x7f", "\x85", "\ufeff", "\ufffe", "\uffff", "\U000f0000"])
def test_characters_that_no_pdf_may_hold(sign: str) -> None:
    """Control, private and non-characters never fail a pack, wherever they stand."""
    table = Table("t", (Column("a", f"A{sign}"),), ((f"b{sign}c",),), f"T{sign}")
    found = text(
        notebook(shows(cover(f"Na{sign}me", partner=f"Na{sign}me")), shows(table), shows(chart(alt=f"a{sign}")))
    )
    assert "page 1 of 1" in found


def test_long_words_break_and_copy_whole() -> None:
    """A word wider than its column runs over several lines and copies without anything in it."""
    name, url = "A" * 180, "https://example.org/" + "path/" * 40
    table = Table(
        "t", (Column("a", "Name"), Column("b", "Link"), Column("c", "C", "amount")), ((name, url, amount(1)),)
    )
    document = printed(notebook(shows(table)))[0]
    with pypdfium2.PdfDocument(document) as opened:
        page = opened[0]
        copied = page.get_textpage().get_text_range()
        boxes = [page.get_textpage().get_charbox(i) for i in range(page.get_textpage().count_chars())]
        assert max(box[2] for box in boxes) < page.get_width() - 40
    close = copied.replace("\r\n", "")
    assert name in close
    assert url in close
    assert "\u200b" not in copied


def test_columns_fit_the_page() -> None:
    """Whatever the cells hold, each group of columns is as wide as the page and no column vanishes."""
    fields = [
        columns.Field("Name", "text", ["word " * 50, "x" * 200]),
        columns.Field("A very long label over numbers", "amount", ["$1", "$2"]),
        columns.Field("Status", "status", [{"k": "status", "word": "Not measurable", "shape": "○"}] * 2),
        *(columns.Field(f"Number {i}", "amount", ["$1,234,567", "$1"]) for i in range(6)),
    ]
    _, groups, _ = columns.parted(fields, 9)
    for group in groups:
        widths = [column["width"] for column in group["columns"]]
        assert sum(widths) == pytest.approx(columns.TEXT_WIDTH, abs=0.1)
        assert min(widths) > 15


# --------------------------------------------------------------------------------------------- refusals


def test_a_failed_notebook_is_refused() -> None:
    """A notebook that ended in an error gives no pack."""
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
    with pytest.raises(RenderError, match="ended in an error"):
        printed(notebook(nbformat.v4.new_code_cell("1/0", outputs=[error], execution_count=1)))


@pytest.mark.parametrize(
    ("bundle", "words_"),
    [
        ({"image/svg+xml": "<svg width='9' height='9'><g></svg>"}, "could not be laid out: failed to parse SVG"),
        ({"image/svg+xml": "<p>no</p>"}, "says it is SVG and is not"),
        ({"image/svg+xml": "<!DOCTYPE svg [<!ENTITY a 'b'>]>" + SVG}, "declares entities"),
        ({"image/svg+xml": SVG.replace("<rect", "<image href='secret.png'/><rect")}, "links to 'secret.png'"),
        ({"image/png": "bm8="}, "says it is PNG and is not"),
        ({"image/png": base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 60).decode()}, "failed to decode image"),
    ],
)
def test_broken_pictures_are_refused_with_their_cell(bundle: dict[str, str], words_: str) -> None:
    """What cannot be laid out names its cell and says what to do, and Typst's own trace stays inside."""
    with pytest.raises(RenderError, match=re.escape(words_)) as caught:
        printed(notebook(shows(cover()), words("## A"), shows(bundle, metadata={"alt": "x"})))
    assert caught.value.where == "cell 3"
    assert caught.value.fix
    assert caught.value.__cause__ is None


def test_a_picture_cannot_read_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even past the check of links, Typst finds nothing in the working directory."""
    (tmp_path / "secret.png").write_bytes(base64.b64decode(PNG))
    monkeypatch.chdir(tmp_path)
    tree = pages.arranged(parts(notebook(words("x")))).tree
    svg = SVG.replace("<rect", "<image href='secret.png' width='9' height='9'/><rect").encode()
    tree["body"] = [{"kind": "picture", "file": "0.svg", "width": 99, "alt": "x", "cell": 0}]
    with pytest.raises(RenderError, match="not found"):
        pdf._compiled(pages.Pack(tree, {"0.svg": svg}, ()))


# ---------------------------------------------------------------------------------------------- bytes


def test_same_notebook_same_bytes(tmp_path: Path) -> None:
    """Neither time zone nor hash seed nor working directory nor file name change a byte."""
    source = tmp_path / "pack.ipynb"
    nbformat.write(full(), source)
    code = (
        "import hashlib, sys\nfrom pbr_lib.export.pdf import PdfExporter\n"
        "print(hashlib.sha256(PdfExporter().from_filename(sys.argv[1])[0]).hexdigest())"
    )
    root = str(Path(__file__).resolve().parents[1])
    seen = {hashlib.sha256(printed(nbformat.read(source, 4))[0]).hexdigest()}
    for zone, seed, folder in (("Asia/Tokyo", "1", tmp_path), ("America/Lima", "2", Path(root))):
        run = subprocess.run(
            [sys.executable, "-c", code, str(source)],
            env=os.environ | {"TZ": zone, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(run.stdout.strip())
    assert len(seen) == 1


def test_the_file_names_no_place() -> None:
    """No path of the machine that made it is in the document."""
    document = printed(full())[0]
    with pikepdf.open(BytesIO(document)) as opened:
        streams = [bytes(o.read_bytes()) for o in opened.objects if isinstance(o, pikepdf.Stream) and "/Filter" in o]
    everything = b"".join([document, *streams])
    for place in (b"/tmp/", b"/home/", b"/Users/", str(Path(pdf.__file__).parent).encode()):
        assert place not in everything


def test_exporter_speaks_nbconvert() -> None:
    """Extension and mimetype are those of a PDF, and the menu has a name for it."""
    exporter = PdfExporter()
    _, resources = exporter.from_notebook_node(notebook(words("x")))
    assert (exporter.file_extension, exporter.output_mimetype) == (".pdf", "application/pdf")
    assert resources["output_extension"] == ".pdf"
    assert exporter.export_from_notebook == "PDF pack"
