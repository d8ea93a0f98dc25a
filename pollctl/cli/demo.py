"""``demo``: every plugin's story, with real passes against upstreams of its own, in a temporary place."""

from __future__ import annotations

import tempfile
import time
from importlib.metadata import entry_points
from pathlib import Path

import click

from pollctl.demo import DemoSession

GROUP = "pollctl.demos"


@click.command()
def demo() -> None:
    """Show what pollctl does: real passes against small upstreams on 127.0.0.1, in a temporary folder."""
    from pollctl.cli import start

    began = time.monotonic()
    click.echo(
        "Everything here is real but the upstreams: small servers on 127.0.0.1 stand in for them, a temporary\n"
        "folder holds settings and database, and POLLCTL_NOW moves the clock. Nothing else is touched."
    )
    for story in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        with tempfile.TemporaryDirectory(prefix="pollctl-demo-") as folder, DemoSession(Path(folder), start) as stage:
            story.load()(stage)
    click.echo(
        f"\nThat took {time.monotonic() - began:.1f} s. Next: `pollctl init` writes settings here; README.md goes on."
    )
