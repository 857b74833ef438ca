"""The analyst's names: ``import pbr_lib as pbr`` and go. A front door without logic.

    review = pbr.load("P-001", "2026-Q3")
    review.goals
    pbr.charts.pace(review.pace())
"""

from pbr_lib import charts, errors
from pbr_lib.desk import check, load, note, partners
from pbr_lib.model import Amount, Unit
from pbr_lib.periods import Calendar, Quarter
from pbr_lib.review import GoalView, Review

__all__ = [
    "Amount",
    "Calendar",
    "GoalView",
    "Quarter",
    "Review",
    "Unit",
    "charts",
    "check",
    "errors",
    "load",
    "note",
    "partners",
]

__version__ = "0.1.0"
