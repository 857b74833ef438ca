"""Issued against now: causes by record that add up, revision told from correction, no other partner named."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import pytest
from freeze_support import FINAL, TARGET, USD, deal, pack, record, run, slice_of, state
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.ledger import closing, database
from pbr_lib.ledger.frozen import Evidence, State
from pbr_lib.ledger.restatement import Fact, Restatement, Side, Terms, compare, reason_for

TERMS = Terms("P-001", Decimal("0.01"), dt.date(2026, 5, 14))
NOW = dt.date(2026, 6, 30)
DAY = dt.date(2026, 3, 10)


def facts(known: Mapping[str, Fact]) -> Any:
    """A look-up over these records."""

    def look_up(metric: str, role: str, table: str, ids: Sequence[str]) -> dict[str, Fact]:
        return {each: known[each] for each in ids if each in known}

    return look_up


def total(records: Sequence[Evidence]) -> str:
    """What records add up to."""
    return str(sum((each.counts or Decimal(0) for each in records), Decimal(0)))


def restated(
    old: Sequence[Evidence],
    new: Sequence[Evidence],
    known: Mapping[str, Fact] | None = None,
    *,
    then: Mapping[str, Any] | None = None,
    now: Mapping[str, Any] | None = None,
    **other: Any,
) -> Restatement:
    """The one restatement of a goal of money."""
    before = state(**({"actual": total(old)} | dict(then or {})))
    after = state(**({"actual": total(new)} | dict(now or {})))
    known_at, fx_hash = other.get("known_at", NOW), other.get("fx_hash", "f1")
    [found] = compare(
        Side([before], old, FINAL, "f1"), Side([after], new, known_at, fx_hash), facts(known or {}), TERMS
    )
    if found.difference is not None:
        assert summed(found) == found.difference
    return found


def summed(found: Restatement) -> Decimal:
    """The parts of all causes together, not rounded to what a Decimal holds by default."""
    with localcontext(prec=80):
        return sum((cause.difference for cause in found.causes if cause.difference is not None), Decimal(0))


def told(found: Restatement) -> list[tuple[str, str, str]]:
    """Kind, record and part of each cause."""
    return [(cause.kind, cause.record_id, str(cause.difference)) for cause in found.causes]


A, B = record("A", "5000"), record("B", "4000")
THERE = Fact(day=DAY, amount=Decimal(4000), currency="USD", credited={"P-001": Decimal(1)})


# ---------------------------------------------------------------------------------------------- causes


def test_equal_states_give_nothing() -> None:
    """Also where the exports are newer and the rates others."""
    side = Side([state("9000")], [A, B], FINAL, "f1")
    assert compare(side, side, facts({}), TERMS) == ()
    assert compare(side, Side([state("9000")], [B, A], NOW, "f2"), facts({}), TERMS) == ()


def test_three_extracts_of_one_quarter(tmp_path: Any) -> None:
    """T48: 9,000, then 10,400 (one amended, one back-dated), then 6,400 (one deleted), from slice to restatement."""
    a, b, amended = deal("A", "5000"), deal("B", "4000"), deal("A", "5500")
    late = deal("C", "900", day="2026-03-30")
    known = {"C": Fact(day=dt.date(2026, 3, 30), created=dt.date(2026, 4, 15), credited={"P-001": Decimal(1)})}
    found = []
    with database.open_ledger(tmp_path / "ledger.sqlite") as book:
        book.record_close(run(known_at=dt.date(2026, 4, 2)), [pack([a, b])])
        for day, deals in ((dt.date(2026, 4, 16), [amended, b, late]), (dt.date(2026, 5, 3), [amended, late])):
            issued = book.issued("2026-Q1")["P-001"]
            kept = (book.states([issued.pack_id])[issued.pack_id], book.evidence([issued.pack_id])[issued.pack_id])
            present = pack(deals)
            now = Side(present.states, present.evidence, day, "f1")
            [each] = compare(Side(*kept, issued.known_at, book.run(issued.run_id).fx_hash), now, facts(known), TERMS)
            found.append(each)
            again = closing.reissue(slice_of(deals), present.sha256, *reason_for([each], {}))
            book.record(run(known_at=day), [again])
        assert [each.pack_id for each in book.packs("2026-Q1")] == [
            "2026-Q1-P-001-1",
            "2026-Q1-P-001-2(C)",
            "2026-Q1-P-001-3(C)",
        ]
    first, second = found
    assert (first.issued, first.now, first.difference) == (9000, 10400, 1400)
    assert told(first) == [("amended", "A", "500"), ("back-dated", "C", "900")]
    assert (first.kind, first.proposed) == ("correction", True)
    assert [cause.fuller for cause in first.causes] == [False, True]
    assert (second.issued, second.now, second.difference) == (10400, 6400, -4000)
    assert told(second) == [("deleted", "B", "-4000")]


def test_an_amended_record() -> None:
    """The amount then and now."""
    found = restated([A, B], [record("A", "5500"), B])
    assert told(found) == [("amended", "A", "500")]
    assert found.causes[0].words == "amount $5,500 now, $5,000 when issued"


@pytest.mark.parametrize(
    ("fact", "kind", "words"),
    [
        (None, "deleted", "no longer in the exports: deleted or merged"),
        (
            dataclasses.replace(THERE, day=dt.date(2026, 4, 2)),
            "re-dated",
            "dated 2 Apr 2026 now, 10 Mar 2026 when issued",
        ),
        (
            dataclasses.replace(THERE, credited={"P-666": Decimal(1)}),
            "re-attributed",
            "credited to another partner now",
        ),
        (dataclasses.replace(THERE, credited={}), "re-attributed", "credited to no partner now"),
        (dataclasses.replace(THERE, stage="lost"), "amended", "no longer meets the definition (it is lost now)"),
    ],
)
def test_a_record_that_counts_no_longer(fact: Fact | None, kind: str, words: str) -> None:
    """Why it does not; to whom a deal is credited now is nobody's business."""
    found = restated([A, B], [A], {} if fact is None else {"B": fact})
    assert told(found) == [(kind, "B", "-4000")]
    assert found.causes[0].words == words
    assert found.kind == "correction"
    assert "P-666" not in str(found.as_json())


@pytest.mark.parametrize(
    ("fact", "known_at", "kind", "fuller"),
    [
        (Fact(day=DAY, created=dt.date(2026, 4, 20)), NOW, "back-dated", True),
        (Fact(day=DAY, created=dt.date(2026, 5, 15)), NOW, "back-dated", False),
        (Fact(day=DAY, created=dt.date(2026, 1, 2)), dt.date(2026, 5, 1), "back-dated", True),
        (Fact(day=DAY), NOW, "back-dated", False),
        (None, NOW, "back-dated", False),
        (Fact(day=DAY, claimed=dt.date(2026, 4, 20)), dt.date(2026, 5, 1), "re-attributed", False),
    ],
)
def test_a_record_that_counts_since(fact: Fact | None, known_at: dt.date, kind: str, fuller: bool) -> None:
    """Late records within the stated time are a revision; later ones, and credit that moved, a correction."""
    found = restated([A], [A, B], {} if fact is None else {"B": fact}, known_at=known_at)
    assert told(found) == [(kind, "B", "4000")]
    assert (found.causes[0].fuller, found.kind) == (fuller, "revision" if fuller else "correction")


def test_another_share() -> None:
    """Credit that is parted otherwise."""
    found = restated([A], [record("A", "3000", amount=Decimal(5000), share=Decimal("0.6"))])
    assert told(found) == [("re-attributed", "A", "-2000")]
    assert found.causes[0].words == "60 % of the credit now, 100 % when issued"


def test_another_rate() -> None:
    """The same amount in its own currency, converted at another plan rate, is a revision."""
    old, new = (record("A", c, amount=Decimal(1000), currency="EUR") for c in ("1100", "1150"))
    found = restated([old], [new], fx_hash="f2")
    assert told(found) == [("rate", "A", "50")]
    assert (found.causes[0].words, found.kind) == ("another plan rate for EUR", "revision")


def test_amount_share_and_rate_at_once() -> None:
    """Each takes the part that is its own, and the parts add up."""
    old = record("A", "1100", amount=Decimal(1000), currency="EUR", share=Decimal(1))
    new = record("A", "600", amount=Decimal(2000), currency="EUR", share=Decimal("0.25"))
    found = restated([old], [new], fx_hash="f2")
    assert told(found) == [
        ("amended", "A", "1100.000000"),
        ("re-attributed", "A", "-1650.000000"),
        ("rate", "A", "50.000000"),
    ]
    assert found.kind == "correction"


def test_shares_that_are_not_known() -> None:
    """The amount is the same and so are the rates: what is left is the share."""
    old, new = (record("A", c, amount=Decimal(1000), share=None) for c in ("1000", "500"))
    assert told(restated([old], [new])) == [("re-attributed", "A", "-500")]


def test_a_record_that_counts_in_place_of_another() -> None:
    """Of a distinct count the first of a kind counts; when it goes, the next takes its place and nothing changes."""
    count = {"unit": {"kind": "count"}}
    old = [record("A", "1", amount=None), record("B", "0", amount=None)]
    found = restated(old, [record("B", "1", amount=None)], then=count, now=count)
    assert told(found) == [("amended", "B", "1"), ("deleted", "A", "-1")]
    assert found.causes[0].words == "counts in place of another record"
    assert (found.difference, found.proposed) == (0, False)


def test_another_definition() -> None:
    """Old and new stand side by side, and what only the definition moved is one cause."""
    new = {"definition_hash": "d2", "definition": "Sum of arr."}
    known = {"B": THERE, "C": Fact(day=DAY, created=dt.date(2026, 1, 5))}
    found = restated([A, B], [A, record("C", "100")], known, now=new)
    assert told(found) == [("definition", "", "-3900")]
    assert found.definitions == ("Sum of amount.", "Sum of arr.")
    assert "1 of the issued records no longer count, 1 count anew" in found.causes[0].words
    same = restated([A], [A], now=new)
    assert (same.difference, same.causes, same.definitions) == (0, (), ("Sum of amount.", "Sum of arr."))


def test_a_deleted_record_is_deleted_under_any_definition() -> None:
    """What the data did is told apart from what the definition did."""
    found = restated([A, B], [record("A", "50", amount=Decimal(5000))], now={"definition_hash": "d2"})
    assert told(found) == [("deleted", "B", "-4000"), ("definition", "", "-4950")]


def test_what_records_do_not_explain() -> None:
    """A figure over the whole programme lists no records; the difference is told all the same."""
    found = restated([], [], then={"actual": "7", "aggregate": "given"}, now={"actual": "9", "aggregate": "given"})
    assert told(found) == [("unlisted", "", "2")]


def test_a_ratio() -> None:
    """Each record's part is what the quotient moves by; the parts add up to the digit."""
    percent = {"unit": {"kind": "percent"}, "aggregate": "ratio", "actual": "0.5"}
    old = [record("A", "1", role="numerator"), record("A", "1", role="denominator")]
    old += [record("B", "1", role="denominator")]
    new = [*old, record("B", "1", role="numerator"), record("C", "1", role="denominator")]
    found = restated(old, new, then=percent, now=percent | {"actual": str(Decimal(2) / 3)})
    assert [(c.kind, c.record_id) for c in found.causes] == [("back-dated", "B"), ("back-dated", "C")]
    assert [f"{c.difference:.6f}" for c in found.causes] == ["0.500000", "-0.333333"]


def test_a_record_above_and_below_the_line() -> None:
    """A deal that was won and is deleted leaves both; that is one cause."""
    percent = {"unit": {"kind": "percent"}, "aggregate": "ratio"}
    old = [record("A", "1", role="numerator")] + [record(name, "1", role="denominator") for name in "AB"]
    found = restated(old, [old[2]], then=percent | {"actual": "0.5"}, now=percent | {"actual": "0"})
    assert [(c.kind, c.record_id, c.difference) for c in found.causes] == [("deleted", "A", Decimal("-0.5"))]


@pytest.mark.parametrize(
    ("aggregate", "then", "part"), [("average", "4500", -500), ("median", "4500", -500), ("max", "5000", -1000)]
)
def test_other_aggregates(aggregate: str, then: str, part: int) -> None:
    """A record that goes moves the figure by what it held up."""
    found = restated([A, B], [B], then={"actual": then, "aggregate": aggregate}, now={"actual": "4000"})
    assert [(cause.kind, cause.record_id, cause.difference) for cause in found.causes] == [("deleted", "A", part)]


def test_a_record_that_held_nothing_up() -> None:
    """The least of all stays the least when another goes; that it is gone is told."""
    least = {"actual": "4000", "aggregate": "min"}
    found = restated([A, B], [B], then=least, now=least)
    assert [(cause.kind, cause.record_id, cause.difference) for cause in found.causes] == [("deleted", "A", 0)]


def test_a_scaled_ratio() -> None:
    """Where a quotient is multiplied, the issued figure says by how much."""
    per_hundred = {"unit": {"kind": "number"}, "aggregate": "given"}
    old = [record("A", "1", role="numerator"), record("B", "2", role="denominator")]
    new = [old[0], record("B", "4", role="denominator", amount=None)]
    found = restated(old, new, then=per_hundred | {"actual": "50"}, now=per_hundred | {"actual": "25"})
    assert told(found) == [("amended", "B", "-25.0000000000")]


# ------------------------------------------------------------------------------------ unknown is not zero


def test_a_figure_that_is_known_now() -> None:
    """There is no difference from unknown; the causes say what came."""
    found = restated([], [A], then={"actual": None, "reason": "no export of opportunities"}, now={"actual": "5000"})
    assert (found.issued, found.now, found.difference) == (None, 5000, None)
    assert found.causes[0].words == "measurable now; when issued it was not: no export of opportunities"
    assert (found.kind, found.proposed) == ("revision", True)


def test_a_rate_that_is_published_later() -> None:
    """What could not be converted when issued, can be now."""
    old = record("A", None, amount=Decimal(1000), currency="EUR")
    new = record("A", "1100", amount=Decimal(1000), currency="EUR")
    found = restated([old], [new], then={"actual": None}, now={"actual": "1100"}, fx_hash="f2")
    assert (told(found), found.kind) == ([("rate", "", "None")], "revision")


def test_a_figure_that_is_lost() -> None:
    """A source that is gone makes no zero."""
    found = restated([A], [], now={"actual": None, "reason": "the export begins too late"})
    assert (found.difference, found.kind, found.proposed) == (None, "correction", True)
    assert found.causes[0].words == "not measurable now: the export begins too late"


def test_unknown_then_and_now() -> None:
    """There is nothing to tell."""
    before, after = state(None, reason="no export"), state(None, reason="still none")
    assert compare(Side([before], [], FINAL), Side([after], [], NOW), facts({}), TERMS) == ()


def test_a_goal_that_is_gone_and_one_that_is_new() -> None:
    """What was issued and is measured no longer is told; what was never issued is not restated."""
    new = dataclasses.replace(state("1"), goal="other_q")
    [found] = compare(Side([state("9000")], [A, B], FINAL), Side([new], [], NOW), facts({}), TERMS)
    assert (found.goal, found.now, found.difference) == ("revenue_q", None, None)
    assert found.causes[0].words == "this goal is no longer measured for the partner"


# ------------------------------------------------------------------------------------------- a new pack


@pytest.mark.parametrize(
    ("amount", "now", "why"),
    [
        ("5099.99", {}, ""),
        ("5100", {}, "1.0 % of the target, 1.0 % or more is worth a new pack"),
        ("5001", {"standing": "met"}, "met now, missed when issued"),
    ],
)
def test_what_is_worth_a_new_pack(amount: str, now: dict[str, Any], why: str) -> None:
    """A share of the target decides, or a verdict that is no longer the same."""
    found = restated([A], [record("A", amount)], now=now)
    assert (found.why, found.proposed) == (why, bool(why))


@pytest.mark.parametrize(("target", "proposed"), [({"value": "0"}, True), ({"value": None, "high": "1000000"}, False)])
def test_targets_of_other_kinds(target: dict[str, Any], proposed: bool) -> None:
    """A range is held against its upper end; against 0 every difference counts."""
    other = {"target": TARGET | target}
    assert restated([A], [record("A", "5100")], then=other, now=other).proposed is proposed


def test_a_target_that_was_changed_since() -> None:
    """The issued target stands; that it was changed is a remark and no difference."""
    found = restated([A], [A], now={"target": TARGET | {"value": "12000"}, "standing": "below floor"})
    assert (found.difference, found.proposed) == (0, False)
    assert found.note == "the target was changed after the pack was issued; the issued target stands"


def test_the_reason_of_a_new_pack() -> None:
    """It names each goal with its figures and the kinds of causes; nothing is proposed without one."""
    found = restated([A, B], [record("A", "5500")])
    assert reason_for([found], {"revenue_q": "Revenue won"}) == (
        "correction",
        "Revenue won: $9,000 issued, $5,500 now (amended $500, deleted -$4,000)",
    )
    assert reason_for([restated([A], [record("A", "5001")])], {}) == ("", "")


def test_plain_json() -> None:
    """What a slice holds of a restatement: text with its amounts, and no float."""
    value = restated([A], [record("A", "5500.5")]).as_json()
    assert value["difference"] == {"value": "500.5", "unit": USD, "text": "$500.50"}
    assert value["causes"][0]["difference"]["value"] == "500.5"
    assert value["causes"][0]["record_id"] == "A"


# ------------------------------------------------------------------------------------------------- laws

amounts = st.decimals(-(10**6), 10**6, places=4)
shares = st.one_of(st.none(), st.decimals("0.0001", 1, places=4))


@st.composite
def records(draw: st.DrawFn, role: str = "actual") -> list[Evidence]:
    """Some records of a goal, each its own."""
    names = draw(st.lists(st.sampled_from("ABCDEFGH"), unique=True, max_size=6))
    return [
        Evidence(
            "revenue_q",
            "opportunities",
            name,
            role,
            draw(st.one_of(st.none(), st.just(Decimal(0)), amounts)),
            draw(st.dates(dt.date(2026, 1, 1), dt.date(2026, 3, 31))),
            draw(st.one_of(st.none(), amounts)),
            draw(st.sampled_from(["USD", "EUR"])),
            draw(shares),
        )
        for name in names
    ]


@st.composite
def sides(draw: st.DrawFn) -> Side:
    """One state of a goal: any aggregate, and an actual that the records may or may not explain."""
    roles = draw(st.sampled_from([("actual",), ("numerator", "denominator")]))
    rows = [row for role in roles for row in draw(records(role))]
    actual = draw(st.one_of(amounts, st.just(total(rows))))
    aggregate = draw(st.sampled_from(["sum", "average", "median", "min", "max", "ratio", "given"]))
    figure = state(str(actual), aggregate=aggregate, definition_hash=draw(st.sampled_from(["d1", "d2"])))
    return Side([figure], rows, draw(st.dates(FINAL, NOW)), draw(st.sampled_from(["f1", "f2"])))


@st.composite
def lookups(draw: st.DrawFn) -> Any:
    """What the tables hold of some records."""
    fact = st.builds(
        Fact,
        day=st.one_of(st.none(), st.dates(dt.date(2026, 1, 1), dt.date(2026, 6, 30))),
        credited=st.sampled_from([None, {}, {"P-001": Decimal(1)}, {"P-666": Decimal(1)}]),
        created=st.one_of(st.none(), st.dates(dt.date(2026, 1, 1), NOW)),
        claimed=st.one_of(st.none(), st.dates(dt.date(2026, 1, 1), NOW)),
    )
    return draw(st.dictionaries(st.sampled_from("ABCDEFGH"), fact))


@given(sides(), sides(), lookups())
def test_causes_add_up(issued: Side, now: Side, known: Mapping[str, Fact]) -> None:
    """Whatever changed, the parts make the difference exactly, and another partner is not in them."""
    for found in compare(issued, now, facts(known), TERMS):
        assert summed(found) == found.difference
        assert found.difference == (found.now or 0) - (found.issued or 0)
        assert "P-666" not in str(found.as_json())


@given(sides(), lookups())
def test_nothing_comes_of_nothing(side: Side, known: Mapping[str, Fact]) -> None:
    """Equal states give nothing."""
    again = Side(list(side.states), list(reversed(side.evidence)), NOW, "f3")
    assert compare(side, again, facts(known), TERMS) == ()


@given(sides(), sides(), lookups())
def test_the_order_of_records_does_not_matter(issued: Side, now: Side, known: Mapping[str, Fact]) -> None:
    """Same inputs, same causes, in whatever order they come."""
    turned = [dataclasses.replace(side, evidence=list(reversed(side.evidence))) for side in (issued, now)]
    assert compare(issued, now, facts(known), TERMS) == compare(*turned, facts(known), TERMS)


def test_a_state_is_a_value() -> None:
    """Equal figures are equal."""
    assert state("1") == state("1.0")
    assert isinstance(state("1"), State)
