"""Distributions of what may come, and how they are drawn from few quarters of many partners; apart, because this is
the one door to scipy, and its formulas have oracles of their own (goals.md 3.3, 6.2 and 11).

One idea carries all: a partner with few quarters is drawn towards those that are like it, the more the fewer it has.
Every distribution here implements :class:`pbr_lib.predictive.Predictive`, for all partners at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pbr_lib.predictive import Samples

__all__ = ["Amounts", "BetaBinomial", "GammaPoisson", "Normal", "Peers", "Rates", "StudentT"]
__all__ += ["compound", "means", "rates", "shares", "steps"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_ALPHA = (1e-4, 10.0)  # so little that Poisson is the limit, so much that nothing can be said
_UNLIKE = 0.02  # partners are never taken for more alike than this: the square of how far their means lie apart
_MOST_TRIALS = 200
_MANY_RECORDS = 25.0
_HAIR = 1e-9


def _special() -> Any:
    """scipy's functions, imported when first needed, since most commands never do."""
    from scipy import special

    return special


@dataclass(frozen=True)
class Peers:
    """Who is like whom: an array for each way of grouping, the narrowest first, with the number of each one's group.

    A group counts when at least ``least`` others in it have history; else the next way is tried, at last all partners.
    """

    groups: Sequence[Ints] = field(default=(), repr=False)
    least: int = 5

    def towards(self, total: Floats, weight: Floats) -> tuple[Floats, Ints]:
        """The mean of each partner's peers without itself (NaN without any), and how many of them have history."""
        has = (weight > 0).astype(np.float64)
        everyone = np.zeros(len(total), np.int64)
        mean, peers = np.full(len(total), np.nan), np.zeros(len(total), np.int64)
        open_ = np.ones(len(total), bool)
        for group in (*self.groups, everyone):
            number = np.unique(group, return_inverse=True)[1].reshape(-1)
            others = [np.bincount(number, each)[number] - each for each in (total, weight, has)]
            count = np.rint(others[2]).astype(np.int64)
            enough = open_ & (count >= (1 if group is everyone else self.least))
            mean[enough] = others[0][enough] / others[1][enough]
            peers[enough] = count[enough]
            open_ &= ~enough
        return mean, peers


# ---------------------------------------------------------------------------------------------- counts


@dataclass(frozen=True)
class GammaPoisson:
    """Counts of a quarter: what is booked, and a negative binomial for what remains (goals.md 6.2).

    The rate per whole quarter is Gamma(``shape``, ``rate``) before the quarter begins. ``past`` and ``left`` are the
    shares of a whole quarter's usual bookings behind and ahead (1 in all, less for a partner who joined within it);
    ``booked`` is what came so far. All are arrays, one element for each partner.
    """

    shape: Floats
    rate: Floats
    past: Floats
    left: Floats
    booked: Floats

    @property
    def _terms(self) -> tuple[Floats, Floats]:
        """n and p of the negative binomial that remains."""
        rate = self.rate + self.past
        return self.shape + self.booked, rate / (rate + self.left)

    def quantile(self, levels: Floats) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        n, p = self._terms
        return np.asarray(self.booked[:, None] + _negbin_quantile(np.asarray(levels, np.float64), n, p), np.float64)

    def at_least(self, target: Floats) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        n, p = self._terms
        missing = np.ceil(target - self.booked - _HAIR)
        above = _special().betaincc(n, np.maximum(missing, 1), p)
        return np.asarray(np.where(missing <= 0, 1.0, above), np.float64)

    def at_most(self, target: Floats) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        n, p = self._terms
        room = np.floor(target - self.booked + _HAIR)
        return np.asarray(np.where(room < 0, 0.0, _special().betainc(n, np.maximum(room, 0) + 1, p)), np.float64)

    @property
    def mean(self) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        return self.booked + (self.shape + self.booked) * self.left / (self.rate + self.past)

    @property
    def variance(self) -> Floats:
        """The variance of each partner's final count."""
        n, p = self._terms
        return np.asarray(n * (1 - p) / p**2, np.float64)


def _negbin_quantile(levels: Floats, n: Floats, p: Floats) -> Floats:
    """The least whole numbers whose probability reaches the levels: bracketed by the moments, then halved."""
    cdf = _special().betainc
    shape, chance = np.repeat(n, len(levels)), np.repeat(p, len(levels))
    level = np.tile(np.minimum(levels, 1 - 1e-12), len(n)) - 1e-12
    mean = shape * (1 - chance) / chance
    high = np.ceil(mean + 3 * np.sqrt(mean / chance)) + 1
    low = np.full(len(high), -1.0)
    short = np.flatnonzero(cdf(shape, high + 1, chance) < level)
    while len(short):
        low[short] = high[short]
        high[short] *= 2
        short = short[cdf(shape[short], high[short] + 1, chance[short]) < level[short]]
    wide = np.flatnonzero(high - low > 1)
    while len(wide):
        middle = np.floor((low[wide] + high[wide]) / 2)
        reached = cdf(shape[wide], middle + 1, chance[wide]) >= level[wide]
        high[wide] = np.where(reached, middle, high[wide])
        low[wide] = np.where(reached, low[wide], middle)
        wide = wide[high[wide] - low[wide] > 1]
    return np.asarray(high.reshape(len(n), len(levels)), np.float64)


@dataclass(frozen=True)
class Rates:
    """Mean rates per quarter, drawn towards peers, and how far a quarter strays from them.

    ``mean`` is m of goals.md 6.2, known as well as Gamma(``shape``, shape / mean) says; ``alpha`` is the pooled
    over-dispersion of quarters; ``peers`` says of how many others the evidence was used.
    """

    mean: Floats = field(repr=False)
    shape: Floats = field(repr=False)
    alpha: float
    peers: Ints = field(repr=False)

    def final(self, past: Floats, left: Floats, booked: Floats) -> GammaPoisson:
        """The counts of a quarter of which a part is over (see :class:`GammaPoisson`).

        The quarter's own dispersion and what few quarters leave open about the mean are added up: with none of the
        first the rate is the Gamma of the mean itself, with none of the second its shape is 1/alpha.
        """
        spread = self.alpha + (1 + self.alpha) / self.shape
        return GammaPoisson(1 / spread, 1 / (spread * self.mean), past, left, booked)


def rates(values: Floats, peers: Peers | None = None, prior: tuple[float, float] | None = None) -> Rates:
    """Mean rates by moments, out of past counts: an array of partners by quarters, NaN where one does not count.

    ``prior`` gives shape and rate of the peers' Gamma instead of the data. A pool in which nothing ever happened is
    given half an event, so that a first one is improbable and not impossible.
    """
    known = ~np.isnan(values)
    quarters = known.sum(axis=1).astype(np.float64)
    total = np.where(known, values, 0.0).sum(axis=1)
    alpha = _dispersion(values, known, total, quarters)
    pool = max(total.sum(), 0.5) / max(quarters.sum(), 1.0)
    towards, count = (peers or Peers()).towards(total, quarters)
    own = np.divide(total, quarters, out=np.full(len(total), pool), where=quarters > 0)
    towards = np.where(np.isnan(towards), own, towards)
    towards = np.where(towards > 0, towards, min(pool, 0.5 / max(quarters.sum(), 1.0)))
    if prior is None:
        a0 = np.full(len(total), 1 / _unlike(own / towards, quarters, 1 / towards + alpha))
        b0 = a0 / towards
    else:
        a0, b0 = np.full(len(total), prior[0]), np.full(len(total), prior[1])
    shape = a0 + total
    return Rates(shape / (b0 + quarters), shape, alpha, count)


def _dispersion(values: Floats, known: Mask, total: Floats, quarters: Floats) -> float:
    """alpha of Var = mean + alpha mean^2, pooled over partners that have two quarters or more."""
    rows = quarters >= 2
    if not rows.any():
        return _ALPHA[0]
    n = quarters[rows]
    mean = total[rows] / n
    stray = np.where(known[rows], values[rows] - mean[:, None], 0.0)
    variance = (stray**2).sum(axis=1) / (n - 1)
    excess, square = ((n - 1) * (variance - mean)).sum(), ((n - 1) * (mean**2 - variance / n)).sum()
    return float(np.clip(excess / square, *_ALPHA)) if square > 0 else _ALPHA[0]


def _unlike(ratio: Floats, quarters: Floats, noise: Floats) -> float:
    """How unlike partners are: the variance between the true means, each divided by its peers' mean, by moments.

    ``noise`` is the variance of one quarter, on the same scale.
    """
    rows = quarters > 0
    n, whole = quarters[rows], quarters.sum()
    reach = whole - (n**2).sum() / max(whole, 1.0)
    if rows.sum() < 2 or reach <= 0:
        return 1.0
    seen = (n * (ratio[rows] - 1) ** 2).sum() - (noise[rows] * (1 - n / whole)).sum()
    return float(max(seen / reach, _UNLIKE))


# ---------------------------------------------------------------------------------------------- amounts


@dataclass(frozen=True)
class Amounts:
    """The amounts of past records: of all partners, and where each partner's own begin and end among them.

    ``worth`` is how many records of others an own one is drawn against: own / (own + worth) of draws are own.
    """

    each: Floats = field(repr=False)
    begin: Ints = field(repr=False)
    end: Ints = field(repr=False)
    worth: int = 10


def compound(counts: GammaPoisson, amounts: Amounts, seeds: Sequence[int], draws: int = 1000) -> Samples:
    """The sum of a random number of records, whose amounts are drawn from past ones, own and others'.

    ``counts`` speaks of records; what it holds as ``booked`` only informs the rate and is not added. Give one seed for
    each partner, so that nobody's draws depend on who else is in the programme.
    """
    out = np.zeros((len(seeds), draws))
    n, p = counts._terms
    expected = n * (1 - p) / p
    if not len(amounts.each):
        return Samples(out)
    for at, seed in enumerate(seeds):
        if expected[at] <= 0:
            continue
        dice = np.random.default_rng(seed)
        number = dice.negative_binomial(n[at], p[at], draws)
        own, begin = int(amounts.end[at] - amounts.begin[at]), int(amounts.begin[at])
        weight = own / (own + amounts.worth)
        if expected[at] > _MANY_RECORDS:
            mine = amounts.each[begin : begin + own]
            out[at] = _many(dice, number, (mine, amounts.each), weight)
            continue
        # One number from 0 to 1 says for each record whose amount it has, and which one of these.
        dot = dice.random(int(number.sum()))
        others = (dot - weight) * (len(amounts.each) / (1 - weight))
        place = np.where(dot < weight, begin + dot * (own / weight), others) if own else others
        sums = np.concatenate(([0.0], amounts.each[place.astype(np.int64)].cumsum()))
        ends = number.cumsum()
        out[at] = sums[ends] - sums[ends - number]
    return Samples(out)


def _many(dice: np.random.Generator, number: Ints, of: tuple[Floats, Floats], weight: float) -> Floats:
    """Sums of many records by their first two moments, which is all that is left of the amounts by then."""
    own, every = of
    first = weight * (own.mean() if len(own) else 0.0) + (1 - weight) * every.mean()
    second = weight * ((own**2).mean() if len(own) else 0.0) + (1 - weight) * (every**2).mean()
    spread = np.sqrt(np.maximum(second - first**2, 0) * number)
    sums = number * first + spread * dice.standard_normal(len(number))
    return np.asarray(np.maximum(sums, 0.0) if every.min() >= 0 else sums, np.float64)


# ----------------------------------------------------------------------------------------------- shares


@dataclass(frozen=True)
class BetaBinomial:
    """Shares of a whole number of trials: ``a`` and ``b`` of the Beta, ``trials`` at least one; for each partner."""

    a: Floats
    b: Floats
    trials: Floats

    def _chances(self) -> Floats:
        """The probability of 0, 1, 2 ... successes, an array of partners by the most trials and one."""
        special = _special()
        k, n = np.arange(self.trials.max(initial=1) + 1)[None, :], self.trials[:, None]
        a, b, rest = self.a[:, None], self.b[:, None], np.maximum(n - k, 0)
        choose = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(rest + 1)
        logs = choose + special.betaln(k + a, rest + b) - special.betaln(a, b)
        return np.where(k <= n, np.exp(logs), 0.0)

    def quantile(self, levels: Floats) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        sums = self._chances().cumsum(axis=1)
        reached = [(sums >= min(level, 1 - 1e-9) - 1e-12).argmax(axis=1) for level in levels]
        return np.asarray(np.array(reached).T.reshape(len(self.a), len(reached)) / self.trials[:, None], np.float64)

    def at_least(self, target: Floats) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        chances = self._chances()
        wanted = np.ceil(target * self.trials - _HAIR)
        return _sum(chances, np.arange(chances.shape[1]) >= wanted[:, None])

    def at_most(self, target: Floats) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        chances = self._chances()
        wanted = np.floor(target * self.trials + _HAIR)
        return _sum(chances, np.arange(chances.shape[1]) <= wanted[:, None])

    @property
    def mean(self) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        return self.a / (self.a + self.b)


def _sum(chances: Floats, where: Mask) -> Floats:
    return np.asarray(np.clip(np.where(where, chances, 0.0).sum(axis=1), 0.0, 1.0), np.float64)


def shares(values: Floats, trials: Ints, peers: Peers | None = None) -> tuple[BetaBinomial, Ints]:
    """What shares (0 to 1) of so many trials may come to, and of how many others the evidence was used.

    Both are arrays of partners by quarters, the values NaN where one does not count. As many trials are expected as a
    partner's quarters had in the middle; of one without any, as all partners' had.
    """
    known = ~np.isnan(values) & (trials > 0)
    n = np.where(known, trials, 0).astype(np.float64)
    hits = np.where(known, values, 0.0) * n
    n_sum, hit_sum = n.sum(axis=1), hits.sum(axis=1)
    towards, count = (peers or Peers()).towards(hit_sum, n_sum)
    own = np.divide(hit_sum, n_sum, out=np.full(len(n_sum), 0.5), where=n_sum > 0)
    p0 = np.clip(np.where(np.isnan(towards), own, towards), 0.01, 0.99)
    like = _alike(own, p0, n_sum)
    mean = (like * p0 + hit_sum) / (like + n_sum)
    # What a quarter strays and what is left open about the mean are added up, as with counts.
    within = _alike(np.where(known, values, 0.0), mean[:, None], n)
    spread = 1 / (within + 1) + 1 / (like + n_sum + 1)
    strength = np.maximum(1 / spread - 1, 0.5)
    ahead = np.array([np.median(row[at]) if at.any() else np.nan for row, at in zip(n, known, strict=True)])
    usual = np.median(n[known]) if known.any() else 1.0
    ahead = np.clip(np.rint(np.where(np.isnan(ahead), usual, ahead)), 1, _MOST_TRIALS)
    mean = np.clip(mean, 0.001, 0.999)
    return BetaBinomial(mean * strength, (1 - mean) * strength, ahead), count


def _alike(share: Floats, mean: Floats, n: Floats) -> float:
    """How many trials the mean is worth, by moments: few when shares scatter more than trials alone let them."""
    alone = np.where(n > 0, mean * (1 - mean), 0.0)
    seen = (n * (share - mean) ** 2).sum()
    count, whole = (n > 0).sum(), n.sum()
    beyond = alone[n > 0].mean() * (whole - (n**2).sum() / whole) if count > 1 else 0.0
    if beyond <= 0:
        return 10.0
    correlation = (seen - alone.sum()) / beyond
    return float(np.clip(1 / max(correlation, 1e-3) - 1, 1.0, 1000.0))


# ------------------------------------------------------------------------------------ levels and averages


@dataclass(frozen=True)
class StudentT:
    """Values around ``centre``, as wide as ``scale``, with ``freedom`` degrees; for each partner.

    ``step`` 1 stands for whole numbers, 0 for any. Nothing is below ``least``.
    """

    centre: Floats
    scale: Floats
    freedom: float
    step: float = 0.0
    least: float = -np.inf

    def quantile(self, levels: Floats) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        z = _special().stdtrit(self.freedom, np.clip(np.asarray(levels, np.float64), 1e-9, 1 - 1e-9))
        values = self.centre[:, None] + self.scale[:, None] * z[None, :]
        values = np.ceil(values - 0.5 - _HAIR) if self.step else values
        return np.asarray(np.maximum(values, self.least), np.float64)

    def at_least(self, target: Floats) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        edge = np.ceil(target - _HAIR) - 0.5 if self.step else target - _HAIR * (1 + np.abs(target))
        return np.asarray(np.where(target <= self.least, 1.0, self._above(edge)), np.float64)

    def at_most(self, target: Floats) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`."""
        edge = np.floor(target + _HAIR) + 0.5 if self.step else target + _HAIR * (1 + np.abs(target))
        return np.asarray(np.where(target < self.least, 0.0, 1 - self._above(edge)), np.float64)

    @property
    def mean(self) -> Floats:
        """See :class:`pbr_lib.predictive.Predictive`; what lies below ``least`` is not taken off."""
        return np.maximum(self.centre, self.least)

    def _above(self, edge: Floats) -> Floats:
        scale = np.maximum(self.scale, 1e-12 * (1 + np.abs(self.centre)))
        return np.asarray(_special().stdtr(self.freedom, (self.centre - edge) / scale), np.float64)


@dataclass(frozen=True)
class Normal:
    """Values drawn towards peers: their centre and scale, the degrees of freedom, and how many others were used."""

    centre: Floats = field(repr=False)
    scale: Floats = field(repr=False)
    freedom: float
    peers: Ints = field(repr=False)

    def student(self, step: float = 0.0, least: float = -np.inf) -> StudentT:
        """The distribution of the next value."""
        return StudentT(self.centre, self.scale, self.freedom, step, least)


def means(values: Floats, peers: Peers | None = None) -> Normal:
    """What values may come to that stray around a mean of their partner's: partners by quarters, NaN where unknown."""
    known = ~np.isnan(values)
    n = known.sum(axis=1).astype(np.float64)
    total = np.where(known, values, 0.0).sum(axis=1)
    own = np.divide(total, n, out=np.zeros(len(n)), where=n > 0)
    freedom = float((n[n > 0] - 1).sum())
    stray = float((np.where(known, values - own[:, None], 0.0) ** 2).sum())
    towards, count = (peers or Peers()).towards(total, n)
    towards = np.where(np.isnan(towards), own, towards)
    whole, reach = n.sum(), n.sum() - (n**2).sum() / max(n.sum(), 1.0)
    seen = float((n * (own - towards) ** 2).sum())
    within = stray / freedom if freedom > 0 else seen / max((n > 0).sum() - 1, 1)
    between = max((seen - within * ((n > 0).sum() - 1)) / reach, 0.0) if reach > 0 and whole else 0.0
    between = max(between, 0.02 * within)
    weight = n * between / np.maximum(n * between + within, 1e-300)
    open_ = between * (1 - weight)
    return Normal(towards + weight * (own - towards), np.sqrt(within + open_), max(freedom, 3.0), count)


def steps(values: Floats, peers: Peers | None = None) -> Normal:
    """What a level may come to that moves from quarter to quarter: the last known value and the usual step from it.

    A partner without any known value is given what :func:`means` says.
    """
    around = means(values, peers)
    moved = means(np.diff(values, axis=1), peers) if values.shape[1] > 1 else around
    known = ~np.isnan(values)
    has = known.any(axis=1) & (values.shape[1] > 1)
    last = values.shape[1] - 1 - known[:, ::-1].argmax(axis=1) if values.shape[1] else np.zeros(len(values), np.int64)
    latest = values[np.arange(len(values)), last] if values.shape[1] else np.full(len(values), np.nan)
    centre = np.where(has, latest + moved.centre, around.centre)
    return Normal(centre, np.where(has, moved.scale, around.scale), moved.freedom, around.peers)
