"""A definition in words, made from what is computed and so never at odds with it; apart, because measuring
and wording change for different reasons.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from pbr_lib.definitions import AllOf, AnyOf, Filter, Metric, Not, RatioMetric, SimpleMetric
from pbr_lib.model import date_text
from pbr_lib.schema import TABLES

__all__ = ["describe"]


def describe(metric: Metric, metrics: Mapping[str, Metric]) -> str:
    """The definition in words, made from what is computed and so never at odds with it."""
    if isinstance(metric, RatioMetric):
        return _ratio(metric, metrics)
    parts = [_what(metric)]
    if TABLES[metric.table].credited and metric.scope == "partner":
        parts.append(_credit(metric))
    parts.append(_when(metric))
    if metric.existing_since is not None:
        parts.append(f"only where the {_words(metric.existing_since)} lies before that time")
    if metric.snapshot:
        parts.append("as things stand on the as-of day")
    if metric.scope == "programme":
        parts.append("over the whole programme")
    if metric.unit.kind == "money":
        parts.append(f"in {metric.unit.currency} {_rate(metric)}")
    if metric.way == "split":
        parts.append("shared where several partners are credited")
    return ", ".join(parts) + "." + _least(metric)


def _ratio(metric: RatioMetric, metrics: Mapping[str, Metric]) -> str:
    above, below = _sum(metric.numerator, metrics), _sum(metric.denominator, metrics)
    scale = f" × {metric.scale:f}" if metric.scale is not None else ""
    alone = len(metric.numerator) == len(metric.denominator) == 1
    if alone and not any(term.startswith("-") for term in (*metric.numerator, *metric.denominator)):
        top, bottom = (describe(metrics[terms[0]], metrics) for terms in (metric.numerator, metric.denominator))
        return f"{above} ÷ {below.lower()}{scale}. Above: {top} Below: {bottom}{_least(metric)}"
    told = " ".join(f"{metrics[name].label}: {describe(metrics[name], metrics)}" for name in metric.parts)
    return f"({above}) ÷ ({below.lower()}){scale}. {told}{_least(metric)}"


def _sum(terms: Sequence[str], metrics: Mapping[str, Metric]) -> str:
    out = ""
    for term in terms:
        label = metrics[term.removeprefix("-")].label
        sign = "−" if term.startswith("-") else "+" if out else ""
        out += f" {sign} {label.lower()}" if out else f"{sign}{label}"
    return out


def _what(metric: SimpleMetric) -> str:
    own = metric.of == TABLES[metric.table].key
    table = metric.table.replace("_", " ")
    what = {
        "count": f"Number of {table}",
        "count_distinct": f"Number of {table}" if own else f"Different {_plural(metric.of)} in {table}",
        "sum": f"Sum of {_words(metric.of)} over {table}",
        "average": f"Mean {_words(metric.of)} over {table}",
        "median": f"Median {_words(metric.of)} over {table}",
        "min": f"Smallest {_words(metric.of)} in {table}",
        "max": f"Largest {_words(metric.of)} in {table}",
        "latest": f"Latest {_words(metric.of)} in {table}",
    }[metric.aggregate]
    where = _filter_words(metric.where)
    return what + (f" where {where}" if where else "")


def _credit(metric: SimpleMetric) -> str:
    text = f"credited to the partner as {' or '.join(metric.credits)}" if metric.credits else ""
    text = text or "with any credit to the partner"
    if metric.credit_method:
        text += f" by {' or '.join(method.replace('_', ' ') for method in metric.credit_method)}"
    if metric.credit_status != ("confirmed",):
        text += f" ({' or '.join(metric.credit_status)})"
    return text + (" even if claimed late" if metric.late else "")


def _when(metric: SimpleMetric) -> str:
    span = f"over the {metric.trailing_quarters} quarters that end with this one"
    if metric.nature == "level":
        until = f" to {_words(metric.valid_to)}" if metric.valid_to else ""
        day = "valid on the day"
        if metric.read_at == "start":
            trailing = f"{metric.trailing_quarters} quarters that end with this one"
            day = f"valid before the {trailing if metric.trailing_quarters > 1 else 'quarter'}"
        return f"{day} ({_words(metric.valid_from)}{until})"
    text = f"by {_words(metric.date)}"
    if metric.shift_quarters == 1:
        text += " in the next quarter"
    elif metric.shift_quarters:
        text += f" {metric.shift_quarters} quarters later"
    return f"{text} {span}" if metric.trailing_quarters > 1 else text


def _rate(metric: SimpleMetric) -> str:
    if metric.unit.fx == "close_date_rate":
        return f"at the spot rate of the {_words(metric.date)}"
    if metric.unit.fx == "period_average":
        return "at the average rate of the quarter (where none is given, the mean of its spot rates, weighted by days)"
    return "at plan rates"


def _least(metric: Metric) -> str:
    least = f" At least {metric.min_n} records, else not measurable." if metric.min_n > 1 else ""
    days = metric.maturity_days
    return least + (f" Settled {days} days after the quarter's end, until then marked as immature." if days else "")


def _filter_words(node: Filter, inside: bool = False) -> str:
    if isinstance(node, AllOf | AnyOf):
        word = " and " if isinstance(node, AllOf) else " or "
        text = word.join(_filter_words(item, inside=True) for item in node.items)
        return f"({text})" if inside and len(node.items) > 1 else text
    if isinstance(node, Not):
        return f"not ({_filter_words(node.item)})"
    value, column = node.value, _words(node.column)
    if node.op == "is_null":
        return f"{column} is {'empty' if value else 'filled'}"
    if isinstance(value, bool):
        plain = _FLAGS.get(node.column, column)
        return plain if value == (node.op != "is_not") else f"not {plain}"
    if node.op == "between":
        return f"{column} from {_literal(value[0])} to {_literal(value[1])}"
    listed = ", ".join(_literal(item) for item in value) if isinstance(value, tuple) else _literal(value)
    signs = _DAY_SIGNS if isinstance(value, dt.date) else _SIGNS
    return f"{column} {signs.get(node.op, node.op.replace('_', ' '))} {listed}"


_FLAGS = {"is_won": "won", "is_lost": "lost", "is_open": "open", "has_partner": "any partner is credited"}
_SIGNS = {"gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most", "in": "one of"}
_SIGNS |= {"not_in": "none of"}
_DAY_SIGNS = {"gt": "after", "gte": "on or after", "lt": "before", "lte": "on or before"}


def _literal(value: Any) -> str:
    return date_text(value) if isinstance(value, dt.date) else str(value).replace("_", " ")


_DAYS = {
    "created_at": "day of creation",
    "close_date": "closing day",
    "submitted_on": "day of submission",
    "decided_on": "day of decision",
    "answered_on": "day of the answer",
    "issued_on": "day of issue",
    "expires_on": "day of expiry",
    "joined_on": "day of joining",
    "arr_delta": "change of recurring revenue a year",
    "cycle_days": "days from creation to closing",
    "days_to_convert": "days from creation to conversion",
    "days_to_first_deal": "days from joining to the first deal won",
    "days_to_live": "days from closing to going live",
    "decision_business_days": "business days from submission to decision",
    "customer_since": "customer's first day",
    "approved_on": "day of approval",
    "at": "its day",
    "converted_on": "day of conversion",
    "onboarded_on": "day of complete onboarding",
    "claimed_at": "day of the claim",
    "completed_on": "day of completion",
    "due_on": "due day",
    "effective_on": "effective day",
    "first_registered_on": "day of the first registration",
    "first_won_on": "day of the first deal won",
    "paid_on": "day of payment",
    "period_start": "quarter",
    "start_on": "first day",
    "went_live_on": "day of going live",
    "valid_on": "day of validity",
}


def _words(column: str | None) -> str:
    return _DAYS.get(column or "", (column or "").removesuffix("_id").removesuffix("_name").replace("_", " "))


def _plural(column: str | None) -> str:
    word = _words(column)
    return {"person": "people", "company": "companies"}.get(word, word + "s")
