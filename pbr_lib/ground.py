"""What goals are judged, renewed and forecast on: every metric that a goal uses, for all partners and many quarters,
with the targets that count; apart, because a pack, a check and a renewal stand on the same ground.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt

from pbr_lib import agreement, history, issued, metrics, peers, proration, store
from pbr_lib.agreement import Agreed
from pbr_lib.definitions import Goal, Metric, RatioMetric, SimpleMetric
from pbr_lib.errors import UnknownQuarter
from pbr_lib.goalrows import Pause
from pbr_lib.goals import Clock, Measured
from pbr_lib.history import History
from pbr_lib.ingest import Loaded
from pbr_lib.issued import Record
from pbr_lib.metrics import Measurement, Window
from pbr_lib.params import Params
from pbr_lib.peers import Peers
from pbr_lib.periods import Calendar, Quarter, same_period

__all__ = ["DEPTH", "Ground", "asked", "back", "lay", "must_reach"]

Days = npt.NDArray[np.datetime64]

DEPTH = 12
"""How many quarters before the one asked for are measured."""


@dataclass(frozen=True)
class Ground:
    """Everything measured for one quarter and those before it.

    ``quarters`` are those of the programme's calendar and of every calendar that a goal names. ``partners`` maps ids to
    the rows of the partner table, in the order of ids; ``applies`` says which partners a goal's definition selects;
    ``record`` holds what was issued of these quarters.
    """

    params: Params
    loaded: Loaded = field(repr=False)
    quarter: Quarter
    quarters: tuple[Quarter, ...]
    partners: Mapping[str, Mapping[str, Any]] = field(repr=False)
    window: Window = field(repr=False)
    connection: ibis.BaseBackend = field(repr=False)
    measured: Mapping[str, Measurement] = field(repr=False)
    applies: Mapping[str, set[str]] = field(repr=False)
    record: Record = field(default_factory=Record)

    @property
    def as_of(self) -> dt.date:
        """The day up to which the exports speak."""
        return self.loaded.as_of

    @cached_property
    def agreed(self) -> Mapping[str, Mapping[tuple[str, str], Agreed]]:
        """The rows of targets as they count, by quarter, then by partner and goal."""
        return agreement.agreed(self.params, self.as_of, self.record.closed)

    @cached_property
    def _rows(self) -> dict[str, dict[str, dict[str, Agreed]]]:
        return {}

    def rows_of(self, label: str) -> Mapping[str, Mapping[str, Agreed]]:
        """The rows of a quarter's file as they count, by partner, then by goal."""
        if label not in self._rows:
            out: dict[str, dict[str, Agreed]] = {}
            for (partner_id, goal), one in self.agreed.get(label, {}).items():
                out.setdefault(partner_id, {})[goal] = one
            self._rows[label] = out
        return self._rows[label]

    @cached_property
    def memo(self) -> dict[tuple[str, ...], Any]:
        """What others work out of this ground once and ask for again, by a name of theirs."""
        return {}

    @cached_property
    def _histories(self) -> dict[tuple[str, str], History]:
        return {}

    def history(self, metric: str, calendar: Calendar | None = None) -> History:
        """What a metric was, for every partner and quarter of a calendar (the programme's own unless said)."""
        last = same_period(self.quarter, calendar or self.quarter.calendar, self.as_of)
        key = (metric, last.key)
        if key not in self._histories:
            quarters = back(last)
            found = history.of(self.measured[metric], self.partners, quarters, self.as_of)
            self._histories[key] = found.without((row, first, last) for row, first, last in self.resting(metric))
        return self._histories[key]

    def period(self, goal: Goal, quarter: Quarter) -> Quarter:
        """The quarter of the goal's own calendar that a pack of ``quarter`` speaks of."""
        if not goal.calendar and quarter.calendar is self.params.calendar:
            return quarter
        place = (goal.calendar, quarter.key)
        if place not in self._periods:
            self._periods[place] = same_period(quarter, self.params.calendar_of(goal), self.as_of)
        return self._periods[place]

    @cached_property
    def _periods(self) -> dict[tuple[str, str], Quarter]:
        return {}

    def runs(self, goal: Goal, quarter: Quarter) -> bool:
        """Whether a goal has begun in a quarter, and not ended before it."""
        place = (goal.calendar, goal.first_period, goal.last_period, quarter.key)
        if place not in self._runs:
            period, calendar = self.period(goal, quarter), self.params.calendar_of(goal)
            last = calendar.parse(goal.last_period) if goal.last_period else period
            self._runs[place] = calendar.parse(goal.first_period).start <= period.start <= last.start
        return self._runs[place]

    @cached_property
    def _runs(self) -> dict[tuple[str, str, str, str], bool]:
        return {}

    def clock(self, partner_id: str, quarter: Quarter, key: str = "") -> Clock:
        """Where a quarter stands for a partner, who may join, leave or pause within it.

        ``key`` names a goal, of which its own pauses count as well as those of all goals.
        """
        joined, ended = (self._day(partner_id, column) for column in ("joined_on", "ended_on"))
        since = joined if joined is not None and quarter.holds(joined) and joined > quarter.start else None
        resting = proration.resting(self.pauses_of(partner_id), key)
        counted = None
        away = (joined is not None and joined >= quarter.end) or (ended is not None and ended < quarter.last_day)
        if resting or away:
            days = proration.spans(quarter, joined, ended, resting)
            counted = None if days == proration.spans(quarter, since) else days
        return Clock(quarter, self.as_of, self.params.workbook.final_after_business_days, since, counted)

    def _day(self, partner_id: str, column: str) -> dt.date | None:
        found = self.partners[partner_id].get(column)
        return found if isinstance(found, dt.date) else None

    def fact(self, metric: str, partner_id: str, quarter: Quarter) -> Measured:
        """What was measured of a partner in a quarter."""
        return Measured(*self.measured[metric].cell(partner_id, quarter.key))

    @cached_property
    def _pauses(self) -> dict[str, tuple[Pause, ...]]:
        out: dict[str, tuple[Pause, ...]] = {}
        for pause in self.params.pauses:
            out[pause.partner_id] = (*out.get(pause.partner_id, ()), pause)
        return out

    @cached_property
    def peers(self) -> Peers:
        """Who is compared with whom."""
        return peers.group(self.partners, self.params.workbook.peers)

    def days(self, column: str) -> Days:
        """A day of every partner, such as ``joined_on``; NaT where it is not known."""
        held = (row.get(column) for row in self.partners.values())
        return np.array([day if isinstance(day, dt.date) else None for day in held], "datetime64[D]")

    def pauses_of(self, partner_id: str) -> tuple[Pause, ...]:
        """The agreed pauses of a partner."""
        return self._pauses.get(partner_id, ())

    def resting(self, metric: str) -> tuple[tuple[int, dt.date, dt.date], ...]:
        """The agreed pauses of every goal of a metric: the place of the partner, first and last day; none overlap."""
        names = {"", *(key for key, goal in self.params.goals.items() if goal.metric == metric)}
        row = {partner_id: at for at, partner_id in enumerate(self.partners)}
        days = {
            (row[one.partner_id], one.first_day, one.last_day)
            for one in self.params.pauses
            if one.goal in names and one.partner_id in row
        }
        out: list[tuple[int, dt.date, dt.date]] = []
        for at, first, last in sorted(days):
            if out and out[-1][0] == at and first <= out[-1][2]:
                out[-1] = (at, out[-1][1], max(last, out[-1][2]))
            else:
                out.append((at, first, last))
        return tuple(out)

    def takes_part(self, partner_id: str, quarter: Quarter) -> bool:
        """Whether a partner belongs to the programme on some day of a quarter."""
        row = self.partners[partner_id]
        joined, ended = row.get("joined_on"), row.get("ended_on")
        early = isinstance(joined, dt.date) and joined >= quarter.end
        late = isinstance(ended, dt.date) and ended < quarter.start
        return not early and not late


def lay(params: Params, loaded: Loaded, quarter: Quarter, more: Mapping[str, Metric] | None = None) -> Ground:
    """Measure whatever goals need (and the metrics of ``more``) for a quarter and the :data:`DEPTH` before it."""
    wanted = {**asked(params), **(more or {})}
    tables = {metric.table for metric in wanted.values() if isinstance(metric, SimpleMetric)}
    connection = store.connect(loaded.tables, sorted(tables | {"partners", "opportunities", "attributions"}))
    calendars = dict.fromkeys(params.calendar_of(goal) for goal in params.goals.values())
    ends = dict.fromkeys([quarter, *(same_period(quarter, calendar, loaded.as_of) for calendar in calendars)])
    quarters = tuple(each for last in ends for each in back(last))
    window = _window(params, loaded, quarters)
    rows = {row["partner_id"]: row for row in loaded.tables["partners"].to_pylist()}
    return Ground(
        params,
        loaded,
        quarter,
        quarters,
        dict(sorted(rows.items())),
        window,
        connection,
        metrics.measure(connection, wanted, window),
        {key: _selected(connection, goal) for key, goal in params.goals.items()},
        issued.consult(params, [each.label for each in back(quarter)]),
    )


def must_reach(params: Params, loaded: Loaded, quarter: Quarter, begun: bool = False) -> None:
    """Refuse a quarter that was over before the exports begin, since nothing is known of it.

    With ``begun`` one that begins after they end is refused as well.

    Raises
    ------
    UnknownQuarter
        With the quarters that can be asked for.
    """
    first = min(each.covers_from for each in loaded.extracts if each.present)
    if quarter.end <= first or (begun and quarter.start > loaded.as_of):
        oldest, newest = (params.calendar.quarter_of(day) for day in (first, loaded.as_of))
        what, fix = f"the exports do not reach {quarter.label}", f"choose one of {oldest.label} to {newest.label}"
        raise UnknownQuarter(what, params.workbook.data, fix)


def back(last: Quarter) -> tuple[Quarter, ...]:
    """A quarter and the :data:`DEPTH` before it, the oldest first."""
    return tuple(last.shift(shift) for shift in range(-DEPTH, 1))


def asked(params: Params) -> dict[str, Metric]:
    """The metrics of goals and the workbook's own, with their parts; of the library nothing that no goal names."""
    names = {goal.metric for goal in params.goals.values()} | (params.metrics.keys() - params.from_library)
    ratios: Iterable[RatioMetric] = (m for name in names if isinstance(m := params.metrics[name], RatioMetric))
    names = names | {part for ratio in ratios for part in ratio.parts}
    return {name: metric for name, metric in params.metrics.items() if name in names}


def _selected(connection: ibis.BaseBackend, goal: Goal) -> set[str]:
    return metrics.select(connection, "partners", goal.applies_to)


def _window(params: Params, loaded: Loaded, quarters: tuple[Quarter, ...]) -> Window:
    workbook = params.workbook
    facts = (loaded.as_of, workbook.currency, params.rates, loaded.extracts, workbook.stale_after_days)
    return Window(quarters, *facts)
