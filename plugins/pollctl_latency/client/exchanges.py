"""One probe at a time: what to ask for a target, and what the answer says about it."""

from __future__ import annotations

import errno
import math
import random
import re
import socket
import time
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from pollctl import Answer, FetchError, Request, Result
from pollctl_latency.model import Job, Probe, Reading, SampleStatus, Settings

LOST = ("timeout", "unreachable", "no reply", "host down")
"""Words of the latency API for a target that did not answer; other errors are the API's own."""
CUT = ("deadline", "stopped")
"""The pass ended first: that says nothing about anyone, and the next pass probes at once."""
AT_THE_TARGET = ("timeout", "refused", "unreachable", "reset", "truncated", "protocol", "tls")
"""Errors of a direct probe that are the target's; the rest (no such name, out of sockets) is ours."""

_OURS = (
    errno.EADDRNOTAVAIL,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOBUFS,
    errno.ENOMEM,
    errno.EACCES,
    errno.EPERM,
)

_HOST_AND_PORT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]/]+)):(?P<port>\d{1,5})")
_ONE_COLON = re.compile(r"[^:]*:[^:]*")
_SHOWN_CHARACTERS = 120


class ApiAnswer(msgspec.Struct, frozen=True):
    """The body of the latency API, as far as it matters; ``elapsed`` in ms, and not always a number."""

    elapsed: Any = None
    error: str | None = None


def guess_probe(target: str) -> Probe:
    """The probe that a target calls for: a URL ``http``, ``host:port`` ``tcp``, anything else ``api``."""
    if "://" in target:
        return "http"
    return "tcp" if target.startswith("[") or _ONE_COLON.fullmatch(target) else "api"


def trouble_with(target: str, probe: Probe) -> str | None:
    """Why *target* cannot be probed that way, or None."""
    if not target or not target.isprintable() or " " in target or len(target) > 2000:  # noqa: PLR2004 - a URL's
        return "a target is printable text without blanks"
    if probe == "http":
        return None if _is_url(target) else "write http://host/path or https://host/path"
    if probe == "tcp":
        return None if _host_and_port(target) else "write host:port with a port from 1 to 65535"
    if "://" in target or target.strip(".") == "":
        return "write a host name or an address"
    return None


def request_for(job: Job, settings: Settings) -> Request:
    """The exchange that probes a target of kind ``api`` or ``http``."""
    timeout = settings.timeout.total_seconds()
    if job.probe == "http":
        return Request(url=job.target, tag=job, timeout=timeout, follow=False, is_patient=True)
    path = f"latency/{quote(settings.label, safe='')}/{quote(job.target, safe='')}/"
    return Request(url=f"{settings.base_url.rstrip('/')}/{path}", tag=job, timeout=timeout, is_patient=True)


def read_answer(answer: Answer) -> Reading | None:
    """What an exchange says about its job's target; None when the pass cut it."""
    if answer.error is not None and answer.error.kind in CUT:
        return None
    job: Job = answer.request.tag
    status, rtt, why = _read_http(answer) if job.probe == "http" else _read_api(answer)
    return Reading(job_id=job.id, status=status, started_at=answer.started_at, rtt_ms=rtt, why=shown(why))


Outcome = tuple[SampleStatus, float | None, str]
"""Status, milliseconds with a success, and what was wrong without."""


def _read_api(answer: Answer) -> Outcome:
    if answer.error is not None:
        return "system_error", None, answer.error.message
    if answer.status != 200:  # noqa: PLR2004
        return "system_error", None, f"HTTP {answer.status}"
    try:
        said = msgspec.json.decode(answer.body, type=ApiAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return "system_error", None, f"unreadable answer: {error}"
    if said.error:
        is_lost = any(word in said.error.casefold() for word in LOST)
        return "missed" if is_lost else "system_error", None, said.error
    return _read_elapsed(said.elapsed)


def _read_elapsed(elapsed: Any) -> Outcome:
    if elapsed is None:
        return "missed", None, "no elapsed time"
    if isinstance(elapsed, bool) or not isinstance(elapsed, int | float) or not _is_time(elapsed):
        return "system_error", None, f"elapsed is no number: {elapsed!r}"
    if elapsed <= 0:
        return "missed", None, f"elapsed is {elapsed}"
    return "success", float(elapsed), ""


def _is_time(number: float) -> bool:
    return abs(number) < 2**63 and math.isfinite(number)


def _read_http(answer: Answer) -> Outcome:
    if answer.error is not None:
        return _judge_error(answer.error)
    if 200 <= answer.status < 400:  # noqa: PLR2004
        return "success", answer.elapsed_ms, ""
    return "missed", None, f"HTTP {answer.status}"


def read_result(result: Result) -> Reading | None:
    """What a call of ``probe_directly`` says about its job's target; None when the pass cut it."""
    if result.error is not None and result.error.kind in CUT:
        return None
    status, rtt, why = _judge_error(result.error) if result.error else result.value
    return Reading(job_id=result.item.id, status=status, started_at=result.started_at, rtt_ms=rtt, why=shown(why))


def _judge_error(error: FetchError) -> Outcome:
    return "missed" if error.kind in AT_THE_TARGET else "system_error", None, error.message


def probe_directly(job: Job, timeout: float) -> Outcome:
    """Connect to ``host:port``, or send an ICMP echo, from this machine; takes *timeout* seconds at most."""
    return _echo(job.target, timeout) if job.probe == "icmp" else _connect(job.target, timeout)


def _connect(target: str, timeout: float) -> Outcome:
    host, port = _host_and_port(target) or ("", 0)
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return "system_error", None, f"{host}: {error}"
    for family, kind, protocol, _, address in addresses:
        outcome = _connect_to(socket.socket(family, kind, protocol), address, timeout)
        if outcome[0] == "success":
            break
    return outcome


def _connect_to(connection: socket.socket, address: Any, timeout: float) -> Outcome:
    with connection:
        connection.settimeout(timeout)
        began = time.perf_counter()
        try:
            connection.connect(address)
        except OSError as error:
            return "system_error" if error.errno in _OURS else "missed", None, str(error)
        return "success", (time.perf_counter() - began) * 1000, ""


def _echo(target: str, timeout: float) -> Outcome:
    import icmplib

    try:
        host = icmplib.ping(target, count=1, timeout=timeout, privileged=False)
    except icmplib.SocketPermissionError:
        why = "this user may not send ICMP echoes: widen net.ipv4.ping_group_range, or use the tcp probe"
        return "system_error", None, why
    except (icmplib.ICMPLibError, OSError) as error:
        return "system_error", None, f"{target}: {error}"
    if not host.is_alive:
        return "missed", None, "no echo"
    return "success", host.avg_rtt, ""


_PROFILES = {"healthy": 0.001, "intermittent": 0.3, "offline": 1.0}
"""Synthetic targets, and the share of probes that each misses."""


def simulate(job: Job, now: datetime) -> Reading:
    """A synthetic reading, the same for a job and a moment; the target may name its profile ("offline-1")."""
    named = [profile for profile in _PROFILES if profile in job.target]
    profile = named[0] if named else random.Random(job.target).choice(list(_PROFILES))  # noqa: S311 - a simulation
    dice = random.Random(f"{job.id} {now.isoformat()}")  # noqa: S311
    if dice.random() < _PROFILES[profile]:
        return Reading(job_id=job.id, status="missed", started_at=now, why=f"simulated {profile} target")
    return Reading(job_id=job.id, status="success", started_at=now, rtt_ms=max(0.1, dice.gauss(20, 3)))


def shown(text: str) -> str:
    """Text of an upstream, safe to keep and to print: one line, no control characters, not long."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable if len(printable) <= _SHOWN_CHARACTERS else f"{printable[: _SHOWN_CHARACTERS - 1]}…"


def _is_url(target: str) -> bool:
    try:
        parts = urlsplit(target)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _host_and_port(target: str) -> tuple[str, int] | None:
    match = _HOST_AND_PORT.fullmatch(target)
    if match is None or not 0 < int(match["port"]) < 2**16:
        return None
    return match["v6"] or match["host"], int(match["port"])
