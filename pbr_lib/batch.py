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
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from pbr_lib import files, indexpage, jobs, slices, template, worker
from pbr_lib.errors import PackError
from pbr_lib.jobs import Job, Outcome
from pbr_lib.slices import Slices

__all__ = ["Request", "Run", "build", "build_from", "jobs_of"]

_PARAMETERS = ("partner", "quarter", "edition")


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
    template.check(_notebook(request), _PARAMETERS)
    return build_from(request, slices.ensure(request.root, request.quarter, fetch=True), tell)


def build_from(request: Request, ready: Slices, tell: Callable[[str, Any], None] = lambda event, value: None) -> Run:
    """Build packs from slices that are made already (see :func:`build`)."""
    tell("measured", ready)
    wanted = jobs_of(request, ready)
    stopped = [job for job in wanted if job.partner in ready.stopped]
    todo = [job for job in wanted if job not in stopped and (request.force or not jobs.unchanged(job))]
    tell("jobs", len(todo))
    outcomes = {job.partner: Outcome(job.partner, "unchanged", job.folder, jobs.known_findings(job)) for job in wanted}
    outcomes |= {job.partner: jobs.failure(job, _unreadable(job), None) for job in stopped}
    for outcome in _run(todo, request.jobs):
        outcomes[outcome.partner] = outcome
        tell("pack", outcome)
    run = Run(ready, _folder(request, ready), tuple(outcomes[job.partner] for job in wanted))
    _write_run(run, request)
    return run


def jobs_of(request: Request, ready: Slices) -> list[Job]:
    """The packs of a request: where each lies, and the key that names the state it is made from.

    ``InputError`` when the notebook is not there, or is none.
    """
    notebook, folder = _notebook(request), _folder(request, ready)
    template.check(notebook, _PARAMETERS)
    partners = request.partners or tuple(ready.partners)
    shared = hashlib.sha256(notebook.read_bytes() + files.code_digest().encode() + request.edition.encode())
    out = []
    for partner in sorted(dict.fromkeys(partners)):
        path = ready.path(partner)
        key = shared.copy()
        key.update(path.read_bytes())
        where = folder / files.folder_name(partner)
        out.append(Job(partner, ready.quarter, request.edition, notebook, path, where, key.hexdigest()))
    return out


# ---------------------------------------------------------------------------------------------- within


def _notebook(request: Request) -> Path:
    return request.root / "notebooks" / request.template


def _folder(request: Request, ready: Slices) -> Path:
    return (request.out or ready.output) / ready.quarter


def _unreadable(job: Job) -> PackError:
    what = "some of its records hold cells that cannot be read"
    return PackError(what, "the exports", "mend them; pbr check lists them with file, row and column", job.partner)


def _run(todo: list[Job], workers: int) -> Iterator[Outcome]:
    """Make packs in workers. Should one die, those it took along run again alone, so that the culprit is named."""
    suspects: list[Job] = []
    for job, outcome in _in_workers(todo, workers or os.cpu_count() or 1):
        if outcome is None:
            suspects.append(job)
        else:
            yield outcome
    for job in suspects:
        for _, outcome in _in_workers([job], 1):
            died = PackError("the worker died", job.template.name, "run this notebook in JupyterLab", job.partner)
            yield outcome or jobs.failure(job, died, None)


def _in_workers(todo: list[Job], count: int) -> Iterator[tuple[Job, Outcome | None]]:
    """Each job with its outcome, None where the worker died."""
    if not todo:
        return
    with ProcessPoolExecutor(min(count, len(todo)), mp_context=_context(), initializer=worker.warm) as pool:
        waiting = {pool.submit(worker.make, job): job for job in todo}
        for done in as_completed(waiting):
            try:
                yield waiting[done], done.result()
            except BrokenProcessPool:
                yield waiting[done], None


def _context() -> BaseContext:
    """How workers start: never forked from here, since this process has queried DuckDB and has threads.

    On Linux they are forked from a clean server that has loaded what they need; elsewhere they start fresh.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pbr_lib.warm"])
    return context


def _write_run(run: Run, request: Request) -> None:
    whole = not request.partners
    facts = [(outcome, json.loads(run.slices.path(outcome.partner).read_bytes())) for outcome in run.outcomes]
    if whole:
        files.write_bytes(run.folder / "index.html", indexpage.render(facts, run.slices).encode())
    record = {
        "quarter": run.slices.quarter,
        "as_of": run.slices.as_of,
        "digest": run.slices.digest,
        "extracts": list(run.slices.extracts),
        "packs": {outcome.partner: outcome.state != "failed" for outcome in run.outcomes},
    }
    files.write_json(run.folder / ("run.json" if whole else "run-part.json"), record)
