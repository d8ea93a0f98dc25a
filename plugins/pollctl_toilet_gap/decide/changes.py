"""Settings that change in the middle of a day."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from pollctl import to_text
from pollctl_toilet_gap.decide.context import Context
from pollctl_toilet_gap.decide.endings import ended
from pollctl_toilet_gap.decide.fold import Folded
from pollctl_toilet_gap.model import AddRecord, ChangeTerms, Check, Decision, DueCheck, Terms


def new_terms(folded: Folded, due: DueCheck, context: Context) -> Terms | None:
    """The terms of a check whose settings changed; None if they did not, or what is over must be judged first."""
    check, monitor = folded.check, context.settings.by_name.get(folded.check.monitor)
    if monitor is None or folded.is_blocked or ended(folded, context):
        return None
    terms = check.terms.updated(monitor.terms)
    return None if (terms, due.ends_at) == (check.terms, check.ends_at) else terms


def change(check: Check, terms: Terms, ends_at: datetime, now: datetime) -> list[Decision]:
    """End, gap, grace, level and alarm hold at once; a new end needs a subscription until then."""
    changes = differences(check, terms, ends_at)
    renews = ends_at != check.ends_at and ends_at > now
    return [
        ChangeTerms(check_id=check.id, terms=terms, ends_at=ends_at, renews=renews, reason=changes),
        AddRecord(
            check_id=check.id,
            order=check.last_order + 1,
            name="CONFIG_CHANGED",
            at=now,
            phase=check.phase,
            result=changes,
            reason="the settings changed",
        ),
    ]


def differences(check: Check, terms: Terms, ends_at: datetime) -> str:
    """What changed, as text."""
    before, after = check.terms, terms
    compared = (
        ("gap", before.gap, after.gap),
        ("B", to_text(check.ends_at), to_text(ends_at)),
        ("end", before.end, after.end),
        ("grace", before.grace, after.grace),
        ("level", before.level, after.level),
        ("alarm", before.alarm, after.alarm),
    )
    return ", ".join(f"{name} {old} -> {new}" for name, old, new in compared if old != new)


def changed(check: Check, terms: Terms, ends_at: datetime) -> Check:
    """A check after ``change``."""
    return replace(check, terms=terms, ends_at=ends_at, last_order=check.last_order + 1)
