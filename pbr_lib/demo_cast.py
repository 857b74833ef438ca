"""The hand-written part of the demo: partners, customers, deals and leads; apart, because people edit it as facts.

Everything that a reader or a test wants to check by hand stands here, so that no seed can move it.
Names are invented, people are roles, and every awkward spelling that exports really hold occurs once.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CAST",
    "CITIES",
    "CREDENTIALS",
    "FIRST_WORDS",
    "HAND_CUSTOMERS",
    "HAND_DEALS",
    "HAND_LEADS",
    "LOSS_REASONS",
    "NEXT_STEPS",
    "PARTNER_WORDS",
    "PRODUCTS",
    "REGIONS",
    "SECOND_WORDS",
    "CastPartner",
    "HandDeal",
    "HandLead",
    "Region",
]


@dataclass(frozen=True)
class Region:
    """A sales region: the currency of its deals, its countries and legal forms, its share of direct deals."""

    name: str
    currency: str
    countries: tuple[str, ...]
    forms: tuple[str, ...]
    direct: float


@dataclass(frozen=True)
class CastPartner:
    """One partner: the columns of the partner list, then how busy it is and how that changes each quarter."""

    name: str
    kind: str
    tier: str
    region: str
    joined: str
    contact: str
    mailbox: str
    code: str
    weight: float
    trend: float = 1.0


@dataclass(frozen=True)
class HandDeal:
    """One hand-written opportunity; partners are numbers in the cast, the first is 1."""

    customer: str
    title: str
    kind: str
    currency: str
    amount: int
    stage: str
    created: str
    close: str
    sourced: tuple[tuple[int, int], ...] = ()
    influenced: tuple[int, ...] = ()
    reseller: int = 0
    loss: str = ""
    step: str = ""


@dataclass(frozen=True)
class HandLead:
    """One hand-written lead of one partner; ``deal`` is the title of the deal that it became."""

    partner: int
    company: str
    status: str
    created: str
    converted: str = ""
    deal: str = ""


REGIONS: tuple[Region, ...] = (
    Region("Nordics", "EUR", ("Sweden", "Finland", "Denmark", "Norway"), ("AB", "Oy", "A/S", "AS"), 0.10),
    Region("France", "EUR", ("France",), ("SAS", "SA", ""), 0.10),
    Region("DACH", "EUR", ("Germany", "Austria", "Switzerland"), ("GmbH", "AG", "KG"), 0.14),
    Region("North America", "USD", ("United States", "Canada"), ("Inc.", "LLC", "Corp.", ""), 0.34),
    Region("UK & Ireland", "GBP", ("United Kingdom", "Ireland"), ("Ltd", "plc", ""), 0.16),
    Region("Benelux", "EUR", ("Netherlands", "Belgium", "Luxembourg"), ("B.V.", "N.V."), 0.07),
    Region("Southern Europe", "EUR", ("Greece", "Italy", "Spain", "Portugal"), ("S.A.", "S.p.A.", "S.L."), 0.06),
    Region("Central Asia", "USD", ("Kazakhstan", "Uzbekistan"), ("LLP", "JSC"), 0.03),
)

_LONG_NAME = (
    "The Consolidated Intercontinental Managed Infrastructure and Applications Services Cooperative "
    "of Greater Rotterdam and the Delta Region B.V."
)

CAST: tuple[CastPartner, ...] = (
    CastPartner(
        "Aurora Systems (極光)", "Reseller", "Gold", "Nordics", "2021-03-15",
        "Alliance lead", "alliances@aurora-systems.example", "AUR", 1.30, 1.05,
    ),
    CastPartner(
        "Café Société Numérique", "Referral", "Silver", "France", "2022-09-01",
        "Partnerships lead", "partenariats@cafe-societe.example", "CSN", 0.80, 0.97,
    ),
    CastPartner(
        "D'Arcy-Özkan & Söhne GmbH", "SI", "Gold", "DACH", "2020-01-20",
        "Head of alliances", "allianzen@darcy-oezkan.example", "DOS", 1.10, 1.00,
    ),
    CastPartner(
        "=CMD() Labs", "ISV", "Silver", "North America", "2023-02-06",
        "Product partnerships lead", "partners@cmd-labs.example", "CMD", 0.80, 1.08,
    ),
    CastPartner(
        "<b>Bold</b> & *Partners* #1", "MSP", "Bronze", "UK & Ireland", "2023-11-13",
        "Managing partner", "hello@bold-and-partners.example", "BLD", 0.45, 0.92,
    ),
    CastPartner(
        _LONG_NAME, "MSP", "Silver", "Benelux", "2022-05-02",
        "Vendor manager", "vendors@greater-rotterdam-services.example", "ROT", 0.80, 1.00,
    ),
    CastPartner(
        "Stillwater Reach", "Referral", "Bronze", "North America", "2024-02-12",
        "Founder's office", "office@stillwater-reach.example", "STW", 0.0,
    ),
    CastPartner(
        "Nova Ridge Integrators", "SI", "Bronze", "North America", "2026-08-10",
        "Practice lead data", "alliances@nova-ridge.example", "NOV", 0.0,
    ),
    CastPartner(
        "Ελληνική Νεφέλη", "ISV", "Silver", "Southern Europe", "2023-06-19",
        "Business development lead", "synergasies@nefeli.example", "NEF", 0.60, 1.10,
    ),
    CastPartner(
        "Северное Облако", "Reseller", "Bronze", "Central Asia", "2024-03-04",
        "Commercial director's office", "partners@severnoe-oblako.example", "SEV", 0.40, 0.96,
    ),
    CastPartner(
        "Harbourline Distribution", "Distributor", "Platinum", "UK & Ireland", "2019-06-03",
        "Vendor alliance director's office", "larkfield@harbourline.example", "HAR", 2.00, 1.03,
    ),
    CastPartner(
        "Quartz & Quill", "SI", "Gold", "North America", "2021-10-11",
        "Alliance lead", "alliances@quartz-quill.example", "QUQ", 1.50, 1.05,
    ),
)  # fmt: skip

HAND_CUSTOMERS: tuple[tuple[str, str, str, str], ...] = (
    ("Fjord & <Söhne>", "Nordics", "Norway", "Fishing"),
    ("+Plus Energy", "Nordics", "Sweden", "Energy"),
    ("-Minus Zero AB", "Nordics", "Sweden", "Refrigeration"),
    ("Åkerö Havsbruk AB", "Nordics", "Sweden", "Fishing"),
    ("@Work Ltd", "UK & Ireland", "United Kingdom", "Business services"),
    ("=1+1 Analytics", "North America", "United States", "Business services"),
    ('"Quoted" Logistics, Inc.', "North America", "United States", "Transport"),
    ("Baker's Dozen Foods", "North America", "United States", "Food & drink"),
    ("Cobalt Ferry Lines", "North America", "Canada", "Transport"),
    ("L'Étoile du Nord", "France", "France", "Hospitality"),
    ("Übergröße Möbel GmbH", "DACH", "Germany", "Furniture"),
    ("Dijkgraaf Waterbeheer N.V.", "Benelux", "Netherlands", "Water"),
    ("Ωmega Ναυτιλία", "Southern Europe", "Greece", "Shipping"),
    ("東京データ商会", "Central Asia", "Kazakhstan", "Wholesale"),
)

_LONG_TITLE = (
    "Dijkgraaf Waterbeheer – Managed data platform for pumping stations, sluices and dike sensors "
    "in six water districts, including migration, training, day-and-night care and reporting"
)

HAND_DEALS: tuple[HandDeal, ...] = (
    HandDeal(
        "Fjord & <Söhne>", "Fjord & <Söhne> – Data platform", "New Business", "EUR", 42_000, "Proposal/Price Quote",
        "2026-07-14 15:05", "2026-09-25", sourced=((1, 100),), reseller=1, step="Send revised quote",
    ),
    HandDeal(
        "Cobalt Ferry Lines", "Cobalt Ferry Lines – Fleet analytics, two regions", "New Business", "USD", 90_000,
        "Negotiation/Review", "2026-07-22 09:40", "2026-09-30", sourced=((1, 60), (12, 40)),
        step="Agree terms with both partners",
    ),
    HandDeal(
        "+Plus Energy", "+Plus Energy – Streaming starter", "New Business", "EUR", 18_500, "Qualification",
        "2026-08-05 11:20", "2026-10-30", sourced=((1, 100),), influenced=(4,), step="Technical workshop",
    ),
    HandDeal(
        "-Minus Zero AB", "-Minus Zero – Analytics seats", "Existing Business", "EUR", 25_000, "Needs Analysis",
        "2026-08-27 14:10", "2026-11-20", sourced=((1, 100),), reseller=1, step="Confirm number of seats",
    ),
    HandDeal(
        "Åkerö Havsbruk AB", "Åkerö Havsbruk – Governance suite", "New Business", "EUR", 60_000, "Closed Won",
        "2026-05-11 10:30", "2026-07-31", sourced=((1, 100),), reseller=1,
    ),
    HandDeal(
        "=1+1 Analytics", "=1+1 Analytics – Data platform", "New Business", "USD", 120_000, "Negotiation/Review",
        "2026-03-09 13:15", "2026-09-25", sourced=((12, 100),), loss="No budget (reopened 12 Aug 2026)",
        step="New budget holder signs off",
    ),
    HandDeal(
        "Baker's Dozen Foods", "Baker's Dozen Foods – Streaming starter", "New Business", "USD", 64_000,
        "Needs Analysis", "2026-07-30 16:45", "2026-10-23", sourced=((12, 100),), step="Map data sources",
    ),
    HandDeal(
        '"Quoted" Logistics, Inc.', '"Quoted" Logistics – Warehouse migration', "New Business", "USD", 84_000,
        "Closed Won", "2026-05-21 09:05", "2026-08-19", sourced=((12, 100),),
    ),
    HandDeal(
        "@Work Ltd", "@Work – Analytics seats", "Existing Business", "GBP", 88_000, "Closed Won",
        "2026-04-02 11:55", "2026-06-30", sourced=((11, 100),), reseller=11,
    ),
    HandDeal(
        "Dijkgraaf Waterbeheer N.V.", _LONG_TITLE, "New Business", "EUR", 97_250, "Proposal/Price Quote",
        "2026-06-18 10:00", "2026-09-29", sourced=((6, 100),), influenced=(3,), step="Visit a pumping station",
    ),
    HandDeal(
        "L'Étoile du Nord", "L'Étoile du Nord – Gouvernance des données", "New Business", "EUR", 31_400, "Closed Lost",
        "2026-03-31 23:45", "2026-06-30", sourced=((2, 100),), loss="Competitor",
    ),
    HandDeal(
        "Übergröße Möbel GmbH", "Übergröße Möbel – Datenplattform", "New Business", "EUR", 54_900, "Closed Won",
        "2026-04-20 08:25", "2026-07-01", sourced=((3, 100),), influenced=(4, 9),
    ),
    HandDeal(
        "Cobalt Ferry Lines", "Cobalt Ferry Lines – Harbour sensors pilot", "Existing Business", "USD", 6_400,
        "Qualification", "2026-08-25 10:50", "2026-12-11", sourced=((8, 100),), step="Plan the pilot",
    ),
    HandDeal(
        "Baker's Dozen Foods", "Baker's Dozen Foods – Platform renewal", "Renewal", "USD", 22_000, "Closed Won",
        "2026-06-08 15:30", "2026-08-31",
    ),
    HandDeal(
        "東京データ商会", "東京データ商会 – Data platform", "New Business", "USD", 27_300, "Prospecting",
        "2026-08-14 12:00", "2026-11-27", sourced=((10, 100),), reseller=10, step="First demonstration",
    ),
)  # fmt: skip

_FIRST_DEAL = HAND_DEALS[0].title

# Partner 1 has exactly three that count in 2026-Q3: one is a duplicate, one lies twenty minutes too early.
HAND_LEADS: tuple[HandLead, ...] = (
    HandLead(1, "Kvarken Hydro AB", "Working - Contacted", "2026-06-30 23:40"),
    HandLead(1, "Fjord & <Söhne>", "Closed - Converted", "2026-07-01 00:30", "2026-07-14", _FIRST_DEAL),
    HandLead(1, "Sälen Skidanläggningar AB", "Working - Contacted", "2026-07-28 10:15"),
    HandLead(1, "Salen Skidanlaggningar", "Duplicate", "2026-08-12 09:05"),
    HandLead(1, "Tammerkoski Paper Oy", "Open - Not Contacted", "2026-08-24 13:50"),
    HandLead(8, "Summit Feed & Seed", "Working - Contacted", "2026-08-18 11:00"),
    HandLead(8, "Palisade Credit Union", "Open - Not Contacted", "2026-08-31 16:20"),
    HandLead(12, "Juniper Flats Clinics", "Qualified", "2026-07-02 09:30"),
    HandLead(
        12, "Baker's Dozen Foods", "Closed - Converted", "2026-07-09 14:25", "2026-07-30",
        "Baker's Dozen Foods – Streaming starter",
    ),
    HandLead(12, "Redwater Rail Inc.", "Working - Contacted", "2026-07-21 10:40"),
    HandLead(12, "Marl & Chalk Ceramics", "Working - Contacted", "2026-08-04 15:10"),
    HandLead(12, "Prairie Wind Operators", "Closed - Not Converted", "2026-08-11 11:35"),
    HandLead(12, "Tin Lantern Studios", "Open - Not Contacted", "2026-08-26 09:20"),
    HandLead(12, "Osprey Point Marina", "Open - Not Contacted", "2026-09-03 17:05"),
)  # fmt: skip

FIRST_WORDS: tuple[str, ...] = (
    "Alder", "Amber", "Anvil", "Arbour", "Ashlar", "Basalt", "Beacon", "Birchwood", "Blackthorn", "Bramble",
    "Brightwater", "Cairn", "Calder", "Candle", "Cedarline", "Cinder", "Clearmoor", "Copperfield", "Crossbow",
    "Curlew", "Dovetail", "Driftwood", "Eastmere", "Elmhurst", "Ember", "Fallow", "Fenwater", "Fernhill",
    "Flint", "Foxglove", "Gantry", "Glasswing", "Granite", "Greywether", "Harrow", "Hawthorn", "Heron",
    "Hollowell", "Ironbark", "Ivory", "Kestrel", "Millstone", "Sandpiper", "Lantern", "Larch", "Limestone",
    "Linden", "Longmeadow", "Marigold", "Tamarack", "Millrace", "Moorland", "Northgate", "Oakline", "Orchard",
    "Osier", "Pebble", "Pinemarsh", "Quarry", "Redcliff", "Rowan", "Saltmarsh", "Silverbirch", "Thistle",
)  # fmt: skip

SECOND_WORDS: tuple[tuple[str, str], ...] = (
    ("Foods", "Food & drink"), ("Brewing", "Food & drink"), ("Dairy", "Food & drink"),
    ("Logistics", "Transport"), ("Freight", "Transport"), ("Coaches", "Transport"),
    ("Energy", "Energy"), ("Grid", "Energy"), ("Water", "Water"), ("Health", "Health care"),
    ("Clinics", "Health care"), ("Pharma", "Life sciences"), ("Insurance", "Insurance"), ("Mutual", "Insurance"),
    ("Bank", "Banking"), ("Capital", "Banking"), ("Retail", "Retail"), ("Outfitters", "Retail"),
    ("Steel", "Manufacturing"), ("Machines", "Manufacturing"), ("Plastics", "Manufacturing"),
    ("Media", "Media"), ("Games", "Media"), ("Hotels", "Hospitality"), ("Telecom", "Telecommunications"),
)  # fmt: skip

PARTNER_WORDS: tuple[str, ...] = (
    "Consulting", "Systems", "Integration", "Cloud Services", "Data Works", "Digital", "Solutions", "Networks",
    "Advisory", "Software", "Technology", "Analytics Partners", "Managed Services",
)  # fmt: skip

CITIES: tuple[str, ...] = (
    "Aalborg", "Bergen", "Bristol", "Calgary", "Cork", "Cremona", "Denver", "Dresden", "Espoo", "Ghent", "Graz",
    "Haarlem", "Halifax", "Ioannina", "Kassel", "Leeds", "Leuven", "Lille", "Lugano", "Malmö", "Modena",
    "Nantes", "Odense", "Oulu", "Parma", "Patras", "Porto", "Rouen", "Salzburg", "Seville", "Tampere", "Toledo",
    "Trier", "Tulsa", "Utrecht", "Uppsala", "Verona", "Winnipeg", "Zwolle", "York",
)  # fmt: skip

PRODUCTS: tuple[tuple[str, ...], ...] = (
    ("Data platform", "Streaming starter", "Governance suite", "Analytics seats", "Warehouse migration"),
    ("Analytics seats expansion", "Streaming add-on", "Second region", "Governance add-on", "Premium support"),
    ("Platform renewal", "Platform renewal", "Seats renewal", "Support renewal", "Platform renewal"),
)

LOSS_REASONS: tuple[str, ...] = (
    "Price", "Competitor", "No budget", "No decision", "Product gap", "Timing", "Went silent",
)  # fmt: skip

NEXT_STEPS: tuple[str, ...] = (
    "Qualify the need", "First demonstration", "Technical workshop", "Map data sources", "Proof of concept",
    "Send quote", "Security review", "Legal review", "Executive meeting", "Waiting for signature",
)  # fmt: skip

CREDENTIALS: tuple[tuple[str, str], ...] = (
    ("Larkfield Platform Foundations", "Associate"),
    ("Larkfield Sales Essentials", "Associate"),
    ("Larkfield Data Engineer", "Professional"),
    ("Larkfield Governance Practitioner", "Professional"),
    ("Larkfield Solution Architect", "Expert"),
)
