"""Which record and which partner each claim names; apart, because texts are judged here once each and are numbers
from here on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.claims import MILLION
from pbr_lib.crosswalk import AMBIGUOUS, Crosswalk, standard_id
from pbr_lib.mapping import Match
from pbr_lib.schema import SUBJECTS
from pbr_lib.shares import Numbers
from pbr_lib.subjects import Subjects, whole_column

__all__ = ["MIRRORED_ROW", "NO_CREDIT_ROW", "NO_RECORD_ROW", "OUT_OF_RANGE", "REASONS", "SEVERAL_ROW", "STRANGER_ROW"]
__all__ += ["UNKNOWN_RECORD_ROW", "Named", "Words", "judge"]

REASONS = (
    "",
    "names no record",
    "names a record that is not there",
    "its word for the credit is not mapped",
    "names the customer as its own partner (a mirrored row)",
    "names several partners at once",
    "names a partner that the partner list lacks",
)
"""Why a claim is set aside, by number; the first reason that applies. 0 is none."""

NO_RECORD_ROW, UNKNOWN_RECORD_ROW, NO_CREDIT_ROW, MIRRORED_ROW, SEVERAL_ROW, STRANGER_ROW = range(1, len(REASONS))

OUT_OF_RANGE = -2
"""In place of a given share that is below 0 or above 1."""

_CODED = ("subject_type", "credit_type", "status", "method", "reference", "match", "system", "source", "file", "column")
# What a CRM writes where a look-up is empty.
_NOTHING = ("", "000000000000000", "000000000000000AAA")


@dataclass(frozen=True)
class Words:
    """The columns of claims that hold few words, as codes into sorted lists of them; -1 is no word.

    ``place`` puts claims in the order of source, file, column and row; claims of one cell share their place.
    """

    codes: Mapping[str, Numbers] = field(repr=False)
    values: Mapping[str, tuple[str, ...]] = field(repr=False)
    place: Numbers = field(repr=False)

    @classmethod
    def of(cls, whole: pa.Table) -> Words:
        """The words of claims."""
        codes: dict[str, Numbers] = {}
        values: dict[str, tuple[str, ...]] = {}
        for name in _CODED:
            codes[name], values[name] = _coded(whole[name])
        row = np.asarray(pc.fill_null(whole["row"].combine_chunks(), 0))
        place = np.zeros(len(whole), np.int64)
        for name in ("source", "file", "column"):
            place = place * (len(values[name]) + 1) + codes[name] + 1
        return cls(codes, values, place * (int(row.max(initial=0)) + 1) + row)

    def counts(self, column: str) -> dict[str, int]:
        """How many claims hold each word of a column."""
        found = np.bincount(self.codes[column].astype(np.int32) + 1, minlength=len(self.values[column]) + 1)[1:]
        return {word: int(count) for word, count in zip(self.values[column], found, strict=True) if count}

    def word(self, column: str, row: int) -> str:
        """The word in one row; empty where there is none."""
        code = int(self.codes[column][row])
        return self.values[column][code] if code >= 0 else ""


@dataclass(frozen=True)
class Named:
    """What each claim names: numbers of record and partner (-1 for none), given share in millionths, and the reason.

    ``became`` gives for each record the number of the opportunity that it became, -1 for none.
    """

    record: Numbers
    became: Numbers
    partner: Numbers
    partner_ids: pa.StringArray
    given: Numbers
    reason: Numbers

    def aside(self) -> dict[str, int]:
        """How many claims are set aside for each reason."""
        found = np.bincount(self.reason, minlength=len(REASONS))
        return {reason: int(found[i]) for i, reason in enumerate(REASONS) if i}


def judge(whole: pa.Table, words: Words, records: Subjects, tables: Mapping[str, pa.Table], book: Crosswalk) -> Named:
    """The record, partner and share of each claim, or the first reason that it names none."""
    record, became = _records(whole, words, records, tables)
    partner, several, partner_ids = _partners(words, book, tables["partners"])
    kind = np.array([word in SUBJECTS for word in words.values["subject_type"]] + [False])
    empty = pc.or_kleene(pc.is_null(whole["subject_id"]), pc.is_in(whole["subject_id"], pa.array(_NOTHING)))
    reason = np.zeros(len(whole), np.int8)
    for number, holds in (
        (STRANGER_ROW, partner < 0),
        (SEVERAL_ROW, several),
        (MIRRORED_ROW, _mirrored(whole, words, record, records, tables)),
        (NO_CREDIT_ROW, words.codes["credit_type"] < 0),
        (UNKNOWN_RECORD_ROW, record < 0),
        (NO_RECORD_ROW, np.asarray(empty, bool) | ~kind[words.codes["subject_type"]]),
    ):
        reason[holds] = number
    return Named(record, became, partner, partner_ids, _given(whole), reason)


def _coded(column: pa.ChunkedArray) -> tuple[Numbers, tuple[str, ...]]:
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # without any chunk
        return np.zeros(0, np.int32), ()
    codes = np.asarray(pc.fill_null(whole.indices, -1), np.int32)
    values = whole.dictionary.to_pylist()
    order = sorted(range(len(values)), key=lambda at: values[at] or "")
    ranks = np.empty(len(values) + 1, np.int8 if len(values) < 128 else np.int32)
    ranks[order] = np.arange(len(values))
    ranks[-1] = -1
    return ranks[codes], tuple(values[at] for at in order)


def _records(
    whole: pa.Table, words: Words, records: Subjects, tables: Mapping[str, pa.Table]
) -> tuple[Numbers, Numbers]:
    """The number of each claim's record, and of the opportunity that each record became."""
    record, became = np.full(len(whole), -1, np.int32), np.full(len(records), -1, np.int32)
    ids = whole_column(whole["subject_id"])
    codes, values = words.codes["subject_type"], words.values["subject_type"]
    for kind in SUBJECTS:
        mine = codes == (values.index(kind) if kind in values else len(values))
        wanted = [ids if mine.all() else ids.filter(pa.array(mine))]
        if kind == "opportunity":
            wanted.append(records.column("lead", tables["leads"]["converted_opportunity_id"]))
        found = records.numbers(kind, wanted)
        record[mine] = found[0]
        if kind == "opportunity":
            became[records.starts["lead"] : records.starts["lead"] + len(found[1])] = found[1]
    return record, became


def _partners(words: Words, book: Crosswalk, partners: pa.Table) -> tuple[Numbers, Numbers, pa.StringArray]:
    """The number of each claim's partner, whether it names several, and the ids of all partners in order."""
    ids = sorted(partners["partner_id"].to_pylist())
    partner = np.full(len(words.place), -1, np.int32)
    several = np.zeros(len(words.place), bool)
    references = pa.array([*words.values["reference"], None], pa.string())
    named = np.where(words.codes["reference"] < 0, len(references) - 1, words.codes["reference"])
    match, system = words.codes["match"], words.codes["system"]
    ways = match.astype(np.int32) * (len(words.values["system"]) + 1) + system + 1
    for way in _distinct(ways):
        mine = ways == way
        first = int(np.argmax(mine))
        how, of = words.word("match", first), words.word("system", first)
        codes = named[mine]
        used = _distinct(codes)
        found = book.match(references.take(pa.array(used)), _how(how), of)
        number = np.full(len(references), -1, np.int32)
        fits = pc.index_in(found.partner_ids, pa.array(ids, pa.string()), skip_nulls=True)
        number[used] = np.asarray(pc.fill_null(fits, -1))
        unsure = np.zeros(len(references), bool)
        unsure[used] = np.asarray(pc.fill_null(pc.equal(found.why, AMBIGUOUS), False))
        partner[mine], several[mine] = number[codes], unsure[codes]
    return partner, several, pa.array(ids, pa.string())


def _distinct(codes: Numbers) -> Numbers:
    """The codes that occur, in order; counting is far faster than sorting, since codes are small."""
    return np.flatnonzero(np.bincount(codes)) if len(codes) else codes


def _how(word: str) -> Match:
    return word  # type: ignore[return-value]


def _mirrored(
    whole: pa.Table, words: Words, record: Numbers, records: Subjects, tables: Mapping[str, pa.Table]
) -> Numbers:
    """Rows of a junction that name the opportunity's own account as its partner.

    A CRM that keeps the relation of two accounts keeps it twice, once for each direction; only one of the two rows
    names the partner.
    """
    out = np.zeros(len(whole), bool)
    codes = [words.values[name].index(word) if word in words.values[name] else -9
             for name, word in (("method", "junction"), ("subject_type", "opportunity"))]  # fmt: skip
    mine = (words.codes["method"] == codes[0]) & (words.codes["subject_type"] == codes[1]) & (record >= 0)
    rows = np.flatnonzero(mine)
    if len(rows):
        accounts = records.column("opportunity", tables["opportunities"]["account_id"])
        customer = accounts.take(pa.array(record[rows] - records.starts["opportunity"]))
        named = pa.array(words.values["reference"], pa.string()).take(pa.array(words.codes["reference"][rows]))
        same = pc.equal(_standard(customer), _standard(named))
        out[rows] = np.asarray(pc.fill_null(same, False))
    return out


def _standard(ids: pa.StringArray) -> pa.StringArray:
    coded = ids.dictionary_encode()
    texts = [standard_id(text) if text else text for text in coded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(coded.indices)


def _given(whole: pa.Table) -> Numbers:
    """The given shares in millionths; -1 for none, :data:`OUT_OF_RANGE` for none that is a share."""
    column = whole["share"]
    if column.null_count == len(column):
        return np.full(len(column), -1, np.int32)
    units = pc.multiply(whole_column(column), pa.scalar(MILLION, pa.decimal128(7, 0))).cast(pa.decimal128(38, 0))
    fits = pc.and_(pc.greater_equal(units, 0), pc.less_equal(units, MILLION))
    units = pc.if_else(fits, units, pa.scalar(OUT_OF_RANGE, pa.decimal128(38, 0)))
    return np.asarray(pc.fill_null(units.cast(pa.int32()), -1))
