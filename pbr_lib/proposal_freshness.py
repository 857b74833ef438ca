"""How fresh a proposed mapping says its export is: a line of the file, its name, else the days of its rows; apart,
because a day taken for fresher than it is would assert zeros that nobody has counted.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from pbr_lib import proposal_forms
from pbr_lib.dates import date_in
from pbr_lib.guesses import guess_dates
from pbr_lib.proposal_columns import Settled, evidence
from pbr_lib.proposal_forms import Days
from pbr_lib.proposal_text import Draft, Line, comment, scalar
from pbr_lib.proposal_words import ASK, meanings
from pbr_lib.schema import TABLES

__all__ = ["UNDATED", "freshness", "order_told"]

_PAST: tuple[str, ...] = (
    *("last_activity_on", "created_at", "converted_on", "submitted_on", "decided_on", "changed_at", "at"),
    *("answered_on", "issued_on", "completed_on", "claimed_at", "joined_on"),
)
_STAMPS: tuple[str, ...] = (
    *("%Y-%m-%d", "%d.%m.%Y", "%d %b %Y", "%b %d, %Y", "%d. %b %Y", "%Y%m%d", "%Y_%m_%d", "%Y.%m.%d"),
    *("%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d-%b-%Y"),
)
_WORDS: tuple[str, ...] = (
    *("generated", "as of", "exported", "extracted", "created on", "stand", "erstellt", "generiert", "exportiert"),
    *("généré", "exporté", "generado", "exportado", "run on", "run at", "printed", "date du rapport", "datum", "date"),
)
_TOUCHED = re.compile(
    r"modif|modstamp|updated|synced|geändert|aktualisiert|created|erstellt|last.?activity|viewed", re.IGNORECASE
)
_MADE = re.compile(r"creat|erstellt", re.IGNORECASE)
_LISTS = ("accounts", "partners", "contacts", "users", "campaigns", "attributions", "opportunity_lines")
UNDATED = ("partners", "contacts", "users")
"""Lists of what is there now: the days in them say nothing of the day on which they were drawn."""

_MOSTLY, _STALE = 0.9, 14
# Reports of Salesforce carry the milliseconds since 1970 in their name.
_MILLISECONDS = re.compile(r"report(1[0-9]{12})")


def freshness(draft: Draft, settled: Settled, days: Days, file: str) -> Iterator[Line]:
    """The lines ``as_of`` and ``covers_from``; what deserves a look is added to the draft's checks."""
    columns = settled.of_kind("date", "timestamp")
    found = {name: proposal_forms.days_of(each[0], days.formats(name)) for name, (_, each) in columns.items()}
    dated = {name: these for name, these in found.items() if these}
    line = _as_of(draft, settled, dated, file, _orders(days) or order_told(settled.facts.remarks))
    if days.options and line.value.startswith("{newest"):
        # Of days that can be read both ways, nobody knows the newest.
        draft.newest = None
    yield line
    yield _covers_from(draft, settled, dated)


def _covers_from(draft: Draft, settled: Settled, dated: dict[str, tuple[dt.date, ...]]) -> Line:
    """From which day on: the oldest day of a column; a list is complete whenever it is drawn."""
    known = dated if settled.facts.rows else settled.of_kind("date", "timestamp")
    order = [name for name in ("created_at", *_PAST, "close_date", *known) if name in known]
    if order and draft.table not in UNDATED:
        told = f"in this file {dated[order[0]][0]}" if order[0] in dated else "the file holds no rows yet"
        return Line("covers_from", f"{{oldest: {order[0]}}}", told)
    if draft.table in _LISTS:
        return Line("covers_from", "2000-01-01", "a list is complete whenever it is drawn")
    made = [
        (label, days[0])
        for label, days in _stamps_of_rows(settled)
        if re.search("creat|erstellt", label, re.IGNORECASE)
    ]
    if made:
        return Line("covers_from", made[0][1].isoformat(), f"check: the oldest {made[0][0]}")
    return Line("covers_from", ASK, "the first day that this export covers, e.g. 2026-01-01; nothing in it says so")


def order_told(remarks: Sequence[str]) -> frozenset[str]:
    """The order of day and month, ``dm`` or ``md``, in the dates around the data, which follow the same settings."""
    told = set()
    for line in remarks:
        either = [form for form in _STAMPS if _order(form) and date_in(line, form)]
        if len({_order(form) for form in either}) == 1:
            told.add(_order(either[0]))
    return frozenset(told)


def _as_of(
    draft: Draft, settled: Settled, dated: dict[str, tuple[dt.date, ...]], file: str, orders: frozenset[str]
) -> Line:
    stamp = _stamp(settled.facts.remarks, orders)
    if stamp:
        line, find, form = stamp
        draft.newest = date_in(line, form)
        return Line("as_of", f'{{find: {scalar(find)}, format: "{form}"}}', comment((line,)))
    form = _form_in(file, orders)
    if form:
        draft.newest = date_in(file, form)
        return Line("as_of", f'{{file_name: "{form}"}}', f"the file's name says {date_in(file, form)}")
    number = _MILLISECONDS.search(file)
    if number:
        draft.newest = day = dt.datetime.fromtimestamp(int(number[1]) / 1000, dt.UTC).date()
        draft.checks.append(f"the number in the file's name says {day}; write the day of each new export into as_of")
        return Line("as_of", day.isoformat(), "check: the file's name says so, in milliseconds since 1970")
    return _by_rows(draft, settled, dated)


def _by_rows(draft: Draft, settled: Settled, dated: dict[str, tuple[dt.date, ...]]) -> Line:
    """The newest day of a column that lies in the past; the day itself where only an unmapped column knows it."""
    name = _newest(settled, dated)
    stamps = [(days[-1], label) for label, days in _stamps_of_rows(settled)]
    day, label = max(stamps, key=lambda each: each[0], default=(None, ""))
    if day is not None and (name not in dated or (day - dated[name][-1]).days > _STALE):
        draft.newest = day
        draft.checks.append(f"the export does not say how fresh it is; the newest {label}, {day}, is taken")
        return Line("as_of", day.isoformat(), f"check: the newest {label}; write the day of each new export here")
    if name in dated:
        draft.newest = dated[name][-1]
        draft.checks.append(f"the export does not say how fresh it is; its newest {name}, {dated[name][-1]}, is taken")
        return Line("as_of", f"{{newest: {name}}}", f"check: in this file {dated[name][-1]}")
    days = [each for each in ("created_at", *_PAST, "close_date") if each in settled.filled]
    if days and not settled.facts.rows:
        draft.checks.append(f"the export does not say how fresh it is; its newest {days[0]} will be taken")
        return Line("as_of", f"{{newest: {days[0]}}}", "check: the file holds no rows yet")
    return Line("as_of", ASK, "the last day that this export covers, e.g. 2026-09-30; nothing in it says so")


def _stamps_of_rows(settled: Settled) -> Iterator[tuple[str, tuple[dt.date, ...]]]:
    """The days in columns that nobody needs but that say when a row was made or last touched."""
    for label, column in settled.facts.columns.items():
        if label in settled.columns or not _TOUCHED.search(label) or label in settled.facts.repeated:
            continue
        guess = guess_dates(column.texts)
        if guess.share < _MOSTLY or guess.ambiguous or guess.mixed:
            continue
        days = proposal_forms.days_of(column, guess.formats)
        if days:
            yield comment((label,)), days


def _newest(settled: Settled, dated: dict[str, tuple[dt.date, ...]]) -> str:
    """The column whose newest day comes closest to the day of the export without lying ahead of it."""
    past = [name for name in _PAST if name in dated]
    if "close_date" in dated and _closing_days_are_past(settled):
        past.append("close_date")
    return max(past, key=lambda name: (dated[name][-1], -past.index(name)), default=next(iter(dated), ""))


def _closing_days_are_past(settled: Settled) -> bool:
    """Whether only closed deals have a closing day: then none of them lies ahead."""
    column = TABLES["opportunities"].column("stage")
    if column is None or settled.match.table != "opportunities":
        return False
    counts = {word: count for each in settled.holds("stage") for word, count in each.counts.items()}
    words = meanings(column, "opportunities", counts, (settled.dialect,), evidence(settled))
    stages = {each.word: each.value for each in words}
    rows = [(key[0], key[-1]) for key in settled.facts.together if len(key) > 1]
    opened = [filled for stage, filled in rows if stages.get(stage, "open_early").startswith("open")]
    return bool(rows) and not any(opened)


def _stamp(remarks: Sequence[str], orders: frozenset[str]) -> tuple[str, str, str] | None:
    """A line that says how fresh the export is: the line, the words to find it by, the format of its date."""
    for word in _WORDS:
        for line in remarks:
            at = line.casefold().find(word)
            form = _form_in(line, orders) if at >= 0 else ""
            if form:
                return line, line[at : at + len(word)], form
    return None


def _form_in(text: str, orders: frozenset[str]) -> str:
    """The format of a date within a text; of two that fit, the one whose order the export's own days have."""
    fitting = [form for form in _STAMPS if date_in(text, form)]
    clear = [form for form in fitting if not _order(form)]
    either = [form for form in fitting if _order(form)]
    if clear or len({date_in(text, form) for form in either}) == 1:
        return (clear or either)[0]
    known = [form for form in either if orders == {_order(form)}]
    return known[0] if known else ""


def _orders(days: Days) -> frozenset[str]:
    """In which order the days of an export have day and month, where they are numbers."""
    return frozenset(filter(None, map(_order, (*days.date, *days.timestamp)))) if not days.options else frozenset()


def _order(form: str) -> str:
    if "%m" not in form or form.startswith(("%Y", "%y")) or "." in form:
        return ""
    return "dm" if form.index("%d") < form.index("%m") else "md"
