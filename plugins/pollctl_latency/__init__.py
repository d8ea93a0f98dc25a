"""latency: is a connection good, measured over hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Answer, Effect, Poller, Request, Run, hookimpl

if TYPE_CHECKING:
    import click
    from sqlite_utils import Database

    from pollctl import Section
    from pollctl_latency.model import Decision, Round, Settings, State


@hookimpl
def pollctl_poller() -> Poller:
    """Name the static facts; see sample.toml for what the defaults mean."""
    from pollctl_latency import model

    return Poller(
        contract=1,
        summary="Is a connection good? Samples targets for hours and gives a verdict.",
        settings=model.Settings,
        schedule="* * * * *",
        defaults={"window": "55s", "deadline": "58s", "backoff": "0s"},
        migrations=_migrations,
        batch=model.Round,
        state=model.State,
        decision=model.Decision,
        effects=dict.fromkeys(("mirror", "mirror_claim", "mirror_end", "mirror_ping"), "idempotent"),
        tireless=["mirror", "mirror_claim", "mirror_end", "mirror_ping"],
    )


@hookimpl
def pollctl_fetch(run: Run, db: Database) -> Iterator[Round]:
    """Probe what is due, round by round."""
    from pollctl_latency import queries
    from pollctl_latency.fetch.rounds import rounds

    if run.is_dry:
        run.note(queries.nothing_due(db))
    return rounds(run, db)


@hookimpl
def pollctl_load(db: Database, batch: Round) -> State:
    """Read the jobs of one round with what went before."""
    from pollctl_latency.store.load import load

    return load(db, batch)


@hookimpl
def pollctl_decide(state: State, batch: Round, now: datetime, settings: Settings) -> Sequence[Decision]:
    """Turn measurements into samples, alerts and verdicts."""
    from pollctl_latency import decide

    return decide.decide(state, batch, now, settings)


@hookimpl
def pollctl_apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write the decisions and queue the notifications."""
    from pollctl_latency.store.apply import apply

    apply(db, decisions, run)


@hookimpl
def pollctl_deliver(effect: Effect, run: Run) -> Any:
    """Send samples of a job kept elsewhere, its end, its latest probe, or a claim."""
    from pollctl_latency.deliver import mirror

    return mirror.deliver(effect, run)


@hookimpl
def pollctl_settle(db: Database, effect: Effect, result: Any, run: Run) -> None:
    """Move on by what was taken there, and queue what comes next."""
    from pollctl_latency.store.mirror.settle import settle

    settle(db, effect, result, run)


@hookimpl
def pollctl_commands(group: click.Group) -> None:
    """Add ``add``, ``jobs``, ``show``, ``samples``, ``alerts`` and ``cancel``."""
    from pollctl_latency import commands

    commands.add_to(group)


@hookimpl
def pollctl_metrics(db: Database, now: datetime) -> Sequence[Any]:
    """Answer samples, last rtt, loss, jobs and stale jobs."""
    from pollctl_latency import metrics

    return metrics.families(db, now)


@hookimpl
def pollctl_report(db: Database, now: datetime, since: datetime) -> Sequence[Section]:
    """Show running jobs with their series, all jobs, alerts."""
    from pollctl_latency import report

    return report.sections(db, now, since)


@hookimpl
def pollctl_private() -> Mapping[str, Mapping[str, bool]]:
    """Call private: logins of targets and addresses of people."""
    from pollctl_latency import report

    return report.PRIVACY


@hookimpl
def pollctl_queries() -> Mapping[str, tuple[str, str]]:
    """Name jobs, alerts, hours-of-job."""
    from pollctl_latency import report

    return report.QUERIES


@hookimpl
def pollctl_status(db: Database, now: datetime) -> str:
    """Name the stale jobs, and what waits for the other side."""
    from pollctl_latency import queries

    return queries.notice(db, now)


@hookimpl
def pollctl_check(db: Database, settings: Settings, now: datetime, send: Callable[[Request], Answer]) -> Sequence[str]:
    """Name the jobs that nobody samples, and what is missing where jobs are kept elsewhere."""
    from pollctl_latency import queries
    from pollctl_latency.client.postgrest import missing

    return [*queries.unsampled(db, settings, now), *missing(settings, send)]


def _migrations() -> Any:
    from pollctl_latency.migrations import migrations

    return migrations
