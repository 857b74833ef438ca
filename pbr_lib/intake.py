"""One source on its way into one table, batch by batch; apart, because here each row of an export is used or set
aside with a reason, and nothing else may decide that.

Rows stream from the file into Parquet; in memory stand one batch and the keys. A cell that cannot be read is a
finding with file, row and column, never a guess.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pbr_lib import attribution, canonical, label_filters
from pbr_lib.cells import Cells
from pbr_lib.definitions import AllOf, columns_of
from pbr_lib.errors import SourceError
from pbr_lib.fault_ledger import FaultLedger
from pbr_lib.fields import Columns
from pbr_lib.headings import Headings
from pbr_lib.mapping import Newest, Oldest, Source
from pbr_lib.model import Finding, Severity
from pbr_lib.origins import Piece
from pbr_lib.reading import RawTable
from pbr_lib.schema import LINEAGE, TABLES, TableSpec
from pbr_lib.selfchecks import SelfCheck
from pbr_lib.stamps import as_of_day

__all__ = ["Taken", "take"]

_FEW = 200
_AGAIN = "the same row again"
_CLASH = "the same key with other content"
_OLDER = "a newer file holds the same key"


@dataclass(frozen=True)
class Taken:
    """What a source gave: where its rows and claims lie, what was odd, and what became of every row.

    ``faulty`` are the keys of used rows of which some cell could not be read; ``placed`` says that there is no other
    error, so that each of them has a partner.
    """

    folder: Path
    findings: tuple[Finding, ...]
    rows_read: int
    rows_used: int
    aside: Mapping[str, int]
    as_of: dt.date
    covers_from: dt.date
    facts: Mapping[str, str]
    files: tuple[Mapping[str, Any], ...]
    faulty: tuple[str, ...] = ()
    placed: bool = True
    profile: Mapping[str, Any] = field(repr=False, default_factory=dict)


def take(name: str, source: Source, pieces: tuple[Piece, ...], zone: str, folder: Path) -> Taken:
    """Read every piece of a source into ``folder/rows.parquet`` and ``folder/claims.parquet``.

    Raises
    ------
    SourceError
        When a piece cannot be read, lacks a mapped column, or does not say how fresh it is.
    """
    return _Intake(name, source, zone, folder).run(pieces)


class _Intake:
    def __init__(self, name: str, source: Source, zone: str, folder: Path) -> None:
        self.name, self.source, self.folder = name, source, folder
        self.mapping = f"params/sources/{name}.yaml"
        self.spec = TABLES[source.table]
        self.columns = Columns(source, self.spec, zone)
        self.ledger = FaultLedger(self.mapping)
        self.findings: list[Finding] = []
        self.aside: Counter[str] = Counter()
        self.keys: list[pa.StringArray] = []
        self.rows: list[npt.NDArray[np.int64]] = []
        self.claims: pq.ParquetWriter | None = None
        self.days: dict[str, list[dt.date]] = {}
        self.faulty: set[str] = set()
        self.lost = 0
        self.bad = np.zeros(0, np.bool_)
        self.seen: dict[str, Counter[str]] = {}
        self.read = 0
        self.schema = _filled(self.spec, source)
        self.currency_clash = 0

    def run(self, pieces: tuple[Piece, ...]) -> Taken:
        files: list[dict[str, Any]] = []
        facts: dict[str, str] = {}
        labels: tuple[str, ...] = ()
        stamps: list[dt.date] = []
        several = len(pieces) > 1
        path = self.folder / "rows.parquet"
        canonical.write(path, self._all(pieces, several, (files, facts, stamps)), self.schema)
        cells = list(self.ledger.findings())
        self.findings += cells
        used = self._without_repeats(path, several)
        if self.claims is not None:
            self.claims.close()
        labels = tuple(files[0]["labels"]) if files else ()
        as_of = max(stamps) if stamps else self._newest(pieces)
        profile = {"labels": list(labels), "rows": self.read, "values": self._values()}
        return Taken(
            self.folder,
            tuple(self.findings),
            self.read,
            used,
            dict(sorted(self.aside.items())),
            as_of,
            self._covers_from(as_of, pieces),
            facts,
            tuple({key: each[key] for key in ("file", "sha256", "rows")} for each in files),
            tuple(sorted(self.faulty)),
            not self.lost and all(each in cells for each in self.findings if each.severity == "error"),
            profile,
        )

    # -------------------------------------------------------------------------------------- pieces

    def _all(self, pieces: tuple[Piece, ...], several: bool, out: tuple[Any, ...]) -> Iterator[pa.Table]:
        files, facts, stamps = out
        for number, piece in enumerate(pieces):
            table = piece.open()
            heads = Headings(table, self.source, self.mapping)
            self.findings += heads.findings if not number else ()
            check = SelfCheck(table.place, self.spec)
            extract = f"{self.name}: {piece.name}" if several else self.name
            for batch in table.batches():
                made = self._batch(table.place, extract, heads.cells(batch), batch.rows, check)
                if len(made):
                    yield made
            self._account(table)
            self.findings += check.findings(table.totals)
            if not isinstance(self.source.as_of, Newest):
                stamps.append(as_of_day(self.source.as_of, piece, table.remarks, self.mapping))
            files.append(
                {"file": piece.shown, "sha256": piece.sha256, "rows": table.rows_read, "labels": list(table.labels)}
            )
            if not number:
                facts.update(table.facts)

    def _account(self, table: RawTable) -> None:
        self.read += table.rows_read
        for each in table.aside:
            self.aside[each.reason] += each.count
        # A row that is set aside is lost to every figure, so it is graver here than it is to the reader.
        lost = "rows with more cells than labels were set aside"
        told = (replace(each, severity="error") if each.what == lost else each for each in table.findings)
        self.findings += told

    # --------------------------------------------------------------------------------------- rows

    def _batch(
        self, place: str, extract: str, cells: dict[str, Cells], numbers: npt.NDArray[np.int64], check: SelfCheck
    ) -> pa.Table:
        whole = self.source.where == AllOf()
        check.count(len(numbers))
        if not whole:
            check.see(cells, self.columns)
            cells, numbers = self._wanted(cells, numbers)
        at = (place, numbers)
        made: dict[str, pa.Array] = {}
        self.bad = np.zeros(len(numbers), np.bool_)
        source_stage = None
        for column in self.spec.mapped:
            label = self.columns.labels.get(column.name)
            if label is None:
                constant = self.source.constants.get(column.name)
                if constant is not None:
                    made[column.name] = pa.repeat(pa.scalar(constant, pa.string()), len(numbers))
                continue
            given = self.columns.cells(column.name, cells)
            read = self.columns.read(column, given)
            known = self.columns.values_of(column)
            self.ledger.see(label, given.text, tuple(known or ()))
            for fault in read.faults:
                self.bad[fault.rows] = True
                self.ledger.add(label, fault, given.text, at)
            made[column.name] = read.values
            if whole and column.kind == "money":
                check.add(label, read.values)
            if read.currencies is not None:
                self._currencies(made, read.currencies, at)
            if known is not None:
                self._count_values(column.name, given.text)
            if column.name == "stage":
                source_stage = self.columns.clean(given)
        if source_stage is not None and self.spec.column("source_stage"):
            made["source_stage"] = source_stage
        self._keyed(made, cells, extract, numbers)
        return self._kept(made, cells, at)

    def _wanted(
        self, cells: dict[str, Cells], numbers: npt.NDArray[np.int64]
    ) -> tuple[dict[str, Cells], npt.NDArray[np.int64]]:
        """The rows that the mapping's filter lets through."""
        text = {leaf.column: self.columns.clean(cells[leaf.column]) for leaf in columns_of(self.source.where)}
        mask = label_filters.fitting(self.source.where, text, len(numbers)).to_numpy(zero_copy_only=False)
        if mask.all():
            return cells, numbers
        self.aside["left out by where"] += int((~mask).sum())
        return {label: one.take(mask) for label, one in cells.items()}, numbers[mask]

    def _currencies(self, made: dict[str, pa.Array], found: pa.StringArray, at: tuple[str, Any]) -> None:
        """Currencies that stand beside the amounts; where a column says otherwise, neither is taken for right."""
        have = made.get("currency")
        if have is None:
            made["currency"] = found
            return
        clash = np.flatnonzero(pc.fill_null(pc.not_equal(have, found), False).to_numpy(zero_copy_only=False))
        if len(clash):
            label = self.columns.labels.get("currency", "currency")
            what = "the amount and the currency column name different currencies"
            value = f"{found[int(clash[0])].as_py()}, {have[int(clash[0])].as_py()}"
            row = int(at[1][clash[0]])
            self._tell(Finding("error", what, at[0], row, label, value, "correct the record in the CRM", len(clash)))
        made["currency"] = pc.coalesce(have, found)

    def _keyed(
        self, made: dict[str, pa.Array], cells: dict[str, Cells], extract: str, numbers: npt.NDArray[np.int64]
    ) -> None:
        """The key where it is made of other columns, and where the row came from."""
        if self.source.key:
            parts = [self.columns.clean(cells[label]) for label in self.source.key]
            made[self.spec.key] = pc.binary_join_element_wise(*parts, " / ", null_handling="skip")
            blank = pc.equal(made[self.spec.key], "")
            made[self.spec.key] = pc.if_else(blank, None, made[self.spec.key])
        label = self.columns.labels.get(self.spec.key)
        if label is not None and not self.source.key:
            given = self.columns.clean(cells[label])
            made["src_id"] = pc.if_else(pc.fill_null(pc.equal(given, made[self.spec.key]), True), None, given)
        system = self.source.system or self.source.dialect
        made["src_system"] = pa.repeat(pa.scalar(system or None, pa.string()), len(numbers))
        made["src_extract"] = pa.repeat(pa.scalar(extract), len(numbers))
        made["src_row"] = pa.array(numbers, pa.int64())

    def _kept(self, made: dict[str, pa.Array], cells: dict[str, Cells], at: tuple[str, Any]) -> pa.Table:
        """The rows that have all that a row needs."""
        place, numbers = at
        keep = np.ones(len(numbers), np.bool_)
        for column in self.spec.mapped:
            if not column.required or column.name not in made:
                continue
            empty = pc.is_null(made[column.name]).to_numpy(zero_copy_only=False) & keep
            if not empty.any():
                continue
            label = self.columns.labels.get(column.name, column.name)
            self.aside[f"no readable {label}"] += int(empty.sum())
            blank = empty & self._blank(cells, label)
            # A cell that could not be read has been told; that its row is set aside follows from it.
            if blank.any():
                what = f"rows without {column.name} are set aside"
                row, fix = int(numbers[np.flatnonzero(blank)[0]]), "fill the cell in the CRM"
                self._tell(Finding("error", what, place, row, label, "", fix, int(blank.sum())))
            keep &= ~empty
        columns = [
            made[field.name].cast(field.type) if field.name in made else pa.nulls(len(numbers), field.type)
            for field in self.schema
        ]
        table = pa.table(columns, schema=self.schema)
        if (self.bad & keep).any():
            self.faulty.update(table[self.spec.key].filter(pa.array(self.bad & keep)).to_pylist())
        if not keep.all():
            self.lost += int((~keep).sum())
            table = table.filter(pa.array(keep))
            cells = {label: one.take(keep) for label, one in cells.items()}
        self._remember(table, cells, at[0])
        return table

    def _blank(self, cells: dict[str, Cells], label: str) -> npt.NDArray[np.bool_]:
        if label not in cells:
            return np.ones(1, np.bool_)
        return np.asarray(pc.is_null(self.columns.clean(cells[label])))

    def _remember(self, table: pa.Table, cells: dict[str, Cells], place: str) -> None:
        """Keys and days for the end of the run, and the claims of these rows."""
        ids = table[self.spec.key].combine_chunks()
        self.keys.append(ids)
        self.rows.append(table["src_row"].to_numpy())
        for name in self._watched():
            bounds = pc.min_max(table[name]).as_py()
            found = [_as_day(day) for day in bounds.values() if day is not None]
            self.days.setdefault(name, []).extend(found)
        if not self.source.attribution or not len(ids):
            return
        raw = {label: self.columns.clean(cells[label]) for label in self._credit_labels()}
        batch = attribution.Batch(place, ids, table["src_row"].combine_chunks(), raw, self._moments(cells))
        found, odd = attribution.claims(self.source, self.name, batch)
        if self.claims is None:
            self.claims = pq.ParquetWriter(self.folder / "claims.parquet", attribution.CLAIMS, compression="zstd")
        self.claims.write_table(found)
        self.findings = attribution.joined([*self.findings, *odd]) if odd else self.findings

    def _moments(self, cells: dict[str, Cells]) -> dict[str, pa.TimestampArray]:
        """The times at which credit was claimed, by label."""
        wanted = {credit.claimed_at for credit in self.source.attribution if credit.claimed_at}
        return {label: self.columns.moments(cells[label]) for label in sorted(wanted)}

    def _credit_labels(self) -> set[str]:
        wanted = {label for credit in self.source.attribution for label in credit.labels}
        return wanted | {leaf.column for credit in self.source.attribution for leaf in columns_of(credit.when)}

    def _merge(self, findings: list[Finding]) -> None:
        """Findings of one batch, added to those alike of earlier ones."""
        for new in findings:
            alike = next((i for i, old in enumerate(self.findings) if _alike(old, new)), None)
            if alike is None:
                self.findings.append(new)
            else:
                old = self.findings[alike]
                self.findings[alike] = Finding(**(vars(old) | {"count": old.count + new.count}))

    # ---------------------------------------------------------------------------------------- keys

    def _without_repeats(self, path: Path, several: bool) -> int:
        """Rows whose key stood there before are set aside; returns how many rows stay."""
        keys = pa.chunked_array(self.keys, pa.string()) if self.keys else pa.chunked_array([], pa.string())
        counts = pc.value_counts(keys)
        if len(counts) == len(keys):
            return len(keys)
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        positions = np.flatnonzero(pc.is_in(keys, twice).combine_chunks().to_numpy(zero_copy_only=False))
        codes = keys.take(pa.array(positions)).combine_chunks().dictionary_encode().indices.to_numpy()
        first = np.unique(codes, return_index=True)[1]
        again = np.ones(len(positions), np.bool_)
        again[first] = False
        drop = np.zeros(len(keys), np.bool_)
        drop[positions[again]] = True
        self._tell_repeats(path, (positions, codes, again), several)
        self._rewrite(path, drop)
        return int((~drop).sum())

    def _tell_repeats(self, path: Path, found: tuple[Any, ...], several: bool) -> None:
        positions, codes, again = found
        if self.source.repeats == "expected":
            self.aside["a repeat, as expected"] += int(again.sum())
            return
        wanted = [name for name in self.schema.names if name not in ("src_row", "src_extract")]
        rows = pq.read_table(path).take(pa.array(positions))
        content = rows.select(wanted).to_pandas(types_mapper=pd_types)
        same = content.duplicated(keep="first").to_numpy() & again
        extracts = rows["src_extract"].combine_chunks().dictionary_encode().indices.to_numpy()
        firsts = np.unique(codes, return_index=True)[1]
        older = again & ~same & (extracts != extracts[firsts][codes]) if several else np.zeros_like(again)
        clash = again & ~same & ~older
        keys, numbers = rows[self.spec.key], rows["src_row"].to_numpy()
        label = self.columns.labels.get(self.spec.key, self.spec.key)
        told: tuple[tuple[Any, Severity, str, str], ...] = (
            (older, "info", _OLDER, ""),
            (same, "warning", _AGAIN, "remove the copy from the export"),
            (clash, "error", f"{_CLASH}; the first row is used", "remove the copy from the export"),
        )
        for mask, severity, what, fix in told:
            if mask.any():
                at = int(np.flatnonzero(mask)[0])
                self.aside[what.split(";")[0]] += int(mask.sum())
                place = str(rows["src_extract"][at].as_py()) if several else self._place
                self._tell(
                    Finding(severity, what, place, int(numbers[at]), label, str(keys[at].as_py()), fix, int(mask.sum()))
                )

    @property
    def _place(self) -> str:
        return self.source.origin

    def _rewrite(self, path: Path, drop: npt.NDArray[np.bool_]) -> None:
        file = pq.ParquetFile(path)

        def kept() -> Iterator[pa.Table]:
            start = 0
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                yield table.filter(pa.array(~drop[start : start + len(table)]))
                start += len(table)

        canonical.write(path, kept(), self.schema)

    # ------------------------------------------------------------------------------- reach and rest

    def _watched(self) -> tuple[str, ...]:
        reach = (self.source.as_of, self.source.covers_from)
        names = [
            one.newest if isinstance(one, Newest) else one.oldest for one in reach if isinstance(one, Newest | Oldest)
        ]
        return tuple(dict.fromkeys(names))

    def _newest(self, pieces: tuple[Piece, ...]) -> dt.date:
        name = self.source.as_of.newest if isinstance(self.source.as_of, Newest) else ""
        return max(self._found(name, pieces))

    def _covers_from(self, as_of: dt.date, pieces: tuple[Piece, ...]) -> dt.date:
        given = self.source.covers_from
        first = min(self._found(given.oldest, pieces)) if isinstance(given, Oldest) else given
        if as_of < first:
            fix = f"correct covers_from or as_of in {self.mapping}"
            raise SourceError(f"it is as of {as_of}, before {first} from which it covers", pieces[0].shown, fix)
        return first

    def _found(self, name: str, pieces: tuple[Piece, ...]) -> list[dt.date]:
        days = self.days.get(name)
        if not days:
            fix = f"write the day itself into {self.mapping}, or name a column that holds days"
            raise SourceError(f"no day in {name} says how far this export reaches", pieces[0].shown, fix)
        return days

    def _count_values(self, name: str, text: pa.StringArray) -> None:
        seen = self.seen.setdefault(name, Counter())
        for each in pc.value_counts(text).to_pylist():
            if each["values"] and (each["values"] in seen or len(seen) < _FEW):
                seen[each["values"]] += each["counts"]

    def _values(self) -> dict[str, dict[str, int]]:
        return {name: dict(sorted(seen.items())) for name, seen in sorted(self.seen.items())}

    def _tell(self, finding: Finding) -> None:
        self._merge([finding])


def _filled(spec: TableSpec, source: Source) -> pa.Schema:
    """The columns of the table that this source fills; the others are null in all of its rows."""
    names = {*source.filled, *source.constants, spec.key, *(column.name for column in LINEAGE)}
    names |= {"source_stage"} if "stage" in source.filled else set()
    money = any(column.kind == "money" and column.name in source.filled for column in spec.columns)
    names |= {"currency"} if money else set()
    return pa.schema([field for field in canonical.schema_of(spec) if field.name in names])


def _alike(old: Finding, new: Finding) -> bool:
    return (old.what, old.file, old.column, old.severity) == (new.what, new.file, new.column, new.severity) and (
        old.value == new.value or "set aside" in new.what or "different currencies" in new.what
    )


def _as_day(value: dt.date | dt.datetime) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def pd_types(kind: pa.DataType) -> Any:
    """Arrow's own types in pandas, so that comparing rows copies no cell into Python."""
    import pandas as pd

    return pd.ArrowDtype(kind)
