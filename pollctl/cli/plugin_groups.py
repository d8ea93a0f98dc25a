"""Each plugin's own commands, below its name; the plugin is imported when its group is called."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from pollctl.cli.invocation import Invocation
    from pollctl.plugin_host.discovery import Found

GROUP = "pollctl"  # as plugin_host.discovery has it


def names(ctx: click.Context) -> list[str]:
    """How the plugins are called on the command line, in alphabetical order, without importing any."""
    return sorted(_installed() | _in_files(ctx))


def is_name(ctx: click.Context, name: str) -> bool:
    """Whether a plugin is called so; the settings are read only where none that is installed is."""
    return name in _installed() or name in _in_files(ctx)


@cache
def _installed() -> frozenset[str]:
    from pollctl.plugin_host.installed import entry_points

    return _usable(entry.name for entry in entry_points(GROUP))


def _in_files(ctx: click.Context) -> frozenset[str]:
    """Those of one file, in the folder that the settings name."""
    folder = _plugins_dir(ctx)
    if folder is None:
        return frozenset()
    from pollctl.plugin_host.plugin_files import files_in

    return _usable(file.name for file in files_in(folder))


def _plugins_dir(ctx: click.Context) -> Path | None:
    """What the settings name, which are only parsed where they may name something: help should not wait for that."""
    from pollctl.due import fast_path

    named = ctx.find_root().params.get("config_file") or ""
    try:
        if not fast_path.mentions("plugins_dir", fast_path.find(named, os.environ)):
            return None
    except OSError:
        return None
    from pollctl.config.places import plugins_dir

    return plugins_dir(named or None)


def _usable(found: Iterable[str]) -> frozenset[str]:
    from pollctl.api.names import fault

    return frozenset(name.replace("_", "-") for name in found if not fault(name))


def plugin_group(name: str) -> click.Group:
    """The shell of a plugin's group of commands; it is filled when its commands are asked for."""
    return PluginGroup(name, help=f"Commands of plugin {name}.")


class _LateContext:
    """A ``PluginContext`` that is made when it is first used.

    The help of a command needs none, so that wrong settings do not keep it from being read; but what looks like the
    question for help may be the value of an option.
    """

    def __init__(self, invocation: Invocation, name: str) -> None:
        self._invocation = invocation
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._context, attribute)

    @cached_property
    def _context(self) -> object:
        return _plugin_context(self._invocation, self._name)


class PluginGroup(click.Group):
    """The commands that one plugin adds by ``pollctl_commands``."""

    _is_filled = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the plugin's commands."""
        self._fill(ctx)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command of the plugin, ``_`` and ``-`` alike."""
        self._fill(ctx)
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, cmd_name.replace("_", "-"))

    def get_help(self, ctx: click.Context) -> str:
        """The help, begun with what the plugin says of itself."""
        self._fill(ctx)
        return super().get_help(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that *args* begin with; it gets a ``PluginContext``, unless only its help is asked for."""
        resolved = super().resolve_command(ctx, args)
        if ctx.resilient_parsing:
            return resolved
        invocation, name = ctx.find_root().obj, self.name or ""
        may_be_help = {"-h", "--help"} & set(args)
        ctx.obj = _LateContext(invocation, name) if may_be_help else _plugin_context(invocation, name)
        return resolved

    def _fill(self, ctx: click.Context) -> None:
        if self._is_filled:
            return
        from pollctl.errors import PluginError
        from pollctl.plugin_host.blame import raised
        from pollctl.plugin_host.loader import load

        self._is_filled = True
        plugin = load(_found(ctx, self.name or ""))
        self.help = plugin.poller.summary
        try:
            plugin.hooks.pollctl_commands(group=self)
        except (Exception, SystemExit) as error:
            raise PluginError(raised("commands", error, plugin.guests)) from error


def _found(ctx: click.Context, name: str) -> Found:
    invocation = ctx.find_root().obj
    if invocation is None:  # while a shell completes
        from pollctl.plugin_host.discovery import find

        return find(name, _plugins_dir(ctx))
    found: Found = invocation.find(name)
    return found


def _plugin_context(invocation: Invocation, name: str) -> object:
    from pollctl import console
    from pollctl.plugin_host.command_context import PluginContext
    from pollctl.plugin_host.configured import configure

    config = invocation.config_to_look
    found = invocation.find(name)
    configured = configure(config, found, check_schedule=False)
    if found.name not in config.enabled:
        word = found.name.replace("_", "-")
        console.warn(f"{word} is not enabled, so that no pass of it is started; `pollctl plugins enable {word}`")
    configured.require_hooks()
    return PluginContext(configured, is_utc=invocation.is_utc, obey=lambda: invocation.config)
