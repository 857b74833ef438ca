"""Slices: made when exports, params or code changed and only then; each holds one partner's share and no more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny_workbook
from tiny_workbook import certificate, deal, lead, partner, put, usual

from pbr_lib import batch, slices
from pbr_lib.errors import InputError, ParamsError, UnknownPartner, UnknownQuarter
from pbr_lib.slices import Slices

Q3 = "2026-Q3"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A small workbook of one's own."""
    return tiny_workbook.write(tmp_path / "tiny", usual())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Slices:
    """The slices of a small workbook that nobody changes."""
    return slices.ensure(tiny_workbook.write(tmp_path_factory.mktemp("tiny"), usual()), Q3)


def facts(ready: Slices, who: str) -> Any:
    """What the slice of a partner holds."""
    return json.loads(ready.path(who).read_text(encoding="utf-8"))


def stamps(ready: Slices) -> dict[str, tuple[int, int]]:
    """Each file of the slices with inode and time: what changes when it is written again."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in ready.folder.iterdir()}


# ------------------------------------------------------------------------------------------- freshness


def test_what_is_fresh_is_left_alone_and_what_is_stale_is_made_again(tiny: Path) -> None:
    """Nothing changed: the same files, untouched; an export, params or a slice changed or gone: made again."""
    first = slices.ensure(tiny, Q3)
    before = stamps(first)
    assert slices.ensure(tiny, Q3) == first
    assert stamps(first) == before

    first.path("B").unlink()
    assert stamps(slices.ensure(tiny, Q3)).keys() == before.keys()

    tiny_workbook.export(tiny, "leads", [*usual()["leads"], lead("L9", "B")])
    second = slices.ensure(tiny, Q3)
    assert second.digest != first.digest
    assert facts(second, "B")["goals"][0]["actual"] == "2"

    tiny_workbook.agree(tiny, Q3, ["B,leads_q,4"])
    third = slices.ensure(tiny, Q3)
    assert third.digest != second.digest
    assert facts(third, "B")["goals"][0]["target"]["value"] == "4"


def test_the_index_may_be_damaged(tiny: Path) -> None:
    """Half an index is no index: everything is made again."""
    ready = slices.ensure(tiny, Q3)
    (ready.folder / "index.json").write_text('{"digest": "')
    assert slices.ensure(tiny, Q3) == ready


def test_a_partner_who_is_gone_leaves_no_slice(tiny: Path) -> None:
    """What the partner list no longer holds does not stay on disk."""
    ready = slices.ensure(tiny, Q3)
    tiny_workbook.export(tiny, "partners", usual()["partners"][:2])
    again = slices.ensure(tiny, Q3)
    assert list(again.partners) == ["A", "B"]
    assert sorted(path.name for path in ready.folder.iterdir()) == ["A.json", "B.json", "index.json"]


def test_equal_workbooks_make_equal_bytes_anywhere(made: Slices, tmp_path: Path) -> None:
    """A slice holds neither a path, nor a clock, nor anything of the machine."""
    other = slices.ensure(tiny_workbook.write(tmp_path / "else" / "where", usual()), Q3)
    assert other.digest == made.digest
    for who in made.partners:
        assert other.path(who).read_bytes() == made.path(who).read_bytes()


def test_the_day_comes_from_the_data(made: Slices, tiny: Path) -> None:
    """The business date is the newest export's, whatever the clock says; it names the newest quarter."""
    assert made.as_of == tiny_workbook.AS_OF
    for path in (tiny / "params" / "sources").glob("*.yaml"):
        put(tiny, f"params/sources/{path.name}", path.read_text().replace(tiny_workbook.AS_OF, "2025-02-03"))
    old = slices.ensure(tiny)
    assert (old.as_of, old.quarter) == ("2025-02-03", "2025-Q1")
    assert slices.ensure(tiny) == old


def test_checking_builds_nothing(tiny: Path) -> None:
    """``check`` reads and measures, and leaves nothing but what can be made again at any time."""
    before = sorted(tiny.rglob("*"))
    assert slices.check(tiny).ready.quarter == Q3
    left = {path.relative_to(tiny).parts[:2] for path in sorted(tiny.rglob("*")) if path not in before}
    assert left <= {("output",), ("output", ".store")}
    assert not (tiny / "output" / ".store" / "slices").exists()


# ------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("label", "message", "fix"),
    [
        ("2026-Q4", "the exports do not reach 2026-Q4", "choose one of 2024-Q3 to 2026-Q3"),
        ("2024-Q2", "the exports do not reach 2024-Q2", "choose one of 2024-Q3 to 2026-Q3"),
        ("2026Q3", '"2026Q3" is no quarter of this calendar', "write a quarter like 2026-Q3"),
        ("FY26-Q3", '"FY26-Q3" is no quarter of this calendar', "write a quarter like 2026-Q3"),
        ("Q3", '"Q3" is no quarter of this calendar', "write a quarter like 2026-Q3"),
    ],
)
def test_a_quarter_that_is_not_there_is_refused_with_a_remedy(tiny: Path, label: str, message: str, fix: str) -> None:
    """Future, too old or misspelt: the message says what, where and how to mend it."""
    with pytest.raises(UnknownQuarter) as caught:
        slices.ensure(tiny, label)
    assert (caught.value.what, caught.value.fix) == (message, fix)
    assert caught.value.where


@pytest.mark.parametrize(
    ("who", "fix"),
    [
        ("a", 'use its id, "A"'),
        ("Partner B", 'use its id, "B"'),
        ("partner b", 'use its id, "B"'),
        ("Z", "known: A, B, C"),
    ],
)
def test_a_partner_that_is_not_there_is_refused_with_a_remedy(made: Slices, who: str, fix: str) -> None:
    """An id in the wrong case or a name in place of an id: the message says which id is meant."""
    with pytest.raises(UnknownPartner) as caught:
        made.path(who)
    assert (caught.value.where, caught.value.fix) == ("the partner list", fix)


def test_params_may_name_only_partners_of_the_list(tiny: Path) -> None:
    """Targets, actions and words of an unknown partner are each named with file and row."""
    tiny_workbook.agree(tiny, Q3, ["A,leads_q,4", "AA,leads_q,4"])
    header = "action_id,partner_id,goal,action,side,owner,opened,due,status,closed_on"
    put(tiny, "params/actions.csv", f"{header}\n1,D,,Call,us,We,{Q3},,open,\n")
    put(tiny, f"params/words/{Q3}/E.md", "## headline\nHello\n")
    with pytest.raises(ParamsError) as caught:
        slices.ensure(tiny, Q3)
    places = [error.where for error in caught.value.errors]
    assert [error.what for error in caught.value.errors] == [
        f'no partner has the id "{who}"' for who in ("AA", "D", "E")
    ]
    assert places[0].startswith(f"params/goals/{Q3}.csv, row 3")
    assert places[1].startswith("params/actions.csv, row 2")
    assert places[2] == f"params/words/{Q3}/E.md"


def test_unreadable_cells_stop_the_run_or_are_set_aside(tiny: Path) -> None:
    """Under ``stop`` each is an error with file, row and column and no slice is made; else it is a finding."""
    tiny_workbook.export(tiny, "leads", [*usual()["leads"], lead("L9", "B", when="soon")])
    with pytest.raises(InputError) as caught:
        slices.ensure(tiny, Q3)
    assert "data/leads.csv, row 5, created_at" in str(caught.value)
    assert not (tiny / "output" / ".store" / "slices").exists()
    put(tiny, "params/workbook.yaml", tiny_workbook.WORKBOOK + "on_data_error: set_aside\n")
    assert [f.severity for f in slices.ensure(tiny, Q3).findings] == ["error"]


def test_unreadable_cells_may_stop_their_partner_only(tiny: Path) -> None:
    """Under ``stop_partner`` the others' packs are built; where nobody knows whose row it is, the run stops."""
    put(tiny, "params/workbook.yaml", tiny_workbook.WORKBOOK + "on_data_error: stop_partner\n")
    assert slices.ensure(tiny, Q3).stopped == ()
    tiny_workbook.export(tiny, "leads", [*usual()["leads"], lead("L9", "B", when="soon")])
    assert slices.ensure(tiny, Q3).stopped == ("B",)
    assert slices.ensure(tiny, Q3).stopped == ("B",)
    shutil.copytree(Path(__file__).resolve().parent.parent / "notebooks", tiny / "notebooks")
    run = batch.build(batch.Request(tiny, Q3, partners=("B",)))
    assert [(outcome.partner, outcome.state) for outcome in run.outcomes] == [("B", "failed")]
    assert "cannot be read" in str(run.failed[0].error)
    tiny_workbook.export(tiny, "leads", [*usual()["leads"], lead("", "B")])
    with pytest.raises(InputError, match="without lead_id"):
        slices.ensure(tiny, Q3)


def test_a_literal_that_never_occurs_is_told(tiny: Path) -> None:
    """A filter on a value that the data never hold is probably a slip of the pen."""
    goals = tiny_workbook.GOALS.replace("target: {at_least: 2}", "applies_to: {tier: Glod}, target: {at_least: 2}")
    put(tiny, "params/goals.yaml", goals)
    rows = [partner("A", tier="Gold"), partner("B"), partner("C")]
    tiny_workbook.export(tiny, "partners", rows)
    found = slices.check(tiny, Q3).ready.findings
    assert [(f.severity, f.what, f.fix) for f in found] == [
        ("warning", 'goals.people_q: no partners row has tier "Glod"', 'did you mean "Gold"?')
    ]


# ------------------------------------------------------------------------------------------ separation


def canaries(who: str) -> dict[str, list[Any]]:
    """A partner with records of every kind, of which every text holds the partner's token."""
    token = f"canary{who}"
    key = {"name": f"Name {token}", "email": f"mail@{token}.example", "domain": f"{token}.example", "tier": token}
    key |= {"account_id": f"acc-{token}", "region": token, "partner_manager": token, "primary_contact": token}
    words = {"owner": token, "name": f"Deal {token}", "account_name": f"Customer {token}", "next_step": token}
    stages = ("open_early", "won", "lost")
    return {
        "partners": [partner(token, **key)],
        "leads": [
            lead(f"L-{token}", token, company=token, email=f"{token}@x.example", source=token, owner=token),
            lead(f"M-{token}", f"stranger-{token}"),
        ],
        "opportunities": [
            deal(f"O-{token}-{i}", token, stage=stage, loss_reason=f"Reason {token}", **words)
            for i, stage in enumerate(stages)
        ],
        "certifications": [certificate(f"C-{token}", token, f"person-{token}", name=token, level=token)],
    }


def test_the_slice_of_one_partner_holds_no_string_of_another(tmp_path: Path) -> None:
    """Acceptance case 16: tokens planted in every field of each partner stay in that partner's slice."""
    tables: dict[str, list[Any]] = {}
    for who in ("A", "B", "C"):
        for table, rows in canaries(who).items():
            tables.setdefault(table, []).extend(rows)
    root = tiny_workbook.write(tmp_path, tables)
    tiny_workbook.agree(root, Q3, [f"canary{who},leads_q,4" for who in "AB"])
    header = "action_id,partner_id,goal,action,side,owner,opened,due,status,closed_on"
    lines = [f"act-canary{who},canary{who},,Call canary{who},us,canary{who},{Q3},,open," for who in "ABC"]
    put(root, "params/actions.csv", "\n".join([header, *lines]) + "\n")
    for who in "ABC":
        put(root, f"params/words/{Q3}/canary{who}.md", f"## headline\nWords of canary{who}\n")
    ready = slices.ensure(root, Q3)
    for who in "ABC":
        text = ready.path(f"canary{who}").read_text(encoding="utf-8")
        assert text.count(f"canary{who}") > 20
        assert not [other for other in "ABC" if other != who and f"canary{other}" in text]


def test_a_shared_deal_tells_nothing_of_the_other_partner(made: Slices) -> None:
    """Who else is credited on a deal is not in the slice, only one's own share."""
    text = made.path("B").read_text(encoding="utf-8")
    (shared,) = facts(made, "B")["deals"]
    assert (shared["id"], shared["sourced_share"], shared["credits"]) == ("O2", "0.4", ["sourced"])
    assert "Partner A" not in text
    assert '"A"' not in text


@pytest.mark.parametrize("odd", ["index", "a/b", "..", "AbC", "Ünï", "con"])
def test_odd_ids_have_slices_of_their_own(tmp_path: Path, odd: str) -> None:
    """Whatever the id, the slice lies inside the folder and is that partner's."""
    root = tiny_workbook.write(tmp_path, {"partners": [partner(odd), partner("B")]})
    for _ in range(2):
        ready = slices.ensure(root, Q3)
        assert ready.path(odd).parent == ready.folder
        assert facts(ready, odd)["partner"]["partner_id"] == odd


def test_records_of_a_stranger_count_for_nobody(tmp_path: Path) -> None:
    """Credit for somebody whom the partner list lacks is a finding, and no partner's."""
    root = tiny_workbook.write(tmp_path, {"partners": [partner("A")], "leads": [lead("L1", "nobody")]})
    ready = slices.ensure(root, Q3)
    assert [f.value for f in ready.findings if f.severity == "warning"] == ["nobody"]
    assert "nobody" not in ready.path("A").read_text(encoding="utf-8")
