"""A quarter's goals looked at as a whole: SMART checks, agreement, roll-ups, back-test; apart, because each needs the
same ground and none of them builds a pack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pbr_lib import backtest as backtests
from pbr_lib import ground, ingest, issued, metrics, params, programme, proposing, results, signing, smart, tablefacts
from pbr_lib.backtest import Backtest
from pbr_lib.errors import InputError
from pbr_lib.goalrows import Instance
from pbr_lib.goals import Weighted
from pbr_lib.ground import Ground
from pbr_lib.model import percent_text
from pbr_lib.params import Params
from pbr_lib.periods import Quarter
from pbr_lib.proposing import Draft, Proposals
from pbr_lib.prospects import Prospects, at_start
from pbr_lib.rollup import pooling, portfolio, tables
from pbr_lib.rollup import sums as rollups
from pbr_lib.rollup.portfolio import RollUp
from pbr_lib.signing import Status
from pbr_lib.smart import Found, Judged, Plan, fleet, view

__all__ = ["Checked", "Following", "Rolled", "backtest", "check", "plan_of", "rolled", "rollup", "status"]


@dataclass(frozen=True)
class Checked:
    """What the SMART checks found in a quarter's goals, and the ground and verdicts that they rest on."""

    plan: Plan = field(repr=False)
    found: tuple[Found, ...] = field(repr=False)
    ground: Ground = field(repr=False)
    judged: Mapping[str, Judged] = field(repr=False)

    @property
    def faulty(self) -> bool:
        """Whether any finding is an error."""
        return any(one.severity == "error" for one in self.found)

    def lines(self, every: bool = False) -> Iterator[str]:
        """For the terminal."""
        count = len(self.plan.instances)
        partners = len({row.partner_id for row in self.plan.instances})
        yield f"Goals of {self.plan.quarter.label}: {count} targets of {partners} partners"
        yield from view.lines(self.found, every)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return view.as_json(self.found, self.plan.quarter.label)


@dataclass(frozen=True)
class Following:
    """The quarter whose targets are set next, as far as a check can see it; worked out when it is asked for."""

    checked: Checked = field(repr=False)

    @property
    def quarter(self) -> Quarter:
        """The quarter after the one that is measured; a check of the next quarter is a check of this one."""
        return self.checked.ground.quarter.shift(1)

    @cached_property
    def proposals(self) -> Proposals:
        """What renewal proposes: the same as packs show and ``pbr goals renew`` writes."""
        return proposing.propose(self.checked.ground, Prospects(self.checked.ground).middle)

    @cached_property
    def drafts(self) -> Mapping[tuple[str, str], Draft]:
        """The proposals by partner and goal."""
        return {(draft.partner_id, draft.goal): draft for draft in self.proposals.drafts}

    @cached_property
    def written(self) -> Mapping[tuple[str, str], Instance]:
        """The rows that the quarter's file has already, by partner and goal."""
        rows = self.checked.ground.params.instances.get(self.quarter.label, ())
        return {(row.partner_id, row.goal): row for row in rows}

    @cached_property
    def rows(self) -> tuple[Instance, ...]:
        """The targets as they would be signed: the rows of the file, else the proposals; by partner, then by goal."""
        drawn = {key: _drawn(draft) for key, draft in self.drafts.items() if draft.proposal.target is not None}
        every = {**drawn, **self.written}
        order = {key: at for at, key in enumerate(self.checked.ground.params.goals)}
        return tuple(every[key] for key in sorted(every, key=lambda key: (key[0], order.get(key[1], len(order)))))

    @cached_property
    def _plan(self) -> Plan:
        """The plan of the quarter; where that is what was checked, nothing is measured twice."""
        checked = self.checked
        return checked.plan if checked.plan.quarter == self.quarter else plan_of(checked.ground, self.quarter)

    def judge(self, rows: Iterable[Instance]) -> dict[str, Judged]:
        """The verdicts on targets of this quarter, whichever they are."""
        return smart.judge(replace(self._plan, instances=tuple(rows)))

    @cached_property
    def judged(self) -> dict[str, Judged]:
        """The verdicts on :attr:`rows`."""
        return self.judge(self.rows)


@dataclass(frozen=True)
class Rolled:
    """A quarter's goals rolled up, and the weighted score of all partners together."""

    quarter: str
    lines_of: tuple[RollUp, ...] = field(repr=False)
    total: Weighted
    settings: Params = field(repr=False)

    def lines(self) -> Iterator[str]:
        """For the terminal."""
        labels = {name: metric.label for name, metric in self.settings.metrics.items()}
        score = "" if self.total.value is None else f" {percent_text(self.total.value)} of plan,"
        yield f"{self.quarter}:{score} {self.total.words}"
        yield from tables.lines(self.lines_of, self.settings.goals, labels)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"quarter": self.quarter, **tables.as_json(self.lines_of, self.total)}


def check(root: Path, label: str = "") -> Checked:
    """Check the goals of a quarter; without one, of the newest in the data.

    Raises
    ------
    InputError
        For faults in params or exports, or a quarter whose predecessor has not begun.
    """
    settings = params.read(root)
    loaded = ingest.load(settings)
    newest = settings.calendar.quarter_of(loaded.as_of)
    quarter = settings.quarter(label) if label else newest
    if quarter.start > newest.end:
        fix = f"choose {newest.shift(1).label} or an earlier one"
        raise InputError(f"nothing is known yet of the quarter before {quarter.label}", "the quarter asked for", fix)
    ground.must_reach(settings, loaded, quarter)
    standing = ground.lay(settings, loaded, min(quarter, newest), programme.house_metrics(settings))
    plan = plan_of(standing, quarter)
    judged = smart.judge(plan)
    return Checked(plan, (*smart.check(plan, judged), *fleet.check(plan, judged)), standing, judged)


def plan_of(standing: Ground, quarter: Quarter) -> Plan:
    """The goals of a quarter with everything that they are judged by."""
    settings = standing.params
    calendars = {key: settings.calendar_of(goal) for key, goal in settings.goals.items()}
    wanted = ground.asked(settings)
    facts = tablefacts.facts(standing.connection, wanted, standing.quarters)
    used = dict.fromkeys(goal.metric for goal in settings.goals.values())
    history = {name: standing.history(name) for name in (*used, *wanted)}
    ahead = 0 if quarter == standing.quarter else 1
    periods = {key: standing.period(goal, standing.quarter).shift(ahead) for key, goal in settings.goals.items()}
    return Plan(
        settings=settings,
        quarter=quarter,
        as_of=standing.as_of,
        instances=_instances(standing, quarter),
        partners=standing.partners,
        applies=standing.applies,
        history=history,
        chances={name: at_start(standing, name, quarter) for name in used},
        gap=standing.window.gap,
        dated={name: each.dated for name, each in facts.items()},
        ever={name: each.ever for name, each in facts.items()},
        rows={name: each.rows for name, each in facts.items()},
        closed=standing.record.closed,
        periods={key: period for key, period in periods.items() if calendars[key] != quarter.calendar},
    )


def status(root: Path, label: str = "") -> Status:
    """How far the agreement of a quarter's targets has come, as of the newest day of the exports."""
    settings = params.read(root)
    as_of = ingest.load(settings).as_of
    quarter = settings.quarter(label) if label else settings.calendar.quarter_of(as_of)
    return signing.status(settings, quarter.label, as_of, issued.consult(settings, ()).closed)


def rollup(root: Path, label: str = "", by: str = "") -> Rolled:
    """The goals of a quarter over all partners, over the parents of goals.yaml, and by a column of the partner list.

    Raises
    ------
    InputError
        For faults in params or exports, a quarter that they do not reach, or a column that is not there.
    """
    settings = params.read(root)
    loaded = ingest.load(settings)
    newest = settings.calendar.quarter_of(loaded.as_of)
    quarter = settings.quarter(label) if label else newest
    if quarter > newest:
        raise InputError(f"{quarter.label} has not begun", "the quarter asked for", f"choose {newest.label} or before")
    ground.must_reach(settings, loaded, quarter)
    return rolled(ground.lay(settings, loaded, quarter), by)


def rolled(standing: Ground, by: str = "") -> Rolled:
    """The goals of a ground's quarter rolled up.

    Raises
    ------
    InputError
        For a column that the partner list does not have.
    """
    settings, quarter = standing.params, standing.quarter
    every = [each for partner in standing.partners for each in results.of_partner(standing, partner, quarter)]
    names = dict.fromkeys(each.goal.metric for each in every)
    parts = {n: pooling.parts(standing.measured[n], settings.metrics[n], quarter) for n in names}
    sheet = portfolio.sheet(((each.result, each.goal) for each in every), settings.metrics, quarter.label, parts)
    chosen = {
        name: metrics.select(standing.connection, "partners", one.partners) for name, one in settings.parents.items()
    }
    groups = [portfolio.everybody(standing.partners), *portfolio.parents(settings.parents, chosen)]
    groups += portfolio.groups_by(by, standing.partners) if by else ()
    crossing = {
        name: pooling.overlap(standing.measured[name], settings.metrics[name], settings.metrics, quarter)
        for name in names
    }
    lines = rollups.roll_up(sheet, settings.metrics, groups, crossing)
    total = rollups.score([line for line in lines if line.group.kind == "all"], settings.goals)
    return Rolled(quarter.label, lines, total, settings)


def backtest(root: Path) -> Backtest:
    """Replay past quarters and score the forecast against simple ones."""
    settings = params.read(root)
    return backtests.run(settings, ingest.load(settings))


def _drawn(draft: Draft) -> Instance:
    """A proposal as the row that renewal would write."""
    row, given = None if draft.before is None else draft.before.row, draft.proposal
    if given.target is None:
        raise ValueError("a proposal without a target is no row")
    return Instance(
        draft.partner_id,
        draft.goal,
        given.target,
        given.stretch,
        given.red_flag,
        None if row is None else row.weight,
        "" if row is None else row.owner_us,
        "" if row is None else row.owner_them,
        basis=given.basis,
        proposed=given.target,
        carried=given.carried or None,
    )


def _instances(standing: Ground, quarter: Quarter) -> tuple[Instance, ...]:
    """The rows of the quarter's file; where it has none for a partner, what the definitions give."""
    rows = list(standing.params.instances.get(quarter.label, ()))
    having = {row.partner_id for row in rows}
    for partner_id in standing.partners:
        if partner_id not in having and standing.takes_part(partner_id, quarter):
            rows += [one.row for one in results.targets(standing, partner_id, quarter).values()]
    return tuple(rows)
