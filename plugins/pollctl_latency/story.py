"""The story that ``pollctl demo`` tells of latency: a line is cut for a while, and people hear of it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_latency.fake import LOST, FakeApi

if TYPE_CHECKING:
    from pollctl.demo import DemoSession

_TARGET = "gateway.example.net"


def tell(stage: DemoSession) -> None:
    """Sample a gateway each minute; lose it for five minutes; say how it did."""
    with FakeApi() as api:
        stage.title("latency: is the line good?")
        stage.settings(f'[plugins.latency]\nbase_url = "{api.url}"\nwindow = "0s"')
        stage.say(
            "The gateway shall be sampled each minute for a quarter of an hour, and the crew told when it goes away."
        )
        stage.pollctl(
            "latency", "add", _TARGET, "--duration", "15m", "--alert-offline", "--alert-recovery",
            "--notify", stage.inbox("crew"), at=_at(0),
        )  # fmt: skip
        stage.pollctl("why", "latency", at=_at(0))
        stage.say("A plan asks the upstream and decides, but writes nothing, here or there:")
        stage.pollctl("plan", "latency", at=_at(0))
        stage.say("Cron comes each minute. At 09:03 somebody pulls the plug:")
        stage.passes("latency", *map(_at, range(3)))
        api.script[_TARGET] = [LOST]
        stage.passes("latency", *map(_at, range(3, 9)))
        stage.say("Five misses in a row were an alert, once. The plug goes back in:")
        del api.script[_TARGET]
        stage.passes("latency", *map(_at, range(9, 17)))
        stage.say("The quarter of an hour is over, so the job was summed up. How did the line do?")
        stage.pollctl("latency", "show", "1", at=_at(17))
        stage.pollctl("status", at=_at(17))


def _at(minute: int) -> str:
    return f"2026-03-02T09:{minute:02d}:00Z"
