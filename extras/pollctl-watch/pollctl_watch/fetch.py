"""Asking politely: one request at a time for each host, at its rate, as robots.txt allows, after the request before."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from pollctl import Answer, FetchError, Request, Run, retry_after
from pollctl_watch.client import cookies, read
from pollctl_watch.client.browser import Chromium, browse
from pollctl_watch.model import Asked, Before, Watch
from pollctl_watch.store import SLOW_S

AGENT = "pollctl"
SLICE_S = 10.0
"""How long a host is asked before its answers are taken."""
_LONGEST_S = 600.0

_NOT_ASKED = ("deadline", "stopped")
"""Errors of requests whose turn did not come before the end of the pass."""

Send = Callable[[Request], Answer]
Robots = dict[str, Answer]
"""What was answered for the robots.txt of a site."""


def asked_hosts(run: Run) -> set[str]:
    """The hosts that were asked in this pass."""
    hosts: set[str] = run.once("pollctl_watch.asked", set)
    return hosts


class PoliteRun:
    """A pass whose requests go to each host one after the other; everything else is the pass' own."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    def get_many(self, requests: Iterable[Request], **how: Any) -> Iterator[Answer]:
        """As that of the pass. A host that is asked once goes with the crowd; the others are asked side by side, each in order."""
        asked = asked_hosts(self._run)
        for answer in self._politely(requests, **how):
            if isinstance(answer.request, Asked) and (answer.error is None or answer.error.kind not in _NOT_ASKED):
                asked.add(answer.request.watch.host)
            yield answer

    def _politely(self, requests: Iterable[Request], **how: Any) -> Iterator[Answer]:
        hosts: dict[str, Host] = {}
        for request in requests:
            hosts.setdefault(urlsplit(request.url).netloc.rpartition("@")[2], Host()).requests.append(request)
        alone = [host.requests[0] for host in hosts.values() if host.is_simple]
        yield from self._run.get_many(alone, **how)
        waiting = [host for host in hosts.values() if not host.is_simple]
        while waiting and not self._run.is_stopping:
            for result in self._run.map(self._ask, waiting, timeout=_LONGEST_S):
                yield from result.item.taken()
            waiting = [host for host in waiting if host.requests]

    def _ask(self, host: Host) -> None:
        host.ask(self._run)


class Host:
    """The requests to one host, and the answers that have come."""

    def __init__(self) -> None:
        self.requests: deque[Request] = deque()
        self._answers: list[Answer] = []
        self._robots: Robots = {}
        self._not_before = 0.0

    @property
    def is_simple(self) -> bool:
        """Whether there is one request, with nothing to be asked before it."""
        first = self.requests[0]
        watch = first.watch if isinstance(first, Asked) else None
        return len(self.requests) == 1 and not (watch and (watch.before or watch.robots or watch.browser))

    def ask(self, run: Run) -> None:
        """Ask for a while; no more once it has asked to be left alone."""
        until, pause = time.monotonic() + SLICE_S, self._pause
        chromium = Chromium(run.settings.chromium, lambda: 0 if run.is_stopping else run.remaining)
        while self.requests and time.monotonic() < until and self._waited(run):
            request = self.requests.popleft()
            answer = ask(request, run.send, self._robots, run.now, chromium)
            self._answers.append(answer)
            self._not_before = time.monotonic() + pause
            if retry_after(answer, answer.started_at) or pause >= SLOW_S:
                self.requests.clear()  # they are due in a later pass

    @cached_property
    def _pause(self) -> float:
        """Seconds between two requests: those of the slowest of its watches."""
        return max((one.watch.seconds_between for one in self.requests if isinstance(one, Asked)), default=0)

    def _waited(self, run: Run) -> bool:
        """Wait until the host may be asked again; answers whether the pass goes on."""
        while not run.is_stopping and (left := self._not_before - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
        return not run.is_stopping

    def taken(self) -> list[Answer]:
        """The answers that have come, each once."""
        answers, self._answers = self._answers, []
        return answers


def ask(request: Request, send: Send, robots: Robots, now: datetime, chromium: Chromium) -> Answer:
    """Make a request, and what must be asked before it; what goes wrong there is an answer with an error."""
    if not isinstance(request, Asked):
        return send(request)
    try:
        if request.watch.robots:
            _obey_robots(request, send, robots)
        asked = _after(request, request.watch.before, send) if request.watch.before else request
        return browse(asked, send, chromium) if request.watch.browser else send(asked)
    except _Refused as refused:
        return Answer(request=request, started_at=now, elapsed_ms=0, error=refused.error)


class _Refused(Exception):  # noqa: N818 - it ends one request, no more
    """Why a request is not made."""

    def __init__(self, message: str, answer: Answer | None = None) -> None:
        super().__init__(message)
        kind = answer.error.kind if answer and answer.error else "raised"
        self.error = FetchError(kind=kind, message=message)


def _after(request: Asked, before: Before, send: Send) -> Asked:
    """A request with what the one before it has brought."""
    answer = send(before.request())
    if answer.error:
        raise _Refused(f"before: {answer.error.message}", answer)
    if not answer.is_ok:
        raise _Refused(f"before: {urlsplit(before.url).hostname} answered {answer.status}")
    filled = request.watch.filled(_selected(answer, before) if before.is_selecting else "", cookies.set_by(answer))
    return replace(filled, headers={**request.headers, **filled.headers}, tag=request.tag)


def _selected(answer: Answer, before: Before) -> str:
    """The first line of what is selected of an answer."""
    selector = Watch(url=before.url, select=before.select, xpath=before.xpath, json=before.json, regex=before.regex)
    try:
        return read(answer, selector).text.partition("\n")[0]
    except ValueError as error:
        raise _Refused(f"before: {error}") from error


def _obey_robots(request: Asked, send: Send, robots: Robots) -> None:
    """As RFC 9309 has it: what is not there allows all, what cannot be read allows nothing."""
    parts = urlsplit(request.url)
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if origin not in robots:
        robots[origin] = send(Request(url=f"{origin}/robots.txt"))
    answer = robots[origin]
    if answer.error:
        raise _Refused(f"robots.txt: {answer.error.message}", answer)
    if answer.status >= 500:  # noqa: PLR2004
        raise _Refused(f"robots.txt: {parts.hostname} answered {answer.status}, so nothing may be asked")
    from urllib.robotparser import RobotFileParser

    rules = RobotFileParser()
    rules.parse(answer.text.splitlines() if answer.is_ok else [])
    if not rules.can_fetch(AGENT, request.url):
        raise _Refused(f"robots.txt of {parts.hostname} forbids it")
