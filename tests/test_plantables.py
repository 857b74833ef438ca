"""The tables of what both sides promise, from the facts of a slice."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from pbr_lib import plantables
from pbr_lib.blocks import Table
from pbr_lib.goalview import GoalView
from pbr_lib.model import Amount

QUARTER = {"label": "2026-Q3", "as_of": "2026-09-04", "before": "2026-Q2"}
MONEY = {"kind": "money", "currency": "USD"}
TARGET = {"kind": "at_least", "value": "5", "from": None, "low": None, "high": None, "due": None}


def cells(table: Table, key: str) -> list[Any]:
    """A column, amounts and states as they are printed."""
    at = [column.key for column in table.columns].index(key)
    return [str(row[at]) if isinstance(row[at], Amount) else row[at] for row in table.rows]


def action(name: str, opened: str, status: str, closed_on: str | None = None) -> dict[str, Any]:
    """A promise due on the last day of July."""
    facts = {"action": name, "opened": opened, "status": status, "closed_on": closed_on}
    return facts | {"side": "joint", "owner": "We", "due": "2026-07-31"}


def goal(**more: Any) -> GoalView:
    """A goal of five leads, three of which are there."""
    facts = {"key": "g", "name": "Create {target} leads", "label": "Leads", "unit": {"kind": "count"}, "period": None}
    facts |= {"target": TARGET, "actual": "3", "expected": "3.6", "pace_basis": "from its own last 8 quarters"}
    facts |= {"pace_share": "0.72", "owner_us": "We", "owner_them": "They", "agreed_by_us": "We, 2026-07-01"}
    facts |= {"agreed_by_them": "", "agreement": {"remark": ""}, "outlook": None, "currency": None}
    return GoalView(facts | more)


def test_the_review_opens_with_what_was_promised_before() -> None:
    """This quarter's promises are not yet to be judged; dropped ones are shown and not counted."""
    actions = [
        action("Done", "2026-Q2", "done", "2026-07-30"),
        action("Late", "2026-Q2", "done", "2026-08-02"),
        action("Overdue", "2026-Q1", "open"),
        action("Dropped", "2026-Q2", "dropped"),
        action("New", "2026-Q3", "open"),
    ]
    table = plantables.kept_table(actions, QUARTER)
    assert cells(table, "action") == ["Done", "Late", "Overdue", "Dropped"]
    assert [status.word for status in cells(table, "status")] == ["done", "done, late", "overdue", "dropped"]
    assert (table.title, table.caption) == (
        "Promised before 2026-Q3",
        "2 of 3 done; what was dropped is not counted.",
    )
    assert not plantables.kept_table([], QUARTER).rows


def test_a_column_of_remarks_is_there_only_if_there_are_any() -> None:
    """It would only narrow the others."""
    plain = plantables.agreement_table([goal()])
    assert [column.key for column in plain.columns] == ["goal", "us", "them", "agreed_us", "agreed_them"]
    assert plain.rows[0] == ("Create 5 leads", "We", "They", "We, 2026-07-01", "not yet")
    told = plantables.agreement_table([goal(), goal(agreement={"remark": "not agreed by 31 Jul 2026"})])
    assert cells(told, "remark") == ["", "Not agreed by 31 Jul 2026"]


def outlook(**more: Any) -> dict[str, Any]:
    """A forecast of 3 to 7 leads."""
    facts = {"low": "3", "mid": "5", "high": "7", "p_met": "0.634", "basis": "its last 8 quarters", "reason": ""}
    return facts | more


def test_where_a_goal_is_heading() -> None:
    """The range, the chance, what is expected by now with a decimal; a goal that is not forecast says so in a word."""
    silent = outlook(low=None, mid=None, high=None, p_met=None, basis="", reason="a rate is not forecast: it can turn")
    table = plantables.outlook_table(
        [goal(outlook=outlook()), goal(outlook=silent, pace_share=None), goal(outlook=outlook(p_met="1")), goal()],
        QUARTER,
    )
    assert len(table.rows) == 3
    assert [cells(table, key)[0] for key in ("expected", "low", "high", "chance")] == ["3.6", "3", "7", "63 %"]
    assert cells(table, "remark") == ["", "A rate is not forecast", "Reached already"]
    assert cells(table, "low")[1] is None
    assert cells(table, "basis")[1] == "A rate is not forecast: it can turn"
    assert "from its own last 8 quarters" in table.caption
    assert plantables.outlook_table([goal()], QUARTER).empty.startswith("The quarter is over")


def test_proposals_leave_room_to_sign() -> None:
    """Target now and proposed, how it follows, the state; what people should decide stands with it."""
    row = {"label": "Leads", "unit": {"kind": "count"}, "now": TARGET, "target": TARGET | {"value": "6"}}
    row |= {"basis": "blend of target 5 and actual 9 → 6", "remark": "", "stop": "met four quarters in a row: raise it"}
    row |= {"state": "draft", "agreed_by_us": "", "agreed_by_them": "", "stretch": "8", "red_flag": None}
    following = {"quarter": "2026-Q4", "deadline": "2026-10-31", "rows": [row, row | {"now": None, "state": "agreed"}]}
    table = plantables.proposal_table(following)
    assert table.title == "Goals proposed for 2026-Q4"
    assert [cells(table, key)[0] for key in ("now", "proposed", "us", "them", "stretch")] == ["5", "6", "", "", "8"]
    assert cells(table, "basis")[0] == "Blend of target 5 and actual 9 → 6; met four quarters in a row: raise it"
    assert [state.word for state in cells(table, "state")] == ["draft", "agreed"]
    assert cells(table, "now")[1] is None
    assert "until 31 Oct 2026" in table.caption
    assert plantables.proposal_table(following | {"rows": []}).empty == "No goal is proposed."


def test_a_restatement_names_its_records() -> None:
    """The figure in one row, each cause in one below it."""
    cause = {"kind": "re-dated", "record": "O-1", "words": "dated 3 Jul 2026 now", "difference": "-60830"}
    one = {"quarter": "2026-Q2", "label": "Revenue", "unit": MONEY, "issued": "127710", "now": "66880"}
    one |= {"difference": "-60830", "kind": "correction", "words": "42 % of the target", "causes": [cause]}
    table = plantables.restatement_table([one])
    assert [cells(table, key) for key in ("issued", "now", "difference")] == [
        ["$127,710", ""],
        ["$66,880", ""],
        ["-$60,830", "-$60,830"],
    ]
    assert cells(table, "cause") == ["42 % of the target", "O-1: dated 3 Jul 2026 now"]
    assert plantables.restatement_table([]).empty == "Nothing has changed in the figures issued before."


def test_what_currencies_did_and_records_without_a_rate() -> None:
    """Two tables, each only where there is something to show."""
    effect = {"plan": "100000", "spot": "104000", "effect": "4000", "records": 3, "reason": ""}
    lost = {"record_id": "O-9", "day": "2026-08-01", "currency": "SEK", "amount": "500"}
    mixed = goal(unit=MONEY, currency={"effect": effect, "unconverted": [lost]})
    first, second = plantables.currency_tables([goal(), mixed])
    assert [cells(first, key)[0] for key in ("plan", "spot", "effect", "records")] == [
        "$100,000",
        "$104,000",
        "$4,000",
        "3",
    ]
    assert (cells(second, "id"), cells(second, "day")) == (["O-9"], [dt.date(2026, 8, 1)])
    assert second.rows[0][3] == Amount(Decimal(500), second.rows[0][3].unit)  # type: ignore[union-attr]
    assert plantables.currency_tables([goal()]) == ()
