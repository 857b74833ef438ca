"""All exports in; the normalised tables, findings and coverage out; apart, because past this room nobody meets a CRM.

Each source is taken on its own (``intake``) and kept until its file, its mapping or this code changes; then the
sources of a table are joined, partners are recognised, credit is resolved, and what follows from the rest is
computed. Row accounting holds for every source: rows read = rows used + rows set aside, each with a reason.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pbr_lib import alignment, attribution, canonical, completion, drift, files, intake, origins, paperwork, quality
from pbr_lib.canonical import Tables
from pbr_lib.crosswalk import Crosswalk
from pbr_lib.errors import InputError, SourceError
from pbr_lib.extracts import Extract
from pbr_lib.intake import Taken
from pbr_lib.mapping import Oldest, Source
from pbr_lib.model import Finding
from pbr_lib.origins import Base
from pbr_lib.params import Params
from pbr_lib.schema import TABLES, TableSpec

__all__ = ["Loaded", "fingerprint", "load", "refresh", "store_folder", "take_one"]

_HELD = "held by another source"
_FIRST = dt.date(1900, 1, 1)
_LARGE = 200_000
_TELLING = ("currency", "src_extract")


@dataclass(frozen=True)
class Loaded:
    """The normalised tables of one state of the exports, how far each export reaches, and what was odd.

    ``stopped`` are the partners of rows of which some cell could not be read; ``placed`` says that there is no error
    beside these.
    """

    tables: Tables = field(repr=False)
    extracts: tuple[Extract, ...]
    findings: tuple[Finding, ...]
    claims: Mapping[str, int] = field(default_factory=dict)
    stopped: tuple[str, ...] = ()
    placed: bool = True

    @cached_property
    def as_of(self) -> dt.date:
        """The run's business date: the newest day that any export covers; never the clock."""
        return max(extract.as_of for extract in self.extracts if extract.as_of)


def store_folder(params: Params) -> Path:
    """The folder of everything that can be made again."""
    return params.output / ".store"


def fingerprint(params: Params) -> str:
    """One name for the state of all exports, as they lie there or were fetched last."""
    hasher = hashlib.sha256()
    base = _base(params)
    for name, source in sorted(params.sources.items()):
        here = () if origins.absent(source, base, name) else origins.pieces(source, base, name)
        hasher.update(f"{name}:{[(piece.name, piece.sha256) for piece in here]}\n".encode())
    return hasher.hexdigest()


def refresh(params: Params) -> None:
    """Fetch what databases and addresses hold now.

    Raises
    ------
    SourceError
        When one of them does not answer and its source is not optional.
    """
    base = _base(params)
    for name, source in sorted(params.sources.items()):
        _refresh(source, base, name)


def _refresh(source: Source, base: Base, name: str) -> None:
    try:
        origins.refresh(source, base, name)
    except SourceError:
        if not source.optional:
            raise


def load(params: Params, fetch: bool = False) -> Loaded:
    """Read every source of the params whose export or mapping changed, and put the tables together.

    Parameters
    ----------
    params:
        The workbook's params.
    fetch:
        Whether to ask databases and addresses anew, or to use what was fetched last (and fetch what never was).

    Raises
    ------
    SourceError
        When an export that is not optional is missing, unreadable, or lacks a mapped column.
    """
    if not params.data.is_dir():
        fix = f"put the exports into {params.workbook.data}, or correct data: in params/workbook.yaml"
        raise InputError("the folder of the exports is missing", params.workbook.data, fix)
    # The system's allocator gives memory back at once; Arrow's own keeps a quarter more of millions of rows.
    pa.set_memory_pool(pa.system_memory_pool())
    taken = _take_all(params, fetch)
    digest = _digest(params, taken)
    folder = store_folder(params) / "tables"
    known = _known(folder, digest)
    return known or _Join(params, {name: one[0] for name, one in taken.items()}, folder, digest).run()


def take_one(params: Params, name: str) -> Taken:
    """One source on its own, as its mapping reads it; what lies elsewhere is fetched anew.

    Raises
    ------
    SourceError
        When its export is missing or cannot be read.
    """
    base = _base(params)
    origins.refresh(params.sources[name], base, name)
    return _take(params, base, name)[0]


# --------------------------------------------------------------------------------------------- sources


def _base(params: Params) -> Base:
    return Base(params.data, params.workbook.data, store_folder(params) / "fetched")


def _take_all(params: Params, fetch: bool) -> dict[str, tuple[Taken, str]]:
    """What each source gave, with the name of its state; sources that are not there and need not be are left out."""
    base, out = _base(params), dict[str, tuple[Taken, str]]()
    if fetch:
        refresh(params)
    for name, source in sorted(params.sources.items()):
        gone = origins.absent(source, base, name)
        if gone and not fetch:
            _refresh(source, base, name)
            gone = origins.absent(source, base, name)
        if gone and source.optional:
            continue
        out[name] = _take(params, base, name)
    return out


def _take(params: Params, base: Base, name: str) -> tuple[Taken, str]:
    source = params.sources[name]
    pieces = origins.pieces(source, base, name)
    zone = params.workbook.time_zone
    state = [files.code_digest(), source.model_dump_json(), zone, [(p.name, p.shown, p.sha256) for p in pieces]]
    digest = hashlib.sha256(json.dumps(state).encode()).hexdigest()
    folder = store_folder(params) / "intake" / name
    known = files.read_json(folder / "state.json")
    known = known if isinstance(known, dict) else {}
    if known.get("digest") == digest and (folder / "rows.parquet").is_file():
        return _taken(folder, known), digest
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.json").unlink(missing_ok=True)
    one = intake.take(name, source, pieces, zone, folder)
    before = known.get("profile")
    files.write_json(folder / "state.json", _state(one, digest, before))
    return replace(one, profile={"now": one.profile, "before": before}), digest


def _state(one: Taken, digest: str, before: Any) -> dict[str, Any]:
    return {
        "digest": digest,
        "findings": [vars(finding) for finding in one.findings],
        "rows": [one.rows_read, one.rows_used],
        "aside": dict(one.aside),
        "reach": [one.as_of.isoformat(), one.covers_from.isoformat()],
        "facts": dict(one.facts),
        "files": [dict(each) for each in one.files],
        "faulty": list(one.faulty),
        "placed": one.placed,
        "profile": dict(one.profile),
        "before": before,
    }


def _taken(folder: Path, known: Mapping[str, Any]) -> Taken:
    as_of, covers_from = map(dt.date.fromisoformat, known["reach"])
    findings = tuple(Finding(**finding) for finding in known["findings"])
    profile = {"now": known["profile"], "before": known["before"]}
    (read, used), facts, pieces = known["rows"], known["facts"], tuple(known["files"])
    told = (facts, pieces, tuple(known["faulty"]), known["placed"], profile)
    return Taken(folder, findings, read, used, known["aside"], as_of, covers_from, *told)


def _digest(params: Params, taken: Mapping[str, tuple[Taken, str]]) -> str:
    state = [
        params.digest,
        params.workbook.model_dump_json(),
        files.code_digest(),
        [(name, digest) for name, (_, digest) in sorted(taken.items())],
    ]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def _known(folder: Path, digest: str) -> Loaded | None:
    """The tables that lie there, if they were made of this state."""
    known = files.read_json(folder / "state.json")
    if not isinstance(known, dict) or known.get("digest") != digest:
        return None
    findings = tuple(Finding(**finding) for finding in known["findings"])
    extracts = tuple(Extract.from_json(extract) for extract in known["extracts"])
    return Loaded(Tables(folder), extracts, findings, known["claims"], tuple(known["stopped"]), known["placed"])


# ----------------------------------------------------------------------------------------------- joining


class _Join:
    """The sources of one state on their way into the tables."""

    def __init__(self, params: Params, taken: Mapping[str, Taken], folder: Path, digest: str) -> None:
        self.params, self.taken, self.folder, self.digest = params, taken, folder, digest
        self.findings: list[Finding] = [finding for one in taken.values() for finding in one.findings]
        self.aside = {name: Counter(one.aside) for name, one in taken.items()}
        self.used = {name: one.rows_used for name, one in taken.items()}
        self.claims: list[pa.Table] = []
        self.stopped: tuple[str, ...] = ()
        self.prose: dict[str, list[tuple[Path, pa.ChunkedArray | None]]] = {}

    def run(self) -> Loaded:
        params = self.params
        tables = {"partners": self._table("partners")}
        self._check_partners(tables["partners"])
        book = Crosswalk(tables["partners"], params.crosswalk)
        for name, spec in TABLES.items():
            if name not in tables and spec.home == "export" and name != "attributions":
                tables[name] = self._table(name, book)
        tables = alignment.aligned(tables) | paperwork.tables(params)
        pa.default_memory_pool().release_unused()  # what decoding the files took; Arrow keeps what it frees
        self._junctions()
        found = pa.concat_tables(self.claims) if self.claims else attribution.CLAIMS.empty_table()
        rules = attribution.Rules(**params.workbook.attribution.model_dump())
        resolved = attribution.resolve(found, tables, book, rules)
        del found
        self.claims.clear()
        pa.default_memory_pool().release_unused()
        tables["attributions"] = resolved.attributions
        tables = dict(completion.complete(tables, params.calendar))
        pa.default_memory_pool().release_unused()
        self.findings += resolved.findings
        self.findings += quality.check(
            tables, resolved, rules, max((one.as_of for one in self.taken.values()), default=None)
        )
        self.findings += book.findings()
        self.stopped = self._touched(tables)
        return self._written(tables, _claims(resolved))

    def _touched(self, tables: Mapping[str, pa.Table]) -> tuple[str, ...]:
        """The partners whose figures rest on rows of which some cell could not be read."""
        out: set[str] = set()
        for name, one in self.taken.items():
            spec = TABLES[self.params.sources[name].table]
            if not one.faulty:
                continue
            keys = pa.array(one.faulty, pa.string())
            if spec.credited:
                credit = tables["attributions"]
                mine = credit.filter(
                    pc.and_(pc.equal(credit["subject_type"], spec.singular), pc.is_in(credit["subject_id"], keys))
                )
                out.update(mine["partner_id"].to_pylist())
            elif spec.column("partner_id") is not None and spec.name in tables:
                rows = tables[spec.name]
                out.update(rows.filter(pc.is_in(rows[spec.key], keys))["partner_id"].to_pylist())
        return tuple(sorted(each for each in out if each))

    def _written(self, tables: dict[str, pa.Table], claims: dict[str, int]) -> Loaded:
        (self.folder / "state.json").unlink(missing_ok=True)
        for name, spec in TABLES.items():
            table = tables.pop(name, None)
            path = self.folder / f"{name}.parquet"
            if table is None or not len(table):
                path.unlink(missing_ok=True)
                continue
            pieces = self._with_prose(name, table) if name in self.prose else [canonical.whole(spec, table)]
            canonical.write(path, pieces, canonical.schema_of(spec))
            del table
        extracts = tuple(self._extract(name) for name in self.params.sources)
        self.findings += [finding for one in extracts if not one.present for finding in _absent(one)]
        findings = tuple(sorted(self.findings, key=_rank))
        told = [each for one in self.taken.values() for each in one.findings]
        rest = [each for each in findings if each.severity == "error" and each not in told]
        placed = not rest and all(one.placed for one in self.taken.values())
        state = {
            "digest": self.digest,
            "findings": [vars(finding) for finding in findings],
            "extracts": [extract.as_json() for extract in extracts],
            "claims": claims,
            "stopped": list(self.stopped),
            "placed": placed,
        }
        files.write_json(self.folder / "state.json", state)
        return Loaded(Tables(self.folder), extracts, findings, claims, self.stopped, placed)

    def _table(self, name: str, book: Crosswalk | None = None) -> pa.Table:
        """The rows of every source of one table; of rows with one key the first source's is used."""
        spec, parts = TABLES[name], list[pa.Table]()
        seen: list[pa.Array] = []
        sources = [each for each in self._of(name) if self.taken[each].rows_used]
        large = name != "partners" and sum(self.taken[each].rows_used for each in sources) > _LARGE
        columns = _telling(spec) if large else None
        for each in sources:
            path = self.taken[each].folder / "rows.parquet"
            table, kept = canonical.read(path, spec, columns), None
            if book is not None and spec.column("partner_id") is not None:
                table = self._recognised(each, table, book)
            if len(sources) > 1:
                kept = self._first_seen(each, table, seen)
                table = table if kept is None else table.filter(kept)
                seen.append(table[spec.key].combine_chunks())
            parts.append(table)
            if columns is not None:
                self.prose.setdefault(name, []).append((path, kept))
            self._claims_of(each)
        if not parts:
            return canonical.empty(spec)
        whole = pa.concat_tables(parts)
        return whole.sort_by(spec.key) if name == "partners" else whole

    def _of(self, table: str) -> list[str]:
        return [name for name in self.taken if self.params.sources[name].table == table]

    def _with_prose(self, name: str, table: pa.Table) -> Iterator[pa.Table]:
        """A large table whole again, piece by piece: what people wrote stayed in the files of its sources."""
        spec, at = TABLES[name], 0
        for path, kept in self.prose[name]:
            file, start = pq.ParquetFile(path), 0
            rest = [column for column in file.schema_arrow.names if column not in table.column_names]
            for group in range(file.num_row_groups):
                prose = file.read_row_group(group, columns=rest)
                rows = len(prose)
                prose = prose if kept is None else prose.filter(kept.slice(start, rows))
                start += rows
                piece = table.slice(at, len(prose))
                at += len(prose)
                for column in prose.column_names:
                    piece = piece.append_column(column, prose[column])
                yield canonical.whole(spec, piece)

    def _first_seen(self, name: str, table: pa.Table, earlier: list[pa.Array]) -> pa.ChunkedArray | None:
        """Which rows have a key that no earlier source of this table holds (None: all); the others are told."""
        spec = TABLES[self.params.sources[name].table]
        if not earlier:
            return None
        again = pc.is_in(table[spec.key], pa.chunked_array(earlier))
        count = pc.sum(again).as_py() or 0
        if not count:
            return None
        self.aside[name][_HELD] += count
        self.used[name] -= count
        first = int(np.flatnonzero(again.combine_chunks().to_numpy(zero_copy_only=False))[0])
        what = f"another source of {spec.name} holds the same {spec.key}; its row is used"
        row, value = table["src_row"][first].as_py(), str(table[spec.key][first].as_py())
        fix = "export each record in one file only"
        where = self.params.sources[name].origin
        self.findings.append(Finding("warning", what, where, row, spec.key, value[:80], fix, count))
        return pc.invert(again)

    def _recognised(self, name: str, table: pa.Table, book: Crosswalk) -> pa.Table:
        """The partner of each row by its id; a reference that nobody knows stays as it is and counts for no one."""
        source = self.params.sources[name]
        given = table["partner_id"].combine_chunks()
        found = book.match(given, source.partner_match, source.system or source.dialect)
        lost = pc.and_(pc.is_valid(given), pc.is_null(found.partner_ids))
        if pc.any(lost).as_py():
            self._tell_unknown(source, given.filter(lost), table["src_row"].combine_chunks().filter(lost), book)
        at = table.column_names.index("partner_id")
        return table.set_column(at, "partner_id", pc.coalesce(found.partner_ids, given))

    def _tell_unknown(self, source: Source, stray: pa.Array, rows: pa.Array, book: Crosswalk) -> None:
        coded = stray.dictionary_encode()
        counts = np.bincount(coded.indices.to_numpy(), minlength=len(coded.dictionary))
        order = sorted(range(len(counts)), key=lambda i: (-counts[i], coded.dictionary[i].as_py()))
        shown = [coded.dictionary[i].as_py() for i in order[:8]]
        near = {one.reference: one for one in reversed(book.suggestions(shown))}
        for i in order[:8]:
            value = coded.dictionary[i].as_py()
            first = int(rows[int(np.flatnonzero(coded.indices.to_numpy() == i)[0])].as_py())
            fix = "add the partner to the partner list or to params/crosswalk.csv, or correct the cell"
            fix = near[value].fix if value in near else fix
            what = f"{source.table} name a partner that the list lacks"
            self.findings.append(
                Finding("warning", what, source.origin, first, "partner_id", value[:80], fix, int(counts[i]))
            )
        rest = int(counts[order[8:]].sum()) if len(order) > 8 else 0
        if rest:
            what = f"{source.table} name partners that the list lacks ({len(order) - 8} more)"
            fix = "add the partners to the partner list or to params/crosswalk.csv"
            self.findings.append(Finding("warning", what, source.origin, column="partner_id", fix=fix, count=rest))

    def _claims_of(self, name: str) -> None:
        path = self.taken[name].folder / "claims.parquet"
        if self.params.sources[name].attribution and path.is_file():
            self.claims.append(pq.read_table(path))

    def _junctions(self) -> None:
        for name in self._of("attributions"):
            table = canonical.read(self.taken[name].folder / "rows.parquet", TABLES["attributions"])
            self.claims.append(attribution.junction(table, name, self.params.sources[name]))

    def _check_partners(self, partners: pa.Table) -> None:
        """A partner list that is there must hold partners; where none is described, nothing can be built."""
        lists = [name for name, source in self.params.sources.items() if source.table == "partners"]
        if not lists:
            what = "no source fills the table partners, so there is nobody to make a pack for"
            fix = "add a mapping with table: partners for the list of partners"
            self.findings.append(Finding("error", what, "params/sources", fix=fix))
        elif not len(partners):
            raise self._no_partners(lists[0])

    def _no_partners(self, name: str) -> SourceError:
        """Why the partner list is empty: its first unreadable cell, if there is one."""
        one = self.taken.get(name)
        told = [each for each in one.findings if each.severity == "error"] if one else []
        why = f": {told[0].what}" if told else ""
        place = told[0].where if told else f"{self.params.workbook.data}/{self.params.sources[name].origin}"
        fix = told[0].fix if told else f"export the partners again; params/sources/{name}.yaml says how they are read"
        return SourceError(f"no partner came out of the partner list{why}", place, fix)

    def _extract(self, name: str) -> Extract:
        source, one = self.params.sources[name], self.taken.get(name)
        if one is None:
            first = _FIRST if isinstance(source.covers_from, Oldest) else source.covers_from
            return Extract(name, source.table, source.origin, source.about, None, first)
        self.findings += drift.findings(name, source, one.profile)
        sha = one.files[0]["sha256"] if len(one.files) == 1 else hashlib.sha256(repr(one.files).encode()).hexdigest()
        return Extract(
            name,
            source.table,
            _shown(source, one),
            source.about,
            one.as_of,
            one.covers_from,
            sha,
            one.rows_read,
            self.used[name],
            dict(self.aside[name]),
            one.facts,
            one.files,
        )


def _telling(spec: TableSpec) -> list[str]:
    """The columns that credit, rules and computed columns ask for; the rest is prose, which only packs print."""
    return [
        column.name
        for column in spec.columns
        if not (column.computed and column.name not in ("src_extract", "src_row"))
        and (column.kind != "text" or column.refers or column.values or column.name in (spec.key, *_TELLING))
    ]


def _claims(resolved: attribution.Resolved) -> dict[str, int]:
    """Accounting for claims: read = credited + merged + set aside by reason."""
    read = sum(resolved.read.values())
    if not read:
        return {}
    return {"read": read, "credited": len(resolved.attributions), "merged": resolved.merged, **resolved.aside}


def _shown(source: Source, one: Taken) -> str:
    sheet = one.facts.get("sheet", "")
    return source.origin + (f" [{sheet}]" if sheet else "")


def _absent(extract: Extract) -> list[Finding]:
    what = f"the optional export for {extract.table} is not there; goals on it are not measurable"
    return [Finding("info", what, extract.file, fix="drop the file into the data folder when it comes")]


def _rank(finding: Finding) -> tuple[int, Any]:
    order = ("error", "warning", "info").index(finding.severity)
    return order, (finding.file, finding.column, finding.what, finding.row or 0, finding.value)
