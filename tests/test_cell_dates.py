"""Cells to days and moments: every form that exports write, every trap, and nothing guessed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.cell_dates import DateRules, to_days, to_moments
from pbr_lib.cells import BOOL, DATE, DATETIME, ERROR, NUMBER, TEXT, Cells
from pbr_lib.errors import SourceError

BERLIN = "Europe/Berlin"
days_of_a_crm = st.dates(dt.date(1900, 3, 1), dt.date(2200, 12, 31))


def texts(*values: str) -> Cells:
    return Cells(pa.array(list(values), pa.string()))


def day(text: str, kind: int = TEXT, **rules: object) -> str:
    """The day of one cell, or the reason why there is none."""
    found = to_days(Cells(pa.array([text]), np.array([kind], np.uint8)), DateRules(**rules))  # type: ignore[arg-type]
    return found.faults[0].reason if found.faults else str(found.values[0].as_py())


def moment(text: str, kind: int = TEXT, **rules: object) -> str:
    """The moment of one cell, or the reason why there is none."""
    found = to_moments(Cells(pa.array([text]), np.array([kind], np.uint8)), DateRules(**rules))  # type: ignore[arg-type]
    return found.faults[0].reason if found.faults else str(found.values[0].as_py())


@pytest.mark.parametrize(
    ("form", "text", "meant"),
    [
        ("%d.%m.%Y", "30.09.2026", "2026-09-30"),
        ("%d.%m.%Y", "3.9.2026", "2026-09-03"),
        ("%m/%d/%Y", " 9/3/2026\u00a0", "2026-09-03"),
        ("%d/%m/%Y", "9/3/2026", "2026-03-09"),
        ("%m/%d/%y", "02/03/24", "2024-02-03"),
        ("%d-%b-%y", "1-Sep-69", "2069-09-01"),
        ("%d-%b-%y", "1-Sep-70", "1970-09-01"),
        ("%d %b, %Y %H:%M:%S", "15 Apr, 2021 00:02:00", "2021-04-15"),
        ("%d %b %Y", "1 Sept. 2024", "2024-09-01"),
        ("%d. %B %Y", "1. März 2024", "2024-03-01"),
        ("%d %B %Y", "1 août 2024", "2024-08-01"),
        ("%d de %B de %Y", "16 de setembro de 2024", "2024-09-16"),
        ("%d %B %Y", "1 września 2024", "2024-09-01"),
        ("%b-%y", "Sep-00", "2000-09-01"),
        ("%Y%m%d", "20240229", "2024-02-29"),
        ("%m/%d/%Y %I:%M %p", "5/20/2024 12:42 AM", "2024-05-20"),
        ("%d.%m.%Y", "2026-09-30", "2026-09-30"),
        ("%d.%m.%Y", "2023-05-11 00:00:00", "2023-05-11"),
        ("%d.%m.%Y", "2023-05-11T00:00:00.000Z", "2023-05-11"),
        ("%d.%m.%Y", "45000", "2023-03-15"),
        ("%d.%m.%Y", "42785.12547", "2017-02-19"),
        ("%d.%m.%Y", "44198.0", "2021-01-02"),
    ],
)
def test_days(form: str, text: str, meant: str) -> None:
    """A day in the column's format, in ISO 8601, or as Excel counts days."""
    assert day(text, formats=(form,), business_zone=BERLIN) == meant


@pytest.mark.parametrize(
    ("form", "text", "reason"),
    [
        ("%d.%m.%Y", "31.06.2024", "there is no such day"),
        ("%d.%m.%Y", "29.02.2023", "there is no such day"),
        ("%d.%m.%Y", "29.02.1900", "there is no such day"),
        ("%d.%m.%Y", "1.13.2024", "there is no such day"),
        ("%d.%m.%Y", "0.1.2024", "there is no such day"),
        ("%d.%m.%Y", "1.1.0000", "a day before 1900 or after 2200"),
        ("%d.%m.%Y", "31.12.1899", "a day before 1900 or after 2200"),
        ("%d.%m.%Y", "1.1.2201", "a day before 1900 or after 2200"),
        ("%d.%m.%Y", "1.1.20240", "this is no date like %d.%m.%Y"),
        ("%d.%m.%Y", "9/3/2026", "this is no date like %d.%m.%Y"),
        ("%d.%m.%Y", "10", "this is no date like %d.%m.%Y"),
        ("%d.%m.%Y", "2024-13-01", "there is no such day"),
        ("%d.%m.%Y", "2024-01-01 25:00", "there is no such time of day"),
        ("%m/%d/%Y %I:%M %p", "5/20/2024 13:42 PM", "there is no such time of day"),
        ("%m/%d/%Y %I:%M %p", "5/20/2024 0:42 PM", "there is no such time of day"),
        ("%d.%m.%Y", "1.1.2024 trailing", "this is no date like %d.%m.%Y"),
        ("%d.%m.%Y", "March", "this is no date like %d.%m.%Y"),
        ("%d.%m.%Y", "Q3-2024", "this is no date like %d.%m.%Y"),
        ("%d.%m.%Y", "2024", "this is no date like %d.%m.%Y"),
        ("%d.%m.%Y", "1.5", "this is no date like %d.%m.%Y"),
        ("%d.%m.%Y", "00000", "a number outside Excel's calendar"),
        ("%d.%m.%Y", "2958465", "a day before 1900 or after 2200"),
        ("%d.%m.%Y", "2958466", "a number outside Excel's calendar"),
        ("%d.%m.%Y", "-45000", "this is no date like %d.%m.%Y"),
        ("%Y-%d-%m", "2026-09-13", "there is no such day"),
        ("%d.%m.%Y", "１.１.2024", "this is no date like %d.%m.%Y"),
        ("%d.%m.%Y", "1.1.2024" + "0" * 200, "this is no date like %d.%m.%Y"),
    ],
)
def test_what_is_no_day(form: str, text: str, reason: str) -> None:
    """What gives no day is said, and never read in another order."""
    assert day(text, formats=(form,)) == reason


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        ("2024-03-31T23:30:00.000+0000", "", "2024-04-01"),
        ("2024-03-31T23:30:00", "", "2024-03-31"),
        ("2024-03-31T23:30:00", "UTC", "2024-04-01"),
        ("2024-03-31T00:00:00", "UTC", "2024-03-31"),
        ("2024-03-31", "UTC", "2024-03-31"),
        ("2024-04-01T00:00:00-05:00", "", "2024-04-01"),
        ("2024-03-31T20:30:00-05:00", "", "2024-04-01"),
    ],
)
def test_a_day_is_shifted_only_by_a_time_with_a_zone(text: str, zone: str, meant: str) -> None:
    """Days and midnights stay; a quarter's last evening in London is the next quarter in Berlin."""
    assert day(text, zone=zone, business_zone=BERLIN) == meant


@pytest.mark.parametrize(
    ("text", "rules", "meant"),
    [
        ("2024-03-31T23:30:00.000+0000", {"business_zone": BERLIN}, "2024-04-01 01:30:00"),
        ("2024-03-31T23:30:00Z", {}, "2024-03-31 23:30:00"),
        ("2024-01-31 23:30", {"business_zone": BERLIN}, "2024-01-31 23:30:00"),
        ("2024-01-31 23:30", {"zone": "UTC", "business_zone": BERLIN}, "2024-02-01 00:30:00"),
        ("2024-01-31 23:30", {"zone": "America/New_York", "business_zone": BERLIN}, "2024-02-01 05:30:00"),
        ("2024-01-31 23:30+02:00", {"zone": "America/New_York", "business_zone": "UTC"}, "2024-01-31 21:30:00"),
        ("2024-01-31", {"zone": "UTC", "business_zone": BERLIN}, "2024-01-31 00:00:00"),
        ("2006-06-15T20:47:07.123Z", {}, "2006-06-15 20:47:07.123000"),
        ("2006-06-15T20:47:07.123456789Z", {}, "2006-06-15 20:47:07.123456"),
        ("2024-10-27 02:30", {"zone": BERLIN, "business_zone": "UTC"}, "2024-10-27 00:30:00"),
        ("2024-03-31 02:30", {"zone": BERLIN, "business_zone": "UTC"}, "2024-03-31 01:30:00"),
        ("42785.12547", {}, "2017-02-19 03:00:41"),
        ("45000.9999999", {}, "2023-03-16 00:00:00"),
        ("5/20/2024 7:42", {"formats": ("%m/%d/%Y %H:%M",)}, "2024-05-20 07:42:00"),
        ("5/20/2024 12:05 am", {"formats": ("%m/%d/%Y %I:%M %p",)}, "2024-05-20 00:05:00"),
        ("5/20/2024 12:05 p.m.", {"formats": ("%m/%d/%Y %I:%M %p",)}, "2024-05-20 12:05:00"),
        ("20.5.2024 3:05 nachm.", {"formats": ("%d.%m.%Y %I:%M %p",)}, "2024-05-20 15:05:00"),
        ("01/05/2026, 10:00", {"formats": ("%d/%m/%Y, %H:%M",)}, "2026-05-01 10:00:00"),
        ("2024-01-31 23:60", {}, "there is no such time of day"),
        ("2024-01-31 23:30+25:00", {}, "there is no such time of day"),
        ("noon", {"formats": ("%Y-%m-%d %H:%M",)}, "this is no time like %Y-%m-%d %H:%M"),
    ],
)
def test_moments(text: str, rules: dict[str, object], meant: str) -> None:
    """A moment is told on the clock of the business zone."""
    assert moment(text, **rules) == meant


@pytest.mark.parametrize(
    ("text", "kind", "epoch", "meant"),
    [
        ("45000", NUMBER, 1900, "2023-03-15"),
        ("1", NUMBER, 1900, "1900-01-01"),
        ("59", NUMBER, 1900, "1900-02-28"),
        ("60", NUMBER, 1900, "Excel's 29 February 1900, which never was"),
        ("61", NUMBER, 1900, "1900-03-01"),
        ("0", NUMBER, 1904, "1904-01-01"),
        ("0", NUMBER, 1900, "a number outside Excel's calendar"),
        ("-1", NUMBER, 1900, "a number outside Excel's calendar"),
        ("2024", NUMBER, 1900, "a year without a day"),
        ("2024.5", NUMBER, 1900, "1905-07-16"),
        ("0.5", NUMBER, 1900, "a number outside Excel's calendar"),
        ("20240131", NUMBER, 1900, "a number outside Excel's calendar"),
        ("123456789012345678901", NUMBER, 1900, "a number outside Excel's calendar"),
        ("2026-09-30", DATE, 1900, "2026-09-30"),
        ("2026-09-30T14:05:00", DATETIME, 1900, "2026-09-30"),
        ("true", BOOL, 1900, "a truth value, no date"),
        ("#REF!", ERROR, 1900, "an Excel error"),
        ("", ERROR, 1900, "an Excel error"),
        ("", BOOL, 1900, "None"),
        ("", NUMBER, 1900, "None"),
    ],
)
def test_cells_of_a_workbook(text: str, kind: int, epoch: int, meant: str) -> None:
    """Real days are taken as they are, numbers as Excel counts them, truth values and errors not at all."""
    assert day(text, kind, formats=("%Y%m%d",), epoch=epoch) == meant


def test_a_column_of_many_kinds() -> None:
    """Text dates beside real ones, as after filter and paste; each cell counts once."""
    kinds = np.array([TEXT, DATE, NUMBER, ERROR, TEXT, DATETIME, BOOL], np.uint8)
    cells = Cells(pa.array(["1/2/2024", "2024-01-03", "45000", "#N/A", "", "2024-01-04T10:00:00", "true"]), kinds)
    found = to_days(cells, DateRules(("%m/%d/%Y",)))
    shown = [str(value) for value in found.values.to_pylist()]
    assert shown == ["2024-01-02", "2024-01-03", "2023-03-15", "None", "None", "2024-01-04", "None"]
    assert [(fault.reason, fault.rows.tolist()) for fault in found.faults] == [
        ("a truth value, no date", [6]),
        ("an Excel error", [3]),
    ]
    assert found.notes == {
        "read as %m/%d/%Y": 1,
        "read as ISO 8601": 2,
        "Excel serial": 1,
        "time of day cut off": 1,
    }


def test_formats_are_tried_in_order_and_counted() -> None:
    """A closed list for one column; what the first cannot be the second reads."""
    found = to_days(texts("8/31/2024", "5/20/2024 7:42", "31/8/2024"), DateRules(("%m/%d/%Y", "%m/%d/%Y %H:%M")))
    assert found.values.to_pylist() == [dt.date(2024, 8, 31), dt.date(2024, 5, 20), None]
    assert found.notes["read as %m/%d/%Y"] == found.notes["read as %m/%d/%Y %H:%M"] == 1
    both = to_days(texts("31/8/2024"), DateRules(("%m/%d/%Y", "%d/%m/%Y")))
    assert both.values.to_pylist() == [dt.date(2024, 8, 31)] and both.notes == {"read as %d/%m/%Y": 1}


def test_what_was_done_is_noted() -> None:
    """A report can say how many moments were shifted, twice there, or never."""
    found = to_moments(texts("2024-10-27 02:30", "2024-03-31 02:30", "2024-01-01"), DateRules((), BERLIN, "UTC"))
    assert found.notes == {
        "read as ISO 8601": 3,
        "a day without a time": 1,
        "an hour that the clock shows twice, the first taken": 1,
        "a time that the clock skips, moved on": 1,
        "told on the clock of UTC": 2,
    }
    assert to_days(texts("1/2/24"), DateRules(("%m/%d/%y",))).notes["two-digit years read as 1970 to 2069"] == 1


def test_rules_are_checked_when_they_are_made() -> None:
    """A wrong format, zone or language is the user's fault, said at once."""
    with pytest.raises(SourceError, match="no format of a date"):
        DateRules(("%d.%m",))
    with pytest.raises(SourceError, match="no time zone"):
        DateRules(zone="Mars/Olympus")
    with pytest.raises(SourceError, match="no language"):
        DateRules(("%d.%m.%Y",), languages=("tlh",))


def test_no_cells_and_null_cells() -> None:
    """Nothing in, nothing out, in the right type."""
    assert to_days(texts()).values.type == pa.date32() and to_moments(texts()).values.type == pa.timestamp("us")
    assert to_days(Cells(pa.array([None, "2024-01-01"]))).values.to_pylist() == [None, dt.date(2024, 1, 1)]


FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%B %d, %Y", "%Y%m%d", "%d/%m/%Y %H:%M:%S", "%Y/%m/%d")


@given(st.lists(days_of_a_crm, max_size=12), st.sampled_from(FORMATS))
def test_days_come_back_from_every_format(days: list[dt.date], form: str) -> None:
    """What is written by a format is read by it."""
    found = to_days(texts(*(day.strftime(form).replace(" 0", " ") for day in days)), DateRules((form,)))
    if "%H" not in form:
        assert found.values.to_pylist() == days and not found.faults


@given(
    days_of_a_crm, st.sampled_from(["en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "pl_PL", "sv_SE"])
)
def test_days_come_back_from_every_language(value: dt.date, locale: str) -> None:
    """What the rules of a country write is read by the same pattern."""
    for pattern, form in (("d. MMM y", "%d. %b %Y"), ("MMMM dd, y", "%B %d, %Y"), ("d-MMMM-y", "%d-%b-%Y")):
        text = format_date(value, pattern, locale=locale)
        assert to_days(texts(text), DateRules((form,))).values.to_pylist() == [value], text


@given(st.lists(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 12, 31)), max_size=12))
def test_moments_come_back(moments: list[dt.datetime]) -> None:
    """ISO 8601 holds all of a moment."""
    for sep in " T":
        written = texts(*(moment.isoformat(sep, "microseconds") for moment in moments))
        assert to_moments(written).values.to_pylist() == moments


@given(st.lists(days_of_a_crm, min_size=1, max_size=12), st.sampled_from([1900, 1904]))
def test_serials_come_back(days: list[dt.date], epoch: int) -> None:
    """Excel's count of days, in both of its calendars."""
    first = {1900: dt.date(1899, 12, 30), 1904: dt.date(1904, 1, 1)}[epoch]
    days = [max(day, dt.date(1910, 1, 1)) for day in days]
    cells = Cells(pa.array([str((day - first).days) for day in days]), np.full(len(days), NUMBER, np.uint8))
    found = to_days(cells, DateRules(epoch=epoch))  # type: ignore[arg-type]
    assert [value for value in found.values.to_pylist() if value] == [
        day for day in days if not 1900 <= (day - first).days <= 2200
    ]


@given(st.lists(days_of_a_crm, min_size=1, max_size=9), st.data(), st.text(max_size=9))
def test_nonsense_stays_where_it_is(days: list[dt.date], data: st.DataObject, nonsense: str) -> None:
    """One cell of nonsense is one fault there, and nothing else changes."""
    at = data.draw(st.integers(0, len(days) - 1))
    cells = [day.strftime("%d.%m.%Y") for day in days]
    cells[at] = "?" + nonsense
    found = to_days(texts(*cells), DateRules(("%d.%m.%Y",)))
    assert [fault.rows.tolist() for fault in found.faults] == [[at]]
    assert found.values.to_pylist() == [day if row != at else None for row, day in enumerate(days)]


@given(st.lists(st.text(alphabet="0123456789-/.: TZ+apm", max_size=14), max_size=9))
def test_a_cell_is_read_as_it_would_be_alone(cells: list[str]) -> None:
    """No cell has a say in another one; each has a value, a fault, or is blank."""
    rules = DateRules(("%d.%m.%Y", "%m/%d/%y %I:%M %p"), "America/New_York", BERLIN)
    whole = to_moments(texts(*cells), rules)
    assert whole.values.to_pylist() == [to_moments(texts(cell), rules).values[0].as_py() for cell in cells]
    faulty = [row for fault in whole.faults for row in fault.rows.tolist()]
    empty = [row for row, cell in enumerate(cells) if not cell.strip()]
    assert sorted(faulty + empty) == np.flatnonzero(whole.values.is_null().to_numpy(zero_copy_only=False)).tolist()


def test_a_long_column_of_few_days_is_read_as_a_short_one() -> None:
    """Repeated texts are read once, and values, faults and counts are those of all cells."""
    short = ["1/2/24", "31/6/24", "", "2024-05-06T23:30:00Z", "x", "45000", "2024-05-06 00:00:00"]
    rules = DateRules(("%d/%m/%y",), business_zone=BERLIN)
    one, many = to_days(texts(*short), rules), to_days(texts(*(short * 10_000)), rules)
    assert many.values.to_pylist() == one.values.to_pylist() * 10_000
    assert many.notes == {what: 10_000 * count for what, count in one.notes.items()}
    for brief, long in zip(one.faults, many.faults, strict=True):
        assert long.reason == brief.reason
        assert long.rows.tolist() == [7 * time + row for time in range(10_000) for row in brief.rows.tolist()]
