"""What changed in an export since it was last taken in; apart, because a report that lost a column or half of its
rows reads without an error, and only the one before it tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pbr_lib.mapping import Source
from pbr_lib.model import Finding

__all__ = ["findings"]

_SHRUNK = 0.1


def findings(name: str, source: Source, profile: Mapping[str, Any]) -> Iterator[Finding]:
    """What changed, under the rule DRIFT: columns gone or new, words never seen before, fewer rows than last time.

    Parameters
    ----------
    name, source:
        The mapping.
    profile:
        ``now`` and ``before`` (None the first time): labels, number of rows, and the words of translated columns.
    """
    now, before = profile.get("now"), profile.get("before")
    for finding in _changes(name, source, now, before) if now and before else ():
        yield replace(finding, rule="DRIFT")


def _changes(name: str, source: Source, now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Finding]:
    place = source.origin
    for label in before["labels"]:
        if label not in now["labels"]:
            fix = "nothing, if the report was changed on purpose"
            yield Finding("warning", "this column is gone since the last load", place, column=label, fix=fix)
    for label in now["labels"]:
        if label not in before["labels"]:
            fix = f"map it in params/sources/{name}.yaml if it is of use"
            yield Finding("info", "this column is new since the last load", place, column=label, fix=fix)
    yield from _rows(place, now["rows"], before["rows"])
    for column, words in now["values"].items():
        known = before["values"].get(column)
        for word, count in words.items() if known else ():
            if word not in known:
                yield Finding("info", "this word is new since the last load", place, None, column, word[:80], "", count)


def _rows(place: str, now: int, before: int) -> Iterator[Finding]:
    if now < before * (1 - _SHRUNK):
        what = f"{now:,} rows, {before:,} at the last load: {(before - now) / before:.0%} fewer"
        fix = "check the report's filters; an export that was cut loses rows without a word"
        yield Finding("warning", what, place, fix=fix)
    elif now != before:
        yield Finding("info", f"{now:,} rows, {before:,} at the last load", place)
