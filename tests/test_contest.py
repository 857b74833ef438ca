"""Ways of forecasting side by side: fair ranges for the simple ones, no look ahead, and scores that are proper."""

from __future__ import annotations

import numpy as np
import pytest
from forecast_world import deal_programme, lead_programme, quarters, told_later
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import contest, dealcast
from pbr_lib.calibration import as_they_are, covered
from pbr_lib.contest import METHODS, OURS, RUN_RATE, SEASONAL, Subject, pinballs, poisson_quantiles
from pbr_lib.predictive import pinball

WORLDS = {"leads": lead_programme, "deals": deal_programme}


def test_published_pinball_losses() -> None:
    """T40 (goals.md 11, source P134) and T41 (source P135)."""
    y = np.array([1.0, 2, 3])
    for q, level, loss in (
        ([0, 2, 3], 0.1, 1 / 30),
        ([0, 2, 3], 0.9, 0.3),
        ([1, 2, 4], 0.1, 0.3),
        ([1, 2, 4], 0.9, 1 / 30),
    ):
        assert pinball(y, np.array(q, float), level).mean() == pytest.approx(loss)
    y = np.array([3, -0.5, 2, 7, 2])
    low, middle, high = [1.25, 0, 1, 4, 0.625], [2.5, 0, 2, 8, 1.25], [3.75, 0, 3, 12, 1.875]
    for q, level, loss in ((low, 0.05, 0.16625), (middle, 0.5, 0.275), (high, 0.95, 0.09625)):
        assert pinball(y, np.array(q), level).mean() == pytest.approx(loss)


def test_the_loss_of_a_range_is_the_mean_of_its_three() -> None:
    """Low, middle and high end at 0.1, 0.5 and 0.9."""
    ranges, y = np.array([[1.0, 2, 4], [0, 0, 1]]), np.array([3.0, 0])
    assert pinballs(ranges, y).tolist() == pytest.approx([(0.2 + 0.5 + 0.1) / 3, 0.1 / 3])


@given(st.lists(st.floats(0, 600), min_size=1, max_size=8))
def test_poisson_quantiles_agree_with_scipy(means: list[float]) -> None:
    """The least counts whose probability reaches the level; a normal stands in for very large means."""
    from scipy import stats

    levels = np.array([0.1, 0.5, 0.9])
    found = poisson_quantiles(np.array(means), levels)
    wanted = stats.poisson.ppf(levels[None, :], np.array(means)[:, None])
    assert np.abs(found - np.maximum(wanted, 0)).max() <= (1 if max(means) > 400 else 0)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("elapsed", [0.25, 0.9])
def test_no_round_knows_its_future(world: str, elapsed: float) -> None:
    """Every way says the same of a quarter when everything after the day goes otherwise."""
    one: Subject = WORLDS[world]()
    at = 6
    quarter = one.history.quarters[at]
    as_of = dealcast.day_at(quarter, elapsed)
    before = contest.play(one, elapsed)
    known = [each for each in before if each.quarter.start < quarter.start]
    here = contest.round_of(one, quarter, as_of, known)
    there = contest.round_of(told_later(one, np.datetime64(as_of, "D")), quarter, as_of, known)
    correction = contest.taught(known)
    for method in METHODS:
        assert np.array_equal(here.ranges(method, correction), there.ranges(method, correction)), method
    assert not np.array_equal(here.actual, there.actual)


@pytest.mark.parametrize("world", WORLDS)
def test_ours_beats_the_simple_ways_and_holds_what_it_promises(world: str) -> None:
    """On programmes whose quarters fill late: less loss at every point, four of five within the range."""
    one: Subject = WORLDS[world]()
    for elapsed in (0.25, 0.5, 0.75):
        loss: dict[str, list[float]] = {method: [] for method in METHODS}
        held: list[bool] = []
        for one_round, correction in list(contest.rolled(contest.play(one, elapsed)))[2:]:
            y = one_round.actual[one_round.rows]
            for method in METHODS:
                ranges = one_round.ranges(method, correction if method == OURS else None)[one_round.rows]
                loss[method] += pinballs(ranges, y).tolist()
                if method == OURS:
                    held += covered(ranges[:, 0], ranges[:, 2], y).tolist()
        assert np.mean(loss[OURS]) < min(np.mean(loss[RUN_RATE]), np.mean(loss[SEASONAL])), elapsed
        assert 0.72 <= np.mean(held) <= 0.95, elapsed  # whole numbers hold more than they promise


@pytest.mark.parametrize("world", WORLDS)
def test_rounds_roll_on_and_stay_above_what_is_booked(world: str) -> None:
    """The first quarters only teach; ends are in order and never below what is there."""
    one: Subject = WORLDS[world]()
    rounds = contest.play(one, 0.5)
    assert [each.quarter.label for each in rounds] == [each.label for each in quarters()[2:8]]
    for each in rounds:
        for method in METHODS:
            ranges = each.ranges(method)
            assert (np.diff(ranges, axis=1) >= 0).all()
            assert (ranges[:, 0] >= each.booked - 1e-9).all()
    assert contest.taught([]) == as_they_are()
    assert contest.taught(rounds).cases == sum(len(each.rows) for each in rounds)


def test_simple_ways_are_what_they_are_called() -> None:
    """The run-rate goes on as it went; the other takes the same quarter of last year, or the last one."""
    one = lead_programme()
    quarter = one.history.quarters[-2]
    here = contest.round_of(one, quarter, dealcast.day_at(quarter, 0.5), [])
    elapsed = quarter.elapsed(here.as_of)
    assert here.points[RUN_RATE] == pytest.approx(here.booked / elapsed)
    assert here.points[SEASONAL].tolist() == one.history.value[:, 3].tolist()
    young = contest.round_of(one, one.history.quarters[2], one.history.quarters[2].start, [])
    assert young.points[SEASONAL].tolist() == one.history.value[:, 1].tolist()


def test_a_sample_forecasts_like_the_whole() -> None:
    """Some of the partners, numbered anew, keep their own history, bookings and deals."""
    one = deal_programme()
    rows = np.array([3, 7, 20])
    some = one.of_partners(rows, 50)
    assert some.history.partners == tuple(one.history.partners[at] for at in rows)
    assert np.array_equal(some.bookings.final(), one.bookings.final()[rows])
    assert some.deals is not None and one.deals is not None
    assert some.deals.amount.sum() == one.deals.amount[np.isin(one.deals.partner, rows)].sum()
