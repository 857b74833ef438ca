"""The look at a sheet's XML: what it finds does not depend on who wrote it, nor on the pieces that it comes in."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.errors import SourceError
from pbr_lib.reading import sheetxml
from pbr_lib.reading.grids import Area, column_letters

SHEET = (
    '<?xml version="1.0"?><worksheet><cols><col min="2" max="3" hidden="1"/><col min="5" max="5" hidden="0"/></cols>'
    '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    '<row r="2" hidden="1"><c r="A2" t="e"><v>#REF!</v></c><c r="B2"><f>A1*2</f></c>'
    '<c r="C2"><f>A1</f><v>5</v></c></row>'
    '<row r="3"><c r="A3" t="str"><f>""</f><v></v></c><c r="B3"><f>A1</f><v></v></c>'
    '<c r="C3" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="D3"><f t="shared" si="0"/></c></row>'
    "</sheetData></worksheet>"
)


def scan(text: str) -> sheetxml.SheetScan:
    """What is found in this XML."""
    return sheetxml.scan(lambda: io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        SHEET,
        SHEET.replace('"', "'").replace("<f>''</f>", "<f>x</f>"),
        SHEET.replace("<row", "<x:row").replace("</row", "</x:row").replace("<c ", "<x:c ").replace("</c>", "</x:c>"),
        SHEET.replace("><", ">\n  <"),
    ],
)
def test_what_is_found(text: str) -> None:
    """Errors, formulas without a value, hidden rows and columns, with their addresses."""
    found = scan(text)
    assert found.errors == {(2, 0): "#REF!", (3, 2): "#DIV/0!"}
    assert found.empty_formulas == [(2, 1), (3, 1), (3, 3)]
    assert (found.hidden_rows, found.hidden_columns) == (1, [(1, 2)])


@given(st.integers(1, 600))
def test_pieces_do_not_matter(size: int) -> None:
    """The XML may come in any pieces that are not a hundredth of a cell."""
    whole = scan(SHEET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheetxml, "_PIECE", size + 150)
        assert scan(SHEET) == whole


@given(st.lists(st.tuples(st.integers(1, 1_048_576), st.integers(0, 16_383)), min_size=1, max_size=9))
def test_the_bounds_are_never_too_small(cells: list[tuple[int, int]]) -> None:
    """Whatever addresses there are, the rectangle holds them all, and is no larger."""
    rows = "".join(f'<row r="{r}"><c r="{column_letters(c)}{r}"><v>1</v></c></row>' for r, c in cells)
    assert sheetxml._bounds(f"<sheetData>{rows}</sheetData>".encode()) == (
        max(r for r, _ in cells),
        max(c for _, c in cells) + 1,
    )


@pytest.mark.parametrize("rows", [["A1048576", "XFD1"], ["XFD1", "A1048576"], ["XFD1048576", "A1"]])
def test_two_cells_can_span_too_much(rows: list[str]) -> None:
    """In whatever order the cells come, and whichever piece they are in."""
    cells = [f'<row r="{a.lstrip("AXFD")}"><c r="{a}"><v>1</v></c></row>{" " * (1 << 22)}' for a in rows]
    with pytest.raises(SourceError, match="claims 17,179,869,184 cells"):
        scan(f"<sheetData>{''.join(cells)}</sheetData>")


@pytest.mark.parametrize("text", ["<!DOCTYPE x>" + SHEET, "<!doctype x>" + SHEET, SHEET + '<!ENTITY a "b">'])
def test_entities_are_refused(text: str) -> None:
    """Wherever they stand."""
    with pytest.raises(SourceError, match="XML bomb"):
        scan(text)


def test_cdata_and_comments_are_none() -> None:
    """Other things that begin with an exclamation mark are harmless."""
    assert scan(SHEET.replace("<sheetData>", "<!-- x --><sheetData><![CDATA[ ]]>")).errors


@given(st.integers(0, 16_383))
def test_columns_have_letters(number: int) -> None:
    """Letters and numbers of columns agree both ways."""
    assert sheetxml.column_number(column_letters(number).encode()) == number


@pytest.mark.parametrize(
    ("text", "area"),
    [("A1:C9", Area(1, 0, 2, 9)), ("$B$2:$A$1", Area(1, 0, 1, 2)), ("D4", Area(4, 3, 3, 4)), ("x", None), ("", None)],
)
def test_areas(text: str, area: Area | None) -> None:
    """A rectangle as Excel writes it."""
    assert sheetxml.area_of(text) == area
