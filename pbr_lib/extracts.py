"""What an export says of itself: how far it reaches and what became of its rows; apart, because measuring asserts a
zero on this evidence, and people read it as row accounting and as a calendar of what is covered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Extract"]


@dataclass(frozen=True)
class Extract:
    """What one mapping gave, and how far its export reaches: the evidence for a true zero.

    ``as_of`` is the last day that it covers, ``covers_from`` the first; both inclusive. ``rows_read`` is
    ``rows_used`` plus every count of ``aside``. ``facts`` says how the file was read (format, encoding, ...),
    ``files`` which files there were, with their fingerprints and rows.
    """

    source: str
    table: str
    file: str
    about: str
    as_of: dt.date | None
    covers_from: dt.date
    sha256: str = ""
    rows_read: int = 0
    rows_used: int = 0
    aside: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Mapping[str, Any], ...] = ()

    @property
    def present(self) -> bool:
        """Whether the export was there at all."""
        return self.as_of is not None

    @property
    def balanced(self) -> bool:
        """Whether every row read was used or set aside with a reason."""
        return self.rows_read == self.rows_used + sum(self.aside.values())

    def as_json(self) -> dict[str, Any]:
        """The extract as plain JSON values."""
        return {
            "source": self.source,
            "table": self.table,
            "file": self.file,
            "about": self.about,
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
            "covers_from": self.covers_from.isoformat(),
            "sha256": self.sha256,
            "rows_read": self.rows_read,
            "rows_used": self.rows_used,
            "set_aside": dict(self.aside),
            "facts": dict(self.facts),
            "files": [dict(each) for each in self.files],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Extract:
        """The extract that :meth:`as_json` wrote."""
        day = value["as_of"]
        return cls(
            value["source"],
            value["table"],
            value["file"],
            value["about"],
            None if day is None else dt.date.fromisoformat(day),
            dt.date.fromisoformat(value["covers_from"]),
            value["sha256"],
            value["rows_read"],
            value["rows_used"],
            value["set_aside"],
            value["facts"],
            tuple(value["files"]),
        )
