"""stockx_ops: every operation on the marketplace followed to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Poller, Run, hookimpl

if TYPE_CHECKING:
    import click
    from sqlite_utils import Database

    from pollctl import Section
    from pollctl_stockx_ops.model import Batch, Decision, Settings, State


@hookimpl
def pollctl_poller() -> Poller:
    """Name the static facts; see sample.toml for what the defaults mean."""
    from pollctl_stockx_ops import model

    return Poller(
        contract=1,
        summary="Follows asynchronous StockX operations to their end: jobs, listings and their history.",
        settings=model.Settings,
        schedule="* * * * *",
        defaults={"window": "50s", "deadline": "58s"},
        migrations=_migrations,
        tables=["stockx_"],
        batch=model.Batch,
        state=model.State,
        decision=model.Decision,
    )


@hookimpl
def pollctl_fetch(run: Run, db: Database) -> Iterator[Batch]:
    """Ask about the operations that are due."""
    from pollctl_stockx_ops import queries
    from pollctl_stockx_ops.fetch.rounds import batches

    if run.is_dry:
        run.note(queries.nothing_due(db))
    return batches(run, db)


@hookimpl
def pollctl_load(db: Database, batch: Batch, run: Run) -> State:
    """Read the jobs and accounts of one batch."""
    from pollctl_stockx_ops.store.load import load

    return load(db, batch, run)


@hookimpl
def pollctl_decide(state: State, batch: Batch, now: datetime, settings: Settings) -> Sequence[Decision]:
    """Judge what the upstream answered about each job."""
    from pollctl_stockx_ops import decide

    return decide.decide(state, batch, now, settings)


@hookimpl
def pollctl_apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write jobs, listings, history and logins, and queue the notifications."""
    from pollctl_stockx_ops.store.apply import apply

    apply(db, decisions, run)


@hookimpl
def pollctl_commands(group: click.Group) -> None:
    """Add ``account``, ``track``, ``jobs``, ``retry``, ``listings``, ``history`` and ``stats``."""
    from pollctl_stockx_ops import commands

    commands.add_to(group)


@hookimpl
def pollctl_metrics(db: Database, now: datetime) -> Sequence[Any]:
    """Answer jobs, listings and accounts by status, and the age of the oldest open job."""
    from pollctl_stockx_ops import metrics

    return metrics.families(db, now)


@hookimpl
def pollctl_report(db: Database, now: datetime, since: datetime) -> Sequence[Section]:
    """Show accounts and what became of the latest operations."""
    from pollctl_stockx_ops import report

    return report.sections(db, now, since)


@hookimpl
def pollctl_private() -> Mapping[str, Mapping[str, bool]]:
    """Call private: logins of users, what their operations say, and addresses of people."""
    from pollctl_stockx_ops import report

    return report.PRIVACY


@hookimpl
def pollctl_queries() -> Mapping[str, tuple[str, str]]:
    """Name open, failed, accounts, history-of-listing."""
    from pollctl_stockx_ops import report

    return report.QUERIES


@hookimpl
def pollctl_check(db: Database, now: datetime) -> Sequence[str]:
    """Say how many jobs wait that nobody asks after, and which accounts do not work."""
    from pollctl_stockx_ops import queries

    return queries.unasked(db, now)


def _migrations() -> Any:
    from pollctl_stockx_ops.migrations import migrations

    return migrations
