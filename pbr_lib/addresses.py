"""Addresses as messages may show them; apart, because an address can hold a password, and nothing that is written
or printed may.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, unquote_plus

__all__ = ["holds_secret", "shown", "without_secrets"]

_USER = re.compile(r"://[^/\s@]*@")
_PORT = re.compile(r"[^:]*(:\d*)?")
_KEYS = re.compile(r"pass|pwd|secret|token|key|sig|auth|credential", re.IGNORECASE)
_WEB = ("http", "https")


def shown(address: str) -> str:
    """The address without user, password and options: ``postgresql://host:5432/name``.

    Of a chain such as ``zip://deals.csv::https://host/export.zip`` each link is treated so.
    """
    return "::".join(_bare(link) for link in address.strip().split("::"))


def holds_secret(address: str) -> bool:
    """Whether an address holds a password, or an option that is called like one."""
    for link in address.split("::"):
        user = _user(link)
        if ":" in user or (user and link.partition("://")[0].lower() in _WEB):
            return True
        if any(_KEYS.search(key) and value for key, value in _options(link)):
            return True
    return False


def without_secrets(text: str, address: str) -> str:
    """What a driver says of an address, with the secrets that the address holds made unreadable."""
    text = text.replace(address, shown(address))
    for secret in sorted(_secrets(address), key=lambda each: (-len(each), each)):
        text = text.replace(secret, "***")
    return _USER.sub("://", text)


def _bare(link: str) -> str:
    scheme, sep, rest = link.partition("://")
    if not sep:
        return re.split(r"[?#]", link, maxsplit=1)[0]
    user = _user(link)
    rest = rest[len(user) + 1 :] if user else rest
    return f"{scheme}://{re.split(r'[?#]', rest, maxsplit=1)[0]}"


def _user(link: str) -> str:
    """User and password of an address; also where the password holds signs that ought to be escaped."""
    _, sep, rest = link.partition("://")
    if not sep or "@" not in rest:
        return ""
    path = re.split(r"[?#]", rest, maxsplit=1)[0]
    if "@" in path:
        return path.rpartition("@")[0]
    # A password may hold a bare "?"; what stands before it is then no host with a port.
    host = path.partition("/")[0]
    return "" if _PORT.fullmatch(host) else rest.rpartition("@")[0]


def _options(link: str) -> list[tuple[str, str]]:
    query = link.partition("?")[2].partition("#")[0]
    return parse_qsl(query, keep_blank_values=False)


def _secrets(address: str) -> set[str]:
    """Everything in an address that may be a secret, as it stands there and as a driver reads it."""
    found: set[str] = set()
    for link in address.split("::"):
        user = _user(link)
        name, _, password = user.partition(":")
        found |= {user, password} if password else {name if link.partition("://")[0].lower() in _WEB else ""}
        query = link.partition("?")[2]
        found |= {value for key, value in _options(link) if _KEYS.search(key)}
        found |= {part.partition("=")[2] for part in re.split("[&#]", query) if _KEYS.search(part.partition("=")[0])}
    found |= {unquote(each) for each in found} | {unquote_plus(each) for each in found}
    return {each for each in found if each}
