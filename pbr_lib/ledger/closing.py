"""What must hold before a quarter is frozen, and what of a slice is frozen then; apart, because all of it can be
judged without a database, and the ledger keeps what it is given.

A pack is frozen from the slice that it was made from, so that the figures in the ledger are those on its pages.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pbr_lib import files
from pbr_lib.errors import InputError, ParamsError
from pbr_lib.ledger.frozen import Draft, Evidence, Reason, State, Status
from pbr_lib.model import date_text
from pbr_lib.periods import Quarter
from pbr_lib.schema import TABLES

__all__ = ["Made", "check_packs", "draft", "evidence_of", "refuse_early", "reissue", "revision_until"]
__all__ += ["states_of"]

_FILES = ("pack.pdf", "pack.xlsx")


@dataclass(frozen=True)
class Made:
    """Where the pack of a partner lies, and the key that it has when it is of the present data, params and code."""

    folder: Path
    key: str


# --------------------------------------------------------------------------------------------- refusals


def revision_until(quarter: Quarter, lag: int, days: int) -> dt.date:
    """The last day on which late records are to be expected: ``close.revision_days`` after the figures may be final."""
    return quarter.final_on(lag) + dt.timedelta(days=days)


def refuse_early(quarter: Quarter, known_at: dt.date, lag: int) -> None:
    """Refuse to close a quarter whose exports do not reach the end of the close lag.

    Parameters
    ----------
    known_at:
        The newest day that any export speaks for; a clock is not asked.
    lag:
        ``final_after_business_days`` of the workbook.

    Raises
    ------
    InputError
        Naming the day from which the quarter can be closed.
    """
    day = quarter.final_on(lag)
    if known_at < day:
        what = f"{quarter.label} is not final yet: the exports reach {date_text(known_at)}"
        fix = f"close it with exports of {date_text(day)} or later, {lag} business days after its last day"
        raise InputError(what, "the close lag (final_after_business_days in params/workbook.yaml)", fix)


def check_packs(wanted: Mapping[str, Made], edition: str = "partner") -> dict[str, dict[str, str]]:
    """The fingerprints of pack.pdf and pack.xlsx of each partner, once every pack is there and fresh.

    Raises
    ------
    ParamsError
        With one fault for each pack that is missing, of another edition, made from other data, params or code, or
        changed since it was made.
    """
    found: dict[str, dict[str, str]] = {}
    faults: list[InputError] = []
    for partner, made in sorted(wanted.items()):
        manifest = files.read_json(made.folder / "manifest.json")
        fault = _fault(made, manifest, edition)
        if fault:
            faults.append(InputError(f"the pack of {partner} {fault}", str(made.folder), "build it again: pbr build"))
        else:
            found[partner] = {name: manifest["sha256"][name] for name in _FILES}
    if faults:
        raise ParamsError(faults)
    return found


def _fault(made: Made, manifest: Any, edition: str) -> str:
    if not isinstance(manifest, dict):
        return "is missing"
    if manifest.get("edition") != edition:
        return f"is of the edition {manifest.get('edition')}, not {edition}"
    if manifest.get("key") != made.key:
        return "was made from other data, params or code"
    hashes = manifest.get("sha256") or {}
    for name in _FILES:
        path = made.folder / name
        if not path.is_file():
            return f"lacks {name}"
        if hashlib.sha256(path.read_bytes()).hexdigest() != hashes.get(name):
            return f"is not as it was made: {name} was changed"
    return ""


# ----------------------------------------------------------------------------------------------- drafts


def draft(
    slice_: bytes,
    sha256: Mapping[str, str],
    *,
    edition: str = "partner",
    status: Status = "final",
) -> Draft:
    """A pack ready to be issued, from the slice that it was made from.

    Parameters
    ----------
    slice_:
        The slice file of the partner, byte for byte.
    sha256:
        The fingerprints of the pack's files, by name (see :func:`check_packs`).
    """
    facts = json.loads(slice_)
    return Draft(
        partner_id=facts["partner"]["partner_id"],
        quarter=facts["quarter"]["label"],
        edition=edition,
        status=status,
        sha256=dict(sha256),
        slice=slice_,
        states=states_of(facts),
        evidence=evidence_of(facts),
    )


def reissue(
    slice_: bytes,
    sha256: Mapping[str, str],
    reason_code: Reason,
    reason: str,
    *,
    edition: str = "partner",
) -> Draft:
    """A final pack that takes the place of another, as a revision or a correction.

    Raises
    ------
    InputError
        When no reason is given, in kind and in words.
    """
    if reason_code not in ("revision", "correction") or not reason.strip():
        fix = "say whether it is a revision (fuller data) or a correction (an error), and why"
        raise InputError("a final pack is issued again only with a reason", "the reason", fix)
    base = draft(slice_, sha256, edition=edition)
    return Draft(**{**vars(base), "reason_code": reason_code, "reason": reason.strip()})


def states_of(facts: Mapping[str, Any]) -> tuple[State, ...]:
    """The figures of a slice, one for each goal, in the order of their keys."""
    definitions = {each["metric"]: each for each in facts["definitions"]}
    return tuple(
        _state(goal, definitions.get(goal["metric"], {}))
        for goal in sorted(facts["goals"], key=lambda goal: goal["key"])
    )


def _state(goal: Mapping[str, Any], definition: Mapping[str, Any]) -> State:
    words = str(definition.get("definition", ""))
    named = definition.get("hash") or hashlib.sha256(f"{goal['metric']} {words}".encode()).hexdigest()[:16]
    return State(
        goal=goal["key"],
        metric=goal["metric"],
        state=goal["state"],
        actual=_number(goal["actual"]),
        target=goal["target"],
        attained=_number(goal["attained"]),
        in_progress=_number(goal["in_progress"]),
        standing=goal["standing"],
        n_records=goal["n"],
        definition_hash=named,
        definition=words,
        unit=goal["unit"],
        aggregate=goal["aggregate"],
        reason=goal["reason"],
    )


def evidence_of(facts: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """The records behind the figures of a slice, by goal, role, table and id; each of the partner's own credit."""
    found = [_record(goal, record) for goal in facts["goals"] for record in goal["records"]]
    return tuple(sorted(found, key=lambda record: (record.goal, record.role, record.table, record.record_id)))


def _record(goal: Mapping[str, Any], record: Mapping[str, Any]) -> Evidence:
    table, record_id = _place(goal["table"], record)
    return Evidence(
        goal=goal["key"],
        table=table,
        record_id=record_id,
        role=record["role"],
        counts=_number(record["counts"]),
        day=None if record["day"] is None else dt.date.fromisoformat(record["day"][:10]),
        amount=_number(record.get("amount")),
        currency=record.get("currency") or "",
        share=_number(record.get("share")),
    )


def _place(table: str, record: Mapping[str, Any]) -> tuple[str, str]:
    """Table and id of a record; where a list mixes several tables, an id is written ``opportunity 0061``."""
    if record.get("table"):
        return record["table"], str(record.get("record_id") or record["id"])
    if table:
        return table, str(record["id"])
    mixed = str(record["id"])
    for name, spec in TABLES.items():
        if mixed.startswith(f"{spec.singular} "):
            return name, mixed.removeprefix(f"{spec.singular} ")
    return "", mixed


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
