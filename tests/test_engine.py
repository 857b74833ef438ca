"""One notebook run: what fails is named with its cell, and nothing of the clock or the machine stays."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest

from pbr_lib import engine, template
from pbr_lib.errors import InputError, PackError


def notebook(path: Path, *sources: str) -> Path:
    """A notebook with a parameters cell and some more."""
    parameters = nbformat.v4.new_code_cell('partner = "P-001"', metadata={"tags": ["parameters"]})
    cells = [parameters, *(nbformat.v4.new_code_cell(source) for source in sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def run(path: Path, partner: str = "P-009") -> nbformat.NotebookNode:
    """Execute it for a partner, with a slice that is not there."""
    return engine.execute(
        engine.NotebookRun(path, {"partner": partner}, path.parent / "slice.json", path.parent / "failed.ipynb")
    )


def test_a_failing_cell_is_named(tmp_path: Path) -> None:
    """The error carries notebook, cell, error and partner, and the failed notebook is kept."""
    path = notebook(tmp_path / "some.ipynb", "1 + 1", "{}['key']")
    with pytest.raises(PackError) as caught:
        run(path)
    assert caught.value.what == "KeyError: 'key'"
    assert caught.value.where.startswith("some.ipynb, cell ")
    assert caught.value.partner == "P-009"
    assert caught.value.fix
    assert (tmp_path / "failed.ipynb").is_file()


def test_a_kernel_that_dies_costs_one_pack(tmp_path: Path) -> None:
    """A notebook that ends its own process is an error of that partner, not of the run."""
    path = notebook(tmp_path / "dies.ipynb", "import os\nos._exit(3)")
    with pytest.raises(PackError, match=r"died|Kernel"):
        run(path)


def test_what_is_kept_has_no_clock(tmp_path: Path) -> None:
    """Two runs give equal notebooks, and the template's default partner is not in them."""
    path = notebook(tmp_path / "some.ipynb", "partner")
    first, second = run(path), run(path)
    assert nbformat.writes(first) == nbformat.writes(second)
    assert "P-001" not in nbformat.writes(first)
    assert "papermill" not in first.metadata
    assert "PBR_SLICE" not in os.environ


def test_a_slice_is_handed_over(tmp_path: Path) -> None:
    """The notebook sees the slice that it was given, and only while it runs."""
    path = notebook(tmp_path / "some.ipynb", "import os\nos.path.basename(os.environ['PBR_SLICE'])")
    shown = run(path).cells[-1].outputs[0]["data"]["text/plain"]
    assert shown == "'slice.json'"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such notebook"), ("{", "this is no notebook"), ("{}", "this is no notebook")],
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    """A missing or damaged template is said before anything runs."""
    path = tmp_path / "some.ipynb"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=message):
        template.check(path, ("partner",))


def test_undeclared_parameters_are_refused(tmp_path: Path) -> None:
    """Papermill would only warn of a parameter that the notebook does not declare."""
    path = notebook(tmp_path / "some.ipynb")
    template.check(path, ("partner",))
    with pytest.raises(InputError, match="declares no parameter quarter"):
        template.check(path, ("partner", "quarter"))
