"""What a conversion of cells gives back, and how texts are grouped by their shape; apart, because numbers, days,
ids and truth values all answer in this one form.

The *shape* of a text is the text with each digit replaced by ``0``. An export holds millions of amounts and moments,
but few shapes: what a shape means is worked out once, and the digits of all its cells are read together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.cells import BOOL, DATE, DATETIME, ERROR, NUMBER

__all__ = ["BLANKS", "LONGEST", "WRONG_KINDS", "Converted", "Fault", "Group", "Rows", "faults_of", "groups", "layout"]
__all__ += ["string_array", "valid_buffer"]

Rows = npt.NDArray[np.int64]
Planned = TypeVar("Planned")

BLANKS = " \t\r\n\x0b\x0c\u00a0\u1680\u2007\u2009\u200a\u200b\u200c\u200d\u202f\u205f\u2060\u3000\ufeff"
"""What is trimmed off the ends of a text: spaces of every kind, with and without width, and byte-order marks."""

LONGEST = 80
"""A text of more bytes is prose: no number, day or moment is that long."""

WRONG_KINDS: dict[int, str] = {
    NUMBER: "a number",
    DATE: "a day",
    DATETIME: "a moment",
    BOOL: "a truth value",
    ERROR: "an Excel error",
}
"""What the kinds of a workbook's cells are called in a fault."""

_SHAPE = bytes.maketrans(b"0123456789", b"0000000000")


@dataclass(frozen=True)
class Fault:
    """One reason why cells gave no value, in few lower-case words, and their positions in the batch."""

    reason: str
    rows: Rows = field(repr=False)


@dataclass(frozen=True)
class Converted:
    """A column of typed values: null where a cell is empty or faulty.

    Every cell that is not empty and gave no value stands in exactly one of ``faults``; ``notes`` counts what was
    done on the way, for reports.
    """

    values: pa.Array = field(repr=False)
    faults: tuple[Fault, ...] = ()
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """All the texts of one shape: the shape, their rows, and where in ``data`` each of them starts.

    ``width`` is their length in bytes where ``data`` holds them and nothing else, which reads faster; else 0.
    """

    shape: str
    rows: Rows = field(repr=False)
    starts: npt.NDArray[np.int32] = field(repr=False)
    data: npt.NDArray[np.uint8] = field(repr=False)
    width: int = 0

    def digit(self, place: int) -> npt.NDArray[np.uint8]:
        """The digit at this byte position of each text, 0 to 9."""
        digits: npt.NDArray[np.uint8] = (
            self.data[place :: self.width] if self.width else self.data[self.starts + np.int32(place)]
        )
        return digits - np.uint8(48)

    def number(self, places: Sequence[int]) -> Rows:
        """The whole number that the digits at these byte positions form in each text; at most 18 digits."""
        out: Any = np.zeros(len(self.rows), np.int32 if len(places) < 10 else np.int64)
        for place in places:
            out *= 10
            out += self.digit(place)
        number: Rows = out.astype(np.int64)
        return number

    def some(self, chosen: npt.NDArray[np.bool_]) -> Group:
        """The group with the chosen texts only."""
        return self if chosen.all() else Group(self.shape, self.rows[chosen], self.starts[chosen], self.data)

    def of(self, rows: Rows) -> Group:
        """The same texts where these are rows of a longer column."""
        return replace(self, rows=rows[self.rows])


def layout(text: pa.StringArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Where each text starts and the last one ends (n + 1 positions), and the bytes; no text may be null."""
    if len(text) == 0:
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    _, ends, data = text.buffers()
    offsets = np.frombuffer(ends, np.int32)[text.offset : text.offset + len(text) + 1]
    used = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
    return (offsets - offsets[0] if offsets[0] else offsets), used


def string_array(offsets: npt.NDArray[np.int32], data: bytes | npt.NDArray[np.uint8]) -> pa.StringArray:
    """Texts from their positions and bytes, as :func:`layout` gives them."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def groups(text: pa.StringArray, plan: Callable[[str], Planned | str]) -> Iterator[tuple[Group, Planned | str]]:
    """The texts that are not blank, shape by shape, with what ``plan`` makes of the shape.

    Where it makes no plan but gives a reason, all the texts with that reason come together, first. Texts without a
    digit, and those longer than :data:`LONGEST` bytes, are asked about as the empty shape: they are numbers or days in
    no format whatever. No text may be null.
    """
    if len(text) == 0:
        return
    offsets, data = layout(text)
    coded = string_array(offsets, data.tobytes().translate(_SHAPE)).dictionary_encode()
    shapes, codes = coded.dictionary, coded.indices.to_numpy()
    plans = _plans(shapes, plan)
    if len(plans) == 1 and plans[0] is not None:
        width = 0 if isinstance(plans[0], str) else int(offsets[1])
        yield Group(shapes[0].as_py() if width else "", np.arange(len(text)), offsets[:-1], data, width), plans[0]
        return
    refused: dict[str, int] = {}
    places = np.array([refused.setdefault(made, len(refused)) if isinstance(made, str) else -1 for made in plans])
    places[np.array([made is None for made in plans], np.bool_)] = -2
    for reason, place in refused.items():
        rows = np.flatnonzero(places[codes] == place)
        yield Group("", rows, offsets[rows], data), reason
    good = np.flatnonzero(places == -1)
    if not len(good):
        return
    # Few codes sort many times faster as small integers.
    order = np.argsort(codes.astype(np.uint16) if len(shapes) < 65_536 else codes, kind="stable")
    bounds = np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=len(shapes)))))
    for at in good:
        rows = order[bounds[at] : bounds[at + 1]]
        yield Group(shapes[at].as_py(), rows, offsets[rows], data), plans[at]  # type: ignore[misc]


def _plans(shapes: pa.StringArray, plan: Callable[[str], Planned | str]) -> list[Planned | str | None]:
    """The plan of each shape; None for blank ones."""
    digits = pc.match_substring(shapes, "0").to_numpy(zero_copy_only=False)
    fit = digits & (pc.binary_length(shapes).to_numpy(zero_copy_only=False) <= LONGEST)
    out: list[Planned | str | None] = [None] * len(shapes)
    others = np.flatnonzero(~fit)
    if len(others):
        words = pc.utf8_trim(shapes.take(pa.array(others)), characters=BLANKS)
        refusal = plan("")
        for at in others[pc.not_equal(words, "").to_numpy(zero_copy_only=False)]:
            out[at] = refusal
    for at, shape in zip(np.flatnonzero(fit), shapes.filter(pa.array(fit)).to_pylist(), strict=True):
        out[at] = plan(shape)
    return out


def faults_of(codes: npt.NDArray[np.uint8], reasons: Sequence[str]) -> tuple[Fault, ...]:
    """The faults behind a code for each row: 0 where there is none, else one more than its place in ``reasons``."""
    found = np.bincount(codes, minlength=1)
    return tuple(
        Fault(reasons[code - 1], np.flatnonzero(codes == code)) for code in range(1, len(found)) if found[code]
    )


def valid_buffer(valid: npt.NDArray[np.bool_]) -> pa.Buffer | None:
    """The validity bits of an Arrow array; None where all is valid."""
    return None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
