"""A picture from a notebook as a file that Typst takes; apart, because its bytes come from anybody's code.

SVG stays SVG with text as text; PNG becomes a list of numbers, because files in memory must be UTF-8, and a folder
on disk would be one more thing that a hostile picture could look into.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pbr_lib.errors import RenderError
from pbr_lib.export import fonts

__all__ = ["Picture", "opened"]

_PIXELS_PER_INCH = 144
_FALLBACK = 360.0
_ROOT = re.compile(r"<svg\b[^>]*>", re.S)
_TEXT = re.compile(r">([^<]+)<")
_BOX = re.compile(r'\sviewBox\s*=\s*["\']\s*([^"\']*)["\']')
_LINK = re.compile(r"<(?:\w+:)?(?:image|feImage)\b[^>]*?\bhref\s*=\s*[\"'](?!\s*(?:#|data:))([^\"']*)", re.S)
_LENGTH = re.compile(r"\s*([\d.]+)\s*(pt|px|in|mm|cm|)\s*")
_POINTS = {"pt": 1.0, "px": 0.75, "": 0.75, "in": 72.0, "mm": 72 / 25.4, "cm": 72 / 2.54}


@dataclass(frozen=True)
class Picture:
    """A file with its natural size in points, and the text that is drawn in it."""

    suffix: str
    content: bytes
    width: float
    height: float
    text: str = ""

    def fitted(self, width: float, height: float) -> float:
        """How wide it prints inside ``width`` by ``height``; never wider than it is."""
        return round(self.width * min(1.0, width / self.width, height / self.height), 2)


def opened(pictures: Mapping[str, Any], where: str) -> Picture:
    """The best of the pictures that an output carries.

    Raises
    ------
    RenderError
        There is none, or it is not what its mimetype says; ``where`` names the cell.
    """
    if "image/svg+xml" in pictures:
        return _svg(str(pictures["image/svg+xml"]), where)
    if "image/png" in pictures:
        return _png(str(pictures["image/png"]), where)
    raise RenderError("a chart has no picture", where, "run the notebook again from top to bottom")


def _svg(source: str, where: str) -> Picture:
    if "<!ENTITY" in source:
        raise RenderError("an SVG picture declares entities", where, "draw it without them")
    if link := _LINK.search(source):
        raise RenderError(f"an SVG picture links to {link.group(1)[:80]!r}", where, "embed what it links to")
    text = html.unescape(" ".join(_TEXT.findall(source)))
    source = fonts.printable(source)
    root = _ROOT.search(source)
    if root is None:
        raise RenderError("a picture says it is SVG and is not", where, "run the cell again")
    return Picture("svg", source.encode("utf-8"), *_svg_size(root.group()), text)


def _png(payload: str, where: str) -> Picture:
    try:
        content = base64.b64decode(payload, validate=True)
    except ValueError:
        content = b""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or len(content) < 33:
        raise RenderError("a picture says it is PNG and is not", where, "run the cell again")
    wide, high = (max(int.from_bytes(content[i : i + 4], "big"), 1) for i in (16, 20))
    scale = 72 / _PIXELS_PER_INCH
    return Picture("json", json.dumps(list(content)).encode("ascii"), wide * scale, high * scale)


def _svg_size(root: str) -> tuple[float, float]:
    sizes = [_length(root, "width"), _length(root, "height")]
    box = _BOX.search(root)
    numbers = re.findall(r"-?[\d.]+", box.group(1)) if box else []
    if not all(sizes) and len(numbers) == 4:
        sizes = [float(number) * _POINTS["px"] for number in numbers[2:]]
    return (sizes[0] or _FALLBACK, sizes[1] or _FALLBACK)


def _length(root: str, name: str) -> float:
    given = re.search(rf'\s{name}\s*=\s*["\']([^"\']*)["\']', root)
    match = _LENGTH.fullmatch(given.group(1)) if given else None
    return float(match.group(1)) * _POINTS[match.group(2)] if match else 0.0
