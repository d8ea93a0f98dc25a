"""``new-plugin``: a package to begin with, and later changes of its template."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pollctl import __version__, console


@click.command("new-plugin")
@click.argument("name", required=False)
@click.option(
    "--targets", "is_of_targets", is_flag=True, help="Many addresses, each at its own pace, from two functions."
)
@click.option("--directory", metavar="D", type=click.Path(path_type=Path), help="Where. [default: ./pollctl-NAME]")
@click.option(
    "--update", "is_update", is_flag=True, help="Bring later changes of the template to the package in D, or here."
)
def new_plugin(name: str | None, directory: Path | None, *, is_of_targets: bool, is_update: bool) -> int:
    """Write a complete, typed package for a plugin NAME, with tests that pass.

    It needs the extra pollctl[author]. With --update nothing that was changed by hand is lost: where both have changed the same
    lines, both stand there between git's marks, and the exit code is 1.
    """
    if is_update:
        if name or is_of_targets:
            raise click.UsageError("--update takes neither NAME nor --targets: the package knows both")
        return _update(directory or Path())
    if name is None:
        raise click.UsageError("Missing argument 'NAME'.")
    _create(name, directory, "targets" if is_of_targets else "plain")
    return 0


def _create(name: str, directory: Path | None, kind: str) -> None:
    from pollctl.api.names import checked
    from pollctl.authoring.rendering import Origin, newest, render
    from pollctl.cli.table import TAKEN
    from pollctl.errors import UsageError
    from pollctl.plugin_host.discovery import discover

    plain = checked(name)
    word = plain.replace("_", "-")
    if word in TAKEN:
        raise UsageError(f"the name {name!r} is taken by a command of pollctl")
    if other := discover().get(plain):
        raise UsageError(
            f"the name {name!r} is taken by the plugin of {other.distribution} that is installed here: two plugins of one name "
            "exclude each other; take another name"
        )
    folder = directory or Path(f"pollctl-{word}")
    if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is there already, and not an empty folder")
    render(Origin(plain, "targets" if kind == "targets" else "plain", newest(), __version__), folder)
    console.print_text(
        f"{folder}: a package for the plugin {plain}. Next:\n"
        f"    cd {folder} && python3 -m venv .venv && .venv/bin/pip install --upgrade 'pip>=25.1'\n"
        "    .venv/bin/pip install -e . --group dev\n"
        f"    .venv/bin/pytest && .venv/bin/pollctl demo {plain}"
    )


def _update(folder: Path) -> int:
    from pollctl.authoring.updating import update

    changes = update(folder)
    for change in changes:
        console.print_text(f"{change.what:<8}  {change.path}")
    if not changes:
        console.print_text(f"{folder}: nothing to bring")
    return int(any(change.what == "conflict" for change in changes))
