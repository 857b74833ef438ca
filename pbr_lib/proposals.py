"""Proposed mappings for exports that nobody has mapped yet; apart, because proposing is guesswork that a person reads
before it counts, while the ingest takes a mapping at its word.

Each file is surveyed, its tables are recognised, and each becomes a commented mapping that reads as it stands wherever
everything could be decided. What could not stands there as ``ask``, which is refused, with the line, until it is
answered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pbr_lib import dialects, reading
from pbr_lib.dialects import Match
from pbr_lib.errors import InputError, SourceError
from pbr_lib.files import write_bytes
from pbr_lib.mapping import Source
from pbr_lib.proposal_columns import Settled, asked_of, rules_of, settle
from pbr_lib.proposal_draft import draft_of
from pbr_lib.proposal_facts import gather
from pbr_lib.proposal_freshness import UNDATED
from pbr_lib.proposal_lists import has_partners, partner_list, with_credit
from pbr_lib.proposal_partners import PartnerColumn
from pbr_lib.proposal_text import Draft, Line, comment, render
from pbr_lib.proposal_words import ASK
from pbr_lib.reading import RawTable

__all__ = ["Proposal", "Question", "propose", "summary", "write"]

_DAYS = re.compile(
    r"""1[0-9]{12} | [0-9]{1,2}[-_ ][0-9]{2}(?:[-_ ][0-9]{2})?\s?[ap]m\b
      | [0-9]{4}[-_.]?(?:q[1-4]|[0-9]{2}(?:[-_.]?[0-9]{2})?)(?![0-9])
      | [0-9]{1,2}[-_.][0-9]{1,2}[-_.][0-9]{2,4} | \([0-9]+\)""",
    re.IGNORECASE | re.VERBOSE,
)


_STALE = 14


@dataclass(frozen=True)
class Question:
    """What a proposal leaves open: the line of its file, and what to decide there."""

    line: int
    what: str


@dataclass(frozen=True)
class Proposal:
    """A mapping proposed for a table of a file, or why none is.

    ``name`` is the mapping's, ``text`` the whole of its file; both are empty where ``why_not`` says why the table is
    left out. ``questions`` must be answered before it can be read, ``checks`` deserve a look, ``notes`` say what was
    decided.
    """

    name: str
    place: str
    table: str = ""
    dialect: str = ""
    rows: int = 0
    mapped: int = 0
    text: str = field(default="", repr=False)
    why: str = ""
    why_not: str = ""
    questions: tuple[Question, ...] = ()
    checks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether the mapping reads as it stands."""
        return bool(self.text) and not self.questions


@dataclass(frozen=True)
class _Found:
    """Tables of one header in one or several files, and as what they are read."""

    paths: tuple[Path, ...]
    tables: tuple[RawTable, ...]
    match: Match


@dataclass(frozen=True)
class _Drafted:
    draft: Draft
    found: _Found
    settled: Settled
    partners: tuple[PartnerColumn, ...]


def propose(
    files: Sequence[Path],
    shown: Callable[[Path], str],
    known: Mapping[str, Source] | None = None,
    data: Path | None = None,
    currency: str = "USD",
) -> tuple[Proposal, ...]:
    """A proposal for each table of some files, in their order, then for partner lists that can be made of them.

    Parameters
    ----------
    files:
        The exports.
    shown:
        What messages call a file.
    known:
        The mappings that are there already, by name; their names are not used again.
    data:
        The folder in which the workbook seeks its exports; ``file`` is written relative to it.
    currency:
        The workbook's currency, proposed where an export names none.
    """
    left: list[Proposal] = []
    seen = [each for path in files for each in _survey(path, shown, left)]
    drafted: list[_Drafted] = []
    names = {*(known or {})}
    for found in _drops(seen):
        try:
            drafted.append(_draft(found, names, data, currency))
        except SourceError as error:
            left.append(Proposal("", found.tables[0].place, why_not=str(error)))
    drafts = _with_partners(drafted, known or {}, names)
    return (*(_proposal(draft, one) for draft, one in drafts), *left)


def write(root: Path, proposals: Sequence[Proposal], force: bool = False) -> tuple[Path, ...]:
    """Write the proposals into ``params/sources`` of a workbook; returns the files.

    Raises
    ------
    InputError
        When one of the files is there already and ``force`` is not given; then nothing is written.
    """
    folder = root / "params" / "sources"
    made = [(folder / f"{each.name}.yaml", each.text) for each in proposals if each.text]
    there = [path.name for path, _ in made if path.exists()]
    if there and not force:
        fix = "rename or remove it first, or call it again with --force to write over it"
        raise InputError("this mapping is there already", f"params/sources/{there[0]}", fix)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in made:
        write_bytes(path, text.encode("utf-8"))
    return tuple(path for path, _ in made)


def summary(proposals: Sequence[Proposal]) -> Iterator[str]:
    """What was recognised and why, what is open, and what to do next, as lines for a terminal."""
    number = 0
    for each in proposals:
        if each.why_not:
            yield f"{each.place}: not mapped. {each.why_not}"
            continue
        yield f"{each.place}: {each.why} → params/sources/{each.name}.yaml"
        yield f"  {_rows(each.rows)}, {each.mapped} columns mapped to {each.table}"
        yield from (f"  {note}" for note in each.notes)
        for question in each.questions:
            number += 1
            yield f"  {number}. decide: {question.what} (params/sources/{each.name}.yaml, line {question.line})"
        for check in each.checks:
            number += 1
            yield f"  {number}. check: {check}"
    made = [each for each in proposals if each.text]
    if not made:
        yield "Nothing could be proposed; docs/howto/map-an-export.md says how to write a mapping by hand."
    elif all(each.decided for each in made):
        yield "Next: read the mappings through, then call pbr check."
    else:
        yield "Next: answer what is to be decided in the lines named above, then call pbr check."


# ------------------------------------------------------------------------------------------- files


def _survey(path: Path, shown: Callable[[Path], str], left: list[Proposal]) -> Iterator[_Found]:
    """The recognised tables of a file; the others are told."""
    try:
        tables = reading.survey(path, shown(path))
    except SourceError as error:
        left.append(Proposal("", shown(path), why_not=_sentence(error)))
        return
    for table in tables:
        match = _recognised(table, path.name)
        if match is None:
            labels = comment(table.labels[:8])
            left.append(Proposal("", table.place, why_not=f"its columns are of no table that is known here: {labels}"))
            continue
        yield _Found((path,), (table,), match)


def _sentence(error: SourceError) -> str:
    return f"{error.what}" + (f"; {error.fix}" if error.fix else "")


def _recognised(table: RawTable, file_name: str) -> Match | None:
    """As what a table is read; what a Dynamics worksheet says of itself goes before its labels."""
    names = [file_name, *(table.facts[key] for key in ("sheet", "member") if table.facts.get(key))]
    matches = [match for name in names for match in dialects.recognise(table.labels, table.facts, name)[:1]]
    logical = dialects.logical_names(table.facts)
    if logical:
        plain = [logical.get(label, label) for label in table.labels]
        for match in dialects.recognise(plain, table.facts, file_name)[:1]:
            back = dict(zip(plain, table.labels, strict=True))
            columns = {back[label]: name for label, name in match.columns.items()}
            matches.append(replace(match, columns=columns, score=match.score + 10))
    return max(matches, key=lambda match: match.score, default=None)


def _drops(seen: Sequence[_Found]) -> Iterator[_Found]:
    """Files of one header, whose names differ in a date or a number only, are drops of one report."""
    groups: dict[tuple[object, ...], list[_Found]] = {}
    for each in seen:
        path, table = each.paths[0], each.tables[0]
        place = (table.facts.get("sheet", ""), table.facts.get("member", ""), table.header_row)
        groups.setdefault((path.parent, _pattern(path.name), table.labels, *place[:2]), []).append(each)
    for several in groups.values():
        first = several[0]
        paths = tuple(dict.fromkeys(each.paths[0] for each in several))
        if len(paths) < len(several):
            yield from several
        else:
            yield replace(first, paths=paths, tables=tuple(each.tables[0] for each in several))


def _pattern(name: str) -> str:
    """A file's name with ``*`` for dates and running numbers."""
    stem, dot, suffix = name.rpartition(".")
    plain = re.sub(r"[0-9]+(?:[-_. ]?(?:[0-9]+|q[1-4]))*", "*", stem if dot else name, flags=re.IGNORECASE)
    return f"{plain}{dot}{suffix}" if dot else plain


def _draft(found: _Found, names: set[str], data: Path | None, currency: str) -> _Drafted:
    labels, repeated = found.tables[0].labels, found.tables[0].repeated
    facts = gather(found.tables, rules_of(found.match.dialect), asked_of(found.match, labels, repeated))
    settled = settle(facts, found.match)
    several = len(found.paths) > 1
    file = _pattern(found.paths[0].name) if several else found.paths[0].name
    folder = found.paths[0].parent
    if data is not None and folder.resolve().is_relative_to(data.resolve()):
        file = (folder.resolve().relative_to(data.resolve()) / file).as_posix()
    name = _name(found, settled)
    name = _unique(f"{name}_{settled.match.table}" if name in names else name, names)
    draft, partners = draft_of(settled, name, file, currency)
    if several:
        at = next(i for i, line in enumerate(draft.head) if line.label == "file")
        draft.head.insert(at + 1, _pick(facts.drops))
    elif data is not None and not folder.resolve().is_relative_to(data.resolve()):
        draft.notes.append("the file lies outside the data folder; copy it there")
    return _Drafted(draft, found, settled, partners)


def _pick(drops: Sequence[frozenset[str]]) -> Line:
    """Whether each drop holds all records again or only new ones, as their keys tell."""
    known: set[str] = set()
    again = total = 0
    for keys in drops:
        again += len(keys & known)
        total += len(keys) if known else 0
        known |= keys
    share = again / total if total else 0.0
    if share > 0.5:
        return Line("pick", "newest", f"{again:,} of {total:,} ids stand in an earlier file too")
    if again == 0:
        return Line("pick", "all", "no id stands in two of the files")
    return Line("pick", "all", f"check: {again:,} of {total:,} ids stand in two files; the newer row is used")


def _name(found: _Found, settled: Settled) -> str:
    """A name for the mapping: the file's or sheet's, without days and numbers, else the table's."""
    facts = found.tables[0].facts
    given = [facts.get("sheet", ""), facts.get("member", "").rpartition("/")[2].rpartition(".")[0], found.paths[0].stem]
    several = [name for name in given if name]
    if len(several) > 1 and not re.fullmatch(r"(?:sheet|tabelle|feuil|hoja|blatt)\s?[0-9]*", several[0], re.IGNORECASE):
        words = several[0]
    else:
        words = found.paths[0].stem
    plain = unicodedata.normalize("NFKD", _DAYS.sub(" ", words)).casefold()
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    name = re.sub(r"[^a-z0-9]+", "_", letters.replace("ß", "ss")).strip("_0123456789")[:40].strip("_")
    return name if len(name) > 2 and name not in ("report", "export", "data") else settled.match.table


def _unique(name: str, names: set[str]) -> str:
    out, number = name, 2
    while out in names:
        out, number = f"{name}_{number}", number + 1
    names.add(out)
    return out


# ---------------------------------------------------------------------------------------- partners


def _with_partners(
    drafted: Sequence[_Drafted], known: Mapping[str, Source], names: set[str]
) -> Iterator[tuple[Draft, _Drafted]]:
    """The drafts, with credit, and a partner list made of them where there is none."""
    lists: list[tuple[Draft, _Drafted]] = []
    for one in sorted(drafted, key=lambda each: each.settled.match.table != "accounts"):
        if has_partners([*(draft for draft, _ in lists), *(each.draft for each in drafted)], known):
            break
        made = partner_list(one.draft, one.settled, one.partners, lambda name: _unique(name, names))
        lists += [(draft, one) for draft in made]
    every = [*(each.draft for each in drafted), *(draft for draft, _ in lists)]
    _as_fresh_as_the_others(every)
    _told_where_older(every)
    for one in drafted:
        with_credit(one.draft, one.settled, one.partners, every, known)
        yield one.draft, one
    yield from lists


def _as_fresh_as_the_others(drafts: Sequence[Draft]) -> None:
    """Exports that say nothing of their day, and lists of partners or people, are as fresh as those beside them."""
    newest = max((draft.newest for draft in drafts if draft.newest), default=None)
    for draft in drafts:
        at = next(i for i, line in enumerate(draft.head) if line.label == "as_of")
        vague = draft.table in UNDATED and "newest" in draft.head[at].value + draft.head[at].remark
        if newest is None or draft.newest == newest or not (vague or draft.head[at].value == ASK):
            continue
        draft.newest = newest
        draft.head[at] = Line("as_of", newest.isoformat(), "check: the newest day of the exports beside it")
        draft.checks = [check for check in draft.checks if "how fresh it is" not in check]
        draft.checks.append(f"nothing says how fresh the export is; {newest}, as of those beside it, is taken")


def _told_where_older(drafts: Sequence[Draft]) -> None:
    """An export that seems older than those beside it asserts no zero; whoever drew both on one day can say so."""
    newest = max((draft.newest for draft in drafts if draft.newest), default=None)
    for draft in drafts:
        if newest is not None and draft.newest and (newest - draft.newest).days > _STALE:
            what = f"as_of seems to be {draft.newest}, another export says {newest}"
            draft.checks.append(f"{what}; if both were drawn on one day, write the later into as_of")


def _proposal(draft: Draft, one: _Drafted) -> Proposal:
    match, facts = one.found.match, one.settled.facts
    dialect = dialects.get(match.dialect)
    why = f"{dialect.title}, {match.table.replace('_', ' ')}"
    marks = f" (it has {comment([f'{mark}' for mark in match.marks[:3]], 80)})" if match.marks else ""
    place = ", ".join(table.place for table in one.found.tables)
    heading = (
        f"Proposed for {comment((one.found.paths[0].name,), 60)}: {why}; {_rows(facts.rows)}.",
        "Read it through. What says check deserves a look; what says ask must be decided, or nothing is read.",
        dialect.about,
    )
    draft.heading = tuple(part for text in heading for part in _wrapped(text))
    text = render(draft)
    return Proposal(
        draft.name,
        place,
        draft.table,
        match.dialect,
        facts.rows,
        len(draft.columns) + len(draft.first_of),
        text,
        f"{why}{marks}" if draft.table == match.table else f"a list of {draft.table}, made of the same rows",
        questions=tuple(_questions(text)),
        checks=tuple(dict.fromkeys(draft.checks)),
        notes=tuple(dict.fromkeys(draft.notes)),
    )


def _questions(text: str) -> Iterator[Question]:
    """The lines that hold ``ask``, or a label that nobody knows."""
    for number, line in enumerate(text.splitlines(), 1):
        left, parted, remark = line.partition(" # ")
        if left.rstrip().endswith(": ask") or left.lstrip().startswith('"(no such column)"'):
            key = left.strip().removesuffix(": ask")
            yield Question(number, f"{comment((key,))}: {remark.strip()}" if parted else comment((key,)))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _wrapped(text: str) -> Iterator[str]:
    line = ""
    for word in text.split():
        if len(line) + len(word) > 114:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    if line:
        yield line
