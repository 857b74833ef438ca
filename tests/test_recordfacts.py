"""What the tables hold now of records behind an issued figure: amended, moved to somebody else, gone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import small_world as world

from pbr_lib import recordfacts

D = Decimal
METRICS = {"revenue": world.revenue(credit_type=("sourced",)), "leads": world.leads()}
TABLES = world.arrow(
    {
        "partners": [world.partner("A"), world.partner("B")],
        "opportunities": [world.deal("O1", "600"), world.deal("O2", None, stage="open_early")],
        "leads": [{"lead_id": "L1", "status": "new", "created_at": dt.datetime(2026, 8, 3, 23, 30)}],
        "attributions": [
            world.credit("O1", "A", share="0.6"),
            world.credit("O1", "B", share="0.4"),
            world.credit("O2", "B", kind="influenced"),
            world.credit("L1", "A", subject_type="lead") | {"status": "rejected"},
        ],
    }
)


def test_a_record_says_day_amount_stage_and_whose_it_is() -> None:
    """By the rules of credit of the metric itself: influenced credit is none for sourced revenue."""
    found = recordfacts.facts_of(TABLES, METRICS)("revenue", "", "opportunities", ["O1", "O2", "gone"])
    assert set(found) == {"O1", "O2"}
    one, two = found["O1"], found["O2"]
    assert (one.day, one.amount, one.currency, one.stage) == (dt.date(2026, 8, 20), D(600), "USD", "won")
    assert one.credited == {"A": D("0.6"), "B": D("0.4")}
    assert (two.amount, two.credited) == (None, {})


def test_a_rejected_claim_gives_no_credit() -> None:
    """Nor does a table that is not there have facts."""
    look_up = recordfacts.facts_of(TABLES, METRICS)
    assert look_up("leads", "", "leads", ["L1"])["L1"].credited == {}
    assert look_up("leads", "", "meetings", ["L1"]) == {}


def test_a_definition_that_is_gone_leaves_what_the_tables_say() -> None:
    """Every confirmed credit counts then, and no day is known to be the metric's own."""
    found = recordfacts.facts_of(TABLES, {})("revenue", "", "opportunities", ["O1"])["O1"]
    assert (found.day, found.amount) == (None, D(600))
    assert set(found.credited or ()) == {"A", "B"}


def test_whether_others_were_issued_the_record() -> None:
    """It is asked by table and record."""
    held = {("opportunities", "O1")}
    look_up = recordfacts.facts_of(TABLES, METRICS, lambda table, record: (table, record) in held)
    found = look_up("revenue", "", "opportunities", ["O1", "O2"])
    assert [found[key].elsewhere for key in ("O1", "O2")] == [True, False]
