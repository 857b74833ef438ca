"""Fiscal years that are made of whole weeks: where they end, and how their weeks fall into quarters and months; apart,
because these rules have published tables of their own, and whoever has a year of months never needs them.

A year ends on one weekday: the last one of a month, or the one nearest to the end of that month. So it has 52 weeks,
and 53 every five or six years. Years are known here by their *anchor*: the calendar year of the month whose end the
year ends at. NRF's fiscal 2023 ends at the end of January 2024, so its anchor is 2024; what a year is called is the
business of ``periods``.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Literal

__all__ = ["FiscalWeeks", "FiscalYear", "Pattern", "Shares"]

Pattern = Literal["4-4-5", "4-5-4", "5-4-4", "13x4"]
Shares = Literal["3-3-3-4", "3-3-4-3", "3-4-3-3", "4-3-3-3"]

_WEEK = dt.timedelta(days=7)


@dataclass(frozen=True)
class FiscalYear:
    """One year of weeks as dates.

    ``quarters`` holds the first day of each quarter and then the first day after the year, ``months`` for each quarter
    the same of its months (of a year of thirteen periods: its periods).
    """

    quarters: tuple[dt.date, ...]
    months: tuple[tuple[dt.date, ...], ...]

    @property
    def start(self) -> dt.date:
        """The first day."""
        return self.quarters[0]

    @property
    def end(self) -> dt.date:
        """The day after the last day."""
        return self.quarters[-1]

    @property
    def weeks(self) -> int:
        """52 or 53."""
        return (self.end - self.start).days // 7


@dataclass(frozen=True)
class FiscalWeeks:
    """How a fiscal year is made of weeks.

    Parameters
    ----------
    pattern:
        Weeks in the three months of each quarter, or ``13x4`` for thirteen periods of four weeks.
    ends_in:
        1 to 12, the month at whose end the year ends.
    weekday:
        The weekday on which it ends, 0 for Monday to 6 for Sunday.
    rule:
        ``last``: the last such day of the month; ``nearest``: the one nearest to the month's last day, which may lie up
        to three days in the month after.
    extra_week_in:
        The quarter, 1 to 4, whose last month takes the 53rd week.
    periods:
        With ``13x4``, how many periods each quarter has.
    """

    pattern: Pattern = "4-4-5"
    ends_in: int = 1
    weekday: int = 5
    rule: Literal["nearest", "last"] = "nearest"
    extra_week_in: int = 4
    periods: Shares = field(default="3-3-3-4")

    def last_day(self, anchor: int) -> dt.date:
        """The last day of the year that ends at the end of ``ends_in`` of that calendar year."""
        return self.year(anchor).end - dt.timedelta(days=1)

    def year(self, anchor: int) -> FiscalYear:
        """The year that ends at the end of ``ends_in`` of that calendar year."""
        found = self._years.get(anchor)
        if found is None:
            found = self._years[anchor] = self._made(anchor)
        return found

    def anchor_of(self, day: dt.date) -> int:
        """The anchor of the year that holds ``day``."""
        anchor = day.year + (day.month > self.ends_in)
        year = self.year(anchor)
        if day >= year.end:
            return anchor + 1
        return anchor if day >= year.start else anchor - 1

    def weeks_of_months(self, long: bool) -> tuple[tuple[int, ...], ...]:
        """The weeks of each month of each quarter, in a year of 53 weeks (``long``) or 52."""
        if self.pattern == "13x4":
            quarters = [[4] * int(count) for count in self.periods.split("-")]
        else:
            quarters = [[int(weeks) for weeks in self.pattern.split("-")] for _ in range(4)]
        if long:
            quarters[self.extra_week_in - 1][-1] += 1
        return tuple(tuple(months) for months in quarters)

    @cached_property
    def _years(self) -> dict[int, FiscalYear]:
        """Years made so far; asked for so often that even looking for the rule in a common cache would cost more."""
        return {}

    def _end(self, anchor: int) -> dt.date:
        """The day after the last day."""
        month_end = dt.date(anchor, self.ends_in, calendar.monthrange(anchor, self.ends_in)[1])
        back = (month_end.weekday() - self.weekday) % 7
        if self.rule == "nearest" and back > 3:
            back -= 7
        return month_end - dt.timedelta(days=back - 1)

    def _made(self, anchor: int) -> FiscalYear:
        start, end = self._end(anchor - 1), self._end(anchor)
        quarters: list[dt.date] = [start]
        months = []
        for counts in self.weeks_of_months((end - start).days == 53 * 7):
            months.append(tuple(quarters[-1] + _WEEK * passed for passed in accumulate(counts, initial=0)))
            quarters.append(months[-1][-1])
        return FiscalYear(tuple(quarters), tuple(months))
