"""Proposals in the file of a quarter: written once, kept as people left them, made anew only when asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_workbook

from pbr_lib import renewing, signing
from pbr_lib.errors import InputError, UnknownPartner, UnknownQuarter
from pbr_lib.renewing import Request
from pbr_lib.signing import Signature

FILE = "params/goals/2026-Q4.csv"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two partners with targets of the third quarter, which is still running."""
    tiny_workbook.write(tmp_path, tiny_workbook.usual())
    tiny_workbook.agree(tmp_path, "2026-Q3", ["A,leads_q,5", "A,revenue_q,1000", "B,leads_q,4"])
    return tmp_path


def test_written_once(root: Path) -> None:
    """The second run changes no byte; a dry run writes nothing at all."""
    dry = renewing.renew(root, Request("2026-Q4", dry_run=True))
    assert (dry.written, (root / FILE).exists()) == (False, False)
    first = renewing.renew(root, Request("2026-Q4"))
    # C has no row of the third quarter, so it begins with every goal.
    assert first.fates == {"written": 6}
    before = (root / FILE).read_bytes()
    second = renewing.renew(root, Request("2026-Q4"))
    assert (second.fates, second.written) == ({"unchanged": 6}, False)
    assert (root / FILE).read_bytes() == before
    assert "still running" in second.remarks[0]
    assert second.as_json()["fates"] == {"unchanged": 6}


def test_partner_by_partner_makes_the_same_file(root: Path) -> None:
    """Whatever the order in which partners are renewed, each has its rows in the order of goals."""
    for partner in ("A", "B", "C"):
        renewing.renew(root, Request("2026-Q4", (partner,)))
    apart = (root / FILE).read_bytes()
    (root / FILE).unlink()
    renewing.renew(root, Request("2026-Q4"))
    assert (root / FILE).read_bytes() == apart


@pytest.mark.parametrize("refresh", [False, True])
def test_what_a_person_changed_or_signed_stays(root: Path, refresh: bool) -> None:
    """Also when the proposal would be another by now."""
    renewing.renew(root, Request("2026-Q4"))
    text = (root / FILE).read_text("utf-8")
    rows = text.splitlines()
    rows[1] = rows[1].replace("A,leads_q,", "A,leads_q,1", 1)
    (root / FILE).write_text("\n".join(rows) + "\n", "utf-8")
    signing.agree(root, "2026-Q4", Signature(us="We"), ["B"])
    tiny_workbook.agree(root, "2026-Q3", ["A,leads_q,9", "A,revenue_q,5000", "B,leads_q,9"])
    before = (root / FILE).read_text("utf-8").splitlines()
    again = renewing.renew(root, Request("2026-Q4", refresh=refresh))
    after = (root / FILE).read_text("utf-8").splitlines()
    fate = {(row.draft.partner_id, row.draft.goal): row.fate for row in again.rows}
    assert fate["A", "leads_q"] == "changed by hand"
    assert fate["B", "leads_q"] == "signed"
    assert fate["A", "revenue_q"] == ("refreshed" if refresh else "outdated")
    changed = [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert changed == ([2] if refresh else [])
    assert any("--refresh" in line for line in again.lines()) is True


def test_what_cannot_be_renewed_is_told(root: Path) -> None:
    """A quarter too far ahead or behind, a partner that is not there."""
    with pytest.raises(InputError, match="has not begun"):
        renewing.renew(root, Request("2027-Q1"))
    with pytest.raises(UnknownQuarter, match="do not reach 2023-Q4"):
        renewing.renew(root, Request("2023-Q4"))
    with pytest.raises(UnknownPartner, match='no partner is called "Z"'):
        renewing.renew(root, Request("2026-Q4", ("Z",)))


def test_every_step_can_be_shown(root: Path) -> None:
    """With ``--explain``, in the fixed order of goals.md 4.1."""
    lines = list(renewing.renew(root, Request("2026-Q4", dry_run=True)).lines(explain=True))
    at = next(n for n, line in enumerate(lines) if line.startswith("  A leads_q:"))
    names = [line.strip().partition(":")[0] for line in lines[at + 1 : at + 9]]
    assert names[:4] == ["last target", "rule", "growth", "carry"]
