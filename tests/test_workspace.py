"""Which workbook we are in: the nearest one above, or the one that the environment names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbr_lib import workspace
from pbr_lib.errors import InputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that is a workbook as far as finding it goes."""
    (tmp_path / "book" / "params").mkdir(parents=True)
    (tmp_path / "book" / "params" / "workbook.yaml").write_text("pbr: 1\n")
    return tmp_path / "book"


@pytest.mark.parametrize("below", [".", "notebooks", "params/goals", "output/2026-Q3/P-001"])
def test_the_workbook_is_found_from_within(root: Path, below: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From any folder of a workbook, named or stood in, the workbook is found."""
    folder = root / below
    folder.mkdir(parents=True, exist_ok=True)
    assert workspace.find_root(folder) == root.resolve()
    monkeypatch.chdir(folder)
    assert workspace.find_root() == root.resolve()


def test_the_nearest_workbook_wins(root: Path) -> None:
    """A workbook within a workbook is its own."""
    inner = root / "archive" / "params"
    inner.mkdir(parents=True)
    (inner / "workbook.yaml").write_text("pbr: 1\n")
    assert workspace.find_root(inner) == (root / "archive").resolve()


def test_the_environment_names_the_workbook(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What PBR_HOME names is taken before the folder one stands in, and nothing above it is looked at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PBR_HOME", str(root))
    assert workspace.find_root() == root.resolve()
    assert workspace.find_root(tmp_path) == root.resolve()
    monkeypatch.setenv("PBR_HOME", str(root / "params"))
    with pytest.raises(InputError) as caught:
        workspace.find_root()
    assert caught.value.where == str(root / "params")


@pytest.mark.parametrize("place", ["nowhere", "a file", ""])
def test_without_a_workbook_one_is_asked_for(tmp_path: Path, place: str) -> None:
    """Where there is no workbook, the message names the folder and what to do."""
    (tmp_path / "a file").write_text("x")
    with pytest.raises(InputError, match="no workbook") as caught:
        workspace.find_root(tmp_path / place)
    assert caught.value.where == str(tmp_path / place)
    assert "PBR_HOME" in caught.value.fix


def test_a_batch_hands_over_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slice of a batch comes through the environment, and otherwise there is none."""
    assert workspace.handed_slice() is None
    monkeypatch.setenv("PBR_SLICE", "/some/slice.json")
    assert workspace.handed_slice() == Path("/some/slice.json")
    monkeypatch.setenv("PBR_SLICE", "")
    assert workspace.handed_slice() is None
