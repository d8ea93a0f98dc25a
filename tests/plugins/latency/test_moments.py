"""When jobs are sampled: clocks that were set back, passes that hand over, signals (rules 3, 6 and 7)."""

from __future__ import annotations

import signal
import time
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from plugins.latency.place import NOON, Place, exit_code_of
from plugins.latency.values import NOON as NOON_MOMENT
from plugins.latency.values import job

from pollctl import from_text
from pollctl_latency.fake import Reply
from pollctl_latency.fetch.rounds import select_jobs

# rule 3: a clock that was set back


@pytest.mark.parametrize(
    ("ahead", "is_due"),
    [
        (timedelta(milliseconds=1), True),
        (timedelta(), False),
        (timedelta(hours=1), True),
        (-timedelta(seconds=59), False),
    ],
    ids=["a millisecond ahead", "at now", "an hour ahead", "not yet due"],
)
def test_a_probe_that_lies_ahead_makes_its_job_due(ahead: timedelta, is_due: bool) -> None:
    selected = select_jobs([job(last_ping_at=NOON_MOMENT + ahead)], NOON_MOMENT, {})
    assert (bool(selected.due), bool(selected.ahead)) == (is_due, is_due)


def test_after_a_pass_with_the_clock_an_hour_ahead_jobs_are_sampled_at_once_and_the_pass_says_so(place: Place) -> None:
    place.insert("alpha", started_at=NOON, cadence_seconds=2, duration_seconds=86_400)
    place.run("2026-03-08T13:00:00Z")
    place.run("2026-03-08T12:00:02Z")
    said = "the clock was set back: 1 job was sampled ahead of now, until 2026-03-08 13:00 UTC; due at once"
    assert said in place.stderr
    assert place.sql("SELECT recorded_at FROM latency_samples") == [
        ("2026-03-08T13:00:00.000Z",),
        ("2026-03-08T12:00:02.000Z",),
    ]
    place.run("2026-03-08T12:00:04Z")
    assert "set back" not in place.stderr
    assert len(place.statuses("alpha")) == 3


def test_an_outage_is_told_in_order_also_where_the_clock_was_set_back(place: Place) -> None:
    place.insert("gone", started_at=NOON, duration_seconds=86_400, alert_offline=1, alert_recovery=1)
    for moment in ("13:00", "12:00", "12:01", "12:02", "12:03"):
        place.run(f"2026-03-08T{moment}:00Z")
    assert place.sql("SELECT offline_since, alert_state FROM latency_jobs") == [
        ("2026-03-08T13:00:00.000Z", "offline_alerted")
    ]


# rule 6: passes that hand over


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_with_the_settings_as_they_come_a_cadence_of_five_seconds_has_twelve_samples_a_minute(place: Place) -> None:
    """Three passes as cron starts them; what counts are the two minutes that begin with the first sample."""
    place.configure(window="55s", timeout="10s")
    place.insert("alpha", cadence_seconds=5)
    began = time.monotonic()
    for minute in range(3):
        time.sleep(max(0.0, began + 60 * minute - time.monotonic()))
        process = place.start()
        if minute < 2:
            assert exit_code_of(process, timeout=59) == 0
    place.until(lambda: len(place.statuses("alpha")) >= 25)
    assert exit_code_of(process, signal.SIGTERM) == 143

    moments = [from_text(moment) for (moment,) in place.sql("SELECT recorded_at FROM latency_samples")]
    minutes = Counter(int((moment - moments[0]).total_seconds() // 60) for moment in moments)
    assert (minutes[0], minutes[1]) == (12, 12)
    assert all(later - earlier >= timedelta(seconds=5) for earlier, later in pairwise(moments))


# rule 7: signals


@pytest.mark.slow
def test_a_signal_waits_four_seconds_for_probes_and_not_longer(place: Place) -> None:
    place.configure(window="50s", timeout="30s")
    place.api.script["slow"] = [Reply(elapsed=900, delay=2)]
    for target in ("slow", "silent"):
        place.insert(target)
    process = place.start()
    place.until(lambda: len(place.api.requests) == 2)
    asked = time.monotonic()

    assert exit_code_of(process, signal.SIGTERM) == 143
    assert 3.9 <= time.monotonic() - asked < 5.5
    assert (place.statuses("slow"), place.statuses("silent")) == (["success"], [])


# an API that is nowhere


def test_a_job_without_an_api_to_ask_takes_no_sample_and_names_the_key(place: Place) -> None:
    place.insert("alpha", started_at=NOON)
    place.insert("127.0.0.1:1", started_at=NOON, probe="tcp")
    place.settings("[plugins.latency]", 'window = "0s"')
    report = place.run(NOON, code=3)
    assert report["outcome"] == "partial"
    assert "base_url of [plugins.latency] is not set; it used to be http://127.0.0.1:4402" in report["error"]["message"]
    assert (place.statuses("alpha"), place.statuses("127.0.0.1:1")) == ([], ["missed"])
    assert "nothing samples job 1 by api" in place.do("check")


def test_such_a_job_alone_makes_the_pass_partial_and_ends_in_its_time(place: Place) -> None:
    place.insert("alpha", started_at=NOON)
    place.settings("[plugins.latency]", 'window = "0s"')
    assert place.run(NOON, code=3)["outcome"] == "partial"
    assert place.run("2026-03-08T13:00:00.001Z")["outcome"] == "ok"
    assert place.sql("SELECT status, verdict FROM latency_jobs") == [("completed", "no_data")]
