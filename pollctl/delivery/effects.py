"""Effects before they are in the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from pollctl import units
from pollctl.api.values import Attachment
from pollctl.clock import to_text
from pollctl.errors import MisuseError

CORE_PREFIX = "pollctl."
"""What kinds and lanes of the core's own effects begin with."""


class Queued(NamedTuple):
    """An effect that was asked for and is not yet in the database.

    Attributes:
        payload: JSON.
        not_before: database text.
        address: of the person whom it is for: a secret, kept beside the effect as long as it may still be sent.
        enclosed: what goes along with a message, kept beside the effect as long.
    """

    kind: str
    key: str
    payload: str
    lane: str = ""
    not_before: str = ""
    address: str = ""
    enclosed: tuple[Attachment, ...] = ()


class NotNowError(Exception):
    """A delivery is to rest until a moment; that is no failure."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(why)
        self.until = until


def queued(kind: str, key: str, payload: Any, lane: str = "", not_before: datetime | None = None) -> Queued:
    """An effect in the form in which it is kept: what cannot be kept is found while it is known who asked for it.

    Raises:
        TypeError, ValueError, NotImplementedError: key or lane are not text, *payload* is not JSON.
        MisuseError: *key* is empty.
    """
    if key == "":
        raise MisuseError("the key of an effect is empty; name the deed by it, as in 'warning:2026-03-02'")
    for text in (key, lane):
        if not isinstance(text, str):
            raise TypeError(f"key and lane of an effect are text, not {text!r}")
        text.encode()  # half a surrogate pair is not text
    json_text = msgspec.json.encode(payload, enc_hook=units.encode).decode()
    return Queued(kind, key, json_text, lane, to_text(not_before) if not_before else "")
