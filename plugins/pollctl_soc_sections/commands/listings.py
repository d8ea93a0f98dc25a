"""Commands that list sections and events."""

from __future__ import annotations

import click

from pollctl import PluginContext
from pollctl_soc_sections import queries
from pollctl_soc_sections.commands.parameters import Checked, as_json_option
from pollctl_soc_sections.model.identifiers import read_campus, read_term


@click.command()
@click.option("--open", "is_open", is_flag=True, help="Only those that are open.")
@click.option("--term", type=Checked("term", read_term), help="Such as 92026 or FA2026.")
@click.option("--campus", type=Checked("campus", read_campus), help="Such as NB.")
@as_json_option
@click.pass_obj
def sections(context: PluginContext, term: str | None, campus: str | None, *, is_open: bool, as_json: bool) -> None:
    """List the known sections."""
    with context.reading() as db:
        rows = queries.sections(db, is_open=is_open, term=term, campus=campus)
    context.show(rows, as_json=as_json)


@click.command()
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="So many at most.")
@as_json_option
@click.pass_obj
def events(context: PluginContext, limit: int, *, as_json: bool) -> None:
    """List openings and closings, the newest first."""
    with context.reading() as db:
        context.show(queries.events(db, limit), as_json=as_json)
