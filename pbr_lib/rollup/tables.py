"""How roll-ups read: a table for page, workbook and terminal, and the same as plain JSON; apart, because a roll-up is
arithmetic and who may read which of its lines is not.

No partner is named here. Lines for readers outside hold no group that is so small that it tells of one partner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pbr_lib.blocks import Cell, Column, Table
from pbr_lib.definitions import Goal, Target
from pbr_lib.goals import Weighted
from pbr_lib.model import Amount, Unit, count_of, date_text
from pbr_lib.records import plain
from pbr_lib.rollup.portfolio import RollUp

__all__ = ["as_json", "lines", "outside", "roll_table", "words"]

_COUNT, _PERCENT = Unit("count"), Unit("percent")
_SHOWN = 60
_ALIKE = {"partner_type": "type", "partner_manager": "manager"}
_NAMING = ("partner_id", "name")


def outside(rolled: Iterable[RollUp], least: int = 5) -> tuple[RollUp, ...]:
    """The lines that may leave the house: no group that names a partner, or holds fewer than ``least`` of them.

    Where the partners left out are so few that a total less the lines shown would tell of them, the smallest of the
    other groups alike goes too. What is left out is left out whole, its label included.
    """
    every = tuple(rolled)
    siblings: dict[tuple[str, str], list[RollUp]] = {}
    for one in every:
        siblings.setdefault((one.goal, one.group.kind), []).append(one)
    hidden = {id(one) for alike in siblings.values() for one in _hidden(alike, least)}
    return tuple(one for one in every if id(one) not in hidden)


def _hidden(alike: Sequence[RollUp], least: int) -> list[RollUp]:
    if alike[0].group.kind in _NAMING:
        return list(alike)
    ordered = sorted(alike, key=lambda one: (one.known, one.group.name))
    out = [one for one in ordered if one.known < least]
    rest = ordered[len(out) :]
    # Parents overlap as they like and add up to no total, so that nothing follows from what is missing.
    while out and rest and alike[0].group.kind != "parent" and sum(one.known for one in out) < least:
        out.append(rest.pop(0))
    return out


def roll_table(
    rolled: Sequence[RollUp], goals: Mapping[str, Goal], labels: Mapping[str, str], title: str = ""
) -> Table:
    """One row for each goal and group; ``labels`` are those of the metrics."""
    columns = (
        Column("goal", "Goal", width=1.8),
        Column("group", "Partners", width=1.6),
        Column("partners", "With this goal", "amount"),
        Column("measured", "Measured", "amount"),
        Column("actual", "Actual", "amount"),
        Column("target", "Target"),
        Column("attained", "Attained", "amount"),
        Column("median", "Median attained", "amount"),
        Column("share_met", "Share met", "amount"),
        Column("remark", "Remark", width=2.4),
        Column("key", "Key", sheet_only=True),
        Column("metric", "Metric", sheet_only=True),
        Column("period", "Quarter", sheet_only=True),
        Column("kind", "Grouped by", sheet_only=True),
        Column("gross", "Sum of partners", "amount", sheet_only=True),
        Column("assigned", "Targets assigned", "amount", sheet_only=True),
        Column("target_share", "Known part of target", "amount", sheet_only=True),
    )
    rows = tuple(_row(one, _name(one, goals, labels)) for one in rolled)
    caption = "Actuals over targets of the partners of whom both are known, rates from what stands behind them, each "
    caption += "record once; never a mean of percentages. Unknown is left out and never counts as zero."
    return Table("Roll-up", columns, rows, title, caption, "No partner has a goal.", _SHOWN)


def _name(one: RollUp, goals: Mapping[str, Goal], labels: Mapping[str, str]) -> str:
    """What a goal of several partners is called: its metric, since its own name may hold a partner's target."""
    name = goals[one.goal].name if one.goal in goals else ""
    return name if name and "{" not in name else labels.get(one.metric, one.metric)


def _row(one: RollUp, name: str) -> tuple[Cell, ...]:
    gross, assigned = (None if value is None else Amount(value, one.unit) for value in (one.gross, one.assigned))
    return (
        name,
        _group(one),
        count_of(one.partners),
        count_of(one.known),
        Amount(one.actual, one.unit) if one.actual is not None else None,
        _target(one.target, one.unit),
        _percent(one.attained),
        _percent(one.median),
        _percent(one.share_met),
        "; ".join(words(one)) or None,
        one.goal,
        one.metric,
        one.period,
        _ALIKE.get(one.group.kind, one.group.kind),
        gross,
        assigned,
        _percent(one.target_share),
    )


def words(one: RollUp) -> tuple[str, ...]:
    """What a line says beside its numbers: how much is known, where that is not all, and its remarks."""
    basis = (one.basis,) if 0 < one.known < one.partners else ()
    unknown = ("nothing is known of any partner",) if one.partners and not one.known and not one.remarks else ()
    return (*basis, *unknown, *one.remarks)


def _group(one: RollUp) -> str:
    if one.group.kind in ("all", "parent"):
        return one.group.label
    return f"{_ALIKE.get(one.group.kind, one.group.kind).replace('_', ' ')}: {one.group.label}"


def _target(target: Target | None, unit: Unit) -> str | None:
    if target is None:
        return None
    if target.done_by is not None:
        return f"by {date_text(target.done_by)}"
    if target.between is not None:
        return " to ".join(str(Amount(end, unit)) for end in target.between)
    start = "" if target.base is None else f"from {Amount(target.base, unit)} to "
    return f"{'at most ' if target.kind == 'at_most' and not start else start}{Amount(target.value, unit)}"


def _percent(share: Decimal | None) -> Amount | None:
    return None if share is None else Amount(share, _PERCENT)


def lines(rolled: Sequence[RollUp], goals: Mapping[str, Goal], labels: Mapping[str, str]) -> list[str]:
    """One sentence a line, for the terminal: goal and group, how far, and on what it rests."""
    out = []
    for one in rolled:
        actual = "not measurable" if one.actual is None else str(Amount(one.actual, one.unit))
        target = _target(one.target, one.unit)
        tally = f"{actual} against {target}" if one.target is not None and one.target.done_by is None else target
        parts = [] if one.actual is None and one.target is None else [tally or actual]
        if one.attained is not None:
            parts[-1:] = [f"{parts[-1]} ({_percent(one.attained)})" if parts else f"{_percent(one.attained)} done"]
        if one.median is not None:
            parts.append(f"median {_percent(one.median)}")
        if one.judged:
            parts.append(f"{one.met:,} of {one.judged:,} met")
        text = ", ".join([*parts, *words(one)])
        out.append(f"{_name(one, goals, labels)}, {_group(one)}: {text}")
    return out


def as_json(rolled: Iterable[RollUp], total: Weighted | None = None) -> dict[str, Any]:
    """Roll-ups and, if given, their score in plain JSON values; numbers are text, so that no float comes near money."""
    out: dict[str, Any] = {"rollups": [_json(one) for one in rolled]}
    if total is not None:
        out["score"] = {
            "value": plain(total.value),
            "known_goals": total.known,
            "goals": total.goals,
            "known_weight": plain(total.known_weight),
            "words": total.words,
        }
    return out


def _json(one: RollUp) -> dict[str, Any]:
    target = one.target
    low, high = (target.between if target is not None else None) or (None, None)
    ends = {"kind": target.kind, "value": target.value, "from": target.base, "low": low, "high": high} if target else {}
    due = {"due": target.done_by} if target else {}
    return {
        "goal": one.goal,
        "metric": one.metric,
        "period": one.period,
        "group": {"kind": one.group.kind, "name": one.group.name, "label": one.group.label},
        "unit": one.unit.as_json(),
        "partners": one.partners,
        "measured": one.known,
        "actual": plain(one.actual),
        "target": {key: plain(value) for key, value in (ends | due).items()} or None,
        "attained": plain(one.attained),
        "target_share": plain(one.target_share),
        "gross": plain(one.gross),
        "assigned": plain(one.assigned),
        "median": plain(one.median),
        "met": one.met,
        "judged": one.judged,
        "share_met": plain(one.share_met),
        "remarks": list(words(one)),
    }
