"""What a file is, judged by its bytes and never by its name; apart, because everything that is no export must be
refused before any parser sees it, and each in one sentence that says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from pbr_lib.errors import SourceError

__all__ = ["HEAD_BYTES", "Kind", "Origin", "kind_of", "of_path"]

Kind = Literal["text", "html", "spreadsheetml", "mhtml", "zip", "gzip", "ole"]

HEAD_BYTES = 1 << 20
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"\xff\xfe", b"\xfe\xff")
_AGAIN = "export it again as CSV (UTF-8) or as an Excel workbook"

# First bytes, what such a file is, and what to do about it.
_STRANGERS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", "export the report itself, not its printed page, as CSV or as an Excel workbook"),
    (b"\x89PNG", "a picture", _AGAIN),
    (b"\xff\xd8\xff", "a picture", _AGAIN),
    (b"GIF8", "a picture", _AGAIN),
    (b"II*\x00", "a picture", _AGAIN),
    (b"MM\x00*", "a picture", _AGAIN),
    (b"RIFF", "a picture or a recording", _AGAIN),
    (b"PAR1", "a Parquet file", "write it as CSV (UTF-8) first"),
    (b"ARROW1", "an Arrow file", "write it as CSV (UTF-8) first"),
    (b"FEA1", "a Feather file", "write it as CSV (UTF-8) first"),
    (b"ORC", "an ORC file", "write it as CSV (UTF-8) first"),
    (b"Obj\x01", "an Avro file", "write it as CSV (UTF-8) first"),
    (b"SQLite format 3\x00", "a SQLite database", "export the table in it as CSV (UTF-8)"),
    (b"\x00\x01\x00\x00Standard ", "an Access database", "export the table in it as CSV (UTF-8)"),
    (b"BZh", "packed with bzip2", "unpack it first"),
    (b"\xfd7zXZ\x00", "packed with xz", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "packed with 7-Zip", "unpack it first, or pack it as .zip"),
    (b"Rar!", "packed with RAR", "unpack it first, or pack it as .zip"),
    (b"{\\rtf", "a text document (RTF)", _AGAIN),
    (b"\x7fELF", "a program", _AGAIN),
    (b"MZ\x90\x00", "a program", _AGAIN),
    (b"\x09\x00\x04\x00", "a workbook of Excel 2", "open it in Excel and save it as .xlsx"),
    (b"\x09\x02\x06\x00", "a workbook of Excel 3", "open it in Excel and save it as .xlsx"),
    (b"\x09\x04\x06\x00", "a workbook of Excel 4", "open it in Excel and save it as .xlsx"),
)
_JSON = re.compile(rb'\s*(?:\{\s*(?:"|\}|\Z)|\[\s*(?:[\[{"\]]|-?\d+(?:\.\d+)?\s*[,\]]))')
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|title|style|div|script)\b", re.I | re.S
)
_MHTML = re.compile(
    rb"(?:[\w-]+:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*)*?(?:mime-version|content-type:\s*multipart/related)", re.I
)
_BAD_XML = "this is an XML file, but none that Excel writes as a workbook"


@dataclass(frozen=True)
class Origin:
    """Where bytes come from: a file or a member of a zip, opened anew for each pass.

    ``shown`` is what messages call it, ``name`` its file name without a folder, ``path`` the file on the disk (None
    for a member of a zip), ``member`` its name in a zip.
    """

    shown: str
    name: str
    open: Callable[[], IO[bytes]]
    path: Path | None = None
    member: str = ""

    def fault(self, what: str, fix: str, row: int | None = None) -> SourceError:
        """An error of this file."""
        return SourceError(what, self.shown + (f", row {row}" if row else ""), fix)

    def first(self, count: int = HEAD_BYTES) -> bytes:
        """The first bytes of the file.

        Raises
        ------
        SourceError
            When the file cannot be read.
        """
        try:
            with self.open() as stream:
                pieces, left = [], count
                while left and (piece := stream.read(left)):
                    pieces.append(piece)
                    left -= len(piece)
                return b"".join(pieces)
        except OSError as error:
            raise self.fault(
                f"this file cannot be read: {error.strerror or error}", "close it elsewhere, look at its rights"
            ) from None


def of_path(path: Path, shown: str) -> Origin:
    """A file on the disk.

    Raises
    ------
    SourceError
        When there is no such file, or it is the lock file of an open workbook.
    """
    origin = Origin(shown, path.name, lambda: path.open("rb"), path)
    if path.name.startswith("~$"):
        raise origin.fault(
            "this is the lock file of a workbook that is open in Excel", "close Excel, name the workbook itself"
        )
    if path.is_dir():
        raise origin.fault("this is a folder", "name the file in it")
    if not path.is_file():
        raise origin.fault("this export is missing", "put the export there, or correct file: in the mapping")
    return origin


def kind_of(origin: Origin, head: bytes) -> Kind:
    """What the file is; ``head`` holds its first bytes.

    Raises
    ------
    SourceError
        When it is empty, or anything that holds no table.
    """
    bare = _without_mark(head)
    if not bare.strip(b"\x00 \t\r\n"):
        if bare.strip(b" \t\r\n"):
            raise origin.fault("this file holds nothing but zero bytes: it was damaged", "export it again")
        raise origin.fault("this export is empty", "export it again, with its header and its rows")
    if head.startswith(b"PK\x05\x06"):
        raise origin.fault("this zip is empty", "pack the exports again")
    if head.startswith((b"PK\x03\x04", b"PK\x07\x08")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "ole"
    for mark, what, fix in _STRANGERS:
        if head.startswith(mark):
            raise origin.fault(f"this is {what}, not an export", fix)
    return _markup_kind(origin, _narrow(bare, head))


def _without_mark(head: bytes) -> bytes:
    return next((head[len(mark) :] for mark in _MARKS if head.startswith(mark)), head)


def _narrow(bare: bytes, head: bytes) -> bytes:
    """The first bytes with one byte for each sign of ASCII, whatever the encoding."""
    wide = head.startswith(_MARKS[1:]) or bare[:64].count(b"\x00") > 8
    return bare[:65_536].replace(b"\x00", b"") if wide else bare[:65_536]


def _markup_kind(origin: Origin, text: bytes) -> Kind:
    start = text.lstrip()[:4096]
    if start.startswith(b"<?xml") or re.match(rb"<[\w:]*Workbook\b", start):
        if b"urn:schemas-microsoft-com:office:spreadsheet" in text:
            return "spreadsheetml"
        if _HTML.match(re.sub(rb"^<\?xml.*?\?>", b"", start, flags=re.S)):
            return "html"
        raise origin.fault(_BAD_XML, _AGAIN)
    if _HTML.match(start):
        return "html"
    if _MHTML.match(start) and b"mime-version" in start.lower():
        return "mhtml"
    if _JSON.match(start) and not re.match(rb"\[[^\]\n]*\][,;\t]", start):
        raise origin.fault("this is JSON, not a table", _AGAIN)
    if start.startswith(b"<"):
        raise origin.fault(_BAD_XML if b"</" in start else "this is markup, not a table", _AGAIN)
    return "text"
