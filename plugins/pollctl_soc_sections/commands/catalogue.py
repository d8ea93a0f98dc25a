"""The command that reads the catalogues now."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

import click

from pollctl import Column, PluginContext, PollctlError
from pollctl_soc_sections import queries
from pollctl_soc_sections.commands.parameters import as_json_option
from pollctl_soc_sections.store.catalogues import request_catalogues

_EMPTY = "no catalogue was read; terms and campuses in [plugins.soc_sections] say which there are"
_COLUMNS = (
    Column("term", kind="id"),
    Column("campus", kind="id"),
    Column("sections", kind="number"),
    Column("read_at", "read", "moment"),
    Column("failure", wraps=True),
)


@click.command()
@as_json_option
@click.pass_context
def catalogue(ctx: click.Context, *, as_json: bool) -> int:
    """Read the catalogues now, by a pass of its own, and show how large they are."""
    context: PluginContext = ctx.obj
    if not context.settings.catalogue_every:
        raise PollctlError('catalogue_every is "0s" in [plugins.soc_sections], so that no catalogue is ever read')
    with context.writing() as db:
        request_catalogues(db, context.settings.polled(context.now))
    with context.progress("the catalogues that were read are kept; the next pass reads the others"):
        code = _run_pass(ctx)
    with context.reading() as db:
        context.show(queries.catalogues(db), as_json=as_json, columns=_COLUMNS, empty=_EMPTY)
    return code


def _run_pass(ctx: click.Context) -> int:
    """`pollctl run soc_sections`, its report on stderr: stdout is for the catalogues."""
    root = ctx.find_root()
    run = root.command.get_command(root, "run") if isinstance(root.command, click.Group) else None
    if run is None:
        raise PollctlError("there is no command `run`; the next pass reads the catalogues")
    with run.make_context("run", ["soc_sections"], parent=root) as running, redirect_stdout(sys.stderr):
        return int(run.invoke(running) or 0)
