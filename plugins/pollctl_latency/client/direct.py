"""Probes from this machine: connecting to a port (``tcp``), and ICMP echoes (``icmp``)."""

from __future__ import annotations

import errno
import socket
import time
from typing import Any

from pollctl import Result
from pollctl_latency.client.outcome import Outcome, is_cut_short, judge_error, measurement
from pollctl_latency.client.targets import host_and_port
from pollctl_latency.model import Job, Measurement

_LOCAL_ERRORS = (
    errno.EADDRNOTAVAIL,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOBUFS,
    errno.ENOMEM,
    errno.EACCES,
    errno.EPERM,
)


def probe_directly(job: Job, timeout: float) -> Outcome:
    """Connect to ``host:port``, or send an ICMP echo, from this machine; takes *timeout* seconds at most."""
    return _echo(job.target, timeout) if job.probe == "icmp" else _connect(job.target, timeout)


def read_result(result: Result) -> Measurement | None:
    """What a call of ``probe_directly`` says about its job's target; None when the pass cut it."""
    if is_cut_short(result.error):
        return None
    return measurement(result.item, result.started_at, judge_error(result.error) if result.error else result.value)


def _connect(target: str, timeout: float) -> Outcome:
    host, port = host_and_port(target) or ("", 0)
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return Outcome("system_error", reason=f"{host}: {error}")
    for family, kind, protocol, _, address in addresses:
        outcome = _connect_to(socket.socket(family, kind, protocol), address, timeout)
        if outcome.status == "success":
            break
    return outcome


def _connect_to(connection: socket.socket, address: Any, timeout: float) -> Outcome:
    with connection:
        connection.settimeout(timeout)
        started = time.perf_counter()
        try:
            connection.connect(address)
        except OSError as error:
            return Outcome("system_error" if error.errno in _LOCAL_ERRORS else "missed", reason=str(error))
        return Outcome("success", (time.perf_counter() - started) * 1000)


def _echo(target: str, timeout: float) -> Outcome:
    import icmplib

    try:
        host = icmplib.ping(target, count=1, timeout=timeout, privileged=False)
    except icmplib.SocketPermissionError:
        remedy = "widen net.ipv4.ping_group_range, or use the tcp probe"
        return Outcome("system_error", reason=f"this user may not send ICMP echoes: {remedy}")
    except (icmplib.ICMPLibError, OSError) as error:
        return Outcome("system_error", reason=f"{target}: {error}")
    if not host.is_alive:
        return Outcome("missed", reason="no echo")
    return Outcome("success", host.avg_rtt)
