"""The computed columns: what the workbook works out once, of all tables together."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import arrow, credit, partner

from pbr_lib.canonical import schema_of
from pbr_lib.completion import complete
from pbr_lib.periods import Calendar
from pbr_lib.schema import TABLES

Row = dict[str, Any]


def done(calendar: Calendar | None = None, **tables: list[Row]) -> dict[str, list[Row]]:
    """The rows of each table, completed."""
    return {name: table.to_pylist() for name, table in complete(arrow(tables), calendar or Calendar()).items()}


def deal(key: str, **more: Any) -> Row:
    """An open deal of which little is known."""
    return {"opportunity_id": key, "stage": "open_mid", "created_at": dt.datetime(2026, 7, 1, 23, 30)} | more


def test_every_table_keeps_its_columns_and_types() -> None:
    """Empty tables and full ones come out as the model says."""
    for name, table in complete(arrow({"opportunities": [deal("R")]}), Calendar()).items():
        assert table.schema == schema_of(TABLES[name])


def test_the_stage_says_whether_a_deal_is_open() -> None:
    """Exactly one of open, won and lost."""
    stages = ["open_early", "open_mid", "open_late", "won", "lost"]
    rows = done(opportunities=[deal(stage, stage=stage) for stage in stages])["opportunities"]
    flags = {row["stage"]: (row["is_open"], row["is_won"], row["is_lost"]) for row in rows}
    assert flags == {stage: (stage.startswith("open"), stage == "won", stage == "lost") for stage in stages}


def test_weighted_amounts_are_of_open_deals() -> None:
    """Amount times probability, to four places half-up; unknown where one of the two is."""
    some = {"amount": Decimal("100.0001"), "probability": Decimal("0.5")}
    rows = [deal("R0", **some), deal("R1", **some, stage="won"), deal("R2", amount=Decimal(1)), deal("R3")]
    weighted = [row["weighted_amount"] for row in done(opportunities=rows)["opportunities"]]
    assert weighted == [Decimal("50.0001"), None, None, None]


def test_days_run_from_day_to_day() -> None:
    """A clock plays no part; what came before is negative, what is not known is nothing."""
    day = dt.date(2026, 7, 31)
    rows = [
        deal("R0", stage="won", close_date=day, went_live_on=dt.date(2026, 8, 10)),
        deal("R1", stage="lost", close_date=dt.date(2026, 6, 30), went_live_on=day),
        deal("R2", close_date=day),
        deal("R3", stage="won"),
    ]
    got = [(row["cycle_days"], row["days_to_live"]) for row in done(opportunities=rows)["opportunities"]]
    assert got == [(30, 10), (-1, None), (None, None), (None, None)]


def test_only_credit_that_counts_makes_a_partner_deal() -> None:
    """AT5, AT8: late, disputed and unconfirmed credit does not count."""
    states: list[Row] = [{}, {"status": "confirmed"}, {"status": "claimed"}, {"status": "disputed"}, {"is_late": True}]
    claims = [credit(f"R{n}", "A") | more for n, more in enumerate(states)]
    claims.append(credit("R5", "A", subject_type="lead"))
    rows = done(opportunities=[deal(f"R{n}") for n in range(7)], attributions=claims)["opportunities"]
    assert [row["has_partner"] for row in rows] == [True, True, False, False, False, False, False]


def test_a_deal_is_mdf_funded_when_its_campaign_was_paid() -> None:
    """Money that was asked for or approved is not paid yet."""
    claims = [{"claim_id": "1", "campaign_id": "K1", "paid_amount": Decimal(5)},
              {"claim_id": "2", "campaign_id": "K2", "approved_amount": Decimal(5)},
              {"claim_id": "3", "paid_amount": Decimal(5)}]  # fmt: skip
    rows = [deal("R0", campaign_id="K1"), deal("R1", campaign_id="K2"), deal("R2")]
    got = done(opportunities=rows, mdf_claims=claims)["opportunities"]
    assert [row["mdf_funded"] for row in got] == [True, False, False]


def test_activities_are_joint_when_both_sides_logged_one() -> None:
    """The number of both sides', or nought."""
    logged = [("R0", "us"), ("R0", "partner"), ("R0", "us"), ("R1", "us"), ("R1", "us"), (None, "us"), ("R2", None)]
    rows = [{"activity_id": f"{n}", "opportunity_id": key, "by_side": side} for n, (key, side) in enumerate(logged)]
    got = done(opportunities=[deal(f"R{n}") for n in range(3)], activities=rows)["opportunities"]
    assert [row["joint_activities"] for row in got] == [3, 0, 0]


def test_leads_say_how_long_they_took() -> None:
    """From creation to conversion."""
    leads = [{"lead_id": "L", "created_at": dt.datetime(2026, 7, 1, 9), "converted_on": dt.date(2026, 7, 4)}]
    assert (
        done(leads=[*leads, {"lead_id": "M", "created_at": dt.datetime(2026, 7, 1)}])["leads"][0]["days_to_convert"]
        == 3
    )


@pytest.mark.parametrize(
    ("asked", "answered", "days", "business"),
    [
        (dt.date(2020, 1, 1), dt.date(2020, 1, 2), 1, 1),
        (dt.date(2020, 1, 2), dt.date(2020, 1, 10), 8, 6),
        (dt.date(2020, 1, 3), dt.date(2020, 1, 6), 3, 1),
        (dt.date(2020, 1, 2), dt.date(2020, 1, 2), 0, 0),
        (dt.date(2020, 1, 2), dt.date(2020, 1, 1), -1, 0),
        (dt.date(2020, 1, 2), None, None, None),
    ],
)
def test_decisions_take_business_days(
    asked: dt.date, answered: dt.date | None, days: int | None, business: int | None
) -> None:
    """goals.md T18: the day of asking counts, the day of the answer does not."""
    rows = [{"registration_id": "D", "submitted_on": asked, "decided_on": answered, "status": "approved"}]
    (row,) = done(registrations=rows)["registrations"]
    assert (row["decision_days"], row["decision_business_days"], row["is_won"]) == (days, business, False)


_DAY = st.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31))


@given(st.lists(st.tuples(_DAY, _DAY), min_size=1, max_size=5), st.lists(_DAY, max_size=5))
def test_business_days_are_those_of_the_calendar(spans: list[tuple[dt.date, dt.date]], holidays: list[dt.date]) -> None:
    """Whole columns and single days follow one rule, holidays included."""
    calendar = Calendar(holidays=tuple(holidays))
    rows = [{"registration_id": str(n), "submitted_on": a, "decided_on": b} for n, (a, b) in enumerate(spans)]
    got = done(calendar, registrations=rows)["registrations"]
    assert [row["decision_business_days"] for row in got] == [calendar.business_days(*span) for span in spans]


def test_a_registration_is_won_with_its_deal() -> None:
    """An unknown deal is not won."""
    rows = [{"registration_id": key, "opportunity_id": key} for key in ("R0", "R1", "R9")]
    deals = [deal("R0", stage="won"), deal("R1", stage="lost")]
    got = done(registrations=rows, opportunities=deals)["registrations"]
    assert [row["is_won"] for row in got] == [True, False, False]


def test_partners_remember_their_first_deal() -> None:
    """The first registration, the first deal won with credit that counts, and the days since joining."""
    deals = [deal("R0", stage="won", close_date=dt.date(2026, 8, 1)), deal("R1", close_date=dt.date(2026, 6, 1)),
             deal("R2", stage="won", close_date=dt.date(2026, 7, 1))]  # fmt: skip
    asked = [{"registration_id": str(n), "partner_id": "A", "submitted_on": dt.date(2026, 5, n)} for n in (9, 3)]
    got = done(
        partners=[partner("A", joined_on=dt.date(2026, 6, 1)), partner("B", joined_on=None), partner("C")],
        opportunities=deals,
        registrations=asked,
        attributions=[credit("R0", "A"), credit("R1", "A"), credit("R2", "A", "resold"), credit("R2", "B")],
    )["partners"]
    names = ("first_registered_on", "first_won_on", "days_to_first_deal")
    assert [tuple(row[name] for name in names) for row in got] == [
        (dt.date(2026, 5, 3), dt.date(2026, 7, 1), 30),
        (None, dt.date(2026, 7, 1), None),
        (None, None, None),
    ]


def test_campaign_partners_customers_and_actions() -> None:
    """A campaign's facts stand beside its partners; a customer dates from its first movement; late is not on time."""
    start = dt.date(2026, 7, 1)
    promised = [
        ("done", start, start),
        ("done", dt.date(2026, 7, 2), start),
        ("open", None, start),
        ("done", start, None),
    ]
    got = done(
        campaigns=[{"campaign_id": "K", "name": "Fair", "type": "event", "start_on": start}],
        campaign_partners=[{"campaign_partner_id": key, "campaign_id": key, "partner_id": "A"} for key in "KX"],
        subscription_movements=[
            {"movement_id": str(n), "account_id": "X", "effective_on": dt.date(2026, n, 1)} for n in (5, 3)
        ],
        actions=[
            {"action_id": str(n), "status": s, "closed_on": c, "due_on": d} for n, (s, c, d) in enumerate(promised)
        ],
    )
    names = ("name", "type", "start_on", "end_on")
    assert [tuple(r[n] for n in names) for r in got["campaign_partners"]] == [
        ("Fair", "event", start, None),
        (None,) * 4,
    ]
    assert {row["customer_since"] for row in got["subscription_movements"]} == {dt.date(2026, 3, 1)}
    assert [row["is_on_time"] for row in got["actions"]] == [True, False, False, None]


def test_completing_twice_changes_nothing() -> None:
    """What was computed is computed again, and nothing else is touched."""
    tables = arrow({"opportunities": [deal("R", stage="won", close_date=dt.date(2026, 8, 1), source_stage="Closed")]})
    once = complete(tables, Calendar())
    assert all(complete(once, Calendar())[name].equals(once[name]) for name in once)
    assert once["opportunities"]["source_stage"].to_pylist() == ["Closed"]
    assert isinstance(once["opportunities"], pa.Table)
