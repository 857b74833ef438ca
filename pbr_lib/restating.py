"""Figures that were issued and are not the same now, for every partner; apart, because only what differs is looked at
record by record, and what differs is few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pbr_lib import dossier, issued, programme, recordfacts
from pbr_lib.ground import Ground
from pbr_lib.issued import Figure
from pbr_lib.ledger import closing, restatement
from pbr_lib.ledger.frozen import Evidence, definition_hash
from pbr_lib.ledger.restatement import Restatement, Side, Terms
from pbr_lib.periods import Quarter
from pbr_lib.programme import Programme
from pbr_lib.records import plain

__all__ = ["as_row", "find", "of_quarter"]

Found = Mapping[str, tuple[Restatement, ...]]


def find(measured: Programme) -> dict[str, list[dict[str, Any]]] | None:
    """For each partner what changed in issued figures, the latest quarter first; None as long as none were issued."""
    ground = measured.ground
    labels = {label for label, _, _ in ground.record.figures}
    own = [each for each in ground.quarters if each.calendar == measured.quarter.calendar]
    closed = [each for each in own if each.label in labels and each < measured.quarter]
    if not closed:
        return None
    out: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for quarter in reversed(closed):
        for partner_id, restated in of_quarter(measured, quarter).items():
            out[partner_id] += [as_row(measured, quarter.label, one) for one in restated]
    return dict(out)


def of_quarter(measured: Programme, quarter: Quarter) -> Found:
    """Everything that changed in a closed quarter since its packs were issued, by partner."""
    ground = measured.ground
    moved = sorted({place[1] for place, figure in _moved(ground, quarter)} & ground.partners.keys())
    if not moved:
        return {}
    then = _as_of(measured, quarter)
    workbook = measured.params.workbook
    until = closing.revision_until(quarter, workbook.final_after_business_days, workbook.close.revision_days)
    out = {}
    with issued.opened(measured.params) as book:
        packs = book.issued(quarter.label, final=True)
        ids = [packs[partner].pack_id for partner in moved]
        states, evidence = book.states(ids), book.evidence(ids)
        runs = {run: book.run(run) for run in {packs[partner].run_id for partner in moved}}
    held = _holders({partner: evidence.get(packs[partner].pack_id, ()) for partner in moved})
    for partner_id in moved:
        look_up = recordfacts.facts_of(ground.loaded.tables, measured.params.metrics, _others(held, partner_id))
        pack = packs[partner_id]
        run = runs[pack.run_id]
        before = Side(states.get(pack.pack_id, ()), evidence.get(pack.pack_id, ()), run.known_at, run.fx_hash)
        facts = dossier.goals_of(then, partner_id)
        now = Side(closing.states_of(facts), closing.evidence_of(facts), ground.as_of, measured.params.fx_hash)
        terms = Terms(partner_id, workbook.close.materiality, until)
        found = restatement.compare(before, now, look_up, terms)
        if found:
            out[partner_id] = found
    return out


def as_row(measured: Programme, label: str, one: Restatement) -> dict[str, Any]:
    """One restatement as the slice of its partner holds it."""
    metric = measured.params.metrics.get(one.metric)
    told = [one.why, one.note]
    if one.definitions is not None:
        told.append(f"issued as: {one.definitions[0]} Now: {one.definitions[1]}")
    return {
        "quarter": label,
        "goal": one.goal,
        "label": one.metric if metric is None else metric.label,
        "unit": one.unit.as_json(),
        "issued": plain(one.issued),
        "now": plain(one.now),
        "difference": plain(one.difference),
        "kind": one.kind,
        "proposed": one.proposed,
        "words": "; ".join(filter(None, told)),
        "causes": [
            {
                "kind": cause.kind,
                "record": cause.record_id,
                "words": cause.words,
                "difference": plain(cause.difference),
            }
            for cause in one.causes
        ],
    }


def _moved(ground: Ground, quarter: Quarter) -> Iterator[tuple[tuple[str, str, str], Figure]]:
    """The issued figures of a quarter that are not measured alike now."""
    goals, metrics = ground.params.goals, ground.params.metrics
    hashes = {name: definition_hash(name, metrics) for name in {goal.metric for goal in goals.values()}}
    for place, figure in ground.record.figures.items():
        label, partner_id, key = place
        if label != quarter.label:
            continue
        goal = goals.get(key)
        if goal is None or partner_id not in ground.partners or goal.metric != figure.metric:
            yield place, figure
            continue
        fact = ground.fact(goal.metric, partner_id, ground.period(goal, quarter))
        now = (fact.value if fact.known else None, fact.n, hashes[goal.metric])
        if now != (figure.actual, figure.n_records, figure.definition_hash):
            yield place, figure


def _holders(evidence: Mapping[str, Iterable[Evidence]]) -> dict[tuple[str, str], set[str]]:
    """For each record the partners to whom it was issued; who gains one from another has the other among the moved."""
    out: dict[tuple[str, str], set[str]] = defaultdict(set)
    for partner_id, rows in evidence.items():
        for row in rows:
            out[row.table, row.record_id].add(partner_id)
    return out


def _others(held: Mapping[tuple[str, str], set[str]], partner_id: str) -> Callable[[str, str], bool]:
    return lambda table, record: bool(held.get((table, record), set()) - {partner_id})


def _as_of(measured: Programme, quarter: Quarter) -> Programme:
    """The programme as it would be portrayed for an earlier quarter, with the records of that quarter."""
    ground = replace(measured.ground, quarter=quarter)
    return replace(measured, ground=ground, evidence=programme.evidence(ground, quarter))
