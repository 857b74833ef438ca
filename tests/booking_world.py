"""Made-up bookings of which the truth is known: unlike partners, quarters that stray, deals that come late."""

from __future__ import annotations

import datetime as dt

import numpy as np

from pbr_lib.bookings import Bookings, day_shares
from pbr_lib.history import History
from pbr_lib.periods import Calendar, Quarter

CALENDAR = Calendar()
LATE = (0.20, 0.25, 0.55)


def quarters(count: int, last: str = "2026-Q2") -> tuple[Quarter, ...]:
    """So many quarters, the oldest first."""
    return tuple(CALENDAR.parse(last).shift(at) for at in range(1 - count, 1))


def booked(rows: list[tuple[int, int, str, float]], partners: int = 1, count: int = 8) -> Bookings:
    """Bookings of rows of partner, quarter, day (month and day) and amount."""
    when = quarters(count)
    rows = sorted(rows)
    day = np.array([f"{_year(when[q], md)}-{md}" for _, q, md, _ in rows], "datetime64[D]")
    who, quarter = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
    each = np.array([row[3] for row in rows], np.float64)
    names = tuple(f"P{at}" for at in range(partners))
    return Bookings(names, when, who, quarter, day, each, np.ones(len(rows), np.int64))


def _year(quarter: Quarter, month_day: str) -> int:
    return quarter.start.year if quarter.start.strftime("%m-%d") <= month_day else quarter.last_day.year


def history(bookings: Bookings, closed: int | None = None) -> History:
    """The history that belongs to bookings: every partner took part throughout, all quarters but the last are over."""
    value = bookings.final()
    shape = value.shape
    over = np.arange(shape[1]) < (shape[1] - 1 if closed is None else closed)
    n = bookings.counts().astype(np.int64)
    exact = np.full(shape, None, object)
    return History(bookings.partners, bookings.quarters, value, exact, n, np.ones(shape, bool), over)


def simulated(partners: int, count: int, seed: int, alpha: float = 0.25) -> Bookings:
    """Counts: mean rates from a Gamma, quarters over-dispersed, more than half of the leads in the last third."""
    dice = np.random.default_rng(seed)
    when = quarters(count)
    mean = dice.gamma(1.5, 2.0, partners)
    number = dice.poisson(dice.gamma(1 / alpha, alpha * mean[:, None], (partners, count)))
    cells = np.repeat(np.arange(number.size), number.ravel())
    who, quarter = np.divmod(cells, count)
    place = (dice.choice(3, len(cells), p=LATE) + dice.random(len(cells))) / 3
    start = np.array([each.start for each in when], "datetime64[D]")
    length = np.array([(each.end - each.start).days for each in when])
    day = start[quarter] + (place * length[quarter]).astype(np.int64)
    order = np.lexsort((day, cells))
    names = tuple(f"P{at:04}" for at in range(partners))
    ones = np.ones(len(cells))
    return Bookings(names, when, who[order], quarter[order], day[order], ones, ones.astype(np.int64))


def day_at(quarter: Quarter, share: float) -> dt.date:
    """The first day at whose end a share of the business days has passed."""
    return quarter.start + dt.timedelta(days=int(np.argmax(day_shares(quarter) >= share - 1e-9)))
