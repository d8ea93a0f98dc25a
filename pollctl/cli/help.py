"""``help``: the same as ``--help``, in the order in which people think."""

from __future__ import annotations

import click

from pollctl import console


@click.command("help")
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@click.pass_context
def help(ctx: click.Context, words: tuple[str, ...]) -> None:  # noqa: A001 - the name by which the table finds it
    """Show what a COMMAND is for and which options it has; all commands if none is named."""
    at = ctx.find_root()
    for word in words:
        group = at.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"`{at.command_path}` has no commands of its own", at)
        name, command, _ = group.resolve_command(at, [word])
        if command is not None:
            at = click.Context(command, info_name=name, parent=at)
    console.print_text(at.command.get_help(at))
