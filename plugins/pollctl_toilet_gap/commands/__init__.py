"""The commands of toilet_gap: parse, call, show."""

from __future__ import annotations

import click

from pollctl_toilet_gap.commands.changes import close, seed_template
from pollctl_toilet_gap.commands.letters import dead_letters
from pollctl_toilet_gap.commands.listings import checks, monitors, records
from pollctl_toilet_gap.commands.timeline import show_timeline


def add_to(group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    for command in (monitors, checks, records, show_timeline, dead_letters, seed_template, close):
        group.add_command(command)
