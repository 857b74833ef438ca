"""What is odd about claims, in words; apart, because a programme has millions of claims and a reader little time.

What is alike is told once, with how often and where first. A partner is named only where nobody else is concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from pbr_lib.credit_rules import CREDITS, Divided, Standing
from pbr_lib.crosswalk import Crosswalk
from pbr_lib.model import Finding, Severity
from pbr_lib.naming import MIRRORED_ROW, NO_RECORD_ROW, SEVERAL_ROW, STRANGER_ROW, UNKNOWN_RECORD_ROW, Words
from pbr_lib.shares import Numbers

__all__ = ["Faults"]

_EXAMPLES = 8
_CALLED = {"any": "id, account, name or domain"}


class _Fault(NamedTuple):
    severity: Severity
    what: str
    fix: str
    rule: str = ""


_LEAVE = "nothing, or filter them out under where: in the mapping"
_ROWS = {
    NO_RECORD_ROW: _Fault("info", "rows that name no record (they relate two accounts) give no credit", _LEAVE),
    UNKNOWN_RECORD_ROW: _Fault(
        "warning",
        "credit for records that no export holds is set aside",
        "export the records too, or from the same day",
        "REF",
    ),
    MIRRORED_ROW: _Fault(
        "info", "rows that name the customer as its own partner (mirrored ones) give no credit", _LEAVE
    ),
}
_DIVIDED = {"sourced": "AT1", "influenced": "AT2", "resold": "AT4", "delivered": "AT4"}


@dataclass
class Faults:
    """Collects what is told of claims."""

    words: Words
    whole: pa.Table = field(repr=False)
    partner_ids: pa.StringArray
    found: list[Finding] = field(default_factory=list)

    def told(self) -> tuple[Finding, ...]:
        """Everything told, in an order of its own."""
        return tuple(sorted(self.found, key=lambda one: (one.rule, one.file, one.column, one.what, one.row or 0)))

    def aside(self, reason: Numbers, book: Crosswalk) -> None:
        """Claims that name no known record or partner; an unmapped word for the credit is told where it is read."""
        for number, fault in _ROWS.items():
            for rows in self._groups(np.flatnonzero(reason == number), ("file", "column")):
                self._tell(fault, rows, self._text("subject_id", rows[0]))
        for number in (STRANGER_ROW, SEVERAL_ROW):
            self._strangers(np.flatnonzero(reason == number), number == SEVERAL_ROW, book)

    def overridden(self, rows: Numbers) -> None:
        """Leads whose opportunity has credit of its own (AT7)."""
        what = "these leads' credit stays with the lead: the opportunity has credit of the same kind of its own"
        fix = "nothing, if the opportunity is right; else correct its partner in the CRM"
        for group in self._groups(rows, ("file", "column")):
            self._tell(_Fault("info", what, fix, "AT7"), group, self._text("subject_id", group[0]))

    def both(self, gone: Standing) -> None:
        """Influence of a partner who has the sourced credit (AT3)."""
        what = "a partner has sourced and influenced credit of the same record; influenced is set aside"
        fix = "name the partner in one of the two columns"
        for group, partner in self._with_partners(gone):
            self._tell(_Fault("warning", what, fix, "AT3"), group, self._text("subject_id", group[0]), partner)

    def divided(self, standing: Standing, parts: Divided) -> None:
        """Given shares that do not add up, are no shares, or leave others out (AT1, AT2, AT4)."""
        fix = "give the partners of each record shares that add up to 100 %"
        for credit, name in enumerate(CREDITS):
            mine = standing.credit == credit
            for mask, what in (
                (parts.scaled, f"{name} shares of a record do not add up to 100 %; brought to 100 % in proportion"),
                (parts.evened, f"{name} shares of a record leave nothing for another partner of it; divided evenly"),
                (standing.given < -1, f"a {name} share is no number from 0 to 1; divided evenly"),
            ):
                if not (mine & mask).any():
                    continue
                for group, partner in self._with_partners(standing.take(mine & mask)):
                    text = self._text("subject_id", group[0])
                    self._tell(_Fault("warning", what, fix, _DIVIDED[name]), group, text, partner)

    def _strangers(self, rows: Numbers, several: bool, book: Crosswalk) -> None:
        for group in self._groups(rows, ("file", "column", "credit_type", "match")):
            by_name = list(self._groups(group, ("reference",)))
            by_name.sort(key=lambda one: (-len(one), self.words.word("reference", one[0])))
            shown = {self.words.word("reference", one[0]): one for one in by_name[:_EXAMPLES]}
            near = {} if several else {one.reference: one.fix for one in book.suggestions(list(shown))}
            match = self.words.word("match", group[0])
            what = f"no partner has this {_CALLED.get(match, match)}; its {{}} credit is set aside"
            fix = "add the partner to the partner list, or correct the cell in the CRM"
            if several:
                what = f"several partners have this {_CALLED.get(match, match)}; its {{}} credit is set aside"
                fix = "give each partner its own, or say in params/crosswalk.csv which one is meant"
            what = what.format(self.words.word("credit_type", group[0]))
            for name, one in sorted(shown.items()):
                self._tell(_Fault("warning", what, near.get(name, fix)), one, name)
            if rest := by_name[_EXAMPLES:]:
                more = np.concatenate(rest)
                more = more[np.argsort(self.words.place[more], kind="stable")]
                words = f"{what} ({len(rest)} more)"
                self._tell(_Fault("warning", words, fix), more, self.words.word("reference", more[0]))

    def _with_partners(self, claims: Standing) -> Iterator[tuple[Numbers, str]]:
        """Groups of claims by place, with the partner where there is only one."""
        order = np.argsort(claims.at, kind="stable")
        at, partner = claims.at[order], claims.partner[order]
        for group in self._groups(claims.at, ("file", "column")):
            few = np.unique(partner[np.searchsorted(at, group)])
            yield group, self.partner_ids[int(few[0])].as_py() if len(few) == 1 else ""

    def _groups(self, rows: Numbers, columns: Iterable[str]) -> Iterator[Numbers]:
        """The rows that agree in those columns, each group in the order of files and rows."""
        if not len(rows):
            return
        rows = rows[np.argsort(self.words.place[rows], kind="stable")]
        key = np.zeros(len(rows), np.int64)
        for name in columns:
            key = key * (len(self.words.values[name]) + 1) + self.words.codes[name][rows] + 1
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(key[order]) != 0))
        yield from np.split(rows[order], starts[1:])

    def _text(self, column: str, row: Any) -> str:
        return str(self.whole[column][int(row)].as_py() or "")

    def _tell(self, fault: _Fault, rows: Numbers, value: str, partner: str = "") -> None:
        row = self.whole["row"][int(rows[0])].as_py()
        place = (self.words.word("file", rows[0]), row, self.words.word("column", rows[0]))
        told = Finding(fault.severity, fault.what, *place, value[:80], fault.fix, len(rows), partner, fault.rule)
        self.found.append(told)
