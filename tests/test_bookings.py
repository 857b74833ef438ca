"""Bookings by day: the same sums as the measurement, whatever the credit, the day or the currency."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
import small_world
from booking_world import booked, quarters
from small_world import AS_OF, COUNT, Q3, RATES, credit, deal, leads, partner, quarter, revenue

from pbr_lib import bookings, metrics
from pbr_lib.definitions import RatioMetric, SimpleMetric
from pbr_lib.hits import Hits

LABELS = ("2026-Q1", "2026-Q2", Q3)


def of(tables: dict, metric: SimpleMetric, partners: tuple[str, ...] = ("A", "B")) -> bookings.Bookings:
    """The bookings of a metric over small tables."""
    hits = Hits(small_world.connect(tables), small_world.window(AS_OF, LABELS, RATES))
    return bookings.of(hits, metric, partners, [quarter(label) for label in LABELS])


def days(*texts: str) -> np.ndarray:
    """One cutoff for each quarter."""
    return np.array(texts, "datetime64[D]")


def test_a_day_counts_from_its_first_moment_to_its_last() -> None:
    """A lead at 23:30 belongs to its day; as of the day before it is not there yet."""
    tables = {
        "partners": [partner("A"), partner("B")],
        "leads": [{"lead_id": "L1", "created_at": dt.datetime(2026, 8, 14, 23, 30)},
                  {"lead_id": "L2", "created_at": dt.datetime(2026, 8, 14, 0, 0)},
                  {"lead_id": "L3", "created_at": dt.datetime(2026, 5, 1, 9, 0)}],
        "attributions": [credit(key, "A", subject_type="lead") for key in ("L1", "L2", "L3")],
    }  # fmt: skip
    found = of(tables, leads())
    assert found.final().tolist() == [[0, 1, 2], [0, 0, 0]]
    assert found.booked_by(days("2026-03-31", "2026-05-01", "2026-08-13"))[0].tolist() == [0, 1, 0]
    assert found.booked_by(days("2026-03-31", "2026-04-30", "2026-08-14"))[0].tolist() == [0, 0, 2]
    assert found.by(quarter(Q3), dt.date(2026, 8, 14))[0].tolist() == [2, 0]
    assert found.by(quarter("2025-Q1"), dt.date(2026, 8, 14))[0].tolist() == [0, 0]


def test_records_of_one_day_keep_their_own_amounts() -> None:
    """Two deals of a day are two records of their own size, so that amounts can be drawn from them."""
    tables = {
        "partners": [partner("A"), partner("B")],
        "opportunities": [deal("O1", "100"), deal("O2", "300"), deal("O3", "300"), deal("O4", None), deal("O5", "0")],
        "attributions": [credit(f"O{at}", "A") for at in range(1, 6)],
    }
    found = of(tables, revenue())
    assert list(zip(found.each.tolist(), found.records.tolist(), strict=True)) == [(100, 1), (300, 2)]
    assert (found.final()[0, 2], found.counts()[0, 2]) == (700, 3)
    assert found.records_by(days("2026-03-31", "2026-06-30", "2026-08-19"))[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_bookings_add_up_to_what_was_measured(seed: int) -> None:
    """Whatever the tables hold, the last day's sums are the values; amounts without a rate are in neither."""
    tables = small_world.random_tables(seed)
    connection, window = small_world.connect(tables), small_world.window(AS_OF, LABELS, RATES)
    asked = {
        "leads": leads(),
        "companies": leads(of="company"),
        "won": revenue(),
        "split": revenue(credit="split", date="created_at", where={}),
        "deals": revenue(aggregate="count", of=None, unit=COUNT),
    }
    measured = metrics.measure(connection, asked, window)
    names = ("P1", "P2", "P3", "P4")
    for name, metric in asked.items():
        found = bookings.of(Hits(connection, window), metric, names, window.quarters).final()
        values, _ = measured[name].columns(names, LABELS)
        for where in np.argwhere(values != None):  # noqa: E711 - element by element
            assert found[tuple(where)] == pytest.approx(float(values[tuple(where)]), abs=1e-6), name


def test_what_has_no_bookings_says_so() -> None:
    """A level, a ratio and a sum of several quarters do not grow day by day; the whole programme is no partner's."""
    ratio = RatioMetric(type="ratio", label="R", numerator="won", denominator="closed", unit={"kind": "percent"})
    trailing = leads(trailing_quarters=4)
    everyone = SimpleMetric(
        label="All", table="leads", aggregate="count", date="created_at", scope="programme", unit=COUNT
    )
    assert [bookings.bookable(each) for each in (leads(), ratio, trailing, everyone)] == [True, False, False, False]
    with pytest.raises(ValueError, match="does not grow day by day"):
        of({"partners": [partner("A")]}, trailing)


def test_no_records_make_empty_bookings() -> None:
    """A metric without a single hit is booked zero on every day."""
    found = of({"partners": [partner("A"), partner("B")]}, leads())
    assert found.final().tolist() == [[0, 0, 0], [0, 0, 0]]
    assert found.elapsed.tolist() == []


def test_the_clock_of_a_booking_is_business_days() -> None:
    """A booking of a Saturday stands where the Friday before it ended; the last day is the end."""
    found = booked([(0, 7, "04-03", 1), (0, 7, "04-04", 1), (0, 7, "06-30", 1)])
    friday, saturday, last = found.elapsed
    assert friday == saturday == pytest.approx(3 / 65)
    assert last == 1
    assert bookings.day_shares(quarters(1)[0])[-1] == 1


def test_money_is_exact_to_far_below_a_cent() -> None:
    """Amounts become floats only after the engine has added credit and rate."""
    tables = {
        "partners": [partner("A"), partner("B")],
        "opportunities": [deal("O1", "99999999.9999", currency="EUR")],
        "attributions": [credit("O1", "A", share="0.3333"), credit("O1", "B", share="0.6667")],
    }
    found = of(tables, revenue(credit="split")).final()
    assert found[0, 2] == pytest.approx(float(Decimal("99999999.9999") * Decimal("1.10") * Decimal("0.3333")), abs=1e-6)


def test_t35_bookings_by_month() -> None:
    """T35 (B69): 1.5, 2 and 5.5 of 9 million by month are 16.7, 22.2 and 61.1 %: a severe hockey stick."""
    found = booked([(0, 7, "04-20", 1.5e6), (0, 7, "05-20", 2e6), (0, 7, "06-20", 5.5e6)])
    whole = found.final()[0, 7]
    by = [
        found.booked_by(np.full(8, day, "datetime64[D]"))[0, 7] / whole
        for day in ("2026-04-30", "2026-05-31", "2026-06-30")
    ]
    assert np.round(np.diff([0.0, *by]) * 100, 1).tolist() == [16.7, 22.2, 61.1]
