"""What tests of closing, ledger and restatements share: runs, slices and packs of a few lines."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pbr_lib.ledger import closing
from pbr_lib.ledger.frozen import Draft, Evidence, Run, State

QUARTER = "2026-Q1"
END = dt.date(2026, 3, 31)
FINAL = dt.date(2026, 4, 14)
TARGET = {"kind": "at_least", "value": "10000", "from": None, "low": None, "high": None, "due": None}
USD = {"kind": "money", "currency": "USD"}


def run(quarter: str = QUARTER, known_at: dt.date = FINAL, **other: Any) -> Run:
    """A run over data known by a day."""
    facts: dict[str, Any] = {"config_hash": "c1", "params_hash": "p1", "code_version": "0.1", "fx_hash": "f1"}
    facts |= {"as_of": END, "calendar": "quarters from January", "extracts": ({"source": "deals", "sha256": "ab"},)}
    return Run(quarter=quarter, known_at=known_at, **(facts | other))


def deal(name: str, counts: str, day: str = "2026-03-10", **other: Any) -> dict[str, Any]:
    """One record of a slice, in the base currency and wholly the partner's."""
    row = {"id": name, "role": "actual", "day": day, "counts": counts, "amount": counts, "currency": "USD"}
    return row | {"share": "1"} | other


def slice_of(deals: Sequence[Mapping[str, Any]], partner: str = "P-001", **goal: Any) -> bytes:
    """A slice with one goal of money over these deals."""
    actual = sum((Decimal(each["counts"]) for each in deals if each["role"] == "actual"), Decimal(0))
    row: dict[str, Any] = {"key": "revenue_q", "metric": "revenue_won", "state": "value", "actual": str(actual)}
    row |= {"target": TARGET, "attained": str(actual / 10000), "in_progress": None, "standing": "missed"}
    row |= {"n": len(deals), "unit": USD, "aggregate": "sum", "reason": "", "table": "opportunities"}
    row |= {"records": list(deals)} | goal
    definition = {"metric": "revenue_won", "definition": "Sum of amount over opportunities won.", "hash": "d1"}
    facts = {
        "partner": {"partner_id": partner},
        "quarter": {"label": QUARTER},
        "goals": [row],
        "definitions": [definition],
    }
    return json.dumps(facts, sort_keys=True).encode()


def pack(deals: Sequence[Mapping[str, Any]], partner: str = "P-001", **goal: Any) -> Draft:
    """A final pack over these deals."""
    return closing.draft(slice_of(deals, partner, **goal), files("x"))


def files(text: str) -> dict[str, str]:
    """Fingerprints of a pack's files."""
    return {"pack.pdf": text * 64, "pack.xlsx": text * 64}


def state(actual: str | None, **other: Any) -> State:
    """A figure of money."""
    facts: dict[str, Any] = {"state": "unknown" if actual is None else "value", "standing": "missed"}
    facts |= {"definition_hash": "d1", "definition": "Sum of amount.", "unit": USD, "target": TARGET}
    value = None if actual is None else Decimal(actual)
    return State(goal="revenue_q", metric="revenue_won", actual=value, **(facts | other))


def record(name: str, counts: str | None, **other: Any) -> Evidence:
    """A record in the base currency, wholly the partner's, worth what it counts."""
    value = None if counts is None else Decimal(counts)
    facts: dict[str, Any] = {"amount": value, "currency": "USD", "share": Decimal(1), "day": dt.date(2026, 3, 10)}
    facts |= {"goal": "revenue_q", "table": "opportunities", "role": "actual"} | other
    return Evidence(record_id=name, counts=value, **facts)
