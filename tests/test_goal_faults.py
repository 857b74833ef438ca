"""One fault in each small file about goals: every one is told with file, row or line, key and remedy, and no command
ends in a traceback.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import tiny_workbook

from pbr_lib import cli

CSV = "params/goals/2026-Q3.csv"
HEAD = "partner_id,goal,target,agreed_by_us,agreed_by_them\n"
AMEND = "params/amendments.csv"
AMEND_HEAD = "quarter,partner_id,goal,target,reason,agreed_by_us,agreed_by_them\n"
PAUSE = "params/pauses.csv"
PAUSE_HEAD = "partner_id,goal,first_day,last_day,reason\n"
RATE = "params/rates.csv"
RATE_HEAD = "currency,to_currency,kind,valid_from,rate\n"
GOALS, BOOK = "params/goals.yaml", "params/workbook.yaml"
ROW = "A,leads_q,5,We,They\n"


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def run(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> Told:
    """A command as a user gives it, in the folder of a workbook."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["pbr", *arguments])
    capsys.readouterr()
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = int(end.code or 0)
    told = capsys.readouterr()
    return Told(code, told.out, told.err)


def goal(**keys: str) -> str:
    """goals.yaml with one goal, some of whose keys are other ones; an empty text leaves a key out."""
    usual = {"metric": "new_leads", "objective": "grow", "first_period": "2024-Q1", "target": "{at_least: 5}"}
    usual |= {"owners": "{vendor: We, partner: They}"}
    lines = [f"    {key}: {value}" for key, value in (usual | keys).items() if value]
    return "pbr: 1\nobjectives: {grow: Grow together}\ngoals:\n  leads_q:\n" + "\n".join(lines) + "\n"


def book(text: str) -> str:
    """workbook.yaml with something more."""
    return tiny_workbook.WORKBOOK + text + "\n"


FAULTS: dict[str, tuple[str, str, str, str]] = {
    # name: file, its text, where, what is said
    "goals: unknown key": (GOALS, goal(weigth="2"), "line 10: goals.leads_q.weigth", 'did you mean "weight"?'),
    "goals: no metric": (GOALS, goal(metric="new_leeds"), "line 5: goals.leads_q.metric", '"new_leads"'),
    "goals: no objective": (GOALS, goal(objective="groww"), "line 6: goals.leads_q.objective", '"grow"'),
    "goals: first period": (GOALS, goal(first_period="2026Q3"), "line 7: goals.leads_q.first_period", "2026-Q3"),
    "goals: last period": (
        GOALS,
        goal(last_period="2023-Q1"),
        "line 10: goals.leads_q.last_period",
        "before the first",
    ),
    "goals: no owner": (GOALS, goal(owners="{vendor: We}"), "line 9: goals.leads_q.owners", "partner side"),
    "goals: no target": (GOALS, goal(target=""), "line 4: goals.leads_q", "target"),
    "goals: two targets": (GOALS, goal(target="{at_least: 5, at_most: 9}"), "goals.leads_q.target", "exactly one"),
    "goals: empty target": (GOALS, goal(target="{}"), "goals.leads_q.target", "exactly one"),
    "goals: range upside down": (GOALS, goal(target="{between: [9, 5]}"), "goals.leads_q.target", "low"),
    "goals: no number": (GOALS, goal(target="{at_least: five}"), "goals.leads_q.target.at_least", "number"),
    "goals: negative": (GOALS, goal(target="{at_least: -5}"), "goals.leads_q.target", "from"),
    "goals: not finite": (GOALS, goal(target="{at_least: .nan}"), "goals.leads_q.target.at_least", ""),
    "goals: infinite": (GOALS, goal(target="{at_least: .inf}"), "goals.leads_q.target.at_least", ""),
    "goals: no day": (GOALS, goal(target="{done_by: 31 June}"), "goals.leads_q.target.done_by", ""),
    "goals: weight": (GOALS, goal(weight="-1"), "goals.leads_q.weight", ""),
    "goals: cap": (GOALS, goal(cap_attainment="0"), "goals.leads_q.cap_attainment", ""),
    "goals: pace": (GOALS, goal(pace="weekly"), "goals.leads_q.pace", ""),
    "goals: new partner": (GOALS, goal(new_partner="half"), "goals.leads_q.new_partner", ""),
    "goals: calendar": (GOALS, goal(calendar="theirs"), "goals.leads_q.calendar", 'no calendar is called "theirs"'),
    "goals: rule": (GOALS, goal(renew="{rule: blnd}"), "goals.leads_q.renew.rule", "blend"),
    "goals: uplift without by": (GOALS, goal(renew="{rule: uplift}"), "goals.leads_q.renew", "by"),
    "goals: floor above cap": (
        GOALS,
        goal(renew="{rule: blend, floor: 9, cap: 3}"),
        "goals.leads_q.renew",
        "above cap",
    ),
    "goals: rounding": (GOALS, goal(renew="{rule: blend, round_to: 0}"), "goals.leads_q.renew.round_to", ""),
    "goals: step": (GOALS, goal(renew="{rule: blend, max_step_up: -1}"), "goals.leads_q.renew.max_step_up", ""),
    "goals: carry": (GOALS, goal(renew="{rule: blend, carry_shortfall: 2}"), "goals.leads_q.renew.carry_shortfall", ""),
    "goals: stop": (GOALS, goal(stop="{met_in_a_row: 1}"), "goals.leads_q.stop.met_in_a_row", ""),
    "goals: filter": (GOALS, goal(applies_to="{teir: Gold}"), "goals.leads_q.applies_to", '"tier"'),
    "goals: bands": (GOALS, goal(status="{green_from: 0.5}"), "goals.leads_q.status", "amber_from"),
    "goals: twice": (GOALS, goal() + "  leads_q:\n    metric: new_leads\n", "line 10", "leads_q"),
    "goals: parent": (
        GOALS,
        goal() + "parents:\n  all: {label: All, goal: leeds_q}\n",
        "parents.all.goal",
        '"leads_q"',
    ),
    "goals: no YAML": (GOALS, "pbr: 1\ngoals: [\n", "params/goals.yaml", ""),
    "goals: a list": (GOALS, "- pbr\n", "params/goals.yaml", ""),
    "goals: empty": (GOALS, "", "params/goals.yaml", ""),
    "rows: goal": (CSV, HEAD + "A,leeds_q,5,,\n", "row 2, goal", '"leads_q"'),
    "rows: no target": (CSV, HEAD + "A,leads_q,,,\n", "row 2, target", "fill in"),
    "rows: no number": (CSV, HEAD + "A,leads_q,five,,\n", "row 2, target", "number"),
    "rows: not finite": (CSV, HEAD + "A,leads_q,NaN,,\n", "row 2, target", "number"),
    "rows: huge": (CSV, HEAD + "A,leads_q,1e400,,\n", "row 2, target", ""),
    "rows: negative": (CSV, HEAD + "A,leads_q,-5,,\n", "row 2, target", "from"),
    "rows: range": (CSV, HEAD + "A,leads_q,3..5,,\n", "row 2, target", ""),
    "rows: no partner": (CSV, HEAD + ",leads_q,5,,\n", "row 2, partner_id", "fill in"),
    "rows: twice": (CSV, HEAD + ROW + ROW, "row 3, goal", "keep one"),
    "rows: column": (CSV, HEAD.replace("target", "tarqet") + ROW, "row 1", '"target"'),
    "rows: cells": (CSV, HEAD + "A,leads_q,5\n", "row 2", "cells"),
    "rows: no head": (CSV, ROW, "row 1", "columns' names"),
    "rows: a quote": (CSV, HEAD + 'A,leads_q,"5,,\n', "row 2", "quote"),
    "rows: weight": (CSV, "partner_id,goal,target,weight\nA,leads_q,5,-1\n", "row 2, weight", "0 or more"),
    "rows: quarter": ("params/goals/Q3.csv", HEAD + ROW, "params/goals/Q3.csv", "2026-Q3"),
    "amendments: quarter": (AMEND, AMEND_HEAD + "Q3,A,leads_q,6,why,We,They\n", "row 2, quarter", "2026-Q3"),
    "amendments: goal": (AMEND, AMEND_HEAD + "2026-Q3,A,leeds_q,6,why,,\n", "row 2, goal", '"leads_q"'),
    "amendments: no goal": (AMEND, AMEND_HEAD + "2026-Q3,A,,6,why,,\n", "row 2, goal", "fill in"),
    "amendments: target": (AMEND, AMEND_HEAD + "2026-Q3,A,leads_q,six,why,,\n", "row 2, target", "number"),
    "amendments: reason": (AMEND, AMEND_HEAD + "2026-Q3,A,leads_q,6,,,\n", "row 2, reason", "fill in"),
    "amendments: no row": (AMEND, AMEND_HEAD + "2026-Q3,B,leads_q,6,why,,\n", "row 2", "no target of leads_q"),
    "amendments: twice": (AMEND, AMEND_HEAD + "2026-Q3,A,leads_q,6,why,We,They\n" * 2, "row 3", "keep one"),
    "pauses: day": (PAUSE, PAUSE_HEAD + "A,,31 June,2026-08-31,why\n", "row 2, first_day", ""),
    "pauses: order": (PAUSE, PAUSE_HEAD + "A,,2026-09-01,2026-08-01,why\n", "row 2, last_day", "before the first day"),
    "pauses: no end": (PAUSE, PAUSE_HEAD + "A,,2026-08-01,,why\n", "row 2, last_day", "fill in"),
    "pauses: goal": (PAUSE, PAUSE_HEAD + "A,leeds_q,2026-08-01,2026-08-31,why\n", "row 2, goal", '"leads_q"'),
    "pauses: reason": (PAUSE, PAUSE_HEAD + "A,,2026-08-01,2026-08-31,\n", "row 2, reason", "fill in"),
    "pauses: partner": (PAUSE, PAUSE_HEAD + "Z,,2026-08-01,2026-08-31,why\n", "row 2, partner_id", 'the id "Z"'),
    "rates: currency": (RATE, RATE_HEAD + "EURO,USD,plan,2026-01-01,1.1\n", "row 2", ""),
    "rates: kind": (RATE, RATE_HEAD + "EUR,USD,plann,2026-01-01,1.1\n", "row 2", '"plan"'),
    "rates: day": (RATE, RATE_HEAD + "EUR,USD,plan,2026-13-01,1.1\n", "row 2", ""),
    "rates: zero": (RATE, RATE_HEAD + "EUR,USD,plan,2026-01-01,0\n", "row 2", ""),
    "rates: negative": (RATE, RATE_HEAD + "EUR,USD,plan,2026-01-01,-1\n", "row 2", ""),
    "rates: empty": (RATE, RATE_HEAD + "EUR,USD,plan,2026-01-01,\n", "row 2", "fill in"),
    "workbook: month": (BOOK, book("calendar: {first_month: 13}"), "calendar.first_month", ""),
    "workbook: weekday": (BOOK, book("calendar: {weekend: [Caturday]}"), "calendar.weekend", "Saturday"),
    "workbook: country": (BOOK, book("calendar: {country: XX}"), "calendar", ""),
    "workbook: subdivision": (BOOK, book("calendar: {subdivision: BY}"), "calendar", "country"),
    "workbook: weeks": (BOOK, book("calendar: {weeks: {pattern: 4-5-6}}"), "calendar.weeks", ""),
    "workbook: holiday": (BOOK, book("calendar: {holidays: [2026-02-30]}"), "line 7", "is no day"),
    "workbook: smart order": (BOOK, book("smart: {stretch_below: 0.9}"), "smart", "out of order"),
    "workbook: smart share": (BOOK, book("smart: {easy_from: 80}"), "smart.easy_from", ""),
    "workbook: smart key": (BOOK, book("smart: {least_quartres: 4}"), "smart.least_quartres", '"least_quarters"'),
    "workbook: deadline": (BOOK, book("agreement: {deadline_days: soon}"), "agreement.deadline_days", ""),
    "workbook: negative deadline": (BOOK, book("agreement: {deadline_days: -1}"), "agreement.deadline_days", ""),
    "workbook: few peers": (BOOK, book("peers: {least: 2}"), "peers.least", "5"),
    "workbook: peers by": (BOOK, book("peers: {by: [size]}"), "peers.by", ""),
    "workbook: materiality": (BOOK, book("close: {materiality: 5}"), "close.materiality", ""),
    "workbook: revision": (BOOK, book("close: {revision_days: -3}"), "close.revision_days", ""),
    "workbook: currency": (BOOK, tiny_workbook.WORKBOOK.replace("USD", "usd"), "currency", ""),
    "workbook: zone": (BOOK, book("time_zone: Mars/North"), "time_zone", "Europe/Berlin"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workbook in which nothing is wrong."""
    tiny_workbook.write(tmp_path, tiny_workbook.usual())
    tiny_workbook.put(tmp_path, CSV, HEAD + ROW)
    return tmp_path


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """It ends with 2 and names the file, the row or line with the key, and how to mend it."""
    file, text, where, what = FAULTS[name]
    tiny_workbook.put(root, file, text)
    told = run(root, monkeypatch, capsys, "check")
    assert told.code == 2, told
    assert file in told.err
    assert where in told.err
    assert what in told.err
    assert "→" in told.err
    assert "Traceback" not in told.err
    assert "pydantic" not in told.err


def test_nothing_is_wrong_without_a_fault(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that every fault above is the one that is told."""
    told = run(root, monkeypatch, capsys, "check")
    assert told.code == 0, told


STRANGERS = {
    "status": ("goals", "status"),
    "check": ("goals", "check"),
    "rollup": ("goals", "rollup"),
    "renew": ("goals", "renew", "2026-Q4", "--dry-run"),
}


@pytest.mark.parametrize("command", STRANGERS)
@pytest.mark.parametrize(
    ("file", "text"),
    [
        (CSV, HEAD + ROW + "Z,leads_q,5,We,They\n"),
        (PAUSE, PAUSE_HEAD + "Z,,2026-08-01,2026-08-31,why\n"),
    ],
)
def test_a_row_of_a_stranger_ends_no_command_in_a_traceback(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    file: str,
    text: str,
) -> None:
    """Whether a command needs the partner list or not, it says what is wrong or goes on without the row."""
    tiny_workbook.put(root, file, text)
    told = run(root, monkeypatch, capsys, *STRANGERS[command])
    assert told.code in (0, 2), told
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("goals", "renew", "2026-Q9"), "is no quarter"),
        (("goals", "renew", "2031-Q1"), "has not begun"),
        (("goals", "renew", "1999-Q1"), "do not reach"),
        (("goals", "renew", "2026-Q4", "--partner", "Z"), 'no partner is called "Z"'),
        (("goals", "status", "2026-Q4"), "there are no targets"),
        (("goals", "status", "soon"), "is no quarter"),
        (("goals", "check", "2031-Q1"), "nothing is known yet"),
        (("goals", "check", "1999-Q1"), "do not reach"),
        (("goals", "rollup", "2031-Q1"), "has not begun"),
        (("goals", "rollup", "1999-Q1"), "do not reach"),
        (("goals", "rollup", "--by", "size"), "size"),
        (("goals", "agree", "2026-Q3"), "nobody signs"),
        (("goals", "agree", "2026-Q3", "--us", "We", "--on", "yesterday"), "is no day"),
        (("goals", "agree", "2026-Q3", "--us", "We", "--goal", "leeds_q"), "leeds_q"),
        (("close", "2026-Q3"), ""),
        (("close", "1999-Q1"), ""),
        (("close", "2026-Q2", "--restated"), "pbr close 2026-Q2"),
    ],
)
def test_what_cannot_be_asked_is_told(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    what: str,
) -> None:
    """Quarters out of reach, partners and goals that are not there, days that are none."""
    told = run(root, monkeypatch, capsys, *arguments)
    assert told.code == 2, told
    assert what in told.err
    assert "Traceback" not in told.err
