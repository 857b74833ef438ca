"""Whether the columns of an export are those that its mapping reads; apart, because a missing column stops a run,
an unused one is only told, and both need the words of the file beside those of the mapping.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pbr_lib.cells import Cells
from pbr_lib.definitions import AllOf, columns_of
from pbr_lib.errors import SourceError, did_you_mean
from pbr_lib.mapping import Source
from pbr_lib.model import Finding
from pbr_lib.reading import Batch, RawTable

__all__ = ["Headings"]


class Headings:
    """Where each label of a mapping stands in a table.

    Raises
    ------
    SourceError
        When a label is missing, with near matches, or stands there twice.
    """

    def __init__(self, table: RawTable, source: Source, mapping: str) -> None:
        self.table, self.mapping = table, mapping
        wanted = wanted_labels(source)
        self._at = {label: place for label in wanted if (place := self._place(label)) is not None}
        missing = [label for label in wanted if label not in self._at]
        if missing:
            raise self._missing(missing)
        self.findings = tuple(self._told(source))

    def cells(self, batch: Batch) -> dict[str, Cells]:
        """The cells of a batch by the mapping's labels."""
        return {label: batch.columns[place] for label, place in self._at.items()}

    def _place(self, label: str) -> int | None:
        """The column of that label: the very same, else the only one that differs in case or spaces alone."""
        exact = [i for i, each in enumerate(self.table.labels) if each == label]
        if len(exact) > 1:
            fix = "rename one of the two columns in the report and export again"
            raise SourceError(f'the column "{label}" stands there twice', self._where, fix)
        if exact:
            return exact[0]
        alike = [i for i, each in enumerate(self.table.labels) if _folded(each) == _folded(label)]
        return alike[0] if len(alike) == 1 else None

    @property
    def _where(self) -> str:
        row = f", row {self.table.header_row}" if self.table.header_row else ""
        return self.table.place + row

    def _missing(self, missing: list[str]) -> SourceError:
        spare = [each for i, each in enumerate(self.table.labels) if i not in self._at.values()]
        hints = "; ".join(f'"{label}" ({did_you_mean(label, spare)})' for label in missing[:6])
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        what = f"{'a column is' if len(missing) == 1 else f'{len(missing)} columns are'} missing: {hints}{more}"
        fix = f"add the column to the report and export again, or correct the label in {self.mapping}"
        return SourceError(what, self._where, fix)

    def _told(self, source: Source) -> Iterator[Finding]:
        place = self.table.place
        for label, at in self._at.items():
            seen = self.table.labels[at]
            if seen != label:
                what = f'the mapping calls this column "{label}"'
                yield Finding("info", what, place, column=seen, fix=f"write it as it stands in {self.mapping}")
        known = set(self._at.values())
        ignored = {_folded(label) for label in source.ignore}
        for at, label in enumerate(self.table.labels):
            if at not in known and _folded(label) not in ignored:
                fix = f"list it under ignore in {self.mapping}, or map it"
                yield Finding("info", "this column is not used", place, column=label, fix=fix)


def wanted_labels(source: Source) -> tuple[str, ...]:
    """Every label that a mapping reads, filters included."""
    filters = [source.where, *(credit.when for credit in source.attribution)]
    named = [leaf.column for node in filters if node != AllOf() for leaf in columns_of(node)]
    return tuple(dict.fromkeys([*source.labels, *named]))


def _folded(label: str) -> str:
    return re.sub(r"\s+", " ", label).strip().casefold()
