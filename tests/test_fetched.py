"""Rows of databases as cells: every value keeps its meaning and its digits, and the same rows give the same file."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.cells import BOOL, DATE, DATETIME, NUMBER, TEXT, Cells
from pbr_lib.errors import SourceError
from pbr_lib.fetched import CHUNK_ROWS, Fetched, from_arrow, from_values, keep

BERLIN = ZoneInfo("Europe/Berlin")


def pairs(cells: Cells) -> list[tuple[str, int]]:
    """The cells as text and kind."""
    kinds = np.zeros(len(cells), np.uint8) if cells.kinds is None else cells.kinds
    return list(zip(cells.text.to_pylist(), kinds.tolist(), strict=True))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ("", TEXT)),
        ("", ("", TEXT)),
        ("Müller & Co", ("Müller & Co", TEXT)),
        (True, ("true", BOOL)),
        (0, ("0", TEXT)),
        (2**63 - 1, ("9223372036854775807", TEXT)),
        (10**30, (f"1{'0' * 30}", TEXT)),
        (Decimal("100.10"), ("100.10", NUMBER)),
        (Decimal("1E+3"), ("1000", TEXT)),
        (Decimal("-0.0000001"), ("-0.0000001", NUMBER)),
        (Decimal("0.1234567890123456789012345678901234567890"), ("0.1234567890123456789012345678901234567890", NUMBER)),
        (Decimal("NaN"), ("NaN", TEXT)),
        (0.1 + 0.2, ("0.3", NUMBER)),
        (1e20, ("100000000000000000000", TEXT)),
        (1.5e-7, ("0.00000015", NUMBER)),
        (float("inf"), ("inf", TEXT)),
        (dt.date(2026, 9, 30), ("2026-09-30", DATE)),
        (dt.datetime(2026, 9, 30, 14, 5), ("2026-09-30T14:05:00", DATETIME)),
        (dt.datetime(2026, 9, 30, 14, 5, tzinfo=dt.UTC), ("2026-09-30T14:05:00Z", DATETIME)),
        (dt.datetime(2026, 9, 30, 14, 5, tzinfo=BERLIN), ("2026-09-30T12:05:00Z", DATETIME)),
        (dt.datetime(2026, 9, 30, 14, 5, 6, 120_000), ("2026-09-30T14:05:06.120000", DATETIME)),
        (dt.time(9, 30), ("09:30:00", TEXT)),
        (b"\x00\xff", ("00ff", TEXT)),
        pytest.param(memoryview(b"\x01"), ("01", TEXT), id="memory"),
        (uuid.UUID(int=1), ("00000000-0000-0000-0000-000000000001", TEXT)),
        (["A-1", "Ü"], ('["A-1", "Ü"]', TEXT)),
        ({"tier": "Gold", "since": dt.date(2026, 1, 1)}, ('{"tier": "Gold", "since": "2026-01-01"}', TEXT)),
    ],
    ids=repr,
)
def test_each_type_has_one_form(value: Any, expected: tuple[str, int]) -> None:
    """A value looks the same alone, among its like, and in a column of odd company."""
    assert pairs(from_values([value])) == [expected]
    assert pairs(from_values([value, None, value])) == [expected, ("", TEXT), expected]
    assert pairs(from_values([value, "text", dt.date(2026, 1, 1)]))[0] == expected


@given(st.lists(st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=6), max_size=20))
def test_decimals_are_exact(values: list[Decimal | None]) -> None:
    """No digit of a decimal is lost or invented."""
    texts = from_values(values).text.to_pylist()
    assert [Decimal(text) if text else None for text in texts] == values


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([True, None]), [("true", BOOL), ("", TEXT)]),
        (pa.array([18446744073709551615], pa.uint64()), [("18446744073709551615", TEXT)]),
        (pa.array([1.1], pa.float32()), [("1.1", NUMBER)]),
        (pa.array([Decimal("1.10"), None]), [("1.10", NUMBER), ("", TEXT)]),
        (pa.array([Decimal(10**30)], pa.decimal256(40, 2)), [(f"1{'0' * 30}.00", NUMBER)]),
        (pa.array([0], pa.timestamp("ns")), [("1970-01-01T00:00:00", DATETIME)]),
        (pa.array([0], pa.timestamp("s", "Asia/Tokyo")), [("1970-01-01T00:00:00Z", DATETIME)]),
        (pa.array([dt.date(2026, 1, 1)], pa.date64()), [("2026-01-01", DATE)]),
        (pa.array(["a", "b", None]).dictionary_encode(), [("a", TEXT), ("b", TEXT), ("", TEXT)]),
        (pa.array([b"\x01"]), [("01", TEXT)]),
        (pa.array([[1, 2]]), [("[1, 2]", TEXT)]),
        (pa.array([None, None]), [("", TEXT), ("", TEXT)]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_arrow_types(array: pa.Array, expected: list[tuple[str, int]]) -> None:
    """What an engine hands over as Arrow becomes the same cells."""
    assert pairs(from_arrow(array)) == expected


def kept(path: Path, rows: list[tuple[Any, ...]], labels: list[str], order: list[str], size: int = 3) -> Fetched:
    """Rows kept in chunks of that size, and read again."""
    parts = [rows[at : at + size] for at in range(0, len(rows), size)]
    keep(labels, ([from_values(column) for column in zip(*part, strict=True)] for part in parts), path, order)
    return Fetched(path, "CRM deals")


ROWS: list[tuple[Any, ...]] = [
    ("D-2", Decimal("10.5"), None),
    ("D-1", Decimal("7"), True),
    ("D-1", Decimal("7"), False),
    ("D-3", Decimal("NaN"), "yes"),
]


def test_rows_come_back_in_one_order(tmp_path: Path) -> None:
    """However a database shuffles its rows, the file is the same to the last byte."""
    labels, files = ["Deal", "Amount", "Won"], set[bytes]()
    dice = random.Random(7)
    for turn in range(6):
        rows = dice.sample(ROWS, len(ROWS))
        table = kept(tmp_path / f"{turn}.parquet", rows, labels, ["Deal", "not there"], size=1 + turn)
        batch = next(table.batches())
        assert batch.rows.tolist() == [1, 2, 3, 4]
        assert batch.columns[0].text.to_pylist() == ["D-1", "D-1", "D-2", "D-3"]
        assert pairs(batch.columns[1])[2:] == [("10.5", NUMBER), ("NaN", TEXT)]
        assert batch.columns[2].text.to_pylist() == ["false", "true", "", "yes"]
        files.add((tmp_path / f"{turn}.parquet").read_bytes())
    assert len(files) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{turn}.parquet" for turn in range(6)]


def test_labels_may_be_blank_or_repeated(tmp_path: Path) -> None:
    """Whatever a query calls its columns comes back as it stands, and whoever maps a repeated one decides."""
    table = kept(tmp_path / "rows", [("1", "2", "3", "4")], ["Id", "", "Id", " Name "], ["Id"])
    assert table.labels == ("Id", "(column 2)", "Id", "Name")
    assert table.repeated == {"Id"}
    assert [cells.text.to_pylist() for cells in next(table.batches()).columns] == [["1"], ["2"], ["3"], ["4"]]
    assert "CRM deals" in repr(table)


def test_no_rows_are_no_fault(tmp_path: Path) -> None:
    """An empty table has its labels and no batch."""
    table = kept(tmp_path / "rows", [], ["Id", "Name"], ["Id"])
    assert table.labels == ("Id", "Name")
    assert list(table.batches()) == []
    assert table.rows_read == 0


def test_many_rows_come_in_pieces(tmp_path: Path) -> None:
    """Rows are numbered on from piece to piece, and all are given."""
    rows = [(f"{number:06}",) for number in range(CHUNK_ROWS + 10)]
    table = kept(tmp_path / "rows", rows[::-1], ["Id"], ["Id"], size=50_000)
    batches = list(table.batches())
    assert [len(batch) for batch in batches] == [CHUNK_ROWS, 10]
    assert batches[1].rows.tolist() == list(range(CHUNK_ROWS + 1, CHUNK_ROWS + 11))
    assert batches[1].columns[0].text[9].as_py() == f"{CHUNK_ROWS + 9:06}"
    assert table.rows_read == len(rows)


def test_a_failure_leaves_the_earlier_file(tmp_path: Path) -> None:
    """A connection that breaks in the middle leaves neither half a file nor a stray one."""
    path = tmp_path / "rows"
    kept(path, [("1",)], ["Id"], ["Id"])
    before = path.read_bytes()

    def broken() -> Any:
        yield [from_values(["2"])]
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        keep(["Id"], broken(), path, ["Id"])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"Id,Name\n"])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    """A fetched file that someone damaged is a fault with a remedy."""
    (tmp_path / "rows").write_bytes(content)
    with pytest.raises(SourceError, match="damaged"):
        Fetched(tmp_path / "rows", "CRM deals")
