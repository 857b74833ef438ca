"""Cells to ids; apart, because an id is text, and the only cell that a spreadsheet can destroy for good.

Salesforce shows ids of 15 letters in reports, where only case tells two of them apart, and of 18 elsewhere: the last
three say which of the others are capitals. Ids of 15 are completed, so that both kinds meet.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.cell_text import TextRules, clean
from pbr_lib.cells import BOOL, DATE, DATETIME, ERROR, NUMBER, Cells
from pbr_lib.conversions import WRONG_KINDS, Converted, faults_of, layout

__all__ = ["completed", "to_ids"]

_DESTROYED = "an id destroyed by Excel"
_SALESFORCE = "^[0-9A-Za-z]{15}(?:[A-Za-z0-5]{3})?$"
_NO_LOOKUP = ("000000000000000AAA", "000000000000000")
_CHECK_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", np.uint8)
_EXACT = 15
"""Digits that Excel keeps of a number."""


def to_ids(cells: Cells, salesforce: bool = False, strip_point: bool | None = None) -> Converted:
    """The cells as ids (string).

    ``salesforce`` completes ids of 15 letters to 18 and takes the empty lookup ``000000000000000AAA`` for nothing.
    ``strip_point`` says whether the column once held floats, so that ``12345.0`` is 12345; None looks whether all
    the texts given are like that.
    """
    text = clean(cells, TextRules()).fill_null("")
    notes: dict[str, int] = {}
    codes = _wrong(text, cells.kinds)
    text = _whole(text, cells.kinds, strip_point, notes)
    if salesforce:
        text = _to_eighteen(text, codes == 0, notes)
    empty = np.diff(layout(text)[0]) == 0
    values = pc.if_else(pa.array(~empty & (codes == 0)), text, pa.scalar(None, pa.string()))
    kinds = (WRONG_KINDS[kind] + ", no id" for kind in (DATE, DATETIME, BOOL))
    reasons = (_DESTROYED, "a number with decimals, no id", *kinds, WRONG_KINDS[ERROR])
    return Converted(values, faults_of(codes, reasons), notes)


def completed(ids: pa.StringArray) -> pa.StringArray:
    """Salesforce ids of 18 letters from those of 15; each text must be 15 ASCII letters or digits.

    Each five letters make one letter of the three: a bit for each capital among them, the first one lowest.
    """
    offsets, data = layout(ids)
    letters = data.reshape(len(ids), 15) if len(ids) else np.zeros((0, 15), np.uint8)
    out = np.empty((len(ids), 18), np.uint8)
    out[:, :15] = letters
    out[:, 15:] = _checks(letters)
    return pa.StringArray.from_buffers(
        len(ids), pa.py_buffer(np.arange(len(offsets), dtype=np.int32) * 18), pa.py_buffer(out)
    )


def _checks(letters: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    capitals = ((letters >= 65) & (letters <= 90)).view(np.uint8)
    bits = np.zeros((len(letters), 3), np.uint8)
    for place in range(5):
        bits |= capitals[:, place::5] << np.uint8(place)
    return _CHECK_LETTERS[bits]


def _wrong(text: pa.StringArray, kinds: npt.NDArray[np.uint8] | None) -> npt.NDArray[np.uint8]:
    """Codes of faults: 1 destroyed, 2 decimals, 3 to 5 a day, a moment, a truth value, 6 an Excel error."""
    codes = np.zeros(len(text), np.uint8)
    if (layout(text)[1] == ord("+")).any():
        codes[_mask(pc.match_substring_regex(text, r"^-?[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+$"))] = 1
    if kinds is None:
        return codes
    numbers = kinds == NUMBER
    if numbers.any():
        decimals = _mask(pc.match_substring_regex(text, r"\.0*[1-9]")) | _mask(pc.match_substring_regex(text, "[eE]"))
        long = _mask(pc.match_substring_regex(text, rf"^-?0*[1-9][0-9]{{{_EXACT},}}(?:\.0*)?$"))
        codes[numbers & decimals & (codes == 0)] = 2
        codes[numbers & long] = 1
    filled = np.diff(layout(text)[0]) > 0
    for code, kind in ((3, DATE), (4, DATETIME), (5, BOOL)):
        codes[(kinds == kind) & filled] = code
    codes[kinds == ERROR] = 6
    return codes


def _whole(
    text: pa.StringArray, kinds: npt.NDArray[np.uint8] | None, strip_point: bool | None, notes: dict[str, int]
) -> pa.StringArray:
    """Take ``.0`` off numbers of a workbook, and off texts where the whole column once was floats."""
    pointed = _mask(pc.match_substring_regex(text, r"^-?[0-9]+\.0+$")) if _holds_point(text) else None
    if pointed is None or not pointed.any():
        return text
    numbers = np.zeros(len(text), np.bool_) if kinds is None else kinds == NUMBER
    filled = _mask(pc.not_equal(text, ""))
    floats = strip_point if strip_point is not None else bool(pointed[filled & ~numbers].all())
    pointed &= np.ones(len(text), np.bool_) if floats else numbers
    told = int((pointed & ~numbers).sum())
    if told:
        notes["ids written as 123.0, read as 123"] = told
    bare = pc.replace_substring_regex(text.filter(pa.array(pointed)), r"\.0+$", "")
    return pc.replace_with_mask(text, pa.array(pointed), bare)


def _to_eighteen(text: pa.StringArray, sound: npt.NDArray[np.bool_], notes: dict[str, int]) -> pa.StringArray:
    nothing = _mask(pc.is_in(text, value_set=pa.array(_NO_LOOKUP)))
    if nothing.any():
        notes["empty lookup"] = int(nothing.sum())
        text = pc.if_else(pa.array(nothing), "", text)
    lengths = np.diff(layout(text)[0])
    fits = _mask(pc.match_substring_regex(text, _SALESFORCE))
    short, long = fits & (lengths == 15), fits & (lengths == 18)
    if long.any():
        letters = layout(text.filter(pa.array(long)))[1].reshape(-1, 18)
        # The three letters themselves may have changed case with the rest; only what they say counts.
        upper = np.where(letters[:, 15:] >= 97, letters[:, 15:] - np.uint8(32), letters[:, 15:])
        changed = int((upper != _checks(letters[:, :15])).any(axis=1).sum())
        if changed:
            notes["case was changed"] = changed
    others = int(((lengths > 0) & ~fits & sound).sum())
    if others:
        notes["no Salesforce id, kept as it is"] = others
    if not short.any():
        return text
    notes["15 letters completed to 18"] = int(short.sum())
    return pc.replace_with_mask(text, pa.array(short), completed(text.filter(pa.array(short))))


def _holds_point(text: pa.StringArray) -> bool:
    return bool((layout(text)[1] == ord(".")).any())


def _mask(answer: pa.BooleanArray) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = answer.to_numpy(zero_copy_only=False)
    return mask
