"""What people ask for with ``subscribe``, checked: from options, or from a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pollctl import UsageError, from_text
from pollctl_soc_sections.listings import NewSubscription
from pollctl_soc_sections.model import read_window
from pollctl_soc_sections.notation import read_campus, read_index, read_term

REQUIRED = ("index", "term", "campus", "contact")
OPTIONAL = ("window", "max", "snooze_until", "unless_open")
MOST = 10
_DEFAULT_MOST = "3"
_YES = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}


def read_wish(fields: Mapping[str, str]) -> NewSubscription:
    """One subscription from text fields named as in ``REQUIRED`` and ``OPTIONAL``.

    Raises:
        ValueError: the fields that are wrong, one line each; a contact is not repeated, because it is a secret.
    """
    problems: list[str] = []

    def value(name: str, read: Callable[[str], Any], default: str = "") -> Any:
        try:
            return read((fields.get(name) or default).strip())
        except ValueError as error:
            problems.append(f"{name}: {error}")
            return None

    facts = {
        "index_number": value("index", read_index),
        "term": value("term", read_term),
        "campus": value("campus", read_campus),
        "contact": value("contact", read_contact),
        "window": value("window", _window),
        "max_notifications": value("max", _most, _DEFAULT_MOST),
        "snooze_until": value("snooze_until", lambda text: read_moment(text) if text else None),
        "unless_open": value("unless_open", _flag),
    }
    if problems:
        raise ValueError("\n".join(problems))
    return NewSubscription(**facts)


def read_file(path: Path) -> list[NewSubscription]:
    """All subscriptions of a CSV file with a header.

    Raises:
        UsageError: whatever is wrong with any of its lines, all of it at once.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8") from None
    rows = csv.DictReader(io.StringIO(text, newline=""), restkey="more", strict=True)
    wishes, problems = _read_rows(path, rows)
    if not wishes and not problems:
        problems = [f"{path}: there is no subscription in it"]
    if problems:
        raise UsageError("\n".join([*problems, "nothing was subscribed"]))
    return wishes


def _read_rows(path: Path, rows: csv.DictReader[str]) -> tuple[list[NewSubscription], list[str]]:
    wishes: list[NewSubscription] = []
    problems: list[str] = []
    try:
        if not _are_columns(rows.fieldnames or ()):
            return [], [f"{path}: the first line must name {', '.join(REQUIRED)}, and may name {', '.join(OPTIONAL)}"]
        for row in rows:
            try:
                wishes.append(_row(row))
            except ValueError as error:
                problems += [f"{path}:{rows.line_num}: {line}" for line in str(error).splitlines()]
    except csv.Error as error:  # what follows cannot be told apart
        problems.append(f"{path}:{rows.reader.line_num}: {error}")
    return wishes, problems


def _are_columns(names: Sequence[str]) -> bool:
    return set(REQUIRED) <= set(names) <= {*REQUIRED, *OPTIONAL} and len(set(names)) == len(names)


def _row(row: Mapping[str, str]) -> NewSubscription:
    if "more" in row:
        raise ValueError("more values than names in the first line")
    return read_wish(row)


def read_contact(text: str) -> str:
    """An Apprise address.

    Raises:
        ValueError: it is none.
    """
    import apprise

    scheme = urlsplit(text).scheme if text.isprintable() else ""
    if not scheme or apprise.Apprise.instantiate(text, suppress_exceptions=True) is None:
        what = f"{scheme}://…" if scheme else "what was given"
        raise ValueError(f"{what} is no address that Apprise knows, such as mailtos://USER:PASSWORD@mail.example.net")
    return text


def read_moment(text: str) -> datetime:
    """A moment with a zone.

    Raises:
        ValueError: it is none, or too far away.
    """
    with suppress(OverflowError):  # a first or last day that is another year's in UTC
        moment = from_text(text)
        if 2000 <= moment.year < 2300:  # noqa: PLR2004 - what the tables take
            return moment
    raise ValueError(f"{text!r} lies in no year that can be meant")


def _window(text: str) -> str | None:
    if not text:
        return None
    read_window(text)
    return text


def _most(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MOST:
        raise ValueError(f"{text!r} is not a number from 1 to {MOST}")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in _YES:
        raise ValueError(f"{text!r} is neither yes nor no")
    return _YES[text.lower()]


def unpolled(wishes: list[NewSubscription], polled: list[tuple[str, str]]) -> Iterator[str]:
    """Terms and campuses that are asked for but that no pass looks at."""
    for term, campus in dict.fromkeys((wish.term, wish.campus) for wish in wishes):
        if (term, campus) not in polled:
            yield f"{term} {campus} is not polled: add it to terms and campuses in [plugins.soc_sections]"
