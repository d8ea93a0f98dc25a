"""Late deliveries: who is still notified, and when."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.soc_sections.world import INDEX, NOON

from pollctl import Effect
from pollctl_soc_sections.deliver import deliver


def queued(world: Any) -> Effect:
    """The effect of an opening that a pass has seen."""
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    ((key, payload, lane),) = world.run.effects
    return Effect(id=1, kind="opening", key=key, payload=payload, lane=lane, attempt=1, created_at=NOON)


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
    effect = queued(world)
    for name, value in columns.items():
        world.db.execute(f"UPDATE soc_subscriptions SET {name} = ?", [value])
    result = deliver(effect, world.run)
    assert result == {"sent": False, "why": why, "later": True}
    world.deliver(result)
    world.poll(["10000", INDEX])
    assert (world.fanned(), world.run.effects) == ([(1, "deferred")], [])
    world.poll(["10000", INDEX])
    assert (world.deliver(), world.fanned()) == ([1], [(1, "sent")])


@pytest.mark.parametrize(
    ("status", "becomes"), [("paused", "deferred"), ("suppressed", "deferred"), ("unsubscribed", "expired")]
)
def test_only_eligible_subscriptions_are_notified(world: Any, status: str, becomes: str) -> None:
    world.subscribe()
    effect = queued(world)
    world.db.execute("UPDATE soc_subscriptions SET status = ?", [status])
    world.deliver(deliver(effect, world.run))
    assert world.fanned() == [(1, becomes)]
    assert world.rows("SELECT sent_count FROM soc_subscriptions") == [(0,)]


def test_a_subscription_that_was_paused_at_its_delivery_is_notified_when_resumed(world: Any) -> None:
    world.subscribe()
    effect = queued(world)
    world.db.execute("UPDATE soc_subscriptions SET status = 'paused'")
    world.deliver(deliver(effect, world.run))
    world.poll(["10000", INDEX])
    assert world.run.effects == []
    world.db.execute("UPDATE soc_subscriptions SET status = 'active'")
    world.poll(["10000", INDEX])
    ((key, _, _),) = world.run.effects
    assert key == f"{effect.key}+"
    assert (world.deliver(), world.fanned()) == ([1], [(1, "sent")])


def test_a_repeat_of_a_delivery_that_was_recorded_counts_once(world: Any) -> None:
    world.subscribe()
    effect = queued(world)
    for _ in range(2):
        world.run.effects = [(effect.key, effect.payload, effect.lane)]
        world.deliver()
    assert world.rows("SELECT sent_count, last_known_section_status FROM soc_subscriptions") == [(1, "OPEN")]


def test_subscriptions_with_one_contact_share_a_lane(world: Any) -> None:
    for index, contact in ((INDEX, "a"), ("10001", "a"), (INDEX, "b")):
        world.subscribe(index, contact=f"json://127.0.0.1/{contact}")
    world.poll(["10000"])
    world.poll(["10000", "10001", INDEX])
    assert sorted((payload["subscription_id"], lane) for _, payload, lane in world.run.effects) == [
        (1, "contact:1"), (2, "contact:1"), (3, "contact:3"),
    ]  # fmt: skip
    assert "127.0.0.1" not in str(world.run.effects)
