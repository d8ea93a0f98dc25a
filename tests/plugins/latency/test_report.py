"""What the report shows of latency."""

from shown import Shown, ago

from pollctl import TimeSeries, from_text


def job(shown: Shown, number: int, target: str, **more: object) -> None:
    given = {"probe": "tcp", "started_at": ago(days=2), "last_ping_at": ago(minutes=1)}
    shown.insert("latency_jobs", id=number, target=target, **given, **more)


def sample(shown: Shown, job_id: int, number: int, minutes: float, rtt_ms: float | None, status: str = "") -> None:
    status = status or ("missed" if rtt_ms is None else "success")
    row = {"job_id": job_id, "sequence_number": number, "status": status, "rtt_ms": rtt_ms}
    shown.insert("latency_samples", **row, recorded_at=ago(minutes=minutes))


def test_a_series_has_what_was_measured_and_lost_since_then_and_nothing_of_our_own_faults() -> None:
    shown = Shown("latency")
    job(shown, 1, "gateway.example.net", max_p95_ms=80)
    for number, (minutes, rtt_ms, status) in enumerate(
        [(3000, 9.0, ""), (3, 20.0, ""), (2, None, ""), (1, None, "system_error")]
    ):
        sample(shown, 1, number, minutes, rtt_ms, status)
    (series,) = shown.blocks(TimeSeries)
    assert [value for _, value in series.points] == [20.0, None]
    assert [(limit.value, limit.label) for limit in series.thresholds] == [(80, "limit 80 ms (p95)")]


def test_numbers_of_a_job_that_runs_are_of_the_time_shown_and_those_of_one_that_has_ended_are_its_own() -> None:
    shown = Shown("latency")
    job(shown, 1, "runs", success=98, missed=2)
    for number, (minutes, rtt_ms) in enumerate([(3000, 9.0), (4, 20.0), (3, 30.0), (2, None), (1, 40.0)]):
        sample(shown, 1, number, minutes, rtt_ms)
    own = {"rtt_median_ms": 7.0, "rtt_p95_ms": 8.0, "loss_percent": 5.0, "success": 19, "missed": 1}
    job(shown, 2, "over", status="completed", verdict="pass", completed_at=ago(hours=3), **own)
    assert shown.rows("Jobs", "target", "median", "p95", "lost", "samples") == [
        ("runs", 30.0, 39.0, 0.25, 4),
        ("over", 7.0, 8.0, 0.05, 20),
    ]


def test_offline_ones_come_first_and_six_are_drawn() -> None:
    shown = Shown("latency")
    for number in range(1, 9):
        job(shown, number, f"host{number}", alert_state="offline_alerted" if number == 3 else "ok")
    job(shown, 9, "old", status="completed", verdict="unreliable", completed_at=ago(hours=3))
    assert [series.title for series in shown.blocks(TimeSeries)] == [
        "host3",
        "host8",
        "host7",
        "host6",
        "host5",
        "host4",
    ]
    assert shown.rows("Jobs", "target", "state")[:2] == [("host3", "offline"), ("host8", "running")]
    assert shown.rows("Jobs", "target", "state")[-1] == ("old", "unreliable")
    assert shown.figures == {"jobs running": 8, "offline now": 1, "alerts": 0}
    assert shown.section.summary == "1 of 8 targets offline"


def test_what_is_offline_needs_somebody() -> None:
    shown = Shown("latency")
    for number in range(1, 9):
        since = {"alert_state": "offline_alerted", "offline_since": ago(minutes=20)} if number != 2 else {}
        job(shown, number, f"host{number}", **since)
    assert [notice.text for notice in shown.section.notices] == [
        *(f"host{number} is offline" for number in (8, 7, 6, 5, 4)),
        "2 more targets are offline",
    ]
    notice = shown.section.notices[0]
    assert (notice.level, notice.since, notice.remedy) == ("fail", from_text(ago(minutes=20)), "pollctl latency show 8")


def test_a_login_in_a_target_is_not_shown() -> None:
    shown = Shown("latency")
    job(shown, 1, "http://ann:swordfish@example.net/")
    assert "swordfish" not in repr(shown.section)


def test_alerts_of_the_time_shown_are_counted() -> None:
    shown = Shown("latency")
    job(shown, 1, "host")
    for number, days in enumerate((2, 0.5)):
        shown.insert("latency_alerts", id=number, job_id=1, alert_type="offline", triggered_at=ago(days=days))
    assert shown.figures["alerts"] == 1
    assert shown.rows("Alerts", "state", "target") == [("offline", "host")] * 2


def test_without_a_job_it_says_how_one_is_begun() -> None:
    assert "pollctl latency add TARGET" in repr(Shown("latency").section)
