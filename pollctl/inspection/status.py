"""How each plugin stands and what each pass did, as rows for people and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from pollctl.api.names import fault as fault_of_name
from pollctl.clock import is_waiting, to_text
from pollctl.damage import json_of, mark_damage, moment_of
from pollctl.delivery import channels
from pollctl.delivery.admin import counts
from pollctl.due import selection
from pollctl.errors import ConfigError, DatabaseError, PollctlError, UsageError
from pollctl.plugin_host.blame import raised_here
from pollctl.plugin_host.discovery import Found, discover, find
from pollctl.plugin_host.loader import defaults_of, load, migrations_of
from pollctl.redaction import one_line
from pollctl.store import database, runs
from pollctl.store.lock import Holder, holder, lock_path

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.config.settings import Config
    from pollctl.schedule.model import Verdict


# By when the plugin's last pass began: a pass whose clock was ahead has an id above all that came later. Ids of one moment
# have a common beginning.
_LATEST = """
    SELECT (SELECT id FROM runs WHERE plugin = started.plugin AND id < prefix || '.' AND started_at = last_started_at
            ORDER BY id DESC LIMIT 1)
    FROM (SELECT *, replace(replace(last_started_at, '-', ''), ':', '') AS prefix FROM schedules) AS started
"""


class PluginStatus(Struct, frozen=True, kw_only=True):
    """One plugin's row of ``pollctl status``.

    Attributes:
        outcome: of the latest pass: ``running`` while it works, ``crashed`` once it died, None before the first.
        age_s: seconds since the latest pass started.
        next_due_at: the first moment from now on at which it is due; None if it is disabled or its settings are wrong.
        backoff_until: the moment before which failures keep ``due`` from starting it, if that lies ahead.
        idle_until: the moment before which the plugin itself wants no pass, if that lies ahead.
        lock: who works on it right now: ``pid``, ``run_id``, ``since``.
        outbox: number of effects by status.
        problem: what is wrong with its settings, else what the latest pass that did not end well said, else what `due --run`
            last printed about one that never began (its import hangs); and effects of it that were given up or are stuck.
    """

    plugin: str
    enabled: bool
    outcome: str | None = None
    last_started_at: str | None = None
    last_finished_at: str | None = None
    age_s: int | None = None
    is_due: bool = False
    next_due_at: str | None = None
    consecutive_failures: int = 0
    backoff_until: str | None = None
    idle_until: str | None = None
    lock: Mapping[str, Any] | None = None
    outbox: Mapping[str, int] = {}
    problem: str | None = None


def plugin_statuses(config: Config, now: datetime) -> list[PluginStatus]:
    """A row for each plugin that is enabled or has ever run, by name.

    Raises:
        DatabaseError: the database cannot be used; one that is not there yet is empty.
    """
    verdicts = selection.judge_all(config, now)
    known = _known(config)
    names = sorted({*config.enabled, *known})
    rows = [_status(config, name, known.get(name, _Known()), verdicts.get(name), now) for name in names]
    installed = discover(folder=config.core.plugins_dir)
    return [
        row if row.problem or not row.enabled or row.plugin in installed else _not_installed(config, row)
        for row in rows
    ]


def _not_installed(config: Config, row: PluginStatus) -> PluginStatus:
    try:
        find(row.plugin, config.core.plugins_dir)
    except UsageError as error:
        return replace(row, problem=str(error))
    return row


def typos(config: Config, names: Sequence[str]) -> list[str]:
    """Those of *names* that have no section and no package: they were only ever a wrong word in the settings."""
    left = [name for name in names if name not in config.names]
    installed = discover(folder=config.core.plugins_dir) if left else {}
    return [name for name in left if name not in installed]


def notices(config: Config, found: Mapping[str, Found], now: datetime) -> dict[str, str]:
    """What the plugins themselves have to say, by name; each is imported for it.

    Of those that are not enabled only what has run before is asked: it may have work that nobody does any more.
    """
    ran = _names_that_ran(config)
    asked = [name for name in config.names if name in found and (name in config.enabled or name in ran)]
    said = {name: _notice(config, found[name], now) for name in asked}
    return {name: text for name, text in said.items() if text}


def _notice(config: Config, found: Found, now: datetime) -> str:
    try:
        plugin = load(found)
    except PollctlError as error:
        return str(error)
    try:
        settings: Any = config.settings(plugin.name, plugin.poller.settings, defaults_of(plugin))
        is_enabled = plugin.name in config.enabled
        with database.looking(config.core.database, migrations_of([plugin])) as db:
            said = plugin.hooks.pollctl_status(db=db, settings=settings, now=now, is_enabled=is_enabled)
            return one_line(str(said or ""))
    except ConfigError:
        return ""  # its row has it as the problem
    except PollctlError as error:
        return str(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - its bug must not hide how the others stand
        return raised_here("pollctl_status", error, plugin.guests)


def _names_that_ran(config: Config) -> frozenset[str]:
    if not config.core.database.exists():
        return frozenset()
    with closing(database.open_to_read(config.core.database)) as db:
        mark_damage(db.conn)
        return frozenset(row["plugin"] for row in db.query("SELECT plugin FROM schedules"))


def latest_runs(db: Database) -> dict[str, dict[str, Any]]:
    """The newest run of each plugin, by name."""
    return {run["plugin"]: run for run in runs.rows(db, f"id IN ({_LATEST})")}


def everything(db: Database, run_id: str) -> dict[str, Any]:
    """One run with the effects that it queued and what was recorded of it.

    Raises:
        DatabaseError: there is no such run.
    """
    run = runs.row(db, run_id)
    effects = db.query(
        "SELECT id, kind, key, lane, status, attempts, next_attempt_at, last_error, delivered_at FROM outbox "
        "WHERE run_id=? ORDER BY id",
        [run_id],
    )
    recorded = db.query("SELECT seq, now, decisions FROM recordings WHERE run_id=? ORDER BY seq", [run_id])
    batches = [{**row, "decisions": json_of(row["decisions"])} for row in recorded]
    return {**run, "outbox": list(effects), "recordings": batches}


class _Known(NamedTuple):
    """What the database has of one plugin."""

    past: Mapping[str, Any] = {}
    last: Mapping[str, Any] = {}
    effects: Mapping[str, int] = {}
    troubles: Sequence[str] = ()


def _known(config: Config) -> dict[str, _Known]:
    if not config.core.database.exists():
        return {}
    with closing(database.open_to_read(config.core.database)) as db:
        mark_damage(db.conn)
        effects, last, troubles = counts(db), latest_runs(db), channel_troubles(db)
        rows = db.query("SELECT * FROM schedules WHERE plugin NOT LIKE 'pollctl.%'")
        known = {row["plugin"]: row for row in rows}
        for name in typos(config, runs.mere_names(db)):
            del known[name]
    return {
        name: _Known(row, last.get(name, {}), effects.get(name, {}), troubles.get(name, ()))
        for name, row in known.items()
    }


def channel_troubles(db: Database) -> dict[str, list[str]]:
    """What is wrong with the ways to the outside, in a line each, by the plugin that used one last."""
    found: dict[str, list[str]] = {}
    for channel in channels.broken(db.conn):
        found.setdefault(channel.plugin, []).append(channel.text)
    return found


def _status(
    config: Config, name: str, known: _Known, judged: Verdict | ConfigError | None, now: datetime
) -> PluginStatus:
    locked_by, unreadable = _holder(config, name)
    said = unreadable or (known.last.get("error") or {}).get("message") or known.past.get("last_complaint")
    said = "; ".join(filter(None, (said, *known.troubles))) or None
    problem = str(judged) if isinstance(judged, ConfigError) else said
    verdict = None if isinstance(judged, ConfigError) else judged
    started_at = known.past.get("last_started_at")
    started = moment_of(started_at)
    return PluginStatus(
        plugin=name,
        enabled=name in config.enabled,
        outcome=_outcome(known, is_locked=locked_by is not None),
        last_started_at=started_at,
        last_finished_at=known.past.get("last_finished_at"),
        age_s=round((now - started).total_seconds()) if started else None,
        is_due=bool(verdict and verdict.is_due),
        next_due_at=to_text(verdict.next_due_at) if verdict and verdict.next_due_at else None,
        consecutive_failures=known.past.get("consecutive_failures", 0),
        backoff_until=_backoff_until(known.past, now),
        idle_until=to_text(verdict.idle_until) if verdict and verdict.idle_until else None,
        lock=locked_by._asdict() if locked_by else None,
        outbox=known.effects,
        problem=problem,
    )


def _holder(config: Config, name: str) -> tuple[Holder | None, str]:
    """Who works on a plugin right now, and why nobody can say."""
    if fault_of_name(name):
        return None, ""
    try:
        return holder(lock_path(config.core.database, name)), ""
    except DatabaseError as error:
        return None, str(error)


def _backoff_until(past: Mapping[str, Any], now: datetime) -> str | None:
    """The end of the backoff that ``due`` obeys; it ignores one that a clock running ahead wrote."""
    ends_at, finished_at = moment_of(past.get("not_before")), moment_of(past.get("last_finished_at"))
    is_in_force = ends_at and finished_at and is_waiting(ends_at, now, ends_at - finished_at)
    return to_text(ends_at) if ends_at and is_in_force else None


def _outcome(known: _Known, *, is_locked: bool) -> str | None:
    """The outcome of the latest pass; one that is ``running`` without its lock died, and the next pass will note it."""
    if is_locked:
        return "running"
    outcome: str | None = known.past.get("last_outcome")
    return "crashed" if known.last.get("outcome") == "running" else outcome
