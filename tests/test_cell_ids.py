"""Ids: text, completed where Salesforce cuts them, and told where Excel destroyed them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.cell_ids import completed, to_ids
from pbr_lib.cells import BOOL, DATE, ERROR, NUMBER, TEXT, Cells

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
short_ids = st.lists(st.text(alphabet=LETTERS, min_size=15, max_size=15), max_size=9)


def texts(*values: str) -> Cells:
    return Cells(pa.array(list(values), pa.string()))


def by_hand(short: str) -> str:
    """The public rule, letter by letter."""
    out = short
    for start in (0, 5, 10):
        bits = sum(1 << place for place in range(5) if "A" <= short[start + place] <= "Z")
        out += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
    return out


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001C000000o4OOI", "001C000000o4OOIIA2"),
        ("001C000000o4Ooi", "001C000000o4OoiIAE"),
        ("000000000000001", "000000000000001AAA"),
        ("AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA555"),
    ],
)
def test_fifteen_become_eighteen(short: str, long: str) -> None:
    """Two ids that differ only in case stay two."""
    assert by_hand(short) == long
    assert to_ids(texts(short, long), salesforce=True).values.to_pylist() == [long, long]
    assert to_ids(texts(short)).values.to_pylist() == [short]


@given(short_ids)
def test_the_checksum_is_the_public_one(ids: list[str]) -> None:
    """Every id of 15 letters, in a slice of a longer column as well."""
    assert completed(pa.array(ids, pa.string())).to_pylist() == [by_hand(short) for short in ids]
    sliced = Cells(pa.array(["x", *ids], pa.string()).slice(1))
    found = to_ids(sliced, salesforce=True)
    nothing = "000000000000000"
    assert found.values.to_pylist() == [by_hand(short) if short != nothing else None for short in ids]


def test_an_id_of_changed_case_is_kept_and_noted() -> None:
    """Nothing can tell which letter it was; the id is not touched."""
    found = to_ids(texts("001C000000o4OOIIA2", "001c000000o4ooiIA2", "001C000000o4OOIia2"), salesforce=True)
    assert found.values.to_pylist() == ["001C000000o4OOIIA2", "001c000000o4ooiIA2", "001C000000o4OOIia2"]
    assert found.notes == {"case was changed": 1} and not found.faults


def test_an_empty_lookup_is_nothing() -> None:
    """Zeros refer to no record; elsewhere they are an id."""
    found = to_ids(texts("000000000000000AAA", "000000000000000", ""), salesforce=True)
    assert found.values.to_pylist() == [None] * 3 and not found.faults and found.notes == {"empty lookup": 2}
    assert to_ids(texts("000000000000000")).values.to_pylist() == ["000000000000000"]


@pytest.mark.parametrize("text", ["2.4142E+18", "9.9E+19", "9,9e+19", "1E+5"])
def test_an_id_that_excel_destroyed(text: str) -> None:
    """What is left of such an id names nothing."""
    found = to_ids(texts(text, "ok"))
    assert found.values.to_pylist() == [None, "ok"]
    assert [(fault.reason, fault.rows.tolist()) for fault in found.faults] == [("an id destroyed by Excel", [0])]


@pytest.mark.parametrize("text", ["CORE+1", "12E5", "E+1", "00123", "P-001", "a b", "12345678901234567"])
def test_other_ids_are_left_alone(text: str) -> None:
    """Leading zeros, letters, length: an id is text."""
    assert to_ids(texts(f" {text}\u00a0")).values.to_pylist() == [text]


def test_cells_of_a_workbook() -> None:
    """Numbers lose their point and nothing else; beyond 15 digits Excel has lost some itself."""
    kinds = np.array([NUMBER, NUMBER, NUMBER, NUMBER, DATE, BOOL, ERROR, TEXT, DATE], np.uint8)
    cells = ["12345.0", "9.5", "1234567890123456", "123456789012345", "2026-12-03", "true", "#N/A", "00123", ""]
    found = to_ids(Cells(pa.array(cells), kinds))
    assert found.values.to_pylist() == ["12345", None, None, "123456789012345", None, None, None, "00123", None]
    assert {fault.reason: fault.rows.tolist() for fault in found.faults} == {
        "an id destroyed by Excel": [2],
        "a number with decimals, no id": [1],
        "a day, no id": [4],
        "a truth value, no id": [5],
        "an Excel error": [6],
    }


def test_a_column_that_once_held_floats() -> None:
    """Where every id ends in .0 that is no part of it; where only some do it may be."""
    found = to_ids(texts("12345.0", "", "7.0"))
    assert found.values.to_pylist() == ["12345", None, "7"] and found.notes == {"ids written as 123.0, read as 123": 2}
    assert to_ids(texts("12345.0", "v7.0")).values.to_pylist() == ["12345.0", "v7.0"]
    assert to_ids(texts("12345.0"), strip_point=False).values.to_pylist() == ["12345.0"]
    assert to_ids(texts("12345.0", "x"), strip_point=True).values.to_pylist() == ["12345", "x"]


def test_no_cells() -> None:
    """Nothing in, nothing out."""
    assert to_ids(texts(), salesforce=True).values.to_pylist() == []


@given(st.lists(st.text(alphabet="0129.E+eA ", max_size=6), max_size=8))
def test_every_cell_has_a_value_a_fault_or_is_blank(cells: list[str]) -> None:
    """Nothing vanishes."""
    found = to_ids(texts(*cells), strip_point=False)
    faulty = [row for fault in found.faults for row in fault.rows.tolist()]
    empty = [row for row, cell in enumerate(cells) if not cell.strip()]
    assert sorted(faulty + empty) == np.flatnonzero(found.values.is_null().to_numpy(zero_copy_only=False)).tolist()
