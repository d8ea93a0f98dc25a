"""toilet_gap: an alarm when nothing has happened for two hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Effect, Poller, Run, hookimpl

if TYPE_CHECKING:
    import click
    from sqlite_utils import Database

    from pollctl import Section
    from pollctl_toilet_gap.model import Batch, Decision, Settings, State


@hookimpl
def pollctl_poller() -> Poller:
    """Name the static facts; see sample.toml for what the defaults mean."""
    from pollctl_toilet_gap import model

    return Poller(
        contract=1,
        summary="Has a resident been to the toilet? Raises an alarm when a whole gap passes without a visit.",
        settings=model.Settings,
        schedule="* * * * *",
        defaults={"backoff": "0s", "deadline": "50s"},
        migrations=_migrations,
        tables=["status_check"],
        batch=model.Batch,
        state=model.State,
        decision=model.Decision,
        effects={
            "subscribe": "idempotent",
            "unsubscribe": "idempotent",
            "delete_messages": "idempotent",
            "alarm": "look",
        },
        tireless=["alarm"],
    )


@hookimpl
def pollctl_fetch(run: Run, db: Database) -> Iterator[Batch]:
    """Begin the days that are due, drain the queue, and read the history of the checks that need it."""
    from pollctl_toilet_gap import fetch, queries

    if run.is_dry:
        run.note(queries.nothing_due(db))
    return fetch.batches(run, db)


@hookimpl
def pollctl_load(db: Database, batch: Batch) -> State:
    """Read the checks and subscriptions of one batch, and which of its events are recorded already."""
    from pollctl_toilet_gap.store.load import load

    return load(db, batch)


@hookimpl
def pollctl_decide(state: State, batch: Batch, now: datetime, settings: Settings) -> Sequence[Decision]:
    """Sort the messages, begin the days, and fold what was seen into the windows of each check."""
    from pollctl_toilet_gap import decide

    return decide.decide(state, batch, now, settings)


@hookimpl
def pollctl_apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write checks, windows and records, and queue alarms, subscriptions and deletions."""
    from pollctl_toilet_gap.store.apply import apply

    apply(db, decisions, run)


@hookimpl
def pollctl_deliver(effect: Effect, run: Run) -> Any:
    """Post one alarm, make or end one subscription, or delete ten messages."""
    from pollctl_toilet_gap import deliver

    return deliver.deliver(effect, run)


@hookimpl
def pollctl_settle(db: Database, effect: Effect, result: Any, run: Run) -> None:
    """Record what became of an alarm or a subscription."""
    from pollctl_toilet_gap.store.settle import settle

    settle(db, effect, result, run)


@hookimpl
def pollctl_commands(group: click.Group) -> None:
    """Add ``monitors``, ``checks``, ``records``, ``timeline``, ``dead-letters``, ``seed-template`` and ``close``."""
    from pollctl_toilet_gap import commands

    commands.add_to(group)


@hookimpl
def pollctl_metrics(db: Database) -> Sequence[Any]:
    """Answer windows ended by a visit, alarms, late events, dead letters, and checks by result."""
    from pollctl_toilet_gap import metrics

    return metrics.families(db)


@hookimpl
def pollctl_report(db: Database, now: datetime, since: datetime) -> Sequence[Section]:
    """Show the day of each monitor: visits, windows, silence, alarms."""
    from pollctl_toilet_gap import report

    return report.sections(db, now, since)


@hookimpl
def pollctl_private() -> Mapping[str, Mapping[str, bool]]:
    """Call private: settings of checks and messages that could not be read."""
    from pollctl_toilet_gap import report

    return report.PRIVACY


@hookimpl
def pollctl_queries() -> Mapping[str, tuple[str, str]]:
    """Name days, windows, unreadable, records-of-day."""
    from pollctl_toilet_gap import report

    return report.QUERIES


@hookimpl
def pollctl_status(db: Database, now: datetime) -> str:
    """Name alarms that did not go out, checks that are blind, and events that cannot be read."""
    from pollctl_toilet_gap import queries

    return queries.notice(db, now)


@hookimpl
def pollctl_check(settings: Settings) -> Sequence[str]:
    """Warn where an alarm rests on a queue of which nobody can say that it was read to its end."""
    if settings.replay_required or not settings.shared_queue:
        return []
    what = "two receives that bring nothing count as its end, although messages may be in flight"
    return [f"shared_queue with replay_required = false: {what}"]


def _migrations() -> Any:
    from pollctl_toilet_gap.migrations import migrations

    return migrations
