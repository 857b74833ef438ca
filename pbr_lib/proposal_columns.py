"""Which label fills which column of a table, once the cells have had their say; apart, because a label only promises,
and every later step of a proposal asks for what was settled here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pbr_lib import dialects, proposal_forms
from pbr_lib.cell_text import TextRules
from pbr_lib.dialects import Dialect, Match, label_key
from pbr_lib.proposal_facts import Asked, ColumnFacts, TableFacts
from pbr_lib.proposal_words import RowEvidence
from pbr_lib.schema import TABLES, ColumnSpec

__all__ = ["Settled", "asked_of", "evidence", "rules_of", "settle", "used_labels"]

_CODE = re.compile(r"[A-Z]{3}")
_WON = ("IsWon", "Is Won", "Won", "Gewonnen?", "is_won")
_CLOSED = ("IsClosed", "Is Closed", "Closed", "Geschlossen?", "is_closed")


@dataclass(frozen=True)
class Settled:
    """A table, as whose rows it is read, and which label fills which column of it after a look at the cells.

    ``first`` are columns that several labels fill together; ``refused`` say which label was passed over for its cells.
    """

    facts: TableFacts
    match: Match
    columns: dict[str, str]
    first: dict[str, tuple[str, ...]]
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def dialect(self) -> Dialect:
        """The dialect of the table."""
        return dialects.get(self.match.dialect)

    def label(self, name: str) -> str:
        """The label that fills a column; empty when none does."""
        if name in self.first:
            return self.first[name][0]
        return next((label for label, each in self.columns.items() if each == name), "")

    def holds(self, name: str) -> tuple[ColumnFacts, ...]:
        """What the labels that fill a column hold."""
        labels = self.first.get(name) or ((self.label(name),) if self.label(name) else ())
        return tuple(self.facts.columns[label] for label in labels)

    @property
    def filled(self) -> tuple[str, ...]:
        """The names of the columns that some label fills."""
        return tuple(dict.fromkeys([*self.columns.values(), *self.first]))

    def of_kind(self, *kinds: str) -> dict[str, tuple[ColumnSpec, Sequence[ColumnFacts]]]:
        """Those filled columns that are of some kind, with what they hold."""
        specs = [spec for spec in TABLES[self.match.table].mapped if spec.kind in kinds and spec.name in self.filled]
        return {spec.name: (spec, self.holds(spec.name)) for spec in specs}


def rules_of(name: str) -> TextRules:
    """How the ingest cleans text of a dialect."""
    dialect = dialects.get(name)
    return TextRules(nulls=dialect.nulls, entities=dialect.entities, apostrophe=dialect.apostrophe)


def asked_of(match: Match, labels: Sequence[str], repeated: frozenset[str]) -> Asked:
    """What is to be counted of a table beside its single columns: what rows say of their stage, and possible keys."""
    by_name = {name: label for label, name in match.columns.items() if label not in repeated}
    keys = {label_key(label): label for label in reversed(labels) if label not in repeated}
    watched: list[str] = []
    if match.table == "opportunities" and "stage" in by_name:
        roles = [by_name["stage"], _first(keys, _WON), _first(keys, _CLOSED), by_name.get("probability", "")]
        watched = list(dict.fromkeys(label for label in roles if label))
    flags = (by_name["close_date"],) if "close_date" in by_name and watched else ()
    if match.table == "attributions" and {"credit_type", "subject_id"} <= by_name.keys():
        watched, flags = [by_name["credit_type"]], (by_name["subject_id"],)
    key = by_name.get(TABLES[match.table].key)
    made = [by_name[name] for name in _key_parts(match.table) if name in by_name]
    candidates = [(key,)] if key else [tuple(made[:count]) for count in range(min(3, len(made)) or 1, len(made) + 1)]
    return Asked(tuple(watched), flags, tuple(candidates))


def _key_parts(table: str) -> tuple[str, ...]:
    """The columns that make a key where an export has none, the most telling first."""
    spec = TABLES[table]
    if table == "accounts":
        return ("name",)
    if table == "partners":
        return ("account_id", "name")
    names = (
        "name",
        "company",
        "email",
        "account_name",
        "created_at",
        "close_date",
        "amount",
        "owner",
        "product_family",
    )
    others = (column.name for column in spec.mapped if column.name not in names and column.name != spec.key)
    return (*names, *others)


def _first(keys: dict[str, str], labels: Sequence[str]) -> str:
    return next((keys[label_key(label)] for label in labels if label_key(label) in keys), "")


def settle(facts: TableFacts, match: Match) -> Settled:
    """Let the cells confirm which label fills which column: a "Closed" that holds yes and no is no closing day."""
    spec, dialect = TABLES[match.table], dialects.get(match.dialect)
    labels = [label for label in facts.labels if label not in facts.repeated]
    refused: set[tuple[str, str]] = set()
    columns = dict(match.columns)
    while True:
        wrong = {
            (label, name)
            for label, name in columns.items()
            if label in facts.repeated or not _fits(spec.column(name), facts.columns[label])
        }
        if not wrong:
            break
        refused |= wrong
        columns = dialects.columns_of(dialect, match.table, labels, frozenset(refused))
    first = _first_of(facts, match, columns, frozenset(refused))
    used = {label for several in first.values() for label in several}
    columns = {label: name for label, name in columns.items() if name not in first and label not in used}
    return Settled(facts, match, columns, first, tuple(sorted(refused)))


def _fits(column: ColumnSpec | None, facts: ColumnFacts) -> bool:
    if column is not None and column.name == "currency" and not all(map(_CODE.fullmatch, facts.counts)):
        return False
    return column is not None and not column.computed and proposal_forms.fits(column, facts)


def _first_of(
    facts: TableFacts, match: Match, columns: dict[str, str], refused: frozenset[tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    """Columns that several labels of this CRM fill together, such as the day won, else lost, else expected."""
    dialect, out = dialects.get(match.dialect), {}
    spec = TABLES[match.table]
    bare = {label_key(label): label for label in reversed(facts.labels)}
    for prefix in dialect.prefixes:
        shorter = (label for label in facts.labels if label.casefold().startswith(prefix.casefold()))
        bare |= {label_key(label[len(prefix) :]): label for label in shorter}
    for name, wanted in dialect.first_of(match.table).items():
        found = dict.fromkeys(bare[label_key(label)] for label in wanted if label_key(label) in bare)
        labels = tuple(
            label
            for label in found
            if label not in facts.repeated
            and (label, name) not in refused
            and columns.get(label, name) == name
            and _fits(spec.column(name), facts.columns[label])
        )
        if len(labels) > 1:
            out[name] = labels
    return out


def used_labels(settled: Settled) -> set[str]:
    """The labels that fill columns."""
    return {*settled.columns, *(label for labels in settled.first.values() for label in labels)}


def evidence(settled: Settled) -> RowEvidence | None:
    """What the rows say of their own stage."""
    asked = asked_of(settled.match, settled.facts.labels, settled.facts.repeated)
    if not asked.watched or asked.watched[0] != settled.label("stage"):
        return None
    keys = {label_key(label): label for label in reversed(settled.facts.labels)}
    roles = {_first(keys, _WON): "won", _first(keys, _CLOSED): "closed", settled.label("probability"): "probability"}
    return RowEvidence(("stage", *(roles.get(label, "") for label in asked.watched[1:])), settled.facts.together)
