"""The commands of shell_query: parse, call, print."""

from __future__ import annotations

import click

from pollctl_shell_query.commands import results, runs, submit, validate, wait


def add_to(group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    for command in (submit.submit, runs.runs, runs.show, runs.cancel, wait.wait, results.results, validate.validate):
        group.add_command(command)
