"""One mapping on its own: proposed, explained and tried."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import tiny_workbook

from pbr_lib import sourcebook
from pbr_lib.errors import InputError


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The small workbook."""
    return tiny_workbook.write(tmp_path, tiny_workbook.usual())


def test_all_mappings_are_listed_and_one_is_explained(tiny: Path) -> None:
    """A line for each, or sentences for one."""
    listed = list(sourcebook.show(tiny))
    assert [line.split()[0] for line in listed] == ["certifications", "leads", "opportunities", "partners"]
    told = "\n".join(sourcebook.show(tiny, "opportunities"))
    assert "opportunities.csv" in told
    assert "Partner" in told


def test_a_mapping_that_is_not_there(tiny: Path) -> None:
    """The message names what was probably meant."""
    with pytest.raises(InputError, match="no mapping is called") as caught:
        list(sourcebook.show(tiny, "oportunities"))
    assert "opportunities" in caught.value.fix


def test_an_export_is_tried_on_its_own(tiny: Path, tmp_path: Path) -> None:
    """Accounting, reach and totals on the terminal, the rows as read in a file."""
    tried = sourcebook.read(tiny, "opportunities", tmp_path / "rows.parquet")
    lines = list(tried.lines())
    assert lines[0] == "opportunities.csv: 4 rows read = 4 used"
    assert not tried.faulty
    assert any(line.split() == ["won", "2", "700.00", "USD"] for line in lines)
    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 4
    sourcebook.read(tiny, "opportunities", tmp_path / "rows.csv")
    assert len((tmp_path / "rows.csv").read_text("utf-8").splitlines()) == 5
    with pytest.raises(InputError, match="no kind of file"):
        sourcebook.read(tiny, "opportunities", tmp_path / "rows.docx")


def test_a_fault_is_an_error_of_the_try(tiny: Path) -> None:
    """What cannot be read is told, and the command will say so by its exit code."""
    tiny_workbook.export(tiny, "opportunities", [tiny_workbook.deal("O1", "A", amount="much")])
    tried = sourcebook.read(tiny, "opportunities")
    assert tried.faulty
    assert any(line.startswith("error: ") and "much" in line for line in tried.lines())


def test_a_proposal_is_written_and_summed_up(tiny: Path) -> None:
    """From a file as it lies there to a mapping, in one call; never over one that is there."""
    (tiny / "data" / "more-deals.csv").write_text(
        "Deal ID,Deal Name,Stage,Amount,Close Date\n1,One,Closed Won,5,2026-07-30\n"
    )
    lines = list(sourcebook.propose(tiny, [tiny / "data" / "more-deals.csv"]))
    assert any("opportunities" in line for line in lines)
    assert list((tiny / "params" / "sources").glob("*more*deals*.yaml"))
    with pytest.raises(InputError, match="no such file"):
        list(sourcebook.propose(tiny, [tiny / "data" / "nothing.csv"]))
