"""Text files: their encoding and delimiter are found out, or taken as told, and said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading_support import BODY, HEAD, LABELS, read, refused

from pbr_lib.reading import How, encodings

WESTERN = "Deal ID,Partner,Stage,Amount\n" + "".join(f"D-{n},Crédito Åland {n},Öffen,26 5\u00ba\n" for n in range(5))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ((HEAD + BODY).encode(), "UTF-8"),
        ((HEAD + BODY).encode("utf-8-sig"), "UTF-8 with BOM"),
        ((HEAD + BODY).encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + (HEAD + BODY).encode("utf-16-be"), "UTF-16"),
        ((HEAD + BODY).encode("utf-32"), "UTF-32"),
        ((HEAD + BODY).encode("utf-16-le"), "UTF-16 without BOM"),
        ((HEAD + BODY).encode("utf-16-be"), "UTF-16 without BOM"),
    ],
)
def test_encodings_are_known_without_being_told(tmp_path: Path, data: bytes, name: str) -> None:
    """A mark, UTF-8 throughout, and the zero bytes of UTF-16: every letter is right."""
    done = read(tmp_path, data)
    assert done.table.facts["encoding"] == name
    assert done.table.labels[0] == "Deal ID"
    assert [row[1] for row in done.rows] == ["Müller & Söhne", "Łódź Works"]


def test_windows_1252_is_said_with_three_cells(tmp_path: Path) -> None:
    """What is no UTF-8 is read as Windows-1252, and three cells show whether that is right."""
    done = read(tmp_path, WESTERN.encode("latin-1"))
    assert done.table.facts["encoding"] == "Windows-1252"
    finding = done.told("was read as Windows-1252")
    assert (finding.severity, finding.row, finding.column) == ("info", 2, "Partner")
    assert finding.value == "Crédito Åland 0 | Öffen | 26 5º"


def test_bytes_that_windows_1252_lacks(tmp_path: Path) -> None:
    """The five bytes without a letter stay what Latin-1 calls them, and nothing fails."""
    assert read(tmp_path, HEAD.encode() + b"D-1,\x93a\x94\x81,,\n").rows[0][1] == "\u201ca\u201d\x81"


@pytest.mark.parametrize(
    ("words", "codec", "name"),
    [
        ("株式会社テスト,東京都,商談", "cp932", "Shift-JIS"),
        ("北京科技有限公司,销售机会,合作伙伴", "gb18030", "GB18030"),
        ("한국 테스트 회사,영업 기회,파트너", "cp949", "EUC-KR"),
    ],
)
def test_east_asian_files(tmp_path: Path, words: str, codec: str, name: str) -> None:
    """Two bytes a letter are known when they fit throughout and stand in words."""
    done = read(tmp_path, (HEAD + f"D-1,{words}\n" * 8).encode(codec))
    assert done.table.facts["encoding"] == name
    assert done.rows[0][1:] == words.split(",")
    done.told(f"was read as {name}")


@given(st.lists(st.text(st.sampled_from("aeiou näöüßéèñçåøÅÉ"), min_size=1, max_size=12), min_size=1, max_size=20))
def test_western_text_is_never_read_as_east_asian(words: list[str]) -> None:
    """Accents between Latin letters fit two-byte encodings by accident, and are not taken for them."""
    data = "\n".join(words).encode("cp1252")
    assert encodings.guessed(data, True)[-1].name == "Windows-1252"
    assert len(encodings.guessed(data, True)) == 2


def test_late_bytes_decide_too(tmp_path: Path) -> None:
    """A file that is UTF-8 for its first megabytes and then is not is Windows-1252 as a whole."""
    data = HEAD.encode() + b"D-1,Acme,Won,1\n" * 200_000 + b"D-2,M\xfcller,Won,1\n"
    done = read(tmp_path, data)
    assert done.table.facts["encoding"] == "Windows-1252"
    assert done.rows[-1][1] == "Müller"
    assert done.told("was read as").row == 200_002


def test_an_encoding_that_is_told_is_taken(tmp_path: Path) -> None:
    """A mapping may name the encoding; a mark that comes with it is no part of the first label."""
    how = How(labels=LABELS, encoding="cp1250")
    done = read(tmp_path, (HEAD + BODY).encode("cp1250"), how=how)
    assert done.rows[1][1] == "Łódź Works"
    assert not done.table.findings
    assert len(read(tmp_path, (HEAD + BODY).encode("utf-8-sig"), how=How(labels=LABELS, encoding="utf-8")).rows) == 2


@pytest.mark.parametrize("encoding", ["ascii", "utf-16", "utf-32", "no-such-thing", "rot13", "hex"])
def test_an_encoding_that_is_wrong(tmp_path: Path, encoding: str) -> None:
    """What is told and does not fit is an error, not a reason to guess."""
    error = refused(tmp_path, HEAD + BODY, how=How(labels=LABELS, encoding=encoding))
    assert encoding in error.what


def test_an_encoding_that_is_doubtful(tmp_path: Path) -> None:
    """A single-byte encoding fits anything; that the file is UTF-8 is told."""
    done = read(tmp_path, HEAD + BODY, how=How(labels=LABELS, encoding="latin-1"))
    assert done.told("it is UTF-8").severity == "warning"


def test_text_that_was_encoded_twice(tmp_path: Path) -> None:
    """Accents that have become two letters are told, with the first cell and how many."""
    finding = read(tmp_path, HEAD + "D-1,CrÃ©dito,,\nD-2,Acme,,\nD-3,a â€“ b,,\n").told("encoded twice")
    assert (finding.severity, finding.row, finding.column, finding.count) == ("warning", 2, "Partner", 2)
    assert finding.value == "CrÃ©dito"
    done = read(tmp_path, HEAD + "D-1,SÃO PAULO Âmbar,,\n")
    assert not done.table.findings


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", "^"])
@pytest.mark.parametrize("labels", [LABELS, frozenset[str]()])
def test_delimiters_are_found(tmp_path: Path, delimiter: str, labels: frozenset[str]) -> None:
    """By the labels where there are any, else by the width of the rows."""
    done = read(tmp_path, (HEAD + BODY).replace(",", delimiter), how=How(labels=labels))
    assert done.table.facts["delimiter"] == delimiter
    assert done.rows[0] == ["D-1", "Müller & Söhne", "Won", "100"]


def test_a_decimal_comma_is_no_delimiter(tmp_path: Path) -> None:
    """Semicolons part the cells though every row has a comma."""
    text = "Deal ID;Partner;Stage;Amount\n" + "".join(f"D-{n};Acme;Won;1.234,{n:02}\n" for n in range(20))
    assert read(tmp_path, text, how=How()).rows[3] == ["D-3", "Acme", "Won", "1.234,03"]


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\r\n', "SEP=;\n", "\ufeffsep=;\n"])
def test_the_line_that_names_the_delimiter(tmp_path: Path, first: str) -> None:
    """It is honoured and dropped, and rows count as Excel shows them: without it."""
    done = read(tmp_path, first + "Deal ID;Partner;Stage;Amount\nD-1;A, B;Won;1.234,56\n")
    assert done.table.header_row == 1
    assert done.numbers == [2]
    assert done.rows == [["D-1", "A, B", "Won", "1.234,56"]]


def test_a_delimiter_that_is_told(tmp_path: Path) -> None:
    """It is taken as it stands; ``\\t`` is a tab; two signs are none."""
    assert read(tmp_path, (HEAD + BODY).replace(",", "\t"), how=How(LABELS, delimiter="\\t")).rows[0][0] == "D-1"
    assert read(tmp_path, (HEAD + BODY).replace(",", "¦"), how=How(LABELS, delimiter="¦")).rows[0][0] == "D-1"
    assert "cannot part" in refused(tmp_path, HEAD, how=How(LABELS, delimiter="||")).what


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_matter(tmp_path: Path, line_end: str) -> None:
    """Unix, Windows and old Macintosh line ends give the same rows."""
    done = read(tmp_path, (HEAD + BODY).replace("\n", line_end))
    assert done.rows == [line.split(",") for line in BODY.splitlines()]
    assert done.numbers == [2, 3]


def test_text_stays_text(tmp_path: Path) -> None:
    """Formulas, markup, code and numbers with leading zeros come through letter by letter."""
    odd = ["=1+1", "<b>x</b>", "'-99", "007", "1e5", "NA", "null", "{{x}}", "a\nb", "a\r\nb", " x ", "\u202e", "&amp;"]
    text = HEAD + "".join(f'L{n},"{value}",x,1\n' for n, value in enumerate(odd))
    assert [row[1] for row in read(tmp_path, text).rows] == odd


def test_a_quote_within_a_cell_is_kept(tmp_path: Path) -> None:
    """An inch sign in a cell without quotes sends the file the strict way, and stays."""
    done = read(tmp_path, HEAD + 'D-1,5" pipe,Won,1\nD-2,"say ""hi""",Won,2\n')
    assert [row[1] for row in done.rows] == ['5" pipe', 'say "hi"']


def test_many_rows_come_in_pieces(tmp_path: Path) -> None:
    """Batches are bounded, and rows keep their numbers over them."""
    done = read(tmp_path, HEAD + "".join(f"D-{n},Acme,Won,{n}\n" for n in range(150_000)) + "Total,,,5\n")
    assert len(done.rows) == 150_000
    assert done.numbers == list(range(2, 150_002))
    assert done.rows[149_999][3] == "149999"
    assert done.reasons == {"total of the report": (150_002,)}


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"\n\n \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe", "empty"),
        (bytes(500), "zero bytes"),
        (HEAD.encode() + b"D-1,a\x00b,,\n", "zero byte"),
        (b"\xef\xbb\xbf" + HEAD.encode() + b"\xff\xfe,,,\n", "not UTF-8 with BOM"),
        (b"\xff\xfe" + HEAD.encode("utf-16-le") + b"\x00\xd8\x00\xd8", "not UTF-16"),
    ],
)
def test_bytes_that_are_no_text(tmp_path: Path, data: bytes, what: str) -> None:
    """Empty, damaged, or not what its own mark says."""
    assert what in refused(tmp_path, data).what


def test_running_text_is_no_table(tmp_path: Path) -> None:
    """A letter or a manual is refused as such when nobody has mapped it."""
    prose = "Dear partner,\nthank you for the quarter. We have, as agreed, met.\nIt was good, and long. So be it.\n"
    assert "running text" in refused(tmp_path, prose, "note.txt", How()).what
    assert "no row holds" in refused(tmp_path, prose, "note.txt").what
