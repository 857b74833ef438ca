"""YAML 1.2 with a line number for every fault; apart, because parsing and saying where it failed is one concern.

Round-trip loading keeps line and column of each key. What comes out is plain data (floats as Decimal) and
a map from the place in the data to the line in the file; pydantic's findings are told with that map.
"""

from __future__ import annotations

import datetime as dt
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarfloat import ScalarFloat

from pbr_lib.errors import InputError, did_you_mean

__all__ = ["Document", "read", "validate"]

Place = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

# Said instead of "Field required" where a person would put it better.
_MISSING = {
    ("owners", "partner"): ("name an owner on the partner side", "add partner: <role or name> to owners"),
    ("owners", "vendor"): ("name an owner on our side", "add vendor: <role or name> to owners"),
}
# Tags that pydantic puts into a place and that no one wrote.
_TAGS = {"simple", "ratio", "date", "Stamp"}


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


def read(path: Path, name: str) -> Document:
    """Parse one file.

    Raises
    ------
    InputError
        When it is missing, is no UTF-8 text, no YAML, or holds a key twice; with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("this file is missing", name, "restore it, or copy it from the shipped params") from None
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"this file cannot be read: {error}", name, "save it as UTF-8 text") from None
    loader = YAML(typ="rt", pure=True)
    loader.version = (1, 2)
    try:
        tree = loader.load(text)
    except DuplicateKeyError as error:
        key = str(error.problem).split('"')[1] if '"' in str(error.problem) else ""
        raise InputError(f'the key "{key}" stands here twice', _at(name, error), "remove one of them") from None
    except MarkedYAMLError as error:
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        fix = "look at indentation, colons, quotes and brackets on this line and the one before"
        raise InputError(f"this is no valid YAML: {what}", _at(name, error), fix) from None
    except (YAMLError, ValueError) as error:
        raise InputError(f"this is no valid YAML: {error}", name, "look at quotes and special characters") from None
    lines: dict[Place, int] = {(): 1}
    data = _plain(tree, (), lines)
    return Document(name, data, lines)


def validate(model: type[M], document: Document) -> tuple[M | None, list[InputError]]:
    """The document as a model, or every fault that it has, each with its line."""
    if not isinstance(document.data, Mapping):
        return None, [document.fault((), "this file holds no keys", f"start it with {_first_keys(model)}")]
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        return None, _faults(model, document, error.errors())


def _at(name: str, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"{name}, line {mark.line + 1}" if mark else name


def _plain(node: Any, place: Place, lines: dict[Place, int]) -> Any:
    if isinstance(node, CommentedMap):
        out: dict[Any, Any] = {}
        for key, value in node.items():
            lines[(*place, str(key))] = node.lc.key(key)[0] + 1
            out[str(key)] = _plain(value, (*place, str(key)), lines)
        return out
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            lines[(*place, index)] = node.lc.item(index)[0] + 1
        return [_plain(value, (*place, index), lines) for index, value in enumerate(node)]
    if isinstance(node, ScalarFloat | float):
        return Decimal(str(node))
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    if isinstance(node, dt.datetime | dt.date):
        return node.date() if isinstance(node, dt.datetime) else node
    return str(node)


def _faults(model: type[BaseModel], document: Document, details: list[ErrorDetails]) -> list[InputError]:
    stray = {_place(d)[:-1]: str(_place(d)[-1]) for d in details if d["type"] == "extra_forbidden"}
    out: list[InputError] = []
    for detail in details:
        place = _place(detail)
        if detail["type"] == "missing" and _misspelt(stray.get(place[:-1]), str(place[-1])):
            continue
        error = _fault(model, document, place, detail)
        if error not in out:
            out.append(error)
    return sorted(out, key=lambda error: _line(error.where))


def _fault(model: type[BaseModel], document: Document, place: Place, detail: ErrorDetails) -> InputError:
    kind, given = detail["type"], detail.get("input")
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = sorted(_fields(model, place[:-1]))
        return document.fault(place, f'unknown key "{place[-1]}"', did_you_mean(str(place[-1]), known))
    if kind == "missing":
        what, fix = _MISSING.get(
            tuple(str(p) for p in place[-2:]),  # type: ignore[arg-type]
            (f'"{place[-1]}" is missing', f"add {place[-1]}: here"),
        )
        return document.fault(place[:-1], what, fix)
    if kind == "literal_error":
        known = [word.strip("' ") for word in str(context.get("expected", "")).replace(" or ", ",").split(",")]
        return document.fault(place, f'"{given}" is not known here', did_you_mean(str(given), known))
    if kind == "string_pattern_mismatch":
        return document.fault(place, f'"{given}" does not fit here', _pattern_fix(str(context.get("pattern"))))
    if kind == "value_error":
        return document.fault(place, str(context.get("error")), "mend this line")
    if place and place[-1] == "[key]":
        return document.fault(place[:-1], f'"{place[-2]}" does not fit as a name', _pattern_fix("^[a-z]"))
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    return document.fault(place, f'"{_short(given)}" does not fit: {message}', "see docs/reference/params.md")


def _pattern_fix(pattern: str) -> str:
    if "[A-Z]{3}" in pattern:
        return "write an ISO currency code of three capitals, e.g. USD"
    return "use small letters, digits and underscores, e.g. new_partner_leads"


def _place(detail: ErrorDetails) -> Place:
    """The place as the user wrote it: without the tags that pydantic adds for unions."""
    return tuple(part for part in detail["loc"] if part not in _TAGS)


def _misspelt(stray: str | None, wanted: str) -> bool:
    return stray is not None and did_you_mean(stray, [wanted]).startswith("did you mean")


def _fields(model: Any, place: Place) -> set[str]:
    """The keys that a model knows at a place; a union knows those of all its members."""
    origin = typing.get_origin(model)
    if origin in (typing.Annotated,):
        return _fields(typing.get_args(model)[0], place)
    if origin in (typing.Union, types.UnionType):
        return set().union(*(_fields(member, place) for member in typing.get_args(model)))
    if origin in (dict, tuple, list):
        member = typing.get_args(model)[1 if origin is dict else 0]
        return _fields(member, place[1:]) if place else set()
    if isinstance(model, type) and issubclass(model, BaseModel):
        names = {info.alias or name: info for name, info in model.model_fields.items()}
        if not place:
            return set(names)
        info = names.get(str(place[0]))
        return _fields(info.annotation, place[1:]) if info else set()
    return set()


def _first_keys(model: type[BaseModel]) -> str:
    return ", ".join(f"{name}:" for name, info in model.model_fields.items() if info.is_required())


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _line(where: str) -> int:
    digits = where.partition(", line ")[2].split(":")[0]
    return int(digits) if digits.isdigit() else 0
