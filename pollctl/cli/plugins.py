"""``plugins``: those that are installed, their sample settings, and switching one on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pollctl import console
from pollctl.api.listing import Column
from pollctl.cli.arguments import json_option
from pollctl.cli.invocation import Invocation

if TYPE_CHECKING:
    from pollctl.plugin_host.discovery import Found

_COLUMNS = (
    Column("plugin", kind="id"),
    Column("distribution", drop=3),
    Column("version", kind="id", drop=2),
    Column("state", kind="state"),
    Column("schedule", kind="id", drop=1),
    Column("summary"),
)


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def plugins(ctx: click.Context, *, as_json: bool) -> None:
    """List the plugins that are installed, those that cannot be used with the reason."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json=as_json)


@plugins.command()
@click.argument("name")
@click.pass_obj
def sample(invocation: Invocation, name: str) -> None:
    """Print the section of plugin NAME with every setting, its default and what it means."""
    console.print_text(sample_of(invocation.find(name)).rstrip("\n"))


@plugins.command()
@click.argument("name")
@click.pass_obj
def enable(invocation: Invocation, name: str) -> None:
    """Add a section for plugin NAME to the settings file, or switch its section on; comments stay."""
    from pollctl.errors import UsageError

    found = invocation.find(name)
    config = invocation.config
    if config.path is None:
        raise UsageError("no settings file was found; `pollctl init` writes one")
    if found.name in config.enabled:
        console.print_text(f"{config.path}: {found.name} is enabled already")
        return
    _rewrite(config.path, _with_section(config.path.read_text(encoding="utf-8"), found.name))
    console.print_text(
        f"{config.path}: {found.name} is enabled; `pollctl plugins sample {found.name}` shows its settings, "
        "`pollctl check` says which must be set"
    )


def sample_of(found: Found) -> str:
    """The sample settings that a plugin brings along.

    Raises:
        UsageError: it brings none.
    """
    from importlib.resources import files

    from pollctl.errors import UsageError

    try:
        return files(found.entry_point.module).joinpath("sample.toml").read_text(encoding="utf-8")
    except (OSError, ModuleNotFoundError, TypeError) as error:
        raise UsageError(f"{found.distribution} brings no sample.toml for {found.name}") from error


def _list(invocation: Invocation, *, as_json: bool) -> None:
    import msgspec

    from pollctl.inspection.inventory import inventory
    from pollctl.plugin_host.discovery import folder_fault

    rows = [msgspec.to_builtins(installed) for installed in inventory(invocation.config_to_look, invocation.found)]
    console.print_rows(rows, as_json=as_json, columns=_COLUMNS)
    if as_json:
        return
    for error in filter(None, [folder_fault(invocation.plugins_dir), *(row["error"] for row in rows)]):
        console.log(error)


def _with_section(text: str, name: str) -> str:
    """The settings with the section of a plugin, switched on."""
    import tomlkit

    document = tomlkit.parse(text)
    sections: Any = document.get("plugins", {})
    written = next((spelling for spelling in sections if spelling.replace("-", "_") == name), None)
    if written is None:
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{gap}[plugins.{name}]\n"
    sections[written]["enabled"] = True
    return tomlkit.dumps(document)


def _rewrite(path: Path, text: str) -> None:
    """Replace the settings file as a whole, with the owner and mode that it has."""
    from pollctl.config.target_file import written_whole
    from pollctl.errors import PollctlError

    path = path.resolve()
    before = path.stat()
    try:
        with written_whole(path, mode=before.st_mode & 0o7777) as file:
            os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise PollctlError(f"{path}: {error.strerror}; the file is as it was") from error
