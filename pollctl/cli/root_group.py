"""The group of all commands; it imports none of them to print its help."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import click

from pollctl.cli.global_options import config_behind, taken
from pollctl.cli.plugin_groups import is_name, names, plugin_group
from pollctl.cli.table import COMMANDS


class RootGroup(click.Group):
    """The group of all commands: those of the table, and below each plugin's name those that it brings along."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, those of plugins last."""
        return [*COMMANDS, *names(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, ``_`` and ``-`` alike; None where there is none."""
        name = cmd_name.replace("_", "-")
        if name in COMMANDS:
            module = import_module(f"pollctl.cli.{COMMANDS[name].module}")
            command: click.Command = getattr(module, name.replace("-", "_"))
            return command
        return plugin_group(name) if is_name(ctx, name) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that *args* begin with; a typo is answered with the nearest name."""
        name = args[0]
        if ctx.resilient_parsing or name.startswith("-") or self._is_known(ctx, args):
            found, command, rest = super().resolve_command(ctx, args)
            return found, command, taken(ctx, command, rest) if command else rest
        from difflib import get_close_matches

        near = get_close_matches(name.replace("_", "-"), self.list_commands(ctx), n=1)
        hint = f"did you mean '{near[0]}'?" if near else "`pollctl --help` lists them"
        return ctx.fail(f"no command or plugin named {name!r} ({hint})")

    def _is_known(self, ctx: click.Context, args: Sequence[str]) -> bool:
        """Whether there is such a command; settings that are named behind it may have its plugin."""
        if self.get_command(ctx, args[0]) is None and (named := config_behind(args)):
            ctx.params["config_file"] = named
        return self.get_command(ctx, args[0]) is not None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lists of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])
        with formatter.section("Commands of plugins"):
            formatter.write_dl([(name, f"see `pollctl {name} --help`") for name in names(ctx)])
