"""Which way of forecasting is shown for each metric, as the back-test says, and kept; apart, because every build,
renewal and check asks for it, and it changes only with the exports, the definitions and the code.

Rows of targets have no part in it: which way comes closest is a matter of what was measured.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pbr_lib import backtest, files, forecast_subjects, ingest
from pbr_lib.contest import OURS
from pbr_lib.ground import Ground

__all__ = ["Tried", "of"]


@dataclass(frozen=True)
class Tried:
    """By metric the way that is shown (see ``scores.Backtest.choice``), and on how many partner-quarters ours was tried
    with which share of final values held.
    """

    metrics: Mapping[str, tuple[str, int, float]]

    def choice(self, metric: str) -> str:
        """Which way is shown; empty when none is to be trusted, and ours where there was nothing to try it on."""
        return self.metrics[metric][0] if metric in self.metrics else OURS

    def held(self, metric: str) -> tuple[int, float]:
        """On how many partner-quarters our range was tried, and which share of final values it held."""
        return self.metrics[metric][1:] if metric in self.metrics else (0, float("nan"))


def of(ground: Ground) -> Tried:
    """What the back-test of a ground says, read from the store where nothing that it rests on has changed since."""
    path = _place(ground)
    digest = _digest(ground)
    known = files.read_json(path)
    if isinstance(known, dict) and known.get("digest") == digest:
        return Tried({name: (way, count, share) for name, (way, count, share) in known["metrics"].items()})
    tested = backtest.of(ground)
    metrics = ground.params.metrics
    asked = sorted({goal.metric for goal in ground.params.goals.values()})
    found = {
        name: (tested.choice(name), *tested.held(name))
        for name in asked
        if not forecast_subjects.why_not(metrics[name])
    }
    files.write_json(path, {"digest": digest, "metrics": found})
    return Tried(found)


def _place(ground: Ground) -> Path:
    return ingest.store_folder(ground.params) / "tried" / f"{ground.quarter.label}.json"


def _digest(ground: Ground) -> str:
    """One name for all that the back-test rests on."""
    params = ground.params
    written = (params.workbook, params.metrics, params.goals, params.sources, params.rates)
    entered = (params.crosswalk, params.facts, params.pauses)
    state = (ground.quarter.key, ingest.fingerprint(params), files.code_digest(), *written, *entered)
    return hashlib.sha256("\n".join(map(repr, state)).encode()).hexdigest()
