"""Real exports of many programs, read in place: each gives the rows and columns that it has, or is refused rightly."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading_support import EXPORTS, finish

from pbr_lib import reading
from pbr_lib.errors import SourceError
from pbr_lib.reading import How

pytestmark = pytest.mark.skipif(not EXPORTS.is_dir(), reason="the folder of third-party exports is not here")

# File, rows and columns of each table in it, in the order of a survey.
SHAPES = """
aws-ace/ACE-Data-Model.xlsx: 86x17 249x37
aws-ace/Lead - Testing Scenarios.xlsx: 12x6
aws-ace/Leads-Fields.csv: 33x8
aws-ace/Opportunity - Testing Scenarios.xlsx: 29x6 28x6 28x6
aws-ace/Opportunity-Fields.csv: 88x17
aws-ace/Opportunity_-_StandardValues.csv: 251x29
hubspot-dbt-seeds/company_data.csv: 24x14
hubspot-dbt-seeds/deal_company_data.csv: 2x4
hubspot-dbt-seeds/deal_data.csv: 44x11
hubspot-dbt-seeds/deal_pipeline_data.csv: 6x8
hubspot-dbt-seeds/deal_stage_data.csv: 14x9
hubspot-dbt-seeds/engagement_meeting_data.csv: 100x13
hubspot-dbt-seeds/merged_deal_data.csv: 14x3
hubspot-dbt-seeds/owner_data.csv: 100x10
hubspot-dummy/hubspot_activities.csv: 2000x11
hubspot-dummy/hubspot_companies.csv: 200x16
hubspot-dummy/hubspot_deals.csv: 500x12
maven-crm/CRM+Sales+Opportunities.zip: 85x7 21x3 7x3 8800x8 35x3
maven-crm/accounts.csv: 85x7
maven-crm/products.csv: 7x3
maven-crm/sales_pipeline.csv: 8800x8
maven-crm/sales_teams.csv: 35x3
mockaroo-sf-opps/salesforce_opportunities.csv: 1000x10
ms-financial-sample/Financial Sample.xlsx: 700x15
odoo/m2m_customers_tags.csv: 5x7
odoo/o2m_customers_contacts.csv: 8x9
odoo/test.xls: 3x3
oro-crm/import_template_de.csv: 1x156
oro-crm/lead_export.csv: 3x69
oro-crm/lead_export_template.csv: 1x114
pipedrive-partner-dashboard/deals.csv: 20x16
salesforce-dbt-seeds/sf_account_data.csv: 10x50
salesforce-dbt-seeds/sf_event_data.csv: 10x113
salesforce-dbt-seeds/sf_lead_data.csv: 1x382
salesforce-dbt-seeds/sf_opportunity_data.csv: 10x36
salesforce-dbt-seeds/sf_task_data.csv: 10x107
sf-data-cloud-workshop/Account.csv: 22x56
sf-data-cloud-workshop/AccountContactRelation.csv: 22x14
sf-data-cloud-workshop/Campaign.csv: 8x34
sf-data-cloud-workshop/CampaignMember.csv: 68x38
sf-data-cloud-workshop/Contact.csv: 102x72
sf-data-cloud-workshop/Lead.csv: 60x55
sf-data-cloud-workshop/Opportunity.csv: 50x35
sf-data-cloud-workshop/Task.csv: 75x40
sf-data-export-service-headers/Account.header.csv: 0x110
sf-data-export-service-headers/Campaign.header.csv: 0x44
sf-data-export-service-headers/CampaignInfluence.header.csv: 0x16
sf-data-export-service-headers/CampaignMember.header.csv: 0x15
sf-data-export-service-headers/Contact.header.csv: 0x72
sf-data-export-service-headers/Event.header.csv: 0x42
sf-data-export-service-headers/Lead.header.csv: 0x67
sf-data-export-service-headers/Opportunity.header.csv: 0x55
sf-data-export-service-headers/OpportunityCompetitor.header.csv: 0x11
sf-data-export-service-headers/OpportunityContactRole.header.csv: 0x11
sf-data-export-service-headers/OpportunityHistory.header.csv: 0x21
sf-data-export-service-headers/Partner.header.csv: 0x13
sf-data-export-service-headers/Task.header.csv: 0x43
sf-data-export-service-headers/User.header.csv: 0x82
sf-data-export-service-headers/UserRole.header.csv: 0x16
sf-powerbi-mdy/Account.csv: 18x17
sf-powerbi-mdy/Lead.csv: 22x28
sf-powerbi-mdy/Opportunity.csv: 36x19
sf-powerbi-mdy/OpportunityHistory.csv: 48x13
sf-powerbi-mdy/OpportunityHistoryGroup.csv: 10x3
sf-prodly-appops/Account.csv: 4x30
sf-prodly-appops/AccountContactRole.csv: 0x4
sf-prodly-appops/Opportunity.csv: 5x13
sf-stomita-migration/Account.csv: 83x66
sf-stomita-migration/Opportunity.csv: 774x41
suitecrm-demo/Opportunities.csv: 1x25
uipath-mixed-currency/SaleOpportunitiesData.xlsx: 18x9
xlsx-traps-calamine/issue_174.xlsx: 1x11
xlsx-traps-calamine/strict_iso_paths.xlsx: 75x18
xlsx-traps-calamine/table-multiple.xlsx: 4x3 4x2 4x2 4x2
xlsx-traps-calamine/temperature-in-middle.xlsx: 2x2
"""

REFUSED = """
aws-ace/Opportunity-Outbound-Sample.json: JSON
liar-html-as-csv/Leads Data Dictionary.xlsx: web page
liar-html-as-csv/Leads.csv: web page
odoo/crm_lead.xls: cannot be read
xlsx-traps-calamine/empty_sheet.xlsx: empty
xlsx-traps-calamine/pass_protected.xlsb: locked with a password
xlsx-traps-calamine/pass_protected.xlsx: locked with a password
xlsx-traps-calamine/too_small.xls: running text
xlsx-traps-calamine/xls_wrong_decimals.xls: looks like a header
"""


def listed(text: str) -> list[tuple[str, str]]:
    """The lines of a list as pairs."""
    return [(name, rest) for name, rest in (line.split(": ") for line in text.strip().splitlines())]


@pytest.mark.parametrize(("name", "shapes"), listed(SHAPES))
def test_rows_and_columns(name: str, shapes: str) -> None:
    """Every table of the file, with as many records and columns as it has."""
    tables = reading.survey(EXPORTS / name, name)
    assert " ".join(f"{len(finish(table).rows)}x{len(table.labels)}" for table in tables) == shapes


@pytest.mark.parametrize(("name", "what"), listed(REFUSED))
def test_refused(name: str, what: str) -> None:
    """What holds no table is refused with the right reason."""
    with pytest.raises(SourceError) as caught:
        reading.survey(EXPORTS / name, name)
    assert what in caught.value.what
    assert caught.value.where
    assert caught.value.fix


def test_every_file_is_read_or_refused() -> None:
    """No file of the collection gives anything but tables or one clear error, and no row of it vanishes."""
    known = {name for name, _ in (*listed(SHAPES), *listed(REFUSED))}
    for path in sorted(EXPORTS.rglob("*")):
        name = path.relative_to(EXPORTS).as_posix()
        if not path.is_file() or name in known or path.suffix == ".md":
            continue
        try:
            for table in reading.survey(path, name):
                finish(table)
        except SourceError as error:
            assert error.where and error.fix, name


def test_labels_with_blanks_around_them() -> None:
    """The label " Sales" is read as "Sales", and the name "None" is a name."""
    name = "ms-financial-sample/Financial Sample.xlsx"
    done = finish(reading.read(EXPORTS / name, name, How(frozenset(["Segment", "Sales", "Discount Band"]))))
    assert "Sales" in done.table.labels
    assert "None" in {row[done.table.labels.index("Discount Band")] for row in done.rows}


def test_a_sheet_behind_another() -> None:
    """The sheet that holds the labels is read, though another stands before it."""
    name = "uipath-mixed-currency/Opportunities.xlsx"
    done = finish(reading.read(EXPORTS / name, name, How(frozenset(["Account Name", "Country", "Opportunity Owner"]))))
    assert (done.table.place, len(done.rows)) == (f"{name} [Opportunities]", 18)


def test_a_member_of_a_zip() -> None:
    """The member that holds the labels is read where it lies."""
    name = "maven-crm/CRM+Sales+Opportunities.zip"
    labels = frozenset(["opportunity_id", "sales_agent", "product", "account"])
    done = finish(reading.read(EXPORTS / name, name, How(labels)))
    assert Path(done.table.facts["member"]).name == "sales_pipeline.csv"
    assert len(done.rows) == 8800


def test_an_extra_line_is_set_aside() -> None:
    """A stray line at the end of a real download is told, with its reason and text."""
    name = "suitecrm-demo/Opportunities.csv"
    done = finish(reading.survey(EXPORTS / name, name)[0])
    assert done.reasons == {"line below the data": (3,), "blank row": (4,)}
    assert [aside.sample for aside in done.table.aside] == ["pnc Banking Inc", ""]


def test_errors_of_a_real_workbook() -> None:
    """Error cells keep their addresses in a workbook that Excel wrote."""
    name = "xlsx-traps-calamine/pivots.xlsx"
    done = finish(reading.read(EXPORTS / name, name, How(sheet="DataSheet")))
    assert [(f.row, f.value) for f in done.table.findings if f.severity == "error"] == [(8, "#DIV/0!"), (5, "#DIV/0!")]
