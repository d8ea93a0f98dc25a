"""What ``subscribe`` is given, checked: options, or a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pollctl import Secret, UsageError, from_text, read_addresses, split_addresses, text_of, to_text
from pollctl_soc_sections.model import ANY_SECTION, NewSubscription, Settings, read_window
from pollctl_soc_sections.model.identifiers import CURRENT, read_campus, read_course, read_index, term_at

REQUIRED = ("index", "term", "campus", "contact")
OPTIONAL = ("course", "window", "max", "snooze_until", "unless_open")
MAX_NOTIFICATIONS = 10
_DEFAULT_MAX = "3"
_FLAGS = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}


def read_subscription(fields: Mapping[str, str], now: datetime) -> NewSubscription:
    """One subscription from text fields named as in ``REQUIRED`` and ``OPTIONAL``; *now* says which term is current.

    A course stands in the place of the index.

    Raises:
        ValueError: the fields that are wrong, one line each; a contact is not repeated, because it is a secret.
    """
    errors: list[str] = []

    def value(name: str, read: Callable[[str], Any], default: str = "") -> Any:
        try:
            return read((fields.get(name) or default).strip())
        except ValueError as error:
            errors.append(f"{name}: {error}")
            return None

    course = value("course", lambda text: read_course(text) if text else "")
    facts = {
        "index_number": ANY_SECTION if course else value("index", read_index),
        "term": value("term", lambda text: term_at(text, now)),
        "campus": value("campus", read_campus),
        "contact": value("contact", read_contact),
        "window": value("window", _window),
        "max_notifications": value("max", _max_notifications, _DEFAULT_MAX),
        "snooze_until": value("snooze_until", lambda text: read_snooze(text, now) if text else None),
        "unless_open": value("unless_open", _flag),
    }
    if course and (fields.get("index") or "").strip():
        errors.append("index: a course stands in its place; give one of the two")
    if errors:
        raise ValueError("\n".join(errors))
    is_rolling = bool(course) and fields["term"].strip() == CURRENT
    return NewSubscription(**facts, course=course, is_rolling=is_rolling)


def read_file(path: Path, now: datetime) -> list[NewSubscription]:
    """All subscriptions of a CSV file with a header.

    Raises:
        UsageError: whatever is wrong with any of its lines, all of it at once.
    """
    rows = csv.DictReader(
        io.StringIO(text_of(path, "a list of subscriptions"), newline=""), restkey="more", strict=True
    )
    new, errors = _read_rows(path, rows, now)
    if not new and not errors:
        errors = [f"{path}: it holds no subscription"]
    if errors:
        raise UsageError("\n".join([*errors, "nothing was subscribed"]))
    return new


def _read_rows(path: Path, rows: csv.DictReader[str], now: datetime) -> tuple[list[NewSubscription], list[str]]:
    found: list[NewSubscription] = []
    errors: list[str] = []
    try:
        if not _are_columns(rows.fieldnames or ()):
            return [], [f"{path}: the first line must name {', '.join(REQUIRED)}, and may name {', '.join(OPTIONAL)}"]
        for row in rows:
            try:
                found += each_contact(_row(row, now))
            except ValueError as error:
                errors += [f"{path}:{rows.line_num}: {line}" for line in str(error).splitlines()]
    except csv.Error as error:  # where the next row begins cannot be known
        errors.append(f"{path}:{rows.reader.line_num}: {error}")
    return found, errors


def _are_columns(names: Sequence[str]) -> bool:
    return set(REQUIRED) <= set(names) <= {*REQUIRED, *OPTIONAL} and len(set(names)) == len(names)


def _row(row: Mapping[str, str], now: datetime) -> NewSubscription:
    if "more" in row:
        raise ValueError("more values than names in the first line")
    return read_subscription(row, now)


def read_contact(text: str) -> str:
    """An Apprise address, or several.

    Raises:
        ValueError: one of them is not one.
    """
    read_addresses(text)
    return text


def each_contact(new: NewSubscription) -> list[NewSubscription]:
    """A subscription for each of several addresses that were given as one contact."""
    return [replace(new, contact=one.reveal()) for one in split_addresses(Secret(new.contact))]


def read_snooze(text: str, now: datetime) -> datetime:
    """The moment before which nothing is to be sent, with a zone; it is to come.

    Raises:
        ValueError: it is not one, too far away, or past.
    """
    moment = from_text(text)
    if moment <= now:
        raise ValueError(f"{text!r} is past: it is {to_text(now)}; give a moment to come; `resume` ends a snooze")
    if moment.year >= 2300:  # noqa: PLR2004 - what the tables take
        raise ValueError(f"{text!r} is not before the year 2300")
    return moment


def _window(text: str) -> str | None:
    if not text:
        return None
    read_window(text)
    return text


def _max_notifications(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_NOTIFICATIONS:
        raise ValueError(f"{text!r} is not a number from 1 to {MAX_NOTIFICATIONS}")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError(f"{text!r} is neither yes nor no")
    return _FLAGS[text.lower()]


def unresolvable(new: Sequence[NewSubscription], settings: Settings) -> Iterator[str]:
    """A warning where a course is followed although no catalogue says which sections it has."""
    if not settings.catalogue_every and any(each.course for each in new):
        yield 'catalogue_every is "0s" in [plugins.soc_sections]: nothing says which sections a course has'


def unpolled(new: Sequence[NewSubscription], polled: list[tuple[str, str]]) -> Iterator[str]:
    """A warning for each term and campus that no pass polls."""
    for term, campus in dict.fromkeys((each.term, each.campus) for each in new):
        if (term, campus) not in polled:
            yield f"{term} {campus} is not polled: add it to terms and campuses in [plugins.soc_sections]"
