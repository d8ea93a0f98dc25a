"""What others wrote, read strictly: messages of the queue and items of a history become values, or poison."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from pollctl import from_text, strict_json
from pollctl_toilet_gap.model import Event, Letter, Poison, Receipt

LONGEST_BODY = 10_000
"""Characters of a dead letter that are kept."""
_LONGEST_TEXT = 200
_FIRST, _LAST = "2000", "2300"
_EVENT_NAMES = ("eventName", "eventType")
_ROBOTS = ("robotId", "robot_id")
_MOMENTS = ("createdAt", "timestamp")


class Message(NamedTuple):
    """A message as the queue gave it."""

    receipt: Receipt
    body: str


def letter_of(message: Message) -> Letter | Poison:
    """A message of the queue, plain or within an SNS envelope."""
    told: dict[str, Any] = {}
    try:
        told = _opened(_object(message.body.encode()))
        source = _source_event(told)
        return Letter(
            receipt=message.receipt,
            subscription_id=_text(told, ("subscriptionId",)),
            robot_id=_text(source, _ROBOTS),
            event_name=_text(source, _EVENT_NAMES),
            event=_event(source),
            body=kept(message.body),
        )
    except ValueError as error:
        return poison_of("queue", message.body, told, str(error), message.receipt)


def items_of(body: bytes) -> list[bytes]:
    """The items of a history, each as its own JSON: one that cannot be understood does not hide the others.

    Raises:
        ValueError: it is no JSON list.
    """
    try:
        return [bytes(item) for item in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (ValueError, RecursionError):
        return _items_of_odd(body)


def _items_of_odd(body: bytes) -> list[bytes]:
    """As ``items_of``, of what only Python reads (NaN, half a surrogate pair): it is the trouble of one item."""
    try:
        items = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the history is no list in JSON: {error}") from error
    if not isinstance(items, list):
        raise ValueError("the history is no list in JSON")  # noqa: TRY004 - what came, not how it was called
    return [json.dumps(item).encode() for item in items]


def visit_of(item: bytes, robot_id: str, event_name: str) -> Event | Poison | None:
    """An item of the history of one robot; None if it is about something else."""
    told: dict[str, Any] = {}
    try:
        told = _object(item, unique_keys=False)
        named = (_said(told, _ROBOTS, robot_id), _said(told, _EVENT_NAMES, event_name))
        return _event(told) if named == (robot_id, event_name) else None
    except ValueError as error:
        source = {"sourceEvent": {**told, "robotId": robot_id}}
        return poison_of("history", item.decode("utf-8", "backslashreplace"), source, str(error), None)


def reference_of(item: bytes) -> str | None:
    """The reference id of an item of a history, if it has one."""
    try:
        return _maybe(_object(item, unique_keys=False), ("referenceId",))
    except ValueError:
        return None


def poison_of(
    source: Literal["queue", "history"], body: str, told: Mapping[str, Any], reason: str, receipt: Receipt | None
) -> Poison:
    """What cannot be understood, with what could be read of it."""
    event = told.get("sourceEvent")
    event = event if isinstance(event, dict) else {}
    robot_id = _maybe(event, _ROBOTS)
    key = receipt.message_id if receipt else hashlib.sha256(f"{robot_id}\n{body}".encode()).hexdigest()
    return Poison(
        source=source,
        key=f"{source}:{key}",
        reason=reason,
        body=kept(body),
        receipt=receipt,
        subscription_id=_maybe(told, ("subscriptionId",)),
        robot_id=robot_id,
        event_id=_maybe(event, ("id",)),
    )


def quoted(text: str) -> str:
    """An id as one part of the path of an address."""
    return quote(text, safe="")


def kept(body: str) -> str:
    """A body as it is kept: cut to length, and text that SQLite can hold."""
    return body[:LONGEST_BODY].encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _object(body: bytes, *, unique_keys: bool = True) -> dict[str, Any]:
    told = strict_json(body, unique_keys=unique_keys)
    if not isinstance(told, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - what came, not how it was called
    return told


def _opened(told: dict[str, Any]) -> dict[str, Any]:
    """What an SNS envelope holds (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html)."""
    if told.get("Type") != "Notification" or "Message" not in told:
        return told
    if not isinstance(told["Message"], str):
        raise ValueError("Message of the SNS envelope is no text")  # noqa: TRY004 - as above
    return _object(told["Message"].encode())


def _source_event(told: Mapping[str, Any]) -> dict[str, Any]:
    source = told.get("sourceEvent")
    if not isinstance(source, dict):
        raise ValueError("sourceEvent is missing" if source is None else "sourceEvent is no object")  # noqa: TRY004
    return source


def _event(source: Mapping[str, Any]) -> Event:
    return Event(id=_text(source, ("id",)), at=_moment(source))


def _moment(source: Mapping[str, Any]) -> datetime:
    """When it happened, cut to whole milliseconds.

    Raises:
        ValueError: that is missing, no moment, without a zone, or in another age.
    """
    text = _text(source, _MOMENTS)
    try:
        at = from_text(text)
    except OverflowError:
        raise ValueError(f"{text!r} is in another age") from None
    if not _FIRST <= f"{at.year:04}" < _LAST:
        raise ValueError(f"{text!r} is in another age")
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _text(told: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = next((told[name] for name in names if told.get(name) is not None), None)
    if isinstance(found, int) and not isinstance(found, bool) and names[0] != _MOMENTS[0]:
        found = str(found)  # an id may be a number
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f"{names[0]} is missing" if found is None or found == "" else f"{names[0]} is no text")
    if len(found) > _LONGEST_TEXT:
        raise ValueError(f"{names[0]} is longer than {_LONGEST_TEXT} characters")
    return found


def _said(told: Mapping[str, Any], names: tuple[str, ...], otherwise: str) -> str:
    """What an item names itself, or what was asked for where it does not."""
    return _text(told, names) if any(told.get(name) is not None for name in names) else otherwise


def _maybe(told: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    try:
        return _text(told, names)
    except ValueError:
        return None
