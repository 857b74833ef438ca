"""The parameters that a notebook declares; apart, because they are checked before anything heavy is loaded."""

from __future__ import annotations

import ast
import json
from pathlib import Path

from pbr_lib.errors import InputError, did_you_mean

__all__ = ["check", "declared"]


def check(notebook: Path, names: tuple[str, ...]) -> None:
    """Refuse a notebook that does not declare those parameters: Papermill would only warn.

    Raises
    ------
    InputError
        When the notebook is missing, is none, or lacks one of them.
    """
    known = declared(notebook)
    missing = [name for name in names if name not in known]
    if missing:
        fix = f'add {missing[0]} = "..." to the cell tagged parameters ({did_you_mean(missing[0], known)})'
        raise InputError(f"the notebook declares no parameter {', '.join(missing)}", notebook.name, fix)


def declared(notebook: Path) -> list[str]:
    """The names assigned in the cell tagged ``parameters``."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
    except FileNotFoundError:
        raise InputError("there is no such notebook", str(notebook), "name a notebook under notebooks/") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError("this is no notebook", notebook.name, "save it again from JupyterLab") from None
    out: list[str] = []
    for cell in cells:
        if "parameters" not in cell.get("metadata", {}).get("tags", []):
            continue
        try:
            body = ast.parse("".join(cell["source"])).body
        except SyntaxError as error:
            where = f"{notebook.name}, cell tagged parameters, line {error.lineno}"
            raise InputError("this line is no Python", where, 'write one name = "value" a line') from None
        assignments = [node for node in body if isinstance(node, ast.Assign)]
        out += [target.id for node in assignments for target in node.targets if isinstance(target, ast.Name)]
    return out
