"""What changed in an export since the last load."""

from __future__ import annotations

from typing import Any

from pbr_lib import drift
from pbr_lib.mapping import Source
from pbr_lib.model import Finding

SOURCE = Source.model_validate(
    {"pbr": 1, "file": "deals.csv", "table": "opportunities", "as_of": "2026-01-01", "covers_from": "2025-01-01",
     "columns": {"ID": "opportunity_id"}}
)  # fmt: skip


def profile(rows: int = 100, labels: tuple[str, ...] = ("ID", "Stage"), **words: int) -> dict[str, Any]:
    """What is remembered of a load."""
    return {"rows": rows, "labels": list(labels), "values": {"stage": words or {"Won": 5}}}


def told(now: dict[str, Any], before: dict[str, Any] | None) -> list[Finding]:
    """What is told of the difference."""
    return list(drift.findings("deals", SOURCE, {"now": now, "before": before}))


def test_the_first_load_has_nothing_to_compare_with() -> None:
    """Nothing is told, and nothing when nothing changed."""
    assert told(profile(), None) == []
    assert told(profile(), profile()) == []


def test_columns_gone_are_a_warning_and_new_ones_a_remark() -> None:
    """Each with its label and the file."""
    gone, new = told(profile(labels=("ID", "Phase")), profile())
    assert (gone.severity, gone.column, gone.file) == ("warning", "Stage", "deals.csv")
    assert (new.severity, new.column) == ("info", "Phase")


def test_rows_that_are_missing_are_a_warning_from_a_tenth_on() -> None:
    """A few more or fewer are a remark."""
    (fewer,) = told(profile(89), profile(100))
    assert (fewer.severity, "11% fewer" in fewer.what) == ("warning", True)
    assert [finding.severity for finding in told(profile(91), profile(100))] == ["info"]
    assert [finding.severity for finding in told(profile(300), profile(100))] == ["info"]


def test_a_word_never_seen_before_is_told_with_its_count() -> None:
    """A new stage in the CRM shows up here even when the mapping knows it."""
    (word,) = told(profile(Won=5, Commit=3), profile())
    assert (word.column, word.value, word.count) == ("stage", "Commit", 3)
