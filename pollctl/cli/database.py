"""``db``: the one SQLite file."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pollctl import clock, console
from pollctl.cli.arguments import TargetFile
from pollctl.cli.invocation import Invocation
from pollctl.redaction import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pollctl.plugin_host.discovery import Found
    from pollctl.store.plugin_migrations import PluginMigrations


@click.group()
def db() -> None:
    """Migrate, back up, check or prune the database."""


@db.command()
@click.pass_obj
def migrate(invocation: Invocation) -> None:
    """Bring the tables up to date, creating the database where there is none; every command that writes does so too."""
    from pollctl.store import database

    path = invocation.config.core.database
    with closing(database.open_to_write(path, _migrations(invocation.found))):
        console.print_text(f"{path}: up to date")


@db.command()
@click.pass_obj
def schema(invocation: Invocation) -> None:
    """Print the schema of a new database with all plugins that come with pollctl."""
    from tempfile import TemporaryDirectory

    from pollctl.plugin_host.discovery import OWN_DISTRIBUTION
    from pollctl.store import content, database

    shipped = {name: found for name, found in invocation.found.items() if found.distribution == OWN_DISTRIBUTION}
    with TemporaryDirectory() as empty:
        nowhere = Path(empty, "pollctl.db")  # where there is no database, one in memory serves
        with closing(database.open_to_plan(nowhere, _migrations(shipped))) as memory:
            console.print_text(content.schema(memory).rstrip("\n"))


@db.command()
@click.argument("file", type=TargetFile())
@click.pass_obj
def backup(invocation: Invocation, file: Path) -> None:
    """Copy the database to FILE, compact and consistent while passes run; - is stdout. An earlier backup there is replaced."""
    from pollctl.config.target_file import STDOUT, require_replaceable
    from pollctl.store.content import is_header

    if file == STDOUT:
        _backup_to_stdout(invocation)
        return
    require_replaceable(file, invocation.config_to_look, is_header, "a backup")
    _backup(invocation, file)
    console.print_text(f"{file}: {file.stat().st_size} bytes")


def _backup(invocation: Invocation, file: Path) -> None:
    from pollctl.errors import PollctlError
    from pollctl.store import database
    from pollctl.store.files import backup as copy_whole

    path = invocation.config_to_look.core.database
    with (
        closing(database.open_to_read(path)) as source,
        console.until_stopped(lambda: f"{file} is as it was before"),
        console.progress() as line,
    ):
        try:
            copy_whole(source, file, lambda done, total: line.count("bytes", min(done, total), total))
        except OSError as error:
            raise PollctlError(f"{file}: {error.strerror}; nothing was replaced") from error


def _backup_to_stdout(invocation: Invocation) -> None:
    """Write a backup to a pipe or a file behind stdout, once it is whole."""
    from shutil import copyfileobj
    from tempfile import TemporaryDirectory

    if console.is_terminal():
        raise click.UsageError("a backup is not for a terminal; name a file, or send stdout into one")
    with TemporaryDirectory(dir=invocation.config_to_look.core.database.parent) as folder:
        file = Path(folder, "backup.db")
        _backup(invocation, file)
        with file.open("rb") as copy:
            copyfileobj(copy, sys.stdout.buffer)
        sys.stdout.flush()


@db.command("check")
@click.pass_obj
def check_integrity(invocation: Invocation) -> int:
    """Run SQLite's own checks of pages and references; exit 1 if they find anything."""
    from pollctl.store import content, database

    path = invocation.config_to_look.core.database
    with closing(database.open_to_read(path)) as opened:
        problems = content.problems(opened)
    for problem in problems:
        console.print_text(one_line(problem))
    if not problems:
        console.print_text(f"{path}: ok")
    return int(bool(problems))


@db.command()
@click.option("--compact", is_flag=True, help="Give the room back to the disk; no pass can write meanwhile.")
@click.pass_obj
def prune(invocation: Invocation, *, compact: bool) -> None:
    """Delete all rows that are older than [pollctl.retention] keeps them; passes do the same in small steps.

    Names that were only ever a wrong word in the settings go too.
    """
    from collections import Counter

    from pollctl.inspection.status import typos
    from pollctl.store import content, database, retention, runs

    core = invocation.config.core
    deleted: Counter[str] = Counter()
    with closing(database.open_to_write(core.database)) as opened:
        while sum((step := retention.prune(opened, core.retention, clock.now())).values()):
            deleted.update(step)
        forgotten = typos(invocation.config, runs.mere_names(opened))
        with database.writing(opened):
            runs.forget(opened, forgotten)
        if compact:
            before = core.database.stat().st_size
            content.compact(opened)
            given_back = max(0, before - core.database.stat().st_size)
    families = ("runs", "recordings", "effects")
    names = f"; forgotten: {', '.join(map(one_line, forgotten))}" if forgotten else ""
    console.print_text("deleted: " + ", ".join(f"{deleted[family]} {family}" for family in families) + names)
    if compact:
        console.print_text(f"given back to the disk: {given_back} bytes")


def _migrations(found: Mapping[str, Found]) -> list[PluginMigrations]:
    """The migrations of the plugins that can be loaded; the others are named on stderr and left out."""
    from pollctl.errors import PluginError
    from pollctl.plugin_host.loader import load, migrations_of

    loaded = []
    for one in found.values():
        try:
            loaded.append(load(one))
        except PluginError as error:
            console.warn(f"{error}; its tables are left as they are")
    return migrations_of(loaded)
