"""What a check found, as the analyst sees it; apart, because a check looks at everybody's data and so never stands
in a pack, yet shows itself with the same blocks.

A :class:`Check` only lays out what ``slices.check`` found. Its tables are those of a review: shown in a notebook,
printed by the exporters, and handed on as frames.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pbr_lib import checktables, sumtables
from pbr_lib.blocks import Card, Cards, Cover, Status, Table
from pbr_lib.model import Finding, count_of, date_text, named

if TYPE_CHECKING:
    from pbr_lib.slices import Checked

__all__ = ["Check"]

_RANK = {"error": 0, "warning": 1, "info": 2}
# Every finding about a change ends a clause with these words; drift has a test that holds it to them.
_CHANGED = "the last load"


@dataclass(frozen=True)
class Check:
    """What a check of params and exports found; shown, it is a summary of the whole."""

    checked: Checked = field(repr=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.cover._repr_mimebundle_()

    def __repr__(self) -> str:
        return f"Check of {self.quarter}, data as of {date_text(self.as_of)}: {self._tally()}"

    # ------------------------------------------------------------------------------------------ summary

    @property
    def quarter(self) -> str:
        """The quarter's label."""
        return self.checked.ready.quarter

    @property
    def as_of(self) -> dt.date:
        """The day up to which the data speak."""
        return dt.date.fromisoformat(self.checked.ready.as_of)

    @property
    def cover(self) -> Cover:
        """Which quarter, as of when, and how grave what was found is."""
        facts = (
            ("Data as of", date_text(self.as_of)),
            ("Partners", f"{len(self.checked.ready.partners):,}"),
            ("Exports", f"{len(self._present)} of {len(self._extracts)}"),
            ("Findings", self._tally()),
        )
        meta = {
            "partner": "Check of the data",
            "quarter": self.quarter,
            "as_of": self.checked.ready.as_of,
            "as_of_text": date_text(self.as_of),
            "edition": "internal",
            "language": "en",
            "confidential": "Internal · holds data of every partner",
        }
        return Cover("Check of the data", "Partner Business Review", self.quarter, meta, facts=facts)

    @property
    def scorecard(self) -> Cards:
        """Cards: exports that arrived, rows that count, and what is to be mended."""
        read, used = (sum(int(e[key]) for e in self._extracts) for key in ("rows_read", "rows_used"))
        missing = len(self._extracts) - len(self._present)
        whole = all(checktables.balanced(extract) for extract in self._extracts)
        account = checktables.ADDS_UP if whole else checktables.OFF
        errors, warnings = (self._number(severity) for severity in ("error", "warning"))
        graver = f"{named(errors, 'error')}, {named(warnings, 'warning')}"
        worst = "error" if errors else "warning" if warnings else ""
        arrived = Status(f"{missing} not provided", "○", "neutral") if missing else Status("all there", "●", "good")
        mend = checktables.SEVERITIES[worst] if worst else Status("nothing to mend", "●", "good")
        return Cards(
            (
                Card("Exports that arrived", count_of(len(self._present)), (f"of {len(self._extracts)}",), arrived),
                Card("Rows used", count_of(used), (f"of {read:,} read",), account),
                Card(
                    "To be mended",
                    count_of(errors + warnings),
                    (graver,),
                    mend,
                ),
            ),
            name="check",
        )

    # ------------------------------------------------------------------------------------------- tables

    @property
    def files(self) -> Table:
        """Each file that was read: rows, how it was read, and the days that it speaks of."""
        return checktables.file_table(self._extracts)

    @property
    def accounting(self) -> Table:
        """For each export: rows read = rows used + rows set aside, each with its reason; then the claims of credit."""
        return checktables.account_table(self._extracts, self.checked.claims)

    @property
    def findings(self) -> Table:
        """What is odd, where, how often, and how it is mended; the gravest and most frequent first."""
        empty = "Nothing is odd."
        return checktables.finding_table("Findings", sorted(self.checked.ready.findings, key=_gravity), empty)

    @property
    def drift(self) -> Table:
        """What changed in the exports since they were last read: columns, words, and numbers of rows."""
        changed = sorted((f for f in self.checked.ready.findings if _CHANGED in f.what), key=_gravity)
        return checktables.finding_table(
            "Changes", changed, "Nothing changed since the last load, or this was the first."
        )

    @property
    def coverage(self) -> Table:
        """How much of each quarter each export covers."""
        fresh = {extract["source"] for extract in self._extracts if extract["as_of"] == self.checked.ready.as_of}
        return checktables.coverage_table(self.checked.coverage, self._extracts, fresh)

    # --------------------------------------------------------------------------------------------- sums

    @property
    def reconciliation(self) -> Table:
        """What was won in each quarter: total = sourced + influenced only + unattributed; resold is its own cut."""
        return sumtables.quarter_table(self.checked.reconciliation)

    @property
    def currencies(self) -> Table:
        """The same in the currencies of the deals, to the cent: what the CRM's own report must say."""
        return sumtables.currency_table(self.checked.reconciliation)

    @property
    def ways(self) -> Table:
        """What was won in the quarter by credit, summed in three ways: each deal once, shares, and full amounts."""
        return sumtables.way_table(self.checked.reconciliation, self.quarter)

    @property
    def apart(self) -> Table:
        """Won deals that no figure in the reporting currency holds, and why."""
        return sumtables.apart_table(self.checked.reconciliation)

    # ------------------------------------------------------------------------------------------- pieces

    @property
    def _extracts(self) -> tuple[Mapping[str, Any], ...]:
        return self.checked.ready.extracts

    @property
    def _present(self) -> list[Mapping[str, Any]]:
        return [extract for extract in self._extracts if extract["as_of"] is not None]

    def _number(self, severity: str) -> int:
        return sum(finding.severity == severity for finding in self.checked.ready.findings)

    def _tally(self) -> str:
        words = {"error": "error", "warning": "warning", "info": "remark"}
        return ", ".join(named(self._number(severity), word) for severity, word in words.items())


def _gravity(one: Finding) -> tuple[Any, ...]:
    place = (one.file, one.row or 0, one.column)
    return (_RANK[one.severity], -one.count, *place, one.rule, one.what, one.value, one.partner_id)
