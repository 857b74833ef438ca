"""Rows of a database, kept in a file and read from there like the table of an export; apart, because the rest of the
ingest must not care that they never were an export.

Each value is kept as a cell (:mod:`pbr_lib.cells`): its text in one fixed form, and its kind. So a number keeps every
digit that the database holds, and a moment its place on the clock of UTC.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pbr_lib.cells import BOOL, DATE, DATETIME, NUMBER, TEXT, Cells
from pbr_lib.errors import SourceError
from pbr_lib.reading import Batch, RawTable

__all__ = ["CHUNK_ROWS", "Fetched", "from_arrow", "from_values", "keep"]

CHUNK_ROWS = 65_536
_LABELS = b"labels"


class Fetched(RawTable):
    """The rows of a database in the shape of a table of a file.

    All is as :class:`pbr_lib.reading.RawTable` says; nothing is set aside, since a database prints neither titles
    nor totals between its rows. ``header_row`` is 0, and rows count from 1 in the order of :func:`keep`.

    Raises
    ------
    SourceError
        When the file was not made by :func:`keep`, or is damaged.
    """

    def __init__(self, path: Path, place: str) -> None:
        try:
            self._file = pq.ParquetFile(path)
            labels = json.loads((self._file.schema_arrow.metadata or {})[_LABELS])
        except (OSError, pa.ArrowInvalid, KeyError, ValueError):
            fix = "run pbr check, which asks the database anew"
            raise SourceError("what was fetched last is damaged", place, fix) from None
        self.place = place
        self.labels = tuple(labels)
        self.repeated = frozenset(label for label in self.labels if self.labels.count(label) > 1)
        self.header_row = 0
        self.facts: Mapping[str, str] = {"format": "database"}
        self.rows_read = 0
        self.aside = ()
        self.remarks = ()
        self.totals = ()
        self.findings = ()

    def batches(self) -> Iterator[Batch]:
        """The rows in pieces of up to 65,536."""
        for batch in self._file.iter_batches(batch_size=CHUNK_ROWS):
            numbers = np.arange(self.rows_read + 1, self.rows_read + len(batch) + 1, dtype=np.int64)
            self.rows_read += len(batch)
            yield Batch(numbers, tuple(_kept(batch, at) for at in range(len(self.labels))))


def keep(labels: Sequence[str], chunks: Iterable[Sequence[Cells]], path: Path, order: Sequence[str]) -> None:
    """Write rows into a file that is there whole or not at all.

    They are ordered by the columns called ``order``, then by all others: a database promises no order, and the same
    rows must give the same file.

    Parameters
    ----------
    labels:
        The columns as the database calls them; a blank one becomes ``(column 7)``.
    chunks:
        The rows, each chunk as one :class:`Cells` per label.
    path:
        Where the file goes; its folder is made.
    order:
        Labels; one that is not there is passed over.
    """
    named = [label.strip() or f"(column {at})" for at, label in enumerate(labels, start=1)]
    fields = [pa.field(f"{what}{at}", kind) for at in range(len(named)) for what, kind in _PAIR]
    schema = pa.schema(fields, metadata={_LABELS: json.dumps(named).encode()})
    table = _joined(chunks, schema)
    first = [at for label in order for at, each in enumerate(named) if each == label]
    places = _ordered(table, list(dict.fromkeys([*first, *range(len(named))])))
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with pq.ParquetWriter(aside, schema, compression="zstd", compression_level=1) as writer:
            # Piece by piece, so that the rows never stand in memory twice.
            for start in range(0, len(places), CHUNK_ROWS):
                writer.write_table(table.take(places[start : start + CHUNK_ROWS]))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def from_arrow(column: pa.Array) -> Cells:
    """The values of an Arrow array as cells."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return from_arrow(column.dictionary_decode())
    if pa.types.is_boolean(kind):
        return _of(column.cast(pa.string()), BOOL)
    if pa.types.is_date(kind):
        return _of(column.cast(pa.date32()).cast(pa.string()), DATE)
    if pa.types.is_timestamp(kind):
        return _of(_moments(column), DATETIME)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind):
        # A whole number stays text: an id of twenty digits is exact here, and would be doubted as a workbook's number.
        return Cells(_filled(column))
    if pa.types.is_decimal(kind):
        return _numbers(column.cast(pa.string()))
    if pa.types.is_floating(kind):
        return _numbers(_by_value(_filled(column), _fifteen_digits))
    return from_values(column.to_pylist())


def from_values(values: Sequence[Any]) -> Cells:
    """The values of one column as a database driver gives them, as cells; None is an empty cell."""
    types = set(map(type, values)) - {type(None)}
    if types <= {str}:
        return Cells(_filled(pa.array(values, pa.string())))
    if types == {Decimal}:
        return _numbers(pa.array([None if value is None else str(value) for value in values], pa.string()))
    with_zone = {value.tzinfo is not None for value in values if value is not None} if types == {dt.datetime} else ()
    if types in ({bool}, {int}, {float}, {dt.date}) or len(with_zone) == 1:
        kind = pa.timestamp("us", "UTC" if True in with_zone else None) if with_zone else None
        with suppress(pa.ArrowInvalid, OverflowError):  # a whole number of more than 64 bits
            return from_arrow(pa.array(values, kind))
    made = [_cell(value) for value in values]
    return Cells(pa.array([text for text, _ in made], pa.string()), np.array([kind for _, kind in made], np.uint8))


_PAIR = (("text", pa.string()), ("kind", pa.uint8()))


def _joined(chunks: Iterable[Sequence[Cells]], schema: pa.Schema) -> pa.Table:
    parts: list[list[pa.Array]] = [[] for _ in schema]
    for chunk in chunks:
        for at, cells in enumerate(chunk):
            kinds = np.full(len(cells), TEXT, np.uint8) if cells.kinds is None else cells.kinds
            parts[2 * at].append(cells.text)
            parts[2 * at + 1].append(pa.array(kinds, pa.uint8()))
    columns = []
    for pieces, field in zip(parts, schema, strict=True):
        columns.append(pa.chunked_array(pieces, field.type).combine_chunks())
        pieces.clear()  # so that only one column at a time is there twice
    return pa.table(columns, schema=schema)


def _ordered(table: pa.Table, places: Sequence[int]) -> pa.Array:
    keys = [(f"text{at}", "ascending") for at in places] + [(f"kind{at}", "ascending") for at in places]
    return pc.sort_indices(table, sort_keys=keys) if keys else pa.array([], pa.uint64())


def _kept(batch: pa.RecordBatch, at: int) -> Cells:
    kinds = batch.column(2 * at + 1).to_numpy()
    return Cells(batch.column(2 * at), kinds if kinds.any() else None)


def _filled(column: pa.Array) -> pa.StringArray:
    return pc.fill_null(column.cast(pa.string()), "")


def _of(text: pa.StringArray, kind: int) -> Cells:
    """Cells that are all of one kind, where they hold anything."""
    text = _filled(text)
    full = pc.not_equal(text, "").to_numpy(zero_copy_only=False)
    return Cells(text, np.where(full, kind, TEXT).astype(np.uint8))


def _moments(column: pa.Array) -> pa.StringArray:
    """Moments as ISO text; one with a zone as the clock of UTC with its ``Z``, which the conversion shifts."""
    # A moment with a zone is kept as that of UTC: without the zone, the same number is its clock.
    plain = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64()).cast(pa.timestamp("us"))
    text = pc.replace_substring(pc.replace_substring(plain.cast(pa.string()), " ", "T"), ".000000", "")
    return pc.binary_join_element_wise(text, "Z", "") if column.type.tz else text


def _numbers(text: pa.StringArray) -> Cells:
    """Numbers that Arrow or Python wrote, as plain decimals with a point; what is no number stays text."""
    text = _filled(text)
    odd = pc.match_substring_regex(text, "[a-zA-Z]")
    if pc.any(odd).as_py():
        text = _by_value(text, _plain_number)
    kinds = pc.match_substring(text, ".").to_numpy(zero_copy_only=False)
    return Cells(text, np.where(kinds, NUMBER, TEXT).astype(np.uint8))


def _by_value(text: pa.StringArray, turn: Callable[[str], str]) -> pa.StringArray:
    """Each distinct text turned once."""
    coded = text.dictionary_encode()
    return pa.array([turn(each) for each in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _plain_number(text: str) -> str:
    number = Decimal(text) if text else Decimal("NaN")
    return f"{number:f}" if number.is_finite() else text


def _fifteen_digits(text: str) -> str:
    """A binary fraction as spreadsheets and people know it: 0.3 where a machine says 0.30000000000000004."""
    return _plain_number(f"{float(text):.15g}") if text and math.isfinite(float(text)) else text


def _cell(value: Any) -> tuple[str, int]:
    """One value of any type as text and kind."""
    if value is None:
        return "", TEXT
    if isinstance(value, bool):
        return str(value).lower(), BOOL
    if isinstance(value, dt.datetime):
        zoned = value.tzinfo is not None
        moment = value.astimezone(dt.UTC).replace(tzinfo=None) if zoned else value
        return moment.isoformat(timespec="auto") + ("Z" if zoned else ""), DATETIME
    if isinstance(value, dt.date):
        return value.isoformat(), DATE
    if isinstance(value, Decimal | float):
        text = _fifteen_digits(str(value)) if isinstance(value, float) else _plain_number(str(value))
        return text, NUMBER if "." in text else TEXT
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex(), TEXT
    if isinstance(value, list | tuple | dict | set | frozenset):
        parts = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return json.dumps(parts, ensure_ascii=False, default=lambda part: _cell(part)[0]), TEXT
    return str(value), TEXT
