"""One mapping on its own: in words, and tried on its export; apart, because whoever writes a mapping wants to see
what it does before there is a whole workbook around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq

from pbr_lib import canonical, ingest, mapping_words, params, proposals
from pbr_lib.errors import InputError, did_you_mean
from pbr_lib.intake import Taken
from pbr_lib.model import Finding
from pbr_lib.params import Params
from pbr_lib.schema import TABLES
from pbr_lib.sums import summed

__all__ = ["Tried", "propose", "read", "show"]

_SHOWN = 40


@dataclass(frozen=True)
class Tried:
    """One source as its mapping reads it."""

    name: str
    shown: str
    taken: Taken = field(repr=False)
    totals: tuple[str, ...] = field(repr=False)

    @property
    def faulty(self) -> bool:
        """Whether a finding is an error."""
        return any(finding.severity == "error" for finding in self.taken.findings)

    def lines(self) -> Iterator[str]:
        """Row accounting, how the file was read, its totals, and the findings."""
        one = self.taken
        aside = "".join(f", {count:,} set aside ({reason})" for reason, count in one.aside.items())
        yield f"{self.shown}: {one.rows_read:,} rows read = {one.rows_used:,} used{aside}"
        facts = ", ".join(f"{key} {value}" for key, value in one.facts.items() if not key.startswith("dynamics"))
        yield f"  {facts}" if facts else "  read as it is"
        yield f"  covers {one.covers_from} to {one.as_of}"
        yield from self.totals
        if not one.findings:
            yield "No findings."
        for finding in _gravest(one.findings)[:_SHOWN]:
            value = f' "{finding.value}"' if finding.value else ""
            times = f" ({finding.count:,} rows)" if finding.count > 1 else ""
            yield f"{finding.severity}: {finding.where}: {finding.what}{value}{times}"
            if finding.fix and finding.severity != "info":
                yield f"  → {finding.fix}"
        if len(one.findings) > _SHOWN:
            yield f"and {len(one.findings) - _SHOWN} more"


def propose(root: Path, exports: Sequence[Path], force: bool = False) -> Iterator[str]:
    """Write a commented mapping for each export, and say what was recognised and what is left to decide.

    Raises
    ------
    InputError
        When a file is not there, or a mapping would be written over and ``force`` is not set.
    """
    lost = [str(path) for path in exports if not path.is_file()]
    if lost:
        raise InputError("there is no such file", lost[0], "name exports as they lie there, e.g. data/deals.csv")
    workbook, sources = params.outline(root)
    data = root / workbook.data
    found = proposals.propose(
        [path.resolve() for path in exports], lambda path: _named(path, data), sources, data, workbook.currency
    )
    proposals.write(root, found, force)
    yield from proposals.summary(found)


def _named(path: Path, data: Path) -> str:
    return path.relative_to(data).as_posix() if path.is_relative_to(data) else str(path)


def show(root: Path, name: str = "") -> Iterator[str]:
    """A mapping in words, or all of them in a line each.

    Raises
    ------
    InputError
        When no mapping is called so, or params have faults.
    """
    settings = params.read(root)
    if name:
        yield from mapping_words.explain(name, settings.sources[_known(settings, name)])
        return
    width = max(map(len, settings.sources))
    for each, source in settings.sources.items():
        yield f"{each:<{width}}  {source.origin} → {source.table}" + (f"  ({source.about})" if source.about else "")


def read(root: Path, name: str, out: Path | None = None) -> Tried:
    """Read one export as its mapping says; ``out`` takes the rows as CSV or Parquet.

    Raises
    ------
    InputError
        When no mapping is called so, or its export cannot be read.
    """
    settings = params.read(root)
    taken = ingest.take_one(settings, _known(settings, name))
    source = settings.sources[name]
    rows = canonical.whole(TABLES[source.table], pq.read_table(taken.folder / "rows.parquet"))
    if out is not None:
        _write(rows, out)
    return Tried(name, source.origin, taken, tuple(summed(source.table, rows, settings.calendar)))


def _known(settings: Params, name: str) -> str:
    if name not in settings.sources:
        fix = did_you_mean(name, list(settings.sources))
        raise InputError(f'no mapping is called "{name}"', "params/sources", fix)
    return name


def _write(rows: pyarrow.Table, out: Path) -> None:
    if out.suffix == ".parquet":
        pq.write_table(rows, out)
    elif out.suffix == ".csv":
        pyarrow.csv.write_csv(rows, out)
    else:
        raise InputError(
            f'"{out.suffix}" is no kind of file that is written here', str(out), "end it in .csv or .parquet"
        )


def _gravest(findings: tuple[Finding, ...]) -> list[Finding]:
    return sorted(findings, key=lambda finding: ("error", "warning", "info").index(finding.severity))
