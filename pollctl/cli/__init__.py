"""The command line: parses, calls the core and shows what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TextIO

import click

from pollctl import __version__, console
from pollctl.cli.global_options import NAMES
from pollctl.cli.invocation import Invocation
from pollctl.cli.root_group import RootGroup
from pollctl.console import abandon_stdout, log_traceback, warn
from pollctl.console.terminal import may_colour
from pollctl.errors import PollctlError, UsageError
from pollctl.redaction import one_line, shorten

_INTERRUPTED = 130


@click.group(cls=RootGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(readable=False),  # who may read it says its reader, who also knows capabilities
    help="Settings file, instead of the first of the usual places.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--utc", "is_utc", is_flag=True, help="Show moments whole and in UTC, also on a terminal.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    help="How stderr is written; json: one object a line, the events of passes too. [default: as the settings say]",
)
@click.option("-v", "--verbose", "is_verbose", is_flag=True, help="Write the events of passes to stderr as text.")
@click.version_option(__version__, message="pollctl %(version)s")
@click.pass_context
def cli(
    ctx: click.Context,
    config_file: str | None,
    log_format: console.Format | None,
    *,
    debug: bool,
    is_utc: bool,
    is_verbose: bool,
) -> None:
    """Poll what must be polled: one bounded, crash-safe, explainable pass at a time.

    The options below may also stand behind the command.
    """
    if not may_colour():
        ctx.color = False  # for what click itself prints in colour
    console.log_format.choose(log_format, is_verbose=is_verbose, is_debugging=debug)
    ctx.obj = Invocation(config_file, is_debugging=debug, is_utc=is_utc)


def start(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and answer its exit code; the one place where errors become messages.

    Args:
        arguments: those of this process if None.
    """
    with console.log_format.kept():
        return _start(arguments)


def _start(arguments: Sequence[str] | None) -> int:
    _open_missing_streams()
    stdout = sys.stdout
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _require_utf8(words)
        code = cli.main(words, prog_name="pollctl", standalone_mode=False)
    except click.ClickException as error:
        _show(_hinted(error))
        return error.exit_code
    except click.Abort as aborted:
        return _ended_by(aborted.__cause__, is_debugging="--debug" in words)
    except SystemExit:
        if sys.stdout is stdout:
            raise
        sys.stdout = stdout  # click has put another in its place: whoever read it went away
        abandon_stdout()
        return 0
    except Exception as error:  # noqa: BLE001 - a bug keeps its traceback, but not the secrets in it
        known = _explanation(error)
        if known is None:
            log_traceback(error)
            return 1
        return _warn_of(known, is_debugging="--debug" in words)
    return code if isinstance(code, int) else 0


def _hinted(error: click.ClickException) -> click.ClickException:
    """The error; where an option was mistyped, a global one may have been meant, as those may stand behind any command."""
    if not isinstance(error, click.NoSuchOption):
        return error
    return click.NoSuchOption(error.option_name, possibilities=[*(error.possibilities or ()), *NAMES], ctx=error.ctx)


def _show(error: click.ClickException) -> None:
    """Say what is wrong with the command line; it repeats what was typed."""
    if console.log_format.is_json():
        warn(error.format_message())
        return
    error.message = "\n".join(map(one_line, error.message.split("\n")))  # type: ignore[misc]
    error.show()


def _require_utf8(words: Sequence[str]) -> None:
    """See that every word can be looked up, printed and kept.

    Raises:
        UsageError: one is not UTF-8.
    """
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"the argument {shorten(ascii(word), 80)} is not UTF-8 and cannot be sent or kept"
            ) from None


def _warn_of(error: PollctlError, *, is_debugging: bool) -> int:
    """Say on stderr what is wrong, one line per problem; answers the exit code."""
    if is_debugging:
        log_traceback(error)
    for line in str(error).splitlines() or [type(error).__name__]:
        warn(line)
    return error.exit_code


def _explanation(error: Exception) -> PollctlError | None:
    """An error as one that fits one line; None for a bug, which keeps its traceback.

    What the system or SQLite refuses during the work is not a bug: disk full, no permission, locked, damaged.
    """
    import sqlite3

    if isinstance(error, PollctlError):
        return error
    if isinstance(error, OSError) and error.strerror:
        abandon_stdout()  # it may be the one that is full
        known = PollctlError(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    elif isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
        from pollctl.store.errors import explained

        known = explained(error)
    else:
        return None
    known.__cause__ = error
    return known


def _ended_by(cause: BaseException | None, *, is_debugging: bool) -> int:
    """What click takes for Ctrl-C or the end of what is typed; the latter never is: nothing asks for input."""
    if not isinstance(cause, EOFError):
        return _INTERRUPTED
    folder = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - pathlib is not loaded yet
    # Python reads half a file of byte code as it is; a full disk leaves such files behind.
    known = PollctlError(
        f"a file ends too early ({cause}): remove the folders __pycache__ below {folder} and of plugins"
    )
    known.__cause__ = cause
    return _warn_of(known, is_debugging=is_debugging)


def _open_missing_streams() -> None:
    """Fill closed standard streams, so that the database is not opened under their numbers and does not receive what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # whatever the locale cannot show


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - it stays open like the stream it stands for
