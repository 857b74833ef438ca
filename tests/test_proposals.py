"""Proposed mappings: whatever stands in an export, the proposal reads back, validates, and reads the export rightly."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbr_lib import ingest, mapping_checks, params, proposals, yamlfile
from pbr_lib.errors import InputError
from pbr_lib.mapping import FileName, Newest, Source, Stamp
from pbr_lib.proposals import Proposal
from pbr_lib.schema import TABLES

ROOT = Path(__file__).resolve().parents[1]
EXPORTS = Path(__file__).resolve().parents[2] / "shared" / "exports"
Propose = Callable[..., tuple[Proposal, ...]]

DEALS = """Deal ID,Deal Name,Customer,Stage,Amount,Close Date,Created Date,Partner
D1,Halle,Acme,Closed Won,"1,100.00",2026-02-20,2026-01-02,Beta
D2,Büro,Beck,Negotiation,"2,000.50",2026-09-20,2026-02-03,Gamma
D3,Lager,Cole,Closed Lost,300.00,2026-03-05,2026-03-01,
"""


@pytest.fixture
def propose(tmp_path: Path) -> Propose:
    """Writes files and proposes mappings for them: ``propose({"deals.csv": "..."})``."""

    def run(files: dict[str, str], known: dict[str, Source] | None = None) -> tuple[Proposal, ...]:
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name).write_bytes(text.encode())
        return proposals.propose([folder / name for name in files], lambda path: path.name, known, folder, "EUR")

    return run


def source_of(proposal: Proposal, folder: Path) -> tuple[Source, list[str]]:
    """A proposal as the strict reader reads it, and the faults that it has against the tables."""
    path = folder / "proposal.yaml"
    path.write_bytes(proposal.text.encode())
    document = yamlfile.read(path, f"{proposal.name}.yaml")
    source, errors = yamlfile.validate(Source, document)
    assert source is not None, [str(error) for error in errors]
    return source, [str(error) for error in mapping_checks.check_source(source, document)]


def read_whole(propose: Propose, files: dict[str, str], tmp_path: Path, edits: Sequence[tuple[str, str]] = ()) -> Any:
    """Propose, write, edit lines if need be, and read the exports with what was proposed."""
    root = tmp_path
    shutil.copytree(ROOT / "params", root / "params")
    shutil.rmtree(root / "params" / "sources")
    for folder in ("goals", "words"):
        shutil.rmtree(root / "params" / folder, ignore_errors=True)
    workbook = root / "params" / "workbook.yaml"
    workbook.write_text(workbook.read_text("utf-8").replace("data: data/demo", "data: data"), "utf-8")
    for path in proposals.write(root, propose(files)):
        text = path.read_text("utf-8")
        for old, new in edits:
            text = text.replace(old, new)
        path.write_text(text, "utf-8")
    return ingest.load(params.read(root))


def money(loaded: Any) -> dict[str, Decimal]:
    """The sum of amounts by stage."""
    rows = loaded.tables["opportunities"].to_pylist()
    return {
        stage: sum((row["amount"] for row in rows if row["stage"] == stage and row["amount"] is not None), Decimal(0))
        for stage in {row["stage"] for row in rows}
    }


# ------------------------------------------------------------------------------------------ what is proposed


def test_a_clear_export_is_mapped_without_a_question(propose: Propose, tmp_path: Path) -> None:
    deals, partners = propose({"deals.csv": DEALS})
    assert deals.decided and partners.decided
    source, faults = source_of(deals, tmp_path)
    assert not faults
    assert source.columns == {
        "Deal ID": "opportunity_id",
        "Deal Name": "name",
        "Customer": "account_name",
        "Stage": "stage",
        "Amount": "amount",
        "Close Date": "close_date",
        "Created Date": "created_at",
    }
    assert source.values["stage"] == {"Closed Won": "won", "Closed Lost": "lost", "Negotiation": "open_late"}
    assert source.constants == {"currency": "EUR"}
    assert [(credit.column, credit.credit, credit.match) for credit in source.attribution] == [
        ("Partner", "sourced", "name")
    ]
    listed, faults = source_of(partners, tmp_path)
    assert not faults
    assert (listed.table, listed.columns, listed.key, listed.repeats) == (
        "partners",
        {"Partner": "name"},
        ("Partner",),
        "expected",
    )


def test_every_column_is_mapped_or_listed(propose: Propose, tmp_path: Path) -> None:
    for each in propose({"deals.csv": DEALS.replace("Customer", "Favourite Colour")}):
        source, _ = source_of(each, tmp_path)
        used = {*source.labels, *source.ignore}
        assert {"Deal ID", "Deal Name", "Favourite Colour", "Stage", "Amount", "Close Date", "Partner"} <= used


def test_a_proposed_mapping_reads_its_export(propose: Propose, tmp_path: Path) -> None:
    loaded = read_whole(propose, {"deals.csv": DEALS}, tmp_path)
    assert money(loaded) == {"won": Decimal("1100"), "open_late": Decimal("2000.50"), "lost": Decimal("300")}
    assert len(loaded.tables["attributions"]) == 2
    assert not [finding for finding in loaded.findings if finding.severity == "error"]


def test_german_numbers_days_and_words(propose: Propose, tmp_path: Path) -> None:
    text = (
        "Stand: 31.08.2026;;;;;\nNr.;Kunde;Betrag;Phase;Abschlussdatum;Vertriebspartner;Angelegt am\n"
        "00123;Müller AG;12.500,00 €;Gewonnen;31.03.2026;Nord IT;01.02.2026\n"
        "00124;Schmidt;1.234,50 €;Verhandlung;15.10.2026;Süd Systeme;15.03.2026\n"
    )
    loaded = read_whole(propose, {"Umsatz.csv": text}, tmp_path)
    assert money(loaded) == {"won": Decimal("12500"), "open_late": Decimal("1234.50")}
    assert str(loaded.as_of) == "2026-08-31"
    rows = loaded.tables["opportunities"].to_pylist()
    assert {(row["opportunity_id"], row["currency"]) for row in rows} == {("00123", "EUR"), ("00124", "EUR")}


AMBIGUOUS = """Deal ID,Stage,Amount,Close Date,Created Date
D1,Won,10,03/09/2026,02/01/2026
D2,Lost,20,04/09/2026,02/03/2026
"""


def test_an_ambiguous_order_is_a_question_with_both_answers(propose: Propose, tmp_path: Path) -> None:
    (deals,) = propose({"deals.csv": AMBIGUOUS})
    assert not deals.decided
    (question,) = deals.questions
    lines = deals.text.splitlines()
    assert lines[question.line - 1].startswith("date_format: ask")
    assert 'date_format: "%m/%d/%Y"' in lines[question.line] and 'date_format: "%d/%m/%Y"' in lines[question.line + 1]
    _, faults = source_of(deals, tmp_path)
    assert len(faults) == 1 and "nobody has said yet" in faults[0]


@pytest.mark.parametrize(("form", "day"), [("%m/%d/%Y", "2026-03-09"), ("%d/%m/%Y", "2026-09-03")])
def test_an_answered_question_reads(propose: Propose, tmp_path: Path, form: str, day: str) -> None:
    loaded = read_whole(propose, {"deals.csv": AMBIGUOUS}, tmp_path, [("date_format: ask", f'date_format: "{form}"')])
    assert str(loaded.tables["opportunities"].to_pylist()[0]["close_date"]) == day


def test_a_clear_column_decides_for_its_neighbours(propose: Propose, tmp_path: Path) -> None:
    (deals,) = propose({"deals.csv": AMBIGUOUS.replace("04/09/2026", "04/19/2026")})
    source, _ = source_of(deals, tmp_path)
    assert deals.decided and source.date_format == ("%m/%d/%Y",) and source.timestamp_format == ("%m/%d/%Y",)
    assert any("could be read both ways" in note for note in deals.notes)


def test_the_date_around_the_data_decides_too(propose: Propose, tmp_path: Path) -> None:
    (deals,) = propose({"deals.csv": AMBIGUOUS + "\nGenerated By: Ann 9/30/2026\n"})
    source, _ = source_of(deals, tmp_path)
    assert source.date_format == ("%m/%d/%Y",)
    assert source.as_of == Stamp(find="Generated", format="%m/%d/%Y")


@pytest.mark.parametrize(
    ("name", "as_of"),
    [
        ("deals-2026-09-30.csv", FileName(file_name="%Y-%m-%d")),
        ("deals 30.09.2026.csv", FileName(file_name="%d.%m.%Y")),
        ("deals.csv", Newest(newest="created_at")),
        ("deals 03-04-2026.csv", Newest(newest="created_at")),
    ],
)
def test_how_fresh_an_export_is(propose: Propose, tmp_path: Path, name: str, as_of: object) -> None:
    source, _ = source_of(propose({name: DEALS})[0], tmp_path)
    assert source.as_of == as_of


def test_the_newest_touch_of_a_row_says_more_than_its_making(propose: Propose, tmp_path: Path) -> None:
    text = "\n".join(
        line + tail
        for line, tail in zip(
            DEALS.splitlines(), (",Last Modified", ",2026-05-01", ",2026-06-30", ",2026-04-01"), strict=True
        )
    )
    deals = propose({"deals.csv": text})[0]
    source, _ = source_of(deals, tmp_path)
    assert str(source.as_of) == "2026-06-30"
    assert any("Last Modified" in check for check in deals.checks)


def test_unknown_words_are_asked_and_seen_words_are_counted(propose: Propose, tmp_path: Path) -> None:
    (deals, _) = propose({"deals.csv": DEALS.replace("Negotiation", "Xyzzy")})
    (question,) = deals.questions
    assert "Xyzzy" in question.what
    assert deals.text.splitlines()[question.line - 1].strip().startswith("Xyzzy: ask")
    _, faults = source_of(deals, tmp_path)
    assert len(faults) == 1 and "Xyzzy" in faults[0]


def test_rows_that_say_whether_they_are_won_decide_what_a_stage_means(propose: Propose, tmp_path: Path) -> None:
    text = (
        "Id,Name,StageName,Amount,CloseDate,IsClosed,IsWon,Probability,CreatedDate\n"
        "006A,a,Vertrag da,10,2026-01-20,1,1,100,2026-01-01\n006B,b,Xyzzy,10,2026-01-20,1,0,0,2026-01-01\n"
        "006C,c,Plugh,10,2026-01-20,0,0,70,2026-01-01\n"
    )
    source, _ = source_of(propose({"Opportunity.csv": text})[0], tmp_path)
    assert source.dialect == "salesforce"
    assert source.values["stage"] == {"Vertrag da": "won", "Xyzzy": "lost", "Plugh": "open_late"}


def test_a_label_that_promises_what_its_cells_do_not_hold_is_passed_over(propose: Propose, tmp_path: Path) -> None:
    deals = propose({"deals.csv": DEALS.replace("Close Date", "Closed").replace("2026-02-20", "Yes").replace(
        "2026-09-20", "No").replace("2026-03-05", "Yes")})[0]  # fmt: skip
    source, _ = source_of(deals, tmp_path)
    assert "Closed" in source.ignore
    assert any('"Closed" would be close_date' in check for check in deals.checks)


def test_a_key_is_made_where_no_column_holds_an_id(propose: Propose, tmp_path: Path) -> None:
    text = "\n".join(line.partition(",")[2] for line in DEALS.splitlines()) + "\n"
    deals = propose({"deals.csv": text})[0]
    source, faults = source_of(deals, tmp_path)
    assert source.key == ("Deal Name", "Customer", "Created Date") and not faults
    assert any("told apart by" in check for check in deals.checks)


def test_pipedrive_takes_the_day_won_else_lost_else_expected(propose: Propose, tmp_path: Path) -> None:
    text = (
        "Deal - ID,Deal - Title,Deal - Value,Deal - Status,Deal - Stage,Deal - Deal created,Deal - Won time,"
        "Deal - Lost time\n1,a,10,Won,Demo,2026-01-01 10:00:00,2026-02-01 10:00:00,\n"
        "2,b,20,Lost,Demo,2026-01-01 10:00:00,,2026-03-01 10:00:00\n"
        "3,c,30,Open,Demo,2026-01-05 10:00:00,,\n"
    )
    loaded = read_whole(propose, {"deals.csv": text}, tmp_path)
    rows = {row["opportunity_id"]: row for row in loaded.tables["opportunities"].to_pylist()}
    assert str(rows["1"]["close_date"]) == "2026-02-01" and str(rows["2"]["close_date"]) == "2026-03-01"
    assert {key: row["stage"] for key, row in rows.items()} == {"1": "won", "2": "lost", "3": "open_early"}


ACCOUNTS = """"Id","IsDeleted","Name","Type","BillingCity","CreatedDate","SystemModstamp"
"0015g00000AAAAAAA1","0","Acme","Customer","x","2025-01-01 10:00:00","2025-06-30 01:00:00"
"0015g00000AAAABAA1","0","Beta","Channel Partner / Reseller","x","2025-01-01 10:00:00","2025-06-30 01:00:00"
"0015g00000AAAACAA1","0","Gamma","Partner","x","2025-01-01 10:00:00","2025-06-30 01:00:00"
"""
OPPORTUNITIES = """Id,IsDeleted,AccountId,Name,StageName,Amount,CloseDate,CurrencyIsoCode,CreatedDate,PartnerAccountId
0065g00000AbCdEAAA,0,0015g00000AAAAAAA1,x,Closed Won,1000.0,2025-05-11,EUR,2025-01-01 10:00:00,0015g00000AAAABAA1
0065g00000AbCdFAAA,0,0015g00000AAAAAAA1,y,Prospecting,500.0,2025-09-12,EUR,2025-06-29 10:00:00,000000000000000AAA
"""
PARTNERS = """"Id","OpportunityId","AccountFromId","AccountToId","Role","IsPrimary","CreatedById","ReversePartnerId"
"00I5g0000000001","0065g00000AbCdFAAA","0015g00000AAAAAAA1","0015g00000AAAACAA1","VAR/Reseller","1","005","00I5g0000000002"
"00I5g0000000002","000000000000000AAA","0015g00000AAAACAA1","0015g00000AAAAAAA1","None","0","005","00I5g0000000001"
"""


def test_a_salesforce_backup_with_partners_as_accounts_and_a_junction(propose: Propose, tmp_path: Path) -> None:
    files = {"Account.csv": ACCOUNTS, "Opportunity.csv": OPPORTUNITIES, "Partner.csv": PARTNERS}
    loaded = read_whole(propose, files, tmp_path)
    assert money(loaded) == {"won": Decimal(1000), "open_early": Decimal(500)}
    partners = {row["partner_id"]: row["name"] for row in loaded.tables["partners"].to_pylist()}
    assert partners == {"0015g00000AAAABAA1": "Beta", "0015g00000AAAACAA1": "Gamma"}
    credits = {(row["subject_id"], row["credit_type"]) for row in loaded.tables["attributions"].to_pylist()}
    assert credits == {("0065g00000AbCdEAAA", "sourced"), ("0065g00000AbCdFAAA", "resold")}


def test_deleted_records_are_left_out_and_told(propose: Propose, tmp_path: Path) -> None:
    text = OPPORTUNITIES.replace("0065g00000AbCdFAAA,0", "0065g00000AbCdFAAA,1")
    deals = propose({"Opportunity.csv": text})[0]
    assert any("1 of 2 rows are marked as deleted" in check for check in deals.checks)


def test_a_partner_list_that_is_there_is_used(propose: Propose, tmp_path: Path) -> None:
    document = {
        "pbr": 1,
        "table": "partners",
        "file": "partners.csv",
        "as_of": "2026-09-30",
        "covers_from": "2026-01-01",
    }
    known = Source.model_validate({**document, "columns": {"No": "partner_id", "Name": "name"}})
    (deals,) = propose({"deals.csv": DEALS}, {"partners": known})
    source, _ = source_of(deals, tmp_path)
    assert source.attribution[0].match == "name"


# ----------------------------------------------------------------------------------------- several files

FIRST = "Deal ID,Stage,Amount,Created Date\nD1,Won,10,2026-01-13\nD2,Lost,20,2026-01-14\n"
SECOND = "Deal ID,Stage,Amount,Created Date\nD3,Won,30,2026-04-13\n"


@pytest.mark.parametrize(
    ("later", "pick", "sum_of_won"), [(SECOND, "all", 40), (SECOND + FIRST.partition("\n")[2], "newest", 40)]
)
def test_drops_of_one_report(propose: Propose, tmp_path: Path, later: str, pick: str, sum_of_won: int) -> None:
    files = {"deals-2026-Q1.csv": FIRST, "deals-2026-Q2.csv": later}
    (deals,) = propose(files)
    source, _ = source_of(deals, tmp_path)
    assert (deals.name, source.file, source.pick) == ("deals", "deals-*.csv", pick)
    assert money(read_whole(propose, files, tmp_path))["won"] == sum_of_won


def test_names_are_used_once(propose: Propose) -> None:
    made = propose({"deals.csv": FIRST, "deals (1).csv": SECOND.replace("Amount", "Deal Value")})
    assert len({each.name for each in made}) == len(made) == 2


def test_what_is_no_table_is_told_and_stops_nothing(propose: Propose) -> None:
    made = propose(
        {"page.csv": "<!DOCTYPE html><html><body>x</body></html>", "a.csv": "Foo,Bar\n1,2\n", "deals.csv": FIRST}
    )
    assert [bool(each.text) for each in made] == [True, False, False]
    assert "web page" in made[1].why_not and "Foo; Bar" in made[2].why_not


def test_the_summary_numbers_what_is_open(propose: Propose) -> None:
    lines = list(proposals.summary(propose({"deals.csv": AMBIGUOUS})))
    assert "generic" not in lines[0] and "params/sources/deals.yaml" in lines[0]
    assert any(line.strip().startswith("1. decide: date_format") and "line " in line for line in lines)
    assert lines[-1].startswith("Next: answer")
    nothing = list(proposals.summary(propose({"a.csv": "Foo,Bar\n1,2\n"})))
    assert "by hand" in nothing[-1]


def test_nothing_is_written_over_without_force(propose: Propose, tmp_path: Path) -> None:
    made = propose({"deals.csv": DEALS})
    paths = proposals.write(tmp_path, made)
    assert [path.name for path in paths] == ["deals.yaml", "deals_partners.yaml"]
    paths[0].write_text("mine", "utf-8")
    paths[1].unlink()
    with pytest.raises(InputError, match="there already"):
        proposals.write(tmp_path, made)
    assert paths[0].read_text("utf-8") == "mine" and not paths[1].exists()
    proposals.write(tmp_path, made, force=True)
    assert paths[0].read_text("utf-8") == made[0].text


def test_the_same_files_give_the_same_proposals(propose: Propose) -> None:
    assert propose({"deals.csv": DEALS}) == propose({"deals.csv": DEALS})


# ------------------------------------------------------------------------------------------- any content

ANY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=60)


@given(label=ANY, word=ANY, name=ANY)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_of_an_export_becomes_yaml(tmp_path: Path, label: str, word: str, name: str) -> None:
    quoted = ['"' + text.replace('"', '""') + '"' for text in (label, word, name)]
    text = f"Deal ID,Stage,Amount,Created Date,Deal Name,{quoted[0]}\nD1,Won,10,2026-01-13,{quoted[2]},{quoted[1]}\n"
    text += f"D2,{quoted[1]},10,2026-01-14,x,y\n"
    path = tmp_path / "deals.csv"
    path.write_bytes(text.encode())
    for each in proposals.propose([path], lambda path: path.name):
        if each.text:
            source, _ = source_of(each, tmp_path)
            assert set(source.values.get("stage", {}).values()) <= {
                "won",
                "lost",
                "open_early",
                "open_mid",
                "open_late",
                "ask",
            }


@pytest.mark.parametrize(
    "label", ['Fälle: "A" #1', "yes", "=x", "😀", "a" * 100, "a\nb", "- b", "{x}", "1", "*", "null", "%a"]
)
def test_nasty_labels_are_listed_as_they_stand(propose: Propose, tmp_path: Path, label: str) -> None:
    quoted = '"' + label.replace('"', '""') + '"'
    text = f"Deal ID,Stage,Amount,Created Date,{quoted}\nD1,Won,10,2026-01-13,{quoted}\n"
    (deals,) = propose({"deals.csv": text})
    source, _ = source_of(deals, tmp_path)
    assert " ".join(label.split()) in {" ".join(each.split()) for each in source.ignore}


FILES = sorted(path for path in EXPORTS.glob("*/*") if path.suffix != ".md") if EXPORTS.is_dir() else []


@pytest.mark.parametrize(
    "path", FILES or [None], ids=lambda path: f"{path.parent.name}/{path.name}" if path else "none"
)
def test_real_files_are_mapped_or_told(path: Path | None, tmp_path: Path) -> None:
    if path is None:
        pytest.skip("the exports to test against are not here")
    for each in proposals.propose([path], lambda path: path.name):
        assert bool(each.text) != bool(each.why_not)
        if not each.text:
            continue
        (tmp_path / "proposal.yaml").write_bytes(each.text.encode())
        document = yamlfile.read(tmp_path / "proposal.yaml", each.name)
        source, errors = yamlfile.validate(Source, document)
        errors += mapping_checks.check_source(source, document) if source else []
        asked = {question.line for question in each.questions}
        told = {int(error.where.partition("line ")[2].partition(":")[0]) for error in errors}
        assert told <= asked, [str(error) for error in errors]
        assert source is None or source.table in TABLES


@pytest.mark.parametrize(
    ("files", "won"),
    [
        (("maven-crm/sales_pipeline.csv", "maven-crm/accounts.csv"), Decimal(10005534)),
        (("pipedrive-partner-dashboard/deals.csv",), None),
        (("sf-stomita-migration/Opportunity.csv", "sf-stomita-migration/Account.csv"), None),
        (("hubspot-dummy/hubspot_deals.csv",), None),
    ],
)
def test_real_exports_are_read_whole_without_an_edit(
    propose: Propose, tmp_path: Path, files: tuple[str, ...], won: Decimal | None
) -> None:
    if not FILES:
        pytest.skip("the exports to test against are not here")
    texts = {Path(file).name: (EXPORTS / file).read_text("utf-8-sig") for file in files}
    loaded = read_whole(propose, texts, tmp_path)
    assert all(extract.rows_used + sum(extract.aside.values()) == extract.rows_read for extract in loaded.extracts)
    odd = [
        finding for finding in loaded.findings if finding.severity == "error" and "no source fills" not in finding.what
    ]
    assert not odd
    assert won is None or money(loaded)["won"] == won


# ------------------------------------------------------------------------------------------- workbooks


def workbook(path: Path, rows: list[list[object]], hidden: str = "") -> Path:
    """An Excel file of one sheet, with the hidden sheet of Dynamics where its text is given."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Open Deals"
    for row in rows:
        sheet.append(row)
    if hidden:
        book.create_sheet("hiddenSheet")["A1"] = hidden
        book["hiddenSheet"].sheet_state = "veryHidden"
    book.save(path)
    return path


def test_real_days_and_numbers_of_a_workbook_need_no_format(tmp_path: Path) -> None:
    rows = [["Deal ID", "Stage", "Amount", "Close Date", "Created Date"]]
    rows += [[f"D{n}", "Won", 10.5 * n, dt.datetime(2026, 3, n), dt.datetime(2026, 1, n, 9, 30)] for n in range(1, 9)]
    (deals,) = proposals.propose([workbook(tmp_path / "deals.xlsx", rows)], lambda path: path.name)
    source, faults = source_of(deals, tmp_path)
    assert deals.decided and not faults and source.sheet == "Open Deals"
    assert "date_format" not in deals.text and {"amount", "close_date", "created_at"} <= set(source.columns.values())


def test_a_dynamics_sheet_says_itself_which_column_is_which(tmp_path: Path) -> None:
    labels = ["(Do Not Modify) Verkaufschance", "Mein Thema", "Mein Volumen", "Schluss", "Zustand", "Angelegt"]
    names = ["opportunityid", "name", "estimatedvalue", "estimatedclosedate", "statecode", "createdon"]
    told = "&".join(f"{name}={quote(label)}" for name, label in zip(names, labels, strict=True))
    rows = [labels, ["0A1B", "x", 10, dt.datetime(2026, 3, 1), "Gewonnen", dt.datetime(2026, 1, 2)]]
    rows += [["0A1C", "y", 20, dt.datetime(2026, 9, 1), "Offen", dt.datetime(2026, 1, 3)]]
    path = workbook(tmp_path / "x.xlsx", rows, f"opportunity:hash=:{told}")
    (deals,) = proposals.propose([path], lambda path: path.name)
    source, _ = source_of(deals, tmp_path)
    assert source.dialect == "dynamics"
    assert source.columns["Mein Volumen"] == "amount" and source.columns["Schluss"] == "close_date"
    assert source.values["stage"] == {"Gewonnen": "won", "Offen": "open_early"}


def test_times_with_names_of_months(propose: Propose, tmp_path: Path) -> None:
    text = (
        'Record Id,Potential Name,Amount,Closing Date,Stage,Created Time\n1,a,"$22,700.00","15 Apr, 2021",Closed Won,'
        '"15 Mar, 2021 00:02:00"\n2,b,$342.09K,"9 May, 2021",Closed Lost to Competition,"3 Apr, 2021 13:02:00"\n'
    )
    loaded = read_whole(propose, {"Potentials.csv": text}, tmp_path)
    assert money(loaded) == {"won": Decimal(22700), "lost": Decimal(342090)}
