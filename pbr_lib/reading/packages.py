"""Zip and gzip files: what they may hold, and their members as files of their own; apart, because a package is
checked against its table of contents before a byte of it is unpacked.

The name of a member is a label and never a path: nothing is written where an archive says.
"""

from __future__ import annotations

import fnmatch
import gzip
import io
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

from pbr_lib.errors import SourceError, did_you_mean
from pbr_lib.reading.gate import Origin

__all__ = ["BROKEN", "checked", "chosen", "is_workbook", "members", "of_gzip", "of_member", "on_disk"]

_ENTRY, _ALL, _RATIO, _SMALL = 512 << 20, 2 << 30, 200, 16 << 20
_EXPORT = 8 << 30  # text files stream, so a member may be larger than a part of a workbook
_MOST_ENTRIES = 20_000
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
_NO_EXPORTS = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")


def checked(origin: Origin) -> zipfile.ZipFile:
    """A zip whose table of contents is sane; to be closed by the caller.

    Raises
    ------
    SourceError
        When it is cut off or damaged, is locked with a password, or claims to unpack to more than may be.
    """
    try:
        package = _opened(origin)
        entries = package.infolist()
    except BROKEN:
        raise origin.fault(
            "this file is damaged or cut off: its table of contents is missing", "export it again"
        ) from None
    try:
        _check(origin, entries, bool(is_workbook(package)))
    except SourceError:
        package.close()
        raise
    return package


def _opened(origin: Origin) -> zipfile.ZipFile:
    # Given a path, the archive closes its file itself.
    return zipfile.ZipFile(origin.open() if origin.path is None else origin.path)


def _check(origin: Origin, entries: list[zipfile.ZipInfo], workbook: bool) -> None:
    if any(entry.flag_bits & 1 for entry in entries):
        raise origin.fault("this file is locked with a password", "save it without a password")
    total = sum(entry.file_size for entry in entries)
    largest = max((entry.file_size for entry in entries), default=0)
    if len(entries) > _MOST_ENTRIES or largest > (_ENTRY if workbook else _EXPORT) or (workbook and total > _ALL):
        what = f"this file would unpack to {total / (1 << 20):,.0f} MB, more than is read"
        raise origin.fault(what, "export fewer columns or a shorter period, or export as CSV (UTF-8)")
    for entry in entries:
        ratio = entry.file_size // max(entry.compress_size, 1)
        if entry.file_size > _SMALL and ratio > _RATIO:
            what = f"this file would unpack to {ratio:,} times its size, as only a zip bomb does"
            raise origin.fault(what, "do not open it; ask its sender for another export")


@contextmanager
def on_disk(origin: Origin) -> Iterator[Origin]:
    """The file with a path of its own: a member of a zip is unpacked into a temporary folder for as long.

    Raises
    ------
    SourceError
        When it unpacks to more than a workbook may have.
    """
    if origin.path is not None:
        yield origin
        return
    with tempfile.TemporaryDirectory(prefix="pbr-") as folder:
        path = Path(folder) / "member"
        with origin.open() as source, path.open("wb") as target:
            while data := source.read(1 << 20):
                target.write(data)
                if target.tell() > _ENTRY:
                    raise origin.fault(f"this workbook has more than {_ENTRY >> 20} MB", "export it as CSV (UTF-8)")
        yield replace(origin, path=path, open=lambda: path.open("rb"))


def is_workbook(package: zipfile.ZipFile) -> str:
    """Which workbook a zip is: ``xlsx``, ``xlsb`` or ``ods``; ``other`` for another document, empty for none."""
    names = {name.replace("\\", "/").lstrip("/").lower() for name in package.namelist()}
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "xl/workbook.xml" in names or ("[content_types].xml" in names and any(name.startswith("xl/") for name in names)):
        return "xlsx"
    if "mimetype" in names and "content.xml" in names:
        return "ods"
    if "[content_types].xml" in names or "meta-inf/manifest.mf" in names or any(n.endswith(".iwa") for n in names):
        return "other"
    return ""


def members(package: zipfile.ZipFile) -> list[str]:
    """The members of a zip that may be exports, sorted by name."""
    sizes = {entry.filename: entry.file_size for entry in package.infolist()}
    return sorted(name for name, size in sizes.items() if size and not name.endswith("/") and not _is_litter(name))


def _is_litter(name: str) -> bool:
    file = name.replace("\\", "/").rpartition("/")[2]
    return (
        not file
        or file.startswith((".", "~$"))
        or name.lower().startswith(_NO_EXPORTS[0])
        or file.lower() in _NO_EXPORTS
    )


def chosen(origin: Origin, names: list[str], wanted: str) -> list[str]:
    """The members that a mapping names, by whole name, file name or pattern; all where it names none.

    Raises
    ------
    SourceError
        When no member is called so.
    """
    if not wanted:
        return names
    exact = [name for name in names if wanted in (name, name.rpartition("/")[2])]
    found = exact or [name for name in names if fnmatch.fnmatchcase(name.casefold(), wanted.casefold())]
    if not found:
        fix = f"{did_you_mean(wanted, names)} (the member is named in the mapping)"
        raise origin.fault(f'no file in this zip is called "{wanted}"', fix)
    return found


def of_member(origin: Origin, name: str) -> Origin:
    """A member of a zip as a file of its own, unpacked while it is read."""
    file = name.replace("\\", "/").rpartition("/")[2]

    def opened() -> IO[bytes]:
        package = _opened(origin)
        try:
            stream = package.open(name)
        except (*BROKEN, KeyError) as error:
            package.close()
            what = f'"{name}" cannot be unpacked: {error}'
            raise origin.fault(what, "the file is damaged or cut off; export it again") from None
        return cast(IO[bytes], _Guarded(stream, origin, name, package.close))

    return Origin(f"{origin.shown} [{name}]", file, opened, None, name)


def of_gzip(origin: Origin) -> Origin:
    """What a gzip file holds, unpacked while it is read."""

    def opened() -> IO[bytes]:
        raw = origin.open()
        return cast(IO[bytes], _Guarded(cast(IO[bytes], gzip.GzipFile(fileobj=raw)), origin, origin.name, raw.close))

    return Origin(origin.shown, origin.name.removesuffix(".gz"), opened, None, origin.member)


class _Guarded(io.RawIOBase):
    """Unpacked bytes, with an end to how many there may be, and errors that say what is wrong."""

    def __init__(self, stream: IO[bytes], origin: Origin, name: str, close: Callable[[], None]) -> None:
        super().__init__()
        self._stream, self._origin, self._name, self._close, self._given = stream, origin, name, close, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        try:
            data = self._stream.read(size)
        except BROKEN as error:
            what = f'"{self._name}" cannot be unpacked: {error}'
            raise self._origin.fault(what, "the file is damaged or cut off; export it again") from None
        self._given += len(data)
        if self._given > _EXPORT:
            raise self._origin.fault(
                f'"{self._name}" unpacks to more than {_EXPORT >> 30} GB', "export a shorter period"
            )
        return data

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with the next bytes; returns how many."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the archive too."""
        if not self.closed:
            self._stream.close()
            self._close()
        super().close()
