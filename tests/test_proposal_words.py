"""What words mean, and why we say so."""

from __future__ import annotations

import pytest

from pbr_lib.dialects import get
from pbr_lib.proposal_words import ASK, RowEvidence, meanings
from pbr_lib.schema import TABLES, ColumnSpec


def column(table: str, name: str) -> ColumnSpec:
    found = TABLES[table].column(name)
    assert found is not None
    return found


STAGE = column("opportunities", "stage")


def stages(counts: dict[str, int], rows: RowEvidence | None = None, dialect: str = "salesforce") -> dict[str, str]:
    return {each.word: each.value for each in meanings(STAGE, "opportunities", counts, (get(dialect),), rows)}


def test_a_crm_defines_its_own_words() -> None:
    found = meanings(STAGE, "opportunities", {"Closed Won": 2, "closed lost": 1}, (get("salesforce"),), None)
    assert [(each.word, each.value, each.certain, each.why) for each in found] == [
        ("Closed Won", "won", True, ""),
        ("closed lost", "lost", True, ""),
    ]


def test_the_pipeline_behind_a_stage_is_no_part_of_it() -> None:
    assert stages({"Closed Won (Sales Pipeline)": 1}, dialect="hubspot") == {"Closed Won (Sales Pipeline)": "won"}


def test_canonical_words_mean_themselves() -> None:
    assert stages({"open_mid": 1, "won": 2}) == {"open_mid": "open_mid", "won": "won"}


def test_guesses_say_so_and_the_unknown_is_asked() -> None:
    found = {each.word: each for each in meanings(STAGE, "opportunities", {"Vertragsentwurf": 1, "Xyzzy": 1}, (), None)}
    assert (found["Vertragsentwurf"].value, found["Vertragsentwurf"].certain) == ("open_late", False)
    assert "check" in found["Vertragsentwurf"].why
    assert found["Xyzzy"].value == ASK and "open_early" in found["Xyzzy"].why


ROWS = RowEvidence(
    ("stage", "won", "closed", "probability"),
    {
        ("A", "1", "1", "100", "1"): 3,
        ("B", "0", "1", "0", "1"): 2,
        ("C", "", "", "10", ""): 2,
        ("D", "0", "0", "80", "1"): 2,
        ("E", "1", "1", "100", "1"): 1,
        ("E", "0", "1", "0", "1"): 1,
    },
)


def test_rows_decide_what_a_stage_means() -> None:
    assert stages(dict.fromkeys("ABCDE", 1), ROWS) == {
        "A": "won",
        "B": "lost",
        "C": "open_early",
        "D": "open_late",
        "E": ASK,
    }


@pytest.mark.parametrize(("chance", "value"), [("100", "won"), ("0", "lost"), ("20", "open_early"), ("50", "open_mid")])
def test_a_probability_suggests_a_stage(chance: str, value: str) -> None:
    rows = RowEvidence(("stage", "probability"), {("A", chance): 3, ("B", "70"): 1})
    (found,) = meanings(STAGE, "opportunities", {"A": 3}, (), rows)
    assert found.value == value and not found.certain


def test_words_of_open_lists_stay_unless_something_is_known() -> None:
    kind, industry = column("accounts", "kind"), column("accounts", "industry")
    found = meanings(kind, "accounts", {"Customer - Direct": 2, "Xyzzy": 1}, (get("salesforce"),), None)
    assert {each.word: each.value for each in found} == {"Customer - Direct": "customer", "Xyzzy": "Xyzzy"}
    assert not meanings(industry, "accounts", {"Banking": 2}, (get("salesforce"),), None)
    assert not meanings(kind, "accounts", {str(number): 1 for number in range(100)}, (get("salesforce"),), None)
