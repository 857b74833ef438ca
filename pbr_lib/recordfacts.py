"""What the tables hold now of records that stood behind an issued figure; apart, because telling an amended deal from a
deleted one needs the whole tables, and a comparison of two packs must not.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.canonical import column
from pbr_lib.definitions import Metric, RatioMetric, SimpleMetric
from pbr_lib.ledger.changes import Fact, Facts
from pbr_lib.schema import TABLES

__all__ = ["facts_of"]

_MADE = ("created_at", "submitted_on", "issued_on", "answered_on")


def facts_of(
    tables: Mapping[str, pa.Table],
    metrics: Mapping[str, Metric],
    elsewhere: Callable[[str, str], bool] = lambda table, record: False,
) -> Facts:
    """A look-up of records by metric, role, table and ids (see :data:`~pbr_lib.ledger.changes.Facts`).

    ``elsewhere`` says of a table and record whether it stood behind a figure issued to another partner.
    """

    def look_up(metric: str, role: str, table: str, ids: Sequence[str]) -> Mapping[str, Fact]:
        if table not in tables:
            return {}
        part = _part(metrics.get(metric), metrics, role, table)
        found = _facts(tables, table, list(dict.fromkeys(ids)), part)
        return {record: replace(fact, elsewhere=elsewhere(table, record)) for record, fact in found.items()}

    return look_up


def _part(metric: Metric | None, metrics: Mapping[str, Metric], role: str, table: str) -> SimpleMetric | None:
    """The simple metric that takes a record into a role; None where the definition is gone."""
    if isinstance(metric, RatioMetric):
        terms = metric.numerator if role == "numerator" else metric.denominator
        named = [metrics.get(term.removeprefix("-")) for term in terms]
        return next((each for each in named if isinstance(each, SimpleMetric) and each.table == table), None)
    return metric


def _facts(tables: Mapping[str, pa.Table], table: str, ids: list[str], part: SimpleMetric | None) -> dict[str, Fact]:
    spec = TABLES[table]
    rows = tables[table].filter(pc.is_in(column(tables, table, spec.key), pa.array(ids, pa.string())))
    dated = None if part is None else part.valid_from if part.nature == "level" else part.date
    credit = _credits(tables, spec.singular, ids, part) if spec.credited else None
    out = {}
    for row in rows.to_pylist():
        record = row[spec.key]
        amount = row.get(part.of) if part is not None and part.of else row.get("amount")
        made = next((row[name] for name in _MADE if row.get(name) is not None), None)
        credited: Mapping[str, Decimal | None] | None
        if credit is None:
            credited = {row["partner_id"]: None} if row.get("partner_id") else None
            claimed = None
        else:
            credited, claimed = credit.get(record, ({}, None))
        out[record] = Fact(
            _day(row.get(dated)) if dated else None,
            amount if isinstance(amount, Decimal) else None,
            row.get("currency") or "",
            row.get("stage") or row.get("status") or "",
            credited,
            _day(made),
            claimed,
        )
    return out


def _credits(
    tables: Mapping[str, pa.Table], singular: str, ids: list[str], part: SimpleMetric | None
) -> dict[str, tuple[dict[str, Decimal | None], dt.date | None]]:
    """Who is credited for each record now, by the metric's own rules of credit, and since when."""
    rows = tables["attributions"]
    mine = pc.and_(pc.equal(rows["subject_type"], singular), pc.is_in(rows["subject_id"], pa.array(ids, pa.string())))
    shares: dict[str, dict[str, Decimal | None]] = defaultdict(dict)
    since: dict[str, dt.date | None] = {}
    for row in rows.filter(mine).to_pylist():
        if not _counts(row, part):
            continue
        held = shares[row["subject_id"]].get(row["partner_id"])
        share = row["share"]
        shares[row["subject_id"]][row["partner_id"]] = share if held is None or share is None else max(held, share)
        claimed = _day(row.get("claimed_at"))
        known = since.get(row["subject_id"])
        since[row["subject_id"]] = claimed if known is None else known
    return {record: (dict(found), since.get(record)) for record, found in shares.items()}


def _counts(row: Mapping[str, Any], part: SimpleMetric | None) -> bool:
    if part is None:
        return (row["status"] or "confirmed") == "confirmed"
    credit, method = not part.credits or row["credit_type"] in part.credits, not part.credit_method
    method = method or row["method"] in part.credit_method
    timely = part.late or not row["is_late"]
    return bool(credit and method and timely and (row["status"] or "confirmed") in part.credit_status)


def _day(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else None
