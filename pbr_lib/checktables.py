"""The tables of a check: files, row accounting, findings, coverage; apart, because a table is layout, and whoever asks
a check what it found need not read how it is set.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pbr_lib.blocks import Cell, Column, Status, Table
from pbr_lib.model import Finding, Unit, count_of, percent_text

if TYPE_CHECKING:
    from pbr_lib.coverage import Covered

__all__ = ["ADDS_UP", "OFF", "SEVERITIES", "account_table", "balanced", "coverage_table", "file_table", "finding_table"]

ADDS_UP, OFF = Status("adds up", "●", "good"), Status("does not add up", "▼", "bad")
SEVERITIES = {
    "error": Status("error", "▼", "bad"),
    "warning": Status("warning", "◆", "warn"),
    "info": Status("remark", "○", "neutral"),
}
_MISSING = Status("not provided", "○", "neutral")
_SIGNS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_COUNT = Unit("count")
_SHOWN = 60


# --------------------------------------------------------------------------------------------- exports


def file_table(extracts: Sequence[Mapping[str, Any]]) -> Table:
    """Each file of each export (as ``Extract.as_json`` gives it): rows, how it was read, the days it speaks of."""
    columns = (
        Column("file", "File", width=1.8),
        Column("state", "State", "status"),
        Column("rows", "Rows", "amount"),
        Column("read_as", "Read as", width=2.2),
        Column("covers_from", "Covers from", "date"),
        Column("as_of", "As of", "date"),
        Column("about", "Export", sheet_only=True),
        Column("source", "Mapping", sheet_only=True),
        Column("sha256", "Fingerprint", sheet_only=True),
    )
    rows = tuple(row for extract in extracts for row in _file_rows(extract))
    caption = "How far a file reaches is what its mapping says of it; after that day nothing is taken for zero."
    return Table("Files", columns, rows, caption=caption, empty="No export is described.", print_rows=_SHOWN)


def _file_rows(extract: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    told = (extract["about"], extract["source"])
    if extract["as_of"] is None:
        yield (extract["file"], _MISSING, None, None, None, None, *told, "")
        return
    read_as = _read_as(extract["facts"])
    reach = (dt.date.fromisoformat(extract["covers_from"]), dt.date.fromisoformat(extract["as_of"]))
    state = Status("read", "●", "good")
    for file in extract["files"]:
        yield (file["file"], state, count_of(file["rows"]), read_as, *reach, *told, file["sha256"])


def _read_as(facts: Mapping[str, str]) -> str | None:
    """Format, encoding and the like in words; what Dynamics says of its own columns is the mapping's business."""
    shown = {name: _SIGNS.get(value, value) for name, value in facts.items() if not name.startswith("dynamics")}
    form = shown.pop("format", "")
    return " · ".join([*filter(None, [form]), *(f"{name} {value}" for name, value in shown.items())]) or None


def account_table(extracts: Sequence[Mapping[str, Any]], claims: Mapping[str, int]) -> Table:
    """Rows read = used + set aside, for each export; then the claims of credit, where there are any."""
    columns = (
        Column("about", "Export", width=1.6),
        Column("read", "Rows read", "amount"),
        Column("used", "Used", "amount"),
        Column("aside", "Set aside", "amount"),
        Column("why", "Why set aside", width=2.2),
        Column("state", "Account", "status"),
        Column("file", "File", sheet_only=True),
        Column("source", "Mapping", sheet_only=True),
        Column("table", "Table", sheet_only=True),
        Column("read_as", "Read as", sheet_only=True),
        Column("covers_from", "Covers from", "date", sheet_only=True),
        Column("as_of", "As of", "date", sheet_only=True),
    )
    rows = [_account(extract) for extract in extracts]
    if claims.get("read"):
        rows.append(_credit_account(claims))
    caption = "Every row read is used, or set aside for a reason that stands here; else the account does not add up."
    empty = "No export is described."
    return Table("Row accounting", columns, tuple(rows), caption=caption, empty=empty, print_rows=_SHOWN)


def _account(extract: Mapping[str, Any]) -> tuple[Cell, ...]:
    name = extract["about"] or extract["file"]
    more = (extract["file"], extract["source"], extract["table"])
    if extract["as_of"] is None:
        return (name, None, None, None, None, _MISSING, *more, None, None, None)
    aside = extract["set_aside"]
    return (
        name,
        count_of(extract["rows_read"]),
        count_of(extract["rows_used"]),
        count_of(sum(aside.values())),
        _reasons(aside),
        ADDS_UP if balanced(extract) else OFF,
        *more,
        _read_as(extract["facts"]),
        dt.date.fromisoformat(extract["covers_from"]),
        dt.date.fromisoformat(extract["as_of"]),
    )


def _credit_account(claims: Mapping[str, int]) -> tuple[Cell, ...]:
    """Claims of credit, which the exports make beside their rows: each gives credit or is set aside."""
    aside = {reason: count for reason, count in claims.items() if reason not in ("read", "credited")}
    used = claims.get("credited", claims["read"] - sum(aside.values()))
    state = ADDS_UP if claims["read"] == used + sum(aside.values()) else OFF
    counts = (count_of(claims["read"]), count_of(used), count_of(sum(aside.values())))
    return ("Claims of credit in all exports", *counts, _reasons(aside), state, None, None, "attributions", *[None] * 3)


def balanced(extract: Mapping[str, Any]) -> bool:
    """Whether every row that was read was used or set aside."""
    return bool(extract["rows_read"] == extract["rows_used"] + sum(extract["set_aside"].values()))


def _reasons(aside: Mapping[str, int]) -> str | None:
    ordered = sorted(aside.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{count:,} {reason}" for reason, count in ordered if count) or None


# -------------------------------------------------------------------------------------------- findings


def finding_table(name: str, findings: Iterable[Finding], empty: str) -> Table:
    """Findings in the order given; ``empty`` is what to say when there is none."""
    found = tuple(findings)
    ruled = any(finding.rule for finding in found)
    columns = (
        Column("state", "Severity", "status"),
        Column("rule", "Rule", sheet_only=not ruled),
        Column("what", "What is odd", width=2.4),
        Column("where", "Where", width=1.8),
        Column("value", "Cell", width=1),
        Column("count", "Rows", "amount"),
        Column("fix", "How to mend it", width=2.4),
        Column("severity", "Kind", sheet_only=True),
        Column("file", "File", sheet_only=True),
        Column("row", "Row", "amount", sheet_only=True),
        Column("column", "Column", sheet_only=True),
        Column("partner_id", "Partner", sheet_only=True),
    )
    rows = tuple(_finding(finding) for finding in findings)
    caption = (
        "Where many rows are alike, the place is that of the first." if any(f[4] is not None for f in rows) else ""
    )
    return Table(name, columns, rows, caption=caption, empty=empty, print_rows=_SHOWN)


def _finding(one: Finding) -> tuple[Cell, ...]:
    return (
        SEVERITIES[one.severity],
        one.rule or None,
        one.what,
        one.where or None,
        one.value or None,
        count_of(one.count) if one.count > 1 or one.row is not None else None,
        one.fix or None,
        one.severity,
        one.file,
        None if one.row is None else count_of(one.row),
        one.column,
        one.partner_id,
    )


# -------------------------------------------------------------------------------------------- coverage


def coverage_table(covered: Sequence[Covered], extracts: Sequence[Mapping[str, Any]], fresh: Container[str]) -> Table:
    """``fresh`` names the sources as new as any: that they cover the running quarter in part is as it should be."""
    quarters = list(dict.fromkeys(one.quarter for one in covered))
    columns = (
        Column("about", "Export", width=2),
        *(Column(quarter, quarter, "status") for quarter in quarters),
        Column("source", "Mapping", sheet_only=True),
        Column("table", "Table", sheet_only=True),
    )
    names = {extract["source"]: extract["about"] or extract["file"] for extract in extracts}
    running = {(source, quarters[-1]) for source in names if source in fresh} if quarters else set()
    cells = {(one.source, one.quarter): _covered(one, (one.source, one.quarter) in running) for one in covered}
    tables = {one.source: one.table for one in covered}
    rows = tuple(
        (names.get(source, source), *(cells.get((source, quarter)) for quarter in quarters), source, table)
        for source, table in tables.items()
    )
    caption = "How much of each quarter's days an export covers. Where none is covered, nothing is taken for zero."
    return Table("Coverage", columns, rows, caption=caption, empty="No export is described.", print_rows=_SHOWN)


def _covered(one: Covered, running: bool) -> Status:
    if one.state == "whole":
        return Status("all", "●", "good")
    if one.state == "none":
        return Status("none", "○", "neutral")
    # A day of ninety must neither pass for nothing nor ninety-nine hundredths for all.
    share = min(max(Decimal(str(one.share)), Decimal("0.01")), Decimal("0.99"))
    return Status(percent_text(share), "◐", "neutral" if running else "warn")
