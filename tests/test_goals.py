"""Attainment, pace, status and score, beside the published numbers they must give (goals.md 5, 6 and 11)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import goals
from pbr_lib.definitions import Goal, RatioMetric, SimpleMetric, StatusBands, Target, UnitSpec
from pbr_lib.goals import Clock, Facts, Measured, PaceShare, Result
from pbr_lib.params import Instance
from pbr_lib.periods import Calendar, Quarter

D = Decimal
COUNT = UnitSpec(kind="count")
OWNERS = {"vendor": "us", "partner": "them"}
Q3 = Calendar().parse("2026-Q3")


def target(**facts: Any) -> Target:
    """A target; ``base`` stands for ``from``."""
    return Target.model_validate({("from" if key == "base" else key): value for key, value in facts.items()})


def flow(kind: str = "count", **more: Any) -> SimpleMetric:
    """A metric that grows day by day."""
    unit = UnitSpec(kind=kind, currency="USD") if kind == "money" else UnitSpec(kind=kind)
    facts = {"label": "m", "table": "leads", "aggregate": "count", "date": "created_at", "unit": unit}
    return SimpleMetric(**(facts | more))


LEVEL = flow(nature="level", valid_from="issued_on", date=None)
RATIO = RatioMetric(type="ratio", label="r", numerator="a_1", denominator="b_1", unit=UnitSpec(kind="percent"))


def goal(aim: Target, **more: Any) -> Goal:
    """A goal's definition."""
    facts = {"metric": "some_metric", "objective": "some_objective", "first_period": "2026-Q1", "owners": OWNERS}
    return Goal(**(facts | {"target": aim, "pace": "calendar_days"} | more))


def evaluate(aim: Target, actual: Any, as_of: str, metric: Any = None, **more: Any) -> Result:
    """A goal of 2026-Q3 with a target, as it stands on a day; ``more`` goes to goal, instance, measured and clock."""
    bounds = {key: more.pop(key) for key in ("stretch", "red_flag", "weight") if key in more}
    seen = {key: more.pop(key) for key in ("first_day", "in_progress") if key in more}
    shares = {key: more.pop(key) for key in ("share", "p_met") if key in more}
    clock = Clock(more.pop("quarter", Q3), dt.date.fromisoformat(as_of), since=more.pop("since", None))
    state = "unknown" if actual is None else "value"
    measured = Measured(state, None if actual is None else D(actual), 1, **seen)
    instance = Instance("P", "g", aim, **{key: None if v is None else D(v) for key, v in bounds.items()})
    return goals.evaluate("g", goal(aim, **more), metric or flow(), instance, Facts(measured, clock, **shares))


def attained(aim: Target, actual: Any, **more: Any) -> Decimal | None:
    """Attainment."""
    return goals.attainment(aim, None if actual is None else D(actual), **more)


# ------------------------------------------------------------------------------------------- oracles


def test_t20_quota_attainment() -> None:
    """T20 (V125): 75,000 of 100,000 is 75 %."""
    assert attained(target(at_least=100_000), 75_000) == D("0.75")


def test_t21_parent_attainment_is_the_ratio_of_sums() -> None:
    """T21 (P126): children 400/100 and 400/200 are 400 % and 200 %, their parent 800/300."""
    children = [(D(400), D(100)), (D(400), D(200))]
    assert [attained(target(at_least=t), a) for a, t in children] == [4, 2]
    parent = attained(target(at_least=sum(t for _, t in children)), sum(a for a, _ in children))
    assert parent is not None
    assert round(parent, 4) == D("2.6667")


def test_t22_linear_pace() -> None:
    """T22 (V68): goal 31 for 1 to 31 March, on 10 March 10 are to be expected."""
    clock = Clock(Calendar().parse("2026-Q1"), dt.date(2026, 3, 10), since=dt.date(2026, 3, 1))
    facts = Facts(Measured("value", D(10)), clock)
    result = goals.evaluate("g", goal(target(at_least=31)), flow(), Instance("P", "g", target(at_least=31)), facts)
    assert round(result.pace.expected or 0, 9) == 10
    assert result.standing == "too early"


def test_t23_pace_index_of_a_month() -> None:
    """T23 (V63): goal 30 in January, 18 done on 15 January: 124 % of an expected 14.516, on track either way."""
    clock = Clock(_OneMonth(Calendar(), 2026, 1), dt.date(2026, 1, 15))
    facts = Facts(Measured("value", D(18)), clock)
    result = goals.evaluate("g", goal(target(at_least=30)), flow(), Instance("P", "g", target(at_least=30)), facts)
    assert round(result.pace.expected or 0, 3) == D("14.516")
    assert round(result.pace.index or 0, 2) == D("1.24")
    assert result.standing == "on track"


def test_t24_bands_of_another_tool() -> None:
    """T24 (V63): from 99 % on track, from 81 % behind, below at risk; as bands of one's own they hold to the edge."""
    bands = StatusBands(green_from=D("0.99"), amber_from=D("0.81"))
    found = [goals.standing(D(index), bands) for index in ("0.99", "0.9899", "0.81", "0.8099")]
    assert found == ["on track", "at risk", "at risk", "off track"]


def test_t25_small_counts_are_judged_by_probability() -> None:
    """T25: three of five half way is 120 % of an even pace, and yet the chance is 0.63: on track, but barely."""
    half = {"quarter": _Even(Calendar(), 2026, 3)}
    found = evaluate(FIVE, 3, "2026-08-15", p_met=D("0.6329"), **half)
    assert found.pace.index == D("1.2")
    assert (found.standing, found.judged_by, found.p_met) == ("on track", "probability", D("0.6329"))
    assert evaluate(FIVE, 3, "2026-08-15", p_met=D("0.5999"), **half).standing == "at risk"


class _OneMonth(Quarter):
    """January alone, since the oracle's period is a month."""

    @property
    def end(self) -> dt.date:
        """The first of February."""
        return dt.date(2026, 2, 1)


def test_t26_key_result_with_and_without_base() -> None:
    """T26 (V61): from 10 to 20, 16 is 60 % and 22 is 120 %; without base 80 % and 110 %."""
    with_base, without = target(at_least=20, base=10), target(at_least=20)
    assert [attained(with_base, a) for a in (16, 22)] == [D("0.6"), D("1.2")]
    assert [attained(without, a) for a in (16, 22)] == [D("0.8"), D("1.1")]


def test_t27_a_ceiling_never_explodes() -> None:
    """T27 (V61, the product's own form): at most 15 gives 93.33 % for 16 and 100 % for 8, not 187.5 %."""
    aim = target(at_most=15)
    assert round(attained(aim, 16) or 0, 4) == D("0.9333")
    assert attained(aim, 8) == 1
    assert attained(aim, 18) == D("0.8")
    assert attained(aim, 31) == 0


def test_t28_weighted_score() -> None:
    """T28 (V128): 30, 30 and 40 % at weights 40, 20 and 40 make 34 %, whatever the weights add up to."""
    assert score([("0.3", 40), ("0.3", 20), ("0.4", 40)]).value == D("0.34")
    assert score([("0.3", 4), ("0.3", 2), ("0.4", 4)]).value == D("0.34")


def test_t31_attainment_of_large_numbers() -> None:
    """T31 (V20): target 11,010,101, remaining 3,670,033 is 66.67 %."""
    found = attained(target(at_least=11_010_101), 11_010_101 - 3_670_033)
    assert round((found or 0) * 100, 2) == D("66.67")


def test_t32_pooled_ratio() -> None:
    """T32 (B67): 88 % of 120 and 62 % of 880 make 65.12 %, not 75 %."""
    pooled = (D("0.88") * 120 + D("0.62") * 880) / (120 + 880)
    assert round(pooled, 4) == D("0.6512")
    assert attained(target(at_least="50 %"), pooled) == pooled / D("0.5")


def test_t37_proration_by_eligible_days() -> None:
    """T37 (B55), on a quarter: both ends count, so who joins on 1 September has 30 of 92 days; money to the cent."""
    clock = Clock(Q3, dt.date(2026, 9, 4), since=dt.date(2026, 9, 1))
    assert clock.eligible == D(30) / D(92)
    found = goals.resolve_target(goal(target(at_least=800_000)), flow("money"), clock)
    assert found == target(at_least=(D(800_000) * 30 / 92).quantize(D("0.01")))


# --------------------------------------------------------------------------- attainment, goals.md 5.1


@pytest.mark.parametrize(
    ("aim", "actual", "expected"),
    [
        (target(at_least=5), 3, "0.6"),
        (target(at_least=5), 0, "0"),
        (target(at_least=5), -5, "-1"),
        (target(at_least=5), 20, "4"),
        (target(at_least=80, base=40), 30, "-0.25"),
        (target(at_least=-5, base=-20), -10, "0.6666666666666666666666666667"),
        (target(at_most=80, base=96), 88, "0.5"),
        (target(at_most=80, base=96), 100, "-0.25"),
        (target(at_most=80, base=96), 72, "1.5"),
        (target(at_most=10), 10, "1"),
        (target(at_most=10), 12, "0.8"),
        (target(at_most=10), -3, "1"),
        (target(at_most=10), 500, "0"),
        (target(at_most=0), 0, None),
        (target(at_most=0), -2, None),
        (target(between=[80, 90]), 80, "1"),
        (target(between=[80, 90]), 90, "1"),
        (target(between=[80, 90]), 95, "0.5"),
        (target(between=[80, 90]), 75, "0.5"),
        (target(between=[80, 90]), 200, "0"),
        (target(at_least=0), 3, None),
        (target(at_least=0), -3, None),
        (target(at_most=0), 3, None),
        (target(at_least=5), None, None),
        (target(at_most=5), None, None),
        (target(between=[1, 2]), None, None),
        (target(done_by="2026-09-30"), None, None),
    ],
)
def test_attainment_of_every_kind_of_target(aim: Target, actual: Any, expected: str | None) -> None:
    """Each row and edge of goals.md 5.1; acceptance cases 8 and 9 are among them."""
    assert attained(aim, actual) == (None if expected is None else D(expected))


@pytest.mark.parametrize(("day", "expected"), [("2026-09-30", 1), ("2026-09-29", 1), ("2026-10-01", 0), (None, 0)])
def test_a_milestone_is_done_in_time_or_not(day: str | None, expected: int) -> None:
    """On or before its day is 1, later or never is 0."""
    first = None if day is None else dt.date.fromisoformat(day)
    assert attained(target(done_by="2026-09-30"), 1, first_day=first) == expected


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"at_least": 5, "from": 5}, "undefined"),
        ({"at_most": 5, "from": 5}, "undefined"),
        ({"at_least": -5}, 'a negative target needs "from"'),
        ({"at_most": -5}, 'a negative target needs "from"'),
        ({"at_least": 5, "from": 9}, '"from" lies'),
        ({"at_most": 9, "from": 5}, '"from" lies'),
        ({"between": [5, 5]}, "low end is not below"),
        ({"between": [5, 6], "from": 1}, "not with between"),
        ({"at_least": 1, "at_most": 2}, "exactly one"),
        ({}, "exactly one"),
    ],
)
def test_targets_that_have_no_attainment_are_refused(facts: dict[str, Any], message: str) -> None:
    """Acceptance case 9: target equal to its base, or on the wrong side of it, is refused with a message."""
    with pytest.raises(ValueError, match=message):
        Target.model_validate(facts)


numbers = st.decimals(min_value=-1000, max_value=1000, places=2)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """At least or at most, with and without base."""
    value, step = draw(numbers), draw(st.decimals(min_value="0.01", max_value=500, places=2))
    kind = draw(st.sampled_from(["at_least", "at_most"]))
    if draw(st.booleans()) or value < 0:
        return target(**{kind: value, "base": value - step if kind == "at_least" else value + step})
    return target(**{kind: value})


@given(targets(), numbers, numbers)
def test_attainment_grows_with_the_better_actual(aim: Target, one: Decimal, other: Decimal) -> None:
    """Property law (goals.md 12): attainment is monotone in the actual, in the better direction."""
    worse, better = sorted((one, other), reverse=aim.kind == "at_most")
    low, high = attained(aim, worse), attained(aim, better)
    if low is not None and high is not None:
        assert low <= high


@given(numbers, st.decimals(min_value="0.01", max_value=500, places=2), numbers, numbers)
def test_attainment_of_a_range_falls_with_the_distance(
    low: Decimal, width: Decimal, one: Decimal, other: Decimal
) -> None:
    """Nearer is never less; inside is always all."""
    aim = target(between=[low, low + width])
    near, far = sorted((one, other), key=lambda actual: max(low - actual, actual - low - width, D(0)))
    assert (attained(aim, near) or 0) >= (attained(aim, far) or 0)
    assert attained(aim, low + width / 2) == 1


@given(targets(), numbers)
def test_attainment_and_verdict_agree(aim: Target, actual: Decimal) -> None:
    """A target is met exactly when attainment, where it has a ratio, is at least 1."""
    found = attained(aim, actual)
    if found is not None:
        assert (found >= 1) == goals.is_met(aim, actual)


# ------------------------------------------------------------------------------- status, goals.md 5.2

FIVE = target(at_least=5)
TEN_K = target(at_least=10_000)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (5000, "on track"),
        (4999, "at risk"),
        (4000, "at risk"),
        (3999, "off track"),
        (0, "off track"),
        (None, "not measurable"),
    ],
)
def test_pace_index_decides_while_the_quarter_runs(actual: int | None, expected: str) -> None:
    """Half way, 5,000 of 10,000 is on track, from 80 % of it at risk, below off track, unknown not measurable."""
    assert evaluate(TEN_K, actual, "2026-08-15").standing == expected


def test_bands_can_be_set_for_a_goal() -> None:
    """A goal's own status bands replace the usual ones."""
    strict = StatusBands(green_from=D("1.2"), amber_from=D("1.1"))
    assert evaluate(TEN_K, 5500, "2026-08-15", status=strict).standing == "at risk"
    assert evaluate(TEN_K, 5499, "2026-08-15", status=strict).standing == "off track"


@pytest.mark.parametrize(("as_of", "expected"), [("2026-07-13", "too early"), ("2026-07-14", "off track")])
def test_the_first_fortnight_is_too_early(as_of: str, expected: str) -> None:
    """Before the fourteenth day nothing is said, neither praise nor alarm."""
    assert evaluate(TEN_K, 0, as_of).standing == expected
    assert evaluate(TEN_K, 20_000, "2026-07-13").standing == "too early"


def test_who_expects_less_than_one_says_nothing_unless_it_is_reached() -> None:
    """Of a target of 1, nothing so far is no news, but one is."""
    assert evaluate(target(at_least=1), 0, "2026-09-20").standing == "too early"
    assert evaluate(target(at_least=1), 1, "2026-09-20").standing == "on track"
    assert evaluate(target(at_least=-5, base=-20), "-19", "2026-09-13").standing == "off track"


def test_a_target_of_zero_is_met_or_not() -> None:
    """At least nothing has no ratio and no pace: it is on track as it stands, and met in the end."""
    running, over = evaluate(target(at_least=0), 3, "2026-08-15"), evaluate(target(at_least=0), 3, "2026-10-30")
    assert (running.attained, running.standing, over.standing) == (None, "on track", "met")
    assert evaluate(target(at_least=0), -3, "2026-10-30").standing == "missed"


def test_the_floor_of_a_paced_goal_grows_with_the_quarter() -> None:
    """Half way a red flag of 4 asks for 2; once the quarter is over it asks for 4."""
    half = {"quarter": _Even(Calendar(), 2026, 3), "red_flag": 4}
    assert evaluate(target(at_least=10), "1.9", "2026-08-15", **half).standing == "below floor"
    assert evaluate(target(at_least=10), "2.1", "2026-08-15", **half).standing == "off track"
    assert evaluate(target(at_least=10), "3.9", "2026-10-30", red_flag=4).standing == "below floor"
    assert evaluate(target(at_least=10), "4", "2026-10-30", red_flag=4).standing == "missed"


@pytest.mark.parametrize(
    ("chance", "expected"),
    [("0.6", "on track"), ("0.5999", "at risk"), ("0.3", "at risk"), ("0.2999", "off track"), ("0", "off track")],
)
def test_the_chance_of_a_count_decides(chance: str, expected: str) -> None:
    """Bands of 60 and 30 %, whatever the pace says; a goal may have its own."""
    assert evaluate(TEN_K, 9000, "2026-08-15", p_met=D(chance)).standing == expected
    strict = StatusBands(likely_from=D(1), possible_from=D(0))
    assert evaluate(TEN_K, 9000, "2026-08-15", p_met=D(chance), status=strict).standing == "at risk"


def test_a_ceiling_on_a_count_is_judged_by_its_chance_as_well() -> None:
    """Four tickets of at most six are within bounds today, and will hardly be at the end."""
    aim = target(at_most=6)
    assert evaluate(aim, 4, "2026-08-15").standing == "on track"
    assert evaluate(aim, 4, "2026-08-15", p_met=D("0.2")).standing == "off track"


@pytest.mark.parametrize("metric", ["money", "level", "ratio"])
def test_only_counts_that_grow_are_judged_by_their_chance(metric: str) -> None:
    """Money keeps its pace, levels and rates are held against their target; the chance is told all the same."""
    measured = {"money": flow("money"), "level": LEVEL, "ratio": RATIO}[metric]
    found = evaluate(FIVE, 5, "2026-08-15", measured, p_met=D("0.1"))
    assert (found.standing, found.judged_by, found.p_met) == ("on track", "pace", D("0.1"))


def test_a_chance_neither_hastens_nor_outlives_the_quarter() -> None:
    """It is too early for two weeks, unknown stays unknown, the floor holds, and in the end the result counts."""
    sure = {"p_met": D(1)}
    assert evaluate(TEN_K, 9000, "2026-07-13", **sure).standing == "too early"
    assert evaluate(TEN_K, None, "2026-08-15", **sure).standing == "not measurable"
    assert evaluate(TEN_K, 1, "2026-08-15", red_flag=9000, **sure).standing == "below floor"
    over = evaluate(TEN_K, 9000, "2026-12-01", **sure)
    assert (over.standing, over.judged_by) == ("missed", "result")


def test_pace_takes_the_past_where_it_is_known_and_asked_for() -> None:
    """A fifth is usually there by now: 2,000 of 10,000 is on track, and the basis is named."""
    past = PaceShare(D("0.2"), "from the last 8 quarters")
    found = evaluate(TEN_K, 2000, "2026-08-15", share=past, pace="history")
    assert (found.pace.expected, found.pace.index, found.pace.share) == (2000, 1, D("0.2"))
    assert (found.pace.basis, found.standing) == ("from the last 8 quarters", "on track")
    based = evaluate(target(at_least=200, base=100), 120, "2026-08-15", share=past, pace="history")
    assert (based.pace.expected, based.pace.index) == (120, 1)


def test_pace_falls_back_on_days_and_says_which() -> None:
    """Without a past business days, or calendar days where the goal asks for them, whatever else is known."""
    past = PaceShare(D("0.2"), "from the last 8 quarters")
    assert evaluate(TEN_K, 1, "2026-08-15", pace="history").pace.basis == "even pace over business days"
    assert evaluate(TEN_K, 1, "2026-08-15", pace="business_days", share=past).pace.basis.endswith("business days")
    calendar = evaluate(TEN_K, 1, "2026-08-15", pace="calendar_days", share=past)
    assert (calendar.pace.basis, calendar.pace.expected) == ("even pace over calendar days", 5000)


def test_nothing_expected_yet_has_no_index() -> None:
    """A share of nought divides nothing."""
    found = evaluate(TEN_K, 5, "2026-08-15", share=PaceShare(D(0), "from the last 8 quarters"), pace="history")
    assert (found.pace.index, found.pace.expected, found.standing) == (None, 0, "too early")


def test_what_is_in_progress_makes_reachable_and_never_actual() -> None:
    """Three of five and two under way: five can be reached, three are there."""
    found = evaluate(FIVE, 3, "2026-08-15", in_progress=D(2))
    assert (found.attained, found.reachable, found.reach, found.met) == (D("0.6"), 5, 1, False)
    for metric, aim in ((LEVEL, FIVE), (RATIO, FIVE), (flow(), target(at_most=5))):
        assert evaluate(aim, 3, "2026-08-15", metric, in_progress=D(2)).reachable is None
    assert evaluate(FIVE, 3, "2026-08-15").reachable is None
    assert evaluate(FIVE, None, "2026-08-15", in_progress=D(2)).reachable is None


@pytest.mark.parametrize(
    ("aim", "actual", "day", "met", "note"),
    [
        (target(done_by="2026-09-15"), 1, "2026-09-15", True, "done (15 Sep 2026, due 15 Sep 2026)"),
        (target(done_by="2026-09-15"), 1, "2026-09-16", False, "done, late (16 Sep 2026, due 15 Sep 2026)"),
        (target(done_by="2026-09-15"), 0, None, False, "not done, due 15 Sep 2026"),
        (target(done_by="2026-09-15"), None, None, None, ""),
        (target(at_least=0), 3, None, True, "met; a target of 0 has no percentage"),
        (target(at_most=0), 3, None, False, "not met; a target of 0 has no percentage"),
        (FIVE, 3, None, False, ""),
    ],
)
def test_what_a_percentage_does_not_say_is_noted(aim: Target, actual: Any, day: Any, met: Any, note: str) -> None:
    """Done late is told apart from not done, and a target of 0 from one that is missing."""
    seen = {} if day is None else {"first_day": dt.date.fromisoformat(day)}
    found = evaluate(aim, actual, "2026-12-01", **seen)
    assert (found.met, found.note) == (met, note)


class _Even(Quarter):
    """A quarter of which half has passed, whatever the day."""

    def elapsed(self, as_of: dt.date, since: dt.date | None = None, *, business: bool = True) -> float:
        """Half."""
        return 0.5


def test_the_floor_counts_from_the_base() -> None:
    """From 50 to 100 with a red flag of 70, half way the floor is 60, not 35."""
    half = {"quarter": _Even(Calendar(), 2026, 3), "red_flag": 70}
    assert evaluate(target(at_least=100, base=50), 59, "2026-08-15", **half).standing == "below floor"
    assert evaluate(target(at_least=100, base=50), 61, "2026-08-15", **half).standing == "off track"


def test_the_floor_of_a_ceiling_lies_above_it() -> None:
    """At most 10 with a red flag of 14: 15 is below floor, 13 is off track or missed."""
    aim = target(at_most=10)
    assert evaluate(aim, 15, "2026-08-15", red_flag=14).standing == "below floor"
    assert evaluate(aim, 13, "2026-08-15", red_flag=14).standing == "off track"
    assert evaluate(aim, 13, "2026-10-30", red_flag=14).standing == "missed"


@pytest.mark.parametrize(
    ("aim", "actual", "stretch", "expected"),
    [
        (FIVE, 7, 7, "exceeded"),
        (FIVE, 6, 7, "met"),
        (FIVE, 5, None, "met"),
        (FIVE, 500, None, "met"),
        (FIVE, 4, 7, "missed"),
        (FIVE, None, 7, "not measurable"),
        (target(at_most=10), 8, 8, "exceeded"),
        (target(at_most=10), 9, 8, "met"),
        (target(between=[1, 3]), 3, None, "met"),
        (target(between=[1, 3]), 4, None, "missed"),
    ],
)
def test_a_closed_quarter_says_exceeded_met_or_missed(aim: Target, actual: Any, stretch: Any, expected: str) -> None:
    """After close the result counts, no longer the pace; without a stretch nothing is exceeded."""
    assert evaluate(aim, actual, "2026-12-01", stretch=stretch).standing == expected


def test_a_milestone_alarms_only_after_its_day() -> None:
    """Not done before its day is too early to say, done is on track, not done on its day is off track or missed."""
    aim, done = target(done_by="2026-09-15"), {"first_day": dt.date(2026, 9, 1)}
    assert evaluate(aim, 0, "2026-09-14").standing == "too early"
    assert evaluate(aim, 0, "2026-09-15").standing == "off track"
    assert evaluate(aim, 1, "2026-09-14", **done).standing == "on track"
    assert evaluate(aim, 1, "2026-12-01", **done).standing == "met"
    assert evaluate(aim, 1, "2026-12-01", first_day=dt.date(2026, 9, 16)).standing == "missed"


def test_levels_and_ratios_are_held_against_the_target_as_it_stands() -> None:
    """Only flows are paced: 4 of 5 certified people is 80 % on any day, a mean is never half expected."""
    for metric in (LEVEL, RATIO, flow("number", aggregate="average", of="score")):
        result = evaluate(FIVE, 4, "2026-08-15", metric)
        assert (result.pace.expected, result.pace.share, result.pace.index) == (None, None, D("0.8"))
        assert result.standing == "at risk"


# --------------------------------------------------------------------------------------------- clocks


@pytest.mark.parametrize(
    ("as_of", "phase"),
    [
        ("2026-07-01", "running"),
        ("2026-09-29", "running"),
        ("2026-09-30", "closing"),
        ("2026-10-13", "closing"),
        ("2026-10-14", "final"),
    ],
)
def test_a_quarter_runs_closes_and_is_final(as_of: str, phase: str) -> None:
    """Figures are as at the end of the day; the tenth business day after the end makes them final."""
    assert Clock(Q3, dt.date.fromisoformat(as_of)).phase == phase


@pytest.mark.parametrize(
    ("label", "final"), [("2027-Q3", "2027-10-14"), ("2026-Q4", "2027-01-14"), ("2028-Q3", "2028-10-13")]
)
def test_the_close_lag_is_as_long_whatever_the_weekday(label: str, final: str) -> None:
    """Ten business days lie between the end and the final figures, whether it ends midweek or on a Saturday."""
    quarter, day = Calendar().parse(label), dt.date.fromisoformat(final)
    assert Clock(quarter, day).phase == "final"
    assert Clock(quarter, day - dt.timedelta(days=1)).phase == "closing"
    assert quarter.calendar.business_days(quarter.end, day + dt.timedelta(days=1)) == 10


def test_who_joins_within_the_quarter_is_paced_from_then() -> None:
    """Ten days after joining on 1 September a third of the target is due; and it is too early to say."""
    result = evaluate(target(at_least=30), 0, "2026-09-10", since=dt.date(2026, 9, 1))
    assert round(result.pace.expected or 0, 9) == 10
    assert result.standing == "too early"
    assert evaluate(target(at_least=30), 0, "2026-09-14", since=dt.date(2026, 9, 1)).standing == "off track"


# ------------------------------------------------------------------------------- targets of joiners


@pytest.mark.parametrize(
    ("aim", "metric", "more", "expected"),
    [
        (target(at_least=9), flow(), {}, 3),
        (target(at_least=5), flow(), {}, 2),
        (target(at_least=1), flow(), {}, 1),
        (target(at_least=9), flow(), {"new_partner": "full"}, 9),
        (target(at_least=9), flow(), {"new_partner": "skip_first"}, None),
        (target(at_least=9), LEVEL, {}, 9),
        (target(at_least="85 %"), RATIO, {}, "0.85"),
        (target(at_least=9), flow("number", aggregate="average", of="score"), {}, 9),
        (target(at_least=9), flow("number", aggregate="max", of="score"), {}, 9),
        (target(at_most=6), flow(), {}, 2),
        (target(at_least=0), flow(), {}, 0),
        (target(at_least=20, base=10), flow(), {}, 20),
    ],
)
def test_a_joiner_gets_a_part_of_what_adds_up(aim: Target, metric: Any, more: dict[str, Any], expected: Any) -> None:
    """Joining on 1 September leaves 30 of 92 days: counts half-up and at least 1; levels and rates stay whole."""
    clock = Clock(Q3, dt.date(2026, 9, 4), since=dt.date(2026, 9, 1))
    found = goals.resolve_target(goal(aim, **more), metric, clock)
    assert (found and found.value) == (None if expected is None else D(expected))


def test_stretch_and_red_flag_shrink_with_the_target() -> None:
    """A joiner's stretch is not the full quarter's."""
    clock = Clock(Q3, dt.date(2026, 9, 4), since=dt.date(2026, 9, 1))
    whole = goal(target(at_least=9), stretch=D(12), red_flag=D(6))
    part = goals.resolve_target(whole, flow(), clock)
    assert part is not None
    assert goals.resolve_bounds(whole, flow(), part) == (4, 2)
    assert goals.resolve_bounds(whole, flow(), whole.target) == (12, 6)


def test_others_get_the_whole_target() -> None:
    """Whoever is there from the first day on gets the target as it is written."""
    clock = Clock(Q3, dt.date(2026, 9, 4))
    for choice in ("prorate", "full", "skip_first"):
        assert goals.resolve_target(goal(FIVE, new_partner=choice), flow(), clock) == FIVE


# ---------------------------------------------------------------------------------------------- score


def score(rows: list[tuple[str | None, Any]], as_of: str = "2026-12-01", cap: str = "1.5") -> goals.Score:
    """The score of goals given as (attained, weight); None is not measurable."""
    aim, results = target(at_least=1000), []
    for share, weight in rows:
        actual = None if share is None else D(share) * 1000
        results.append((evaluate(aim, actual, as_of, weight=weight), goal(aim, cap_attainment=D(cap))))
    return goals.score(results, Clock(Q3, dt.date.fromisoformat(as_of)).phase)


def test_attainment_is_capped_and_floored_in_the_score_only() -> None:
    """400 % counts as 150 %, a negative one as nothing."""
    assert score([("4", 1), ("-2", 1)]).value == D("0.75")
    assert score([("4", 1), ("0", 1)], cap="2").value == 1


@pytest.mark.parametrize(("weights", "known"), [((6, 4), True), ((59, 41), False), ((1, 0), True)])
def test_no_score_below_sixty_percent_of_known_weight(weights: tuple[int, int], known: bool) -> None:
    """Known weight of 60 % gives a score, 59 % does not; a goal without weight is not missed."""
    found = score([("1", weights[0]), (None, weights[1])])
    assert (found.value is not None) == known
    assert (found.standing == "not measurable") != known


def test_the_score_says_how_much_it_rests_on() -> None:
    """Four of five goals and 80 % of the weight are named, never renormalised silently."""
    found = score([("1", 1), ("1", 1), ("1", 1), ("1", 1), (None, 1)])
    assert (found.known_goals, found.goals, found.known_weight) == (4, 5, D("0.8"))


def test_nothing_known_has_no_score() -> None:
    """Neither no goals nor only unknown ones make 0 %."""
    assert score([]).value is None
    assert score([(None, 1)]).value is None


def test_the_score_is_judged_by_pace_and_then_by_result() -> None:
    """Half way 50 % is on track; in the end 99 % is missed, even below a floor it is not judged before."""
    half = "2026-08-15"
    assert score([("0.5", 1)], half).standing == "on track"
    assert score([("0.45", 1)], half).standing == "at risk"
    assert score([("0.3", 1)], half).standing == "off track"
    assert score([("0.99", 1)]).standing == "missed"
    assert score([("1", 1)]).standing == "met"
    low = evaluate(TEN_K, 1, half, red_flag=9000)
    assert low.standing == "below floor"
    assert goals.score([(low, goal(TEN_K))]).standing == "off track"


def test_the_score_waits_as_long_as_its_goals() -> None:
    """When it is too early for every goal, it is too early for the whole."""
    assert score([("0", 1), ("0.5", 1)], "2026-07-03").standing == "too early"


def test_a_goal_that_has_no_percentage_is_neither_known_nor_missing() -> None:
    """At least 0 is met or not: it moves no mean and takes no weight from the rest."""
    five = (evaluate(FIVE, 5, "2026-12-01"), goal(FIVE))
    none = [(evaluate(target(**{kind: 0}), 9, "2026-12-01", weight=99), goal(FIVE)) for kind in ("at_least", "at_most")]
    found = goals.score([five, *none], "final")
    assert (found.value, found.known_goals, found.goals, found.left_out) == (1, 1, 1, 2)
    assert found.words == "based on 1 of 1 goal, 100 % of weight; 2 with a target of 0 are met or not, left out"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("1", 1), ("1", 1), ("1", 1), ("1", 1), (None, 1)], "based on 4 of 5 goals, 80 % of weight"),
        ([("1", 1)], "based on 1 of 1 goal, 100 % of weight"),
        ([("1", 59), (None, 41)], "no score: 1 of 2 goals known, 59 % of weight, and 60 % are needed"),
        ([("1", 596), (None, 404)], "no score: 1 of 2 goals known, 59.6 % of weight, and 60 % are needed"),
        ([("1", 0)], "no goal has both a weight and a percentage"),
        ([], "no goal has both a weight and a percentage"),
    ],
)
def test_a_score_has_its_basis_in_words(rows: list[Any], words: str) -> None:
    """How many goals, how much of the weight, and why there is none; 59.6 % is not rounded to the bound."""
    assert score(rows).words == words


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([], ""),
        ([1, 1, 1], ""),
        ([2, 1, 1], ""),
        ([30, 30, 40], ""),
        ([40, 20, 40], ""),
        ([30, 30, 60], "the weights add up to 120, not to 100; the score divides by their sum"),
        ([33, 33, 33], ""),
        ([0, 0], "no goal has a weight above 0, so there is no score"),
        ([2, -1], "a weight is below 0"),
    ],
)
def test_weights_are_checked(weights: list[int], words: str) -> None:
    """Their sum is above 0; those that look like percentages make 100 (one plan reads 30/30/40, its copy not)."""
    assert goals.weights_fault([D(weight) for weight in weights]) == words


@given(st.lists(st.tuples(st.one_of(st.none(), numbers), st.integers(0, 9)), max_size=6))
def test_a_score_lies_between_nothing_and_the_cap(rows: list[Any]) -> None:
    """Whatever is attained, with whatever weights."""
    found = score([(None if share is None else str(share), weight) for share, weight in rows])
    assert found.value is None or 0 <= found.value <= D("1.5")
    assert 0 <= found.known_goals <= found.goals
