"""Queueing notifications: one effect per recipient of one piece of news."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pollctl_stockx_ops.model import BreakAccount, CompleteJob, Decision, SummariseDay

if TYPE_CHECKING:
    from pollctl import Run


def queue_notifications(decisions: Sequence[Decision], run: Run) -> None:
    """Queue what people are to be notified of: listings that went live, broken logins, and how a day went."""
    for decision in decisions:
        match decision:
            case CompleteJob(recipients=list(recipients)):
                _listing_live(run, decision, recipients)
            case BreakAccount(user_id=user, connection=connection, recipients=recipients):
                _queue(run, "auth_failed", f"auth_failed:{user}:{connection}", {"user_id": user}, recipients)
            case SummariseDay():
                _daily_summary(run, decision)


def _listing_live(run: Run, done: CompleteJob, recipients: Sequence[str]) -> None:
    payload = {
        "user_id": done.job.user_id,
        "job_id": done.job.id,
        "listing_id": done.listing_id,
        "amount": done.change.ask_price if done.change else None,
        "currency_code": done.change.currency_code if done.change else None,
    }
    _queue(run, "listing_live", f"listing_live:{done.job.id}:{done.job.attempt}", payload, recipients)


def _daily_summary(run: Run, over: SummariseDay) -> None:
    for user, counts in over.summaries.items():
        payload = {"user_id": user, "day": over.day, **msgspec.to_builtins(counts)}
        _queue(run, "daily_summary", f"daily_summary:{user}:{over.day}", payload, over.recipients[user])


def _queue(run: Run, kind: str, key: str, payload: dict[str, Any], recipients: Sequence[str]) -> None:
    """Queue one effect per recipient, or one that only records that there was nobody to notify."""
    for name in recipients:
        run.effect(kind, f"{key}:{name}", {**payload, "recipient": name}, lane=f"recipient:{name}")
    if not recipients:
        run.effect(kind, key, {**payload, "recipient": None})
