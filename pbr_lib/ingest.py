"""Exports in; contracted tables, findings and coverage out; apart, because past this room nobody meets a CRM.

Row accounting holds for every source: rows read = rows used + rows set aside, each with a reason. A cell
that cannot be read is a finding with file, row and column, never a guess.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib import attribution, reading
from pbr_lib.errors import InputError, SourceError
from pbr_lib.mapping import Source, Stamp
from pbr_lib.model import Finding
from pbr_lib.params import Params
from pbr_lib.schema import OPEN_STAGES, TABLES, ColumnSpec, TableSpec

__all__ = ["ARROW_TYPES", "Extract", "Loaded", "load"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "money": pa.decimal128(18, 4),
    "number": pa.decimal128(18, 6),
    "integer": pa.int64(),
    "bool": pa.bool_(),
}
_PLAIN_NUMBER = r"^-?[0-9]{1,14}(?:\.[0-9]+)?$"
_TRUE, _FALSE = ("1", "true", "yes", "x"), ("0", "false", "no", "")


@dataclass(frozen=True)
class Extract:
    """What one export says, and how far it reaches: the evidence for a true zero.

    ``as_of`` is the last day that it covers, ``covers_from`` the first; both inclusive.
    """

    source: str
    table: str
    file: str
    about: str
    as_of: dt.date | None
    covers_from: dt.date
    sha256: str = ""
    rows_read: int = 0
    rows_used: int = 0
    aside: Mapping[str, int] = field(default_factory=dict)

    @property
    def present(self) -> bool:
        """Whether the export was there at all."""
        return self.as_of is not None


@dataclass(frozen=True)
class Loaded:
    """The normalised tables of one state of the exports."""

    tables: Mapping[str, pa.Table] = field(repr=False)
    extracts: tuple[Extract, ...]
    findings: tuple[Finding, ...]

    @property
    def as_of(self) -> dt.date:
        """The run's business date: the newest day that any export covers; never the clock."""
        return max(extract.as_of for extract in self.extracts if extract.as_of)


def load(params: Params) -> Loaded:
    """Read every source of the params, partners first since credit refers to them.

    Raises
    ------
    SourceError
        When an export that is not optional is missing, unreadable, or lacks a mapped column.
    """
    if not params.data.is_dir():
        fix = f"put the exports into {params.workbook.data}, or correct data: in params/workbook.yaml"
        raise InputError("the folder of the exports is missing", params.workbook.data, fix)
    findings: list[Finding] = []
    extracts: list[Extract] = []
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    order = sorted(params.sources, key=lambda name: (params.sources[name].table != "partners", name))
    credits: list[attribution.Claims] = []
    for name in order:
        source = params.sources[name]
        if source.optional and not (params.data / source.file).is_file():
            findings.append(_absent(source))
            extracts.append(Extract(name, source.table, source.file, source.about, None, source.covers_from))
            continue
        one = _Source(name, source, params)
        frame = one.without(one.convert(), tables[source.table])
        tables[source.table].append(frame)
        credits += attribution.claims(source, TABLES[source.table], one.raw, frame)
        findings += one.findings
        extracts.append(one.extract(len(frame)))
    whole = {name: _joined(TABLES[name], frames) for name, frames in tables.items()}
    if whole["partners"].empty:
        raise _no_partners(params, findings)
    whole["attributions"], odd = attribution.resolve(credits, whole["partners"])
    findings += odd + _unknown_partners(whole)
    arrow = {name: _arrow(TABLES[name], frame) for name, frame in whole.items()}
    return Loaded(arrow, tuple(extracts), tuple(sorted(findings, key=_rank)))


class _Source:
    """One export on its way into one table."""

    def __init__(self, name: str, source: Source, params: Params) -> None:
        self.name = name
        self.source = source
        self.mapping = f"params/sources/{name}.yaml"
        self.export = reading.Export(source, params.data, params.workbook.data, self.mapping)
        self.spec = TABLES[source.table]
        self.raw = reading.read_source(self.export)
        self.findings: list[Finding] = []
        self.aside: Counter[str] = Counter(reason for _, reason in self.raw.set_aside)
        self._note_uneven()

    def _note_uneven(self) -> None:
        torn = [number for number, reason in self.raw.set_aside if reason == "more cells than labels"]
        if torn:
            fix = "put quotes around text that holds the separator, and export again"
            self._note("error", "rows with more cells than labels are set aside", "", torn, fix=fix)
        if self.raw.short:
            what = "rows have fewer cells than labels; the missing ones are read as empty"
            self._note("warning", what, "", self.raw.short, fix="export again if these cells should not be empty")

    def extract(self, rows_used: int) -> Extract:
        """The evidence of what this export covers."""
        source = self.source
        as_of = source.as_of if isinstance(source.as_of, dt.date) else self._stamp(source.as_of)
        if as_of < source.covers_from:
            fix = f"correct covers_from or as_of in {self.mapping}"
            raise self.export.fault(f"it is as of {as_of}, before {source.covers_from} from which it covers", fix)
        accounting = (self.raw.rows_read, rows_used, dict(self.aside))
        sha = reading.sha256(self.export.path)
        return Extract(
            self.name, source.table, self.raw.file, source.about, as_of, source.covers_from, sha, *accounting
        )

    def convert(self) -> pd.DataFrame:
        """The rows of this export in the columns of its table; the index is the row number in the file."""
        raw, source = self.raw.frame, self.source
        unused = set(raw.columns) - set(reading.wanted_labels(source)) - set(source.ignore)
        for label in sorted(unused):
            self._note(
                "info", "this column is not used", label, fix=f"list it under ignore in {self.mapping}, or map it"
            )
        out = pd.DataFrame(index=raw.index)
        by_name = {name: label for label, name in source.columns.items()}
        for column in self.spec.columns:
            if column.name in by_name:
                label = by_name[column.name]
                out[column.name] = self._column(raw[label], column, label)
            else:
                constant = source.constants.get(column.name)
                out[column.name] = pd.Series(constant, index=raw.index, dtype=object)
        out = self._required(out, raw, by_name)
        out = self._unique(out, by_name.get(self.spec.key, self.spec.key))
        if self.spec.name == "opportunities":
            out = _with_stage_flags(out, raw[by_name["stage"]] if "stage" in by_name else None)
        return out

    def _column(self, cells: pd.Series, column: ColumnSpec, label: str) -> pd.Series:
        if self.source.decimal == "," and cells.dtype == object:
            # A number that a workbook holds as one has no decimal sign of its own.
            cells = cells.map(lambda cell: _as_written(cell, ",") if isinstance(cell, float) else cell)
        text = cells if column.kind in ("date", "timestamp") else _as_text(cells)
        mapping = self.source.values.get(column.name)
        if mapping is not None:
            mapped = text.map(mapping)
            stray = text[(text != "") & mapped.isna()]
            self._unreadable(stray, label, f"no value for {column.name} is mapped to it", int((text != "").sum()))
            return mapped.astype(object).where(mapped.notna(), None)
        values, fault = self._converter(column)(text)
        plain = _as_text(cells)
        filled = plain != ""
        self._unreadable(plain[values.isna() & filled], label, fault, int(filled.sum()))
        if column.values:
            stray = values.notna() & ~values.isin(column.values)
            fault = f"{column.name} is one of {', '.join(column.values)}"
            self._unreadable(text[stray], label, fault, int(filled.sum()))
            values = values.where(~stray, None)
        return values

    def _converter(self, column: ColumnSpec) -> Callable[[pd.Series], tuple[pd.Series, str]]:
        source = self.source
        if column.kind == "date":
            return lambda cells: (
                _days(cells, source.date_format).dt.date,
                f"this is no date like {source.date_format}",
            )
        if column.kind == "timestamp":
            formats = (source.timestamp_format, source.date_format)
            return lambda cells: (_days(cells, *formats), f"this is no time like {source.timestamp_format}")
        if column.kind in ("money", "number", "integer"):
            return lambda cells: (_numbers(cells, source.decimal), "this is no plain number")
        if column.kind == "bool":
            return lambda cells: (_booleans(cells), "this is neither true nor false")
        return lambda cells: (cells.astype(object).where(cells != "", None), "")

    def _required(self, frame: pd.DataFrame, raw: pd.DataFrame, by_name: Mapping[str, str]) -> pd.DataFrame:
        for column in self.spec.columns:
            if column.required and column.name in frame:
                empty = frame[column.name].isna()
                if empty.any():
                    label = by_name.get(column.name, column.name)
                    self.aside[f"no readable {label}"] += int(empty.sum())
                    blank = empty & (_as_text(raw.loc[frame.index, label]) == "") if label in raw else empty
                    # A cell that could not be read has been told; that its row is set aside follows from it.
                    if blank.any():
                        what = f"rows without {column.name} are set aside"
                        self._note("error", what, label, frame.index[blank], fix="fill the cell in the CRM")
                    frame = frame[~empty]
        return frame

    def _unique(self, frame: pd.DataFrame, label: str) -> pd.DataFrame:
        again = frame.duplicated(self.spec.key, keep="first")
        if again.any():
            same = frame.duplicated(keep="first") & again
            for mask, severity, what in (
                (same, "warning", "the same row again"),
                (again & ~same, "error", "the same key with other content; the first row is used"),
            ):
                if mask.any():
                    self.aside[what.split(";")[0]] += int(mask.sum())
                    value = str(frame.loc[mask, self.spec.key].iloc[0])
                    self._note(severity, what, label, frame.index[mask], value, "remove the copy from the export")
            frame = frame[~again]
        return frame

    def without(self, frame: pd.DataFrame, earlier: list[pd.DataFrame]) -> pd.DataFrame:
        """The rows whose key no earlier source of this table holds; the others are set aside and told."""
        key = self.spec.key
        again = frame[key].isin(set().union(*(set(other[key]) for other in earlier)))
        if again.any():
            self.aside["held by another source"] += int(again.sum())
            what = f"another source of {self.spec.name} holds the same {key}; its row is used"
            value = str(frame.loc[again, key].iloc[0])
            fix = "export each record in one file only"
            self._note("warning", what, key, frame.index[again], value, fix)
        return frame[~again]

    def _unreadable(self, cells: pd.Series, label: str, fault: str, filled: int) -> None:
        """One finding for each distinct value, at most eight; one alone where most of a column is like that."""
        counts = cells.value_counts(sort=True)
        if len(counts) > 8 and 2 * len(cells) > filled:
            fix = f"correct how {self.mapping} reads this column, or map another one"
            self._note("error", f"{fault}, in {len(cells)} of {filled} cells", label, cells.index, cells.iloc[0], fix)
            return
        fix = f"correct the cell in the CRM, or teach {self.mapping} to read it"
        for value in list(counts.index[:8]):
            self._note("error", fault, label, cells.index[cells == value], str(value), fix)
        if len(counts) > 8:
            rest = cells[~cells.isin(counts.index[:8])]
            self._note("error", f"{fault} ({len(counts) - 8} more values)", label, rest.index, str(rest.iloc[0]), fix)

    def _note(self, severity: Any, what: str, column: str, rows: Any = (), value: str = "", fix: str = "") -> None:
        row = int(rows[0]) if len(rows) else None
        count = max(len(rows), 1)
        self.findings.append(Finding(severity, what, self.raw.file, row, column, value[:80], fix, count))

    def _stamp(self, stamp: Stamp) -> dt.date:
        pattern = re.compile(_date_pattern(stamp.format))
        for line in self.raw.remarks:
            match = pattern.search(line) if stamp.find.lower() in line.lower() else None
            if match:
                try:
                    return dt.datetime.strptime(match[0], stamp.format).date()
                except ValueError:
                    continue
        seen = "; ".join(line[:60] for line in self.raw.remarks[:4]) or "no line above or below the data"
        fix = f"correct as_of in {self.mapping}, or write the day there. Seen: {seen}"
        raise self.export.fault(f'no line says "{stamp.find}" with a date like {stamp.format}', fix)


# ----------------------------------------------------------------------------------------- conversions


def _as_text(cells: pd.Series) -> pd.Series:
    if cells.dtype == object:
        cells = cells.map(reading.cell_text)
    return cells.astype("str").str.strip()


def _as_written(cell: float, decimal: str) -> str:
    return reading.cell_text(cell).replace(".", decimal)


def _days(cells: pd.Series, *formats: str) -> pd.Series:
    """Real dates stay; text is read by the first format that fits the whole text."""
    if cells.dtype == object:
        real = cells.map(lambda cell: isinstance(cell, dt.date))
        text = cells.where(~real, "").astype("str").str.strip()
    else:
        real, text = None, cells.str.strip()
    out = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[us]")
    for form in formats:
        left = out.isna() & (text != "")
        if left.any():
            out[left] = pd.to_datetime(text[left], format=form, errors="coerce").astype("datetime64[us]")
    if real is not None and real.any():
        out[real] = pd.to_datetime(cells[real]).astype("datetime64[us]")
    return out


def _numbers(cells: pd.Series, decimal: str) -> pd.Series:
    """Exact decimals: grouping signs go, the decimal sign becomes a point, anything else is no number."""
    group = "," if decimal == "." else "."
    grouped = rf"^-?\d{{1,3}}(?:\{group}\d{{3}})+(?:\{decimal}\d+)?$"
    plain = cells.where(~cells.str.match(grouped), cells.str.replace(group, "", regex=False))
    if decimal == ",":
        # A point that groups nothing may be a decimal sign after all: no guess.
        plain = plain.where(~plain.str.contains(".", regex=False), "?").str.replace(",", ".", regex=False)
    fits = plain.str.match(_PLAIN_NUMBER)
    # Ten digits after the point are more than any amount needs; what follows is noise of arithmetic.
    short = plain.str.replace(r"(\.[0-9]{10})[0-9]+$", r"\1", regex=True)
    wide = pa.array(short.where(fits, None), type=pa.string(), from_pandas=True).cast(pa.decimal128(28, 10))
    exact = pc.round(wide, ndigits=4, round_mode="half_towards_infinity").cast(pa.decimal128(18, 4))
    return pd.Series(exact, index=cells.index, dtype=pd.ArrowDtype(pa.decimal128(18, 4)))


def _booleans(cells: pd.Series) -> pd.Series:
    low = cells.str.lower()
    out = pd.Series(None, index=cells.index, dtype=object)
    out[low.isin(_TRUE)] = True
    out[low.isin(_FALSE)] = False
    return out


def _with_stage_flags(frame: pd.DataFrame, source_stage: pd.Series | None) -> pd.DataFrame:
    frame = frame.copy()
    if source_stage is not None:
        frame["source_stage"] = _as_text(source_stage).reindex(frame.index)
    frame["is_open"] = frame["stage"].isin(OPEN_STAGES)
    frame["is_won"] = frame["stage"] == "won"
    frame["is_lost"] = frame["stage"] == "lost"
    return frame


def _joined(spec: TableSpec, frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in spec.names})
    whole = pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0]
    return whole.sort_values(spec.key, ignore_index=True)


def _no_partners(params: Params, findings: list[Finding]) -> SourceError:
    """Why the partner list is empty: its first unreadable cell, if there is one."""
    name, source = next((name, source) for name, source in params.sources.items() if source.table == "partners")
    told = [finding for finding in findings if finding.severity == "error" and finding.file.startswith(source.file)]
    why = f": {told[0].what}" if told else ""
    place = f"{params.workbook.data}/{told[0].where if told else source.file}"
    fix = told[0].fix if told else f"export the partners again; params/sources/{name}.yaml says how they are read"
    return SourceError(f"no partner came out of the partner list{why}", place, fix)


def _unknown_partners(tables: Mapping[str, pd.DataFrame]) -> list[Finding]:
    """Rows of registrations and the like whose partner nobody knows; they stay, and count for no one."""
    known = set(tables["partners"]["partner_id"])
    out = []
    for name, frame in tables.items():
        if name in ("partners", "attributions") or "partner_id" not in frame or frame.empty:
            continue
        stray = frame.loc[~frame["partner_id"].isin(known), "partner_id"]
        for value, count in stray.value_counts().head(8).items():
            fix = "add the partner to the partner list, or correct the id"
            out.append(Finding("warning", f"{name} name a partner that the list lacks", value=str(value), fix=fix,
                               count=int(count), column="partner_id"))  # fmt: skip
    return out


def _arrow(spec: TableSpec, frame: pd.DataFrame) -> pa.Table:
    arrays = []
    for column in spec.columns:
        kind = ARROW_TYPES[column.kind]
        cells = frame[column.name]
        arrow = pa.array(cells, from_pandas=True) if len(cells) else pa.array([], kind)
        arrays.append(arrow.combine_chunks().cast(kind) if isinstance(arrow, pa.ChunkedArray) else arrow.cast(kind))
    return pa.table(arrays, names=list(spec.names))


def _absent(source: Source) -> Finding:
    what = f"the optional export for {source.table} is not there; goals on it are not measurable"
    return Finding("info", what, source.file, fix="drop the file into the data folder when it comes")


def _date_pattern(form: str) -> str:
    parts = {"%d": r"\d{1,2}", "%m": r"\d{1,2}", "%Y": r"\d{4}", "%y": r"\d{2}", "%b": r"[A-Za-z]{3}"}
    parts |= {"%B": r"[A-Za-z]+", "%H": r"\d{1,2}", "%M": r"\d{2}", "%S": r"\d{2}", "%I": r"\d{1,2}", "%p": "[AP]M"}
    out = re.escape(form).replace(r"\%", "%")
    for directive, pattern in parts.items():
        out = out.replace(directive, pattern)
    return out


def _rank(finding: Finding) -> tuple[int, Finding]:
    return (("error", "warning", "info").index(finding.severity), _comparable(finding))


def _comparable(finding: Finding) -> Any:
    return (finding.file, finding.column, finding.what, finding.row or 0, finding.value)
