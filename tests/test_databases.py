"""Databases and addresses as sources: typed, in one order, read-only, told in plain words, and no password anywhere.

PostgreSQL is tried for real where ``PBR_TEST_POSTGRES`` names a server; ``.ci/run`` starts one.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import http.server
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import duckdb
import pytest
from conftest import copy_workbook

from pbr_lib import databases, ingest, params
from pbr_lib.cells import BOOL, DATE, DATETIME, NUMBER, TEXT
from pbr_lib.errors import InputError, SourceError
from pbr_lib.fetched import Fetched
from pbr_lib.mapping import SqlSource

MAPPING = "params/sources/deals.yaml"
SECRET = "tr0ub4dor"
Cell = tuple[str, int]


def fetch(folder: Path, order: tuple[str, ...] = ("Deal",), **sql: str) -> list[dict[str, Cell]]:
    """Fetch a source, and give its rows as text and kind by label."""
    path = folder / "fetched" / "rows.parquet"
    databases.fetch(SqlSource(**sql), path, order, MAPPING, folder)
    table = Fetched(path, "CRM")
    rows: list[dict[str, Cell]] = []
    for batch in table.batches():
        columns = [(cells.text.to_pylist(), cells.kinds) for cells in batch.columns]
        for at in range(len(batch)):
            row = [(text[at], TEXT if kinds is None else int(kinds[at])) for text, kinds in columns]
            rows.append(dict(zip(table.labels, row, strict=True)))
    return rows


def everything_under(folder: Path) -> bytes:
    """Names and contents of all files, to look for what must not be there."""
    return b"\n".join(str(path).encode() + (path.read_bytes() if path.is_file() else b"") for path in folder.rglob("*"))


# ------------------------------------------------------------------------------------ embedded databases


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    """A folder with the same deals in SQLite and in DuckDB."""
    light = sqlite3.connect(tmp_path / "crm.db")
    light.execute('CREATE TABLE deals (Deal TEXT, Amount REAL, Won INTEGER, "Closes at" TEXT, Raw BLOB)')
    light.execute("INSERT INTO deals VALUES ('D-2', 10.5, 1, '2026-09-30', x'00FF'), ('D-1', NULL, 0, '', NULL)")
    light.commit()
    light.close()
    with duckdb.connect(str(tmp_path / "crm.duckdb")) as engine:
        engine.execute("CREATE SCHEMA sales")
        engine.execute(
            'CREATE TABLE sales.deals AS SELECT \'D-2\' AS "Deal", 10.50::DECIMAL(12, 2) AS "Amount", TRUE AS won, '
            "DATE '2026-09-30' AS closes, TIMESTAMP '2026-09-30 14:05:00' AS seen, "
            "TIMESTAMPTZ '2026-09-30 14:05:00+02' AS at, [1, 2] AS list, 170141183460469231731687303715884105727 AS big"
            " UNION ALL SELECT 'D-1', NULL, NULL, NULL, NULL, NULL, NULL, NULL"
        )
    return tmp_path


def test_sqlite(crm: Path) -> None:
    """A table of SQLite, with its loose types as they are."""
    rows = fetch(crm, url="sqlite:///crm.db", table="deals")
    assert [row["Deal"][0] for row in rows] == ["D-1", "D-2"]
    assert rows[1] == {
        "Deal": ("D-2", TEXT),
        "Amount": ("10.5", NUMBER),
        "Won": ("1", TEXT),
        "Closes at": ("2026-09-30", TEXT),
        "Raw": ("00ff", TEXT),
    }
    assert rows[0]["Amount"] == rows[0]["Raw"] == ("", TEXT)


def test_duckdb(crm: Path) -> None:
    """A table of DuckDB in a schema of its own, with every type kept."""
    rows = fetch(crm, url="duckdb://crm.duckdb", table="sales.deals")
    assert rows[1] == {
        "Deal": ("D-2", TEXT),
        "Amount": ("10.50", NUMBER),
        "won": ("true", BOOL),
        "closes": ("2026-09-30", DATE),
        "seen": ("2026-09-30T14:05:00", DATETIME),
        "at": ("2026-09-30T12:05:00Z", DATETIME),
        "list": ("[1, 2]", TEXT),
        "big": ("170141183460469231731687303715884105727", TEXT),
    }
    assert set(rows[0].values()) == {("D-1", TEXT), ("", TEXT)}


@pytest.mark.parametrize("url", ["sqlite:///crm.db", "duckdb:///crm.duckdb"])
def test_a_query_with_every_sign(crm: Path, url: str) -> None:
    """Percent signs, colons and comments of a query are the database's own."""
    query = "SELECT 'a%b :c ''d''' AS \"Deal\" -- not ? a %s parameter\n WHERE 'x' LIKE '%x%'"
    assert fetch(crm, url=url, query=query) == [{"Deal": ("a%b :c 'd'", TEXT)}]


def test_absolute_paths(crm: Path, tmp_path: Path) -> None:
    """Four slashes begin a path from the root."""
    assert len(fetch(tmp_path, url=f"sqlite:////{(crm / 'crm.db').as_posix().lstrip('/')}", table="deals")) == 2


@pytest.mark.parametrize(
    ("url", "statement"),
    [
        ("sqlite:///crm.db", "INSERT INTO deals VALUES ('D-3', 1, 1, '', NULL)"),
        ("sqlite:///crm.db", "DELETE FROM deals"),
        ("sqlite:///crm.db", "SELECT 1; DELETE FROM deals"),
        ("duckdb://crm.duckdb", "DELETE FROM sales.deals"),
        ("duckdb://crm.duckdb", "SELECT 1; DELETE FROM sales.deals"),
        ("duckdb://crm.duckdb", "COPY sales.deals TO 'stolen.csv'"),
    ],
)
def test_nothing_is_written(crm: Path, url: str, statement: str) -> None:
    """A statement that writes is refused, and the database stays as it was."""
    before = {path.name: path.read_bytes() for path in crm.iterdir() if path.is_file()}
    with pytest.raises(SourceError):
        fetch(crm, url=url, query=statement)
    assert {path.name: path.read_bytes() for path in crm.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ({"url": "sqlite:///crn.db", "table": "deals"}, "this database file is missing"),
        ({"url": "duckdb://:memory:", "table": "deals"}, "this database file is missing"),
        ({"url": "sqlite:///crm.db", "table": "deels"}, "no such table: deels"),
        ({"url": "sqlite:///crm.db", "query": "SELEKT 1"}, "syntax error"),
        ({"url": "duckdb://crm.duckdb", "table": "deals"}, "deals"),
        ({"url": "duckdb://crm.duckdb", "query": "SELEKT 1"}, "yntax error"),
        ({"url": "sqlite:///text.db", "table": "deals"}, "not a database"),
        ({"url": "duckdb://text.db", "table": "deals"}, "not a valid DuckDB"),
        ({"url_from": "PBR_TEST_NOWHERE", "table": "deals"}, "the environment variable PBR_TEST_NOWHERE holds no"),
    ],
)
def test_faults_are_told(crm: Path, sql: dict[str, str], what: str) -> None:
    """What the database says comes in one line, with the place and a remedy."""
    (crm / "text.db").write_text("not a database at all, and long enough to be looked at" * 20)
    with pytest.raises(SourceError, match=what) as caught:
        fetch(crm, **sql)
    assert "\n" not in caught.value.what
    assert caught.value.where
    assert MAPPING in caught.value.fix + caught.value.where


def test_a_name_is_only_a_name(crm: Path) -> None:
    """A table is called by its name, whatever signs stand in it."""
    with pytest.raises(SourceError, match="no such table"):
        fetch(crm, url="sqlite:///crm.db", table='deals" WHERE 1=0; --')


def test_without_the_library(crm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedded databases need nothing more; servers and addresses say what to install."""
    for name in ("sqlalchemy", "fsspec"):
        monkeypatch.setitem(sys.modules, name, None)
    assert len(fetch(crm, url="sqlite:///crm.db", table="deals")) == 2
    assert len(fetch(crm, url="duckdb://crm.duckdb", table="sales.deals")) == 2
    with pytest.raises(InputError, match="SQLAlchemy") as caught:
        fetch(crm, url="postgresql://localhost/crm", table="deals")
    assert "pbr-workbook[sql]" in caught.value.fix
    with pytest.raises(InputError, match="fsspec") as caught:
        databases.download("https://localhost/deals.csv", crm / "copies", MAPPING)
    assert "pbr-workbook[url]" in caught.value.fix


# -------------------------------------------------------------------------------------------- PostgreSQL


@pytest.fixture
def schema(server: str, request: pytest.FixtureRequest) -> Iterator[tuple[Callable[..., Any], str]]:
    """``run(statement)`` in a schema of the test's own, and the schema's name."""
    import psycopg

    name = f"t_{request.node.name[:40]}_{os.getpid()}".replace("[", "_").replace("]", "")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{name}"')
        connection.execute(f'SET search_path TO "{name}"')
        yield connection.execute, name
        connection.execute(f'DROP SCHEMA "{name}" CASCADE')


Schema = tuple[Callable[..., Any], str]


@pytest.mark.postgres
def test_every_type_of_postgresql(server: str, schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decimals are exact, moments have their zone, and the rest is text."""
    monkeypatch.setenv("PBR_TEST_URL", server)
    run, name = schema
    run(
        'CREATE TABLE "Deals 2026" ("Deal" text, amount numeric(30, 10), free numeric, rate double precision, '
        "small real, id bigint, won boolean, closes date, seen timestamp, at timestamptz, raw bytea, tags text[], "
        "extra jsonb, span interval, key uuid, hour time)"
    )
    run(
        "INSERT INTO \"Deals 2026\" VALUES ('Ü 極', 12345678901234567890.1234567890, 1.10, 0.1, 1.1, "
        "9007199254740993, true, '2026-09-30', '2026-09-30 14:05:06.5', '2026-09-30 14:05:00+02', '\\x00ff', "
        """'{a,"b;c"}', '{"b": 1, "a": [true, null]}', '1 day', '00000000-0000-0000-0000-000000000001', '09:30')"""
    )
    run("INSERT INTO \"Deals 2026\" (\"Deal\", amount) VALUES ('D-1', 'NaN'), ('D-0', NULL)")
    rows = fetch(tmp_path, url_from="PBR_TEST_URL", table=f"{name}.Deals 2026")
    assert [row["Deal"][0] for row in rows] == ["D-0", "D-1", "Ü 極"]
    assert rows[2] == {
        "Deal": ("Ü 極", TEXT),
        "amount": ("12345678901234567890.1234567890", NUMBER),
        "free": ("1.10", NUMBER),
        "rate": ("0.1", NUMBER),
        "small": ("1.1", NUMBER),
        "id": ("9007199254740993", TEXT),
        "won": ("true", BOOL),
        "closes": ("2026-09-30", DATE),
        "seen": ("2026-09-30T14:05:06.500000", DATETIME),
        "at": ("2026-09-30T12:05:00Z", DATETIME),
        "raw": ("00ff", TEXT),
        "tags": ('["a", "b;c"]', TEXT),
        "extra": ('{"a": [true, null], "b": 1}', TEXT),
        "span": ("1 day, 0:00:00", TEXT),
        "key": ("00000000-0000-0000-0000-000000000001", TEXT),
        "hour": ("09:30:00", TEXT),
    }
    assert rows[1]["amount"] == ("NaN", TEXT)
    assert {value for label, value in rows[0].items() if label != "Deal"} == {("", TEXT)}


@pytest.mark.postgres
def test_a_query_of_postgresql(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Percent signs, casts and a semicolon at the end are the server's; both names of its scheme will do."""
    monkeypatch.setenv("PBR_TEST_URL", server.replace("postgresql://", "postgres://"))
    query = "SELECT 'a%b :c' AS \"Deal\", '3'::int + 1 AS n WHERE 'x' LIKE '%x%' -- %s\n;"
    assert fetch(tmp_path, url_from="PBR_TEST_URL", query=query) == [{"Deal": ("a%b :c", TEXT), "n": ("4", TEXT)}]


@pytest.mark.postgres
def test_rows_come_through_a_cursor_of_the_server(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large table never stands in memory as a whole in the form of Python's values."""
    monkeypatch.setenv("PBR_TEST_URL", server)
    query = 'SELECT count(*) AS "Deal" FROM pg_cursors'
    assert fetch(tmp_path, url_from="PBR_TEST_URL", query=query) == [{"Deal": ("1", TEXT)}]


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM deals",
        "WITH gone AS (DELETE FROM deals RETURNING *) SELECT * FROM gone",
        "SELECT 1; DELETE FROM deals; COMMIT",
        "COMMIT; DELETE FROM deals",
        "SELECT nextval('numbers')",
    ],
)
def test_postgresql_is_only_read(
    server: str, schema: Schema, statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that writes gets through, even with an account that might."""
    run, name = schema
    run("CREATE TABLE deals AS SELECT 1 AS id")
    run("CREATE SEQUENCE numbers")
    monkeypatch.setenv("PBR_TEST_URL", f"{server}?options={quote(f'-csearch_path={name}')}")
    with pytest.raises(SourceError, match="the database says"):
        fetch(tmp_path, url_from="PBR_TEST_URL", query=statement)
    assert run("SELECT count(*) FROM deals").fetchone() == (1,)


@pytest.mark.postgres
def test_a_wrong_password_is_told_without_it(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The server's word comes through, the password that was tried does not."""
    parts = urlsplit(server)
    host = f"{parts.hostname}:{parts.port}"
    for password in (SECRET, quote(f"{SECRET}/?@:% x", safe=""), f"{SECRET}:{SECRET}"):
        monkeypatch.setenv("PBR_TEST_URL", f"postgresql://{parts.username}:{password}@{host}{parts.path}")
        with pytest.raises(SourceError, match="password authentication failed") as caught:
            fetch(tmp_path, url_from="PBR_TEST_URL", table="deals")
        assert caught.value.where == f"postgresql://{host}{parts.path} deals"
        assert SECRET not in str(caught.value) + repr(caught.value.__reduce__())
    said = capfd.readouterr()
    assert SECRET not in said.out + said.err
    assert SECRET.encode() not in everything_under(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@127.0.0.1:1/crm",
        f"postgresql://ann:{SECRET}@127.0.0.1:port/crm",
        f"postgresql://ann:{SECRET}@[::1/crm",
        f"nosuch://ann:{SECRET}@127.0.0.1/crm",
        f"postgresql://ann@127.0.0.1:1/crm?password={SECRET}",
        f"postgresql://ann:{SECRET}@127.0.0.1:1/crm?{SECRET}=1&nonsense={SECRET}",
        f"mysql+nosuch://ann:{SECRET}@127.0.0.1/crm",
    ],
)
def test_no_secret_in_any_fault(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A server that is not there, and an address that is none, are told without user and password."""
    pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    monkeypatch.setenv("PBR_TEST_URL", url)
    with pytest.raises(SourceError, match="the database says") as caught:
        fetch(tmp_path, url_from="PBR_TEST_URL", table="deals")
    said = capfd.readouterr()
    assert SECRET not in str(caught.value) + said.out + said.err
    assert SECRET.encode() not in everything_under(tmp_path)


@pytest.mark.postgres
def test_the_demo_deals_are_the_same_from_postgresql(
    server: str, schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deals typed in PostgreSQL and as text in a CSV file give the same normalised rows, and no trace of the secret."""
    run, name = schema
    root = copy_workbook(tmp_path / "workbook")
    _typed_copy(run, root / "data" / "demo" / "opportunities-report.csv")
    from_csv = ingest.take_one(params.read(root), "opportunities")
    text = (root / "params/sources/opportunities.yaml").read_text("utf-8")
    text = text.replace("file: opportunities-report.csv\n", f"sql: {{url_from: PBR_TEST_URL, table: {name}.deals}}\n")
    text = text.replace('as_of: {find: Generated By, format: "%m/%d/%Y"}', f"as_of: {from_csv.as_of}")
    (root / "params/sources/opportunities.yaml").write_text(text, "utf-8")
    csv_rows, csv_claims = _canonical(from_csv)
    monkeypatch.setenv("PBR_TEST_URL", server)
    from_sql = ingest.take_one(params.read(root), "opportunities")
    sql_rows, sql_claims = _canonical(from_sql)
    assert csv_rows
    assert csv_claims
    assert sql_rows == csv_rows
    assert sql_claims == csv_claims
    assert from_sql.rows_used == from_csv.rows_used
    password = str(urlsplit(server).password)
    assert password.encode() not in everything_under(root)


def _typed_copy(run: Callable[..., Any], path: Path) -> None:
    """The rows of the demo's report as a table with types."""
    with path.open(encoding="utf-8", newline="") as stream:
        labels, *rows = csv.reader(stream)
    rows = [row for row in rows if len(row) == len(labels)]
    types = {"Amount": "numeric(14, 2)", "Created Date": "timestamp", "Close Date": "date"}
    columns = ", ".join(f'"{label}" {types.get(label, "text")}' for label in labels)
    run(f"CREATE TABLE deals ({columns})")
    read: dict[str, Callable[[str], object]] = {
        "Amount": Decimal,
        "Created Date": lambda text: dt.datetime.strptime(text, "%m/%d/%Y %I:%M %p"),
        "Close Date": lambda text: dt.datetime.strptime(text, "%m/%d/%Y").date(),
    }
    places = ", ".join(["%s"] * len(labels))
    for row in reversed(rows):
        values = [read.get(label, str)(value) if value else None for label, value in zip(labels, row, strict=True)]
        run(f"INSERT INTO deals VALUES ({places})", values)


def _canonical(taken: Any) -> tuple[list[dict[str, Any]], list[tuple[str, ...]]]:
    """Normalised rows without the place that they came from, and credit claims, both in one order."""
    import pyarrow.parquet as pq

    here = ("src_row", "src_extract")
    rows = [
        {key: value for key, value in row.items() if key not in here}
        for row in pq.read_table(taken.folder / "rows.parquet").to_pylist()
    ]
    claims = [
        tuple(str(value) for key, value in row.items() if key not in ("file", "row"))
        for row in pq.read_table(taken.folder / "claims.parquet").to_pylist()
    ]
    return sorted(rows, key=lambda row: str(row["opportunity_id"])), sorted(claims)


# --------------------------------------------------------------------------------------------- addresses


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server of one folder; /secret wants a password, /cut breaks off, /slow never answers."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        path = urlsplit(self.path).path
        if path == "/secret.csv":
            self.send_error(403)
        elif path == "/cut.csv":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"Id,Name\n1,")
        elif path == "/slow.csv":
            threading.Event().wait(2)
        else:
            super().do_GET()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a web server, and the folder that it serves."""
    pytest.importorskip("fsspec", reason="the extra url is not installed")
    pytest.importorskip("aiohttp", reason="the extra url is not installed")
    folder = tmp_path / "web"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}", folder
        running.shutdown()
        thread.join()


def copies(folder: Path) -> dict[str, bytes]:
    """What lies in a folder of copies."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_of_a_web_server(web: tuple[str, Path], tmp_path: Path) -> None:
    """The file comes whole, under its own name, without what the address carries beside it."""
    url, served = web
    content = b"Id,Name\r\n1,\xfcber\r\n" * 100_000
    (served / "Q3 deals.csv").write_bytes(content)
    databases.download(f"{url}/Q3%20deals.csv?token={SECRET}", tmp_path / "copies", MAPPING)
    assert copies(tmp_path / "copies") == {"Q3 deals.csv": content}


def test_several_files_of_a_web_server(web: tuple[str, Path], tmp_path: Path) -> None:
    """A pattern takes what the server lists."""
    url, served = web
    for name in ("deals-1.csv", "deals-2.csv", "leads.csv"):
        (served / name).write_text(name)
    databases.download(f"{url}/deals-*.csv", tmp_path / "copies", MAPPING)
    assert copies(tmp_path / "copies") == {"deals-1.csv": b"deals-1.csv", "deals-2.csv": b"deals-2.csv"}


@pytest.mark.parametrize("name", ["missing.csv", "secret.csv", "cut.csv", "slow.csv", "deals-*.csv"])
def test_a_web_server_that_fails(
    web: tuple[str, Path],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Whatever goes wrong is one fault, the copies of last time stay, and no secret is told."""
    monkeypatch.setattr(databases, "_SILENT", 0.5)
    url, _ = web
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "old.csv").write_text("old")
    address = url.replace("://", f"://ann:{SECRET}@") + f"/{name}?sig={SECRET}"
    with pytest.raises(SourceError) as caught:
        databases.download(address, folder, MAPPING)
    assert caught.value.where == f"{url}/{name}"
    assert MAPPING in caught.value.fix
    said = capfd.readouterr()
    assert SECRET not in str(caught.value) + said.out + said.err
    assert copies(folder) == {"old.csv": b"old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copies", "web"]


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """No connection is one fault."""
    pytest.importorskip("aiohttp", reason="the extra url is not installed")
    with pytest.raises(SourceError, match="cannot be read") as caught:
        databases.download(f"http://ann:{SECRET}@127.0.0.1:1/deals.csv", tmp_path / "copies", MAPPING)
    assert SECRET not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def memory() -> Iterator[Any]:
    """Files in memory, as a stand-in for a store in a cloud."""
    fsspec = pytest.importorskip("fsspec", reason="the extra url is not installed")
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


def test_files_of_a_store(memory: Any, tmp_path: Path) -> None:
    """Patterns, equal names in two folders, and names that no file system would take."""
    for path in ("/x/2026/deals.csv", "/x/2025/Deals.csv", "/x/2025/..", "/x/2025/a:b.csv"):
        memory.pipe(path, path.encode())
    databases.download("memory://x/**/*", tmp_path / "copies", MAPPING)
    assert copies(tmp_path / "copies") == {
        "Deals.csv": b"/x/2025/Deals.csv",
        "a_b.csv": b"/x/2025/a:b.csv",
        "deals-4.csv": b"/x/2026/deals.csv",
        "file-1": b"/x/2025/..",
    }


def test_what_is_fetched_replaces_all_of_last_time(memory: Any, tmp_path: Path) -> None:
    """A file that is gone from the store is gone from the copies."""
    memory.pipe("/x/a.csv", b"1")
    databases.download("memory://x/*.csv", tmp_path / "copies", MAPPING)
    memory.mv("/x/a.csv", "/x/b.csv")
    databases.download("memory://x/*.csv", tmp_path / "copies", MAPPING)
    assert copies(tmp_path / "copies") == {"b.csv": b"1"}


def test_a_local_address(tmp_path: Path) -> None:
    """``file://`` is an address like any other."""
    pytest.importorskip("fsspec", reason="the extra url is not installed")
    (tmp_path / "a.csv").write_text("a")
    databases.download((tmp_path / "a.csv").as_uri(), tmp_path / "copies", MAPPING)
    assert copies(tmp_path / "copies") == {"a.csv": b"a"}


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("memory://nothing/*.csv", "no file fits this address"),
        ("memory://nothing.csv", "there is no such file"),
        ("nosuch://host/deals.csv", "Protocol not known"),
        ("file:///", "cannot be read"),
    ],
)
def test_addresses_without_a_file(memory: Any, address: str, what: str, tmp_path: Path) -> None:
    """A wrong address is told as what it is."""
    with pytest.raises(SourceError, match=what):
        databases.download(address, tmp_path / "copies", MAPPING)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("limit", "value"), [("_LARGEST", 10), ("_MOST_FILES", 1)])
def test_too_much_behind_an_address(
    memory: Any, limit: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pattern that takes in a whole store stops before it fills the disk."""
    monkeypatch.setattr(databases, limit, value)
    memory.pipe("/x/a.csv", b"123456")
    memory.pipe("/x/b.csv", b"123456")
    with pytest.raises(SourceError, match=r"(behind|fit) this address") as caught:
        databases.download("memory://x/*.csv", tmp_path / "copies", MAPPING)
    assert "narrow the pattern" in caught.value.fix
    assert list(tmp_path.iterdir()) == []
