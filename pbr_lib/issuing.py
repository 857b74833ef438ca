"""Closing a quarter, and issuing a pack again; apart, because here figures leave the house for good, and only packs
that are whole and made of the present state may.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from pbr_lib import batch, files, ground, ingest, issued, params, programme, restating, slices
from pbr_lib.addresses import shown
from pbr_lib.batch import Request
from pbr_lib.errors import InputError
from pbr_lib.ingest import Loaded
from pbr_lib.ledger import closing, database
from pbr_lib.ledger.frozen import Reason, Receipt, Run, canonical
from pbr_lib.model import Amount, Unit
from pbr_lib.params import Params
from pbr_lib.periods import Quarter

__all__ = ["Closed", "close", "reissue", "restatements"]

_SHOWN = 20
_KINDS: Mapping[str, Reason] = {"revision": "revision", "correction": "correction"}


@dataclass(frozen=True)
class Closed:
    """What a close, or a new issue, did."""

    receipt: Receipt
    where: str
    again: bool = False

    def lines(self) -> Iterator[str]:
        """For the terminal."""
        got = self.receipt
        if got.already:
            yield f"{got.quarter} was closed before; nothing has changed ({self.where})"
            return
        kept = f", {len(got.kept)} issued before" if got.kept else ""
        state = "closed" if got.closed else "still open for the other partners"
        packs = f"{len(got.written)} pack{'' if len(got.written) == 1 else 's'} issued"
        if self.again:
            names = ", ".join(f"{one.pack_id} for {one.supersedes}" for one in got.written)
            yield f"{got.quarter}: {packs} again: {names} ({self.where})"
        else:
            yield f"{got.quarter}: {packs}{kept}; the quarter is {state} ({self.where})"

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        got = self.receipt
        packs = [{name: getattr(one, name) for name in ("pack_id", "partner_id", "status")} for one in got.written]
        head = {"quarter": got.quarter, "closed": got.closed, "already": got.already}
        return {**head, "issued": packs, "kept": list(got.kept)}


def close(root: Path, label: str, partners: Iterable[str] = ()) -> Closed:
    """Freeze figures and records of a quarter's packs; without partners of all, which closes the quarter.

    Raises
    ------
    InputError
        Before the close lag is over, and for every pack that is missing or not of the present data, params and code.
    """
    settings = params.read(root)
    quarter = settings.quarter(label)
    loaded = ingest.load(settings)
    closing.refuse_early(quarter, loaded.as_of, settings.workbook.final_after_business_days)
    where = issued.address(settings)
    if database.exists(where) and quarter.label in issued.consult(settings, ()).closed:
        return Closed(Receipt(quarter.label, (), (), True, True), shown(where))
    ready = slices.ensure(root, quarter.label)
    chosen = tuple(partners)
    wanted = batch.jobs_of(Request(root, label, chosen), ready)
    made = {job.partner: closing.Made(job.folder, job.key) for job in wanted}
    hashes = closing.check_packs(made)
    drafts = (closing.draft(ready.path(partner).read_bytes(), sha) for partner, sha in sorted(hashes.items()))
    with database.open_ledger(where) as book:
        receipt = book.record_close(run_of(settings, loaded, quarter), drafts, whole=not chosen)
    return Closed(receipt, shown(where))


def reissue(root: Path, label: str, partners: Iterable[str], reason: str, kind: str = "") -> Closed:
    """Issue packs of a closed quarter again from the present data; each names the pack that it takes the place of.

    ``kind`` is ``revision`` or ``correction``; left out, it follows from what has changed.

    Raises
    ------
    InputError
        When the quarter is not closed, nothing has changed, no reason is given, or the kind is none.
    """
    if kind and kind not in _KINDS:
        raise InputError(f'"{kind}" is no kind', "--kind", "write revision or correction")
    settings = params.read(root)
    quarter = settings.quarter(label)
    chosen = tuple(dict.fromkeys(partners))
    if not chosen:
        raise InputError("no partner is named", fix="add --partner, once for each pack that is to be issued again")
    if not reason.strip():
        raise InputError("a pack is issued again only with a reason", fix='add --reason "what has changed, and why"')
    changed = _changed(settings, quarter)
    unchanged = [partner for partner in chosen if partner not in changed]
    if unchanged:
        what = f"nothing has changed in what was issued to {', '.join(unchanged)}"
        fix = f"leave them out; pbr close {quarter.label} --restated lists what differs"
        raise InputError(what, f"the packs of {quarter.label}", fix)
    kinds = {partner: _KINDS.get(kind) or _kind_of(changed[partner]) for partner in chosen}
    with issued.opened(settings) as book:
        before = book.issued(quarter.label, final=True)
    anew = {
        partner: {
            "kind": kinds[partner],
            "reason": reason.strip(),
            "supersedes": before[partner].pack_id,
            "changes": changed[partner],
        }
        for partner in chosen
    }
    ready = slices.restate(root, quarter.label, anew)
    request = Request(root, label, chosen, out=None)
    run = batch.build_from(request, ready)
    if run.failed:
        raise InputError("a pack could not be made", str(run.folder), "look at its failed.ipynb, and issue again")
    made = {job.partner: closing.Made(job.folder, job.key) for job in batch.jobs_of(request, ready)}
    drafts = []
    for partner, sha in sorted(closing.check_packs(made).items()):
        drafts.append(closing.reissue(ready.path(partner).read_bytes(), sha, kinds[partner], reason))
    where = issued.address(settings)
    with database.open_ledger(where) as book:
        written = book.record(run_of(settings, ingest.load(settings), quarter), drafts)
    return Closed(Receipt(quarter.label, written, (), False, True), shown(where), again=True)


@dataclass(frozen=True)
class Restatements:
    """What has changed in the issued figures of a quarter."""

    quarter: str
    rows: dict[str, list[dict[str, Any]]] = field(repr=False)

    def lines(self) -> Iterator[str]:
        """For the terminal."""
        count = sum(len(rows) for rows in self.rows.values())
        figures = f"{count} issued {'figure' if count == 1 else 'figures'}"
        whose = f"{len(self.rows)} {'partner' if len(self.rows) == 1 else 'partners'}"
        yield f"{self.quarter}: {figures} of {whose} {'is' if count == 1 else 'are'} not the same now"
        told = [(partner, row) for partner, rows in sorted(self.rows.items()) for row in rows]
        for partner, row in told[:_SHOWN]:
            proposed = "; a new pack is proposed" if row["proposed"] else ""
            then, now = (_shown(row[key], row["unit"]) for key in ("issued", "now"))
            yield f"  {partner}  {row['label']}: issued {then}, now {now} ({row['kind']}{proposed})"
            for cause in row["causes"]:
                yield f"      {cause['kind']}: {cause['words']}"
        if len(told) > _SHOWN:
            yield f"  ... and {len(told) - _SHOWN} more (--json lists all)"

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"quarter": self.quarter, "restatements": self.rows}


def restatements(root: Path, label: str) -> Restatements:
    """Everything that has changed in the issued figures of a closed quarter, by partner."""
    settings = params.read(root)
    quarter = settings.quarter(label)
    return Restatements(quarter.label, _changed(settings, quarter))


def run_of(settings: Params, loaded: Loaded, quarter: Quarter) -> Run:
    """What figures of the present state are made from; nothing of it comes from a clock."""
    definitions = {name: metric.model_dump(mode="json") for name, metric in sorted(settings.metrics.items())}
    goals = {name: goal.model_dump(mode="json") for name, goal in sorted(settings.goals.items())}
    return Run(
        quarter=quarter.label,
        as_of=min(loaded.as_of, quarter.last_day),
        known_at=loaded.as_of,
        config_hash=_hash(canonical([definitions, goals])),
        params_hash=settings.digest[:16],
        code_version=files.code_digest()[:16],
        fx_hash=settings.fx_hash,
        calendar=canonical(settings.workbook.calendar.model_dump(mode="json")),
        extracts=tuple({"source": e.source, "sha256": e.sha256, "as_of": str(e.as_of)} for e in loaded.extracts),
    )


# ---------------------------------------------------------------------------------------------- within


def _changed(settings: Params, quarter: Quarter) -> dict[str, list[dict[str, Any]]]:
    if not issued.consult(settings, [quarter.label]).figures:
        what = f"nothing was issued of {quarter.label}"
        raise InputError(what, "the ledger", f"close it first: pbr close {quarter.label}")
    loaded = ingest.load(settings)
    newest = settings.calendar.quarter_of(loaded.as_of)
    seen_from = max(quarter, min(newest, quarter.shift(ground.DEPTH)))
    measured = programme.measure(settings, loaded, seen_from, ())
    found = restating.of_quarter(measured, quarter)
    rows = {key: [restating.as_row(measured, quarter.label, one) for one in each] for key, each in found.items()}
    return dict(sorted(rows.items()))


def _shown(value: str | None, unit: dict[str, Any]) -> str:
    """A figure of a slice as people read it."""
    return str(Amount(None if value is None else Decimal(value), Unit.from_json(unit)))


def _kind_of(rows: Iterable[Mapping[str, Any]]) -> Reason:
    """One error makes the new pack a correction; fuller data alone make it a revision."""
    return "correction" if any(row["kind"] == "correction" for row in rows) else "revision"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
