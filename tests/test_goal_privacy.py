"""What a slice must not depend on or tell: other partners, the place of the workbook, the order of rows, hashes."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
import tiny_workbook
from conftest import ROOT, copy_workbook

from pbr_lib import slices

OTHERS = "Zephyrine"
NUMBERS = ("918273", "73737", "4711")


def workbook(root: Path, theirs: Sequence[str] = NUMBERS) -> Path:
    """Partner A, and B whose every name, figure and word is recognisable."""
    goals = tiny_workbook.GOALS.replace("target: {at_least: 5}", "target: {at_least: 5}, renew: {rule: peer}")
    deal, pause = tiny_workbook.deal, "partner_id,goal,first_day,last_day,reason\n"
    partners = [tiny_workbook.partner("A"), tiny_workbook.partner("B9", name=OTHERS)]
    deals = [
        deal("O1", "A;B9", "600", Split="60;40"),
        deal("O8", "B9", theirs[0], account_name=f"{OTHERS} Ltd", next_step=f"Call {OTHERS}"),
        deal("O9", "B9", theirs[1], "open_mid", close_date="2026-09-20"),
    ]
    leads = [tiny_workbook.lead("L1", "A")] + [tiny_workbook.lead(f"B9-{at}", "B9") for at in range(7)]
    tiny_workbook.write(
        root, {"partners": partners, "opportunities": deals, "leads": leads, "certifications": []}, goals
    )
    for label in ("2026-Q3", "2026-Q4"):
        tiny_workbook.agree(root, label, ["A,leads_q,5", f"B9,revenue_q,{theirs[2]}", "B9,leads_q,8"])
    amended = "quarter,partner_id,goal,target,reason,agreed_by_us,agreed_by_them\n"
    amended += f"2026-Q3,B9,leads_q,9,{OTHERS} hires,We {OTHERS},They {OTHERS}\n"
    tiny_workbook.put(root, "params/amendments.csv", amended)
    tiny_workbook.put(root, "params/pauses.csv", pause + f"B9,,2026-08-01,2026-08-10,{OTHERS} moves\n")
    return root


def test_nothing_of_another_partner_is_in_a_slice(tmp_path: Path) -> None:
    """Proposals, agreement, amendments, pauses, outlooks, peers: no name, id or figure of B9."""
    text = slices.ensure(workbook(tmp_path), "2026-Q3").path("A").read_text("utf-8")
    assert OTHERS not in text
    assert "B9" not in text
    for number in NUMBERS:
        assert number not in text


def test_what_another_partner_does_changes_nothing(tmp_path: Path) -> None:
    """Below five peers the slice of A is the same whatever the figures of B9 are."""
    one = slices.ensure(workbook(tmp_path / "one"), "2026-Q3").path("A").read_bytes()
    two = slices.ensure(workbook(tmp_path / "two", ("5", "6", "7")), "2026-Q3").path("A").read_bytes()
    assert one == two


CHILD = """
import hashlib, json, sys
from pathlib import Path
from pbr_lib import slices
made = slices.ensure(Path(sys.argv[1]), "2026-Q3")
print(json.dumps({one: hashlib.sha256(made.path(one).read_bytes()).hexdigest() for one in made.partners}))
"""


def digests(root: Path, seed: str) -> dict[str, str]:
    """The bytes of every slice, made in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PBR_")}
    environment |= {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo" if seed == "7" else "UTC"}
    command = [sys.executable, "-c", CHILD, str(root)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The slices of the shipped workbook."""
    return digests(copy_workbook(tmp_path_factory.mktemp("here")), "0")


def shuffle(file: Path) -> None:
    """The rows of a partner list in another order."""
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    head = next(at for at, row in enumerate(sheet.iter_rows(values_only=True), 1) if "Partner ID" in row)
    rows = [at for at in range(head + 1, sheet.max_row + 1) if str(sheet.cell(at, 1).value).startswith("P-")]
    assert len(rows) > 8
    cells = [[cell.value for cell in sheet[at]] for at in rows]
    random.Random(3).shuffle(cells)
    for at, values in zip(rows, cells, strict=True):
        for column, value in enumerate(values, 1):
            sheet.cell(at, column).value = value
            if isinstance(value, str):
                sheet.cell(at, column).data_type = "s"  # also what looks like a formula
    book.save(file)


def test_slices_are_the_same_elsewhere_and_in_another_order(shipped: dict[str, str], tmp_path: Path) -> None:
    """Another folder, another seed of hashes, another zone, the rows of the partner list shuffled."""
    root = copy_workbook(tmp_path / "somewhere else")
    file = root / "data" / "demo" / "partners.xlsx"
    before = file.read_bytes()
    shuffle(file)
    assert file.read_bytes() != before
    found = digests(root, "7")
    assert found.keys() == shipped.keys()
    assert [one for one in found if found[one] != shipped[one]] == []
