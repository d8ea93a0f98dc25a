"""Texts that were kept: a list, and the difference of two."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from pollctl import Column, PluginContext, UsageError
from pollctl_watch import store

if TYPE_CHECKING:
    from pollctl_watch import WatchPlugin

_COLUMNS = (
    Column("number", kind="number"),
    Column("at", kind="moment"),
    Column("lines", kind="number"),
    Column("characters", kind="number", drop=1),
    Column("begins"),
)


def add_commands(plugin: WatchPlugin, group: click.Group) -> None:
    """Add them to the plugin's group."""

    @group.command()
    @plugin.name_argument()
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def snapshots(context: PluginContext, name: str, *, as_json: bool) -> None:
        """List the texts that were kept of a watch, the latest first."""
        rows = [
            {
                "number": one.number,
                "at": one.at,
                "lines": len(one.text.splitlines()),
                "characters": len(one.text),
                "begins": one.text.partition("\n")[0],
            }
            for one in _kept(plugin, context, name)
        ]
        context.show(rows, as_json=as_json, columns=_COLUMNS, empty=f"nothing was kept of {name} yet")

    @group.command()
    @plugin.name_argument()
    @click.argument("old", type=int, default=2)
    @click.argument("new", type=int, default=1)
    @click.pass_obj
    def diff(context: PluginContext, name: str, old: int, new: int) -> None:
        """Show how two texts of a watch differ, by their numbers in `snapshots`; the last two without any."""
        kept = {one.number: one for one in _kept(plugin, context, name)}
        if missing := [number for number in (old, new) if number not in kept]:
            raise UsageError(f"{name} has no text number {missing[0]}; `snapshots {name}` lists {len(kept)}")
        before, after = kept[old], kept[new]
        lines = difflib.unified_diff(
            before.text.splitlines(), after.text.splitlines(), name, name, before.at, after.at, lineterm=""
        )
        for line in lines:
            click.echo(line)


def _kept(plugin: WatchPlugin, context: PluginContext, name: str) -> list[store.Snapshot]:
    with context.reading() as db:
        row = plugin.find(db, context.settings, name).row
        return store.snapshots(db, row.id) if row else []
