"""The formulas of the goal table agree with the numbers they stand for; here the middle of a list."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.errors import RenderError
from pbr_lib.export.formulas import Goal, Records, actual


def goal(value: Decimal) -> Goal:
    """A goal whose actual is a median."""
    return Goal({"goal": "cycle", "actual": "median"}, {}, value, None, None, 0)


def listed(numbers: list[Decimal]) -> Records:
    """Records that count so much each."""
    return Records("Cycle", {"counts": "Counts"}, {"counts": numbers}, len(numbers))


@given(st.lists(st.decimals(-1000, 1000, places=4), min_size=1, max_size=9))
def test_a_median_recomputes(numbers: list[Decimal]) -> None:
    """MEDIAN over the listed records gives the very number printed."""
    ranked = sorted(numbers)
    middle = ranked[(len(ranked) - 1) // 2 : len(ranked) // 2 + 1]
    formula = actual(goal(sum(middle, Decimal(0)) / len(middle)), listed(numbers))
    assert formula is not None
    assert formula.text == "=MEDIAN(Cycle[Counts])"


def test_a_median_that_its_records_contradict_is_refused() -> None:
    """The mean of the records is not their middle."""
    with pytest.raises(RenderError, match="its 3 listed records give 2"):
        actual(goal(Decimal(4)), listed([Decimal(1), Decimal(2), Decimal(9)]))
