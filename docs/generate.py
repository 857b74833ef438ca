"""Writes the generated reference pages: commands, params, model, api. Run it with ``python docs/generate.py``.

The pages come from the code itself, and tests/test_docs.py compares them, so they cannot fall behind it.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from ruamel.yaml import YAML

import pbr_lib
from pbr_lib import blocks, charts, cli, definitions, errors, mapping, schema

HERE = Path(__file__).resolve().parent
WIDTH = 100
_MARK = "<!-- Written by docs/generate.py from the code; edit the code, not this page. -->"


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        path = HERE / "reference" / name
        path.write_text(page(), encoding="utf-8")
        print(path.relative_to(HERE.parent))


# ------------------------------------------------------------------------------------------- commands


def commands() -> str:
    """reference/commands.md: the help of every command."""
    lines = [
        "# Commands",
        "",
        _MARK,
        "",
        "Every command works from any folder inside the workbook; from elsewhere, name the workbook's folder in the",
        "environment variable `PBR_HOME`. Exit codes: `0` fine, `1` our fault, `2` your input, `3` some partners failed.",
    ]
    lines += ["", *_fence(help_text(()))]
    for name in command_names():
        lines += [f"## pbr {name}", "", *_fence(help_text(tuple(name.split())))]
    return "\n".join(lines).rstrip() + "\n"


def command_names() -> list[str]:
    """The names of all commands, those of groups after the rest, in the order in which ``--help`` lists them."""
    groups = [(str(group.name or group.typer_instance.info.name), group.typer_instance) for group in _groups()]
    return [*_names("", cli.app), *(name for title, app in groups for name in _names(f"{title} ", app))]


def _groups() -> Sequence[Any]:
    return [group for group in cli.app.registered_groups if group.typer_instance is not None]


def _names(prefix: str, app: Any) -> list[str]:
    return [prefix + str(info.name or info.callback.__name__) for info in app.registered_commands if info.callback]


def help_text(arguments: Sequence[str]) -> str:
    """What ``--help`` prints, at a fixed width."""
    from typer.testing import CliRunner

    result = CliRunner().invoke(
        cli.app, [*arguments, "--help"], prog_name="pbr", terminal_width=WIDTH, max_content_width=WIDTH, color=False
    )
    if result.exit_code:
        raise RuntimeError(f"pbr {' '.join(arguments)} --help failed: {result.output}")
    return "\n".join(line.rstrip() for line in result.stdout.strip("\n").splitlines())


def _fence(text: str) -> list[str]:
    return ["```text", text, "```", ""]


# --------------------------------------------------------------------------------------------- params

_MAPPING = ("Source", "SqlSource", "Stamp", "FileName", "Newest", "Oldest", "Formats", "Credit")
_WORKBOOK = (
    "Workbook",
    "CalendarSpec",
    "WeeksSpec",
    "AttributionSpec",
    "SmartSpec",
    "AgreementSpec",
    "PeerSpec",
    "CloseSpec",
)
_FILES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("params/workbook.yaml", _WORKBOOK),
    ("params/metrics.yaml", ("MetricsFile", "SimpleMetric", "RatioMetric", "InProgress", "UnitSpec")),
    ("params/goals.yaml", ("GoalsFile", "Goal", "Target", "Owners", "StatusBands", "Renew", "Stop", "Parent")),
    ("params/sources/*.yaml", _MAPPING),
)
_TITLES = {
    "CalendarSpec": "calendar",
    "WeeksSpec": "weeks",
    "SmartSpec": "smart",
    "AgreementSpec": "agreement",
    "PeerSpec": "peers",
    "CloseSpec": "close",
    "Parent": "A parent",
    "SimpleMetric": "A simple metric",
    "RatioMetric": "A ratio",
    "InProgress": "in_progress",
    "UnitSpec": "unit",
    "Goal": "A goal",
    "Target": "target",
    "Owners": "owners",
    "StatusBands": "status",
    "Renew": "renew",
    "Stop": "stop",
    "AttributionSpec": "attribution, of the workbook",
    "SqlSource": "sql",
    "Stamp": "as_of, when a line of the export says it",
    "FileName": "as_of, when the file's name says it",
    "Newest": "as_of, when its newest day says it",
    "Oldest": "covers_from, when its oldest day says it",
    "Formats": "formats, for each column",
    "Credit": "attribution, each entry",
}


def params_page() -> str:
    """reference/params.md: the hand-written introduction, then every key of every file."""
    known = meanings()
    lines = [(HERE / "reference" / "_params.md").read_text("utf-8").rstrip(), "", _MARK, ""]
    for file, names in _FILES:
        lines += [f"## {file}", ""]
        for name in names:
            spec = getattr(mapping if name in _MAPPING else definitions, name)
            lines += [f"### {_TITLES[name]}", "", _text(spec.__doc__), ""] if name in _TITLES else []
            lines += ["| Key | Takes | Left out | Meaning |", "|---|---|---|---|"]
            lines += [_key(key, field, known[name].pop(key)) for key, field in _fields(spec)]
            lines.append("")
            if known[name]:
                raise KeyError(f"docs/meanings.yaml explains {', '.join(known[name])}, which {name} has not")
    return "\n".join(lines).rstrip() + "\n"


def meanings() -> dict[str, dict[str, str]]:
    """What each key means, by model and key."""
    loaded = YAML(typ="safe", pure=True).load((HERE / "meanings.yaml").read_text("utf-8"))
    return {str(name): dict(keys) for name, keys in loaded.items()}


def _fields(spec: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in spec.model_fields.items():
        yield field.alias or name, field


def _key(key: str, field: FieldInfo, meaning: str) -> str:
    return f"| `{key}` | {_takes(field)} | {_default(field)} | {_cell(meaning)} |"


def _takes(field: FieldInfo) -> str:
    marks = [type(mark).__name__ for mark in field.metadata]
    patterns = [getattr(mark, "pattern", None) for mark in field.metadata]
    functions = [getattr(mark, "func", None) for mark in field.metadata]
    if definitions.parse_filter in functions:
        return "[filter](#filters)"
    if "BeforeValidator" in marks and field.annotation is int:
        return "`1`"
    if any(pattern and "A-Z" in pattern for pattern in patterns):
        return "currency code"
    if any(pattern and "a-z" in pattern for pattern in patterns):
        return "name"
    return _type(field.annotation)


def _type(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is typing.Annotated:
        return _annotated(arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(one) for one in arguments if one is not type(None)))
    if origin is tuple:
        inner = [_type(one) for one in arguments if one is not Ellipsis]
        return f"list of {inner[0]}" if Ellipsis in arguments else f"[{', '.join(inner)}]"
    if origin is dict:
        return f"mapping of {_type(arguments[0])} to {_type(arguments[1])}"
    plain = {str: "text", int: "whole number", bool: "`true`, `false`", dt.date: "day", Decimal: "number"}
    if annotation in plain:
        return plain[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{_TITLES[annotation.__name__]}](#{_anchor(_TITLES[annotation.__name__])})"
    raise TypeError(f"docs/generate.py has no words for {annotation!r}")


def _annotated(arguments: tuple[Any, ...]) -> str:
    if any("a-z" in str(getattr(mark, "pattern", "")) for mark in _constraints(arguments)):
        return "name"
    if any("A-Z" in str(getattr(mark, "pattern", "")) for mark in _constraints(arguments)):
        return "currency code"
    return _type(arguments[0])


def _constraints(arguments: tuple[Any, ...]) -> Iterator[Any]:
    for mark in arguments[1:]:
        yield from mark.metadata if isinstance(mark, FieldInfo) else (mark,)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "**required**"
    if value is None or value == () or value == {} or value == "":
        return "none"
    if isinstance(value, definitions.AllOf):
        return "all rows"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    if isinstance(value, BaseModel):
        given = value.model_dump(exclude_unset=True)
        return ", ".join(f"`{key}: {one}`" for key, one in given.items()) or "its defaults"
    return f"`{value}`"


# ---------------------------------------------------------------------------------------------- model


def model_page() -> str:
    """reference/model.md: the normalised tables."""
    lines = [
        "# The normalised tables",
        "",
        _MARK,
        "",
        "Whatever a CRM calls its columns, past the mappings of `params/sources/` there are only these tables.",
        "Metrics and filters speak of them by these names. A row without a **required** value is set aside and told.",
        "Money keeps the currency of its record and is converted at plan rates when it is measured; it is exact to four",
        "decimals. A number has six, a share runs from 0 to 1. A time is told on the clock of the workbook's time zone, a",
        "day is never shifted. A *computed* column is filled by the workbook itself.",
        "",
        "Every table that exports fill also has four columns of lineage, which are not repeated below:",
        "",
        *(f"- `{column.name}`: {column.doc}" for column in schema.LINEAGE),
        "",
    ]
    for table in schema.TABLES.values():
        credit = " Partners are credited through `attributions`." if table.credited else ""
        lines += [f"## {table.name}", "", f"{table.doc} The key is `{table.key}`.{credit}", ""]
        lines += ["| Column | Type | Meaning |", "|---|---|---|"]
        for column in table.columns:
            if column in schema.LINEAGE:
                continue
            values = f": {', '.join(f'`{value}`' for value in column.values)}" if column.values else ""
            need = " **Required.**" if column.required else ""
            need += " *Computed.*" if column.computed else ""
            points = f" Points to `{column.refers}`." if column.refers else ""
            lines.append(f"| `{column.name}` | {column.kind} | {_cell(column.doc)}{values}.{points}{need} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


# ------------------------------------------------------------------------------------------------ api


def api() -> str:
    """reference/api.md: every public name of the front door, of reviews, charts and blocks."""
    lines = ["# The analyst's names", "", _MARK, "", "```python", "import pbr_lib as pbr", "```", ""]
    lines += ["## At the desk", ""]
    for name in ("load", "partners", "check", "plan", "note"):
        lines += _entry(f"pbr.{name}", getattr(pbr_lib, name))
    lines += ["## A check", "", *_class("pbr.Check", pbr_lib.Check, "check")]
    lines += ["## Goals of all partners", "", *_class("pbr.Goals", pbr_lib.Goals, "goals")]
    lines += ["## A review", "", *_class("pbr.Review", pbr_lib.Review, "review")]
    lines += ["## The goals of all partners", "", *_class("pbr.Goals", pbr_lib.Goals, "goals")]
    lines += ["## A goal", "", *_class("pbr.GoalView", pbr_lib.GoalView, "goal")]
    lines += ["## Charts", "", _text(charts.__doc__), ""]
    for name in charts.__all__:
        if callable(getattr(charts, name)):
            lines += _entry(f"pbr.charts.{name}", getattr(charts, name))
    colours = ", ".join(f"`{name}`" for name in charts.PALETTE)
    lines += ["### `pbr.charts.PALETTE`", "", f"The colours of the packs by name: {colours}.", ""]
    lines += ["## What a review gives", ""]
    for name in ("Table", "Chart", "Note", "Cards", "Group", "Cover"):
        lines += _class(name, getattr(blocks, name), name.lower())
    lines += ["## Values", "", *_class("pbr.Amount", pbr_lib.Amount, "amount")]
    lines += [*_class("pbr.Unit", pbr_lib.Unit, "unit"), *_class("pbr.Quarter", pbr_lib.Quarter, "quarter")]
    lines += [*_class("pbr.Calendar", pbr_lib.Calendar, "calendar")]
    return "\n".join([*lines, *_errors()]).rstrip() + "\n"


def _errors() -> list[str]:
    lines = ["## Errors", "", "`pbr.errors`: each says what is wrong, where, and how to mend it.", ""]
    lines += ["| Error | Is a | When |", "|---|---|---|"]
    for name in errors.__all__:
        thing = getattr(errors, name)
        if isinstance(thing, type):
            lines.append(f"| `{name}` | `{thing.__mro__[1].__name__}` | {_cell(_first(thing))} |")
    return lines


def _class(title: str, thing: type, prefix: str) -> list[str]:
    lines = [f"### `{title}`", "", _text(thing.__doc__), ""]
    rows = [(name, member) for name, member in vars(thing).items() if not name.startswith("_") and _told(member)]
    rows = [(name, member) for name, member in rows if name not in ("as_json", "html", "plain", "from_json")]
    if rows:
        lines += ["| Name | Gives |", "|---|---|"]
        lines += [f"| `{prefix}.{name}{_call(member)}` | {_cell(_first(member))} |" for name, member in rows]
        lines.append("")
    return lines


def _told(member: Any) -> bool:
    return isinstance(member, property | types.FunctionType | classmethod)


def _call(member: Any) -> str:
    if isinstance(member, property):
        return ""
    signature = inspect.signature(member)
    names = [_argument(one) for one in signature.parameters.values() if one.name != "self"]
    return f"({', '.join(names)})"


def _argument(one: inspect.Parameter) -> str:
    star = "*" if one.kind is inspect.Parameter.VAR_POSITIONAL else ""
    return star + one.name + ("" if one.default is inspect.Parameter.empty else f"={one.default!r}")


def _entry(title: str, thing: Callable[..., Any]) -> list[str]:
    return [f"### `{title}{_call(thing)}`", "", _text(thing.__doc__), ""]


def _first(thing: Any) -> str:
    return _text(inspect.getdoc(thing)).split("\n\n")[0].replace("\n", " ")


# ----------------------------------------------------------------------------------------------- text

_ROLE = re.compile(r":(?:class|func|meth|data|mod):`(?:~[\w.]*\.)?([\w.]+)`")


def _text(doc: str | None) -> str:
    """A docstring as Markdown: numpy's sections become lists, roles and double backticks become code."""
    text = _ROLE.sub(r"`\1`", inspect.cleandoc(doc or "")).replace("``", "`")
    parts = re.split(r"\n*^(Parameters|Raises|Returns)\n-{3,}\n", text, flags=re.MULTILINE)
    out = [parts[0].strip()]
    for head, body in zip(parts[1::2], parts[2::2], strict=True):
        out += [f"**{head}**", _items(body)]
    return "\n\n".join(out)


def _items(body: str) -> str:
    lines: list[str] = []
    for line in body.strip("\n").splitlines():
        if line and not line.startswith(" "):
            names = ", ".join(f"`{name.strip()}`" for name in line.rstrip(":").split(","))
            lines.append(f"- {names}:")
        elif line.strip():
            lines[-1] += f" {line.strip()}"
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-")


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands,
    "params.md": params_page,
    "model.md": model_page,
    "api.md": api,
}

if __name__ == "__main__":
    main()
