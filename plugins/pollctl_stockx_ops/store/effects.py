"""Telling people: each piece of news once to each recipient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl_stockx_ops import deliver
from pollctl_stockx_ops.model import BreakAccount, CompleteJob, Decision, ExpireAccount, FailJob, SummariseDay
from pollctl_stockx_ops.store.recipients import addresses_of

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def tell_news(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Tell people how jobs ended, of logins that do not work, and how a day went."""
    for decision in decisions:
        match decision:
            case CompleteJob(job=job, recipients=list(names), is_partial=True):
                key = f"job_partial:{job.id}:{job.attempt}"
                _tell(db, run, key, job.user_id, names, deliver.job_partial(decision, run))
            case CompleteJob(job=job, recipients=list(names)):
                key = f"listing_live:{job.id}:{job.attempt}"
                _tell(db, run, key, job.user_id, names, deliver.listing_live(decision, run))
            case FailJob(job=job, recipients=list(names)):
                key = f"job_failed:{job.id}:{job.attempt}"
                _tell(db, run, key, job.user_id, names, deliver.job_failed(decision, run))
            case BreakAccount(recipients=list(names)) | ExpireAccount(recipients=list(names)):
                key = f"auth_failed:{decision.user_id}:{decision.connection}"
                _tell(db, run, key, decision.user_id, names, deliver.auth_failed(decision, run))
            case SummariseDay(day=day):
                for user, names in decision.recipients.items():
                    news = deliver.daily_summary(user, day, decision.summaries[user], run)
                    _tell(db, run, f"daily_summary:{user}:{day}", user, names, news)


def _tell(db: Database, run: Run, key: str, user: str, names: Sequence[str], news: deliver.News) -> None:
    run.tell(key, news.title, news.body, to=addresses_of(db, user, names, run), level=news.level)
