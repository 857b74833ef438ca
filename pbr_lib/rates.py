"""Exchange rates: the rows of ``params/rates.csv``, and which of them holds on a day; apart, because plan rates, rates
of the day and averages follow one rule of validity, whatever is converted with them.

A rate is used as it stands: never turned round, never put together from two others, never rounded. A currency without
a rate has none, and what is in it is not measurable.
"""

from __future__ import annotations

import datetime as dt
import heapq
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise

from pbr_lib.csvfile import Row
from pbr_lib.model import date_text

__all__ = ["DECIMALS", "KINDS", "RATE_COLUMNS", "REQUIRED", "Average", "Rate", "RateBook", "Span", "known"]
__all__ += ["read_rates"]

KINDS = ("plan", "spot", "average")
RATE_COLUMNS: tuple[str, ...] = ("currency", "to_currency", "kind", "valid_from", "rate", "source")
RATE_COLUMNS += ("valid_to", "known_at")
REQUIRED = RATE_COLUMNS[:5]
DECIMALS = 8
"""Places after the point that a rate may have, and to which a mean of rates is rounded, half-up."""

_DAY = dt.timedelta(days=1)
_CODE = re.compile(r"[A-Z]{3}")
_ALWAYS = dt.date.min


@dataclass(frozen=True)
class Rate:
    """How much of ``to_currency`` one unit of ``currency`` is worth from ``valid_from`` on.

    It holds to ``valid_to``, that day included; without one, until the next rate of its kind begins. It was known
    from ``known_at`` on, or always: of two rates for one day the one that became known last counts.
    """

    currency: str
    to_currency: str
    kind: str
    valid_from: dt.date
    rate: Decimal
    source: str = ""
    valid_to: dt.date | None = None
    known_at: dt.date | None = None
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Span:
    """The days, ``end`` not included, on which a rate holds."""

    first: dt.date
    end: dt.date
    rate: Rate


@dataclass(frozen=True)
class Average:
    """The rate of a whole period, and in words what it was made from."""

    rate: Decimal
    basis: str = ""


# ------------------------------------------------------------------------------------------- reading


def read_rates(rows: Iterable[Row]) -> Iterator[Rate]:
    """``params/rates.csv``; rows that are no rates, or that contradict one above them, become faults of their file."""
    held: dict[tuple[object, ...], list[Rate]] = defaultdict(list)
    for row in rows:
        before = len(row.file.errors)
        rate = _read(row)
        if rate is None or len(row.file.errors) > before:
            continue
        others = held[rate.currency, rate.to_currency, rate.kind, rate.known_at]
        at = bisect_left(others, rate.valid_from, key=lambda other: other.valid_from)
        _check_beside(row, rate, others[max(0, at - 1) : at], others[at : at + 1])
        if len(row.file.errors) == before:
            others.insert(at, rate)
            yield rate


def _read(row: Row) -> Rate | None:
    codes = [_currency(row, column) for column in ("currency", "to_currency")]
    kind = row.known("kind", KINDS)
    first, last, known = (row.date(column) for column in ("valid_from", "valid_to", "known_at"))
    rate = row.number("rate")
    if first is not None and last is not None and last < first:
        what = f"{last} lies before the day from which the rate is valid, {first}"
        row.fault("valid_to", what, "write the last day on which it is valid, or leave it empty")
    if rate is None or first is None or not all(codes) or not kind:
        return None
    if not 0 < rate < 1_000_000:
        row.fault("rate", f"{rate} is no exchange rate", "write how much one unit is worth, e.g. 1.08")
    elif -int(rate.as_tuple().exponent) > DECIMALS:
        row.fault("rate", f"{rate} has more than eight decimals", "write it with eight at most")
    elif codes[0] == codes[1] and rate != 1:
        row.fault("rate", f"one {codes[0]} cannot be worth {rate} {codes[0]}", "correct a currency, or remove this row")
    return Rate(codes[0], codes[1], kind, first, rate, row.text("source"), last, known, row.where)


def _currency(row: Row, column: str) -> str:
    text = row.text(column)
    if text and not _CODE.fullmatch(text):
        row.fault(column, f'"{text}" is no currency code', "write three capitals, e.g. USD")
        return ""
    return text


def _check_beside(row: Row, rate: Rate, earlier: Sequence[Rate], later: Sequence[Rate]) -> None:
    """A rate beside those of its currency that begin before it, and on its day or later."""
    for other in later:
        if other.valid_from == rate.valid_from:
            if other.rate == rate.rate:
                row.fault("valid_from", f"this rate stands here twice ({other.where})", "keep one of the two rows")
            else:
                what = f"{other.where} gives {other.rate} for the same days"
                row.fault("rate", what, "keep one of the two rows, or say in known_at since when the newer is known")
        elif rate.valid_to is not None and rate.valid_to >= other.valid_from:
            what = f"{other.where} begins on {other.valid_from}, before this rate ends"
            row.fault("valid_to", what, "let one end before the other begins")
    for other in earlier:
        if other.valid_to is not None and other.valid_to >= rate.valid_from:
            what = f"{other.where} holds until {other.valid_to}, beyond the first day of this rate"
            row.fault("valid_from", what, "let one end before the other begins")


# ------------------------------------------------------------------------------------------- validity


def known(rates: Iterable[Rate], as_of: dt.date | None) -> tuple[Rate, ...]:
    """The rates that were known on a day; with None all of them."""
    return tuple(rate for rate in rates if as_of is None or rate.known_at is None or rate.known_at <= as_of)


@dataclass(frozen=True)
class RateBook:
    """The rates that were known on a day, ready to be asked; ``as_of`` None knows all of them."""

    as_of: dt.date | None
    _spans: Mapping[tuple[str, str], Mapping[str, tuple[Span, ...]]] = field(repr=False)

    @classmethod
    def of(cls, rates: Iterable[Rate], as_of: dt.date | None = None) -> RateBook:
        """The book of those rates that were known on ``as_of``."""
        grouped: dict[tuple[str, str], dict[str, list[Rate]]] = defaultdict(lambda: defaultdict(list))
        for rate in known(rates, as_of):
            if rate.currency != rate.to_currency:
                grouped[rate.kind, rate.to_currency][rate.currency].append(rate)
        spans = {
            key: {currency: _laid_out(each) for currency, each in sorted(by_currency.items())}
            for key, by_currency in grouped.items()
        }
        return cls(as_of, spans)

    def has(self, kind: str, target: str) -> bool:
        """Whether there is any rate of a kind into a currency."""
        return (kind, target) in self._spans

    def on(self, kind: str, target: str, day: dt.date) -> dict[str, Rate]:
        """The rate of each currency that has one on a day; the target's own is 1 and not among them."""
        out = {}
        for currency, spans in self._spans.get((kind, target), {}).items():
            at = bisect_right(spans, day, key=lambda span: span.first) - 1
            if at >= 0 and day < spans[at].end:
                out[currency] = spans[at].rate
        return out

    def between(self, kind: str, target: str, first: dt.date, end: dt.date) -> Iterator[tuple[str, Span]]:
        """Each currency with its rates on the days from ``first`` up to and without ``end``, cut to these days."""
        for currency, spans in self._spans.get((kind, target), {}).items():
            for span in _cut(spans, first, end):
                yield currency, span

    def averages(self, target: str, first: dt.date, end: dt.date) -> dict[str, Average]:
        """The average rate of each currency over the days from ``first`` up to and without ``end``.

        It is the *average* rate that was given for the period; of several within it, months say, and else of the
        *spot* rates, the mean weighted by days. Of a period that is under way only the days up to ``as_of`` count.
        A currency of which a day has no rate has no average.
        """
        if self.as_of is not None and self.as_of < end - _DAY:
            end = self.as_of + _DAY
        out: dict[str, Average] = {}
        if first < end:
            for kind in ("spot", "average"):  # what was given wins over what is worked out
                for currency, spans in self._spans.get((kind, target), {}).items():
                    found = _average(kind, _cut(spans, first, end), first, end)
                    if found is not None:
                        out[currency] = found
        return out


def _laid_out(rates: Sequence[Rate]) -> tuple[Span, ...]:
    """The rates of one currency one after the other, without overlap: on each day the one that became known last."""
    ranked = sorted(rates, key=lambda rate: (rate.known_at or _ALWAYS, rate.valid_from))
    starts = sorted({rate.valid_from for rate in ranked})
    ends = [_end(rate, starts) for rate in ranked]
    begins: dict[dt.date, list[int]] = defaultdict(list)
    for rank, rate in enumerate(ranked):
        begins[rate.valid_from].append(rank)
    out: list[Span] = []
    live: list[int] = []
    for first, end in pairwise(sorted({*starts, *ends})):
        for rank in begins[first]:
            heapq.heappush(live, -rank)
        while live and ends[-live[0]] <= first:
            heapq.heappop(live)
        if live:
            out.append(Span(first, end, ranked[-live[0]]))
    return tuple(out)


def _end(rate: Rate, starts: Sequence[dt.date]) -> dt.date:
    if rate.valid_to is not None:
        return rate.valid_to + _DAY if rate.valid_to < dt.date.max else dt.date.max
    at = bisect_right(starts, rate.valid_from)
    return starts[at] if at < len(starts) else dt.date.max


def _cut(spans: Sequence[Span], first: dt.date, end: dt.date) -> list[Span]:
    at = max(0, bisect_right(spans, first, key=lambda span: span.first) - 1)
    out = []
    for span in spans[at:]:
        if span.first >= end:
            break
        if span.end > first:
            out.append(Span(max(span.first, first), min(span.end, end), span.rate))
    return out


def _average(kind: str, spans: Sequence[Span], first: dt.date, end: dt.date) -> Average | None:
    """The mean over the days of a period, or None where they do not carry one.

    A rate from before the period that nobody said would last says nothing of it: an average of the quarter before is
    none of this one, and spot rates count only where one is of the period itself.
    """
    days = (end - first).days
    own = [span.rate.valid_from >= first or span.rate.valid_to is not None for span in spans]
    enough = all(own) if kind == "average" else any(own)
    if not spans or not enough or sum((span.end - span.first).days for span in spans) != days:
        return None
    count = len({id(span.rate) for span in spans})
    if count == 1:
        rate, of = spans[0].rate.rate, "average rate" if kind == "average" else "only spot rate"
        source = f" ({spans[0].rate.source})" if spans[0].rate.source else ""
        return Average(rate, f"{of} from {_days_text(first, end)}{source}")
    with localcontext() as context:
        context.prec = 60
        total = sum(((span.end - span.first).days * span.rate.rate for span in spans), Decimal(0))
        rate = (total / days).quantize(Decimal(1).scaleb(-DECIMALS), ROUND_HALF_UP)
    return Average(rate, f"mean of {count} {kind} rates, weighted by days, from {_days_text(first, end)}")


def _days_text(first: dt.date, end: dt.date) -> str:
    return f"{date_text(first)} to {date_text(end - _DAY)}"
