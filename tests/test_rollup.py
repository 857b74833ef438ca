"""Many partners' goals in one line, beside the published numbers it must give (goals.md 5.3 and 11)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import goals, metrics
from pbr_lib.definitions import Goal, Metric, Parent, RatioMetric, SimpleMetric, Target, UnitSpec
from pbr_lib.errors import InputError
from pbr_lib.goals import Clock, Facts, Measured
from pbr_lib.params import Instance
from pbr_lib.rollup import pooling, portfolio, sums
from pbr_lib.rollup.pooling import Overlap
from pbr_lib.rollup.portfolio import Group, RollUp
from tests import small_world as world

D = Decimal
COUNT = UnitSpec(kind="count")
MONEY = UnitSpec(kind="money", currency="USD")
FLOW = SimpleMetric(label="Leads", table="leads", aggregate="count", date="created_at", unit=COUNT)
SALES = SimpleMetric(label="Sales", table="opportunities", aggregate="sum", of="amount", date="close_date", unit=MONEY)
RATE = RatioMetric(type="ratio", label="Rate", numerator="won_1", denominator="all_1", unit=UnitSpec(kind="percent"))
MEAN = SimpleMetric(
    label="Score", table="surveys", aggregate="average", of="score", date="answered_on", unit=UnitSpec(kind="number")
)
METRICS: dict[str, Metric] = {"flow": FLOW, "sales": SALES, "rate": RATE, "mean": MEAN, "won_1": FLOW, "all_1": FLOW}
DEFINED = {
    name: Goal.model_validate(
        {
            "metric": name,
            "objective": "grow",
            "first_period": "2026-Q1",
            "target": {"at_least": 1},
            "owners": {"vendor": "us", "partner": "them"},
        }
    )
    for name in ("flow", "sales", "rate", "mean")
}


def target(**facts: Any) -> Target:
    """A target; ``base`` stands for ``from``."""
    return Target.model_validate({("from" if key == "base" else key): value for key, value in facts.items()})


def line(partner: str, actual: Any, aim: Any, metric: str = "flow", **more: Any) -> dict[str, Any]:
    """A row of a sheet; a bare number is a least target."""
    aim = aim if isinstance(aim, Target) else target(at_least=aim)
    value = None if actual is None else D(str(actual))
    unit = METRICS[metric].unit
    facts = {
        "partner_id": partner,
        "goal": metric,
        "metric": metric,
        "unit": unit.kind,
        "currency": unit.currency or "",
        "period": "2026-Q3",
        "state": "unknown" if value is None else "value",
        "actual": value,
        "target": aim,
        "attained": goals.attainment(aim, value),
        "met": None if value is None else goals.is_met(aim, value),
        "n": 9,
        "numerator": None,
        "denominator": None,
        "weight": D(1),
    }
    return facts | more


def part(partner: str, top: Any, bottom: Any, aim: Any = "50 %", metric: str = "rate", **more: Any) -> dict[str, Any]:
    """A row of a rate or mean."""
    quotient = {"numerator": D(str(top)), "denominator": D(str(bottom))}
    whole = D(str(bottom))
    return line(partner, D(str(top)) / whole if whole else None, aim, metric) | quotient | more


def rolled(rows: Sequence[dict[str, Any]], *groups: Group, **overlaps: Overlap) -> tuple[RollUp, ...]:
    """The lines of some rows; over all their partners unless said otherwise."""
    frame = pd.DataFrame(rows, columns=list(portfolio.COLUMNS), dtype=object)
    every = (portfolio.everybody(row["partner_id"] for row in rows),)
    return sums.roll_up(frame, METRICS, groups or every, overlaps)


def one(rows: Sequence[dict[str, Any]], *groups: Group, **overlaps: Overlap) -> RollUp:
    """The only line."""
    (found,) = rolled(rows, *groups, **overlaps)
    return found


def parent(own: Any = None, goal: str = "flow", members: str = "ABCDEFGHIJKL") -> Group:
    """A named parent."""
    return Group("parent", "big", "Big ones", frozenset(members), goal, own)


# ------------------------------------------------------------------------------------------- oracles


def test_t21_a_parent_is_the_ratio_of_sums() -> None:
    """T21 (P126): 400 of 100 and 400 of 200 are 400 % and 200 %, their parent 800 of 300, 266.67 %."""
    found = one([line("A", 400, 100), line("B", 400, 200)])
    assert (found.actual, found.target, round(found.attained or 0, 4)) == (800, target(at_least=300), D("2.6667"))
    assert found.median == 3


def test_t29_never_the_mean_of_ratios() -> None:
    """T29 (B66): 34.5/20, 21.5/15 and 48.5/35 thousand make 149.29 %, their mean would be 151.47 %."""
    pairs = [(34_500, 20_000), (21_500, 15_000), (48_500, 35_000)]
    rows = [line(who, a, t, "sales") for who, (a, t) in zip("ABC", pairs, strict=True)]
    assert round(one(rows).attained or 0, 4) == D("1.4929")
    assert round(sum(row["attained"] for row in rows) / 3, 4) == D("1.5147")


def test_t30_what_is_not_converted_is_not_counted_as_nothing() -> None:
    """T30 (V20): beside a deal of 10 stands one without a rate: the second partner is unknown, not 10 of 200."""
    found = one([line("A", 10, 100, "sales"), line("B", None, 100, "sales")])
    assert (found.attained, found.basis) == (D("0.1"), "based on 1 of 2 partners, 50 % of target")
    mixed = one([line("A", 10, 100, "sales"), line("B", 1000, 100, "sales", currency="GBP")])
    assert (mixed.actual, mixed.attained) == (None, None)
    assert mixed.remarks == ("not added up: different currencies (GBP, USD)",)


def test_t32_rates_are_pooled() -> None:
    """T32 (B67): 88 % of 120 and 62 % of 880 are 65.12 %, not 75 %."""
    found = one([part("A", "105.6", 120), part("B", "545.6", 880)])
    assert round(found.actual or 0, 4) == D("0.6512")


def test_t33_rows_may_rise_more_than_their_total() -> None:
    """T33 (B129): 90 to 95 % and 86 to 91 %, and yet the total goes from 90 to 91 % only."""
    before = one([part("A", 9000, 10_000), part("B", 86, 100)])
    after = one([part("A", 95, 100), part("B", 9100, 10_000)])
    assert [round(found.actual or 0, 2) for found in (before, after)] == [D("0.90"), D("0.91")]


def test_t34_sums_over_a_sum() -> None:
    """T34 (B130): 160, 100 and 72 over 144 in all are 2.30555..., which the text misprints."""
    found = one([part(who, top, 48, 1) for who, top in zip("ABC", (160, 100, 72), strict=True)])
    assert round(found.actual or 0, 5) == D("2.30556")


def test_case_10_the_win_rate_of_a_parent() -> None:
    """Acceptance case 10: 1 of 2 and 9 of 20 are 10 of 22, 45.5 %; the first counts though too small by itself."""
    rows = [part("A", 1, 2, actual=None, attained=None, met=None, state="unknown", n=2), part("B", 9, 20, n=20)]
    found = one(rows)
    assert found.actual == D(10) / D(22)
    assert (found.known, found.judged) == (2, 1)


def test_t28_the_score_of_a_programme() -> None:
    """T28 (V128): 30, 30 and 40 % at weights 40, 20 and 40 make 34 %; with children of 50 and 75 it is 53 %."""
    rows = [
        line("A", 3, 10, "flow", weight=D(40)),
        line("A", 3, 10, "sales", weight=D(20)),
        part("A", 4, 10, "100 %", weight=D(40)),
    ]
    found = sums.score(rolled(rows), DEFINED)
    assert (found.value, found.words) == (D("0.34"), "based on 3 of 3 goals, 100 % of weight")
    alike = [(value, D(1), D(1), D("1.5")) for value in (found.value, D("0.5"), D("0.75"))]
    assert goals.weighted(alike).value == D("0.53")


# -------------------------------------------------------------------------------------- what is known


def test_unknown_is_left_out_of_both_sides_and_told() -> None:
    """Twelve partners, three unknown: neither zero nor silently smaller."""
    rows = [line(who, 9, 9) for who in "ABCDEFGHI"] + [line(who, None, 7) for who in "JKL"]
    found = one(rows)
    assert (found.actual, found.target, found.attained) == (81, target(at_least=81), 1)
    assert found.basis == "based on 9 of 12 partners, 79 % of target"
    assert (found.met, found.judged, found.share_met, found.assigned) == (9, 9, 1, 102)


def test_nothing_known_is_nothing_said() -> None:
    """Neither 0 % nor 100 %."""
    found = one([line("A", None, 5), line("B", None, 5)])
    assert (found.actual, found.attained, found.median, found.share_met) == (None, None, None, None)
    assert found.target == target(at_least=10)


def test_zero_is_known() -> None:
    """A true zero is part of both sums."""
    found = one([line("A", 0, 5), line("B", 5, 5)])
    assert (found.attained, found.met, found.judged) == (D("0.5"), 1, 2)


def test_a_target_of_zero_is_met_or_not_and_no_part_of_the_percentage() -> None:
    """Its actual would lift the percentage for nothing."""
    found = one([line("A", 3, 0), line("B", 4, 5), line("C", -1, 0)])
    assert (found.actual, found.attained, found.met, found.judged) == (4, D("0.8"), 1, 3)
    assert found.remarks == ("2 partners with a target of 0 left out of the percentage",)
    alone = one([line("A", 3, 0)])
    assert (alone.actual, alone.target, alone.attained, alone.share_met) == (3, target(at_least=0), None, 1)
    assert sums.score([alone], DEFINED).goals == 0


# ------------------------------------------------------------------------------------ kinds of target


def test_ceilings_bases_and_ranges_add_up() -> None:
    """Each kind keeps its own formula, over sums."""
    ceilings = one([line("A", 12, target(at_most=10)), line("B", 9, target(at_most=10))])
    assert (ceilings.target, ceilings.attained) == (target(at_most=20), D("0.95"))
    based = one([line("A", 30, target(at_least=40, base=20)), line("B", 60, target(at_least=60, base=40))])
    assert (based.target, based.attained) == (target(at_least=100, base=60), D("0.75"))
    down = one([line("A", 88, target(at_most=80, base=96)), line("B", 100, target(at_most=80, base=96))])
    assert down.attained == D("0.125")
    ranges = one([line("A", 4, target(between=[1, 3])), line("B", 2, target(between=[1, 3]))])
    assert (ranges.target, ranges.attained, ranges.target_share) == (target(between=[2, 6]), 1, None)


def test_a_base_beside_none_is_a_base_of_nought_for_least_targets_only() -> None:
    """A ceiling with a base and one without follow different lines, and have no common percentage."""
    least = one([line("A", 30, target(at_least=40, base=20)), line("B", 5, 10)])
    assert least.target == target(at_least=50, base=20)
    most = one([line("A", 88, target(at_most=80, base=96)), line("B", 9, target(at_most=10))])
    assert most.attained is None
    assert most.remarks == ("not added up: some targets have a base and some have none",)


def test_milestones_are_counted() -> None:
    """Two of three are done in time; done late is not."""
    due = target(done_by="2026-09-15")
    rows = [line(who, 1, due, attained=D(share), met=share == 1) for who, share in zip("ABC", (1, 1, 0), strict=True)]
    found = one([*rows, line("D", None, due, attained=None)])
    assert (found.known, found.partners, round(found.attained or 0, 2)) == (3, 4, D("0.67"))
    assert (found.actual, found.median, found.remarks) == (None, None, ("2 of 3 partners done in time",))


# ----------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metric": "sales"}, "different metrics (flow, sales)"),
        ({"unit": "money"}, "different units (count, money)"),
        ({"period": "2026-Q2"}, "different periods (2026-Q2, 2026-Q3)"),
        ({"target": target(at_most=5)}, "different kinds of target (at_least, at_most)"),
    ],
)
def test_only_like_and_like_are_added_up(change: dict[str, Any], words: str) -> None:
    """The same metric, unit, currency, period and kind of target, or a sentence in place of the number."""
    found = one([line("A", 3, 5), line("B", 3, 5) | change])
    assert (found.actual, found.attained, found.remarks) == (None, None, (f"not added up: {words}",))
    assert (found.partners, found.judged) == (2, 2)


@pytest.mark.parametrize(
    ("aggregate", "words"),
    [
        ("median", "medians of several partners make no common one"),
        ("max", "largest values of several partners make no common one"),
        ("average", "the sums behind the partners' figures are not known"),
    ],
)
def test_medians_and_bare_means_are_not_added_up(monkeypatch: pytest.MonkeyPatch, aggregate: str, words: str) -> None:
    """The median attainment and the share who met can still be told."""
    monkeypatch.setitem(METRICS, "mean", MEAN.model_copy(update={"aggregate": aggregate}))
    found = one([line("A", 4, 5, "mean"), line("B", 5, 5, "mean")])
    assert (found.actual, found.attained, found.remarks) == (None, None, (f"not added up: {words}",))
    assert (found.median, found.share_met, found.target) == (D("0.9"), D("0.5"), target(at_least=5))


def test_a_figure_of_the_programme_is_not_added_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three partners that each show the same total are not three totals."""
    monkeypatch.setitem(METRICS, "sales", SALES.model_copy(update={"scope": "programme"}))
    found = one([line(who, 900, 1000, "sales") for who in "ABC"])
    assert (found.actual, found.attained) == (None, None)
    assert "the same for every partner" in found.remarks[0]


# --------------------------------------------------------------------------------------- rates, means


def test_means_are_recomputed_where_sum_and_count_are_known() -> None:
    """4 of one answer and 5 of nine make 4.9, not 4.5."""
    found = one([part("A", 4, 1, "4.5", "mean"), part("B", 45, 9, "4.5", "mean")])
    assert (found.actual, found.target) == (D("4.9"), target(at_least="4.5"))


def test_a_rate_needs_records_in_all() -> None:
    """Each too small, together enough; together too small, nothing."""
    least = {"rate": RATE.model_copy(update={"min_n": 5})}
    for n, known in ((3, True), (2, False)):
        rows = [part(who, 1, n, n=n, actual=None, attained=None, met=None) for who in "AB"]
        frame = pd.DataFrame(rows, columns=list(portfolio.COLUMNS), dtype=object)
        (found,) = sums.roll_up(frame, METRICS | least, [portfolio.everybody("AB")])
        assert (found.actual is not None) == known
        assert known or found.remarks[0] == "4 records in all, at least 5 are needed"


def test_nothing_to_divide_by() -> None:
    """No decided deal is no win rate, unless the metric says that it is nought."""
    assert one([part("A", 0, 0)]).remarks[0] == "nothing to divide by"
    assert one([part("A", 0, 0)]).actual is None


def test_different_targets_of_a_rate_are_weighed_by_what_stands_behind_them() -> None:
    """90 % on 10 records and 50 % on 30 are 60 % on 40: what the pool is if both meet theirs exactly."""
    found = one([part("A", 9, 10, "90 %"), part("B", 15, 30, "50 %")])
    assert (found.target, found.attained) == (target(at_least="0.6"), 1)
    assert "each weighed by the records" in found.remarks[0]


# ------------------------------------------------------------------------------------ records in common


def shared(counts: dict[str, int], noun: str = "deal") -> Overlap:
    """One record that several partners hold."""
    return Overlap({"actual": ({who: D(count) for who, count in counts.items()},)}, noun)


def test_a_deal_of_two_partners_counts_once_above_them() -> None:
    """Two partners influenced one deal of 60,000: 180,000 in sum, 120,000 of deals."""
    rows = [line("A", 60_000, 50_000, "sales"), line("B", 120_000, 50_000, "sales")]
    found = one(rows, sales=shared({"A": 60_000, "B": 60_000}))
    assert (found.gross, found.actual, found.attained) == (180_000, 120_000, D("1.2"))
    assert found.remarks == ("sum of partners $180,000; each deal once $120,000",)


def test_a_group_that_holds_one_of_them_counts_it_whole() -> None:
    """What is shared with a partner elsewhere is no double count here."""
    rows = [line("A", 60_000, 50_000, "sales"), line("B", 120_000, 50_000, "sales")]
    found = one(rows, Group("tier", "Gold", "Gold", frozenset("A")), sales=shared({"A": 60_000, "B": 60_000}))
    assert (found.gross, found.actual, found.remarks) == (None, 60_000, ())
    unknown = one([rows[0], line("B", None, 50_000, "sales")], sales=shared({"A": 60_000, "B": 60_000}))
    assert (unknown.actual, unknown.attained) == (60_000, D("1.2"))


def test_rates_of_shared_deals_pool_each_once() -> None:
    """A deal won by two partners is one won deal of the pool."""
    both = {"A": D(1), "B": D(1)}
    overlap = Overlap({"numerator": (both,), "denominator": (both,)}, "deal")
    found = one([part("A", 1, 2), part("B", 1, 2)], rate=overlap)
    assert (found.actual, found.remarks) == (D(1) / D(3), ("each deal once, whoever shares it",))


def test_three_partners_of_one_record_count_it_once() -> None:
    """Two too many are taken off."""
    assert shared({"A": 5, "B": 5, "C": 5}).excess("actual", "ABC") == 10
    assert shared({"A": 5, "B": 5, "C": 5}).excess("actual", "A") == 0
    assert shared({"A": -5, "B": -5}).excess("actual", "AB") == -5


@pytest.mark.parametrize("seed", range(6))
def test_what_counts_once_is_what_the_programme_counts(seed: int) -> None:
    """Over all partners, sums less what they share are the programme's own distinct total, from other code."""
    tables = world.random_tables(seed)
    # Credit of partners that nobody knows is in the programme's total and in none of the partners' sums.
    tables["attributions"] = [row for row in tables["attributions"] if row["partner_id"] != "stranger"]
    for row in tables["opportunities"]:
        row["currency"] = row["currency"] if row["currency"] == "EUR" else "USD"
        row["amount"] = row["amount"] or D(7)
    defined: dict[str, Metric] = {"sales": world.revenue(where={}), "leads": world.leads()}
    connection = world.connect(tables)
    window = world.window(world.AS_OF, (world.Q3,), world.RATES)
    measured = metrics.measure(connection, defined, window)
    for name, metric in defined.items():
        whole = metrics.programme(connection, metric, window).iloc[0]
        values = [world.value(measured[name], row["partner_id"]) for row in tables["partners"]]
        found = pooling.overlap(measured[name], metric, defined, world.quarter(world.Q3))
        everyone = {row["partner_id"] for row in tables["partners"]}
        total = sum(value for value in values if value is not None)
        assert whole["distinct"] <= total == whole["gross"]
        assert total - found.excess("actual", everyone) == whole["distinct"]


def test_a_deal_of_two_is_found_in_the_data() -> None:
    """Case 3: 100 sourced by two, full amounts each: one deal of 100; as shares nothing is taken off."""
    tables = {
        "partners": [world.partner("A"), world.partner("B")],
        "opportunities": [world.deal("O1"), world.deal("O2", "40")],
        "attributions": [
            world.credit("O1", "A", share="0.6"),
            world.credit("O1", "B", share="0.4"),
            world.credit("O2", "B"),
        ],
    }
    defined: dict[str, Metric] = {"full": world.revenue(), "split": world.revenue(credit="split")}
    measured = world.measure(tables, **defined)
    quarter = world.quarter(world.Q3)
    found = pooling.overlap(measured["full"], defined["full"], defined, quarter)
    assert (found.excess("actual", "AB"), found.excess("actual", "A"), found.noun) == (100, 0, "deal")
    assert pooling.overlap(measured["split"], defined["split"], defined, quarter).excess("actual", "AB") == 0


def test_customers_of_different_deals_are_not_told_apart() -> None:
    """Distinct customers of two partners may be the same ones, and the line says so."""
    metric = world.revenue(aggregate="count_distinct", of="account_id", unit=COUNT)
    tables = {"partners": [world.partner("A")], "opportunities": [], "attributions": []}
    found = pooling.overlap(world.measure(tables, m=metric)["m"], metric, {"m": metric}, world.quarter(world.Q3))
    assert not found.whole
    told = one([line("A", 3, 5)], flow=found).remarks
    assert told == ("what several partners share may count with each of them",)


def test_parts_of_rates_and_means_come_with_the_measurement() -> None:
    """A mean gives sum and count, a ratio its two sides, also where it is too small to be told."""
    answers = [
        {"response_id": f"S{i}", "partner_id": who, "kind": "csat", "score": score, "answered_on": dt.date(2026, 8, 1)}
        for i, (who, score) in enumerate([("A", D(4)), ("A", D(5)), ("B", None), ("B", D(3))])
    ]
    tables = {
        "partners": [world.partner("A"), world.partner("B")],
        "surveys": answers,
        "opportunities": [world.deal("O1"), world.deal("O2", stage="lost")],
        "attributions": [world.credit("O1", "A"), world.credit("O2", "A")],
    }
    won = world.revenue(aggregate="count", of=None, unit=COUNT)
    decided = world.revenue(aggregate="count", of=None, unit=COUNT, where={"is_open": False})
    rate = RATE.model_copy(update={"min_n": 5})
    defined: dict[str, Metric] = {"mean": MEAN, "won_1": won, "all_1": decided, "rate": rate}
    measured, quarter = world.measure(tables, **defined), world.quarter(world.Q3)
    assert pooling.parts(measured["mean"], MEAN, quarter) == {"A": (9, 2), "B": (3, 1)}
    assert pooling.parts(measured["rate"], rate, quarter)["A"] == (1, 2)
    assert world.value(measured["rate"], "A") is None
    assert pooling.parts(measured["won_1"], won, quarter) == {}


# ---------------------------------------------------------------------------------------------- parents


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((100, 200), "assigned in full"),
        ((130, 200), "over-assigned by 10 %: 330 of 300"),
        ((100, 170), "under-assigned by 10 %: 270 of 300"),
        ((101, 200), "over-assigned by 0.3 %: 301 of 300"),
    ],
)
def test_a_parent_says_how_its_target_is_assigned(shares: tuple[int, int], words: str) -> None:
    """A parent of 300 with children 100 and 200."""
    found = one([line("A", 50, shares[0]), line("B", 100, shares[1])], parent(target(at_least=300)))
    assert (found.target, found.attained, found.assigned) == (target(at_least=300), D("0.5"), sum(shares))
    assert found.remarks == (words,)


def test_a_parent_without_target_has_the_sum_of_its_children() -> None:
    """And nothing is over-assigned then."""
    found = one([line("A", 50, 100), line("B", 100, 200)], parent())
    assert (found.target, found.attained, found.remarks) == (target(at_least=300), D("0.5"), ())


def test_a_parent_of_whom_a_part_is_unknown_is_held_against_the_rest() -> None:
    """The unknown partner's third of the target is not asked of the others."""
    found = one([line("A", None, 100), line("B", 100, 200)], parent(target(at_least=600)))
    assert (found.target, round(found.attained or 0, 4), found.known) == (target(at_least=600), D("0.2500"), 1)
    assert "held against 400" in found.remarks[-1]
    nobody = one([line("A", None, 100)], parent(target(at_least=600)))
    assert (nobody.actual, nobody.attained, nobody.target) == (None, None, target(at_least=600))


def test_a_parent_is_about_one_goal_and_shows_also_when_empty() -> None:
    """Other goals have no line, and a filter that selects nobody does not hide the parent."""
    rows = [line("A", 1, 2), line("A", 5, 9, "sales")]
    assert [found.goal for found in rolled(rows, parent())] == ["flow"]
    empty = one(rows, parent(target(at_least=5), members="Z"))
    assert (empty.partners, empty.attained, empty.remarks) == (0, None, ("no partner of this group has the goal",))


def test_a_parent_of_another_kind_is_refused() -> None:
    """A ceiling over floors compares nothing."""
    found = one([line("A", 1, 2)], parent(target(at_most=5)))
    assert (found.attained, found.remarks[0]) == (
        None,
        "not added up: the parent's target is at_most, those of partners are at_least",
    )


def test_parents_are_read_from_their_definitions() -> None:
    """Label, goal, target and whom the filter lets through."""
    made = Parent.model_validate({"label": "North", "goal": "flow", "target": {"at_least": 9}})
    (group,) = portfolio.parents({"north": made}, {"north": {"A", "B"}})
    assert (group.kind, group.name, group.label, group.goal) == ("parent", "north", "North", "flow")
    assert (group.members, group.own) == (frozenset("AB"), target(at_least=9))


# ----------------------------------------------------------------------------------------------- groups


def test_partners_alike_in_a_column_are_a_group() -> None:
    """In the order of the values; whoever has none comes last."""
    partners = {"A": {"tier": "Silver"}, "B": {"tier": "Gold"}, "C": {"tier": None}, "D": {"tier": "Gold"}}
    found = portfolio.groups_by("tier", partners)
    assert [(group.label, sorted(group.members)) for group in found] == [
        ("Gold", ["B", "D"]),
        ("Silver", ["A"]),
        ("not given", ["C"]),
    ]
    with pytest.raises(InputError, match='no column "teir"') as caught:
        portfolio.groups_by("teir", partners)
    assert caught.value.fix == 'did you mean "tier"?'


def test_groups_that_have_no_goal_have_no_line() -> None:
    """Gold has leads to bring, Silver has not."""
    groups = portfolio.groups_by("tier", {"A": {"tier": "Gold"}, "B": {"tier": "Silver"}})
    assert [found.group.label for found in rolled([line("A", 1, 2)], *groups)] == ["Gold"]
    assert sums.roll_up(_empty(), METRICS, groups) == ()


def _empty() -> Any:
    return pd.DataFrame([], columns=list(portfolio.COLUMNS))


# ------------------------------------------------------------------------------------------------ sheet


def test_evaluated_goals_make_a_sheet() -> None:
    """Weights of rows come before those of definitions; what is not known is None."""
    quarter = world.quarter("2026-Q3")
    clock = Clock(quarter, dt.date(2026, 12, 1))
    results = []
    for who, value, weight in (("A", D(3), None), ("B", None, D(4))):
        instance = Instance(who, "flow", target(at_least=5), weight=weight)
        measured = Measured("value" if value is not None else "unknown", value, 3)
        results.append(
            (goals.evaluate("flow", DEFINED["flow"], FLOW, instance, Facts(measured, clock)), DEFINED["flow"])
        )
    frame = portfolio.sheet(results, METRICS, quarter.label, {"flow": {"A": (D(1), D(2))}})
    assert tuple(frame.columns) == portfolio.COLUMNS
    first, second = frame.to_dict("records")
    assert (first["actual"], first["attained"], first["met"], first["weight"]) == (3, D("0.6"), False, 1)
    assert (first["numerator"], first["denominator"]) == (1, 2)
    assert (second["actual"], second["met"], second["numerator"], second["weight"]) == (None, None, None, 4)
    (found,) = sums.roll_up(frame, METRICS, [portfolio.everybody("AB")])
    assert (found.actual, found.attained, found.weight, found.known_weight) == (3, D("0.6"), 5, 1)
    assert sums.score([found], DEFINED).words == "no score: 1 of 1 goal known, 20 % of weight, and 60 % are needed"


# ------------------------------------------------------------------------------------------------- laws

amounts = st.one_of(st.none(), st.decimals(min_value=-(10**9), max_value=10**9, places=6))
lines = st.lists(st.tuples(amounts, st.decimals(min_value="0.01", max_value=10**9, places=2)), min_size=1, max_size=8)


@given(lines, st.randoms(use_true_random=False))
def test_the_order_of_partners_is_nothing(pairs: list[Any], dice: Any) -> None:
    """Sums are exact, so that any order gives the same line."""
    rows = [line(f"P{at}", actual, aim) for at, (actual, aim) in enumerate(pairs)]
    mixed = dice.sample(rows, len(rows))
    assert one(rows) == one(mixed)


@given(lines)
def test_a_ratio_of_sums_lies_between_its_partners(pairs: list[Any]) -> None:
    """Never better than the best, never worse than the worst; and the known are never more than all."""
    found = one([line(f"P{at}", actual, aim) for at, (actual, aim) in enumerate(pairs)])
    attained = [actual / aim for actual, aim in pairs if actual is not None]
    assert found.known == len(attained) <= found.partners
    if attained:
        slack = D("1e-12")
        assert min(attained) - slack <= (found.attained or 0) <= max(attained) + slack


@given(lines)
def test_groups_add_up_to_the_whole(pairs: list[Any]) -> None:
    """Whatever is grouped, sums of groups are the sum of all."""
    rows = [line(f"P{at}", actual, aim) for at, (actual, aim) in enumerate(pairs)]
    groups = portfolio.groups_by("side", {f"P{at}": {"side": "lr"[at % 2]} for at in range(len(pairs))})
    split, whole = rolled(rows, *groups), one(rows)
    assert sum(found.actual or 0 for found in split) == (whole.actual or 0)
    assert sum(found.known for found in split) == whole.known


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=6))
def test_pooled_rates_do_not_know_their_partners(pairs: list[tuple[int, int]]) -> None:
    """The rate of all is that of all their records, in whatever order and parts they come."""
    rows = [part(f"P{at}", min(pair), max(pair)) for at, pair in enumerate(pairs)]
    top, bottom = (sum(map(end, pairs)) for end in (min, max))
    assert one(rows).actual == (D(top) / D(bottom) if bottom else None)
    assert one(rows[::-1]).actual == one(rows).actual
