"""Filters over the labels of an export: two-valued, exact complements, the same grammar as everywhere."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.definitions import parse_filter
from pbr_lib.label_filters import fitting

CELLS = {
    "Type": pa.array(["Partner", "Customer", None, "Partner - Gold", "partner"]),
    "Size": pa.array(["10", "200", None, "about 5", "-3.5"]),
    "Day": pa.array(["2026-01-01", "2026-06-30", None, "2027-01-01", "soon"]),
}


def chosen(where: dict[str, Any]) -> list[int]:
    """The rows that a filter lets through."""
    found = fitting(parse_filter(where), CELLS, 5).to_pylist()
    return [row for row, fits in enumerate(found) if fits]


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"Type": "Partner"}, [0]),
        ({"Type": ["Partner", "Customer"]}, [0, 1]),
        ({"Type": {"is_not": "Partner"}}, [1, 2, 3, 4]),
        ({"Type": {"not_in": ["Partner", "Customer"]}}, [2, 3, 4]),
        ({"Type": {"starts_with": "Partner"}}, [0, 3]),
        ({"Type": {"contains": "art"}}, [0, 3, 4]),
        ({"Type": {"is_null": True}}, [2]),
        ({"Type": {"is_null": False}}, [0, 1, 3, 4]),
        ({"Size": {"gt": 10}}, [1]),
        ({"Size": {"lte": 10}}, [0, 4]),
        ({"Size": {"between": [Decimal("-3.5"), 10]}}, [0, 4]),
        ({"Day": {"lt": dt.date(2026, 12, 31)}}, [0, 1]),
        ({"not": {"Type": "Partner"}}, [1, 2, 3, 4]),
        ({"any_of": [{"Type": "Partner"}, {"Size": {"gt": 100}}]}, [0, 1]),
        ({"Type": {"contains": "art"}, "Size": {"gte": 10}}, [0]),
    ],
)
def test_each_operator(where: dict[str, Any], rows: list[int]) -> None:
    """Every operator does on cells what it does on tables; an empty cell fits nothing but its opposite."""
    assert chosen(where) == rows


_LEAVES = st.sampled_from(
    [
        {"Type": "Partner"},
        {"Type": {"contains": "a"}},
        {"Type": {"is_null": True}},
        {"Size": {"gt": 3}},
        {"Size": {"between": [0, 50]}},
        {"Day": {"gte": dt.date(2026, 6, 1)}},
    ]
)


@given(st.lists(_LEAVES, min_size=1, max_size=3), st.sampled_from(["all_of", "any_of"]))
def test_a_filter_and_its_opposite_are_everything(leaves: list[dict[str, Any]], group: str) -> None:
    """Each row fits a filter or its negation, and never both."""
    where = {group: leaves}
    assert sorted(chosen(where) + chosen({"not": where})) == [0, 1, 2, 3, 4]
