"""Probes that are HTTP exchanges: of the latency API about a target (``api``), and of the target itself (``http``)."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import quote

import msgspec

from pollctl import Answer, Request
from pollctl_latency.client.outcome import Outcome, is_cut_short, judge_error, measurement
from pollctl_latency.client.targets import is_expected, with_login
from pollctl_latency.model import Job, Measurement, Settings

_MISSED_WORDS = ("timeout", "unreachable", "no reply", "host down")
"""Words of the latency API for a target that did not answer; other errors are the API's own."""


class ApiAnswer(msgspec.Struct, frozen=True):
    """The body of the latency API, as far as it matters; ``elapsed`` in ms, and not always a number."""

    elapsed: Any = None
    error: str | None = None


def request_for(job: Job, settings: Settings, login: str = "") -> Request:
    """The exchange that probes a target of kind ``api`` or ``http``; the latter with its login, and from this machine."""
    timeout = settings.timeout.total_seconds()
    if job.probe == "http":
        url = with_login(job.target, login)
        return Request(
            url=url, tag=job, timeout=timeout, follow=False, is_patient=True, is_local=True, family=job.family
        )
    path = f"latency/{quote(settings.label, safe='')}/{quote(job.target, safe='')}/"
    base_url = (settings.base_url or "").rstrip("/")
    return Request(url=f"{base_url}/{path}", tag=job, timeout=timeout, is_patient=True)


def read_answer(answer: Answer) -> Measurement | None:
    """What an exchange says about its job's target; None when the pass cut it."""
    if is_cut_short(answer.error):
        return None
    job: Job = answer.request.tag
    return measurement(job, answer.started_at, _read_http(answer) if job.probe == "http" else _read_api(answer))


def _read_http(answer: Answer) -> Outcome:
    if answer.error is not None:
        status, _, reason, _ = judge_error(answer.error)
        return Outcome(status, reason=reason.partition(": ")[2] or reason)  # the host is the target, which is known
    if is_expected(answer.status, answer.request.tag.expect):
        return Outcome("success", answer.elapsed_ms, address=answer.address)
    return Outcome("missed", reason=f"HTTP {answer.status}", address=answer.address)


def _read_api(answer: Answer) -> Outcome:
    if answer.error is not None:
        return Outcome("system_error", reason=answer.error.message)
    if answer.status != 200:  # noqa: PLR2004
        return Outcome("system_error", reason=f"HTTP {answer.status}")
    try:
        body = msgspec.json.decode(answer.body, type=ApiAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Outcome("system_error", reason=f"unreadable answer: {error}")
    if body.error:
        is_missed = any(word in body.error.casefold() for word in _MISSED_WORDS)
        return Outcome("missed" if is_missed else "system_error", reason=body.error)
    return _read_elapsed(body.elapsed)


def _read_elapsed(elapsed: Any) -> Outcome:
    if elapsed is None:
        return Outcome("missed", reason="no elapsed time")
    if isinstance(elapsed, bool) or not isinstance(elapsed, int | float) or not _is_time(elapsed):
        return Outcome("system_error", reason=f"elapsed is not a valid number: {elapsed!r}")
    if elapsed <= 0:
        return Outcome("missed", reason=f"elapsed is {elapsed}")
    return Outcome("success", float(elapsed))


def _is_time(number: float) -> bool:
    return abs(number) < 2**63 and math.isfinite(number)
