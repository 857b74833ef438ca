"""Deals as they stood on a past day: what was open, what was won, and in which stage."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from small_world import RATES, connect, credit, deal, leads, partner, quarter, revenue, window

from pbr_lib import dealbook
from pbr_lib.dealbook import UNKNOWN, Deals, is_won_money
from pbr_lib.hits import Hits

Q3 = quarter("2026-Q3")
AS_OF = dt.date(2026, 9, 4)


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


def world(changes: pa.Table | None = None, **more: object) -> Deals:
    tables = {
        "partners": [partner("P1"), partner("P2")],
        "opportunities": [
            deal("A", "100"),
            deal("B", "200", stage="open_mid", source_stage="Proposal", close_date=dt.date(2026, 9, 20)),
            deal("C", "300", stage="lost", close_date=dt.date(2026, 8, 1)),
            deal("D", "400", stage="open_early", currency="EUR", close_date=dt.date(2027, 3, 1)),
            deal("E", None, stage="open_early"),
        ],
        "attributions": [credit(key, "P1") for key in "ABCE"] + [credit("D", "P2"), credit("B", "P2", "influenced")],
    }
    hits = Hits(connect(tables), window(AS_OF, ["2026-Q2", "2026-Q3"], RATES))
    metric = revenue(credit_type=("sourced",), **more)
    return dealbook.of(hits, "revenue", metric, ["P1", "P2"], Q3, changes)


def test_every_deal_that_would_count_is_there_with_its_days() -> None:
    """Won, lost and open ones alike, at plan rate; one without amount would add nothing."""
    deals = world()
    assert deals.key.tolist() == ["A", "B", "C", "D"]
    assert deals.partner.tolist() == [0, 0, 0, 1]
    assert deals.amount.tolist() == pytest.approx([100, 200, 300, 440])
    assert deals.won.tolist() == [True, False, False, False]


def test_open_on_a_past_day_is_told_from_days_alone() -> None:
    """A deal that is won today was open before it closed; an expected closing day closes nothing."""
    deals = world()
    assert deals.key[deals.open_on(day("2026-07-20"))].tolist() == ["A", "B", "C", "D"]
    assert deals.key[deals.open_on(day("2026-08-10"))].tolist() == ["A", "B", "D"]
    assert deals.key[deals.open_on(day("2026-12-31"))].tolist() == ["B", "D"]
    assert not deals.open_on(day("2026-07-14")).any()
    assert deals.key[deals.won_by(day("2026-08-19"), day("2026-09-30"))].tolist() == ["A"]


def test_a_filter_beside_won_still_counts() -> None:
    """Only the leaf that asks for won deals is dropped."""
    deals = world(where={"is_won": True, "opportunity_id": ["A", "B"]})
    assert deals.key.tolist() == ["A", "B"]


@pytest.mark.parametrize(
    ("metric", "is_one"),
    [
        (revenue(), True),
        (revenue(where={"stage": "won", "type": "new"}), True),
        (revenue(where={"is_won": True, "is_lost": {"is_not": True}}), False),
        (revenue(where={"any_of": [{"is_won": True}, {"is_lost": True}]}), False),
        (revenue(where={"is_open": True}), False),
        (revenue(date="created_at"), False),
        (revenue(aggregate="average"), False),
        (leads(), False),
    ],
)
def test_which_metrics_are_money_of_won_deals(metric: object, is_one: bool) -> None:
    """A sum over won opportunities by closing day, in which nothing else tells how a deal ended."""
    assert is_won_money(metric) is is_one  # type: ignore[arg-type]


def test_a_metric_without_deals_is_refused() -> None:
    """The error says what to give."""
    with pytest.raises(ValueError, match="give a sum over opportunities that are won"):
        world(date="created_at")


def changes(*rows: tuple[str, str, str | None, str | None, str | None]) -> pa.Table:
    columns = list(zip(*rows, strict=True))
    stamps = [dt.datetime.fromisoformat(text) for text in columns[1]]
    return pa.table(
        {
            "opportunity_id": pa.array(columns[0], pa.string()),
            "changed_at": pa.array(stamps, pa.timestamp("us")),
            "field": pa.array(columns[2], pa.string()),
            "old": pa.array(columns[3], pa.string()),
            "new": pa.array(columns[4], pa.string()),
        }
    )


def test_the_stage_of_a_past_day_comes_from_the_changes() -> None:
    """Before the first change it is what that replaced, between two the newer of them; case does not matter."""
    deals = world(
        changes(
            ("B", "2026-08-01T10:00", "StageName", "Qualification", "Proposal"),
            ("B", "2026-07-25T10:00", "Stage", "Prospecting", "QUALIFICATION"),
            ("B", "2026-07-26T10:00", "Amount", "1", "2"),
            ("C", "2026-07-20T10:00", "", None, "Proposal"),
            ("stranger", "2026-07-20T10:00", "Stage", "a", "b"),
        )
    )
    assert deals.stage is not None
    before, between, after = (deals.stage.then(day(text)) for text in ("2026-07-20", "2026-07-28", "2026-08-01"))
    row = deals.key.tolist().index
    assert len({before[row("B")], between[row("B")], after[row("B")]}) == 3
    assert after[row("B")] == after[row("C")]
    assert deals.stage.then(day("2026-07-19"))[row("C")] == UNKNOWN
    assert after[row("A")] == UNKNOWN, "of a deal that closed without a known change nobody knows where it was"
    assert after[row("D")] != UNKNOWN, "an open one without any is where it is now"


def test_the_closing_day_that_was_expected_on_a_past_day() -> None:
    """It moves as the changes say; what is no ISO day is not guessed at; an open deal without any has today's."""
    deals = world(
        changes(
            ("B", "2026-08-01T10:00", "CloseDate", "2026-08-15", "2026-09-20T00:00:00"),
            ("C", "2026-07-20T10:00", "Close Date", "15.08.2026", "2026-13-45"),
        )
    )
    assert deals.due is not None and deals.stage is None
    row = deals.key.tolist().index
    early, late = (deals.due.then(day(text)) for text in ("2026-07-31", "2026-08-01"))
    expected = {"B": "2026-08-15", "D": "2027-03-01"}
    assert {key: str(np.datetime64(int(early[row(key)]), "D")) for key in expected} == expected
    assert str(np.datetime64(int(late[row("B")]), "D")) == "2026-09-20"
    assert early[row("C")] == late[row("C")] == early[row("A")] == UNKNOWN


def test_changes_that_tell_of_no_stage_are_as_good_as_none() -> None:
    """Amounts change as well."""
    assert world(changes(("B", "2026-08-01T10:00", "Amount", "1", "2"))).stage is None
    assert world(None).stage is None


def test_some_partners_keep_their_deals_and_stages() -> None:
    """Partners are numbered anew, and what belongs to a deal stays with it."""
    deals = world(
        changes(("D", "2026-08-01T10:00", "Stage", "One", "Two"), ("B", "2026-08-01T10:00", "Stage", "x", "y"))
    )
    some = deals.of_partners(np.array([1]))
    assert some.partners == ("P2",) and some.key.tolist() == ["D"] and some.partner.tolist() == [0]
    assert deals.stage is not None and some.stage is not None
    for text in ("2026-07-20", "2026-08-02"):
        assert some.stage.then(day(text)).tolist() == deals.stage.then(day(text))[[3]].tolist()
