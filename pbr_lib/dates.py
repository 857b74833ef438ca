"""Dates within other text, such as a file's name or a line above the data; apart, because exports say how fresh
they are in words and in names, and several rooms look for it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import pyarrow as pa

from pbr_lib.cell_dates import DateRules, to_days
from pbr_lib.cells import Cells
from pbr_lib.date_formats import compiled
from pbr_lib.errors import InputError

__all__ = ["date_in", "dates_in_names", "reads_a_day"]

_SIGNS = ("-", ".", "_", " ", "")
_NAMED_MONTHS = tuple(form.replace(" ", sign) for form in ("%d %b %Y", "%b %d %Y", "%b %Y") for sign in _SIGNS)
_YEAR_LAST = re.compile(r"(?<![0-9])[0-9]{1,2}([-._ ])[0-9]{1,2}\1[0-9]{4}(?![0-9])")


def date_in(text: str, form: str) -> dt.date | None:
    """The first date of that format within ``text``, None if there is none; it touches no other digit."""
    for match in compiled(form).pattern.finditer(text):
        found = match[0].strip()
        at = text.index(found, match.start())
        if text[max(at - 1, 0) : at].isdigit() or text[at + len(found) : at + len(found) + 1].isdigit():
            continue
        day = to_days(Cells(pa.array([found])), DateRules(formats=(form,))).values[0].as_py()
        if isinstance(day, dt.date):
            return day
    return None


def dates_in_names(names: Sequence[str], forms: Sequence[str]) -> tuple[dt.date, ...] | None:
    """The dates in names of files, where they are written in a way that sorting by name would get wrong.

    That is a name of a month, or the year at the end; ``forms`` are the formats of the export, which tell day from
    month. None means that the names hold no such dates, and that their own order is the order of time.

    Raises
    ------
    InputError
        When the year stands at the end and nothing tells which number is the day.
    """
    for form in _NAMED_MONTHS:
        found = _all_in(names, form)
        if found is not None:
            return found
    signs = {match[1] for name in names if (match := _YEAR_LAST.search(name))}
    if not signs:
        return None
    known = ["-".join(parts) for form in forms if (parts := _short(form)) and parts[-1] == "%Y"]
    tried = list(dict.fromkeys(known)) or ["%d-%m-%Y", "%m-%d-%Y"]
    readings = [_all_in(names, form.replace("-", sign)) for form in tried for sign in sorted(signs)]
    orders = {_order(days): days for days in readings if days is not None}
    if len(orders) == 1:
        return next(iter(orders.values()))
    raise InputError("the names do not tell which of their numbers is the day", names[0])


def reads_a_day(form: str) -> bool:
    """Whether a format holds year, month and day, and nothing that cannot be read."""
    try:
        compiled(form)
    except InputError:
        return False
    return bool(re.search(r"%-?d", form))


def _all_in(names: Sequence[str], form: str) -> tuple[dt.date, ...] | None:
    days = [date_in(name, form) for name in names]
    return tuple(day for day in days if day is not None) if None not in days else None


def _short(form: str) -> list[str]:
    """The directives of a format of a day in numbers, in their order; none for any other format."""
    parts = re.findall(r"%-?([A-Za-z])", form)
    return [f"%{part}" for part in parts] if sorted(parts) == ["Y", "d", "m"] else []


def _order(days: tuple[dt.date, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(days)), key=lambda at: (days[at], at)))
