"""``run`` and ``plan``: passes by hand; ``due --run`` starts its children through ``run`` too."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from pollctl.cli import output
from pollctl.cli.arguments import json_option, plugin_names, span
from pollctl.cli.invocation import Invocation
from pollctl.config_toml import one_line

if TYPE_CHECKING:
    from pollctl.plugins import Found
    from pollctl.report import Report
    from pollctl.stop import Stop
    from pollctl.units import Duration

_NAMES = click.argument("names", metavar="PLUGIN...", nargs=-1, required=True, shell_complete=plugin_names)
_DEADLINE = click.option(
    "--deadline", metavar="D", type=span, help="Length of the pass, such as 20s, instead of the one in the settings."
)

_EXIT_CODES = {"ok": 0, "partial": 3}
_SIGNALLED = 128  # plus the number of the signal


@click.command()
@_NAMES
@click.option("--dry-run", "is_dry", is_flag=True, help="Only plan: write nothing, here or upstream.")
@click.option("--wait", metavar="S", type=span, help="Wait so long for another pass of the plugin to end.")
@_DEADLINE
@click.option("--trigger", type=click.Choice(["manual", "due"]), default="manual", hidden=True)
@json_option
@click.pass_obj
def run(
    invocation: Invocation,
    names: tuple[str, ...],
    wait: Duration | None,
    deadline: Duration | None,
    trigger: str,
    *,
    is_dry: bool,
    as_json: bool,
) -> int:
    """Run one pass of each PLUGIN, whether it is due or not; several side by side, each in a process of its own.

    Exit 0 done, 1 failed, 3 partial, 75 another pass holds the lock, 130 or 143 interrupted.
    """
    found = _distinct(invocation, names)
    if len(found) > 1:
        return _run_several(invocation, found, wait, deadline, is_dry=is_dry, as_json=as_json)
    if is_dry:
        return _plan_one(invocation, found[0], deadline, as_json=as_json)

    def go(stop: Stop) -> Report:
        from pollctl.engine import run_pass

        seconds = wait.total_seconds() if wait else 0
        return run_pass(invocation.config, found[0], trigger=trigger, stop=stop, wait=seconds, deadline=deadline)

    report, code = _bounded(invocation, found[0], go, wait, deadline, as_json=as_json)
    if report and as_json:
        output.show_json(report)
    elif report and (code or trigger == "manual"):
        _tell(report)
        _tell_error(report)
    return code


@click.command()
@_NAMES
@_DEADLINE
@json_option
@click.pass_obj
def plan(invocation: Invocation, names: tuple[str, ...], deadline: Duration | None, *, as_json: bool) -> int:
    """Fetch and decide, and print every decision with its reason; write nothing, here or upstream."""
    found = _distinct(invocation, names)
    if len(found) > 1:
        return _run_several(invocation, found, None, deadline, is_dry=True, as_json=as_json)
    return _plan_one(invocation, found[0], deadline, as_json=as_json)


def _distinct(invocation: Invocation, names: Sequence[str]) -> list[Found]:
    return list({found.name: found for found in map(invocation.find, names)}.values())


def _plan_one(invocation: Invocation, found: Found, deadline: Duration | None, *, as_json: bool) -> int:
    def go(stop: Stop) -> Report:
        from pollctl.plan import plan_pass

        return plan_pass(invocation.config, found, stop=stop, deadline=deadline)

    report, code = _bounded(invocation, found, go, None, deadline, as_json=as_json)
    if report and as_json:
        output.show_json(report)
    elif report:
        _tell_plan(report)
        _tell_error(report)
    return code


def _run_several(
    invocation: Invocation,
    found: Sequence[Found],
    wait: Duration | None,
    deadline: Duration | None,
    *,
    is_dry: bool,
    as_json: bool,
) -> int:
    """Run or plan each in a process of its own, so that one that hangs or dies takes no other along."""
    import msgspec

    from pollctl.report import Report
    from pollctl.supervisor import LOCKED, run_several
    from pollctl.units import Duration

    options = {"--deadline": deadline, "--wait": wait}
    arguments = [word for name, length in options.items() if length is not None for word in (name, str(length))]
    arguments += ["--dry-run"] if is_dry else []
    names = [one.name for one in found]
    ending = run_several(invocation.config, names, arguments, deadline=deadline, wait=wait or Duration())
    if as_json:
        output.show_json([ended.as_json() for ended in ending.passes])
    else:
        for report in (msgspec.convert(ended.report, Report) for ended in ending.passes if ended.report):
            (_tell_plan if is_dry else _tell)(report)
    return ending.exit_code(locked=LOCKED)


def _bounded(
    invocation: Invocation,
    found: Found,
    go: Callable[[Stop], Report],
    wait: Duration | None,
    deadline: Duration | None,
    *,
    as_json: bool,
) -> tuple[Report | None, int]:
    """Make a pass that signals can end and that cannot outlive its deadline; answers its report and the exit code."""
    from pollctl.prepared import prepare
    from pollctl.stop import Stop
    from pollctl.watchdog import watchdog

    core, stop = invocation.config.core, Stop()
    asked: list[int] = []
    with output.stdout_kept_for_json(as_json), _obeying_signals(stop, asked):
        try:
            with watchdog(core.deadline + core.grace, f"{found.name}: could not be imported in time"):
                limits = prepare(invocation.config, found, check_schedule=False).within(deadline).limits
            allowed = limits.deadline + core.grace + (wait or timedelta())
            late = f"{found.name}: did not end within its deadline of {limits.deadline} and {core.grace} grace"
            with watchdog(allowed, late):
                report = go(stop)
        except KeyboardInterrupt:
            return None, _SIGNALLED + (asked or [signal.SIGINT])[0]
    if report.outcome == "interrupted":
        return report, _SIGNALLED + (asked or [signal.SIGTERM])[0]
    return report, _EXIT_CODES.get(report.outcome, 1)


@contextmanager
def _obeying_signals(stop: Stop, asked: list[int]) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for the end: at once before the pass has begun, then at its next safe point.

    A second Ctrl-C ends the process at once; what was committed stands and the next pass recovers.
    """

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of handlers
        asked.append(number)
        stop.request()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if stop.deadline == float("inf"):
            raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(report: Report) -> None:
    """Say in a line what a pass did."""
    effects = report.effects
    counts = {
        "batches": report.batches,
        "decisions": report.decisions,
        "effects queued": effects.queued,
        "delivered": effects.delivered,
        "undelivered": effects.failed,
    }
    counted = ", ".join(f"{number} {what}" for what, number in counts.items() if number or what == "decisions")
    output.emit(f"{report.plugin}: {report.outcome} in {report.duration_ms / 1000:.1f} s: {counted}{_stats(report)}")


def _stats(report: Report) -> str:
    return f" ({', '.join(f'{name} {number}' for name, number in report.stats.items())})" if report.stats else ""


def _tell_plan(report: Report) -> None:
    """List the decisions of a plan by their type, each with its reason."""
    decisions: list[dict[str, Any]] = report.decisions if isinstance(report.decisions, list) else []
    output.emit(f"{report.plugin}: {report.outcome}, would decide {len(decisions)}; nothing was written")
    for kind in dict.fromkeys(decision["type"] for decision in decisions):
        same = [decision for decision in decisions if decision["type"] == kind]
        output.emit(f"\n{one_line(kind)} ({len(same)})")
        for decision in same:
            output.emit(f"  {one_line(_sentence(decision))}")


def _sentence(decision: dict[str, Any]) -> str:
    """A decision as ``id 4, until ...: reason``."""
    fields = ", ".join(f"{key} {value}" for key, value in decision.items() if key not in ("type", "reason"))
    return f"{fields}: {decision['reason']}" if "reason" in decision else fields


def _tell_error(report: Report) -> None:
    if report.error:
        output.complain(f"{report.plugin}: {report.outcome}: {report.error['message']}")
