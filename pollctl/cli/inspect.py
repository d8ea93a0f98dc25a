"""``plugins``: what is installed."""

from __future__ import annotations

import click

from pollctl import console
from pollctl.api.listing import Column
from pollctl.cli.arguments import json_option
from pollctl.cli.invocation import Invocation

_PLUGIN_COLUMNS = (
    Column("plugin", kind="id"),
    Column("distribution", drop=3),
    Column("version", kind="id", drop=2),
    Column("state", kind="state"),
    Column("schedule", kind="id", drop=1),
    Column("summary"),
)


@click.command()
@json_option
@click.pass_obj
def plugins(invocation: Invocation, *, as_json: bool) -> None:
    """List the plugins that are installed, those that cannot be used with the reason."""
    import msgspec

    from pollctl.inspection.inventory import inventory

    rows = [msgspec.to_builtins(installed) for installed in inventory(invocation.config, invocation.found)]
    console.print_rows(rows, as_json=as_json, columns=_PLUGIN_COLUMNS)
    for row in rows:
        if row["error"] and not as_json:
            console.log(row["error"])
