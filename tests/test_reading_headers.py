"""Headers are found by content: by labels where there are any, else by what stands above data."""

from __future__ import annotations

import pytest

from pbr_lib.reading import headers

LABELS = frozenset(["Deal ID", "Close Date", "Amount"])


@pytest.mark.parametrize(
    ("cell", "label"),
    [(" Sales ", "Sales"), ("\ufeffID", "ID"), ("Close\r\n Date", "Close Date"), ("\u00a0A b\u00a0", "A b"), ("", "")],
)
def test_labels(cell: str, label: str) -> None:
    """A label is trimmed outside, and one line within."""
    assert headers.label(cell) == label


def test_held() -> None:
    """Labels are found exactly, and else whatever the case."""
    assert headers.held(["Deal ID", "Close Date ", "x"], LABELS) == 2
    assert headers.held(["DEAL ID", "close\ndate", "AMOUNT"], LABELS) == 3
    assert headers.held(["Deal", "IDs"], LABELS) == 0


def test_sought() -> None:
    """The row with most labels is the header, the first of equals; none where no label stands."""
    rows = [["Filter", "Amount"], [], ["Deal ID", "Amount", "Owner"], ["Deal ID", "Amount", "x"]]
    assert headers.sought(rows, LABELS) == (2, 2)
    assert headers.sought([["a"], ["b"]], LABELS) == (-1, 0)


@pytest.mark.parametrize(
    ("rows", "position"),
    [
        ([["id", "name"], ["1", "a"], ["2", "b"]], 0),
        ([["Deals of 2026", ""], ["", ""], ["id", "name"], ["1", "a"]], 2),
        ([["Filter", "Stage = Won", "", ""], ["", "", "", ""], ["a", "b", "c", "d"], ["x", "y", "1", "2"]], 2),
        ([["name", "city"], ["Acme", "Berlin"], ["Beta", "Paris"]], 0),
        ([["only"], ["x"], ["y"]], 0),
        ([["1", "2"], ["3", "4"]], -1),
        ([["2026-01-01", "5"], ["2026-01-02", "6"]], -1),
        ([], -1),
        ([["", ""], []], -1),
    ],
)
def test_guessed(rows: list[list[str]], position: int) -> None:
    """A header fills the width with different words, above rows that look like data."""
    assert headers.guessed(rows)[0] == position


def test_nearest() -> None:
    """The row that comes nearest is shown with its number, what is missing, and what may be meant."""
    text = headers.nearest([["Report"], ["Deal ID", "Closed Date", "Owner"]], LABELS, 5)
    assert text.startswith("row 6 comes nearest: Deal ID, Closed Date, Owner")
    assert '"Close Date" (did you mean "Closed Date"?)' in text
    assert headers.nearest([], LABELS) == ""
