"""A whole run: every partner has a pack, equal inputs give equal bytes, and one failure costs one pack."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pypdfium2
import pytest
from openpyxl import load_workbook

from pbr_lib import batch
from pbr_lib.errors import InputError, PackError, UnknownPartner, UnknownQuarter

pytestmark = pytest.mark.xdist_group("build")

PARTNERS = [f"P-{number:03d}" for number in range(1, 13)]
FILES = ("pack.pdf", "pack.xlsx", "pack.ipynb")


def pdf_text(path: Path) -> str:
    """The text of a PDF, lines joined."""
    document = pypdfium2.PdfDocument(path)
    try:
        pages = [document[number].get_textpage().get_text_bounded() for number in range(len(document))]
    finally:
        document.close()
    return " ".join(" ".join(pages).split())


def names(root: Path) -> dict[str, str]:
    """Every partner's name by id."""
    index = json.loads((root / "output/.store/slices/2026-Q3/index.json").read_text("utf-8"))
    return dict(index["partners"])


def test_every_partner_has_a_pack(built: Path) -> None:
    """PDF, workbook and notebook lie there for all partners, and the manifest knows their hashes."""
    for partner in PARTNERS:
        folder = built / "output/2026-Q3" / partner
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        for name in FILES:
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == manifest["sha256"][name]
        assert manifest["findings"] == []


def test_a_pack_names_its_own_partner_only(built: Path) -> None:
    """Partner A's PDF and workbook hold A's name, and of no other partner name, id or CRM account."""
    known = names(built)
    for partner in PARTNERS:
        folder = built / "output/2026-Q3" / partner
        text = pdf_text(folder / "pack.pdf")
        sheets = load_workbook(folder / "pack.xlsx")
        cells = " ".join(
            str(cell.value) for sheet in sheets.worksheets for row in sheet.iter_rows() for cell in row if cell.value
        )
        notebook = (folder / "pack.ipynb").read_text("utf-8")
        assert "".join(known[partner].split()) in "".join(text.split())
        for other in set(PARTNERS) - {partner}:
            for place in (text, cells, notebook):
                assert other not in place
                assert known[other] not in place


def test_the_seed_goal_reads_as_agreed(built: Path) -> None:
    """Three leads of five print as "3 of 5 (60 %)", with the three leads listed."""
    text = pdf_text(built / "output/2026-Q3/P-001/pack.pdf")
    assert "3 of 5 (60 %)" in text
    for company in ("Fjord & <Söhne>", "Sälen Skidanläggningar AB", "Tammerkoski Paper Oy"):
        assert company in text


def test_workbook_and_pdf_show_the_same_goals(built: Path) -> None:
    """Actual, target and attainment of the sheet Goals are those of the goal table in the notebook."""
    for partner in PARTNERS:
        folder = built / "output/2026-Q3" / partner
        sheet = load_workbook(folder / "pack.xlsx", data_only=True)["Goals"]
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        start = next(i for i, row in enumerate(rows) if "Goal" in row and "Actual" in row)
        head = rows[start]
        block = goal_block(folder / "pack.ipynb")
        keys = [column["key"] for column in block["columns"]]
        for row, cells in zip(rows[start + 1 :], block["rows"], strict=False):
            shown = dict(zip(head, row, strict=True))
            wanted = dict(zip(keys, cells, strict=True))
            assert shown["Goal"] == wanted["goal"]
            for label, key in (("Actual", "actual"), ("Target", "target"), ("Attained", "attained")):
                cell = wanted[key]
                if cell is None or cell["value"] is None:
                    assert not isinstance(shown[label], int | float)
                else:
                    assert float(shown[label]) == pytest.approx(float(cell["value"]), rel=1e-12)


def goal_block(path: Path) -> dict:
    """The goal table's block in an executed notebook."""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            block = output.get("data", {}).get("application/vnd.pbr.block+json", {})
            if block.get("role") == "goals":
                return dict(block)
    raise AssertionError("no goal table")


def test_packs_hold_no_clock_and_no_path(built: Path) -> None:
    """Neither the machine's paths nor the time of the run are in any file of a pack."""
    for name in FILES:
        data = (built / "output/2026-Q3/P-002" / name).read_bytes()
        assert str(built).encode() not in data
        assert sys.prefix.encode() not in data
    notebook = nbformat.read(built / "output/2026-Q3/P-002/pack.ipynb", as_version=4)
    assert "papermill" not in notebook.metadata
    assert all("execution" not in cell.metadata for cell in notebook.cells)


def test_nothing_is_built_twice(built: Path) -> None:
    """A second run leaves every pack as it is."""
    before = {path: path.stat().st_mtime_ns for path in (built / "output/2026-Q3").glob("*/pack.*")}
    run = batch.build(batch.Request(built))
    assert {outcome.state for outcome in run.outcomes} == {"unchanged"}
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_two_builds_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """Another folder, one worker and another order of partners change nothing in a pack."""
    request = batch.Request(built, "2026-Q3", ("P-008", "P-001"), jobs=1, out=tmp_path, force=True)
    run = batch.build(request)
    assert [outcome.state for outcome in run.outcomes] == ["built", "built"]
    for partner in ("P-001", "P-008"):
        for name in FILES:
            assert (tmp_path / "2026-Q3" / partner / name).read_bytes() == (
                built / "output/2026-Q3" / partner / name
            ).read_bytes()


def test_plain_papermill_and_nbconvert_give_the_same_pdf(built: Path, tmp_path: Path) -> None:
    """The batch is Papermill with another purse, never another thing: same PDF, same workbook."""
    tools, out = Path(sys.executable).parent, tmp_path / "out.ipynb"
    notebook = built / "notebooks/partner_pack.ipynb"
    papermill = [tools / "papermill", notebook, out, "-p", "partner", "P-003", "-p", "quarter", "2026-Q3"]
    subprocess.run([str(part) for part in papermill], cwd=built, check=True, capture_output=True)
    for form, name in (("pbr-pdf", "pack.pdf"), ("pbr-xlsx", "pack.xlsx")):
        convert = [str(tools / "jupyter"), "nbconvert", "--to", form, str(out)]
        subprocess.run(convert, cwd=tmp_path, check=True, capture_output=True)
        made = out.with_suffix(Path(name).suffix).read_bytes()
        assert made == (built / "output/2026-Q3/P-003" / name).read_bytes()


def test_a_failing_partner_stops_nobody_else(built: Path, tmp_path: Path) -> None:
    """The one that fails is named with cell and error, its notebook is kept, its old pack is gone."""
    root = tmp_path / "copy"
    shutil.copytree(built, root)
    path = root / "notebooks/partner_pack.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(4, nbformat.v4.new_code_cell('{"P-002": 1, "P-003": 2}[partner]'))
    nbformat.write(notebook, path)
    run = batch.build(batch.Request(root, partners=("P-002", "P-009", "P-003")))
    states = {outcome.partner: outcome.state for outcome in run.outcomes}
    assert states == {"P-002": "built", "P-003": "built", "P-009": "failed"}
    (failed,) = run.failed
    assert isinstance(failed.error, PackError)
    assert failed.error.what == "KeyError: 'P-009'"
    assert re.search(r"partner_pack\.ipynb, cell \d+", failed.error.where)
    assert failed.error.fix
    left = {item.name for item in failed.folder.iterdir()}
    assert left == {"failed.ipynb"}


def test_what_does_not_exist_is_refused_before_anything_runs(built: Path) -> None:
    """An unknown partner, quarter or parameter ends with one clear message."""
    with pytest.raises(UnknownPartner, match='did you mean "P-001"'):
        batch.build(batch.Request(built, partners=("P-0001",)))
    with pytest.raises(UnknownQuarter, match="2026-Q3"):
        batch.build(batch.Request(built, "2031-Q1"))
    with pytest.raises(UnknownQuarter, match="write a quarter like"):
        batch.build(batch.Request(built, "Q3"))
    with pytest.raises(InputError, match="no such notebook"):
        batch.build(batch.Request(built, template="nothing.ipynb"))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [str(value) for name, value in attrs if tag == "a" and name == "href"]


def test_the_index_leads_to_every_pack(built: Path) -> None:
    """The page of the run links to files that are there, and shows names as text."""
    page = (built / "output/2026-Q3/index.html").read_text("utf-8")
    parser = _Links()
    parser.feed(page)
    assert len(parser.links) == 3 * len(PARTNERS)
    assert all((built / "output/2026-Q3" / link).is_file() for link in parser.links)
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; *Partners* #1" in page
    assert "<b>Bold" not in page
