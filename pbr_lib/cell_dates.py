"""Cells to days and moments; apart, because dates have the most traps: order, zones, serials, midnights.

A day is a day and never shifted. A moment is told on the clock of the business time zone. The formats of a column are
a closed list, tried in order; ISO 8601 and Excel's serial numbers are understood where no format of the list looks
the same. Nothing else is, and no cell is guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pbr_lib.cells import BOOL, DATE, DATETIME, ERROR, NUMBER, TEXT, Cells
from pbr_lib.clocks import from_utc, known_zone, to_utc
from pbr_lib.conversions import WRONG_KINDS, Converted, Fault, Group, Rows, faults_of, groups, layout
from pbr_lib.date_formats import ISO, LANGUAGES, DateFormat, Plan, compiled

__all__ = ["DateRules", "to_days", "to_moments"]

_DAY = 86_400_000_000
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_SERIAL = re.compile(r"\s*(-?)(0+)(?:\.(0*))?\s*")
_LONG = 50_000
"""From so many cells on it pays to look whether they repeat."""
_LAST_SERIAL = {1900: 2_958_465, 1904: 2_957_003}

_Ways = list[tuple[DateFormat, Plan]] | re.Match[str]

# Codes of faults, in the order of _Read.faults.
_UNLIKE, _NO_DAY, _NO_TIME, _FAR, _NO_SERIAL, _LEAP, _YEAR, _TRUTH, _EXCEL_ERROR = range(1, 10)


def _month_table() -> tuple[Rows, Rows]:
    starts = np.arange(f"{_FIRST_YEAR}-01", f"{_LAST_YEAR + 1}-02", dtype="datetime64[M]").astype("datetime64[D]")
    days = starts.astype(np.int64)
    return days[:-1], np.diff(days)


_MONTH_START, _MONTH_LENGTH = _month_table()


@dataclass(frozen=True)
class DateRules:
    """How the dates of one column are read.

    Parameters
    ----------
    formats:
        The formats of the column, tried in this order (:mod:`pbr_lib.date_formats`).
    zone:
        The time zone of moments that carry none; empty when they are told on the clock of the business zone.
    business_zone:
        The zone on whose clock moments are told, and that parts one day from the next; empty means UTC.
    epoch:
        The first year of the workbook's calendar, for Excel's serial numbers.
    pivot_year:
        Two-digit years lie in the hundred years from here: 70 is 1970, and 69 is 2069.
    languages:
        The languages of month names.

    Raises
    ------
    SourceError
        When a format, a zone or a language is none.
    """

    formats: tuple[str, ...] = ()
    zone: str = ""
    business_zone: str = ""
    epoch: Literal[1900, 1904] = 1900
    pivot_year: int = 1970
    languages: tuple[str, ...] = LANGUAGES

    def __post_init__(self) -> None:
        for form in self.formats:
            compiled(form, self.languages)
        for zone in (self.zone, self.business_zone):
            if zone:
                known_zone(zone)

    @property
    def compiled(self) -> tuple[DateFormat, ...]:
        """The formats, ready to read."""
        return tuple(compiled(form, self.languages) for form in self.formats)


def to_days(cells: Cells, rules: DateRules = DateRules()) -> Converted:
    """The cells as days (date32).

    A midnight gives its day, whatever zone it names. Any other moment that has a zone, of its own or by
    ``rules.zone``, gives the day that it falls on in the business zone; without a zone its time is cut off.
    """
    distinct = _distinct(cells, rules)
    if distinct is not None:
        return _spread(distinct, rules)
    return _days(_Read(cells, rules), rules)


def _days(read: _Read, rules: DateRules) -> Converted:
    days = read.days.astype(np.int32)
    timed = read.timed & (read.codes == 0)
    late = timed & (read.micros != 0)
    read.note("midnight read as a day", read.count(timed & ~late))
    zoned = late & (read.zoned if not rules.zone else True)
    if zoned.any():
        days[zoned] = read.moments(np.flatnonzero(zoned)) // _DAY
        read.note(f"day taken in {rules.business_zone or 'UTC'}", read.count(zoned))
    read.note("time of day cut off", read.count(late & ~zoned))
    values = pa.array(days, pa.date32(), mask=~read.filled)
    return Converted(values, read.faults("date"), dict(read.notes))


def to_moments(cells: Cells, rules: DateRules = DateRules()) -> Converted:
    """The cells as moments on the clock of the business zone (timestamp in microseconds, without a zone).

    A cell that holds only a day gives its midnight, unshifted.
    """
    read = _Read(cells, rules)
    good = read.codes == 0
    moments = read.days * _DAY + read.micros
    read.note("a day without a time", int((read.filled & good & ~read.timed).sum()))
    zoned = read.timed & good & (read.zoned if not rules.zone else True)
    if zoned.all():
        moments = read.moments(None)
    elif zoned.any():
        rows = np.flatnonzero(zoned)
        moments[rows] = read.moments(rows)
    if rules.zone != rules.business_zone or read.zoned.any():
        read.note(f"told on the clock of {rules.business_zone or 'UTC'}", int(zoned.sum()))
    values = pa.array(moments, pa.timestamp("us"), mask=~read.filled)
    return Converted(values, read.faults("time"), dict(read.notes))


def _distinct(cells: Cells, rules: DateRules) -> pa.DictionaryArray | None:
    """The texts by their distinct values, where a long column has few, as columns of days do; else None."""
    text = cells.text
    if cells.kinds is not None or rules.zone or text.null_count or len(text) < _LONG:
        return None
    sample = text.take(pa.array(np.linspace(0, len(text) - 1, 2_000).astype(np.int64)))
    if len(sample.unique()) > 1_900:
        return None
    coded = text.dictionary_encode()
    return coded if 8 * len(coded.dictionary) < len(text) else None


def _spread(coded: pa.DictionaryArray, rules: DateRules) -> Converted:
    """Read each distinct text once; values, faults and counts are those of the whole column."""
    codes = coded.indices.to_numpy()
    times = np.bincount(codes, minlength=len(coded.dictionary))
    once = _days(_Read(Cells(coded.dictionary), rules, times), rules)
    faults = []
    for fault in once.faults:
        here = np.zeros(len(coded.dictionary), np.bool_)
        here[fault.rows] = True
        faults.append(Fault(fault.reason, np.flatnonzero(here[codes])))
    return Converted(once.values.take(coded.indices), tuple(faults), once.notes)


@dataclass
class _Read:
    """The parts of all cells of a column, read but not yet put together; ``filled`` where there is a value.

    ``times`` says how often each cell occurs, where each stands for all that are the same.
    """

    cells: Cells
    rules: DateRules
    times: Rows | None = None
    notes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        size = len(self.cells)
        self.days = np.zeros(size, np.int64)
        self.micros = np.zeros(size, np.int64)
        self.distances = np.zeros(size, np.int32)
        self.timed, self.zoned, self.filled = (np.zeros(size, np.bool_) for _ in range(3))
        self.codes = np.zeros(size, np.uint8)
        self.forms = self.rules.compiled
        for group, ways in self._groups():
            self._group(group, ways)

    def count(self, rows: npt.NDArray[np.bool_] | Rows) -> int:
        """How many cells these rows (a mask, or places) stand for."""
        if self.times is not None:
            return int(self.times[rows].sum())
        return int(rows.sum()) if rows.dtype == np.bool_ else len(rows)

    def note(self, what: str, count: int) -> None:
        """Count what was done."""
        if count:
            self.notes[what] += count

    def faults(self, noun: str) -> tuple[Fault, ...]:
        """The faults, each cell in one."""
        forms = self.rules.formats or ("%Y-%m-%d",)
        reasons = (
            f"this is no {noun} like {' or '.join(forms)}",
            "there is no such day",
            "there is no such time of day",
            f"a day before {_FIRST_YEAR} or after {_LAST_YEAR}",
            "a number outside Excel's calendar",
            "Excel's 29 February 1900, which never was",
            "a year without a day",
            f"{WRONG_KINDS[BOOL]}, no {noun}",
            WRONG_KINDS[ERROR],
        )
        return faults_of(self.codes, reasons)

    def moments(self, rows: Rows | None) -> Rows:
        """These rows (all: None) on the clock of the business zone, in microseconds since 1970."""
        at = slice(None) if rows is None else rows
        clock = self.days[at] * _DAY + self.micros[at]
        zoned, business = self.zoned[at], self.rules.business_zone or "UTC"
        if zoned.all():
            return from_utc(clock - self.distances[at].astype(np.int64) * 1_000_000, business)
        if zoned.any():
            own = np.flatnonzero(zoned)
            clock[own] = from_utc(clock[own] - self.distances[at][own].astype(np.int64) * 1_000_000, business)
        if self.rules.zone != self.rules.business_zone:
            other = np.flatnonzero(~zoned)
            moments, twice, never = to_utc(clock[other], self.rules.zone)
            clock[other] = from_utc(moments, business)
            self.note("an hour that the clock shows twice, the first taken", twice)
            self.note("a time that the clock skips, moved on", never)
        return clock

    def _groups(self) -> Iterator[tuple[Group, _Ways | str]]:
        """Cells of one shape and one kind together, with their rows in the column and the ways to read them."""
        text, kinds = self.cells.text, self.cells.kinds
        if text.null_count:
            text = text.fill_null("")
        if kinds is None:
            yield from groups(text, self._ways)  # type: ignore[misc]
            return
        self.codes[kinds == ERROR] = _EXCEL_ERROR
        self.codes[(kinds == BOOL) & (np.diff(layout(text)[0]) > 0)] = _TRUTH
        for kind in (TEXT, NUMBER, DATE, DATETIME):
            rows = np.flatnonzero(kinds == kind)
            for group, ways in groups(text.take(pa.array(rows)), partial(self._ways, kind=kind)):
                yield group.of(rows), ways  # type: ignore[misc]

    def _ways(self, shape: str, kind: int = TEXT) -> _Ways | str:
        """How cells of this shape can be read: formats in order, or as a serial number; else that there is none."""
        plans: _Ways = []
        if kind == TEXT:
            plans = [(form, plan) for form in self.forms if (plan := form.plan(shape))]
        if kind != NUMBER and not plans and (plan := ISO.plan(shape)):
            plans = [(ISO, plan)]
        if plans or kind in (DATE, DATETIME):
            return plans or "unlike"
        serial = _SERIAL.fullmatch(shape)
        # A text of fewer digits is a year, a count, anything; a number of a workbook's date column is not.
        if serial and (kind == NUMBER or (5 <= len(serial[2]) <= 7 and not serial[1])):
            return serial
        return "unlike"

    def _group(self, group: Group, ways: _Ways | str) -> None:
        if isinstance(ways, str):
            self.codes[group.rows] = _UNLIKE
            return
        if isinstance(ways, re.Match):
            self._serials(group, ways)
            return
        left = group
        for at, (form, plan) in enumerate(ways):
            codes = self._texts(left, form, plan)
            # What no format fits keeps the fault that the first one found.
            kept = left.rows if at == 0 else left.rows[codes == 0]
            self.codes[kept] = codes if at == 0 else 0
            left = left.some(codes != 0)
            if not len(left.rows):
                break

    def _texts(self, group: Group, form: DateFormat, plan: Plan) -> npt.NDArray[np.uint8]:
        """Read texts by a format; the code of each one's fault, 0 for those that are kept."""
        days, codes = self._calendar(group, plan)
        micros, distances, bad = _time(group, plan)
        codes[(codes == 0) & bad] = _NO_TIME
        good = codes == 0
        whole = bool(good.all())
        rows = group.rows if whole else group.rows[good]
        self.days[rows] = days if whole else days[good]
        self.filled[rows] = True
        if plan.has_time:
            self.timed[rows] = True
            self.micros[rows] = micros if whole else micros[good]
        if "zs" in plan.fixed:
            self.zoned[rows] = True
            self.distances[rows] = distances if whole else distances[good]
        count = self.count(rows)
        self.note(f"read as {form.text}", count)
        if "d" not in plan.places:
            self.note("a month, read as its first day", count)
        if "y" in plan.places:
            pivot = self.rules.pivot_year
            self.note(f"two-digit years read as {pivot} to {pivot + 99}", count)
        return codes

    def _calendar(self, group: Group, plan: Plan) -> tuple[Rows, npt.NDArray[np.uint8]]:
        if "Y" in plan.places:
            year = group.number(plan.places["Y"])
        else:
            pivot = self.rules.pivot_year
            year = pivot + (group.number(plan.places["y"]) - pivot) % 100
        month = group.number(plan.places["m"]) if "m" in plan.places else np.int64(plan.fixed["m"])
        day = group.number(plan.places["d"]) if "d" in plan.places else np.int64(1)
        near = (year >= _FIRST_YEAR) & (year <= _LAST_YEAR)
        place = np.clip((year - _FIRST_YEAR) * 12 + month - 1, 0, len(_MONTH_START) - 1)
        bad = (month < 1) | (month > 12) | (day < 1) | (day > np.where(near, _MONTH_LENGTH[place], 31))
        codes = np.zeros(len(group.rows), np.uint8)
        codes[~near] = _FAR
        codes[bad] = _NO_DAY
        return _MONTH_START[place] + day - 1, codes

    def _serials(self, group: Group, match: re.Match[str]) -> None:
        """Excel counts days from 1900 and believes in 29 February 1900, or counts from 1904; fractions are times."""
        rows, epoch = group.rows, self.rules.epoch
        whole, part = match.span(2), match.span(3)
        # More than seven digits lie beyond the calendar, unless the first ones are zeros.
        over = group.number(range(whole[0], whole[1] - 7)[-18:]) if whole[1] - whole[0] > 7 else np.int64(0)
        serial = group.number(range(max(whole[0], whole[1] - 7), whole[1]))
        digits = min(part[1] - part[0], 15)
        share = group.number(range(part[0], part[0] + digits)) / 10.0**digits if digits > 0 else np.zeros(len(rows))
        codes = np.zeros(len(rows), np.uint8)
        if whole[1] - whole[0] == 4 and digits <= 0:
            codes[(serial >= _FIRST_YEAR) & (serial <= _LAST_YEAR)] = _YEAR
        least = 1 if epoch == 1900 else 0
        outside = (serial < least) | (serial > _LAST_SERIAL[epoch]) | (over != 0) | bool(match[1])
        codes[outside] = _NO_SERIAL
        if epoch == 1900:
            codes[(serial == 60) & ~outside] = _LEAP
            days = serial - 25_569 + (serial < 60)
        else:
            days = serial - 24_107
        codes[(codes == 0) & (days >= _MONTH_START[-1] + 31)] = _FAR
        good = codes == 0
        kept = rows[good]
        self.codes[rows] = codes
        self.days[kept] = days[good]
        self.micros[kept] = np.rint(share[good] * 86_400).astype(np.int64) * 1_000_000
        self.timed[kept] = share[good] > 0
        self.filled[kept] = True
        self.note("Excel serial", self.count(kept))


def _time(group: Group, plan: Plan) -> tuple[Rows, Rows, npt.NDArray[np.bool_]]:
    """Microseconds since midnight, seconds east of UTC, and where there is no such time."""
    size, places = len(group.rows), plan.places
    seconds, bad = np.zeros(size, np.int64), np.zeros(size, np.bool_)
    if "H" in places:
        hour = group.number(places["H"])
        bad |= hour > 23
        seconds += hour * 3600
    elif "I" in places:
        hour = group.number(places["I"])
        bad |= (hour < 1) | (hour > 12)
        seconds += (hour % 12 + 12 * plan.fixed["p"]) * 3600
    for part, length in (("M", 60), ("S", 1)):
        if part in places:
            value = group.number(places[part])
            bad |= value > 59
            seconds += value * length
    micros = seconds * 1_000_000
    if "f" in places:
        digits = places["f"][:6]
        micros += group.number(digits) * 10 ** (6 - len(digits))
    distances = np.zeros(size, np.int64)
    if plan.fixed.get("zs"):
        hours = group.number(places["zh"])
        minutes = group.number(places["zm"]) if "zm" in places else np.int64(0)
        bad |= (hours > 15) | (minutes > 59)
        distances = plan.fixed["zs"] * (hours * 3600 + minutes * 60)
    return micros, distances, bad
