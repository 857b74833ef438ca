"""The twenty goals of domain.md section 10, written as users write them, each measured against a number worked out
by hand; with a partner who has nothing, a programme whose exports are missing, and the records behind each number.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import ibis
import pytest
import small_world
from small_world import AS_OF, Q3, RATES, Row, credit, deal, partner, quarter

from pbr_lib import catalogue, goals, library, metrics, yamlfile
from pbr_lib.definitions import Goal, GoalsFile, Metric, MetricsFile, SimpleMetric
from pbr_lib.metrics import Measurement
from pbr_lib.periods import Calendar

SHIPPED = Path(__file__).resolve().parent.parent / "params" / "library.yaml"

METRICS = """
pbr: 1
use: all
metrics:
  certified_people:
    label: Certified people
    table: certifications
    aggregate: count_distinct
    of: person_id
    where: {level: [associate, professional, expert]}
    nature: level
    valid_from: issued_on
    valid_to: expires_on
    unit: {kind: count}
  joint_campaigns:
    label: Joint webinars and events
    table: campaign_partners
    aggregate: count_distinct
    of: campaign_id
    where: {type: [webinar, event]}
    date: start_on
    unit: {kind: count}
  sponsor_meeting:
    label: Executive sponsor meeting held
    table: manual_facts
    aggregate: count
    where: {fact: sponsor_meeting, value: {gte: 1}}
    date: valid_on
    unit: {kind: count}
"""

_OWNERS = "owners: {vendor: Channel manager, partner: Alliance lead}"
_HEAD = "objective: grow, first_period: 2026-Q1, " + _OWNERS
GOALS = f"""
pbr: 1
objectives: {{grow: Grow together}}
goals:
  g01: {{name: "Create {{target}} new partnership leads", metric: new_partner_leads, target: {{at_least: 5}}, {_HEAD}}}
  g02: {{name: "Create {{target}} of pipeline", metric: sourced_pipeline_created, target: {{at_least: 10000}}, {_HEAD}}}
  g03:
    {{metric: sourced_revenue_won, target: {{at_least: 150000}}, stretch: 200000, red_flag: 75000, {_HEAD}}}
  g04: {{metric: influenced_revenue_won, target: {{at_least: 400000}}, {_HEAD}}}
  g05: {{metric: resold_revenue_won, target: {{at_least: 250000}}, {_HEAD}}}
  g06: {{metric: deal_registrations, target: {{at_least: 12}}, {_HEAD}}}
  g07: {{metric: registration_approval_rate, target: {{at_least: 85 %}}, {_HEAD}}}
  g08: {{metric: win_rate, target: {{at_least: 30 %}}, {_HEAD}}}
  g09: {{metric: new_logos, target: {{at_least: 3}}, {_HEAD}}}
  g10: {{metric: sales_cycle_days, target: {{at_most: 80, from: 96}}, {_HEAD}}}
  g11: {{metric: average_deal_size, target: {{at_least: 45000}}, {_HEAD}}}
  g12: {{metric: days_to_decide_registrations, target: {{at_most: 2, from: 5}}, {_HEAD}}}
  g13: {{metric: certified_people, target: {{at_least: 6}}, {_HEAD}}}
  g14: {{metric: joint_campaigns, target: {{at_least: 2}}, {_HEAD}}}
  g15: {{metric: campaign_leads, target: {{at_least: 25}}, {_HEAD}}}
  g16: {{metric: mdf_utilisation, target: {{at_least: 80 %}}, {_HEAD}}}
  g17: {{metric: pipeline_per_mdf, target: {{at_least: 5}}, {_HEAD}}}
  g18: {{metric: gross_retention, target: {{at_least: 92 %}}, red_flag: 85 %, {_HEAD}}}
  g19: {{metric: pipeline_coverage, target: {{at_least: 3}}, {_HEAD}}}
  g20: {{metric: action_completion_rate, target: {{at_least: 90 %}}, {_HEAD}}}
  attach: {{metric: integration_attach_rate, target: {{at_least: 15 %}}, {_HEAD}}}
  csat: {{metric: customer_satisfaction, target: {{at_least: 4.5}}, {_HEAD}}}
  first_deal: {{metric: first_deal_registered, target: {{done_by: 2026-08-30}}, {_HEAD}}}
  sponsor: {{metric: sponsor_meeting, target: {{at_least: 1}}, {_HEAD}}}
"""

# Goal, actual, attained (four decimals), records above or counted, records below.
EXPECTED = [
    ("g01", "3", "0.6", "L1 L2 L3", ""),
    ("g02", "9000", "0.9", "O1 O2", ""),  # 6,000 + 60 % of 5,000
    ("g03", "140000", "0.9333", "W1 W2 W3 W4", ""),  # 100,000 + 40 % of 50,000 + 10,000 + 10,000
    ("g04", "320000", "0.8", "I1 I2", ""),  # 200,000 EUR at 1.10, and 100,000
    ("g05", "200000", "0.8", "R1", ""),  # R2 did not run through the partner
    ("g06", "9", "0.75", "D1 D2 D3 D4 D5 D6 D7 D8 D9", ""),
    ("g07", "0.75", "0.8824", "D1 D2 D3 D4 D5 D6", "D1 D2 D3 D4 D5 D6 D7 D8"),
    ("g08", "0.8", "2.6667", "I1 I2 R1 R2 W1 W2 W3 W4", "I1 I2 R1 R2 W1 W2 W3 W4 X1 X2"),
    ("g09", "2", "0.6667", "W1 W2 W3", ""),  # two of the three are one customer
    ("g10", "87", "0.5625", "I1 I2 R1 R2 W1 W2 W3 W4", ""),  # 64 70 80 86 | 88 90 96 100; (96 - 87) / 16
    ("g11", "42500", "0.9444", "W1 W2 W3 W4", "W1 W2 W3 W4"),  # 170,000 / 4
    ("g12", "2.5", "0.8333", "D1 D2 D3 D4 D5 D6 D7 D8", ""),  # 1 1 2 2 | 3 3 4 10; (5 - 2.5) / 3
    ("g13", "3", "0.5", "K1 K2 K3 K4", ""),  # ada holds two
    ("g14", "2", "1", "J1 J2", ""),
    ("g15", "2", "0.08", "L5 L6", ""),
    ("g16", "0.75", "0.9375", "F1 F2", "B1"),  # 60,000 of 80,000
    ("g17", "3", "0.6", "O1", "F1"),  # 6,000 by 2,000
    ("g18", "0.92", "1", "M1 M2 M3", "M1"),  # (100,000 - 5,000 - 3,000) / 100,000; M4 and M5 came later
    ("g19", "2.4", "0.8", "E1 E2", "T1"),  # 360,000 by 150,000
    ("g20", "0.6667", "0.7407", "T-1 T-2", "T-1 T-2 T-3"),
    ("attach", "0.2", "1.3333", "O1 O2", ""),  # 2 of 10; the ten are not this partner's to see
    ("csat", "4.6", "1.0222", "S1 S2 S3 S4 S5", ""),
    ("first_deal", "1", "1", "A", ""),
    ("sponsor", "1", "1", "Y1", ""),
]
# What a partner without a single record has: nothing done, or nothing to measure.
NOTHING = {
    **dict.fromkeys(("g01", "g02", "g03", "g04", "g05", "g06", "g09", "g13", "g14", "g15", "first_deal"), "zero"),
    **dict.fromkeys(("g07", "g08", "g10", "g11", "g12", "g16", "g17", "g18", "g19", "g20", "csat"), "unknown"),
    "attach": "value",  # 0 of 10
    "sponsor": "zero",
}
# The table whose export, when it is missing, leaves a goal not measurable; None where people write the table.
TABLE = {
    **dict.fromkeys(("g01", "g15"), "leads"),
    **dict.fromkeys(("g02", "g03", "g04", "g05", "g08", "g09", "g10", "g11", "g19", "attach"), "opportunities"),
    **dict.fromkeys(("g06", "g07", "g12"), "registrations"),
    "g13": "certifications",
    "g14": "campaign_partners",
    "g16": "mdf_allocations",
    "g17": "mdf_claims",
    "g18": "subscription_movements",
    "csat": "surveys",
    "first_deal": "partners",
    "g20": None,
    "sponsor": None,
}


def day(text: str) -> dt.date:
    """A day of 2026, as month and day."""
    return dt.date.fromisoformat(f"2026-{text}")


def noon(text: str) -> dt.datetime:
    """Noon of such a day."""
    return dt.datetime.combine(day(text), dt.time(12))


def demand() -> dict[str, list[Row]]:
    """Leads, deals and registrations of partner A."""
    leads: list[Row] = [{"lead_id": f"L{i}", "status": "new", "created_at": noon("07-10")} for i in (1, 2, 3)]
    leads.append({"lead_id": "L4", "status": "duplicate", "created_at": noon("07-11")})
    for key, status in (("L5", "accepted"), ("L6", "converted"), ("L7", "rejected")):
        leads.append({"lead_id": key, "status": status, "created_at": noon("05-02"), "decided_on": day("08-02")})
    old = {"created_at": noon("05-20"), "close_date": day("08-20")}
    new = {"stage": "open_early", "created_at": noon("07-15"), "close_date": day("12-01") + dt.timedelta(days=90)}
    deals = [deal("O1", "6000", mdf_funded=True, has_partner=True, **new), deal("O2", "5000", has_partner=True, **new)]
    deals += [deal(f"N{i}", "1", **new) for i in range(8)]
    won = {"W1": ("100000", 90), "W2": ("50000", 86), "W3": ("10000", 96), "W4": ("10000", 64)}
    won |= {"I1": ("200000", 100), "I2": ("100000", 80), "R1": ("200000", 88), "R2": ("90000", 70)}
    more: dict[str, Row] = {
        "W1": {"type": "new", "account_id": "A1"}, "W2": {"type": "new", "account_id": "A2"},
        "W3": {"type": "new", "account_id": "A2"}, "W4": {"type": "renewal", "account_id": "A3"},
        "I1": {"currency": "EUR"}, "R1": {"route": "resold"}, "R2": {"route": "direct"},
    }  # fmt: skip
    deals += [deal(key, amount, cycle_days=days, **old, **more.get(key, {})) for key, (amount, days) in won.items()]
    deals += [deal(key, "700", stage="lost", **old) for key in ("X1", "X2")]
    for key, amount in (("E1", "300000"), ("E2", "60000"), ("E3", "40000")):
        deals.append(deal(key, amount, stage="open_late", created_at=noon("05-20"), close_date=day("11-11")))
    states = ["approved"] * 5 + ["expired", "rejected", "rejected", "submitted", "withdrawn"]
    waits = [1, 1, 2, 2, 3, 3, 4, 10, None, None]
    registrations: list[Row] = [
        {"registration_id": f"D{i}", "partner_id": "A", "status": state, "submitted_on": day("07-20"),
         "decided_on": wait and day("08-05"), "decision_business_days": wait}
        for i, (state, wait) in enumerate(zip(states, waits, strict=True), 1)
    ]  # fmt: skip
    return {"leads": leads, "opportunities": deals, "registrations": registrations, "attributions": credits()}


def credits() -> list[Row]:
    """Who is credited for what."""
    rows = [credit(key, "A", subject_type="lead") for key in ("L1", "L2", "L3", "L4")]
    rows += [credit(key, "A", "influenced", subject_type="lead") | {"method": "campaign"} for key in ("L5", "L6", "L7")]
    rows += [credit("O1", "A"), credit("O2", "A", share="0.6"), credit("O2", "B", share="0.4")]
    rows += [credit(key, "A", share="0.4" if key == "W2" else "1") for key in ("W1", "W2", "W3", "W4", "X1", "E1")]
    rows += [credit(key, "A", "influenced") for key in ("I1", "I2", "X2", "E2")]
    rows += [credit(key, "A", "resold") for key in ("R1", "R2", "E3")]
    return rows + [credit(f"M{i}", "A", "delivered", subject_type="movement") for i in range(1, 6)]


def rest() -> dict[str, list[Row]]:
    """Everything else that concerns partner A."""
    movements = [
        ("M1", "opening", "100000", "2025-01-01", "2025-01-01"), ("M2", "churn", "-5000", "2025-11-05", "2025-01-01"),
        ("M3", "contraction", "-3000", "2026-08-05", "2025-01-01"), ("M4", "new", "7000", "2025-12-01", "2025-12-01"),
        ("M5", "churn", "-7000", "2026-04-01", "2025-12-01"),
    ]  # fmt: skip
    people = [("K1", "ada", "expert", None), ("K2", "ada", "associate", None), ("K3", "bob", "professional", None)]
    people += [
        ("K4", "cy", "associate", "2026-09-30"),
        ("K5", "dan", "expert", "2026-08-31"),
        ("K6", "eve", None, None),
    ]
    mine: Row = {"partner_id": "A"}
    actions = [("T-1", "us", "done", True, "08-01"), ("T-2", "partner", "done", True, "09-30")]
    actions += [("T-3", "joint", "open", False, "09-01"), ("T-4", "us", "dropped", False, "09-01")]
    actions += [("T-5", "us", "open", False, "10-01")]
    return {
        "partners": [partner("A", first_registered_on=day("08-20")), partner("B"), partner("Z")],
        "certifications": [
            mine | {"certification_id": key, "person_id": who, "level": level, "issued_on": day("01-05"),
                    "expires_on": until and dt.date.fromisoformat(until)}
            for key, who, level, until in people
        ],
        "campaign_partners": [
            mine | {"campaign_partner_id": key, "campaign_id": key, "type": kind, "start_on": day("09-09")}
            for key, kind in (("J1", "webinar"), ("J2", "event"), ("J3", "mail"))
        ],
        "mdf_allocations": [mine | {"allocation_id": "B1", "valid_on": day("07-01"), "amount": Decimal(80000),
                                    "currency": "USD"}],
        "mdf_claims": [
            mine | {"claim_id": "F1", "approved_amount": Decimal(50000), "approved_on": day("07-05"), "currency": "USD",
                    "paid_amount": Decimal(2000), "paid_on": day("08-08")},
            mine | {"claim_id": "F2", "approved_amount": Decimal(10000), "approved_on": day("09-05"),
                    "currency": "USD"},
        ],
        "subscription_movements": [
            {"movement_id": key, "account_id": f"C-{since}", "kind": kind, "arr_delta": Decimal(delta),
             "currency": "USD",
             "effective_on": dt.date.fromisoformat(on), "customer_since": dt.date.fromisoformat(since)}
            for key, kind, delta, on, since in movements
        ],
        "targets": [mine | {"target_id": "T1", "goal": "g03", "metric": "sourced_revenue_won", "currency": "USD",
                            "period_start": day("10-01"), "amount": Decimal(150000)}],
        "actions": [
            mine | {"action_id": key, "side": side, "status": status, "is_on_time": done, "due_on": day(due)}
            for key, side, status, done, due in actions
        ],
        "surveys": [
            mine | {"response_id": f"S{i}", "kind": "csat", "score": Decimal(score), "answered_on": day("08-15")}
            for i, score in enumerate((5, 5, 4, 4, 5), 1)
        ],
        "manual_facts": [mine | {"fact_id": "Y1", "fact": "sponsor_meeting", "valid_on": day("08-10"),
                                 "value": Decimal(1)}],
    }  # fmt: skip


@cache
def defined(folder: Path) -> tuple[dict[str, Metric], dict[str, Goal]]:
    """Metrics and goals as the reader of params would take them, without a fault."""
    (folder / "metrics.yaml").write_text(METRICS, encoding="utf-8")
    (folder / "goals.yaml").write_text(GOALS, encoding="utf-8")
    shelf = library.with_currency(yamlfile.read(SHIPPED, "params/library.yaml"), "USD")
    mine, wanted = (yamlfile.read(folder / name, f"params/{name}") for name in ("metrics.yaml", "goals.yaml"))
    known, file = (yamlfile.validate(MetricsFile, document)[0] for document in (shelf, mine))
    aims, faults = yamlfile.validate(GoalsFile, wanted)
    assert known is not None and file is not None and aims is not None, faults
    taken, faults = library.taken(file, known.metrics, mine)
    every = file.model_copy(update={"metrics": {**taken, **file.metrics}})
    faults += catalogue.check_metrics(every, mine) + catalogue.check_goals(aims, every, wanted, lambda _: Calendar())
    assert faults == []
    return dict(every.metrics), dict(aims.goals)


@cache
def engine() -> ibis.BaseBackend:
    """The engine with all tables."""
    return small_world.connect(demand() | rest())


def measure(folder: Path, wanted: set[str], absent: tuple[str, ...] = ()) -> dict[str, Measurement]:
    """The metrics wanted and their parts, with the exports of some tables missing."""
    every, _ = defined(folder)
    names = wanted | {part for name in wanted for part in getattr(every[name], "parts", ())}
    window = small_world.window(AS_OF, [Q3], RATES, absent)
    return metrics.measure(engine(), {name: every[name] for name in sorted(names)}, window)


@cache
def measured(folder: Path) -> dict[str, Measurement]:
    """The metrics of all goals, measured once."""
    return measure(folder, {goal.metric for goal in defined(folder)[1].values()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the two files are written."""
    return tmp_path_factory.mktemp("params")


def of(folder: Path, key: str, who: str, absent: tuple[str, ...] = ()) -> Any:
    """What is measured of a goal and partner."""
    name = defined(folder)[1][key].metric
    return (measure(folder, {name}, absent) if absent else measured(folder))[name].cell(who, Q3)


@pytest.mark.parametrize(("key", "actual", "attained", "above", "below"), EXPECTED, ids=[row[0] for row in EXPECTED])
def test_each_goal_has_the_number_worked_out_by_hand(
    folder: Path, key: str, actual: str, attained: str, above: str, below: str
) -> None:
    """domain.md section 10: the actual, the attainment (goals.md 5.1), and the very records behind it."""
    cell = of(folder, key, "A")
    goal = defined(folder)[1][key]
    assert round(cell.value, 4) == Decimal(actual)
    reached = goals.attainment(goal.target, cell.value, cell.first_day)
    assert reached is not None
    assert round(reached, 4) == Decimal(attained)
    assert cell.reason == ""
    evidence = measured(folder)[goal.metric].evidence([quarter(Q3)])
    mine = evidence[evidence["partner_id"] == "A"]
    counted = mine[mine["role"].isin(["actual", "numerator"])]
    assert sorted(counted["record_id"]) == above.split()
    assert sorted(mine.loc[mine["role"] == "denominator", "record_id"]) == below.split()


@pytest.mark.parametrize("key", list(NOTHING))
def test_a_partner_without_records_has_zero_or_nothing_to_measure(folder: Path, key: str) -> None:
    """A count is a true zero, a rate of nothing is not measurable and says why."""
    cell = of(folder, key, "Z")
    assert cell.state == NOTHING[key]
    assert cell.value == (None if cell.state == "unknown" else 0)
    assert bool(cell.reason) == (cell.state == "unknown")


@pytest.mark.parametrize("key", list(TABLE))
def test_a_goal_whose_export_is_missing_is_unknown(folder: Path, key: str) -> None:
    """Acceptance case 19, for every goal: never zero, and the reason names the export."""
    table = TABLE[key]
    if table is None:
        every = tuple(name for name in TABLE.values() if name)
        assert of(folder, key, "A", every).state == "value"
        return
    cell = of(folder, key, "A", (table,))
    assert (cell.state, cell.value) == ("unknown", None)
    assert cell.reason == f"no export of {table} was provided"


def test_every_goal_of_the_reference_is_here(folder: Path) -> None:
    """Twenty goals, the four extras, each with its expected number, its zero and its unknown."""
    keys = list(defined(folder)[1])
    assert len([key for key in keys if key.startswith("g")]) == 20
    assert [row[0] for row in EXPECTED] == keys
    assert set(NOTHING) == set(TABLE) == set(keys)


def test_snapshots_and_trailing_windows_have_no_pace(folder: Path) -> None:
    """Only what grows from nothing over the quarter can be held against an even pace."""
    every, _ = defined(folder)
    grows = {name for name, metric in every.items() if isinstance(metric, SimpleMetric) and metric.grows}
    assert {"new_partner_leads", "sourced_revenue_won", "deal_registrations"} <= grows
    assert not grows & {"open_pipeline", "deals_in_a_year", "opening_arr", "certified_people", "sales_cycle_days"}
