"""Shapes: every text is met once, with its digits where its plan says they are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.conversions import LONGEST, faults_of, groups, layout, string_array


def test_texts_of_one_shape_come_together() -> None:
    """Digits do not part shapes, anything else does."""
    found = {group.shape: group.rows.tolist() for group, _ in groups(pa.array(["1/2", "3/4", "12", "", "9/9"]), tuple)}
    assert found == {"0/0": [0, 1, 4], "00": [2]}


def test_a_reason_instead_of_a_plan_gathers_its_texts() -> None:
    """Texts that no plan fits come first, one group for each reason; blank ones never come."""
    text = pa.array(["1", "x", "1x", "2", "yy", " \u00a0", "2x"])
    found = [(group.rows.tolist(), plan) for group, plan in groups(text, lambda shape: 7 if shape == "0" else "bad")]
    assert found == [([1, 2, 4, 6], "bad"), ([0, 3], 7)]


def test_what_is_too_long_is_asked_about_as_an_empty_shape() -> None:
    """A text of prose is no number, whatever digits it holds."""
    asked: list[str] = []
    list(groups(pa.array(["1" * (LONGEST + 1), "12"]), lambda shape: asked.append(shape) or "bad"))
    assert asked == ["", "00"]


@given(st.lists(st.text(max_size=12), max_size=30), st.integers(0, 5))
def test_every_text_that_is_not_blank_is_met_once(texts: list[str], skip: int) -> None:
    """No row is lost or met twice, in a slice as well."""
    array = pa.array(texts, pa.string()).slice(skip)
    rows = sorted(row for group, _ in groups(array, lambda shape: "" if "0" not in shape else 1) for row in group.rows)
    kept = texts[skip:]
    assert all(row in rows for row, text in enumerate(kept) if any(sign in "123456789" for sign in text))
    assert len(set(rows)) == len(rows)


@given(st.lists(st.integers(0, 10**17), min_size=1, max_size=20))
def test_digits_of_a_group_make_its_numbers(numbers: list[int]) -> None:
    """What was written is read."""
    out = np.zeros(len(numbers), np.int64)
    for group, _ in groups(pa.array([f"é{number} €" for number in numbers]), len):
        out[group.rows] = group.number(range(2, len(group.shape) + 1 - 2))
    assert out.tolist() == numbers


@given(st.lists(st.text(max_size=5), max_size=9), st.integers(0, 9))
def test_layout_and_back(texts: list[str], skip: int) -> None:
    """Positions and bytes of a slice make the same texts again."""
    array = pa.array(texts, pa.string()).slice(skip)
    offsets, data = layout(array)
    assert string_array(offsets.astype(np.int32), data.copy()).to_pylist() == texts[skip:]


def test_faults_of_codes() -> None:
    """Each code becomes one fault with its rows; a reason without rows none."""
    faults = faults_of(np.array([0, 2, 0, 2], np.uint8), ["one", "two"])
    assert [(fault.reason, fault.rows.tolist()) for fault in faults] == [("two", [1, 3])]
