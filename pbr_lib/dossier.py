"""One partner's share of everything, as plain JSON; apart, because it is the whole of what a notebook may see.

The programme is read and measured once. Here it is parted: goals with their records, trend, pace, deals,
actions and words of one partner, and nothing of any other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pbr_lib import goals, results
from pbr_lib.agreement import Agreed, deadline
from pbr_lib.definitions import Goal, Metric, SimpleMetric, Target
from pbr_lib.goals import Clock, Result
from pbr_lib.ledger.frozen import definition_hash
from pbr_lib.manual import manual_marks
from pbr_lib.params import Action, Params
from pbr_lib.periods import Quarter
from pbr_lib.programme import HISTORY, Programme
from pbr_lib.proposing import Draft
from pbr_lib.records import fields as record_fields
from pbr_lib.records import plain
from pbr_lib.results import Evaluated
from pbr_lib.review import SLICE_VERSION
from pbr_lib.wording import describe

__all__ = ["goals_of", "portray", "record_fields", "target_json"]


def portray(
    programme: Programme,
    partner: Mapping[str, Any],
    restatements: Sequence[dict[str, Any]] | None = None,
    issue: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The slice of one partner, in plain JSON values (Decimal and date as text).

    ``restatements`` say what changed in figures already issued; None as long as there are none. ``issue`` says of a
    pack that is issued again which one it takes the place of, why, and what has changed in it.
    """
    params, ground, quarter = programme.params, programme.ground, programme.quarter
    partner_id = str(partner["partner_id"])
    clock = ground.clock(partner_id, quarter)
    standing = results.of_partner(ground, partner_id, quarter, programme.ahead)
    before = {each.result.key: each.result for each in results.of_partner(ground, partner_id, quarter.shift(-1))}
    hidden = not params.workbook.show_influenced
    shown = [each for each in standing if not (hidden and _influenced(params.metrics[each.goal.metric], params))]
    changes = [] if issue is None else issue["changes"]
    total = goals.score([(each.result, each.goal) for each in shown], clock.phase)
    return {
        "version": SLICE_VERSION,
        "organisation": params.workbook.organisation,
        "currency": params.workbook.currency,
        "show_influenced": params.workbook.show_influenced,
        "records_on_page": params.workbook.records_on_page,
        # Where the row stands in its export would change all slices whenever a partner joins the list.
        "partner": {key: plain(value) for key, value in partner.items() if not key.startswith("src_")},
        "quarter": _quarter(quarter, programme.ground.as_of, clock),
        "score": _score(total),
        "objectives": dict(params.objectives),
        "goals": [_goal(programme, each, before.get(each.result.key)) for each in standing],
        "trend": _trend(programme, partner, [each.result for each in standing]),
        "history": _history(programme, partner_id),
        "deals": programme.deals.get(partner_id, []),
        "actions": _actions(programme.actions.get(partner_id, ()), quarter),
        "words": dict(params.words.get((quarter.label, partner_id), {})),
        "definitions": _definitions(programme, [each.goal for each in standing]),
        "sources": _sources(programme, partner_id),
        "next": _following(programme, partner_id, standing),
        "restatements": None if restatements is None and issue is None else [*changes, *(restatements or ())],
        "issue": None if issue is None else {key: issue[key] for key in ("kind", "reason", "supersedes")},
        "findings": _findings(programme, partner_id, standing),
    }


def _goal(programme: Programme, each: Evaluated, before: Result | None) -> dict[str, Any]:
    params, result, goal = programme.params, each.result, each.goal
    metric = params.metrics[goal.metric]
    instance, measured = result.instance, result.measured
    return {
        "key": result.key,
        "metric": goal.metric,
        "label": metric.label,
        "name": goal.name or metric.label,
        "objective": goal.objective,
        "headline": goal.headline,
        "period": _period(programme, goal),
        "influenced": _influenced(metric, params),
        "unit": metric.unit.unit.as_json(),
        "better": metric.better,
        "table": _one_table(metric, params.metrics),
        "aggregate": _recipe(metric, params.metrics),
        **_promise(each),
        "state": measured.state,
        "reason": measured.reason,
        "actual": plain(measured.value if measured.known else None),
        "n": measured.n,
        "in_progress": plain(measured.in_progress),
        "attained": plain(result.attained),
        "met": result.met,
        "note": "; ".join(filter(None, (result.note, *_marks(programme, each)))),
        "reachable": plain(result.reachable),
        "reach": plain(result.reach),
        "outlook": _outlook(programme, each),
        "expected": plain(result.pace.expected),
        "pace_index": plain(result.pace.index),
        "pace_share": plain(result.pace.share) if result.pace.expected is not None else None,
        "pace_basis": result.pace.basis,
        "pace_curve": _pace_curve(programme, result),
        "standing": result.standing,
        "currency": _currency(programme, each),
        "last": _last(programme, result.key, instance.partner_id, before),
        "records": programme.evidence.get((goal.metric, instance.partner_id), []),
    }


def _promise(each: Evaluated) -> dict[str, Any]:
    """What was agreed, by whom, and on which grounds."""
    instance, goal = each.result.instance, each.goal
    return {
        "target": target_json(instance.target),
        "stretch": plain(instance.stretch),
        "red_flag": plain(instance.red_flag),
        "weight": plain(instance.weight if instance.weight is not None else goal.weight),
        "cap": plain(goal.cap_attainment),
        "owner_us": instance.owner_us or goal.owners.vendor,
        "owner_them": instance.owner_them or goal.owners.partner,
        "agreed_by_us": instance.agreed_by_us,
        "agreed_by_them": instance.agreed_by_them,
        "basis": instance.basis,
        "agreement": {"state": each.agreed.state, "remark": each.agreed.remark, "in_force": each.agreed.in_force},
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


def _last(programme: Programme, key: str, partner_id: str, before: Result | None) -> dict[str, Any] | None:
    """The goal in the quarter before: as it was issued, where that quarter is closed."""
    label = programme.quarter.shift(-1).label
    figure = programme.ground.record.figures.get((label, partner_id, key))
    if figure is not None:
        facts = {"attained": plain(figure.attained), "actual": plain(figure.actual), "target": dict(figure.target)}
        return {**facts, "standing": figure.standing, "issued": figure.pack_id}
    if before is None:
        return None
    actual = before.measured.value if before.measured.known else None
    facts = {"attained": plain(before.attained), "actual": plain(actual), "target": target_json(before.instance.target)}
    return {**facts, "standing": before.standing, "issued": ""}


def goals_of(programme: Programme, partner_id: str) -> dict[str, Any]:
    """The goals of one partner with their records and definitions, as its slice holds them."""
    standing = results.of_partner(programme.ground, partner_id, programme.quarter)
    return {
        "goals": [_goal(programme, each, None) for each in standing],
        "definitions": _definitions(programme, [each.goal for each in standing]),
    }


def _outlook(programme: Programme, each: Evaluated) -> dict[str, Any] | None:
    """Where the goal is heading; None once the quarter is over."""
    found = programme.ahead.outlook(each.result.key, each.result.instance.partner_id)
    if found is None:
        return None
    number = programme.params.metrics[each.goal.metric].unit.kind == "count"
    ends = {key: _rounded(getattr(found, key), 0 if number else 4) for key in ("low", "mid", "high")}
    basis = "; ".join(filter(None, (found.basis, found.calibration if found.known else "")))
    return {**ends, "p_met": _rounded(found.p_met, 4), "basis": basis, "reason": found.reason}


def _period(programme: Programme, goal: Goal) -> dict[str, Any] | None:
    """The quarter of the goal's own calendar, where it has one; None for the pack's."""
    quarter = programme.ground.period(goal, programme.quarter)
    if quarter.calendar == programme.quarter.calendar:
        return None
    return {"label": quarter.label, "start": quarter.start.isoformat(), "last_day": quarter.last_day.isoformat()}


def _currency(programme: Programme, each: Evaluated) -> dict[str, Any] | None:
    """What rates did to a goal in money, and the records that no rate converts; None where neither is the case."""
    found = programme.currency.get(each.goal.metric)
    if found is None:
        return None
    partner_id = each.result.instance.partner_id
    effect = found.effects.of(partner_id, programme.ground.period(each.goal, programme.quarter))
    lost = found.unconverted.get(partner_id, [])
    if effect is None and not lost:
        return None
    told = None
    if effect is not None:
        figures = {key: plain(getattr(effect, key)) for key in ("plan", "spot", "effect")}
        told = {**figures, "records": effect.records, "reason": effect.reason}
    return {"effect": told, "unconverted": lost}


def _pace_curve(programme: Programme, result: Result) -> list[str] | None:
    """What the past of the goal expects day by day; None where days are counted, or nothing is paced."""
    paced = result.pace.expected is not None
    return programme.ahead.curve(result.key, result.instance.partner_id) if paced else None


def _rounded(value: float | None, decimals: int) -> str | None:
    return None if value is None else plain(Decimal(f"{value:.{decimals}f}"))


def _following(programme: Programme, partner_id: str, standing: Sequence[Evaluated]) -> dict[str, Any]:
    """Next quarter's goals: the rows of its file where it has any for the partner, else what renewal gives."""
    ground, proposals = programme.ground, programme.proposals
    drafts = {draft.goal: draft for draft in proposals.of(partner_id)}
    now = {each.result.key: each for each in standing}
    written = ground.rows_of(proposals.quarter.label).get(partner_id, {})
    out = []
    for key, goal in ground.params.goals.items():
        one, draft = written.get(key), drafts.get(key)
        if one is not None:
            row = _written(one)
        elif draft is not None and not written:
            row = _drafted(draft)
        else:
            continue
        metric = ground.params.metrics[goal.metric]
        out.append(
            {
                "goal": key,
                "label": metric.label,
                "unit": metric.unit.unit.as_json(),
                "influenced": _influenced(metric, ground.params),
                "now": target_json(now[key].result.instance.target) if key in now else None,
                "stop": "" if draft is None else draft.stop,
                **row,
            }
        )
    until = deadline(proposals.quarter, ground.params).isoformat()
    return {"quarter": proposals.quarter.label, "deadline": until, "rows": out}


def _drafted(draft: Draft) -> dict[str, Any]:
    proposal = draft.proposal
    return {
        "target": None if proposal.target is None else target_json(proposal.target),
        "stretch": plain(proposal.stretch),
        "red_flag": plain(proposal.red_flag),
        "basis": proposal.basis,
        "state": "draft",
        "remark": "",
        "agreed_by_us": "",
        "agreed_by_them": "",
    }


def _written(one: Agreed) -> dict[str, Any]:
    row = one.row
    edited = row.proposed is not None and row.proposed != row.target
    return {
        "target": target_json(row.target),
        "stretch": plain(row.stretch),
        "red_flag": plain(row.red_flag),
        "basis": row.basis,
        "state": one.state,
        "remark": "changed by hand since it was proposed" if edited else "",
        "agreed_by_us": row.agreed_by_us,
        "agreed_by_them": row.agreed_by_them,
    }


def _marks(programme: Programme, each: Evaluated) -> tuple[str, ...]:
    """Who entered the figure by hand, where somebody did."""
    params, metric = programme.params, programme.params.metrics[each.goal.metric]
    partner_id = each.result.instance.partner_id
    return manual_marks(metric, params.metrics, params.facts, partner_id, programme.quarter)


def _score(total: goals.Score) -> dict[str, Any]:
    return {
        "value": plain(total.value),
        "expected": plain(total.expected),
        "known_goals": total.known_goals,
        "goals": total.goals,
        "known_weight": plain(total.known_weight),
        "words": total.words,
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
        "holidays": [day.isoformat() for day in calendar.days_off(quarter.start, quarter.end)],
        "weekend": list(calendar.weekend),
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
            measured = programme.ground.fact(goal.metric, partner_id, quarter)
            agreed = programme.ground.agreed.get(quarter.label, {}).get((partner_id, key))
            instance = result.instance if not back else None if agreed is None else agreed.instance
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
        quarter = programme.quarter.shift(-back)
        row: dict[str, Any] = {"quarter": quarter.label}
        for name in ("sourced", "influenced", "resold", "won", "lost"):
            measured = programme.ground.fact(f"_{name}", partner_id, quarter)
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
    params, extracts = programme.params, programme.ground.loaded.extracts
    out = []
    for name in dict.fromkeys(goal.metric for goal in wanted):
        metric = params.metrics[name]
        tables = _tables(metric, params.metrics)
        reach = [e for e in extracts if e.table in tables and e.as_of]
        out.append(
            {
                "metric": name,
                "label": metric.label,
                "about": metric.about,
                "definition": describe(metric, params.metrics),
                "hash": definition_hash(name, params.metrics),
                "source": "; ".join(
                    sorted(e.about or e.source for e in programme.ground.loaded.extracts if e.table in tables)
                ),
                "as_of": plain(max((e.as_of for e in reach if e.as_of), default=None)),
            }
        )
    return out


def _one_table(metric: Metric, metrics: Mapping[str, Metric]) -> str:
    """The table of a goal's records; empty where they come from several, and each id names its own."""
    tables = sorted(_tables(metric, metrics))
    return tables[0] if len(tables) == 1 else ""


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
        for extract in sorted(programme.ground.loaded.extracts, key=lambda e: e.source)
        if extract.table != "accounts"
    ]


def _findings(programme: Programme, partner_id: str, standing: Sequence[Evaluated]) -> list[dict[str, Any]]:
    """What is odd about this partner's figures; findings on others' rows are not for this slice."""
    out = [
        {"severity": f.severity, "what": f.what, "where": f.where, "fix": f.fix}
        for f in programme.findings_of.get(partner_id, ())
    ]
    for each in standing:
        result, label = each.result, programme.params.metrics[each.goal.metric].label
        if result.standing == "not measurable":
            out.append(_remark("warning", f"{label} is not measurable: {result.measured.reason}"))
        if each.agreed.remark:
            open_ = "" if each.agreed.in_force else "the target is not agreed by both sides; "
            out.append(_remark("warning", f"{label}: {open_}{each.agreed.remark}"))
    for deal in programme.deals.get(partner_id, []):
        if deal["stage"].startswith("open") and deal["loss_reason"]:
            out.append(_remark("info", f"{deal['name']} is open and carries a loss reason: {deal['loss_reason']}"))
    return out


def _remark(severity: str, what: str) -> dict[str, Any]:
    return {"severity": severity, "what": what, "where": "", "fix": ""}
