"""Reads ``params/`` into frozen values; apart, because it is the only reader of what people write there.

Every fault of every file is collected, each with file, line or row and a remedy, and raised at once as
:class:`~pbr_lib.errors.ParamsError`. What needs the data to be judged (does that partner exist?) is judged
in ``slices``, where the data is known.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pbr_lib import catalogue, goalrows, library, lists, mapping_checks, yamlfile
from pbr_lib.crosswalk import Entry
from pbr_lib.csvfile import CsvFile, Row
from pbr_lib.definitions import Goal, GoalsFile, Metric, MetricsFile, Parent, Workbook
from pbr_lib.errors import InputError, ParamsError, UnknownQuarter, did_you_mean
from pbr_lib.goalrows import Amendment, Instance, Pause
from pbr_lib.mapping import Source
from pbr_lib.periods import Calendar, Quarter
from pbr_lib.rates import RATE_COLUMNS, REQUIRED, Rate, read_rates

__all__ = ["Action", "Amendment", "Instance", "Params", "Pause", "Rate", "outline", "read"]

# Folder, the suffix that is read there, and suffixes that somebody may have meant to be read.
_LOOKALIKES = (
    ("*", ".csv", (".yaml", ".yml", ".xlsx", ".xls", ".ods", ".tsv")),
    ("sources/*", ".yaml", (".yml", ".json", ".txt")),
    ("goals/*", ".csv", (".xlsx", ".xls", ".ods", ".tsv", ".txt")),
    ("words/*/*", ".md", (".markdown", ".txt", ".docx")),
)
_FILES: tuple[str, ...] = ("workbook.yaml", "metrics.yaml", "library.yaml", "goals.yaml", "actions.csv", "rates.csv")
_FILES += ("crosswalk.csv", "manual_facts.csv", "amendments.csv", "pauses.csv")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$")

_ACTION_COLUMNS = ("action_id", "partner_id", "goal", "action", "side", "owner", "opened", "due", "status", "closed_on")


@dataclass(frozen=True)
class Action:
    """Something one side, or both, promised to do."""

    action_id: str
    partner_id: str
    goal: str
    action: str
    side: str
    owner: str
    opened: str
    due: dt.date | None
    status: str
    closed_on: dt.date | None
    where: str = ""


@dataclass(frozen=True)
class Params:
    """Everything in ``params/``, checked; ``root`` is the folder that holds it."""

    root: Path
    workbook: Workbook
    metrics: Mapping[str, Metric]
    objectives: Mapping[str, str]
    goals: Mapping[str, Goal]
    sources: Mapping[str, Source]
    instances: Mapping[str, tuple[Instance, ...]] = field(repr=False)
    actions: tuple[Action, ...] = field(default=(), repr=False)
    rates: tuple[Rate, ...] = field(default=(), repr=False)
    crosswalk: tuple[Entry, ...] = field(default=(), repr=False)
    facts: tuple[lists.Fact, ...] = field(default=(), repr=False)
    amendments: tuple[Amendment, ...] = field(default=(), repr=False)
    pauses: tuple[Pause, ...] = field(default=(), repr=False)
    parents: Mapping[str, Parent] = field(default_factory=dict, repr=False)
    words: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict, repr=False)
    digest: str = ""
    from_library: frozenset[str] = frozenset()

    @cached_property
    def calendar(self) -> Calendar:
        """The calendar of the programme."""
        return self.workbook.calendar_called()

    def calendar_of(self, goal: Goal) -> Calendar:
        """The calendar that a goal names, or the programme's own."""
        if not goal.calendar:
            return self.calendar
        if goal.calendar not in self._calendars:
            self._calendars[goal.calendar] = self.workbook.calendar_called(goal.calendar)
        return self._calendars[goal.calendar]

    @cached_property
    def _calendars(self) -> dict[str, Calendar]:
        return {}

    @property
    def fx_hash(self) -> str:
        """A fingerprint of all rates: figures that differ by them alone differ by nothing else."""
        return hashlib.sha256(repr(sorted(map(repr, self.rates))).encode()).hexdigest()[:16]

    @property
    def data(self) -> Path:
        """Where the exports lie."""
        return self.root / self.workbook.data

    @property
    def output(self) -> Path:
        """Where packs and the cache go."""
        return self.root / self.workbook.output

    def quarter(self, label: str) -> Quarter:
        """The quarter of that label; :class:`UnknownQuarter` if it is none."""
        return self.calendar.parse(label)


def read(root: Path) -> Params:
    """Read and check every file of ``root/params``.

    Raises
    ------
    ParamsError
        With every fault of every file.
    """
    reader = _Reader(root)
    workbook = reader.yaml("workbook.yaml", Workbook)
    metrics = reader.metrics(workbook.currency if isinstance(workbook, Workbook) else "")
    goals = reader.yaml("goals.yaml", GoalsFile)
    sources = reader.sources()
    if not isinstance(workbook, Workbook):
        raise ParamsError(reader.errors)
    calendar = workbook.calendar_called()
    reader.check(metrics, goals, sources, workbook)
    reader.strays()
    defined = dict(goals.goals) if isinstance(goals, GoalsFile) else {}
    measured = dict(metrics.metrics) if metrics is not None else {}
    known = defined if isinstance(goals, GoalsFile) and metrics is not None else None
    params = Params(
        root=root,
        workbook=workbook,
        metrics=measured,
        from_library=frozenset(reader.taken),
        objectives=dict(goals.objectives) if isinstance(goals, GoalsFile) else {},
        goals=defined,
        sources=sources,
        instances=reader.instances(calendar, known, measured),
        actions=tuple(reader.actions(calendar, known)),
        rates=tuple(reader.rates()),
        crosswalk=tuple(lists.crosswalk(reader.csv("crosswalk.csv", lists.CROSSWALK_COLUMNS, ("given", "partner_id")))),
        facts=tuple(lists.facts(reader.csv("manual_facts.csv", lists.FACT_COLUMNS, lists.FACT_COLUMNS[:4]))),
        amendments=tuple(reader.amendments(calendar, known, measured)),
        pauses=tuple(goalrows.pauses(reader.goal_rows("pauses.csv", goalrows.PAUSE_COLUMNS, known))),
        parents=dict(goals.parents) if isinstance(goals, GoalsFile) else {},
        words=reader.words(calendar, workbook.words),
        digest=reader.digest(),
    )
    reader.tell_unknown_goals(defined)
    reader.tell_lost_amendments(params)
    if reader.errors:
        raise ParamsError(reader.errors)
    return params


def outline(root: Path) -> tuple[Workbook, dict[str, Source]]:
    """``workbook.yaml`` and whatever mappings can be read: enough to propose another mapping.

    Raises
    ------
    ParamsError
        For faults in ``workbook.yaml``.
    """
    reader = _Reader(root)
    workbook = reader.yaml("workbook.yaml", Workbook)
    if not isinstance(workbook, Workbook):
        raise ParamsError(reader.errors)
    return workbook, reader.sources()


class _Reader:
    """Walks the files of one ``params`` folder and gathers their faults."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "params"
        self.errors: list[InputError] = []
        self.documents: dict[str, yamlfile.Document] = {}
        self.unknown_goals: dict[str, list[str]] = {}
        self.taken: dict[str, Metric] = {}

    def metrics(self, currency: str) -> MetricsFile | None:
        """``metrics.yaml`` and what it uses of ``library.yaml``, or None when either cannot be read."""
        file = self.yaml("metrics.yaml", MetricsFile)
        if not isinstance(file, MetricsFile) or not file.use:
            return file if isinstance(file, MetricsFile) else None
        shelf = self.yaml("library.yaml", MetricsFile, currency)
        if not isinstance(shelf, MetricsFile):
            return None
        self.errors += catalogue.check_metrics(shelf, self.documents["library.yaml"])
        self.taken, errors = library.taken(file, shelf.metrics, self.documents["metrics.yaml"])
        self.errors += errors
        return file.model_copy(update={"metrics": {**file.metrics, **self.taken}})

    def yaml(self, name: str, model: type, currency: str = "") -> object | None:
        """One YAML file as a model, or None with its faults noted; ``currency`` goes where money names none."""
        try:
            document = yamlfile.read(self.folder / name, f"params/{name}")
        except InputError as error:
            self.errors.append(error)
            return None
        self.documents[name] = document = library.with_currency(document, currency) if currency else document
        value, errors = yamlfile.validate(model, document)
        self.errors += errors
        return value

    def sources(self) -> dict[str, Source]:
        """Every mapping of ``params/sources``."""
        out: dict[str, Source] = {}
        for path in sorted((self.folder / "sources").glob("*.yaml")):
            source = self.yaml(f"sources/{path.name}", Source)
            if isinstance(source, Source):
                out[path.stem] = source
        if not out and not self.errors:
            self.errors.append(
                InputError("no source is described here", "params/sources", "try: pbr sources new data/your-export.csv")
            )
        return out

    def strays(self) -> None:
        """Files that somebody meant to be read and that nothing reads."""
        for folder, suffix, lookalikes in _LOOKALIKES:
            for path in sorted(self.folder.glob(folder)):
                known = _FILES if "/" not in folder else ()
                if path.name.startswith((".", "~$")) or path.name in known or not path.is_file():
                    continue
                if path.suffix.lower() in lookalikes or (path.suffix == suffix and known):
                    name = f"params/{path.relative_to(self.folder).as_posix()}"
                    fix = (
                        did_you_mean(path.name, known) if known else f"save it as {path.stem}{suffix}, or move it away"
                    )
                    self.errors.append(InputError("this file is not read here", name, fix))

    def check(
        self, metrics: MetricsFile | None, goals: object, sources: Mapping[str, Source], workbook: Workbook
    ) -> None:
        """References between files, and of metrics and sources to the normalised tables."""
        if metrics is not None:
            own = {name: metric for name, metric in metrics.metrics.items() if name not in self.taken}
            mine = metrics.model_copy(update={"metrics": own})
            self.errors += catalogue.check_metrics(mine, self.documents["metrics.yaml"], self.taken)
        before = len(self.errors)
        for name, source in sources.items():
            self.errors += mapping_checks.check_source(source, self.documents[f"sources/{name}.yaml"])
        whole = before == len(self.errors) and len(sources) == len(list((self.folder / "sources").glob("*.yaml")))
        if isinstance(goals, GoalsFile) and metrics is not None:
            self.errors += catalogue.check_goals(goals, metrics, self.documents["goals.yaml"], workbook.calendar_called)
        if whole and sources:
            documents = {name: self.documents[f"sources/{name}.yaml"] for name in sources}
            self.errors += mapping_checks.check_sources(sources, documents)

    def csv(self, name: str, columns: tuple[str, ...], required: tuple[str, ...]) -> Iterator[Row]:
        """The rows of a CSV file; a missing file has none."""
        path = self.folder / name
        if path.is_file():
            file = CsvFile(path, f"params/{name}", columns, required)
            yield from file.rows()
            self.errors += file.errors

    def instances(
        self, calendar: Calendar, goals: Mapping[str, Goal] | None, metrics: Mapping[str, Metric]
    ) -> dict[str, tuple[Instance, ...]]:
        """The agreed targets by quarter label; ``goals`` is None when the definitions could not be read."""
        out: dict[str, tuple[Instance, ...]] = {}
        for path in sorted((self.folder / "goals").glob("*.csv")):
            name = f"goals/{path.name}"
            try:
                quarter = calendar.parse(path.stem)
            except UnknownQuarter as error:
                self.errors.append(InputError(error.what, f"params/{name}", error.fix + " as the file's name"))
                continue
            if quarter.label in out:
                what = f"the targets of {quarter.label} stand in another file as well"
                self.errors.append(InputError(what, f"params/{name}", f"join them in params/goals/{quarter.label}.csv"))
                continue
            seen: dict[tuple[str, str], str] = {}
            rows: list[Instance] = []
            for row in self.csv(name, goalrows.GOAL_COLUMNS, ("partner_id", "goal", "target")):
                goal = self._goal(row, goals)
                if not goal or not row.text("partner_id") or goals is None:
                    continue
                key = (row.text("partner_id"), goal)
                if key in seen:
                    row.fault("goal", f"{key[0]} has this goal already, in {seen[key]}", "keep one of the two rows")
                seen[key] = f"row {row.line}"
                instance = goalrows.instance(row, goals[goal], metrics.get(goals[goal].metric))
                if instance is not None:
                    rows.append(instance)
            out[quarter.label] = tuple(rows)
        return out

    def goal_rows(self, name: str, columns: tuple[str, ...], goals: Mapping[str, Goal] | None) -> Iterator[Row]:
        """Rows that may name a goal; those that name one that is not defined are left out, and told."""
        required = tuple(column for column in columns if column not in ("goal", "agreed_by_us", "agreed_by_them"))
        for row in self.csv(name, columns, required if name == "pauses.csv" else (*required, "goal")):
            if not row.text("goal") or self._goal(row, goals):
                yield row

    def amendments(
        self, calendar: Calendar, goals: Mapping[str, Goal] | None, metrics: Mapping[str, Metric]
    ) -> Iterator[Amendment]:
        """``params/amendments.csv``."""

        def dated() -> Iterator[Row]:
            for row in self.goal_rows("amendments.csv", goalrows.AMENDMENT_COLUMNS, goals):
                try:
                    if row.text("quarter"):
                        calendar.parse(row.text("quarter"))
                        yield row
                except UnknownQuarter as error:
                    row.fault("quarter", error.what, error.fix)

        # Row by row: a fault that is noted after the file was read to its end would be lost.
        return goalrows.amendments(dated(), goals or {}, metrics)

    def actions(self, calendar: Calendar, goals: Mapping[str, Goal] | None) -> Iterator[Action]:
        """``params/actions.csv``."""
        seen: set[str] = set()
        required = ("action_id", "partner_id", "action", "side", "opened", "status")
        for row in self.csv("actions.csv", _ACTION_COLUMNS, required):
            action = row.text("action_id")
            if action and action in seen:
                row.fault("action_id", f'"{action}" stands here twice', "give each action its own id")
            seen.add(action)
            self._goal(row, goals)
            try:
                if row.text("opened"):
                    calendar.parse(row.text("opened"))
            except UnknownQuarter as error:
                row.fault("opened", error.what, error.fix)
            yield Action(
                row.text("action_id"),
                row.text("partner_id"),
                row.text("goal"),
                row.text("action"),
                row.known("side", ("us", "partner", "joint")),
                row.text("owner"),
                row.text("opened"),
                row.date("due"),
                row.known("status", ("open", "in progress", "done", "dropped")),
                row.date("closed_on"),
                row.where,
            )

    def _goal(self, row: Row, goals: Mapping[str, Goal] | None) -> str:
        """The goal that a row names; one that is not defined is kept, to be told once for all its rows."""
        goal = row.text("goal")
        if goal and goals is not None and goal not in goals:
            self.unknown_goals.setdefault(goal, []).append(f"{row.where}, goal")
        return goal if goals is not None and goal in goals else ""

    def tell_unknown_goals(self, goals: Mapping[str, Goal]) -> None:
        """One fault for each goal that rows name and goals.yaml does not define."""
        for goal, places in self.unknown_goals.items():
            more = f"; {len(places) - 1} more rows name it" if len(places) > 1 else ""
            fix = f"{did_you_mean(goal, list(goals))} (goals stand in params/goals.yaml)"
            self.errors.append(InputError(f'no goal is called "{goal}"{more}', places[0], fix))

    def tell_lost_amendments(self, params: Params) -> None:
        """An amendment must speak of a row that is there, and stand here once."""
        if not params.amendments:
            return
        places = {(label, row.partner_id, row.goal) for label, rows in params.instances.items() for row in rows}
        seen: dict[tuple[object, ...], str] = {}
        for one in params.amendments:
            key = (one.quarter, one.partner_id, one.goal)
            file = f"params/goals/{one.quarter}.csv"
            if key not in places and not any(error.where.startswith(file) for error in self.errors):
                what = f"{one.partner_id} has no target of {one.goal} in {one.quarter} that could be amended"
                self.errors.append(InputError(what, one.where, f"add the row to {file}, or remove the amendment"))
            if (*key, one.target) in seen:
                what = f"the same amendment stands in {seen[*key, one.target].rpartition(', ')[2]}"
                self.errors.append(InputError(what, one.where, "keep one of the two rows"))
            seen[*key, one.target] = one.where

    def rates(self) -> Iterator[Rate]:
        """``params/rates.csv``."""
        yield from read_rates(self.csv("rates.csv", RATE_COLUMNS, REQUIRED))

    def words(self, calendar: Calendar, sections: tuple[str, ...]) -> dict[tuple[str, str], dict[str, str]]:
        """The commentary by (quarter, partner) and section."""
        out: dict[tuple[str, str], dict[str, str]] = {}
        for path in sorted((self.folder / "words").glob("*/*.md")):
            name = f"params/words/{path.parent.name}/{path.name}"
            try:
                calendar.parse(path.parent.name)
            except UnknownQuarter as error:
                self.errors.append(InputError(error.what, name, error.fix + " as the folder's name"))
                continue
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (UnicodeDecodeError, OSError):
                self.errors.append(InputError("this is no UTF-8 text", name, "save it as UTF-8"))
                continue
            out[path.parent.name, path.stem] = self._sections(text, name, sections)
        return out

    def _sections(self, text: str, name: str, known: tuple[str, ...]) -> dict[str, str]:
        out: dict[str, str] = {}
        current = ""
        for line_number, line in enumerate(text.splitlines(), 1):
            heading = _HEADING.match(line)
            where = f"{name}, line {line_number}"
            if heading:
                current = heading[1].strip().lower()
                if current not in known:
                    fix = f"{did_you_mean(current, known)} (sections stand under words: in params/workbook.yaml)"
                    self.errors.append(InputError(f'no section is called "{current}"', where, fix))
                elif current in out:
                    self.errors.append(InputError(f'the section "{current}" stands here twice', where, "join them"))
                out.setdefault(current, "")
            elif current:
                out[current] = out.get(current, "") + line + "\n"
            elif line.strip():
                fix = f"put ## {known[0] if known else 'section'} above it"
                self.errors.append(InputError("this text stands before the first heading", where, fix))
                current = "?"
        return {section: body.strip() for section, body in out.items() if body.strip()}

    def digest(self) -> str:
        """A fingerprint of everything read here."""
        hasher = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.suffix in (".yaml", ".csv", ".md"):
                hasher.update(path.relative_to(self.folder).as_posix().encode() + b"\0" + path.read_bytes())
        return hasher.hexdigest()
