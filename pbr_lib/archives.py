"""Zip packages with the same bytes every time; apart, because the Excel pack and the demo exports both need it.

A workbook is a zip whose entries carry the clock. Writing it again in sorted order, with one fixed stamp
and one fixed compression, makes equal content equal bytes on every machine.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

__all__ = ["rewrite", "stamped_core"]

_EPOCH = (1980, 1, 1, 0, 0, 0)
_CLOCK = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:(?:created|modified)>)")


def rewrite(package: bytes, edit: Callable[[str, bytes], bytes] | None = None) -> bytes:
    """The zip ``package`` again, sorted and without a clock; ``edit(name, content)`` may change a part."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist(), key=_order):
            content = source.read(name)
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 0
            target.writestr(info, edit(name, content) if edit else content, compresslevel=6)
    return out.getvalue()


def stamped_core(content: bytes, stamp: str) -> bytes:
    """``docProps/core.xml`` with ``stamp`` (``2026-09-04T00:00:00Z``) as its only time."""
    return _CLOCK.sub(rb"\g<1>" + stamp.encode("ascii") + rb"\g<2>", content)


def _order(name: str) -> tuple[bool, str]:
    # Readers that stream a package want the table of contents first.
    return (name != "[Content_Types].xml", name)
