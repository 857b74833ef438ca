"""Tidy frame in, chart out; apart, because this is the one door to matplotlib and no number is made here.

A chart is drawn at the size at which it prints (half a page width is 243 points, a full one 500), as SVG
whose text stays text, and as PNG for notebooks. It carries its frame, so that the workbook draws the same
chart natively and tests check numbers, and alternative text that is made from those numbers.

Any frame with the right columns will do: ``review`` makes them, and so can you. :func:`figure` and
:func:`chart` turn a drawing of your own, seaborn's included, into an exhibit of the pack.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pbr_lib.blocks import Chart, Note, Run
from pbr_lib.model import Amount, Unit

__all__ = ["PALETTE", "chances", "chart", "closings", "credits", "figure", "pace", "pipeline", "trend", "trends"]

Width = Literal["half", "full"]

# Blue and orange stay apart for eyes that confuse red and green; every mark also has a shape or a label.
PALETTE = {"ink": "#1b2433", "blue": "#0b5fa5", "orange": "#b4451f", "pale": "#9dbfdd", "grey": "#5b6577"}
PALETTE |= {"line": "#d5dae2", "sand": "#e0b48a", "wash": "#f4f6fa"}
_POINTS = {"half": 243.0, "full": 500.0}
_SMALL, _TEXT = 7.5, 8.0
_NOTHING = Note(sentences=((Run("There is no goal to draw in this quarter."),),))
_DPI = 144  # of the PNG that notebooks show; print takes the SVG
_STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Source Sans Pro", "DejaVu Sans"],
    "svg.fonttype": "none",
    "svg.hashsalt": "pbr",
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "font.size": _TEXT,
    "hatch.linewidth": 0.6,
}


# ---------------------------------------------------------------------------------------------- canvas


def figure(width: Width = "full", height: float = 150) -> tuple[Figure, Axes]:
    """A bare figure with one axes, at print size; draw on the axes with matplotlib or seaborn.

    Parameters
    ----------
    width:
        ``half`` (243 points) or ``full`` (500 points); two halves in a row stand side by side.
    height:
        In points.
    """
    _fonts()
    with matplotlib.rc_context(_STYLE):
        drawing = Figure(figsize=(_POINTS[width] / 72, height / 72), dpi=_DPI)
        axes = drawing.add_axes((0.09 if width == "full" else 0.16, 0.16, 0.86 if width == "full" else 0.80, 0.76))
        _calm(axes)
    return drawing, axes


def chart(
    drawing: Figure, frame: pd.DataFrame | Mapping[str, Sequence[Any]], title: str, alt: str, native: Mapping[str, Any]
) -> Chart:
    """A drawing as an exhibit of the pack.

    Parameters
    ----------
    drawing:
        What :func:`figure` gave, drawn upon.
    frame:
        The numbers shown, one column each; the workbook gets them.
    title, alt:
        What stands above, and what is read to those who cannot see it; neither may be empty.
    native:
        How Excel draws it: ``{"type": "line" | "bar" | "column", "x": column, "series": [columns]}``.
    """
    if not title.strip() or not alt.strip():
        raise ValueError("a chart needs a title, and alternative text that says what it shows")
    columns = {str(name): list(frame[name]) for name in frame}
    width: Width = "half" if drawing.get_figwidth() * 72 < 300 else "full"
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return Chart(name, title, alt, _svg(drawing), _png(drawing), columns, native, width=width)


def _svg(drawing: Figure) -> str:
    out = io.StringIO()
    with matplotlib.rc_context(_STYLE), _any_script():
        drawing.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _png(drawing: Figure) -> bytes:
    out = io.BytesIO()
    with matplotlib.rc_context(_STYLE), _any_script():
        FigureCanvasAgg(drawing).print_png(out, metadata={"Software": None})
    return out.getvalue()


@contextmanager
def _any_script() -> Iterator[None]:
    """A sign that our typeface lacks is no fault: print takes it from another, a notebook shows a box."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        yield


@lru_cache(maxsize=1)
def _fonts() -> None:
    """Make the packs' own typeface known to matplotlib, whatever the machine has."""
    import font_source_sans_pro
    from matplotlib import font_manager

    folder = Path(font_source_sans_pro.font_directory)
    for face in ("Regular", "Semibold"):
        font_manager.fontManager.addfont(folder / f"SourceSansPro-{face}.ttf")


def _calm(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(PALETTE["grey"])
    axes.spines["bottom"].set_linewidth(0.6)
    axes.tick_params(length=0, labelsize=_SMALL, colors=PALETTE["grey"], pad=3)
    axes.grid(axis="y", color=PALETTE["line"], linewidth=0.5)
    axes.set_axisbelow(True)


# -------------------------------------------------------------------------------------------- exhibits


def pace(frame: pd.DataFrame, title: str = "") -> Chart | Note:
    """Cumulative actual against its pace; ``frame`` has columns day, actual, expected (both may end early).

    ``frame.attrs`` holds unit, label, target, as_of: what :meth:`Review.pace` gives.
    """
    if frame.empty:
        return _NOTHING
    unit, target = Unit.from_json(frame.attrs["unit"]), frame.attrs["target"]
    drawing, axes = figure("half", 138)
    known = frame[frame["actual"].notna()]
    x = range(len(frame))
    with matplotlib.rc_context(_STYLE):
        axes.plot(x, frame["expected"], color=PALETTE["grey"], linewidth=1, dashes=(4, 2.5))
        axes.step(known.index, known["actual"], where="post", color=PALETTE["blue"], linewidth=1.8)
        if len(known):
            axes.plot(
                known.index[-1], known["actual"].iloc[-1], "o", color=PALETTE["blue"], markersize=4, clip_on=False
            )
        top = max([float(target), *known["actual"].astype(float)]) * 1.18 or 1
        axes.set_ylim(0, top)
        axes.set_xlim(0, max(len(frame) - 1, 1))
        _value_axis(axes, unit, top)
        months = [i for i, day in enumerate(frame["day"]) if day.day == 1 or i == 0]
        axes.set_xticks(months, [frame["day"].iloc[i].strftime("%b") for i in months], ha="left")
        _end_labels(axes, frame, known, unit)
    label, as_of = frame.attrs["label"], frame.attrs["as_of"]
    alt = f"{label} cannot be measured on {as_of}; the target is {_amount(target, unit)}."
    if len(known):
        now, due = (_amount(frame[name].iloc[known.index[-1]], unit) for name in ("actual", "expected"))
        alt = f"{label} stands at {now} on {as_of}; pace asks for {due}, the target is {_amount(target, unit)}."
    native: dict[str, Any] = {"type": "line", "x": "day", "series": ["actual", "expected"]}
    native |= {"labels": {"day": "Day", "actual": "Actual", "expected": "Expected by then"}}
    return chart(drawing, frame, title or f"{label} against pace", alt, native)


def _end_labels(axes: Axes, frame: pd.DataFrame, known: pd.DataFrame, unit: Unit) -> None:
    last = len(frame) - 1
    goal = float(frame["expected"].iloc[-1])
    axes.annotate(
        f"target {_amount(goal, unit)}", (last, goal), xytext=(0, 3), textcoords="offset points", ha="right",
        va="bottom", fontsize=_SMALL, color=PALETTE["grey"],
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip
    if not len(known):
        return
    at, value = known.index[-1], float(known["actual"].iloc[-1])
    under = value < float(frame["expected"].iloc[at])
    # Behind pace the room is to the right and below; ahead of it, to the left and above.
    axes.annotate(
        _amount(value, unit), (at, value), xytext=(6, -2) if under else (-2, 4), textcoords="offset points",
        ha="left" if under and at < last * 0.85 else "right", va="top" if under and value > goal * 0.12 else "bottom",
        fontsize=_TEXT + 0.5, color=PALETTE["blue"], weight=600,
    )  # fmt: skip


def trend(frame: pd.DataFrame, title: str = "") -> Chart | Note:
    """One goal over the last quarters; ``frame`` has columns quarter, value, target (empty where unknown)."""
    if frame.empty:
        return _NOTHING
    native: dict[str, Any] = {"type": "column", "x": "quarter", "series": ["value", "target"]}
    native |= {"labels": {"quarter": "Quarter", "value": "Actual", "target": "Target"}}
    label = frame.attrs["label"]
    drawing = _panels([frame], "half")
    return chart(drawing, frame, title or f"{label}, {len(frame)} quarters", _trend_words(frame), native)


def trends(frames: Sequence[pd.DataFrame], title: str = "") -> Chart | Note:
    """Up to four goals side by side over the last quarters, each with its own scale."""
    shown = [frame for frame in frames if not frame.empty][:4]
    if not shown:
        return _NOTHING
    table: dict[str, list[Any]] = {"quarter": list(shown[0]["quarter"])}
    for frame in shown:
        table[frame.attrs["label"]] = list(frame["value"])
    alt = " ".join(_trend_words(frame) for frame in shown)
    names = [frame.attrs["label"] for frame in shown]
    native: dict[str, Any] = {"type": "column", "x": "quarter", "series": names, "apart": True}
    native |= {"labels": {"quarter": "Quarter"}}
    return chart(_panels(shown, "full"), table, title or f"The last {len(shown[0])} quarters", alt, native)


def _panels(frames: Sequence[pd.DataFrame], width: Width) -> Figure:
    """Small column charts side by side. All share one bare axes in points: an axes each costs more than the rest."""
    _fonts()
    across, high = _POINTS[width], 124.0
    with matplotlib.rc_context(_STYLE):
        drawing = Figure(figsize=(across / 72, high / 72), dpi=_DPI)
        axes = drawing.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, across)
        axes.set_ylim(0, high)
        axes.axis("off")
        step = across / len(frames)
        for place, frame in enumerate(frames):
            _panel(axes, frame, place * step + 2, step - 14)
    return drawing


def _panel(axes: Axes, frame: pd.DataFrame, left: float, wide: float) -> None:
    """One panel: label and current value above, columns with target marks, first and last quarter below."""
    unit, last = Unit.from_json(frame.attrs["unit"]), len(frame) - 1
    values, targets = frame["value"].astype(float), frame["target"].astype(float)
    top = max([0.0, *values.dropna(), *targets.dropna()]) or 1.0
    foot, tall, slot = 16.0, 74.0, wide / len(frame)
    middle = [left + slot * (i + 0.5) for i in range(len(frame))]
    heights = values.fillna(0).clip(lower=0) / top * tall
    colours = [PALETTE["blue"] if i == last else PALETTE["pale"] for i in range(len(frame))]
    axes.bar(middle, heights, bottom=foot, width=slot * 0.66, color=colours)
    axes.hlines(foot, left, left + wide, color=PALETTE["grey"], linewidth=0.6)
    marks = [(x, foot + target / top * tall) for x, target in zip(middle, targets, strict=True) if target == target]
    if marks:
        ends = slot * 0.42
        axes.hlines(
            [y for _, y in marks], [x - ends for x, _ in marks], [x + ends for x, _ in marks],
            color=PALETTE["ink"], linewidth=1.2,
        )  # fmt: skip
    for x, value in zip(middle, values, strict=True):
        if math.isnan(value):
            axes.text(x, foot + 2, "–", ha="center", color=PALETTE["grey"], fontsize=_TEXT)
    now, target = _amount(values.iloc[last], unit), targets.iloc[last]
    head = now if math.isnan(target) else f"{now} of {_amount(target, unit)}"
    axes.text(left, foot + tall + 19, frame.attrs["label"], fontsize=_TEXT, color=PALETTE["grey"])
    axes.text(left, foot + tall + 8, head, fontsize=_TEXT + 1, color=PALETTE["blue"], weight=600)
    axes.text(left, 5, frame["quarter"].iloc[0], fontsize=_SMALL, color=PALETTE["grey"])
    axes.text(left + wide, 5, frame["quarter"].iloc[last], fontsize=_SMALL, color=PALETTE["grey"], ha="right")


def credits(frame: pd.DataFrame, title: str = "Won revenue by credit") -> Chart | Note:
    """Sourced, influenced and resold revenue by quarter, three columns that are never added up."""
    unit = Unit.from_json(frame.attrs["unit"])
    series = [name for name in ("sourced", "influenced", "resold") if name in frame]
    looks = {"sourced": (PALETTE["blue"], ""), "influenced": (PALETTE["sand"], "////")}
    looks |= {"resold": ("#ffffff", "\\\\\\\\")}
    drawing, axes = figure("half", 138)
    with matplotlib.rc_context(_STYLE):
        wide = 0.8 / len(series)
        for i, name in enumerate(series):
            colour, hatch = looks[name]
            places = [x - 0.4 + wide * (i + 0.5) for x in range(len(frame))]
            axes.bar(
                places, frame[name].astype(float).fillna(0), width=wide * 0.92, color=colour, hatch=hatch,
                edgecolor=PALETTE["blue"] if name != "influenced" else PALETTE["orange"], linewidth=0.5, label=name,
            )  # fmt: skip
        top = max(1.0, *(frame[name].astype(float).max() for name in series if frame[name].notna().any()), 0) * 1.25
        axes.set_ylim(0, top)
        _value_axis(axes, unit, top)
        _quarter_axis(axes, frame)
        if not _any(frame[series]):
            _say_nothing(axes, _nothing("No revenue was won", frame[series]))
        _mark_unknown(axes, frame[series])
        axes.legend(
            loc="upper left", ncols=3, frameon=False, fontsize=_SMALL, handlelength=1.1, handleheight=0.8,
            columnspacing=1, borderaxespad=0, labelcolor=PALETTE["ink"],
        )  # fmt: skip
    last = frame.iloc[-1]
    said = ", ".join(f"{name} {_amount(last[name], unit)}" for name in series)
    alt = f"Won revenue in {last['quarter']}: {said}. The credits overlap and are not added up."
    native: dict[str, Any] = {"type": "column", "x": "quarter", "series": series}
    native |= {"labels": {name: name.capitalize() for name in ("quarter", *series)}}
    return chart(drawing, frame, title, alt, native)


def closings(frame: pd.DataFrame, title: str = "Won and lost by quarter") -> Chart | Note:
    """Amounts won above the line and lost below it; ``frame`` has columns quarter, won, lost, won_n, lost_n."""
    unit = Unit.from_json(frame.attrs["unit"])
    drawing, axes = figure("half", 138)
    won, lost = frame["won"].astype(float).fillna(0), frame["lost"].astype(float).fillna(0)
    with matplotlib.rc_context(_STYLE):
        axes.bar(range(len(frame)), won, color=PALETTE["blue"], width=0.62)
        some = [i for i, amount in enumerate(lost) if amount]  # of nothing at all, an outline would still show
        axes.bar(some, -lost[some], color=PALETTE["sand"], width=0.62, hatch="////", edgecolor=PALETTE["orange"])
        axes.axhline(0, color=PALETTE["grey"], linewidth=0.6)
        reach = max(won.max(), lost.max(), 1.0) * 1.3
        axes.set_ylim(-reach, reach)
        _value_axis(axes, unit, reach, both=True)
        _quarter_axis(axes, frame)
        if not _any(frame[["won", "lost"]]):
            _say_nothing(axes, _nothing("No deal was won or lost", frame[["won", "lost"]]), height=0.64)
        _mark_unknown(axes, frame[["won", "lost"]])
        axes.spines["bottom"].set_visible(False)
        axes.text(0.0, 0.98, "won", transform=axes.transAxes, color=PALETTE["blue"], fontsize=_SMALL, va="top")
        axes.text(0.0, 0.02, "lost", transform=axes.transAxes, color=PALETTE["orange"], fontsize=_SMALL, va="bottom")
    last = frame.iloc[-1]
    alt = f"Won in {last['quarter']}: {_deals(last['won_n'])}, {_amount(last['won'], unit)}. "
    alt += f"Lost: {_deals(last['lost_n'])}, {_amount(last['lost'], unit)}."
    native: dict[str, Any] = {"type": "column", "x": "quarter", "series": ["won", "lost"]}
    native |= {"labels": {"quarter": "Quarter", "won": "Won", "lost": "Lost"}}
    return chart(drawing, frame, title, alt, native)


def pipeline(frame: pd.DataFrame, title: str = "Open pipeline by stage") -> Chart | Note:
    """Open deals by stage; ``frame`` has columns stage, deals and amount."""
    unit = Unit.from_json(frame.attrs["unit"])
    drawing, axes = figure("half", 138)
    amounts = frame["amount"].astype(float).fillna(0)
    shades = ["#9dbfdd", "#4f90c4", PALETTE["blue"]]
    with matplotlib.rc_context(_STYLE):
        axes.set_position((0.24, 0.05, 0.74, 0.88))
        axes.grid(visible=False)
        axes.barh(range(len(frame)), amounts, color=[shades[min(i, 2)] for i in range(len(frame))], height=0.56)
        # The longest bar leaves room for its label, which is drawn at the same size whatever the amounts.
        axes.set_xlim(0, max(amounts.max(), 1.0) / 0.45)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.invert_yaxis()
        if not frame["deals"].sum():
            _say_nothing(axes, "No deal is open.")
        axes.set_yticks(range(len(frame)), list(frame["stage"]), fontsize=_TEXT, color=PALETTE["ink"])
        for i, (length, amount, deals) in enumerate(zip(amounts, frame["amount"], frame["deals"], strict=True)):
            text = f"{_amount(amount, unit)}  ·  {_deals(deals)}"
            axes.annotate(
                text, (length, i), xytext=(4, 0), textcoords="offset points", va="center", fontsize=_TEXT,
                color=PALETTE["ink"],
            )  # fmt: skip
    said = "; ".join(
        f"{row.stage}: {_deals(row.deals)}, {_amount(row.amount, unit)}" for row in frame.itertuples(index=False)
    )
    native: dict[str, Any] = {
        "type": "bar",
        "x": "stage",
        "series": ["amount"],
        "labels": {"stage": "Stage", "amount": "Amount"},
    }
    return chart(drawing, frame, title, f"{said}.", native)


def chances(frame: pd.DataFrame, title: str = "How likely targets are to be met") -> Chart | Note:
    """How many targets lie in each band; ``frame`` has columns band, chance (words), targets, share (0 to 1)."""
    counts = frame["targets"].astype(int)
    if not counts.sum():
        return _NOTHING
    drawing, axes = figure("full", 150)
    # What is sound is dark; what cannot be judged is an outline, since it has neither passed nor failed.
    looks = {"attainable": PALETTE["blue"], "cannot be judged yet": "#ffffff"}
    with matplotlib.rc_context(_STYLE):
        axes.set_position((0.30, 0.04, 0.68, 0.92))
        axes.grid(visible=False)
        axes.barh(
            range(len(frame)), counts, height=0.62, linewidth=[0.5 if count else 0 for count in counts],
            color=[looks.get(band, PALETTE["pale"]) for band in frame["band"]], edgecolor=PALETTE["blue"],
        )  # fmt: skip
        axes.set_xlim(0, counts.max() / 0.75)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.invert_yaxis()
        names = [f"{row.band}  ({row.chance})" if row.chance else row.band for row in frame.itertuples(index=False)]
        axes.set_yticks(range(len(frame)), names, fontsize=_TEXT, color=PALETTE["ink"])
        for place, (count, share) in enumerate(zip(counts, frame["share"], strict=True)):
            axes.annotate(
                f"{count:,}  ·  {float(share):.0%}".replace("%", " %"), (count, place), xytext=(4, 0),
                textcoords="offset points", va="center", fontsize=_TEXT, color=PALETTE["ink"],
            )  # fmt: skip
    said = "; ".join(f"{row.band}: {row.targets:,}" for row in frame.itertuples(index=False))
    native: dict[str, Any] = {"type": "bar", "x": "band", "series": ["targets"]}
    native |= {"labels": {"band": "Band", "chance": "Chance", "targets": "Targets", "share": "Share"}}
    return chart(drawing, frame, title, f"Of {counts.sum():,} targets {said}.", native)


# ---------------------------------------------------------------------------------------------- helpers


def _say_nothing(axes: Axes, text: str, height: float = 0.5) -> None:
    """Words where there is nothing to draw, so that an empty chart does not look like a fault."""
    axes.set_yticks([])
    axes.text(
        0.5, height, text, transform=axes.transAxes, ha="center", va="center", fontsize=_TEXT + 1, color=PALETTE["grey"]
    )


def _any(values: pd.DataFrame) -> bool:
    return bool(values.astype(float).fillna(0).to_numpy().any())


def _nothing(what: str, values: pd.DataFrame) -> str:
    unknown = values.isna().all(axis=1)
    if unknown.all():
        return "Nothing could be measured in these quarters."
    return f"{what} in {'the quarters measured' if unknown.any() else 'these quarters'}."


def _mark_unknown(axes: Axes, values: pd.DataFrame) -> None:
    """A dash where nothing could be measured, which is not the same as nothing."""
    for place in range(len(values)):
        if values.iloc[place].isna().all():
            axes.annotate(
                "–", (place, 0), xytext=(0, 2), textcoords="offset points", ha="center", color=PALETTE["grey"]
            )


def _deals(count: Any) -> str:
    return f"{int(count)} {'deal' if int(count) == 1 else 'deals'}"


def _quarter_axis(axes: Axes, frame: pd.DataFrame) -> None:
    last = len(frame) - 1
    ticks = sorted({0, last // 2, last})
    axes.set_xticks(ticks, [frame["quarter"].iloc[i] for i in ticks])
    axes.set_xlim(-0.6, last + 0.6)


def _value_axis(axes: Axes, unit: Unit, top: float, both: bool = False) -> None:
    step = _nice(top / 3, whole=unit.kind == "count")
    ticks = [step * i for i in range(int(top / step) + 1)]
    if both:
        ticks = [-tick for tick in ticks[:0:-1]] + ticks
    axes.set_yticks(ticks, [_short(abs(tick), unit) for tick in ticks])


def _nice(step: float, whole: bool) -> float:
    power = 10 ** math.floor(math.log10(step)) if step > 0 else 1
    nice = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= step - 1e-9)
    return max(1, math.ceil(nice)) if whole else nice


def _short(value: float, unit: Unit) -> str:
    """A value for an axis: ``$1.2M``, ``$40k``, ``12``."""
    if unit.kind == "percent":
        return f"{value * 100:.0f} %"
    sign = Amount(_decimal(1), unit).text.rstrip("1") if unit.kind == "money" else ""
    for size, suffix in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{sign}{value / size:.3g}{suffix}"
    return f"{sign}{value:g}"


def _amount(value: Any, unit: Unit) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return Amount(None if missing else _decimal(value), unit).text


def _decimal(value: Any) -> Any:
    return Decimal(str(value))


def _trend_words(frame: pd.DataFrame) -> str:
    unit, label = Unit.from_json(frame.attrs["unit"]), frame.attrs["label"]
    known = [(q, v) for q, v in zip(frame["quarter"], frame["value"], strict=True) if v is not None and v == v]
    if not known:
        return f"{label}: nothing could be measured in these quarters."
    (first, start), (last, end) = known[0], known[-1]
    if len(known) == 1:
        return f"{label} stands at {_amount(end, unit)} in {last}, the first of these quarters that could be measured."
    best = max(known, key=lambda pair: pair[1])
    text = f"{label} went from {_amount(start, unit)} in {first} to {_amount(end, unit)} in {last}"
    return f"{text}; the highest was {_amount(best[1], unit)} in {best[0]}."
