"""Booking curves: the share that was there by then, monotone, and never drawn from too little."""

from __future__ import annotations

import numpy as np
import pytest
from booking_world import LATE, booked, history, quarters, simulated
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import curves
from pbr_lib.bookings import Bookings

MONTHS = {1: ("01", "02", "03"), 2: ("04", "05", "06"), 3: ("07", "08", "09"), 4: ("10", "11", "12")}


def steady(partners: int, count: int, days: tuple[str, ...]) -> Bookings:
    """Each partner books one on the same days of months one, two, three of every quarter (``1-15``)."""
    rows = []
    for at, each in enumerate(quarters(count)):
        for day in days:
            month, number = day.split("-")
            text = f"{MONTHS[each.number][int(month) - 1]}-{number}"
            rows += [(who, at, text, 1.0) for who in range(partners)]
    return booked(rows, partners, count)


def test_a_curve_finds_the_hockey_stick_again() -> None:
    """55 % of leads in the last third: at two thirds of the quarter less than half is there (goals.md 6.1)."""
    bookings = simulated(60, 9, seed=3)
    drawn, reason = curves.draw(bookings, history(bookings))
    assert drawn is not None
    assert reason == ""
    whole = drawn.at(np.array([0, 1 / 3, 2 / 3, 1])).mean(axis=0)
    assert whole == pytest.approx([0, LATE[0], LATE[0] + LATE[1], 1], abs=0.04)


def test_a_partner_with_enough_of_its_own_has_its_own_curve() -> None:
    """Early in every quarter, among late ones: its own curve leads and says so; a new partner has the pool's."""
    late, early = steady(6, 9, ("3-20", "3-24", "3-26")), steady(1, 9, tuple(f"1-{day}" for day in range(10, 20)))
    names = tuple(f"P{at}" for at in range(8))
    parts = (
        np.concatenate([late.partner, early.partner + 6]),
        *(np.concatenate([getattr(late, n), getattr(early, n)]) for n in ("quarter", "day", "each", "records")),
    )
    mixed = Bookings(names, late.quarters, *parts)
    drawn, _ = curves.draw(mixed, history(mixed))
    assert drawn is not None
    assert drawn.basis("P6") == "its own last 8 quarters"
    assert drawn.basis("P7") == "the last 8 quarters of all partners"
    assert drawn.share_of("P6", 0.4) > 0.8
    assert drawn.share_of("P7", 0.4) < drawn.share_of("P6", 0.4)
    assert drawn.share(np.full(8, 0.4))[6] == pytest.approx(drawn.share_of("P6", 0.4))


def test_peers_stand_between_own_and_all() -> None:
    """A partner with nothing of its own follows its group, when that group has five members and enough bookings."""
    bookings = steady(12, 9, ("1-05",))
    late = steady(12, 9, ("3-25",))
    group = np.array([0] * 6 + [1] * 6)
    day = np.where(group[bookings.partner] == 0, bookings.day, late.day)
    keep = ~np.isin(bookings.partner, (5, 11))
    mixed = Bookings(bookings.partners, bookings.quarters, bookings.partner, bookings.quarter, day, bookings.each,
                     bookings.records).only(keep)  # fmt: skip
    drawn, _ = curves.draw(mixed, history(mixed), [group])
    assert drawn is not None
    assert drawn.basis("P5") == "the last 8 quarters of its peers"
    assert drawn.share_of("P5", 0.5) > 0.6 > 0.4 > drawn.share_of("P11", 0.5)
    few, _ = curves.draw(mixed, history(mixed), [np.array([0] * 3 + [1] * 3 + [2] * 3 + [3] * 3)])
    assert few is not None
    assert few.basis("P5") == "the last 8 quarters of all partners", "a group of three is nobody's peers"
    everyone, _ = curves.draw(mixed, history(mixed), [np.zeros(12, np.int64)])
    assert everyone is not None
    assert everyone.basis("P5") == "the last 8 quarters of all partners", "a group of all is all partners"


@pytest.mark.parametrize(
    ("bookings", "reason"),
    [
        (steady(10, 6, ("1-05",)), "5 closed quarters with bookings, a curve needs 6"),
        (steady(1, 2, ("1-05",)), "1 closed quarter with bookings, a curve needs 6"),
        (steady(3, 9, ("1-05",)), "24 bookings in past quarters, a curve needs 30"),
        (booked([], 2), "no closed quarter with bookings, a curve needs 6"),
    ],
)
def test_too_little_makes_no_curve_and_a_reason(bookings: Bookings, reason: str) -> None:
    """At least six closed quarters and thirty events in the pool (goals.md 6.1)."""
    assert curves.draw(bookings, history(bookings)) == (None, reason)


def test_only_what_was_known_then_is_used() -> None:
    """A curve for an earlier quarter holds nothing of later ones."""
    bookings = simulated(40, 10, seed=8)
    whole = history(bookings)
    early = bookings.only(bookings.quarter < 7)
    asked = whole.quarters[7]
    one, _ = curves.draw(bookings, whole.before(asked))
    two, _ = curves.draw(early, history(early).before(asked))
    assert one is not None
    assert two is not None
    assert (one.values == two.values).all()
    assert one.quarters == 7


def test_what_is_taken_back_does_not_make_a_curve_fall() -> None:
    """A small credit note leaves a curve that rises; much of them leave none."""
    months = [(who, at, MONTHS[each.number]) for who in range(6) for at, each in enumerate(quarters(8))]
    made = [(who, at, f"{month}-15", 100.0) for who, at, named in months for month in (named[0], named[2])]
    little = booked(made + [(who, at, f"{named[1]}-15", -15.0) for who, at, named in months], 6)
    drawn, _ = curves.draw(little, history(little))
    assert drawn is not None
    assert (np.diff(drawn.values, axis=1) >= 0).all()
    much = booked(made + [(who, at, f"{named[1]}-15", -90.0) for who, at, named in months], 6)
    assert curves.draw(much, history(much)) == (None, "too much of what is booked is taken back later for a curve")


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_curves_rise_from_nothing_to_all(seed: int, groups: int) -> None:
    """Whatever is booked: monotone, 0 at the beginning, 1 at the end, the same again from the same."""
    bookings = simulated(12, 8, seed)
    group = np.arange(12) % groups
    drawn, _ = curves.draw(bookings, history(bookings), [group])
    if drawn is None:
        return
    assert (np.diff(drawn.values, axis=1) >= 0).all()
    assert (drawn.values[:, 0] == 0).all()
    assert (drawn.values[:, -1] == 1).all()
    assert drawn.at(np.array([0.0, 1.0])).tolist() == [[0, 1]] * 12
    again, _ = curves.draw(bookings, history(bookings), [group])
    assert again is not None
    assert (again.values == drawn.values).all()


def test_bookings_of_other_partners_are_refused() -> None:
    """Rows of two arrays that do not belong together would give one partner another's curve."""
    one, other = simulated(5, 8, 1), simulated(6, 8, 1)
    with pytest.raises(ValueError, match="different partners"):
        curves.draw(one, history(other))
