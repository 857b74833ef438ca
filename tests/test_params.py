"""Params: the shipped ones are sound, and breaking any one line gives one clear message with place and remedy."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import re
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pbr_lib import ingest, origins, params, slices, yamlfile
from pbr_lib.errors import InputError, ParamsError, UnknownQuarter
from pbr_lib.params import Params

ROOT = Path(__file__).resolve().parent.parent
YAML_FILES = sorted(path.relative_to(ROOT / "params").as_posix() for path in (ROOT / "params").rglob("*.yaml"))
# The library has the grammar of metrics.yaml, eight times as long, and tests of its own.
BROKEN_FILES = [name for name in YAML_FILES if name != "library.yaml"]
CSV_FILES = sorted(path.relative_to(ROOT / "params").as_posix() for path in (ROOT / "params").rglob("*.csv"))
WORDS = sorted(path.relative_to(ROOT / "params").as_posix() for path in (ROOT / "params").rglob("*.md"))
# Keys whose value is anybody's own text, so that any other text is as good.
FREE = {"label", "about", "name", "organisation", "output", "grow_pipeline", "win_together", "build_skills"}


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Params of one's own to break, beside the shipped exports."""
    shutil.copytree(ROOT / "params", tmp_path / "params")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demo").symlink_to(ROOT / "data" / "demo")
    return tmp_path


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A YAML file that has not changed is parsed once."""
    seen: dict[tuple[str, bytes], yamlfile.Document] = {}
    plain = yamlfile.read

    def read(path: Path, name: str) -> yamlfile.Document:
        key = (name, path.read_bytes()) if path.is_file() else (name, b"")
        if key not in seen:
            seen[key] = plain(path, name)
        return seen[key]

    monkeypatch.setattr(yamlfile, "read", read)


def faults(root: Path) -> list[InputError]:
    """The faults that reading finds; any other exception is a traceback, and fails the test."""
    try:
        params.read(root)
    except ParamsError as error:
        return list(error.errors)
    return []


def content(value: Params) -> tuple[Any, ...]:
    """What params say, without the places where they say it."""
    instances = {
        quarter: [dataclasses.replace(one, where="") for one in each] for quarter, each in value.instances.items()
    }
    actions = [dataclasses.replace(action, where="") for action in value.actions]
    return (value.workbook, value.metrics, value.objectives, value.goals, value.sources, instances, actions,
            value.rates, value.words)  # fmt: skip


def only(found: list[InputError]) -> InputError:
    """The one fault, with its remedy."""
    assert len(found) == 1, [str(error) for error in found]
    assert found[0].where.startswith("params/")
    assert found[0].fix
    return found[0]


def put(root: Path, name: str, text: str | bytes) -> Path:
    """Write one file of params."""
    path = root / "params" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def change(root: Path, name: str, old: str, new: str) -> None:
    """Replace the one place where ``old`` stands."""
    text = (root / "params" / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, text.count(old)
    put(root, name, text.replace(old, new))


# ----------------------------------------------------------------------------- every line of every YAML

_KEY = re.compile(r"^(?P<indent>\s*(?:- )?)(?P<key>[^:#{\[]+?):(?P<value>\s.*|)$")


def key_of(line: str) -> str:
    """The key that a line defines, empty when it defines none."""
    match = _KEY.match(line)
    return match["key"].strip() if match else ""


def _on_key(line: str, form: Callable[[str, str, str], str]) -> str | None:
    match = _KEY.match(line.split(" #")[0].rstrip())
    return form(match["indent"], match["key"], match["value"].strip()) if match else None


def _letter_lost(indent: str, key: str, value: str) -> str:
    middle = len(key) // 2
    return f"{indent}{key[:middle]}{key[middle + 1 :]}: {value}"


BREAKAGES: dict[str, Callable[[str], str | None]] = {
    "letter lost": lambda line: _on_key(line, _letter_lost),
    "colon lost": lambda line: _on_key(line, lambda indent, key, value: f"{indent}{key} {value}"),
    "nonsense": lambda line: _on_key(line, lambda indent, key, value: f"{indent}{key}: xyzzy" if value else line),
    "value lost": lambda line: _on_key(line, lambda indent, key, value: f"{indent}{key}:" if value else line),
    "quote open": lambda line: _on_key(line, lambda indent, key, value: f'{indent}{key}: "{value}'),
    "bracket open": lambda line: _on_key(line, lambda indent, key, value: f"{indent}{key}: [{value}"),
    "bracket lost": lambda line: line.rstrip()[:-1] if line.rstrip().endswith(("}", "]")) else None,
    "deeper": lambda line: "   " + line,
    "less deep": lambda line: line[2:] if line.startswith("  ") else None,
    "tab": lambda line: "\t" + line.lstrip(),
}


_LAST = {
    "goals.yaml": [
        f"  last_{n}: {{metric: new_partner_leads, objective: {objective}, first_period: 2024-Q3, "
        "target: {at_least: 5}, owners: {vendor: Us, partner: Them}}"
        for n, objective in enumerate(("grow_pipeline", "win_together", "build_skills"))
    ],
    "metrics.yaml": [
        f"  last_{n}: {{label: Last, table: leads, aggregate: count, date: created_at, unit: {{kind: count}}}}"
        for n in range(3)
    ],
}


def excerpts(name: str) -> Iterator[tuple[list[str], range]]:
    """The lines of a file in small pieces that are whole files, and which lines of each are to be broken."""
    lines = (ROOT / "params" / name).read_text(encoding="utf-8").splitlines()
    if name not in ("goals.yaml", "metrics.yaml"):
        yield lines, range(len(lines))
        return
    starts = [n for n, line in enumerate(lines) if re.match(r"^  \w+:$", line)]
    head = lines[: starts[0]]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        parts = [part for line in lines[start:end] for part in re.findall(r"(?:numerator|denominator): (\w+)", line)]
        needed = [n for n in starts if lines[n].strip(" :") in parts]
        before = [line for n in needed for line in lines[n : starts[starts.index(n) + 1]]]
        first = len(head) + len(before)
        yield (
            [*head, *before, *lines[start:end], *_LAST[name]],
            range(0 if start == starts[0] else first, first + end - start),
        )


def lone(root: Path, name: str) -> None:
    """Take away whatever would miss the entries that an excerpt leaves out."""
    if name in ("goals.yaml", "metrics.yaml"):
        shutil.rmtree(root / "params" / "goals")
        (root / "params" / "actions.csv").unlink()
        if name == "metrics.yaml":
            put(root, "goals.yaml", "pbr: 1\nobjectives: {grow: Grow}\ngoals: {}\n")


def told_by_exports(value: Params, name: str) -> list[Any]:
    """What reading the one export says, whose mapping was changed."""
    source = Path(name).stem
    base = origins.Base(value.data, value.workbook.data, value.output / "fetched")
    if origins.absent(value.sources[source], base, source) and value.sources[source].optional:
        return ["not there to be read"]
    some = {key: value.sources[key] for key in {"partners", source}}
    try:
        return list(ingest.load(dataclasses.replace(value, sources=some)).findings)
    except InputError as error:
        return [error]


def judge(found: list[InputError], name: str, lines: list[str], number: int) -> None:
    """One fault with a remedy, near the broken line, at what holds it, or naming what it defined."""
    broken = lines[number]
    words = set(re.findall(r"\w{3,}", broken)) | {key_of(broken)}
    assert len(found) == 1 or all(key_of(broken) in error.what for error in found), [str(error) for error in found]
    for error in found:
        assert error.fix, error
        place = re.search(r"^params/(\S+), line (\d+)", error.where)
        near = place is not None and place[1] == name and int(place[2]) - 1 in places(lines, number)
        named = {word.strip('"(),?') for word in str(error).split()} | set(re.findall(r'"([^"]*)"', str(error)))
        assert near or words & named, (number + 1, broken, str(error))


def places(lines: list[str], number: int) -> set[int]:
    """The lines next to a line, and those of the keys that hold it."""
    depth, out = len(lines[number]) - len(lines[number].lstrip()), {0, *range(number - 2, number + 3)}
    for above in range(number, -1, -1):
        line = lines[above]
        if line.strip() and not line.lstrip().startswith("#") and len(line) - len(line.lstrip()) < depth:
            depth = len(line) - len(line.lstrip())
            out.add(above)
    return out


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("name", BROKEN_FILES)
def test_breaking_any_line_is_told_once(desk: Path, name: str) -> None:
    """Each way to break each line gives one fault near it, or else the file still says something valid."""
    lone(desk, name)
    for piece, (lines, where) in enumerate(excerpts(name)):
        put(desk, name, "\n".join(lines) + "\n")
        sound = content(params.read(desk))
        for number in where:
            line = lines[number]
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            for turn, (kind, breakage) in enumerate(BREAKAGES.items()):
                broken = breakage(line)
                # Entries resemble each other: from the third on, lines take turns with the ways to break them.
                if broken is None or broken == line or (piece > 1 and (number + turn + piece) % 4):
                    continue
                put(desk, name, "\n".join([*lines[:number], broken, *lines[number + 1 :]]) + "\n")
                found = faults(desk)
                if found:
                    judge(found, name, lines, number)
                elif content(value := params.read(desk)) != sound:
                    still_valid(value, name, kind, line)
        put(desk, name, "\n".join(lines) + "\n")


def still_valid(value: Params, name: str, kind: str, line: str) -> None:
    """A break that no check of params notices is one of free text, or the exports tell of it."""
    assert kind in ("nonsense", "letter lost") or (key_of(line) in FREE and kind == "bracket lost"), (kind, line)
    if name in ("goals.yaml", "metrics.yaml") and kind == "letter lost" and re.match(r"^  \w+:", line):
        return  # a name of one's own; that others still use the old one is told in tests of their own
    if key_of(line) in FREE and kind != "letter lost":
        return
    if name.startswith("sources/"):
        assert told_by_exports(value, name), (kind, line)
        return
    assert (name, key_of(line)) == ("workbook.yaml", "data"), (kind, line)
    with pytest.raises(InputError, match="folder of the exports is missing") as caught:
        ingest.load(value)
    assert "params/workbook.yaml" in caught.value.fix


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("name", BROKEN_FILES)
def test_losing_any_line_is_told_once(desk: Path, name: str) -> None:
    """Without any one line of a file there is one fault that names it, or the line was one that may be left out."""
    lone(desk, name)
    for lines, where in excerpts(name):
        for number in where:
            line = lines[number]
            if line.strip() and not line.lstrip().startswith("#"):
                put(desk, name, "\n".join([*lines[:number], *lines[number + 1 :]]) + "\n")
                found = faults(desk)
                if found:
                    judge(found, name, lines, number)
                else:
                    assert line.startswith(" ") or name.startswith("sources/") or name == "workbook.yaml", line


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("name", ["goals.yaml", "metrics.yaml"])
def test_losing_the_name_of_an_entry_is_told_once(desk: Path, name: str) -> None:
    """In the whole file too, an entry without its first line is one fault there, not one at the far end."""
    lines = (desk / "params" / name).read_text(encoding="utf-8").splitlines()
    for number in [n for n, line in enumerate(lines) if re.match(r"^  \w+:$", line)]:
        put(desk, name, "\n".join([*lines[:number], *lines[number + 1 :]]) + "\n")
        judge(faults(desk), name, lines, number)


# ------------------------------------------------------------------------------ every row of every CSV


def table(name: str) -> list[list[str]]:
    """The rows of a shipped CSV file, header first."""
    return list(csv.reader(io.StringIO((ROOT / "params" / name).read_text(encoding="utf-8"))))


def put_rows(root: Path, name: str, rows: list[list[str]]) -> None:
    """Write a CSV file."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    put(root, name, out.getvalue())


def fault_rows(found: list[InputError], name: str) -> list[int]:
    """The rows that faults name; each fault is of this file and has a remedy."""
    out = []
    for error in found:
        place = re.search(rf"^params/{name}, row (\d+)", error.where)
        assert place, str(error)
        assert error.fix, str(error)
        out.append(int(place[1]))
    return sorted(out)


CELLS = {
    "partner_id": "",
    "goal": "n",
    "target": "many",
    "stretch": "5 or 6",
    "red_flag": "low",
    "weight": "-1",
    "action_id": "",
    "action": "",
    "side": "them",
    "opened": "Q3",
    "due": "31.12.2026",
    "closed_on": "soon",
    "status": "doing",
    "currency": "Euro",
    "to_currency": "usd",
    "kind": "planned",
    "valid_from": "2026",
    "rate": "0",
}


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("name", CSV_FILES)
def test_breaking_any_cell_is_told_for_its_row(desk: Path, name: str) -> None:
    """A cell that does not fit gives one fault with the row and the column, in every row at once."""
    rows = table(name)
    for index, column in enumerate(rows[0]):
        if column not in CELLS:
            continue
        broken = [[*row[:index], CELLS[column], *row[index + 1 :]] for row in rows[1:]]
        if column == "goal":
            broken = [[*row[:index], f"goal_{n}", *row[index + 1 :]] for n, row in enumerate(rows[1:])]
        put_rows(desk, name, [rows[0], *broken])
        found = faults(desk)
        assert fault_rows(found, name) == list(range(2, len(rows) + 1)), column
        assert all(error.where.endswith(f", {column}") for error in found)


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("name", CSV_FILES)
def test_a_lost_or_added_cell_is_told_for_its_row(desk: Path, name: str) -> None:
    """A row with a cell too few or too many is told; an empty one too many behind the last changes nothing."""
    rows = table(name)
    sound = content(params.read(desk))
    for third in range(3):
        broken = [n for n in range(1, len(rows)) if n % 3 == third and 3 * len(range(third, len(rows), 3)) <= len(rows)]
        broken = broken or [1 + third]
        for edit in (lambda row: row[:-1], lambda row: [*row[:2], "more", *row[2:]]):
            put_rows(desk, name, [edit(row) if n in broken else row for n, row in enumerate(rows)])
            assert fault_rows(faults(desk), name) == [n + 1 for n in broken]
    put_rows(desk, name, [[*row, "", ""] for row in rows])
    assert content(params.read(desk)) == sound


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("name", CSV_FILES)
def test_breaking_the_first_row_is_told_once(desk: Path, name: str) -> None:
    """A column misspelt, lost, doubled, unnamed, or no header at all: one fault at row 1, never one per row."""
    head, *body = table(name)
    for index, column in enumerate(head):
        middle = len(column) // 2
        for changed in (column[:middle] + column[middle + 1 :], "", head[index - 1], "z"):
            put_rows(desk, name, [[*head[:index], changed, *head[index + 1 :]], *body])
            found = faults(desk)
            assert set(fault_rows(found, name)) == {1}, changed
            assert len(found) <= 2, [str(error) for error in found]
        put_rows(desk, name, [[*head[:index], *head[index + 1 :]], *body])
        assert fault_rows(faults(desk), name) == [1]
    put_rows(desk, name, body)
    assert fault_rows(faults(desk), name) == [1]


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("name", CSV_FILES)
def test_a_lost_or_doubled_row(desk: Path, name: str) -> None:
    """A row less is one entry less, the same row again is told, and an open quote is told where it opens."""
    rows = table(name)
    for number in range(1, len(rows)):
        put_rows(desk, name, [*rows[:number], *rows[number + 1 :]])
        assert faults(desk) == []
    for number in range(1, len(rows), 7):
        put_rows(desk, name, [*rows[: number + 1], *rows[number:]])
        assert fault_rows(faults(desk), name) == [number + 2]
    lines = (ROOT / "params" / name).read_text(encoding="utf-8").splitlines()
    for number in range(0, len(lines), 5):
        put(desk, name, "\n".join([*lines[:number], '"' + lines[number], *lines[number + 1 :]]) + "\n")
        assert fault_rows(faults(desk), name)[0] == number + 1


def test_a_row_that_excel_would_not_change(desk: Path) -> None:
    """Saving with semicolons, a byte-order mark and Windows line ends changes nothing."""
    sound = content(params.read(desk))
    for name in CSV_FILES:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=";").writerows(table(name))
        put(desk, name, b"\xef\xbb\xbf" + text.getvalue().encode())
    assert content(params.read(desk)) == sound


# --------------------------------------------------------------------------------- every line of words


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("name", WORDS)
def test_breaking_words_is_told_or_harmless(desk: Path, name: str) -> None:
    """A heading that is lost, misspelt or doubled is told with its line; any other text is anybody's own."""
    lines = (desk / "params" / name).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        heading = line.startswith("#")
        for changed in ([], ["xyzzy"], ["## headlin"], [line, "", line]):
            put(desk, name, "\n".join([*lines[:number], *changed, *lines[number + 1 :]]) + "\n")
            found = faults(desk)
            assert bool(found) <= (heading or any(each.startswith("#") for each in changed))
            if found:
                assert f"params/{name}, line " in only(found).where


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("Some text\nand more\nand more\n", 1, "before the first heading"),
        ("# Headlines\ntext\n", 1, 'no section is called "headlines"'),
        ("## headline\na\n## Headline\nb\n", 3, "twice"),
        (b"## headline\nM\xfcller\n", None, "UTF-8"),
    ],
)
def test_words_that_belong_nowhere(desk: Path, text: str | bytes, line: int | None, what: str) -> None:
    """Text without a section that the workbook knows is told with its line and the sections there are."""
    put(desk, "words/2026-Q3/P-001.md", text)
    told = only(faults(desk))
    assert told.where == "params/words/2026-Q3/P-001.md" + (f", line {line}" if line else "")
    assert what in told.what


def test_words_are_read_by_section(desk: Path) -> None:
    """Each section holds its Markdown as written; one without text is not there."""
    put(desk, "words/2026-Q3/P-002.md", b"\xef\xbb\xbf## Headline ##\r\n\r\nWe **won**.\r\n\r\n## outlook\r\n\r\n")
    assert params.read(desk).words["2026-Q3", "P-002"] == {"headline": "We **won**."}


# --------------------------------------------------------------------------------------- whole files


def test_the_shipped_params_are_sound(shared_workbook: Path) -> None:
    """The shipped params are read without a fault, into values that name their rows."""
    value = params.read(shared_workbook)
    assert set(value.sources) == {Path(name).stem for name in YAML_FILES if name.startswith("sources/")}
    assert sum(len(each) for each in value.instances.values()) > 150
    first = value.instances["2026-Q3"][0]
    assert first.where == "params/goals/2026-Q3.csv, row 2"
    assert first.agreed
    assert value.quarter("2026-Q3").end == dt.date(2026, 10, 1)
    assert (value.data, value.output) == (shared_workbook / "data/demo", shared_workbook / "output")
    assert value.rates[0].rate == Decimal("1.07")


def test_the_digest_changes_with_every_file(desk: Path) -> None:
    """Whatever is read has a part in the fingerprint, and nothing else has."""
    digest = params.read(desk).digest
    put(desk, ".notes", "x")
    assert params.read(desk).digest == digest
    for name in ("workbook.yaml", "actions.csv", "words/2026-Q3/P-001.md"):
        put(desk, name, (desk / "params" / name).read_text(encoding="utf-8") + "\n")
        digest, before = params.read(desk).digest, digest
        assert digest != before


@pytest.mark.parametrize("name", ["workbook.yaml", "metrics.yaml", "goals.yaml"])
@pytest.mark.parametrize("text", [None, "", "- a\n", "text\n", "a: [\n", "\x00"], ids=str)
def test_a_file_that_is_no_file(desk: Path, name: str, text: str | None) -> None:
    """A missing, empty or broken file is one fault of that file; nothing that needs it is blamed."""
    path = desk / "params" / name
    path.unlink()
    if text is not None:
        put(desk, name, text)
    assert only(faults(desk)).where.startswith(f"params/{name}")


@pytest.mark.parametrize("name", [name for name in YAML_FILES if name.startswith("sources/")])
def test_a_broken_mapping_is_one_fault(desk: Path, name: str) -> None:
    """A mapping that cannot be read is one fault, and no missing partner list is told beside it."""
    put(desk, name, "pbr: 1\nfile: [a\n")
    assert only(faults(desk)).where.startswith(f"params/{name}, line 2")


def test_somebody_must_map_the_partners(desk: Path) -> None:
    """Without a mapping of the partner list sums can be checked and no pack built; without any there is one fault."""
    (desk / "params/sources/partners.yaml").unlink()
    told = [f.what for f in ingest.load(params.read(desk)).findings if f.severity == "error"]
    assert any("no source fills the table partners" in what for what in told)
    shutil.rmtree(desk / "params" / "sources")
    assert "no source is described" in only(faults(desk)).what


def test_a_goal_that_nobody_defines_is_told_once(desk: Path) -> None:
    """A goal whose name was lost is one fault for all rows of all files that name it."""
    change(desk, "goals.yaml", "  win_rate_q:", "  win_rates_q:")
    told = only(faults(desk))
    assert 'no goal is called "win_rate_q"' in told.what
    assert "more rows name it" in told.what
    assert 'did you mean "win_rates_q"?' in told.fix


def test_a_metric_that_nobody_defines_is_told_at_the_goals(desk: Path) -> None:
    """A metric whose name was lost is told where a goal needs it."""
    change(desk, "metrics.yaml", "  certified_people:", "  certified_persons:")
    told = only(faults(desk))
    assert told.where == "params/goals.yaml, line 102: goals.certified_people_q.metric"
    assert 'did you mean "certified_persons"?' in told.fix


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("sources/leads2.yml", "leads2.yaml"),
        ("goals/2026-Q4.xlsx", "2026-Q4.csv"),
        ("words/2026-Q3/P-003.txt", "P-003.md"),
        ("metric.yaml", '"metrics.yaml"'),
        ("goals.yml", '"goals.yaml"'),
        ("action.csv", '"actions.csv"'),
    ],
)
def test_a_file_that_nothing_reads_is_told(desk: Path, name: str, fix: str) -> None:
    """A file with a name that is nearly right is told, since what it says would count for nothing."""
    put(desk, name, "x")
    told = only(faults(desk))
    assert told.where == f"params/{name}"
    assert fix in told.fix


def test_files_beside_params_are_left_alone(desk: Path) -> None:
    """Notes, locks of Excel and hidden files are nobody's fault."""
    for name in ("README.md", "sources/notes.md", "goals/~$2026-Q3.xlsx", ".hidden.yaml", "goals/.2026-Q4.csv.swp"):
        put(desk, name, "x")
    assert faults(desk) == []


@pytest.mark.parametrize("name", ["goals/2026Q4.csv", "goals/Q4.csv", "words/Q3/P-001.md", "words/FY26-Q3/P-001.md"])
def test_a_name_that_is_no_quarter(desk: Path, name: str) -> None:
    """Targets and words belong to a quarter, which their file or folder names."""
    put(desk, name, "partner_id,goal,target\n")
    told = only(faults(desk))
    assert told.where == f"params/{name}"
    assert "2026-Q3" in told.fix


def test_an_unknown_quarter_is_refused(shared_workbook: Path) -> None:
    """Who asks for what is no quarter is told how to write one."""
    with pytest.raises(UnknownQuarter) as caught:
        params.read(shared_workbook).quarter("Q3")
    assert "2026-Q3" in caught.value.fix


def test_targets_take_the_kind_of_their_goal(desk: Path) -> None:
    """A milestone's target is a day, a range has two ends, and each is refused in any other form."""
    put(desk, "goals.yaml", (desk / "params/goals.yaml").read_text(encoding="utf-8") + "\n".join([
        "", "  done_q:", "    metric: new_partner_leads", "    objective: win_together", "    first_period: 2026-Q1",
        "    target: {done_by: 2026-09-30}", "    owners: {vendor: Us, partner: Them}",
        "  range_q:", "    metric: win_rate", "    objective: win_together", "    first_period: 2026-Q1",
        "    target: {between: [20 %, 40 %]}", "    owners: {vendor: Us, partner: Them}", "",
    ]))  # fmt: skip
    rows = table("goals/2026-Q3.csv")[:1]
    width = len(rows[0])

    def row(goal: str, target: str) -> list[str]:
        return ["P-001", goal, target, *[""] * (width - 3)]

    put_rows(desk, "goals/2026-Q3.csv", [*rows, row("done_q", "2026-08-31"), row("range_q", "30 %..0.5")])
    done, between = params.read(desk).instances["2026-Q3"]
    assert done.target.done_by == dt.date(2026, 8, 31)
    assert between.target.between == (Decimal("0.3"), Decimal("0.5"))
    for goal, target, fix in (
        ("done_q", "soon", "2026-09-30"),
        ("done_q", "5", "2026-09-30"),
        ("range_q", "30 %", "80..90"),
        ("range_q", "30..50", "30 %"),
        ("range_q", "0.5..0.3", "[low, high]"),
        ("range_q", "0.3..", "0.85"),
        ("win_rate_q", "-0.1", "base"),
        ("win_rate_q", "35", "35 %"),
    ):
        put_rows(desk, "goals/2026-Q3.csv", [*rows, row(goal, target)])
        told = only(faults(desk))
        assert told.where == "params/goals/2026-Q3.csv, row 2, target"
        assert fix in told.fix, told


# ------------------------------------------------------------------------------ against the partner list


def test_unknown_partners_are_told_once_each(workbook: Path) -> None:
    """A partner that no list knows is one fault however many rows name it, with its first place and a near one."""
    change(workbook, "goals/2026-Q1.csv", "P-001,win_rate_q", "P-00l,win_rate_q")
    text = (workbook / "params/actions.csv").read_text(encoding="utf-8")
    put(workbook, "actions.csv", text.replace("P-012", "Quartz & Quill"))
    put(workbook, "words/2026-Q2/P-999.md", "## headline\n\nx\n")
    settings = params.read(workbook)
    with pytest.raises(ParamsError) as caught:
        slices._check_partners(settings, ingest.load(settings))
    told = {error.what.split('"')[1]: error for error in caught.value.errors}
    assert set(told) == {"P-00l", "Quartz & Quill", "P-999"}
    assert re.fullmatch(r"params/goals/2026-Q1\.csv, row \d+, partner_id", told["P-00l"].where)
    assert "did you mean" in told["P-00l"].fix
    assert told["Quartz & Quill"].where.startswith("params/actions.csv, row ")
    assert 'use its id, "P-012"' in told["Quartz & Quill"].fix
    assert told["P-999"].where == "params/words/2026-Q2/P-999.md"
    assert all(error.fix for error in caught.value.errors)
