"""The tables of whoever sets goals: targets and their chances, proposals, what would change, who has yet to sign; apart
from the tables of a pack, because these hold every partner's targets side by side and never leave the house.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pandas as pd

from pbr_lib.agreement import Agreed, aim
from pbr_lib.blocks import Cell, Column, Status, Table
from pbr_lib.definitions import Target
from pbr_lib.goalrows import Instance
from pbr_lib.model import Amount, Unit, count_of, percent_text
from pbr_lib.planning import Checked, Following
from pbr_lib.plantables import STATES, sentence
from pbr_lib.results import UNAGREED
from pbr_lib.smart import Judged, Plan
from pbr_lib.smart.attainable import BANDS
from pbr_lib.smart.fleet import LEAST_GOALS, SOUND, sizes

__all__ = ["Verdicts", "agreement_table", "chance_frame", "expected", "fleet_table", "missing_table"]
__all__ += ["proposal_table", "soundness", "target_table", "trial_table"]

Key = tuple[str, str]
Floats = npt.NDArray[np.float64]

_COUNT, _PERCENT = Unit("count"), Unit("percent")
_SHOWN = 100
_NAMED = 3
_BANDS: Mapping[str, Status] = {
    "not attainable": Status("not attainable", "▼", "bad"),
    "stretch": Status("stretch", "◆", "warn"),
    "attainable": Status("attainable", "●", "good"),
    "easy": Status("easy", "◆", "warn"),
    "already normal": Status("already normal", "▼", "bad"),
    "cannot be judged yet": Status("cannot be judged yet", "○", "neutral"),
}
_SIZES = ("Smallest third of partners", "Middle third of partners", "Largest third of partners")


class Verdicts:
    """The verdicts on targets by partner and goal, of whatever many goals they are."""

    def __init__(self, judged: Mapping[str, Judged]) -> None:
        self._at = {(row.partner_id, row.goal): (one, at) for one in judged.values() for at, row in enumerate(one.rows)}

    def p(self, row: Instance) -> float | None:
        """The chance to meet a target; None where it cannot be judged."""
        one, at = self._at[row.partner_id, row.goal]
        return None if np.isnan(one.p[at]) else float(one.p[at])

    def band(self, row: Instance) -> str:
        """The band of a target, a word of ``BANDS``."""
        one, at = self._at[row.partner_id, row.goal]
        return BANDS[int(one.band[at])]

    def why(self, row: Instance) -> str:
        """The evidence in words."""
        one, at = self._at[row.partner_id, row.goal]
        return one.verdict(at).why

    def cells(self, row: Instance) -> tuple[Cell, Cell]:
        """Chance and band as cells."""
        return _chance(self.p(row)), _BANDS[self.band(row)]


# ---------------------------------------------------------------------------------------------- targets


def target_table(checked: Checked) -> Table:
    """Every target of the quarter that was checked: state of agreement, chance to meet, and what came before."""
    plan, ground = checked.plan, checked.ground
    before = plan.quarter.shift(-1)
    so_far = " so far" if before.last_day > plan.as_of else ""
    columns = (
        *_whose(),
        Column("target", "Target", "amount"),
        Column("state", "Agreement", "status"),
        Column("chance", "Chance to meet", "amount"),
        Column("band", "Verdict", "status"),
        Column("last", f"{before.label}{so_far}", "amount"),
        Column("by_hand", "By hand"),
        Column("remark", "Remark", width=2),
        Column("why", "What the chance rests on", sheet_only=True),
        Column("basis", "Basis", sheet_only=True),
        Column("owner_us", "Owner, us", sheet_only=True),
        Column("owner_them", "Owner, partner", sheet_only=True),
        Column("where", "Where", sheet_only=True),
        Column("key", "Key", sheet_only=True),
    )
    verdicts, agreed = Verdicts(checked.judged), ground.agreed.get(plan.quarter.label, {})
    rows = []
    for row in _known(plan, plan.instances):
        goal = plan.goal(row.goal)
        one = agreed.get((row.partner_id, row.goal))
        period = plan.period(row.goal).shift(-1)
        last = ground.fact(goal.metric, row.partner_id, period)
        cells: tuple[Cell, ...] = (
            *_named(plan, row),
            _target(row.target, plan.unit(row.goal)),
            STATES["proposed" if one is None else one.state],
            *verdicts.cells(row),
            Amount(last.value, plan.unit(row.goal)) if last.known else None,
            _by_hand(row, plan.unit(row.goal)),
            sentence(UNAGREED if one is None else one.remark) or None,
            verdicts.why(row),
            row.basis or None,
            row.owner_us or goal.owners.vendor,
            row.owner_them or goal.owners.partner,
            row.where or None,
            row.goal,
        )
        rows.append(cells)
    caption = (
        "The chance is seen from the quarter's start: from the partner's own quarters and its peers', and nothing "
    )
    caption += "that happened since. By hand: what had been proposed before somebody changed it."
    empty = f"There are no targets of {plan.quarter.label}."
    return Table("targets", columns, tuple(rows), f"Targets of {plan.quarter.label}", caption, empty, _SHOWN)


def _whose() -> tuple[Column, ...]:
    return (
        Column("partner_id", "Partner"),
        Column("name", "Name", width=2),
        Column("goal", "Goal", width=1.8),
    )


def _named(plan: Plan, row: Instance) -> tuple[Cell, ...]:
    partner = plan.partners.get(row.partner_id, {})
    return (row.partner_id, str(partner.get("name") or "") or None, _goal(plan, row.goal))


def _goal(plan: Plan, key: str) -> str:
    """What a goal of several partners is called: its metric, where its own name holds a partner's target."""
    name, metric = plan.goal(key).name, plan.metric(key)
    return name if name and "{" not in name else metric.label if metric else key


def _known(plan: Plan, rows: Iterable[Instance]) -> list[Instance]:
    """Rows whose goal and metric are defined, which is all that can be measured; a finding tells of the others."""
    return [row for row in rows if row.goal in plan.settings.goals and plan.metric(row.goal) is not None]


def _by_hand(row: Instance, unit: Unit) -> str | None:
    if row.proposed is None or row.proposed == row.target:
        return None
    return f"was {aim(row.proposed, unit)}"


# -------------------------------------------------------------------------------------------- proposals


def proposal_table(following: Following, rows: Sequence[Instance], judged: Mapping[str, Judged]) -> Table:
    """What is proposed for the next quarter; ``rows`` are the targets as they would be signed, with their verdicts."""
    label = following.quarter.label
    columns = (
        *_whose(),
        Column("now", "Target now", "amount"),
        Column("proposed", "Proposed", "amount"),
        Column("set_to", "Set to", "amount"),
        Column("chance", "Chance to meet", "amount"),
        Column("band", "Verdict", "status"),
        Column("basis", "How it follows", width=3),
        Column("note", "Flags, and what to decide", width=1.6),
        Column("row", "In the file", sheet_only=True),
        Column("flags", "Flags", sheet_only=True),
        Column("stop", "To decide", sheet_only=True),
        Column("why", "What the chance rests on", sheet_only=True),
        Column("stretch", "Stretch", "amount", sheet_only=True),
        Column("red_flag", "Red flag", "amount", sheet_only=True),
        Column("steps", "Every step", sheet_only=True),
        Column("key", "Key", sheet_only=True),
    )
    plan, verdicts = following.checked.plan, Verdicts(judged)
    body = tuple(_proposal(following, row, verdicts) for row in _known(plan, rows))
    by_hand = "Set to: another number than proposed, from the file or tried out here. "
    caption = f"The chance is seen from the start of {label}. {by_hand}"
    gone = len(following.proposals.dropped)
    if gone:
        caption += f"{gone:,} {'goal is' if gone == 1 else 'goals are'} not carried on; goals.dropped says why."
    title, empty = f"Goals proposed for {label}", f"No goal is proposed for {label}."
    return Table("proposals", columns, body, title, caption.strip(), empty, _SHOWN)


def _proposal(following: Following, row: Instance, verdicts: Verdicts) -> tuple[Cell, ...]:
    plan, key = following.checked.plan, (row.partner_id, row.goal)
    draft, unit = following.drafts.get(key), plan.unit(row.goal)
    given = None if draft is None else draft.proposal
    before = None if draft is None or draft.before is None else draft.before.instance.target
    other = given is None or given.target != row.target
    stop, flags = "" if draft is None else draft.stop, "" if given is None else "; ".join(given.flags)
    return (
        *_named(plan, row),
        None if before is None else _target(before, unit),
        None if given is None or given.target is None else _target(given.target, unit),
        _target(row.target, unit) if other else None,
        *verdicts.cells(row),
        sentence(row.basis) or None,
        sentence("; ".join(filter(None, (stop, flags)))) or None,
        _in_file(following.written.get(key), row),
        flags or None,
        stop or None,
        verdicts.why(row),
        None if row.stretch is None else Amount(row.stretch, unit),
        None if row.red_flag is None else Amount(row.red_flag, unit),
        None if given is None else "; ".join(f"{step.name}: {step.words}" for step in given.steps) or None,
        row.goal,
    )


def _in_file(written: Instance | None, row: Instance) -> str:
    if written is None:
        return "not yet"
    if written.target != row.target:
        return "another number"
    if written.agreed_by_us or written.agreed_by_them:
        return "signed" if written.agreed else "signed by us" if written.agreed_by_us else "signed by partner"
    return "yes"


# ------------------------------------------------------------------------------------------ tried targets


def trial_table(
    plan: Plan, pairs: Sequence[tuple[Instance, Instance]], verdicts: tuple[Verdicts, Verdicts], caption: str
) -> Table:
    """Targets as they are and as tried, side by side; ``pairs`` are the rows before and after, ``verdicts`` theirs."""
    columns = (
        *_whose(),
        Column("now", "Now", "amount"),
        Column("then", "Tried", "amount"),
        Column("chance_now", "Chance now", "amount"),
        Column("chance_then", "Chance then", "amount"),
        Column("band_then", "Verdict then", "status"),
        Column("band_now", "Verdict now", "status", sheet_only=True),
        Column("key", "Key", sheet_only=True),
    )
    rows = []
    for before, after in pairs:
        unit = plan.unit(before.goal)
        now, then = verdicts[0].cells(before), verdicts[1].cells(after)
        targets = (_target(before.target, unit), _target(after.target, unit))
        rows.append((*_named(plan, before), *targets, now[0], then[0], then[1], now[1], before.goal))
    return Table("what-if", columns, tuple(rows), "What if", caption, print_rows=_SHOWN)


# ----------------------------------------------------------------------------------------- the whole set


def expected(judged: Mapping[str, Judged]) -> tuple[float | None, int]:
    """The share of targets that is expected to be met, and how many targets it rests on."""
    p = np.concatenate([one.p for one in judged.values()]) if judged else np.empty(0)
    return _mean(p)


def _mean(p: Floats) -> tuple[float | None, int]:
    known = np.sort(p[~np.isnan(p)])
    return (float(known.sum() / len(known)), len(known)) if len(known) else (None, 0)


def soundness(share: float | None, count: int) -> Status:
    """Whether a set of targets is sound as a whole; of few nothing is said."""
    if share is None or count < LEAST_GOALS:
        return Status("too few to say", "○", "neutral")
    if share < SOUND[0]:
        return Status("too hard", "▼", "bad")
    return Status("too easy", "◆", "warn") if share > SOUND[1] else Status("sound", "●", "good")


def chance_frame(plan: Plan, judged: Mapping[str, Judged]) -> pd.DataFrame:
    """How many targets lie in each band: columns band, chance (its bounds in words), targets, share."""
    spec = plan.settings.workbook.smart
    a, b, c, d = (
        percent_text(bound) for bound in (spec.unattainable_below, spec.stretch_below, spec.easy_from, spec.normal_from)
    )
    words = (f"below {a}", f"{a} to {b}", f"{b} to {c}", f"{c} to {d}", f"above {d}", "")
    counts = _tally(np.concatenate([one.band for one in judged.values()]) if judged else np.empty(0, np.int64))
    every = sum(counts)
    shares = [count / every if every else 0.0 for count in counts]
    return pd.DataFrame({"band": list(BANDS), "chance": list(words), "targets": counts, "share": shares})


def _tally(bands: npt.NDArray[np.int64]) -> list[int]:
    return [int(count) for count in np.bincount(bands, minlength=len(BANDS))]


def fleet_table(plan: Plan, judged: Mapping[str, Judged]) -> Table:
    """How the targets of all partners lie together: all of them, goal by goal, and by the size of partners."""
    columns = (
        Column("set", "Targets of", width=2),
        Column("targets", "Targets", "amount"),
        Column("judged", "Judged", "amount"),
        Column("expected", "Expected to be met", "amount"),
        Column("state", "On the whole", "status"),
        Column("hard", "Not attainable", "amount"),
        Column("stretch", "Stretch", "amount"),
        Column("attainable", "Attainable", "amount"),
        Column("easy", "Easy or normal", "amount"),
        Column("uplift", f"Median change since {plan.quarter.shift(-1).label}", "amount"),
    )
    every = list(judged.values())
    rows = [_fleet_row("All goals", plan, every)] if every else []
    rows += [_fleet_row(_goal(plan, key), plan, [one]) for key, one in judged.items()]
    thirds = _thirds(plan)
    rows += [_fleet_row(name, plan, every, members) for name, members in zip(_SIZES, thirds, strict=False)]
    low, high = (percent_text(Decimal(repr(bound))) for bound in SOUND)
    caption = f"Sound: {low} to {high} of targets are expected to be met, which is the mean of their chances. "
    caption += (
        "Partners are large by what they did in the year before; whose year is not whole is left out." if thirds else ""
    )
    title, empty = f"All targets of {plan.quarter.label} together", f"There are no targets of {plan.quarter.label}."
    return Table("fleet", columns, tuple(rows), title, caption.strip(), empty, _SHOWN)


def _fleet_row(name: str, plan: Plan, judged: Sequence[Judged], members: set[str] | None = None) -> tuple[Cell, ...]:
    """One set of targets; ``members`` leaves out other partners."""
    rows, p, bands = [], [], []
    for one in judged:
        kept = np.array([members is None or row.partner_id in members for row in one.rows], bool)
        rows += [row for row, keep in zip(one.rows, kept, strict=True) if keep]
        p.append(one.p[kept])
        bands.append(one.band[kept])
    share, count = _mean(np.concatenate(p))
    found = _tally(np.concatenate(bands))
    moved = _uplift(plan, rows)
    return (
        name,
        count_of(len(rows)),
        count_of(count),
        _chance(share),
        soundness(share, count),
        *(count_of(number) for number in (found[0], found[1], found[2], found[3] + found[4])),
        None if moved is None else Amount(moved, _PERCENT),
    )


def _uplift(plan: Plan, rows: Sequence[Instance]) -> Decimal | None:
    """By how much targets moved since the quarter before, in the middle; None where none has a number in both."""
    before = plan.settings.instances.get(plan.quarter.shift(-1).label, ())
    last = {(row.partner_id, row.goal): row.target.value for row in before if row.target.value}
    rates = [
        float(row.target.value / was) - 1
        for row in rows
        if row.target.value is not None and (was := last.get((row.partner_id, row.goal)))
    ]
    return Decimal(repr(round(float(np.median(rates)), 6))) if rates else None


def _thirds(plan: Plan) -> list[set[str]]:
    """The partners with targets in three groups of a size, the smallest first; none of fewer than six partners."""
    weight = sizes(plan)
    having = sorted(
        (partner for partner in plan.by_partner if partner in weight), key=lambda each: (weight[each], each)
    )
    if len(having) < 2 * len(_SIZES):
        return []
    return [set(map(str, part)) for part in np.array_split(np.array(having, object), len(_SIZES))]


# -------------------------------------------------------------------------------------------- agreement


def agreement_table(quarters: Sequence[tuple[str, dt.date, Sequence[Agreed]]]) -> Table:
    """How far agreement has come; ``quarters`` are labels, deadlines, and rows as they count."""
    columns = (
        Column("quarter", "Quarter"),
        Column("state", "State", "status"),
        Column("targets", "Targets", "amount"),
        Column("partners", "Partners", "amount"),
        Column("deadline", "Agree until", "date"),
        Column("who", "Who", width=2),
        Column("every", "All partners", sheet_only=True),
    )
    rows: list[tuple[Cell, ...]] = []
    for label, deadline, agreed in quarters:
        groups: dict[Status, list[str]] = {}
        for one in agreed:
            groups.setdefault(STATES[one.state], []).append(one.row.partner_id)
        for state in dict.fromkeys(STATES.values()):
            if state in groups:
                who = list(dict.fromkeys(groups[state]))
                more = f" and {len(who) - _NAMED:,} more" if len(who) > _NAMED else ""
                told = (", ".join(who[:_NAMED]) + more, ", ".join(who))
                rows.append((label, state, count_of(len(groups[state])), count_of(len(who)), deadline, *told))
    caption = "What both sides have not agreed until that day falls back to the last target that they agreed."
    empty = "No file of targets is there yet; goals.write() writes the proposals into one."
    return Table("agreement", columns, tuple(rows), "Agreement", caption if rows else "", empty, _SHOWN)


def missing_table(plan: Plan, quarters: Sequence[tuple[str, dt.date, Sequence[Agreed]]]) -> Table:
    """Who has yet to sign, for which partner, by quarter and side: the list to work through."""
    columns = (
        Column("quarter", "Quarter"),
        Column("partner_id", "Partner"),
        Column("name", "Name", width=1.6),
        Column("side", "What is missing", width=1.8),
        Column("owner", "Whom to ask", width=1.6),
        Column("targets", "Targets", "amount"),
        Column("deadline", "Agree until", "date"),
        Column("remark", "Remark", width=2.4),
        Column("goals", "Goals", sheet_only=True),
    )
    rows: list[tuple[Cell, ...]] = []
    for label, deadline, agreed in quarters:
        groups: dict[Key, list[Agreed]] = {}
        for one in agreed:
            side = _missing(one)
            if side:
                groups.setdefault((one.row.partner_id, side), []).append(one)
        for (partner, side), ones in groups.items():
            name = str(plan.partners.get(partner, {}).get("name") or "") or None
            owners = dict.fromkeys(owner for one in ones for owner in _owners(plan, one.row, side))
            goals = ", ".join(one.row.goal for one in ones)
            told = (", ".join(owners), count_of(len(ones)), deadline, sentence(ones[0].remark) or None, goals)
            rows.append((label, partner, name, side, *told))
    caption = "Where several targets are concerned, the remark is that of the first."
    empty = "Every target is agreed by both sides."
    return Table("missing", columns, tuple(rows), "Yet to be signed", caption if rows else "", empty, _SHOWN)


def _missing(one: Agreed) -> str:
    """Whose signature is missing, in words; empty where a target holds as its row says."""
    if one.state in ("agreed", "active", "closed"):
        return "an amendment" if one.remark and not one.amended else ""
    if one.row.agreed_by_us:
        return "the partner's signature"
    return "our signature" if one.row.agreed_by_them else "both signatures"


def _owners(plan: Plan, row: Instance, side: str) -> tuple[str, ...]:
    owners = plan.goal(row.goal).owners
    us, them = row.owner_us or owners.vendor, row.owner_them or owners.partner
    return {"our signature": (us,), "the partner's signature": (them,)}.get(side, (us, them))


# ------------------------------------------------------------------------------------------------ cells


def _target(target: Target, unit: Unit) -> Cell:
    return aim(target, unit) if target.value is None else Amount(target.value, unit)


def _chance(p: float | None) -> Amount | None:
    return None if p is None else Amount(Decimal(repr(round(p, 6))), _PERCENT)
