"""The computed columns of the normalised tables (``schema_columns``); apart, because they are made once, of all
tables together, and no export fills them.

What cannot be known is null: no day, no days. What an export asserts by silence is false or 0: no activity is logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.canonical import ARROW_TYPES
from pbr_lib.periods import Calendar
from pbr_lib.schema import OPEN_STAGES, TABLES
from pbr_lib.shares import Numbers
from pbr_lib.subjects import NEVER_DAY, day_numbers, whole_column

__all__ = ["complete"]

Columns = dict[str, pa.Array]

_WON, _LOST = pa.scalar("won"), pa.scalar("lost")


def complete(tables: Mapping[str, pa.Table], calendar: Calendar) -> dict[str, pa.Table]:
    """The tables with every computed column filled, their other columns untouched.

    Attributions must be among them; ``source_stage``, lineage and the computed columns of attributions stay as the
    ingest made them. Tables may be empty, and one that is not there is left out.
    """
    world = _World(tables, calendar, *_counting(tables))
    out = dict(tables)
    for name, rule in _RULES.items():
        if name in out:
            out[name] = _with(out[name], name, rule(world))
    return out


@dataclass(frozen=True)
class _World:
    """All tables, the calendar, and the credit of opportunities that counts: row of the opportunity, and partner."""

    tables: Mapping[str, pa.Table]
    calendar: Calendar
    credited: Numbers
    partners: pa.ChunkedArray


def _with(table: pa.Table, name: str, columns: Columns) -> pa.Table:
    kinds = {column.name: ARROW_TYPES[column.kind] for column in TABLES[name].columns}
    for column, values in columns.items():
        values = values.cast(kinds[column])
        at = table.schema.get_field_index(column)
        table = table.append_column(column, values) if at < 0 else table.set_column(at, column, values)
    return table


# ------------------------------------------------------------------------------------------ table by table


def _opportunities(world: _World) -> Columns:
    deals = world.tables["opportunities"]
    stage, day = deals["stage"], whole_column(deals["close_date"])
    won, lost = (pc.fill_null(pc.equal(stage, each), False) for each in (_WON, _LOST))
    open_ = pc.fill_null(pc.is_in(stage, pa.array(OPEN_STAGES)), False)
    product = pc.multiply(deals["amount"], deals["probability"])
    weighted = pc.round(product, ndigits=4, round_mode="half_towards_infinity").cast(ARROW_TYPES["money"])
    closed = pc.or_(won, lost)
    joint = _joint_activities(world)
    has = np.zeros(len(deals), bool)
    has[world.credited] = True
    return {
        "is_open": open_,
        "is_won": won,
        "is_lost": lost,
        "weighted_amount": pc.if_else(open_, weighted, pa.scalar(None, ARROW_TYPES["money"])),
        "cycle_days": _days(deals["created_at"], day, closed),
        "days_to_live": _days(day, deals["went_live_on"], won),
        "has_partner": pa.array(has),
        "mdf_funded": pc.is_in(deals["campaign_id"], value_set=_funded(world), skip_nulls=True),
        "joint_activities": pc.fill_null(_looked_up(deals["opportunity_id"], *joint), 0),
    }


def _leads(world: _World) -> Columns:
    leads = world.tables["leads"]
    return {"days_to_convert": _days(leads["created_at"], leads["converted_on"])}


def _registrations(world: _World) -> Columns:
    rows, deals = world.tables["registrations"], world.tables["opportunities"]
    won = whole_column(deals.filter(pc.equal(deals["stage"], _WON))["opportunity_id"])
    return {
        "decision_days": _days(rows["submitted_on"], rows["decided_on"]),
        "decision_business_days": _business_days(rows["submitted_on"], rows["decided_on"], world.calendar),
        "is_won": pc.is_in(rows["opportunity_id"], value_set=won, skip_nulls=True),
    }


def _partners(world: _World) -> Columns:
    partners, registrations = world.tables["partners"], world.tables["registrations"]
    deals, at = world.tables["opportunities"], pa.array(world.credited)
    won = pc.fill_null(pc.equal(deals["stage"].take(at), _WON), False)
    first = pa.table({"key": world.partners, "day": deals["close_date"].take(at)}).filter(won)
    asked = pa.table({"key": registrations["partner_id"], "day": registrations["submitted_on"]})
    won_on = _looked_up(partners["partner_id"], *_first(first))
    return {
        "first_registered_on": _looked_up(partners["partner_id"], *_first(asked)),
        "first_won_on": won_on,
        "days_to_first_deal": _days(partners["joined_on"], won_on),
    }


def _campaign_partners(world: _World) -> Columns:
    campaigns = world.tables["campaigns"]
    keys, wanted = whole_column(campaigns["campaign_id"]), world.tables["campaign_partners"]["campaign_id"]
    names = ("name", "type", "start_on", "end_on")
    return {name: _looked_up(wanted, keys, whole_column(campaigns[name])) for name in names}


def _movements(world: _World) -> Columns:
    rows = world.tables["subscription_movements"]
    first = _first(pa.table({"key": rows["account_id"], "day": rows["effective_on"]}))
    return {"customer_since": _looked_up(rows["account_id"], *first)}


def _actions(world: _World) -> Columns:
    rows = world.tables["actions"]
    done = pc.and_(pc.equal(rows["status"], "done"), pc.less_equal(rows["closed_on"], rows["due_on"]))
    on_time = pc.fill_null(done, False)
    return {"is_on_time": pc.if_else(pc.is_valid(rows["due_on"]), on_time, pa.scalar(None, pa.bool_()))}


_RULES: dict[str, Callable[[_World], Columns]] = {
    "opportunities": _opportunities,
    "leads": _leads,
    "registrations": _registrations,
    "partners": _partners,
    "campaign_partners": _campaign_partners,
    "subscription_movements": _movements,
    "actions": _actions,
}


# ------------------------------------------------------------------------------------------------ the parts


def _counting(tables: Mapping[str, pa.Table]) -> tuple[Numbers, pa.ChunkedArray]:
    """Credit of opportunities that counts: confirmed, or nothing said of it, and in time (AT5, AT8)."""
    attributions = tables["attributions"]
    counts = pc.fill_null(pc.equal(attributions["status"], "confirmed"), True)
    counts = pc.and_not(counts, pc.fill_null(attributions["is_late"], False))
    counts = pc.and_(counts, pc.equal(attributions["subject_type"], "opportunity"))
    credit = attributions.select(["subject_id", "partner_id"]).filter(counts)
    at = pc.index_in(credit["subject_id"], value_set=whole_column(tables["opportunities"]["opportunity_id"]))
    return np.asarray(pc.drop_null(at)), credit["partner_id"].filter(pc.is_valid(at))


def _funded(world: _World) -> pa.Array:
    """Campaigns for which a partner was paid from market development funds."""
    claims = world.tables["mdf_claims"]
    paid = pc.fill_null(pc.greater(claims["paid_amount"], pa.scalar(0, ARROW_TYPES["money"])), False)
    return whole_column(claims["campaign_id"].filter(pc.and_(paid, pc.is_valid(claims["campaign_id"]))))


def _joint_activities(world: _World) -> tuple[pa.Array, pa.Array]:
    """Opportunities on which both sides logged an activity, and how many they logged together."""
    rows = world.tables["activities"]
    sides = pa.table({"key": rows["opportunity_id"], "side": rows["by_side"]})
    sides = sides.filter(pc.and_(pc.is_valid(sides["key"]), pc.is_in(sides["side"], pa.array(["us", "partner"]))))
    counted = sides.group_by("key").aggregate([("side", "count_distinct"), ("side", "count")])
    counted = counted.filter(pc.equal(counted["side_count_distinct"], 2))
    return whole_column(counted["key"]), whole_column(counted["side_count"])


def _first(rows: pa.Table) -> tuple[pa.Array, pa.Array]:
    """The first day of each key."""
    grouped = rows.filter(pc.is_valid(rows["key"])).group_by("key").aggregate([("day", "min")])
    return whole_column(grouped["key"]), whole_column(grouped["day_min"])


def _looked_up(wanted: pa.ChunkedArray, keys: pa.Array, values: pa.Array) -> pa.Array:
    """The value of each wanted key; null where there is none."""
    return values.take(whole_column(_chunked(pc.index_in(wanted, value_set=keys, skip_nulls=True))))


def _chunked(column: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def _days(start: pa.ChunkedArray, end: pa.ChunkedArray, where: pa.ChunkedArray | None = None) -> pa.Array:
    """Days from ``start`` to ``end``, where both are known (and ``where`` holds); less than 0 if it came before."""
    first, last = (day_numbers(whole_column(_chunked(each))) for each in (start, end))
    known = (first != NEVER_DAY) & (last != NEVER_DAY)
    if where is not None:
        known &= np.asarray(where)
    return pa.array(np.where(known, last.astype(np.int64) - first, 0), mask=~known)


def _business_days(start: pa.ChunkedArray, end: pa.ChunkedArray, calendar: Calendar) -> pa.Array:
    """:meth:`Calendar.business_days` of whole columns: ``start`` counts, ``end`` does not; never less than 0."""
    first, last = (day_numbers(whole_column(each)) for each in (start, end))
    known = (first != NEVER_DAY) & (last != NEVER_DAY)
    days: list[Numbers] = [np.where(known, each, 0).astype("datetime64[D]") for each in (first, last)]
    counted = calendar.business_days_between(*days)
    return pa.array(counted.astype(np.int64), mask=~known)
