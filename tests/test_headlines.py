"""Generated sentences: three to five, grammatical, and every number in them stands in a table of the pack."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import tiny_workbook
from tiny_workbook import deal, put, usual

from pbr_lib import slices
from pbr_lib.model import Amount, Unit
from pbr_lib.review import Review, open_slice

PARTNERS = [f"P-{number:03}" for number in range(1, 13)]
NUMBER = re.compile(r"[$€£]?\d[\d,]*(?:\.\d+)?(?: %)?")


def said(review: Review) -> list[str]:
    """The sentences as text."""
    return ["".join(run.text for run in sentence) for sentence in review.headlines.sentences]


def sentence(review: Review, word: str) -> str:
    """The one sentence that holds a word."""
    (found,) = [text for text in said(review) if word in text]
    return found


def numbers_of(review: Review) -> set[str]:
    """Every number that the goal table, the cover, the actions and the history show, and what follows from them."""
    score, quarter, last = review.facts["score"], review.facts["quarter"], review.facts["history"][-1]
    percent = [Amount(Decimal(score[key]), Unit("percent")) for key in ("value", "expected") if score[key] is not None]
    out = {amount.text for amount in percent}
    counts = [quarter["business_days_passed"], quarter["business_days"], last["won_n"], last["lost_n"]]
    before = [action for action in review.facts["actions"] if action["opened"] == quarter["before"]]
    counts += [*range(len(before) + 1), *range(len(review.all_goals) + 1)]
    out |= {str(count) for count in counts}
    out |= set(NUMBER.findall(Amount(Decimal(last["won"] or 0), Unit("money", "USD")).text))
    out |= {*quarter["label"].split("-Q"), "30", (quarter["since"] and str(int(quarter["since"][-2:]))) or "0"}
    for goal in review.all_goals:
        actual, target = goal.actual.value or Decimal(0), goal.target.value or Decimal(0)
        derived = [Amount(target - actual, goal.unit), Amount(actual + (goal.in_progress.value or 0), goal.unit)]
        out |= {amount.text for amount in (goal.actual, goal.target, goal.in_progress, goal.ratio, *derived)}
        out |= set(NUMBER.findall(goal.facts["reason"]))
    return out


@pytest.mark.parametrize("quarter", ["2026-Q3", "2026-Q2"])
@pytest.mark.parametrize("who", PARTNERS)
def test_every_number_stands_in_the_pack(demo_review: Callable[..., Review], who: str, quarter: str) -> None:
    """No sentence holds a number that the pack does not show, and there are at most five of them."""
    review = demo_review(who, quarter)
    known = numbers_of(review)
    for text in said(review):
        assert text[0] == text[0].upper()
        assert text.endswith(".")
        assert not re.search(r"\b1 (?:actions|targets|goals|deals)\b|None|nan|\.\.|  ", text), text
        assert [number for number in NUMBER.findall(text) if number not in known] == [], text
    assert len(said(review)) <= 5
    assert len(said(review)) >= (3 if review.all_goals else 1)


def test_the_sentences_of_the_demo_read_as_meant(demo_review: Callable[..., Review]) -> None:
    """One of each kind, word by word."""
    first = demo_review("P-001")
    assert said(first)[:2] == [
        "94 % of plan after 48 of 66 business days, where pace asks for 76 %: on track.",
        "Furthest behind: Certified people, 8 of 9 (89 %).",
    ]
    assert sentence(first, "cannot") == "Customer satisfaction cannot be measured: no export of surveys was provided."
    assert sentence(demo_review("P-002"), "promised") == "0 of 1 action promised last quarter is done; 1 is overdue."
    assert sentence(demo_review("P-005"), "agreed") == (
        "4 targets were not agreed in time; where there is one, the last agreed ones stand."
    )
    assert "No activity" in sentence(demo_review("P-007"), "these zeros are real")
    assert sentence(demo_review("P-008"), "joining").startswith("65 % of plan since joining on 10 Aug, where")
    assert said(demo_review("P-008", "2026-Q2")) == ["No goals are agreed for this quarter."]
    assert said(demo_review("P-001", "2026-Q2"))[0] == "109 % of plan, weighted: 4 of 8 measured goals were met."


def review_of(root: Path, who: str = "A", quarter: str = "2026-Q3") -> Review:
    """A review of a small workbook."""
    return open_slice(slices.ensure(root, quarter).path(who), who, quarter, "partner")


def test_silence_is_only_called_so_when_nothing_moved(tmp_path: Path) -> None:
    """An open deal is activity, though no goal counts it yet; then the weakest goal is named instead."""
    tables: dict[str, Any] = usual() | {"leads": [], "certifications": [], "opportunities": []}
    root = tiny_workbook.write(tmp_path, tables)
    assert "No activity" in " ".join(said(review_of(root)))
    tiny_workbook.export(root, "opportunities", [deal("O1", "A", "7", "open_early", close_date="2027-01-01")])
    text = " ".join(said(review_of(root)))
    assert "No activity" not in text
    assert "Furthest behind" in text


def test_what_is_open_and_due_is_said_of_a_goal_not_yet_reached(tmp_path: Path) -> None:
    """Once the target is reached, what is still open is no headline."""
    tables = usual()
    root = tiny_workbook.write(tmp_path, tables)
    assert "$50 open and due this quarter would take revenue won to $710" in " ".join(said(review_of(root)))
    tiny_workbook.export(root, "opportunities", [*tables["opportunities"], deal("O9", "A", "5000")])
    assert "open and due" not in " ".join(said(review_of(root)))


def test_too_little_known_gives_no_overall_figure(tmp_path: Path) -> None:
    """Below 60 % of known weight the first sentence says what is known, and of nothing that nothing is."""
    tables = {name: rows for name, rows in usual().items() if name != "opportunities"}
    root = tiny_workbook.write(tmp_path, tables)
    assert said(review_of(root))[0] == (
        "No overall attainment: only 2 of 3 goals, 50 % of the weight, can be measured with the data at hand."
    )
    for table in ("leads", "certifications"):
        (root / "data" / f"{table}.csv").unlink()
        path = root / "params" / "sources" / f"{table}.yaml"
        put(root, f"params/sources/{table}.yaml", path.read_text().replace("optional: false", "optional: true"))
    first, second, *_ = said(review_of(root))
    assert first == "No overall attainment: no goal can be measured with the data at hand."
    assert second.startswith("New leads cannot be measured: no export of leads was provided; nor can 2 other goals")


def test_a_closing_quarter_is_called_provisional(tmp_path: Path) -> None:
    """Between the last day and the close lag the figures may still change, and the sentence says so."""
    root = tiny_workbook.write(tmp_path, usual())
    for path in (root / "params" / "sources").glob("*.yaml"):
        put(root, f"params/sources/{path.name}", path.read_text().replace(tiny_workbook.AS_OF, "2026-10-02"))
    assert said(review_of(root))[0].endswith("Figures are provisional until the close lag is over.")


def test_text_of_the_crm_enters_as_text(tmp_path: Path) -> None:
    """Markup in a label is shown and never parsed."""
    metrics = tiny_workbook.METRICS.replace("label: Certified people", 'label: "*Certified* <b>$people</b>"')
    note = review_of(tiny_workbook.write(tmp_path, usual(), metrics=metrics)).headlines
    assert "*Certified* <b>$people</b>, 1 of 2 (50 %)" in note.plain()
    assert "<b>$people" not in note.html()
