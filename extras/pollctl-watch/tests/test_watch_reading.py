"""What is read of pages and documents."""

import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import seen, text

from pollctl_watch.client.lines import LONGEST

PAGE = """<!doctype html><html><head><title> The   shop </title><style>p {}</style></head><body>
<script>var x = 1</script><h1>Bicycle</h1><p class="price">899,00&nbsp;€</p><p>A <b>red</b>
one<br>for <a href="/town">town</a></p><ul><li>b</li><li>a</li><li>b</li></ul><!-- 12:00 --></body></html>"""
FEED = """<?xml version="1.0" encoding="iso-8859-1"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:m="urn:m">
<title>Gr\xfc\xdfe</title><m:level>3</m:level></feed>"""
OFFERS = '{"b": 1, "a": "x", "offers": [{"price": 899, "at": "Ulm"}, {"price": 799, "at": "Bonn"}]}'


def test_a_page_is_its_visible_text_each_block_a_line() -> None:
    assert text(PAGE).splitlines() == ["Bicycle", "899,00 €", "A red one", "for town", "b", "a", "b"]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"select": ".price"}, "899,00 €"),
        ({"select": "ul > li:first-child"}, "b"),
        ({"select": "li"}, "b\na\nb"),
        ({"xpath": "//li"}, "b\na\nb"),
        ({"xpath": "//a/@href"}, "/town"),
        ({"xpath": "count(//li)"}, "3"),
        ({"xpath": "string(//title)"}, "The shop"),
        ({"select": "title"}, "The shop"),
        ({"select": "li", "sort": True, "unique": True}, "a\nb"),
        ({"select": "p", "without": ("b", ".price")}, "A one\nfor town"),
        ({"without": ("ul, p", "h1")}, ""),
        ({"select": "p", "links": True}, "899,00 €\nA red one\nfor town </town>"),
        ({"select": "p", "lines": ("^A", "€$")}, "899,00 €\nA red one"),
        ({"select": "p", "ignore": ("A red", r"\d+,\d\d")}, "€\none\nfor town"),
        ({"regex": r"(\d+),\d\d"}, "899"),
        ({"select": "p", "regex": "^(?:A|for) .*"}, "A red one\nfor town"),
    ],
)
def test_selectors_and_filters(keys: dict[str, Any], found: str) -> None:
    assert text(PAGE, **keys) == found


@pytest.mark.parametrize(
    ("json", "found"),
    [
        ("offers[0].price", "899"),
        ("a", "x"),
        ("offers[].at", "Ulm\nBonn"),
        ("offers[0]", '{\n"at": "Ulm",\n"price": 899\n}'),
        ("length(offers)", "2"),
    ],
)
def test_json_by_an_expression(json: str, found: str) -> None:
    assert text(OFFERS, "application/json", json=json) == found


def test_json_in_another_order_is_the_same() -> None:
    assert text('{"a": 1, "b": 2}', "application/json") == text('{"b":2,"a":1}', "application/ld+json")


@pytest.mark.parametrize(
    ("xpath", "found"),
    [("", "Grüße\n3"), ("/x:feed/x:title", "Grüße"), ("//m:level", "3"), ("//x:title/text()", "Grüße")],
)
def test_xml_by_an_expression(xpath: str, found: str) -> None:
    assert text(FEED.encode("latin-1"), "application/atom+xml", xpath=xpath) == found


def test_an_entity_is_not_read() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>1&e;2</a>'
    assert text(bomb, "text/xml") == "1\n&e;\n2"


def test_a_text_is_compared_as_it_is_with_blanks_folded() -> None:
    assert text("a   b\r\n\n\n c\t", "text/plain") == "a b\nc"


def test_bytes_are_compared_by_size_and_hash() -> None:
    assert text(b"\0\1", "application/zip").startswith("2 bytes\nsha256 ")
    assert text("<p>a</p>", media="application/zip") != text(b"\0", "application/zip")


def pdf_of(words: str) -> bytes:
    """A page with some words on it."""
    stream = f"BT /F 12 Tf 9 9 Td ({words}) Tj ET"
    objects = [
        "<</Type /Catalog /Pages 2 0 R>>",
        "<</Type /Pages /Kids [3 0 R] /Count 1>>",
        "<</Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R /Resources <</Font <</F 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream",
        "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
    ]
    body, places = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{one}\nendobj\n"
    rows = "".join(f"{place:010} 00000 n \n" for place in places)
    table = f"xref\n0 6\n0000000000 65535 f \n{rows}trailer\n<</Size 6 /Root 1 0 R>>\n"
    return f"{body}{table}startxref\n{len(body)}\n%%EOF".encode()


def test_a_pdf_is_its_text() -> None:
    from pypdf import PdfWriter

    file = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(72, 72)
    writer.write(file)
    assert text(file.getvalue(), "application/pdf") == ""
    assert text(pdf_of("Sold out"), "application/pdf") == "Sold out"
    with pytest.raises(ValueError, match=r"the PDF of 3 bytes cannot be read"):
        text(b"PDF", "application/pdf")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("Grüße".encode(), "text/html"),
        ("Grüße".encode("latin-1"), "text/html"),
        ("Grüße".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ("Grüße – „“".encode("cp1252"), "text/html; charset=iso-8859-1"),
        (b"\xef\xbb\xbf" + "Grüße".encode(), "text/html; charset=latin-1"),
        ("Grüße".encode("utf-16"), "text/html"),
        ('<meta charset="windows-1252">Grüße'.encode("cp1252"), "text/html"),
        ('<meta http-equiv=content-type content="text/html; charset=latin1">Grüße'.encode("cp1252"), "text/html"),
        ("Grüße".encode(), "text/html; charset=nonesuch"),
        ("Grüße".encode(), "text/html; charset=base64"),
        ('<meta charset="utf-16">Grüße'.encode(), "text/html"),
    ],
)
def test_the_encoding_is_the_one_that_browsers_take(body: bytes, kind: str) -> None:
    assert text(body, kind).startswith("Grüße")


@pytest.mark.parametrize(
    ("body", "keys", "why"),
    [
        (PAGE, {"select": ".nonesuch"}, r"nothing matches '.nonesuch' in the page 'The shop' of 287 bytes"),
        ("", {"select": "p"}, "nothing matches 'p' in an answer of 0 bytes without a title"),
        (PAGE, {"json": "a"}, "JSON"),
        (OFFERS, {"json": "nonesuch"}, "nothing matches 'nonesuch'"),
        (OFFERS, {"json": "]"}, "json: ']' cannot be read"),
        (PAGE, {"select": "p["}, "'p.' is not a CSS selector"),
        (PAGE, {"xpath": "//["}, "xpath: '//.' cannot be read"),
        (PAGE, {"kind": "xml"}, "it is not XML"),
        ("<p>sold out</p>", {"when": "number < 5"}, "there is no number in 'sold out'"),
    ],
)
def test_what_cannot_be_read_says_why(body: str, keys: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        text(body, **keys)


def test_a_selector_that_matches_nothing_is_an_answer_where_that_is_waited_for() -> None:
    assert not seen(PAGE, select=".nonesuch", when="appears").is_there
    assert seen(PAGE, select=".price", when="disappears").is_there


def test_every_status_is_an_answer_where_it_is_waited_for() -> None:
    assert seen("", status=503, when="status != 200").status == 503


def test_of_a_very_long_text_every_change_is_seen_and_not_all_is_kept() -> None:
    long = "word " * LONGEST
    first, second = text(f"{long}1", "text/plain"), text(f"{long}2", "text/plain")
    assert first != second
    assert len(first) < LONGEST + 100


@pytest.mark.parametrize("body", [b"\0\xff<", b"<" * 5000, b"<p>" * 20_000, b"<a b=" * 3000, b"]]>&#0;&#x110000;"])
def test_a_broken_page_is_read_as_far_as_it_goes(body: bytes) -> None:
    text(body)


@given(
    st.binary(max_size=200),
    st.sampled_from(["html", "xml", "json", "text", "bytes"]),
    st.sampled_from(["", "//p", "//@a"]),
)
def test_whatever_arrives_is_read_or_says_why_not(body: bytes, kind: str, xpath: str) -> None:
    keys = {"xpath": xpath} if kind in ("html", "xml") else {}
    with suppress(ValueError):
        text(body, kind=kind, links=True, **keys)


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<b class=a>",
                "<script>",
                "<a href=x>",
                "1 €",
                "&nbsp;",
                "<!--",
                "-->",
                "\x0b",
                "<",
                "<?x",
                "]]>",
            ]
        )
    )
)
def test_any_mixture_of_tags_is_read(pieces: list[str]) -> None:
    text("".join(pieces), without=(".a",), links=True, sort=True)
