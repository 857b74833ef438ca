"""Faults of cells gathered over a whole export, told in few lines; apart, because a million bad cells are one
line with a count, and batches see only their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.conversions import Fault
from pbr_lib.errors import did_you_mean
from pbr_lib.model import Finding

__all__ = ["FaultLedger"]

_SHOWN, _KEPT = 8, 2_000


@dataclass
class _Odd:
    """Cells of one column with one fault: how many, the first row, and the distinct values with their counts."""

    count: int = 0
    row: int = 0
    place: str = ""
    values: dict[str, list[int]] = field(default_factory=dict)


class FaultLedger:
    """Counts faults by column, reason and value as batches go by, and tells them at the end.

    Parameters
    ----------
    mapping:
        The mapping's file, for the remedies.
    """

    def __init__(self, mapping: str) -> None:
        self.mapping = mapping
        self._odd: dict[tuple[str, str], _Odd] = {}
        self._filled: dict[str, int] = {}
        self._known: dict[str, tuple[str, ...]] = {}

    def see(self, label: str, text: pa.StringArray, known: tuple[str, ...] = ()) -> None:
        """Count the filled cells of a column."""
        self._filled[label] = self._filled.get(label, 0) + int(pc.sum(pc.not_equal(text, "")).as_py() or 0)
        if known:
            self._known[label] = known

    def add(self, label: str, fault: Fault, text: pa.StringArray, at: tuple[str, npt.NDArray[np.int64]]) -> None:
        """Cells with a fault; ``at`` is the place of the export and the row number of each cell of the batch."""
        place, numbers = at
        odd = self._odd.setdefault((label, fault.reason), _Odd())
        if not odd.count:
            odd.row, odd.place = int(numbers[fault.rows[0]]), place
        odd.count += len(fault.rows)
        rows = pa.array(fault.rows)
        coded = text.take(rows).dictionary_encode()
        counts = np.bincount(coded.indices.to_numpy(), minlength=len(coded.dictionary))
        firsts = np.full(len(counts), -1, np.int64)
        codes = coded.indices.to_numpy()
        firsts[codes[::-1]] = numbers[fault.rows][::-1]
        for value, count, first in zip(coded.dictionary.to_pylist(), counts, firsts, strict=True):
            if value in odd.values:
                odd.values[value][0] += int(count)
            elif len(odd.values) < _KEPT:
                odd.values[value] = [int(count), int(first)]

    def findings(self) -> Iterator[Finding]:
        """One finding for each distinct value, at most eight; one alone where most of a column is like that."""
        for (label, reason), odd in self._odd.items():
            filled = self._filled.get(label, 0)
            if len(odd.values) > _SHOWN and 2 * odd.count > filled:
                fix = f"correct how {self.mapping} reads this column, or map another one"
                what = f"{reason}, in {odd.count} of {filled} cells"
                first = next(iter(odd.values))
                yield Finding("error", what, odd.place, odd.row, label, first[:80], fix, odd.count)
                continue
            yield from self._each(label, reason, odd)

    def _each(self, label: str, reason: str, odd: _Odd) -> Iterator[Finding]:
        known = self._known.get(label, ())
        ordered = sorted(odd.values.items(), key=lambda item: (-item[1][0], item[1][1]))
        told = 0
        for value, (count, row) in ordered[:_SHOWN]:
            near = f": {did_you_mean(value, known)}" if known and "is mapped to it" in reason else ""
            fix = f"correct the cell in the CRM, or teach {self.mapping} to read it{near}"
            yield Finding("error", reason, odd.place, row, label, value[:80], fix, count)
            told += count
        if odd.count > told:
            rest = len(odd.values) - _SHOWN
            more = f"{rest} more values" if rest > 0 else "more values"
            row = ordered[_SHOWN][1][1] if len(ordered) > _SHOWN else odd.row
            value = ordered[_SHOWN][0] if len(ordered) > _SHOWN else ""
            fix = f"correct the cells in the CRM, or teach {self.mapping} to read them"
            yield Finding("error", f"{reason} ({more})", odd.place, row, label, value[:80], fix, odd.count - told)
