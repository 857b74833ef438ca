"""An export's own totals against our sums of it; apart, because a report that prints a grand total hands us the
one check that needs no other system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.cells import Cells
from pbr_lib.fields import Columns
from pbr_lib.model import Finding
from pbr_lib.reading import Total
from pbr_lib.schema import TableSpec

__all__ = ["SelfCheck"]

_COUNT = re.compile(r"\d[\d.,]*")


class SelfCheck:
    """Sums the amounts of one piece as it goes by, and compares them with the totals that the file prints."""

    def __init__(self, place: str, spec: TableSpec) -> None:
        self.place = place
        self.rows = 0
        self._money = [column for column in spec.mapped if column.kind == "money"]
        self._sums: dict[str, Decimal] = {}

    def count(self, rows: int) -> None:
        """Add the number of rows of a batch, before any is set aside."""
        self.rows += rows

    def see(self, cells: dict[str, Cells], columns: Columns) -> None:
        """Add the amounts of a batch whose rows a filter of the mapping will thin out."""
        for column in self._money:
            label = columns.labels.get(column.name)
            if label is not None:
                self.add(label, columns.read(column, columns.cells(column.name, cells)).values)

    def add(self, label: str, amounts: pa.Array) -> None:
        """Add the amounts of one column."""
        part = pc.sum(amounts.cast(pa.decimal128(38, 4))).as_py()
        self._sums[label] = self._sums.get(label, Decimal(0)) + (part or Decimal(0))

    def findings(self, totals: tuple[Total, ...]) -> Iterator[Finding]:
        """What the file's grand total and record count say; subtotals are told by the sum of them all."""
        for total in totals:
            if total.kind == "total":
                yield from self._compare(total)
            elif total.kind == "count":
                yield from self._count(total)

    def _compare(self, total: Total) -> Iterator[Finding]:
        for label, text in total.values.items():
            if label not in self._sums:
                continue
            said = _number(text)
            if said is None:
                continue
            ours = self._sums[label]
            if abs(said - ours) < Decimal("0.005"):
                yield Finding(
                    "info", f"the file's own total agrees with ours, {ours:,.2f}", self.place, total.row, label
                )
            else:
                what = f"the file's own total is {said:,.2f}, the rows add up to {ours:,.2f}"
                fix = "export again; rows may be missing, or amounts in several currencies may have been added up"
                yield Finding("warning", what, self.place, total.row, label, text[:80], fix)

    def _count(self, total: Total) -> Iterator[Finding]:
        match = _COUNT.search(" ".join([total.label, *total.values.values()]))
        said = _number(match[0]) if match else None
        if said is None or said == self.rows:
            return
        what = f"the file says {said:,.0f} records, {self.rows:,} rows were read"
        yield Finding("warning", what, self.place, total.row, fix="export again; rows may be missing")


def _number(text: str) -> Decimal | None:
    """A printed total as a number where it can be read in one way only."""
    digits = re.sub(r"[^\d.,\-]", "", text)
    if re.fullmatch(r"-?\d{1,3}(,\d{3})*(\.\d+)?", digits) or re.fullmatch(r"-?\d+(\.\d+)?", digits):
        return Decimal(digits.replace(",", ""))
    if re.fullmatch(r"-?\d{1,3}(\.\d{3})+(,\d+)?", digits) or re.fullmatch(r"-?\d+,\d+", digits):
        return Decimal(digits.replace(".", "").replace(",", "."))
    return None
