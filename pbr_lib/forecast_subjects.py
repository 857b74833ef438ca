"""The metrics that can be forecast, each with all that a forecast of it uses; apart, because this is read from the
ground of all goals once, and what forecasts and scores knows neither params nor engine.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from pbr_lib import bookings, dealbook
from pbr_lib.contest import Subject
from pbr_lib.definitions import Metric, RatioMetric, SimpleMetric
from pbr_lib.ground import Ground
from pbr_lib.periods import Calendar

__all__ = ["sample", "subject_of", "why_not"]

Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]

_KNOWN_CREATED = 0.8


def why_not(metric: Metric) -> str:
    """Why a metric is not forecast at all; empty when it grows day by day and is."""
    if isinstance(metric, RatioMetric):
        return "a rate is not forecast: it can go either way until the last day"
    if metric.nature == "level":
        return "a level is not forecast: it is read on the last day"
    if not metric.additive:
        return f"{'an' if metric.aggregate == 'average' else 'a'} {metric.aggregate} is not forecast"
    if not bookings.bookable(metric):
        return "what is counted over other days than the quarter's own, or of the whole programme, is not forecast"
    return ""


def subject_of(ground: Ground, name: str, calendar: Calendar | None = None) -> Subject:
    """A metric with its history, its bookings and, for money of won deals, its deals.

    Its quarters are those of ``calendar``, the programme's own unless said.

    Raises
    ------
    ValueError
        For a metric that is not forecast (see :func:`why_not`).
    """
    metric = ground.params.metrics[name]
    if not isinstance(metric, SimpleMetric) or why_not(metric):
        raise ValueError(f'"{metric.label}": {why_not(metric)}; ask for a metric that grows day by day')
    place = ("subject", name, ground.history(name, calendar).quarters[-1].key)
    if place not in ground.memo:
        ground.memo[place] = _subject(ground, name, metric, calendar)
    found: Subject = ground.memo[place]
    return found


def _subject(ground: Ground, name: str, metric: SimpleMetric, calendar: Calendar | None) -> Subject:
    partners = list(ground.partners)
    hits = ground.measured[name].parts[0].hits
    past = ground.history(name, calendar)
    booked = bookings.of(hits, metric, partners, past.quarters)
    deals = _deals(ground, name, metric, booked) if dealbook.is_won_money(metric) else None
    wanted = [ground.applies[key] for key, goal in ground.params.goals.items() if goal.metric == name]
    scored = np.array([any(one in each for each in wanted) for one in partners], bool)
    smart = ground.params.workbook.smart
    return Subject(
        name,
        metric,
        past,
        booked,
        deals,
        scored,
        ground.days("joined_on"),
        ground.days("ended_on"),
        ground.peers.groups[:-1],
        (smart.least_quarters, smart.least_peers),
        resting=ground.resting(name),
    )


def sample(subject: Subject, most: int) -> Ints:
    """Which partners are looked at where a sample is enough: those that are scored first, by a number of their id.

    The number has nothing to do with what a partner sells, and stays what it is when others join.
    """
    partners = subject.history.partners
    numbers = [hashlib.sha256(one.encode()).hexdigest() for one in partners]
    order = sorted(range(len(partners)), key=lambda at: (not subject.scored[at], numbers[at]))
    return np.array(sorted(order[:most]), np.int64)


def _deals(ground: Ground, name: str, metric: SimpleMetric, booked: bookings.Bookings) -> dealbook.Deals | None:
    """The deals; None where too few won ones say when they were made, since nobody knows then what was open."""
    changes = ground.loaded.tables.get("opportunity_history")
    hits = ground.measured[name].parts[0].hits
    deals = dealbook.of(hits, name, metric, list(ground.partners), ground.quarter, changes)
    first = np.datetime64(ground.quarters[0].start, "D")
    last = np.datetime64(ground.quarter.last_day, "D")
    known = int((deals.won & (deals.closed >= first) & (deals.closed <= last)).sum())
    return deals if known >= _KNOWN_CREATED * int(booked.records.sum()) else None
