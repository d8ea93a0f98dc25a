"""Arguments and options that several commands have."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pollctl.units import Duration

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])
LONGEST = Duration(days=3650)
ROW = click.IntRange(1, 2**63 - 1)
"""The number of a row, or of rows: as far as SQLite counts."""


def span(text: str) -> Duration:
    """A length of time from the command line: seconds, or a duration such as ``20s`` or ``2m``.

    Raises:
        click.BadParameter: *text* is not one, or more than ten years.
    """
    try:
        length = Duration.parse(f"{text}s" if text.replace(".", "", 1).isdecimal() else text)
    except (ValueError, OverflowError):
        length = None
    if length is None or length > LONGEST:
        raise click.BadParameter(f"{text!r} is not a valid length of time; write seconds, or 500ms, 20s, 15m, 2h")
    return length


class TargetFile(click.Path):
    """A file that will be written as a whole, ``-`` for stdout; ``config.target_file`` says what may be there before."""

    def __init__(self) -> None:
        super().__init__(allow_dash=True, readable=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        Raises:
            click.BadParameter: it is empty.
        """
        if not value:
            self.fail("the name of the file is empty", param, ctx)
        return Path(os.fsdecode(super().convert(value, param, ctx)))


def json_option(command: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def run_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of the newest runs for the completion of shells: short ones, unless a whole one was begun."""
    from pollctl.plugin_host.completion import completion_from

    column = "id" if "T" in incomplete else "substr(id, instr(id, '-') + 1, 6)"
    newest = "FROM runs ORDER BY id DESC LIMIT 100"
    return completion_from(
        f"SELECT 'latest', 'the newest' UNION ALL SELECT * FROM (SELECT {column}, plugin || ' ' || outcome {newest})"  # noqa: S608
    )(ctx, param, incomplete)


def effect_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of effects that were not delivered, for the completion of shells."""
    from pollctl.plugin_host.completion import completion_from

    sql = "SELECT id, plugin || ' ' || kind || ' ' || status FROM outbox WHERE status <> 'delivered' ORDER BY id DESC"
    return completion_from(f"{sql} LIMIT 100")(ctx, param, incomplete)


def plugin_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Names of plugins, for the completion of shells."""
    from pollctl.cli.plugin_groups import names

    return [name for name in names(ctx) if name.startswith(incomplete.replace("_", "-"))]
