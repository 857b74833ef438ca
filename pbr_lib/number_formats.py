"""How people write amounts, shares and counts: a closed grammar over shapes; apart, because conversions and guesses
both need it, and because it knows nothing of columns.

An amount may carry a currency (a code or a sign, before or after), a sign of its own (``-`` before or behind,
accounting brackets), grouped thousands, an exponent, and one suffix for thousands, millions or thousand millions.
What is left over makes it no number: nothing is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from pbr_lib.conversions import BLANKS

__all__ = ["AMBIGUOUS", "NO_NUMBER", "Plan", "currency_of", "planned"]

Decimal = Literal[".", ",", ""]

NO_NUMBER = "this is no plain number"
AMBIGUOUS = "thousands or decimals: the mapping does not say"
_UNKNOWN = "an unknown suffix"
_UNCLEAR = "an ambiguous suffix"
_GROUPING = "digits grouped in no known way"
_TWO = "two currencies"

_MINUS, _PLUS = "-\u2212\u2010\u2011\u2013\ufe63\uff0d", "+"
_SIGNED = re.compile(f"[()+{re.escape(_MINUS)}]")
_SPACES = " \u00a0\u202f\u2007\u2009"
_POWERS: dict[str, int] = {
    **dict.fromkeys(("k", "tsd", "tsd.", "thousand", "tausend"), 3),
    **dict.fromkeys(("m", "mio", "mio.", "mln", "mln.", "mn", "million", "millions", "millionen"), 6),
    **dict.fromkeys(("b", "bn", "mrd", "mrd.", "mld", "mld.", "mia", "mia.", "milliarden", "milliarde"), 9),
}
# A thousand or a million millions, by country; in English and in German a billion is not the same.
_UNCLEAR_POWERS = ("t", "tr", "mil", "mm", "billion", "billions", "trillion")
_KNOWN_SIGNS: dict[str, str] = {
    "€": "EUR", "£": "GBP", "US$": "USD", "U$": "USD", "R$": "BRL", "zł": "PLN", "Kč": "CZK", "₹": "INR", "A$": "AUD",
    "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "MX$": "MXN", "CN¥": "CNY",
    "JP¥": "JPY", "NT$": "TWD", "₽": "RUB", "₺": "TRY", "₩": "KRW", "₪": "ILS", "₫": "VND", "฿": "THB", "₴": "UAH",
    "Ft": "HUF", "lei": "RON",
}  # fmt: skip
_SHARED_SIGNS = ("$", "¥", "￥", "kr", "kr.", "Kr", "Kr.", "Fr.", "Fr", "Rs", "Rs.")
"""Signs of several currencies: they name one only where the mapping says so."""


@dataclass(frozen=True)
class Plan:
    """How the texts of one shape are read.

    ``whole`` and ``part`` are the byte positions of the digits before and after the decimal sign, the value is
    multiplied by ten to the ``power``, further by the exponent at ``exponent`` (``exponent_sign`` times). ``currency``
    is a code, or empty; ``sign`` the mark as written, where it names no single currency. ``ambiguous`` texts are
    read so only when they begin with a zero.
    """

    whole: tuple[int, ...]
    part: tuple[int, ...] = ()
    negative: bool = False
    power: int = 0
    exponent: tuple[int, ...] = ()
    exponent_sign: int = 1
    currency: str = ""
    sign: str = ""
    suffix: str = ""
    percent: bool = False
    ambiguous: bool = False
    grouped: str = field(default="", compare=False)


def planned(shape: str, decimal: Decimal, signs: Mapping[str, str] = MappingProxyType({})) -> Plan | str:
    """How a text of this shape is read as a number; the reason, in few words, where it is none.

    ``decimal`` is the sign before decimals, empty when only texts are read that allow one reading; ``signs`` says
    which currency a sign means.
    """
    first, last = shape.find("0"), shape.rfind("0")
    if first < 0:
        return NO_NUMBER
    if first and shape[first - 1] in ".,":
        first -= 1
    before, body, after = shape[:first], shape[first : last + 1], shape[last + 1 :]
    power = re.fullmatch(r"(.*0)[eE]([+\-]?)(0{1,3})", body)
    if power is not None:
        body = power[1]
    digits = _digits(body, decimal)
    if digits is None:
        return NO_NUMBER if re.search(f"[^0.,'’{_SPACES}]", body) else _GROUPING
    outside = _outside(before, after, signs)
    if isinstance(outside, str):
        return outside
    places = _byte_places(shape)
    whole, part, ambiguous = digits
    negative, currency, sign, suffix, percent = outside
    exponent = tuple(places[last + 1 - len(power[3]) : last + 1]) if power else ()
    return Plan(
        tuple(places[first + at] for at in whole),
        tuple(places[first + at] for at in part),
        negative,
        _POWERS.get(suffix.casefold(), 0),
        exponent,
        -1 if power and power[2] == "-" else 1,
        currency,
        sign,
        suffix,
        percent,
        ambiguous,
        "".join(sorted(set(body) - {"0"})),
    )


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    from babel.numbers import list_currencies

    return frozenset(list_currencies())


def currency_of(mark: str, signs: Mapping[str, str]) -> str | None:
    """The ISO code that a mark means; empty for a sign of several currencies, None when it is no currency."""
    if mark in signs:
        return signs[mark]
    if mark in _KNOWN_SIGNS:
        return _KNOWN_SIGNS[mark]
    if mark in _SHARED_SIGNS:
        return ""
    if re.fullmatch("[A-Z]{3}", mark) and mark in _codes():
        return mark
    return None


def _byte_places(shape: str) -> list[int]:
    if shape.isascii():
        return list(range(len(shape)))
    out, place = [], 0
    for letter in shape:
        out.append(place)
        place += len(letter.encode())
    return out


def _digits(body: str, decimal: Decimal) -> tuple[list[int], list[int], bool] | None:
    """Where the digits before and after the decimal sign stand in ``body``, and whether it can be read otherwise."""
    ambiguous = False
    if not decimal:
        points, commas = body.count("."), body.count(",")
        if points and commas:
            decimal = "." if body.rfind(".") > body.rfind(",") else ","
        elif points + commas > 1:
            decimal = "," if points else "."
        else:
            decimal = "." if points else ","
            ambiguous = re.fullmatch("0{1,3}[.,]000", body) is not None
    if body.count(decimal) > 1:
        return None
    whole, _, part = body.partition(decimal)
    if part.strip("0"):
        return None
    group = set(whole) - {"0"}
    if group and not _grouped(whole, group.pop(), decimal):
        return None
    before = [at for at, sign in enumerate(whole) if sign == "0"]
    return before, list(range(len(body) - len(part), len(body))), ambiguous


def _grouped(whole: str, group: str, decimal: str) -> bool:
    """Whether thousands are grouped as people do: by threes, or in India by twos before the last three."""
    if group not in f"{'.' if decimal == ',' else ','}'’{_SPACES}":
        return False
    sign = re.escape(group)
    if re.fullmatch(f"0{{1,3}}(?:{sign}000)+", whole):
        return True
    return group == "," and re.fullmatch("0{1,2}(?:,00)+,000", whole) is not None


def _outside(before: str, after: str, signs: Mapping[str, str]) -> tuple[bool, str, str, str, bool] | str:
    """What stands around the digits: negative or not, currency, sign without one, suffix, percent; or a reason."""
    odd = _SIGNED.findall(before + after)
    negative = False
    if odd:
        brackets = "(" in odd or ")" in odd
        if odd != ["(", ")"] if brackets else len(odd) > 1:
            return NO_NUMBER
        if brackets and ("(" not in before or ")" not in after):
            return NO_NUMBER
        negative = odd[0] not in _PLUS
        before, after = _SIGNED.sub("", before), _SIGNED.sub("", after)
    before, after = before.strip(BLANKS), after.strip(BLANKS)
    mark = currency_of(before, signs) if before else ""
    if mark is None:
        return NO_NUMBER
    tail = _after(after, signs)
    if isinstance(tail, str):
        return tail
    suffix, behind, percent = tail
    behind_mark = (currency_of(behind, signs) if behind else "") or ""
    if (mark and behind_mark and mark != behind_mark) or (percent and before):
        return _TWO if not percent else NO_NUMBER
    code = mark or behind_mark
    return negative, code, "" if code else before or behind, suffix, percent


def _after(after: str, signs: Mapping[str, str]) -> tuple[str, str, bool] | str:
    """What follows the digits: suffix, currency mark, percent sign; or the reason why it is nothing known."""
    if not after or currency_of(after, signs) is not None:
        return "", after, False
    if after in "%％":
        return "", "", True
    match = re.fullmatch(rf"([^\W\d_]+\.?)[{_SPACES}]*(.*)", after, re.DOTALL)
    if match is None:
        return _UNKNOWN
    # The longest suffix that leaves a currency or nothing: "k", "k€", "Mio. EUR", "KUSD".
    for end in range(len(after), 0, -1):
        suffix, mark = after[:end].strip(BLANKS), after[end:].strip(BLANKS)
        if mark and currency_of(mark, signs) is None:
            continue
        if suffix.casefold() in _POWERS:
            return suffix, mark, False
        if suffix.casefold() in _UNCLEAR_POWERS:
            return _UNCLEAR
    return _UNKNOWN
