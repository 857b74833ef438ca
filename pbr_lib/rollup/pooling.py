"""What several partners' figures have in common: the sums behind a rate or a mean, and the records that stand with
more than one partner; apart, because a roll-up is arithmetic on rows and must not know how they were measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.definitions import Metric, RatioMetric, SimpleMetric
from pbr_lib.metrics import Measurement
from pbr_lib.periods import Quarter
from pbr_lib.schema import TABLES

__all__ = ["Overlap", "Parts", "overlap", "parts"]

Parts = Mapping[str, tuple[Decimal | None, Decimal | None]]
"""Numerator and denominator by partner."""

_ZERO = Decimal(0)
_EXACT = 60  # digits of a sum, which is exact and so the same in any order


@dataclass(frozen=True)
class Overlap:
    """The records of one metric and quarter that count in full with several partners.

    ``shared`` maps a role (actual, numerator, denominator) to one mapping for each such record, of partner to what
    the record counts there. ``noun`` is what a record is called. ``whole`` is false where records of several partners
    may be one and the same thing and nobody can tell, such as the customers behind different deals.
    """

    shared: Mapping[str, tuple[Mapping[str, Decimal], ...]] = field(default_factory=dict, repr=False)
    noun: str = "record"
    whole: bool = True

    def excess(self, role: str, partners: Collection[str]) -> Decimal:
        """What a sum over those partners counts too often: each record is to count once, with its largest figure."""
        with localcontext() as context:
            context.prec = _EXACT
            total = _ZERO
            for record in self.shared.get(role, ()):
                counts = [count for partner, count in record.items() if partner in partners]
                if len(counts) > 1:
                    total += sum(counts, _ZERO) - max(counts, key=abs)
            return total


def overlap(measured: Measurement, metric: Metric, metrics: Mapping[str, Metric], quarter: Quarter) -> Overlap:
    """Which records of a metric stand with several partners in a quarter.

    Shares of a record (``credit: split``) add up to the record and overlap nowhere.
    """
    roles = {role: found for role in ("actual", "numerator", "denominator") if (found := _terms(role, metric, metrics))}
    if not any(_credited(term) for terms in roles.values() for term in terms):
        return Overlap()
    records = measured.records([quarter])
    shared = {role: _shared(records, role) for role, terms in roles.items() if not _split(terms)}
    every = [term for terms in roles.values() for term in terms]
    table = every[0].table
    whole = all(term.aggregate != "count_distinct" or term.of == TABLES[term.table].key for term in every)
    noun = "deal" if table == "opportunities" else TABLES[table].singular
    return Overlap(shared, noun, whole)


def _terms(role: str, metric: Metric, metrics: Mapping[str, Metric]) -> list[SimpleMetric]:
    """The simple metrics that a role adds up."""
    if isinstance(metric, SimpleMetric):
        return [metric] if role == "actual" else []
    names = {"numerator": metric.numerator, "denominator": metric.denominator}.get(role, ())
    terms = (metrics[name.removeprefix("-")] for name in names)
    return [term for term in terms if isinstance(term, SimpleMetric)]


def _credited(metric: SimpleMetric) -> bool:
    return metric.additive and metric.scope == "partner" and TABLES[metric.table].credited and metric.way != "split"


def _split(terms: list[SimpleMetric]) -> bool:
    """Whether a role holds anything that must not be taken off: shares, or what is no sum."""
    return not all(_credited(term) for term in terms)


def _shared(records: pa.Table, role: str) -> tuple[Mapping[str, Decimal], ...]:
    rows = records.filter(pc.equal(records["role"], role))
    rows = rows.filter(pc.is_valid(rows["counts"]))
    seen = rows.group_by(["table", "record_id"]).aggregate([("partner_id", "count_distinct")])
    often = seen.filter(pc.greater(seen["partner_id_count_distinct"], 1)).select(["table", "record_id"])
    found: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for row in rows.join(often, ["table", "record_id"], join_type="inner").to_pylist():
        found[row["table"], row["record_id"]][row["partner_id"]] = row["counts"]
    return tuple(found[key] for key in sorted(found))


def parts(measured: Measurement, metric: Metric, quarter: Quarter) -> Parts:
    """Numerator and denominator by partner: of a ratio as measured, of an average the sum and the number of records.

    Known also where a partner's own rate is not, because too few records stand behind it; empty for whatever is no
    quotient.
    """
    if isinstance(metric, RatioMetric):
        values = measured.values
        rows = values[values["period_id"] == quarter.label]
        found = zip(rows["partner_id"], rows["numerator"], rows["denominator"], strict=True)
        return {partner: (_number(top), _number(bottom)) for partner, top, bottom in found}
    if metric.aggregate != "average" or metric.scope == "programme":
        return {}
    rows = measured.records([quarter])
    rows = rows.filter(pc.and_(pc.equal(rows["role"], "actual"), pc.is_valid(rows["counts"])))
    out: dict[str, tuple[Decimal, Decimal]] = {}
    for partner, count in zip(rows["partner_id"].to_pylist(), rows["counts"].to_pylist(), strict=True):
        total, number = out.get(partner, (_ZERO, _ZERO))
        out[partner] = (total + count, number + 1)
    return out


def _number(value: object) -> Decimal | None:
    return value if isinstance(value, Decimal) else None
