"""What was issued, as packs and renewals ask for it; apart, because most workbooks have no ledger yet, and asking must
cost them nothing and make nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pbr_lib.params import Params

if TYPE_CHECKING:
    from pbr_lib.ledger.database import Ledger

__all__ = ["Figure", "Record", "address", "consult", "digest", "opened", "slices_of"]

Place = tuple[str, str, str]


@dataclass(frozen=True)
class Figure:
    """One goal as its final pack shows it; ``target`` is the target as used, in plain JSON."""

    pack_id: str
    metric: str
    state: str
    actual: Decimal | None
    attained: Decimal | None
    target: Mapping[str, Any]
    standing: str
    n_records: int
    definition_hash: str


@dataclass(frozen=True)
class Record:
    """The quarters that are closed, and every figure issued in them by (quarter, partner, goal)."""

    closed: frozenset[str] = frozenset()
    figures: Mapping[Place, Figure] = field(default_factory=dict, repr=False)


def address(params: Params) -> str:
    """Where the workbook's ledger is."""
    from pbr_lib.ledger import database

    return database.place(params.workbook.close.ledger, params.output)


def consult(params: Params, quarters: Iterable[str]) -> Record:
    """The figures that were issued as final in some quarters; nothing where there is no ledger."""
    if not exists(params):
        return Record()
    with opened(params) as book:
        found = book.issued_results(quarters)
        places = zip(found.quarter, found.partner_id, found.goal, strict=True)
        facts = (found.pack_id, found.metric, found.state, found.actual, found.attained, found.target)
        rest = (found.standing, found.n_records, found.definition_hash)
        figures = (Figure(*row) for row in zip(*facts, *rest, strict=True))
        return Record(frozenset(book.closed()), dict(zip(places, figures, strict=True)))


def exists(params: Params) -> bool:
    """Whether the workbook has a ledger yet; nothing is made."""
    if not params.workbook.close.ledger and not (params.output / "ledger.sqlite").exists():
        return False  # the database's library takes half a second to load, and most workbooks need none of it
    from pbr_lib.ledger import database

    return database.exists(address(params))


def opened(params: Params) -> Ledger:
    """The workbook's ledger; it must be there."""
    from pbr_lib.ledger import database

    return database.open_ledger(address(params), create=False)


def slices_of(params: Params, quarter: str) -> dict[str, bytes]:
    """The frozen slice of every final pack of a quarter, by partner: what these packs are made from, for ever."""
    if not exists(params):
        return {}
    with opened(params) as book:
        packs = book.issued(quarter, final=True)
        return {partner: book.slice(pack.pack_id) for partner, pack in packs.items()}


def digest(params: Params) -> str:
    """One name for the state of the ledger; empty where there is none."""
    if not exists(params):
        return ""
    with opened(params) as book:
        packs = (pack for quarter in book.quarters() for pack in book.packs(quarter))
        told = [f"{pack.pack_id}:{pack.slice_sha256}" for pack in packs] + sorted(book.closed())
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
