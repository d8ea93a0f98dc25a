"""The commands of soc_sections: parse, call, show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_soc_sections.commands.catalogue import catalogue
from pollctl_soc_sections.commands.listings import events, polls, sections
from pollctl_soc_sections.commands.subscriptions import (
    pause,
    resume,
    snooze,
    subscribe,
    subscriptions,
    unsubscribe,
)

if TYPE_CHECKING:
    import click


def add_to(group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    for command in (
        subscribe, subscriptions, unsubscribe, snooze, pause, resume, sections, events, polls, catalogue,
    ):  # fmt: skip
        group.add_command(command)
