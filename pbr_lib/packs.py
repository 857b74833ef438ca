"""One pack, start to end: notebook run, both exporters, files in place; apart, because this is what a worker
process imports, and it must not pay for reading and measuring.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import nbformat

from pbr_lib import engine, files, jobs
from pbr_lib.errors import PackError, PbrError
from pbr_lib.export.pdf import PdfExporter
from pbr_lib.export.xlsx import XlsxExporter
from pbr_lib.jobs import FAILED, FILES, Job, Outcome

__all__ = ["make"]


def make(job: Job) -> Outcome:
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
            return jobs.failure(job, error, executed)
        except Exception as error:  # noqa: BLE001 - a fault of ours must cost one pack, not the run
            what = f"{type(error).__name__}: {error}"
            fault = PackError(what, job.template.name, "this is a fault of pbr: report it with this line", job.partner)
            return jobs.failure(job, fault, executed)
    contents = dict(zip(FILES, (pdf, xlsx, nbformat.writes(notebook).encode()), strict=True))
    findings = tuple(told.get("pbr", {}).get("findings", ()))
    _place(job, contents, findings)
    _sign(notebook)
    return Outcome(job.partner, "built", job.folder, findings)


def _place(job: Job, contents: dict[str, bytes], findings: tuple[str, ...]) -> None:
    for name, data in contents.items():
        files.write_bytes(job.folder / name, data)
    (job.folder / FAILED).unlink(missing_ok=True)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    manifest = {"partner": job.partner, "quarter": job.quarter, "edition": job.edition, "key": job.key}
    files.write_json(job.folder / "manifest.json", {**manifest, "sha256": hashes, "findings": list(findings)})


def _sign(notebook: nbformat.NotebookNode) -> None:
    """Trust what we have just made, so that JupyterLab shows its SVG; a comfort that may fail."""
    try:
        nbformat.sign.NotebookNotary().sign(notebook)
    except Exception:  # noqa: BLE001 - a read-only home must not cost a pack
        return
