"""What frames the pages: the head of page one, running lines, properties; apart, because the cover alone decides it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pbr_lib.export import fonts
from pbr_lib.export.columns import TEXT_WIDTH, breakable

__all__ = ["framed", "stated"]

_EPOCH = dt.date(1980, 1, 1)


def framed(front: Mapping[str, Any] | None, title: str) -> dict[str, Any]:
    """Everything of the template's data but the body; without a cover block there is no head, only ``title``."""
    meta: Mapping[str, str] = front["meta"] if front else {}
    partner, quarter = meta.get("partner", ""), meta.get("quarter", "")
    known = [word for word in ("Partner Business Review", partner, quarter) if word]
    as_of = meta.get("as_of_text", "")
    day = _day(meta.get("as_of", ""))
    language = meta.get("language", "").split("-")[0].lower()
    return {
        "title": " – ".join(known) if front else title,
        "author": [meta["organisation"]] if meta.get("organisation") else [],
        "keywords": known if front else [],
        "date": [day.year, day.month, day.day],
        "language": language if re.fullmatch(r"[a-z]{2,3}", language) else "en",
        "fonts": list(fonts.families()),
        "mono": [fonts.MONO, *fonts.families()],
        "header": [_shortened(partner, 330), _shortened(quarter, 150)],
        "footer": [
            _shortened(meta.get("confidential", ""), 270),
            f"Data as of {as_of}" if as_of else "",
            _shortened(meta.get("fingerprint", ""), 80),
        ],
        "cover": _cover(front) if front else None,
    }


def _cover(front: Mapping[str, Any]) -> dict[str, Any]:
    score, status, facts = front["score"], front["status"], [tuple(fact) for fact in front["facts"]]
    room = TEXT_WIDTH - (168 if score else 0)
    steps = ((30.0, 1), (26.0, 1), (22.0, 2), (19.0, 3), (16.0, 5), (13.0, 20))
    width = fonts.measure(front["title"], heavy=True)
    size = next((size for size, lines in steps if width * size < room * lines * 0.94), 11.0)
    return {
        "title": breakable(front["title"], room, size),
        "kicker": front["kicker"],
        "subtitle": front["subtitle"],
        "size": size,
        "score": score["text"] if score else None,
        "score_label": front["score_label"],
        "status": stated(status),
        "tone": status["tone"] if status else "neutral",
        "facts": [list(fact) for fact in facts],
        "fact_widths": _fact_widths(facts),
    }


def _fact_widths(facts: Sequence[tuple[str, str]]) -> list[float]:
    """Widths of the columns that facts stand in: one row where they fit side by side, else fewer, equal columns."""
    widths = [max(fonts.measure(value, 10, True), fonts.measure(label, 8.5)) + 12 for label, value in facts]
    if facts and sum(widths) <= TEXT_WIDTH:
        return [round(width, 1) for width in widths]
    count = next((n for n in (3, 2) if max(widths, default=0) < TEXT_WIDTH / n), 1)
    return [1.0] * count


def _shortened(text: str, room: float) -> str:
    if fonts.measure(text, 8.5) <= room:
        return text
    while text and fonts.measure(text, 8.5) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return _EPOCH


def stated(status: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A status as the template draws it: word, shape and tone."""
    if status is None:
        return None
    return {"k": "status", "word": status["status"], "shape": status["shape"], "tone": status["tone"]}
