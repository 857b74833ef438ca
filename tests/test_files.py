"""Files are there whole or not at all; a partner's id makes a name that every file system takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import files


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    """JSON is canonical: the order in which keys were put in does not show."""
    one = files.write_json(tmp_path / "one.json", {"b": "ü極", "a": [1, None]})
    other = files.write_json(tmp_path / "deep" / "er" / "other.json", {"a": [1, None], "b": "ü極"})
    assert one == other == (tmp_path / "one.json").read_bytes() == b'{"a":[1,null],"b":"\xc3\xbc\xe6\xa5\xb5"}'
    assert files.read_json(tmp_path / "deep" / "er" / "other.json") == {"a": [1, None], "b": "ü極"}


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Nothing but the file itself remains, whatever was there before."""
    for text in (b"a long first version", b"short"):
        files.write_bytes(tmp_path / "file.bin", text)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file.bin", b"short")]


def test_what_cannot_be_read_is_nothing(tmp_path: Path) -> None:
    """A missing, damaged or foreign file is None, so that it is made again."""
    (tmp_path / "half.json").write_text('{"a": 1')
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    assert [files.read_json(tmp_path / name) for name in ("half.json", "binary.json", "absent.json")] == [None] * 3


@pytest.mark.parametrize("safe", ["P-001", "p-001", "7", "ACME_42", "0012345"])
def test_plain_ids_are_their_own_names(safe: str) -> None:
    """Ids in one case, of letters, digits, hyphen and underscore, stay as they are."""
    assert files.folder_name(safe) == safe


ODD = ["", ".", "..", "a/b", "a\\b", "../../etc", "con", "NUL", "lpt1", "index", "INDEX", "-x", "_x", "a b", "ü", "極"]
ODD += ["a:b", "P.1", "x" * 62, "\u202e", "a\n", "AbC"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_ids_get_a_safe_name_of_their_own(odd: str) -> None:
    """No separator, no device, no hidden file, no name that would be the index of the slices."""
    name = files.folder_name(odd)
    assert name != odd
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
    assert name[0] != "-"
    assert len(name) <= 60


@given(st.text(max_size=8), st.text(max_size=8))
def test_two_ids_never_share_a_name(one: str, other: str) -> None:
    """Not even where the file system takes upper and lower case for one, unless the ids differ in nothing else."""
    if one.casefold() != other.casefold():
        assert files.folder_name(one).lower() != files.folder_name(other).lower()


def test_ids_in_mixed_case_stay_apart_everywhere() -> None:
    """Ids of a CRM that differ in case only are two folders on every file system."""
    names = {files.folder_name(key).lower() for key in ("001D000000IqhSL", "001D000000IqhSl", "001D000000iqhSL")}
    assert len(names) == 3


def test_code_digest_names_the_code() -> None:
    """The fingerprint of the package is a stable hexadecimal text."""
    assert files.code_digest() == files.code_digest()
    assert int(files.code_digest(), 16)
