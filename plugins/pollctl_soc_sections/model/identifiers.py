"""Identifiers as people and the upstream write them: terms, campuses, indexes, ids of subscriptions."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

CAMPUSES = (
    "NB", "NK", "CM", "ONLINE_NB", "ONLINE_NK", "ONLINE_CM",
    "B", "CC", "H", "CU", "MC", "WM", "L", "AC", "J", "D", "RV",
)  # fmt: skip
_CODES = {"W": "0", "SP": "1", "SU": "7", "FA": "9"}
_SEASONS = {"0": "winter", "1": "spring", "7": "summer", "9": "fall"}
_TERM = re.compile(r"(?P<code>[0179])(?P<year>20[0-9]{2})|(?P<year2>20[0-9]{2})(?P<code2>[0179])")
_NAMED_TERM = re.compile(r"(?P<season>W|SP|SU|FA)(?P<year>20[0-9]{2})")
_COURSE = re.compile(r"[0-9]{2}:[0-9]{3}:[0-9]{3}")
_INDEX = re.compile(r"[0-9]{5}")
_TOO_MANY_DIGITS = 19
CURRENT = "current"
"""A term that rolls with the calendar."""
_ENDS = (((1, 16), "0"), ((5, 16), "1"), ((8, 16), "7"), ((12, 16), "9"))
"""The terms of a year, each with month and day on which the next one begins; after the last comes winter of the next year."""
_RUTGERS = ZoneInfo("America/New_York")


def read_term(text: str) -> str:
    """A term as ``<term><year>``: ``92026``, also from ``20269`` and ``FA2026``.

    Raises:
        ValueError: it is not one; says how one is written.
    """
    if named := _NAMED_TERM.fullmatch(text):
        return _CODES[named["season"]] + named["year"]
    if coded := _TERM.fullmatch(text):
        return (coded["code"] or coded["code2"]) + (coded["year"] or coded["year2"])
    raise ValueError(
        f"{text!r} is not a valid term; write 92026 (0 winter, 1 spring, 7 summer, 9 fall), 20269, "
        "FA2026 (W, SP, SU, FA), or current"
    )


def current_term(now: datetime) -> str:
    """The term that is current at Rutgers: spring until mid-May, summer until mid-August, fall until mid-December, winter."""
    day = now.astimezone(_RUTGERS)
    for end, code in _ENDS:
        if (day.month, day.day) < end:
            return f"{code}{day.year}"
    return f"0{day.year + 1}"


def term_at(text: str, now: datetime) -> str:
    """A term as ``read_term`` reads it, or the current one for ``current``.

    Raises:
        ValueError: it is neither.
    """
    return current_term(now) if text == CURRENT else read_term(text)


def check_term(text: str) -> None:
    """Let a term or ``current`` pass.

    Raises:
        ValueError: it is neither.
    """
    if text != CURRENT:
        read_term(text)


def spoken_term(term: str) -> str:
    """A term in words: ``fall 2026 (92026)``."""
    return f"{_SEASONS[term[0]]} {term[1:]} ({term})"


def read_campus(text: str) -> str:
    """A campus code, which is case-sensitive.

    Raises:
        ValueError: it is not one; lists them.
    """
    if text in CAMPUSES:
        return text
    raise ValueError(f"{text!r} is not a valid campus; one of {' '.join(CAMPUSES)} (capitals count)")


def read_index(text: str) -> str:
    """The index of a section.

    Raises:
        ValueError: it does not have exactly five digits.
    """
    if _INDEX.fullmatch(text):
        return text
    is_short = text.isascii() and text.isdigit() and len(text) < 5  # noqa: PLR2004 - digits of an index
    hint = f"; leading zeros count: write {text:0>5}" if is_short else ""
    raise ValueError(f"{text!r} is not a valid index: exactly five digits are needed{hint}")


def read_course(text: str) -> str:
    """The number of a course.

    Raises:
        ValueError: it is not one; says how one is written.
    """
    if _COURSE.fullmatch(text):
        return text
    raise ValueError(f"{text!r} is not a valid course: write 01:198:111 (unit, subject, number)")


def read_id(text: str) -> int:
    """The id of a subscription.

    Raises:
        ValueError: it is not a whole number, or more than the database can count.
    """
    if text.isascii() and text.isdigit() and len(text) < _TOO_MANY_DIGITS:
        return int(text)
    raise ValueError(f"{text!r} is not a valid id; `pollctl soc-sections subscriptions` lists them")
