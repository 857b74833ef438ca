"""Which rows below a header are records and which are not; apart, because it decides what is counted, and is
therefore tried row by row.

A blank row, a repeated header, a row with more cells than labels, a total and a line of the report itself are set
aside wherever they stand. What only the end of a table tells (a lone count, a last line of prose) waits for
:func:`below`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.cells import DATE, DATETIME, Cells
from pbr_lib.reading.grids import Aside, Block, Total, filled
from pbr_lib.reading.headers import label
from pbr_lib.reading.words import HINT, TotalKind, is_count, is_footer, is_number, number_in, shape, total_kind

__all__ = ["TAIL_ROWS", "Keys", "Ledger", "below", "keys_of", "put_total", "row_text", "sift"]

TAIL_ROWS = 60  # no report prints more lines than these below its data
BEYOND, BLANK, REPEATED = "more cells than labels", "blank row", "header repeated"
TOTAL, FOOTER, BELOW, COUNT = "total of the report", "line of the report", "line below the data", "record count"
_SHOWN, _SAMPLE, _LOOKED_AT, _MOST_LINES = 8, 120, 200, 12
# Words that no company is called, so that even a full last row is a total.
_PLAIN_WORDS = frozenset(["total", "sum", "totale", "som", "summa", "somma", "suma", "soma", "ara", "max", "count"])


@dataclass
class Ledger:
    """What was set aside so far, each with its reason; grows while a table is read.

    ``short`` counts records that lack their last cells, ``doubts`` are rows that read like a total and were kept.
    """

    rows: dict[str, list[int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)
    remarks: list[tuple[int, str]] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    doubts: list[tuple[int, str]] = field(default_factory=list)

    def put(self, reason: str, rows: Sequence[int], sample: str) -> None:
        """Set rows aside for that reason; ``sample`` is the text of the first."""
        if not rows:
            return
        known = self.rows.setdefault(reason, [])
        if not known or rows[0] < known[0]:
            self.samples[reason] = sample[:_SAMPLE]
        self.rows[reason] = sorted([*known, *rows[:_SHOWN]])[:_SHOWN]
        self.counts[reason] = self.counts.get(reason, 0) + len(rows)

    @property
    def asides(self) -> tuple[Aside, ...]:
        """Everything that was set aside, by reason, in the order of first rows."""
        made = [Aside(why, count, tuple(self.rows[why]), self.samples[why]) for why, count in self.counts.items()]
        return tuple(sorted(made, key=lambda aside: (aside.rows, aside.reason)))

    @property
    def count(self) -> int:
        """How many rows were set aside."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Keys:
    """Which columns nearly every record fills: ``words`` those of them that hold words, ``all`` every one."""

    words: tuple[int, ...] = ()
    all: tuple[int, ...] = ()


def row_text(cells: Sequence[str]) -> str:
    """A row as one line of text."""
    return " | ".join(" ".join(cell.split()) for cell in cells if cell.strip())


def keys_of(block: Block) -> Keys:
    """The key columns, judged by the first rows of a table."""
    full = _occupancy(block)[:, : 20 * _LOOKED_AT]
    positions = np.flatnonzero(full.any(axis=0))[:_LOOKED_AT]
    rows = _texts(block, positions)
    records = [n for n, row in enumerate(rows) if not any(total_kind(cell) for cell in row)]
    if not records:
        return Keys()
    kept = positions[records]
    always = [int(n) for n in np.flatnonzero(full[:, kept].mean(axis=1) >= 0.6)]
    return Keys(tuple(n for n in always if not _numeric(block.columns[n], kept)), tuple(always))


def _numeric(cells: Cells, positions: npt.NDArray[np.int64]) -> bool:
    texts = [text for text in cells.text.take(pa.array(positions)).to_pylist() if text.strip()]
    if cells.kinds is not None and np.isin(cells.kinds[positions], (DATE, DATETIME)).any():
        return False
    return bool(texts) and sum(map(is_number, texts)) >= 0.7 * len(texts)


def _occupancy(block: Block) -> npt.NDArray[np.bool_]:
    """Which cells hold something: a row of the matrix for each column, so that each column lies in one piece."""
    return np.array([filled(cells) for cells in block.columns], dtype=bool).reshape(len(block.columns), len(block))


def _texts(block: Block, positions: npt.NDArray[np.int64]) -> list[list[str]]:
    wanted = pa.array(positions)
    lists = [cells.text.take(wanted).to_pylist() for cells in block.columns]
    return [list(row) for row in zip(*lists, strict=True)]


# ------------------------------------------------------------------------------------------ row by row


def sift(block: Block, labels: Sequence[str], keys: Keys, ledger: Ledger) -> Block:
    """The rows of a block that may be records; the others go to the ledger, each with its reason."""
    full = _occupancy(block)
    counts = full.sum(axis=0)
    free: npt.NDArray[np.bool_] = np.ones(len(block), dtype=bool)
    if block.beyond:
        positions = sorted(block.beyond)
        ledger.put(BEYOND, block.rows[positions].tolist(), block.beyond[positions[0]])
        free[positions] = False
    blank = free & (counts == 0)
    if blank.any():
        ledger.put(BLANK, block.rows[blank].tolist(), "")
        free &= ~blank
    again = _repeated(block, labels, free)
    if again.any():
        ledger.put(REPEATED, block.rows[again].tolist(), row_text(labels))
        free &= ~again
    suspects = _speaking(block, np.flatnonzero(free & _suspects(full, counts, keys)))
    for at, cells in zip(suspects.tolist(), _texts(block, suspects), strict=True):
        if _is_footer(cells):
            _put_line(ledger, FOOTER, int(block.rows[at]), cells)
        elif kind := _total(cells, keys):
            put_total(ledger, kind, int(block.rows[at]), cells, labels)
        else:
            continue
        free[at] = False
    return block.take(free)


def _suspects(full: npt.NDArray[np.bool_], counts: npt.NDArray[np.int64], keys: Keys) -> npt.NDArray[np.bool_]:
    """Rows that are so empty that they may be a total or a line of the report; few in nearly any real table."""
    width = len(full)
    if width < 2:
        return np.zeros(full.shape[1], dtype=bool)
    suspects: npt.NDArray[np.bool_] = counts <= (2 if width > 3 else 1)
    if keys.words:
        missing = len(keys.words) - full[list(keys.words)].sum(axis=0)
        # The words of a total stand in one or two of these columns, counts may stand in others, the rest is blank.
        suspects |= missing >= max(1, len(keys.words) // 2)
    elif keys.all:
        suspects |= ~full[list(keys.all)].all(axis=0)
    return suspects


def _speaking(block: Block, suspects: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Of many suspects those with a word of a report in them: a sparse table has millions without."""
    if len(suspects) <= _LOOKED_AT:
        return suspects
    wanted, speaking = pa.array(suspects), np.zeros(len(suspects), dtype=bool)
    for cells in block.columns:
        found = pc.match_substring_regex(cells.text.take(wanted), HINT)
        speaking |= found.to_numpy(zero_copy_only=False)
    return suspects[speaking]


def _repeated(block: Block, labels: Sequence[str], among: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    named = [n for n, each in enumerate(labels) if not each.startswith("(column ")]
    if len(named) < 2:
        return np.zeros(len(block), dtype=bool)
    # One cheap comparison decides for nearly every row; what is left is looked at label by label.
    first = block.columns[named[0]].text
    out: npt.NDArray[np.bool_] = among & pc.equal(first, labels[named[0]]).to_numpy(zero_copy_only=False)
    for at in np.flatnonzero(out).tolist():
        out[at] = all(label(block.columns[n].text[at].as_py()) == labels[n] for n in named)
    return out


def _is_footer(cells: Sequence[str]) -> bool:
    held = [cell.strip() for cell in cells if cell.strip()]
    return bool(held) and len(held) <= 3 and is_footer(held[0])


def _total(cells: Sequence[str], keys: Keys) -> TotalKind:
    """Which total a row is; empty for a record.

    A row is a total when a cell says so, half of the other columns of words that records fill are blank, and whatever
    else it holds are numbers: a partner called "Total" has an id, a stage, a date beside its name.
    """
    kinds = {n: kind for n, cell in enumerate(cells) if (kind := total_kind(cell))}
    if not kinds:
        return ""
    others = [cell for n, cell in enumerate(cells) if cell.strip() and n not in kinds]
    if any(not is_number(cell) for cell in others):
        return ""
    words = [n for n in keys.words if n not in kinds]
    rest = words or [n for n in keys.all if n not in kinds]
    blank = sum(not cells[n].strip() for n in rest)
    # Whatever stands in a column of words is a count here, since all that is no number was refused above.
    if blank < max(min(1, len(rest)), len(words) // 2) or (not rest and len(cells) < 2):
        return ""
    return next(kind for kind in ("subtotal", "total", "count") if kind in kinds.values())


def put_total(ledger: Ledger, kind: TotalKind, row: int, cells: Sequence[str], labels: Sequence[str]) -> None:
    """Set a row of sums or a count aside, and keep its values by label; of a repeated label the first that is filled.

    A count that stands within a text is its value: ``5700`` for ``Grand Totals (5700 records)``.
    """
    _put_line(ledger, COUNT if kind == "count" else TOTAL, row, cells)
    spoken = [cell.strip() for cell in cells if total_kind(cell)]
    values: dict[str, str] = {}
    for name, cell in zip(labels, cells, strict=False):
        text = cell.strip()
        if text and text in spoken:
            stated = number_in(text)
            text = "" if stated is None else str(stated)
        if text:
            values.setdefault(name, text)
    ledger.totals.append(Total(row, kind or "total", spoken[0] if spoken else "", values))


def _put_line(ledger: Ledger, reason: str, row: int, cells: Sequence[str]) -> None:
    text = row_text(cells)
    ledger.put(reason, (row,), text)
    ledger.remarks.append((row, text[:1000]))


# ------------------------------------------------------------------------------------------ at the end


def below(block: Block, labels: Sequence[str], keys: Keys, ledger: Ledger, records: int) -> Block:
    """The last rows of a table without what the report prints below its data.

    Parameters
    ----------
    block, labels, keys:
        The last records as :func:`sift` left them.
    ledger:
        Takes what is set aside.
    records:
        How many records the table holds, these included.
    """
    start = max(len(block) - TAIL_ROWS, 0)
    rows = _texts(block, np.arange(start, len(block), dtype=np.int64))
    known, end = _shapes(rows), len(rows)
    fates: list[tuple[str, TotalKind]] = []
    while end:
        at = start + end - 1
        parted = (
            block.short is not None and bool(block.short[at]) and at > 0 and block.rows[at - 1] + 1 < block.rows[at]
        )
        fate = _fate(rows[end - 1], known, parted, records - len(fates) - 1)
        if not fate[0]:
            break
        fates.append(fate)
        end -= 1
    if sum(reason == BELOW for reason, _ in fates) > _MOST_LINES:
        # So many lone cells are a column that is longer than the others.
        fates = fates[: next(n for n, (reason, _) in enumerate(fates) if reason == BELOW)]
        end = len(rows) - len(fates)
    for at, (reason, kind) in enumerate(reversed(fates), start + end):
        cells = rows[at - start]
        if kind:
            put_total(ledger, kind, int(block.rows[at]), cells, labels)
        else:
            _put_line(ledger, reason, int(block.rows[at]), cells)
    if end and total_kind(next((cell for cell in rows[end - 1] if cell.strip()), "")):
        ledger.doubts.append((int(block.rows[start + end - 1]), row_text(rows[end - 1])))
    mask = np.ones(len(block), dtype=bool)
    mask[start + end :] = False
    return block.take(mask)


def _fate(cells: Sequence[str], known: frozenset[tuple[int, str]], parted: bool, left: int) -> tuple[str, TotalKind]:
    """Why a row at the end of a table is no record, and which total it is; empty for a record.

    ``known`` are the shapes of cells that records have, ``parted`` says that the row is short and stands behind a
    gap, ``left`` how many rows stand above it.
    """
    if _is_footer(cells):
        return FOOTER, ""
    held = [(n, cell.strip()) for n, cell in enumerate(cells) if cell.strip()]
    at, first = held[0]
    kind = total_kind(first)
    numbers = all(is_number(cell) or total_kind(cell) for _, cell in held[1:])
    if kind in ("total", "count") and numbers and first.lower().strip(" :=") not in _PLAIN_WORDS:
        return TOTAL, kind
    if len(held) == 1 and len(cells) > 1 and is_count(first) and (len(cells) > 2 or number_in(first) == left):
        return COUNT, "count"
    if len(held) == 1 and len(cells) > 2 and (at, shape(first)) not in known:
        return BELOW, ""
    if parted and 2 * len(held) <= len(cells):
        return BELOW, ""
    return "", ""


def _shapes(rows: Sequence[Sequence[str]]) -> frozenset[tuple[int, str]]:
    """How the ids and dates of records are built, by column: a last record that holds nothing else is one still."""
    return frozenset(
        (n, form) for row in rows if sum(map(bool, row)) > 1 for n, cell in enumerate(row) if (form := shape(cell))
    )
