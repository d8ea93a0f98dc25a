"""Passes in processes of their own: started side by side, bounded, and told about in the way that cron wants."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from pollctl import clock, redaction
from pollctl.api.names import canonical
from pollctl.config.settings import Config
from pollctl.due import selection, state
from pollctl.due.state import Standing
from pollctl.errors import ConfigError, LockedError, PollctlError
from pollctl.redaction import one_line
from pollctl.supervision import results
from pollctl.supervision.results import FAILED, LOCKED, Ended, Ending
from pollctl.supervision.subprocesses import Children, Exit, Task
from pollctl.supervision.watchdog import SUPERVISOR

__all__ = ["LOCKED", "Ended", "Ending", "run_due", "run_several"]

_MOST_LINES = 1000  # of what one pass says that are held back until it ends
_ERROR = "pollctl: "
"""What the lines begin with in which a process says why it ends."""


def run_due(config: Config, now: datetime) -> Ending:
    """Run a pass of each plugin that is due, side by side.

    Silent on success and where another pass holds the lock. What goes wrong is one line on stderr, told when it
    is new: the same again is silent until a pass of that plugin has gone well. The dead man's switch is told when
    passes ran.

    Raises:
        DatabaseError: the database is there but cannot be used; nothing was started.
    """
    reckoning = selection.reckon(config, now)
    if reckoning.has_start_to_come:  # another supervisor may have started it since the clock was read
        reckoning = selection.reckon(config, clock.now())
    ending = _run_reckoned(config, reckoning)
    if reckoning.due:
        _ping(config, ending, reckoning)
        reckoning = selection.reckon(config, clock.now())
    selection.remember(config, reckoning)
    return ending


def run_several(
    config: Config,
    names: Sequence[str],
    arguments: Sequence[str] = (),
    *,
    deadline: timedelta | None = None,
    wait: timedelta = timedelta(),
) -> Ending:
    """Run a pass of each named plugin side by side; what they say on stderr comes through as they say it.

    Args:
        config: the settings.
        names: plugins, each once.
        arguments: options of ``pollctl run`` for each, beyond ``--json``.
        deadline: what *arguments* say of it, if they do.
        wait: likewise.

    Raises:
        DatabaseError: the database is there but cannot be used; nothing was started.
    """
    standings = state.read(config.core.database)
    tasks, passes = [], []
    for name in map(canonical, names):
        try:
            row = standings.get(name, Standing(name))
            limits = config.timing_and_limits(name, row.own_defaults)
        except ConfigError as error:
            passes.append(results.refused(name, error))
            continue
        tasks.append(_task(config, name, (deadline or limits.deadline) + wait, arguments))
    voice = _Voice(is_live=True)
    children = Children(voice.heard)
    passes += [_ended(config, exit_, voice, children) for exit_ in children.run(tasks)]
    for ended in passes:
        if ended.complaint:
            _say(f"{ended.plugin}: {ended.complaint}")
    return Ending(tuple(passes), children.ended_by)


class _Voice:
    """What passes say on stderr: told at once, or kept until it is known whether it is news."""

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._kept: dict[str, list[str]] = {}

    def heard(self, name: str, line: str) -> None:
        """Take a line; those that say why a process ends are always kept."""
        if self._is_live and not line.startswith(_ERROR):
            self._tell(name, line)
            return
        kept = self._kept.setdefault(name, [])
        if len(kept) < _MOST_LINES:
            kept.append(line)
        elif len(kept) == _MOST_LINES:
            kept.append("(the rest of what it said is left out)")

    def errors(self, name: str) -> str:
        """Why the process of a plugin ended, on one line; the last line of all if it did not say."""
        kept = [line for line in self._kept.get(name, []) if line.strip()]
        errors = [line.removeprefix(_ERROR) for line in kept if line.startswith(_ERROR)]
        return "; ".join(errors) or (kept[-1].strip() if kept else "")

    def tell_rest(self, name: str, *, but: str) -> None:
        """Tell what was kept, apart from the errors and from what is told as the complaint."""
        for line in self._kept.get(name, []):
            if line.strip() not in ("", but) and not line.startswith(_ERROR):
                self._tell(name, line)

    def _tell(self, name: str, line: str) -> None:
        _say(line if line.startswith(f"{name}: ") else f"{name}: {line}")


def _run_reckoned(config: Config, reckoning: selection.Reckoning) -> Ending:
    voice = _Voice(is_live=False)
    passes = [
        results.refused(name, verdict)
        for name, verdict in reckoning.verdicts.items()
        if isinstance(verdict, ConfigError)
    ]
    for ended in passes:
        _complain(config, ended, reckoning, voice)
    limits = reckoning.limits
    tasks = []
    for name in reckoning.due:
        row = reckoning.standings.get(name, Standing(name))
        options = ("--trigger", "due", "--seen", row.last_started_at or "")
        tasks.append(_task(config, name, limits[name].deadline, options))
    children = Children(voice.heard)
    for exit_ in children.run(tasks):
        passes.append(_ended(config, exit_, voice, children))
        _complain(config, passes[-1], reckoning, voice)
    return Ending(tuple(passes), children.ended_by)


def _complain(config: Config, ended: Ended, reckoning: selection.Reckoning, voice: _Voice) -> None:
    """Tell what went wrong if it is news, and keep it for the next time."""
    row = reckoning.standings.get(ended.plugin, Standing(ended.plugin))
    is_news = ended.complaint != (row.complaint or "")
    if ended.report or is_news:
        voice.tell_rest(ended.plugin, but=ended.complaint)
    if not is_news or ended.outcome in ("locked", "interrupted"):
        return
    if ended.complaint:
        _say(f"{ended.plugin}: {ended.complaint}")
    try:
        state.note_complaint(config.core.database, ended.plugin, ended.complaint or None)
    except (PollctlError, sqlite3.Error) as error:
        _say(f"{ended.plugin}: this will be told again, as it cannot be noted: {error}")


def _task(config: Config, name: str, allowed: timedelta, arguments: Sequence[str]) -> Task:
    file = [f"--config={config.path.absolute()}"] if config.path else []
    # -P: a module that happens to lie in the present folder must not be taken for one of ours
    command = [sys.executable, "-P", "-m", "pollctl", *file, "run", "--json", *arguments, name]
    environ = {**os.environ, SUPERVISOR: str(os.getpid())}
    if environ.get(clock.VARIABLE, "").strip().startswith("@"):
        environ[clock.VARIABLE] = f"@{clock.to_text(clock.now())}"  # the clock goes on, it does not start anew
    return Task(name, command, environ, (allowed + config.core.grace).total_seconds())


def _ended(config: Config, exit_: Exit, voice: _Voice, children: Children) -> Ended:
    """What became of a pass; one that was cut off gets its end written into its run at once."""
    name = exit_.task.name
    ended = results.ended(exit_, voice.errors(name), ended_by=children.ended_by)
    if ended.is_cut_off:
        _bury(config, name)
    return ended


def _bury(config: Config, name: str) -> None:
    from pollctl.passes.engine import recover

    try:
        recover(config, name)
    except LockedError:
        return  # the next pass is at work already, and has done it
    except (PollctlError, sqlite3.Error) as error:
        _say(f"{name}: the next pass will mark this one as crashed, as now it cannot be noted: {error}")


def _ping(config: Config, ending: Ending, reckoning: selection.Reckoning) -> None:
    """Tell the dead man's switch; that it cannot be told is one line, once, and changes nothing else."""
    if ending.ended_by or not config.core.healthcheck.url:
        return
    from pollctl.delivery.healthcheck import ping

    lines = [f"{ended.plugin}: {ended.complaint or ended.outcome}" for ended in ending.passes]
    trouble = ping(config.core, "\n".join(lines), has_failed=ending.exit_code(locked=0) == FAILED)
    told = reckoning.standings.get(state.HEALTHCHECK, Standing(state.HEALTHCHECK)).complaint or ""
    if trouble == told:
        return
    if trouble:
        _say(f"healthcheck: {trouble}")
    with suppress(PollctlError, sqlite3.Error):  # then it will be told again
        state.note_complaint(config.core.database, state.HEALTHCHECK, trouble or None)


def _say(text: str) -> None:
    """Write one line to stderr; there is nobody to tell when that fails."""
    with suppress(OSError, AttributeError):
        sys.stderr.write(f"{one_line(redaction.mask(text))}\n")
        sys.stderr.flush()
