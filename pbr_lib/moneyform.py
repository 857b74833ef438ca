"""Money in whole coins: how many places a currency has, and columns of converted amounts that foot; apart, because
arithmetic asks the standard for the places, and never the library that formats numbers for people.

CLDR, which Babel brings, rounds half to even and disagrees with ISO 4217 (it gives the Iraqi dinar no places, the
standard gives it three). It writes symbols and separators here, of numbers that are rounded already.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext

__all__ = ["ISO_PUBLISHED", "from_minor", "minor_units", "money_text", "printed_lines", "to_minor"]

ISO_PUBLISHED = "ISO 4217, list one, published on 2026-01-01 by SIX on behalf of ISO"
"""Where the places below come from; lists age, and this one says its age."""

_USUAL = 2
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
_PLACES = {
    code: places for places, codes in ((0, _NONE), (3, _THREE), (4, _FOUR)) for code in codes.split()
}  # every other currency has two


def minor_units(currency: str) -> int:
    """Places after the point of a currency's smallest coin, by the standard: USD 2, JPY 0, IQD 3."""
    return _PLACES.get(currency, _USUAL)


def to_minor(value: Decimal, currency: str) -> int:
    """``value`` in the currency's smallest coins, rounded half-up, once."""
    places = minor_units(currency)
    return int(_rounded(value, places).scaleb(places))


def from_minor(coins: int, currency: str) -> Decimal:
    """The amount of so many of the currency's smallest coins."""
    return Decimal(coins).scaleb(-minor_units(currency))


def money_text(value: Decimal, currency: str, decimals: int | None = None, locale: str = "en_US") -> str:
    """``value`` as people of a locale write it, rounded half-up before it is formatted: ``$1,234,567.89``.

    ``decimals`` None takes the places of the standard.
    """
    from babel import Locale

    places = minor_units(currency) if decimals is None else decimals
    written = Locale.parse(locale)
    pattern = copy(written.currency_formats["standard"])  # a copy, since Babel keeps one for everybody
    pattern.frac_prec = (places, places)
    return str(pattern.apply(_rounded(value, places), written, currency=currency, currency_digits=False))


def printed_lines(values: Sequence[Decimal], total: Decimal, decimals: int) -> tuple[Decimal, ...]:
    """The lines of a printed column, each with ``decimals`` places, that add up to the ``total`` rounded half-up.

    ``values`` are the unrounded amounts, of either sign. Every line is rounded down, and the units that are then
    missing go to the lines with the largest remainders, of equal ones to the first: no line moves by a whole unit.
    (``shares.allocate`` divides a whole by weights, which must not be negative; here the lines are known.)

    Raises
    ------
    ValueError
        When the values do not add up to the total; rounding must not hide that.
    """
    with localcontext() as context:
        context.prec = 76
        if sum(values, Decimal(0)) != total:
            raise ValueError("these lines do not add up to their total; give the amounts before they were rounded")
        unit = Decimal(1).scaleb(-decimals)
        lines = [value.quantize(unit, ROUND_FLOOR) for value in values]
        missing = int((_rounded(total, decimals) - sum(lines, Decimal(0))) / unit)
        by_remainder = sorted(range(len(lines)), key=lambda at: (lines[at] - values[at], at))
        for at in by_remainder[:missing]:
            lines[at] += unit
    return tuple(lines)


def _rounded(value: Decimal, places: int) -> Decimal:
    with localcontext() as context:
        context.prec = 76
        return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
