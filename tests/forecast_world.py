"""Made-up programmes as arrays, for tests that forecast without any export: who books how much, what is open."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np

from pbr_lib.bookings import Bookings
from pbr_lib.contest import Subject
from pbr_lib.countcast import Setting
from pbr_lib.dealbook import Deals
from pbr_lib.history import History
from pbr_lib.metric_specs import SimpleMetric, UnitSpec
from pbr_lib.periods import Calendar, Quarter

CALENDAR = Calendar()
NEVER = np.datetime64("9999-12-31", "D")
MONEY = SimpleMetric(
    label="Revenue",
    table="opportunities",
    aggregate="sum",
    of="amount",
    where={"is_won": True},
    date="close_date",
    unit=UnitSpec(kind="money", currency="USD"),
)
COUNTS = SimpleMetric(label="Leads", table="leads", aggregate="count", date="created_at", unit=UnitSpec(kind="count"))


def quarters(count: int = 9) -> tuple[Quarter, ...]:
    """So many quarters, the last of them 2026-Q3."""
    return tuple(CALENDAR.parse("2026-Q3").shift(back) for back in range(1 - count, 1))


def names(count: int) -> tuple[str, ...]:
    """Ids of partners."""
    return tuple(f"P-{at:03d}" for at in range(count))


def history(value: Any, spans: tuple[Quarter, ...], closed: int | None = None) -> History:
    """Values of partners by quarters; all but the last quarter are over, unless said otherwise."""
    value = np.asarray(value, float)
    over = np.arange(len(spans)) < (len(spans) - 1 if closed is None else closed)
    exact, n = value.astype(object), np.ones(value.shape, np.int64)
    return History(names(len(value)), spans, value, exact, n, np.ones(value.shape, bool), over)


def bookings(rows: list[tuple[int, int, dt.date, float]], size: int, spans: tuple[Quarter, ...]) -> Bookings:
    """Bookings of so many partners, from rows of partner, quarter, day and amount."""
    rows = sorted(rows)
    partner, quarter, day, each = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    return Bookings(
        names(size),
        spans,
        np.array(partner, np.int64),
        np.array(quarter, np.int64),
        np.array(day, "datetime64[D]"),
        np.array(each, float),
        np.ones(len(rows), np.int64),
    )


def setting(quarter: Quarter, as_of: dt.date) -> Setting:
    """A quarter and a day, with all partners as peers."""
    return Setting(quarter, as_of)


def lead_programme(size: int = 40, seed: int = 1, late: float = 2.0) -> Subject:
    """Partners who bring leads at rates of their own, more of them late in the quarter."""
    dice, spans = np.random.default_rng(seed), quarters()
    rates = dice.gamma(2.0, 2.0, size)
    rows = []
    for partner in range(size):
        for at, quarter in enumerate(spans):
            days = (quarter.end - quarter.start).days
            for place in dice.random(dice.poisson(rates[partner])) ** (1 / late):
                rows.append((partner, at, quarter.start + dt.timedelta(days=int(place * days)), 1.0))
    booked = bookings(rows, size, spans)
    return subject(COUNTS, booked, None)


def deal_programme(size: int = 30, seed: int = 2, deals: int = 40) -> Subject:
    """Partners whose deals take a while: made on any day of three years, won or lost some ninety days later."""
    dice, spans = np.random.default_rng(seed), quarters()
    first, today = spans[0].start - dt.timedelta(days=200), spans[-1].start + dt.timedelta(days=40)
    count = size * deals
    partner = np.sort(dice.integers(0, size, count))
    made = np.datetime64(first, "D") + dice.integers(0, (today - first).days, count)
    ends = made + dice.gamma(4.0, 22.0, count).astype(np.int64) + 5
    over = ends <= np.datetime64(today, "D")
    won = (dice.random(count) < 0.35) & over
    amount = np.round(dice.lognormal(10.0, 0.7, count))
    keys = np.array([f"D-{at:05d}" for at in range(count)], object)
    book = Deals("revenue", names(size), keys, partner, made, np.where(over, ends, NEVER), won, amount)
    rows = []
    for at, quarter in enumerate(spans):
        inside = won & (ends >= np.datetime64(quarter.start, "D")) & (ends <= np.datetime64(quarter.last_day, "D"))
        for row in np.flatnonzero(inside):
            rows.append((int(partner[row]), at, ends[row].astype(dt.date), float(amount[row])))
    return subject(MONEY, bookings(rows, size, spans), book)


def subject(metric: SimpleMetric, booked: Bookings, deals: Deals | None) -> Subject:
    """A metric of which everything is known, all partners scored and from the beginning there."""
    size = len(booked.partners)
    never = np.full(size, np.datetime64("NaT"), "datetime64[D]")
    facts = (history(booked.final(), booked.quarters), booked, deals, np.ones(size, bool), never, never, ())
    return Subject("revenue", metric, *facts, draws=300)


def told_later(one: Subject, day: np.datetime64) -> Subject:
    """The same programme with another future: whatever closed or was booked after a day went otherwise."""
    booked = one.bookings
    field = "each" if one.deals is not None else "records"
    held = getattr(booked, field)
    other = replace(booked, **{field: np.where(booked.day > day, held * 3 + 1, held)})
    deals = one.deals
    if deals is not None:
        after = deals.closed > day
        deals = replace(deals, won=np.where(after, ~deals.won, deals.won), closed=np.where(after, NEVER, deals.closed))
        deals = replace(deals, amount=np.where(deals.made > day, deals.amount * 7, deals.amount))
    value = one.history.value.copy()
    for at, quarter in enumerate(one.history.quarters):
        if np.datetime64(quarter.last_day, "D") > day:
            value[:, at] = value[:, at] * 5 + 2
    past = replace(one.history, value=value, exact=value.astype(object))
    return replace(one, bookings=other, deals=deals, history=past)
