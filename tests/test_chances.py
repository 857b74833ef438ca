"""Distributions of what may come, held against published and derived numbers and against draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import chances
from pbr_lib.chances import Amounts, BetaBinomial, GammaPoisson, Peers, StudentT
from pbr_lib.predictive import pinball

LEVELS = np.array([0.1, 0.5, 0.9])


def one(*numbers: float) -> np.ndarray:
    """One partner, or a few."""
    return np.array(numbers, np.float64)


def alone(shape: float, rate: float, elapsed: float, booked: float) -> GammaPoisson:
    """A count of one partner."""
    return GammaPoisson(one(shape), one(rate), one(elapsed), one(1 - elapsed), one(booked))


# ---------------------------------------------------------------------------------------------- oracles


def test_three_leads_at_half_time() -> None:
    """T25 (goals.md 11; conjugate form as R's poisBayes): prior Gamma(4, 1), x = 3, F = 0.5."""
    count = alone(4, 1, 0.5, 3)
    assert count.mean - 3 == pytest.approx(2.333, abs=5e-4)
    assert count.variance == pytest.approx(3.111, abs=5e-4)
    assert count.quantile(LEVELS).tolist() == [[3, 5, 8]]
    assert count.at_least(one(5)) == pytest.approx(0.6329, abs=5e-5)


def test_the_worked_example_of_a_stretch_goal() -> None:
    """goals.md 3.3: own quarters 2, 3, 1, 4, 3, 2, 4, 3, peers' mean 3.0 worth four quarters, target 5."""
    found = chances.rates(np.array([[2, 3, 1, 4, 3, 2, 4, 3.0]]), prior=(12, 4))
    assert (found.shape[0], found.mean[0]) == (34, pytest.approx(34 / 12))
    count = found.final(one(0), one(1), one(0))
    likely = [float(count.at_least(one(target))[0]) for target in (5, 4, 3)]
    assert likely == pytest.approx([0.165, 0.317, 0.531], abs=5e-4)
    assert count.quantile(np.array([0.5, 0.75, 0.9, 0.95])).tolist() == [[3, 4, 5, 6]]


HITS = ".400 .378 .356 .333 .311 .311 .289 .267 .244 .244 .222 .222 .222 .222 .222 .200 .178 .156"
LATER = ".346 .298 .276 .222 .273 .270 .263 .210 .269 .230 .264 .256 .303 .264 .226 .285 .316 .200"


def test_averages_drawn_together_miss_less() -> None:
    """T42 (Efron and Morris 1977, as goals.md cites it): 18 players, 45 times at bat, against later averages.

    The rule of James and Stein gives 0.0213 against 0.0754; shares drawn together by moments come as close.
    """
    first, later = one(*map(float, HITS.split())), one(*map(float, LATER.split()))
    middle = first.mean()
    factor = 1 - (len(first) - 3) * (middle * (1 - middle) / 45) / ((first - middle) ** 2).sum()
    stein = middle + factor * (first - middle)
    assert (round(middle, 4), round(factor, 3), round(stein[0], 3)) == (0.2654, 0.212, 0.294)
    assert ((first - later) ** 2).sum() == pytest.approx(0.0754, abs=5e-5)
    assert ((stein - later) ** 2).sum() == pytest.approx(0.0213, abs=5e-5)
    ours, peers = chances.shares(np.rint(first * 45)[:, None] / 45, np.full((18, 1), 45))
    assert peers.tolist() == [17] * 18
    assert ((ours.mean - later) ** 2).sum() < 0.025


@pytest.mark.parametrize(
    ("quantile", "level", "loss"),
    [([0, 2, 3], 0.1, 0.0333), ([0, 2, 3], 0.9, 0.3), ([1, 2, 4], 0.1, 0.3), ([1, 2, 4], 0.9, 0.0333)],
)
def test_the_loss_of_quantiles(quantile: list[float], level: float, loss: float) -> None:
    """T40 (scikit-learn, mean_pinball_loss): y = 1, 2, 3."""
    assert pinball(one(1, 2, 3), one(*quantile), level).mean() == pytest.approx(loss, abs=5e-5)


@pytest.mark.parametrize(
    ("quantile", "level", "loss"),
    [
        ([1.25, 0, 1, 4, 0.625], 0.05, 0.16625),
        ([2.5, 0, 2, 8, 1.25], 0.5, 0.275),
        ([3.75, 0, 3, 12, 1.875], 0.95, 0.09625),
    ],
)
def test_the_loss_of_quantiles_with_negative_values(quantile: list[float], level: float, loss: float) -> None:
    """T41 (sktime, PinballLoss): y = 3, -0.5, 2, 7, 2."""
    assert pinball(one(3, -0.5, 2, 7, 2), one(*quantile), level).mean() == pytest.approx(loss)


# ----------------------------------------------------------------------------------------------- counts


def test_counts_are_the_negative_binomial_of_scipy() -> None:
    """Quantiles found by halving are those of scipy.stats, small and large."""
    from scipy import stats

    dice = np.random.default_rng(5)
    shape, rate = dice.uniform(0.05, 60, 300), np.exp(dice.uniform(-6, 3, 300))
    count = GammaPoisson(shape, rate, np.zeros(300), np.ones(300), np.zeros(300))
    levels = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
    p = rate / (rate + 1)
    assert (count.quantile(levels) == stats.nbinom.ppf(levels[None], shape[:, None], p[:, None])).all()
    assert count.at_least(np.full(300, 4.0)) == pytest.approx(stats.nbinom.sf(3, shape, p), abs=1e-9)


@given(st.floats(0.05, 200), st.floats(0.001, 50), st.floats(0, 1), st.integers(0, 60), st.integers(0, 90))
def test_laws_of_counts(shape: float, rate: float, elapsed: float, booked: int, target: int) -> None:
    """Never below what is booked; at least and at most share out one; quantiles rise and agree with both."""
    count = alone(shape, rate, elapsed, booked)
    quantiles = count.quantile(np.array([0.05, 0.5, 0.95]))[0]
    assert booked <= quantiles[0] <= quantiles[1] <= quantiles[2]
    assert count.at_least(one(target)) + count.at_most(one(target - 1)) == pytest.approx(1, abs=1e-9)
    assert count.at_most(one(quantiles[1]))[0] >= 0.5 - 1e-9
    assert count.at_most(one(quantiles[1] - 1))[0] < 0.5 + 1e-9
    assert count.at_least(one(target))[0] >= count.at_least(one(target + 1))[0]


def test_a_quarter_that_is_over_is_certain() -> None:
    """When nothing is left, what is booked is final."""
    count = alone(4, 1, 1.0, 3)
    assert count.quantile(LEVELS).tolist() == [[3, 3, 3]]
    assert (count.at_least(one(3))[0], count.at_least(one(4))[0], count.at_most(one(2))[0]) == (1, 0, 0)


def test_without_dispersion_the_limit_is_poisson() -> None:
    """Counts that scatter no more than Poisson are given the least dispersion, and Poisson's chances."""
    dice = np.random.default_rng(2)
    found = chances.rates(dice.poisson(4.0, (300, 12)).astype(float))
    assert found.alpha < 0.01
    many = chances.rates(np.full((1, 4000), 4.0))
    count = many.final(one(0), one(1), one(0))
    assert count.at_least(one(1)) == pytest.approx(1 - np.exp(-4), abs=1e-3)


def test_dispersion_and_means_are_found_again() -> None:
    """Of 2,000 partners over twelve quarters the moments give back what they were drawn with."""
    dice = np.random.default_rng(7)
    mean = dice.gamma(1.5, 2.0, 2000)
    values = dice.poisson(dice.gamma(1 / 0.4, 0.4 * mean[:, None], (2000, 12))).astype(float)
    found = chances.rates(values)
    assert found.alpha == pytest.approx(0.4, abs=0.05)
    own, drawn = ((values.mean(axis=1) - mean) ** 2).mean(), ((found.mean - mean) ** 2).mean()
    assert drawn < own
    fresh = dice.poisson(dice.gamma(1 / 0.4, 0.4 * mean))
    low, _, high = found.final(np.zeros(2000), np.ones(2000), np.zeros(2000)).quantile(LEVELS).T
    assert 0.8 <= ((fresh >= low) & (fresh <= high)).mean() <= 0.95


def test_a_partner_without_quarters_has_its_peers_mean() -> None:
    """Peers are the narrowest group with enough others; without any, all partners."""
    values = np.array([[2.0, 2], [2, 2], [2, 2], [8, 8], [8, 8], [8, 8], [np.nan, np.nan]])
    group = np.array([0, 0, 0, 1, 1, 1, 1])
    near = chances.rates(values, Peers((group,), 3))
    assert (near.mean[6], near.peers[6]) == (pytest.approx(8), 3)
    wide = chances.rates(values, Peers((group,), 4))
    assert (wide.mean[6], wide.peers[6]) == (pytest.approx(5), 6)
    assert near.peers[0] == 5, "two others are too few, so all others count"


def test_peers_hold_nothing_of_the_partner_itself() -> None:
    """A partner is drawn towards the others' mean, in which its own quarters have no part."""
    mean, count = Peers().towards(one(10, 2, 4), one(2, 1, 1))
    assert mean.tolist() == [3, pytest.approx(14 / 3), 4]
    assert count.tolist() == [2, 2, 2]
    lonely, none = Peers().towards(one(10), one(2))
    assert np.isnan(lonely[0])
    assert none[0] == 0


def test_a_pool_in_which_nothing_happened_leaves_a_first_event_improbable() -> None:
    """Zero of forty quarters is neither never nor unknown."""
    found = chances.rates(np.zeros((5, 8)))
    first = found.final(np.zeros(5), np.ones(5), np.zeros(5)).at_least(np.ones(5))
    assert ((first > 0) & (first < 0.05)).all()


@given(st.permutations(range(6)))
def test_the_order_of_partners_does_not_matter(order: list[int]) -> None:
    """The same partners in another order have the same rates."""
    values = np.array([[1, 2, 3], [0, 0, 1], [5, 4, 9], [2, np.nan, 2], [7, 7, 7], [np.nan, np.nan, 4]])
    straight, turned = chances.rates(values), chances.rates(values[order])
    assert turned.mean == pytest.approx(straight.mean[order])
    assert turned.alpha == pytest.approx(straight.alpha)


# ---------------------------------------------------------------------------------------------- amounts


def test_a_compound_has_the_mean_of_its_parts() -> None:
    """Number times amount, in both ways of drawing; a partner's own amounts lead where it has many."""
    each = np.concatenate([np.full(200, 5000.0), np.full(200, 1000.0)])
    amounts = Amounts(each, np.array([0, 200, 400]), np.array([200, 400, 400]))
    for rate in (3.0, 80.0):
        counts = GammaPoisson(np.full(3, 20.0), np.full(3, 20 / rate), np.zeros(3), np.ones(3), np.zeros(3))
        means = chances.compound(counts, amounts, [1, 2, 3], 4000).mean / rate
        assert means == pytest.approx([5000 - 2000 / 21, 1000 + 2000 / 21, 3000], rel=0.05)


def test_draws_belong_to_a_partner() -> None:
    """The same seed draws the same, whoever else is drawn for; without records nothing comes."""
    counts = GammaPoisson(one(2, 2), one(1, 1), one(0, 0), one(1, 1), one(0, 0))
    amounts = Amounts(one(1, 2, 3), np.array([0, 3]), np.array([3, 3]))
    both = chances.compound(counts, amounts, [11, 12], 50).draws
    single = GammaPoisson(*(getattr(counts, name)[:1] for name in ("shape", "rate", "past", "left", "booked")))
    first = chances.compound(single, Amounts(amounts.each, amounts.begin[:1], amounts.end[:1]), [11], 50).draws
    assert (both[0] == first[0]).all()
    nothing = Amounts(np.zeros(0), np.zeros(2, np.int64), np.zeros(2, np.int64))
    assert chances.compound(counts, nothing, [11, 12], 50).draws.sum() == 0


# ------------------------------------------------------------------------------------- shares and levels


def test_shares_of_few_trials_move_in_steps() -> None:
    """Of four trials only quarters can come; a target in between asks for the next one."""
    share = BetaBinomial(one(5), one(5), one(4))
    assert share.at_least(one(0.5)) == pytest.approx(share.at_least(one(0.3)))
    assert share.at_least(one(0.5)) + share.at_most(one(0.25)) == pytest.approx(1)
    assert set(share.quantile(np.linspace(0.05, 0.95, 9))[0]) <= {0, 0.25, 0.5, 0.75, 1}
    assert share.mean[0] == 0.5


def test_shares_hold_what_they_promise() -> None:
    """Of 2,000 partners with true shares of their own, four of five new quarters lie in the range, or more."""
    dice = np.random.default_rng(4)
    truth, n = dice.beta(8, 8, 2000), dice.integers(3, 30, (2000, 8))
    found, _ = chances.shares(dice.binomial(n, truth[:, None]) / n, n)
    trials = found.trials.astype(int)
    fresh = dice.binomial(trials, truth) / trials
    low, _, high = found.quantile(LEVELS).T
    assert 0.8 <= ((fresh >= low - 1e-9) & (fresh <= high + 1e-9)).mean() <= 0.95
    assert np.corrcoef(found.mean, truth)[0, 1] > 0.85


def test_averages_hold_what_they_promise() -> None:
    """Values around a mean of each partner: four of five in the range."""
    dice = np.random.default_rng(6)
    truth = dice.normal(4, 0.3, 1500)
    found = chances.means(truth[:, None] + dice.normal(0, 0.4, (1500, 8)))
    low, _, high = found.student().quantile(LEVELS).T
    fresh = truth + dice.normal(0, 0.4, 1500)
    assert 0.77 <= ((fresh >= low) & (fresh <= high)).mean() <= 0.83


def test_a_level_starts_from_where_it_stands() -> None:
    """A level that rises by one each quarter is expected one higher, not at its mean; one unknown is its peers'."""
    values = np.array([[1.0, 2, 3, 4], [11, 12, 13, 14], [5, 6, np.nan, 8], [np.nan] * 4])
    found = chances.steps(values)
    assert found.centre[:3] == pytest.approx([5, 15, 9])
    assert found.centre[3] == pytest.approx(values[~np.isnan(values)].mean())


def test_whole_numbers_and_a_floor() -> None:
    """A level that counts people moves in ones and is never negative; one that never moved is certain."""
    level = StudentT(one(2.2, 5), one(1.5, 0), 10, step=1, least=0)
    assert level.quantile(np.array([0.01, 0.5]))[0].tolist() == [0, 2]
    assert level.at_least(one(0, 5)) == pytest.approx([1, 1])
    assert level.at_least(one(3, 6)) + level.at_most(one(2, 5)) == pytest.approx([1, 1])
    average = StudentT(one(5), one(0), 10)
    assert (average.at_least(one(5))[0], average.at_least(one(5.1))[0]) == pytest.approx((1, 0))


def test_one_quarter_of_one_partner_gives_numbers_and_no_fault() -> None:
    """The least that can be known is worked with; whether it is enough is not decided here."""
    for values in (np.array([[3.0]]), np.array([[np.nan]]), np.zeros((1, 0))):
        assert np.isfinite(chances.rates(values).mean).all()
        assert np.isfinite(chances.means(values).centre).all()
        assert np.isfinite(chances.steps(values).centre).all()
    assert np.isfinite(chances.shares(np.array([[np.nan]]), np.array([[0]]))[0].mean).all()
