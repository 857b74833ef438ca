"""One recognised table as a mapping in the making: which label fills which column, how its cells are read, what its
words mean, who is credited; apart, because all this follows from one table, and files and partner lists do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pbr_lib import dialects, proposal_forms
from pbr_lib.dialects import label_key
from pbr_lib.proposal_columns import Settled, evidence, used_labels
from pbr_lib.proposal_forms import Days, Figures
from pbr_lib.proposal_freshness import freshness, order_told
from pbr_lib.proposal_partners import PartnerColumn, partner_columns, partner_sources
from pbr_lib.proposal_text import Draft, Line, comment, scalar
from pbr_lib.proposal_words import ASK, meanings
from pbr_lib.schema import TABLES, ColumnSpec

__all__ = ["draft_of", "listed"]

_TRUE = ("1", "true", "True", "TRUE", "yes", "Yes", "Ja", "ja")
_THOUSANDS = (
    "t€",
    "teur",
    "tusd",
    "k€",
    "keur",
    "kusd",
    "k$",
    "in k",
    "in t",
    "thousand",
    "tausend",
    "tsd",
    "(k)",
    "000s",
    "'000",
)


# ------------------------------------------------------------------------------------------------ draft


def draft_of(settled: Settled, name: str, file: str, currency: str) -> tuple[Draft, tuple[PartnerColumn, ...]]:
    """The mapping of a table, and the columns in which it names partners."""
    draft = Draft(name, settled.match.table)
    draft.head = list(_head(settled, file))
    days, figures = _forms(settled)
    days_line = list(_days(draft, settled, days))
    draft.head += [*freshness(draft, settled, days, file), *days_line, *_figures(draft, settled, figures, currency)]
    _columns(draft, settled)
    _key(draft, settled)
    _deleted(draft, settled)
    _words(draft, settled)
    partners = _partners(draft, settled)
    used = used_labels(settled) | {one.label for one in draft.where} | {each.label for each in partners}
    used |= {each.split for each in partners} | set(draft.key)
    for label in dict.fromkeys(settled.facts.labels):
        if label not in used:
            samples = settled.facts.columns[label].samples()
            draft.ignore.append(Line(label, "", comment(samples) or "empty"))
    return draft, partners


def _head(settled: Settled, file: str) -> Iterator[Line]:
    facts, match = settled.facts, settled.match
    yield Line("file", scalar(file))
    for key in ("member", "sheet", "range"):
        if facts.facts.get(key):
            yield Line(key, scalar(facts.facts[key]))
    yield Line("table", match.table)
    yield Line("about", scalar(f"{settled.dialect.title}, {match.table.replace('_', ' ')}"))
    if match.dialect != dialects.GENERIC:
        yield Line("dialect", match.dialect)


def _forms(settled: Settled) -> tuple[Days, Figures]:
    days = proposal_forms.read_days(settled.of_kind("date", "timestamp"), order_told(settled.facts.remarks))
    hint = "," if settled.facts.facts.get("delimiter") == ";" else ""
    return days, proposal_forms.read_figures(settled.of_kind("money", "number", "integer"), hint)


def _columns(draft: Draft, settled: Settled) -> None:
    for label in settled.facts.labels:
        if label in settled.columns:
            samples = settled.facts.columns[label].samples()
            draft.columns.append(Line(label, settled.columns[label], comment(samples) or "empty"))
    draft.first_of = list(settled.first.items())
    for label, name in settled.refused:
        why = "stands there twice" if label in settled.facts.repeated else "does not hold what it needs"
        draft.checks.append(f'"{comment((label,))}" would be {name}, but {why}')
    spec = TABLES[draft.table]
    for column in spec.mapped:
        seen = settled.holds(column.name)
        blank = settled.facts.rows - max((each.filled for each in seen), default=settled.facts.rows)
        if column.required and blank:
            draft.checks.append(f"{blank:,} of {settled.facts.rows:,} rows have no {column.name}; they are set aside")
    have = {*settled.filled, *(line.label for line in draft.constants)}
    for column in spec.mapped:
        made = column.name == spec.key or (spec.name, column.name) == ("attributions", "share")
        if not column.required or column.name in have or made:
            continue
        if column.kind == "text":
            value, why = _constant_for(draft, column)
            draft.constants.append(Line(column.name, value, why))
        else:
            draft.columns.append(
                Line("(no such column)", column.name, "no label of the export fits: write the right one")
            )


def _constant_for(draft: Draft, column: ColumnSpec) -> tuple[str, str]:
    """What stands for a required column that the export lacks."""
    if (draft.table, column.name) == ("attributions", "subject_type"):
        return "opportunity", ""
    if (draft.table, column.name) == ("attributions", "credit_type"):
        draft.checks.append("no column says which credit is given; sourced is proposed")
        return "sourced", "check: no column says which credit is given"
    return (
        ASK,
        f"no column of the export says it: write one of {', '.join(column.values) or 'your words'}, or map a label",
    )


def _key(draft: Draft, settled: Settled) -> None:
    """The key of the table; one made of other columns where the export has none."""
    spec, facts = TABLES[draft.table], settled.facts
    label = settled.label(spec.key)
    if label:
        again = facts.repeats.get((label,), 0)
        if again:
            what = f'{again:,} of {facts.rows:,} rows have a "{comment((label,))}" that stood there before'
            draft.checks.append(f"{what}; only the first row of each is used")
        return
    if draft.table == "attributions":
        return
    good = [labels for labels, again in facts.repeats.items() if not again and set(labels) <= set(facts.labels)]
    candidates = sorted(facts.repeats, key=lambda labels: (facts.repeats[labels], len(labels)))
    chosen = good[0] if good else candidates[0] if candidates else ()
    if not chosen:
        return
    draft.key = chosen
    shown = " + ".join(comment((label,)) for label in chosen)
    draft.checks.append(f"no column holds an id; rows are told apart by {shown}")
    if facts.repeats[chosen]:
        draft.checks.append(f"{facts.repeats[chosen]:,} rows are alike in all of these; only the first of each is used")


def _deleted(draft: Draft, settled: Settled) -> None:
    """Leave out what the CRM itself has deleted, and partner rows that belong to no record."""
    subject = settled.label("subject_id")
    if draft.table == "attributions" and subject:
        draft.where.append(Line(subject, "{is_null: false}", "rows between two accounts belong to no record"))
    known = {label_key(label) for label in settled.dialect.deleted}
    for label in settled.facts.labels:
        column = settled.facts.columns[label]
        if label_key(label) not in known or not {text.casefold() for text in column.counts} <= {"0", "1", *_FLAGS}:
            continue
        words = tuple(text for text in column.counts if text in _TRUE) or ("1", "true", "TRUE")
        every = ", ".join(f'"{word}"' for word in words)
        gone = sum(column.counts.get(word, 0) for word in words)
        draft.where.append(Line(label, f"{{not_in: [{every}]}}", f"deleted records: {gone:,}"))
        if gone:
            whole = "all" if gone == settled.facts.rows else f"{gone:,} of {settled.facts.rows:,}"
            draft.checks.append(f'{whole} rows are marked as deleted in "{comment((label,))}" and are left out')
        return


_FLAGS = ("true", "false", "yes", "no", "ja", "nein")


def _words(draft: Draft, settled: Settled) -> None:
    """What the words of each text column mean."""
    spec, dialect = TABLES[draft.table], settled.dialect
    for column in spec.mapped:
        if column.kind != "text" or column.name not in settled.filled or column.refers:
            continue
        counts: dict[str, int] = {}
        for each in settled.holds(column.name):
            for word, count in each.counts.items():
                counts[word] = counts.get(word, 0) + count
        if (draft.table, column.name) == ("attributions", "credit_type"):
            # The mirror of a partner row names no record and says nothing of credit.
            counts = {key[0]: count for key, count in settled.facts.together.items() if key[0] and key[-1]} or counts
        rows = evidence(settled) if column.name == "stage" else None
        found = meanings(column, draft.table, counts, (dialect,), rows)
        if found:
            draft.values[column.name] = found
            unsure = [each.word for each in found if not each.certain and each.value != ASK]
            if unsure:
                draft.checks.append(f"{column.name}: what {listed(unsure)} means is a guess")
        elif dialect.values(draft.table, column.name) and len(counts) > 1:
            draft.notes.append(f"{column.name} holds {len(counts):,} different words and is not translated")


def listed(words: Sequence[str]) -> str:
    """Words of the export for a sentence: the first four, quoted, and how many more."""
    shown = ", ".join(f'"{comment((word,))}"' for word in words[:4])
    return shown + (f" and {len(words) - 4} more" if len(words) > 4 else "")


def _partners(draft: Draft, settled: Settled) -> tuple[PartnerColumn, ...]:
    """The columns that name partners, as entries of the mapping."""
    spec = TABLES[draft.table]
    if draft.table == "attributions" or (
        draft.table not in ("partners",) and spec.column("partner_id") and not spec.credited
    ):
        label = settled.label("partner_id")
        if label:
            column = settled.facts.columns[label]
            names = sum(" " in text.strip() or not any(map(str.isdigit, text)) for text in column.counts)
            draft.partner_match = "name" if names > len(column.counts) / 2 else "account_id"
            if draft.table != "attributions" and draft.partner_match == "account_id":
                draft.partner_match = "partner_id"
    if not spec.credited:
        return ()
    found = partner_columns(settled.facts, (settled.dialect,), tuple(used_labels(settled)))
    source = settled.label("source")
    if not found and source and (words := partner_sources(settled.facts, source)):
        told = ", ".join(f'"{comment((word,))}" ({count:,} rows)' for word, count in words[:3])
        draft.checks.append(f'"{comment((source,))}" speaks of partners, {told}, but no column names them')
    return found


# ------------------------------------------------------------------------------------------ days, numbers


def _days(draft: Draft, settled: Settled, days: Days) -> Iterator[Line]:
    specs = settled.of_kind("date", "timestamp")
    if days.options:
        labels = ", ".join(comment((settled.label(name),)) for name in days.unclear)
        yield Line("date_format", ASK, f"day and month of {labels} can be read both ways: write one of these two")
        every = [tuple(dict.fromkeys((*forms, *days.date))) for forms, _ in days.options]
        hints = [example for _, example in days.options]
        draft.options["date_format"] = tuple(
            f"date_format: {_texts(e)}   # {h}" for e, h in zip(every, hints, strict=True)
        )
    elif days.date:
        yield Line("date_format", _texts(days.date))
    if days.timestamp:
        yield Line("timestamp_format", _texts(days.timestamp))
    for name, forms in days.own.items():
        key = "date_format" if specs[name][0].kind == "date" else "timestamp_format"
        draft.formats.append(Line(name, f"{{{key}: {_texts(forms)}}}", "written unlike the other days of this export"))
    if days.own:
        draft.checks.append("days are written in two orders: " + ", ".join(days.own))
    draft.checks += [f"{name}: {listed(strays)} cannot be read as a day" for name, strays in days.unread.items()
                     if not days.options]  # fmt: skip
    draft.notes += days.notes
    if any("%y" in form for form in (*days.date, *days.timestamp)):
        draft.notes.append("years of two digits: 70 to 99 are 1970 to 1999, the others 2000 to 2069")
    if _in_utc(settled, days):
        yield Line("time_zone", "UTC", "times of this CRM's data files carry no zone and are UTC")


def _in_utc(settled: Settled, days: Days) -> bool:
    """Whether times without a zone come from a data file, which tells them in UTC, and not from a report."""
    label = settled.label("created_at")
    if settled.match.dialect not in ("salesforce", "hubspot") or not label or " " in label or not label.isascii():
        return False
    return not any("%z" in form for form in days.timestamp) and any("%H" in form for form in days.timestamp)


def _texts(forms: Sequence[str]) -> str:
    quoted = [f'"{form}"' for form in forms]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"


def _figures(draft: Draft, settled: Settled, figures: Figures, currency: str) -> Iterator[Line]:
    if not figures.decimal:
        yield Line(
            "decimal", ASK, f'write "." or ",": nothing tells decimals from thousands in {comment(figures.examples)}'
        )
    elif figures.decimal == ",":
        yield Line("decimal", '","')
    if figures.signs:
        meant = {"$": "USD", "¥": "JPY", "￥": "CNY", "Rs": "INR", "Rs.": "INR", "Fr.": "CHF", "Fr": "CHF"}
        pairs = ", ".join(f'"{sign}": {meant.get(sign, currency)}' for sign in figures.signs)
        yield Line("signs", f"{{{pairs}}}", "check: this sign stands for several currencies")
        draft.checks.append(f"{', '.join(figures.signs)} is taken for {pairs.split(': ')[-1]}")
    for name, sign in figures.own.items():
        draft.formats.append(Line(name, f'{{decimal: "{sign}"}}', "written unlike the other numbers of this export"))
    for name in figures.whole:
        draft.formats.append(Line(name, "{percent: whole}", "85 means 85 %"))
    for name in figures.unclear_shares:
        draft.formats.append(Line(name, "{percent: share}", "check: does 1 mean 100 % or 1 %?"))
    draft.checks += [f"{name}: {listed(strays)} cannot be read as a number" for name, strays in figures.unread.items()]
    _currency(draft, settled, figures, currency)


def _currency(draft: Draft, settled: Settled, figures: Figures, currency: str) -> None:
    spec = TABLES[draft.table]
    money = [name for name in settled.filled if (column := spec.column(name)) and column.kind == "money"]
    for name in money:
        if any(word in f" {settled.label(name).casefold()} " for word in _THOUSANDS):
            draft.checks.append(f'"{comment((settled.label(name),))}" seems to be in thousands: export it in units')
    column = spec.column("currency")
    if column is None or not money:
        return
    if settled.label("currency") or figures.signs or figures.currencies:
        return
    draft.constants.append(Line("currency", currency, "check: the export names no currency"))
    draft.checks.append(f"the export names no currency; {currency} is taken")
