"""``metrics``: what Prometheus scrapes, or node_exporter's textfile collector reads."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pollctl import console
from pollctl.cli.arguments import TargetFile
from pollctl.cli.invocation import Invocation
from pollctl.config.target_file import STDOUT, require_replaceable

if TYPE_CHECKING:
    from pollctl.inspection.exposition import Families

LOOPBACK = "127.0.0.1"
_PATIENCE_S = 8.0  # for a database that is locked: who scrapes waits ten seconds
_ENDING = (signal.SIGTERM, signal.SIGINT)


@click.command()
@click.option("--textfile", metavar="FILE", type=TargetFile(), help="Replace FILE atomically, if it is one of these.")
@click.option(
    "--serve", "port", metavar="PORT", type=click.IntRange(0, 65535), help=f"Answer on {LOOPBACK} until SIGTERM."
)
@click.pass_obj
def metrics(invocation: Invocation, textfile: Path | None, port: int | None) -> None:
    """Print metrics for Prometheus.

    A plugin whose own metrics cannot be had is named on stderr and left out.
    """
    if textfile and port is not None:
        raise click.UsageError("--textfile and --serve cannot be combined")
    is_file = textfile is not None and textfile != STDOUT
    from pollctl.inspection.exposition import Families, text, write_textfile
    from pollctl.patience import patient_for

    if textfile and is_file:
        require_replaceable(textfile, invocation.config_to_look, _is_ours, "a page of metrics")
    with console.stdout_kept_for_json(True), patient_for(_PATIENCE_S):
        families = Families(invocation.config_to_look, invocation.found, console.warn)
        content = "" if port is not None else text(families)
    if port is not None:
        _serve(families, port)
    elif textfile and is_file:
        write_textfile(textfile, content)
    else:
        console.print_document(content)


def _is_ours(head: bytes) -> bool:
    return head.startswith(b"# HELP pollctl_")


def _serve(families: Families, port: int) -> None:
    """Answer scrapes until SIGTERM or Ctrl-C; each is computed again."""
    from prometheus_client import CollectorRegistry, start_http_server

    from pollctl.errors import PollctlError

    registry = CollectorRegistry(auto_describe=False)
    registry.register(families)  # anything with collect() will do
    # Blocked before anybody is told the address, so that no signal is lost, and waited for below.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        server, thread = start_http_server(port, LOOPBACK, registry)
    except OSError as error:
        raise PollctlError(f"{LOOPBACK}:{port}: {error.strerror}") from error
    console.log(f"pollctl: metrics on http://{LOOPBACK}:{server.server_port}/metrics")
    signal.sigwait(_ENDING)
    server.shutdown()
    server.server_close()
    thread.join()
