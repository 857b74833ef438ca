"""Where the rows of a source come from: a file, a folder or glob of them, an address, a database; apart, because
the ingest reads pieces and does not care which of these they are.

What lies elsewhere is fetched first, as a file under the output folder, and read from there: a run sees one state
of it, and a notebook opened at a desk asks no server.
"""

from __future__ import annotations

import datetime as dt
import difflib
import errno
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pbr_lib import addresses, databases, files, reading
from pbr_lib.dates import date_in, dates_in_names
from pbr_lib.errors import InputError, SourceError
from pbr_lib.fetched import Fetched
from pbr_lib.mapping import FileName, Source
from pbr_lib.reading import How, RawTable
from pbr_lib.schema import TABLES

__all__ = ["Base", "Piece", "absent", "pieces", "refresh"]

_GLOB = re.compile(r"[*?\[]")
_ROWS, _NOTE = "rows.parquet", ".origin.json"
# What spreadsheets, browsers and systems leave beside exports: locks, halves of downloads, pictures of folders.
_NO_EXPORTS = re.compile(r"\.|~\$|.*\.(?:crdownload|part|partial|download|tmp)$|(?:thumbs\.db|desktop\.ini)$", re.I)


@dataclass(frozen=True)
class Base:
    """The folder of the exports, as it is and as messages call it, and the folder of what was fetched."""

    data: Path
    shown: str
    fetched: Path


@dataclass(frozen=True)
class Piece:
    """One file of a source (or what was fetched of a database), not opened yet; ``shown`` is how messages call it."""

    name: str
    shown: str
    path: Path
    sha256: str
    open: Callable[[], RawTable] = field(repr=False, compare=False, default=lambda: _unopened())


def absent(source: Source, base: Base, name: str) -> bool:
    """Whether nothing of this source is there, or what was fetched is of an earlier mapping.

    Raises
    ------
    SourceError
        When a folder may not be read.
    """
    return not _paths(source, base, name)


def pieces(source: Source, base: Base, name: str) -> tuple[Piece, ...]:
    """The pieces of a source, newest first.

    Raises
    ------
    SourceError
        When none is there, one cannot be read, or several are there and the mapping does not say which to take.
    """
    mapping = f"params/sources/{name}.yaml"
    paths = _paths(source, base, name)
    if not paths:
        raise _missing(source, base, mapping)
    if source.sql is not None:
        return (_rows(paths[0], source),)
    if len(paths) > 1 and source.pick is None:
        names = ", ".join(sorted(path.name for path in paths)[:4]) + (", ..." if len(paths) > 4 else "")
        what = f"{len(paths)} files fit {_shown(source)}: {names}"
        fix = f"write pick: newest or pick: all into {mapping}: the newest drop alone, or all of them together"
        raise SourceError(what, base.shown, fix)
    ordered = _newest_first(paths, source, mapping)
    chosen = ordered[:1] if source.pick == "newest" else ordered
    return tuple(_piece(path, source, base, several=len(chosen) > 1) for path in chosen)


def refresh(source: Source, base: Base, name: str) -> None:
    """Fetch what lies elsewhere anew; nothing to do for files. What was fetched before stays when this fails.

    Raises
    ------
    SourceError
        When the address does not answer.
    InputError
        When a needed library is not installed.
    """
    if not _remote(source):
        return
    folder, mapping = base.fetched / name, f"params/sources/{name}.yaml"
    if source.sql is not None:
        databases.fetch(source.sql, folder / _ROWS, _sort_labels(source), mapping, base.data)
    else:
        databases.download(str(source.file), folder, mapping)
    files.write_json(folder / _NOTE, _note(source))


# --------------------------------------------------------------------------------------- what is there


def _paths(source: Source, base: Base, name: str) -> list[Path]:
    return _copies(source, base, name) if _remote(source) else _local(source, base)


def _remote(source: Source) -> bool:
    return source.sql is not None or "://" in (source.file or "")


def _shown(source: Source) -> str:
    return source.origin if source.sql is not None else addresses.shown(str(source.file))


def _sort_labels(source: Source) -> tuple[str, ...]:
    """The labels that order fetched rows: those of the key first, then all that are mapped."""
    key = TABLES[source.table].key if source.table in TABLES else ""
    own = [label for label, column in source.columns.items() if column == key]
    return tuple(dict.fromkeys([*source.key, *own, *source.columns]))


def _note(source: Source) -> dict[str, str]:
    """What was fetched, as a fingerprint: a mapping that asks for something else must not be served the old."""
    asked = json.dumps([source.file, source.sql.model_dump() if source.sql else None], sort_keys=True)
    return {"asked": hashlib.sha256(asked.encode()).hexdigest()}


def _copies(source: Source, base: Base, name: str) -> list[Path]:
    folder = base.fetched / name
    if files.read_json(folder / _NOTE) != _note(source):
        return []
    if source.sql is not None:
        return [folder / _ROWS] if (folder / _ROWS).is_file() else []
    return sorted(filter(_counts, folder.iterdir()))


def _local(source: Source, base: Base) -> list[Path]:
    given = str(source.file)
    with _readable(f"{base.shown}/{given}"):
        path = base.data / given
        if path.is_file():
            return [path]
        if path.is_dir():
            return sorted(filter(_counts, path.iterdir()))
        return _fitting(path) if _GLOB.search(given) else []


def _fitting(path: Path) -> list[Path]:
    """The files that fit a pattern, which may be absolute or climb out of the folder."""
    magic = next(at for at, part in enumerate(path.parts) if _GLOB.search(part))
    start = Path(*path.parts[:magic])
    if not start.is_dir():
        return []
    next(iter(start.iterdir()), None)  # a pattern passes over a folder that may not be read
    return sorted(filter(_counts, start.glob("/".join(path.parts[magic:]))))


def _counts(path: Path) -> bool:
    return not _NO_EXPORTS.match(path.name) and path.is_file()


@contextmanager
def _readable(where: str) -> Iterator[None]:
    """A fault of the file system as a fault of the source."""
    try:
        yield
    except OSError as error:
        fix = "make the name shorter" if error.errno == errno.ENAMETOOLONG else "check who may read it"
        raise SourceError(f"this cannot be read: {error.strerror or type(error).__name__}", where, fix) from None
    except ValueError as error:
        raise SourceError(f"this is no name of a file: {error}", where, "correct file: in the mapping") from None


def _missing(source: Source, base: Base, mapping: str) -> SourceError:
    if _remote(source):
        fix = f"check the address in {mapping}, or write optional: true there"
        return SourceError("nothing could be fetched", _shown(source), fix)
    given = str(source.file)
    where, path = f"{base.shown}/{given}", base.data / given
    otherwise = f"correct file: in {mapping}, or write optional: true there"
    if path.is_dir():
        return SourceError("no export lies in this folder", where, f"put the exports there, {otherwise}")
    if path.is_symlink():
        return SourceError("this link leads nowhere", where, f"mend the link, {otherwise}")
    if path.exists():
        return SourceError("this is no ordinary file", where, f"put a file there, {otherwise}")
    if _GLOB.search(given):
        return SourceError("no file fits this pattern", where, f"put the export there, {otherwise}")
    lying = sorted(each.name for each in base.data.glob("*") if _counts(each))
    near = difflib.get_close_matches(given, lying, n=1)
    hint = f'is it "{near[0]}"? ' if near else ""
    return SourceError("this export is missing", where, f"{hint}put the export there, {otherwise}")


# ------------------------------------------------------------------------------------- order and pieces


def _newest_first(paths: Sequence[Path], source: Source, mapping: str) -> list[Path]:
    """By the date in the name, else by name with numbers in their order.

    Never by the clock of the file system: a copied folder must give the same packs.
    """
    names = [path.name for path in paths]
    days: Sequence[dt.date | None] = [None] * len(paths)
    if isinstance(source.as_of, FileName):
        form = source.as_of.file_name
        days = [date_in(name, form) for name in names]
        if None in days:
            fix = f"correct as_of: {{file_name: ...}} in {mapping}, or rename the file"
            raise SourceError(f'no date like {form} stands in the name "{names[days.index(None)]}"', mapping, fix)
    elif len(paths) > 1:
        try:
            days = dates_in_names(names, source.date_format) or days
        except InputError as error:
            fix = f'write as_of: {{file_name: "%d.%m.%Y"}} into {mapping} as the names are, or begin them with the year'
            raise SourceError(error.what, f"{_shown(source)}: {names[0]}", fix) from None
    return [path for path, _ in sorted(zip(paths, days, strict=True), key=_age, reverse=True)]


def _age(dated: tuple[Path, dt.date | None]) -> tuple[dt.date, list[tuple[bool, int, str]], str]:
    path, day = dated
    return day or dt.date.min, _natural(path.name), path.as_posix()


def _natural(name: str) -> list[tuple[bool, int, str]]:
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [(part[0] in "0123456789", int(part) if part[0] in "0123456789" else 0, part) for part in parts]


def _rows(path: Path, source: Source) -> Piece:
    shown = _shown(source)
    name = (source.sql.table if source.sql else None) or "query"
    return Piece(name, shown, path, _digest(path, shown), open=lambda: Fetched(path, shown))


def _piece(path: Path, source: Source, base: Base, several: bool) -> Piece:
    if _remote(source):
        shown = f"{_shown(source)} ({path.name})" if several else _shown(source)
    else:
        inside = path.is_relative_to(base.data)
        shown = f"{base.shown}/{path.relative_to(base.data).as_posix()}" if inside else path.name
    how = How(
        labels=frozenset(source.labels),
        member=source.member,
        sheet=source.sheet or "",
        range=source.range,
        header_row=source.header_row or 0,
        encoding=source.encoding or "",
        delimiter=source.delimiter or "",
        grouped=source.grouped,
    )
    return Piece(path.name, shown, path, _digest(path, shown), open=lambda: reading.read(path, shown, how))


def _digest(path: Path, shown: str) -> str:
    with _readable(shown):
        return reading.sha256(path)


def _unopened() -> RawTable:
    raise InputError("this piece has no reader")
