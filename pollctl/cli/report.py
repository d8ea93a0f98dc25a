"""``report``: all plugins on one page that needs nothing but a browser."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pollctl import clock, console
from pollctl.cli.arguments import TargetFile, json_option, plugin_names, span
from pollctl.cli.invocation import Invocation
from pollctl.config.target_file import STDOUT, require_replaceable, written_whole

if TYPE_CHECKING:
    from pollctl.pages.report import Report

_PRIVATE = 0o600
_MOST_OPEN = 0o777
_PATIENCE_S = 8.0  # for a database that is locked


class _Mode(click.ParamType[int]):
    """The mode of a file, as ``chmod`` takes it."""

    name = "mode"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            mode = int(value, 8)
        except ValueError:
            mode = -1
        if not 0 <= mode <= _MOST_OPEN:
            self.fail(f"{value!r} is not the mode of a file; write 0600, 0640 or 0644", param, ctx)
        return mode


@click.command()
@click.argument("plugins", nargs=-1, metavar="[PLUGIN]...", shell_complete=plugin_names)
@click.option("--out", metavar="FILE", type=TargetFile(), help="Replace FILE atomically, if it is a page of these.")
@click.option(
    "--since", type=click.Choice(["24h", "7d", "90d"]), default="24h", show_default=True, help="How far back."
)
@click.option("--mode", type=_Mode(), default=_PRIVATE, metavar="MODE", help="The mode of FILE, 0600 unless said.")
@click.option(
    "--stale-after",
    metavar="DURATION",
    type=span,
    default="15m",
    show_default=True,
    help="The age at which the page itself says that it is old.",
)
@json_option
@click.pass_obj
def report(
    invocation: Invocation,
    plugins: tuple[str, ...],
    out: Path | None,
    since: str,
    mode: int,
    stale_after: timedelta,
    *,
    as_json: bool,
) -> None:
    """Write one HTML page about all plugins, or those named.

    What needs attention comes first, then a strip of the last passes of each plugin, then what the plugins show themselves, then
    the passes that did not end well and what was not delivered. The page asks nobody for anything and can be opened as a file. A
    plugin whose part cannot be had is named in its place.
    """
    file = None if out == STDOUT else out
    if as_json and file:
        raise click.UsageError("--json goes to stdout; leave --out away")
    if file:
        require_replaceable(file, invocation.config_to_look, _is_ours, "a report")
    found = _read(invocation, plugins, since)
    if as_json:
        console.print_json(found)
        return
    from pollctl.pages.page import page

    content = page(found, invocation.moments._replace(now=found.written_at), stale_after)
    if file:
        _write(file, content, mode)
    else:
        console.print_document(content)


def _read(invocation: Invocation, plugins: tuple[str, ...], since: str) -> Report:
    from pollctl.pages.report import STRETCHES, read_report
    from pollctl.patience import patient_for

    names = {invocation.find(name).name for name in plugins}
    with console.stdout_kept_for_json(True), patient_for(_PATIENCE_S):
        return read_report(invocation.config_to_look, invocation.found, names, STRETCHES[since], clock.now())


def _is_ours(head: bytes) -> bool:
    from pollctl.pages.page import BEGINNING

    return head.startswith(BEGINNING.encode())


def _write(file: Path, content: str, mode: int) -> None:
    """Replace *file* as a whole.

    Raises:
        PollctlError: it cannot be written.
    """
    from pollctl.errors import PollctlError

    try:
        with written_whole(file, mode=mode) as unfinished:
            unfinished.write(content)
    except OSError as error:
        raise PollctlError(f"{file}: {error.strerror}; the file is as it was") from error
