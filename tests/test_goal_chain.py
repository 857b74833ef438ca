"""Goals from quarter to quarter, end to end: renewed, agreed, closed, restated, issued again."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import itertools
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import tiny_workbook
from conftest import ROOT, copy_workbook

from pbr_lib import batch, issuing, params, renewing, signing, slices
from pbr_lib.batch import Request
from pbr_lib.errors import InputError
from pbr_lib.goalrows import Instance
from pbr_lib.params import Params
from pbr_lib.renewal.rounding import rounding_unit
from pbr_lib.signing import Change, Signature

QUARTERS = ("2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3")

# ------------------------------------------------------------------------------------- four quarters in a row


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, renewing.Renewed]]:
    """The shipped workbook without any file of targets, renewed four times from exports that reach that far."""
    root = copy_workbook(tmp_path_factory.mktemp("chain"))
    for path in (root / "params" / "goals").glob("*.csv"):
        path.unlink()
    return root, {label: renewing.renew(root, renewing.Request(label)) for label in QUARTERS}


@pytest.fixture(scope="module")
def rows(chain: tuple[Path, dict[str, renewing.Renewed]]) -> tuple[Params, dict[str, dict[tuple[str, str], Instance]]]:
    """The files as they are read again."""
    settings = params.read(chain[0])
    found = {label: {(r.partner_id, r.goal): r for r in settings.instances[label]} for label in QUARTERS}
    return settings, found


def test_each_target_stands_once_and_nothing_is_lost(
    chain: tuple[Path, dict[str, renewing.Renewed]],
    rows: tuple[Params, dict[str, dict[tuple[str, str], Instance]]],
) -> None:
    """As many rows as were written, none twice; a goal of one quarter goes on in the next or is told to end."""
    settings, found = rows
    for label in QUARTERS:
        assert len(settings.instances[label]) == len(found[label]) == chain[1][label].fates["written"]
    for before, after in itertools.pairwise(QUARTERS):
        dropped = {(one.partner_id, one.goal) for one in chain[1][after].dropped}
        assert found[before].keys() - found[after].keys() <= dropped


def test_no_target_jumps_and_every_one_says_why(
    rows: tuple[Params, dict[str, dict[tuple[str, str], Instance]]],
) -> None:
    """Within the step limit or one rounding unit, within floor and cap, whole where it counts, with its basis."""
    settings, found = rows
    steps = 0
    for before, after in itertools.pairwise(QUARTERS):
        for key, row in found[after].items():
            goal, new = settings.goals[key[1]], row.target.value
            assert row.basis
            assert row.proposed == row.target
            assert new is not None
            assert goal.renew.floor is None or new >= goal.renew.floor
            assert goal.renew.cap is None or new <= goal.renew.cap
            unit = settings.metrics[goal.metric].unit.unit
            assert unit.kind != "count" or new == int(new)
            old = found[before][key].target.value if key in found[before] else None
            if old is None or "days" in row.basis + found[before][key].basis:
                continue  # a first target, or one of a part of a quarter
            steps += 1
            grain = rounding_unit(unit, goal.renew.round_to, old)
            floor = goal.renew.floor or Decimal(0)
            assert new - old <= max(old * goal.renew.max_step_up, floor - old) + grain, (key, after)
            assert old - new <= old * goal.renew.max_step_down + grain, (key, after)
    assert steps > 150


def test_a_second_run_writes_the_same_bytes(chain: tuple[Path, dict[str, renewing.Renewed]]) -> None:
    """Also of a quarter that others follow by now."""
    root, first = chain
    for label in QUARTERS[::3]:
        file = root / first[label].file
        before = file.read_bytes()
        again = renewing.renew(root, renewing.Request(label, refresh=True))
        assert (again.fates, again.written) == ({"unchanged": len(again.rows)}, False)
        assert file.read_bytes() == before


def test_a_hand_edit_is_kept_and_shown(chain: tuple[Path, dict[str, renewing.Renewed]]) -> None:
    """Of target or of red flag; another run, refreshing or not, leaves the file as it is and says so."""
    root, first = chain
    file = root / first["2026-Q3"].file
    before = file.read_text(encoding="utf-8")
    with file.open(newline="", encoding="utf-8") as source:
        table = list(csv.DictReader(source))
    table[0]["target"], table[1]["stretch"] = "7", "123456"
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, table[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    edited = file.read_bytes()
    again = renewing.renew(root, renewing.Request("2026-Q3", refresh=True))
    assert again.fates["changed by hand"] == 2
    assert file.read_bytes() == edited
    shown = [line for line in again.lines() if table[0]["goal"] in line or "changed by hand" in line]
    assert shown[0].endswith(f"({first['2026-Q3'].file})")
    assert "changed by hand, kept (2):" in shown
    file.write_text(before, encoding="utf-8")


# ---------------------------------------------------------------------------------------------- agreement


def test_from_proposed_to_closed(tmp_path: Path) -> None:
    """Each state as the days pass; another target by amendment only; unsigned, the last agreed one stands."""
    tiny_workbook.write(tmp_path, tiny_workbook.usual())
    tiny_workbook.agree(tmp_path, "2026-Q3", ["A,leads_q,5", "B,leads_q,4"])
    renewing.renew(tmp_path, renewing.Request("2026-Q4"))
    day, begun, late = dt.date(2026, 9, 20), dt.date(2026, 10, 20), dt.date(2026, 11, 1)

    def of(partner: str, on: dt.date, closed: frozenset[str] = frozenset()) -> Any:
        rows = signing.status(params.read(tmp_path), "2026-Q4", on, closed).rows
        return next(one for one in rows if (one.row.partner_id, one.row.goal) == (partner, "leads_q"))

    assert of("A", day).state == "proposed"
    signing.agree(tmp_path, "2026-Q4", Signature(us="We", on=day), ["A"])
    assert of("A", day).state == "agreed by us"
    signing.agree(tmp_path, "2026-Q4", Signature(them="They", on=day), ["A"])
    assert of("A", day).state == "agreed"
    assert of("A", begun).state == "active"
    kept = of("A", begun).instance.target.value
    signing.amend(tmp_path, "2026-Q4", Change("A", "leads_q", "9", "a second team"), Signature("We", "They", begun))
    moved = of("A", begun)
    assert (moved.state, moved.instance.target.value) == ("active", 9)
    assert moved.amended == f"amended from {kept} to 9: a second team"
    assert of("A", late, frozenset({"2026-Q4"})).state == "closed"
    lapsed = of("B", late)
    assert (lapsed.state, lapsed.since, lapsed.instance.target.value) == ("lapsed", "2026-Q3", 4)
    assert lapsed.in_force


# --------------------------------------------------------------------------------------- closed and restated

CLOSED = "2026-Q2"
RATES = "currency,to_currency,kind,valid_from,rate\nEUR,USD,plan,2026-01-01,1.10\n"
MAY = {"created_at": "2026-04-10 09:00:00", "close_date": "2026-05-20"}


def exports() -> dict[str, list[tiny_workbook.Row]]:
    """Two partners with deals of the second quarter, one of them in euros."""
    deals = [
        tiny_workbook.deal("O1", "A", "600", **MAY),
        tiny_workbook.deal("O2", "A", "100", currency="EUR", **MAY),
        tiny_workbook.deal("O3", "A", "250", **MAY),
        tiny_workbook.deal("O4", "B", "40", **MAY),
    ]
    partners = [tiny_workbook.partner("A"), tiny_workbook.partner("B", name="Bellwether Systems")]
    leads = [tiny_workbook.lead("L1", "A", "2026-05-03 12:00:00")]
    return {"partners": partners, "opportunities": deals, "leads": leads, "certifications": []}


def digests(root: Path) -> dict[str, str]:
    """The bytes of the packs of the closed quarter."""
    found = sorted((root / "output" / CLOSED).glob("*/pack.*"))
    kinds = [path for path in found if path.suffix in (".pdf", ".xlsx")]
    assert len(kinds) == 4
    return {f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in kinds}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A workbook whose second quarter is built and closed, and the bytes that were issued."""
    root = tmp_path_factory.mktemp("closed")
    tiny_workbook.write(root, exports())
    tiny_workbook.put(root, "params/rates.csv", RATES)
    tiny_workbook.agree(root, CLOSED, [f"{who},{key},{to}" for who in "AB" for key, to in TARGETS.items()])
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    run = batch.build(Request(root, CLOSED, jobs=2))
    assert not run.failed, [str(outcome.error) for outcome in run.failed]
    done = issuing.close(root, CLOSED)
    assert done.receipt.closed
    assert issuing.close(root, CLOSED).receipt.already
    return root, digests(root)


TARGETS = {"leads_q": "5", "revenue_q": "1000", "people_q": "2"}


@pytest.fixture
def restored(closed: tuple[Path, dict[str, str]]) -> Iterator[Path]:
    """The closed workbook; whatever a test changes in exports and params is put back."""
    root = closed[0]
    files = [path for name in ("params", "data") for path in (root / name).rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    yield root
    for path, content in before.items():
        path.write_bytes(content)


def restated(root: Path, partner: str) -> list[dict[str, Any]]:
    """What the pack of the quarter after says of the closed one."""
    found = json.loads(slices.ensure(root, "2026-Q3").path(partner).read_bytes())["restatements"]
    assert isinstance(found, list)
    return found


def changed(root: Path, key: str, **cells: str) -> None:
    """One deal with other cells; without any it is deleted."""
    deals = [row | cells if row["opportunity_id"] == key else row for row in exports()["opportunities"]]
    kept = [row for row in deals if cells or row["opportunity_id"] != key]
    tiny_workbook.export(root, "opportunities", kept)


def test_nothing_is_restated_as_long_as_nothing_changes(restored: Path) -> None:
    """The table is there and empty."""
    assert restated(restored, "A") == restated(restored, "B") == []


CAUSES = {
    "re-dated": ({"close_date": "2026-07-05"}, "-600"),
    "amended": ({"amount": "700"}, "100"),
    "deleted": ({}, "-600"),
    "reattributed": ({"Partner": "B"}, "-600"),
    "lost": ({"stage": "lost"}, "-600"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_what_became_of_a_deal_is_told_with_its_cause(restored: Path, name: str) -> None:
    """The next pack names issued and present figure, the record, and what happened to it."""
    cells, difference = CAUSES[name]
    changed(restored, "O1", **cells)
    (row,) = restated(restored, "A")
    assert (row["quarter"], row["goal"], row["issued"]) == (CLOSED, "revenue_q", "960")
    assert Decimal(row["difference"]) == Decimal(difference)
    (cause,) = row["causes"]
    assert cause["record"] == "O1"
    told = json.dumps(row)
    assert "Bellwether" not in told
    assert bool(restated(restored, "B")) == (name == "reattributed")


def test_a_deal_that_is_dated_back_is_told(restored: Path) -> None:
    """It was not there when the quarter was closed."""
    more = [*exports()["opportunities"], tiny_workbook.deal("O9", "A", "80", **MAY)]
    tiny_workbook.export(restored, "opportunities", more)
    (row,) = restated(restored, "A")
    assert (row["difference"], row["causes"][0]["record"]) == ("80", "O9")


def test_another_rate_is_told_as_a_rate(restored: Path) -> None:
    """The amount in euros is the same."""
    tiny_workbook.put(restored, "params/rates.csv", RATES.replace("1.10", "1.20"))
    (row,) = restated(restored, "A")
    assert Decimal(row["difference"]) == 10
    assert "rate" in json.dumps(row["causes"])
    assert restated(restored, "B") == []


def test_another_definition_is_told_as_a_definition(restored: Path) -> None:
    """Both definitions are quoted."""
    metrics = tiny_workbook.METRICS.replace(
        "is_won: true}, date: close_date,\n     credit_type: [sourced]",
        "is_won: true, amount: {gt: 200}}, date: close_date,\n     credit_type: [sourced]",
    )
    assert metrics != tiny_workbook.METRICS
    tiny_workbook.put(restored, "params/metrics.yaml", metrics)
    (row,) = restated(restored, "A")
    assert "issued as:" in row["words"]
    assert "definition" in json.dumps(row)


def test_a_closed_quarter_is_made_of_what_was_issued(closed: tuple[Path, dict[str, str]], restored: Path) -> None:
    """Whatever changed since: built again by force, both documents of both partners have the same bytes."""
    root, issued = closed
    changed(root, "O1", amount="7000")
    tiny_workbook.put(root, "params/rates.csv", RATES.replace("1.10", "1.30"))
    batch.build(Request(root, CLOSED, jobs=2, force=True))
    assert digests(root) == issued


def test_a_partner_that_is_gone_keeps_what_was_issued(closed: tuple[Path, dict[str, str]], restored: Path) -> None:
    """No export names it any more, and its frozen slice is still what its pack is made from."""
    before = slices.ensure(restored, CLOSED).path("B").read_bytes()
    tiny_workbook.export(restored, "partners", [tiny_workbook.partner("A")])
    tiny_workbook.agree(restored, CLOSED, [f"A,{key},{to}" for key, to in TARGETS.items()])
    ready = slices.ensure(restored, CLOSED)
    assert dict(ready.partners)["B"] == "Bellwether Systems"
    assert ready.path("B").read_bytes() == before
    assert "B" not in slices.ensure(restored, "2026-Q3").partners


def test_a_new_issue_names_what_it_takes_the_place_of_and_keeps_it(
    closed: tuple[Path, dict[str, str]], restored: Path
) -> None:
    """Only for a partner whose figures changed, only with a reason; the other partner's pack stays as it is."""
    root, issued = closed
    changed(root, "O3", amount="300")
    with pytest.raises(InputError, match="only with a reason"):
        issuing.reissue(root, CLOSED, ["A"], " ")
    with pytest.raises(InputError, match="nothing has changed in what was issued to B"):
        issuing.reissue(root, CLOSED, ["A", "B"], "why")
    done = issuing.reissue(root, CLOSED, ["A"], "a late order")
    (pack,) = done.receipt.written
    settings = params.read(root)
    from pbr_lib import issued as issues

    with issues.opened(settings) as ledger:
        packs = {one.pack_id: one for one in ledger.packs(CLOSED)}
        assert len(packs) == 3
        first = next(one for one in packs.values() if one.partner_id == "A" and one.pack_id != pack.pack_id)
        assert packs[pack.pack_id].supersedes == first.pack_id
        assert b'"960"' in ledger.slice(first.pack_id)
    now = digests(root)
    assert {name for name in now if now[name] != issued[name]} == {"A/pack.pdf", "A/pack.xlsx"}
    assert issuing.restatements(root, CLOSED).rows == {}
