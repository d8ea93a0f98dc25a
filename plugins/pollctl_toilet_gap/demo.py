"""What ``pollctl demo`` shows of toilet_gap: a day with a long silence, one alarm to people, and an event that nobody can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl import from_text
from pollctl_toilet_gap.fake import FakeEventService

if TYPE_CHECKING:
    from pollctl.demo import DemoSession
    from pollctl.fakes import Playground

_MONITOR: dict[str, object] = {
    "name": "room-12",
    "robot_id": "r-12",
    "timezone": "UTC",
    "start": "08:00",
    "end": "20:00",
    "gap": "3h",
}
_VISITS = ("08:40", "10:55", "12:30", "17:10", "19:05")


def run(session: DemoSession) -> None:
    """Watch a resident for a day in which nothing happens for too long once."""
    with FakeEventService() as service:
        session.title("toilet_gap: has she been to the toilet?")
        session.settings(service.settings({**_MONITOR, "notify": [session.inbox("nurse")]}))
        session.say("Room 12 is watched from 08:00 to 20:00: three hours without a visit raise an alarm.")
        session.passes("toilet_gap", _at("08:00"))
        for visit in _VISITS[:3]:
            service.visit("r-12", _at(visit))
        session.say(
            "She comes at 08:40, 10:55 and 12:30. Then there is silence, and at 15:30 it has lasted three hours:"
        )
        session.pollctl("plan", "toilet_gap", at=_at("15:30"))
        service.visit("r-12", _at("15:05"), event_name="BED_ACTIVITY")
        service.now = from_text(_at("15:30"))
        session.passes("toilet_gap", _at("15:29"), _at("15:30"), _at("15:31"))
        session.expect("one alarm went out", is_so=len(service.posted) == 1)
        session.expect_messages("nurse", "The robot was last heard of")
        session.say(
            "One alarm went out, once; the nurse sees that the robot lives. Then a visit comes whose time nobody can read. "
            "It is never silent: the pass is partial, and an alarm of its window would name it."
        )
        service.add_to_history("r-12", {"id": "v-4", "eventName": "TOILET_ACTIVITY", "createdAt": "ten to five"})
        session.passes("toilet_gap", _at("16:50"), code=3)
        session.pollctl("toilet-gap", "dead-letters", at=_at("16:51"))
        session.pollctl("status", at=_at("16:51"))
        for visit in _VISITS[3:]:
            service.visit("r-12", _at(visit))
        session.say("Then she comes again, and the day ends by what happened:")
        session.passes("toilet_gap", _at("19:59"), _at("20:00"))
        session.pollctl("toilet-gap", "timeline", "1", at=_at("20:00"))


def playground(port: int) -> Playground:
    """A resident who is never heard of, watched all day: an alarm goes out as soon as the gap has passed."""
    from pollctl.fakes import Playground

    service = FakeEventService(port=port)
    monitor = {**_MONITOR, "start": "00:00", "end": "23:59", "gap": "5m"}
    return Playground(service, service.settings(monitor), "pollctl run toilet_gap; pollctl toilet-gap checks")


def _at(clock: str) -> str:
    return f"2026-03-02T{clock}:00Z"
