"""What commands change: the template, and checks that are closed."""

from __future__ import annotations

import click

from pollctl import Column, PluginContext
from pollctl_toilet_gap.commands.parameters import as_json_option, check_argument
from pollctl_toilet_gap.store import closing, template

_COLUMNS = (
    Column("description", drop=3),
    Column("version", kind="number", drop=4),
    Column("past_event_dependencies", "past", drop=7),
    Column("future_event_dependencies", "future", drop=6),
    Column("poll_until_end", "to the end", "number", drop=5),
    Column("event_name", "event", "id", drop=1),
    Column("alarm_name", "alarm", "id", drop=2),
    Column("phase", kind="state"),
    Column("order", "no", "number"),
    Column("text", wraps=True),
)


@click.command("seed-template")
@as_json_option
@click.pass_obj
def seed_template(context: PluginContext, *, as_json: bool) -> None:
    """Write the description TOILET_ACTIVITY_GAP, its template and phases; a second time changes nothing."""
    with context.writing() as db:
        rows = template.seed_template(db)
    context.show(rows, as_json=as_json, columns=_COLUMNS)


@click.command()
@check_argument
@click.pass_obj
def close(context: PluginContext, check: int) -> None:
    """Let the next pass end CHECK: folded up to then, by its alarms, and unsubscribed."""
    with context.writing() as db:
        closing.close(db, check, context.now)
    click.echo(f"the next pass ends check {check}", err=True)
