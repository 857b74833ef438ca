"""The operator's commands: help with examples, clear messages, exit codes that scripts can read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from pbr_lib import cli

COMMANDS = sorted(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


def pbr(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, in a workbook's folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PBR_")}
    command = [sys.executable, "-m", "pbr_lib", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_an_example(command: str) -> None:
    """Help says what the command does and shows how it is called."""
    shown = CliRunner().invoke(cli.app, [command, "--help"])
    assert shown.exit_code == 0
    assert f"pbr {command}" in shown.output.split("xample", 1)[1]


def test_check_accounts_for_every_row(workbook: Path) -> None:
    """Rows read are rows used and rows set aside, for every export; fine data exit with 0."""
    done = pbr(workbook, "check")
    assert done.returncode == 0, done.stderr
    assert (
        "opportunities-report.csv: 606 rows read = 600 used, 1 set aside (blank row), 2 set aside (line" in done.stdout
    )
    assert "csat-survey.csv: not provided" in done.stdout


def test_a_fault_in_params_names_file_line_and_remedy(workbook: Path) -> None:
    """A misspelt key ends with 2, one message and no traceback."""
    path = workbook / "params/metrics.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if "aggregate:" in line)
    lines[place] = lines[place].replace("aggregate", "agregate")
    path.write_text("".join(lines), "utf-8")
    done = pbr(workbook, "check")
    assert done.returncode == 2
    assert f"params/metrics.yaml, line {place + 1}" in done.stderr
    assert 'did you mean "aggregate"?' in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("→") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("build", "2026-Q3", "--partner", "P-0O1"), ("P-0O1", "did you mean")),
        (("build", "2029-Q4"), ("2029-Q4", "choose one of")),
        (("build", "Q3"), ('"Q3"', "write a quarter like 2026-Q3")),
        (("build", "--edition", "secret"), ("secret", "internal")),
        (("demo", "there", "--partners", "3"), ("partners", "12")),
    ],
)
def test_what_cannot_be_done_is_said(workbook: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    """An unknown partner, quarter or edition, or a demo too small, exits with 2 and says what would do."""
    done = pbr(workbook, *arguments)
    assert done.returncode == 2
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_workbook_it_says_where_to_go(tmp_path: Path) -> None:
    """Called anywhere else, it names the file that it looks for."""
    done = pbr(tmp_path, "check")
    assert done.returncode == 2
    assert "params/workbook.yaml" in done.stderr


def test_demo_writes_what_is_shipped(workbook: Path) -> None:
    """The generator with its defaults writes the exports of data/demo."""
    done = pbr(workbook, "demo", "made")
    assert done.returncode == 0, done.stderr
    for name in ("opportunities-report.csv", "leads-report.csv", "accounts-report.csv"):
        assert (workbook / "made" / name).read_bytes() == (workbook / "data/demo" / name).read_bytes()


@pytest.mark.xdist_group("build")
def test_build_ends_with_a_summary(built: Path) -> None:
    """The end of a run says how many packs, where they are, and who is behind."""
    done = pbr(built, "build")
    assert done.returncode == 0, done.stderr
    assert "12 packs of 2026-Q3, data as of 2026-09-04: 12 unchanged" in done.stdout
    assert str(built / "output" / "2026-Q3") in done.stdout
    assert "P-007  Stillwater Reach" in done.stdout
