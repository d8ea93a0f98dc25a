"""The table of commands: names and helps, so that ``--help`` imports none of them."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """One command: the module below ``pollctl.cli`` that has it under its own name, and its help in one line."""

    module: str
    help: str


COMMANDS = {
    "init": Entry("install", "Write a commented pollctl.toml and create the database."),
    "demo": Entry("demo", "Run all plugins against embedded upstreams in a temporary place."),
    "run": Entry("passes", "Run one pass of each plugin."),
    "plan": Entry("passes", "Show what a pass would decide; write nothing, here or upstream."),
    "due": Entry("due", "List the plugins that are due, or run them."),
    "why": Entry("due", "Say why plugins are or are not due."),
    "status": Entry("inspect", "Show how each plugin stands."),
    "history": Entry("inspect", "List past passes, newest first."),
    "show": Entry("inspect", "Show everything about one pass."),
    "replay": Entry("replay", "Decide again what was recorded and show any difference."),
    "plugins": Entry("inspect", "List the plugins that are installed."),
    "check": Entry("check", "Check settings, database, clock and plugins."),
    "outbox": Entry("outbox", "List, retry or drop effects."),
    "db": Entry("database", "Migrate, back up, check or prune the database."),
    "metrics": Entry("metrics", "Print or serve metrics for Prometheus."),
    "crontab": Entry("install", "Print the lines to install in a crontab."),
    "completion": Entry("install", "Print the completion script of a shell."),
}
TAKEN = (*COMMANDS, "report", "web", "new-plugin")
"""Names that no plugin may have: those of commands, and of commands to come."""


class CommandTable(click.Group):
    """The group of all commands: those of the table, and below each plugin's name those that it brings along."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of all commands, those of plugins last."""
        from pollctl.cli.plugin_groups import names

        return [*COMMANDS, *names()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, ``_`` and ``-`` alike; None where there is none."""
        name = cmd_name.replace("_", "-")
        if name in COMMANDS:
            module = import_module(f"pollctl.cli.{COMMANDS[name].module}")
            command: click.Command = getattr(module, name.replace("-", "_"))
            return command
        from pollctl.cli.plugin_groups import names, plugin_group

        return plugin_group(name) if name in names() else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that *args* begin with; a typo is answered with the nearest name."""
        name = args[0]
        if ctx.resilient_parsing or name.startswith("-") or self.get_command(ctx, name):
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        near = get_close_matches(name.replace("_", "-"), self.list_commands(ctx), n=1)
        hint = f"did you mean '{near[0]}'?" if near else "`pollctl --help` lists them"
        return ctx.fail(f"no command or plugin named {name!r} ({hint})")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the lists of commands without importing any."""
        from pollctl.cli.plugin_groups import names

        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])
        with formatter.section("Commands of plugins"):
            formatter.write_dl([(name, f"see `pollctl {name} --help`") for name in names()])
