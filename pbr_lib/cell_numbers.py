"""Cells to exact numbers and truth values; apart, because amounts have a grammar of their own and no float may come
near them.

An amount that a workbook holds as a number is read from its text, whatever sign the export writes before decimals.
Rounding, where an amount has more decimals than its column, is half-up, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.cells import BOOL, DATE, DATETIME, ERROR, NUMBER, TEXT, Cells
from pbr_lib.conversions import (
    BLANKS,
    WRONG_KINDS,
    Converted,
    Fault,
    Group,
    Rows,
    faults_of,
    groups,
    layout,
    valid_buffer,
)
from pbr_lib.number_formats import AMBIGUOUS, Plan, planned

__all__ = ["NumberRules", "Numbers", "to_booleans", "to_integers", "to_numbers"]

_DIGITS = 18
"""Digits of a decimal of the normalised tables."""

_OVERFLOW = "a number of too many digits"
_PERCENT = "a percentage in a column of numbers"
_SHARE = "a share or a percentage: the mapping does not say"
_FRACTION = "this is no whole number"

_TRUE = "1 true t yes y x ✓ ✔ ☑ on checked wahr ja j vrai oui verdadero verdadeiro vero si sí sì sim sant tak prawda"
_FALSE = "0 false f no n ☐ off unchecked falsch nein faux non falso não nao nee nej falskt nie fałsz"


@dataclass(frozen=True)
class NumberRules:
    """How the numbers of one column are read.

    Parameters
    ----------
    decimal:
        The sign before decimals; empty when only what allows one reading is read.
    percent:
        Whether the column holds shares: ``85 %`` is 0.85.
    percent_plain:
        What a plain number is in such a column: already a ``share`` (0.85), or ``whole`` (85). Empty: nobody knows,
        and it is a fault.
    signs:
        Which currency a sign means, such as ``$``: ``USD``.
    scale:
        Decimals of the result; it has 18 digits in all.
    """

    decimal: Literal[".", ",", ""] = "."
    percent: bool = False
    percent_plain: Literal["share", "whole", ""] = ""
    signs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    scale: int = 4


@dataclass(frozen=True)
class Numbers(Converted):
    """Numbers, and the ISO code of the currency that stands in each cell; None where no cell names one."""

    currency: pa.StringArray | None = field(default=None, repr=False)


def to_numbers(cells: Cells, rules: NumberRules = NumberRules()) -> Numbers:
    """The cells as exact decimals (decimal128 of 18 digits, ``rules.scale`` of them decimals)."""
    read = _Read(cells, rules, whole=False)
    words = np.empty((len(cells), 2), np.int64)
    words[:, 0] = read.scaled
    words[:, 1] = read.scaled >> 63
    kind = pa.decimal128(_DIGITS, rules.scale)
    values = pa.Array.from_buffers(kind, len(cells), [valid_buffer(read.filled), pa.py_buffer(words)])
    return Numbers(values, read.faults(), dict(read.notes), read.currency())


def to_integers(cells: Cells, rules: NumberRules = NumberRules()) -> Converted:
    """The cells as whole numbers (int64); ``12.0`` is one, ``12.5`` is a fault. ``rules.scale`` means nothing here."""
    read = _Read(cells, NumberRules(rules.decimal, rules.percent, rules.percent_plain, rules.signs, 0), whole=True)
    return Converted(pa.array(read.scaled, pa.int64(), mask=~read.filled), read.faults(), dict(read.notes))


def to_booleans(cells: Cells, blank_is_false: bool = True) -> Converted:
    """The cells as truth values, in any of several languages; an empty cell is false, or null if so told.

    CRMs write 1 or nothing for a box, Excel TRUE in the language of its user, people an x.
    """
    text = pc.utf8_trim(pc.utf8_lower(cells.text.fill_null("")), characters=BLANKS)
    number = None if cells.kinds is None else cells.kinds == NUMBER
    if number is not None and number.any():
        text = pc.if_else(pa.array(number), pc.replace_substring_regex(text, r"\.0+$", ""), text)
    words, falses = _TRUE.split(), _FALSE.split()
    found = pc.index_in(text, value_set=pa.array([*words, *falses])).fill_null(-1).to_numpy()
    blank = pc.equal(text, "").to_numpy(zero_copy_only=False)
    codes = np.zeros(len(text), np.uint8)
    codes[(found < 0) & ~blank] = 1
    if cells.kinds is not None:
        for code, kind in ((2, DATE), (3, DATETIME)):
            codes[(cells.kinds == kind) & ~blank] = code
        codes[cells.kinds == ERROR] = 4
        blank &= cells.kinds != ERROR
    known = ((found >= 0) | (blank & blank_is_false)) & (codes == 0)
    values = pa.array((found >= 0) & (found < len(words)), pa.bool_(), mask=~known)
    reasons = ("this is neither true nor false", *(WRONG_KINDS[kind] for kind in (DATE, DATETIME, ERROR)))
    return Converted(values, faults_of(codes, reasons), _present({"blank read as false": int((blank & known).sum())}))


@dataclass
class _Read:
    """The numbers of a column times ten to the scale; ``filled`` where there is one."""

    cells: Cells
    rules: NumberRules
    whole: bool
    notes: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = len(self.cells)
        self.scaled = np.zeros(size, np.int64)
        self.filled = np.zeros(size, np.bool_)
        self.codes = np.zeros(size, np.uint8)
        self.marks: npt.NDArray[np.int16] | None = None
        self.currencies: list[str] = []
        for group, plan in self._groups():
            self._group(group, plan)

    def faults(self) -> tuple[Fault, ...]:
        """The faults, each cell in one."""
        return faults_of(self.codes, self.reasons)

    def currency(self) -> pa.StringArray | None:
        """The currency named in each cell."""
        if self.marks is None:
            return None
        places = pa.array(self.marks, pa.int16(), mask=(self.marks < 0) | ~self.filled)
        return pa.array(self.currencies, pa.string()).take(places)

    def _groups(self) -> Iterator[tuple[Group, Plan | str]]:
        """Cells of one shape and one kind together, with their rows in the column and how they are read."""
        text, kinds, rules = self.cells.text, self.cells.kinds, self.rules
        if text.null_count:
            text = text.fill_null("")
        if kinds is None:
            yield from groups(text, lambda shape: planned(shape, rules.decimal, rules.signs))
            return
        filled = np.diff(layout(text)[0]) > 0
        for kind in (DATE, DATETIME, BOOL, ERROR):
            self._fault(np.flatnonzero((kinds == kind) & (filled | (kind == ERROR))), WRONG_KINDS[kind])
        for kind, decimal in ((TEXT, rules.decimal), (NUMBER, ".")):
            rows = np.flatnonzero(kinds == kind)
            plan = partial(planned, decimal=decimal, signs=rules.signs)
            for group, made in groups(text.take(pa.array(rows)), plan):
                yield group.of(rows), made

    def _fault(self, rows: Rows, reason: str) -> None:
        if not len(rows):
            return
        if reason not in self.reasons:
            self.reasons.append(reason)
        self.codes[rows] = self.reasons.index(reason) + 1

    def _note(self, what: str, count: int) -> None:
        if count:
            self.notes[what] += count

    def _group(self, group: Group, plan: Plan | str) -> None:
        if isinstance(plan, str):
            self._fault(group.rows, plan)
            return
        if plan.ambiguous:
            zero = group.number(plan.whole[:1]) == 0 if len(plan.whole) == 1 else np.zeros(len(group.rows), np.bool_)
            self._fault(group.rows[~zero], AMBIGUOUS)
            group = group.some(zero)
        power = plan.power
        if plan.percent and not self.rules.percent:
            self._fault(group.rows, _PERCENT)
            return
        if self.rules.percent and not plan.percent and not self.rules.percent_plain:
            self._fault(group.rows, _SHARE)
            return
        if plan.percent or (self.rules.percent and self.rules.percent_plain == "whole"):
            power -= 2
        if not plan.exponent:
            self._values(group, plan, power)
            return
        exponents = group.number(plan.exponent) * plan.exponent_sign
        for exponent in np.unique(exponents):
            self._values(group.some(exponents == exponent), plan, power + int(exponent))

    def _values(self, group: Group, plan: Plan, power: int) -> None:
        """Read the digits of a group: those of the result, the one that rounds it, and whether any is lost."""
        digits = (*plan.whole, *plan.part)
        end = len(plan.whole) + power + self.rules.scale
        kept, lost = digits[: max(end, 0)], digits[max(end, 0) :]
        zeros = max(end - len(digits), 0)
        room = max(_DIGITS - zeros, 0)
        over = _any_digit(group, kept[: len(kept) - room] if len(kept) > room else ())
        scaled = group.number(kept[-room:] if room else ()) * (10 ** min(zeros, _DIGITS) if room else 0)
        inexact = _any_digit(group, lost)
        if lost and end >= 0:
            scaled += group.number(lost[:1]) >= 5
        over |= scaled >= 10**_DIGITS
        good = ~over
        self._fault(group.rows[over], _OVERFLOW)
        if self.whole:
            self._fault(group.rows[inexact & good], _FRACTION)
            good &= ~inexact
        rows = group.rows
        if not good.all():
            rows, scaled, inexact = rows[good], scaled[good], inexact[good]
        self.scaled[rows] = -scaled if plan.negative else scaled
        self.filled[rows] = True
        self._note(f"rounded to {self.rules.scale} decimals", int(inexact.sum()))
        self._told(rows, plan)

    def _told(self, rows: Rows, plan: Plan) -> None:
        """Note what was done beside reading digits, and keep the currency."""
        if plan.suffix:
            self._note(f"{plan.suffix} suffix", len(rows))
        if plan.percent:
            self._note("percent sign", len(rows))
        if plan.exponent:
            self._note("exponent", len(rows))
        if plan.sign:
            self._note(f"{plan.sign} names no single currency", len(rows))
        if plan.currency:
            if self.marks is None:
                self.marks = np.full(len(self.cells), -1, np.int16)
            if plan.currency not in self.currencies:
                self.currencies.append(plan.currency)
            self.marks[rows] = self.currencies.index(plan.currency)


def _any_digit(group: Group, places: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Where one of these digits is not zero."""
    out = np.zeros(len(group.rows), np.bool_)
    for place in places:
        out |= group.digit(place) != 0
    return out


def _present(notes: Mapping[str, int]) -> dict[str, int]:
    return {what: count for what, count in notes.items() if count}
