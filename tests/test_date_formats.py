"""The grammar of formats: what is one, what is none, and which shapes it fits."""

from __future__ import annotations

import pytest
from babel.dates import get_month_names

from pbr_lib.date_formats import _MONTHS, ISO, LANGUAGES, compiled
from pbr_lib.errors import SourceError


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("%d.%m", "lacks the year"),
        ("%d.%Y", "lacks the month"),
        ("%q", "unknown directive"),
        ("%j %Y", "unknown directive"),
        ("%Y-%m-%d %", "unknown directive"),
        ("%Y %y %m", "the year twice"),
        ("%b %m %Y", "the month twice"),
        ("%Y-%m-%d %I:%M", "go together"),
        ("%Y-%m-%d %H:%M %p", "go together"),
        ("%Y-%m-%d %M", "the minute without the hour"),
        ("%Y-%m %H", "the hour without the day"),
        ("%Y-%m-%d%z", "the zone without the hour"),
        ("", "lacks the year"),
    ],
)
def test_what_is_no_format(form: str, why: str) -> None:
    """A format that cannot give a day is refused when it is written."""
    with pytest.raises(SourceError, match=why):
        compiled(form)


@pytest.mark.parametrize(
    ("form", "shape", "fits"),
    [
        ("%d.%m.%Y", "0.0.0000", True),
        ("%d.%m.%Y", " 00.00.0000\u00a0", True),
        ("%d.%m.%Y", "00.00.00", False),
        ("%d.%m.%Y", "00/00/0000", False),
        ("%d.%m.%Y", "00.00.0000 00:00", False),
        ("%-d.%-m.%Y", "0.0.0000", True),
        ("%m/%d/%y", "0/00/00", True),
        ("%m/%d/%y", "0/00/0000", False),
        ("%Y%m%d", "00000000", True),
        ("%Y%m%d", "0000000", False),
        ("%d %b %Y", "0 Sept. 0000", True),
        ("%d %b %Y", "0 SEP 0000", True),
        ("%d %B %Y", "0 sep 0000", True),
        ("%d %b %Y", "0 Foo 0000", False),
        ("%d %b %Y", "0 junı 0000", False),
        ("%d. %b %Y", "0. März\u00a00000", True),
        ("%d/%m/%Y %I:%M %p", "0/0/0000 0:00\u202fPM", True),
        ("%d/%m/%Y %I:%M %p", "0/0/0000 0:00PM", True),
        ("%d/%m/%Y %I:%M%p", "0/0/0000 0:00 p. m.", True),
        ("%Y-%m-%d %H:%M %z", "0000-00-00 00:00+00:00", True),
        ("%Y-%m-%d %H:%M%z", "0000-00-00 00:00 UTC", True),
        ("%Y-%m-%d %H:%M%z", "0000-00-00 00:00", False),
        ("100%% %Y.%m", "000% 0000.00", False),
        ("x%% %Y.%m", "x% 0000.00", True),
        ("(%Y)+%m", "(0000)+00", True),
    ],
)
def test_what_fits(form: str, shape: str, fits: bool) -> None:
    """Numbers may lack zeros, names have dots and any case, blanks are any blanks; nothing is left over."""
    assert (compiled(form).plan(shape) is not None) is fits


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        ("0000-00-00", True),
        ("0000-00-00 00:00", True),
        ("0000-00-00T00:00:00Z", True),
        ("0000-00-00T00:00:00.000+0000", True),
        ("0000-00-00 00:00:00,000000", True),
        ("0000-00-00T00:00:00.000000000-00:00", True),
        ("0000-0-0", False),
        ("0000-00-00T00", False),
        ("00000000", False),
    ],
)
def test_iso(shape: str, fits: bool) -> None:
    """ISO 8601 in the forms in which CRMs write it."""
    assert (ISO.plan(shape) is not None) is fits


def test_no_name_means_two_months() -> None:
    """All languages can be listened to at once."""
    meanings: dict[str, set[int]] = {}
    for language in LANGUAGES:
        for number, spellings in enumerate(_MONTHS[language].split(), start=1):
            for name in spellings.split("/"):
                meanings.setdefault(name, set()).add(number)
    assert not {name: numbers for name, numbers in meanings.items() if len(numbers) > 1}
    assert all(len(months.split()) == 12 for months in _MONTHS.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", ["abbreviated", "wide"])
@pytest.mark.parametrize("context", ["format", "stand-alone"])
def test_names_of_the_unicode_consortium(language: str, width: str, context: str) -> None:
    """Whatever a program writes by CLDR is understood, in any case."""
    form = compiled("%d %b %Y", (language,))
    for number, name in get_month_names(width, context, language).items():
        for spelling in (name, name.upper(), name.capitalize()):
            plan = form.plan(f"0 {spelling} 0000")
            assert plan is not None and plan.fixed["m"] == number, spelling


def test_a_language_that_is_not_listed() -> None:
    """Names of other languages are none, and an unknown language is said."""
    assert compiled("%d %b %Y", ("en",)).plan("0 mai 0000") is None
    with pytest.raises(SourceError, match="no language"):
        compiled("%d %b %Y", ("xx",))
