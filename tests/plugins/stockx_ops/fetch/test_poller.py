"""Whole passes in which the upstream asks for a pause, refuses, or fails."""

from __future__ import annotations

import pytest
from plugins.stockx_ops.place import Place, at

from pollctl_stockx_ops.fake import COMPLETED, LOST, OPEN, Reply

pytestmark = pytest.mark.slow

# rule 8


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 60),
        ("5", 60),
        ("120", 120),
        ("90.5", 90.5),
        ("Sun, 08 Mar 2026 12:03:00 GMT", 180),
        ("Sun, 08 Mar 2026 11:00:00 GMT", 60),
        ("-3", 60),
        ("whenever", 60),
    ],
)
def test_a_429_with_every_form_of_retry_after(place: Place, header: str | None, seconds: float) -> None:
    headers = {} if header is None else {"Retry-After": header}
    place.upstream.script = {"op-j1": [Reply(status=429, headers=headers), COMPLETED]}
    place.insert("j1", started_at=at(-100))
    place.insert("j2")
    report = place.run(at(0))
    assert place.upstream.asked == ["op-j1"]
    assert (report["stats"]["rate_limited"], report["stats"]["processed"]) == (1, 1)
    assert place.job("j1", "status, next_poll_at") == ("IN_PROGRESS", at(seconds))
    assert place.job("j2", "status, poll_count") == ("PENDING", 0)
    assert place.history("j1") == []

    place.sql("DELETE FROM stockx_batch_jobs WHERE id = 'j2'")
    place.run(at(seconds - 1))
    assert place.upstream.asked == ["op-j1"]
    assert place.run(at(seconds))["stats"]["completed"] == 1


def test_with_a_retry_after_no_request_at_all_starts_before_it(place: Place) -> None:
    place.upstream.script = {"op-j1": [Reply(status=429, headers={"Retry-After": "300"}), COMPLETED]}
    place.insert("j1", started_at=at(-100))
    place.insert("j2")
    place.run(at(0))
    report = place.run(at(299.999))
    assert (place.upstream.asked, report["outcome"]) == (["op-j1"], "ok")
    assert place.run(at(300))["stats"]["completed"] == 2


def test_a_503_with_a_retry_after_is_obeyed_by_later_passes_too(place: Place) -> None:
    place.upstream.script = {"op-j": [Reply(status=503, headers={"Retry-After": "100"}), COMPLETED]}
    place.insert("j")
    place.run(at(0), code=1)
    assert place.job("j", "status, next_poll_at") == ("IN_PROGRESS", at(20))
    place.run(at(99))
    assert place.upstream.asked == ["op-j"]
    assert place.run(at(100))["stats"]["completed"] == 1


# rules 9 and 11


def test_one_jobs_surprise_stops_no_other_and_is_named(place: Place) -> None:
    place.configure(core='[pollctl.http]\ntimeout = "500ms"')
    surprises = {
        "html": Reply(body=b"<html>"),
        "list": Reply(body=b"[]"),
        "none": Reply(body=b""),
        "lost": LOST,
        "slow": Reply(delay=3),
        "teapot": Reply(status=418),
        "broken": Reply(status=500),
        "moved": Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    }
    place.upstream.script = {f"op-{name}": [reply] for name, reply in surprises.items()}
    for name in (*surprises, "good"):
        place.insert(name)
    place.insert("odd", stockx_operation_id="op\nodd")
    report = place.run(code=3)

    assert place.job("good", "status") == "COMPLETED"
    found = {name: place.job(name, "status, next_poll_at") for name in (*surprises, "odd")}
    assert set(found.values()) == {("IN_PROGRESS", at(20))}
    assert (report["outcome"], report["stats"]["in_progress"], report["stats"]["completed"]) == ("partial", 9, 1)
    assert "job html: unreadable answer" in report["error"]["message"]
    assert place.upstream.asked.count("op-lost") == 1


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        (Reply(status=404), "operation_not_found", "Operation not found"),
        (Reply(status=400, message="no such currency"), "bad_request", "no such currency"),
        (Reply(status=422, message="too low"), "unprocessable", "too low"),
        (Reply(state="failed", error="too low"), "operation_failed", "too low"),
        (Reply(state="failed", error={"code": "LOW", "message": "too low"}), "LOW", "too low"),
        (Reply(state="failed"), "operation_failed", "Unknown error"),
    ],
    ids=str,
)
def test_what_is_refused_for_good_fails_the_job(place: Place, reply: Reply, code: str, message: str) -> None:
    place.upstream.script = {"op-j": [reply]}
    place.insert("j")
    report = place.run()
    assert (report["outcome"], report["stats"]["failed"]) == ("ok", 1)
    assert place.job("j") == ("FAILED", code, message)
    ((status, metadata),) = place.history("j")
    assert (status, metadata["error"]) == ("FAILED", {"code": code, "message": message})


# rule 9: a wall

WALL = Reply(status=403, message="Forbidden")


def test_a_wall_fails_no_job_and_the_pass_names_the_api_key(place: Place) -> None:
    for number in range(50):
        place.insert(f"j{number:02}")
    place.upstream.is_walled = True
    for seconds in range(0, 840, 60):
        report = place.run(at(seconds), code=1)
        assert (report["outcome"], report["stats"]["in_progress"]) == ("failed", 50)
        assert report["error"]["targets"] == ["api_key"]
    assert place.sql("SELECT DISTINCT status, next_poll_at FROM stockx_batch_jobs") == [("IN_PROGRESS", at(800))]
    assert place.effects("job_failed") == []
    place.upstream.is_walled = False
    assert place.run(at(1500))["stats"]["completed"] == 50


def test_a_job_that_alone_is_answered_403_fails_at_the_fifth_in_a_row_after_five_minutes(place: Place) -> None:
    place.upstream.script = {"op-j": [WALL]}
    place.upstream.otherwise = OPEN
    place.insert("j", started_at=at(0))
    place.insert("other", started_at=at(0))
    for seconds in range(20, 320, 30):
        assert place.run(at(seconds), code=3)["stats"]["failed"] == 0
    assert place.run(at(320), code=3)["stats"]["failed"] == 1
    assert place.job("j") == ("FAILED", "forbidden", "Forbidden")
    assert place.job("other", "status") == "IN_PROGRESS"


def test_a_wall_does_not_count_and_another_answer_begins_the_row_anew(place: Place) -> None:
    place.upstream.script = {"op-j": [WALL] * 4 + [OPEN, WALL]}
    place.upstream.otherwise = OPEN
    place.insert("j", started_at=at(0))
    place.insert("other", started_at=at(0))
    counts = []
    for number in range(7):
        place.upstream.is_walled = number == 2
        place.run(at(20 + 100 * number), code=1 if number == 2 else 0 if number == 5 else 3)
        counts.append(place.job("j", "forbidden_count"))
    assert counts == [1, 2, 2, 3, 4, 0, 1]
