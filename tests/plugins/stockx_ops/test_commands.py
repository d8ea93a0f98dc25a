"""The commands of stockx_ops."""

from __future__ import annotations

import json

from plugins.stockx_ops.place import Place, at

from pollctl_stockx_ops.fake import COMPLETED, OPEN, Reply

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
    assert [status for status, _ in place.history("j")] == ["FAILED", "PENDING", "ACTIVE"]
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
    ((first,),) = place.sql("SELECT id FROM stockx_batch_jobs")
    for _ in range(2):
        assert place.do(*words).strip() == first
        assert f"job {first} of carla follows op-1 since {at()}: PENDING" in place.stderr
    place.sql("UPDATE stockx_batch_jobs SET status = 'FAILED'")
    assert json.loads(place.do(*words, "--json"))["id"] == first
    assert place.sql("SELECT count(*) FROM stockx_batch_jobs") == [(1,)]


def test_listings_show_what_is_asked_for_the_newest_first(place: Place) -> None:
    place.connect("boris")
    for number, user in enumerate(("anna", "boris", "anna")):
        place.insert(f"j{number}", user=user, started_at=at(-300 + 100 * number))
        place.run(at(10 * number))
    place.insert("lost", user="boris", started_at=at(0))
    place.upstream.script = {"op-lost": [Reply(state="failed")]}
    place.run(at(40))

    def ids(*words: str) -> list[str]:
        return [row.get("id") if words[0] == "jobs" else row["stockx_listing_id"][8:] for row in place.ask(*words)]

    assert ids("jobs") == ["lost", "j2", "j1", "j0"]
    assert ids("jobs", "--user", "anna") == ["j2", "j0"]
    assert ids("jobs", "--since", at(-200)) == ["lost", "j2", "j1"]
    assert ids("jobs", "--user", "boris", "--status", "completed", "--limit", "1") == ["j1"]
    assert ids("listings") == ["j2", "j1", "j0"]
    assert ids("listings", "--user", "boris") == ["j1"]
    assert ids("listings", "--since", at(10), "--limit", "1") == ["j2"]
    assert ids("history") == ["lost", "j2", "j1", "j0"]
    assert ids("history", "--user", "boris") == ["lost", "j1"]
    assert ids("history", "--since", at(20)) == ["lost", "j2"]
    assert ids("history", "--limit", "2", "--user", "anna") == ["j2", "j0"]
    place.do("stockx-ops", "jobs", "--since", "yesterday", code=2)
    place.do("stockx-ops", "jobs", "--limit", "few", code=2)
    assert len(ids("jobs", "--limit", "0")) == 4
    assert len(ids("jobs", "--limit", "9" * 30)) == 4


def test_numbers_of_one_user_are_those_of_their_jobs(place: Place) -> None:
    place.connect("boris")
    place.insert("a", started_at=at(0))
    place.insert("b", user="boris", started_at=at(0))
    pause = Reply(status=429, headers={"Retry-After": "1"})
    place.upstream.script = {"op-b": [OPEN, pause, Reply(state="failed"), COMPLETED]}
    for seconds in (20, 40, 100):
        place.run(at(seconds))
    place.do("stockx-ops", "retry", "b", now=at(100))
    place.run(at(100))
    found = place.ask("stats", "--user", "boris")
    assert {name: found[name] for name in ("processed", "completed", "failed", "in_progress", "rate_limited")} == {
        "processed": 4, "completed": 1, "failed": 1, "in_progress": 1, "rate_limited": 1
    }  # fmt: skip
    assert found["success_rate"]["create_listing"] == 1
    everybody = place.ask("stats")
    assert (everybody["processed"], everybody["completed"]) == (5, 2)
    assert place.ask("stats", "--since", at(100))["processed"] == 2
    assert place.ask("stats", "--limit", "1")["completed"] == 1
    assert place.ask("stats", "--user", "nobody")["mean_completion_seconds"] is None
