"""What was issued, as packs and renewals ask for it: nothing where there is no ledger, and none is made by asking."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tiny_workbook
from conftest import ROOT

from pbr_lib import issued, issuing, params
from pbr_lib.errors import InputError
from pbr_lib.issued import Record


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workbook that never closed a quarter."""
    return tiny_workbook.write(tmp_path, tiny_workbook.usual())


def test_without_a_ledger_nothing_was_issued_and_none_is_made(root: Path) -> None:
    """Every question has an empty answer."""
    settings = params.read(root)
    assert not issued.exists(settings)
    assert issued.consult(settings, ["2026-Q2"]) == Record()
    assert issued.slices_of(settings, "2026-Q2") == {}
    assert issued.digest(settings) == ""
    assert not (root / "output").exists()


def test_an_early_close_is_refused_and_makes_no_ledger(root: Path) -> None:
    """The third quarter ends on 30 September, and the exports reach 4 September."""
    with pytest.raises(InputError, match="is not final yet") as told:
        issuing.close(root, "2026-Q3")
    assert "business days" in told.value.fix
    assert not issued.exists(params.read(root))


def test_a_close_without_packs_names_every_one_that_is_missing(root: Path) -> None:
    """None is issued; a workbook without the notebook says so."""
    with pytest.raises(InputError, match="notebook") as told:
        issuing.close(root, "2026-Q2")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    with pytest.raises(InputError) as told:
        issuing.close(root, "2026-Q2")
    assert str(told.value).count("is missing") == 3
    assert not issued.exists(params.read(root))


def test_a_quarter_that_is_open_has_no_restatements(root: Path) -> None:
    """The remedy is the command that closes it."""
    for call in (lambda: issuing.restatements(root, "2026-Q2"), lambda: issuing.reissue(root, "2026-Q2", ["A"], "why")):
        with pytest.raises(InputError, match="nothing was issued") as told:
            call()
        assert told.value.fix == "close it first: pbr close 2026-Q2"
    with pytest.raises(InputError, match="no partner is named"):
        issuing.reissue(root, "2026-Q2", [], "why")
