"""The rows of targets that people agree on, one file for each quarter, with what changes them later: amendments and
pauses; apart, because renewal, agreement and the reading of params all speak of these rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from pbr_lib import catalogue
from pbr_lib.csvfile import CsvFile, Row
from pbr_lib.definitions import Goal, Metric, Target, day, number
from pbr_lib.errors import InputError, parted

__all__ = ["AMENDMENT_COLUMNS", "GOAL_COLUMNS", "PAUSE_COLUMNS", "Amendment", "Instance", "Pause"]
__all__ += ["amendments", "instance", "pauses", "read_target", "typed_target"]

GOAL_COLUMNS: tuple[str, ...] = ("partner_id", "goal", "target", "stretch", "red_flag", "weight")
GOAL_COLUMNS += ("owner_us", "owner_them", "agreed_by_us", "agreed_by_them", "basis")
GOAL_COLUMNS += ("proposed", "agreed_target", "carried")
AMENDMENT_COLUMNS = ("quarter", "partner_id", "goal", "target", "reason", "agreed_by_us", "agreed_by_them")
PAUSE_COLUMNS = ("partner_id", "goal", "first_day", "last_day", "reason")


@dataclass(frozen=True)
class Instance:
    """A goal of one partner in one quarter: the target, and who agreed to it.

    ``proposed`` is what renewal wrote: a target that differs from it was changed by hand. ``agreed_target`` is what
    was signed: a target that differs from it was changed afterwards, and is signed anew, or, once both sides have
    agreed and the quarter has begun, needs an amendment. ``carried`` is the part of the target that makes up for the
    quarter before; it is carried once.
    """

    partner_id: str
    goal: str
    target: Target
    stretch: Decimal | None = None
    red_flag: Decimal | None = None
    weight: Decimal | None = None
    owner_us: str = ""
    owner_them: str = ""
    agreed_by_us: str = ""
    agreed_by_them: str = ""
    basis: str = ""
    where: str = ""
    proposed: Target | None = None
    agreed_target: Target | None = None
    carried: Decimal | None = None

    @property
    def agreed(self) -> bool:
        """Whether both sides have agreed."""
        return bool(self.agreed_by_us and self.agreed_by_them)

    def aimed(self, target: Target, stretch: Decimal | None, red_flag: Decimal | None) -> Instance:
        """The same row with another target and bounds; ``dataclasses.replace`` takes five times as long."""
        return Instance(
            self.partner_id,
            self.goal,
            target,
            stretch,
            red_flag,
            self.weight,
            self.owner_us,
            self.owner_them,
            self.agreed_by_us,
            self.agreed_by_them,
            self.basis,
            self.where,
            self.proposed,
            self.agreed_target,
            self.carried,
        )

    @property
    def moved(self) -> bool:
        """Whether the target was changed after somebody had signed it."""
        signed = bool(self.agreed_by_us or self.agreed_by_them)
        was = self.agreed_target
        return signed and was is not None and was is not self.target and was != self.target


@dataclass(frozen=True)
class Amendment:
    """Another target for a quarter that has begun, with its reason; it holds once both sides have agreed."""

    quarter: str
    partner_id: str
    goal: str
    target: Target
    reason: str
    agreed_by_us: str = ""
    agreed_by_them: str = ""
    where: str = ""

    @property
    def agreed(self) -> bool:
        """Whether both sides have agreed."""
        return bool(self.agreed_by_us and self.agreed_by_them)


@dataclass(frozen=True)
class Pause:
    """Days, both ends included, on which a goal rests (``goal`` empty: all goals of the partner)."""

    partner_id: str
    goal: str
    first_day: dt.date
    last_day: dt.date
    reason: str
    where: str = ""


def instance(row: Row, goal: Goal, metric: Metric | None) -> Instance | None:
    """One row as an instance, or None where its target cannot be read (which is noted)."""
    target = read_target(row, goal, metric)
    if target is None:
        return None
    percent = metric is not None and metric.unit.kind == "percent"
    text = row.cells.get
    return Instance(
        text("partner_id", ""),
        text("goal", ""),
        target,
        row.number("stretch", percent),
        row.number("red_flag", percent),
        _weight(row),
        text("owner_us", ""),
        text("owner_them", ""),
        text("agreed_by_us", ""),
        text("agreed_by_them", ""),
        text("basis", ""),
        row.where,
        read_target(row, goal, metric, "proposed"),
        read_target(row, goal, metric, "agreed_target"),
        row.number("carried", percent),
    )


def read_target(row: Row, goal: Goal, metric: Metric | None, column: str = "target") -> Target | None:
    """A target as the row writes it: a number, ``85 %``, ``80..90`` or a day; None when empty or faulty (noted)."""
    text = row.text(column)
    if not text:
        return None
    try:
        if goal.target.kind == "done_by":
            return Target(done_by=day(text))
        if goal.target.kind == "between":
            low, dots, high = text.partition("..")
            if not dots:
                raise ValueError(f'"{text}" is no range; write one like 80..90')
            bounds = (number(low), number(high))
            for bound in bounds:
                catalogue.check_percent(bound, metric)
            return Target(between=bounds)
        catalogue.check_percent(number(text), metric)
        base = "" if goal.target.base is None else str(goal.target.base)
        return _single(goal.target.kind, base, text)
    except ValidationError as error:
        row.fault(column, *parted(error.errors()[0]["ctx"]["error"]))
    except ValueError as error:
        row.fault(column, *parted(error))
    return None


@lru_cache(maxsize=65_536)
def _single(kind: str, base: str, text: str) -> Target:
    # Thousands of partners have the same few targets, in quarter after quarter.
    return Target.model_validate({kind: number(text), "from": Decimal(base) if base else None})


def typed_target(text: str, goal: Goal, metric: Metric | None, where: str) -> Target:
    """A target as somebody typed it, checked like a cell of the file.

    Raises
    ------
    InputError
        When it is empty or cannot be read; ``where`` says what was typed into.
    """
    asked = Row(CsvFile(Path(), where, ("target",), ()), 1, {"target": text.strip()})
    target = read_target(asked, goal, metric)
    if target is not None:
        return target
    if asked.file.errors:
        raise InputError(asked.file.errors[0].what, where, asked.file.errors[0].fix)
    raise InputError("there is no target here", where, "write one like 6, 85 %, 80..90 or 2026-09-15")


def _weight(row: Row) -> Decimal | None:
    weight = row.number("weight")
    if weight is not None and weight < 0:
        row.fault("weight", f"{weight} is no weight", "write 0 or more")
    return weight


def amendments(rows: Iterable[Row], goals: Mapping[str, Goal], metrics: Mapping[str, Metric]) -> Iterator[Amendment]:
    """``params/amendments.csv``; rows of goals that are not defined are left to the caller, who tells of them."""
    for row in rows:
        goal = goals.get(row.text("goal"))
        if goal is None or not row.text("reason"):
            continue
        target = read_target(row, goal, metrics.get(goal.metric))
        if target is not None:
            who = (row.text("reason"), row.text("agreed_by_us"), row.text("agreed_by_them"))
            yield Amendment(row.text("quarter"), row.text("partner_id"), row.text("goal"), target, *who, row.where)


def pauses(rows: Iterable[Row]) -> Iterator[Pause]:
    """``params/pauses.csv``."""
    for row in rows:
        first, last = row.date("first_day"), row.date("last_day")
        if first is None or last is None:
            continue
        if last < first:
            row.fault("last_day", f"{last} lies before the first day, {first}", "write the later of the two days here")
            continue
        yield Pause(row.text("partner_id"), row.text("goal"), first, last, row.text("reason"), row.where)
