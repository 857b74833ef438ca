"""Zip packages: equal content gives equal bytes, whenever and in whatever order it was packed."""

from __future__ import annotations

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from pbr_lib import archives

_NAMES = st.text("abc/é._", min_size=1, max_size=8).filter(lambda name: not name.startswith("/"))


def package(parts: dict[str, bytes], year: int = 2026) -> bytes:
    """A zip of these parts, in this order, packed in that year."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, content in parts.items():
            target.writestr(zipfile.ZipInfo(name, (year, 5, 6, 7, 8, 10)), content)
    return out.getvalue()


def parts_of(data: bytes) -> dict[str, bytes]:
    """The parts of a zip, in its order."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        assert source.testzip() is None
        return {name: source.read(name) for name in source.namelist()}


@given(st.dictionaries(_NAMES, st.binary(max_size=50), max_size=5), st.randoms())
def test_order_and_clock_do_not_matter(parts: dict[str, bytes], random: object) -> None:
    """The same parts in another order and from another year give the same bytes, and lose nothing."""
    names = list(parts)
    random.shuffle(names)  # type: ignore[attr-defined]
    once = archives.rewrite(package(parts))
    assert once == archives.rewrite(package({name: parts[name] for name in names}, year=1999))
    assert archives.rewrite(once) == once
    assert parts_of(once) == parts


def test_the_table_of_contents_comes_first() -> None:
    """Readers that stream a workbook find its table of contents before its parts."""
    data = archives.rewrite(package({"a.xml": b"1", "[Content_Types].xml": b"2", "Z.xml": b"3"}))
    assert list(parts_of(data)) == ["[Content_Types].xml", "Z.xml", "a.xml"]


def test_parts_can_be_edited_on_the_way() -> None:
    """The edit sees each part once with its name, and its answer is what is packed."""
    seen = []

    def edit(name: str, content: bytes) -> bytes:
        seen.append(name)
        return content.upper()

    assert parts_of(archives.rewrite(package({"b": b"x", "a": b"y"}), edit)) == {"a": b"Y", "b": b"X"}
    assert seen == ["a", "b"]


def test_only_the_clock_of_the_core_is_stamped() -> None:
    """Created and modified get the stamp, any other text stays."""
    core = (
        b'<dc:creator>2026-01-01</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">2020-01-01T00:00:00Z'
        b'</dcterms:created><dcterms:modified xsi:type="dcterms:W3CDTF">2021-01-01T00:00:00Z</dcterms:modified>'
    )
    stamped = archives.stamped_core(core, "2026-09-04T00:00:00Z")
    assert stamped.count(b"2026-09-04T00:00:00Z") == 2
    assert b"<dc:creator>2026-01-01</dc:creator>" in stamped
    assert archives.stamped_core(stamped, "2026-09-04T00:00:00Z") == stamped
    assert archives.stamped_core(b"<other/>", "2026-09-04T00:00:00Z") == b"<other/>"
