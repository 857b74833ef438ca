"""Where tables lie on a sheet: beside or below each other, behind titles; none is cut where no other begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from reading_support import BODY, DEALS, HEAD, LABELS, book, finish, html, read, refused, saved

from pbr_lib import reading
from pbr_lib.reading import How, RawTable

OWNERS: list[list[Any]] = [["Owner", "Quota"], ["Ann", 10], ["Bo", 20], ["Cy", 30]]


def beside(left: list[list[Any]], right: list[list[Any]], gap: int = 1) -> list[list[Any]]:
    """Two tables side by side with empty columns between them."""
    height, width = max(len(left), len(right)), len(left[0])
    rows = []
    for n in range(height):
        first = left[n] if n < len(left) else []
        rows.append([*first, *[None] * (width - len(first) + gap), *(right[n] if n < len(right) else [])])
    return rows


def survey(folder: Path, rows: list[list[Any]], how: How = How()) -> list[RawTable]:  # noqa: B008
    """The tables of a sheet with these rows."""
    (folder / "deals.xlsx").write_bytes(saved(book(("Sheet", rows))))
    return list(reading.survey(folder / "deals.xlsx", "deals.xlsx", how))


def test_a_pivot_beside_the_data(tmp_path: Path) -> None:
    """The table that holds the labels is read, without what stands beside it."""
    pivot = [["Row Labels", "Sum of Amount"], ["Acme", 100], ["Beta", 200], ["Grand Total", 300], ["note", 1]]
    data = saved(book(("Sheet", beside(DEALS, pivot, 2))))
    done = read(tmp_path, data, "deals.xlsx")
    assert done.table.labels == tuple(DEALS[0])
    assert done.numbers == [2, 3]
    assert done.table.place == "data/deals.xlsx [Sheet!A1:D3]"


def test_tables_side_by_side_are_surveyed_apart(tmp_path: Path) -> None:
    """Two tables of different heights are two, though their headers stand in one row."""
    tables = survey(tmp_path, beside(DEALS, OWNERS))
    assert [table.labels for table in tables] == [tuple(DEALS[0]), ("Owner", "Quota")]
    assert [len(finish(table).rows) for table in tables] == [2, 3]


def test_an_empty_column_within_a_table(tmp_path: Path) -> None:
    """A spacer column parts nothing: neither where labels stand on both sides nor where both sides are alike."""
    rows = [[*row[:2], None, *row[2:]] for row in DEALS]
    done = read(tmp_path, saved(book(("Sheet", rows))), "deals.xlsx")
    assert done.table.labels == tuple(DEALS[0])
    assert done.rows[0] == ["D-1", "Acme", "Won", "100"]
    assert [table.labels for table in survey(tmp_path, rows)] == [tuple(DEALS[0])]


def test_tables_below_each_other(tmp_path: Path) -> None:
    """A new header behind a blank row begins a new table; its title belongs to neither."""
    rows = [*DEALS, [], ["Owners"], *OWNERS]
    tables = survey(tmp_path, rows)
    assert [table.labels[:2] for table in tables] == [("Deal ID", "Partner"), ("Owner", "Quota")]
    assert [finish(table).numbers for table in tables] == [[2, 3], [7, 8, 9]]
    done = read(tmp_path, saved(book(("Sheet", [*OWNERS, [], *DEALS]))), "deals.xlsx")
    assert done.numbers == [7, 8]
    assert done.table.header_row == 6


def test_a_blank_row_between_records_ends_nothing(tmp_path: Path) -> None:
    """Records go on behind a blank row when no header stands there."""
    rows = [*DEALS, [], ["D-3", "Gamma", "Won", 5], [], ["D-4", "Delta", "Lost", 6]]
    done = read(tmp_path, saved(book(("Sheet", rows))), "deals.xlsx")
    assert done.numbers == [2, 3, 5, 7]
    assert done.reasons == {"blank row": (4, 6)}


def test_blank_headers(tmp_path: Path) -> None:
    """A column without a label but with cells is named by its place; one without either is nothing."""
    rows = [["Deal ID", None, "Partner", None, "Stage", "Amount", None], ["D-1", "x", "Acme", None, "Won", 1, None]]
    done = read(tmp_path, saved(book(("Sheet", rows))), "deals.xlsx")
    assert done.table.labels == ("Deal ID", "(column 2)", "Partner", "Stage", "Amount")


def test_empty_rows_and_columns_at_the_end_are_nothing(tmp_path: Path) -> None:
    """What was formatted once and holds nothing is not even a blank row."""
    made = book(("Sheet", DEALS))
    made["Sheet"]["H90"] = " "
    made["Sheet"]["A60"] = ""
    done = read(tmp_path, saved(made), "deals.xlsx")
    assert (done.table.rows_read, len(done.table.labels)) == (2, 4)


def test_a_header_row_that_is_told(tmp_path: Path) -> None:
    """It is taken as it stands, also far down; a blank one is an error."""
    text = "x,y,z,w\n" * 250 + HEAD + BODY
    assert "no row holds" in refused(tmp_path, text).what
    done = read(tmp_path, text, how=How(LABELS, header_row=251))
    assert done.numbers == [252, 253]
    assert "row 1 is empty" in refused(tmp_path, "\n" + HEAD, how=How(LABELS, header_row=1)).what
    assert "row 900 is empty" in refused(tmp_path, HEAD, how=How(LABELS, header_row=900)).what


def test_a_header_row_beside_something_else(tmp_path: Path) -> None:
    """What stands beside the table in that row is not part of it."""
    data = saved(book(("Sheet", [["x"], *beside(DEALS, OWNERS)])))
    done = read(tmp_path, data, "deals.xlsx", How(LABELS, header_row=2))
    assert (done.table.labels, done.numbers) == (tuple(DEALS[0]), [3, 4])


def test_a_range_of_a_text_file(tmp_path: Path) -> None:
    """What stands beside the range is left out, and is no surplus of its rows."""
    text = "x,Deal ID,Partner,Stage,Amount,y\n" + "1,D-1,Acme,Won,5,2\n" * 3
    done = read(tmp_path, text, how=How(LABELS, range="B1:E3"))
    assert (done.table.labels, done.numbers) == (tuple(DEALS[0]), [2, 3])
    assert done.rows[0] == ["D-1", "Acme", "Won", "5"]


def test_half_of_the_labels_make_a_header(tmp_path: Path) -> None:
    """One missing column still gives the table, for its reader to say what is missing; most missing gives an error."""
    assert read(tmp_path, "Deal ID,Partner,x,y\n1,2,3,4\n").table.labels[2] == "x"
    error = refused(tmp_path, "Title\nDeal ID,Partners,x,y\n1,2,3,4\n")
    assert "no row holds the 4 labels of the mapping" in error.what
    assert "row 2 comes nearest: Deal ID, Partners, x, y" in error.what
    assert '"Partner" (did you mean "Partners"?)' in error.what


def test_labels_in_another_case(tmp_path: Path) -> None:
    """Where capitals differ the header is found, and its labels stay as they stand."""
    assert read(tmp_path, "DEAL ID,PARTNER,STAGE,AMOUNT\nD-1,a,Won,1\n").table.labels[0] == "DEAL ID"


def test_several_tables_without_labels(tmp_path: Path) -> None:
    """Nobody has said which is meant, so they are listed with their ranges."""
    data = saved(book(("Sheet", beside(DEALS, OWNERS))))
    error = refused(tmp_path, data, "deals.xlsx", How())
    assert "A1:D3" in error.what
    assert "F1:G4" in error.what
    assert "range:" in error.fix
    assert read(tmp_path, data, "deals.xlsx", How(range="F1:G4")).table.labels == ("Owner", "Quota")


def test_no_header_anywhere(tmp_path: Path) -> None:
    """Numbers alone are no table that anybody could map."""
    assert "looks like a header" in refused(tmp_path, saved(book(("S", [[1, 2], [3, 4]]))), "n.xlsx", How()).what


# ---------------------------------------------------------------------------------------------- groups

GROUPED: list[list[Any]] = [
    ["Partner", "Deal ID", "Stage", "Amount"],
    ["Acme", "D-1", "Won", 1],
    [None, "D-2", "Won", 2],
    ["Subtotal", None, None, 3],
    ["Beta", "D-3", "Won", 4],
    [None, "D-4", None, 5],
    [None, "D-5", "Won", 6],
    ["Subtotal", None, None, 15],
    ["Total", None, None, 18],
    [],
    [None, "5", None, None],
    ["Confidential Information - Do Not Distribute"],
]


def test_a_grouped_report_is_filled_down(tmp_path: Path) -> None:
    """Where totals part the groups, the group's value is given to each of its rows, and nothing else is filled."""
    above: list[list[Any]] = [["Deals by partner"], ["As of 2026-09-30"], []]
    rows = [[None, *row] for row in [*above, *GROUPED]]
    done = read(tmp_path, saved(book(("Report", rows))), "deals.xlsx")
    assert [row[0] for row in done.rows] == ["Acme", "Acme", "Beta", "Beta", "Beta"]
    assert [row[2] for row in done.rows] == ["Won", "Won", "Won", "", "Won"]
    assert [total.values["Amount"] for total in done.table.totals[:3]] == ["3", "15", "18"]
    assert done.table.remarks[-1] == "Confidential Information - Do Not Distribute"
    assert done.told("values written once per group").count == 3
    assert done.told("the report states 5 records, and 5 were read").severity == "info"


def test_a_grouped_report_may_be_left_as_it_is(tmp_path: Path) -> None:
    """The mapping may say that blanks are blanks."""
    done = read(tmp_path, saved(book(("Report", GROUPED))), "deals.xlsx", How(LABELS, grouped=False))
    assert [row[0] for row in done.rows] == ["Acme", "", "Beta", "", ""]


def test_blanks_without_totals_stay_blank(tmp_path: Path) -> None:
    """A first column with gaps alone is no sign of groups."""
    rows = [row for row in GROUPED[:7] if row[0] != "Subtotal"]
    done = read(tmp_path, saved(book(("Report", rows))), "deals.xlsx")
    assert [row[0] for row in done.rows] == ["Acme", "", "Beta", "", ""]


def test_groups_may_be_told(tmp_path: Path) -> None:
    """The mapping may say so, of text files too; inner groups begin anew with outer ones."""
    text = (
        "Region,Partner,Deal ID,Stage,Amount\nN,Acme,D-1,Won,1\n,,D-2,,2\nS,,D-3,Won,3\n,Beta,D-4,Won,4\n,,D-5,Won,5\n"
    )
    done = read(tmp_path, text, how=How(LABELS, grouped=True))
    assert [row[:2] for row in done.rows] == [["N", "Acme"], ["N", "Acme"], ["S", ""], ["S", "Beta"], ["S", "Beta"]]
    assert [row[3] for row in done.rows] == ["Won", "", "Won", "Won", "Won"]


def test_merged_cells_are_filled(tmp_path: Path) -> None:
    """A cell merged over several rows is the value of each, with its kind."""
    made = book(("Report", [DEALS[0], *[[f"D-{n}", "Acme" if n == 0 else None, "Won", n] for n in range(4)]]))
    made["Report"].merge_cells("B2:B4")
    done = read(tmp_path, saved(made), "deals.xlsx")
    assert [row[1] for row in done.rows] == ["Acme", "Acme", "Acme", ""]
    assert done.told("values written once per group").count == 2
    left = read(tmp_path, saved(made), "deals.xlsx", How(LABELS, grouped=False))
    assert [row[1] for row in left.rows] == ["Acme", "", "", ""]


def test_groups_over_batches(tmp_path: Path) -> None:
    """A group that goes on in the next batch keeps its value."""
    groups = {n: f"G{n // 70_000}" for n in range(0, 150_000, 70_000)}
    lines = [f"{groups.get(n, '')},D-{n},Won,{n}" for n in range(150_000)]
    text = "Partner,Deal ID,Stage,Amount\n" + "\n".join(lines) + "\n"
    done = read(tmp_path, text, how=How(LABELS, grouped=True))
    assert [done.rows[n][0] for n in (0, 69_999, 70_000, 139_999, 140_000, 149_999)] == [
        "G0",
        "G0",
        "G1",
        "G1",
        "G2",
        "G2",
    ]


@pytest.mark.parametrize("grouped", [None, True])
def test_spans_of_html_are_merged_cells(tmp_path: Path, grouped: bool | None) -> None:
    """A rowspan is filled like a merged cell."""
    text = html([DEALS[0], ["D-1", "Acme", "Won", "1"]]).replace("<td>Acme", "<td rowspan=2>Acme")
    text = text.replace("</table>", "<tr><td>D-2<td>Open<td>2</tr></table>")
    done = read(tmp_path, text, "deals.xls", How(LABELS, grouped=grouped))
    assert done.rows == [["D-1", "Acme", "Won", "1"], ["D-2", "Acme", "Open", "2"]]
