"""Subscriptions as people make and change them."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.soc_sections.subscription_fields import CONTACT, new_subscription

from pollctl_soc_sections import queries
from pollctl_soc_sections.store.subscriptions import change, subscribe

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it


def test_a_second_live_subscription_with_the_same_section_and_contact_is_the_first(world: Any) -> None:
    first = subscribe(world.db, world.now, new_subscription())
    assert subscribe(world.db, world.now, new_subscription(term="FA2026", window="08:00-09:00")) == first
    change(world.db, world.now, first, "paused")
    assert subscribe(world.db, world.now, new_subscription()) == first
    assert subscribe(world.db, world.now, new_subscription(contact=f"{CONTACT}2")) != first
    change(world.db, world.now, first, "unsubscribed")
    assert subscribe(world.db, world.now, new_subscription()) != first


def test_a_section_that_the_catalogue_does_not_hold_is_accepted_and_marked(world: Any) -> None:
    world.catalogue(["10000"])
    unresolved = subscribe(world.db, world.now, new_subscription())
    resolved = subscribe(world.db, world.now, new_subscription(index="10000"))
    rows = queries.subscriptions(world.db, [resolved, unresolved])
    assert [(row["id"], row["unresolved"]) for row in rows] == [(unresolved, True), (resolved, False)]
