"""Money in several currencies: the three policies, what has no rate, the currency effect, whole coins."""

from __future__ import annotations

import datetime as dt
import random
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pandas as pd
import pytest
import small_world
from hypothesis import given
from hypothesis import strategies as st
from small_world import AS_OF, Q3, RATES, connect, credit, deal, leads, partner, quarter, revenue, value

from pbr_lib import fx, metrics, moneyform
from pbr_lib.definitions import RatioMetric, SimpleMetric, UnitSpec
from pbr_lib.model import Amount, Unit
from pbr_lib.rates import Rate
from pbr_lib.window import Window
from pbr_lib.wording import describe

POLICIES = ("plan_rate", "close_date_rate", "period_average")
QUARTERS = ("2026-Q1", "2026-Q2", Q3)


def at(policy: str, **more: Any) -> SimpleMetric:
    """Revenue converted by a policy."""
    return revenue(unit=UnitSpec(kind="money", currency="USD", fx=policy), **more)


def rate(kind: str, first: str, amount: str, currency: str = "EUR", **more: Any) -> Rate:
    """A rate into dollar."""
    return Rate(currency, "USD", kind, dt.date.fromisoformat(first), Decimal(amount), **more)


SPOT = (rate("spot", "2026-07-01", "1.2"), rate("spot", "2026-08-01", "1.3"), rate("spot", "2026-08-21", "1.4"))


def world(*deals: dict[str, Any], who: str = "A") -> dict[str, list[dict[str, Any]]]:
    """A partner and deals that it sourced."""
    given_credit = [credit(each["opportunity_id"], who) for each in deals]
    return {"partners": [partner("A"), partner("B")], "opportunities": list(deals), "attributions": given_credit}


def measured(tables: Any, window: Window, **defined: Any) -> dict[str, metrics.Measurement]:
    """The metrics by name over these tables."""
    return metrics.measure(connect(tables), defined, window)


def figures(one: fx.Effect) -> list[Decimal | int | None]:
    """What an effect holds: at plan, at spot, the difference, and how many records are in another currency."""
    return [one.plan, one.spot, one.effect, one.records]


# ------------------------------------------------------------------------------------------- policies


def test_each_policy_takes_its_own_rate() -> None:
    """€100 of 20 August: at plan 1.10, at the spot rate of its day 1.30, at the average that was given 1.25."""
    window = small_world.window(AS_OF, [Q3], (*RATES, *SPOT, rate("average", "2026-07-01", "1.25")))
    found = measured(world(deal("O1", "100", currency="EUR"), deal("O2", "1")), window, **{p: at(p) for p in POLICIES})
    assert [value(found[policy], "A") for policy in POLICIES] == [111, 131, 126]


def test_a_spot_rate_is_of_the_metrics_own_date() -> None:
    """Pipeline by day of creation takes the rate of that day, a day's stamp included."""
    window = small_world.window(AS_OF, [Q3], SPOT)
    created = at("close_date_rate", date="created_at")
    found = measured(world(deal("O1", "100", currency="EUR")), window, created=created)["created"]
    assert value(found, "A") == 120  # created on 15 July


def test_the_mean_of_spot_rates_stands_in_for_an_average() -> None:
    """31 days at 1.2, 20 at 1.3 and 41 at 1.4, and the basis says so."""
    window = small_world.window(dt.date(2026, 10, 15), [Q3], SPOT)
    mean = ((31 * Decimal("1.2") + 20 * Decimal("1.3") + 41 * Decimal("1.4")) / 92).quantize(Decimal("1E-8"))
    found = measured(world(deal("O1", "100", currency="EUR")), window, m=at("period_average"))["m"]
    assert value(found, "A") == 100 * mean
    told = fx.rates_told(at("period_average"), window, quarter(Q3))
    assert told == {"EUR": f"{mean}, mean of 3 spot rates, weighted by days, from 1 Jul 2026 to 30 Sep 2026"}


def test_over_several_quarters_each_record_has_the_average_of_its_own() -> None:
    """Two quarters at 1.0 and 2.0: not both at the average of the last."""
    rates = (rate("average", "2026-04-01", "1"), rate("average", "2026-07-01", "2"))
    deals = (deal("O1", "100", currency="EUR", close_date=dt.date(2026, 5, 1)), deal("O2", "10", currency="EUR"))
    found = measured(world(*deals), small_world.window(AS_OF, [Q3], rates), m=at("period_average", trailing_quarters=2))
    assert value(found["m"], "A") == 120


def test_a_rate_that_became_known_later_is_not_used() -> None:
    """As of a day only what was known on it."""
    rates = (
        rate("spot", "2026-07-01", "1.2"),
        rate("spot", "2026-07-01", "1.9", known_at=AS_OF + dt.timedelta(days=1)),
    )
    found = measured(world(deal("O1", "100", currency="EUR")), small_world.window(AS_OF, [Q3], rates),
                     m=at("close_date_rate"))["m"]  # fmt: skip
    assert value(found, "A") == 120


@pytest.mark.parametrize("policy", POLICIES)
def test_the_definition_says_its_rate(policy: str) -> None:
    """In words, made from what is computed."""
    said = {"plan_rate": "in USD at plan rates", "close_date_rate": "in USD at the spot rate of the closing day",
            "period_average": "in USD at the average rate of the quarter (where none is given, the mean of its spot "
            "rates, weighted by days)"}[policy]  # fmt: skip
    assert said in describe(at(policy), {})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"nature": "level", "valid_from": "close_date", "date": None}, "a level has no day of its own"),
        ({"unit": {"kind": "count", "fx": "close_date_rate"}}, 'only a money unit has a "fx"'),
        ({"unit": {"kind": "money", "currency": "USD", "fx": "spot"}}, "close_date_rate"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(facts: dict[str, Any], words: str) -> None:
    """When the definition is read, with what to write instead."""
    unit = {"kind": "money", "currency": "USD", "fx": "close_date_rate"}
    usual = {"label": "R", "table": "opportunities", "aggregate": "sum", "of": "amount", "date": "close_date"}
    with pytest.raises(ValueError, match=words):
        SimpleMetric(**(usual | {"unit": unit} | facts))


def test_a_ratio_is_converted_in_its_parts() -> None:
    """A policy on the ratio itself would do nothing, so it is refused."""
    unit = UnitSpec(kind="money", currency="USD", fx="period_average")
    with pytest.raises(ValueError, match="the parts of a ratio are converted"):
        RatioMetric(type="ratio", label="R", numerator=("won_sum",), denominator=("won_count",), unit=unit)


# ------------------------------------------------------------------------------------ what has no rate


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("currency", ["XAF", None, "x' OR 1=1 --"])
def test_money_without_a_rate_is_not_measurable_and_listed(policy: str, currency: str | None) -> None:
    """Oracle T30: never at par, never left out, whatever the currency is called."""
    rates = (*RATES, *SPOT, rate("average", "2026-07-01", "1.25"))
    window = small_world.window(AS_OF, [Q3], rates)
    tables = world(deal("O1", "100.5", currency=currency), deal("O2", "1"), deal("O3", "1", currency="EUR"))
    found = measured(tables, window, m=at(policy))["m"]
    assert found.cell("A", Q3).state == "unknown"
    assert value(found, "A") is None
    lost = fx.unconverted(connect(tables), at(policy), window).to_pylist()
    assert lost == [{"partner_id": "A", "period_id": Q3, "record_id": "O1", "day": dt.date(2026, 8, 20),
                     "currency": currency, "amount": Decimal("100.5")}]  # fmt: skip


def test_a_day_before_the_first_spot_rate_has_none() -> None:
    """The rate of a later day is none of this one; the other way round is not guessed either."""
    back = Rate("USD", "EUR", "spot", dt.date(2026, 1, 1), Decimal("0.8"))
    window = small_world.window(AS_OF, [Q3], (rate("spot", "2026-08-21", "1.4"), back))
    found = measured(world(deal("O1", "100", currency="EUR")), window, m=at("close_date_rate"))["m"]
    assert found.cell("A", Q3).state == "unknown"


def test_nobodys_records_are_listed_for_the_whole_programme() -> None:
    """They are other partners' as well; and what is no money has no rate to miss."""
    window = small_world.window(AS_OF, [Q3])
    connection = connect(world(deal("O1", "100", currency="XAF")))
    assert len(fx.unconverted(connection, at("plan_rate", scope="programme"), window)) == 0
    assert len(fx.unconverted(connection, leads(), window)) == 0


# ------------------------------------------------------------------------------------ the whole, once more


def random_world(seed: int) -> tuple[dict[str, list[dict[str, Any]]], list[Rate]]:
    """Deals of four partners in five currencies, and rates of all kinds with holes in them."""
    dice = random.Random(seed)
    start = dt.date(2025, 12, 20)
    deals = [
        deal(
            f"O{n:03}",
            None if dice.random() < 0.05 else f"{dice.randint(-(10**6), 10**9) / 10_000:.4f}",
            currency=dice.choice(["USD", "EUR", "EUR", "GBP", "JPY", "XAF" if dice.random() < 0.05 else "EUR"]),
            close_date=start + dt.timedelta(days=dice.randint(0, 290)),
        )
        for n in range(160)
    ]
    given_credit = [credit(each["opportunity_id"], dice.choice("ABCD")) for each in deals]
    rates = [
        Rate(each, "USD", kind, first, Decimal(dice.randint(1, 3 * 10**8)).scaleb(-8))
        for each, kind, step in (("EUR", "spot", 7), ("GBP", "spot", 31), ("JPY", "spot", 1), ("EUR", "plan", 100),
                                 ("GBP", "plan", 60), ("JPY", "plan", 300))
        for first in (dt.date(2025, 12, 1) + dt.timedelta(days=n) for n in range(0, 300, step))
    ]  # fmt: skip
    rates += [Rate("EUR", "USD", "average", dt.date(2026, month, 1), Decimal("1.1") + month) for month in (4, 5, 6, 7)]
    partners = [partner(each) for each in "ABCD"]
    return {"partners": partners, "opportunities": deals, "attributions": given_credit}, rates


def oracle_rate(rates: list[Rate], policy: str, currency: str, day: dt.date) -> Decimal | None:
    """The rate of a record, told day by day and without spans."""

    def newest(kind: str, on: dt.date) -> Rate | None:
        held = [r for r in rates if (r.kind, r.currency) == (kind, currency) and r.valid_from <= on]
        return max(held, key=lambda r: r.valid_from, default=None)

    if currency == "USD":
        return Decimal(1)
    span = small_world.CALENDAR.quarter_of(day)
    if policy == "plan_rate":
        found = newest("plan", span.start)
        return found.rate if found else None
    if policy == "close_date_rate":
        found = newest("spot", day)
        return found.rate if found else None
    count = (min(span.last_day, AS_OF) - span.start).days + 1
    every = [span.start + dt.timedelta(days=n) for n in range(count)]
    for kind in ("average", "spot"):
        held = [newest(kind, each) for each in every]
        inside = [each is not None and each.valid_from >= span.start for each in held]
        if all(each is not None for each in held) and (all(inside) if kind == "average" else any(inside)):
            with localcontext() as context:
                context.prec = 60
                mean = sum((each.rate for each in held if each is not None), Decimal(0)) / len(held)
                return mean.quantize(Decimal("1E-8"), ROUND_HALF_UP)
    return None


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(3))
def test_every_policy_agrees_with_pandas_to_the_last_digit(policy: str, seed: int) -> None:
    """Random deals, currencies and rates; exact decimals on both sides."""
    tables, rates = random_world(seed)
    window = small_world.window(AS_OF, QUARTERS, rates)
    found = measured(tables, window, m=at(policy))["m"]
    frame = pd.DataFrame(tables["opportunities"]).merge(
        pd.DataFrame(tables["attributions"]), left_on="opportunity_id", right_on="subject_id"
    )
    frame["period"] = [small_world.CALENDAR.quarter_of(day).label for day in frame["close_date"]]
    frame = frame[frame["period"].isin(QUARTERS)]
    pairs = zip(frame["currency"], frame["close_date"], strict=True)
    frame = frame.assign(rate=[oracle_rate(rates, policy, currency, day) for currency, day in pairs])
    known = 0
    for (who, label), group in frame.groupby(["partner_id", "period"]):
        filled = [row for row in group.itertuples() if row.amount is not None]
        cell = found.cell(str(who), str(label))
        if not filled or any(row.rate is None for row in filled):
            assert cell.state == "unknown"
            continue
        known += 1
        with localcontext() as context:
            context.prec = 60
            assert cell.value == sum((row.amount * row.rate for row in filled), Decimal(0))
    assert known > 2


# --------------------------------------------------------------------------------------- the effect


def test_the_currency_effect_stands_beside_attainment_and_not_in_it() -> None:
    """Acceptance case 12: EUR at plan decides, the difference to the spot rate of the day is shown apart."""
    window = small_world.window(AS_OF, [Q3], (*RATES, *SPOT))
    tables = world(deal("O1", "100", currency="EUR"), deal("O2", "1"))
    assert value(measured(tables, window, m=revenue())["m"], "A") == 111
    found = fx.effect(connect(tables), revenue(), window)
    one = found.of("A", quarter(Q3))
    assert one is not None
    assert figures(one) == [111, 131, 20, 1]
    told = "Currency effect +$20: $111 at plan rates, $131 at the spot rates of each record's day"
    assert one.told(Unit("money", "USD")) == f"{told} (1 record in other currencies)."
    assert found.of("B", quarter(Q3)) is None
    assert found.reason == ""


@pytest.mark.parametrize(
    ("plan", "spot", "told"),
    [
        ("416790.4", "436693.6", "+$19,904: $416,790 at plan rates, $436,694"),
        ("999.5", "1000.25", "$0: $1,000 at plan rates, $1,000"),
        ("10", "9.75", "-$0.25: $10.00 at plan rates, $9.75"),
        ("0", "0", "$0: $0 at plan rates, $0"),
    ],
)
def test_a_printed_effect_is_the_difference_of_the_printed_figures(plan: str, spot: str, told: str) -> None:
    """19,903.20 would print as 19,903 between two figures that lie 19,904 apart."""
    effect = fx.Effect(Decimal(plan), Decimal(spot), 2)
    assert effect.told(Unit("money", "USD")).startswith(f"Currency effect {told} ")


def test_the_effect_is_the_same_whichever_rate_decides() -> None:
    """It compares plan with spot also where a metric itself is measured at an average."""
    window = small_world.window(AS_OF, [Q3], (*RATES, *SPOT))
    connection = connect(world(deal("O1", "100", currency="EUR")))
    assert fx.effect(connection, at("period_average"), window) == fx.effect(connection, revenue(), window)


def test_a_ratio_has_the_effect_of_its_parts() -> None:
    """The average deal, at plan and at spot."""
    count = {"label": "Won", "table": "opportunities", "aggregate": "count", "date": "close_date"}
    won = SimpleMetric(**count, where={"is_won": True}, unit=UnitSpec(kind="count"))
    mean = RatioMetric(type="ratio", label="Deal", numerator=("amounts",), denominator=("won_n",), unit=small_world.USD)
    window = small_world.window(AS_OF, [Q3], (*RATES, *SPOT))
    connection = connect(world(deal("O1", "100", currency="EUR"), deal("O2", "10")))
    one = fx.effect(connection, mean, window, {"amounts": revenue(), "won_n": won}).of("A", quarter(Q3))
    assert one is not None
    assert figures(one) == [60, 70, 10, 1]


def test_without_foreign_money_or_spot_rates_there_is_no_effect() -> None:
    """And the reason is said."""
    home, abroad = connect(world(deal("O1", "1"))), connect(world(deal("O1", "1", currency="EUR")))
    window = small_world.window(AS_OF, [Q3], RATES)
    assert fx.effect(home, revenue(), window) == fx.Effects(reason="no record is in another currency than USD")
    assert fx.effect(abroad, revenue(), window).reason == "params/rates.csv has no spot rates into USD"
    assert fx.effect(abroad, leads(), window).reason == "only money has a currency effect"
    whole = fx.effect(abroad, revenue(scope="programme"), window)
    assert whole.reason == "a figure of the whole programme is no partner's own"


def test_an_effect_that_is_not_known_says_why() -> None:
    """A deal before the first spot rate: the figure at plan stands, the effect does not."""
    window = small_world.window(AS_OF, [Q3], (*RATES, rate("spot", "2026-09-01", "1.3")))
    one = fx.effect(connect(world(deal("O1", "100", currency="EUR"))), revenue(), window).of("A", quarter(Q3))
    assert one is not None
    assert figures(one) == [110, None, None, 1]
    assert one.reason
    assert one.told(Unit("money", "USD")).startswith("The currency effect is not known: ")


def test_rates_are_told_by_currency() -> None:
    """What a pack prints under a converted figure."""
    window = small_world.window(AS_OF, [Q3], (rate("plan", "2026-01-01", "1.10", source="Finance"), *SPOT))
    assert fx.rates_told(at("plan_rate"), window, quarter(Q3)) == {"EUR": "plan rate 1.10 (Finance)"}
    assert fx.rates_told(at("close_date_rate"), window, quarter(Q3)) == {"EUR": "spot rates of the day, 1.2 to 1.4"}
    assert fx.rates_told(leads(), window, quarter(Q3)) == {}


# -------------------------------------------------------------------------------------- whole coins


@pytest.mark.parametrize(
    ("marks", "euro"), [("500", "2.09"), ("1000", "4.17"), ("24.784", "24.78"), ("24.785", "24.79")]
)
def test_conversion_rounds_once_and_half_up(marks: str, euro: str) -> None:
    """Oracle T43: at 239.640 for one euro (the last two are given in euro already)."""
    exact = Decimal(marks) / Decimal("239.640") if "." not in marks else Decimal(marks)
    assert moneyform.from_minor(moneyform.to_minor(exact, "EUR"), "EUR") == Decimal(euro)


def test_minor_units_are_those_of_the_standard() -> None:
    """Oracle T45, where CLDR says otherwise too."""
    places = {"USD": 2, "JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "TND": 3, "IQD": 3, "MGA": 2, "CLF": 4}
    assert {currency: moneyform.minor_units(currency) for currency in places} == places
    assert moneyform.to_minor(Decimal("1234.5"), "JPY") == 1235
    assert moneyform.to_minor(Decimal("-0.0005"), "IQD") == -1
    assert "2026-01-01" in moneyform.ISO_PUBLISHED


def test_money_is_rounded_before_it_is_formatted() -> None:
    """Babel alone would round half to even: 1,234,567.88 and 1,234."""
    assert moneyform.money_text(Decimal("1234567.885"), "USD") == "$1,234,567.89"
    assert moneyform.money_text(Decimal("1234.5"), "JPY") == "¥1,235"
    assert moneyform.money_text(Decimal("1234567.885"), "EUR", locale="de_DE") == "1.234.567,89\xa0€"
    assert moneyform.money_text(Decimal("-2.5"), "IQD", 0).endswith("3")
    assert Amount(Decimal("1234567.885"), Unit("money", "USD", 2)).text == "$1,234,567.89"
    assert Amount(Decimal("1234.5"), Unit("money", "JPY")).text == "¥1,235"


def test_printed_lines_foot() -> None:
    """Each of 0.335 alone would print 0.34, and the column 1.02; the total is 1.01."""
    third = Decimal("0.335")
    lines = moneyform.printed_lines([third] * 3, third * 3, 2)
    assert lines == (Decimal("0.34"), Decimal("0.34"), Decimal("0.33"))
    assert moneyform.printed_lines([], Decimal(0), 2) == ()


def test_printed_lines_that_are_not_their_total_are_refused() -> None:
    """Rounding must not hide a line that is missing."""
    with pytest.raises(ValueError, match="do not add up"):
        moneyform.printed_lines([Decimal(1)], Decimal(2), 2)


@given(st.lists(st.decimals(-(10**12), 10**12, places=16), max_size=12), st.integers(0, 4))
def test_printed_lines_add_up_and_stay_near(values: list[Decimal], decimals: int) -> None:
    """Whatever the signs: the sum is the total rounded half-up, and no line moves by a whole unit."""
    with localcontext() as context:
        context.prec = 76
        total = sum(values, Decimal(0))
        unit = Decimal(1).scaleb(-decimals)
        lines = moneyform.printed_lines(values, total, decimals)
        assert sum(lines, Decimal(0)) == total.quantize(unit, ROUND_HALF_UP)
        assert all(abs(line - exact) <= unit for line, exact in zip(lines, values, strict=True))
