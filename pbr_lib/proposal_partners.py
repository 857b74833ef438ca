"""Which columns of an export name partners, and what their cells hold; apart, because no CRM has a standard field for
it: labels, words within labels and the look of the cells decide together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pbr_lib.dialects import GENERIC, Dialect, get, label_key
from pbr_lib.guesses import guess_dates, guess_numbers, guess_separator
from pbr_lib.proposal_facts import ColumnFacts, TableFacts

__all__ = ["PartnerColumn", "partner_columns", "partner_kinds", "partner_sources"]

_NAMES = re.compile(
    r"partner|reseller|distributor|wiederverk|\bhandler|revend|rivendit|partenaire|apporteur|vermittler|\bsocio\b"
    r"|referred by|systemhaus"
)
_CREDITS = (
    ("resold", re.compile(r"resell|resold|distribut|wiederverk|handler|revend|rivendit|fulfil|dealer|systemhaus")),
    ("influenced", re.compile(r"influenc|beeinfl|co ?sell|technolog|assist|support|secondary|other")),
    ("delivered", re.compile(r"implement|deliver|servic|umsetz|integrat")),
)
# What a label says of a partner that is not the partner.
_ABOUT = re.compile(
    r"\b(?:type|typ|role|rolle|manager|betreuer|mail|email|tier|level|stufe|status|owner|inhaber|since|seit|date|datum"
    r"|contact|kontakt|phone|telefon|country|land|region|programme?|discount|rabatt|margin|marge|fee|notes?|comments?"
    r"|bemerkung|commission|provision|amount|betrag|revenue|umsatz|portal|reverse|is|has|ist|from|created|modified"
    r"|approved|rep|registration|path|number of|anzahl|count|flag|lead source|involved|kategorie|category)\b"
)
_ORDER = ("sourced", "influenced", "resold", "delivered")
_SPLIT = re.compile(r"\b(?:split|share|anteil|percent|percentage|prozent|quote|%)\b|%")
_SALESFORCE_ID = re.compile(r"[0-9a-zA-Z]{15}(?:[A-Z0-5]{3})?")
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z]{0,5}[-_#]?[0-9]+(?:[-_][0-9]+)*|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}")
_FLAGS = frozenset("0 1 true false yes no ja nein oui non x y n wahr falsch".split())  # noqa: SIM905
_PARTNER_WORD = re.compile(r"partner|reseller|wiederverk|distribut|partenaire|revend|socio")


@dataclass(frozen=True)
class PartnerColumn:
    """A column that names partners: the credit that it probably gives, what its cells hold, how they are parted."""

    label: str
    credit: str
    match: str
    separator: str = ""
    split: str = ""
    certain: bool = True


def partner_columns(facts: TableFacts, dialects: Sequence[Dialect], taken: Sequence[str]) -> tuple[PartnerColumn, ...]:
    """The columns that name partners, one for each credit, the likeliest first.

    ``taken`` are labels that a column of the table needs.
    """
    known = _known(dialects)
    found: list[tuple[int, PartnerColumn]] = []
    for place, label in enumerate(facts.labels):
        if label in taken or label in facts.repeated:
            continue
        column = _column(label, facts.columns[label], known, dialects)
        if column is not None:
            rank = known.get(_bare(label, dialects), ("", 99))[1]
            found.append((rank * 1000 + place, column))
    ordered = [column for _, column in sorted(found, key=lambda each: each[0])]
    chosen = sorted(_one_for_each_credit(ordered), key=lambda column: _ORDER.index(column.credit))
    return tuple(_with_split(column, facts) for column in chosen)


def _one_for_each_credit(columns: Sequence[PartnerColumn]) -> Iterator[PartnerColumn]:
    """An id and a name beside each other are one partner, and the id is the better witness."""
    credits: dict[str, list[PartnerColumn]] = {}
    for column in columns:
        credits.setdefault(column.credit, []).append(column)
    for credit, several in credits.items():
        ids = [column for column in several if column.match in ("account_id", "partner_id")]
        best = (ids or several)[0]
        yield best
        same_thing = {_stem(best.label)}
        for other in several:
            if other is not best and _stem(other.label) not in same_thing and credit == "sourced" and not ids:
                same_thing.add(_stem(other.label))
                yield replace(other, credit="influenced", certain=False)


def _stem(label: str) -> str:
    return re.sub(r"id|name|account|code|nummer|number|nr|no", "", label_key(label))


def _known(dialects: Sequence[Dialect]) -> dict[str, tuple[str, int]]:
    """For the labels that dialects list, the credit and how likely: the usual label first."""
    out: dict[str, tuple[str, int]] = {}
    for dialect in (*dialects, get(GENERIC)):
        for credit in ("sourced", "resold", "influenced", "delivered"):
            for rank, label in enumerate(dialect.partner_labels.get(credit, ())):
                out.setdefault(label_key(label), (credit, rank))
    return out


def _bare(label: str, dialects: Sequence[Dialect]) -> str:
    """The key of a label without what its CRM hangs on to it."""
    plain = re.sub(r"_+(?:pc|c)$", "", label, flags=re.IGNORECASE)
    for dialect in dialects:
        for prefix in dialect.prefixes:
            if plain.casefold().startswith(prefix.casefold()):
                plain = plain[len(prefix) :]
    return label_key(re.sub(r"^(?:new|cr[0-9a-z]{3,4}|msdyn)_", "", plain))


def _column(
    label: str, column: ColumnFacts, known: Mapping[str, tuple[str, int]], dialects: Sequence[Dialect]
) -> PartnerColumn | None:
    words = _words(label)
    listed = known.get(_bare(label, dialects))
    if listed is None and (not _NAMES.search(words) or _ABOUT.search(words) or _SPLIT.search(words)):
        return None
    texts = list(column.counts)
    if texts and not _may_name(texts):
        return None
    credit = listed[0] if listed else next((credit for credit, form in _CREDITS if form.search(words)), "sourced")
    match = _match(label, words, texts, any(dialect.salesforce_ids for dialect in dialects))
    separator = "" if match == "account_id" and not any(";" in text for text in texts) else guess_separator(texts)
    return PartnerColumn(label, credit, match, separator, certain=listed is not None)


def _may_name(texts: Sequence[str]) -> bool:
    """Whether cells may name somebody: not only yes and no, no days, no amounts."""
    if {text.casefold() for text in texts} <= _FLAGS:
        return False
    codes = sum(_CODE.fullmatch(text) is not None for text in texts) / len(texts)
    if guess_dates(texts).share > 0.8:
        return False
    return codes > 0.8 or guess_numbers(texts).share_numeric < 0.8


def _match(label: str, words: str, texts: Sequence[str], salesforce: bool) -> str:
    """What the cells hold: a CRM account id, a partner id, a domain or a name."""
    named_id = bool(re.search(r"\b(?:id|ids|nr|nummer|number|no|code|key|guid)\b", words))
    if not texts:
        return ("account_id" if salesforce else "partner_id") if named_id else "name"
    parts = [part.strip() for text in texts for part in re.split(r"[;,|]", text) if part.strip()]
    if salesforce and all(_SALESFORCE_ID.fullmatch(part) and part[:1].isdigit() for part in parts):
        return "account_id"
    if all(_DOMAIN.fullmatch(part) for part in parts):
        return "domain"
    codes = sum(_CODE.fullmatch(part) is not None for part in parts) / len(parts)
    if named_id or codes > 0.9:
        return "account_id" if "account" in words or "company" in words or "organi" in words else "partner_id"
    return "name"


def _with_split(column: PartnerColumn, facts: TableFacts) -> PartnerColumn:
    """The column with the percentages of its partners, where one stands beside it."""
    at = facts.labels.index(column.label)
    for label in facts.labels[at + 1 : at + 3]:
        words = _words(label)
        if _SPLIT.search(words) and (_NAMES.search(words) or at + 1 == facts.labels.index(label)):
            return replace(column, split=label)
    return column


def _words(label: str) -> str:
    """A label as lower-case words without accents: ``PrimaryPartnerAccountId`` is ``primary partner account id``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", label)
    plain = unicodedata.normalize("NFKD", spaced).casefold()
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(re.split(r"[^\w%]+|_+", letters)).strip()


# --------------------------------------------------------------------------------------------- accounts


def partner_kinds(facts: TableFacts, label: str, dialects: Sequence[Dialect]) -> tuple[str, ...]:
    """The words in a column of account kinds that mean a partner."""
    known = {label_key(kind) for dialect in (*dialects, get(GENERIC)) for kind in dialect.partner_kinds}
    words = facts.columns[label].counts
    return tuple(word for word in words if label_key(word) in known or _PARTNER_WORD.search(_words(word)))


def partner_sources(facts: TableFacts, label: str) -> tuple[tuple[str, int], ...]:
    """The words in a column of sources that speak of partners, with their rows."""
    words = facts.columns[label].counts
    return tuple((word, count) for word, count in words.items() if _PARTNER_WORD.search(_words(word)))
