"""The text fields of a subscription, as the tests of commands and store write them."""

from __future__ import annotations

from plugins.soc_sections.world import INDEX, NOON

from pollctl_soc_sections.commands.subscription_input import read_subscription
from pollctl_soc_sections.model import NewSubscription

CONTACT = "json://127.0.0.1:1/very-secret"
FIELDS = {"index": INDEX, "term": "92026", "campus": "NB", "contact": CONTACT}


def new_subscription(**changes: str) -> NewSubscription:
    return read_subscription({**FIELDS, **changes}, NOON)
