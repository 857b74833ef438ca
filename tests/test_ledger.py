"""The ledger: packs are added and never changed, a quarter is there whole or not at all, and every state that was
issued stays answerable.

PostgreSQL is tried for real where ``PBR_TEST_POSTGRES`` names a server; ``.ci/run`` starts one.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from freeze_support import END, FINAL, QUARTER, deal, files, pack, run, slice_of

from pbr_lib.errors import InputError, SourceError
from pbr_lib.ledger import closing, database
from pbr_lib.ledger.database import Ledger, open_ledger
from pbr_lib.ledger.frozen import Draft

SECRET = "tr0ub4dor"


def day(text: str) -> dt.date:
    """A day of ISO text."""
    return dt.date.fromisoformat(text)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a ledger of the test's own may be made: a file, or a schema of a server."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.sqlite")
        return
    import psycopg

    url = request.getfixturevalue("server")
    name = re.sub(r"\W", "_", f"l_{request.node.name[:40]}_{os.getpid()}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{name}"')
        yield f"{url}?options={quote(f'-csearch_path={name}')}"
        connection.execute(f'DROP SCHEMA "{name}" CASCADE')


@pytest.fixture
def book(address: str) -> Iterator[Ledger]:
    """An empty ledger."""
    with open_ledger(address) as opened:
        yield opened


def rows(book: Ledger) -> dict[str, int]:
    """How many rows each table holds."""
    with book._engine.connect() as connection:
        return {
            name: int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() or 0)
            for name, table in database._META.tables.items()
        }


TWO = [deal("d1", "5000"), deal("d2", "4000")]


# --------------------------------------------------------------------------------------------- a close


def test_what_is_closed_comes_back(book: Ledger) -> None:
    """Figures, records, run and slice come back as they were, every digit of them."""
    exact = deal("d3", "99999999999999.9999", day="2026-01-01", currency="EUR", share="0.3333")
    draft = pack([*TWO, exact, deal("d4", "0.0001")])
    receipt = book.record_close(run(), [draft])
    assert (receipt.closed, receipt.already, receipt.kept) == (True, False, ())
    [issued] = receipt.written
    assert issued.pack_id == "2026-Q1-P-001-1"
    assert (issued.status, issued.supersedes, issued.known_at) == ("final", "", FINAL)
    assert book.issued(QUARTER) == {"P-001": issued}
    assert book.states([issued.pack_id]) == {issued.pack_id: draft.states}
    assert book.evidence([issued.pack_id]) == {issued.pack_id: draft.evidence}
    assert book.slice(issued.pack_id) == draft.slice
    assert book.run(issued.run_id) == run()
    assert book.closed() == {QUARTER: END}


def test_results_come_as_columns(book: Ledger) -> None:
    """Renewal reads final figures of many quarters at once, in one order."""
    for quarter in ("2025-Q4", "2026-Q1"):
        drafts = [_of_quarter(pack(TWO, partner), quarter) for partner in ("P-002", "P-001")]
        book.record_close(run(quarter), drafts)
    found = book.issued_results(["2026-Q1", "2025-Q4"])
    assert found.quarter == ("2025-Q4", "2025-Q4", "2026-Q1", "2026-Q1")
    assert found.partner_id == ("P-001", "P-002") * 2
    assert set(found.actual) == {Decimal(9000)}
    assert found.target[0]["value"] == "10000"
    assert len(found) == 4
    assert len(book.issued_results(["2024-Q1"])) == 0


def test_results_are_those_of_the_newest_final_pack(book: Ledger) -> None:
    """A correction takes the place of what it corrects; a provisional pack is no final figure."""
    provisional = closing.draft(slice_of([deal("d1", "1")]), files("p"), status="provisional")
    book.record(run(known_at=day("2026-03-01")), [provisional])
    assert len(book.issued_results([QUARTER])) == 0
    book.record_close(run(), [pack(TWO)])
    book.record(run(known_at=day("2026-05-03")), [_corrected([deal("d1", "6400")])])
    found = book.issued_results([QUARTER])
    assert (found.actual, found.pack_id) == ((Decimal(6400),), ("2026-Q1-P-001-3(C)",))


def test_closing_twice_changes_nothing(book: Ledger) -> None:
    """The second close says so, and does not even ask for the packs."""
    book.record_close(run(), [pack(TWO)])
    before = rows(book)

    def never() -> Iterator[Draft]:
        raise AssertionError
        yield

    again = book.record_close(run(known_at=day("2026-06-01")), never())
    assert (again.already, again.closed, again.written, again.kept) == (True, True, (), ("P-001",))
    assert rows(book) == before


def test_some_partners_first(book: Ledger) -> None:
    """A close of some partners leaves the quarter open for the others, and theirs is kept when it is closed whole."""
    part = book.record_close(run(), [pack(TWO, "P-002")], whole=False)
    assert (part.closed, (QUARTER in book.closed())) == (False, False)
    drafts = [pack([deal("other", "1")], "P-002"), pack(TWO, "P-001")]
    rest = book.record_close(run(known_at=day("2026-04-20")), drafts)
    assert (rest.kept, [each.partner_id for each in rest.written]) == (("P-002",), ["P-001"])
    assert QUARTER in book.closed()
    assert book.issued(QUARTER)["P-002"] == part.written[0]


def test_a_failure_leaves_nothing_half(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails after some packs are written takes them back."""
    monkeypatch.setattr(database, "_BATCH", 2)
    before = rows(book)

    def failing() -> Iterator[Draft]:
        yield from (pack(TWO, f"P-{n:03d}") for n in range(5))
        raise InputError("one slice cannot be read")

    with pytest.raises(InputError, match="cannot be read"):
        book.record_close(run(), failing())
    assert rows(book) == before
    assert len(book.record_close(run(), [pack(TWO)]).written) == 1


def test_a_process_that_dies_leaves_nothing_half(address: str, tmp_path: Path) -> None:
    """Not even a process that is killed in the middle."""
    code = """
import os, sys
sys.path.insert(0, sys.argv[2])
from freeze_support import deal, pack, run
from pbr_lib.ledger import database
database._BATCH = 1
def dying():
    yield from (pack([deal("d1", "1")], f"P-{n}") for n in range(3))
    os._exit(9)
with database.open_ledger(sys.argv[1]) as book:
    book.record_close(run(), dying())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, address, str(Path(__file__).parent)],
        cwd=Path(__file__).resolve().parent.parent,
        check=False,
    )
    assert done.returncode == 9
    with open_ledger(address) as book:
        assert rows(book) | {"ledger_schema": 0} == dict.fromkeys(rows(book), 0)


def test_one_writer_at_a_time(address: str) -> None:
    """Whoever comes second waits, finds the quarter closed, and changes nothing."""
    entered, receipts = threading.Event(), []

    def slow() -> Iterator[Draft]:
        entered.set()
        threading.Event().wait(0.3)
        yield pack(TWO)

    def close(drafts: Iterator[Draft]) -> None:
        with open_ledger(address) as book:
            receipts.append(book.record_close(run(), drafts))

    open_ledger(address).close()
    first = threading.Thread(target=close, args=(slow(),))
    first.start()
    entered.wait(10)
    close(iter([pack([deal("d9", "1")])]))
    first.join()
    assert [receipt.already for receipt in receipts] == [False, True]


def test_two_at_once_make_one_ledger(address: str) -> None:
    """Two processes that open a new ledger at the same time do not stumble over each other."""
    threads = [threading.Thread(target=lambda: open_ledger(address).close()) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open_ledger(address) as book:
        assert rows(book)["ledger_schema"] == database.VERSION


# --------------------------------------------------------------------------------- revised and corrected


def _of_quarter(draft: Draft, quarter: str) -> Draft:
    return Draft(**{**vars(draft), "quarter": quarter})


def _corrected(deals: list[dict[str, object]], reason: str = "a deal was deleted") -> Draft:
    return closing.reissue(slice_of(deals), files("y"), "correction", reason)


def test_a_final_pack_is_replaced_only_with_a_reason(book: Ledger) -> None:
    """The new pack has a suffix, and names what it supersedes and why."""
    book.record_close(run(), [pack(TWO)])
    later = run(known_at=day("2026-05-03"))
    with pytest.raises(InputError, match="final and is not replaced without a reason"):
        book.record(later, [pack([deal("d1", "5000")])])
    with pytest.raises(InputError, match="without a reason"):
        book.record(later, [closing.draft(slice_of([]), files("z"), status="provisional")])
    [issued] = book.record(later, [_corrected([deal("d1", "5000")])])
    assert issued.pack_id == "2026-Q1-P-001-2(C)"
    assert (issued.supersedes, issued.reason) == ("2026-Q1-P-001-1", "a deal was deleted")
    assert [each.pack_id for each in book.packs(QUARTER, "P-001")] == ["2026-Q1-P-001-1", "2026-Q1-P-001-2(C)"]


def test_the_same_pack_is_issued_once(book: Ledger) -> None:
    """Issuing what stands already gives the pack that stands."""
    draft = closing.draft(slice_of(TWO), files("x"), status="provisional")
    [first] = book.record(run(), [draft])
    assert book.record(run(), [draft]) == (first,)
    assert rows(book)["pack"] == 1


def test_an_edition_is_a_pack_of_its_own(book: Ledger) -> None:
    """The internal edition has its number and supersedes no partner's pack."""
    internal = closing.draft(slice_of(TWO), files("i"), edition="internal")
    first, second = book.record(run(), [pack(TWO), internal])
    assert (second.pack_id, second.supersedes) == ("2026-Q1-P-001-2", "")
    assert book.issued(QUARTER) == {"P-001": first}
    assert book.issued(QUARTER, edition="internal") == {"P-001": second}


def test_a_pack_belongs_to_the_quarter_of_its_run(book: Ledger) -> None:
    """A slip that would freeze one quarter's figures under another is refused."""
    with pytest.raises(InputError, match="no part of a run of 2025-Q4"):
        book.record(run("2025-Q4"), [pack(TWO)])


def test_three_extracts_of_one_quarter(book: Ledger) -> None:
    """T48: known 2 April 9,000, 16 April 10,400, 3 May 6,400; all three stay answerable."""
    a, b, amended = deal("A", "5000"), deal("B", "4000"), deal("A", "5500")
    late = deal("C", "900", day="2026-03-30")
    states = [("2026-04-02", [a, b]), ("2026-04-16", [amended, b, late]), ("2026-05-03", [amended, late])]
    drafts = [closing.draft(slice_of(states[0][1]), files("1"), status="provisional")]
    drafts += [closing.draft(slice_of(states[1][1]), files("2")), _corrected(states[2][1])]
    for (known, _), draft in zip(states, drafts, strict=True):
        book.record(run(known_at=day(known)), [draft])

    def known_by(text: str) -> tuple[str, int]:
        issued = book.issued(QUARTER, known_by=day(text))["P-001"]
        [figure] = book.states([issued.pack_id])[issued.pack_id]
        return str(figure.actual), figure.n_records

    assert book.issued(QUARTER, known_by=day("2026-04-01")) == {}
    assert known_by("2026-04-02") == known_by("2026-04-15") == ("9000", 2)
    assert known_by("2026-04-16") == known_by("2026-05-02") == ("10400", 3)
    assert known_by("2026-05-03") == known_by("2030-01-01") == ("6400", 2)


def test_two_clocks(book: Ledger) -> None:
    """T46: a salary of 6000 from 1 January; on 15 March it is recorded that 6500 applied from 15 February."""
    for month, known, value in [
        ("2026-01", "2026-01-25", "6000"),
        ("2026-02", "2026-02-25", "6000"),
        ("2026-02", "2026-03-15", "6500"),
        ("2026-03", "2026-03-15", "6500"),
    ]:
        draft = closing.draft(slice_of([deal("salary", value)]), files(value[1]), status="provisional")
        book.record(run(month, known_at=day(known)), [_of_quarter(draft, month)])

    def salary(recorded: str, actual: str) -> str:
        issued = book.issued(actual[:7], known_by=day(recorded))["P-001"]
        return str(book.states([issued.pack_id])[issued.pack_id][0].actual)

    pairs = {
        ("2026-01-25", "2026-01-25"): "6000",
        ("2026-02-25", "2026-01-25"): "6000",
        ("2026-03-25", "2026-01-25"): "6000",
        ("2026-02-25", "2026-02-25"): "6000",
        ("2026-03-25", "2026-02-25"): "6500",
        ("2026-03-25", "2026-03-25"): "6500",
    }
    assert {pair: salary(*pair) for pair in pairs} == pairs


def test_validity_ranges(book: Ledger) -> None:
    """T47: pending on 1 January, shipped on 2 January: each is known until the next, the last without end."""
    for known, standing in [("2026-01-01", "pending"), ("2026-01-02", "shipped")]:
        book.record(
            run(known_at=day(known)),
            [closing.draft(slice_of([], standing=standing), files(standing[0]), status="provisional")],
        )
    packs = book.packs(QUARTER, "P-001")
    until = [each.known_at for each in packs[1:]] + [None]
    told = [book.states([each.pack_id])[each.pack_id][0].standing for each in packs]
    assert list(zip(told, (each.known_at for each in packs), until, strict=True)) == [
        ("pending", day("2026-01-01"), day("2026-01-02")),
        ("shipped", day("2026-01-02"), None),
    ]
    assert packs[1].supersedes == packs[0].pack_id


# ---------------------------------------------------------------------------------------- never changed


@pytest.mark.parametrize("table", sorted(database._META.tables))
def test_rows_cannot_be_changed(book: Ledger, table: str) -> None:
    """Whoever opens the database with another tool is refused too."""
    book.record_close(run(), [pack(TWO)])
    column = next(iter(database._META.tables[table].c)).name
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with book._engine.begin() as connection, pytest.raises(sa.exc.DBAPIError, match="never changed"):
            connection.exec_driver_sql(statement)
    if book._engine.dialect.name == "postgresql":
        with book._engine.begin() as connection, pytest.raises(sa.exc.DBAPIError, match="never changed"):
            connection.exec_driver_sql(f"TRUNCATE {table} CASCADE")


def test_a_row_cannot_be_replaced(tmp_path: Path) -> None:
    """SQLite's REPLACE is a deletion too."""
    with open_ledger(tmp_path / "ledger.sqlite") as book:
        book.record_close(run(), [pack(TWO)])
        statement = "INSERT OR REPLACE INTO closed_quarter VALUES ('2026-Q1', '2026-01-01', 'x')"
        with book._engine.begin() as connection, pytest.raises(sa.exc.DBAPIError, match="never changed"):
            connection.exec_driver_sql(statement)


def test_the_code_holds_no_statement_that_changes_rows() -> None:
    """Rows are added and read; there is no third thing."""
    for name in ("database.py", "shapes.py"):
        source = (Path(database.__file__).parent / name).read_text("utf-8")
        assert not re.search(r"\.(update|delete)\(|\b(sa\.)?(update|delete)\(|DELETE FROM|UPDATE \w+ SET", source)


def test_no_number_is_stored_as_a_float(book: Ledger) -> None:
    """Money is text on both databases."""
    kinds = {str(column.type) for table in database._META.tables.values() for column in table.c}
    assert kinds == {"TEXT", "INTEGER", "BLOB"}


def test_a_damaged_slice_is_told(tmp_path: Path) -> None:
    """What was kept is checked against its fingerprint when it is read."""
    path = tmp_path / "ledger.sqlite"
    with open_ledger(path) as book:
        [issued] = book.record_close(run(), [pack(TWO)]).written
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TRIGGER pack_no_update")
        raw.execute("UPDATE pack SET slice = ?", (b"damaged",))
    raw.close()
    with open_ledger(path) as book, pytest.raises(SourceError, match="is damaged"):
        book.slice(issued.pack_id)


# ----------------------------------------------------------------------------------------------- opening


def test_nothing_is_made_unasked(tmp_path: Path) -> None:
    """Asking whether there is a ledger makes none."""
    path = tmp_path / "deep" / "ledger.sqlite"
    assert not database.exists(path)
    with pytest.raises(SourceError, match="there is no ledger") as caught:
        open_ledger(path, create=False)
    assert "close a quarter first" in caught.value.fix
    assert list(tmp_path.iterdir()) == []
    open_ledger(path).close()
    assert database.exists(path)
    with open_ledger(path, create=False) as book:
        assert book.closed() == {}


def test_a_ledger_exists_once_it_is_made(address: str) -> None:
    """On a server as well as in a file."""
    assert not database.exists(address)
    open_ledger(address).close()
    assert database.exists(address)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("", "out/ledger.sqlite"),
        ("team/book.db", "out/team/book.db"),
        ("postgresql://host/name", "postgresql://host/name"),
        ("sqlite:////var/book.db", "sqlite:////var/book.db"),
    ],
)
def test_where_a_ledger_lies(address: str, place: str) -> None:
    """A path counts from the output folder, an address is an address."""
    assert Path(database.place(address, Path("out"))) == Path(place)


def test_an_address_of_a_file(tmp_path: Path) -> None:
    """``sqlite:///path`` and the path are the same ledger."""
    with open_ledger(f"sqlite:///{tmp_path / 'book.db'}") as book:
        book.record_close(run(), [pack(TWO)])
    with open_ledger(tmp_path / "book.db", create=False) as book:
        assert QUARTER in book.closed()


def test_a_newer_ledger_is_refused(address: str) -> None:
    """An older release does not write into what it does not know."""
    with open_ledger(address) as book, book._engine.begin() as connection:
        connection.execute(database._schema.insert(), {"version": database.VERSION + 1})
    with pytest.raises(SourceError, match="a newer release wrote this ledger"):
        open_ledger(address)


def test_an_older_ledger_is_brought_forward(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps run once, in order, and what was issued stays."""
    with open_ledger(address) as book:
        book.record_close(run(), [pack(TWO)])
    monkeypatch.setattr(database, "VERSION", database.VERSION + 1)
    step = "CREATE TABLE later (x INTEGER)"
    monkeypatch.setitem(database._STEPS, database.VERSION - 1, lambda connection: connection.exec_driver_sql(step))
    for _ in range(2):
        with open_ledger(address) as book:
            assert QUARTER in book.closed()
            assert rows(book)["ledger_schema"] == database.VERSION


def test_what_is_not_there(book: Ledger) -> None:
    """Unknown ids are told, an unknown quarter has nothing."""
    for ask in (lambda: book.run("none"), lambda: book.slice("none")):
        with pytest.raises(SourceError, match=r'holds no (run|pack) "none"'):
            ask()
    assert (book.issued("1999-Q1"), book.states(["none"]), book.evidence([])) == ({}, {}, {})


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    """One fault in plain words."""
    path = tmp_path / "ledger.sqlite"
    path.write_text("Deal,Amount\n" * 100)
    with pytest.raises(SourceError, match="the ledger says: file is not a database"):
        open_ledger(path)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "mysql", "duckdb", "postgresql+psycopg"])
def test_no_secret_is_told(scheme: str) -> None:
    """Neither a server that is not there nor a wrong address tells the password."""
    for rest in (f"ann:{SECRET}@127.0.0.1:1/pbr", f"ann:{SECRET}@127.0.0.1:port/pbr"):
        with pytest.raises(InputError) as caught:
            open_ledger(f"{scheme}://{rest}?connect_timeout=2")
        assert SECRET not in str(caught.value)
        assert "127.0.0.1" in caught.value.where


def test_a_ledger_in_use_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits too long hears why."""
    path = tmp_path / "ledger.sqlite"
    open_ledger(path).close()
    monkeypatch.setattr(database, "_WAIT", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with open_ledger(path) as book, pytest.raises(SourceError, match="locked") as caught:
        book.record_close(run(), [pack(TWO)])
    other.close()
    assert "another process writes it" in caught.value.fix


@pytest.mark.parametrize("address", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_what_a_server_cannot_hold(book: Ledger) -> None:
    """PostgreSQL's text knows no zero byte; that is one fault, and nothing is kept."""
    with pytest.raises(SourceError, match=r"the ledger says: .*NUL"):
        book.record_close(run(), [pack([deal("d\x00", "1")])])
    assert (book.issued(QUARTER), book.closed()) == ({}, {})


def test_the_same_close_gives_the_same_rows(tmp_path: Path) -> None:
    """No clock and no chance is in what is kept, but for the note of the database when it was written."""
    kept = []
    for name in ("a", "b"):
        with open_ledger(tmp_path / name) as book:
            book.record_close(run(), (pack(TWO, f"P-{n}") for n in range(3)))
        with sqlite3.connect(tmp_path / name) as raw:
            names = [c.name for c in database._pack.c if c.name != "recorded_at"]
            kept.append(raw.execute(f"SELECT {', '.join(names)} FROM pack").fetchall())
        raw.close()
    assert kept[0] == kept[1]
