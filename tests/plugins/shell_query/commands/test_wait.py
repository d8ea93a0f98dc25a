"""``wait`` and ``submit --wait``, beside passes that go on."""

from __future__ import annotations

import json
import re
import threading

import pytest
from plugins.shell_query.place import SQL, Place, at

from pollctl_shell_query.commands import wait
from pollctl_shell_query.fake import COMPLETE, Step

pytestmark = pytest.mark.slow


def test_waiting_for_what_has_ended_says_at_once_what_it_came_to(place: Place) -> None:
    run_id = place.ready([{"a": 1}, {"a": 2}])
    assert place.do("shell-query", "wait", run_id) == f"run {run_id} is ready: 2 rows\n"
    place.upstream.script = [Step(status="Error", error="bad column")]
    failed = place.started(seconds=100)
    place.run(102)
    assert place.do("shell-query", "wait", failed, code=1) == ""
    assert f"run {failed} is failed: bad column" in place.stderr
    canceled = place.submit(seconds=200)
    place.do("shell-query", "cancel", canceled, now=at(201))
    place.do("shell-query", "wait", canceled, code=1)
    assert f"run {canceled} is canceled" in place.stderr
    place.do("shell-query", "wait", "nope", code=2)
    assert "no run 'nope'" in place.stderr


@pytest.mark.parametrize("timeout", ["10ms", "300ms"])
def test_what_has_not_ended_in_time_is_not_yet(place: Place, timeout: str) -> None:
    run_id = place.started()
    assert place.do("shell-query", "wait", run_id, "--timeout", timeout, code=3) == ""
    assert place.stderr == f"run {run_id} is running after {timeout}; it goes on\n"
    place.do("shell-query", "wait", run_id, "--timeout", "soon", code=2)
    assert "write 90s, 20m or 2h" in place.stderr


def test_where_no_pass_begins_a_wait_asks_for_cron_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "_SILENCE_S", 0.1)
    run_id = place.started()
    place.do("shell-query", "wait", run_id, "--timeout", "1500ms", code=3)
    assert place.stderr.count("does cron call `pollctl due --run`?") == 1


def test_a_wait_holds_up_no_pass_and_ends_with_the_run(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    with place.running("shell-query", "wait", run_id, "--timeout", "20s") as waiting:
        place.run(2)
        out, _ = waiting.communicate(timeout=20)
    assert (waiting.returncode, out) == (0, f"run {run_id} is ready: 1 row\n")


def test_submit_can_wait_for_the_end(place: Place) -> None:
    place.submit()  # so that there is a database
    place.upstream.script = [COMPLETE]
    words = ("shell-query", "submit", "--sql", SQL, "--target", "DE_2", "--wait")
    with place.running(*words) as waiting:
        assert waiting.stdout is not None
        run_id = waiting.stdout.readline().strip()
        assert re.fullmatch("[0-9a-f]{16}", run_id)
        for seconds in (1, 3):
            place.run(seconds)
        out, _ = waiting.communicate(timeout=20)
    assert (waiting.returncode, out) == (0, f"run {run_id} is ready: 1 row\n")


def test_submit_that_waits_prints_one_json_document_and_fails_with_its_run(place: Place) -> None:
    place.upstream.script = [Step(status="Error", error="bad column")]
    done = threading.Event()

    def passes() -> None:
        second = 1
        while not done.wait(0.2):
            second += 2
            place.spawn("run", "shell_query", now=at(second))

    going = threading.Thread(target=passes)
    going.start()
    try:
        out = place.do("shell-query", "submit", "--sql", SQL, "--target", "DE_2", "--wait", "--json", code=1)
    finally:
        done.set()
        going.join()
    assert (json.loads(out)["status"], json.loads(out)["error_message"]) == ("failed", "bad column")
    assert "bad column" in place.stderr
