"""Thirty pages as they are in the wild: what is odd about each, and what a watch reads of it all the same."""

import gzip
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from pages import seen

from pollctl.fakes import ServerRequest, ServerResponse
from pollctl.testing import Bench

HTML = "text/html; charset=utf-8"


class Page(NamedTuple):
    """A page, the keys of a watch, and what it reads; *number* where one is asked for."""

    odd: str
    body: str | bytes
    keys: dict[str, Any]
    text: str
    number: str = ""
    media: str = HTML


NUMBER = {"when": "number < 5"}
PAGES = [
    Page("a price in three elements", "<span class=price><sup>$</sup><span>1,299</span><sup>.99</sup></span>", {"select": ".price", **NUMBER}, "$1,299.99", "1299.99 $"),
    Page("a price with a dash for no cents", "<div id=p>ab 1.099,– €*</div>", {"select": "#p", **NUMBER}, "ab 1.099,– €*", "1099"),
    Page("a price in its data", '<script type="application/ld+json">{"offers": {"price": "799.00"}}</script>', {"xpath": "//script", "regex": r'"price":\s*"([\d.]+)"', **NUMBER}, "799.00", "799"),
    Page("a price in an attribute", '<meta property="product:price:amount" content="49.90">', {"xpath": "//meta[@property='product:price:amount']/@content", **NUMBER}, "49.90", "49.9"),
    Page("an old price that is struck out", "<p><del>999 €</del> <ins>899 €</ins></p>", {"select": "p", "without": ("del",), **NUMBER}, "899 €", "899 €"),
    Page("narrow blanks between thousands", "<b>12\u202f345 kr</b>", {"select": "b", **NUMBER}, "12 345 kr", "12345"),
    Page("entities, some without their end", "<p>Caf&eacute; &amp; Bar &lt3 &copy 2026</p>", {"select": "p"}, "Café & Bar <3 © 2026"),
    Page("tags that nobody closes", "<ul><li>one<li>two<table><tr><td>a<td>b<tr><td>c</ul>", {"select": "li"}, "one\ntwo\na\nb\nc"),
    Page("no html, no body", "plain <b>bold</b> words", {}, "plain bold words"),
    Page("upper case throughout", "<HTML><BODY><DIV CLASS='Stock'>IN STOCK</DIV></BODY></HTML>", {"select": "div.Stock"}, "IN STOCK"),
    Page("XHTML with its namespace", '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>a</p><br/>b</body></html>', {"select": "p"}, "a", "", "application/xhtml+xml"),
    Page("a conditional comment of old browsers", "<!--[if IE]><p>old</p><![endif]--><p>new</p>", {"select": "p"}, "new"),
    Page("a notice for who has no scripts", "<noscript>Please enable scripts</noscript><p>text</p>", {}, "text"),
    Page("a template that is not shown", "<template><p>{{ price }}</p></template><p>5</p>", {}, "5"),
    Page("a counter and a clock beside the text", "<p>News</p><p>31 people are here</p><p>12:04:55</p>", {"ignore": (r"\d+ people are here", r"\d\d:\d\d:\d\d")}, "News"),
    Page("rows in another order each time", "<table><tr><td>b<tr><td>a</table>", {"select": "td", "sort": True}, "a\nb"),
    Page("a list that repeats itself", "<p>a</p><p>b</p><p>a</p>", {"select": "p", "unique": True}, "a\nb"),
    Page("Cyrillic in the encoding of Windows", "<p>Есть</p>".encode("cp1251"), {"select": "p"}, "Есть", "", "text/html; charset=windows-1251"),
    Page("Japanese that says so itself", '<meta charset="Shift_JIS"><p>在庫あり</p>'.encode("cp932"), {"select": "p"}, "在庫あり", "", "text/html"),
    Page("Chinese that says less than it uses", "<meta charset=gb2312><p>€ 有货 㐀</p>".encode("gb18030"), {"select": "p"}, "€ 有货 㐀", "", "text/html"),
    Page("Polish in Latin 2", '<?xml version="1.0" encoding="iso-8859-2"?><p>żółw</p>'.encode("iso-8859-2"), {"select": "p"}, "żółw", "", "text/html"),
    Page("a mark that contradicts the header", b"\xef\xbb\xbf<p>\xc3\xa4</p>", {"select": "p"}, "ä", "", "text/html; charset=iso-8859-1"),
    Page("bytes that are no text among it", b"<p>a\x00b\xff</p>", {"select": "p"}, "a\ufffdb\ufffd"),
    Page("Arabic digits", "<p>السعر ١٢٣ ريال</p>", {"select": "p", **NUMBER}, "السعر ١٢٣ ريال", "123"),
    Page("the status of a service as JSON", '{"status": {"indicator": "none", "description": "All Systems Operational"}}', {"json": "status.description"}, "All Systems Operational", "", "application/json; charset=utf-8"),
    Page("releases as JSON", '[{"tag_name": "v2.1", "draft": false}, {"tag_name": "v2.0", "draft": true}]', {"json": "[?!draft].tag_name | [0]"}, "v2.1", "", "application/vnd.github+json"),
    Page("JSON that calls itself text", '{"a": {"free": 3}}', {"json": "a.free", **NUMBER}, "3", "3", "text/plain"),
    Page("a map of a site", '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://a.example.net/1</loc></url></urlset>', {"xpath": "//x:loc"}, "https://a.example.net/1", "", "application/xml"),
    Page("a calendar", "BEGIN:VEVENT\r\nSUMMARY:Tide\r\nDTSTAMP:20260302T090000Z\r\nEND:VEVENT\r\n", {"lines": ("^SUMMARY",)}, "SUMMARY:Tide", "", "text/calendar"),
    Page("a table of values separated by commas", "day,level\n1,2.5\n2,3.5\n", {"regex": r"^\d+,([\d.]+)\n\Z", **NUMBER}, "3.5", "3.5", "text/csv"),
    Page("a price as the Swiss write it", "<b>CHF 1’299.–</b>", {"select": "b", **NUMBER}, "CHF 1’299.–", "1299 CHF"),
    Page("a price as Germans write it", "<b>1.299,00&nbsp;€</b>", {"select": "b", **NUMBER}, "1.299,00 €", "1299 €"),
    Page("a price as Indians write it", "<b>₹1,29,999.50</b>", {"select": "b", **NUMBER}, "₹1,29,999.50", "129999.5 ₹"),
    Page("a price as the French write it", "<b>1 299,90 €</b>", {"select": "b", **NUMBER}, "1 299,90 €", "1299.9 €"),
    Page("a table of twenty thousand rows", f"<table>{'<tr><td>a<td>1'*20_000}<tr><td>last<td>7</table>", {"select": "tr:last-child td + td", **NUMBER}, "7", "7"),
    Page("elements one in another, a thousand deep", f"{'<div>'*1000}<p>deep", {"select": "p"}, "deep"),
    Page("the state of a page in its script", '<script id="__NEXT_DATA__" type="application/json">{"props": {"price": {"now": 799, "was": 899}}}</script>', {"xpath": "//script[@id='__NEXT_DATA__']", "regex": r'"now":\s*(\d+)', **NUMBER}, "799", "799"),
    Page("the state of a page in a call", '<script>window.__STATE__ = JSON.parse("{\\"stock\\":3}")</script>', {"xpath": "//script", "regex": r'\\"stock\\":(\d+)', **NUMBER}, "3", "3"),
    Page("attributes without quotes, and twice", "<p class=price class=old data-x=1>5 €</p>", {"select": "p.price", **NUMBER}, "5 €", "5 €"),
    Page("a file to be fetched", gzip.compress(b"x", mtime=0), {}, "21 bytes", "", "application/gzip"),
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.odd)
def test_a_page_as_it_is_in_the_wild(page: Page) -> None:
    found = seen(page.body, page.media, **page.keys)
    assert found.text.partition("\nsha256")[0] == page.text
    assert str(found.number or "") == page.number


def test_there_are_thirty() -> None:
    assert len(PAGES) >= 30


URL = "https://shop.example.net/bicycle"
SETTINGS = f'notify = ["json://inbox/buyer"]\n[[watches]]\nname = "bicycle"\nurl = "{URL}"\nselect = ".price"\nalert_after = 1\n'
PRICE = b"<title>The shop</title><p class=price>899 \xe2\x82\xac</p>"
Site = Callable[[ServerRequest], ServerResponse]


def page(body: bytes, **headers: str) -> ServerResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ServerResponse(body=body, headers={"Content-Type": HTML, **named})


def moved(to: str, status: int = 301, **headers: str) -> ServerResponse:
    return page(b"", Location=to, **headers)._replace(status=status)


def at(request: ServerRequest, path: str) -> bool:
    return request.path.endswith(path)


WALKS: dict[str, tuple[Site, str]] = {
    "a page that moved on its own site": (lambda it: page(PRICE) if at(it, "/new") else moved("/new"), ""),
    "one that moved up and down again": (
        lambda it: page(PRICE) if at(it, "/c") else moved("/c", 307) if at(it, "/b") else moved("b", 308),
        "",
    ),
    "a cookie wall that lets in whoever comes back": (
        lambda it: page(PRICE) if "seen=1" in it.headers.get("cookie", "") else moved("/bicycle", 302, Set_Cookie="seen=1"),
        "",
    ),
    "a page that moved to another site": (lambda _: moved("https://other.example.net/bicycle"), "redirect to another origin, https://other.example.net, refused"),
    "a page that moved by its own words": (
        lambda _: page(b'<meta http-equiv="refresh" content="0; url=/new"><title>Moved</title>'),
        "nothing matches '.price' in the page 'Moved' of 69 bytes",
    ),
    "a wall of consent in the place of the page": (
        lambda _: page(b"<title>Before you continue</title><button>Accept all</button>"),
        "nothing matches '.price' in the page 'Before you continue' of 61 bytes",
    ),
    "redirects in a ring": (lambda _: moved("/bicycle"), "redirect"),
}  # fmt: skip


@pytest.mark.parametrize("walk", WALKS)
def test_pages_that_moved_and_walls_before_them(bench: Callable[..., Bench], walk: str) -> None:
    site, why = WALKS[walk]
    result = bench("watch", SETTINGS).answer_all(site).run()
    assert result.outcome == ("failed" if why else "ok")
    assert why in str(result.error)


def test_a_wall_of_consent_is_passed_with_its_cookie(bench: Callable[..., Bench]) -> None:
    def wall(request: ServerRequest) -> ServerResponse:
        is_in = "consent=yes" in request.headers.get("cookie", "")
        return page(PRICE if is_in else b"<title>Before you continue</title>")

    assert bench("watch", SETTINGS + 'cookies = {consent = "yes"}').answer_all(wall).run().outcome == "ok"


def test_a_page_on_another_site_is_read_where_that_is_allowed(bench: Callable[..., Bench]) -> None:
    shop = bench("watch", SETTINGS + 'allow_hosts = ["other.example.net"]')
    to = "https://other.example.net/bicycle"
    assert shop.answer(URL, status=301, headers={"Location": to}).answer(to, PRICE).run().outcome == "ok"
