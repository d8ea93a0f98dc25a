"""What ``apply`` and ``settle`` write, one statement per kind of change, and the effects that they queue."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pollctl import Effect, to_text
from pollctl_toilet_gap import recipients, subscriptions
from pollctl_toilet_gap.model import (
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
    Resubscribe,
    StartCheck,
    TellBlind,
    TellUnposted,
    Terms,
)
from pollctl_toilet_gap.sqs import AT_ONCE

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

_D = TypeVar("_D")


def apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write what was decided, within the transaction of the batch."""
    _start(db, _of(StartCheck, decisions), run)
    _miss(db, _of(MissDay, decisions), run)
    _keep_events(db, _of(KeepEvent, decisions))
    buried = _bury(db, _of(Bury, decisions), run)
    _add_records(db, decisions, run)
    _keep_windows(db, _of(KeepWindow, decisions))
    _change_terms(db, _of(ChangeTerms, decisions), run)
    subscriptions.again(db, [retried.subscription for retried in _of(Resubscribe, decisions)], run)
    _end(db, _of(EndCheck, decisions), run)
    _queue_alarms(_of(RaiseAlarm, decisions), run)
    _log_late(db, [told for told in _of(AddRecord, decisions) if told.name == "EVENT_LATE"], run)
    _tell(_of(TellBlind, decisions), run)
    _tell_unposted(_of(TellUnposted, decisions), run)
    _clear(_of(ClearMessages, decisions), run)
    _count(decisions, buried, run)


def _start(db: Database, started: Sequence[StartCheck], run: Run) -> None:
    if not started:
        return
    now = to_text(run.now)
    db.conn.executemany(
        """INSERT INTO status_check (monitor, robot_id, local_date, phase, planned_at, ends_at, settings, created_at,
               updated_at) VALUES (?, ?, ?, 'SETUP', ?, ?, ?, ?, ?)""",
        [
            (
                begun.day.monitor,
                begun.robot_id,
                begun.day.local_date,
                to_text(begun.day.starts_at),
                to_text(begun.day.ends_at),
                terms_text(begun.terms),
                now,
                now,
            )
            for begun in started
        ],
    )
    ids = _ids(db, started)
    numbered = [(ids[begun.day.monitor, begun.day.local_date], begun) for begun in started]
    db.conn.executemany(
        "INSERT INTO status_check_poller (status_check_id, since, until, opened_by) VALUES (?, ?, ?, 'start')",
        [(number, to_text(begun.since), to_text(begun.until)) for number, begun in numbered],
    )
    db.conn.executemany(
        """INSERT INTO status_check_record (status_check_id, "order", event_name, event_at, phase, result, created_at)
           VALUES (?, 1, 'STARTED', ?, 'SETUP', ?, ?)""",
        [(number, to_text(begun.since), "late" if begun.is_late else "on time", now) for number, begun in numbered],
    )
    subscriptions.want(db, [(number, begun.day.ends_at) for number, begun in numbered], run)


def _ids(db: Database, started: Sequence[StartCheck]) -> dict[tuple[str, str], int]:
    days = json.dumps([[begun.day.monitor, begun.day.local_date] for begun in started])
    rows = db.execute(
        """SELECT monitor, local_date, status_check.id FROM json_each(?) AS day JOIN status_check
           ON monitor = json_extract(day.value, '$[0]') AND local_date = json_extract(day.value, '$[1]')""",
        [days],
    )
    return {(monitor, day): number for monitor, day, number in rows}


def _miss(db: Database, missed: Sequence[MissDay], run: Run) -> None:
    db.conn.executemany(
        "INSERT INTO status_check_missed VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                over.day.monitor,
                over.day.local_date,
                to_text(over.day.starts_at),
                to_text(over.day.ends_at),
                to_text(run.now),
            )
            for over in missed
        ],
    )
    for over in missed:
        run.log(f"missed the whole day {over.day.local_date} of monitor {over.day.monitor}: {over.reason}")


def _keep_events(db: Database, kept: Sequence[KeepEvent]) -> None:
    db.conn.executemany(
        "INSERT INTO status_check_incoming VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(keep.check_id, keep.event.id, to_text(keep.event.at)) for keep in kept],
    )


def _bury(db: Database, buried: Sequence[Bury], run: Run) -> int:
    """Write dead letters, each once however often it comes; answers how many are new."""
    before = db.conn.total_changes
    db.conn.executemany(
        """INSERT INTO status_check_dead_letter (key, source, reason, robot_id, event_id, body, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING""",
        [
            (
                letter.poison.key,
                letter.poison.source,
                letter.reason,
                letter.poison.robot_id,
                letter.poison.event_id,
                letter.poison.body,
                to_text(run.now),
            )
            for letter in buried
        ],
    )
    return db.conn.total_changes - before


def _add_records(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    now = to_text(run.now)
    rows = [
        (
            told.check_id,
            told.order,
            told.event_id,
            None,
            told.name,
            to_text(told.at),
            told.phase,
            told.result,
            now,
        )
        if isinstance(told, AddRecord)
        else (
            told.check_id,
            told.order,
            None,
            told.reference_id,
            "ALARM_SENT",
            to_text(told.until),
            "MONITORING",
            None,
            now,
        )
        for told in decisions
        if isinstance(told, AddRecord | RaiseAlarm)
    ]
    db.conn.executemany(
        "INSERT INTO status_check_record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows
    )
    db.execute(
        """DELETE FROM status_check_incoming WHERE status_check_id IN (SELECT value FROM json_each(?))
           AND EXISTS (SELECT 1 FROM status_check_record AS record
               WHERE record.status_check_id = status_check_incoming.status_check_id
                   AND record.incoming_event_id = status_check_incoming.event_id)""",
        [json.dumps(sorted({row[0] for row in rows if row[2] is not None}))],
    )


def _keep_windows(db: Database, windows: Sequence[KeepWindow]) -> None:
    db.conn.executemany(
        """UPDATE status_check_poller SET since = ?, until = ?, opened_by = ?, unjudged = ?, unjudged_since = ?
           WHERE status_check_id = ?""",
        [
            (
                to_text(window.since),
                to_text(window.until),
                window.opened_by,
                window.unjudged,
                to_text(window.unjudged_since) if window.unjudged_since else None,
                window.check_id,
            )
            for window in windows
        ],
    )


def _change_terms(db: Database, changes: Sequence[ChangeTerms], run: Run) -> None:
    db.conn.executemany(
        "UPDATE status_check SET settings = ?, ends_at = ?, updated_at = ? WHERE id = ?",
        [(terms_text(change.terms), to_text(change.ends_at), to_text(run.now), change.check_id) for change in changes],
    )
    subscriptions.want(db, [(change.check_id, change.ends_at) for change in changes if change.renews], run)


def _end(db: Database, ended: Sequence[EndCheck], run: Run) -> None:
    db.conn.executemany(
        "UPDATE status_check SET phase = 'COMPLETE', result = ?, updated_at = ? WHERE id = ?",
        [(over.result, to_text(run.now), over.check_id) for over in ended],
    )
    db.conn.executemany(
        "DELETE FROM status_check_poller WHERE status_check_id = ?", [(over.check_id,) for over in ended]
    )
    subscriptions.give_up(db, [over.check_id for over in ended], run)
    for over in ended:
        if over.result in ("ABANDONED", "FAILED"):
            run.log(f"{over.result} statusCheckId={over.check_id}: {over.reason}")


def _queue_alarms(alarms: Sequence[RaiseAlarm], run: Run) -> None:
    for alarm in alarms:
        told = {
            "check_id": alarm.check_id,
            "robot_id": alarm.robot_id,
            "event_name": alarm.event_name,
            "level": alarm.level,
            "reference_id": alarm.reference_id,
            "since": to_text(alarm.since),
        }
        run.effect("alarm", f"alarm:{alarm.reference_id}", told, lane=f"alarms:{alarm.check_id}")
        run.log(
            f"alarm robotId={alarm.robot_id} statusCheckId={alarm.check_id} windowSince={to_text(alarm.since)} "
            f"windowUntil={to_text(alarm.until)} alarmReferenceId={alarm.reference_id}"
        )


def _log_late(db: Database, late: Sequence[AddRecord], run: Run) -> None:
    chosen = json.dumps(sorted({told.check_id for told in late}))
    sql = "SELECT id, robot_id FROM status_check WHERE id IN (SELECT value FROM json_each(?))"
    robots = dict(db.execute(sql, [chosen]).fetchall()) if late else {}
    for told in late:
        run.log(
            f"late event robotId={robots[told.check_id]} statusCheckId={told.check_id} "
            f"eventTimestamp={to_text(told.at)}: {told.reason}"
        )


def _tell(told: Sequence[TellBlind], run: Run) -> None:
    """One effect per recipient and time of blindness, however many passes it lasts."""
    for blind in told:
        for name in recipients.names(run):
            run.effect(
                "blind",
                f"blind:{blind.check_id}:{to_text(blind.since)}:{name}",
                {"monitor": blind.monitor, "check_id": blind.check_id, "why": blind.reason, "recipient": name},
                lane=f"recipient:{name}",
            )


def _tell_unposted(told: Sequence[TellUnposted], run: Run) -> None:
    """One effect per recipient and alarm."""
    for unposted in told:
        alarm = unposted.alarm
        for name in recipients.names(run):
            run.effect(
                "unposted",
                f"unposted:{alarm.reference_id}:{name}",
                {
                    "robot_id": alarm.robot_id,
                    "check_id": alarm.check_id,
                    "reference_id": alarm.reference_id,
                    "why": unposted.reason,
                    "recipient": name,
                },
                lane=f"recipient:{name}",
            )


def _clear(cleared: Sequence[ClearMessages], run: Run) -> None:
    """Messages go ten at a time, after the commit of what they said."""
    receipts = [receipt for clear in cleared for receipt in clear.receipts]
    for start in range(0, len(receipts), AT_ONCE):
        some = receipts[start : start + AT_ONCE]
        told = {"queue_url": run.settings.queue_url, "handles": [receipt.handle for receipt in some]}
        run.effect("delete_messages", f"delete:{run.id}:{some[0].handle}", told)


def _count(decisions: Sequence[Decision], buried: int, run: Run) -> None:
    """All of the numbers, also those that are 0, so that a reader finds each of them in every pass."""
    numbers = Counter(dict.fromkeys((*COUNTED.values(), "messages", "foreign", "duplicates"), 0))
    for told in decisions:
        if isinstance(told, RaiseAlarm):
            numbers["alarms"] += 1
        elif isinstance(told, AddRecord) and told.name in COUNTED:
            numbers[COUNTED[told.name]] += 1
        elif isinstance(told, ClearMessages):
            numbers.update(messages=len(told.receipts), foreign=told.foreign, duplicates=told.duplicates)
    run.count(dead_letters=buried, **numbers)


# settle


def settle(db: Database, effect: Effect, result: Any, run: Run) -> None:
    """Record what became of an alarm or a subscription."""
    if effect.kind == "alarm":
        db.execute(
            "UPDATE status_check_record SET result = 'SENT' WHERE reference_id = ?", [effect.payload["reference_id"]]
        )
    if effect.kind == "subscribe":
        subscriptions.settle(db, effect.payload["subscription"], result, run)


def terms_text(terms: Terms) -> str:
    """Terms as the table keeps them."""
    return msgspec.json.encode(terms).decode()


def _of(kind: type[_D], decisions: Iterable[Any]) -> list[_D]:
    return [decision for decision in decisions if isinstance(decision, kind)]
