"""The fonts of the page, and which characters none of them holds; apart, because layout measures with them too.

Source Sans Pro sets the text, a Chinese, Japanese and Korean font joins where the extra package is installed,
DejaVu Sans lends rare signs and scripts, and Last Resort draws a labelled box for whatever is left, so that
no name of a customer can fail a pack.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["MONO", "families", "gathered", "measure", "missing", "paths", "printable"]

MONO = "DejaVu Sans Mono"
_TEXT = "Source Sans Pro"
_CJK = "Noto Sans CJK TC"
_WIDE = "DejaVu Sans"
_LAST = "Last Resort High-Efficiency"
_STYLES = ("Light", "LightIt", "Regular", "It", "Semibold", "SemiboldIt", "Bold", "BoldIt")
_SPARE = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSans-BoldOblique.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSansMono-Bold.ttf",
    "LastResortHE-Regular.ttf",
)
_HEAVIER = 1.04
_UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Zs")
# Control characters end an XML or PDF text; the direction overrides let a name show as what it is not.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ufeff\ud800-\udfff]")
# What a private character means is between its sender and a font; PDF/A refuses them.
_PRIVATE = re.compile("[\ue000-\uf8ff\ufffe\uffff\U000f0000-\U0010ffff]")


def paths() -> tuple[Path, ...]:
    """The font files in use, in the order of :func:`families`."""
    return (*_text_files(), *_cjk_files(), *_spare_files())


def families() -> tuple[str, ...]:
    """Font families, first choice first; the last one has a box for every character."""
    return (_TEXT, _CJK, _WIDE, _LAST) if _cjk_files() else (_TEXT, _WIDE, _LAST)


@contextmanager
def gathered() -> Iterator[list[str]]:
    """Folders that hold exactly the files of :func:`paths`; the first of them goes away with the context."""
    # The packages hold each style twice, as TrueType and as OpenType, and which one a folder scan finds
    # last depends on the file system: then the same notebook would give other bytes on another machine.
    with tempfile.TemporaryDirectory(prefix="pbr-fonts-") as folder:
        for file in (*_text_files(), *_spare_files()):
            shutil.copyfile(file, Path(folder) / file.name)
        yield [folder, *(str(file.parent) for file in _cjk_files())]


def missing(text: str) -> frozenset[str]:
    """The characters of ``text`` that only Last Resort can show, as a labelled box."""
    odd = {c for c in set(_UNPRINTABLE.sub("", text)) - _common() if not _is_unseen(c)}
    private = {c for c in odd if _PRIVATE.match(c)}
    for file in (*_cjk_files(), *_spare_files()[:1]):
        if odd:
            odd -= {c for c in odd if ord(c) in _letters(file)}
    return frozenset(odd | private)


def printable(text: str) -> str:
    """``text`` with one kind of line end, without control characters, and with U+FFFD for private ones."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return _PRIVATE.sub("\ufffd", _UNPRINTABLE.sub("", plain))


def measure(text: str, size: float = 1.0, heavy: bool = False) -> float:
    """About how wide ``text`` sets, in the unit of ``size``."""
    known = _advances()
    width = sum(known[c] if c in known else _guess(c) for c in text)
    return width * size * (_HEAVIER if heavy else 1.0)


@lru_cache(maxsize=1)
def _text_files() -> tuple[Path, ...]:
    folder = _package("font_source_sans_pro") / "files"
    # The OpenType files are smaller, and so is a PDF with outlines from them.
    return tuple(folder / f"SourceSansPro-{style}.otf" for style in _STYLES)


@lru_cache(maxsize=1)
def _cjk_files() -> tuple[Path, ...]:
    if find_spec("cvttf_NotoSansCJK_Regular") is None:
        return ()
    file = _package("cvttf_NotoSansCJK_Regular") / "NotoSansCJKtc-Regular.otf"
    return (file,) if file.is_file() else ()


@lru_cache(maxsize=1)
def _spare_files() -> tuple[Path, ...]:
    folder = _package("matplotlib") / "mpl-data" / "fonts" / "ttf"
    return tuple(folder / name for name in _SPARE)


def _package(name: str) -> Path:
    # Looked up and not imported: matplotlib takes a while, and only its files are wanted.
    spec = find_spec(name)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise ModuleNotFoundError(f"the package {name} is not installed", name=name)
    return Path(next(iter(places)))


@lru_cache(maxsize=8)
def _letters(file: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(file, lazy=True) as font:
        return frozenset(font.getBestCmap())


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(c for c in map(chr, _letters(_text_files()[2])) if not _PRIVATE.match(c))


@lru_cache(maxsize=1)
def _advances() -> dict[str, float]:
    from fontTools.ttLib import TTFont

    with TTFont(_text_files()[2], lazy=True) as font:
        scale = font["head"].unitsPerEm
        widths = font["hmtx"]
        return {chr(code): widths[name][0] / scale for code, name in font.getBestCmap().items()}


def _guess(sign: str) -> float:
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Cc", "Cf", "Mn", "Me"):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(sign) in "WF" else 0.64


def _is_unseen(sign: str) -> bool:
    # Spaces, marks of direction and variation selectors draw nothing, so no font need hold them.
    selector = "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"
    return selector or unicodedata.category(sign) in _UNSEEN
