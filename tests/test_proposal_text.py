"""Whatever stands in an export becomes YAML that reads back as the very same text, on its own line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbr_lib import yamlfile
from pbr_lib.proposal_text import Draft, Line, comment, render, scalar
from pbr_lib.proposal_words import Meaning

ANY = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=300)


def read_back(draft: Draft, folder: Path) -> Any:
    path = folder / "draft.yaml"
    path.write_bytes(render(draft).encode())
    return yamlfile.read(path, "draft.yaml").data


@given(label=ANY, word=ANY)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_reads_back(tmp_path: Path, label: str, word: str) -> None:
    draft = Draft("deals", "opportunities", heading=(f"Proposed for {comment((label,))}",))
    draft.columns = [Line(label, "stage", comment([word, label]))]
    draft.values = {"stage": (Meaning(word, "won", 2, "because"),)}
    draft.where = [Line(label, f"[{scalar(word)}]")]
    draft.key = (label, word)
    draft.ignore = [Line(word, "", comment([label]))]
    data = read_back(draft, tmp_path)
    assert data["columns"] == {label: "stage"}
    assert data["values"] == {"stage": {word: "won"}}
    assert (data["where"], data["key"], data["ignore"]) == ({label: [word]}, [label, word], [word])


@pytest.mark.parametrize(
    "text",
    [
        'Fälle: "A" #1',
        " lead",
        "yes",
        "No",
        "=x",
        "😀",
        "a" * 2000,
        "\n" * 300,
        "a\nb",
        "1",
        "1e3",
        "2026-01-01",
        "~",
        "null",
        "- x",
        "{x}",
        "[x",
        "%x",
        "@a",
        "`a",
        "0x1",
        ".5",
        "x #y",
        "x:",
        "? x",
        "| x",
        "> x",
        "!x",
        "&a",
        "*a",
        "\ufeff",
        "\x07",
    ],
)
def test_nasty_texts_read_back(tmp_path: Path, text: str) -> None:
    draft = Draft("deals", "opportunities")
    draft.columns = [Line(text, "stage")]
    assert read_back(draft, tmp_path)["columns"] == {text: "stage"}


@pytest.mark.parametrize("text", ["Deal - Title", "Close Date", "Größe", "stage_name", "A (B)", "Q1"])
def test_plain_words_stay_plain(text: str) -> None:
    assert scalar(text) == text


def test_a_comment_stays_on_its_line() -> None:
    assert comment(["a\nb\x00c", "x" * 60]) == "a b c; " + "x" * 39 + "…"
    assert len(comment(["x" * 40] * 9)) == 110


def test_a_rare_sign_costs_no_time() -> None:
    assert scalar("a" + ")" * 5000 + "!").startswith('"')
