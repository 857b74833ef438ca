"""The Excel exporter: what a workbook must hold, compute, refuse and never do."""

from __future__ import annotations

import base64
import datetime as dt
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import nbformat
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from pbr_lib import blocks
from pbr_lib.errors import RenderError
from pbr_lib.export.xlsx import XlsxExporter
from pbr_lib.model import Amount, Unit

COUNT, MONEY, SHARE = Unit("count"), Unit("money", "USD"), Unit("percent")
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa75\x81\x84\x00\x00\x00\x00IEND\xaeB`\x82"
)
PAYLOADS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    ' =HYPERLINK("http://example.com","x")',
    "=cmd|' /C calc'!A0",
    "#N/A",
    "{=1+1}",
    "_x003D_1+1",
    "\x00=1+1\x0b</t></is><f>1+1</f>",
)


# ------------------------------------------------------------------------------------------ notebooks


def amount(value: str | int | None, unit: Unit = COUNT) -> Amount:
    """An amount of that value."""
    return Amount(None if value is None else Decimal(value), unit)


def shows(*bundles: Any, tags: tuple[str, ...] = ()) -> Any:
    """An executed code cell that shows blocks or mimebundles."""
    data = [b._repr_mimebundle_() if isinstance(b, blocks.Block) else b for b in bundles]
    outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in data]
    return nbformat.v4.new_code_cell("show()", outputs=outputs, execution_count=1, metadata={"tags": list(tags)})


def notebook(*cells: Any) -> Any:
    """A notebook of cells; a string is a Markdown cell, a block an executed cell that shows it."""
    made = [
        nbformat.v4.new_markdown_cell(c) if isinstance(c, str) else shows(c) if isinstance(c, blocks.Block) else c
        for c in cells
    ]
    return nbformat.v4.new_notebook(cells=made)


def exported(*cells: Any) -> bytes:
    """The workbook of a notebook with those cells."""
    return XlsxExporter().from_notebook_node(notebook(*cells))[0]


def opened(content: bytes, values: bool = False) -> openpyxl.Workbook:
    """The workbook as openpyxl reads it, with formulas or with their cached values."""
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)


def parts_of(content: bytes) -> dict[str, str]:
    """The XML parts of a workbook by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name).decode("utf-8", "replace") for name in package.namelist()}


def column_of(sheet: Worksheet, label: str) -> list[Any]:
    """The values under a label of the sheet's table."""
    table = next(iter(sheet.tables.values()))
    rows = list(sheet[table.ref])
    place = [cell.value for cell in rows[0]].index(label)
    return [row[place].value for row in rows[1:]]


def texts(sheet: Worksheet) -> list[str]:
    """All texts of a sheet."""
    return [cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]


META = {
    "partner_id": "P-001",
    "partner": "Aurora & Sons",
    "quarter": "2026-Q3",
    "period": "1 Jul – 30 Sep 2026",
    "as_of": "2026-09-04",
    "organisation": "Example Software",
    "confidential": "yes",
}
COVER = blocks.Cover(
    title="Aurora & Sons",
    kicker="Partner business review",
    subtitle="Gold partner · Nordics · 2026-Q3 (1 Jul – 30 Sep 2026)",
    meta=META,
    facts=(("Partner manager", "Channel team North"), ("Edition", "Partner")),
)


def cover(score: str | None = None) -> blocks.Cover:
    """The cover, with a score if there is one."""
    status = blocks.Status("at risk", "◆", "warn")
    return blocks.Cover(
        COVER.title, COVER.kicker, COVER.subtitle, META, amount(score, SHARE), "of plan, weighted", status, COVER.facts
    )


def recipe(goal: str, how: str | None, kind: str, value: str | None, **more: Any) -> dict[str, Any]:
    """How a goal recomputes, as the goal table carries it."""
    target = {"kind": kind, "value": value, "from": None, "low": None, "high": None}
    target |= {key.removesuffix("_"): more.pop(key) for key in ("from_", "low", "high") if key in more}
    records = more.pop("records", f"records-{goal}" if how else None)
    return {"goal": goal, "records": records, "actual": how, "target": target, "weight": "1", "cap": "1.5"} | more


GOAL_COLUMNS = (
    blocks.Column("goal", "Goal"),
    blocks.Column("actual", "Actual", "amount"),
    blocks.Column("target", "Target", "amount"),
    blocks.Column("attained", "Attained", "amount"),
    blocks.Column("bar", "Progress", "bar"),
    blocks.Column("status", "Status", "status"),
    blocks.Column("last", "Last quarter", "amount", sheet_only=True),
)
ON_TRACK = blocks.Status("on track", "▲", "good")
OFF_TRACK = blocks.Status("off track", "▼", "bad")


def goal_row(
    name: str, actual: Any, target: Any, attained: str | None, status: blocks.Status = ON_TRACK
) -> tuple[Any, ...]:
    """A row of the goal table."""
    share = None if attained is None else Decimal(attained)
    return (name, actual, target, amount(attained, SHARE), blocks.Bar(share, None, "good"), status, amount(2))


def goal_table(*rows: tuple[tuple[Any, ...], dict[str, Any]], title: str = "Goals") -> blocks.Table:
    """The goal table of those rows, each with its recipe."""
    return blocks.Table(
        "goals",
        GOAL_COLUMNS,
        tuple(row for row, _ in rows),
        title=title,
        role="goals",
        recipes=tuple(how for _, how in rows),
        empty="No goals agreed.",
    )


def records(name: str, *values: str, unit: Unit = COUNT, title: str = "") -> blocks.Table:
    """The records behind a goal, one for each value."""
    columns = (
        blocks.Column("record", "Lead"),
        blocks.Column("day", "Created", "date"),
        blocks.Column("counts", "Counts", "amount"),
    )
    rows = tuple((f"Lead {i}", dt.date(2026, 7, 1 + i % 28), amount(v, unit)) for i, v in enumerate(values))
    return blocks.Table(
        f"records-{name}", columns, rows, title or f"Records: {name}", "Credited in the quarter.", role="records"
    )


def ratio_records(name: str, *pairs: tuple[str, str]) -> blocks.Table:
    """The records behind a ratio."""
    columns = (
        blocks.Column("record", "Deal"),
        blocks.Column("numerator", "Won [count] #1", "amount"),
        blocks.Column("denominator", "Closed's 'all'", "amount"),
    )
    rows = tuple((f"Deal {i}", amount(a), amount(b)) for i, (a, b) in enumerate(pairs))
    return blocks.Table(f"records-{name}", columns, rows, f"Records: {name}", role="records")


LEADS = (goal_row("New partner leads", amount(3), amount(5), "0.6"), recipe("leads", "sum", "at_least", "5"))


def chart(kind: str = "line", **more: Any) -> blocks.Chart:
    """A chart of three weeks."""
    frame: Mapping[str, Any] = {
        "week": [dt.date(2026, 7, 5), dt.date(2026, 7, 12), dt.date(2026, 7, 19)],
        "actual": [1, 3, None],
        "pace": [Decimal("1.5"), Decimal("2.5"), Decimal("3.5")],
    }
    native = {
        "type": kind,
        "x": "week",
        "series": ["actual", "pace"],
        "stacked": False,
        "labels": {"pace": "Even pace"},
    }
    alt = 'Leads stand at 3 in week 2 & "pace" is 2.5.'
    return blocks.Chart(
        "pace", "Leads against pace", alt, "<svg/>", PNG, frame, native | more, "Cumulative leads by week."
    )


def full() -> tuple[Any, ...]:
    """The cells of a notebook that has a bit of everything."""
    rows = [
        LEADS,
        (
            goal_row("Pipeline created by the partner", amount("10412.55", MONEY), amount(10000, MONEY), "1.041255"),
            recipe("pipeline", "sum", "at_least", "10000", weight="2"),
        ),
        (
            goal_row("Win rate", amount("0.4", SHARE), amount("0.5", SHARE), "0.8", OFF_TRACK),
            recipe("wins", "ratio", "at_least", "0.5"),
        ),
        (
            goal_row("Days to first answer", amount(12, Unit("days")), amount(10, Unit("days")), "0.8"),
            recipe("answer", "average", "at_most", "10"),
        ),
        (
            goal_row("Open tickets", amount(70), amount(80), "1.5"),
            recipe("tickets", None, "at_most", "80", from_="100"),
        ),
        (
            goal_row("Discount", amount("0.26", SHARE), "10 % to 20 %", "0.4"),
            recipe("discount", None, "between", None, low="0.1", high="0.2"),
        ),
        (
            goal_row("Joint plan signed", amount(1), dt.date(2026, 8, 31), "1"),
            recipe("plan", None, "done_by", "2026-08-31"),
        ),
        (
            goal_row("Satisfaction", amount(None), amount("4.5", Unit("number")), None),
            recipe("csat", "average", "at_least", "4.5"),
        ),
        (goal_row("No escalations", amount(0), amount(0), None), recipe("escalations", "sum", "at_least", "0")),
    ]
    known = [
        Decimal(w) * min(Decimal(a), Decimal("1.5"))
        for w, a in (
            ("1", "0.6"),
            ("2", "1.041255"),
            ("1", "0.8"),
            ("1", "0.8"),
            ("1", "1.5"),
            ("1", "0.4"),
            ("1", "1"),
        )
    ]
    frame = (
        '<table class="dataframe"><thead><tr><th></th><th>Region</th><th>Deals</th><th>Code</th><th>Value</th></tr>'
        "</thead>"
        "<tbody><tr><th>0</th><td>North</td><td>3</td><td>007</td><td>1.50</td></tr>"
        "<tr><th>1</th><td>=South()</td><td>4</td><td>008</td><td>NaN</td></tr></tbody></table>"
    )
    return (
        cover(str(sum(known, Decimal(0)) / 8)),
        "# How do we stand?",
        blocks.Cards((blocks.Card("New partner leads", amount(3), ("target 5",), ON_TRACK),)),
        blocks.Note(
            sentences=((blocks.Run("Three new partnership leads"), blocks.Run(", target five.", True)),),
            title="Headlines",
        ),
        "## What do we say?\n\nGood *start* with [the plan](https://example.com/plan) and [that](javascript:alert(1))."
        "\n\n- one\n- two",
        goal_table(*rows),
        records("leads", "1", "1", "1", title="Leads behind: new partner leads this quarter"),
        records("pipeline", "4000", "6412.55", unit=MONEY),
        ratio_records("wins", ("1", "2"), ("1", "3")),
        records("answer", "10", "14", unit=Unit("days")),
        chart(),
        chart("column", stacked=True),
        shows({"text/html": frame, "text/plain": "x"}),
        shows({"image/png": base64.b64encode(PNG).decode(), "text/plain": "<Figure>"}),
        records("escalations"),
        blocks.Table(
            "definitions",
            (blocks.Column("t", "Term"), blocks.Column("m", "Meaning")),
            (
                (
                    "Pipeline created",
                    "Opportunities created in the quarter and credited to the partner, at plan rates. " * 3,
                ),
            ),
            "Definitions",
        ),
    )


@pytest.fixture(scope="module")
def whole() -> bytes:
    """The workbook of the notebook that has a bit of everything."""
    return exported(*full())


# ------------------------------------------------------------------------------------------- exporter


def test_exporter_says_what_it_makes() -> None:
    """nbconvert learns extension, mimetype and menu label from the class, and the file is a workbook."""
    exporter = XlsxExporter()
    content, resources = exporter.from_notebook_node(notebook("# Hello"))
    assert exporter.file_extension == resources["output_extension"] == ".xlsx"
    assert exporter.output_mimetype.endswith("spreadsheetml.sheet")
    assert exporter.export_from_notebook == "Excel pack"
    assert opened(content).sheetnames == ["Summary"]


def test_sheets_come_in_reading_order(whole: bytes) -> None:
    """Summary, goals and charts come first, then every other table in the order of the notebook."""
    names = opened(whole).sheetnames
    assert names[:4] == ["Summary", "Goals", "Charts", "Leads behind new partner leads"]
    assert names[-3:] == ["Table 1", "Records escalations", "Definitions"]
    assert all(sheet.sheet_state == "visible" for sheet in opened(whole).worksheets)


def test_workbook_reads_hostile_xml_safely() -> None:
    """openpyxl refuses entity bombs only while defusedxml is there."""
    assert openpyxl.DEFUSEDXML


# ------------------------------------------------------------------------------------------- formulas


def test_actuals_sum_their_records(whole: bytes) -> None:
    """An actual is a formula over the records listed for it, and a plain value where none are."""
    actuals = column_of(opened(whole)["Goals"], "Actual")
    assert actuals[0] == "=SUM(T_records_leads[Counts])"
    assert actuals[1] == "=SUM(T_records_pipeline[Counts])"
    assert actuals[2] == "=SUM(T_records_wins[Won '[count'] '#1])/SUM(T_records_wins[Closed’s ‘all’])".replace("‘", "’")
    assert actuals[3] == "=AVERAGE(T_records_answer[Counts])"
    assert actuals[4:] == [70, 0.26, 1, "not measurable", 0]


def test_attainment_follows_the_kind_of_target(whole: bytes) -> None:
    """Each kind of target has its own formula, and what cannot be computed is printed."""
    attained = column_of(opened(whole)["Goals"], "Attained")
    this = "Goals[[#This Row],[{}]]".format
    a, t, b, low, high = map(this, ("Actual", "Target", "Starting from", "Low end", "High end"))
    assert attained[0] == f"={a}/{t}"
    assert attained[3] == f"=IF({a}<={t},1,MAX(0,2-{a}/{t}))"
    assert attained[4] == f"=({a}-{b})/({t}-{b})"
    inside = f"AND({a}>={low},{a}<={high})"
    assert attained[5] == f"=IF({inside},1,MAX(0,1-MAX({low}-{a},{a}-{high})/({high}-{low})))"
    assert attained[6:] == [1, "not measurable", "not measurable"]


def test_cached_values_are_there(whole: bytes) -> None:
    """A viewer that computes nothing sees the very values of the notebook."""
    goals = opened(whole, values=True)["Goals"]
    assert column_of(goals, "Actual")[:4] == [3, 10412.55, 0.4, 12]
    assert column_of(goals, "Attained")[:6] == [0.6, 1.041255, 0.8, 0.8, 1.5, 0.4]
    assert column_of(goals, "Points")[:3] == [0.6, 2.08251, 0.8]
    summary = opened(whole, values=True)["Summary"]
    assert {"New partner leads", "▲ on track", "not measurable"} <= set(texts(summary))


def test_no_formula_is_left_without_a_value(whole: bytes) -> None:
    """Every formula cell carries a cached value, a blank text included."""
    for name, xml in parts_of(whole).items():
        if name.startswith("xl/worksheets/sheet"):
            assert len(re.findall(r"<f>", xml)) == len(re.findall(r"</f><v>[^<]*</v>", xml))


def test_score_is_a_live_formula(whole: bytes) -> None:
    """The score on the summary is computed from points and weights, over goals with a number only."""
    formulas = [t for t in texts(opened(whole)["Summary"]) if "SUMPRODUCT" in t]
    assert formulas == ["=SUM(Goals[Points])/SUMPRODUCT(--ISNUMBER(Goals[Attained]),Goals[Weight in score])"]


def test_no_score_no_points() -> None:
    """Without a score on the cover there is no score formula and no column that only a score needs."""
    book = opened(exported(cover(), goal_table(LEADS), records("leads", "1", "1", "1")))
    assert not any("SUMPRODUCT" in text for text in texts(book["Summary"]))
    assert "Points" not in texts(book["Goals"])


def test_goals_own_weight_column_is_used() -> None:
    """A table that shows the weights of the score gets no second column of them."""
    columns = (*GOAL_COLUMNS, blocks.Column("weight", "Weight", "amount", sheet_only=True))
    table = blocks.Table("goals", columns, ((*LEADS[0], amount(1)),), role="goals", recipes=(LEADS[1],))
    sheet = opened(exported(cover("0.6"), table))["Goals"]
    assert "Weight in score" not in texts(sheet)
    assert column_of(sheet, "Points")[0].startswith(
        "=IF(ISNUMBER(Goals[[#This Row],[Attained]]),Goals[[#This Row],[Weight]]*"
    )


def recalculated(content: bytes, folder: Path) -> openpyxl.Workbook:
    """The workbook as LibreOffice computes it; it would believe cached values, so they are taken out first."""
    bare = folder / "bare.xlsx"
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(bare, "w") as target:
        for name in source.namelist():
            target.writestr(name, re.sub(rb'( t="str")?>(<f>[^<]*</f>)<v>[^<]*</v>', rb">\2", source.read(name)))
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(folder / "out"), str(bare)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return openpyxl.load_workbook(folder / "out" / "bare.xlsx", data_only=True)


def comparable(value: Any) -> Any:
    """A value for comparison: a number within rounding, a day as its number, no text as the empty text."""
    if isinstance(value, dt.datetime):
        value = (value - dt.datetime(1899, 12, 30)).days
    return pytest.approx(value, rel=1e-9) if isinstance(value, int | float) else value or ""


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.filterwarnings("ignore:.*extension is not supported")
def test_libreoffice_computes_the_same(whole: bytes, tmp_path: Path) -> None:
    """Recalculated without its cached values, every formula gives what was cached."""
    again, cached = recalculated(whole, tmp_path), opened(whole, values=True)
    cells = [cell for sheet in opened(whole).worksheets for row in sheet.iter_rows() for cell in row]
    formulas = [cell for cell in cells if cell.data_type == "f"]
    assert len(formulas) > 50
    for cell in formulas:
        sheet, place = cell.parent.title, cell.coordinate
        got, want = (comparable(book[sheet][place].value) for book in (again, cached))
        assert getattr(got, "expected", got) == want, f"{sheet}!{place} {cell.value}"


# --------------------------------------------------------------------------------------- contradiction


@pytest.mark.parametrize(
    ("how", "values", "shown"),
    [
        ("sum", ("1", "1"), "3"),
        ("sum", (), "3"),
        ("average", ("1", "2"), "3"),
        ("min", ("1", "2"), "2"),
        ("max", ("1", "2"), "1"),
    ],
)
def test_records_that_say_otherwise_are_refused(how: str, values: tuple[str, ...], shown: str) -> None:
    """A goal whose listed records give another number stops the export, naming goal and cell."""
    attained = str(Decimal(shown) / 5)
    row = (goal_row("Leads", amount(shown), amount(5), attained), recipe("leads", how, "at_least", "5"))
    with pytest.raises(RenderError, match="contradict") as caught:
        exported(COVER, goal_table(row), records("leads", *values))
    assert "leads" in caught.value.what
    assert caught.value.where == "cell 2"
    assert caught.value.fix


def test_ratio_without_denominator_is_refused() -> None:
    """A ratio with a value needs a denominator among its records."""
    row = (
        goal_row("Win rate", amount("0.4", SHARE), amount("0.5", SHARE), "0.8"),
        recipe("w", "ratio", "at_least", "0.5"),
    )
    with pytest.raises(RenderError, match="contradict"):
        exported(goal_table(row), ratio_records("w", ("0", "0")))


def test_attainment_that_says_otherwise_is_refused() -> None:
    """An attainment that actual and target do not give stops the export."""
    row = (goal_row("Leads", amount(3), amount(5), "0.61"), recipe("leads", None, "at_least", "5"))
    with pytest.raises(RenderError, match=r"0\.61 attained"):
        exported(goal_table(row))


def test_score_that_says_otherwise_is_refused() -> None:
    """A score that the listed goals do not give stops the export."""
    with pytest.raises(RenderError, match=r"score of 0\.9"):
        exported(cover("0.9"), goal_table(LEADS), records("leads", "1", "1", "1"))


def test_rounding_is_no_contradiction() -> None:
    """A value cut at 28 digits still agrees with its formula."""
    third = str(Decimal(1) / 3)
    row = (goal_row("Leads", amount(1), amount(3), third), recipe("leads", None, "at_least", "3"))
    assert column_of(opened(exported(goal_table(row)), values=True)["Goals"], "Attained") == [pytest.approx(1 / 3)]


def test_the_longer_of_two_record_tables_counts() -> None:
    """Showing the first records on one page and all of them on another is no contradiction."""
    every = records("leads", "1", "1", "1")
    book = opened(exported(COVER, goal_table(LEADS), every.head(1), every))
    assert column_of(book["Goals"], "Actual") == ["=SUM(T_records_leads_2[Counts])"]


def test_goal_table_without_its_target_shows_values() -> None:
    """An analyst may leave columns out; figures that cannot be computed any more stay plain."""
    table = goal_table(LEADS).select("goal", "attained", "status")
    sheet = opened(exported(COVER, table))["Goals"]
    assert column_of(sheet, "Attained") == [0.6]


# ------------------------------------------------------------------------------------------- injection


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_never_becomes_a_formula(payload: str) -> None:
    """Whatever a CRM field or a label begins with, it is shown as text and evaluated nowhere."""
    table = blocks.Table(
        "t", (blocks.Column("a", payload), blocks.Column("b", "B")), ((payload, "x"),), payload, payload
    )
    html = nbformat.v4.new_output("display_data", data={"text/plain": payload})
    card = blocks.Cards((blocks.Card(payload, amount(1), (payload,)),), title=payload)
    head = blocks.Cover(payload, payload, payload, {"partner": payload}, facts=((payload, payload),))
    note = blocks.Note(sentences=((blocks.Run(payload),),), title=payload)
    plot = blocks.Chart(
        payload,
        payload,
        payload,
        "",
        PNG,
        {payload: [payload], "n": [1]},
        {"type": "bar", "x": payload, "series": ["n"]},
    )
    plain = nbformat.v4.new_code_cell("x", outputs=[html], execution_count=1)
    content = exported(head, card, table, note, plot, plain)
    for name, xml in parts_of(content).items():
        if name.startswith("xl/worksheets/"):
            assert "<f>" not in xml, name
    for sheet in opened(content).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n", "inlineStr")
                if isinstance(cell.value, str) and cell.value.strip()[:1] in "=+-@":
                    assert cell.quotePrefix, cell.coordinate


def test_text_is_cut_where_excel_ends() -> None:
    """A text longer than a cell may hold is cut and not refused."""
    table = blocks.Table("t", (blocks.Column("a", "A"),), (("😀" * 40_000,),), "Long")
    assert len(opened(exported(table))["Long"]["A5"].value.encode("utf-16-le")) // 2 == 32_766


def test_excel_escapes_in_text_stay_text(whole: bytes) -> None:
    """A text that looks like an escape of the file format is written so that Excel shows it as it is."""
    table = blocks.Table("t", (blocks.Column("a", "A"),), (("_x0041_",),), "T")
    assert "_x005F_x0041_" in "".join(parts_of(exported(table)).values())


def test_nothing_hidden_and_no_way_out(whole: bytes) -> None:
    """No external links, comments, custom properties, macros or paths of a machine are in the file."""
    found = parts_of(whole)
    assert not [name for name in found if re.search(r"comment|external|custom|vba|calcChain", name, re.IGNORECASE)]
    everything = "".join(xml for name, xml in found.items() if not name.endswith(".png"))
    assert "TargetMode" not in everything
    assert not re.search(r"/tmp/|/home/|/Users/|[A-Z]:\\", everything)


def test_links_lead_to_sheets(whole: bytes) -> None:
    """The summary links to each other sheet of the workbook and to nothing else."""
    book = opened(whole)
    places = [cell.hyperlink.location for row in book["Summary"].iter_rows() for cell in row if cell.hyperlink]
    assert {place.split("!")[0].strip("'") for place in places} == set(book.sheetnames[1:])


# ---------------------------------------------------------------------------------------------- sheets


def test_tables_are_structured(whole: bytes) -> None:
    """Each table has a unique legal name, labels equal to its head, and a frozen head that prints on each page."""
    names = []
    for sheet in opened(whole).worksheets:
        for table in sheet.tables.values():
            names.append(table.displayName.casefold())
            top = table.ref.split(":")[0][1:]
            assert [c.name for c in table.tableColumns] == [cell.value for cell in sheet[table.ref][0]]
            assert sheet.freeze_panes == f"A{int(top) + 1}"
            assert sheet.print_title_rows == f"${top}:${top}"
    assert len(names) == len(set(names)) == 7
    assert "goals" in names


def test_cells_have_types_and_formats(whole: bytes) -> None:
    """Money, shares, days and dates are numbers under a format that shows them as the page does."""
    goals = opened(whole)["Goals"]
    formats = [goals.cell(row, 3).number_format for row in range(5, 11)]
    assert formats == ["#,##0", "[$$-409]#,##0", "#,##0 %", '#,##0 "days"', "#,##0", "General"]
    assert goals["C5"].font.color.rgb == "000000C8"
    assert not goals["C5"].protection.locked
    leads = opened(whole)["Leads behind new partner leads"]
    assert leads["B5"].value == dt.datetime(2026, 7, 1)
    assert leads["B5"].number_format == "d mmm yyyy"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (amount("1234.5", Unit("money", "EUR")), "[$€-2]#,##0"),
        (amount("12.34", Unit("money", "CHF")), '"CHF "#,##0.00'),
        (amount("12.34", Unit("money", "JPY")), '"¥"#,##0'),
        (amount("0.123", Unit("percent", decimals=1)), "#,##0.0 %"),
        (amount("4.25", Unit("number")), "#,##0.0"),
    ],
)
def test_formats_follow_the_unit(shown: Amount, expected: str) -> None:
    """A number keeps its full precision and takes the decimals that its printed text has."""
    table = blocks.Table("t", (blocks.Column("a", "A", "amount"),), ((shown,),), "T")
    cell = opened(exported(table))["T"]["A5"]
    assert cell.number_format == expected
    assert Decimal(str(cell.value)) == shown.value


def test_sheet_titles_are_legal_and_unique() -> None:
    """Titles that Excel forbids, reserves or has already are changed, never refused."""
    titles = ("Goals: [a/b] * x?", "goals", "Summary", "History", "'quoted'", "", "x" * 40, "X" * 40)
    tables = [blocks.Table(f"n {i}", (blocks.Column("a", "A"),), ((str(i),),), title) for i, title in enumerate(titles)]
    names = opened(exported(COVER, goal_table(LEADS), *tables)).sheetnames
    assert len({name.casefold() for name in names}) == len(names) == 10
    assert all(1 <= len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)
    assert "History" not in names


def test_labels_of_a_table_are_unique() -> None:
    """Excel refuses a table with an empty label or the same label twice, whatever its case."""
    columns = tuple(blocks.Column(str(i), label) for i, label in enumerate(("A", "a", "", "two\nlines")))
    table = blocks.Table("t", columns, (("1", "2", "3", "4"),), "T")
    sheet = opened(exported(table))["T"]
    assert [cell.value for cell in sheet[4]] == ["A", "a 2", "Column 3", "two lines"]


def test_long_tables_can_be_filtered() -> None:
    """A long table has filter buttons, a short one is left clean."""
    short, long = records("a", "1", title="Short"), records("b", *["1"] * 20, title="Long")
    found = [xml for name, xml in parts_of(exported(short, long)).items() if name.startswith("xl/tables/")]
    assert ["<autoFilter" in xml for xml in found] == [False, True]


def test_sheet_only_columns_and_all_rows_are_there() -> None:
    """The workbook holds what the page leaves out: further columns, and rows past the page's limit."""
    columns = (blocks.Column("a", "A"), blocks.Column("b", "B", sheet_only=True))
    table = blocks.Table("t", columns, tuple((str(i), "x") for i in range(60)), "T", print_rows=5)
    sheet = opened(exported(table))["T"]
    assert column_of(sheet, "A")[-1] == "59"
    assert column_of(sheet, "B") == ["x"] * 60


def test_a_table_without_rows_says_so(whole: bytes) -> None:
    """Zero rows give a sentence and no Excel table, which would need a row."""
    sheet = opened(whole)["Records escalations"]
    assert "Nothing to show." in texts(sheet)
    assert not sheet.tables
    empty = opened(exported(COVER, goal_table()))
    assert "No goals agreed." in texts(empty["Goals"])


def test_a_table_shown_twice_comes_once() -> None:
    """The same table in two cells gets one sheet."""
    assert opened(exported(records("a", "1"), records("a", "1"))).sheetnames == ["Summary", "Records a"]


def test_plain_frames_become_tables(whole: bytes) -> None:
    """A DataFrame's numbers are numbers where a whole column can be nothing else; codes stay text."""
    sheet = opened(whole)["Table 1"]
    assert column_of(sheet, "Region") == ["North", "=South()"]
    assert column_of(sheet, "Deals") == [3, 4]
    assert column_of(sheet, "Code") == ["007", "008"]
    assert column_of(sheet, "Value") == [1.5, None]


# --------------------------------------------------------------------------------- summary and printing


def test_summary_tells_the_story(whole: bytes) -> None:
    """Title, day of the data, facts, headlines and prose are on the first sheet; scripts and empty heads are not."""
    found = texts(opened(whole)["Summary"])
    for line in (
        "Aurora & Sons",
        "Data as of 4 Sep 2026",
        "Partner manager: Channel team North",
        "• Three new partnership leads, target five.",
        "Good start with the plan (https://example.com/plan) and that.",
        "• two",
    ):
        assert line in found
    assert not any("javascript" in line or line == "How do we stand?" for line in found)


def test_cards_are_listed_only_without_a_goal_table(whole: bytes) -> None:
    """Cards repeat the goal table, so they are listed where there is none."""
    cards = blocks.Cards((blocks.Card("New partner leads", amount(3), ("target 5",), ON_TRACK),))
    assert "target 5" not in texts(opened(whole)["Summary"])
    assert "target 5" in texts(opened(exported(COVER, cards))["Summary"])


def test_header_and_footer_escape_ampersands(whole: bytes) -> None:
    """A partner's name with & prints as it is, because a single & would start a code."""
    xml = parts_of(whole)["xl/worksheets/sheet1.xml"]
    assert "Aurora &amp;&amp; Sons" in xml
    sheet = opened(whole)["Goals"]
    assert sheet.oddFooter.right.text == "Page &P of &N"
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage


def test_document_properties(whole: bytes) -> None:
    """Title, organisation and subject come from the cover, the only time is the day of the data."""
    properties = opened(whole).properties
    assert (properties.title, properties.creator) == ("Aurora & Sons", "Example Software")
    assert properties.subject == "Partner business review · 2026-Q3"
    assert properties.created == properties.modified == dt.datetime(2026, 9, 4)
    assert opened(whole).calculation.fullCalcOnLoad
    assert opened(exported("# Hi")).properties.created == dt.datetime(1980, 1, 1)


# ---------------------------------------------------------------------------------------------- charts


def test_charts_are_native_and_filled(whole: bytes) -> None:
    """A chart refers to its cells and carries their values, gaps left out."""
    xml = parts_of(whole)["xl/charts/chart1.xml"]
    assert "<lineChart>" in xml
    assert "'Charts'!$B$4:$B$6" in xml
    series = re.findall(r"<numCache><formatCode>[^<]*</formatCode><ptCount val=\"3\" ?/>(.*?)</numCache>", xml)
    assert [re.findall(r"<v>([^<]*)</v>", one) for one in series[1::2]] == [["1", "3"], ["1.5", "2.5", "3.5"]]
    assert "<v>Even pace</v>" in xml
    assert [cell.value for cell in opened(whole)["Charts"]["B"][3:6]] == [1, 3, None]


def test_charts_and_pictures_have_alternative_text(whole: bytes) -> None:
    """Alternative text of a chart block reaches the drawing, escaped."""
    xml = parts_of(whole)["xl/drawings/drawing1.xml"]
    assert xml.count("descr='Leads stand at 3 in week 2 &amp; \"pace\" is 2.5.'") == 2


def test_picture_takes_its_alt_from_the_metadata() -> None:
    """A plain picture keeps the alternative text that the analyst gave it."""
    output = nbformat.v4.new_output(
        "display_data", data={"image/png": base64.b64encode(PNG).decode()}, metadata={"image/png": {"alt": "A dot"}}
    )
    content = exported(chart(), nbformat.v4.new_code_cell("x", outputs=[output], execution_count=1))
    drawing = parts_of(content)["xl/drawings/drawing1.xml"]
    assert drawing.index("Leads stand at 3") < drawing.index('descr="A dot"')


def test_chart_without_native_form_keeps_its_picture() -> None:
    """A chart that Excel cannot draw is embedded as the picture that it is."""
    content = exported(chart(series=["nowhere"]))
    assert "xl/media/image1.png" in parts_of(content)


def test_broken_picture_is_refused() -> None:
    """A picture that is none stops the export and names its cell."""
    with pytest.raises(RenderError, match="PNG") as caught:
        exported("# Hi", shows({"image/png": "bm90IGEgcG5n"}))
    assert caught.value.where == "cell 2"


# ------------------------------------------------------------------------------------------- sameness

EXPORT = """
import hashlib, sys, nbformat
from pbr_lib.export.xlsx import XlsxExporter
nb = nbformat.read(sys.argv[1], as_version=4)
print(hashlib.sha256(XlsxExporter().from_notebook_node(nb)[0]).hexdigest())
"""


def test_same_notebook_same_bytes(tmp_path: Path) -> None:
    """Time zone, hash seed and process leave no trace in the file."""
    path = tmp_path / "pack.ipynb"
    nbformat.write(notebook(*full()), path)
    hashes = set()
    for zone, seed in (("UTC", "1"), ("Pacific/Auckland", "77")):
        env = dict(os.environ) | {"TZ": zone, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        made = subprocess.run(
            [sys.executable, "-c", EXPORT, str(path)], env=env, check=True, capture_output=True, text=True
        )
        hashes.add(made.stdout.strip())
    assert len(hashes) == 1
    assert len(hashes.pop()) == 64


def test_export_leaves_the_notebook_alone() -> None:
    """An exporter is a function of the notebook and changes nothing in it."""
    nb = notebook(*full())
    before = nbformat.writes(nb)
    XlsxExporter().from_notebook_node(nb)
    assert nbformat.writes(nb) == before
