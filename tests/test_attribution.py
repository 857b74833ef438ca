"""Credit: who is named gets it, nobody gets more than there is, and what names nobody is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from pbr_lib.attribution import Claims, apportioned, even_shares, resolve
from pbr_lib.mapping import Credit
from pbr_lib.model import Finding

PARTNERS = pd.DataFrame(
    {
        "partner_id": ["A", "B", "C", "D"],
        "account_id": ["001A", "001B", None, "001D"],
        "name": ["Alpha", "Beta", "Twin", "Twin"],
    }
)


def claims(cells: list[str], splits: list[str] | None = None, **credit: Any) -> Claims:
    """Claims of one column, one cell for each record R0, R1, ..."""
    keys = {"column": "Partner", "credit": "sourced", "match": "partner_id", "split": "Split" if splits else None}
    rows = range(2, len(cells) + 2)
    subjects = [f"R{n}" for n in range(len(cells))]
    texts = {"subject_id": subjects, "cell": cells, "split": splits or [""] * len(cells)}
    table = pd.DataFrame({"row": rows, **{name: pd.Series(each, dtype="str") for name, each in texts.items()}})
    spec = Credit.model_validate({**keys, **credit})
    return Claims(spec, "opportunity", "deals.csv", table[table["cell"] != ""])


def shares(*found: Claims) -> dict[tuple[str, str], str]:
    """The share of each record and partner."""
    frame, _ = resolve(list(found), PARTNERS)
    return {(row.subject_id, row.partner_id): str(row.share) for row in frame.itertuples()}


def findings(*found: Claims) -> list[Finding]:
    """What was told."""
    return resolve(list(found), PARTNERS)[1]


@pytest.mark.parametrize(
    ("cell", "split", "expected"),
    [
        ("A", "", {"A": "1.0000"}),
        (" A ", "", {"A": "1.0000"}),
        ("A;B", "", {"A": "0.5000", "B": "0.5000"}),
        ("A;B;C", "", {"A": "0.3334", "B": "0.3333", "C": "0.3333"}),
        ("A;", "", {"A": "1.0000"}),
        (";A;;B;", "", {"A": "0.5000", "B": "0.5000"}),
        (";", "", {}),
        ("A;A", "", {"A": "1.0000"}),
        ("A;B;A", "", {"A": "0.6667", "B": "0.3333"}),
        ("A;B", "60;40", {"A": "0.6000", "B": "0.4000"}),
        ("A;B", "60 % ; 40%", {"A": "0.6000", "B": "0.4000"}),
        ("A;B", "33.3;66.7", {"A": "0.3330", "B": "0.6670"}),
        ("A;B;C", "33.333;33.333;33.334", {"A": "0.3333", "B": "0.3333", "C": "0.3334"}),
        ("A;B", "100;0", {"A": "1.0000", "B": "0.0000"}),
    ],
)
def test_shares_of_one_cell(cell: str, split: str, expected: dict[str, str]) -> None:
    """Named partners share evenly or as the split says, and empty names take no part."""
    got = shares(claims([cell], [split] if split else None))
    assert got == {("R0", partner): share for partner, share in expected.items()}
    assert findings(claims([cell], [split] if split else None)) == []


@pytest.mark.parametrize(
    "split", ["60;50", "60", "60;40;0", "x;y", "110;-10", "nan;nan", "Infinity;-Infinity", "sNaN;1", "1e2;0", "60,40"]
)
def test_a_split_that_does_not_fit_is_told_and_divided_evenly(split: str) -> None:
    """A split that is not one part of 100 for each partner is an error with row, value and remedy."""
    one = claims(["A;B"], [split])
    assert shares(one) == {("R0", "A"): "0.5000", ("R0", "B"): "0.5000"}
    (told,) = findings(one)
    assert (told.severity, told.file, told.row, told.column) == ("error", "deals.csv", 2, "Split")
    assert told.value == split
    assert told.fix


def test_a_name_that_no_list_knows_is_told_and_takes_its_share_along() -> None:
    """Credit for nobody known is set aside; the others do not get it."""
    one = claims(["A;Z", "Z", "B"])
    assert shares(one) == {("R0", "A"): "0.5000", ("R2", "B"): "1.0000"}
    (told,) = findings(one)
    assert (told.severity, told.value, told.row, told.count) == ("warning", "Z", 2, 2)
    assert "partner_id" in told.what
    assert told.fix


def test_partners_are_matched_by_what_the_column_holds() -> None:
    """A cell may hold the account or the name; an empty one of those matches nobody."""
    assert shares(claims(["001A"], match="account_id")) == {("R0", "A"): "1.0000"}
    assert shares(claims(["Beta"], match="name")) == {("R0", "B"): "1.0000"}
    assert shares(claims(["A"], match="account_id")) == {}


def test_a_name_of_two_partners_is_told() -> None:
    """Where two partners bear one name, neither is guessed."""
    one = claims(["Twin"], match="name")
    assert shares(one) == {}
    (told,) = findings(one)
    assert "several partners have this name" in told.what
    assert told.fix


@pytest.mark.parametrize("separator", [";", ",", " | ", ".", "\n", "and"])
def test_a_separator_is_taken_literally(separator: str) -> None:
    """Signs with a meaning in patterns part names like any other."""
    assert len(shares(claims([f"A{separator}B"], separator=separator))) == 2


def test_two_columns_of_one_credit_divide_it() -> None:
    """Where two columns give the same credit for a record, it is given once and not twice."""
    assert shares(claims(["A", "A"]), claims(["B", ""])) == {
        ("R0", "A"): "0.5000",
        ("R0", "B"): "0.5000",
        ("R1", "A"): "1.0000",
    }
    assert shares(claims(["A"]), claims(["A"])) == {("R0", "A"): "1.0000"}


def test_credits_of_different_kinds_do_not_touch() -> None:
    """Sourced, influenced and resold stand apart, each with its own whole."""
    frame, _ = resolve([claims(["A"]), claims(["A"], credit="influenced"), claims(["A"], credit="resold")], PARTNERS)
    assert sorted(zip(frame["credit_type"], frame["share"], strict=True)) == [
        (kind, Decimal("1.0000")) for kind in ("influenced", "resold", "sourced")
    ]
    assert list(frame["attribution_id"]) == ["R0/A/influenced", "R0/A/resold", "R0/A/sourced"]


def test_no_claims_are_no_rows() -> None:
    """Without a claim there is an empty table with the right columns."""
    frame, told = resolve([], PARTNERS)
    assert len(frame) == 0
    assert told == []
    empty, _ = resolve([claims([""])], PARTNERS)
    assert_frame_equal(empty, frame, check_dtype=False, check_like=True)


_CELL = st.lists(st.sampled_from(["A", "B", "C", "D", "", " "]), max_size=5).map(";".join)
_PERCENT = st.lists(st.integers(0, 100).map(str), max_size=4).map(";".join)


@given(st.lists(st.tuples(_CELL, _PERCENT), min_size=1, max_size=5), st.lists(_CELL, max_size=5))
def test_the_shares_of_a_record_add_up_to_one(first: list[tuple[str, str]], second: list[str]) -> None:
    """Whatever cells and splits say, known partners together have the whole credit, once, in four decimals."""
    one = claims([cell for cell, _ in first], [split for _, split in first])
    frame, _ = resolve([one, claims(second)], PARTNERS)
    named = {
        f"R{n}" for cells in ([cell for cell, _ in first], second) for n, cell in enumerate(cells) if cell.strip("; ")
    }
    totals = frame.groupby("subject_id")["share"].sum()
    assert set(totals.index) == named
    assert all(total == 1 for total in totals)
    assert all(share >= 0 and share.as_tuple().exponent == -4 for share in frame["share"])
    assert not frame.duplicated(["subject_id", "partner_id"]).any()


@given(st.lists(st.decimals(0, 1000, places=3), min_size=1, max_size=12).filter(any))
def test_apportioning_is_exact_and_near(weights: list[Decimal]) -> None:
    """Parts add up to one exactly, and none is further from its due than one ten-thousandth."""
    parts = apportioned(tuple(weights))
    assert sum(parts) == 1
    whole = sum(weights)
    assert all(abs(part - weight / whole) < Decimal("0.0001") for part, weight in zip(parts, weights, strict=True))


@given(st.integers(1, 60))
def test_even_shares_differ_by_one_unit_at_most(count: int) -> None:
    """Equal partners get equal shares, but for the last ten-thousandth."""
    parts = even_shares(count)
    assert sum(parts) == 1
    assert max(parts) - min(parts) <= Decimal("0.0001")
    assert list(parts) == sorted(parts, reverse=True)
