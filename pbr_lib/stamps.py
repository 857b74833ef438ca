"""How fresh an export is, by its own word; apart, because the run's date comes from here and never from a clock."""

from __future__ import annotations

import datetime as dt

from pbr_lib.dates import date_in
from pbr_lib.errors import SourceError
from pbr_lib.mapping import FileName, Newest, Stamp
from pbr_lib.origins import Piece

__all__ = ["as_of_day"]


def as_of_day(
    given: dt.date | Stamp | FileName | Newest, piece: Piece, remarks: tuple[str, ...], mapping: str
) -> dt.date:
    """The last day that a piece covers: as the mapping says, or a line of the file, or its name.

    Raises
    ------
    SourceError
        When neither line nor name holds such a date.
    """
    if isinstance(given, dt.date):
        return given
    if isinstance(given, FileName):
        day = date_in(piece.name, given.file_name)
        if day is None:
            fix = f"correct as_of in {mapping}, or rename the file"
            raise SourceError(f"its name holds no date like {given.file_name}", piece.shown, fix)
        return day
    if isinstance(given, Stamp):
        for line in remarks:
            at = line.lower().find(given.find.lower())
            day = date_in(line, given.format) if at >= 0 else None
            if day is not None:
                return day
        seen = "; ".join(line[:60] for line in remarks[:4]) or "no line above or below the data"
        fix = f"correct as_of in {mapping}, or write the day there. Seen: {seen}"
        raise SourceError(f'no line says "{given.find}" with a date like {given.format}', piece.shown, fix)
    raise SourceError("this export says nothing of its day", piece.shown, f"correct as_of in {mapping}")
