"""HTML and XML: what a selector finds, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pollctl import Answer, shorten
from pollctl_watch.client.charset import decoded
from pollctl_watch.model import Watch

_UNSEEN = frozenset(["head", "noscript", "script", "style", "template"])
_LINES = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "td",
        "th",
        "title",
        "tr",
        "ul",
    ]
)


def html(answer: Answer, watch: Watch) -> list[str]:
    """The texts of what a selector finds on a page; of all of its body without one.

    Raises:
        ValueError: the selector cannot be read.
    """
    tree = _html_tree(answer)
    if tree is None:
        return []
    for selector in watch.without:
        _take_off(tree, selector)
    if watch.select:
        found = _by_css(tree, watch.select)
    elif watch.xpath:
        found = _by_xpath(tree, watch.xpath)
    else:
        found = tree.xpath("//body") or [tree]
    return [text_of(one, has_links=watch.links) for one in found]


def xml(answer: Answer, watch: Watch) -> list[str]:
    """The texts of what an XPath finds in a document; of each of its elements without one.

    Prefixes are those of the document's first element; its default namespace has the prefix ``x``.

    Raises:
        ValueError: it is not XML, or the expression cannot be read.
    """
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    body = answer.body if answer.body.startswith((b"\xff\xfe", b"\xfe\xff")) else _undeclared(decoded(answer))
    try:
        tree = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is not XML: {shorten(str(error), 120)}") from error
    if not watch.xpath:
        return [text for text in tree.itertext() if text.strip()]
    prefixes = {prefix or "x": uri for prefix, uri in tree.nsmap.items()}
    return [
        one if isinstance(one, str) else "\n".join(one.itertext()) for one in _by_xpath(tree, watch.xpath, prefixes)
    ]


def _undeclared(text: str) -> bytes:
    """A document in UTF-8, without its own word about its encoding."""
    head, mark, rest = text.lstrip().partition("?>")
    return (rest if mark and head.startswith("<?xml") else text.lstrip()).encode()


def title_of(answer: Answer) -> str:
    """The title of a page; empty where it has none."""
    tree = _html_tree(answer)
    return "" if tree is None else " ".join(" ".join(tree.xpath("//title[1]//text()")).split())


def _html_tree(answer: Answer) -> Any:
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        return etree.fromstring(decoded(answer).encode("utf-8", "replace") or b" ", parser)
    except etree.ParserError:
        return None


def _take_off(tree: Any, selector: str) -> None:
    """Empty what a selector finds, and let no other find it; the text that stands after it stays."""
    for one in _by_css(tree, selector):
        one.clear(keep_tail=True)
        one.tag = "taken-off"


def check_selectors(selectors: Sequence[str], xpath: str) -> None:
    """Read CSS selectors and an XPath, if there are any.

    Raises:
        ValueError: one of them cannot be read.
    """
    for selector in selectors:
        _css(selector)
    if xpath:
        from lxml import etree

        try:
            etree.XPath(xpath)
        except etree.XPathError as error:
            raise ValueError(f"xpath: {xpath!r} cannot be read: {error}") from error


def _by_css(tree: Any, selector: str) -> list[Any]:
    return list(_css(selector)(tree))


@lru_cache(maxsize=1024)
def _css(selector: str) -> Any:
    from lxml.cssselect import CSSSelector  # type: ignore[import-untyped]

    try:
        return CSSSelector(selector, translator="html")
    except Exception as error:
        raise ValueError(f"{selector!r} is not a CSS selector: {error}") from error


def _by_xpath(tree: Any, expression: str, prefixes: dict[str, str] | None = None) -> list[Any]:
    from lxml import etree

    try:
        found = tree.xpath(expression, namespaces=prefixes)
    except etree.XPathError as error:
        raise ValueError(f"xpath: {expression!r} cannot be read: {error}") from error
    if isinstance(found, list):
        return [one if hasattr(one, "itertext") else str(one) for one in found]
    return [f"{found:.15g}" if isinstance(found, float) else str(found)]


def text_of(found: Any, *, has_links: bool) -> str:
    """An element as a person reads it, each block a line of its own; what is text already stays so."""
    return found if isinstance(found, str) else "".join(_pieces(found, has_links=has_links))


def _pieces(element: Any, *, has_links: bool) -> list[str]:
    from lxml import etree

    pieces: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, one in walk:
        tag = one.tag
        if event == "end":
            if has_links and tag == "a" and one.get("href"):
                pieces.append(f" <{one.get('href')}>")
            text = one.tail if one is not element else None
        elif tag in _UNSEEN and one is not element:
            walk.skip_subtree()
            continue
        else:
            text = one.text
        if tag in _LINES:
            pieces.append("\n")
        if text:
            pieces.append(text.replace("\n", " "))
    return pieces
