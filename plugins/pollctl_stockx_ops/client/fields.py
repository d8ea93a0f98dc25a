"""Single fields of the API's answers, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from pollctl import from_text, shorten

TEXT_LIMIT = 500
"""Characters of upstream text that are kept, at most."""
_CURRENCY = re.compile(r"[A-Za-z]{3,10}")
_LARGEST = 2**63
_LONGEST_ID = 200
_FIRST_YEAR, _LAST_YEAR = 2000, 2299  # what the tables hold
_SHORTEST_MASKED = 4  # shorter ones would blot out ordinary words


def amount(value: str | float | None) -> int | None:
    """An amount in whole units, which the API writes as text or as a number.

    Raises:
        ValueError: it is not a whole number that the tables can hold.
    """
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"the amount {value!r} is not a number") from error
    if not number.is_finite() or number != number.to_integral_value() or not 0 <= number < _LARGEST:
        raise ValueError(f"the amount {value!r} is not one of whole units")
    return int(number)


def currency(text: str | None) -> str | None:
    """A currency code.

    Raises:
        ValueError: it is not one.
    """
    if text and not _CURRENCY.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is not a valid currency code")
    return text or None


def moment(text: str | None) -> datetime | None:
    """A moment.

    Raises:
        ValueError: it is not one, or the tables cannot hold it.
    """
    found = from_text(text) if text else None
    if found and not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"{text!r} is not within the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return found


def listing_id(text: str | None) -> str | None:
    """The id of a listing.

    Raises:
        ValueError: it could not be used in a request.
    """
    problem = id_problem(text) if text else None
    if problem:
        raise ValueError(f"the listing id cannot be used: {problem}")
    return text or None


def id_problem(text: str | None) -> str | None:
    """Why an id cannot be part of a request's address; None when it can."""
    if not text:
        return "it is empty"
    if not text.isascii() or not text.isprintable() or " " in text or text in (".", "..") or len(text) > _LONGEST_ID:
        return f"write printable ASCII without blanks, {_LONGEST_ID} characters at most"
    return None


def safe_text(text: str, secrets: Sequence[str] = ()) -> str:
    """Text of the upstream, safe to keep and to print: one line, no control characters, no *secrets*, not long."""
    for secret in secrets:
        text = text.replace(secret, "***") if len(secret) >= _SHORTEST_MASKED else text
    return shorten(text, TEXT_LIMIT)
