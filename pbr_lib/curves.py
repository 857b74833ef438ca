"""Booking curves: which share of a quarter's final value is usually there when a share of its business days has
passed; apart, because deals come late in a quarter, and both pace and forecast must know how late (goals.md 6.1).

A curve is drawn for every partner at once: from its own past quarters as far as they hold enough, else from its
peers', else from all partners'. It never falls, starts at 0 and ends at 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pbr_lib.bookings import Bookings
from pbr_lib.history import History

__all__ = ["LEAST_EVENTS", "LEAST_QUARTERS", "WORTH", "Curves", "draw"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

LEAST_QUARTERS = 6
LEAST_EVENTS = 30
WORTH = 30
"""How many events the curve of a wider group is worth beside a narrower one's own."""

_POINTS = 101
_OWN_QUARTERS = 4  # a curve of one or two quarters says more about these than about the partner
_LEAST_MEMBERS = 5
_EVEN = 5  # events that an even pace is worth, so that no curve jumps from nothing to all
_TAKEN_BACK = 0.1  # of what was booked; beyond it a share of the final value means little


@dataclass(frozen=True)
class Curves:
    """One curve for each partner, as its values at 0, 1, 2 ... 100 % of the business days.

    ``drawn_from`` says for each partner whose quarters weigh most: 0 its own, 1 its peers', 2 all partners'.
    ``quarters`` is how many past quarters hold bookings, ``own_quarters`` how many were looked at of each partner, and
    ``events`` the number of bookings in all.
    """

    partners: tuple[str, ...] = field(repr=False)
    values: Floats = field(repr=False)
    drawn_from: Ints = field(repr=False)
    quarters: int
    own_quarters: Ints = field(repr=False)
    events: int

    def share(self, elapsed: Floats) -> Floats:
        """For each partner the share booked when its share of the business days has passed (one number each)."""
        at, between = _place(elapsed)
        row = np.arange(len(self.values))
        low, high = self.values[row, at], self.values[row, np.minimum(at + 1, _POINTS - 1)]
        return np.asarray(low + (high - low) * between, np.float64)

    def at(self, shares: Floats) -> Floats:
        """The whole curve: an array of partners by shares of the business days."""
        at, between = _place(shares)
        low, high = self.values[:, at], self.values[:, np.minimum(at + 1, _POINTS - 1)]
        return np.asarray(low + (high - low) * between[None, :], np.float64)

    def share_of(self, partner: str, elapsed: float) -> float:
        """The share booked of one partner; ``KeyError`` for one that has no curve."""
        return float(self.shares_of(partner, np.array([elapsed]))[0])

    def shares_of(self, partner: str, shares: Floats) -> Floats:
        """One partner's curve at shares of the business days; ``KeyError`` for a partner that has none."""
        at, between = _place(shares)
        values = self.values[self.row[partner]]
        low, high = values[at], values[np.minimum(at + 1, _POINTS - 1)]
        return np.asarray(low + (high - low) * between, np.float64)

    def basis(self, partner: str) -> str:
        """What a partner's curve rests on, to follow "from": ``its own last 8 quarters``."""
        row = self.row[partner]
        if self.drawn_from[row] == 0:
            return f"its own last {self.own_quarters[row]} quarters"
        whose = "its peers" if self.drawn_from[row] == 1 else "all partners"
        return f"the last {self.quarters} quarters of {whose}"

    @cached_property
    def row(self) -> dict[str, int]:
        """The row of each partner."""
        return {partner: at for at, partner in enumerate(self.partners)}


def _place(shares: Floats) -> tuple[Ints, Floats]:
    """The point at or before each share, and how far towards the next one it lies."""
    scaled = np.clip(shares, 0.0, 1.0) * (_POINTS - 1)
    at = np.floor(scaled + 1e-9).astype(np.int64)
    return at, np.maximum(scaled - at, 0.0)


def draw(bookings: Bookings, history: History, groups: Sequence[Ints] = ()) -> tuple[Curves | None, str]:
    """The curves of a metric, or None and the reason why there are none.

    Parameters
    ----------
    bookings:
        Of the metric and of the partners of ``history`` (else ``ValueError``); its quarters are matched by key.
    history:
        Which quarters of which partners count: those that are ``usable``. Give ``history.before(quarter)``.
    groups:
        The number of each partner's group of peers, one array for each way of grouping, the narrowest first.
    """
    bookings.must_speak_of(history.partners)
    counts, final = _cells(bookings, history)
    quarters, events = int((counts.sum(axis=0) > 0).sum()), int(counts.sum())
    if quarters < LEAST_QUARTERS:
        had = f"{quarters or 'no'} closed {'quarter' if quarters < 2 else 'quarters'}"
        return None, f"{had} with bookings, a curve needs {LEAST_QUARTERS}"
    if events < LEAST_EVENTS:
        return None, f"{events} bookings in past quarters, a curve needs {LEAST_EVENTS}"
    if _taken_back(bookings) > _TAKEN_BACK:
        return None, "too much of what is booked is taken back later for a curve"
    own, weight = _own(bookings, counts, final)
    values, drawn_from = _blend(own, weight, (counts > 0).sum(axis=1), groups)
    return Curves(history.partners, values, drawn_from, quarters, history.usable.sum(axis=1), events), ""


def _cells(bookings: Bookings, history: History) -> tuple[Floats, Floats]:
    """Number of bookings and final value where they speak for a curve, else 0; partners by the bookings' quarters."""
    known = np.zeros((len(bookings.partners), len(bookings.quarters)), bool)
    for at, quarter in enumerate(bookings.quarters):
        if quarter.key in history.column:
            known[:, at] = history.usable[:, history.column[quarter.key]]
    final = bookings.final()
    added = bookings.only(bookings.each > 0).final()
    speaks = known & (final > 0) & (final >= added / 2)
    return np.where(speaks, bookings.counts(), 0.0), np.where(speaks, final, 0.0)


def _taken_back(bookings: Bookings) -> float:
    amount = bookings.amount
    added = amount[amount > 0].sum()
    return float(-amount[amount < 0].sum() / added) if added > 0 else 0.0


def _own(bookings: Bookings, counts: Floats, final: Floats) -> tuple[Floats, Floats]:
    """What each partner booked by each point, its quarters weighed by their bookings; and how many these are.

    The share of a quarter is of its own final value, so that one giant deal does not draw the curve of all quarters.
    """
    cell = counts[bookings.partner, bookings.quarter]
    rows = cell > 0
    who, when = bookings.partner[rows], bookings.quarter[rows]
    weight = bookings.amount[rows] / final[who, when] * cell[rows]
    point = np.clip(np.ceil(bookings.elapsed[rows] * (_POINTS - 1) - 1e-9), 1, _POINTS - 1).astype(np.int64)
    size = len(bookings.partners)
    booked = np.bincount(who * _POINTS + point, weight, size * _POINTS).astype(np.float64)
    return booked.reshape(size, _POINTS).cumsum(axis=1), counts.sum(axis=1)


def _blend(own: Floats, events: Floats, held: Ints, groups: Sequence[Ints]) -> tuple[Floats, Ints]:
    """Each partner's curve, drawn towards its peers' and theirs towards all partners', and which of them leads."""
    even = np.linspace(0.0, 1.0, _POINTS)
    whole = _risen((own.sum(axis=0) + _EVEN * even) / (events.sum() + _EVEN))
    curve = np.repeat(whole[None, :], len(own), axis=0)
    drawn_from = np.full(len(own), 2, np.int64)
    for group in reversed(list(groups)):
        number = np.unique(group, return_inverse=True)[1].reshape(-1)
        members = np.bincount(number, events > 0)
        peers = (members >= _LEAST_MEMBERS) & (members < members.sum())  # everyone is not a group of peers
        n = np.where(peers, np.bincount(number, events), 0.0)
        booked = np.zeros((len(n), _POINTS))
        np.add.at(booked, number, own)
        booked[n == 0] = 0.0
        curve = (booked[number] + WORTH * curve) / (n[number] + WORTH)[:, None]
        drawn_from[n[number] >= WORTH] = 1
    enough = held >= _OWN_QUARTERS
    n = np.where(enough, events, 0.0)
    curve = (np.where(enough[:, None], own, 0.0) + WORTH * curve) / (n + WORTH)[:, None]
    drawn_from[n >= WORTH] = 0
    return _risen(curve), drawn_from


def _risen(curve: Floats) -> Floats:
    """A curve that never falls, from 0 to 1, whatever was taken back on the way."""
    risen = np.clip(np.maximum.accumulate(curve, axis=-1), 0.0, 1.0)
    risen[..., 0], risen[..., -1] = 0.0, 1.0
    return np.asarray(risen, np.float64)
