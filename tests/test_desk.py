"""What an analyst calls first: a review at a desk, a handed slice in a batch, the lists."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import tiny_workbook
from tiny_workbook import lead, usual

from pbr_lib import desk, slices
from pbr_lib.errors import InputError, UnknownPartner, UnknownQuarter

Q3 = "2026-Q3"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small workbook in whose notebooks folder we work."""
    root = tiny_workbook.write(tmp_path / "book", usual())
    (root / "notebooks").mkdir()
    monkeypatch.chdir(root / "notebooks")
    return root


def test_a_review_is_loaded_from_any_folder_inside(here: Path) -> None:
    """The workbook is found upwards, measured, and the review opened."""
    assert str(desk.load("A", Q3).goals.rows[0][1]) == "2"


def test_stale_slices_are_made_again(here: Path) -> None:
    """A new export shows in the next load, without being asked for."""
    desk.load("A", Q3)
    tiny_workbook.export(here, "leads", [*usual()["leads"], lead("L9", "A")])
    assert str(desk.load("A", Q3).goals.rows[0][1]) == "3"


def test_pbr_home_names_the_workbook(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From elsewhere the environment says where the workbook is; without it there is none."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no workbook here"):
        desk.load("A", Q3)
    monkeypatch.setenv("PBR_HOME", str(here))
    assert desk.load("A", Q3).partner == "Partner A"


def test_a_handed_slice_is_all_that_is_opened(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a batch the notebook gets one file, needs no workbook, and cannot open another partner."""
    handed = tmp_path / "one.json"
    handed.write_bytes(slices.ensure(here, Q3).path("A").read_bytes())
    monkeypatch.setenv("PBR_SLICE", str(handed))
    monkeypatch.chdir(tmp_path)
    assert desk.load("A", Q3, "internal").edition == "internal"
    with pytest.raises(UnknownPartner, match="this slice is of A"):
        desk.load("B", Q3)


def test_unknown_names_are_refused(here: Path) -> None:
    """A partner or quarter that is not there is refused before anything is shown."""
    with pytest.raises(UnknownPartner):
        desk.load("Z", Q3)
    with pytest.raises(UnknownQuarter):
        desk.load("A", "2031-Q1")


def test_partners_are_listed_by_id(here: Path) -> None:
    """One row for each partner of the list."""
    wanted = pd.DataFrame({"partner_id": ["A", "B", "C"], "name": ["Partner A", "Partner B", "Partner C"]})
    pd.testing.assert_frame_equal(desk.partners(Q3), wanted)


def test_a_check_shows_what_is_odd_with_place_and_remedy(here: Path) -> None:
    """Nothing is odd in a tidy workbook; a partner that nobody knows is found with its file, row and value."""
    assert desk.check(Q3).findings.frame.empty
    tiny_workbook.export(here, "leads", [*usual()["leads"], lead("L9", "nobody")])
    (found,) = desk.check(Q3).findings.frame.query("severity == 'warning' or severity == 'error'").to_dict("records")
    assert (found["value"], found["row"], found["column"]) == ("nobody", 5, "Partner")
    assert found["file"].endswith("leads.csv")
    assert found["fix"]


def test_a_check_accounts_for_rows_and_money(here: Path) -> None:
    """Every export adds up, and what was won is what the deals say: 700 sourced, none of it unattributed."""
    found = desk.check(Q3)
    assert {str(row[5]) for row in found.accounting.rows} == {"● adds up"}
    newest = found.reconciliation.frame.iloc[0]
    assert (newest["quarter"], newest["total"], newest["sourced"], newest["unattributed"]) == (Q3, 700, 700, 0)
    assert desk.check().quarter == Q3


def test_a_check_tells_what_changed_since_the_last_load(here: Path) -> None:
    """An export that lost most of its rows reads without an error, so the change is told."""
    assert not desk.check(Q3).drift.rows
    tiny_workbook.export(here, "leads", usual()["leads"][:1])
    (change,) = desk.check(Q3).drift.frame.to_dict("records")
    assert (change["severity"], change["file"]) == ("warning", "leads.csv")
    assert "3 at the last load" in change["what"]


def test_a_note_is_markdown() -> None:
    """Prose that a notebook computes prints like prose that somebody wrote."""
    assert desk.note("**So** it goes.").as_json()["markdown"] == "**So** it goes."
