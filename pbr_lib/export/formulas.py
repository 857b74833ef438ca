"""What the goal table computes, as an Excel formula and as a number; apart, because the two must agree.

A pack opened in a mail preview shows cached numbers, opened in Excel it recomputes them. So each formula
here comes with the value that it will have, worked out in exact decimals from the records listed in the same
workbook, and a goal whose printed figure says otherwise stops the export.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pbr_lib.errors import RenderError
from pbr_lib.export.documents import Part
from pbr_lib.export.sheets import Formula, Shown, amount_of, number, number_format, shown, unique_labels
from pbr_lib.model import Amount, Unit

__all__ = ["Goal", "GoalSheet", "Records", "actual", "attained", "column", "goal_sheet", "points", "row", "score"]

_GOALS = "Goals"
_HOW = ("sum", "ratio", "average", "median", "min", "max")
_CLOSE = Decimal("1e-9")
_TINY = Decimal("1e-12")
_SPECIAL = re.compile(r"(['\[\]#@])")
_WHOLE = "show all records of the goal (print_rows shortens the page, not the workbook)"


@dataclass(frozen=True)
class Records:
    """The records behind a goal: their Excel table, and label and numbers of each amount column by its key."""

    table: str
    labels: Mapping[str, str]
    numbers: Mapping[str, Sequence[Decimal]]
    rows: int


@dataclass(frozen=True)
class Goal:
    """A row of the goal table: its recipe, the numbers as printed, and the labels of the columns.

    ``labels`` maps the keys of the sheet's columns to their labels; what is missing there, such as a target
    that the analyst left out, cannot be part of a formula.
    """

    recipe: Mapping[str, Any]
    labels: Mapping[str, str]
    actual: Decimal | None
    target: Decimal | None
    attained: Decimal | None
    cell: int

    def ref(self, key: str) -> str:
        """The goal's own cell in the column of that key."""
        return row(self.labels[key])

    def has(self, *keys: str) -> bool:
        """Whether the sheet has those columns."""
        return all(key in self.labels for key in keys)

    @property
    def target_recipe(self) -> Mapping[str, Any]:
        """Kind and numbers of the target."""
        return self.recipe.get("target") or {}

    def number(self, key: str) -> Decimal | None:
        """A number of the recipe, or of its target."""
        found = self.recipe[key] if key in self.recipe else self.target_recipe.get(key)
        return None if found is None else Decimal(str(found))


def column(table: str, label: str) -> str:
    """A structured reference to a column: ``Goals[Actual]``."""
    return f"{table}[{_SPECIAL.sub(_quoted, label)}]"


def row(label: str, table: str = _GOALS) -> str:
    """A structured reference to the same row: ``Goals[[#This Row],[Actual]]``, the form that files need."""
    return f"{table}[[#This Row],[{_SPECIAL.sub(_quoted, label)}]]"


def actual(goal: Goal, records: Records | None) -> Formula | None:
    """How the goal's actual follows from its records; None when it cannot be shown.

    Raises
    ------
    RenderError
        The records listed in this notebook give another number.
    """
    how = goal.recipe.get("actual")
    if goal.actual is None or how not in _HOW or records is None or not (records.rows or how == "sum"):
        return None
    needed = ("numerator", "denominator") if how == "ratio" else ("counts",)
    if any(key not in records.labels for key in needed):
        return None
    computed = _evaluated(how, [records.numbers[key] for key in needed])
    if computed is None or not _agree(computed, goal.actual):
        given = "no number" if computed is None else f"{computed:f}"
        _contradiction(goal, f"shows {goal.actual:f}, and its {records.rows} listed records give {given}", _WHOLE)
    if not records.rows:
        return None
    refs = [column(records.table, records.labels[key]) for key in needed]
    if how == "ratio":
        return Formula(f"=SUM({refs[0]})/SUM({refs[1]})", goal.actual)
    return Formula(f"={how.upper()}({refs[0]})", goal.actual)


def attained(goal: Goal) -> Formula | None:
    """How attainment follows from actual and target; None when it is a word or a given number.

    Raises
    ------
    RenderError
        Actual and target give another number than the one printed.
    """
    if goal.actual is None or goal.attained is None or not goal.has("actual", "attained"):
        return None
    kind = goal.target_recipe.get("kind")
    made = _between(goal) if kind == "between" else _against_target(goal, kind)
    if made is not None and not _agree(made.value, goal.attained):
        _contradiction(goal, f"shows {goal.attained:f} attained, and actual and target give {made.value:f}", "")
    return Formula(made.text, goal.attained) if made else None


def points(goal: Goal) -> Formula | None:
    """The goal's share of the score: weight times attainment between 0 and the cap; empty without a number."""
    weight, cap = goal.number("weight"), goal.number("cap")
    if weight is None or not goal.has("attained", "score_weight"):
        return None
    capped = f"MAX({goal.ref('attained')},0)"
    if cap is not None and goal.has("cap"):
        capped = f"MIN({capped},{goal.ref('cap')})"
    text = f'=IF(ISNUMBER({goal.ref("attained")}),{goal.ref("score_weight")}*{capped},"")'
    if goal.attained is None:
        return Formula(text, "")
    floored = max(goal.attained, Decimal(0))
    return Formula(text, weight * (floored if cap is None else min(floored, cap)))


def score(goals: Sequence[Goal], points_label: str, printed: Decimal) -> Formula | None:
    """The weighted score over all goals with a number; None when the sheet lacks what it needs.

    Raises
    ------
    RenderError
        The goals listed give another score than the cover.
    """
    made = [points(goal) for goal in goals]
    if not goals or any(item is None for item in made):
        return None
    earned = sum((item.value for item in made if item and isinstance(item.value, Decimal)), Decimal(0))
    weights = sum((goal.number("weight") or Decimal(0) for goal in goals if goal.attained is not None), Decimal(0))
    if not weights or not _agree(earned / weights, printed):
        given = f"{earned / weights:f}" if weights else "none"
        what = f"the workbook would contradict itself: the cover shows a score of {printed:f}, its goals give {given}"
        raise RenderError(what, f"cell {goals[0].cell + 1}", "show the whole goal table once, or leave out the score")
    known = f"--ISNUMBER({column(_GOALS, goals[0].labels['attained'])})"
    weight = column(_GOALS, goals[0].labels["score_weight"])
    return Formula(f"=SUM({column(_GOALS, points_label)})/SUMPRODUCT({known},{weight})", printed)


# ------------------------------------------------------------------------------------------- the sheet


@dataclass(frozen=True)
class GoalSheet:
    """The goal table ready to write: labels by key, rows of cells by key, and the score if the cover has one.

    The first ``printed`` columns go on paper; after them come details and what the formulas need.
    """

    labels: Mapping[str, str]
    printed: int
    rows: Sequence[Mapping[str, Shown]]
    recipes: Sequence[Mapping[str, Any]]
    score: Formula | None = None


def goal_sheet(part: Part, records: Mapping[str, Records], printed_score: Decimal | None) -> GoalSheet:
    """The goal table with formulas where its recipes allow them, and columns for what the formulas need."""
    block = part.data
    places = {column["key"]: i for i, column in enumerate(block["columns"]) if column["kind"] != "bar"}
    recipes = block["recipes"] if len(block["recipes"]) == len(block["rows"]) else [{}] * len(block["rows"])
    helpers = _helpers(recipes, printed_score is not None and "attained" in places)
    own_weight = "score_weight" in helpers and _weighs(block, places, recipes)
    if own_weight:
        del helpers["score_weight"]
    own = [block["columns"][i]["label"] for i in places.values()]
    labels = dict(zip([*places, *helpers], unique_labels([*own, *helpers.values()]), strict=True))
    if own_weight:
        labels["score_weight"] = labels["weight"]
    goals, rows = [], []
    for cells, recipe in zip(block["rows"], recipes, strict=True):
        by_key = {key: cells[i] for key, i in places.items()}
        goal = _goal(by_key, recipe, labels, part.cell)
        goals.append(goal)
        rows.append(
            _cells(goal, by_key, records.get(str(recipe.get("records")))) | _helper_cells(goal, by_key, helpers)
        )
    made = score(goals, labels["points"], printed_score) if printed_score is not None and "points" in labels else None
    # What pages leave to the workbook stands at its end, and off its own printed page.
    paper = sum(not block["columns"][i].get("sheet_only") for i in places.values())
    return GoalSheet(labels, paper, rows, recipes, made)


def _goal(cells: Mapping[str, Any], recipe: Mapping[str, Any], labels: Mapping[str, str], cell: int) -> Goal:
    values = {}
    for key in ("actual", "target", "attained"):
        amount = amount_of(cells.get(key))
        values[key] = amount.value if amount else None
    return Goal(recipe, labels, values["actual"], values["target"], values["attained"], cell)


def _cells(goal: Goal, cells: Mapping[str, Any], records: Records | None) -> dict[str, Shown]:
    made = {key: shown(cell) for key, cell in cells.items()}
    for key, formula in (("actual", actual(goal, records)), ("attained", attained(goal))):
        if formula:
            made[key] = replace(made[key], value=formula)
    if "target" in made:
        # A range or a day stands to the right as well, under the numbers of the other goals.
        made["target"] = replace(made["target"], style="Pack number" if goal.target is None else "Pack input")
    return made


def _helpers(recipes: Sequence[Mapping[str, Any]], scored: bool) -> dict[str, str]:
    """Key and label of the columns that the formulas need beside those of the table."""
    targets = [recipe.get("target") or {} for recipe in recipes]
    helpers = {}
    if any(target.get("from") is not None and Decimal(str(target["from"])) for target in targets):
        helpers["from"] = "Starting from"
    if any(target.get("kind") == "between" for target in targets):
        helpers |= {"low": "Low end", "high": "High end"}
    if scored and recipes and all(recipe.get("weight") is not None for recipe in recipes):
        helpers["score_weight"] = "Weight in score"
        if any(recipe.get("cap") is not None for recipe in recipes):
            helpers["cap"] = "Cap"
        helpers["points"] = "Points"
    return helpers


def _weighs(block: Mapping[str, Any], places: Mapping[str, int], recipes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the table's own weight column holds the very weights of the score."""
    if "weight" not in places:
        return False
    printed = [amount_of(cells[places["weight"]]) for cells in block["rows"]]
    pairs = zip(printed, recipes, strict=True)
    return all(amount is not None and amount.value == Decimal(str(recipe["weight"])) for amount, recipe in pairs)


def _helper_cells(goal: Goal, cells: Mapping[str, Any], helpers: Mapping[str, str]) -> dict[str, Shown]:
    made: dict[str, Shown] = {}
    unit = next((a.unit for a in map(amount_of, (cells.get("target"), cells.get("actual"))) if a), Unit("number"))
    for key in helpers:
        if key == "points":
            # A goal without an attainment shows nothing here, and its points are no number.
            made[key] = Shown(points(goal), "Pack number", "0.00", "0.00")
            continue
        value = goal.number("weight" if key == "score_weight" else key)
        if value is None:
            made[key] = Shown(None)
            continue
        amount = Amount(value, {"cap": Unit("percent"), "score_weight": Unit("number", decimals=None)}.get(key, unit))
        form = "General" if key == "score_weight" else number_format(amount)
        made[key] = Shown(number(value), "Pack input", form, amount.text)
    return made


# ------------------------------------------------------------------------------------------ attainment


@dataclass(frozen=True)
class _Made:
    text: str
    value: Decimal


def _against_target(goal: Goal, kind: str | None) -> _Made | None:
    if kind not in ("at_least", "at_most") or goal.actual is None or goal.target is None or not goal.has("target"):
        return None
    got, want = goal.ref("actual"), goal.ref("target")
    start = goal.number("from")
    if start is not None and start != 0 and goal.has("from") and start != goal.target:
        base = goal.ref("from")
        value = (goal.actual - start) / (goal.target - start)
        return _Made(f"=({got}-{base})/({want}-{base})", value)
    if not goal.target:
        return None
    ratio = goal.actual / goal.target
    if kind == "at_least":
        return _Made(f"={got}/{want}", ratio)
    value = Decimal(1) if goal.actual <= goal.target else max(Decimal(0), 2 - ratio)
    return _Made(f"=IF({got}<={want},1,MAX(0,2-{got}/{want}))", value)


def _between(goal: Goal) -> _Made | None:
    low, high = goal.number("low"), goal.number("high")
    if goal.actual is None or low is None or high is None or low >= high or not goal.has("low", "high"):
        return None
    got, least, most = goal.ref("actual"), goal.ref("low"), goal.ref("high")
    away = max(low - goal.actual, goal.actual - high)
    value = Decimal(1) if away <= 0 else max(Decimal(0), 1 - away / (high - low))
    inside = f"AND({got}>={least},{got}<={most})"
    return _Made(f"=IF({inside},1,MAX(0,1-MAX({least}-{got},{got}-{most})/({most}-{least})))", value)


def _evaluated(how: str, columns: Sequence[Sequence[Decimal]]) -> Decimal | None:
    first = columns[0]
    total = sum(first, Decimal(0))
    if how == "sum":
        return total
    if how == "ratio":
        below = sum(columns[1], Decimal(0))
        return total / below if below else None
    if not first:
        return None
    middle = sorted(first)[(len(first) - 1) // 2 : len(first) // 2 + 1]
    median = sum(middle, Decimal(0)) / len(middle)
    return {"average": total / len(first), "median": median, "min": min(first), "max": max(first)}[how]


def _agree(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= max(_TINY, _CLOSE * max(abs(one), abs(other)))


def _contradiction(goal: Goal, what: str, fix: str) -> None:
    name = goal.recipe.get("goal", "a goal")
    raise RenderError(f"the workbook would contradict itself: {name} {what}", f"cell {goal.cell + 1}", fix)


def _quoted(found: re.Match[str]) -> str:
    return "'" + found.group(1)
