"""The commands of a plugin of targets: parse, call, show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import msgspec

from pollctl import Column, PluginContext, PollctlError, UsageError, to_text
from pollctl.targets.fetch import UnreadableError, value_of
from pollctl.targets.queries import listed
from pollctl.targets.rows import Row

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.targets.plugin import TargetPlugin

_COLUMNS = (
    Column("name"),
    Column("state", kind="state"),
    Column("looked_at", "looked", "age"),
    Column("changed_at", "changed", "age", drop=1),
    Column("next_at", "next", "age", drop=3),
    Column("every", kind="id", drop=4),
    Column("error", "last error", drop=2, wraps=True),
    Column("origin", kind="id", drop=5),
)
_HISTORY = (Column("at", kind="moment"), Column("text", wraps=True))

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def add_commands(plugin: TargetPlugin[Any, Any], group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    name = plugin.name_argument()
    commands = _Commands(plugin)
    group.add_command(_command(plugin.key, commands.list, as_json_option))
    group.add_command(_command("add", commands.add, click.argument("url"), *plugin.options()))
    for command in (commands.remove, commands.pause, commands.resume, commands.forget, commands.look):
        group.add_command(_command(command.__name__, command, name))
    group.add_command(_command("history", commands.history, name, as_json_option))


def _command(name: str, function: Any, *parameters: Callable[[Any], Any]) -> click.Command:
    def call(context: PluginContext, /, **given: Any) -> None:
        function(context, **given)

    call.__doc__ = function.__doc__
    wrapped: Any = click.pass_obj(call)
    for parameter in reversed(parameters):
        wrapped = parameter(wrapped)
    return click.command(name)(wrapped)


class _Commands:
    """What each command does; its docstring is its help."""

    def __init__(self, plugin: TargetPlugin[Any, Any]) -> None:
        self._plugin = plugin

    def list(self, context: PluginContext, *, as_json: bool) -> None:
        """List what is polled: how each target stands, when it was looked at, when it changed, what went wrong."""
        with context.reading() as db:
            known = self._plugin.roll(db, context.settings).known
        rows = [listed(one, context.now, context.settings.timezone) for one in known]
        where = f"[[plugins.{self._plugin.name}.{self._plugin.key}]] in the settings"
        context.show(rows, as_json=as_json, columns=_COLUMNS, empty=f"no target; `add` makes one, and {where}")

    def add(self, context: PluginContext, **keys: Any) -> None:
        """Add a target in the database, beside those in the settings.

        URL is its address; one with a login belongs in the settings, as do headers and tokens.
        """
        try:
            target = self._plugin.typed(keys)
            with context.writing() as db:
                if any(one.title == target.title for one in self._plugin.roll(db, context.settings).known):
                    raise UsageError(f"there is a target called {target.title!r} already; give this one another --name")
                self._plugin.add(db, target, context.now)
        except ValueError as error:
            raise UsageError(str(error)) from error
        click.echo(f"added {target.title}")

    def remove(self, context: PluginContext, *, name: str) -> None:
        """Remove a target that was added, with all that is known of it."""
        with context.writing() as db:
            row = self._added(db, context, name)
            if row is None:
                self._plugin.find(db, context.settings, name)
                where = f"{context.settings_file}, [[plugins.{self._plugin.name}.{self._plugin.key}]]"
                raise UsageError(f"{name!r} stands in {where}: take it out there, or say enabled = false")
            self._plugin.store.delete(db, row.id)
        click.echo(f"removed {name}")

    def pause(self, context: PluginContext, *, name: str) -> None:
        """Look at a target no more until it is resumed."""
        self._set_pause(context, name, to_text(context.now), "paused")

    def resume(self, context: PluginContext, *, name: str) -> None:
        """Go on looking at a target that was paused."""
        self._set_pause(context, name, None, "resumed")

    def forget(self, context: PluginContext, *, name: str) -> None:
        """Take a new baseline with the next look, of which nobody is told; what was told once stays told."""
        with context.writing() as db:
            one = self._plugin.find(db, context.settings, name)
            if one.row:
                self._plugin.store.forget(db, one.row.id)
                self._plugin.store.note(db, one.row.id, "forgotten by hand", context.now)
        click.echo(f"{name}: the next look takes a new baseline")

    def look(self, context: PluginContext, *, name: str) -> None:
        """Show what would be read now; nothing is kept of it, and nobody is told."""
        with context.reading() as db:
            target = self._plugin.find(db, context.settings, name).target
        with context.asking() as send:
            answer = send(target.request())
        try:
            value = value_of(self._plugin.reading, answer, target)
        except UnreadableError as error:
            raise PollctlError(f"{name}: {error}") from error
        click.echo(value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value)).decode())

    def history(self, context: PluginContext, *, name: str, as_json: bool) -> None:
        """Show what became of a target, the newest first."""
        with context.reading() as db:
            one = self._plugin.find(db, context.settings, name)
            rows = self._plugin.store.history(db, one.row.id) if one.row else []
        context.show(rows, as_json=as_json, columns=_HISTORY, empty=f"{name} was not looked at yet")

    def _set_pause(self, context: PluginContext, name: str, at: str | None, what: str) -> None:
        store = self._plugin.store
        with context.writing() as db:
            one = self._plugin.find(db, context.settings, name)
            number = one.row.id if one.row else store.enrol(db, one.title, one.target.address)
            store.pause(db, number, at)
            store.note(db, number, f"{what} by hand", context.now)
        click.echo(f"{what} {name}")

    def _added(self, db: Database, context: PluginContext, name: str) -> Row | None:
        """The row of a target that was added, be it valid or not, or have another one taken its place."""
        roll = self._plugin.roll(db, context.settings)
        rows = [*(one.row for one in roll.known), *(one.row for one in roll.broken.values()), *roll.shadowed]
        return next((row for row in rows if row and row.added is not None and row.name == name), None)
