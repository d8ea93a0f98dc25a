"""The keys of one watch, beside those that every target has."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from pollctl import Answer, Pace, Request
from pollctl.targets import Target
from pollctl_watch.model.condition import Condition

_SELECTORS = ("select", "xpath", "json")
_ACCEPT = "text/html, application/xhtml+xml, application/json;q=0.9, application/xml;q=0.9, */*;q=0.8"


class Watch(Target, frozen=True, kw_only=True):
    """One of ``[[plugins.watch.watches]]``.

    Attributes:
        kind: as what the answer is read; by selector and type of the answer if ``auto``.
        select: a CSS selector: what is compared of a page; all of it without a selector.
        xpath: an XPath 1.0 expression, for HTML and XML.
        json: a JMESPath expression.
        regex: of what was selected only what matches: its first group, or all of the match.
        when: the condition on which people are told.
        threshold: by how much a number must change to be told, such as ``5`` or ``2%``.
        decimal: which sign stands before decimals, where a number such as ``1.234`` leaves that open.
        ignore: patterns that are dropped from the text.
        lines: only lines with one of these patterns are kept.
        sort: whether lines are sorted, so that another order is no change.
        unique: whether a line that comes again is dropped.
        links: whether the addresses of links are part of the text.
        keep: how many texts are kept to be compared by hand.
        allow_hosts: further hosts that a redirect may lead to.
    """

    COSMETIC: ClassVar[frozenset[str]] = frozenset({"keep", "allow_hosts"})

    every: Pace = Pace("15m")
    kind: Literal["auto", "html", "json", "xml", "text", "pdf", "bytes"] = "auto"
    select: str = ""
    xpath: str = ""
    json: str = ""
    regex: str = ""
    when: str = "changed"
    threshold: str = ""
    decimal: Literal["", ".", ","] = ""
    ignore: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    sort: bool = False
    unique: bool = False
    links: bool = False
    keep: Annotated[int, Meta(ge=0, le=1000)] = 20
    allow_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = [name for name in _SELECTORS if getattr(self, name)]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} exclude each other")
        if self.threshold and self.when != "changed":
            raise ValueError(f"threshold goes with when = 'changed', not with {self.when!r}")
        if self.condition.kind == "status" and (named or self.regex):
            raise ValueError("a condition on the status reads no text, so there is nothing to select")
        if self.condition.may_be_empty and not (named or self.regex):
            raise ValueError(f"when = {self.when!r} needs a selector that may match nothing")
        for pattern in (*self.ignore, *self.lines, self.regex):
            _check_pattern(pattern)

    @property
    def condition(self) -> Condition:
        """What is waited for."""
        return _condition(f"number changes by {self.threshold}" if self.threshold else self.when)

    @property
    def selector(self) -> str:
        """What is selected by, for messages."""
        return self.select or self.xpath or self.json or self.regex

    def request(self) -> Request:
        """As every target's, with what is accepted and where it may be sent on to."""
        asked = super().request()
        return Request(url=asked.url, headers={"Accept": _ACCEPT, **asked.headers}, allow_hosts=self.allow_hosts)

    def is_answer(self, answer: Answer) -> bool:
        """Whether it is read: 200, or any status where the condition is on that."""
        return self.condition.kind == "status" or super().is_answer(answer)


@lru_cache(maxsize=16_384)
def _condition(text: str) -> Condition:
    return Condition.parse(text)


@lru_cache(maxsize=16_384)
def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
