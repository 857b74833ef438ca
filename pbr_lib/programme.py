"""Everything measured for all partners at once, grouped so that one partner's share is a look-up; apart, because it
is read once for a whole run, and what is made of it, one slice for each partner, never sees it whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib import fx, ground, metrics, proposing, records
from pbr_lib.canonical import column
from pbr_lib.definitions import Metric, SimpleMetric, UnitSpec
from pbr_lib.fx import Effects
from pbr_lib.ground import Ground
from pbr_lib.ingest import Loaded
from pbr_lib.metrics import Window
from pbr_lib.model import Finding
from pbr_lib.params import Action, Params
from pbr_lib.periods import Quarter
from pbr_lib.proposing import Proposals
from pbr_lib.prospects import Prospects
from pbr_lib.records import plain
from pbr_lib.schema import CREDIT_TYPES, SUBJECTS, TABLES

__all__ = ["HISTORY", "Currency", "Programme", "evidence", "house_metrics", "measure"]

HISTORY = 8
"""How many quarters a pack looks back."""


@dataclass(frozen=True)
class Currency:
    """What currencies did to one money metric in the quarter, and the records that no rate converts, by partner."""

    effects: Effects
    unconverted: Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Programme:
    """The ground of all goals, and what packs show beside them.

    ``evidence`` maps (metric, partner) to the records of the quarter; ``deals`` a partner to its opportunities at
    plan rate; ``rows`` (table, partner) to the number of records that concern the partner; ``currency`` a money metric
    to what currencies did to it.
    """

    ground: Ground
    findings: tuple[Finding, ...]
    evidence: Mapping[tuple[str, str], list[dict[str, Any]]] = field(repr=False)
    deals: Mapping[str, list[dict[str, Any]]] = field(repr=False)
    rows: Mapping[tuple[str, str], int] = field(repr=False)
    actions: Mapping[str, tuple[Action, ...]] = field(repr=False)
    currency: Mapping[str, Currency] = field(repr=False)
    ahead: Prospects = field(repr=False)
    proposals: Proposals = field(repr=False)

    @property
    def params(self) -> Params:
        """What people wrote."""
        return self.ground.params

    @property
    def quarter(self) -> Quarter:
        """The quarter of the packs."""
        return self.ground.quarter

    @cached_property
    def findings_of(self) -> Mapping[str, list[Finding]]:
        """The findings that concern one partner only, by partner."""
        out: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            if finding.partner_id:
                out[finding.partner_id].append(finding)
        return out


def measure(params: Params, loaded: Loaded, quarter: Quarter, findings: Iterable[Finding]) -> Programme:
    """Measure everything that the packs of a quarter show."""
    base = ground.lay(params, loaded, quarter, house_metrics(params))
    ahead = Prospects(base)
    return Programme(
        ground=base,
        findings=tuple(findings),
        evidence=evidence(base, quarter),
        deals=_deals(base.connection, base.window, quarter),
        rows=_rows(loaded.tables),
        actions=_grouped((action.partner_id, action) for action in params.actions),
        currency=_currency(base),
        ahead=ahead,
        proposals=proposing.propose(base, ahead.middle),
    )


def house_metrics(params: Params) -> dict[str, Metric]:
    """The metrics that every pack draws beside its goals: revenue by credit, deals won and lost.

    Their names begin with an underscore, which no name in params can.
    """
    unit = UnitSpec(kind="money", currency=params.workbook.currency)
    base = {"table": "opportunities", "aggregate": "sum", "of": "amount", "date": "close_date", "unit": unit}
    out: dict[str, Metric] = {}
    for credit in CREDIT_TYPES[:3]:
        way = "split" if credit == "sourced" else "full"
        out[f"_{credit}"] = SimpleMetric(
            label=credit.capitalize(), where={"is_won": True}, credit_type=(credit,), credit=way, **base
        )
    whose = () if params.workbook.show_influenced else tuple(kind for kind in CREDIT_TYPES if kind != "influenced")
    for flag in ("won", "lost"):
        out[f"_{flag}"] = SimpleMetric(label=flag.capitalize(), where={f"is_{flag}": True}, credit_type=whose, **base)
    return out


def evidence(ground: Ground, quarter: Quarter) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The records behind the goals of a quarter by (metric, partner), with the columns that make them recognisable."""
    out: dict[tuple[str, str], list[dict[str, Any]]] = {}
    # A metric is measured in the quarter of the calendar that its goals name; two calendars of one metric make two.
    wanted = dict.fromkeys((goal.metric, ground.period(goal, quarter)) for goal in ground.params.goals.values())
    for name, period in wanted:
        hits = ground.measured[name].records([period])
        partners = hits["partner_id"].to_pylist()
        begin = 0
        rows = records.listed(hits, ground.loaded.tables)
        for end in range(1, len(rows) + 1):
            if end == len(rows) or partners[end] != partners[begin]:
                out[name, partners[begin]] = rows[begin:end]
                begin = end
    return out


def _currency(ground: Ground) -> dict[str, Currency]:
    """For each goal in money what rates did to it in its quarter."""
    out: dict[str, Currency] = {}
    for goal in ground.params.goals.values():
        metric = ground.params.metrics[goal.metric]
        if metric.unit.kind != "money" or goal.metric in out:
            continue
        window = replace(ground.window, quarters=(ground.period(goal, ground.quarter),))
        effects = fx.effect(ground.connection, metric, window, ground.params.metrics)
        lost: dict[str, list[dict[str, Any]]] = defaultdict(list)
        if isinstance(metric, SimpleMetric):
            for row in fx.unconverted(ground.connection, metric, window).to_pylist():
                lost[row["partner_id"]].append(
                    {name: plain(row[name]) for name in ("record_id", "day", "currency", "amount")}
                )
        out[goal.metric] = Currency(effects, dict(lost))
    return out


def _deals(connection: ibis.BaseBackend, window: Window, quarter: Quarter) -> dict[str, list[dict[str, Any]]]:
    """Each partner's opportunities that are open, or closed in the quarter, at the quarter's plan rates."""
    rows = connection.table("opportunities")
    closed_now = (rows.close_date >= quarter.start) & (rows.close_date < quarter.end)
    columns = ["opportunity_id", "name", "account_name", "amount", "currency", "stage", "source_stage", "close_date"]
    columns += ["loss_reason", "next_step"]
    rows = rows.filter(rows.is_open | closed_now.fill_null(False)).select(columns)
    credit = connection.table("attributions")
    counts = (credit.status.fill_null("confirmed") == "confirmed") & ~credit.is_late.fill_null(False)
    credit = credit.filter((credit.subject_type == "opportunity") & counts)
    credit = credit.select("subject_id", "partner_id", "credit_type", "share")
    joined = rows.join(credit, rows.opportunity_id == credit.subject_id)
    joined = joined.order_by("partner_id", "opportunity_id", "credit_type")
    rates = {r.currency: r.rate for r in metrics.plan_rates(window.rates, window.currency, quarter.start, window.as_of)}
    out: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in joined.to_pyarrow().to_pylist():
        mine = out[str(row["partner_id"])]
        if row["opportunity_id"] not in mine:
            rate, amount = rates.get(row["currency"]), row["amount"]
            deal = {name: plain(row[name]) for name in columns}
            deal["id"] = deal.pop("opportunity_id")
            plan = None if rate is None or amount is None else amount * rate
            mine[deal["id"]] = deal | {"credits": [], "plan_amount": plain(plan), "sourced_share": None}
        deal = mine[row["opportunity_id"]]
        deal["credits"].append(row["credit_type"])
        if row["credit_type"] == "sourced":
            deal["sourced_share"] = plain(row["share"])
    return {partner: list(deals.values()) for partner, deals in out.items()}


def _rows(tables: Mapping[str, pa.Table]) -> dict[tuple[str, str], int]:
    out: dict[tuple[str, str], int] = {}
    for name, spec in TABLES.items():
        if spec.column("partner_id") is not None and name != "attributions":
            counts = pc.value_counts(column(tables, name, "partner_id")).to_pylist()
            out |= {(name, each["values"]): each["counts"] for each in counts if each["values"] is not None}
    credit = pa.table(
        {key: column(tables, "attributions", key) for key in ("subject_type", "subject_id", "partner_id")}
    )
    once = credit.group_by(["subject_type", "partner_id"]).aggregate([("subject_id", "count_distinct")])
    for row in once.to_pylist():
        out[SUBJECTS[row["subject_type"]].name, row["partner_id"]] = row["subject_id_count_distinct"]
    return out


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    out: dict[str, list[Any]] = defaultdict(list)
    for key, value in pairs:
        out[key].append(value)
    return {key: tuple(values) for key, values in out.items()}
