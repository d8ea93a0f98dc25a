"""The keys of a feed, beside those that every target has, and what is read of one."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, NamedTuple

from msgspec import Meta, Struct

from pollctl import Pace, Request
from pollctl.targets import Target

_CONDITION = re.compile(r"(title|text|author|url)\s*(!?~)\s*(['\"])(.+)\3", re.DOTALL)
_ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a feed; *key* is what it is known by: a digest of its id, else of its link, else of title and date."""

    key: str
    title: str
    url: str = ""
    text: str = ""
    author: str = ""
    categories: list[str] = []


class Known(Struct, frozen=True):
    """The keys of all entries that are known of a feed."""

    known: list[str]


class Condition(NamedTuple):
    """Which entries are told: those whose *field* has the *pattern* in it, or, negated, has not."""

    field: str
    is_negated: bool
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition such as ``title ~ "release|security"``.

        Raises:
            ValueError: it is not one.
        """
        match = _CONDITION.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"""{text!r} is not a condition; write title ~ "...", or text, author, url, and !~ for not"""
            )
        try:
            return cls(match[1], match[2] == "!~", re.compile(match[4], re.IGNORECASE))
        except re.error as error:
            raise ValueError(f"{match[4]!r} is not a regular expression: {error}") from None

    def holds(self, entry: Entry) -> bool:
        """Whether an entry is to be told."""
        return bool(self.pattern.search(getattr(entry, self.field))) is not self.is_negated


class Feed(Target, frozen=True, kw_only=True):
    """One of ``[[plugins.feeds.feeds]]``.

    Attributes:
        most: how many entries one message has; of further ones it says the number.
        text: how much of an entry a message has.
        when: which entries are told, such as ``title ~ "release"``; all if empty.
        categories: entries of any of these are told; all if empty.
        allow_hosts: further hosts that a redirect may lead to.
    """

    COSMETIC: ClassVar[frozenset[str]] = frozenset({"most", "text", "when", "categories", "allow_hosts"})

    every: Pace = Pace("30m")
    most: Annotated[int, Meta(ge=1)] = 5
    text: Literal["none", "excerpt", "full"] = "excerpt"
    when: str = ""
    categories: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.when:
            Condition.parse(self.when)

    def request(self) -> Request:
        """As every target's, with what is accepted and where it may be sent on to."""
        asked = super().request()
        return Request(url=asked.url, headers={"Accept": _ACCEPT, **asked.headers}, allow_hosts=self.allow_hosts)

    def wants(self, entry: Entry) -> bool:
        """Whether people hear of an entry."""
        wanted = {one.casefold() for one in self.categories}
        is_in = not wanted or not wanted.isdisjoint(one.casefold() for one in entry.categories)
        return is_in and (not self.when or Condition.parse(self.when).holds(entry))
