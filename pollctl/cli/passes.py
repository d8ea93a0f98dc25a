"""``run`` and ``plan``: passes by hand; ``due --run`` starts its children through ``run`` too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from pollctl import console
from pollctl.cli.arguments import json_option, plugin_names, span
from pollctl.cli.bounded_pass import Order, bounded
from pollctl.cli.invocation import Invocation
from pollctl.errors import UsageError
from pollctl.units import Duration

if TYPE_CHECKING:
    from pollctl.cli.report_text import Values
    from pollctl.passes.report import Report
    from pollctl.plugin_host.discovery import Found

_LONGEST_VALUE = 60
_NAMES = click.argument("names", metavar="PLUGIN...", nargs=-1, required=True, shell_complete=plugin_names)
_DEADLINE = click.option(
    "--deadline", metavar="D", type=span, help="Length of the pass, such as 20s, instead of the one in the settings."
)


@click.command()
@_NAMES
@click.option("--dry-run", "is_dry", is_flag=True, help="Only plan: write nothing, here or upstream.")
@click.option("--wait", metavar="S", type=span, help="Wait so long for another pass of the plugin to end.")
@_DEADLINE
@click.option("--trigger", type=click.Choice(["manual", "due"]), default="manual", hidden=True)
@click.option("--seen", hidden=True, help="The plugin's last start from which it was judged due; empty: none.")
@click.option(
    "--report-to",
    type=click.IntRange(3, 2**31 - 1),
    hidden=True,
    help="Descriptor on which a supervisor awaits the report.",
)
@json_option
@click.pass_obj
def run(
    invocation: Invocation,
    names: tuple[str, ...],
    wait: Duration | None,
    deadline: Duration | None,
    trigger: str,
    seen: str | None,
    report_to: int | None,
    *,
    is_dry: bool,
    as_json: bool,
) -> int:
    """Run one pass of each PLUGIN, whether it is due or not; several side by side, each in a process of its own.

    Exit 0 done, 1 failed, 3 partial, 75 another pass holds the lock, 130 or 143 interrupted.
    """
    if report_to is not None:
        _keep_to_ourselves(report_to)
    values = _values(invocation, is_full=False) if is_dry else None
    order = Order(invocation.config, wait, deadline, trigger, seen, is_dry, as_json, report_to, values)
    return _carry_out(invocation, names, order)


@click.command()
@_NAMES
@_DEADLINE
@click.option("--full", "is_full", is_flag=True, help="Cut no value, however long it is.")
@json_option
@click.pass_obj
def plan(
    invocation: Invocation, names: tuple[str, ...], deadline: Duration | None, *, is_full: bool, as_json: bool
) -> int:
    """Fetch and decide, and print every decision with its reason; write nothing, here or upstream.

    Where nothing would be decided it says why. On a terminal long values are cut.
    """
    order = Order(invocation.config, deadline=deadline, is_dry=True, as_json=as_json)
    return _carry_out(invocation, names, order._replace(values=_values(invocation, is_full=is_full)))


def _values(invocation: Invocation, *, is_full: bool) -> Values:
    from pollctl.cli.report_text import Values

    if not console.is_terminal():
        return Values()
    return Values(invocation.moments, 0 if is_full else _LONGEST_VALUE)


def _carry_out(invocation: Invocation, names: Sequence[str], order: Order) -> int:
    found = {one.name: one for one in map(invocation.find, names)}
    if len(found) > 1:
        return _several(order, list(found))
    with console.progress() as line:
        return _single(order._replace(line=line, moments=invocation.moments), next(iter(found.values())))


def _several(order: Order, names: Sequence[str]) -> int:
    """Each in a process of its own, so that one that hangs or dies takes no other along."""
    from pollctl.cli import report_text
    from pollctl.store.files import require_right_to_write
    from pollctl.supervision.supervisor import LOCKED, run_several

    if not order.is_dry:
        require_right_to_write(order.config.core.database)
    lengths = {"--deadline": order.deadline, "--wait": order.wait}
    arguments = [word for name, length in lengths.items() if length is not None for word in (name, str(length))]
    arguments += ["--dry-run"] if order.is_dry else []
    with console.progress() as line:
        batch_result = run_several(
            order.config,
            names,
            arguments,
            deadline=order.deadline,
            wait=order.wait or Duration(),
            on_end=lambda ended: line.count("passes that ended", ended, len(names)),
        )
    if order.as_json:
        console.print_json([result.as_json() for result in batch_result.passes])
    else:
        for result in batch_result.passes:
            report_text.print_child_report(result.report, order.values or report_text.Values())
    if batch_result.ended_by:
        console.warn("stopped: what these passes had committed stands, and the next ones go on from there")
    return batch_result.exit_code(locked=LOCKED)


def _single(order: Order, found: Found) -> int:
    """In this process, under a watchdog."""
    from pollctl.cli import report_text

    report, code = bounded(order, found)
    if order.line:
        order.line.clear()
    if report is None and order.trigger == "manual":
        console.warn(f"{found.name}: stopped before the pass began; nothing was written")
    if report and order.report_to is not None:
        _hand_over(report, order.report_to)
    elif report and order.as_json:
        console.print_json(report)
    elif report and (code or order.trigger == "manual"):
        report_text.print_report(report, order.values or report_text.Values())
        report_text.warn_of_error(report)
    return code


def _keep_to_ourselves(descriptor: int) -> None:
    """Let no process that code of plugins starts have the descriptor of the report.

    Raises:
        UsageError: it is not open.
    """
    try:
        os.set_inheritable(descriptor, False)
    except OSError as error:
        raise UsageError(
            f"--report-to {descriptor}: {error.strerror}; it is for a supervisor, not for people"
        ) from error


def _hand_over(report: Report, descriptor: int) -> None:
    """Give the supervisor the report; where it is gone, the run's row says the same."""
    with suppress(BrokenPipeError), open(descriptor, "w", encoding="utf-8") as pipe:
        pipe.write(console.json_text(report))
