"""The effects that a batch queues, and what the outbox knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl import address_digest, to_text
from pollctl_toilet_gap.client.sqs import AT_ONCE
from pollctl_toilet_gap.model import ClearMessages, NotifyBlind, NotifyUndelivered, RaiseAlarm

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def queue_alarms(alarms: Sequence[RaiseAlarm], run: Run) -> None:
    """One effect per alarm; those of one check go out in their order."""
    for alarm in alarms:
        payload = {
            "check_id": alarm.check_id,
            "robot_id": alarm.robot_id,
            "event_name": alarm.event_name,
            "level": alarm.level,
            "reference_id": alarm.reference_id,
            "since": to_text(alarm.since),
        }
        run.effect("alarm", f"alarm:{alarm.reference_id}", payload, lane=f"alarms:{alarm.check_id}")
        run.log(
            f"alarm robotId={alarm.robot_id} statusCheckId={alarm.check_id} windowSince={to_text(alarm.since)} "
            f"windowUntil={to_text(alarm.until)} alarmReferenceId={alarm.reference_id}"
        )


def queue_blind(notices: Sequence[NotifyBlind], run: Run) -> None:
    """One effect per recipient and time of blindness, however many passes it lasts."""
    for blind in notices:
        for name in _recipients(run):
            run.effect(
                "blind",
                f"blind:{blind.check_id}:{to_text(blind.since)}:{name}",
                {"monitor": blind.monitor, "check_id": blind.check_id, "why": blind.reason, "recipient": name},
                lane=f"recipient:{name}",
            )


def queue_undelivered(notices: Sequence[NotifyUndelivered], run: Run) -> None:
    """One effect per recipient and alarm."""
    for undelivered in notices:
        alarm = undelivered.alarm
        for name in _recipients(run):
            run.effect(
                "unposted",
                f"unposted:{alarm.reference_id}:{name}",
                {
                    "robot_id": alarm.robot_id,
                    "check_id": alarm.check_id,
                    "reference_id": alarm.reference_id,
                    "why": undelivered.reason,
                    "recipient": name,
                },
                lane=f"recipient:{name}",
            )


def queue_deletions(cleared: Sequence[ClearMessages], run: Run) -> None:
    """Messages are deleted ten at a time, after the commit of what they held."""
    receipts = [receipt for clear in cleared for receipt in clear.receipts]
    for start in range(0, len(receipts), AT_ONCE):
        some = receipts[start : start + AT_ONCE]
        payload = {"queue_url": run.settings.queue_url, "handles": [receipt.handle for receipt in some]}
        run.effect("delete_messages", f"delete:{run.id}:{some[0].handle}", payload)


def has_failed(db: Database, effect_id: int) -> bool:
    """Whether an effect has the error of an earlier attempt, also one that was put back by hand."""
    row = db.execute("SELECT last_error IS NOT NULL FROM outbox WHERE id = ?", [effect_id]).fetchone()
    return row is not None and bool(row[0])


def _recipients(run: Run) -> list[str]:
    """Those of ``[pollctl.notify]``; addresses are secrets, so that effects name them by a digest."""
    return [address_digest(url.reveal()) for url in dict.fromkeys(run.addresses)]
