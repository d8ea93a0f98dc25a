"""``init``, ``completion``: what sets pollctl up."""

from __future__ import annotations

import os
import shlex
from contextlib import closing
from itertools import chain
from pathlib import Path

import click

from pollctl import console
from pollctl.addresses import read_addresses
from pollctl.cli.invocation import Invocation
from pollctl.plugin_host.typed_text import ReadBy
from pollctl.redaction import Secret

SETTINGS = "pollctl.toml"
_NOTIFY = "Who is notified of news and failures: an Apprise address, such as mailto://... or ntfys://...; several may be given."


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, readable=False))
@click.option("--plugin", "names", metavar="NAME", multiple=True, help="With its section; several may be named.")
@click.option(
    "--notify", "people", metavar="ADDRESS", multiple=True, type=ReadBy("address", read_addresses), help=_NOTIFY
)
@click.pass_obj
def init(invocation: Invocation, folder: str, names: tuple[str, ...], people: tuple[list[Secret], ...]) -> None:
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
    _write_new(path, "\n".join([_core_sample([*chain(*people)]), *map(sample_of, found)]))
    console.print_text(f"{path}: written; `pollctl --config {shlex.quote(str(path))} check` looks at it")
    database = settings.load(path).core.database
    is_there = database.exists()
    with closing(open_to_write(database, migrations_of([load(one) for one in found]))):
        console.print_text(f"{database}: {'was there already' if is_there else 'created'}")


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


def _core_sample(people: list[Secret]) -> str:
    """The sample of the core, with the addresses of those who are notified."""
    import tomlkit

    from pollctl.config import settings

    sample = tomlkit.parse(settings.sample())
    if people:
        sample["pollctl"]["notify"]["urls"] = [one.reveal() for one in people]
    return tomlkit.dumps(sample)


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
