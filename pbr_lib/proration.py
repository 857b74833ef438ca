"""On how many days of a period a partner takes part; apart, because targets, renewal and pace must count these days
alike, and a source that counts them otherwise exists (goals.md 4.1).

Both ends are inclusive: who joins on 16 June takes part on 15 of its 30 days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pbr_lib.goalrows import Pause
from pbr_lib.model import date_text
from pbr_lib.periods import Quarter, Span

__all__ = ["Eligible", "eligible", "resting", "spans"]


@dataclass(frozen=True)
class Eligible:
    """The days of a period that count for one goal of one partner, and why not all of them do.

    ``words`` reads ``61 of 92 days: joined on 1 Aug 2026``; it is empty when every day counts.
    """

    days: int
    of: int
    words: str = ""

    @property
    def share(self) -> Decimal:
        """The share of the days, 0 to 1, rounded to 28 digits; :meth:`part` rounds later and so less."""
        return Decimal(self.days) / Decimal(self.of)

    @property
    def full(self) -> bool:
        """Whether every day counts."""
        return self.days == self.of

    def part(self, value: Decimal) -> Decimal:
        """What of a whole period's figure falls on these days."""
        return value if self.full else value * self.days / self.of

    def scaled_up(self, value: Decimal) -> Decimal:
        """A figure of these days as one of the whole period.

        Raises
        ------
        ValueError
            When no day counts, since nothing can be concluded from none.
        """
        if not self.days:
            raise ValueError("no day of the period counts; leave the period out")
        return value if self.full else value * self.of / self.days


def eligible(
    period: Quarter | Span,
    joined: dt.date | None = None,
    ended: dt.date | None = None,
    pauses: Sequence[Pause] = (),
) -> Eligible:
    """The days of a period on which a partner takes part.

    Parameters
    ----------
    period:
        A quarter, or any days.
    joined, ended:
        The first and the last day in the programme; None where there is none. For a goal whose new partners get the
        whole target (``new_partner: full``) leave ``joined`` out.
    pauses:
        The agreed pauses of this goal and partner (see :func:`resting`). Days that two of them share count once.
    """
    start, end = period.start, period.end
    whole = (end - start).days
    first = start if joined is None else max(start, joined)
    after = end if ended is None else min(end, ended + dt.timedelta(days=1))
    if first == start and after == end and not pauses:
        return Eligible(whole, whole)
    reasons = []
    if joined is not None and joined > start:
        reasons.append(f"joined on {date_text(joined)}")
    if ended is not None and after < end:
        reasons.append(f"ended on {date_text(ended)}")
    days, upto = max((after - first).days, 0), first
    for pause in sorted(pauses, key=lambda each: (each.first_day, each.last_day)):
        # What an earlier pause has taken out already is not taken out again.
        begin, stop = max(pause.first_day, upto), min(pause.last_day + dt.timedelta(days=1), after)
        if begin < stop:
            days -= (stop - begin).days
            upto = stop
            reasons.append(_paused(pause))
    if days == whole:
        return Eligible(whole, whole)
    return Eligible(days, whole, f"{days} of {whole} days: {', '.join(reasons)}")


def spans(
    period: Quarter | Span,
    joined: dt.date | None = None,
    ended: dt.date | None = None,
    pauses: Sequence[Pause] = (),
) -> tuple[Span, ...]:
    """The days that :func:`eligible` counts, as spans in order without a gap of none; empty where no day counts."""
    start = period.start if joined is None else max(period.start, joined)
    end = period.end if ended is None else min(period.end, ended + dt.timedelta(days=1))
    out = []
    for pause in sorted(pauses, key=lambda each: (each.first_day, each.last_day)):
        if start < min(pause.first_day, end):
            out.append(Span(start, min(pause.first_day, end)))
        start = max(start, pause.last_day + dt.timedelta(days=1))
    if start < end:
        out.append(Span(start, end))
    return tuple(out)


def resting(pauses: Iterable[Pause], goal: str) -> tuple[Pause, ...]:
    """Those of one partner's pauses that concern a goal: its own, and those of all goals."""
    return tuple(pause for pause in pauses if pause.goal in ("", goal))


def _paused(pause: Pause) -> str:
    if pause.first_day == pause.last_day:
        return f"paused on {date_text(pause.first_day)}"
    return f"paused from {date_text(pause.first_day)} to {date_text(pause.last_day)}"
