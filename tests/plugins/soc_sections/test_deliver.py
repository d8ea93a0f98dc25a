"""Late deliveries: who is still notified, and when."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.soc_sections.world import INDEX, Message

from pollctl import Drop
from pollctl_soc_sections import store


def queued(world: Any) -> Message:
    """The message of an opening that a pass has seen."""
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    (message,) = world.run.messages
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"window": "12:04-14:00"}, "outside 12:04-14:00"),
        ({"snooze_until": "2026-08-03T16:04:00.000Z"}, "snoozed"),
    ],
    ids=["window", "snooze"],
)
def test_what_comes_too_late_to_be_sent_waits_like_any_other_and_is_not_a_failed_delivery(
    world: Any, columns: dict[str, str], why: str
) -> None:
    world.subscribe()
    message = queued(world)
    for name, value in columns.items():
        world.db.execute(f"UPDATE soc_subscriptions SET {name} = ?", [value])
    assert store.last_look(world.db, message.effect, world.run) == Drop(why=why)
    world.deliver()
    assert world.rows("SELECT kind, detail FROM soc_subscription_events WHERE kind = 'deferred'") == [("deferred", why)]
    world.poll(["10000", INDEX])
    assert (world.fanned(), world.run.messages) == ([(1, "deferred")], [])
    world.poll(["10000", INDEX])
    assert (world.deliver(), world.fanned()) == ([1], [(1, "sent")])


@pytest.mark.parametrize(
    ("status", "becomes"), [("paused", "deferred"), ("suppressed", "deferred"), ("unsubscribed", "expired")]
)
def test_only_eligible_subscriptions_are_notified(world: Any, status: str, becomes: str) -> None:
    world.subscribe()
    queued(world)
    world.db.execute("UPDATE soc_subscriptions SET status = ?", [status])
    world.deliver()
    assert world.fanned() == [(1, becomes)]
    assert world.rows("SELECT sent_count FROM soc_subscriptions") == [(0,)]


def test_a_subscription_that_was_paused_at_its_delivery_is_notified_when_resumed(world: Any) -> None:
    world.subscribe()
    first = queued(world)
    world.db.execute("UPDATE soc_subscriptions SET status = 'paused'")
    world.deliver()
    world.poll(["10000", INDEX])
    assert world.run.messages == []
    world.db.execute("UPDATE soc_subscriptions SET status = 'active'")
    world.poll(["10000", INDEX])
    (second,) = world.run.messages
    assert second.key == f"{first.key}+"
    assert (world.deliver(), world.fanned()) == ([1], [(1, "sent")])


def test_a_repeat_of_a_delivery_that_was_recorded_counts_once(world: Any) -> None:
    world.subscribe()
    message = queued(world)
    for _ in range(2):
        world.run.messages = [message]
        world.deliver()
    assert world.rows("SELECT sent_count, last_known_section_status FROM soc_subscriptions") == [(1, "OPEN")]


def test_a_message_names_the_section_since_when_it_was_seen_and_the_host(world: Any) -> None:
    world.subscribe()
    message = queued(world)
    assert (message.title, message.to) == (f"Open: Section {INDEX} ({INDEX})", "json://127.0.0.1:1/x")
    lines = message.body.splitlines()
    assert lines[2] == "Seen open at 2026-08-03 12:02 EDT"
    assert lines[-1] == "soc_sections on campus.example"


def test_a_message_that_was_given_up_is_failed_and_says_so_in_the_history(world: Any) -> None:
    world.subscribe()
    message = queued(world)
    store.settle(world.db, message.effect, None, world.run)
    assert world.fanned() == [(1, "failed")]
    assert "given up" in world.rows("SELECT detail FROM soc_subscription_events WHERE kind = 'failed'")[0][0]
