"""Identifiers as people and the upstream write them: terms, campuses, indexes, ids of subscriptions."""

from __future__ import annotations

import re

CAMPUSES = (
    "NB", "NK", "CM", "ONLINE_NB", "ONLINE_NK", "ONLINE_CM",
    "B", "CC", "H", "CU", "MC", "WM", "L", "AC", "J", "D", "RV",
)  # fmt: skip
_CODES = {"W": "0", "SP": "1", "SU": "7", "FA": "9"}
_SEASONS = {"0": "winter", "1": "spring", "7": "summer", "9": "fall"}
_TERM = re.compile(r"(?P<code>[0179])(?P<year>20[0-9]{2})|(?P<year2>20[0-9]{2})(?P<code2>[0179])")
_NAMED_TERM = re.compile(r"(?P<season>W|SP|SU|FA)(?P<year>20[0-9]{2})")
_INDEX = re.compile(r"[0-9]{5}")
_TOO_MANY_DIGITS = 19


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
        f"{text!r} is not a valid term; write 92026 (0 winter, 1 spring, 7 summer, 9 fall), 20269, or FA2026 (W, SP, SU, FA)"
    )


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


def read_id(text: str) -> int:
    """The id of a subscription.

    Raises:
        ValueError: it is not a whole number, or more than the database can count.
    """
    if text.isascii() and text.isdigit() and len(text) < _TOO_MANY_DIGITS:
        return int(text)
    raise ValueError(f"{text!r} is not a valid id; `pollctl soc-sections subscriptions` lists them")
