"""What a metric is, as a frozen value; apart, because the whole grammar of measuring stands here on one page.

A metric is one aggregate over the rows of one table, from a closed list; a ratio divides sums of such metrics.
Nothing is an expression. Every ``ValueError`` reads ``what is wrong; how to mend it`` (see ``errors.parted``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from pbr_lib.grammar import AllOf, Flag, Name, Number, Spec, Text, Version, Where, Whole
from pbr_lib.model import Unit

__all__ = ["ADDITIVE", "InProgress", "Metric", "MetricsFile", "RatioMetric", "SimpleMetric", "UnitSpec"]

ADDITIVE = ("count", "count_distinct", "sum")
"""The aggregates that are a sum of what each record adds."""

Way = Literal["gross", "split", "distinct"]
Credit = Literal["sourced", "influenced", "resold", "delivered"]
Method = Literal["field", "junction", "registration", "campaign", "service_link", "overlap", "manual"]
_CREDIT_KEYS = ("sum", "credit", "credit_type", "credit_method", "credit_status", "late")


class UnitSpec(Spec):
    """What a metric counts, and at which rate foreign money is converted."""

    kind: Literal["count", "money", "percent", "days", "number"]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    decimals: Annotated[Whole, Field(ge=0, le=6)] | None = None
    fx: Literal["plan_rate", "close_date_rate", "period_average"] = "plan_rate"

    @model_validator(mode="after")
    def _money_has_a_currency(self) -> UnitSpec:
        if self.kind == "money" and self.currency is None:
            raise ValueError('a money unit needs "currency"; add one, e.g. currency: USD')
        for key in ("currency", "fx"):
            if self.kind != "money" and key in self.model_fields_set and getattr(self, key) is not None:
                raise ValueError(f'only a money unit has a "{key}", this one is {self.kind}; remove {key}')
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
    aggregate: Literal["count", "count_distinct", "sum", "average", "median", "min", "max", "latest"]
    of: str | None = None
    where: Where = AllOf()
    date: str | None = None
    nature: Literal["flow", "level"] = "flow"
    valid_from: str | None = None
    valid_to: str | None = None
    read_at: Literal["end", "start"] = "end"
    trailing_quarters: Annotated[Whole, Field(ge=1, le=12)] = 1
    shift_quarters: Annotated[Whole, Field(ge=0, le=8)] = 0
    snapshot: Flag = False
    existing_since: str | None = None
    scope: Literal["partner", "programme"] = "partner"
    credit_type: tuple[Credit, ...] = ()
    credit_method: tuple[Method, ...] = ()
    credit_status: Annotated[tuple[Literal["confirmed", "claimed"], ...], Field(min_length=1)] = ("confirmed",)
    late: Flag = False
    sum: Way | None = None
    credit: Literal["full", "split", "sourced_only"] = "full"
    unit: UnitSpec
    better: Literal["higher", "lower"] = "higher"
    when_missing: Literal["unknown", "zero"] = "unknown"
    min_n: Annotated[Whole, Field(ge=1)] = 1
    maturity_days: Annotated[Whole, Field(ge=0)] = 0
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
        if self.sum is not None and "credit" in self.model_fields_set:
            raise ValueError('"sum" and "credit" both say how to add up; remove credit')
        return self

    @model_validator(mode="after")
    def _window_fits(self) -> SimpleMetric:
        if self.read_at == "start" and self.nature != "level":
            raise ValueError('"read_at" is the day on which a level is read, this is a flow; remove read_at')
        if self.nature == "level" and self.unit.fx == "close_date_rate":
            raise ValueError("a level has no day of its own; write fx: plan_rate or fx: period_average")
        if self.nature == "level" and self.shift_quarters:
            raise ValueError("a level is read in its own quarter; remove shift_quarters")
        if self.nature == "level" and self.trailing_quarters > 1 and self.read_at == "end":
            raise ValueError("a level is read on one day; add read_at: start, or remove trailing_quarters")
        if self.scope == "programme" and (key := next((k for k in _CREDIT_KEYS if k in self.model_fields_set), "")):
            raise ValueError(f"the whole programme needs no credit, every row counts once; remove {key}")
        return self

    @property
    def credits(self) -> tuple[str, ...]:
        """The types of credit that count; empty for any."""
        return ("sourced",) if self.credit == "sourced_only" else self.credit_type

    @property
    def way(self) -> Way:
        """How credited records add up: gross, split or distinct (for one partner distinct is gross)."""
        return self.sum or ("split" if self.credit == "split" else "gross")

    @property
    def additive(self) -> bool:
        """Whether the value is the sum of what each of its records adds."""
        return self.aggregate in ADDITIVE

    @property
    def grows(self) -> bool:
        """Whether the value grows from nothing, day by day over the quarter, so that a pace makes sense."""
        window = self.trailing_quarters > 1 or self.shift_quarters > 0 or self.snapshot
        return self.nature == "flow" and self.additive and not window


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Term = Annotated[str, Field(pattern=r"^-?[a-z][a-z0-9_]{1,62}$")]
Terms = Annotated[tuple[Term, ...], BeforeValidator(_listed), Field(min_length=1)]


class RatioMetric(Spec):
    """Simple metrics added up and divided by others; recomputed from its parts, never averaged."""

    type: Literal["ratio"]
    label: Text
    about: str = ""
    numerator: Terms
    denominator: Terms
    scale: Annotated[Number, Field(gt=0)] | None = None
    zero_denominator: Literal["unknown", "zero"] = "unknown"
    unit: UnitSpec
    better: Literal["higher", "lower"] = "higher"
    min_n: Annotated[Whole, Field(ge=1)] = 1
    maturity_days: Annotated[Whole, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _converted_in_its_parts(self) -> RatioMetric:
        if self.unit.fx != "plan_rate":
            raise ValueError("the parts of a ratio are converted, each by its own fx; remove fx, and write it there")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the metrics that it is made of, those above the line first, each once."""
        return tuple(dict.fromkeys(term.removeprefix("-") for term in (*self.numerator, *self.denominator)))


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


Names = Annotated[tuple[Name, ...], BeforeValidator(_listed)]


class MetricsFile(Spec):
    """``params/metrics.yaml``, and ``params/library.yaml``, which it takes definitions from."""

    pbr: Version
    use: Names = ()
    metrics: dict[Name, Metric] = Field(default={})
