"""What people see, held against what was once looked at and found right: blocks, workbook parts, PDF text.

``make golden`` writes the files again; look at the difference before you commit it.
"""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pypdfium2
import pytest
from openpyxl import load_workbook

pytestmark = pytest.mark.xdist_group("build")

GOLDEN = Path(__file__).resolve().parent / "golden"
PARTNERS = ("P-001", "P-007", "P-008")


def blocks(path: Path) -> str:
    """Each block of an executed notebook in a few lines: kind, name, columns, rows as text."""
    lines: list[str] = []
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            block = output.get("data", {}).get("application/vnd.pbr.block+json")
            for member in (block or {}).get("blocks", [block] if block else []):
                lines += described(member)
    return "\n".join(lines) + "\n"


def described(block: dict) -> list[str]:
    """One block as lines."""
    head = f"[{block['kind']}] {block.get('name', '')} {block.get('title', '')}".rstrip()
    if block["kind"] == "table":
        columns = " | ".join(column["label"] for column in block["columns"])
        rows = [" | ".join(text(cell) for cell in row) for row in block["rows"]]
        return [head, f"  {columns}", *(f"  {row}" for row in rows), f"  = {block['caption']}"]
    if block["kind"] == "cards":
        return [
            head,
            *(f"  {c['label']}: {c['value']['text']} {c['lines']} {text(c['status'])}" for c in block["cards"]),
        ]
    if block["kind"] == "chart":
        return [head, f"  {block['alt']}"]
    if block["kind"] == "note":
        return [head, *("  " + "".join(run["text"] for run in item) for item in block["items"]), block["markdown"]]
    return [head, f"  {block['subtitle']} {text(block['score'])} {text(block['status'])} {block['facts']}"]


def text(cell: object) -> str:
    """A cell as printed."""
    return str(cell.get("text", "")) if isinstance(cell, dict) else "–" if cell is None else str(cell)


def sheets(path: Path) -> str:
    """Sheets, tables and formulas of a workbook."""
    book = load_workbook(path)
    out: dict[str, object] = {}
    for sheet in book.worksheets:
        formulas = [f"{c.coordinate} {c.value}" for row in sheet.iter_rows() for c in row if c.data_type == "f"]
        out[sheet.title] = {"size": sheet.dimensions, "tables": dict(sheet.tables.items()), "formulas": formulas}
    return json.dumps(out, indent=1, ensure_ascii=False) + "\n"


def pages(path: Path) -> str:
    """The text of a PDF, page by page."""
    document = pypdfium2.PdfDocument(path)
    try:
        found = [document[number].get_textpage().get_text_bounded() for number in range(len(document))]
    finally:
        document.close()
    return "".join(f"--- page {number} of {len(found)}\n{page}\n" for number, page in enumerate(found, 1)).replace(
        "\r\n", "\n"
    )


@pytest.mark.parametrize("partner", PARTNERS)
@pytest.mark.parametrize(("file", "read"), [("pack.ipynb", blocks), ("pack.xlsx", sheets), ("pack.pdf", pages)])
def test_a_pack_is_as_it_was_found_right(
    built: Path, partner: str, file: str, read: object, request: pytest.FixtureRequest
) -> None:
    """Blocks, workbook and PDF text equal the golden files, apart from the fingerprint of the slice."""
    shown = read(built / "output/2026-Q3" / partner / file)  # type: ignore[operator]
    digest = fingerprint(built / "output/2026-Q3" / partner / "pack.ipynb")
    shown = shown.replace(digest, "fingerprint")
    golden = GOLDEN / f"{partner}.{file.partition('.')[2]}.txt"
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown, "utf-8", newline="\n")
    assert shown == golden.read_text("utf-8")


def fingerprint(path: Path) -> str:
    """The fingerprint on the cover."""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            block = output.get("data", {}).get("application/vnd.pbr.block+json", {})
            if block.get("kind") == "cover":
                return str(block["meta"]["fingerprint"])
    raise AssertionError("no cover")
