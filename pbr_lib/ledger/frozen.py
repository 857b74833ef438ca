"""What is frozen when a pack is issued: its run, its figures, its records; apart, because closing makes these values,
the ledger keeps them, and restatements compare them, and none of the three needs to know the others.

Money and shares are Decimal here and text in the ledger, since a database without a decimal type would round them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from pbr_lib.definitions import Metric, SimpleMetric, Spec

__all__ = ["Draft", "Evidence", "Issued", "Reason", "Receipt", "Results", "Run", "State", "Status"]
__all__ += ["canonical", "definition_hash"]

Status = Literal["provisional", "final"]
Reason = Literal["", "revision", "correction"]
"""Why a final pack is issued again: fuller data that were to be expected, or an error."""


@dataclass(frozen=True)
class Run:
    """What figures were made from.

    ``as_of`` is the business day up to which they count, ``known_at`` the newest day that any export speaks for; both
    come from the data and never from a clock. The hashes name the state of the definitions (``config_hash``), of
    everything in params (``params_hash``) and of the plan rates (``fx_hash``); ``calendar`` says in a line how
    quarters are cut; ``extracts`` are the exports with their fingerprints.
    """

    quarter: str
    as_of: dt.date
    known_at: dt.date
    config_hash: str
    params_hash: str
    code_version: str
    fx_hash: str
    calendar: str
    extracts: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def run_id(self) -> str:
        """A name that equal runs share: made from all that the run is, and from nothing else."""
        facts = [self.quarter, self.as_of.isoformat(), self.known_at.isoformat(), self.config_hash, self.params_hash]
        facts += [self.code_version, self.fx_hash, self.calendar, canonical(list(self.extracts))]
        return f"{self.quarter}-run-{hashlib.sha256(canonical(facts).encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class State:
    """One goal as a pack shows it.

    ``state`` is what measuring said (value, zero, unknown, not_started), ``reason`` why there is no value; ``target``
    is the target as used, in plain JSON; ``aggregate`` says how the records make the actual (sum, average, median,
    min, max, ratio, or given when they do not). ``definition`` is the metric in words, ``definition_hash`` its name.
    """

    goal: str
    metric: str
    state: str
    actual: Decimal | None
    target: Mapping[str, Any]
    attained: Decimal | None = None
    in_progress: Decimal | None = None
    standing: str = ""
    n_records: int = 0
    definition_hash: str = ""
    definition: str = ""
    unit: Mapping[str, Any] = field(default_factory=dict)
    aggregate: str = "sum"
    reason: str = ""


class Evidence(NamedTuple):
    """One record behind one goal; a tuple, since a quarter of a large programme has hundreds of thousands.

    ``counts`` is what it adds to the figure, None where it has no value; ``amount`` is in the record's own
    ``currency``; ``share`` is the part of the credit that is the partner's; None where not known.
    """

    goal: str
    table: str
    record_id: str
    role: str
    counts: Decimal | None
    day: dt.date | None = None
    amount: Decimal | None = None
    currency: str = ""
    share: Decimal | None = None


@dataclass(frozen=True)
class Draft:
    """A pack that is to be issued: everything about it but its number, which the ledger gives.

    ``sha256`` holds the fingerprints of pack.pdf and pack.xlsx by file name; ``slice`` is the JSON that the pack was
    made from, byte for byte.
    """

    partner_id: str
    quarter: str
    edition: str
    status: Status
    sha256: Mapping[str, str]
    slice: bytes = field(repr=False)
    states: tuple[State, ...] = field(repr=False)
    evidence: tuple[Evidence, ...] = field(repr=False)
    reason_code: Reason = ""
    reason: str = ""


@dataclass(frozen=True)
class Issued:
    """A pack as the ledger knows it; ``supersedes`` is the id of the pack that it takes the place of."""

    pack_id: str
    run_id: str
    partner_id: str
    quarter: str
    edition: str
    status: Status
    supersedes: str
    reason_code: Reason
    reason: str
    sha256: Mapping[str, str]
    slice_sha256: str
    known_at: dt.date
    number: int = 1


@dataclass(frozen=True)
class Results:
    """Issued figures of many packs, as columns of one length, sorted by quarter, partner and goal.

    Renewal and comparatives read these: the newest final pack of each partner and quarter, never a recomputation.
    """

    quarter: tuple[str, ...]
    partner_id: tuple[str, ...]
    goal: tuple[str, ...]
    metric: tuple[str, ...]
    state: tuple[str, ...]
    actual: tuple[Decimal | None, ...]
    attained: tuple[Decimal | None, ...]
    target: tuple[Mapping[str, Any], ...]
    standing: tuple[str, ...]
    n_records: tuple[int, ...]
    definition_hash: tuple[str, ...]
    pack_id: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.goal)


@dataclass(frozen=True)
class Receipt:
    """What a close did.

    ``written`` are the packs issued now; ``kept`` the partners whose final pack was there already. ``already`` says
    that the quarter was closed before and nothing was changed; ``closed`` whether it is closed now.
    """

    quarter: str
    written: tuple[Issued, ...] = field(repr=False)
    kept: tuple[str, ...] = field(repr=False)
    already: bool
    closed: bool


def canonical(value: Any) -> str:
    """A value as JSON with sorted keys, so that equal values give equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def definition_hash(metric: str, metrics: Mapping[str, Metric]) -> str:
    """The name of a metric's definition: it changes when the definition, or one that it is made of, does.

    Labels and descriptions are no part of it, nor is a key that stands at its default, written down or not.
    """
    spec = metrics[metric]
    names = (metric,) if isinstance(spec, SimpleMetric) else (metric, *spec.parts)
    return hashlib.sha256(canonical({name: _spec(metrics[name]) for name in names}).encode()).hexdigest()[:16]


def _spec(part: Spec) -> dict[str, Any]:
    """What is set otherwise than by default, so that a key which a later release adds renames no definition."""
    keys = {name: key for name, key in type(part).model_fields.items() if name not in ("label", "about")}
    values = {name: getattr(part, name) for name, key in keys.items() if getattr(part, name) != key.default}
    return {name: _spec(value) if isinstance(value, Spec) else repr(value) for name, value in values.items()}
