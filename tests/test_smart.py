"""SMART checks: a clean file trips nothing, each rule is tripped by a file with exactly one fault, and by no other."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smart_plans import AS_OF, QUARTER, ROWS, Fault, chance, goal_with, history, plan_of

from pbr_lib import smart
from pbr_lib.definitions import SmartSpec, Target
from pbr_lib.goalrows import Amendment, Instance
from pbr_lib.model import Unit
from pbr_lib.predictive import Samples
from pbr_lib.smart.attainable import _banded
from pbr_lib.smart.own import own
from pbr_lib.smart.timing import issue_day

LEADS = '"Create {target} new leads"'
OWNERS = "owners: {vendor: Channel manager, partner: Alliance lead}"
FIRST_OWNERS = "target: {at_least: 5}, " + OWNERS


def _gap(**told: str) -> Any:
    """What the exports do not cover: {table: told}, of all quarters, or of one when its label stands before a colon."""

    def gap(table: str, quarter: Any) -> str:
        label, _, words = told.get(table, "").rpartition(": ")
        return words if not label or quarter.label == label else ""

    return gap


def _row(goal: str, **more: str) -> dict[str, str]:
    return {"partner_id": "A", "goal": goal} | more


def _amended(settings: Any) -> Any:
    change = Amendment("2026-Q3", "A", "leads_q", Target(at_least=Decimal(5)), "a campaign was added", "We", "They")
    return replace(settings, amendments=(change,))


def _all_weightless(settings: Any) -> Any:
    return replace(
        settings,
        goals={k: g.model_copy(update={"weight": Decimal(0)}) for k, g in settings.goals.items()},
        instances={"2026-Q3": tuple(r for r in settings.instances["2026-Q3"])},
    )


def _too_fine(settings: Any) -> Any:
    rows = tuple(
        replace(row, target=Target(at_least=Decimal("1000.005"))) if row.goal == "revenue_q" else row
        for row in settings.instances["2026-Q3"]
    )
    return replace(settings, instances={"2026-Q3": rows})


def _rated(settings: Any) -> Any:
    rows = tuple(
        replace(row, target=Target(at_least=Decimal(5))) if row.goal == "rate_q" else row
        for row in settings.instances["2026-Q3"]
    )
    return replace(settings, instances={"2026-Q3": rows})


def _demanded(settings: Any) -> Any:
    """No export may be missing."""
    sources = {name: one.model_copy(update={"optional": False}) for name, one in settings.sources.items()}
    return replace(settings, sources=sources)


ONE_FAULT: dict[str, tuple[Fault, str]] = {
    "S1 metric": (
        Fault(settings=goal_with("rate_q", metric="lost_rate"), plan={"rows": {}}),
        'no metric is called "lost_rate"',
    ),
    "S2 at_least": (Fault(metrics=("better: higher", "better: lower")), "lower is better for its metric"),
    "S3": (Fault(plan={"applies": {"leads_q": (), "revenue_q": "AB", "rate_q": "AB"}}), "selects no partner"),
    "S4": (Fault(plan={"applies": {"leads_q": "B", "revenue_q": "AB", "rate_q": "AB"}}), "none of those"),
    "S5 unknown": (
        Fault(more=[{"partner_id": "Z", "goal": "leads_q", "target": "5"}], plan={"chances": {}}),
        'no partner is called "Z"',
    ),
    "S5 ended": (
        Fault(plan={"partners": {"A": {"ended_on": dt.date(2026, 6, 30)}, "B": {}}}),
        "ended on 30 Jun 2026, before 2026-Q3 begins; 3 goals are set for it",
    ),
    "S5 not joined": (
        Fault(plan={"partners": {"A": {"joined_on": dt.date(2026, 10, 1)}, "B": {}}}),
        "joins on 1 Oct 2026, after 2026-Q3 ends",
    ),
    "S6 digits": (
        Fault(goals=(LEADS, "Create 6 new leads")),
        'the name "Create 6 new leads" says 6, the target is 5',
    ),
    "S6 words": (Fault(goals=(LEADS, "Create six new leads")), "says six, the target is 5"),
    "S7": (Fault(goals=(LEADS, "Create 5 new leads")), "repeats the target, 5"),
    "S8 vague": (Fault(goals=(LEADS, "Improve leads")), 'is vague ("improve")'),
    "S8 placeholder": (Fault(goals=(LEADS, "TBD")), 'is vague ("TBD")'),
    "S9": (
        Fault(
            goals=(
                "  rate_q:",
                f"  again_q:\n    {{metric: new_leads, objective: grow, name: '{{target}} leads', "
                f"first_period: 2026-Q1, target: {{at_least: 5}}, {OWNERS}}}\n  rate_q:",
            ),
            more=[_row("again_q", target="5")],
            plan={"applies": dict.fromkeys(("leads_q", "revenue_q", "rate_q", "again_q"), "AB")},
        ),
        "leads_q (params/goals/2026-Q3.csv, row 2) sets at_least for the same metric and partner",
    ),
    "S10 row": (Fault(row={"owner_them": "tbd"}), 'the partner\'s side has no owner: "tbd" names nobody'),
    "S10 definition": (
        Fault(goals=(FIRST_OWNERS, FIRST_OWNERS.replace("Channel manager", '"n/a"'))),
        'our side has no owner: "n/a" names nobody',
    ),
    "S10 Japanese": (Fault(row={"owner_us": "未定"}), "our side has no owner"),
    "S11 row": (Fault(row={"owner_them": "channel  Manager"}), "answers for both sides"),
    "S11 definition": (
        Fault(goals=(FIRST_OWNERS, FIRST_OWNERS.replace("Alliance lead", "Channel manager"))),
        '"Channel manager" answers for both sides',
    ),
    "M1": (
        Fault(settings=_demanded, plan={"gap": _gap(leads="no export of leads was provided")}),
        "no export of leads was provided",
    ),
    "M11": (Fault(plan={"gap": _gap(leads="no export of leads was provided")}), "no export of leads was provided"),
    "M2": (Fault(plan={"dated": {"new_leads": 0.94999}}), "94.9 % of the rows of leads have a date in created_at"),
    "M3": (
        Fault(plan={"gap": _gap(leads="2026-Q3: the export of leads ends on 1 Aug 2026")}),
        "the export of leads ends on 1 Aug 2026; 14 days are allowed",
    ),
    "M4 gap": (
        Fault(plan={"gap": _gap(leads="2026-Q1: the export of leads begins on 1 Mar 2026")}),
        "begins on 1 Mar 2026, so 2026-Q1 cannot be measured",
    ),
    "M4 no row": (
        Fault(plan={"rows": {"new_leads": {"2026-Q1": 5}}}),
        "the table leads holds no row at all of 2026-Q2",
    ),
    "M5": (Fault(plan={"ever": {"new_leads": 0}}), "no row of leads has ever matched its filter"),
    "M6": (Fault(row={"target": "4.5"}), "the target 4.5 is no whole number"),
    "M8 coin": (Fault(settings=_too_fine), "0.01 USD"),
    "M8 sign": (
        Fault(goals=("Create {target} new leads", "Create {target} € of leads")),
        "says €, its metric is no money",
    ),
    "M10": (
        Fault(
            goals=(
                "metric: win_rate, objective: win, first_period: 2026-Q1,\n     target: {at_least: 30 %}",
                "metric: rating, objective: win, first_period: 2026-Q1,\n     target: {at_least: 5}",
            ),
            settings=_rated,
        ),
        "entered by hand",
    ),
    "A5 reason": (
        Fault(plan={"chances": {}}),
        "cannot be judged yet: nothing was measured to judge it by",
    ),
    "R1": (Fault(settings=goal_with("rate_q", objective="none_such")), 'no objective is called "none_such"'),
    "R2": (
        Fault(goals=("win: Win together}", "win: Win together, learn: Learn together}")),
        'serves the objective "learn"',
    ),
    "R4": (
        Fault(row={"weight": "0"}, settings=_all_weightless),
        "the weights of its goals add up to 0",
    ),
    "R5": (Fault(row={"weight": "4"}), "it carries 67 % of the partner's weight"),
    "R6": (Fault(row={"weight": "0"}), "it carries no weight"),
    "T1": (Fault(settings=goal_with("leads_q", last_period="FY27-Q1")), 'last_period: "FY27-Q1" is no quarter'),
    "T2": (Fault(settings=goal_with("leads_q", first_period="2026-Q4")), "it begins with 2026-Q4, after 2026-Q3"),
    "T2 ended": (
        Fault(settings=goal_with("leads_q", last_period="2026-Q2")),
        "it ended with 2026-Q2, before 2026-Q3",
    ),
    "T3": (
        Fault(row={"agreed_by_them": ""}, plan={"closed": frozenset({"2026-Q3"})}),
        "2026-Q3 is closed, and the target was not agreed",
    ),
    "T4": (Fault(row={"agreed_by_us": "We, 2026-10-02"}), "agreed on 2 Oct 2026, and 2026-Q3 ends on 30 Sep 2026"),
    "T5": (Fault(row={"agreed_by_us": "We, 2026-09-20"}), "agreed on 20 Sep 2026, 10 days before 2026-Q3 ends"),
    "J1": (Fault(row={"agreed_by_them": ""}), "only our side agreed by 31 Jul 2026, 30 days into 2026-Q3"),
    "J2": (Fault(row={"agreed_target": "6"}), "6 was agreed, and the row says 5 without an amendment"),
}
# These need more than one change, and stand as tests of their own below.
APART = {"M7", "M9", "A1", "A2", "A3", "A4", "A6", "R3", "R7", "T6"}
FLEET = {"F1", "F2", "F3", "F4", "F5"}


def test_a_clean_file_trips_nothing(tmp_path: Path) -> None:
    """Goals in which nothing is wrong give no finding at all, not even a remark."""
    assert smart.check(plan_of(tmp_path)) == ()


def test_every_rule_is_tried() -> None:
    """Each rule has a file that trips it, here, below, or among the checks of the whole set."""
    assert {name.split()[0] for name in ONE_FAULT} | APART | FLEET == set(smart.RULES)


@pytest.mark.parametrize("name", list(ONE_FAULT))
def test_one_fault_trips_one_rule(name: str, tmp_path: Path) -> None:
    """Exactly the rule that the fault breaks is found, with numbers, a place and a remedy."""
    fault, words = ONE_FAULT[name]
    plan = plan_of(tmp_path, fault)
    found = smart.check(plan)
    accompanied = {"S1": {"A5"}, "S5": {"A5", "S4"}}.get(name.split()[0], set())
    assert {one.rule for one in found} - accompanied == {name.split()[0]}, [one.sentence for one in found]
    first = next(one for one in found if one.rule == name.split()[0])
    assert words in first.what
    assert first.where.startswith("params/")
    assert first.fix


# --------------------------------------------------------------------------------- rules that need more


def _rules(plan: smart.Plan) -> list[str]:
    return [one.rule for one in smart.check(plan)]


def test_a_percentage_over_few_records_moves_in_large_steps(tmp_path: Path) -> None:
    """1/n above 5 points is told with n; 20 records are enough."""
    plan = plan_of(tmp_path)
    past = plan.history["win_rate"].value
    few = replace(plan, history={**plan.history, "win_rate": history(past.tolist(), n=8)})
    found = smart.check(few)
    assert [one.rule for one in found] == ["M7", "M7"]
    assert "8 records in a typical quarter, so it moves in steps of 12.5 %" in found[0].what
    enough = replace(plan, history={**plan.history, "win_rate": history(past.tolist(), n=20)})
    assert _rules(enough) == []


def test_a_base_needs_a_quarter_that_was_measured(tmp_path: Path) -> None:
    """Attainment from a base is no measure where nothing was measured before."""
    plan = plan_of(tmp_path)
    based = Target.model_validate({"at_least": 5, "from": 2})
    rows = (replace(plan.instances[0], target=based), *plan.instances[1:])
    assert _rules(replace(plan, instances=rows)) == []
    blind = history([[np.nan] * 8 + [2], [4, 5, 6, 4, 5, 6, 5, 4, 2]])
    found = smart.check(replace(plan, instances=rows, history={**plan.history, "new_leads": blind}))
    assert [(one.rule, one.what) for one in found] == [
        ("M9", "attainment starts from 2, and no earlier quarter was measured")
    ]


def test_a_metric_that_moves_with_no_other_is_remarked(tmp_path: Path) -> None:
    """Changes of two metrics of one objective are compared over all partners, and only when there are thirty."""
    plan = plan_of(tmp_path)
    up, down = [1, 2, 1, 2, 1, 2, 1, 2, 1, 0], [1, 1, 2, 2, 1, 1, 2, 2, 1, 0]
    names = [f"P{at}" for at in range(12)]
    one, other = history([up] * 12, partners=names), history([down] * 12, partners=names)
    apart = replace(plan, history={**plan.history, "revenue_won": one, "win_rate": other}, chances={})
    found = [each for each in smart.check(apart) if each.rule == "R7"]
    assert [each.metric for each in found] == ["revenue_won", "win_rate"]
    assert "(rank correlation of its changes 0.0" in found[0].what
    alike = replace(plan, history={**plan.history, "revenue_won": one, "win_rate": one}, chances={})
    assert "R7" not in _rules(alike)


def test_what_is_to_be_done_by_a_day_is_done_in_the_quarter(tmp_path: Path) -> None:
    """A day outside is an error; a day inside cannot be judged by history, and so never passes silently."""
    plan = plan_of(tmp_path)
    for day, rules in ((dt.date(2026, 9, 15), ["A5"]), (dt.date(2026, 10, 1), ["A5", "T6"])):
        rows = (replace(plan.instances[0], target=Target(done_by=day)), *plan.instances[1:])
        assert _rules(replace(plan, instances=rows)) == rules


def test_more_than_seven_goals_for_one_objective(tmp_path: Path) -> None:
    """Seven are the most; metrics of each goal differ, so that nothing stands there twice."""
    plan = plan_of(tmp_path)
    goal, metric = plan.settings.goals["leads_q"], plan.settings.metrics["new_leads"]
    names = [f"leads_{at}" for at in range(8)]
    metrics = {n: metric.model_copy(update={"min_n": at + 1}) for at, n in enumerate(names)}
    goals = {n: goal.model_copy(update={"metric": n}) for n in names}
    for count, rules in ((7, set()), (8, {"R3"})):
        chosen = names[:count]
        settings = replace(
            plan.settings,
            goals={n: goals[n] for n in chosen},
            metrics={**plan.settings.metrics, **metrics},
            objectives={"grow": "Grow together"},
        )
        rows = tuple(replace(plan.instances[0], goal=n) for n in chosen)
        many = replace(
            plan,
            settings=settings,
            instances=rows,
            applies=dict.fromkeys(chosen, "AB"),
            history=dict.fromkeys(chosen, plan.history["new_leads"]),
            chances=dict.fromkeys(chosen, plan.chances["new_leads"]),
        )
        assert set(_rules(many)) == rules
    assert "8 goals serve the objective" in smart.check(many)[0].what


def test_an_amendment_makes_another_target_right(tmp_path: Path) -> None:
    """A target that differs from what was agreed is fine once both sides agreed to the change."""
    fault = Fault(row={"agreed_target": "4"})
    assert _rules(plan_of(tmp_path, fault)) == ["J2"]
    assert _rules(plan_of(tmp_path, replace(fault, settings=_amended))) == []


def test_a_quarter_to_come_is_not_late(tmp_path: Path) -> None:
    """Before the deadline nothing has to be signed, and the whole quarter is left."""
    unsigned = Fault(row={"agreed_by_us": "", "agreed_by_them": ""}, plan={"as_of": dt.date(2026, 7, 31)})
    assert _rules(plan_of(tmp_path, unsigned)) == []


def test_of_what_was_not_exported_nothing_more_is_told(tmp_path: Path) -> None:
    """That nothing matched and nothing is dated follows from there being nothing."""
    gap = _gap(leads="no export of leads was provided")
    bare = {"gap": gap, "ever": {"new_leads": 0}, "dated": {"new_leads": 0.0}, "rows": {"new_leads": {}}}
    assert _rules(plan_of(tmp_path, Fault(plan=bare))) == ["M11"]


def test_a_level_need_not_begin_in_every_quarter(tmp_path: Path) -> None:
    """What was valid before stays valid; only flows must have rows in each quarter."""
    plan = plan_of(tmp_path, Fault(plan={"rows": {"new_leads": {}}}))
    assert _rules(plan) == ["M4"]
    level = plan.settings.metrics["new_leads"].model_copy(update={"nature": "level", "valid_from": "created_at"})
    metrics = {**plan.settings.metrics, "new_leads": level}
    assert _rules(replace(plan, settings=replace(plan.settings, metrics=metrics))) == []


def test_at_most_without_a_word_on_better_is_fine(tmp_path: Path) -> None:
    """Only a metric that says that higher is better contradicts at_most."""
    plan = plan_of(tmp_path)
    down = goal_with("revenue_q", target=Target(at_most=Decimal(1000)))(plan.settings)
    assert _rules(replace(plan, settings=down)) == []
    said = goal_with("leads_q", target=Target(at_most=Decimal(5)))(plan.settings)
    assert _rules(replace(plan, settings=said)) == ["S2"]


@pytest.mark.parametrize(
    ("us", "them", "day"),
    [
        ("We, 2026-07-03", "They, 2026-07-06", dt.date(2026, 7, 6)),
        ("We", "They", None),
        ("We, 2026-99-99", "They", None),
        ("We, 2026-07-03", "", AS_OF),
    ],
)
def test_the_day_of_issue_is_that_of_the_later_side(us: str, them: str, day: dt.date | None) -> None:
    """Entries may name a day; while one side is missing, the goal is still to be issued."""
    row = Instance("A", "leads_q", Target(at_least=Decimal(5)), agreed_by_us=us, agreed_by_them=them)
    assert issue_day(row, AS_OF) == day


# ------------------------------------------------------------------------------------------- attainable


class Counts:
    """The negative binomial of goals.md 3.3 for P partners: n 34, p 12/13."""

    def __init__(self, partners: int) -> None:
        self.partners = partners
        n, p = 34, 12 / 13
        pmf = [p**n]
        for k in range(1, 200):
            pmf.append(pmf[-1] * (n + k - 1) / k * (1 - p))
        self.cdf = np.cumsum(pmf)

    def quantile(self, levels: Any) -> Any:
        return np.tile(np.searchsorted(self.cdf, levels), (self.partners, 1)).astype(float)

    def at_least(self, target: Any) -> Any:
        below = np.ceil(target).astype(int) - 1
        return np.where(below < 0, 1.0, 1 - self.cdf[np.maximum(below, 0)])

    def at_most(self, target: Any) -> Any:
        return self.cdf[np.maximum(np.floor(target).astype(int), 0)]

    @property
    def mean(self) -> Any:
        return np.full(self.partners, 34 / 12)


def _example(plan: smart.Plan, target: int) -> smart.Verdict:
    """The worked example of goals.md 3.3 with a target."""
    past = history([[2, 3, 1, 4, 3, 2, 4, 3, 0]] * 2)
    chances = replace(chance(0), predictive=Counts(2))
    rows = (replace(plan.instances[0], target=Target(at_least=Decimal(target))), *plan.instances[1:])
    changed = replace(
        plan,
        instances=rows,
        history={**plan.history, "new_leads": past},
        chances={**plan.chances, "new_leads": chances},
    )
    return smart.judge(changed)["leads_q"].verdict(0)


def test_the_worked_example(tmp_path: Path) -> None:
    """goals.md 3.3: P(>= 5) = 0.165 is a stretch; mean 2.75, z 2.17, +67 %, met in 0 of 8; 3 is nearest to 60 %."""
    plan = plan_of(tmp_path)
    verdict = _example(plan, 5)
    assert verdict.p == pytest.approx(0.165, abs=5e-4)
    assert verdict.band == "stretch"
    assert verdict.proposed == 3
    assert verdict.chance == pytest.approx(0.531, abs=5e-4)
    assert verdict.why == (
        "mean of its last 8 quarters 2.8, met in 0 of 8; 67 % above the mean of its last four; z 2.2; "
        "3 would be met in 53 of 100 cases"
    )
    assert _example(plan, 4).p == pytest.approx(0.317, abs=5e-4)
    assert _example(plan, 3).band == "attainable"
    assert "would be met" not in _example(plan, 3).why


@pytest.mark.parametrize(
    ("target", "rule", "words"),
    [
        ("9", "A1", "9 is not attainable on the evidence: met less than 1 time in 1,000"),
        ("8", "A2", "8 is a stretch: met in 10 of 100 cases"),
        ("4", "A4", "4 is not a goal: it is already normal, met in 100 of 100 cases"),
    ],
)
def test_bands_in_words(target: str, rule: str, words: str, tmp_path: Path) -> None:
    """Each band has its rule; what was chosen for a reason is not asked for one."""
    plan = plan_of(tmp_path, Fault(row={"target": target, "basis": "agreed from the open pipeline"}))
    # Nothing that comes is below 4: it is met for certain.
    sure = replace(plan, chances={**plan.chances, "new_leads": chance(4, 4, 4, 5, 5, 5, 6, 6, 7, 8)})
    found = [one for one in smart.check(sure) if one.partner_id == "A"]
    assert [one.rule for one in found] == [rule]
    assert found[0].what.startswith(words)


def test_a_small_chance_is_one_in_n(tmp_path: Path) -> None:
    """Below one in ten the sentence says one in how many."""
    plan = plan_of(tmp_path, Fault(row={"target": "7", "basis": "x"}))
    rare = replace(plan, chances={**plan.chances, "new_leads": chance(*([5] * 19), 7)})
    [found] = [one for one in smart.check(rare) if one.partner_id == "A"]
    assert found.rule == "A1"
    assert "met 1 time in 20 (" in found.what


def test_an_easy_target_is_remarked(tmp_path: Path) -> None:
    """Nine in ten is easy, and no error."""
    plan = plan_of(tmp_path, Fault(row={"target": "4", "basis": "x"}))
    [found] = smart.check(plan)
    assert (found.rule, found.severity) == ("A3", "info")


def test_bounds_of_the_bands() -> None:
    """0.10, 0.40 and 0.80 belong to the easier band; 0.95 is still easy."""
    p = np.array([0.0999, 0.10, 0.3999, 0.40, 0.7999, 0.80, 0.95, 0.9501])
    assert _banded(p, SmartSpec()).tolist() == [0, 1, 1, 2, 2, 3, 3, 4]


def test_too_little_evidence_never_passes(tmp_path: Path) -> None:
    """The reason of the forecast is told, and there is no probability."""
    plan = plan_of(tmp_path)
    told = ("not enough history: 2 closed quarters and 3 peers", "")
    blind = replace(chance(5), enough=np.array([False, True]), reason=told)
    judged = smart.judge(replace(plan, chances={**plan.chances, "new_leads": blind}))
    verdict = judged["leads_q"].verdict(0)
    assert (verdict.p, verdict.band, verdict.why) == (None, "cannot be judged yet", told[0])
    assert np.isnan(judged["leads_q"].p[0])


def test_a_target_far_from_the_past_needs_a_reason(tmp_path: Path) -> None:
    """Outside p25 to 1.5 times the highest, and nothing in basis; a reason settles it."""
    wide = {"new_leads": chance(*range(40))}
    for basis, rules in (("", {"A6"}), ("a campaign is planned", set())):
        plan = plan_of(tmp_path, Fault(row={"target": "10", "basis": basis}))
        assert set(_rules(replace(plan, chances={**plan.chances, **wide}))) - {"A3", "A2"} == rules
    plan = plan_of(tmp_path, Fault(row={"target": "10"}))
    found = [one for one in smart.check(replace(plan, chances={**plan.chances, **wide})) if one.rule == "A6"]
    assert found[0].what == "10 lies outside 4.0 to 9.0, which its last quarters suggest, and basis is empty"


@given(
    st.lists(st.integers(0, 12), min_size=5, max_size=40),
    st.sampled_from(["at_least", "at_most"]),
    st.integers(0, 12),
)
def test_a_harder_target_is_never_likelier(draws: list[int], kind: str, target: int) -> None:
    """The probability falls, or stays, as the target gets harder; the proposal's own probability is the true one."""
    step = 1 if kind == "at_least" else -1
    rows = tuple(Instance("A", "g", Target.model_validate({kind: value})) for value in (target, max(target + step, 0)))
    predictive = Samples(np.array([draws], float))
    from pbr_lib.smart.attainable import _bounds, _proposals, _within

    at = np.zeros(1, np.int64)
    easy, hard = (_within(predictive, at, tuple(bound[i : i + 1] for bound in _bounds(rows)), 1)[0] for i in (0, 1))
    assert hard <= easy + 1e-12
    proposed, p = _proposals(predictive, at, rows[:1], Unit("count"))
    side = predictive.at_least if kind == "at_least" else predictive.at_most
    assert p[0] == side(proposed)[0]
    assert proposed[0] == int(proposed[0])


def test_a_band_is_judged_between_its_bounds(tmp_path: Path) -> None:
    """P(low <= X <= high), jumps at both ends included."""
    plan = plan_of(tmp_path)
    rows = (replace(plan.instances[0], target=Target(between=(Decimal(4), Decimal(6)))), *plan.instances[1:])
    verdict = smart.judge(replace(plan, instances=rows))["leads_q"].verdict(0)
    assert verdict.p == pytest.approx(0.7)
    assert verdict.proposed is None


def test_own_figures_count_whole_known_quarters_only() -> None:
    """A quarter that is not known, or in which the partner was not there throughout, is left out."""
    past = history([[1, 2, np.nan, 4, 5, 6, 7, 8, 0], [np.nan] * 9])
    mine = own(past.before(QUARTER))
    assert mine.count.tolist() == [7, 0]
    assert mine.mean[0] == pytest.approx(33 / 7)
    assert mine.p25[0] == pytest.approx(np.quantile([1, 2, 4, 5, 6, 7, 8], 0.25))
    assert mine.deviation[0] == pytest.approx(np.std([1, 2, 4, 5, 6, 7, 8], ddof=1))
    assert mine.year[0] == 6.5
    assert np.isnan(mine.mean[1])
    assert np.isnan(mine.most[1])


def test_a_quarter_under_way_is_none_of_the_last_eight() -> None:
    """Judged ahead of time, for the quarter after the running one, the last eight are those that are over."""
    past = history([[9, 1, 2, 3, 4, 5, 6, 7, 8, 99], [9] * 10])
    mine = own(past.before(QUARTER.shift(1)))
    assert mine.count.tolist() == [8, 8]
    assert mine.mean[0] == 4.5
    assert mine.year[0] == 6.5


def test_huge_numbers_are_judged_like_others(tmp_path: Path) -> None:
    """Whatever number stands in a file, there is a finding and never a crash."""
    for target in ("99999999999999", "0.000001", "0"):
        found = smart.check(plan_of(tmp_path / target, Fault(row={"target": target})))
        assert {one.partner_id for one in found} == {"A"}


# ------------------------------------------------------------------------------------------------ shape


def test_findings_come_in_the_order_of_rules_and_name_file_and_row(tmp_path: Path) -> None:
    """The same plan gives the same findings in the same order, each as a finding with file and row apart."""
    plan = plan_of(tmp_path, Fault(row={"owner_us": "?", "weight": "9", "target": "4.5", "agreed_by_us": ""}))
    found = smart.check(plan)
    assert found == smart.check(plan)
    assert [one.order for one in found] == sorted(one.order for one in found)
    finding = next(one for one in found if one.rule == "S10").as_finding()
    assert (finding.file, finding.row, finding.rule, finding.partner_id) == ("params/goals/2026-Q3.csv", 2, "S10", "A")
    assert finding.severity == "error"


def test_rules_read_well() -> None:
    """Ids are unique and ordered by letter; each rule asks in a sentence and says what to do."""
    letters = [rule.letter for rule in smart.RULES.values()]
    assert list(dict.fromkeys(letters)) == list(smart.LETTERS)
    assert letters == sorted(letters, key=list(smart.LETTERS).index)
    for rule in smart.RULES.values():
        assert rule.asks.endswith(".")
        assert not rule.fix.endswith(".")
    assert len(ROWS) == 6
