"""Cells to numbers and truth values: exact, half-up, and nothing guessed."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.cell_numbers import NumberRules, to_booleans, to_integers, to_numbers
from pbr_lib.cells import BOOL, DATE, DATETIME, ERROR, NUMBER, TEXT, Cells

amounts = st.decimals(Decimal("-99999999999999"), Decimal("99999999999999"), places=4)


def texts(*values: str) -> Cells:
    return Cells(pa.array(list(values), pa.string()))


def number(text: str, kind: int = TEXT, **rules: object) -> str:
    """The number of one cell, or the reason why there is none."""
    cells = Cells(pa.array([text]), np.array([kind], np.uint8))
    found = to_numbers(cells, NumberRules(**rules))  # type: ignore[arg-type]
    return found.faults[0].reason if found.faults else str(found.values[0].as_py())


@pytest.mark.parametrize(
    ("text", "rules", "meant"),
    [
        ("7980", {}, "7980.0000"),
        ("$7,450,000.00 ", {}, "7450000.0000"),
        ("$1,117.10K", {}, "1117100.0000"),
        ("342.09K", {}, "342090.0000"),
        ("1.23456789 m", {}, "1234567.8900"),
        ("(1.234,56)", {"decimal": ","}, "-1234.5600"),
        ("500000.0", {}, "500000.0000"),
        ("1.0E8", {}, "100000000.0000"),
        ("1.5e-3", {}, "0.0015"),
        ("2.4142E+18", {}, "a number of too many digits"),
        ("0E99", {}, "0.0000"),
        ("1E-30", {}, "0.0000"),
        ("1.00005", {}, "1.0001"),
        ("-1.00005", {}, "-1.0001"),
        ("1.00004999999999999999999", {}, "1.0000"),
        ("0.00005", {}, "0.0001"),
        ("0.00004", {}, "0.0000"),
        ("-0", {}, "0.0000"),
        ("0.30000000000000004", {}, "0.3000"),
        ("1.2345678", {"scale": 6}, "1.234568"),
        ("99999999999999.9999", {}, "99999999999999.9999"),
        ("99999999999999.99995", {}, "a number of too many digits"),
        ("100000000000000", {}, "a number of too many digits"),
        ("0000000000000000000000000012", {}, "12.0000"),
        ("99999999 m", {}, "99999999000000.0000"),
        ("999999999 m", {}, "a number of too many digits"),
        ("1,234", {"decimal": ""}, "thousands or decimals: the mapping does not say"),
        ("0,123", {"decimal": ""}, "0.1230"),
        ("85 %", {"percent": True}, "0.8500"),
        ("12.5%", {"percent": True, "percent_plain": "share"}, "0.1250"),
        ("85", {"percent": True, "percent_plain": "whole"}, "0.8500"),
        ("0.85", {"percent": True, "percent_plain": "share"}, "0.8500"),
        ("85", {"percent": True}, "a share or a percentage: the mapping does not say"),
        ("85 %", {}, "a percentage in a column of numbers"),
        ("12 apples", {}, "an unknown suffix"),
        ("-", {}, "this is no plain number"),
        ("", {}, "None"),
        (" \u00a0", {}, "None"),
    ],
)
def test_numbers(text: str, rules: dict[str, object], meant: str) -> None:
    """Exact decimals, rounded half-up at their scale, or the reason."""
    assert number(text, **rules) == meant


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ("1.234", NUMBER, "1.2340"),
        ("1.0E8", NUMBER, "100000000.0000"),
        ("-5", NUMBER, "-5.0000"),
        ("2026-09-30", DATE, "a day"),
        ("2026-09-30T00:00:00", DATETIME, "a moment"),
        ("true", BOOL, "a truth value"),
        ("#DIV/0!", ERROR, "an Excel error"),
        ("", ERROR, "an Excel error"),
        ("", BOOL, "None"),
    ],
)
def test_cells_of_a_workbook(text: str, kind: int, meant: str) -> None:
    """A number that a workbook holds is exact, whatever sign the export writes before decimals."""
    assert number(text, kind, decimal=",") == meant


def test_currencies_stay_with_their_cells() -> None:
    """A code or a sign in the cell is told, and a sign of several currencies noted."""
    found = to_numbers(texts("EUR 7,980", "5", "$5", "US$ 1", "x", "£2"))
    assert found.currency is not None
    assert found.currency.to_pylist() == ["EUR", None, None, "USD", None, "GBP"]
    assert found.notes == {"$ names no single currency": 1}
    named = to_numbers(texts("$5"), NumberRules(signs={"$": "CAD"}))
    assert named.currency is not None and named.currency.to_pylist() == ["CAD"]
    assert to_numbers(texts("5")).currency is None


def test_what_was_done_is_noted() -> None:
    """Suffixes, exponents, percent signs and rounding are counted."""
    assert to_numbers(texts("1K", "2K", "3 k", "1e2", "0.12345")).notes == {
        "K suffix": 2,
        "k suffix": 1,
        "exponent": 1,
        "rounded to 4 decimals": 1,
    }


@pytest.mark.parametrize(
    ("text", "meant"),
    [("12", 12), ("-3", -3), ("12.0", 12), ("1,234", 1234), ("12k", 12000), ("1e3", 1000), ("", None)],
)
def test_integers(text: str, meant: int | None) -> None:
    """Whole numbers, also where a program wrote them as floats."""
    found = to_integers(texts(text))
    assert found.values.to_pylist() == [meant] and not found.faults and found.values.type == pa.int64()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12.5", "this is no whole number"),
        ("9" * 19, "a number of too many digits"),
        ("x", "this is no plain number"),
        ("5e-1", "this is no whole number"),
    ],
)
def test_what_is_no_integer(text: str, reason: str) -> None:
    """Nothing is rounded to a whole number."""
    assert [fault.reason for fault in to_integers(texts(text)).faults] == [reason]


def test_booleans() -> None:
    """Words of several languages, boxes, and blanks."""
    yes = "1 true TRUE Yes y ja Oui sí si x WAHR vrai verdadero t on checked tak"
    no = "0 false FALSE No n nein non falsch faux falso f off unchecked nie"
    assert set(to_booleans(texts(*yes.split())).values.to_pylist()) == {True}
    assert set(to_booleans(texts(*no.split())).values.to_pylist()) == {False}
    found = to_booleans(texts("", "maybe", " Yes ", "2"))
    assert found.values.to_pylist() == [False, None, True, None]
    assert [fault.rows.tolist() for fault in found.faults] == [[1, 3]]
    assert to_booleans(texts("", "1"), blank_is_false=False).values.to_pylist() == [None, True]


def test_booleans_of_a_workbook() -> None:
    """Truth values and the numbers 1 and 0 are known; days and errors are faults, errors even where blank is false."""
    kinds = np.array([BOOL, NUMBER, NUMBER, DATE, ERROR, ERROR, NUMBER], np.uint8)
    found = to_booleans(Cells(pa.array(["true", "1.0", "0", "2026-01-01", "#N/A", "", "2"]), kinds))
    assert found.values.to_pylist() == [True, True, False, None, None, None, None]
    assert {fault.reason: fault.rows.tolist() for fault in found.faults} == {
        "this is neither true nor false": [6],
        "a day": [3],
        "an Excel error": [4, 5],
    }


def written(value: Decimal, group: str, decimal: str) -> str:
    return f"{value:,.4f}".replace(",", "\0").replace(".", decimal).replace("\0", group)


@given(st.lists(amounts, max_size=9), st.sampled_from([(",", "."), (".", ","), ("\u00a0", ","), ("’", "."), ("", ",")]))
def test_amounts_come_back(values: list[Decimal], signs: tuple[str, str]) -> None:
    """What a country writes is read, exactly, with a currency on either side."""
    for before, after in (("", ""), ("EUR ", ""), ("", "\u00a0€")):
        cells = texts(*(before + written(value, *signs) + after for value in values))
        found = to_numbers(cells, NumberRules(signs[1]))  # type: ignore[arg-type]
        assert found.values.to_pylist() == values and not found.faults


@given(st.lists(st.decimals(-1000, 1000, places=9), max_size=9), st.integers(0, 6))
def test_rounding_is_half_up(values: list[Decimal], scale: int) -> None:
    """As Python rounds half-up, at every scale."""
    found = to_numbers(texts(*(f"{value:f}" for value in values)), NumberRules(scale=scale))
    assert found.values.to_pylist() == [value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP) for value in values]


@given(st.lists(st.decimals(Decimal("-1e8"), Decimal("1e8"), places=6), max_size=9))
def test_exponents_mean_what_python_says(values: list[Decimal]) -> None:
    """A number with an exponent is the same number."""
    found = to_numbers(texts(*(f"{value:e}" for value in values)), NumberRules(scale=6))
    assert found.values.to_pylist() == values


@given(st.lists(amounts, min_size=1, max_size=9), st.data(), st.text(max_size=9))
def test_nonsense_stays_where_it_is(values: list[Decimal], data: st.DataObject, nonsense: str) -> None:
    """One cell of nonsense is one fault there, and nothing else changes."""
    at = data.draw(st.integers(0, len(values) - 1))
    cells = [f"{value:f}" for value in values]
    cells[at] = "?" + nonsense
    found = to_numbers(texts(*cells))
    assert [fault.rows.tolist() for fault in found.faults] == [[at]]
    assert found.values.to_pylist() == [value if row != at else None for row, value in enumerate(values)]


@given(st.lists(st.text(alphabet="0129.,-()' $€kKM%eE", max_size=9), max_size=9), st.sampled_from([".", ",", ""]))
def test_a_cell_is_read_as_it_would_be_alone(cells: list[str], decimal: str) -> None:
    """No cell has a say in another one; each has a value, a fault, or is blank."""
    rules = NumberRules(decimal)  # type: ignore[arg-type]
    whole = to_numbers(texts(*cells), rules)
    assert whole.values.to_pylist() == [to_numbers(texts(cell), rules).values[0].as_py() for cell in cells]
    faulty = [row for fault in whole.faults for row in fault.rows.tolist()]
    empty = [row for row, cell in enumerate(cells) if not cell.strip()]
    assert sorted(faulty + empty) == np.flatnonzero(whole.values.is_null().to_numpy(zero_copy_only=False)).tolist()


def test_no_cells_and_null_cells() -> None:
    """Nothing in, nothing out, in the right type."""
    assert to_numbers(texts()).values.type == pa.decimal128(18, 4)
    assert to_integers(texts()).values.type == pa.int64() and to_booleans(texts()).values.type == pa.bool_()
    assert to_numbers(Cells(pa.array([None, "1"]))).values.to_pylist() == [None, Decimal("1.0000")]
