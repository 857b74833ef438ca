"""Makes the demo's partners, customers, deals and leads as arrays; apart, because writing files is another matter."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pbr_lib import demo_cast as cast
from pbr_lib.demo_chance import (
    AS_OF,
    FIRST_DAYS,
    QUARTERS,
    START,
    THIS_QUARTER,
    TODAY,
    Bools,
    Dice,
    Floats,
    Ints,
    closing_days,
    created_days,
    day_number,
    minute_number,
    quarter_number,
    weekday,
)

__all__ = [
    "CURRENCIES",
    "CUSTOMER_WORDS",
    "KINDS",
    "LEAD_STATES",
    "LOST",
    "STAGES",
    "WON",
    "Customers",
    "Deals",
    "Demo",
    "Leads",
    "Programme",
    "company_name",
    "counted_now",
    "currency_of_region",
    "domain",
    "generate",
    "partners_of",
]

_SIZE_AT = (0.0, 0.05, 0.25, 0.50, 0.75, 0.90, 0.97, 1.0)
_SIZE = (8_000, 11_000, 20_000, 34_000, 60_000, 105_000, 170_000, 250_000)
_CYCLE_AT = (0.0, 0.10, 0.50, 0.90, 1.0)
_CYCLE = (18, 38, 84, 150, 260)

KINDS = ("New Business", "Existing Business", "Renewal")
STAGES = (
    "Prospecting", "Qualification", "Needs Analysis", "Proposal/Price Quote", "Negotiation/Review",
    "Closed Won", "Closed Lost",
)  # fmt: skip
WON, LOST = 5, 6
CURRENCIES = ("USD", "EUR", "GBP")
LEAD_STATES = (
    "Open - Not Contacted", "Working - Contacted", "Qualified", "Closed - Converted", "Closed - Not Converted",
    "Duplicate",
)  # fmt: skip
_CONVERTED = 3
CUSTOMER_WORDS = tuple(word for word, _ in cast.SECOND_WORDS)
_SOURCED_SHARE = {"Referral": 0.85, "Reseller": 0.72, "SI": 0.55, "ISV": 0.45, "MSP": 0.65, "Distributor": 0.60}
_OWN_RESALE = {"Reseller": 0.80, "Distributor": 0.85, "MSP": 0.45}

# Partners whose leads of the running quarter are all hand-written, and the one whose sourced deals are as well.
_COUNTED_LEADS = (0, 11)
_COUNTED_DEALS = (0,)

_NO_LETTER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Demo:
    """Everything that was made, before it becomes files."""

    seed: int
    programme: Programme
    customers: Customers
    deals: Deals
    leads: Leads


def generate(partners: int, opportunities: int, seed: int) -> Demo:
    """The demo of that size and seed."""
    programme = _programme(partners, seed)
    customers = _customers(opportunities, seed)
    deals = _deals(opportunities, seed, programme, customers)
    leads = _leads(opportunities * 5 // 6, seed, programme, customers, deals)
    return Demo(seed, programme, customers, deals, leads)


# ------------------------------------------------------------------------------------------ the players


@dataclass(frozen=True)
class Programme:
    """All partners; the first ones are the cast. ``weight`` has a row for each quarter."""

    people: tuple[cast.CastPartner, ...]
    weight: Floats
    joined: Ints
    region: Ints
    sourced_share: Floats
    own_resale: Floats


@dataclass(frozen=True)
class Customers:
    """End customers, hand-written ones first, then region after region; ``first`` and ``size`` mark the blocks."""

    names: tuple[str, ...]
    region: Ints
    country: tuple[str, ...]
    industry: tuple[str, ...]
    first: Ints
    size: Ints


def _programme(count: int, seed: int) -> Programme:
    dice = Dice(seed, 1)
    more = count - len(cast.CAST)
    people = cast.CAST + tuple(_generated_partners(dice, more))
    region_of = {region.name: number for number, region in enumerate(cast.REGIONS)}
    joined = np.array([day_number(person.joined) for person in people])
    steps = np.arange(len(QUARTERS))[:, None]
    weight: Floats = np.array([p.weight for p in people]) * np.array([p.trend for p in people]) ** steps
    weight[joined[None, :] >= FIRST_DAYS[1:, None]] = 0.0
    return Programme(
        people,
        weight,
        joined,
        np.array([region_of[p.region] for p in people]),
        np.array([_SOURCED_SHARE[p.kind] for p in people]),
        np.array([_OWN_RESALE.get(p.kind, 0.0) for p in people]),
    )


def _generated_partners(dice: Dice, count: int) -> Iterator[cast.CastPartner]:
    kinds, regions = list(_SOURCED_SHARE), cast.REGIONS
    kind = dice.pick(count, (0.22, 0.26, 0.22, 0.14, 0.12, 0.04))
    region = dice.pick(count, [r.direct + 0.04 for r in regions])
    tier = dice.pick(count, (0.55, 0.30, 0.12, 0.03))
    size = dice.table(count, (0.0, 0.15, 0.5, 0.85, 0.97, 1.0), (0.0, 0.1, 0.4, 1.0, 2.2, 4.0))
    joined = day_number("2019-01-07") + dice.below(count, (AS_OF - dt.date(2019, 1, 7)).days)
    trend = 1.0 + (dice.between(count, -10, 14) / 100)
    for n in range(count):
        name = company_name(n, cast.PARTNER_WORDS)
        level = ("Bronze", "Silver", "Gold", "Platinum")[tier[n]]
        first_day = (START + dt.timedelta(days=int(weekday(joined[n : n + 1])[0]))).isoformat()
        yield cast.CastPartner(
            name, kinds[kind[n]], level, regions[region[n]].name, first_day, "Alliance lead",
            f"alliances@{domain(name)}", _code(n), round(float(size[n]) * (1 + tier[n] / 2), 3), float(trend[n]),
        )  # fmt: skip


def _customers(opportunities: int, seed: int) -> Customers:
    dice = Dice(seed, 2)
    hand = cast.HAND_CUSTOMERS
    count = max(opportunities * 2 // 5, 2 * len(hand)) - len(hand)
    region_of = {region.name: number for number, region in enumerate(cast.REGIONS)}
    every = np.arange(len(cast.REGIONS))
    drawn = dice.pick(count - len(every), [r.direct + 0.06 for r in cast.REGIONS])
    region = np.sort(np.concatenate([every, drawn]))
    spin = dice.below(count, 1 << 20)
    names, countries, industries = [h[0] for h in hand], [h[2] for h in hand], [h[3] for h in hand]
    for n in range(count):
        place = cast.REGIONS[region[n]]
        names.append(f"{company_name(n, CUSTOMER_WORDS)} {place.forms[spin[n] % len(place.forms)]}".rstrip())
        countries.append(place.countries[spin[n] // 16 % len(place.countries)])
        industries.append(cast.SECOND_WORDS[_scrambled(n, len(CUSTOMER_WORDS)) % len(CUSTOMER_WORDS)][1])
    first = np.searchsorted(region, every) + len(hand)
    size = np.searchsorted(region, every, side="right") + len(hand) - first
    regions = np.concatenate([np.array([region_of[h[1]] for h in hand]), region])
    return Customers(tuple(names), regions, tuple(countries), tuple(industries), first, size)


def _scrambled(number: int, words: int) -> int:
    """``number`` within one round of all pairs of words, in an order that does not look sorted."""
    return (number * 607 + 11) % (words * len(cast.FIRST_WORDS))


def company_name(number: int, second: Sequence[str]) -> str:
    """The name of the company of that number: no two are alike."""
    place = _scrambled(number, len(second))
    around = number // (len(second) * len(cast.FIRST_WORDS))
    words = [cast.FIRST_WORDS[place // len(second)], second[place % len(second)]]
    if around:
        words.append(cast.CITIES[(around - 1) % len(cast.CITIES)])
    if around > len(cast.CITIES):
        words.append(str((around - 1) // len(cast.CITIES) + 1))
    return " ".join(words)


def domain(name: str) -> str:
    """The mail domain of a name, in the top level that is reserved for examples."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode("ascii")
    return (_NO_LETTER.sub("-", plain).strip("-") or "customer") + ".example"


def _code(number: int) -> str:
    letters = ""
    for _ in range(3):
        number, rest = divmod(number, 26)
        letters = chr(65 + rest) + letters
    return chr(65 + number % 26) + letters


# ------------------------------------------------------------------------------------------------ deals


@dataclass(frozen=True)
class Deals:
    """All opportunities, oldest first; -1 stands for none, ``hand`` points into the hand-written ones."""

    day: Ints
    minute: Ints
    customer: Ints
    kind: Ints
    currency: Ints
    cents: Ints
    stage: Ints
    close: Ints
    loss: Ints
    step: Ints
    source: Ints
    share: Ints
    second: Ints
    influencer: Ints
    other: Ints
    reseller: Ints
    hand: Ints

    def __len__(self) -> int:
        return len(self.day)


def _deals(count: int, seed: int, programme: Programme, customers: Customers) -> Deals:
    dice = Dice(seed, 3)
    count -= len(cast.HAND_DEALS)
    day = np.sort(created_days(dice, count))
    lead = np.where(dice.exactly(count, 0.592), partners_of(dice, day, programme), -1)
    region = np.where(lead >= 0, programme.region[lead], dice.pick(count, [r.direct for r in cast.REGIONS]))
    # The square sends more deals to the first customers of a region: they buy again.
    customer = customers.first[region] + (dice.uniform(count) ** 2 * customers.size[region]).astype(np.int64)
    kind = _kinds(dice, customer)
    columns: dict[str, Ints] = {
        "day": day,
        "minute": dice.minute(count),
        "customer": customer,
        "kind": kind,
        "currency": currency_of_region()[region],
        "cents": _cents(dice, kind),
        "hand": np.full(count, -1),
    }
    columns |= _roles(dice, day, lead, programme)
    columns["reseller"] = _resellers(dice, columns, lead, programme)
    columns |= _outcomes(dice, columns)
    by_hand = _hand_deals(customers)
    merged = {name: np.concatenate([columns[name], by_hand[name]]) for name in by_hand}
    order = np.argsort(merged["day"] * 1440 + merged["minute"], kind="stable")
    return Deals(**{name: values[order] for name, values in merged.items()})


def partners_of(dice: Dice, day: Ints, programme: Programme) -> Ints:
    """A partner for each day, busy ones more often, -1 where the one that was drawn had not joined yet."""
    drawn = np.full(len(day), -1)
    quarter = quarter_number(day)
    for number in range(len(QUARTERS)):
        here = np.flatnonzero(quarter == number)
        drawn[here] = dice.pick(len(here), programme.weight[number])
    return np.where(programme.joined[drawn] <= day, drawn, -1)


def counted_now(partner: Ints, day: Ints) -> Bools:
    """Where a generated record would spoil a count of the running quarter that is written by hand."""
    counted: Bools = np.isin(partner, _COUNTED_LEADS) & (quarter_number(day) == THIS_QUARTER)
    return counted


def _kinds(dice: Dice, customer: Ints) -> Ints:
    """The first deal of a customer is new business; later ones grow it, or renew it."""
    kind = dice.pick(len(customer), (0.35, 0.45, 0.20))
    kind[np.unique(customer, return_index=True)[1]] = 0
    return kind


def currency_of_region() -> Ints:
    """For each sales region the place of its currency in :data:`CURRENCIES`."""
    return np.array([CURRENCIES.index(region.currency) for region in cast.REGIONS])


def _cents(dice: Dice, kind: Ints) -> Ints:
    size = dice.table(len(kind), _SIZE_AT, _SIZE) * np.array([1.0, 0.75, 0.9])[kind]
    odd = np.where(dice.hits(len(kind), 0.15), dice.below(len(kind), 20) * 5, 0)
    cents: Ints = (size / 50).astype(np.int64) * 5000 + odd
    return cents


def _roles(dice: Dice, day: Ints, lead: Ints, programme: Programme) -> dict[str, Ints]:
    """Who sourced and who influenced: the partner of a deal does one of the two, a second one may help."""
    count = len(day)
    counted = np.isin(lead, _COUNTED_DEALS) & (quarter_number(day) == THIS_QUARTER)
    sourced = (lead >= 0) & dice.hits(count, programme.sourced_share[lead]) & ~counted
    helper = np.where(dice.hits(count, 0.22) & (lead >= 0), partners_of(dice, day, programme), -1)
    helper = np.where(helper == lead, -1, helper)
    shared = sourced & (helper >= 0) & dice.hits(count, 0.15)
    shared &= ~(np.isin(helper, _COUNTED_DEALS) & (quarter_number(day) == THIS_QUARTER))
    return {
        "source": np.where(sourced, lead, -1),
        "share": np.where(shared, dice.between(count, 5, 8) * 10, 100),
        "second": np.where(shared, helper, -1),
        "influencer": np.where(sourced, np.where(shared, -1, helper), lead),
        "other": np.where(sourced, -1, helper),
    }


def _resellers(dice: Dice, deals: dict[str, Ints], lead: Ints, programme: Programme) -> Ints:
    """Who invoices the customer: the sourcing partner itself, or a reseller of the same currency."""
    count = len(lead)
    own = (deals["source"] >= 0) & dice.hits(count, programme.own_resale[lead])
    asked = (lead >= 0) & dice.hits(count, 0.28)
    through = np.full(count, -1)
    trades = np.where(programme.own_resale >= 0.8, programme.weight[0] + 0.01, 0.0)
    partner_currency = currency_of_region()[programme.region]
    for currency in range(len(CURRENCIES)):
        here = np.flatnonzero(asked & (deals["currency"] == currency))
        through[here] = dice.pick(len(here), trades * (partner_currency == currency))
    through = np.where((through >= 0) & (programme.joined[through] <= deals["day"]), through, -1)
    return np.where(own, deals["source"], through)


def _outcomes(dice: Dice, deals: dict[str, Ints]) -> dict[str, Ints]:
    """When each deal closes and how; what would close after today is still open."""
    day, kind, count = deals["day"], deals["kind"], len(deals["day"])
    close = closing_days(day + dice.table(count, _CYCLE_AT, _CYCLE).astype(np.int64))
    overdue = (close <= TODAY) & (close > TODAY - 40) & dice.hits(count, 0.06)
    is_open = (close > TODAY) | overdue
    chance = np.array([0.20, 0.29, 0.57])[kind]
    chance += np.where(deals["source"] >= 0, 0.07, np.where(deals["influencer"] >= 0, 0.04, 0.0))
    closed = np.where(dice.hits(count, chance), WON, LOST)
    age = 5 * (TODAY - day) / np.maximum(close - day, 1) + dice.uniform(count) - 0.8
    early = np.where(overdue, 4, age.astype(np.int64).clip(0, 4))
    stage = np.where(is_open, early, closed)
    step = np.where(is_open, early * 2 + dice.below(count, 2), -1)
    reason = dice.pick(count, (0.22, 0.24, 0.14, 0.18, 0.08, 0.08, 0.06))
    return {"close": close, "stage": stage, "step": step, "loss": np.where(stage == LOST, reason, -1)}


def _hand_deals(customers: Customers) -> dict[str, Ints]:
    rows = []
    for number, deal in enumerate(cast.HAND_DEALS):
        sourced, influenced = (*deal.sourced, (0, 0), (0, 0)), (*deal.influenced, 0, 0)
        rows.append(
            {
                "day": day_number(deal.created),
                "minute": minute_number(deal.created),
                "customer": customers.names.index(deal.customer),
                "kind": KINDS.index(deal.kind),
                "currency": CURRENCIES.index(deal.currency),
                "cents": deal.amount * 100,
                "stage": STAGES.index(deal.stage),
                "close": day_number(deal.close),
                "loss": -1,
                "step": -1,
                "source": sourced[0][0] - 1,
                "share": sourced[0][1] or 100,
                "second": sourced[1][0] - 1,
                "influencer": influenced[0] - 1,
                "other": influenced[1] - 1,
                "reseller": deal.reseller - 1,
                "hand": number,
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


# ------------------------------------------------------------------------------------------------ leads


@dataclass(frozen=True)
class Leads:
    """All leads, oldest first; ``company`` is a customer's number, or beyond them a company that is none yet."""

    day: Ints
    minute: Ints
    company: Ints
    source: Ints
    status: Ints
    partner: Ints
    deal: Ints
    hand: Ints


def _leads(count: int, seed: int, programme: Programme, customers: Customers, deals: Deals) -> Leads:
    dice = Dice(seed, 4)
    converted = _converted_leads(dice, programme, deals)
    by_hand = _hand_leads(deals)
    rest = max(count - len(converted["day"]) - len(by_hand["day"]), 0)
    others = _other_leads(dice, rest, programme, len(customers.names))
    merged = {name: np.concatenate([part[name] for part in (converted, others, by_hand)]) for name in by_hand}
    order = np.argsort(merged["day"] * 1440 + merged["minute"], kind="stable")
    return Leads(**{name: values[order] for name, values in merged.items()})


def _converted_leads(dice: Dice, programme: Programme, deals: Deals) -> dict[str, Ints]:
    """Leads that became one of the generated deals, some weeks before it."""
    count = len(deals)
    sourced, new = (deals.source >= 0) & (deals.second < 0), deals.kind == 0
    direct = (deals.source < 0) & (deals.influencer < 0)
    chance = np.where(sourced, np.where(new, 0.75, 0.25), np.where(direct & new, 0.25, 0.0))
    day = weekday(deals.day - dice.between(count, 4, 45))
    known = (day >= 0) & ((deals.source < 0) | (programme.joined[deals.source] <= day))
    keep = dice.hits(count, chance) & known & (deals.hand < 0)
    keep &= ~counted_now(deals.source, day)
    at = np.flatnonzero(keep)
    partner = deals.source[at]
    return {
        "day": day[at],
        "minute": dice.minute(len(at)),
        "company": deals.customer[at],
        "source": np.where(partner >= 0, 0, dice.between(len(at), 1, 3)),
        "status": np.full(len(at), _CONVERTED),
        "partner": partner,
        "deal": at,
        "hand": np.full(len(at), -1),
    }


def _other_leads(dice: Dice, count: int, programme: Programme, company: int) -> dict[str, Ints]:
    """Leads that became nothing so far; old ones are mostly closed."""
    day = created_days(dice, count)
    partner = np.where(dice.hits(count, 0.62), partners_of(dice, day, programme), -1)
    partner[counted_now(partner, day)] = -1
    old = dice.pick(count, (0.02, 0.10, 0.12, 0.0, 0.70, 0.06))
    young = dice.pick(count, (0.38, 0.36, 0.12, 0.0, 0.08, 0.06))
    return {
        "day": day,
        "minute": dice.minute(count),
        "company": company + np.arange(count),
        "source": np.where(partner >= 0, 0, 1 + dice.pick(count, (0.5, 0.25, 0.25))),
        "status": np.where(day < TODAY - 75, old, young),
        "partner": partner,
        "deal": np.full(count, -1),
        "hand": np.full(count, -1),
    }


def _hand_leads(deals: Deals) -> dict[str, Ints]:
    place = {cast.HAND_DEALS[hand].title: at for at, hand in enumerate(deals.hand.tolist()) if hand >= 0}
    rows = [
        {
            "day": day_number(lead.created),
            "minute": minute_number(lead.created),
            "company": -1,
            "source": 0,
            "status": LEAD_STATES.index(lead.status),
            "partner": lead.partner - 1,
            "deal": place.get(lead.deal, -1),
            "hand": number,
        }
        for number, lead in enumerate(cast.HAND_LEADS)
    ]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
