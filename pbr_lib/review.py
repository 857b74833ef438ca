"""One partner, one quarter: everything a notebook can ask for; apart, because it is the analyst's vocabulary.

A :class:`Review` opens the slice of one partner and nothing else. Whatever it gives shows itself, and
asking twice gives the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pbr_lib import headlines, plantables, standings, tables
from pbr_lib.blocks import Card, Cards, Cover, Group, Note, Table
from pbr_lib.errors import InputError, UnknownPartner, did_you_mean
from pbr_lib.goalview import GoalView, number
from pbr_lib.model import Amount, Label, Unit, date_text
from pbr_lib.schema import OPEN_STAGES, STAGE_LABELS

__all__ = ["SLICE_VERSION", "Review", "open_slice"]

SLICE_VERSION = 2
"""The layout of a slice that a review reads; an issued one of another layout needs the release that issued it."""

Edition = Literal["partner", "internal"]


@dataclass(frozen=True)
class Review:
    """The review of one partner and one quarter; shown, it is the cover of the pack."""

    facts: dict[str, Any] = field(repr=False)
    edition: Edition = "partner"
    fingerprint: str = ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.cover._repr_mimebundle_()

    def __repr__(self) -> str:
        return f"Review of {self.facts['partner']['name']}, {self.quarter}"

    # ------------------------------------------------------------------------------------- who and when

    @property
    def partner(self) -> Label:
        """The partner's name, safe inside Markdown."""
        return Label(self.facts["partner"]["name"])

    @property
    def quarter(self) -> str:
        """The quarter's label."""
        return str(self.facts["quarter"]["label"])

    @property
    def as_of(self) -> dt.date:
        """The day up to which the data speak."""
        return dt.date.fromisoformat(self.facts["quarter"]["as_of"])

    @property
    def cover(self) -> Cover:
        """Who, which quarter, as of when, and how it stands over all."""
        partner, quarter, score = self.facts["partner"], self.facts["quarter"], self.facts["score"]
        start, last = (dt.date.fromisoformat(quarter[key]) for key in ("start", "last_day"))
        period = f"{date_text(start, start.year != last.year)} – {date_text(last)}"
        kind = " ".join(str(partner[key]) for key in ("tier", "partner_type") if partner[key])
        brief = f"{date_text(start, year=False)} – {date_text(last, year=False)}"
        about = [standings.partner_type(kind), partner["region"], f"{quarter['label']} ({brief})"]
        known = f"{score['known_goals']} of {score['goals']} goals measured"
        return Cover(
            title=partner["name"],
            kicker=f"Partner Business Review · {self.facts['organisation']}",
            subtitle=" · ".join(str(part) for part in about if part),
            meta=self._meta(period),
            score=Amount(number(score["value"]), Unit("percent")),
            score_label=f"of plan · {known}",
            status=standings.status(score["standing"]) if score["goals"] else None,
            facts=tables.cover_facts(partner, quarter),
        )

    def _meta(self, period: str) -> dict[str, str]:
        partner, quarter = self.facts["partner"], self.facts["quarter"]
        whom = partner["name"] if self.edition == "partner" else "internal use"
        return {
            "partner_id": partner["partner_id"],
            "partner": partner["name"],
            "quarter": quarter["label"],
            "period": period,
            "as_of": quarter["as_of"],
            "as_of_text": date_text(self.as_of),
            "organisation": self.facts["organisation"],
            "edition": self.edition,
            "language": "en",
            "confidential": f"Confidential · prepared for {whom}",
            "fingerprint": self.fingerprint,
        }

    # -------------------------------------------------------------------------------------------- goals

    def goal(self, key: str) -> GoalView:
        """One goal, by its own name or its metric's.

        Raises
        ------
        InputError
            When the partner has no such goal this quarter; the message lists those it has.
        """
        for goal in self.all_goals:
            if key in (goal.key, goal.facts["metric"]):
                return goal
        known = [goal.key for goal in self.all_goals]
        what = f'{self.facts["partner"]["name"]} has no goal "{key}" in {self.quarter}'
        raise InputError(what, fix=did_you_mean(key, known))

    @property
    def all_goals(self) -> tuple[GoalView, ...]:
        """Every goal, in the order of the definitions; partners may not see influenced revenue."""
        return tuple(
            GoalView(facts) for facts in self.facts["goals"] if not (self._hides_influence and facts["influenced"])
        )

    @property
    def _headline_goals(self) -> tuple[GoalView, ...]:
        chosen = [goal for goal in self.all_goals if goal.facts["headline"]]
        return tuple((chosen or list(self.all_goals))[:4])

    @property
    def scorecard(self) -> Cards:
        """Cards of the headline goals, four at most."""
        return Cards(tuple(_card(goal) for goal in self._headline_goals))

    @property
    def headlines(self) -> Note:
        """Three to five sentences that quote the very numbers below them."""
        return headlines.note(self.facts, self.all_goals)

    @property
    def summary(self) -> Group:
        """The generated sentences, then what a person wrote under ``## headline``."""
        words = self.words("headline")
        return Group((self.headlines, words) if words else (self.headlines,))

    @property
    def goals(self) -> Table:
        """The goal table: actual, in progress, target, attained, bar with pace mark, status, last quarter."""
        return tables.goal_table(self.all_goals, self.facts["quarter"], self.facts["score"]["words"])

    # ------------------------------------------------------------------------------------------- frames

    def pace(self, key: str = "") -> pd.DataFrame:
        """A goal's cumulative actual by day beside its pace, for :func:`pbr.charts.pace`.

        Columns day, actual (None after the as-of day), expected; without a key the heaviest paced goal.
        Empty, and then drawn as a remark, when no goal is paced.
        """
        goal = self.goal(key) if key else self._paced()
        if goal is None or goal.facts["pace_share"] is None:
            return pd.DataFrame()
        return tables.pace_frame(goal, self.facts["quarter"])

    def trend(self, key: str = "", quarters: int = 8) -> pd.DataFrame:
        """A goal over the last quarters, for :func:`pbr.charts.trend`: columns quarter, value, target."""
        goal = self.goal(key) if key else self._paced()
        if goal is None:
            return pd.DataFrame()
        rows = self.facts["trend"][goal.key][-quarters:]
        frame = pd.DataFrame(
            {
                "quarter": [row["quarter"] for row in rows],
                "value": [_float(row["value"]) for row in rows],
                "target": [_float(row["target"]) for row in rows],
            }
        )
        frame.attrs |= {"unit": goal.facts["unit"], "label": goal.label}
        return frame

    @property
    def headline_trends(self) -> list[pd.DataFrame]:
        """The trends of the headline goals, for :func:`pbr.charts.trends`."""
        return [self.trend(goal.key) for goal in self._headline_goals]

    @property
    def credits(self) -> pd.DataFrame:
        """Won revenue by credit and quarter, for :func:`pbr.charts.credits`."""
        names = ["sourced", "influenced", "resold"]
        if self._hides_influence:
            names.remove("influenced")
        return self._history(names)

    @property
    def closings(self) -> pd.DataFrame:
        """Amounts and numbers of deals won and lost by quarter, for :func:`pbr.charts.closings`."""
        return self._history(["won", "lost", "won_n", "lost_n"])

    @property
    def pipeline(self) -> pd.DataFrame:
        """Open deals by stage, for :func:`pbr.charts.pipeline`: columns stage, deals, amount."""
        deals = [deal for deal in self._deals if deal["stage"] in OPEN_STAGES]
        rows = [[deal for deal in deals if deal["stage"] == stage] for stage in OPEN_STAGES]
        frame = pd.DataFrame(
            {
                "stage": [STAGE_LABELS[stage] for stage in OPEN_STAGES],
                "deals": [len(group) for group in rows],
                "amount": [_total(group) for group in rows],
            }
        )
        frame.attrs |= {"unit": self._money.as_json()}
        return frame

    # ------------------------------------------------------------------------------------------- tables

    @property
    def attribution(self) -> Table:
        """Revenue won with the partner this quarter, by credit, footing to the deals behind it."""
        return tables.attribution_table(self._deals, self._money, not self._hides_influence)

    @property
    def open_deals(self) -> Table:
        """Open deals, largest first."""
        return tables.deal_table(self._deals, OPEN_STAGES, self._money, self.facts["records_on_page"])

    @property
    def wins(self) -> Table:
        """Deals won in the quarter, largest first."""
        return tables.deal_table(self._deals, ("won",), self._money, self.facts["records_on_page"])

    @property
    def losses(self) -> Table:
        """Deals lost in the quarter, with the reason."""
        return tables.deal_table(self._deals, ("lost",), self._money, self.facts["records_on_page"])

    @property
    def deals(self) -> Group:
        """Open deals (the ten largest), wins and losses of the quarter."""
        return Group((self.open_deals.printing(10), self.wins, self.losses))

    @property
    def promises(self) -> Group:
        """This quarter's joint actions, and who owns and agreed to each goal on either side."""
        return Group((self.actions, self.agreement))

    @property
    def kept(self) -> Table:
        """What was promised in earlier quarters, checked: done, late, dropped or overdue."""
        return plantables.kept_table(self.facts["actions"], self.facts["quarter"])

    @property
    def outlook(self) -> Table:
        """Where each goal is heading: the likely range at the end of the quarter, and what that rests on."""
        return plantables.outlook_table(self.all_goals, self.facts["quarter"])

    @property
    def next_quarter(self) -> Table:
        """Next quarter's proposed goals with their basis, for signature on both sides."""
        return plantables.proposal_table(self._following)

    @property
    def currency(self) -> Group | None:
        """What exchange rates did, apart from attainment, and records without a rate; None where there is neither."""
        shown = plantables.currency_tables(self.all_goals)
        return Group(shown) if shown else None

    @property
    def restatements(self) -> Table | None:
        """What changed in figures already issued, by record; None, which shows nothing, as long as none were."""
        found = self.facts["restatements"]
        if found is None:
            return None
        shown = {goal.key for goal in self.all_goals} if self._hides_influence else None
        return plantables.restatement_table([one for one in found if shown is None or one["goal"] in shown])

    @property
    def provenance(self) -> Group:
        """How each number is measured, and what was read."""
        return Group((self.definitions, self.sources))

    @property
    def actions(self) -> Table:
        """Joint actions promised in this quarter, with an owner on each side."""
        mine = [action for action in self.facts["actions"] if action["opened"] == self.quarter]
        return plantables.action_table(mine, self.facts["quarter"])

    def records(self, key: str) -> Table:
        """The records behind a goal's actual."""
        return tables.record_table(self.goal(key), self.facts["records_on_page"])

    @property
    def evidence(self) -> Group:
        """The records behind every goal, one table each."""
        page = self.facts["records_on_page"]
        return Group(tuple(tables.record_table(goal, page) for goal in self.all_goals if goal.facts["records"]))

    @property
    def agreement(self) -> Table:
        """Who owns each goal on either side, and who agreed to the target."""
        return plantables.agreement_table(self.all_goals)

    @property
    def definitions(self) -> Table:
        """How each number is measured."""
        shown = {goal.facts["metric"] for goal in self.all_goals}
        return tables.definition_table([row for row in self.facts["definitions"] if row["metric"] in shown])

    @property
    def sources(self) -> Table:
        """What was read, as of when, and how many records concern this partner."""
        return tables.source_table(self.facts["sources"])

    @property
    def findings(self) -> Table:
        """What is odd about this partner's data; for the analyst's eyes."""
        return tables.finding_table(self.facts["findings"])

    def words(self, section: str) -> Note | None:
        """What a person wrote for this partner and quarter, or None, which shows nothing."""
        text = self.facts["words"].get(section)
        return Note(markdown=text) if text else None

    # ---------------------------------------------------------------------------------------- within

    @property
    def _money(self) -> Unit:
        return Unit("money", self.facts["currency"])

    @property
    def _hides_influence(self) -> bool:
        return self.edition == "partner" and not self.facts["show_influenced"]

    @property
    def _following(self) -> dict[str, Any]:
        following: dict[str, Any] = self.facts["next"]
        rows = [row for row in following["rows"] if not (self._hides_influence and row["influenced"])]
        return following | {"rows": rows}

    @property
    def _deals(self) -> list[dict[str, Any]]:
        if self._hides_influence:
            rest = [[credit for credit in deal["credits"] if credit != "influenced"] for deal in self.facts["deals"]]
            return [deal | {"credits": own} for deal, own in zip(self.facts["deals"], rest, strict=True) if own]
        return list(self.facts["deals"])

    def _paced(self) -> GoalView | None:
        """The heaviest goal that is paced, a measured one first."""
        paced = [goal for goal in self.all_goals if goal.facts["pace_share"] is not None]
        return max(paced, key=lambda goal: (goal.actual.known, Decimal(goal.facts["weight"])), default=None)

    def _history(self, names: list[str]) -> pd.DataFrame:
        rows = self.facts["history"]
        data: dict[str, list[Any]] = {"quarter": [row["quarter"] for row in rows]}
        for name in names:
            data[name] = [row[name] if name.endswith("_n") else _float(row[name]) for row in rows]
        frame = pd.DataFrame(data)
        frame.attrs |= {"unit": self._money.as_json()}
        return frame


def open_slice(path: Path, partner: str, quarter: str, edition: str) -> Review:
    """The review in a slice file; the slice must be that of the partner and quarter asked for.

    Raises
    ------
    UnknownPartner
        When the slice is missing or belongs to somebody else.
    """
    try:
        data = path.read_bytes()
    except OSError:
        fix = "build the quarter again, or load the partner at a desk"
        raise UnknownPartner(f'there is no slice of partner "{partner}"', path.name, fix) from None
    facts = json.loads(data)
    if facts.get("version") != SLICE_VERSION:
        what = f"this slice has layout {facts.get('version')}, this release reads {SLICE_VERSION}"
        raise InputError(what, path.name, "open it with the release that issued it, or build the quarter again")
    found = (facts["partner"]["partner_id"], facts["quarter"]["label"])
    if found != (partner, quarter):
        what = f"this slice is of {found[0]}, {found[1]}, not of {partner}, {quarter}"
        raise UnknownPartner(what, path.name, "ask for the partner and quarter that the slice was made for")
    if edition not in ("partner", "internal"):
        raise InputError(f'"{edition}" is no edition', fix="write partner or internal")
    name: Edition = "internal" if edition == "internal" else "partner"
    return Review(facts, name, hashlib.sha256(data).hexdigest()[:8])


def _card(goal: GoalView) -> Card:
    share = goal.ratio.known and goal.target.known and goal.facts["target"]["high"] is None
    lines = [f"{goal.ratio} of {goal.aim}" if share else f"target {goal.aim}"]
    last = goal.facts["last"]
    if last and last["attained"] is not None:
        lines.append(f"last quarter {Amount(Decimal(last['attained']), Unit('percent'))}")
    return Card(goal.label, goal.actual, tuple(lines), goal.status)


def _total(deals: list[dict[str, Any]]) -> float | None:
    """The sum at plan rates; None when a deal has an amount but no rate, since the rest would pass for the whole."""
    if any(deal["amount"] is not None and deal["plan_amount"] is None for deal in deals):
        return None
    return sum((_float(deal["plan_amount"]) or 0.0) for deal in deals)


def _float(value: str | None) -> float | None:
    return None if value is None else float(value)
