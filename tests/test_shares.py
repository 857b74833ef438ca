"""Parts add up to the whole, and nobody gets more than one unit from rounding."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.shares import allocate, apportion, cut


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (5, [70, 30], [4, 1]),
        (5, [30, 70], [2, 3]),
        (800, [1, 1, 1], [267, 267, 266]),
        (100_003, [50, 50], [50_002, 50_001]),
        (51_998, [1] * 12, [4_334] * 2 + [4_333] * 10),
    ],
)
def test_cents_are_allocated_by_largest_remainder(total: int, weights: list[int], parts: list[int]) -> None:
    """goals.md T44 and section 10: largest remainder, of equal remainders the first."""
    assert list(cut(total, weights)) == parts
    assert allocate(Decimal(total) / 100, [Decimal(each) for each in weights]) == tuple(
        Decimal(part) / 100 for part in parts
    )


def test_a_negative_amount_is_allocated_like_a_positive_one() -> None:
    """A credit note is divided as its invoice was."""
    assert allocate(Decimal("-0.05"), [Decimal("0.7"), Decimal("0.3")]) == (Decimal("-0.04"), Decimal("-0.01"))


@pytest.mark.parametrize("shares", [[], [Decimal(0)], [Decimal(1), Decimal(-1)]])
def test_shares_that_divide_nothing_are_refused(shares: list[Decimal]) -> None:
    """No share, only noughts, or a negative one say nothing about how to divide."""
    with pytest.raises(ValueError, match="divide nothing; give"):
        allocate(Decimal(1), shares)


_AMOUNT = st.decimals(-(10**12), 10**12, places=2)
_SHARES = st.lists(st.decimals(0, 1000, places=4), min_size=1, max_size=12).filter(any)


@given(_AMOUNT, _SHARES)
def test_allocation_is_exact_and_near(amount: Decimal, shares: list[Decimal]) -> None:
    """Parts add up to the amount, and each is less than one cent from its due."""
    parts = allocate(amount, shares)
    assert sum(parts) == amount
    whole = sum(shares)
    assert all(abs(part * whole - amount * share) < whole / 100 for part, share in zip(parts, shares, strict=True))


@given(st.lists(st.tuples(st.lists(st.integers(0, 10**6), min_size=1, max_size=6), st.integers(0, 10_000)), max_size=8))
def test_many_groups_at_once_are_cut_like_one(groups: list[tuple[list[int], int]]) -> None:
    """The rule for whole columns is the rule for one group; a group without weight is divided evenly."""
    weights = np.array([each for parts, _ in groups for each in parts], np.int64)
    starts = np.cumsum([0, *(len(parts) for parts, _ in groups)])[:-1]
    got = apportion(weights, starts, np.array([total for _, total in groups], np.int64))
    want = [cut(total, parts if any(parts) else [1] * len(parts)) for parts, total in groups]
    assert got.tolist() == [part for parts in want for part in parts]
