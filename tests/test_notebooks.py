"""Notebooks are source: thin, stripped, tagged from a closed list, and written for partner managers.

That each runs from top to bottom is checked by nbval, which collects the notebooks themselves.
"""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TAGS = {"parameters", "setup", "check", "words", "hide-input"}
# A look at the data is for us: it is of no partner, and may say below a question how to read the answer.
INTERNAL = {"check_data", "set_goals"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    """Each shipped notebook."""
    read = nbformat.read(request.param, as_version=4)
    read.metadata["internal"] = request.param.stem in INTERNAL
    return read


def _code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def test_it_is_stripped(notebook: nbformat.NotebookNode) -> None:
    """No outputs, no execution counts, no trace of a run are committed."""
    assert all(not cell.outputs and cell.execution_count is None for cell in _code(notebook))
    assert "papermill" not in notebook.metadata
    assert all("papermill" not in cell.metadata and "execution" not in cell.metadata for cell in notebook.cells)


def test_it_is_short(notebook: nbformat.NotebookNode) -> None:
    """14 to 32 cells, at most 8 lines in a code cell."""
    assert 14 <= len(notebook.cells) <= 32
    assert max(len(cell.source.splitlines()) for cell in _code(notebook)) <= 8


def test_its_tags_are_known(notebook: nbformat.NotebookNode) -> None:
    """A misspelt tag would publish a cell that was meant to stay here."""
    for cell in notebook.cells:
        assert _tags(cell) <= TAGS, cell.source


def test_it_holds_no_logic(notebook: nbformat.NotebookNode) -> None:
    """No functions, classes, loops or file paths; imports in the setup cell only, and only of the package."""
    for cell in _code(notebook):
        tree = ast.parse(cell.source)
        for node in ast.walk(tree):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.While | ast.Try), cell.source
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "setup" in _tags(cell)
                assert {alias.name for alias in node.names} <= {"pbr_lib", "pandas"}
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "/" not in node.value
                assert "\\" not in node.value


def test_each_exhibit_shows_one_thing(notebook: nbformat.NotebookNode) -> None:
    """An exhibit cell ends in the expression that it shows, and binds one name at most."""
    for cell in _code(notebook):
        if _tags(cell) & {"parameters"}:
            continue
        body = ast.parse(cell.source).body
        assert isinstance(body[-1], ast.Expr), cell.source
        if "setup" not in _tags(cell):
            assert len(body) <= 2


def test_headings_ask_questions(notebook: nbformat.NotebookNode) -> None:
    """Each section answers the question that stands above it; in a pack, a question stands alone."""
    shown = [cell for cell in notebook.cells if cell.cell_type == "markdown" and "setup" not in _tags(cell)]
    assert shown
    for cell in shown:
        question, *prose = cell.source.splitlines()
        assert question.startswith("## ")
        assert question.endswith("?")
        assert not prose or notebook.metadata.internal
        assert len(prose) <= 4


def test_each_question_is_answered(notebook: nbformat.NotebookNode) -> None:
    """No heading stands without an exhibit below it."""
    kinds = [cell.cell_type for cell in notebook.cells]
    assert ("markdown", "markdown") not in itertools.pairwise(kinds)
    assert kinds[-1] == "code"


def test_parameters_are_plain(notebook: nbformat.NotebookNode) -> None:
    """The parameters cell holds one plain string assignment a line: partner, quarter and edition of a pack."""
    (cell,) = [cell for cell in _code(notebook) if "parameters" in _tags(cell)]
    names = []
    for node in ast.parse(cell.source).body:
        assert isinstance(node, ast.Assign)
        assert isinstance(node.value, ast.Constant)
        assert isinstance(node.value.value, str)
        names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    assert names == (["quarter"] if notebook.metadata.internal else ["partner", "quarter", "edition"])
