"""Probes from this machine: connecting to a port (``tcp``), and ICMP echoes (``icmp``)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any

from pollctl import Result, fetch_error, open_socket
from pollctl_latency.client.outcome import Outcome, is_cut_short, judge_error, measurement
from pollctl_latency.client.targets import host_and_port
from pollctl_latency.model import Family, Job, Measurement

NO_ECHOES = "this user may not send ICMP echoes: widen net.ipv4.ping_group_range, or use the tcp probe"
_FAMILIES = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


def probe_directly(job: Job, timeout: float) -> Outcome:
    """Connect to ``host:port``, or send an ICMP echo, from this machine; takes *timeout* seconds at most."""
    try:
        return _echo(job, timeout) if job.probe == "icmp" else _connect(job, timeout)
    except UnicodeError:
        return Outcome("system_error", reason="this name cannot be looked up")
    except OSError as error:
        return judge_error(fetch_error(error))


def read_result(result: Result) -> Measurement | None:
    """What a call of ``probe_directly`` says about its job's target; None when the pass cut it."""
    if is_cut_short(result.error):
        return None
    return measurement(result.item, result.started_at, judge_error(result.error) if result.error else result.value)


def may_echo() -> bool:
    """Whether the system lets this user send ICMP echoes."""
    import icmplib

    for is_privileged in (False, True):
        try:
            icmplib.ICMPv4Socket(privileged=is_privileged).close()
        except (icmplib.ICMPLibError, OSError):
            continue
        return True
    return False


def _connect(job: Job, timeout: float) -> Outcome:
    host, port = host_and_port(job.target) or ("", 0)
    connected = open_socket(host, port, timeout=timeout, family=job.family)
    connected.socket.close()
    return Outcome("success", connected.waited_s * 1000, address=connected.address)


def _echo(job: Job, timeout: float) -> Outcome:
    import icmplib

    family, address = first_address(job.target, job.family)
    kind = icmplib.ICMPv6Socket if family == socket.AF_INET6 else icmplib.ICMPv4Socket
    for is_privileged in (False, True):
        try:
            line = kind(privileged=is_privileged)
        except icmplib.SocketPermissionError:
            continue
        except icmplib.ICMPLibError as error:
            raise system_error(error) from error
        with line:
            return _echo_through(line, address, timeout)
    return Outcome("system_error", reason=NO_ECHOES)


def _echo_through(line: Any, address: str, timeout: float) -> Outcome:
    import icmplib

    request = icmplib.ICMPRequest(destination=address, id=icmplib.utils.unique_identifier(), sequence=0)
    try:
        line.send(request)
        reply = line.receive(request, timeout)
        reply.raise_for_status()
    except icmplib.TimeoutExceeded:
        return Outcome("missed", reason="no echo")
    except icmplib.ICMPError as error:
        return Outcome("missed", reason=str(error).rstrip("."))
    except icmplib.ICMPLibError as error:
        raise system_error(error) from error
    return Outcome("success", (reply.time - request.time) * 1000, address=address)


def first_address(host: str, family: Family) -> tuple[int, str]:
    """The address of a name that the system prefers, and its family.

    Raises:
        OSError: there is none.
    """
    found = socket.getaddrinfo(host, None, _FAMILIES[family], socket.SOCK_STREAM)[0]
    return found[0], str(found[4][0])


def system_error(error: Exception) -> OSError:
    """What the system said, of which the library only keeps the text."""
    cause = error.__context__
    return cause if isinstance(cause, OSError) else OSError(errno.ENETUNREACH, str(error))


def look_up_side_by_side(hosts: Mapping[str, Family]) -> dict[str, Future[str]]:
    """Look names up, each in a thread that nobody must wait for: why it cannot be found, empty where it can."""
    futures: dict[str, Future[str]] = {}
    for host, family in hosts.items():
        future: Future[str] = Future()
        futures[host] = future
        Thread(target=_look_up, args=(host, family, future), daemon=True, name="latency-look-up").start()
    return futures


def _look_up(host: str, family: Family, future: Future[str]) -> None:
    try:
        first_address(host, family)
    except UnicodeError:
        future.set_result("it is not a valid name")
    except OSError as error:
        future.set_result(fetch_error(error).message)
    else:
        future.set_result("")
