"""Which columns name partners, and what their cells hold."""

from __future__ import annotations

import pytest

from pbr_lib.dialects import get
from pbr_lib.proposal_facts import ColumnFacts, TableFacts
from pbr_lib.proposal_partners import partner_columns, partner_kinds, partner_sources


def table(**columns: list[str]) -> TableFacts:
    facts = {label: ColumnFacts(label, 3, len(texts), dict.fromkeys(texts, 1)) for label, texts in columns.items()}
    return TableFacts("deals.csv", tuple(columns), 3, facts)


def found(columns: dict[str, list[str]], dialect: str = "generic") -> list[tuple[str, str, str]]:
    these = partner_columns(table(**columns), (get(dialect),), ())
    return [(each.label, each.credit, each.match) for each in these]


@pytest.mark.parametrize(
    ("label", "credit"),
    [
        ("Partner", "sourced"),
        ("Partner__c", "sourced"),
        ("Vertriebspartner", "sourced"),
        ("Empfehlungspartner", "sourced"),
        ("Deal - Nazwa Partnera", "sourced"),
        ("Nom du partenaire", "sourced"),
        ("new_partneraccount", "sourced"),
        ("Reseller", "resold"),
        ("Fachhändler", "resold"),
        ("Name of the reseller", "resold"),
        ("Influencing Partners", "influenced"),
        ("Co-Sell Partner", "influenced"),
        ("Implementation Partner", "delivered"),
    ],
)
def test_labels_that_name_partners(label: str, credit: str) -> None:
    assert found({label: ["Beta", "Gamma"]}, "pipedrive" if " - " in label else "generic") == [(label, credit, "name")]


@pytest.mark.parametrize(
    "label",
    ["Partner Type", "Partner Manager", "Partner Tier", "Is Partner", "Partner E-Mail", "Partner since", "Owner"],
)
def test_labels_that_say_something_else_of_partners(label: str) -> None:
    assert not found({label: ["Beta", "Gamma"]})


@pytest.mark.parametrize("cells", [["yes", "no"], ["2026-01-31", "2026-02-28"], ["1,000.00", "12.50"]])
def test_cells_that_name_nobody(cells: list[str]) -> None:
    assert not found({"Partner": cells})


@pytest.mark.parametrize(
    ("label", "cells", "dialect", "match"),
    [
        ("PrimaryPartnerAccountId", ["0015g00000AAAABAA1", "0015g00000AAAACAA1"], "salesforce", "account_id"),
        ("Partner Account", ["Beta GmbH", "Gamma"], "salesforce", "name"),
        ("Partner ID", ["P-001", "P-002"], "generic", "partner_id"),
        ("Partner", ["P-001", "P-002"], "generic", "partner_id"),
        ("Partner", ["beta.example", "gamma.example"], "generic", "domain"),
    ],
)
def test_what_the_cells_hold(label: str, cells: list[str], dialect: str, match: str) -> None:
    assert found({label: cells}, dialect) == [(label, "sourced", match)]


def test_an_id_beside_a_name_is_one_partner() -> None:
    assert found({"Partner Name": ["Beta", "Gamma"], "Partner ID": ["P1", "P2"]}) == [
        ("Partner ID", "sourced", "partner_id")
    ]


def test_several_credits_and_the_sourcing_one_first() -> None:
    columns = {"Reseller": ["Beta"], "Implementation Partner": ["Gamma"], "Partner": ["Delta"]}
    assert [credit for _, credit, _ in found(columns)] == ["sourced", "resold", "delivered"]


def test_several_partners_in_a_cell_and_their_shares() -> None:
    columns = {"Partner": ["Beta; Gamma", "Beta"], "Partner Split": ["60; 40", "100"]}
    (one,) = partner_columns(table(**columns), (get("generic"),), ())
    assert (one.separator, one.split) == (";", "Partner Split")


def test_kinds_of_accounts_and_sources_that_mean_partners() -> None:
    facts = table(Type=["Customer", "Channel Partner / Reseller", "Silver Partner"], Source=["Web", "Partner Referral"])
    assert partner_kinds(facts, "Type", (get("salesforce"),)) == ("Channel Partner / Reseller", "Silver Partner")
    assert partner_sources(facts, "Source") == (("Partner Referral", 1),)
