"""What a mapping is: one export and how it becomes one normalised table, as frozen values; apart, because readers,
checks, proposals and the ingest all speak of mappings, and only ``params`` makes them.

A mapping guesses nothing: whatever an export leaves open (the order of day and month, what a stage means, which
column names the partner) is written down here once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from pbr_lib import addresses
from pbr_lib.definitions import AllOf, Day, Flag, Name, Spec, Text, Version, Where, Whole

__all__ = ["AsOf", "CoversFrom", "Credit", "FileName", "Formats", "Newest", "Oldest", "Source", "SqlSource", "Stamp"]


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[Text, ...], BeforeValidator(_several)]
Match = Literal["partner_id", "account_id", "name", "domain", "any"]


class Stamp(Spec):
    """A line of the export that holds ``find``, with a date in ``format``, says how fresh it is."""

    find: Text
    format: Text


class FileName(Spec):
    """The date in the file's name, in the format ``file_name``, says how fresh the export is."""

    file_name: Text


class Newest(Spec):
    """The newest day in the column ``newest`` of the table says how fresh the export is."""

    newest: Name


class Oldest(Spec):
    """The oldest day in the column ``oldest`` of the table says from when on the export covers."""

    oldest: Name


def _as_of_kind(value: Any) -> str:
    if not isinstance(value, Mapping):
        kinds = ((Stamp, "stamp"), (FileName, "file_name"), (Newest, "newest"))
        return next((kind for model, kind in kinds if isinstance(value, model)), "day")
    return next((kind for kind in ("newest", "file_name") if kind in value), "stamp")


AsOf = Annotated[
    Annotated[Day, Tag("day")]
    | Annotated[Stamp, Tag("stamp")]
    | Annotated[FileName, Tag("file_name")]
    | Annotated[Newest, Tag("newest")],
    Discriminator(_as_of_kind),
]
CoversFrom = Annotated[
    Annotated[Day, Tag("day")] | Annotated[Oldest, Tag("oldest")],
    Discriminator(lambda value: "oldest" if isinstance(value, Mapping | Oldest) else "day"),
]


class Credit(Spec):
    """A column that names credited partners, and which credit it gives.

    ``match`` says what the column holds: the partner's id, CRM account id, name or domain, or any of these.
    ``separator`` parts several partners in one cell, ``split`` names the column with their percentages. Where a
    column says which credit each row gives, ``credit_column`` names it and ``credits`` translates its words.
    """

    column: Text
    credit: Literal["sourced", "influenced", "resold", "delivered"] | None = None
    credit_column: str | None = None
    credits: dict[str, Literal["sourced", "influenced", "resold", "delivered", "none"]] = {}
    match: Match = "account_id"
    separator: str = ";"
    prefix: str = ""
    split: str | None = None
    claimed_at: str | None = None
    status: str | None = None
    statuses: dict[str, Literal["claimed", "confirmed", "disputed", "rejected"]] = {}
    evidence: str | None = None
    when: Where = AllOf()

    @model_validator(mode="after")
    def _one_way(self) -> Credit:
        if (self.credit is None) == (self.credit_column is None):
            raise ValueError('give exactly one of "credit" and "credit_column"; credit: sourced is the usual one')
        if self.credit_column is not None and not self.credits:
            raise ValueError('"credit_column" needs "credits"; add what each word means, e.g. {Reseller: resold}')
        if self.status is not None and not self.statuses:
            raise ValueError('"status" needs "statuses"; add what each of its words means, e.g. {Approved: confirmed}')
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the export that this entry reads."""
        named = (self.column, self.credit_column, self.split, self.claimed_at, self.status, self.evidence)
        return tuple(label for label in named if label)


class SqlSource(Spec):
    """A database as a source: its address, and the table or the query to read.

    The address stands in ``url``, or, where it holds a password, in the environment variable that ``url_from``
    names. Any SQLAlchemy address will do; those of DuckDB and SQLite need nothing installed.
    """

    url: str | None = None
    url_from: str | None = None
    table: str | None = None
    query: str | None = None

    @model_validator(mode="after")
    def _keys_fit(self) -> SqlSource:
        if (self.url is None) == (self.url_from is None):
            raise ValueError('give exactly one of "url" and "url_from"; url_from names an environment variable')
        if (self.table is None) == (self.query is None):
            raise ValueError('give exactly one of "table" and "query"; table: schema.name is the usual one')
        if self.url is not None and addresses.holds_secret(self.url):
            raise ValueError('"url" holds a password; put the address into the environment and name it in url_from')
        return self


class Formats(Spec):
    """How one column is read where it differs from the rest of the export."""

    date_format: Texts | None = None
    timestamp_format: Texts | None = None
    time_zone: str | None = None
    decimal: Literal[".", ","] | None = None
    percent: Literal["share", "whole"] | None = None


class Source(Spec):
    """One export and how it becomes one normalised table."""

    pbr: Version
    table: Text
    about: str = ""
    system: str = ""
    dialect: str = ""
    file: Text | None = None
    sql: SqlSource | None = None
    pick: Literal["newest", "all"] | None = None
    member: str = ""
    sheet: str | None = None
    range: str = ""
    header_row: Annotated[Whole, Field(ge=1)] | None = None
    grouped: Flag | None = None
    encoding: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    optional: Flag = False
    as_of: AsOf
    covers_from: CoversFrom
    date_format: Texts = ("%Y-%m-%d",)
    timestamp_format: Texts = ("%Y-%m-%d %H:%M:%S",)
    time_zone: str = ""
    epoch: Literal[1900, 1904] = 1900
    decimal: Literal[".", ","] = "."
    signs: dict[str, Annotated[str, Field(pattern=r"^[A-Z]{3}$")]] = {}
    nulls: tuple[str, ...] = ()
    formats: dict[Name, Formats] = {}
    columns: dict[Text, Name]
    first_of: dict[Name, Texts] = {}
    key: tuple[Text, ...] = ()
    repeats: Literal["told", "expected"] = "told"
    where: Where = AllOf()
    ignore: tuple[str, ...] = ()
    constants: dict[Name, Text] = {}
    values: dict[Name, dict[str, str]] = {}
    partner_match: Match = "partner_id"
    attribution: tuple[Credit, ...] = ()

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        if (self.file is None) == (self.sql is None):
            raise ValueError('give exactly one of "file" and "sql"; file: name.csv is the usual one')
        return self

    @property
    def origin(self) -> str:
        """The file, address or table that it reads, as messages call it."""
        if self.file is not None:
            return addresses.shown(self.file) if "://" in self.file else self.file
        sql = self.sql
        return "" if sql is None else f"{sql.url_from or addresses.shown(sql.url or '')} {sql.table or 'query'}"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the mapping reads, each once."""
        credits = [label for credit in self.attribution for label in credit.labels]
        first = [label for labels in self.first_of.values() for label in labels]
        return tuple(dict.fromkeys([*self.columns, *first, *self.key, *credits]))

    @property
    def filled(self) -> tuple[str, ...]:
        """The columns of the table that the export fills."""
        return tuple(dict.fromkeys([*self.columns.values(), *self.first_of]))
