"""``init``, ``crontab``, ``completion``: what sets pollctl up."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import closing
from pathlib import Path

import click

from pollctl import console
from pollctl.cli.invocation import Invocation
from pollctl.errors import UsageError

EXAMPLE_PROGRAM = "/usr/local/bin/pollctl"
SETTINGS = "pollctl.toml"
CRONTAB = """\
# pollctl: started every minute, it runs what is due and ends at once when nothing is.
# It prints nothing while all is well, so cron's mail means something: name somebody who reads it.
MAILTO=root
* * * * * {command} due --run
"""


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, readable=False))
@click.option("--plugin", "names", metavar="NAME", multiple=True, help="With its section; several may be named.")
@click.pass_obj
def init(invocation: Invocation, folder: str, names: tuple[str, ...]) -> None:
    """Write a commented pollctl.toml into DIR (here, if none is named) and create the database beside it.

    It has the sections of the plugins that are named, that of latency if none is. Nothing that exists is overwritten: a
    pollctl.toml that is there already is an error.
    """
    from pollctl.cli.plugins import sample_of
    from pollctl.config import settings
    from pollctl.plugin_host.loader import load, migrations_of
    from pollctl.store.database import open_to_write

    if not folder:
        raise click.UsageError("the name of the folder is empty")
    path = Path(folder, SETTINGS)
    found = [invocation.find(name) for name in names or ("latency",)]
    _write_new(path, "\n".join([settings.sample(), *map(sample_of, found)]))
    console.print_text(f"{path}: written; `pollctl --config {shlex.quote(str(path))} check` looks at it")
    database = settings.load(path).core.database
    is_there = database.exists()
    with closing(open_to_write(database, migrations_of([load(one) for one in found]))):
        console.print_text(f"{database}: {'was there already' if is_there else 'created'}")


@click.command()
@click.option("--example", is_flag=True, help=f"With {EXAMPLE_PROGRAM} in the place of this one.")
@click.pass_obj
def crontab(invocation: Invocation, *, example: bool) -> None:
    """Print the lines to install with `crontab -e`; there must be a settings file that they can name."""
    words = [EXAMPLE_PROGRAM] if example else [*_program(), *_settings_option(invocation)]
    command = shlex.join(words).replace("%", "\\%")  # cron takes a bare % for the end of the command
    if not command.isprintable():
        raise click.UsageError(f"no crontab can hold such a path: {command}")
    console.print_text(CRONTAB.format(command=command).rstrip("\n"))


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL, for example `eval "$(pollctl completion bash)"`."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    script = kind(ctx.find_root().command, {}, "pollctl", "_POLLCTL_COMPLETE")
    console.print_text(script.source_template % script.source_vars())


def _settings_option(invocation: Invocation) -> list[str]:
    """The option that names the settings file that holds here: cron has another folder and other variables.

    Raises:
        UsageError: there is none.
    """
    from pollctl.config import places

    path = places.find(invocation.config_file)
    if path is None:
        raise UsageError(
            "no settings file was found, and cron starts in another folder with other variables: "
            "`pollctl init` writes one, --config names one"
        )
    return ["--config", str(path.absolute())]


def _program() -> list[str]:
    """The words that start this very pollctl, whatever the PATH of cron."""
    beside = Path(sys.executable).with_name("pollctl")
    if beside.is_file() and os.access(beside, os.X_OK):
        return [str(beside)]
    return [sys.executable, "-m", "pollctl"]


def _write_new(path: Path, text: str) -> None:
    from pollctl.errors import PollctlError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # people write secrets into it
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise PollctlError(f"{path}: is there already; nothing was changed") from error
    except OSError as error:
        raise PollctlError(f"{path}: {error.strerror}") from error
