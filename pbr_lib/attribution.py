"""Who is credited for what, as rows of their own; apart, because credit has invariants that no export keeps.

An export names partners in cells; each named partner becomes a *claim*, and a claim whose partner the
partner list knows becomes an attribution with a share. Shares of one record and credit add up to one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import pandas as pd

from pbr_lib.definitions import Credit, Source
from pbr_lib.model import Finding, TableSpec
from pbr_lib.reading import RawTable

__all__ = ["Claims", "claims", "even_shares", "resolve"]

_PARTS = Decimal("0.0001")


@dataclass(frozen=True)
class Claims:
    """The cells of one column that names partners, beside the records they stand on."""

    credit: Credit
    subject_type: str
    file: str
    cells: pd.DataFrame = field(repr=False)


def claims(source: Source, spec: TableSpec, raw: RawTable, frame: pd.DataFrame) -> list[Claims]:
    """The non-empty partner cells of a source, for the rows that came through."""
    out = []
    for credit in source.attribution:
        cells = raw.frame.loc[frame.index, credit.column].astype("str").str.strip()
        split = raw.frame.loc[frame.index, credit.split].astype("str").str.strip() if credit.split else ""
        table = pd.DataFrame({"row": frame.index, "subject_id": frame[spec.key], "cell": cells, "split": split})
        out.append(Claims(credit, spec.singular, raw.file, table[table["cell"] != ""]))
    return out


def resolve(found: list[Claims], partners: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Claims as attribution rows; what names nobody is set aside and told."""
    frames: list[pd.DataFrame] = []
    findings: list[Finding] = []
    for one in found:
        rows, odd = _resolve_one(one, partners)
        frames.append(rows)
        findings += odd
    columns = ["subject_type", "subject_id", "partner_id", "credit_type", "share", "method"]
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    whole = whole.drop_duplicates(["subject_type", "subject_id", "partner_id", "credit_type"])
    parts = (whole["subject_id"], whole["partner_id"], whole["credit_type"])
    whole["attribution_id"] = parts[0].str.cat([parts[1], parts[2]], sep="/") if len(whole) else ""
    return whole.sort_values(["subject_type", "attribution_id"], ignore_index=True), findings


def even_shares(count: int) -> tuple[Decimal, ...]:
    """``count`` equal shares that add up to one exactly, by largest remainder: 0.3334, 0.3333, 0.3333."""
    units = 10_000
    base, left = divmod(units, count)
    return tuple(_PARTS * (base + (1 if i < left else 0)) for i in range(count))


def _resolve_one(one: Claims, partners: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    credit, cells = one.credit, one.cells
    ids = dict(zip(partners[credit.match].fillna(""), partners["partner_id"], strict=True))
    ids.pop("", None)
    named = cells.assign(name=cells["cell"].str.split(credit.separator))
    shares, findings = _shares(named, one)
    named = named.assign(share=shares).explode(["name", "share"], ignore_index=True)
    named["name"] = named["name"].str.strip()
    named = named[named["name"] != ""]
    named["partner_id"] = named["name"].map(ids)
    stray = named[named["partner_id"].isna()]
    for value, rows in stray.groupby("name", sort=True):
        fix = "add the partner to the partner list, or correct the cell in the CRM"
        what = f"no partner has this {credit.match}; its {credit.credit} credit is set aside"
        findings.append(
            Finding("warning", what, one.file, int(rows["row"].min()), credit.column, str(value), fix, len(rows))
        )
    kept = named[named["partner_id"].notna()]
    out = kept[["subject_id", "partner_id", "share"]].assign(
        subject_type=one.subject_type, credit_type=credit.credit, method="field"
    )
    return out, findings


def _shares(named: pd.DataFrame, one: Claims) -> tuple[list[tuple[Decimal, ...]], list[Finding]]:
    """The split that the export gives, else even shares; a split that does not fit is told."""
    out: list[tuple[Decimal, ...]] = []
    wrong: list[tuple[int, str]] = []
    for names, split, row in zip(named["name"], named["split"], named["row"], strict=True):
        if not split:
            out.append(even_shares(len(names)))
            continue
        parts = _percentages(split, one.credit.separator)
        if parts is None or len(parts) != len(names) or sum(parts) != 100 or min(parts) < 0:
            wrong.append((int(row), split))
            out.append(even_shares(len(names)))
        else:
            out.append(tuple((part / 100).quantize(_PARTS) for part in parts))
    if not wrong:
        return out, []
    what = "this split does not give each named partner a part of 100; divided evenly"
    fix = "write one percentage for each partner, adding up to 100"
    finding = Finding("error", what, one.file, wrong[0][0], one.credit.split or "", wrong[0][1], fix, len(wrong))
    return out, [finding]


def _percentages(text: str, separator: str) -> list[Decimal] | None:
    try:
        return [Decimal(part.strip().rstrip("%")) for part in text.split(separator)]
    except InvalidOperation:
        return None
