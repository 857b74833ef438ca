"""For which quarters is measured, as of which day, at which rates, and whether the exports allow a zero; apart,
because coverage is judged without looking at a single record.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from pbr_lib.definitions import SimpleMetric
from pbr_lib.extracts import Extract
from pbr_lib.model import date_text
from pbr_lib.periods import Quarter
from pbr_lib.rates import Rate, RateBook
from pbr_lib.schema import TABLES

__all__ = ["Period", "Window", "period_of", "plan_rates"]

_OVERLAP = 92
# What else must have been exported for the records of a table to find their partners.
_NEEDS = {"subscription_movements": "service_links"}


@dataclass(frozen=True)
class Window:
    """For which quarters, as of which day, at which rates, and what the exports cover."""

    quarters: tuple[Quarter, ...]
    as_of: dt.date
    currency: str
    rates: tuple[Rate, ...] = ()
    extracts: tuple[Extract, ...] = ()
    stale_after_days: int = 14

    @cached_property
    def book(self) -> RateBook:
        """The rates that were known on the as-of day."""
        return RateBook.of(self.rates, self.as_of)

    def gap(self, table: str, quarter: Quarter, since: Quarter | None = None) -> str:
        """Why a zero of this table and quarter cannot be asserted; empty when the exports cover it whole.

        With ``since`` the exports must reach back to the first day of that quarter. What people write in
        ``params/`` is always whole.
        """
        if table in TABLES and TABLES[table].home == "params":
            return ""
        return self._reach(table, (since or quarter).start, quarter.last_day) or self._credit_gap(table)

    def _reach(self, table: str, start: dt.date, last_day: dt.date) -> str:
        until = min(last_day, self.as_of)
        every = [extract for extract in self.extracts if extract.table == table]
        have = [(extract.covers_from, extract.as_of) for extract in every if extract.as_of]
        if not have:
            return f"no export of {table} was provided"
        if len(have) < len(every):
            return _absent(every)
        first = max(reach[0] for reach in have if not any(_continues(reach, other) for other in have))
        if first > start:
            return f"the export of {table} begins on {date_text(first)}"
        last = min(reach[1] for reach in have if not any(_continues(other, reach) for other in have))
        allowed = dt.timedelta(days=self.stale_after_days if until == self.as_of else 0)
        return "" if last + allowed >= until else f"the export of {table} ends on {date_text(last)}"

    def _credit_gap(self, table: str) -> str:
        """Why records may miss their partners: an export that gives credit is not there."""
        needed = _NEEDS.get(table)
        if needed and not any(extract.table == needed and extract.as_of for extract in self.extracts):
            return f"no export of {needed} was provided"
        credited = table in TABLES and TABLES[table].credited
        return _absent(e for e in self.extracts if e.table == "attributions") if credited else ""


def _absent(extracts: Iterable[Extract]) -> str:
    missing = next((extract for extract in extracts if not extract.as_of), None)
    return f"the export {missing.about or missing.source} was not provided" if missing else ""


def _continues(later: tuple[dt.date, dt.date], earlier: tuple[dt.date, dt.date]) -> bool:
    """Whether an export takes up where another of its table ends, as this year's file does after the archive.

    Exports that run side by side, one for each region say, overlap by far more; all of them must be fresh.
    """
    overlap = (earlier[1] - later[0]).days + 1
    return later[1] > earlier[1] and 0 <= overlap <= _OVERLAP and later[0] > earlier[0]


@dataclass(frozen=True)
class Period:
    """The days of one quarter's value: ``first`` and ``last`` quarter whose rows count, and the day of a level.

    ``at`` is the last day of the quarter or the as-of day; for a level that is read at the opening it is the day
    before the window, so that nothing that happens within it is counted twice.
    """

    quarter: Quarter
    first: Quarter
    last: Quarter
    at: dt.date

    @property
    def zones(self) -> tuple[str, str] | None:
        """The tables' clock and the zone in which the days of this period begin, where the two differ."""
        calendar = self.quarter.calendar
        return (calendar.clock, calendar.time_zone) if calendar.moves else None

    def immature(self, as_of: dt.date, maturity_days: int) -> bool:
        """Whether the cohort is too young for its value to be settled."""
        return as_of < self.last.last_day + dt.timedelta(days=maturity_days)


def period_of(metric: SimpleMetric, quarter: Quarter, as_of: dt.date) -> Period:
    """The days that a metric takes for a quarter."""
    last = quarter.shift(metric.shift_quarters)
    first = last.shift(1 - metric.trailing_quarters)
    at = min(quarter.last_day, as_of) if metric.read_at == "end" else first.start - dt.timedelta(days=1)
    return Period(quarter, first, last, at)


def plan_rates(rates: Iterable[Rate], target: str, day: dt.date, as_of: dt.date | None = None) -> list[Rate]:
    """The plan rate into ``target`` of each currency that has one on ``day``; the target's own is 1.

    With ``as_of``, only rates that were known on that day.
    """
    own = Rate(target, target, "plan", dt.date.min, Decimal(1))
    return [own, *RateBook.of(rates, as_of).on("plan", target, day).values()]
