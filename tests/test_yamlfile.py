"""YAML files: plain data with a line for every place, and a clear answer for every way to break one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from pbr_lib import yamlfile
from pbr_lib.definitions import GoalsFile, MetricsFile, Workbook
from pbr_lib.errors import InputError
from pbr_lib.mapping import Source

MINIMAL = "pbr: 1\norganisation: Acme\ncurrency: USD\n"
SOURCE = "pbr: 1\nfile: a.csv\ntable: leads\nas_of: 2026-09-30\ncovers_from: 2026-01-01\ncolumns: {ID: lead_id}\n"
METRIC = """pbr: 1
metrics:
  leads:
    label: Leads
    table: leads
    aggregate: count
    date: created_at
    unit: {kind: count}
"""
GOAL = """pbr: 1
objectives:
  grow: Grow
goals:
  leads_q:
    metric: leads
    objective: grow
    first_period: 2026-Q1
    target: {at_least: 5}
    owners: {vendor: Us, partner: Them}
"""


def read(tmp_path: Path, text: str | bytes) -> yamlfile.Document:
    """A document of that text."""
    path = tmp_path / "some.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return yamlfile.read(path, "params/some.yaml")


def faults(tmp_path: Path, text: str, model: type[BaseModel] = Workbook) -> list[InputError]:
    """The faults of a text, whether it cannot be parsed or does not fit the model."""
    try:
        document = read(tmp_path, text)
    except InputError as error:
        return [error]
    return yamlfile.validate(model, document)[1]


def only(found: list[InputError]) -> InputError:
    """The one fault, with a place and a remedy."""
    assert len(found) == 1, [str(error) for error in found]
    assert found[0].where.startswith("params/some.yaml")
    assert found[0].fix
    return found[0]


# ---------------------------------------------------------------------------------------------- reading


def test_values_keep_what_was_written(tmp_path: Path) -> None:
    """YAML 1.2 holds: NO is a text, 12:30 too, 010 is ten, a number with a point is exact, a day is a day."""
    data = read(tmp_path, "a: NO\nb: 12:30\nc: 010\nd: 0.1\ne: 2026-09-30\nf: on\ng: 1_000\nh: true\ni: '7'\n").data
    assert data == {
        "a": "NO", "b": "12:30", "c": 10, "d": Decimal("0.1"), "e": dt.date(2026, 9, 30), "f": "on", "g": 1000,
        "h": True, "i": "7",
    }  # fmt: skip
    assert type(data["d"]) is Decimal
    assert type(data["g"]) is int


def test_every_place_knows_its_line(tmp_path: Path) -> None:
    """Keys and list entries know their line, and a place without one takes that of what holds it."""
    document = read(tmp_path, "# comment\na:\n  b: 1\n  c:\n    - x\n    - y: 2\n")
    assert document.where(("a", "b")) == "params/some.yaml, line 3: a.b"
    assert document.where(("a", "c", 1, "y")) == "params/some.yaml, line 6: a.c.1.y"
    assert document.where(("a", "lost", "deep")) == "params/some.yaml, line 2: a.lost.deep"
    assert document.where(()) == "params/some.yaml, line 1"
    assert document.at(("a", "c", 1, "y")) == 2
    assert document.at(("a", "c", 7)) is None


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + MINIMAL.encode(),
        ("---\n" + MINIMAL).encode(),
        (MINIMAL + "...\n").encode(),
        MINIMAL.rstrip("\n").encode(),
        (MINIMAL + "\n   \n# the end").encode(),
    ],
    ids=["CRLF", "BOM", "dashes", "dots", "no last line end", "blank lines"],
)
def test_harmless_forms_of_the_same_file(tmp_path: Path, text: bytes) -> None:
    """Windows line ends, a byte-order mark, dashes and blank lines change nothing."""
    value, found = yamlfile.validate(Workbook, read(tmp_path, text))
    assert not found
    assert value is not None
    assert value.organisation == "Acme"


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("pbr: 1\norganisation: \xc4cme\n".encode("latin-1"), 2, "UTF-8"),
        (MINIMAL.encode("utf-16"), 1, "UTF-8"),
        (b"pbr: 1\na: \x00\n", 2, "sign"),
        ("", 1, "no keys"),
        ("# only a comment\n", 1, "no keys"),
        ("- a\n- b\n", 1, "no keys"),
        ("just text\n", 1, "no keys"),
        ("7\n", 1, "no keys"),
        ("pbr: 1\npbr: 2\n", 2, "twice"),
        ("pbr: 1\na: {b: 1, b: 2}\n", 2, "twice"),
        ("1: a\n'1': b\n", 2, "twice"),
        ("pbr: 1\n---\npbr: 2\n", 2, "second document"),
        ("pbr: 1\norganisation Acme\ncurrency: USD\n", 2, "no colon"),
        ("pbr: 1\norganisation:Acme\ncurrency: USD\n", 2, "no colon"),
        ("pbr: 1\norganisation: Acme: West\n", 2, "two colons"),
        ("pbr: 1\n\torganisation: Acme\n", 2, "tab"),
        ("pbr: 1\norganisation: 'Acme\ncurrency: USD\n", 2, "quote"),
        ('pbr: 1\norganisation: "Acme\ncurrency: "USD"\n', 2, "quote"),
        ("pbr: 1\nwords: [a, b\ncurrency: USD\n", 2, "bracket"),
        ("pbr: 1\ncalendar: {label: fiscal\ncurrency: USD\n", 2, "bracket"),
        ("pbr: 1\na {b: {c: [d]}}\n", 2, "colon before the bracket"),
        ("pbr: 1\norganisation: @cme\n", 2, "no text may start"),
        ("pbr: 1\norganisation: *cme\n", 2, "start with *"),
        ("pbr: 1\norganisation: `cme\n", 2, "no text may start"),
        ("pbr: 1\n%&/(\n", 2, "start with %"),
        ("pbr: 1\nholidays: [2026-02-30]\n", 2, "2026-02-30"),
        ("pbr: 1\n  organisation: Acme\n", 2, "start"),
        ("  pbr: 1\norganisation: Acme\n", 2, "indented"),
        ("a:\n  b: 1\n  c: 2\n d: 3\n", 4, "start"),
        ("a:\n    b: 1\n    c: 2\n  d: 3\ne:\n  f: 1\n", 2, "start"),
        ("a: ]\n", 1, "YAML"),
        ("a: !!python/object/apply:os.system [exit]\n", 1, "tag"),
        ("a: !!python/name:os.system x\n", 1, "tag"),
        ("a: !thing {b: 1}\n", 1, "tag"),
        ("a: !!set {b}\n", 1, ""),
        ("a: !!int seven\n", None, "YAML"),
        ("a: &x [*x]\n", 1, ""),
        ("a: &x {b: *x}\n", 1, ""),
        (MINIMAL + "\t\n", 4, "tab"),
        ("a: " + "[" * 5000 + "]" * 5000, None, "too deeply"),
        ("a: " + "[" * 40 + "]" * 40, 1, "too deeply"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_once_with_its_line(
    tmp_path: Path, text: str | bytes, line: int | None, word: str
) -> None:
    """Each way to break a file gives one fault, at the line that is wrong, in words that say what it is."""
    path = tmp_path / "some.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    try:
        document = yamlfile.read(path, "params/some.yaml")
        found = yamlfile.validate(Workbook, document)[1]
    except InputError as error:
        found = [error]
    told = found[0]
    assert word in told.what, told
    assert told.where.startswith("params/some.yaml" + (f", line {line}" if line else "")), told
    assert told.fix


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    """Nine lines of aliases of aliases would fill the memory; they are refused instead."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(InputError, match="deeply"):
        read(tmp_path, "\n".join(lines))


def test_an_alias_and_a_merge_are_plain_values(tmp_path: Path) -> None:
    """Who knows YAML may repeat a value by alias or merge; what comes out is what they mean."""
    document = read(tmp_path, "a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\n")
    assert document.data == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}
    assert document.where(("c", "x")).startswith("params/some.yaml, line ")


def test_a_tag_is_never_executed(tmp_path: Path) -> None:
    """A file can name a function, and nothing calls it."""
    target = tmp_path / "made"
    with pytest.raises(InputError):
        read(tmp_path, f"a: !!python/object/apply:pathlib.Path.touch [!!python/name:pathlib.Path '{target}']\n")
    assert not target.exists()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file and a folder in its place are faults like any other."""
    with pytest.raises(InputError, match="missing") as caught:
        yamlfile.read(tmp_path / "none.yaml", "params/none.yaml")
    assert (caught.value.where, bool(caught.value.fix)) == ("params/none.yaml", True)
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        yamlfile.read(tmp_path / "folder.yaml", "params/folder.yaml")


# ------------------------------------------------------------------------------------------- validating


@pytest.mark.parametrize(
    ("model", "text", "where", "what", "fix"),
    [
        (Workbook, MINIMAL + "data:\n", "line 4: data", "no value", "remove the key"),
        (Workbook, MINIMAL + "words: [a1, ]\nholidays: [~]\n", "line 5: holidays.0", "no value", "remove"),
        (Workbook, MINIMAL.replace("Acme", "17"), "line 2: organisation", '"17" is no text', 'quotes around it: "17"'),
        (Workbook, MINIMAL.replace("Acme", "true"), "line 2: organisation", '"true" is no text', "quotes"),
        (Workbook, MINIMAL.replace("Acme", "2026-01-01"), "line 2", '"2026-01-01" is no text', "quotes"),
        (Workbook, MINIMAL.replace("Acme", "[a, b]"), "line 2", '"[a, b]" is no text', "one text"),
        (Workbook, MINIMAL.replace("Acme", "''"), "line 2: organisation", "too short", "write one"),
        (Workbook, MINIMAL.replace("USD", "Usd"), "line 3: currency", '"Usd"', "three capitals"),
        (Workbook, MINIMAL.replace("currency", "curency"), "line 3: curency", "unknown key", 'mean "currency"'),
        (Workbook, "pbr: 1\ncurrency: USD\n", "line 1", '"organisation" is missing', "add organisation:"),
        (Workbook, MINIMAL.replace("1", "2", 1), "line 1: pbr", "version 1", "write pbr: 1"),
        (Workbook, MINIMAL.replace("1", "true", 1), "line 1: pbr", "version 1", "write pbr: 1"),
        (Workbook, MINIMAL + "calendar: {first_month: 13}\n", "calendar.first_month", '"13"', "12 at most"),
        (Workbook, MINIMAL + "calendar: fiscal\n", "line 4: calendar", '"fiscal" has no keys', "first_month:"),
        (Workbook, MINIMAL + "label: fiscal\n", "line 4: label", "unknown key", "indent it under calendar"),
        (Workbook, MINIMAL + "calendar: {data: x}\n", "calendar.data", "unknown key", "further left"),
        (Workbook, MINIMAL + "show_influenced: maybe\n", "line 4", '"maybe" is neither', "true or false"),
        (Workbook, MINIMAL + "show_influenced: 1\n", "line 4", '"1" is neither', "true or false"),
        (Workbook, MINIMAL + "stale_after_days: soon\n", "line 4", '"soon" is no whole number', "e.g. 10"),
        (Workbook, MINIMAL + "stale_after_days: true\n", "line 4", '"true" is no whole number', "e.g. 10"),
        (Workbook, MINIMAL + "stale_after_days: 1.5\n", "line 4", '"1.5" is no whole number', "e.g. 10"),
        (Workbook, MINIMAL + "stale_after_days: -1\n", "line 4", '"-1" is out of range', "0 or more"),
        (Workbook, MINIMAL + "on_data_error: stopp\n", "line 4", '"stopp" is not known', 'mean "stop"'),
        (Workbook, MINIMAL + "words: outlook\n", "line 4: words", "no list", "[outlook]"),
        (Workbook, MINIMAL + "words: [Out look]\n", "line 4: words.0", '"Out look"', "small letters"),
        (Workbook, MINIMAL + "holidays: [1.5.2026]\n", "holidays.0", '"1.5.2026" is no day', "2026-09-30"),
        (Workbook, MINIMAL + "holidays: [20260501]\n", "holidays.0", '"20260501" is no day', "2026-09-30"),
        (Source, SOURCE.replace("2026-09-30", "soon"), "line 4: as_of", '"soon" is no day', "2026-09-30"),
        (Source, SOURCE.replace("2026-09-30", "{find: x}"), "line 4: as_of", '"format" is missing', "add format"),
        (Source, SOURCE.replace("2026-09-30", "{fnd: x, format: y}"), "as_of.fnd", "unknown key", 'mean "find"'),
        (Source, SOURCE + "values: {status: {New: 7}}\n", "values.status.New", '"7" is no text', "quotes"),
        (Source, SOURCE + "values: {Status: {New: new}}\n", "values.Status", "as a name", "small letters"),
        (Source, SOURCE + "delimiter: ';;'\n", "delimiter", "too long", "one sign"),
        (Source, SOURCE.replace("2026-01-01", "0"), "line 5: covers_from", '"0" is no day', "2026-09-30"),
        (MetricsFile, METRIC.replace("agg", "ag"), "line 6: metrics.leads.agregate", "unknown key", '"aggregate"'),
        (MetricsFile, METRIC.replace("kind: count", "kind: money"), "line 8: metrics.leads.unit", "currency", "USD"),
        (MetricsFile, METRIC.replace("count\n    date", "sum\n    date"), "line 3: metrics.leads", 'needs "of"', "of:"),
        (MetricsFile, METRIC.replace("    date", "    # date"), "line 3: metrics.leads", 'needs "date"', "add date"),
        (MetricsFile, METRIC.replace("created_at", "17"), "line 7: metrics.leads.date", '"17" is no text', "quotes"),
        (MetricsFile, METRIC.replace("leads:\n", "leads: 5\n  oo:\n"), "line 3: metrics.leads", "no metric", "type:"),
        (MetricsFile, METRIC + "    type: rate\n", "line 3: metrics.leads", "no metric", "simple or ratio"),
        (MetricsFile, METRIC.replace("  leads", "  New Leads"), "line 3: metrics.New Leads", "as a name", "letters"),
        (MetricsFile, METRIC.replace("    unit", "  unit"), "line 8: metrics.unit", "one level too high", "indent"),
        (MetricsFile, METRIC.replace("unit:", "unit"), "line 8: metrics.leads.unit {kind", "unknown key", "unit: and"),
        (GoalsFile, GOAL.replace(", partner: Them", ""), "line 10: goals.leads_q.owners", "partner side", "partner:"),
        (GoalsFile, GOAL.replace("vendor: Us, ", ""), "line 10: goals.leads_q.owners", "our side", "vendor:"),
        (GoalsFile, GOAL.replace("goals:\n", ""), "line 4: objectives.leads_q", '"goals" is missing', "above this"),
        (GoalsFile, GOAL.replace("at_least: 5", "between: [1]"), "line 9", "two values", "[low, high]"),
        (GoalsFile, GOAL.replace("at_least: 5", "between: [1, 2, 3]"), "line 9", "too many values", "[low, high]"),
        (GoalsFile, GOAL.replace("at_least: 5", "done_by: 1"), "target.done_by", '"1" is no day', "2026-09-30"),
        (GoalsFile, GOAL.replace("at_least: 5", "at_least: .inf"), "target.at_least", "larger", "digits"),
        (GoalsFile, GOAL + "    weight: -1\n", "line 11: goals.leads_q.weight", "out of range", "0 or more"),
        (GoalsFile, GOAL + "    renew: {rule: blend, weight_on_actual: 2}\n", "weight_on_actual", "range", "1 at most"),
        (GoalsFile, GOAL + "    status: {green: 1}\n", "status.green", "unknown key", 'mean "green_from"'),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_once_with_a_remedy(
    tmp_path: Path, model: type[BaseModel], text: str, where: str, what: str, fix: str
) -> None:
    """Each fault names line and key, says what is wrong without jargon, and what to write instead."""
    told = only(faults(tmp_path, text, model))
    assert where in told.where
    assert what in told.what
    assert fix in told.fix


def test_every_fault_is_told(tmp_path: Path) -> None:
    """Faults that do not follow from each other are all told, in the order of lines."""
    text = MINIMAL.replace("USD", "usd") + "datta: x\nstale_after_days: soon\n"
    assert [error.where.split(":")[0] for error in faults(tmp_path, text)] == [
        f"params/some.yaml, line {n}" for n in (3, 4, 5)
    ]
    found = faults(tmp_path, GOAL.replace("{vendor: Us, partner: Them}", "{}"), GoalsFile)
    assert len(found) == 2


def test_a_lost_line_is_one_fault(tmp_path: Path) -> None:
    """Where the line above many entries is gone, one fault stands for all of them."""
    text = SOURCE + "values:\n    New: new\n    Old: old\n    Closed - Won: won\n"
    told = only(faults(tmp_path, text, Source))
    assert "2 more below it" in told.what
    assert "a line above them is missing" in told.fix


class Nested(BaseModel):
    """A model without any of this package's own types."""

    model_config = ConfigDict(extra="forbid")

    price: float = 0.0


def test_a_type_without_words_of_its_own_is_still_told(tmp_path: Path) -> None:
    """A fault that no one has put into words keeps the validator's, with place and the page to look at."""
    told = only(faults(tmp_path, "price: much\n", Nested))
    assert "price" in told.where
    assert "docs/reference/params.md" in told.fix
