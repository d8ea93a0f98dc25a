"""``loop``, ``crontab``, ``systemd``: what has passes started, on machines and in containers."""

from __future__ import annotations

import os
import pwd
import sys
from functools import partial
from pathlib import Path

import click

from pollctl import clock, console
from pollctl.cli.arguments import TargetFile
from pollctl.cli.invocation import Invocation
from pollctl.errors import UsageError
from pollctl.redaction import one_line

EXAMPLE_PROGRAM = "/usr/local/bin/pollctl"


@click.command()
@click.option("--beat", metavar="FILE", type=TargetFile(), help="Touch FILE, an empty one, now and after each run.")
@click.pass_obj
def loop(invocation: Invocation, beat: Path | None) -> None:
    """Start `due --run` at each full minute, in place of cron: what containers run.

    One runs at a time: what takes longer than until the next full minute is followed at once. SIGTERM and Ctrl-C end the
    passes at their next safe point and the loop within 5 s; what was committed stands.
    """
    from pollctl.config.target_file import STDOUT, require_replaceable
    from pollctl.deploy.loop import command, run

    if clock.is_stopped():
        raise UsageError(f"{clock.VARIABLE} stops the clock, and the next full minute never comes; `@` lets it run")
    if beat == STDOUT:
        raise click.UsageError("--beat names no file")
    config = invocation.config
    if beat:
        require_replaceable(beat, config, lambda _: False, "an empty file")
    run(command(config.path), partial(_touch, beat) if beat else lambda: None)


@click.command()
@click.option("--example", is_flag=True, help=f"With {EXAMPLE_PROGRAM} in the place of this one.")
@click.option("--system", "user", metavar="USER", help="For a file in /etc/cron.d, which says who runs it.")
@click.pass_obj
def crontab(invocation: Invocation, user: str | None, *, example: bool) -> None:
    """Print the lines to install with `crontab -e`; there must be a settings file that they can name."""
    from pollctl.deploy.crontab import text

    if user is not None:
        _require_user(user)
    words = [EXAMPLE_PROGRAM] if example else [*_program(), *_settings_option(invocation)]
    console.print_text(text(words, user or ""))


@click.command()
@click.argument("unit", type=click.Choice(["service", "timer"]), required=False)
@click.option("--user", "is_of_user", is_flag=True, help="For ~/.config/systemd/user, without root.")
@click.pass_obj
def systemd(invocation: Invocation, unit: str | None, *, is_of_user: bool) -> None:
    """Print a service and a timer of systemd, or one of them; there must be a settings file that they can name.

    The passes may write where the database lies, and run as its owner.
    """
    from pollctl.deploy.systemd import Installation, units

    words = [*_program(), *_settings_option(invocation)]
    database = invocation.config_to_look.core.database
    found = units(Installation(words, database.parent, "" if is_of_user else _owner(database)))
    if unit:
        console.print_text(found[unit])
        return
    folder = "~/.config/systemd/user" if is_of_user else "/etc/systemd/system"
    console.print_text("\n".join(f"# {folder}/pollctl.{name}\n{text}" for name, text in found.items()))


def _require_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except (KeyError, ValueError):
        raise UsageError(f"there is no user {one_line(name)!r} here, who could run it") from None


def _owner(database: Path) -> str:
    """Who may write to the database, or will create it."""
    uid = database.stat().st_uid if database.exists() else os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _touch(path: Path) -> None:
    """Let a file that is empty and ours be of now; a link that was put there meanwhile is not followed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    try:
        os.utime(descriptor)
    finally:
        os.close(descriptor)


def _settings_option(invocation: Invocation) -> list[str]:
    """The option that names the settings file that holds here: what starts passes has another folder and other variables.

    Raises:
        UsageError: there is none.
    """
    from pollctl.config import places

    path = places.find(invocation.config_file)
    if path is None:
        raise UsageError(
            "no settings file was found, and cron and systemd start in another folder with other variables: "
            "`pollctl init` writes one, --config names one"
        )
    return ["--config", str(path.absolute())]


def _program() -> list[str]:
    """The words that start this very pollctl, whatever the PATH of what starts it."""
    beside = Path(sys.executable).with_name("pollctl")
    if beside.is_file() and os.access(beside, os.X_OK):
        return [str(beside)]
    return [sys.executable, "-m", "pollctl"]
