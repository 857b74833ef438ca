"""What a run asks of a worker and what comes back; apart, because it must be cheap to import: the process that
runs a batch needs it, and must not pay for the exporters that only workers use.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pbr_lib import files
from pbr_lib.errors import PbrError

__all__ = ["FAILED", "FILES", "Job", "Outcome", "failure", "known_findings", "unchanged"]

FILES = ("pack.pdf", "pack.xlsx", "pack.ipynb")
FAILED = "failed.ipynb"


@dataclass(frozen=True)
class Job:
    """One pack to make: everything a worker needs, and nothing of any other partner."""

    partner: str
    quarter: str
    edition: str
    template: Path
    slice: Path
    folder: Path
    key: str


@dataclass(frozen=True)
class Outcome:
    """What became of one pack."""

    partner: str
    state: Literal["built", "unchanged", "failed"]
    folder: Path
    findings: tuple[str, ...] = ()
    error: PbrError | None = None


def failure(job: Job, error: PbrError, executed: Path | None) -> Outcome:
    """Keep the failed notebook, and take away what an earlier run left: it must not pass for this one."""
    for name in (*FILES, "manifest.json"):
        (job.folder / name).unlink(missing_ok=True)
    if executed is not None and executed.is_file():
        shutil.move(executed, job.folder / FAILED)
    return Outcome(job.partner, "failed", job.folder, (), error)


def unchanged(job: Job) -> bool:
    """Whether the pack that lies there was made from the same slice, template and code, and is whole."""
    manifest = files.read_json(job.folder / "manifest.json")
    if not isinstance(manifest, dict) or manifest.get("key") != job.key:
        return False
    hashes = manifest.get("sha256", {})
    return all(
        (job.folder / name).is_file()
        and hashlib.sha256((job.folder / name).read_bytes()).hexdigest() == hashes.get(name)
        for name in FILES
    )


def known_findings(job: Job) -> tuple[str, ...]:
    """What the exporters remarked when the pack was made."""
    manifest = files.read_json(job.folder / "manifest.json") or {}
    return tuple(manifest.get("findings", ()))
