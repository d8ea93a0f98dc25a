"""Passes in processes of their own: started side by side, bounded, and told about in the way that cron wants."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from pollctl import clock, due, standing, units
from pollctl.children import Children, Exit, Task
from pollctl.config import Config, canonical
from pollctl.config_toml import one_line
from pollctl.errors import ConfigError, LockedError, PollctlError
from pollctl.signals import name_of
from pollctl.standing import Standing
from pollctl.watchdog import SUPERVISOR

FAILED, REFUSED, PARTIAL, LOCKED = 1, 2, 3, 75
_INTERRUPTED = (130, 143)
_MOST_LINES = 1000  # of what one pass said that are held back until it ends


class Ended(Struct, frozen=True, kw_only=True):
    """What became of one plugin's pass.

    Attributes:
        plugin: its name.
        outcome: that of the pass; ``crashed`` if it was killed, ``locked`` or ``refused`` if it did not start.
        exit_code: what the pass alone would have exited with; 1 for one that was killed.
        report: what ``run --json`` prints, if the pass came as far.
        complaint: one line about what went wrong, or nothing.
    """

    plugin: str
    outcome: str
    exit_code: int
    report: Mapping[str, object] | None = None
    complaint: str = ""

    def as_json(self) -> Mapping[str, object]:
        """The report, or in its place as much of one as there is."""
        error = {"type": self.outcome.capitalize(), "message": self.complaint} if self.complaint else None
        return self.report or {"plugin": self.plugin, "outcome": self.outcome, "error": error}


class Ending(Struct, frozen=True):
    """How several passes ended, in the order in which they did, and the signal that cut them short (0: none)."""

    passes: tuple[Ended, ...]
    ended_by: int

    def exit_code(self, *, locked: int) -> int:
        """One exit code for all: the worst; *locked* stands for passes whose lock another one held."""
        if self.ended_by:
            return 128 + self.ended_by
        codes = {ended.exit_code for ended in self.passes}
        if codes - {0, PARTIAL, LOCKED, *_INTERRUPTED}:
            return FAILED
        if codes & {PARTIAL, *_INTERRUPTED}:
            return PARTIAL
        return locked if LOCKED in codes else 0


def run_due(config: Config, now: datetime) -> Ending:
    """Run a pass of each plugin that is due, side by side.

    Silent on success and where another pass holds the lock. What goes wrong is one line on stderr, told when it
    is new: the same again is silent until a pass of that plugin has gone well. The dead man's switch is told when
    passes ran.

    Raises:
        DatabaseError: the database is there but cannot be used; nothing was started.
    """
    reckoning = due.reckon(config, now)
    if reckoning.has_start_to_come:  # another supervisor may have started it since the clock was read
        reckoning = due.reckon(config, clock.now())
    ending = _run_reckoned(config, reckoning)
    if reckoning.due:
        _ping(config, ending)
        reckoning = due.reckon(config, clock.now())
    due.remember(config, reckoning)
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
    """
    voice = _Voice(is_live=True)
    standings = standing.read(config.core.database)
    tasks, refused = [], []
    for name in map(canonical, names):
        try:
            limits = config.timing_and_limits(name, standings.get(name, Standing(name)).own_defaults)
        except ConfigError as error:
            refused.append(_refused(name, error))
            continue
        limit = (deadline or limits.deadline) + config.core.grace + wait
        tasks.append(_task(config, name, limit, arguments))
    children = Children(voice.heard)
    passes = [*refused, *(_ended(config, exit_, voice) for exit_ in children.run(tasks))]
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
        """Take a line; the errors with which a process ends (``pollctl: ...``) are always kept."""
        if self._is_live and not line.startswith("pollctl: "):
            self._tell(name, line)
            return
        kept = self._kept.setdefault(name, [])
        if len(kept) < _MOST_LINES:
            kept.append(line)
        elif len(kept) == _MOST_LINES:
            kept.append("(the rest of what it said is left out)")

    def errors(self, name: str) -> str:
        """The errors with which the process of a plugin ended, on one line."""
        kept = self._kept.get(name, [])
        errors = [line.removeprefix("pollctl: ") for line in kept if line.startswith("pollctl: ")]
        return "; ".join(errors) or next((line.strip() for line in reversed(kept) if line.strip()), "")

    def tell_rest(self, name: str) -> None:
        """Tell what was kept, apart from the errors."""
        for line in self._kept.get(name, []):
            if line.strip() and not line.startswith("pollctl: ") and line.strip() != self.errors(name):
                self._tell(name, line)

    def _tell(self, name: str, line: str) -> None:
        _say(line if line.startswith(f"{name}: ") else f"{name}: {line}")


def _run_reckoned(config: Config, reckoning: due.Reckoning) -> Ending:
    voice = _Voice(is_live=False)
    tasks, passes = [], []
    for name, verdict in reckoning.verdicts.items():
        if isinstance(verdict, ConfigError):
            passes.append(_refused(name, verdict))
        elif verdict.is_due:
            limits = reckoning.limits[name]
            tasks.append(_task(config, name, limits.deadline + config.core.grace, ("--trigger", "due")))
    for ended in passes:
        _complain(config, ended, reckoning.standings.get(ended.plugin), voice)
    children = Children(voice.heard)
    for exit_ in children.run(tasks):
        passes.append(_ended(config, exit_, voice))
        _complain(config, passes[-1], reckoning.standings.get(exit_.task.name), voice)
    return Ending(tuple(passes), children.ended_by)


def _complain(config: Config, ended: Ended, row: Standing | None, voice: _Voice) -> None:
    """Tell what went wrong if it is news, and keep it for the next time."""
    told = row.complaint if row else None
    is_news = ended.complaint != (told or "")
    if ended.report or is_news:
        voice.tell_rest(ended.plugin)
    if not is_news or ended.outcome in ("locked", "interrupted"):
        return
    if ended.complaint:
        _say(f"{ended.plugin}: {ended.complaint}")
    try:
        standing.note_complaint(config.core.database, ended.plugin, ended.complaint or None)
    except PollctlError as error:
        _say(f"{ended.plugin}: this will be told again, as it cannot be noted: {error}")


def _task(config: Config, name: str, limit: timedelta, arguments: Sequence[str]) -> Task:
    file = [f"--config={config.path.absolute()}"] if config.path else []
    # -P: a module that happens to lie in the present folder must not be taken for one of ours
    command = [sys.executable, "-P", "-m", "pollctl", *file, "run", "--json", *arguments, "--", name]
    environ = {**os.environ, SUPERVISOR: str(os.getpid())}
    if environ.get(clock.VARIABLE, "").strip().startswith("@"):
        environ[clock.VARIABLE] = f"@{clock.to_text(clock.now())}"  # the clock goes on, it does not start anew
    return Task(name, command, environ, limit.total_seconds())


def _ended(config: Config, exit_: Exit, voice: _Voice) -> Ended:
    """What the end of a process means; a pass that was killed gets its end written into its run."""
    name, report = exit_.task.name, _report(exit_.stdout)
    if exit_.not_started:
        why = f"cannot be started: {exit_.not_started}"
        return Ended(plugin=name, outcome="refused", exit_code=FAILED, complaint=why)
    if exit_.is_overdue or exit_.code < 0:
        _bury(config, name)
        overdue = f"killed {exit_.task.limit_s:g} s after its start, at the end of deadline and grace"
        why = overdue if exit_.is_overdue else f"ended by {name_of(-exit_.code)}"
        return Ended(plugin=name, outcome="crashed", exit_code=FAILED, complaint=why)
    if report is None:
        return _unreported(config, name, exit_.code, voice)
    why = f"{report.outcome}: {report.error.message}" if report.error else ""
    return Ended(
        plugin=name,
        outcome=report.outcome,
        exit_code=exit_.code,
        report=msgspec.json.decode(exit_.stdout),
        complaint=why,
    )


def _unreported(config: Config, name: str, code: int, voice: _Voice) -> Ended:
    """A pass that ended before it could report, or never began."""
    if code == LOCKED:
        return Ended(plugin=name, outcome="locked", exit_code=code)
    if code in _INTERRUPTED:
        return Ended(plugin=name, outcome="interrupted", exit_code=code)
    why = voice.errors(name) or f"ended with exit code {code} and without a word"
    if code == REFUSED:
        return Ended(plugin=name, outcome="refused", exit_code=code, complaint=why)
    _bury(config, name)
    return Ended(plugin=name, outcome="failed", exit_code=FAILED, complaint=why)


def _refused(name: str, error: ConfigError) -> Ended:
    return Ended(plugin=name, outcome="refused", exit_code=REFUSED, complaint="; ".join(error.problems))


class _Error(Struct):
    message: str


class _Report(Struct):
    """What is read of a report here; the rest goes through as it is."""

    outcome: str
    error: _Error | None = None


def _report(stdout: bytes) -> _Report | None:
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(stdout, type=_Report)
    return None


def _bury(config: Config, name: str) -> None:
    """Have the run that a dead process left behind marked as crashed."""
    from pollctl.engine import recover

    try:
        recover(config, name)
    except LockedError:
        return  # the next pass is at work already, and has done it
    except (PollctlError, sqlite3.Error) as error:
        _say(f"{name}: the next pass will mark this one as crashed, as now it cannot be noted: {error}")


def _ping(config: Config, ending: Ending) -> None:
    """Tell the dead man's switch; that it cannot be told changes nothing else."""
    if ending.ended_by or not config.core.healthcheck.url:
        return
    from pollctl.healthcheck import ping

    lines = [f"{ended.plugin}: {ended.complaint or ended.outcome}" for ended in ending.passes]
    trouble = ping(config.core, "\n".join(lines), has_failed=ending.exit_code(locked=0) == FAILED)
    if trouble:
        _say(f"healthcheck: {trouble}")


def _say(text: str) -> None:
    """Write one line to stderr; there is nobody to tell when that fails."""
    with suppress(OSError, AttributeError):
        sys.stderr.write(f"{one_line(units.mask(text))}\n")
        sys.stderr.flush()
