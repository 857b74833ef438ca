"""The grammar: what it accepts, what it refuses, and that every refusal names a remedy."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pbr_lib.definitions import (
    OPERATORS,
    AllOf,
    AnyOf,
    Compare,
    Goal,
    MetricsFile,
    Not,
    RatioMetric,
    SimpleMetric,
    Target,
    columns_of,
    day,
    number,
    parse_filter,
)
from pbr_lib.errors import parted
from pbr_lib.mapping import Source
from pbr_lib.metric_specs import UnitSpec

GOAL: dict[str, Any] = {
    "metric": "leads",
    "objective": "grow",
    "first_period": "2026-Q1",
    "target": {"at_least": 5},
    "owners": {"vendor": "Us", "partner": "Them"},
}
METRIC: dict[str, Any] = {
    "label": "Leads",
    "table": "leads",
    "aggregate": "count",
    "date": "created_at",
    "unit": {"kind": "count"},
}


def refused(error: pytest.ExceptionInfo[ValueError]) -> tuple[str, str]:
    """What a refusal says, and its remedy, which is never the stand-in for a missing one."""
    value = error.value
    if isinstance(value, ValidationError):
        value = value.errors()[0]["ctx"]["error"]
    what, fix = parted(value)
    assert fix != "correct it", str(value)
    return what, fix


# ---------------------------------------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        (None, AllOf()),
        ({}, AllOf()),
        ({"stage": "won"}, Compare("stage", "is", "won")),
        ({"stage": ["won", "lost"]}, Compare("stage", "in", ("won", "lost"))),
        ({"amount": {"gte": 5}}, Compare("amount", "gte", 5)),
        ({"amount": {"between": [1, 2]}}, Compare("amount", "between", (1, 2))),
        ({"owner": {"is_null": True}}, Compare("owner", "is_null", True)),
        ({"a": 1, "b": 2}, AllOf((Compare("a", "is", 1), Compare("b", "is", 2)))),
        ({"any_of": [{"a": 1}, {"b": 2}]}, AnyOf((Compare("a", "is", 1), Compare("b", "is", 2)))),
        ({"not": {"a": 1, "b": 2}}, Not(AllOf((Compare("a", "is", 1), Compare("b", "is", 2))))),
        ({"any_of": [{"a": 1, "b": 2}]}, AnyOf((AllOf((Compare("a", "is", 1), Compare("b", "is", 2))),))),
    ],
)
def test_filters_are_read_as_trees(written: Any, tree: Any) -> None:
    """Every written form of a filter has one tree, and a tree stays what it is."""
    assert parse_filter(written) == tree
    assert parse_filter(tree) == tree


@pytest.mark.parametrize(
    ("written", "what", "fix"),
    [
        ("stage is won", "no filter", "{column: value}"),
        (["won"], "no filter", "{column: value}"),
        ({"amount": {"gt": 1, "lt": 5}}, "exactly one operator", "between"),
        ({"amount": {}}, "got none", "between"),
        ({"amount": {"greater": 1}}, '"greater" is no operator', ""),
        ({"amount": {"gte": [1]}}, '"gte" takes one value', "in"),
        ({"amount": {"gte": {"x": 1}}}, '"gte" takes one value', "in"),
        ({"stage": {"in": "won"}}, '"in" takes a list', "[a, b]"),
        ({"stage": {"in": []}}, '"in" takes a list', "[a, b]"),
        ({"stage": []}, '"in" takes a list', "[a, b]"),
        ({"stage": [["won"]]}, '"in" takes a list of plain', "[a, b]"),
        ({"stage": {"not_in": [{"a": 1}]}}, '"not_in" takes a list of plain', "[a, b]"),
        ({"amount": {"between": [1]}}, '"between" takes', "[low, high]"),
        ({"amount": {"between": [1, 2, 3]}}, '"between" takes', "[low, high]"),
        ({"owner": {"is_null": "yes"}}, '"is_null" takes true or false', "is_null: true"),
        ({"any_of": {"a": 1}}, '"any_of" takes a list', "any_of: ["),
        ({"any_of": []}, '"any_of" takes a list', "any_of: ["),
        ({"all_of": [{"a": 1}, {}]}, '"all_of" takes a list', "all_of: ["),
        ({"all_of": ["a"]}, '"all_of" takes a list', "all_of: ["),
        ({"anyof": [{"a": 1}]}, '"anyof" is no group', 'did you mean "any_of"?'),
        ({"not": {}}, "no filter", "{column: value}"),
        ({"not": "won"}, "no filter", "{column: value}"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused_with_a_remedy(written: Any, what: str, fix: str) -> None:
    """A filter with a slip is refused in words, never read as another filter."""
    with pytest.raises(ValueError, match=r".") as caught:
        parse_filter(written)
    told = refused(caught)
    assert what in told[0]
    assert fix in told[1]


_VALUES = st.one_of(st.integers(), st.booleans(), st.text(max_size=5))
_LEAVES = st.dictionaries(st.sampled_from(["a", "b", "c"]), _VALUES, min_size=1, max_size=2)
_FILTERS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"any_of": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"all_of": st.lists(inner, min_size=1, max_size=3)}),
    ),
    max_leaves=8,
)


def _written_leaves(written: Any) -> int:
    if isinstance(written, list):
        return sum(map(_written_leaves, written))
    return sum(_written_leaves(value) if key in ("not", "any_of", "all_of") else 1 for key, value in written.items())


@given(_FILTERS)
def test_no_condition_of_a_filter_is_lost(written: dict[str, Any]) -> None:
    """However filters nest, the tree has as many leaves as were written."""
    assert len(list(columns_of(parse_filter(written)))) == _written_leaves(written)


def test_text_that_looks_like_code_is_a_value() -> None:
    """A value is compared and never evaluated, whatever it looks like."""
    code = "__import__('os').system('exit') -- ' OR 1=1"
    assert parse_filter({"stage": code}) == Compare("stage", "is", code)


# ---------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (5, "5"),
        (Decimal("0.85"), "0.85"),
        ("5", "5"),
        (" 10,000 ", "10000"),
        ("1,234,567.89", "1234567.89"),
        ("85 %", "0.85"),
        ("12.5%", "0.125"),
        ("-3", "-3"),
        ("007", "7"),
    ],
)
def test_numbers_as_people_write_them(written: Any, value: str) -> None:
    """Thousands, percentages and decimals are read exactly."""
    assert number(written) == Decimal(value)


@pytest.mark.parametrize(
    "written",
    ["", "five", "1.000,5", "10,00", "1 000", "$5", "5.", ".5", "1e3", "nan", "٣", True, None, [1], "5 %%",
     Decimal("nan"), Decimal("inf"), 10**15, "100000000000000"],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_an_example(written: Any) -> None:
    """What could be read in two ways, or cannot be read at all, is refused."""
    with pytest.raises(ValueError, match="write") as caught:
        number(written)
    assert refused(caught)


@given(st.decimals(-(10**10), 10**10, allow_nan=False, places=4))
def test_a_number_with_thousands_is_the_same_number(value: Decimal) -> None:
    """Writing a number with grouping signs, or as a percentage, changes nothing."""
    assert number(f"{value:,}") == value
    assert number(f"{value} %") == value / 100


@pytest.mark.parametrize("written", ["30.09.2026", "2026-9-30", "20260930", "2026-W40-1", "soon", "", 20260930, None])
def test_what_is_no_day_is_refused(written: Any) -> None:
    """Only year, month and day in that order are a day."""
    with pytest.raises(ValueError, match="2026-09-30") as caught:
        day(written)
    assert refused(caught)
    assert day("2026-09-30") == day(dt.date(2026, 9, 30)) == dt.date(2026, 9, 30)


# ----------------------------------------------------------------------------------- metrics and goals


def test_what_is_left_out_has_the_documented_default() -> None:
    """A metric and a goal say only what matters; the rest is as the reference says."""
    metric = SimpleMetric.model_validate(METRIC)
    assert (metric.better, metric.when_missing, metric.credit, metric.nature) == ("higher", "unknown", "full", "flow")
    goal = Goal.model_validate(GOAL)
    assert (goal.weight, goal.cap_attainment, goal.pace, goal.new_partner) == (1, Decimal("1.5"), "history", "prorate")
    assert (goal.renew.max_step_up, goal.renew.carry_shortfall, goal.renew.needs_approval) == (Decimal("0.25"), 0, True)


def test_a_ratio_is_known_by_its_type_or_by_its_parts() -> None:
    """A ratio is read as one, and one that forgot its type is told that, not that it lacks a table."""
    ratio = {"label": "Rate", "numerator": "aa", "denominator": "bb", "unit": {"kind": "percent"}}
    file = MetricsFile.model_validate({"pbr": 1, "metrics": {"rate": {"type": "ratio", **ratio}}})
    assert isinstance(file.metrics["rate"], RatioMetric)
    with pytest.raises(ValidationError) as caught:
        MetricsFile.model_validate({"pbr": 1, "metrics": {"rate": ratio}})
    assert [(error["type"], error["loc"][-1]) for error in caught.value.errors()] == [("missing", "type")]


def test_credit_is_the_credit_types_or_sourced_alone() -> None:
    """``sourced_only`` is a short way to say that only sourced credit counts."""
    split = SimpleMetric.model_validate({**METRIC, "credit": "sourced_only"})
    assert split.credits == ("sourced",)
    assert SimpleMetric.model_validate({**METRIC, "credit_type": ["resold"]}).credits == ("resold",)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"of": "lead_id"}, 'takes no "of"'),
        ({"aggregate": "sum"}, 'needs "of"'),
        ({"date": None}, 'needs "date"'),
        ({"nature": "level"}, 'needs "valid_from"'),
        ({"sum": "split", "credit": "full"}, '"sum" and "credit"'),
        ({"read_at": "start"}, "this is a flow"),
        ({"nature": "level", "valid_from": "created_at", "shift_quarters": 1}, "its own quarter"),
        ({"nature": "level", "valid_from": "created_at", "trailing_quarters": 4}, "read on one day"),
        ({"scope": "programme", "credit_type": ["sourced"]}, "needs no credit"),
        ({"scope": "programme", "late": False}, "needs no credit"),
    ],
)
def test_keys_of_a_metric_go_together(change: dict[str, Any], what: str) -> None:
    """A key that another one needs, or excludes, is asked for in words."""
    with pytest.raises(ValidationError) as caught:
        SimpleMetric.model_validate({**METRIC, **change})
    assert what in refused(caught)[0]


@pytest.mark.parametrize(
    "change",
    [
        {"trailing_quarters": 0},
        {"trailing_quarters": 13},
        {"shift_quarters": -1},
        {"snapshot": "yes"},
        {"credit_status": ["disputed"]},
        {"credit_status": []},
        {"credit_method": ["hearsay"]},
        {"sum": "weighted"},
        {"scope": "region"},
        {"maturity_days": -1},
        {"aggregate": "mean"},
    ],
)
def test_lists_of_the_grammar_are_closed(change: dict[str, Any]) -> None:
    """What is out of range, of another type or on no list is refused; disputed credit cannot be asked for (AT8)."""
    with pytest.raises(ValidationError):
        SimpleMetric.model_validate({**METRIC, **change})


def test_the_ways_to_add_up_have_two_spellings() -> None:
    """full is gross; nothing said is gross; the aggregates that add up are counts and sums."""
    ways = {"gross": {}, "split": {"credit": "split"}, "distinct": {"sum": "distinct"}}
    found = {way: SimpleMetric.model_validate({**METRIC, **keys}) for way, keys in ways.items()}
    assert {way: metric.way for way, metric in found.items()} == {way: way for way in ways}
    assert all(metric.additive for metric in found.values())
    assert not SimpleMetric.model_validate({**METRIC, "aggregate": "median", "of": "days_to_convert"}).additive


def test_a_ratio_takes_a_name_or_a_list_with_signs() -> None:
    """One name is a list of one; a name with a minus is taken off; each part is named once."""
    unit = UnitSpec(kind="percent")
    one = RatioMetric(type="ratio", label="r", numerator="won", denominator="closed", unit=unit)
    assert (one.numerator, one.denominator, one.parts) == (("won",), ("closed",), ("won", "closed"))
    several = RatioMetric(type="ratio", label="r", numerator=["won", "-lost"], denominator=["won", "lost"], unit=unit)
    assert several.parts == ("won", "lost")
    for wrong in ([], ["Won"], ["--won"], ["- won"], 5):
        with pytest.raises(ValidationError):
            RatioMetric(type="ratio", label="r", numerator=wrong, denominator="closed", unit=unit)
    for wrong in (0, -1, "much"):
        with pytest.raises(ValidationError):
            RatioMetric(type="ratio", label="r", numerator="a1", denominator="b1", unit=unit, scale=wrong)


def test_a_metrics_file_may_hold_nothing_but_what_it_uses() -> None:
    """``use`` takes all, one name or several; metrics of one's own are not needed then."""
    for given_, names in (("all", ("all",)), ("win_rate", ("win_rate",)), (["aa", "bb"], ("aa", "bb"))):
        assert MetricsFile.model_validate({"pbr": 1, "use": given_}).use == names
    with pytest.raises(ValidationError):
        MetricsFile.model_validate({"pbr": 1, "use": ["Win rate"]})


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"at_least": 5, "at_most": 7},
        {"between": [5, 5]},
        {"between": [7, 5]},
        {"between": [5, 7], "from": 1},
        {"done_by": dt.date(2026, 9, 30), "from": 1},
        {"at_least": 5, "from": 5},
        {"at_least": 5, "from": 9},
        {"at_most": 5, "from": 1},
        {"at_least": -5},
    ],
)
def test_a_target_without_a_meaning_is_refused(target: dict[str, Any]) -> None:
    """Two targets, none, an empty range, or a base that leaves attainment undefined are refused with a remedy."""
    with pytest.raises(ValidationError) as caught:
        Target.model_validate(target)
    assert refused(caught)


def test_a_target_knows_its_kind_and_number() -> None:
    """Each kind of target says which it is, and moving keeps kind and base."""
    target = Target.model_validate({"at_most": "10 %", "from": "30 %"})
    assert (target.kind, target.value) == ("at_most", Decimal("0.1"))
    assert target.moved_to(Decimal("0.2")) == Target.model_validate({"at_most": "0.2", "from": "0.3"})
    assert Target.model_validate({"done_by": "2026-09-30"}).value is None
    assert Target.model_validate({"between": ["80", "90"]}).kind == "between"


@pytest.mark.parametrize(
    "change",
    [
        {"renew": {"rule": "uplift"}},
        {"renew": {"rule": "blend", "floor": 5, "cap": 4}},
        {"status": {"green_from": "0.5", "amber_from": "0.8"}},
    ],
)
def test_rules_that_contradict_themselves_are_refused(change: dict[str, Any]) -> None:
    """A growth rule without growth, a floor above the cap, and bands out of order are refused with a remedy."""
    with pytest.raises(ValidationError) as caught:
        Goal.model_validate({**GOAL, **change})
    assert refused(caught)


def test_definitions_cannot_be_changed_or_extended() -> None:
    """What was read stays as it was read, and no key is taken that nobody knows."""
    goal = Goal.model_validate(GOAL)
    with pytest.raises(ValidationError):
        goal.weight = Decimal(2)  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Goal.model_validate({**GOAL, "wieght": 2})


def test_an_export_says_its_day_itself_or_is_told() -> None:
    """``as_of`` is a day, or where to find one."""
    source = {"pbr": 1, "file": "a.csv", "table": "leads", "covers_from": "2026-01-01", "columns": {"ID": "lead_id"}}
    assert Source.model_validate({**source, "as_of": "2026-09-30"}).as_of == dt.date(2026, 9, 30)
    found = Source.model_validate({**source, "as_of": {"find": "As of", "format": "%Y"}}).as_of
    assert not isinstance(found, dt.date)
    assert found.find == "As of"


def test_operators_are_a_closed_list() -> None:
    """Every operator is accepted with a fitting value, and nothing else is one."""
    fitting = {"in": [1], "not_in": [1], "between": [1, 2], "is_null": True}
    for op in OPERATORS:
        tree = parse_filter({"a": {op: fitting.get(op, 1)}})
        assert isinstance(tree, Compare)
        assert tree.op == op
