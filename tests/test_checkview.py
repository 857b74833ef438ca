"""What an analyst sees of a check: every row accounted for, the gravest first, words beside signs, text as text."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import drift
from pbr_lib.blocks import MIMETYPE, Block, Status
from pbr_lib.checkview import Check
from pbr_lib.coverage import calendar
from pbr_lib.extracts import Extract
from pbr_lib.mapping import Source
from pbr_lib.model import Finding
from pbr_lib.periods import Calendar
from pbr_lib.reconciliation import Reconciliation
from pbr_lib.slices import Checked

AS_OF = dt.date(2026, 9, 4)
FIRST = dt.date(2026, 2, 10)
EVIL = '<img src=x onerror="alert(1)">=1+1'
ODD = Finding("warning", "odd")
TABLES = ("files", "accounting", "findings", "drift", "coverage", "reconciliation", "currencies", "ways", "apart")


def extract(source: str = "leads", read: int = 10, used: int = 9, **more: Any) -> Extract:
    """An export of leads of which one row is set aside, unless said otherwise."""
    facts: dict[str, Any] = {
        "source": source,
        "table": source,
        "file": f"{source}.csv",
        "about": f"Report {source}",
        "as_of": AS_OF,
        "covers_from": FIRST,
        "rows_read": read,
        "rows_used": used,
        "aside": {"the same row again": read - used} if read > used else {},
        "facts": {"format": "CSV", "encoding": "UTF-8", "delimiter": ","},
        "files": ({"file": f"{source}.csv", "sha256": "ab12", "rows": read, "labels": []},),
    }
    return Extract(**(facts | more))


def absent(source: str = "surveys") -> Extract:
    """An export that is not there."""
    return extract(source, 0, 0, as_of=None, facts={}, files=())


def check(
    extracts: Sequence[Extract] = (), findings: Sequence[Finding] = (), claims: Mapping[str, int] | None = None
) -> Check:
    """A check of these extracts and findings, for the quarter that runs."""
    newest = Calendar().parse("2026-Q3")
    ready = SimpleNamespace(
        quarter="2026-Q3",
        as_of=AS_OF.isoformat(),
        partners={"P-001": "One", "P-002": "Two"},
        extracts=tuple(each.as_json() for each in extracts),
        findings=tuple(findings),
    )
    covered = tuple(calendar(extracts, [newest.shift(back) for back in (-3, -2, -1, 0)]))
    return Check(Checked(ready, covered, Reconciliation("USD", (), ()), claims or {}))  # type: ignore[arg-type]


def rows(block: Any) -> list[dict[str, Any]]:
    """The rows of a table by column key."""
    return [dict(zip([c.key for c in block.columns], row, strict=True)) for row in block.rows]


def test_it_shows_a_summary_of_itself() -> None:
    """Shown, a check says which quarter, as of when, how much arrived, and how grave it is."""
    found = check([extract(), absent()], [Finding("error", "odd"), Finding("info", "so")])
    facts = dict(found.cover.facts)
    assert facts == {
        "Data as of": "4 Sep 2026",
        "Partners": "2",
        "Exports": "1 of 2",
        "Findings": "1 error, 0 warnings, 1 remark",
    }
    assert repr(found) == "Check of 2026-Q3, data as of 4 Sep 2026: 1 error, 0 warnings, 1 remark"
    assert set(found._repr_mimebundle_()) == {"text/plain", "text/html", MIMETYPE}
    assert found.cover.meta["edition"] == "internal"


@pytest.mark.parametrize(
    ("extracts", "findings", "words"),
    [
        ([extract()], [], ["all there", "adds up", "nothing to mend"]),
        ([extract(), absent()], [ODD], ["1 not provided", "adds up", "warning"]),
        ([extract(aside={})], [ODD, Finding("error", "odd")], ["all there", "does not add up", "error"]),
        ([extract()], [Finding("info", "so")], ["all there", "adds up", "nothing to mend"]),
    ],
)
def test_the_scorecard_says_what_to_look_at(extracts: list[Extract], findings: list[Finding], words: list[str]) -> None:
    """Three cards: what arrived, what counts, what is to be mended; remarks ask for nothing."""
    cards = check(extracts, findings).scorecard.cards
    assert [card.status.word for card in cards if card.status] == words


def test_each_row_read_is_accounted_for() -> None:
    """Read, used and set aside with its reasons, the most frequent first; and how the file was read."""
    aside = {"no readable Created": 2, "the same row again": 3}
    (row,) = rows(check([extract(read=1_200, used=1_195, aside=aside)]).accounting)
    assert [str(row[key]) for key in ("read", "used", "aside")] == ["1,200", "1,195", "5"]
    assert row["why"] == "3 the same row again; 2 no readable Created"
    assert str(row["state"]) == "● adds up"
    assert (row["read_as"], row["covers_from"], row["as_of"]) == (
        "CSV · encoding UTF-8 · delimiter comma",
        FIRST,
        AS_OF,
    )


def test_an_account_that_does_not_add_up_says_so() -> None:
    """A row that vanished without a reason is the gravest thing of all, and never smoothed over."""
    (row,) = rows(check([extract(read=10, used=8, aside={"the same row again": 1})]).accounting)
    assert str(row["state"]) == "▼ does not add up"


def test_an_export_that_is_not_there_has_no_numbers() -> None:
    """Nothing is not zero: counts and days stay empty."""
    found = check([absent()])
    (row,), (file,) = rows(found.accounting), rows(found.files)
    assert [row[key] for key in ("read", "used", "aside", "as_of")] == [None] * 4
    assert (str(row["state"]), str(file["state"])) == ("○ not provided", "○ not provided")


@pytest.mark.parametrize(
    ("claims", "used", "aside", "why", "state"),
    [
        ({"read": 9, "credited": 6, "merged": 1, "unknown": 2}, "6", "3", "2 unknown; 1 merged", "adds up"),
        ({"read": 9, "credited": 6, "merged": 1}, "6", "1", "1 merged", "does not add up"),
        ({"read": 9, "merged": 1}, "8", "1", "1 merged", "adds up"),
    ],
)
def test_claims_of_credit_have_their_own_account(
    claims: dict[str, int], used: str, aside: str, why: str, state: str
) -> None:
    """What exports say of who brought which record is counted like rows."""
    row = rows(check([extract()], claims=claims).accounting)[-1]
    assert (str(row["used"]), str(row["aside"]), row["why"], row["state"].word) == (used, aside, why, state)


def test_without_claims_there_is_no_account_of_them() -> None:
    """An account of nothing would only be noise."""
    assert len(check([extract()], claims={"read": 0}).accounting.rows) == 1


def test_each_file_of_an_export_is_listed() -> None:
    """An export of several files shows each with its own rows."""
    files = tuple({"file": f"leads-{n}.csv", "sha256": f"{n}", "rows": n, "labels": []} for n in (1, 2))
    found = rows(check([extract(files=files)]).files)
    assert [(row["file"], str(row["rows"])) for row in found] == [("leads-1.csv", "1"), ("leads-2.csv", "2")]


def test_what_dynamics_says_of_itself_is_not_shown() -> None:
    """The map of its columns is for the mapping, and long."""
    (row,) = rows(check([extract(facts={"format": "XLSX", "dynamics entity": "opportunity"})]).files)
    assert row["read_as"] == "XLSX"


def test_the_gravest_and_most_frequent_finding_comes_first() -> None:
    """Errors before warnings before remarks, and many rows before few."""
    findings = [
        Finding("info", "so", "a.csv", count=99),
        Finding("warning", "few", "a.csv", count=2),
        Finding("warning", "many", "b.csv", count=3),
        Finding("error", "broken", "z.csv"),
    ]
    assert [row["what"] for row in rows(check(findings=findings).findings)] == ["broken", "many", "few", "so"]


def test_the_frame_of_the_findings_has_everything() -> None:
    """An analyst can filter by severity, rule, file, row, column, value and count."""
    finding = Finding("error", "no such word", "deals.csv", 17, "Stage", "Verbal", "map it", 12, "P-001", "REF")
    (row,) = check(findings=[finding]).findings.frame.to_dict("records")
    wanted = vars(finding)
    assert {name: row[name] for name in wanted} == wanted


def test_a_rule_has_a_column_only_where_one_is_named() -> None:
    """Most findings come from no rule, and an empty column costs room."""

    def hidden(*findings: Finding) -> bool:
        (column,) = [c for c in check(findings=findings).findings.columns if c.key == "rule"]
        return column.sheet_only

    assert hidden(Finding("error", "odd"))
    assert not hidden(Finding("error", "odd"), Finding("warning", "late", rule="AT5"))


def test_every_change_since_the_last_load_is_told() -> None:
    """Whatever drift finds stands in the table of changes, and nothing else does."""
    source = Source.model_validate(
        {"pbr": 1, "file": "leads.csv", "table": "leads", "as_of": "2026-09-04", "covers_from": "2024-07-01",
         "columns": {"Id": "lead_id"}}
    )  # fmt: skip
    before = {"labels": ["Id", "Gone"], "rows": 100, "values": {"status": {"New": 1}}}
    now = {"labels": ["Id", "Added"], "rows": 80, "values": {"status": {"New": 1, "Odd": 2}}}
    changed = [*drift.findings("leads", source, {"now": now, "before": before})]
    changed += drift.findings("leads", source, {"now": before | {"rows": 101}, "before": before})
    assert len(changed) == 5
    table = check(findings=[*changed, Finding("error", "something else")]).drift
    assert sorted(row["what"] for row in rows(table)) == sorted(finding.what for finding in changed)


def test_coverage_is_a_calendar_in_words_and_signs() -> None:
    """All, a share, or none; the running quarter of a fresh export is as it should be, a late one is marked."""
    late = extract("deals", as_of=dt.date(2026, 8, 1))
    table = rows(check([extract(), late, absent()]).coverage)
    shown = {row["source"]: [str(row[q]) for q in ("2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3")] for row in table}
    assert shown == {
        "deals": ["○ none", "◐ 56 %", "● all", "◐ 35 %"],
        "leads": ["○ none", "◐ 56 %", "● all", "◐ 72 %"],
        "surveys": ["○ none"] * 4,
    }
    tones = {row["source"]: row["2026-Q3"].tone for row in table}
    assert tones == {"deals": "warn", "leads": "neutral", "surveys": "neutral"}
    assert next(row["2026-Q1"].tone for row in table if row["source"] == "leads") == "warn"


@given(st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True))
def test_a_part_is_never_told_as_all_or_none(share: float) -> None:
    """However little or much is covered, a part says neither 0 % nor 100 %."""
    found = check([extract()])
    part = SimpleNamespace(source="leads", table="leads", quarter="2026-Q2", state="part", share=share)
    cell = rows(Check(replace(found.checked, coverage=(part,))).coverage)[0]["2026-Q2"]
    assert isinstance(cell, Status)
    assert cell.word not in ("0 %", "100 %")


def test_text_of_an_export_stays_text() -> None:
    """Markup in a file's name, a label, a cell or a reason shows as it is written."""
    finding = Finding("error", EVIL, EVIL, 1, EVIL, EVIL, EVIL, rule="X")
    found = check(
        [extract(about=EVIL, file=EVIL, aside={EVIL: 1}, facts={"sheet": EVIL})], [finding], {"read": 1, EVIL: 1}
    )
    for block in (found.cover, found.scorecard, *(getattr(found, name) for name in TABLES)):
        assert "<img" not in block.html()


@pytest.mark.parametrize("extracts", [[], [extract(), absent()]])
def test_everything_shows_itself(extracts: list[Extract]) -> None:
    """Each attribute is a block with text, HTML and plain JSON, even where there is nothing to show."""
    found = check(extracts)
    for name in ("cover", "scorecard", *TABLES):
        block = getattr(found, name)
        assert isinstance(block, Block)
        assert block.plain()
        assert json.dumps(block.as_json())
        assert getattr(found, name) == block
    assert len({getattr(found, name).name for name in TABLES}) == len(TABLES)
    for name in TABLES:
        table = getattr(found, name)
        assert list(table.frame.columns) == [column.key for column in table.columns]
