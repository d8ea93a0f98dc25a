"""A section of a plugin with settings of every kind, and what is allowed in each."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from msgspec import Meta, Struct

from pollctl.redaction import Secret
from pollctl.units import Duration, HttpUrl, Size

DURATION = 'allowed a duration such as "500ms", "20s", "15m", "2h" or "1d"'
LONGER = f'{DURATION}, more than "0s"'
SIZE = 'allowed a size such as "64KB" or "32MB", more than "0B"'
ZONE = 'allowed an IANA zone such as "Europe/Amsterdam"'
SECRET = 'allowed text, { env = "NAME" } or { file = "PATH" }'
URL = 'allowed an http or https address such as "https://api.example.net"'
WHOLE = "allowed a whole number, at least 1"


class Monitor(Struct, frozen=True, kw_only=True):
    name: str
    robot_id: str
    gap: Duration = Duration(hours=2)
    level: Annotated[int, Meta(ge=1, le=10)] = 10
    token: Secret = Secret("")


class Rate(float):
    @classmethod
    def parse(cls, text: str) -> Rate:
        raise ValueError(f"{len(text)} characters are no rate; write 1/s")


class Own(Struct, frozen=True, kw_only=True):
    event_service_url: str
    max_messages: Annotated[int, Meta(ge=1)] = 500
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.1
    label: Annotated[str, Meta(min_length=1, max_length=20)] = "x"
    terms: Annotated[tuple[str, ...], Meta(min_length=1)] = ("a",)
    quota: dict[str, int] = {}
    chunk: Size | None = None
    queue_url: HttpUrl | None = None
    backoff: float = 2.0
    at: time | None = None
    rate: Rate | None = None
    client_secret: Secret = Secret("")
    monitors: tuple[Monitor, ...] = ()
    min_gap: Duration = Duration(seconds=1)
    max_gap: Duration = Duration(seconds=9)

    def __post_init__(self) -> None:
        if self.min_gap > self.max_gap:
            raise ValueError(f"min_gap {self.min_gap} is more than max_gap {self.max_gap}\nmake it less")
