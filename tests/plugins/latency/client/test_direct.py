"""Probes from this machine: what they measure, and what says nothing about the target."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from plugins.latency.values import NOON, job

from pollctl import FetchError, Result
from pollctl_latency.client.direct import probe_directly, read_result


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("refused", "missed"), ("unreachable", "missed"), ("timeout", "missed"), ("reset", "missed"),
        ("tls", "missed"), ("dns", "system_error"), ("bad_address", "system_error"),
        ("local", "system_error"), ("raised", "system_error"),
    ],
)  # fmt: skip
def test_a_direct_probe_tells_the_target_from_this_machine(kind: Any, expected: Any) -> None:
    error = FetchError(kind=kind, message="no")
    measured = read_result(Result(item=job(), started_at=NOON, elapsed_ms=1, error=error))

    assert measured is not None
    assert measured.status == expected


@pytest.mark.parametrize("kind", ["deadline", "stopped"])
def test_a_direct_probe_that_the_pass_cut_is_not_a_sample(kind: Any) -> None:
    error = FetchError(kind=kind, message="no")

    assert read_result(Result(item=job(), started_at=NOON, elapsed_ms=1, error=error)) is None


def test_a_connection_is_timed() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        status, rtt, _ = probe_directly(job(target=f"127.0.0.1:{server.getsockname()[1]}", probe="tcp"), 5)

    assert status == "success"
    assert rtt is not None
    assert 0 < rtt < 1000


def test_a_refused_connection_is_missed() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    assert probe_directly(job(target=f"127.0.0.1:{port}", probe="tcp"), 5).status == "missed"


def test_a_name_that_is_not_valid_says_nothing_about_the_target() -> None:
    assert probe_directly(job(target=f"{'a' * 70}.invalid:22", probe="tcp"), 5).status == "system_error"


def test_an_echo_is_timed_or_says_what_the_system_must_allow() -> None:
    low, high = map(int, Path("/proc/sys/net/ipv4/ping_group_range").read_text().split())
    status, rtt, reason = probe_directly(job(target="127.0.0.1", probe="icmp"), 2)

    if low <= high:
        assert (status, rtt is not None) == ("success", True)
    else:
        assert (status, "ping_group_range" in reason) == ("system_error", True)
