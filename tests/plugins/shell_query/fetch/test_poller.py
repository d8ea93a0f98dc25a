"""The polls of runs: rules 3 to 11, in passes against a fake Marketing Cloud on the loopback."""

from __future__ import annotations

import pytest
from plugins.shell_query.place import BUSY, SQL, Place, at

from pollctl_shell_query.fake import COMPLETE, HTML_500, LOST, PROCESSING, QUEUED, Reply, Step, envelopes
from pollctl_shell_query.fake.hostile import hostile
from pollctl_shell_query.fake.replies import xml_reply

pytestmark = pytest.mark.slow

# rules 3 to 10


def test_a_cancelled_run_is_cleaned_up_without_a_status_request(place: Place) -> None:
    run_id = place.started()
    place.take_requests()
    place.do("shell-query", "cancel", run_id, now=at(1))
    place.run(2)
    assert place.take_requests() == ["delete"]
    assert place.row(run_id, "status, closed_at, sql_text") == ("canceled", at(2), None)
    place.run(10)
    assert place.take_requests() == []


def test_a_cancel_that_lands_during_the_last_request_wins(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.upstream.on_request = lambda kind: (
        place.spawn("shell-query", "cancel", run_id, now=at(2)) if kind == "rowset" else None
    )
    assert "ready" not in place.run(2)["stats"]
    assert place.row(run_id, "status, row_count, completed_at") == ("canceled", None, at(2))
    assert place.upstream.definitions == {}


def test_the_time_of_a_run_is_up_at_29_minutes_without_a_request(place: Place) -> None:
    first = place.started()
    place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(1739.999)])
    place.take_requests()
    place.run(1739.999)
    assert "status" in place.take_requests()
    place.sql("UPDATE shell_query_polls SET next_poll_at = ?, closed_at = NULL", [at(1740)])
    assert place.run(1740)["stats"]["timeout_duration"] == 1
    assert place.take_requests() == ["delete"]
    assert place.row(first, "status, error_message") == ("failed", "Query timed out after 29 minutes")


def test_after_120_polls_none_is_made(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [QUEUED]
    place.sql("UPDATE shell_query_polls SET poll_count = 119")
    place.take_requests()
    place.run(2)
    assert (place.take_requests(), place.row(run_id, "poll_count")) == (["status"], 120)
    place.run(40)
    assert place.take_requests() == ["delete"]
    assert place.row(run_id, "status, error_message") == ("failed", "Poll budget exceeded")


def test_an_error_beats_complete_and_its_message_is_kept_without_the_sql(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [Step(status=" COMPLETE ", error=f"Cannot run {SQL}: bad\x85 column")]
    place.run(2)
    assert place.row(run_id, "status, error_message") == ("failed", "Cannot run [the SQL text]: bad column")
    assert "rowset" not in place.upstream.asked


def test_a_row_in_a_target_of_its_own_lets_rest_be_asked_at_once_and_is_no_end_by_itself(place: Place) -> None:
    run_id = place.started("--create-target", "a:Number")
    place.upstream.script, place.upstream.rows = [QUEUED], []
    place.take_requests()
    place.run(4.999)
    assert place.take_requests() == ["status"]
    place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(5)])
    place.upstream.replies["rowset"] = [HTML_500]
    assert place.run(5)["stats"]["row_probes"] == 1
    assert place.take_requests() == ["status", "rowset"]
    place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(19.999)])
    place.run(19.999)
    assert place.take_requests() == ["status"]
    place.upstream.rows, place.upstream.running = [{"keys": {}, "values": {"a": "1"}}], [True, False]
    for second, requests in ((20, ["status", "rowset", "isrunning"]), (35, ["status", "rowset", "isrunning"])):
        place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(second)])
        place.run(second)
        assert place.take_requests() == requests
    assert place.row(run_id, "status, row_count, not_running_confirmations") == ("running", None, 1)
    place.upstream.rows *= 5
    place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(50)])
    assert place.run(50)["stats"]["fast_ready"] == 1
    assert place.take_requests() == ["status", "rowset", "isrunning", "rowset", "delete"]
    assert place.row(run_id, "status, row_count, row_probe_last_at") == ("ready", 5, at(35))


def test_a_row_that_is_there_while_others_are_on_their_way_is_not_the_result(place: Place) -> None:
    run_id = place.started("--create-target", "a:Number")
    place.upstream.script = [PROCESSING, PROCESSING, COMPLETE]
    for second, rows in ((6, 1), (22, 3), (40, 5)):
        place.upstream.rows = [{"keys": {}, "values": {"a": "1"}}] * rows
        place.run(second)
    assert place.row(run_id, "status, row_count") == ("ready", 5)


def test_a_status_that_says_complete_needs_no_probe(place: Place) -> None:
    run_id = place.started("--create-target", "a:Number")
    place.upstream.script = [COMPLETE]
    place.take_requests()
    place.run(20)
    assert place.take_requests() == ["status", "rowset", "delete"]
    assert place.row(run_id) == "ready"


def test_a_character_that_xml_forbids_hides_no_status(place: Place) -> None:
    run_id = place.started()
    step = envelopes.statuses([{"Status": "Error", "ErrorMsg": "bad value @abc"}]).replace(b"@", b"&#x1F;")
    place.upstream.replies["status"] = [xml_reply(step)]
    place.run(2)
    assert place.row(run_id, "status, error_message") == ("failed", "bad value abc")


def test_a_target_of_somebody_else_is_never_probed(place: Place) -> None:
    place.started("--target", "Theirs")
    place.upstream.script = [QUEUED]
    for second in (5, 30, 60, 100):
        place.run(second)
    assert "rowset" not in place.upstream.asked


def test_rest_is_asked_at_three_minutes_and_proves_the_end_after_two_confirmations(place: Place) -> None:
    run_id = place.started()
    place.upstream.script, place.upstream.running = [QUEUED], [True, False]

    def poll(second: float) -> list[str]:
        place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(second)])
        place.take_requests()
        place.run(second)
        return place.take_requests()

    assert poll(179.999) == ["status"]
    assert poll(180) == ["status", "isrunning"]
    counted = []
    for second in (200, 210):
        assert poll(second) == ["status", "isrunning"]
        counted.append(place.row(run_id, "not_running_confirmations"))
    assert poll(215) == ["status", "isrunning", "rowset", "delete"]
    assert (counted, place.row(run_id)) == ([1, 1], "ready")


def test_a_completed_date_lets_rest_be_asked_after_five_seconds_and_proves_nothing(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [Step(completed_date="3/8/2026 12:00:01 PM")]
    place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(4.999)])
    place.run(4.999)
    place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(5)])
    place.take_requests()
    place.run(5)
    assert place.take_requests() == ["status", "isrunning"]
    assert place.row(run_id, "status, not_running_confirmations") == ("running", 0)


def test_an_is_running_that_contradicts_the_status_is_believed(place: Place) -> None:
    run_id = place.started()
    place.upstream.script, place.upstream.running = [PROCESSING], [False, True, False, False]
    for second in (200, 230, 260):
        place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(second)])
        place.run(second)
    assert place.row(run_id, "status, not_running_confirmations") == ("running", 1)
    place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(275)])
    place.run(275)
    assert place.row(run_id) == "ready"


@pytest.mark.parametrize("reply", [HTML_500, LOST, Reply(body=b'{"isRunning": "no"}'), Reply(status=429)])
def test_a_rest_failure_leaves_the_confirmations(place: Place, reply: Reply) -> None:
    run_id = place.started()
    place.upstream.script = [QUEUED]
    place.sql(
        "UPDATE shell_query_polls SET next_poll_at = ?, not_running_confirmations = 1, not_running_detected_at = ?",
        [at(210), at(200)],
    )
    place.upstream.replies["isrunning"] = [reply, reply]  # a GET that was cut off is repeated once
    assert place.run(210)["stats"]["is_running_failed"] == 1
    assert place.row(run_id, "status, not_running_confirmations, not_running_detected_at") == ("running", 1, at(200))


def test_a_missing_object_id_is_looked_up_by_its_key_and_stored(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [QUEUED]
    place.sql("UPDATE shell_query_runs SET query_definition_id = NULL")
    place.sql("UPDATE shell_query_polls SET next_poll_at = ?", [at(200)])
    place.take_requests()
    place.run(200)
    assert place.take_requests() == ["status", "find", "isrunning"]
    assert place.row(run_id, "query_definition_id") in place.upstream.definitions


@pytest.mark.parametrize(
    "reply",
    [
        HTML_500,
        LOST,
        Reply(status=429),
        Reply(status=403, body=b"Forbidden"),
        Reply(body=b"<html>Login</html>"),
        Reply(body=envelopes.statuses([{"Status": "Complete"}], overall="Error: who knows")),
        Reply(body=envelopes.statuses([{"Status": "Complete"}], kind="Surprise")),
        Reply(body=envelopes.statuses([{"ErrorMsg": "no status"}])),
        Reply(body=envelopes.statuses([])),
        Reply(body=envelopes.fault("soap:Server", "Throttled")),
        Reply(body=b"x" * 2 * 1024**2),
        *(Reply(body=hostile(kind, "http://127.0.0.1:9/")) for kind in ("dtd", "laughs", "deep", "truncated")),
    ],
)
def test_a_status_request_that_fails_counts_as_a_poll_and_the_run_goes_on(place: Place, reply: Reply) -> None:
    run_id = place.started()
    place.upstream.replies["status"] = [reply]
    report = place.run(2, code=1)
    assert place.row(run_id, "status, poll_count, next_poll_at") == ("running", 1, at(6))
    assert run_id in report["error"]["message"]
    place.upstream.script = [COMPLETE]
    place.run(6)
    assert place.row(run_id) == "ready"


def test_a_retry_after_holds_back_all_runs_until_then(place: Place) -> None:
    first = place.started()
    second = place.started(seconds=1)
    place.upstream.script = [QUEUED]
    place.upstream.replies["status"] = [BUSY]
    place.run(2, code=1)
    assert place.row(first, "next_poll_at") == at(92)
    place.take_requests()
    place.run(91.999)
    assert place.take_requests() == []
    place.run(92)
    assert place.take_requests() == ["status", "status"]
    assert [place.row(one, "poll_count") for one in (first, second)] == [2, 1]


def test_a_run_runs_out_of_time_while_its_upstream_wants_peace(place: Place) -> None:
    run_id = place.started()
    place.upstream.replies["status"] = [Reply(status=503, headers={"Retry-After": "86400"})]
    place.run(2, code=1)
    place.take_requests()
    place.run(1740)
    assert place.row(run_id) == "failed"
    assert place.take_requests() == []


# rule 11


def test_a_rowset_that_becomes_readable_late_is_waited_for(place: Place) -> None:
    run_id = place.started()
    place.upstream.script, place.upstream.missing["DE_1"] = [COMPLETE], 5
    moments = [2, 5, 11, 19, 27, 35]
    for second in moments:
        place.run(second - 0.001)
        place.run(second)
    assert [detail for kind, detail in place.upstream.details if kind == "status"].__len__() == 1
    assert place.upstream.count("rowset") == 6
    assert place.row(run_id, "status, row_count, rowset_attempts, poll_count, completed_at") == (
        "ready",
        1,
        5,
        6,
        at(35),
    )


@pytest.mark.parametrize("reply", [Reply(status=404), Reply(status=409), HTML_500, Reply(body=b'{"count": -1}')])
def test_the_sixth_failure_of_the_rowset_is_the_end(place: Place, reply: Reply) -> None:
    run_id = place.started()
    place.upstream.script, place.upstream.always["rowset"] = [COMPLETE], reply
    for second in (2, 5, 11, 19, 27):
        place.run(second)
        assert place.row(run_id) == "running"
    place.run(35)
    message = "Data Extension DE_1 not queryable after 6 attempts"
    assert place.row(run_id, "status, error_message, poll_count") == ("failed", message, 6)


def test_an_empty_result_is_a_result(place: Place) -> None:
    run_id = place.started()
    place.upstream.script, place.upstream.rows = [COMPLETE], []
    place.run(2)
    assert place.row(run_id, "status, row_count") == ("ready", 0)


def test_what_a_row_holds_does_not_decide_whether_it_is_there(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.upstream.rows = [{"keys": {}, "values": {"a": "x\0y", "b": 10**30}}]
    place.run(2)
    assert place.row(run_id, "status, row_count") == ("ready", 1)


@pytest.mark.parametrize("count", ["-1", "9223372036854775808", "1e3", "true", '"1"', "null"])
def test_what_is_no_count_is_no_end(place: Place, count: str) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.upstream.replies["rowset"] = [Reply(body=b'{"count": %s, "items": []}' % count.encode())]
    place.run(2)
    assert place.row(run_id, "status, rowset_attempts") == ("running", 1)


def test_a_key_with_odd_letters_is_asked_for_as_it_is(place: Place) -> None:
    place.started("--target", "a/b c%?&ü#")
    place.upstream.script = [COMPLETE]
    place.run(2)
    assert ("rowset", "a/b c%?&ü#") in place.upstream.details
