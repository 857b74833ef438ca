"""Who is compared with whom, and what the others do; apart, because one floor must guard every figure that says
something of other partners: below five of them nothing is shown, and nobody is a peer of oneself.

Partners are grouped once, the narrowest way first (say by tier and region, then by tier, then all together); a figure
comes from the narrowest group in which enough *others* are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from pbr_lib.definitions import PeerSpec

__all__ = ["LEAST", "PeerValue", "Peers", "group", "quantile", "quantile_words"]

Ints = npt.NDArray[np.int64]

LEAST = 5
"""Fewer peers than this are never shown; a workbook may ask for more, never for fewer."""

_WORDS = {"tier": "tier", "region": "region", "partner_type": "type"}


@dataclass(frozen=True)
class PeerValue:
    """A quantile of what a partner's peers reached, of how many, and who they are in words.

    ``words`` reads ``median of 8 partners of tier Gold, region EMEA``.
    """

    value: Decimal
    n: int
    words: str


@dataclass(frozen=True)
class Peers:
    """Partners in groups, one array of group numbers for each way of grouping, the narrowest first, all last.

    ``groups[k][i]`` is the group of partner ``i``. A partner of whom a column is not known stands alone in such a
    group: not known is no likeness. ``names[k][g]`` says in words who group ``g`` is.
    """

    partners: tuple[str, ...] = field(repr=False)
    groups: tuple[Ints, ...] = field(repr=False)
    names: tuple[tuple[str, ...], ...] = field(repr=False)
    least: int = LEAST

    def quantiles(self, values: Sequence[Decimal | None], level: Decimal) -> tuple[PeerValue | None, ...]:
        """For each partner the quantile of its peers' values, without its own; None where too few are known.

        Parameters
        ----------
        values:
            One value for each partner, in their order; None where it is not known, which is never a zero. Leave out
            (None) who did not take part in the whole quarter: half a quarter is no measure for others.
        level:
            0 to 1; 0.5 is the median.
        """
        out: list[PeerValue | None] = [None] * len(self.partners)
        missing = list(range(len(out)))
        for numbers, names in zip(self.groups, self.names, strict=True):
            ranks = _ranked(numbers, values)
            still = []
            for at in missing:
                ranked = ranks.get(int(numbers[at]))
                others = 0 if ranked is None else len(ranked.ordered) - (at in ranked.place)
                if ranked is None or others < self.least:
                    still.append(at)
                    continue
                value = _quantile(ranked.ordered, level, ranked.place.get(at))
                words = f"{quantile_words(level)} of {others} {names[int(numbers[at])]}"
                out[at] = PeerValue(value, others, words)
            missing = still
            if not still:
                break
        return tuple(out)


def group(partners: Mapping[str, Mapping[str, Any]], spec: PeerSpec | None = None) -> Peers:
    """The partners in groups of their like; rows hold ``tier``, ``region`` and ``partner_type`` where known."""
    spec = spec or PeerSpec()
    ids = tuple(partners)
    numbers, names = [], []
    for kept in range(len(spec.by), -1, -1):
        columns = spec.by[:kept]
        known: dict[tuple[Any, ...], int] = {}
        words: list[str] = []
        row_of = np.empty(len(ids), np.int64)
        for at, row in enumerate(partners.values()):
            texts = [_text(row.get(column)) for column in columns]
            key: tuple[Any, ...] = tuple(text.casefold() for text in texts) if all(texts) else (at,)
            if key not in known:
                known[key] = len(known)
                words.append(_who(columns, texts))
            row_of[at] = known[key]
        numbers.append(row_of)
        names.append(tuple(words))
    return Peers(ids, tuple(numbers), tuple(names), max(spec.least, LEAST))


def quantile(values: Sequence[Decimal], level: Decimal) -> Decimal:
    """The quantile of values in any order, interpolated as spreadsheets do it (type 7): of 1, 2, 3, 4 at 0.5 it is 2.5.

    Raises
    ------
    ValueError
        When there are no values, or ``level`` is not between 0 and 1.
    """
    if not values:
        raise ValueError("there are no values to take a quantile of; leave it out")
    if not 0 <= level <= 1:
        raise ValueError(f"{level} is no level of a quantile; give 0 to 1")
    return _quantile(sorted(values), level)


def quantile_words(level: Decimal) -> str:
    """A level in words: ``median``, ``75th percentile``."""
    if level == Decimal("0.5"):
        return "median"
    percent = (level * 100).normalize()
    if percent != percent.to_integral_value():
        return f"percentile {percent:f}"
    whole = int(percent)
    ending = "th" if whole % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{whole}{ending} percentile"


# ----------------------------------------------------------------------------------------------- ranks


@dataclass(frozen=True)
class _Ranked:
    """The known values of one group in order, and at which place each partner's own stands."""

    ordered: list[Decimal]
    place: dict[int, int]


def _ranked(numbers: Ints, values: Sequence[Decimal | None]) -> dict[int, _Ranked]:
    members: dict[int, list[tuple[Decimal, int]]] = {}
    for at, (number, value) in enumerate(zip(numbers.tolist(), values, strict=True)):
        if value is not None:
            members.setdefault(number, []).append((value, at))
    out = {}
    for number, pairs in members.items():
        pairs.sort()
        place = {at: rank for rank, (_, at) in enumerate(pairs)}
        out[number] = _Ranked([value for value, _ in pairs], place)
    return out


def _quantile(ordered: Sequence[Decimal], level: Decimal, without: int | None = None) -> Decimal:
    """Type 7 over ordered values, as if the one at place ``without`` were not there."""
    last = len(ordered) - 1 - (without is not None)
    at = level * last
    low = int(at)

    def value(place: int) -> Decimal:
        return ordered[place if without is None or place < without else place + 1]

    below, part = value(low), at - low
    return below if not part else below + part * (value(low + 1) - below)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _who(columns: Sequence[str], texts: Sequence[str]) -> str:
    told = ", ".join(f"{_WORDS[column]} {text}" for column, text in zip(columns, texts, strict=True))
    return f"partners of {told}" if told else "partners"
