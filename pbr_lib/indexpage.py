"""The page of a run, for the operator: every partner with attainment, status and links; apart, because it is
the only HTML that we write, and it is for internal eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from importlib import resources
from typing import Any

import jinja2

from pbr_lib import standings
from pbr_lib.jobs import Outcome
from pbr_lib.model import Amount, Unit
from pbr_lib.slices import Slices

__all__ = ["render"]


def render(rows: Sequence[tuple[Outcome, dict[str, Any]]], ready: Slices) -> str:
    """The page, with links relative to its own folder; all text is escaped."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resources.files("pbr_lib").joinpath("index.html.jinja").read_text("utf-8"))
    return template.render(
        quarter=ready.quarter,
        as_of=ready.as_of,
        organisation=rows[0][1]["organisation"] if rows else "",
        packs=[_row(outcome, facts) for outcome, facts in rows],
        findings=[f for f in ready.findings if f.severity != "info"][:50],
    )


def _row(outcome: Outcome, facts: dict[str, Any]) -> dict[str, Any]:
    score = facts["score"]
    value = None if score["value"] is None else Decimal(score["value"])
    return {
        "id": outcome.partner,
        "name": facts["partner"]["name"],
        "tier": facts["partner"]["tier"] or "",
        "type": standings.partner_type(facts["partner"]["partner_type"] or ""),
        "folder": outcome.folder.name,
        "state": outcome.state,
        "error": str(outcome.error) if outcome.error else "",
        "score": Amount(value, Unit("percent")).text if value is not None else "–",
        "sort": float(value) if value is not None else -1.0,
        "bar": min(max(float(value or 0), 0.0), 1.2) / 1.2 * 100,
        "status": standings.status(score["standing"]),
        "goals": [(goal["label"], standings.status(goal["standing"])) for goal in facts["goals"]],
        "findings": outcome.findings,
    }
