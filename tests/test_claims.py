"""What columns of an export say about credit, word by word, before anybody judges it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.claims import CLAIMS, Batch, claims, junction
from pbr_lib.mapping import Source
from pbr_lib.model import Finding
from pbr_lib.schema import TABLES


def source(*credits: dict[str, Any], **more: Any) -> Source:
    """A mapping of deals with those entries under ``attribution``."""
    keys: dict[str, Any] = {"pbr": 1, "table": "opportunities", "file": "deals.csv", "as_of": "2026-09-30"}
    keys |= {"covers_from": "2026-01-01", "columns": {"Id": "opportunity_id"}, "attribution": list(credits)}
    return Source.model_validate(keys | more)


def read(cells: Sequence[str | None], more: dict[str, Sequence[str | None]] | None = None, **credit: Any) -> Any:
    """The claims of one column ``Partner`` beside others, for records R0, R1, ..., and what was told."""
    keys = {"column": "Partner", "match": "name"} | ({} if "credit_column" in credit else {"credit": "sourced"})
    columns = {"Partner": cells, **(more or {})}
    raw = {label: pa.array(list(each), pa.string()) for label, each in columns.items()}
    ids = pa.array([f"R{n}" for n in range(len(cells))])
    moments = {"When": pa.array([dt.datetime(2026, 7, n + 1) for n in range(len(cells))], pa.timestamp("us"))}
    batch = Batch("deals.csv", ids, pa.array(range(2, len(cells) + 2)), raw, moments)
    return claims(source(keys | credit), "deals", batch)


def named(table: pa.Table) -> list[tuple[str, str, str | None]]:
    """Record, partner and share of each claim."""
    rows = table.select(["subject_id", "reference", "share"]).to_pylist()
    return [(r["subject_id"], r["reference"], None if r["share"] is None else f"{r['share']:f}") for r in rows]


@pytest.mark.parametrize(
    ("cell", "partners"),
    [("A", ["A"]), (" A ", ["A"]), ("A; B", ["A", "B"]), (";A;;B;", ["A", "B"]), (";", []), (None, []), ("", [])],
)
def test_a_cell_names_partners(cell: str | None, partners: list[str]) -> None:
    """Several are parted, and empty names take no part."""
    table, told = read([cell])
    assert [name for _, name, _ in named(table)] == partners
    assert (table.schema, told) == (CLAIMS, [])


@pytest.mark.parametrize("separator", [";", ",", " | ", ".", "\n", "and"])
def test_a_separator_is_taken_literally(separator: str) -> None:
    """Signs with a meaning in patterns part names like any other."""
    assert [name for _, name, _ in named(read([f"A{separator}B"], separator=separator)[0])] == ["A", "B"]


def test_without_a_separator_a_cell_is_one_name() -> None:
    """A company's name may hold any sign."""
    assert [name for _, name, _ in named(read(["A; B"], separator="")[0])] == ["A; B"]


def test_of_tags_only_those_with_the_prefix_name_partners() -> None:
    """Other tags say nothing, and the prefix is no part of the name."""
    table, _ = read(["Hot;Partner: Acme;Partner:;EMEA;Partner: Beta", "Hot"], prefix="Partner:")
    assert named(table) == [("R0", "Acme", None), ("R0", "Beta", None)]


@pytest.mark.parametrize(
    ("split", "shares"),
    [
        ("60;40", ["0.600000", "0.400000"]),
        ("60 % ; 40%", ["0.600000", "0.400000"]),
        ("33.3;66.7", ["0.333000", "0.667000"]),
        ("100;0", ["1.000000", "0.000000"]),
        ("33.33333333;66.66666667", ["0.333333", "0.666667"]),
        (None, [None, None]),
    ],
)
def test_a_split_gives_each_partner_its_part(split: str | None, shares: list[str | None]) -> None:
    """Percentages in the order of the names."""
    table, told = read(["A;B"], {"Split": [split]}, split="Split")
    assert ([share for *_, share in named(table)], told) == (shares, [])


@pytest.mark.parametrize(
    "split",
    ["60;50", "60", "60;40;0", "x;y", "110;-10", "nan;nan", "Infinity;0", "1e2;0", "60,40", "٦٠;٤٠", ";", "6_0;40"],
)
def test_a_split_that_does_not_fit_is_told(split: str) -> None:
    """What is not one part of 100 for each partner is an error with row, value and remedy; no share is given."""
    table, told = read(["A;B", "A;B"], {"Split": ["60;40", split]}, split="Split")
    assert named(table)[2:] == [("R1", "A", None), ("R1", "B", None)]
    (one,) = told
    assert (one.severity, one.file, one.row, one.column, one.value) == ("error", "deals.csv", 3, "Split", split)
    assert one.fix


def test_a_decimal_comma_is_read_where_the_export_has_it() -> None:
    """The split of a German export."""
    raw = {"P": pa.array(["A;B"]), "S": pa.array(["33,5;66,5"])}
    mapping = source({"column": "P", "credit": "sourced", "split": "S"}, decimal=",")
    table, told = claims(mapping, "deals", Batch("deals.csv", pa.array(["R"]), pa.array([2]), raw))
    assert ([share for *_, share in named(table)], told) == (["0.335000", "0.665000"], [])


def test_a_column_may_say_which_credit_each_row_gives() -> None:
    """Its words are translated, ``none`` gives no credit, and an unknown word is told."""
    words = {"Reseller": "resold", "Referral": "sourced", "Vendor": "none"}
    roles = ["Reseller", "Referral", "Vendor", "Magician", None, "Magician"]
    table, told = read(list("ABCDEF"), {"Role": roles}, credit_column="Role", credits=words)
    credit = dict(zip(table["reference"].to_pylist(), table["credit_type"].to_pylist(), strict=True))
    assert credit == {"A": "resold", "B": "sourced", "D": None, "E": None, "F": None}
    assert [(one.severity, one.value, one.row, one.count) for one in told] == [
        ("error", "Magician", 5, 2),
        ("error", "", 6, 1),
    ]


def test_state_time_and_evidence_come_along() -> None:
    """States are translated; a word that is not mapped does not count until it is."""
    more = {"State": ["Approved", "Contested", "Maybe", None], "Ref": ["E-1", None, None, None]}
    keys = {"status": "State", "statuses": {"Approved": "confirmed", "Contested": "disputed"}}
    table, told = read(list("ABCD"), more, **keys, evidence="Ref", claimed_at="When")
    assert table["status"].to_pylist() == ["confirmed", "disputed", "claimed", "claimed"]
    assert table["evidence_ref"].to_pylist() == ["E-1", None, None, None]
    assert table["claimed_at"].to_pylist() == [dt.datetime(2026, 7, n) for n in range(1, 5)]
    assert [(one.severity, one.value) for one in told] == [("warning", ""), ("error", "Maybe")]


def test_a_filter_says_which_rows_give_credit() -> None:
    """``when`` is read on the labels of the export."""
    table, _ = read(["A", "B", None], {"Kind": ["yes", "no", "yes"]}, when={"Kind": "yes"})
    assert named(table) == [("R0", "A", None)]


def test_many_unknown_words_are_told_in_a_few_lines() -> None:
    """Eight by name, the rest in one; all of them counted."""
    roles = [f"role {n}" for n in range(20)]
    _, told = read(["A"] * 20, {"Role": roles}, credit_column="Role", credits={"x": "sourced"})
    assert (len(told), sum(one.count for one in told)) == (9, 20)


def test_rows_of_a_junction_are_claims() -> None:
    """Whatever the export fills comes along; the method is junction unless it says otherwise."""
    rows = [
        {"attribution_id": "J1", "subject_type": "opportunity", "subject_id": "R0", "partner_id": "A"},
        {"attribution_id": "J2", "subject_type": "lead", "subject_id": "L0", "partner_id": "B", "method": "manual"},
    ]
    table = pa.Table.from_pylist([row | {"credit_type": "resold", "src_row": 2} for row in rows])
    table = table.append_column("method", pa.array([None, "manual"])) if "method" not in table.column_names else table
    mapping = source(table="attributions", columns={"Partner": "partner_id"}, partner_match="name", attribution=[])
    got = junction(table, "junction", mapping)
    assert got.schema == CLAIMS
    assert got["method"].to_pylist() == ["junction", "manual"]
    assert got["match"].to_pylist() == ["name", "name"]
    assert got["column"].to_pylist() == ["Partner", "Partner"]
    assert set(TABLES["attributions"].names) >= {"attribution_id", "share"}


_CELL = st.lists(st.sampled_from(["A", "B", "", " ", "A;", "Ünï", "=1+1"]), max_size=4).map(";".join)


@given(st.lists(st.tuples(st.none() | _CELL, st.none() | st.text("0123456789;.% x", max_size=8)), max_size=6))
def test_given_shares_of_a_cell_add_up_to_one(cells: list[tuple[str | None, str | None]]) -> None:
    """Whatever cells and splits say, a cell's shares are all given and one together, or none is."""
    table, told = read([cell for cell, _ in cells], {"S": [split for _, split in cells]}, split="S")
    by_record: dict[str, list[Any]] = {}
    for row in table.to_pylist():
        by_record.setdefault(row["subject_id"], []).append(row["share"])
    for shares in by_record.values():
        assert all(share is None for share in shares) or sum(shares) == 1
    assert all(isinstance(one, Finding) and one.count for one in told)
