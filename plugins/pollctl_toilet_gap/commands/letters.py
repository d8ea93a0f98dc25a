"""What could not be read, and putting it back after a mend."""

from __future__ import annotations

import click

from pollctl import Column, PluginContext, counted, limit_option
from pollctl_toilet_gap import queries
from pollctl_toilet_gap.commands.parameters import as_json_option
from pollctl_toilet_gap.store import letters

_NONE = "no dead letter; whatever came could be read"
_COLUMNS = (
    Column("id", kind="number"),
    Column("created_at", "received", "moment"),
    Column("source", kind="id", drop=4),
    Column("robot_id", "robot", drop=2),
    Column("state", kind="state"),
    Column("reason", wraps=True),
    Column("event_name", "event", "id", drop=3),
    Column("event_id", drop=5),
    Column("body", drop=6),
)


@click.command("dead-letters")
@click.option("--replay", "number", metavar="ID", type=click.IntRange(1, 2**63 - 1), help="Read this one once more.")
@click.option("--all", "is_all", is_flag=True, help="Read all of them once more.")
@limit_option
@as_json_option
@click.pass_obj
def dead_letters(context: PluginContext, number: int | None, limit: int | None, *, is_all: bool, as_json: bool) -> None:
    """List what could not be read or believed, the newest first; or put it back, for the next pass to read."""
    if number is not None and is_all:
        raise click.UsageError("give --replay ID or --all, not both")
    if number is None and not is_all:
        with context.reading() as db:
            context.show(queries.letters(db), as_json=as_json, columns=_COLUMNS, empty=_NONE, limit=limit)
        return
    with context.writing() as db:
        put_back = letters.replay(db, number, context.now)
    click.echo(f"the next pass reads {counted(put_back, 'dead letter')} once more", err=True)
