"""The lists that people keep beside their goals: who a partner is in other systems, and figures that no system
holds; apart, because ``params`` reads folders and these are rows.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from pbr_lib.crosswalk import Entry
from pbr_lib.csvfile import Row

__all__ = ["CROSSWALK_COLUMNS", "FACT_COLUMNS", "Fact", "crosswalk", "facts"]

CROSSWALK_COLUMNS = ("entity", "system", "given", "partner_id", "method", "decided_by", "note")
FACT_COLUMNS = ("fact", "partner_id", "valid_on", "value", "currency", "entered_by", "entered_on", "note")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,62}")


@dataclass(frozen=True)
class Fact:
    """A figure that a person entered for one partner and one period, always shown as such."""

    fact: str
    partner_id: str
    valid_on: dt.date
    value: Decimal
    currency: str = ""
    entered_by: str = ""
    entered_on: dt.date | None = None
    note: str = ""
    where: str = ""


def crosswalk(rows: Iterable[Row]) -> Iterator[Entry]:
    """``params/crosswalk.csv``: what other systems, and earlier times, call a partner."""
    seen: dict[tuple[str, str], str] = {}
    for row in rows:
        entity, given, partner = row.text("entity") or "partner", row.text("given"), row.text("partner_id")
        if entity != "partner":
            row.fault("entity", f'"{entity}" is not known here', "write partner")
            continue
        if not given or not partner:
            continue
        key = (row.text("system"), given)
        if key in seen and seen[key] != partner:
            row.fault("given", f'"{given}" stands for {seen[key]} already', "keep one of the two rows")
            continue
        seen[key] = partner
        yield Entry(entity, key[0], given, partner, row.text("method") or "manual", row.text("decided_by"), row.where)


def facts(rows: Iterable[Row]) -> Iterator[Fact]:
    """``params/manual_facts.csv``: figures that no export holds."""
    seen: set[tuple[str, str, str]] = set()
    for row in rows:
        before = len(row.file.errors)
        name, currency = row.text("fact"), row.text("currency")
        if name and not _NAME.fullmatch(name):
            row.fault("fact", f'"{name}" is no name', "write small letters, digits and underscores, e.g. sponsor_met")
        if currency and not re.fullmatch(r"[A-Z]{3}", currency):
            row.fault("currency", f'"{currency}" is no currency code', "write three capitals, e.g. USD")
        day, value, entered = row.date("valid_on"), row.number("value"), row.date("entered_on")
        key = (name, row.text("partner_id"), str(day))
        if key in seen and before == len(row.file.errors):
            row.fault("fact", "this fact stands here twice for partner and day", "keep one of the two rows")
        seen.add(key)
        if day is not None and value is not None and before == len(row.file.errors):
            people = (currency, row.text("entered_by"), entered, row.text("note"))
            yield Fact(name, key[1], day, value, *people, row.where)
