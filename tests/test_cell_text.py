"""The text of cells: what is trimmed, decoded, and taken for nothing, and what is left alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.cell_text import TextRules, clean, cleaned, label_key, labels_alike, split_values
from pbr_lib.cells import ERROR, NUMBER, TEXT, Cells
from pbr_lib.conversions import BLANKS

ALL = TextRules(nulls=frozenset({"#N/A", "-"}), entities=True, apostrophe=True)


def one(text: str, rules: TextRules = ALL) -> str | None:
    return clean(Cells(pa.array([text])), rules)[0].as_py()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Acme", "Acme"),
        ("  Acme \u00a0\u200b", "Acme"),
        ("\ufeffId", "Id"),
        ("a  b", "a  b"),
        ("Café", "Café"),
        ("", None),
        (" \u00a0 ", None),
        ("ABC_x000D_", "ABC"),
        ("a_x000D_\nb", "a\nb"),
        ("a_x0041_b", "aAb"),
        ("_x005F_x0041_", "_x0041_"),
        ("_xD800_", "_xD800_"),
        ("index_x1", "index_x1"),
        ("AT&amp;T", "AT&T"),
        ("&amp;amp;", "&amp;"),
        ("&#8364;5", "€5"),
        ("&#x20AC;5", "€5"),
        ("R&D; Lab", "R&D; Lab"),
        ("R&D&reg", "R&D&reg"),
        ("&#0;&#xD800;&#99999999;", "&#0;&#xD800;&#99999999;"),
        ("&nbsp;x&nbsp;", "x"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\0b", "ab"),
        ("\0", None),
        ("'-99", "-99"),
        ("'=A1", "=A1"),
        ("'00123", "00123"),
        ("'t Hart", "'t Hart"),
        ("'90s Records", "'90s Records"),
        ("None", "None"),
        ("NA", "NA"),
        ("#N/A", None),
        (" #N/A ", None),
        ("#n/a", "#n/a"),
        ("-", None),
    ],
)
def test_cleaning(text: str, meant: str | None) -> None:
    """A text becomes what people meant by it."""
    assert one(text) == meant


def test_without_rules_only_dirt_goes() -> None:
    """Entities, apostrophes and spellings of nothing are the rules' business."""
    for text in ("AT&amp;T", "'-99", "#N/A", "-", "None", "null"):
        assert one(text, TextRules()) == text


def test_errors_of_excel_are_nothing_in_text_and_stay_errors() -> None:
    """A conversion still sees that the cell was an error."""
    cells = Cells(pa.array(["#REF!", "5", " "]), np.array([ERROR, NUMBER, NUMBER], np.uint8))
    assert clean(cells).to_pylist() == [None, "5", None]
    after = cleaned(cells)
    assert after.text.to_pylist() == ["", "5", ""]
    assert after.kinds is not None and after.kinds.tolist() == [ERROR, NUMBER, TEXT]


def test_no_cells() -> None:
    """An empty batch is no special case."""
    assert clean(Cells(pa.array([], pa.string())), ALL).to_pylist() == []
    assert split_values(pa.array([], pa.string()), ";").to_pylist() == []


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="_&'\r\0", exclude_categories=["Cs"]))))
def test_text_without_dirt_is_only_trimmed(texts: list[str]) -> None:
    """Whatever it says, text stays as it is between its ends."""
    found = clean(Cells(pa.array(texts, pa.string())), TextRules(entities=True, apostrophe=True)).to_pylist()
    assert found == [text.strip(BLANKS) or None for text in texts]


@given(st.lists(st.text(alphabet="a_x0D&;lt'=- \r\n\u00a0", max_size=12), max_size=8))
def test_cells_do_not_touch_each_other(texts: list[str]) -> None:
    """A column gives what each of its cells gives alone, also in a slice of a longer one."""
    alone = [one(text) for text in texts]
    assert clean(Cells(pa.array(texts, pa.string())), ALL).to_pylist() == alone
    assert clean(Cells(pa.array(["x", *texts], pa.string()).slice(1)), ALL).to_pylist() == alone


@pytest.mark.parametrize(
    ("cell", "separators", "values"),
    [
        ("a;b", ";", ["a", "b"]),
        (" a ;; b ; ", ";", ["a", "b"]),
        ('"A; B"; C', ";", ["A; B", "C"]),
        ('"A; B", C', ";,", ["A; B", "C"]),
        ('"say ""hi"""; C', ";", ['say "hi"', "C"]),
        ('24" Monitor; B', ";", ['24" Monitor', "B"]),
        ('"open; B', ";", ['"open', "B"]),
        ("Wholesaler,Components Buyer", ",", ["Wholesaler", "Components Buyer"]),
        ("a,b", ";", ["a,b"]),
        ("a;b|c", ";|", ["a", "b", "c"]),
        ("", ";", []),
        (";", ";", []),
        (None, ";", None),
        (".*;x", ";", [".*", "x"]),
    ],
)
def test_several_values_in_a_cell(cell: str | None, separators: str, values: list[str] | None) -> None:
    """Separators part, quotes hold together, nothing empty is left; in a slice as well."""
    assert split_values(pa.array([cell], pa.string()), separators).to_pylist() == [values]
    assert split_values(pa.array(["q;r", cell, "s"], pa.string()).slice(1), separators).to_pylist()[0] == values


@given(st.lists(st.lists(st.text(alphabet='ab ;"é', min_size=1, max_size=6)), max_size=6))
def test_quoted_values_come_back(rows: list[list[str]]) -> None:
    """Values written between quotes are read as they were, but for the blanks at their ends."""
    cells = ["; ".join('"' + value.replace('"', '""') + '"' for value in row) for row in rows]
    expected = [[value.strip(BLANKS) for value in row if value.strip(BLANKS)] for row in rows]
    assert split_values(pa.array(cells, pa.string()), ";").to_pylist() == expected


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Close Date", "close_date", True),
        ("CloseDate", "Close-Date", True),
        ("Probability (%)", "probability", True),
        ("Größe", "GRÖSSE", True),
        ("Ｎａｍｅ", "name", True),
        ("cafe\u0301", "café", True),
        ("año", "ano", False),
        ("Amount", "Amount (converted)", False),
        ("#", "%", False),
    ],
)
def test_labels(one: str, other: str, alike: bool) -> None:
    """Case, spaces and punctuation make no other label; letters and accents do."""
    assert labels_alike(one, other) is alike


@given(st.text())
def test_a_key_is_its_own_key(label: str) -> None:
    """Folding twice folds no further."""
    assert label_key(label_key(label)) == label_key(label)
