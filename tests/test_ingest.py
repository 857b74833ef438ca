"""Exports in, contracted tables out: every row is used or accounted for, every cell read or told."""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbr_lib import ingest, intake, origins, params
from pbr_lib.canonical import ARROW_TYPES
from pbr_lib.definitions import Workbook
from pbr_lib.errors import InputError, SourceError
from pbr_lib.ingest import Loaded
from pbr_lib.mapping import Source
from pbr_lib.model import Finding
from pbr_lib.params import Params
from pbr_lib.schema import TABLES

LABELS = {
    "ID": "opportunity_id",
    "Name": "name",
    "Stage": "stage",
    "Amount": "amount",
    "Currency": "currency",
    "Created": "created_at",
    "Closes": "close_date",
}
DEAL = {
    "ID": "O1",
    "Name": "Deal",
    "Stage": "Won",
    "Amount": "100.50",
    "Currency": "USD",
    "Created": "2026-07-01 09:30:00",
    "Closes": "2026-08-01",
    "Partner": "A",
    "Split": "",
}
DEALS: dict[str, Any] = {
    "pbr": 1,
    "file": "deals.csv",
    "table": "opportunities",
    "as_of": "2026-09-04",
    "covers_from": "2024-01-01",
    "columns": LABELS,
    "values": {"stage": {"Won": "won", "Lost": "lost", "Open": "open_mid"}},
    "attribution": [{"column": "Partner", "credit": "sourced", "match": "partner_id", "split": "Split"}],
}
PARTNERS: dict[str, Any] = {
    "pbr": 1,
    "file": "partners.csv",
    "table": "partners",
    "as_of": "2026-09-01",
    "covers_from": "2024-01-01",
    "columns": {"ID": "partner_id", "Name": "name", "Joined": "joined_on"},
}
PARTNER_ROWS = [{"ID": "A", "Name": "Alpha", "Joined": "2020-01-01"}, {"ID": "B", "Name": "Beta", "Joined": ""}]


def write(path: Path, rows: list[dict[str, str]], extra: str = "", labels: list[str] | None = None) -> None:
    """A CSV file of these rows, with ``extra`` behind them."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, labels or list(rows[0]), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes((out.getvalue() + extra).encode())


def workbook(root: Path, **sources: dict[str, Any]) -> Params:
    """Params with the partner list and these sources, whose files lie in ``data``."""
    (root / "data").mkdir(exist_ok=True)
    if not (root / "data" / "partners.csv").exists():
        write(root / "data" / "partners.csv", PARTNER_ROWS)
    keys = {"pbr": 1, "organisation": "Acme", "currency": "USD"}
    mappings = {name: Source.model_validate(source) for name, source in {"partners": PARTNERS, **sources}.items()}
    return Params(root, Workbook.model_validate(keys), {}, {}, {}, mappings, {})


def load(root: Path, rows: list[dict[str, str]], extra: str = "", **changes: Any) -> Loaded:
    """The tables of a workbook with these deals."""
    (root / "data").mkdir(exist_ok=True)
    write(root / "data" / "deals.csv", rows, extra, list(DEAL))
    return ingest.load(workbook(root, deals={**DEALS, **changes}))


def deal(number: int, **changes: str) -> dict[str, str]:
    """The usual deal under another number, with other cells."""
    return {**DEAL, "ID": f"O{number}", **changes}


def told(loaded: Loaded, *severities: str) -> list[Finding]:
    """The findings of these severities."""
    wanted = severities or ("error", "warning")
    return [finding for finding in loaded.findings if finding.severity in wanted and not finding.rule]


def ids(loaded: Loaded, table: str = "opportunities") -> list[str]:
    """The keys of a table's rows."""
    return loaded.tables[table][TABLES[table].key].to_pylist()


def accounted(loaded: Loaded) -> None:
    """For every source, rows read are rows used and rows set aside."""
    for extract in loaded.extracts:
        assert extract.rows_read == extract.rows_used + sum(extract.aside.values()), extract
        assert all(extract.aside.values())


# ---------------------------------------------------------------------------------------------- reading


def test_a_deal_becomes_a_row(tmp_path: Path) -> None:
    """Each cell arrives in its column with its type, and what follows from the stage is computed."""
    loaded = load(tmp_path, [DEAL, deal(2, Stage="Open", Amount="", Closes="")])
    assert told(loaded) == []
    first, second = loaded.tables["opportunities"].to_pylist()
    assert first["amount"] == Decimal("100.5000")
    assert first["created_at"] == dt.datetime(2026, 7, 1, 9, 30)
    assert first["close_date"] == dt.date(2026, 8, 1)
    assert (first["stage"], first["source_stage"]) == ("won", "Won")
    assert (first["is_open"], first["is_won"], first["is_lost"]) == (False, True, False)
    assert (second["is_open"], second["amount"], second["close_date"]) == (True, None, None)
    accounted(loaded)


def test_every_table_keeps_its_contract(tmp_path: Path, shared_workbook: Path) -> None:
    """Whatever the exports hold, each table has its columns in order, with their types, and unique keys."""
    for loaded in (load(tmp_path, [DEAL]), ingest.load(params.read(shared_workbook))):
        for name, spec in TABLES.items():
            table = loaded.tables[name]
            assert table.schema.equals(pa.schema([(column.name, ARROW_TYPES[column.kind]) for column in spec.columns]))
            keys = table[spec.key].to_pylist()
            assert len(set(keys)) == len(keys)
            assert all(table[column.name].null_count == 0 for column in spec.columns if column.required)


def test_the_shipped_exports_have_no_faults(shared_workbook: Path) -> None:
    """The demo is read without an error or a warning, row for row."""
    loaded = ingest.load(params.read(shared_workbook))
    assert told(loaded) == []
    accounted(loaded)
    assert loaded.as_of == max(extract.as_of for extract in loaded.extracts if extract.as_of)
    assert [extract.present for extract in loaded.extracts].count(False) == 1


def test_text_of_a_crm_stays_text(tmp_path: Path) -> None:
    """A name that looks like a formula, a query or markup is a name."""
    odd = ["=cmd|' /C calc'!A0", "x' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "NaN", "None", "NULL", "007"]
    loaded = load(tmp_path, [deal(n, Name=name) for n, name in enumerate(odd)])
    assert loaded.tables["opportunities"]["name"].to_pylist() == odd
    assert told(loaded) == []


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("100", ".", "100"),
        ("-5.25", ".", "-5.25"),
        ("1,234,567.5", ".", "1234567.5"),
        ("1.234.567,5", ",", "1234567.5"),
        ("0,5", ",", "0.5"),
        ("33.33335", ".", "33.3334"),
        ("24.78545", ".", "24.7855"),
        ("-24.78545", ".", "-24.7855"),
        ("107695.500000000014", ".", "107695.5"),
        ("99999999999999", ".", "99999999999999"),
        ("1,5", ".", None),
        ("1.5", ",", None),
        ("12,34,567", ".", "1234567"),
        ("1e5", ".", "100000"),
        ("$5", ".", "5"),
        ("(5)", ".", "-5"),
        ("5 USD", ".", "5"),
        ("12 k", ".", "12000"),
        ("12 q", ".", None),
        ("5 EUR 6", ".", None),
        ("٣", ".", None),
        ("999999999999999", ".", None),
        ("nan", ".", None),
        ("--5", ".", None),
    ],
)
def test_amounts_are_read_exactly_or_not_at_all(tmp_path: Path, text: str, decimal: str, value: str | None) -> None:
    """An amount is exact to four decimals; what is no plain number is an error with its row, never a guess."""
    loaded = load(tmp_path, [deal(1, Amount=text)], decimal=decimal)
    got = loaded.tables["opportunities"]["amount"].to_pylist()
    assert got == [None if value is None else Decimal(value)]
    errors = told(loaded)
    assert bool(errors) == (value is None)
    for error in errors:
        assert (error.severity, error.row, error.column, error.value) == ("error", 2, "Amount", text)
        assert "params/sources/deals.yaml" in error.fix


@pytest.mark.parametrize("decimal", [".", ","])
def test_numbers_of_a_workbook_have_no_decimal_sign(tmp_path: Path, decimal: str) -> None:
    """A cell that holds a number is that number, whichever sign the mapping names for text."""
    amounts = [123.567, 1234.5, 5, 1234567.0]
    book = openpyxl.Workbook()
    book.active.append(list(DEAL))
    for number, amount in enumerate(amounts):
        book.active.append([amount if label == "Amount" else cell for label, cell in deal(number).items()])
    (tmp_path / "data").mkdir()
    book.save(tmp_path / "data" / "deals.xlsx")
    loaded = ingest.load(workbook(tmp_path, deals={**DEALS, "file": "deals.xlsx", "decimal": decimal}))
    assert loaded.tables["opportunities"]["amount"].to_pylist() == [Decimal(str(amount)) for amount in amounts]
    assert told(loaded) == []


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        ("%Y-%m-%d", "2026-08-01", dt.date(2026, 8, 1)),
        ("%Y-%m-%d", "2199-12-31", dt.date(2199, 12, 31)),
        ("%Y-%m-%d", "9999-12-31", None),
        ("%d.%m.%Y", "01.08.2026", dt.date(2026, 8, 1)),
        ("%m/%d/%Y", "8/1/2026", dt.date(2026, 8, 1)),
        ("%Y-%m-%d", "2026-02-30", None),
        ("%Y-%m-%d", "01.08.2026", None),
        ("%d.%m.%Y", "08/01/2026", None),
        ("%Y-%m-%d", "2026-08-01 late", None),
        ("%Y-%m-%d", "46235", dt.date(2026, 8, 1)),
    ],
)
def test_dates_are_read_by_the_format_or_not_at_all(tmp_path: Path, form: str, text: str, value: Any) -> None:
    """A day is read by the one format that the mapping names, so month and day never change places."""
    rows = [deal(1, Closes=text, Created="2026-07-01 10:00:00")]
    loaded = load(tmp_path, rows, date_format=form)
    assert loaded.tables["opportunities"]["close_date"].to_pylist() == [value]
    assert [(f.severity, f.row, f.column, f.value) for f in told(loaded)] == (
        [] if value else [("error", 2, "Closes", text)]
    )


def test_a_timestamp_may_be_a_day(tmp_path: Path) -> None:
    """Where a time is wanted, a day alone is its first moment."""
    loaded = load(tmp_path, [deal(1, Created="2026-07-01")])
    assert loaded.tables["opportunities"]["created_at"].to_pylist() == [dt.datetime(2026, 7, 1)]


# --------------------------------------------------------------------------------- what does not fit


def test_a_stage_that_nobody_mapped(tmp_path: Path) -> None:
    """An unmapped stage is one error with value and count, its rows are set aside, and nothing is told twice."""
    loaded = load(tmp_path, [DEAL, deal(2, Stage="Commit"), deal(3, Stage="Commit"), deal(4, Stage="")])
    assert ids(loaded) == ["O1"]
    unmapped, empty = told(loaded)
    assert (unmapped.severity, unmapped.row, unmapped.value, unmapped.count) == ("error", 3, "Commit", 2)
    assert "params/sources/deals.yaml" in unmapped.fix
    assert (empty.severity, empty.row, empty.count) == ("error", 5, 1)
    assert "without stage" in empty.what
    accounted(loaded)


def test_many_odd_values_are_not_many_messages(tmp_path: Path) -> None:
    """A column that cannot be read at all is one error; scattered values are told one by one, eight at most."""
    rows = [deal(n, Closes=f"{n % 28 + 1}.8.2026") for n in range(40)]
    (whole,) = told(load(tmp_path, rows))
    assert "in 40 of 40 cells" in whole.what
    assert "params/sources/deals.yaml" in whole.fix
    rows = [deal(n, Amount=f"x{n}" if n < 12 else "5") for n in range(40)]
    scattered = told(load(tmp_path, rows))
    assert len(scattered) == 9
    assert sum(finding.count for finding in scattered) == 12
    assert all(finding.fix and finding.row for finding in scattered)


def test_the_same_row_again_and_the_same_key_with_other_content(tmp_path: Path) -> None:
    """A copy is a warning, a key with other content an error; the first row counts and the rest is accounted for."""
    loaded = load(tmp_path, [DEAL, DEAL, deal(1, Amount="7"), deal(2)])
    assert ids(loaded) == ["O1", "O2"]
    assert loaded.tables["opportunities"]["amount"].to_pylist()[0] == Decimal("100.5")
    error, warning = told(loaded)
    assert (error.severity, error.row, error.value) == ("error", 4, "O1")
    assert (warning.severity, warning.row, warning.value) == ("warning", 3, "O1")
    assert all(finding.fix for finding in (error, warning))
    (extract,) = [extract for extract in loaded.extracts if extract.source == "deals"]
    assert extract.aside == {"the same row again": 1, "the same key with other content": 1}
    accounted(loaded)


def test_two_sources_of_one_table(tmp_path: Path) -> None:
    """Two exports may fill one table; a key in both counts once, and the second row is accounted for."""
    more = {**DEALS, "file": "more.csv"}
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "deals.csv", [DEAL, deal(2)])
    write(tmp_path / "data" / "more.csv", [deal(2, Amount="9"), deal(3)])
    loaded = ingest.load(workbook(tmp_path, deals=DEALS, more=more))
    assert ids(loaded) == ["O1", "O2", "O3"]
    assert [extract.rows_used for extract in loaded.extracts] == [2, 2, 1]
    (warning,) = told(loaded)
    assert (warning.file, warning.row, warning.value, warning.count) == ("more.csv", 2, "O2", 1)
    assert warning.fix
    assert loaded.tables["attributions"].num_rows == 3
    accounted(loaded)


def test_rows_of_uneven_length(tmp_path: Path) -> None:
    """A row too long is an error and set aside, one too short a warning and used."""
    loaded = load(tmp_path, [DEAL], "O2,a,b,Won,5,USD,2026-07-01,2026-08-01,A,,more\nO3,c,Won,5,USD,2026-07-01\n")
    assert ids(loaded) == ["O1", "O3"]
    error, warning = told(loaded)
    assert (error.severity, error.row, warning.severity, warning.row) == ("error", 3, "warning", 4)
    assert all(finding.fix for finding in (error, warning))
    accounted(loaded)


def test_credit_for_a_partner_that_nobody_knows(tmp_path: Path) -> None:
    """A credited partner that the list lacks is a warning with row, column and value; the deal stays."""
    loaded = load(tmp_path, [DEAL, deal(2, Partner="Z"), deal(3, Partner="A;B", Split="50;60")])
    assert ids(loaded) == ["O1", "O2", "O3"]
    error, warning = told(loaded)
    assert (error.row, error.column, error.value) == (4, "Split", "50;60")
    assert (warning.row, warning.column, warning.value) == (3, "Partner", "Z")
    shares = {row["attribution_id"]: row["share"] for row in loaded.tables["attributions"].to_pylist()}
    assert shares == {"O1/A/sourced": 1, "O3/A/sourced": Decimal("0.5"), "O3/B/sourced": Decimal("0.5")}


def test_records_of_a_partner_that_nobody_knows(tmp_path: Path) -> None:
    """A registration of an unknown partner stays in its table, counts for no one, and is told."""
    source = {**DEALS, "file": "regs.csv", "table": "registrations", "values": {}, "attribution": []}
    source["columns"] = {"No": "registration_id", "Who": "partner_id", "When": "submitted_on", "State": "status"}
    (tmp_path / "data").mkdir()
    rows = [{"No": "1", "Who": "Z", "When": "2026-07-01", "State": "approved"}]
    write(tmp_path / "data" / "regs.csv", rows)
    loaded = ingest.load(workbook(tmp_path, regs=source))
    assert loaded.tables["registrations"].num_rows == 1
    (warning,) = told(loaded)
    assert (warning.value, warning.column, bool(warning.fix)) == ("Z", "partner_id", True)
    write(tmp_path / "data" / "regs.csv", [{**rows[0], "Who": "A", "State": "maybe"}])
    (error,) = told(ingest.load(workbook(tmp_path, regs=source)))
    assert error.value == "maybe"
    assert "approved" in error.what


def test_a_column_that_is_not_used_is_mentioned(tmp_path: Path) -> None:
    """A column that the mapping neither reads nor ignores is an information with a remedy."""
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "deals.csv", [{**DEAL, "Colour": "red"}])
    (info,) = told(ingest.load(workbook(tmp_path, deals=DEALS)), "info")
    assert (info.column, "params/sources/deals.yaml" in info.fix) == ("Colour", True)
    assert told(ingest.load(workbook(tmp_path, deals={**DEALS, "ignore": ["Colour"]})), "info") == []


def test_a_constant_fills_a_column(tmp_path: Path) -> None:
    """What the export does not say may be the same for every row."""
    columns = {label: name for label, name in LABELS.items() if label != "Currency"}
    loaded = load(tmp_path, [DEAL], columns=columns, constants={"currency": "EUR"})
    assert loaded.tables["opportunities"]["currency"].to_pylist() == ["EUR"]


# ------------------------------------------------------------------------------------- how fresh it is


@pytest.mark.parametrize(
    ("footer", "form", "day"),
    [
        ("Generated By: me 9/4/2026", "%m/%d/%Y", dt.date(2026, 9, 4)),
        ("generated by me on 04 Sep 2026 at noon", "%d %b %Y", dt.date(2026, 9, 4)),
        ("Generated By 13/45/2026\nGenerated By 9/4/2026", "%m/%d/%Y", dt.date(2026, 9, 4)),
        ("Generated By: me", "%m/%d/%Y", None),
        ("Made By: me 9/4/2026", "%m/%d/%Y", None),
        ("Generated By 99/99/2026", "%m/%d/%Y", None),
        ("", "%m/%d/%Y", None),
    ],
)
def test_the_day_of_an_export_is_found_or_asked_for(tmp_path: Path, footer: str, form: str, day: Any) -> None:
    """A report says when it was made; where it does not, that is one error which shows what it says instead."""
    stamp = {"find": "Generated By", "format": form}
    if day:
        loaded = load(tmp_path, [DEAL], f"\n{footer}\n", as_of=stamp)
        assert [e.as_of for e in loaded.extracts if e.source == "deals"] == [day]
        return
    with pytest.raises(SourceError, match="no line says") as caught:
        load(tmp_path, [DEAL], f"\n{footer}\n", as_of=stamp)
    assert caught.value.where == "data/deals.csv"
    assert "params/sources/deals.yaml" in caught.value.fix


def test_an_export_that_ends_before_it_begins(tmp_path: Path) -> None:
    """A day before the first one that is covered can only be a slip."""
    with pytest.raises(SourceError, match="before 2027-01-01") as caught:
        load(tmp_path, [DEAL], covers_from="2027-01-01")
    assert "covers_from" in caught.value.fix


def test_the_run_is_as_of_the_newest_export(tmp_path: Path) -> None:
    """The business day of a run comes from the exports and never from the clock."""
    assert load(tmp_path, [DEAL]).as_of == dt.date(2026, 9, 4)


# --------------------------------------------------------------------------------- exports that are not there


def test_an_optional_export_may_be_missing(tmp_path: Path) -> None:
    """What is optional and not there is an information, and its table is empty."""
    loaded = ingest.load(workbook(tmp_path, deals={**DEALS, "optional": True}))
    assert [extract.present for extract in loaded.extracts] == [True, False]
    (info,) = told(loaded, "info")
    assert (info.file, bool(info.fix)) == ("deals.csv", True)
    assert loaded.tables["opportunities"].num_rows == 0


def test_an_export_that_is_needed_may_not(tmp_path: Path) -> None:
    """Any other missing export is an error, and so is a missing folder of exports."""
    with pytest.raises(SourceError, match="missing") as caught:
        ingest.load(workbook(tmp_path, deals=DEALS))
    assert caught.value.where == "data/deals.csv"
    settings = workbook(tmp_path, deals=DEALS)
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(InputError, match="folder of the exports") as folder:
        ingest.load(settings)
    assert (folder.value.where, "params/workbook.yaml" in folder.value.fix) == ("data", True)


@pytest.mark.parametrize("rows", [[], [{"ID": "A", "Name": "", "Joined": ""}], [{"ID": "", "Name": "x", "Joined": ""}]])
def test_an_empty_partner_list_is_refused(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    """Without a partner there is nothing to measure, and the message says which file and why."""
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "partners.csv", rows, labels=["ID", "Name", "Joined"])
    with pytest.raises(SourceError, match="no partner came out") as caught:
        ingest.load(workbook(tmp_path))
    assert caught.value.where.startswith("data/partners.csv")
    assert caught.value.fix


# ----------------------------------------------------------------------------- the shipped exports, broken

SHIPPED = params.read(Path(__file__).resolve().parent.parent)
MAPPED = [
    (name, label)
    for name, source in SHIPPED.sources.items()
    if (SHIPPED.data / source.origin).is_file()
    for label in source.labels
]


def without(path: Path, sheet: str | None, label: str) -> None:
    """The export again, one column less."""
    if path.suffix == ".csv":
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        at = lines[0].index(label)
        out = io.StringIO(newline="")
        csv.writer(out).writerows([[*row[:at], *row[at + 1 :]] for row in lines])
        path.write_bytes(out.getvalue().encode())
        return
    book = openpyxl.load_workbook(path)
    cells = book[sheet or book.sheetnames[0]]
    header = next(row for row in cells.iter_rows() if label in [cell.value for cell in row])
    cells.delete_cols(next(cell.column for cell in header if cell.value == label))
    book.save(path)


@pytest.mark.parametrize(("name", "label"), MAPPED)
def test_a_column_deleted_from_a_shipped_export(tmp_path: Path, name: str, label: str) -> None:
    """Without any one of its mapped columns an export gives one error with file, row, column and mapping."""
    source = SHIPPED.sources[name]
    shutil.copy(SHIPPED.data / source.origin, tmp_path)
    without(tmp_path / source.origin, source.sheet, label)
    base = origins.Base(tmp_path, "data/demo", tmp_path / "fetched")
    with pytest.raises(SourceError) as caught:
        intake.take(name, source, origins.pieces(source, base, name), "UTC", tmp_path)
    error = caught.value
    assert error.what.startswith(f'a column is missing: "{label}" (')
    assert error.where.startswith(f"data/demo/{source.origin}")
    assert ", row " in error.where
    assert f"params/sources/{name}.yaml" in error.fix


# -------------------------------------------------------------------------------------------- accounting

_ROW = st.fixed_dictionaries(
    {
        "ID": st.sampled_from(["O1", "O2", "O3", "", " "]),
        "Name": st.sampled_from(["Deal", "", "Total", "=1+1"]),
        "Stage": st.sampled_from(["Won", "Open", "Lost", "Odd", ""]),
        "Amount": st.sampled_from(["1", "2.5", "1,000", "much", ""]),
        "Currency": st.sampled_from(["USD", ""]),
        "Created": st.sampled_from(["2026-07-01 10:00:00", "2026-07-01", "soon", ""]),
        "Closes": st.sampled_from(["2026-08-01", "never", ""]),
        "Partner": st.sampled_from(["A", "B", "A;B", "Z", ";", ""]),
        "Split": st.sampled_from(["", "50;50", "100", "x"]),
    }
)


@settings(max_examples=40)
@given(st.lists(_ROW, max_size=8), st.lists(st.sampled_from(["", "Total,1", "As of today", "x,y,z", ","]), max_size=3))
def test_no_row_vanishes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], footer: list[str]
) -> None:
    """Whatever the cells hold, rows read are rows used plus rows set aside, and every error has row and remedy."""
    root = tmp_path_factory.mktemp("rows")
    (root / "data").mkdir()
    write(root / "data" / "deals.csv", rows, "".join(f"{line}\r\n" for line in footer), list(DEAL))
    loaded = ingest.load(workbook(root, deals=DEALS))
    accounted(loaded)
    (extract,) = [extract for extract in loaded.extracts if extract.source == "deals"]
    assert extract.rows_read == len(rows) + len(footer)
    assert extract.rows_used == loaded.tables["opportunities"].num_rows
    for finding in told(loaded):
        assert finding.fix
        assert finding.row is not None
        assert 2 <= finding.row <= len(rows) + len(footer) + 1
    sourced = Counter(row["subject_id"] for row in loaded.tables["attributions"].to_pylist())
    assert set(sourced) <= set(ids(loaded))
