"""What is to be expected of a goal by now, and on which ground; apart, because pace has its own oracles (goals.md
6.1) and attainment must be readable without it.

A pace never stands alone: it names what it rests on, the past of the metric or days that have passed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pbr_lib.definitions import Goal, Metric, SimpleMetric, Target
from pbr_lib.periods import Quarter, Span

__all__ = ["YOUNG", "Clock", "Facts", "Measured", "Pace", "PaceShare", "Phase", "is_flow", "pace"]

Phase = Literal["running", "closing", "final"]

YOUNG = 14
"""Days that must have counted before a quarter says anything about a goal."""

_ZERO, _ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True)
class Clock:
    """Where a quarter stands on the run's business day.

    ``since`` is the first day that counts for a partner who joined within the quarter, else None. ``counted`` are the
    days that count, in order, where an end or an agreed pause takes some out; None where none does.
    """

    quarter: Quarter
    as_of: dt.date
    final_after: int = 10
    since: dt.date | None = None
    counted: tuple[Span, ...] | None = None

    @property
    def phase(self) -> Phase:
        """running until the last day, closing until the close lag is over, then final."""
        if self.as_of < self.quarter.last_day:
            return "running"
        return "final" if self.as_of >= self.quarter.final_on(self.final_after) else "closing"

    @property
    def spans(self) -> tuple[Span, ...]:
        """The days of the quarter that count, in order."""
        if self.counted is not None:
            return self.counted
        return (Span(max(self.quarter.start, self.since or self.quarter.start), self.quarter.end),)

    @property
    def age(self) -> int:
        """Days that have counted so far, this one included."""
        return sum(max((end - start).days, 0) for start, end in self._passed)

    def elapsed(self, business: bool) -> Decimal:
        """The share of the time that counts which has passed, 0 to 1; 0 where no day counts."""
        if self.counted is None:
            return Decimal(repr(self.quarter.elapsed(self.as_of, self.since, business=business)))
        passed, whole = (sum(self._length(span, business) for span in each) for each in (self._passed, self.counted))
        return Decimal(repr(passed / whole)) if whole else Decimal(0)

    @property
    def eligible(self) -> Decimal:
        """The share of the quarter's days on which the partner takes part (both ends inclusive)."""
        return Decimal(self.days) / Decimal((self.quarter.end - self.quarter.start).days)

    @property
    def days(self) -> int:
        """How many days of the quarter count."""
        return sum((end - start).days for start, end in self.spans)

    @property
    def _passed(self) -> tuple[Span, ...]:
        """The days that count up to and with this one."""
        after = self.as_of + dt.timedelta(days=1)
        return tuple(Span(start, min(end, after)) for start, end in self.spans if start < after)

    def _length(self, span: Span, business: bool) -> int:
        if business:
            return self.quarter.calendar.business_days(span.start, span.end)
        return (span.end - span.start).days


@dataclass(frozen=True)
class Measured:
    """What the measurement says of one metric, partner and quarter."""

    state: str = "unknown"
    value: Decimal | None = None
    n: int = 0
    first_day: dt.date | None = None
    in_progress: Decimal | None = None
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a number, zero included."""
        return self.state in ("value", "zero") and self.value is not None


@dataclass(frozen=True)
class PaceShare:
    """The share of a quarter's final value that is usually there by now, 0 to 1, and the ground of it in words.

    ``basis`` completes "expected by now 4.1 (...)", as in ``from the last 8 quarters``.
    """

    share: Decimal
    basis: str


@dataclass(frozen=True)
class Facts:
    """Everything that a goal is held against.

    ``share`` is the pace that the past of the metric gives; without it days are counted. ``p_met`` is the probability,
    0 to 1, that the target will be met by the end of the quarter; None where nothing can be forecast.
    """

    measured: Measured
    clock: Clock
    share: PaceShare | None = None
    p_met: Decimal | None = None


@dataclass(frozen=True)
class Pace:
    """What was to be expected by now, the index of actual against it, and what the expectation rests on."""

    expected: Decimal | None
    index: Decimal | None
    basis: str
    share: Decimal | None = None


def is_flow(metric: Metric) -> bool:
    """Whether a metric grows day by day; levels, ratios and means do not."""
    return isinstance(metric, SimpleMetric) and metric.grows


def pace(goal: Goal, metric: Metric, target: Target, facts: Facts, attained: Decimal | None) -> Pace:
    """The pace of one goal; only flows are paced, a level or a ratio is held against its target as it stands.

    ``attained`` is the attainment by now, which takes the place of the index where nothing is paced.
    """
    measured, clock = facts.measured, facts.clock
    if target.done_by is not None:
        due = clock.as_of >= target.done_by
        return Pace(None, attained if due or attained else None, "held against its day", _ONE if due else _ZERO)
    if not is_flow(metric) or target.kind != "at_least" or target.value is None:
        return Pace(None, attained, "held against the target as it stands")
    expectation = _share(goal, facts)
    base = target.base or _ZERO
    wanted = (target.value - base) * expectation.share
    index = (measured.value - base) / wanted if measured.known and measured.value is not None and wanted else None
    return Pace(base + wanted, index, expectation.basis, expectation.share)


def _share(goal: Goal, facts: Facts) -> PaceShare:
    """The past of the metric where the goal asks for it and it is known, else business days, else calendar days."""
    if goal.pace == "history" and facts.share is not None:
        return facts.share
    calendar = goal.pace == "calendar_days"
    basis = f"even pace over {'calendar' if calendar else 'business'} days"
    return PaceShare(facts.clock.elapsed(business=not calendar), basis)
