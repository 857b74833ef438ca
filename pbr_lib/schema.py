"""The normalised tables: columns, types, keys, references; apart, because every room past the ingest speaks them.

Whatever a CRM calls its columns, past the ingest there are only these tables (:data:`TABLES`). Money is a decimal
of four places in the record's own currency, a share runs from 0 to 1, a timestamp is the clock of the business time
zone, and a day is a day and never shifted. *Computed* columns are made when tables are put together; no export
fills them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pbr_lib.schema_columns import BY_TABLE

__all__ = ["CREDIT_TYPES", "LINEAGE", "METHODS", "OPEN_STAGES", "STAGE_LABELS", "SUBJECTS", "TABLES", "ColumnSpec"]
__all__ += ["Kind", "TableSpec"]

Kind = Literal["text", "date", "timestamp", "money", "number", "integer", "bool"]

CREDIT_TYPES = ("sourced", "influenced", "resold", "delivered")
METHODS = ("field", "junction", "registration", "campaign", "service_link", "overlap", "manual")
OPEN_STAGES = ("open_early", "open_mid", "open_late")
_KINDS = {"text": "text", "date": "a day", "timestamp": "a time", "bool": "true or false", "money": "money"}
STAGE_LABELS = {
    "open_early": "Open, early",
    "open_mid": "Open, middle",
    "open_late": "Open, late",
    "won": "Won",
    "lost": "Lost",
}


@dataclass(frozen=True)
class ColumnSpec:
    """One column of a normalised table: its type, whether a row can live without it, what it means.

    ``values`` closes the list of what it may hold, ``refers`` names the ``table.column`` that it points to, and a
    ``computed`` column is filled by the workbook itself.
    """

    name: str
    kind: Kind
    doc: str
    required: bool = False
    values: tuple[str, ...] = ()
    refers: str = ""
    computed: bool = False

    @property
    def kind_text(self) -> str:
        """The type as people call it."""
        return _KINDS.get(self.kind, "a number")


@dataclass(frozen=True)
class TableSpec:
    """One normalised table: columns, primary key, and whether credit reaches it through attributions.

    ``home`` is ``export`` for tables that mappings fill, ``params`` for those that people write in ``params/``, and
    ``made`` for those that the workbook makes of the others.
    """

    name: str
    doc: str
    key: str
    columns: tuple[ColumnSpec, ...]
    singular: str
    credited: bool = False
    home: Literal["export", "params", "made"] = "export"

    def column(self, name: str) -> ColumnSpec | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def mapped(self) -> tuple[ColumnSpec, ...]:
        """The columns that an export can fill."""
        return tuple(column for column in self.columns if not column.computed)


LINEAGE = (
    ColumnSpec("src_system", "text", "the system that the row came from, as its mapping calls it", computed=True),
    ColumnSpec("src_id", "text", "the id as exported, where it differs from the key", computed=True),
    ColumnSpec("src_extract", "text", "the mapping that the row came through", computed=True),
    ColumnSpec("src_row", "integer", "the row's number in its export", computed=True),
)


def _column(line: tuple[str, ...]) -> ColumnSpec:
    name, kind, doc, *more = line
    flags = {flag.partition(":")[0]: flag.partition(":")[2] for flag in more}
    return ColumnSpec(
        name,
        kind,  # type: ignore[arg-type]
        doc,
        "required" in flags,
        tuple(flags["values"].split()) if "values" in flags else (),
        flags.get("refers", ""),
        "computed" in flags,
    )


def _table(name: str, singular: str, doc: str, credited: bool = False, home: str = "export") -> TableSpec:
    columns = tuple(map(_column, BY_TABLE[name]))
    lineage = LINEAGE if home == "export" else ()
    return TableSpec(name, doc, columns[0].name, (*columns, *lineage), singular, credited, home)  # type: ignore[arg-type]


TABLES: dict[str, TableSpec] = {
    table.name: table
    for table in (
        _table("partners", "partner", "The partners of the programme: a kind of account of its own, never a tag."),
        _table("partnerships", "partnership", "The relation with a partner; one partner may have several."),
        _table("tier_history", "tier", "Which tier a partner held, and when."),
        _table("accounts", "account", "End customers and prospects, and the accounts of partners."),
        _table("contacts", "contact", "People at accounts and partners."),
        _table("users", "user", "Our own people."),
        _table("leads", "lead", "Leads; credit comes from attributions.", credited=True),
        _table(
            "opportunities",
            "opportunity",
            "Opportunities with amount, stage and dates; credit comes from attributions.",
            credited=True,
        ),
        _table("opportunity_history", "change", "What changed on an opportunity, and when."),
        _table("opportunity_lines", "line", "The products of an opportunity."),
        _table(
            "attributions", "attribution", "Who is credited for what: one row per record, partner and type of credit."
        ),
        _table("attribution_events", "event", "What a partner did for a record: the evidence behind credit."),
        _table("registrations", "registration", "Deal registrations."),
        _table("campaigns", "campaign", "Campaigns of ours and joint ones."),
        _table("campaign_partners", "campaign partner", "Which partner takes part in which campaign."),
        _table("campaign_members", "campaign member", "Who was reached by a campaign."),
        _table("certifications", "certification", "Credentials that people of a partner hold."),
        _table("trainings", "training", "Courses that people of a partner finished."),
        _table("mdf_allocations", "allocation", "Market development funds set aside for a partner."),
        _table("mdf_claims", "claim", "Market development funds asked for, approved, claimed and paid."),
        _table(
            "subscription_movements",
            "movement",
            "What changed in a customer's recurring revenue; credit comes from service links.",
            credited=True,
        ),
        _table("service_links", "service link", "Which partner sold to, serves or set up which customer."),
        _table("surveys", "survey response", "Answers of customers and partners to surveys."),
        _table("activities", "activity", "Meetings, calls and other joint work."),
        _table("actions", "action", "What each side promised to do (params/actions.csv).", home="params"),
        _table("targets", "target", "The agreed targets (params/goals/).", home="params"),
        _table("manual_facts", "fact", "Figures that people entered, always shown as such.", home="params"),
    )
}

SUBJECTS: dict[str, TableSpec] = {table.singular: table for table in TABLES.values() if table.credited}
"""The tables that carry credit, by what an attribution calls their rows."""
