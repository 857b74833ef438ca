"""The analyst's names: ``import pbr_lib as pbr`` and go. A front door without logic.

    review = pbr.load("P-001", "2026-Q3")
    review.goals
    pbr.charts.pace(review.pace())

Names are fetched when they are first used, so that the command line and the workers of a batch, which go
through here too, do not pay for drawing libraries that they never touch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pbr_lib import charts, errors
    from pbr_lib.checkview import Check
    from pbr_lib.desk import check, load, note, partners, plan
    from pbr_lib.goaldesk import Goals
    from pbr_lib.goalview import GoalView
    from pbr_lib.model import Amount, Unit
    from pbr_lib.periods import Calendar, Quarter
    from pbr_lib.review import Review

__all__ = [
    "Amount",
    "Calendar",
    "Check",
    "GoalView",
    "Goals",
    "Quarter",
    "Review",
    "Unit",
    "charts",
    "check",
    "errors",
    "load",
    "note",
    "partners",
    "plan",
]

__version__ = "0.1.0"

_HOMES = {
    "Amount": "model",
    "Calendar": "periods",
    "Check": "checkview",
    "GoalView": "goalview",
    "Goals": "goaldesk",
    "Quarter": "periods",
    "Review": "review",
    "Unit": "model",
    "check": "desk",
    "load": "desk",
    "note": "desk",
    "partners": "desk",
    "plan": "desk",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"pbr_lib.{_HOMES[name]}"), name)
    if name in ("charts", "errors"):
        return importlib.import_module(f"pbr_lib.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
