"""Next quarter's targets written as proposals; apart, because the file belongs to people: what they wrote, changed or
signed stays, and a second run changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pbr_lib import goalbook, ground, ingest, params, proposing
from pbr_lib.errors import InputError, UnknownPartner, did_you_mean
from pbr_lib.goalbook import Book
from pbr_lib.ground import Ground
from pbr_lib.model import Unit, date_text
from pbr_lib.periods import Quarter
from pbr_lib.proposing import Draft, Dropped
from pbr_lib.prospects import Prospects

__all__ = ["Renewed", "Request", "Row", "renew"]

Fate = Literal["written", "unchanged", "refreshed", "outdated", "changed by hand", "signed"]
_QUIET = ("target of the definition", "step limited", "prorated", "carried", "scaled to a whole quarter")
_SHOWN = 12


@dataclass(frozen=True)
class Request:
    """Which quarter, which partners (none for all), whether proposals are made anew, whether anything is written."""

    quarter: str
    partners: tuple[str, ...] = ()
    refresh: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Row:
    """What became of one proposal: ``stands`` is the target in the file, ``proposed`` what renewal gives."""

    draft: Draft
    fate: Fate
    stands: str
    proposed: str


@dataclass(frozen=True)
class Renewed:
    """What a renewal did, by partner and goal."""

    quarter: str
    file: str
    written: bool
    rows: tuple[Row, ...] = field(repr=False)
    dropped: tuple[Dropped, ...] = field(repr=False)
    retire: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def fates(self) -> dict[str, int]:
        """How many proposals met which fate."""
        found = Counter(str(row.fate) for row in self.rows)
        order = ("written", "refreshed", "unchanged", "outdated", "changed by hand", "signed")
        return {fate: found[fate] for fate in order if found[fate]}

    def lines(self, explain: bool = False) -> Iterator[str]:
        """For the terminal: what was done, and every target that a person should look at."""
        told = ", ".join(f"{count} {fate}" for fate, count in self.fates.items()) or "nothing to propose"
        yield f"{self.quarter}: {told}" + ("" if self.written else "; nothing was written") + f" ({self.file})"
        yield from self.remarks
        if explain:
            for row in self.rows:
                yield from _explained(row)
        yield from _listed("changed by hand, kept", (r for r in self.rows if r.fate == "changed by hand"))
        yield from _listed("would differ now (--refresh)", (r for r in self.rows if r.fate == "outdated"))
        flags = dict.fromkeys(flag for row in self.rows for flag in row.draft.proposal.flags if flag not in _QUIET)
        for flag in flags:
            yield from _listed(flag, (row for row in self.rows if flag in row.draft.proposal.flags))
        stops = [f"{_who(row.draft)}: {row.draft.stop}" for row in self.rows if row.draft.stop]
        stops += [f"{goal}, all partners: {words}" for goal, words in self.retire.items()]
        yield from _several("to decide", stops)
        yield from _several("not carried on", [f"{one.partner_id} {one.goal}: {one.reason}" for one in self.dropped])

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        rows = [
            {
                "partner_id": row.draft.partner_id,
                "goal": row.draft.goal,
                "fate": row.fate,
                "target": row.stands,
                "proposed": row.proposed,
                "basis": row.draft.proposal.basis,
                "flags": list(row.draft.proposal.flags),
                "stop": row.draft.stop,
                "steps": [{"step": each.name, "words": each.words} for each in row.draft.proposal.steps],
            }
            for row in self.rows
        ]
        dropped = [vars(one) for one in self.dropped]
        head = {"quarter": self.quarter, "file": self.file, "written": self.written, "fates": self.fates}
        return {**head, "targets": rows, "dropped": dropped, "retire": dict(self.retire)}


def renew(root: Path, request: Request) -> Renewed:
    """Propose the targets of a quarter from the one before, and write them as rows of its file.

    Rows that are there stay as they are; only with ``refresh`` are proposals made anew that nobody changed or signed.

    Raises
    ------
    InputError
        For faults in params or exports, a quarter whose predecessor has not begun, or an unknown partner.
    """
    settings = params.read(root)
    quarter = settings.quarter(request.quarter)
    loaded = ingest.load(settings)
    base = _base(quarter, loaded.as_of)
    ground.must_reach(settings, loaded, quarter)
    standing = ground.lay(settings, loaded, base)
    if quarter.label in standing.record.closed:
        raise InputError(
            f"{quarter.label} is closed", fix="its targets are part of issued packs; renew a later quarter"
        )
    for partner in request.partners:
        if partner not in standing.partners:
            fix = did_you_mean(partner, list(standing.partners))
            raise UnknownPartner(f'no partner is called "{partner}"', "--partner", fix)
    proposals = proposing.propose(standing, Prospects(standing).middle)
    book = goalbook.goals_book(root, quarter.label)
    wanted = set(request.partners or standing.partners)
    rows = [_place(book, standing, draft, request) for draft in proposals.drafts if draft.partner_id in wanted]
    order = {key: at for at, key in enumerate(settings.goals)}
    if any(row.fate == "written" for row in rows):
        book.sort(order, "goal")
    written = not request.dry_run and bool(rows) and book.save()
    dropped = tuple(one for one in proposals.dropped if one.partner_id in wanted)
    file = f"params/goals/{quarter.label}.csv"
    whole = proposals.retire if not request.partners else {}
    return Renewed(quarter.label, file, written, tuple(rows), dropped, whole, tuple(_remarks(standing)))


def _base(quarter: Quarter, as_of: Any) -> Quarter:
    base = quarter.shift(-1)
    if base.start > as_of:
        newest = quarter.calendar.quarter_of(as_of)
        what = f"{quarter.label} follows {base.label}, which has not begun by {date_text(as_of)}, where the exports end"
        raise InputError(what, "the quarter asked for", f"renew {newest.shift(1).label} first")
    return base


def _remarks(standing: Ground) -> Iterator[str]:
    quarter = standing.quarter
    if standing.as_of < quarter.last_day:
        yield (
            f"{quarter.label} is still running on {date_text(standing.as_of)}: where there is a forecast it stands in "
            "for the actual. Renew again with --refresh when the quarter is over."
        )


def _place(book: Book, standing: Ground, draft: Draft, request: Request) -> Row:
    """Write a proposal where there is no row yet, or leave the row as people made it."""
    metric = standing.params.metrics[standing.params.goals[draft.goal].metric]
    unit, proposal = metric.unit.unit, draft.proposal
    proposed = goalbook.cell(proposal.target, unit)
    values = {
        "target": proposed,
        "stretch": goalbook.cell(proposal.stretch, unit),
        "red_flag": goalbook.cell(proposal.red_flag, unit),
        "basis": proposal.basis,
        "proposed": proposed,
        "carried": goalbook.cell(proposal.carried or None, unit),
    }
    at = book.find(draft.partner_id, draft.goal)
    if at is None:
        row = None if draft.before is None else draft.before.row
        weight = "" if row is None or row.weight is None else goalbook.cell(row.weight, Unit("number"))
        owners = {} if row is None else {"owner_us": row.owner_us, "owner_them": row.owner_them}
        book.add({"partner_id": draft.partner_id, "goal": draft.goal, "weight": weight, **owners, **values})
        return Row(draft, "written", proposed, proposed)
    stands = book.get(at, "target")
    if book.get(at, "agreed_by_us") or book.get(at, "agreed_by_them"):
        return Row(draft, "signed", stands, proposed)
    # Stretch and red flag follow from the target: beside the same proposal, others are a person's.
    bounds = any(book.get(at, column) != values[column] for column in ("stretch", "red_flag"))
    if stands != book.get(at, "proposed") or (stands == proposed and bounds):
        return Row(draft, "changed by hand", stands, proposed)
    if all(book.get(at, column) == value for column, value in values.items()):
        return Row(draft, "unchanged", stands, proposed)
    if not request.refresh:
        return Row(draft, "outdated", stands, proposed)
    book.put(at, values)
    return Row(draft, "refreshed", proposed, proposed)


def _who(draft: Draft) -> str:
    return f"{draft.partner_id} {draft.goal}"


def _explained(row: Row) -> Iterator[str]:
    target = row.draft.proposal.target
    yield f"  {_who(row.draft)}: {row.draft.proposal.basis}" + ("" if target is None else f" [{row.fate}]")
    for step in row.draft.proposal.steps:
        yield f"      {step.name}: {step.words}"


def _listed(title: str, rows: Iterator[Row]) -> Iterator[str]:
    told = []
    for row in rows:
        told.append(f"{_who(row.draft)}: {row.stands or row.proposed} ({row.draft.proposal.basis})")
    yield from _several(title, told)


def _several(title: str, told: list[str]) -> Iterator[str]:
    if told:
        yield f"{title} ({len(told)}):"
        yield from (f"  {line}" for line in told[:_SHOWN])
        if len(told) > _SHOWN:
            yield f"  ... and {len(told) - _SHOWN} more (--json lists all)"
