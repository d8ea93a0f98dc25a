"""The commands of stockx_ops."""

from __future__ import annotations

from plugins.stockx_ops.place import Place, at

from pollctl_stockx_ops.fake import COMPLETED, Reply

# rules 12 and 13


def test_without_a_listing_v2_refuses_to_track_and_a_job_of_another_program_times_out(place: Place) -> None:
    place.do("stockx-ops", "track", "op", "--user", "anna", "--type", "create_listing", code=2)
    assert "cannot ask about an operation without its listing" in place.stderr
    place.insert("j", stockx_listing_id=None)
    assert place.run(at(0))["stats"]["processed"] == 0
    assert place.run(at(840))["stats"]["processed"] == 0
    assert place.run(at(840.001))["stats"]["timed_out"] == 1
    assert place.upstream.asked == []


def test_a_retried_job_is_asked_about_at_once(place: Place) -> None:
    place.upstream.script = {"op-j": [Reply(state="failed"), COMPLETED]}
    place.insert("j")
    place.run(at(0))
    place.do("stockx-ops", "retry", "j", now=at(5))
    assert place.job("j", "status, started_at, attempt") == ("PENDING", at(5), 2)
    place.run(at(5))
    assert [status for status, _ in place.history("j")] == ["FAILED", "PENDING", "COMPLETED"]
    place.do("stockx-ops", "retry", "j", now=at(6), code=1)
    assert "job j is COMPLETED; only a FAILED one can be retried" in place.stderr


def test_the_commands_list_what_there_is(place: Place) -> None:
    place.insert("j1")
    place.insert("j2", started_at=at(0))
    place.run()
    assert [job["id"] for job in place.ask("jobs")] == ["j2", "j1"]
    assert [job["id"] for job in place.ask("jobs", "--status", "completed")] == ["j1"]
    assert place.ask("stats")["completed"] == 1
    assert place.ask("account", "list")[0]["user_id"] == "anna"
    for words in (("jobs",), ("listings",), ("history",), ("stats",), ("account", "list")):
        assert place.do("stockx-ops", *words)
    place.do("stockx-ops", "retry", "nope", code=2)
    assert "no job 'nope'" in place.stderr
    place.do("stockx-ops", "account", "revoke", "nobody", code=2)
    place.do("stockx-ops", "account", "connect", "x", "--refresh-token-env", "NOT_SET_AT_ALL", code=2)
    assert "NOT_SET_AT_ALL is not set" in place.stderr
    assert 'pollctl_stockx_ops_jobs{status="COMPLETED"} 1.0' in place.do("metrics")


def test_an_operation_is_followed_by_one_job_at_a_time(place: Place) -> None:
    words = ("stockx-ops", "track", "op-1", "--user", "carla", "--type", "create_listing", "--listing", "L1")
    place.do(*words)
    assert "account carla is not connected" in place.stderr
    place.do(*words, code=1)
    assert "follows operation op-1 already" in place.stderr
