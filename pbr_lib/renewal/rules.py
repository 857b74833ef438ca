"""How a quarter's target follows from the last one (goals.md 4); apart, because these rules are pure arithmetic
that two parties sign, and must be readable beside their worked examples (docs/explanation/renewal.md).

The order is fixed: rule, growth, carry, step limit, floor and cap, proration, rounding. Up and down are treated alike,
and what is not known never counts as zero: then the last target stays, and the proposal says why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from pbr_lib.definitions import Target
from pbr_lib.model import date_text
from pbr_lib.pacing import is_flow
from pbr_lib.peers import LEAST
from pbr_lib.renewal.facts import Certainty, Flag, Frame, Log, Past, Stage, Step, actual_of, framed
from pbr_lib.renewal.rounding import percent, plain, say, signed
from pbr_lib.renewal.stages import beside, bounded

__all__ = ["Certainty", "Flag", "Past", "Proposal", "Stage", "Step", "propose"]

_ZERO, _ONE = Decimal(0), Decimal(1)
_TRAILING = 4


@dataclass(frozen=True)
class Proposal:
    """A target for the next quarter, and how it came about.

    ``target`` is None when there is nothing to propose: a milestone is done, or the partner takes no part.
    ``carried`` is the part of the target that makes up for the last quarter. ``basis`` is one line for people,
    ``flags`` say what to look at, ``steps`` every stage of the arithmetic.
    """

    target: Target | None
    stretch: Decimal | None = None
    red_flag: Decimal | None = None
    basis: str = ""
    flags: tuple[Flag, ...] = ()
    carried: Decimal = Decimal(0)
    steps: tuple[Stage, ...] = field(default=(), repr=False)


def propose(step: Step) -> Proposal:
    """The target that the goal's rule gives for the next quarter.

    A pure function: the same facts give the same proposal. Nothing raises; what cannot be worked out is flagged.
    """
    if step.eligible is not None and not step.eligible.days:
        return Proposal(None, basis=f"no target: {step.eligible.words}", flags=("not taking part",))
    kept = step.last is not None and step.last.kind == step.goal.target.kind
    log = Log([] if kept else ["target of the definition"])
    target = step.last if kept and step.last is not None else step.goal.target
    if target.done_by is not None:
        return _milestone(step, target.done_by, log)
    if target.between is not None:
        return _band(step, target, log)
    return _numeric(framed(step, target, log), log)


# ------------------------------------------------------------------------------------------------ rules

_Wish = tuple[Decimal, str]
"""What a rule gives before growth, and how it says so."""


def _uplift(frame: Frame, log: Log) -> _Wish | str:
    return frame.start, f"target {frame.said}"


def _rolling(frame: Frame, log: Log) -> _Wish | str:
    quarters = frame.step.goal.renew.quarters or _TRAILING
    found = [actual_of(frame, past, log) for past in frame.step.past[:quarters]]
    known = [each[0] for each in found if each is not None]
    if len(known) < max(2, (quarters + 1) // 2):
        return f"only {len(known)} of the last {quarters} quarters {'is' if len(known) == 1 else 'are'} known"
    if len(known) < quarters:
        log.flag("some actuals missing", f"{len(known)} of {quarters} quarters are known")
    mean = sum(known, _ZERO) / len(known)
    return mean, f"trailing-{quarters} mean {say(mean, frame.unit)}"


def _last_year(frame: Frame, log: Log) -> _Wish | str:
    then = frame.step.quarter.shift(-4)
    past = next((each for each in frame.step.past if each.quarter == then), None)
    found = None if past is None else actual_of(frame, past, log)
    return f"the actual of {then.label} is not known" if found is None else (found[0], f"{then.label} {found[1]}")


def _blend(frame: Frame, log: Log) -> _Wish | str:
    found = actual_of(frame, frame.step.past[0], log) if frame.step.past else None
    if found is None:
        return f"the actual of {frame.label} is not known"
    kind = "forecast" if frame.step.past[0].certainty == "forecast" else "actual"
    value = frame.start + frame.step.goal.renew.weight_on_actual * (found[0] - frame.start)
    return value, f"blend of target {frame.said} and {kind} {found[1]}"


def _peer(frame: Frame, log: Log) -> _Wish | str:
    peers = frame.step.peers
    if peers is None or peers.n < LEAST:
        log.flag("peers too few")
        return f"fewer than {LEAST} peers are known"
    return peers.value, f"{peers.words}, {say(peers.value, frame.unit)}"


_RULES: Mapping[str, Callable[[Frame, Log], _Wish | str]] = {
    "uplift": _uplift,
    "rolling_average": _rolling,
    "same_quarter_last_year": _last_year,
    "blend": _blend,
    "peer": _peer,
}


def _ruled(frame: Frame, log: Log) -> _Wish:
    """The rule and its growth; where the rule has nothing to go by, the last target and the reason."""
    renew = frame.step.goal.renew
    own = "target of the definition" in log.flags
    stays = f"target of the definition, {frame.said}" if own else f"same as {frame.label}"
    if frame.start != frame.given:
        stays += f": {frame.said}"
    if renew.rule == "manual":
        log.flag("to be set by hand", "to be set by hand")
    rule = _RULES.get(renew.rule)
    found = "" if rule is None else rule(frame, log)
    if isinstance(found, str):
        if found and renew.rule != "peer":
            log.flag("missing actual")
        what = stays + (f", as {found}" if found else "")
        log.stage("rule", frame.start, what)
        log.stage("growth", frame.start, "nothing to grow")
        return frame.start, what
    value, what = found
    log.stage("rule", value, what)
    grown = _grown(value, renew.by)
    if renew.by:
        mean = renew.rule == "rolling_average"
        what += f" × {plain(_ONE + renew.by):.2f}" if mean else f" {signed(renew.by, percent(abs(renew.by)))}"
    log.stage("growth", grown, signed(renew.by, percent(abs(renew.by))) if renew.by else "nothing to grow by")
    return grown, what


def _grown(value: Decimal, by: Decimal | None) -> Decimal:
    """Growth adds to a value; to one below zero as well, which is then less below."""
    return value if not by else value + abs(value) * by


# ----------------------------------------------------------------------------------------------- stages


def _numeric(frame: Frame, log: Log) -> Proposal:
    """Through all stages, in their order."""
    value, what = _ruled(frame, log)
    carry = _carry(frame, log)
    target = bounded(frame, value + carry, log)
    carried = target - bounded(frame, value, Log()) if carry else _ZERO
    if carried:
        log.flag("carried")
        what += f": {say(target - carried, frame.unit)} {signed(carried, say(abs(carried), frame.unit))} carried"
    step, higher = frame.step, frame.target.kind == "at_least"
    own = "target of the definition" in log.flags
    stretch, red_flag = (step.goal.stretch, step.goal.red_flag) if own else (step.stretch, step.red_flag)
    return Proposal(
        _target(frame.target, target),
        beside(frame, stretch, target, above=higher),
        beside(frame, red_flag, target, above=not higher),
        _basis(frame, what, target, log),
        tuple(log.flags),
        carried,
        tuple(log.stages),
    )


def _target(last: Target, value: Decimal) -> Target:
    """The same kind of target with another number."""
    if value == last.value:
        return last
    return _target_of(last.kind, value, last.base)


@lru_cache(maxsize=16_384)
def _target_of(kind: str, value: Decimal, base: Decimal | None) -> Target:
    # All that a target is checked for holds by now, and thousands of partners have the same few targets.
    if kind == "at_least":
        return Target.model_construct(at_least=value, base=base)
    return Target.model_construct(at_most=value, base=base)


def _basis(frame: Frame, what: str, target: Decimal, log: Log) -> str:
    remarks = "".join(f", {remark}" for remark in log.remarks)
    part = frame.step.eligible
    if "prorated" in log.flags and part is not None:
        return f"{what}{remarks}, prorated to {part.days} of {part.of} days: {say(target, frame.unit)}"
    kept = target == frame.start and what.startswith(("same as", "target of the definition"))
    return what + ("" if kept else f" → {say(target, frame.unit)}") + remarks


def _carry(frame: Frame, log: Log) -> Decimal:
    """What is carried over from a quarter that fell short; of an upper limit, what it was exceeded by."""
    share, past = frame.step.goal.renew.carry_shortfall, frame.step.past
    if not share:
        log.stage("carry", None, "nothing is carried")
        return _ZERO
    if not is_flow(frame.step.metric):
        log.stage("carry", None, "nothing is carried: only what adds up over a quarter can be made up for")
        return _ZERO
    found = actual_of(frame, past[0], log) if past else None
    if found is None:
        log.flag("missing actual")
        log.stage("carry", None, f"nothing is carried: the actual of {frame.label} is not known")
        return _ZERO
    gap = frame.start - found[0]
    carry = share * (max(gap, _ZERO) if frame.target.kind == "at_least" else min(gap, _ZERO))
    log.stage("carry", carry, f"{percent(share)} of what was missed" if carry else "nothing was missed")
    return carry


# --------------------------------------------------------------------------------- milestones and bands


def _milestone(step: Step, due: dt.date, log: Log) -> Proposal:
    """Nothing once it is done; else the same day of the new quarter, its last day for a last day."""
    last = step.past[0] if step.past else None
    if last is not None and (last.first_day is not None or (last.actual and last.certainty != "forecast")):
        when = f" on {date_text(last.first_day)}" if last.first_day is not None else f" in {last.quarter.label}"
        return Proposal(None, basis=f"done{when}", flags=("done",))
    if last is not None and last.actual is None:
        log.flag("missing actual", f"whether it was done in {last.quarter.label} is not known")
    if step.goal.renew.rule == "manual":
        log.flag("to be set by hand", "to be set by hand")
    new = due
    if due >= step.quarter.start:
        what = f"due on {date_text(due)}, as before"
    else:
        old = step.quarter.calendar.quarter_of(due)
        offset = (due - old.start).days
        new = min(step.quarter.start + dt.timedelta(days=offset), step.quarter.last_day)
        new = step.quarter.last_day if due == old.last_day else new
        place = "the last day" if due == old.last_day else f"day {offset + 1}"
        what = f"{place} of the quarter, as in {old.label} → {date_text(new)}"
    log.stage("rule", None, what)
    basis = ", ".join((what, *log.remarks))
    return Proposal(Target(done_by=new), basis=basis, flags=tuple(log.flags), steps=tuple(log.stages))


def _band(step: Step, target: Target, log: Log) -> Proposal:
    """A band is something to stay within, and stays itself."""
    low, high = (say(bound, step.metric.unit.unit) for bound in target.between or ())
    label = step.past[0].quarter.label if step.past else step.quarter.shift(-1).label
    own = "target of the definition" in log.flags
    if step.goal.renew.rule == "manual":
        log.flag("to be set by hand", "to be set by hand")
    what = ("target of the definition" if own else f"same as {label}") + f", {low} to {high}"
    log.stage("rule", None, what)
    basis = ", ".join((what, *log.remarks))
    both = (step.goal.stretch, step.goal.red_flag) if own else (step.stretch, step.red_flag)
    return Proposal(target, *both, basis, tuple(log.flags), steps=tuple(log.stages))
