"""The commands of latency: parse, call, print."""

from __future__ import annotations

import click

from pollctl_latency.commands.add import add
from pollctl_latency.commands.listings import alerts, cancel, jobs, samples, show
from pollctl_latency.commands.mirror import mirror


def add_to(group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    for command in (add, jobs, show, samples, alerts, cancel, mirror):
        group.add_command(command)
