"""Which partner a text stands for: as people decided, else exactly; what looks alike is only suggested."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.crosswalk import AMBIGUOUS, UNKNOWN, Crosswalk, Entry, fold, standard_id
from pbr_lib.errors import SourceError
from pbr_lib.mapping import Match

PARTNERS = pa.table(
    {
        "partner_id": ["P-001", "P-002", "P-003", "P-004", "P-005"],
        "account_id": ["001C000000o4OOI", "001C000000o4Ooi", None, "A4", "A5"],
        "name": ["Alpha", "Café Société", "Brightwater GmbH", "Twin", "Twin"],
        "domain": ["alpha.example", None, "www.Brightwater.example", "twin.example", "twin.example"],
    }
)


def entry(given: str, partner: str, system: str = "", where: str = "params/crosswalk.csv, row 2") -> Entry:
    """A row of the crosswalk."""
    return Entry("partner", system, given, partner, where=where)


def matched(text: str | None, how: Match = "any", *entries: Entry, system: str = "") -> tuple[str | None, str | None]:
    """The partner that one text stands for, and why."""
    found = Crosswalk(PARTNERS, entries).match(pa.array([text], pa.string()), how, system)
    return found.partner_ids[0].as_py(), found.why[0].as_py()


@pytest.mark.parametrize(
    ("text", "how", "partner", "why"),
    [
        ("P-001", "partner_id", "P-001", "partner_id"),
        ("P-001", "account_id", None, UNKNOWN),
        ("001C000000o4OOI", "account_id", "P-001", "account_id"),
        ("001C000000o4OOIIAY", "account_id", None, UNKNOWN),
        ("001C000000o4Ooi", "account_id", "P-002", "account_id"),
        (" Alpha ", "name", "P-001", "name"),
        ("alpha", "name", None, UNKNOWN),
        ("Cafe\u0301 Socie\u0301te\u0301", "name", "P-002", "name"),
        ("Twin", "name", None, AMBIGUOUS),
        ("twin.example", "domain", None, AMBIGUOUS),
        ("alpha.example", "domain", "P-001", "domain"),
        ("https://www.alpha.example/partners?x=1", "domain", "P-001", "domain"),
        ("Jo.Doe@Alpha.Example", "domain", "P-001", "domain"),
        ("brightwater.example", "domain", "P-003", "domain"),
        ("eu.alpha.example", "domain", None, UNKNOWN),
        ("notalpha.example", "domain", None, UNKNOWN),
        ("P-003", "any", "P-003", "partner_id"),
        ("A4", "any", "P-004", "account_id"),
        ("Alpha", "any", "P-001", "name"),
        ("Twin", "any", None, AMBIGUOUS),
        ("nobody", "any", None, UNKNOWN),
        (None, "any", None, None),
    ],
)
def test_texts_are_matched_exactly(text: str | None, how: Match, partner: str | None, why: str | None) -> None:
    """By what the mapping says the column holds; what fits several partners fits none."""
    assert matched(text, how) == (partner, why)


def test_ids_of_15_and_18_signs_are_one_and_keep_their_case() -> None:
    """exports.md 1.1: reports give 15 signs, other exports 18; two ids may differ in case only."""
    long = [standard_id(text) for text in PARTNERS["account_id"].to_pylist()[:2]]
    assert [len(text) for text in long] == [18, 18]
    assert long[0][15:] != long[1][15:]
    assert [matched(text, "account_id")[0] for text in long] == ["P-001", "P-002"]
    assert standard_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"


def test_the_crosswalk_comes_first_and_its_own_system_before_any() -> None:
    """What people decided outweighs the partner list; an entry of one system holds there only."""
    entries = (entry("Alpha", "P-003"), entry("Alpha", "P-002", "hubspot"))
    assert matched("Alpha", "name", *entries) == ("P-003", "crosswalk")
    assert matched("Alpha", "name", *entries, system="hubspot") == ("P-002", "crosswalk")
    assert matched("Twin", "name", entry("Twin", "P-004")) == ("P-004", "crosswalk")
    assert matched("www.old.example", "domain", entry("old.example", "P-004")) == ("P-004", "crosswalk")


def test_a_partner_that_was_merged_and_renamed_is_followed() -> None:
    """domain.md case 17: credit and registrations of the old ids go to the partner of today, history stays."""
    book = Crosswalk(PARTNERS, [entry("P-000", "P-001"), entry("P-001", "P-003")])
    ids = pa.array(["P-000", "P-001", "P-002", None, "P-000"])
    assert book.rename(ids).to_pylist() == ["P-003", "P-003", "P-002", None, "P-003"]
    assert book.match(pa.array(["Alpha"]), "name", "").partner_ids.to_pylist() == ["P-003"]
    assert Crosswalk(PARTNERS).rename(ids).to_pylist() == ids.to_pylist()


def test_entries_that_contradict_each_other_are_refused() -> None:
    """One text cannot stand for two partners, and a chain must end."""
    with pytest.raises(SourceError, match="stands for P-001 and for P-002") as two:
        Crosswalk(PARTNERS, [entry("X", "P-001"), entry("X", "P-002", where="params/crosswalk.csv, row 3")])
    assert (two.value.where, "row 2" in two.value.fix) == ("params/crosswalk.csv, row 3", True)
    with pytest.raises(SourceError, match="round in a circle"):
        Crosswalk(PARTNERS, [entry("P-001", "P-002"), entry("P-002", "P-001")])
    with pytest.raises(SourceError, match="round in a circle"):
        Crosswalk(PARTNERS, [entry("P-001", "P-002"), entry("P-002", "P-001", "crm")])


def test_an_entry_that_leads_nowhere_is_told() -> None:
    """A partner who is not in the list gets nothing, and the row of the crosswalk is named."""
    book = Crosswalk(PARTNERS, [entry("Old", "P-999")])
    assert book.match(pa.array(["Old"]), "name", "").why.to_pylist() == [UNKNOWN]
    (told,) = book.findings()
    assert (told.severity, told.file, told.row, told.value) == ("error", "params/crosswalk.csv", 2, "P-999")


@pytest.mark.parametrize(
    ("text", "partner"),
    [
        ("brightwater", "P-003"),
        ("BRIGHTWATER Inc.", "P-003"),
        ("Brightwatr GmbH", "P-003"),
        ("CAFE SOCIETE S.A.R.L.", "P-002"),
        ("info@brightwater.example", "P-003"),
        ("001c000000O4oOI", None),
        ("Twin", None),
        ("Zebra", None),
        ("", None),
        ("...", None),
    ],
)
def test_what_looks_alike_is_suggested(text: str, partner: str | None) -> None:
    """Case, accents, legal form, domain and slips of the pen; never where two partners would do."""
    found = Crosswalk(PARTNERS).suggestions([text])
    assert [each.partner_id for each in found] == ([partner] if partner else [])


def test_a_suggestion_says_which_row_to_add() -> None:
    """The remedy is the very row, quoted as CSV asks."""
    (found,) = Crosswalk(PARTNERS).suggestions(["Brightwater, Inc."])
    want = 'did you mean Brightwater GmbH (P-003)? then add to params/crosswalk.csv: partner,,"Brightwater, Inc.",P-003'
    assert found.fix == want
    assert 0.75 <= found.score <= 1


_TEXT = st.text(max_size=20)


@given(st.lists(_TEXT, max_size=6), st.sampled_from(["partner_id", "account_id", "name", "domain", "any"]))
def test_any_text_is_matched_to_a_known_partner_or_none(texts: list[str], how: Match) -> None:
    """No text breaks matching or suggesting, and each answer depends on its own text alone."""
    book = Crosswalk(PARTNERS)
    known = {*PARTNERS["partner_id"].to_pylist(), None}
    got = book.match(pa.array(texts, pa.string()), how, "").partner_ids.to_pylist()
    assert set(got) <= known
    assert got == [book.match(pa.array([text], pa.string()), how, "").partner_ids[0].as_py() for text in texts]
    assert {each.partner_id for each in book.suggestions(texts)} <= known


@given(_TEXT)
def test_folding_twice_is_folding_once(text: str) -> None:
    """A folded name has nothing left to fold but another legal form."""
    assert fold(fold(fold(text))) == fold(fold(text))
