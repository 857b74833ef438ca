"""An empty workbook to begin with; apart, because it is made before there is anything to read.

What is only for beginners lies in ``starter_data``. Notebooks and the metric library are the workbook's own: the
wheel carries copies of them, a checkout is read itself, so that there never is a second one to fall behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pbr_lib import files
from pbr_lib.errors import InputError, PbrError

__all__ = ["SHARED", "begin"]

SHARED: tuple[str, ...] = ("notebooks/check_data.ipynb", "notebooks/partner_pack.ipynb")
SHARED += ("notebooks/set_goals.ipynb", "params/library.yaml")
"""What a new workbook shares with the workbook that this package comes from."""

_OWN: tuple[str, ...] = ("data/.gitkeep", "gitignore", "params/goals.yaml", "params/metrics.yaml")
_OWN += ("params/sources/README.md", "params/workbook.yaml")
_PACKAGE = Path(__file__).resolve().parent
# A file called .gitignore would hide what lies beside it in the package from git and from the build.
_NAMES = {"gitignore": ".gitignore"}
_TOLD = {
    "params/workbook.yaml": "fill in organisation and currency",
    "params/goals.yaml": "two goals to begin with",
    "params/metrics.yaml": "how they are measured",
    "params/library.yaml": "metrics that are ready to be used",
    "notebooks/partner_pack.ipynb": "the pack",
    "notebooks/check_data.ipynb": "a look at the data",
    "notebooks/set_goals.ipynb": "goals: are they sound, what comes next",
    "data/": "put your exports here",
}


def begin(folder: Path) -> Iterator[str]:
    """Write an empty workbook into ``folder``, made if it is not there; yields what it holds and what is next.

    Nothing that lies there is written over.

    Raises
    ------
    InputError
        When the folder holds a workbook already, or a file that would be written over, or cannot be written to.
    """
    pieces = _pieces()
    _refuse(folder, pieces)
    try:
        for name, content in pieces.items():
            files.write_bytes(folder / name, content)
    except OSError as error:
        what = f"this folder cannot be written to ({error.strerror or type(error).__name__})"
        raise InputError(what, str(folder), "choose another folder") from None
    yield f"an empty workbook in {folder}"
    width = max(map(len, _TOLD))
    for name, about in _TOLD.items():
        yield f"  {name:<{width}}  {about}"
    yield "next"
    yield f"  cd {folder}"
    yield "  pbr sources new data/your-export.csv    proposes a mapping; the list of partners first"
    yield "  pbr check"
    yield "  pbr build"


def _pieces() -> dict[str, bytes]:
    """The content of every file by its name in the workbook."""
    return {_NAMES.get(name, name): _found(name).read_bytes() for name in (*_OWN, *SHARED)}


def _found(name: str) -> Path:
    """A file of the package, or, in a checkout, of the workbook around it."""
    for folder in (_PACKAGE / "starter_data", _PACKAGE.parent):
        if (folder / name).is_file():
            return folder / name
    raise PbrError(f"this installation lacks {name}", "pbr_lib/starter_data", "install pbr-workbook again")


def _refuse(folder: Path, names: Iterable[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError("this is a file, not a folder", str(folder), "name a folder")
    if (folder / "params" / "workbook.yaml").exists():
        raise InputError("there is a workbook here already", str(folder), "choose another folder")
    taken = next((name for name in names if (folder / name).exists() or (folder / name).is_symlink()), None)
    if taken is not None:
        fix = "move it away, or choose another folder"
        raise InputError("this file would be written over", str(folder / taken), fix)
