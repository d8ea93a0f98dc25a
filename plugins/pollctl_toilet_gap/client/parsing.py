"""Messages of the queue and items of a history, read strictly: they become values, or poison."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from pollctl import strict_json
from pollctl_toilet_gap.client.moments import read_moment
from pollctl_toilet_gap.model import Event, Letter, ParsedMessage, PoisonMessage, Receipt, Source

LONGEST_BODY = 10_000
"""Characters of a dead letter that are kept."""
_LONGEST_TEXT = 200
_ENVELOPES = 4
"""Envelopes within each other that are opened."""
_EVENT_NAMES = ("eventName", "eventType")
_ROBOTS = ("robotId", "robot_id")
_MOMENTS = ("createdAt", "timestamp")


class Message(NamedTuple):
    """A message as the queue gave it."""

    receipt: Receipt
    body: str


def parse_message(message: Message) -> ParsedMessage | PoisonMessage:
    """A message of the queue, plain or within envelopes of SNS and EventBridge."""
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
        source = {"sourceEvent": {"eventName": event_name, **content, "robotId": robot_id}}
        return poison_of("history", item.decode("utf-8", "backslashreplace"), source, str(error), None)


def read_again(letter: Letter) -> ParsedMessage | None:
    """What a dead letter holds that can be understood by now; None if it still cannot."""
    receipt = Receipt(letter.key, "")
    if letter.source == "queue":
        message = parse_message(Message(receipt, letter.body))
        return replace(message, letter=letter.id) if isinstance(message, ParsedMessage) else None
    if letter.robot_id is None or letter.event_name is None:
        return None
    event = parse_item(letter.body.encode(), letter.robot_id, letter.event_name)
    if not isinstance(event, Event):
        return None
    return ParsedMessage(
        receipt=receipt,
        subscription_id="",
        robot_id=letter.robot_id,
        event_name=letter.event_name,
        event=event,
        body=letter.body,
        letter=letter.id,
    )


def last_event(items: Sequence[bytes], own: str) -> datetime | None:
    """When the latest event of a history happened, alarms of the name *own* left out; None where there is none."""
    moments = []
    for item in items:
        try:
            content = _object(item, unique_keys=False)
            if _optional_text(content, _EVENT_NAMES) != own and content.get("referenceId") is None:
                moments.append(_moment(content))
        except ValueError:  # nothing is known of this one
            continue
    return max(moments, default=None)


def reference_of(item: bytes) -> str | None:
    """The reference id of an item of a history, if it has one."""
    try:
        return _optional_text(_object(item, unique_keys=False), ("referenceId",))
    except ValueError:
        return None


def id_of(item: bytes) -> str | None:
    """The id of an item, or of an answer about one; None where that cannot be read."""
    try:
        return _optional_text(_object(item, unique_keys=False), ("id",))
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
        event_name=_optional_text(event, _EVENT_NAMES),
        at=_optional_moment(event),
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
    """What envelopes hold, one within another.

    SNS (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html) and EventBridge
    (https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html).
    """
    for _ in range(_ENVELOPES):
        if content.get("Type") == "Notification" and "Message" in content:
            if not isinstance(content["Message"], str):
                raise ValueError("Message of the SNS envelope is not text")
            content = _object(content["Message"].encode())
        elif "detail-type" in content and isinstance(content.get("detail"), dict):
            content = content["detail"]
        else:
            break
    return content


def _source_event(content: Mapping[str, Any]) -> dict[str, Any]:
    source = content.get("sourceEvent")
    if not isinstance(source, dict):
        raise ValueError("sourceEvent is missing" if source is None else "sourceEvent is not an object")  # noqa: TRY004
    return source


def _event(source: Mapping[str, Any]) -> Event:
    return Event(id=_text(source, ("id",)), at=_moment(source))


def _moment(source: Mapping[str, Any]) -> datetime:
    """When it happened.

    Raises:
        ValueError: that is missing, not a moment, without a zone, or out of range.
    """
    found = next((source[name] for name in _MOMENTS if source.get(name) is not None), None)
    if found is None or found == "":
        raise ValueError(f"{_MOMENTS[0]} is missing")
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise ValueError(f"{_MOMENTS[0]} is neither text nor a number")  # noqa: TRY004 - what came, not how it was called
    if isinstance(found, str) and len(found) > _LONGEST_TEXT:
        raise ValueError(f"{_MOMENTS[0]} is longer than {_LONGEST_TEXT} characters")
    return read_moment(found)


def _text(content: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = next((content[name] for name in names if content.get(name) is not None), None)
    if isinstance(found, int) and not isinstance(found, bool):
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


def _optional_moment(content: Mapping[str, Any]) -> datetime | None:
    try:
        return _moment(content)
    except ValueError:
        return None
