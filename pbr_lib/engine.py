"""Runs one notebook through Papermill; apart, because how a notebook is executed may change while nothing
else does.

The executed notebook comes back without clock, machine or random ids, so that equal inputs give equal bytes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
from nbformat import NotebookNode
from papermill.exceptions import PapermillException, PapermillExecutionError

from pbr_lib.errors import PackError

__all__ = ["NotebookRun", "execute", "settled"]

_VOLATILE = ("papermill", "execution")


@dataclass(frozen=True)
class NotebookRun:
    """One notebook, its parameters, the slice that it may open, and where a failed one is kept."""

    template: Path
    parameters: Mapping[str, str]
    slice: Path
    aside: Path


def execute(run: NotebookRun) -> NotebookNode:
    """The executed notebook.

    Raises
    ------
    PackError
        When a cell failed; it names notebook, cell and error, and the failed notebook lies at ``run.aside``.
    """
    # The kernel is a child of this process and inherits what it may open.
    os.environ["PBR_SLICE"] = str(run.slice)
    partner = run.parameters.get("partner", "")
    try:
        notebook = papermill.execute_notebook(
            str(run.template),
            str(run.aside),
            dict(run.parameters),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            cwd=str(run.template.parent),
            # The kernel's remarks on its own transport and shutdown are not the user's concern.
            extra_arguments=["--IPKernelApp.log_level=50"],
        )
    except PapermillExecutionError as error:
        where = f"{run.template.name}, cell {error.cell_index}"
        fix = f"open {run.aside.name} beside the packs, or run the notebook with this partner in JupyterLab"
        raise PackError(f"{error.ename}: {error.evalue}", where, fix, partner) from None
    except (PapermillException, RuntimeError, OSError) as error:
        raise PackError(f"the notebook did not run: {error}", run.template.name, "run it again", partner) from None
    finally:
        os.environ.pop("PBR_SLICE", None)
    return settled(notebook)


def settled(notebook: NotebookNode) -> NotebookNode:
    """A copy without times, paths and random ids: what depends on data and parameters only."""
    copy = nbformat.from_dict(notebook)
    copy.metadata.pop("papermill", None)
    copy.metadata.get("language_info", {}).pop("version", None)
    for number, cell in enumerate(copy.cells):
        for name in _VOLATILE:
            cell.metadata.pop(name, None)
        tags = cell.metadata.get("tags", [])
        if "parameters" in tags:
            # The template's defaults name a partner, and it need not be this one.
            cell.source = "# The template's defaults stood here; what this run was given stands below."
        if "injected-parameters" in tags:
            cell.id = f"injected-{number}"
    return copy
