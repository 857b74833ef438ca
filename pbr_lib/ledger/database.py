"""Where issued packs are kept with their frozen figures and records; apart, because this is the one place where
something is written that is never made again, and the one door to the ledger's database.

SQLite by default, PostgreSQL by address. Rows are only ever added: the code holds no other statement, and triggers
refuse any. Every writing happens in one transaction and by one writer at a time, so a quarter is there whole or not
at all. Numbers are text, since SQLite knows no decimals.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from pbr_lib.addresses import shown, without_secrets
from pbr_lib.errors import InputError, SourceError
from pbr_lib.ledger import shapes
from pbr_lib.ledger.frozen import Draft, Evidence, Issued, Receipt, Results, Run, State

__all__ = ["Ledger", "exists", "open_ledger", "place"]

VERSION = 1
_WAIT = 30  # seconds that a writer waits for another to finish
_BATCH = 250  # packs written at once
_IN = 500  # ids asked for at once
_LOCK = 7_262_151_026  # any number, the same for every release: writers of one PostgreSQL database wait for it

# ------------------------------------------------------------------------------------------------ tables

_META = sa.MetaData()


def _texts(*names: str, key: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text, nullable=False, primary_key=key) for name in names]


def _noted() -> sa.Column[Any]:
    """When a row was written, by the database's own clock; for people who search, and shown in no pack."""
    return sa.Column("recorded_at", sa.Text, server_default=sa.cast(sa.func.current_timestamp(), sa.Text))


def _of(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.{column}"])


_schema = sa.Table("ledger_schema", _META, sa.Column("version", sa.Integer, primary_key=True), _noted())
_run = sa.Table(
    "run",
    _META,
    *_texts("run_id", key=True),
    *_texts("quarter", "as_of", "known_at", "config_hash", "params_hash", "code_version", "fx_hash"),
    *_texts("calendar", "extracts"),
    _noted(),
)
_pack = sa.Table(
    "pack",
    _META,
    *_texts("pack_id", key=True),
    *_texts("run_id", "partner_id", "quarter", "edition"),
    sa.Column("number", sa.Integer, nullable=False),
    *_texts("status", "supersedes", "reason_code", "reason", "sha256"),
    sa.Column("slice", sa.LargeBinary, nullable=False),
    *_texts("slice_sha256"),
    _noted(),
    _of("run", "run_id"),
    sa.UniqueConstraint("quarter", "partner_id", "number"),
)
_definition = sa.Table("definition", _META, *_texts("definition_hash", key=True), *_texts("metric", "words"))
_result = sa.Table(
    "result",
    _META,
    *_texts("pack_id", "goal", key=True),
    *_texts("metric", "partner_id", "period_id", "state"),
    *[sa.Column(name, sa.Text) for name in ("actual", "attained", "in_progress")],
    *_texts("target", "standing"),
    sa.Column("n_records", sa.Integer, nullable=False),
    *_texts("definition_hash", "unit", "aggregate", "reason"),
    _of("pack", "pack_id"),
    sqlite_with_rowid=False,
)
_evidence = sa.Table(
    "evidence",
    _META,
    *_texts("pack_id", "goal", "role", "table_name", "record_id", key=True),
    *[sa.Column(name, sa.Text) for name in ("counts", "day", "amount")],
    *_texts("currency"),
    sa.Column("share", sa.Text),
    _of("pack", "pack_id"),
    sqlite_with_rowid=False,
)
_closed = sa.Table(
    "closed_quarter", _META, *_texts("quarter", key=True), *_texts("as_of", "run_id"), _of("run", "run_id")
)

_ISSUED = sa.select(*(column for column in _pack.c if column.name != "slice"), _run.c.known_at).join(_run)


def _create(connection: sa.Connection) -> None:
    _META.create_all(connection)
    for name in _META.tables:
        for statement in shapes.guards(name, connection.dialect.name == "sqlite"):
            connection.exec_driver_sql(statement)


# What brings a ledger of one version to the next; a step only adds tables and columns.
_STEPS: dict[int, Any] = {0: _create}


# ------------------------------------------------------------------------------------------------ opening


def place(address: str, output: Path) -> str:
    """The ledger's full address: what the workbook says, or ``ledger.sqlite`` in the output folder.

    A path counts from the output folder; anything with ``://`` is an address and stays as it is.
    """
    if "://" in address:
        return address
    return str(output / (address or "ledger.sqlite"))


def exists(address: str | Path) -> bool:
    """Whether a ledger is there; nothing is made.

    Raises
    ------
    SourceError
        When a server does not answer.
    """
    path = _file(str(address))
    if path is not None:
        return path.is_file() and path.stat().st_size > 0
    engine = _engine(str(address))
    try:
        with _spoken(str(address)):
            return bool(sa.inspect(engine).has_table("ledger_schema"))
    finally:
        engine.dispose()


def open_ledger(address: str | Path, *, create: bool = True) -> Ledger:
    """Open a ledger, and make it where there is none yet.

    Parameters
    ----------
    address:
        A path, ``sqlite:///path``, or an address such as ``postgresql://user:password@host/name``.
    create:
        False refuses where there is no ledger, instead of making an empty one.

    Raises
    ------
    SourceError
        When there is none and none is to be made, when it cannot be opened, or when a newer release wrote it.
    InputError
        When the library for this kind of database is missing.
    """
    text = str(address)
    if not create and not exists(text):
        fix = "close a quarter first, or correct ledger: under close: in params/workbook.yaml"
        raise SourceError("there is no ledger", shown(text), fix)
    path = _file(text)
    if path is not None:
        with _spoken(text):
            path.parent.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(text, _engine(text))
    with _spoken(text):
        ledger._upgrade()
    return ledger


def _file(address: str) -> Path | None:
    """The file of a SQLite ledger; None of any other."""
    scheme, sep, rest = address.partition("://")
    if not sep:
        return Path(address)
    return Path(rest.removeprefix("/")) if scheme.lower().startswith("sqlite") else None


def _engine(address: str) -> sa.Engine:
    path = _file(address)
    kind: dict[str, Any] = {"poolclass": sa.pool.NullPool, "hide_parameters": True}
    if path is not None:
        url = sa.URL.create("sqlite+pysqlite", database=str(path))
        engine = sa.create_engine(url, connect_args={"timeout": _WAIT}, **kind)
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)
        return engine
    scheme, _, rest = address.partition("://")
    if scheme.lower() not in ("postgres", "postgresql", "postgresql+psycopg"):
        fix = "write a path, or an address that begins with postgresql://"
        raise SourceError("a ledger is kept in SQLite or PostgreSQL", shown(address), fix)
    wait = {} if "connect_timeout" in address else {"connect_timeout": _WAIT}
    try:
        return sa.create_engine(f"postgresql+psycopg://{rest}", connect_args=wait, **kind)
    except ImportError:
        fix = 'pip install "pbr-workbook[sql]"'
        raise InputError("a ledger in PostgreSQL needs psycopg", shown(address), fix) from None
    except (sa.exc.ArgumentError, ValueError):
        fix = "write it like postgresql://user:password@host:5432/name"
        raise SourceError("this is no address of a database", shown(address), fix) from None


def _prepare(raw: Any, _: Any) -> None:
    """Transactions begin where we say so, and a row can be replaced no more than it can be changed."""
    raw.isolation_level = None
    for pragma in ("foreign_keys = ON", "recursive_triggers = ON", "synchronous = FULL"):
        raw.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    """A writer takes the lock before it reads, so that what it read still holds when it writes."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _spoken(address: str) -> Iterator[None]:
    """Whatever a driver raises as one error of ours, without the secrets of the address."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, OSError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = re.sub(r"^\([\w.]+\)\s*", "", lines[0]) if lines else type(error).__name__
        fix = "check ledger: under close: in params/workbook.yaml, and that this machine reaches and may write it"
        if "locked" in said or "lock timeout" in said:
            fix = "another process writes it: wait until it is done, and try again"
        what = f"the ledger says: {without_secrets(said, address)}"
        raise SourceError(what, shown(address), fix) from None


# ------------------------------------------------------------------------------------------------ the ledger


class Ledger:
    """Issued packs with their figures and records; use it as a context manager.

    Every method raises :class:`SourceError` when the database fails.
    """

    def __init__(self, address: str, engine: sa.Engine) -> None:
        self.address = address
        self._engine = engine

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def quarters(self) -> tuple[str, ...]:
        """Every quarter of which a pack was issued, closed or not."""
        return tuple(sorted(row[0] for row in self._read(sa.select(_pack.c.quarter).distinct())))

    def closed(self) -> dict[str, dt.date]:
        """The closed quarters, each with the business day of its figures."""
        rows = self._read(sa.select(_closed.c.quarter, _closed.c.as_of))
        return dict(sorted((quarter, dt.date.fromisoformat(as_of)) for quarter, as_of in rows))

    def packs(self, quarter: str, partner_id: str = "") -> tuple[Issued, ...]:
        """Every pack ever issued of a quarter, of all partners or one: by partner, oldest first."""
        query = _ISSUED.where(_pack.c.quarter == quarter)
        if partner_id:
            query = query.where(_pack.c.partner_id == partner_id)
        rows = sorted(self._read(query), key=lambda row: (row.partner_id, row.number))
        return tuple(shapes.to_issued(row._mapping) for row in rows)

    def issued(
        self, quarter: str, *, edition: str = "partner", known_by: dt.date | None = None, final: bool = False
    ) -> dict[str, Issued]:
        """The pack of each partner that stands: the newest one, or the newest whose data were known by a day."""
        return {
            pack.partner_id: pack
            for pack in self.packs(quarter)
            if pack.edition == edition
            and (known_by is None or pack.known_at <= known_by)
            and (pack.status == "final" or not final)
        }

    def run(self, run_id: str) -> Run:
        """What the figures of a run were made from."""
        found = self._read(sa.select(_run).where(_run.c.run_id == run_id))
        if not found:
            raise SourceError(f'the ledger holds no run "{run_id}"', shown(self.address), "take an id from a pack")
        return shapes.to_run(found[0]._mapping)

    def issued_results(self, quarters: Iterable[str], *, edition: str = "partner") -> Results:
        """The figures of the newest final pack of each partner and quarter, as columns."""
        wanted = (_pack.c.quarter.in_(list(quarters)), _pack.c.edition == edition, _pack.c.status == "final")
        newest = sa.select(_pack.c.quarter, _pack.c.partner_id, sa.func.max(_pack.c.number).label("number"))
        top = newest.where(*wanted).group_by(_pack.c.quarter, _pack.c.partner_id).subquery()
        one = sa.and_(*(top.c[name] == _pack.c[name] for name in ("quarter", "partner_id", "number")))
        names = "partner_id goal metric state actual attained target standing n_records definition_hash pack_id"
        columns = [_result.c.period_id, *(_result.c[name] for name in names.split())]
        query = sa.select(*columns).join(_pack, _pack.c.pack_id == _result.c.pack_id).join(top, one)
        rows = sorted((tuple(row) for row in self._read(query)), key=lambda row: row[:3])
        data = [tuple(column) for column in zip(*rows, strict=True)] or [()] * len(columns)
        return shapes.to_results(data)

    def states(self, pack_ids: Iterable[str]) -> dict[str, tuple[State, ...]]:
        """The figures of packs, by goal."""
        words = sa.select(_result, _definition.c.words).join(
            _definition, _definition.c.definition_hash == _result.c.definition_hash, isouter=True
        )
        out: dict[str, list[State]] = defaultdict(list)
        for row in self._of_packs(words, _result, pack_ids):
            out[row.pack_id].append(shapes.to_state(row._mapping))
        return {pack: tuple(sorted(rows, key=lambda row: row.goal)) for pack, rows in sorted(out.items())}

    def evidence(self, pack_ids: Iterable[str]) -> dict[str, tuple[Evidence, ...]]:
        """The records behind the figures of packs, by goal, role, table and id."""
        out: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for row in self._of_packs(sa.select(_evidence), _evidence, pack_ids):
            out[row[0]].append(tuple(row[1:]))
        return {pack: shapes.to_evidence(rows) for pack, rows in sorted(out.items())}

    def slice(self, pack_id: str) -> bytes:
        """The JSON that a pack was made from, byte for byte; refused when it is not what was written."""
        rows = self._read(sa.select(_pack.c.slice, _pack.c.slice_sha256).where(_pack.c.pack_id == pack_id))
        if not rows:
            raise SourceError(f'the ledger holds no pack "{pack_id}"', shown(self.address), "take an id from a pack")
        data = shapes.unpacked(rows[0].slice, rows[0].slice_sha256)
        if data is None:
            fix = "restore the ledger from a backup"
            raise SourceError(f"what was kept of {pack_id} is damaged", shown(self.address), fix)
        return data

    def record(self, run: Run, drafts: Iterable[Draft]) -> tuple[Issued, ...]:
        """Issue packs, all or none; one that equals the newest of its partner is not issued again.

        Raises
        ------
        InputError
            When a final pack would be replaced without a reason.
        """
        with self._writing() as connection:
            return tuple(_Writer(connection, run).write(drafts))

    def record_close(self, run: Run, drafts: Iterable[Draft], *, whole: bool = True) -> Receipt:
        """Freeze a quarter: all packs and the mark that it is closed, or nothing at all.

        Partners whose final pack is there keep it. ``drafts`` may be a generator: it is asked within the transaction,
        and not at all when the quarter is closed already. ``whole`` is False for some partners only; the quarter then
        stays open for the others.
        """
        with self._writing() as connection:
            writer = _Writer(connection, run)
            final = writer.final()
            mark = sa.select(_closed.c.quarter).where(_closed.c.quarter == run.quarter)
            if connection.execute(mark).first() is not None:
                return Receipt(run.quarter, (), tuple(sorted(final)), True, True)
            kept: list[str] = []
            written = tuple(writer.write(_without(final, drafts, kept)))
            if whole:
                writer.keep_run()
                row = {"quarter": run.quarter, "as_of": run.as_of.isoformat(), "run_id": run.run_id}
                connection.execute(_closed.insert(), row)
            return Receipt(run.quarter, written, tuple(sorted(kept)), False, whole)

    def _upgrade(self) -> None:
        """Bring the tables to the version of this release, step by step, all or none."""
        if self._version() == VERSION:
            return
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
        with self._writing() as connection:
            version = self._version(connection)
            if version > VERSION:
                what = f"a newer release wrote this ledger (version {version}, this release knows {VERSION})"
                raise SourceError(what, shown(self.address), "update pbr")
            for step in range(version, VERSION):
                _STEPS[step](connection)
                connection.execute(_schema.insert(), {"version": step + 1})

    def _version(self, connection: sa.Connection | None = None) -> int:
        if connection is None:
            with self._engine.connect() as reading:
                return self._version(reading)
        if not sa.inspect(connection).has_table(_schema.name):
            return 0
        return int(connection.execute(sa.select(sa.func.max(_schema.c.version))).scalar() or 0)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction of the one writer: kept when the block ends well, undone when it does not."""
        engine = self._engine.execution_options(writes=True)
        with _spoken(self.address), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT}s'")
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection

    def _read(self, query: Any) -> Sequence[Any]:
        with _spoken(self.address), self._engine.connect() as connection:
            return tuple(connection.execute(query))

    def _of_packs(self, query: Any, table: sa.Table, pack_ids: Iterable[str]) -> Iterator[Any]:
        ids = sorted(set(pack_ids))
        for at in range(0, len(ids), _IN):
            yield from self._read(query.where(table.c.pack_id.in_(ids[at : at + _IN])))


def _without(partners: set[str], drafts: Iterable[Draft], kept: list[str]) -> Iterator[Draft]:
    """The drafts of all others; who is left out is noted in ``kept``."""
    for draft in drafts:
        if draft.partner_id in partners:
            kept.append(draft.partner_id)
        else:
            yield draft


class _Writer:
    """Adds the packs of one run within one transaction, and gives them their numbers."""

    def __init__(self, connection: sa.Connection, run: Run) -> None:
        self._connection = connection
        self._run = run
        rows = connection.execute(_ISSUED.where(_pack.c.quarter == run.quarter).order_by(_pack.c.number))
        self._known: dict[str, list[Issued]] = defaultdict(list)
        for row in rows:
            self._known[row.partner_id].append(shapes.to_issued(row._mapping))

    def final(self) -> set[str]:
        """The partners who have a final pack of the quarter."""
        return {partner for partner, packs in self._known.items() if any(pack.status == "final" for pack in packs)}

    def keep_run(self) -> None:
        """The row of the run; equal runs are one."""
        self._add(_run, [shapes.run_row(self._run)], once=True)

    def write(self, drafts: Iterable[Draft]) -> Iterator[Issued]:
        """Each draft as an issued pack; one that changes nothing gives the pack that stands."""
        waiting: list[tuple[Issued, Draft]] = []
        for draft in drafts:
            stands = self._stands(draft)
            pack = shapes.numbered(draft, self._run, self._known[draft.partner_id], stands)
            if pack is stands:
                yield pack
                continue
            self._known[draft.partner_id].append(pack)
            waiting.append((pack, draft))
            yield pack
            if len(waiting) == _BATCH:
                self._flush(waiting)
                waiting = []
        self._flush(waiting)

    def _stands(self, draft: Draft) -> Issued | None:
        mine = [pack for pack in self._known[draft.partner_id] if pack.edition == draft.edition]
        return mine[-1] if mine else None

    def _flush(self, waiting: list[tuple[Issued, Draft]]) -> None:
        if not waiting:
            return
        self.keep_run()
        drafts = [draft for _, draft in waiting]
        self._add(_definition, shapes.definition_rows(drafts), once=True)
        self._add(_pack, [shapes.pack_row(pack, draft) for pack, draft in waiting])
        self._add(_result, [row for pack, draft in waiting for row in shapes.result_rows(pack, draft)])
        self._add(_evidence, [row for pack, draft in waiting for row in shapes.evidence_rows(pack, draft)])

    def _add(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], once: bool = False) -> None:
        """Rows at the end of a table; with ``once`` those that are there already are left alone."""
        if not rows:
            return
        sqlite = self._connection.dialect.name == "sqlite"
        if once:
            kind = sqlite_insert(table) if sqlite else postgres_insert(table)
            self._connection.execute(kind.on_conflict_do_nothing(), rows)
        elif sqlite:
            self._connection.execute(table.insert(), rows)
        else:
            self._copy(table, rows)

    def _copy(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """PostgreSQL takes rows in one stream five times faster than one by one."""
        driver = self._connection.dialect.loaded_dbapi
        names = list(rows[0])
        try:
            into = f"COPY {table.name} ({', '.join(names)}) FROM STDIN"
            with self._connection.connection.cursor() as cursor, cursor.copy(into) as stream:
                for row in rows:
                    stream.write_row([row[name] for name in names])
        except driver.Error as error:
            raise sa.exc.DBAPIError("COPY", None, error) from None
