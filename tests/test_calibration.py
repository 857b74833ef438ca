"""Ranges corrected by what became of earlier ones: they hold what they promise, counts and amounts, wide and narrow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pbr_lib import calibration
from pbr_lib.calibration import MOST, NOMINAL, as_they_are, by_level, by_width, covered, levels_needed, width_scores
from pbr_lib.contest import poisson_quantiles
from pbr_lib.predictive import Samples

GRID = (np.arange(199) + 0.5) / 199
ENDS = np.array([0.1, 0.9])


def poisson(mean: float, size: int) -> Samples:
    return Samples(poisson_quantiles(np.full(size, mean), GRID))


def normal(size: int, spread: float = 1.0, seed: int = 0) -> Samples:
    draws = np.sort(np.random.default_rng(seed).normal(0, spread, 999))
    return Samples(np.repeat(draws[None, :], size, axis=0))


def test_a_level_is_needed_just_as_wide_as_the_range_must_be() -> None:
    """At the level that a value needs its range holds it; a little lower it does not."""
    what, actual = poisson(3.0, 12), np.arange(12.0)
    needed = levels_needed(what, actual)
    for at in range(12):
        for level, held in ((min(needed[at] + 1e-9, 1.0), True), (needed[at] - 0.01, False)):
            if level <= 0:
                continue
            tail = (1 - level) / 2
            ends = what.quantile(np.array([max(tail, 1e-9), 1 - tail]))[at]
            if actual[at] <= 9:  # beyond that the grid ends
                assert bool(ends[0] <= actual[at] <= ends[1]) is held


def test_counts_that_stray_more_get_a_wider_range_and_fewer_a_narrower_one() -> None:
    """Twice the spread for the same forecast; then counts that never stray."""
    dice = np.random.default_rng(1)
    what, scale = poisson(6.0, 600), np.full(600, 6.0)
    wild = dice.poisson(dice.gamma(2.0, 3.0, 600)).astype(float)
    raw = covered(*as_they_are().of(what, scale), wild).mean()
    wide = by_level(levels_needed(what, wild))
    assert raw < NOMINAL and wide.level > NOMINAL and wide.cases == 600
    assert NOMINAL <= covered(*wide.of(what, scale), wild).mean() <= 0.9
    calm = np.full(600, 6.0) + dice.integers(-1, 2, 600)
    narrow = by_level(levels_needed(what, calm))
    assert narrow.level < NOMINAL
    before, after = (each.of(what, scale) for each in (as_they_are(), narrow))
    assert (after[1] - after[0] < before[1] - before[0]).all()
    assert covered(*after, calm).mean() >= NOMINAL


def test_amounts_that_stray_more_get_a_stretched_range() -> None:
    """Goals.md 6.3: by a share of its width; half as wide a forecast as it should be is put right."""
    actual = np.random.default_rng(2).normal(0, 2.0, 500)
    what, scale = normal(500), np.ones(500)
    ends = what.quantile(ENDS)
    found = by_width(width_scores(ends[:, 0], ends[:, 1], actual, scale), levels_needed(what, actual))
    assert found.stretch == pytest.approx(0.5, abs=0.15) and found.level == NOMINAL
    assert covered(*found.of(what, scale), actual).mean() == pytest.approx(NOMINAL, abs=0.02)


def test_amounts_that_mostly_stay_as_they_are_get_a_narrower_range() -> None:
    """Half of all values lie on the lower end, where no width could narrow anything."""
    draws = np.repeat(np.r_[np.zeros(500), np.linspace(1, 10, 500)][None, :], 400, axis=0)
    what, scale = Samples(draws), np.ones(400)
    actual = np.where(np.arange(400) % 10 == 0, 9.9, 0.0)
    actual[1::10] = 3.0
    ends = what.quantile(ENDS)
    found = by_width(width_scores(ends[:, 0], ends[:, 1], actual, scale), levels_needed(what, actual))
    assert found.stretch == 0 and found.level < NOMINAL
    low, high = found.of(what, scale)
    assert high[0] < ends[0, 1]
    assert NOMINAL <= covered(low, high, actual).mean() <= 0.95


def test_a_range_without_width_is_given_some() -> None:
    """Where nothing may come by the draws, and yet it came, the usual size of the partner lends the width."""
    what, scale = Samples(np.zeros((50, 10))), np.full(50, 100.0)
    actual = np.where(np.arange(50) % 2 == 0, 4.0, 0.0)
    found = by_width(width_scores(np.zeros(50), np.zeros(50), actual, scale), levels_needed(what, actual))
    assert covered(*found.of(what, scale), actual).all()


def test_few_cases_correct_nothing() -> None:
    """Nineteen past partner-quarters are no ground."""
    assert by_level(np.ones(calibration.LEAST_CASES - 1)) == as_they_are()
    assert by_width(np.ones(calibration.LEAST_CASES - 1), np.ones(calibration.LEAST_CASES - 1)) == as_they_are()


@given(arrays(float, st.integers(20, 200), elements=st.floats(0, 1)))
def test_what_was_learnt_holds_for_what_it_was_learnt_from(needed: np.ndarray) -> None:
    """At least four of five past values are held at the level, unless it would have to hold everything."""
    level = by_level(needed).level
    assert 0.5 <= level <= 0.998
    assert (needed <= level + 1e-12).mean() >= NOMINAL or level == 0.998
    if level < NOMINAL and level > 0.5:
        assert (needed <= level).mean() >= MOST


@given(arrays(float, st.integers(20, 200), elements=st.floats(-0.5, 2)))
def test_a_stretch_holds_four_of_five(scores: np.ndarray) -> None:
    """The conformal rule itself."""
    found = by_width(scores, np.full(len(scores), NOMINAL))
    assert (scores <= found.stretch + 1e-12).mean() >= NOMINAL
    assert found.stretch >= 0
