"""Passes in processes of their own: started side by side, bounded, and reported in the way that cron wants."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from pollctl import clock
from pollctl.api.names import canonical
from pollctl.config.settings import Config
from pollctl.console import log, log_format
from pollctl.due import selection, state
from pollctl.due.state import PluginState
from pollctl.errors import ConfigError, LockedError, PollctlError
from pollctl.store.files import require_folder, require_right_to_write
from pollctl.supervision import results
from pollctl.supervision.news import Health, News, Switches, broken_channels
from pollctl.supervision.results import LOCKED, BatchResult, PassResult
from pollctl.supervision.starting import Command, Task
from pollctl.supervision.stderr_lines import StderrLines
from pollctl.supervision.subprocesses import Children, Exit
from pollctl.supervision.watchdog import SUPERVISOR

__all__ = ["LOCKED", "BatchResult", "PassResult", "run_due", "run_several"]


def run_due(config: Config, now: datetime, command: Callable[[], Command] | None = None) -> BatchResult:
    """Run a pass of each plugin that is due, side by side.

    Silent on success and where another pass holds the lock. What goes wrong is one line on stderr when it
    is new: the same again is silent until a pass of that plugin has gone well, or a day has passed. The dead man's switches
    are pinged when passes ran.

    Args:
        config: the settings.
        now: the moment at which it is judged who is due.
        command: gives what carries out a command line in a copy of this process, and is called when a pass is due;
            without, or where that cannot be, each pass has an interpreter started anew.

    Raises:
        DatabaseError: the database is there but cannot be used; nothing was started.
        UsageError: it belongs to another user; likewise.
    """
    require_folder(config.core.database)
    require_right_to_write(config.core.database)
    evaluation = selection.evaluate(config, now)
    if evaluation.has_start_to_come:  # another supervisor may have started it since the clock was read
        evaluation = selection.evaluate(config, clock.now())
    news = News(config, evaluation.states, clock.now())
    switches = Switches(config, evaluation.limits)
    switches.start(evaluation.due)
    batch_result = _run_evaluated(config, evaluation, news, command() if command and evaluation.due else None)
    if evaluation.due:
        _report(config, batch_result, news, switches)
        news.settle()
        evaluation = selection.evaluate(config, clock.now())
    selection.remember(config, evaluation)
    return batch_result


def _report(config: Config, batch_result: BatchResult, news: News, switches: Switches) -> None:
    """Say which channels do not work, and ping the dead man's switches."""
    channels = broken_channels(config)
    news.of_channels(channels)
    if not batch_result.ended_by:
        news.of_switches(switches.end(Health(config, batch_result.passes, channels), batch_result.passes))


def run_several(
    config: Config,
    names: Sequence[str],
    arguments: Sequence[str] = (),
    *,
    deadline: timedelta | None = None,
    wait: timedelta = timedelta(),
    on_end: Callable[[int], None] = lambda _: None,
) -> BatchResult:
    """Run a pass of each named plugin side by side; what they say on stderr comes through as they say it.

    Args:
        config: the settings.
        names: plugins, each once.
        arguments: options of ``pollctl run`` for each.
        deadline: what *arguments* say of it, if they do.
        wait: likewise.
        on_end: called with how many have ended, at the beginning and whenever one does.

    Raises:
        DatabaseError: the database is there but cannot be used; nothing was started.
    """
    states = state.read(config.core.database)
    tasks, passes = [], []
    for name in map(canonical, names):
        try:
            row = states.get(name, PluginState(name))
            limits = config.timing_and_limits(name, row.own_defaults)
        except ConfigError as error:
            passes.append(results.refused(name, error))
            continue
        tasks.append(_task(config, name, (deadline or limits.deadline) + wait, arguments))
    lines = StderrLines(is_live=True)
    children = Children(lines.take)
    on_end(len(passes))
    for exit_ in children.run(tasks):
        passes.append(_result(config, exit_, lines, children))
        on_end(len(passes))
    for result in passes:
        if result.message:
            log(f"{result.plugin}: {result.message}")
    return BatchResult(tuple(passes), children.ended_by)


def _run_evaluated(
    config: Config, evaluation: selection.Evaluation, news: News, command: Command | None
) -> BatchResult:
    lines = StderrLines(is_live=log_format.is_verbose())
    passes = [
        results.refused(name, verdict)
        for name, verdict in evaluation.verdicts.items()
        if isinstance(verdict, ConfigError)
    ]
    for result in passes:
        _warn_if_news(result, news, lines)
    limits = evaluation.limits
    tasks = []
    for name in evaluation.due:
        row = evaluation.states.get(name, PluginState(name))
        options = ("--trigger", "due", "--seen", row.last_started_at or "")
        tasks.append(_task(config, name, limits[name].deadline, options))
    children = Children(lines.take, command)
    for exit_ in children.run(tasks):
        passes.append(_result(config, exit_, lines, children))
        _warn_if_news(passes[-1], news, lines)
    return BatchResult(tuple(passes), children.ended_by)


def _warn_if_news(result: PassResult, news: News, lines: StderrLines) -> None:
    """Warn of what went wrong if it is news, and keep it for the next time."""
    is_news = news.of_pass(result)
    if result.report or is_news:
        lines.print_rest(result.plugin, but=result.message)
    if is_news:
        news.of_pass_said(result)


def _task(config: Config, name: str, allowed: timedelta, arguments: Sequence[str]) -> Task:
    file = [f"--config={config.path.absolute()}"] if config.path else []
    words = [*file, *log_format.options(), "run", *arguments, name, "--report-to"]
    environ = {**clock.environ_of_child(), SUPERVISOR: str(os.getpid())}
    return Task(name, words, environ, (allowed + config.core.grace).total_seconds())


def _result(config: Config, exit_: Exit, lines: StderrLines, children: Children) -> PassResult:
    """What became of a pass; one that was cut off gets its end written into its run at once."""
    name = exit_.task.name
    result = results.pass_result(exit_, lines.errors(name), ended_by=children.ended_by)
    if result.is_cut_off and (why := _mark_crashed(config, name)) and why not in result.message:
        lines.take(name, f"the next pass will mark this one as crashed, as now it cannot be noted: {why}")
    return result


def _mark_crashed(config: Config, name: str) -> str:
    """Note in its run that a pass was cut off; answers why it cannot be."""
    from pollctl.passes.recovery import recover

    try:
        recover(config, name)
    except LockedError:
        return ""  # the next pass is at work already, and has done it
    except (PollctlError, sqlite3.Error) as error:
        return str(error)
    return ""
