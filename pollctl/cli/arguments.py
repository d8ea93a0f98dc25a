"""Arguments and options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from pollctl.clock import EARLIEST, from_text
from pollctl.units import Duration

F = TypeVar("F", bound=Callable[..., Any])
LONGEST = Duration(days=3650)
_LATEST = datetime(2900, 1, 1, tzinfo=UTC)


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


def moment(text: str) -> datetime:
    """A moment from the command line, in UTC.

    Raises:
        click.BadParameter: *text* is not one, or names no zone.
    """
    try:
        at = from_text(text)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is not a moment with a zone; write 2026-03-08T06:59:00Z") from None
    if not EARLIEST <= at < _LATEST:
        raise click.BadParameter(f"{text!r} is not between 2020 and 2900, where schedules are known")
    return at


def json_option(command: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def plugin_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Names of plugins, for the completion of shells."""
    from pollctl.cli.plugin_groups import names

    return [name for name in names() if name.startswith(incomplete.replace("_", "-"))]
