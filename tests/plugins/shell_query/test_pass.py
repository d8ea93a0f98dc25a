"""The ends of runs, and whole passes: rules 12 to 14, against a fake Marketing Cloud on the loopback."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pollctl import to_text
from pollctl_shell_query.fake import envelopes as xml
from pollctl_shell_query.fake.upstream import (
    COMPLETE,
    HTML_500,
    LOST_AFTER,
    QUEUED,
    Reply,
)

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
SQL = "SELECT Name, Opens FROM Subscribers WHERE Opens > 1"


def at(seconds: float = 0) -> str:
    """A moment so many seconds after noon, as the database keeps it."""
    return to_text(NOON + timedelta(seconds=seconds))


def kinds(place: Any) -> list[str]:
    """What was asked for, and forgets it."""
    asked, place.upstream.asked = place.upstream.asked, []
    place.upstream.details.clear()
    return list(asked)


# rules 12 to 14


def test_a_deletion_whose_answer_was_lost_is_found_done(place: Any) -> None:
    run_id = place.started("--create-target", "a:Number")
    place.upstream.script = [COMPLETE]
    place.upstream.replies["delete"] = place.upstream.replies["delete_target"] = [LOST_AFTER]
    place.run(2, code=3)
    assert place.upstream.definitions == {}
    place.run(120)
    week = 7 * 86_400
    place.upstream.replies["delete_target"] = [LOST_AFTER]
    place.run(week + 60, code=3)
    place.run(week + 180)
    assert place.row(run_id) == "ready"
    assert place.effects("delete_definition") == [(f"delete:{run_id}", "delivered")]
    assert place.effects("delete_target") == [(f"target:{run_id}", "delivered")]


def test_a_deletion_that_is_refused_is_dead_at_once(place: Any) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.upstream.replies["delete"] = [Reply(body=xml.deleted("Error", "It is in use"))]
    place.run(2, code=3)
    assert place.effects("delete_definition") == [(f"delete:{run_id}", "dead")]
    assert place.row(run_id) == "ready"


@pytest.mark.parametrize("kind", ["create", "perform", "find"])
def test_an_id_that_is_none_is_not_kept(place: Any, kind: str) -> None:
    long = "x" * 100_000
    bodies = {
        "create": xml.created("OK", "", long),
        "perform": xml.performed("OK", "", long),
        "find": xml.retrieved(
            [f'<Results xsi:type="QueryDefinition"><ObjectID>{long}</ObjectID><CustomerKey>KEY</CustomerKey></Results>']
        ),
    }
    run_id = place.submit()
    key = place.row(run_id, "customer_key")
    place.upstream.replies[kind] = [Reply(body=bodies[kind].replace(b"KEY", key.encode()))]
    place.run(0, code=3)
    assert place.row(run_id) == "queued"


def test_the_reconciler_takes_up_a_run_without_an_open_poll_and_a_second_one_changes_nothing(place: Any) -> None:
    run_id = place.started()
    place.upstream.script = [QUEUED]
    place.sql(
        "UPDATE shell_query_polls SET closed_at = ?1, poll_count = 7, not_running_confirmations = 1, rowset_attempts = 2, "
        "not_running_detected_at = ?1, row_probe_last_at = ?1",
        [at(10)],
    )
    kinds(place)
    place.run(120)
    assert kinds(place) == []
    assert place.run(120.001)["stats"]["reconciled"] == 1
    assert kinds(place) == ["status"]
    assert place.row(run_id, "poll_started_at, poll_count, closed_at") == (at(0), 8, None)
    rebuilt = place.row(
        run_id, "not_running_confirmations, not_running_detected_at, rowset_attempts, row_probe_last_at"
    )
    assert rebuilt == (0, None, 0, None)
    assert "reconciled" not in place.run(121)["stats"]
    assert kinds(place) == []


def test_the_reconciler_rebuilds_a_poll_state_that_is_gone(place: Any) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.sql("DELETE FROM shell_query_polls")
    place.run(121)
    assert place.row(run_id) == "ready"


def test_a_queued_run_with_a_task_is_polled_and_not_started_again(place: Any) -> None:
    run_id = place.started()
    place.sql("DELETE FROM shell_query_polls")
    place.sql("UPDATE shell_query_runs SET status = 'queued', admitted_at = NULL")
    kinds(place)
    place.run(121)
    assert kinds(place) == ["status"]
    assert place.row(run_id, "status, poll_started_at") == ("running", at(0))


def test_recorded_passes_decide_the_same_again(place: Any) -> None:
    place.settle(core='record = "all"', jitter=0.2)
    place.upstream.missing["DE_1"] = 3
    place.started()
    for second in range(2, 60, 3):
        place.run(second)
    assert place.sql("SELECT count(*) FROM recordings")[0][0] > 4
    place.do("replay", "--all")


# the pass


def test_a_plan_asks_and_changes_nothing(place: Any) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    before = place.row(run_id, "*")
    kinds(place)
    plan = json.loads(place.do("plan", "shell_query", "--json", now=at(2)))
    assert [decision["type"] for decision in plan["decisions"]] == ["FinishRun"]
    assert kinds(place) == ["status", "rowset"]
    assert place.row(run_id, "*") == before


def test_without_anything_to_do_no_setting_is_needed_and_nothing_is_asked(place: Any) -> None:
    place.settle(auth_url="", client_id="", client_secret="")
    assert place.run(0)["outcome"] == "ok"
    place.submit()
    report = place.run(1, code=1)
    for name in ("auth_url", "client_id", "client_secret"):
        assert f"{name} is empty" in report["error"]["message"]
    assert place.upstream.asked == []


def test_a_wsdl_that_cannot_be_used_fails_the_pass_before_a_run_is_admitted(place: Any) -> None:
    place.settle(wsdl="nowhere.wsdl")
    run_id = place.submit()
    report = place.run(0, code=1)
    assert "nowhere.wsdl" in report["error"]["message"]
    assert place.row(run_id, "status, admitted_at") == ("queued", None)


def test_one_run_that_is_not_answered_hides_no_other(place: Any) -> None:
    runs = [place.started(seconds=second / 10) for second in range(3)]
    place.upstream.script = [COMPLETE]
    place.upstream.replies["status"] = [HTML_500]
    report = place.run(3, code=3)
    assert sorted(place.row(run_id) for run_id in runs) == ["ready", "ready", "running"]
    assert report["stats"]["polls"] == 3


def test_within_a_window_a_query_is_carried_from_its_submission_to_its_end(place: Any) -> None:
    """A real clock: the run is polled by the same pass that started it."""
    quick = {"initial_delay": "200ms", "max_delay": "200ms", "window": "4s"}
    place.settle(**quick)
    place.upstream.script = [QUEUED, QUEUED, COMPLETE]
    began = time.monotonic()
    run_id = place.do("shell-query", "submit", "--sql", SQL, "--target", "DE_1", now="").strip()
    report = json.loads(place.do("run", "shell_query", "--json", now=""))
    assert place.row(run_id, "status, poll_count") == ("ready", 3)
    assert report["stats"]["polls"] == 3
    assert place.upstream.definitions == {}
    assert time.monotonic() - began < 9


def test_metrics_count_what_passes_did(place: Any) -> None:
    place.upstream.script, place.upstream.running = [QUEUED], [False, True, False]
    place.upstream.missing["DE_1"] = 1
    place.started()
    for second in (200, 300, 400, 500, 503):
        place.run(second)
    timed_out = place.started(seconds=600)
    place.sql("UPDATE shell_query_polls SET poll_count = 120 WHERE run_id = ?", [timed_out])
    place.run(602)
    place.submit(seconds=610)
    told = dict(
        line.rsplit(" ", 1)
        for line in place.do("metrics", now=at(611)).splitlines()
        if line.startswith("pollctl_shell_query_")
    )
    found = {name.removeprefix("pollctl_shell_query_"): float(value) for name, value in told.items()}
    expected = {
        'runs{status="queued"}': 1, 'runs{status="running"}': 0, 'runs{status="ready"}': 1, 'runs{status="failed"}': 1,
        'runs{status="canceled"}': 0, "polls_total": 5, 'is_running_total{result="true"}': 1,
        'is_running_total{result="false"}': 3, 'is_running_total{result="failed"}': 0, "confirmations_total": 3,
        "row_probes_total": 0, "fast_ready_total": 0, "rowset_retries_total": 1, 'timeouts_total{kind="polls"}': 1,
        'timeouts_total{kind="duration"}': 0, 'timeouts_total{kind="rowset"}': 0, "reconciled_total": 0,
        'duration_seconds_bucket{le="10"}': 1, 'duration_seconds_bucket{le="300"}': 1,
        'duration_seconds_bucket{le="600"}': 2, "duration_seconds_count": 2, "duration_seconds_sum": 505,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    place.sql("UPDATE shell_query_runs SET poll_started_at = ? WHERE status = 'ready'", [at(203)])
    assert 'pollctl_shell_query_duration_seconds_bucket{le="300"} 2.0' in place.do("metrics", now=at(611)).splitlines()
