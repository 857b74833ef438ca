"""What became of the records behind an issued figure; apart, because telling an amended record from a deleted or a
late one is a question of its own, and what it does to the figure is another (see ``restatement``).

Whatever is said of a record is said to the partner whose record it is, or was: another partner is never named.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from pbr_lib.ledger.frozen import Evidence
from pbr_lib.model import Amount, Unit, date_text, percent_text

__all__ = ["KINDS", "Change", "Circumstances", "Fact", "Facts", "Key", "Kind", "by_key", "changes"]

Kind = Literal[
    "amended", "back-dated", "re-dated", "deleted", "re-attributed", "rate", "definition", "source", "unlisted"
]
KINDS: tuple[Kind, ...] = (
    "amended",
    "back-dated",
    "re-dated",
    "deleted",
    "re-attributed",
    "rate",
    "definition",
    "source",
    "unlisted",
)
"""The causes, in the order in which they are told and reckoned."""

_ZERO = Decimal(0)
_FINE = Decimal("0.000001")
_LEAST = Decimal("0.00005")  # a difference below the four decimals of money is rounding, not a rate


class Key(NamedTuple):
    """What names a record behind a figure."""

    role: str
    table: str
    record_id: str


@dataclass(frozen=True)
class Fact:
    """A record as the tables hold it now.

    ``day`` and ``amount`` are by the metric's own columns; ``credited`` maps the credited partners to their shares,
    None where credit is not known; ``created`` and ``claimed`` say when the record was made and when this partner's
    credit was claimed, None where no export tells. ``elsewhere`` says that the record stood behind a figure that was
    issued to another partner.
    """

    day: dt.date | None = None
    amount: Decimal | None = None
    currency: str = ""
    stage: str = ""
    credited: Mapping[str, Decimal | None] | None = None
    created: dt.date | None = None
    claimed: dt.date | None = None
    elsewhere: bool = False


Facts = Callable[[str, str, str, Sequence[str]], Mapping[str, Fact]]
"""Looks records up: (metric, role, table, ids) to facts by id; what the tables no longer hold is left out."""


@dataclass(frozen=True)
class Circumstances:
    """What is known of one goal then and now, beside its records.

    ``issued_known`` and ``now_known`` are the newest days that the exports of either time spoke for;
    ``revision_until`` is the last day on which late records are to be expected.
    """

    partner_id: str
    metric: str
    unit: Unit
    issued_known: dt.date
    now_known: dt.date
    revision_until: dt.date
    other_rates: bool = False
    other_definition: bool = False


@dataclass(frozen=True)
class Change:
    """One thing that happened to one record: what it counts afterwards (None: it is gone or has no value).

    ``stays`` says whether the record is still behind the figure; ``fuller`` whether this was to be expected, as late
    records are, and is no error.
    """

    kind: Kind
    key: Key
    to: Decimal | None
    words: str
    stays: bool = True
    fuller: bool = False


def by_key(records: Iterable[Evidence]) -> dict[Key, Evidence]:
    """The records that make a figure, by what names them; those in progress make none."""
    return {Key(r.role, r.table, r.record_id): r for r in records if r.role != "in progress"}


def changes(
    then: Mapping[Key, Evidence], now: Mapping[Key, Evidence], facts: Facts, case: Circumstances
) -> tuple[Change, ...]:
    """Everything that happened to the records of one goal, by kind, then table and id.

    One record may have several changes; each takes up where the one before left it.
    """
    gone = [key for key in then if key not in now]
    come = [key for key in now if key not in then]
    known = _look_up(sorted([*gone, *come]), facts, case.metric)
    found: list[Change] = [_gone(key, then[key], known.get(key), case) for key in gone]
    found += [_come(key, now[key], known.get(key), case) for key in come]
    for key, before in then.items():
        if key in now and before.counts != now[key].counts:
            found.extend(_moved(key, before, now[key], case))
    return tuple(sorted(found, key=lambda each: (KINDS.index(each.kind), each.key.table, each.key.record_id, each.key)))


def _look_up(keys: Iterable[Key], facts: Facts, metric: str) -> dict[Key, Fact]:
    asked: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key in keys:
        asked[key.role, key.table].append(key.record_id)
    out: dict[Key, Fact] = {}
    for (role, table), ids in asked.items():
        out |= {Key(role, table, found): fact for found, fact in facts(metric, role, table, ids).items()}
    return out


def _gone(key: Key, before: Evidence, fact: Fact | None, case: Circumstances) -> Change:
    """Why a record no longer counts."""
    if fact is None:
        return Change("deleted", key, None, "no longer in the exports: deleted or merged", stays=False)
    if fact.credited is not None and case.partner_id not in fact.credited:
        words = "credited to another partner now" if fact.credited else "credited to no partner now"
        return Change("re-attributed", key, None, words, stays=False)
    if case.other_definition:
        return Change("definition", key, None, "", stays=False)
    if fact.day is not None and before.day is not None and fact.day != before.day:
        words = f"dated {date_text(fact.day)} now, {date_text(before.day)} when issued"
        return Change("re-dated", key, None, words, stays=False)
    stage = f" (it is {fact.stage} now)" if fact.stage else ""
    return Change("amended", key, None, f"no longer meets the definition{stage}", stays=False)


def _come(key: Key, after: Evidence, fact: Fact | None, case: Circumstances) -> Change:
    """Why a record counts that did not."""
    dated = f"dated {date_text(after.day)}, " if after.day is not None else ""
    late = fact is not None and fact.created is not None and fact.created > case.issued_known
    if late and fact is not None and fact.created is not None:
        words = f"{dated}recorded {date_text(fact.created)}, after the figures were issued"
        return Change("back-dated", key, after.counts, words, fuller=fact.created <= case.revision_until)
    if fact is not None and fact.claimed is not None and fact.claimed > case.issued_known:
        words = f"credited to this partner since {date_text(fact.claimed)}"
        return Change("re-attributed", key, after.counts, words)
    if fact is not None and fact.elsewhere:
        return Change("re-attributed", key, after.counts, "credited to another partner when the figures were issued")
    if case.other_definition:
        return Change("definition", key, after.counts, "")
    words = f"{dated}counted since the figures were issued"
    return Change("back-dated", key, after.counts, words, fuller=case.now_known <= case.revision_until)


def _moved(key: Key, before: Evidence, after: Evidence, case: Circumstances) -> Iterator[Change]:
    """Why a record counts otherwise; where several things changed, each takes the part that is its own."""
    steps = [step for step in (_amended(before, after, case), _share(before, after)) if step is not None]
    left = (before.counts or _ZERO) if not steps else None
    counts = before.counts or _ZERO
    for _, factor, _ in steps:
        left = None if factor is None else counts * factor
        counts = left if left is not None else counts
    foreign = case.other_rates and after.currency not in ("", case.unit.currency)
    missed = left is not None and abs((after.counts or _ZERO) - left) > _LEAST
    if case.unit.kind == "money" and foreign and missed:
        steps.append(("rate", None, f"another plan rate for {after.currency}"))
    elif not steps:
        steps.append(_otherwise(before, after, case))
    counts = before.counts or _ZERO
    for kind, factor, words in steps[:-1]:
        counts = (counts * (factor if factor is not None else 1)).quantize(_FINE)
        yield Change(kind, key, counts, words)
    kind, _, words = steps[-1]
    yield Change(kind, key, after.counts, words, fuller=kind == "rate")


_Step = tuple[Kind, Decimal | None, str]  # the factor is None where what changed cannot be told as one


def _amended(before: Evidence, after: Evidence, case: Circumstances) -> _Step | None:
    if case.unit.kind != "money" or (before.amount, before.currency) == (after.amount, after.currency):
        return None
    same = before.currency == after.currency and before.amount and after.amount is not None
    factor = after.amount / before.amount if same and before.amount and after.amount is not None else None
    return "amended", factor, f"amount {_amount(after)} now, {_amount(before)} when issued"


def _share(before: Evidence, after: Evidence) -> _Step | None:
    if before.share is None or after.share is None or before.share == after.share:
        return None
    words = f"{_percent(after.share)} of the credit now, {_percent(before.share)} when issued"
    return "re-attributed", after.share / before.share if before.share else None, words


def _otherwise(before: Evidence, after: Evidence, case: Circumstances) -> _Step:
    if case.other_definition:
        return "definition", None, ""
    if not before.counts or not after.counts:
        instead = "in place of another record" if after.counts else "no longer: another record counts in its place"
        return "amended", None, f"counts {instead}" if before.counts is not None else "has a value now"
    unknown = before.share is None or after.share is None
    if case.unit.kind == "money" and before.amount is not None and unknown:
        return "re-attributed", None, "another share of the credit"
    value, was = Amount(after.counts, case.unit), Amount(before.counts, case.unit)
    return "amended", None, f"{value} now, {was} when issued"


def _amount(record: Evidence) -> str:
    return Amount(record.amount, Unit("money", record.currency)).text if record.currency else f"{record.amount}"


def _percent(share: Decimal) -> str:
    return percent_text(share, 0 if share * 100 == (share * 100).to_integral_value() else 1)
