"""Which partner a text stands for; apart, because matching is a decision that people sign, in params/crosswalk.csv.

What the crosswalk says comes first, the entries of the text's own system before those of any. Then the partner list
is asked, exactly: nothing is matched because it looks alike. A text that fits several partners fits none. What looks
alike is only ever *suggested*, as the row that a person would add to the crosswalk.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Literal

import pyarrow as pa

from pbr_lib.errors import SourceError
from pbr_lib.mapping import Match
from pbr_lib.model import Finding

__all__ = ["AMBIGUOUS", "UNKNOWN", "Crosswalk", "Entry", "Matched", "Suggestion", "standard_id"]

Kind = Literal["partner_id", "account_id", "domain", "name"]

AMBIGUOUS, UNKNOWN = "ambiguous", "unknown"
_ANY: tuple[Kind, ...] = ("partner_id", "account_id", "domain", "name")
_FILE = "params/crosswalk.csv"
_SHORT_ID = re.compile(r"[0-9A-Za-z]{15}")
_LONG_ID = re.compile(r"[0-9A-Za-z]{15}[0-5A-Za-z]{3}")
_CHECK_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?([^/:?#\s@]+\.[^/:?#\s@.]+)\.?(?:[:/?#].*)?")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i"})
_LEGAL_FORMS = """
ab ag as asa aps bv bvba co company corp corporation doo gmbh gbr group holding inc incorporated kft kg kgaa limited
llc llp lp ltd ltda mbh nv ohg oy oyj plc pte pty pvt sa sarl sas se sl slu spa spzoo srl sro ug
"""
_LEGAL = frozenset(_LEGAL_FORMS.split())
_LIKELY = 0.75


@dataclass(frozen=True)
class Entry:
    """One row of the crosswalk: in ``system`` (empty for any), ``given`` stands for the partner ``partner_id``.

    ``given`` is an id, name or domain as exported; the old id of a partner that was renamed or merged is one too.
    """

    entity: str
    system: str
    given: str
    partner_id: str
    method: str = "manual"
    decided_by: str = ""
    where: str = ""


@dataclass(frozen=True)
class Matched:
    """For each text the partner it stands for, or null; and how it was found, or why it was not.

    ``why`` is ``crosswalk``, what of the partner list fitted, ``ambiguous`` or ``unknown``; null for a null text.
    """

    partner_ids: pa.StringArray
    why: pa.StringArray


@dataclass(frozen=True)
class Suggestion:
    """A partner that a text may stand for; ``score`` runs from 0 to 1. It is never applied."""

    reference: str
    partner_id: str
    name: str
    score: float
    why: str

    @property
    def fix(self) -> str:
        """What to do about it, as a message says it."""
        row = f"partner,,{_csv(self.reference)},{_csv(self.partner_id)}"
        return f"did you mean {self.name} ({self.partner_id})? then add to {_FILE}: {row}"


class Crosswalk:
    """The partner list and the crosswalk together: texts in, partners out.

    Raises
    ------
    SourceError
        When two entries send one text to different partners, or entries lead round in a circle.
    """

    def __init__(self, partners: pa.Table, entries: Sequence[Entry] = ()) -> None:
        self._partners = partners
        self._entries = [entry for entry in entries if entry.entity == "partner"]
        self._known: frozenset[str] = frozenset(partners["partner_id"].to_pylist())
        self._given: dict[tuple[str, str], Entry] = {}
        self._index: dict[Kind, dict[str, str | None]] = {}
        for entry in self._entries:
            self._add(entry)
        for system in sorted({entry.system for entry in self._entries}):
            for entry in self._entries:
                if entry.system in ("", system):
                    self._end(entry.partner_id, system, entry)

    def _add(self, entry: Entry) -> None:
        key = (entry.system, _form(entry.given))
        other = self._given.setdefault(key, entry)
        if other.partner_id != entry.partner_id:
            what = f'"{entry.given}" stands for {other.partner_id} and for {entry.partner_id}'
            raise SourceError(what, entry.where, f"keep one of the two rows; the other is {other.where}")

    def match(self, references: pa.Array, how: Match, system: str = "") -> Matched:
        """The partners that these texts stand for, each distinct text judged once."""
        coded = references if pa.types.is_dictionary(references.type) else references.dictionary_encode()
        found = [self._find(text, how, system) for text in coded.dictionary.to_pylist()]
        partner_ids = pa.array([partner for partner, _ in found], pa.string())
        why = pa.array([reason for _, reason in found], pa.string())
        return Matched(partner_ids.take(coded.indices), why.take(coded.indices))

    def rename(self, partner_ids: pa.Array, system: str = "") -> pa.StringArray:
        """Ids of partners as they are called now: what was merged or renamed becomes what it became."""
        if not self._given:
            return partner_ids.cast(pa.string())
        coded = partner_ids.dictionary_encode()
        now = [self._now(text, system) for text in coded.dictionary.to_pylist()]
        return pa.array(now, pa.string()).take(coded.indices)

    def findings(self) -> list[Finding]:
        """Entries that lead to a partner whom the partner list does not know."""
        out = []
        for entry in self._entries:
            end = self._end(entry.partner_id, entry.system, entry)
            if end not in self._known:
                row = re.search(r"(\d+)$", entry.where)
                fix = "correct the id, or add the partner to the partner list"
                at = int(row[1]) if row else None
                what = "the crosswalk leads to a partner that the partner list lacks"
                out.append(Finding("error", what, _FILE, at, "partner_id", end, fix, rule="REF"))
        return out

    def suggestions(self, unmatched: Sequence[str]) -> list[Suggestion]:
        """For each text that fits nobody the partner it most resembles, the surest first; often none."""
        found = [self._nearest(text) for text in sorted(set(unmatched))]
        return sorted((each for each in found if each), key=lambda each: (-each.score, each.reference))

    # ------------------------------------------------------------------------------------ exact matching

    def _find(self, text: str | None, how: Match, system: str) -> tuple[str | None, str | None]:
        if text is None:
            return None, None
        entry = self._entry(text, system) or (self._entry(_host(text), system) if how in ("domain", "any") else None)
        if entry is not None:
            end = self._end(entry.partner_id, system, entry)
            return (end, "crosswalk") if end in self._known else (None, UNKNOWN)
        for kind in _ANY if how == "any" else (how,):
            form = _FORMS[kind](text)
            index = self._by(kind)
            if form and form in index:
                partner = index[form]
                return (self._now(partner, system), kind) if partner else (None, AMBIGUOUS)
        return None, UNKNOWN

    def _by(self, kind: Kind) -> dict[str, str | None]:
        """The partner of each id, name or domain in the partner list; None where several have it."""
        if kind not in self._index:
            index: dict[str, str | None] = {}
            column = self._partners[kind].to_pylist() if kind in self._partners.column_names else []
            for partner, text in zip(self._partners["partner_id"].to_pylist(), column, strict=False):
                form = _FORMS[kind](text) if text else ""
                if form:
                    index[form] = partner if index.get(form, partner) == partner else None
            self._index[kind] = index
        return self._index[kind]

    def _entry(self, text: str, system: str) -> Entry | None:
        form = _form(text)
        return self._given.get((system, form)) or self._given.get(("", form))

    def _now(self, partner_id: str | None, system: str) -> str | None:
        entry = self._entry(partner_id, system) if partner_id is not None else None
        return partner_id if entry is None else self._end(entry.partner_id, system, entry)

    def _end(self, partner_id: str, system: str, first: Entry) -> str:
        """Where a chain of entries ends: what was merged may have been renamed since."""
        passed = [first.given, partner_id]
        while (entry := self._entry(partner_id, system)) is not None and entry.partner_id != partner_id:
            partner_id = entry.partner_id
            if partner_id in passed:
                circle = " → ".join([*passed, partner_id])
                fix = "remove the row that leads back to a partner that is gone"
                raise SourceError(f"the crosswalk leads round in a circle: {circle}", first.where, fix)
            passed.append(partner_id)
        return partner_id

    # ------------------------------------------------------------------------------------ what looks alike

    def _nearest(self, text: str) -> Suggestion | None:
        folded = fold(text)
        if not folded:
            return None
        for partner, name, score, why in self._certain(text, folded):
            return Suggestion(text, partner, name, score, why)
        best = sorted(self._alike(folded), reverse=True)[:2]
        if not best or best[0][0] < _LIKELY or (len(best) == 2 and best[0][0] == best[1][0]):
            return None  # nobody, or two who would do as well
        score, row = best[0][0], -best[0][1]
        partner, name, _ = self._folded[row]
        return Suggestion(text, partner, name, round(score, 2), "the names read alike")

    def _certain(self, text: str, folded: str) -> Iterable[tuple[str, str, float, str]]:
        """Partners that fit but for spelling, and are alone in that."""
        low = _form(text).casefold()
        loose = (
            (self._loose_ids.get(low), 0.99, "the ids differ in the case of letters only"),
            (self._loose_names.get(folded), 0.98, "the names differ in case, accents or legal form only"),
            (self._by("domain").get(_host(text) or ""), 0.97, "it is the partner's domain"),
            (self._by("name").get(_name(text)), 0.97, "it is the partner's name"),
            (self._loose_names.get(fold(_label(text))), 0.9, "its domain reads like the partner's name"),
            (self._labels.get(folded.replace(" ", "")), 0.9, "it reads like the partner's domain"),
        )
        for partner, score, why in loose:
            if partner:
                yield partner, self._names.get(partner, partner), score, why

    def _alike(self, folded: str) -> Iterable[tuple[float, int]]:
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(folded)
        for row in sorted({row for block in _blocks(folded) for row in self._blocked.get(block, ())}):
            matcher.set_seq1(self._folded[row][2])
            if matcher.real_quick_ratio() >= _LIKELY and matcher.quick_ratio() >= _LIKELY:
                yield matcher.ratio(), -row

    @cached_property
    def _names(self) -> dict[str, str]:
        columns = (self._partners["partner_id"].to_pylist(), self._partners["name"].to_pylist())
        return {partner: name or partner for partner, name in zip(*columns, strict=True)}

    @cached_property
    def _folded(self) -> list[tuple[str, str, str]]:
        """Id, name and folded name of each partner, by id."""
        return [(partner, name, fold(name)) for partner, name in sorted(self._names.items())]

    @cached_property
    def _blocked(self) -> dict[str, list[int]]:
        """The partners that share the beginning or end of a word, since comparing all with all takes too long."""
        out: defaultdict[str, list[int]] = defaultdict(list)
        for row, (_, _, folded) in enumerate(self._folded):
            for block in _blocks(folded):
                out[block].append(row)
        return out

    @cached_property
    def _loose_names(self) -> dict[str, str | None]:
        return _alone((folded, partner) for partner, _, folded in self._folded)

    @cached_property
    def _loose_ids(self) -> dict[str, str | None]:
        known = [(form, partner) for kind in _ANY[:2] for form, partner in self._by(kind).items()]
        return _alone((form.casefold(), partner) for form, partner in known if partner)

    @cached_property
    def _labels(self) -> dict[str, str | None]:
        return _alone((_label(host), partner) for host, partner in self._by("domain").items() if partner)


def standard_id(text: str) -> str:
    """A Salesforce id of 15 signs in its long form of 18; any other id as it is.

    The last three signs say which letters are capitals, so that ids that differ in case only stay apart.
    """
    if _LONG_ID.fullmatch(text) and text[15:].upper() == _check_signs(text[:15]):
        return text[:15] + text[15:].upper()
    return text + _check_signs(text) if _SHORT_ID.fullmatch(text) else text


def fold(text: str) -> str:
    """A name without case, accents, signs and legal form: ``Brightwater GmbH & Co. KG`` is ``brightwater``."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign)).replace(".", "").replace("'", "")
    words = re.sub(r"[\W_]+", " ", letters).split()
    while len(words) > 1 and words[-1] in _LEGAL:
        words.pop()
    return " ".join(words)


def _check_signs(short: str) -> str:
    out = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, sign in enumerate(short[start : start + 5]) if "A" <= sign <= "Z")
        out += _CHECK_SIGNS[bits]
    return out


def _name(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _form(text: str) -> str:
    return standard_id(unicodedata.normalize("NFC", text).strip())


def _host(text: str) -> str:
    """The domain of a domain, an address on the web or an e-mail address; empty when it is none."""
    found = _HOST.fullmatch(unicodedata.normalize("NFC", text).strip().casefold())
    return found[1].removeprefix("www.") if found else ""


def _label(text: str) -> str:
    """What a domain is called, without what is common to many: ``brightwater`` of ``www.brightwater.co.uk``."""
    parts = _host(text).split(".")[:-1]
    if len(parts) > 1 and len(parts[-1]) <= 3:
        parts.pop()
    return parts[-1] if parts else ""


def _blocks(folded: str) -> set[str]:
    words = folded.split()
    return {f"{word[:3]}-" for word in words} | {f"-{word[-3:]}" for word in words}


def _alone(pairs: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    out: dict[str, str | None] = {}
    for key, partner in pairs:
        if key:
            out[key] = partner if out.get(key, partner) == partner else None
    return out


def _csv(text: str) -> str:
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if re.search(r'[",\n\r]', text) else text


_FORMS: dict[Kind, Callable[[str], str]] = {
    "partner_id": _form,
    "account_id": _form,
    "domain": _host,
    "name": _name,
}
