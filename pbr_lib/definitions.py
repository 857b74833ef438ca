"""What a metric, a goal, a source and a workbook are, as frozen values; apart, because many rooms read them
and only ``params`` makes them.

The grammar is structured on purpose: closed lists of aggregates and operators, never an expression string,
since text that is evaluated is code that anybody who edits a file can run.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from pbr_lib.errors import did_you_mean
from pbr_lib.model import Unit

__all__ = ["AllOf", "AnyOf", "Compare", "Filter", "Goal", "GoalsFile", "Metric", "MetricsFile", "Not", "RatioMetric"]
__all__ += ["OPERATORS", "SimpleMetric", "Source", "Target", "Workbook", "columns_of", "number"]

OPERATORS = ("is", "is_not", "in", "not_in", "gt", "gte", "lt", "lte", "between", "is_null", "starts_with", "contains")
_GROUPS = ("all_of", "any_of", "not")
_NUMBER = re.compile(r"^-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?$")


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
        raise ValueError("write a filter as {column: value}, {column: [a, b]} or {column: {operator: value}}")
    items = tuple(_entry(str(key), entry) for key, entry in value.items())
    return items[0] if len(items) == 1 else AllOf(items)


def _entry(key: str, value: Any) -> Filter:
    if key == "not":
        return Not(parse_filter(value))
    if key in ("all_of", "any_of"):
        if not isinstance(value, list) or not value:
            raise ValueError(f'"{key}" takes a list of filters')
        items = tuple(parse_filter(item) for item in value)
        return AllOf(items) if key == "all_of" else AnyOf(items)
    if isinstance(value, list):
        return Compare(key, "in", tuple(value))
    if not isinstance(value, Mapping):
        return Compare(key, "is", value)
    if len(value) != 1:
        raise ValueError(
            f'give exactly one operator for "{key}", got {", ".join(map(str, value)) or "none"} (use between or all_of)'
        )
    op, operand = next(iter(value.items()))
    return Compare(key, _operator(str(op)), _operand(str(op), operand))


def _operator(op: str) -> str:
    if op not in OPERATORS:
        raise ValueError(f'"{op}" is no operator; {did_you_mean(op, OPERATORS)}')
    return op


def _operand(op: str, operand: Any) -> Any:
    if op in ("in", "not_in"):
        if not isinstance(operand, list) or not operand:
            raise ValueError(f'"{op}" takes a list of values')
        return tuple(operand)
    if op == "between":
        if not isinstance(operand, list) or len(operand) != 2:
            raise ValueError('"between" takes [low, high]')
        return tuple(operand)
    if op == "is_null" and not isinstance(operand, bool):
        raise ValueError('"is_null" takes true or false')
    if isinstance(operand, list | Mapping):
        raise ValueError(f'"{op}" takes one value')
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
        raise ValueError("write a number, not true or false")
    if isinstance(value, int | Decimal):
        return Decimal(value)
    text = str(value).strip()
    share = text.endswith("%")
    digits = text[:-1].strip() if share else text
    if not _NUMBER.match(digits):
        raise ValueError(f'"{value}" is no number; write it like 5, 10000, 0.85 or 85 %')
    try:
        parsed = Decimal(digits.replace(",", ""))
    except InvalidOperation:
        raise ValueError(f'"{value}" is no number') from None
    return parsed / 100 if share else parsed


def _version(value: Any) -> Any:
    if value != 1:
        raise ValueError(f'this release reads grammar version 1, not "{value}"; write pbr: 1')
    return value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Number = Annotated[Decimal, BeforeValidator(number)]
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
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    fx: Literal["plan_rate"] = "plan_rate"

    @model_validator(mode="after")
    def _money_has_a_currency(self) -> UnitSpec:
        if self.kind == "money" and self.currency is None:
            raise ValueError('a money unit needs "currency", e.g. USD')
        if self.kind != "money" and self.currency is not None:
            raise ValueError(f'only a money unit has a "currency", this one is {self.kind}')
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
    min_n: Annotated[int, Field(ge=1)] = 1
    in_progress: InProgress | None = None

    @model_validator(mode="after")
    def _keys_fit(self) -> SimpleMetric:
        if self.aggregate == "count" and self.of is not None:
            raise ValueError('"count" counts rows and takes no "of"; use count_distinct to count a column')
        if self.aggregate != "count" and self.of is None:
            raise ValueError(f'"{self.aggregate}" needs "of": the column to aggregate')
        if self.nature == "flow" and self.date is None:
            raise ValueError('a flow needs "date": the column that puts a row into a period')
        if self.nature == "level" and self.valid_from is None:
            raise ValueError('a level needs "valid_from": the column from which a row is valid')
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
    min_n: Annotated[int, Field(ge=1)] = 1


def _metric_type(value: Any) -> str | None:
    kind = value.get("type", "simple") if isinstance(value, Mapping) else getattr(value, "type", "simple")
    return kind if kind in ("simple", "ratio") else None


Metric = Annotated[
    Annotated[SimpleMetric, Tag("simple")] | Annotated[RatioMetric, Tag("ratio")],
    Discriminator(
        _metric_type,
        custom_error_type="metric_type",
        custom_error_message='a metric is a mapping, and "type" is simple or ratio',
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
    done_by: dt.date | None = None
    base: Annotated[Number | None, Field(alias="from")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Target:
        given = [key for key in ("at_least", "at_most", "between", "done_by") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of at_least, at_most, between, done_by; got {', '.join(given) or 'none'}"
            )
        if self.between and self.between[0] >= self.between[1]:
            raise ValueError("between needs [low, high] with low < high")
        if self.base is not None and self.kind in ("between", "done_by"):
            raise ValueError(f'"from" goes with at_least and at_most, not with {self.kind}')
        if self.base is not None and self.base == self.value:
            raise ValueError('"from" equals the target, so attainment is undefined; change one of them')
        if self.value is not None and self.value < 0 and self.base is None:
            raise ValueError('a negative target needs "from": the base that attainment starts at')
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


class Renew(Spec):
    """How next quarter's target follows from this one."""

    rule: Literal["same", "uplift", "rolling_average", "same_quarter_last_year", "blend", "peer", "manual"]
    by: Number | None = None
    quarters: Annotated[int, Field(ge=2, le=12)] | None = None
    weight_on_actual: Annotated[Number, Field(ge=0, le=1)] = Decimal("0.3")
    floor: Number | None = None
    cap: Number | None = None
    round_to: Number | None = None
    max_step_up: Number = Decimal("0.25")
    max_step_down: Number = Decimal("0.25")
    carry_shortfall: Annotated[Number, Field(ge=0, le=Decimal("0.5"))] = Decimal(0)
    needs_approval: bool = True


class Stop(Spec):
    """When a goal is proposed for retirement."""

    met_in_a_row: Annotated[int, Field(ge=2)] | None = None
    unmoved_in_a_row: Annotated[int, Field(ge=2)] | None = None


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
    headline: bool = False


class GoalsFile(Spec):
    """``params/goals.yaml``."""

    pbr: Version
    objectives: dict[Name, Text]
    goals: dict[Name, Goal]


# --------------------------------------------------------------------------------- sources and workbook


class Stamp(Spec):
    """Where an export says of itself how fresh it is: a line that holds ``find``, with a date in ``format``."""

    find: Text
    format: Text


class Credit(Spec):
    """A column that names credited partners, and which credit it gives.

    ``match`` says what the column holds: the partner's id, CRM account id or name. ``separator`` parts
    several partners in one cell, ``split`` names the column with their percentages.
    """

    column: Text
    credit: Literal["sourced", "influenced", "resold", "delivered"]
    match: Literal["partner_id", "account_id", "name"] = "account_id"
    separator: str = ";"
    split: str | None = None


class Source(Spec):
    """One export and how it becomes one normalised table."""

    pbr: Version
    file: Text
    table: Text
    about: str = ""
    sheet: str | None = None
    encoding: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    optional: bool = False
    as_of: dt.date | Stamp
    covers_from: dt.date
    date_format: str = "%Y-%m-%d"
    timestamp_format: str = "%Y-%m-%d %H:%M:%S"
    decimal: Literal[".", ","] = "."
    columns: dict[Text, Name]
    ignore: tuple[str, ...] = ()
    constants: dict[Name, Text] = {}
    values: dict[Name, dict[str, str]] = {}
    attribution: tuple[Credit, ...] = ()


class CalendarSpec(Spec):
    """When fiscal years start and how quarters are called."""

    first_month: Annotated[int, Field(ge=1, le=12)] = 1
    label: Literal["calendar", "fiscal"] = "calendar"
    label_year: Literal["end", "start"] = "end"


class Workbook(Spec):
    """``params/workbook.yaml``: whatever holds for the whole programme."""

    pbr: Version
    organisation: Text
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    calendar: CalendarSpec = CalendarSpec()
    holidays: tuple[dt.date, ...] = ()
    data: Text = "data"
    output: Text = "output"
    final_after_business_days: Annotated[int, Field(ge=0)] = 10
    stale_after_days: Annotated[int, Field(ge=0)] = 14
    on_data_error: Literal["stop", "set_aside"] = "stop"
    show_influenced: bool = True
    records_on_page: Annotated[int, Field(ge=1, le=150)] = 25
    words: tuple[Name, ...] = ("headline", "outlook")
