"""Renewal: every worked example of its page, the edges, and the laws that must hold for any history (goals.md 4)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from pbr_lib.definitions import Goal, SimpleMetric, Target, UnitSpec, number
from pbr_lib.fiscal_weeks import FiscalWeeks
from pbr_lib.model import Unit
from pbr_lib.peers import PeerValue
from pbr_lib.periods import Calendar, Quarter
from pbr_lib.proration import Eligible, eligible
from pbr_lib.renewal.rounding import multiple, rounding_unit
from pbr_lib.renewal.rules import Past, Proposal, Step, propose

D = Decimal
Q4 = Calendar().parse("2026-Q4")
Q3 = Q4.shift(-1)
PAGE = Path(__file__).resolve().parent.parent / "docs/explanation/renewal.md"
JOINED = eligible(Q4, dt.date(2026, 11, 1))
EIGHT = PeerValue(D("6.5"), 8, "median of 8 partners")
RULES = ("same", "uplift", "rolling_average", "same_quarter_last_year", "blend", "peer", "manual")


def aim(**facts: Any) -> Target:
    """A target; ``base`` stands for ``from``."""
    return Target.model_validate({("from" if key == "base" else key): value for key, value in facts.items()})


def goal(target: Target, renew: dict[str, Any]) -> Goal:
    """A goal's definition."""
    owners = {"vendor": "us", "partner": "them"}
    facts = {"metric": "some_metric", "objective": "some_objective", "first_period": "2026-Q1", "owners": owners}
    return Goal(**facts, target=target, renew=renew)


def metric(kind: str = "count", level: bool = False) -> SimpleMetric:
    """A flow, or a level."""
    unit = UnitSpec(kind=kind, currency="USD") if kind == "money" else UnitSpec(kind=kind)
    when = {"nature": "level", "valid_from": "issued_on"} if level else {"date": "created_at"}
    return SimpleMetric(label="m", table="leads", aggregate="count", unit=unit, **when)


def past(*actuals: Any, quarter: Quarter = Q4, **more: Any) -> tuple[Past, ...]:
    """Earlier quarters, the latest first."""
    every = enumerate(actuals, 1)
    return tuple(Past(quarter.shift(-at), None if value is None else D(str(value)), **more) for at, value in every)


def step(target: Target, *actuals: Any, kind: str = "count", rule: str = "blend", **more: Any) -> Step:
    """A step to 2026-Q4; keys of ``Step`` go there, every other is one of ``renew``."""
    own = {key: more.pop(key) for key in list(more) if key in Step.__dataclass_fields__}
    facts = {"metric": metric(kind), "quarter": Q4, "past": past(*actuals), "last": target} | own
    return Step(goal(target, {"rule": rule} | more), **facts)


def value(*facts: Any, **more: Any) -> Decimal | None:
    """The number proposed."""
    target = propose(step(*facts, **more)).target
    return None if target is None else target.value


# ---------------------------------------------------------------------------------- the page's examples


def examples() -> Iterator[Any]:
    """Each row of the tables of examples; those of the second table are for a partner who joins."""
    _, _, text = PAGE.read_text("utf-8").partition("## Worked examples")
    part: Eligible | None = None
    for line in text.partition("\n## ")[0].splitlines():
        if line.startswith("A partner that joins on 1 November"):
            part = JOINED
        cells = re.split(r" \| ", line.strip("| "))
        if len(cells) == 5 and cells[0][:1].isdigit():
            yield pytest.param(*cells, part, id=cells[4][:60])


@pytest.mark.parametrize(("target", "kind", "renew", "actuals", "basis", "part"), list(examples()))
def test_examples_of_the_page(
    target: str, kind: str, renew: str, actuals: str, basis: str, part: Eligible | None
) -> None:
    """What the page says is what comes out, word for word."""
    known = [None if each == "-" else number(each) for each in actuals.split(", ")]
    rule = yaml.safe_load(renew.strip("`"))
    got = propose(step(aim(at_least=number(target)), *known, kind=kind, eligible=part, **rule))
    assert got.basis == basis


def test_the_page_has_examples() -> None:
    """None of them is lost for the way its row is written."""
    assert len(list(examples())) == 18


def test_t36_fifteen_percent_on_top() -> None:
    """T36 (B131): 100,000 + 15 % is 115,000."""
    assert value(aim(at_least=100_000), 0, kind="money", rule="uplift", by="15 %", round_to=1) == 115_000


# ------------------------------------------------------------------------------------------- the rules


def test_every_stage_is_written_down_in_order() -> None:
    """For people who ask how."""
    steps = propose(step(aim(at_least=5), 20)).steps
    names = ["last target", "rule", "growth", "carry", "step limit", "floor and cap", "proration", "rounding"]
    assert [each.name for each in steps] == names
    assert [each.value for each in steps] == [5, D("9.5"), D("9.5"), None, D("6.25"), D("6.25"), D("6.25"), 6]


def test_peers_give_the_target_of_a_new_partner() -> None:
    """The quantile of eight others, rounded within the step limit."""
    got = propose(step(aim(at_least=6), None, rule="peer", peers=EIGHT))
    assert got.basis == "median of 8 partners, 6.5 → 7"
    assert got.flags == ()


@pytest.mark.parametrize("peers", [None, PeerValue(D(9), 4, "median of 4 partners")])
def test_four_peers_are_none(peers: PeerValue | None) -> None:
    """Below five nothing is shown, and the target stays."""
    got = propose(step(aim(at_least=6), 9, rule="peer", peers=peers))
    assert got.target == aim(at_least=6)
    assert got.flags == ("peers too few",)
    assert "9" not in got.basis


def test_a_mean_of_what_is_known() -> None:
    """Two of four quarters are enough, one is not."""
    got = propose(step(aim(at_least=6), 7, None, None, 7, rule="rolling_average"))
    assert got.basis == "trailing-4 mean 7 → 7, 2 of 4 quarters are known"
    got = propose(step(aim(at_least=6), None, 9, None, None, rule="rolling_average"))
    assert got.basis == "same as 2026-Q3, as only 1 of the last 4 quarters is known"
    assert got.flags == ("missing actual",)


def test_last_year_is_not_known() -> None:
    """The quarter before is no substitute."""
    got = propose(step(aim(at_least=6), 9, 9, 9, rule="same_quarter_last_year"))
    assert got.basis == "same as 2026-Q3, as the actual of 2025-Q4 is not known"


@pytest.mark.parametrize(
    ("certainty", "basis"),
    [
        ("provisional", "blend of target 5 and actual 9 → 6, 2026-Q3 is provisional"),
        ("forecast", "blend of target 5 and forecast 9 → 6, 2026-Q3 is a forecast, not an actual"),
    ],
)
def test_what_is_not_final_is_said(certainty: Any, basis: str) -> None:
    """A proposal made before the quarter is over says what it rests on."""
    got = propose(step(aim(at_least=5), past=past(9, certainty=certainty)))
    assert got.basis == basis
    assert got.flags == (f"{certainty} actual",)


def test_without_a_last_target_the_definition_stands_in() -> None:
    """With its stretch and red flag."""
    definition = goal(aim(at_least=4), {"rule": "blend"}).model_copy(update={"stretch": D(6), "red_flag": D(2)})
    got = propose(Step(definition, metric(), Q4, past(8)))
    assert got.target is not None
    assert (got.target.value, got.stretch, got.red_flag) == (5, 8, 3)
    assert got.flags == ("target of the definition", "step limited")


def test_the_carried_part_is_dropped_a_quarter_later() -> None:
    """6 were 5 and 1 carried; the next target starts from 5 again."""
    got = propose(step(aim(at_least=6), 6, rule="same", carried=D(1), carry_shortfall="0.5"))
    assert got.target == aim(at_least=5)
    assert got.carried == 0
    assert "without the 1 carried over" in got.basis


def test_only_what_adds_up_is_carried() -> None:
    """A level that was missed is not made up for by a higher one."""
    got = propose(step(aim(at_least=6), 2, rule="same", metric=metric(level=True), carry_shortfall="0.5"))
    assert got.target == aim(at_least=6)
    assert got.flags == ()


def test_a_limit_that_was_exceeded_is_carried_downwards() -> None:
    """At most 8, 12 came: at most 6 next time."""
    assert value(aim(at_most=8), 12, rule="same", carry_shortfall="0.5") == 6


# --------------------------------------------------------------------------------- edges of the numbers


@pytest.mark.parametrize(
    ("target", "actual", "more", "expected"),
    [
        pytest.param(aim(at_least=1), 0, {}, 1, id="asked for less than half a unit"),
        pytest.param(aim(at_least=1), 0, {"weight_on_actual": 1}, 1, id="a goal of nothing is no goal"),
        pytest.param(aim(at_most=1), 0, {"weight_on_actual": 1}, 0, id="a limit may come down to nothing"),
        pytest.param(aim(at_least=2), 9, {}, 3, id="two may rise"),
        pytest.param(aim(at_least=2), 0, {}, 1, id="two may fall"),
        pytest.param(aim(at_least=6), 60, {}, 7, id="six rises by one"),
        pytest.param(aim(at_least=6), -60, {}, 5, id="six falls by one"),
        pytest.param(aim(at_least=0), 9, {}, 1, id="from nothing"),
        pytest.param(aim(at_least=2), 9, {"max_step_up": 0}, 2, id="no step up"),
        pytest.param(aim(at_least=2), 0, {"max_step_down": 0}, 2, id="no step down"),
        pytest.param(aim(at_least=7), 100, {"cap": 6}, 6, id="a cap stands"),
        pytest.param(aim(at_least=2), 0, {"floor": 4}, 4, id="a floor stands"),
        pytest.param(aim(at_least=5), 9, {"floor": "5.5", "cap": "5.8"}, 6, id="no multiple between floor and cap"),
        pytest.param(aim(at_most=80, base=96), 88, {}, 82, id="towards its base"),
        pytest.param(aim(at_most=80, base=82), 200, {}, 81, id="not past its base"),
        pytest.param(aim(at_least=80, base=79), 0, {}, 80, id="nor from above"),
        pytest.param(aim(at_least=-10, base=-20), -5, {}, -9, id="below zero"),
        pytest.param(aim(at_least=-10, base=-20), 0, {"rule": "uplift", "by": "10 %"}, -9, id="uplift below zero"),
        pytest.param(aim(at_least="5.5"), 9, {"rule": "same"}, D("5.5"), id="what stays keeps its digits"),
        pytest.param(aim(at_most=80), 0, {"rule": "uplift", "by": "-10 %"}, 72, id="a limit becomes tighter"),
        pytest.param(
            aim(at_least=3), 0, {"rule": "rolling_average", "past": past(2, 4, 4, quarter=Q4)}, 3, id="thirds"
        ),
    ],
)
def test_edges(target: Target, actual: int, more: dict[str, Any], expected: Any) -> None:
    """One rule, every corner."""
    assert value(target, actual, **more) == expected


def test_a_half_made_of_thirds_is_a_half() -> None:
    """The mean of 6, 7 and 7 × 1.125 is exactly 7.5, though 20/3 has no end."""
    assert value(aim(at_least=7), 6, 7, 7, rule="rolling_average", quarters=3, by="0.125") == 8


@pytest.mark.parametrize(
    ("unit", "size", "expected"),
    [
        (Unit("count"), 900, "1"),
        (Unit("percent"), "0.5", "0.01"),
        (Unit("percent", decimals=1), "0.5", "0.001"),
        (Unit("days"), 80, "1"),
        (Unit("number"), 4, "0.1"),
        (Unit("money", "USD"), 10_000, "500"),
        (Unit("money", "USD"), 9_999, "100"),
        (Unit("money", "USD"), 140_000, "5000"),
        (Unit("money", "USD"), 100, "5"),
        (Unit("money", "USD"), "0.1", "0.01"),
        (Unit("money", "JPY"), 3, "1"),
        (Unit("money", "USD"), 0, "1"),
    ],
)
def test_units_of_rounding(unit: Unit, size: Any, expected: str) -> None:
    """What suits what is counted, unless the goal says it."""
    assert str(rounding_unit(unit, None, D(size))) == expected
    assert rounding_unit(unit, D(7), D(size)) == 7


def test_stretch_and_red_flag_move_along() -> None:
    """In proportion, rounded alike, and each on its side."""
    got = propose(step(aim(at_least=10), 20, stretch=D(15), red_flag=D(5), weight_on_actual="0.2"))
    assert (got.stretch, got.red_flag) == (18, 6)
    got = propose(step(aim(at_least=2), 0, stretch=D(3), red_flag=D(1)))
    assert (got.stretch, got.red_flag) == (2, 0)
    got = propose(step(aim(at_most=80, base=96), 88, kind="days", stretch=D(72), red_flag=D(90)))
    assert (got.stretch, got.red_flag) == (75, 91)
    full = propose(step(aim(at_least="0.9"), "1", kind="percent", stretch=D("0.95"), weight_on_actual=1))
    assert full.target is not None
    assert (full.target.value, full.stretch) == (1, None)


# ------------------------------------------------------------------------------------- days and weeks


def test_figures_of_some_days_are_scaled_to_all() -> None:
    """Of 61 of 92 days 3 leads are 4.5 a quarter."""
    part = eligible(Q3, dt.date(2026, 8, 1))
    got = propose(step(aim(at_least=3), rule="same", past=past(3, eligible=part)))
    assert got.basis == "same as 2026-Q3: 4.5 (from 3 in 61 of 92 days) → 5"
    other = replace(
        step(aim(at_least=3), past=past(6, eligible=part)),
        goal=goal(aim(at_least=9), {"rule": "blend", "weight_on_actual": 1}),
    )
    assert propose(other).basis == (
        "blend of target 4.5 (from 3 in 61 of 92 days) and actual 9.0 (from 6 in 61 of 92 days) → 5, "
        "step limited to +25 %"
    )
    assert propose(other).flags == ("scaled to a whole quarter", "step limited")


def test_the_whole_target_comes_back_after_a_part() -> None:
    """3 for 61 days of 5 a quarter was rounded; the next whole quarter has 5 again."""
    part = eligible(Q3, dt.date(2026, 8, 1))
    facts = replace(step(aim(at_least=3), past=past(3, eligible=part)), goal=goal(aim(at_least=5), {"rule": "same"}))
    assert propose(facts).target == aim(at_least=5)


def test_a_few_days_say_nothing() -> None:
    """Thirteen days are no quarter."""
    part = eligible(Q3, dt.date(2026, 9, 18))
    assert part.days == 13
    got = propose(step(aim(at_least=1), past=past(5, eligible=part)))
    assert "missing actual" in got.flags


def test_levels_are_not_prorated() -> None:
    """Six certified people are six on any day."""
    got = propose(step(aim(at_least=6), 6, rule="same", metric=metric(level=True), eligible=JOINED))
    assert got.target == aim(at_least=6)
    assert got.flags == ()


def test_a_few_days_of_a_small_target_are_at_least_one() -> None:
    """Three days of one lead are one."""
    part = eligible(Q4, dt.date(2026, 12, 29))
    assert value(aim(at_least=1), 1, rule="same", eligible=part) == 1
    assert value(aim(at_least=10_000), 1, kind="money", rule="same", round_to=500, eligible=part) == 330


def test_who_takes_no_part_has_no_target() -> None:
    """No day counts."""
    got = propose(step(aim(at_least=5), 5, eligible=eligible(Q4, ended=dt.date(2026, 9, 30))))
    assert got.target is None
    assert got.flags == ("not taking part",)
    assert got.basis == "no target: 0 of 92 days: ended on 30 Sep 2026"


RETAIL = Calendar(label="fiscal", label_year="start", weeks=FiscalWeeks("4-5-4", 1, 5, "nearest", 4))


def test_a_year_of_53_weeks_is_scaled() -> None:
    """The retail year 2023 took a 53rd week into its last quarter; a year later there are 13."""
    quarter = RETAIL.parse("FY24-Q4")
    then = quarter.shift(-4)
    assert (quarter.weeks, then.weeks) == (13, 14)
    facts = step(aim(at_least=130), rule="same_quarter_last_year", quarter=quarter)
    got = propose(replace(facts, past=past(None, None, None, 140, quarter=quarter)))
    words = "13 weeks are compared with 14: last year's figure is scaled by 13/14"
    assert got.basis == f"FY23-Q4 130 → 130, {words}"


def test_a_target_of_14_weeks_becomes_one_of_13() -> None:
    """And says so."""
    quarter = RETAIL.parse("FY24-Q1")
    facts = step(aim(at_least=140), rule="same", quarter=quarter)
    got = propose(replace(facts, past=past(150, quarter=quarter)))
    assert got.basis == "same as FY23-Q4: 130, 13 weeks follow 14: figures of FY23-Q4 are scaled by 13/14"


# --------------------------------------------------------------------------------- bands and milestones


def test_a_band_is_kept() -> None:
    """Whatever the rule."""
    got = propose(step(aim(between=["80 %", "90 %"]), "0.5", kind="percent", eligible=JOINED))
    assert got.target == aim(between=["80 %", "90 %"])
    assert got.basis == "same as 2026-Q3, 80 % to 90 %"


@pytest.mark.parametrize(
    ("due", "again"),
    [
        ("2026-09-15", "2026-12-16"),
        ("2026-09-30", "2026-12-31"),
        ("2026-06-30", "2026-12-31"),
        ("2026-07-01", "2026-10-01"),
        ("2026-11-11", "2026-11-11"),
    ],
)
def test_a_milestone_that_is_not_done_is_due_again(due: str, again: str) -> None:
    """On the same day of the quarter, its last for the last, and not before a day that is still to come."""
    got = propose(step(aim(done_by=due), 0))
    assert got.target == aim(done_by=again)


def test_a_milestone_that_is_done_is_not_renewed() -> None:
    """It is done."""
    got = propose(step(aim(done_by="2026-09-15"), past=past(1, first_day=dt.date(2026, 9, 4))))
    assert (got.target, got.basis, got.flags) == (None, "done on 4 Sep 2026", ("done",))


def test_a_milestone_nobody_knows_of_is_renewed_with_a_flag() -> None:
    """Not known is not done, and not *not done* either."""
    got = propose(step(aim(done_by="2026-09-15"), None))
    assert got.target == aim(done_by="2026-12-16")
    assert got.flags == ("missing actual",)


# ------------------------------------------------------------------------------------------------ laws

NUMBERS = st.integers(0, 4000).map(lambda n: D(n) / 4)
ACTUALS = st.lists(st.none() | st.integers(-50, 4000).map(lambda n: D(n) / 4), max_size=8)
SHARES = st.sampled_from([D(0), D("0.1"), D("0.25"), D(1)])
LIMITS = st.none() | NUMBERS


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Any goal with a numeric target, with any history."""
    kind = draw(st.sampled_from(["count", "money", "days", "number", "percent"]))
    low, high = draw(LIMITS), draw(LIMITS)
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    renew = {
        "rule": draw(st.sampled_from(RULES)),
        "by": draw(st.sampled_from([D("-0.1"), D("0.1"), D("0.15"), D(3)])),
        "weight_on_actual": draw(SHARES),
        "max_step_up": draw(SHARES),
        "max_step_down": draw(SHARES),
        "carry_shortfall": draw(st.sampled_from([D(0), D("0.5")])),
        "floor": low,
        "cap": high,
        "round_to": draw(st.sampled_from([None, D(1), D("0.5"), D(3), D(500)])),
    }
    number_, way = draw(NUMBERS), draw(st.sampled_from(["at_least", "at_most"]))
    base = draw(st.none() | NUMBERS)
    assume(base is None or (number_ > base if way == "at_least" else number_ < base))
    days = draw(st.sampled_from([92, 92, 92, 61, 7]))
    target = aim(**{way: number_}, base=base)
    return Step(
        goal(target, renew),
        metric(kind, draw(st.booleans())),
        Q4,
        past(*draw(ACTUALS)),
        target,
        draw(LIMITS),
        draw(LIMITS),
        eligible=Eligible(days, 92, "" if days == 92 else f"{days} of 92 days: joined"),
        peers=draw(st.none() | NUMBERS.map(lambda value: PeerValue(value, 7, "median of 7 partners"))),
    )


def unit_of(one: Step, target: Decimal | None = None) -> Decimal:
    """The unit of rounding of a whole quarter; that of a target, if one is given, which is finer for a few days."""
    start = (one.last.value if one.last else None) or next((p.actual for p in one.past if p.actual), D(0))
    unit = rounding_unit(one.metric.unit.unit, one.goal.renew.round_to, start)
    return min(unit, rounding_unit(one.metric.unit.unit, None, target)) if target and 0 < target < unit else unit


def proposed(one: Step) -> tuple[Proposal, Decimal, Decimal]:
    """The proposal, its number, and the number of the last target."""
    got = propose(one)
    assert got.target is not None and got.target.value is not None
    assert one.last is not None and one.last.value is not None
    return got, got.target.value, one.last.value


@given(steps())
def test_a_proposal_is_always_a_target(one: Step) -> None:
    """It passes every check of a target written by hand, is a number, and the same facts give it again."""
    got, number_, _ = proposed(one)
    assert number_.is_finite()
    again = Target.model_validate({one.goal.target.kind: number_, "from": one.goal.target.base})
    assert again == got.target
    assert propose(one) == got
    assert got.basis
    assert "E" not in str(number_)


@given(steps())
def test_a_proposal_stays_within_step_floor_and_cap(one: Step) -> None:
    """Whatever came, the target moves no further than the step limit or one unit; floor and cap stand beyond it."""
    got, number_, last = proposed(one)
    assume("base" not in got.flags)
    renew, part = one.goal.renew, one.eligible
    assert part is not None
    share = part.share if "prorated" in got.flags else D(1)
    unit = unit_of(one, number_)
    up, down = (
        max(limit * last, unit_of(one)) if limit else D(0) for limit in (renew.max_step_up, renew.max_step_down)
    )
    floor = D(-9999) if renew.floor is None else renew.floor
    cap = D(9999) if renew.cap is None else renew.cap
    if one.metric.unit.kind == "percent" and all((each.actual or 0) <= 1 for each in one.past) and last <= 1:
        # A share that was never above 100 % has a cap of its own.
        cap = cap if renew.cap is not None else max(floor, D(1))
    # Floor and cap first, and of them what the step limit allows.
    widest = [(min(max(last - down, floor), cap), max(min(last + up, cap), floor)), (floor, cap)]
    for low, high in ((low * share, high * share) for low, high in widest):
        if number_ == last or low <= number_ <= high:
            return
        # Beyond them only where no multiple lies within, or none but zero.
        assert multiple(high, unit, ROUND_FLOOR) < low or multiple(high, unit, ROUND_FLOOR) <= 0
    assert low - unit <= number_ <= high + unit


@given(steps())
def test_rounding_is_exact(one: Step) -> None:
    """A number that moved is a whole multiple of its unit, unless a base stands in the way."""
    _, number_, last = proposed(one)
    assume(number_ != last and one.goal.target.base is None)
    assert number_ % unit_of(one, number_) == 0


@given(st.integers(1, 400), st.integers(0, 400), SHARES, SHARES)
def test_up_and_down_are_alike(last: int, gap: int, weight: Decimal, limit: Decimal) -> None:
    """A beat moves a target as far up as an equal miss moves it down, before rounding."""

    def moved(actual: int) -> Decimal:
        facts = step(
            aim(at_least=last), actual, weight_on_actual=weight, max_step_up=limit, max_step_down=limit, floor=-999
        )
        limited = next(each for each in propose(facts).steps if each.name == "step limit")
        assert limited.value is not None
        return limited.value - last

    assert moved(last + gap) == -moved(last - gap)


@given(st.integers(1, 400), st.sampled_from(["blend", "rolling_average", "same_quarter_last_year", "peer"]), SHARES)
def test_what_is_not_known_is_never_zero(last: int, rule: str, weight: Decimal) -> None:
    """Without any actual a rule that needs one leaves the target where it is, and says so."""
    got = propose(step(aim(at_least=last), None, None, None, None, rule=rule, by="0.1", weight_on_actual=weight))
    assert got.target == aim(at_least=last)
    assert got.flags == (("peers too few",) if rule == "peer" else ("missing actual",))
