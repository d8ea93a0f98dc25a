"""latency in ``pollctl demo``: a line is cut for a while, and people are notified of it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_latency.fake import LOST, FakeApi
from pollctl_latency.fake.postgrest import SECRET_KEY, FakePostgrest, Fault

if TYPE_CHECKING:
    from pollctl.demo import DemoSession
    from pollctl.fakes import Playground

_TARGET = "gateway.example.net"
_JOB = "0b7c3f5e-52f4-4c0e-9f1e-1d2a6f7f2c11"


def run(session: DemoSession) -> None:
    """Sample a gateway each minute; lose it for five minutes; say how it did."""
    with FakeApi() as api:
        session.title("latency: is the line good?")
        session.settings(f'[plugins.latency]\nbase_url = "{api.url}"\nwindow = "0s"')
        session.say(
            "The gateway is to be sampled each minute for a quarter of an hour, and the crew notified when it is offline."
        )
        session.pollctl(
            "latency", "add", _TARGET, "--duration", "15m", "--alert-offline", "--alert-recovery",
            "--notify", session.inbox("crew"), at=_at(0),
        )  # fmt: skip
        session.pollctl("why", "latency", at=_at(0))
        session.say("A plan asks the upstream and decides, but writes nothing, here or there:")
        session.pollctl("plan", "latency", at=_at(0))
        session.say("Cron starts a pass each minute. At 09:03 somebody pulls the plug:")
        session.passes("latency", *map(_at, range(3)))
        api.script[_TARGET] = [LOST]
        session.passes("latency", *map(_at, range(3, 9)))
        session.say("Five misses in a row raised one alert. The plug goes back in:")
        del api.script[_TARGET]
        session.passes("latency", *map(_at, range(9, 17)))
        session.expect_messages(
            "crew", "is offline since 09:03:00 UTC", "is back after 6 min", "fail: 6 of 16 probes lost"
        )
        session.say("The quarter of an hour is over, so the job is completed. How did the line do?")
        session.pollctl("latency", "show", "1", at=_at(17))
        session.pollctl("latency", "samples", "1", "--limit", "3", "--format", "csv", at=_at(17))
        session.pollctl("status", at=_at(17))
        _kept_elsewhere(session, api)


def _kept_elsewhere(session: DemoSession, api: FakeApi) -> None:
    """Sample a job that a web application has created; lose that side for a while; send what was taken meanwhile."""
    with FakePostgrest() as web:
        session.title("latency: jobs that are kept elsewhere")
        session.settings(
            f'[plugins.latency]\nbase_url = "{api.url}"\nwindow = "0s"\n'
            f'[plugins.latency.supabase]\nurl = "{web.url}"\nkey = "{SECRET_KEY}"\npoller = "pod-1"'
        )
        session.say(
            "A web application keeps jobs in tables behind PostgREST. Somebody creates one there, and it is claimed:"
        )
        web.create(_JOB, "branch.example.net", started_at=_at(20))
        session.passes("latency", _at(20), _at(21))
        session.say("The other side does not answer for a while. The job is sampled on, and its samples wait:")
        web.outage = Fault(503, "PGRST002")
        session.passes("latency", *map(_at, range(22, 25)), code=3)
        session.pollctl("status", at=_at(25))
        web.outage = None
        session.say("It answers again, and gets all of them, each once:")
        session.passes("latency", _at(25))
        arrived = web.numbers(_JOB)
        session.expect(f"samples {', '.join(map(str, arrived))} have arrived", is_so=arrived == [0, 1, 2, 3, 4])


def playground(port: int) -> Playground:
    """An API that answers for every target in about 20 ms."""
    from pollctl.fakes import Playground

    api = FakeApi(port=port)
    settings = f'[plugins.latency]\nbase_url = "{api.url}"'
    return Playground(api, settings, "pollctl latency add gateway.example.net; pollctl run latency")


def _at(minute: int) -> str:
    return f"2026-03-02T09:{minute:02d}:00Z"
