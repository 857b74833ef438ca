"""The tables of a review, from the facts of its slice; apart, because a table is layout and never measures.

Each function takes facts and gives a :class:`~pbr_lib.blocks.Table`; sums made here only add what is listed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from pbr_lib.blocks import Bar, Cell, Column, Status, Table
from pbr_lib.goalview import GoalView, amount_of, day_of, number, words_of
from pbr_lib.model import Amount, Unit, date_text
from pbr_lib.schema import STAGE_LABELS

__all__ = ["attribution_table", "cover_facts", "deal_table", "definition_table", "finding_table", "goal_table"]
__all__ += ["pace_frame", "record_table", "source_table"]

_COUNT = Unit("count")
_PERCENT = Unit("percent")
_RECORD_LABELS = {
    "company": "Company",
    "source": "Lead source",
    "person_id": "Person",
    "name": "Name",
    "account_name": "Customer",
    "source_stage": "Stage",
    "level": "Level",
    "status": "Status",
    "expires_on": "Expires",
    "kind": "Kind",
    "score": "Score",
}


def cover_facts(partner: dict[str, Any], quarter: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The quiet line of facts on the cover."""
    as_of = date_text(_day(quarter["as_of"]))
    days = f"{quarter['business_days_passed']} of {quarter['business_days']}"
    phase = {"running": f"{days} business days passed", "closing": "closed, provisional", "final": "final"}
    rows = [
        ("Data as of", as_of),
        ("Quarter", phase[quarter["phase"]]),
        ("Our owner", partner["partner_manager"] or ""),
        ("Their owner", partner["primary_contact"] or ""),
    ]
    if quarter["since"]:
        rows.append(("Partner since", date_text(_day(quarter["since"]))))
    return tuple((label, str(value)) for label, value in rows if value)


def goal_table(goals: Sequence[GoalView], quarter: dict[str, Any], basis: str = "") -> Table:
    """Every goal with actual, in progress, target, attained, bar, status, last quarter; more in the workbook.

    ``basis`` says what the weighted attainment rests on.
    """
    columns = (
        Column("goal", "Goal", width=3),
        Column("actual", "Actual", "amount"),
        Column("in_progress", "In progress", "amount"),
        Column("target", "Target", "amount"),
        Column("attained", "Attained", "amount"),
        Column("bar", "Progress", "bar", width=1.6),
        Column("status", "Status", "status"),
        Column("last", "Last quarter", "amount"),
        Column("reachable", "Reachable", "amount", sheet_only=True),
        Column("expected", "Expected by now", "amount", sheet_only=True),
        Column("stretch", "Stretch", "amount", sheet_only=True),
        Column("red_flag", "Red flag", "amount", sheet_only=True),
        Column("weight", "Weight", "amount", sheet_only=True),
        Column("records", "Records", "amount", sheet_only=True),
        Column("pace_basis", "Pace", sheet_only=True),
        Column("basis", "Basis of the target", sheet_only=True),
        Column("reason", "Remark", sheet_only=True),
    )
    paced = {goal.facts["pace_basis"] for goal in goals if goal.facts["pace_share"] is not None}
    mark = f"The dark tick in a bar is what pace asks for by now ({'; '.join(sorted(paced))}). " if paced else ""
    overall = f" The weighted attainment is {basis}." if basis.startswith("based") else ""
    note = "In progress is open and due this quarter; it is never part of the actual."
    return Table(
        name="goals",
        columns=columns,
        rows=tuple(_goal_row(goal, quarter) for goal in goals),
        caption=(mark + note if quarter["phase"] == "running" else note) + overall,
        empty="No goals are agreed for this quarter.",
        print_rows=60,
        role="goals",
        recipes=tuple(_recipe(goal) for goal in goals),
    )


def _goal_row(goal: GoalView, quarter: dict[str, Any]) -> tuple[Cell, ...]:
    facts, unit = goal.facts, goal.unit
    last = facts["last"]
    mark = number(facts["pace_share"]) if quarter["phase"] == "running" else None
    return (
        goal.label,
        goal.actual,
        goal.in_progress if goal.in_progress.known and quarter["phase"] == "running" else None,
        words_of(goal.facts["target"], goal.unit),
        goal.ratio if goal.ratio.known else None,
        Bar(goal.ratio.value, mark, goal.status.tone),
        goal.status,
        Amount(number(last["attained"]), _PERCENT) if last and last["attained"] is not None else None,
        amount_of(facts["reachable"], unit) if quarter["phase"] == "running" else None,
        goal.expected_shown,
        amount_of(facts["stretch"], unit),
        amount_of(facts["red_flag"], unit),
        amount_of(facts["weight"], _COUNT),
        Amount(Decimal(goal.records), _COUNT),
        facts["pace_basis"],
        facts["basis"],
        "; ".join(filter(None, (facts["reason"], facts["note"], facts["agreement"]["remark"]))),
    )


def _recipe(goal: GoalView) -> dict[str, Any]:
    """How the workbook recomputes this row from the records it lists."""
    facts = goal.facts
    return {
        "goal": goal.key,
        "records": f"records-{goal.key}" if facts["records"] else None,
        "actual": facts["aggregate"] if goal.actual.known else None,
        "target": facts["target"],
        "weight": facts["weight"],
        "cap": facts["cap"],
    }


def pace_frame(goal: GoalView, quarter: dict[str, Any]) -> pd.DataFrame:
    """Day by day: cumulative actual up to the as-of day, and what pace asks for."""
    quarter = {**quarter, **(goal.facts["period"] or {})}
    start, last, as_of = (_day(quarter[key]) for key in ("start", "last_day", "as_of"))
    since = _day(quarter["since"]) if quarter["since"] else start
    holidays, weekend = {_day(day) for day in quarter["holidays"]}, set(quarter["weekend"])
    added: dict[dt.date, Decimal] = {}
    for record in goal.facts["records"]:
        if record["role"] == "actual" and record["counts"] is not None and record["day"]:
            day = _day(record["day"])
            added[day] = added.get(day, Decimal(0)) + Decimal(record["counts"])
    days = [start + dt.timedelta(days=i) for i in range((last - start).days + 1)]
    business = "calendar" not in goal.facts["pace_basis"]
    counts = [day >= since and (not business or (day.weekday() not in weekend and day not in holidays)) for day in days]
    whole, target = sum(counts) or 1, goal.target.value or Decimal(0)
    base = number(goal.facts["target"]["from"]) or Decimal(0)
    curve = [Decimal(share) for share in goal.facts["pace_curve"] or ()]
    actual, expected, total, passed = [], [], Decimal(0), 0
    for at, (day, countable) in enumerate(zip(days, counts, strict=True)):
        total += added.get(day, Decimal(0))
        passed += countable
        actual.append(float(total) if day <= as_of and goal.actual.known else None)
        expected.append(float(base + (target - base) * (curve[at] if curve else Decimal(passed) / whole)))
    frame = pd.DataFrame({"day": days, "actual": actual, "expected": expected})
    frame.attrs |= {
        "unit": goal.facts["unit"],
        "label": goal.label,
        "target": float(target),
        "as_of": date_text(as_of),
    }
    return frame


def record_table(goal: GoalView, page: int) -> Table:
    """The records behind one goal, newest last; what each counts adds up to the actual."""
    facts, ratio = goal.facts, goal.facts["aggregate"] == "ratio"
    records = facts["records"]
    shown = [key for key in _RECORD_LABELS if records and key in records[0]]
    columns = [Column("id", "Record")]
    columns += [Column(key, _RECORD_LABELS[key], "date" if key == "expires_on" else "text", width=_width(key))
                for key in shown]  # fmt: skip
    money = goal.unit.kind == "money"
    if money:
        columns.append(Column("amount", "Amount", "amount"))
    columns.append(Column("day", _day_label(facts), "date"))
    columns += (
        [Column("numerator", "Counts above", "amount"), Column("denominator", "Counts below", "amount")]
        if ratio
        else [Column("counts", "Counts", "amount")]
    )
    rows = _ratio_rows(records, shown) if ratio else _plain_rows(goal, shown, money)
    caption = goal.tally
    if ratio:
        caption += "; what counts above, divided by what counts below"
    return Table(
        name=f"records-{goal.key}",
        columns=tuple(columns),
        rows=tuple(rows),
        title=goal.label,
        caption=caption,
        empty="No record counts in this quarter.",
        print_rows=page,
        role="records",
    )


def _width(key: str) -> float:
    return {"name": 2.4, "company": 2.0, "account_name": 1.6}.get(key, 0)


def _day_label(facts: dict[str, Any]) -> str:
    return "Valid from" if facts["table"] == "certifications" else "Day"


def _plain_rows(goal: GoalView, shown: list[str], money: bool) -> Iterable[tuple[Cell, ...]]:
    for record in goal.facts["records"]:
        if record["role"] != "actual":
            continue
        cells: list[Cell] = [record["id"], *(_field(key, record[key]) for key in shown)]
        if money:
            cells.append(amount_of(record.get("amount"), Unit("money", record.get("currency") or "")))
        yield (*cells, day_of(record["day"]), amount_of(record["counts"], goal.unit))


def _ratio_rows(records: list[dict[str, Any]], shown: list[str]) -> Iterable[tuple[Cell, ...]]:
    above = {r["id"]: r["counts"] for r in records if r["role"] == "numerator"}
    below = {r["id"]: r for r in records if r["role"] == "denominator"}
    for id_, record in below.items():
        up = Amount(number(above.get(id_, "0")), _COUNT)
        cells = [id_, *(_field(key, record[key]) for key in shown), day_of(record["day"])]
        yield (*cells, up, amount_of(record["counts"], _COUNT))
    for record in records:
        if record["role"] == "numerator" and record["id"] not in below:
            cells = [record["id"], *(_field(key, record[key]) for key in shown), day_of(record["day"])]
            yield (*cells, amount_of(record["counts"], _COUNT), Amount(Decimal(0), _COUNT))


def _field(key: str, value: Any) -> Cell:
    if value is None:
        return None
    return _day(value) if key == "expires_on" else str(value).replace("_", " ") if key == "status" else str(value)


def attribution_table(deals: list[dict[str, Any]], money: Unit, influence: bool = True) -> Table:
    """Won deals by credit. Each deal counts in one of the first rows, so these add up to the total."""
    won = [deal for deal in deals if deal["stage"] == "won"]
    sourced = [deal for deal in won if "sourced" in deal["credits"]]
    influenced = [deal for deal in won if "sourced" not in deal["credits"] and "influenced" in deal["credits"]]
    rest = [deal for deal in won if deal not in sourced and deal not in influenced]
    resold = [deal for deal in won if "resold" in deal["credits"]]
    rows: list[tuple[Cell, ...]] = [
        ("Sourced: the partner originated the deal", *_sums(sourced, money, shared=True)),
        *([("Influenced: touched, not originated", *_sums(influenced, money))] if influence else []),
        ("Resold only: the transaction ran through the partner", *_sums(rest, money)),
        ("Won with the partner, each deal once", *_sums([*sourced, *influenced, *rest], money, shared=True)),
        ("For information: resold in all, whatever the other credit", *_sums(resold, money)),
    ]
    columns = (
        Column("credit", "Credit", width=3),
        Column("deals", "Deals", "amount"),
        Column("amount", "Amount", "amount"),
    )
    note = "A deal that several partners sourced counts with this partner's share." if _shared(sourced) else ""
    return Table("attribution", columns, tuple(rows), caption=note, title="Won revenue by credit, reconciled")


def _shared(deals: list[dict[str, Any]]) -> bool:
    return any(deal["sourced_share"] not in (None, "1") for deal in deals)


def _sums(deals: list[dict[str, Any]], money: Unit, shared: bool = False) -> tuple[Cell, Cell]:
    total = Decimal(0)
    for deal in deals:
        if deal["plan_amount"] is None:
            return Amount(Decimal(len(deals)), _COUNT), Amount(None, money)
        share = number(deal["sourced_share"]) if shared and "sourced" in deal["credits"] else Decimal(1)
        total += Decimal(deal["plan_amount"]) * (share if share is not None else Decimal(1))
    return Amount(Decimal(len(deals)), _COUNT), Amount(total, money)


def deal_table(deals: list[dict[str, Any]], stages: Iterable[str], money: Unit, page: int) -> Table:
    """Deals in some stages, largest first, in the pack's currency at plan rates."""
    wanted = set(stages)
    chosen = [deal for deal in deals if deal["stage"] in wanted]
    chosen.sort(key=lambda deal: (-(number(deal["plan_amount"]) or Decimal(0)), deal["id"]))
    lost, open_ = wanted == {"lost"}, "won" not in wanted and wanted != {"lost"}
    columns = [
        Column("name", "Opportunity", width=2.6),
        Column("customer", "Customer", width=1.6),
        Column("credit", "Credit"),
    ]
    columns += [Column("stage", "Stage")] if open_ else []
    columns += [Column("day", "Closes" if open_ else "Closed", "date"), Column("amount", "Amount", "amount")]
    columns += [Column("reason", "Reason", width=1.2)] if lost else []
    columns += [Column("next", "Next step", width=1.2)] if open_ else []
    columns += [Column("source_stage", "Stage in the CRM", sheet_only=True), Column("id", "Record", sheet_only=True)]
    rows = []
    for deal in chosen:
        cells: list[Cell] = [deal["name"], deal["account_name"], ", ".join(deal["credits"])]
        cells += [STAGE_LABELS[deal["stage"]]] if open_ else []
        cells += [day_of(deal["close_date"]), amount_of(deal["plan_amount"], money)]
        cells += [deal["loss_reason"]] if lost else []
        cells += [deal["next_step"]] if open_ else []
        rows.append((*cells, deal["source_stage"], deal["id"]))
    what = "lost" if lost else "open" if open_ else "won"
    titles = {"lost": "Lost this quarter", "open": "Open deals", "won": "Won this quarter"}
    nothing = {
        "lost": "No deal was lost this quarter.",
        "won": "No deal was won this quarter.",
        "open": "No deal is open.",
    }
    return Table(f"deals-{what}", tuple(columns), tuple(rows), titles[what], empty=nothing[what], print_rows=page)


def definition_table(definitions: list[dict[str, Any]]) -> Table:
    """How each number is measured, where it comes from, and as of when."""
    columns = (
        Column("metric", "Number", width=1.3),
        Column("definition", "How it is measured", width=3.4),
        Column("source", "From", width=1.6),
        Column("as_of", "As of", "date"),
    )
    rows = tuple(
        (
            row["label"],
            f"{row['about']} {row['definition']}".strip(),
            row["source"] or "no source",
            day_of(row["as_of"]),
        )
        for row in definitions
    )
    return Table("definitions", columns, rows, "Definitions", empty="There is nothing to define.", print_rows=80)


def source_table(sources: list[dict[str, Any]]) -> Table:
    """What was read: the data stamp of the pack."""
    columns = (
        Column("about", "Export", width=2.4),
        Column("covers_from", "Covers from", "date"),
        Column("as_of", "As of", "date"),
        Column("records", "Records of this partner", "amount"),
        Column("state", "State", "status"),
    )
    rows = tuple(
        (
            row["about"],
            day_of(row["covers_from"]) if row["as_of"] else None,
            day_of(row["as_of"]),
            Amount(Decimal(row["records"]), _COUNT) if row["as_of"] else None,
            Status("read", "●", "good") if row["as_of"] else Status("not provided", "○", "neutral"),
        )
        for row in sources
    )
    return Table("sources", columns, rows, "What was read")


def finding_table(findings: list[dict[str, Any]]) -> Table:
    """What is odd, for the analyst."""
    columns = (Column("severity", "Severity"), Column("what", "What", width=3), Column("fix", "What to do", width=2))
    rows = tuple((row["severity"], row["what"], row["fix"]) for row in findings)
    return Table("findings", columns, rows, empty="Nothing stands out in this partner's data.")


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
