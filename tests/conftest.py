"""What tests share: a copy of the shipped workbook, a built quarter, and the switch for golden files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# No clock: a busy machine is no failure, and the same code is tried with the same examples everywhere.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden`` writes the golden files again instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files again")


@pytest.fixture(autouse=True)
def _no_workbook_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a workbook nor a slice of the surroundings may reach a test."""
    monkeypatch.delenv("PBR_HOME", raising=False)
    monkeypatch.delenv("PBR_SLICE", raising=False)


def copy_workbook(folder: Path) -> Path:
    """The shipped params, demo exports and notebooks, copied into ``folder``."""
    for name in ("params", "data/demo", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return folder


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """A workbook of one's own to change and break."""
    return copy_workbook(tmp_path / "workbook")


@pytest.fixture(scope="session")
def shared_workbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workbook that several tests read and none may change."""
    yield copy_workbook(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def demo_review(shared_workbook: Path) -> Callable[..., Any]:
    """Opens a review of the demo: ``demo_review("P-001", "2026-Q2", "internal")``; each quarter is measured once."""
    from pbr_lib import slices
    from pbr_lib.review import open_slice

    made: dict[str, Any] = {}

    def open_(partner: str, quarter: str = "2026-Q3", edition: str = "partner") -> Any:
        if quarter not in made:
            made[quarter] = slices.ensure(shared_workbook, quarter)
        return open_slice(made[quarter].path(partner), partner, quarter, edition)

    return open_


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workbook whose packs of 2026-Q3 have all been built; tests that use it are in the group ``build``."""
    from pbr_lib import batch

    root = copy_workbook(tmp_path_factory.mktemp("built"))
    run = batch.build(batch.Request(root))
    assert not run.failed, [str(outcome.error) for outcome in run.failed]
    yield root


@pytest.fixture(scope="session")
def server() -> str:
    """The address of a PostgreSQL server, where there is one."""
    psycopg = pytest.importorskip("psycopg", reason="the extra sql is not installed")
    url = os.environ.get("PBR_TEST_POSTGRES", "")
    try:
        if url:
            psycopg.connect(url, connect_timeout=5).close()
            return url
    except psycopg.Error:
        pass
    pytest.skip("no PostgreSQL answers at the address in PBR_TEST_POSTGRES")
