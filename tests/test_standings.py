"""States have a word, a shape and a tone, so that colour never carries them alone."""

from __future__ import annotations

from typing import get_args

import pytest

from pbr_lib import goals, standings


@pytest.mark.parametrize("standing", get_args(goals.Standing))
def test_every_standing_has_word_shape_and_tone(standing: goals.Standing) -> None:
    """Whatever the arithmetic may say can be shown."""
    status = standings.status(standing)
    assert status.word.startswith(standing)
    assert len(status.shape) == 1
    assert status.tone in ("good", "warn", "bad", "neutral")


def test_shapes_of_good_and_bad_differ() -> None:
    """In black and white, what is good never looks like what is bad."""
    shapes: dict[str, set[str]] = {}
    for standing in get_args(goals.Standing):
        status = standings.status(standing)
        shapes.setdefault(status.tone, set()).add(status.shape)
    assert not any(one & other for tone, one in shapes.items() for name, other in shapes.items() if tone != name)


def test_types_of_partners_are_written_out() -> None:
    """Short names become words, others stay as they are."""
    assert standings.partner_type("Gold si") == "Gold systems integrator"
    assert standings.partner_type("Silver reseller") == "Silver reseller"
    assert standings.partner_type("") == ""
