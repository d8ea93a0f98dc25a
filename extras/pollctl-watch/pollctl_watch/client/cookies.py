"""Cookies that an answer sets, of whose headers there is but one: their values joined."""

from __future__ import annotations

import re

from pollctl import Answer

_NEXT = re.compile(r",\s*(?=[^\s;,=]+=)")
"""What stands between two of them; a date within one has a comma, too, with no name behind it."""


def lines_of(answer: Answer) -> list[str]:
    """What each header said."""
    joined = answer.headers.get("set-cookie", "")
    return _NEXT.split(joined) if joined else []


def set_by(answer: Answer) -> dict[str, str]:
    """The cookies, by name."""
    return named("; ".join(line.partition(";")[0] for line in lines_of(answer)))


def named(header: str) -> dict[str, str]:
    """The cookies of a header that sends them."""
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return {name: value for name, mark, value in pairs if mark}
