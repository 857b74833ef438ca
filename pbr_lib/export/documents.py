"""An executed notebook as the list of parts that print; apart, because every exporter reads the same document.

Here the running order is fixed once: which cells speak, which are for the analyst only, which of several
mimetypes counts, and which notebooks are refused. Exporters lay parts out and decide nothing of that.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pbr_lib.blocks import MIMETYPE, VERSION
from pbr_lib.errors import RenderError

if TYPE_CHECKING:
    import mistune
    from bs4 import Tag

__all__ = ["Part", "cover", "in_server", "parts", "safe_url", "syntax_tree"]

_KINDS = ("cover", "cards", "table", "chart", "note", "group")
_PARAMETERS = frozenset({"parameters", "injected-parameters"})
_HIDDEN = _PARAMETERS | {"setup", "check", "remove_cell", "remove-cell"}
_NO_OUTPUT = _HIDDEN | {"remove_output", "remove-output"}
_BANNER = "papermill-error-cell-tag"
_RERUN = "mend the cell and run the notebook from top to bottom"
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SCHEMES = ("http", "https", "mailto")

PartKind = Literal["markdown", "block", "frame", "image", "text"]


@dataclass(frozen=True)
class Part:
    """One thing that prints.

    ``cell`` is the index of its cell in the notebook. ``data`` is by ``kind``: the source (``markdown``),
    the JSON (``block``), ``{"columns": [...], "rows": [[...]], "index": bool}`` of texts (``frame``; the
    index columns, if any, come first), ``{"alt": text}`` (``image``), or plain text (``text``).
    ``pictures`` maps a mimetype to its payload: SVG as text, PNG as base64 text.
    """

    kind: PartKind
    cell: int
    data: Any
    pictures: Mapping[str, Any] = field(default_factory=dict)


def parts(nb: Any) -> tuple[Part, ...]:
    """What an executed notebook prints, in cell order.

    Raises
    ------
    RenderError
        The notebook ended in an error, was never run, or holds a block of a layout that is not known here.
    """
    _refuse_errors(nb)
    _refuse_unrun(nb)
    return tuple(part for index, cell in enumerate(nb.cells) for part in _of_cell(index, cell))


def cover(found: Sequence[Part], title: str = "Notebook") -> dict[str, Any]:
    """The JSON of the first cover block, or a neutral one under ``title``."""
    for part in found:
        if part.kind == "block" and part.data["kind"] == "cover":
            return dict(part.data)
    neutral: dict[str, Any] = {"version": VERSION, "kind": "cover", "title": title, "kicker": "", "subtitle": ""}
    return neutral | {"score": None, "score_label": "", "status": None, "facts": [], "meta": {}}


def syntax_tree(markdown: str) -> list[dict[str, Any]]:
    """Markdown as mistune's syntax tree, with tables and strikethrough and ``&amp;`` read as the sign it names.

    Raw HTML stays a node of its own (``inline_html``, ``block_html``), for the exporters to leave out.
    """
    tree = _parser()(markdown)
    return [] if isinstance(tree, str) else [_resolved(node) for node in tree]


def in_server() -> bool:
    """Whether a Jupyter server is running in this process."""
    return "jupyter_server.serverapp" in sys.modules


def safe_url(url: str) -> str | None:
    """The address if it is http, https or mailto and so safe to click, else None."""
    address = str(url).strip()
    if _CONTROL.search(address) or any(sign.isspace() for sign in address):
        return None
    try:
        place = urlsplit(address)
    except ValueError:
        return None
    scheme = place.scheme.lower()
    if scheme not in _SCHEMES or not (place.path if scheme == "mailto" else place.netloc):
        return None
    return address


# ------------------------------------------------------------------------------------------- refusals


def _refuse_errors(nb: Any) -> None:
    for index, cell in enumerate(nb.cells):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                message = _clean(f"{output.get('ename', '')}: {output.get('evalue', '')}")
                raise RenderError(f"the notebook ended in an error: {message}", f"cell {index + 1}", _RERUN)
    for index, cell in enumerate(nb.cells):
        if _BANNER in _tags(cell):
            raise RenderError("the notebook ended in an error", f"cell {index + 1}", _RERUN)


def _refuse_unrun(nb: Any) -> None:
    code = [cell for cell in nb.cells if cell.cell_type == "code" and str(cell.source).strip()]
    if code and not any(cell.get("execution_count") is not None or cell.get("outputs") for cell in code):
        raise RenderError("the notebook has not been run", fix="run the notebook from top to bottom, then export it")


def _checked(block: Any, index: int) -> dict[str, Any]:
    where = f"cell {index + 1}"
    kind, version = (block.get("kind"), block.get("version")) if isinstance(block, dict) else (None, None)
    if version != VERSION:
        what = f"a block of kind {kind!r} has layout version {version!r}, and this exporter knows {VERSION}"
        raise RenderError(what, where, "run the notebook again with the installed version of the package")
    if kind not in _KINDS:
        raise RenderError(f"a block of kind {kind!r} is not known", where, f"known kinds: {', '.join(_KINDS)}")
    return dict(block)


# ------------------------------------------------------------------------------------------ selection


def _tags(cell: Any) -> frozenset[str]:
    return frozenset(cell.get("metadata", {}).get("tags", ()))


def _of_cell(index: int, cell: Any) -> Iterator[Part]:
    tags = _tags(cell)
    if cell.cell_type == "markdown" and not tags & _HIDDEN and str(cell.source).strip():
        yield Part("markdown", index, str(cell.source))
    if cell.cell_type == "code" and not tags & _NO_OUTPUT:
        for output in cell.get("outputs", ()):
            yield from _of_output(index, output)


def _of_output(index: int, output: Any) -> Iterator[Part]:
    if output.output_type == "stream":
        if output.get("name") != "stderr":
            yield from _of_text(index, _joined(output.get("text", "")))
    elif output.output_type in ("display_data", "execute_result"):
        yield from _of_bundle(index, output.get("data", {}), output.get("metadata", {}))


def _of_bundle(index: int, data: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[Part]:
    pictures = _pictures(data)
    if MIMETYPE in data:
        block = _checked(data[MIMETYPE], index)
        members = block["blocks"] if block["kind"] == "group" else [block]
        yield from (Part("block", index, _checked(member, index), pictures) for member in members)
    elif "text/markdown" in data:
        markdown = _joined(data["text/markdown"])
        if markdown.strip():
            yield Part("markdown", index, markdown)
    elif frames := _frames(_joined(data.get("text/html", ""))):
        yield from (Part("frame", index, frame) for frame in frames)
    elif pictures:
        yield Part("image", index, {"alt": _alt(metadata)}, pictures)
    elif "text/latex" in data:
        yield from _of_text(index, _joined(data["text/latex"]))
    elif "text/html" in data:
        yield from _of_text(index, _html_text(_joined(data["text/html"])))
    elif "text/plain" in data:
        yield from _of_text(index, _joined(data["text/plain"]))


def _of_text(index: int, text: str) -> Iterator[Part]:
    clean = _clean(text).strip("\n")
    if clean.strip():
        yield Part("text", index, clean)


def _pictures(data: Mapping[str, Any]) -> dict[str, str]:
    pictures = {}
    if "image/svg+xml" in data:
        pictures["image/svg+xml"] = _joined(data["image/svg+xml"])
    if "image/png" in data:
        # Base64 may come in lines.
        pictures["image/png"] = "".join(_joined(data["image/png"]).split())
    return pictures


def _alt(metadata: Mapping[str, Any]) -> str:
    places = (metadata, metadata.get("image/svg+xml"), metadata.get("image/png"))
    found = (place.get("alt") for place in places if isinstance(place, Mapping))
    return next((_clean(alt) for alt in found if isinstance(alt, str) and alt.strip()), "")


# ----------------------------------------------------------------------------------------------- text


def _joined(payload: Any) -> str:
    # A file holds long texts as lists of lines.
    return "".join(map(str, payload)) if isinstance(payload, list | tuple) else str(payload)


def _clean(text: str) -> str:
    plain = _ANSI.sub("", text).replace("\r\n", "\n")
    # A progress bar writes over its own line; the last state is what a terminal shows.
    lines = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in plain.split("\n"))
    return _CONTROL.sub("", "\n".join(lines))


def _html_text(source: str) -> str:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(source, "lxml")
    for hidden in soup(["script", "style", "template", "head"]):
        hidden.decompose()
    for ends in soup(["br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "pre", "td", "th", "tr"]):
        ends.append("\n")
    lines = (" ".join(line.split()) for line in soup.get_text().split("\n"))
    return "\n".join(line for line in lines if line)


def _resolved(node: Mapping[str, Any]) -> dict[str, Any]:
    from mistune.util import unescape

    resolved = dict(node)
    if "children" in resolved:
        resolved["children"] = [_resolved(child) for child in resolved["children"]]
    elif resolved["type"] == "text":
        resolved["raw"] = unescape(resolved["raw"])
    return resolved


@lru_cache(maxsize=1)
def _parser() -> mistune.Markdown:
    import mistune

    return mistune.create_markdown(renderer="ast", plugins=["table", "strikethrough"])


# --------------------------------------------------------------------------------------------- frames


def _frames(source: str) -> list[dict[str, Any]]:
    """Each outermost table of an HTML output; plain outputs of pandas, polars and the like come that way."""
    if "<table" not in source.lower():
        return []
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(source, "lxml")
    return [_frame(table) for table in soup.find_all("table") if table.find_parent("table") is None]


def _frame(table: Tag) -> dict[str, Any]:
    lines = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    grid, heads = _grid(lines)
    top = next((i for i, line in enumerate(lines) if not _is_head(line)), len(lines))
    width = max((len(row) for row in grid), default=0)
    columns = _labels(grid[:top], width)
    rows = [row + [""] * (width - len(row)) for row in grid[top:]]
    index = any(head and head[0] for head in heads[top:])
    if (index and _is_counter(columns, rows, heads[top:])) or (not rows and columns[:1] == [""]):
        return {"columns": columns[1:], "rows": [row[1:] for row in rows], "index": False}
    return {"columns": columns, "rows": rows, "index": index}


def _is_head(line: Tag) -> bool:
    if line.find_parent("thead") is not None:
        return True
    return line.find("td") is None and line.find_parent("tbody") is None


def _grid(lines: list[Tag]) -> tuple[list[list[str]], list[list[bool]]]:
    """The texts of all cells with spans spread out, and beside each whether it is a head cell."""
    grid: list[list[tuple[str, bool]]] = []
    above: dict[int, tuple[int, tuple[str, bool]]] = {}
    for line in lines:
        cells = iter(line.find_all(["td", "th"], recursive=False))
        row: list[tuple[str, bool]] = []
        while True:
            if len(row) in above:
                left, shown = above.pop(len(row))
                if left > 1:
                    above[len(row)] = (left - 1, shown)
                row.append(shown)
                continue
            cell = next(cells, None)
            if cell is None:
                break
            shown = (_clean(" ".join(cell.get_text(" ").split())), cell.name == "th")
            for _ in range(_span(cell, "colspan")):
                if (down := _span(cell, "rowspan")) > 1:
                    above[len(row)] = (down - 1, shown)
                row.append(shown)
        grid.append(row)
    return [[text for text, _ in row] for row in grid], [[head for _, head in row] for row in grid]


def _span(cell: Tag, name: str) -> int:
    written = str(cell.get(name) or "1")
    # An absurd span in an analyst's HTML must not fill the memory.
    return min(max(int(written), 1), 1000) if written.isdecimal() else 1


def _labels(head: list[list[str]], width: int) -> list[str]:
    columns = []
    for place in range(width):
        levels: list[str] = []
        for row in head:
            text = row[place] if place < len(row) else ""
            if text and text not in levels[-1:]:
                levels.append(text)
        columns.append(" / ".join(levels))
    return columns


def _is_counter(columns: list[str], rows: list[list[str]], heads: list[list[bool]]) -> bool:
    """Whether the only index is the unnamed 0, 1, 2, ... that pandas adds by itself and nobody reads."""
    alone = all(sum(head) == 1 for head in heads)
    return alone and not columns[0] and [row[0] for row in rows] == [str(i) for i in range(len(rows))]
