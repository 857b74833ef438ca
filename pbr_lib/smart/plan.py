"""A quarter's goals with everything needed to judge them, as one value; apart, because whoever measures makes it, and
every rule of the SMART checks reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pbr_lib.definitions import Goal, Metric, RatioMetric, SimpleMetric
from pbr_lib.errors import UnknownQuarter
from pbr_lib.goalrows import Instance
from pbr_lib.history import History
from pbr_lib.model import Unit
from pbr_lib.params import Params
from pbr_lib.periods import Quarter
from pbr_lib.predictive import Predictive

__all__ = ["Chances", "Plan", "definition"]

Mask = npt.NDArray[np.bool_]
Gap = Callable[[str, Quarter], str]


class Chances(Protocol):
    """What may come of one metric in the quarter, as judged before it begins (``countcast.Forecast`` is one).

    The rows are the partners of the metric's :class:`~pbr_lib.history.History`, in its order.
    """

    @property
    def predictive(self) -> Predictive:
        """What may come of each partner."""
        ...

    @property
    def enough(self) -> Mask:
        """Whether there is evidence to judge each partner by."""
        ...

    @property
    def reason(self) -> Sequence[str]:
        """Why not, in words; empty where there is."""
        ...


@dataclass(frozen=True)
class Plan:
    """The goals of one quarter, and what they are judged by.

    Parameters
    ----------
    settings, quarter, as_of:
        What stands in ``params/``, the quarter, and the day up to which the exports speak.
    instances:
        The rows of that quarter's file, as they stand there (not as agreement or amendments move them).
    partners:
        The rows of the partner table by id (``joined_on``, ``ended_on``).
    applies:
        For each goal the partners that its definition selects.
    history:
        For each metric its values over the quarters before and this one (``History.before`` is applied here).
    chances:
        For each metric what may come, seen from the start of the quarter; a metric that is missing cannot be judged.
    gap:
        ``Window.gap``: why a zero of a table cannot be asserted for a quarter; empty when it can.
    dated:
        For each metric the share (0 to 1) of its table's rows whose date column is filled.
    ever:
        For each metric how many rows its filter ever matched, of all partners and days.
    rows:
        For each metric the number of its table's rows (before any filter) by quarter label, by its date column.
    closed:
        Labels of quarters whose figures are frozen.
    periods:
        For goals with a calendar of their own the quarter of that calendar; else the plan's quarter.
    size:
        What a partner weighs, such as its revenue over a year, for the check that targets are not kinder to the large.
    attained:
        Attainment in the last closed quarter by (partner, goal), uncapped, 1.0 is 100 %; what is unknown is left out.

    Of ``dated``, ``ever`` and ``rows`` a ratio is judged by its parts; what is missing there is not judged.
    """

    settings: Params = field(repr=False)
    quarter: Quarter
    as_of: dt.date
    instances: tuple[Instance, ...] = field(repr=False)
    partners: Mapping[str, Mapping[str, Any]] = field(repr=False)
    applies: Mapping[str, Collection[str]] = field(repr=False)
    history: Mapping[str, History] = field(repr=False)
    chances: Mapping[str, Chances] = field(default_factory=dict, repr=False)
    gap: Gap = field(default=lambda table, quarter: "", repr=False)
    dated: Mapping[str, float] = field(default_factory=dict, repr=False)
    ever: Mapping[str, int] = field(default_factory=dict, repr=False)
    rows: Mapping[str, Mapping[str, int]] = field(default_factory=dict, repr=False)
    closed: frozenset[str] = frozenset()
    periods: Mapping[str, Quarter] = field(default_factory=dict, repr=False)
    size: Mapping[str, float] = field(default_factory=dict, repr=False)
    attained: Mapping[tuple[str, str], float] = field(default_factory=dict, repr=False)

    def goal(self, key: str) -> Goal:
        """The definition of a goal."""
        return self.settings.goals[key]

    def metric(self, key: str) -> Metric | None:
        """The metric of a goal; None when it is not defined."""
        return self.settings.metrics.get(self.settings.goals[key].metric)

    def period(self, key: str) -> Quarter:
        """The quarter of a goal in its own calendar."""
        return self.periods.get(key, self.quarter)

    def parts(self, metric: str) -> dict[str, SimpleMetric]:
        """The simple metrics that a metric is made of, by name; itself when it is simple."""
        found = self.settings.metrics.get(metric)
        if isinstance(found, RatioMetric):
            named = {name: self.settings.metrics.get(name) for name in found.parts}
            return {name: part for name, part in named.items() if isinstance(part, SimpleMetric)}
        return {metric: found} if isinstance(found, SimpleMetric) else {}

    @cached_property
    def by_goal(self) -> Mapping[str, tuple[Instance, ...]]:
        """The rows of each goal that is defined, goals in the order of their definitions."""
        out: dict[str, list[Instance]] = {key: [] for key in self.settings.goals}
        for row in self.instances:
            if row.goal in out:
                out[row.goal].append(row)
        return {key: tuple(rows) for key, rows in out.items()}

    @cached_property
    def by_partner(self) -> Mapping[str, tuple[Instance, ...]]:
        """The rows of each partner whose goal is defined, in the order in which partners first appear."""
        out: dict[str, list[Instance]] = {}
        for row in self.instances:
            if row.goal in self.settings.goals:
                out.setdefault(row.partner_id, []).append(row)
        return {partner: tuple(rows) for partner, rows in out.items()}

    @cached_property
    def running(self) -> tuple[str, ...]:
        """Goals that have rows in this quarter, or whose definition lets them run in it."""
        return tuple(key for key, rows in self.by_goal.items() if rows or self._runs(key))

    @cached_property
    def measured(self) -> Mapping[str, tuple[str, ...]]:
        """The simple metrics that running goals rest on, each with the goals that use it."""
        out: dict[str, list[str]] = {}
        for key in self.running:
            for part in self.parts(self.goal(key).metric):
                out.setdefault(part, []).append(key)
        return {part: tuple(keys) for part, keys in out.items()}

    def name(self, key: str) -> str:
        """What a goal is called: its own name, else its metric's label."""
        metric = self.metric(key)
        return self.goal(key).name or (metric.label if metric else "")

    def unit(self, key: str) -> Unit:
        """The unit of a goal's target."""
        metric = self.metric(key)
        return metric.unit.unit if metric else Unit("number")

    def started(self, key: str) -> Quarter | None:
        """The goal's first quarter; None where ``first_period`` is none of its calendar."""
        return _parsed(self.period(key), self.goal(key).first_period)

    def ended(self, key: str) -> Quarter | None:
        """The goal's last quarter; None where it has none, or none that its calendar knows."""
        return _parsed(self.period(key), self.goal(key).last_period)

    def _runs(self, key: str) -> bool:
        first, last = self.started(key), self.ended(key)
        start = self.period(key).start
        return first is not None and first.start <= start and (last is None or start <= last.start)


def definition(key: str) -> str:
    """Where a goal is defined, for people."""
    return f"params/goals.yaml, goals.{key}"


def _parsed(like: Quarter, label: str) -> Quarter | None:
    try:
        return like.calendar.parse(label) if label else None
    except UnknownQuarter:
        return None
