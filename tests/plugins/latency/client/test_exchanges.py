"""What an exchange says about a target: an answer of the latency API, or of the target itself."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.latency.values import NOON, job

from pollctl import Answer, FetchError, HttpUrl, Request
from pollctl_latency.client.exchanges import read_answer, request_for
from pollctl_latency.model import Measurement, Probe, Settings


def answer(body: bytes = b"", status: int = 200, error: Any = None, probe: Probe = "api", expect: str = "") -> Answer:
    request = Request(url="http://127.0.0.1/", tag=job(probe=probe, expect=expect))
    failure = FetchError(kind=error, message=f"it was {error}") if error else None
    return Answer(request=request, status=status, body=body, started_at=NOON, elapsed_ms=12.5, error=failure)


def measured_by(answer: Answer) -> Measurement:
    measured = read_answer(answer)
    assert measured is not None
    return measured


API = [
    ("timeout", b'{"elapsed": 0, "error": "Request timeout"}', "missed", None),
    ("unreachable", b'{"elapsed": 3, "error": "Host Unreachable"}', "missed", None),
    ("no reply", b'{"elapsed": 3, "error": "no reply from host"}', "missed", None),
    ("host down", b'{"elapsed": 3, "error": "HOST DOWN"}', "missed", None),
    ("timeout with a broken elapsed", b'{"elapsed": "n/a", "error": "timeout"}', "missed", None),
    ("another error", b'{"elapsed": 23.4, "error": "poller is restarting"}', "system_error", None),
    ("a blank error", b'{"elapsed": 23.4, "error": " "}', "system_error", None),
    ("success", b'{"elapsed": 23.4, "error": "", "expected": "", "ip": "x", "poller": "y"}', "success", 23.4),
    ("null error", b'{"elapsed": 7, "error": null}', "success", 7.0),
    ("absent error", b'{"elapsed": 7}', "success", 7.0),
    ("zero", b'{"elapsed": 0, "error": ""}', "missed", None),
    ("negative", b'{"elapsed": -1.5, "error": ""}', "missed", None),
    ("null elapsed", b'{"elapsed": null, "error": ""}', "missed", None),
    ("absent elapsed", b'{"error": ""}', "missed", None),
    ("an empty object", b"{}", "missed", None),
    ("text", b'{"elapsed": "12", "error": ""}', "system_error", None),
    ("true", b'{"elapsed": true, "error": ""}', "system_error", None),
    ("a list", b'{"elapsed": [12], "error": ""}', "system_error", None),
    ("NaN", b'{"elapsed": NaN, "error": ""}', "system_error", None),
    ("Infinity", b'{"elapsed": Infinity, "error": ""}', "system_error", None),
    ("1e999", b'{"elapsed": 1e999, "error": ""}', "system_error", None),
    ("a huge integer", b'{"elapsed": 1' + b"0" * 400 + b', "error": ""}', "system_error", None),
    ("an error that is not text", b'{"elapsed": 12, "error": 5}', "system_error", None),
    ("a body that is a list", b"[]", "system_error", None),
    ("an empty body", b"", "system_error", None),
    ("HTML", b"<html>sorry</html>", "system_error", None),
    ("invalid UTF-8", b'{"elapsed": 1, "error": "\xff"}', "system_error", None),
    ("deep nesting", b'{"x": ' + b"[" * 100_000, "system_error", None),
]


@pytest.mark.parametrize(
    ("body", "status", "rtt"), [row[1:] for row in API], ids=[row[0].replace(" ", "-") for row in API]
)
def test_an_answer_of_the_api_is_one_sample(body: bytes, status: Any, rtt: float | None) -> None:
    measured = measured_by(answer(body))

    assert (measured.status, measured.rtt_ms) == (status, rtt)
    assert bool(measured.reason) == (status != "success")
    assert measured.started_at == NOON


@pytest.mark.parametrize("status", [201, 204, 301, 404, 429, 500, 503])
def test_any_other_status_of_the_api_is_a_system_error(status: Any) -> None:
    measured = measured_by(answer(b'{"elapsed": 5, "error": ""}', status))

    assert (measured.status, measured.reason) == ("system_error", f"HTTP {status}")


@pytest.mark.parametrize("kind", ["timeout", "refused", "dns", "tls", "reset", "truncated", "too_large", "local"])
def test_an_api_that_cannot_be_reached_says_nothing_about_the_target(kind: Any) -> None:
    assert measured_by(answer(error=kind)).status == "system_error"


@pytest.mark.parametrize("probe", ["api", "http"])
@pytest.mark.parametrize("kind", ["deadline", "stopped"])
def test_what_the_pass_cut_is_not_a_sample(kind: Any, probe: Any) -> None:
    assert read_answer(answer(error=kind, probe=probe)) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, "success"), (204, "success"), (399, "success"), (400, "missed"), (503, "missed")],
)
def test_an_http_target_is_there_when_its_status_is_below_400(status: Any, expected: Any) -> None:
    measured = measured_by(answer(status=status, probe="http"))

    assert (measured.status, measured.rtt_ms) == (expected, 12.5 if expected == "success" else None)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("refused", "missed"), ("unreachable", "missed"), ("timeout", "missed"), ("reset", "missed"),
        ("tls", "missed"), ("dns", "missed"), ("bad_address", "system_error"),
        ("local", "system_error"), ("raised", "system_error"),
    ],
)  # fmt: skip
def test_an_http_probe_tells_the_target_from_this_machine(kind: Any, expected: Any) -> None:
    assert measured_by(answer(error=kind, probe="http")).status == expected


@pytest.mark.parametrize(
    ("expect", "good"),
    [("200-399", [200, 399]), ("204", [204]), ("200, 401-403", [200, 401, 403]), ("nonsense", [200, 399])],
)
def test_a_job_may_expect_other_statuses(expect: str, good: list[int]) -> None:
    found = [
        status
        for status in (199, 200, 204, 399, 400, 401, 403, 404)
        if measured_by(answer(status=status, probe="http", expect=expect)).status == "success"
    ]
    assert set(good) <= set(found)
    assert set(found) <= set(good) | ({204} if expect in ("200-399", "nonsense") else set())


def test_the_reason_of_an_http_target_does_not_repeat_its_host() -> None:
    error = FetchError(kind="refused", message="db.example.net:5432: connection refused")
    request = Request(url="http://127.0.0.1/", tag=job(probe="http"))
    measured = read_answer(Answer(request=request, started_at=NOON, elapsed_ms=1, error=error))
    assert measured is not None
    assert measured.reason == "connection refused"


def test_a_job_may_want_addresses_of_one_kind() -> None:
    assert request_for(job(target="https://example.net/", probe="http", family=6), Settings()).family == 6


def test_label_and_target_are_percent_encoded() -> None:
    settings = Settings(base_url=HttpUrl("http://127.0.0.1:4402/"), label="Sound Check/1")
    request = request_for(job(target="10.0.0.1?x=ü"), settings)

    assert request.url == "http://127.0.0.1:4402/latency/Sound%20Check%2F1/10.0.0.1%3Fx%3D%C3%BC/"
    assert request.timeout == 10


def test_an_http_probe_follows_no_redirect() -> None:
    assert request_for(job(target="https://example.net/", probe="http"), Settings()).follow is False


def test_only_what_the_api_measures_may_be_asked_from_elsewhere() -> None:
    settings = Settings(base_url=HttpUrl("http://127.0.0.1:4402/"))
    assert request_for(job(target="https://example.net/", probe="http"), settings).is_local
    assert not request_for(job(target="10.0.0.1"), settings).is_local


def test_the_reason_of_an_upstream_is_kept_on_one_short_line() -> None:
    escapes = rb'{"error": "a\u001b[31m\nb"}'
    long = b'{"error": "' + b"x" * 10_000 + b'"}'

    assert measured_by(answer(escapes)).reason == "a [31m b"
    assert len(measured_by(answer(long)).reason) == 120
