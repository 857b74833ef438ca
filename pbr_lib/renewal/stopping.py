"""When a goal has run its course (goals.md 4.2); apart, because this ends in a proposal to people and never in a
deletion, and because one of the rules looks at all partners at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from typing import Literal

import numpy as np
import numpy.typing as npt

from pbr_lib.definitions import Stop
from pbr_lib.model import Unit
from pbr_lib.peers import LEAST
from pbr_lib.renewal.rounding import percent, rounding_unit, say

__all__ = ["Advice", "Outcome", "advise", "topped_out"]

Floats = npt.NDArray[np.float64]

_MOST_SPREAD = 0.10
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class Outcome:
    """What one closed quarter of a goal came to: ``met`` and ``actual`` are None where they are not known.

    ``covered`` says whether exports reach the whole quarter; where they do not, a zero says nothing.
    """

    quarter: str
    met: bool | None
    actual: Decimal | None
    covered: bool = True


@dataclass(frozen=True)
class Advice:
    """A proposal for people: what was seen, in how many quarters (of the fleet rule: partners), and what to do."""

    trigger: Literal["met in a row", "unmoved in a row", "topped out"]
    count: int
    words: str


def advise(stop: Stop, outcomes: Sequence[Outcome], unit: Unit) -> tuple[Advice, ...]:
    """What a goal's stop rules say of one partner's closed quarters, the latest first.

    A quarter that is not known ends a run: it was neither met nor missed, and nothing stood still.
    """
    out = []
    met = _run(outcomes, lambda each: each.met is True)
    if stop.met_in_a_row is not None and met >= stop.met_in_a_row:
        out.append(Advice("met in a row", met, f"met {_quarters(met)} in a row: raise it or retire it"))
    if stop.unmoved_in_a_row is not None and outcomes and outcomes[0].actual is not None:
        stood = outcomes[0].actual
        still = _run(outcomes, lambda each: each.covered and each.actual == stood)
        # What is met again and again stands still where it should: that is the rule above.
        if still >= stop.unmoved_in_a_row and still > met:
            where = "nothing came of it" if not stood else f"it stood at {say(stood, unit)}"
            out.append(Advice("unmoved in a row", still, f"{where} {_quarters(still)} in a row: replace it"))
    return tuple(out)


def topped_out(values: Floats, unit: Unit, least: int = LEAST) -> Advice | None:
    """Whether a metric no longer tells partners apart, so that the goal may be retired for all of them.

    That is where the 75th and the 90th percentile lie within one unit of rounding, and the coefficient of variation
    is at most 0.10.

    Parameters
    ----------
    values:
        The last closed quarter's value of every partner; NaN where it is not known.
    unit:
        What is counted; decides what one unit is (1 lead, 1 % point, about 5 % of a typical amount of money).
    least:
        Fewer partners than this show nothing.
    """
    known = np.sort(values[np.isfinite(values)])
    mean = float(known.mean()) if known.size else 0.0
    if known.size < max(least, LEAST) or not mean:
        return None
    typical, upper, high = np.quantile(known, [0.5, 0.75, 0.9])
    one = float(rounding_unit(unit, None, Decimal(repr(float(typical)))))
    spread = float(known.std(ddof=1)) / abs(mean)
    # The last digits of a float must not decide whether 0.91 and 0.90 are one point apart.
    if high - upper > one * (1 + 1e-9) or spread > _MOST_SPREAD:
        return None
    texts = [say(Decimal(repr(round(float(value), 6))), unit) for value in (upper, high)]
    told = f"of {known.size} partners the 75th percentile is {texts[0]} and the 90th {texts[1]}"
    words = (
        f"{told}, and values vary by {percent(Decimal(repr(round(spread, 3))), 0)}: it tells nobody apart, retire it"
    )
    return Advice("topped out", int(known.size), words)


def _run(outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> int:
    return sum(1 for _ in takewhile(holds, outcomes))


def _quarters(count: int) -> str:
    return f"{_NUMBERS[count] if count < len(_NUMBERS) else count} quarters"
