"""The analyst's desk for goals: are they SMART, what comes next and why, what if, who signs; apart, because it looks at
everybody's targets and so never stands in a pack, yet shows itself with the same blocks.

Everything stands on one measurement. Verbs such as :meth:`Goals.edit` return a copy; only :meth:`Goals.write` and
:meth:`Goals.sign` touch files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from pbr_lib import agreement, charts, goalbook, planning, renewing, signing, targettables, whatif
from pbr_lib.agreement import Agreed
from pbr_lib.blocks import Card, Cards, Chart, Column, Cover, Note, Run, Status, Table
from pbr_lib.errors import InputError
from pbr_lib.goalrows import Instance
from pbr_lib.model import Amount, Unit, count_of, date_text, named, percent_text
from pbr_lib.planning import Checked, Following
from pbr_lib.rollup import tables
from pbr_lib.smart import Judged, view
from pbr_lib.smart.fleet import SOUND
from pbr_lib.targettables import Verdicts
from pbr_lib.whatif import Edit

__all__ = ["Goals", "look"]

_COUNT, _PERCENT = Unit("count"), Unit("percent")


def look(root: Path, quarter: str = "") -> Goals:
    """Check a quarter's goals and see what follows; without a quarter, of the newest in the data.

    Raises
    ------
    InputError
        For faults in params or exports, or a quarter whose predecessor has not begun.
    """
    checked = planning.check(root, quarter)
    return Goals(root, checked, Following(checked))


@dataclass(frozen=True)
class Goals:
    """The goals of a quarter and what is proposed for the next; shown, it is a summary of the whole.

    ``edits`` are targets tried for the next quarter; they stand in the files only once :meth:`write` is called.
    """

    root: Path = field(repr=False)
    checked: Checked = field(repr=False)
    following: Following = field(repr=False)
    edits: tuple[Edit, ...] = ()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.cover._repr_mimebundle_()

    def __repr__(self) -> str:
        facts = ", ".join(f"{label.lower()} {value}" for label, value in self.cover.facts)
        return f"Goals of {self.quarter}: {facts}"

    # -------------------------------------------------------------------------------------------- summary

    @property
    def quarter(self) -> str:
        """The label of the quarter that was checked."""
        return self.checked.plan.quarter.label

    @property
    def next_quarter(self) -> str:
        """The label of the quarter whose targets are set next."""
        return self.following.quarter.label

    @property
    def as_of(self) -> dt.date:
        """The day up to which the exports speak."""
        return self.checked.plan.as_of

    @property
    def cover(self) -> Cover:
        """Which quarter, as of when, how many targets, and how grave what was found is."""
        plan = self.checked.plan
        facts = (
            ("Data as of", date_text(self.as_of)),
            ("Partners", f"{len(plan.by_partner):,}"),
            ("Targets", f"{len(plan.instances):,}"),
            ("Findings", self._tally()),
        )
        meta = {
            "partner": "Goals of all partners",
            "quarter": self.quarter,
            "as_of": self.as_of.isoformat(),
            "as_of_text": date_text(self.as_of),
            "edition": "internal",
            "language": "en",
            "confidential": "Internal · holds data of every partner",
        }
        return Cover("Goals of all partners", "Partner Business Review", self.quarter, meta, facts=facts)

    @property
    def scorecard(self) -> Cards:
        """Cards: what is to be mended, how many targets are expected to be met, and how many both sides agreed to."""
        errors, warnings = (self._number(severity) for severity in ("error", "warning"))
        worst = Status("error", "▼", "bad") if errors else Status("warning", "◆", "warn")
        mend = worst if errors + warnings else Status("nothing to mend", "●", "good")
        share, judged = targettables.expected(self.checked.judged)
        low, high = (percent_text(Decimal(repr(bound))) for bound in SOUND)
        rows = [one for label, _, each in self._agreed if label == self.quarter for one in each]
        both = sum(one.state in ("agreed", "active", "closed") for one in rows)
        open_ = len(rows) - both
        signed = Status(f"{open_:,} open", "◆", "warn") if open_ else Status("all agreed", "●", "good")
        none = Status("no file of targets yet", "○", "neutral")
        return Cards(
            (
                Card("To be mended", count_of(errors + warnings), (f"{named(errors, 'error')} among them",), mend),
                Card(
                    "Expected to be met",
                    Amount(None if share is None else Decimal(repr(round(share, 6))), _PERCENT),
                    (f"of {named(judged, 'target')} that can be judged", f"sound is {low} to {high}"),
                    targettables.soundness(share, judged),
                ),
                Card("Agreed by both sides", count_of(both), (f"of {len(rows):,}",), signed if rows else none),
            ),
            name="goals",
        )

    # --------------------------------------------------------------------------------------- this quarter

    @property
    def findings(self) -> Table:
        """Which goals are not specific, measurable, attainable, relevant, time-bound or agreed, and how to mend it."""
        return view.table(self.checked.found)

    @property
    def targets(self) -> Table:
        """Every target: state of agreement, chance to meet it, verdict, last quarter's actual, changed by hand."""
        return targettables.target_table(self.checked)

    @property
    def fleet(self) -> Table:
        """All targets together, goal by goal, and by size of partners: how many will be met, how far they moved."""
        return targettables.fleet_table(self.checked.plan, self.checked.judged)

    @property
    def chances(self) -> Chart | Note:
        """How many targets lie in each band of the chance to meet them."""
        frame = targettables.chance_frame(self.checked.plan, self.checked.judged)
        return charts.chances(frame, f"How likely the targets of {self.quarter} are to be met")

    @property
    def agreement(self) -> Table:
        """How many targets stand in which state, of this quarter and the next, and until when they can be agreed."""
        return targettables.agreement_table(self._agreed)

    @property
    def missing(self) -> Table:
        """Who has yet to sign for which partner."""
        return targettables.missing_table(self.checked.plan, self._agreed)

    @property
    def rollup(self) -> Table:
        """Every goal over all partners, and over the partners of each tier."""
        return self.rolled("tier")

    def rolled(self, by: str = "") -> Table:
        """Every goal over all partners, and by a column of the partner list such as ``region``.

        Raises
        ------
        InputError
            For a column that the partner list does not have.
        """
        found = planning.rolled(self.checked.ground, by)
        labels = {name: metric.label for name, metric in found.settings.metrics.items()}
        return tables.roll_table(found.lines_of, found.settings.goals, labels, f"{found.quarter} rolled up")

    # --------------------------------------------------------------------------------------- next quarter

    @property
    def proposals(self) -> Table:
        """Next quarter: target now, proposed, and tried; how it follows, how likely it is to be met, what to decide."""
        return targettables.proposal_table(self.following, self._rows, self._judged)

    @property
    def dropped(self) -> Table:
        """Goals that are not carried on, and why."""
        columns = (Column("partner_id", "Partner"), Column("goal", "Goal"), Column("why", "Why", width=3))
        rows = tuple((one.partner_id, one.goal, one.reason) for one in self.following.proposals.dropped)
        return Table("dropped", columns, rows, "Not carried on", empty="Every goal is carried on.")

    def what_if(
        self, goal: str = "", target: Any = None, change: str = "", partners: Iterable[str] | str | None = None
    ) -> Table:
        """The chance to meet next quarter's targets, as they are and with other numbers; nothing is written.

        Parameters
        ----------
        goal:
            A key of ``params/goals.yaml``; left out, a change is tried on every goal.
        target:
            The number tried, as the file writes it: ``6``, ``"85 %"``, ``(80, 90)``.
        change:
            Instead of a target: ``"+10 %"``, ``"-2"``, of a percentage ``"+5 points"``; rounded as renewal does.
        partners:
            Ids of partners; left out, all.

        Raises
        ------
        InputError
            For an unknown goal or partner, or a number that cannot be read.
        """
        edit = whatif.ask(goal, target, change, partners)
        settings = self.checked.plan.settings
        places = whatif.chosen(self._rows, edit, settings)
        tried = whatif.apply(self._rows, (edit,), settings)
        judged = self.following.judge(tried)
        pairs = [(self._rows[at], tried[at]) for at in places]
        verdicts = (Verdicts(self._judged), Verdicts(judged))
        shown = targettables.trial_table(self.checked.plan, pairs, verdicts, self._compared(pairs, judged))
        return shown.titled(f"What if: {_asked(edit)}, {self.next_quarter}")

    def edit(
        self,
        goal: str = "",
        target: Any = None,
        change: str = "",
        partners: Iterable[str] | str | None = None,
        reason: str = "",
    ) -> Goals:
        """A copy with other targets for next quarter, asked for as in :meth:`what_if`; nothing is written.

        ``reason`` becomes the row's basis. :attr:`proposals` shows the copy, :meth:`write` writes it.

        Raises
        ------
        InputError
            For an unknown goal or partner, a number that cannot be read, or a target that somebody signed.
        """
        edit = whatif.ask(goal, target, change, partners, reason)
        rows = whatif.apply(self._rows, (edit,), self.checked.plan.settings)
        for before, after in zip(self._rows, rows, strict=True):
            if after is not before and (before.agreed_by_us or before.agreed_by_them):
                fix = "leave it out of partners, or take the signature out of the file first"
                raise InputError(f"{before.partner_id} {before.goal} is signed already", before.where, fix)
        return replace(self, edits=(*self.edits, edit))

    # --------------------------------------------------------------------------------------------- writing

    @property
    def pending(self) -> Note:
        """What :meth:`write` would do; nothing is written by looking at it."""
        file = f"params/goals/{self.next_quarter}.csv"
        new = [row for row in self._rows if (row.partner_id, row.goal) not in self.following.written]
        tried = len(self._tried)
        told = [f"{named(len(new), 'proposal')} would be added to {file}." if new else f"{file} has every proposal."]
        if tried:
            told.append(f"{named(tried, 'target')} would be set to the number that was tried here.")
        todo = bool(new) or bool(tried)
        told.append("Nothing is written until you call goals.write()." if todo else "There is nothing to write.")
        return _note(told, f"Still to be written for {self.next_quarter}" if todo else "")

    def write(self, refresh: bool = False) -> Note:
        """Write next quarter's proposals, and the targets that were tried, into the file of its targets.

        Rows that people changed or signed stay as they are. Call ``pbr.plan()`` again to see the file as it is now.

        Parameters
        ----------
        refresh:
            Make proposals anew that nobody changed or signed.

        Raises
        ------
        InputError
            For faults in params or exports, or a quarter that is closed.
        """
        renewed = renewing.renew(self.root, renewing.Request(self.next_quarter, refresh=refresh))
        set_, left = self._set()
        told = [next(iter(renewed.lines())), *renewed.remarks]
        if set_:
            told.append(f"{named(set_, 'target')} set to the number that was tried.")
        told += left
        return _note([*told, "Call pbr.plan() again to see the file as it is now."], f"Written for {self.next_quarter}")

    def sign(self, us: str = "", them: str = "", on: str = "", partners: Iterable[str] = (), quarter: str = "") -> Note:
        """Sign next quarter's targets (or those of ``quarter``) for our side, for the partner's, or for both.

        Parameters
        ----------
        us, them:
            Who signs: a role or a name; a side that is left out does not sign.
        on:
            The day of the signature, such as ``2026-10-02``.
        partners:
            Ids of partners; left out, all.

        Raises
        ------
        InputError
            For a day that is none, nobody who signs, a quarter without targets, or a partner without a row.
        """
        try:
            day = dt.date.fromisoformat(on)
        except ValueError:
            raise InputError(f'"{on}" is no day', "on", "say on which day, like 2026-10-02") from None
        whose = (partners,) if isinstance(partners, str) else tuple(partners)
        signature = signing.Signature(us.strip(), them.strip(), day)
        label = quarter or self.next_quarter
        signed = signing.agree(self.root, label, signature, whose)
        return _note([*signed.lines("target"), "Call pbr.plan() again to see the file as it is now."], label)

    # ---------------------------------------------------------------------------------------------- within

    @cached_property
    def _rows(self) -> tuple[Instance, ...]:
        """Next quarter's targets as they would be signed, with what was tried."""
        return whatif.apply(self.following.rows, self.edits, self.checked.plan.settings)

    @cached_property
    def _judged(self) -> Mapping[str, Judged]:
        return self.following.judge(self._rows) if self.edits else self.following.judged

    @property
    def _tried(self) -> list[Instance]:
        """The rows whose target was tried and stands otherwise in the file, or in the proposals."""
        return [
            after
            for before, after in zip(self.following.rows, self._rows, strict=True)
            if before.target != after.target
        ]

    @cached_property
    def _agreed(self) -> list[tuple[str, dt.date, list[Agreed]]]:
        """The rows of this quarter's file and the next one's, as they count, where there is a file."""
        ground, out = self.checked.ground, []
        for quarter in dict.fromkeys((self.checked.plan.quarter, self.following.quarter)):
            rows = list(ground.agreed.get(quarter.label, {}).values())
            if rows:
                out.append((quarter.label, agreement.deadline(quarter, ground.params), rows))
        return out

    def _set(self) -> tuple[int, list[str]]:
        """Write the targets that were tried: how many, and which stay because somebody signed them meanwhile."""
        book, plan, left, count = goalbook.goals_book(self.root, self.next_quarter), self.checked.plan, [], 0
        for row in self._tried:
            at, unit = book.find(row.partner_id, row.goal), plan.unit(row.goal)
            if at is None or book.get(at, "agreed_by_us") or book.get(at, "agreed_by_them"):
                why = "has no row in the file" if at is None else "was signed in the meantime and stays as it is"
                left.append(f"{row.partner_id} {row.goal} {why}.")
                continue
            cells = {name: goalbook.cell(getattr(row, name), unit) for name in ("target", "stretch", "red_flag")}
            book.put(at, {**cells, "basis": row.basis})
            count += 1
        book.save()
        return count, left

    def _compared(self, pairs: list[tuple[Instance, Instance]], judged: Mapping[str, Judged]) -> str:
        """The expected share met, of the targets tried and of all, as it is and as it would be."""
        before, after = Verdicts(self._judged), Verdicts(judged)
        known = [(a, b) for a, b in ((before.p(one), after.p(two)) for one, two in pairs) if a is not None]
        told = ""
        if known:
            now, then = (sum(sorted(p or 0.0 for p in each)) / len(known) for each in zip(*known, strict=True))
            told = f"Of these, {_share(now)} are expected to be met now and {_share(then)} then. "
        (now_all, count), (then_all, _) = targettables.expected(self._judged), targettables.expected(judged)
        if now_all is not None and then_all is not None:
            told += f"Of all {count:,} that can be judged, {_share(now_all)} now and {_share(then_all)} then. "
        return f"{told}Nothing is written."

    def _number(self, severity: str) -> int:
        return sum(one.severity == severity for one in self.checked.found)

    def _tally(self) -> str:
        words = {"error": "error", "warning": "warning", "info": "remark"}
        return ", ".join(named(self._number(severity), word) for severity, word in words.items())


def _asked(edit: Edit) -> str:
    whose = f" for {', '.join(edit.partners)}" if edit.partners else ""
    return f"{edit.goal or 'every goal'} {edit.target or edit.change}{whose}"


def _note(sentences: Iterable[str], title: str) -> Note:
    return Note(sentences=tuple((Run(each),) for each in sentences), title=title)


def _share(share: float) -> str:
    return percent_text(Decimal(repr(round(share, 6))))
