"""Who is credited for what, as rows of their own; apart, because credit has invariants that no export keeps.

Exports make *claims* (see ``claims``). A claim that names a known record and a known partner becomes an attribution
with a share, under the rules of ``credit_rules``; every other one is set aside with a reason. Nothing vanishes:
claims read = attributions + merged + set aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib import credit_rules, linked_claims
from pbr_lib.attribution_rows import MICROSECONDS, Rows
from pbr_lib.claim_faults import Faults
from pbr_lib.claims import CLAIMS, Batch, claims, junction
from pbr_lib.credit_rules import CREDITS, NEVER, STATES, Standing
from pbr_lib.crosswalk import Crosswalk
from pbr_lib.model import Finding
from pbr_lib.naming import MIRRORED_ROW, Named, Words, judge
from pbr_lib.schema import METHODS
from pbr_lib.shares import Numbers
from pbr_lib.subjects import NEVER_DAY, Subjects

__all__ = ["CLAIMS", "Batch", "Resolved", "Rules", "claims", "joined", "junction", "resolve"]

Way = Literal["none", "sourced", "influenced"]
BOTH = "the partner has the sourced credit"


@dataclass(frozen=True)
class Rules:
    """What the workbook says about credit: days within which it can be claimed, and what gives it.

    Attributes
    ----------
    lock_days:
        Credit claimed more days after a record was made is late (AT5).
    evidence_days:
        Sourced credit has evidence from so many days before the record was made, where evidence has a date (AT6).
    registrations, campaigns:
        Which credit an approved registration, or a campaign with partners, gives.
    carry_leads:
        Whether a lead's credit passes to the opportunity that it became (AT7).
    unconfirmed:
        Whether claims that nobody confirmed divide the whole with the confirmed ones, or stand apart (AT8).
    """

    lock_days: int = 14
    evidence_days: int = 30
    registrations: Way = "none"
    campaigns: Way = "none"
    carry_leads: bool = True
    unconfirmed: Literal["count", "apart"] = "apart"


@dataclass(frozen=True)
class Resolved:
    """Attributions, what is odd about the claims, and where each claim went.

    ``read`` counts claims by method (``carried`` for those that leads hand on), ``merged`` those that say again what
    another says, ``aside`` those set aside by reason: ``read`` together = rows + ``merged`` + ``aside`` together.
    """

    attributions: pa.Table = field(repr=False)
    findings: tuple[Finding, ...]
    aside: Mapping[str, int]
    read: Mapping[str, int]
    merged: int


def resolve(found: pa.Table, tables: Mapping[str, pa.Table], book: Crosswalk, rules: Rules) -> Resolved:
    """Claims as attribution rows, sorted by record, partner and credit; what names nothing known is set aside.

    ``found`` are the claims of all exports (:data:`~pbr_lib.claims.CLAIMS`); ``tables`` hold every normalised table.
    The order of rows plays no part. Raises :class:`~pbr_lib.errors.SourceError` where the crosswalk contradicts
    itself.
    """
    whole = _all_claims(found, tables, rules)
    words = Words.of(whole)
    records = Subjects.of(tables)
    named = judge(whole, words, records, tables, book)
    pa.default_memory_pool().release_unused()  # the look-up of millions of ids is over, and Arrow keeps what it frees
    faults = Faults(words, whole, named.partner_ids)
    faults.aside(named.reason, book)
    standing = _standing(whole, words, named)
    read = words.counts("method")
    if rules.carry_leads and (named.became >= 0).any():
        standing, over = _with_leads(standing, words, named)
        faults.overridden(over)
        read["carried"] = int((standing.lead >= 0).sum())
    size = len(standing)
    standing = credit_rules.merged(standing, len(named.partner_ids), words.place)
    merged = size - len(standing)
    made, closed = records.days(tables)
    locked = np.where(made == NEVER_DAY, made, made + np.int32(rules.lock_days))
    late = _late(standing, locked, closed)
    tier = credit_rules.tiers(standing, late, rules.unconfirmed == "count")
    both = credit_rules.not_both(standing, tier)
    faults.both(standing.take(both))
    standing, late, tier = standing.take(~both), late[~both], tier[~both]
    parts = credit_rules.divided(standing, tier)
    faults.divided(standing, parts)
    aside = named.aside() | {BOTH: int(both.sum())}
    writer = Rows(whole, words, records, named.partner_ids)
    del named, tier, both, made, closed  # the table that follows is the largest thing here
    rows = writer.table(standing, parts.units, late, locked)
    return Resolved(rows, faults.told(), {name: n for name, n in aside.items() if n}, read, merged)


def joined(findings: list[Finding]) -> list[Finding]:
    """Findings that differ in row and count only, as one each: what was told batch by batch."""
    out: dict[tuple[str, ...], Finding] = {}
    for one in findings:
        key = (one.severity, one.what, one.file, one.column, one.value, one.fix, one.partner_id, one.rule)
        other = out.get(key)
        if other is None:
            out[key] = one
            continue
        rows = [row for row in (one.row, other.row) if row is not None]
        count = one.count + other.count
        row = min(rows, default=None)
        out[key] = Finding(*key[:3], row, *key[3:6], count, *key[6:])
    return list(out.values())


def _all_claims(found: pa.Table, tables: Mapping[str, pa.Table], rules: Rules) -> pa.Table:
    every = [found, linked_claims.of_service_links(tables)]
    if rules.registrations != "none":
        every.append(linked_claims.of_registrations(tables, rules.registrations))
    if rules.campaigns != "none":
        every += linked_claims.of_campaigns(tables, rules.campaigns)
    return pa.concat_tables([table for table in every if len(table)] or [found])


def _standing(whole: pa.Table, words: Words, named: Named) -> Standing:
    """The claims that name a known record and partner, as columns of numbers."""
    live = np.flatnonzero(named.reason == 0).astype(np.int32)

    def of(column: str, values: Sequence[str], silent: int) -> Numbers:
        places = [values.index(word) if word in values else silent for word in words.values[column]]
        return np.array([*places, silent], np.int8)[words.codes[column][live]]

    def filled(column: str) -> Numbers:
        if whole[column].null_count == len(whole):
            return np.full(len(live), -1, np.int32)
        return np.where(np.asarray(whole[column].is_valid())[live], live, -1)

    moment = np.full(len(live), NEVER)
    if whole["claimed_at"].null_count < len(whole):
        times = whole["claimed_at"].cast(pa.int64()).combine_chunks()
        moment = np.asarray(pc.fill_null(times, NEVER))[live]
    primary = np.zeros(len(live), np.int8)
    if whole["is_primary"].null_count < len(whole):
        primary = np.asarray(pc.fill_null(whole["is_primary"].combine_chunks().cast(pa.int8()), -1))[live]
    return Standing(
        at=live,
        record=named.record[live],
        partner=named.partner[live],
        credit=of("credit_type", CREDITS, -1),
        state=of("status", STATES, len(STATES)),
        method=of("method", METHODS, len(METHODS)),
        given=named.given[live],
        moment=moment,
        lead=np.full(len(live), -1, np.int32),
        evidence=filled("evidence_ref"),
        role=filled("influence_role"),
        primary=primary,
    )


def _with_leads(standing: Standing, words: Words, named: Named) -> tuple[Standing, Numbers]:
    """The claims with those that leads hand on, and the rows of the claims that an opportunity's own override."""
    states = np.array([word == "rejected" for word in words.values["status"]] + [False])
    places = np.array([CREDITS.index(word) if word in CREDITS else 0 for word in words.values["credit_type"]] + [0])
    own = (named.record >= 0) & (words.codes["credit_type"] >= 0) & ~states[words.codes["status"]]
    own &= named.reason != MIRRORED_ROW
    owned = named.record[own].astype(np.int64) * len(CREDITS) + places[words.codes["credit_type"][own]]
    moved, over = credit_rules.carried(standing, named.became, owned, len(named.partner_ids))
    both = [np.concatenate(pair) for pair in zip(standing.columns, moved.columns, strict=True)]
    return Standing(*both), standing.at[over]


def _late(standing: Standing, locked: Numbers, closed: Numbers) -> Numbers:
    """Whether a claim came after the last day for it, or not before the deal closed (AT5); never without a time."""
    day = (standing.moment // MICROSECONDS).astype(np.int32)
    late = (day > locked[standing.record]) | (day >= closed[standing.record])
    return np.asarray(late & (standing.moment != NEVER))
