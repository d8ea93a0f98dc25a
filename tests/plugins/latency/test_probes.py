"""What an answer says about a target, kind by kind."""

from __future__ import annotations

import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pollctl import Answer, FetchError, HttpUrl, Request, Result
from pollctl_latency.client.exchanges import (
    guess_probe,
    probe_directly,
    read_answer,
    read_result,
    request_for,
    shown,
    simulate,
    trouble_with,
)
from pollctl_latency.model import Job, Probe, Reading, Settings

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
JOB = Job(
    id=1,
    target="192.0.2.7",
    probe="api",
    monitoring_mode="real_polling",
    status="running",
    cadence_seconds=60,
    duration_seconds=3600,
    started_at=NOON,
    last_ping_at=None,
    alert_state="ok",
    alert_offline=False,
    alert_recovery=False,
    sample_count=0,
)


def with_target(target: str, probe: Probe = "api", **changes: Any) -> Job:
    return msgspec.structs.replace(JOB, target=target, probe=probe, **changes)


def answer(body: bytes = b"", status: int = 200, error: Any = None, probe: Probe = "api") -> Answer:
    request = Request(url="http://127.0.0.1/", tag=with_target("192.0.2.7", probe))
    said = FetchError(kind=error, message=f"it was {error}") if error else None
    return Answer(request=request, status=status, body=body, started_at=NOON, elapsed_ms=12.5, error=said)


def said_by(answer: Answer) -> Reading:
    reading = read_answer(answer)
    assert reading is not None
    return reading


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
    ("an error that is no text", b'{"elapsed": 12, "error": 5}', "system_error", None),
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
    reading = said_by(answer(body))

    assert (reading.status, reading.rtt_ms) == (status, rtt)
    assert bool(reading.why) == (status != "success")
    assert reading.started_at == NOON


@pytest.mark.parametrize("status", [201, 204, 301, 404, 429, 500, 503])
def test_any_other_status_of_the_api_is_a_system_error(status: Any) -> None:
    reading = said_by(answer(b'{"elapsed": 5, "error": ""}', status))

    assert (reading.status, reading.why) == ("system_error", f"HTTP {status}")


@pytest.mark.parametrize("kind", ["timeout", "refused", "dns", "tls", "reset", "truncated", "too_large", "local"])
def test_an_api_that_cannot_be_reached_says_nothing_about_the_target(kind: Any) -> None:
    assert said_by(answer(error=kind)).status == "system_error"


@pytest.mark.parametrize("probe", ["api", "http"])
@pytest.mark.parametrize("kind", ["deadline", "stopped"])
def test_what_the_pass_cut_is_no_sample(kind: Any, probe: Any) -> None:
    assert read_answer(answer(error=kind, probe=probe)) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, "success"), (204, "success"), (399, "success"), (400, "missed"), (503, "missed")],
)
def test_an_http_target_is_there_when_its_status_is_below_400(status: Any, expected: Any) -> None:
    reading = said_by(answer(status=status, probe="http"))

    assert (reading.status, reading.rtt_ms) == (expected, 12.5 if expected == "success" else None)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("refused", "missed"), ("unreachable", "missed"), ("timeout", "missed"), ("reset", "missed"),
        ("tls", "missed"), ("dns", "system_error"), ("bad_address", "system_error"),
        ("local", "system_error"), ("raised", "system_error"),
    ],
)  # fmt: skip
def test_a_direct_probe_tells_the_target_from_this_machine(kind: Any, expected: Any) -> None:
    said = FetchError(kind=kind, message="no")

    reading = read_result(Result(item=JOB, started_at=NOON, elapsed_ms=1, error=said))

    assert said_by(answer(error=kind, probe="http")).status == expected
    assert reading is not None
    assert reading.status == expected


def test_label_and_target_are_percent_encoded() -> None:
    settings = Settings(base_url=HttpUrl("http://127.0.0.1:4402/"), label="Sound Check/1")
    request = request_for(with_target("10.0.0.1?x=ü"), settings)

    assert request.url == "http://127.0.0.1:4402/latency/Sound%20Check%2F1/10.0.0.1%3Fx%3D%C3%BC/"
    assert request.timeout == 10


def test_an_http_probe_follows_no_redirect() -> None:
    assert request_for(with_target("https://example.net/", "http"), Settings()).follow is False


@pytest.mark.parametrize(
    ("target", "probe"),
    [
        ("https://example.net/x", "http"), ("example.net:5432", "tcp"), ("192.0.2.7:22", "tcp"),
        ("[2001:db8::1]:22", "tcp"), ("192.0.2.7", "api"), ("router-7", "api"), ("2001:db8::1", "api"),
    ],
)  # fmt: skip
def test_the_probe_is_told_from_the_target(target: str, probe: Any) -> None:
    assert guess_probe(target) == probe
    assert trouble_with(target, probe) is None


@pytest.mark.parametrize(
    ("target", "probe"),
    [
        ("", "api"), ("a b", "api"), ("a\nb", "api"), ("..", "api"), ("http://example.net", "api"),
        ("example.net", "tcp"), ("example.net:0", "tcp"), ("example.net:65536", "tcp"), (":22", "tcp"),
        ("ftp://example.net/", "http"), ("http://", "http"), ("http://[::1/", "http"),
        ("http://a:99999/", "http"),
    ],
)  # fmt: skip
def test_a_malformed_target_is_named_with_a_remedy(target: str, probe: Any) -> None:
    assert trouble_with(target, probe)


def test_a_connection_is_timed() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        status, rtt, _ = probe_directly(with_target(f"127.0.0.1:{server.getsockname()[1]}", "tcp"), 5)

    assert status == "success"
    assert rtt is not None
    assert 0 < rtt < 1000


def test_a_refused_connection_is_missed() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    assert probe_directly(with_target(f"127.0.0.1:{port}", "tcp"), 5)[0] == "missed"


def test_a_name_that_is_none_says_nothing_about_the_target() -> None:
    assert probe_directly(with_target(f"{'a' * 70}.invalid:22", "tcp"), 5)[0] == "system_error"


def test_an_echo_is_timed_or_says_what_the_system_must_allow() -> None:
    low, high = map(int, Path("/proc/sys/net/ipv4/ping_group_range").read_text().split())
    status, rtt, why = probe_directly(with_target("127.0.0.1", "icmp"), 2)

    if low <= high:
        assert (status, rtt is not None) == ("success", True)
    else:
        assert (status, "ping_group_range" in why) == ("system_error", True)


def test_a_simulation_falls_the_same_way_for_the_same_job_and_moment() -> None:
    simulated = with_target("router-7", monitoring_mode="simulated")
    moments = [NOON + timedelta(seconds=second) for second in range(50)]
    first = [simulate(simulated, moment) for moment in moments]

    assert first == [simulate(simulated, moment) for moment in moments]
    assert first != [simulate(msgspec.structs.replace(simulated, id=2), moment) for moment in moments]


@pytest.mark.parametrize(
    ("profile", "fewest", "most"), [("healthy", 0, 20), ("intermittent", 200, 400), ("offline", 1000, 1000)]
)
def test_a_simulated_target_may_name_its_profile(profile: str, fewest: int, most: int) -> None:
    simulated = with_target(f"{profile}-1", monitoring_mode="simulated")
    readings = [simulate(simulated, NOON + timedelta(seconds=second)) for second in range(1000)]

    assert fewest <= sum(reading.status == "missed" for reading in readings) <= most


def test_text_of_an_upstream_is_kept_on_one_short_line() -> None:
    assert shown("a\x1b[31m\nb") == "a [31m b"
    assert len(shown("x" * 10_000)) == 120
