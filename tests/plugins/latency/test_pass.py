"""Whole passes in processes of their own, against a latency API on the loopback."""

from __future__ import annotations

import json
import signal
import socket
import time
from contextlib import chdir, closing
from itertools import pairwise

import pytest
from plugins.latency.place import NOON, SCRIPT, Place, exit_code_of
from pytest_httpserver import HTTPServer

from pollctl import from_text
from pollctl.concurrency.cancellation import Stop
from pollctl.config import settings
from pollctl.passes.engine import run_pass
from pollctl.plugin_host.discovery import discover
from pollctl_latency.fake import Reply

pytestmark = pytest.mark.slow

# rule 1


def test_only_running_real_jobs_are_probed(place: Place) -> None:
    place.insert("alpha", started_at=NOON)
    place.insert("beta", started_at=NOON, status="cancelled")
    place.insert("healthy-1", started_at=NOON, monitoring_mode="simulated")
    place.run(NOON)

    assert place.api.requests == [("Sound Check", "alpha")]
    assert (place.statuses("alpha"), place.statuses("beta")) == (["success"], [])
    assert place.statuses("healthy-1") == ["success"]


# rule 2


def test_at_exactly_the_end_a_job_is_sampled_and_a_moment_later_it_is_completed(place: Place) -> None:
    place.add("alpha", "--cadence", "60s", "--duration", "60s")
    place.run(NOON)
    place.run("2026-03-08T12:01:00Z")
    assert place.statuses("alpha") == ["success", "success"]

    place.run("2026-03-08T12:01:00.001Z")
    assert place.statuses("alpha") == ["success", "success"]
    assert place.sql("SELECT status, completed_at, verdict FROM latency_jobs") == [
        ("completed", "2026-03-08T12:01:00.001Z", "pass")
    ]


def test_a_job_that_cannot_be_probed_ends_too(place: Place) -> None:
    place.insert("no port", started_at=NOON, probe="tcp", cadence_seconds=60, duration_seconds=60)
    place.run(NOON, code=1)
    place.run("2026-03-08T12:02:00Z")

    assert place.sql("SELECT status, verdict, system_error FROM latency_jobs") == [("completed", "unreliable", 1)]


# rule 3


def test_a_late_pass_samples_once_and_a_system_error_counts_as_a_probe(place: Place) -> None:
    place.add("broken", "--cadence", "60s", "--duration", "60m")
    place.run(NOON, code=1)
    place.run("2026-03-08T12:00:59.999Z")
    assert place.statuses("broken") == ["system_error"]

    place.run("2026-03-08T12:30:00Z", code=1)
    assert place.sql("SELECT sequence_number, recorded_at FROM latency_samples") == [
        (0, "2026-03-08T12:00:00.000Z"),
        (1, "2026-03-08T12:30:00.000Z"),
    ]
    assert place.sql("SELECT last_ping_at FROM latency_jobs") == [("2026-03-08T12:30:00.000Z",)]


# rules 4, 8 and 9


def test_the_example_comes_out_of_whole_passes(place: Place) -> None:
    place.insert("comes and goes", started_at=NOON, cadence_seconds=60, duration_seconds=240)
    place.sql("UPDATE latency_jobs SET target = 'comes-and-goes'")
    place.api.script["comes-and-goes"] = list(SCRIPT["comes and goes"])
    for minute in range(6):
        outcome = place.run(f"2026-03-08T12:0{minute}:00Z", code=1 if minute == 4 else 0)["outcome"]
        assert outcome == ("failed" if minute == 4 else "ok")

    assert place.sql("SELECT sequence_number, status, rtt_ms, jitter_ms FROM latency_samples") == [
        (0, "success", 10.0, None),
        (1, "success", 20.0, 10.0),
        (2, "missed", None, None),
        (3, "success", 40.0, 20.0),
        (4, "system_error", None, None),
    ]
    assert place.sql("SELECT loss_percent, round(rtt_avg_ms, 2), verdict FROM latency_jobs") == [
        (25.0, 23.33, "unreliable")
    ]
    assert place.sql("SELECT count(*) FROM latency_rollups") == [(1,)]


# rule 5


def test_one_target_that_fails_stops_no_other(place: Place) -> None:
    for target in ("alpha", "broken", "garbage", "gone", "silent", "127.0.0.1:1"):
        place.add(target)
    place.configure(timeout="500ms")
    report = place.run(NOON, code=3)

    found = {
        target: place.statuses(target) for target in ("alpha", "broken", "garbage", "gone", "silent", "127.0.0.1:1")
    }
    assert found == {
        "alpha": ["success"],
        "broken": ["system_error"],
        "garbage": ["system_error"],
        "gone": ["missed"],
        "silent": ["system_error"],
        "127.0.0.1:1": ["missed"],
    }
    assert report["stats"] == {"samples": 6}
    assert "poller is being restarted" in report["error"]["message"]


def test_a_job_that_is_cancelled_in_flight_stays_cancelled_and_its_sample_is_dropped(place: Place) -> None:
    place.configure(timeout="10s")
    place.api.script["slow"] = [Reply(elapsed=900, delay=3)]  # longer than a cancel takes on a busy machine
    place.insert("slow")
    process = place.start()
    place.until(lambda: bool(place.api.requests))
    place.do("latency", "cancel", "1")

    assert exit_code_of(process) == 0
    assert place.statuses("slow") == []
    assert place.sql("SELECT status, last_ping_at FROM latency_jobs") == [("cancelled", None)]


# rule 6


def gaps(place: Place, target: str) -> list[float]:
    moments = place.sql(
        """SELECT recorded_at FROM latency_samples JOIN latency_jobs ON id = job_id
           WHERE target = ? ORDER BY sequence_number""",
        [target],
    )
    return [(from_text(b) - from_text(a)).total_seconds() for (a,), (b,) in pairwise(moments)]


def test_a_silent_target_holds_back_nobody_within_a_window(place: Place) -> None:
    for target in ("alpha", "beta", "silent"):
        place.insert(target, cadence_seconds=1)
    place.configure(window="4s", timeout="2500ms")
    place.run(code=3)

    for target in ("alpha", "beta"):
        assert 4 <= len(place.statuses(target)) <= 5
        assert all(1 <= gap < 1.3 for gap in gaps(place, target))
    assert set(place.statuses("silent")) == {"system_error"}
    assert all(gap >= 2.5 for gap in gaps(place, "silent"))


def test_a_job_that_is_added_during_a_pass_is_sampled_within_about_a_second(place: Place) -> None:
    place.insert("alpha", cadence_seconds=1)
    place.configure(window="4s")
    process = place.start()
    place.until(lambda: bool(place.api.requests))
    place.insert("beta")
    place.until(lambda: ("Sound Check", "beta") in place.api.requests)
    position = place.api.requests.index(("Sound Check", "beta"))

    assert exit_code_of(process) == 0
    assert position <= 3


@pytest.mark.parametrize("status", [None, "cancelled"])
def test_a_pass_waits_for_no_job_that_may_be_made(place: Place, status: str | None) -> None:
    if status:
        place.insert("alpha", status=status)
    place.configure(window="40s")
    place.run()
    ((duration_ms,),) = place.sql("SELECT duration_ms FROM runs")
    assert duration_ms < 20_000


def test_a_pass_ends_with_the_last_job(place: Place) -> None:
    place.insert("alpha", cadence_seconds=1)
    place.configure(window="40s")
    process = place.start()
    place.until(lambda: len(place.api.requests) == 2)
    place.sql("UPDATE latency_jobs SET status = 'cancelled'")
    assert exit_code_of(process) == 0
    ((duration_ms,),) = place.sql("SELECT duration_ms FROM runs")
    assert duration_ms < 30_000


def test_one_pass_hands_over_to_the_next_without_a_double_sample(place: Place) -> None:
    place.insert("alpha", cadence_seconds=2)
    place.configure(window="1500ms")
    for _ in range(3):
        place.run()

    assert all(gap >= 2 for gap in gaps(place, "alpha"))
    assert 2 <= len(place.statuses("alpha")) == len(place.api.requests)


def test_a_kill_loses_at_most_the_round_in_flight(place: Place) -> None:
    place.insert("alpha", cadence_seconds=1)
    place.configure(window="10s")
    process = place.start()
    place.until(lambda: len(place.api.requests) == 3)
    process.kill()
    exit_code_of(process)
    kept = len(place.statuses("alpha"))
    place.configure()
    time.sleep(1)
    place.run()

    assert kept >= 2
    assert place.sql("SELECT sequence_number FROM latency_samples") == [(number,) for number in range(kept + 1)]


# rule 7


def test_a_signal_lets_probes_in_flight_finish_and_starts_no_others(place: Place) -> None:
    place.insert("slow", cadence_seconds=1)
    place.configure(window="10s")
    process = place.start()
    place.until(lambda: len(place.api.requests) == 1)

    assert exit_code_of(process, signal.SIGTERM) == 143
    assert place.statuses("slow") == ["success"]
    assert len(place.api.requests) == 1
    assert place.sql("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == [("interrupted",)]


def test_a_signal_cuts_probes_that_do_not_finish_within_four_seconds(place: Place) -> None:
    place.insert("silent")
    place.insert("alpha")
    place.configure(window="50s", timeout="40s")
    process = place.start()
    place.until(lambda: place.statuses("alpha") == ["success"])
    began = time.monotonic()

    assert exit_code_of(process, signal.SIGTERM) == 143
    assert time.monotonic() - began < 6
    assert place.statuses("silent") == []


def test_a_pass_that_is_asked_to_end_before_its_first_probe_waits_for_none(place: Place) -> None:
    place.add("alpha", "--cadence", "60s", "--duration", "60s")
    stop = Stop()
    began = time.monotonic()
    with chdir(place.folder):
        report = run_pass(
            settings.load(place.folder / "pollctl.toml"),
            discover()["latency"],
            trigger="manual",
            stop=stop,
            listen=lambda _: stop.request(),
        )
    assert report.outcome == "interrupted"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("others", [["alpha"], []], ids=["beside one that answers", "alone"])
def test_a_probe_that_the_deadline_cuts_leaves_no_sample_and_makes_the_pass_partial(
    place: Place, others: list[str]
) -> None:
    for target in ("silent", *others):
        place.insert(target)
    place.configure(timeout="30s")
    report = json.loads(place.do("run", "latency", "--json", "--deadline", "2s", code=3))

    assert (report["outcome"], report["duration_ms"] < 2500) == ("partial", True)
    assert report["error"]["targets"] == ["silent"]
    assert "the deadline of the pass came before an answer" in report["error"]["message"]
    assert [place.statuses(target) for target in ("silent", *others)] == [[], *[["success"] for _ in others]]


def test_a_timeout_that_no_pass_can_wait_for_is_refused(place: Place) -> None:
    place.configure(timeout="58s")
    place.do("run", "latency", code=2)
    assert "timeout is 58s, and a pass ends after its deadline of 58s" in place.stderr
    place.do("check", code=2)
    place.configure(timeout="57999ms")
    place.do("check", "--json")


# rules 10 and 11


def test_each_recipient_is_notified_once_of_an_outage_and_of_the_verdict(place: Place, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/one").respond_with_data("ok")
    httpserver.expect_request("/two").respond_with_data("ok")
    urls = [f"json://{httpserver.host}:{httpserver.port}/{path}" for path in ("one", "two")]
    words = ["--duration", "5m", "--alert-offline", "--notify", urls[0], "--notify", urls[1]]
    place.add("gone", *words)
    for minute in range(7):
        place.run(f"2026-03-08T12:0{minute}:00Z")

    received = sorted((request.path, request.get_json()["title"]) for request, _ in httpserver.log)
    assert received == [
        (path, f"gone{text}")
        for path in ("/one", "/two")
        for text in (
            " is offline since 12:00:00 UTC (5 misses in a row: Request timeout)",
            ": fail: 6 of 6 probes lost (limit 2 %)",
        )
    ]
    assert place.sql("SELECT alert_type, triggered_at FROM latency_alerts") == [("offline", "2026-03-08T12:04:00.000Z")]
    assert str(httpserver.port) not in place.do("outbox", "list", "--json")


def test_a_job_without_recipients_settles_at_once(place: Place) -> None:
    place.add("alpha", "--duration", "60s")
    place.run("2026-03-08T13:00:00Z")

    assert place.sql("SELECT kind, key, status, result FROM outbox") == [
        ("tell", "completion:1", "delivered", '"no address"')
    ]


def test_raw_samples_are_pruned_by_a_later_pass(place: Place) -> None:
    place.add("alpha", "--duration", "60s")
    for moment in (NOON, "2026-03-08T12:02:00Z", "2026-03-08T14:00:00Z"):
        place.configure(keep_samples="1h")
        place.run(moment)

    assert place.statuses("alpha") == []
    assert place.sql("SELECT success, verdict FROM latency_jobs") == [(1, "pass")]
    assert place.sql("SELECT success FROM latency_rollups") == [(1,)]


# a plan


def test_a_plan_lists_decisions_with_reasons_and_writes_nothing(place: Place) -> None:
    place.add("alpha")
    place.configure(window="5s")
    planned = json.loads(place.do("plan", "latency", "--json", now=NOON))["decisions"]

    assert [decision["type"] for decision in planned] == ["AddSample"]
    assert planned[0]["reason"].startswith("answered in ")
    assert place.statuses("alpha") == []
    assert place.sql("SELECT count(*) FROM runs") == [(0,)]


# simulated jobs


def test_two_databases_simulate_the_same_samples(place: Place) -> None:
    place.add("intermittent-1", "--mode", "simulated", "--cadence", "60s")
    for minute in range(3):
        place.run(f"2026-03-08T12:0{minute}:00Z")
    first = place.sql("SELECT * FROM latency_samples")
    place.sql("DELETE FROM latency_samples")
    place.sql("UPDATE latency_jobs SET last_ping_at = NULL")
    for minute in range(3):
        place.run(f"2026-03-08T12:0{minute}:00Z")

    assert place.sql("SELECT * FROM latency_samples") == first
    assert place.api.requests == []


def test_a_recipient_that_never_answers_holds_back_no_sample(place: Place) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = f"json://127.0.0.1:{silent.getsockname()[1]}/"
        place.insert("alpha", cadence_seconds=1)
        place.insert("ends", cadence_seconds=1, duration_seconds=1)
        place.sql("INSERT INTO latency_notify (job_id, url) VALUES (2, ?)", [address])
        place.configure(window="6s")
        place.run(code=3)

    assert place.sql("SELECT attempts FROM outbox") == [(1,)]
    assert all(gap < 1.3 for gap in gaps(place, "alpha"))
    assert len(gaps(place, "alpha")) >= 4
