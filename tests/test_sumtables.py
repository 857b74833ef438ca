"""What was won, on the page: the parts add up to the cent, nothing is hidden, and text of a CRM stays text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import sumtables
from pbr_lib.model import Amount
from pbr_lib.reconciliation import Apart, CreditSums, QuarterSums, Reconciliation, Sums

Q3 = "2026-Q3"
MONEY = st.decimals(min_value=0, max_value=10**9, places=6)


def sums(amount: str | Decimal, deals: int = 1, unconverted: int = 0, **amounts: str) -> Sums:
    """Some deals, in dollars unless said otherwise."""
    held = {name: Decimal(value) for name, value in amounts.items()} or {"USD": Decimal(amount)}
    return Sums(deals, held, Decimal(amount), unconverted)


def ways(
    distinct: Sums, split: Sums | None = None, gross: Sums | None = None, partners: Sequence[str] = ()
) -> CreditSums:
    """One credit in the three ways; all alike unless said otherwise."""
    return CreditSums(distinct, gross or distinct, split or distinct, dict.fromkeys(partners, (distinct, distinct)))


def quarter(sourced: Sums, influenced: Sums, rest: Sums, resold: Sums, credit: CreditSums | None = None) -> QuarterSums:
    """A quarter of these parts; ``credit`` is sourced credit in the three ways."""
    every = {"sourced": credit or ways(sourced), "influenced": ways(influenced), "resold": ways(resold)}
    return QuarterSums(Q3, sourced + influenced + rest, sourced, influenced, rest, every)


def found(*quarters: QuarterSums, apart: Sequence[Apart] = ()) -> Reconciliation:
    """A reconciliation in dollars."""
    return Reconciliation("USD", quarters, tuple(apart))


def shown(table: Any) -> list[dict[str, str]]:
    """The printed rows of a table by column key."""
    keys = [column.key for column in table.columns]
    return [{key: str(cell) for key, cell in zip(keys, row, strict=True)} for row in table.rows]


def test_a_quarter_adds_up_on_the_page() -> None:
    """Total = sourced + influenced only + unattributed; resold stands beside them."""
    one = quarter(sums("100.10", 2), sums("50.20"), sums("0.05"), sums("120.00"))
    (row,) = shown(sumtables.quarter_table(found(one)))
    assert [row[key] for key in ("deals", "total", "sourced", "influenced_only", "unattributed", "resold")] == [
        "4", "$150.35", "$100.10", "$50.20", "$0.05", "$120.00",
    ]  # fmt: skip
    assert (row["state"], row["sourced_deals"], row["resold_deals"]) == ("● adds up", "2", "1")


def test_the_newest_quarter_comes_first() -> None:
    """What was asked for stands on top, in both tables."""
    one = quarter(sums("1"), sums("1"), sums("1"), sums("1"))
    older = replace(one, quarter="2026-Q2")
    for table in (sumtables.quarter_table(found(older, one)), sumtables.currency_table(found(older, one))):
        assert [row["quarter"] for row in shown(table)] == [Q3, "2026-Q2"]


def test_thirds_of_a_cent_are_not_lost_on_the_page() -> None:
    """Three parts of 33.333 print so that they add up to the 100.00 that is printed beside them."""
    part = sums("33.333333")
    (row,) = shown(sumtables.quarter_table(found(quarter(part, part, part, sums("0")))))
    assert [row[key] for key in ("total", "sourced", "influenced_only", "unattributed")] == [
        "$100.00", "$33.34", "$33.33", "$33.33",
    ]  # fmt: skip


@given(st.lists(MONEY, min_size=3, max_size=3))
def test_printed_parts_always_add_up(parts: list[Decimal]) -> None:
    """Whatever the rates make of the cents, a reader who adds the printed parts gets the printed total."""
    one = quarter(*(sums(part) for part in parts), sums("0"))
    table = sumtables.quarter_table(found(one))
    keys = [column.key for column in table.columns]
    row = dict(zip(keys, table.rows[0], strict=True))
    values = [row[key] for key in ("total", "sourced", "influenced_only", "unattributed")]
    cents = [Decimal(str(value).replace("$", "").replace(",", "")) for value in values]
    assert cents[0] == sum(cents[1:])
    assert abs(cents[0] - sum(parts)) <= Decimal("0.005")
    assert all(isinstance(value, Amount) and value.unit.currency == "USD" for value in values)


def test_a_whole_that_its_parts_do_not_make_says_so() -> None:
    """An amount that no part holds, in any currency, is told and never spread over the parts."""
    good = quarter(sums("10"), sums("20"), sums("30"), sums("0"))
    for total in (sums("61", 3), sums("60", 4), sums("60", 3, EUR="60"), sums("60", 3, USD="60.0001")):
        bad = QuarterSums(Q3, total, good.sourced, good.influenced_only, good.unattributed, good.credits)
        (row,) = shown(sumtables.quarter_table(found(bad)))
        assert row["state"] == "▼ does not add up"


def test_deals_without_a_rate_are_counted_beside_the_sums() -> None:
    """The column stands on the page only when there is something in it."""
    whole = quarter(sums("1"), sums("1"), sums("1"), sums("1"))
    torn = quarter(sums("1", 2, 1), sums("1"), sums("1"), sums("1"))

    def hidden(one: QuarterSums) -> bool:
        (column,) = [c for c in sumtables.quarter_table(found(one)).columns if c.key == "unconverted"]
        return column.sheet_only

    assert hidden(whole)
    assert not hidden(torn)
    (row,) = shown(sumtables.quarter_table(found(torn)))
    assert (row["unconverted"], row["state"]) == ("1", "◆ incomplete")


def test_negative_parts_are_shown_as_they_are() -> None:
    """A credit note has no place in a largest remainder."""
    (row,) = shown(sumtables.quarter_table(found(quarter(sums("-10.50"), sums("20"), sums("0"), sums("0")))))
    assert [row[key] for key in ("total", "sourced", "influenced_only")] == ["$9.50", "-$10.50", "$20.00"]


def test_each_currency_keeps_its_own_cents() -> None:
    """Exact amounts in the deals' own currencies, in the decimals that each has; newest quarter first."""
    one = quarter(sums("9", EUR="1.10", JPY="500"), sums("0", EUR="2.00"), sums("0", USD="7.05"), sums("0", JPY="500"))
    rows = shown(sumtables.currency_table(found(one)))
    assert [(row["currency"], row["total"], row["sourced"], row["resold"]) for row in rows] == [
        ("EUR", "€3.10", "€1.10", "€0.00"),
        ("JPY", "¥500", "¥500", "¥500"),
        ("USD", "$7.05", "$0.00", "$0.00"),
    ]


def test_an_amount_without_a_currency_is_no_money() -> None:
    """It is listed as a plain number under none, not under a currency that somebody guessed."""
    nothing = Sums(1, {"": Decimal("5")}, Decimal(0), 1)
    (row,) = shown(sumtables.currency_table(found(quarter(nothing, Sums(), Sums(), Sums()))))
    assert (row["currency"], row["total"]) == ("none", "5.00")


def test_three_ways_to_sum_stand_side_by_side() -> None:
    """Distinct and split 120,000, gross 180,000: a deal with two partners counts twice in gross (domain.md 8.2)."""
    credit = ways(sums("120000", 2), gross=sums("180000", 3), partners=("A", "B"))
    zero = Sums()
    table = sumtables.way_table(found(quarter(sums("120000"), zero, zero, zero, credit)), Q3)
    first = shown(table)[0]
    assert [first[key] for key in ("credit", "deals", "distinct", "split", "gross", "partners")] == [
        "Sourced", "2", "$120,000.00", "$120,000.00", "$180,000.00", "2",
    ]  # fmt: skip
    assert [row["credit"] for row in shown(table)] == ["Sourced", "Influenced", "Resold"]
    assert not sumtables.way_table(found(), Q3).rows


def test_deals_in_no_sum_are_listed_with_the_reason() -> None:
    """Nothing is dropped in silence, and its text is never markup."""
    evil = "<script>alert(1)</script>"
    apart = Apart(evil, Decimal("12.5"), "EUR", dt.date(2026, 8, 1), "no plan rate for its currency")
    table = sumtables.apart_table(found(apart=(apart, Apart("O2", None, "", None, "no closing day"))))
    assert [list(row.values())[:4] for row in shown(table)] == [
        [evil, "€12.50", "2026-08-01", "no plan rate for its currency"],
        ["O2", "None", "None", "no closing day"],
    ]
    assert "<script>" not in table.html()
    assert sumtables.apart_table(found()).plain() == "Every won deal is in the sums."
