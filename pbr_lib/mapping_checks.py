"""Whether mappings fit the normalised tables; apart, because this needs grammar and tables at once, and no export.

What only the export can tell (is the column there, is every stage mapped) is judged where it is read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from pbr_lib.errors import InputError, did_you_mean
from pbr_lib.mapping import Source, Stamp
from pbr_lib.schema import TABLES, TableSpec
from pbr_lib.yamlfile import Document, Place

__all__ = ["check_source", "check_sources"]


def check_source(source: Source, document: Document) -> list[InputError]:
    """Faults of a mapping against the normalised table that it fills."""
    table = TABLES.get(source.table)
    if table is None:
        fix = did_you_mean(source.table, list(TABLES))
        return [document.fault(("table",), f'no table is called "{source.table}"', fix)]
    out: list[InputError] = []
    taken: dict[str, str] = {}
    for label, name in source.columns.items():
        place: Place = ("columns", label)
        if table.column(name) is None:
            out.append(document.fault(place, f'{table.name} has no column "{name}"', did_you_mean(name, table.names)))
        elif name in taken:
            fix = "map one of them, list the other under ignore"
            out.append(document.fault(place, f'"{taken[name]}" fills {name} already', fix))
        taken.setdefault(name, label)
    filled = {*source.columns.values(), *source.constants}
    for column in table.columns:
        # A misspelt column is told already; that its right name is missing would be the same fault again.
        if column.required and column.name not in filled and not out:
            fix = f'add "<label in the export>: {column.name}" to columns'
            out.append(document.fault(("columns",), f"{table.name} needs {column.name} ({column.doc})", fix))
    out += _check_constants(source, table, document)
    out += _check_values(source, table, document) if not out else []
    out += _check_formats(source, document)
    if source.attribution and not table.credited:
        out.append(document.fault(("attribution",), f"{table.name} carries no credit", "remove this key"))
    return out


def check_sources(sources: Mapping[str, Source], documents: Mapping[str, Document]) -> list[InputError]:
    """Faults that show only when all mappings are seen together: who fills the partner list, and with what."""
    lists = [source for source in sources.values() if source.table == "partners"]
    if not lists:
        fix = "add a mapping with table: partners for the list of partners"
        return [InputError("no source fills the table partners", "params/sources", fix)]
    filled = {name for source in lists for name in source.columns.values()}
    lost = [
        (name, index, credit.match)
        for name, source in sources.items()
        for index, credit in enumerate(source.attribution)
        if credit.match not in filled
    ]
    if not lost:
        return []
    name, index, match = lost[0]
    what = f"credit is found by {match}, which the partner list does not fill"
    fix = f"map {match} in the partner list, or write match: partner_id or match: name here"
    return [documents[name].fault(("attribution", index), what, fix)]


def _check_constants(source: Source, table: TableSpec, document: Document) -> list[InputError]:
    out = []
    for name, value in source.constants.items():
        column, place = table.column(name), ("constants", name)
        if column is None:
            out.append(document.fault(place, f'{table.name} has no column "{name}"', did_you_mean(name, table.names)))
        elif name in source.columns.values():
            out.append(document.fault(place, f"a column of the export fills {name} already", "remove one of the two"))
        elif column.kind != "text":
            what = f"a constant is text, {name} is {column.kind_text}"
            out.append(document.fault(place, what, "map a column of the export to it"))
        elif column.values and value not in column.values:
            out.append(document.fault(place, f'{name} is never "{value}"', did_you_mean(value, column.values)))
    return out


def _check_values(source: Source, table: TableSpec, document: Document) -> list[InputError]:
    out = []
    for name, mapping in source.values.items():
        column = table.column(name)
        if column is None or name not in source.columns.values():
            what = f'{table.name} has no column "{name}"' if column is None else f"no column of the export fills {name}"
            out.append(document.fault(("values", name), what, did_you_mean(name, list(source.columns.values()))))
            continue
        if column.kind != "text":
            what = f"values translates text, {name} is {column.kind_text}"
            out.append(document.fault(("values", name), what, "remove it; numbers and days are read as they are"))
        for label, value in mapping.items():
            if column.values and value not in column.values:
                fix = did_you_mean(value, column.values)
                out.append(document.fault(("values", name, label), f'{name} knows no "{value}"', fix))
    return out


def _check_formats(source: Source, document: Document) -> list[InputError]:
    """Formats that cannot be read with, which would show only far from here."""
    out = []
    stamp = [("as_of", "format", source.as_of.format)] if isinstance(source.as_of, Stamp) else []
    formats = [("date_format", source.date_format), ("timestamp_format", source.timestamp_format), *stamp]
    for *place, form in formats:
        try:
            read = dt.datetime.strptime(dt.datetime(2026, 9, 30, 14, 5).strftime(form), form)
        except (ValueError, re.error):
            read = None
        if read is None or read.date() != dt.date(2026, 9, 30):
            fix = "write one with year, month and day, e.g. %Y-%m-%d, %d.%m.%Y or %m/%d/%Y"
            out.append(document.fault(tuple(place), f'"{form}" gives no day', fix))
    if source.delimiter in '\r\n"':
        out.append(document.fault(("delimiter",), "this sign cannot part columns", 'write "," or ";" or "\\t"'))
    return out
