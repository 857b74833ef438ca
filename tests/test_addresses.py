"""Addresses in messages: what they reach is told, what opens them is not."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib.addresses import holds_secret, shown, without_secrets


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://ann:pa55word@db.example:5432/crm", "postgresql://db.example:5432/crm"),
        ("postgresql://ann@db.example/crm?sslmode=require", "postgresql://db.example/crm"),
        ("postgresql://ann:a/b@db.example/crm", "postgresql://db.example/crm"),
        ("postgresql://ann:a?b@db.example/crm", "postgresql://db.example/crm"),
        ("postgresql://ann:a@b@db.example/crm", "postgresql://db.example/crm"),
        ("sqlite:///crm.db", "sqlite:///crm.db"),
        ("https://host.example/deals.csv?sig=abc&mail=a@b.example", "https://host.example/deals.csv"),
        ("https://host.example:8443/deals.csv?mail=a@b.example", "https://host.example:8443/deals.csv"),
        ("zip://deals.csv::https://u:p@host.example/a.zip?token=t", "zip://deals.csv::https://host.example/a.zip"),
        ("s3://exports/2026/*.csv", "s3://exports/2026/*.csv"),
    ],
)
def test_what_is_shown_of_an_address(address: str, expected: str) -> None:
    """Scheme, host and path are shown; user, password and options are not."""
    assert shown(address) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://ann@db.example/crm", False),
        ("postgresql://ann:pw@db.example/crm", True),
        ("postgresql://db.example/crm?password=pw", True),
        ("https://token@host.example/a.csv", True),
        ("https://host.example/a.csv?sig=abc", True),
        ("https://host.example/a.csv?year=2026", False),
        ("duckdb://crm.duckdb", False),
    ],
)
def test_which_addresses_hold_a_secret(address: str, expected: bool) -> None:
    """A password, a token as a user, and an option that is called like one are secrets."""
    assert holds_secret(address) is expected


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=20))
def test_no_password_survives(password: str) -> None:
    """However it is written into an address, a password is in nothing that is shown or quoted from a driver."""
    # Signs that do not occur in what is expected below, so that finding them means finding the password.
    secret = f"~{password}~"
    for written in (quote(secret, safe=""), quote_plus(secret), secret.replace("@", "%40").replace(":", "%3A")):
        address = f"postgresql://ann:{written}@db.example/crm"
        if any(sign in written for sign in "?#/"):
            continue
        assert shown(address) == "postgresql://db.example/crm"
        said = without_secrets(f"no user {written} at {address}, nor {secret}", address)
        assert secret not in said
        assert written not in said
    option = f"https://host.example/a.csv?token={quote(secret, safe='')}"
    assert secret not in without_secrets(f"401 {option} {secret}", option)
