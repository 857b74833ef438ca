"""A metric over partners and quarters: what is known, who took part, what was over."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
import small_world as world

from pbr_lib import history
from pbr_lib.history import History

LABELS = ("2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3")
AS_OF = dt.date(2026, 8, 15)
PARTNERS = {
    "P1": world.partner("P1"),
    "P2": world.partner("P2", joined_on=dt.date(2026, 2, 1)),
    "P3": world.partner("P3", joined_on=None, ended_on=dt.date(2026, 6, 29)),
}


@pytest.fixture(scope="module")
def found() -> History:
    """Deals of P1 in three quarters, of nobody else."""
    deals = [world.deal(f"O{at}", "100", close_date=dt.date(2026, month, 5)) for at, month in enumerate((2, 5, 5, 8))]
    credit = [world.credit(deal["opportunity_id"], "P1") for deal in deals]
    tables = {"partners": list(PARTNERS.values()), "opportunities": deals, "attributions": credit}
    measured = world.measure(tables, LABELS, revenue=world.revenue())["revenue"]
    return history.of(measured, PARTNERS, [world.quarter(label) for label in LABELS], AS_OF)


def test_values_are_floats_and_exact_at_once(found: History) -> None:
    """A true zero is 0, records are counted, rows are partners and columns quarters."""
    assert found.value[found.row["P1"]].tolist() == [0, 100, 200, 100]
    assert found.exact[0, 2] == Decimal(200)
    assert found.n[0].tolist() == [0, 1, 2, 1]
    assert found.column["2026-Q2"] == 2


def test_who_took_part_throughout(found: History) -> None:
    """Both ends count: who joins on the first day or ends on the last took part."""
    assert found.member.tolist() == [[True] * 4, [False, False, True, True], [True, True, False, False]]
    assert found.closed.tolist() == [True, True, True, False]
    assert found.usable.sum(axis=1).tolist() == [3, 1, 2]


def test_before_a_quarter_only_what_was_known(found: History) -> None:
    """Neither the quarter itself nor what follows."""
    before = found.before(world.quarter("2026-Q2"))
    assert [quarter.label for quarter in before.quarters] == ["2025-Q4", "2026-Q1"]
    assert before.value.shape == before.exact.shape == before.n.shape == before.member.shape == (3, 2)
    assert found.before(world.quarter("2025-Q4")).value.shape == (3, 0)


def test_a_quarter_with_a_pause_speaks_for_no_whole_one(found: History) -> None:
    """Of that partner, and of the quarters that the pause reaches into."""
    rested = found.without([(0, dt.date(2026, 3, 31), dt.date(2026, 4, 1))])
    assert rested.member[0].tolist() == [True, False, False, True]
    assert rested.member[1:].tolist() == found.member[1:].tolist()
    assert found.member[0].all()
    assert np.array_equal(rested.value, found.value, equal_nan=True)
