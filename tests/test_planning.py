"""A quarter's goals looked at as a whole: checked, counted by agreement, rolled up, and what follows, on one ground."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import tiny_workbook
from tiny_workbook import usual

from pbr_lib import planning
from pbr_lib.errors import InputError
from pbr_lib.planning import Following

Q3, Q4 = "2026-Q3", "2026-Q4"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Three partners; A's leads are agreed, B's are not."""
    root = tiny_workbook.write(tmp_path / "book", usual())
    rows = "partner_id,goal,target,agreed_by_us,agreed_by_them\nA,leads_q,5,We,They\nB,leads_q,4,We,\n"
    tiny_workbook.put(root, "params/goals/2026-Q3.csv", rows)
    return root


def test_a_check_names_rule_row_and_remedy(tiny: Path) -> None:
    """B has not signed, and nothing of the past says what is attainable; C has the definitions' targets."""
    checked = planning.check(tiny)
    assert checked.plan.quarter.label == Q3
    assert {row.partner_id for row in checked.plan.instances} == {"A", "B", "C"}
    assert not checked.faulty
    late = next(one for one in checked.found if one.rule == "J1" and one.partner_id == "B")
    assert late.where == "params/goals/2026-Q3.csv, row 3"
    assert "agreed_by_them" in late.fix
    assert checked.as_json()["quarter"] == Q3
    assert next(iter(checked.lines())) == "Goals of 2026-Q3: 5 targets of 3 partners"


def test_a_check_reaches_one_quarter_ahead(tiny: Path) -> None:
    """Of the quarter after next nothing is known, since the one before it has not begun."""
    assert planning.check(tiny, Q4).plan.quarter.label == Q4
    with pytest.raises(InputError, match="nothing is known yet of the quarter before 2027-Q1"):
        planning.check(tiny, "2027-Q1")


def test_status_counts_rows_by_state(tiny: Path) -> None:
    """After the deadline a row without both signatures has lapsed."""
    found = planning.status(tiny)
    assert found.states == {"active": 1, "lapsed": 1}
    assert found.deadline.isoformat() == "2026-07-31"
    with pytest.raises(InputError, match="no targets of this quarter"):
        planning.status(tiny, "2026-Q1")


def test_a_roll_up_is_a_ratio_of_sums(tiny: Path) -> None:
    """A has 2 of 5 leads, B 1 of the 4 that stand: 3 of 9. C goes by the definition and has none of 5."""
    rolled = planning.rollup(tiny)
    leads = next(line for line in rolled.lines_of if line.goal == "leads_q")
    assert (leads.actual, leads.target and leads.target.value) == (Decimal(3), Decimal(14))
    assert leads.met == 0
    with pytest.raises(InputError, match="has not begun"):
        planning.rollup(tiny, Q4)
    with pytest.raises(InputError, match='no column "hue"'):
        planning.rollup(tiny, by="hue")


def test_what_follows_is_proposed_once_and_rows_of_the_file_count(tiny: Path) -> None:
    """Next quarter's targets are the rows of its file; where it has none, the proposals."""
    tiny_workbook.put(tiny, "params/goals/2026-Q4.csv", "partner_id,goal,target,proposed\nA,leads_q,9,4\n")
    following = Following(planning.check(tiny))
    assert following.quarter.label == Q4
    targets = {(row.partner_id, row.goal): row.target.value for row in following.rows}
    assert targets["A", "leads_q"] == 9
    assert targets["B", "leads_q"] == following.drafts["B", "leads_q"].proposal.target.value  # type: ignore[union-attr]
    assert list(targets) == sorted(
        targets, key=lambda key: (key[0], ["leads_q", "revenue_q", "people_q"].index(key[1]))
    )
    assert following.proposals is following.proposals


def test_the_same_quarter_follows_whichever_of_the_two_is_asked_for(tiny: Path) -> None:
    """A check of the next quarter and one of this quarter propose the same."""
    now, ahead = Following(planning.check(tiny)), Following(planning.check(tiny, Q4))
    assert now.quarter == ahead.quarter
    assert now.rows == ahead.rows
    assert ahead._plan is ahead.checked.plan


def test_the_demo_is_checked_agreed_and_rolled_up(shared_workbook: Path) -> None:
    """The shipped workbook has no error in its goals, one partner who has not signed, and every goal rolled up."""
    checked = planning.check(shared_workbook)
    assert not checked.faulty
    assert {one.partner_id for one in checked.found if one.rule == "J1"} == {"P-005"}
    assert planning.status(shared_workbook).states == {"active": 64, "lapsed": 4}
    rolled = planning.rollup(shared_workbook, by="tier")
    goals = {line.goal for line in rolled.lines_of}
    assert goals == {row.goal for row in checked.plan.instances}
    tiers = [line for line in rolled.lines_of if line.goal == "new_partner_leads_q" and line.group.kind == "tier"]
    whole = next(line for line in rolled.lines_of if line.goal == "new_partner_leads_q" and line.group.kind == "all")
    assert sum(line.partners for line in tiers) == whole.partners
