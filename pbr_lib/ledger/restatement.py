"""What an issued pack would say today, and why not the same; apart, because it is pure: two states of one partner's
goals go in, and differences come out that add up to the last digit.

An issued figure stays what it is. Beside it stands what the same goal is now, and for each record what happened to
it. A *revision* is fuller data, such as records that came late and were to be expected; a *correction* mends an
error. Which differences are worth a new pack, the workbook decides.
"""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from typing import Any, Literal

from pbr_lib.ledger.changes import KINDS, Change, Circumstances, Fact, Facts, Key, Kind, by_key, changes
from pbr_lib.ledger.frozen import Evidence, Reason, State
from pbr_lib.model import Amount, Unit, percent_text

__all__ = ["Cause", "Fact", "Facts", "Restatement", "Side", "Terms", "compare", "reason_for"]

_ZERO = Decimal(0)
_PLACES = Decimal("1e-10")  # of the steps by which a mean or a ratio moves; sums are exact
_ROUNDING = Decimal("1e-9")
_EXACT = Context(prec=80)  # wide enough that no sum of amounts is rounded


@dataclass(frozen=True)
class Side:
    """One partner's goals at one time: as issued, or as measured now.

    ``known_at`` is the newest day that the exports spoke for; ``fx_hash`` names the state of the plan rates.
    """

    states: Sequence[State]
    evidence: Sequence[Evidence] = field(repr=False)
    known_at: dt.date
    fx_hash: str = ""


@dataclass(frozen=True)
class Terms:
    """Whose goals are compared, and by which rules.

    ``materiality`` is the share of the target from which a difference is worth a new pack; ``revision_until`` the
    last day on which late records are still to be expected.
    """

    partner_id: str
    materiality: Decimal
    revision_until: dt.date


@dataclass(frozen=True)
class Cause:
    """One reason why a figure differs: a record and what happened to it, or what concerns all of them.

    ``difference`` is its part, None where the figure is not known on one side; ``fuller`` says that it was to be
    expected and is no error.
    """

    kind: Kind
    table: str
    record_id: str
    difference: Decimal | None
    words: str
    fuller: bool = False


@dataclass(frozen=True)
class Restatement:
    """One goal whose figure is no longer what was issued.

    The differences of ``causes`` add up to ``difference``, which is None where either figure is not known.
    ``proposed`` says whether a new pack is proposed, ``why`` in words; ``definitions`` are the old and the new one
    where they differ; ``note`` remarks on the target, which stays as issued.
    """

    goal: str
    metric: str
    unit: Unit
    issued: Decimal | None
    now: Decimal | None
    difference: Decimal | None
    causes: tuple[Cause, ...]
    kind: Literal["revision", "correction"]
    proposed: bool
    why: str
    definitions: tuple[str, str] | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values, amounts with their printed text."""
        causes = [{**vars(cause), "difference": self._amount(cause.difference)} for cause in self.causes]
        amounts = {name: self._amount(getattr(self, name)) for name in ("issued", "now", "difference")}
        definitions = None if self.definitions is None else list(self.definitions)
        rest = {**vars(self), "unit": self.unit.as_json(), "causes": causes, "definitions": definitions}
        return {**rest, **amounts}

    def _amount(self, value: Decimal | None) -> dict[str, Any]:
        return Amount(value, self.unit).as_json()


def compare(issued: Side, now: Side, facts: Facts, terms: Terms) -> tuple[Restatement, ...]:
    """Every issued goal whose figure, records or definition are not the same now, by goal.

    Parameters
    ----------
    issued:
        What the pack said.
    now:
        What measuring says today; a goal that was not issued is not looked at.
    facts:
        Looks up changed records in the tables as they are now.
    terms:
        Partner, materiality, and until when late records are to be expected.
    """
    after = {state.goal: state for state in now.states}
    old, new = _by_goal(issued.evidence), _by_goal(now.evidence)
    out = []
    for state in sorted(issued.states, key=lambda each: each.goal):
        key = state.goal
        if state == after.get(key) and old[key] == new[key]:
            continue
        case = _circumstances(state, after.get(key), issued, now, terms)
        found = _Goal(state, after.get(key), by_key(old[key]), by_key(new[key]), case)
        restated = found.restated(facts, terms.materiality)
        if restated is not None:
            out.append(restated)
    return tuple(out)


def reason_for(restated: Iterable[Restatement], names: Mapping[str, str]) -> tuple[Reason, str]:
    """What a new pack would give as its reason: the kind, and each proposed goal in words.

    ``names`` maps goals to what people call them. Both are empty where no new pack is proposed.
    """
    wanted = [each for each in restated if each.proposed]
    if not wanted:
        return "", ""
    kind: Reason = "correction" if any(each.kind == "correction" for each in wanted) else "revision"
    return kind, "; ".join(_told(each, names.get(each.goal, each.goal)) for each in wanted)


def _told(restated: Restatement, name: str) -> str:
    sums: dict[Kind, Decimal] = defaultdict(Decimal)
    for cause in restated.causes:
        sums[cause.kind] += cause.difference or _ZERO
    parts = [f"{kind} {Amount(sums[kind], restated.unit)}" if sums[kind] else kind for kind in KINDS if kind in sums]
    figures = f"{Amount(restated.issued, restated.unit)} issued, {Amount(restated.now, restated.unit)} now"
    return f"{name}: {figures}" + (f" ({', '.join(parts)})" if parts else "")


def _by_goal(evidence: Iterable[Evidence]) -> dict[str, list[Evidence]]:
    out: dict[str, list[Evidence]] = defaultdict(list)
    for record in evidence:
        out[record.goal].append(record)
    return out


def _circumstances(state: State, after: State | None, issued: Side, now: Side, terms: Terms) -> Circumstances:
    return Circumstances(
        partner_id=terms.partner_id,
        metric=state.metric,
        unit=Unit.from_json(dict(state.unit)),
        issued_known=issued.known_at,
        now_known=now.known_at,
        revision_until=terms.revision_until,
        other_rates=issued.fx_hash != now.fx_hash,
        other_definition=after is not None and after.definition_hash != state.definition_hash,
    )


# ------------------------------------------------------------------------------------------- one goal


@dataclass(frozen=True)
class _Goal:
    """One goal then and now, with its records."""

    before: State
    after: State | None
    old: Mapping[Key, Evidence]
    new: Mapping[Key, Evidence]
    case: Circumstances

    def restated(self, facts: Facts, materiality: Decimal) -> Restatement | None:
        """The difference with its causes; None when there is nothing to tell."""
        was, now = self.before.actual, None if self.after is None else self.after.actual
        if was is None or now is None:
            difference, causes = None, self._unknown(was, now)
        else:
            difference = _EXACT.subtract(now, was)
            causes = self._causes(changes(self.old, self.new, facts, self.case), difference)
        note = self._note()
        if not causes and not note and not self.case.other_definition:
            return None
        why = self._material(difference, causes, materiality)
        definitions = None
        if self.case.other_definition and self.after is not None:
            definitions = (self.before.definition, self.after.definition)
        telling = [cause for cause in causes if cause.difference != 0]
        fuller = bool(telling) and all(cause.fuller for cause in telling)
        return Restatement(
            goal=self.before.goal,
            metric=self.before.metric,
            unit=self.case.unit,
            issued=was,
            now=now,
            difference=difference,
            causes=causes,
            kind="revision" if fuller else "correction",
            proposed=bool(why),
            why=why,
            definitions=definitions,
            note=note,
        )

    def _unknown(self, was: Decimal | None, now: Decimal | None) -> tuple[Cause, ...]:
        """Causes where a figure is not known on one side: it has no difference, since unknown is not zero."""
        if self.after is None:
            return (Cause("definition", "", "", None, "this goal is no longer measured for the partner"),)
        if was is None and now is None:
            return ()
        if was is None:
            unconverted = any(r.counts is None and r.amount is not None for r in self.old.values())
            if self.case.other_rates and unconverted:
                return (Cause("rate", "", "", None, "a plan rate that was missing has been published", True),)
            words = f"measurable now; when issued it was not: {self.before.reason}".rstrip(": ")
            return (Cause("source", "", "", None, words, fuller=True),)
        return (Cause("source", "", "", None, f"not measurable now: {self.after.reason}".rstrip(": ")),)

    def _causes(self, found: Sequence[Change], difference: Decimal) -> tuple[Cause, ...]:
        """Each change with its part of the difference, and what the records do not explain."""
        out: list[Cause] = []
        with localcontext(_EXACT):
            value = self._value()
            held = {key: record.counts for key, record in self.old.items()}
            last = value(held)
            for group in _grouped(found):
                for change in group:
                    if change.stays:
                        held[change.key] = change.to
                    else:
                        held.pop(change.key, None)
                reached = value(held)
                part = _ZERO if reached is None or last is None else reached - last
                last = last if reached is None else reached
                out.append(_cause(group, part))
            return tuple(self._rest(out, difference - sum((c.difference or _ZERO for c in out), _ZERO)))

    def _rest(self, causes: list[Cause], rest: Decimal) -> list[Cause]:
        """The causes, made to add up: rounding goes to the last, more than rounding gets a cause of its own."""
        if not rest:
            return causes
        if causes and (abs(rest) < _ROUNDING or self.case.other_definition):
            at = next((i for i, cause in enumerate(causes) if cause.kind == "definition"), len(causes) - 1)
            if abs(rest) < _ROUNDING or causes[at].kind == "definition":
                causes[at] = Cause(**{**vars(causes[at]), "difference": (causes[at].difference or _ZERO) + rest})
                return causes
        if self.case.other_definition:
            return [*causes, Cause("definition", "", "", rest, "the definition is another")]
        return [*causes, Cause("unlisted", "", "", rest, "by what is not listed record by record")]

    def _value(self) -> Callable[[Mapping[Key, Decimal | None]], Decimal | None]:
        """What makes the figure of what records count; None where records do not give it."""
        ways: dict[str, Callable[[list[Decimal]], Decimal]] = {
            "sum": lambda counts: sum(counts, _ZERO),
            "average": lambda counts: sum(counts, _ZERO) / len(counts),
            "median": statistics.median,
            "min": min,
            "max": max,
        }
        way = ways.get(self.before.aggregate)
        if way is not None:

            def simple(held: Mapping[Key, Decimal | None]) -> Decimal | None:
                counts = [value for value in held.values() if value is not None]
                if self.before.aggregate == "sum":
                    return way(counts)
                return way(counts).quantize(_PLACES) if counts else None

            return simple
        scale = self._scale()
        return lambda held: None if scale is None else _times(_quotient(held), scale)

    def _scale(self) -> Decimal | None:
        """What a quotient of the records is multiplied with to give the issued figure."""
        if self.before.aggregate == "ratio":
            return Decimal(1)
        quotient = _quotient({key: record.counts for key, record in self.old.items()})
        return self.before.actual / quotient if quotient and self.before.actual is not None else None

    def _note(self) -> str:
        if self.after is None or self.after.target == self.before.target:
            return ""
        return "the target was changed after the pack was issued; the issued target stands"

    def _material(self, difference: Decimal | None, causes: Sequence[Cause], materiality: Decimal) -> str:
        """Why a new pack is proposed, in words; empty when none is."""
        if difference is None:
            return "a figure became known or unknown" if causes else ""
        same_target = self.after is not None and self.after.target == self.before.target
        if self.after is not None and same_target and self.after.standing != self.before.standing:
            return f"{self.after.standing} now, {self.before.standing} when issued"
        if not difference:
            return ""
        base = _base(self.before.target)
        if not base:
            return "any difference counts where the target is no number above 0"
        share = abs(difference) / base
        words = f"{percent_text(share, 1)} of the target, {percent_text(materiality, 1)} or more is worth a new pack"
        return words if share >= materiality else ""


def _grouped(found: Sequence[Change]) -> Iterable[Sequence[Change]]:
    """Changes that have one cause: those of a record that stands above and below a line, all of a definition."""

    def cause(change: Change) -> tuple[str, str, str]:
        key = change.key
        return ("definition", "", "") if change.kind == "definition" else (change.kind, key.table, key.record_id)

    for _, group in itertools.groupby(found, cause):
        yield tuple(group)


def _cause(group: Sequence[Change], part: Decimal) -> Cause:
    first = group[0]
    if first.kind != "definition":
        return Cause(first.kind, first.key.table, first.key.record_id, part, first.words, first.fuller)
    gone = {change.key[1:] for change in group if not change.stays}
    other = {change.key[1:] for change in group} - gone
    words = f"the definition is another: {len(gone)} of the issued records no longer count"
    return Cause("definition", "", "", part, f"{words}, {len(other)} count anew or otherwise")


def _quotient(held: Mapping[Key, Decimal | None]) -> Decimal | None:
    above = sum((v for key, v in held.items() if key.role == "numerator" and v is not None), _ZERO)
    below = sum((v for key, v in held.items() if key.role == "denominator" and v is not None), _ZERO)
    return above / below if below else None


def _times(value: Decimal | None, scale: Decimal) -> Decimal | None:
    return None if value is None else (value * scale).quantize(_PLACES)


def _base(target: Mapping[str, Any]) -> Decimal | None:
    """What a difference is held against: the target's number, of a range its upper end."""
    text = target.get("value") or target.get("high")
    return abs(Decimal(text)) if text else None
