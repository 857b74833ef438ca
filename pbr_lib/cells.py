"""Cells as they stand in an export: text, with the kind that a workbook gives them; apart, because readers make
them and conversions take them, and neither may know the other.

A text file holds nothing but text. A workbook also holds real numbers, days and truth values; such a cell carries
its kind and a text in one fixed form, so that no meaning is lost on the way: a number as a plain decimal with a
point, a day as ``2026-09-30``, a moment as ``2026-09-30T14:05:00``, a truth value as ``true`` or ``false``, an error
as Excel shows it (``#REF!``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["BOOL", "DATE", "DATETIME", "ERROR", "NUMBER", "TEXT", "Cells"]

TEXT, NUMBER, DATE, DATETIME, BOOL, ERROR = range(6)


@dataclass(frozen=True)
class Cells:
    """One column of a batch: ``text`` (string, never null; empty for an empty cell) and each cell's kind.

    ``kinds`` is None where everything is text, as in a CSV file; else one of the constants of this module for each
    cell, :data:`TEXT` for empty ones.
    """

    text: pa.StringArray = field(repr=False)
    kinds: npt.NDArray[np.uint8] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.text)

    def take(self, rows: npt.NDArray[np.bool_]) -> Cells:
        """The cells of those rows (a mask)."""
        kinds = None if self.kinds is None else self.kinds[rows]
        return Cells(self.text.filter(pa.array(rows)), kinds)
