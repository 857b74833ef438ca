"""What the words of a goal give away: placeholders, vague wishes, numbers and currencies in a name; apart, because
these lists belong to languages and not to rules.

English, German, French, Spanish and Japanese are known. Text is compared after Unicode normalisation, so that wide
digits and capitals make no difference, and nothing is ever evaluated.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache

__all__ = ["foreign_money", "hidden_numbers", "is_placeholder", "plain", "vague"]

_NOBODY = """
    tbd tba tbc tbf todo n/a na n.a n.a. none null nil nobody noone unknown unassigned undefined open pending
    someone somebody anyone anybody everyone everybody all both xxx xx x abc test dummy
    offen unbekannt keiner keine kein niemand jemand irgendwer alle beide k.a k.a. entfällt
    inconnu inconnue aucun aucune personne quelqu'un tous s/o n/d nd
    pendiente ninguno ninguna nadie alguien desconocido desconocida todos n/c s/d
    未定 未記入 未設定 なし 無し 無 不明 該当なし 担当者未定 担当未定 要確認 調整中
"""
_PLACEHOLDERS = frozenset(_NOBODY.split()) | {
    "to be defined",
    "to be decided",
    "to be determined",
    "to be named",
    "to be agreed",
    "to be confirmed",
    "not known",
    "not applicable",
    "not assigned",
    "no one",
    "noch offen",
    "noch zu klären",
    "wird noch benannt",
    "zu benennen",
    "nicht bekannt",
    "à définir",
    "à déterminer",
    "à confirmer",
    "non défini",
    "sans objet",
    "por definir",
    "por determinar",
    "por confirmar",
    "sin asignar",
    "no aplica",
}

_VAGUE = tuple(
    """
    as much as possible|as many as possible|do your best|best effort|better|improve|improvement|increase|grow|growth
    more|enhance|optimize|optimise|boost|strengthen|accelerate|maximise|maximize|support|help|various|several|some|etc
    so viel wie möglich|so viele wie möglich|besser|verbessern|verbesserung|steigern|steigerung|erhöhen|mehr|ausbauen
    stärken|optimieren|unterstützen|diverse|einige|möglichst|usw
    autant que possible|mieux|améliorer|amélioration|augmenter|développer|davantage|plus de|renforcer|optimiser
    accélérer|soutenir|divers|quelques
    tanto como sea posible|mejor|mejorar|mejora|aumentar|crecer|incrementar|más|fortalecer|optimizar|acelerar|apoyar
    varios|algunos
    """.replace("\n", "|").split("|")
)
_VAGUE_WORDS = re.compile(r"\b(?:" + "|".join(re.escape(word.strip()) for word in _VAGUE if word.strip()) + r")\b")
_VAGUE_JA = re.compile("できるだけ|なるべく|可能な限り|向上|改善|強化|拡大|増やす|増加|促進|頑張")

# Left out: words that mean something else in another of the languages (once, dos, elf, neuf, sept).
_NUMBER_WORDS: dict[str, int] = {
    word: value
    for words in (
        "two three four five six seven eight nine ten eleven twelve",
        "zwei drei vier fünf sechs sieben acht neun zehn - zwölf",
        "deux trois quatre cinq six - huit - dix onze douze",
        "- tres cuatro cinco seis siete ocho nueve diez - doce",
    )
    for value, word in enumerate(words.split(), 2)
    if word != "-"
}
_NUMBER_WORDS |= {"fifteen": 15, "twenty": 20, "fünfzehn": 15, "zwanzig": 20, "quinze": 15, "vingt": 20}
_NUMBER_WORDS |= {"quince": 15, "veinte": 20, "thirty": 30, "fifty": 50, "hundred": 100, "dreissig": 30, "hundert": 100}
_WORD_NUMBER = re.compile(r"\b(" + "|".join(_NUMBER_WORDS) + r")\b(?P<after>[ \-]*\w*)")
_KANJI = {sign: value for value, sign in enumerate("一二三四五六七八九十", 1)}
_KANJI_NUMBER = re.compile("([一二三四五六七八九十])(?=[件社名人回個本つ])")

_NUMBER = re.compile(
    r"(?<![0-9a-zß-ÿ_.,/])(?P<digits>\d{1,3}(?:[ .,'’]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
    r"(?P<scale>\s?(?:k|m|mio|mn|million|millions|millionen|万|億)(?!\w))?(?P<percent>\s?%)?(?P<after>[ \-]*\w*)"
)
_SCALES = {"k": 10**3, "万": 10**4, "億": 10**8}
_TIME = re.compile(
    r"[ \-]*(?:day|week|month|quarter|year|hour|minute|tag|woche|monat|quartal|jahr|stunde|jour|semaine|mois"
    r"|trimestre|an\b|ans\b|année|heure|d[ií]a|semana|mes\b|meses|año|hora|日|週|ヶ月|か月|カ月|月|年|四半期|時間"
    r"|working|business|arbeits|werk)"
)
_TIED = re.compile(r"-[^\W\d]")
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "円": "JPY"}
_CODES = "USD|EUR|GBP|JPY|CHF|CAD|AUD|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|SGD|HKD|NZD|KRW|TRY|AED"
_CODE = re.compile(rf"\b({_CODES})\b")
# One sign stands for the money of several countries.
_SHARED = {
    "$": frozenset(("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "BRL")),
    "¥": frozenset(("JPY", "CNY")),
    "£": frozenset(("GBP",)),
}
_PLACES = re.compile(r"\{[a-z_]*\}")


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """The text as it is compared: normalised, without capitals, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@lru_cache(maxsize=4096)
def is_placeholder(text: str) -> bool:
    """Whether a text names nobody: empty, only signs, ``tbd``, ``n/a``, ``noch offen``, ``à définir``, ``未定``."""
    bare = plain(text).strip(" .,;:!?-–—_*/()[]<>#…。、？！ー")
    return not bare or bare in _PLACEHOLDERS or plain(text) in _PLACEHOLDERS


@lru_cache(maxsize=1024)
def vague(text: str) -> str:
    """The word that makes a name a wish, or the whole name where it is a placeholder; empty when it is neither.

    A name that holds ``{target}`` or a number says how much, so *4.5 or better* is not vague.
    """
    if is_placeholder(text):
        return text.strip() or "nothing"
    bare = plain(text)
    if "{target}" in bare or hidden_numbers(text):
        return ""
    hit = _VAGUE_WORDS.search(bare) or _VAGUE_JA.search(bare)
    return hit[0] if hit else ""


@lru_cache(maxsize=4096)
def hidden_numbers(text: str, days: bool = False) -> tuple[tuple[str, tuple[Decimal, ...]], ...]:
    """Numbers in a name, each as it is written with what it may mean: ``10.000`` is ten thousand or ten.

    Parts of words (Q3, FY26), years, and spans of time (12-month, 30 days) are no targets; the last are when the
    metric counts ``days``. Written words from two on count too.
    """
    bare = _PLACES.sub(" ", plain(text))
    out: list[tuple[int, str, tuple[Decimal, ...]]] = []
    for hit in _NUMBER.finditer(bare):
        digits, after = hit["digits"], hit["after"]
        # "3-tier" and "2x" are words, while Japanese writes its counters without a space.
        glued = after.isascii() and not hit["percent"] and (after[:1].isalnum() or _TIED.match(after))
        year = len(digits) == 4 and digits.isdigit() and digits[:2] in ("19", "20") and not hit["scale"]
        if glued or year or (_TIME.match(after) and not days):
            continue
        shown = (digits + (hit["scale"] or "") + (hit["percent"] or "")).strip()
        out.append((hit.start(), shown, _readings(digits, (hit["scale"] or "").strip(), bool(hit["percent"]))))
    for hit in _WORD_NUMBER.finditer(bare):
        if not _TIED.match(hit["after"]) and (days or not _TIME.match(hit["after"])):
            out.append((hit.start(), hit[1], (Decimal(_NUMBER_WORDS[hit[1]]),)))
    out += [(hit.start(), hit[1], (Decimal(_KANJI[hit[1]]),)) for hit in _KANJI_NUMBER.finditer(bare)]
    return tuple((shown, readings) for _, shown, readings in sorted(out))


def foreign_money(text: str, currency: str) -> str:
    """A currency sign or code in a name that is not the metric's (``currency`` empty: of no money); else empty."""
    normal = unicodedata.normalize("NFKC", text)
    for sign, code in _SIGNS.items():
        if sign in normal and currency not in _SHARED.get(sign, frozenset((code,))):
            return sign
    hit = next((hit for hit in _CODE.finditer(normal) if hit[1] != currency), None)
    return hit[1] if hit else ""


def _readings(digits: str, scale: str, percent: bool) -> tuple[Decimal, ...]:
    """Every number that the digits may stand for, in one country or another."""
    bare = re.sub("[ '’]", "", digits)
    texts = {bare.replace(",", ""), bare.replace(".", "").replace(",", "."), bare.replace(",", ".")}
    times = _SCALES.get(scale, 10**6 if scale else 1)
    values = set()
    for text in texts:
        try:
            value = Decimal(text) * times
        except InvalidOperation:
            continue
        values |= {value, value / 100} if percent else {value}
    return tuple(sorted(values))
