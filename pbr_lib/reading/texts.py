"""Text files as grids: how their letters are encoded and what parts their cells; apart, because a text file says
neither, and both must be found out before there is a row to look at.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from pbr_lib.errors import SourceError
from pbr_lib.model import Finding
from pbr_lib.reading import csvrows, encodings
from pbr_lib.reading.encodings import Encoding, Utf8Stream
from pbr_lib.reading.gate import HEAD_BYTES, Origin
from pbr_lib.reading.grids import HEAD_ROWS, Block, How
from pbr_lib.reading.headers import guessed, sought

__all__ = ["TextGrid", "opened"]

_USUAL, _RARE = (",", ";", "\t", "|"), ("^", ":", "~")
_SEP = re.compile('"?sep=(.)"?\r?\n', re.IGNORECASE)


@dataclass(frozen=True)
class TextGrid:
    """A text file parted into cells; ``plain`` says that its rows can be read fast."""

    origin: Origin = field(repr=False)
    encoding: Encoding
    delimiter: str
    skip: int
    look: csvrows.Look
    facts: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    name: str = ""

    @property
    def guess(self) -> str:
        """The encoding when it was guessed."""
        return self.encoding.name if self.encoding.guessed else ""

    @property
    def doubled(self) -> bool:
        """Whether text that was encoded twice may be there."""
        return self.look.doubled

    @cached_property
    def head(self) -> list[list[str]]:
        """The texts of the first rows."""
        return self.texts(1, HEAD_ROWS)

    def texts(self, first: int, last: int) -> list[list[str]]:
        """The texts of those rows, both included."""
        with io.TextIOWrapper(io.BufferedReader(self._stream(True)), encoding="utf-8", newline="") as text:
            return list(islice(csvrows.records(text, self.delimiter), first - 1, last))

    def blocks(self, first: int, columns: Sequence[int]) -> Iterator[Block]:
        """The file from row ``first`` on, in those columns."""
        if not self.look.plain:
            return csvrows.reference_blocks(self._stream(True), self.delimiter, first, columns)
        widths = Counter(len(row) for row in self.head[first - 1 :] if row)
        width = max(widths, key=lambda each: (widths[each], each), default=max(columns) + 1)
        return csvrows.fast_blocks(self._stream, self.delimiter, width, first, columns)

    def _stream(self, checked: bool) -> Utf8Stream:
        return Utf8Stream(self.origin.open(), self.encoding, self.skip, checked)


def opened(origin: Origin, head: bytes, how: How) -> TextGrid:
    """A text file with its encoding and delimiter found out, or taken from ``how``.

    Raises
    ------
    SourceError
        When it is not in the encoding that was told, holds zero bytes, or is running text without a table.
    """
    ended = len(head) < HEAD_BYTES
    told = bool(how.encoding)
    candidates = [encodings.told(origin, how.encoding, head)] if told else encodings.guessed(head, ended)
    for number, encoding in enumerate(candidates):
        try:
            return _in(origin, head, how, encoding)
        except UnicodeError:
            if number == len(candidates) - 1:
                break
        except SourceError as error:
            raise SourceError(
                error.what, f"{origin.shown}, {error.where}" if error.where else origin.shown, error.fix
            ) from None
    name = how.encoding or candidates[0].name
    fix = (
        "correct encoding: in the mapping, or remove it to have it found out"
        if told
        else "export it again as CSV (UTF-8)"
    )
    raise origin.fault(f"this file is not {name} throughout", fix)


def _in(origin: Origin, head: bytes, how: How, encoding: Encoding) -> TextGrid:
    text = encoding.decoder()(head, False).removeprefix("\ufeff")
    if not text.strip():
        raise SourceError("this export is empty", "", "export it again, with its header and its rows")
    sep = _SEP.match(text)
    skip = len(sep[0].encode()) if sep else 0
    text = text[len(sep[0]) :] if sep else text
    delimiter = _delimiter(text, how, sep[1] if sep else "", len(head) < HEAD_BYTES)
    with Utf8Stream(origin.open(), encoding, skip) as stream:
        seen = csvrows.look(stream, delimiter)
    facts = {
        "format": "TSV" if delimiter == "\t" else "CSV",
        "encoding": encoding.name,
        "delimiter": delimiter,
    }
    suffix = origin.name.rpartition(".")[2].lower()
    if suffix in ("xls", "xlsx", "xlsm", "xlsb", "ods"):
        facts["format"] += f" in a .{suffix} file"
    if origin.member:
        facts["member"] = origin.member
    return TextGrid(origin, encoding, delimiter, skip, seen, facts, _doubts(head, how, encoding))


def _doubts(head: bytes, how: How, encoding: Encoding) -> tuple[Finding, ...]:
    """An encoding that was told of a file which is UTF-8 as it stands: allowed, and told."""
    if not how.encoding or encoding.codec == "utf-8" or head.isascii() or encoding.codec.startswith("utf-"):
        return ()
    try:
        encodings.Encoding("utf-8", "").decoder()(head, False)
    except UnicodeError:
        return ()
    what = f"the mapping calls this file {how.encoding}, and it is UTF-8"
    return (Finding("warning", what, fix="remove encoding: from the mapping"),)


# ------------------------------------------------------------------------------------------ delimiter


def _delimiter(text: str, how: How, sep: str, ended: bool) -> str:
    """What parts the cells: as told, by the file's own line, by the labels, or where the rows agree best."""
    if how.delimiter:
        told = {"\\t": "\t", "tab": "\t"}.get(how.delimiter, how.delimiter)
        if len(told) != 1 or told in '"\r\n\0':
            raise SourceError(f'"{how.delimiter}" cannot part cells', "", 'write delimiter: as one sign, such as ";"')
        return told
    if sep and sep not in '"\r\n\0':
        return sep
    if not ended:
        # The last line is cut off somewhere.
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    by_delimiter = {each: _first_rows(text, each) for each in (*_USUAL, *_RARE)}
    if how.labels:
        counts = {each: sought(rows, how.labels)[1] for each, rows in by_delimiter.items()}
        best = max(counts, key=lambda each: counts[each])
        if counts[best] > 1 or (len(how.labels) == 1 and counts[best]):
            return best
    scores = {each: _agreement(rows) for each, rows in by_delimiter.items()}
    usual = max(_USUAL, key=lambda each: scores[each])
    prose = not how.labels and _is_prose(text)
    # A comma of a sentence has a blank behind it, a comma between cells hardly ever.
    if scores[usual] > 0 and not (prose and 2 * text.count(f"{usual} ") > text.count(usual)):
        return usual
    rare = max(_RARE, key=lambda each: scores[each])
    if scores[rare] >= 1.5 and guessed(by_delimiter[rare])[1] > 0.9:
        return rare
    if prose:
        raise SourceError("this is running text, not a table", "", "export the report as CSV (UTF-8)")
    return ","


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in islice(csvrows.records(io.StringIO(text, newline=""), delimiter), HEAD_ROWS):
            rows.append(row)
    except SourceError:
        # With the wrong sign quotes stand in odd places; what came before still counts.
        pass
    return rows


def _agreement(rows: Sequence[Sequence[str]]) -> float:
    """How well rows agree on a width of two or more: 0 where they do not, more for more columns."""
    widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    wide = {width: count for width, count in widths.items() if width > 1}
    if not wide:
        return 0.0
    width = max(wide, key=lambda each: (wide[each] * (each - 1), each))
    share = wide[width] / sum(widths.values())
    return float(share**2 * (width - 1) ** 0.5) if share >= 0.1 else 0.0


def _is_prose(text: str) -> bool:
    lines = [line for line in text.splitlines()[:HEAD_ROWS] if line.strip()]
    longest = max((len(line) for line in lines), default=0)
    sentences = sum(bool(re.search(r"[a-z]{2}[.!?](?:\s|$)", line)) for line in lines)
    return longest > 120 or len(lines) == 1 or sentences > 0.3 * len(lines)
