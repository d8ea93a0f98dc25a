"""shell_query: SQL run in Marketing Cloud, and followed to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Effect, Poller, Run, hookimpl

if TYPE_CHECKING:
    import click
    from sqlite_utils import Database

    from pollctl import Section
    from pollctl_shell_query.model import Batch, Decision, Settings, State


@hookimpl
def pollctl_poller() -> Poller:
    """Give the static facts; see sample.toml for what the defaults mean."""
    from pollctl_shell_query import model

    return Poller(
        contract=1,
        summary="Runs SQL in Salesforce Marketing Cloud and knows when it is done.",
        settings=model.Settings,
        schedule="* * * * *",
        defaults={"window": "50s", "deadline": "58s", "backoff_max": "2m"},
        migrations=_migrations,
        batch=model.Batch,
        state=model.State,
        decision=model.Decision,
        effects={"start": "look", "delete_definition": "idempotent", "delete_target": "idempotent"},
    )


@hookimpl
def pollctl_fetch(run: Run, db: Database) -> Iterator[Batch]:
    """Ask about the runs that are due, round by round."""
    from pollctl_shell_query import fetch, queries

    if run.is_dry:
        run.note(queries.nothing_due(db))
    return fetch.batches(run, db)


@hookimpl
def pollctl_load(db: Database, batch: Batch, run: Run) -> State:
    """Read the runs of one batch."""
    from pollctl_shell_query.store.load import load

    return load(db, batch, run)


@hookimpl
def pollctl_decide(state: State, batch: Batch, now: datetime, settings: Settings) -> Sequence[Decision]:
    """Judge what the upstream answered about each run."""
    from pollctl_shell_query.decide import decide

    return decide(state, batch, now, settings)


@hookimpl
def pollctl_apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write runs, poll state and token, and queue what is to be done upstream."""
    from pollctl_shell_query.store.apply import apply

    apply(db, decisions, run)


@hookimpl
def pollctl_deliver(effect: Effect, run: Run) -> Any:
    """Start one run, or delete what one left behind."""
    from pollctl_shell_query import deliver

    return deliver.deliver(effect, run)


@hookimpl
def pollctl_settle(db: Database, effect: Effect, result: Any, run: Run) -> None:
    """Record the start of a run."""
    from pollctl_shell_query.store.settle import settle

    settle(db, effect, result, run)


@hookimpl
def pollctl_commands(group: click.Group) -> None:
    """Add ``submit``, ``runs``, ``show``, ``cancel``, ``wait``, ``results`` and ``validate``."""
    from pollctl_shell_query import commands

    commands.add_to(group)


@hookimpl
def pollctl_metrics(db: Database, now: datetime) -> Sequence[Any]:
    """Give runs by status, what polls came to, and how long runs took."""
    from pollctl_shell_query import metrics

    return metrics.families(db, now)


@hookimpl
def pollctl_report(db: Database, now: datetime, since: datetime) -> Sequence[Section]:
    """Show the latest queries from submission to end."""
    from pollctl_shell_query import report

    return report.sections(db, now, since)


@hookimpl
def pollctl_private() -> Mapping[str, Mapping[str, bool]]:
    """Call private: the texts of queries, the login of the installed package and addresses of people."""
    from pollctl_shell_query import report

    return report.PRIVACY


@hookimpl
def pollctl_queries() -> Mapping[str, tuple[str, str]]:
    """Name runs, open, durations."""
    from pollctl_shell_query import report

    return report.QUERIES


@hookimpl
def pollctl_check(db: Database, now: datetime) -> Sequence[str]:
    """Say how many runs are open that nobody asks after."""
    from pollctl_shell_query import queries

    return queries.unasked(db, now)


def _migrations() -> Any:
    from pollctl_shell_query.migrations import migrations

    return migrations
