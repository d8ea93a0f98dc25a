"""Exchanges with the client, for the tests of this room."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from pollctl.api.values import Answer, Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits


def ask(url: str, limits: Limits | None = None, **settings: Any) -> Answer:
    with closing(Client(limits or Limits(timeout=5), stop=Stop())) as client:
        return answered_by(client, Request(url=url, **settings))


def answered_by(client: Client, request: Request) -> Answer:
    """One exchange, by whatever engine makes many of them; ``client.send`` is always one of Python's."""
    (answer,) = client.get_many([request], concurrency=1)
    return answer


def error_kind(answer: Answer) -> str:
    assert answer.error is not None
    return answer.error.kind


def header(request: bytes, name: str) -> str | None:
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {line.partition(":")[0].lower(): line.partition(": ")[2] for line in lines}.get(name.lower())
