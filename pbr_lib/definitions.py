"""What a goal and a workbook are, as frozen values, and the one door to the whole grammar; apart, because many
rooms read them and only ``params`` makes them.

Filters and numbers come from ``grammar``, metrics from ``metric_specs``; both are handed on from here. Every
``ValueError`` reads ``what is wrong; how to mend it`` (see ``errors.parted``).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, model_validator

from pbr_lib.business_days import WEEKDAYS, WEEKEND, check_country
from pbr_lib.errors import did_you_mean
from pbr_lib.fiscal_weeks import FiscalWeeks, Pattern, Shares
from pbr_lib.grammar import (
    OPERATORS,
    AllOf,
    AnyOf,
    Compare,
    Day,
    Filter,
    Flag,
    Name,
    Not,
    Number,
    Spec,
    Text,
    Version,
    Where,
    Whole,
    columns_of,
    day,
    number,
    parse_filter,
)
from pbr_lib.metric_specs import InProgress, Metric, MetricsFile, RatioMetric, SimpleMetric, UnitSpec
from pbr_lib.periods import Calendar

__all__ = [
    "AllOf",
    "AnyOf",
    "AttributionSpec",
    "CalendarSpec",
    "Compare",
    "Filter",
    "Goal",
    "GoalsFile",
    "InProgress",
    "Metric",
]
__all__ += ["AgreementSpec", "CloseSpec", "Parent", "PeerSpec", "SmartSpec"]
__all__ += ["MetricsFile", "Not", "Owners", "RatioMetric", "Renew", "SimpleMetric", "StatusBands", "Stop", "UnitSpec"]
__all__ += ["OPERATORS", "Day", "Flag", "Name", "Number", "Spec", "Target", "Text", "Version", "Where", "Whole"]
__all__ += ["Workbook", "columns_of", "day", "number", "parse_filter"]


def _zone(value: Any) -> Any:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'"{value}" is no time zone; write one like Europe/Berlin or UTC') from None
    return value


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
        if self.at_least is not None:
            return "at_least"
        if self.at_most is not None:
            return "at_most"
        return "between" if self.between is not None else "done_by"

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
    likely_from: Annotated[Number, Field(ge=0, le=1)] = Decimal("0.6")
    possible_from: Annotated[Number, Field(ge=0, le=1)] = Decimal("0.3")

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
    quantile: Annotated[Number, Field(ge=0, le=1)] = Decimal("0.5")
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
    calendar: str = ""
    first_period: Text
    last_period: str = ""
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


class Parent(Spec):
    """A roll-up with a name of its own: one goal over some of the partners, with a target or the sum of theirs."""

    label: Text
    goal: Name
    partners: Where = AllOf()
    target: Target | None = None


class GoalsFile(Spec):
    """``params/goals.yaml``."""

    pbr: Version
    objectives: dict[Name, Text]
    goals: dict[Name, Goal]
    parents: dict[Name, Parent] = Field(default={})


# -------------------------------------------------------------------------------------------- workbook


def _weekday(value: Any) -> Any:
    names = {name.casefold(): name for name in WEEKDAYS}
    if str(value).casefold() not in names:
        raise ValueError(f'"{value}" is no weekday; {did_you_mean(str(value), WEEKDAYS)}')
    return names[str(value).casefold()]


Weekday = Annotated[str, BeforeValidator(_weekday)]


class WeeksSpec(Spec):
    """How fiscal years are made of whole weeks."""

    pattern: Pattern
    ends_in: Annotated[Whole, Field(ge=1, le=12)]
    weekday: Weekday = "Saturday"
    rule: Literal["nearest", "last"]
    extra_week_in: Annotated[Whole, Field(ge=1, le=4)] = 4
    periods: Shares | None = None

    @model_validator(mode="after")
    def _periods_fit(self) -> WeeksSpec:
        if self.periods is not None and self.pattern != "13x4":
            raise ValueError("periods goes with pattern: 13x4 alone; remove it")
        return self

    @property
    def made(self) -> FiscalWeeks:
        """The rule as the calendar knows it."""
        weekday = WEEKDAYS.index(self.weekday)
        periods = self.periods or "3-3-3-4"
        return FiscalWeeks(self.pattern, self.ends_in, weekday, self.rule, self.extra_week_in, periods)


class CalendarSpec(Spec):
    """When fiscal years start, how quarters are called, and which days nobody works."""

    first_month: Annotated[Whole, Field(ge=1, le=12)] = 1
    label: Literal["calendar", "fiscal"] = "calendar"
    label_year: Literal["end", "start"] = "end"
    weeks: WeeksSpec | None = None
    country: str = ""
    subdivision: str = ""
    holidays: tuple[Day, ...] = ()
    weekend: tuple[Weekday, ...] | None = None
    time_zone: Annotated[str, BeforeValidator(_zone)] | None = None

    @model_validator(mode="after")
    def _keys_fit(self) -> CalendarSpec:
        if self.weeks is not None and "first_month" in self.model_fields_set:
            raise ValueError("a year of weeks begins where the one before ends (weeks.ends_in); remove first_month")
        if self.weekend is not None and len(set(self.weekend)) == len(WEEKDAYS):
            raise ValueError("the weekend holds every day of the week; leave out the days on which people work")
        if self.subdivision and not self.country:
            raise ValueError("a subdivision needs its country; add country, e.g. country: DE")
        if self.country:
            check_country(self.country, self.subdivision, None if self.weekend is None else self._weekend)
        return self

    def made(self, name: str = "", clock: str = "", holidays: tuple[dt.date, ...] = ()) -> Calendar:
        """The calendar; ``clock`` is the zone of the tables' timestamps, ``holidays`` adds days off."""
        moves = self.time_zone not in (None, clock)
        return Calendar(
            self.first_month,
            self.label,
            self.label_year,
            holidays=tuple(sorted({*self.holidays, *holidays})),
            weeks=None if self.weeks is None else self.weeks.made,
            weekend=self._weekend,
            country=self.country,
            subdivision=self.subdivision,
            name=name,
            time_zone=self.time_zone or "" if moves else "",
            clock=clock if moves else "",
        )

    @property
    def _weekend(self) -> tuple[int, ...]:
        if self.weekend is None:
            return WEEKEND
        return tuple(sorted({WEEKDAYS.index(day) for day in self.weekend}))


class AttributionSpec(Spec):
    """When credit counts, and which evidence gives credit beside the columns of an export."""

    lock_days: Annotated[Whole, Field(ge=0)] = 14
    evidence_days: Annotated[Whole, Field(ge=0)] = 30
    registrations: Literal["none", "sourced", "influenced"] = "none"
    campaigns: Literal["none", "sourced", "influenced"] = "none"
    carry_leads: Flag = True
    unconfirmed: Literal["count", "apart"] = "apart"


Share = Annotated[Number, Field(ge=0, le=1)]


class SmartSpec(Spec):
    """When a target counts as attainable, and how much history a judgement needs."""

    unattainable_below: Share = Decimal("0.10")
    stretch_below: Share = Decimal("0.40")
    easy_from: Share = Decimal("0.80")
    normal_from: Share = Decimal("0.95")
    least_quarters: Annotated[Whole, Field(ge=1)] = 4
    least_peers: Annotated[Whole, Field(ge=1)] = 5
    least_days_left: Annotated[Whole, Field(ge=0)] = 14

    @model_validator(mode="after")
    def _in_order(self) -> SmartSpec:
        bounds = (self.unattainable_below, self.stretch_below, self.easy_from, self.normal_from)
        if list(bounds) != sorted(bounds):
            names = "unattainable_below, stretch_below, easy_from, normal_from"
            raise ValueError(f"the bounds are out of order; let them rise in the order {names}")
        return self


class AgreementSpec(Spec):
    """Until when both sides must have agreed; after that the last agreed target stands."""

    deadline_days: Annotated[Whole, Field(ge=0)] = 30


class PeerSpec(Spec):
    """Which columns of the partner list make partners comparable, and how few of them are shown at all."""

    by: tuple[Literal["tier", "region", "partner_type"], ...] = ("tier", "region")
    least: Annotated[Whole, Field(ge=5)] = 5


class CloseSpec(Spec):
    """Where issued figures are kept, and which later difference is worth a new pack."""

    ledger: str = ""
    materiality: Share = Decimal("0.01")
    revision_days: Annotated[Whole, Field(ge=0)] = 30


class Workbook(Spec):
    """``params/workbook.yaml``: whatever holds for the whole programme."""

    pbr: Version
    organisation: Text
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    calendar: CalendarSpec = CalendarSpec()
    calendars: dict[Name, CalendarSpec] = Field(default={})
    holidays: tuple[Day, ...] = ()
    time_zone: Annotated[str, BeforeValidator(_zone)] = "UTC"
    attribution: AttributionSpec = AttributionSpec()
    smart: SmartSpec = SmartSpec()
    agreement: AgreementSpec = AgreementSpec()
    peers: PeerSpec = PeerSpec()
    close: CloseSpec = CloseSpec()
    data: Text = "data"
    output: Text = "output"
    final_after_business_days: Annotated[Whole, Field(ge=0)] = 10
    stale_after_days: Annotated[Whole, Field(ge=0)] = 14
    on_data_error: Literal["stop", "stop_partner", "set_aside"] = "stop"
    show_influenced: Flag = True
    records_on_page: Annotated[Whole, Field(ge=1, le=150)] = 25
    words: tuple[Name, ...] = ("headline", "outlook")

    @model_validator(mode="after")
    def _one_clock(self) -> Workbook:
        if self.calendar.time_zone not in (None, self.time_zone):
            raise ValueError(
                f"the programme's own calendar is on the clock of time_zone: {self.time_zone}; "
                "remove time_zone under calendar"
            )
        return self

    def calendar_called(self, name: str = "") -> Calendar:
        """The programme's own calendar, or the one of that name under ``calendars``.

        Raises
        ------
        ValueError
            ``what is wrong; how to mend it``, when there is none of that name.
        """
        if not name:
            return self.calendar.made(clock=self.time_zone, holidays=self.holidays)
        if name not in self.calendars:
            fix = did_you_mean(name, list(self.calendars)) if self.calendars else "add it to params/workbook.yaml"
            raise ValueError(f'no calendar is called "{name}"; {fix}')
        return self.calendars[name].made(name, self.time_zone)
