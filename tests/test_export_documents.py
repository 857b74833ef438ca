"""The parts of an executed notebook: what prints, in which form, and which notebooks are refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import nbformat
import pandas as pd
import pytest

from pbr_lib import blocks
from pbr_lib.errors import RenderError
from pbr_lib.export.documents import Part, cover, parts, safe_url, syntax_tree
from pbr_lib.model import Label


def code(*outputs: Any, tags: tuple[str, ...] = (), run: bool = True) -> Any:
    """A code cell with those outputs."""
    count = 1 if run else None
    return nbformat.v4.new_code_cell("x", outputs=list(outputs), execution_count=count, metadata={"tags": list(tags)})


def shown(**data: Any) -> Any:
    """An output of a mimebundle; ``text_html`` stands for ``text/html``."""
    names = {"svg": "image/svg+xml", "png": "image/png", "block": blocks.MIMETYPE}
    bundle = {names.get(key, key.replace("_", "/", 1)): value for key, value in data.items()}
    return nbformat.v4.new_output("display_data", data=bundle)


def stream(text: str, name: str = "stdout") -> Any:
    """An output of printed text."""
    return nbformat.v4.new_output("stream", name=name, text=text)


def found(*cells: Any) -> tuple[Part, ...]:
    """The parts of a notebook with those cells; a string is a Markdown cell."""
    made = [nbformat.v4.new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return parts(nbformat.v4.new_notebook(cells=made))


def frame_of(html: str) -> dict[str, Any]:
    """The only frame of an HTML output."""
    (part,) = found(code(shown(text_html=html)))
    assert part.kind == "frame"
    return dict(part.data)


# ------------------------------------------------------------------------------------------ selection


def test_cells_print_in_order() -> None:
    """Markdown cells and outputs come in the order of the notebook, each with the index of its cell."""
    made = found("# One", code(shown(text_plain="two"), stream("three\n")), "  ", "four")
    assert [(part.kind, part.cell, part.data) for part in made] == [
        ("markdown", 0, "# One"),
        ("text", 1, "two"),
        ("text", 1, "three"),
        ("markdown", 3, "four"),
    ]


@pytest.mark.parametrize("tag", ["setup", "check", "parameters", "injected-parameters"])
def test_tagged_cells_are_for_the_analyst(tag: str) -> None:
    """Cells with these tags print nothing, neither prose nor output."""
    note = nbformat.v4.new_markdown_cell("for you", metadata={"tags": [tag]})
    assert found(note, code(shown(text_plain="x"), tags=(tag,))) == ()


@pytest.mark.parametrize("tag", ["remove_output", "remove-output", "remove_cell"])
def test_removed_outputs_do_not_print(tag: str) -> None:
    """nbconvert's own tags for leaving an output out are honoured."""
    assert found(code(shown(text_plain="x"), tags=(tag,))) == ()


def test_other_tags_print() -> None:
    """Tags that hide input or mark prose leave the output where it is."""
    assert len(found(code(shown(text_plain="x"), tags=("hide-input", "words")))) == 1


def test_raw_cells_and_stderr_never_print() -> None:
    """Raw cells belong to other tools, and warnings to the analyst."""
    assert found(nbformat.v4.new_raw_cell("raw"), code(stream("careful", "stderr"))) == ()


def test_terminal_codes_are_stripped() -> None:
    """Colours of a terminal vanish, and of a line written over itself the last state stays."""
    (part,) = found(code(stream("\x1b[31mred\x1b[0m\n10 %\r100 %\n\n")))
    assert part.data == "red\n100 %"


def test_empty_outputs_are_nothing() -> None:
    """An output without a letter prints nothing."""
    assert (
        found(code(stream("\n \n"), shown(text_plain=""), shown(text_markdown=" "), shown(text_html="<i></i>"))) == ()
    )


# ------------------------------------------------------------------------------------------ mimetypes


def test_block_wins_and_keeps_its_pictures() -> None:
    """A block is the truth; the pictures beside it travel along."""
    chart = blocks.Chart("c", "T", "alt", "<svg/>", b"png", {"x": [1]}, {})
    (part,) = found(code(nbformat.v4.new_output("display_data", data=chart._repr_mimebundle_())))
    assert part.kind == "block"
    assert part.data == chart.as_json()
    assert part.pictures == {"image/svg+xml": "<svg/>", "image/png": "cG5n"}


def test_order_of_preference() -> None:
    """Markdown before frames, frames before pictures, pictures before text."""
    table = "<table><tr><td>1</td></tr></table>"
    outputs = [
        shown(text_markdown="*m*", text_html=table, text_plain="p"),
        shown(text_html=table, png="cG5n", text_plain="p"),
        shown(text_html="<b>h</b>", png="cG\n5n", svg="<svg/>", text_plain="p"),
        shown(text_latex="$x$", text_html="<b>h</b>", text_plain="p"),
        shown(text_html="<p>a <b>b</b></p><script>s()</script><p>c</p>", text_plain="p"),
        shown(text_plain="p"),
    ]
    made = found(code(*outputs))
    assert [part.kind for part in made] == ["markdown", "frame", "image", "text", "text", "text"]
    assert [part.data for part in made[3:]] == ["$x$", "a b\nc", "p"]
    assert made[2].pictures == {"image/svg+xml": "<svg/>", "image/png": "cG5n"}
    assert made[2].data == {"alt": ""}


@pytest.mark.parametrize("metadata", [{"alt": "A dot"}, {"image/png": {"alt": "A dot"}}])
def test_alternative_text_of_a_picture(metadata: dict[str, Any]) -> None:
    """An analyst's picture takes its alternative text from the metadata of the output."""
    output = nbformat.v4.new_output("display_data", data={"image/png": "cG5n"}, metadata=metadata)
    assert found(code(output))[0].data == {"alt": "A dot"}


# --------------------------------------------------------------------------------------------- frames


def test_default_index_is_left_out() -> None:
    """Nobody reads the 0, 1, 2 that pandas puts before each row."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "<y>"]})
    assert frame_of(frame._repr_html_()) == {
        "columns": ["a", "b"],
        "rows": [["1", "x"], ["2", "<y>"]],
        "index": False,
    }


def test_named_index_stays() -> None:
    """An index with a name or with values of its own is part of the table."""
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["n", "s"], name="region"))
    assert frame_of(frame._repr_html_()) == {
        "columns": ["region", "a"],
        "rows": [["n", "1"], ["s", "2"]],
        "index": True,
    }


def test_levels_are_flattened() -> None:
    """Heads of several levels become one line, and spans over rows are filled in."""
    columns = pd.MultiIndex.from_tuples([("Q1", "won"), ("Q1", "lost"), ("Q2", "won")])
    index = pd.MultiIndex.from_tuples([("N", "a"), ("N", "b")], names=["region", "partner"])
    made = frame_of(pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=columns, index=index)._repr_html_())
    assert made["columns"] == ["region", "partner", "Q1 / won", "Q1 / lost", "Q2 / won"]
    assert made["rows"][1] == ["N", "b", "4", "5", "6"]


def test_empty_frame_keeps_its_columns() -> None:
    """A DataFrame without rows still says which columns it has."""
    made = frame_of(pd.DataFrame({"a": [], "b": []})._repr_html_())
    assert made == {"columns": ["a", "b"], "rows": [], "index": False}


def test_tables_without_a_head_and_absurd_spans() -> None:
    """A table of plain cells has empty labels, and a huge span does not fill the memory."""
    made = frame_of('<table><tr><td>1</td><td colspan="999999999">2</td></tr></table>')
    assert made["rows"][0][:2] == ["1", "2"]
    assert len(made["rows"][0]) == 1001
    assert set(made["columns"]) == {""}


def test_several_tables_are_several_frames() -> None:
    """Each outermost table of an output is a frame, a nested one is text of its cell."""
    html = "<table><tr><td>a<table><tr><td>b</td></tr></table></td></tr></table><table><tr><td>c</td></tr></table>"
    assert [part.data["rows"] for part in found(code(shown(text_html=html)))] == [[["a b"]], [["c"]]]


# ------------------------------------------------------------------------------------------- refusals


def test_error_is_refused() -> None:
    """A notebook that ended in an error is refused, wherever the error is, naming it and its cell."""
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="\x1b[31mbad\x1b[0m", traceback=[])
    with pytest.raises(RenderError) as caught:
        found("# One", code(error, tags=("check",)))
    assert caught.value.what == "the notebook ended in an error: ValueError: bad"
    assert caught.value.where == "cell 2"
    assert caught.value.fix == "mend the cell and run the notebook from top to bottom"


def test_papermill_banner_is_refused() -> None:
    """The banner that Papermill leaves in a broken notebook is enough to refuse it."""
    banner = nbformat.v4.new_markdown_cell("An Exception", metadata={"tags": ["papermill-error-cell-tag"]})
    with pytest.raises(RenderError, match="ended in an error"):
        found(banner)


def test_unrun_notebook_is_refused() -> None:
    """A notebook with code that was never executed is refused; one without code is prose."""
    with pytest.raises(RenderError, match="the notebook has not been run"):
        found("# One", code(run=False))
    assert len(found("# One")) == 1


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"version": 2, "kind": "table"}, "'table' has layout version 2"),
        ({"version": 1, "kind": "hologram"}, "'hologram' is not known"),
        ({}, "layout version None"),
        ("nonsense", "layout version None"),
    ],
)
def test_unknown_blocks_are_refused(block: Any, words: str) -> None:
    """A block of another version or kind is refused, naming cell and kind."""
    with pytest.raises(RenderError, match=words) as caught:
        found("# One", code(shown(block=block)))
    assert caught.value.where == "cell 2"
    assert caught.value.fix


# ---------------------------------------------------------------------------------------------- cover


def test_cover_is_the_first_one() -> None:
    """The first cover block heads the document."""
    first = blocks.Cover("First", "", "", {"quarter": "2026-Q3"})
    second = dataclasses.replace(first, title="Second")
    made = found(*(code(shown(block=block.as_json())) for block in (first, second)))
    assert cover(made) == first.as_json()


def test_neutral_cover_has_every_key() -> None:
    """Without a cover block there is a neutral one of the same layout, under the given title."""
    neutral = cover(found("# Hi"))
    assert neutral["title"] == "Notebook"
    assert neutral.keys() == blocks.Cover("", "", "", {}).as_json().keys()
    assert cover((), "Portfolio")["title"] == "Portfolio"


# ------------------------------------------------------------------------------------ Markdown, links


def text_of(nodes: Any) -> str:
    """All text of a syntax tree."""
    return "".join(node.get("raw", "") + text_of(node.get("children", ())) for node in nodes)


def test_entities_are_read_and_names_stay_names() -> None:
    """``&amp;`` in prose is the sign; the same letters in an escaped name stay as they are."""
    assert text_of(syntax_tree("A &amp; B &euro;")) == "A & B €"
    name = "R&amp;D *x* <b> [y](z) ~~n~~ $5 # | http://a.b"
    assert text_of(syntax_tree(f"Deal {Label(name)}")) == f"Deal {name}"


def test_tables_and_strikethrough_are_known() -> None:
    """The Markdown that people write in notebooks is read: tables, strikethrough, raw HTML apart."""
    kinds = [node["type"] for node in syntax_tree("| a |\n|---|\n| 1 |\n\n~~x~~\n\n<div>h</div>\n")]
    assert kinds[0] == "table"
    assert "block_html" in kinds
    assert any(node["type"] == "strikethrough" for node in syntax_tree("~~x~~")[0]["children"])


@pytest.mark.parametrize("url", ["https://a.example/x?y=1&z=2", "HTTP://a.example", "mailto:a@b.example"])
def test_safe_links(url: str) -> None:
    """Web and mail addresses may be clicked."""
    assert safe_url(f" {url} ") == url


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:x", "data:text/html,x", "file:///etc/passwd",
     "//a.example", "/x", "#x", "", "https:", "https://", "mailto:", "http://[x", "https://a b.example", "\x01https://a.example"],
)  # fmt: skip
def test_unsafe_links(url: str) -> None:
    """Everything else is no link."""
    assert safe_url(url) is None
