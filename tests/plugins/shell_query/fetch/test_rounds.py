"""The rounds of a pass: the reconciler (rule 14), what is needed before anything is asked, and the window."""

from __future__ import annotations

import json
import time

import pytest
from plugins.shell_query.place import SQL, Place, at

from pollctl_shell_query.fake import COMPLETE, HTML_500, QUEUED


def test_the_reconciler_takes_up_a_run_without_an_open_poll_and_a_second_one_changes_nothing(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [QUEUED]
    place.sql(
        "UPDATE shell_query_polls SET closed_at = ?1, poll_count = 7, not_running_confirmations = 1, rowset_attempts = 2, "
        "not_running_detected_at = ?1, row_probe_last_at = ?1",
        [at(10)],
    )
    place.take_requests()
    place.run(120)
    assert place.take_requests() == []
    assert place.run(120.001)["stats"]["reconciled"] == 1
    assert place.take_requests() == ["status"]
    assert place.row(run_id, "poll_started_at, poll_count, closed_at") == (at(0), 8, None)
    rebuilt = place.row(
        run_id, "not_running_confirmations, not_running_detected_at, rowset_attempts, row_probe_last_at"
    )
    assert rebuilt == (0, None, 0, None)
    assert "reconciled" not in place.run(121)["stats"]
    assert place.take_requests() == []


def test_the_reconciler_rebuilds_a_poll_state_that_is_gone(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.sql("DELETE FROM shell_query_polls")
    place.run(121)
    assert place.row(run_id) == "ready"


def test_a_queued_run_with_a_task_is_polled_and_not_started_again(place: Place) -> None:
    run_id = place.started()
    place.sql("DELETE FROM shell_query_polls")
    place.sql("UPDATE shell_query_runs SET status = 'queued', admitted_at = NULL")
    place.take_requests()
    place.run(121)
    assert place.take_requests() == ["status"]
    assert place.row(run_id, "status, poll_started_at") == ("running", at(0))


def test_without_anything_to_do_no_setting_is_needed_and_nothing_is_asked(place: Place) -> None:
    place.configure(auth_url="", client_id="", client_secret="")
    assert place.run(0)["outcome"] == "ok"
    place.submit()
    report = place.run(1, code=1)
    for name in ("auth_url", "client_id", "client_secret"):
        assert f"{name} is empty" in report["error"]["message"]
    assert place.upstream.asked == []


def test_a_wsdl_that_cannot_be_used_fails_the_pass_before_a_run_is_admitted(place: Place) -> None:
    place.configure(wsdl="nowhere.wsdl")
    run_id = place.submit()
    report = place.run(0, code=1)
    assert "nowhere.wsdl" in report["error"]["message"]
    assert place.row(run_id, "status, admitted_at") == ("queued", None)


def test_one_run_that_is_not_answered_hides_no_other(place: Place) -> None:
    runs = [place.started(seconds=second / 10) for second in range(3)]
    place.upstream.script = [COMPLETE]
    place.upstream.replies["status"] = [HTML_500]
    report = place.run(3, code=3)
    assert sorted(place.row(run_id) for run_id in runs) == ["ready", "ready", "running"]
    assert report["stats"]["polls"] == 3


@pytest.mark.slow
def test_within_a_window_a_query_is_carried_from_its_submission_to_its_end(place: Place) -> None:
    """A real clock: the run is polled by the same pass that started it."""
    quick = {"initial_delay": "200ms", "max_delay": "200ms", "window": "4s"}
    place.configure(**quick)
    place.now = ""
    place.upstream.script = [QUEUED, QUEUED, COMPLETE]
    began = time.monotonic()
    run_id = place.do("shell-query", "submit", "--sql", SQL, "--target", "DE_1").strip()
    report = json.loads(place.do("run", "shell_query", "--json"))
    assert place.row(run_id, "status, poll_count") == ("ready", 3)
    assert report["stats"]["polls"] == 3
    assert place.upstream.definitions == {}
    assert time.monotonic() - began < 9
