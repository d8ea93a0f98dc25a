"""Telling people: each piece of news once to each recipient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl_stockx_ops import deliver
from pollctl_stockx_ops.model import BreakAccount, CompleteJob, Decision, SummariseDay
from pollctl_stockx_ops.store.recipients import addresses_of

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def tell_news(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Tell people of listings that went live, broken logins, and how a day went."""
    for decision in decisions:
        match decision:
            case CompleteJob(job=job, recipients=list(names)):
                key = f"listing_live:{job.id}:{job.attempt}"
                _tell(db, run, key, job.user_id, names, deliver.listing_live(decision, run))
            case BreakAccount(user_id=user, connection=connection, recipients=names):
                _tell(db, run, f"auth_failed:{user}:{connection}", user, names, deliver.auth_failed(decision, run))
            case SummariseDay(day=day):
                for user, counts in decision.summaries.items():
                    news = deliver.daily_summary(user, day, counts, run)
                    _tell(db, run, f"daily_summary:{user}:{day}", user, decision.recipients[user], news)


def _tell(db: Database, run: Run, key: str, user: str, names: Sequence[str], news: deliver.News) -> None:
    run.tell(key, news.title, news.body, to=addresses_of(db, user, names, run), level=news.level)
