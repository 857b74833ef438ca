"""An empty workbook: whole, one with the repository's own files, and never written over anything."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import nbformat
import pytest
import tiny_workbook
from tiny_workbook import deal, lead, partner
from typer.testing import CliRunner

from pbr_lib import cli, params, starter, workspace
from pbr_lib.errors import InputError, ParamsError
from pbr_lib.review import open_slice

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = [
    ".gitignore",
    "data/.gitkeep",
    "notebooks/check_data.ipynb",
    "notebooks/partner_pack.ipynb",
    "notebooks/set_goals.ipynb",
    "params/goals.yaml",
    "params/library.yaml",
    "params/metrics.yaml",
    "params/sources/README.md",
    "params/workbook.yaml",
]


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """An empty workbook in a folder that was not there before."""
    folder = tmp_path / "somewhere" / "new"
    assert list(starter.begin(folder))
    return folder


def held(folder: Path) -> list[str]:
    """The files of a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_it_holds_all_that_a_workbook_needs(begun: Path) -> None:
    """Params, notebooks, and a place for exports; nothing else."""
    assert held(begun) == WRITTEN
    assert len(held(ROOT / "pbr_lib" / "starter_data")) + len(starter.SHARED) == len(WRITTEN)
    assert workspace.find_root(begun / "params" / "sources") == begun.resolve()


def test_what_it_says_is_there(tmp_path: Path) -> None:
    """Every file that the lines name has been written, and they say what to do next."""
    lines = list(starter.begin(tmp_path))
    named = [line.split()[0] for line in lines if line.startswith("  ") and "/" in line.split()[0]]
    assert named
    assert all((tmp_path / name).exists() for name in named)
    assert any("pbr sources new" in line for line in lines)


def test_the_same_each_time(begun: Path, tmp_path: Path) -> None:
    """Two workbooks are begun with the same bytes."""
    list(starter.begin(tmp_path / "again"))
    assert [(begun / name).read_bytes() for name in WRITTEN] == [(tmp_path / "again" / n).read_bytes() for n in WRITTEN]


@pytest.mark.parametrize("name", starter.SHARED)
def test_notebooks_and_library_are_those_of_the_repository(begun: Path, name: str) -> None:
    """There is no second copy that could fall behind."""
    assert (begun / name).read_bytes() == (ROOT / name).read_bytes()
    assert not (ROOT / "pbr_lib" / "starter_data" / name).exists()


def test_the_wheel_carries_what_a_checkout_lends() -> None:
    """Each shared file is forced into the wheel, where it is looked for first."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["force-include"] == {name: f"pbr_lib/starter_data/{name}" for name in starter.SHARED}


def test_an_installed_copy_needs_no_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the shared files in the package, as in a wheel, the same workbook comes out."""
    package = tmp_path / "site" / "pbr_lib"
    shutil.copytree(ROOT / "pbr_lib" / "starter_data", package / "starter_data")
    for name in starter.SHARED:
        (package / "starter_data" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, package / "starter_data" / name)
    monkeypatch.setattr(starter, "_PACKAGE", package)
    list(starter.begin(tmp_path / "new"))
    assert held(tmp_path / "new") == WRITTEN


def test_without_a_source_the_first_step_is_named(begun: Path) -> None:
    """Its params are whole but for the sources, which nobody but the user can describe."""
    with pytest.raises(ParamsError, match="no source is described here") as caught:
        params.read(begun)
    assert len(caught.value.errors) == 1


def test_its_two_goals_are_measured(begun: Path) -> None:
    """With exports, a partner list first, the two goals come out of the untouched definitions: five, and $10,000."""
    from pbr_lib import slices

    tables = {
        "partners": [partner("A")],
        "leads": [lead("L1", "A"), lead("L2", "A"), lead("L3", "A")],
        "opportunities": [deal("O1", "A", "2500"), deal("O2", "A", "1500", "open_mid")],
    }
    elsewhere = tiny_workbook.write(begun.parent / "mapped", tables)
    for name in tables:
        shutil.copy(elsewhere / "params" / "sources" / f"{name}.yaml", begun / "params" / "sources")
        shutil.copy(elsewhere / "data" / f"{name}.csv", begun / "data")
    ready = slices.ensure(begun)
    review = open_slice(ready.path("A"), "A", ready.quarter, "partner")
    shown = [(str(goal.actual), str(goal.target)) for goal in review.all_goals]
    assert shown == [("3", "5"), ("$4,000", "$10,000")]
    assert not [finding for finding in ready.findings if finding.severity == "error"]


def test_a_workbook_is_not_begun_twice(begun: Path) -> None:
    """What somebody has filled in stays as it is."""
    (begun / "params" / "workbook.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="a workbook here already"):
        list(starter.begin(begun))
    assert (begun / "params" / "workbook.yaml").read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["notebooks/partner_pack.ipynb", ".gitignore", "params/goals.yaml"])
def test_nothing_is_written_over(tmp_path: Path, name: str) -> None:
    """A file of the same name stops it before anything is written."""
    tiny_workbook.put(tmp_path, name, "mine")
    with pytest.raises(InputError, match="written over"):
        list(starter.begin(tmp_path))
    assert held(tmp_path) == [name]
    assert (tmp_path / name).read_text("utf-8") == "mine"


def test_a_link_that_leads_nowhere_is_not_written_over(tmp_path: Path) -> None:
    """A broken link is somebody's as well."""
    (tmp_path / ".gitignore").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="written over"):
        list(starter.begin(tmp_path))


def test_exports_that_lie_there_stay(tmp_path: Path) -> None:
    """A folder of exports may become a workbook."""
    tiny_workbook.put(tmp_path, "data/deals.csv", "a,b")
    list(starter.begin(tmp_path))
    assert (tmp_path / "data" / "deals.csv").read_text("utf-8") == "a,b"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """Neither the place itself nor a folder in it may be a file."""
    tiny_workbook.put(tmp_path, "plain", "mine")
    with pytest.raises(InputError, match="a file, not a folder"):
        list(starter.begin(tmp_path / "plain"))
    tiny_workbook.put(tmp_path / "other", "params", "mine")
    with pytest.raises(InputError, match="cannot be written to"):
        list(starter.begin(tmp_path / "other"))


def test_its_notebooks_are_read_by_jupyter(begun: Path) -> None:
    """Both notebooks are whole."""
    for name in starter.SHARED[:2]:
        nbformat.validate(nbformat.read(begun / name, as_version=4))


def test_the_command(tmp_path: Path) -> None:
    """``pbr new`` says what it wrote."""
    done = CliRunner().invoke(cli.app, ["new", str(tmp_path / "book")])
    assert done.exit_code == 0
    assert (tmp_path / "book" / "params" / "workbook.yaml").is_file()
