"""A proposed mapping as commented YAML that reads back as meant; apart, because labels and words of an export may hold
any sign there is, and none of it may become YAML.

Whatever comes from the export stands in double quotes, escaped, unless it is plainly a word; comments hold samples on
one line, without signs that cannot be printed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pbr_lib.proposal_words import ASK, Meaning

__all__ = ["Draft", "Line", "comment", "render", "scalar"]

_PLAIN = re.compile(r"[^\W\d_](?:[\w /().&+-]*[\w)])?")
_WORDS = frozenset(["yes", "no", "true", "false", "null", "on", "off", "y", "n", "none", "nan", "inf"])
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LONG_KEY, _LONG_SAMPLE, _LONG_COMMENT = 120, 40, 110


@dataclass(frozen=True)
class Line:
    """One line of a mapping under a key: what stands left and right of the colon, and a comment."""

    label: str
    value: str
    remark: str = ""


@dataclass
class Draft:
    """A mapping in the making. ``head`` are its plain keys in order; the other parts become blocks below them.

    ``checks`` are what deserves a look, ``notes`` what was decided, ``options`` further lines beside a key that is
    asked for, and ``newest`` the last day that the export is known to cover.
    """

    name: str
    table: str
    heading: tuple[str, ...] = ()
    head: list[Line] = field(default_factory=list)
    columns: list[Line] = field(default_factory=list)
    first_of: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    key: tuple[str, ...] = ()
    repeats: bool = False
    where: list[Line] = field(default_factory=list)
    constants: list[Line] = field(default_factory=list)
    formats: list[Line] = field(default_factory=list)
    values: dict[str, tuple[Meaning, ...]] = field(default_factory=dict)
    partner_match: str = ""
    attribution: list[Line] = field(default_factory=list)
    ignore: list[Line] = field(default_factory=list)
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    newest: dt.date | None = None
    checks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def scalar(text: str) -> str:
    """A text as YAML that reads back as the very same text, whatever it holds, on one line."""
    if _PLAIN.fullmatch(text) and text.isprintable() and text.casefold() not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def comment(texts: Sequence[str], most: int = _LONG_COMMENT) -> str:
    """Texts of the export as one line for a comment, parted by semicolons, cut where they are long."""
    shown = []
    for text in texts:
        plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
        shown.append(plain if len(plain) <= _LONG_SAMPLE else plain[: _LONG_SAMPLE - 1] + "…")
    line = "; ".join(shown)
    return line if len(line) <= most else line[: most - 1] + "…"


def render(draft: Draft) -> str:
    """The mapping as the text of its file."""
    lines = [f"# {comment((part,), 118)}" if len(part) <= _LONG_SAMPLE else f"# {part}" for part in draft.heading]
    lines.append("pbr: 1")
    for one in draft.head:
        lines.append(_with_remark(f"{one.label}: {one.value}", one.remark))
        lines += [f"# {option}" for option in draft.options.get(one.label, ())]
    lines += _block("columns", draft.columns, empty="{}")
    if draft.first_of:
        lines.append("first_of:                        # of these, the first that is not empty")
        lines += [f"  {name}: [{', '.join(map(scalar, labels))}]" for name, labels in draft.first_of]
    if draft.key:
        lines.append(f"key: [{', '.join(map(scalar, draft.key))}]")
    if draft.repeats:
        lines.append("repeats: expected")
    lines += _block("where", draft.where)
    lines += _block("constants", draft.constants)
    lines += _block("formats", draft.formats)
    lines += _values(draft)
    if draft.partner_match:
        lines.append(f"partner_match: {draft.partner_match}")
    if draft.attribution:
        lines.append("attribution:")
        lines += [_with_remark(f"  - {one.value}", one.remark) for one in draft.attribution]
    if draft.ignore:
        lines.append("ignore:                          # columns that no figure needs; move up what you miss")
        lines += [_with_remark(f"  - {scalar(one.label)}", one.remark) for one in draft.ignore]
    return "\n".join(lines) + "\n"


def _block(key: str, entries: Sequence[Line], empty: str = "") -> Iterator[str]:
    if not entries:
        if empty:
            yield f"{key}: {empty}"
        return
    yield f"{key}:"
    for one in entries:
        yield from _entry("  ", one.label, one.value, one.remark)


def _values(draft: Draft) -> Iterator[str]:
    if not draft.values:
        return
    yield "values:"
    for name, words in draft.values.items():
        yield f"  {name}:"
        for each in words:
            seen = f"{each.count:,} rows" if each.count != 1 else "1 row"
            remark = f"{seen}; {each.why}" if each.why else seen
            value = ASK if each.value == ASK else scalar(each.value)
            yield from _entry("    ", each.word, value, remark)


def _entry(indent: str, label: str, value: str, remark: str) -> Iterator[str]:
    key = scalar(label)
    if len(key) > _LONG_KEY:
        # YAML ends a key that stands before its colon after a thousand signs; this form has no end.
        yield f"{indent}? {key}"
        yield _with_remark(f"{indent}: {value}", remark)
    else:
        yield _with_remark(f"{indent}{key}: {value}", remark)


def _with_remark(line: str, remark: str) -> str:
    return f"{line.ljust(32)} # {remark}" if remark else line


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if sign.isprintable() and sign != "\ufeff":
        return sign
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
