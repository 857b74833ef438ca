"""Files of targets that people and commands both write: what is not touched stays byte for byte."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from pbr_lib.definitions import Target
from pbr_lib.goalbook import Book, cell
from pbr_lib.model import Unit

D = Decimal
KEY = ("partner_id", "goal")
TEXT = 'partner_id,goal,target,basis\nA,leads,5,"five, as agreed"\n\nB,leads,4,same\n'


def book(tmp_path: Path, text: str = TEXT, encoding: str = "utf-8") -> Book:
    """A file with that text, opened."""
    path = tmp_path / "goals.csv"
    path.write_bytes(text.encode(encoding))
    return Book(path, ("partner_id", "goal", "target", "basis", "proposed"), KEY)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(TEXT, "utf-8"), (TEXT.replace("\n", "\r\n"), "utf-8-sig"), (TEXT.replace(",", ";"), "utf-8")],
)
def test_what_is_not_changed_stays_as_it_is(tmp_path: Path, text: str, encoding: str) -> None:
    """Line ends, byte-order mark, delimiter, empty lines; nothing is written when nothing changed."""
    one = book(tmp_path, text.replace('"five; as agreed"', "five; as agreed"), encoding)
    one.put(0, {"target": "5"})
    assert one.as_bytes() == one.before or b";" in one.before
    assert not one.save() or b";" in one.before


def test_cells_are_filled_and_columns_added(tmp_path: Path) -> None:
    """A new column stands at the end and is empty elsewhere."""
    one = book(tmp_path)
    at = one.find("B", "leads")
    assert at is not None
    one.put(at, {"target": "6", "proposed": "4"})
    assert one.save()
    assert one.path.read_text(encoding="utf-8").splitlines() == [
        "partner_id,goal,target,basis,proposed",
        'A,leads,5,"five, as agreed",',
        "",
        "B,leads,6,same,4",
    ]
    assert one.find("C", "leads") is None


def test_new_rows_join_their_partner(tmp_path: Path) -> None:
    """Grouped by partner in the order of the file, within a partner in the order of goals."""
    one = book(tmp_path, TEXT.replace("\n\n", "\n"))
    one.add({"partner_id": "A", "goal": "revenue", "target": "10"})
    one.add({"partner_id": "C", "goal": "leads", "target": "1"})
    one.add({"partner_id": "A", "goal": "first", "target": "2"})
    one.sort({"first": 0, "leads": 1, "revenue": 2}, "goal")
    assert [line.split(",")[:2] for line in one.as_bytes().decode().splitlines()[1:]] == [
        ["A", "first"],
        ["A", "leads"],
        ["A", "revenue"],
        ["B", "leads"],
        ["C", "leads"],
    ]
    assert len(one) == 5
    at = one.find("A", "first")
    assert at == 0
    one.remove(at)
    assert one.find("A", "leads") == 0


def test_a_new_file_has_all_columns(tmp_path: Path) -> None:
    """Where none lies yet."""
    one = Book(tmp_path / "deep" / "new.csv", ("partner_id", "goal", "target"), KEY)
    one.add({"partner_id": "A", "goal": "g", "target": "1"})
    assert one.save()
    assert one.path.read_text(encoding="utf-8") == "partner_id,goal,target\nA,g,1\n"


@pytest.mark.parametrize(
    ("target", "unit", "text"),
    [
        (Target(at_least=D("5.00")), Unit("count"), "5"),
        (Target(at_least=D("0.850")), Unit("percent"), "85 %"),
        (Target(between=(D("0.8"), D("0.905"))), Unit("percent"), "80 %..90.5 %"),
        (Target(done_by=dt.date(2026, 9, 15)), Unit("count"), "2026-09-15"),
        (Target(at_most=D("100")), Unit("days"), "100"),
        (D("1200"), Unit("money", "USD"), "1200"),
        (None, Unit("count"), ""),
    ],
)
def test_cells_read_as_people_write_them(target: Target | Decimal | None, unit: Unit, text: str) -> None:
    """And are read again as the same target (see test_goalrows)."""
    assert cell(target, unit) == text


def test_rows_are_found_while_the_file_is_filled(tmp_path: Path) -> None:
    """A row that was just added has its place; of two with one key the last one is found, as after reading."""
    one = book(tmp_path)
    assert one.find("C", "leads") is None
    one.add({"partner_id": "C", "goal": "leads", "target": "6"})
    one.add({"partner_id": "B", "goal": "leads", "target": "7"})
    found = [one.find(partner, "leads") for partner in ("A", "B", "C")]
    one.save()
    again = Book(one.path, one.columns, KEY)
    assert [one.get(at, "target") for at in found if at is not None] == ["5", "7", "6"]
    assert found == [again.find(partner, "leads") for partner in ("A", "B", "C")]
