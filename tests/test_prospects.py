"""A running quarter against goals.md 6: pace from the past by name, the chance decides, too early, too little known."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
import tiny_workbook

from pbr_lib import ground, ingest, params, results
from pbr_lib.prospects import Prospects, at_start

PAUSES = "partner_id,goal,first_day,last_day,reason\nP4,,2026-07-01,2026-08-14,rebuild\n"
QUARTERS = [(year, 3 * number + 1) for year in (2024, 2025, 2026) for number in range(4)][2:10]
GOALS = tiny_workbook.GOALS.replace("pace: calendar_days", "pace: history")


def leads(partner: str, days: Sequence[str]) -> list[tiny_workbook.Row]:
    """Leads of a partner on those days."""
    return [tiny_workbook.lead(f"{partner}-{day}-{at}", partner, f"{day} 12:00:00") for at, day in enumerate(days)]


def past(partner: str, mean: int) -> list[tiny_workbook.Row]:
    """Some leads in each of the eight quarters before this one, most of them in its last month."""
    dice = random.Random(partner)
    days = []
    for year, month in QUARTERS:
        for _ in range(sum(dice.random() < mean / 12 for _ in range(12))):
            late = dice.random() < 0.7
            days.append(f"{year}-{month + 2 * late:02}-{dice.randint(1, 28):02}")
    return leads(partner, days)


def lay(root: Path, as_of: str = tiny_workbook.AS_OF, partners: int = 16) -> Prospects:
    """Partners P0, P1, ... with eight quarters of leads, and some of this one."""
    keys = [f"P{at}" for at in range(partners)]
    rows = [row for at, key in enumerate(keys) for row in past(key, 4 + at % 3)]
    rows += leads("P0", ["2026-07-20"] * 5) + leads("P1", ["2026-08-03"] * 3)
    people = [tiny_workbook.partner(key, tier="Gold", region="North") for key in keys]
    people += [tiny_workbook.partner("NEW", tier="Gold", region="North", joined_on="2026-08-03")]
    tiny_workbook.write(root, {"partners": people, "leads": rows}, GOALS)
    if partners > 4:
        tiny_workbook.put(root, "params/pauses.csv", PAUSES)
    for path in (root / "params" / "sources").glob("*.yaml"):
        path.write_text(path.read_text("utf-8").replace(f"as_of: {tiny_workbook.AS_OF}", f"as_of: {as_of}"), "utf-8")
    settings = params.read(root)
    return Prospects(ground.lay(settings, ingest.load(settings), settings.quarter("2026-Q3")))


@pytest.fixture(scope="module")
def ahead(tmp_path_factory: pytest.TempPathFactory) -> Prospects:
    """As of 4 September."""
    return lay(tmp_path_factory.mktemp("prospects"))


def result(ahead: Prospects, partner: str) -> results.Evaluated:
    """The goal of leads of one partner."""
    found = results.of_partner(ahead.ground, partner, ahead.ground.quarter, ahead)
    return next(each for each in found if each.result.key == "leads_q")


def test_pace_rests_on_the_past_and_says_so(ahead: Prospects) -> None:
    """By 4 September a good third of the last month's leads is usually there, far less than the days that passed."""
    one = result(ahead, "P2").result
    assert one.pace.basis.startswith("from ")
    assert "last 8 quarters" in one.pace.basis
    assert one.pace.share is not None
    assert one.pace.share < Decimal(repr(ahead.ground.quarter.elapsed(ahead.ground.as_of)))
    curve = ahead.curve("leads_q", "P2")
    assert curve is not None
    assert [float(a) <= float(b) for a, b in itertools.pairwise(curve)] == [True] * 91
    assert (len(curve), float(curve[-1])) == (92, 1)


def test_the_chance_decides_over_a_count(ahead: Prospects) -> None:
    """Met is certain; where a forecast speaks, the standing follows P(met) and not the pace."""
    assert result(ahead, "P0").result.p_met == 1
    assert result(ahead, "P0").result.standing == "on track"
    for partner in ("P1", "P2", "P3", "P5"):
        one = result(ahead, partner)
        assert one.result.p_met is not None
        assert one.result.judged_by == "probability"
        bands = one.goal.status
        likely, possible = one.result.p_met >= bands.likely_from, one.result.p_met >= bands.possible_from
        assert one.result.standing == ("on track" if likely else "at risk" if possible else "off track")


def test_who_joins_or_pauses_is_held_against_the_days_that_count(ahead: Prospects) -> None:
    """Of the days since 3 August, or since 15 August, a smaller share has passed than of the quarter."""
    whole = ahead.share("leads_q", "P3")
    new, paused = (ahead.share("leads_q", who) for who in ("NEW", "P4"))
    assert whole is not None
    assert new is not None
    assert paused is not None
    assert 0 < new.share < 1
    assert 0 < paused.share < 1
    assert result(ahead, "P4").result.instance.target.value == 3
    assert result(ahead, "NEW").result.instance.target.value == 3
    usual, rested = (ahead.outlook("leads_q", who) for who in ("P1", "P4"))
    assert usual is not None
    assert rested is not None
    assert rested.known


def test_a_level_is_not_forecast_and_says_why(ahead: Prospects) -> None:
    """It is read on the last day."""
    found = ahead.outlook("people_q", "P1")
    assert found is not None
    assert (found.known, found.p_met) == (False, None)
    assert "a level is not forecast" in found.reason
    assert ahead.share("people_q", "P1") is None


def test_fourteen_days_are_too_early(tmp_path: Path) -> None:
    """Whatever pace and chance say."""
    ahead = lay(tmp_path, "2026-07-10")
    assert result(ahead, "P1").result.standing == "too early"


def test_too_little_is_known_of_few_partners(tmp_path: Path) -> None:
    """Neither four quarters of one's own nor five peers: no forecast, and the reason."""
    ahead = lay(tmp_path, partners=3)
    found = ahead.outlook("leads_q", "NEW")
    assert found is not None
    assert not found.known
    assert (found.low, found.p_met) == (None, None)
    assert "not enough history" in found.reason or "no method beat" in found.reason
    assert result(ahead, "NEW").result.judged_by == "pace"


def test_a_quarter_that_is_over_has_no_prospects(tmp_path: Path) -> None:
    """There is nothing left to come."""
    ahead = lay(tmp_path, "2026-09-30")
    assert ahead.outlook("leads_q", "P1") is None
    assert ahead.share("leads_q", "P1") is None
    assert ahead.middle("leads_q", "P1") is None


def test_before_a_quarter_a_pause_takes_its_share(ahead: Prospects) -> None:
    """Half a quarter of rest, about half the leads."""
    found = at_start(ahead.ground, "new_leads", ahead.ground.quarter)
    at = ahead.ground.history("new_leads").row
    assert found.enough[at["P4"]]
    assert 0.3 < found.predictive.mean[at["P4"]] / found.predictive.mean[at["P1"]] < 0.7
