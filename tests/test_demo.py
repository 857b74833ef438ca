"""The demo exports: same arguments, same bytes; and the truths that packs are checked against by hand."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from pbr_lib import demo
from pbr_lib.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "data" / "demo"
FILES = (
    "opportunities-report.csv",
    "leads-report.csv",
    "accounts-report.csv",
    "partners.xlsx",
    "partner-portal.xlsx",
)
QUARTER = (dt.datetime(2026, 7, 1), dt.datetime(2026, 10, 1))


def report(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of a report, without its footer."""
    table, _, _ = (folder / name).read_text(encoding="utf-8").partition("\n\n")
    return list(csv.DictReader(io.StringIO(table)))


def sheet(folder: Path, name: str, title: str) -> list[dict[str, Any]]:
    """The rows of a sheet whose header stands in row 4."""
    rows = CalamineWorkbook.from_path(str(folder / name)).get_sheet_by_name(title).to_python(skip_empty_area=False)
    return [dict(zip(rows[3], row, strict=True)) for row in rows[4:]]


def when(text: str) -> dt.datetime:
    """A date and time of a report."""
    return dt.datetime.strptime(text, "%m/%d/%Y %I:%M %p")


def day(text: str) -> dt.date:
    """A date of a report."""
    return dt.datetime.strptime(text, "%m/%d/%Y").date()


def in_quarter(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows created in 2026-Q3."""
    return [row for row in rows if QUARTER[0] <= when(row["Created Date"]) < QUARTER[1]]


def account_of(folder: Path, partner_id: str) -> str:
    """The account id of a partner."""
    partners = sheet(folder, "partners.xlsx", "Partners")
    return next(row["Account ID"] for row in partners if row["Partner ID"] == partner_id)


def named(folder: Path, name: str) -> dict[str, str]:
    """The one opportunity of that name."""
    rows = [row for row in report(folder, FILES[0]) if row["Opportunity Name"] == name]
    assert len(rows) == 1
    return rows[0]


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of another size and seed."""
    folder = tmp_path_factory.mktemp("larger")
    demo.write(folder, partners=40, opportunities=2000, seed=7)
    return folder


@pytest.mark.parametrize("size", [(12, 600, 1), (20, 300, 5)])
def test_same_arguments_same_bytes(tmp_path: Path, size: tuple[int, int, int]) -> None:
    """Two processes with other hash seeds, time zones and languages write the same bytes."""
    code = (
        "import sys, pathlib; from pbr_lib import demo; demo.write(pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:]))"
    )
    hashes = []
    for number, surroundings in enumerate(
        ({"PYTHONHASHSEED": "0", "TZ": "UTC"}, {"PYTHONHASHSEED": "4711", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"})
    ):
        folder = tmp_path / str(number)
        command = [sys.executable, "-c", code, str(folder), *map(str, size)]
        subprocess.run(command, check=True, cwd=ROOT, env=os.environ | surroundings)
        hashes.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()})
    assert hashes[0] == hashes[1]
    assert sorted(hashes[0]) == sorted(FILES)


def test_shipped_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    """The files in data/demo come from the default arguments; packed parts are compared, as zlib versions differ."""
    assert [path.name for path in demo.write(tmp_path)] == list(FILES)
    assert sum((SHIPPED / name).stat().st_size for name in FILES) < 400_000
    for name in FILES:
        made, shipped = tmp_path / name, SHIPPED / name
        if name.endswith(".csv"):
            assert made.read_bytes() == shipped.read_bytes(), name
            continue
        with zipfile.ZipFile(made) as left, zipfile.ZipFile(shipped) as right:
            assert left.namelist() == right.namelist()
            for part in left.namelist():
                assert left.read(part) == right.read(part), (name, part)


def test_seeds_differ(tmp_path: Path) -> None:
    """Another seed makes other deals."""
    demo.write(tmp_path / "one", opportunities=200, seed=1)
    demo.write(tmp_path / "two", opportunities=200, seed=2)
    assert (tmp_path / "one" / FILES[0]).read_bytes() != (tmp_path / "two" / FILES[0]).read_bytes()


@pytest.mark.parametrize(
    "wrong",
    [
        {"partners": 11},
        {"partners": 50_001},
        {"opportunities": 99},
        {"opportunities": 2_000_001},
        {"seed": -1},
        {"seed": True},
        {"partners": "12"},
        {"opportunities": 600.0},
    ],
)
def test_wrong_arguments(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A number that cannot be made is the user's fault, named, and nothing is written."""
    with pytest.raises(InputError) as caught:
        demo.write(tmp_path / "new", **wrong)
    assert caught.value.where == next(iter(wrong))
    assert caught.value.fix
    assert not (tmp_path / "new").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A file where the folder should be is refused."""
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError):
        demo.write(tmp_path / "taken")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", FILES[:3])
def test_reports_look_like_salesforce(name: str) -> None:
    """Every value is quoted, lines end in LF, and five lines of words stand below an empty line."""
    text = (SHIPPED / name).read_bytes().decode("utf-8")
    assert "\r" not in text
    table, _, footer = text.partition("\n\n")
    assert all(line.startswith('"') and line.endswith('"') for line in table.splitlines())
    assert len(footer.splitlines()) == 5
    assert "Generated By:  Partner Operations  9/4/2026 11:30 PM" in footer
    assert footer.endswith('"Larkfield Software"\n')


def test_sizes() -> None:
    """The demo has the size that was asked for."""
    assert len(report(SHIPPED, FILES[0])) == 600
    assert len(report(SHIPPED, FILES[1])) == 500
    assert len(sheet(SHIPPED, "partners.xlsx", "Partners")) == 12
    assert 150 <= len(sheet(SHIPPED, "partner-portal.xlsx", "Deal Registrations")) - 1 <= 210
    assert 130 <= len(sheet(SHIPPED, "partner-portal.xlsx", "Certifications")) <= 180
    assert not (SHIPPED / "csat-survey.csv").exists()


def test_aurora_has_three_leads(larger: Path) -> None:
    """P-001 brought three leads in 2026-Q3 whatever the seed; a duplicate and one from 30 June do not count."""
    for folder in (SHIPPED, larger):
        mine = [row for row in report(folder, FILES[1]) if row["Sourcing Partner"] == account_of(folder, "P-001")]
        states = [(row["Company"], row["Lead Status"]) for row in in_quarter(mine)]
        assert states == [
            ("Fjord & <Söhne>", "Closed - Converted"),
            ("Sälen Skidanläggningar AB", "Working - Contacted"),
            ("Salen Skidanlaggningar", "Duplicate"),
            ("Tammerkoski Paper Oy", "Open - Not Contacted"),
        ]
        created = [row["Created Date"] for row in mine]
        assert "7/1/2026 12:30 AM" in created
        assert "6/30/2026 11:40 PM" in created


def test_aurora_pipeline_can_be_added_by_hand(larger: Path) -> None:
    """P-001 sourced four deals in 2026-Q3: EUR 85,500 of its own and 60 % of USD 90,000."""
    for folder in (SHIPPED, larger):
        account = account_of(folder, "P-001")
        rows = [row for row in in_quarter(report(folder, FILES[0])) if account in row["Sourcing Partner"].split(";")]
        found = [(row["Amount Currency"], Decimal(row["Amount"]), row["Sourcing Split"]) for row in rows]
        assert found == [
            ("EUR", Decimal(42_000), ""),
            ("USD", Decimal(90_000), "60;40"),
            ("EUR", Decimal(18_500), ""),
            ("EUR", Decimal(25_000), ""),
        ]
        assert rows[1]["Sourcing Partner"] == f"{account};{account_of(folder, 'P-012')}"


def test_quartz_has_seven_leads(larger: Path) -> None:
    """P-012 brought seven leads in 2026-Q3 whatever the seed."""
    for folder in (SHIPPED, larger):
        account = account_of(folder, "P-012")
        mine = [row for row in report(folder, FILES[1]) if row["Sourcing Partner"] == account]
        assert len(in_quarter(mine)) == 7


def test_silent_and_new_partner(larger: Path) -> None:
    """P-007 never did anything; P-008 did little, and nothing before it joined."""
    for folder in (SHIPPED, larger):
        silent, new = account_of(folder, "P-007"), account_of(folder, "P-008")
        dates = []
        for name, columns in ((FILES[0], ("Sourcing Partner", "Influencing Partners", "Reseller")), (FILES[1], ())):
            for row in report(folder, name):
                credited = ";".join(row[column] for column in columns or ("Sourcing Partner",)).split(";")
                assert silent not in credited
                dates += [when(row["Created Date"]).date()] * (new in credited)
        assert len(dates) == 3
        portal = [*sheet(folder, "partner-portal.xlsx", "Certifications")]
        portal += sheet(folder, "partner-portal.xlsx", "Deal Registrations")[:-1]
        assert "P-007" not in {row["Partner ID"] for row in portal}
        dates += [row.get("Issued") or row["Submitted"] for row in portal if row["Partner ID"] == "P-008"]
        assert min(dates) >= dt.date(2026, 8, 10)


def test_awkward_deals() -> None:
    """A reopened deal keeps its loss reason, one is won on the last day of a quarter, one has a very long name."""
    reopened = named(SHIPPED, "=1+1 Analytics – Data platform")
    assert (reopened["Stage"], reopened["Loss Reason"]) == ("Negotiation/Review", "No budget (reopened 12 Aug 2026)")
    last_day = named(SHIPPED, "@Work – Analytics seats")
    assert (last_day["Stage"], last_day["Close Date"]) == ("Closed Won", "6/30/2026")
    names = [row["Opportunity Name"] for row in report(SHIPPED, FILES[0])]
    assert max(map(len, names)) == 180
    companies = {row["Account Name"] for row in report(SHIPPED, FILES[2])}
    assert {"Fjord & <Söhne>", "+Plus Energy", "@Work Ltd", "=1+1 Analytics", "L'Étoile du Nord"} <= companies


def test_credit_is_mixed() -> None:
    """About 40 % of the deals are direct; others are sourced by one, influenced by another, resold by a third."""
    rows = report(SHIPPED, FILES[0])
    direct = [row for row in rows if not (row["Sourcing Partner"] or row["Influencing Partners"] or row["Reseller"])]
    assert 0.35 <= len(direct) / len(rows) <= 0.45
    three = [row for row in rows if row["Sourcing Partner"] and row["Influencing Partners"] and row["Reseller"]]
    assert any(len({row["Sourcing Partner"], row["Influencing Partners"], row["Reseller"]}) == 3 for row in three)
    for row in rows:
        source, helpers = row["Sourcing Partner"].split(";"), row["Influencing Partners"].split(";")
        assert len(set(helpers)) == len(helpers)
        assert not any(source) or not set(source) & set(helpers)
        split = [int(part) for part in row["Sourcing Split"].split(";") if part]
        assert (len(split), sum(split)) == ((2, 100) if len(source) == 2 else (0, 0))


def test_believable_shape() -> None:
    """Quarters are back-loaded, the programme grows, a third of what closes is won, a cycle takes three months."""
    rows = [row for row in report(SHIPPED, FILES[0]) if row["Stage"].startswith("Closed")]
    won = [row for row in rows if row["Stage"] == "Closed Won"]
    assert 0.30 <= len(won) / len(rows) <= 0.36
    thirds = Counter((day(row["Close Date"]).month - 1) % 3 for row in rows)
    assert thirds[2] > 1.5 * thirds[0]
    cycle = sorted((day(row["Close Date"]) - when(row["Created Date"]).date()).days for row in rows)
    assert cycle[0] > 0
    assert 75 <= cycle[len(cycle) // 2] <= 105
    years = Counter(when(row["Created Date"]).date() >= dt.date(2025, 7, 1) for row in report(SHIPPED, FILES[0]))
    assert years[True] > years[False]


@pytest.mark.parametrize("which", ["shipped", "larger"])
def test_records_fit_together(which: str, larger: Path) -> None:
    """Ids are unique and lead somewhere, nothing is later than the export, and closed deals closed before it."""
    folder = SHIPPED if which == "shipped" else larger
    deals, leads, accounts = (report(folder, name) for name in FILES[:3])
    partners = sheet(folder, "partners.xlsx", "Partners")
    by_id = {row["Opportunity ID"]: row for row in deals}
    known = {row["Account ID"] for row in accounts}
    for rows, column, prefix in ((deals, "Opportunity ID", "006"), (leads, "Lead ID", "00Q")):
        ids = [row[column] for row in rows]
        assert len(set(ids)) == len(ids)
        assert all(len(value) == 15 and value.startswith(prefix) for value in ids)
    assert len(known) == len(accounts)
    assert {row["Account ID"] for row in partners} | {row["Account ID"] for row in deals} <= known
    for column in ("Partner ID", "Partner Name", "Domain"):
        assert len({row[column] for row in partners}) == len(partners)
    as_of = dt.datetime(2026, 9, 4, 23, 30)
    assert all(dt.datetime(2024, 7, 1) <= when(row["Created Date"]) <= as_of for row in (*deals, *leads))
    assert all(day(row["Close Date"]) <= as_of.date() for row in deals if row["Stage"].startswith("Closed"))
    converted = [row for row in leads if row["Lead Status"] == "Closed - Converted"]
    assert len(converted) > len(leads) // 10
    for row in converted:
        deal = by_id[row["Converted Opportunity ID"]]
        assert row["Sourcing Partner"] == deal["Sourcing Partner"]
        assert when(row["Created Date"]) < when(deal["Created Date"])
        assert day(row["Converted Date"]) == when(deal["Created Date"]).date()
    joined = {row["Account ID"]: row["Joined On"] for row in partners}
    for row in (*deals, *leads):
        credited = ";".join(row.get(key, "") for key in ("Sourcing Partner", "Influencing Partners", "Reseller"))
        assert all(joined[one] <= when(row["Created Date"]).date() for one in credited.split(";") if one)


def test_ids_that_differ_in_case_only() -> None:
    """Two partners' account ids differ in the case of one letter, so nobody may compare them carelessly."""
    second, fourth = account_of(SHIPPED, "P-002"), account_of(SHIPPED, "P-004")
    assert second != fourth
    assert second.lower() == fourth.lower()


@pytest.mark.parametrize("which", ["shipped", "larger"])
def test_portal_tables(which: str, larger: Path) -> None:
    """Registrations are decided, granted and counted as they should be; the last row is a grand total."""
    folder = SHIPPED if which == "shipped" else larger
    rows = sheet(folder, "partner-portal.xlsx", "Deal Registrations")
    total = rows.pop()
    assert (total["Registration No"], total["Partner ID"], total["Est. Amount"]) == ("Grand Total", len(rows), "")
    states = Counter(row["Status"] for row in rows)
    assert set(states) == {"Pending", "Approved", "Rejected", "Expired", "Withdrawn"}
    for row in rows:
        assert (row["Status"] == "Pending") == (row["Decided"] == "")
        assert (row["Status"] == "Rejected") == (row["Reject Reason"] != "")
        assert (row["Status"] in ("Approved", "Expired")) == (row["Expires"] != "")
        assert row["Submitted"] <= (row["Decided"] or dt.date(2026, 9, 4)) <= dt.date(2026, 9, 4)
    deals = {row["Opportunity ID"]: row for row in report(folder, FILES[0])}
    partner = {row["Partner ID"]: row["Account ID"] for row in sheet(folder, "partners.xlsx", "Partners")}
    linked = [row for row in rows if row["Opportunity ID"]]
    assert len(linked) > len(rows) // 2
    for row in linked:
        deal = deals[row["Opportunity ID"]]
        assert deal["Sourcing Partner"].split(";")[0] == partner[row["Partner ID"]]
        assert (deal["Account Name"], deal["Amount Currency"]) == (row["Customer"], row["Currency"])


def test_certificates_run_out() -> None:
    """Some people hold several credentials, some are expired, some will be within 90 days."""
    rows = sheet(SHIPPED, "partner-portal.xlsx", "Certifications")
    today = dt.date(2026, 9, 4)
    assert {row["Level"] for row in rows} == {"Associate", "Professional", "Expert"}
    assert max(Counter(row["Person"] for row in rows).values()) >= 3
    assert any(row["Expires"] < today for row in rows)
    assert any(today <= row["Expires"] <= today + dt.timedelta(days=90) for row in rows)
    assert all(row["Issued"] <= today for row in rows)
    assert len({row["Certificate No"] for row in rows}) == len(rows)


@pytest.mark.parametrize("name", FILES[3:])
def test_workbooks_hold_text_and_real_dates(name: str) -> None:
    """No cell is a formula, dates are dates, and a reader that trusts the stated size sees every row."""
    for read_only in (False, True):
        book = openpyxl.load_workbook(SHIPPED / name, read_only=read_only)
        for page in book.worksheets:
            cells = [cell for row in page.iter_rows(min_row=5) for cell in row]
            assert not [cell.value for cell in cells if cell.data_type == "f"]
            assert any(isinstance(cell.value, dt.datetime) and cell.number_format == "yyyy-mm-dd" for cell in cells)
            assert len(list(page.iter_rows())) == page.max_row > 10
        book.close()


def test_partner_names_survive() -> None:
    """Names that look like formulas, markup or foreign scripts arrive as they are."""
    names = [row["Partner Name"] for row in sheet(SHIPPED, "partners.xlsx", "Partners")]
    assert names[0] == "Aurora Systems (極光)"
    assert names[2:5] == ["D'Arcy-Özkan & Söhne GmbH", "=CMD() Labs", "<b>Bold</b> & *Partners* #1"]
    assert names[5].startswith("The Consolidated Intercontinental Managed Infrastructure")
    assert names[8:10] == ["Ελληνική Νεφέλη", "Северное Облако"]
