"""What becomes of the open checks: each is folded up to now, then it ends or goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from pollctl import to_text
from pollctl_toilet_gap.decide.changes import change, changed, new_terms
from pollctl_toilet_gap.decide.context import Context
from pollctl_toilet_gap.decide.endings import Ending, abandoned, end, ended, why_early
from pollctl_toilet_gap.decide.events import gather, set_outside
from pollctl_toilet_gap.decide.fold import Folded, fold
from pollctl_toilet_gap.decide.unread import name_unread
from pollctl_toilet_gap.model import (
    AddRecord,
    Batch,
    Check,
    Decision,
    DueCheck,
    Event,
    History,
    KeepWindow,
    NotifyBlind,
    RaiseAlarm,
    Resubscribe,
    Settings,
    State,
)

NOTIFY_AFTER = 3
"""Passes in a row without a history before people are notified."""
WAITING_PASSES = 3
WAITING_TIME = timedelta(minutes=5)
"""How long a verdict waits where the settings do not require the history and the queue was not read to its end either."""


class Judgement(NamedTuple):
    """What becomes of one check; *is_blocked*: not more, because the history is needed."""

    decisions: list[Decision]
    is_blocked: bool = False


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """What becomes of the open checks of one batch."""
    decisions: list[Decision] = []
    heard = {one.check_id: one for one in batch.heard}
    context = Context(now, settings, batch.is_drained, batch.has_judged, batch.unread_queue, heard, state.known_letters)
    histories = {history.check_id: history for history in batch.histories}
    for due in batch.due:
        check = state.checks.get(due.check_id)
        if check is not None:
            decisions += judge(check, due, histories.get(check.id), context).decisions
    return decisions


def needs_history(check: Check, due: DueCheck, now: datetime, settings: Settings) -> bool:
    """Whether an alarm would come: then the history is read first."""
    return judge(check, due, None, Context(now, settings)).is_blocked


def judge(check: Check, due: DueCheck, history: History | None, context: Context) -> Judgement:
    """What becomes of one open check, given what is known of it now: fold up to now, then see whether it ends."""
    if check.phase == "SETUP":
        return Judgement(set_up(check, context))
    events, decisions = gather(check, history, context)
    inside, outside = set_outside(check)
    is_checked = is_covered(check, history, context) or is_overdue(check, history, context)
    folded = fold_up_to_now(inside, due, events, context, is_checked=is_checked)
    decisions += [*outside, *(name_unread(one, check, history, context) for one in folded.decisions)]
    ending = ended(folded, context) or abandoned(folded, history, context)
    if ending is None:
        decisions += go_on(check, folded, history, context)
        return Judgement(decisions, folded.is_blocked)
    recorded = {decision.event_id for decision in decisions if isinstance(decision, AddRecord)}
    left = [event for event in check.pending if event.id not in recorded]
    decisions += end(folded.check, ending, left, context.now)
    return Judgement(decisions, folded.is_blocked)


def fold_up_to_now(
    check: Check, due: DueCheck, events: Sequence[Event], context: Context, *, is_checked: bool
) -> Folded:
    """Fold by the terms that the check has; where the settings changed, go on by the new ones."""
    now = context.now
    visits = [event for event in events if check.has_within(event) and event.at <= now]
    folded = fold(check, visits, now, is_checked=is_checked)
    terms = new_terms(folded, due, context)
    if terms is None:
        return folded
    left = [event for event in visits[folded.used :] if event.at < due.ends_at]
    after = fold(changed(folded.check, terms, due.ends_at), left, now, is_checked=is_checked)
    changes = change(folded.check, terms, due.ends_at, now)
    return after._replace(decisions=[*folded.decisions, *changes, *after.decisions])


def raises_alarm(check: Check, due: DueCheck, history: History, context: Context) -> bool:
    """Whether an alarm would come, as far as can be seen before all is loaded."""
    return any(isinstance(one, RaiseAlarm) for one in judge(check, due, history, context).decisions)


def is_covered(check: Check, history: History | None, context: Context) -> bool:
    """Whether what is known of a check was held against the history; or, if that is allowed, the whole queue was read."""
    if history is not None and not history.error and history.since <= check.since:
        return True
    return not context.settings.replay_required and context.is_drained


def is_overdue(check: Check, history: History | None, context: Context) -> bool:
    """Whether an alarm has waited long enough for what cannot be read; it then names that."""
    if context.settings.replay_required or history is None or check.unjudged_since is None:
        return False
    return check.unjudged >= WAITING_PASSES or context.now - check.unjudged_since >= WAITING_TIME


def set_up(check: Check, context: Context) -> list[Decision]:
    """A check without a subscription: nothing is observed yet, so nothing is judged."""
    if context.now >= check.ends_at:
        ending = Ending("FAILED", check.ends_at, "never subscribed until the end of the day")
        return end(check, ending, check.pending, context.now)
    if why := why_early(check, context):
        return end(check, Ending("FAILED", context.now, f"never subscribed, and {why}"), check.pending, context.now)
    if check.failed_subscription is None:
        return []
    after = with_pass(check, context.now, is_judged=False)
    error = check.subscription_error
    retry = Resubscribe(check_id=check.id, subscription=check.failed_subscription, reason=f"not subscribed: {error}")
    return [keep_window(after), *notify_blind(after, f"could not subscribe: {error}", context), retry]


def go_on(begun: Check, folded: Folded, history: History | None, context: Context) -> Iterator[Decision]:
    """The window that is watched from now on, and whether people are notified that it cannot be judged."""
    error = history.error if history else ""
    after = with_pass(folded.check, context.now, is_judged=not (error or folded.is_blocked))
    if _window(after) != _window(begun):
        yield keep_window(after)
    yield from notify_blind(after, f"could not read its history: {error}", context)
    if after.failed_subscription is not None:
        reason = f"not subscribed until the new end: {after.subscription_error}"
        yield Resubscribe(check_id=after.id, subscription=after.failed_subscription, reason=reason)


def with_pass(check: Check, now: datetime, *, is_judged: bool) -> Check:
    """A check with one more pass that could not judge it, or with none any more."""
    if is_judged:
        return replace(check, unjudged=0, unjudged_since=None)
    return replace(check, unjudged=check.unjudged + 1, unjudged_since=check.unjudged_since or now)


def keep_window(check: Check) -> KeepWindow:
    """The window of a check as it is to be kept."""
    reason = f"watched from {to_text(check.since)} to {to_text(check.until)}"
    return KeepWindow(
        check_id=check.id,
        since=check.since,
        until=check.until,
        opened_by=check.opened_by,
        unjudged=check.unjudged,
        unjudged_since=check.unjudged_since,
        reason=f"{reason}, not judged" if check.unjudged else reason,
    )


def notify_blind(check: Check, what: str, context: Context) -> Iterator[NotifyBlind]:
    """Notify of a check that passes in a row could not judge; when they could judge no check, pollctl itself notifies."""
    if check.unjudged_since is not None and check.unjudged >= NOTIFY_AFTER and context.has_judged:
        reason = f"{check.unjudged} passes in a row {what}"
        yield NotifyBlind(check_id=check.id, monitor=check.monitor, since=check.unjudged_since, reason=reason)


def _window(check: Check) -> tuple[object, ...]:
    return check.since, check.until, check.opened_by, check.unjudged, check.unjudged_since
