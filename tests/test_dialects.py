"""What CRMs call things: data that fits the normalised tables, and headers that are recognised by it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import dialects
from pbr_lib.errors import InputError
from pbr_lib.schema import TABLES

EXPORTS = Path(__file__).resolve().parents[2] / "shared" / "exports"


@pytest.mark.parametrize("name", dialects.names())
def test_a_dialect_speaks_of_tables_columns_and_values_that_there_are(name: str) -> None:
    dialect = dialects.get(name)
    assert dialect.title and dialect.about
    for table in dialect.tables:
        spec = TABLES[table]
        for column, labels in dialect.labels(table).items():
            known = spec.column(column)
            assert known is not None and not known.computed, f"{table}.{column}"
            assert all(isinstance(label, str) and label == label.strip() for label in labels)
        for column in (*dialect.tables[table].get("values", {}), *dialect.first_of(table)):
            known = spec.column(column)
            assert known is not None, f"{table}.{column}"
            stray = set(dialect.values(table, column).values()) - set(known.values)
            assert not (known.values and stray), f"{table}.{column}: {stray}"


@pytest.mark.parametrize("name", dialects.names())
def test_a_word_means_one_thing(name: str) -> None:
    for table, content in dialects.get(name).tables.items():
        for column, by_value in content.get("values", {}).items():
            words = [word for words in by_value.values() for word in words]
            twice = {word for word in words if words.count(word) > 1}
            assert not twice, f"{table}.{column}: {twice}"


def test_stems_lead_to_values_that_there_are() -> None:
    columns = {"stage": ("opportunities", "stage"), "status": ("leads", "status"), "credit_type": ("attributions",) * 2}
    for name, (table, column) in columns.items():
        spec = TABLES[table].column("credit_type" if name == "credit_type" else column)
        assert spec is not None
        assert set(dialects.get(dialects.GENERIC).words[name]) <= set(spec.values)


def test_an_unknown_dialect_is_an_error_with_the_one_that_was_meant() -> None:
    with pytest.raises(InputError, match="no dialect is called") as caught:
        dialects.get("salesfroce")
    assert caught.value.fix == 'did you mean "salesforce"?'


def test_the_generic_dialect_comes_last() -> None:
    assert dialects.names()[-1] == dialects.GENERIC
    assert {
        "salesforce",
        "hubspot",
        "dynamics",
        "zoho",
        "pipedrive",
        "odoo",
        "suitecrm",
        "orocrm",
        "close",
        "aws_ace",
    } < {*dialects.names()}


@pytest.mark.parametrize("label", ["StageName", "stage_name", "STAGE NAME", " Stage-Name ", "stage.name"])
def test_spellings_of_a_label_share_a_key(label: str) -> None:
    assert dialects.label_key(label) == "stagename"


@given(st.text(min_size=1, max_size=40))
def test_a_key_is_its_own_key(label: str) -> None:
    key = dialects.label_key(label)
    assert dialects.label_key(key) == key


@pytest.mark.parametrize(
    ("column", "word", "value"),
    [
        ("stage", "6 - Closed & lost (price)", "lost"),
        ("stage", "Geschlossen – verloren", "lost"),
        ("stage", "Not won", "lost"),
        ("stage", "Gewonnen!", "won"),
        ("stage", "Affaire gagnée", "won"),
        ("stage", "Preisverhandlung", ""),
        ("stage", "Verhandlung läuft", "open_late"),
        ("stage", "Angebot versendet", "open_mid"),
        ("stage", "Lead qualifiziert", "open_early"),
        ("stage", "Personal review", ""),
        ("stage", "Xyzzy", ""),
        ("status", "Nicht qualifiziert", "rejected"),
        ("status", "Open - Not Contacted", "working"),
        ("status", "Marketing qualified", "accepted"),
        ("type", "Existing Customer - Upgrade", "expansion"),
        ("kind", "Silver Reseller", "partner"),
    ],
)
def test_a_stem_suggests_a_value(column: str, word: str, value: str) -> None:
    assert dialects.guess_word(column, word) == value


HEADERS = {
    "salesforce opportunities report1642777476321.csv": (
        "Opportunity Owner,Account Name,Opportunity Name,Stage,Fiscal Period,Amount,Probability (%),Age,"
        "Close Date,Created Date,Next Step,Lead Source,Type"
    ),
    "salesforce opportunities bericht.csv": (
        "Opportunity-Inhaber,Accountname,Opportunity-Name,Phase,Betrag Währung,Betrag,Schlusstermin,"
        "Erstelldatum,Opportunity-ID"
    ),
    "salesforce opportunities extract.csv": ("ID,ACCOUNTID,NAME,STAGENAME,AMOUNT,CLOSEDATE,ISWON,ISCLOSED,CREATEDDATE"),
    "salesforce attributions Partner.csv": (
        "Id,OpportunityId,AccountFromId,AccountToId,Role,IsPrimary,ReversePartnerId"
    ),
    "salesforce leads leads.csv": (
        "Lead Owner,First Name,Last Name,Company / Account,Email,Lead Source,Lead Status,Created Date"
    ),
    "dynamics opportunities My Open Opportunities 1-1-2025 10-00-00 AM.xlsx": (
        "(Do Not Modify) Opportunity,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,Topic,"
        "Potential Customer,Est. close date,Est. revenue,Status"
    ),
    "hubspot opportunities hubspot-crm-exports-all-deals-2025-11-21.csv": (
        "Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount,Create Date,Associated Company"
    ),
    "hubspot opportunities alle-deals.csv": ("Datensatz-ID,Deal-Name,Deal-Phase,Abschlussdatum,Deal-Inhaber,Betrag"),
    "hubspot leads contacts.csv": ("Record ID,First Name,Last Name,Email,Lead Status,Create Date,Contact owner"),
    "zoho opportunities Potentials.csv": (
        "Record Id,Potential Name,Potential Owner,Amount,Closing Date,Stage,Created Time"
    ),
    "pipedrive opportunities deals-123456-1.csv": (
        "Deal - ID,Deal - Title,Deal - Value,Deal - Status,Deal - Deal created"
    ),
    "pipedrive opportunities obchody.csv": (
        "Obchod - ID,Obchod - Název,Obchod - Hodnota,Obchod - Stav,Obchod - Vytvořeno"
    ),
    "odoo opportunities crm.lead.xlsx": (
        "External ID,Opportunity,Customer,Expected Revenue,Stage,Salesperson,Created on"
    ),
    "suitecrm opportunities Opportunities.csv": (
        "Opportunity Name,ID,Opportunity Amount,Currency,Expected Close Date,Sales Stage,Assigned to,Date Modified"
    ),
    "close opportunities opportunities.csv": (
        "id,lead_id,lead_name,status_type,status_label,value,value_period,date_created"
    ),
    "aws_ace opportunities ace.csv": (
        "Opportunity id,Partner CRM Unique Identifier,Customer Company Name,Partner Project Title,Stage,"
        "Target Close Date,Estimated AWS Monthly Recurring Revenue,Created Date"
    ),
    "generic opportunities Umsatz 2026.xlsx": (
        "Nr.,Kunde,Projekt,Betrag,Phase,Abschlussdatum,Vertriebspartner,Angelegt am"
    ),
    "generic opportunities affaires.csv": ("N° affaire,Client,Intitulé,Montant HT,Étape,Date de clôture,Partenaire"),
    "generic opportunities deals_2026.csv": (
        "deal_id,deal_name,customer_name,deal_value,stage,created_at,closed_at,partner_id"
    ),
    "generic partners Partnerliste.xlsx": ("Partner-Nr.,Firma,Stufe,Status,Partner seit,Betreuer,E-Mail"),
    "generic leads leads.csv": ("Lead ID,Company,Email,Status,Source,Created,Partner"),
    "generic registrations dealreg.csv": (
        "Registration ID,Partner Name,Customer,Submitted Date,Status,Estimated Amount"
    ),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_is_recognised(case: str) -> None:
    dialect, table, file = case.split(" ", 2)
    best = dialects.recognise(HEADERS[case].split(","), {}, file)[0]
    assert (best.dialect, best.table) == (dialect, table)
    assert len(set(best.columns.values())) == len(best.columns)


@pytest.mark.parametrize(
    "header",
    [
        "Segment,Country,Product,Discount Band,Units Sold,Sale Price,Sales,Profit,Date,Month Name,Year",
        "company_id,deal_id,type_id,category",
        "Id,OpportunityId,CreatedById,CreatedDate,StageName,Amount,CloseDate,Probability,SystemModstamp",
        "Step #,Expected Results,Pass/Fail,User Notes",
        "",
    ],
)
def test_other_tables_are_not_recognised(header: str) -> None:
    assert not dialects.recognise(header.split(","), {}, "file.csv")


def test_the_records_own_amount_goes_before_the_converted_one() -> None:
    labels = [
        "Opportunity Name",
        "Amount Currency",
        "Amount",
        "Amount (converted) Currency",
        "Amount (converted)",
        "Stage",
    ]
    best = dialects.recognise([*labels, "Close Date"], {}, "report.csv")[0]
    assert (best.columns["Amount"], best.columns["Amount Currency"]) == ("amount", "currency")


def test_an_added_field_does_not_take_the_place_of_the_id() -> None:
    labels = ["Id", "Name", "StageName", "Amount", "CloseDate", "Opportunity_ID__c", "IsWon"]
    assert dialects.recognise(labels, {}, "Opportunity.csv")[0].columns["Id"] == "opportunity_id"


def test_refused_labels_give_way_to_the_next() -> None:
    dialect, labels = dialects.get("salesforce"), ["Closed", "Close Date", "Stage", "Amount"]
    generic = dialects.get(dialects.GENERIC)
    assert dialects.columns_of(dialect, "opportunities", labels, frozenset())["Close Date"] == "close_date"
    refused = frozenset({("Close Date", "close_date")})
    assert dialects.columns_of(generic, "opportunities", labels, refused)["Closed"] == "close_date"


def test_a_dynamics_sheet_names_its_labels() -> None:
    assert dialects.logical_names({"dynamics_labels": '{"Topic": "name"}'}) == {"Topic": "name"}
    assert dialects.logical_names({"dynamics_labels": "{"}) == dialects.logical_names({}) == {}


@pytest.mark.parametrize(
    ("file", "dialect", "table"),
    [
        ("sf-stomita-migration/Opportunity.csv", "salesforce", "opportunities"),
        ("sf-data-export-service-headers/Account.header.csv", "salesforce", "accounts"),
        ("sf-data-export-service-headers/Partner.header.csv", "salesforce", "attributions"),
        ("sf-data-export-service-headers/Task.header.csv", "salesforce", "activities"),
        ("salesforce-dbt-seeds/sf_lead_data.csv", "salesforce", "leads"),
        ("hubspot-dbt-seeds/deal_data.csv", "hubspot", "opportunities"),
        ("hubspot-dummy/hubspot_companies.csv", "hubspot", "accounts"),
        ("pipedrive-partner-dashboard/deals.csv", "pipedrive", "opportunities"),
        ("suitecrm-demo/Opportunities.csv", "suitecrm", "opportunities"),
        ("oro-crm/lead_export.csv", "orocrm", "leads"),
        ("maven-crm/sales_pipeline.csv", "generic", "opportunities"),
    ],
)
def test_real_headers_are_recognised(file: str, dialect: str, table: str) -> None:
    path = EXPORTS / file
    if not path.is_file():
        pytest.skip("the exports to test against are not here")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        labels = next(csv.reader(stream))
    best = dialects.recognise(labels, {}, path.name)[0]
    assert (best.dialect, best.table) == (dialect, table)
