"""What each CRM calls things: its labels, words and spellings, as data; apart, because it is knowledge about other
people's products, which grows without any of our code.

A dialect lies in ``dialect_data/<name>.yaml``. At run time it lends a mapping that names it the CRM's spellings of
"nothing" and its default stages; everything else serves only those who *propose* mappings.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML

from pbr_lib.errors import InputError, did_you_mean
from pbr_lib.schema import TABLES

__all__ = [
    "GENERIC",
    "Dialect",
    "Match",
    "columns_of",
    "get",
    "guess_word",
    "label_key",
    "logical_names",
    "names",
    "recognise",
]

GENERIC = "generic"
"""The dialect of hand-made sheets; the others fall back on its labels."""

_DATA = Path(__file__).parent / "dialect_data"
# Custom fields of Salesforce end in __c, which a sync into a warehouse writes as _c.
_CUSTOM = re.compile(r"_+(?:pc|c|r|s)$", re.IGNORECASE)
_ENTITY = re.compile(r"[a-z0-9]+")
_LEAST = 5
_SURE = 3


@dataclass(frozen=True)
class Dialect:
    """How one CRM writes its exports.

    ``nulls`` are the texts that mean an empty cell; ``entities`` says that text may hold HTML entities,
    ``apostrophe`` that cells are guarded by one, ``salesforce_ids`` that ids of 15 signs stand for those of 18.
    ``partner_labels`` are the columns that name partners, by credit, and ``partner_kinds`` the kinds of account that
    mean a partner.
    """

    name: str
    title: str
    about: str
    nulls: frozenset[str] = frozenset()
    entities: bool = False
    apostrophe: bool = False
    salesforce_ids: bool = False
    partner_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    partner_kinds: tuple[str, ...] = field(default=(), repr=False)
    deleted: tuple[str, ...] = field(default=(), repr=False)
    marks: tuple[str, ...] = field(default=(), repr=False)
    prefixes: tuple[str, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    words: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict, repr=False)

    def labels(self, table: str) -> Mapping[str, tuple[str, ...]]:
        """For each column of a normalised table, the labels that this CRM gives it, the usual one first."""
        return cast("Mapping[str, tuple[str, ...]]", self.tables.get(table, {}).get("columns", {}))

    def first_of(self, table: str) -> Mapping[str, tuple[str, ...]]:
        """For columns that several labels fill together, those labels in the order in which they are asked."""
        return cast("Mapping[str, tuple[str, ...]]", self.tables.get(table, {}).get("first_of", {}))

    def values(self, table: str, column: str) -> Mapping[str, str]:
        """What this CRM's own words in a column mean, ``{word: canonical value}``; empty when it has none."""
        by_value = self.tables.get(table, {}).get("values", {}).get(column, {})
        return {word: value for value, words in by_value.items() for word in words}


@dataclass(frozen=True)
class Match:
    """A table as which a header can be read: ``columns`` says which label fills which column.

    ``score`` orders matches; ``marks`` are the labels that gave the dialect away.
    """

    dialect: str
    table: str
    score: float
    columns: Mapping[str, str]
    marks: tuple[str, ...] = ()


def names() -> tuple[str, ...]:
    """The names of all dialects, in order, the generic one last."""
    found = sorted(path.stem for path in _DATA.glob("*.yaml"))
    return (*(name for name in found if name != GENERIC), GENERIC)


@lru_cache(maxsize=32)
def get(name: str) -> Dialect:
    """The dialect of that name.

    Raises
    ------
    InputError
        When there is none; with the one that was probably meant.
    """
    if name not in names():
        raise InputError(f'no dialect is called "{name}"', "dialect", did_you_mean(name, names(), 20))
    raw = YAML(typ="safe", pure=True).load((_DATA / f"{name}.yaml").read_text("utf-8"))
    partners = raw.get("partners", {})
    credits = ("sourced", "influenced", "resold", "delivered", "flags")
    return Dialect(
        name,
        raw["title"],
        " ".join(raw["about"].split()),
        frozenset(raw.get("nulls", ())),
        raw.get("entities", False),
        raw.get("apostrophe", False),
        raw.get("salesforce_ids", False),
        {credit: tuple(partners.get(credit, ())) for credit in credits},
        tuple(partners.get("kinds", ())),
        tuple(raw.get("deleted", ())),
        tuple(raw.get("marks", ())),
        tuple(raw.get("prefixes", ())),
        tuple(raw.get("files", ())),
        raw["tables"],
        {name: {value: tuple(stems) for value, stems in words.items()} for name, words in raw.get("words", {}).items()},
    )


def label_key(label: str) -> str:
    """A label without case, spaces, signs and accents: ``StageName``, ``stage_name`` and ``STAGE NAME`` are one.

    What is left of a label of signs only is the label itself.
    """
    plain = unicodedata.normalize("NFKD", label.strip()).casefold()
    return "".join(sign for sign in plain if sign.isalnum()) or label.strip()


def guess_word(column: str, word: str) -> str:
    """The canonical value that a word of a column suggests by its stem in some language; empty when none does."""
    plain = unicodedata.normalize("NFKD", word).casefold()
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    text = " " + " ".join(re.split(r"[^\w]+|_", letters)) + " "
    for value, stems in _stems(column):
        if any(f" {stem}" in text for stem in stems):
            return value
    return ""


@lru_cache(maxsize=16)
def _stems(column: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The stems of a column in the order in which they are tried, written as :func:`guess_word` reads."""
    out = []
    for value, stems in get(GENERIC).words.get(column, {}).items():
        plain = (unicodedata.normalize("NFKD", stem).casefold() for stem in stems)
        letters = ("".join(sign for sign in stem if not unicodedata.combining(sign)) for stem in plain)
        out.append((value, tuple(stem.replace("-", " ").replace("_", " ") for stem in letters)))
    return tuple(out)


# ----------------------------------------------------------------------------------------- recognition


def recognise(labels: Sequence[str], facts: Mapping[str, str], file_name: str) -> tuple[Match, ...]:
    """As which tables of which dialects a header can be read, best first.

    Parameters
    ----------
    labels:
        The header's labels, as they stand.
    facts:
        What the reader found out; ``dynamics_entity`` names the table of a Dynamics worksheet.
    file_name:
        The file's name, which often names the table.
    """
    header = _Header(tuple(labels), facts, file_name)
    matches = []
    # Whoever knows the CRM for sure also knows what is no table of this kind, whatever its labels look like.
    sure = [each for each in map(get, names()) if len(header.marks(each)) >= _SURE]
    vetoed = {table for each in sure for table in each.tables if header.unlike(each, table)}
    for name in names():
        dialect = get(name)
        marks = header.marks(dialect)
        named = any(re.search(pattern, file_name.casefold()) for pattern in dialect.files)
        for table in {**dialect.tables, **get(GENERIC).tables}:
            match = header.match(dialect, table, marks, named)
            if match is not None and table not in vetoed:
                matches.append(match)
    return tuple(sorted(matches, key=lambda match: (-match.score, names().index(match.dialect), match.table)))


def columns_of(
    dialect: Dialect, table: str, labels: Sequence[str], refused: frozenset[tuple[str, str]]
) -> dict[str, str]:
    """Which label fills which column of a table, the dialect's own labels before the generic ones.

    ``refused`` holds pairs of label and column that the cells contradict; the next likely label takes their place.
    """
    header = _Header(tuple(labels), {}, "")
    own = header.columns(dialect, table, {}, refused)
    return own if dialect.name == GENERIC else header.columns(get(GENERIC), table, own, refused)


def logical_names(facts: Mapping[str, str]) -> dict[str, str]:
    """What the hidden sheet of a Dynamics worksheet says: the logical name behind each label; empty elsewhere."""
    try:
        told = json.loads(facts.get("dynamics_labels", "{}"))
    except json.JSONDecodeError:
        return {}
    return {str(label): str(name) for label, name in told.items()} if isinstance(told, dict) else {}


class _Header:
    """The labels of one export, ready to be compared with what dialects call things."""

    def __init__(self, labels: tuple[str, ...], facts: Mapping[str, str], file_name: str) -> None:
        self.labels = labels
        self.keys: dict[str, str] = {}
        for label in labels:
            self.keys.setdefault(label_key(label), label)
        self.entity = facts.get("dynamics_entity", "")
        stem = re.sub(r"\.[a-z0-9]{1,5}$", "", f"{file_name}".casefold())
        self.called = " " + " ".join(_ENTITY.findall(_spaced(stem))) + " "

    def marks(self, dialect: Dialect) -> tuple[str, ...]:
        """The labels that give this dialect away: its own way to write them counts, not only their letters."""
        exact = set(self.labels)
        snake = {label for label in self.labels if "_" in label or label.isupper()}
        written = {label_key(label): label for label in snake}
        out = [mark for mark in dialect.marks if mark in exact]
        if dialect.salesforce_ids:
            camel = [mark for mark in dialect.marks if " " not in mark]
            out += [written[key] for mark in camel if (key := label_key(mark)) in written and mark not in exact]
        return tuple(out)

    def match(self, dialect: Dialect, table: str, marks: tuple[str, ...], named: bool) -> Match | None:
        """The header as a table of a dialect, or None when too little of it is there."""
        spec = TABLES.get(table)
        if spec is None:
            return None
        own = self.columns(dialect, table, {})
        columns = self.columns(get(GENERIC), table, own) if dialect.name != GENERIC else own
        shelves = [each.tables.get(table, {}).get("marks", ()) for each in (dialect, get(GENERIC))]
        hints = {label_key(mark) for shelf in shelves for mark in shelf}
        told = [key for key in hints if key in self.keys]
        if not columns or not (told or self._named(dialect, table)):
            return None
        if self.unlike(dialect, table) or self.unlike(get(GENERIC), table):
            return None
        filled = set(columns.values())
        wide = len(filled)
        needs = [column.name for column in spec.columns if column.required and not column.computed]
        score = 2.0 * min(len(told), 4) + 1.0 * len(own) + 0.5 * (wide - len(own)) + (2.0 if spec.key in filled else 0)
        score += 2.0 * sum(name in filled for name in needs) - 2.5 * sum(name not in filled for name in needs)
        score += _CORE.get(table, lambda _: 0.0)(filled)
        score += 5.0 if self._named(dialect, table) else 0.0
        score += 20.0 if self.entity and label_key(self.entity) in map(label_key, self._called(dialect, table)) else 0.0
        if dialect.name != GENERIC:
            # One label alone may stand in anybody's sheet.
            score += 2.0 * min(len(marks), 5) + (2.0 if named else 0.0) if len(marks) > 1 or named else -6.0
        return Match(dialect.name, table, round(score, 2), columns, marks) if score >= _LEAST else None

    def columns(
        self, dialect: Dialect, table: str, taken: Mapping[str, str], refused: frozenset[tuple[str, str]] = frozenset()
    ) -> dict[str, str]:
        """Which label fills which column: the column's usual label first, each label and column once."""
        out = dict(taken)
        # A label as the CRM itself writes it goes before one that somebody added and that only looks like it.
        for keys in (self.keys, self._own_keys(dialect)):
            for column, labels in dialect.labels(table).items():
                if column in out.values():
                    continue
                here = (keys[key] for key in map(label_key, labels) if key in keys)
                label = next((each for each in here if each not in out and (each, column) not in refused), None)
                if label is not None:
                    out[label] = column
        return {label: out[label] for label in self.labels if label in out}

    def _own_keys(self, dialect: Dialect) -> dict[str, str]:
        """Keys of the header with, and then without, what this dialect hangs on to its labels."""
        out = dict(self.keys)
        for label in self.labels:
            bare = _CUSTOM.sub("", label) if dialect.salesforce_ids else label
            for prefix in dialect.prefixes:
                if bare.casefold().startswith(prefix.casefold()):
                    out.setdefault(label_key(bare[len(prefix) :]), label)
            out.setdefault(label_key(bare), label)
        return out

    def unlike(self, dialect: Dialect, table: str) -> bool:
        """Whether labels stand here that never do in this table of the dialect."""
        sets = dialect.tables.get(table, {}).get("unlike", ())
        return any(all(label_key(label) in self.keys for label in labels) for labels in sets)

    def _called(self, dialect: Dialect, table: str) -> Iterable[str]:
        shelves = [each.tables.get(table, {}).get("called", ()) for each in (dialect, get(GENERIC))]
        return tuple(next(filter(None, shelves), ()))

    def _named(self, dialect: Dialect, table: str) -> bool:
        called = (" ".join(_ENTITY.findall(_spaced(name))) for name in self._called(dialect, table))
        return any(self.called.endswith(f" {name} ") or self.called.startswith(f" {name} ") for name in called if name)


def _spaced(text: str) -> str:
    plain = unicodedata.normalize("NFKD", re.sub(r"([a-z])([A-Z])", r"\1 \2", text)).casefold()
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def _deals(filled: set[str]) -> float:
    """A deal has a stage, and a close date or an amount."""
    core = ("stage" in filled) + ("amount" in filled) + ("close_date" in filled)
    return {0: -40.0, 1: -40.0 if "name" not in filled and "opportunity_id" not in filled else -12.0, 2: 2.0, 3: 4.0}[
        core
    ]


def _leads(filled: set[str]) -> float:
    """A lead has a company or an address, and a status or a source."""
    who, what = {"company", "email"} & filled, {"status", "source"} & filled
    return 2.0 if who and what else -4.0


def _people(filled: set[str]) -> float:
    """A person has a name or an address."""
    return 0.0 if {"name", "email"} & filled else -40.0


def _named(filled: set[str]) -> float:
    """A company has a name."""
    return 0.0 if "name" in filled else -40.0


_CORE = {"opportunities": _deals, "leads": _leads, "contacts": _people, "accounts": _named, "partners": _named}
