"""What a check says, for people and for machines; apart, so that the same facts stand on the terminal, in JSON, in
a CSV file and in the notebook.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from pbr_lib.coverage import Covered
from pbr_lib.model import Finding
from pbr_lib.reconciliation import Reconciliation, Sums
from pbr_lib.slices import Checked

__all__ = ["FINDING_COLUMNS", "as_csv", "as_json", "lines"]

FINDING_COLUMNS = ("severity", "rule", "what", "file", "row", "column", "value", "count", "fix", "partner_id")
_SIGNS = {"whole": "█", "part": "▄", "none": "·"}
_SHOWN = 60
_HEADS = ("total", "sourced", "influenced only", "unattributed", "resold")


def lines(checked: Checked, every: bool = False) -> Iterator[str]:
    """Row accounting, what is covered, the sums that foot to the CRM, and the findings, gravest first.

    Remarks of severity info are counted and not listed, unless ``every`` is set.
    """
    ready = checked.ready
    yield f"{len(ready.partners)} partners, data as of {ready.as_of}, measured for {ready.quarter}"
    for extract in ready.extracts:
        yield f"  {_account(extract)}"
    yield from _claims(checked.claims)
    yield from _coverage(checked.coverage)
    yield from _sums(checked.reconciliation)
    yield from _findings(ready.findings, every)


def as_json(checked: Checked) -> dict[str, Any]:
    """Everything that a check found, as plain JSON values; amounts as text."""
    ready = checked.ready
    counts = {name: sum(f.severity == name for f in ready.findings) for name in ("error", "warning", "info")}
    return {
        "version": 1,
        "quarter": ready.quarter,
        "as_of": ready.as_of,
        "partners": len(ready.partners),
        "sources": [dict(extract) for extract in ready.extracts],
        "claims": dict(checked.claims),
        "coverage": [each.as_json() for each in checked.coverage],
        "reconciliation": _sums_json(checked.reconciliation),
        "findings": [{name: vars(finding)[name] for name in FINDING_COLUMNS} for finding in ready.findings],
        "counts": counts,
    }


def as_csv(findings: Iterable[Finding]) -> str:
    """The findings as a table for a spreadsheet; a text that could pass for a formula gets an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(FINDING_COLUMNS)
    for finding in findings:
        writer.writerow([_harmless(vars(finding)[name]) for name in FINDING_COLUMNS])
    return out.getvalue()


def _harmless(value: Any) -> Any:
    text = "" if value is None else value
    return f"'{text}" if isinstance(text, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _account(extract: Mapping[str, Any]) -> str:
    if extract["as_of"] is None:
        return f"{extract['file']}: not provided"
    aside = "".join(f", {count:,} set aside ({reason})" for reason, count in extract["set_aside"].items())
    return f"{extract['file']}: {extract['rows_read']:,} rows read = {extract['rows_used']:,} used{aside}"


def _claims(claims: Mapping[str, int]) -> Iterator[str]:
    if claims.get("read"):
        rest = ", ".join(f"{count:,} {reason}" for reason, count in claims.items() if reason != "read" and count)
        yield f"  credit: {claims['read']:,} claims read = {rest}"


def _coverage(rows: tuple[Covered, ...]) -> Iterator[str]:
    """A line for each source: a sign for each quarter."""
    quarters = list(dict.fromkeys(row.quarter for row in rows))
    if not quarters:
        return
    names = list(dict.fromkeys(row.source for row in rows))
    width = max(map(len, names))
    yield f"  covered  {quarters[0]} to {quarters[-1]}   (█ whole  ▄ part  · not)"
    signs = {(row.source, row.quarter): _SIGNS[row.state] for row in rows}
    for name in names:
        yield f"    {name:<{width}}  {''.join(signs[name, quarter] for quarter in quarters)}"


def _sums(found: Reconciliation) -> Iterator[str]:
    """What was won in each quarter and where it comes from; each deal once, so that a line adds up across."""
    shown = [quarter for quarter in found.quarters if quarter.total.deals]
    if not shown:
        return
    yield f"  won in {found.currency} at plan rates, each deal once: total = sourced + influenced only + unattributed"
    yield f"    {'':<9}{'deals':>7}" + "".join(f"{head:>18}" for head in _HEADS)
    for quarter in shown:
        parts = (quarter.total, quarter.sourced, quarter.influenced_only, quarter.unattributed, quarter.resold)
        cells = "".join(f"{part.reporting:>18,.2f}" for part in parts)
        yield f"    {quarter.quarter:<9}{quarter.total.deals:>7,}{cells}"
    if found.apart:
        first = found.apart[0]
        yield f"    {len(found.apart):,} won deals stand apart, such as {first.opportunity_id}: {first.why}"


def _sums_json(found: Reconciliation) -> dict[str, Any]:
    quarters = []
    for one in found.quarters:
        parts = {
            "total": one.total,
            "sourced": one.sourced,
            "influenced_only": one.influenced_only,
            "unattributed": one.unattributed,
            "resold": one.resold,
        }
        ways = {
            name: {
                "distinct": str(c.distinct.reporting),
                "gross": str(c.gross.reporting),
                "split": str(c.split.reporting),
            }
            for name, c in one.credits.items()
        }
        quarters.append({"quarter": one.quarter, **{name: _part(part) for name, part in parts.items()}, "ways": ways})
    apart = [
        {"opportunity_id": one.opportunity_id, "why": one.why, "amount": _text(one.amount), "currency": one.currency}
        for one in found.apart
    ]
    return {"currency": found.currency, "quarters": quarters, "apart": apart}


def _part(part: Sums) -> dict[str, Any]:
    amounts = {currency: str(amount) for currency, amount in part.amounts.items()}
    return {"deals": part.deals, "reporting": str(part.reporting), "amounts": amounts, "unconverted": part.unconverted}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _findings(findings: tuple[Finding, ...], every: bool) -> Iterator[str]:
    shown = [finding for finding in findings if every or finding.severity != "info"]
    if not findings:
        yield "No findings."
    for finding in shown[: None if every else _SHOWN]:
        yield from _finding(finding)
    more = len(shown) - _SHOWN
    if more > 0 and not every:
        yield f"and {more} more; --all shows everything"
    quiet = len(findings) - len(shown)
    if quiet:
        yield f"{quiet} {'remark' if quiet == 1 else 'remarks'} of no concern; --all shows them"


def _finding(finding: Finding) -> Iterator[str]:
    times = f" ({finding.count:,} rows)" if finding.count > 1 else ""
    value = f' "{finding.value}"' if finding.value else ""
    rule = f"{finding.rule} " if finding.rule else ""
    place = f"{finding.where}: " if finding.where else ""
    yield f"{finding.severity}: {rule}{place}{finding.what}{value}{times}"
    if finding.fix:
        yield f"  → {finding.fix}"
