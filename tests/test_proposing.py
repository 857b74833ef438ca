"""What is proposed for the next quarter: who goes on, who begins, who ends, and what stands in for the unknown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import tiny_workbook

from pbr_lib import ground, ingest, params, proposing
from pbr_lib.proposing import Draft, Proposals

LABEL = "2026-Q2"
GOALS = (
    tiny_workbook.GOALS
    + "  late_q: {"
    + tiny_workbook.GOAL.format(metric="revenue_won").replace("2024-Q1", "2026-Q3")
    + ", target: {at_least: 700}, stop: {met_in_a_row: 20}}\n"
)


def people() -> list[tiny_workbook.Row]:
    """A and B are there, C joins in August, D leaves in June, E has left, F comes later."""
    joined = {"C": "2026-08-01", "F": "2027-02-01"}
    ended = {"D": "2026-06-30", "E": "2026-03-31"}
    return [
        tiny_workbook.partner(key, joined_on=joined.get(key, "2020-01-01"), ended_on=ended.get(key, ""))
        for key in "ABCDEF"
    ]


def proposed(root: Path, rows: Sequence[str], goals: str = GOALS, more: dict[str, str] | None = None) -> Proposals:
    """The proposals for 2026-Q3 from those rows of the second quarter."""
    tables = {"partners": people(), "leads": [tiny_workbook.lead(f"L{at}", "A", "2026-05-03 12:00:00") for at in "123"]}
    tiny_workbook.write(root, tables | {"opportunities": []}, goals)
    tiny_workbook.agree(root, LABEL, rows)
    for name, text in (more or {}).items():
        tiny_workbook.put(root, name, text)
    settings = params.read(root)
    return proposing.propose(ground.lay(settings, ingest.load(settings), settings.quarter(LABEL)))


def one(found: Proposals, partner: str, goal: str) -> Draft:
    """The draft of a partner and goal."""
    return next(draft for draft in found.of(partner) if draft.goal == goal)


ROWS = ("A,leads_q,5", "A,people_q,2", "D,leads_q,5", "E,leads_q,5")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Proposals:
    """From the rows above."""
    return proposed(tmp_path_factory.mktemp("proposing"), ROWS)


def test_a_partner_goes_on_with_its_goals_and_takes_what_begins(found: Proposals) -> None:
    """A has two goals, a third begins; revenue_q it goes without. No pair of partner and goal stands twice."""
    assert [draft.goal for draft in found.of("A")] == ["leads_q", "people_q", "late_q"]
    assert one(found, "A", "late_q").proposal.basis == "first target, from the goal's definition"
    places = [(draft.partner_id, draft.goal) for draft in found.drafts]
    assert len(places) == len(set(places))


def test_the_rule_starts_from_target_and_actual(found: Proposals) -> None:
    """Five agreed, three reached: a blend of both, which is four; the definition's is not asked."""
    draft = one(found, "A", "leads_q")
    assert (draft.proposal.target and draft.proposal.target.value) == 4
    assert draft.proposal.basis.startswith("blend of target 5 and actual 3")
    assert draft.before is not None


def test_what_is_not_known_leaves_the_target_and_is_flagged(found: Proposals) -> None:
    """There is no export of certifications; unknown is no zero."""
    draft = one(found, "A", "people_q")
    assert (draft.proposal.target and draft.proposal.target.value) == 2
    assert "missing actual" in draft.proposal.flags
    assert draft.proposal.basis == "same as 2026-Q2, as the actual of 2026-Q2 is not known"


def test_who_joins_begins_with_its_share_of_the_definition(found: Proposals) -> None:
    """C takes part on 61 of 92 days; it had no quarter before, so nothing is said to be missing."""
    draft = one(found, "C", "leads_q")
    assert (draft.proposal.target and draft.proposal.target.value) == 3
    assert "missing actual" not in draft.proposal.flags
    assert draft.before is None


def test_who_is_not_there_is_told_only_where_it_had_a_goal(found: Proposals) -> None:
    """D and E have left with goals of theirs; F, who comes later, has none to lose."""
    assert {(each.partner_id, each.reason) for each in found.dropped} == {
        ("D", "the partner has left the programme"),
        ("E", "the partner has left the programme"),
    }
    assert not found.of("D")
    assert not found.of("F")


def test_a_quarter_of_rest_has_no_first_target(tmp_path: Path) -> None:
    """Neither for all goals nor for one."""
    pause = "partner_id,goal,first_day,last_day,reason\nB,leads_q,2026-06-01,2026-10-31,rebuild\n"
    found = proposed(tmp_path, ROWS, more={"params/pauses.csv": pause})
    assert "leads_q" not in {draft.goal for draft in found.of("B")}
    assert "revenue_q" in {draft.goal for draft in found.of("B")}


def test_a_goal_that_runs_out_or_no_longer_selects_is_told(tmp_path: Path) -> None:
    """With the reason of each."""
    goals = GOALS.replace("target: {at_least: 5}", "target: {at_least: 5}, last_period: 2026-Q2")
    goals = goals.replace("target: {at_least: 2}", "target: {at_least: 2}, applies_to: {partner_id: B}")
    found = proposed(tmp_path, ROWS[:2], goals)
    assert {each.goal: each.reason for each in found.dropped if each.partner_id == "A"} == {
        "leads_q": "the goal has run out",
        "people_q": "its definition no longer selects the partner",
    }


def test_stop_rules_may_look_back_further_than_is_measured(tmp_path: Path) -> None:
    """Twenty quarters in a row, of which the exports hold nine: no advice, and no fault."""
    goals = GOALS.replace("target: {at_least: 5}", "target: {at_least: 5}, stop: {unmoved_in_a_row: 20}")
    assert one(proposed(tmp_path, ROWS, goals), "A", "leads_q").stop == ""


def test_peers_below_five_tell_nothing(tmp_path: Path) -> None:
    """A goal set by peers keeps the definition's target, and the basis names no figure of theirs."""
    goals = GOALS.replace("target: {at_least: 5}", "target: {at_least: 5}, renew: {rule: peer}")
    draft = one(proposed(tmp_path, ["A,leads_q,5"], goals), "A", "leads_q")
    assert "fewer than 5 peers" in draft.proposal.basis
    assert (draft.proposal.target and draft.proposal.target.value) == 5


def test_a_metric_that_tells_nobody_apart_is_proposed_for_retirement(tmp_path: Path) -> None:
    """Six partners with six leads each in the last quarter that is over: the goal is met by everybody alike."""
    names = "ABCDEF"
    leads = [
        tiny_workbook.lead(f"{name}{at}", name, f"2026-05-{at + 1:02d} 10:00:00") for name in names for at in range(6)
    ]
    tables = {"partners": [tiny_workbook.partner(name) for name in names], "leads": leads}
    settings = params.read(tiny_workbook.write(tmp_path, tables))
    loaded = ingest.load(settings)
    found = proposing.propose(ground.lay(settings, loaded, settings.quarter("2026-Q3")))
    assert list(found.retire) == ["leads_q"]
    assert found.retire["leads_q"].endswith("it tells nobody apart, retire it")
