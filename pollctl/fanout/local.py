"""The client of a pass: all from here, unless ``[pollctl.fanout]`` names machines beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl.http.client import Client
from pollctl.http.limits import Limits

if TYPE_CHECKING:
    from pollctl.concurrency.cancellation import Stop
    from pollctl.config.schema import Core


def client_of(core: Core, stop: Stop) -> Client:
    """What a pass asks its upstreams through; nothing of the fan-out is imported where it is not set."""
    limits = Limits.of(core.http)
    if core.fanout.engine == "local":
        return Client(limits, stop=stop)
    from pollctl.fanout.engine import Engine

    return Client(limits, stop=stop, away=Engine(core.fanout, limits, stop))
