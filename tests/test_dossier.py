"""What a slice says: targets and their source, states, provisional words, records that add up, older quarters."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import tiny_workbook
from tiny_workbook import deal, lead, partner, put, usual

from pbr_lib import dossier, params, programme, records, slices

Q3 = "2026-Q3"
Facts = dict[str, Any]


def slice_of(root: Path, who: str, quarter: str = Q3) -> Facts:
    """What the slice of a partner holds."""
    loaded: Facts = json.loads(slices.ensure(root, quarter).path(who).read_text(encoding="utf-8"))
    return loaded


def goals_of(root: Path, who: str, quarter: str = Q3) -> dict[str, Facts]:
    """The goals of a slice by key."""
    return {goal["key"]: goal for goal in slice_of(root, who, quarter)["goals"]}


# ---------------------------------------------------------------------------------- the demo, by hand


def test_three_of_five_leads_with_exactly_these_three(demo_review: Callable[..., Any]) -> None:
    """Acceptance case 1: P-001 has 3 of 5 leads (60 %) in 2026-Q3, and the three are listed."""
    goal = demo_review("P-001").goal("new_partner_leads_q")
    assert goal.tally == "3 of 5 (60 %)"
    assert goal.records == 3
    listed = [(record["company"], record["counts"]) for record in goal.facts["records"]]
    assert len(listed) == 3
    assert all(counts == "1" for _, counts in listed)
    assert len({record["id"] for record in goal.facts["records"]}) == 3


def test_sourced_pipeline_adds_up_from_four_deals(demo_review: Callable[..., Any]) -> None:
    """46,200 + 54,000 (60 % of 90,000) + 20,350 + 27,500 USD make the 148,050 of P-001 in 2026-Q3."""
    goal = demo_review("P-001").goal("partner_pipeline_q")
    counts = sorted(Decimal(record["counts"]) for record in goal.facts["records"])
    assert counts == [20350, 27500, 46200, 54000]
    assert goal.actual.value == 148050
    assert "90000" in {record["amount"] for record in goal.facts["records"]}


def test_records_add_up_to_every_value_of_the_demo(demo_review: Callable[..., Any]) -> None:
    """Sums and counts equal the sum of what their records count; ratios divide theirs."""
    for quarter in (Q3, "2026-Q2"):
        for number in range(1, 13):
            for goal in demo_review(f"P-{number:03}", quarter).all_goals:
                _check_sum(goal)


def _check_sum(goal: Any) -> None:
    parts: dict[str, Decimal] = {}
    for record in goal.facts["records"]:
        parts[record["role"]] = parts.get(record["role"], Decimal(0)) + Decimal(record["counts"] or 0)
    if not goal.actual.known:
        return
    if goal.facts["aggregate"] == "ratio":
        assert goal.actual.value == parts["numerator"] / parts["denominator"]
    elif goal.facts["aggregate"] == "sum":
        assert goal.actual.value == parts.get("actual", 0)
        assert (goal.in_progress.value or 0) == parts.get("in progress", 0)


def test_a_closed_quarter_speaks_of_results(demo_review: Callable[..., Any]) -> None:
    """2026-Q2 is final: exceeded, met, missed, below floor or not measurable, and nothing of pace."""
    for number in range(1, 13):
        review = demo_review(f"P-{number:03}", "2026-Q2")
        assert review.facts["quarter"]["phase"] == "final"
        words = {goal.status.word for goal in review.all_goals}
        assert words <= {"exceeded", "met", "missed", "below floor", "not measurable"}


def test_the_oldest_quarter_can_be_built(demo_review: Callable[..., Any]) -> None:
    """2024-Q3 has no agreed targets: the definitions give them, marked as not agreed; earlier quarters are unknown."""
    review = demo_review("P-001", "2024-Q3")
    assert review.all_goals
    assert {goal.facts["basis"] for goal in review.all_goals} == {"from the goal's definition; not agreed yet"}
    trend = review.facts["trend"]["new_partner_leads_q"]
    assert [row["state"] for row in trend][:-1] == ["unknown"] * 7
    assert trend[-1]["target"] == review.goal("new_partner_leads_q").facts["target"]["value"]
    assert {goal.facts["last"] is None for goal in review.all_goals} == {True}


# ------------------------------------------------------------------------------------------- targets


def test_agreed_rows_are_the_goals_and_others_get_the_definition(tmp_path: Path) -> None:
    """A partner with rows has exactly these; one without gets every definition that applies, not agreed."""
    root = tiny_workbook.write(tmp_path, usual())
    tiny_workbook.agree(root, Q3, ["A,people_q,1", "A,leads_q,4"])
    mine, others = goals_of(root, "A"), goals_of(root, "B")
    assert list(mine) == ["leads_q", "people_q"]
    assert (mine["leads_q"]["target"]["value"], mine["leads_q"]["agreed_by_us"]) == ("4", "We")
    assert list(others) == ["leads_q", "revenue_q", "people_q"]
    assert {goal["agreed_by_them"] for goal in others.values()} == {""}
    told = [finding["what"] for finding in slice_of(root, "B")["findings"]]
    assert any(line.startswith("New leads: the target is not agreed by both sides") for line in told)


def test_definitions_apply_to_whom_and_when_they_say(tmp_path: Path) -> None:
    """``applies_to`` and ``first_period`` decide who gets a goal that nobody agreed; nobody may have none."""
    goals = tiny_workbook.GOALS.replace("target: {at_least: 2}", "applies_to: {tier: Gold}, target: {at_least: 2}")
    goals = goals.replace("first_period: 2024-Q1, pace: calendar_days, owners", "first_period: 2026-Q3, owners", 1)
    tables = usual() | {"partners": [partner("A", tier="Gold"), partner("B", status="dormant"), partner("C")]}
    only_active = goals.replace("target: {at_least: 1000}", "applies_to: {status: active}, target: {at_least: 1000}")
    root = tiny_workbook.write(tmp_path, tables, only_active)
    assert [list(goals_of(root, who)) for who in "ABC"] == [
        ["leads_q", "revenue_q", "people_q"],
        ["leads_q"],
        ["leads_q", "revenue_q"],
    ]
    assert [list(goals_of(root, who, "2026-Q2")) for who in "ABC"] == [["revenue_q", "people_q"], [], ["revenue_q"]]
    assert slice_of(root, "B", "2026-Q2")["score"]["value"] is None


def test_who_joined_within_the_quarter_starts_then(tmp_path: Path) -> None:
    """Joined on 1 September: targets of 30 of 92 days, pace from that day; who joined later has no goals yet."""
    tables = usual() | {"partners": [partner("A", joined_on="2026-09-01"), partner("B", joined_on="2026-07-01")]}
    tables["partners"].append(partner("C", joined_on="2026-10-05"))
    root = tiny_workbook.write(tmp_path, tables)
    mine = goals_of(root, "A")
    assert mine["leads_q"]["target"]["value"] == "2"
    assert mine["revenue_q"]["target"]["value"] == "326.09"
    assert mine["people_q"]["target"]["value"] == "2"
    assert {goal["standing"] for goal in mine.values()} == {"too early"}
    assert slice_of(root, "A")["quarter"]["since"] == "2026-09-01"
    assert slice_of(root, "A")["score"]["standing"] == "too early"
    assert slice_of(root, "B")["quarter"]["since"] is None
    assert goals_of(root, "B")["leads_q"]["target"]["value"] == "5"
    assert goals_of(root, "C") == {}


# ---------------------------------------------------------------------------------- unknown is no zero


def test_a_missing_export_is_not_measurable(tmp_path: Path) -> None:
    """Acceptance case 19: without the certification export the goal is not measurable, and the slice says why."""
    tables = {name: rows for name, rows in usual().items() if name != "certifications"}
    root = tiny_workbook.write(tmp_path, tables)
    goal = goals_of(root, "A")["people_q"]
    assert (goal["state"], goal["actual"], goal["attained"], goal["standing"]) == (
        "unknown",
        None,
        None,
        "not measurable",
    )
    assert goal["reason"] == "no export of certifications was provided"
    (source,) = [row for row in slice_of(root, "A")["sources"] if row["table"] == "certifications"]
    assert source["as_of"] is None
    assert slice_of(root, "A")["score"]["known_goals"] == 2
    assert slice_of(root, "C")["goals"][0]["state"] == "zero"


def test_money_without_a_plan_rate_is_not_measurable(tmp_path: Path) -> None:
    """A won deal in a currency that rates.csv lacks makes the revenue unknown, in the goal and in the history."""
    tables = usual()
    tables["opportunities"] = [*tables["opportunities"], deal("O9", "A", "10", currency="NOK")]
    root = tiny_workbook.write(tmp_path, tables)
    goal = goals_of(root, "A")["revenue_q"]
    assert (goal["state"], goal["actual"], goal["n"]) == ("unknown", None, 3)
    assert goal["reason"] == "no plan rate for the currency of 1 record: O9"
    assert slice_of(root, "A")["history"][-1]["won"] is None
    assert {deal["id"]: deal["plan_amount"] for deal in slice_of(root, "A")["deals"]}["O9"] is None
    put(
        root,
        "params/rates.csv",
        "currency,to_currency,kind,valid_from,rate,source\nNOK,USD,plan,2026-01-01,0.1,budget\n",
    )
    assert goals_of(root, "A")["revenue_q"]["actual"] == "661"


# ------------------------------------------------------------------------------------------ the rest


def test_actions_of_this_quarter_and_the_last_and_what_is_still_open(tmp_path: Path) -> None:
    """Older actions stay only while they are open; other partners' never show."""
    header = "action_id,partner_id,goal,action,side,owner,opened,due,status,closed_on"
    rows = ["1,A,,Old and open,us,We,2025-Q4,,open,", "2,A,,Old and done,us,We,2025-Q4,,done,2026-01-01"]
    rows += [
        "3,A,leads_q,Last,partner,They,2026-Q2,2026-08-01,done,2026-08-02",
        "4,A,,Now,joint,Both,2026-Q3,,dropped,",
    ]
    rows += ["5,A,,Next,us,We,2026-Q4,,open,", "6,B,,Not mine,us,We,2026-Q3,,open,"]
    root = tiny_workbook.write(tmp_path, usual())
    put(root, "params/actions.csv", "\n".join([header, *rows]) + "\n")
    assert [action["id"] for action in slice_of(root, "A")["actions"]] == ["1", "3", "4"]


def test_the_deals_are_those_open_or_closed_in_the_quarter(tmp_path: Path) -> None:
    """One row a deal with all credits; another quarter's closings are left out."""
    tables = usual()
    old = deal("O5", "A", close_date="2026-06-30")
    tables["opportunities"] = [
        *tables["opportunities"],
        old,
        deal("O6", "A;B", Influencer="B", close_date="2026-07-01"),
    ]
    deals = {deal["id"]: deal for deal in slice_of(tiny_workbook.write(tmp_path, tables), "A")["deals"]}
    assert list(deals) == ["O1", "O2", "O3", "O4", "O6"]
    assert deals["O6"]["credits"] == ["sourced"]
    assert (deals["O2"]["sourced_share"], deals["O2"]["plan_amount"]) == ("0.6", "100")


def test_hidden_influence_is_hidden_everywhere(tmp_path: Path) -> None:
    """When partners may not see influenced revenue, neither score nor closings rest on it."""
    tables = usual()
    tables["opportunities"] = [*tables["opportunities"], deal("O7", "", "5000", Influencer="A")]
    more = f"  touched_q: {{{tiny_workbook.GOAL.format(metric='influenced_won')}, target: {{at_least: 1}}}}\n"
    root = tiny_workbook.write(tmp_path, tables, tiny_workbook.GOALS + more)
    seen = slice_of(root, "A")
    put(root, "params/workbook.yaml", tiny_workbook.WORKBOOK + "show_influenced: false\n")
    unseen = slice_of(root, "A")
    assert [goal["influenced"] for goal in seen["goals"]] == [False, False, False, True]
    assert (seen["score"]["goals"], unseen["score"]["goals"]) == (4, 3)
    assert (seen["history"][-1]["won"], unseen["history"][-1]["won"]) == ("5700", "700")


def test_house_metrics_cannot_clash_with_those_of_params(tmp_path: Path) -> None:
    """Their names begin with an underscore, which no name in params can."""
    settings = params.read(tiny_workbook.write(tmp_path, usual()))
    assert all(name.startswith("_") for name in programme.house_metrics(settings))
    assert dossier.record_fields("unheard of") == ()


PLAIN = [
    (Decimal("1.500"), "1.5"),
    (Decimal("1E+3"), "1000"),
    (Decimal("100"), "100"),
    (None, None),
    (True, True),
    ("x", "x"),
]


@pytest.mark.parametrize(("value", "text"), PLAIN)
def test_plain_values(value: Any, text: Any) -> None:
    """A slice holds numbers as text without trailing noughts, so that no float comes near them."""
    assert records.plain(value) == text


def test_a_lead_at_the_last_minute_counts_in_this_quarter(tmp_path: Path) -> None:
    """Acceptance case 2, from the export on: 23:30 on the last day counts, midnight does not."""
    tables = usual() | {"leads": [lead("L1", "A", "2026-06-30 23:30:00"), lead("L2", "A", "2026-07-01 00:00:00")]}
    root = tiny_workbook.write(tmp_path, tables)
    assert [record["id"] for record in goals_of(root, "A", "2026-Q2")["leads_q"]["records"]] == ["L1"]
    assert [record["id"] for record in goals_of(root, "A")["leads_q"]["records"]] == ["L2"]
