"""To which numbers targets are rounded, and how these are said; apart, because the rule has edges of its own (a target
of 2 must fall as easily as it rises) and is to be read without the rules of renewal.

All of it is exact: Decimal in, Decimal out, half up.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

from pbr_lib.model import Amount, Unit, minor_digits, percent_text

__all__ = ["inside", "multiple", "percent", "plain", "rounding_unit", "say", "signed", "steady"]

_ONE = Decimal(1)
_FIVE_PERCENT = Decimal("0.05")
_TENTHS = Unit("number", decimals=1)
# Six digits fewer than arithmetic has: a mean of thirds that should be a half must not be rounded as one just below.
_STEADY = Context(prec=22)


def rounding_unit(unit: Unit, round_to: Decimal | None, size: Decimal) -> Decimal:
    """The unit that targets are rounded to: the goal's ``round_to``, else one that suits what is counted.

    Counts move by 1; days, percentages and plain numbers by the last digit that is shown (1 day, 1 % point, 0.1);
    money by the largest of 1, 5, 10, 50, 100, ... that is at most 5 % of ``size``, so that a rounded target is never
    more than 2.5 % off.
    """
    if round_to is not None:
        return round_to
    if unit.kind == "count":
        return _ONE
    if unit.kind != "money":
        shown = Amount(size, unit).decimals
        return _ONE.scaleb(-shown - 2 if unit.kind == "percent" else -shown)
    coin = _ONE.scaleb(-minor_digits(unit.currency))
    part = abs(size) * _FIVE_PERCENT
    if part <= coin:
        return coin if size else _ONE
    ten = _ONE.scaleb(part.adjusted())
    return max(coin, plain(5 * ten if part >= 5 * ten else ten))


def multiple(value: Decimal, grain: Decimal, way: str = ROUND_HALF_UP) -> Decimal:
    """The multiple of ``grain`` nearest to a value, a half away from 0; ``way`` is a rounding of ``decimal``."""
    return plain(_STEADY.divide(value, grain).quantize(_ONE, way) * grain)


def inside(target: Decimal, least: Decimal | None, most: Decimal | None, grain: Decimal) -> Decimal | None:
    """The multiple nearest to a rounded target that lies within bounds; None where there is none."""
    if most is not None and target > most:
        target = multiple(most, grain, ROUND_FLOOR)
    elif least is not None and target < least:
        target = multiple(least, grain, ROUND_CEILING)
    within = (least is None or target >= least) and (most is None or target <= most)
    return target if within else None


def steady(value: Decimal) -> Decimal:
    """A value without the last digits, in which a quotient such as 1/3 × 3 differs from what it stands for."""
    return _STEADY.plus(value)


@lru_cache(maxsize=16_384)
def say(value: Decimal, unit: Unit) -> str:
    """A number as its unit writes it, with one digit more where it would hide that it is not whole."""
    if unit.kind == "percent":
        return percent(value, max(unit.decimals or 0, 1))
    whole = value == value.to_integral_value()
    return Amount(value, _TENTHS if unit.kind == "count" and not whole else unit).text


@lru_cache(maxsize=4_096)
def percent(share: Decimal, most: int = 2) -> str:
    """A share in percent with the decimals that it has, ``most`` at the most: ``10 %``, ``12.5 %``."""
    digits = (share * 100).normalize().as_tuple().exponent
    return percent_text(share, min(max(-digits, 0), most) if isinstance(digits, int) else 0)


def signed(value: Decimal, text: str) -> str:
    """A text with the sign of a value before it: ``+ 10 %``, ``− 2``."""
    return f"{'−' if value < 0 else '+'} {text}"


def plain(value: Decimal) -> Decimal:
    """The same number without an exponent and without zeros at its end."""
    value = value.normalize()
    return value.quantize(_ONE) if value == value.to_integral_value() else value
