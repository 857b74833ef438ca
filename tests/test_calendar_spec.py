"""Calendars as people write them in workbook.yaml, and what they are told about slips of the pen."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pbr_lib import yamlfile
from pbr_lib.definitions import Workbook
from pbr_lib.fiscal_weeks import FiscalWeeks

HEAD = "pbr: 1\norganisation: Larkfield\ncurrency: USD\n"
CALENDARS = """
time_zone: Europe/Berlin
holidays: [2026-12-24]
calendar:
  first_month: 4
  label: fiscal
  country: DE
  subdivision: BY
calendars:
  retail:
    label: fiscal
    label_year: start
    weeks: {pattern: 4-5-4, ends_in: 1, weekday: saturday, rule: nearest}
    country: US
    time_zone: America/New_York
  gulf:
    weekend: [Friday, Saturday]
    country: SA
    holidays: [2026-11-11]
  thirteen:
    weeks: {pattern: 13x4, ends_in: 12, rule: last, extra_week_in: 1, periods: 4-3-3-3}
"""


def read(text: str, folder: Path) -> tuple[Workbook | None, list[str]]:
    """A workbook.yaml with this text below its head, and its faults as a person reads them."""
    file = folder / "workbook.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    value, errors = yamlfile.validate(Workbook, yamlfile.read(file, "params/workbook.yaml"))
    return value if isinstance(value, Workbook) else None, [str(error) for error in errors]


def test_calendars_are_read(tmp_path: Path) -> None:
    """Every key of a calendar, of the programme's own and of those beside it."""
    workbook, faults = read(CALENDARS, tmp_path)
    assert workbook is not None and not faults
    own, retail, gulf, thirteen = (workbook.calendar_called(name) for name in ("", "retail", "gulf", "thirteen"))
    assert own.quarter_of(dt.date(2026, 5, 1)).label == "FY27-Q1"
    assert (own.name, own.moves, retail.moves, gulf.moves) == ("", False, True, False)
    assert (retail.clock, retail.time_zone) == ("Europe/Berlin", "America/New_York")
    assert retail.weeks == FiscalWeeks("4-5-4", 1, 5, "nearest", 4)
    assert retail.quarter_of(dt.date(2024, 2, 3)).key == "retail:FY23-Q4"
    assert gulf.weekend == (4, 5)
    assert thirteen.weeks == FiscalWeeks("13x4", 12, 5, "last", 1, "4-3-3-3")


def test_holidays_belong_to_their_calendar(tmp_path: Path) -> None:
    """The workbook's list is the programme's own; another calendar has its own list and its country."""
    workbook, _ = read(CALENDARS, tmp_path)
    assert workbook is not None
    year = (dt.date(2026, 11, 1), dt.date(2026, 12, 31))
    own = workbook.calendar_called().days_off(*year)
    assert own == (dt.date(2026, 11, 1), dt.date(2026, 12, 24), dt.date(2026, 12, 25), dt.date(2026, 12, 26))
    assert workbook.calendar_called("gulf").days_off(*year) == (dt.date(2026, 11, 11),)


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("calendar: {country: Germany}", 'no holidays are known for the country "Germany"', 'did you mean "DE"?'),
        ("calendar: {country: DE, subdivision: Bayern}", 'DE has no subdivision "Bayern"', 'did you mean "BY"?'),
        ("calendar: {subdivision: BY}", "a subdivision needs its country", "country: DE"),
        ("calendar: {country: SA}", "the weekend of SA is not the usual one", "weekend: [Friday, Saturday]"),
        ("calendar: {weekend: [Saterday]}", '"Saterday" is no weekday', 'did you mean "Saturday"?'),
        (
            "calendar: {weekend: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]}",
            "the weekend holds every day",
            "leave out",
        ),
        ("calendar:\n  weeks: {pattern: 4-4-4, ends_in: 1, rule: last}", '"4-4-4" is not known here', "5-4-4"),
        ("calendar:\n  weeks: {pattern: 4-4-5, ends_in: 13, rule: last}", '"13" is out of range', "12 at most"),
        ("calendar:\n  weeks: {pattern: 4-4-5, ends_in: 1}", '"rule" is missing', "add rule"),
        (
            "calendar:\n  first_month: 2\n  weeks: {pattern: 4-4-5, ends_in: 1, rule: last}",
            "a year of weeks begins where the one before ends",
            "remove first_month",
        ),
        (
            "calendar:\n  weeks: {pattern: 4-4-5, ends_in: 1, rule: last, periods: 3-3-3-4}",
            "periods goes with pattern: 13x4",
            "remove it",
        ),
        ("calendars: {other: {time_zone: Europe/Atlantis}}", "is no time zone", "Europe/Berlin"),
        ("time_zone: Europe/Berlin\ncalendar: {time_zone: UTC}", "on the clock of time_zone", "remove time_zone"),
        ("calendars: {Partner-FY: {first_month: 2}}", '"Partner-FY" does not fit as a name', "small letters"),
        ("calendar: {cuntry: DE}", 'unknown key "cuntry"', 'did you mean "country"?'),
    ],
)
def test_slips_are_told_with_their_remedy(text: str, what: str, fix: str, tmp_path: Path) -> None:
    """Each fault names its line, what is wrong, and what was probably meant."""
    _, faults = read(text + "\n", tmp_path)
    assert len(faults) == 1
    assert "params/workbook.yaml, line" in faults[0]
    assert what in faults[0]
    assert fix in faults[0].partition("→")[2]


@pytest.mark.parametrize(
    ("text", "fix"),
    [("calendars: {partner_fy: {first_month: 2}}", 'did you mean "partner_fy"?'), ("", "params/workbook.yaml")],
)
def test_an_unknown_calendar_is_told(text: str, fix: str, tmp_path: Path) -> None:
    """A calendar that nobody has described is named, with the nearest that is known."""
    workbook, _ = read(text + "\n", tmp_path)
    assert workbook is not None
    with pytest.raises(ValueError, match='no calendar is called "partnerfy"') as caught:
        workbook.calendar_called("partnerfy")
    assert fix in str(caught.value)
