"""The tables of what both sides promise: actions, agreement, next quarter's proposals, where this one is heading, and
what changed in figures already issued; apart from the other tables, because here a person signs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pbr_lib.blocks import Cell, Column, Status, Table
from pbr_lib.goalview import GoalView, amount_of, day_of, number, words_of
from pbr_lib.model import Amount, Unit, date_text

__all__ = [
    "STATES",
    "action_table",
    "agreement_table",
    "currency_tables",
    "kept_table",
    "outlook_table",
    "proposal_table",
    "restatement_table",
]

_SIDES = {"us": "us", "partner": "partner", "joint": "both"}
_PERCENT = Unit("percent")
STATES = {
    "proposed": Status("proposed", "○", "neutral"),
    "agreed by us": Status("agreed by us", "◆", "warn"),
    "agreed by them": Status("agreed by partner", "◆", "warn"),
    "agreed": Status("agreed", "●", "good"),
    "active": Status("agreed", "●", "good"),
    "closed": Status("agreed", "●", "good"),
    "lapsed": Status("not agreed in time", "▼", "bad"),
    "draft": Status("draft", "○", "neutral"),
}


def kept_table(actions: Sequence[dict[str, Any]], quarter: dict[str, Any]) -> Table:
    """What was promised in earlier quarters, checked: the review opens with it."""
    before = [action for action in actions if action["opened"] != quarter["label"]]
    done = sum(action["status"] == "done" for action in before)
    counted = sum(action["status"] != "dropped" for action in before)
    table = action_table(before, quarter)
    return Table(
        "kept",
        table.columns,
        table.rows,
        f"Promised before {quarter['label']}",
        f"{done} of {counted} done; what was dropped is not counted." if counted else "",
        empty="Nothing was promised in the quarter before.",
    )


def action_table(actions: Sequence[dict[str, Any]], quarter: dict[str, Any]) -> Table:
    """What each side promised; what is due and not done is overdue."""
    columns = (
        Column("action", "Action", width=3),
        Column("side", "Side"),
        Column("owner", "Owner", width=1.2),
        Column("opened", "Promised"),
        Column("due", "Due", "date"),
        Column("status", "Status", "status"),
        Column("closed", "Closed", "date", sheet_only=True),
    )
    rows = [
        (
            action["action"],
            _SIDES[action["side"]],
            action["owner"],
            action["opened"],
            day_of(action["due"]),
            _action_status(action, quarter["as_of"]),
            day_of(action["closed_on"]),
        )
        for action in actions
    ]
    return Table("actions", columns, tuple(rows), "Joint actions", empty="No joint action is on record.")


def _action_status(action: dict[str, Any], as_of: str) -> Status:
    status, due = action["status"], action["due"]
    if status == "done":
        late = bool(due and action["closed_on"] and action["closed_on"] > due)
        return Status("done, late", "●", "warn") if late else Status("done", "●", "good")
    if status == "dropped":
        return Status("dropped", "○", "neutral")
    if due and due < as_of:
        return Status("overdue", "▼", "bad")
    return Status(status, "◆" if status == "in progress" else "○", "neutral")


def agreement_table(goals: Sequence[GoalView]) -> Table:
    """Who owns each goal on either side, who agreed to its target, and what is open."""
    columns: tuple[Column, ...] = (
        Column("goal", "Goal", width=2.2),
        Column("us", "Owner, us", width=1.2),
        Column("them", "Owner, partner", width=1.2),
        Column("agreed_us", "Agreed by us", width=1.4),
        Column("agreed_them", "Agreed by partner", width=1.4),
    )
    # A column that says nothing would only narrow the others.
    told = any(goal.facts["agreement"]["remark"] for goal in goals)
    columns += (Column("remark", "Remark", width=1.8),) if told else ()
    rows = tuple(
        (
            goal.name,
            goal.facts["owner_us"],
            goal.facts["owner_them"],
            goal.facts["agreed_by_us"] or "not yet",
            goal.facts["agreed_by_them"] or "not yet",
            *((sentence(goal.facts["agreement"]["remark"]),) if told else ()),
        )
        for goal in goals
    )
    return Table("agreement", columns, rows, "Owners and agreement", empty="No goals are agreed for this quarter.")


def outlook_table(goals: Sequence[GoalView], quarter: dict[str, Any]) -> Table:
    """Where each goal is heading: expected by now, the likely range at the end, how likely the target is, and why."""
    columns: tuple[Column, ...] = (
        Column("goal", "Goal", width=2),
        Column("actual", "Actual", "amount"),
        Column("expected", "Expected by now", "amount"),
        Column("low", "Likely from", "amount"),
        Column("high", "to", "amount"),
        Column("target", "Target", "amount"),
        Column("chance", "Chance to meet", "amount"),
        Column("remark", "Remark", width=1.8),
        Column("pace", "Expected by now rests on", sheet_only=True),
        Column("basis", "The range rests on", sheet_only=True),
    )
    told = [goal for goal in goals if goal.facts["outlook"] is not None]
    columns, rows = _without_empty(columns, [_outlook_row(goal) for goal in told], "remark")
    paced = {goal.facts["pace_basis"] for goal in goals if goal.facts["pace_share"] is not None}
    note = "Four times in five the quarter should end within the range; what it rests on stands in the workbook."
    note += f" Expected by now: {'; '.join(sorted(paced))}." if paced else ""
    by_chance = any(goal.unit.kind == "count" and goal.facts["outlook"]["p_met"] is not None for goal in told)
    note += " The status of a count follows from its chance." if by_chance else ""
    return Table(
        "outlook",
        columns,
        tuple(rows),
        f"Where {quarter['label']} is heading",
        note if any(row[3] is not None for row in rows) else "",
        empty="The quarter is over; there is nothing left to forecast.",
    )


def _outlook_row(goal: GoalView) -> tuple[Cell, ...]:
    outlook, unit = goal.facts["outlook"], goal.unit
    chance = number(outlook["p_met"])
    sure = chance == 1 and outlook["low"] is not None
    # Why there is no forecast is said in a word on the page; the workbook has the whole of it.
    remark = outlook["reason"].partition(":")[0] or ("reached already" if sure else "")
    return (
        goal.label,
        goal.actual,
        goal.expected_shown,
        amount_of(outlook["low"], unit),
        amount_of(outlook["high"], unit),
        goal.aim if goal.facts["target"]["value"] is None else goal.target,
        None if chance is None else Amount(chance, _PERCENT),
        sentence(remark),
        sentence(goal.facts["pace_basis"]),
        sentence(outlook["basis"] or outlook["reason"]),
    )


def proposal_table(following: dict[str, Any]) -> Table:
    """Next quarter's goals for signature: what is proposed, from what it follows, and room to sign on both sides."""
    columns = (
        Column("goal", "Goal", width=1.8),
        Column("now", "Target now", "amount"),
        Column("proposed", "Proposed", "amount"),
        Column("basis", "How it follows", width=3),
        Column("state", "State", "status"),
        Column("us", "For us", width=1.1),
        Column("them", "For partner", width=1.1),
        Column("stretch", "Stretch", "amount", sheet_only=True),
        Column("red_flag", "Red flag", "amount", sheet_only=True),
    )
    rows = tuple(_proposal_row(row) for row in following["rows"])
    until = date_text(dt.date.fromisoformat(following["deadline"]))
    note = f"To be agreed by both sides until {until}; what is not agreed then falls back to the last agreed target."
    title = f"Goals proposed for {following['quarter']}"
    return Table("next-goals", columns, rows, title, note if rows else "", empty="No goal is proposed.", print_rows=60)


def _proposal_row(row: dict[str, Any]) -> tuple[Cell, ...]:
    unit = Unit.from_json(row["unit"])
    basis = "; ".join(filter(None, (row["basis"], row["remark"], row["stop"])))
    return (
        row["label"],
        words_of(row["now"], unit),
        words_of(row["target"], unit),
        sentence(basis),
        STATES[row["state"]],
        row["agreed_by_us"] or "",
        row["agreed_by_them"] or "",
        amount_of(row["stretch"], unit),
        amount_of(row["red_flag"], unit),
    )


def restatement_table(restatements: Sequence[dict[str, Any]]) -> Table:
    """What was issued, what the same figure is now, and which records make the difference."""
    columns = (
        Column("quarter", "Quarter"),
        Column("goal", "Goal", width=1.8),
        Column("issued", "Issued", "amount"),
        Column("now", "Now", "amount"),
        Column("difference", "Difference", "amount"),
        Column("kind", "Kind"),
        Column("cause", "Cause", width=3),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in restatements:
        unit = Unit.from_json(one["unit"])
        figures = tuple(amount_of(one[key], unit) for key in ("issued", "now", "difference"))
        rows.append((one["quarter"], one["label"], *figures, one["kind"], sentence(one["words"])))
        for cause in one["causes"]:
            told = f"{cause['record']}: {cause['words']}" if cause["record"] else cause["words"]
            rows.append(("", "", "", "", amount_of(cause["difference"], unit), cause["kind"], told))
    note = "Issued packs are never altered; what has changed since then stands here."
    return Table(
        "restatements",
        columns,
        tuple(rows),
        "Changed since it was issued",
        note if rows else "",
        empty="Nothing has changed in the figures issued before.",
        print_rows=60,
    )


def currency_tables(goals: Sequence[GoalView]) -> tuple[Table, ...]:
    """What exchange rates did, apart from attainment, and the records that no rate converts; none where all is in one
    currency.
    """
    mixed = [goal for goal in goals if goal.facts["currency"] is not None]
    tables = (_effect_table(mixed), _unconverted_table(mixed))
    return tuple(table for table in tables if table.rows)


def _effect_table(goals: Sequence[GoalView]) -> Table:
    columns: tuple[Column, ...] = (
        Column("goal", "Goal", width=2),
        Column("plan", "At plan rates", "amount"),
        Column("spot", "At the rates of the day", "amount"),
        Column("effect", "Currency effect", "amount"),
        Column("records", "Foreign records", "amount"),
        Column("remark", "Remark", width=1.6),
    )
    rows: list[tuple[Cell, ...]] = []
    for goal in goals:
        found = goal.facts["currency"]["effect"]
        if found is not None:
            figures = (amount_of(found[key], goal.unit) for key in ("plan", "spot", "effect"))
            count = Amount(Decimal(found["records"]), Unit("count"))
            rows.append((goal.label, *figures, count, sentence(found["reason"])))
    columns, rows = _without_empty(columns, rows, "remark")
    note = "Attainment is measured at plan rates; what rates have done since is shown here and nowhere else."
    return Table("currency", columns, tuple(rows), "What exchange rates did", note)


def _unconverted_table(goals: Sequence[GoalView]) -> Table:
    columns = (
        Column("goal", "Goal", width=2),
        Column("id", "Record"),
        Column("day", "Day", "date"),
        Column("amount", "Amount", "amount"),
        Column("currency", "Currency"),
    )
    rows = [
        (
            goal.label,
            row["record_id"],
            day_of(row["day"]),
            amount_of(row["amount"], Unit("money", row["currency"] or "")),
            row["currency"] or "none given",
        )
        for goal in goals
        for row in goal.facts["currency"]["unconverted"]
    ]
    note = "Without a rate these records cannot be counted, so the goal is not measurable until there is one."
    return Table("unconverted", columns, tuple(rows), "Records without an exchange rate", note, print_rows=25)


def _without_empty(
    columns: tuple[Column, ...], rows: list[tuple[Cell, ...]], key: str
) -> tuple[tuple[Column, ...], list[tuple[Cell, ...]]]:
    """The table without a column where no row says anything in it: it would only narrow the others."""
    at = [column.key for column in columns].index(key)
    if not rows or any(row[at] for row in rows):
        return columns, rows
    return (*columns[:at], *columns[at + 1 :]), [(*row[:at], *row[at + 1 :]) for row in rows]


def sentence(text: str) -> str:
    """The text with a capital, as a cell begins."""
    return text[:1].upper() + text[1:]
