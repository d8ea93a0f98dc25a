"""``demo``: what each plugin does, with real passes against upstreams of its own, in a temporary place."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import chdir
from functools import partial
from pathlib import Path

import click

from pollctl import console
from pollctl.cli.entry_points import named
from pollctl.demo import DemoSession
from pollctl.errors import StoppedError
from pollctl.plugin_host.installed import EntryPoint

GROUP = "pollctl.demos"
Start = Callable[[Sequence[str]], int]


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
def demo(names: tuple[str, ...]) -> int:
    """Show what pollctl does: real passes against small upstreams on 127.0.0.1, in a temporary folder.

    With NAME only the demos of those plugins, third-party ones too. Exit 1 if one does not go as it should.
    """
    began = time.monotonic()
    chosen = named(GROUP, "demo", names)
    click.echo(
        "Everything here is real but the upstreams: small servers on 127.0.0.1 stand in\n"
        "for them, a temporary folder holds settings and database, and POLLCTL_NOW moves\n"
        "the clock. Nothing else is touched."
    )
    with console.until_stopped(lambda: "the temporary folder is gone, and nothing else was touched"):
        failures = {one.name: found for one in chosen if (found := _failures(one))}
    for name, found in failures.items():
        console.warn(f"the demo of {name} failed: {'; '.join(found)}")
    click.echo(
        f"\nThat took {time.monotonic() - began:.1f} s. Next: `pollctl init` writes settings here; README.md goes on."
    )
    return int(bool(failures))


def _failures(entry: EntryPoint) -> Sequence[str]:
    """Run one demo; what it did not show. One that raises, exits, or goes to another folder does not end the others."""
    from pollctl.cli import start
    from pollctl.store.database import open_to_write

    with (
        tempfile.TemporaryDirectory(prefix="pollctl-demo-") as folder,
        chdir(Path.cwd()),
        console.progress() as line,
        DemoSession(Path(folder), partial(_shown_while_at_work, line, start)) as session,
    ):
        open_to_write(Path(folder, "pollctl.db")).close()  # else the first pass would tell that it created one
        try:
            entry.load()(session)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the bug of one demo must not take the others along
            console.log_traceback(error)
            return [*session.failures, f"{type(error).__name__}: {error}"]
        return session.failures


def _shown_while_at_work(line: console.Progress, start: Start, words: Sequence[str]) -> int:
    """Run a command line of a demo; a terminal shows which while nothing of it can be seen yet.

    Raises:
        KeyboardInterrupt: Ctrl-C ended it, and is meant for the demo.
    """
    line.show(f"at work: pollctl {' '.join(words[2:])}")  # behind --config FILE
    code = start(words)
    line.clear()
    if code == StoppedError.exit_code:
        raise KeyboardInterrupt
    return code
