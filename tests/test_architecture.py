"""The shape of the code: layers, doors, limits, and a front door that is exact."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import pbr_lib

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "pbr_lib").rglob("*.py"))
NAMES = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES]


def test_the_import_contracts_hold() -> None:
    """Arrows point down, and each heavy library has one door."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_house_limits(path: Path) -> None:
    """A module has a docstring and at most 500 lines, a function at most 50 lines and six parameters."""
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "no module docstring"
    assert source.count("\n") <= 500
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        lines = (node.end_lineno or 0) - node.lineno + 1
        documented = ast.get_docstring(node, clean=False)
        lines -= documented.count("\n") + 1 if documented else 0
        assert lines <= 50, f"{node.name}: {lines} lines"
        arguments = [a.arg for a in (*node.args.args, *node.args.kwonlyargs) if a.arg not in ("self", "cls")]
        assert len(arguments) <= 6 or path.name in ("cli.py", "goalcli.py"), f"{node.name}: {arguments}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_public_names_are_annotated_and_documented(path: Path) -> None:
    """Every public function, method and class has type hints and a docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    for parent in (tree, *[node for node in tree.body if isinstance(node, ast.ClassDef)]):
        if isinstance(parent, ast.ClassDef) and parent.name.startswith("_"):
            continue
        for node in parent.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            assert ast.get_docstring(node), f"{node.name} has no docstring"
            if isinstance(node, ast.FunctionDef):
                assert node.returns is not None, f"{node.name} does not say what it returns"
                for argument in (*node.args.args, *node.args.kwonlyargs):
                    assert argument.annotation or argument.arg in ("self", "cls"), f"{node.name}({argument.arg})"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_product_code_does_not_assert(path: Path) -> None:
    """Assertions vanish under -O and say nothing to a user, so product code raises errors instead."""
    tree = ast.parse(path.read_text("utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


@pytest.mark.parametrize("name", NAMES)
def test_all_names_exist(name: str) -> None:
    """Whatever a module promises in __all__ is there, and is promised once."""
    if name.endswith("__main__"):
        return
    module = importlib.import_module(name.removesuffix(".__init__"))
    promised = getattr(module, "__all__", [])
    assert len(set(promised)) == len(promised)
    assert not [each for each in promised if not hasattr(module, each)]


def test_the_front_door_is_exact() -> None:
    """The analyst's names are sorted, complete, and each can be fetched."""
    assert pbr_lib.__all__ == sorted(pbr_lib.__all__)
    assert set(pbr_lib._HOMES) | {"charts", "errors"} == set(pbr_lib.__all__)
    for name in pbr_lib.__all__:
        assert getattr(pbr_lib, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pbr_lib.nothing  # noqa: B018


def test_the_command_line_starts_without_heavy_libraries() -> None:
    """Asking for help imports no engine, no drawing library and no notebook machinery."""
    code = (
        "import sys, pbr_lib.cli; print([m for m in ('pandas', 'matplotlib', 'ibis', 'nbconvert') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
