"""One notebook, many partners; apart, because a run must go on where a single pack fails.

Exports are read and measured once; then each partner's notebook runs in a worker process with a kernel of
its own, and both exporters turn the executed notebook into the pack. A pack whose slice, template and code
have not changed is left as it is.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import nbformat

from pbr_lib import engine, indexpage, slices, store
from pbr_lib.errors import PackError, PbrError
from pbr_lib.export.pdf import PdfExporter
from pbr_lib.export.xlsx import XlsxExporter
from pbr_lib.slices import Slices

__all__ = ["Job", "Outcome", "Request", "Run", "build", "make_pack"]

FILES = ("pack.pdf", "pack.xlsx", "pack.ipynb")
FAILED = "failed.ipynb"


@dataclass(frozen=True)
class Request:
    """What is to be built: quarter (empty for the newest), partners (none for all), workers, where to."""

    root: Path
    quarter: str = ""
    partners: tuple[str, ...] = ()
    jobs: int = 0
    out: Path | None = None
    edition: str = "partner"
    template: str = "partner_pack.ipynb"
    force: bool = False


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


@dataclass(frozen=True)
class Run:
    """A whole run: where the packs are and what became of each, in the order of partner ids."""

    slices: Slices = field(repr=False)
    folder: Path
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The packs that could not be made."""
        return tuple(outcome for outcome in self.outcomes if outcome.state == "failed")


def build(request: Request, tell: Callable[[str, Any], None] = lambda event, value: None) -> Run:
    """Build the packs of a quarter.

    ``tell`` hears of ``("measured", Slices)``, ``("jobs", number)`` and ``("pack", Outcome)`` as they come.

    Raises
    ------
    InputError
        For faults in params, exports, template, quarter or partner names, before any notebook runs.
    """
    template = request.root / "notebooks" / request.template
    engine.check_parameters(template, ("partner", "quarter", "edition"))
    ready = slices.ensure(request.root, request.quarter)
    tell("measured", ready)
    folder = (request.out or ready.output) / ready.quarter
    jobs = _jobs(request, ready, template, folder)
    todo = [job for job in jobs if request.force or not _unchanged(job)]
    tell("jobs", len(todo))
    outcomes = {job.partner: Outcome(job.partner, "unchanged", job.folder, _known_findings(job)) for job in jobs}
    for outcome in _run(todo, request.jobs):
        outcomes[outcome.partner] = outcome
        tell("pack", outcome)
    run = Run(ready, folder, tuple(outcomes[job.partner] for job in jobs))
    _write_run(run, request)
    return run


def make_pack(job: Job) -> Outcome:
    """One pack, start to end; an error of ours or of the notebook becomes an outcome, never an exception."""
    job.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=job.folder) as aside:
        executed = Path(aside) / FAILED
        parameters = {"partner": job.partner, "quarter": job.quarter, "edition": job.edition}
        try:
            notebook = engine.execute(engine.NotebookRun(job.template, parameters, job.slice, executed))
            pdf, told = PdfExporter().from_notebook_node(notebook)
            xlsx, _ = XlsxExporter().from_notebook_node(notebook)
        except PbrError as error:
            return _failure(job, error, executed)
        except Exception as error:  # a fault of ours must cost one pack, not the run
            what = f"{type(error).__name__}: {error}"
            fault = PackError(what, job.template.name, "this is a fault of pbr: report it with this line", job.partner)
            return _failure(job, fault, executed)
    files = dict(zip(FILES, (pdf, xlsx, nbformat.writes(notebook).encode()), strict=True))
    findings = tuple(told.get("pbr", {}).get("findings", ()))
    _place(job, files, findings)
    _sign(notebook)
    return Outcome(job.partner, "built", job.folder, findings)


# ---------------------------------------------------------------------------------------------- within


def _jobs(request: Request, ready: Slices, template: Path, folder: Path) -> list[Job]:
    partners = request.partners or tuple(ready.partners)
    template_bytes, code = template.read_bytes(), slices.code_digest()
    jobs = []
    for partner in sorted(dict.fromkeys(partners)):
        path = ready.path(partner)
        key = hashlib.sha256(template_bytes)
        key.update(path.read_bytes() + code.encode() + request.edition.encode())
        where = folder / store.folder_name(partner)
        jobs.append(Job(partner, ready.quarter, request.edition, template, path, where, key.hexdigest()))
    return jobs


def _run(jobs: list[Job], workers: int) -> Iterable[Outcome]:
    if not jobs:
        return
    count = min(workers or os.cpu_count() or 1, len(jobs))
    # Spawned, not forked: this process has queried DuckDB, and a fork of its threads would hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        waiting = {pool.submit(make_pack, job): job for job in jobs}
        for done in as_completed(waiting):
            job = waiting[done]
            try:
                yield done.result()
            except BrokenProcessPool:
                fault = PackError("the worker died", job.template.name, "build this partner alone", job.partner)
                yield _failure(job, fault, None)


def _failure(job: Job, error: PbrError, executed: Path | None) -> Outcome:
    """Keep the failed notebook, and take away what an earlier run left: it must not pass for this one."""
    for name in (*FILES, "manifest.json"):
        (job.folder / name).unlink(missing_ok=True)
    if executed is not None and executed.is_file():
        shutil.move(executed, job.folder / FAILED)
    return Outcome(job.partner, "failed", job.folder, (), error)


def _place(job: Job, files: dict[str, bytes], findings: tuple[str, ...]) -> None:
    for name, data in files.items():
        store.write_bytes(job.folder / name, data)
    (job.folder / FAILED).unlink(missing_ok=True)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = {"partner": job.partner, "quarter": job.quarter, "edition": job.edition, "key": job.key}
    store.write_json(job.folder / "manifest.json", {**manifest, "sha256": hashes, "findings": list(findings)})


def _unchanged(job: Job) -> bool:
    manifest = store.read_json(job.folder / "manifest.json")
    if not isinstance(manifest, dict) or manifest.get("key") != job.key:
        return False
    hashes = manifest.get("sha256", {})
    return all(
        (job.folder / name).is_file()
        and hashlib.sha256((job.folder / name).read_bytes()).hexdigest() == hashes.get(name)
        for name in FILES
    )


def _known_findings(job: Job) -> tuple[str, ...]:
    manifest = store.read_json(job.folder / "manifest.json") or {}
    return tuple(manifest.get("findings", ()))


def _sign(notebook: nbformat.NotebookNode) -> None:
    """Trust what we have just made, so that JupyterLab shows its SVG; a comfort that may fail."""
    try:
        nbformat.sign.NotebookNotary().sign(notebook)
    except Exception:  # noqa: BLE001 - a read-only home must not cost a pack
        return


def _write_run(run: Run, request: Request) -> None:
    whole = not request.partners
    facts = [(outcome, json.loads(run.slices.path(outcome.partner).read_bytes())) for outcome in run.outcomes]
    if whole:
        store.write_bytes(run.folder / "index.html", indexpage.render(facts, run.slices).encode())
    record = {
        "quarter": run.slices.quarter,
        "as_of": run.slices.as_of,
        "digest": run.slices.digest,
        "extracts": list(run.slices.extracts),
        "packs": {outcome.partner: outcome.state != "failed" for outcome in run.outcomes},
    }
    store.write_json(run.folder / ("run.json" if whole else "run-part.json"), record)
