"""One pass in this process, which signals can end and a watchdog does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from pollctl import console
from pollctl.cli.pass_progress import PassProgress
from pollctl.console.moments import Moments
from pollctl.signals import Interrupted
from pollctl.units import Duration

if TYPE_CHECKING:
    from pollctl.cli.report_text import Values
    from pollctl.concurrency.cancellation import Stop
    from pollctl.config.settings import Config
    from pollctl.passes.report import Report
    from pollctl.plugin_host.discovery import Found

_EXIT_CODES = {"ok": 0, "partial": 3}
_SIGNALLED = 128  # plus the number of the signal


class Order(NamedTuple):
    """What the command line asks of each pass."""

    config: Config
    wait: Duration | None = None
    deadline: Duration | None = None
    trigger: str = "manual"
    seen: str | None = None
    is_dry: bool = False
    as_json: bool = False
    report_to: int | None = None
    values: Values | None = None
    line: console.Progress | None = None
    moments: Moments = Moments()


def bounded(order: Order, found: Found) -> tuple[Report | None, int]:
    """A pass that signals can end and that cannot outlive its deadline: its report and the exit code."""
    from pollctl.concurrency.cancellation import Stop

    stop = Stop()
    asked: list[int] = []
    is_stdout_ours = order.as_json or order.report_to is not None
    with console.stdout_kept_for_json(is_stdout_ours), _obeying_signals(stop, asked):
        try:
            report = _watched(order, found, stop)
        except Interrupted:
            return None, _SIGNALLED + (asked or [signal.SIGINT])[0]
    if report.outcome == "interrupted":
        return report, _SIGNALLED + (asked or [signal.SIGTERM])[0]
    return report, _EXIT_CODES.get(report.outcome, 1)


def _watched(order: Order, found: Found, stop: Stop) -> Report:
    """Make the pass; a plugin that hangs, while it is imported or past its deadline, ends with the process."""
    from pollctl.plugin_host.configured import configure
    from pollctl.store.lock import lock_path, note_stack
    from pollctl.supervision.watchdog import watchdog

    core = order.config.core
    with watchdog(core.deadline + core.grace, f"{found.name}: could not be imported in time"):
        limits = configure(order.config, found, check_schedule=False).within(order.deadline).limits
    allowed = limits.deadline + core.grace + (order.wait or Duration())
    late = f"{found.name}: did not end within its deadline of {limits.deadline} and {core.grace} grace"
    lock = lock_path(core.database, found.name)
    with watchdog(allowed, late, suspect_after=allowed - core.grace / 2, on_suspicion=partial(note_stack, lock)):
        return _make(order, found, stop)


def _make(order: Order, found: Found, stop: Stop) -> Report:
    if order.is_dry:
        from pollctl.passes.plan import plan_pass

        return plan_pass(order.config, found, stop=stop, deadline=order.deadline)
    from pollctl.passes.engine import run_pass

    wait = order.wait.total_seconds() if order.wait else 0
    listen = PassProgress(order.line, order.moments) if order.line else console.log_event
    return run_pass(
        order.config,
        found,
        trigger=order.trigger,
        seen=order.seen,
        stop=stop,
        wait=wait,
        deadline=order.deadline,
        listen=listen,
    )


@contextmanager
def _obeying_signals(stop: Stop, asked: list[int]) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for the end: at once before the pass has begun, then at its next safe point.

    A second Ctrl-C ends the process at once; what was committed stands and the next pass recovers.
    """

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of handlers
        if not asked and number == signal.SIGINT:
            console.say_at_once("It ends at its next safe point; Ctrl-C again ends it at once.")
        asked.append(number)
        stop.request()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if stop.deadline == float("inf"):
            raise Interrupted

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
