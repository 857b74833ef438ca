"""Whether mappings fit the normalised tables; apart, because this needs grammar and tables at once, and no export.

What only the export can tell (is the column there, is every stage mapped) is judged where it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pbr_lib import date_formats, dialects
from pbr_lib.dates import reads_a_day
from pbr_lib.errors import InputError, did_you_mean
from pbr_lib.mapping import FileName, Formats, Newest, Oldest, Source, Stamp
from pbr_lib.schema import TABLES, TableSpec
from pbr_lib.yamlfile import Document, Place

__all__ = ["check_source", "check_sources"]

_ASK = "ask"
_MADE = {"attributions": ("attribution_id", "share")}


def check_source(source: Source, document: Document) -> list[InputError]:
    """Faults of a mapping against the normalised table that it fills."""
    table = TABLES.get(source.table)
    if table is None:
        fix = did_you_mean(source.table, [name for name, one in TABLES.items() if one.home == "export"])
        return [document.fault(("table",), f'no table is called "{source.table}"', fix)]
    if table.home != "export":
        return [document.fault(("table",), f"{table.doc} No export fills it", "write these rows there")]
    out = [*_check_columns(source, table, document)]
    out += [] if out else _check_required(source, table, document)
    out += _check_constants(source, table, document)
    out += _check_values(source, table, document) if not out else []
    out += _check_formats(source, table, document)
    out += _check_rest(source, table, document)
    return out


def check_sources(sources: Mapping[str, Source], documents: Mapping[str, Document]) -> list[InputError]:
    """Faults that show only when all mappings are seen together: what the partner list fills."""
    lists = [source for source in sources.values() if source.table == "partners"]
    if not lists:
        return []
    filled = {name for source in lists for name in source.filled}
    filled |= {"partner_id" for source in lists if source.key}
    lost: list[tuple[str, Place, str]] = [
        (name, ("attribution", index), credit.match)
        for name, source in sources.items()
        for index, credit in enumerate(source.attribution)
        if credit.match not in (*filled, "any")
    ]
    lost += [
        (name, ("partner_match",), source.partner_match)
        for name, source in sources.items()
        if source.partner_match not in (*filled, "any") and source.table != "partners"
    ]
    if not lost:
        return []
    name, place, match = lost[0]
    what = f"credit is found by {match}, which the partner list does not fill"
    fix = f"map {match} in the partner list, or write match: partner_id or match: name here"
    return [documents[name].fault(place, what, fix)]


def _check_columns(source: Source, table: TableSpec, document: Document) -> Iterator[InputError]:
    taken: dict[str, str] = {}
    named = [(("columns", label), label, name) for label, name in source.columns.items()]
    named += [(("first_of", name), ", ".join(labels), name) for name, labels in source.first_of.items()]
    for place, label, name in named:
        column = table.column(name)
        if column is None:
            yield document.fault(place, f'{table.name} has no column "{name}"', did_you_mean(name, table.names))
        elif column.computed:
            yield document.fault(place, f"{name} is computed, no export fills it", "list this label under ignore")
        elif name in taken:
            fix = f"map one of them and list the other under ignore, or write first_of: {{{name}: [label, label]}}"
            yield document.fault(place, f'"{taken[name]}" fills {name} already', fix)
        taken.setdefault(name, label)
    if source.key and table.key in taken:
        yield document.fault(("key",), f'"{taken[table.key]}" is the key already', "remove key, or that column")


def _check_required(source: Source, table: TableSpec, document: Document) -> Iterator[InputError]:
    filled = {*source.filled, *source.constants, *((table.key,) if source.key else ())}
    for column in table.mapped:
        if not column.required or column.name in filled or column.name in _MADE.get(table.name, ()):
            continue
        fix = f'add "<label in the export>: {column.name}" to columns'
        if column.name == table.key:
            fix += ", or make it of other columns with key: [label, label]"
        yield document.fault(("columns",), f"{table.name} needs {column.name} ({column.doc})", fix)


def _check_constants(source: Source, table: TableSpec, document: Document) -> Iterator[InputError]:
    for name, value in source.constants.items():
        column, place = table.column(name), ("constants", name)
        if column is None:
            yield document.fault(place, f'{table.name} has no column "{name}"', did_you_mean(name, table.names))
        elif name in source.filled:
            yield document.fault(place, f"a column of the export fills {name} already", "remove one of the two")
        elif column.kind != "text":
            what = f"a constant is text, {name} is {column.kind_text}"
            yield document.fault(place, what, "map a column of the export to it")
        elif column.values and value not in column.values:
            yield document.fault(place, f'{name} is never "{value}"', did_you_mean(value, column.values))


def _check_values(source: Source, table: TableSpec, document: Document) -> Iterator[InputError]:
    for name, mapping in source.values.items():
        column = table.column(name)
        if column is None or name not in source.filled:
            what = f'{table.name} has no column "{name}"' if column is None else f"no column of the export fills {name}"
            yield document.fault(("values", name), what, did_you_mean(name, list(source.filled)))
            continue
        if column.kind != "text":
            what = f"values translates text, {name} is {column.kind_text}"
            yield document.fault(("values", name), what, "remove it; numbers and days are read as they are")
        for label, value in mapping.items():
            if column.values and value not in column.values:
                known = ", ".join(column.values)
                what = f'{name} knows no "{value}"'
                if value == _ASK:
                    what = f'nobody has said yet what "{label}" means'
                fix = f"write one of {known}" if value == _ASK else did_you_mean(value, column.values)
                yield document.fault(("values", name, label), what, fix)


def _check_formats(source: Source, table: TableSpec, document: Document) -> Iterator[InputError]:
    """Formats that cannot be read with, which would show only far from here."""
    for key in ("date_format", "timestamp_format"):
        yield from _check_format(getattr(source, key), (key,), document)
    if isinstance(source.as_of, Stamp | FileName):
        key = "format" if isinstance(source.as_of, Stamp) else "file_name"
        form = getattr(source.as_of, key)
        if not reads_a_day(form):
            yield document.fault(("as_of", key), f'"{form}" gives no day', _EXAMPLE)
    for name, formats in source.formats.items():
        if name not in source.filled:
            fix = did_you_mean(name, list(source.filled))
            yield document.fault(("formats", name), f"no column of the export fills {name}", fix)
        yield from _check_own(formats, name, document)
    for place, zone in ((("time_zone",), source.time_zone), *_zones(source)):
        if zone and not _is_zone(zone):
            yield document.fault(place, f'"{zone}" is no time zone', "write one like Europe/Berlin or UTC")


_EXAMPLE = "write one with year, month and day, e.g. %Y-%m-%d, %d.%m.%Y or %m/%d/%Y"


def _check_own(formats: Formats, name: str, document: Document) -> Iterator[InputError]:
    for key in ("date_format", "timestamp_format"):
        yield from _check_format(getattr(formats, key) or (), ("formats", name, key), document)


def _check_format(forms: tuple[str, ...], place: Place, document: Document) -> Iterator[InputError]:
    for form in forms:
        if form == _ASK:
            fix = "write the one that holds: %d/%m/%Y where the day comes first, %m/%d/%Y where the month does"
            yield document.fault(place, "nobody has said yet how these days are written", fix)
            continue
        try:
            date_formats.compiled(form)
        except InputError:
            yield document.fault(place, f'"{form}" gives no day', _EXAMPLE)


def _zones(source: Source) -> Iterator[tuple[Place, str]]:
    for name, formats in source.formats.items():
        yield ("formats", name, "time_zone"), formats.time_zone or ""


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _check_rest(source: Source, table: TableSpec, document: Document) -> Iterator[InputError]:
    if source.dialect and source.dialect not in dialects.names():
        fix = did_you_mean(source.dialect, dialects.names())
        yield document.fault(("dialect",), f'no dialect is called "{source.dialect}"', fix)
    if source.delimiter is not None and source.delimiter in '\r\n"':
        yield document.fault(("delimiter",), "this sign cannot part columns", 'write "," or ";" or "\\t"')
    if source.attribution and not table.credited:
        yield document.fault(("attribution",), f"{table.name} carries no credit", "remove this key")
    for key, given in (("as_of", source.as_of), ("covers_from", source.covers_from)):
        if not isinstance(given, Newest | Oldest):
            continue
        name = given.newest if isinstance(given, Newest) else given.oldest
        column = table.column(name)
        days = [each.name for each in table.mapped if each.kind in ("date", "timestamp") and each.name in source.filled]
        if column is None or name not in days:
            fix = f"use one of: {', '.join(days)}" if days else "write the day itself, e.g. 2026-09-30"
            yield document.fault((key,), f"{name} holds no days of this export", fix)
