"""Messages to people: what ``run.tell`` queues, and the core's own alerts; one effect for each recipient."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path

import msgspec
from msgspec import Struct

from pollctl.api.values import TELL, Effect, Level, TextFormat
from pollctl.delivery.effects import CORE_PREFIX, Queued, queued
from pollctl.redaction import Secret, address_digest

SENT, NO_ADDRESS = "sent", "no address"
DROPPED = "dropped: "
"""What the result of a message that ``pollctl_tell`` dropped begins with; why comes after it."""


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an effect says to one recipient: its payload.

    Attributes:
        address: digest of the recipient's address; None where there is nobody to tell.
        attach: paths of files that go along.
    """

    address: str | None = None
    title: str
    body: str
    level: Level = "info"
    format: TextFormat = "text"
    attach: tuple[str, ...] = ()

    @classmethod
    def new(cls, title: str, body: str, *, attach: Iterable[str | PathLike[str]] = (), **more: str) -> Message:
        """A message to nobody yet.

        Raises:
            msgspec.ValidationError: a value is not one that a message can have.
        """
        paths = [str(Path(path).absolute()) for path in attach]
        return msgspec.convert({"title": title, "body": body, "attach": paths, **more}, cls)


def is_message(kind: str) -> bool:
    """Whether effects of a kind are messages, which the core delivers itself."""
    return kind == TELL or kind.startswith(CORE_PREFIX)


def message_of(effect: Effect) -> Message:
    """What an effect says.

    Raises:
        msgspec.ValidationError: it is not a message.
    """
    return msgspec.convert(effect.payload, Message)


def to_each(
    kind: str,
    key: str,
    message: Message,
    recipients: Sequence[Secret],
    common: Collection[Secret],
    not_before: datetime | None = None,
) -> list[Queued]:
    """One effect for each recipient, whose messages go in order; without any, one that only says so.

    The address itself is beside the effect and not in it: payload, key and lane hold its digest. Those that are *common*, by
    the settings, stay there alone.
    """
    if not recipients:
        return [queued(kind, key, message, not_before=not_before)]
    prefix = CORE_PREFIX if kind.startswith(CORE_PREFIX) else f"{TELL}:"
    effects = []
    for recipient in recipients:
        digest = address_digest(recipient.reveal())
        addressed = msgspec.structs.replace(message, address=digest)
        effect = queued(kind, f"{key}:{digest}", addressed, f"{prefix}{digest}", not_before)
        effects.append(effect if recipient in common else effect._replace(address=recipient.reveal()))
    return effects
