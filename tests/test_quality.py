"""Rules of the data, each with a name: what breaks one is told once, with how often and where first."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from small_world import arrow, credit, deal, partner

from pbr_lib.attribution import Resolved, Rules
from pbr_lib.model import Finding
from pbr_lib.quality import RULES, check

Row = dict[str, Any]
MADE = dt.datetime(2026, 7, 15, 12)


def told(rules: Rules | None = None, as_of: dt.date | None = None, **tables: list[Row]) -> list[Finding]:
    """What is told of some rows; attributions stand record by record."""
    whole = arrow({"partners": [partner("A"), partner("B")], **tables})
    return check(whole, Resolved(whole["attributions"], (), {}, {}, 0), rules or Rules(), as_of)


def names(found: list[Finding]) -> list[str]:
    """The rules that were broken."""
    return [one.rule for one in found]


def claim(subject: str, who: str, kind: str = "sourced", share: str = "1", **more: Any) -> Row:
    """An attribution row of a deal made on 15 July."""
    place = {"src_extract": "deals", "src_row": 4, "locked_on": dt.date(2026, 7, 29)}
    return credit(subject, who, kind, share) | place | more


def test_every_rule_has_a_sentence_and_a_remedy() -> None:
    """AT1 to AT8 (domain.md 8.1) and those of references, money and days."""
    assert [f"AT{n}" for n in range(1, 9)] == [name for name in RULES if name.startswith("AT")]
    assert all(rule.holds and rule.fix and rule.name == name for name, rule in RULES.items())


def test_sound_data_breaks_no_rule() -> None:
    """Nothing is told of what is right, or of nothing."""
    assert told() == []
    rows = [claim("R0", "A", share="0.6"), claim("R0", "B", share="0.4"), claim("R0", "C", "influenced", "0.5")]
    assert told(opportunities=[deal("R0")], attributions=rows) == []


@pytest.mark.parametrize(
    ("kind", "shares", "rule"),
    [
        ("sourced", ["0.6", "0.3"], "AT1"),
        ("sourced", ["0.6", "0.5"], "AT1"),
        ("influenced", ["0.6", "0.5"], "AT2"),
        ("influenced", ["0.6", "0.3"], ""),
        ("resold", ["1", "1"], "AT4"),
        ("delivered", ["1", "0.0001"], "AT4"),
    ],
)
def test_shares_that_do_not_add_up(kind: str, shares: list[str], rule: str) -> None:
    """AT1, AT2, AT4: of credit that counts; what does not count adds nothing."""
    rows = [claim("R0", who, kind, share) for who, share in zip("AB", shares, strict=True)]
    assert names(told(opportunities=[deal("R0")], attributions=rows)) == [rule] * bool(rule)
    rows = [row | {"is_late": True} for row in rows]
    assert names(told(opportunities=[deal("R0")], attributions=rows)) == ["AT5"]


def test_sourced_and_influenced_at_once() -> None:
    """AT3: one partner, one record; another partner's influence is in order."""
    rows = [claim("R0", "A", "influenced"), claim("R0", "A"), claim("R1", "A"), claim("R1", "B", "influenced")]
    (one,) = told(opportunities=[deal("R0"), deal("R1")], attributions=rows)
    assert (one.rule, one.value, one.partner_id) == ("AT3", "R0", "A")


def test_late_credit_is_told_by_source() -> None:
    """AT5, domain.md case 5: with the first row of each source and how many; one partner only sees its own."""
    rows = [claim("R0", "A", is_late=True, src_row=9), claim("R1", "B", is_late=True, src_row=3),
            claim("R2", "B", is_late=True, src_extract="portal")]  # fmt: skip
    found = told(attributions=rows)
    assert [(one.rule, one.file, one.row, one.value, one.count, one.partner_id) for one in found] == [
        ("AT5", "deals", 3, "R1", 2, ""),
        ("AT5", "portal", 4, "R2", 1, "B"),
    ]


@pytest.mark.parametrize(
    ("tables", "broken"),
    [
        ({}, False),
        ({"claimed": MADE}, False),
        ({"claimed": dt.datetime(2026, 6, 15)}, False),
        ({"claimed": dt.datetime(2026, 6, 14)}, True),
        ({"claimed": dt.datetime(2026, 7, 16)}, True),
        ({"event": dt.datetime(2026, 7, 1)}, False),
        ({"event": dt.datetime(2026, 1, 1)}, True),
        ({"event": dt.datetime(2026, 1, 1), "asked": dt.date(2026, 7, 14)}, False),
        ({"asked": dt.date(2026, 7, 20)}, True),
        ({"claimed": dt.datetime(2026, 7, 16), "asked": dt.date(2026, 7, 14)}, False),
    ],
)
def test_sourced_credit_has_evidence(tables: dict[str, Any], broken: bool) -> None:
    """AT6: a claim, a registration or an event in the 30 days before the deal was made; judged only where dated."""
    row = claim("R0", "A", claimed_at=tables.get("claimed"))
    event = {"event_id": "E", "partner_id": "A", "subject_type": "opportunity", "subject_id": "R0"}
    asked = {"registration_id": "D", "partner_id": "A", "opportunity_id": "R0", "status": "approved"}
    found = told(
        opportunities=[deal("R0")],
        attributions=[row],
        attribution_events=[event | {"at": tables["event"]}] if "event" in tables else [],
        registrations=[asked | {"submitted_on": tables["asked"]}] if "asked" in tables else [],
    )
    assert names(found) == ["AT6"] * broken


def test_a_converted_lead_whose_credit_got_lost() -> None:
    """AT7: the lead is credited, its opportunity is not; a lead that became nothing known is no matter of credit."""
    leads = [{"lead_id": key, "created_at": MADE, "converted_opportunity_id": became}
             for key, became in (("L0", "R0"), ("L1", "R1"), ("L2", None))]  # fmt: skip
    rows = [claim(f"L{n}", "A", subject_type="lead") for n in range(3)] + [claim("R1", "A")]
    (one,) = told(leads=leads, opportunities=[deal("R0"), deal("R1")], attributions=rows)
    assert (one.rule, one.value, one.count) == ("AT7", "L0", 1)


def test_what_does_not_count_is_shown() -> None:
    """AT8: by state; unconfirmed claims only where they stand apart."""
    rows = [claim(f"R{n}", "A", status=status) for n, status in enumerate(["claimed", "disputed", "rejected", None])]
    found = told(attributions=rows)
    assert [(one.rule, one.severity, one.value) for one in found] == [
        ("AT8", "info", "R0"),
        ("AT8", "info", "R1"),
        ("AT8", "info", "R2"),
    ]
    assert len(told(Rules(unconfirmed="count"), attributions=rows)) == 2


def test_references_that_lead_nowhere() -> None:
    """REF: where the other table was exported at all; grouped, with the first example."""
    deals = [deal("R0", account_id="X"), deal("R1", account_id="Y", src_row=7), deal("R2", account_id="Z", src_row=3)]
    assert told(opportunities=deals) == []
    (one,) = told(opportunities=deals, accounts=[{"account_id": "X"}])
    assert (one.rule, one.column, one.value, one.count) == ("REF", "account_id", "Z", 2)
    assert one.what == "opportunities refer to accounts that are not there"


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"currency": None}, "CUR"),
        ({"amount": Decimal(-1)}, "NEG"),
        ({"probability": Decimal("1.5")}, "PRB"),
        ({"close_date": None}, "CLD"),
        ({"close_date": dt.date(2026, 7, 14)}, "ORD"),
        ({"close_date": dt.date(2026, 7, 15)}, ""),
        ({"created_at": dt.datetime(2026, 8, 1)}, "FUT"),
        ({"amount": None, "currency": None}, ""),
    ],
)
def test_money_and_days_in_order(more: Row, rule: str) -> None:
    """One odd cell breaks exactly one rule."""
    found = told(as_of=dt.date(2026, 7, 31), opportunities=[deal("R0") | more])
    assert names(found) == [rule] * bool(rule)


def test_churn_is_negative_and_in_order() -> None:
    """Only amounts that cannot be negative by nature are told."""
    row = {"movement_id": "V", "arr_delta": Decimal(-5), "currency": "USD", "kind": "churn"}
    assert told(subscription_movements=[row]) == []
