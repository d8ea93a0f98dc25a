"""The effects that a batch queues, and what the outbox knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pollctl import from_text, spoken_length, spoken_moment, to_text
from pollctl_toilet_gap.client.sqs import AT_ONCE
from pollctl_toilet_gap.model import ClearMessages, NotifyBlind, NotifyUndelivered, RaiseAlarm
from pollctl_toilet_gap.store.terms import terms_from_text

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
        for one in alarm.unread:
            run.log(f"alarmReferenceId={alarm.reference_id} could not be read, a visit may be in it: {one}")


def tell_alarms(db: Database, alarms: Sequence[RaiseAlarm], run: Run) -> None:
    """Each person of the monitor hears of an alarm, once, whatever the event service does."""
    for alarm in alarms:
        (name,) = db.execute("SELECT monitor FROM status_check WHERE id = ?", [alarm.check_id]).fetchone()
        monitor = run.settings.by_name.get(name)
        if monitor is None or not monitor.notify:
            continue
        body = "\n".join(
            [
                f"No visit was seen since {_since(db, alarm.check_id, alarm.since, run)}.",
                _last_heard(db, alarm, run),
                *(f"Could not be read meanwhile, a visit may be in it: {one}" for one in alarm.unread),
                "Look after the resident.",
                f"toilet_gap on {run.host}, check {alarm.check_id}, alarm {alarm.reference_id}",
            ]
        )
        run.tell(f"people:{alarm.reference_id}", f"{name}: no visit", body, to=monitor.notify, level="failure")


def _last_heard(db: Database, alarm: RaiseAlarm, run: Run) -> str:
    """Whether the sensor lives: a dead one must look different from a resident in trouble."""
    heard = alarm.last_heard
    if heard is None or heard.error:
        why = f": {heard.error}" if heard else ""
        return f"When the robot was last heard of is not known{why}."
    if heard.at is None:
        since = _since(db, alarm.check_id, heard.since, run)
        return f"Nothing at all was heard of the robot since {since}: it may be dead."
    return f"The robot was last heard of: {_since(db, alarm.check_id, heard.at, run)}."


def tell_blind(db: Database, notices: Sequence[NotifyBlind], run: Run) -> None:
    """Each recipient hears once of a time of blindness, however many passes it lasts."""
    for blind in notices:
        body = (
            f"Since {_since(db, blind.check_id, blind.since, run)}: {blind.reason}.\n"
            f"No alarm can be raised meanwhile. Look after the resident.\n"
            f"toilet_gap on {run.host}, check {blind.check_id}"
        )
        key = f"blind:{blind.check_id}:{to_text(blind.since)}"
        run.tell(key, f"toilet_gap: monitor {blind.monitor} cannot be judged", body, level="failure")


def tell_undelivered(db: Database, notices: Sequence[NotifyUndelivered], run: Run) -> None:
    """Each recipient hears once of an alarm that is not posted."""
    for undelivered in notices:
        alarm = undelivered.alarm
        body = (
            f"No visit was seen since {_since(db, alarm.check_id, from_text(alarm.reference_id.partition('-')[2]), run)}.\n"
            f"{undelivered.reason}.\n"
            f"Look after the resident.\n"
            f"toilet_gap on {run.host}, check {alarm.check_id}, alarm {alarm.reference_id}"
        )
        title = f"toilet_gap: an alarm of robot {alarm.robot_id} is not posted"
        run.tell(f"unposted:{alarm.reference_id}", title, body, level="failure")


def _since(db: Database, check_id: int, moment: datetime, run: Run) -> str:
    """A moment in the zone of the monitor, and how long ago it was."""
    row = db.execute("SELECT settings FROM status_check WHERE id = ?", [check_id]).fetchone()
    zone = ZoneInfo(terms_from_text(row[0]).timezone) if row else run.timezone
    return f"{spoken_moment(moment, zone)} ({spoken_length(run.now - moment)})"


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
