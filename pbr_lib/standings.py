"""How states are worded and shaped; apart, because cards, tables and sentences must say the same."""

from __future__ import annotations

from pbr_lib.blocks import Status

__all__ = ["partner_type", "status"]

_STATUS = {
    "exceeded": Status("exceeded", "★", "good"),
    "met": Status("met", "●", "good"),
    "on track": Status("on track", "▲", "good"),
    "at risk": Status("at risk", "◆", "warn"),
    "off track": Status("off track", "▼", "bad"),
    "missed": Status("missed", "■", "bad"),
    "below floor": Status("below floor", "■", "bad"),
    "too early": Status("too early to say", "○", "neutral"),
    "not measurable": Status("not measurable", "○", "neutral"),
}
_TYPES = {"si": "systems integrator", "isv": "software vendor", "msp": "managed service provider"}


def status(standing: str) -> Status:
    """A standing in word, shape and tone."""
    return _STATUS[standing]


def partner_type(words: str) -> str:
    """``Gold si`` as ``Gold systems integrator``."""
    return " ".join(_TYPES.get(word, word) for word in words.split())
