"""The parts of a notebook as the tree that the PDF template walks; apart, because it is plain Python without Typst.

Everything that needs arithmetic happens here and is only drawn there: heading levels, column widths, where a very
long word may break, how large a figure stands on its card. The tree holds plain JSON values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pbr_lib.export import fonts
from pbr_lib.export.columns import TEXT_WIDTH, Field, breakable, parted
from pbr_lib.export.documents import Part, cover, safe_url, syntax_tree
from pbr_lib.export.heads import framed, stated
from pbr_lib.export.pictures import opened

__all__ = ["Pack", "arranged"]

Node = dict[str, Any]

_HALF = 243.0
_PAGE_HEIGHT = 600.0
_FRAME_ROWS = 40
_MOST_ROWS = 500
_TEXT_LINES = 60
_TOGETHER = 8
_NUMBER = re.compile(r"[-+−(]?[^\w\s]?\s?\d[\d,.'\s]*(?:[eE][-+]?\d+)?\s?[%)]?")
_NOTHING = ("", "nan", "NaN", "None", "NaT", "<NA>", "–", "-")


@dataclass(frozen=True)
class Pack:
    """What the template gets: its data, the pictures as files, and what a reader should know."""

    tree: Node
    files: dict[str, bytes]
    findings: tuple[str, ...]


def arranged(found: Sequence[Part], title: str = "") -> Pack:
    """The pack of these parts; ``title`` names a document that has no cover and no heading."""
    head = next((part for part in found if part.kind == "block" and part.data["kind"] == "cover"), None)
    front = cover(found) if head else None
    desk = _Desk(level=1 if head else 0)
    body = _paired(list(desk.nodes(found)))
    frame = framed(front, title or _first_heading(body) or "Notebook")
    tree = frame | {"body": body}
    shown = [(head.cell, head.data)] if head else []
    shown += [(node["cell"], node) for node in body]
    odd = [finding for cell, value in (*shown, *desk.drawn) for finding in _odd(value, cell)]
    return Pack(_clean(tree), desk.files, tuple(dict.fromkeys((*odd, *desk.findings))))


def _first_heading(body: Sequence[Node]) -> str:
    return next((_plain(node["body"]) for node in body if node["kind"] == "heading"), "")


# ---------------------------------------------------------------------------------------------- parts


@dataclass
class _Desk:
    """Where parts become nodes; remembers the heading level, the pictures so far and what was odd."""

    level: int
    files: dict[str, bytes] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    drawn: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.top = self.level + 1
        self.section = self.level
        self.cell = 0

    def nodes(self, found: Sequence[Part]) -> Iterator[Node]:
        """The nodes of all parts, each with the index of its cell."""
        for part in found:
            self.cell = part.cell
            for node in self._of(part):
                yield node | {"cell": part.cell}

    def _of(self, part: Part) -> Iterator[Node]:
        if part.kind == "markdown":
            yield from self._prose(syntax_tree(part.data))
        elif part.kind == "frame":
            yield _frame_node(part.data)
        elif part.kind == "image":
            yield self._image(part)
        elif part.kind == "text":
            yield _text_node(part.data.split("\n"), "text")
        elif part.data["kind"] == "cards":
            yield self._cards(part.data)
        elif part.data["kind"] == "table":
            yield self._table(part.data)
        elif part.data["kind"] == "chart":
            yield self._chart(part)
        elif part.data["kind"] == "note":
            yield from self._note(part.data)

    def _heading(self, level: int, body: list[Any]) -> Node:
        # A reader of a tagged PDF climbs levels one at a time; a first heading is the document's.
        self.section = self.level = min(max(level, self.top), self.level + 1)
        self.top = max(self.top, 1)
        return {"kind": "heading", "level": self.level, "rank": min(max(level, 1), 4), "body": body}

    def _titled(self, title: str) -> Node:
        if not title:
            return {"title": "", "level": 0}
        self.level = min(self.section + 1, self.level + 1)
        return {"title": breakable(title, TEXT_WIDTH, 10.5), "level": self.level}

    # ------------------------------------------------------------------------------------- blocks

    def _cards(self, block: Mapping[str, Any]) -> Node:
        cards = block["cards"]
        across = {5: 3, 6: 3}.get(len(cards), min(max(len(cards), 2), 4))
        room = (TEXT_WIDTH - 9 * (across - 1)) / across - 23
        rows = [cards[i : i + across] for i in range(0, len(cards), across)]
        return {
            "kind": "cards",
            "across": across,
            "rows": [_card_row(row, room) for row in rows],
            **self._titled(block["title"]),
        }

    def _note(self, block: Mapping[str, Any]) -> Iterator[Node]:
        if block["markdown"]:
            if block["title"]:
                yield self._heading(3, [block["title"]])
            yield {"kind": "remark", "body": list(self._prose(syntax_tree(block["markdown"])))}
        elif block["items"]:
            items = [[_run(run) for run in item] for item in block["items"]]
            yield {"kind": "note", "items": items, **self._titled(block["title"])}

    def _table(self, block: Mapping[str, Any]) -> Node:
        keep = [i for i, column in enumerate(block["columns"]) if not column["sheet_only"]]
        columns = [block["columns"][i] for i in keep]
        shown = block["rows"][: min(block["print_rows"], _MOST_ROWS)]
        goals = block["role"] == "goals"
        strong = _strong(columns, goals)
        # A state in words says already that a goal cannot be measured; once more in its actual is enough.
        terse = goals and any(column["kind"] == "status" for column in columns)
        fields = [
            Field(
                c["label"],
                c["kind"],
                [_cell(row[i], terse and c["key"] != "actual") for row in shown],
                c["width"],
                n in strong,
            )
            for n, (i, c) in enumerate(zip(keep, columns, strict=True))
        ]
        more = len(block["rows"]) - len(shown)
        notes = [f"and {more:,} more in the workbook"] if more else []
        notes += [block["caption"]] if block["caption"] else []
        size = 9.2 if goals else 8.8 if block["role"] == "records" else 9.2
        node = {"kind": "table", **self._titled(block["title"]), "empty": block["empty"], "notes": notes}
        return node | _parts(fields, len(shown), size)

    def _chart(self, part: Part) -> Node:
        block = part.data
        notes = [block["caption"]] if block["caption"] else []
        most = _HALF if block["width"] == "half" else TEXT_WIDTH
        picture = self._picture(part.pictures, most, block["alt"] or block["title"] or "Chart")
        kind = {"kind": "chart", "half": block["width"] == "half", "notes": notes}
        return kind | self._titled(block["title"]) | picture

    def _image(self, part: Part) -> Node:
        alt = part.data["alt"]
        if not alt:
            alt = f"Picture without description from cell {part.cell + 1}"
            self.findings.append(
                f"a picture has no description for people who cannot see it (cell {part.cell + 1}); "
                "show it as a chart block, or set the output's metadata alt"
            )
        return {"kind": "picture"} | self._picture(part.pictures, TEXT_WIDTH, alt)

    def _picture(self, pictures: Mapping[str, Any], most: float, alt: str) -> Node:
        picture = opened(pictures, f"cell {self.cell + 1}")
        name = f"{len(self.files)}.{picture.suffix}"
        self.files[name] = picture.content
        self.drawn.append((self.cell, picture.text))
        return {"file": name, "width": picture.fitted(most, _PAGE_HEIGHT), "alt": alt}

    # -------------------------------------------------------------------------------------- prose

    def _prose(self, tree: Sequence[Mapping[str, Any]]) -> Iterator[Node]:
        for token in tree:
            node = self._block(token)
            if node is not None:
                yield node

    def _block(self, token: Mapping[str, Any]) -> Node | None:
        kind = token["type"]
        if kind == "heading":
            return self._heading(token["attrs"]["level"], _inline(token["children"]))
        if kind in ("paragraph", "block_text"):
            return self._paragraph(token["children"])
        if kind == "list":
            return self._list(token)
        if kind == "block_quote":
            return {"kind": "quote", "body": list(self._prose(token["children"]))}
        if kind in ("block_code", "block_html"):
            lines = str(token["raw"]).rstrip("\n").split("\n")
            if kind == "block_html":
                return {"kind": "par", "body": _broken(lines)}
            return _text_node(lines, "code")
        if kind == "table":
            return _markdown_table(token)
        return {"kind": "rule"} if kind == "thematic_break" else None

    def _paragraph(self, children: Sequence[Mapping[str, Any]]) -> Node:
        if len(children) == 1 and children[0]["type"] == "image":
            mime, _, payload = str(children[0]["attrs"]["url"]).partition(";base64,")
            if mime == "data:image/png" and payload:
                alt = _plain(_inline(children[0].get("children", []))) or "Picture without description"
                return {"kind": "picture"} | self._picture({"image/png": payload}, TEXT_WIDTH, alt)
        return {"kind": "par", "body": _inline(children)}

    def _list(self, token: Mapping[str, Any]) -> Node:
        items = [list(self._prose(item["children"])) for item in token["children"]]
        attrs = token["attrs"]
        start = attrs.get("start") or 1
        return {
            "kind": "list",
            "ordered": bool(attrs.get("ordered")),
            "start": start,
            "tight": bool(token.get("tight", True)),
            "items": items,
        }


# ---------------------------------------------------------------------------------------------- tables


def _parts(fields: Sequence[Field], rows: int, size: float) -> Node:
    if not rows or not fields:
        return {"parts": [], "size": size, "keep": True}
    set_size, groups, height = parted(fields, size)
    together = rows <= _TOGETHER and height < _PAGE_HEIGHT * 0.6
    return {"parts": groups, "size": set_size, "keep": together}


def _cell(cell: Any, terse: bool = False) -> Any:
    """A cell of a block: text, or what the template draws; ``terse`` writes a dash for what is not known."""
    if cell is None or (terse and isinstance(cell, dict) and cell.get("value", "") is None):
        return {"k": "quiet", "text": "–"}
    if isinstance(cell, str):
        return cell
    if "status" in cell:
        return stated(cell)
    if "bar" in cell:
        return {"k": "bar", "share": cell["bar"], "mark": cell["mark"], "tone": cell["tone"]}
    if "value" in cell and cell["value"] is None:
        return {"k": "quiet", "text": cell["text"]}
    return cell["text"]


def _strong(columns: Sequence[Mapping[str, Any]], goals: bool) -> set[int]:
    # In a table of goals the eye looks for the goal's name and how much of it is attained.
    if not goals:
        return set()
    return {0} | {i for i, column in enumerate(columns) if column["key"] in ("attained", "attainment")}


def _frame_node(frame: Mapping[str, Any]) -> Node:
    shown = frame["rows"][:_FRAME_ROWS]
    fields = []
    for i, label in enumerate(frame["columns"]):
        cells = [str(row[i]) for row in shown]
        fields.append(
            Field(str(label), "amount" if _numeric(cells) else "text", cells, strong=frame["index"] and i == 0)
        )
    more = len(frame["rows"]) - len(shown)
    notes = [f"and {more:,} more {'row' if more == 1 else 'rows'}"] if more else []
    node = {"kind": "table", "title": "", "level": 0, "empty": "The table has no rows.", "notes": notes}
    return node | _parts(fields, len(shown), 8.8)


def _numeric(cells: Sequence[str]) -> bool:
    full = [cell for cell in cells if cell not in _NOTHING]
    return bool(full) and all(_NUMBER.fullmatch(cell) for cell in full)


def _markdown_table(token: Mapping[str, Any]) -> Node:
    head = token["children"][0]["children"]
    lines = [row["children"] for part in token["children"][1:] for row in part["children"]]
    fields = []
    for i, column in enumerate(head):
        cells = [_inline(line[i]["children"]) if i < len(line) else "" for line in lines]
        align = column["attrs"].get("align")
        right = align == "right" or (align is None and _numeric([_plain(cell) for cell in cells]))
        fields.append(Field(_inline(column["children"]), "amount" if right else "text", cells))
    node = {"kind": "table", "title": "", "level": 0, "empty": "The table has no rows.", "notes": []}
    return node | _parts(fields, len(lines), 9.2)


# ---------------------------------------------------------------------------------------------- pieces


def _card_row(row: Sequence[Mapping[str, Any]], room: float) -> Node:
    cards = [_card(card, room) for card in row]
    sizes = ((22.0, 1), (19.0, 1), (16.5, 1), (14.0, 1), (12.0, 1), (10.0, 1))
    widest = max((fonts.measure(card["value"], 1, True) for card in cards if card["known"]), default=0.0)
    size = next((size for size, _ in sizes if widest * size < room), 9.0)
    for card in cards:
        card["value"] = breakable(card["value"], room, size)
    tall = any(fonts.measure(card["label"], 9) > room for card in cards)
    return {"cards": cards, "size": size, "tall": tall}


def _card(card: Mapping[str, Any], room: float) -> Node:
    status, value = card["status"], card["value"]
    return {
        "label": breakable(card["label"], room, 9),
        "value": value["text"],
        "known": value["value"] is not None,
        "lines": [breakable(line, room, 8.5) for line in card["lines"]],
        "status": stated(status),
        "tone": status["tone"] if status else "neutral",
    }


def _run(run: Mapping[str, Any]) -> Any:
    text = breakable(run["text"], TEXT_WIDTH - 20, 10)
    return {"k": "strong", "body": [text]} if run["strong"] else text


def _text_node(lines: Sequence[str], kind: str) -> Node:
    # The spaces of a drawing in letters must stay; the template would close them up.
    room = TEXT_WIDTH - 18
    shown = [_fixed(line, room) for line in lines[:_TEXT_LINES]]
    more = len(lines) - len(shown)
    return {"kind": kind, "lines": shown, "notes": [f"and {more:,} more lines"] if more else []}


def _fixed(line: str, room: float) -> str:
    kept = line.expandtabs(8).replace("  ", "\u00a0 ").replace("  ", " \u00a0")
    kept = "\u00a0" + kept[1:] if kept.startswith(" ") else kept
    # Every letter of the typewriter face is as wide as the next.
    return breakable(kept, room * 0.8, 7.6)


_WRAPS: dict[str, str] = {"emphasis": "em", "strong": "strong", "strikethrough": "strike"}


def _inline(tokens: Sequence[Mapping[str, Any]], room: float = TEXT_WIDTH - 40) -> list[Any]:
    runs: list[Any] = []
    for token in tokens:
        kind = token["type"]
        if kind in _WRAPS:
            runs.append({"k": _WRAPS[kind], "body": _inline(token["children"], room)})
        elif kind == "codespan":
            runs.append({"k": "code", "text": breakable(token["raw"], room, 10)})
        elif kind == "link":
            url, body = safe_url(token["attrs"]["url"]), _inline(token["children"], room)
            runs += [{"k": "link", "url": url, "body": body}] if url else body
        elif kind == "linebreak":
            runs.append({"k": "break"})
        elif kind == "image":
            runs += _inline(token.get("children", []), room)
        else:
            runs.append(" " if kind == "softbreak" else str(token.get("raw", "")))
    return _joined(runs, room)


def _joined(runs: Sequence[Any], room: float) -> list[Any]:
    # An escaped sign comes as a run of its own; a long name is only seen as one word when they are together.
    out: list[Any] = []
    for run in runs:
        if isinstance(run, str) and out and isinstance(out[-1], str):
            out[-1] += run
        else:
            out.append(run)
    return [breakable(run, room, 10) if isinstance(run, str) else run for run in out]


def _broken(lines: Sequence[str]) -> list[Any]:
    runs: list[Any] = []
    for line in lines:
        runs += [{"k": "break"}, breakable(line, TEXT_WIDTH, 10)]
    return runs[1:]


def _plain(runs: Any) -> str:
    if isinstance(runs, str):
        return runs.replace("\u200b", "")
    return "".join(_plain(run if isinstance(run, str) else run.get("body") or run.get("text", "")) for run in runs)


def _paired(body: list[Node]) -> list[Node]:
    out: list[Node] = []
    waiting = None
    for node in body:
        if waiting is not None and node.get("half"):
            out[-1] = {"kind": "pair", "charts": [waiting, node], "cell": waiting["cell"]}
            waiting = None
            continue
        waiting = node if node.get("half") else None
        out.append(node)
    return out


# ------------------------------------------------------------------------------------------ characters


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return fonts.printable(value)
    if isinstance(value, Mapping):
        return {key: _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list | tuple) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _odd(value: Any, cell: int) -> list[str]:
    signs = fonts.missing("".join(_texts(value)))
    return [
        f'no font holds "{sign}" (U+{ord(sign):04X}); a placeholder was printed (cell {cell + 1})'
        for sign in sorted(signs)
    ]
