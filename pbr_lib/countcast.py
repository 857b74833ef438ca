"""What a count will come to, and what any metric may come to before its quarter begins; apart, because checks,
proposals and forecasts must judge by one and the same distribution (goals.md 3.2 and 6.2).

Nothing is forecast without evidence: a partner needs closed quarters of its own, or enough peers that have some.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from pbr_lib import chances
from pbr_lib.bookings import Bookings, bookable, day_shares
from pbr_lib.chances import Amounts, Peers
from pbr_lib.curves import Curves
from pbr_lib.definitions import Metric, SimpleMetric
from pbr_lib.history import History
from pbr_lib.periods import Quarter
from pbr_lib.predictive import Predictive, Samples, seed_of

__all__ = ["Forecast", "Setting", "at_start", "counted", "flow", "forecast", "several"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]

_FLAT = 1e-6


@dataclass(frozen=True)
class Setting:
    """For which quarter and as of which day is forecast, and who is compared with whom.

    ``joined`` and ``ended`` are each partner's first and last day in the programme (NaT, or None for all: always);
    ``groups`` gives the number of each partner's group of peers, one array for each way of grouping, the narrowest
    first. ``resting`` are agreed pauses: the row of a partner, first and last day, of one partner none overlapping.
    ``least_quarters`` and ``least_peers`` say how much evidence a forecast needs; one of them is enough.
    """

    quarter: Quarter
    as_of: dt.date
    joined: Days | None = field(default=None, repr=False)
    ended: Days | None = field(default=None, repr=False)
    groups: Sequence[Ints] = field(default=(), repr=False)
    least_quarters: int = 4
    least_peers: int = 5
    resting: Sequence[tuple[int, dt.date, dt.date]] = field(default=(), repr=False)

    @property
    def peers(self) -> Peers:
        """Who is like whom."""
        return Peers(self.groups, self.least_peers)


@dataclass(frozen=True)
class Forecast:
    """What may come of every partner, whether there is enough evidence to say so, and the ground of it in words.

    Where ``enough`` is false, ``predictive`` holds numbers that nobody must be shown, and ``reason`` says why.
    """

    predictive: Predictive = field(repr=False)
    enough: Mask = field(repr=False)
    basis: tuple[str, ...] = field(repr=False)
    reason: tuple[str, ...] = field(repr=False)


def counted(metric: Metric) -> bool:
    """Whether a metric counts events one by one, day by day, so that :func:`forecast` speaks of it."""
    return bookable(metric) and isinstance(metric, SimpleMetric) and metric.aggregate != "sum"


# ------------------------------------------------------------------------------------- within a quarter


def forecast(history: History, bookings: Bookings, curves: Curves | None, setting: Setting) -> Forecast:
    """The final counts of a quarter that is under way (or not yet begun), of all partners.

    ``history`` may reach further than the quarter; of what was closed before it the values are used, and of the
    quarter itself only whether anything is known. Without ``curves`` an even pace over business days is assumed, and
    the basis says so. ``ValueError`` when bookings and history are of different partners.
    """
    bookings.must_speak_of(history.partners)
    known = _known(history, setting)
    rates = chances.rates(known, setting.peers)
    past, left = _exposure(curves, setting, len(known))
    booked, _ = bookings.by(setting.quarter, setting.as_of)
    return _told(
        rates.final(past, left, booked), history, setting, rates.peers, _paces(curves, history.partners, setting)
    )


def flow(history: History, bookings: Bookings, curves: Curves | None, setting: Setting, name: str = "") -> Forecast:
    """The final amounts of a metric that sums up records: booked so far, and a random number of records to come.

    How many records come is forecast like a count, and their amounts are drawn from past records, the partner's own
    as far as it has enough. ``name`` tells the draws of one metric from another's.
    """
    bookings.must_speak_of(history.partners)
    known = _known(history, setting)
    cells = _aligned(bookings, history.before(setting.quarter))
    counts = np.where(np.isnan(known), np.nan, np.where(cells >= 0, bookings.counts()[:, cells], 0.0))
    rates = chances.rates(counts, setting.peers)
    past, left = _exposure(curves, setting, len(known))
    booked, records = bookings.by(setting.quarter, setting.as_of)
    seeds = [seed_of(partner, name, setting.quarter.key) for partner in history.partners]
    to_come = chances.compound(rates.final(past, left, records), _amounts(bookings, known, cells), seeds)
    # Rounded far below a cent, so that an amount is never missed by what floats leave over.
    what = Samples(np.round(booked[:, None] + to_come.draws, 6))
    return _told(what, history, setting, rates.peers, _paces(curves, history.partners, setting))


def _known(history: History, setting: Setting) -> Floats:
    """The values of whole quarters closed before the one asked for; NaN elsewhere."""
    before = history.before(setting.quarter)
    return np.where(before.usable, before.value, np.nan)


def _exposure(curves: Curves | None, setting: Setting, size: int) -> tuple[Floats, Floats]:
    """Which shares of a whole quarter's usual bookings lie behind and ahead of each partner."""
    quarter, whole = setting.quarter, (setting.quarter.end - setting.quarter.start).days
    # Entry d is what has passed before day d of the quarter begins.
    passed = np.concatenate(([0.0], day_shares(quarter)))

    def share(days: Days | None, otherwise: int, shift: int) -> Floats:
        if days is None:
            place = np.full(size, otherwise, np.int64)
        else:
            since = (days.astype("datetime64[D]") - np.datetime64(quarter.start, "D")).astype(np.int64) + shift
            place = np.where(np.isnat(days), otherwise, np.clip(since, 0, whole))
        elapsed = np.asarray(passed[place], np.float64)
        return elapsed if curves is None else curves.share(elapsed)

    first, last = share(setting.joined, 0, 0), share(setting.ended, whole, 1)
    today = share(np.full(size, np.datetime64(setting.as_of, "D")), whole, 1)
    today = np.clip(today, first, np.maximum(first, last))
    past, left = today - first, np.maximum(last - today, 0.0)
    for row, begin, end in setting.resting:
        if end < quarter.start or begin > quarter.last_day:
            continue
        # What is usually booked within a pause lies neither behind the partner nor ahead.
        days = np.array([begin, end], "datetime64[D]")
        opens, shuts = (share(np.full(size, day), 0, shift)[row] for shift, day in enumerate(days))
        opens, shuts = (min(max(each, first[row]), max(first[row], last[row])) for each in (opens, shuts))
        past[row] = max(past[row] - (min(shuts, today[row]) - min(opens, today[row])), 0.0)
        left[row] = max(left[row] - (max(shuts, today[row]) - max(opens, today[row])), 0.0)
    return past, left


def _aligned(bookings: Bookings, history: History) -> Ints:
    """For each quarter of a history its column in the bookings, or -1."""
    return np.array([bookings.column.get(quarter.key, -1) for quarter in history.quarters], np.int64)


def _amounts(bookings: Bookings, known: Floats, cells: Ints) -> Amounts:
    """The amounts of the records of quarters that are known."""
    usable = np.zeros((len(bookings.partners), len(bookings.quarters) + 1), bool)
    usable[:, cells] = ~np.isnan(known)
    rows = usable[bookings.partner, bookings.quarter]
    who, records = bookings.partner[rows], bookings.records[rows]
    owners = np.repeat(who, records)
    everyone = np.arange(len(bookings.partners))
    ends = (np.searchsorted(owners, everyone, "left"), np.searchsorted(owners, everyone, "right"))
    return Amounts(np.repeat(bookings.each[rows], records), ends[0].astype(np.int64), ends[1].astype(np.int64))


# --------------------------------------------------------------------------------------- before a quarter


def at_start(
    metric: Metric, history: History, setting: Setting, bookings: Bookings | None = None, name: str = ""
) -> Forecast:
    """What a metric may come to as seen before the quarter began: counts, money, shares, levels and averages.

    Sums that grow day by day (money, mostly) are drawn from their records where ``bookings`` are given. What moves
    from one quarter to the next, a level or a count of several quarters, starts from its last known value. ``name``
    is that of :func:`flow`; give the same, and both draw the same.
    """
    eve = setting.quarter.start - dt.timedelta(days=1)
    setting = replace(setting, as_of=eve)
    if counted(metric):
        known = _known(history, setting)
        rates = chances.rates(known, setting.peers)
        past, left = _exposure(None, setting, len(known))
        return _told(rates.final(past, left, np.zeros(len(known))), history, setting, rates.peers)
    if bookable(metric) and bookings is not None:
        return flow(history, bookings, None, setting, name or metric.label)
    return _standing(metric, history, setting)


def _standing(metric: Metric, history: History, setting: Setting) -> Forecast:
    """Shares of trials, what moves from quarter to quarter, and what strays around a mean."""
    known, before = _known(history, setting), history.before(setting.quarter)
    if metric.unit.kind == "percent" and _of_trials(known, before.n):
        what, peers = chances.shares(known, before.n, setting.peers)
        return _told(what, history, setting, peers)
    simple = metric if isinstance(metric, SimpleMetric) else None
    moves = simple is not None and (simple.nature == "level" or simple.trailing_quarters > 1)
    found = chances.steps(known, setting.peers) if moves else chances.means(known, setting.peers)
    whole = 1.0 if simple is not None and simple.unit.kind == "count" else 0.0
    least = -np.inf if (known < 0).any() else 0.0
    return _told(found.student(whole, least), history, setting, found.peers)


def _of_trials(values: Floats, n: Ints) -> bool:
    """Whether values are whole numbers out of n, which a share of amounts is not."""
    known = ~np.isnan(values) & (n > 0)
    if not known.any() or values[known].min() < 0 or values[known].max() > 1:
        return False
    hits = values[known] * n[known]
    return bool((np.abs(hits - np.rint(hits)) < _FLAT).mean() > 0.99)


# ------------------------------------------------------------------------------------------------ words


def _told(
    what: Predictive, history: History, setting: Setting, peers: Ints, paces: Sequence[str] | None = None
) -> Forecast:
    """A forecast with its ground in words, and whether the ground holds."""
    own = history.before(setting.quarter).usable.sum(axis=1)
    enough = (own >= setting.least_quarters) | (peers >= setting.least_peers)
    away, unknown = _away(setting, len(own)), _unknown(history, setting)
    basis = [_basis(int(n), int(k)) for n, k in zip(own, peers, strict=True)]
    if paces is not None:
        basis = [f"{each}; {pace}" for each, pace in zip(basis, paces, strict=True)]
    reason = []
    for at in range(len(own)):
        if away[at]:
            reason.append(f"not in the programme in {setting.quarter.label}")
        elif unknown[at]:
            reason.append("what was booked so far is not known")
        else:
            reason.append("" if enough[at] else f"not enough history: {_evidence(int(own[at]), int(peers[at]))}")
    return Forecast(what, enough & ~away & ~unknown, tuple(basis), tuple(reason))


def _away(setting: Setting, size: int) -> Mask:
    """Which partners take no part in any day of the quarter."""
    away = np.zeros(size, bool)
    if setting.joined is not None:
        away |= setting.joined > np.datetime64(setting.quarter.last_day, "D")
    if setting.ended is not None:
        away |= setting.ended < np.datetime64(setting.quarter.start, "D")
    return away


def _unknown(history: History, setting: Setting) -> Mask:
    """Of which partners nothing is known of the quarter, though it has begun."""
    at = history.column.get(setting.quarter.key)
    if at is None or setting.as_of < setting.quarter.start:
        return np.zeros(len(history.partners), bool)
    return np.asarray(np.isnan(history.value[:, at]), bool)


def _evidence(own: int, peers: int) -> str:
    return f"{several(own, 'closed quarter')} and {several(peers, 'peer')}"


def _basis(own: int, peers: int) -> str:
    others = several(peers, "other partner")
    if not own:
        return f"{others}, since it has no closed quarter of its own"
    mine = "its last quarter" if own == 1 else f"its last {own} quarters"
    return f"{mine}, drawn towards {others}" if peers else mine


def several(count: int, what: str) -> str:
    """``no peers``, ``1 peer``, ``5 peers``."""
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def _paces(curves: Curves | None, partners: Sequence[str], setting: Setting) -> list[str] | None:
    """At which pace is forecast; before the quarter begins none matters."""
    if setting.as_of < setting.quarter.start:
        return None
    if curves is None:
        return ["even pace over business days"] * len(partners)
    return [f"pace of {curves.basis(partner)}" for partner in partners]
