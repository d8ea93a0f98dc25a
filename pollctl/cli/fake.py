"""``fake``: an upstream on the loopback to try a plugin on by hand."""

from __future__ import annotations

import signal

import click

from pollctl import console
from pollctl.cli.entry_points import named

GROUP = "pollctl.fakes"
_ENDING = (signal.SIGTERM, signal.SIGINT)


@click.command()
@click.argument("name")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of 127.0.0.1; a free one if none is named.")
def fake(name: str, port: int) -> None:
    """Serve the fake upstream of plugin NAME on 127.0.0.1, faults included, until Ctrl-C.

    Prints the settings that lead there, to be pasted into pollctl.toml.
    """
    from pollctl.errors import PollctlError

    (entry,) = named(GROUP, "fake upstream", [name])
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # no signal is lost between the address and the waiting
    try:
        playground = entry.load()(port)
    except OSError as error:
        raise PollctlError(f"127.0.0.1:{port}: {error.strerror}; `--port` names another") from error
    with playground.upstream:
        console.print_text(playground.settings)
        console.log(f"pollctl: {entry.name} answers at {playground.upstream.url} until Ctrl-C. Then, for example:")
        console.log(f"    {playground.hint}")
        signal.sigwait(_ENDING)
