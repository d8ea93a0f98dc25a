"""Answers that tests plan ahead instead of the usual ones."""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec import Struct

from pollctl_shell_query.fake import envelopes
from pollctl_shell_query.fake.objects import Step


class Reply(Struct, frozen=True, kw_only=True):
    """How one request is answered instead of as usual.

    Attributes:
        is_acted: whether the request takes effect all the same.
        is_lost: the connection is closed without an answer.
        delay: seconds before the answer.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    is_acted: bool = False
    is_lost: bool = False
    delay: float = 0


QUEUED, PROCESSING, COMPLETE = Step(), Step(status="Processing"), Step(status="Complete")
HTML_500 = Reply(status=500, body=b"<html><body>Server Error</body></html>", headers={"Content-Type": "text/html"})
LOST = Reply(is_lost=True)
LOST_AFTER = Reply(is_lost=True, is_acted=True)
LOGIN_FAILED = Reply(status=500, body=envelopes.fault("q0:Security", "Login Failed"))
TOKEN_EXPIRED = Reply(status=500, body=envelopes.fault("q0:Security", "Token Expired"))


def xml_reply(body: bytes) -> Reply:
    """An answer of the SOAP end."""
    return Reply(body=body, headers={"Content-Type": "text/xml; charset=utf-8"})


def json_reply(value: object) -> Reply:
    """An answer of the REST and the token end."""
    return Reply(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})
