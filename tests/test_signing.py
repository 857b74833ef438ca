"""Signatures into files of targets: what is written, what stands already, what is refused."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest
import tiny_workbook

from pbr_lib import params, signing
from pbr_lib.errors import InputError, UnknownPartner
from pbr_lib.signing import Change, Signature

Q4 = "2026-Q4"
ON = dt.date(2026, 9, 20)
FILE = "params/goals/2026-Q4.csv"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workbook with three targets of a quarter to come."""
    tiny_workbook.write(tmp_path, {})
    head = "partner_id,goal,target,agreed_by_us,agreed_by_them,basis,proposed,agreed_target\n"
    rows = "A,leads_q,5,,,same,5,\nA,revenue_q,1100,,,same,1000,\nB,leads_q,4,,,same,4,\n"
    tiny_workbook.put(tmp_path, FILE, head + rows)
    return tmp_path


def cells(root: Path, name: str = FILE) -> list[dict[str, str]]:
    """The rows of a file."""
    with (root / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_side_signs_for_itself(root: Path) -> None:
    """The second signature fixes what was agreed; signing twice changes nothing."""
    first = signing.agree(root, Q4, Signature(us="Channel manager", on=ON), ["A"])
    assert [row.goal for row in first.signed] == ["leads_q", "revenue_q"]
    assert [row["agreed_by_us"] for row in cells(root)] == ["Channel manager, 2026-09-20"] * 2 + [""]
    assert [row["agreed_target"] for row in cells(root)] == ["5", "1100", ""]
    second = signing.agree(root, Q4, Signature(them="Alliance lead", on=ON), ["A"], "leads_q")
    assert len(second.signed) == 1
    assert cells(root)[0]["agreed_target"] == "5"
    before = (root / FILE).read_bytes()
    again = signing.agree(root, Q4, Signature(us="Somebody", them="Else", on=ON), ["A"], "leads_q")
    assert (again.signed, again.already) == ((), 1)
    assert (root / FILE).read_bytes() == before


def test_a_target_changed_after_both_signed_is_signed_anew_or_amended(root: Path) -> None:
    """Before the quarter both must sign again; once it has begun only an amendment moves it."""
    signing.agree(root, Q4, Signature(us="We", them="They", on=ON))
    text = (root / FILE).read_text(encoding="utf-8").replace("A,leads_q,5,", "A,leads_q,6,")
    (root / FILE).write_text(text, encoding="utf-8")
    late = signing.agree(root, Q4, Signature(us="We", on=dt.date(2026, 10, 5)), ["A"], "leads_q")
    assert "record an amendment" in late.refused[0]
    signing.agree(root, Q4, Signature(us="We", on=ON), ["A"], "leads_q")
    one = cells(root)[0]
    assert (one["agreed_by_us"], one["agreed_by_them"], one["agreed_target"]) == ("We, 2026-09-20", "", "6")


def test_nobody_has_agreed_to_a_target_that_was_changed_after_they_signed(root: Path) -> None:
    """One side signs for 5; when the row says 8, its signature is gone, and the other's alone does not agree it."""
    signing.agree(root, Q4, Signature(us="We", on=ON), ["A"], "leads_q")
    text = (root / FILE).read_text(encoding="utf-8").replace("A,leads_q,5,", "A,leads_q,8,")
    (root / FILE).write_text(text, encoding="utf-8")
    row = signing.status(params.read(root), Q4, ON).rows[0]
    assert (row.state, row.remark) == ("proposed", "we agreed to 5; the row says 8 now")
    signing.agree(root, Q4, Signature(them="They", on=ON), ["A"], "leads_q")
    one = cells(root)[0]
    assert (one["agreed_by_us"], one["agreed_by_them"], one["agreed_target"]) == ("", "They, 2026-09-20", "8")
    signing.agree(root, Q4, Signature(us="We", on=dt.date(2026, 10, 5)), ["A"], "leads_q")
    assert signing.status(params.read(root), Q4, dt.date(2026, 10, 5)).rows[0].state == "active"


def test_an_amendment_has_a_reason_and_two_signatures(root: Path) -> None:
    """The first call records it, the second signs it for the other side; only then does the target move."""
    signing.agree(root, Q4, Signature(us="We", them="They", on=ON))
    change = Change("A", "leads_q", "6", "a second team joins")
    assert len(signing.amend(root, Q4, change, Signature(us="We", on=ON)).signed) == 1
    day = dt.date(2026, 10, 20)
    waiting = signing.status(params.read(root), Q4, day).rows[0]
    assert (waiting.instance.target.value, "awaits agreement" in waiting.remark) == (5, True)
    signing.amend(root, Q4, change, Signature(them="They", on=ON))
    assert len(cells(root, "params/amendments.csv")) == 1
    moved = signing.status(params.read(root), Q4, day).rows[0]
    assert (moved.instance.target.value, moved.amended) == (6, "amended from 5 to 6: a second team joins")
    assert signing.amend(root, Q4, change, Signature(us="We", on=ON)).already == 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (Change("B", "leads_q", "6", "why"), "not agreed yet"),
        (Change("A", "leads_q", "6", " "), "needs a reason"),
        (Change("A", "leads_q", "six", "why"), "is no number"),
        (Change("A", "leads_q", "", "why"), "needs a target"),
        (Change("A", "leads_q", "5", "why"), "is 5 already"),
        (Change("A", "people_q", "6", "why"), "has the goal"),
        (Change("A", "leeds_q", "6", "why"), 'no goal is called "leeds_q"'),
    ],
)
def test_an_amendment_that_cannot_be(root: Path, change: Change, what: str) -> None:
    """Each says what is wrong and how to mend it."""
    signing.agree(root, Q4, Signature(us="We", them="They", on=ON), ["A"])
    with pytest.raises(InputError) as told:
        signing.amend(root, Q4, change, Signature(us="We", on=ON))
    assert what in told.value.what
    assert told.value.fix


def test_who_signs_what(root: Path) -> None:
    """No side, an unknown partner, a quarter without targets."""
    with pytest.raises(InputError, match="nobody signs"):
        signing.agree(root, Q4, Signature(on=ON))
    with pytest.raises(UnknownPartner, match="no row is of a partner"):
        signing.agree(root, Q4, Signature(us="We", on=ON), ["C"])
    with pytest.raises(InputError) as told:
        signing.agree(root, "2027-Q1", Signature(us="We", on=ON))
    assert "pbr goals renew 2027-Q1" in told.value.fix


def test_status_counts_and_names_what_is_open(root: Path) -> None:
    """Counts by state, the deadline, and the rows that need a hand; the same for machines."""
    signing.agree(root, Q4, Signature(us="We", them="They", on=ON), ["B"])
    found = signing.status(params.read(root), Q4, ON)
    assert found.states == {"proposed": 2, "agreed": 1}
    lines = list(found.lines())
    assert lines[:2] == ["2026-Q4: 3 targets of 2 partners: 2 proposed, 1 agreed", "To be agreed by 31 Oct 2026."]
    assert any("revenue_q  proposed; changed by hand" in line for line in lines)
    assert not any("B  leads_q" in line for line in lines)
    assert any("B  leads_q" in line for line in found.lines(every=True))
    told = found.as_json()
    assert told["states"] == found.states
    assert [row["edited"] for row in told["targets"]] == ["", "changed by hand", ""]


def test_a_quarter_that_went_by_unsigned_has_lapsed(root: Path) -> None:
    """As of a day after the deadline."""
    found = signing.status(params.read(root), Q4, dt.date(2026, 11, 1))
    assert found.states == {"lapsed": 3}
