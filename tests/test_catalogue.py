"""Definitions held against the normalised tables and against each other, one slip at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbr_lib import catalogue, mapping_checks, yamlfile
from pbr_lib.definitions import GoalsFile, MetricsFile
from pbr_lib.errors import InputError
from pbr_lib.mapping import Source
from pbr_lib.periods import Calendar

METRICS = """pbr: 1
metrics:
  leads:
    {label: Leads, table: leads, aggregate: count, date: created_at, unit: {kind: count}}
  pipeline:
    {label: Pipeline, table: opportunities, aggregate: sum, of: amount, date: created_at,
     where: {is_won: true, stage: {in: [won, lost]}}, credit: split, credit_type: [sourced],
     in_progress: {where: {is_open: true}, date: close_date}, unit: {kind: money, currency: USD}}
  people:
    {label: People, table: certifications, aggregate: count_distinct, of: person_id, nature: level,
     valid_from: issued_on, valid_to: expires_on, unit: {kind: count}}
  rate:
    {type: ratio, label: Rate, numerator: leads, denominator: people, unit: {kind: percent}}
"""
GOALS = """pbr: 1
objectives: {grow: Grow}
goals:
  leads_q:
    metric: leads
    objective: grow
    first_period: 2026-Q1
    applies_to: {tier: Gold, joined_on: {gte: 2024-01-01}}
    target: {at_least: 5}
    owners: {vendor: Us, partner: Them}
  rate_q:
    metric: rate
    objective: grow
    first_period: 2026-Q1
    target: {at_least: 85 %}
    owners: {vendor: Us, partner: Them}
"""
SOURCE = """pbr: 1
file: deals.csv
table: opportunities
as_of: {find: As of, format: "%d.%m.%Y"}
covers_from: 2024-01-01
date_format: "%d.%m.%Y"
columns:
  Deal ID: opportunity_id
  Title: name
  Stage: stage
  Value: amount
  Currency: currency
  Created: created_at
  Closes: close_date
values:
  stage: {Won: won, Lost: lost}
attribution:
  - {column: Partner, credit: sourced, match: name}
"""
PARTNERS = """pbr: 1
file: partners.csv
table: partners
as_of: 2026-09-30
covers_from: 2024-01-01
columns: {ID: partner_id, Name: name}
"""


def read(tmp_path: Path, name: str, text: str) -> yamlfile.Document:
    """A document of that text."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    return yamlfile.read(tmp_path / name, f"params/{name}")


def metric_faults(tmp_path: Path, text: str) -> list[InputError]:
    """The faults of a metrics file that is otherwise well formed."""
    document = read(tmp_path, "metrics.yaml", text)
    file, errors = yamlfile.validate(MetricsFile, document)
    assert file is not None, errors
    return catalogue.check_metrics(file, document)


def goal_faults(tmp_path: Path, text: str, calendar: Calendar | None = None) -> list[InputError]:
    """The faults of a goals file that is otherwise well formed."""
    document = read(tmp_path, "goals.yaml", text)
    file, errors = yamlfile.validate(GoalsFile, document)
    metrics, _ = yamlfile.validate(MetricsFile, read(tmp_path, "metrics.yaml", METRICS))
    assert file is not None, errors
    assert metrics is not None
    own = calendar or Calendar()

    def called(name: str) -> Calendar:
        if name not in ("", "partner_fy"):
            raise ValueError(f'no calendar is called "{name}"; add it to params/workbook.yaml')
        return Calendar(2, label="fiscal", name=name) if name else own

    return catalogue.check_goals(file, metrics, document, called)


def source_faults(tmp_path: Path, text: str) -> list[InputError]:
    """The faults of a mapping that is otherwise well formed."""
    document = read(tmp_path, "deals.yaml", text)
    source, errors = yamlfile.validate(Source, document)
    assert source is not None, errors
    return mapping_checks.check_source(source, document)


def only(found: list[InputError]) -> InputError:
    """The one fault, with line and remedy."""
    assert len(found) == 1, [str(error) for error in found]
    assert ", line " in found[0].where
    assert found[0].fix
    return found[0]


def test_what_fits_has_no_fault(tmp_path: Path) -> None:
    """The well-formed examples have no faults."""
    assert metric_faults(tmp_path, METRICS) == []
    assert goal_faults(tmp_path, GOALS) == []
    assert source_faults(tmp_path, SOURCE) == []


@pytest.mark.parametrize(
    ("old", "new", "where", "what", "fix"),
    [
        ("table: leads", "table: laeds", "leads.table", 'no table is called "laeds"', '"leads"'),
        ("date: created_at, unit: {kind: count}", "date: source, unit: {kind: count}", "leads.date", "text", "created"),
        ("of: amount", "of: amuont", "pipeline.of", 'no column "amuont"', '"amount"'),
        ("of: amount", "of: stage", "pipeline.of", "stage is text", "amount"),
        ("is_won: true", "is_wno: true", "pipeline.where", 'no column "is_wno"', "is_won"),
        ("is_won: true", "is_won: yes", "pipeline.where", '"yes" does not fit', "true or false"),
        ("is_won: true", "is_won: {gt: true}", "pipeline.where", "true or false", "is_won: true"),
        ("[won, lost]", "[won, lots]", "pipeline.where", 'never "lots"', '"lost"'),
        ("[won, lost]", "[won, 7]", "pipeline.where", '"7" does not fit', "quotes"),
        ("is_won: true", "amount: {contains: 5}", "pipeline.where", "needs text", "another operator"),
        ("is_won: true", "amount: much", "pipeline.where", '"much" does not fit', "number"),
        ("is_won: true", "close_date: {gt: soon}", "pipeline.where", '"soon" does not fit', "2026-09-30"),
        ("is_open: true", "is_opn: true", "pipeline.in_progress.where", 'no column "is_opn"', "is_open"),
        ("date: close_date}", "date: stage}", "pipeline.in_progress.date", "stage is text", "close_date"),
        ("kind: money, currency: USD", "kind: count", "pipeline.unit", "amount is money", "currency: USD"),
        ("people, unit: {kind: percent}", "poeple, unit: {kind: percent}", "rate.denominator", "poeple", "people"),
        ("numerator: leads", "numerator: rate", "rate.numerator", 'no simple metric is called "rate"', "known"),
        (
            "date: created_at, unit: {kind: count}",
            "date: created_at, unit: {kind: days}",
            "leads.unit",
            "count",
            "kind",
        ),
        ("issued_on", "level", "people.valid_from", "level is text", "issued_on"),
        ("of: person_id", "of: person", "people.of", 'no column "person"', "person_id"),
        ("nature: level", "nature: level, credit_type: [sourced]", "people.credit_type", "no credit", "remove"),
        ("aggregate: count, date", "aggregate: count, credit: split, date", "leads.credit", "only a sum", "full"),
        ("aggregate: count, date", "aggregate: count, sum: split, date", "leads.sum", "only a sum", "gross"),
        ("nature: level", "nature: level, late: true", "people.late", "no credit", "remove"),
        ("nature: level", "nature: level, credit_method: [field]", "people.credit_method", "no credit", "remove"),
        ("nature: level", "nature: level, sum: gross", "people.sum", "no credit", "remove"),
        ("nature: level", "nature: level, existing_since: name", "people.existing_since", "name is text", "issued_on"),
        ("nature: level", "nature: level, existing_since: since", "people.existing_since", 'column "since"', "known"),
        ("aggregate: sum", "aggregate: median", "pipeline.credit", "only a sum can be split", "full"),
        ("numerator: leads", "numerator: [leads, pipeline]", "rate.numerator", "leads is in count and", "one unit"),
        ("numerator: leads", "numerator: [leads, -peple]", "rate.numerator", 'called "peple"', '"people"'),
    ],
)
def test_a_metric_that_does_not_fit_its_table(
    tmp_path: Path, old: str, new: str, where: str, what: str, fix: str
) -> None:
    """Tables, columns, types, literals, units and references of metrics are checked, each with its place."""
    assert METRICS.count(old) == 1
    told = only(metric_faults(tmp_path, METRICS.replace(old, new)))
    assert f"metrics.{where}" in told.where
    assert what in told.what
    assert fix in told.fix


def test_only_what_adds_up_is_added_up(tmp_path: Path) -> None:
    """A mean beside others above a line has no meaning; alone it may stand there."""
    mean = "{label: S, table: surveys, aggregate: average, of: score, date: answered_on, unit: {kind: count}}"
    text = METRICS.replace("  rate:\n", f"  score: {mean}\n  rate:\n")
    assert metric_faults(tmp_path, text.replace("numerator: leads", "numerator: score")) == []
    told = only(metric_faults(tmp_path, text.replace("numerator: leads", "numerator: [leads, score]")))
    assert told.what == "score (average) cannot be added to others"


def test_the_whole_programme_may_be_of_a_table_without_partners(tmp_path: Path) -> None:
    """Rows that belong to no partner cannot be a partner's, and can be the programme's."""
    accounts = "{label: A, table: accounts, aggregate: count, date: created_at, unit: {kind: count}"
    alone = only(metric_faults(tmp_path, f"pbr: 1\nmetrics:\n  acc: {accounts}}}\n"))
    assert "belong to no partner" in alone.what
    assert metric_faults(tmp_path, f"pbr: 1\nmetrics:\n  acc: {accounts}, scope: programme}}\n") == []


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "fix"),
    [
        ("metric: leads", "metric: leeds", 5, 'no metric is called "leeds"', '"leads"'),
        ("metric: leads", "metric: zzz", 5, "no metric", "known: leads, pipeline, people, rate"),
        ("metric: rate\n    objective: g", "metric: rate\n    objective: f", 13, 'called "frow"', "grow"),
        ("2026-Q1\n    applies", "2026Q1\n    applies", 7, '"2026Q1" is no quarter', "2026-Q3"),
        ("tier: Gold", "teir: Gold", 8, 'no column "teir"', '"tier"'),
        ("{gte: 2024-01-01}", "{gte: early}", 8, '"early" does not fit', "2026-09-30"),
        ("85 %", "85", 15, "85 is no share", "85 % or 0.85"),
        ("{at_least: 85 %}", "{between: [0.8, 90]}", 15, "90 is no share", "90 %"),
        ("{at_least: 85 %}", "{at_least: 85 %}\n    stretch: 95", 16, "95 is no share", "95 %"),
    ],
)  # fmt: skip
def test_a_goal_that_does_not_fit(tmp_path: Path, old: str, new: str, line: int, what: str, fix: str) -> None:
    """References, partner filters, first periods and percentages of goals are checked, each with its line."""
    assert GOALS.count(old) == 1
    told = only(goal_faults(tmp_path, GOALS.replace(old, new)))
    assert told.where.startswith(f"params/goals.yaml, line {line}: goals.")
    assert what in told.what
    assert fix in told.fix


def test_the_first_period_is_of_the_programmes_calendar(tmp_path: Path) -> None:
    """A calendar label under a fiscal calendar is refused with an example of the right form."""
    found = goal_faults(tmp_path, GOALS, Calendar(first_month=4, label="fiscal"))
    assert {error.fix for error in found} == {"write a quarter like FY26-Q3"}


def test_a_goal_may_name_a_calendar_of_its_own(tmp_path: Path) -> None:
    """Its first period is a quarter of that calendar; a name that is none is told at the goal."""
    own = GOALS.replace(
        "first_period: 2026-Q1\n    applies", "calendar: partner_fy\n    first_period: FY27-Q1\n    applies"
    )
    assert goal_faults(tmp_path, own) == []
    error = only(goal_faults(tmp_path, own.replace("partner_fy", "partner_yf")))
    assert 'no calendar is called "partner_yf"' in error.what
    assert "goals.leads_q.calendar" in error.where


def test_a_goal_does_not_end_before_it_begins(tmp_path: Path) -> None:
    """The last period may be the first."""
    first = "first_period: 2026-Q1\n    target"
    assert (
        goal_faults(tmp_path, GOALS.replace(first, "first_period: 2026-Q1\n    last_period: 2026-Q1\n    target")) == []
    )
    early = GOALS.replace(first, "first_period: 2026-Q1\n    last_period: 2025-Q4\n    target")
    error = only(goal_faults(tmp_path, early))
    assert "lies before the first period" in error.what
    assert "later quarter" in error.fix


@pytest.mark.parametrize(
    ("parent", "what"),
    [
        ("goal: leads_q", ""),
        ("goal: leads_q, target: {at_least: 300}, partners: {region: EMEA}", ""),
        ("goal: leeds_q", 'no goal is called "leeds_q"'),
        ("goal: leads_q, target: {at_most: 300}", "its parent at_most"),
        ("goal: leads_q, partners: {reegion: EMEA}", 'no column "reegion"'),
    ],
)
def test_a_parent_rolls_up_a_goal_that_is_there(tmp_path: Path, parent: str, what: str) -> None:
    """Its target is of the goal's kind, and its partners are chosen by columns of the partner list."""
    found = goal_faults(tmp_path, GOALS + f"parents:\n  emea: {{label: EMEA, {parent}}}\n")
    if what:
        assert what in only(found).what
    else:
        assert found == []


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "fix"),
    [
        ("table: opportunities", "table: deals", 3, 'no table is called "deals"', '"leads"'),
        ("Title: name", "Title: nam", 9, 'no column "nam"', '"name"'),
        ("Stage: stage", "Stage: stge", 10, 'no column "stge"', '"stage"'),
        ("Title: name", "Title: stage", 10, '"Title" fills stage already', "ignore"),
        ("  Deal ID: opportunity_id\n", "", 7, "needs opportunity_id", "<label in the export>"),
        ("Won: won", "Won: wno", 16, 'stage knows no "wno"', '"won"'),
        ("values:\n", "values:\n  amount: {none: '0'}\n", 16, "amount is money", "remove"),
        ("values:\n", "values:\n  owner: {x: y}\n", 16, "no column of the export fills owner", "known"),
        ("values:\n", "values:\n  ownr: {x: y}\n", 16, 'no column "ownr"', "known"),
        ("values:\n", "constants: {ownr: x}\nvalues:\n", 15, 'no column "ownr"', '"owner"'),
        ("values:\n", "constants: {name: x}\nvalues:\n", 15, "fills name already", "remove"),
        ("values:\n", "constants: {is_won: 'true'}\nvalues:\n", 15, "is_won is true or false", "map a column"),
        ('date_format: "%d.%m.%Y"', 'date_format: "%d.%m"', 6, "gives no day", "%Y-%m-%d"),
        ('date_format: "%d.%m.%Y"', 'date_format: "DD.MM.YYYY"', 6, "gives no day", "%Y-%m-%d"),
        ('date_format: "%d.%m.%Y"', 'date_format: "%Q"', 6, "gives no day", "%Y-%m-%d"),
        ('format: "%d.%m.%Y"}', 'format: "%(Y"}', 4, "gives no day", "%Y-%m-%d"),
        ("date_format", "timestamp_format: nonsense\ndate_format", 6, "gives no day", "%Y-%m-%d"),
        ("date_format", "delimiter: '\"'\ndate_format", 6, "cannot part", '";"'),
    ],
)
def test_a_mapping_that_does_not_fit_its_table(
    tmp_path: Path, old: str, new: str, line: int, what: str, fix: str
) -> None:
    """Columns, values, constants and formats of a mapping are checked, each with its line."""
    assert SOURCE.count(old) >= 1
    told = only(source_faults(tmp_path, SOURCE.replace(old, new, 1)))
    assert told.where.startswith(f"params/deals.yaml, line {line}")
    assert what in told.what
    assert fix in told.fix


def test_credit_needs_a_table_that_carries_it(tmp_path: Path) -> None:
    """Partners are credited for leads and opportunities, for nothing else."""
    text = PARTNERS + "attribution: [{column: Partner, credit: sourced}]\n"
    assert "no credit" in only(source_faults(tmp_path, text)).what


def test_mappings_are_checked_together(tmp_path: Path) -> None:
    """The partner list is filled with what credit is matched by; that nobody fills it is told with the data."""
    documents = {"deals": read(tmp_path, "deals.yaml", SOURCE), "partners": read(tmp_path, "partners.yaml", PARTNERS)}
    sources = {name: Source.model_validate(document.data) for name, document in documents.items()}
    assert mapping_checks.check_sources(sources, documents) == []
    assert mapping_checks.check_sources({"deals": sources["deals"]}, documents) == []
    documents["deals"] = read(tmp_path, "deals.yaml", SOURCE.replace(", match: name", ""))
    sources["deals"] = Source.model_validate(documents["deals"].data)
    told = only(mapping_checks.check_sources(sources, documents))
    assert told.where == "params/deals.yaml, line 18: attribution.0"
    assert "account_id" in told.what
