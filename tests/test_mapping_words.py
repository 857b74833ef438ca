"""A mapping in sentences that people can check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pbr_lib import yamlfile
from pbr_lib.mapping import Source
from pbr_lib.mapping_words import explain

SHIPPED = sorted((Path(__file__).resolve().parents[1] / "params" / "sources").glob("*.yaml"))
DEALS: dict[str, Any] = {
    "pbr": 1,
    "file": "deals-*.csv",
    "pick": "newest",
    "table": "opportunities",
    "about": "Deals of the CRM",
    "dialect": "pipedrive",
    "member": "deals.csv",
    "as_of": {"file_name": "%Y-%m-%d"},
    "covers_from": {"oldest": "created_at"},
    "date_format": "%d.%m.%Y",
    "timestamp_format": "%m/%d/%Y %I:%M %p",
    "time_zone": "UTC",
    "decimal": ",",
    "signs": {"$": "USD"},
    "nulls": ["-", "?"],
    "formats": {"probability": {"percent": "whole"}},
    "columns": {"Deal": "opportunity_id", "Phase": "stage", "Chance": "probability"},
    "first_of": {"close_date": ["Won", "Lost"]},
    "constants": {"currency": "EUR"},
    "where": {"Deleted": {"not_in": ["1"]}, "not": {"Phase": {"is_null": True}}},
    "ignore": ["Notes"],
    "values": {"stage": {"Done": "won", "*": "open_early"}},
    "attribution": [{"column": "Partner", "credit": "sourced", "match": "name", "split": "Share"}],
}


def test_every_part_of_a_mapping_is_said() -> None:
    said = list(explain("deals", Source.model_validate(DEALS)))
    text = "\n".join(said)
    assert said[0] == (
        'deals reads "deals-*.csv", the newest file of that name (Deals of the CRM) into the table opportunities.'
    )
    for part in (
        'the file "deals.csv" in it',
        "an export of Pipedrive",
        "from the oldest created_at in it to the date (%Y-%m-%d) in the file's name",
        '"Deal" is opportunity_id: stable id.',
        'close_date is the first that is not empty of "Won" and "Lost".',
        'currency is "EUR" in every row.',
        "Days are written like 30.09.2026, times like 09/30/2026 02:05 PM.",
        "Decimals stand behind a comma.",
        "those of UTC",
        "$ stands for USD.",
        'A cell with "-" or "?" is empty.',
        "probability is written its own way: plain numbers are",
        'stage is won for "Done".',
        "stage is open_early for any other word.",
        'Whoever stands in "Partner", by the partner\'s name, gets sourced credit',
        'divide it as "Share" says',
        '"Deleted" is none of "1" and it is not so that "Phase" is empty',
        'Not read: "Notes".',
    ):
        assert part in text


def test_an_open_question_is_said() -> None:
    text = "\n".join(explain("deals", Source.model_validate(DEALS | {"date_format": "ask"})))
    assert "How days are written, nobody has said yet." in text


def test_a_list_without_credit() -> None:
    source = {"pbr": 1, "file": "p.csv", "table": "partners", "as_of": "2026-09-30", "covers_from": "2026-01-01"}
    text = "\n".join(
        explain("p", Source.model_validate({**source, "columns": {"N": "name"}, "key": ["N"], "repeats": "expected"}))
    )
    assert "from 1 Jan 2026 to 30 Sep 2026" in text
    assert 'partner_id is made of "N".' in text and "the first is used" in text
    assert "credited" not in text


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_mappings_are_said(path: Path) -> None:
    source, errors = yamlfile.validate(Source, yamlfile.read(path, path.name))
    assert source is not None and not errors
    said = list(explain(path.stem, source))
    assert all(line.rstrip().endswith((".", ":")) for line in said)
    assert all(f'"{label}"' in "\n".join(said) for label in source.columns)
