"""Ids of fifteen and of eighteen characters are ids of one record."""

from __future__ import annotations

import pyarrow as pa

from pbr_lib import canonical
from pbr_lib.alignment import aligned
from pbr_lib.schema import TABLES

SHORT, LONG = "001C000000o4OOI", "001C000000o4OOIIA2"


def tables(references: list[str | None], keys: list[str]) -> dict[str, pa.Table]:
    """Opportunities that refer to accounts with these keys."""
    deals = pa.table(
        {"opportunity_id": [str(i) for i in range(len(references))], "account_id": pa.array(references, pa.string())}
    )
    accounts = pa.table({"account_id": keys, "name": keys})
    return {
        "opportunities": canonical.whole(TABLES["opportunities"], deals),
        "accounts": canonical.whole(TABLES["accounts"], accounts),
    }


def test_a_short_reference_finds_its_long_key() -> None:
    """Exactly where the table holds the completed id; case decides."""
    given = tables([SHORT, None, "001C000000o4Ooi", LONG, "A-1"], [LONG])
    assert aligned(given)["opportunities"]["account_id"].to_pylist() == [LONG, None, "001C000000o4Ooi", LONG, "A-1"]


def test_keys_of_one_length_stay_as_they_are() -> None:
    """Where reports give fifteen characters everywhere, nothing changes."""
    given = tables([SHORT, None], [SHORT])
    assert aligned(given)["opportunities"]["account_id"].to_pylist() == [SHORT, None]
    assert aligned(tables([], []))["opportunities"].num_rows == 0
