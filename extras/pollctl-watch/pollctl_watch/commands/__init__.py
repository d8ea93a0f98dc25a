"""``pollctl watch ...``: what goes beyond the commands of every plugin of targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_watch.commands import imports, looks, texts

if TYPE_CHECKING:
    import click

    from pollctl_watch import WatchPlugin


def add_commands(plugin: WatchPlugin, group: click.Group) -> None:
    """Add them to the plugin's group."""
    for room in (looks, texts, imports):
        room.add_commands(plugin, group)
