"""Who claims credit for what, as rows: one for each partner that an export names; apart, because whether a claim
holds (is there such a partner, such a record, was it in time) can be judged only when all exports are read.

Claims come from columns that name partners, from exports whose rows are credit (a junction), and, where the workbook
says so, from registrations, campaigns and service links. Nothing is judged here but the words of the export.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib import label_filters
from pbr_lib.definitions import AllOf
from pbr_lib.mapping import Credit, Source
from pbr_lib.model import Finding, Severity
from pbr_lib.schema import TABLES
from pbr_lib.shares import Numbers, cut

__all__ = ["CLAIMS", "MILLION", "Batch", "claims", "constant", "junction", "pairs", "table_of"]

MILLION = 1_000_000
"""The whole of a given share, in units of its six decimals."""

_WORD = pa.dictionary(pa.int32(), pa.string())
_NUMBER = pa.decimal128(18, 6)
_TIME = pa.timestamp("us")
_PERCENT_PLACES = 10
_EXAMPLES = 8

CLAIMS = pa.schema(
    [
        ("subject_type", _WORD),
        ("subject_id", pa.string()),
        ("reference", _WORD),
        ("match", _WORD),
        ("system", _WORD),
        ("credit_type", _WORD),
        ("share", _NUMBER),
        ("status", _WORD),
        ("method", _WORD),
        ("claimed_at", _TIME),
        ("influence_role", _WORD),
        ("is_primary", pa.bool_()),
        ("evidence_ref", pa.string()),
        ("partnership_id", pa.string()),
        ("partner_contact_id", pa.string()),
        ("decided_by", _WORD),
        ("commission_pct", _NUMBER),
        ("tier_stamped", _WORD),
        ("attribution_id", pa.string()),
        ("source", _WORD),
        ("file", _WORD),
        ("column", _WORD),
        ("row", pa.int64()),
    ]
)
"""One row for each partner that is named: ``reference`` names it, as ``match`` says, in ``system``.

``credit_type`` is null where the export's word for it is not mapped, ``share`` (0 to 1) where no split is given,
``status`` where the export has none, which counts as confirmed. ``source``, ``file``, ``row`` and ``column`` say
where the claim stands.
"""


@dataclass(frozen=True)
class Batch:
    """Some rows of an export that came through: their keys, row numbers, cleaned cells and times already read.

    ``raw`` holds the cells by label, null where empty, of every label that a credit or its ``when`` names;
    ``moments`` holds the columns of times that ``claimed_at`` names.
    """

    file: str
    ids: pa.StringArray
    rows: pa.Int64Array
    raw: Mapping[str, pa.StringArray] = field(repr=False)
    moments: Mapping[str, pa.TimestampArray] = field(default_factory=dict, repr=False)


@dataclass
class _Named:
    """The partners that one column names: text, cell (number within the batch) and place within the cell."""

    texts: pa.StringArray
    cell: Numbers
    place: Numbers
    count: Numbers

    def keep(self, mask: Any) -> _Named:
        return _Named(self.texts.filter(pa.array(mask)), self.cell[mask], self.place[mask], self.count[mask])


def claims(source: Source, name: str, batch: Batch) -> tuple[pa.Table, list[Finding]]:
    """The partners that the columns of a source name, for some of its rows, as :data:`CLAIMS`.

    ``name`` is that of the mapping. A word that the mapping does not translate, and a split that does not give each
    named partner its part of 100, are findings; the first leaves the credit unknown, the second the share.
    """
    found = [_claims_of(source, name, credit, batch) for credit in source.attribution]
    tables = [table for table, _ in found]
    return pa.concat_tables(tables) if tables else CLAIMS.empty_table(), [each for _, told in found for each in told]


def junction(table: pa.Table, name: str, source: Source) -> pa.Table:
    """Rows of ``attributions`` as an export gives them, as :data:`CLAIMS`; ``partner_id`` holds what names the partner.

    Columns that the export does not fill may be missing.
    """
    given = {key: table[key] for key in table.column_names if key in CLAIMS.names}
    label = next((label for label, column in source.columns.items() if column == "partner_id"), "partner_id")
    words = {"match": source.partner_match, "source": name, "file": source.origin}
    words["system"] = source.system or source.dialect
    method = given.pop("method", None)
    filled = pa.nulls(len(table), pa.string()) if method is None else method.cast(pa.string())
    given |= {"reference": table["partner_id"], "method": pc.fill_null(filled, "junction")}
    given |= {"row": table["src_row"]} if "src_row" in table.column_names else {}
    return table_of(len(table), given, words | {"column": label})


def table_of(length: int, columns: Mapping[str, Any], words: Mapping[str, str | None]) -> pa.Table:
    """:data:`CLAIMS` of some columns, and of words that are the same in every row; the rest is null."""
    nothing: dict[pa.DataType, pa.Array] = {}
    arrays = []
    for each in CLAIMS:
        if each.name in columns:
            arrays.append(_as(columns[each.name], each.type))
        elif words.get(each.name) is not None:
            arrays.append(constant(str(words[each.name]), length))
        else:
            # One array of nothing serves all columns of its type: they would fill memory with noughts.
            arrays.append(nothing.setdefault(each.type, pa.nulls(length, each.type)))
    return pa.table(arrays, schema=CLAIMS)


def constant(word: str, length: int) -> pa.DictionaryArray:
    """The same word in every row, in four bytes each."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(length, np.int32)), pa.array([word], pa.string()))


def pairs(left: pa.ChunkedArray, right: pa.ChunkedArray) -> tuple[Numbers, Numbers]:
    """The rows of ``left`` and ``right`` that hold the same text, each with each, in the order of ``left``."""
    coded = right.combine_chunks().dictionary_encode()
    codes = np.asarray(pc.fill_null(coded.indices, -1), np.int64)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(coded.dictionary) + 1))
    wanted = np.asarray(pc.fill_null(pc.index_in(left.combine_chunks(), coded.dictionary.drop_null()), -1), np.int64)
    at = np.nonzero(wanted >= 0)[0]
    first, last = starts[wanted[at]], starts[wanted[at] + 1]
    return np.repeat(at, last - first), order[_ranges(first, last - first)]


def _ranges(first: Numbers, length: Numbers) -> Numbers:
    """The numbers from each of ``first`` on, as many as ``length`` says, one range after the other."""
    offsets = np.cumsum(length) - length
    return np.asarray(np.arange(int(length.sum())) - np.repeat(offsets - first, length))


def _as(column: Any, kind: pa.DataType) -> Any:
    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    return column.cast(kind) if column.type != kind else column


# ---------------------------------------------------------------------------------- columns that name partners


def _claims_of(source: Source, name: str, credit: Credit, batch: Batch) -> tuple[pa.Table, list[Finding]]:
    cells = batch.raw[credit.column]
    if credit.when != AllOf():
        cells = pc.if_else(label_filters.fitting(credit.when, batch.raw, len(cells)), cells, None)
    named = _named(credit, cells)
    tell = _Teller(batch, f"params/sources/{name}.yaml")
    kinds = None
    if credit.credit_column is not None:
        kinds = _translated(batch.raw[credit.credit_column], credit.credits)
        given = kinds.take(pa.array(named.cell))
        named = named.keep(np.asarray(pc.fill_null(pc.not_equal(given, "none"), True)))
        kinds = kinds.take(pa.array(named.cell))
        tell.strange(credit.credit_column, named.cell[np.asarray(kinds.is_null())], "credits", "no credit is mapped")
    cell = pa.array(named.cell)
    columns = {
        "subject_id": batch.ids.take(cell),
        "reference": named.texts,
        "row": batch.rows.take(cell),
        "share": _shares(credit, source, named, batch, tell),
    }
    columns |= {} if kinds is None else {"credit_type": kinds}
    if credit.status is not None:
        states = _translated(batch.raw[credit.status], credit.statuses).take(cell)
        tell.strange(credit.status, named.cell[np.asarray(states.is_null())], "statuses", "no state is mapped")
        columns["status"] = pc.fill_null(states, "claimed")
    if credit.evidence is not None:
        columns["evidence_ref"] = batch.raw[credit.evidence].take(cell)
    if credit.claimed_at is not None and credit.claimed_at in batch.moments:
        columns["claimed_at"] = batch.moments[credit.claimed_at].take(cell)
    words = {"subject_type": TABLES[source.table].singular, "match": credit.match}
    words |= {
        "system": source.system or source.dialect,
        "method": "field",
        "source": name,
        "file": batch.file,
        "column": credit.column,
    }
    words |= {"credit_type": credit.credit} if credit.credit is not None else {}
    return table_of(len(named.texts), columns, words), tell.findings


def _named(credit: Credit, cells: pa.StringArray) -> _Named:
    if credit.separator:
        lists = pc.split_pattern(cells, credit.separator)
        texts, cell = pc.list_flatten(lists), np.asarray(pc.list_parent_indices(lists), np.int64)
    else:
        texts, cell = cells, np.arange(len(cells))
    texts = pc.utf8_trim_whitespace(texts)
    if credit.prefix:
        fits = pc.starts_with(texts, credit.prefix)
        texts = pc.if_else(fits, pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(texts, len(credit.prefix))), "")
    kept = np.asarray(pc.fill_null(pc.not_equal(texts, ""), False))
    texts, cell = texts.filter(pa.array(kept)), cell[kept]
    count = np.bincount(cell, minlength=len(cells))[cell]
    first = np.searchsorted(cell, cell)
    return _Named(texts, cell, np.arange(len(cell)) - first, count)


def _translated(cells: pa.StringArray, words: Mapping[str, str]) -> pa.StringArray:
    """What the mapping calls the cells; null where it does not say. An empty cell is the word ``""``."""
    at = pc.index_in(pc.fill_null(cells, ""), pa.array(list(words), pa.string()))
    return pa.array(list(words.values()), pa.string()).take(at)


def _shares(credit: Credit, source: Source, named: _Named, batch: Batch, tell: _Teller) -> pa.Array:
    """The given share of each named partner; null where no split is given, or none that fits."""
    nothing = pa.nulls(len(named.texts), _NUMBER)
    if credit.split is None or not len(named.texts):
        return nothing
    coded = batch.raw[credit.split].dictionary_encode()
    parsed = [_parts(text, credit.separator, source.decimal) for text in coded.dictionary.to_pylist()]
    code = np.asarray(pc.fill_null(coded.indices, len(parsed)), np.int64)[named.cell]
    sizes = np.array([*map(len, parsed), 0], np.int64)
    fits = sizes[code] == named.count
    wrong = (code < len(parsed)) & ~fits
    tell.odd(credit.split, named.cell[wrong & (named.place == 0)])
    flat = np.array([part for parts in parsed for part in parts] or [0], np.int64)
    offsets = np.cumsum(sizes) - sizes
    at = np.where(fits, offsets[code] + named.place, 0)
    return _millionths(np.where(fits, flat[at], 0), fits)


def _millionths(values: Numbers, valid: Any) -> pa.Array:
    """Whole millionths as decimals, without a detour through anything that rounds."""
    exact = pa.array(values, mask=~valid).cast(pa.decimal128(19, 0))
    return pc.multiply(exact, pa.scalar(Decimal("0.000001"), pa.decimal128(6, 6))).cast(_NUMBER)


def _parts(text: str, separator: str, decimal: str) -> tuple[int, ...]:
    """The percentages of a cell in millionths; none when one is no plain number, or they are not 100 together."""
    cells = text.split(separator) if separator else [text]
    parts = [part.strip().removesuffix("%").strip() for part in cells if part.strip()]
    if decimal == ",":
        parts = [part.replace(",", ".") for part in parts]
    if not all(map(_is_percentage, parts)):
        return ()
    places = 10**_PERCENT_PLACES
    weights = [int(Decimal(part) * places) for part in parts]
    return cut(MILLION, weights) if sum(weights) == 100 * places else ()


def _is_percentage(text: str) -> bool:
    whole, _, rest = text.partition(".")
    plain = whole.isdecimal() and len(whole) <= 3 and len(rest) <= _PERCENT_PLACES
    return text.isascii() and plain and (rest.isdecimal() or "." not in text)


@dataclass
class _Teller:
    """Findings about the words of one batch, one for each distinct word up to a few, and one for the rest."""

    batch: Batch
    mapping: str
    findings: list[Finding] = field(default_factory=list)

    def strange(self, label: str, cells: Numbers, key: str, fault: str) -> None:
        """Words that the mapping does not translate; of an unknown state the claim does not count."""
        fix = f"add the word to {key} of this column in {self.mapping}"
        what = f"{fault} to this word; the claim is set aside"
        if key == "statuses":
            what = f"{fault} to this word; the claim is read as claimed, and does not count until it is confirmed"
        for more, rows, value in self._by_value(label, cells):
            empty = key == "statuses" and value == ""
            self._tell("warning" if empty else "error", what + more, label, rows, value, fix)

    def odd(self, label: str, cells: Numbers) -> None:
        """Splits that do not fit the partners that they are for."""
        what = "this split does not give each named partner a part of 100; divided evenly"
        fix = "write one percentage for each partner, adding up to 100"
        for more, rows, value in self._by_value(label, cells):
            self._tell("error", what + more, label, rows, value, fix)

    def _by_value(self, label: str, cells: Numbers) -> Iterable[tuple[str, list[int], str]]:
        if not len(cells):
            return
        at = pa.array(np.unique(cells))
        found = pa.table({"value": self.batch.raw[label].take(at), "row": self.batch.rows.take(at)})
        by = found.group_by("value").aggregate([("row", "min"), ("row", "count")]).to_pylist()
        by.sort(key=lambda each: (-each["row_count"], each["value"] or ""))
        for each in by[:_EXAMPLES]:
            yield "", [each["row_min"], each["row_count"]], each["value"] or ""
        if rest := by[_EXAMPLES:]:
            first = min(rest, key=lambda each: each["row_min"])
            count = sum(each["row_count"] for each in rest)
            yield f" ({len(rest)} more words)", [first["row_min"], count], first["value"] or ""

    def _tell(self, severity: Severity, what: str, label: str, rows: Sequence[int], value: str, fix: str) -> None:
        self.findings.append(Finding(severity, what, self.batch.file, rows[0], label, value[:80], fix, rows[1]))
