"""Wholes cut into parts that add up again, by largest remainder; apart, because credit and money share the rule.

Every part is rounded down, and what is left goes in single units to the largest remainders; of equal remainders the
first in order has it (goals.md 10: ties by partner id, so callers give parts in that order). Nothing is ever lost or
made by rounding: 5 cents at 70/30 are 4 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["WHOLE", "Numbers", "allocate", "apportion", "cut"]

Numbers = npt.NDArray[Any]
"""A column of whole numbers, as narrow as they allow."""

WHOLE = 10_000
"""The whole of a credit, in units of its four decimals."""


def allocate(amount: Decimal, shares: Sequence[Decimal], decimals: int = 2) -> tuple[Decimal, ...]:
    """``amount`` in parts as ``shares`` weigh, each with ``decimals`` places, adding up to the amount (T44).

    The amount is first rounded half-up to those places, once; shares need not add up to one.

    Raises
    ------
    ValueError
        When there is no share, one is negative, or all are nought.
    """
    if any(share < 0 for share in shares) or not any(shares):
        raise ValueError("these shares divide nothing; give at least one above 0, and none below")
    unit = Decimal(1).scaleb(-decimals)
    units = int(amount.quantize(unit, ROUND_HALF_UP).scaleb(decimals))
    sign = -1 if units < 0 else 1
    return tuple(unit * sign * part for part in cut(abs(units), _whole_numbers(shares)))


def cut(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """``total`` units in whole parts as ``weights`` weigh, adding up to it."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return tuple(parts)


def _whole_numbers(shares: Sequence[Decimal]) -> list[int]:
    places = max(0, *(-int(share.as_tuple().exponent) for share in shares))
    return [int(share.scaleb(places)) for share in shares]


def apportion(weights: Numbers, starts: Numbers, totals: Numbers) -> Numbers:
    """:func:`cut` for many groups at once: the units of each row.

    ``weights`` lie group by group, ``starts`` says where each group begins, ``totals`` what it divides. A group
    without weight is divided evenly. Weights times totals must stay below 2**63.
    """
    weights = weights.astype(np.int64)
    sizes = np.diff(np.append(starts, len(weights)))
    group = np.repeat(np.arange(len(starts)), sizes)
    whole = np.add.reduceat(weights, starts) if len(starts) else weights[:0]
    weights = np.where(whole[group] == 0, 1, weights)
    whole = np.where(whole == 0, sizes, whole)
    exact = weights * totals[group]
    units = exact // whole[group]
    rest = exact - units * whole[group]
    left = totals - np.add.reduceat(units, starts) if len(starts) else totals
    order = np.lexsort((-rest, group))  # stable: of equal remainders the first in order stays first
    place = np.arange(len(weights)) - np.repeat(starts, sizes)
    units[order] += place < left[group]
    return np.asarray(units, np.int64)
