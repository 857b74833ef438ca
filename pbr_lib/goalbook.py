"""The file of a quarter's targets as it is written: rows added, cells filled in, everything else left as it was;
apart, because people edit the same file in Excel and read its changes in git.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from pbr_lib import files
from pbr_lib.definitions import Target
from pbr_lib.goalrows import AMENDMENT_COLUMNS, GOAL_COLUMNS
from pbr_lib.model import Unit, plain_digits

__all__ = ["Book", "amendments_book", "cell", "goals_book"]

_MARK = "\ufeff"


class Book:
    """A CSV file that people and commands both write.

    Delimiter, byte-order mark, line ends, the order of columns and of rows stay as they are; a column that is
    missing is added at the end when something is to be written into it.
    """

    def __init__(self, path: Path, columns: Iterable[str], key: tuple[str, ...]) -> None:
        self.path = path
        self.key = key
        self.before = path.read_bytes() if path.is_file() else b""
        text = self.before.decode("utf-8-sig")
        self._mark = self.before.startswith(_MARK.encode())
        self._end = "\r\n" if "\r\n" in text else "\n"
        head = text.partition("\n")[0]
        self._delimiter = max(",;\t", key=head.count)
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter))
        self.columns = [name.strip() for name in records[0]] if records else list(columns)
        self._at = {name: at for at, name in reversed([*enumerate(self.columns)])}
        self._rows = [row + [""] * (len(self.columns) - len(row)) for row in records[1:]]
        self._places: dict[tuple[str, ...], int] | None = None

    def __len__(self) -> int:
        return sum(any(row) for row in self._rows)

    def find(self, *key: str) -> int | None:
        """The place of the row with these values in the key columns, or None."""
        if self._places is None:
            self._places = {self._key_of(row): place for place, row in enumerate(self._rows)}
        return self._places.get(key)

    def _key_of(self, row: list[str]) -> tuple[str, ...]:
        return tuple(row[self._at[name]].strip() for name in self.key if name in self._at)

    def get(self, at: int, column: str) -> str:
        """One cell; empty where the file has no such column."""
        return self._rows[at][self._at[column]].strip() if column in self._at else ""

    def put(self, at: int, values: Mapping[str, str]) -> None:
        """Fill cells of a row; a value that is already there changes nothing."""
        for column, value in values.items():
            if self.get(at, column) != value:
                self._rows[at][self._column(column)] = value

    def add(self, values: Mapping[str, str]) -> None:
        """A new row at the end."""
        for column, value in values.items():
            if value:
                self._column(column)
        row = [values.get(column, "") for column in self.columns]
        if self._places is not None:  # whole files are filled row by row: the places stay known
            self._places[self._key_of(row)] = len(self._rows)
        self._rows.append(row)

    def remove(self, at: int) -> None:
        """Take a row out."""
        del self._rows[at]
        self._places = None

    def sort(self, order: Mapping[str, int], column: str) -> None:
        """Rows grouped by the first key column; new ones stand within their group by ``order`` of ``column``."""
        first = self._at[self.key[0]]
        groups: dict[str, int] = {}
        for row in self._rows:
            groups.setdefault(row[first].strip(), len(groups))
        at = self._at[column]
        self._rows.sort(key=lambda row: (groups[row[first].strip()], order.get(row[at].strip(), len(order))))
        self._places = None

    def as_bytes(self) -> bytes:
        """The file as it will be written."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=self._delimiter, lineterminator=self._end)
        writer.writerow(self.columns)
        writer.writerows(row if any(row) else [] for row in self._rows)
        return ((_MARK if self._mark else "") + out.getvalue()).encode()

    def save(self) -> bool:
        """Write the file whole, or leave it alone when nothing changed; says whether it was written."""
        now = self.as_bytes()
        if now == self.before:
            return False
        files.write_bytes(self.path, now)
        self.before = now
        return True

    def _column(self, name: str) -> int:
        if name not in self._at:
            self._at[name] = len(self.columns)
            self.columns.append(name)
            for row in self._rows:
                row.append("")
            if name in self.key:
                self._places = None
        return self._at[name]


def goals_book(folder: Path, quarter: str) -> Book:
    """``params/goals/<quarter>.csv``, new where there is none."""
    return Book(folder / "params" / "goals" / f"{quarter}.csv", GOAL_COLUMNS, ("partner_id", "goal"))


def amendments_book(folder: Path) -> Book:
    """``params/amendments.csv``."""
    return Book(folder / "params" / "amendments.csv", AMENDMENT_COLUMNS, ("quarter", "partner_id", "goal", "target"))


def cell(value: Target | Decimal | None, unit: Unit) -> str:
    """A target, stretch or red flag as the file writes it: ``5``, ``85 %``, ``80..90``, ``2026-09-15``."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain_digits(value * 100) + " %" if unit.kind == "percent" else plain_digits(value)
    if value.done_by is not None:
        return value.done_by.isoformat()
    if value.between is not None:
        return "..".join(cell(bound, unit) for bound in value.between)
    return cell(value.value, unit)
