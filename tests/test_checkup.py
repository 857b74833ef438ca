"""What a check says, to people, to machines and to a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
import tiny_workbook

from pbr_lib import checkup, slices
from pbr_lib.model import Finding
from pbr_lib.slices import Checked


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """A check of the small workbook, with one deal that nobody is credited for and one odd cell."""
    tables = tiny_workbook.usual()
    tables["opportunities"] = [
        *tables["opportunities"],
        tiny_workbook.deal("O9", "", "40"),
        tiny_workbook.deal("O8", "A", "x"),
    ]
    return slices.check(tiny_workbook.write(tmp_path_factory.mktemp("check"), tables))


def test_the_lines_account_for_rows_and_money(checked: Checked) -> None:
    """Every source, the calendar, the sums that foot, and the findings."""
    lines = list(checkup.lines(checked))
    assert lines[0] == "3 partners, data as of 2026-09-04, measured for 2026-Q3"
    assert any(line.strip() == "opportunities.csv: 6 rows read = 6 used" for line in lines)
    (row,) = [line.split() for line in lines if line.split()[:1] == ["2026-Q3"]]
    assert row == ["2026-Q3", "4", "740.00", "700.00", "0.00", "40.00", "0.00"]
    assert any(line.startswith("error: ") and '"x"' in line for line in lines)
    assert len(list(checkup.lines(checked, every=True))) >= len(lines)


def test_the_json_holds_everything_and_foots(checked: Checked) -> None:
    """Total = sourced + influenced only + unattributed, exactly; each source is balanced."""
    found = json.loads(json.dumps(checkup.as_json(checked)))
    assert found["counts"]["error"] == 1
    for source in found["sources"]:
        assert source["rows_read"] == source["rows_used"] + sum(source["set_aside"].values())
    for quarter in found["reconciliation"]["quarters"]:
        parts = [Decimal(quarter[name]["reporting"]) for name in ("sourced", "influenced_only", "unattributed")]
        assert Decimal(quarter["total"]["reporting"]) == sum(parts)
    assert {row["state"] for row in found["coverage"]} <= {"whole", "part", "none"}


def test_the_csv_is_no_formula() -> None:
    """A cell of a CRM that looks like a formula stays text in a spreadsheet."""
    finding = Finding("error", "odd", "deals.csv", 3, "=Label", "=cmd|' /C calc'!A0", "mend it")
    rows = list(csv.reader(io.StringIO(checkup.as_csv([finding]))))
    assert rows[0] == list(checkup.FINDING_COLUMNS)
    assert rows[1][5] == "'=Label"
    assert rows[1][6].startswith("'=cmd")
