"""Which check a message of the queue belongs to, and which messages are done with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pollctl import counted, to_text
from pollctl_toilet_gap.decide.events import quarantine
from pollctl_toilet_gap.decide.unread import is_watched
from pollctl_toilet_gap.model import (
    AddRecord,
    Batch,
    ClearMessages,
    DeadLetter,
    Decision,
    KeepEvent,
    ParsedMessage,
    PoisonMessage,
    Replay,
    Settings,
    State,
    Subscriber,
)


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """Each message to its check, to the dead letters or to none; what is done with goes from the queue."""
    sorting = _Sorting(state.subscribers)
    yield from replays(batch, sorting, now)
    if not batch.messages and not batch.poison:
        return
    done = []
    for poison in batch.poison:
        is_ours = _is_ours(poison, sorting)
        watched = is_watched(poison, settings, is_ours=is_ours)
        is_left = settings.shared_queue and not is_ours
        if not is_left or (watched and poison.robot_id is not None and poison.subscription_id is None):
            yield DeadLetter(poison=poison, is_watched=watched, reason=poison.reason)
        if is_left:
            sorting.foreign += 1
        else:
            done.append(poison.receipt)
    for message in sorted(batch.messages, key=lambda message: (message.event.at, message.event.id)):
        subscriber = subscriber_of(message, sorting.subscribers)
        if subscriber is not None:
            yield from sort_message(message, subscriber, sorting, now, settings)
        sorting.foreign += subscriber is None
        if subscriber is not None or not settings.shared_queue:
            done.append(message.receipt)
    yield ClearMessages(
        receipts=[receipt for receipt in done if receipt is not None and receipt.handle],
        foreign=sorting.foreign,
        duplicates=sorting.duplicates,
        reason=f"done with {counted(len(done), 'message')}, {sorting.foreign} were not for us",
    )


def replays(batch: Batch, sorting: _Sorting, now: datetime) -> Iterator[Decision]:
    """Dead letters that were put back: done with, if there is a check that they belong to."""
    put_back = [message for message in batch.messages if message.letter is not None]
    if not put_back and not batch.unreplayed:
        return
    homeless = [one.letter for one in put_back if subscriber_of(one, sorting.subscribers) is None]
    failed = [*batch.unreplayed, *(letter for letter in homeless if letter is not None)]
    letters = [one.letter for one in put_back if one.letter is not None and one.letter not in failed]
    reason = f"put back by hand: {len(letters)} read, {len(failed)} not understood, or of no check"
    yield Replay(letters=letters, failed=failed, at=now, reason=reason)


class _Sorting:
    """Messages on their way to their checks: what was decided of those before them."""

    def __init__(self, subscribers: Iterable[Subscriber]) -> None:
        self.subscribers = list(subscribers)
        self.seen = {subscriber.check_id: set(subscriber.seen) for subscriber in self.subscribers}
        self.quarantined = {subscriber.check_id: set(subscriber.quarantined) for subscriber in self.subscribers}
        self.orders = {subscriber.check_id: subscriber.last_order for subscriber in self.subscribers}
        self.foreign = self.duplicates = 0


def _is_ours(poison: PoisonMessage, sorting: _Sorting) -> bool:
    return any(poison.subscription_id in subscriber.subscriptions for subscriber in sorting.subscribers)


def subscriber_of(message: ParsedMessage, subscribers: Sequence[Subscriber]) -> Subscriber | None:
    """The check that a message belongs to, by subscription, robot and event name.

    A crash may have lost the id of a subscription that was made. A check to which that may have happened takes what names
    its robot and event, whatever the subscription. Of several, the one in whose day it happened, else the latest.
    """
    wanted = [
        subscriber
        for subscriber in subscribers
        if (subscriber.robot_id, subscriber.event_name) == (message.robot_id, message.event_name)
        and (message.letter is not None or is_subscribed(message, subscriber))
    ]
    within = [subscriber for subscriber in wanted if subscriber.planned_at <= message.event.at < subscriber.ends_at]
    return max(within or wanted, key=lambda subscriber: subscriber.check_id, default=None)


def is_subscribed(message: ParsedMessage, subscriber: Subscriber) -> bool:
    """Whether a message comes by a subscription of a check, or may come by one whose id was lost."""
    is_lost = subscriber.is_uncertain and not subscriber.is_over
    return message.subscription_id in subscriber.subscriptions or is_lost


def sort_message(
    message: ParsedMessage, subscriber: Subscriber, sorting: _Sorting, now: datetime, settings: Settings
) -> Iterator[Decision]:
    """One message of ours: quarantined for good, a duplicate, too late for a check that is over, or kept for the fold."""
    event = message.event
    if event.id in sorting.seen[subscriber.check_id] or event.id in sorting.quarantined[subscriber.check_id]:
        sorting.duplicates += 1
        return
    if event.at > now + settings.future_skew:
        sorting.quarantined[subscriber.check_id].add(event.id)
        yield quarantine(event, message.robot_id, "queue", message.body, now, message.event_name)
        return
    sorting.seen[subscriber.check_id].add(event.id)
    if not subscriber.is_over:
        yield KeepEvent(
            check_id=subscriber.check_id, event=event, reason=f"a visit at {to_text(event.at)}, to be folded"
        )
        return
    sorting.orders[subscriber.check_id] += 1
    is_within = subscriber.planned_at <= event.at < subscriber.ends_at
    yield AddRecord(
        check_id=subscriber.check_id,
        order=sorting.orders[subscriber.check_id],
        name="EVENT_LATE" if is_within else "EVENT_OUTSIDE",
        at=event.at,
        event_id=event.id,
        phase="COMPLETE",
        reason="it came after the end of the check",
    )
