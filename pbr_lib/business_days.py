"""Which days people work: weekends, and public holidays of a country by the ``holidays`` package; apart, because it is
the only door to that package, which is opened only where a calendar names a country.

No holiday stands in our own code. Dates follow from the rules of the package alone, whose version the lock file pins,
and never from the machine's country or language.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["WEEKDAYS", "WEEKEND", "Workdays", "check_country"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKEND = (5, 6)
"""Saturday and Sunday, counted from Monday as 0."""

Days = npt.NDArray[np.datetime64]
_FIRST_YEAR, _LAST_YEAR = 1900, 2200  # dates beyond are slips of the pen; the package knows no holidays there


@dataclass(frozen=True)
class Workdays:
    """Which days are business days.

    ``weekend`` holds weekdays (0 is Monday), ``holidays`` days off beside them; with a ``country`` (two letters) its
    public holidays are days off too, with a ``subdivision`` also those of a state or province.
    """

    weekend: tuple[int, ...] = WEEKEND
    holidays: tuple[dt.date, ...] = field(default=(), repr=False)
    country: str = ""
    subdivision: str = ""

    def count(self, start: dt.date, end: dt.date) -> int:
        """Business days from ``start`` up to and without ``end``; 0 when the range is empty."""
        return 0 if end <= start else _count(self, start, end)

    def counts(self, starts: Days, ends: Days) -> npt.NDArray[np.int64]:
        """:meth:`count` of whole columns of ``datetime64[D]``."""
        if not len(starts):
            return np.zeros(0, np.int64)
        last = np.maximum(starts, ends)
        years = (_year(starts.min()), _year(last.max()))
        return np.busday_count(starts, last, busdaycal=self._numpy(*years)).astype(np.int64)

    def after(self, day: dt.date, count: int) -> dt.date:
        """The date that lies ``count`` business days after ``day`` (before it, if negative)."""
        return _after(self, day, count)

    def days_off(self, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
        """Holidays from ``start`` up to and without ``end``, in order; those on a weekend are among them."""
        years = range(start.year, end.year + 1)
        return tuple(sorted({day for day in (*self.holidays, *self._public(years)) if start <= day < end}))

    def _numpy(self, first_year: int, last_year: int) -> np.busdaycalendar:
        if not self.country:
            return _numpy_calendar(self, 0, 0)
        return _numpy_calendar(self, max(first_year, _FIRST_YEAR), min(last_year, _LAST_YEAR))

    def _public(self, years: range) -> list[dt.date]:
        return [day for year in years for day in _public_holidays(self.country, self.subdivision, year)]


@lru_cache(maxsize=65_536)  # the same few spans are asked for again and again, for every partner
def _count(days: Workdays, start: dt.date, end: dt.date) -> int:
    return int(np.busday_count(start, end, busdaycal=days._numpy(start.year, end.year)))


@lru_cache(maxsize=4096)
def _after(days: Workdays, day: dt.date, count: int) -> dt.date:
    span = 2 + abs(count) // 200  # no country works fewer days a year
    calendar = days._numpy(day.year - span, day.year + span)
    return dt.date.fromisoformat(str(np.busday_offset(day, count, roll="backward", busdaycal=calendar)))


@lru_cache(maxsize=1024)
def _numpy_calendar(days: Workdays, first_year: int, last_year: int) -> np.busdaycalendar:
    free = [*days.holidays, *days._public(range(first_year, last_year + 1))]
    weekmask = [weekday not in days.weekend for weekday in range(7)]
    return np.busdaycalendar(weekmask, np.array(free, "datetime64[D]"))


@lru_cache(maxsize=4096)
def _public_holidays(country: str, subdivision: str, year: int) -> tuple[dt.date, ...]:
    if not country or not _FIRST_YEAR <= year <= _LAST_YEAR:
        return ()
    found = _package().country_holidays(country, subdiv=subdivision or None, years=year, expand=False, observed=True)
    return tuple(sorted(day for day in found if day.year == year))


def check_country(country: str, subdivision: str, weekend: Sequence[int] | None) -> None:
    """Whether holidays of that country are known, and its weekend is the usual one where none is given.

    Raises
    ------
    ValueError
        ``what is wrong; how to mend it``, with near matches.
    """
    package = _package()
    known = package.list_supported_countries(include_aliases=False)
    if country not in known:
        raise ValueError(f'no holidays are known for the country "{country}"; {_meant_country(country, known)}')
    entity = getattr(package, country)
    if subdivision and subdivision not in known[country]:
        fix = _meant_subdivision(subdivision, known[country], entity.subdivisions_aliases)
        raise ValueError(f'{country} has no subdivision "{subdivision}"; {fix}')
    own = tuple(sorted(int(day) for day in entity.weekend))
    if weekend is None and own != WEEKEND:
        names = ", ".join(WEEKDAYS[day] for day in own)
        raise ValueError(
            f"the weekend of {country} is not the usual one ({names}); say which days nobody works, "
            f"e.g. weekend: [{names}]"
        )


def _meant_country(text: str, known: Sequence[str]) -> str:
    from holidays.registry import COUNTRIES

    named = {names[0].casefold(): names[1] for names in COUNTRIES.values() if names[1] in known}
    named |= {alias.casefold(): names[1] for names in COUNTRIES.values() for alias in names[1:] if names[1] in known}
    squeezed = "".join(text.casefold().split())
    near = difflib.get_close_matches(squeezed, [name for name in named if len(name) > 3], n=1, cutoff=0.75)
    code = named.get(squeezed) or (named[near[0]] if near else "")
    return f'did you mean "{code}"?' if code else "write its two letters, e.g. DE, FR or US"


def _meant_subdivision(text: str, known: Sequence[str], aliases: dict[str, str]) -> str:
    if not known:
        return "remove subdivision; none is known for this country"
    named = {code.casefold(): code for code in known} | {name.casefold(): code for name, code in aliases.items()}
    squeezed = text.casefold().strip()
    near = difflib.get_close_matches(squeezed, list(named), n=1, cutoff=0.75)
    code = named.get(squeezed) or (named[near[0]] if near and len(squeezed) > 3 else "")
    return f'did you mean "{code}"?' if code else f"known: {', '.join(known)}"


def _package() -> Any:
    import holidays

    return holidays


def _year(day: Any) -> int:
    return int(day.astype("datetime64[Y]").astype(int)) + 1970
