"""The desk for goals: what is shown, what is tried, and that only writing writes."""

from __future__ import annotations

import ast
import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import nbformat
import pytest
import tiny_workbook
from hypothesis import given
from hypothesis import strategies as st
from tiny_workbook import usual

import pbr_lib as pbr
from pbr_lib import desk, goaldesk, whatif
from pbr_lib.blocks import MIMETYPE, Block, Table
from pbr_lib.definitions import Target
from pbr_lib.errors import InputError, UnknownPartner
from pbr_lib.goaldesk import Goals
from pbr_lib.model import Unit

Q4 = "params/goals/2026-Q4.csv"
SHOWN = ("cover", "scorecard", "findings", "fleet", "chances", "targets", "agreement", "missing", "rollup")
SHOWN += ("proposals", "dropped", "pending")


@pytest.fixture(scope="module")
def demo(shared_workbook: Path) -> Goals:
    """The demo's goals, measured once."""
    return goaldesk.look(shared_workbook)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Three partners; A's leads are agreed, B's are not."""
    root = tiny_workbook.write(tmp_path / "book", usual())
    rows = "partner_id,goal,target,agreed_by_us,agreed_by_them,proposed\nA,leads_q,5,We,They,4\nB,leads_q,4,We,,4\n"
    tiny_workbook.put(root, "params/goals/2026-Q3.csv", rows)
    return root


def rows(table: Table) -> list[dict[str, Any]]:
    """The rows of a table by column key."""
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def row(table: Table, partner: str, goal: str) -> dict[str, Any]:
    """The row of a partner and goal."""
    return next(each for each in rows(table) if (each["partner_id"], each["key"]) == (partner, goal))


def tree(root: Path) -> Mapping[str, bytes]:
    """Every file but what may be deleted at any time."""
    found = (path for path in root.rglob("*") if path.is_file() and "output" not in path.relative_to(root).parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(found)}


# ------------------------------------------------------------------------------------------------ shown


@pytest.mark.parametrize("name", SHOWN)
def test_each_property_shows_itself(demo: Goals, name: str) -> None:
    """Every property is a block: it has JSON that is JSON, plain text, and nothing of the CRM becomes markup."""
    block = getattr(demo, name)
    assert isinstance(block, Block)
    bundle = block._repr_mimebundle_()
    assert json.dumps(bundle[MIMETYPE], allow_nan=False)
    assert bundle["text/plain"].strip()
    assert "<b>Bold</b>" not in bundle.get("text/html", "")


def test_it_shows_a_summary_of_itself(demo: Goals) -> None:
    """Shown, it is the cover, which says that this is internal."""
    assert demo._repr_mimebundle_() == demo.cover._repr_mimebundle_()
    assert repr(demo).startswith("Goals of 2026-Q3: data as of 4 Sep 2026, partners 12, targets 68, findings 0 errors")
    assert demo.cover.meta["edition"] == "internal"
    assert "every partner" in demo.cover.meta["confidential"]
    assert (demo.quarter, demo.next_quarter, demo.as_of) == ("2026-Q3", "2026-Q4", dt.date(2026, 9, 4))


def test_counts_agree_wherever_they_stand(demo: Goals) -> None:
    """Targets, chances, fleet and agreement speak of the same 68 targets."""
    every = rows(demo.fleet)[0]
    bands = demo.chances.frame  # type: ignore[union-attr]
    assert sum(bands["targets"]) == len(demo.targets.rows) == every["targets"].value == 68
    assert sum(each["targets"].value for each in rows(demo.agreement)) == 68
    assert abs(sum(bands["share"]) - 1) < 1e-9
    judged = [each["chance"].value for each in rows(demo.targets) if each["chance"] is not None]
    assert every["judged"].value == len(judged)
    assert abs(every["expected"].value - sum(judged) / len(judged)) < Decimal("0.0001")
    by_goal = rows(demo.fleet)[1:-3]
    assert sum(each["targets"].value for each in by_goal) == 68
    sized = sum(each["targets"].value for each in rows(demo.fleet)[-3:])
    assert 0 < sized <= 68  # a partner without a whole year has no size


def test_the_chart_says_in_words_what_it_shows(demo: Goals) -> None:
    """Alternative text holds every number; the workbook draws the same bars."""
    chart = demo.chances
    assert chart.alt.startswith("Of 68 targets not attainable: ")  # type: ignore[union-attr]
    assert chart.native["series"] == ["targets"]  # type: ignore[union-attr]


def test_a_target_tells_state_chance_and_what_came_before(tiny: Path) -> None:
    """A's five leads are agreed, were proposed as four, and nothing is known of the quarter before."""
    table = goaldesk.look(tiny).targets
    mine = row(table, "A", "leads_q")
    assert (str(mine["target"]), mine["state"].word, mine["by_hand"]) == ("5", "agreed", "was 4")
    assert row(table, "B", "leads_q")["state"].word == "not agreed in time"
    unsigned = row(table, "C", "leads_q")
    assert (unsigned["state"].word, unsigned["by_hand"]) == ("proposed", None)
    assert "not agreed yet" in unsigned["remark"]


def test_who_has_yet_to_sign_is_named(tiny: Path) -> None:
    """One line for each partner and side, with the owner to ask; the next quarter's file counts as well."""
    tiny_workbook.put(tiny, Q4, "partner_id,goal,target\nA,leads_q,6\n")
    goals = goaldesk.look(tiny)
    told = [(each["quarter"], each["partner_id"], each["side"], each["owner"]) for each in rows(goals.missing)]
    assert told == [
        ("2026-Q3", "B", "the partner's signature", "They"),
        ("2026-Q4", "A", "both signatures", "We, They"),
    ]
    assert [(each["quarter"], each["state"].word) for each in rows(goals.agreement)] == [
        ("2026-Q3", "agreed"),
        ("2026-Q3", "not agreed in time"),
        ("2026-Q4", "proposed"),
    ]


def test_a_roll_up_by_another_column(demo: Goals) -> None:
    """Any column of the partner list groups partners."""
    assert {each["kind"] for each in rows(demo.rolled("region"))} >= {"all", "region"}


# ------------------------------------------------------------------------------------------------ tried


def test_what_if_is_pure_and_harder_is_less_likely(demo: Goals, shared_workbook: Path) -> None:
    """More than is proposed is met no more often; nothing is written, and the desk stays as it was."""
    before, plain = tree(shared_workbook), demo.proposals.plain()
    tried = rows(demo.what_if("new_partner_leads_q", change="+50 %"))
    assert tried
    assert all(each["then"].value > each["now"].value for each in tried)
    known = [each for each in tried if each["chance_now"] is not None]
    assert all(each["chance_then"].value <= each["chance_now"].value for each in known)
    assert tree(shared_workbook) == before
    assert demo.proposals.plain() == plain


def test_what_if_agrees_with_the_proposals(demo: Goals) -> None:
    """Trying the number that is proposed changes nothing, and one partner is one row."""
    proposed = row(demo.proposals, "P-001", "new_partner_leads_q")
    table = demo.what_if("new_partner_leads_q", target=proposed["proposed"].value, partners="P-001")
    (tried,) = rows(table)
    assert tried["chance_now"] == tried["chance_then"] == proposed["chance"]
    assert "Nothing is written" in table.caption
    assert "new_partner_leads_q" in table.title


def test_an_edit_is_a_copy(demo: Goals) -> None:
    """The copy shows the number and its reason; the original does not."""
    tried = demo.edit("new_partner_leads_q", target=12, partners=["P-001"], reason="a second team")
    mine = row(tried.proposals, "P-001", "new_partner_leads_q")
    assert (mine["set_to"].value, mine["basis"], mine["stretch"]) == (12, "A second team", None)
    assert row(demo.proposals, "P-001", "new_partner_leads_q")["set_to"] is None
    assert "1 target would be set" in tried.pending.plain()
    assert tried.following is demo.following


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"goal": "new_partner_lead_q", "target": 6}, "no goal is called"),
        ({"goal": "new_partner_leads_q"}, "a target or a change"),
        ({"goal": "new_partner_leads_q", "target": 6, "change": "+1"}, "a target or a change"),
        ({"target": 6}, "cannot suit every goal"),
        ({"change": "+2"}, "cannot suit every goal"),
        ({"goal": "new_partner_leads_q", "change": "more"}, "is no change"),
        ({"goal": "new_partner_leads_q", "target": "six"}, "is no number"),
        ({"goal": "new_partner_leads_q", "change": "-9,999"}, "negative target"),
        ({"goal": "win_rate_q", "change": "+5"}, "does not say of what"),
        ({"goal": "win_rate_q", "target": 85}, "is no share"),
    ],
)
def test_what_cannot_be_tried_is_refused(demo: Goals, asked: dict[str, Any], told: str) -> None:
    """Each refusal says what is wrong and how to write it."""
    with pytest.raises(InputError, match=told) as caught:
        demo.what_if(**asked)
    assert caught.value.fix


def test_a_partner_that_is_not_there_is_refused(demo: Goals) -> None:
    """With the nearest id."""
    with pytest.raises(UnknownPartner, match="P-999"):
        demo.what_if("new_partner_leads_q", target=6, partners=["P-999"])


COUNT, MONEY, PERCENT = Unit("count"), Unit("money", "USD"), Unit("percent")


@pytest.mark.parametrize(
    ("target", "change", "unit", "wanted"),
    [
        (Target(at_least=Decimal(5)), "+10 %", COUNT, Target(at_least=Decimal(6))),
        (Target(at_least=Decimal(4)), "+10 %", COUNT, Target(at_least=Decimal(4))),
        (Target(at_least=Decimal(5)), "-2", COUNT, Target(at_least=Decimal(3))),
        (Target(at_least=Decimal(100_000)), "−5 %", MONEY, Target(at_least=Decimal(95_000))),
        (Target(at_least=Decimal("0.80")), "+5 points", PERCENT, Target(at_least=Decimal("0.85"))),
        (Target(at_least=Decimal("0.80")), "10%", PERCENT, Target(at_least=Decimal("0.88"))),
        (Target(at_most=Decimal(30)), "+10 %", Unit("days"), Target(at_most=Decimal(33))),
        (Target(between=(Decimal(80), Decimal(90))), "+10", COUNT, Target(between=(Decimal(90), Decimal(100)))),
        (Target(done_by=dt.date(2026, 9, 15)), "+10 %", COUNT, Target(done_by=dt.date(2026, 9, 15))),
    ],
)
def test_a_change_is_rounded_as_renewal_rounds(target: Target, change: str, unit: Unit, wanted: Target) -> None:
    """Counts by one, money by steps that suit its size, percentages by a point; both ends of a range; never a day."""
    assert whatif.changed(target, change, unit) == wanted


@given(st.integers(1, 10_000), st.integers(0, 300))
def test_a_rise_never_lowers_a_target(value: int, percent: int) -> None:
    """Whatever is rounded, more is not less."""
    moved = whatif.changed(Target(at_least=Decimal(value)), f"+{percent} %", COUNT).value
    assert moved is not None
    assert moved >= value


# ---------------------------------------------------------------------------------------------- written


def test_running_every_cell_writes_nothing(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the notebook shows it only reads; commented lines stay comments."""
    book = nbformat.read(Path(__file__).resolve().parent.parent / "notebooks" / "set_goals.ipynb", as_version=4)
    monkeypatch.chdir(tiny)
    before, names = tree(tiny), {}
    for cell in book.cells:
        if cell.cell_type == "code":
            *body, last = ast.parse(cell.source).body
            exec(compile(ast.Module([*body], []), "cell", "exec"), names)
            if isinstance(last, ast.Expr):
                shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
                assert isinstance(shown, str | Block | Goals)
            else:
                exec(compile(ast.Module([last], []), "cell", "exec"), names)
    assert tree(tiny) == before


def test_writing_writes_proposals_and_what_was_tried(tiny: Path) -> None:
    """One row for each proposal; the number tried stands in its row with its reason, the proposal beside it."""
    goals = goaldesk.look(tiny)
    said = goals.edit("leads_q", target=7, partners=["A"], reason="a second team").write().plain()
    assert "params/goals/2026-Q4.csv" in said
    assert "1 target set" in said
    again = goaldesk.look(tiny)
    mine = row(again.proposals, "A", "leads_q")
    assert (mine["set_to"].value, mine["basis"], mine["row"]) == (7, "A second team", "yes")
    assert (mine["proposed"].value, row(again.proposals, "B", "leads_q")["set_to"]) != (7, None)
    assert again.pending.plain().endswith("There is nothing to write.")
    assert {path for path in tree(tiny) if path.startswith("params/goals/")} == {"params/goals/2026-Q3.csv", Q4}


def test_what_is_signed_is_not_moved(tiny: Path) -> None:
    """A signature makes a number hold: it can be tried, and not be set."""
    goaldesk.look(tiny).write()
    goals = goaldesk.look(tiny)
    stale = goals.edit("leads_q", target=9, partners="A")
    assert "signed" in goals.sign(us="We", on="2026-09-30").plain()
    fresh = goaldesk.look(tiny)
    assert fresh.what_if("leads_q", target=9, partners="A").rows
    with pytest.raises(InputError, match="is signed already"):
        fresh.edit("leads_q", target=9, partners="A")
    assert "was signed in the meantime" in stale.write().plain()
    assert row(fresh.proposals, "A", "leads_q")["row"] == "signed by us"


def test_a_signature_needs_a_day(tiny: Path) -> None:
    """No clock: who signs says when."""
    with pytest.raises(InputError, match="is no day"):
        goaldesk.look(tiny).sign(us="We")


def test_the_front_door_leads_here(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pbr.plan()`` finds the workbook; the quarter after the newest may be asked for."""
    monkeypatch.chdir(tiny)
    assert pbr.plan is desk.plan
    assert pbr.plan().quarter == "2026-Q3"
    ahead = pbr.plan("2026-Q4")
    assert (ahead.quarter, ahead.next_quarter) == ("2026-Q4", "2026-Q4")
