"""Jobs kept elsewhere, on a real PostgreSQL behind a fake PostgREST: read, claimed, sampled, sent, ended (S1 to S11)."""

from __future__ import annotations

import json
import uuid
from base64 import urlsafe_b64encode
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from plugins.latency.place import NOON
from plugins.latency.remote import Remote
from plugins.latency.values import NOON as NOON_MOMENT

from pollctl import HttpUrl, Secret, to_text
from pollctl.api.values import Answer
from pollctl.concurrency.cancellation import Stop
from pollctl.fakes import ServerRequest
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl_latency.client.postgrest import PostgRest, headers
from pollctl_latency.fake.api import LOST, Reply
from pollctl_latency.fake.postgrest import SECRET_KEY, Fault
from pollctl_latency.fetch.remote import UnreadableError, pages
from pollctl_latency.model import Supabase

pytestmark = pytest.mark.slow

OUTAGE = Fault(503, "PGRST002")


def jwt(role: str) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, {"role": role})]
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, b"signed"))


def add_samples(remote: Remote, count: int, job_id: int = 1, first: int = 0) -> None:
    """Samples as passes would have taken them."""
    rows = [(job_id, first + n, 20.5, to_text(NOON_MOMENT + timedelta(seconds=5 * (first + n)))) for n in range(count)]
    for row in rows:
        remote.sql("INSERT INTO latency_samples VALUES (?, ?, 'success', ?, NULL, ?, NULL, NULL)", list(row))


def local(remote: Remote) -> list[tuple[Any, ...]]:
    return remote.sql("SELECT target, status FROM latency_jobs ORDER BY id")


# S1: one to one


def test_a_job_and_its_samples_are_one_to_one(remote: Remote) -> None:
    remote.api.script["alpha"] = [Reply(elapsed=10), Reply(elapsed=15.5), LOST]
    job = remote.create("alpha", duration_seconds=120, cadence_seconds=60)
    remote.passes(0)
    assert remote.there("SELECT poller, claimed_at FROM jobs") == [("pod-1", "2026-03-08T12:00:00+00:00")]
    remote.passes(1, 2, 3)

    assert remote.there("SELECT * FROM samples ORDER BY sequence_number") == [
        (job, 0, "success", 10, None, None, "2026-03-08T12:01:00+00:00"),
        (job, 1, "success", 15.5, 5.5, None, "2026-03-08T12:02:00+00:00"),
    ]
    done = remote.there("SELECT status, completed_at, summary->'verdict' AS verdict, summary->'success' AS n FROM jobs")
    assert done == [("completed", "2026-03-08T12:03:00+00:00", "pass", 2)]
    assert remote.sql("SELECT state, sent_through, is_sending FROM latency_mirror") == [("closed", 1, 0)]
    for address in remote.asked("POST"):
        assert "columns=job_id,sequence_number,status,rtt_ms,jitter_ms,error,recorded_at" in address
    body = json.loads(next(one.body for one in remote.postgrest.requests if one.method == "POST"))
    assert set(body[0]) == {"job_id", "sequence_number", "status", "rtt_ms", "jitter_ms", "error", "recorded_at"}


def test_the_reason_of_a_failure_goes_along(remote: Remote) -> None:
    remote.create("gone")
    remote.passes(0, 1)
    assert remote.there("SELECT status, rtt_ms, error FROM samples") == [("missed", None, "Request timeout")]


# S2: pages


def many(remote: Remote, count: int) -> list[str]:
    remote.there(
        "INSERT INTO jobs (target, monitoring_mode) SELECT 'host-' || n, 'real_polling' FROM generate_series(1, ?) AS n",
        count,
    )
    return [one for (one,) in remote.there("SELECT id FROM jobs ORDER BY id")]


def read_pages(remote: Remote) -> list[str]:
    with closing(Client(Limits(), stop=Stop())) as client:
        rest = PostgRest(Supabase(url=HttpUrl(remote.postgrest.url), key=Secret(SECRET_KEY)), client.send)
        return [row["id"] for row in pages(rest)]


def test_no_job_is_lost_when_others_are_cancelled_between_two_pages(remote: Remote) -> None:
    ids = many(remote, 2500)

    def cancel_ten(_: Any) -> None:
        if len(remote.asked("GET")) == 1:
            remote.there(
                f"UPDATE jobs SET status = 'cancelled' WHERE id IN ({', '.join('?' for _ in range(10))})", *ids[:10]
            )

    remote.postgrest.then = cancel_ten
    assert read_pages(remote) == ids
    assert len(remote.asked("GET")) == 4  # three pages and the empty one


def test_a_read_that_fails_midway_changes_no_job(remote: Remote) -> None:
    known = [remote.create(f"host-{number}") for number in range(3)]
    remote.passes(0)
    before = local(remote)
    remote.postgrest.then = lambda _: (
        remote.postgrest.faults.append(OUTAGE) if len(remote.asked("GET")) == seen + 1 else None
    )
    seen = len(remote.asked("GET"))
    remote.change(known[0], status="cancelled")
    assert remote.run("2026-03-08T12:01:00Z", code=3)["outcome"] == "partial"
    assert local(remote) == before
    remote.postgrest.then = lambda _: None
    remote.passes(2)
    assert [status for _, status in local(remote)] == ["cancelled", "running", "running"]


def test_a_page_that_fails_is_no_page(remote: Remote) -> None:
    remote.create()
    remote.postgrest.faults.append(OUTAGE)
    with pytest.raises(UnreadableError):
        read_pages(remote)


# S3: keys


@pytest.mark.parametrize(("key", "bearer"), [("sb_secret_x", None), (jwt("service_role"), "Bearer"), ("a.b.c", None)])
def test_a_jwt_goes_as_bearer_too_and_any_other_key_does_not(key: str, bearer: str | None) -> None:
    sent = headers(key)
    assert sent["apikey"] == key
    assert sent.get("Authorization") == (f"Bearer {key}" if bearer else None)
    assert sent["User-Agent"].startswith("pollctl-latency/")


def test_both_kinds_of_key_are_taken(remote: Remote) -> None:
    job = remote.create()
    remote.configure(key=jwt("service_role"))
    remote.passes(0, 1)
    remote.configure(key=SECRET_KEY)
    remote.passes(2)
    assert remote.numbers(job) == [0, 1]


@pytest.mark.parametrize("key", ["sb_publishable_x", jwt("anon"), ""], ids=["publishable", "anon", "none"])
def test_a_key_for_browsers_is_refused_with_a_word(remote: Remote, key: str) -> None:
    remote.configure(key=key)
    for command in (("run", "latency"), ("check",)):
        assert "the secret key" in remote.do(*command, code=2) + remote.stderr
    assert remote.postgrest.requests == []


# S4: reads that fail


@pytest.mark.parametrize(
    ("key", "said"),
    [(jwt("anonymous"), ""), ("sb_secret_wrong", "key refused (401)")],
    ids=["a role that is not there", "a wrong key"],
)
def test_a_refused_key_lets_known_jobs_be_sampled_and_is_told_at_once(remote: Remote, key: str, said: str) -> None:
    remote.create("alpha")
    remote.passes(0)
    remote.configure(key=key)
    report = remote.run("2026-03-08T12:01:00Z", code=3)
    assert (report["outcome"], report["stats"]["samples"]) == ("partial", 1)
    assert said in report["error"]["message"]
    if said:
        told = remote.sql("SELECT key FROM outbox WHERE kind = 'tell'")
        remote.run("2026-03-08T12:02:00Z", code=3)
        assert len(told) == 1
        assert remote.sql("SELECT key FROM outbox WHERE kind = 'tell'") == told
        assert said in remote.do("status", "--json")


def test_a_refused_key_without_any_sample_is_a_failed_pass(remote: Remote) -> None:
    remote.configure(key="sb_secret_wrong")
    assert remote.run(code=1)["outcome"] == "failed"


def test_a_missing_grant_is_named(remote: Remote, project: str) -> None:
    from postgres import execute

    execute(project, "REVOKE SELECT ON jobs FROM service_role")
    try:
        report = remote.run(code=1)
        assert "GRANT missing on jobs: see supabase.sql (403 42501)" in report["error"]["message"]
        assert "GRANT missing on jobs: see supabase.sql (403 42501)" in remote.do("check")
    finally:
        execute(project, "GRANT SELECT ON jobs TO service_role")
    assert "kept elsewhere" not in remote.do("check")


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_outage_lets_known_jobs_be_sampled(remote: Remote, status: int) -> None:
    remote.postgrest.outage = Fault(status, "PGRST002")
    assert remote.run(code=1)["outcome"] == "failed"  # no job is known yet
    remote.postgrest.outage = None
    remote.create("alpha")
    remote.passes(1)
    remote.postgrest.outage = Fault(status, "PGRST002")
    report = remote.run("2026-03-08T12:02:00Z", code=3)
    assert (report["outcome"], report["stats"]["samples"]) == ("partial", 1)
    assert remote.run("2026-03-08T12:02:01Z", code=3)["outcome"] == "partial"  # nothing was due
    assert remote.sql("SELECT count(*) FROM outbox WHERE kind = 'tell'") == [(0,)]


# S5: the samples are the queue


def test_an_outage_costs_one_row_a_job_and_loses_nothing(remote: Remote) -> None:
    jobs = [remote.create(f"host-{number}") for number in range(3)]
    remote.passes(0)
    remote.postgrest.outage = OUTAGE
    for minute in range(1, 21):
        remote.run(f"2026-03-08T12:{minute:02d}:00Z", code=3)
    assert remote.sql("SELECT kind, count(*) FROM outbox WHERE status = 'pending' GROUP BY 1") == [("mirror", 3)]
    assert [remote.numbers(job) for job in jobs] == [[], [], []]
    (state,) = json.loads(remote.do("status", "--json", now="2026-03-08T12:21:00Z"))
    waiting = "mirror: 60 samples of 3 jobs waiting since 12:01:00 UTC, last answer 503 PGRST002"
    assert waiting in state["notice"]
    assert waiting in remote.do("why", "latency", now="2026-03-08T12:21:00Z")

    remote.postgrest.outage = None
    remote.passes(30)
    assert [remote.numbers(job) for job in jobs] == [[*range(21)]] * 3
    assert remote.sql("SELECT count(*) FROM outbox WHERE status = 'pending'") == [(0,)]


def test_a_long_queue_goes_in_posts_of_a_thousand(remote: Remote) -> None:
    job = remote.create("alpha", duration_seconds=86_400)
    remote.passes(0)
    add_samples(remote, 2500)
    remote.passes(1)
    assert remote.numbers(job) == [*range(2501)]
    sizes = [len(json.loads(one.body)) for one in remote.postgrest.requests if one.method == "POST"]
    assert sizes == [1000, 1000, 501]


def test_samples_that_were_not_sent_are_never_pruned(remote: Remote) -> None:
    job = remote.create("alpha", duration_seconds=60)
    remote.configure(keep_samples="1h")
    remote.passes(0)
    remote.postgrest.outage = OUTAGE
    for moment in ("2026-03-08T12:01:00Z", "2026-03-08T12:02:00Z", "2026-03-10T12:00:00Z"):
        remote.run(moment, code=3)
    assert remote.sql("SELECT count(*) FROM latency_samples") == [(1,)]
    remote.postgrest.outage = None
    remote.run("2026-03-10T13:00:00Z")
    assert remote.numbers(job) == [0]
    remote.run("2026-03-10T14:00:00Z")
    assert remote.sql("SELECT count(*) FROM latency_samples") == [(0,)]


def test_an_answer_that_is_lost_after_the_commit_doubles_nothing_and_is_not_told(remote: Remote) -> None:
    job = remote.create("alpha", duration_seconds=120)
    remote.passes(0)
    remote.postgrest.faults.append(Fault(is_after=True, table="samples"))
    remote.run("2026-03-08T12:01:00Z", code=3)
    assert remote.numbers(job) == [0]
    remote.passes(3, 4)
    assert remote.numbers(job) == [0]
    assert remote.there("SELECT status, summary->'success' AS n FROM jobs") == [("completed", 1)]
    assert remote.sql("SELECT key FROM outbox WHERE key LIKE 'mirror_swallowed%'") == []


# S6: ends


def test_the_end_goes_after_the_last_sample_also_through_an_outage(remote: Remote) -> None:
    remote.create("alpha", duration_seconds=60)
    remote.passes(0)
    remote.postgrest.outage = OUTAGE
    for minute in (1, 2):
        remote.run(f"2026-03-08T12:0{minute}:00Z", code=3)
    assert local(remote) == [("alpha", "completed")]
    remote.postgrest.outage = None
    remote.postgrest.requests.clear()
    remote.passes(10)
    writes = [(one.method, one.parts[-1]) for one in remote.postgrest.requests if one.method != "GET"]
    assert writes == [("POST", "samples"), ("PATCH", "jobs")]
    assert remote.there("SELECT status, completed_at FROM jobs") == [("completed", "2026-03-08T12:02:00+00:00")]


def test_a_lost_guard_is_read_again_and_the_remote_status_wins(remote: Remote) -> None:
    job = remote.create("alpha", duration_seconds=60)
    remote.passes(0, 1)

    def cancel_after_the_pages(_: Any) -> None:
        if len(remote.asked("GET")) == seen + 2:
            remote.change(job, status="cancelled")

    seen = len(remote.asked("GET"))
    remote.postgrest.then = cancel_after_the_pages
    remote.passes(2)
    assert local(remote) == [("alpha", "cancelled")]
    assert remote.there("SELECT status FROM jobs") == [("cancelled",)]
    assert remote.sql("SELECT state FROM latency_mirror") == [("closed",)]


def test_an_end_whose_answer_was_lost_is_the_end(remote: Remote) -> None:
    remote.create("alpha", duration_seconds=60)
    remote.passes(0, 1)

    def lose_the_answer_of_the_end(request: ServerRequest) -> None:
        if request.method == "GET" and "id=gt" in request.address:  # the last of the read
            remote.postgrest.faults.extend([Fault(is_after=True, table="jobs")] * 2)

    remote.postgrest.then = lose_the_answer_of_the_end
    remote.run("2026-03-08T12:02:00Z", code=3)
    remote.postgrest.then = lambda _: None
    remote.postgrest.faults.clear()
    assert remote.there("SELECT status FROM jobs") == [("completed",)]
    remote.passes(10)
    assert local(remote) == [("alpha", "completed")]
    assert remote.sql("SELECT state FROM latency_mirror") == [("closed",)]
    assert remote.sql("SELECT count(*) FROM outbox WHERE status = 'pending'") == [(0,)]


# S7: jobs and rows that are not taken


def test_a_job_that_is_deleted_there_ends_here_and_others_go_on(remote: Remote) -> None:
    first, gone, last = (remote.create(name) for name in ("alpha", "beta", "gamma"))
    remote.passes(0)
    remote.postgrest.outage = OUTAGE
    remote.run("2026-03-08T12:01:00Z", code=3)
    remote.there("DELETE FROM jobs WHERE id = ?", gone)
    remote.postgrest.outage = None
    report = remote.run("2026-03-08T12:10:00Z")
    assert report["stats"]["samples_dropped"] == 1
    assert sorted(local(remote)) == [("alpha", "running"), ("beta", "cancelled"), ("gamma", "running")]
    assert (remote.numbers(first), remote.numbers(last)) == ([0, 1], [0, 1])
    assert remote.sql("SELECT state, dropped FROM latency_mirror WHERE remote_id = ?", [gone]) == [("gone", 1)]
    remote.passes(11)
    assert remote.sql("SELECT count(*) FROM outbox WHERE status = 'pending'") == [(0,)]


def test_a_row_that_is_not_taken_is_found_held_told_and_released(remote: Remote, project: str) -> None:
    from postgres import execute

    job = remote.create("alpha", duration_seconds=86_400)
    remote.passes(0)
    add_samples(remote, 40)
    remote.sql("UPDATE latency_samples SET rtt_ms = 99999 WHERE sequence_number = 17")
    execute(project, "ALTER TABLE samples ADD CONSTRAINT quick CHECK (rtt_ms < 1000)")
    try:
        remote.passes(1)
        assert remote.numbers(job) == [number for number in range(41) if number != 17]
        (held,) = json.loads(remote.do("latency", "mirror", "held", "--json"))
        assert (held["sequence_number"], held["reason"], held["is_released"]) == (17, "400 23514", False)
        assert "1 sample not taken there" in remote.do("status", "--json")
        (message,) = remote.sql("SELECT payload FROM outbox WHERE key LIKE 'mirror_held%'")
        assert "1 sample of job 1 will not be taken by the other side (400 23514)" in message[0]
        assert "99999" not in message[0]
        posts = len(remote.asked("POST"))
        remote.passes(2)
        assert len(remote.asked("POST")) == posts + 1  # the new sample alone: what is held is not tried again
        remote.do("latency", "mirror", "release", "1")
        remote.passes(3)
        assert 17 not in remote.numbers(job)  # held once more
    finally:
        execute(project, "ALTER TABLE samples DROP CONSTRAINT quick")
    remote.do("latency", "mirror", "release", "--all")
    remote.passes(4, 5)
    assert remote.numbers(job) == [*range(45)]
    assert json.loads(remote.do("latency", "mirror", "held", "--json")) == []
    remote.do("latency", "mirror", "release", "1", code=2)


# S8: who samples a job


def test_a_local_database_that_was_lost_swallows_no_sample(remote: Remote) -> None:
    job = remote.create("alpha", duration_seconds=86_400)
    remote.passes(0, 1, 2)
    assert remote.numbers(job) == [0, 1]
    for file in remote.folder.glob("pollctl.db*"):
        file.unlink()
    remote.passes(3, 4, 5)
    assert remote.numbers(job) == [0, 1, 2, 3]
    assert remote.sql("SELECT sequence_number FROM latency_samples") == [(2,), (3,)]
    assert remote.sql("SELECT key FROM outbox WHERE key LIKE 'mirror_swallowed%'") == []


def test_numbers_that_another_took_are_told_where_the_batch_is_fresh(remote: Remote) -> None:
    job = remote.create("alpha", duration_seconds=86_400)
    remote.passes(0)
    remote.there("INSERT INTO samples VALUES (?, 0, 'success', 7, NULL, NULL, ?)", job, NOON)
    remote.passes(1)
    (message,) = remote.sql("SELECT payload FROM outbox WHERE key LIKE 'mirror_swallowed%'")
    assert "1 of 1 sample of job 1 had numbers that were taken on the other side" in message[0]


def test_two_pollers_share_the_jobs_and_one_takes_over_what_the_other_left(remote: Remote) -> None:
    job = remote.create("alpha", duration_seconds=86_400)
    remote.passes(0, 1, 2)  # pod-1 has it, and its probe of 12:02 was told
    (remote.folder / "pollctl.db").rename(remote.folder / "pod-1.db")
    remote.configure(poller="pod-2")
    remote.run("2026-03-08T12:12:00Z")  # ten minutes to the moment: not yet
    assert local(remote) == []
    assert "1 job claimed by others" in remote.do("status", "--json")
    remote.run("2026-03-08T12:12:00.001Z")
    assert remote.there("SELECT poller FROM jobs") == [("pod-2",)]
    remote.passes(13)
    assert remote.numbers(job) == [0, 1, 2]

    (remote.folder / "pollctl.db").rename(remote.folder / "pod-2.db")
    (remote.folder / "pod-1.db").rename(remote.folder / "pollctl.db")
    remote.configure(poller="pod-1")
    remote.passes(14)  # it comes back and hears that the job is not its own any more
    assert local(remote) == [("alpha", "cancelled")]
    assert remote.there("SELECT status, poller FROM jobs") == [("running", "pod-2")]


def test_two_that_claim_at_once_share_no_job(remote: Remote) -> None:
    job = remote.create("alpha")
    remote.postgrest.then = lambda request: (
        remote.change(job, poller="pod-2", claimed_at=NOON)
        if request.method == "GET" and not remote.asked("PATCH")
        else None
    )
    remote.passes(0)
    assert local(remote) == []
    remote.postgrest.then = lambda _: None
    remote.passes(1)
    assert local(remote) == []
    assert remote.sql("SELECT * FROM latency_mirror_claims") == []


def test_without_a_name_that_stays_nothing_is_claimed(remote: Remote) -> None:
    remote.configure(poller="")
    said = remote.do("check", code=2) + remote.stderr
    assert "supabase.poller is not set, and neither is [pollctl] host_id" in " ".join(said.split())
    remote.configure(poller="", core='host_id = "pod-9"')
    remote.create()
    remote.passes(0)
    assert remote.there("SELECT poller FROM jobs") == [("pod-9",)]


# S9: changes there


def test_a_job_that_is_cancelled_there_ends_with_the_next_read_and_what_was_sampled_is_sent(remote: Remote) -> None:
    job = remote.create("alpha")
    remote.passes(0)
    remote.postgrest.outage = OUTAGE
    remote.run("2026-03-08T12:01:00Z", code=3)
    remote.postgrest.outage = None
    remote.change(job, status="cancelled")
    remote.passes(5, 6)
    assert local(remote) == [("alpha", "cancelled")]
    assert remote.numbers(job) == [0]
    assert remote.there("SELECT status, summary FROM jobs") == [("cancelled", None)]
    assert remote.sql("SELECT state FROM latency_mirror") == [("closed",)]


def test_a_job_that_is_cancelled_there_while_its_probe_is_in_flight_keeps_that_sample_and_gets_no_other(
    remote: Remote,
) -> None:
    job = remote.create("alpha")
    remote.passes(0, 1)

    def cancelled_meanwhile(label: str, target: str) -> Reply:
        remote.change(job, status="cancelled")
        return Reply(elapsed=25)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(remote.api, "reply", cancelled_meanwhile)
        remote.passes(2)
    assert remote.numbers(job) == [0, 1], "taken until then, and sent"
    probes = len(remote.api.requests)
    remote.passes(3, 4)
    assert (remote.numbers(job), len(remote.api.requests)) == ([0, 1], probes)
    assert local(remote) == [("alpha", "cancelled")]
    assert remote.there("SELECT status, summary FROM jobs") == [("cancelled", None)]


def test_a_job_that_is_set_back_to_running_is_sampled_again_and_its_numbers_go_on(remote: Remote) -> None:
    job = remote.create("alpha")
    remote.passes(0, 1, 2)
    remote.change(job, status="cancelled")
    remote.passes(3)
    remote.change(job, status="running")
    remote.passes(4, 5, 6)
    assert local(remote) == [("alpha", "cancelled"), ("alpha", "running")]
    assert remote.numbers(job) == [0, 1, 2, 3]
    assert remote.there("SELECT status, poller FROM jobs") == [("running", "pod-1")]


def test_a_job_of_which_samples_are_held_is_claimed_again_only_when_they_are_released(
    remote: Remote, project: str
) -> None:
    from postgres import execute

    job = remote.create("alpha")
    remote.passes(0)
    add_samples(remote, 3)
    remote.sql("UPDATE latency_samples SET rtt_ms = 99999 WHERE sequence_number = 1")
    execute(project, "ALTER TABLE samples ADD CONSTRAINT quick CHECK (rtt_ms < 1000)")
    try:
        remote.passes(1)
        remote.change(job, status="cancelled")
        remote.passes(2)
        remote.change(job, status="running")
        remote.passes(3)
    finally:
        execute(project, "ALTER TABLE samples DROP CONSTRAINT quick")
    assert local(remote) == [("alpha", "cancelled")]
    remote.do("latency", "mirror", "release", "1")
    remote.passes(4, 5, 6)
    assert local(remote) == [("alpha", "cancelled"), ("alpha", "running")]
    numbers = remote.numbers(job)
    assert numbers == [*range(len(numbers))], "the one that was held is there"


def test_cadence_and_duration_hold_from_the_next_read(remote: Remote) -> None:
    job = remote.create("alpha")
    remote.passes(0, 1)
    remote.change(job, cadence_seconds=120, duration_seconds=7200)
    remote.passes(2, 3)
    assert remote.sql("SELECT cadence_seconds, duration_seconds FROM latency_jobs") == [(120, 7200)]
    assert remote.numbers(job) == [0, 1]


def test_another_target_is_another_job_whose_numbers_go_on(remote: Remote) -> None:
    job = remote.create("alpha")
    remote.passes(0, 1)
    remote.change(job, target="beta")
    remote.passes(2, 3, 4)
    assert local(remote) == [("alpha", "cancelled"), ("beta", "running")]
    assert remote.numbers(job) == [0, 1]
    assert remote.there("SELECT status, poller FROM jobs") == [("running", "pod-1")]


def test_a_job_that_is_absent_from_the_list_is_looked_up_by_its_id_before_it_ends_here(remote: Remote) -> None:
    job = remote.create("alpha")
    remote.passes(0)

    def appear_again(_: Any) -> None:
        if len(remote.asked("GET")) == seen + 1:
            remote.change(job, status="running")

    remote.change(job, status="cancelled")
    seen = len(remote.asked("GET"))
    remote.postgrest.then = appear_again
    remote.passes(1)
    assert local(remote) == [("alpha", "running")]


def test_a_job_that_is_cancelled_here_is_cancelled_there(remote: Remote) -> None:
    remote.create("alpha")
    remote.passes(0, 1)
    remote.do("latency", "cancel", "1", now="2026-03-08T12:01:30Z")
    remote.passes(2, 3)
    assert remote.there("SELECT status FROM jobs") == [("cancelled",)]
    assert local(remote) == [("alpha", "cancelled")]


# S10: latest probes


def test_the_latest_probe_is_told_once_a_pass_for_all_of_a_moment_and_only_forward(remote: Remote) -> None:
    for name in ("alpha", "beta"):
        remote.create(name)
    remote.passes(0, 1)
    remote.postgrest.requests.clear()
    remote.passes(2)
    assert len(remote.asked("PATCH")) == 1
    assert remote.there("SELECT DISTINCT last_ping_at FROM jobs") == [("2026-03-08T12:02:00+00:00",)]
    later = "2026-03-08T14:00:00+00:00"
    remote.there("UPDATE jobs SET last_ping_at = ?", later)
    remote.passes(3)
    assert remote.there("SELECT DISTINCT last_ping_at FROM jobs") == [(later,)]


def test_max_running_does_not_bind_jobs_kept_elsewhere(remote: Remote) -> None:
    remote.configure(max_running=1)
    for name in ("alpha", "beta"):
        remote.create(name)
    remote.passes(0)
    remote.do("latency", "add", "mine")
    remote.do("latency", "add", "another", code=1)


@pytest.mark.parametrize(("ahead", "is_said"), [(60, False), (61, True)])
def test_a_start_that_lies_ahead_is_waited_for_and_said_beyond_a_minute(
    remote: Remote, ahead: int, is_said: bool
) -> None:
    job = remote.create("alpha", started_at=to_text(NOON_MOMENT + timedelta(seconds=ahead)))
    remote.passes(0)
    assert ("ahead of this clock" in remote.stderr) is is_said
    remote.run("2026-03-08T12:00:59Z")
    assert remote.numbers(job) == []
    remote.passes(2)
    assert remote.numbers(job) == [0]


# S11: what it costs, and what is said


def test_without_a_job_a_pass_asks_once(remote: Remote) -> None:
    remote.passes(0)
    assert [one.method for one in remote.postgrest.requests] == ["GET"]


def test_what_an_error_quotes_of_a_row_is_shown_nowhere(remote: Remote) -> None:
    answer: Any = Answer(
        request=None,  # type: ignore[arg-type]
        status=400,
        body=b'{"code":"23514","message":"Failing row contains (s3cret)","details":"s3cret","hint":null}',
        started_at=NOON_MOMENT,
        elapsed_ms=1,
    )
    from pollctl_latency.client.postgrest import explain, read_reply

    reply = read_reply(answer)
    assert (reply.reason, "s3cret" in repr(reply) + explain(reply, "samples")) == ("400 23514", False)


@pytest.mark.parametrize(
    ("statement", "undo", "said"),
    [
        ("ALTER TABLE jobs RENAME COLUMN claimed_at TO x", "ALTER TABLE jobs RENAME COLUMN x TO claimed_at", "column missing on jobs"),
        ("ALTER TABLE jobs RENAME TO x", "ALTER TABLE x RENAME TO jobs", "table missing on jobs"),
    ],
    ids=["a column", "the table"],
)  # fmt: skip
def test_check_names_what_is_missing(remote: Remote, project: str, statement: str, undo: str, said: str) -> None:
    from postgres import execute

    execute(project, statement)
    try:
        assert f"{said}: see supabase.sql" in remote.do("check")
    finally:
        execute(project, undo)


def test_a_job_that_no_rule_could_read_is_named_and_the_others_go_on(remote: Remote) -> None:
    secret = "http://anna:s3same@127.0.0.1/"
    remote.create(secret, probe="http")
    remote.create("alpha")
    remote.create("x", id=str(uuid.uuid4()), started_at="1999-01-01T00:00:00Z")
    remote.run(code=1)
    report = remote.run("2026-03-08T12:01:00Z", code=3)
    assert "a login in a target would be seen" in report["error"]["message"]
    assert [target for target, _ in local(remote)] == ["alpha"]
    assert "s3same" not in json.dumps(report) + remote.stderr


def test_a_plan_reads_and_changes_nothing_there(remote: Remote) -> None:
    remote.create()
    plan = json.loads(remote.do("plan", "latency", "--json", now=NOON))
    assert [decision["type"] for decision in plan["decisions"]] == ["NoteMirror", "ClaimJobs"]
    assert {one.method for one in remote.postgrest.requests} == {"GET"}


def test_what_was_recorded_is_decided_alike_again_and_holds_no_key(remote: Remote) -> None:
    remote.configure(record="all")
    job = remote.create("alpha", duration_seconds=60)
    remote.passes(0, 1)
    remote.change(job, cadence_seconds=30)
    remote.passes(2, 3)
    assert "differ" not in remote.do("replay", "--all")
    assert SECRET_KEY not in json.dumps([str(row) for row in remote.sql("SELECT * FROM recordings")])
