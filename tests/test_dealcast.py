"""The money forecast: its oracle, the measured odds, and what it must never do."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from forecast_world import CALENDAR, deal_programme, history, names, quarters, setting, told_later
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import dealcast
from pbr_lib.dealbook import UNKNOWN, Deals, Trail
from pbr_lib.predictive import Samples

Q3 = CALENDAR.parse("2026-Q3")
MIDDLE = dt.date(2026, 5, 15)


def test_the_published_pipeline() -> None:
    """T39 (goals.md 11, source B133): 100 at 80 %, 200 at 50 %, 150 at 30 % come to 225 on average."""
    draws = dealcast.simulate(np.array([100.0, 200.0, 150.0]), np.array([0.8, 0.5, 0.3]), seed=7, draws=40_000)
    final = Samples(draws[None, :])
    assert final.mean[0] == pytest.approx(225, abs=2.5)
    assert draws.std() == pytest.approx(127.77, abs=1.5)
    assert final.at_least(np.array([200.0]))[0] == pytest.approx(0.62, abs=0.01)
    assert final.at_least(np.array([225.0]))[0] == pytest.approx(0.55, abs=0.01)
    assert final.quantile(np.array([0.1, 0.5, 0.9]))[0].tolist() == [100, 250, 450]


@pytest.mark.parametrize(
    ("elapsed", "day"),
    [(0.0, "2026-06-30"), (0.5, "2026-08-14"), (1.0, "2026-09-30"), (1 / 66, "2026-07-01"), (0.9, "2026-09-22")],
)
def test_the_day_of_a_share_of_the_quarter(elapsed: float, day: str) -> None:
    """The first day at whose end that share has passed; nothing has passed before the first."""
    found = dealcast.day_at(Q3, elapsed)
    assert found == dt.date.fromisoformat(day)
    assert Q3.elapsed(found) >= elapsed


def deals(rows: list[tuple[str, str, bool, float]], partners: int = 1, stage: Trail | None = None) -> Deals:
    """Deals of the first partner, from made, closed (empty: open), won and amount."""
    made, closed, won, amount = zip(*rows, strict=True)
    days = np.array([each or "9999-12-31" for each in closed], "datetime64[D]")
    keys = np.array([f"D{at}" for at in range(len(rows))], object)
    who = np.zeros(len(rows), np.int64)
    made_on = np.array(made, "datetime64[D]")
    return Deals("revenue", names(partners), keys, who, made_on, days, np.array(won), np.array(amount, float), stage)


def test_odds_are_measured_and_smoothed() -> None:
    """Of three deals that were open at half of Q2, one was won in time: (1 + 1) / (3 + 2); later is not in time."""
    q2 = CALENDAR.parse("2026-Q2")
    book = deals(
        [
            ("2026-03-01", "2026-06-10", True, 1.0),
            ("2026-03-05", "2026-06-20", False, 1.0),
            ("2026-03-09", "2026-07-02", True, 1.0),
            ("2026-03-09", "2026-04-02", True, 1.0),  # was over by then
            ("2026-06-01", "2026-06-20", True, 1.0),  # was not yet made
        ]
    )
    found = dealcast.odds(book, [(q2, np.array([True]))], 0.5)
    assert (found.seen.tolist(), found.wins.tolist()) == ([3, 0], [1, 0])
    assert found.share.tolist() == [0.4, 0.4], "what was never seen is like all deals"
    assert dealcast.odds(book, [(q2, np.array([False]))], 0.5).share[0] == 0.5, "no evidence is even odds"


def test_odds_go_by_stage_where_it_is_known_as_then() -> None:
    """Two stages with odds of their own; where too few stages are known, ages are compared."""
    rows = [("2026-03-01", "2026-06-10", True, 1.0)] * 3 + [("2026-03-01", "2026-06-10", False, 1.0)] * 5
    empty = np.zeros(0, np.int64)
    now = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    stage = Trail(empty, empty.astype("datetime64[D]"), empty, empty, now)
    found = dealcast.odds(deals(rows, stage=stage), [(CALENDAR.parse("2026-Q2"), np.array([True]))], 0.5)
    assert found.by == ("stage",)
    assert found.share[[0, 2, -1]].tolist() == pytest.approx([4 / 5, 1 / 7, 4 / 10])
    some = replace(stage, now=np.array([0, 0, 0, 1, 1, 1, 1, UNKNOWN]))
    assert dealcast.odds(deals(rows, stage=some), [(CALENDAR.parse("2026-Q2"), np.array([True]))], 0.5).by == ("age",)
    ages = dealcast.odds(deals(rows), [(CALENDAR.parse("2026-Q2"), np.array([True]))], 0.5)
    assert ages.by == ("age",)


def test_odds_go_by_the_closing_day_that_was_expected_then() -> None:
    """Deals that were meant to close in the quarter, and deals that were not, have odds of their own."""
    rows = [("2026-03-01", "2026-06-10", True, 1.0)] * 4 + [("2026-03-01", "2026-07-20", True, 1.0)] * 4
    empty = np.zeros(0, np.int64)
    days = (np.array(["2026-06-30"] * 4 + ["2026-07-01"] * 4, "datetime64[D]")).astype(np.int64)
    book = replace(deals(rows), due=Trail(empty, empty.astype("datetime64[D]"), empty, empty, days))
    found = dealcast.odds(book, [(CALENDAR.parse("2026-Q2"), np.array([True]))], 0.5)
    assert found.by == ("expected closing day",)
    assert found.share[[1, 0]].tolist() == pytest.approx([5 / 6, 1 / 6])


def test_a_partner_that_wins_more_has_better_odds() -> None:
    """Own evidence moves the odds of all partners, and few deals move them little."""
    one = deal_programme()
    assert one.deals is not None
    past = [(quarter, np.ones(30, bool)) for quarter in one.history.quarters[:-1]]
    factor = dealcast.odds(one.deals, past, 0.5).factor
    better = replace(one.deals, won=one.deals.won | (one.deals.partner == 0))
    raised = dealcast.odds(better, past, 0.5).factor
    assert raised[0] > 1.3 > factor[0]
    assert np.abs(raised[1:] - factor[1:]).max() < 0.2


def test_the_same_data_draw_the_same_and_nobody_else_matters() -> None:
    """Two runs agree to the last figure, and the order of partners changes nothing."""
    one = deal_programme()
    assert one.deals is not None
    quarter = one.history.quarters[-2]
    first = dealcast.won(one.deals, one.bookings, one.history, setting(quarter, MIDDLE), 200)
    again = dealcast.won(one.deals, one.bookings, one.history, setting(quarter, MIDDLE), 200)
    assert np.array_equal(first.predictive.mean, again.predictive.mean)
    turned = one.of_partners(np.arange(30)[::-1], 200)
    assert turned.deals is not None
    other = dealcast.won(turned.deals, turned.bookings, turned.history, setting(quarter, MIDDLE), 200)
    assert other.predictive.mean[::-1] == pytest.approx(first.predictive.mean, rel=0.25)
    assert other.basis[::-1] == first.basis


@given(st.integers(0, 8), st.floats(0, 1), st.integers(0, 1000))
def test_never_below_what_is_booked(at: int, elapsed: float, seed: int) -> None:
    """What was won stays won, at any point of any quarter."""
    one = deal_programme(size=6, seed=seed, deals=12)
    assert one.deals is not None
    quarter = one.history.quarters[at]
    as_of = dealcast.day_at(quarter, elapsed)
    found = dealcast.won(one.deals, one.bookings, one.history, setting(quarter, as_of), 40)
    booked = one.bookings.by(quarter, as_of)[0]
    assert (found.predictive.quantile(np.array([0.001]))[:, 0] >= booked - 1e-6).all()
    assert (found.predictive.at_least(booked) == 1).all()


@pytest.mark.parametrize("elapsed", [0.0, 0.3, 0.9])
def test_nothing_later_than_the_day_is_used(elapsed: float) -> None:
    """Another future, the same forecast: how a deal ends after the day must not be known on it."""
    one = deal_programme()
    quarter = one.history.quarters[6]
    as_of = dealcast.day_at(quarter, elapsed)
    other = told_later(one, np.datetime64(as_of, "D"))
    found = []
    for each in (one, other):
        assert each.deals is not None
        found.append(dealcast.won(each.deals, each.bookings, each.history, setting(quarter, as_of), 100))
    levels = np.array([0.05, 0.5, 0.95])
    assert np.array_equal(found[0].predictive.quantile(levels), found[1].predictive.quantile(levels))
    assert found[0].basis == found[1].basis


def test_without_history_there_is_no_forecast() -> None:
    """Two closed quarters of one partner alone are not enough, and the reason says so."""
    one = deal_programme(size=1)
    assert one.deals is not None
    short = history(one.history.value[:, -3:], quarters(3))
    found = dealcast.won(one.deals, one.bookings, short, setting(short.quarters[-1], dt.date(2026, 8, 1)), 20)
    assert not found.enough.any()
    assert found.reason == ("not enough history: 2 closed quarters and no peers",)


def test_what_was_booked_must_be_known() -> None:
    """Where the quarter so far is unknown, so is its end; who is not in the programme has none."""
    one = deal_programme(size=8)
    assert one.deals is not None
    value = one.history.value.copy()
    value[3, -1] = np.nan
    one = replace(one, history=history(value, one.history.quarters))
    ended = np.full(8, np.datetime64("NaT"), "datetime64[D]")
    ended[5] = np.datetime64("2026-06-01")
    asked = replace(setting(one.history.quarters[-1], dt.date(2026, 8, 1)), ended=ended)
    found = dealcast.won(one.deals, one.bookings, one.history, asked, 20)
    assert found.reason[3] == "what was booked so far is not known"
    assert found.reason[5] == "not in the programme in 2026-Q3"
    assert found.enough.tolist() == [True] * 3 + [False, True, False, True, True]


def test_the_ground_is_told_in_words() -> None:
    """How many deals are open, what they are compared by, and what else may come."""
    one = deal_programme()
    assert one.deals is not None
    found = dealcast.won(
        one.deals, one.bookings, one.history, setting(one.history.quarters[-1], dt.date(2026, 8, 1)), 20
    )
    assert "open deals, won in time as often as deals of their age before; " in found.basis[0]
    assert found.basis[0].endswith("what came late in 8 past quarters")
