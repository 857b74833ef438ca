"""Claims that follow from other tables: registrations, campaigns, service links; apart, because no column names them.

A registration or a campaign gives credit only where the workbook says so; a service link always gives its partner
credit for what changes in the customer's recurring revenue while the link holds.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.claims import pairs, table_of

__all__ = ["of_campaigns", "of_registrations", "of_service_links"]

_ROLES = pa.array(["sold", "services", "implements"])
_CREDITS = pa.array(["resold", "delivered", "delivered"])


def of_registrations(tables: Mapping[str, pa.Table], credit: str) -> pa.Table:
    """Approved registrations with an opportunity, as claims of ``credit`` made on the day they were submitted."""
    rows = tables["registrations"]
    rows = rows.filter(pc.and_(pc.equal(rows["status"], "approved"), pc.is_valid(rows["opportunity_id"])))
    columns = {
        "subject_id": rows["opportunity_id"],
        "reference": rows["partner_id"],
        "claimed_at": rows["submitted_on"].cast(pa.timestamp("us")),
        "evidence_ref": rows["registration_id"],
    }
    words = {"subject_type": "opportunity", "credit_type": credit, "method": "registration"}
    return _claims(columns, rows, "registrations", words)


def of_campaigns(tables: Mapping[str, pa.Table], credit: str) -> list[pa.Table]:
    """Leads and opportunities of a campaign in which partners take part, as claims of ``credit``."""
    partners = tables["campaign_partners"]
    out = []
    for table, subject, key in (
        ("leads", "lead", "lead_id"),
        ("opportunities", "opportunity", "opportunity_id"),
        ("campaign_members", "lead", "lead_id"),
    ):
        rows = tables[table].select(list(dict.fromkeys([key, "campaign_id"])))
        rows = rows.filter(pc.and_(pc.is_valid(rows[key]), pc.is_valid(rows["campaign_id"])))
        left, right = pairs(rows["campaign_id"], partners["campaign_id"])
        named, of = partners.take(pa.array(right)), rows.take(pa.array(left))
        columns = {"subject_id": of[key], "reference": named["partner_id"], "evidence_ref": of["campaign_id"]}
        words = {"subject_type": subject, "credit_type": credit, "method": "campaign"}
        out.append(_claims(columns, named, "campaign_partners", words))
    return out


def of_service_links(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Movements of customers whom a partner sold to (resold) or serves (delivered) on the day they took effect."""
    links, movements = tables["service_links"], tables["subscription_movements"]
    if not len(links) or not len(movements):
        links = links.slice(0, 0)
    left, right = pairs(movements["account_id"], links["account_id"])
    day = movements["effective_on"].take(pa.array(left))
    first, last = (links[name].take(pa.array(right)) for name in ("valid_from", "valid_to"))
    begun = pc.fill_null(pc.less_equal(first, day), True)
    lasts = pc.fill_null(pc.greater_equal(last, day), True)
    held = np.asarray(pc.and_(begun, lasts).combine_chunks().to_numpy(zero_copy_only=False), bool)
    named = links.take(pa.array(right[held]))
    columns = {
        "subject_id": movements["movement_id"].take(pa.array(left[held])),
        "reference": named["partner_id"],
        "credit_type": _CREDITS.take(pc.index_in(named["role"].combine_chunks(), _ROLES)),
        "share": named["share"],
        "evidence_ref": named["service_link_id"],
    }
    return _claims(columns, named, "service_links", {"subject_type": "movement", "method": "service_link"})


def _claims(columns: Mapping[str, pa.ChunkedArray], rows: pa.Table, table: str, words: Mapping[str, str]) -> pa.Table:
    """Claims whose partner stands in ``partner_id`` of ``rows``, with the place that each row came from."""
    place = pc.fill_null(rows["src_extract"], table)
    origin = {"source": place, "file": place, "system": rows["src_system"], "row": rows["src_row"]}
    return table_of(len(rows), {**columns, **origin}, {**words, "match": "partner_id", "column": "partner_id"})
