"""The rules of credit over claims that name a known record and partner (AT1 to AT8); apart, because they are
arithmetic on whole columns of numbers, and know no export.

A :class:`Standing` holds such claims. Each rule takes one and gives one: :func:`merged` joins what names the same
partner twice, :func:`carried` lets the credit of a lead pass to its opportunity, :func:`tiers` says what counts,
:func:`not_both` keeps sourced and influenced apart, :func:`divided` gives each partner a share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pbr_lib.claims import MILLION
from pbr_lib.schema import CREDIT_TYPES
from pbr_lib.shares import WHOLE, Numbers, apportion

__all__ = ["APART", "COUNTS", "CREDITS", "DISPUTED", "LATE", "NEVER", "REJECTED", "STATES", "Divided", "Standing"]
__all__ += ["carried", "divided", "merged", "not_both", "tiers"]

CREDITS = tuple(sorted(CREDIT_TYPES))
STATES = ("rejected", "disputed", "confirmed", "claimed")
"""From the state that outweighs the others to the one that any other outweighs; what says nothing comes last."""

NEVER = np.iinfo(np.int64).max
"""The time of a claim that has none."""

COUNTS, LATE, APART, DISPUTED, REJECTED = range(5)
_SOURCED, _INFLUENCED = CREDITS.index("sourced"), CREDITS.index("influenced")
_SILENT = len(STATES)


@dataclass(frozen=True)
class Standing:
    """Claims as columns of numbers, one for each claim.

    Attributes
    ----------
    at:
        The row of the claims that it came from.
    record, partner, credit:
        Number of the record (in the order of type and id), of the partner (in the order of ids), and in
        :data:`CREDITS`.
    state, method:
        Place in :data:`STATES`, after them where the export says nothing; place in ``schema.METHODS``.
    given:
        The share that the export gives, in millionths; -1 for none.
    moment:
        When it was claimed, in microseconds; :data:`NEVER` when nobody says.
    lead:
        The number of the lead that it was carried over from; -1 for none.
    evidence, role:
        The rows of the claims that name the evidence and the partner's part in it.
    primary:
        Whether any of the claims calls the partner the first.
    """

    at: Numbers
    record: Numbers
    partner: Numbers
    credit: Numbers
    state: Numbers
    method: Numbers
    given: Numbers
    moment: Numbers
    lead: Numbers
    evidence: Numbers
    role: Numbers
    primary: Numbers

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: Any) -> Standing:
        """The claims of those rows, or of a mask."""
        return Standing(*(column[rows] for column in self.columns))

    @property
    def columns(self) -> tuple[Numbers, ...]:
        """The columns, in the order of the attributes."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)

    @property
    def share_of(self) -> Numbers:
        """The record and credit as one number: whatever has the same divides one whole."""
        return np.asarray(self.record.astype(np.int64) * len(CREDITS) + self.credit)

    def key(self, partners: int) -> Numbers:
        """Record, partner and credit as one number, in the order of the finished table."""
        return np.asarray((self.record.astype(np.int64) * partners + self.partner) * len(CREDITS) + self.credit)


@dataclass(frozen=True)
class Divided:
    """The shares, in ten-thousandths, and the rows whose given shares did not divide the whole.

    ``scaled`` marks given shares that were brought to one in proportion, ``evened`` those that were passed over since
    they left no part for another partner of the record.
    """

    units: Numbers
    scaled: Any
    evened: Any


def merged(claims: Standing, partners: int, place: Numbers) -> Standing:
    """One claim for each record, partner and credit, in the order of the finished table.

    Of several the one whose state weighs most stands, then what was not handed on by a lead, then by method and
    ``place`` (the order of all claims by source, file, row and column). It has the earliest time of all of them, and
    the first evidence named. Shares given by one cell add up, those given by several do not.
    """
    key = claims.key(partners)
    if (key[1:] < key[:-1]).any():
        order = np.argsort(key, kind="stable")
        key, claims = key[order], claims.take(order)
    again = key[1:] == key[:-1]
    if not again.any():
        return claims
    twice = np.zeros(len(key), bool)
    twice[1:] = again
    twice[:-1] |= again
    one = claims.take(~twice)
    rest, rest_key = claims.take(twice), key[twice]
    order = np.lexsort((rest.lead, place[rest.at], rest.method, rest.lead >= 0, rest.state, rest_key))
    joined = _joined(rest.take(order), rest_key[order], place)
    both = Standing(*(np.concatenate(pair) for pair in zip(one.columns, joined.columns, strict=True)))
    return both.take(np.argsort(both.key(partners), kind="stable"))


def _joined(claims: Standing, key: Numbers, place: Numbers) -> Standing:
    """The first claim of each key, with what the others add."""
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    rows = np.arange(len(key))
    named = [np.where(column >= 0, rows, len(rows)) for column in (claims.evidence, claims.role)]
    first = [np.minimum.reduceat(column, starts) for column in named]
    found = [
        np.where(row < len(rows), column[np.minimum(row, len(rows) - 1)], -1).astype(np.int32)
        for row, column in zip(first, (claims.evidence, claims.role), strict=True)
    ]
    return replace(
        claims.take(starts),
        given=_given(claims, key, place),
        moment=np.minimum.reduceat(claims.moment, starts),
        evidence=found[0],
        role=found[1],
        primary=np.maximum.reduceat(claims.primary, starts),
    )


def _given(claims: Standing, key: Numbers, place: Numbers) -> Numbers:
    """The share that one cell gives a partner whom it names several times; the largest of several cells."""
    cell = place[claims.at]
    order = np.lexsort((cell, key))
    key, cell, given = key[order], cell[order], claims.given[order]
    new = np.append(True, (key[1:] != key[:-1]) | (cell[1:] != cell[:-1]))
    cells = np.flatnonzero(new)
    sums = np.add.reduceat(np.maximum(given, 0), cells)
    sums = np.where(np.maximum.reduceat(given, cells) < 0, -1, sums)
    keys = key[cells]
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    return np.asarray(np.maximum.reduceat(sums, starts), np.int32)


def carried(claims: Standing, became: Numbers, named: Numbers, partners: int) -> tuple[Standing, Any]:
    """The credit of leads as credit of the opportunities that they became (AT7), and the rows that others override.

    ``became`` gives for each record the number of its opportunity, -1 for none; ``named`` holds record and credit (as
    ``Standing.share_of``) of every claim that an export makes and nobody rejected, of unknown partners too: an
    opportunity that has such a claim of its own overrides the lead. A partner whom both name is handed on, to be
    merged: the time of the lead's claim is the earlier one.
    """
    rows = np.flatnonzero(became[claims.record] >= 0)
    leads = claims.take(rows)
    moved = replace(leads, record=became[leads.record], lead=leads.record)
    # Marks by number beat any search: records are numbered without gaps.
    owned = np.zeros(len(became) * len(CREDITS), bool)
    owned[named] = True
    reached = np.zeros(len(became), bool)
    reached[moved.record] = True
    near = claims.take(reached[claims.record])
    own = np.isin(moved.key(partners), near.key(partners))
    over = owned[moved.share_of] & ~own
    moved = replace(moved, given=np.where(own, np.int32(-1), moved.given))  # the opportunity's own split stands
    return moved.take(~over), rows[over]


def tiers(claims: Standing, late: Any, unconfirmed_count: bool) -> Numbers:
    """What becomes of each claim: it counts, or it is late, not confirmed, disputed or rejected (AT5, AT8)."""
    state = claims.state
    open_ = state == STATES.index("claimed")
    tier = np.where(late, LATE, COUNTS)
    tier = np.where(open_ & (not unconfirmed_count), APART, tier)
    tier = np.where(state == STATES.index("disputed"), DISPUTED, tier)
    return np.asarray(np.where(state == STATES.index("rejected"), REJECTED, tier), np.int8)


def not_both(claims: Standing, tier: Numbers) -> Any:
    """Which claims of influence give way, since the same partner's sourced credit on the record counts (AT3).

    The claims are in the order of the finished table, where sourced follows influenced by two rows at most.
    """
    sourced = (claims.credit == _SOURCED) & (tier == COUNTS)
    out = np.zeros(len(claims), bool)
    for step in (1, 2):
        same = (claims.record[step:] == claims.record[:-step]) & (claims.partner[step:] == claims.partner[:-step])
        out[:-step] |= same & sourced[step:]
    return out & (claims.credit == _INFLUENCED) & (tier <= APART)


def divided(claims: Standing, tier: Numbers) -> Divided:
    """The share of each claim: what counts divides the whole (AT1, AT2, AT4).

    Where nothing on a record counts, its late claims divide it, and where there are none those that wait to be
    confirmed, so that no choice of what to count adds up to more than the whole. Shares that the export gives are
    kept; of sourced credit they are brought to one. Partners without a given share divide the rest evenly.
    """
    units = np.zeros(len(claims), np.int16)
    scaled, evened = np.zeros(len(claims), bool), np.zeros(len(claims), bool)
    group = claims.share_of
    order = np.argsort(group, kind="stable")  # within a group the order of partners stays
    group = group[order]
    new = np.append(True, group[1:] != group[:-1])
    alone = new & np.append(new[1:], True) & (claims.given[order] < 0)
    units[order[alone]] = np.where(tier[order[alone]] <= APART, WHOLE, 0)
    rows = order[~alone]
    if not len(rows):
        return Divided(units, scaled, evened)
    starts, sizes = _stretches(group[~alone])
    top = np.minimum.reduceat(tier[rows], starts)
    rows = rows[(tier[rows] == np.repeat(top, sizes)) & (tier[rows] <= APART)]
    if len(rows):
        starts, _ = _stretches(claims.share_of[rows])
        plan = _Plan.of(claims.given[rows], claims.credit[rows], starts)
        units[rows] = apportion(plan.weights, starts, plan.totals)
        scaled[rows], evened[rows] = plan.scaled, plan.evened
    return Divided(units, scaled, evened)


def _stretches(group: Numbers) -> tuple[Numbers, Numbers]:
    """Where each stretch of equal numbers begins, and how long it is."""
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    return starts, np.diff(np.append(starts, len(group)))


@dataclass(frozen=True)
class _Plan:
    """What each row weighs and each group divides."""

    weights: Numbers
    totals: Numbers
    scaled: Any
    evened: Any

    @classmethod
    def of(cls, given: Numbers, credit: Numbers, starts: Numbers) -> _Plan:
        sizes = np.diff(np.append(starts, len(given)))
        given = given.astype(np.int64)
        has = given >= 0
        total = np.add.reduceat(np.where(has, given, 0), starts)
        known = np.add.reduceat(has.astype(np.int64), starts)
        silent = sizes - known
        # A share is rounded to millionths where it is read: a third three times is a whole.
        whole = np.abs(total - MILLION) <= sizes
        even = (known == 0) | ((silent > 0) & ((total >= MILLION) | whole)) | (total == 0)
        sourced = credit[starts] == _SOURCED
        part = ~even & (silent == 0) & ~sourced & (total < MILLION) & ~whole
        rest = np.maximum(MILLION - total, 0)
        of = np.repeat(np.arange(len(starts)), sizes)
        # Given and silent rows weigh on one scale: what is given times the silent rows, and the rest for each of them.
        scale = np.maximum(silent, 1)
        weights = np.where(has, given * scale[of], rest[of])
        weights = np.where(even[of], 1, weights)
        totals = np.where(part, (total * WHOLE + MILLION // 2) // MILLION, WHOLE)
        scaled = has & (~even & (silent == 0) & ~part & ~whole)[of]
        return cls(weights, totals, scaled, has & (even & (known > 0))[of])
