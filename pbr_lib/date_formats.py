"""The formats in which an export writes days and moments: a closed grammar; apart, because conversions, guesses and
mappings all need it, and none may ask the machine's locale.

A format is written with the directives of ``strftime``: ``%Y %y %m %d %b %B %H %I %M %S %f %p %z``, and anything else
stands for itself. Numbers may lack their leading zero, months and halves of the day are understood in the languages
of :data:`LANGUAGES`, with or without the dot of an abbreviation, and white space stands for any white space.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from pbr_lib.errors import SourceError

__all__ = ["ISO", "LANGUAGES", "DateFormat", "Plan", "compiled"]

_MONTHS: dict[str, str] = {
    "en": "jan/january feb/february mar/march apr/april may jun/june jul/july aug/august sep/sept/september "
    "oct/october nov/november dec/december",
    "de": "jan/jän/januar/jänner feb/februar mär/mrz/märz/maerz apr/april mai jun/juni jul/juli aug/august "
    "sep/sept/september okt/oktober nov/november dez/dezember",
    "fr": "janv/janvier févr/fév/février/fevrier mars avr/avril mai juin juil/juillet août/aout sept/septembre "
    "oct/octobre nov/novembre déc/décembre/decembre",
    "es": "ene/enero feb/febrero mar/marzo abr/abril may/mayo jun/junio jul/julio ago/agosto "
    "sep/sept/set/septiembre/setiembre oct/octubre nov/noviembre dic/diciembre",
    "it": "gen/gennaio feb/febbraio mar/marzo apr/aprile mag/maggio giu/giugno lug/luglio ago/agosto set/settembre "
    "ott/ottobre nov/novembre dic/dicembre",
    "nl": "jan/januari feb/februari mrt/maart apr/april mei jun/juni jul/juli aug/augustus sep/september okt/oktober "
    "nov/november dec/december",
    "pt": "jan/janeiro fev/fevereiro mar/março/marco abr/abril mai/maio jun/junho jul/julho ago/agosto set/setembro "
    "out/outubro nov/novembro dez/dezembro",
    "pl": "sty/styczeń/stycznia lut/luty/lutego mar/marzec/marca kwi/kwiecień/kwietnia maj/maja "
    "cze/czerwiec/czerwca lip/lipiec/lipca sie/sierpień/sierpnia wrz/wrzesień/września "
    "paź/październik/października lis/listopad/listopada gru/grudzień/grudnia",
    "sv": "jan/januari feb/februari mars apr/april maj juni juli aug/augusti sep/september okt/oktober nov/november "
    "dec/december",
    "da": "jan/januar feb/februar mar/marts apr/april maj jun/juni jul/juli aug/august sep/september okt/oktober "
    "nov/november dec/december",
    "nb": "jan/januar feb/februar mar/mars apr/april mai jun/juni jul/juli aug/august sep/september okt/oktober "
    "nov/november des/desember",
    "fi": "tammi/tammikuu/tammikuuta helmi/helmikuu/helmikuuta maalis/maaliskuu/maaliskuuta huhti/huhtikuu/huhtikuuta "
    "touko/toukokuu/toukokuuta kesä/kesäkuu/kesäkuuta heinä/heinäkuu/heinäkuuta elo/elokuu/elokuuta "
    "syys/syyskuu/syyskuuta loka/lokakuu/lokakuuta marras/marraskuu/marraskuuta joulu/joulukuu/joulukuuta",
    "cs": "led/leden/ledna úno/únor/února bře/březen/března dub/duben/dubna kvě/květen/května čvn/červen/června "
    "čvc/červenec/července srp/srpen/srpna zář/září říj/říjen/října lis/listopad/listopadu pro/prosinec/prosince",
}
_HALVES: dict[str, str] = {"de": "vorm nachm", "sv": "fm em", "fi": "ap ip", "cs": "dop odp"}
"""Before and after noon where a language has words beside AM and PM."""

LANGUAGES: tuple[str, ...] = tuple(_MONTHS)
"""The languages in which names of months are understood; no name means one month here and another there."""

_NUMBERS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2}
_PARTS = {"Y": "year", "y": "year", "m": "month", "b": "month", "B": "month", "d": "day", "H": "hour", "I": "hour"}
_PARTS |= {"M": "minute", "S": "second", "f": "fraction", "p": "half", "z": "zone"}
_DIRECTIVE = re.compile(r"%-?(.)", re.DOTALL)
_ZONE = r"(?P<z>Z|UTC|GMT|(?:UTC|GMT)?(?P<zs>[+\-\u2212])(?P<zh>[0-9]{2})(?::?(?P<zm>[0-9]{2}))?)"
_BLANK = r"[\s\u200b\u200c\u200d\u2060\ufeff]*"


@dataclass(frozen=True)
class Plan:
    """Where the parts of a text stand that has a certain shape: for each part the byte positions of its digits.

    The parts are Y y m d H I M S f zh zm. ``fixed`` holds what the shape alone tells: ``m`` (a month by name),
    ``p`` (1 after noon, 0 before), ``zs`` (the sign of the distance from UTC, 0 for UTC itself).
    """

    places: Mapping[str, tuple[int, ...]]
    fixed: Mapping[str, int]

    @property
    def has_time(self) -> bool:
        """Whether the text holds a time of the day."""
        return "H" in self.places or "I" in self.places


@dataclass(frozen=True)
class DateFormat:
    """One format, ready to read: ``text`` as people wrote it, and the pattern for a whole text."""

    text: str
    pattern: re.Pattern[str] = field(repr=False)
    months: Mapping[str, int] = field(repr=False, hash=False)

    def plan(self, shape: str) -> Plan | None:
        """How a text of this shape is read; None where the format does not fit it."""
        match = self.pattern.fullmatch(shape)
        if match is None:
            return None
        places, fixed = {}, {}
        for part, value in match.groupdict().items():
            if value is None:
                continue
            if part == "b":
                # A pattern that ignores case takes a dotless i for an i; a name does not.
                month = self.months.get(value.casefold())
                if month is None:
                    return None
                fixed["m"] = month
            elif part == "p":
                fixed["p"] = int(_bare(value) in _AFTERNOON)
            elif part == "zs":
                fixed["zs"] = 1 if value == "+" else -1
            elif part == "z":
                fixed.setdefault("zs", 0)
            else:
                # Digits are single bytes, but what stands before them may not be.
                start = len(shape[: match.start(part)].encode())
                places[part] = tuple(range(start, start + len(value)))
        return Plan(MappingProxyType(places), MappingProxyType(fixed))


@lru_cache(maxsize=512)
def compiled(form: str, languages: tuple[str, ...] = LANGUAGES) -> DateFormat:
    """The format that is written so, with names in these languages.

    A format without ``%d`` is a month, and means its first day.

    Raises
    ------
    SourceError
        When it holds an unknown directive, names a part twice, or lacks the year or the month.
    """
    parts = [_PARTS.get(directive) for directive in _DIRECTIVE.findall(form.replace("%%", ""))]
    fault = _fault(form, parts)
    if fault:
        fix = "write it like %d.%m.%Y or %Y-%m-%d %H:%M:%S; known are %Y %y %m %d %b %B %H %I %M %S %f %p %z"
        raise SourceError(f'"{form}" is no format of a date: {fault}', fix=fix)
    months = _month_names(languages)
    pattern = re.compile(_BLANK + _pattern(form, months) + _BLANK, re.IGNORECASE)
    return DateFormat(form, pattern, MappingProxyType(months))


def _fault(form: str, parts: Sequence[str | None]) -> str:
    if None in parts or form.replace("%%", "").endswith("%"):
        return "it holds an unknown directive"
    twice = sorted({part for part in parts if part and parts.count(part) > 1})
    if twice:
        return f"it names the {twice[0]} twice"
    missing = [part for part in ("year", "month") if part not in parts]
    if missing:
        return f"it lacks the {missing[0]}"
    if ("half" in parts) != bool(re.search(r"%-?I", form)):
        return "%I and %p go together; hours from 0 to 23 are %H"
    needs = {"minute": "hour", "second": "minute", "fraction": "second", "hour": "day", "zone": "hour"}
    for part, other in needs.items():
        if part in parts and other not in parts:
            return f"it names the {part} without the {other}"
    return ""


def _pattern(form: str, months: Mapping[str, int]) -> str:
    """The regular expression of a format; a number that touches another one has all its digits."""
    pieces = re.findall(r"%%|%-?.|\s+|.", form, re.DOTALL)
    kinds = [piece[-1] if piece[0] == "%" and piece != "%%" else "" for piece in pieces]
    out = []
    for at, (piece, kind) in enumerate(zip(pieces, kinds, strict=True)):
        if kind in _NUMBERS:
            near = [other for other in (*kinds[max(at - 1, 0) : at], *kinds[at + 1 : at + 2]) if other in _NUMBERS]
            most = _NUMBERS[kind]
            least = 1 if most == 2 and kind != "y" and not near else most
            out.append(f"(?P<{kind}>[0-9]{{{least},{most}}})")
        elif kind == "f":
            out.append("(?P<f>[0-9]{1,9})")
        elif kind in ("b", "B"):
            out.append(rf"(?P<b>{'|'.join(sorted(months, key=lambda name: (-len(name), name)))})\.?")
        elif kind == "p":
            out.append(f"{_BLANK}(?P<p>{_HALF_PATTERN})")
        elif kind == "z":
            out.append(_BLANK + _ZONE)
        else:
            out.append(r"\s+" if piece.isspace() else re.escape(piece[-1]))
    # A blank before a half of the day or a zone may be missing.
    return re.sub(r"\\s\+(?=" + re.escape(_BLANK) + ")", "", "".join(out))


@lru_cache(maxsize=64)
def _month_names(languages: tuple[str, ...]) -> dict[str, int]:
    unknown = [language for language in languages if language not in _MONTHS]
    if unknown:
        raise SourceError(f'"{unknown[0]}" is no language of dates', fix=f"known: {', '.join(LANGUAGES)}")
    names: dict[str, int] = {}
    for language in languages:
        for number, spellings in enumerate(_MONTHS[language].split(), start=1):
            for name in spellings.split("/"):
                names.setdefault(name, number)
    return names


def _bare(half: str) -> str:
    return re.sub(r"[\s.]", "", half).casefold()


_AFTERNOON = frozenset(["pm", "p", *(halves.split()[1] for halves in _HALVES.values())])
_HALF_WORDS = sorted((word for halves in _HALVES.values() for word in halves.split()), key=lambda word: -len(word))
_HALF_PATTERN = rf"[ap](?:\.?\s?m)?\.?|(?:{'|'.join(_HALF_WORDS)})\.?"

ISO: DateFormat = DateFormat(
    "ISO 8601",
    re.compile(
        rf"{_BLANK}(?P<Y>[0-9]{{4}})-(?P<m>[0-9]{{2}})-(?P<d>[0-9]{{2}})(?:(?:T|\s+)(?P<H>[0-9]{{2}}):(?P<M>[0-9]{{2}})"
        rf"(?::(?P<S>[0-9]{{2}})(?:[.,](?P<f>[0-9]{{1,9}}))?)?(?:\s?{_ZONE})?)?{_BLANK}"
    ),
    MappingProxyType({}),
)
"""Days as ``2026-09-30`` and moments as ``2026-09-30 14:05``, ``2026-09-30T14:05:59.123Z``, ``... +0200``."""
