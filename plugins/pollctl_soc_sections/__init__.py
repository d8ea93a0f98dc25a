"""soc_sections: tell me when my class opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Drop, Effect, Poller, Run, hookimpl

if TYPE_CHECKING:
    import click
    from sqlite_utils import Database

    from pollctl import Section
    from pollctl_soc_sections.model import Batch, Decision, Settings, State


@hookimpl
def pollctl_poller() -> Poller:
    """The static facts; see sample.toml for what the defaults mean."""
    from pollctl_soc_sections import model

    return Poller(
        contract=1,
        summary="Notifies subscribers when a closed section of the Rutgers Schedule of Classes opens.",
        settings=model.Settings,
        schedule="* * * * *",
        defaults={"timezone": "America/New_York", "backoff_max": "5m"},
        migrations=_migrations,
        tables=["soc_"],
        batch=model.Batch,
        state=model.State,
        decision=model.Decision,
    )


@hookimpl
def pollctl_fetch(run: Run, db: Database) -> Iterator[Batch]:
    """Request the open sections of each term and campus, and catalogues that have had their time."""
    from pollctl_soc_sections import fetch

    return fetch.batches(run, db)


@hookimpl
def pollctl_load(db: Database, batch: Batch, run: Run) -> State:
    """Read what is known of one term and campus."""
    from pollctl_soc_sections import store

    return store.load(db, batch, run)


@hookimpl
def pollctl_decide(state: State, batch: Batch, now: datetime, settings: Settings) -> Sequence[Decision]:
    """Judge an answer, and turn it into openings, closings and notifications."""
    from pollctl_soc_sections import decide

    return decide.decide(state, batch, now, settings)


@hookimpl
def pollctl_apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write the decisions and queue the notifications."""
    from pollctl_soc_sections import store

    store.apply(db, decisions, run)


@hookimpl
def pollctl_tell(db: Database, effect: Effect, run: Run) -> Drop | None:
    """See whether the section closed meanwhile, and whether the subscriber may be disturbed now."""
    from pollctl_soc_sections import store

    return store.last_look(db, effect, run)


@hookimpl
def pollctl_settle(db: Database, effect: Effect, result: str | None, run: Run) -> None:
    """Record that a subscriber was notified, or that the notification was deferred, expired or given up."""
    from pollctl_soc_sections import store

    store.settle(db, effect, result, run)


@hookimpl
def pollctl_commands(group: click.Group) -> None:
    """Add the commands for subscriptions, sections, events, polls and the catalogue."""
    from pollctl_soc_sections import commands

    commands.add_to(group)


@hookimpl
def pollctl_metrics(db: Database) -> Sequence[Any]:
    """Polls, failures, suspects, events, notifications, open sections, and how long answers have been held."""
    from pollctl_soc_sections import metrics

    return metrics.families(db)


@hookimpl
def pollctl_report(db: Database, now: datetime, since: datetime) -> Sequence[Section]:
    """Show campuses, when the most wanted classes were open, the latest events."""
    from pollctl_soc_sections import report

    return report.sections(db, now, since)


@hookimpl
def pollctl_private() -> Mapping[str, Mapping[str, bool]]:
    """Call private: contacts of subscribers and what is sent to them."""
    from pollctl_soc_sections import report

    return report.PRIVACY


@hookimpl
def pollctl_queries() -> Mapping[str, tuple[str, str]]:
    """Name events, campuses, wanted, polls-of-campus."""
    from pollctl_soc_sections import report

    return report.QUERIES


@hookimpl
def pollctl_status(db: Database, settings: Settings, now: datetime, is_enabled: bool) -> str:  # noqa: FBT001 - pluggy passes names
    """Name what cannot be believed, and count the subscriptions that nobody polls."""
    from pollctl_soc_sections import queries

    return queries.notice(db, settings.polled(now) if is_enabled else [])


@hookimpl
def pollctl_check(db: Database, settings: Settings, now: datetime, is_enabled: bool) -> Sequence[str]:  # noqa: FBT001 - pluggy passes names
    """Name the terms and campuses with subscriptions that nobody polls, and subscriptions to what no catalogue has."""
    from pollctl_soc_sections import queries

    return [
        *queries.unpolled_lines(db, settings.polled(now), is_enabled=is_enabled),
        *queries.unknown_lines(db),
    ]


def _migrations() -> Any:
    from pollctl_soc_sections import migrations

    return migrations.migrations
