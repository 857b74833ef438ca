"""Checks of the whole set: shares that will be met, size, two camps, one rate, and what cannot be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smart_plans import QUARTER, chance, history, plan_of

from pbr_lib.definitions import Target
from pbr_lib.goalrows import Instance
from pbr_lib.smart import Plan, fleet
from pbr_lib.smart.fleet import bimodality
from pbr_lib.smart.own import ranks, spearman


def _many(tmp_path: Path, partners: int, targets: Sequence[int] = (5,), last: Sequence[int] = ()) -> Plan:
    """One goal for many partners; targets, of this quarter and the last, are taken in turn."""
    plan = plan_of(tmp_path)
    names = [f"P{at:03}" for at in range(partners)]

    def rows(values: Sequence[int]) -> tuple[Instance, ...]:
        return tuple(
            Instance(name, "leads_q", Target(at_least=Decimal(values[at % len(values)])))
            for at, name in enumerate(names)
        )

    instances = {"2026-Q3": rows(targets), "2026-Q2": rows(last or [7 + at % 5 for at in range(partners)])}
    past = history([[4, 5, 6, 4, 5, 6, 5, 4, 2]] * partners, partners=names)
    chances = chance(3, 4, 4, 5, 5, 5, 6, 6, 7, 4, partners=partners)
    return replace(
        plan,
        settings=replace(plan.settings, instances=instances),
        instances=instances["2026-Q3"],
        partners={name: {} for name in names},
        history={"new_leads": past},
        chances={"new_leads": chances},
    )


def _rules(plan: Plan) -> list[str]:
    return [one.rule for one in fleet.check(plan)]


def test_a_sound_set_trips_nothing(tmp_path: Path) -> None:
    """Sixty in a hundred will be met, targets moved each in its own way, and nothing goes by size."""
    assert _rules(_many(tmp_path, 40)) == []


@pytest.mark.parametrize(("target", "share", "side"), [(7, "10 %", "too hard"), (4, "90 %", "too easy")])
def test_the_share_that_will_be_met(target: int, share: str, side: str, tmp_path: Path) -> None:
    """F1: outside 50 to 75 %, from ten goals on."""
    [found] = fleet.check(_many(tmp_path, 12, [target]))
    assert found.rule == "F1"
    assert found.what.startswith(f"{share} of the 12 goals that can be judged are likely to be met")
    assert f"targets are {side} on the whole" in found.what
    assert _rules(_many(tmp_path / "few", 9, [target])) == []


def test_attainment_that_goes_by_size(tmp_path: Path) -> None:
    """F2: from twenty partners on, rank correlation above a half either way."""
    plan = _many(tmp_path, 24)
    names = list(plan.partners)
    shares = {(name, "leads_q"): 0.5 + at / 48 for at, name in enumerate(names)}
    large = {name: float(at) for at, name in enumerate(names)}
    [found] = fleet.check(replace(plan, attained=shares, size=large))
    assert found.what == (
        "the larger a partner, the more it attained in the last closed quarter (rank correlation 1.00, 24 partners)"
    )
    small = {name: -size for name, size in large.items()}
    assert "the smaller a partner" in fleet.check(replace(plan, attained=shares, size=small))[0].what
    mixed = {name: float(at % 2) for at, name in enumerate(names)}
    assert _rules(replace(plan, attained=shares, size=mixed)) == []
    few = dict(list(large.items())[:19])
    assert _rules(replace(plan, attained=shares, size=few)) == []


def test_two_camps(tmp_path: Path) -> None:
    """F3: two heaps with a valley between; a lopsided heap alone is none."""
    plan = _many(tmp_path, 40)
    names = list(plan.partners)
    camps = {(name, "leads_q"): (0.2 if at % 2 else 1.2) + at / 1000 for at, name in enumerate(names)}
    [found] = fleet.check(replace(plan, attained=camps, size={"X": 1.0}))
    assert found.rule == "F3"
    assert "20 partners below" in found.what
    assert "0 between" in found.what
    lopsided = {(name, "leads_q"): 1.5 * 0.9**at for at, name in enumerate(names)}
    assert _rules(replace(plan, attained=lopsided, size={"X": 1.0})) == []


def test_one_rate_for_everybody(tmp_path: Path) -> None:
    """F4: more than eight in ten moved by one rate, zero included."""
    [found] = fleet.check(_many(tmp_path, 10, [5], [4]))
    assert found.what == "10 of 10 targets (100 %) moved by 25 % since 2026-Q2"
    [found] = fleet.check(_many(tmp_path / "same", 10, [5], [5]))
    assert found.what == "10 of 10 targets (100 %) stayed as they were since 2026-Q2"
    assert _rules(_many(tmp_path / "mixed", 10, [5], [4, 4, 4, 4, 6])) == []


def test_what_cannot_be_judged(tmp_path: Path) -> None:
    """F5 says how many, and that they have not passed."""
    plan = _many(tmp_path, 10)
    chances = plan.chances["new_leads"]
    blind = replace(chances, enough=np.arange(10) > 2)  # type: ignore[type-var]
    [found] = fleet.check(replace(plan, chances={"new_leads": blind}))
    assert found.what == "3 of 10 goals (30 %) cannot be judged yet: they have not passed"


def test_attainment_and_size_are_worked_out_where_they_are_not_given(tmp_path: Path) -> None:
    """From the rows and figures of the newest quarter that is over; size from the year before it, never from itself."""
    plan = _many(tmp_path, 2, [5], [8])
    assert fleet.attained(plan) == {("P000", "leads_q"): 0.5, ("P001", "leads_q"): 0.5}
    # 2025-Q2 to 2026-Q1: 4, 5, 6 and 5 are the four quarters before 2026-Q2.
    assert fleet.sizes(plan) == {"P000": 20.0, "P001": 20.0}
    unknown = history([[4, 5, 6, 4, 5, np.nan, 5, np.nan, 2]] * 2, partners=list(plan.partners))
    blind = replace(plan, history={"new_leads": unknown})
    assert fleet.attained(blind) == {}
    assert fleet.sizes(blind) == {}
    assert QUARTER.shift(-1).label == "2026-Q2"


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_ranks_add_up(values: list[int]) -> None:
    """Ranks with ties keep their sum, and order as the values do."""
    found = ranks(np.array(values, float))
    assert found.sum() == pytest.approx(len(values) * (len(values) + 1) / 2)
    for one, other in zip(values, found, strict=True):
        assert other == pytest.approx(sum(v < one for v in values) + (sum(v == one for v in values) + 1) / 2)


def test_spearman_of_order_alone() -> None:
    """Only the order counts; a column that does not vary goes with nothing."""
    a = np.array([1.0, 2.0, 3.0, 4.0])
    assert spearman(a, np.exp(a)) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)
    assert spearman(a, np.ones(4)) == 0.0


def test_sarles_coefficient() -> None:
    """A third for a normal shape, 5/9 for a uniform one, towards 1 for two points; nothing for a constant."""
    from statistics import NormalDist

    grid = (np.arange(4000) + 0.5) / 4000
    assert bimodality(np.array([NormalDist().inv_cdf(p) for p in grid])) == pytest.approx(1 / 3, abs=0.01)
    assert bimodality(grid) == pytest.approx(5 / 9, abs=0.01)
    assert bimodality(np.repeat([0.0, 1.0], 500)) == pytest.approx(1, abs=0.01)
    assert bimodality(np.ones(50)) == 0.0
    assert bimodality(np.empty(0)) == 0.0
