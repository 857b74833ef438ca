"""Everything a notebook can ask of a review, for every kind of partner, quarter and target."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
import tiny_workbook
from tiny_workbook import GOAL, deal, partner, usual

from pbr_lib import charts, slices
from pbr_lib.blocks import MIMETYPE, Block
from pbr_lib.errors import InputError, UnknownPartner
from pbr_lib.review import Review, open_slice

ROOT = Path(__file__).resolve().parent.parent
Q3 = "2026-Q3"
PARTNERS = [f"P-{number:03}" for number in range(1, 13)]


def expressions() -> list[str]:
    """The last line of each code cell of the pack notebook that shows something."""
    notebook = nbformat.read(ROOT / "notebooks" / "partner_pack.ipynb", as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return [source.splitlines()[-1] for source in cells if "review" in source.splitlines()[-1]]


def show(review: Review) -> dict[str, Any]:
    """What each of those expressions gives, as its cell would show it."""
    out = {}
    names = {"review": review, "pbr": type("pbr", (), {"charts": charts})}
    for source in expressions():
        ast.parse(source, mode="eval")
        block = eval(source, names)
        if block is not None:
            bundle = block._repr_mimebundle_()
            assert bundle["text/plain"].strip() or source in ("review.scorecard", "review.evidence")
            json.dumps(bundle[MIMETYPE], allow_nan=False)
            assert isinstance(block, Block | Review)
        out[source] = block
    return out


def reviews_of(root: Path, quarter: str = Q3, edition: str = "partner") -> dict[str, Review]:
    """The reviews of a small workbook."""
    ready = slices.ensure(root, quarter)
    return {who: open_slice(ready.path(who), who, ready.quarter, edition) for who in ready.partners}


# ------------------------------------------------------------------------------------------ every pack


@pytest.mark.parametrize("who", PARTNERS)
def test_every_cell_shows_for_every_partner_of_the_demo(demo_review: Callable[..., Review], who: str) -> None:
    """Each expression of the pack notebook gives a block that can be written as JSON."""
    shown = show(demo_review(who))
    assert len(shown) > 12


@pytest.mark.parametrize(("who", "quarter"), [("P-001", "2026-Q2"), ("P-008", "2026-Q2"), ("P-001", "2024-Q3")])
def test_every_cell_shows_for_older_quarters(demo_review: Callable[..., Review], who: str, quarter: str) -> None:
    """A closed quarter, one before the partnership, and the oldest one show as well."""
    show(demo_review(who, quarter, "internal"))


def test_every_cell_shows_when_there_is_next_to_nothing(tmp_path: Path) -> None:
    """Without goals, activity, optional exports, contacts or rates nothing breaks and nothing turns into zero."""
    goals = tiny_workbook.GOALS.replace("pace: calendar_days, ", "applies_to: {status: active}, ")
    tables = {
        "partners": [partner("A", status=""), partner("B"), partner("C", name="*$#<b>|", joined_on="")],
        "opportunities": [
            deal("O1", "C", currency="NOK"),
            deal("O2", "C", currency="NOK", stage="open_mid", amount=""),
        ],
    }
    for who, review in reviews_of(tiny_workbook.write(tmp_path, tables, goals)).items():
        shown = show(review)
        assert bool(review.all_goals) == (who != "A")
        assert "not measurable" in shown["review.attribution"].plain() or who != "C"
    assert not reviews_of(tmp_path)["A"].headline_trends


def test_open_deals_without_a_rate_leave_their_stage_unknown(tmp_path: Path) -> None:
    """The rest of a stage never passes for the whole of it; a deal without any amount adds nothing."""
    deals = [deal("O1", "A", "5", "open_mid"), deal("O2", "A", "7", "open_mid", currency="NOK")]
    deals += [deal("O3", "A", "9", "open_late"), deal("O4", "A", "", "open_late")]
    root = tiny_workbook.write(tmp_path, {"partners": [partner("A")], "opportunities": deals})
    frame = reviews_of(root)["A"].pipeline
    assert [None if pd.isna(amount) else amount for amount in frame["amount"]] == [0, None, 9]
    chart = charts.pipeline(frame)
    assert "Open, middle: 2 deals, not measurable" in chart.plain()
    assert "not measurable" in chart.svg


TARGETS = {
    "range_q": ("new_leads", "{between: [1, 3]}"),
    "day_q": ("people", "{done_by: 2026-09-15}"),
    "gone_q": ("people", "{done_by: 2026-08-15}"),
    "most_q": ("new_leads", "{at_most: 1}"),
    "base_q": ("revenue_won", "{at_least: 1000, from: 200}"),
    "zero_q": ("new_leads", "{at_least: 0}"),
    "rate_q": ("new_leads", "{at_most: 2, from: 9}"),
}


def test_every_kind_of_target_shows(tmp_path: Path) -> None:
    """Ranges, days, ceilings, bases and nothing-at-all have words on cards, in tables and in sentences."""
    lines = [
        f"  {key}: {{{GOAL.format(metric=metric)}, target: {aim}, headline: true}}"
        for key, (metric, aim) in TARGETS.items()
    ]
    goals = "pbr: 1\nobjectives: {grow: Grow together}\ngoals:\n" + "\n".join(lines) + "\n"
    review = reviews_of(tiny_workbook.write(tmp_path, usual(), goals))["A"]
    show(review)
    tallies = {goal.key: goal.tally for goal in review.all_goals}
    assert tallies["range_q"] == "2 of 1 to 3 (100 %)"
    assert tallies["day_q"] == tallies["day_q"].replace("not measurable", "")
    assert tallies["most_q"] == "2 of 1 (0 %)"
    assert tallies["zero_q"] == "2 of 0"
    assert tallies["base_q"] == "$660 of $1,000 (58 %)"
    assert review.goal("gone_q").name == "Certified people"
    text = review.scorecard.plain() + review.headlines.plain() + review.goals.plain()
    assert "15 Sep 2026" in text
    assert "not measurable" not in text


# ------------------------------------------------------------------------------------------- opening


def test_a_slice_is_opened_for_its_own_partner_and_quarter(tmp_path: Path) -> None:
    """Another partner, another quarter, a missing file or an unknown edition is refused, with a remedy."""
    ready = slices.ensure(tiny_workbook.write(tmp_path, usual()), Q3)
    for who, quarter in (("B", Q3), ("A", "2026-Q2")):
        with pytest.raises(UnknownPartner, match="this slice is of A, 2026-Q3") as caught:
            open_slice(ready.path("A"), who, quarter, "partner")
        assert caught.value.fix
    with pytest.raises(UnknownPartner, match="there is no slice") as caught:
        open_slice(tmp_path / "absent.json", "A", Q3, "partner")
    assert caught.value.fix
    with pytest.raises(InputError, match="no edition"):
        open_slice(ready.path("A"), "A", Q3, "public")


def test_an_unknown_goal_names_those_that_are_there(demo_review: Callable[..., Review]) -> None:
    """A goal may be asked for by its own name or its metric's; another is refused with the nearest."""
    review = demo_review("P-001")
    assert review.goal("new_partner_leads") == review.goal("new_partner_leads_q")
    with pytest.raises(InputError) as caught:
        review.goal("new_partner_lead")
    assert "new_partner_leads" in caught.value.fix


def test_asking_twice_gives_the_same(demo_review: Callable[..., Review]) -> None:
    """Whatever a review gives is a value: a cell that runs twice shows the same."""
    review = demo_review("P-001")
    for source in ("review.goals", "review.summary", "review.evidence", "review.cover"):
        first, second = (eval(source, {"review": review}) for _ in range(2))
        assert first.as_json() == second.as_json()
    pd.testing.assert_frame_equal(review.pace(), review.pace())


# ------------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize("who", PARTNERS)
def test_the_pace_frame_ends_where_the_goal_stands(demo_review: Callable[..., Review], who: str) -> None:
    """On the as-of day the line is at the actual and even pace at what the goal table expects."""
    review = demo_review(who)
    for goal in review.all_goals:
        frame = review.pace(goal.key)
        if goal.facts["pace_share"] is None:
            assert frame.empty
            continue
        today = frame[frame["day"] == review.as_of].iloc[0]
        assert today["actual"] == pytest.approx(float(goal.actual.value or 0))
        assert today["expected"] == pytest.approx(float(goal.expected.value or 0))
        assert frame["expected"].iloc[-1] == pytest.approx(float(goal.target.value or 0))
        assert frame[frame["day"] > review.as_of]["actual"].isna().all()


def test_trends_and_history_agree_with_the_goal_table(demo_review: Callable[..., Review]) -> None:
    """The last quarter of each frame is the quarter of the pack."""
    for who in PARTNERS:
        review = demo_review(who)
        for goal in review.all_goals:
            last = review.trend(goal.key).iloc[-1]
            assert last["quarter"] == Q3
            assert (None if pd.isna(last["value"]) else Decimal(str(last["value"]))) == pytest.approx(goal.actual.value)
        assert list(review.closings["quarter"])[-1] == Q3
        assert len(review.credits) == 8


def test_deals_of_tables_and_frames_are_the_same(demo_review: Callable[..., Review]) -> None:
    """Open deals in the chart, won deals in the list and the history add up to the same sums."""
    for who in PARTNERS:
        review = demo_review(who)
        assert sum(review.pipeline["deals"]) == len(review.open_deals.rows)
        assert len(review.wins.rows) == review.closings["won_n"].iloc[-1]
        assert len(review.losses.rows) == review.closings["lost_n"].iloc[-1]
        won = sum((row.value or Decimal(0)) for row in review.wins.frame["amount"].map(_amount))
        assert float(won) == pytest.approx(review.closings["won"].iloc[-1])


def _amount(value: Any) -> Any:
    return type("Amount", (), {"value": value})


# ------------------------------------------------------------------------------------------ editions


def test_partners_see_influence_only_where_they_may(tmp_path: Path) -> None:
    """With ``show_influenced: false`` nothing in the partner edition names it: goal, deal, column, definition."""
    tables = usual()
    tables["opportunities"] = [
        deal("O7", "", "5000", Influencer="A"),
        deal("O8", "A", "80", Influencer="A"),
        deal("O9", "", "70", "open_mid", Influencer="A"),
    ]
    more = f"  touched_q: {{{GOAL.format(metric='influenced_won')}, target: {{at_least: 1}}, headline: true}}\n"
    root = tiny_workbook.write(
        tmp_path, tables, tiny_workbook.GOALS + more, workbook=tiny_workbook.WORKBOOK + "show_influenced: false\n"
    )
    public, internal = reviews_of(root)["A"], reviews_of(root, edition="internal")["A"]
    text = "".join(repr(block) for source, block in show(public).items() if source != "review.findings")
    assert "nfluence" not in text
    assert "O7" not in text
    assert [goal.key for goal in internal.all_goals][-1] == "touched_q"
    assert {cell for row in public.wins.rows for cell in row if cell in ("sourced", "influenced, sourced")} == {
        "sourced"
    }
    assert list(public.credits) == ["quarter", "sourced", "resold"]
    assert "influenced" in internal.credits
    assert public.cover.as_json()["score"] == internal.cover.as_json()["score"]


def test_the_cover_says_who_when_and_for_whom(demo_review: Callable[..., Review]) -> None:
    """Name, quarter, as-of day, and whether the pack is for the partner or for internal use."""
    facts = demo_review("P-001").cover.as_json()
    assert facts["title"] == "Aurora Systems (極光)"
    assert facts["meta"]["as_of_text"] == "4 Sep 2026"
    assert facts["meta"]["confidential"] == "Confidential · prepared for Aurora Systems (極光)"
    assert "internal use" in demo_review("P-001", edition="internal").cover.as_json()["meta"]["confidential"]
    assert facts["meta"]["fingerprint"] == demo_review("P-001").fingerprint
    assert len(facts["meta"]["fingerprint"]) == 8


def test_a_name_full_of_markup_stays_text(tmp_path: Path) -> None:
    """Inside an f-string for Markdown a partner's name is escaped; on the cover it is itself."""
    root = tiny_workbook.write(tmp_path, {"partners": [partner("A", name="*$#<b>|&`[x](y)")]})
    review = reviews_of(root)["A"]
    assert f"{review.partner}" == "\\*\\$\\#\\<b\\>\\|\\&\\`\\[x\\]\\(y\\)"
    assert review.cover.as_json()["title"] == "*$#<b>|&`[x](y)"
    assert "<b>" not in review.cover.html()
