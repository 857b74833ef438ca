"""Fiscal calendars as a period table; apart, because period rules have their own oracles.

Rules come from a :class:`Calendar`; everything else joins to the table that it makes and never
computes a date of its own. Periods are half-open: ``start`` belongs to the quarter, ``end`` does not. Years are made
of months, or of weeks (``fiscal_weeks``); who asks for a quarter need not know which.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from pbr_lib.business_days import WEEKEND, Days, Workdays
from pbr_lib.errors import UnknownQuarter
from pbr_lib.fiscal_weeks import FiscalWeeks, FiscalYear

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Calendar", "Comparable", "Quarter", "Span", "Week", "comparable", "same_period"]

_LABEL = re.compile(r"(?:FY(?P<fiscal>[0-9]{2})|(?P<year>[12][0-9]{3}))-Q(?P<number>[1-4])")
_TABLE = ["calendar_id", "period_id", "kind", "label", "start", "end", "weeks", "business_days"]


class Span(NamedTuple):
    """Days from ``start`` up to and without ``end``."""

    start: dt.date
    end: dt.date


class Week(NamedTuple):
    """One week of a fiscal year: its number there, and within which month (or period) of the year it lies where."""

    year: int
    number: int
    month: int
    week_of_month: int
    start: dt.date


@dataclass(frozen=True)
class Calendar:
    """When a fiscal year starts, how its quarters are called, and which days nobody works.

    Parameters
    ----------
    first_month:
        1 to 12, the month in which the fiscal year begins; without meaning where there are ``weeks``.
    label:
        ``calendar`` writes ``2026-Q3``, ``fiscal`` writes ``FY26-Q3``.
    label_year:
        Which calendar year names the fiscal year: the one it ends in, or the one it starts in.
    holidays:
        Days that are no business days, beside the weekend and the holidays of ``country``.
    weeks:
        How years are made of weeks; None for years of months.
    weekend:
        Weekdays on which nobody works, 0 for Monday.
    country, subdivision:
        Whose public holidays are no business days; empty for none.
    name:
        Tells the calendars of one workbook apart; the programme's own has none.
    time_zone, clock:
        The zone in which this calendar's days begin, and the one on whose clock timestamps stand in the tables. Where
        both are given and differ, a timestamp is moved before its day is taken.
    """

    first_month: int = 1
    label: Literal["calendar", "fiscal"] = "calendar"
    label_year: Literal["end", "start"] = "end"
    holidays: tuple[dt.date, ...] = field(default=(), repr=False)
    weeks: FiscalWeeks | None = None
    weekend: tuple[int, ...] = WEEKEND
    country: str = ""
    subdivision: str = ""
    name: str = ""
    time_zone: str = ""
    clock: str = ""

    # ------------------------------------------------------------------------------------------ labels

    @property
    def example(self) -> str:
        """A label in this calendar's form, for messages."""
        return "FY26-Q3" if self.label == "fiscal" else "2026-Q3"

    def parse(self, text: str) -> Quarter:
        """Read a label such as ``2026-Q3`` or ``FY26-Q3``, or a key such as ``partner_fy:FY26-Q3``.

        Raises
        ------
        UnknownQuarter
            When the text is no label of this calendar; a bare ``Q3`` never is.
        """
        label = str(text).strip()
        match = _LABEL.fullmatch(label.removeprefix(f"{self.name}:") if self.name else label)
        if match is None or bool(match["fiscal"]) != (self.label == "fiscal"):
            raise UnknownQuarter(f'"{text}" is no quarter of this calendar', fix=f"write a quarter like {self.example}")
        year = int(match["year"] or 2000 + int(match["fiscal"]))
        return Quarter(self, year, int(match["number"]))

    def year_label(self, year: int) -> str:
        """``FY26`` or ``2026``."""
        return f"FY{year % 100:02d}" if self.label == "fiscal" else str(year)

    def key(self, label: str) -> str:
        """A label as it stands in data beside those of other calendars: ``partner_fy:FY26-Q3``."""
        return f"{self.name}:{label}" if self.name else label

    @property
    def moves(self) -> bool:
        """Whether timestamps of the tables must be moved to this calendar's zone before their day is taken."""
        return bool(self.clock and self.time_zone) and self.clock != self.time_zone

    # --------------------------------------------------------------------------------- years and quarters

    def quarter_of(self, day: dt.date) -> Quarter:
        """The quarter that holds ``day``."""
        if self.weeks is not None:
            anchor = self.weeks.anchor_of(day)
            year = self.weeks.year(anchor)
            number = sum(first <= day for first in year.quarters)
            return Quarter(self, anchor + self._shift_of_anchor, number)
        months = day.year * 12 + (day.month - 1) - (self.first_month - 1)
        start_year, month = divmod(months, 12)
        return Quarter(self, start_year + self._shift_of_label, month // 3 + 1)

    def quarters(self, first: dt.date, last: dt.date) -> tuple[Quarter, ...]:
        """Every quarter from the one that holds ``first`` to the one that holds ``last``."""
        quarter, out = self.quarter_of(first), []
        while quarter.start <= last:
            out.append(quarter)
            quarter = quarter.shift(1)
        return tuple(out)

    def year_of(self, day: dt.date) -> int:
        """The fiscal year that holds ``day``, as its label counts."""
        return self.quarter_of(day).year

    def year_span(self, year: int) -> Span:
        """The days of a fiscal year."""
        return Span(Quarter(self, year, 1).start, Quarter(self, year, 4).end)

    def weeks_of(self, year: int) -> int:
        """52 or 53; ``ValueError`` where years are made of months, which hold no whole number of weeks."""
        return self._year_of_weeks(year).weeks

    def week_of(self, day: dt.date) -> Week:
        """The week that holds ``day``, counted from the start of its fiscal year.

        Raises
        ------
        ValueError
            Where years are made of months.
        """
        quarter = self.quarter_of(day)
        number = (day - self._year_of_weeks(quarter.year).start).days // 7
        months = [span for n in range(1, quarter.number + 1) for span in Quarter(self, quarter.year, n).months]
        at = next(at for at, span in enumerate(months, 1) if span.start <= day < span.end)
        start = self._year_of_weeks(quarter.year).start + dt.timedelta(days=7 * number)
        return Week(quarter.year, number + 1, at, (day - months[at - 1].start).days // 7 + 1, start)

    # -------------------------------------------------------------------------------------- business days

    @cached_property
    def workdays(self) -> Workdays:
        """Which days are business days."""
        return Workdays(self.weekend, self.holidays, self.country, self.subdivision)

    def business_days(self, start: dt.date, end: dt.date) -> int:
        """Business days from ``start`` up to and without ``end``; 0 when the range is empty."""
        return self.workdays.count(start, end)

    def business_days_between(self, starts: Days, ends: Days) -> Any:
        """:meth:`business_days` of whole columns of ``datetime64[D]``, as int64."""
        return self.workdays.counts(starts, ends)

    def add_business_days(self, day: dt.date, count: int) -> dt.date:
        """The date that lies ``count`` business days after ``day``."""
        return self.workdays.after(day, count)

    def days_off(self, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
        """Holidays from ``start`` up to and without ``end``, those of the country and those that are listed."""
        return self.workdays.days_off(start, end)

    # ---------------------------------------------------------------------------------------- period table

    def period_table(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """Every period of the fiscal years that hold ``first`` to ``last``, each date once for each kind.

        Columns: calendar_id, period_id (unique over all calendars and kinds), kind (year, quarter, month, week; of a
        year of thirteen periods ``period`` in place of month), label, start, end (exclusive), weeks (missing where
        years are made of months) and business_days. Sorted by kind, from the longest, then by day.
        """
        import pandas as pd

        rows = [row for year in range(self.year_of(first), self.year_of(last) + 1) for row in self._periods(year)]
        kinds = ["year", "quarter", "month", "period", "week"]
        rows.sort(key=lambda row: (kinds.index(row[0]), row[2]))
        starts, ends = (np.array([row[at] for row in rows], "datetime64[D]") for at in (2, 3))
        whole = [None if self.weeks is None else (row[3] - row[2]).days // 7 for row in rows]
        columns = {
            "calendar_id": self.name,
            "period_id": [self.key(row[1]) for row in rows],
            "kind": [row[0] for row in rows],
            "label": [row[1] for row in rows],
            "start": starts,
            "end": ends,
            "weeks": pd.array(whole, "Int64"),
            "business_days": self.business_days_between(starts, ends),
        }
        return pd.DataFrame(columns)[_TABLE]

    def _periods(self, year: int) -> Iterator[tuple[str, str, dt.date, dt.date]]:
        """The periods of a year: kind, label, start, end."""
        name = self.year_label(year)
        yield "year", name, *self.year_span(year)
        kind, letter = ("period", "P") if self.weeks and self.weeks.pattern == "13x4" else ("month", "M")
        quarters = [Quarter(self, year, number) for number in range(1, 5)]
        for quarter in quarters:
            yield "quarter", quarter.label, quarter.start, quarter.end
        for number, span in enumerate((span for quarter in quarters for span in quarter.months), 1):
            yield kind, f"{name}-{letter}{number:02d}", *span
        if self.weeks is not None:
            start = self.year_span(year).start
            for number in range(self.weeks_of(year)):
                day = start + dt.timedelta(days=7 * number)
                yield "week", f"{name}-W{number + 1:02d}", day, day + dt.timedelta(days=7)

    # ----------------------------------------------------------------------------------------------- years

    @property
    def _shift_of_label(self) -> int:
        """Years from the calendar year in which a fiscal year starts to the year in its label."""
        return 1 if self.first_month > 1 and self.label_year == "end" else 0

    @property
    def _shift_of_anchor(self) -> int:
        """Years from the anchor of a year of weeks to the year in its label.

        A year that ends near the end of December belongs to that calendar year, even if its last days do not.
        """
        return -1 if self.weeks and self.weeks.ends_in < 12 and self.label_year == "start" else 0

    def _year_of_weeks(self, year: int) -> FiscalYear:
        if self.weeks is None:
            raise ValueError("years of months hold no whole number of weeks; give the calendar weeks")
        return self.weeks.year(year - self._shift_of_anchor)


@dataclass(frozen=True)
class Quarter:
    """One quarter of one calendar; ``str`` gives its label."""

    calendar: Calendar = field(repr=False)
    year: int
    number: int

    def __str__(self) -> str:
        return self.label

    def __lt__(self, other: Quarter) -> bool:
        return self.start < other.start

    @cached_property
    def label(self) -> str:
        """``2026-Q3`` or ``FY26-Q3``, as people read it."""
        if self.calendar.label == "fiscal":
            return f"FY{self.year % 100:02d}-Q{self.number}"
        return f"{self.year}-Q{self.number}"

    @cached_property
    def key(self) -> str:
        """The label as it stands in data, where quarters of several calendars meet: ``partner_fy:FY26-Q3``."""
        return self.calendar.key(self.label)

    @cached_property
    def start(self) -> dt.date:
        """The first day."""
        return self._first_day(0)

    @cached_property
    def end(self) -> dt.date:
        """The day after the last day."""
        return self._first_day(3)

    @cached_property
    def last_day(self) -> dt.date:
        """The last day, as people write it."""
        return self.end - dt.timedelta(days=1)

    @property
    def weeks(self) -> int | None:
        """How many weeks it has; None where years are made of months."""
        return None if self.calendar.weeks is None else (self.end - self.start).days // 7

    @property
    def months(self) -> tuple[Span, ...]:
        """Its fiscal months, or of a year of thirteen periods its periods."""
        if self.calendar.weeks is None:
            firsts = tuple(self._first_day(months) for months in range(4))
        else:
            firsts = self.calendar._year_of_weeks(self.year).months[self.number - 1]
        return tuple(Span(start, end) for start, end in pairwise(firsts))

    def final_on(self, lag: int) -> dt.date:
        """The day from which figures may be final, ``lag`` business days after the last day.

        Counted from the last day, so that the lag is as long whatever weekday the next quarter begins on.
        """
        return self.calendar.add_business_days(self.last_day, lag)

    def shift(self, quarters: int) -> Quarter:
        """The quarter that many quarters later; negative for earlier."""
        year, number = divmod(self.year * 4 + (self.number - 1) + quarters, 4)
        return Quarter(self.calendar, year, number + 1)

    def holds(self, day: dt.date) -> bool:
        """Whether ``day`` lies in this quarter."""
        return self.start <= day < self.end

    def elapsed(self, as_of: dt.date, since: dt.date | None = None, *, business: bool = True) -> float:
        """The share of the quarter that has passed at the end of ``as_of``, 0 to 1.

        Both ends are inclusive (goals.md 6.1: 1 to 31 March, on 10 March 10/31 have passed).
        ``since`` starts the clock later, for a partner who joined within the quarter.
        """
        start = max(self.start, since) if since else self.start
        until = min(max(as_of + dt.timedelta(days=1), start), self.end)
        if business:
            passed, whole = self.calendar.business_days(start, until), self.calendar.business_days(start, self.end)
        else:
            passed, whole = (until - start).days, (self.end - start).days
        return passed / whole if whole else 1.0

    def _first_day(self, months: int) -> dt.date:
        """The first day of the quarter (0) or the day after its last (3); 1 and 2 only where years have months."""
        calendar = self.calendar
        if calendar.weeks is not None:
            return calendar._year_of_weeks(self.year).quarters[self.number - 1 + months // 3]
        year = self.year - calendar._shift_of_label
        total = year * 12 + (calendar.first_month - 1) + (self.number - 1) * 3 + months
        return dt.date(total // 12, total % 12 + 1, 1)


# ---------------------------------------------------------------------------------------- comparing quarters


@dataclass(frozen=True)
class Comparable:
    """The same quarter some years before, made comparable with a quarter.

    ``weeks`` and ``weeks_then`` are the weeks of the two (both 1 where years are made of months, whose quarters are
    compared as they are), ``basis`` says in words what was done, and is empty where nothing was. Only what grows with
    time is scaled: counts and sums, never a rate, an average or a level.
    """

    quarter: Quarter
    weeks: int
    weeks_then: int
    basis: str

    @property
    def factor(self) -> float:
        """What a figure of then is multiplied by."""
        return self.weeks / self.weeks_then

    def scaled(self, value: Decimal) -> Decimal:
        """A figure of then for as many weeks as the later quarter has; exact up to one rounding to 28 digits."""
        return value if self.weeks == self.weeks_then else value * self.weeks / self.weeks_then


def comparable(quarter: Quarter, years_back: int = 1) -> Comparable:
    """The same quarter ``years_back`` years before, and how its figures compare across a 53rd week.

    A quarter that took the 53rd week is longer by one week in thirteen, so its figures are scaled by weeks. No week is
    left out: which one it would be is a matter of taste, and its records would be in no figure at all.
    """
    then = quarter.shift(-4 * years_back)
    weeks, weeks_then = quarter.weeks or 1, then.weeks or 1
    if weeks == weeks_then:
        return Comparable(then, weeks, weeks_then, "")
    whose = "last year's figure" if years_back == 1 else f"the figure of {then.label}"
    basis = f"{weeks} weeks are compared with {weeks_then}: {whose} is scaled by {weeks}/{weeks_then}"
    return Comparable(then, weeks, weeks_then, basis)


def same_period(quarter: Quarter, calendar: Calendar, as_of: dt.date) -> Quarter:
    """The quarter of another calendar that a pack of ``quarter`` speaks of: the one that runs on its last day, or on
    ``as_of`` while it is under way.
    """
    if quarter.calendar == calendar:
        return quarter
    return calendar.quarter_of(min(as_of, quarter.last_day))
