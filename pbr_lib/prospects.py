"""Where the goals of a quarter are heading, for all partners: the pace that its past asks for, the likely range at its
end, the chance to meet the target; apart, because packs, checks and proposals ask for the same forecast, and it is
made once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pbr_lib import bookings, countcast, curves, forecast_subjects, outlook, results, tried
from pbr_lib.countcast import Forecast, Setting
from pbr_lib.curves import Curves
from pbr_lib.ground import Ground
from pbr_lib.outlook import Outlook, Prospect
from pbr_lib.pacing import PaceShare
from pbr_lib.periods import Quarter

__all__ = ["Prospects", "at_start"]

Floats = npt.NDArray[np.float64]

_FINE = Decimal("0.000001")
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Prospects:
    """The forecasts of a ground's quarter, made as they are asked for, each once for all partners."""

    ground: Ground
    _prospects: dict[tuple[str, str], Prospect] = field(default_factory=dict, repr=False)
    _curves: dict[tuple[str, str], Curves | None] = field(default_factory=dict, repr=False)
    _outlooks: dict[str, dict[str, Outlook]] = field(default_factory=dict, repr=False)

    def _running(self, quarter: Quarter) -> bool:
        """Whether a quarter is under way, so that there is anything to forecast."""
        return quarter.start <= self.ground.as_of < quarter.last_day

    def _period(self, key: str) -> Quarter:
        """The quarter of a goal in its own calendar."""
        return self.ground.period(self.ground.params.goals[key], self.ground.quarter)

    @cached_property
    def _tested(self) -> tried.Tried:
        return tried.of(self.ground)

    @cached_property
    def _targets(self) -> dict[str, dict[str, Any]]:
        """The target that counts by goal and partner."""
        out: dict[str, dict[str, Any]] = {key: {} for key in self.ground.params.goals}
        for partner_id in self.ground.partners:
            for key, one in results.targets(self.ground, partner_id, self.ground.quarter).items():
                out[key][partner_id] = one.instance.target
        return out

    def outlook(self, key: str, partner_id: str) -> Outlook | None:
        """Where a goal of a partner is heading; None once the quarter is over."""
        quarter = self._period(key)
        if not self._running(quarter):
            return None
        if key not in self._outlooks:
            metric = self.ground.params.goals[key].metric
            self._outlooks[key] = self._prospect(metric, quarter).outlooks(self._targets[key])
        return self._outlooks[key][partner_id]

    def p_met(self, key: str, partner_id: str) -> Decimal | None:
        """The chance to meet the target, where there is a forecast."""
        found = self.outlook(key, partner_id)
        return None if found is None or found.p_met is None else Decimal(repr(found.p_met))

    def middle(self, key: str, partner_id: str) -> Decimal | None:
        """What the forecast expects a goal to come to at the end of its quarter, or None."""
        quarter = self._period(key)
        if not self._running(quarter):
            return None
        prospect = self._prospect(self.ground.params.goals[key].metric, quarter)
        at = prospect.row.get(partner_id)
        if at is None or prospect.reason[at]:
            return None
        return Decimal(repr(round(float(prospect.ranges[at, 1]), 6)))

    def share(self, key: str, partner_id: str) -> PaceShare | None:
        """The share of a goal's final value that its past had booked by now; None where days are to be counted."""
        found, quarter = self._curve_of(key), self._period(key)
        if found is None or not self._running(quarter):
            return None
        elapsed = quarter.elapsed(self.ground.as_of)
        share = float(_counted(found, partner_id, np.array([elapsed]), self._spans(key, partner_id))[0])
        return PaceShare(Decimal(repr(round(share, 6))).quantize(_FINE), f"from {found.basis(partner_id)}")

    def curve(self, key: str, partner_id: str) -> list[str] | None:
        """The expected share at the end of each day of the quarter, as text; None where days are counted."""
        found, quarter = self._curve_of(key), self._period(key)
        if found is None or not self._running(quarter):
            return None
        spans = self._spans(key, partner_id)
        shares = _counted(found, partner_id, bookings.day_shares(quarter), spans)
        return [f"{share:.6f}" for share in shares.tolist()]

    def _spans(self, key: str, partner_id: str) -> list[tuple[float, float]]:
        """The shares of the quarter's business days between which a goal's days count; empty where all of them do."""
        quarter = self._period(key)
        clock = self.ground.clock(partner_id, quarter, key)
        if clock.since is None and clock.counted is None:
            return []
        return [
            (quarter.elapsed(start - _DAY) if start > quarter.start else 0.0, quarter.elapsed(end - _DAY))
            for start, end in clock.spans
        ]

    def _curve_of(self, key: str) -> Curves | None:
        goal = self.ground.params.goals[key]
        metric = self.ground.params.metrics[goal.metric]
        if goal.pace != "history" or forecast_subjects.why_not(metric):
            return None
        quarter = self._period(key)
        place = (goal.metric, quarter.key)
        if place not in self._curves:
            subject = forecast_subjects.subject_of(self.ground, goal.metric, quarter.calendar)
            before = subject.history.before(quarter)
            self._curves[place] = curves.draw(subject.bookings, before, subject.groups)[0]
        return self._curves[place]

    def _prospect(self, metric: str, quarter: Quarter) -> Prospect:
        place = (metric, quarter.key)
        if place not in self._prospects:
            self._prospects[place] = outlook.prospect(self.ground, metric, self._tested, quarter)
        return self._prospects[place]


def _counted(found: Curves, partner_id: str, elapsed: Floats, spans: list[tuple[float, float]]) -> Floats:
    """The shares booked by some points of what the days that count usually book; of all days without a span."""
    shares = found.shares_of(partner_id, elapsed)
    if not spans:
        return shares
    ends = found.shares_of(partner_id, np.array(spans).ravel()).reshape(-1, 2).tolist()
    whole = sum(end - start for start, end in ends)
    passed = np.zeros(len(shares))
    for start, end in ends:
        passed += np.minimum(np.maximum(shares, start), end) - start
    return passed / whole if whole > 0 else np.ones(len(shares))


def at_start(ground: Ground, metric: str, quarter: Quarter) -> Forecast:
    """What a metric may come to in a quarter, as judged before it begins."""
    found = ground.params.metrics[metric]
    booked = None
    if not forecast_subjects.why_not(found):
        booked = forecast_subjects.subject_of(ground, metric).bookings
    return countcast.at_start(found, ground.history(metric), _setting(ground, metric, quarter), booked)


def _setting(ground: Ground, metric: str, quarter: Quarter) -> Setting:
    workbook = ground.params.workbook
    joined, ended = ground.days("joined_on"), ground.days("ended_on")
    least = (workbook.smart.least_quarters, workbook.smart.least_peers)
    return Setting(quarter, ground.as_of, joined, ended, ground.peers.groups, *least, ground.resting(metric))
