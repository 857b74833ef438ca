"""What a column probably holds, by a vote of all its values; apart, because conversions never guess: a tool that
proposes a mapping asks here, shows the votes, and a person decides.

One cell with a day beyond twelve decides the order of day and month for a whole column. Where nothing decides, the
guess says so, and it becomes a question.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pyarrow as pa

from pbr_lib.cell_dates import DateRules, to_days
from pbr_lib.cell_numbers import to_booleans
from pbr_lib.cell_text import TextRules, clean
from pbr_lib.cells import BOOL, DATE, DATETIME, NUMBER, TEXT, Cells
from pbr_lib.conversions import BLANKS
from pbr_lib.date_formats import DateFormat, compiled
from pbr_lib.number_formats import Plan, planned

__all__ = ["DateGuess", "KindGuess", "NumberGuess", "guess_dates", "guess_kind", "guess_numbers", "guess_separator"]

Kind = Literal["text", "date", "timestamp", "number", "bool", "id", "empty"]

_DAY_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%m.%d.%y", "%d-%m-%y", "%m-%d-%y"),
    *("%d %b %Y", "%d. %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d.%b.%Y", "%d %b, %Y", "%d de %b de %Y"),
    *("%d %b %y", "%d. %b %y", "%d-%b-%y", "%d/%b/%y", "%d %b, %y"),
    *("%b %d, %Y", "%b %d %Y", "%b-%d-%Y", "%Y %b %d", "%Y-%b-%d", "%b %d, %y"),
    *("%b %Y", "%b-%Y", "%b/%Y", "%b-%y", "%b %y", "%b'%y", "%Y-%m", "%m/%Y", "%m.%Y", "%Y %b"),
)
_TIME = re.compile(
    r"(?P<day>.*?[^\s,T])(?P<parting>,?\s+|T)(?P<clock>[0-9]{1,2}:[0-9]{2}(?P<second>:[0-9]{2}(?P<part>[.,][0-9]{1,9})?)?)"
    r"(?P<half>\s*[ap]\.?\s?m\.?)?(?P<blank>\s?)(?P<zone>Z|UTC|GMT|[+\-\u2212][0-9]{2}:?(?:[0-9]{2})?)?",
    re.IGNORECASE | re.DOTALL,
)
_SERIAL = re.compile(r"[2-7][0-9]{4}(?:\.[0-9]+)?")
_ID = re.compile(
    r"(?=.*[0-9])[0-9A-Za-z]{15}(?:[A-Za-z0-5]{3})?|\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?|[0-9]{9,}"
    r"|[A-Za-z]{1,6}[-_#]?[0-9]+(?:-[0-9]+)*"
)
_SURE = 0.9


@dataclass(frozen=True)
class DateGuess:
    """The formats of a column of dates, best first, with how many values each reads.

    ``ambiguous``: both orders of day and month fit every value. ``mixed``: some values allow only the one order and
    some only the other. ``midnights``: every time of day is a midnight, as where an export stamps its days. ``zone``
    is UTC when all moments say so, ``own`` when they carry other distances, else empty. ``serials`` counts values that
    look like Excel's serial numbers, ``examples`` decide between orders, and ``strays`` fit no format.
    """

    formats: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    ambiguous: bool = False
    mixed: bool = False
    two_digit_years: bool = False
    with_time: bool = False
    midnights: bool = False
    zone: str = ""
    serials: int = 0
    read: int = 0
    total: int = 0
    examples: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share of the values that some format reads, 0 to 1."""
        return self.read / self.total if self.total else 0.0


@dataclass(frozen=True)
class NumberGuess:
    """How a column of numbers is written.

    ``decimal`` is the sign before decimals, empty where no value tells (``ambiguous``) or values contradict each other
    (``mixed``); ``points`` and ``commas`` count the values that allow only the one or the other. ``currencies`` are
    the codes found, ``signs`` the marks of several currencies, ``suffixes`` those of thousands and millions.
    """

    decimal: Literal[".", ",", ""] = "."
    ambiguous: bool = False
    mixed: bool = False
    points: int = 0
    commas: int = 0
    currencies: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    percent: bool = False
    share_numeric: float = 0.0
    examples: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()


@dataclass(frozen=True)
class KindGuess:
    """What a column probably holds, and which share of its cells speaks for it (0 to 1)."""

    kind: Kind
    confidence: float


def guess_dates(values: Sequence[str]) -> DateGuess:
    """The formats of a column of dates, by a vote of the values given; blank ones have none."""
    counts = _counted(values)
    families: dict[tuple[str, ...], list[_Dated]] = defaultdict(list)
    strays, serials = [], 0
    for value, count in counts.items():
        dated = _dated(value, count)
        if dated is not None:
            families[dated.forms].append(dated)
        elif _SERIAL.fullmatch(value):
            serials += count
        else:
            strays.append(value)
    votes = [_vote(forms, dated) for forms, dated in families.items()]
    orders = {vote.order for vote in votes if vote.order}
    if len(orders) == 1:
        # What is clear in one look of days, as 8/31/2024, decides for another, as 5/2/24.
        votes = [_vote(forms, dated, *orders) for forms, dated in families.items()]
    tally: Counter[str] = Counter()
    for vote in votes:
        tally.update(vote.tally)
        strays += vote.strays
    formats = sorted(tally, key=lambda form: (-tally[form], list(tally).index(form)))
    known = [dated for group in families.values() for dated in group]
    return DateGuess(
        tuple(formats),
        tuple(tally[form] for form in formats),
        any(vote.ambiguous for vote in votes),
        any(vote.mixed for vote in votes),
        any("%y" in form for form in formats),
        any("%M" in form for form in formats),
        all(one.midnight for one in known if one.time) and any(one.time for one in known),
        _zone(known),
        serials,
        sum(vote.read for vote in votes),
        sum(counts.values()),
        tuple(example for vote in votes for example in vote.examples)[:3],
        tuple(strays[:3]),
    )


def guess_numbers(values: Sequence[str]) -> NumberGuess:
    """How a column of numbers is written, by a vote of the values given; blank ones have none."""
    counts = _counted(values)
    evidence: Counter[str] = Counter()
    currencies, signs, suffixes = Counter[str](), Counter[str](), Counter[str]()
    percent, read = False, 0
    deciding: list[str] = []
    strays: list[str] = []
    for value, count in counts.items():
        told = _told(value)
        if told is None:
            strays.append(value)
            continue
        plan, decimal = told
        read += count
        evidence[decimal] += count
        if decimal in (".", ",") and len(deciding) < 3:
            deciding.append(value)
        percent |= plan.percent
        for found, word in ((currencies, plan.currency), (signs, plan.sign), (suffixes, plan.suffix)):
            if word:
                found[word] += count
    points, commas = evidence["."], evidence[","]
    ambiguous = not (points or commas) and evidence["?"] > 0
    mixed = points > 0 and commas > 0
    return NumberGuess(
        "" if ambiguous or mixed else "," if commas else ".",
        ambiguous,
        mixed,
        points,
        commas,
        tuple(sorted(currencies)),
        tuple(sorted(signs)),
        tuple(sorted(suffixes)),
        percent,
        read / sum(counts.values()) if counts else 0.0,
        tuple(deciding),
        tuple(strays[:3]),
    )


def guess_kind(cells: Cells) -> KindGuess:
    """What a column probably holds, from a sample of its cells; anything that is not clear is text."""
    text = clean(cells, TextRules())
    values = [value for value in text.to_pylist() if value is not None]
    if not values:
        return KindGuess("empty", 1.0)
    if cells.kinds is not None:
        typed = _typed(cells, len(values))
        if typed is not None:
            return typed
    distinct = len(set(values))
    truths = to_booleans(Cells(pa.array(values)), blank_is_false=False).values
    if distinct <= 2 and truths.null_count == 0:
        # Two numbers may as well be counts.
        return KindGuess("bool", 0.6 if set(values) <= {"0", "1"} else 1.0)
    dates = guess_dates(values)
    if dates.share >= _SURE:
        return KindGuess("timestamp" if dates.with_time and not dates.midnights else "date", dates.share)
    if all(map(str.isdecimal, values)) and any(len(value) > 1 and value[0] == "0" for value in values):
        return KindGuess("id", 1.0)
    ids = sum(_ID.fullmatch(value) is not None for value in values) / len(values)
    if ids >= _SURE:
        return KindGuess("id", ids)
    numbers = guess_numbers(values).share_numeric
    if numbers >= _SURE:
        return KindGuess("number", numbers)
    return KindGuess("text", 1 - max(dates.share, ids, numbers))


def guess_separator(values: Sequence[str]) -> str:
    """What parts several values in one cell (``;``, ``|``, a line end or ``,``); empty where a cell holds one.

    A comma also stands within names such as ``Acme, Inc.``, so it counts only where most of what it parts occurs again.
    """
    counts = _counted(values)
    for separator in (";", "|", "\n", ","):
        words: Counter[str] = Counter()
        parted: Counter[str] = Counter()
        for value, count in counts.items():
            parts = [part.strip(BLANKS) for part in value.split(separator)]
            words.update(dict.fromkeys(parts, count))
            if len(parts) > 1 and all(parts[:-1]):
                parted.update({part: count for part in parts if part})
        again = sum(count for part, count in parted.items() if words[part] > 1)
        if parted and (separator != "," or again >= 0.6 * sum(parted.values())):
            return separator
    return ""


# ------------------------------------------------------------------------------------------------ dates


@dataclass(frozen=True)
class _Dated:
    """A value in its parts: the text of its day, the formats that may read it, and the format of its time."""

    value: str
    count: int
    day: str
    forms: tuple[str, ...]
    time: str = ""
    zone: str = ""

    @property
    def midnight(self) -> bool:
        """Whether its time is the beginning of a day."""
        clock = re.sub("[^0-9apAP]", "", self.value[len(self.day) :].removesuffix(self.zone)).lower()
        return re.fullmatch("0+|12(?:00)+a", clock) is not None


@dataclass(frozen=True)
class _Vote:
    """How values whose days look alike voted: for each whole format, how many values it reads."""

    tally: dict[str, int]
    read: int
    ambiguous: bool
    mixed: bool
    order: str
    examples: list[str]
    strays: list[str]


def _counted(values: Iterable[str]) -> Counter[str]:
    stripped = (value.strip(BLANKS) for value in values if value)
    return Counter(value for value in stripped if value)


@lru_cache(maxsize=1)
def _day_formats() -> tuple[DateFormat, ...]:
    return tuple(compiled(form) for form in _DAY_FORMATS)


@lru_cache(maxsize=4096)
def _forms(shape: str) -> tuple[str, ...]:
    return tuple(form.text for form in _day_formats() if form.plan(shape))


def _dated(value: str, count: int) -> _Dated | None:
    if len(value) > 60:
        return None
    match = _TIME.fullmatch(value)
    day = match["day"] if match else value
    forms = _forms(re.sub("[0-9]", "0", day))
    if not forms:
        return None
    if match is None:
        return _Dated(value, count, day, forms)
    parting = "T" if match["parting"] in "tT" else ", " if "," in match["parting"] else " "
    half = " %p" if match["half"] else ""
    clock = ("%I" if half else "%H") + ":%M" + (":%S" if match["second"] else "")
    part = f"{match['part'][0]}%f" if match["part"] else ""
    zone = (match["blank"] + "%z") if match["zone"] else ""
    return _Dated(value, count, day, forms, parting + clock + part + half + zone, match["zone"] or "")


def _order(form: str) -> str:
    return "dm" if form.find("%d") < form.find("%m") else "md"


def _vote(forms: tuple[str, ...], dated: list[_Dated], order: str = "") -> _Vote:
    """Let the days of one look decide between their formats, which differ in the order of day and month.

    ``order`` is that of the other days of the column; it decides where these do not.
    """
    days = Cells(pa.array([one.day for one in dated]))
    fits = [
        to_days(days, DateRules(formats=(form,))).values.is_valid().to_numpy(zero_copy_only=False) for form in forms
    ]
    read = np.logical_or.reduce(fits)
    counts = np.array([one.count for one in dated])
    strays = [one.value for one, fit in zip(dated, read, strict=True) if not fit]
    sole = [fit & (np.sum(fits, axis=0) == 1) for fit in fits]
    decided = [at for at, mask in enumerate(sole) if mask.any()]
    chosen = decided or [at for at, form in enumerate(forms) if order in ("", _order(form))]
    ambiguous = len(chosen) > 1 and not decided and bool(read.any())
    own = _order(forms[decided[0]]) if len(forms) > 1 and len(decided) == 1 else ""
    tally: dict[str, int] = {}
    for at in chosen:
        for one, fit in zip(dated, fits[at], strict=True):
            if fit:
                tally[forms[at] + one.time] = tally.get(forms[at] + one.time, 0) + one.count
    examples = [dated[int(np.flatnonzero(sole[at])[0])].value for at in decided if len(forms) > 1]
    return _Vote(tally, int(counts[read].sum()), ambiguous, len(decided) > 1, own, examples, strays)


def _zone(dated: list[_Dated]) -> str:
    zones = {one.zone.upper() for one in dated if one.zone}
    if not zones:
        return ""
    timed = [one for one in dated if one.time]
    utc = all(zone in ("Z", "UTC", "GMT") or not re.sub("[^1-9]", "", zone) for zone in zones)
    return "UTC" if utc and all(one.zone for one in timed) else "own"


# ---------------------------------------------------------------------------------------------- numbers


def _told(value: str) -> tuple[Plan, str] | None:
    """How a value is read as a number, and what it says of decimals: ``.``, ``,``, ``?`` for either, nothing."""
    shape = re.sub("[0-9]", "0", value)
    point, comma = planned(shape, "."), planned(shape, ",")
    if isinstance(point, Plan) and isinstance(comma, Plan):
        same = (point.whole, point.part) == (comma.whole, comma.part)
        if same:
            return point, ""
        # 0.123 groups no thousands.
        if re.fullmatch("[^0-9]*0[.,][0-9]{3}[^0-9]*", value):
            return (point, ".") if "." in value else (comma, ",")
        return point, "?"
    if isinstance(point, Plan):
        return point, "."
    return (comma, ",") if isinstance(comma, Plan) else None


def _typed(cells: Cells, filled: int) -> KindGuess | None:
    """What the kinds of a workbook's cells say, where most of them are of one kind."""
    kinds = Counter(cells.kinds.tolist() if cells.kinds is not None else ())
    days = kinds[DATE] + kinds[DATETIME]
    shares: dict[Kind, int] = {"bool": kinds[BOOL], "number": kinds[NUMBER]}
    shares["timestamp" if kinds[DATETIME] else "date"] = days
    kind = max(shares, key=lambda one: shares[one])
    share = shares[kind] / filled
    return KindGuess(kind, share) if share >= _SURE and kinds[TEXT] < len(cells) else None
