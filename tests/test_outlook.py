"""What partners are shown: a range with its ground, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pbr_lib import ground, ingest, outlook, params, results
from pbr_lib.contest import METHODS, OURS, RUN_RATE
from pbr_lib.definitions import Target
from pbr_lib.ground import Ground
from pbr_lib.outlook import Outlook
from pbr_lib.scores import Backtest

FORECAST = ("new_partner_leads", "partner_opportunity_pipeline", "sourced_revenue_won", "deal_registrations")


@pytest.fixture(scope="module")
def base(shared_workbook: Path) -> Ground:
    settings = params.read(shared_workbook)
    loaded = ingest.load(settings)
    return ground.lay(settings, loaded, settings.calendar.quarter_of(loaded.as_of))


@pytest.fixture(scope="module")
def shown(base: Ground) -> Callable[[str], dict[str, Outlook]]:
    """The outlooks of a metric, with the targets that count; each is made once."""
    made: dict[str, dict[str, Outlook]] = {}

    def of(metric: str) -> dict[str, Outlook]:
        if metric not in made:
            targets: dict[str, Target] = {}
            for partner in base.partners:
                for key, one in results.targets(base, partner, base.quarter).items():
                    if base.params.goals[key].metric == metric:
                        targets[partner] = one.instance.target
            made[metric] = outlook.outlooks(base, metric, targets)
        return made[metric]

    return of


@pytest.mark.parametrize("metric", FORECAST)
def test_a_range_with_its_ground(base: Ground, shown: Any, metric: str) -> None:
    """In order, never below what is there, with a chance, and words that say how far it can be trusted."""
    history = base.history(metric)
    now = dict(zip(history.partners, history.value[:, -1], strict=True))
    known = {partner: one for partner, one in shown(metric).items() if one.known}
    assert len(known) >= 10
    for partner, one in known.items():
        assert now[partner] - 1e-6 <= one.low <= one.mid <= one.high
        assert one.p_met is None or 0 <= one.p_met <= 1
        assert one.basis and not one.reason
        assert one.calibration.startswith(f"calibrated on {one.calibrated_on} partner-quarters: the 80 % range held ")


def test_the_first_example(shown: Any) -> None:
    """Three of five leads with eighteen business days to go: more likely than not, and far from certain."""
    one = shown("new_partner_leads")["P-001"]
    assert (one.low, one.high) == (4, 7)
    assert 0.5 < one.p_met < 0.8
    assert one.basis == "its last 8 quarters, drawn towards 10 other partners; pace of its own last 8 quarters"


def test_a_target_that_is_met_is_certain(base: Ground, shown: Any) -> None:
    """What is booked stays booked."""
    metric = "sourced_revenue_won"
    history = base.history(metric)
    booked = float(history.value[history.row["P-001"], -1])
    prospect = outlook.prospect(base, metric)
    found = prospect.outlooks({"P-001": Target.model_validate({"at_least": f"{booked:.2f}"})})
    assert found["P-001"].p_met == 1
    assert found["P-002"].p_met is None
    assert shown(metric)["P-001"].low >= booked - 1e-6


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("win_rate", "a rate is not forecast: it can go either way until the last day"),
        ("certified_people", "a level is not forecast: it is read on the last day"),
        ("customer_satisfaction", "an average is not forecast"),
    ],
)
def test_what_is_not_forecast_says_why(shown: Any, metric: str, why: str) -> None:
    """Rates, levels and averages."""
    for one in shown(metric).values():
        assert (one.low, one.mid, one.high, one.p_met, one.reason) == (None, None, None, None, why)
        assert not one.known


def test_a_quarter_that_is_over_is_not_forecast(base: Ground) -> None:
    """Its value is measured."""
    past = replace(base, quarter=base.quarter.shift(-1))
    assert outlook.prospect(past, "new_partner_leads").reason[0] == "the quarter is over"


def scored_as(best: str, held: float) -> Backtest:
    """A back-test in which one way came closest, with such a range."""
    rows = []
    for method in METHODS:
        miss = 1.0 if method == best else 50.0
        for at in range(100):
            actual = 100.0 if at < 100 * held else 79.0
            rows.append(["new_partner_leads", "2026-Q2", f"P-{at}", method, 80.0, 100 + miss, 200.0, actual])
    names = ["metric", "quarter", "partner_id", "method", "low", "middle", "high", "actual"]
    frame = pd.DataFrame(rows, columns=names).assign(p_met=np.nan, met=np.nan, at=0.5, scale=100.0)
    return Backtest(frame, {"new_partner_leads": "Leads"}, {}, "2026-09-04")


def test_a_simple_way_that_comes_closer_is_shown_by_its_name(base: Ground) -> None:
    """Then the basis says which way it is."""
    found = outlook.prospect(base, "new_partner_leads", scored_as(RUN_RATE, 0.85))
    assert found.method == RUN_RATE
    one = found.outlooks({})["P-001"]
    assert one.basis.startswith("run-rate: what is booked so far, at the same pace to the end; ")
    assert one.low >= 3
    assert outlook.prospect(base, "new_partner_leads", scored_as(OURS, 0.85)).method == OURS


def test_where_no_way_can_be_trusted_nothing_is_shown(base: Ground) -> None:
    """The reason gives the number of partner-quarters that it rests on."""
    found = outlook.outlooks(base, "new_partner_leads", {}, scored_as(RUN_RATE, 0.5))
    assert found["P-001"].reason == "no forecast: no method proved reliable on 100 past partner-quarters"


def test_the_same_ground_gives_the_same_outlook(base: Ground, shown: Any) -> None:
    """To the last figure."""
    for metric in FORECAST[:3]:
        again = outlook.outlooks(base, metric, {})
        assert {key: (one.low, one.mid, one.high) for key, one in again.items()} == {
            key: (one.low, one.mid, one.high) for key, one in shown(metric).items()
        }
