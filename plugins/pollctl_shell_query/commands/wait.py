"""``wait``, and what ``submit --wait`` does after it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import click

from pollctl import Duration, PluginContext, PollctlError, completion_from, counted
from pollctl_shell_query import queries

NOT_YET = 3
"""What a command that waited in vain exits with."""
_PERIOD_S = 0.5
_SILENCE_S = 120.0  # cron starts a pass a minute


class Span(click.ParamType[Duration]):
    """The type of an option that takes a length of time."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        """Read it, or end the command with what would work."""
        if isinstance(value, Duration):
            return value
        try:
            return Duration.parse(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a length of time; write 90s, 20m or 2h", param, ctx)


@click.command()
@click.argument("run", shell_complete=completion_from(queries.RUN_IDS))
@click.option("--timeout", type=Span(), metavar="DURATION", help="How long at most, such as 90s or 20m.")
@click.pass_context
def wait(ctx: click.Context, run: str, timeout: Duration | None) -> None:
    """Wait until RUN, an id or `latest`, has ended; passes go on meanwhile.

    Exit 0 ready, 1 failed or canceled, 3 not yet.
    """
    with ctx.obj.reading() as db:
        run = queries.run_id(db, run)
    row = wait_for_end(ctx.obj, run, timeout)
    if row["completed_at"] is None:
        click.echo(f"run {run} is {row['status']} after {timeout}; it goes on", err=True)
        ctx.exit(NOT_YET)
    say_end(row)


def wait_for_end(context: PluginContext, run_id: str, timeout: timedelta | None) -> dict[str, Any]:
    """A run once it has ended, or as it stands when the time is up.

    Raises:
        UsageError: there is no such run.
    """
    began = time.monotonic()
    ends = began + timeout.total_seconds() if timeout is not None else float("inf")
    with context.reading() as db:
        first_pass, is_warned = queries.latest_pass(db), False
    with context.progress(f"run {run_id} goes on; `pollctl shell-query wait {run_id}` waits for it") as line:
        while True:
            with context.reading() as db:
                row, latest_pass = queries.run(db, run_id), queries.latest_pass(db)
            now = time.monotonic()
            if row["completed_at"] is not None or now >= ends:
                line.clear()
                return row
            if latest_pass == first_pass and now - began > _SILENCE_S and not is_warned:
                is_warned = True
                line.clear()
                click.echo("no pass has begun for two minutes: does cron call `pollctl due --run`?", err=True)
            line.show(f"run {run_id}: {row['status']}, {counted(row['poll_count'], 'poll')}")
            time.sleep(min(_PERIOD_S, ends - now))


def say_end(row: dict[str, Any], *, is_quiet: bool = False) -> None:
    """Print what a run came to, unless *is_quiet*.

    Raises:
        PollctlError: it is not ready.
    """
    if row["status"] != "ready":
        why = f": {row['error_message']}" if row["error_message"] else ""
        raise PollctlError(f"run {row['id']} is {row['status']}{why}")
    if not is_quiet:
        click.echo(f"run {row['id']} is ready: {counted(row['row_count'] or 0, 'row')}")
