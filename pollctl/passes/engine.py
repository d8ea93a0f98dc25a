"""One pass from lock to exit: the only place where the hooks of a plugin are joined."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pollctl import clock
from pollctl.console import log, log_event
from pollctl.delivery.policy import Kinds
from pollctl.errors import LockedError, PluginError, PollctlError
from pollctl.fanout.local import client_of
from pollctl.http.client import Client
from pollctl.passes.alerts import Alerts, outbox_of
from pollctl.passes.batches import Batches
from pollctl.passes.context import PassContext
from pollctl.passes.events import Listen, PassEvents
from pollctl.passes.outcome import Course, judge
from pollctl.passes.report import Report, report_of
from pollctl.passes.sender import Sender
from pollctl.plugin_host.configured import ConfiguredPlugin, configure
from pollctl.plugin_host.hooks import Hooks
from pollctl.store import database, files, holds, idle, retention, runs
from pollctl.store.lock import held, lock_path

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.api.outcomes import Outcome
    from pollctl.concurrency.cancellation import Stop
    from pollctl.config.settings import Config
    from pollctl.plugin_host.discovery import Found
    from pollctl.units import Duration


def run_pass(
    config: Config,
    found: Found,
    *,
    trigger: str,
    stop: Stop,
    seen: str | None = None,
    wait: float = 0,
    deadline: Duration | None = None,
    listen: Listen = log_event,
) -> Report:
    """Run one pass of one plugin.

    Args:
        config: the settings.
        found: the plugin, not yet imported.
        trigger: ``manual`` or ``due``.
        stop: asked by signals when to end; its deadline is set here, once the lock is held.
        seen: the plugin's last start (database text, empty for none) from which it was judged due, so that two who judge
            at the same time do not run one slot twice; None: run in any case.
        wait: seconds to wait for another pass of this plugin.
        deadline: instead of the one in the settings.
        listen: called with each event of the pass.

    Raises:
        ConfigError: the plugin's settings are wrong; nothing was started.
        LockedError: another pass holds the lock, or has begun since *seen*; nothing was started.
        DatabaseError: the database cannot be used.
        UsageError: it belongs to another user.
    """
    configured = configure(config, found, check_schedule=trigger == "manual").within(deadline)
    files.require_folder(config.core.database)
    files.require_right_to_write(config.core.database)
    run_id = runs.new_id(clock.now())
    lock = lock_path(config.core.database, found.name)
    with held(lock, run_id=run_id, wait=wait, like=config.core.database) as stack:
        stop.end_in(configured.limits.deadline)
        configured, opened = _opened(configured)
        with closing(opened) as db:
            if seen is not None and seen != runs.last_start(db, found.name):
                raise LockedError(f"another pass of {found.name} has begun since it was judged due")
            return _Pass(configured, db, run_id, stop, listen).go(trigger, stack)


def _opened(configured: ConfiguredPlugin) -> tuple[ConfiguredPlugin, Database]:
    """The database, migrated; a plugin that cannot be used, as its migrations or its purity show, must fail visibly."""
    path = configured.config.core.database

    def say_so() -> None:
        log(f"{configured.name}: there was no database at {path}; it was created")

    try:
        db = database.open_to_write(path, configured.migrations, on_created=say_so)
    except PluginError as error:
        return configured._replace(hooks=error), database.open_to_write(path)
    with database.closed_on_error(db):
        return configured.held_to_contract(db), db


class _Pass:
    """The work of one pass, while its lock is held."""

    def __init__(self, configured: ConfiguredPlugin, db: Database, run_id: str, stop: Stop, listen: Listen) -> None:
        self._configured = configured
        self._config = configured.config
        self._limits = configured.limits
        self._name = configured.name
        self._db = db
        self._id = run_id
        self._stop = stop
        self._began = time.monotonic()
        self._now = clock.now()
        self._is_cut = False
        self._events = PassEvents(self._name, run_id, listen)
        self._hooks = None if isinstance(configured.hooks, PluginError) else configured.hooks
        self._unusable = configured.hooks if isinstance(configured.hooks, PluginError) else None
        kinds = Kinds.of(self._hooks.plugin.poller) if self._hooks else Kinds()
        self._outbox = outbox_of(self._config, db, self._name, kinds)
        self._alerts = Alerts(self._config, db, self._outbox, self._name, self._limits.timezone)

    def go(self, trigger: str, stack: str) -> Report:
        """Make the pass; *stack* is where the threads of the one before stood, if that hung."""
        with database.writing(self._db):
            self._alerts.mark_crashed(self._now, self._limits, stack)
            defaults = self._configured.defaults
            tireless = self._hooks.plugin.poller.tireless if self._hooks else None
            trace_id = runs.start(self._db, self._id, self._name, trigger, self._now, defaults, tireless)
            self._outbox.recover(self._now, only_core=self._hooks is None)
        self._events.started(trace_id, trigger, self._now + (self._limits.window or self._limits.deadline))
        with closing(self._outbox), closing(client_of(self._config.core, self._stop)) as client:
            self._client = client
            held_until = holds.of_plugin(self._db, self._name)
            self._run = pass_context(self._configured, self._id, trace_id, self._now, client, self._stop, held_until)
            self._batches = Batches(self._db, self._run, self._limits, self._outbox, self._events)
            flush = self._batches.flush
            self._sender = Sender(
                self._config.core, self._hooks, self._db, self._outbox, self._run, self._events, self._stop, flush
            )
            self._run.between_rounds = self._sender.send_due
            self._run.on_failed = self._events.target_failed
            with closing(self._run):
                if self._hooks:
                    self._work(self._hooks)
                else:
                    self._sender.send_due(is_last=True)
                return self._end()

    def _work(self, hooks: Hooks) -> None:
        self._sender.send_due()
        with closing(database.open_to_read(self._config.core.database)) as reader:
            self._batches.commit_all(hooks, reader)
        self._is_cut = self._stop.is_past_deadline
        self._sender.send_due(is_last=True)

    def _end(self) -> Report:
        outcome, error = judge(self._course(), self._limits.deadline)
        finished_at = clock.now()
        with database.writing(self._db):
            self._batches.flush()
            self._finish(outcome, error, finished_at)
            alerts = self._alerts.queue_alerts(self._id, outcome, error, finished_at)
            alerts += self._alerts.queue_channel_alerts(self._id, finished_at)
            self._note_idle(finished_at)
        if alerts:
            self._sender.send_due(is_last=True)
            with database.writing(self._db):
                self._note_idle(clock.now())
        self._prune(retention.prune_after_pass(self._db, self._config.core.retention, finished_at))
        report = report_of(runs.row(self._db, self._id), known=self._batches.known)
        self._events.finished(report)
        return report

    def _prune(self, moment: datetime | None) -> None:
        """Have the plugin delete its old rows, where time has come far enough for certain; the pass itself has gone as it has."""
        if moment is None or self._hooks is None:
            return
        try:
            with database.writing(self._db):
                self._hooks.prune(self._db, moment, self._run)
        except PluginError as error:
            log(str(error))

    def _note_idle(self, now: datetime) -> None:
        """Keep before when the plugin wants no pass, unless the pass was cut short: then it did not know."""
        asked_for = self._run.idle_at
        is_whole = not (self._error or self._stop.requested or self._is_cut)
        if asked_for is None or not is_whole:
            return
        until = min(asked_for, self._outbox.next_try(now) or asked_for, now + self._limits.idle_max)
        idle.keep(self._db, self._name, since=now, until=until, settings=self._config.digest_of(self._name))

    @property
    def _error(self) -> PollctlError | None:
        return self._unusable or self._batches.error or self._sender.error or self._client.fanout_error

    def _course(self) -> Course:
        return Course(
            error=self._error,
            was_interrupted=self._stop.requested,
            failures=self._run.failures,
            has_reached=self._run.has_reached,
            is_past_deadline=self._is_cut,
            undelivered=self._sender.tally.failed,
        )

    def _finish(self, outcome: Outcome, error: Mapping[str, Any] | None, finished_at: datetime) -> None:
        runs.finish(
            self._db,
            self._id,
            self._name,
            runs.End(
                outcome=outcome,
                at=finished_at,
                duration_ms=round((time.monotonic() - self._began) * 1000),
                delivered=self._sender.tally.delivered,
                undelivered=self._sender.tally.failed,
                error=error,
            ),
            self._limits,
        )


def pass_context(
    configured: ConfiguredPlugin,
    run_id: str,
    trace_id: str,
    now: datetime,
    client: Client,
    stop: Stop,
    held_until: Mapping[str, datetime],
    *,
    is_dry: bool = False,
) -> PassContext:
    """The pass as the plugin's hooks see it; a dry one has no ``window`` and so plans one round."""
    return PassContext(
        run_id=run_id,
        trace_id=trace_id,
        plugin=configured.name,
        now=now,
        settings=configured.settings,
        timezone=configured.limits.timezone,
        window=timedelta() if is_dry else configured.limits.window,
        is_dry=is_dry,
        client=client,
        stop=stop,
        effect_kinds=() if isinstance(configured.hooks, PluginError) else configured.hooks.plugin.poller.effects,
        holds=dict(held_until),
        core=configured.config.core,
    )
