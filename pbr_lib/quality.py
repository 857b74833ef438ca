"""Rules that normalised data must keep, each with a name; apart, because a broken rule is told and never mended.

AT1 to AT8 are the invariants of attribution (domain.md 8.1), the others keep references, money and days in order.
What is alike is one finding for each rule and source, with how often and where first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.attribution import Resolved, Rules
from pbr_lib.model import Finding, Severity
from pbr_lib.schema import TABLES
from pbr_lib.subjects import day_numbers, whole_column

__all__ = ["RULES", "Rule", "check"]

Tables = Mapping[str, pa.Table]


@dataclass(frozen=True)
class Rule:
    """A named rule: the sentence that must hold, how bad it is if it does not, and what to do then."""

    name: str
    holds: str
    severity: Severity
    fix: str


_LIST = (
    Rule("AT1", "sourced shares of a record add up to 100 %", "error", "give shares that add up to 100 %"),
    Rule("AT2", "influenced shares of a record add up to 100 % at most", "error", "give shares of 100 % at most"),
    Rule("AT3", "no partner is both sourced and influenced on one record", "warning", "name it in one column only"),
    Rule("AT4", "resold and delivered shares add up to 100 % at most", "error", "give shares of 100 % at most"),
    Rule("AT5", "credit is claimed in time, and before the deal closed; what is late does not count", "warning",
         "decide whether it shall count: correct the day of the claim in the CRM, or lock_days in the workbook"),
    Rule("AT6", "sourced credit has evidence from the days before the record was made", "warning",
         "check the claim: is it sourced, or influenced?"),
    Rule("AT7", "a converted lead's credit stands on its opportunity", "warning",
         "credit the opportunity in the CRM, or set carry_leads in the workbook"),
    Rule("AT8", "disputed, rejected and unconfirmed credit does not count", "info", "decide it in the CRM"),
    Rule("REF", "whatever a row refers to is there", "warning", "export it too, or correct the id in the CRM"),
    Rule("CUR", "an amount has a currency", "warning", "fill the currency, or give it as a constant in the mapping"),
    Rule("NEG", "no amount is negative", "warning", "correct the amount in the CRM"),
    Rule("PRB", "a probability runs from 0 to 1", "warning", "say percent: whole in the mapping, or correct it"),
    Rule("CLD", "a deal that was won or lost has a closing day", "warning", "fill the closing day in the CRM"),
    Rule("ORD", "nothing ends before it begins", "warning", "correct the two days in the CRM"),
    Rule("FUT", "nothing was made after the day of its export", "warning", "check the order of day and month"),
)  # fmt: skip
RULES: Mapping[str, Rule] = {rule.name: rule for rule in _LIST}
"""Every rule by name, in the order in which they are told."""

_MONEY = {
    "opportunities": ("amount", "arr"),
    "opportunity_lines": ("amount",),
    "registrations": ("amount",),
    "campaigns": ("budget", "actual_cost"),
    "mdf_allocations": ("amount",),
    "mdf_claims": ("requested_amount", "approved_amount", "claimed_amount", "paid_amount"),
    "subscription_movements": ("arr_delta",),
    "targets": ("amount",),
    "manual_facts": ("amount",),
}
_WHOLE = 10_000
_SIGNED = {"arr_delta"}  # churn is negative by nature
_ORDERED = (
    ("opportunities", "created_at", "close_date"),
    ("leads", "created_at", "converted_on"),
    ("leads", "created_at", "decided_on"),
    ("registrations", "submitted_on", "decided_on"),
    ("campaigns", "start_on", "end_on"),
    ("certifications", "issued_on", "expires_on"),
    ("partners", "joined_on", "ended_on"),
    ("partnerships", "start_on", "end_on"),
    ("tier_history", "valid_from", "valid_to"),
    ("service_links", "valid_from", "valid_to"),
)
_MADE = {"opportunities": "created_at", "leads": "created_at", "accounts": "created_at", "activities": "at"}
_SHARED = {"sourced": "AT1", "influenced": "AT2", "resold": "AT4", "delivered": "AT4"}


def check(tables: Tables, resolved: Resolved, rules: Rules, as_of: Any = None) -> list[Finding]:
    """Every rule that does not hold, in the order of :data:`RULES`.

    ``tables`` are the normalised tables without or with their attributions; those of ``resolved`` are judged, in the
    order in which they were made.
    ``as_of`` is the day that the exports cover (a date); without it nothing is judged to lie in the future.
    """
    whole = {**tables, "attributions": resolved.attributions}
    told: list[Finding] = []
    for rule in (_shares, _both, _late, _evidence, _leads, _uncounted):
        told += rule(whole, rules)
    told += _references(whole)
    told += _money(whole)
    told += _days(whole, as_of)
    order = list(RULES)
    return sorted(told, key=lambda one: (order.index(one.rule), one.file, one.column, one.what))


# --------------------------------------------------------------------------------------------- attribution


def _shares(tables: Tables, rules: Rules) -> list[Finding]:
    """AT1, AT2 and AT4 once more over what was made: shares of credit that counts."""
    rows = tables["attributions"]
    rows = rows.filter(_counts(rows))
    record = _numbered(rows)
    units = np.asarray(pc.multiply(rows["share"], pa.scalar(_WHOLE, pa.decimal128(5, 0))).cast(pa.float64()))
    out = []
    for kind, name in _SHARED.items():
        mine = np.asarray(pc.equal(rows["credit_type"], kind))
        sums = np.bincount(record[mine], units[mine]).round()
        has = np.bincount(record[mine]) > 0
        wrong = has & ((sums > _WHOLE) | ((sums < _WHOLE) if kind == "sourced" else False))
        if wrong.any():
            text = f"{kind} shares of a record do not add up to 100 %"
            first = rows["subject_id"][int(np.argmax(record == np.argmax(wrong)))]
            out.append(_finding(RULES[name], text, "", None, "share", first, int(wrong.sum())))
    return out


def _both(tables: Tables, rules: Rules) -> list[Finding]:
    rows = tables["attributions"]
    rows = rows.filter(pc.and_(_counts(rows), pc.is_in(rows["credit_type"], pa.array(["sourced", "influenced"]))))
    record, partner = _numbered(rows), whole_column(rows["partner_id"])
    again = np.flatnonzero((record[1:] == record[:-1]) & np.asarray(pc.equal(partner[1:], partner[:-1])))
    if not len(again):
        return []
    text = "a partner has sourced and influenced credit of one record"
    odd = rows.take(pa.array(again))
    more = (odd["subject_id"][0], len(odd), _alone(odd["partner_id"]))
    return [_finding(RULES["AT3"], text, "", None, "credit_type", *more)]


def _numbered(rows: pa.Table) -> Any:
    """The record of each row as a number; attributions lie record by record."""
    if not len(rows):
        return np.zeros(0, np.int64)
    new = [
        pc.not_equal(column[1:], column[:-1])
        for column in map(whole_column, (rows["subject_type"], rows["subject_id"]))
    ]
    return np.cumsum(np.append(False, np.asarray(pc.or_(*new))))


def _late(tables: Tables, rules: Rules) -> list[Finding]:
    rows = tables["attributions"]
    late = rows.filter(pc.fill_null(rows["is_late"], False))
    text = f"credit was claimed more than {rules.lock_days} days after the record was made, or not before the deal "
    return list(_grouped(late, RULES["AT5"], text + "closed; it does not count", "claimed_at", "subject_id"))


def _evidence(tables: Tables, rules: Rules) -> list[Finding]:
    """AT6: of the evidence that has a date, one lies within the days before the record was made, or on that day."""
    rows = tables["attributions"]
    rows = rows.filter(pc.and_(pc.equal(rows["credit_type"], "sourced"), _counts(rows)))
    out: list[Finding] = []
    for kind in ("lead", "opportunity"):
        mine = rows.filter(pc.equal(rows["subject_type"], kind))
        if len(mine):
            dates = _evidence_days(mine, kind, tables)
            made = day_numbers(whole_column(mine["locked_on"])).astype(np.int64) - rules.lock_days
            window = (dates[0] <= made[dates[1]]) & (dates[0] >= made[dates[1]] - rules.evidence_days)
            seen, fits = np.zeros(len(mine), bool), np.zeros(len(mine), bool)
            seen[dates[1]] = True
            fits[dates[1][window]] = True
            odd = mine.filter(pa.array(seen & ~fits))
            text = f"no dated evidence of sourced credit lies in the {rules.evidence_days} days before its {kind} "
            out += _grouped(odd, RULES["AT6"], text + "was made", "claimed_at", "subject_id")
    return out


def _evidence_days(rows: pa.Table, kind: str, tables: Tables) -> tuple[Any, Any]:
    """Days of evidence, and which of the rows each belongs to: claims, what the partner did, registrations."""
    carried = np.asarray(pc.is_valid(rows["carried_from"]))
    claimed = np.asarray(pc.is_valid(rows["claimed_at"])) & ~carried
    days, at = [day_numbers(whole_column(rows["claimed_at"]))[claimed]], [np.flatnonzero(claimed)]
    events = tables["attribution_events"]
    events = events.filter(pc.equal(events["subject_type"], kind))
    sources = [(events["subject_id"], events["partner_id"], events["at"])]
    if kind == "opportunity":
        asked = tables["registrations"]
        asked = asked.filter(pc.is_in(asked["status"], pa.array(["approved", "submitted"])))
        sources.append((asked["opportunity_id"], asked["partner_id"], asked["submitted_on"]))
    for subject, partner, day in sources:
        if len(day):
            key = pc.binary_join_element_wise(rows["subject_id"], rows["partner_id"], "\x1f")
            found = pc.index_in(pc.binary_join_element_wise(subject, partner, "\x1f"), value_set=whole_column(key))
            known = np.asarray(pc.is_valid(found))
            days.append(day_numbers(whole_column(day))[known])
            at.append(np.asarray(pc.drop_null(found)))
    return np.concatenate(days).astype(np.int64), np.concatenate(at)


def _leads(tables: Tables, rules: Rules) -> list[Finding]:
    """AT7: a converted lead with sourced credit whose opportunity has none."""
    leads, rows = tables["leads"], tables["attributions"]
    sourced = rows.filter(pc.and_(pc.equal(rows["credit_type"], "sourced"), _counts(rows)))
    of_leads = sourced.filter(pc.equal(sourced["subject_type"], "lead"))["subject_id"]
    of_deals = sourced.filter(pc.equal(sourced["subject_type"], "opportunity"))["subject_id"]
    leads = leads.filter(pc.is_valid(leads["converted_opportunity_id"]))
    leads = leads.filter(pc.is_in(leads["lead_id"], value_set=whole_column(of_leads)))
    odd = leads.filter(pc.invert(pc.is_in(leads["converted_opportunity_id"], value_set=whole_column(of_deals))))
    deals = tables["opportunities"]["opportunity_id"]
    there = deals.filter(pc.is_in(deals, value_set=whole_column(odd["converted_opportunity_id"])))
    odd = odd.filter(pc.is_in(odd["converted_opportunity_id"], value_set=whole_column(there)))
    text = "a lead has sourced credit that counts, the opportunity that it became has none"
    return list(_grouped(odd, RULES["AT7"], text, "converted_opportunity_id", "lead_id"))


def _uncounted(tables: Tables, rules: Rules) -> list[Finding]:
    rows = tables["attributions"]
    apart = ["claimed", "disputed", "rejected"] if rules.unconfirmed == "apart" else ["disputed", "rejected"]
    out: list[Finding] = []
    for status in apart:
        mine = rows.filter(pc.fill_null(pc.equal(rows["status"], status), False))
        out += _grouped(mine, RULES["AT8"], f"credit that is {status} does not count", "status", "subject_id")
    return out


def _counts(rows: pa.Table) -> pa.ChunkedArray:
    confirmed = pc.fill_null(pc.equal(rows["status"], "confirmed"), True)
    return pc.and_not(confirmed, pc.fill_null(rows["is_late"], False))


# ------------------------------------------------------------------------------------- references, money, days


def _references(tables: Tables) -> list[Finding]:
    """REF: of each column that points to another table, where that table was exported at all."""
    out: list[Finding] = []
    for name, spec in TABLES.items():
        for column in spec.columns:
            table, _, key = column.refers.partition(".")
            rows = tables.get(name)
            known = tables.get(table)
            told = name == "attributions" or table == "partners"  # where they are read
            if rows is None or not len(rows) or known is None or not len(known) or told:
                continue
            if rows[column.name].null_count == len(rows):
                continue
            there = pc.is_in(rows[column.name], value_set=whole_column(known[key]))
            odd = rows.filter(pc.and_(pc.is_valid(rows[column.name]), pc.invert(there)))
            what = f"{name} refer to {table} that are not there"
            out += _grouped(odd, RULES["REF"], what, column.name, column.name)
    return out


def _money(tables: Tables) -> list[Finding]:
    """CUR, NEG and PRB."""
    out: list[Finding] = []
    for name, columns in _MONEY.items():
        rows = tables.get(name)
        if rows is None or not len(rows):
            continue
        for column in columns:
            amount = rows[column]
            if amount.null_count == len(rows):
                continue
            bare = rows.filter(pc.and_(pc.is_valid(amount), pc.is_null(rows["currency"])))
            out += _grouped(bare, RULES["CUR"], f"{column} of {name} has no currency", "currency", TABLES[name].key)
            if column not in _SIGNED:
                less = rows.filter(pc.less(amount, pa.scalar(0, amount.type)))
                out += _grouped(less, RULES["NEG"], f"{column} of {name} is negative", column, column)
    deals = tables["opportunities"]
    chance = deals["probability"]
    odd = pc.or_(pc.less(chance, pa.scalar(0, chance.type)), pc.greater(chance, pa.scalar(1, chance.type)))
    out += _grouped(deals.filter(odd), RULES["PRB"], "a probability is not from 0 to 1", "probability", "probability")
    return out


def _days(tables: Tables, as_of: Any) -> list[Finding]:
    """CLD, ORD and FUT."""
    deals = tables["opportunities"]
    closed = pc.is_in(deals["stage"], pa.array(["won", "lost"]))
    bare = deals.filter(pc.and_(closed, pc.is_null(deals["close_date"])))
    out = list(_grouped(bare, RULES["CLD"], "a deal that was won or lost has no closing day", "close_date",
                        "opportunity_id"))  # fmt: skip
    for name, first, last in _ORDERED:
        rows = tables.get(name)
        if rows is not None and len(rows):
            before = pc.less(rows[last].cast(pa.date32()), rows[first].cast(pa.date32(), safe=False))
            what = f"{last} of {name} is before {first}"
            out += _grouped(rows.filter(before), RULES["ORD"], what, last, TABLES[name].key)
    for name, column in _MADE.items():
        rows = tables.get(name)
        if rows is not None and len(rows) and as_of is not None:
            after = pc.greater(rows[column].cast(pa.date32(), safe=False), pa.scalar(as_of, pa.date32()))
            what = f"{column} of {name} is after the day that the exports cover"
            out += _grouped(rows.filter(after), RULES["FUT"], what, column, column)
    return out


def _grouped(rows: pa.Table, rule: Rule, what: str, column: str, example: str) -> Iterator[Finding]:
    """One finding for each source, with the first row's ``example``."""
    if not len(rows):
        return
    has = "src_extract" in rows.column_names
    source = pc.fill_null(rows["src_extract"], "") if has else pa.nulls(len(rows), pa.string()).fill_null("")
    place = pc.fill_null(rows["src_row"], 0) if has else pa.array(np.zeros(len(rows), np.int64))
    text = pc.fill_null(rows[example].cast(pa.string()), "")
    partner = rows["partner_id"] if "partner_id" in rows.column_names else pa.nulls(len(rows), pa.string())
    table = pa.table({"source": source, "row": place, "text": text, "partner": partner})
    table = table.sort_by([("source", "ascending"), ("row", "ascending"), ("text", "ascending")])
    for name in sorted(pc.unique(table["source"]).to_pylist()):
        mine = table.filter(pc.equal(table["source"], name))
        row = mine["row"][0].as_py() if has and name else None
        yield _finding(rule, what, name, row, column, mine["text"][0].as_py(), len(mine),
                       _alone(mine["partner"]))  # fmt: skip


def _alone(partners: pa.ChunkedArray) -> str:
    """The partner, where rows concern one only."""
    every = pc.unique(partners).to_pylist()
    return str(every[0]) if len(every) == 1 and every[0] else ""


def _finding(rule: Rule, what: str, file: str, row: int | None, *more: Any) -> Finding:
    column, value, count, *partner = more
    who = partner[0] if partner else ""
    return Finding(rule.severity, what, file, row, column, str(value)[:80], rule.fix, count, who, rule.name)
