"""What the report shows of toilet_gap."""

from shown import Shown, ago, spans_of

from pollctl import Timeline


def check(
    shown: Shown,
    number: int,
    monitor: str,
    phase: str,
    result: str | None = None,
    *,
    begun: float = 10,
    ends: float = -3,
) -> None:
    shown.insert(
        "status_check", id=number, monitor=monitor, robot_id="robot-17", local_date=f"2026-11-{number:02}", phase=phase,
        result=result, planned_at=ago(hours=begun), ends_at=ago(hours=ends), settings="{}", created_at=ago(hours=begun),
        updated_at=ago(hours=begun),
    )  # fmt: skip


def record(shown: Shown, number: int, order: int, name: str, hours: float) -> None:
    shown.insert(
        "status_check_record", status_check_id=number, order=order, event_name=name, event_at=ago(hours=hours), phase="MONITORING",
        created_at=ago(hours=hours),
    )  # fmt: skip


def test_a_lane_goes_from_visit_to_visit_and_is_red_where_silence_ended_in_an_alarm() -> None:
    shown = Shown("toilet_gap")
    check(shown, 27, "north", "COMPLETE", "SUCCESS", begun=34, ends=20)
    check(shown, 28, "north", "MONITORING")
    for order, (name, hours) in enumerate(
        [("STARTED", 10), ("EVENT_OBSERVED", 8), ("ALARM_SENT", 6), ("EVENT_OBSERVED", 5)], 1
    ):
        record(shown, 28, order, name, hours)
    (timeline,) = shown.blocks(Timeline)
    assert spans_of(timeline.lanes) == {
        "north": [
            ("08:02", "10:02", "ok"),
            ("10:02", "12:02", "fail"),
            ("12:02", "13:02", "ok"),
            ("13:02", "18:02", "info"),
        ]
    }
    assert [mark.text for mark in timeline.lanes[0].marks] == ["visit", "alarm", "visit"]
    assert shown.rows("Checks", "monitor", "state", "visits", "alarms") == [
        ("north", "watching", 2, 1),
        ("north", "success", 0, 0),
    ]


def test_the_figures_are_of_the_time_shown() -> None:
    shown = Shown("toilet_gap")
    check(shown, 20, "north", "COMPLETE", "ALARM_RAISED", begun=190, ends=180)
    record(shown, 20, 1, "ALARM_SENT", 185)
    assert shown.figures == {"watched now": 0, "alarms": 0, "unreadable events": 0}
    assert shown.section.summary == ""
    check(shown, 28, "north", "MONITORING")
    record(shown, 28, 1, "ALARM_SENT", 2)
    for number, replayed in enumerate((None, ago(hours=1))):
        shown.insert(
            "status_check_dead_letter", key=f"queue:{number}", source="queue", reason="no zone", body="{}",
            created_at=ago(hours=2), replayed_at=replayed,
        )  # fmt: skip
    assert shown.figures == {"watched now": 1, "alarms": 1, "unreadable events": 1}
    assert shown.section.summary == "1 alarm"
