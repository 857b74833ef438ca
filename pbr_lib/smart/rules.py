"""The rules that goals are held to, each with its id, gravity and remedy, and what it is to break one; apart, because
checks, pages and documentation must name the same rules in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pbr_lib.model import Finding, Severity

__all__ = ["LETTERS", "RULES", "Found", "Rule", "found"]

LETTERS: Mapping[str, str] = {
    "S": "Specific, and assigned on both sides",
    "M": "Measurable",
    "A": "Attainable",
    "R": "Relevant",
    "T": "Time-bound",
    "J": "Jointly agreed",
    "F": "The whole set of goals",
}
"""What each letter asks, in the order in which findings are told."""


@dataclass(frozen=True)
class Rule:
    """One rule: what it asks, how grave it is to break it, and how that is mended (``fix``)."""

    id: str
    severity: Severity
    asks: str
    fix: str

    @property
    def letter(self) -> str:
        """S, M, A, R, T, J or F."""
        return self.id[0]


_GIVEN: tuple[tuple[str, Severity, str, str], ...] = (
    (
        "S1",
        "error",
        "The goal and its metric are defined.",
        "define it in params/goals.yaml or params/metrics.yaml, or correct the name",
    ),
    (
        "S2",
        "error",
        "Metric and target point the same way: at_least where higher is better, at_most where lower is.",
        "change `better:` of the metric, or the kind of target",
    ),
    (
        "S3",
        "error",
        "`applies_to` selects at least one partner.",
        "correct applies_to: pbr check names words that no row holds",
    ),
    (
        "S4",
        "warning",
        "A row belongs to a partner whom the goal's `applies_to` selects.",
        "remove the row, or widen applies_to",
    ),
    (
        "S5",
        "error",
        "The partner is known, has joined before the quarter ends and has not ended before it begins.",
        "remove the row, or correct the partner list",
    ),
    (
        "S6",
        "error",
        "The name hides no number that differs from the target.",
        "write {target} in the name in place of the number",
    ),
    (
        "S7",
        "info",
        "The name says {target} and does not repeat the number, which the next renewal moves.",
        "write {target} in the name in place of the number",
    ),
    (
        "S8",
        "warning",
        "The name says what is counted, and is no vague wish or placeholder.",
        "say what is counted, e.g. name: Create {target} new partner leads",
    ),
    (
        "S9",
        "error",
        "A partner has one goal for each metric and kind of target in a quarter.",
        "keep one of the goals for this partner",
    ),
    (
        "S10",
        "error",
        "Each side names an owner, a person or a role, and no placeholder.",
        "name a person or a role in owner_us and owner_them, or under owners: of the definition",
    ),
    (
        "S11",
        "error",
        "The owners of the two sides are not the same.",
        "name somebody on the partner's side in owner_them, and on ours in owner_us",
    ),
    (
        "M1",
        "error",
        "The tables that the metric counts were exported.",
        "put the export into data/ and describe it in params/sources",
    ),
    (
        "M2",
        "warning",
        "At least 95 % of the table's rows have the date that puts them into a quarter.",
        "fill the dates in the CRM, or use another column as date: of the metric",
    ),
    (
        "M3",
        "warning",
        "The export is not older than `stale_after_days` of workbook.yaml allows.",
        "export it again",
    ),
    (
        "M4",
        "warning",
        "Every past quarter since the goal began is exported, with at least one row in the table.",
        "export the earlier quarters too, or set first_period to the first quarter that is covered",
    ),
    (
        "M5",
        "warning",
        "The metric's filter matched at least one row, ever.",
        "check `where:` of the metric for a word that no row holds",
    ),
    (
        "M6",
        "warning",
        "A count is a whole number.",
        "write a whole number as target",
    ),
    (
        "M7",
        "warning",
        "A percentage can move in steps of 5 points or less, so it rests on 20 records or more.",
        "count over more quarters (trailing_quarters), or set a goal on the number itself",
    ),
    (
        "M8",
        "warning",
        "Money is named in the metric's own currency, and not finer than its smallest coin.",
        "write the amount in the metric's currency, and leave currency signs in the name to {target}",
    ),
    (
        "M9",
        "warning",
        "Where attainment starts `from` a base, an earlier quarter was measured.",
        "set the goal once a quarter has been measured, or remove from",
    ),
    (
        "M10",
        "info",
        "Figures that people enter by hand are known as such.",
        "nothing, or replace them by a figure from an export",
    ),
    (
        "M11",
        "warning",
        "An export that may be missing (`optional: true`) is there for the metrics of goals.",
        "put the export into data/, or set no goal on it for the time being",
    ),
    (
        "A1",
        "warning",
        "The target is attainable on the evidence.",
        "take the number proposed, or say in basis why this quarter is another",
    ),
    (
        "A2",
        "info",
        "A stretch is known as one.",
        "nothing when it is meant so; else take the number proposed",
    ),
    (
        "A3",
        "info",
        "The target asks for more than is likely anyway.",
        "nothing when it is meant so; else take the number proposed",
    ),
    (
        "A4",
        "warning",
        "The target is a goal, and not what happens already.",
        "raise the target, or retire the goal",
    ),
    (
        "A5",
        "info",
        "There is evidence to judge the target by.",
        "agree on it by judgement and write the reason into basis; it has not passed",
    ),
    (
        "A6",
        "warning",
        "A target far from the last eight quarters has a reason.",
        "write into basis where the number comes from",
    ),
    (
        "R1",
        "error",
        "The objective is defined.",
        "define it under objectives: in params/goals.yaml, or correct its name",
    ),
    (
        "R2",
        "warning",
        "An objective is active: a goal of the quarter serves it.",
        "give it a goal, or remove it from objectives:",
    ),
    (
        "R3",
        "error",
        "A partner has at most seven goals for one objective.",
        "keep the goals that matter most, or split the objective",
    ),
    (
        "R4",
        "error",
        "A partner's weights add up to more than nothing.",
        "give at least one of the partner's goals a weight above 0",
    ),
    (
        "R5",
        "info",
        "No goal carries more than 60 % of a partner's weight.",
        "nothing when it is meant so; else share the weight out",
    ),
    (
        "R6",
        "info",
        "Each goal carries weight.",
        "nothing when it is only to be watched; else give it a weight",
    ),
    (
        "R7",
        "info",
        "A metric moves with some other metric of its objective.",
        "nothing; look whether it serves this objective",
    ),
    (
        "T1",
        "error",
        "`first_period` and `last_period` are quarters of the goal's calendar.",
        "write a quarter in the form that the calendar uses",
    ),
    (
        "T2",
        "error",
        "The quarter lies between the goal's `first_period` and `last_period`.",
        "remove the row, or change first_period or last_period",
    ),
    (
        "T3",
        "error",
        "The quarter is not closed: its figures are not frozen yet.",
        "set the target in the next quarter",
    ),
    (
        "T4",
        "error",
        "The quarter ends after the day on which the goal is issued.",
        "set the target in the next quarter",
    ),
    (
        "T5",
        "error",
        "At least `least_days_left` days (14, under smart: in workbook.yaml) are left when the goal is issued.",
        "set the target in the next quarter",
    ),
    (
        "T6",
        "error",
        "The day by which something is to be done lies in the quarter.",
        "write a day of this quarter, or set the goal in the quarter of that day",
    ),
    (
        "J1",
        "warning",
        "Both sides agreed within `deadline_days` (30, under agreement: in workbook.yaml) of the quarter's start.",
        "let the missing side agree: fill agreed_by_us and agreed_by_them",
    ),
    (
        "J2",
        "error",
        "A target that both sides agreed to changes through an amendment only.",
        "put the agreed target back, or write the change and its reason into params/amendments.csv",
    ),
    (
        "F1",
        "warning",
        "Between 50 and 75 % of the goals that can be judged are likely to be met.",
        "look at A1 to A4: take the numbers proposed where targets are too hard or too easy",
    ),
    (
        "F2",
        "warning",
        "Attainment does not go by a partner's size.",
        "look at how targets follow from size: the large and the small are to have equal chances",
    ),
    (
        "F3",
        "warning",
        "Partners do not fall into two camps, those who attain much and those who attain little.",
        "look at both camps: different partners may need different goals",
    ),
    (
        "F4",
        "warning",
        "Targets are not all moved by one and the same rate.",
        "let each partner's own figures move its target, e.g. renew: {rule: blend}",
    ),
    (
        "F5",
        "info",
        "Most goals can be judged.",
        "nothing; it passes as quarters close",
    ),
)

RULES: Mapping[str, Rule] = {one[0]: Rule(*one) for one in _GIVEN}
"""Every rule by its id, in the order in which findings are told."""

_ORDER = {name: at for at, name in enumerate(RULES)}


@dataclass(frozen=True)
class Found:
    """A rule broken: ``what`` says with numbers how, ``where`` names file and row or key.

    ``goal``, ``metric`` and ``partner_id`` say what it concerns; empty means all of them.
    """

    rule: str
    what: str
    where: str = ""
    goal: str = ""
    partner_id: str = ""
    metric: str = ""
    fix: str = ""

    @property
    def letter(self) -> str:
        """S, M, A, R, T, J or F."""
        return self.rule[0]

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return RULES[self.rule].severity

    @property
    def order(self) -> int:
        """The place of the rule among all rules."""
        return _ORDER[self.rule]

    @property
    def sentence(self) -> str:
        """What is wrong with which goal or metric."""
        subject = self.goal or self.metric
        return f"{subject}: {self.what}" if subject else self.what

    def as_finding(self) -> Finding:
        """The same as a finding of a check, which knows file and row apart."""
        file, _, line = self.where.partition(", row ")
        row = int(line) if line.isdigit() else None
        fix, partner = self.fix, self.partner_id
        return Finding(
            self.severity,
            self.sentence,
            file if row is not None else self.where,
            row,
            fix=fix,
            partner_id=partner,
            rule=self.rule,
        )


def found(rule: str, what: str, where: str = "", **concerns: str) -> Found:
    """A rule broken, with the rule's own remedy unless ``fix`` gives another."""
    concerns.setdefault("fix", RULES[rule].fix)
    return Found(rule, what, where, **concerns)
