"""Charts: the numbers that were handed in, words for those who cannot see, the same bytes everywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import pandas as pd
import pytest
import seaborn as sns

from pbr_lib import charts
from pbr_lib.blocks import Chart, Note
from pbr_lib.review import Review

USD = {"kind": "money", "currency": "USD"}
QUARTERS = ["2026-Q1", "2026-Q2", "2026-Q3"]
EVIL = "$x^2$ <b>&amp; \\alpha {0} 極光"


def pace_frame(actual: list[float | None], target: float = 10, label: str = "Leads") -> pd.DataFrame:
    """A week of a goal."""
    days = [day.date() for day in pd.date_range("2026-07-01", periods=len(actual))]
    frame = pd.DataFrame(
        {"day": days, "actual": actual, "expected": [target * (i + 1) / 7 for i in range(len(actual))]}
    )
    frame.attrs |= {"unit": {"kind": "count"}, "label": label, "target": target, "as_of": "4 Jul 2026"}
    return frame


def trend_frame(values: list[float | None], targets: list[float | None], label: str = "Leads") -> pd.DataFrame:
    """A goal over quarters."""
    frame = pd.DataFrame({"quarter": QUARTERS[-len(values) :], "value": values, "target": targets})
    frame.attrs |= {"unit": {"kind": "count"}, "label": label}
    return frame


def money_frame(**columns: list[float | None]) -> pd.DataFrame:
    """Money by quarter."""
    length = len(next(iter(columns.values())))
    frame = pd.DataFrame({"quarter": QUARTERS[-length:], **columns})
    frame.attrs |= {"unit": USD}
    return frame


def pipeline_frame(amounts: list[float]) -> pd.DataFrame:
    """Open deals by stage."""
    frame = pd.DataFrame(
        {"stage": ["Open, early", "Open, middle", "Open, late"], "deals": [1, 0, 2], "amount": amounts}
    )
    frame.attrs |= {"unit": USD}
    return frame


def closings_frame(won: list[float | None], lost: list[float | None]) -> pd.DataFrame:
    """Won and lost by quarter."""
    counts = {"won_n": [2] * len(won), "lost_n": [1] * len(won)}
    return money_frame(won=won, lost=lost, **counts)


def drawn(block: Chart | Note) -> Chart:
    """A chart that is whole: title, words, both pictures, and SVG that is XML with text as text."""
    assert isinstance(block, Chart)
    assert block.title
    assert block.alt.endswith(".")
    assert block.png.startswith(b"\x89PNG")
    ElementTree.fromstring(block.svg)
    assert "<text" in block.svg
    assert "nan" not in block.alt.lower().replace("finance", "")
    return block


# ------------------------------------------------------------------------------------ numbers and words


def test_every_chart_of_the_demo_tells_its_numbers(demo_review: Callable[..., Review]) -> None:
    """The alternative text quotes what the tables print, and the frame is what was handed in."""
    review = demo_review("P-001")
    pace, credits = drawn(charts.pace(review.pace())), drawn(charts.credits(review.credits))
    expected = review.goal("partner_pipeline_q").expected
    assert pace.alt == (
        f"Sourced pipeline created stands at $148,050 on 4 Sep 2026; pace asks for {expected}, the target is $180,500."
    )
    assert pace.frame["actual"] == list(review.pace()["actual"]) or len(pace.frame["actual"]) == 92
    assert "sourced $170,995, influenced $0, resold $108,515" in credits.alt
    assert "3 deals, $170,995" in drawn(charts.closings(review.closings)).alt
    assert "Open, late: 6 deals, $299,715" in drawn(charts.pipeline(review.pipeline)).alt
    trends = drawn(charts.trends(review.headline_trends))
    for goal in ("New partner leads", "Sourced pipeline created", "Sourced revenue won", "Certified people"):
        assert f"{goal} went from" in trends.alt
        assert trends.frame[goal] == list(
            review.trend(next(g.key for g in review.all_goals if g.label == goal))["value"]
        )


def test_widths_follow_the_page() -> None:
    """Half a page or a full one; two halves stand side by side."""
    assert drawn(charts.pipeline(pipeline_frame([1, 2, 3]))).width == "half"
    assert drawn(charts.trends([trend_frame([1], [1])])).width == "full"


# ------------------------------------------------------------------------------------------ odd frames


def test_no_goal_is_a_remark() -> None:
    """An empty frame, or none at all, gives a sentence in place of a picture."""
    for block in (charts.pace(pd.DataFrame()), charts.trend(pd.DataFrame()), charts.trends([])):
        assert isinstance(block, Note)
        assert block.plain().strip()


@pytest.mark.parametrize(
    "actual", [[None] * 7, [0.0] * 7, [0, 1, 2, 3, None, None, None], [3.0], [-5.0] * 7, [1e12] * 7]
)
@pytest.mark.parametrize("target", [0.0, 10.0, 1e12])
def test_pace_takes_any_numbers(actual: list[float | None], target: float) -> None:
    """Nothing known, nothing done, one day, less than nothing, very much: a chart each time."""
    chart = drawn(charts.pace(pace_frame(actual, target)))
    assert ("cannot be measured" in chart.alt) == (actual[0] is None)


@pytest.mark.parametrize(
    ("values", "targets"),
    [([None] * 3, [None] * 3), ([0.0] * 3, [None] * 3), ([1.0], [2.0]), ([None, 1.0, None], [None, None, 5.0]),
     ([-2.0, 3.0, 1e12], [1.0, 1.0, 1.0])],
)  # fmt: skip
def test_trends_take_any_numbers(values: list[float | None], targets: list[float | None]) -> None:
    """Unknown quarters, only zeros, one quarter, negatives and very large numbers."""
    frame = trend_frame(values, targets)
    alone, four = drawn(charts.trend(frame)), drawn(charts.trends([frame] * 5))
    assert ("nothing could be measured" in alone.alt) == (values == [None] * 3)
    assert four.alt


@pytest.mark.parametrize("values", [[None] * 3, [0.0] * 3, [5.0], [None, 1.0, 0.0], [1e15, 1.0, 0.01]])
def test_money_by_quarter_takes_any_numbers(values: list[float | None]) -> None:
    """Unknown and zero are told apart in words, and neither breaks the drawing."""
    credits = drawn(charts.credits(money_frame(sourced=values, resold=values)))
    closings = drawn(charts.closings(closings_frame(values, values)))
    for chart in (credits, closings):
        assert ("not measurable" in chart.alt) == (values[-1] is None)
        assert ("Nothing could be measured" in chart.svg) == (values == [None] * 3)
        assert ("was won" in chart.svg) == (values == [0.0] * 3)
        assert (">–<" in chart.svg) == (None in values)


@pytest.mark.parametrize("amounts", [[0.0] * 3, [1.0, 2.0, 3.0], [1e15, 0.0, 1.0]])
def test_pipelines_take_any_numbers(amounts: list[float]) -> None:
    """No deal, some, very large ones."""
    assert drawn(charts.pipeline(pipeline_frame(amounts))).frame["amount"] == amounts


# ---------------------------------------------------------------------------------------- text and bytes


def test_text_is_drawn_as_it_is() -> None:
    """Dollar signs start no formula and angle brackets no markup, in labels as in titles."""
    for block in (
        charts.pace(pace_frame([1.0] * 7, label=EVIL)),
        charts.trend(trend_frame([1.0], [1.0], label=EVIL)),
        charts.trends([trend_frame([1.0], [1.0], label=EVIL)]),
        charts.pipeline(pipeline_frame([1.0] * 3), title=EVIL),
    ):
        chart = drawn(block)
        assert EVIL in chart.title or EVIL in chart.alt
        assert "<b>" not in chart.svg
    texts = ElementTree.fromstring(drawn(charts.trends([trend_frame([1.0], [1.0], label=EVIL)])).svg).itertext()
    assert EVIL in "".join(texts)


PROGRAM = """
import hashlib, sys
sys.path.insert(0, {tests!r})
import test_charts as t
from pbr_lib import charts
blocks = [charts.pace(t.pace_frame([1.0] * 7)), charts.closings(t.closings_frame([1.0, 2.0], [3.0, None])),
          charts.credits(t.money_frame(sourced=[1.0], influenced=[2.0], resold=[3.0])),
          charts.trends([t.trend_frame([1.0, 2.0], [None, 2.0])]), charts.pipeline(t.pipeline_frame([1.0, 2.0, 3.0]))]
print(hashlib.sha256(b"".join(b.svg.encode() + b.png for b in blocks)).hexdigest())
"""


def test_the_same_numbers_give_the_same_bytes_anywhere() -> None:
    """SVG and PNG do not depend on the process, the time zone, the hash seed or the language."""
    program = PROGRAM.format(tests=os.path.dirname(__file__))
    seen = set()
    for zone, seed, language in (("UTC", "0", "C"), ("Pacific/Auckland", "7", "de_DE.UTF-8")):
        surroundings = os.environ | {"TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": language, "MPLBACKEND": "svg"}
        done = subprocess.run(
            [sys.executable, "-c", program], env=surroundings, capture_output=True, text=True, check=True
        )
        seen.add(done.stdout.strip())
    assert len(seen) == 1
    assert len(seen.pop()) == hashlib.sha256().digest_size * 2


# ---------------------------------------------------------------------------------------- one's own


def test_a_drawing_of_ones_own_becomes_an_exhibit() -> None:
    """What seaborn draws on our figure carries its frame, its words and how Excel draws it."""
    frame = pd.DataFrame({"tier": ["Gold", "Silver"], "deals": [3, 5]})
    drawing, axes = charts.figure("half", 120)
    sns.barplot(frame, x="tier", y="deals", ax=axes)
    native = {"type": "column", "x": "tier", "series": ["deals"]}
    chart = drawn(charts.chart(drawing, frame, "Deals by tier", "Gold has 3 deals, Silver 5.", native))
    assert (chart.name, chart.width, chart.frame) == (
        "deals-by-tier",
        "half",
        {"tier": ["Gold", "Silver"], "deals": [3, 5]},
    )
    assert chart.as_json()["native"] == native


@pytest.mark.parametrize(("title", "alt"), [("", "Words."), ("Title", " ")])
def test_a_chart_without_words_is_refused(title: str, alt: str) -> None:
    """Neither the title nor the alternative text may be empty."""
    drawing, _ = charts.figure()
    with pytest.raises(ValueError, match="alternative text"):
        charts.chart(drawing, {"x": [1]}, title, alt, {})


def test_figures_do_not_pile_up() -> None:
    """Drawing leaves nothing behind in matplotlib's state and does not need a display."""
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    charts.pipeline(pipeline_frame([1.0] * 3))
    assert pyplot.get_fignums() == before
