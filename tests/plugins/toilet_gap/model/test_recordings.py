"""Recordings can be decided again, also those of earlier versions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plugins.toilet_gap.place import Place

from pollctl import testing
from pollctl.passes.report import recorded
from pollctl_toilet_gap import model
from pollctl_toilet_gap.model import (
    Batch,
    Check,
    DeadLetter,
    DueCheck,
    Event,
    History,
    NotifyBlind,
    NotifyUndelivered,
    ParsedMessage,
    PoisonMessage,
    Receipt,
    State,
    Subscriber,
    SubscribeResult,
    Terms,
    UndeliveredAlarm,
)

AT = datetime(2025, 11, 12, 8, tzinfo=UTC)
LATER = AT + timedelta(hours=12)
POISON = PoisonMessage(source="queue", key="queue:m2", reason="not JSON", body="boo")
UNDELIVERED = UndeliveredAlarm(reference_id="7-x", check_id=7, robot_id="r-1", attempts=3, error="503")
MESSAGE = ParsedMessage(
    receipt=Receipt("m1", "h1"),
    subscription_id="s1",
    robot_id="r-1",
    event_name="TOILET_ACTIVITY",
    event=Event("e1", AT),
    body="{}",
)
BATCH = Batch(
    messages=[MESSAGE],
    poison=[POISON],
    due=[DueCheck(check_id=7, ends_at=LATER)],
    histories=[History(check_id=7, since=AT, error="404")],
    undelivered=[UNDELIVERED],
)
TERMS = Terms(
    timezone="UTC", start="08:00", end="20:00", gap_ms=7_200_000, grace_ms=0, level=10, event="VISIT", alarm="ALARM"
)
CHECK = Check(
    id=7,
    monitor="pilot",
    robot_id="r-1",
    local_date="2025-11-12",
    phase="SETUP",
    planned_at=AT,
    ends_at=LATER,
    terms=TERMS,
    is_closing=False,
    since=AT,
    until=LATER,
    opened_by="start",
    unjudged=0,
    unjudged_since=None,
    last_order=1,
    alarms=0,
    failed_subscription=3,
    subscription_error="503",
    pending=[],
    recorded=["e0"],
    quarantined=[],
)
SUBSCRIBER = Subscriber(
    check_id=7,
    robot_id="r-1",
    event_name="VISIT",
    planned_at=AT,
    ends_at=LATER,
    is_over=False,
    subscriptions=["s1"],
    is_uncertain=False,
    last_order=1,
    seen=["e0"],
    quarantined=[],
)
STATE = State(checks={7: CHECK}, subscribers=[SUBSCRIBER])


def names_in(value: Any) -> set[str]:
    """All keys of a JSON document."""
    if isinstance(value, dict):
        return {*value, *(name for inner in value.values() for name in names_in(inner))}
    return {name for inner in value for name in names_in(inner)} if isinstance(value, list) else set()


def test_everything_a_pass_decided_can_be_replayed(queued: Place) -> None:
    queued.configure(record="all")
    queued.run("08:00")
    queued.visit("09:30")
    queued.passes("09:31", "11:30", "20:00")
    assert queued.sql("SELECT count(*) > 5 FROM recordings") == [(1,)]
    queued.pollctl("replay", "--all", code=0)


@pytest.mark.parametrize(
    ("value", "earlier"),
    [(BATCH, {"letters", "turns", "unposted", "trouble"}), (STATE, {"homes", "known", "unmade", "trouble"})],
    ids=["batch", "state"],
)
def test_recordings_have_the_names_that_earlier_versions_gave_the_fields(value: Any, earlier: set[str]) -> None:
    assert names_in(json.loads(recorded(value))) >= earlier
    assert testing.round_trip_problems(value, type(value)) == []


@pytest.mark.parametrize(
    ("decision", "tag"),
    [
        (DeadLetter(poison=POISON, reason="not JSON"), "Bury"),
        (NotifyBlind(check_id=7, monitor="pilot", since=AT, reason="3 passes"), "TellBlind"),
        (NotifyUndelivered(alarm=UNDELIVERED, reason="3 attempts"), "TellUnposted"),
    ],
    ids=["dead letter", "blind", "undelivered"],
)
def test_decisions_have_the_types_that_recordings_and_plans_know(decision: model.Decision, tag: str) -> None:
    assert json.loads(recorded([decision]))[0]["type"] == tag


def test_a_recorded_subscription_has_the_keys_of_earlier_versions() -> None:
    result = SubscribeResult(error="503", is_uncertain=True)
    assert json.loads(recorded(result)) == {"id": None, "trouble": "503", "is_uncertain": True}


def test_a_batch_of_an_earlier_version_can_be_read() -> None:
    event = '{"id": "e1", "at": "2025-11-12T08:00:00Z"}'
    letter = (
        '{"receipt": {"message_id": "m1", "handle": "h1"}, "subscription_id": "s1", "robot_id": "r-1", '
        f'"event_name": "TOILET_ACTIVITY", "event": {event}, "body": "{{}}"}}'
    )
    alarm = '{"reference_id": "7-x", "check_id": 7, "robot_id": "r-1", "attempts": 3, "trouble": "503"}'
    turn = '{"check_id": 7, "ends_at": "2025-11-12T20:00:00Z"}'
    history = '{"check_id": 7, "since": "2025-11-12T08:00:00Z", "trouble": "404"}'
    poison = '{"source": "queue", "key": "queue:m2", "reason": "not JSON", "body": "boo"}'
    earlier = (
        f'{{"letters": [{letter}], "poison": [{poison}], "turns": [{turn}], "histories": [{history}], '
        f'"unposted": [{alarm}]}}'
    )
    assert testing.read_back(earlier, Batch) == BATCH
