"""The numbers of partners and of the whole agree, to the cent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import RATES, arrow, credit, deal, quarter

from pbr_lib.params import Rate
from pbr_lib.reconciliation import QuarterSums, Reconciliation, Sums, reconcile, totals

Row = dict[str, Any]


def told(deals: list[Row], credits: list[Row], labels: tuple[str, ...] = ("2026-Q3",)) -> Reconciliation:
    """Some deals and their credit, reconciled in US dollars."""
    tables = arrow({"opportunities": deals, "attributions": credits})
    return reconcile(tables, [quarter(label) for label in labels], RATES, "USD")


def one(deals: list[Row], credits: list[Row]) -> QuarterSums:
    """The third quarter of 2026."""
    return told(deals, credits).quarters[0]


def worth(sums: Sums) -> tuple[int, str]:
    """Deals and what they are worth in the reporting currency."""
    return sums.deals, f"{sums.reporting:.2f}"


def test_two_sourced_partners_of_one_deal() -> None:
    """domain.md case 3: split 60k and 40k, gross 100k each, programme 100k."""
    found = one([deal("R0", "100000")], [credit("R0", "A", share="0.6"), credit("R0", "B", share="0.4")])
    sourced = found.credits["sourced"]
    assert {who: (worth(gross)[1], worth(split)[1]) for who, (gross, split) in sourced.by_partner.items()} == {
        "A": ("100000.00", "60000.00"),
        "B": ("100000.00", "40000.00"),
    }
    assert [worth(each) for each in (sourced.gross, sourced.split, sourced.distinct, found.total)] == [
        (2, "200000.00"),
        (2, "100000.00"),
        (1, "100000.00"),
        (1, "100000.00"),
    ]


def test_three_credits_of_one_deal() -> None:
    """domain.md case 4: once in each own column, once in the total."""
    credits = [credit("R0", "A"), credit("R0", "B", "resold"), credit("R0", "C", "influenced")]
    found = one([deal("R0", "100")], credits)
    assert [worth(each) for each in (found.total, found.sourced, found.influenced_only, found.unattributed)] == [
        (1, "100.00"),
        (1, "100.00"),
        (0, "0.00"),
        (0, "0.00"),
    ]
    assert worth(found.resold) == (1, "100.00")
    assert worth(found.credits["influenced"].distinct) == (1, "100.00")


def test_sum_of_partners_beside_each_deal_once() -> None:
    """goals.md 10: sum of partners 180,000; distinct 120,000."""
    deals = [deal("R0", "60000"), deal("R1", "60000")]
    credits = [credit("R0", who, "influenced", "0.5") for who in "AB"] + [credit("R1", "A", "influenced")]
    influenced = one(deals, credits).credits["influenced"]
    assert worth(influenced.gross)[1] == "180000.00"
    assert worth(influenced.distinct)[1] == worth(influenced.split)[1] == "120000.00"


def test_printed_parts_add_up_to_the_printed_whole() -> None:
    """goals.md T44: 8.00 between three is 2.67, 2.67, 2.66; where nothing is divided, nothing is."""
    thirds = zip("ABC", ("0.3334", "0.3333", "0.3333"), strict=True)
    found = one([deal("R0", "8")], [credit("R0", who, share=share) for who, share in thirds])
    shown = found.credits["sourced"].shown()
    assert list(shown.values()) == [Decimal("2.67"), Decimal("2.67"), Decimal("2.66")]
    assert one([], []).credits["sourced"].shown() == {}


def test_only_won_deals_and_credit_that_counts() -> None:
    """AT5, AT8: open and lost deals are not won, late and disputed credit attributes nothing."""
    deals = [deal("R0"), deal("R1", stage="lost"), deal("R2", stage="open_mid"), deal("R3"), deal("R4")]
    credits = [credit("R0", "A"), credit("R1", "A"), credit("R3", "A") | {"is_late": True},
               credit("R4", "A") | {"status": "disputed"}, credit("R0", "B", subject_type="lead")]  # fmt: skip
    found = one(deals, credits)
    assert (worth(found.total), worth(found.sourced), worth(found.unattributed)) == (
        (3, "300.00"),
        (1, "100.00"),
        (2, "200.00"),
    )


def test_currencies_stand_beside_the_reporting_currency() -> None:
    """Each at the plan rate of the quarter's first day; what has no rate is counted and listed apart, never dropped."""
    rates = (*RATES, Rate("EUR", "USD", "plan", dt.date(2026, 10, 1), Decimal("1.2")))
    rates += (Rate("EUR", "USD", "spot", dt.date(2026, 7, 1), Decimal(9)),)
    deals = [deal("R0", "10", currency="EUR"), deal("R1", "10"), deal("R2", "7", currency="XXX"),
             deal("R3", "10", currency="EUR", close_date=dt.date(2026, 10, 1)), deal("R4", None),
             deal("R5", "3", currency=None), deal("R6", "4", close_date=None)]  # fmt: skip
    tables = arrow({"opportunities": deals, "attributions": []})
    found = reconcile(tables, [quarter("2026-Q3"), quarter("2026-Q4")], rates, "USD")
    third, fourth = (each.total for each in found.quarters)
    assert (third.deals, third.reporting, third.unconverted) == (5, Decimal("21"), 3)
    assert dict(third.amounts) == {"": Decimal(3), "EUR": Decimal(10), "USD": Decimal(10), "XXX": Decimal(7)}
    assert fourth.reporting == Decimal("12")
    assert {each.opportunity_id: each.why for each in found.apart} == {
        "R2": "no plan rate for its currency",
        "R4": "no amount",
        "R5": "no currency",
        "R6": "no closing day",
    }


def test_a_deal_belongs_to_the_quarter_in_which_it_closed() -> None:
    """Both ends: the first day counts, the day after the last does not."""
    days = [dt.date(2026, 6, 30), dt.date(2026, 7, 1), dt.date(2026, 9, 30), dt.date(2026, 10, 1)]
    deals = [deal(f"R{n}", close_date=day) for n, day in enumerate(days)]
    found = told(deals, [], ("2026-Q2", "2026-Q3", "2026-Q4"))
    assert [(each.quarter, each.total.deals) for each in found.quarters] == [
        ("2026-Q2", 1),
        ("2026-Q3", 2),
        ("2026-Q4", 1),
    ]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("stage", {("lost", "USD"): (1, "100"), ("won", "EUR"): (1, "5"), ("won", "USD"): (1, "100")}),
        ("quarter", {("", "EUR"): (1, "5"), ("2026-Q3", "USD"): (2, "200")}),
        ("partner", {("A", "USD"): (2, "200"), ("B", "EUR"): (1, "5")}),
    ],
)
def test_totals_of_all_deals(by: Any, expected: dict[tuple[str, str], tuple[int, str]]) -> None:
    """Exact, by currency, each deal once for each key."""
    deals = [deal("R0"), deal("R1", stage="lost"), deal("R2", "5", currency="EUR", close_date=None)]
    credits = [credit("R0", "A"), credit("R0", "A", "resold"), credit("R1", "A"), credit("R2", "B")]
    found = totals(arrow({"opportunities": deals, "attributions": credits}), by)
    assert {(each.key, each.currency): (each.deals, f"{each.amount:.0f}") for each in found} == expected


_AMOUNT = st.decimals(0, 10**9, places=2)
_DEALS = st.lists(
    st.tuples(_AMOUNT, st.sampled_from(["USD", "EUR", "XXX"]), st.sampled_from(["won", "lost"])), max_size=6
)
_PARTS = {1: ("1",), 2: ("0.6001", "0.3999"), 3: ("0.3334", "0.3333", "0.3333")}
_CREDITS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["sourced", "influenced", "resold"]), st.integers(1, 3)),
    max_size=8,
    unique_by=lambda each: each[:2],
)


@given(_DEALS, _CREDITS)
def test_the_whole_is_the_sum_of_its_parts(
    deals: list[tuple[Decimal, str, str]], credits: list[tuple[int, str, int]]
) -> None:
    """Total = sourced + influenced only + unattributed; split = distinct; distinct <= gross; to the last digit."""
    rows = [deal(f"R{n}", str(amount), currency=code, stage=stage) for n, (amount, code, stage) in enumerate(deals)]
    given_ = [credit(f"R{n}", who, kind, share) for n, kind, count in credits
              for who, share in zip("ABC", _PARTS[count], strict=False)]  # fmt: skip
    found = one(rows, given_)
    won = [(amount, code) for amount, code, stage in deals if stage == "won"]
    assert found.total == found.sourced + found.influenced_only + found.unattributed
    assert found.total.deals == len(won)
    for code in ("USD", "EUR", "XXX"):
        assert found.total.amounts.get(code, 0) == sum(amount for amount, each in won if each == code)
    rates = {"USD": Decimal(1), "EUR": Decimal("1.10")}
    assert found.total.reporting == sum(amount * rates.get(code, 0) for amount, code in won)
    for sums in found.credits.values():
        assert dict(sums.split.amounts) == dict(sums.distinct.amounts)
        assert sums.split.reporting == sums.distinct.reporting <= sums.gross.reporting
        assert all(amount <= sums.gross.amounts[code] for code, amount in sums.distinct.amounts.items())
        shown = sums.shown()
        assert abs(sum(shown.values()) - sums.split.reporting) <= Decimal("0.005")
