"""Export files as raw tables: what a file is, where its table lies, and every row with its place; apart, because
reading guesses nothing in silence and converts nothing.

:func:`read` gives the one table that a mapping means, :func:`survey` every table that there is. Behind them a *gate*
says what a file is, readers for texts, workbooks, markup and packages make *grids* of it, and one search for headers
and ends serves them all.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pbr_lib.reading.front import read, survey
from pbr_lib.reading.grids import Aside, Batch, How, Total
from pbr_lib.reading.tables import RawTable

__all__ = ["Aside", "Batch", "How", "RawTable", "Total", "read", "sha256", "survey"]


def sha256(path: Path) -> str:
    """The fingerprint of a file's content.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
