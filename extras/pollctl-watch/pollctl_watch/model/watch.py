"""The keys of one watch, beside those that every target has."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from pollctl import Answer, Pace, Request, Secret
from pollctl.targets import Target
from pollctl_watch.model.before import Before, body_of, kind_of, refuse_both
from pollctl_watch.model.condition import Condition

_RIVALS = (("select", "xpath"), ("select", "json"), ("xpath", "json"), ("form", "body"), ("user", "token"))
_ACCEPT = "text/html, application/xhtml+xml, application/json;q=0.9, application/xml;q=0.9, */*;q=0.8"


class Watch(Target, frozen=True, kw_only=True):
    """One of ``[[plugins.watch.watches]]``.

    Attributes:
        kind: as what the answer is read; by selector and type of the answer if ``auto``.
        select: a CSS selector: what is compared of a page; all of it without a selector.
        without: CSS selectors of what is taken off a page before anything is selected.
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
        format: in which format people are told, ``text`` or ``html``.
        attach_page: whether the page goes along with a message, as it was read.
        allow_hosts: further hosts that a redirect may lead to.
        cookies: sent along, by their names.
        user: with *password*, for basic authentication.
        form: fields that are sent, by a POST.
        body: a text that is sent, by a POST; JSON is named as such.
        before: a request that is made first. Its cookies, and what it selects, go into this one, there as ``{before}``.
        browser: whether Chromium shows the page first, as where scripts write it.
        rate: how often its host is asked at most, such as ``10/min``; the slowest of the watches of a host counts.
        robots: whether it is not asked where the robots.txt of its site forbids it.
    """

    COSMETIC: ClassVar[frozenset[str]] = frozenset(
        {"keep", "format", "attach_page", "allow_hosts", "cookies", "user", "password", "rate", "robots"}
    )

    SETTINGS_ONLY: ClassVar[frozenset[str]] = frozenset({"user", "before"})

    every: Pace = Pace("15m")
    kind: Literal["auto", "html", "json", "xml", "text", "pdf", "bytes"] = "auto"
    select: str = ""
    without: tuple[str, ...] = ()
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
    format: Literal["text", "html"] = "text"
    attach_page: bool = False
    allow_hosts: tuple[str, ...] = ()
    cookies: Mapping[str, Secret] = {}
    user: str = ""
    password: Secret | None = None
    form: Mapping[str, Secret] = {}
    body: Secret | None = None
    before: Before | None = None
    browser: bool = False
    rate: str = ""
    robots: bool = False

    def __post_init__(self) -> None:
        refuse_both(self, _RIVALS)
        if self.threshold and self.when != "changed":
            raise ValueError(f"threshold goes with when = 'changed', not with {self.when!r}")
        if self.condition.kind == "status" and self.selector:
            raise ValueError("a condition on the status reads no text, so there is nothing to select")
        if self.condition.may_be_empty and not self.selector:
            raise ValueError(f"when = {self.when!r} needs a selector that may match nothing")
        if self.rate:
            _seconds_between(self.rate)
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

    @property
    def seconds_between(self) -> float:
        """How many seconds lie between two requests to its host at least."""
        return _seconds_between(self.rate) if self.rate else 0

    def request(self) -> Request:
        """As every target's, with what is sent along and where it may be sent on to."""
        return self.filled("", {})

    def filled(self, value: str, cookies: Mapping[str, str]) -> Asked:
        """The request, with what the one before it has brought."""
        asked = super().request()
        own = {name: secret.reveal() for name, secret in self.cookies.items()}
        headers = {"Accept": _ACCEPT, **self._login(), **kind_of(self.body), **asked.headers}
        if jar := {**cookies, **own}:
            headers["Cookie"] = "; ".join(f"{name}={text}" for name, text in jar.items())
        url = asked.url.replace("{before}", value)
        headers = {name: text.replace("{before}", value) for name, text in headers.items()}
        sent = body_of(self.form, self.body, value)
        return Asked(url=url, headers=headers, allow_hosts=self.allow_hosts, watch=self, **sent)

    def _login(self) -> dict[str, str]:
        if not self.user:
            return {}
        word = self.password.reveal() if self.password else ""
        return {"Authorization": f"Basic {b64encode(f'{self.user}:{word}'.encode()).decode()}"}

    def is_answer(self, answer: Answer) -> bool:
        """Whether it is read: 200, or any status where the condition is on that."""
        return self.condition.kind == "status" or super().is_answer(answer)


class Asked(Request, frozen=True, kw_only=True):
    """A request that knows its watch: what must be asked before it, and at which rate."""

    watch: Watch


@lru_cache(maxsize=256)
def _seconds_between(rate: str) -> float:
    match = re.fullmatch(r"([1-9]\d*)/(s|min|h)", rate)
    if match is None:
        raise ValueError(f"{rate!r} is not a rate; write 1/s, 10/min or 100/h")
    return {"s": 1, "min": 60, "h": 3600}[match[2]] / int(match[1])


@lru_cache(maxsize=16_384)
def _condition(text: str) -> Condition:
    return Condition.parse(text)


@lru_cache(maxsize=16_384)
def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
