"""Commands that list sections and events."""

from __future__ import annotations

import click

from pollctl import Column, PluginContext
from pollctl_soc_sections import queries
from pollctl_soc_sections.commands.parameters import Checked, as_json_option
from pollctl_soc_sections.model.identifiers import read_campus, read_term

_NO_SECTION = "no such section is known; `pollctl run soc-sections` reads which are open, `catalogue` what they are"
_NO_EVENT = "nothing has opened or closed yet; the passes see it, `pollctl run soc-sections` makes one now"
_SECTION_COLUMNS = (
    Column("term", kind="id"),
    Column("campus", kind="id"),
    Column("index_number", "index", "id"),
    Column("status", kind="state"),
    Column("course", kind="id", drop=1),
    Column("section_number", "section", "id", drop=3),
    Column("title"),
    Column("misses", kind="number", drop=5),
    Column("changed_at", "changed", "moment", drop=2),
    Column("open_to", drop=6),
    Column("permission", drop=7),
    Column("subscriptions", kind="number", drop=4),
)
_EVENT_COLUMNS = (
    Column("id", kind="number", drop=4),
    Column("event_at", "at", "moment"),
    Column("term", kind="id"),
    Column("campus", kind="id"),
    Column("index_number", "index", "id"),
    Column("status", kind="state"),
    Column("status_before", "before", "state", drop=5),
    Column("seat_delta", "seats", "number", drop=6),
    Column("episode", kind="number", drop=8),
    Column("course", kind="id", drop=3),
    Column("title"),
    Column("dedupe_key", kind="id", drop=9),
    Column("notifications", kind="number", drop=7),
    Column("sent", kind="number", drop=2),
)


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
    context.show(rows, as_json=as_json, columns=_SECTION_COLUMNS, empty=_NO_SECTION)


@click.command()
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="So many at most.")
@as_json_option
@click.pass_obj
def events(context: PluginContext, limit: int, *, as_json: bool) -> None:
    """List openings and closings, the newest first."""
    with context.reading() as db:
        context.show(queries.events(db, limit), as_json=as_json, columns=_EVENT_COLUMNS, empty=_NO_EVENT)
