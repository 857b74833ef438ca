"""What money will come to: what is booked, what open deals may bring in time, and what may still be made and won;
apart, because deals in hand say more about a quarter's revenue than its pace does (goals.md 6.3).

An open deal is won in time as often as deals like it were in past quarters at the same point. The CRM's own
probability is not used: it is a default of the stage, and was measured to be far too hopeful.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from pbr_lib import chances
from pbr_lib.bookings import Bookings, day_shares
from pbr_lib.chances import Amounts
from pbr_lib.countcast import Forecast, Setting, several
from pbr_lib.dealbook import UNKNOWN, Deals
from pbr_lib.history import History
from pbr_lib.periods import Quarter
from pbr_lib.predictive import Samples, seed_of

__all__ = ["Odds", "day_at", "odds", "simulate", "won"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]

_OWN_WORTH = 8.0
"""How many wins of all partners weigh against a partner's own when its odds are drawn towards theirs."""
_A_GROUP = 40
_MOST_GROUPS = 10
_MOSTLY = 0.95


def day_at(quarter: Quarter, elapsed: float) -> dt.date:
    """The first day at whose end that share of the quarter's business days has passed; the day before it for 0."""
    if elapsed <= 0:
        return quarter.start - dt.timedelta(days=1)
    after = int(np.searchsorted(day_shares(quarter), min(elapsed, 1.0) - 1e-9))
    return quarter.start + dt.timedelta(days=min(after, (quarter.last_day - quarter.start).days))


# ------------------------------------------------------------------------------------------------- odds


@dataclass(frozen=True)
class Odds:
    """How often open deals were won by the end of the quarter: of each group ``wins`` of ``seen``, by partner a factor.

    ``by`` says what deals of one group have in common: stage, expected closing day, or both, as known on the day, or
    else age; ``edges`` are the ages in days that divide the groups. The last group is for deals of which nobody knows.
    ``factor`` multiplies the odds of a partner's deals.
    """

    by: tuple[str, ...]
    edges: Floats
    wins: Ints
    seen: Ints
    factor: Floats = field(repr=False)

    @property
    def share(self) -> Floats:
        """The measured share of each group, smoothed so that what never happened stays possible: (wins+1)/(seen+2).

        A group of which nothing was seen has the share of all deals.
        """
        whole = (self.wins.sum() + 1) / (self.seen.sum() + 2)
        return np.where(self.seen > 0, (self.wins + 1) / (self.seen + 2), whole)

    def of(self, group: Ints, partner: Ints) -> Floats:
        """The probability of each of some deals."""
        p = self.share[group]
        raised = p * self.factor[partner]
        return np.asarray(raised / (1 - p + raised), np.float64)


@dataclass(frozen=True)
class _Open:
    """Deals that were open on days, at the same share of their quarters: what was known of them, and what became of
    them by the end. ``due`` is 1 for an expectation to close in the quarter, 0 for a later one.
    """

    deal: Ints
    age: Floats
    stage: Ints
    due: Ints
    in_time: Mask


def odds(deals: Deals, quarters: Sequence[tuple[Quarter, Mask]], elapsed: float) -> Odds:
    """The odds at a share of the quarter, measured on past quarters; each comes with the partners that count in it."""
    past = _together([_open_on(deals, day_at(quarter, elapsed), quarter, counts) for quarter, counts in quarters])
    by, edges = _compared(past)
    group = _groups(past, by, edges)
    size = int(group.max(initial=0)) + 2
    seen = np.bincount(group[group >= 0], minlength=size)
    wins = np.bincount(group[group >= 0], past.in_time[group >= 0], size).astype(np.int64)
    flat = Odds(by, edges, wins, seen, np.ones(len(deals.partners)))
    partner = deals.partner[past.deal]
    expected = np.bincount(partner, flat.share[group], len(deals.partners))
    own = np.bincount(partner, past.in_time, len(deals.partners))
    return replace(flat, factor=(own + _OWN_WORTH) / (expected + _OWN_WORTH))


def _open_on(deals: Deals, as_of: dt.date, quarter: Quarter, counts: Mask) -> _Open:
    day, last = np.datetime64(as_of, "D"), np.datetime64(quarter.last_day, "D")
    deal = np.flatnonzero(deals.open_on(day) & counts[deals.partner])
    none = np.full(len(deal), UNKNOWN, np.int64)
    stage = none if deals.stage is None else deals.stage.then(day)[deal]
    closing = none if deals.due is None else deals.due.then(day)[deal]
    due = np.where(closing == UNKNOWN, UNKNOWN, closing <= last.astype(np.int64)).astype(np.int64)
    in_time = deals.won[deal] & (deals.closed[deal] <= last)
    return _Open(deal, (day - deals.made[deal]).astype(np.float64), stage, due, in_time)


def _together(parts: Sequence[_Open]) -> _Open:
    if not parts:
        none = np.zeros(0, np.int64)
        return _Open(none, np.zeros(0), none, none, np.zeros(0, bool))
    names = ("deal", "age", "stage", "due", "in_time")
    return _Open(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _compared(past: _Open) -> tuple[tuple[str, ...], Floats]:
    """What deals are compared by: what is known of almost all, since it is the closed ones of which it is not known.

    Ages are divided into groups of like size that are large enough to measure.
    """
    named = (("stage", past.stage), ("expected closing day", past.due))
    by = tuple(name for name, value in named if len(value) and (value != UNKNOWN).mean() >= _MOSTLY)
    if by:
        return by, np.zeros(0)
    count = int(np.clip(len(past.age) // _A_GROUP, 1, _MOST_GROUPS))
    return ("age",), np.unique(np.quantile(past.age, np.arange(1, count) / count)) if count > 1 else np.zeros(0)


def _groups(some: _Open, by: tuple[str, ...], edges: Floats) -> Ints:
    """The number of each deal's group; -1, which is the last one, where something of it is not known."""
    if by == ("age",):
        return np.searchsorted(edges, some.age, side="right").astype(np.int64)
    stage = some.stage if "stage" in by else np.zeros(len(some.stage), np.int64)
    due = some.due if "expected closing day" in by else np.zeros(len(some.due), np.int64)
    return np.where((stage == UNKNOWN) | (due == UNKNOWN), UNKNOWN, 2 * stage + due)


# ------------------------------------------------------------------------------------------- simulation


def simulate(amounts: Floats, chance: Floats, seed: int, draws: int = 1000) -> Floats:
    """What open deals of one partner bring: in each draw each of them its amount or nothing."""
    if not len(amounts):
        return np.zeros(draws)
    return np.asarray(
        amounts @ (np.random.default_rng(seed).random((len(amounts), draws)) < chance[:, None]), np.float64
    )


def won(deals: Deals, bookings: Bookings, history: History, setting: Setting, draws: int = 1000) -> Forecast:
    """The final money of won deals of a quarter, of all partners.

    Parameters
    ----------
    deals, bookings, history:
        Of one metric and the same partners; of quarters and days later than those of ``setting`` nothing is used.
    setting:
        The quarter, the day, and who is compared with whom.
    draws:
        How many equally likely outcomes are drawn for each partner; the same data draw the same ones.
    """
    quarter = setting.quarter
    elapsed = quarter.elapsed(setting.as_of)
    past = list(_past(history, quarter))
    measured = odds(deals, past, elapsed)
    here = _open_on(deals, setting.as_of, quarter, np.ones(len(deals.partners), bool))
    group = _groups(here, measured.by, measured.edges)
    group = np.where(group >= len(measured.seen) - 1, UNKNOWN, group)
    whose, amounts = deals.partner[here.deal], deals.amount[here.deal]
    chance = measured.of(group, whose)
    bounds = np.searchsorted(whose, np.arange(len(deals.partners) + 1))
    seeds = [seed_of(partner, deals.metric, quarter.label) for partner in deals.partners]
    later = _later(deals, past, elapsed, setting, _Draw(seeds, draws))
    booked = bookings.by(quarter, setting.as_of)[0]
    final = booked[:, None] + later
    for at, seed in enumerate(seeds):
        mine = slice(bounds[at], bounds[at + 1])
        if bounds[at + 1] > bounds[at]:
            final[at] += simulate(amounts[mine], chance[mine], seed + 1, draws)
    enough, reason = _evidence(history, setting)
    by = " and ".join(measured.by)
    basis = tuple(_words(int(count), by, len(past)) for count in np.diff(bounds))
    # Rounded far below a cent, so that an amount is never missed by what floats leave over.
    return Forecast(Samples(np.round(final, 6)), enough, basis, reason)


@dataclass(frozen=True)
class _Draw:
    """One seed for each partner, and how often is drawn."""

    seeds: Sequence[int]
    count: int


def _past(history: History, quarter: Quarter) -> Iterator[tuple[Quarter, Mask]]:
    """The quarters before one that hold anything, each with the partners that count in it."""
    usable = history.usable
    for at, each in enumerate(history.quarters):
        if each.start < quarter.start and usable[:, at].any():
            yield each, usable[:, at]


def _later(deals: Deals, past: Sequence[tuple[Quarter, Mask]], elapsed: float, setting: Setting, draw: _Draw) -> Floats:
    """What deals that are not yet made will bring within the quarter, drawn from what such deals brought before."""
    size = len(deals.partners)
    counts, rows = np.full((size, len(past)), np.nan), []
    for at, (quarter, mask) in enumerate(past):
        day, last = np.datetime64(day_at(quarter, elapsed), "D"), np.datetime64(quarter.last_day, "D")
        came = np.flatnonzero(deals.won_by(day, last) & (deals.made > day) & mask[deals.partner])
        counts[:, at] = np.where(mask, np.bincount(deals.partner[came], minlength=size), np.nan)
        rows.append(came)
    came = np.sort(np.concatenate(rows)) if rows else np.zeros(0, np.int64)
    if not len(came):
        return np.zeros((size, draw.count))
    usual = chances.rates(counts, setting.peers)
    none = np.zeros(size)
    coming = usual.final(none, np.full(size, 1.0), none)
    amounts = _amounts(deals.amount[came], deals.partner[came], size)
    return chances.compound(coming, amounts, draw.seeds, draw.count).draws


def _amounts(each: Floats, partner: Ints, size: int) -> Amounts:
    bounds = np.searchsorted(partner, np.arange(size + 1))
    return Amounts(each, bounds[:-1], bounds[1:])


def _words(count: int, by: str, quarters: int) -> str:
    deals = several(count, "open deal")
    odds_of = f", won in time as often as deals of their {by} before" if count else ""
    return f"{deals}{odds_of}; and what came late in {several(quarters, 'past quarter')}"


def _evidence(history: History, setting: Setting) -> tuple[Mask, tuple[str, ...]]:
    """For each partner whether there is ground enough to forecast anything, and in words why not."""
    own = history.before(setting.quarter).usable.sum(axis=1)
    peers = setting.peers.towards(own.astype(np.float64), own.astype(np.float64))[1]
    enough = (own >= setting.least_quarters) | (peers >= setting.least_peers)
    away = np.zeros(len(own), bool)
    if setting.joined is not None:
        away |= setting.joined > np.datetime64(setting.quarter.last_day, "D")
    if setting.ended is not None:
        away |= setting.ended < np.datetime64(setting.quarter.start, "D")
    at = history.column.get(setting.quarter.key)
    blind = np.zeros(len(own), bool) if at is None else np.isnan(history.value[:, at])
    reason = []
    for row in range(len(own)):
        few = f"not enough history: {several(int(own[row]), 'closed quarter')} and {several(int(peers[row]), 'peer')}"
        unknown = "what was booked so far is not known" if blind[row] else "" if enough[row] else few
        reason.append(f"not in the programme in {setting.quarter.label}" if away[row] else unknown)
    return np.array([not each for each in reason], bool), tuple(reason)
