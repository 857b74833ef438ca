"""Generated sentences that quote the very numbers below them; apart, because wording has rules of its own.

Three to five sentences, the weightiest first. Nothing is said that a table of the pack does not show, and
text from the CRM enters as text, never as markup.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pbr_lib import standings
from pbr_lib.blocks import Note, Run
from pbr_lib.goalview import GoalView
from pbr_lib.model import Amount, Unit, date_text

__all__ = ["note"]

Sentence = tuple[Run, ...]
_LEAST, _MOST = 3, 5


def note(facts: dict[str, Any], goals: Sequence[GoalView]) -> Note:
    """The sentences of one review."""
    if not goals:
        return Note(sentences=((Run("No goals are agreed for this quarter."),),))
    quiet = _quiet(facts, goals)
    candidates = [
        _issue(facts),
        _overall(facts, goals),
        quiet or _weakest(facts, goals),
        _strongest(goals),
        _under_way(facts, goals),
        _unmeasured(goals),
        _promises(facts),
        _unagreed(goals),
    ]
    said = [sentence for sentence in candidates if sentence]
    if len(said) < _LEAST:
        said += [sentence for sentence in (_closed(facts), _agreed(goals)) if sentence]
    return Note(sentences=tuple(said[:_MOST]))


def _issue(facts: dict[str, Any]) -> Sentence | None:
    """Said only of a pack that takes the place of another."""
    issue = facts["issue"]
    if issue is None:
        return None
    what = "a correction" if issue["kind"] == "correction" else "a revision with fuller data"
    reason = issue["reason"].rstrip(".")
    return (Run(f"This pack is {what}", True), Run(f" and takes the place of {issue['supersedes']}: {reason}."))


def _overall(facts: dict[str, Any], goals: Sequence[GoalView]) -> Sentence:
    score, quarter = facts["score"], facts["quarter"]
    if score["value"] is None:
        return (Run("No overall attainment", True), Run(f": {_too_little(score)}."))
    value = Amount(Decimal(score["value"]), Unit("percent"))
    if quarter["phase"] != "running":
        met = sum(goal.status.word in ("met", "exceeded") for goal in goals)
        known = sum(goal.actual.known for goal in goals)
        final = "" if quarter["phase"] == "final" else " Figures are provisional until the close lag is over."
        return (
            Run(f"{value} of plan", True),
            Run(f", weighted: {met} of {known} measured {_plural(known, 'goal')} {_was(met)} met.{final}"),
        )
    expected = Amount(Decimal(score["expected"]), Unit("percent"))
    days = f"after {quarter['business_days_passed']} of {quarter['business_days']} business days"
    if quarter["since"]:
        days = f"since joining on {date_text(_day(quarter['since']), year=False)}"
    state = standings.status(score["standing"]).word
    return (Run(f"{value} of plan", True), Run(f" {days}, where pace asks for {expected}: {state}."))


def _too_little(score: dict[str, Any]) -> str:
    known, goals = score["known_goals"], score["goals"]
    if not known:
        return "no goal can be measured with the data at hand"
    weight = Amount(Decimal(score["known_weight"]), Unit("percent"))
    return f"only {known} of {goals} goals, {weight} of the weight, can be measured with the data at hand"


def _quiet(facts: dict[str, Any], goals: Sequence[GoalView]) -> Sentence | None:
    """Said only when there is nothing at all: no record behind a goal, nothing under way, no deal."""
    known = [goal for goal in goals if goal.actual.known]
    stirred = any(goal.actual.value or goal.records or goal.in_progress.value for goal in goals)
    if not known or stirred or facts["deals"]:
        return None
    label = facts["quarter"]["label"]
    return (
        Run("No activity", True),
        Run(f" of this partner was recorded in {label}; the exports cover the quarter, so these zeros are real."),
    )


def _weakest(facts: dict[str, Any], goals: Sequence[GoalView]) -> Sentence | None:
    behind = [goal for goal in goals if goal.status.tone in ("bad", "warn") and goal.ratio.known]
    if not behind:
        return None
    goal = min(behind, key=_position)
    text = f": {goal.label}, {goal.tally}"
    if goal.facts["pace_share"] is not None and facts["quarter"]["phase"] == "running":
        short = Amount((goal.target.value or Decimal(0)) - (goal.actual.value or Decimal(0)), goal.unit)
        text += f"; {short} more by {date_text(_day(facts['quarter']['last_day']), year=False)} would reach it"
    return (Run("Furthest behind", True), Run(text + "."))


def _strongest(goals: Sequence[GoalView]) -> Sentence | None:
    ahead = [goal for goal in goals if goal.status.tone == "good" and goal.ratio.known and goal.actual.value]
    if not ahead:
        return None
    goal = max(ahead, key=_position)
    return (Run("Furthest ahead", True), Run(f": {goal.label}, {goal.tally}."))


def _under_way(facts: dict[str, Any], goals: Sequence[GoalView]) -> Sentence | None:
    """What is open and due this quarter, and where it would take the goal; beside the actual, never in it."""
    if facts["quarter"]["phase"] != "running":
        return None
    open_ = [goal for goal in goals if goal.in_progress.value and goal.status.tone != "neutral" and _below(goal)]
    if not open_:
        return None
    goal = max(open_, key=lambda goal: (Decimal(goal.facts["weight"]), goal.in_progress.value or Decimal(0)))
    reach = Amount((goal.actual.value or Decimal(0)) + (goal.in_progress.value or Decimal(0)), goal.unit)
    return (
        Run(f"{goal.in_progress}", True),
        Run(f" open and due this quarter would take {_lower(goal.label)} to {reach}; the target is {goal.target}."),
    )


def _below(goal: GoalView) -> bool:
    return goal.actual.known and goal.target.known and (goal.actual.value or 0) < (goal.target.value or 0)


def _unmeasured(goals: Sequence[GoalView]) -> Sentence | None:
    unknown = [goal for goal in goals if not goal.actual.known]
    if not unknown:
        return None
    first = unknown[0]
    more = len(unknown) - 1
    others = f"; nor can {more} other {_plural(more, 'goal')}" if more else ""
    return (Run(f"{first.label} cannot be measured", True), Run(f": {first.facts['reason'] or 'no data'}{others}."))


def _promises(facts: dict[str, Any]) -> Sentence | None:
    before = [a for a in facts["actions"] if a["opened"] == facts["quarter"]["before"] and a["status"] != "dropped"]
    if not before:
        return None
    done = sum(action["status"] == "done" for action in before)
    late = sum(_late(action, facts["quarter"]["as_of"]) for action in before)
    tail = f"; {late} {_is(late)} overdue" if late else ""
    actions = _plural(len(before), "action")
    return (
        Run(f"{done} of {len(before)}", True),
        Run(f" {actions} promised last quarter {_is(done or len(before))} done{tail}."),
    )


def _unagreed(goals: Sequence[GoalView]) -> Sentence | None:
    states = [goal.facts["agreement"]["state"] for goal in goals]
    lapsed, open_ = states.count("lapsed"), sum(state not in ("agreed", "active", "closed") for state in states)
    if not open_:
        return None
    if lapsed == open_:
        told = "was not agreed in time" if lapsed == 1 else "were not agreed in time"
        stands = "the last agreed one stands" if lapsed == 1 else "the last agreed ones stand"
        return (Run(f"{lapsed} {_plural(lapsed, 'target')} {told}", True), Run(f"; where there is one, {stands}."))
    return (Run(f"{open_} {_plural(open_, 'target')} {_is(open_)} not yet agreed", True), Run(" by both sides."))


def _agreed(goals: Sequence[GoalView]) -> Sentence | None:
    if _unagreed(goals) is not None:
        return None
    every = {1: "The one target is", 2: "Both targets are"}.get(len(goals), f"All {len(goals)} targets are")
    return (Run(f"{every} agreed", True), Run(" by both sides."))


def _closed(facts: dict[str, Any]) -> Sentence | None:
    """Deals won and lost in the quarter, whatever the credit; the chart and the tables show the same."""
    last = facts["history"][-1]
    won, lost = last["won_n"], last["lost_n"]
    if last["won"] is None or last["lost"] is None or not won + lost:
        return None
    amount = Amount(Decimal(last["won"]), Unit("money", facts["currency"]))
    worth = f" worth {amount}" if won else ""
    return (Run(f"{won} {_plural(won, 'deal')}{worth}", True), Run(f" {_was(won)} won in the quarter and {lost} lost."))


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else noun + "s"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _late(action: dict[str, Any], as_of: str) -> bool:
    return action["status"] in ("open", "in progress") and bool(action["due"]) and action["due"] < as_of


def _position(goal: GoalView) -> Decimal:
    """How a goal stands against what was to be expected, for comparing goals of different kinds."""
    index = goal.facts["pace_index"] or goal.facts["attained"]
    return Decimal(index) if index is not None else Decimal(0)


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
