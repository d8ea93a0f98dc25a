"""The event service: its addresses, what its errors mean, and the id of a new subscription."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated
from urllib.parse import quote, urlencode

from msgspec import Meta, Struct

from pollctl import Answer, strict_json

_SERVER_ERROR = 500
_NEVER_SENT = frozenset({"refused", "unreachable", "dns", "tls", "bad_address", "local"})
"""Errors after which the upstream cannot have made anything."""
_NEVER_ASKED = frozenset({"deadline", "stopped"})
"""Errors of a pass that ended, not of the event service."""


class _Created(Struct, frozen=True):
    """How the event service answers a new subscription."""

    id: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"[^.]")] | int


def robot_url(base_url: str, robot_id: str) -> str:
    """Where the event service speaks of one robot."""
    return f"{base_url.rstrip('/')}/internal/v1/events/robots/{_quoted(robot_id)}"


def incomings_url(base_url: str, robot_id: str, event_name: str, since: datetime) -> str:
    """Where the events of one name can be read; ``created_since`` is whole Unix seconds, rounded down."""
    query = urlencode({"event_name": event_name, "created_since": math.floor(since.timestamp())})
    return f"{robot_url(base_url, robot_id)}/incomings?{query}"


def any_incomings_url(base_url: str, robot_id: str, since: datetime) -> str:
    """Where the events of every name can be read."""
    query = urlencode({"created_since": math.floor(since.timestamp())})
    return f"{robot_url(base_url, robot_id)}/incomings?{query}"


def subscription_url(base_url: str, robot_id: str, subscription_id: str) -> str:
    """Where one subscription can be ended."""
    return f"{robot_url(base_url, robot_id)}/subscriptions/{_quoted(subscription_id)}"


def subscription_id_of(body: bytes) -> str:
    """The id of a subscription that was made.

    Raises:
        ValueError: there is none that can be read.
    """
    return str(strict_json(body, _Created).id)


def error_of(answer: Answer) -> str:
    """Why an answer is not a good one."""
    return answer.error.message if answer.error else f"the event service answered {answer.status}"


def may_have_arrived(answer: Answer) -> bool:
    """Whether a request that failed may have changed something all the same."""
    if answer.error is not None:
        return answer.error.kind not in _NEVER_SENT
    return answer.status >= _SERVER_ERROR


def was_asked(answer: Answer) -> bool:
    """Whether the event service had its chance to answer."""
    return answer.error is None or answer.error.kind not in _NEVER_ASKED


def _quoted(text: str) -> str:
    """An id as one part of the path of an address."""
    return quote(text, safe="")
