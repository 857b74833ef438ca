"""The text of cells as people meant it: trimmed, decoded, null where empty; apart, because every kind of column
starts from it, and because labels are compared by the same rules.

Nothing is taken for missing but what the rules list: a partner called None and a country NA stay what they are.
"""

from __future__ import annotations

import html.entities
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.cells import ERROR, TEXT, Cells
from pbr_lib.conversions import BLANKS, layout

__all__ = ["TextRules", "clean", "cleaned", "label_key", "labels_alike", "split_values"]

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_ENTITY = re.compile("&(#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# The apostrophe with which a program keeps Excel from reading a formula or a number; 't Hart is a name.
_GUARDED = r"^'(?:[=+\-@\t]|[0-9]+(?:[.,][0-9]+)?$)"
_PART = "\x1f"


@dataclass(frozen=True)
class TextRules:
    """How the text of an export is cleaned.

    Parameters
    ----------
    nulls:
        What stands for nothing, such as ``#N/A``; compared exactly, upper and lower case too, after trimming.
    entities:
        Whether ``&amp;`` and ``&#8364;`` are decoded, once.
    apostrophe:
        Whether the apostrophe is taken off that guards ``'-99`` or ``'=A1`` against Excel.
    """

    nulls: frozenset[str] = frozenset()
    entities: bool = False
    apostrophe: bool = False


def clean(cells: Cells, rules: TextRules = TextRules()) -> pa.StringArray:
    """The text of the cells; null where a cell is empty, holds an Excel error, or what stands for nothing.

    Spaces, marks without width and byte-order marks are trimmed off both ends, ``_x000D_`` and its like decoded,
    line ends inside a cell become ``\\n``, and NULs vanish.
    """
    text = cells.text if cells.text.null_count == 0 else cells.text.fill_null("")
    data = layout(text)[1]
    if _holds(data, "_") and _holds(data, "x"):
        text = _changed(text, pc.match_substring_regex(text, _ESCAPE.pattern), _unescaped)
    if rules.entities and _holds(data, "&"):
        text = _changed(text, pc.match_substring_regex(text, _ENTITY.pattern), _decoded)
    data = layout(text)[1]
    if _holds(data, "\r"):
        text = pc.replace_substring(pc.replace_substring(text, "\r\n", "\n"), "\r", "\n")
    if _holds(data, "\0"):
        text = pc.replace_substring(text, "\0", "")
    text = _trimmed(text)
    if rules.apostrophe and _holds(layout(text)[1], "'"):
        text = _changed(text, pc.match_substring_regex(text, _GUARDED), lambda value: value[1:].strip(BLANKS))
    return _without_nothing(text, cells.kinds, rules.nulls)


def cleaned(cells: Cells, rules: TextRules = TextRules()) -> Cells:
    """The cells with clean text, ready for a conversion; an Excel error keeps its kind, and its text is empty."""
    text = clean(cells, rules).fill_null("")
    if cells.kinds is None:
        return Cells(text)
    empty = (np.diff(layout(text)[0]) == 0) & (cells.kinds != ERROR)
    return Cells(text, np.where(empty, np.uint8(TEXT), cells.kinds))


def split_values(text: pa.StringArray, separators: str) -> pa.ListArray:
    """Several values in one cell as a list: trimmed, without empty ones; null where the cell is null.

    Each letter of ``separators`` parts values. Between double quotes a separator is text, as in ``"A; B"; C``, when
    the quotes enclose the whole value; a quote inside is written twice.
    """
    nothing = text.is_null().to_numpy(zero_copy_only=False)
    text = text.fill_null("")
    if _holds(layout(text)[1], _PART):
        text = pc.replace_substring(text, _PART, " ")
    quoted = pc.match_substring(text, '"').to_numpy(zero_copy_only=False)
    parted = text
    for separator in separators:
        parted = pc.replace_substring(parted, separator, _PART)
    if quoted.any():
        by_hand = _by_distinct(text.filter(pa.array(quoted)), lambda value: _PART.join(_parts(value, separators)))
        parted = pc.replace_with_mask(parted, pa.array(quoted), by_hand)
    lists = pc.split_pattern(parted, _PART)
    values = pc.utf8_trim(lists.flatten(), characters=BLANKS)
    kept = pc.not_equal(values, "")
    ends = np.concatenate(([0], np.cumsum(kept.to_numpy(zero_copy_only=False))))
    places = ends[lists.offsets.to_numpy() - lists.offsets[0].as_py()].astype(np.int32)
    mask = pa.array(nothing) if nothing.any() else None
    return pa.ListArray.from_arrays(pa.array(places, pa.int32()), values.filter(kept), mask=mask)


def label_key(label: str) -> str:
    """A label without what tells two spellings of it apart: case, width, spaces, underscores, punctuation.

    Letters keep their accents, since these make other words. Two labels of a file may share a key; it serves to say
    which label was probably meant, never to find one.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    key = "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LNM")
    return unicodedata.normalize("NFC", key) or folded.strip(BLANKS)


def labels_alike(one: str, other: str) -> bool:
    """Whether two labels are one but for case, spaces and punctuation: ``CloseDate`` and ``close_date``."""
    return label_key(one) == label_key(other)


# ------------------------------------------------------------------------------------------------ steps


def _holds(data: npt.NDArray[np.uint8], sign: str) -> bool:
    return bool((data == ord(sign)).any())


def _by_distinct(text: pa.StringArray, change: Callable[[str], str]) -> pa.StringArray:
    coded = text.dictionary_encode()
    values = pa.array([change(value) for value in coded.dictionary.to_pylist()], pa.string())
    return values.take(coded.indices)


def _changed(text: pa.StringArray, where: pa.BooleanArray, change: Callable[[str], str]) -> pa.StringArray:
    """The texts with some of them changed; each distinct one is worked out once."""
    if not where.true_count:
        return text
    return pc.replace_with_mask(text, where, _by_distinct(text.filter(where), change))


def _trimmed(text: pa.StringArray) -> pa.StringArray:
    """Only what begins or ends with a blank, or with a letter beyond ASCII that may be one, is looked at again."""
    offsets, data = layout(text)
    filled = np.flatnonzero(np.diff(offsets))
    if not len(filled):
        return text
    first, last = data[offsets[filled]], data[offsets[filled + 1] - 1]
    odd = (first <= 32) | (first >= 128) | (last <= 32) | (last >= 128)
    if not odd.any():
        return text
    rows = filled[odd]
    trimmed = pc.utf8_trim(text.take(pa.array(rows)), characters=BLANKS)
    where = np.zeros(len(text), np.bool_)
    where[rows] = True
    return pc.replace_with_mask(text, pa.array(where), trimmed)


def _without_nothing(
    text: pa.StringArray, kinds: npt.NDArray[np.uint8] | None, nulls: frozenset[str]
) -> pa.StringArray:
    nothing = np.diff(layout(text)[0]) == 0
    if kinds is not None:
        nothing |= kinds == ERROR
    if nulls:
        listed = pc.is_in(text, value_set=pa.array(sorted(nulls), pa.string()))
        nothing |= listed.to_numpy(zero_copy_only=False)
    if not nothing.any():
        return text
    return pc.if_else(pa.array(~nothing), text, pa.scalar(None, pa.string()))


def _unescaped(value: str) -> str:
    """``_x000D_`` is how Excel writes a line end in XML, and ``_x005F_`` an underscore that begins no escape."""

    def letter(match: re.Match[str]) -> str:
        code = int(match[1], 16)
        return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)

    return _ESCAPE.sub(letter, value)


def _decoded(value: str) -> str:
    def letter(match: re.Match[str]) -> str:
        name = match[1]
        if name[0] != "#":
            return html.entities.html5.get(f"{name};", match[0])
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        good = (0x20 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF) or code in (9, 10, 13)
        return chr(code) if good else match[0]

    return _ENTITY.sub(letter, value)


def _parts(value: str, separators: str) -> list[str]:
    """The values of one cell in which a quote occurs."""
    out, rest = [], value.strip(BLANKS)
    parting = re.escape(separators)
    whole = re.compile(rf'"((?:[^"]|"")*)"[{re.escape(BLANKS)}]*(?:[{parting}]|$)')
    while rest:
        match = whole.match(rest)
        if match is not None:
            part = match[1].replace('""', '"')
            end = match.end()
        else:
            part = re.split(f"[{parting}]", rest, maxsplit=1)[0]
            end = len(part) + 1
        out.append(part)
        rest = rest[end:].lstrip(BLANKS)
    return out
