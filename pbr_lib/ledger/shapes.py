"""Issued values as rows of the ledger and back; apart, because what a row holds can be read and tested without a
database.

A number is text in plain digits, a day ISO text, whatever is nested canonical JSON, the slice compressed bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pbr_lib.errors import InputError
from pbr_lib.ledger.frozen import Draft, Evidence, Issued, Results, Run, State, canonical

__all__ = ["definition_rows", "evidence_rows", "guards", "numbered", "pack_row", "result_rows", "run_row"]
__all__ += ["to_evidence", "to_issued", "to_results", "to_run", "to_state", "unpacked"]

_SUFFIX = {"": "", "revision": "(R)", "correction": "(C)"}
_LEVEL = 3  # as small as the best within a tenth, at a third of the time
_RUN = ("quarter", "as_of", "known_at", "config_hash", "params_hash", "code_version", "fx_hash", "calendar")


def guards(table: str, sqlite: bool) -> Iterator[str]:
    """The statements that make a database refuse any change of a row, whoever asks for it."""
    if sqlite:
        for event in ("UPDATE", "DELETE"):
            raises = "BEGIN SELECT RAISE(ABORT, 'what was issued is never changed'); END"
            yield f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} {raises}"
        return
    yield (
        "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'what was issued is never changed'; END $$"
    )
    for event, level in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        name = f"{table}_no_{'change' if level == 'ROW' else 'truncate'}"
        yield f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {level} EXECUTE FUNCTION ledger_refuse()"


# ---------------------------------------------------------------------------------------------- to rows


def run_row(run: Run) -> dict[str, Any]:
    """A run as its row."""
    row = {name: str(getattr(run, name)) for name in _RUN}
    return {"run_id": run.run_id, **row, "extracts": canonical(list(run.extracts))}


def numbered(draft: Draft, run: Run, earlier: Sequence[Issued], stands: Issued | None) -> Issued:
    """A draft with its id, such as ``2026-Q3-P-001-2(R)``; the pack that stands when the draft is the same pack.

    Parameters
    ----------
    earlier:
        All packs of the partner and quarter.
    stands:
        The newest of the draft's edition.

    Raises
    ------
    InputError
        When a final pack would give way to one without a reason, or to one that is not final.
    """
    fingerprint = hashlib.sha256(draft.slice).hexdigest()
    if stands is not None:
        if (stands.status, stands.slice_sha256, stands.sha256) == (draft.status, fingerprint, dict(draft.sha256)):
            return stands
        if stands.status == "final" and not (draft.status == "final" and draft.reason_code and draft.reason):
            fix = "issue it as a revision or a correction, and say why"
            raise InputError(f"{stands.pack_id} is final and is not replaced without a reason", "the ledger", fix)
    if draft.quarter != run.quarter:
        what = f"a pack of {draft.quarter} is no part of a run of {run.quarter}"
        raise InputError(what, "the ledger", "issue each quarter on its own")
    number = len(earlier) + 1
    return Issued(
        pack_id=f"{draft.quarter}-{draft.partner_id}-{number}{_SUFFIX[draft.reason_code]}",
        run_id=run.run_id,
        partner_id=draft.partner_id,
        quarter=draft.quarter,
        edition=draft.edition,
        status=draft.status,
        supersedes=stands.pack_id if stands is not None else "",
        reason_code=draft.reason_code,
        reason=draft.reason,
        sha256=dict(draft.sha256),
        slice_sha256=fingerprint,
        known_at=run.known_at,
        number=number,
    )


def pack_row(pack: Issued, draft: Draft) -> dict[str, Any]:
    """An issued pack as its row, with the slice."""
    row = {name: value for name, value in vars(pack).items() if name != "known_at"}
    return row | {"sha256": canonical(pack.sha256), "slice": zlib.compress(draft.slice, _LEVEL)}


def definition_rows(drafts: Iterable[Draft]) -> list[dict[str, Any]]:
    """Every definition that packs name, once."""
    found = {state.definition_hash: state for draft in drafts for state in draft.states if state.definition_hash}
    return [{"definition_hash": key, "metric": s.metric, "words": s.definition} for key, s in sorted(found.items())]


def result_rows(pack: Issued, draft: Draft) -> Iterator[dict[str, Any]]:
    """The figures of a pack as rows."""
    for state in draft.states:
        yield {
            "pack_id": pack.pack_id,
            "goal": state.goal,
            "metric": state.metric,
            "partner_id": pack.partner_id,
            "period_id": pack.quarter,
            "state": state.state,
            "actual": _digits(state.actual),
            "attained": _digits(state.attained),
            "in_progress": _digits(state.in_progress),
            "target": canonical(state.target),
            "standing": state.standing,
            "n_records": state.n_records,
            "definition_hash": state.definition_hash,
            "unit": canonical(state.unit),
            "aggregate": state.aggregate,
            "reason": state.reason,
        }


def evidence_rows(pack: Issued, draft: Draft) -> Iterator[dict[str, Any]]:
    """The records of a pack as rows."""
    for record in draft.evidence:
        yield {
            "pack_id": pack.pack_id,
            "goal": record.goal,
            "role": record.role,
            "table_name": record.table,
            "record_id": record.record_id,
            "counts": _digits(record.counts),
            "day": None if record.day is None else record.day.isoformat(),
            "amount": _digits(record.amount),
            "currency": record.currency,
            "share": _digits(record.share),
        }


def _digits(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


# -------------------------------------------------------------------------------------------- from rows


def to_run(row: Mapping[str, Any]) -> Run:
    """The run of a row."""
    values: dict[str, Any] = {name: row[name] for name in _RUN}
    values |= {name: dt.date.fromisoformat(row[name]) for name in ("as_of", "known_at")}
    return Run(**values, extracts=tuple(json.loads(row["extracts"])))


def to_issued(row: Mapping[str, Any]) -> Issued:
    """The pack of a row that has ``known_at`` of its run beside it."""
    names = ("pack_id", "run_id", "partner_id", "quarter", "edition", "status", "supersedes", "reason_code", "reason")
    values = {name: row[name] for name in (*names, "slice_sha256", "number")}
    return Issued(**values, sha256=json.loads(row["sha256"]), known_at=dt.date.fromisoformat(row["known_at"]))


def to_state(row: Mapping[str, Any]) -> State:
    """The figure of a row that has the ``words`` of its definition beside it."""
    return State(
        goal=row["goal"],
        metric=row["metric"],
        state=row["state"],
        actual=_number(row["actual"]),
        target=_plain(row["target"]),
        attained=_number(row["attained"]),
        in_progress=_number(row["in_progress"]),
        standing=row["standing"],
        n_records=row["n_records"],
        definition_hash=row["definition_hash"],
        definition=row["words"] or "",
        unit=_plain(row["unit"]),
        aggregate=row["aggregate"],
        reason=row["reason"],
    )


def to_evidence(rows: Iterable[Sequence[Any]]) -> tuple[Evidence, ...]:
    """The records of rows without their pack: goal, role, table, id, counts, day, amount, currency, share; sorted."""
    return tuple(
        Evidence(goal, table, record_id, role, _number(counts), _day(day), _number(amount), currency, _number(share))
        for goal, role, table, record_id, counts, day, amount, currency, share in sorted(rows, key=_key)
    )


def _key(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(row[:4])


def to_results(columns: Sequence[Sequence[Any]]) -> Results:
    """Columns of rows in the order of :class:`Results`, numbers read."""
    data = [tuple(column) for column in columns]
    for at, read in ((5, _number), (6, _number), (7, _plain)):
        data[at] = tuple(map(read, data[at]))
    return Results(*data)


def unpacked(data: bytes, fingerprint: str) -> bytes | None:
    """A compressed slice as it was; None when it is not what the fingerprint says."""
    try:
        found = zlib.decompress(data)
    except zlib.error:
        return None
    return found if hashlib.sha256(found).hexdigest() == fingerprint else None


@lru_cache(maxsize=65_536)
def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@lru_cache(maxsize=65_536)
def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


@lru_cache(maxsize=65_536)
def _plain(text: str) -> Mapping[str, Any]:
    # Equal rows share one value, which nobody changes.
    value: Mapping[str, Any] = json.loads(text)
    return value
