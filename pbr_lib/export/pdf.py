"""An executed notebook as a tagged PDF, through Typst; apart, because nothing else knows how a page is set.

The template ``pack.typ`` is fixed and reads data only: whatever a CRM holds reaches it as a JSON string and is
never parsed as markup. The same notebook gives the same bytes on every machine that has the same fonts.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbconvert.exporters import Exporter
from traitlets import default

from pbr_lib.errors import RenderError
from pbr_lib.export import fonts
from pbr_lib.export.documents import in_server, parts
from pbr_lib.export.pages import Pack, arranged

if TYPE_CHECKING:
    import typst

__all__ = ["CommandLinePdfExporter", "PdfExporter"]

_STANDARDS: list[Any] = ["ua-1", "a-2a"]
_TEMPLATE = Path(__file__).with_name("pack.typ")


class PdfExporter(Exporter):
    """Executed notebook in, PDF pack out; ``resources["pbr"]["findings"]`` lists what a reader should know."""

    export_from_notebook = "PDF pack"
    output_mimetype = "application/pdf"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".pdf"

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[bytes, Any]:
        """The PDF and the resources.

        Raises
        ------
        RenderError
            The notebook ended in an error, or something in it cannot be laid out.
        """
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        pack = arranged(parts(nb), str(nb.metadata.get("title", "")))
        document = _compiled(pack)
        for finding in pack.findings:
            self.log.warning(finding)
        resources.setdefault("pbr", {}).setdefault("findings", []).extend(pack.findings)
        return document, resources


class CommandLinePdfExporter(PdfExporter):
    """The same under a name with a hyphen, ``pbr-pdf``; off inside a server, whose addresses cannot hold one."""

    @default("enabled")
    def _enabled_default(self) -> bool:
        return not in_server()


def _compiled(pack: Pack) -> bytes:
    import typst

    noon = dt.datetime.combine(dt.date(*pack.tree["date"]), dt.time(12), dt.UTC)
    try:
        return _typeset(pack.tree, pack.files, standards=_STANDARDS, timestamp=int(noon.timestamp()))
    except typst.TypstError as error:
        # Typst's own exception names the template's lines, which help nobody who wrote a notebook.
        raise _refusal(pack, error) from None


def _refusal(pack: Pack, error: typst.TypstError) -> RenderError:
    hints = "; ".join(error.hints) or "take the output of that cell out, or simplify it, and export again"
    cell = next((node["cell"] for node in pack.tree["body"] if not _stands_alone(pack, node)), None)
    where = "" if cell is None else f"cell {cell + 1}"
    return RenderError(f"the page could not be laid out: {error.message}", where, hints)


def _stands_alone(pack: Pack, node: dict[str, Any]) -> bool:
    import typst

    try:
        # Not PDF/UA: a single node need not begin with a heading of the first level.
        _typeset(pack.tree | {"body": [node], "cover": None}, pack.files, standards=_STANDARDS[1:])
    except typst.TypstError:
        return False
    return True


def _typeset(tree: dict[str, Any], pictures: dict[str, bytes], *, standards: list[Any], timestamp: int = 0) -> bytes:
    import typst

    data = json.dumps(tree, ensure_ascii=False).encode("utf-8")
    # The stubs do not know that the input may be files in memory, by name.
    files: Any = {"main.typ": _template(), "pack.json": data, **pictures}
    # Without a root of its own Typst looks for what an SVG links to in the working directory.
    with tempfile.TemporaryDirectory(prefix="pbr-pdf-") as nothing:
        pdf = typst.compile(files, root=nothing, font_paths=_typefaces(), pdf_standards=standards, timestamp=timestamp)
    return bytes(pdf)


@lru_cache(maxsize=1)
def _template() -> bytes:
    return _TEMPLATE.read_bytes()


@lru_cache(maxsize=1)
def _typefaces() -> typst.Fonts:
    import typst

    with fonts.gathered() as folders:
        found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
        # Typst opens a font file when a letter first asks for it, and the folder is gone by then: ask now.
        typst.compile(_specimen(found), font_paths=found)
    return found


def _specimen(found: typst.Fonts) -> bytes:
    lines = ["#set text(fallback: false)"]
    for font in found.fonts():
        name = json.dumps(font.family)
        lines.append(f'#text(font: {name}, weight: {font.weight}, style: "{font.style}")[a]')
    return "\n".join(lines).encode("utf-8")
