"""Jobs of other programs, taken over as added watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from pollctl import PluginContext, shorten, text_of
from pollctl_watch.job_files import Job, jobs_of
from pollctl_watch.model import Watch

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl_watch import WatchPlugin

INCOMPLETE = 3


def add_commands(plugin: WatchPlugin, group: click.Group) -> None:
    """Add them to the plugin's group."""

    @group.command("import")
    @click.argument("file", type=click.Path(path_type=Path))
    @click.pass_obj
    def import_(context: PluginContext, file: Path) -> None:
        """Add the jobs of urlwatch or webchanges (YAML), or of changedetection.io (url-watches.json, a list of addresses).

        What cannot be taken over is said line by line, and exits with 3; watches that are there already are left as they are.
        """
        jobs = jobs_of(text_of(file, "a file of jobs"))
        with context.writing() as db:
            lines = list(_take_over(plugin, db, context, jobs))
        click.echo("\n".join(lines) or "nothing was added: all of it is there")
        is_whole = all(line.startswith("added ") for line in lines)
        click.get_current_context().exit(0 if is_whole else INCOMPLETE)


def _take_over(plugin: WatchPlugin, db: Database, context: PluginContext, jobs: Sequence[Job]) -> Iterator[str]:
    """Add those that are not there yet, and say of each what became of it."""
    known = {one.title: one.definition for one in plugin.targets(db, context.settings)}
    for job in jobs:
        title = shorten(job.title, 80)
        try:
            watch = _watch(plugin, job)
        except ValueError as error:
            yield f"not taken over: {title}: {error}"
            continue
        if watch.definition not in known.values():
            watch = _renamed(watch, known)
            plugin.add(db, watch, context.now)
            known[watch.title] = watch.definition
            yield f"added {watch.title}"
        yield from (f"{title}: left out {one}" for one in job.left_out)


def _watch(plugin: WatchPlugin, job: Job) -> Watch:
    if job.refused:
        raise ValueError(job.refused)
    watch = plugin.typed({**job.keys, "name": " ".join(str(job.keys.get("name", "")).split())})
    plugin.check(watch)
    return watch


def _renamed(watch: Watch, known: dict[str, str]) -> Watch:
    """The same by a name that no other has."""
    number = 2
    name = watch.title
    while name in known:
        name = f"{watch.title} ({number})"
        number += 1
    return replace(watch, name=name) if name != watch.title else watch
