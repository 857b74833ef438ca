"""Roll-ups as people read them: a table, lines for a terminal, JSON, and what may leave the house."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import goals
from pbr_lib.definitions import Goal, Target
from pbr_lib.model import Unit
from pbr_lib.rollup import tables
from pbr_lib.rollup.portfolio import Group, RollUp

D = Decimal
USD = Unit("money", "USD")
LABELS = {"sales": "Sourced revenue won", "rate": "Win rate"}


def target(**facts: Any) -> Target:
    """A target; ``base`` stands for ``from``."""
    return Target.model_validate({("from" if key == "base" else key): value for key, value in facts.items()})


def goal(metric: str, name: str = "") -> Goal:
    """A definition with a name."""
    facts = {"metric": metric, "name": name, "objective": "grow", "first_period": "2026-Q1"}
    return Goal.model_validate(facts | {"target": {"at_least": 1}, "owners": {"vendor": "us", "partner": "them"}})


GOALS = {"sales_q": goal("sales", "Win {target} of revenue"), "rate_q": goal("rate", "Win more often")}


def rolled(known: int = 9, partners: int = 12, kind: str = "all", name: str = "all", **more: Any) -> RollUp:
    """A line of nine of twelve partners, unless said otherwise."""
    label = "All partners" if kind == "all" else name
    facts: dict[str, Any] = {"actual": D(120_000), "target": target(at_least=160_000), "attained": D("0.75")}
    facts |= {"target_share": D("0.81"), "median": D("0.6"), "met": 3, "judged": known}
    group = Group(kind, name, label, frozenset())
    return RollUp(group, "sales_q", "sales", "2026-Q3", USD, partners, known, **(facts | more))


def cells(*lines: RollUp) -> list[dict[str, str]]:
    """The printed cells by column key."""
    table = tables.roll_table(lines, GOALS, LABELS)
    keys = [column.key for column in table.columns]
    return [{key: str(cell) for key, cell in zip(keys, row, strict=True)} for row in table.rows]


def test_a_line_has_everything_that_a_reader_needs() -> None:
    """How many, how far, in sum and in the middle, and on what it rests."""
    (row,) = cells(rolled(gross=D(180_000), remarks=("sum of partners $180,000; each deal once $120,000",)))
    wanted = ("goal", "group", "partners", "measured", "actual", "target", "attained", "median", "share_met", "remark")
    assert [row[key] for key in wanted] == [
        "Sourced revenue won",
        "All partners",
        "12",
        "9",
        "$120,000",
        "$160,000",
        "75 %",
        "60 %",
        "33 %",
        "based on 9 of 12 partners, 81 % of target; sum of partners $180,000; each deal once $120,000",
    ]
    assert (row["gross"], row["kind"], row["key"]) == ("$180,000", "all", "sales_q")


def test_what_is_not_known_is_no_number() -> None:
    """Blanks and a sentence, neither 0 nor 0 %."""
    (row,) = cells(rolled(0, actual=None, attained=None, median=None, met=0, target_share=None))
    assert {row[key] for key in ("actual", "attained", "median", "share_met")} == {"None"}
    assert row["remark"] == "nothing is known of any partner"


@pytest.mark.parametrize(
    ("aim", "words"),
    [
        (target(at_least=160_000), "$160,000"),
        (target(at_most=160_000), "at most $160,000"),
        (target(at_most=80, base=96), "from $96 to $80"),
        (target(between=[1000, 2000]), "$1,000 to $2,000"),
        (target(done_by="2026-09-15"), "by 15 Sep 2026"),
    ],
)
def test_every_kind_of_target_has_words(aim: Target, words: str) -> None:
    """Ceilings, bases, ranges and days."""
    assert cells(rolled(target=aim))[0]["target"] == words


def test_a_goal_of_many_is_not_called_by_one_target() -> None:
    """A name that holds a partner's own target gives way to the metric's label."""
    (row,) = cells(rolled())
    assert row["goal"] == "Sourced revenue won"
    other = RollUp(Group("all", "all", "All partners", frozenset()), "rate_q", "rate", "2026-Q3", Unit("percent"), 3)
    assert cells(other)[0]["goal"] == "Win more often"


def test_lines_read_as_sentences() -> None:
    """For a terminal, one line each."""
    first, second, third, fourth = tables.lines(
        [
            rolled(),
            rolled(12, kind="tier", name="Gold", target_share=D(1)),
            rolled(3, 3, actual=None, attained=None, target=None, remarks=("not added up: different units (a, b)",)),
            rolled(3, 3, actual=None, attained=D("0.5"), target=None, remarks=("1 of 2 partners done in time",)),
        ],
        GOALS,
        LABELS,
    )
    assert first == (
        "Sourced revenue won, All partners: $120,000 against $160,000 (75 %), median 60 %, 3 of 9 met, "
        "based on 9 of 12 partners, 81 % of target"
    )
    assert second == "Sourced revenue won, tier: Gold: $120,000 against $160,000 (75 %), median 60 %, 3 of 12 met"
    assert third.endswith("All partners: median 60 %, 3 of 3 met, not added up: different units (a, b)")
    assert ": 50 % done, " in fourth


def test_json_is_plain_and_exact() -> None:
    """Numbers are text, nothing is a float, and a second reading gives the same."""
    score = goals.Weighted(D("0.34"), 3, 4, D("0.8"))
    found = tables.as_json([rolled(actual=D("120000.10"))], score)
    assert json.loads(json.dumps(found)) == found
    (line,) = found["rollups"]
    assert (line["actual"], line["target"]["value"], line["group"]["label"]) == ("120000.1", "160000", "All partners")
    assert found["score"]["words"] == "based on 3 of 4 goals, 80 % of weight"
    assert tables.as_json([rolled(target=None)])["rollups"][0]["target"] is None
    assert tables.as_json([rolled(target=target(done_by="2026-09-15"))])["rollups"][0]["target"]["due"]


def test_text_of_params_and_exports_stays_text() -> None:
    """A tier that looks like markup or a formula is shown as it is, and escaped where it is HTML."""
    odd = "<script>=1+1 & *x*"
    table = tables.roll_table([rolled(kind="tier", name=odd)], GOALS, LABELS)
    assert "<script>" not in table.html()
    assert f"tier: {odd}" in table.plain()
    assert table.frame["group"].to_list() == [f"tier: {odd}"]


# --------------------------------------------------------------------------------------- who may read


def shown(lines: Sequence[RollUp], least: int = 5) -> list[str]:
    """The names of the groups that may leave."""
    return [one.group.name for one in tables.outside(lines, least)]


def test_small_groups_stay_in_the_house() -> None:
    """Three partners in the south are left out, label and all; of six and twelve partners one may tell."""
    sizes = {"north": 12, "south": 3, "west": 6, "east": 2}
    assert shown([rolled(size, size, "region", name) for name, size in sizes.items()]) == ["north", "west"]


def test_a_total_less_what_is_shown_tells_nothing() -> None:
    """Were only the south of three left out, all less north and west would be the south."""
    total = rolled(21, 21)
    sizes = {"north": 12, "south": 3, "west": 6}
    lines = [total, *(rolled(size, size, "region", name) for name, size in sizes.items())]
    assert shown(lines) == ["all", "north"]


def test_groups_that_name_partners_stay_in_the_house() -> None:
    """Whatever their size."""
    assert shown([rolled(9, 9, "name", "Partner A"), rolled(9, 9, "partner_id", "P-1")]) == []
    assert shown([rolled(4, 4)]) == []


def test_what_is_unknown_does_not_hide_the_known() -> None:
    """Of twelve partners two are known: their sum is theirs, and stays."""
    assert shown([rolled(2, 12, "tier", "Gold"), rolled(9, 12, "tier", "Silver")]) == []


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(1, 8))
def test_nothing_small_can_be_worked_out(sizes: list[int], least: int) -> None:
    """Each group shown is large, and so is everything together that is not shown."""
    lines = [rolled(size, size, "region", f"r{at}") for at, size in enumerate(sizes)]
    left = tables.outside(lines, least)
    hidden = sum(sizes) - sum(one.known for one in left)
    assert all(one.known >= least for one in left)
    assert hidden == 0 or hidden >= least or not left
