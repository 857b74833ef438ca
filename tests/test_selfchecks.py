"""An export's own totals are held against ours."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from pbr_lib.model import Finding
from pbr_lib.reading import Total
from pbr_lib.schema import TABLES
from pbr_lib.selfchecks import SelfCheck


def told(total: Total, amounts: tuple[str, ...] = ("10.50", "2"), rows: int = 2) -> list[Finding]:
    """What is said of a total, where these amounts were read."""
    check = SelfCheck("deals.xlsx [Report]", TABLES["opportunities"])
    check.count(rows)
    check.add("Amount", pa.array([Decimal(each) for each in amounts], pa.decimal128(18, 4)))
    return list(check.findings((total,)))


@pytest.mark.parametrize("text", ["12.50", "$12.50", "12,50", "USD 12.50", "12.500"])
def test_a_total_that_agrees_is_a_remark(text: str) -> None:
    """However it is written, if it can be read in one way."""
    found = told(Total(9, "total", "Grand Total", {"Amount": text}))
    assert [finding.severity for finding in found] in (["info"], [])
    assert all("agrees" in finding.what for finding in found)


def test_a_total_that_does_not_agree_is_a_warning() -> None:
    """With both figures, the row and a remedy."""
    (one,) = told(Total(9, "total", "Grand Total", {"Amount": "1,250.00", "Other": "3"}))
    assert (one.severity, one.row, one.column) == ("warning", 9, "Amount")
    assert "1,250.00" in one.what
    assert "12.50" in one.what
    assert one.fix


def test_a_record_count_is_held_against_the_rows() -> None:
    """A file that says 5,700 records and holds two has lost some."""
    assert told(Total(9, "count", "Grand Totals (2 records)", {})) == []
    (one,) = told(Total(9, "count", "Grand Totals (5,700 records)", {}))
    assert (one.severity, "5,700" in one.what) == ("warning", True)


def test_subtotals_are_not_totals() -> None:
    """They are set aside and add up to what the grand total says."""
    assert told(Total(4, "subtotal", "Subtotal", {"Amount": "1"})) == []
