"""How findings on goals read: grouped lines, JSON, a table, and the page of reference."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pbr_lib.smart import view
from pbr_lib.smart.rules import RULES, Found, found

ROOT = Path(__file__).resolve().parent.parent


def _nobody(partners: int) -> list[Found]:
    return [
        found(
            "S10",
            "the partner's side has no owner",
            f"goals.csv, row {at + 2}",
            goal="leads_q",
            partner_id=f"P-{at:03}",
        )
        for at in range(1, partners + 1)
    ]


def test_partners_with_one_fault_are_one_line() -> None:
    """The first stands for all of them."""
    assert list(view.lines(_nobody(38))) == [
        "error: S10 goals.csv, row 3: leads_q: the partner's side has no owner (P-001 and 37 more)",
        f"  → {RULES['S10'].fix}",
    ]


def test_figures_of_ones_own_are_said_to_be_so() -> None:
    """The numbers of the first are not those of the others."""
    both = [found("A1", f"{at} is too much", "x", goal="g", partner_id=f"P{at}") for at in (1, 2)]
    assert next(view.lines(both)) == "warning: A1 x: g: 1 is too much (P1; 1 more with figures of their own)"


def test_the_gravest_come_first_and_remarks_are_counted() -> None:
    """Errors, warnings, then infos, which are listed on demand only."""
    mixed = [found("A2", "a stretch"), found("M5", "never matched", metric="m"), *_nobody(1)]
    told = list(view.lines(mixed))
    assert [line.partition(":")[0] for line in told[::2]] == [
        "error",
        "warning",
        "1 remark of no concern; --all shows them",
    ]
    assert sum(line.startswith("info: A2") for line in view.lines(mixed, every=True)) == 1


def test_what_is_mended_apart_is_told_apart() -> None:
    """Two remedies, two goals, or two places of definitions are no group."""
    one = found("J1", "only our side agreed", goal="g", partner_id="A", fix="fill agreed_by_them")
    other = found("J1", "only our side agreed", goal="g", partner_id="B", fix="fill agreed_by_us")
    assert len(view.grouped([one, other])) == 2
    assert len(view.grouped([found("S10", "our side"), found("S10", "their side")])) == 2


def test_a_long_list_is_cut_and_says_so() -> None:
    """Sixty groups are shown, all of them on demand."""
    many = [found("S8", f"vague {at}", goal=f"g{at}") for at in range(70)]
    assert list(view.lines(many))[-1] == "and 10 more; --all shows everything"
    assert len(list(view.lines(many, every=True))) == 140


def test_nothing_to_say() -> None:
    """No finding is said in words, on the terminal and in the table."""
    assert list(view.lines([])) == [view.table([]).empty]


def test_json_lists_every_finding() -> None:
    """Each on its own, with counts and the rules that were broken."""
    told = view.as_json(_nobody(3), "2026-Q3")
    assert json.loads(json.dumps(told)) == told
    assert told["counts"] == {"error": 3, "warning": 0, "info": 0}
    assert list(told["rules"]) == ["S10"]
    assert [each["partner_id"] for each in told["findings"]] == ["P-001", "P-002", "P-003"]
    assert told["findings"][0]["metric"] is None


def test_the_table_shows_itself_and_gives_a_frame() -> None:
    """A row for each group; the partners in full in the workbook."""
    table = view.table([*_nobody(3), found("F5", "3 of 10 goals cannot be judged yet")])
    frame = table.frame
    assert frame["rule"].tolist() == ["S10", "F5"]
    assert frame["partners"].tolist()[0] == "P-001, P-002, P-003"
    assert "P-001 and 2 more" in table.plain()
    assert "text/html" in table._repr_mimebundle_()


def test_text_of_a_crm_stays_text() -> None:
    """Markup in a name is shown as it stands."""
    odd = found("S8", 'the name "<b>=1+1</b>" is vague', goal="g")
    assert "<b>=1+1" not in view.table([odd]).html()
    assert '<b>=1+1</b>"' in next(view.lines([odd]))


def test_the_page_of_reference_is_up_to_date() -> None:
    """The page holds every rule as the code has it, and no other."""
    page = (ROOT / "docs/reference/smart-checks.md").read_text("utf-8")
    assert view.reference() in page
    assert set(re.findall(r"^\| ([A-Z]\d+) \|", page, re.MULTILINE)) == set(RULES)


def test_the_howto_names_rules_that_exist() -> None:
    """Whatever the page on mending speaks of is a rule."""
    page = (ROOT / "docs/howto/mend-a-goal.md").read_text("utf-8")
    named = set(re.findall(r"\b([SMARTJF]\d{1,2})\b", page))
    assert named <= set(RULES)
    assert len(named) > 20
