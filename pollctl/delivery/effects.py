"""Effects before they are in the outbox, and the rules by which they are tried again."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from pollctl import units
from pollctl.api.values import Poller
from pollctl.clock import to_text

CORE_PREFIX = "pollctl."
"""What kinds and lanes of the core's own effects begin with."""


class Queued(NamedTuple):
    """An effect that was asked for and is not yet in the database; ``payload`` is JSON, ``not_before`` database text."""

    kind: str
    key: str
    payload: str
    lane: str = ""
    not_before: str = ""


def queued(kind: str, key: str, payload: Any, lane: str = "", not_before: datetime | None = None) -> Queued:
    """An effect in the form in which it is kept: what cannot be kept is found while it is known who asked for it.

    Raises:
        TypeError, ValueError, NotImplementedError: key or lane are not text, *payload* is not JSON.
    """
    for text in (key, lane):
        if not isinstance(text, str):
            raise TypeError(f"key and lane of an effect are text, not {text!r}")
        text.encode()  # half a surrogate pair is not text
    json_text = msgspec.json.encode(payload, enc_hook=units.encode).decode()
    return Queued(kind, key, json_text, lane, to_text(not_before) if not_before else "")


class Retry(NamedTuple):
    """How failed deliveries are tried again: *backoff* doubled per attempt, at most *backoff_max*, *max_attempts* in all."""

    max_attempts: int
    backoff: timedelta
    backoff_max: timedelta

    def pause(self, key: str, attempts: int) -> timedelta:
        """The pause after the given number of attempts, with a jitter of ±10 % fixed by key and attempt."""
        doubled = self.backoff * 2.0 ** min(attempts - 1, 40)
        spread = 0.9 + 0.2 * zlib.crc32(f"{key}:{attempts}".encode()) / 2**32
        return min(doubled, self.backoff_max) * spread


class Kinds(NamedTuple):
    """What a plugin says of its kinds of effects.

    Attributes:
        holding: a second delivery would do harm.
        tireless: never given up.
    """

    holding: frozenset[str] = frozenset()
    tireless: frozenset[str] = frozenset()

    @staticmethod
    def of(poller: Poller) -> Kinds:
        """By the facts of the plugin."""
        holding = frozenset(kind for kind, repeat in poller.effects.items() if repeat == "hold")
        return Kinds(holding, frozenset(poller.tireless))


NO_KINDS = Kinds()
