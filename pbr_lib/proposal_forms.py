"""How the days and numbers of an export are written, by a vote of whole columns; apart, because one export follows one
person's settings, so a column that is clear decides for its neighbours, and where none is clear it is a question.

Every proposal is tried out with the very conversions of the ingest before it is made.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from pbr_lib.cell_dates import DateRules, to_days, to_moments
from pbr_lib.cell_numbers import NumberRules, to_booleans, to_numbers
from pbr_lib.cells import BOOL, DATE, DATETIME, NUMBER, Cells
from pbr_lib.errors import SourceError
from pbr_lib.guesses import DateGuess, NumberGuess, guess_dates, guess_numbers
from pbr_lib.proposal_facts import ColumnFacts
from pbr_lib.schema import ColumnSpec

__all__ = ["SHARES", "Days", "Figures", "days_of", "fits", "read_days", "read_figures"]

SHARES = ("probability", "share", "cost_share", "commission_pct")
"""Columns that hold shares: a plain 85 is no share, 85 % is."""

_LEAST = 0.5
_CHECK_DAY = dt.date(2024, 2, 3)


@dataclass(frozen=True)
class Days:
    """How the days of an export are read.

    ``date`` and ``timestamp`` are formats for the whole export, ``own`` those of single columns that are written
    otherwise. ``options`` is filled when nobody can tell day from month: each reading with its formats and what an
    example would then be. ``unread`` counts cells of each column that no format reads.
    """

    date: tuple[str, ...] = ()
    timestamp: tuple[str, ...] = ()
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    options: tuple[tuple[tuple[str, ...], str], ...] = ()
    unclear: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def formats(self, name: str) -> tuple[str, ...]:
        """The formats with which a column is read; of an undecided one those of its first reading."""
        first = self.options[0][0] if self.options else ()
        return self.own.get(name) or tuple(dict.fromkeys((*self.date, *self.timestamp, *first)))


@dataclass(frozen=True)
class Figures:
    """How the numbers of an export are read; ``decimal`` is empty when it is a question (``examples`` show why)."""

    decimal: str = "."
    own: Mapping[str, str] = field(default_factory=dict)
    whole: tuple[str, ...] = ()
    unclear_shares: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    told: bool = False
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def fits(spec: ColumnSpec, facts: ColumnFacts) -> bool:
    """Whether a column's cells can be what a column of the table holds; an empty column always can."""
    if not facts.counts:
        return True
    if spec.kind in ("date", "timestamp"):
        return _share_of_days(facts) >= _LEAST
    if spec.kind in ("money", "number", "integer"):
        return _share_of_numbers(facts) >= _LEAST
    if spec.kind == "bool":
        read = to_booleans(facts.cells, blank_is_false=False).values
        return bool(len(read) - read.null_count >= _LEAST * len(read))
    return not (spec.values and facts.filled and len(facts.counts) > 60)


def _share_of_days(facts: ColumnFacts) -> float:
    texts, typed = facts.texts, _typed(facts, (DATE, DATETIME))
    guess = guess_dates(texts)
    serials = guess.serials + _typed(facts, (NUMBER,)) if typed or guess.read else 0
    return (guess.read + typed + serials) / len(facts.counts)


def _share_of_numbers(facts: ColumnFacts) -> float:
    read = guess_numbers(facts.texts).share_numeric * len(facts.texts)
    return (read + _typed(facts, (NUMBER,))) / len(facts.counts)


def _typed(facts: ColumnFacts, kinds: tuple[int, ...]) -> int:
    return sum(kind in kinds for kind in facts.distinct_kinds.values())


# ------------------------------------------------------------------------------------------------ days


def read_days(
    columns: Mapping[str, tuple[ColumnSpec, Sequence[ColumnFacts]]], told: frozenset[str] = frozenset()
) -> Days:
    """How the days of all columns are written, by their vote.

    ``columns`` gives, by the name of the column that they fill, what they hold. A clear column decides the order of
    day and month for those that are not; where none is clear, ``told`` does, the order of the dates around the data.
    """
    guesses = {}
    for name, (_, facts) in columns.items():
        guess = guess_dates([text for each in facts for text in each.texts])
        if guess.formats:
            guesses[name] = guess
    clear = {name: guess for name, guess in guesses.items() if not (guess.ambiguous or guess.mixed)}
    orders = {_order(form) for guess in clear.values() for form in guess.formats} - {""} or set(told)
    unclear = tuple(name for name, guess in guesses.items() if guess.mixed or (guess.ambiguous and len(orders) != 1))
    chosen = {name: guess.formats for name, guess in clear.items()}
    notes = []
    for name, guess in guesses.items():
        if name in clear or name in unclear:
            continue
        # Day and month of this column may stand either way; another column of the export knows.
        chosen[name] = tuple(form for form in guess.formats if _order(form) in ("", *orders))
        notes.append(f"{name} could be read both ways; its order is that of {_decider(clear, orders)}")
    options = _options({name: guesses[name] for name in unclear})
    days = _settled(columns, chosen, orders, options, unclear)
    unread = dict(_unread_days(columns, days))
    return Days(days.date, days.timestamp, days.own, options, unclear, tuple(notes), unread)


def _settled(
    columns: Mapping[str, tuple[ColumnSpec, Sequence[ColumnFacts]]],
    chosen: Mapping[str, tuple[str, ...]],
    orders: set[str],
    options: tuple[tuple[tuple[str, ...], str], ...],
    unclear: tuple[str, ...],
) -> Days:
    """Formats for the whole export, or for each column where columns of one export are written in two orders."""
    if len(orders) > 1:
        own = {name: forms for name, forms in chosen.items() if any(map(_order, forms))}
        chosen = {name: forms for name, forms in chosen.items() if name not in own}
    else:
        own = {}
    split: dict[str, list[str]] = {"date": [], "timestamp": []}
    for name, forms in chosen.items():
        split[columns[name][0].kind].extend(form for form in forms if form not in split[columns[name][0].kind])
    return Days(tuple(split["date"]), tuple(split["timestamp"]), own, options, unclear)


def _options(guesses: Mapping[str, DateGuess]) -> tuple[tuple[tuple[str, ...], str], ...]:
    """The two readings of columns whose day and month stand either way."""
    if not guesses:
        return ()
    forms = tuple(dict.fromkeys(form for guess in guesses.values() for form in guess.formats))
    out = []
    for order in ("md", "dm"):
        mine = tuple(form for form in forms if _order(form) in ("", order))
        if mine:
            example = _CHECK_DAY.strftime(next((form for form in mine if _order(form)), mine[0]))
            out.append((mine, f"{example} is {_CHECK_DAY.day} February {_CHECK_DAY.year}"))
    return tuple(out)


def _order(form: str) -> str:
    """``dm`` or ``md`` where a format writes both as numbers and no year goes before; empty where order is plain."""
    if "%m" not in form or "%d" not in form or form.lower().startswith("%y"):
        return ""
    return "dm" if form.index("%d") < form.index("%m") else "md"


def _decider(clear: Mapping[str, DateGuess], orders: set[str]) -> str:
    for name, guess in clear.items():
        if any(_order(form) in orders for form in guess.formats):
            return f"{name} ({guess.examples[0]})" if guess.examples else name
    return "the other columns"


def _unread_days(
    columns: Mapping[str, tuple[ColumnSpec, Sequence[ColumnFacts]]], days: Days
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, (spec, facts) in columns.items():
        rules = DateRules(formats=days.formats(name))
        strays: list[str] = []
        for each in facts:
            cells = each.cells
            found = (to_days if spec.kind == "date" else to_moments)(cells, rules)
            strays += [cells.text[int(row)].as_py() for fault in found.faults for row in fault.rows[:3]]
        if strays:
            yield name, tuple(strays[:3])


def days_of(facts: ColumnFacts, formats: tuple[str, ...]) -> tuple[dt.date, ...]:
    """Every distinct day of a column under those formats, the oldest first."""
    try:
        found = to_days(facts.cells, DateRules(formats=formats)).values
    except SourceError:
        return ()
    return tuple(sorted({day for day in found.to_pylist() if day is not None}))


# ------------------------------------------------------------------------------------------------ numbers


def read_figures(columns: Mapping[str, tuple[ColumnSpec, Sequence[ColumnFacts]]], hint: str = "") -> Figures:
    """How the numbers of all columns are written, by their vote; ``hint`` is what the file's look suggests."""
    guesses = {}
    for name, (_, facts) in columns.items():
        texts = [text for each in facts for text in each.texts]
        if texts:
            guesses[name] = guess_numbers(texts)
    told = {name: guess.decimal for name, guess in guesses.items() if guess.decimal and (guess.points or guess.commas)}
    decimals = Counter(told.values())
    unclear = {name: guess for name, guess in guesses.items() if guess.ambiguous or guess.mixed}
    mixed = any(guess.mixed for guess in unclear.values())
    main = max(sorted(decimals), key=lambda each: decimals[each]) if decimals else hint or "."
    asked = mixed or (bool(unclear) and not decimals and not hint)
    own = {name: decimal for name, decimal in told.items() if decimal != main}
    examples = [text for name in unclear for text in columns[name][1][0].samples()]
    whole, doubtful = _shares(columns, main)
    return Figures(
        "" if asked else main,
        own,
        whole,
        doubtful,
        _several(guesses, "signs"),
        _several(guesses, "currencies"),
        tuple(examples[:3]),
        bool(unclear or decimals),
        {} if asked else dict(_unread_numbers(columns, main, own, guesses)),
    )


def _several(guesses: Mapping[str, NumberGuess], what: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for guess in guesses.values() for each in getattr(guess, what)))


def _shares(
    columns: Mapping[str, tuple[ColumnSpec, Sequence[ColumnFacts]]], decimal: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The share columns whose plain numbers count in hundredths, and those where nobody can tell."""
    whole, doubtful = [], []
    for name, (_, facts) in columns.items():
        plain = [text for each in facts for text in each.counts if "%" not in text]
        if name not in SHARES or not plain:
            continue
        rules = NumberRules(decimal=decimal if decimal in (".", ",") else ".")  # type: ignore[arg-type]
        numbers = [value for value in to_numbers(_cells(plain), rules).values.to_pylist() if value is not None]
        if any(value > 1 for value in numbers):
            whole.append(name)
        elif numbers and all(value in (0, 1) for value in numbers):
            doubtful.append(name)
    return tuple(whole), tuple(doubtful)


def _unread_numbers(
    columns: Mapping[str, tuple[ColumnSpec, Sequence[ColumnFacts]]],
    main: str,
    own: Mapping[str, str],
    guesses: Mapping[str, NumberGuess],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, (_, facts) in columns.items():
        shared = dict.fromkeys(guesses[name].signs if name in guesses else (), "USD")
        rules = NumberRules(
            decimal=own.get(name, main),  # type: ignore[arg-type]
            percent=name in SHARES,
            percent_plain="share" if name in SHARES else "",
            signs=shared,
        )
        strays: list[str] = []
        for each in facts:
            if each.distinct_kinds and set(each.distinct_kinds.values()) <= {NUMBER, BOOL}:
                continue
            cells = each.cells
            found = to_numbers(cells, rules)
            strays += [cells.text[int(row)].as_py() for fault in found.faults for row in fault.rows[:3]]
        if strays:
            yield name, tuple(strays[:3])


def _cells(texts: Sequence[str]) -> Cells:
    return Cells(pa.array(list(texts), pa.string()))
