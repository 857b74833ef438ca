"""What a run says at its end, line by line; apart, so that words for the terminal are tested without one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pbr_lib import standings
from pbr_lib.batch import Run
from pbr_lib.model import Amount, Unit

__all__ = ["summary"]


def summary(run: Run) -> Iterator[str]:
    """Where the packs are, and what stands out: partners behind, odd data, failures with cell and error."""
    states = Counter(outcome.state for outcome in run.outcomes)
    counts = ", ".join(f"{states[state]} {state}" for state in ("built", "unchanged", "failed") if states[state])
    packs = "1 pack" if len(run.outcomes) == 1 else f"{len(run.outcomes)} packs"
    yield f"{packs} of {run.slices.quarter}, data as of {run.slices.as_of}: {counts}"
    yield f"  in    {run.folder}"
    index = run.folder / "index.html"
    if index.is_file():
        yield f"  open  {index}"
    facts = [json.loads(run.slices.path(outcome.partner).read_bytes()) for outcome in run.outcomes]
    yield from _standing(facts)
    yield from _findings(run)
    for outcome in run.failed:
        yield ""
        yield f"■ {outcome.partner} failed: {outcome.error}"


def _standing(facts: list[dict[str, Any]]) -> Iterator[str]:
    counts = Counter(fact["score"]["standing"] for fact in facts)
    words = [f"{n} {standings.status(word)}" for word, n in counts.most_common()]
    if words:
        yield f"  partners: {', '.join(words)}"
    behind = [fact for fact in facts if standings.status(fact["score"]["standing"]).tone == "bad"]
    behind.sort(key=lambda fact: Decimal(fact["score"]["value"] or 0))
    for fact in behind[:5]:
        score = Amount(Decimal(fact["score"]["value"] or 0), Unit("percent"))
        name = fact["partner"]["name"]
        yield f"    {score.text:>6}  {fact['partner']['partner_id']}  {name if len(name) <= 60 else name[:59] + '…'}"


def _findings(run: Run) -> Iterator[str]:
    notable = [finding for finding in run.slices.findings if finding.severity != "info"]
    if notable:
        yield f"  {len(notable)} findings in the data; pbr check lists them"
    glyphs = [(outcome.partner, text) for outcome in run.outcomes for text in outcome.findings]
    for partner, text in glyphs[:5]:
        yield f"  ◆ {partner}: {text}"
    if len(glyphs) > 5:
        yield f"  ◆ and {len(glyphs) - 5} more remarks; see each manifest.json"
