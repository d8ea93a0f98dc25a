"""``results``."""

from __future__ import annotations

from pathlib import Path

import click

from pollctl import PluginContext, PollctlError, completion_from, counted
from pollctl_shell_query import queries


@click.command()
@click.argument("run", shell_complete=completion_from(queries.RUN_IDS))
@click.option("--format", "format_", type=click.Choice(["csv", "json", "table"]), default="table", show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Write to a file that is not there yet; - is stdout.",
)
@click.option("--force", is_flag=True, help="Replace the file.")
@click.pass_obj
def results(context: PluginContext, run: str, format_: str, out: Path | None, *, force: bool) -> None:
    """Print the rows of a RUN that is ready."""
    from pollctl_shell_query.commands.rows import pages, write_csv, write_json
    from pollctl_shell_query.commands.session import command_session

    if format_ == "table" and out is not None:
        raise click.UsageError("a table is for the terminal; --out needs --format csv or --format json")
    with context.reading() as db:
        run = queries.run_id(db, run)
        row = queries.run(db, run)
    if row["status"] != "ready":
        raise PollctlError(
            f"run {run} is {row['status']}{': ' if row['error_message'] else ''}{row['error_message'] or ''}"
        )
    if row["target_cleared_at"] is not None:
        raise PollctlError(
            f"run {run} has no rows any more: its data extension is deleted target_keep after its end; submit the SQL again"
        )
    stands = f"{out} is as it was before" if out else "the rows that were read stand upstream as before"
    with (
        context.exporting(out, may_replace=force) as file,
        command_session(context) as session,
        context.progress(stands) as line,
    ):
        found_rows = 0
        is_seen = file.isatty() and format_ != "table"  # then the rows themselves say how far it is

        def report(seen: int, count: int) -> None:
            nonlocal found_rows
            found_rows = seen
            if not is_seen:
                line.count("rows", seen, max(seen, count))

        found = pages(session, row["target_de_customer_key"], report)
        if format_ == "table":
            context.show([one for rows in found for one in rows], as_json=False, empty=f"run {run} brought no rows")
        else:
            (write_csv if format_ == "csv" else write_json)(found, file)
    if found_rows != row["row_count"]:
        then = counted(row["row_count"] or 0, "row")
        click.echo(f"run {run} was ready with {then}; its data extension holds {found_rows} now", err=True)
