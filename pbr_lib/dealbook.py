"""Every deal that a metric of won money may count one day: whose it is, when it was made and closed, and how it ended;
apart, because a forecast must know which deals were open on a past day, and the tables only say how things stand now.

A deal was open on a day when it had been made by then and had not been closed. Its stage on that day is known where
the export of changes says so; a stage of today says nothing about a past day, and is not used for one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.definitions import AllOf, Compare, Filter, Metric, SimpleMetric, columns_of
from pbr_lib.hits import Hits
from pbr_lib.periods import Quarter

__all__ = ["Deals", "Trail", "is_won_money", "of", "trail"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]

UNKNOWN = -1
_NEVER = np.datetime64("9999-12-31", "D")
_WON = (Compare("is_won", "is", True), Compare("stage", "is", "won"), Compare("is_won", "is_not", False))
_TELLS_THE_END = {"is_won", "is_lost", "is_open", "stage", "source_stage", "probability", "forecast_category"}
_TELLS_THE_END |= {"weighted_amount", "loss_reason", "cycle_days", "close_date", "went_live_on", "days_to_live"}
_LOOK_BACK = 24
_STAGE_WORDS = ("", "stage", "stagename", "dealstage", "stage name", "deal stage", "source_stage", "phase")
_DUE_WORDS = ("closedate", "close date", "close_date", "closed date", "expected close date")
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Trail:
    """What a field of each deal was over time; rows sorted by deal and time, ``now`` where nothing ever changed.

    Values are numbers that stand for words; :data:`UNKNOWN` where nobody knows.
    """

    deal: Ints = field(repr=False)
    day: Days = field(repr=False)
    old: Ints = field(repr=False)
    new: Ints = field(repr=False)
    now: Ints = field(repr=False)

    def then(self, day: np.datetime64) -> Ints:
        """What it was at the end of a day, one number for each deal."""
        out = self.now.copy()
        if not len(self.deal):
            return out
        first = np.flatnonzero(np.r_[True, self.deal[1:] != self.deal[:-1]])
        out[self.deal[first]] = self.old[first]
        by_then = np.flatnonzero(self.day <= day)
        # Later rows of a deal overwrite earlier ones, since rows are sorted by time.
        out[self.deal[by_then]] = self.new[by_then]
        return out


@dataclass(frozen=True)
class Deals:
    """The deals of one metric, sorted by partner and key: one row for each deal and partner.

    ``partner`` is a position in ``partners``; ``amount`` what the deal adds to the metric if it is won, at the plan
    rate of the quarter asked for; ``closed`` the day it was won or lost, far in the future while it is open. ``stage``
    and ``due`` say where it was on past days, and when it was then expected to close (as days since 1970), where the
    export of changes tells of them.
    """

    metric: str
    partners: tuple[str, ...] = field(repr=False)
    key: npt.NDArray[np.object_] = field(repr=False)
    partner: Ints = field(repr=False)
    made: Days = field(repr=False)
    closed: Days = field(repr=False)
    won: Mask = field(repr=False)
    amount: Floats = field(repr=False)
    stage: Trail | None = field(default=None, repr=False)
    due: Trail | None = field(default=None, repr=False)

    def open_on(self, day: np.datetime64) -> Mask:
        """Which deals were open at the end of a day."""
        return (self.made <= day) & (self.closed > day)

    def won_by(self, after: np.datetime64, last: np.datetime64) -> Mask:
        """Which were won after a day, up to and with another."""
        return self.won & (self.closed > after) & (self.closed <= last)

    def of_partners(self, rows: Ints) -> Deals:
        """The deals of some partners, who are numbered anew in that order."""
        place = np.full(len(self.partners), UNKNOWN, np.int64)
        place[rows] = np.arange(len(rows))
        keep = np.flatnonzero(place[self.partner] >= 0)
        order = keep[np.argsort(place[self.partner[keep]], kind="stable")]
        names = ("key", "made", "closed", "won", "amount")
        some = {name: getattr(self, name)[order] for name in names}
        stage, due = (_kept(each, order, len(self.key)) for each in (self.stage, self.due))
        partners, who = tuple(self.partners[at] for at in rows), place[self.partner[order]]
        return replace(self, partners=partners, partner=who, stage=stage, due=due, **some)


def is_won_money(metric: Metric) -> bool:
    """Whether a metric adds up money of won opportunities by closing day, and nothing else in it tells the end."""
    return (
        isinstance(metric, SimpleMetric)
        and metric.grows
        and metric.scope == "partner"
        and metric.table == "opportunities"
        and metric.aggregate == "sum"
        and metric.unit.kind == "money"
        and metric.date == "close_date"
        and metric.existing_since is None
        and _whatever_the_end(metric.where) is not None
    )


def of(
    hits: Hits, name: str, metric: SimpleMetric, partners: Sequence[str], quarter: Quarter, changes: pa.Table | None
) -> Deals:
    """Every deal that would count for a metric if it were won, made in the six years up to the end of a quarter.

    Parameters
    ----------
    quarter:
        At whose plan rates amounts are taken; one of the quarters of the window of ``hits``.
    changes:
        The table ``opportunity_history``, or None.

    Raises
    ------
    ValueError
        For a metric that is not :func:`is_won_money`.
    """
    where = _whatever_the_end(metric.where)
    if where is None or not is_won_money(metric):
        raise ValueError(f'"{metric.label}" is no money of won deals; give a sum over opportunities that are won')
    more = {"where": where, "date": "created_at", "in_progress": None, "trailing_quarters": _LOOK_BACK}
    rows = hits.of(metric.model_copy(update=more), [quarter])
    table = hits.connection.table("opportunities")
    ends = table.select(
        ended=table.opportunity_id, closed=table.close_date, won=table.is_won, is_open=table.is_open, now=_stage(table)
    )
    rows = rows.filter(rows.counts.notnull())
    joined = rows.join(ends, rows.record_id == ends.ended)
    wanted = joined.select(
        "partner_id", "record_id", "day", "closed", "won", "is_open", "now", counts=joined.counts.cast("float64")
    )
    found = wanted.to_pyarrow()
    who = _positions(found["partner_id"], list(partners))
    key = found["record_id"].to_numpy(zero_copy_only=False)
    keep = np.flatnonzero(who >= 0)
    order = keep[np.lexsort((key[keep].astype(str), who[keep]))]
    is_open, closed = _flags(found["is_open"]), _days(found["closed"], _NEVER)
    here = is_open[order]
    none = np.full(len(order), None, object)
    words = np.where(here, found["now"].to_numpy(zero_copy_only=False)[order], none)
    days = np.where(here & (closed[order] < _NEVER), closed[order].astype(str).astype(object), none)
    return Deals(
        name,
        tuple(partners),
        key[order],
        who[order],
        _days(found["day"], _NEVER)[order],
        np.where(is_open, _NEVER, closed)[order],
        (_flags(found["won"]) & ~is_open)[order],
        found["counts"].to_numpy()[order],
        trail(changes, key[order], words, _STAGE_WORDS, _Words()),
        trail(changes, key[order], days, _DUE_WORDS, _as_day),
    )


class _Words:
    """Numbers for words, without regard to case; :data:`UNKNOWN` for none."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, word: Any) -> int:
        text = str(word).strip().casefold() if word is not None else ""
        return self._known.setdefault(text, len(self._known)) if text else UNKNOWN


def _as_day(word: Any) -> int:
    """A day as days since 1970, from text that begins with one as ISO writes it; :data:`UNKNOWN` for any other."""
    match = _ISO.match(str(word or "").strip())
    try:
        return (dt.date.fromisoformat(match[0]) - _EPOCH).days if match else UNKNOWN
    except ValueError:
        return UNKNOWN


def trail(
    changes: pa.Table | None, keys: Any, now: Any, called: Sequence[str], number: Callable[[Any], int]
) -> Trail | None:
    """How a field of deals changed, from the table ``opportunity_history``; None when it tells nothing of it.

    Parameters
    ----------
    changes:
        The table, or None.
    keys, now:
        Ids of deals, and what holds now of those that are open (None of others): of a deal of which no change is
        known, that always held. Where a deal was that closed without a known change, nobody knows.
    called:
        The names of the field, in lower case. The empty one stands for exports that tell of one field only.
    number:
        Gives values their numbers.
    """
    if changes is None or not len(changes):
        return None
    names = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(changes["field"].cast(pa.string()), "")))
    about = changes.filter(pc.is_in(names, value_set=pa.array(called)))
    place: dict[str, list[int]] = {}
    for at, one in enumerate(keys):
        place.setdefault(str(one), []).append(at)
    known = pa.array(list(place), pa.string())
    about = about.filter(pc.is_in(about["opportunity_id"].cast(pa.string()), value_set=known))
    if not len(about):
        return None
    current = np.array([number(word) for word in now], np.int64)
    stamps = about["changed_at"].cast(pa.timestamp("us")).to_numpy()
    columns = (about[name].to_pylist() for name in ("opportunity_id", "old", "new"))
    rows = [
        (at, stamp, number(old), number(new))
        for stamp, deal, old, new in zip(stamps, *columns, strict=True)
        for at in place[str(deal)]
        if not np.isnat(stamp)
    ]
    if not rows:
        return None
    rows.sort(key=lambda row: (row[0], row[1], row[2], row[3]))
    deal, stamp, old, new = (np.array([row[at] for row in rows]) for at in range(4))
    return Trail(deal.astype(np.int64), stamp.astype("datetime64[D]"), old, new, current)


def _whatever_the_end(where: Filter) -> Filter | None:
    """A filter without the leaf that asks for won deals; None when it has none, or tells the end otherwise too."""
    items = where.items if isinstance(where, AllOf) else (where,)
    rest = tuple(item for item in items if item not in _WON)
    if len(rest) == len(items) or any(leaf.column in _TELLS_THE_END for item in rest for leaf in columns_of(item)):
        return None
    return AllOf(rest)


def _stage(table: Any) -> Any:
    return table.source_stage.fill_null(table.stage)


def _kept(one: Trail | None, order: Ints, size: int) -> Trail | None:
    if one is None:
        return None
    place = np.full(size, UNKNOWN, np.int64)
    place[order] = np.arange(len(order))
    rows = np.flatnonzero(place[one.deal] >= 0)
    rows = rows[np.argsort(place[one.deal[rows]], kind="stable")]
    return Trail(place[one.deal[rows]], one.day[rows], one.old[rows], one.new[rows], one.now[order])


def _positions(column: Any, names: list[str]) -> Ints:
    found = pc.index_in(column, value_set=pa.array(names, column.type))
    return np.asarray(pc.fill_null(found, UNKNOWN).to_numpy(), np.int64)


def _flags(column: Any) -> Mask:
    return np.asarray(pc.fill_null(column, False).to_numpy(zero_copy_only=False), bool)


def _days(column: Any, missing: np.datetime64) -> Days:
    days = column.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return np.where(np.isnat(days), missing, days)
