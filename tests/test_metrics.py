"""Metrics on cases small enough to check by hand: credit, rates, coverage, edges of quarters."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import small_world
from small_world import AS_OF, COUNT, Q3, RATES, credit, deal, leads, measure, partner, quarter, revenue, row, value

from pbr_lib import metrics
from pbr_lib.definitions import AnyOf, Compare, Filter, InProgress, RatioMetric, SimpleMetric, UnitSpec
from pbr_lib.metrics import Window
from pbr_lib.params import Rate
from pbr_lib.periods import Calendar

# ---------------------------------------------------------------------------------------------- credit


def test_a_deal_of_two_partners_is_split_and_counts_once_in_total() -> None:
    """Acceptance case 3: 100k sourced 60/40 gives 60k and 40k split, 100k each in full, 100k for the programme."""
    tables = {
        "partners": [partner("A"), partner("B")],
        "opportunities": [deal("O1", "100000")],
        "attributions": [credit("O1", "A", share="0.6"), credit("O1", "B", share="0.4")],
    }
    measured = measure(tables, split=revenue(credit="split", credit_type=("sourced",)), full=revenue())
    assert [value(measured["split"], who) for who in "AB"] == [Decimal(60000), Decimal(40000)]
    assert [value(measured["full"], who) for who in "AB"] == [Decimal(100000), Decimal(100000)]
    assert measured["split"].values["value"].sum() == Decimal(100000)


def test_each_credit_shows_in_its_own_column_once() -> None:
    """Acceptance case 4: sourced by A, resold by B, influenced by C: once in each column, nowhere else."""
    tables = {
        "partners": [partner("A"), partner("B"), partner("C")],
        "opportunities": [deal("O1", "500")],
        "attributions": [credit("O1", "A"), credit("O1", "B", "resold"), credit("O1", "C", "influenced")],
    }
    kinds = ("sourced", "resold", "influenced")
    measured = measure(tables, **{kind: revenue(credit_type=(kind,)) for kind in kinds})
    for kind, who in zip(kinds, "ABC", strict=True):
        frame = measured[kind].values.set_index("partner_id")["value"]
        assert frame.to_dict() == {other: Decimal(500 if other == who else 0) for other in "ABC"}


def test_a_partner_credited_twice_on_a_deal_counts_it_once() -> None:
    """Two credits of one partner on one record make one hit, not two."""
    tables = {
        "partners": [partner("A")],
        "opportunities": [deal("O1", "500")],
        "attributions": [credit("O1", "A", share="0.5"), credit("O1", "A", "resold")],
    }
    measured = measure(tables, any=revenue(), won=revenue(aggregate="count", of=None, unit=COUNT))
    assert value(measured["any"], "A") == 500
    assert value(measured["won"], "A") == 1


def test_a_converted_lead_counts_once_as_lead_and_keeps_its_source_on_the_deal() -> None:
    """Acceptance case 15: the lead counts among leads, its opportunity among deals, neither twice."""
    tables = {
        "partners": [partner("A")],
        "leads": [{"lead_id": "L1", "status": "converted", "converted_opportunity_id": "O1",
                   "created_at": dt.datetime(2026, 7, 2)}],
        "opportunities": [deal("O1", "500")],
        "attributions": [credit("L1", "A", subject_type="lead"), credit("O1", "A")],
    }  # fmt: skip
    measured = measure(tables, leads=leads(), revenue=revenue(credit_type=("sourced",)))
    assert value(measured["leads"], "A") == 1
    assert value(measured["revenue"], "A") == 500


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_split_sums_over_partners_are_the_total_to_the_cent(seed: int) -> None:
    """Roll-up law (goals.md 10): with shares that add up to one, the parts add up to the deals exactly."""
    from random import Random

    dice = Random(seed)
    tables: dict[str, list[Any]] = {
        "partners": [partner(f"P{i}") for i in range(5)],
        "opportunities": [],
        "attributions": [],
    }
    for i in range(40):
        tables["opportunities"].append(deal(f"O{i}", f"{dice.randint(1, 10**8) / 100:.2f}"))
        shares = dice.choice([["1"], ["0.6", "0.4"], ["0.3334", "0.3333", "0.3333"]])
        chosen = dice.sample(range(5), len(shares))
        tables["attributions"] += [credit(f"O{i}", f"P{who}", share=s) for who, s in zip(chosen, shares, strict=True)]
    measured = measure(tables, split=revenue(credit="split"))
    assert measured["split"].values["value"].sum() == sum(row["amount"] for row in tables["opportunities"])


# ------------------------------------------------------------------------------------------- quarters


def test_a_deal_at_2330_on_the_last_day_counts_in_this_quarter() -> None:
    """Acceptance case 2: periods are half-open by date; an instant of the last day belongs to it, midnight does not."""
    moments = {"L1": dt.datetime(2026, 9, 30, 23, 30), "L2": dt.datetime(2026, 10, 1), "L3": dt.datetime(2026, 7, 1)}
    tables = {
        "partners": [partner("A")],
        "leads": [{"lead_id": key, "created_at": when} for key, when in moments.items()],
        "attributions": [credit(key, "A", subject_type="lead") for key in moments],
    }
    measured = measure(tables, ("2026-Q2", Q3), leads=leads())["leads"]
    assert value(measured, "A") == 2
    assert value(measured, "A", "2026-Q2") == 0
    assert set(measured.evidence([quarter(Q3)])["record_id"]) == {"L1", "L3"}


def test_two_fiscal_years_put_the_same_deal_into_their_own_quarters() -> None:
    """Acceptance case 20: with a year from February, August opens the third quarter of FY27, not of 2026."""
    fiscal = Calendar(2, "fiscal")
    tables = {
        "partners": [partner("A")],
        "opportunities": [
            deal("O1", "5", close_date=dt.date(2026, 7, 31)),
            deal("O2", "7", close_date=dt.date(2026, 8, 1)),
        ],
        "attributions": [credit("O1", "A"), credit("O2", "A")],
    }
    window = small_world.window(AS_OF, [Q3])
    mine = Window((fiscal.parse("FY27-Q2"), fiscal.parse("FY27-Q3")), AS_OF, "USD", (), window.extracts)
    connection = small_world.connect(tables)
    there = metrics.measure(connection, {"m": revenue()}, mine)["m"]
    here = metrics.measure(connection, {"m": revenue()}, window)["m"]
    assert [value(there, "A", label) for label in ("FY27-Q2", "FY27-Q3")] == [5, 7]
    assert value(here, "A") == 12


def test_a_level_is_read_on_the_last_day_or_the_as_of_day() -> None:
    """A certificate counts on every day from issue to expiry, both included; a person counts once."""
    spans = {"C1": (dt.date(2026, 6, 1), dt.date(2026, 6, 30)), "C2": (dt.date(2026, 6, 30), dt.date(2026, 9, 29))}
    spans |= {"C3": (dt.date(2026, 9, 30), None), "C4": (dt.date(2026, 10, 1), None)}
    certificates = [
        {"certification_id": key, "partner_id": "A", "person_id": "same" if key in ("C1", "C2") else key,
         "issued_on": start, "expires_on": end}
        for key, (start, end) in spans.items()
    ]  # fmt: skip
    people = {"label": "People", "table": "certifications", "aggregate": "count_distinct", "of": "person_id"}
    level = SimpleMetric(**people, nature="level", valid_from="issued_on", valid_to="expires_on", unit=COUNT)
    tables = {"partners": [partner("A")], "certifications": certificates}
    measured = measure(tables, ("2026-Q2", Q3), people=level)["people"]
    assert [value(measured, "A", label) for label in ("2026-Q2", Q3)] == [1, 1]
    assert row(measured, "A", "2026-Q2")["n"] == 2


# ---------------------------------------------------------------------------------------------- money


def test_foreign_money_counts_at_the_plan_rate_of_the_quarter() -> None:
    """Acceptance case 12: EUR at plan; a rate that begins within the quarter waits; spot never counts."""
    rates = (*RATES, Rate("EUR", "USD", "plan", dt.date(2026, 7, 2), Decimal(2)))
    rates += (
        Rate("EUR", "USD", "spot", dt.date(2026, 6, 1), Decimal(3)),
        Rate("USD", "EUR", "plan", dt.date(2026, 6, 1), Decimal(4)),
    )
    tables = {
        "partners": [partner("A")],
        "opportunities": [deal("O1", "100.05", currency="EUR"), deal("O2", "1")],
        "attributions": [credit("O1", "A"), credit("O2", "A")],
    }
    window = small_world.window(AS_OF, [Q3], rates)
    measured = metrics.measure(small_world.connect(tables), {"m": revenue()}, window)["m"]
    assert value(measured, "A") == Decimal("111.055")


@pytest.mark.parametrize("currency", ["XAF", None])
def test_money_without_a_plan_rate_is_unknown_and_listed(currency: str | None) -> None:
    """Oracle T30: never at par and never left out; the deal is listed, the value is not measurable."""
    tables = {
        "partners": [partner("A")],
        "opportunities": [deal("O1", "100", currency=currency), deal("O2", "1")],
        "attributions": [credit("O1", "A"), credit("O2", "A")],
    }
    measured = measure(tables, m=revenue())["m"]
    found = row(measured, "A")
    assert (found["state"], found["value"], found["n"]) == ("unknown", None, 2)
    assert found["reason"] == "no plan rate for the currency of 1 record: O1"
    assert set(measured.evidence([quarter(Q3)])["record_id"]) == {"O1", "O2"}


@pytest.mark.parametrize(
    ("fx", "words"),
    [("plan_rate", "plan rate"), ("close_date_rate", "spot rate of its day"), ("period_average", "average rate")],
)
def test_the_reason_names_the_first_records_without_a_rate(fx: str, words: str) -> None:
    """Three of five by day and id, each partner its own; what the whole programme lacks is named to nobody."""
    deals = [deal(f"O{n}", "1", currency="XAF") for n in range(5)] + [deal("O9", "1", currency="XAF")]
    given = [credit(f"O{n}", "A") for n in range(5)] + [credit("O9", "B")]
    tables = {"partners": [partner("A"), partner("B")], "opportunities": deals, "attributions": given}
    unit = UnitSpec(kind="money", currency="USD", fx=fx)
    measured = measure(tables, m=revenue(unit=unit), whole=revenue(unit=unit, scope="programme"))
    reasons = [row(measured["m"], who)["reason"] for who in "AB"]
    assert reasons == [f"no {words} for the currency of 5 records: O0, O1, O2 and 2 more",
                       f"no {words} for the currency of 1 record: O9"]  # fmt: skip
    assert row(measured["whole"], "A")["reason"] == f"no {words} for the currency of 6 records"


def test_a_goal_of_100_with_10_and_1000_in_another_currency_converts_both() -> None:
    """Oracle T30: £10 and $1000 against a goal in pounds; both count, converted at plan."""
    rates = (Rate("USD", "GBP", "plan", dt.date(2026, 1, 1), Decimal("0.77")),)
    tables = {
        "partners": [partner("A")],
        "opportunities": [deal("O1", "10", currency="GBP"), deal("O2", "1000", currency="USD")],
        "attributions": [credit("O1", "A"), credit("O2", "A")],
    }
    pounds = revenue(unit=UnitSpec(kind="money", currency="GBP"))
    window = small_world.window(AS_OF, [Q3], rates)
    measured = metrics.measure(small_world.connect(tables), {"m": pounds}, window)["m"]
    assert value(measured, "A") == 780


def test_nothing_is_rounded_before_the_edge() -> None:
    """The largest amount at an eight-digit rate and a four-digit share keeps every one of its digits."""
    rates = (Rate("EUR", "USD", "plan", dt.date(2026, 1, 1), Decimal("1.12345678")),)
    tables = {
        "partners": [partner("A")],
        "opportunities": [deal("O1", "99999999999999.9999", currency="EUR")],
        "attributions": [credit("O1", "A", share="0.3333")],
    }
    window = small_world.window(AS_OF, [Q3], rates)
    measured = metrics.measure(small_world.connect(tables), {"m": revenue(credit="split")}, window)["m"]
    digits = str(999_999_999_999_999_999 * 112_345_678 * 3_333)
    assert value(measured, "A") == Decimal(f"{digits[:-16]}.{digits[-16:]}")


# ------------------------------------------------------------------------------------------ aggregates


def test_a_mean_is_divided_in_decimal() -> None:
    """0.10, 0.20 and 0.20 average to a sixth and a half, not to 0.17 as the engine's own mean would say."""
    tables = {
        "partners": [partner("A")],
        "surveys": [
            {"response_id": f"S{i}", "partner_id": "A", "kind": "csat", "score": Decimal(score), "answered_on": AS_OF}
            for i, score in enumerate(["0.10", "0.20", "0.20"])
        ],
    }
    mean = SimpleMetric(label="m", table="surveys", aggregate="average", of="score", date="answered_on",
                        unit=UnitSpec(kind="number"))  # fmt: skip
    assert value(measure(tables, m=mean)["m"], "A") == Decimal("0.5") / 3


def test_only_nulls_are_unknown_for_every_aggregate() -> None:
    """Rows without a value are not zero: neither their sum, nor the latest, nor a count of what they hold."""
    tables = {
        "partners": [partner("A")],
        "opportunities": [deal("O1", None), deal("O2", None)],
        "attributions": [credit("O1", "A"), credit("O2", "A")],
    }
    kinds = {name: revenue(aggregate=name) for name in ("sum", "average", "min", "max", "latest")}
    kinds["count_distinct"] = revenue(aggregate="count_distinct", of="account_id", unit=COUNT)
    for name, measured in measure(tables, **kinds).items():
        found = row(measured, "A")
        assert (found["state"], found["value"], found["n"]) == ("unknown", None, 2), name
        assert "is empty in all of 2 records" in found["reason"]


def test_latest_is_the_newest_record_that_has_a_value() -> None:
    """A newer record without a value does not hide the one before it; evidence still adds up to the value."""
    deals = [
        deal(f"O{day}", amount, close_date=dt.date(2026, 8, day)) for day, amount in ((1, "5"), (2, "7"), (3, None))
    ]
    tables = {
        "partners": [partner("A")],
        "opportunities": deals,
        "attributions": [credit(d["opportunity_id"], "A") for d in deals],
    }
    measured = measure(tables, m=revenue(aggregate="latest"))["m"]
    counts = measured.evidence([quarter(Q3)]).set_index("record_id")["counts"].to_dict()
    assert value(measured, "A") == 7
    assert counts == {"O1": 0, "O2": 7, "O3": None}


def test_five_thousand_and_one_records_all_count() -> None:
    """Acceptance case 18: no ceiling on the records of a goal, in the value or in the list."""
    many = range(5001)
    tables = {
        "partners": [partner("A")],
        "leads": [{"lead_id": f"L{i}", "created_at": dt.datetime(2026, 8, 1)} for i in many],
        "attributions": [credit(f"L{i}", "A", subject_type="lead") for i in many],
    }
    measured = measure(tables, m=leads())["m"]
    assert value(measured, "A") == 5001
    assert len(measured.evidence([quarter(Q3)])) == 5001


def test_what_is_under_way_is_aggregated_like_the_metric_and_never_added() -> None:
    """In progress obeys its own filter and date; of a mean it is a mean."""
    deals = [deal("O1", "10"), deal("O2", "20", stage="open_late"), deal("O3", "40", stage="open_late")]
    tables = {
        "partners": [partner("A")],
        "opportunities": deals,
        "attributions": [credit(d["opportunity_id"], "A") for d in deals],
    }
    under_way = InProgress(where={"is_open": True}, date="close_date")
    measured = measure(
        tables,
        total=revenue(in_progress=under_way),
        mean=revenue(aggregate="average", in_progress=under_way),
        ratio=RatioMetric(
            type="ratio", label="r", numerator="total", denominator="total", unit=UnitSpec(kind="percent")
        ),
    )
    assert tuple(row(measured["total"], "A")[["value", "in_progress"]]) == (10, 60)
    assert row(measured["mean"], "A")["in_progress"] == 30
    assert row(measured["ratio"], "A")["in_progress"] is None
    roles = measured["total"].evidence([quarter(Q3)]).groupby("role")["record_id"].agg(list).to_dict()
    assert roles == {"actual": ["O1"], "in progress": ["O2", "O3"]}


# --------------------------------------------------------------------------------------------- ratios


def rate(min_n: int = 1, zero: str = "unknown") -> RatioMetric:
    """Won by closed."""
    return RatioMetric(type="ratio", label="Win rate", numerator="won", denominator="closed", min_n=min_n,
                       zero_denominator=zero, unit=UnitSpec(kind="percent"))  # fmt: skip


def won_and_closed() -> dict[str, SimpleMetric]:
    """The parts of the win rate."""
    closed: Filter = AnyOf((Compare("is_won", "is", True), Compare("is_lost", "is", True)))
    parts = {"aggregate": "count", "of": None, "unit": COUNT}
    return {"won": revenue(**parts), "closed": revenue(**parts, where=closed)}


def closings(who: str, won: int, lost: int) -> tuple[list[Any], list[Any]]:
    """So many deals won and lost, with their credits."""
    deals = [deal(f"{who}{i}", "1", stage="won" if i < won else "lost") for i in range(won + lost)]
    return deals, [credit(d["opportunity_id"], who) for d in deals]


def test_a_ratio_of_too_few_records_is_unknown() -> None:
    """Acceptance case 7: two records where five are needed are neither 0 % nor 100 %."""
    deals, credits = closings("A", 2, 0)
    tables = {"partners": [partner("A")], "opportunities": deals, "attributions": credits}
    found = row(measure(tables, **won_and_closed(), rate=rate(5))["rate"], "A")
    assert (found["state"], found["value"], found["n"]) == ("unknown", None, 2)
    assert found["reason"] == "2 records, at least 5 are needed"


def test_a_parents_ratio_comes_from_its_parts() -> None:
    """Acceptance case 10: children 1/2 and 9/20 make 10/22, not the mean 47.5 %."""
    (a, credit_a), (b, credit_b) = closings("A", 1, 1), closings("B", 9, 11)
    tables = {
        "partners": [partner("A"), partner("B")],
        "opportunities": [*a, *b],
        "attributions": [*credit_a, *credit_b],
    }
    frame = measure(tables, **won_and_closed(), rate=rate())["rate"].values
    assert list(frame["value"]) == [Decimal("0.5"), Decimal("0.45")]
    assert frame["numerator"].sum() / frame["denominator"].sum() == Decimal(10) / Decimal(22)


def test_an_empty_denominator_is_unknown_or_zero_as_defined() -> None:
    """Nothing closed: not measurable, unless the definition says that nothing means zero."""
    tables = {"partners": [partner("A")]}
    measured = measure(tables, **won_and_closed(), rate=rate(), zero=rate(zero="zero"))
    assert tuple(row(measured["rate"], "A")[["state", "reason"]]) == ("unknown", "no record in the quarter")
    assert tuple(row(measured["zero"], "A")[["state", "value"]]) == ("zero", 0)


def test_a_ratio_takes_over_what_makes_a_part_unknown() -> None:
    """A part whose export is missing makes the ratio unknown, for the part's own reason."""
    tables = {"partners": [partner("A")]}
    mixed = RatioMetric(type="ratio", label="r", numerator="leads", denominator="closed", unit=UnitSpec(kind="percent"))
    measured = measure(tables, absent=["leads"], **won_and_closed(), leads=leads(), mixed=mixed)["mixed"]
    assert tuple(row(measured, "A")[["state", "value"]]) == ("unknown", None)
    assert row(measured, "A")["reason"] == "no export of leads was provided"
