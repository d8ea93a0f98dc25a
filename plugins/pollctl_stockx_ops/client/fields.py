"""Single fields of the API's answers, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pollctl import from_text, shorten

TEXT_LIMIT = 500
"""Characters of upstream text that are kept, at most."""
_CURRENCY = re.compile(r"[A-Za-z]{3,10}")
_LARGEST = 2**63
_LONGEST_ID = 200
_SHOWN = 40  # characters of a value that cannot be used
_FIRST_YEAR, _LAST_YEAR = 2000, 2299  # what the tables hold
_SHORTEST_MASKED = 4  # shorter ones would blot out ordinary words


def amount(value: Any) -> int | None:
    """An amount in whole units, which the API writes as text or as a number.

    Raises:
        ValueError: it is not a whole number that the tables can hold.
    """
    if value is None or value == "":
        return None
    shown = repr(value)[:_SHOWN]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"the amount {shown} is not a number")  # noqa: TRY004 - see bodies
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"the amount {shown} is not a number") from error
    if not number.is_finite() or not 0 <= number < _LARGEST or number != number.to_integral_value():
        raise ValueError(f"the amount {shown} is not one of whole units")
    return int(number)


def currency(value: Any) -> str | None:
    """A currency code.

    Raises:
        ValueError: it is not one.
    """
    text = _text("currency", value)
    if text and not _CURRENCY.fullmatch(text):
        raise ValueError(f"{text[:_SHOWN]!r} is not a valid currency code")
    return text


def moment(value: Any) -> datetime | None:
    """A moment.

    Raises:
        ValueError: it is not one, or the tables cannot hold it.
    """
    text = _text("moment", value)
    found = from_text(text) if text else None
    if found and not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"{text!r} is not within the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return found


def listing_id(value: Any) -> str | None:
    """The id of a listing.

    Raises:
        ValueError: it could not be used in a request.
    """
    text = _text("listing id", value)
    problem = id_problem(text) if text else None
    if problem:
        raise ValueError(f"the listing id cannot be used: {problem}")
    return text


def error_text(value: Any) -> str | None:
    """What an error says, as text, as an object or as a list of these.

    Raises:
        ValueError: nothing in it is text.
    """
    if value is None or value == "":
        return None
    parts = [_one_text(part) for part in (value if isinstance(value, list) else [value])]
    found = "; ".join(part for part in parts if part)
    if not found and value not in ([], {}):
        raise ValueError("the error holds no text")
    return found or None


def error_code(value: Any) -> str | None:
    """The code of an error that is an object; None without one."""
    code = value.get("code") if isinstance(value, dict) else None
    return str(code) if isinstance(code, str | int) and str(code).strip() else None


def _one_text(value: Any) -> str:
    text = value.get("message") if isinstance(value, dict) else value
    return text.strip() if isinstance(text, str) else ""


def _text(what: str, value: Any) -> str | None:
    """Text that is not empty, or None.

    Raises:
        ValueError: it is something else.
    """
    if value is not None and not isinstance(value, str):
        raise ValueError(f"the {what} {repr(value)[:_SHOWN]} is not text")
    return value or None


def id_problem(text: str | None) -> str | None:
    """Why an id cannot be part of a request's address; None when it can."""
    if not text:
        return "it is empty"
    if not text.isascii() or not text.isprintable() or " " in text or text in (".", "..") or len(text) > _LONGEST_ID:
        return f"write printable ASCII without blanks, {_LONGEST_ID} characters at most"
    return None


def safe_text(text: str, secrets: Sequence[str] = ()) -> str:
    """Text of the upstream, safe to keep and to print: one line, no control characters, no *secrets*, not long."""
    text = text.encode(errors="replace").decode()  # half of a pair of surrogates is no text
    for secret in secrets:
        text = text.replace(secret, "***") if len(secret) >= _SHORTEST_MASKED else text
    return shorten(text, TEXT_LIMIT)
