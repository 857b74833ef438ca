"""Benchmarks as ratios within one run, against a named baseline: ``make bench``, or this file with sizes.

The baseline of packs is the same notebook with the same exporters, one stock kernel a partner started by
plain Papermill. The baseline of reading is the standard library's csv module, which converts nothing. The baseline
of measuring is the same pipeline at a quarter of the size: a ratio of about
four means that cost grows with the data and not faster. The baseline of goals is measuring alone, at the same size.
Machines are noisy: read ratios, not seconds.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from pbr_lib import batch, demo, engine, ground, ingest, params, planning, renewing, signing, slices, startup

ROOT = Path(__file__).resolve().parent.parent


def workbook(folder: Path, partners: int = 0, opportunities: int = 0) -> Path:
    """A copy of the shipped workbook, with demo exports of another size if one is asked for."""
    for name in ("params", "notebooks", "data/demo"):
        shutil.copytree(ROOT / name, folder / name)
    if partners:
        demo.write(folder / "data/demo", partners, opportunities)
    return folder


def stock(root: Path, partners: list[str]) -> float:
    """Seconds for one stock kernel a partner, and both exporters in one process."""
    from pbr_lib.export.pdf import PdfExporter
    from pbr_lib.export.xlsx import XlsxExporter

    ready = slices.ensure(root)
    begun = time.perf_counter()
    for partner in partners:
        parameters = {"partner": partner, "quarter": ready.quarter, "edition": "partner"}
        template = root / "notebooks/partner_pack.ipynb"
        notebook = engine.execute(engine.NotebookRun(template, parameters, ready.path(partner), root / "aside.ipynb"))
        PdfExporter().from_notebook_node(notebook)
        XlsxExporter().from_notebook_node(notebook)
    return time.perf_counter() - begun


def ours(root: Path, workers: int) -> float:
    """Seconds for the same packs by the batch."""
    slices.ensure(root)
    begun = time.perf_counter()
    run = batch.build(batch.Request(root, jobs=workers, force=True))
    if run.failed:
        sys.exit(str(run.failed[0].error))
    return time.perf_counter() - begun


def measured(root: Path) -> tuple[float, float]:
    """Wall and processor seconds to read, measure and cut everything."""
    wall, cpu = time.perf_counter(), time.process_time()
    slices.ensure(root)
    return time.perf_counter() - wall, time.process_time() - cpu


def packs(folder: Path) -> None:
    """The packs of the twelve demo partners, stock against ours."""
    root = workbook(folder / "packs")
    partners = sorted(slices.ensure(root).partners)
    base = stock(root, partners)
    print(f"packs, {len(partners)} partners")
    print(f"  a stock kernel each, one process   1.00   ({base:.1f} s)")
    for workers in sorted({1, os.cpu_count() or 1}):
        spent = ours(root, workers)
        print(f"  batch, workers: {workers}                  {spent / base:.2f}   ({spent:.1f} s)")


def measuring(folder: Path, partners: int, opportunities: int) -> None:
    """Reading and measuring at a quarter of a size and at the whole of it."""
    print(f"read, measure, cut: {partners:,} partners, {opportunities:,} opportunities")
    small = measured(workbook(folder / "quarter", max(partners // 4, 12), opportunities // 4))
    whole = measured(workbook(folder / "whole", partners, opportunities))
    for name, one in (("a quarter of it", small), ("the whole", whole)):
        print(f"  {name:<33}  {one[0] / small[0]:.2f}   ({one[0]:.1f} s, {one[1]:.1f} s processor)")


def reading(folder: Path, partners: int, opportunities: int) -> None:
    """Taking in the deals, typed, checked and credited, against the standard library's reading of their text."""
    root = workbook(folder / "reading", partners, opportunities)
    settings = params.read(root)
    begun = time.process_time()
    with (settings.data / "opportunities-report.csv").open(encoding="utf-8", newline="") as stream:
        rows = sum(1 for _ in csv.reader(stream, strict=True))
    base = time.process_time() - begun
    begun = time.process_time()
    ingest.take_one(settings, "opportunities")
    taken = time.process_time() - begun
    begun = time.process_time()
    ingest.load(settings)
    whole = time.process_time() - begun
    print(f"taking in {rows:,} rows of deals")
    print(f"  the csv module, text alone         1.00   ({base:.1f} s processor)")
    print(f"  one source, typed and checked      {taken / base:.2f}   ({taken:.1f} s)")
    print(f"  all other sources, joined          {whole / base:.2f}   ({whole:.1f} s)")


def goals(folder: Path, partners: int, opportunities: int) -> None:
    """Measuring, checking and renewing over six quarters of signed targets, at half the size and the whole."""
    print(f"goals: {partners:,} partners, six quarters of targets; processor seconds against measuring alone")
    for name, part in (("half of it", 2), ("the whole", 1)):
        root = workbook(folder / f"goals-{part}", partners // part, opportunities // part)
        for path in (root / "params/goals").glob("*.csv"):
            path.unlink()
        shutil.rmtree(root / "params/words")
        (root / "params/actions.csv").unlink()
        settings = params.read(root)
        loaded = ingest.load(settings)
        newest = settings.calendar.quarter_of(loaded.as_of)
        for back in range(-5, 1):
            quarter = newest.shift(back)
            renewing.renew(root, renewing.Request(quarter.label))
            signing.agree(root, quarter.label, signing.Signature("us", "them", quarter.start))
        settings = params.read(root)
        begun = time.process_time()
        ground.lay(settings, loaded, newest)
        base = time.process_time() - begun
        begun = time.process_time()
        count = len(planning.check(root).plan.instances)
        checked = time.process_time() - begun
        begun = time.process_time()
        renewing.renew(root, renewing.Request(newest.shift(1).label, dry_run=True))
        renewed = time.process_time() - begun
        print(f"  {name}, {count:,} targets")
        print(f"    measuring alone                  1.00   ({base:.1f} s)")
        print(f"    params read, measured, checked   {checked / base:.2f}   ({checked:.1f} s)")
        print(f"    params read, measured, renewed   {renewed / base:.2f}   ({renewed:.1f} s)")


def main() -> None:
    """Run both and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partners", type=int, default=400)
    parser.add_argument("--opportunities", type=int, default=40_000)
    chosen = parser.parse_args()
    startup.lighten()
    with tempfile.TemporaryDirectory() as folder:
        packs(Path(folder))
        reading(Path(folder), chosen.partners, chosen.opportunities)
        measuring(Path(folder), chosen.partners, chosen.opportunities)
        goals(Path(folder), chosen.partners, chosen.opportunities)


if __name__ == "__main__":
    main()
