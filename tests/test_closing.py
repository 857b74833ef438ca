"""What a close refuses, and what of a slice it freezes."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from freeze_support import FINAL, deal, files, pack, slice_of

from pbr_lib.errors import InputError, ParamsError
from pbr_lib.ledger import closing
from pbr_lib.ledger.closing import Made
from pbr_lib.ledger.frozen import canonical, definition_hash
from pbr_lib.metric_specs import MetricsFile
from pbr_lib.periods import Calendar

Q1 = Calendar().parse("2026-Q1")


# --------------------------------------------------------------------------------------------- refusals


def test_a_quarter_is_closed_after_its_lag() -> None:
    """Ten business days after 31 March are 14 April; up to the day before, the close is refused and says so."""
    assert Q1.final_on(10) == FINAL
    closing.refuse_early(Q1, FINAL, 10)
    with pytest.raises(InputError, match="the exports reach 13 Apr 2026") as caught:
        closing.refuse_early(Q1, FINAL - dt.timedelta(days=1), 10)
    assert "exports of 14 Apr 2026 or later" in caught.value.fix
    closing.refuse_early(Q1, Q1.last_day, 0)


def test_a_holiday_moves_the_day() -> None:
    """Easter Monday is no business day where the calendar says so."""
    calendar = Calendar(holidays=(dt.date(2026, 4, 6),))
    assert calendar.parse("2026-Q1").final_on(10) == dt.date(2026, 4, 15)
    assert closing.revision_until(Q1, 10, 30) == dt.date(2026, 5, 14)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Made]:
    """A pack in a folder, with what is told otherwise in its manifest."""

    def make(partner: str, **told: Any) -> Made:
        folder = tmp_path / partner
        folder.mkdir()
        hashes = {}
        for name in ("pack.pdf", "pack.xlsx", "pack.ipynb"):
            (folder / name).write_text(f"{partner} {name}")
            hashes[name] = hashlib.sha256(f"{partner} {name}".encode()).hexdigest()
        manifest = {"partner": partner, "edition": "partner", "key": "now", "sha256": hashes} | told
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return Made(folder, "now")

    return make


def test_fresh_packs_give_their_fingerprints(made: Callable[..., Made]) -> None:
    """Those of the two files that people get."""
    found = closing.check_packs({"P-1": made("P-1")})
    assert sorted(found["P-1"]) == ["pack.pdf", "pack.xlsx"]
    assert found["P-1"]["pack.pdf"] == hashlib.sha256(b"P-1 pack.pdf").hexdigest()


def test_every_faulty_pack_is_named(made: Callable[..., Made], tmp_path: Path) -> None:
    """Missing, old, of another edition, without a file, or changed by hand: all at once."""
    wanted = {name: made(name) for name in ("changed", "fine", "without")}
    wanted |= {"old": made("old", key="before"), "internal": made("internal", edition="internal")}
    wanted |= {"missing": Made(tmp_path / "nowhere", "now"), "broken": made("broken")}
    (tmp_path / "changed" / "pack.xlsx").write_text("other")
    (tmp_path / "without" / "pack.pdf").unlink()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    with pytest.raises(ParamsError) as caught:
        closing.check_packs(wanted)
    told = [error.what.removeprefix("the pack of ") for error in caught.value.errors]
    assert told == [
        "broken is missing",
        "changed is not as it was made: pack.xlsx was changed",
        "internal is of the edition internal, not partner",
        "missing is missing",
        "old was made from other data, params or code",
        "without lacks pack.pdf",
    ]
    assert all("pbr build" in error.fix for error in caught.value.errors)


# ----------------------------------------------------------------------------------------------- drafts


def test_what_of_a_slice_is_frozen() -> None:
    """Figures with their definition, records with day, amount, share; exact to the last digit."""
    row = deal("d1", "1100.00005", day="2026-03-30T23:30:00", amount="1000", currency="EUR", share="0.5")
    draft = pack([row, deal("d0", "7", role="in progress")], reason="late")
    [figure] = draft.states
    assert (figure.goal, figure.metric, figure.standing, figure.reason) == (
        "revenue_q",
        "revenue_won",
        "missed",
        "late",
    )
    assert (figure.actual, figure.definition_hash, figure.aggregate) == (Decimal("1100.00005"), "d1", "sum")
    first, second = draft.evidence
    assert (first.record_id, first.role, first.day) == ("d1", "actual", dt.date(2026, 3, 30))
    assert (first.counts, first.amount, first.currency) == (Decimal("1100.00005"), Decimal(1000), "EUR")
    assert (first.share, second.role) == (Decimal("0.5"), "in progress")


def test_not_measurable_stays_unknown() -> None:
    """Unknown is frozen as unknown, never as 0."""
    [figure] = pack([], actual=None, attained=None, state="unknown", reason="no export").states
    assert (figure.actual, figure.attained, figure.state) == (None, None, "unknown")


def test_records_of_several_tables_find_their_table() -> None:
    """A ratio lists records of two tables; an id then names its table."""
    mixed = [deal("opportunity 0061", "1", role="numerator"), deal("lead 00Q1", "1", role="denominator")]
    mixed += [deal("x", "1", role="denominator", table="leads", record_id="00Q2")]
    found = {(each.table, each.record_id) for each in pack(mixed, table="", actual="1").evidence}
    assert found == {("opportunities", "0061"), ("leads", "00Q1"), ("leads", "00Q2")}


def test_a_definition_without_a_name_is_named_by_its_words() -> None:
    """A slice that carries no hash still tells one definition from another."""

    def named(words: str) -> str:
        facts = json.loads(slice_of([]))
        facts["definitions"] = [{"metric": "revenue_won", "definition": words}]
        return closing.states_of(facts)[0].definition_hash

    assert named("Sum of amount.") == named("Sum of amount.") != named("Sum of arr.")


@pytest.mark.parametrize(("code", "reason"), [("", "because"), ("correction", "  "), ("whim", "because")])
def test_a_reissue_needs_a_reason(code: Any, reason: str) -> None:
    """In kind and in words."""
    with pytest.raises(InputError, match="only with a reason"):
        closing.reissue(slice_of([]), files("x"), code, reason)


def test_a_reissue_is_final() -> None:
    """It carries its reason, and is otherwise a pack like any other."""
    again = closing.reissue(slice_of([]), files("x"), "revision", " late records ")
    assert (again.status, again.reason_code, again.reason) == ("final", "revision", "late records")
    assert again.states == pack([]).states


# ------------------------------------------------------------------------------- names of definitions


def named(text: str, metric: str = "won") -> str:
    """The name of a definition among metrics."""
    from ruamel.yaml import YAML

    return definition_hash(metric, MetricsFile.model_validate(YAML(typ="safe").load(text)).metrics)


METRICS = """
pbr: 1
metrics:
  won:
    {label: Won, table: opportunities, aggregate: count, date: close_date, where: {is_won: true}, unit: {kind: count}}
  all: {label: All, table: opportunities, aggregate: count, date: close_date, unit: {kind: count}}
  rate: {type: ratio, label: Rate, numerator: won, denominator: all, unit: {kind: percent}}
"""


def test_a_definition_has_a_name() -> None:
    """Another filter is another definition, also of a ratio made from it; another label is not."""
    other = METRICS.replace("is_won: true", "is_won: false")
    assert named(METRICS) != named(other)
    assert named(METRICS, "rate") != named(other, "rate")
    assert named(METRICS, "all") == named(other, "all")
    assert named(METRICS.replace("label: Won", "label: Deals")) == named(METRICS)
    assert named(METRICS.replace("aggregate: count,", "aggregate: count, credit: full,")) == named(METRICS)


def test_canonical_text() -> None:
    """Equal values give equal text, whatever their order."""
    assert canonical({"b": dt.date(2026, 1, 1), "a": "é"}) == '{"a":"é","b":"2026-01-01"}'
