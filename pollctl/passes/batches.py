"""The batches of a pass: each is loaded, decided and applied in a transaction of its own, and recorded with what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from pollctl.errors import DatabaseError, PluginError, PollctlError
from pollctl.passes.report import recorded
from pollctl.store import database, holds, runs

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.config.schema import PluginConfig
    from pollctl.delivery.outbox import Outbox
    from pollctl.passes.context import PassContext
    from pollctl.passes.events import PassEvents
    from pollctl.plugin_host.hooks import Hooks

_END = object()


class Batches:
    """What one pass commits.

    Args:
        db: the database, to write.
        run: the pass as the plugin sees it.
        limits: whether batches are recorded.
        outbox: of the plugin.
        events: who hears of each batch.

    Attributes:
        error: what the last bad batch, or the end of them, was about.
        known: effects that were not queued, as their keys were known already.
    """

    def __init__(
        self, db: Database, run: PassContext, limits: PluginConfig, outbox: Outbox, events: PassEvents
    ) -> None:
        self.error: PollctlError | None = None
        self.known = 0
        self._db = db
        self._run = run
        self._record_mode = limits.record
        self._outbox = outbox
        self._events = events
        self._seq = 0

    def commit_all(self, hooks: Hooks, reader: Database) -> None:
        """Commit batch after batch; a bad batch does not stop the next, a database that cannot be written does."""
        with closing(hooks.batches(self._run, reader)) as batches:
            while not isinstance(self.error, DatabaseError):
                try:
                    batch = next(batches, _END)
                except PollctlError as error:
                    self.error = error
                    return
                if batch is _END:
                    return
                try:
                    self._commit(hooks, batch)
                except PollctlError as error:
                    self.error = error

    def _commit(self, hooks: Hooks, batch: Any) -> None:
        """Load, decide and apply one batch in one transaction, with its effects and the run's counters."""
        self._seq += 1
        state: Any = None
        try:
            with database.writing(self._db):
                state = hooks.load(self._run, self._db, batch)
                decisions = hooks.decide(state, batch, self._run.now, self._run.settings, self._run)
                hooks.apply(self._run, self._db, decisions)
                counters = self.flush(batches=1, decisions=len(decisions))
                self._run.revalidation.keep(self._db, self._run.now)
                if self._record_mode == "all":
                    self._record(state, batch, decisions)
            self._events.applied(self._seq, counters)
        except PollctlError as error:
            self._run.drain()
            self._run.revalidation.drop()
            self._events.batch_failed(self._seq, error)
            if self._record_mode != "off" and not isinstance(error, DatabaseError):
                with (
                    suppress(PluginError),
                    database.writing(self._db),
                ):  # what cannot be recorded must not hide the error
                    self._record(state, batch, None)
            raise

    def flush(self, *, batches: int = 0, decisions: int = 0) -> runs.Counters:
        """Write what the hooks left in the run, and count it, within the transaction that is open."""
        effects, held_until, stats = self._run.drain()
        queued = self._outbox.queue(self._run.id, effects, self._run.now)
        holds.keep(self._db, self._run.plugin, held_until, self._run.now)
        known = len(effects) - queued
        if known:
            self.known += known
            self._events.known_otherwise(self._outbox.known_otherwise(effects))
        counters = runs.Counters(batches, decisions, queued, stats)
        runs.add(self._db, self._run.id, counters)
        return counters

    def _record(self, state: Any, batch: Any, decisions: Sequence[Any] | None) -> None:
        runs.record(
            self._db,
            self._run.id,
            self._seq,
            self._run.now,
            settings=recorded(self._run.settings),
            state=recorded(state),
            batch=recorded(batch),
            decisions=None if decisions is None else recorded(decisions),
        )
