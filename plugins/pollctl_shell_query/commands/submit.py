"""``submit``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import cast

import click

from pollctl import Addresses, PluginContext, Secret
from pollctl_shell_query import queries
from pollctl_shell_query.commands.options import as_json_option, file_option, sql_option, sql_text
from pollctl_shell_query.commands.wait import say_end, wait_for_end
from pollctl_shell_query.model import Column, Mode, read_columns
from pollctl_shell_query.store import submissions

_LONGEST_NAME = 100
_LONGEST_KEY = 200


@click.command()
@sql_option
@file_option
@click.option("--target", metavar="DE_KEY", help="Key of the data extension that the rows go to.")
@click.option(
    "--create-target", metavar="COLUMNS", help='Make one of its own instead, such as "Name:Text(50),Opens:Number".'
)
@click.option("--mode", type=click.Choice(["overwrite", "append", "update"]), default="overwrite", show_default=True)
@click.option("--name", default="", help="A name to know it by.")
@click.option(
    "--notify",
    "notify",
    type=Addresses(),
    multiple=True,
    metavar="URL",
    help="Apprise address to tell of the end; may be repeated.",
)
@click.option("--wait", "is_waiting", is_flag=True, help="Wait for its end, like `wait`; passes go on meanwhile.")
@as_json_option
@click.pass_obj
def submit(
    context: PluginContext,
    sql: str | None,
    file: Path | None,
    target: str | None,
    create_target: str | None,
    mode: str,
    name: str,
    notify: Sequence[Sequence[Secret]],
    *,
    is_waiting: bool,
    as_json: bool,
) -> None:
    """Have SQL run by the next pass. Prints the run's id.

    With --wait exit 0 ready, 1 failed or canceled.
    """
    if (target is None) == (create_target is None):
        raise click.UsageError("say where the rows go: either --target or --create-target")
    if create_target is not None and mode == "update":
        raise click.UsageError("--mode update needs a data extension with a primary key; --create-target makes none")
    new = submissions.NewRun(
        name=_checked(name, "--name", _LONGEST_NAME) if name else "",
        sql=sql_text(sql, file),
        target=_checked(target, "--target", _LONGEST_KEY) if target is not None else "",
        columns=_columns(create_target) if create_target is not None else [],
        mode=cast("Mode", mode.capitalize()),
        notify=[*chain(*notify)],
    )
    with context.writing() as db:
        run_id = submissions.submit(db, new, context.now)
        row = queries.run(db, run_id)
    if not as_json:
        click.echo(run_id)
    if is_waiting:
        row = wait_for_end(context, run_id, None)
    if as_json:
        context.show(queries.without_sql(row), as_json=True)
    if is_waiting:
        say_end(row, is_quiet=as_json)


def _checked(text: str, option: str, longest: int) -> str:
    if not text.strip() or not text.isprintable() or len(text) > longest:
        raise click.BadParameter(
            f"{text!r} is not valid: allowed are 1 to {longest} printable characters", param_hint=option
        )
    return text


def _columns(text: str) -> list[Column]:
    try:
        return read_columns(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--create-target") from error
