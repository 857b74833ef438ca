"""How the bytes of a text file become letters; apart, because a wrong guess spoils names in silence.

A byte-order mark decides; else the text is UTF-8 if every byte of the file fits; else it has zero bytes as UTF-16
has them; else it is Chinese, Japanese or Korean if that fits throughout and clearly better; else it is
Windows-1252. Statistics over letters decide nothing, since they are wrong on real exports.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from typing import IO

from pbr_lib.reading.gate import Origin

__all__ = ["Encoding", "Utf8Stream", "guessed", "told"]

# Windows-1252 leaves five bytes without a letter; browsers, and so we, take them as Latin-1 does.
_WINDOWS = "".join(
    bytes([n]).decode("cp1252") if n not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(n) for n in range(256)
)
_EAST_ASIAN = {"cp932": "Shift-JIS", "gb18030": "GB18030", "cp949": "EUC-KR", "big5": "Big5"}
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le", "UTF-32"),
    (b"\x00\x00\xfe\xff", "utf-32-be", "UTF-32"),
    (b"\xef\xbb\xbf", "utf-8", "UTF-8 with BOM"),
    (b"\xff\xfe", "utf-16-le", "UTF-16"),
    (b"\xfe\xff", "utf-16-be", "UTF-16"),
)
_LETTERS = re.compile("[\u3001-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff01-\uff9f]")
_RUNS = re.compile("[\u3001-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff01-\uff9f]{2,}")


class Encoding:
    """An encoding: its ``codec``, the ``name`` that people know, and whether it was ``guessed``."""

    def __init__(self, codec: str, name: str, guessed: bool = False) -> None:
        self.codec, self.name, self.guessed = codec, name, guessed

    def __repr__(self) -> str:
        return f"Encoding({self.name!r})"

    def decoder(self) -> Callable[[bytes, bool], str]:
        """A function that decodes the next bytes; its second argument says that they are the last.

        It raises UnicodeError where bytes are no text of this encoding.
        """
        if self.codec == "windows-1252":
            return lambda data, final: codecs.charmap_decode(data, "strict", _WINDOWS)[0]
        made = codecs.getincrementaldecoder(self.codec)("strict")
        return lambda data, final: made.decode(data, final)


class Utf8Stream(io.RawIOBase):
    """A text file as a stream of UTF-8 bytes without its mark, whatever its encoding.

    ``skip`` bytes of UTF-8 are left out at the start. A byte that is no text raises UnicodeError; of a file that is
    UTF-8 already only where it is ``checked``.
    """

    _CHUNK = 1 << 23

    def __init__(self, source: IO[bytes], encoding: Encoding, skip: int = 0, checked: bool = True) -> None:
        super().__init__()
        self._source, self._encoding, self._skip = source, encoding, skip
        self._decode = encoding.decoder()
        self._plain, self._checked = encoding.codec == "utf-8", checked
        self._first, self._ended, self._rest = True, False, b""

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, as many as are there at once but at most ``size``; empty at the end."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(self._CHUNK), b""))
        while not self._rest and not self._ended:
            self._rest = self._next(size)
        out, self._rest = self._rest[:size], self._rest[size:]
        return out

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with the next bytes; returns how many."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file too."""
        self._source.close()
        super().close()

    def _next(self, size: int) -> bytes:
        data = self._source.read(max(min(size, self._CHUNK), 4096))
        self._ended = not data
        if self._plain:
            if self._checked:
                self._decode(data, self._ended)
        else:
            data = self._decode(data, self._ended).encode("utf-8")
        if self._first and data:
            self._first = False
            data = data.removeprefix(b"\xef\xbb\xbf")
        if self._skip:
            cut = min(self._skip, len(data))
            self._skip -= cut
            data = data[cut:]
        return data


def told(origin: Origin, name: str, head: bytes) -> Encoding:
    """The encoding that a mapping names.

    Raises
    ------
    SourceError
        When there is no such encoding, or the file is not in it as far as its first bytes tell.
    """
    fix = "correct encoding: in the mapping, or remove it to have it found out"
    try:
        info = codecs.lookup(name)
        plain = bool(info._is_text_encoding)
    except (LookupError, ValueError):
        plain = False
    if not plain or info.name in (
        "undefined",
        "idna",
        "punycode",
        "mbcs",
        "oem",
        "unicode_escape",
        "raw_unicode_escape",
    ):
        raise origin.fault(f'no encoding is called "{name}"', "write utf-8, windows-1252, utf-16 or shift_jis")
    codec = "utf-8" if info.name == "utf-8-sig" else info.name
    wide = codec.startswith(("utf-16", "utf-32"))
    if wide and b"\x00" not in head:
        raise origin.fault(f"this file is not {name}", fix)
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(head, False)
    except UnicodeError as error:
        raise origin.fault(f"this file is not {name}: {_detail(error)}", fix) from None
    return Encoding(codec, name)


def _detail(error: UnicodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1} is 0x{error.object[error.start]:02x}"
    return str(error)


def guessed(head: bytes, ended: bool) -> list[Encoding]:
    """The encodings to try, most likely first: the first in which the whole file can be read is its own.

    Parameters
    ----------
    head:
        The first bytes of the file.
    ended:
        Whether they are all of it.
    """
    for mark, codec, name in _MARKS:
        if head.startswith(mark):
            return [Encoding(codec, name)]
    wide = _wide(head)
    if wide:
        return [Encoding(wide, "UTF-16 without BOM", True), Encoding("utf-8", "UTF-8")]
    return [Encoding("utf-8", "UTF-8"), *_east_asian(head, ended), Encoding("windows-1252", "Windows-1252", True)]


def _wide(head: bytes) -> str:
    """UTF-16 shows by its zero bytes: nearly every other one, on one side only."""
    piece = head[:65_536]
    even, odd = piece[::2].count(0), piece[1::2].count(0)
    half = max(len(piece) // 2, 1)
    if odd > 0.3 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.3 * half and odd < 0.05 * half:
        return "utf-16-be"
    return ""


def _east_asian(head: bytes, ended: bool) -> list[Encoding]:
    """Encodings of two bytes a letter that fit every byte looked at, and in which the letters stand in words.

    A western text read so has single signs between Latin letters instead.
    """
    cut = len(head) if ended else head.rfind(b"\n") + 1
    lines = [line for line in head[:cut].splitlines(keepends=True) if not line.isascii()]
    sample = b"".join(lines)[:65_536]
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    fitting = [codec for codec in _EAST_ASIAN if sample and _reads_well(sample, codec)]
    if len(fitting) > 1:
        from charset_normalizer import from_bytes

        best = from_bytes(sample, cp_isolation=fitting).best()
        fitting = [best.encoding] if best is not None and best.encoding in fitting else fitting[:1]
    return [Encoding(codec, _EAST_ASIAN[codec], True) for codec in fitting]


def _reads_well(sample: bytes, codec: str) -> bool:
    try:
        text = sample.decode(codec)
    except UnicodeError:
        return False
    foreign = [sign for sign in text if ord(sign) > 127]
    in_words = sum(len(run) for run in _RUNS.findall(text))
    return in_words >= 6 and in_words >= 0.85 * len(foreign) and len(_LETTERS.findall(text)) >= 0.9 * len(foreign)
