"""All values that travel from fetch through decide to the database, at one door.

See settings.py, brought.py, rows.py and decisions.py.
"""

from __future__ import annotations

from datetime import datetime

from pollctl import to_text
from pollctl_toilet_gap.brought import (
    Batch,
    Day,
    Event,
    History,
    Letter,
    Poison,
    Receipt,
    Source,
    Turn,
    Unposted,
)
from pollctl_toilet_gap.decisions import (
    COUNTED,
    AddRecord,
    Bury,
    ChangeTerms,
    ClearMessages,
    Decision,
    EndCheck,
    KeepEvent,
    KeepWindow,
    MissDay,
    RaiseAlarm,
    RecordName,
    Resubscribe,
    StartCheck,
    TellBlind,
    TellUnposted,
)
from pollctl_toilet_gap.rows import (
    Check,
    CheckResult,
    Home,
    OpenedBy,
    Phase,
    State,
)
from pollctl_toilet_gap.settings import Monitor, Settings, Terms

__all__ = [
    "COUNTED",
    "AddRecord",
    "Batch",
    "Bury",
    "ChangeTerms",
    "Check",
    "CheckResult",
    "ClearMessages",
    "Day",
    "Decision",
    "EndCheck",
    "Event",
    "History",
    "Home",
    "KeepEvent",
    "KeepWindow",
    "Letter",
    "MissDay",
    "Monitor",
    "OpenedBy",
    "Phase",
    "Poison",
    "RaiseAlarm",
    "Receipt",
    "RecordName",
    "Resubscribe",
    "Settings",
    "Source",
    "StartCheck",
    "State",
    "TellBlind",
    "TellUnposted",
    "Terms",
    "Turn",
    "Unposted",
    "quarantine",
    "reference_id",
]


def reference_id(check_id: int, since: datetime) -> str:
    """How the upstream knows the alarm of one window: check id, then ``since`` in UTC with milliseconds."""
    return f"{check_id}-{to_text(since)}"


def quarantine(event: Event, robot_id: str, source: Source, body: str, now: datetime) -> Bury:
    """An event that is too far ahead is not believed, now or later."""
    poison = Poison(
        source=source,
        key=f"future:{robot_id}:{event.id}",
        reason=f"its time {to_text(event.at)} was ahead of {to_text(now)}",
        body=body,
        robot_id=robot_id,
        event_id=event.id,
    )
    return Bury(poison=poison, reason=poison.reason)
