"""One goal as a notebook, a table and a sentence speak of it; apart, because all three must say the same."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pbr_lib import standings
from pbr_lib.blocks import Status
from pbr_lib.model import Amount, Unit, date_text

__all__ = ["GoalView", "amount_of", "day_of", "number", "words_of"]


@dataclass(frozen=True)
class GoalView:
    """One goal as a notebook speaks of it: ``f"{goal.actual} of {goal.target} ({goal.ratio})"``."""

    facts: dict[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        return f"{self.name}: {self.tally}"

    @property
    def key(self) -> str:
        """The goal's name in params."""
        return str(self.facts["key"])

    @property
    def label(self) -> str:
        """The metric's label, with the quarter where that is one of another calendar than the pack's."""
        label, period = str(self.facts["label"]), self.facts["period"]
        return label if period is None else f"{label} ({period['label']})"

    @property
    def name(self) -> str:
        """The goal as a sentence: ``Create 5 new partner leads``."""
        return str(self.facts["name"]).replace("{target}", self.aim)

    @property
    def unit(self) -> Unit:
        """The unit of actual and target."""
        return Unit.from_json(self.facts["unit"])

    @property
    def actual(self) -> Amount:
        """What was measured; not known when the goal is not measurable."""
        return self._amount("actual")

    @property
    def target(self) -> Amount:
        """The agreed target; of a range its lower end."""
        target = self.facts["target"]
        value = target["value"] if target["value"] is not None else target["low"]
        return Amount(None if value is None else Decimal(value), self.unit)

    @property
    def aim(self) -> str:
        """The target in words: ``5``; of a range ``80 to 90``; of a milestone its day."""
        target = self.facts["target"]
        if target["due"] is not None:
            return date_text(dt.date.fromisoformat(target["due"]))
        high = Amount(number(target["high"]), self.unit)
        return f"{self.target} to {high}" if high.known else str(self.target)

    @property
    def in_progress(self) -> Amount:
        """What is under way and may still count this quarter; never part of the actual."""
        return self._amount("in_progress")

    @property
    def expected(self) -> Amount:
        """What its pace asks for by now."""
        return self._amount("expected")

    @property
    def expected_shown(self) -> Amount | None:
        """The same as a table shows it: of a count with one decimal, since 3.6 by now is not yet 4."""
        if not self.expected.known:
            return None
        return Amount(self.expected.value, Unit("number", decimals=1)) if self.unit.kind == "count" else self.expected

    @property
    def ratio(self) -> Amount:
        """Attainment, uncapped."""
        return Amount(number(self.facts["attained"]), Unit("percent"))

    @property
    def tally(self) -> str:
        """``3 of 5 (60 %)``; of a rate ``50 % against 30 % (167 %)``; of a milestone ``done, due 15 Sep 2026``."""
        if self.facts["target"]["due"] is not None:
            late = "done late" if self.actual.value else "not done"
            return f"{'done' if self.ratio.value else late if self.actual.known else self.actual}, due {self.aim}"
        link = "of" if self.unit.kind in ("count", "money") else "against"
        ratio = f" ({self.ratio})" if self.ratio.known else ""
        return f"{self.actual} {link} {self.aim}{ratio}"

    @property
    def status(self) -> Status:
        """The state in word, shape and tone."""
        return standings.status(self.facts["standing"])

    @property
    def records(self) -> int:
        """How many records stand behind the actual."""
        return int(self.facts["n"])

    def _amount(self, key: str) -> Amount:
        return Amount(number(self.facts[key]), self.unit)


def number(value: str | None) -> Decimal | None:
    """A number of a slice, which holds it as text, or None."""
    return None if value is None else Decimal(value)


def amount_of(value: str | None, unit: Unit) -> Amount | None:
    """A number of a slice as an amount; None where there is none, which shows nothing."""
    return None if value is None else Amount(Decimal(value), unit)


def day_of(text: str | None) -> dt.date | None:
    """A day of a slice, or None."""
    return None if text is None else dt.date.fromisoformat(text)


def words_of(target: dict[str, Any] | None, unit: Unit) -> Amount | dt.date | str | None:
    """A target of a slice as a table cell: an amount, a range in words, a day; None where there is none."""
    if target is None:
        return None
    if target["due"] is not None:
        return dt.date.fromisoformat(target["due"])
    if target["low"] is not None:
        return f"{Amount(number(target['low']), unit)} to {Amount(number(target['high']), unit)}"
    return Amount(number(target["value"]), unit)
