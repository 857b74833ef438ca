"""A mapping in plain sentences; apart, because those who can say whether it is right seldom read YAML.

``pbr sources show NAME`` prints them: which file, how fresh, which column is which, how days and numbers are read,
what words mean, who is credited, and what is left out.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from pbr_lib import dialects
from pbr_lib.definitions import AllOf, AnyOf, Compare, Filter, Not
from pbr_lib.mapping import Credit, FileName, Formats, Newest, Oldest, Source, Stamp
from pbr_lib.model import date_text
from pbr_lib.schema import TABLES

__all__ = ["explain"]

_MATCHES = {
    "partner_id": "the partner's id",
    "account_id": "the partner's account id in the CRM",
    "name": "the partner's name",
    "domain": "the partner's mail domain",
    "any": "the partner's id, account id, name or domain",
}
_OPERATORS = {
    "is": "is {}",
    "is_not": "is not {}",
    "in": "is one of {}",
    "not_in": "is none of {}",
    "gt": "is greater than {}",
    "gte": "is at least {}",
    "lt": "is less than {}",
    "lte": "is at most {}",
    "between": "lies between {}",
    "starts_with": "begins with {}",
    "contains": "holds {}",
}
_EXAMPLE = dt.datetime(2026, 9, 30, 14, 5, 9)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def explain(name: str, source: Source) -> Iterator[str]:
    """A mapping in sentences, one each, headed by short lines that end in a colon."""
    table = TABLES.get(source.table)
    about = f" ({source.about})" if source.about else ""
    yield f"{name} reads {_origin(source)}{about} into the table {source.table}."
    if table is not None:
        yield table.doc
    yield from _place(source)
    yield from _fresh(source)
    yield "Columns:"
    yield from _columns(source)
    yield "How cells are read:"
    yield from _reading(source)
    if source.values:
        yield "What words mean:"
        yield from _values(source.values)
    if source.attribution:
        yield "Who is credited:"
        yield from (f"  {_credit(credit)}" for credit in source.attribution)
    elif table is not None and table.credited:
        yield "Nobody is credited by this export."
    yield from _left_out(source)


def _origin(source: Source) -> str:
    if source.file is None:
        return source.origin
    several = {"newest": ", the newest file of that name", "all": ", all files of that name together"}
    return f'"{source.file}"' + several.get(source.pick or "", "")


def _place(source: Source) -> Iterator[str]:
    parts = [
        f'the file "{source.member}" in it' if source.member else "",
        f'the sheet "{source.sheet}"' if source.sheet else "",
        f"the range {source.range}" if source.range else "",
        f"the header in row {source.header_row}" if source.header_row else "",
        f"the encoding {source.encoding}" if source.encoding else "",
        f'"{source.delimiter}" between columns' if source.delimiter else "",
    ]
    said = [part for part in parts if part]
    if said:
        yield f"It takes {_joined(said)}."
    if source.dialect:
        title = dialects.get(source.dialect).title if source.dialect in dialects.names() else source.dialect
        yield f"It is read as an export of {title}, whose spellings of empty cells are known."
    if source.optional:
        yield "It may be missing; goals on it are then not measurable, never zero."


def _fresh(source: Source) -> Iterator[str]:
    given, first = source.as_of, source.covers_from
    if isinstance(given, Stamp):
        until = f'the date ({given.format}) in the line that says "{given.find}"'
    elif isinstance(given, FileName):
        until = f"the date ({given.file_name}) in the file's name"
    elif isinstance(given, Newest):
        until = f"the newest {given.newest} in it"
    else:
        until = date_text(given)
    since = f"the oldest {first.oldest} in it" if isinstance(first, Oldest) else date_text(first)
    yield f"It covers every day from {since} to {until}; before and after, figures are unknown."


def _columns(source: Source) -> Iterator[str]:
    table = TABLES.get(source.table)
    for label, name in source.columns.items():
        column = table.column(name) if table is not None else None
        yield f'  "{label}" is {name}' + (f": {column.doc.rstrip('.')}." if column else ".")
    for name, labels in source.first_of.items():
        yield f"  {name} is the first that is not empty of {_quoted(labels)}."
    for name, value in source.constants.items():
        yield f'  {name} is "{value}" in every row.'
    if source.key:
        key = table.key if table is not None else "the key"
        yield f"  {key} is made of {_quoted(source.key)}."
    if source.repeats == "expected":
        yield "  Rows with the same key are expected; the first is used."


def _reading(source: Source) -> Iterator[str]:
    if "ask" in (*source.date_format, *source.timestamp_format):
        yield "  How days are written, nobody has said yet."
    else:
        days, times = _examples(source.date_format), _examples(source.timestamp_format)
        yield f"  Days are written like {days}, times like {times}."
    yield f"  Decimals stand behind a {'point' if source.decimal == '.' else 'comma'}."
    if source.time_zone:
        yield f"  Times without a zone are those of {source.time_zone}."
    if source.epoch == 1904:
        yield "  Serial numbers of days count from 1904."
    for sign, code in source.signs.items():
        yield f"  {sign} stands for {code}."
    if source.nulls:
        yield f"  A cell with {_quoted(source.nulls, 'or')} is empty."
    for name, formats in source.formats.items():
        said = [f"{what} {_shown(value)}" for what, value in _own(formats)]
        yield f"  {name} is written its own way: {', '.join(said)}."


def _own(formats: Formats) -> Iterator[tuple[str, Any]]:
    words = {
        "date_format": "days like",
        "timestamp_format": "times like",
        "time_zone": "the time zone",
        "decimal": "decimals behind",
        "percent": "plain numbers are",
    }
    for key, value in formats.model_dump(exclude_none=True).items():
        if key == "percent":
            value = "shares (0.85)" if value == "share" else "hundredths (85 means 85 %)"
        yield words.get(key, key), _examples(value) if isinstance(value, tuple) else value


def _values(values: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for name, words in values.items():
        by_value: dict[str, list[str]] = defaultdict(list)
        for word, value in words.items():
            by_value[value].append("any other word" if word == "*" else f'"{word}"')
        for value, these in by_value.items():
            yield f"  {name} is {value} for {', '.join(these)}."


def _credit(credit: Credit) -> str:
    if credit.credit_column is not None:
        words = ", ".join(f'"{word}" gives {value}' for word, value in credit.credits.items())
        given = f'the credit that "{credit.credit_column}" names ({words})'
    else:
        given = f"{credit.credit} credit"
    out = f'Whoever stands in "{credit.column}", by {_MATCHES[credit.match]}, gets {given}'
    out += f'; several are parted by "{_sign(credit.separator)}"' if credit.separator else ""
    out += f', and divide it as "{credit.split}" says' if credit.split else ", and divide it evenly"
    if credit.when != AllOf():
        out += f", where {_filter(credit.when)}"
    return f"{out}."


def _left_out(source: Source) -> Iterator[str]:
    if source.where != AllOf():
        yield f"Only rows are taken where {_filter(source.where)}."
    if source.ignore:
        yield f"Not read: {_quoted(source.ignore)}."


def _filter(node: Filter) -> str:
    if isinstance(node, Compare):
        if node.op == "is_null":
            return f'"{node.column}" is {"empty" if node.value else "filled"}'
        return f'"{node.column}" {_OPERATORS[node.op].format(_operand(node))}'
    if isinstance(node, Not):
        return f"it is not so that {_filter(node.item)}"
    word = " or " if isinstance(node, AnyOf) else " and "
    return word.join(map(_filter, node.items))


def _operand(node: Compare) -> str:
    if not isinstance(node.value, tuple | list):
        return _shown(node.value)
    return (" and " if node.op == "between" else ", ").join(map(_shown, node.value))


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return _joined([_shown(each) for each in value])
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _sign(text: str) -> str:
    return {"\n": "line ends", "\t": "tabs"}.get(text, text)


def _quoted(texts: tuple[str, ...], word: str = "and") -> str:
    return _joined([f'"{text}"' for text in texts], word)


def _joined(parts: list[str], word: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _examples(forms: tuple[str, ...]) -> str:
    return _joined([_example(form) for form in forms], "or")


def _example(form: str) -> str:
    """What the 30 September 2026, 14:05, looks like in a format, whatever the machine's language."""
    hour = _EXAMPLE.hour % 12 or 12
    parts = {
        "Y": "2026",
        "y": "26",
        "m": "09",
        "d": "30",
        "b": _MONTHS[8],
        "B": "September",
        "H": "14",
        "I": f"{hour:02}",
        "M": "05",
        "S": "09",
        "f": "000",
        "p": "PM",
        "z": "Z",
        "%": "%",
    }
    out, signs = "", iter(form)
    for sign in signs:
        key = next(signs, "") if sign == "%" else ""
        key = next(signs, "") if key == "-" else key
        out += parts.get(key, "") if sign == "%" else sign
    return out
