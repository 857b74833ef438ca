"""Who agrees to which target, and when: signatures into the files of targets, amendments with their reason; apart,
because people run this on many rows at once and every row that cannot be signed must be told.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pbr_lib import agreement, goalbook, goalrows, params
from pbr_lib.agreement import Agreed, aim
from pbr_lib.errors import InputError, UnknownPartner, did_you_mean
from pbr_lib.goalrows import Instance
from pbr_lib.model import date_text
from pbr_lib.params import Params
from pbr_lib.periods import Quarter

__all__ = ["Change", "Signed", "Signature", "Status", "agree", "amend", "status"]


@dataclass(frozen=True)
class Signature:
    """Who signs for which side, on which day; a side that is empty does not sign."""

    us: str = ""
    them: str = ""
    on: dt.date = dt.date.min

    def cells(self) -> dict[str, str]:
        """What goes into the columns of the side that signs."""
        pairs = (("agreed_by_us", self.us), ("agreed_by_them", self.them))
        return {column: f"{name}, {self.on.isoformat()}" for column, name in pairs if name}


@dataclass(frozen=True)
class Change:
    """Another target for a quarter that has begun: for which partner and goal, to what, and why."""

    partner_id: str
    goal: str
    target: str
    reason: str


@dataclass(frozen=True)
class Signed:
    """What became of it: rows signed, rows that stood so already, and rows that cannot be signed with the reason."""

    signed: tuple[Instance, ...] = ()
    already: int = 0
    refused: tuple[str, ...] = ()

    def lines(self, what: str) -> Iterator[str]:
        """For the terminal."""
        yield f"{_count(len(self.signed), what)} signed" + (
            f", {self.already} stood so already" if self.already else ""
        )
        yield from self.refused


def agree(root: Path, label: str, signature: Signature, partners: Iterable[str] = (), goal: str = "") -> Signed:
    """Sign rows of a quarter's targets; without partners all of them.

    Raises
    ------
    InputError
        For faults in params, a quarter without targets, a partner or goal without a row, or nobody who signs.
    """
    settings = params.read(root)
    quarter = _quarter(settings, label)
    if not signature.cells():
        raise InputError("nobody signs", fix='add --us "who signs for us", --them "who signs for the partner", or both')
    rows = _chosen(settings, quarter, tuple(partners), goal)
    book = goalbook.goals_book(root, quarter.label)
    signed, already, refused = [], 0, []
    for row in rows:
        at = book.find(row.partner_id, row.goal)
        if at is None:
            continue
        moved = row.moved
        if moved and row.agreed and signature.on >= quarter.start:
            refused.append(f"{row.where}: it was agreed at another target; record an amendment (pbr goals amend)")
            continue
        cells = {} if moved else {key: book.get(at, key) for key in ("agreed_by_us", "agreed_by_them")}
        cells = {key: value for key, value in cells.items() if value}
        new = {key: value for key, value in signature.cells().items() if key not in cells}
        if not new:
            already += 1
            continue
        both = {"agreed_by_us": "", "agreed_by_them": "", **cells, **new}
        both["agreed_target"] = book.get(at, "target")
        book.put(at, both)
        signed.append(row)
    book.save()
    return Signed(tuple(signed), already, tuple(refused))


def amend(root: Path, label: str, change: Change, signature: Signature) -> Signed:
    """Record another target for a row that both sides agreed to, or sign an amendment that is recorded already.

    Raises
    ------
    InputError
        For faults in params, a row that is not there or not agreed yet, a target that cannot be read, no reason.
    """
    settings = params.read(root)
    quarter = _quarter(settings, label)
    (row,) = _chosen(settings, quarter, (change.partner_id,), change.goal)[:1]
    if not row.agreed:
        what = "this target is not agreed yet, so it needs no amendment"
        raise InputError(what, row.where, "change the target in the file, then sign it: pbr goals agree")
    if not change.reason.strip():
        raise InputError("an amendment needs a reason", fix='add --reason "why the target changes"')
    cells = {"quarter": quarter.label, "partner_id": row.partner_id, "goal": row.goal, "reason": change.reason.strip()}
    cells["target"] = _cell(settings, row, change.target)
    book = goalbook.amendments_book(root)
    at = book.find(quarter.label, row.partner_id, row.goal, cells["target"])
    if at is None:
        book.add({**cells, **signature.cells()})
    else:
        new = {key: value for key, value in signature.cells().items() if not book.get(at, key)}
        if not new:
            return Signed((), 1)
        book.put(at, new)
    book.save()
    return Signed((row,))


@dataclass(frozen=True)
class Status:
    """How far the agreement of a quarter has come."""

    quarter: str
    deadline: dt.date
    rows: tuple[Agreed, ...] = field(repr=False)

    @property
    def states(self) -> dict[str, int]:
        """How many rows stand in each state."""
        found = Counter(str(one.state) for one in self.rows)
        order = ("proposed", "agreed by us", "agreed by them", "agreed", "active", "lapsed", "closed")
        return {state: found[state] for state in order if found[state]}

    def lines(self, every: bool = False) -> Iterator[str]:
        """For the terminal: counts, then every row that needs a hand; ``every`` lists the others as well."""
        partners = len({one.row.partner_id for one in self.rows})
        told = ", ".join(f"{count} {state}" for state, count in self.states.items())
        yield f"{self.quarter}: {_count(len(self.rows), 'target')} of {_count(partners, 'partner')}: {told or 'none'}"
        yield f"To be agreed by {date_text(self.deadline)}."
        for one in self.rows:
            edited = _edited(one.row)
            if every or one.remark or edited:
                remark = "; ".join(filter(None, (one.state, edited, one.remark)))
                yield f"  {one.row.partner_id}  {one.row.goal}  {remark}  ({one.row.where})"

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        rows = [
            {
                "partner_id": one.row.partner_id,
                "goal": one.row.goal,
                "state": one.state,
                "in_force": one.in_force,
                "remark": one.remark,
                "edited": _edited(one.row),
                "agreed_by_us": one.row.agreed_by_us,
                "agreed_by_them": one.row.agreed_by_them,
                "where": one.row.where,
            }
            for one in self.rows
        ]
        head = {"quarter": self.quarter, "deadline": self.deadline.isoformat(), "states": self.states}
        return {**head, "targets": rows}


def status(settings: Params, label: str, as_of: dt.date, closed: frozenset[str] = frozenset()) -> Status:
    """How far the agreement of a quarter has come, as of a day of the data."""
    quarter = _quarter(settings, label)
    rows = agreement.agreed(settings, as_of, closed)[quarter.label]
    return Status(quarter.label, agreement.deadline(quarter, settings), tuple(rows.values()))


# ---------------------------------------------------------------------------------------------- within


def _quarter(settings: Params, label: str) -> Quarter:
    quarter = settings.quarter(label)
    if quarter.label not in settings.instances:
        known = ", ".join(sorted(settings.instances)) or "none"
        fix = f"try: pbr goals renew {quarter.label} (quarters with targets: {known})"
        raise InputError("there are no targets of this quarter", f"params/goals/{quarter.label}.csv", fix)
    return quarter


def _chosen(settings: Params, quarter: Quarter, partners: tuple[str, ...], goal: str) -> list[Instance]:
    every = settings.instances[quarter.label]
    known = dict.fromkeys(row.partner_id for row in every)
    where = f"params/goals/{quarter.label}.csv"
    for partner in partners:
        if partner not in known:
            raise UnknownPartner(f'no row is of a partner "{partner}"', where, did_you_mean(partner, list(known)))
    if goal and goal not in settings.goals:
        raise InputError(f'no goal is called "{goal}"', "params/goals.yaml", did_you_mean(goal, list(settings.goals)))
    chosen = [row for row in every if row.partner_id in (partners or known) and (not goal or row.goal == goal)]
    if not chosen:
        whose = ", ".join(partners) or "any partner"
        own = sorted({row.goal for row in every if row.partner_id in (partners or known)})
        raise InputError(f'no row of {whose} has the goal "{goal}"', where, did_you_mean(goal, own))
    return chosen


def _cell(settings: Params, row: Instance, text: str) -> str:
    """A target as people typed it, checked like a cell of the file and written as the file writes it."""
    goal = settings.goals[row.goal]
    metric = settings.metrics[goal.metric]
    if not text.strip():
        raise InputError("an amendment needs a target", fix="add --to, e.g. --to 6")
    target = goalrows.typed_target(text, goal, metric, "--to")
    if target == row.target:
        raise InputError(f"the target is {aim(target, metric.unit.unit)} already", row.where, "give another one")
    return goalbook.cell(target, metric.unit.unit)


def _edited(row: Instance) -> str:
    return "changed by hand" if row.proposed is not None and row.proposed != row.target else ""


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
