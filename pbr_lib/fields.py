"""How one column of an export becomes one column of a table; apart, because the mapping, its dialect and the
workbook each have a say in it, and the intake wants one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib import cell_dates, cell_ids, cell_numbers, cell_text, dialects
from pbr_lib.canonical import ARROW_TYPES
from pbr_lib.cell_dates import DateRules
from pbr_lib.cell_numbers import NumberRules
from pbr_lib.cell_text import TextRules
from pbr_lib.cells import ERROR, Cells
from pbr_lib.conversions import Converted, Fault
from pbr_lib.mapping import Formats, Source
from pbr_lib.schema import ColumnSpec, TableSpec

__all__ = ["Columns", "Read"]

_SHARES = ("probability", "share", "cost_share", "commission_pct")


@dataclass(frozen=True)
class Read:
    """One column as read: values, faults, what was done, and the currencies that stood in the cells."""

    values: pa.Array = field(repr=False)
    faults: tuple[Fault, ...] = ()
    notes: Mapping[str, int] = field(default_factory=dict)
    currencies: pa.StringArray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Columns:
    """The columns that one mapping fills, each with its way of being read."""

    source: Source
    spec: TableSpec
    zone: str

    @cached_property
    def text_rules(self) -> TextRules:
        """How text is cleaned: empty spellings, entities and apostrophes of the dialect, and those of the mapping."""
        nulls = frozenset(self.source.nulls)
        if not self.source.dialect:
            return TextRules(nulls=nulls)
        dialect = dialects.get(self.source.dialect)
        return TextRules(
            nulls=nulls | frozenset(dialect.nulls), entities=dialect.entities, apostrophe=dialect.apostrophe
        )

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The label of the export that fills each column."""
        first = {name: labels[0] for name, labels in self.source.first_of.items()}
        return {name: label for label, name in self.source.columns.items()} | first

    def cells(self, name: str, given: Mapping[str, Cells]) -> Cells:
        """The cells that fill a column: those of its label, or of several labels the first that is not empty."""
        out, *others = (given[label] for label in self.source.first_of.get(name, (self.labels[name],)))
        for other in others:
            out = _filled(self._emptied(out), other)
        return out

    def clean(self, cells: Cells) -> pa.StringArray:
        """Text as this export means it, null where empty."""
        return cell_text.clean(cells, self.text_rules)

    def read(self, column: ColumnSpec, cells: Cells) -> Read:
        """The cells of one column as values of its type."""
        values = self.values_of(column)
        if column.kind == "text" and values is None and self._is_id(column):
            return _closed(column, _read(cell_ids.to_ids(self._emptied(cells), self._salesforce)))
        if column.kind == "text":
            text = self.clean(cells)
            errors = _excel_errors(cells)
            found = Read(text, errors) if values is None else _translated(column, text, values, errors)
            return _closed(column, found)
        return self._typed(column, self._emptied(cells))

    def moments(self, cells: Cells) -> pa.TimestampArray:
        """Cells as times, read like the other times of this export; null where they are none."""
        column = ColumnSpec("claimed_at", "timestamp", "")
        return cell_dates.to_moments(self._emptied(cells), self._date_rules(column, Formats())).values

    def values_of(self, column: ColumnSpec) -> Mapping[str, str] | None:
        """What the words of a column mean: the mapping's, else its dialect's; None where words stay as they are."""
        if column.name in self.source.values:
            return self.source.values[column.name]
        if self.source.dialect:
            return dialects.get(self.source.dialect).values(self.spec.name, column.name) or None
        return None

    @cached_property
    def _salesforce(self) -> bool:
        return bool(self.source.dialect) and dialects.get(self.source.dialect).salesforce_ids

    def _is_id(self, column: ColumnSpec) -> bool:
        named = column.name.endswith("_id") and column.name not in ("fact_id", "target_id")
        return named and not (column.name == "partner_id" and self.source.partner_match in ("name", "domain", "any"))

    def _typed(self, column: ColumnSpec, cells: Cells) -> Read:
        formats = self.source.formats.get(column.name, Formats())
        if column.kind in ("date", "timestamp"):
            rules = self._date_rules(column, formats)
            return _read((cell_dates.to_days if column.kind == "date" else cell_dates.to_moments)(cells, rules))
        if column.kind == "bool":
            return _read(cell_numbers.to_booleans(cells))
        if column.kind == "integer":
            return _read(cell_numbers.to_integers(cells, self._number_rules(column, formats)))
        found = cell_numbers.to_numbers(cells, self._number_rules(column, formats))
        plain = Read(found.values, found.faults, found.notes, found.currency)
        return plain if plain.values.type == ARROW_TYPES[column.kind] else _cast(plain, ARROW_TYPES[column.kind])

    def _date_rules(self, column: ColumnSpec, formats: Formats) -> DateRules:
        days = formats.date_format or self.source.date_format
        moments = formats.timestamp_format or self.source.timestamp_format
        order = (*days, *moments) if column.kind == "date" else (*moments, *days)
        return DateRules(
            formats=tuple(dict.fromkeys(order)),
            zone=formats.time_zone or self.source.time_zone,
            business_zone=self.zone,
            epoch=self.source.epoch,
        )

    def _number_rules(self, column: ColumnSpec, formats: Formats) -> NumberRules:
        share = column.name in _SHARES
        return NumberRules(
            decimal=formats.decimal or self.source.decimal,
            percent=share,
            percent_plain=formats.percent or "share",
            signs=dict(self.source.signs),
            scale=4 if column.kind == "money" else 6,
        )

    def _emptied(self, cells: Cells) -> Cells:
        """Cells with the empty spellings of this export as empty cells."""
        return cell_text.cleaned(cells, self.text_rules)


def _filled(cells: Cells, other: Cells) -> Cells:
    """``cells``, and where one is blank that of ``other``."""
    blank = pc.equal(pc.utf8_trim_whitespace(cells.text), "")
    text = pc.if_else(blank, other.text, cells.text)
    if cells.kinds is None and other.kinds is None:
        return Cells(text)
    kinds = [np.zeros(len(one), np.uint8) if one.kinds is None else one.kinds for one in (cells, other)]
    return Cells(text, np.where(blank.to_numpy(zero_copy_only=False), kinds[1], kinds[0]))


def _read(converted: Converted) -> Read:
    return Read(converted.values, converted.faults, converted.notes)


def _cast(read: Read, kind: pa.DataType) -> Read:
    return Read(read.values.cast(kind), read.faults, read.notes, read.currencies)


def _excel_errors(cells: Cells) -> tuple[Fault, ...]:
    if cells.kinds is None:
        return ()
    rows = np.flatnonzero(cells.kinds == ERROR)
    return (Fault("an Excel error", rows),) if len(rows) else ()


def _translated(column: ColumnSpec, text: pa.StringArray, values: Mapping[str, str], errors: tuple[Fault, ...]) -> Read:
    """Words as the mapping translates them; ``*`` stands for any other word."""
    coded = text.dictionary_encode()
    other = values.get("*")
    meant = [values.get(word, other) for word in coded.dictionary.to_pylist()]
    found = pa.array(meant, pa.string()).take(coded.indices)
    lost = np.flatnonzero(pc.and_(pc.is_valid(text), pc.is_null(found)).to_numpy(zero_copy_only=False))
    faults = (*errors, Fault(f"no value for {column.name} is mapped to it", lost)) if len(lost) else errors
    return Read(found, faults)


def _closed(column: ColumnSpec, read: Read) -> Read:
    """Values outside the closed list of a column are faults."""
    if not column.values:
        return read
    stray = pc.and_(pc.is_valid(read.values), pc.invert(pc.is_in(read.values, pa.array(column.values, pa.string()))))
    rows = np.flatnonzero(stray.to_numpy(zero_copy_only=False))
    if not len(rows):
        return read
    fault = Fault(f"{column.name} is one of {', '.join(column.values)}", rows)
    return Read(pc.if_else(stray, None, read.values), (*read.faults, fault), read.notes)
