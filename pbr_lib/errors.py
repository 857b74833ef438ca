"""What can go wrong, in one small tree; apart, because every other module raises from here.

PbrError
├── InputError            something the user gave us is wrong: exit code 2
│   ├── ParamsError       one or many faults in params/
│   ├── SourceError       an export that cannot be read as its mapping says
│   ├── UnknownPartner    a partner that no partner list knows
│   └── UnknownQuarter    a quarter that the calendar or the data does not hold
├── RenderError           a notebook that an exporter refuses
└── PackError             one partner's pack failed: which cell, which error

Catch ``PbrError`` broadly, recover narrowly. Every error says what happened, where, and how to mend it,
and survives pickling with its attributes, because errors cross process boundaries in every batch.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = [
    "InputError",
    "PackError",
    "ParamsError",
    "PbrError",
    "RenderError",
    "SourceError",
    "UnknownPartner",
    "UnknownQuarter",
    "did_you_mean",
    "parted",
]


class PbrError(Exception):
    """The base of every error of this package.

    Parameters
    ----------
    what:
        One sentence: what is wrong.
    where:
        The place: file, line, row, key or cell. Empty when there is none.
    fix:
        What to do about it, first thing to try first.
    """

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.what, self.where, self.fix))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__reduce__()[1] == other.__reduce__()[1]

    def __hash__(self) -> int:
        return hash((type(self), self.what, self.where, self.fix))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n  → {self.fix}" if self.fix else ""
        return f"{place}{self.what}{remedy}"


class InputError(PbrError):
    """Something the user gave us is wrong; the command line exits with 2."""


class ParamsError(InputError):
    """Everything that is wrong in ``params/``, collected and raised once.

    ``errors`` holds one :class:`InputError` for each fault, in the order of files and lines.
    """

    def __init__(self, errors: Iterable[InputError]) -> None:
        self.errors: tuple[InputError, ...] = tuple(errors)
        count = len(self.errors)
        super().__init__(f"{count} {'fault' if count == 1 else 'faults'} in params")

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.errors,))

    def __hash__(self) -> int:
        return hash(self.errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class SourceError(InputError):
    """An export that cannot be read as its mapping says."""


class UnknownPartner(InputError):
    """A partner that no partner list knows."""


class UnknownQuarter(InputError):
    """A quarter that the calendar or the data does not hold."""


class RenderError(PbrError):
    """A notebook that an exporter refuses, or a document that cannot be laid out."""


class PackError(PbrError):
    """One partner's pack failed.

    Parameters
    ----------
    what, where, fix:
        As in :class:`PbrError`; ``where`` names notebook and cell.
    partner:
        The partner's id.
    """

    def __init__(self, what: str, where: str = "", fix: str = "", partner: str = "") -> None:
        super().__init__(what, where, fix)
        self.partner = partner

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.what, self.where, self.fix, self.partner))


def did_you_mean(word: str, known: Sequence[str], most: int = 12) -> str:
    """Say which known word was probably meant, or list what is known."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    if not known:
        return "nothing is known here yet"
    shown = ", ".join(known[:most])
    return f"known: {shown}" + (f" and {len(known) - most} more" if len(known) > most else "")


def parted(error: ValueError) -> tuple[str, str]:
    """What a ``ValueError`` of the form ``what is wrong; how to mend it`` says, in its two parts."""
    what, _, fix = str(error).rpartition("; ")
    return (what, fix) if what else (fix, "correct it")
