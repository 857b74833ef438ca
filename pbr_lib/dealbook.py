"""Every deal that a metric of won money may count one day: whose it is, when it was made and closed, and how it ended;
apart, because a forecast must know which deals were open on a past day, and the tables only say how things stand now.

A deal was open on a day when it had been made by then and had not been closed. Its stage on that day is known where
the export of changes says so; a stage of today says nothing about a past day, and is not used for one.
"""

from __future__ import annotations

from collections.abc import Sequence
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
_STAGE_WORDS = ("", "stage", "stagename", "dealstage", "stage name", "deal stage", "source_stage")


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
    rate of the quarter asked for; ``closed`` the day it was won or lost, far in the future while it is open.
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
        stage = None if self.stage is None else _kept(self.stage, order, len(self.key))
        partners = tuple(self.partners[at] for at in rows)
        return replace(self, partners=partners, partner=place[self.partner[order]], stage=stage, **some)


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
    return Deals(
        name,
        tuple(partners),
        key[order],
        who[order],
        _days(found["day"], _NEVER)[order],
        np.where(is_open, _NEVER, closed)[order],
        (_flags(found["won"]) & ~is_open)[order],
        found["counts"].to_numpy()[order],
        trail(changes, key[order], is_open[order], found["now"].to_numpy(zero_copy_only=False)[order]),
    )


def trail(changes: pa.Table | None, keys: Any, is_open: Mask, now: Any) -> Trail | None:
    """How the stages of deals changed, from the table ``opportunity_history``; None when it tells of no stage.

    Exports write stages as the CRM words them; they are compared without regard to case. A deal of which no change is
    known is where it is now while it is open; where it was before it closed, nobody knows.
    """
    if changes is None or not len(changes):
        return None
    names = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(changes["field"].cast(pa.string()), "")))
    about = changes.filter(pc.is_in(names, value_set=pa.array(_STAGE_WORDS)))
    place: dict[str, list[int]] = {}
    for at, one in enumerate(keys):
        place.setdefault(str(one), []).append(at)
    about = about.filter(
        pc.is_in(about["opportunity_id"].cast(pa.string()), value_set=pa.array(list(place), pa.string()))
    )
    if not len(about):
        return None
    words: dict[str, int] = {}

    def number(word: Any) -> int:
        text = str(word).strip().casefold() if word is not None else ""
        return words.setdefault(text, len(words)) if text else UNKNOWN

    current = np.array([number(word) if on else UNKNOWN for word, on in zip(now, is_open, strict=True)], np.int64)
    stamps = about["changed_at"].cast(pa.timestamp("us")).to_numpy()
    columns = (about[name].to_pylist() for name in ("opportunity_id", "old", "new"))
    rows = [
        (at, stamp, number(old), number(new))
        for stamp, deal, old, new in zip(stamps, *columns, strict=True)
        for at in place[str(deal)]
        if not np.isnat(stamp)
    ]
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


def _kept(one: Trail, order: Ints, size: int) -> Trail:
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
