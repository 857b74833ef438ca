"""A workbook small enough to build in a moment: three partners, a handful of records, everything of one's choice."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

AS_OF = "2026-09-04"
SOURCE = """
pbr: 1
file: {table}.csv
table: {table}
about: {table} of the test
as_of: {as_of}
covers_from: {covers_from}
optional: {optional}
columns: {{{columns}}}
"""
_PARTNER = "partner_id account_id name partner_type tier region status joined_on ended_on partner_manager"
_DEAL = "opportunity_id name account_name type amount currency created_at close_date stage loss_reason next_step owner"
COLUMNS = {
    "partners": tuple(f"{_PARTNER} primary_contact email domain".split()),
    "leads": ("lead_id", "company", "email", "source", "status", "created_at", "owner"),
    "opportunities": tuple(_DEAL.split()),
    "certifications": ("certification_id", "partner_id", "person_id", "name", "level", "issued_on", "expires_on"),
}
CREDITS = {
    "leads": "attribution: [{column: Partner, credit: sourced, match: partner_id}]\n",
    "opportunities": "attribution: [{column: Partner, credit: sourced, match: partner_id, split: Split}, "
    "{column: Influencer, credit: influenced, match: partner_id}]\n",
}
EXTRA = {"leads": ("Partner",), "opportunities": ("Partner", "Split", "Influencer")}

METRICS = """
pbr: 1
metrics:
  new_leads: {label: New leads, table: leads, aggregate: count, date: created_at, unit: {kind: count}}
  revenue_won:
    {label: Revenue won, table: opportunities, aggregate: sum, of: amount, where: {is_won: true}, date: close_date,
     credit_type: [sourced], credit: split, in_progress: {where: {is_open: true}, date: close_date},
     unit: {kind: money, currency: USD}}
  influenced_won:
    {label: Influenced revenue, table: opportunities, aggregate: sum, of: amount, where: {is_won: true},
     date: close_date, credit_type: [influenced], unit: {kind: money, currency: USD}}
  people:
    {label: Certified people, table: certifications, aggregate: count_distinct, of: person_id, nature: level,
     valid_from: issued_on, valid_to: expires_on, unit: {kind: count}}
"""
GOAL = "metric: {metric}, objective: grow, first_period: 2024-Q1, pace: calendar_days, "
GOAL += "owners: {{vendor: We, partner: They}}"
GOALS = f"""
pbr: 1
objectives: {{grow: Grow together}}
goals:
  leads_q: {{{GOAL.format(metric="new_leads")}, target: {{at_least: 5}}, headline: true}}
  revenue_q: {{{GOAL.format(metric="revenue_won")}, target: {{at_least: 1000}}, weight: 2}}
  people_q: {{{GOAL.format(metric="people")}, target: {{at_least: 2}}}}
"""
WORKBOOK = """
pbr: 1
organisation: Larkfield Software
currency: USD
data: data
output: output
"""


def partner(key: str, **more: Any) -> Row:
    """A row of the partner list."""
    return {"partner_id": key, "name": f"Partner {key}", "status": "active", "joined_on": "2020-01-01"} | more


def lead(key: str, whose: str, when: str = "2026-08-03 12:00:00", **more: Any) -> Row:
    """A row of leads."""
    return {"lead_id": key, "company": f"Company {key}", "status": "new", "created_at": when, "Partner": whose} | more


def deal(key: str, whose: str, amount: str = "100", stage: str = "won", **more: Any) -> Row:
    """A row of opportunities, closing on 20 August 2026."""
    row = {"opportunity_id": key, "name": f"Deal {key}", "amount": amount, "currency": "USD", "stage": stage}
    return row | {"created_at": "2026-07-02 09:00:00", "close_date": "2026-08-20", "Partner": whose} | more


def certificate(key: str, whose: str, person: str, **more: Any) -> Row:
    """A row of certifications."""
    return {"certification_id": key, "partner_id": whose, "person_id": person, "issued_on": "2025-01-01"} | more


def usual() -> dict[str, list[Row]]:
    """Partner A with records of every kind, B with one lead, C with nothing."""
    return {
        "partners": [partner("A"), partner("B"), partner("C")],
        "leads": [lead("L1", "A"), lead("L2", "A"), lead("L3", "B")],
        "opportunities": [
            deal("O1", "A", "600"),
            deal("O2", "A;B", "100", Split="60;40"),
            deal("O3", "A", "50", "open_mid", close_date="2026-09-20", next_step="Call"),
            deal("O4", "A", "70", "lost", loss_reason="Price"),
        ],
        "certifications": [certificate("C1", "A", "ada")],
    }


def write(
    folder: Path,
    tables: Mapping[str, Sequence[Row]],
    goals: str = GOALS,
    metrics: str = METRICS,
    workbook: str = WORKBOOK,
) -> Path:
    """A workbook in ``folder``; a table that is not given has no export, and is optional."""
    texts = {"metrics.yaml": metrics, "goals.yaml": goals, "workbook.yaml": workbook}
    for table in COLUMNS:
        columns = ", ".join(f"{name}: {name}" for name in COLUMNS[table])
        facts = {"as_of": AS_OF, "covers_from": "2024-07-01", "optional": str(table not in tables).lower()}
        texts[f"sources/{table}.yaml"] = SOURCE.format(table=table, columns=columns, **facts) + CREDITS.get(table, "")
    for name, text in texts.items():
        put(folder, f"params/{name}", text)
    for table, rows in tables.items():
        export(folder, table, rows)
    return folder


def put(folder: Path, name: str, text: str) -> None:
    """One text file of a workbook."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def export(folder: Path, table: str, rows: Sequence[Row]) -> None:
    """One export of a workbook."""
    path = folder / "data" / f"{table}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*COLUMNS[table], *EXTRA.get(table, ())], restval="")
        writer.writeheader()
        writer.writerows(rows)


def agree(folder: Path, quarter: str, rows: Sequence[str]) -> None:
    """The agreed targets of a quarter, each as ``partner,goal,target``."""
    header = "partner_id,goal,target,agreed_by_us,agreed_by_them"
    put(folder, f"params/goals/{quarter}.csv", "\n".join([header, *(f"{row},We,They" for row in rows)]) + "\n")
