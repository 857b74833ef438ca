"""Which table of a file is meant; apart, because here the parts meet: what the gate says, what the readers give,
what the search for headers finds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pbr_lib.errors import SourceError, did_you_mean
from pbr_lib.model import Finding, Severity
from pbr_lib.reading import gate, layout, markup, packages, texts, workbooks
from pbr_lib.reading.gate import Origin
from pbr_lib.reading.grids import Grid, How, Spot
from pbr_lib.reading.headers import nearest
from pbr_lib.reading.tables import RawTable

__all__ = ["read", "survey"]

_MOST_LISTED = 12
_MOST_MEMBERS = 200
_EXPORT_NAMES = (".csv", ".tsv", ".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".gz")
_LOG_COLUMNS = frozenset(["STATUS", "ERROR"])


@dataclass(frozen=True)
class _Candidate:
    """A table of a file, and the file or member of a zip that it lies in."""

    origin: Origin
    spot: Spot

    @property
    def place(self) -> str:
        """What messages call the table."""
        name = self.spot.grid.name
        if self.spot.parted:
            name = f"{name}!{self.spot.area.text}" if name else self.spot.area.text
        return self.origin.shown + (f" [{name}]" if name else "")

    @property
    def listed(self) -> str:
        """The table in a list of several."""
        labels = ", ".join(self.spot.labels[:4]) + (" ..." if len(self.spot.labels) > 4 else "")
        return f"{self.place} ({labels})"


def read(path: Path, shown: str, how: How) -> RawTable:
    """The one table that is meant.

    Parameters
    ----------
    path, shown:
        The file, and what messages call it.
    how:
        What the mapping says: the labels that it reads, and which sheet, range or member where that is not clear.

    Raises
    ------
    SourceError
        When the file cannot be read, no table holds the labels, or several do equally well.
    """
    origin = gate.of_path(path, shown)
    notes: list[Finding] = []
    looked_at, found = _found(origin, how, notes)
    fitting = [each for each in found if layout.fits(each.spot, how)]
    if not fitting:
        raise _no_header(origin, looked_at, how)
    chosen = _one(origin, fitting, how)
    _refuse_log(chosen, how)
    others = [each.place for each in fitting if each is not chosen]
    if others and how.labels:
        what = f"other tables hold some of the labels and were not read: {'; '.join(others[:3])}"
        notes.append(Finding("info", what, fix="write sheet:, range: or member: to read another", count=len(others)))
    return RawTable(replace(chosen.spot, findings=(*chosen.spot.findings, *notes)), chosen.place, how.grouped)


def survey(path: Path, shown: str, how: How = How()) -> tuple[RawTable, ...]:  # noqa: B008  a frozen value
    """Every table of a file, best first: those that hold most labels, else in the order of the file.

    Raises
    ------
    SourceError
        When the file cannot be read or holds no table at all.
    """
    origin = gate.of_path(path, shown)
    looked_at, found = _found(origin, how, [])
    if not found:
        raise _no_header(origin, looked_at, How())
    if how.labels:
        found.sort(key=lambda each: -each.spot.held)
    else:
        # Sheets of one column are covers and notes more often than tables.
        found.sort(key=lambda each: len(each.spot.labels) < 2)
    for each in found[:1]:
        _refuse_log(each, how)
    return tuple(RawTable(each.spot, each.place, how.grouped) for each in found)


# ------------------------------------------------------------------------------------------- what is there


def _found(origin: Origin, how: How, notes: list[Finding]) -> tuple[list[tuple[Origin, Grid]], list[_Candidate]]:
    """Every sheet that was looked at, and the tables on them; ``notes`` takes what was passed over."""
    looked_at = _grids(origin, how, notes)
    out = []
    told: SourceError | None = None
    for each, grid in looked_at:
        try:
            out += [_Candidate(each, spot) for spot in layout.spots(grid, how)]
        except SourceError as error:
            place = each.shown + (f" [{grid.name}]" if grid.name else "")
            told = told or SourceError(error.what, f"{place}, {error.where}" if error.where else place, error.fix)
    if told and not out:
        raise told
    return looked_at, out


def _grids(origin: Origin, how: How, notes: list[Finding], nested: bool = False) -> list[tuple[Origin, Grid]]:
    head = origin.first()
    kind = gate.kind_of(origin, head)
    grids: Sequence[Grid]
    if kind == "gzip":
        return _of_gzip(origin, how, notes, nested)
    if kind in ("zip", "ole"):
        with packages.on_disk(origin) as file:
            if kind == "ole":
                grids = workbooks.ole_grids(file, how)
            else:
                with packages.checked(file) as package:
                    workbook, names = packages.is_workbook(package), packages.members(package)
                if not workbook:
                    if nested:
                        raise origin.fault("this is a package within a package", "unpack it first")
                    return _of_zip(origin, names, how, notes)
                grids = workbooks.grids(file, how)
    elif kind == "html":
        grids = markup.html_grids(origin)
    elif kind == "spreadsheetml":
        grids = markup.spreadsheet_grids(origin)
    elif kind == "mhtml":
        grids = markup.archive_grids(origin)
    else:
        grids = (texts.opened(origin, head, how),)
    named: list[tuple[Origin, Grid]] = [(origin, grid) for grid in grids]
    if how.sheet and kind == "spreadsheetml":
        # Workbooks look for their sheet themselves; a page of HTML has tables without names.
        names = [grid.name for grid in grids]
        if how.sheet not in names:
            fix = f"{did_you_mean(how.sheet, names)} (the sheet is named in the mapping)"
            raise origin.fault(f'no sheet is called "{how.sheet}"', fix)
        return [each for each in named if each[1].name == how.sheet]
    return named


def _of_gzip(origin: Origin, how: How, notes: list[Finding], nested: bool) -> list[tuple[Origin, Grid]]:
    if nested:
        raise origin.fault("this is a package within a package", "unpack it first")
    inner = packages.of_gzip(origin)
    return _grids(inner, how, notes, nested=True)


def _of_zip(origin: Origin, names: list[str], how: How, notes: list[Finding]) -> list[tuple[Origin, Grid]]:
    """The sheets of the members of a zip; those that are no exports (a manual, a picture) are passed over, and told."""
    wanted = packages.chosen(origin, names, how.member)
    if not wanted:
        raise origin.fault("this zip holds no file", "pack the exports again")
    if len(wanted) > _MOST_MEMBERS:
        raise origin.fault(f"this zip holds {len(wanted):,} files", "write member: into the mapping")
    out: list[tuple[Origin, Grid]] = []
    refused: list[SourceError] = []
    for name in wanted:
        try:
            out += _grids(packages.of_member(origin, name), how, notes, nested=True)
        except SourceError as error:
            refused.append(error)
            # A manual beside the exports is no news, an export that cannot be read is.
            severity: Severity = "warning" if name.lower().endswith(_EXPORT_NAMES) else "info"
            notes.append(Finding(severity, f'"{name}" in this zip was passed over: {error.what}', fix=error.fix))
    if not out:
        raise refused[0]
    return out


# ------------------------------------------------------------------------------------------ which is meant


def _one(origin: Origin, fitting: Sequence[_Candidate], how: How) -> _Candidate:
    if how.labels:
        most = max(each.spot.held for each in fitting)
        best = [each for each in fitting if each.spot.held == most]
    else:
        best = [each for each in fitting if len(each.spot.labels) > 1] or list(fitting)
    if len(best) == 1:
        return best[0]
    shown = "; ".join(each.listed for each in best[:_MOST_LISTED])
    key = "range"
    if len({each.spot.grid.name for each in best}) > 1:
        key = "sheet"
    if len({each.origin.member for each in best}) > 1:
        key = "member"
    more = f" and {len(best) - _MOST_LISTED} more" if len(best) > _MOST_LISTED else ""
    what = f"{len(best)} tables fit equally well: {shown}{more}"
    raise origin.fault(what, f"write {key}: into the mapping, to say which one is meant")


def _no_header(origin: Origin, looked_at: Sequence[tuple[Origin, Grid]], how: How) -> SourceError:
    """No row holds the labels: say which were sought, and what comes nearest."""
    filled = [(each, grid) for each, grid in looked_at if any(cell.strip() for row in grid.head for cell in row)]
    if not filled:
        return origin.fault("this export is empty", "export it again, with its header and its rows")
    if not how.labels:
        return origin.fault(
            "no row of this file looks like a header", "write header_row: into the mapping, or export it again"
        )
    first = min(how.labels)
    near = "; ".join(
        f"in {grid.name or each.member}, {text}" if len(filled) > 1 else text
        for each, grid in filled[:3]
        if (text := nearest(grid.head, how.labels))
    )
    count = len(how.labels)
    sought = f'the {count} labels of the mapping, such as "{first}"' if count > 1 else f'the label "{first}"'
    fix = "look at columns: in the mapping, or export it again with its header"
    return origin.fault(f"no row holds {sought}; {near}", fix)


def _refuse_log(chosen: _Candidate, how: How) -> None:
    """Data Loader writes what became of an import beside it, and such a log reads like an export."""
    labels = [label.upper() for label in chosen.spot.labels]
    last = labels[-1] if labels else ""
    named = re.match(r"(?:success|error)", chosen.origin.name, re.IGNORECASE)
    if (
        not named
        or last not in _LOG_COLUMNS
        or "ID" not in labels
        or {each.upper() for each in how.labels} & _LOG_COLUMNS
    ):
        return
    what = f"this is a result log of an import (its last column is {last}), not an export"
    raise chosen.origin.fault(what, "export the records themselves")
