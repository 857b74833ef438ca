"""Credit: who is named gets it, nobody gets more than there is, and what names nobody is told."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import arrow, partner

from pbr_lib.attribution import CLAIMS, Resolved, Rules, joined, resolve
from pbr_lib.canonical import schema_of
from pbr_lib.crosswalk import Crosswalk, Entry
from pbr_lib.model import Finding
from pbr_lib.schema import TABLES

Row = dict[str, Any]
PARTNERS = [partner(key, account_id=f"001{key}", name=name) for key, name in
            (("A", "Alpha"), ("B", "Beta"), ("C", "Twin"), ("D", "Twin"))]  # fmt: skip
MADE = dt.datetime(2026, 7, 1, 12)


def deal(key: str, **more: Any) -> Row:
    """An open deal made on 1 July."""
    return {"opportunity_id": key, "stage": "open_mid", "created_at": MADE, "close_date": dt.date(2026, 9, 1)} | more


def lead(key: str, became: str | None = None) -> Row:
    """A lead made on 1 June."""
    return {"lead_id": key, "created_at": dt.datetime(2026, 6, 1), "converted_opportunity_id": became}


def claim(subject: str | None, who: str, credit: str | None = "sourced", share: str | None = None, **more: Any) -> Row:
    """A claim of a column, unless said otherwise."""
    row: Row = {"subject_type": "opportunity", "subject_id": subject, "reference": who, "match": "partner_id"}
    row |= {"credit_type": credit, "share": None if share is None else Decimal(share), "method": "field"}
    return row | {"system": "", "source": "deals", "file": "deals.csv", "column": "Partner", "row": 2} | more


def run(claims: Sequence[Row], rules: Rules | None = None, book: Sequence[Entry] = (), **tables: list[Row]) -> Resolved:
    """What becomes of some claims on the deals R0 to R2 and the leads L0 to L2, or on other tables."""
    rows: dict[str, list[Row]] = {"opportunities": [deal(f"R{n}") for n in range(3)], "partners": PARTNERS}
    rows |= {"leads": [lead(f"L{n}") for n in range(3)]} | tables
    whole = arrow(rows)
    found = pa.Table.from_pylist([{name: row.get(name) for name in CLAIMS.names} for row in claims], schema=CLAIMS)
    return resolve(found, whole, Crosswalk(whole["partners"], book), rules or Rules())


def shares(done: Resolved, credit: str = "sourced") -> dict[tuple[str, str], str]:
    """The share of each record and partner."""
    rows = [row for row in done.attributions.to_pylist() if row["credit_type"] == credit]
    return {(row["subject_id"], row["partner_id"]): f"{row['share']:.4f}" for row in rows}


def rules_told(done: Resolved) -> list[str]:
    """The names of the rules that findings speak of."""
    return [one.rule for one in done.findings]


def closes(done: Resolved) -> bool:
    """Claims read = attributions + merged + set aside."""
    return sum(done.read.values()) == len(done.attributions) + done.merged + sum(done.aside.values())


# ------------------------------------------------------------------------------------------------ shares


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ([("A", None)], {"A": "1.0000"}),
        ([("A", None), ("B", None)], {"A": "0.5000", "B": "0.5000"}),
        ([("A", None), ("B", None), ("C", None)], {"A": "0.3334", "B": "0.3333", "C": "0.3333"}),
        ([("A", None), ("A", None)], {"A": "1.0000"}),
        ([("A", None), ("B", None), ("A", None)], {"A": "0.5000", "B": "0.5000"}),
        ([("A", "0.6"), ("B", "0.4")], {"A": "0.6000", "B": "0.4000"}),
        ([("A", "0.3"), ("B", "0.4"), ("A", "0.3")], {"A": "0.6000", "B": "0.4000"}),
        ([("A", "0.333333"), ("B", "0.333333"), ("C", "0.333334")], {"A": "0.3333", "B": "0.3333", "C": "0.3334"}),
        ([("A", "1"), ("B", "0")], {"A": "1.0000", "B": "0.0000"}),
        ([("A", "0.6"), ("B", None), ("C", None)], {"A": "0.6000", "B": "0.2000", "C": "0.2000"}),
    ],
)
def test_shares_of_one_record(claims: list[tuple[str, str | None]], expected: dict[str, str]) -> None:
    """As the export splits, else evenly by largest remainder; who is named twice is one partner (goals.md 10)."""
    done = run([claim("R0", who, share=share) for who, share in claims])
    assert shares(done) == {("R0", who): share for who, share in expected.items()}
    assert done.findings == ()
    assert closes(done)


def test_two_sourced_partners_share_a_deal() -> None:
    """domain.md case 3: 60/40 of one deal."""
    done = run([claim("R0", "A", share="0.6"), claim("R0", "B", share="0.4")])
    assert shares(done) == {("R0", "A"): "0.6000", ("R0", "B"): "0.4000"}


def test_three_credits_of_one_deal_do_not_touch() -> None:
    """domain.md case 4: sourced by A, resold by B, influenced by C, each with its own whole."""
    done = run([claim("R0", "A"), claim("R0", "B", "resold"), claim("R0", "C", "influenced")])
    assert [shares(done, kind) for kind in ("sourced", "resold", "influenced")] == [
        {("R0", who): "1.0000"} for who in "ABC"
    ]
    assert done.attributions["attribution_id"].to_pylist() == ["R0/A/sourced", "R0/B/resold", "R0/C/influenced"]


@pytest.mark.parametrize(
    ("credit", "given", "expected", "rule"),
    [
        ("sourced", ["0.3", "0.3"], ["0.5000", "0.5000"], "AT1"),
        ("sourced", ["0.9", "0.6"], ["0.6000", "0.4000"], "AT1"),
        ("influenced", ["0.3", "0.3"], ["0.3000", "0.3000"], ""),
        ("influenced", ["0.9", "0.6"], ["0.6000", "0.4000"], "AT2"),
        ("resold", ["0.25", "0.25"], ["0.2500", "0.2500"], ""),
        ("resold", ["1", "1"], ["0.5000", "0.5000"], "AT4"),
        ("sourced", ["1", None], ["0.5000", "0.5000"], "AT1"),
        ("sourced", ["60", "40"], ["0.5000", "0.5000"], "AT1"),
    ],
)
def test_given_shares_are_never_more_than_the_whole(
    credit: str, given: list[str | None], expected: list[str], rule: str
) -> None:
    """AT1, AT2, AT4: sourced is exactly one, the others at most; what had to be changed is told with its rule."""
    done = run([claim("R0", who, credit, share) for who, share in zip("AB", given, strict=True)])
    assert list(shares(done, credit).values()) == expected
    assert rules_told(done) == [rule] * bool(rule)


def test_only_what_counts_divides_the_whole() -> None:
    """AT8: disputed, rejected and unconfirmed claims have no share; where none counts, the open ones divide it."""
    states = {"A": "confirmed", "B": "claimed", "C": "disputed", "D": "rejected"}
    done = run([claim("R0", who, status=state) for who, state in states.items()] + [claim("R1", "B", status="claimed")])
    assert shares(done) == {("R0", "A"): "1.0000", ("R0", "B"): "0.0000", ("R0", "C"): "0.0000", ("R0", "D"): "0.0000",
                            ("R1", "B"): "1.0000"}  # fmt: skip
    assert done.attributions["status"].to_pylist() == [*states.values(), "claimed"]
    both = run([claim("R0", "A"), claim("R0", "B", status="claimed")], Rules(unconfirmed="count"))
    assert shares(both) == {("R0", "A"): "0.5000", ("R0", "B"): "0.5000"}


def test_a_decision_outweighs_a_column_that_says_nothing() -> None:
    """What the junction rejects is rejected, though the field names the partner still; evidence of both is kept."""
    done = run([claim("R0", "A"), claim("R0", "A", status="rejected", method="junction", evidence_ref="E-1")])
    (row,) = done.attributions.to_pylist()
    assert (row["status"], row["method"], row["evidence_ref"], done.merged) == ("rejected", "junction", "E-1", 1)


# -------------------------------------------------------------------------------------------- late claims


@pytest.mark.parametrize(
    ("stage", "claimed", "late"),
    [
        ("open_mid", dt.datetime(2026, 7, 15, 23, 59), False),
        ("open_mid", dt.datetime(2026, 7, 16), True),
        ("open_mid", dt.datetime(2026, 7, 21), True),
        ("won", dt.datetime(2026, 7, 9), False),
        ("won", dt.datetime(2026, 7, 10), True),
        ("lost", dt.datetime(2026, 7, 11), True),
        ("open_mid", dt.datetime(2026, 7, 11), False),
        ("open_mid", None, None),
    ],
)
def test_a_late_claim_is_flagged(stage: str, claimed: dt.datetime | None, late: bool | None) -> None:
    """domain.md case 5 and AT5: 14 days after creation at the latest, and before the deal closed."""
    deals = [deal("R0", stage=stage, close_date=dt.date(2026, 7, 10))]
    done = run([claim("R0", "A", claimed_at=claimed)], opportunities=deals)
    assert done.attributions["is_late"].to_pylist() == [late]
    assert done.attributions["locked_on"].to_pylist() == [dt.date(2026, 7, 15)]


def test_what_came_in_time_has_the_whole() -> None:
    """A late claim takes nothing from one that counts, and of two claims of a partner the first is the claim."""
    late = dt.datetime(2026, 8, 1)
    done = run([claim("R0", "A"), claim("R0", "B", claimed_at=late), claim("R1", "A", claimed_at=late, column="X"),
                claim("R1", "A", claimed_at=MADE)])  # fmt: skip
    assert shares(done) == {("R0", "A"): "1.0000", ("R0", "B"): "0.0000", ("R1", "A"): "1.0000"}
    assert done.attributions["is_late"].to_pylist() == [None, True, False]


# --------------------------------------------------------------------------------- sourced or influenced


def test_a_partner_is_not_both_sourced_and_influenced() -> None:
    """AT3: influence gives way, is told and accounted for; a sourced claim that does not count takes nothing."""
    claims = [claim("R0", "A"), claim("R0", "A", "influenced"), claim("R0", "A", "resold")]
    claims += [claim("R0", "B", "influenced"), claim("R1", "A", status="rejected"), claim("R1", "A", "influenced")]
    done = run(claims)
    assert shares(done, "influenced") == {("R0", "B"): "1.0000", ("R1", "A"): "1.0000"}
    assert done.aside == {"the partner has the sourced credit": 1}
    (told,) = done.findings
    assert (told.rule, told.partner_id, told.count, told.value) == ("AT3", "A", 1, "R0")


# ------------------------------------------------------------------------------------------ carried leads


def carry(*claims: Row, rules: Rules | None = None) -> Resolved:
    """Two leads became the deal R0, one became R1."""
    return run(claims, rules, leads=[lead("L0", "R0"), lead("L1", "R0"), lead("L2", "R1")])


def of_lead(key: str, who: str, **more: Any) -> Row:
    """A claim on a lead."""
    return claim(key, who, subject_type="lead", file="leads.csv", source="leads", **more)


def test_a_leads_credit_passes_to_its_opportunity() -> None:
    """domain.md case 15 and AT7: both rows are kept and linked, each with its own whole."""
    done = carry(of_lead("L2", "A"))
    rows = done.attributions.select(["subject_type", "subject_id", "share", "carried_from", "method"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("lead", "L2", Decimal(1), None, "field"),
        ("opportunity", "R1", Decimal(1), "L2", "field"),
    ]
    assert done.attributions["evidence_ref"].to_pylist() == [None, "L2"]
    assert (dict(done.read), closes(done)) == ({"field": 1, "carried": 1}, True)
    assert len(carry(of_lead("L2", "A"), rules=Rules(carry_leads=False)).attributions) == 1


def test_an_opportunitys_own_credit_overrides_its_lead() -> None:
    """The opportunity names another partner: it stands, also where nobody knows that partner, and the lead is told."""
    done = carry(of_lead("L2", "A"), claim("R1", "B"))
    assert shares(done) == {("L2", "A"): "1.0000", ("R1", "B"): "1.0000"}
    assert rules_told(done) == ["AT7"]
    assert shares(carry(of_lead("L2", "A"), claim("R1", "?"))) == {("L2", "A"): "1.0000"}
    rejected = carry(of_lead("L2", "A"), claim("R1", "B", status="rejected"))
    assert shares(rejected)["R1", "A"] == "1.0000"


def test_lead_and_opportunity_that_agree_are_one_claim() -> None:
    """The same partner on both is counted once; the lead's claim was the earlier one, and a rejection stands."""
    late = dt.datetime(2026, 8, 1)
    done = carry(of_lead("L2", "A", claimed_at=dt.datetime(2026, 6, 2)), claim("R1", "A", claimed_at=late))
    rows = {row["subject_id"]: row for row in done.attributions.to_pylist()}
    assert (rows["R1"]["is_late"], rows["R1"]["carried_from"], done.merged, done.findings) == (False, None, 1, ())
    rejected = carry(of_lead("L2", "A"), claim("R1", "A", status="rejected"))
    assert rejected.attributions["status"].to_pylist() == [None, "rejected"]


def test_several_leads_of_one_opportunity_share_it() -> None:
    """Two leads of two partners, and two leads of one."""
    assert shares(carry(of_lead("L0", "A"), of_lead("L1", "B")))["R0", "B"] == "0.5000"
    done = carry(of_lead("L1", "A"), of_lead("L0", "A"))
    assert shares(done)["R0", "A"] == "1.0000"
    assert done.attributions["carried_from"].to_pylist() == [None, None, "L0"]
    assert closes(done)


# -------------------------------------------------------------------------- registrations, campaigns, links


def test_an_approved_registration_gives_credit_where_the_workbook_says_so() -> None:
    """Method, day and evidence are the registration's; only approved ones with an opportunity count."""
    states = [("R0", "approved", 2), ("R1", "rejected", 2), (None, "approved", 2), ("R2", "approved", 20)]
    asked = [
        {"registration_id": f"D{n}", "partner_id": "A", "opportunity_id": key, "status": status}
        | {"submitted_on": dt.date(2026, 7, day)}
        for n, (key, status, day) in enumerate(states)
    ]
    assert len(run([], registrations=asked).attributions) == 0
    done = run([], Rules(registrations="sourced"), registrations=asked)
    names = ["subject_id", "method", "evidence_ref", "claimed_at", "is_late"]
    assert [tuple(row.values()) for row in done.attributions.select(names).to_pylist()] == [
        ("R0", "registration", "D0", dt.datetime(2026, 7, 2), False),
        ("R2", "registration", "D3", dt.datetime(2026, 7, 20), True),
    ]


def test_a_campaign_gives_credit_to_its_partners() -> None:
    """Of the lead or opportunity that it brought, and of the leads that took part."""
    tables: dict[str, list[Row]] = {
        "opportunities": [deal("R0", campaign_id="K1"), deal("R1")],
        "leads": [lead("L0") | {"campaign_id": "K1"}, lead("L1"), lead("L2")],
        "campaign_members": [{"member_id": "M1", "campaign_id": "K1", "lead_id": "L1"}],
        "campaign_partners": [{"campaign_partner_id": f"K1/{who}", "campaign_id": "K1", "partner_id": who}
                              for who in "AB"],
    }  # fmt: skip
    done = run([], Rules(campaigns="influenced"), **tables)
    assert shares(done, "influenced") == {(key, who): "0.5000" for key in ("L0", "L1", "R0") for who in "AB"}
    assert set(done.attributions["evidence_ref"].to_pylist()) == {"K1"}


def test_service_links_give_credit_for_movements_while_they_hold() -> None:
    """Sold is resold, services and implements are delivered; a given share stands, else partners share evenly."""
    links = [("A", "sold", None, None, None), ("B", "services", dt.date(2026, 1, 1), None, None),
             ("C", "implements", None, dt.date(2026, 6, 30), None), ("A", "services", None, None, "0.25")]  # fmt: skip
    tables: dict[str, list[Row]] = {
        "service_links": [
            {"service_link_id": f"S{n}", "account_id": "X", "partner_id": who, "role": role, "valid_from": first,
             "valid_to": last, "share": None if share is None else Decimal(share)}
            for n, (who, role, first, last, share) in enumerate(links)
        ],
        "subscription_movements": [
            {"movement_id": "V1", "account_id": "X", "effective_on": dt.date(2026, 6, 30)},
            {"movement_id": "V2", "account_id": "X", "effective_on": dt.date(2026, 7, 1)},
            {"movement_id": "V3", "account_id": "Y", "effective_on": dt.date(2026, 7, 1)},
        ],
    }  # fmt: skip
    done = run([], **tables)
    assert shares(done, "resold") == {("V1", "A"): "1.0000", ("V2", "A"): "1.0000"}
    first = {("V1", "A"): "0.2500", ("V1", "B"): "0.3750", ("V1", "C"): "0.3750"}
    assert shares(done, "delivered") == first | {("V2", "A"): "0.2500", ("V2", "B"): "0.7500"}
    assert set(done.attributions["subject_type"].to_pylist()) == {"movement"}


# --------------------------------------------------------------------------------------- what is set aside


def test_what_names_nobody_known_is_told_and_set_aside() -> None:
    """An unknown name, a name of two, and an empty list of ids; the partners who are known share the record."""
    done = run([claim("R0", "A"), claim("R0", "Z"), claim("R1", "Z"), claim("R2", "Twin", match="name")])
    assert shares(done) == {("R0", "A"): "1.0000"}
    assert done.aside == {"names a partner that the partner list lacks": 2, "names several partners at once": 1}
    told = {(one.value, one.count, one.what) for one in done.findings}
    assert told == {
        ("Z", 2, "no partner has this partner_id; its sourced credit is set aside"),
        ("Twin", 1, "several partners have this name; its sourced credit is set aside"),
    }
    assert closes(done)


def test_a_likely_partner_is_suggested() -> None:
    """The remedy names the row to add to the crosswalk, and adding it mends the claim (domain.md case 17)."""
    one = claim("R0", "ALPHA Ltd.", match="name")
    (told,) = run([one]).findings
    assert told.fix == "did you mean Alpha (A)? then add to params/crosswalk.csv: partner,,ALPHA Ltd.,A"
    assert shares(run([one], book=[Entry("partner", "", "ALPHA Ltd.", "A")])) == {("R0", "A"): "1.0000"}


def test_many_unknown_partners_are_told_in_a_few_lines() -> None:
    """Eight by name, the rest in one; all of them counted."""
    done = run([claim("R0", f"Z{n:02}", row=n) for n in range(30)])
    assert (len(done.findings), sum(one.count for one in done.findings)) == (9, 30)


def test_rows_between_two_accounts_and_mirrored_rows_do_not_double() -> None:
    """exports.md 27: Partner.csv holds A-B and B-A, and rows that name no opportunity."""
    deals = [deal("R0", account_id="001000000000001AAA")]
    rows = [
        claim("R0", "001A", "resold", match="account_id", method="junction", row=2),
        claim("R0", "001000000000001", "resold", match="account_id", method="junction", row=3),
        claim("000000000000000AAA", "001A", "resold", match="account_id", method="junction", row=4),
        claim(None, "001000000000001", "resold", match="account_id", method="junction", row=5),
        claim("R9", "001A", "resold", match="account_id", method="junction", row=6),
        claim("R0", "A", None, row=7),
    ]
    done = run(rows, opportunities=deals)
    assert shares(done, "resold") == {("R0", "A"): "1.0000"}
    assert done.aside == {
        "names no record": 2,
        "names a record that is not there": 1,
        "names the customer as its own partner (a mirrored row)": 1,
        "its word for the credit is not mapped": 1,
    }
    assert [(one.severity, one.row, one.count) for one in done.findings] == [
        ("info", 4, 2),
        ("info", 3, 1),
        ("warning", 6, 1),
    ]
    assert closes(done)


def test_the_table_has_every_column_of_the_model() -> None:
    """Without a claim as well; what a junction fills comes through, and rows say where they came from."""
    spec = TABLES["attributions"]
    assert run([]).attributions.schema == schema_of(spec)
    extra = {"partnership_id": "PS", "decided_by": "Desk", "commission_pct": Decimal("0.1"), "tier_stamped": "Gold"}
    extra |= {"influence_role": "intro", "is_primary": True, "attribution_id": "J1", "row": 9, "system": "crm"}
    table = run([claim("R0", "A", **extra)]).attributions
    (row,) = table.to_pylist()
    assert table.schema == schema_of(spec)
    assert {name: row[name] for name in extra if name in row} == {k: extra[k] for k in extra if k in row}
    assert (row["src_system"], row["src_extract"], row["src_row"]) == ("crm", "deals", 9)


def test_a_lead_and_a_deal_of_one_id_have_ids_of_their_own() -> None:
    """Keys stay keys, though two tables use the same numbers."""
    done = run([claim("7", "A"), of_lead("7", "A")], opportunities=[deal("7")], leads=[lead("7")])
    assert done.attributions["attribution_id"].to_pylist() == ["lead/7/A/sourced", "7/A/sourced"]


def test_findings_that_are_alike_are_joined() -> None:
    """What was told batch by batch is one finding with the first row and the whole count."""
    one = Finding("error", "odd", "a.csv", 9, "X", "v", "mend", 2)
    assert joined([one, Finding("error", "odd", "a.csv", 3, "X", "v", "mend", 5), Finding("info", "odd")]) == [
        Finding("error", "odd", "a.csv", 3, "X", "v", "mend", 7),
        Finding("info", "odd"),
    ]


# -------------------------------------------------------------------------------------------------- laws

_CLAIM = st.builds(
    claim,
    st.sampled_from(["R0", "R1", "R2", "R9", None, ""]),
    st.sampled_from(["A", "B", "C", "D", "Z", "Alpha", "Twin"]),
    st.sampled_from(["sourced", "influenced", "resold", "delivered", None]),
    st.sampled_from([None, None, "0", "0.2", "0.333333", "0.6", "1", "7"]),
    match=st.sampled_from(["partner_id", "any"]),
    status=st.sampled_from([None, "confirmed", "claimed", "disputed", "rejected"]),
    claimed_at=st.sampled_from([None, MADE, dt.datetime(2026, 8, 20)]),
    method=st.sampled_from(["field", "junction", "manual"]),
    row=st.integers(2, 5),
    column=st.sampled_from(["X", "Y"]),
    subject_type=st.sampled_from(["opportunity", "opportunity", "account"]),
)
_LEAD = st.builds(of_lead, st.sampled_from(["L0", "L1", "L2"]), st.sampled_from("ABC"), row=st.integers(2, 9))
_CLAIMS = st.lists(_CLAIM | _LEAD, max_size=12)
_RULES = st.builds(Rules, unconfirmed=st.sampled_from(["count", "apart"]), carry_leads=st.booleans())
_LEADS = [lead("L0", "R0"), lead("L1", "R0"), lead("L2", "R1")]


@given(_CLAIMS, _RULES)
def test_credit_that_counts_is_never_more_than_the_whole(claims: list[Row], rules: Rules) -> None:
    """AT1: sourced shares of a record add up to exactly one; AT2, AT4: the others to one at most; AT3 holds."""
    done = run(claims, rules, leads=_LEADS)
    rows = done.attributions.to_pylist()
    states = {None, "confirmed"} | ({"claimed"} if rules.unconfirmed == "count" else set())
    sums: dict[tuple[str, str, str], Decimal] = {}
    sourced, influenced = set(), set()
    for row in rows:
        key = (row["subject_type"], row["subject_id"], row["credit_type"])
        sums[key] = sums.get(key, Decimal(0)) + row["share"]
        if row["status"] in states and not row["is_late"]:
            of = {"sourced": sourced, "influenced": influenced}.get(row["credit_type"], set())
            of.add((*key[:2], row["partner_id"]))
    counted = {(r["subject_type"], r["subject_id"]) for r in rows
               if r["credit_type"] == "sourced" and r["status"] in states and not r["is_late"]}  # fmt: skip
    assert all(sums[*key, "sourced"] == 1 for key in counted)
    assert all(0 <= total <= 1 for total in sums.values())
    assert not sourced & influenced
    assert all(row["share"] == round(row["share"], 4) for row in rows)
    keys = [(r["subject_type"], r["subject_id"], r["partner_id"], r["credit_type"]) for r in rows]
    assert keys == sorted(set(keys))


@given(_CLAIMS, _RULES)
def test_every_claim_is_accounted_for(claims: list[Row], rules: Rules) -> None:
    """Claims read = attributions + merged + set aside, whatever they say."""
    done = run(claims, rules, leads=_LEADS)
    assert closes(done)
    assert sum(done.read.values()) - done.read.get("carried", 0) == len(claims)


@given(_CLAIMS, _RULES, st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part(claims: list[Row], rules: Rules, dice: random.Random) -> None:
    """The same claims and tables in another order give the same rows, findings and accounts."""
    mixed, leads, deals, partners = list(claims), list(_LEADS), [deal(f"R{n}") for n in range(3)], list(PARTNERS)
    for each in (mixed, leads, deals, partners):
        dice.shuffle(each)
    one = run(claims, rules, leads=_LEADS)
    other = run(mixed, rules, leads=leads, opportunities=deals, partners=partners)
    assert one.attributions.equals(other.attributions)
    assert (one.findings, one.aside, one.read, one.merged) == (other.findings, other.aside, other.read, other.merged)


def test_resolving_twice_gives_the_same_bytes() -> None:
    """Same claims, same table, to the last byte."""
    claims = [claim("R0", who, share=share) for who, share in (("A", "0.7"), ("B", "0.3"))] + [of_lead("L0", "C")]

    def content() -> bytes:
        sink = pa.BufferOutputStream()
        table = run(claims).attributions
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue())

    assert content() == content()
