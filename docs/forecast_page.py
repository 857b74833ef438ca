"""Writes explanation/forecast.md: how quarters are forecast, with the figures of the back-test of two demos.

Run it with ``python docs/forecast_page.py``. The demos are made anew, so that the same code writes the same page;
tests/test_forecast_page.py compares the part that rests on the shipped demo.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from pbr_lib import backtest, demo, ingest, params
from pbr_lib.scores import Backtest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "forecast.md"
PARTNERS, OPPORTUNITIES = 150, 20_000

TOP = """# Forecasts

<!-- Written by docs/forecast_page.py; edit that, not this page. -->

While a quarter runs, a pack says what each goal will come to: a range that is meant to hold the final value four times
of five, the chance of meeting the target, and the ground of both. This page says how they are made, and what they are
worth: every way of forecasting was tried on past quarters before it was let in.

## Counts

Leads, registrations and other counts come at a rate. Each partner's rate is the mean of its closed quarters, drawn
towards its peers, the more the fewer quarters it has. How much of a quarter is usually there by now is read from the
booking curve, because quarters fill late. What remains is a gamma-Poisson (negative binomial): a partner that is ahead
of its rate now is believed to stay a little ahead.

## Money of won deals

    final = booked so far
          + each open deal, won in time or not
          + what deals that are not made yet may bring

An open deal is won in time as often as deals like it were, at the same point of past quarters: (wins + 1) / (seen +
2). Alike are deals in the same stage, and as much expected to close in the quarter, *as known on that past day*, where
the export of changes (`opportunity_history`) tells of stages and closing days; else deals of like age. A partner's own
record moves its odds, the more the more deals it has. The CRM's own probability is not used: it is a default of the
stage. Deals still to come are drawn from those that came as late in past quarters: how many, and how large. A thousand
outcomes are drawn for each partner, from seeds that are made of the partner, the metric and the quarter, so that the
same data always give the same forecast.

## Other sums

Pipeline created, funds claimed and other sums of records are a count with amounts: how many records will come, as
above, each as large as one of the partner's own or of all partners' past records.

## What is not forecast

A rate, a level and an average are not: they are what they are on the last day. Where a partner has fewer than four
closed quarters and fewer than five peers with history, the pack says *not enough history*, and both numbers.

## Ranges that keep their promise

How wide a range must be is learnt from past quarters at the same point. If fewer than 80 % of final values lay within
it, it is widened, of counts by a higher level, of amounts by a share of its width; if more than 85 % did, it is
narrowed, but never to less than the middle half. It is never below what is booked, unless bookings can be taken back.
With fewer than 20 past partner-quarters a range stays as it is drawn, and is not called calibrated.

## The back-test

Each closed quarter is forecast at 25, 50, 75 and 90 % of its business days, by what was booked by then and by the
quarters before it; the first two only teach. The figures are **today's view of the past**: records as they stand now,
by the days on which they were made and closed. Our way is held against two simple ones, both with fair ranges: the
*run-rate* (what is booked, at the same pace to the end) and *last year* (the same quarter of last year, else the last
one). Counts are given the range of chance alone, amounts the range by which the same way missed before.

The pinball loss judges low end, middle and high end at once: it is small where a range is narrow and holds. A way that
does not beat both others on a metric, over all points, is not shown for it; the better of the others speaks, by its
name, or nobody does. *80 % accepted* is the band within which coverage lies nineteen times of twenty if a range keeps
its promise; partners of one quarter share its luck, so that it may stray somewhat more. Whole numbers, and quarters in
which nothing more comes, hold more than they promise.

`pbr goals backtest` gives the same tables for your own exports.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    large = f"\n## A larger demo: {PARTNERS} partners, {OPPORTUNITIES:,} opportunities\n\n"
    return TOP + shipped() + large + made().markdown()


def shipped() -> str:
    """The figures of the demo as it is shipped."""
    settings = params.read(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        copy = _workbook(Path(folder))
        shutil.copytree(ROOT / settings.workbook.data, copy / settings.workbook.data)
        return "\n## The shipped demo: 12 partners, 600 opportunities\n\n" + _tested(copy).markdown()


def made() -> Backtest:
    """The back-test of a larger demo, against the targets of the goals' definitions."""
    with tempfile.TemporaryDirectory() as folder:
        copy = _workbook(Path(folder))
        for name in ("goals", "words", "actions.csv", "amendments.csv", "pauses.csv"):
            gone = copy / "params" / name
            if gone.is_dir():
                shutil.rmtree(gone)
            else:
                gone.unlink(missing_ok=True)
        demo.write(copy / params.read(copy).workbook.data, PARTNERS, OPPORTUNITIES, 1)
        return _tested(copy)


def _workbook(folder: Path) -> Path:
    shutil.copytree(ROOT / "params", folder / "params")
    return folder


def _tested(root: Path) -> Backtest:
    settings = params.read(root)
    return backtest.run(settings, ingest.load(settings))


if __name__ == "__main__":
    main()
