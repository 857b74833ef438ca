"""Exports read once, measured once, cut into one slice per partner; apart, because this is the whole pipeline.

A slice is one JSON file that holds everything the notebook of one partner may see. Slices depend on exports,
params and code and on nothing else; when none of these changed, the slices that lie there are used again.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from pbr_lib import coverage, dossier, files, ground, ingest, issued, params, programme, rates, restating
from pbr_lib.canonical import column
from pbr_lib.coverage import Covered
from pbr_lib.definitions import SimpleMetric, columns_of
from pbr_lib.errors import InputError, ParamsError, UnknownPartner, UnknownQuarter, did_you_mean
from pbr_lib.ingest import Loaded
from pbr_lib.model import Finding
from pbr_lib.params import Amendment, Params, Pause
from pbr_lib.periods import Quarter
from pbr_lib.programme import Programme
from pbr_lib.reconciliation import Reconciliation, reconcile
from pbr_lib.schema import TABLES

__all__ = ["Slices", "Checked", "check", "ensure"]


@dataclass(frozen=True)
class Slices:
    """The slices of one quarter.

    ``partners`` maps each partner's id to its name, in the order of ids; ``digest`` names the state of
    exports, params and code that they were made from.
    """

    output: Path
    folder: Path
    quarter: str
    as_of: str
    partners: Mapping[str, str] = field(repr=False)
    extracts: tuple[Mapping[str, Any], ...] = field(repr=False)
    findings: tuple[Finding, ...] = field(repr=False)
    digest: str = ""
    stopped: tuple[str, ...] = ()

    def path(self, partner_id: str) -> Path:
        """Where the slice of a partner lies; :class:`UnknownPartner` if there is none."""
        if partner_id not in self.partners:
            known = list(self.partners)
            meant_by = {name.casefold(): key for key, name in self.partners.items()}
            meant_by |= {key.casefold(): key for key in known}
            meant = meant_by.get(partner_id.casefold())
            fix = f'use its id, "{meant}"' if meant else did_you_mean(partner_id, known)
            raise UnknownPartner(f'no partner is called "{partner_id}"', "the partner list", fix)
        return self.folder / f"{files.folder_name(partner_id)}.json"


@dataclass(frozen=True)
class Checked:
    """What a check found: row accounting, findings, coverage, and the sums that foot to the CRM."""

    ready: Slices
    coverage: tuple[Covered, ...] = field(repr=False)
    reconciliation: Reconciliation = field(repr=False)
    claims: Mapping[str, int] = field(default_factory=dict)


def check(root: Path, quarter: str = "") -> Checked:
    """Read and measure everything and build nothing; databases and addresses are asked anew.

    Raises
    ------
    InputError
        For faults in params and exports that nothing can be measured with.
    """
    settings = params.read(root)
    loaded = ingest.load(settings, fetch=True)
    asked = _quarter(settings, loaded, quarter)
    measured = _measure(settings, loaded, asked)
    quarters = tuple(asked.shift(back) for back in range(1 - programme.HISTORY, 1))
    known = rates.known(settings.rates, loaded.as_of)
    sums = reconcile(loaded.tables, quarters, known, settings.workbook.currency)
    covered = tuple(coverage.calendar(loaded.extracts, quarters))
    return Checked(_slices(settings, measured, ""), covered, sums, loaded.claims)


def ensure(root: Path, quarter: str = "", fetch: bool = False) -> Slices:
    """The slices of a quarter (the newest, if none is named), made again only when exports, params or code changed.

    ``fetch`` asks databases and addresses anew; otherwise what was fetched last is used.

    Raises
    ------
    InputError
        For faults in params and exports, an unknown quarter, or, under ``on_data_error: stop``, data
        that cannot be read.
    """
    settings = params.read(root)
    if fetch:
        ingest.refresh(settings)
    digest = _digest(settings)
    newest = _store(settings) / "newest.json"
    known_newest = files.read_json(newest) or {}
    label = _asked_for(settings, quarter).label if quarter else ""
    if not quarter and known_newest.get("digest") == digest:
        label = known_newest["quarter"]
    ready = _from_index(settings, label, digest) if label else None
    if ready is not None:
        return ready
    loaded = ingest.load(settings)
    measured = _measure(settings, loaded, _quarter(settings, loaded, label))
    _stop_on_errors(settings, measured.findings, loaded)
    digest = _digest(settings)
    files.write_json(newest, {"digest": digest, "quarter": settings.calendar.quarter_of(loaded.as_of).label})
    return _write(settings, measured, loaded, digest)


def restate(root: Path, quarter: str, anew: Mapping[str, Mapping[str, Any]]) -> Slices:
    """The slices of a closed quarter, those of some partners made anew from the present data.

    ``anew`` maps these partners to what their new pack says of itself: kind, reason, supersedes (the pack that it
    takes the place of) and changes. All others stay as they were issued.
    """
    settings = params.read(root)
    loaded = ingest.load(settings)
    measured = _measure(settings, loaded, _quarter(settings, loaded, quarter))
    _stop_on_errors(settings, measured.findings, loaded)
    return _write(settings, measured, loaded, "", anew)


def _store(settings: Params) -> Path:
    """The folder of everything that can be made again."""
    return ingest.store_folder(settings)


def _measure(settings: Params, loaded: Loaded, quarter: Quarter) -> Programme:
    _check_partners(settings, loaded)
    found = (*loaded.findings, *_literal_findings(settings, loaded.tables))
    return programme.measure(settings, loaded, quarter, found)


def _names(partners: pa.Table) -> dict[str, str]:
    return dict(zip(partners["partner_id"].to_pylist(), partners["name"].to_pylist(), strict=True))


# ------------------------------------------------------------------------------------------- checking


def _quarter(settings: Params, loaded: Loaded, label: str) -> Quarter:
    """The quarter asked for, or the newest; one that the exports do not reach is refused."""
    newest = settings.calendar.quarter_of(loaded.as_of)
    if not label:
        return newest
    quarter = _asked_for(settings, label)
    ground.must_reach(settings, loaded, quarter, begun=True)
    return quarter


def _asked_for(settings: Params, label: str) -> Quarter:
    try:
        return settings.quarter(label)
    except UnknownQuarter as error:
        raise UnknownQuarter(error.what, "the quarter asked for", error.fix) from None


def _check_partners(settings: Params, loaded: Loaded) -> None:
    """Every partner that params name must be in the partner list."""
    known = _names(loaded.tables["partners"])
    by_name = {name.casefold(): key for key, name in known.items()}
    rows_of_goals = (row for each in settings.instances.values() for row in each)
    named = [(i.partner_id, f"{i.where}, partner_id") for i in rows_of_goals if i.partner_id not in known]
    named += [(action.partner_id, f"{action.where}, partner_id") for action in settings.actions]
    rows: tuple[Amendment | Pause, ...] = (*settings.amendments, *settings.pauses)
    named += [(row.partner_id, f"{row.where}, partner_id") for row in rows]
    named += [(partner, f"params/words/{quarter}/{partner}.md") for quarter, partner in settings.words]
    places: dict[str, list[str]] = defaultdict(list)
    for partner, where in named:
        if partner not in known:
            places[partner].append(where)
    errors = []
    for partner, found in places.items():
        what = f'no partner has the id "{partner}"' + (f" ({len(found)} places)" if len(found) > 1 else "")
        meant = by_name.get(partner.casefold())
        fix = f'use its id, "{meant}"' if meant else did_you_mean(partner, list(known))
        errors.append(UnknownPartner(what, found[0], fix))
    if errors:
        raise ParamsError(errors)


def _stop_on_errors(settings: Params, findings: Iterable[Finding], loaded: Loaded) -> None:
    """Stop where an error was declared to stop the run, or concerns rows of which nobody knows whose they are."""
    errors = [f for f in findings if f.severity == "error"]
    declared = settings.workbook.on_data_error
    if declared == "stop_partner":
        errors = [] if loaded.placed else errors
    if errors and declared != "set_aside":
        raise ParamsError(InputError(f.what + _shown(f), f"{settings.workbook.data}/{f.where}", f.fix) for f in errors)


def _shown(finding: Finding) -> str:
    value = f': "{finding.value}"' if finding.value else ""
    return value + (f" ({finding.count} rows)" if finding.count > 1 else "")


def _literal_findings(settings: Params, tables: Mapping[str, pa.Table]) -> Iterator[Finding]:
    """A literal in a filter that the data never hold is probably a slip of the pen; in the library only where used."""
    asked = [settings.metrics[goal.metric] for goal in settings.goals.values()]
    wanted = {goal.metric for goal in settings.goals.values()}
    wanted |= {part for metric in asked if not isinstance(metric, SimpleMetric) for part in metric.parts}
    wheres = [
        (
            f"params/{'library' if name in settings.from_library else 'metrics'}.yaml",
            f"metrics.{name}",
            metric.table,
            metric.where,
        )
        for name, metric in settings.metrics.items()
        if isinstance(metric, SimpleMetric) and (name not in settings.from_library or name in wanted)
    ]
    wheres += [
        ("params/goals.yaml", f"goals.{name}", "partners", goal.applies_to) for name, goal in settings.goals.items()
    ]
    for file, place, table, where in wheres:
        for leaf in columns_of(where):
            spec = TABLES[table].column(leaf.column)
            if spec is None or spec.kind != "text" or leaf.op not in ("is", "is_not", "in", "not_in"):
                continue
            held = {each for each in column(tables, table, leaf.column).unique().to_pylist() if each is not None}
            values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
            for value in values:
                if held and value not in held and value not in spec.values:
                    what = f'{place}: no {table} row has {leaf.column} "{value}"'
                    yield Finding("warning", what, file, fix=did_you_mean(str(value), sorted(held)))


# -------------------------------------------------------------------------------------------- writing


def _digest(settings: Params) -> str:
    """One name for the state of params, exports and code."""
    parts = (settings.digest, ingest.fingerprint(settings), files.code_digest(), issued.digest(settings))
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _write(
    settings: Params,
    measured: Programme,
    loaded: Loaded,
    digest: str,
    anew: Mapping[str, Mapping[str, Any]] | None = None,
) -> Slices:
    folder = _store(settings) / "slices" / measured.quarter.label
    slices = _slices(settings, measured, digest, _stopped(settings, loaded))
    partners = loaded.tables["partners"].to_pylist()
    frozen = issued.slices_of(settings, slices.quarter)
    slices = _with_those_gone(slices, frozen)
    changed = restating.find(measured)
    for partner in partners:
        key = partner["partner_id"]
        issue = (anew or {}).get(key)
        if key in frozen and issue is None:
            files.write_bytes(slices.path(key), frozen[key])
        else:
            mine = None if changed is None else changed.get(key, [])
            files.write_json(slices.path(key), dossier.portray(measured, partner, mine, issue))
    for key in slices.partners.keys() - {partner["partner_id"] for partner in partners}:
        files.write_bytes(slices.path(key), frozen[key])
    wanted = {slices.path(key).name for key in slices.partners} | {"index.json"}
    for stale in folder.glob("*.json"):
        if stale.name not in wanted:
            stale.unlink()
    index = {
        "digest": digest,
        "quarter": slices.quarter,
        "as_of": slices.as_of,
        "partners": dict(slices.partners),
        "extracts": list(slices.extracts),
        "findings": [vars(finding) for finding in slices.findings],
        "stopped": list(slices.stopped),
    }
    files.write_json(folder / "index.json", index)
    return slices


def _with_those_gone(slices: Slices, frozen: Mapping[str, bytes]) -> Slices:
    """The slices with those of partners whom no export names any more, but whose packs of the quarter were issued."""
    gone = {key: str(json.loads(data)["partner"]["name"]) for key, data in frozen.items() if key not in slices.partners}
    return replace(slices, partners=dict(sorted({**slices.partners, **gone}.items()))) if gone else slices


def _stopped(settings: Params, loaded: Loaded) -> tuple[str, ...]:
    return loaded.stopped if settings.workbook.on_data_error == "stop_partner" else ()


def _slices(settings: Params, measured: Programme, digest: str, stopped: tuple[str, ...] = ()) -> Slices:
    extracts = tuple(extract.as_json() for extract in measured.ground.loaded.extracts)
    folder = _store(settings) / "slices" / measured.quarter.label
    names = {key: str(row["name"]) for key, row in measured.ground.partners.items()}
    label, as_of = measured.quarter.label, measured.ground.as_of.isoformat()
    return Slices(settings.output, folder, label, as_of, names, extracts, tuple(measured.findings), digest, stopped)


def _from_index(settings: Params, label: str, digest: str) -> Slices | None:
    """The slices that lie there, if they are whole and of this state of exports, params and code."""
    folder = _store(settings) / "slices" / label
    known = files.read_json(folder / "index.json")
    if not isinstance(known, dict) or known.get("digest") != digest:
        return None
    findings = tuple(Finding(**finding) for finding in known["findings"])
    partners = dict(sorted(known["partners"].items()))
    extracts = tuple(known["extracts"])
    stopped = tuple(known["stopped"])
    ready = Slices(
        settings.output, folder, known["quarter"], known["as_of"], partners, extracts, findings, digest, stopped
    )
    return ready if all(ready.path(partner).is_file() for partner in partners) else None
