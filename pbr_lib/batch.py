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
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pbr_lib import engine, files, indexpage, kernels, packs, slices, startup
from pbr_lib.errors import PackError
from pbr_lib.packs import Job, Outcome
from pbr_lib.slices import Slices

__all__ = ["Request", "Run", "build"]


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
    template = request.root / "notebooks" / request.template
    engine.check_parameters(template, ("partner", "quarter", "edition"))
    ready = slices.ensure(request.root, request.quarter)
    tell("measured", ready)
    folder = (request.out or ready.output) / ready.quarter
    jobs = _jobs(request, ready, template, folder)
    todo = [job for job in jobs if request.force or not packs.unchanged(job)]
    tell("jobs", len(todo))
    outcomes = {job.partner: Outcome(job.partner, "unchanged", job.folder, packs.known_findings(job)) for job in jobs}
    for outcome in _run(todo, request.jobs):
        outcomes[outcome.partner] = outcome
        tell("pack", outcome)
    run = Run(ready, folder, tuple(outcomes[job.partner] for job in jobs))
    _write_run(run, request)
    return run


# ---------------------------------------------------------------------------------------------- within


def _jobs(request: Request, ready: Slices, template: Path, folder: Path) -> list[Job]:
    partners = request.partners or tuple(ready.partners)
    template_bytes, code = template.read_bytes(), slices.code_digest()
    jobs = []
    for partner in sorted(dict.fromkeys(partners)):
        path = ready.path(partner)
        key = hashlib.sha256(template_bytes)
        key.update(path.read_bytes() + code.encode() + request.edition.encode())
        where = folder / files.folder_name(partner)
        jobs.append(Job(partner, ready.quarter, request.edition, template, path, where, key.hexdigest()))
    return jobs


def _warm() -> None:
    """What a worker does before its first pack."""
    startup.lighten()
    kernels.use_forks()


def _run(jobs: list[Job], workers: int) -> Iterable[Outcome]:
    if not jobs:
        return
    count = min(workers or os.cpu_count() or 1, len(jobs))
    # Spawned, not forked: this process has queried DuckDB, and a fork of its threads would hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_warm) as pool:
        waiting = {pool.submit(packs.make, job): job for job in jobs}
        for done in as_completed(waiting):
            job = waiting[done]
            try:
                yield done.result()
            except BrokenProcessPool:
                fault = PackError("the worker died", job.template.name, "build this partner alone", job.partner)
                yield packs.failure(job, fault, None)


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
