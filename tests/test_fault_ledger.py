"""A million bad cells are one line with a count."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pbr_lib.conversions import Fault
from pbr_lib.fault_ledger import FaultLedger
from pbr_lib.model import Finding

MAPPING = "params/sources/deals.yaml"


def told(*batches: list[str], bad: str = "x", known: tuple[str, ...] = ()) -> list[Finding]:
    """What a ledger tells of a column in which cells that begin with ``bad`` are faulty."""
    ledger, first = FaultLedger(MAPPING), 2
    for cells in batches:
        text = pa.array(cells)
        ledger.see("Amount", text, known)
        rows = np.array([i for i, cell in enumerate(cells) if cell.startswith(bad)], np.int64)
        if len(rows):
            at = ("data/deals.csv", np.arange(first, first + len(cells)))
            ledger.add("Amount", Fault("no value for stage is mapped to it", rows), text, at)
        first += len(cells)
    return list(ledger.findings())


def test_each_value_is_told_once_with_its_first_row_and_count() -> None:
    """Over batches, the commonest first."""
    found = told(["1", "xb", "xa", "3"], ["xa", "2", "4", "5"])
    assert [(f.value, f.row, f.count) for f in found] == [("xa", 4, 2), ("xb", 3, 1)]
    assert all(f.severity == "error" and f.column == "Amount" and MAPPING in f.fix for f in found)


def test_eight_values_are_told_and_the_rest_together() -> None:
    """Counts add up to all faulty cells."""
    cells = [f"x{i}" for i in range(20)] + ["5"] * 80
    found = told(cells)
    assert len(found) == 9
    assert sum(f.count for f in found) == 20
    assert "12 more values" in found[-1].what


def test_a_column_that_is_wrong_altogether_is_one_line() -> None:
    """However many values it holds, in whatever number of batches."""
    (one,) = told(*[[f"x{i}-{j}" for i in range(100)] for j in range(10)])
    assert (one.count, one.row, "in 1000 of 1000 cells" in one.what) == (1000, 2, True)


def test_no_cell_is_lost_where_values_are_too_many_to_keep() -> None:
    """Beyond what is kept in mind the count still holds."""
    batches = [[f"x{i}-{j}" if i < 40 else "7" for i in range(100)] for j in range(100)]
    assert sum(f.count for f in told(*batches)) == 4000


def test_a_word_that_is_nearly_mapped_is_pointed_out() -> None:
    """The remedy names what was probably meant."""
    (one,) = told(["xlosed Won", "Closed Won"], known=("Closed Won", "Closed Lost"))
    assert 'did you mean "Closed Won"?' in one.fix
