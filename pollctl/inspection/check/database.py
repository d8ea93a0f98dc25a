"""What ``check`` finds in the database: whether it is whole, whether the clock fits it, and whether anybody calls us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta

from pollctl.clock import from_text, to_text
from pollctl.config.settings import Config
from pollctl.console.words import distance
from pollctl.damage import moment_of
from pollctl.due import selection
from pollctl.errors import ConfigError, DatabaseError
from pollctl.inspection.check.findings import Finding, Level, failures
from pollctl.inspection.status import channel_troubles
from pollctl.store import content, database

_AHEAD = timedelta(seconds=5)  # clocks that are set by NTP step back by less
_PATIENCE = timedelta(minutes=5)  # for cron, or for a machine that just woke up


def of_content(config: Config) -> Iterator[Finding]:
    """Whether it can be read, and what SQLite's own checks find."""
    path = config.core.database
    if not path.exists():
        if not path.parent.is_dir():
            return  # that was told
        yield Finding(
            level="warn",
            subject="database",
            text=f"{path}: not there yet; `pollctl init` or the first pass creates it",
        )
        return
    try:
        with closing(database.open_to_read(path)) as db:
            problems = content.problems(db)
            differences = content.differences(db)
    except DatabaseError as error:
        yield from failures("database", error)
        return
    for problem in problems:
        yield Finding(level="FAIL", subject="database", text=f"{path}: {problem}; restore a backup", exit_code=1)
    for one in differences:
        level: Level = "warn" if one.is_harmless else "FAIL"
        yield Finding(level=level, subject="database", text=f"{path}: {one.text}", exit_code=int(not one.is_harmless))
    if not problems and all(one.is_harmless for one in differences):
        yield Finding(level="ok", subject="database", text=f"{path}: SQLite finds nothing wrong")


def of_clock(config: Config, now: datetime) -> Iterator[Finding]:
    """Whether the clock can be trusted; that it stands before 2020 is refused wherever it is read."""
    latest = _latest_start(config)
    if latest and from_text(latest) > now + _AHEAD:
        text = f"it says {to_text(now)}, but the latest pass started at {latest}: it was set back, or was wrong then"
        yield Finding(level="warn", subject="clock", text=text)
        return
    yield Finding(level="ok", subject="clock", text=to_text(now))


def _latest_start(config: Config) -> str | None:
    if not config.core.database.exists():
        return None
    try:
        with closing(database.open_to_read(config.core.database)) as db:
            row = db.execute("SELECT max(last_started_at) FROM schedules").fetchone()
    except DatabaseError:
        return None  # a finding of its own
    latest: str | None = row[0]
    return latest


def of_caller(config: Config, now: datetime) -> Iterator[Finding]:
    """Warn where a plugin has been due for minutes: does anybody call ``due --run``?"""
    try:
        waiting = sorted(_due_since(config, now))
        last = _latest_by_due(config)
    except (ConfigError, DatabaseError):
        return  # told as findings of their own
    by_then = (
        f"the last pass that `due --run` started began {_ago(last, now)}"
        if last
        else "`due --run` has started no pass yet"
    )
    since, name = waiting[0] if waiting else (now, "")
    if last and since >= now - _PATIENCE:
        yield Finding(level="ok", subject="cron", text=by_then)
        return
    due = f"{name} has been due for {distance((now - since).total_seconds())}, and " if name else ""
    text = f"{due}{by_then}: does anybody call it? `pollctl crontab` prints the lines"
    yield Finding(level="warn", subject="cron", text=text)


def _due_since(config: Config, now: datetime) -> Iterator[tuple[datetime, str]]:
    """The plugins that are due, and since when: missed slots have folded into one, so it is the first of them that tells."""
    evaluation = selection.evaluate(config, now)
    for name in evaluation.due:
        row = evaluation.states.get(name)
        started = moment_of(row.last_started_at) if row else None
        slots = selection.next_slots(config, started, 1, [name])[name] if started else []
        if row and slots and not isinstance(slots, ConfigError):
            backoff = evaluation.limits[name].backoff_max if row.consecutive_failures else timedelta()
            idle_until = moment_of(row.idle_until)
            yield max(filter(None, (slots[0] + backoff, idle_until))), name


def _ago(moment: datetime, now: datetime) -> str:
    return f"{distance((now - moment).total_seconds())} ago"


def _latest_by_due(config: Config) -> datetime | None:
    if not config.core.database.exists():
        return None
    with closing(database.open_to_read(config.core.database)) as db:
        row = db.execute("SELECT started_at FROM runs WHERE trigger='due' ORDER BY id DESC LIMIT 1").fetchone()
    return from_text(row[0]) if row else None


def of_channels(config: Config) -> Iterator[Finding]:
    """Warn of ways to the outside on which effects were given up, or wait although they were tried again and again."""
    with suppress(DatabaseError), database.looking(config.core.database) as db:
        for plugin, texts in channel_troubles(db).items():
            for text in texts:
                yield Finding(level="warn", subject=plugin, text=f"{text}; see `pollctl outbox list`")
