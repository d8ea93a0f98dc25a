"""Probes from this machine: what they measure, and what says nothing about the target."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, closing
from typing import Any

import pytest
from plugins.latency.values import NOON, job

from pollctl import FetchError, Result
from pollctl_latency.client.direct import may_echo, probe_directly, read_result


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("refused", "missed"), ("unreachable", "missed"), ("timeout", "missed"), ("reset", "missed"),
        ("tls", "missed"), ("dns", "missed"), ("bad_address", "system_error"),
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
        status, rtt, _, address = probe_directly(job(target=f"127.0.0.1:{server.getsockname()[1]}", probe="tcp"), 5)

    assert status == "success"
    assert rtt is not None
    assert 0 < rtt < 1000
    assert address == "127.0.0.1"


def test_a_refused_connection_is_missed() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    assert probe_directly(job(target=f"127.0.0.1:{port}", probe="tcp"), 5).status == "missed"


def test_a_name_that_is_not_valid_says_nothing_about_the_target() -> None:
    assert probe_directly(job(target=f"{'a' * 70}.invalid:22", probe="tcp"), 5).status == "system_error"


def test_an_echo_is_timed_or_says_what_the_system_must_allow() -> None:
    status, rtt, reason, address = probe_directly(job(target="127.0.0.1", probe="icmp"), 2)

    if may_echo():
        assert (status, rtt is not None, address) == ("success", True, "127.0.0.1")
    else:
        assert (status, "ping_group_range" in reason) == ("system_error", True)


def with_addresses(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """Let the system's resolver answer these for every name."""

    def getaddrinfo(host: str, port: int, family: int = 0, *_: Any) -> list[Any]:
        kinds = {one: socket.AF_INET6 if ":" in one else socket.AF_INET for one in hosts}
        return [(kind, socket.SOCK_STREAM, 6, "", (one, port)) for one, kind in kinds.items() if family in (0, kind)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_a_host_whose_first_address_is_dead_answers_by_its_second(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        port = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0)))).getsockname()[1]
        dead = stack.enter_context(closing(socket.create_server(("127.0.0.2", port), backlog=0)))
        for _ in range(3):  # so that the system drops what comes
            filler = stack.enter_context(closing(socket.socket()))
            filler.setblocking(False)
            filler.connect_ex(dead.getsockname())
        time.sleep(0.05)
        with_addresses(monkeypatch, "127.0.0.2", "127.0.0.1")
        status, rtt, _, address = probe_directly(job(target=f"many.example.net:{port}", probe="tcp"), 2)

    assert (status, address) == ("success", "127.0.0.1")
    assert rtt is not None
    assert 250 <= rtt < 750  # what a client would have waited


@pytest.mark.parametrize(("family", "status"), [(0, "success"), (4, "success"), (6, "missed")])
def test_a_job_may_want_addresses_of_one_kind(monkeypatch: pytest.MonkeyPatch, family: Any, status: str) -> None:
    def getaddrinfo(host: str, port: int, family: int = 0, *_: Any) -> list[Any]:
        if family == socket.AF_INET6:
            raise socket.gaierror(socket.EAI_ADDRFAMILY, "Address family for hostname not supported")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        target = f"many.example.net:{server.getsockname()[1]}"
        assert probe_directly(job(target=target, probe="tcp", family=family), 2).status == status


@pytest.mark.parametrize("probe", ["tcp", "icmp"])
@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        (socket.EAI_NONAME, "missed", "no address"),
        (socket.EAI_AGAIN, "system_error", "no network here"),
        (socket.EAI_FAIL, "system_error", "no address"),
    ],
    ids=["no such name", "no name server answers", "they fail"],
)
def test_a_name_that_is_not_there_is_missed_and_one_that_nobody_looks_up_is_not(
    monkeypatch: pytest.MonkeyPatch, probe: str, code: int, status: str, reason: str
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(code, "no")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    target = "gone.example.net:1" if probe == "tcp" else "gone.example.net"
    outcome = probe_directly(job(target=target, probe=probe), 1)
    assert outcome.status == status
    assert outcome.reason.startswith(reason)
