"""What was decided, written to the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pollctl_soc_sections.model import (
    CloseSection,
    CountMisses,
    EndNotification,
    FanOut,
    FanOutCourse,
    HoldUpstream,
    KeepAnswer,
    KeepCatalogue,
    OpenEvent,
    PrunePolls,
    RecordPoll,
    Release,
    RollOver,
    Spare,
    StoreCatalogue,
    StoreStates,
    TellOperators,
)
from pollctl_soc_sections.store import catalogues, notifications, polls, sections, subscriptions

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

_WRITERS: Sequence[tuple[type, Callable[[Database, Any, Run], None]]] = (
    (HoldUpstream, polls.hold),
    (RecordPoll, polls.record),
    (KeepAnswer, polls.keep_answers),
    (TellOperators, polls.tell_operators),
    (StoreCatalogue, catalogues.store),
    (KeepCatalogue, catalogues.keep),
    (StoreStates, sections.store_states),
    (CountMisses, sections.count_misses),
    (CloseSection, sections.close_sections),
    (OpenEvent, sections.open_sections),
    (FanOut, notifications.add_notifications),
    (FanOutCourse, notifications.add_course_notifications),
    (Spare, notifications.spare),
    (Release, notifications.release),
    (EndNotification, notifications.end),
    (RollOver, subscriptions.roll_over),
    (PrunePolls, polls.prune),
)


def apply(db: Database, decisions: Sequence[Any], run: Run) -> None:
    """Write what was decided, each kind at once, in the order in which they depend on each other."""
    by_kind: defaultdict[type, list[Any]] = defaultdict(list)
    for decision in decisions:
        by_kind[type(decision)].append(decision)
    for kind, write in _WRITERS:
        if by_kind[kind]:
            write(db, by_kind[kind], run)
