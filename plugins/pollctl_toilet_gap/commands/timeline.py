"""The day of a check in the terminal."""

from __future__ import annotations

import sys

import click

from pollctl import PluginContext, PollctlError
from pollctl_toilet_gap import queries
from pollctl_toilet_gap.commands import drawing
from pollctl_toilet_gap.commands.parameters import named_check_argument


@click.command("timeline")
@named_check_argument
@click.pass_obj
def show_timeline(context: PluginContext, check: int | None) -> None:
    """Draw the day of CHECK, a number or `latest`, in its local time."""
    from rich.console import Console
    from rich.text import Text

    with context.reading() as db:
        number = check or queries.newest(db)
        found, rows = queries.check(db, number), queries.records(db, number)
    is_plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    try:
        lines = drawing.drawn(found, rows, context.now, is_plain=is_plain)
    except (ValueError, TypeError, KeyError) as error:  # moments and zones were checked when they were written
        raise PollctlError(f"check {number}: its rows are damaged ({error}); restore a backup") from error
    for line in lines:
        console.print(Text.assemble(*((piece.text, piece.style) for piece in line)))
