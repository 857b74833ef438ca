"""Ways to forecast one metric, side by side on past quarters; apart, because a forecast that a partner sees and the
back-test that it rests on must be made by the very same steps (goals.md 6.4).

A quarter is forecast with what was booked up to a day of it and with the quarters before; the origin rolls on from
quarter to quarter. Simple ways are given ranges that are fair: of counts by chance alone, of amounts as wide as they
missed in earlier quarters.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pbr_lib import calibration, countcast, curves, dealcast
from pbr_lib.bookings import Bookings
from pbr_lib.calibration import Correction
from pbr_lib.countcast import Forecast, Setting
from pbr_lib.curves import Curves
from pbr_lib.dealbook import Deals
from pbr_lib.definitions import SimpleMetric
from pbr_lib.history import History
from pbr_lib.periods import Quarter
from pbr_lib.predictive import Predictive, Samples, pinball

__all__ = ["LEVELS", "METHODS", "OURS", "RUN_RATE", "SEASONAL", "Round", "Subject", "play", "poisson_quantiles"]
__all__ += ["forecast", "pinballs", "rolled", "round_of", "taught"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]

OURS, RUN_RATE, SEASONAL = "ours", "run-rate", "seasonal-naive"
METHODS = (OURS, RUN_RATE, SEASONAL)
LEVELS = np.array([0.1, 0.5, 0.9])
_GRID = (np.arange(199) + 0.5) / 199
_WARM_UP = 2
"""How many closed quarters must lie before the first one that is forecast at all."""
_MOST_ROUNDS = 8


@dataclass(frozen=True)
class Subject:
    """One metric that grows, with everything that a forecast of it uses, for P partners.

    ``scored`` are the partners of whom a goal asks for it; ``joined`` and ``ended`` their days in the programme;
    ``groups`` and ``resting`` as in :class:`~pbr_lib.countcast.Setting`. ``deals`` are None unless it is money of won
    deals.
    """

    name: str
    metric: SimpleMetric
    history: History = field(repr=False)
    bookings: Bookings = field(repr=False)
    deals: Deals | None = field(repr=False)
    scored: Mask = field(repr=False)
    joined: Days = field(repr=False)
    ended: Days = field(repr=False)
    groups: Sequence[Ints] = field(repr=False)
    least: tuple[int, int] = (4, 5)
    draws: int = 1000
    resting: Sequence[tuple[int, dt.date, dt.date]] = field(default=(), repr=False)

    @cached_property
    def kind(self) -> str:
        """``counts``, ``won`` for money of won deals, ``flow`` for any other sum."""
        whole = bool((self.bookings.each == 1).all())
        if self.metric.unit.kind == "count" and whole:
            return "counts"
        return "won" if self.deals is not None else "flow"

    @cached_property
    def can_fall(self) -> bool:
        """Whether what is booked can be taken back, so that the final value may lie below it."""
        return bool((self.bookings.each < 0).any() or (self.deals is not None and (self.deals.amount < 0).any()))

    def setting(self, quarter: Quarter, as_of: dt.date) -> Setting:
        """For which quarter and day, and who is compared with whom."""
        return Setting(quarter, as_of, self.joined, self.ended, self.groups, *self.least, self.resting)

    def curves(self, quarter: Quarter) -> Curves | None:
        """The booking curves as known before a quarter."""
        if quarter.label not in self._curves:
            self._curves[quarter.label] = curves.draw(self.bookings, self.history.before(quarter), self.groups)[0]
        return self._curves[quarter.label]

    @cached_property
    def _curves(self) -> dict[str, Curves | None]:
        return {}

    def of_partners(self, rows: Ints, draws: int) -> Subject:
        """The same of some partners, with fewer draws: a sample is enough to score and to calibrate."""
        place = np.full(len(self.history.partners), -1, np.int64)
        place[rows] = np.arange(len(rows))
        partners = tuple(self.history.partners[at] for at in rows)
        names = ("value", "exact", "n", "member")
        history = replace(
            self.history, partners=partners, **{name: getattr(self.history, name)[rows] for name in names}
        )
        kept = self.bookings.only(place[self.bookings.partner] >= 0)
        who = place[kept.partner]
        order = np.argsort(who, kind="stable")
        more = {name: getattr(kept, name)[order] for name in ("quarter", "day", "each", "records")}
        return replace(
            self,
            history=history,
            bookings=replace(kept, partners=partners, partner=who[order], **more),
            deals=None if self.deals is None else self.deals.of_partners(rows),
            scored=self.scored[rows],
            joined=self.joined[rows],
            ended=self.ended[rows],
            groups=tuple(group[rows] for group in self.groups),
            draws=draws,
            resting=tuple((int(place[at]), first, last) for at, first, last in self.resting if place[at] >= 0),
        )


def forecast(subject: Subject, quarter: Quarter, as_of: dt.date) -> Forecast:
    """What a quarter will come to as seen at the end of a day, by the way that is made for this kind of metric."""
    setting = subject.setting(quarter, as_of)
    if subject.kind == "won" and subject.deals is not None:
        return dealcast.won(subject.deals, subject.bookings, subject.history, setting, subject.draws)
    drawn = subject.curves(quarter)
    if subject.kind == "counts":
        return countcast.forecast(subject.history, subject.bookings, drawn, setting)
    return countcast.flow(subject.history, subject.bookings, drawn, setting, subject.name)


# ----------------------------------------------------------------------------------------------- rounds


@dataclass(frozen=True)
class Round:
    """One quarter forecast in all ways at one point of it, for P partners.

    ``rows`` are the partners that are scored: the final value is known, and every way has something to say. ``what``
    gives the distributions by method, ``points`` the single values that the simple ways multiply or copy; ``scale`` is
    a usual value of each partner.
    """

    quarter: Quarter
    as_of: dt.date
    actual: Floats = field(repr=False)
    booked: Floats = field(repr=False)
    scale: Floats = field(repr=False)
    rows: Ints = field(repr=False)
    ours: Forecast = field(repr=False)
    what: Mapping[str, Predictive] = field(repr=False)
    points: Mapping[str, Floats] = field(repr=False)
    counts: bool
    can_fall: bool

    def ranges(self, method: str, correction: Correction | None = None) -> Floats:
        """Low, middle and high end, an array of P by 3; corrected, and never below what is booked."""
        middle = self.what[method].quantile(np.array([0.5]))[:, 0]
        low, high = (correction or calibration.as_they_are()).of(self.what[method], self.scale)
        out = np.stack([low, middle, high], axis=1)
        if not self.can_fall:
            out = np.maximum(out, self.booked[:, None])
        return np.maximum.accumulate(out, axis=1)

    @cached_property
    def lesson(self) -> Floats:
        """What each scored partner teaches about how wide our ranges must be: the level that would have held the final
        value, and by how much of its width the range missed it (see ``calibration``); an array of cases by 2.
        """
        ends = self.what[OURS].quantile(np.array([0.1, 0.9]))
        missed = calibration.width_scores(ends[:, 0], ends[:, 1], self.actual, self.scale)
        return np.stack([calibration.levels_needed(self.what[OURS], self.actual), missed], axis=1)[self.rows]

    def missed(self, method: str) -> Floats:
        """By how much the point of a simple way missed, in usual values of each scored partner."""
        return ((self.actual - self.points[method]) / self.scale)[self.rows]


def play(subject: Subject, elapsed: float) -> list[Round]:
    """Every closed quarter that can be forecast, at a share of its business days; the oldest first."""
    history = subject.history
    held = [at for at in range(len(history.quarters)) if history.usable[:, at].any()]
    rounds: list[Round] = []
    for at in held[_WARM_UP:][-_MOST_ROUNDS:]:
        quarter = history.quarters[at]
        rounds.append(round_of(subject, quarter, dealcast.day_at(quarter, elapsed), rounds))
    return rounds


def round_of(subject: Subject, quarter: Quarter, as_of: dt.date, before: Sequence[Round]) -> Round:
    """One quarter in all ways; ``before`` are earlier rounds, from which simple ways know how far they miss."""
    column = subject.history.column[quarter.key]
    usable = subject.history.usable[:, column]
    actual = np.where(usable, subject.history.value[:, column], np.nan)
    booked = subject.bookings.by(quarter, as_of)[0]
    scale = _scale(subject.history, quarter)
    ours = forecast(subject, quarter, as_of)
    points = _points(subject.history, quarter, as_of, booked)
    what: dict[str, Predictive] = {OURS: ours.predictive}
    counts = subject.kind == "counts"
    left = 1 - quarter.elapsed(as_of)
    for method, point in points.items():
        if counts:
            draws = _by_chance(method, point, booked, left)
        else:
            errors = [each.missed(method) for each in before]
            draws = _by_errors(point, scale, np.concatenate(errors) if errors else np.zeros(0))
        what[method] = Samples(draws if subject.can_fall else np.maximum(draws, booked[:, None]))
    sayable = np.isfinite(np.stack([*points.values()])).all(axis=0)
    rows = np.flatnonzero(usable & subject.scored & ours.enough & sayable)
    return Round(quarter, as_of, actual, booked, scale, rows, ours, what, points, counts, subject.can_fall)


def _scale(history: History, quarter: Quarter) -> Floats:
    """A usual value of each partner: its mean before the quarter, not less than a tenth of all partners' mean."""
    before = history.before(quarter)
    size = np.where(before.usable, np.abs(before.value), 0.0)
    n = before.usable.sum(axis=1)
    pool = size.sum() / max(n.sum(), 1)
    own = np.where(n > 0, size.sum(axis=1) / np.maximum(n, 1), pool)
    return np.asarray(np.maximum(own, 0.1 * pool if pool > 0 else 1.0), np.float64)


def _points(history: History, quarter: Quarter, as_of: dt.date, booked: Floats) -> dict[str, Floats]:
    """The single values of the simple ways; NaN where one has nothing to say."""
    elapsed = quarter.elapsed(as_of)
    rate = booked / elapsed if elapsed > 0 else np.full(len(booked), np.nan)
    naive = np.full(len(booked), np.nan)
    for back in (-1, -4):
        at = history.column.get(quarter.shift(back).key)
        if at is not None:
            naive = np.where(history.usable[:, at], history.value[:, at], naive)
    return {RUN_RATE: rate, SEASONAL: naive}


def _by_chance(method: str, point: Floats, booked: Floats, left: float) -> Floats:
    """Counts that stray as chance alone lets them: of a rate what remains, of a former quarter the whole."""
    point = np.nan_to_num(point)
    if method == RUN_RATE:
        return booked[:, None] + poisson_quantiles(point * left, _GRID)
    return poisson_quantiles(point, _GRID)


def _by_errors(point: Floats, scale: Floats, errors: Floats) -> Floats:
    point = np.nan_to_num(point)
    if len(errors) < calibration.LEAST_CASES:
        return np.repeat(point[:, None], len(_GRID), axis=1)
    return point[:, None] + scale[:, None] * np.quantile(errors, _GRID)[None, :]


def poisson_quantiles(mean: Floats, levels: Floats) -> Floats:
    """The least whole numbers whose Poisson probability reaches each of rising levels: means by levels."""
    out = np.zeros((len(mean), len(levels)))
    large = mean > 400
    if large.any():  # where a normal is as good to within a tenth of a count
        z = np.interp(levels, *_NORMAL)
        out[large] = np.maximum(np.rint(mean[large, None] + z * np.sqrt(mean[large, None]) + (z**2 - 1) / 6), 0)
    rows = np.flatnonzero(~large)
    chance = np.exp(-mean[rows])
    upto, k = chance.copy(), 0
    while len(rows):
        out[rows] = np.where(levels[None, :] > upto[:, None] + 1e-12, k + 1, out[rows])
        going = upto < levels[-1]
        rows, chance, upto = rows[going], chance[going], upto[going]
        k += 1
        chance = chance * mean[rows] / k
        upto = upto + chance
    return out


def _normal() -> tuple[Floats, Floats]:
    z = np.linspace(-6, 6, 2401)
    density = np.exp(-(z**2) / 2)
    upto = np.cumsum(density)
    return (upto - density / 2) / upto[-1], z


_NORMAL = _normal()


# ---------------------------------------------------------------------------------------------- lessons


def taught(rounds: Sequence[Round]) -> Correction:
    """The correction of our ranges that some rounds teach."""
    lessons = np.concatenate([np.zeros((0, 2)), *(each.lesson for each in rounds)])
    if rounds and rounds[0].counts:
        return calibration.by_level(lessons[:, 0])
    return calibration.by_width(lessons[:, 1], lessons[:, 0])


def pinballs(ranges: Floats, actual: Floats) -> Floats:
    """The mean pinball loss of low, middle and high end, case by case."""
    losses = [pinball(actual, ranges[:, at], float(level)) for at, level in enumerate(LEVELS)]
    return np.asarray(np.stack(losses).mean(axis=0), np.float64)


def rolled(rounds: Sequence[Round]) -> Iterator[tuple[Round, Correction]]:
    """Each round with the correction that the rounds before it teach."""
    for at, each in enumerate(rounds):
        yield each, taught(rounds[:at])
