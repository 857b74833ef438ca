"""Stop rules: a proposal for people, never where something is not known (goals.md 4.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pbr_lib.definitions import Stop
from pbr_lib.model import Unit
from pbr_lib.renewal.stopping import Outcome, advise, topped_out

D = Decimal
COUNT, MONEY, PERCENT = Unit("count"), Unit("money", "USD"), Unit("percent")
STOP = Stop(met_in_a_row=4, unmoved_in_a_row=3)


def outcomes(*facts: tuple[bool | None, Any]) -> list[Outcome]:
    """Closed quarters, the latest first: met or not, and the actual."""
    return [Outcome(f"Q{at}", met, None if actual is None else D(actual)) for at, (met, actual) in enumerate(facts)]


def words(*facts: tuple[bool | None, Any], stop: Stop = STOP) -> list[str]:
    """What the rules say."""
    return [each.words for each in advise(stop, outcomes(*facts), COUNT)]


def test_met_four_times() -> None:
    """Raise it or retire it; three are not enough."""
    run = [(True, 5), (True, 6), (True, 7), (True, 5)]
    assert words(*run, (False, 1)) == ["met four quarters in a row: raise it or retire it"]
    assert words(*run[:3], (False, 1)) == []


def test_a_quarter_that_is_not_known_ends_a_run() -> None:
    """Not known is neither met nor unmoved."""
    assert words((True, 5), (True, 6), (None, None), (True, 7), (True, 8)) == []
    assert words((None, None), (True, 6), (True, 6), (True, 7), (True, 8)) == []
    assert words((False, 0), (None, None), (False, 0), (False, 0)) == []


def test_nothing_came_of_it() -> None:
    """Three quarters at nothing."""
    assert words((False, 0), (False, 0), (False, 0), (True, 5)) == [
        "nothing came of it three quarters in a row: replace it"
    ]


def test_it_stood_still() -> None:
    """Or at the same figure."""
    assert words((False, 2), (False, 2), (False, 2), (False, 2)) == ["it stood at 2 four quarters in a row: replace it"]
    assert words((False, 2), (False, 3), (False, 2)) == []


def test_what_is_met_may_stand_still() -> None:
    """Six certified people, quarter after quarter, of six that were agreed: that is no failure."""
    assert words((True, 6), (True, 6), (True, 6)) == []


def test_a_zero_without_coverage_says_nothing() -> None:
    """No export reaches that quarter, so nobody knows."""
    run = [Outcome(f"Q{at}", False, D(0), covered=at != 1) for at in range(3)]
    assert advise(STOP, run, COUNT) == ()


def test_without_rules_nothing_is_said() -> None:
    """The rules are the goal's own."""
    assert words(*[(True, 5)] * 8, stop=Stop()) == []
    assert words(stop=STOP) == []


def test_a_metric_that_tells_nobody_apart() -> None:
    """Forty partners at nine or ten leads."""
    advice = topped_out(np.array([9.0] * 20 + [10.0] * 20), COUNT)
    assert advice is not None
    told = "of 40 partners the 75th percentile is 10 and the 90th 10, and values vary by 5 %"
    assert advice.words == told + ": it tells nobody apart, retire it"


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        pytest.param([1.0, 2.0, 3.0, 9.0, 10.0, 10.0], COUNT, id="spread"),
        pytest.param([100.0] * 30 + [110.0] * 5, COUNT, id="the best are better"),
        pytest.param([10.0] * 4, COUNT, id="four partners"),
        pytest.param([0.0] * 9, COUNT, id="nothing at all"),
        pytest.param([float("nan")] * 9 + [10.0] * 4, COUNT, id="few are known"),
        pytest.param([], COUNT, id="none"),
    ],
)
def test_a_metric_that_still_tells(values: list[float], unit: Unit) -> None:
    """Any of these keeps the goal."""
    assert topped_out(np.array(values), unit) is None


def test_one_unit_is_one_of_the_metric() -> None:
    """1 % point of a share; about 5 % of a typical amount of money."""
    assert topped_out(np.array([0.90] * 20 + [0.91] * 10), PERCENT) is not None
    assert topped_out(np.array([0.90] * 20 + [0.93] * 5), PERCENT) is None
    assert topped_out(np.array([100_000.0] * 20 + [104_000.0] * 5), MONEY) is not None
