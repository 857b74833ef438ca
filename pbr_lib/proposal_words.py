"""What the words of an export's columns mean: what its CRM is known to mean, what the rows themselves show, or what a
word's stem suggests; apart, because each answer carries its reason, and where there is none the question stays open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from pbr_lib.dialects import GENERIC, Dialect, get, guess_word, label_key
from pbr_lib.schema import ColumnSpec

__all__ = ["ASK", "Meaning", "RowEvidence", "meanings"]

ASK = "ask"
"""Stands where nobody has said yet what a word means; a mapping that holds it is refused, with the line."""

_MOST_WORDS = 60
_YES = frozenset({"1", "true", "yes", "ja", "wahr", "x", "oui", "t", "y", "vrai", "sí", "si"})
_TAIL = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)?")
_EARLY, _MIDDLE = Decimal(34), Decimal(67)


@dataclass(frozen=True)
class Meaning:
    """One word, what it means, how often it stands there, and why we say so (empty where the CRM defines it)."""

    word: str
    value: str
    count: int
    why: str = ""
    certain: bool = True


@dataclass(frozen=True)
class RowEvidence:
    """What rows say of their own stage: how often each stage stands beside each "is won", "is closed", probability.

    The tuples of ``together`` hold the values of ``labels`` in their order, the stage first.
    """

    roles: tuple[str, ...]
    together: Mapping[tuple[str, ...], int]

    def stage(self, word: str) -> tuple[str, str, bool]:
        """The stage that a word stands for, why, and whether that is certain; empty where rows do not say."""
        rows = [dict(zip(self.roles, key, strict=False)) for key in self.together if key and key[0] == word]
        for role, yes, no in (("won", "won", ""), ("closed", "", "open")):
            if role not in self.roles or not rows:
                continue
            said = {row[role].casefold() in _YES for row in rows}
            if len(said) != 1:
                return "", "", False
            if role == "won" and said == {True}:
                return yes, "every row with it is marked won", True
            if role == "closed" and "won" in self.roles and said == {True}:
                return "lost", "every row with it is closed and none is won", True
            if no and said == {False}:
                return self._open(word, "every row with it is open")
        return self._by_probability(word)

    def _by_probability(self, word: str) -> tuple[str, str, bool]:
        chances = self._chances(word)
        if chances == {Decimal(100)}:
            return "won", "its probability is always 100: check", False
        if chances == {Decimal(0)}:
            return "lost", "its probability is always 0: check", False
        return self._open(word, "") if chances else ("", "", False)

    def _open(self, word: str, why: str) -> tuple[str, str, bool]:
        by_name = guess_word("stage", word)
        if by_name.startswith("open"):
            return by_name, why or "guessed from its name: check", bool(why)
        chances = self._chances(word)
        if not chances:
            return ("open_early", f"{why}; how far it is, nobody says: check", False) if why else ("", "", False)
        middle = sum(chances) / len(chances)
        value = "open_early" if middle < _EARLY else "open_mid" if middle < _MIDDLE else "open_late"
        return value, f"its probability is about {middle:.0f}: check", False

    def _chances(self, word: str) -> set[Decimal]:
        """The probabilities beside a word, in percent."""
        if "probability" not in self.roles:
            return set()
        at = self.roles.index("probability")
        every = [key[at].strip().rstrip("%").strip() for key in self.together]
        numbers = {text: number for text in every if (number := _number(text)) is not None}
        scale = 100 if numbers and max(numbers.values()) <= 1 else 1
        texts = (key[at].strip().rstrip("%").strip() for key in self.together if key[0] == word)
        return {numbers[text] * scale for text in texts if text in numbers}


def meanings(
    column: ColumnSpec, table: str, counts: Mapping[str, int], dialects: Sequence[Dialect], rows: RowEvidence | None
) -> tuple[Meaning, ...]:
    """What each distinct word of a column means, the frequent ones first; empty where the words can stay as they are.

    A column with a closed list of values gets :data:`ASK` where nothing is known of a word; in others the word stays.
    """
    if not column.values and (len(counts) > _MOST_WORDS or not _known(column, table, dialects)):
        return ()
    known = _known(column, table, dialects)
    out = []
    for word, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        out.append(_meaning(column, word, count, known, rows))
    changed = any(each.value != each.word for each in out)
    return tuple(out) if column.values or changed or _known(column, table, dialects[:1]) else ()


def _known(column: ColumnSpec, table: str, dialects: Sequence[Dialect]) -> dict[str, str]:
    """What the dialects know, by folded word; the first dialect goes first."""
    out: dict[str, str] = {}
    for dialect in (*dialects, get(GENERIC)):
        for word, value in dialect.values(table, column.name).items():
            out.setdefault(label_key(word), value)
    return out


def _meaning(column: ColumnSpec, word: str, count: int, known: Mapping[str, str], rows: RowEvidence | None) -> Meaning:
    for form, why in ((word, ""), (_TAIL.sub("", word), "")):
        if form and label_key(form) in known:
            return Meaning(word, known[label_key(form)], count, why)
    if word in column.values:
        return Meaning(word, word, count)
    if column.name == "stage" and rows is not None:
        value, why, certain = rows.stage(word)
        if value:
            return Meaning(word, value, count, why, certain)
    value = guess_word(_family(column.name), word)
    if value and (not column.values or value in column.values):
        return Meaning(word, value, count, "guessed from its name: check", False)
    if column.values:
        return Meaning(word, ASK, count, f"write one of {', '.join(column.values)}", False)
    return Meaning(word, word, count, "kept as it is")


def _family(name: str) -> str:
    """Which list of stems fits a column."""
    return "type" if name == "type" else name


def _number(text: str) -> Decimal | None:
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
