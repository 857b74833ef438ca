"""Charts as Excel draws them, and pictures; apart, because drawing in a workbook is a language of its own.

A chart block brings its frame and says how Excel should draw it. The chart refers to cells beside it, and
carries their values as well, so that a preview that computes nothing still shows the lines.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.chart import BarChart, LineChart
from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumRef, NumVal, StrData, StrRef, StrVal
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.image import Image
from openpyxl.drawing.line import LineProperties
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.worksheet import Worksheet

from pbr_lib.errors import RenderError
from pbr_lib.export.documents import Part
from pbr_lib.export.sheets import (
    BLUE,
    DARK,
    GREY,
    ORANGE,
    Book,
    Shown,
    amount_of,
    head,
    number_format,
    one_line,
    put,
    width_of,
)

__all__ = ["write_drawing"]

_COLOURS = (BLUE, ORANGE, GREY, DARK)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T00:00:00)?")
_ROW_POINTS, _CHART_ROWS = 20, 19
_WIDTH, _HEIGHT = 17.0, 8.6  # centimetres: as wide as a page half, as high as the rows kept free


@dataclass(frozen=True)
class _Axis:
    """A column of a chart's frame on the sheet: its label, its values, and where they stand."""

    label: str
    values: Sequence[Any]
    format: str
    letter: str
    top: int
    sheet: str

    @property
    def head_ref(self) -> str:
        return f"'{self.sheet}'!${self.letter}${self.top}"

    @property
    def ref(self) -> str:
        return f"'{self.sheet}'!${self.letter}${self.top + 1}:${self.letter}${self.top + len(self.values)}"


def write_drawing(book: Book, sheet: Worksheet, top: int, part: Part) -> int:
    """Write a chart block or a picture from row ``top`` on; give the first row that is free after it."""
    if part.kind == "image":
        return _picture(book, sheet, top, part, part.data["alt"])
    block = part.data
    put(book, sheet, (top, 1), Shown(block["title"], "Pack heading"))
    put(book, sheet, (top + 1, 1), Shown(block["caption"], "Pack small"))
    axes = _frame(book, sheet, top + 2, block)
    series = block["native"].get("series", ())
    # Series of different units stand apart, one chart each.
    groups = [[name] for name in series] if block["native"].get("apart") else [list(series)]
    charts = [chart for group in groups if (chart := _chart(block, axes, group)) is not None]
    if not charts:
        return _picture(
            book, sheet, top + 3 + max((len(axis.values) for axis in axes.values()), default=0), part, block["alt"]
        )
    for place, chart in enumerate(charts):
        sheet.add_chart(chart, f"{get_column_letter(max(len(axes), 3) + 2)}{top + 2 + place * _CHART_ROWS}")
        book.alts.append((False, block["alt"] or block["title"]))
    return top + 2 + max(max(len(axis.values) for axis in axes.values()) + 3, _CHART_ROWS * len(charts))


# ----------------------------------------------------------------------------------------------- frame


def _frame(book: Book, sheet: Worksheet, top: int, block: Mapping[str, Any]) -> dict[str, _Axis]:
    labels = block["native"].get("labels") or {}
    axes: dict[str, _Axis] = {}
    for place, column in enumerate(block["frame"], 1):
        name, values = column["name"], _typed(column["values"])
        form = _format(values, block["native"].get("unit") if name != block["native"].get("x") else None)
        letter = get_column_letter(place)
        axes[name] = _Axis(one_line(labels.get(name, name)), values, form, letter, top, sheet.title)
        for offset, value in enumerate(values, 1):
            text = isinstance(value, str) or value is None
            style = "Pack text" if text else "Pack date" if isinstance(value, dt.date) else "Pack number"
            put(book, sheet, (top + offset, place), Shown(value, style, "" if text else form))
        widest = max([width_of(axes[name].label), *(width_of(str(v)) for v in values if v is not None)]) + 3
        before = sheet.column_dimensions[letter].width or 0
        sheet.column_dimensions[letter].width = max(min(widest, 40), 12, before if place > 1 else 12)
    styles = ["Pack head right" if any(map(_is_number, axis.values)) else "Pack head" for axis in axes.values()]
    head(book, sheet, (top, 1), [axis.label for axis in axes.values()], styles)
    return axes


def _typed(raw: Sequence[Any]) -> list[Any]:
    """Values as cells hold them; ISO days become dates when the whole column is days."""
    known = [value for value in raw if value is not None]
    if known and all(isinstance(value, str) and _DATE.fullmatch(value) for value in known):
        return [None if value is None else dt.date.fromisoformat(value[:10]) for value in raw]
    return [value if value is None or _is_number(value) else one_line(value) for value in raw]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _format(values: Sequence[Any], unit: Any) -> str:
    if any(isinstance(value, dt.date) for value in values):
        return "d mmm yyyy"
    amount = amount_of({"value": None, "unit": unit}) if unit else None
    if amount is not None:
        return number_format(amount)
    numbers = [value for value in values if _is_number(value)]
    whole = all(float(value).is_integer() for value in numbers)
    return "#,##0" if whole or max(map(abs, numbers)) >= 1000 else "#,##0.00"


# ----------------------------------------------------------------------------------------------- chart


def _chart(block: Mapping[str, Any], axes: Mapping[str, _Axis], names: Sequence[str]) -> Any:
    native = block["native"]
    x = axes.get(native.get("x", ""))
    series = [axes[name] for name in names if name in axes]
    if x is None or not series or not x.values:
        return None
    chart = LineChart() if native.get("type") == "line" else BarChart()
    if isinstance(chart, BarChart):
        chart.type = "bar" if native.get("type") == "bar" else "col"
        chart.gapWidth = 60
        if native.get("stacked"):
            chart.grouping, chart.overlap = "stacked", 100
    elif native.get("stacked"):
        chart.grouping = "stacked"
    chart.series = [_series(i, axis, x, isinstance(chart, LineChart)) for i, axis in enumerate(series)]
    _dressed(chart, block, x, series)
    return chart


def _series(place: int, axis: _Axis, x: _Axis, line: bool) -> Series:
    known = [NumVal(idx=i, v=repr(value)) for i, value in enumerate(axis.values) if _is_number(value)]
    cache = NumData(formatCode=axis.format, ptCount=len(axis.values), pt=known)
    label = StrRef(f=axis.head_ref, strCache=StrData(ptCount=1, pt=[StrVal(idx=0, v=axis.label)]))
    series = Series(idx=place, order=place, val=NumDataSource(numRef=NumRef(f=axis.ref, numCache=cache)))
    series.tx = SeriesLabel(strRef=label)
    series.cat = _categories(x)
    colour = _COLOURS[place % len(_COLOURS)]
    if line:
        series.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=colour, w=28575))
        series.smooth = False
    else:
        series.graphicalProperties = GraphicalProperties(solidFill=colour)
        series.invertIfNegative = False
    return series


def _categories(x: _Axis) -> AxDataSource:
    if any(isinstance(value, dt.date) for value in x.values):
        serials = [NumVal(idx=i, v=str(int(to_excel(day)))) for i, day in enumerate(x.values) if day is not None]
        return AxDataSource(numRef=NumRef(f=x.ref, numCache=NumData("d mmm yyyy", len(x.values), serials)))
    if all(_is_number(value) for value in x.values):
        numbers = [NumVal(idx=i, v=repr(value)) for i, value in enumerate(x.values)]
        return AxDataSource(numRef=NumRef(f=x.ref, numCache=NumData("General", len(x.values), numbers)))
    words = [StrVal(idx=i, v=str(value)) for i, value in enumerate(x.values) if value is not None]
    return AxDataSource(strRef=StrRef(f=x.ref, strCache=StrData(ptCount=len(x.values), pt=words)))


def _dressed(chart: Any, block: Mapping[str, Any], x: _Axis, series: Sequence[_Axis]) -> None:
    # One chart for each series: then the series is what it shows.
    if title := series[0].label if block["native"].get("apart") else one_line(block["title"]):
        chart.title = title
        chart.title.overlay = False
    chart.width, chart.height = _WIDTH, _HEIGHT
    chart.display_blanks = "gap"
    chart.roundedCorners = False
    if len(series) == 1:
        chart.legend = None
    else:
        chart.legend.position = "b"
    # Without these two Excel leaves the axes out.
    chart.x_axis.delete = False
    chart.y_axis.delete = False
    chart.x_axis.number_format = "d mmm" if x.format == "d mmm yyyy" else "General"
    chart.y_axis.number_format = series[0].format
    chart.x_axis.tickLblPos = "low"
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="E3E7ED"))
    if getattr(chart, "type", "") == "bar":
        # Excel counts bars from below; a reader starts above.
        chart.x_axis.scaling.orientation = "maxMin"
        chart.y_axis.crosses = "max"


# --------------------------------------------------------------------------------------------- picture


def _picture(book: Book, sheet: Worksheet, top: int, part: Part, alt: str) -> int:
    payload = part.pictures.get("image/png")
    if payload is None:
        words = f"This picture is in the PDF only. {alt}".strip()
        put(book, sheet, (top, 1), Shown(words, "Pack small"))
        return top + 2
    try:
        image = Image(io.BytesIO(base64.b64decode(payload, validate=True)))
    except (binascii.Error, OSError, ValueError, SyntaxError) as error:
        where, fix = f"cell {part.cell + 1}", "run the cell again"
        raise RenderError("a PNG picture cannot be read", where, fix) from error
    scale = min(1.0, 640 / max(image.width, 1))
    image.width, image.height = round(image.width * scale), round(image.height * scale)
    sheet.add_image(image, f"A{top}")
    book.alts.append((True, alt))
    return top + int(image.height) // _ROW_POINTS + 3
