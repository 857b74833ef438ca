"""The one ground: where a quarter stands for a partner, who takes part, which days rest, what is within reach."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
import tiny_workbook

from pbr_lib import goals, ground, ingest, params, results
from pbr_lib.errors import UnknownQuarter
from pbr_lib.ground import Ground

D = Decimal
PAUSES = """partner_id,goal,first_day,last_day,reason
P,,2026-07-01,2026-07-31,rebuild
P,leads_q,2026-07-20,2026-08-15,a pause of one goal
R,,2026-06-01,2026-10-31,all of it
"""
PEOPLE = {
    "A": {},
    "J": {"joined_on": "2026-08-01"},
    "L": {"ended_on": "2026-07-31"},
    "P": {},
    "R": {},
    "G": {"ended_on": "2026-06-30"},
    "N": {"joined_on": "2026-10-01"},
}


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Partners who are there throughout, join, leave, pause, rest, have left, are yet to come."""
    root = tmp_path_factory.mktemp("ground")
    partners = [tiny_workbook.partner(key, **more) for key, more in sorted(PEOPLE.items())]
    tiny_workbook.write(root, tiny_workbook.usual() | {"partners": partners})
    tiny_workbook.put(root, "params/pauses.csv", PAUSES)
    settings = params.read(root)
    return ground.lay(settings, ingest.load(settings), settings.quarter("2026-Q3"))


@pytest.mark.parametrize(
    ("partner", "key", "days", "age"),
    [
        ("A", "leads_q", 92, 66),
        ("J", "leads_q", 61, 35),
        ("L", "leads_q", 31, 31),
        ("P", "revenue_q", 61, 35),
        ("P", "leads_q", 46, 20),
        ("R", "leads_q", 0, 0),
        ("G", "leads_q", 0, 0),
        ("N", "leads_q", 0, 0),
    ],
)
def test_which_days_count(standing: Ground, partner: str, key: str, days: int, age: int) -> None:
    """Both ends are inclusive; a goal's own pause counts as well as one of all goals, shared days once."""
    clock = standing.clock(partner, standing.quarter, key)
    assert (clock.days, clock.age) == (days, age)
    assert clock.eligible == D(days) / 92
    assert 0 <= clock.elapsed(business=True) <= 1
    assert clock.elapsed(business=False) == (0 if not days else pytest.approx(D(age) / D(days)))


def test_a_clock_stands_still_while_a_goal_rests(standing: Ground) -> None:
    """As of a day within the pause as much has passed as on the day before it."""
    clock = standing.clock("P", standing.quarter, "revenue_q")
    assert clock.elapsed(business=False) > 0
    quiet = type(clock)(clock.quarter, dt.date(2026, 7, 20), clock.final_after, clock.since, clock.counted)
    assert (quiet.age, quiet.elapsed(business=True)) == (0, 0)


@pytest.mark.parametrize(
    ("partner", "target"), [("A", 5), ("J", 3), ("L", 2), ("P", 3), ("R", None), ("G", None), ("N", None)]
)
def test_the_definition_gives_the_share_of_the_days_that_count(
    standing: Ground, partner: str, target: int | None
) -> None:
    """Five leads for the whole quarter: 61, 31 and 46 of 92 days make 3, 2 and 3; no day, no target."""
    found = results.targets(standing, partner, standing.quarter)
    assert ("leads_q" in found) == (target is not None)
    if target is not None:
        assert found["leads_q"].instance.target.value == target
        assert found["people_q"].instance.target.value == 2


def test_joining_may_take_nothing_away_and_a_pause_still_does(standing: Ground) -> None:
    """``full`` and ``skip_first`` speak of joining alone."""
    definition = standing.params.goals["leads_q"]
    metric = standing.params.metrics["new_leads"]
    full, skip = (definition.model_copy(update={"new_partner": way}) for way in ("full", "skip_first"))

    def given(goal: object, partner: str) -> Decimal | None:
        clock = standing.clock(partner, standing.quarter, "leads_q")
        target = goals.resolve_target(goal, metric, clock)  # type: ignore[arg-type]
        return None if target is None else target.value

    assert [given(full, who) for who in "AJLP"] == [5, 5, 2, 3]
    assert [given(skip, who) for who in "AJLP"] == [5, None, 2, 3]


def test_who_takes_part(standing: Ground) -> None:
    """On any day of the quarter; who has left or is yet to come has no goal."""
    assert [who for who in PEOPLE if standing.takes_part(who, standing.quarter)] == ["A", "J", "L", "P", "R"]
    assert results.of_partner(standing, "G", standing.quarter) == ()


def test_a_quarter_of_a_pause_is_no_whole_one(standing: Ground) -> None:
    """Neither renewals by peers nor forecasts learn from it; pauses that overlap are one."""
    at = standing.history("new_leads").row
    assert standing.resting("new_leads") == (
        (at["P"], dt.date(2026, 7, 1), dt.date(2026, 8, 15)),
        (at["R"], dt.date(2026, 6, 1), dt.date(2026, 10, 31)),
    )
    assert standing.resting("revenue_won")[0] == (at["P"], dt.date(2026, 7, 1), dt.date(2026, 7, 31))
    member = standing.history("new_leads").member
    last = standing.history("new_leads").column["2026-Q2"]
    assert (member[at["A"], last], member[at["R"], last], member[at["P"], last]) == (True, False, True)


def test_what_is_within_reach(standing: Ground) -> None:
    """The exports begin on 1 July 2024 and end on 4 September 2026."""
    settings, loaded = standing.params, standing.loaded
    ground.must_reach(settings, loaded, settings.quarter("2027-Q1"))
    for label, begun in (("2024-Q2", False), ("2026-Q4", True)):
        with pytest.raises(UnknownQuarter) as told:
            ground.must_reach(settings, loaded, settings.quarter(label), begun)
        assert told.value.fix == "choose one of 2024-Q3 to 2026-Q3"


def test_only_metrics_that_somebody_asks_for_are_measured(standing: Ground, tmp_path: Path) -> None:
    """Those of goals and of the workbook itself, with the parts of ratios."""
    assert set(ground.asked(standing.params)) == {"new_leads", "revenue_won", "influenced_won", "people"}
    assert len(ground.back(standing.quarter)) == ground.DEPTH + 1
    assert ground.back(standing.quarter)[-1] == standing.quarter
