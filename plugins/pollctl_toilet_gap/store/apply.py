"""Writing what was decided, within the transaction of the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pollctl_toilet_gap.model import (
    COUNTED,
    AddRecord,
    ChangeTerms,
    ClearMessages,
    DeadLetter,
    Decision,
    EndCheck,
    Expire,
    KeepEvent,
    KeepWindow,
    MissDay,
    NotifyBlind,
    NotifyUndelivered,
    RaiseAlarm,
    Replay,
    Resubscribe,
    StartCheck,
)
from pollctl_toilet_gap.store import effects, letters, records, subscriptions
from pollctl_toilet_gap.store.days import miss_days, start_checks
from pollctl_toilet_gap.store.expiry import expire
from pollctl_toilet_gap.store.windows import change_terms, end_checks, keep_windows

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

_D = TypeVar("_D")


def apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write what was decided, one statement per kind of change, and queue the effects."""
    start_checks(db, _of(StartCheck, decisions), run)
    miss_days(db, _of(MissDay, decisions), run)
    records.keep_events(db, _of(KeepEvent, decisions))
    dead_letters = letters.add_dead_letters(db, _of(DeadLetter, decisions), run)
    letters.record_replays(db, _of(Replay, decisions), run)
    records.add_records(db, [one for one in decisions if isinstance(one, AddRecord | RaiseAlarm)], run)
    keep_windows(db, _of(KeepWindow, decisions))
    change_terms(db, _of(ChangeTerms, decisions), run)
    subscriptions.retry(db, [retried.subscription for retried in _of(Resubscribe, decisions)], run)
    end_checks(db, _of(EndCheck, decisions), run)
    effects.queue_alarms(_of(RaiseAlarm, decisions), run)
    records.log_late(db, _of(AddRecord, decisions), run)
    effects.tell_blind(db, _of(NotifyBlind, decisions), run)
    effects.tell_undelivered(db, _of(NotifyUndelivered, decisions), run)
    effects.tell_alarms(db, _of(RaiseAlarm, decisions), run)
    expire(db, _of(Expire, decisions))
    effects.queue_deletions(_of(ClearMessages, decisions), run)
    _count(decisions, dead_letters, run)


def _count(decisions: Sequence[Decision], dead_letters: int, run: Run) -> None:
    """All of the numbers, also those that are 0, so that a reader finds each of them in every pass."""
    numbers = Counter(dict.fromkeys((*COUNTED.values(), "messages", "foreign", "duplicates"), 0))
    for decision in decisions:
        if isinstance(decision, RaiseAlarm):
            numbers["alarms"] += 1
        elif isinstance(decision, AddRecord) and decision.name in COUNTED:
            numbers[COUNTED[decision.name]] += 1
        elif isinstance(decision, ClearMessages):
            numbers.update(messages=len(decision.receipts), foreign=decision.foreign, duplicates=decision.duplicates)
    run.count(dead_letters=dead_letters, **numbers)


def _of(kind: type[_D], decisions: Iterable[Any]) -> list[_D]:
    return [decision for decision in decisions if isinstance(decision, kind)]
