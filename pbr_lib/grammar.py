"""The words that every file of ``params/`` is written in: filters, numbers, days, names; apart, because metrics,
goals, mappings and the workbook all speak them and none of them owns them.

The grammar is structured on purpose: closed lists of operators, never an expression string, since text that is
evaluated is code that anybody who edits a file can run. Every ``ValueError`` reads
``what is wrong; how to mend it`` (see ``errors.parted``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pbr_lib.errors import did_you_mean

__all__ = ["OPERATORS", "AllOf", "AnyOf", "Compare", "Day", "Filter", "Flag", "Name", "Not", "Number", "Spec", "Text"]
__all__ += ["Version", "Where", "Whole", "columns_of", "day", "number", "parse_filter"]

OPERATORS = ("is", "is_not", "in", "not_in", "gt", "gte", "lt", "lte", "between", "is_null", "starts_with", "contains")
_FORMS = "write {column: value}, {column: [a, b]} or {column: {operator: value}}"
_GROUPS = ("all_of", "any_of", "not")
_NUMBER = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TOO_LARGE = Decimal(10) ** 14


# --------------------------------------------------------------------------------------------- filters


@dataclass(frozen=True)
class Compare:
    """A leaf: one column, one operator, one value. True or false, never unknown."""

    column: str
    op: str
    value: Any


@dataclass(frozen=True)
class AllOf:
    """Every item holds; an empty one always does."""

    items: tuple[Filter, ...] = ()


@dataclass(frozen=True)
class AnyOf:
    """At least one item holds."""

    items: tuple[Filter, ...]


@dataclass(frozen=True)
class Not:
    """The exact complement of an item, nulls included."""

    item: Filter


Filter = Compare | AllOf | AnyOf | Not


def parse_filter(value: Any) -> Filter:
    """The written form (goals.md 2.5) as a tree; ``ValueError`` says what cannot be read."""
    if isinstance(value, Compare | AllOf | AnyOf | Not):
        return value
    if value is None:
        return AllOf()
    if not isinstance(value, Mapping):
        raise ValueError(f'"{value}" is no filter; {_FORMS}')
    items = tuple(_entry(str(key), entry) for key, entry in value.items())
    return items[0] if len(items) == 1 else AllOf(items)


def _entry(key: str, value: Any) -> Filter:
    if key == "not":
        return Not(parse_filter(value or "nothing"))
    if key in ("all_of", "any_of"):
        if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) and item for item in value):
            raise ValueError(f'"{key}" takes a list of filters; write {key}: [{{column: value}}, {{column: value}}]')
        items = tuple(parse_filter(item) for item in value)
        return AllOf(items) if key == "all_of" else AnyOf(items)
    if isinstance(value, list):
        if any(isinstance(item, Mapping) for item in value):
            raise ValueError(f'"{key}" is no group of filters; {did_you_mean(key, _GROUPS)}')
        return Compare(key, "in", _operand("in", value))
    if not isinstance(value, Mapping):
        return Compare(key, "is", value)
    if len(value) != 1:
        got = ", ".join(map(str, value)) or "none"
        raise ValueError(f'give exactly one operator for "{key}", got {got}; use between or all_of to say more')
    op, operand = next(iter(value.items()))
    return Compare(key, _operator(str(op)), _operand(str(op), operand))


def _operator(op: str) -> str:
    if op not in OPERATORS:
        raise ValueError(f'"{op}" is no operator; {did_you_mean(op, OPERATORS)}')
    return op


def _operand(op: str, operand: Any) -> Any:
    if op in (several := {"in": "[a, b]", "not_in": "[a, b]", "between": "[low, high]"}):
        plain = isinstance(operand, list) and operand and not any(isinstance(v, list | Mapping) for v in operand)
        if not plain or (op == "between" and len(operand) != 2):
            raise ValueError(f'"{op}" takes a list of plain values; write {op}: {several[op]}')
        return tuple(operand)
    if op == "is_null" and not isinstance(operand, bool):
        raise ValueError('"is_null" takes true or false; write is_null: true')
    if isinstance(operand, list | Mapping):
        raise ValueError(f'"{op}" takes one value; use in or not_in for several')
    return operand


def columns_of(node: Filter) -> Iterator[Compare]:
    """Every leaf of a filter."""
    if isinstance(node, Compare):
        yield node
    elif isinstance(node, Not):
        yield from columns_of(node.item)
    else:
        for item in node.items:
            yield from columns_of(item)


# --------------------------------------------------------------------------------------------- numbers


def number(value: Any) -> Decimal:
    """A number as people write it in params: ``5``, ``10,000``, ``0.85`` or ``85 %`` (which is 0.85)."""
    return _number(value) if type(value) is str else _parsed(value)


def _parsed(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise ValueError(f'"{str(value).lower()}" is no number; write it like 5, 10000, 0.85 or 85 %')
    text = str(value).strip()
    share = text.endswith("%")
    digits = text[:-1].strip() if share else text
    if isinstance(value, int | Decimal):
        parsed = Decimal(value)
    elif _NUMBER.fullmatch(digits):
        parsed = Decimal(digits.replace(",", ""))
    else:
        raise ValueError(f'"{value}" is no number; write it like 5, 10000, 0.85 or 85 %')
    if not parsed.is_finite() or abs(parsed) >= _TOO_LARGE:
        raise ValueError(f'"{value}" is larger than anything that can be measured; write fewer than 15 digits')
    return parsed / 100 if share else parsed


_number = lru_cache(maxsize=65_536)(_parsed)  # the same few numbers stand in the rows of thousands of partners


def day(value: Any) -> dt.date:
    """A day as people write it in params: ``2026-09-30``."""
    if isinstance(value, dt.date):
        return value
    if value == "ask":
        raise ValueError("nobody has said yet which day; write year, month and day like 2026-09-30")
    with suppress(ValueError):
        if isinstance(value, str) and _DAY.fullmatch(value.strip()):
            return dt.date.fromisoformat(value.strip())
    raise ValueError(f'"{value}" is no day; write year, month and day like 2026-09-30')


def _version(value: Any) -> Any:
    if value != 1 or isinstance(value, bool):
        raise ValueError(f'this release reads grammar version 1, not "{value}"; write pbr: 1')
    return value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Number = Annotated[Decimal, BeforeValidator(number)]
Whole = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[dt.date, BeforeValidator(day)]
Where = Annotated[Any, BeforeValidator(parse_filter)]
Version = Annotated[int, BeforeValidator(_version)]
Text = Annotated[str, Field(min_length=1)]


class Spec(BaseModel):
    """The base of everything read from params: frozen, and no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, coerce_numbers_to_str=False)
