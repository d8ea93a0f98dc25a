"""``runs``, ``show`` and ``cancel``."""

from __future__ import annotations

import click

from pollctl import Column, PluginContext, completion_from, limit_option
from pollctl_shell_query import queries
from pollctl_shell_query.commands.options import as_json_option
from pollctl_shell_query.store import submissions

_EMPTY = "no run yet; `pollctl shell-query submit --sql SQL --create-target COLUMNS` asks for one"
_COLUMNS = (
    Column("id", kind="id"),
    Column("name"),
    Column("status", kind="state"),
    Column("target_de_customer_key", "target", drop=4),
    Column("row_count", "rows", "number", drop=1),
    Column("created_at", "created", "moment", drop=3),
    Column("completed_at", "completed", "moment", drop=5),
    Column("error_message", "error", drop=2),
)


@click.command()
@limit_option
@as_json_option
@click.pass_obj
def runs(context: PluginContext, limit: int | None, *, as_json: bool) -> None:
    """List the runs, the newest first."""
    with context.reading() as db:
        rows = queries.runs(db).then(queries.without_sql)
        context.show(rows, as_json=as_json, columns=_COLUMNS, empty=_EMPTY, limit=limit)


@click.command()
@click.argument("run", shell_complete=completion_from(queries.RUN_IDS))
@as_json_option
@click.pass_obj
def show(context: PluginContext, run: str, *, as_json: bool) -> None:
    """Show one RUN, an id or `latest`; its SQL text while it lives."""
    with context.reading() as db:
        context.show(queries.run(db, queries.run_id(db, run)), as_json=as_json)


@click.command()
@click.argument("run", shell_complete=completion_from(queries.RUN_IDS))
@click.pass_obj
def cancel(context: PluginContext, run: str) -> None:
    """Cancel a RUN that has not ended; the next pass cleans up after it."""
    with context.writing() as db:
        row = queries.run(db, run)
        if row["completed_at"] is None:
            submissions.cancel(db, run, context.now, keep_sql=context.settings.keep_sql)
            return
    click.echo(f"run {run} is {row['status']} already; nothing changed")
