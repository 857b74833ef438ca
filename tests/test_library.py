"""The metric library: complete, without a fault, and taken from as ``use`` says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import small_world
import tiny_workbook
from hypothesis import given
from hypothesis import strategies as st
from small_world import AS_OF, Q3, RATES, partner

from pbr_lib import catalogue, library, metrics, params, yamlfile
from pbr_lib.definitions import MetricsFile, RatioMetric
from pbr_lib.errors import ParamsError
from pbr_lib.schema import TABLES
from pbr_lib.wording import describe

SHIPPED = Path(__file__).resolve().parent.parent / "params" / "library.yaml"
LEADS = "{label: Mine, table: leads, aggregate: count, date: created_at, unit: {kind: count}}"
# What domain.md section 4 defines, by the name it has here.
REFERENCE = """
new_partner_leads lead_acceptance_rate lead_conversion_rate sourced_pipeline_created influenced_pipeline_created
sourced_revenue_won influenced_revenue_won resold_revenue_won weighted_pipeline pipeline_coverage cosell_opportunities
partner_attach_rate partner_share_of_revenue win_rate win_rate_by_amount average_deal_size median_deal_size
sales_cycle_days mean_sales_cycle_days sales_velocity days_to_first_deal deal_registrations registration_approval_rate
days_to_decide_registrations registration_conflict_rate registration_win_rate registrations_expiring certified_people
certifications_earned onboarding_completion activation_rate signs_of_activity action_completion_rate mdf_utilisation
revenue_per_mdf mdf_return pipeline_per_mdf mdf_cost_per_lead gross_retention net_retention logo_retention
satisfied_customers customer_satisfaction partner_net_promoter_score implementation_days dispute_rate
"""


def shelf(currency: str = "USD") -> dict[str, Any]:
    """The shipped library."""
    document = library.with_currency(yamlfile.read(SHIPPED, "params/library.yaml"), currency)
    file, faults = yamlfile.validate(MetricsFile, document)
    assert file is not None, faults
    return dict(file.metrics)


def taken(tmp_path: Path, text: str) -> tuple[list[str], list[Any]]:
    """The names that a metrics file takes, and the faults of its ``use``."""
    (tmp_path / "metrics.yaml").write_text(text, encoding="utf-8")
    document = yamlfile.read(tmp_path / "metrics.yaml", "params/metrics.yaml")
    file, faults = yamlfile.validate(MetricsFile, document)
    assert file is not None, faults
    found, faults = library.taken(file, shelf(), document)
    return list(found), faults


def test_the_library_fits_the_tables() -> None:
    """Every definition passes the very checks that metrics.yaml goes through."""
    document = library.with_currency(yamlfile.read(SHIPPED, "params/library.yaml"), "USD")
    file, faults = yamlfile.validate(MetricsFile, document)
    assert file is not None and not file.use
    assert [*faults, *catalogue.check_metrics(file, document)] == []


@pytest.mark.parametrize("name", REFERENCE.split())
def test_every_metric_of_the_reference_is_there_and_told(name: str) -> None:
    """Each has a label, a sentence that ends, and a definition in words."""
    known = shelf()
    metric = known[name]
    assert metric.label and metric.about.endswith(".")
    assert describe(metric, known).endswith(".")
    if isinstance(metric, RatioMetric) and metric.unit.kind == "percent" and "retention" not in name:
        assert metric.min_n > 1 or name in ("mdf_utilisation", "mdf_return", "action_completion_rate")


def test_every_label_is_used_once() -> None:
    """Two numbers of one name could not be told apart in a pack."""
    labels = [metric.label for metric in shelf().values()]
    assert len(set(labels)) == len(labels)


def test_a_row_counts_by_the_day_of_the_reference() -> None:
    """The basis column of domain.md section 4: created, closed, decided, submitted, due."""
    known = shelf()
    dates = {
        "new_partner_leads": "created_at", "accepted_leads": "decided_on", "converted_leads": "created_at",
        "sourced_pipeline_created": "created_at", "sourced_revenue_won": "close_date",
        "partner_deals_closed": "close_date",
        "deal_registrations": "submitted_on", "days_to_decide_registrations": "decided_on", "actions_due": "due_on",
        "certifications_earned": "issued_on", "mdf_paid": "paid_on", "implementation_days": "went_live_on",
    }  # fmt: skip
    assert {name: known[name].date for name in dates} == dates


def test_the_whole_library_is_measured_on_empty_tables() -> None:
    """Every metric compiles and runs; with nothing in the tables nothing has a value."""
    connection = small_world.connect({"partners": [partner("A")]})
    window = small_world.window(AS_OF, [Q3], RATES)
    found = metrics.measure(connection, shelf(), window)
    values = {name: one.cell("A", Q3) for name, one in found.items()}
    counted = {name for name, cell in values.items() if cell.value}
    assert counted == {"partner_itself"}
    assert all(cell.reason for cell in values.values() if cell.state == "unknown")


# ------------------------------------------------------------------------------------------------- use


def test_use_takes_what_it_names_and_the_parts_of_ratios(tmp_path: Path) -> None:
    """A rate brings what stands above and below its line, in the order of the library."""
    names, faults = taken(tmp_path, "pbr: 1\nuse: [gross_retention, new_logos]\n")
    assert (names, faults) == (["new_logos", "opening_arr", "lost_arr", "gross_retention"], [])
    assert taken(tmp_path, "pbr: 1\nuse: win_rate\n")[0] == ["partner_deals_won", "partner_deals_closed", "win_rate"]


def test_use_all_takes_everything_else(tmp_path: Path) -> None:
    """A metric of the same name in metrics.yaml wins, and is a part of the library's rates as well."""
    names, faults = taken(tmp_path, f"pbr: 1\nuse: all\nmetrics: {{new_partner_leads: {LEADS}}}\n")
    assert faults == []
    assert set(names) == set(shelf()) - {"new_partner_leads"}


def test_an_unknown_name_is_told_with_its_line(tmp_path: Path) -> None:
    """The nearest name of the library is offered."""
    names, (fault,) = taken(tmp_path, "pbr: 1\nuse:\n  - win_rate\n  - gros_retention\n")
    assert "win_rate" in names
    assert fault.what == 'the library has no metric called "gros_retention"'
    assert fault.where.startswith("params/metrics.yaml, line 4: use.1")
    assert 'did you mean "gross_retention"?' in fault.fix


def test_params_take_from_the_library_when_they_are_read(tmp_path: Path) -> None:
    """What is taken stands beside the workbook's own, is known as taken, and is in its currency."""
    root = tiny_workbook.write(tmp_path, tiny_workbook.usual(), metrics=f"{tiny_workbook.METRICS}\nuse: [mdf_return]\n")
    with pytest.raises(ParamsError, match=r"library\.yaml: this file is missing"):
        params.read(root)
    tiny_workbook.put(root, "params/library.yaml", SHIPPED.read_text("utf-8"))
    read = params.read(root)
    assert read.from_library == {"mdf_return", "mdf_revenue", "mdf_paid"}
    assert {"new_leads", *read.from_library} <= set(read.metrics)
    assert read.metrics["mdf_paid"].unit.currency == read.workbook.currency


def test_nothing_is_taken_without_use(tmp_path: Path) -> None:
    """A file that takes nothing has nothing of the library."""
    assert taken(tmp_path, f"pbr: 1\nmetrics: {{mine: {LEADS}}}\n") == ([], [])


@given(st.sampled_from(["USD", "EUR", "JPY"]))
def test_money_without_a_currency_is_the_workbooks(currency: str) -> None:
    """Every unit of money has the currency of the workbook; a unit that names one keeps it."""
    units = [metric.unit for metric in shelf(currency).values() if metric.unit.kind == "money"]
    assert units and {unit.currency for unit in units} == {currency}
    data = {"metrics": {"m": {"unit": {"kind": "money", "currency": "GBP"}}, "n": {"unit": {"kind": "count"}}, "o": 5}}
    document = yamlfile.Document("x", data, {})
    assert library.with_currency(document, currency).data == data


def test_a_file_that_is_no_library_is_left_to_the_checks() -> None:
    """Whatever stands in the file, nothing fails before the faults of the file are told."""
    for data in (None, [], {"metrics": []}, {"pbr": 1}):
        document = yamlfile.Document("x", data, {})
        assert library.with_currency(document, "USD") is document


def test_every_table_that_can_be_measured_is_used() -> None:
    """No normalised table with partners is without a metric, but for those that only serve others."""
    used = {metric.table for metric in shelf().values() if not isinstance(metric, RatioMetric)}
    can = {name for name, table in TABLES.items() if table.credited or table.column("partner_id")}
    aside = {"partnerships", "tier_history", "attribution_events", "service_links", "manual_facts"}
    assert can - used == aside
