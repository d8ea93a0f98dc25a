"""Messages of the queue and items of a history, read strictly: they become values, or poison."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from pollctl import from_text, strict_json
from pollctl_toilet_gap.model import Event, ParsedMessage, PoisonMessage, Receipt, Source

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


def parse_message(message: Message) -> ParsedMessage | PoisonMessage:
    """A message of the queue, plain or within an SNS envelope."""
    content: dict[str, Any] = {}
    try:
        content = _opened(_object(message.body.encode()))
        source = _source_event(content)
        return ParsedMessage(
            receipt=message.receipt,
            subscription_id=_text(content, ("subscriptionId",)),
            robot_id=_text(source, _ROBOTS),
            event_name=_text(source, _EVENT_NAMES),
            event=_event(source),
            body=body_to_keep(message.body),
        )
    except ValueError as error:
        return poison_of("queue", message.body, content, str(error), message.receipt)


def split_items(body: bytes) -> list[bytes]:
    """The items of a history, each as its own JSON: one that cannot be understood does not hide the others.

    Raises:
        ValueError: it is not a JSON list.
    """
    try:
        return [bytes(item) for item in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (ValueError, RecursionError):
        return _split_leniently(body)


def _split_leniently(body: bytes) -> list[bytes]:
    """As ``split_items``, of what only Python reads (NaN, half a surrogate pair): that spoils one item and not the others."""
    try:
        items = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the history is not a JSON list: {error}") from error
    if not isinstance(items, list):
        raise ValueError("the history is not a JSON list")  # noqa: TRY004 - what came, not how it was called
    return [json.dumps(item).encode() for item in items]


def parse_item(item: bytes, robot_id: str, event_name: str) -> Event | PoisonMessage | None:
    """An item of the history of one robot; None if it is about something else."""
    content: dict[str, Any] = {}
    try:
        content = _object(item, unique_keys=False)
        named = (_named(content, _ROBOTS, robot_id), _named(content, _EVENT_NAMES, event_name))
        return _event(content) if named == (robot_id, event_name) else None
    except ValueError as error:
        source = {"sourceEvent": {**content, "robotId": robot_id}}
        return poison_of("history", item.decode("utf-8", "backslashreplace"), source, str(error), None)


def reference_of(item: bytes) -> str | None:
    """The reference id of an item of a history, if it has one."""
    try:
        return _optional_text(_object(item, unique_keys=False), ("referenceId",))
    except ValueError:
        return None


def poison_of(
    source: Source, body: str, content: Mapping[str, Any], reason: str, receipt: Receipt | None
) -> PoisonMessage:
    """What cannot be understood, with what could be read of it."""
    event = content.get("sourceEvent")
    event = event if isinstance(event, dict) else {}
    robot_id = _optional_text(event, _ROBOTS)
    key = receipt.message_id if receipt else hashlib.sha256(f"{robot_id}\n{body}".encode()).hexdigest()
    return PoisonMessage(
        source=source,
        key=f"{source}:{key}",
        reason=reason,
        body=body_to_keep(body),
        receipt=receipt,
        subscription_id=_optional_text(content, ("subscriptionId",)),
        robot_id=robot_id,
        event_id=_optional_text(event, ("id",)),
    )


def body_to_keep(body: str) -> str:
    """A body as it is kept: cut to length, and text that SQLite can hold."""
    return body[:LONGEST_BODY].encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _object(body: bytes, *, unique_keys: bool = True) -> dict[str, Any]:
    content = strict_json(body, unique_keys=unique_keys)
    if not isinstance(content, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - what came, not how it was called
    return content


def _opened(content: dict[str, Any]) -> dict[str, Any]:
    """What an SNS envelope holds (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html)."""
    if content.get("Type") != "Notification" or "Message" not in content:
        return content
    if not isinstance(content["Message"], str):
        raise ValueError("Message of the SNS envelope is not text")  # noqa: TRY004 - as above
    return _object(content["Message"].encode())


def _source_event(content: Mapping[str, Any]) -> dict[str, Any]:
    source = content.get("sourceEvent")
    if not isinstance(source, dict):
        raise ValueError("sourceEvent is missing" if source is None else "sourceEvent is not an object")  # noqa: TRY004
    return source


def _event(source: Mapping[str, Any]) -> Event:
    return Event(id=_text(source, ("id",)), at=_moment(source))


def _moment(source: Mapping[str, Any]) -> datetime:
    """When it happened, cut to whole milliseconds.

    Raises:
        ValueError: that is missing, not a moment, without a zone, or out of range.
    """
    text = _text(source, _MOMENTS)
    at = from_text(text)
    if not _FIRST <= f"{at.year:04}" < _LAST:
        raise ValueError(f"{text!r} is not in the years 2000 to 2299")
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _text(content: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = next((content[name] for name in names if content.get(name) is not None), None)
    if isinstance(found, int) and not isinstance(found, bool) and names[0] != _MOMENTS[0]:
        found = str(found)  # an id may be a number
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f"{names[0]} is missing" if found is None or found == "" else f"{names[0]} is not text")
    if len(found) > _LONGEST_TEXT:
        raise ValueError(f"{names[0]} is longer than {_LONGEST_TEXT} characters")
    return found


def _named(content: Mapping[str, Any], names: tuple[str, ...], otherwise: str) -> str:
    """What an item names, or what was asked for where it names nothing."""
    return _text(content, names) if any(content.get(name) is not None for name in names) else otherwise


def _optional_text(content: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    try:
        return _text(content, names)
    except ValueError:
        return None
