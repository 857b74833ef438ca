"""What may come, given by draws: quantiles and chances that fit each other, and scores with published values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.predictive import Samples, pinball, seed_of

DRAWS = st.lists(st.integers(-50, 50), min_size=1, max_size=40)


@given(DRAWS, st.floats(0.01, 1))
def test_a_quantile_is_the_lowest_value_that_reaches_its_level(draws: list[int], level: float) -> None:
    """At most that value is at least as likely as the level, and at most anything lower is less likely."""
    what = Samples(np.array([draws], float))
    found = what.quantile(np.array([level]))[:, 0]
    assert found[0] in draws
    assert what.at_most(found)[0] >= level - 1e-9
    assert what.at_most(found - 1e-6)[0] < level + 1e-9


@given(DRAWS, st.integers(-60, 60))
def test_reaching_a_target_and_staying_below_it_make_one(draws: list[int], target: int) -> None:
    """At least the target, or at most the whole number below."""
    what = Samples(np.array([draws], float))
    aim = np.array([float(target)])
    assert what.at_least(aim)[0] + what.at_most(aim - 1)[0] == pytest.approx(1)


def test_partners_are_rows() -> None:
    """Each has its own draws, its own target, its own mean."""
    what = Samples(np.array([[1.0, 2.0, 3.0, 4.0], [10.0, 10.0, 10.0, 10.0]]))
    assert what.quantile(np.array([0.25, 0.5, 1.0])).tolist() == [[1, 2, 4], [10, 10, 10]]
    assert what.at_least(np.array([3.0, 11.0])).tolist() == [0.5, 0]
    assert what.mean.tolist() == [2.5, 10]


@pytest.mark.parametrize(
    ("actual", "quantile", "level", "loss"),
    [
        ([1, 2, 3], [0, 2, 3], 0.1, 0.033333),
        ([1, 2, 3], [0, 2, 3], 0.9, 0.3),
        ([1, 2, 3], [1, 2, 4], 0.1, 0.3),
        ([3, -0.5, 2, 7, 2], [1.25, 0, 1, 4, 0.625], 0.05, 0.16625),
        ([3, -0.5, 2, 7, 2], [2.5, 0, 2, 8, 1.25], 0.5, 0.275),
        ([3, -0.5, 2, 7, 2], [3.75, 0, 3, 12, 1.875], 0.95, 0.09625),
    ],
)
def test_pinball_has_its_published_values(
    actual: list[float], quantile: list[float], level: float, loss: float
) -> None:
    """T40 and T41 of goals.md 11."""
    assert pinball(np.array(actual, float), np.array(quantile), level).mean() == pytest.approx(loss, abs=1e-5)


def test_a_seed_is_made_of_texts_alone() -> None:
    """The same everywhere; texts that only look alike when joined differ."""
    assert seed_of("ab", "c") != seed_of("a", "bc")
    assert seed_of("a") == 14598278634844962250
