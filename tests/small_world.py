"""Small normalised tables, full of what goes wrong in real ones, for tests that measure without any export."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa

from pbr_lib import metrics, store
from pbr_lib.canonical import ARROW_TYPES
from pbr_lib.definitions import SimpleMetric, UnitSpec
from pbr_lib.extracts import Extract
from pbr_lib.metrics import Measurement, Window
from pbr_lib.params import Rate
from pbr_lib.periods import Calendar, Quarter
from pbr_lib.schema import TABLES

Row = dict[str, Any]
ODD_TEXTS = ("x' OR 1=1 --", "100 %", "a_b", "a%b", "", "Ünïcode 極", "won", "<b>&amp;</b>", "NULL", "=1+1")
CALENDAR = Calendar()


def quarter(label: str) -> Quarter:
    """A calendar quarter."""
    return CALENDAR.parse(label)


def arrow(tables: Mapping[str, Sequence[Row]]) -> dict[str, pa.Table]:
    """Rows as the Arrow tables that the ingest would hand on; what a row lacks is null."""
    out = {}
    for name, spec in TABLES.items():
        fields = [(column.name, ARROW_TYPES[column.kind]) for column in spec.columns]
        rows = [{column.name: row.get(column.name) for column in spec.columns} for row in tables.get(name, ())]
        out[name] = pa.Table.from_pylist(rows, schema=pa.schema(fields))
    return out


def connect(tables: Mapping[str, Sequence[Row]]) -> ibis.BaseBackend:
    """The engine with these rows in it."""
    return store.connect(arrow(tables))


def window(as_of: dt.date, labels: Sequence[str], rates: Sequence[Rate] = (), absent: Sequence[str] = ()) -> Window:
    """A window in which every table is covered, except those that are absent."""
    extracts = tuple(
        Extract(name, name, f"{name}.csv", "", None if name in absent else as_of, dt.date(2020, 1, 1))
        for name in TABLES
    )
    return Window(tuple(quarter(label) for label in labels), as_of, "USD", tuple(rates), extracts)


def deal(key: str, amount: str | None = "100", **more: Any) -> Row:
    """A won opportunity of 2026-Q3, unless said otherwise."""
    stage = more.get("stage", "won")
    flags = {"is_open": stage.startswith("open"), "is_won": stage == "won", "is_lost": stage == "lost"}
    row: Row = {"opportunity_id": key, "name": f"Deal {key}", "currency": "USD", "stage": stage, **flags}
    row |= {"amount": None if amount is None else Decimal(amount), "created_at": dt.datetime(2026, 7, 15, 12)}
    return row | {"close_date": dt.date(2026, 8, 20)} | more


def credit(
    subject: str, partner: str, kind: str = "sourced", share: str = "1", subject_type: str = "opportunity"
) -> Row:
    """One row of attributions."""
    row: Row = {"attribution_id": f"{subject}/{partner}/{kind}", "subject_type": subject_type, "subject_id": subject}
    return row | {"partner_id": partner, "credit_type": kind, "share": Decimal(share), "method": "field"}


def partner(key: str, **more: Any) -> Row:
    """An active partner of long standing, unless said otherwise."""
    return {"partner_id": key, "name": f"Partner {key}", "status": "active", "joined_on": dt.date(2020, 1, 1)} | more


Q3 = "2026-Q3"
AS_OF = dt.date(2026, 9, 30)
USD = UnitSpec(kind="money", currency="USD")
COUNT = UnitSpec(kind="count")
RATES = (Rate("EUR", "USD", "plan", dt.date(2026, 1, 1), Decimal("1.10")),)


def revenue(**more: Any) -> SimpleMetric:
    """Won revenue by closing day, unless said otherwise."""
    facts = {"label": "Revenue", "table": "opportunities", "aggregate": "sum", "of": "amount", "date": "close_date"}
    return SimpleMetric(**(facts | {"where": {"is_won": True}, "unit": USD} | more))


def leads(**more: Any) -> SimpleMetric:
    """Sourced leads by day of creation."""
    facts = {"label": "Leads", "table": "leads", "aggregate": "count_distinct", "of": "lead_id", "date": "created_at"}
    return SimpleMetric(**(facts | {"credit_type": ("sourced",), "unit": COUNT} | more))


def measure(
    tables: Mapping[str, Sequence[Any]], labels: Sequence[str] = (Q3,), absent: Sequence[str] = (), **defined: Any
) -> dict[str, Measurement]:
    """The metrics by name, measured over the tables."""
    return metrics.measure(connect(tables), defined, window(AS_OF, labels, RATES, absent))


def value(measured: Measurement, who: str, label: str = Q3) -> Decimal | None:
    """The value of a partner in a quarter."""
    return row(measured, who, label)["value"]


def row(measured: Measurement, who: str, label: str = Q3) -> Any:
    """The row of a partner and quarter."""
    frame = measured.values
    return frame[(frame["partner_id"] == who) & (frame["period_id"] == label)].iloc[0]


def random_tables(seed: int) -> dict[str, list[Row]]:
    """Small tables over 2026-Q1 to Q3 and some days around, with nulls, odd texts and credit given twice."""
    dice = random.Random(seed)
    partners = ["P1", "P2", "P3", "P4"]
    joined = [None, dt.date(2020, 1, 1), dt.date(2026, 5, 20), dt.date(2026, 7, 1)]
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    tables["partners"] = [
        partner(key, joined_on=day, tier=dice.choice([None, "Gold", "x' OR 1=1 --"]))
        for key, day in zip(partners, joined, strict=True)
    ]
    for i in range(30):
        tables["opportunities"].append(_random_deal(dice, f"O{i:02}"))
        tables["leads"].append(_random_lead(dice, f"L{i:02}"))
        for subject, kind in ((f"O{i:02}", "opportunity"), (f"L{i:02}", "lead")):
            tables["attributions"] += _random_credits(dice, subject, kind, [*partners, "stranger"])
    for i in range(24):
        whose = {"partner_id": dice.choice([*partners, "stranger"])}
        tables["registrations"].append(whose | _random_registration(dice, f"R{i:02}"))
        tables["certifications"].append(whose | _random_certificate(dice, f"C{i:02}"))
        score = {"score": _maybe(dice, Decimal(dice.randint(-30, 50)) / 7, 0.1)}
        score["score"] = score["score"] and score["score"].quantize(Decimal("0.000001"))
        answer = {"response_id": f"S{i:02}", "kind": dice.choice(["csat", "nps", None]), "answered_on": _day(dice)}
        tables["surveys"].append(whose | score | answer)
    for i in range(24):
        tables["subscription_movements"].append(_random_movement(dice, f"M{i:02}"))
        tables["attributions"] += _random_credits(dice, f"M{i:02}", "movement", [*partners, "stranger"])
        tables["manual_facts"].append(
            {"fact_id": f"F{i:02}", "partner_id": dice.choice(partners), "fact": dice.choice(["meeting", "plan"]),
             "valid_on": _day(dice), "value": _maybe(dice, Decimal(dice.randint(0, 5)), 0.2)}
        )  # fmt: skip
    return tables


def _random_movement(dice: random.Random, key: str) -> Row:
    row: Row = {"movement_id": key, "account_id": dice.choice(["A1", "A2", "A3"]), "effective_on": _day(dice)}
    row |= {"kind": dice.choice(["opening", "new", "expansion", "contraction", "churn"])}
    row |= {"arr_delta": Decimal(dice.randint(-500_000, 900_000)) / 100, "currency": dice.choice(["USD", "EUR"])}
    return row | {"customer_since": _maybe(dice, _day(dice), 0.1)}


def _random_deal(dice: random.Random, key: str) -> Row:
    stage = dice.choice(["open_early", "open_late", "won", "won", "lost"])
    row = deal(key, _maybe(dice, f"{dice.randint(-500, 90_000_000) / 10_000:.4f}", 0.15), stage=stage)
    row |= {"currency": dice.choice(["USD", "USD", "EUR", "EUR", "XAF" if dice.random() < 0.2 else "GBP", None])}
    row |= {"created_at": _moment(dice), "close_date": _maybe(dice, _day(dice), 0.1), "owner": dice.choice(ODD_TEXTS)}
    row |= {"type": dice.choice([None, "new", "renewal"]), "loss_reason": _maybe(dice, dice.choice(ODD_TEXTS), 0.5)}
    row |= {"cycle_days": _maybe(dice, dice.randint(-3, 90), 0.3)}
    row |= {"account_id": dice.choice([None, "A1", "A2", "A3"]), "is_won": _maybe(dice, row["is_won"], 0.1)}
    return row


def _random_lead(dice: random.Random, key: str) -> Row:
    status = _maybe(dice, dice.choice(["new", "converted", "duplicate"]), 0.2)
    row: Row = {"lead_id": key, "status": status, "created_at": _moment(dice), "source": dice.choice(ODD_TEXTS)}
    return row | {"company": dice.choice([None, "One", "Two", "three"]), "converted_on": _maybe(dice, _day(dice), 0.6)}


def _random_registration(dice: random.Random, key: str) -> Row:
    row: Row = {"registration_id": key, "status": dice.choice(["submitted", "approved", "rejected"])}
    row |= {"submitted_on": _day(dice), "decided_on": _maybe(dice, _day(dice), 0.4)}
    row |= {"amount": _maybe(dice, Decimal(dice.randint(0, 10**6)) / 100, 0.3), "currency": dice.choice(["USD", "EUR"])}
    return row | {"account_name": _maybe(dice, dice.choice(ODD_TEXTS), 0.3)}


def _random_certificate(dice: random.Random, key: str) -> Row:
    row: Row = {
        "certification_id": key,
        "person_id": dice.choice(["ada", "bob", "cy"]),
        "level": dice.choice([None, "expert"]),
    }
    return row | {"issued_on": _day(dice), "expires_on": _maybe(dice, _day(dice), 0.4)}


def _random_credits(dice: random.Random, subject: str, kind: str, partners: Sequence[str]) -> list[Row]:
    shares = ("1", "0.6", "0.4", "0.3334", "0.3333")
    wanted = [(who, how) for who in partners for how in ("sourced", "influenced", "resold") if dice.random() < 0.2]
    rows = [credit(subject, who, how, dice.choice(shares), kind) for who, how in wanted]
    for row in rows:
        row["status"] = dice.choice(["confirmed", None, None, "claimed", "disputed", "rejected"])
        row["is_late"] = dice.choice([None, False, False, True])
        row["method"] = dice.choice(["field", "campaign", None])
    return rows


def _day(dice: random.Random) -> dt.date:
    edges = [dt.date(2026, 3, 31), dt.date(2026, 4, 1), dt.date(2026, 6, 30), dt.date(2026, 7, 1)]
    return dice.choice([*edges, dt.date(2025, 12, 1) + dt.timedelta(days=dice.randint(0, 320))])


def _moment(dice: random.Random) -> dt.datetime:
    return dt.datetime.combine(_day(dice), dice.choice([dt.time(0, 0), dt.time(12, 30), dt.time(23, 59, 59, 999_999)]))


def _maybe(dice: random.Random, value: Any, missing: float) -> Any:
    return None if dice.random() < missing else value
