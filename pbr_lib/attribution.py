"""Who is credited for what, as rows of their own; apart, because credit has invariants that no export keeps.

An export names partners in cells; each named partner becomes a *claim*, and a claim whose partner the
partner list knows becomes an attribution with a share. Shares of one record and credit add up to one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

import pandas as pd

from pbr_lib.mapping import Credit, Source
from pbr_lib.model import Finding
from pbr_lib.reading import RawTable
from pbr_lib.schema import TableSpec

__all__ = ["Claims", "apportioned", "claims", "even_shares", "resolve"]

_PARTS = Decimal("0.0001")
_PERCENTAGE = re.compile(r"[0-9]{1,3}(?:\.[0-9]+)?")


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
    whole = _shared_once(whole)
    parts = (whole["subject_id"], whole["partner_id"], whole["credit_type"])
    whole["attribution_id"] = parts[0].str.cat([parts[1], parts[2]], sep="/") if len(whole) else ""
    return whole.sort_values(["subject_type", "attribution_id"], ignore_index=True), findings


@lru_cache(maxsize=64)
def even_shares(count: int) -> tuple[Decimal, ...]:
    """``count`` equal shares that add up to one exactly, by largest remainder: 0.3334, 0.3333, 0.3333."""
    return apportioned((Decimal(1),) * count)


def apportioned(weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Shares of four decimals in proportion to ``weights`` that add up to one exactly, by largest remainder."""
    whole = sum(weights, Decimal(0))
    exact = [weight * 10_000 / whole for weight in weights]
    units = [int(each) for each in exact]
    left = 10_000 - sum(units)
    by_remainder = sorted(range(len(weights)), key=lambda i: (units[i] - exact[i], i))
    for i in by_remainder[:left]:
        units[i] += 1
    return tuple(_PARTS * each for each in units)


def _shared_once(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each record, partner and credit, and no credit given out more than once.

    A partner named twice for a record has both shares; where two columns give the same credit, they divide it.
    """
    one = ["subject_type", "subject_id", "credit_type"]
    if rows.duplicated([*one, "partner_id"]).any():
        rows = rows.groupby([*one, "partner_id", "method"], sort=True, as_index=False)["share"].sum()
    totals: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    keys = list(zip(*(rows[column] for column in one), strict=True))
    for key, share in zip(keys, rows["share"], strict=True):
        totals[key] += share
    over = pd.Series([totals[key] > 1 for key in keys], index=rows.index, dtype=bool)
    out = [rows[~over]]
    for _, group in rows[over].groupby(one, sort=True):
        out.append(group.assign(share=apportioned(tuple(group["share"]))))
    return pd.concat(out, ignore_index=True) if over.any() else rows


def _resolve_one(one: Claims, partners: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    credit, cells = one.credit, one.cells
    ids, shared = _ids(credit, partners)
    parts = cells["cell"].str.split(credit.separator, regex=False)
    names = [[part.strip() for part in each if part.strip()] for each in parts]
    named = cells.assign(name=pd.Series(names, index=cells.index, dtype=object))
    named = named[named["name"].map(bool).astype(bool)]
    shares, findings = _shares(named, one)
    named = named.assign(share=shares).explode(["name", "share"], ignore_index=True)
    named["partner_id"] = named["name"].map(ids)
    stray = named[named["partner_id"].isna()]
    for value, rows in stray.groupby("name", sort=True):
        fix = "add the partner to the partner list, or correct the cell in the CRM"
        what = f"no partner has this {credit.match}; its {credit.credit} credit is set aside"
        if value in shared:
            fix = "give each partner its own, or let the mapping match by partner_id"
            what = f"several partners have this {credit.match}; its {credit.credit} credit is set aside"
        findings.append(
            Finding("warning", what, one.file, int(rows["row"].min()), credit.column, str(value), fix, len(rows))
        )
    kept = named[named["partner_id"].notna()]
    out = kept[["subject_id", "partner_id", "share"]].assign(
        subject_type=one.subject_type, credit_type=credit.credit, method="field"
    )
    return out, findings


def _ids(credit: Credit, partners: pd.DataFrame) -> tuple[dict[str, str], set[str]]:
    """The partner that each name stands for, and the names that stand for several."""
    names = partners[credit.match].fillna("")
    shared = names.duplicated(keep=False)
    alone = (names != "") & ~shared
    return dict(zip(names[alone], partners.loc[alone, "partner_id"], strict=True)), set(names[shared])


def _shares(named: pd.DataFrame, one: Claims) -> tuple[list[tuple[Decimal, ...]], list[Finding]]:
    """The split that the export gives, else even shares; a split that does not fit is told."""
    out: list[tuple[Decimal, ...]] = []
    wrong: list[tuple[int, str]] = []
    for names, split, row in zip(named["name"], named["split"], named["row"], strict=True):
        parts = _percentages(split, one.credit.separator) if split else ()
        if parts and len(parts) == len(names) and sum(parts) == 100:
            out.append(apportioned(parts))
            continue
        if split:
            wrong.append((int(row), split))
        out.append(even_shares(len(names)))
    if not wrong:
        return out, []
    what = "this split does not give each named partner a part of 100; divided evenly"
    fix = "write one percentage for each partner, adding up to 100"
    finding = Finding("error", what, one.file, wrong[0][0], one.credit.split or "", wrong[0][1], fix, len(wrong))
    return out, [finding]


def _percentages(text: str, separator: str) -> tuple[Decimal, ...]:
    """The percentages of a cell; none when one of them is no plain number."""
    parts = [part.strip().removesuffix("%").strip() for part in text.split(separator) if part.strip()]
    return tuple(map(Decimal, parts)) if all(_PERCENTAGE.fullmatch(part) for part in parts) else ()
