"""Sources that are no files: a table or query of a database, and exports behind an address; apart, because this is
the one door to database drivers and to the network.

Whatever is read becomes a file under the output folder, and is read from there like any other export. Nothing is
ever written into a database, and no message holds a password.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pbr_lib import fetched
from pbr_lib.addresses import shown, without_secrets
from pbr_lib.cells import Cells
from pbr_lib.errors import InputError, SourceError
from pbr_lib.mapping import SqlSource

__all__ = ["download", "fetch"]

_Rows = tuple[Sequence[str], Iterator[Sequence[Cells]]]
_WAIT = 30  # seconds until a server that does not answer is given up
_SILENT = 120  # seconds of silence in the middle of an answer
_LARGEST = 4 << 30  # bytes of all files of a source; one million records with 17 columns are about 0.3 GB
_MOST_FILES = 10_000
_STRAY = re.compile(r"[^\w.\- ()+,=@~]")


def fetch(sql: SqlSource, path: Path, order: tuple[str, ...], mapping: str, folder: Path) -> None:
    """Read a table or query into a file for :class:`pbr_lib.fetched.Fetched`.

    Parameters
    ----------
    sql:
        The database, and what to read from it.
    path:
        Where the file goes. A file of an earlier time stays when this fails.
    order:
        Labels that order the rows.
    mapping:
        The mapping, as messages call it.
    folder:
        The folder of the exports, from which the path of a database file counts.

    Raises
    ------
    SourceError
        When the database does not answer or refuses, or its address is not in the environment.
    InputError
        When a library is missing.
    """
    url = _address(sql, mapping)
    where = f"{shown(url)} {sql.table or 'query'}"
    fix = f"check sql: in {mapping}, and that this machine reaches the database"
    with _spoken("the database says", url, where, fix), _rows(url, sql, mapping, folder) as (labels, chunks):
        fetched.keep(labels, chunks, path, order)


def download(address: str, folder: Path, mapping: str) -> None:
    """Copy the files behind an address (a pattern, where its protocol can list) into ``folder``.

    The folder is replaced as a whole, once everything is there.

    Raises
    ------
    SourceError
        When the address does not answer, has no such file, or holds more than a run should read.
    InputError
        When the library for addresses is not installed.
    """
    try:
        import fsspec
    except ImportError:
        fix = 'pip install "pbr-workbook[url]", or download the file into the data folder'
        raise InputError("reading from an address needs fsspec", mapping, fix) from None
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    fix = f"check file: in {mapping}, and that this machine reaches it"
    try:
        with _spoken("this address cannot be read", address, shown(address), fix):
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            remotes = fsspec.open_files(address, "rb", **_patience(address))
            _copy_all(sorted(remotes, key=lambda remote: str(remote.path)), aside, shown(address), mapping)
            _replace(folder, aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


# ------------------------------------------------------------------------------------------- databases


def _address(sql: SqlSource, mapping: str) -> str:
    if sql.url is not None:
        return sql.url
    url = os.environ.get(str(sql.url_from), "").strip()
    if "://" not in url:
        fix = f"set {sql.url_from} to the address of the database, such as postgresql://user:password@host/name"
        raise SourceError(f"the environment variable {sql.url_from} holds no address", f"{mapping}, sql", fix)
    return url


@contextmanager
def _spoken(what: str, address: str, where: str, fix: str) -> Iterator[None]:
    """Whatever a driver raises as one error of ours, without the secrets of the address."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own, and none may reach a user raw
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        # SQLAlchemy puts the name of the driver's error before its text.
        said = re.sub(r"^\([\w.]+\)\s*", "", lines[0]) if lines else type(error).__name__
        if isinstance(error, FileNotFoundError):
            said = "there is no such file"
        raise SourceError(f"{what}: {without_secrets(said, address)}", where, fix) from None


def _rows(url: str, sql: SqlSource, mapping: str, folder: Path) -> Any:
    """The labels and rows of a source as a context, after which the database is closed again."""
    scheme = url.partition("://")[0].lower()
    if scheme == "duckdb":
        return _by_duckdb(_database_file(url, folder, mapping), sql, mapping)
    if scheme in ("sqlite", "sqlite+pysqlite"):
        return _by_sqlite(_database_file(url, folder, mapping), sql)
    return _by_sqlalchemy(url, sql, mapping)


def _database_file(url: str, folder: Path, mapping: str) -> Path:
    """The file that ``sqlite:///name`` or ``duckdb://name`` means; four slashes begin an absolute path."""
    name = unquote(url.partition("://")[2].partition("?")[0])
    path = folder / (name[1:] if name.startswith("/") else name)
    if not path.is_file():
        fix = f"put it there, or correct sql: in {mapping}; a path from the root begins with four slashes"
        raise SourceError("this database file is missing", shown(url), fix)
    return path


@contextmanager
def _by_duckdb(path: Path, sql: SqlSource, mapping: str) -> Iterator[_Rows]:
    import duckdb

    with closing(duckdb.connect(str(path), read_only=True)) as connection:
        statements = connection.extract_statements(_statement(sql, _quoted))
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise SourceError("only a single SELECT is run", f"{mapping}, sql, query", "take out all else")
        reader = connection.sql(statements[0].query).to_arrow_reader(fetched.CHUNK_ROWS)
        yield (
            reader.schema.names,
            ([fetched.from_arrow(column) for column in batch.columns] for batch in reader),
        )


@contextmanager
def _by_sqlite(path: Path, sql: SqlSource) -> Iterator[_Rows]:
    import sqlite3

    address = path.resolve().as_uri() + "?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=_WAIT)) as connection:
        connection.execute("PRAGMA query_only = ON")
        cursor = connection.execute(_statement(sql, _quoted))
        labels = [each[0] for each in cursor.description or ()]
        yield labels, _chunks(iter(lambda: cursor.fetchmany(fetched.CHUNK_ROWS), []))


@contextmanager
def _by_sqlalchemy(url: str, sql: SqlSource, mapping: str) -> Iterator[_Rows]:
    try:
        import sqlalchemy as sa
    except ImportError:
        raise InputError("reading a database needs SQLAlchemy", mapping, 'pip install "pbr-workbook[sql]"') from None
    scheme, _, rest = url.partition("://")
    if scheme.lower() in ("postgres", "postgresql"):
        scheme = "postgresql+psycopg"
    parsed = sa.make_url(f"{scheme}://{rest}")
    postgres = parsed.get_backend_name() == "postgresql"
    wait = {"connect_timeout": _WAIT} if postgres and "connect_timeout" not in parsed.query else {}
    engine = sa.create_engine(parsed, poolclass=sa.pool.NullPool, hide_parameters=True, connect_args=wait)
    # A percent sign of the query is no placeholder, and rows come in pieces.
    options: dict[str, Any] = {"no_parameters": True, "stream_results": True, "max_row_buffer": fetched.CHUNK_ROWS}
    if postgres:
        options["postgresql_readonly"] = True
    try:
        with engine.connect().execution_options(**options) as connection:
            # Closing without a commit undoes whatever a statement may have done where no read-only mode is known.
            result = connection.exec_driver_sql(_statement(sql, engine.dialect.identifier_preparer.quote))
            yield list(result.keys()), _chunks(result.partitions(fetched.CHUNK_ROWS))
    finally:
        engine.dispose()


def _statement(sql: SqlSource, quote: Callable[[str], str]) -> str:
    if sql.query is not None:
        return sql.query
    schema, _, table = str(sql.table).rpartition(".")
    return f"SELECT * FROM {'.'.join(quote(part) for part in (schema, table) if part)}"  # noqa: S608 - quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _chunks(parts: Iterator[Sequence[Sequence[Any]]]) -> Iterator[Sequence[Cells]]:
    for rows in parts:
        yield [fetched.from_values(column) for column in zip(*rows, strict=True)]


# ------------------------------------------------------------------------------------------- addresses


def _patience(address: str) -> dict[str, Any]:
    """How long a web server may stay silent; a long answer may take as long as it needs."""
    if not re.match(r"https?://", address, re.IGNORECASE):
        return {}
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_WAIT, sock_read=_SILENT)
    return {"block_size": 0, "client_kwargs": {"timeout": timeout}, "skip_instance_cache": True}


def _copy_all(remotes: Sequence[Any], folder: Path, where: str, mapping: str) -> None:
    if not remotes:
        raise SourceError("no file fits this address", where, f"check file: in {mapping}")
    if len(remotes) > _MOST_FILES:
        raise SourceError(f"{len(remotes)} files fit this address", where, f"narrow the pattern of file: in {mapping}")
    room, taken = _LARGEST, set[str]()
    for number, remote in enumerate(remotes, start=1):
        name = _local_name(str(remote.path), number, taken)
        with remote as stream, (folder / name).open("wb") as target:
            while piece := stream.read(1 << 20):
                room -= len(piece)
                if room < 0:
                    what = f"there is more than {_LARGEST >> 30} GB behind this address"
                    raise SourceError(what, where, f"narrow the pattern of file: in {mapping}, or export less at once")
                target.write(piece)


def _local_name(path: str, number: int, taken: set[str]) -> str:
    """The name of a file without what an address may carry beside it, and no name twice."""
    if "://" in path:
        path = unquote(urlsplit(path).path)
    name = _STRAY.sub("_", path.replace("\\", "/").rstrip("/").rpartition("/")[2]).strip(". ")[-150:]
    name = name or f"file-{number}"
    if name.casefold() in taken:
        name = f"{Path(name).stem}-{number}{Path(name).suffix}"
    taken.add(name.casefold())
    return name


def _replace(folder: Path, aside: Path) -> None:
    """Put a folder in the place of another, also where a second run does the same."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            aside.replace(folder)
            return
    aside.replace(folder)
