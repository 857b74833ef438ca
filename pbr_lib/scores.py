"""The scores of forecasts that were made of past quarters, and how they are told; apart, because whoever reads or shows
them needs no metric, no engine and no way of forecasting.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pbr_lib import calibration
from pbr_lib.contest import METHODS, OURS, SEASONAL, pinballs

__all__ = ["Backtest", "band", "no_cases"]

_FAIR = (0.7, 0.95)
_CERTAIN = 1 - 1e-9
_BINS = np.array([0.2, 0.4, 0.6, 0.8, _CERTAIN])
_KEYS = ["at", "method"]
_NUMBERS = ["low", "middle", "high", "actual", "p_met", "met", "at", "scale"]
_TEXTS = ["metric", "quarter", "partner_id", "method"]


@dataclass(frozen=True)
class Backtest:
    """What came of every forecast.

    ``cases`` has a row for each metric, quarter, partner, point and method: metric, quarter, partner_id, at, method,
    low, middle, high, actual, scale (the metric's mean value), p_met and met (NaN without a target). ``skipped`` says
    of each metric of a goal that has no cases why.
    """

    cases: pd.DataFrame = field(repr=False)
    labels: Mapping[str, str]
    skipped: Mapping[str, str]
    as_of: str

    @property
    def quarters(self) -> tuple[str, ...]:
        """The quarters that were scored, the oldest first."""
        return tuple(dict.fromkeys(self.cases["quarter"].sort_values()))

    @cached_property
    def pooled(self) -> pd.DataFrame:
        """The scores of all metrics together, one row for each point and method (see :meth:`by_metric`)."""
        return _scored(self.cases, _KEYS)

    @cached_property
    def by_metric(self) -> pd.DataFrame:
        """One row for each metric, point and method.

        Columns: cases; pinball and interval, the mean losses as a share of the metric's mean value; coverage of the
        80 % range, and between which numbers it lies nineteen times of twenty if it holds (band_low, band_high);
        targets, and brier, the mean squared error of the chance of meeting one.
        """
        return _scored(self.cases, ["metric", *_KEYS])

    @cached_property
    def whole(self) -> pd.DataFrame:
        """One row for each metric and method, over all points."""
        return _scored(self.cases, ["metric", "method"])

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """What became of our chances: for each range of them targets, the mean chance, and the share that was met.

        Targets that were certain, met already mostly, stand apart: they are no feat.
        """
        ours = self.cases[(self.cases["method"] == OURS) & self.cases["met"].notna()]
        place = np.searchsorted(_BINS, ours["p_met"].to_numpy(), side="right")
        edges = [0.0, *_BINS, 1.0]
        rows = []
        for at in range(len(edges) - 1):
            some = ours[place == at]
            chance, met = (float(some[name].mean()) if len(some) else math.nan for name in ("p_met", "met"))
            rows.append((edges[at], edges[at + 1], len(some), chance, met))
        return pd.DataFrame(rows, columns=["from", "to", "targets", "chance", "met"])

    def choice(self, metric: str) -> str:
        """Which way of forecasting is shown for a metric: ours if it beats both others, else the better of these.

        Empty when that one's range is not to be trusted either. Without enough cases to tell, ours stands untested.
        """
        rows = self.whole[self.whole["metric"] == metric].set_index("method")
        if not len(rows) or rows.loc[OURS, "cases"] < calibration.LEAST_CASES:
            return OURS
        best = min(METHODS, key=lambda method: (float(rows.loc[method, "pinball"]), METHODS.index(method)))
        fair = _FAIR[0] <= float(rows.loc[best, "coverage"]) <= _FAIR[1]
        return best if best == OURS or fair else ""

    def held(self, metric: str) -> tuple[int, float]:
        """On how many partner-quarters our range of a metric was tried, and which share of final values it held."""
        some = self.cases[(self.cases["metric"] == metric) & (self.cases["method"] == OURS)]
        return len(some), float(_held(some).mean()) if len(some) else math.nan

    def as_json(self) -> dict[str, Any]:
        """Everything but the cases, as plain values."""
        return {
            "as_of": self.as_of,
            "quarters": list(self.quarters),
            "view": "today's view of the past",
            "pooled": _plain(self.pooled),
            "metrics": _plain(self.by_metric),
            "reliability": _plain(self.reliability),
            "brier": [_value(each) for each in self.brier],
            "shown": {metric: self.choice(metric) for metric in self.labels},
            "skipped": dict(self.skipped),
        }

    def lines(self) -> list[str]:
        """The scores as text for a terminal."""
        out = [*textwrap.wrap(self._about(), 100), ""]
        for title, table in self._tables():
            out += [title, *_aligned(table), ""]
        return [*out, *self._left_out()]

    def markdown(self) -> str:
        """The scores as Markdown, for a page of documentation."""
        out = [*textwrap.wrap(self._about(), 120), ""]
        for title, table in self._tables():
            out += [f"**{title}**", "", *_piped(table), ""]
        return "\n".join([*out, *(f"* {line}" for line in self._left_out())]).rstrip() + "\n"

    def _about(self) -> str:
        if not len(self.cases):
            return "Nothing to score: no closed quarter has enough quarters before it."
        span = f"{self.quarters[0]} to {self.quarters[-1]}" if len(self.quarters) > 1 else self.quarters[0]
        return (
            f"Quarters {span}, seen from {self.as_of}: today's view of the past. Each way of forecasting stands with "
            "its pinball loss as a share of the metric's mean value (less is better), and with the share of final "
            "values that its 80 % range held. Ours is held against the run-rate and against the same quarter last year."
        )

    def _tables(self) -> list[tuple[str, list[list[str]]]]:
        if not len(self.cases):
            return []
        named = self.by_metric.assign(metric=self.by_metric["metric"].map(self.labels))
        out = [("All metrics", _side_by_side(self.pooled, [])), ("By metric", _side_by_side(named, ["metric"]))]
        words = {OURS: "ours", "": "none"}
        rows = [["metric", "shown", "partner-quarters", "held"]]
        for metric, label in self.labels.items():
            count, share = self.held(metric)
            chosen = self.choice(metric)
            rows.append([label, words.get(chosen, chosen), f"{count:,}", f"{share:.0%}".replace("%", " %")])
        out.append(("What is shown", rows))
        if self.reliability["targets"].sum():
            chances = [["chance", "targets", "mean chance", "met"]]
            for row in self.reliability.itertuples(index=False):
                low, high, count, chance, met = row
                said = [_percent(chance), _percent(met)] if count else ["–", "–"]
                span = "certain" if low == _CERTAIN else f"{_percent(low)} to {_percent(high)}"
                chances.append([span, f"{count:,}", *said])
            whole, unsure = self.brier
            title = f"Chances of meeting a target (Brier score {whole:.3f}, without the certain ones {unsure:.3f})"
            out.append((title, chances))
        return out

    @cached_property
    def brier(self) -> tuple[float, float]:
        """The mean squared error of our chances, and the same without those that were certain (NaN without any)."""
        ours = self.cases[(self.cases["method"] == OURS) & self.cases["met"].notna()]
        error, unsure = (ours["p_met"] - ours["met"]) ** 2, ours["p_met"] < _CERTAIN
        return float(error.mean()), float(error[unsure].mean())

    def _left_out(self) -> list[str]:
        return [f"Not scored: {metric}: {reason}." for metric, reason in self.skipped.items()]


def no_cases() -> pd.DataFrame:
    """The table of cases without any."""
    columns: dict[str, Any] = {name: pd.Series(dtype=object) for name in _TEXTS}
    return pd.DataFrame(columns | {name: pd.Series(dtype=float) for name in _NUMBERS})


# ----------------------------------------------------------------------------------------------- scores


def _held(cases: pd.DataFrame) -> npt.NDArray[np.bool_]:
    low, high, actual = (cases[name].to_numpy(np.float64) for name in ("low", "high", "actual"))
    return calibration.covered(low, high, actual)


def _scored(cases: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    columns = ["cases", "pinball", "interval", "coverage", "band_low", "band_high", "targets", "brier"]
    if not len(cases):
        return pd.DataFrame(columns=[*keys, *columns])
    low, middle, high, y, scale = (
        cases[name].to_numpy(np.float64) for name in ("low", "middle", "high", "actual", "scale")
    )
    missed = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    marks = cases[keys].assign(
        pinball=pinballs(np.stack([low, middle, high], axis=1), y) / scale,
        interval=((high - low) + 2 / (1 - calibration.NOMINAL) * missed) / scale,
        coverage=_held(cases).astype(float),
        targets=cases["met"].notna(),
        brier=(cases["p_met"] - cases["met"]) ** 2,
        cases=1,
    )
    how = {"cases": "sum", "pinball": "mean", "interval": "mean", "coverage": "mean", "targets": "sum", "brier": "mean"}
    out = marks.groupby(keys, sort=False).agg(how).reset_index()
    bands = [band(int(count), calibration.NOMINAL) for count in out["cases"]]
    out["band_low"], out["band_high"] = [each[0] for each in bands], [each[1] for each in bands]
    return out[[*keys, *columns]]


def band(count: int, share: float) -> tuple[int, int]:
    """Between which numbers of hits a share lies nineteen times of twenty, if it is true (a binomial band).

    80 % of 12 gives 7 to 12, of 100 gives 72 to 88. Partners of one quarter share its luck, so that this is the least
    by which coverage may stray.
    """
    if count == 0:
        return 0, 0
    k = np.arange(count + 1)
    choose = np.array([math.lgamma(count + 1) - math.lgamma(i + 1) - math.lgamma(count - i + 1) for i in k])
    upto = np.cumsum(np.exp(choose + k * math.log(share) + (count - k) * math.log(1 - share)))
    return int(np.searchsorted(upto, 0.025)), int(np.searchsorted(upto, 0.975))


# ----------------------------------------------------------------------------------------------- tables


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _side_by_side(scores: pd.DataFrame, keys: list[str]) -> list[list[str]]:
    """One line for each key and point, methods beside one another, with the band that coverage is accepted on."""
    names = {SEASONAL: "last year"}
    head = [*keys, "at", "cases"]
    for method in METHODS:
        head += [names.get(method, method), "held"]
    rows = [[*head, "80 % accepted"]]
    for key, group in scores.groupby([*keys, "at"], sort=False):
        by = group.set_index("method")
        first = by.loc[OURS]
        line = [*(str(part) for part in key[:-1]), _percent(key[-1]), f"{int(first['cases']):,}"]
        for method in METHODS:
            line += [f"{by.loc[method, 'pinball']:.4f}", _percent(by.loc[method, "coverage"])]
        count = int(first["cases"])
        line.append(f"{_percent(first['band_low'] / count)} to {_percent(first['band_high'] / count)}")
        rows.append(line)
    return rows


def _aligned(table: list[list[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    return [
        "  "
        + "  ".join(
            cell.ljust(w) if at == 0 else cell.rjust(w) for at, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]


def _piped(table: list[list[str]]) -> list[str]:
    rule = ["---"] + ["---:"] * (len(table[0]) - 1)
    return ["| " + " | ".join(row) + " |" for row in (table[0], rule, *table[1:])]


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.to_dict("records")
    return [{str(key): _value(value) for key, value in row.items()} for row in rows]


def _value(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else round(float(value), 6)
    return int(value) if isinstance(value, int | np.integer) else value
