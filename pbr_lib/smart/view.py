"""How findings on goals read: lines for the terminal, JSON, a table; apart, because the same facts are told in three
places, and thousands of partners with one fault are one line to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pbr_lib.blocks import Cell, Column, Status, Table
from pbr_lib.model import Amount, Unit
from pbr_lib.smart.rules import LETTERS, RULES, Found

__all__ = ["Group", "as_json", "grouped", "lines", "reference", "table"]

_RANK = {"error": 0, "warning": 1, "info": 2}
_STATES = {
    "error": Status("error", "▼", "bad"),
    "warning": Status("warning", "◆", "warn"),
    "info": Status("remark", "○", "neutral"),
}
_SHOWN = 60


@dataclass(frozen=True)
class Group:
    """Findings of one rule on one goal or metric: the first of them stands for all.

    ``alike`` says whether all of them read the same, or differ in their numbers.
    """

    first: Found
    partners: tuple[str, ...]
    alike: bool

    @property
    def whom(self) -> str:
        """``P-001 and 37 more``; empty where no partner is concerned."""
        if not self.partners:
            return ""
        more = len(self.partners) - 1
        name = self.partners[0]
        if not more:
            return name
        return f"{name} and {more:,} more" if self.alike else f"{name}; {more:,} more with figures of their own"


def grouped(found: Iterable[Found]) -> tuple[Group, ...]:
    """Findings that one remedy mends, together; the gravest first, then in the order of rules and first occurrence."""
    groups: dict[tuple[str, ...], list[Found]] = {}
    for one in found:
        # Without a partner each finding is its own: two places of one definition are mended apart.
        place = "" if one.partner_id else one.what
        groups.setdefault((one.rule, one.goal, one.metric, one.fix, place), []).append(one)
    made = [
        Group(
            each[0], tuple(dict.fromkeys(o.partner_id for o in each if o.partner_id)), len({o.what for o in each}) == 1
        )
        for each in groups.values()
    ]
    return tuple(sorted(made, key=lambda group: (_RANK[group.first.severity], group.first.order)))


def lines(found: Sequence[Found], every: bool = False) -> Iterator[str]:
    """Findings for a terminal: each group in two lines, what is wrong and how it is mended.

    Remarks of severity info are counted and not listed, unless ``every`` is set.
    """
    groups = grouped(found)
    if not groups:
        yield "Every goal is specific, measurable, attainable, relevant and time-bound."
        return
    shown = [group for group in groups if every or group.first.severity != "info"]
    for group in shown[: None if every else _SHOWN]:
        one = group.first
        whom = f" ({group.whom})" if group.whom else ""
        place = f"{one.where}: " if one.where else ""
        yield f"{one.severity}: {one.rule} {place}{one.sentence}{whom}"
        yield f"  → {one.fix}"
    more = len(shown) - _SHOWN
    if more > 0 and not every:
        yield f"and {more} more; --all shows everything"
    quiet = len(groups) - len(shown)
    if quiet:
        yield f"{quiet} {'remark' if quiet == 1 else 'remarks'} of no concern; --all shows them"


def as_json(found: Sequence[Found], quarter: str = "") -> dict[str, Any]:
    """Every finding as plain JSON values, each on its own, with the rules that were broken."""
    broken = {one.rule for one in found}
    rules = {name: rule for name, rule in RULES.items() if name in broken}
    return {
        "version": 1,
        "quarter": quarter,
        "counts": {name: sum(one.severity == name for one in found) for name in _RANK},
        "rules": {
            name: {"letter": rule.letter, "severity": rule.severity, "asks": rule.asks} for name, rule in rules.items()
        },
        "findings": [
            {
                "rule": one.rule,
                "letter": one.letter,
                "severity": one.severity,
                "what": one.what,
                "where": one.where,
                "fix": one.fix,
                "goal": one.goal or None,
                "metric": one.metric or None,
                "partner_id": one.partner_id or None,
            }
            for one in found
        ],
    }


def table(found: Sequence[Found]) -> Table:
    """Findings as a table that shows itself; ``table(...).frame`` is a frame with a row for each finding group."""
    columns = (
        Column("state", "Severity", "status"),
        Column("rule", "Rule"),
        Column("subject", "Goal or metric", width=1.4),
        Column("what", "What is wrong", width=4.4),
        Column("whom", "Partners", width=1.2),
        Column("fix", "How to mend it", width=2.4),
        Column("place", "Where", width=1.4),
        Column("where", "File and row", sheet_only=True),
        Column("letter", "Asks", sheet_only=True),
        Column("count", "Number of partners", "amount", sheet_only=True),
        Column("partners", "All partners", sheet_only=True),
    )
    rows = tuple(_row(group) for group in grouped(found))
    caption = "Where many partners are concerned, sentence and place are those of the first."
    empty = "Every goal is specific, measurable, attainable, relevant and time-bound."
    return Table("smart", columns, rows, "SMART checks", caption if rows else "", empty, print_rows=_SHOWN)


def _short(where: str) -> str:
    """A place in as few words as tell it: the row of the quarter's file, else the name of the file.

    What else a place says, the finding's goal or metric says as well, and on a page it would narrow the sentence.
    """
    file, _, rest = where.removeprefix("params/").partition(", ")
    return rest if file.startswith("goals/") and rest else file.removeprefix("goals/")


def _row(group: Group) -> tuple[Cell, ...]:
    one = group.first
    return (
        _STATES[one.severity],
        one.rule,
        one.goal or one.metric or None,
        one.what,
        group.whom or None,
        one.fix,
        _short(one.where) or None,
        one.where or None,
        LETTERS[one.letter],
        Amount(Decimal(len(group.partners)), Unit("count")) if group.partners else None,
        ", ".join(group.partners) or None,
    )


def reference() -> str:
    """Every rule as Markdown, a section with a table for each letter: what the page of reference holds."""
    parts = []
    for letter, asks in LETTERS.items():
        rows = [rule for rule in RULES.values() if rule.letter == letter]
        body = [f"| {rule.id} | {rule.severity} | {rule.asks} | {rule.fix} |" for rule in rows]
        head = ["| Rule | Severity | It holds when | When it does not |", "|---|---|---|---|"]
        parts.append("\n".join([f"## {letter}: {asks}", "", *head, *body]))
    return "\n\n".join(parts)
