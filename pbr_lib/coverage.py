"""Which export covers which days, quarter by quarter; apart, because a zero may be asserted only where an export
reaches, and people want to see at a glance where one is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pbr_lib.extracts import Extract
from pbr_lib.periods import Quarter

__all__ = ["Covered", "calendar"]

State = Literal["whole", "part", "none"]


@dataclass(frozen=True)
class Covered:
    """How much of one quarter one source covers: ``share`` of its days, from 0 to 1."""

    source: str
    table: str
    quarter: str
    state: State
    share: float

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return dict(vars(self)) | {"share": round(self.share, 4)}


def calendar(extracts: Iterable[Extract], quarters: Sequence[Quarter]) -> Iterator[Covered]:
    """A row for each source and quarter, sources by name and quarters in their order."""
    for extract in sorted(extracts, key=lambda one: one.source):
        for quarter in quarters:
            yield _covered(extract, quarter)


def _covered(extract: Extract, quarter: Quarter) -> Covered:
    days = (quarter.end - quarter.start).days
    if extract.as_of is None:
        return Covered(extract.source, extract.table, quarter.label, "none", 0.0)
    first, last = max(extract.covers_from, quarter.start), min(extract.as_of, quarter.last_day)
    covered = max((last - first).days + 1, 0)
    state: State = "whole" if covered == days else "part" if covered else "none"
    return Covered(extract.source, extract.table, quarter.label, state, covered / days)
