"""Which check a message of the queue belongs to, and which messages are done with. As pure as decide.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pollctl import to_text
from pollctl_toilet_gap.model import (
    AddRecord,
    Batch,
    Bury,
    ClearMessages,
    Decision,
    Home,
    KeepEvent,
    Letter,
    Poison,
    Settings,
    State,
    quarantine,
)


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """Each message to its check, to the dead letters or to nobody; what is done with goes from the queue."""
    if not batch.letters and not batch.poison:
        return
    sorting = _Sorting(state.homes)
    done = []
    for poison in batch.poison:
        if settings.shared_queue and not _is_ours(poison, sorting):
            sorting.foreign += 1
            continue
        yield Bury(poison=poison, reason=poison.reason)
        done.append(poison.receipt)
    for letter in sorted(batch.letters, key=lambda letter: (letter.event.at, letter.event.id)):
        home = home_of(letter, sorting.homes)
        if home is not None:
            yield from sort_letter(letter, home, sorting, now, settings)
        sorting.foreign += home is None
        if home is not None or not settings.shared_queue:
            done.append(letter.receipt)
    yield ClearMessages(
        receipts=[receipt for receipt in done if receipt is not None],
        foreign=sorting.foreign,
        duplicates=sorting.duplicates,
        reason=f"{len(done)} messages are done with, {sorting.foreign} were not for us",
    )


class _Sorting:
    """Messages on their way to their checks: what was decided of those before them."""

    def __init__(self, homes: Iterable[Home]) -> None:
        self.homes = list(homes)
        self.known = {home.check_id: set(home.known) for home in self.homes}
        self.quarantined = {home.check_id: set(home.quarantined) for home in self.homes}
        self.orders = {home.check_id: home.last_order for home in self.homes}
        self.foreign = self.duplicates = 0


def _is_ours(poison: Poison, sorting: _Sorting) -> bool:
    return any(poison.subscription_id in home.subscriptions for home in sorting.homes)


def home_of(letter: Letter, homes: Sequence[Home]) -> Home | None:
    """The check that a message belongs to, by subscription, robot and event name.

    A crash may have lost the id of a subscription that was made. A check to which that may have happened takes what names
    its robot and event, whatever the subscription. Of several, the one in whose day it happened, else the latest.
    """
    wanted = [
        home
        for home in homes
        if (home.robot_id, home.event_name) == (letter.robot_id, letter.event_name)
        and (letter.subscription_id in home.subscriptions or (home.is_uncertain and not home.is_over))
    ]
    within = [home for home in wanted if home.planned_at <= letter.event.at < home.ends_at]
    return max(within or wanted, key=lambda home: home.check_id, default=None)


def sort_letter(letter: Letter, home: Home, sorting: _Sorting, now: datetime, settings: Settings) -> Iterator[Decision]:
    """One message of ours: quarantined for good, known already, too late for a check that is over, or kept for the fold."""
    event = letter.event
    if event.id in sorting.known[home.check_id] or event.id in sorting.quarantined[home.check_id]:
        sorting.duplicates += 1
        return
    if event.at > now + settings.future_skew:
        sorting.quarantined[home.check_id].add(event.id)
        yield quarantine(event, letter.robot_id, "queue", letter.body, now)
        return
    sorting.known[home.check_id].add(event.id)
    if not home.is_over:
        yield KeepEvent(check_id=home.check_id, event=event, reason=f"a visit at {to_text(event.at)}, to be folded")
        return
    sorting.orders[home.check_id] += 1
    is_within = home.planned_at <= event.at < home.ends_at
    yield AddRecord(
        check_id=home.check_id,
        order=sorting.orders[home.check_id],
        name="EVENT_LATE" if is_within else "EVENT_OUTSIDE",
        at=event.at,
        event_id=event.id,
        phase="COMPLETE",
        reason="it came after the end of the check",
    )
