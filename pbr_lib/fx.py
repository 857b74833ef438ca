"""What currencies did to a figure, shown beside it and never in it; apart, because attainment is decided at the
metric's own rates, and this compares them with those of the day.

The effect is the figure at spot rates, each record at that of its own day, less the figure at plan rates. Both are
measured by the same definition over the same records, so that nothing but the rates can differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Literal

import ibis
import pyarrow as pa

from pbr_lib.definitions import Metric, RatioMetric, SimpleMetric
from pbr_lib.hits import Hits
from pbr_lib.metrics import measure
from pbr_lib.model import Amount, Unit, rounded
from pbr_lib.periods import Quarter
from pbr_lib.window import Window

__all__ = ["Effect", "Effects", "effect", "rates_told", "unconverted"]

Policy = Literal["plan_rate", "close_date_rate"]

_WHOLE_FROM = 1000  # money from here on is shown without coins
_UNCONVERTED = pa.schema(
    [
        ("partner_id", pa.string()),
        ("period_id", pa.string()),
        ("record_id", pa.string()),
        ("day", pa.date32()),
        ("currency", pa.string()),
        ("amount", pa.decimal128(18, 4)),
    ]
)


@dataclass(frozen=True)
class Effect:
    """One figure at both rates, in the currency of its metric, unrounded.

    ``records`` is how many of its records are in another currency (of a ratio: in the part that has most of them);
    ``reason`` says why one of the two figures is not known.
    """

    plan: Decimal | None
    spot: Decimal | None
    records: int
    reason: str = ""

    @property
    def effect(self) -> Decimal | None:
        """What the rates of the day add to the figure at plan rates; None unless both are known."""
        if self.plan is None or self.spot is None:
            return None
        with localcontext() as context:
            context.prec = 76  # the difference of two sums of 38 digits is exact
            return self.spot - self.plan

    def told(self, unit: Unit) -> str:
        """The effect in a sentence, with its basis."""
        count = "1 record" if self.records == 1 else f"{self.records} records"
        if self.plan is None or self.spot is None:
            return f"The currency effect is not known: {self.reason} ({count} in other currencies)."
        shown = [Amount(value, unit) for value in (self.plan, self.spot)]
        # Alike in their places, and the difference that of the printed figures, so that a reader can add it up.
        places = min(each.decimals for each in shown) if _large(shown) else max(each.decimals for each in shown)
        alike = Unit(unit.kind, unit.currency, places)
        plan, spot = (rounded(value, places) for value in (self.plan, self.spot))
        sign = "+" if spot > plan else ""
        said = f"{Amount(plan, alike)} at plan rates, {Amount(spot, alike)} at the spot rates of each record's day"
        return f"Currency effect {sign}{Amount(spot - plan, alike)}: {said} ({count} in other currencies)."


@dataclass(frozen=True)
class Effects:
    """The effects of one metric by partner and quarter; only figures that hold foreign money have one.

    ``reason`` says why there is none at all.
    """

    cells: Mapping[tuple[str, str], Effect] = field(default_factory=dict)
    reason: str = ""

    def of(self, partner_id: str, quarter: Quarter) -> Effect | None:
        """The effect of one partner and quarter, or None where no foreign money is in the figure."""
        return self.cells.get((partner_id, quarter.key))


def effect(
    connection: ibis.BaseBackend, metric: Metric, window: Window, metrics: Mapping[str, Metric] | None = None
) -> Effects:
    """What currencies did to a metric, for every partner and quarter of the window.

    Parameters
    ----------
    connection:
        Holds the normalised tables under their names.
    metric:
        In money; a ratio finds its parts in ``metrics``.
    window:
        Quarters, as-of day, rates and coverage.
    """
    parts = _money_parts(metric, metrics or {})
    why = _impossible(metric, parts)
    if why:
        return Effects(reason=why)
    foreign = _foreign(connection, parts, window)
    currencies = sorted({part.unit.currency or window.currency for part in parts})
    if not foreign:
        return Effects(reason=f"no record is in another currency than {' or '.join(currencies)}")
    bare = [currency for currency in currencies if not window.book.has("spot", currency)]
    if bare:
        return Effects(reason=f"params/rates.csv has no spot rates into {' or '.join(bare)}")
    plan = measure(connection, _at("plan_rate", metric, metrics or {}), window)[""]
    spot = measure(connection, _at("close_date_rate", metric, metrics or {}), window)[""]
    cells: dict[tuple[str, str], Effect] = {}
    for (partner_id, period_id), count in sorted(foreign.items()):
        one, other = plan.cell(partner_id, period_id), spot.cell(partner_id, period_id)
        reason = one.reason if one.value is None else other.reason if other.value is None else ""
        cells[partner_id, period_id] = Effect(one.value, other.value, count, reason)
    return Effects(cells)


def unconverted(connection: ibis.BaseBackend, metric: SimpleMetric, window: Window) -> pa.Table:
    """The records that make a money metric not measurable, for want of a rate, sorted.

    Columns: partner_id, period_id, record_id, day, currency and amount (in that currency, as it was exported). Empty
    for a metric of the whole programme, whose records are other partners' as well.
    """
    if metric.unit.kind != "money" or metric.of is None or metric.scope == "programme":
        return _UNCONVERTED.empty_table()
    found = Hits(connection, window).unconverted(metric, _taken(metric, window))
    return found.select(_UNCONVERTED.names).cast(_UNCONVERTED)


def rates_told(metric: SimpleMetric, window: Window, quarter: Quarter) -> dict[str, str]:
    """By currency, the rates at which a quarter's records are converted, in words; nothing without a rate."""
    target = metric.unit.currency or window.currency
    if metric.unit.kind != "money":
        return {}
    if metric.unit.fx == "plan_rate":
        plan = window.book.on("plan", target, quarter.start)
        return {each: f"plan rate {rate.rate:f}{_source(rate.source)}" for each, rate in sorted(plan.items())}
    if metric.unit.fx == "period_average":
        averages = window.book.averages(target, quarter.start, quarter.end)
        return {each: f"{found.rate:f}, {found.basis}" for each, found in sorted(averages.items())}
    found: dict[str, list[Decimal]] = {}
    for each, span in window.book.between("spot", target, quarter.start, quarter.end):
        found.setdefault(each, []).append(span.rate.rate)
    return {each: f"spot rates of the day, {_range(rates)}" for each, rates in sorted(found.items())}


def _large(amounts: list[Amount]) -> bool:
    return any(amount.value is not None and abs(amount.value) >= _WHOLE_FROM for amount in amounts)


def _source(source: str) -> str:
    return f" ({source})" if source else ""


def _range(rates: list[Decimal]) -> str:
    low, high = min(rates), max(rates)
    return f"{low:f}" if low == high else f"{low:f} to {high:f}"


def _money_parts(metric: Metric, metrics: Mapping[str, Metric]) -> list[SimpleMetric]:
    every = [metrics[name] for name in metric.parts] if isinstance(metric, RatioMetric) else [metric]
    return [part for part in every if isinstance(part, SimpleMetric) and part.unit.kind == "money" and part.of]


def _impossible(metric: Metric, parts: list[SimpleMetric]) -> str:
    if metric.unit.kind != "money" or not parts:
        return "only money has a currency effect"
    if any(part.nature == "level" for part in parts):
        return "a level has no day of its own, so no rate of that day"
    if any(part.scope == "programme" for part in parts):
        return "a figure of the whole programme is no partner's own"
    return ""


def _at(policy: Policy, metric: Metric, metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """The metric, under an empty name, and its parts, all converted by one policy."""
    if isinstance(metric, SimpleMetric):
        return {"": _by(policy, metric)}
    parts = {name: metrics[name] for name in metric.parts}
    return {"": metric, **{name: _by(policy, p) if isinstance(p, SimpleMetric) else p for name, p in parts.items()}}


def _by(policy: Policy, metric: SimpleMetric) -> SimpleMetric:
    if metric.unit.kind != "money":
        return metric.model_copy(update={"in_progress": None})
    unit = metric.unit.model_copy(update={"fx": policy})
    return metric.model_copy(update={"in_progress": None, "unit": unit})


def _foreign(connection: ibis.BaseBackend, parts: list[SimpleMetric], window: Window) -> dict[tuple[str, str], int]:
    """How many records in another currency each partner and quarter has, of the part that has most of them."""
    known = set(connection.table("partners").select("partner_id").to_pyarrow()["partner_id"].to_pylist())
    hits = Hits(connection, window)
    out: dict[tuple[str, str], int] = {}
    for part in parts:
        for row in hits.foreign(part, _taken(part, window)).to_pyarrow().to_pylist():
            key = (row["partner_id"], row["period_id"])
            if key[0] in known:
                out[key] = max(out.get(key, 0), row["n"])
    return out


def _taken(metric: SimpleMetric, window: Window) -> list[Quarter]:
    """The quarters for which a metric is read: of a snapshot only the one that holds the as-of day."""
    return [quarter for quarter in window.quarters if not metric.snapshot or quarter.holds(window.as_of)]
