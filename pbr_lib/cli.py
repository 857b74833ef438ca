"""The operator's commands: front doors without logic.

Exit codes: 0 fine, 1 our fault, 2 your input, 3 some partners failed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pbr_lib import goalcli, startup, workspace
from pbr_lib.errors import InputError, PbrError
from pbr_lib.terminal import err, print_json, print_line, print_lines

__all__ = ["app", "main"]

app = typer.Typer(
    name="pbr",
    help="From CRM exports to one trustworthy Partner Business Review pack per partner per quarter.",
    epilog="Start with: pbr build",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(goalcli.goals)

Quarter = Annotated[str, typer.Argument(help="A quarter such as 2026-Q3; left out, the newest in the data.")]


@app.command(
    epilog="""Examples:

  pbr build                                    every partner, newest quarter

  pbr build 2026-Q3 --partner P-001            one partner

  pbr build 2026-Q3 --jobs 4 --out packs/      four workers, another folder
"""
)
def build(
    quarter: Quarter = "",
    partner: Annotated[list[str] | None, typer.Option(help="Build this partner only; may be given again.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Workers; 0 takes one for each processor.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Where packs go instead of the workbook's output folder.")] = None,
    edition: Annotated[str, typer.Option(help="partner, or internal with everything in it.")] = "partner",
    force: Annotated[bool, typer.Option("--force", help="Build also what has not changed.")] = False,
) -> None:
    """Build the packs of a quarter: PDF, Excel and executed notebook for each partner."""
    from pbr_lib import batch, report

    if edition not in ("partner", "internal"):
        raise InputError(f'"{edition}" is no edition', "--edition", "write partner or internal")
    where = out.resolve() if out else None
    request = batch.Request(
        workspace.find_root(), quarter, tuple(partner or ()), jobs, where, edition=edition, force=force
    )
    with _progress() as bar:
        run = batch.build(request, _Teller(bar))
    print_lines(report.summary(run))
    if run.failed:
        raise typer.Exit(3)


@app.command(
    epilog="""Examples:

  pbr check                        findings of the newest quarter

  pbr check 2026-Q2 --all          remarks of no concern as well

  pbr check --json                 for machines

  pbr check --csv findings.csv     for a spreadsheet
"""
)
def check(
    quarter: Quarter = "",
    every: Annotated[bool, typer.Option("--all", help="List every finding, remarks included.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Everything as JSON, and nothing else.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write the findings into this CSV file as well.")] = None,
) -> None:
    """Read params and exports, measure, and say what stands out; nothing is built."""
    from pbr_lib import checkup, files, slices

    checked = slices.check(workspace.find_root(), quarter)
    if csv is not None:
        files.write_bytes(csv, checkup.as_csv(checked.ready.findings).encode("utf-8-sig"))
    if json_:
        print_json(checkup.as_json(checked))
    else:
        print_lines(checkup.lines(checked, every))
    if any(finding.severity == "error" for finding in checked.ready.findings):
        raise typer.Exit(2)


@app.command(
    epilog="""Examples:

  pbr close 2026-Q2                                    freeze the quarter's packs in the ledger

  pbr close 2026-Q2 --restated                         what has changed in them since

  pbr close 2026-Q2 --reissue --partner P-001 --reason "a deal was re-dated"
"""
)
def close(  # noqa: PLR0913 - options of a command, each with its own help
    quarter: Annotated[str, typer.Argument(help="A quarter that is over, such as 2026-Q2.")],
    partner: Annotated[list[str] | None, typer.Option(help="This partner only; may be given again.")] = None,
    restated: Annotated[bool, typer.Option("--restated", help="List what has changed since, and do nothing.")] = False,
    reissue: Annotated[bool, typer.Option("--reissue", help="Issue packs again, from the present data.")] = False,
    reason: Annotated[str, typer.Option(help="Why packs are issued again.")] = "",
    kind: Annotated[str, typer.Option(help="revision or correction; left out, it follows from the changes.")] = "",
    json_: Annotated[bool, typer.Option("--json", help="Everything as JSON, and nothing else.")] = False,
) -> None:
    """Close a quarter: freeze the figures and records of its packs for good."""
    from pbr_lib import issuing

    root, partners = workspace.find_root(), tuple(partner or ())
    if restated:
        found: Any = issuing.restatements(root, quarter)
    elif reissue:
        found = issuing.reissue(root, quarter, partners, reason, kind)
    else:
        found = issuing.close(root, quarter, partners)
    if json_:
        print_json(found.as_json())
    else:
        print_lines(found.lines())


sources = typer.Typer(
    name="sources",
    help="The mappings of exports: propose, explain, try.",
    epilog="Example:\n\n  pbr sources new data/deals.csv",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
app.add_typer(sources)


@sources.command(
    "new",
    epilog="""Examples:

  pbr sources new data/opportunities.csv

  pbr sources new data/*.xlsx --force
""",
)
def sources_new(
    files: Annotated[list[Path], typer.Argument(help="Exports as your CRM or spreadsheet wrote them.")],
    force: Annotated[bool, typer.Option("--force", help="Write over mappings of the same name.")] = False,
) -> None:
    """Look at exports and propose a commented mapping for each."""
    from pbr_lib import sourcebook

    print_lines(sourcebook.propose(workspace.find_root(), files, force))


@sources.command(
    "show",
    epilog="""Examples:

  pbr sources show                 all mappings, a line each

  pbr sources show opportunities
""",
)
def sources_show(name: Annotated[str, typer.Argument(help="A mapping; left out, all of them.")] = "") -> None:
    """Explain a mapping in words."""
    from pbr_lib import sourcebook

    print_lines(sourcebook.show(workspace.find_root(), name))


@sources.command(
    "read",
    epilog="""Examples:

  pbr sources read opportunities

  pbr sources read opportunities --out opportunities.csv
""",
)
def sources_read(
    name: Annotated[str, typer.Argument(help="A mapping of params/sources.")],
    out: Annotated[Path | None, typer.Option(help="Write the rows as read into this .csv or .parquet file.")] = None,
) -> None:
    """Read one export as its mapping says, with totals to hold against the CRM."""
    from pbr_lib import sourcebook

    read = sourcebook.read(workspace.find_root(), name, out)
    print_lines(read.lines())
    if read.faulty:
        raise typer.Exit(2)


@app.command(epilog="Example:\n\n  pbr new my-programme/")
def new(folder: Annotated[Path, typer.Argument(help="Where the workbook goes; made if it is not there.")]) -> None:
    """Begin an empty workbook, with metrics and goals to start from."""
    from pbr_lib import starter

    print_lines(starter.begin(folder))


@app.command(
    epilog="""Examples:

  pbr demo try/                                                  twelve partners

  pbr demo big/ --partners 5000 --opportunities 1000000 --seed 7
"""
)
def demo(
    folder: Annotated[Path, typer.Argument(help="Where the exports go; made if it is not there.")],
    partners: Annotated[int, typer.Option(help="How many partners.")] = 12,
    opportunities: Annotated[int, typer.Option(help="How many opportunities.")] = 600,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
) -> None:
    """Write demo exports the way CRMs write them, always the same for the same arguments."""
    from pbr_lib import demo as generator

    for path in generator.write(folder, partners, opportunities, seed):
        print_line(f"{path}  {path.stat().st_size:,} bytes")


@app.command(epilog="Example:\n\n  pbr lab")
def lab() -> None:
    """Open JupyterLab on the workbook's notebooks, kernel ready."""
    import importlib.util

    root = workspace.find_root()
    if importlib.util.find_spec("jupyterlab") is None:
        raise InputError("JupyterLab is not installed", fix='pip install "pbr-workbook[lab]", or make lab')
    os.environ["PBR_HOME"] = str(root)
    start = "lab/tree/notebooks/partner_pack.ipynb"
    arguments = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}", f"--LabApp.default_url=/{start}"]
    os.execv(sys.executable, arguments)  # noqa: S606 - no shell, and every argument is ours


class _Teller:
    """Turns what the batch tells into a progress bar."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.task = bar.add_task("Reading and measuring", total=None)

    def __call__(self, event: str, value: Any) -> None:
        if event == "measured":
            self.bar.update(self.task, description=f"Packs of {value.quarter}")
        elif event == "jobs":
            self.bar.update(self.task, total=value, completed=0)
        elif event == "pack":
            self.bar.advance(self.task)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=not err.is_terminal)


def main() -> None:
    """The entry point: errors of this package become a message and an exit code, never a traceback."""
    startup.lighten()
    try:
        app()
    except InputError as error:
        err.print(str(error))
        raise SystemExit(2) from None
    except PbrError as error:
        err.print(str(error))
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        err.print("stopped")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
