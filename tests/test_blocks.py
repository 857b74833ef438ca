"""Blocks show themselves: as JSON for the exporters, as safe HTML for JupyterLab, as text for a terminal."""

from __future__ import annotations

import base64
import datetime as dt
import json
import pickle
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from pbr_lib.blocks import (
    MIMETYPE,
    VERSION,
    Bar,
    Block,
    Card,
    Cards,
    Chart,
    Column,
    Cover,
    Group,
    Note,
    Run,
    Status,
    Table,
)
from pbr_lib.model import Amount, Unit

EVIL = "<script>alert('x')</script> & $x$ *b* `c` {{d}}"
USD = Unit("money", "USD")
GOOD = Status("on track", "▲", "good")
COLUMNS = (Column("text", "Text"), Column("amount", "Amount", "amount"), Column("day", "Day", "date"))
COLUMNS += (Column("status", "Status", "status"), Column("bar", "Bar", "bar"), Column("id", "Id", sheet_only=True))
ROW = (
    EVIL,
    Amount(Decimal("1234.5"), USD),
    dt.date(2026, 9, 4),
    GOOD,
    Bar(Decimal("0.5"), Decimal("0.7"), "good"),
    "1",
)
TABLE = Table("t", COLUMNS, (ROW, (None,) * 6), title=EVIL, caption=EVIL)
CHART = Chart("c", "Title", "Says 3.", "<svg/>", b"png", {"x": ["a"], "y": [Decimal("1.5")]}, {"type": "line"})
BLOCKS: list[Block] = [
    TABLE,
    CHART,
    Note(markdown=EVIL),
    Note(sentences=((Run(EVIL, True), Run(" and more")),)),
    Cards((Card(EVIL, Amount(None, USD), (EVIL,), GOOD), Card("b", Amount(Decimal(3))))),
    Cover(
        EVIL, EVIL, EVIL, {"partner": EVIL}, Amount(Decimal("0.5"), Unit("percent")), "of plan", GOOD, ((EVIL, EVIL),)
    ),
    Group((TABLE, Note(markdown=EVIL))),
    Group(()),
    Table("empty", COLUMNS, ()),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_a_block_shows_itself_three_ways(block: Block) -> None:
    """The bundle holds text and the structured truth as strict JSON, with kind and version."""
    bundle = block._repr_mimebundle_()
    truth = json.loads(json.dumps(bundle[MIMETYPE], allow_nan=False))
    assert truth["version"] == VERSION
    assert truth["kind"] == type(block).__name__.lower()
    assert bundle["text/plain"] == repr(block)
    assert truth == json.loads(json.dumps(pickle.loads(pickle.dumps(block)).as_json()))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_text_never_becomes_markup(block: Block) -> None:
    """Whatever a CRM holds is escaped in HTML."""
    assert "<script>" not in block.html()


def test_a_cell_keeps_value_and_printed_text() -> None:
    """Amounts and dates carry both, so that page and workbook print the same; nothing is null."""
    first, second = TABLE.as_json()["rows"]
    assert first[1] == {"value": "1234.5", "unit": {"kind": "money", "currency": "USD"}, "text": "$1,235"}
    assert first[2] == {"date": "2026-09-04", "text": "4 Sep 2026"}
    assert first[3] == {"status": "on track", "shape": "▲", "tone": "good", "text": "▲ on track"}
    assert first[4] == {"bar": 0.5, "mark": 0.7, "tone": "good", "text": ""}
    assert second == [None] * 6


def test_verbs_give_copies() -> None:
    """Head, select, printing and titled change nothing in place."""
    before = TABLE.as_json()
    assert [column.key for column in TABLE.select("day", "text").columns] == ["day", "text"]
    assert TABLE.select("day", "text").rows[0] == (dt.date(2026, 9, 4), EVIL)
    assert len(TABLE.head(1).rows) == 1
    assert TABLE.printing(1).print_rows == 1
    assert (TABLE.titled("New").title, TABLE.titled("New").caption) == ("New", EVIL)
    assert CHART.titled("New", "Words").caption == "Words"
    assert TABLE.as_json() == before
    with pytest.raises(ValueError, match="nothing"):
        TABLE.select("nothing")


def test_a_page_shows_fewer_rows_and_says_so() -> None:
    """The notebook shows what a page would, names the rest, and leaves sheet-only columns out."""
    html = TABLE.printing(1).html()
    assert "1 more rows in the workbook" in html or "1 more row in the workbook" in html
    assert "Id" not in html
    assert len(TABLE.printing(1).as_json()["rows"]) == 2


def test_a_table_is_a_frame_for_an_analyst() -> None:
    """Amounts come as Decimal, dates as date, what is missing as None."""
    frame = TABLE.select("text", "amount", "day").frame
    wanted = pd.DataFrame({"text": [EVIL, None], "amount": [Decimal("1234.5"), None], "day": [ROW[2], None]})
    pd.testing.assert_frame_equal(frame, wanted)


def test_a_chart_travels_as_pictures_and_numbers() -> None:
    """SVG for print, PNG for notebooks, the frame in column order, no HTML that JupyterLab would prefer."""
    bundle: dict[str, Any] = CHART._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "image/png", MIMETYPE}
    assert base64.b64decode(bundle["image/png"]) == b"png"
    assert bundle[MIMETYPE]["frame"] == [{"name": "x", "values": ["a"]}, {"name": "y", "values": [1.5]}]
    assert bundle["text/plain"] == "Title: Says 3."


def test_a_bar_stays_in_its_box() -> None:
    """Neither a negative nor an enormous share breaks the drawing, and an unknown one is empty."""
    for share, width in ((None, "0%"), (Decimal(-3), "0%"), (Decimal(99), "100%"), (Decimal("0.6"), "50%")):
        assert f"width:{width}" in Bar(share, None, "bad").html()


def test_markdown_is_shown_as_markdown() -> None:
    """A person's words go to JupyterLab as Markdown, generated sentences as a list."""
    assert "text/markdown" in Note(markdown="*x*")._repr_mimebundle_()
    assert "text/html" in Note(sentences=((Run("x"),),))._repr_mimebundle_()
