"""Messages to people: what ``run.tell`` queues, and the core's own alerts; one effect for each recipient."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from os import PathLike
from pathlib import Path

import msgspec
from msgspec import Struct

from pollctl.api.values import TELL, Attachment, Effect, Level, TextFormat
from pollctl.delivery.effects import CORE_PREFIX, Queued, queued
from pollctl.errors import MisuseError
from pollctl.redaction import Secret, address_digest

Attached = str | PathLike[str] | Attachment
MOST_ENCLOSED = 10_000_000
SENT, NO_ADDRESS = "sent", "no address"
DROPPED = "dropped: "
"""What the result of a message that ``pollctl_tell`` dropped begins with; why comes after it."""


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an effect says to one recipient: its payload.

    Attributes:
        address: digest of the recipient's address; None where there is nobody to tell.
        attach: paths of files that go along.
        enclosed: what goes along from memory, in words: its bytes are beside the effect.
    """

    address: str | None = None
    title: str
    body: str
    level: Level = "info"
    format: TextFormat = "text"
    attach: tuple[str, ...] = ()
    enclosed: tuple[str, ...] = ()

    @classmethod
    def new(cls, title: str, body: str, *, attach: Sequence[Attached] = (), **more: str) -> Message:
        """A message to nobody yet.

        Raises:
            msgspec.ValidationError: a value is not one that a message can have.
            MisuseError: more goes along than may.
        """
        paths = [str(Path(one).absolute()) for one in attach if not isinstance(one, Attachment)]
        words = [_words_of(one) for one in enclosed_in(attach)]
        return msgspec.convert({"title": title, "body": body, "attach": paths, "enclosed": words, **more}, cls)


def enclosed_in(attach: Iterable[Attached]) -> tuple[Attachment, ...]:
    """Those of some attachments that are no paths.

    Raises:
        MisuseError: they are too long.
    """
    found = tuple(one for one in attach if isinstance(one, Attachment))
    if sum(len(one.content) for one in found) > MOST_ENCLOSED:
        raise MisuseError("more than 10 MB go along with a message, which few services take")
    return found


def _words_of(one: Attachment) -> str:
    return f"{one.name}, {len(one.content)} bytes, sha256 {sha256(one.content).hexdigest()}"


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
