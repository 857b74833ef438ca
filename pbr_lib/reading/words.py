"""What reports print around their data, in the languages of the CRMs; apart, because it is a list to add to, not
logic.

A word is matched whole. Whether a cell that says "Total" makes its row a total depends on the rest of the row, since
a partner may be called so: :mod:`pbr_lib.reading.rows` decides that.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

__all__ = ["HINT", "is_count", "is_footer", "is_number", "number_in", "shape", "total_kind"]

TotalKind = Literal["subtotal", "total", "count", ""]

_SUBTOTALS = (
    "subtotal|subtotals|sub-total|sub total|zwischensumme|teilergebnis|sous-total|sous total|subtotale|parziale|"
    "subtotaal|delsumma|delsum|mellansumma|välisumma|suma częściowa|mezisoučet|medzisúčet|ara toplam|"
    "промежуточный итог|小計|小计|소계|subtotal parcial"
)
_TOTALS = (
    "total|totals|grand total|grand totals|grand summaries|overall total|report total|sum|sums|summe|summen|gesamt|"
    "gesamtsumme|gesamtergebnis|gesamtwert|insgesamt|somme|total général|total general|totaux|totaux généraux|totales|"
    "total geral|soma|totale|totale complessivo|totali|somma|suma|suma total|suma końcowa|razem|łącznie|totaal|"
    "eindtotaal|som|totalt|totalsumma|summa|i alt|sluttotal|yhteensä|loppusumma|celkem|celkový součet|spolu|toplam|"
    "genel toplam|итого|общий итог|всего|合計|総計|总计|合计|總計|합계|총계"
)
_COUNTS = (
    "count|record count|row count|records|total records|total rows|anzahl|anzahl datensätze|datensatzanzahl|nombre|"
    "nombre d'enregistrements|recuento|número de registros|conteo|contagem|contagem de registros|conteggio|aantal|"
    "antal|antall|lukumäärä|liczba|liczba rekordów|počet|sayı|kayıt sayısı|количество|число записей|件数|レコード数|"
    "记录计数|计数|記錄計數|개수|레코드 수|avg|average|durchschnitt|moyenne|promedio|média|media|minimum|maximum"
)
_FOOTERS = (
    r"copyright\b",
    r"(?:\(c\)|©)\s*(?:copyright|\d{4})",
    r".*\bsalesforce\.com,?\s*inc\b",
    r"confidential\b.*\b(?:distribut|information|disclos|shar)|do not distribute",
    r"vertrauliche information|vertraulich\b.*\bnicht|informations? confidentielles?|confidentiel\b.*\bne pas",
    r"información confidencial|confidencial\b.*\bno distribu|informações confidenciais|informazioni riservate",
    r"vertrouwelijke informatie|konfidentiell information|fortrolige? (?:informasjon|oplysninger)|luottamuksellis",
    r"poufne informacje|důvěrné informace|gizli bilgi|конфиденциальн|機密情報|机密信息|保密信息|機密資訊|기밀 정보",
    r"(?:report )?(?:(?:generated|exported) (?:by|on|at|from)\b|(?:created|run|printed) (?:by|on|at|from)\s*:)",
    r"(?:bericht )?(?:erstellt|generiert|exportiert) (?:von|am|durch)\b|(?:généré|créé|exporté)e? (?:par|le)\b",
    r"(?:generado|creado|exportado) (?:por|el)\b|(?:gerado|criado|exportado) (?:por|em)\b",
    r"(?:generato|creato|esportato) (?:da|il)\b|(?:gegenereerd|gemaakt|geëxporteerd) (?:door|op)\b",
    r"(?:skapad|genererad) (?:av|den)\b|作成者|生成者",
    r"(?:as of|stand|data as of|última actualización|date du rapport)\s*[:\d]",
    r"end of report\b|-+ *end *-+|filtered by\b|applied filters\b|no filters applied|page \d+ (?:of|/) \d+",
    r"\d+ (?:rows?|records?) (?:selected|exported|returned|total|in total|affected)\b",
)

_KINDS: dict[str, TotalKind] = {
    **dict.fromkeys(_TOTALS.split("|"), "total"),
    **dict.fromkeys(_COUNTS.split("|"), "count"),
    **dict.fromkeys(_SUBTOTALS.split("|"), "subtotal"),
}
_ANY = "|".join(re.escape(word) for word in sorted(_KINDS, key=len, reverse=True))
_COUNTED = r"\s*[:=(\[]?\s*(?P<count>\d[\d.,' \u00a0\u202f]*)[^\W\d_]*\s*[)\]]?"
# "Total", "Total:", "Grand Totals (5700 records)", "Sum of Amount".
_WHOLE = re.compile(rf"[\W_]*(?P<word>{_ANY})(?:\s+(?:of|von|de|du|di|van)\s+.{{1,60}}|{_COUNTED}|\s*[:=]?)", re.I)
# Excel's own subtotals: the value of the group, then the word.
_BEHIND = re.compile(r".{1,120}\s(?:total|count|sum|summe|ergebnis|anzahl|somme|suma|soma|totale|somma|totaal)", re.I)
# What RE2 can look for in a whole column at once: wider than the words and lines, never narrower.
HINT = (
    "(?i)"
    + _ANY.replace("\\ ", " ").replace("\\-", "-")
    + "|ergebnis|^\\W*(?:"
    + "|".join(_FOOTERS).replace("\\b", "")
    + ")"
)
_FOOTER = re.compile(rf"\W*(?:{'|'.join(_FOOTERS)})", re.I)
_NUMBER = re.compile(
    r"\s*[(\-+−]?\s*(?:[A-Z]{3}\s?|[A-Z]{0,2}[$€£¥₩₹₽]\s?)?[-−]?\d[\d.,'’ \u00a0\u202f]*(?:[eE][+-]?\d{1,3})?"
    r"\s*(?:%|[A-Z]{3}|[$€£¥₩₹₽]|zł|kr|[KkMm])?\)?\s*"
)
_COUNT = re.compile(r"\d{1,3}(?:[,. '\u00a0\u202f]?\d{3})*")


@lru_cache(maxsize=8192)
def total_kind(text: str) -> TotalKind:
    """What a cell says about its row: ``subtotal``, ``total`` or ``count``; empty when it is no such word."""
    short = text.strip()
    if not short or len(short) > 120:
        return ""
    whole = _WHOLE.fullmatch(short)
    if whole:
        kind = _KINDS[whole["word"].lower()]
        return "count" if kind == "total" and whole["count"] and short.endswith((")", "]")) else kind
    return "subtotal" if _BEHIND.fullmatch(short) else ""


@lru_cache(maxsize=8192)
def is_footer(text: str) -> bool:
    """Whether a report prints this text around its data."""
    return len(text) < 600 and bool(_FOOTER.match(text))


@lru_cache(maxsize=8192)
def is_number(text: str) -> bool:
    """Whether a text reads as an amount or another number, in whatever notation."""
    return len(text) <= 40 and bool(_NUMBER.fullmatch(text))


def is_count(text: str) -> bool:
    """Whether a text is a whole number as a count is written."""
    return len(text) <= 16 and bool(_COUNT.fullmatch(text.strip()))


def number_in(text: str) -> int | None:
    """The count that a text states: 5700 in ``Grand Totals (5,700 records)``; None when it states none."""
    found = re.search(r"\d[\d.,'\u00a0\u202f]*", text)
    if not found or not is_count(found[0].rstrip(".,")):
        return None
    return int(re.sub(r"\D", "", found[0]))


def shape(text: str) -> str:
    """How a text is built, letters and digits apart: ``L-17`` and ``L-4`` are alike; empty without a digit."""
    if not any(sign.isdigit() for sign in text):
        return ""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", text.strip()))
