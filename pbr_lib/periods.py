"""Fiscal calendars as a period table; apart, because period rules have their own oracles.

Rules come from a :class:`Calendar`; everything else joins to the table that it makes and never
computes a date of its own. Periods are half-open: ``start`` belongs to the quarter, ``end`` does not.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from pbr_lib.errors import UnknownQuarter

__all__ = ["Calendar", "Quarter"]

_LABEL = re.compile(r"(?:FY(?P<fiscal>[0-9]{2})|(?P<year>[12][0-9]{3}))-Q(?P<number>[1-4])")


@dataclass(frozen=True)
class Calendar:
    """When a fiscal year starts, how its quarters are called, and which days nobody works.

    Parameters
    ----------
    first_month:
        1 to 12, the month in which the fiscal year begins.
    label:
        ``calendar`` writes ``2026-Q3``, ``fiscal`` writes ``FY26-Q3``.
    label_year:
        Which calendar year names the fiscal year: the one it ends in, or the one it starts in.
    holidays:
        Days that are no business days, beside Saturday and Sunday.
    """

    first_month: int = 1
    label: Literal["calendar", "fiscal"] = "calendar"
    label_year: Literal["end", "start"] = "end"
    holidays: tuple[dt.date, ...] = field(default=(), repr=False)

    @property
    def example(self) -> str:
        """A label in this calendar's form, for messages."""
        return "FY26-Q3" if self.label == "fiscal" else "2026-Q3"

    def parse(self, text: str) -> Quarter:
        """Read a label such as ``2026-Q3`` or ``FY26-Q3``.

        Raises
        ------
        UnknownQuarter
            When the text is no label of this calendar; a bare ``Q3`` never is.
        """
        match = _LABEL.fullmatch(str(text).strip())
        if match is None or bool(match["fiscal"]) != (self.label == "fiscal"):
            raise UnknownQuarter(f'"{text}" is no quarter of this calendar', fix=f"write a quarter like {self.example}")
        year = int(match["year"] or 2000 + int(match["fiscal"]))
        return Quarter(self, year, int(match["number"]))

    def quarter_of(self, day: dt.date) -> Quarter:
        """The quarter that holds ``day``."""
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

    def business_days(self, start: dt.date, end: dt.date) -> int:
        """Business days from ``start`` up to and without ``end``; 0 when the range is empty."""
        if end <= start:
            return 0
        return int(np.busday_count(start, end, holidays=list(self.holidays)))

    def add_business_days(self, day: dt.date, count: int) -> dt.date:
        """The date that lies ``count`` business days after ``day``."""
        moved = np.busday_offset(day, count, roll="backward", holidays=list(self.holidays))
        return dt.date.fromisoformat(str(moved))

    @property
    def _shift_of_label(self) -> int:
        """Years from the calendar year in which a fiscal year starts to the year in its label."""
        return 1 if self.first_month > 1 and self.label_year == "end" else 0


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

    @property
    def label(self) -> str:
        """``2026-Q3`` or ``FY26-Q3``."""
        if self.calendar.label == "fiscal":
            return f"FY{self.year % 100:02d}-Q{self.number}"
        return f"{self.year}-Q{self.number}"

    @property
    def start(self) -> dt.date:
        """The first day."""
        return self._first_day(0)

    @property
    def end(self) -> dt.date:
        """The day after the last day."""
        return self._first_day(3)

    @property
    def last_day(self) -> dt.date:
        """The last day, as people write it."""
        return self.end - dt.timedelta(days=1)

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
        year = self.year - self.calendar._shift_of_label
        total = year * 12 + (self.calendar.first_month - 1) + (self.number - 1) * 3 + months
        return dt.date(total // 12, total % 12 + 1, 1)
