"""Exchange rates: what their file may say, which rate holds on a day, and the average of a period."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.csvfile import CsvFile
from pbr_lib.errors import InputError
from pbr_lib.rates import RATE_COLUMNS, REQUIRED, Rate, RateBook, known, read_rates

HEADER = "currency,to_currency,kind,valid_from,rate,source,valid_to,known_at"
START, END = dt.date(2026, 7, 1), dt.date(2026, 10, 1)


def read(folder: Path, *rows: str, header: str = HEADER) -> tuple[list[Rate], list[InputError]]:
    """The rates of a file with these rows, and its faults."""
    path = folder / "rates.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    file = CsvFile(path, "params/rates.csv", RATE_COLUMNS, REQUIRED)
    return list(read_rates(file.rows())), file.errors


def eur(kind: str, first: str, rate: str, last: str = "", known_at: str = "") -> Rate:
    """A rate from euro into dollar."""
    end, since = (dt.date.fromisoformat(day) if day else None for day in (last, known_at))
    return Rate("EUR", "USD", kind, dt.date.fromisoformat(first), Decimal(rate), valid_to=end, known_at=since)


def on(day: str, *rates: Rate, kind: str = "spot", as_of: str = "") -> Decimal | None:
    """The rate of euro on a day."""
    book = RateBook.of(rates, dt.date.fromisoformat(as_of) if as_of else None)
    found = book.on(kind, "USD", dt.date.fromisoformat(day)).get("EUR")
    return None if found is None else found.rate


# ------------------------------------------------------------------------------------------- the file


def test_a_row_says_from_when_to_when_and_since_when_it_is_known(tmp_path: Path) -> None:
    """The columns that may be left out are read where they stand."""
    (rate,), errors = read(tmp_path, "EUR,USD,average,2026-07-01,1.17654321,Bank,2026-09-30,2026-10-02")
    assert not errors
    assert (rate.kind, rate.rate, rate.source, rate.where) == ("average", Decimal("1.17654321"), "Bank",
                                                               "params/rates.csv, row 2")  # fmt: skip
    assert (rate.valid_from, rate.valid_to, rate.known_at) == (START, dt.date(2026, 9, 30), dt.date(2026, 10, 2))


def test_a_file_of_five_columns_is_enough(tmp_path: Path) -> None:
    """Source, end and day of knowledge may be missing altogether."""
    rates, errors = read(tmp_path, "EUR,USD,plan,2026-01-01,1.1", header="currency,to_currency,kind,valid_from,rate")
    assert (len(rates), errors) == (1, [])
    assert (rates[0].valid_to, rates[0].known_at) == (None, None)


@pytest.mark.parametrize(
    ("row", "what", "column"),
    [
        ("EUR,USD,plan,2026-01-01,0,,,", "0 is no exchange rate", "rate"),
        ("EUR,USD,plan,2026-01-01,-1.1,,,", "-1.1 is no exchange rate", "rate"),
        ("EUR,USD,plan,2026-01-01,1.123456789,,,", "1.123456789 has more than eight decimals", "rate"),
        ("euro,USD,plan,2026-01-01,1.1,,,", '"euro" is no currency code', "currency"),
        ("EUR,USD,daily,2026-01-01,1.1,,,", '"daily" is not known here', "kind"),
        ("EUR,EUR,plan,2026-01-01,1.1,,,", "one EUR cannot be worth 1.1 EUR", "rate"),
        ("EUR,USD,plan,2026-02-01,1.1,,2026-01-31,", "2026-01-31 lies before the day from which", "valid_to"),
        ("EUR,USD,plan,2026-01-01,=1+1,,,", '"=1+1"', "rate"),
    ],
)
def test_a_row_that_is_no_rate_is_a_fault_with_its_cell(tmp_path: Path, row: str, what: str, column: str) -> None:
    """File, row and column, and nothing of the row is used."""
    rates, (error,) = read(tmp_path, row)
    assert rates == []
    assert what in error.what
    assert error.where == f"params/rates.csv, row 2, {column}"
    assert error.fix


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("2026-07-01,1.2,,,", "2026-07-01,1.2,,,", "this rate stands here twice (params/rates.csv, row 2)"),
        ("2026-07-01,1.2,,,", "2026-07-01,1.3,,,", "params/rates.csv, row 2 gives 1.2 for the same days"),
        ("2026-07-01,1.2,,2026-07-31,", "2026-07-31,1.3,,,", "row 2 holds until 2026-07-31, beyond the first day"),
        ("2026-08-01,1.2,,,", "2026-07-01,1.3,,2026-08-01,", "row 2 begins on 2026-08-01, before this rate ends"),
    ],
)
def test_rows_that_contradict_each_other_are_faults(tmp_path: Path, one: str, other: str, what: str) -> None:
    """The later row is told, and names the other."""
    rates, (error,) = read(tmp_path, f"EUR,USD,spot,{one}", f"EUR,USD,spot,{other}")
    assert len(rates) == 1
    assert what in error.what
    assert "row 3" in error.where


def test_a_correction_is_no_contradiction(tmp_path: Path) -> None:
    """Two rates for one day are fine where one became known later; so are other kinds and currencies."""
    rows = ["EUR,USD,spot,2026-07-01,1.2,,,", "EUR,USD,spot,2026-07-01,1.3,,,2026-07-09"]
    rows += ["EUR,USD,plan,2026-07-01,1.4,,,", "GBP,USD,spot,2026-07-01,1.5,,,"]
    rates, errors = read(tmp_path, *rows)
    assert (len(rates), errors) == (4, [])


# ------------------------------------------------------------------------------------------- validity


def test_a_rate_holds_until_the_next_begins() -> None:
    """On the day itself, between, and never before the first."""
    rates = (eur("spot", "2026-08-01", "1.3"), eur("spot", "2026-07-01", "1.2"))
    assert [on(day, *rates) for day in ("2026-06-30", "2026-07-01", "2026-07-31", "2026-08-01", "2030-01-01")] == [
        None, Decimal("1.2"), Decimal("1.2"), Decimal("1.3"), Decimal("1.3")
    ]  # fmt: skip


def test_a_rate_ends_after_its_last_day() -> None:
    """What follows is no rate: neither the one before nor this one goes on."""
    rates = (eur("spot", "2026-07-01", "1.2"), eur("spot", "2026-08-01", "1.3", last="2026-08-05"))
    assert [on(day, *rates) for day in ("2026-07-31", "2026-08-05", "2026-08-06")] == [
        Decimal("1.2"), Decimal("1.3"), None
    ]  # fmt: skip


def test_what_became_known_later_is_used_from_then_on() -> None:
    """As of an earlier day the correction does not exist; as of its day it wins."""
    rates = (eur("spot", "2026-07-01", "1.2"), eur("spot", "2026-07-01", "1.25", known_at="2026-08-01"))
    assert on("2026-07-15", *rates, as_of="2026-07-31") == Decimal("1.2")
    assert on("2026-07-15", *rates, as_of="2026-08-01") == Decimal("1.25")
    assert on("2026-07-15", *rates) == Decimal("1.25")
    assert known(rates, dt.date(2026, 7, 31)) == rates[:1]


def test_a_correction_of_some_days_leaves_the_others() -> None:
    """After the corrected days the old rate holds again, since its row says so."""
    whole = eur("spot", "2026-07-01", "1.2", last="2026-09-30")
    part = eur("spot", "2026-08-01", "1.3", last="2026-08-31", known_at="2026-09-05")
    found = [on(day, whole, part) for day in ("2026-07-31", "2026-08-31", "2026-09-01")]
    assert found == [Decimal("1.2"), Decimal("1.3"), Decimal("1.2")]


def test_no_rate_is_turned_round_or_put_together() -> None:
    """USD in EUR says nothing of EUR in USD, and EUR in GBP with GBP in USD does not either; kinds keep apart."""
    rates = [Rate("USD", "EUR", "spot", START, Decimal("0.9")), Rate("EUR", "GBP", "spot", START, Decimal("0.8"))]
    rates += [Rate("GBP", "USD", "spot", START, Decimal("1.3")), Rate("EUR", "USD", "plan", START, Decimal("1.1"))]
    assert set(RateBook.of(rates).on("spot", "USD", START)) == {"GBP"}
    assert not RateBook.of(rates).has("average", "USD")


days = st.integers(0, 60).map(lambda n: START + dt.timedelta(days=n))
some_rates = st.lists(
    st.builds(
        lambda first, length, since, cents: Rate(
            "EUR",
            "USD",
            "spot",
            first,
            Decimal(cents) / 100,
            "",
            None if length is None else first + dt.timedelta(days=length),
            since,
        ),
        days,
        st.none() | st.integers(0, 40),
        st.none() | days,
        st.integers(1, 300),
    ),
    max_size=8,
)


@given(some_rates, days, days)
def test_the_rate_of_a_day_is_the_one_that_was_known_last(rates: list[Rate], day: dt.date, as_of: dt.date) -> None:
    """Told once more, slowly: of the rows that hold on the day, the last known, then the last to begin."""
    held = [rate for rate in rates if rate.known_at is None or rate.known_at <= as_of]
    starts = sorted({rate.valid_from for rate in held})
    ranked = []
    for at, rate in enumerate(held):
        after = next((start for start in starts if start > rate.valid_from), dt.date.max)
        end = after if rate.valid_to is None else rate.valid_to + dt.timedelta(days=1)
        if rate.valid_from <= day < end:
            ranked.append((rate.known_at or dt.date.min, rate.valid_from, at, rate.rate))
    found = RateBook.of(rates, as_of).on("spot", "USD", day)
    assert {key: rate.rate for key, rate in found.items()} == ({"EUR": max(ranked)[3]} if ranked else {})


@given(some_rates, days)
def test_spans_follow_one_another_without_overlap(rates: list[Rate], end: dt.date) -> None:
    """Each day of a range has the rate that holds on it, once."""
    book = RateBook.of(rates)
    by_day: dict[dt.date, Decimal] = {}
    for _, span in book.between("spot", "USD", START, end):
        day = span.first
        while day < span.end:
            assert START <= day < end
            assert day not in by_day
            by_day[day] = span.rate.rate
            day += dt.timedelta(days=1)
    for n in range((end - START).days):
        day = START + dt.timedelta(days=n)
        found = book.on("spot", "USD", day).get("EUR")
        assert by_day.get(day) == (None if found is None else found.rate)


# ------------------------------------------------------------------------------------------- averages


def average(*rates: Rate, as_of: str = "2026-12-31") -> tuple[Decimal, str] | None:
    """The average of euro over 2026-Q3 and its basis."""
    found = RateBook.of(rates, dt.date.fromisoformat(as_of)).averages("USD", START, END).get("EUR")
    return None if found is None else (found.rate, found.basis)


def test_the_average_that_was_given_counts() -> None:
    """Before any spot rate, whether it begins with the quarter or covers it."""
    spot = eur("spot", "2026-07-01", "9")
    given_rate = eur("average", "2026-07-01", "1.17")
    assert average(spot, given_rate) == (Decimal("1.17"), "average rate from 1 Jul 2026 to 30 Sep 2026")
    year = eur("average", "2026-01-01", "1.16", last="2026-12-31")
    assert average(spot, year) == (Decimal("1.16"), "average rate from 1 Jul 2026 to 30 Sep 2026")


def test_the_average_of_the_quarter_before_says_nothing_of_this_one() -> None:
    """It would go on for ever if it held until the next; so a quarter without one has none."""
    assert average(eur("average", "2026-04-01", "1.15")) is None
    assert average(eur("average", "2026-04-01", "1.15", last="2026-08-31")) is None


def test_averages_of_months_are_weighted_by_days() -> None:
    """31 days at 1.10, 31 at 1.20, 30 at 1.30, half-up at eight places."""
    months = [eur("average", f"2026-{month}-01", rate) for month, rate in (("07", "1.1"), ("08", "1.2"), ("09", "1.3"))]
    exact = (31 * Decimal("1.1") + 31 * Decimal("1.2") + 30 * Decimal("1.3")) / 92
    found = average(*months)
    assert found is not None
    assert found[0] == exact.quantize(Decimal("1E-8"), ROUND_HALF_UP)
    assert found[1] == "mean of 3 average rates, weighted by days, from 1 Jul 2026 to 30 Sep 2026"


def test_without_an_average_spot_rates_are_weighted_by_days() -> None:
    """The last rate before the quarter holds until the first within it."""
    rates = [eur("spot", "2026-06-20", "1"), eur("spot", "2026-07-11", "2")]
    found = average(*rates)
    assert found is not None
    assert found[0] == Decimal("1.89130435")  # (10 × 1 + 82 × 2) ÷ 92
    assert found[1] == "mean of 2 spot rates, weighted by days, from 1 Jul 2026 to 30 Sep 2026"


def test_a_day_without_a_rate_leaves_no_average() -> None:
    """Neither at the start nor in the middle; nor does an old rate that nobody renewed make one."""
    assert average(eur("spot", "2026-07-02", "1")) is None
    assert average(eur("spot", "2026-07-01", "1", last="2026-07-31"), eur("spot", "2026-08-02", "1")) is None
    assert average(eur("spot", "2026-06-30", "1")) is None
    assert average(eur("spot", "2026-06-30", "1", last="2026-12-31")) is not None


def test_a_quarter_under_way_is_averaged_up_to_the_as_of_day() -> None:
    """Rates of days to come do not count; a quarter that has not begun has no average."""
    rates = [eur("spot", "2026-07-01", "1"), eur("spot", "2026-07-03", "4"), eur("spot", "2026-08-01", "9")]
    found = average(*rates, as_of="2026-07-03")
    assert found == (Decimal(2), "mean of 2 spot rates, weighted by days, from 1 Jul 2026 to 3 Jul 2026")
    assert average(*rates, as_of="2026-06-30") is None


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=20))
def test_an_average_lies_between_its_rates(units: list[int]) -> None:
    """Whatever the rates, daily from the first day on."""
    rates = [
        Rate("EUR", "USD", "spot", START + dt.timedelta(days=n), Decimal(unit).scaleb(-8))
        for n, unit in enumerate(units)
    ]
    found = RateBook.of(rates).averages("USD", START, END)["EUR"].rate
    assert min(rate.rate for rate in rates) <= found <= max(rate.rate for rate in rates)
    assert -int(found.as_tuple().exponent) <= 8
