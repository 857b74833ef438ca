"""One partner's share of everything, as plain JSON; apart, because it is the whole of what a notebook may see.

The programme is read and measured once. Here it is parted: goals with their records, trend, pace, deals,
actions and words of one partner, and nothing of any other.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import pandas as pd

from pbr_lib import goals
from pbr_lib.definitions import Goal, Metric, SimpleMetric, Target, UnitSpec
from pbr_lib.extracts import Extract
from pbr_lib.goals import Clock, Measured, Result
from pbr_lib.model import Finding
from pbr_lib.params import Action, Instance, Params
from pbr_lib.periods import Quarter
from pbr_lib.records import fields as record_fields
from pbr_lib.schema import CREDIT_TYPES
from pbr_lib.wording import describe

__all__ = ["HISTORY", "VERSION", "Programme", "house_metrics", "plain", "portray", "record_fields", "target_json"]

VERSION = 1
HISTORY = 8


@dataclass(frozen=True)
class Programme:
    """Everything measured, for all partners, grouped so that one partner's share is a look-up.

    ``values`` maps (metric, partner, quarter) to what was measured; ``evidence`` (metric, partner) to the
    records of the quarter; ``deals`` a partner to its opportunities at plan rate; ``rows`` (table, partner)
    to the number of records that concern the partner; ``agreed`` (quarter, partner) to the rows of targets.
    """

    params: Params
    partners: Mapping[str, str] = field(repr=False)
    quarter: Quarter
    as_of: dt.date
    extracts: tuple[Extract, ...]
    findings: tuple[Finding, ...]
    values: Mapping[tuple[str, str, str], Measured] = field(repr=False)
    evidence: Mapping[tuple[str, str], list[dict[str, Any]]] = field(repr=False)
    deals: Mapping[str, list[dict[str, Any]]] = field(repr=False)
    rows: Mapping[tuple[str, str], int] = field(repr=False)
    applies: Mapping[str, set[str]] = field(repr=False)
    agreed: Mapping[tuple[str, str], Mapping[str, Instance]] = field(repr=False)
    actions: Mapping[str, tuple[Action, ...]] = field(repr=False)

    @cached_property
    def findings_of(self) -> Mapping[str, list[Finding]]:
        """The findings that concern one partner only, by partner."""
        out: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            if finding.partner_id:
                out[finding.partner_id].append(finding)
        return out


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


def portray(programme: Programme, partner: Mapping[str, Any]) -> dict[str, Any]:
    """The slice of one partner, in plain JSON values (Decimal and date as text)."""
    params, quarter = programme.params, programme.quarter
    clock = _clock(programme, partner, quarter)
    results = _results(programme, partner, quarter)
    before = {result.key: result for result, _ in _results(programme, partner, quarter.shift(-1))}
    hidden = not params.workbook.show_influenced
    shown = [row for row in results if not (hidden and _influenced(params.metrics[row[1].metric], params))]
    total = goals.score(shown, clock.phase)
    return {
        "version": VERSION,
        "organisation": params.workbook.organisation,
        "currency": params.workbook.currency,
        "show_influenced": params.workbook.show_influenced,
        "records_on_page": params.workbook.records_on_page,
        "partner": {key: plain(value) for key, value in partner.items()},
        "quarter": _quarter(quarter, programme.as_of, clock),
        "score": _score(total),
        "objectives": dict(params.objectives),
        "goals": [_goal(programme, result, goal, before.get(result.key)) for result, goal in results],
        "trend": _trend(programme, partner, [result for result, _ in results]),
        "history": _history(programme, str(partner["partner_id"])),
        "deals": programme.deals.get(str(partner["partner_id"]), []),
        "actions": _actions(programme.actions.get(str(partner["partner_id"]), ()), quarter),
        "words": dict(params.words.get((quarter.label, str(partner["partner_id"])), {})),
        "definitions": _definitions(programme, [goal for _, goal in results]),
        "sources": _sources(programme, str(partner["partner_id"])),
        "findings": _findings(programme, str(partner["partner_id"]), results),
    }


def _clock(programme: Programme, partner: Mapping[str, Any], quarter: Quarter) -> Clock:
    joined = partner.get("joined_on")
    since = joined if isinstance(joined, dt.date) and quarter.holds(joined) and joined > quarter.start else None
    return Clock(quarter, programme.as_of, programme.params.workbook.final_after_business_days, since)


def _results(programme: Programme, partner: Mapping[str, Any], quarter: Quarter) -> list[tuple[Result, Goal]]:
    """Every goal of the partner in the quarter, evaluated, in the order of the definitions."""
    params, clock = programme.params, _clock(programme, partner, quarter)
    partner_id = str(partner["partner_id"])
    joined = partner.get("joined_on")
    if isinstance(joined, dt.date) and joined >= quarter.end:
        return []
    out = []
    for key, instance in _instances(programme, partner_id, quarter, clock).items():
        goal = params.goals[key]
        measured = programme.values.get((goal.metric, partner_id, quarter.label), Measured())
        out.append((goals.evaluate(key, goal, params.metrics[goal.metric], instance, (measured, clock)), goal))
    return out


def _instances(programme: Programme, partner_id: str, quarter: Quarter, clock: Clock) -> dict[str, Instance]:
    """The agreed rows of the partner; where there is none at all, what the definitions would give."""
    params = programme.params
    agreed = programme.agreed.get((quarter.label, partner_id))
    if agreed:
        return {key: agreed[key] for key in params.goals if key in agreed}
    out = {}
    for key, goal in params.goals.items():
        if partner_id not in programme.applies[key] or params.quarter(goal.first_period).start > quarter.start:
            continue
        metric = params.metrics[goal.metric]
        target = goals.resolve_target(goal, metric, clock)
        if target is not None:
            stretch, red_flag = goals.resolve_bounds(goal, metric, target)
            basis = "from the goal's definition; not agreed yet"
            out[key] = Instance(partner_id, key, target, stretch=stretch, red_flag=red_flag, basis=basis)
    return out


def _goal(programme: Programme, result: Result, goal: Goal, before: Result | None) -> dict[str, Any]:
    params = programme.params
    metric = params.metrics[goal.metric]
    instance, measured = result.instance, result.measured
    weight = instance.weight if instance.weight is not None else goal.weight
    return {
        "key": result.key,
        "metric": goal.metric,
        "label": metric.label,
        "name": goal.name or metric.label,
        "objective": goal.objective,
        "headline": goal.headline,
        "influenced": _influenced(metric, params),
        "unit": metric.unit.unit.as_json(),
        "better": metric.better,
        "table": metric.table if isinstance(metric, SimpleMetric) else "",
        "aggregate": _recipe(metric, params.metrics),
        "target": target_json(instance.target),
        "stretch": plain(instance.stretch),
        "red_flag": plain(instance.red_flag),
        "weight": plain(weight),
        "cap": plain(goal.cap_attainment),
        "owner_us": instance.owner_us or goal.owners.vendor,
        "owner_them": instance.owner_them or goal.owners.partner,
        "agreed_by_us": instance.agreed_by_us,
        "agreed_by_them": instance.agreed_by_them,
        "basis": instance.basis,
        "state": measured.state,
        "reason": measured.reason,
        "actual": plain(measured.value if measured.known else None),
        "n": measured.n,
        "in_progress": plain(measured.in_progress),
        "attained": plain(result.attained),
        "expected": plain(result.pace.expected),
        "pace_index": plain(result.pace.index),
        "pace_share": plain(result.pace.share) if result.pace.expected is not None else None,
        "pace_basis": result.pace.basis,
        "standing": result.standing,
        "last": None if before is None else _last(before),
        "records": programme.evidence.get((goal.metric, instance.partner_id), []),
    }


def _influenced(metric: Metric, params: Params) -> bool:
    """Whether a metric counts influenced credit and no other; a ratio does when either part does."""
    if isinstance(metric, SimpleMetric):
        return metric.credits == ("influenced",)
    return any(_influenced(params.metrics[part], params) for part in metric.parts)


def _recipe(metric: Metric, metrics: Mapping[str, Metric]) -> str:
    """How the workbook sums the records up again; ``given`` where the records listed do not give the number."""
    if isinstance(metric, SimpleMetric):
        alone = {name: name for name in ("average", "median", "min", "max")}
        return "given" if metric.scope == "programme" else alone.get(metric.aggregate, "sum")
    parts = [metrics[name] for name in metric.parts]
    summed = all(isinstance(p, SimpleMetric) and p.additive and p.scope == "partner" for p in parts)
    return "ratio" if summed and metric.scale is None else "given"


def target_json(target: Target) -> dict[str, Any]:
    """A target in plain JSON values."""
    low, high = target.between or (None, None)
    return {
        "kind": target.kind,
        "value": plain(target.value),
        "from": plain(target.base),
        "low": plain(low),
        "high": plain(high),
        "due": plain(target.done_by),
    }


def _last(before: Result) -> dict[str, Any]:
    return {
        "attained": plain(before.attained),
        "actual": plain(before.measured.value if before.measured.known else None),
        "target": target_json(before.instance.target),
        "standing": before.standing,
    }


def _score(total: goals.Score) -> dict[str, Any]:
    return {
        "value": plain(total.value),
        "expected": plain(total.expected),
        "known_goals": total.known_goals,
        "goals": total.goals,
        "known_weight": plain(total.known_weight),
        "standing": total.standing,
    }


def _quarter(quarter: Quarter, as_of: dt.date, clock: Clock) -> dict[str, Any]:
    calendar = quarter.calendar
    until = min(as_of, quarter.last_day) + dt.timedelta(days=1)
    return {
        "label": quarter.label,
        "start": quarter.start.isoformat(),
        "last_day": quarter.last_day.isoformat(),
        "as_of": as_of.isoformat(),
        "phase": clock.phase,
        "before": quarter.shift(-1).label,
        "business_days": calendar.business_days(quarter.start, quarter.end),
        "business_days_passed": calendar.business_days(quarter.start, until),
        "holidays": [day.isoformat() for day in calendar.holidays if quarter.holds(day)],
        "since": None if clock.since is None else clock.since.isoformat(),
    }


def _trend(programme: Programme, partner: Mapping[str, Any], results: list[Result]) -> dict[str, list[dict[str, Any]]]:
    """Value and agreed target of each goal over the last eight quarters; of this one the target of the goal table."""
    params, partner_id = programme.params, str(partner["partner_id"])
    out: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        key, goal = result.key, params.goals[result.key]
        rows = []
        for back in range(HISTORY - 1, -1, -1):
            quarter = programme.quarter.shift(-back)
            measured = programme.values.get((goal.metric, partner_id, quarter.label), Measured())
            agreed = programme.agreed.get((quarter.label, partner_id), {}).get(key)
            instance = agreed if back else result.instance
            rows.append(
                {
                    "quarter": quarter.label,
                    "value": plain(measured.value if measured.known else None),
                    "state": measured.state,
                    "target": None if instance is None else plain(instance.target.value),
                }
            )
        out[key] = rows
    return out


def _history(programme: Programme, partner_id: str) -> list[dict[str, Any]]:
    """Revenue by credit, and amounts won and lost, over the last eight quarters."""
    out = []
    for back in range(HISTORY - 1, -1, -1):
        label = programme.quarter.shift(-back).label
        row: dict[str, Any] = {"quarter": label}
        for name in ("sourced", "influenced", "resold", "won", "lost"):
            measured = programme.values.get((f"_{name}", partner_id, label), Measured())
            row[name] = plain(measured.value if measured.known else None)
            row[f"{name}_n"] = measured.n
        out.append(row)
    return out


def _actions(actions: tuple[Action, ...], quarter: Quarter) -> list[dict[str, Any]]:
    """What was promised last quarter and in this one, and whatever is still open from before."""
    wanted = (quarter.label, quarter.shift(-1).label)
    out = []
    for action in actions:
        opened = quarter.calendar.parse(action.opened)
        still_open = action.status in ("open", "in progress") and opened < quarter
        if action.opened in wanted or still_open:
            out.append(
                {
                    "id": action.action_id,
                    "goal": action.goal,
                    "action": action.action,
                    "side": action.side,
                    "owner": action.owner,
                    "opened": action.opened,
                    "due": plain(action.due),
                    "status": action.status,
                    "closed_on": plain(action.closed_on),
                }
            )
    return sorted(out, key=lambda row: (row["opened"], row["due"] or "", row["id"]))


def _definitions(programme: Programme, wanted: list[Goal]) -> list[dict[str, Any]]:
    params = programme.params
    out = []
    for name in dict.fromkeys(goal.metric for goal in wanted):
        metric = params.metrics[name]
        tables = _tables(metric, params.metrics)
        reach = [e for e in programme.extracts if e.table in tables and e.as_of]
        out.append(
            {
                "metric": name,
                "label": metric.label,
                "about": metric.about,
                "definition": describe(metric, params.metrics),
                "source": "; ".join(sorted(e.about or e.source for e in programme.extracts if e.table in tables)),
                "as_of": plain(max((e.as_of for e in reach if e.as_of), default=None)),
            }
        )
    return out


def _tables(metric: Metric, metrics: Mapping[str, Metric]) -> set[str]:
    """The tables whose records a metric counts."""
    if isinstance(metric, SimpleMetric):
        return {metric.table}
    return {table for name in metric.parts for table in _tables(metrics[name], metrics)}


def _sources(programme: Programme, partner_id: str) -> list[dict[str, Any]]:
    """What was read, and how many of its records concern this partner; nothing that would tell of others."""
    return [
        {
            "about": extract.about or extract.source,
            "table": extract.table,
            "as_of": plain(extract.as_of),
            "covers_from": plain(extract.covers_from),
            "records": programme.rows.get((extract.table, partner_id), 0),
        }
        for extract in sorted(programme.extracts, key=lambda e: e.source)
        if extract.table != "accounts"
    ]


def _findings(programme: Programme, partner_id: str, results: list[tuple[Result, Goal]]) -> list[dict[str, Any]]:
    """What is odd about this partner's figures; findings on others' rows are not for this slice."""
    out = [
        {"severity": f.severity, "what": f.what, "where": f.where, "fix": f.fix}
        for f in programme.findings_of.get(partner_id, ())
    ]
    for result, goal in results:
        label = programme.params.metrics[goal.metric].label
        if result.standing == "not measurable":
            out.append(_remark("warning", f"{label} is not measurable: {result.measured.reason}"))
        if not result.instance.agreed:
            out.append(_remark("warning", f"{label}: the target is not agreed by both sides"))
    for deal in programme.deals.get(partner_id, []):
        if deal["stage"].startswith("open") and deal["loss_reason"]:
            out.append(_remark("info", f"{deal['name']} is open and carries a loss reason: {deal['loss_reason']}"))
    return out


def _remark(severity: str, what: str) -> dict[str, Any]:
    return {"severity": severity, "what": what, "where": "", "fix": ""}


def plain(value: Any) -> Any:
    """A value as JSON holds it: Decimal and date as text, what is missing as null."""
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
