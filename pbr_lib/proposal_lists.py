"""The partner list that credit needs, proposed from accounts that are partners or from the deals' own partner column;
apart, because it joins what several exports say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pbr_lib.dialects import GENERIC, get, label_key
from pbr_lib.mapping import Source
from pbr_lib.proposal_columns import Settled
from pbr_lib.proposal_draft import listed
from pbr_lib.proposal_partners import PartnerColumn, partner_kinds
from pbr_lib.proposal_text import Draft, Line, comment, scalar
from pbr_lib.proposal_words import ASK

__all__ = ["has_partners", "partner_list", "with_credit"]

_READING = ("file", "pick", "member", "sheet", "range", "header_row", "dialect", "as_of")
_TRUE = ("1", "true", "True", "TRUE", "yes", "Yes", "Ja", "ja")


def has_partners(drafts: Sequence[Draft], known: Mapping[str, Source]) -> bool:
    """Whether some mapping fills the partner list."""
    return any(draft.table == "partners" for draft in drafts) or any(one.table == "partners" for one in known.values())


def partner_list(
    draft: Draft, settled: Settled, partners: Sequence[PartnerColumn], unique: Callable[[str], str]
) -> tuple[Draft, ...]:
    """Mappings of the same file that fill the partner list; none where it names no partners.

    Accounts are asked for those that are partners; deals and leads for the names in their partner columns.
    """
    if draft.table == "accounts":
        return tuple(_of_accounts(draft, settled, unique))
    return tuple(_of_column(draft, settled, partner, unique) for partner in partners)


def with_credit(
    draft: Draft,
    settled: Settled,
    partners: Sequence[PartnerColumn],
    drafts: Sequence[Draft],
    known: Mapping[str, Source],
) -> None:
    """Add who is credited, found by what the partner list fills."""
    lists = [set(_filled(each)) for each in drafts if each.table == "partners"]
    lists += [{*one.filled, *(("partner_id",) if one.key else ())} for one in known.values() if one.table == "partners"]
    filled = {name for each in lists for name in each}
    if draft.partner_match and draft.partner_match not in filled and filled:
        draft.partner_match = _instead(draft.partner_match, filled)
    for partner in partners:
        match = partner.match if partner.match in filled or not filled else _instead(partner.match, filled)
        parts = [f"column: {scalar(partner.label)}", f"credit: {partner.credit}", f"match: {match}"]
        if partner.separator and partner.separator != ";":
            parts.append(f"separator: {scalar(partner.separator)}")
        if partner.split:
            parts.append(f"split: {scalar(partner.split)}")
        samples = comment(settled.facts.columns[partner.label].samples())
        draft.attribution.append(Line("", f"{{{', '.join(parts)}}}", samples or "empty"))
        if not partner.certain:
            draft.checks.append(
                f'"{comment((partner.label,))}" is taken to name partners who get {partner.credit} credit'
            )
    if (
        not partners
        and draft.table in ("opportunities", "leads")
        and "speaks of partners" not in " ".join(draft.checks)
    ):
        draft.notes.append("no column names partners; totals can be checked, but nobody is credited")


def _instead(match: str, filled: set[str]) -> str:
    order = ("account_id", "partner_id", "name", "domain") if match != "name" else ("name", "partner_id", "account_id")
    return next((each for each in order if each in filled), match)


def _filled(draft: Draft) -> Iterator[str]:
    yield from (line.value for line in draft.columns)
    if draft.key:
        yield "partner_id"


def _start(draft: Draft, settled: Settled, name: str) -> Draft:
    """A mapping of the same file for the partner list."""
    out = Draft(name, "partners")
    for line in draft.head:
        if line.label in _READING:
            out.head.append(line)
            if line.label == "as_of":
                out.head[-1] = _fresh(line, draft)
    out.head.insert(1, Line("table", "partners"))
    out.head.insert(2, Line("about", scalar(f"{settled.dialect.title}, partners")))
    out.newest = draft.newest
    out.head.append(Line("covers_from", "2000-01-01", "a list is complete whenever it is drawn"))
    out.where = list(draft.where)
    return out


def _fresh(line: Line, draft: Draft) -> Line:
    """The same freshness; a newest day only as the day itself, since the list has no such column."""
    if "newest" not in line.value:
        return line
    if draft.newest is None:
        return Line("as_of", ASK, "the last day that this export covers, e.g. 2026-09-30")
    return Line("as_of", draft.newest.isoformat(), "check: the newest day in the file; write that of each new export")


# ------------------------------------------------------------------------------------------- accounts


def _of_accounts(draft: Draft, settled: Settled, unique: Callable[[str], str]) -> Iterator[Draft]:
    chosen = _partner_rows(settled)
    identity, name = settled.label("account_id"), settled.label("name")
    if chosen is None or not name:
        return
    out = _start(draft, settled, unique(f"{draft.name}_partners"))
    label, words, count = chosen
    out.where.append(Line(label, f"[{', '.join(map(_quoted, words))}]", f"{count:,} rows"))
    wanted = {
        "name": "name",
        "account_id": "account_id",
        "region": "region",
        "domain": "domain",
        "owner": "partner_manager",
    }
    for line in draft.columns:
        if line.value in wanted:
            out.columns.append(Line(line.label, wanted[line.value]))
    out.key = (identity,) if identity else (name,)
    out.ignore = [*(one for one in draft.ignore if one.label != label)]
    out.ignore += [
        Line(one.label, "", one.remark) for one in draft.columns if one.value not in wanted and one.label != label
    ]
    out.checks.append(f'accounts whose "{comment((label,))}" is {listed(words)} are taken for partners')
    yield out


def _partner_rows(settled: Settled) -> tuple[str, tuple[str, ...], int] | None:
    """The column and the words in it by which accounts are partners."""
    flags = {
        label_key(label) for dialect in (settled.dialect, get(GENERIC)) for label in dialect.partner_labels["flags"]
    }
    for label in settled.facts.labels:
        counts = settled.facts.columns[label].counts
        words = tuple(word for word in counts if word in _TRUE)
        if label_key(label) in flags and words:
            return label, words, sum(counts[word] for word in words)
    label = settled.label("kind")
    words = partner_kinds(settled.facts, label, (settled.dialect,)) if label else ()
    counts = settled.facts.columns[label].counts if label else {}
    return (label, words, sum(counts[word] for word in words)) if words else None


# ------------------------------------------------------------------------------------------- deals


def _of_column(draft: Draft, settled: Settled, partner: PartnerColumn, unique: Callable[[str], str]) -> Draft:
    """The partner list as the deals themselves name it."""
    out = _start(draft, settled, unique(f"{draft.name}_partners"))
    samples = comment(settled.facts.columns[partner.label].samples())
    beside = _name_beside(settled, partner)
    if beside:
        out.columns.append(Line(partner.label, "account_id", samples))
        out.columns.append(Line(beside, "name", comment(settled.facts.columns[beside].samples())))
    else:
        out.columns.append(Line(partner.label, "name", samples))
    out.key, out.repeats = (partner.label,), True
    out.where.append(Line(partner.label, "{is_null: false}", ""))
    used = {partner.label, beside, *(one.label for one in out.where)}
    out.ignore = [Line(label, "") for label in dict.fromkeys(settled.facts.labels) if label not in used]
    out.checks.append(f'there is no list of partners, so each name in "{comment((partner.label,))}" becomes one')
    joint = [text for text in settled.facts.columns[partner.label].counts if (partner.separator or "\0") in text]
    if joint:
        label = scalar(partner.label)
        alone = f"{{not: {{{label}: {{contains: {_quoted(partner.separator)}}}}}}}"
        out.where[-1] = Line("all_of", f"[{{{label}: {{is_null: false}}}}, {alone}]")
        out.checks.append(f"{len(joint)} cells name several partners; who never stands alone is not in the list")
    return out


def _name_beside(settled: Settled, partner: PartnerColumn) -> str:
    """The label that names the partner whose id the column holds."""
    if partner.match not in ("account_id", "partner_id"):
        return ""
    stem = label_key(partner.label).removesuffix("id")
    for label in settled.facts.labels:
        key = label_key(label)
        if label != partner.label and key in (
            stem,
            f"{stem}name",
            stem.removesuffix("account"),
            "partnername",
            "partner",
        ):
            return label
    return ""


def _quoted(text: str) -> str:
    inner = scalar(text)
    return inner if inner.startswith('"') else f'"{inner}"'
