"""The documentation: complete, up to date with the code, and every command, file and snippet in it works."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import papermill
import pytest
import typer
from conftest import copy_workbook

import pbr_lib
from pbr_lib import charts, cli, params, slices, yamlfile
from pbr_lib.blocks import Block
from pbr_lib.definitions import parse_filter

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("[!_]*.md"))]
_LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_EXPORTS = {
    "partners.csv": "Id;Account;Company;Level;State;Since\nA1;ACC-1;Brightwater GmbH;Gold;active;01.02.2025\n"
    "A2;ACC-2;Ridge & Co;Silver;active;15.07.2025\nStand: 31.08.2026\n",
    "deals.csv": "Deal,Title,Customer,Volume,Curr,Phase,Opened,Closes,Brought by\n"
    'D-1,Rollout,Harbour Trust,"12,500.00",EUR,Won,2026-07-02,2026-08-03,Brightwater GmbH\n',
}


def _load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _load_generator()


def label(path: Path) -> str:
    """A page by its path in the repository."""
    return path.relative_to(ROOT).as_posix()


@lru_cache(maxsize=64)
def text_of(path: Path) -> str:
    """A page's text."""
    return path.read_text(encoding="utf-8")


def fences(path: Path, *languages: str) -> Iterator[str]:
    """The fenced blocks of a page in those languages, without their indentation."""
    for indent, language, body in _FENCE.findall(text_of(path)):
        if language in languages:
            yield "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))


def pages_with(*languages: str) -> list[Any]:
    """The pages that hold a fenced block in one of those languages."""
    return [pytest.param(page, id=label(page)) for page in PAGES if any(fences(page, *languages))]


@pytest.fixture(params=PAGES, ids=label)
def page(request: pytest.FixtureRequest) -> Path:
    """Each page of the documentation."""
    return Path(request.param)


# ------------------------------------------------------------------------------------------- reference


@pytest.mark.parametrize("name", generate.command_names())
def test_each_command_is_documented(name: str) -> None:
    """Every command has help and an example, and stands in the reference."""
    help_text = generate.help_text(tuple(name.split()))
    assert re.search(rf"Examples?:\n+  pbr {name}\b", help_text), "no example"
    assert re.search(r"^  [A-Z].+\.$", help_text, re.MULTILINE), "no help"
    assert f"## pbr {name}\n" in text_of(DOCS / "reference/commands.md")


@pytest.mark.parametrize("name", list(generate.PAGES))
def test_generated_pages_are_up_to_date(name: str) -> None:
    """What docs/generate.py would write now is what lies there; run it again if this fails."""
    assert text_of(DOCS / "reference" / name) == generate.PAGES[name]()


@pytest.mark.parametrize(
    ("owner", "name"), [*((pbr_lib, n) for n in pbr_lib.__all__), *((charts, n) for n in charts.__all__)]
)
def test_public_names_are_documented(owner: ModuleType, name: str) -> None:
    """Every name of the front door and of the charts has a docstring and stands in the reference."""
    thing = getattr(owner, name)
    assert not callable(thing) or (thing.__doc__ or "").strip()
    prefix = "pbr.charts" if owner is charts else "pbr"
    assert f"`{prefix}.{name}" in text_of(DOCS / "reference/api.md")


def test_every_module_stands_on_the_ladder() -> None:
    """The architecture page says in a line what each module is."""
    told = set(re.findall(r"`(\w+)`", text_of(DOCS / "explanation/architecture.md")))
    modules = {path.stem for path in (ROOT / "pbr_lib").glob("*.py")} - {"__init__", "__main__"}
    assert modules <= told, f"not on the page: {', '.join(sorted(modules - told))}"


def test_every_page_can_be_reached() -> None:
    """The page of contents links to each page below docs/."""
    linked = {(DOCS / link.split("#")[0]).resolve() for link, _ in _LINK.findall(text_of(DOCS / "README.md"))}
    lost = [label(one) for one in PAGES if DOCS in one.parents and one != DOCS / "README.md" and one not in linked]
    assert not lost


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_decisions_say_context_choice_and_price(path: Path) -> None:
    """A decision is one page with what was at stake, what was chosen, and what it costs."""
    for word in ("Context", "Choice", "Price"):
        assert f"**{word}.**" in text_of(path)
    assert len(text_of(path).split()) < 400


# ------------------------------------------------------------------------------------- links and files


def _anchors(path: Path) -> set[str]:
    plain = re.sub(r"^```.*?^```", "", text_of(path), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def test_relative_links_resolve(page: Path) -> None:
    """Every link to a file leads to a file, and every anchor to a heading."""
    for link in filter(None, (one or two for one, two in _LINK.findall(text_of(page)))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in _anchors(target), f"{link}: no such heading"


def test_the_picture_is_small() -> None:
    """The page of a pack that the README shows stays below 200 kB."""
    assert (DOCS / "images/pack-page-1.png").stat().st_size < 200_000


def test_versions_agree() -> None:
    """Changelog, package and project metadata name the same newest version."""
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert newest is not None
    assert newest[1] == pbr_lib.__version__ == project["version"]


def test_nothing_names_a_machine_or_a_package_index() -> None:
    """No file in git holds a path of somebody's machine or the address of a package index."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    # Parted here, so that this file does not name what it looks for.
    parted = ("py~pi.org", "python~hosted", "--extra-~index", "--index-~url", "arti~factory")
    words = [re.escape(word.replace("~", "")) for word in parted]
    pattern = re.compile("|".join([*words, r"(?<![\w.}])/(?:work|home|root|Users)/[a-z]", r"[A-Z]:\\Users\\"]))
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            found = pattern.search(path.read_bytes().decode("utf-8", "ignore"))
            assert not found, f"{name} holds {found[0]}"


# -------------------------------------------------------------------------------------------- snippets


def _shell_lines() -> Iterator[Any]:
    for path in PAGES:
        for body in fences(path, "sh", "bat"):
            for line in body.splitlines():
                for part in re.split(r"&&|#.*", line):
                    if part.strip():
                        yield pytest.param(part.strip(), id=f"{label(path)}: {part.strip()}")


@pytest.mark.parametrize("line", list(_shell_lines()))
def test_commands_in_the_text_exist(line: str) -> None:
    """Every command that the text tells to type names commands, options, exporters and targets that exist."""
    program, *words = shlex.split(line.replace("\\", "/"))
    if program.endswith("pbr"):
        group = typer.main.get_command(cli.app)
        command = group.commands[words[0]]  # type: ignore[attr-defined]
        command.make_context(words[0], words[1:])
    elif program == "make":
        assert f"\n{words[0]}:" in (ROOT / "Makefile").read_text("utf-8")
    elif program == "jupyter":
        known = {point.name for point in importlib.metadata.entry_points(group="nbconvert.exporters")}
        assert words[words.index("--to") + 1] in known
    elif program == "papermill":
        declared = papermill.inspect_notebook(str(ROOT / words[0]))
        assert {words[i + 1] for i, word in enumerate(words) if word == "-p"} <= set(declared)
    else:
        assert program in ("py", ".venv/Scripts/pip"), f"no test knows {program}"


def _apply(page: Path, root: Path) -> None:
    """Write the params that a page shows into a workbook, in place of those that they would contradict."""
    given = {m[1]: body for body in fences(page, "yaml") if (m := re.match(r"# params/(\S+)", body))}
    if any(name.startswith("sources/") for name in given):
        shutil.rmtree(root / "params/sources")
    if given:
        for name in ("goals", "words"):
            shutil.rmtree(root / "params" / name)
        (root / "params/actions.csv").unlink()
    files = {"partner_id,goal,first_day": "pauses.csv", "action_id,": "actions.csv", "partner_id,": "goals/2026-Q4.csv"}
    for body in fences(page, "csv"):
        name = next((name for head, name in files.items() if body.startswith(head)), None)
        if name is not None:
            given[name] = body
    for name, body in given.items():
        path = root / "params" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")


@pytest.mark.parametrize("path", pages_with("yaml", "csv"))
def test_params_in_the_text_are_read(path: Path, tmp_path: Path) -> None:
    """Every YAML and CSV file shown is accepted by the very reader that the product uses."""
    root = copy_workbook(tmp_path / "workbook")
    _apply(path, root)
    read = params.read(root)
    assert read.metrics and read.sources
    for body in fences(path, "yaml"):
        if body.startswith("# a filter"):
            (tmp_path / "filter.yaml").write_text(body, encoding="utf-8")
            parse_filter(yamlfile.read(tmp_path / "filter.yaml", "filter").data["where"])
        else:
            assert body.startswith("# params/"), "say in the first line which file this is"


def test_the_mapping_howto_reads_such_exports(tmp_path: Path) -> None:
    """The mappings shown read exports of the kind described, row for row, without an error."""
    root = copy_workbook(tmp_path / "workbook")
    _apply(DOCS / "howto/map-an-export.md", root)
    for name, body in _EXPORTS.items():
        (root / "data/demo" / name).write_text(body, encoding="utf-8")
    ready = slices.check(root).ready
    assert dict(ready.partners) == {"A1": "Brightwater GmbH", "A2": "Ridge & Co"}
    assert ready.as_of == "2026-08-31"
    assert [(e["rows_read"], e["rows_used"]) for e in ready.extracts] == [(1, 1), (3, 2)]
    assert not [finding for finding in ready.findings if finding.severity == "error"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("path", pages_with("python"))
def test_python_in_the_text_runs(
    path: Path, shared_workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every Python snippet runs on the demo data, one after another, and what it shows is a block."""
    names: dict[str, Any] = {"pbr": pbr_lib}
    if any("goals." in body for body in fences(path, "python")):
        # Goals can be written, so their page has a workbook of its own.
        monkeypatch.setenv("PBR_HOME", str(copy_workbook(tmp_path / "workbook")))
        names["goals"] = pbr_lib.plan()
    else:
        monkeypatch.setenv("PBR_HOME", str(shared_workbook))
        names["review"] = pbr_lib.load("P-001", "2026-Q3")
    for body in fences(path, "python"):
        tree = ast.parse(body)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, label(path), "exec"), names)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), label(path), "eval"), names)
            assert isinstance(shown, Block)
