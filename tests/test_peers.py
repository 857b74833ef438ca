"""Who is compared with whom: quantiles as spreadsheets take them, never below five others, never oneself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.definitions import PeerSpec
from pbr_lib.peers import Peers, group, quantile, quantile_words

D = Decimal
HALF = D("0.5")
VALUES = st.lists(st.none() | st.integers(0, 50).map(D), min_size=1, max_size=25)
LEVELS = st.sampled_from([D(0), D("0.25"), HALF, D("0.75"), D("0.9"), D(1)])


def rows(*kinds: tuple[int, str, str]) -> dict[str, dict[str, Any]]:
    """Partners: how many of which tier and region."""
    every = [(tier, region) for count, tier, region in kinds for _ in range(count)]
    return {f"P{at}": {"tier": tier, "region": region} for at, (tier, region) in enumerate(every)}


def medians(peers: Peers, values: list[Any]) -> list[tuple[Decimal, int] | None]:
    """Each partner's median of its peers, and of how many."""
    told = peers.quantiles([None if value is None else D(value) for value in values], HALF)
    return [None if each is None else (each.value, each.n) for each in told]


@given(st.lists(st.integers(-99, 99).map(D), min_size=1, max_size=20), LEVELS)
def test_quantiles_are_those_of_numpy(values: list[Decimal], level: Decimal) -> None:
    """Type 7, exactly."""
    assert float(quantile(values, level)) == pytest.approx(float(np.quantile([float(v) for v in values], float(level))))


def test_a_quantile_needs_values_and_a_level() -> None:
    """Both faults say how to mend them."""
    with pytest.raises(ValueError, match="leave it out"):
        quantile([], HALF)
    with pytest.raises(ValueError, match="give 0 to 1"):
        quantile([D(1)], D(50))


def test_a_partner_is_no_peer_of_itself() -> None:
    """Of six alike each sees the other five."""
    peers = group(rows((6, "Gold", "EMEA")))
    assert medians(peers, [1, 2, 3, 4, 5, 100])[5] == (D(3), 5)
    assert medians(peers, [1, 2, 3, 4, 5, 100])[0] == (D(4), 5)


def test_five_alike_are_too_few() -> None:
    """Each of five has only four others."""
    assert medians(group(rows((5, "Gold", "EMEA"))), [1, 2, 3, 4, 5]) == [None] * 5


def test_who_is_not_known_still_has_peers() -> None:
    """A new partner without a value sees the five others, and they, who see four, nothing."""
    peers = group(rows((6, "Gold", "EMEA")))
    assert medians(peers, [1, 2, 3, 4, 5, None]) == [None] * 5 + [(D(3), 5)]


def test_a_small_group_is_widened() -> None:
    """First the region goes, then the tier; the words say who the peers are."""
    peers = group(rows((6, "Gold", "EMEA"), (2, "Gold", "APAC"), (1, "Silver", "APAC")))
    told = peers.quantiles([D(at) for at in range(9)], HALF)
    words = [each.words if each else "" for each in told]
    assert words[0] == "median of 5 partners of tier Gold, region EMEA"
    assert words[6] == "median of 7 partners of tier Gold"
    assert words[8] == "median of 8 partners"


def test_a_blank_column_is_no_likeness() -> None:
    """Partners without a region are compared by tier, not with each other for want of one."""
    peers = group(rows((7, "Gold", ""), (1, "Gold", "EMEA")))
    told = peers.quantiles([D(1)] * 8, HALF)
    assert told[0] is not None
    assert told[0].words == "median of 7 partners of tier Gold"
    assert len(set(peers.groups[0].tolist())) == 8


def test_writing_makes_no_difference() -> None:
    """``gold`` and ``Gold `` are one tier."""
    every = {f"P{at}": {"tier": tier, "region": "EMEA"} for at, tier in enumerate(["gold", "Gold ", "GOLD"] * 2)}
    assert set(group(every).groups[0].tolist()) == {0}


def test_the_workbook_says_how_to_compare() -> None:
    """By type alone, and never fewer than the workbook allows."""
    every = {f"P{at}": {"partner_type": "msp"} for at in range(7)}
    peers = group(every, PeerSpec(by=("partner_type",), least=7))
    assert [len(peers.groups), peers.least] == [2, 7]
    assert medians(peers, list(range(7))) == [None] * 7


@given(VALUES, LEVELS)
def test_each_figure_is_the_plain_quantile_of_the_others(values: list[Decimal | None], level: Decimal) -> None:
    """However it is computed: the others' known values, five at the least."""
    peers = group(rows((len(values), "Gold", "EMEA")))
    for at, told in enumerate(peers.quantiles(values, level)):
        others = [value for i, value in enumerate(values) if i != at and value is not None]
        assert (told is None) == (len(others) < 5)
        assert told is None or (told.value, told.n) == (quantile(others, level), len(others))


def test_levels_in_words() -> None:
    """As people say them."""
    told = [quantile_words(D(text)) for text in ("0.5", "0.75", "0.91", "0.11", "0.02", "0.125", "1")]
    expected = ["median", "75th percentile", "91st percentile", "11th percentile", "2nd percentile"]
    assert told == [*expected, "percentile 12.5", "100th percentile"]
