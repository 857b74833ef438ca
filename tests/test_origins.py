"""Where rows come from: files, folders, patterns, links and copies of what lies elsewhere; found, ordered, or told."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import origins, reading
from pbr_lib.errors import InputError, SourceError
from pbr_lib.mapping import Source
from pbr_lib.origins import Base, Piece

CONTENT = "Deal,Title\nD-1,One\n"
DEALS: dict[str, Any] = {
    "pbr": 1,
    "table": "opportunities",
    "as_of": "2026-09-30",
    "covers_from": "2025-01-01",
    "columns": {"Title": "name", "Deal": "opportunity_id"},
}


@pytest.fixture
def base(tmp_path: Path) -> Base:
    """An empty data folder, and a folder for what is fetched."""
    (tmp_path / "data").mkdir()
    return Base(tmp_path / "data", "data", tmp_path / "output" / "fetched")


def source(**keys: Any) -> Source:
    """The mapping of the deals with these keys."""
    return Source(**(DEALS | keys))


def put(base: Base, *names: str, content: str = CONTENT) -> None:
    """Exports of these names."""
    for name in names:
        path = base.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")


def names(base: Base, **keys: Any) -> list[str]:
    """The names of the pieces, in their order."""
    return [piece.name for piece in origins.pieces(source(**keys), base, "deals")]


def fault(base: Base, **keys: Any) -> SourceError:
    """The fault of asking for the pieces."""
    with pytest.raises(SourceError) as caught:
        origins.pieces(source(**keys), base, "deals")
    assert caught.value.fix
    return caught.value


# ------------------------------------------------------------------------------------------------- files


def test_one_file(base: Base) -> None:
    """A file is one piece, with its fingerprint, its name in messages, and its table."""
    put(base, "deals.csv")
    (piece,) = origins.pieces(source(file="deals.csv"), base, "deals")
    assert (piece.name, piece.shown, piece.sha256) == (
        "deals.csv",
        "data/deals.csv",
        reading.sha256(piece.path),
    )
    table = piece.open()
    assert table.labels == ("Deal", "Title")
    assert not origins.absent(source(file="deals.csv"), base, "deals")


def test_a_missing_file_names_the_nearest(base: Base) -> None:
    """A file that was saved under another name is suggested."""
    put(base, "deals-2026.csv")
    assert origins.absent(source(file="deals.csv"), base, "deals")
    told = fault(base, file="deals.csv")
    assert (told.what, told.where) == ("this export is missing", "data/deals.csv")
    assert 'is it "deals-2026.csv"?' in told.fix
    assert "params/sources/deals.yaml" in told.fix


def test_signs_of_patterns_in_a_name(base: Base) -> None:
    """A browser's second download is a file, and no pattern."""
    put(base, "deals [1].csv", "deals 1.csv")
    assert names(base, file="deals [1].csv") == ["deals [1].csv"]


def test_a_file_beside_the_data_folder(base: Base, tmp_path: Path) -> None:
    """A path may climb out of the folder or begin at the root; so may a pattern."""
    put(base, "../other/deals-1.csv")
    for file in (
        "../other/deals-1.csv",
        "../other/deals-*.csv",
        str(tmp_path / "other/deals-1.csv"),
        str(tmp_path / "oth*" / "*.csv"),
    ):
        assert names(base, file=file) == ["deals-1.csv"], file
    (piece,) = origins.pieces(source(file="../other/deals-1.csv"), base, "deals")
    assert piece.shown == "data/../other/deals-1.csv"


@pytest.mark.parametrize("file", ["a\0b.csv", "x" * 300 + ".csv", "deals.csv/../../x", "nowhere/*.csv", "*", "../*"])
def test_names_that_cannot_be(base: Base, file: str) -> None:
    """No name makes more than a fault with a remedy."""
    fault(base, file=file)


def test_links(base: Base) -> None:
    """A link is what it leads to; one that leads nowhere, or in a circle, is told."""
    put(base, "real/deals.csv")
    (base.data / "link.csv").symlink_to(base.data / "real" / "deals.csv")
    (base.data / "folder").symlink_to(base.data / "real")
    (base.data / "broken.csv").symlink_to(base.data / "gone.csv")
    (base.data / "circle.csv").symlink_to(base.data / "circle.csv")
    assert names(base, file="link.csv") == ["link.csv"]
    assert names(base, file="folder") == ["deals.csv"]
    assert names(base, file="*.csv") == ["link.csv"]
    assert fault(base, file="broken.csv").what == "this link leads nowhere"
    assert "link" in fault(base, file="circle.csv").what


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among files")
def test_a_pipe_is_no_export(base: Base) -> None:
    """What is no ordinary file is not opened, since it may never end."""
    os.mkfifo(base.data / "deals.csv")
    assert fault(base, file="deals.csv").what == "this is no ordinary file"
    assert fault(base, file="*.csv").what == "no file fits this pattern"


def test_what_may_not_be_read(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder or file of someone else is told as such, and not as missing."""
    put(base, "deals.csv", "folder/deals.csv")

    def refuse(*_: object) -> Any:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(reading, "sha256", refuse)
        told = fault(base, file="deals.csv")
    assert (told.what, told.where) == ("this cannot be read: Permission denied", "data/deals.csv")
    monkeypatch.setattr(Path, "iterdir", refuse)
    for file in ("folder", "folder/*.csv", "*.csv"):
        assert fault(base, file=file).what == "this cannot be read: Permission denied"
        with pytest.raises(SourceError, match="Permission denied"):
            origins.absent(source(file=file), base, "deals")


# ------------------------------------------------------------------------------------- folders and order


def test_an_empty_folder_and_an_empty_pattern(base: Base) -> None:
    """Locks of a spreadsheet, halves of downloads and what systems leave behind are no exports."""
    for name in ("~$deals.xlsx", ".hidden.csv", "deals.csv.crdownload", "Thumbs.db", "deeper/deals.csv"):
        put(base, f"drops/{name}")
    assert fault(base, file="drops").what == "no export lies in this folder"
    assert fault(base, file="drops/*").what == "no file fits this pattern"
    assert origins.absent(source(file="drops"), base, "deals")
    assert names(base, file="drops/**/*.csv") == ["deals.csv"]


def test_several_files_need_a_word(base: Base) -> None:
    """Which of several files is meant is never guessed."""
    put(base, *(f"drops/deals-{number}.csv" for number in range(1, 7)))
    told = fault(base, file="drops")
    assert told.what == "6 files fit drops: deals-1.csv, deals-2.csv, deals-3.csv, deals-4.csv, ..."
    assert "pick: newest or pick: all" in told.fix


def test_newest_and_all(base: Base) -> None:
    """The newest alone, or all with the newest first; ten comes after nine."""
    put(base, "drops/deals-9.csv", "drops/deals-10.csv", "drops/deals-1.csv")
    assert names(base, file="drops", pick="newest") == ["deals-10.csv"]
    assert names(base, file="drops/*.csv", pick="all") == ["deals-10.csv", "deals-9.csv", "deals-1.csv"]


def test_the_clock_of_the_file_system_means_nothing(base: Base) -> None:
    """A copied folder gives the same pieces."""
    put(base, "drops/deals-2026-09-30.csv", "drops/deals-2026-10-01.csv")
    os.utime(base.data / "drops/deals-2026-10-01.csv", (0, 0))
    assert names(base, file="drops", pick="newest") == ["deals-2026-10-01.csv"]


def test_dates_in_names_by_the_mapping(base: Base) -> None:
    """A format of the name decides, and a name without a date is told."""
    put(base, "drops/deals 30.09.2026.csv", "drops/deals 01.10.2026.csv")
    as_of = {"file_name": "%d.%m.%Y"}
    assert names(base, file="drops", pick="newest", as_of=as_of) == ["deals 01.10.2026.csv"]
    put(base, "drops/deals.csv")
    told = fault(base, file="drops", pick="newest", as_of=as_of)
    assert told.what == 'no date like %d.%m.%Y stands in the name "deals.csv"'


def test_dates_in_names_that_nobody_described(base: Base) -> None:
    """Days at the start of a name are ordered by the export's own format, else asked for."""
    put(base, "drops/deals 03.09.2026.csv", "drops/deals 01.10.2026.csv")
    keys: dict[str, Any] = {"file": "drops", "pick": "newest"}
    assert names(base, **keys, date_format="%d.%m.%Y") == ["deals 01.10.2026.csv"]
    assert names(base, **keys, date_format="%m/%d/%Y") == ["deals 03.09.2026.csv"]
    told = fault(base, **keys)
    assert "which of their numbers is the day" in told.what
    assert "file_name" in told.fix


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=6, unique=True), st.randoms(use_true_random=False))
def test_numbers_in_names_are_numbers(numbers: list[int], dice: random.Random) -> None:
    """Whatever the order of a listing, pieces are ordered by the number in their name."""
    paths = [Path(f"deals-{number}.csv") for number in numbers]
    dice.shuffle(paths)
    ordered = origins._newest_first(paths, source(file="drops"), "m")
    assert [path.name for path in ordered] == [f"deals-{number}.csv" for number in sorted(numbers, reverse=True)]


# ----------------------------------------------------------------------------------- what lies elsewhere


def crm(base: Base, *ids: str) -> None:
    """A database with deals of these ids."""
    connection = sqlite3.connect(base.data / "crm.db")
    connection.execute("DROP TABLE IF EXISTS deals")
    connection.execute("CREATE TABLE deals (Title TEXT, Deal TEXT)")
    connection.executemany("INSERT INTO deals VALUES ('Title', ?)", [(each,) for each in ids])
    connection.commit()
    connection.close()


SQL: dict[str, Any] = {"sql": {"url": "sqlite:///crm.db", "table": "deals"}}


def ids(piece: Piece) -> list[str]:
    """The ids that a piece holds."""
    table = piece.open()
    at = table.labels.index("Deal")
    return [text for batch in table.batches() for text in batch.columns[at].text.to_pylist()]


def test_a_database_is_asked_once(base: Base) -> None:
    """Rows are read from what was fetched, ordered by the key, until they are fetched anew."""
    crm(base, "D-2", "D-1")
    deals = source(**SQL)
    assert origins.absent(deals, base, "deals")
    assert fault(base, **SQL).what == "nothing could be fetched"
    origins.refresh(deals, base, "deals")
    assert not origins.absent(deals, base, "deals")
    (piece,) = origins.pieces(deals, base, "deals")
    assert (piece.name, piece.shown, ids(piece)) == ("deals", deals.origin, ["D-1", "D-2"])
    crm(base, "D-3")
    assert ids(origins.pieces(deals, base, "deals")[0]) == ["D-1", "D-2"]
    origins.refresh(deals, base, "deals")
    (again,) = origins.pieces(deals, base, "deals")
    assert ids(again) == ["D-3"]
    assert again.sha256 != piece.sha256


def test_equal_rows_have_an_equal_fingerprint(base: Base) -> None:
    """A database that shuffles its rows changes nothing."""
    prints = set()
    for order in (("D-1", "D-2", "D-3"), ("D-3", "D-1", "D-2")):
        crm(base, *order)
        origins.refresh(source(**SQL), base, "deals")
        prints.add(origins.pieces(source(**SQL), base, "deals")[0].sha256)
    assert len(prints) == 1


def test_a_changed_mapping_is_not_served_the_old(base: Base) -> None:
    """What was fetched for another query, or from another place, is not there."""
    crm(base, "D-1")
    origins.refresh(source(**SQL), base, "deals")
    other = {"sql": {"url": "sqlite:///crm.db", "query": "SELECT * FROM deals"}}
    assert origins.absent(source(**other), base, "deals")
    assert fault(base, **other).what == "nothing could be fetched"
    assert origins.absent(source(file="https://host.example/deals.csv"), base, "deals")


def test_a_server_that_fails_leaves_the_old(base: Base) -> None:
    """When a database does not answer, what was fetched last is still there."""
    crm(base, "D-1")
    origins.refresh(source(**SQL), base, "deals")
    (base.data / "crm.db").unlink()
    with pytest.raises(SourceError, match="this database file is missing"):
        origins.refresh(source(**SQL), base, "deals")
    assert ids(origins.pieces(source(**SQL), base, "deals")[0]) == ["D-1"]


def test_files_are_not_fetched(base: Base) -> None:
    """A file needs no fetching."""
    origins.refresh(source(file="deals.csv"), base, "deals")
    assert not base.fetched.exists()


def test_an_address(base: Base) -> None:
    """Files of an address are fetched, chosen and named like files, without the secrets of the address."""
    fsspec = pytest.importorskip("fsspec", reason="the extra url is not installed")
    store = fsspec.filesystem("memory")
    store.store.clear()
    for number in (9, 10):
        store.pipe(f"/drops/deals-{number}.csv", f"Deal,Title\nD-{number},One\n".encode())
    deals = source(file="memory://drops/*.csv", pick="all")
    origins.refresh(deals, base, "deals")
    store.store.clear()
    pieces = origins.pieces(deals, base, "deals")
    assert [piece.shown for piece in pieces] == [f"memory://drops/*.csv (deals-{n}.csv)" for n in (10, 9)]
    assert [ids(piece) for piece in pieces] == [["D-10"], ["D-9"]]
    assert fault(base, file="https://ann:pw@host.example/x.csv?sig=1").where == "https://host.example/x.csv"
    with pytest.raises(SourceError, match="no file fits"):
        origins.refresh(deals, base, "deals")
    assert origins.pieces(deals, base, "deals") == pieces


def test_a_piece_without_a_reader() -> None:
    """A piece that nobody opened says so."""
    with pytest.raises(InputError, match="no reader"):
        Piece("deals.csv", "data/deals.csv", Path("deals.csv"), "").open()
