"""What a metric takes beside the plain quarter: windows, snapshots, levels, credit, medians, and whole programmes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import small_world
from hypothesis import given
from hypothesis import strategies as st
from small_world import (
    AS_OF,
    COUNT,
    Q3,
    RATES,
    USD,
    credit,
    deal,
    leads,
    measure,
    partner,
    quarter,
    revenue,
    row,
    value,
)

from pbr_lib import metrics
from pbr_lib.definitions import RatioMetric, SimpleMetric, UnitSpec
from pbr_lib.extracts import Extract
from pbr_lib.metrics import Window

Q2 = "2026-Q2"


def deals(*made: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    """Deals (id, amount, closing day) that A sourced."""
    rows = [deal(key, amount, close_date=dt.date.fromisoformat(day), **more) for key, amount, day in made]
    return {
        "partners": [partner("A")],
        "opportunities": rows,
        "attributions": [credit(row["opportunity_id"], "A") for row in rows],
    }


def ratio(numerator: Any, denominator: Any, **more: Any) -> RatioMetric:
    """A ratio of metrics by name."""
    unit = more.pop("unit", UnitSpec(kind="percent"))
    facts = {"label": "r", "numerator": numerator, "denominator": denominator, "unit": unit}
    return RatioMetric(type="ratio", **facts, **more)


# -------------------------------------------------------------------------------------------- windows


def test_a_trailing_window_ends_with_its_quarter() -> None:
    """Four quarters that end with this one: the first day counts, the day before it does not."""
    tables = deals(
        ("O1", "1", "2025-09-30"), ("O2", "2", "2025-10-01"), ("O3", "4", "2026-06-30"), ("O4", "8", "2026-08-01")
    )
    measured = measure(tables, (Q2, Q3), year=revenue(trailing_quarters=4))["year"]
    assert value(measured, "A") == 14
    assert value(measured, "A", Q2) == 7
    assert sorted(measured.evidence([quarter(Q3)])["record_id"]) == ["O2", "O3", "O4"]


def test_a_trailing_window_needs_exports_that_reach_back() -> None:
    """An export that begins within the window cannot say what the whole window holds."""
    extracts = (Extract("o", "opportunities", "o.csv", "", AS_OF, dt.date(2025, 10, 2)),)
    window = Window((quarter(Q3),), AS_OF, "USD", (), extracts)
    tables = small_world.connect(deals(("O1", "1", "2026-08-01")))
    year, plain = revenue(trailing_quarters=4), revenue()
    measured = metrics.measure(tables, {"year": year, "plain": plain}, window)
    assert row(measured["plain"], "A")["state"] == "value"
    assert row(measured["year"], "A")["reason"] == "the export of opportunities begins on 2 Oct 2025"


def test_a_shifted_window_takes_rows_of_a_later_quarter() -> None:
    """Pipeline that closes next quarter counts in this one."""
    tables = deals(("O1", "1", "2026-09-30"), ("O2", "2", "2026-10-01"), ("O3", "4", "2026-12-31"), stage="open_late")
    metric = revenue(where={"is_open": True}, shift_quarters=1)
    measured = measure(tables, (Q2, Q3), ahead=metric)["ahead"]
    assert [value(measured, "A", label) for label in (Q2, Q3)] == [1, 6]


def test_a_snapshot_is_known_for_the_running_quarter_only() -> None:
    """What is open now says nothing of what was open then; the quarter to come has not begun."""
    tables = deals(("O1", "1", "2026-05-05"), ("O2", "2", "2026-08-08"), stage="open_late")
    measured = measure(tables, (Q2, Q3, "2026-Q4"), now=revenue(where={"is_open": True}, snapshot=True))["now"]
    assert value(measured, "A") == 2
    assert row(measured, "A", "2026-Q4")["state"] == "not_started"
    then = row(measured, "A", Q2)
    assert (then["state"], then["value"], then["n"]) == ("unknown", None, 0)
    assert then["reason"] == "known only as it stands on 30 Sep 2026"
    assert list(measured.evidence([quarter(Q2), quarter(Q3)])["record_id"]) == ["O2"]


def movements(*made: tuple[str, str, str, str]) -> dict[str, Any]:
    """Movements (id, amount, day, customer's first day) that A serves."""
    rows = [
        {"movement_id": key, "arr_delta": Decimal(delta), "currency": "USD", "account_id": since, "kind": "new",
         "effective_on": dt.date.fromisoformat(day), "customer_since": dt.date.fromisoformat(since)}
        for key, delta, day, since in made
    ]  # fmt: skip
    credits = [credit(row["movement_id"], "A", "delivered", subject_type="movement") for row in rows]
    return {"partners": [partner("A")], "subscription_movements": rows, "attributions": credits}


def arr(**more: Any) -> SimpleMetric:
    """Recurring revenue."""
    facts = {"label": "ARR", "table": "subscription_movements", "aggregate": "sum", "of": "arr_delta", "unit": USD}
    return SimpleMetric(**(facts | more))


def test_opening_and_movements_never_count_a_day_twice() -> None:
    """A level read at the opening ends before the first day of the window; the flow begins on it."""
    tables = movements(
        ("M1", "100", "2025-09-30", "2025-09-30"),
        ("M2", "-10", "2025-10-01", "2025-09-30"),
        ("M3", "50", "2025-10-01", "2025-10-01"),
        ("M4", "-5", "2026-03-03", "2025-10-01"),
    )
    opening = arr(nature="level", valid_from="effective_on", read_at="start", trailing_quarters=4)
    change = arr(date="effective_on", trailing_quarters=4)
    existing = arr(date="effective_on", trailing_quarters=4, existing_since="customer_since")
    now = arr(nature="level", valid_from="effective_on")
    measured = measure(tables, opening=opening, change=change, existing=existing, now=now)
    assert {name: value(one, "A") for name, one in measured.items()} == {
        "opening": 100, "change": 35, "existing": -10, "now": 135,
    }  # fmt: skip
    assert list(measured["existing"].evidence([quarter(Q3)])["record_id"]) == ["M2"]


def test_a_young_cohort_is_shown_and_marked() -> None:
    """The value stands; the remark says that it is not settled, until the days have passed."""
    tables = deals(("O1", "1", "2026-04-04"), ("O2", "2", "2026-08-08"))
    parts = {"won": revenue(maturity_days=93), "half": ratio("won", "won", maturity_days=92)}
    measured = measure(tables, (Q2, Q3), **parts)
    found = row(measured["won"], "A")
    assert (found["state"], found["value"]) == ("value", 2)
    assert found["reason"] == "cohort of 2026-Q3, still immature: settled 93 days after its end"
    assert row(measured["won"], "A", Q2)["reason"].startswith("cohort of 2026-Q2")
    assert row(measured["half"], "A")["reason"].startswith("cohort of 2026-Q3")
    assert row(measured["half"], "A", Q2)["reason"] == ""


# ------------------------------------------------------------------------------------------ aggregates


@pytest.mark.parametrize(
    ("amounts", "middle"),
    [
        (["3"], "3"),
        (["1", "9"], "5"),
        (["7", "1", "2"], "2"),
        (["1", "2", "2.0001", "9"], "2.00005"),
        (["4", None], "4"),
    ],
)
def test_a_median_is_the_middle_exactly(amounts: list[str | None], middle: str) -> None:
    """Of an even number the mean of the two in the middle; records without a value are not among them."""
    made = [deal(f"O{i}", amount) for i, amount in enumerate(amounts)]
    tables = {
        "partners": [partner("A")],
        "opportunities": made,
        "attributions": [credit(each["opportunity_id"], "A") for each in made],
    }
    measured = measure(tables, m=revenue(aggregate="median"))["m"]
    assert value(measured, "A") == Decimal(middle)
    shown = measured.evidence([quarter(Q3)])["counts"]
    assert sorted(each for each in shown if each is not None) == sorted(Decimal(a) for a in amounts if a is not None)


def test_whole_numbers_are_measured_in_decimal() -> None:
    """Days are whole numbers in the tables and Decimal in every value, in mean and median alike."""
    made = [deal(f"O{i}", "1", cycle_days=days) for i, days in enumerate((1, 2, 4))]
    tables = {
        "partners": [partner("A")],
        "opportunities": made,
        "attributions": [credit(f"O{i}", "A") for i in range(3)],
    }
    unit = UnitSpec(kind="days")
    kinds = {kind: revenue(aggregate=kind, of="cycle_days", unit=unit) for kind in ("sum", "average", "median", "max")}
    found = {name: value(one, "A") for name, one in measure(tables, **kinds).items()}
    assert found == {"sum": 7, "average": Decimal(7) / 3, "median": 2, "max": 4}
    assert all(isinstance(each, Decimal) for each in found.values())


# ---------------------------------------------------------------------------------------------- credit


def claims(*made: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Leads, each with one claim of A of that kind."""
    rows = [{"lead_id": key, "status": "new", "created_at": dt.datetime(2026, 7, 2)} for key, _ in made]
    credits = [credit(key, "A", subject_type="lead") | more for key, more in made]
    return {"partners": [partner("A")], "leads": rows, "attributions": credits}


def test_only_confirmed_credit_in_time_counts() -> None:
    """AT8 and acceptance case 5: disputed, rejected, merely claimed and late credit does not count by default."""
    tables = claims(
        ("L1", {"status": "confirmed"}), ("L2", {"status": None}), ("L3", {"status": "claimed"}),
        ("L4", {"status": "disputed"}), ("L5", {"status": "rejected"}), ("L6", {"is_late": True}),
        ("L7", {"is_late": True, "status": "claimed"}),
    )  # fmt: skip
    wide = leads(credit_status=("confirmed", "claimed"))
    measured = measure(tables, plain=leads(), wide=wide, late=leads(late=True), only=leads(credit_status=("claimed",)))
    found = {name: sorted(one.evidence([quarter(Q3)])["record_id"]) for name, one in measured.items()}
    assert found == {"plain": ["L1", "L2"], "wide": ["L1", "L2", "L3"], "late": ["L1", "L2", "L6"], "only": ["L3"]}


def test_credit_can_be_asked_for_by_its_evidence() -> None:
    """Leads of joint campaigns are those whose credit came through a campaign."""
    tables = claims(("L1", {"method": "campaign"}), ("L2", {"method": "field"}), ("L3", {"method": None}))
    assert value(measure(tables, m=leads(credit_method=("campaign",)))["m"], "A") == 1


def test_sum_says_the_same_as_credit() -> None:
    """gross is full, split is split, and for one partner distinct is gross."""
    tables = deals(("O1", "100", "2026-08-08"))
    tables["attributions"] = [credit("O1", "A", share="0.25")]
    ways = {way: revenue(sum=way) for way in ("gross", "split", "distinct")}
    found = {name: value(one, "A") for name, one in measure(tables, **ways).items()}
    assert found == {"gross": 100, "split": 25, "distinct": 100}


def test_a_partner_can_be_measured_by_its_own_row() -> None:
    """The list of partners is a table like any other; a row belongs to the partner whose row it is."""
    tables = {"partners": [partner("A", first_won_on=dt.date(2026, 8, 1), days_to_first_deal=31), partner("B")]}
    days = SimpleMetric(label="Days", table="partners", aggregate="latest", of="days_to_first_deal",
                        date="first_won_on", unit=UnitSpec(kind="days"))  # fmt: skip
    measured = measure(tables, days=days)["days"]
    assert value(measured, "A") == 31
    assert row(measured, "B")["state"] == "unknown"


@pytest.mark.parametrize(
    ("absent", "reason"),
    [
        ("service_links", "no export of service_links was provided"),
        ("attributions", "the export attributions was not provided"),
    ],
)
def test_movements_without_the_exports_that_give_credit_are_no_zero(absent: str, reason: str) -> None:
    """Without the links nobody serves any customer, which is not known to be so."""
    measured = measure({"partners": [partner("A")]}, absent=[absent], arr=arr(date="effective_on"))["arr"]
    assert tuple(row(measured, "A")[["state", "reason"]]) == ("unknown", reason)


@pytest.mark.parametrize("table", ["actions", "targets", "manual_facts"])
def test_what_people_write_in_params_is_always_whole(table: str) -> None:
    """A table that no export fills is covered; nothing in it is a true zero."""
    assert Window((quarter(Q3),), AS_OF, "USD").gap(table, quarter(Q3)) == ""


# ---------------------------------------------------------------------------------------------- ratios


def test_parts_are_added_and_taken_off() -> None:
    """MDF, domain.md case 11: 5 M revenue on 800 k spent is 6.25 for each dollar and a return of 525 %."""
    tables = deals(("O1", "5000000", "2026-08-08"))
    tables["mdf_claims"] = [{"claim_id": "C1", "partner_id": "A", "paid_amount": Decimal(800_000),
                             "paid_on": dt.date(2026, 8, 1), "currency": "USD"}]  # fmt: skip
    spent = SimpleMetric(label="Spent", table="mdf_claims", aggregate="sum", of="paid_amount", date="paid_on", unit=USD)
    parts = {"revenue": revenue(), "spent": spent}
    measured = measure(tables, **parts, per=ratio("revenue", "spent"), roi=ratio(["revenue", "-spent"], "spent"),
                       scaled=ratio("revenue", "spent", scale=100),
                       two=ratio("revenue", ["spent", "spent"]))  # fmt: skip
    assert value(measured["per"], "A") == Decimal("6.25")
    assert value(measured["roi"], "A") == Decimal("5.25")
    assert value(measured["scaled"], "A") == 625
    assert tuple(row(measured["two"], "A")[["value", "n"]]) == (Decimal("3.125"), 2)
    rows = measured["roi"].evidence([quarter(Q3)])
    above = rows[rows["role"] == "numerator"].set_index("record_id")["counts"].to_dict()
    assert above == {"O1": 5_000_000, "C1": -800_000}
    assert set(rows["table"]) == {"opportunities", "mdf_claims"}


def test_a_sum_is_unknown_when_one_of_its_parts_is() -> None:
    """What one part lacks the others cannot make up for; the reason is the part's own."""
    tables = deals(("O1", "1", "2026-08-08"))
    measured = measure(tables, absent=["leads"], won=revenue(aggregate="count", of=None, unit=COUNT), leads=leads(),
                       both=ratio(["won", "leads"], "won"))["both"]  # fmt: skip
    assert tuple(row(measured, "A")[["state", "reason"]]) == ("unknown", "no export of leads was provided")


# ------------------------------------------------------------------------------------- the programme


def test_the_whole_programme_is_one_figure_and_lists_no_record() -> None:
    """Every partner sees the same total, each row once; the records are other partners' and stay away."""
    tables = deals(("O1", "1", "2026-08-08"), ("O2", "2", "2026-08-08"))
    tables["partners"].append(partner("B"))
    tables["attributions"] = [credit("O1", "A"), credit("O1", "B")]
    both = {"all": revenue(scope="programme"), "mine": revenue(), "part": ratio("mine", "all")}
    measured = measure(tables, **both)
    assert [value(measured["all"], who) for who in "AB"] == [3, 3]
    assert value(measured["part"], "B") == Decimal(1) / 3
    assert measured["all"].evidence([quarter(Q3)]).empty
    assert set(measured["part"].evidence([quarter(Q3)])["role"]) == {"numerator"}


def total(tables: dict[str, Any], metric: SimpleMetric, labels: tuple[str, ...] = (Q3,), absent: Any = ()) -> Any:
    """The programme's totals of the last quarter named."""
    window = small_world.window(AS_OF, labels, RATES, absent)
    return metrics.programme(small_world.connect(tables), metric, window).iloc[-1]


def test_the_three_ways_to_sum_are_kept_apart() -> None:
    """goals.md 10: "sum of partners 180,000; distinct 120,000"; split adds up to distinct (domain.md case 3)."""
    tables = deals(("O1", "60000", "2026-08-08"), ("O2", "60000", "2026-08-08"), ("O3", "7", "2026-08-08"))
    tables["partners"].append(partner("B"))
    tables["attributions"] = [credit("O1", "A", share="0.6"), credit("O1", "B", share="0.4"), credit("O2", "B")]
    tables["attributions"].append(credit("O3", "stranger"))
    found = total(tables, revenue(credit_type=("sourced",)))
    assert tuple(found[["state", "gross", "split", "distinct", "records"]]) == ("value", 180_000, 120_000, 120_000, 2)
    count = total(tables, revenue(aggregate="count", of=None, unit=COUNT))
    assert tuple(count[["gross", "split", "distinct", "records"]]) == (3, 2, 2, 2)


def test_a_total_that_cannot_be_asserted_is_unknown() -> None:
    """A missing export and money without a rate leave no total, in any of the ways; an empty quarter is zero."""
    tables = deals(("O1", "1", "2026-08-08"), currency="XAF")
    assert total(tables, revenue())["reason"] == "no plan rate for the currency of 1 record"
    assert total(tables, revenue(), absent=["opportunities"])["state"] == "unknown"
    empty = total(tables, revenue(), ("2026-Q1",))
    assert tuple(empty[["state", "gross", "split", "distinct"]]) == ("zero", 0, 0, 0)
    with pytest.raises(ValueError, match="does not add up over partners; give"):
        total(tables, revenue(aggregate="average"))


def shared_deals(seed: int) -> dict[str, Any]:
    """Deals of up to three partners each, whose shares of four decimals add up to one."""
    dice = Random(seed)
    tables: dict[str, Any] = {"partners": [partner(f"P{i}") for i in range(5)], "opportunities": [], "attributions": []}
    for i in range(25):
        tables["opportunities"].append(
            deal(f"O{i}", f"{dice.randint(1, 10**8) / 100:.2f}", account_id=dice.choice("XYZ"))
        )
        who = dice.sample(range(5), dice.randint(1, 3))
        weights = [dice.randint(1, 9) for _ in who]
        shares = [Decimal(weight * 10_000 // sum(weights)) / 10_000 for weight in weights]
        shares[0] += 1 - sum(shares)
        tables["attributions"] += [credit(f"O{i}", f"P{p}", share=str(s)) for p, s in zip(who, shares, strict=True)]
    return tables


@given(st.integers(0, 5))
def test_split_foots_to_the_total_and_distinct_never_exceeds_gross(seed: int) -> None:
    """goals.md 10 and 12: the partners' shares are the company's total to the cent; gross may only be larger."""
    tables = shared_deals(seed)
    found = total(tables, revenue())
    whole = sum(deal["amount"] for deal in tables["opportunities"])
    assert found["split"] == found["distinct"] == whole
    assert found["gross"] >= found["distinct"]
    measured = measure(tables, split=revenue(sum="split"), gross=revenue())
    assert measured["split"].values["value"].sum() == whole
    assert measured["gross"].values["value"].sum() == found["gross"]
    customers = total(tables, revenue(aggregate="count_distinct", of="account_id", unit=COUNT))
    assert customers["distinct"] == len({deal["account_id"] for deal in tables["opportunities"]}) <= customers["gross"]
