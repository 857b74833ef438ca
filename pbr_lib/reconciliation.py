"""Whether the numbers of partners and of the whole agree (domain.md 8.2); apart, because it asks the tables anew and
shares nothing with the metrics that it reconciles.

Total won = sourced + influenced only + unattributed, each deal once; resold is a cut of its own. Sums are exact
decimals in each original currency. In the reporting currency each deal is worth its amount at the plan rate of its
quarter; the sum over a currency at that rate is the sum over its deals, since nothing is rounded.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.periods import Calendar, Quarter
from pbr_lib.rates import Rate, RateBook
from pbr_lib.shares import Numbers, allocate
from pbr_lib.subjects import NEVER_DAY, day_numbers, whole_column

__all__ = ["Apart", "CreditSums", "QuarterSums", "Reconciliation", "Sums", "Total", "allocate", "reconcile", "totals"]

_SHARE = pa.decimal128(5, 4)
_EXACT = Context(prec=76)  # more digits than any sum of amounts at any rate has
_CREDITS = ("sourced", "influenced", "resold")
_APART = "no plan rate for its currency", "no currency", "no amount", "no closing day"


@dataclass(frozen=True)
class Sums:
    """Some deals: how many, what they are worth in each currency, and in the reporting currency at plan rates.

    ``reporting`` leaves out the ``unconverted`` deals, which are listed apart.
    """

    deals: int = 0
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    reporting: Decimal = Decimal(0)
    unconverted: int = 0

    def __add__(self, other: Sums) -> Sums:
        currencies = sorted({*self.amounts, *other.amounts})
        amounts = {each: _plus(self.amounts.get(each), other.amounts.get(each)) for each in currencies}
        reporting = _plus(self.reporting, other.reporting)
        return Sums(self.deals + other.deals, amounts, reporting, self.unconverted + other.unconverted)


@dataclass(frozen=True)
class CreditSums:
    """One credit in the three ways to sum: each deal once, every partner's full amount, and every partner's share.

    ``by_partner`` gives gross and split of each partner; split adds up to ``distinct`` where shares add up to one.
    """

    distinct: Sums
    gross: Sums
    split: Sums
    by_partner: Mapping[str, tuple[Sums, Sums]]

    def shown(self, decimals: int = 2) -> Mapping[str, Decimal]:
        """Each partner's split in the reporting currency, rounded so that the column adds up to its rounded sum."""
        partners = sorted(self.by_partner)
        parts = [self.by_partner[partner][1].reporting for partner in partners]
        if not any(parts) or any(part < 0 for part in parts):
            return dict(zip(partners, parts, strict=True))
        return dict(zip(partners, allocate(self.split.reporting, parts, decimals), strict=True))


@dataclass(frozen=True)
class QuarterSums:
    """What was won in one quarter: ``total`` = ``sourced`` + ``influenced_only`` + ``unattributed``.

    ``credits`` holds sourced, influenced (with or without sourced) and resold, summed in three ways.
    """

    quarter: str
    total: Sums
    sourced: Sums
    influenced_only: Sums
    unattributed: Sums
    credits: Mapping[str, CreditSums]

    @property
    def resold(self) -> Sums:
        """Deals that a partner resold, whatever the other credit; a cut of its own."""
        return self.credits["resold"].distinct


@dataclass(frozen=True)
class Apart:
    """A won deal that could not be summed in the reporting currency, or in any quarter, and why."""

    opportunity_id: str
    amount: Decimal | None
    currency: str
    close_date: dt.date | None
    why: str


@dataclass(frozen=True)
class Reconciliation:
    """The quarters, and the won deals that no figure in the reporting currency holds."""

    currency: str
    quarters: tuple[QuarterSums, ...]
    apart: tuple[Apart, ...]


@dataclass(frozen=True)
class Total:
    """All deals of one quarter, stage or partner in one currency; an empty key is none."""

    key: str
    currency: str
    deals: int
    amount: Decimal


def reconcile(
    tables: Mapping[str, pa.Table], quarters: Sequence[Quarter], rates: Iterable[Rate], currency: str
) -> Reconciliation:
    """What was won in each quarter, by credit that counts; ``rates`` those that are known."""
    deals = tables["opportunities"]
    won = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(deals["stage"], "won"), False)))
    deals = deals.select(["opportunity_id", "amount", "currency", "close_date"]).take(pa.array(won))
    credit = _credit(tables["attributions"], deals)
    period = _periods(whole_column(deals["close_date"]), quarters)
    has = {name: _marks(credit, name, len(deals)) for name in _CREDITS}
    kind = np.where(has["sourced"], 0, np.where(has["influenced"], 1, 2))
    plan = _plan_rates(rates, currency, quarters)
    book = _Book(plan, deals)
    whole = book.sums({"period": period, "class": kind})
    ways = {name: _ways(credit, name, period, book, has[name]) for name in _CREDITS}
    out = []
    for index, quarter in enumerate(quarters):
        sourced, influenced, rest = (whole.get((index, number), Sums()) for number in range(3))
        credits = {name: ways[name](index) for name in _CREDITS}
        out.append(QuarterSums(quarter.label, sourced + influenced + rest, sourced, influenced, rest, credits))
    return Reconciliation(currency, tuple(out), _apart(deals, period, plan))


def totals(
    tables: Mapping[str, pa.Table], by: Literal["quarter", "stage", "partner"], calendar: Calendar | None = None
) -> tuple[Total, ...]:
    """All deals by closing quarter, stage, or credited partner (each deal once for each), exactly, by currency.

    A deal without amount counts as a deal that adds nothing. Quarters need the calendar.
    """
    deals = tables["opportunities"].select(["opportunity_id", "amount", "currency", "stage", "close_date"])
    if by == "partner":
        credit = _credit(tables["attributions"], deals)
        rows = pa.table({"row": credit["row"], "key": credit["partner_id"]})
        rows = rows.group_by(["row", "key"]).aggregate([])
        key: Any = rows["key"]
        deals = deals.take(rows["row"])
    else:
        key = deals["stage"] if by == "stage" else _labels(deals["close_date"], calendar or Calendar())
    table = pa.table({"key": key, "currency": deals["currency"], "amount": deals["amount"]})
    found = table.group_by(["key", "currency"]).aggregate([("amount", "sum"), ([], "count_all")]).to_pylist()
    rest = [Total(r["key"] or "", r["currency"] or "", r["count_all"], r["amount_sum"] or Decimal(0)) for r in found]
    return tuple(sorted(rest, key=lambda total: (total.key, total.currency)))


# --------------------------------------------------------------------------------------------- the parts


@dataclass(frozen=True)
class _Book:
    """Won deals and the plan rates, to be summed by any numbers."""

    rates: Mapping[tuple[int, str], Decimal]
    deals: pa.Table = field(repr=False)

    def sums(self, keys: Mapping[str, Numbers], rows: Any = None, share: Any = None) -> dict[tuple[Any, ...], Sums]:
        """Sums by ``keys``, of which the first is the number of the quarter; of ``rows``, each with its ``share``."""
        deals = self.deals if rows is None else self.deals.take(pa.array(rows))
        amount = deals["amount"]
        if share is not None:
            amount = pc.multiply(amount, share)
        names = list(keys)
        table = pa.table({**{name: pa.array(key) for name, key in keys.items()},
                          "currency": deals["currency"], "amount": amount})  # fmt: skip
        grouped = table.group_by([*names, "currency"]).aggregate(
            [("amount", "sum"), ("amount", "count"), ([], "count_all")]
        )
        out: dict[tuple[Any, ...], Sums] = {}
        columns = [
            grouped[name].to_pylist() for name in (*names, "currency", "amount_sum", "amount_count", "count_all")
        ]
        for *key, currency, amount, known, count in zip(*columns, strict=True):
            if key[0] >= 0:
                one = self._one(key[0], currency or "", amount, known, count)
                at = tuple(key)
                out[at] = out[at] + one if at in out else one
        return out

    def _one(self, period: int, currency: str, amount: Decimal | None, known: int, count: int) -> Sums:
        rate = self.rates.get((period, currency))
        if amount is None:
            return Sums(count, {}, Decimal(0), count)
        if rate is None:
            return Sums(count, {currency: amount}, Decimal(0), count)
        return Sums(count, {currency: amount}, _EXACT.multiply(amount, rate), count - known)


def _ways(credit: pa.Table, name: str, period: Numbers, book: _Book, has: Any) -> Any:
    """A function that gives one credit of a quarter in the three ways to sum."""
    distinct = book.sums({"period": period[has]}, np.flatnonzero(has))
    mine = credit.filter(pc.equal(credit["credit_type"], name))
    rows = np.asarray(mine["row"])
    coded = whole_column(mine["partner_id"].cast(pa.string())).dictionary_encode()
    names = coded.dictionary.to_pylist()
    keys = {"period": period[rows], "partner": np.asarray(coded.indices)}
    gross = book.sums(keys, rows)
    split = book.sums(keys, rows, mine["share"].cast(_SHARE))

    whole = book.sums({"period": period[rows]}, rows)
    parts = book.sums({"period": period[rows]}, rows, mine["share"].cast(_SHARE))
    by_quarter: defaultdict[int, dict[str, tuple[Sums, Sums]]] = defaultdict(dict)
    for key in sorted(gross, key=lambda key: (key[0], names[key[1]])):
        by_quarter[key[0]][names[key[1]]] = (gross[key], split[key])

    def of(index: int) -> CreditSums:
        at, nothing = (index,), Sums()
        sums = [each.get(at, nothing) for each in (distinct, whole, parts)]
        return CreditSums(sums[0], sums[1], sums[2], by_quarter[index])

    return of


def _credit(attributions: pa.Table, deals: pa.Table) -> pa.Table:
    """Credit that counts, on these deals: row of the deal, partner, type and share."""
    counts = pc.fill_null(pc.equal(attributions["status"], "confirmed"), True)
    counts = pc.and_not(counts, pc.fill_null(attributions["is_late"], False))
    counts = pc.and_(counts, pc.equal(attributions["subject_type"], "opportunity"))
    names = ["subject_id", "partner_id", "credit_type", "share"]
    credit = attributions.select(names).filter(counts)
    at = pc.index_in(credit["subject_id"], value_set=whole_column(deals["opportunity_id"]))
    credit = credit.append_column("row", at).drop_columns(["subject_id"])
    return credit.filter(pc.is_valid(credit["row"]))


def _marks(credit: pa.Table, name: str, size: int) -> Any:
    out = np.zeros(size, bool)
    out[np.asarray(credit.filter(pc.equal(credit["credit_type"], name))["row"])] = True
    return out


def _periods(column: pa.Array, quarters: Sequence[Quarter]) -> Numbers:
    """Which of the quarters holds each day; -1 for none of them."""
    day = day_numbers(column)
    out = np.full(len(day), -1, np.int32)
    epoch = dt.date(1970, 1, 1)
    for index, quarter in enumerate(quarters):
        out[(day >= (quarter.start - epoch).days) & (day < (quarter.end - epoch).days)] = index
    return out


def _labels(column: pa.ChunkedArray, calendar: Calendar) -> pa.Array:
    day = day_numbers(whole_column(column))
    known = day[day != NEVER_DAY]
    if not len(known):
        return pa.nulls(len(day), pa.string())
    epoch = dt.date(1970, 1, 1)
    first, last = (epoch + dt.timedelta(days=int(each)) for each in (known.min(), known.max()))
    quarters = calendar.quarters(first, last)
    at = _periods(whole_column(column), quarters)
    return pa.array([quarter.label for quarter in quarters], pa.string()).take(pa.array(at, mask=at < 0))


def _plan_rates(rates: Iterable[Rate], target: str, quarters: Sequence[Quarter]) -> dict[tuple[int, str], Decimal]:
    """The plan rate of each currency that holds on the first day of each quarter; the target's own is 1."""
    book = RateBook.of(rates)
    out: dict[tuple[int, str], Decimal] = {}
    for index, quarter in enumerate(quarters):
        out |= {(index, each): rate.rate for each, rate in book.on("plan", target, quarter.start).items()}
        out[index, target] = Decimal(1)
    return out


def _apart(deals: pa.Table, period: Numbers, rates: Mapping[tuple[int, str], Decimal]) -> tuple[Apart, ...]:
    """Deals without closing day, amount, currency or plan rate, by id."""
    coded = whole_column(deals["currency"]).dictionary_encode()
    names = [*coded.dictionary.to_pylist(), None]
    code = np.asarray(pc.fill_null(coded.indices, len(names) - 1))
    has = np.zeros((int(period.max(initial=-1)) + 2, len(names)), bool)  # its last row stands for no quarter
    for index in range(has.shape[0] - 1):
        has[index] = [(index, name) in rates for name in names]
    has[-1] = True
    undated = np.asarray(pc.is_null(deals["close_date"]))
    silent = np.asarray(pc.is_null(deals["amount"])) & (period >= 0)
    odd = undated | silent | ~has[period, code]
    out = []
    for row in deals.take(pa.array(np.flatnonzero(odd))).to_pylist():
        reasons = (row["close_date"] is None, row["amount"] is None, not row["currency"], True)
        why = _APART[3 - reasons.index(True)]
        out.append(Apart(row["opportunity_id"], row["amount"], row["currency"] or "", row["close_date"], why))
    return tuple(sorted(out, key=lambda one: one.opportunity_id))


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal:
    return _EXACT.add(one or Decimal(0), other or Decimal(0))
