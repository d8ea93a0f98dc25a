"""What listings, status and check say of targets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pollctl import counted, to_text
from pollctl.targets.rows import Known, Roll

if TYPE_CHECKING:
    from sqlite_utils import Database

_NAMED = 3
_MOST_EVENTS = 1000


def happened(db: Database, plugin: str, since: str) -> list[dict[str, Any]]:
    """What became of the targets of a plugin since a moment, the newest first."""
    return list(
        db.query(
            f"SELECT target, name, at, text FROM {plugin}_history JOIN {plugin}_targets AS t ON t.id = target "  # noqa: S608
            "WHERE at >= ? ORDER BY at DESC LIMIT ?",
            [since, _MOST_EVENTS],
        )
    )


def listed(one: Known[Any], now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """One target as a row of the listing."""
    row, at = one.row, one.next_at(now, zone) if one.is_active else None
    return {
        "name": one.title,
        "state": state_of(one),
        "every": str(one.target.every),
        "looked_at": row.looked_at if row else None,
        "changed_at": row.changed_at if row else None,
        "next_at": to_text(at) if at else None,
        "failures": row.failures if row else 0,
        "failing_since": row.failing_since if row else None,
        "error": row.error if row else None,
        "address": one.target.address,
        "origin": "added" if row and row.added is not None else "settings",
    }


def state_of(one: Known[Any]) -> str:
    """How a target stands, in a word."""
    if not one.target.enabled:
        return "disabled"
    if one.row and one.row.paused_at:
        return "paused"
    if one.row is None or one.row.looked_at is None:
        return "new"
    return "failing" if one.row.failures else "ok"


def notice(roll: Roll[Any]) -> str:
    """What a person should look at: which targets fail, and which cannot be read."""
    failing = [one.title for one in roll.known if one.row and one.is_active and one.row.failures]
    of = len(roll.known) + len(roll.broken)
    found = [_some(failing, of, "failing")] if failing else []
    found += [_some(list(roll.broken), of, "not valid any more")] if roll.broken else []
    return "; ".join(found)


def _some(titles: Sequence[str], of: int, what: str) -> str:
    named = ", ".join(titles[:_NAMED])
    more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
    return f"{len(titles)} of {counted(of, 'target')} {what}: {named}{more}"


def warnings(roll: Roll[Any]) -> list[str]:
    """Targets that were added and are not polled as they were meant."""
    found = [f"{title}: its keys are not valid any more: {broken.why}" for title, broken in roll.broken.items()]
    return found + [
        f"{row.name}: the target in the settings takes the place of the one that was added; `remove` takes that one away"
        for row in roll.shadowed
    ]
