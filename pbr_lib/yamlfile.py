"""YAML 1.2 with a line number for every fault; apart, because parsing and saying where it failed is one concern.

Round-trip loading keeps line and column of each key. What comes out is plain data (floats as Decimal) and
a map from the place in the data to the line in the file; pydantic's findings are told with that map.
"""

from __future__ import annotations

import datetime as dt
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError

from pbr_lib.errors import InputError, did_you_mean, parted

__all__ = ["Document", "read", "validate"]

Place = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

# Said instead of "Field required" where a person would put it better.
_MISSING = {
    ("owners", "partner"): ("name an owner on the partner side", "add partner: <role or name> to owners"),
    ("owners", "vendor"): ("name an owner on our side", "add vendor: <role or name> to owners"),
}
# Where one number is too small or too large: what pydantic calls it, and what to write.
_BOUNDS = {"ge": "{} or more", "gt": "more than {}", "le": "{} at most", "lt": "less than {}"}
# The deepest and largest file that a person would write; more is a slip, or aliases that multiply.
_DEEPEST, _MOST = 30, 200_000
# What the parser says, whether it means the place where it began, and what a person needs to hear.
_PROBLEMS = (
    ("found unexpected end of stream", True, "a quote opens here and is never closed", "close it, or remove it"),
    ("could not find expected ':'", True, "this line has no colon after its key", "write key: value, with a space"),
    ("expected ',' or", True, "a bracket opens here and is not closed", "close it, and put commas between its items"),
    ("character '\\t'", False, "a tab stands here", "indent with spaces"),
    ("that cannot start any token", False, "no text may start with this sign", "put quotes around the text"),
    ("scanning a directive", False, "no line may start with %", "remove the line, or put quotes around the text"),
    ("undefined alias", False, "no text may start with *", "put quotes around the text"),
    ("expected alphabetic or numeric", False, "no text may start with & or *", "put quotes around the text"),
    ("found another document", False, "a second document starts here", "remove the line of dashes"),
    ("expected '<document start>'", False, "this line is indented unlike the ones above", "start all lines alike"),
)
_GENERAL = "look at indentation, colons, quotes and brackets on this line and the one before"


@dataclass(frozen=True)
class Document:
    """A YAML file as plain data, with the line of every place in it."""

    name: str
    data: Any
    lines: Mapping[Place, int] = field(repr=False)

    def where(self, place: Place) -> str:
        """``metrics.yaml, line 20: metrics.a.b`` for a place; the nearest known line if it has none."""
        line = next((self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines), 1)
        path = ".".join(str(part) for part in place)
        return f"{self.name}, line {line}" + (f": {path}" if path else "")

    def fault(self, place: Place, what: str, fix: str = "") -> InputError:
        """An error at a place of this file."""
        return InputError(what, self.where(place), fix)

    def at(self, place: Place) -> Any:
        """What stands at a place; None when nothing does."""
        data = self.data
        for part in place:
            if isinstance(data, Mapping):
                data = data.get(part)
            elif isinstance(data, list) and isinstance(part, int) and part < len(data):
                data = data[part]
            else:
                return None
        return data


def read(path: Path, name: str) -> Document:
    """Parse one file.

    Raises
    ------
    InputError
        When it is missing, is no UTF-8 text, no YAML, or holds a key twice; with file and line.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError("this file is missing", name, "restore it, or copy it from the shipped params") from None
    except OSError as error:
        raise InputError(f"this file cannot be read: {error.strerror}", name, "look at the file's rights") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError("this is no UTF-8 text", f"{name}, line {line}", "save the file as UTF-8") from None
    gathering = _Gathering(name)
    data = gathering.plain(_load(text, name), ())
    return Document(name, data, gathering.lines)


def validate(model: type[M], document: Document) -> tuple[M | None, list[InputError]]:
    """The document as a model, or every fault that it has, each with its line."""
    if not isinstance(document.data, Mapping):
        return None, [document.fault((), "this file holds no keys", f"start it with {_first_keys(model)}")]
    empty = tuple(_empty(document.data, ()))
    if empty:
        fix = "write one after the colon, indent what belongs under it, or remove the key"
        return None, [document.fault(place, "no value stands here", fix) for place in empty]
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        return None, _faults(model, document, error.errors())


# --------------------------------------------------------------------------------------------- parsing


def _load(text: str, name: str) -> Any:
    loader = YAML(typ="rt", pure=True)
    loader.version = (1, 2)
    try:
        return loader.load(text)
    except DuplicateKeyError as error:
        key = str(error.problem).split('"')[1] if '"' in str(error.problem) else ""
        raise InputError(f'the key "{key}" stands here twice', _at(name, error.problem_mark), _TWICE) from None
    except MarkedYAMLError as error:
        raise _unparsed(error, text.splitlines(), name) from None
    except RecursionError:
        raise InputError("this file nests too deeply", name, "write fewer brackets within brackets") from None
    except (YAMLError, ValueError) as error:
        raise _unreadable(error, text, name) from None


_TWICE = "remove one of them, or put back the line above that it belongs to"


def _at(name: str, mark: StringMark | None) -> str:
    return f"{name}, line {mark.line + 1}" if mark else name


def _unparsed(error: MarkedYAMLError, lines: list[str], name: str) -> InputError:
    """What the parser could not read, told where it went wrong rather than where it was noticed."""
    said = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    open_quote = _open_quote(lines[: mark.line + 1]) if mark else None
    if open_quote is not None:
        return InputError(_PROBLEMS[0][2], f"{name}, line {open_quote + 1}", _PROBLEMS[0][3])
    for words, began, what, fix in _PROBLEMS:
        if words in said:
            return InputError(what, _at(name, (error.context_mark if began else None) or mark), fix)
    if mark and ("mapping values" in said or "expected <block end>" in said):
        return _misplaced(mark.line, lines, name)
    return InputError(f"this is no valid YAML: {said.strip()}", _at(name, mark), _GENERAL)


def _open_quote(lines: list[str]) -> int | None:
    """The first line on which a quoted text opens and does not end."""
    for number, line in enumerate(lines):
        for quote in ('"', "'"):
            if re.search(rf"(?:[:,\[{{]|^\s*-)\s*{quote}", line) and line.count(quote) % 2:
                return number
    return None


def _misplaced(at: int, lines: list[str], name: str) -> InputError:
    """A line that stands deeper or less deep than it may, or lacks its colon."""
    line = lines[at] if at < len(lines) else ""
    above = next((n for n in range(at - 1, -1, -1) if lines[n].strip() and not _comment(lines[n])), None)
    what, fix = "", ""
    if re.match(r"^[^\"'#{\[:]*:\s[^\"'{\[#]*?:(?:\s|$)", line):
        what, fix = "two colons stand on this line", "put quotes around a text that holds a colon"
    elif re.search(r"^[^:]*[{\[].*:.*[}\]]", line):
        what, fix = "the colon before the bracket is missing", "write key: {...}, with a space before the bracket"
    elif above is not None and not re.search(r":(?:\s|$)", lines[above].split(" #")[0]):
        at, what, fix = above, _PROBLEMS[1][2], _PROBLEMS[1][3]
    if not what:
        other = _outlier(at, lines)
        what, fix = "this line does not start where the lines around it start", "indent it like them"
        if other is not None:
            what = f"the lines from here to line {at} and line {at + 1} do not start alike"
            at, fix = other, "indent them alike, or put back the line above that they belong to"
    return InputError(what, f"{name}, line {at + 1}", fix)


def _outlier(at: int, lines: list[str]) -> int | None:
    """The line above that is more likely misplaced than the one at which the parser gave up."""
    depth = _depth(lines[at])
    if sum(_depth(line) == depth for line in lines if line.strip()) == 1:
        return None
    levels: list[tuple[int, int]] = []  # depth and first line of each level that is open
    for number, line in enumerate(lines[: at + 1]):
        if not line.strip() or _comment(line):
            continue
        closed = None
        while levels and levels[-1][0] > _depth(line):
            closed = levels.pop()
        if number == at:
            return closed[1] if closed and levels and levels[-1][0] < depth else None
        if not levels or levels[-1][0] < _depth(line):
            levels.append((_depth(line), number))
    return None


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _unreadable(error: Exception, text: str, name: str) -> InputError:
    """Faults that the parser reports without a line: signs that no text holds, and days that do not exist."""
    position = getattr(error, "position", None)
    if isinstance(position, int):
        where = f"{name}, line {text.count(chr(10), 0, position) + 1}"
        return InputError("a sign stands here that no text holds", where, "delete the line and type it again")
    for number, line in enumerate(text.splitlines(), 1):
        for found in re.findall(r"\b\d{4}-\d{1,2}-\d{1,2}\b", line):
            try:
                dt.datetime.strptime(found, "%Y-%m-%d")
            except ValueError:
                return InputError(f'"{found}" is no day', f"{name}, line {number}", "write one like 2026-09-30")
    return InputError(f"this is no valid YAML: {error}", name, "look at tags, dates and special characters")


class _Gathering:
    """Turns the loader's tree into plain data and notes the line of every place."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Place, int] = {(): 1}
        self.count = 0

    def plain(self, node: Any, place: Place) -> Any:
        """A node of the tree as plain data, floats as Decimal."""
        self.count += 1
        if len(place) > _DEEPEST or self.count > _MOST:
            raise self._fault(place, "this file nests too deeply", "write fewer levels, and no alias within itself")
        tag = getattr(getattr(node, "tag", None), "value", None)
        if tag and not str(tag).endswith(":str"):
            raise self._fault(place, "no tag is read here", "remove the word that starts with !")
        if isinstance(node, CommentedMap):
            return self._mapping(node, place)
        if isinstance(node, CommentedSeq):
            for index in range(len(node)):
                self.lines[(*place, index)] = node.lc.item(index)[0] + 1
            return [self.plain(value, (*place, index)) for index, value in enumerate(node)]
        if isinstance(node, float):
            return Decimal(str(node))
        if isinstance(node, bool) or node is None:
            return node
        if isinstance(node, int):
            return int(node)
        if isinstance(node, dt.datetime | dt.date):
            return node.date() if isinstance(node, dt.datetime) else node
        return str(getattr(node, "value", node))

    def _mapping(self, node: CommentedMap, place: Place) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in node.items():
            at = (*place, str(key))
            if key in node.lc.data:  # keys that a merge brought in have no line of their own
                self.lines[at] = node.lc.key(key)[0] + 1
            if at[-1] in out:
                raise self._fault(at, f'the key "{key}" stands here twice', _TWICE)
            out[str(key)] = self.plain(value, at)
        return out

    def _fault(self, place: Place, what: str, fix: str) -> InputError:
        return Document(self.name, None, self.lines).fault(place[:6], what, fix)


# ------------------------------------------------------------------------------------------ validating


def _empty(data: Any, place: Place) -> Iterator[Place]:
    """The places where a value is missing: no key of any file means anything without one."""
    entries = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        if value is None:
            yield (*place, key)
        else:
            yield from _empty(value, (*place, key))


def _faults(model: type[BaseModel], document: Document, details: list[ErrorDetails]) -> list[InputError]:
    found = [(_place(detail, document), detail) for detail in details]
    strays = [place for place, detail in found if detail["type"] == "extra_forbidden"]
    shallow = _shallow(model, document, [place for place, _ in found])
    out = [
        document.fault(place, f'"{place[-1]}" stands one level too high', "indent it under the line above")
        for place in shallow
    ]
    alike = _alike(found)
    misnamed = {place[:-1] for place, _ in found if place[-1:] == ("[key]",)}
    for place, detail in found:
        if (
            any(place[: len(each)] == each for each in shallow)
            or alike.get(place, 1) == 0
            or place in misnamed - {*alike}
        ):
            continue
        missing = detail["type"] == "missing"
        if missing and any(each[:-1] == place[:-1] and _meant(str(each[-1]), str(place[-1])) for each in strays):
            continue
        if missing and any(each[-1] == place[-1] and each[:-1] == place[:-2] for each in shallow):
            continue
        error = _fault(model, document, place, detail)
        if alike.get(place, 1) > 1:
            fix = f"{error.fix}; or a line above them is missing"
            error = InputError(f"{error.what}, like {alike[place] - 1} more below it", error.where, fix)
        if error not in out:
            out.append(error)
    out.sort(key=lambda error: _line(error.where))
    return _whole_sections(model, document, found) or out


def _alike(found: list[tuple[Place, ErrorDetails]]) -> dict[Place, int]:
    """Entries that are wrong in the same way because the line above them is gone: how many, for the first of them."""
    groups: dict[tuple[Place, str], list[Place]] = {}
    for place, detail in found:
        if place and isinstance(place[-1], str) and detail["type"] in ("dict_type", "string_type"):
            groups.setdefault((place[:-1], detail["type"]), []).append(place)
    out: dict[Place, int] = {}
    for places in groups.values():
        if len(places) > 1:
            out |= dict.fromkeys([(*place, *key) for place in places for key in ((), ("[key]",))], 0)
            out[places[0]] = len(places)
    return out


def _shallow(model: type[BaseModel], document: Document, places: list[Place]) -> list[Place]:
    """Keys of an entry that stand beside the entries, because their indentation was lost."""
    firsts = dict.fromkeys(place[:2] for place in places if len(place) >= 2)
    return [
        place
        for place in firsts
        if isinstance(document.at(place[:1]), Mapping)
        and str(place[1]) in _fields(model, (place[0], "any"), document)
        and str(place[1]) not in _fields(model, place[:1], document)
    ]


def _whole_sections(
    model: type[BaseModel], document: Document, found: list[tuple[Place, ErrorDetails]]
) -> list[InputError]:
    """A section whose heading is gone makes every entry under it wrong; one fault says it all."""
    gone = [str(place[0]) for place, detail in found if detail["type"] == "missing" and len(place) == 1]
    strange = [place for place, d in found if d["type"] == "string_type" and isinstance(d["input"], dict)]
    if len(gone) != 1 or not strange:
        return []
    fix = f"write {gone[0]}: above this line, at the start of a line"
    return [document.fault(strange[0], f'"{gone[0]}" is missing', fix)]


def _fault(model: type[BaseModel], document: Document, place: Place, detail: ErrorDetails) -> InputError:
    kind, given = detail["type"], detail.get("input")
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return document.fault(place, f'unknown key "{place[-1]}"', _key_fix(model, document, place))
    if kind == "missing" and isinstance(place[-1], int):
        return document.fault(place[:-1], "two values belong here", "write [low, high]")
    if kind == "missing":
        named = (f'"{place[-1]}" is missing', f"add {place[-1]}: here")
        return document.fault(place[:-1], *_MISSING.get((str(place[-2]) if place[1:] else "", str(place[-1])), named))
    if place[-1:] == ("[key]",):
        fix = "use small letters, digits and underscores, or indent it under the line above"
        return document.fault(place[:-1], f'"{place[-2]}" does not fit as a name', fix)
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return document.fault(place, f'"{_shown(given)}" is not known here', did_you_mean(str(given), known))
    if kind == "string_pattern_mismatch":
        return document.fault(place, f'"{_shown(given)}" does not fit here', _pattern_fix(str(context.get("pattern"))))
    if kind == "value_error":
        return document.fault(place, *parted(context["error"]))
    if kind == "metric_type":
        return document.fault(place, *parted(ValueError(detail["msg"])))
    return document.fault(place, *_type_fault(model, document, place, detail))


def _type_fault(model: type[BaseModel], document: Document, place: Place, detail: ErrorDetails) -> tuple[str, str]:
    """What is wrong with a value of the wrong type, and what to write instead."""
    kind, given = detail["type"], _shown(detail.get("input"))
    context = detail.get("ctx", {})
    if kind == "string_type":
        plain = not isinstance(detail.get("input"), list | Mapping)
        return f'"{given}" is no text', f'put quotes around it: "{given}"' if plain else "write one text"
    if kind in ("string_too_short", "string_too_long"):
        return f'"{given}" is too {kind.rpartition("_")[2]}', "write one" + (" sign" if "max_length" in context else "")
    if kind in ("tuple_type", "list_type"):
        return f'"{given}" is no list', f"write a list in square brackets, e.g. [{given}]"
    if kind == "too_long":
        return f'"{given}" holds too many values', "write [low, high]"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        known = ", ".join(f"{key}: ..." for key in sorted(_fields(model, place, document))[:3]) or "key: value"
        return f'"{given}" has no keys', f"write keys with values, e.g. {{{known}}}"
    if kind.startswith("int_"):
        return f'"{given}" is no whole number', "write a whole number, e.g. 10"
    if kind.startswith("bool_"):
        return f'"{given}" is neither true nor false', "write true or false"
    for bound, words in _BOUNDS.items():
        if bound in context:
            return f'"{given}" is out of range', f"write {words.format(context[bound])}"
    return f'"{given}" does not fit: {detail["msg"][:1].lower()}{detail["msg"][1:]}', "see docs/reference/params.md"


def _key_fix(model: type[BaseModel], document: Document, place: Place) -> str:
    """For an unknown key: the word that was meant, or the level at which it would be known."""
    key, known = str(place[-1]), sorted(_fields(model, place[:-1], document))
    if _meant(key, *known):
        word = next((name for name in known if re.match(rf"{name}\W", key)), "")
        return f"write {word}: and a space before what follows" if word else did_you_mean(key, known)
    for depth in range(len(place) - 2, -1, -1):
        if key in _fields(model, place[:depth], document):
            return f"it belongs further left, {'under ' + str(place[depth - 1]) if depth else 'at the start of a line'}"
    under = next((name for name in known if key in _fields(model, (*place[:-1], name), document)), None)
    return f"indent it under {under}" if under else did_you_mean(key, known)


def _pattern_fix(pattern: str) -> str:
    if "[A-Z]{3}" in pattern:
        return "write an ISO currency code of three capitals, e.g. USD"
    return "use small letters, digits and underscores, e.g. new_partner_leads"


def _place(detail: ErrorDetails, document: Document) -> Place:
    """The place as the user wrote it: without the tags that pydantic adds for unions."""
    place: Place = ()
    for index, part in enumerate(detail["loc"]):
        last = index == len(detail["loc"]) - 1
        data = document.at(place)
        there = part in data if isinstance(data, Mapping) else isinstance(data, list) and isinstance(part, int)
        if there or (last and (detail["type"] == "missing" or part == "[key]")):
            place = (*place, part)
    return place


def _meant(written: str, *known: str) -> bool:
    """Whether a key is one of the known ones with a slip of the pen, or with its colon lost."""
    return did_you_mean(written, known).startswith("did you mean") or any(re.match(rf"{k}\W", written) for k in known)


def _fields(model: Any, place: Place, document: Document) -> set[str]:
    """The keys that a model knows at a place; of a union, those of the member that is meant there."""
    return _names(model, place, document, ())


def _names(model: Any, place: Place, document: Document, passed: Place) -> set[str]:
    origin, arguments = typing.get_origin(model), typing.get_args(model)
    if origin is typing.Annotated:
        return _names(arguments[0], place, document, passed)
    if origin in (typing.Union, types.UnionType):
        kind = document.at((*passed, "type")) or "simple"
        tagged = [a for a in arguments if any(getattr(mark, "tag", None) == kind for mark in typing.get_args(a)[1:])]
        return set().union(*(_names(member, place, document, passed) for member in tagged or arguments))
    if origin in (dict, tuple, list):
        member = arguments[1 if origin is dict else 0]
        return _names(member, place[1:], document, (*passed, place[0])) if place else set()
    if isinstance(model, type) and issubclass(model, BaseModel):
        names = {info.alias or name: info for name, info in model.model_fields.items()}
        if not place:
            return set(names)
        info = names.get(str(place[0]))
        return _names(info.annotation, place[1:], document, (*passed, place[0])) if info else set()
    return set()


def _first_keys(model: type[BaseModel]) -> str:
    return ", ".join(f"{name}:" for name, info in model.model_fields.items() if info.is_required())


def _shown(value: Any) -> str:
    """A value as people write it in YAML, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key}: {_shown(each)}" for key, each in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(_shown(each) for each in value)}]"
    return text if len(text) <= 60 else text[:57] + "..."


def _line(where: str) -> int:
    digits = where.partition(", line ")[2].split(":")[0]
    return int(digits) if digits.isdigit() else 0
