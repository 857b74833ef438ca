"""Which workbook we are in; apart, because it is the only reader of the environment and must import in no time."""

from __future__ import annotations

import os
from pathlib import Path

from pbr_lib.errors import InputError

__all__ = ["find_root", "handed_slice"]


def find_root(start: Path | None = None) -> Path:
    """The folder that holds ``params/workbook.yaml``: ``PBR_HOME``, or this folder, or the nearest above it.

    Raises
    ------
    InputError
        When there is none.
    """
    home = os.environ.get("PBR_HOME")
    here = Path(home) if home else (start or Path.cwd())
    for folder in (here, *here.resolve().parents):
        if (folder / "params" / "workbook.yaml").is_file():
            return folder.resolve()
        if home:
            break
    fix = "change to the folder that holds params/workbook.yaml, or name it in PBR_HOME"
    raise InputError("there is no workbook here", str(here), fix)


def handed_slice() -> Path | None:
    """The slice that a batch hands to its notebook (``PBR_SLICE``), so that it opens that one file only."""
    path = os.environ.get("PBR_SLICE")
    return Path(path) if path else None
