"""A message as one service takes it: Apprise leaves a title in HTML unescaped, and sends what is too long as it is."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

import apprise
from apprise import conversion
from msgspec.structs import replace

from pollctl.console.spoken import counted

if TYPE_CHECKING:
    from pollctl.delivery.messages import Message

MOST = 5
"""About so many parts one message is sent in; what is beyond them is left out."""
_SAYS_ITSELF = re.compile(r"[?&]overflow=", re.IGNORECASE)


def fitted(message: Message, url: str, service: apprise.NotifyBase, timeout: float) -> Message:
    """The *message* as the *service* shows it: where it is too long it is text, which can be split anywhere.

    Unless the address says what to do, the service then gets it in parts, all of them within *timeout* seconds.
    """
    limit = service.body_maxlen
    if limit != apprise.NotifyBase.body_maxlen and not _SAYS_ITSELF.search(url):  # that of those that have none
        service.overflow_mode = apprise.OverflowMode.SPLIT
        service.request_rate_per_sec = min(service.request_rate_per_sec, timeout / (4 * MOST))
        if len(message.title) + len(message.body) > limit:
            message = _cut(_as_text(message), MOST * limit)
    if message.format == "html" and service.title_maxlen <= 0:
        return replace(message, title=escape(message.title))
    return message


def _as_text(message: Message) -> Message:
    if message.format != "html":
        return message
    convert: Any = conversion.convert_between  # has no type hints
    text = convert(apprise.NotifyFormat.HTML, apprise.NotifyFormat.TEXT, message.body)
    return replace(message, body=text, format="text")


def _cut(message: Message, most: int) -> Message:
    left_out = len(message.body) - most
    if left_out <= 0:
        return message
    return replace(message, body=f"{message.body[:most]}\n… and {counted(left_out, 'more character')}")
