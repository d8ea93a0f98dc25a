"""Commands that list sections and events."""

from __future__ import annotations

import click

from pollctl import Column, PluginContext, ReadBy, limit_option
from pollctl_soc_sections import queries
from pollctl_soc_sections.commands.parameters import as_json_option
from pollctl_soc_sections.model.identifiers import read_campus, read_course, term_at

_NO_SECTION = "no such section is known; `pollctl run soc-sections` reads which are open, `catalogue` what they are"
_NO_EVENT = "nothing has opened or closed yet; the passes see it, `pollctl run soc-sections` makes one now"
_NO_POLL = "no answer was read yet; `pollctl run soc-sections` reads one now"
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
    Column("eligibility", drop=8),
    Column("subtitle", drop=9),
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
_POLL_COLUMNS = (
    Column("id", kind="number", drop=8),
    Column("polled_at", "at", "moment"),
    Column("term", kind="id"),
    Column("campus", kind="id"),
    Column("verdict", kind="state"),
    Column("listed_count", "listed", "number", drop=1),
    Column("known_count", "known", "number", drop=2),
    Column("ignored_count", "ignored", "number", drop=4),
    Column("duration_ms", "ms", "number", drop=3),
    Column("content_hash", "hash", drop=7),
    Column("reason", wraps=True),
    Column("run_id", "run", "id", drop=6),
)


def _term(ctx: click.Context, _: click.Parameter, text: str | None) -> str | None:
    try:
        return term_at(text, ctx.obj.now) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


term_option = click.option("--term", callback=_term, help="Such as 92026, FA2026 or current.")
campus_option = click.option("--campus", type=ReadBy("campus", read_campus), help="Such as NB.")
newest_option = click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="So many at most."
)


@click.command()
@click.option("--open", "is_open", is_flag=True, help="Only those that are open.")
@term_option
@campus_option
@click.option(
    "--course", type=ReadBy("course", read_course), help="Such as 01:198:111, cross-listed sections included."
)
@click.option("--title", metavar="WORDS", help="Only those whose title has all of these words.")
@limit_option
@as_json_option
@click.pass_obj
def sections(
    context: PluginContext,
    /,
    limit: int | None,
    *,
    is_open: bool,
    as_json: bool,
    title: str | None,
    **chosen: str | None,
) -> None:
    """List the known sections."""
    with context.reading() as db:
        rows = queries.sections(db, is_open=is_open, title=title or "", **chosen)
        context.show(rows, as_json=as_json, columns=_SECTION_COLUMNS, empty=_NO_SECTION, limit=limit)


@click.command()
@term_option
@campus_option
@newest_option
@as_json_option
@click.pass_obj
def polls(context: PluginContext, /, limit: int, *, as_json: bool, **chosen: str | None) -> None:
    """List the answers about open sections and what they were worth, the newest first."""
    with context.reading() as db:
        rows = queries.polls(db, limit=limit, **chosen)
    context.show(rows, as_json=as_json, columns=_POLL_COLUMNS, empty=_NO_POLL)


@click.command()
@newest_option
@as_json_option
@click.pass_obj
def events(context: PluginContext, limit: int, *, as_json: bool) -> None:
    """List openings and closings, the newest first."""
    with context.reading() as db:
        context.show(queries.events(db, limit), as_json=as_json, columns=_EVENT_COLUMNS, empty=_NO_EVENT)
