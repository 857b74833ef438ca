"""What a metric, a goal, a source and a workbook are, as frozen values; apart, because many rooms read them
and only ``params`` makes them.

The grammar is structured on purpose: closed lists of aggregates and operators, never an expression string,
since text that is evaluated is code that anybody who edits a file can run. Every ``ValueError`` reads
``what is wrong; how to mend it`` (see ``errors.parted``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from pbr_lib.errors import did_you_mean
from pbr_lib.model import Unit

__all__ = ["AllOf", "AnyOf", "Compare", "Filter", "Goal", "GoalsFile", "Metric", "MetricsFile", "Not", "RatioMetric"]
__all__ += ["OPERATORS", "Day", "Flag", "Name", "Number", "SimpleMetric", "Spec", "Target", "Text", "Version", "Where"]
__all__ += ["Whole", "Workbook", "columns_of", "day", "number"]

OPERATORS = ("is", "is_not", "in", "not_in", "gt", "gte", "lt", "lte", "between", "is_null", "starts_with", "contains")
_FORMS = "write {column: value}, {column: [a, b]} or {column: {operator: value}}"
_GROUPS = ("all_of", "any_of", "not")
_NUMBER = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TOO_LARGE = Decimal(10) ** 14


# --------------------------------------------------------------------------------------------- filters


@dataclass(frozen=True)
class Compare:
    """A leaf: one column, one operator, one value. True or false, never unknown."""

    column: str
    op: str
    value: Any


@dataclass(frozen=True)
class AllOf:
    """Every item holds; an empty one always does."""

    items: tuple[Filter, ...] = ()


@dataclass(frozen=True)
class AnyOf:
    """At least one item holds."""

    items: tuple[Filter, ...]


@dataclass(frozen=True)
class Not:
    """The exact complement of an item, nulls included."""

    item: Filter


Filter = Compare | AllOf | AnyOf | Not


def parse_filter(value: Any) -> Filter:
    """The written form (goals.md 2.5) as a tree; ``ValueError`` says what cannot be read."""
    if isinstance(value, Compare | AllOf | AnyOf | Not):
        return value
    if value is None:
        return AllOf()
    if not isinstance(value, Mapping):
        raise ValueError(f'"{value}" is no filter; {_FORMS}')
    items = tuple(_entry(str(key), entry) for key, entry in value.items())
    return items[0] if len(items) == 1 else AllOf(items)


def _entry(key: str, value: Any) -> Filter:
    if key == "not":
        return Not(parse_filter(value or "nothing"))
    if key in ("all_of", "any_of"):
        if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) and item for item in value):
            raise ValueError(f'"{key}" takes a list of filters; write {key}: [{{column: value}}, {{column: value}}]')
        items = tuple(parse_filter(item) for item in value)
        return AllOf(items) if key == "all_of" else AnyOf(items)
    if isinstance(value, list):
        if any(isinstance(item, Mapping) for item in value):
            raise ValueError(f'"{key}" is no group of filters; {did_you_mean(key, _GROUPS)}')
        return Compare(key, "in", _operand("in", value))
    if not isinstance(value, Mapping):
        return Compare(key, "is", value)
    if len(value) != 1:
        got = ", ".join(map(str, value)) or "none"
        raise ValueError(f'give exactly one operator for "{key}", got {got}; use between or all_of to say more')
    op, operand = next(iter(value.items()))
    return Compare(key, _operator(str(op)), _operand(str(op), operand))


def _operator(op: str) -> str:
    if op not in OPERATORS:
        raise ValueError(f'"{op}" is no operator; {did_you_mean(op, OPERATORS)}')
    return op


def _operand(op: str, operand: Any) -> Any:
    if op in (several := {"in": "[a, b]", "not_in": "[a, b]", "between": "[low, high]"}):
        plain = isinstance(operand, list) and operand and not any(isinstance(v, list | Mapping) for v in operand)
        if not plain or (op == "between" and len(operand) != 2):
            raise ValueError(f'"{op}" takes a list of plain values; write {op}: {several[op]}')
        return tuple(operand)
    if op == "is_null" and not isinstance(operand, bool):
        raise ValueError('"is_null" takes true or false; write is_null: true')
    if isinstance(operand, list | Mapping):
        raise ValueError(f'"{op}" takes one value; use in or not_in for several')
    return operand


def columns_of(node: Filter) -> Iterator[Compare]:
    """Every leaf of a filter."""
    if isinstance(node, Compare):
        yield node
    elif isinstance(node, Not):
        yield from columns_of(node.item)
    else:
        for item in node.items:
            yield from columns_of(item)


# --------------------------------------------------------------------------------------------- numbers


def number(value: Any) -> Decimal:
    """A number as people write it in params: ``5``, ``10,000``, ``0.85`` or ``85 %`` (which is 0.85)."""
    if isinstance(value, bool):
        raise ValueError(f'"{str(value).lower()}" is no number; write it like 5, 10000, 0.85 or 85 %')
    text = str(value).strip()
    share = text.endswith("%")
    digits = text[:-1].strip() if share else text
    if isinstance(value, int | Decimal):
        parsed = Decimal(value)
    elif _NUMBER.fullmatch(digits):
        parsed = Decimal(digits.replace(",", ""))
    else:
        raise ValueError(f'"{value}" is no number; write it like 5, 10000, 0.85 or 85 %')
    if not parsed.is_finite() or abs(parsed) >= _TOO_LARGE:
        raise ValueError(f'"{value}" is larger than anything that can be measured; write fewer than 15 digits')
    return parsed / 100 if share else parsed


def day(value: Any) -> dt.date:
    """A day as people write it in params: ``2026-09-30``."""
    if isinstance(value, dt.date):
        return value
    with suppress(ValueError):
        if isinstance(value, str) and _DAY.fullmatch(value.strip()):
            return dt.date.fromisoformat(value.strip())
    raise ValueError(f'"{value}" is no day; write year, month and day like 2026-09-30')


def _version(value: Any) -> Any:
    if value != 1 or isinstance(value, bool):
        raise ValueError(f'this release reads grammar version 1, not "{value}"; write pbr: 1')
    return value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Number = Annotated[Decimal, BeforeValidator(number)]
Whole = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[dt.date, BeforeValidator(day)]
Where = Annotated[Any, BeforeValidator(parse_filter)]
Version = Annotated[int, BeforeValidator(_version)]
Text = Annotated[str, Field(min_length=1)]


class Spec(BaseModel):
    """The base of everything read from params: frozen, and no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, coerce_numbers_to_str=False)


# --------------------------------------------------------------------------------------------- metrics


class UnitSpec(Spec):
    """What a metric counts, and at which rate foreign money is converted."""

    kind: Literal["count", "money", "percent", "days", "number"]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    decimals: Annotated[Whole, Field(ge=0, le=6)] | None = None
    fx: Literal["plan_rate"] = "plan_rate"

    @model_validator(mode="after")
    def _money_has_a_currency(self) -> UnitSpec:
        if self.kind == "money" and self.currency is None:
            raise ValueError('a money unit needs "currency"; add one, e.g. currency: USD')
        if self.kind != "money" and self.currency is not None:
            raise ValueError(f'only a money unit has a "currency", this one is {self.kind}; remove currency')
        return self

    @property
    def unit(self) -> Unit:
        """The unit of the amounts that this metric gives."""
        return Unit(self.kind, self.currency or "", self.decimals)


class InProgress(Spec):
    """A second filter and date for what is under way; shown beside the actual, never added into it."""

    where: Where = AllOf()
    date: Text


class SimpleMetric(Spec):
    """One aggregate over the rows of one table."""

    type: Literal["simple"] = "simple"
    label: Text
    about: str = ""
    table: Text
    aggregate: Literal["count", "count_distinct", "sum", "average", "min", "max", "latest"]
    of: str | None = None
    where: Where = AllOf()
    date: str | None = None
    nature: Literal["flow", "level"] = "flow"
    valid_from: str | None = None
    valid_to: str | None = None
    credit_type: tuple[Literal["sourced", "influenced", "resold", "delivered"], ...] = ()
    credit: Literal["full", "split", "sourced_only"] = "full"
    unit: UnitSpec
    better: Literal["higher", "lower"] = "higher"
    when_missing: Literal["unknown", "zero"] = "unknown"
    min_n: Annotated[Whole, Field(ge=1)] = 1
    in_progress: InProgress | None = None

    @model_validator(mode="after")
    def _keys_fit(self) -> SimpleMetric:
        if self.aggregate == "count" and self.of is not None:
            raise ValueError('"count" counts rows and takes no "of"; remove of, or use count_distinct')
        if self.aggregate != "count" and self.of is None:
            raise ValueError(f'"{self.aggregate}" needs "of"; add of: with the column to aggregate')
        if self.nature == "flow" and self.date is None:
            raise ValueError('a flow needs "date"; add date: with the column that puts a row into a period')
        if self.nature == "level" and self.valid_from is None:
            raise ValueError('a level needs "valid_from"; add valid_from: with the column from which a row is valid')
        return self

    @property
    def credits(self) -> tuple[str, ...]:
        """The types of credit that count; empty for any."""
        return ("sourced",) if self.credit == "sourced_only" else self.credit_type


class RatioMetric(Spec):
    """One simple metric divided by another; recomputed from its parts, never averaged."""

    type: Literal["ratio"]
    label: Text
    about: str = ""
    numerator: Name
    denominator: Name
    zero_denominator: Literal["unknown", "zero"] = "unknown"
    unit: UnitSpec
    better: Literal["higher", "lower"] = "higher"
    min_n: Annotated[Whole, Field(ge=1)] = 1


def _metric_type(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return getattr(value, "type", None)
    kind = value.get("type", "ratio" if "numerator" in value and "table" not in value else "simple")
    return kind if kind in ("simple", "ratio") else None


Metric = Annotated[
    Annotated[SimpleMetric, Tag("simple")] | Annotated[RatioMetric, Tag("ratio")],
    Discriminator(
        _metric_type,
        custom_error_type="metric_type",
        custom_error_message="this is no metric; write its keys under it, with type: simple or ratio",
    ),
]


class MetricsFile(Spec):
    """``params/metrics.yaml``."""

    pbr: Version
    metrics: dict[Name, Metric]


# ----------------------------------------------------------------------------------------------- goals


class Target(Spec):
    """What is agreed: at least, at most, between two numbers, or done by a day; ``from`` is the base."""

    at_least: Number | None = None
    at_most: Number | None = None
    between: tuple[Number, Number] | None = None
    done_by: Day | None = None
    base: Annotated[Number | None, Field(alias="from")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Target:
        given = [key for key in ("at_least", "at_most", "between", "done_by") if getattr(self, key) is not None]
        if len(given) != 1:
            got = f"{' and '.join(given)} stand here together" if given else "the target says nothing"
            raise ValueError(f"{got}; give exactly one of at_least, at_most, between, done_by")
        if self.between and self.between[0] >= self.between[1]:
            raise ValueError("the low end is not below the high end; write between: [low, high]")
        if self.base is not None and self.kind in ("between", "done_by"):
            raise ValueError(f'"from" goes with at_least and at_most, not with {self.kind}; remove from')
        if self.base is not None and self.base == self.value:
            raise ValueError('"from" equals the target, so attainment is undefined; change one of them')
        if self.base is not None and self.value is not None and (self.base > self.value) == (self.kind == "at_least"):
            raise ValueError(f'"from" lies beyond the target, so {self.kind} is met from the start; change one of them')
        if self.value is not None and self.value < 0 and self.base is None:
            raise ValueError('a negative target needs "from"; add the base that attainment starts at')
        return self

    @property
    def kind(self) -> str:
        """at_least, at_most, between or done_by."""
        return next(key for key in ("at_least", "at_most", "between", "done_by") if getattr(self, key) is not None)

    @property
    def value(self) -> Decimal | None:
        """The number of at_least and at_most, else None."""
        return self.at_least if self.at_least is not None else self.at_most

    def moved_to(self, value: Decimal) -> Target:
        """The same kind of target with another number (checked again)."""
        return Target.model_validate({self.kind: value, "from": self.base})


class Owners(Spec):
    """Who answers for a goal, one on each side: joint accountability is the point."""

    vendor: Text
    partner: Text


class StatusBands(Spec):
    """From which pace index a goal is on track, and from which at risk."""

    green_from: Number = Decimal("1.0")
    amber_from: Number = Decimal("0.8")

    @model_validator(mode="after")
    def _in_order(self) -> StatusBands:
        if self.amber_from > self.green_from:
            raise ValueError("amber_from is above green_from; write the lower of the two as amber_from")
        return self


class Renew(Spec):
    """How next quarter's target follows from this one."""

    rule: Literal["same", "uplift", "rolling_average", "same_quarter_last_year", "blend", "peer", "manual"]
    by: Number | None = None
    quarters: Annotated[Whole, Field(ge=2, le=12)] | None = None
    weight_on_actual: Annotated[Number, Field(ge=0, le=1)] = Decimal("0.3")
    floor: Number | None = None
    cap: Number | None = None
    round_to: Annotated[Number, Field(gt=0)] | None = None
    max_step_up: Annotated[Number, Field(ge=0)] = Decimal("0.25")
    max_step_down: Annotated[Number, Field(ge=0)] = Decimal("0.25")
    carry_shortfall: Annotated[Number, Field(ge=0, le=Decimal("0.5"))] = Decimal(0)
    needs_approval: Flag = True

    @model_validator(mode="after")
    def _keys_fit(self) -> Renew:
        if self.rule == "uplift" and self.by is None:
            raise ValueError('"uplift" needs "by"; add how much, e.g. by: 10 %')
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            raise ValueError(f"floor {self.floor} is above cap {self.cap}; change one of them")
        return self


class Stop(Spec):
    """When a goal is proposed for retirement."""

    met_in_a_row: Annotated[Whole, Field(ge=2)] | None = None
    unmoved_in_a_row: Annotated[Whole, Field(ge=2)] | None = None


class Goal(Spec):
    """A goal's definition; its instances are the rows of ``params/goals/<quarter>.csv``."""

    metric: Name
    name: str = ""
    objective: Name
    period: Literal["quarter"] = "quarter"
    first_period: Text
    applies_to: Where = AllOf()
    target: Target
    stretch: Number | None = None
    red_flag: Number | None = None
    weight: Annotated[Number, Field(ge=0)] = Decimal(1)
    cap_attainment: Annotated[Number, Field(gt=0)] = Decimal("1.5")
    status: StatusBands = StatusBands()
    owners: Owners
    pace: Literal["history", "business_days", "calendar_days"] = "history"
    new_partner: Literal["prorate", "full", "skip_first"] = "prorate"
    renew: Renew = Renew(rule="blend")
    stop: Stop = Stop()
    headline: Flag = False


class GoalsFile(Spec):
    """``params/goals.yaml``."""

    pbr: Version
    objectives: dict[Name, Text]
    goals: dict[Name, Goal]


# -------------------------------------------------------------------------------------------- workbook


class CalendarSpec(Spec):
    """When fiscal years start and how quarters are called."""

    first_month: Annotated[Whole, Field(ge=1, le=12)] = 1
    label: Literal["calendar", "fiscal"] = "calendar"
    label_year: Literal["end", "start"] = "end"


class Workbook(Spec):
    """``params/workbook.yaml``: whatever holds for the whole programme."""

    pbr: Version
    organisation: Text
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    calendar: CalendarSpec = CalendarSpec()
    holidays: tuple[Day, ...] = ()
    data: Text = "data"
    output: Text = "output"
    final_after_business_days: Annotated[Whole, Field(ge=0)] = 10
    stale_after_days: Annotated[Whole, Field(ge=0)] = 14
    on_data_error: Literal["stop", "set_aside"] = "stop"
    show_influenced: Flag = True
    records_on_page: Annotated[Whole, Field(ge=1, le=150)] = 25
    words: tuple[Name, ...] = ("headline", "outlook")
