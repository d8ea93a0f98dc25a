"""The thread in which libcurl makes exchanges: never the consumer's, whose work would count as time of an answer."""

from __future__ import annotations

import errno
import os
import select
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pycurl

from pollctl.api.values import Request
from pollctl.concurrency.call import Call
from pollctl.concurrency.threads import start_daemon
from pollctl.http.curl.authorities import Authorities
from pollctl.http.curl.job import Job
from pollctl.http.curl.names import Names
from pollctl.http.curl.transfer import Transfer
from pollctl.http.curl.words import Words
from pollctl.http.limits import REPEATABLE, Limits
from pollctl.http.pool import most_kept

_TICK = 0.05  # seconds between two looks at those that wait for a name
_LONGEST_GOODBYE_S = 1.0
_READ, _WRITE = select.EPOLLIN, select.EPOLLOUT
_BROKEN = select.EPOLLERR | select.EPOLLHUP
_WANTED = {pycurl.POLL_IN: _READ, pycurl.POLL_OUT: _WRITE, pycurl.POLL_INOUT: _READ | _WRITE}


class Engine:
    """Makes GETs and HEADs of one pass, all in one thread, which ``close`` ends.

    Args:
        limits: what holds where a request sets nothing of its own.

    Raises:
        OSError: there are no descriptors left for it.
        MachineError: no thread can be started.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.names = Names()
        self.words = Words()
        self.authorities = Authorities(limits.ca_file)
        self.resolving: set[Job] = set()
        self._things_to_do: deque[Callable[[], None]] = deque()
        self._free: dict[tuple[str, bool], list[Transfer]] = {}
        self._under_way: dict[pycurl.Curl, Transfer] = {}
        self._most_at_once = 0
        self._jobs: set[Job] = set()
        self._complete: list[tuple[Callable[[Call], None], Call]] = []
        self._next_look: float | None = None
        self._is_asleep = False
        self._is_closed = False
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            self._multi = _new_multi(self._watch, self._set_timer)
            self._poll = select.epoll()
            self._poll.register(self._wakeup, _READ)
            self._thread = start_daemon(self._live, name="pollctl-curl")
        except BaseException:
            os.close(self._wakeup)
            raise

    def begin(self, call: Call, done: Callable[[Call], None]) -> bool:
        """Begin the exchange of a call, if it is one of libcurl's; *done* takes the call once it is complete."""
        if not is_ours(call.item) or not self._thread.is_alive():
            return False
        self.hand_over(lambda: self._take(call, done))
        return True

    def close(self) -> None:
        """End the thread, and what it has in hand; waits for neither names nor upstreams."""
        self.hand_over(self._end)
        self.names.close()
        self._thread.join(_LONGEST_GOODBYE_S)

    def hand_over(self, thing: Callable[[], None]) -> None:
        """Have something done in the thread of this engine."""
        self._things_to_do.append(thing)
        if self._is_asleep:
            self._is_asleep = False
            with suppress(OSError):  # it has ended
                os.eventfd_write(self._wakeup, 1)

    # in the thread

    def transfer(self, method: str, *, is_tls: bool) -> Transfer:
        """A handle that is free, or a new one."""
        free = self._free.get((method, is_tls))
        return free.pop() if free else Transfer(method, self.authorities.path if is_tls else "")

    def start(self, transfer: Transfer) -> None:
        """Begin a hop; its job hears of the end."""
        self._under_way[transfer.curl] = transfer
        if len(self._under_way) > self._most_at_once:
            self._most_at_once = len(self._under_way)
            _keep_beside(self._multi, self._most_at_once)
        self._multi.add_handle(transfer.curl)

    def end(self, transfer: Transfer, *, may_serve_again: bool) -> None:
        """Let a handle go, whether its hop is over or not."""
        self._multi.remove_handle(transfer.curl)
        del self._under_way[transfer.curl]
        transfer.job = None
        if may_serve_again:
            self._free.setdefault((transfer.method, transfer.is_tls), []).append(transfer)
        else:
            transfer.curl.close()

    def tell(self, done: Callable[[Call], None], call: Call) -> None:
        """Have somebody told of a call that is complete, along with the others of this round: each wakes a thread."""
        self._complete.append((done, call))

    def forget(self, job: Job) -> None:
        """Let a job go that is complete."""
        self._jobs.discard(job)
        self.resolving.discard(job)

    def close_kept(self) -> bool:
        """Close the connections that wait for a request, if no other is in use; answers whether that is so."""
        if self._under_way:
            return False
        self._multi.close()
        self._multi = _new_multi(self._watch, self._set_timer)
        _keep_beside(self._multi, self._most_at_once)
        return True

    def _take(self, call: Call, done: Callable[[Call], None]) -> None:
        job = Job(call, done, self)
        self._jobs.add(job)
        job.begin()

    def _live(self) -> None:
        try:
            self._serve()
        except BaseException as error:
            self._do_things()  # so that all jobs are known
            for job in list(self._jobs):
                job.fail(error)
            self._tell_all()
            raise
        finally:
            self._multi.close()
            self._poll.close()
            self.authorities.close()
            os.close(self._wakeup)

    def _serve(self) -> None:
        while not self._is_closed:
            self._do_things()
            self._tell_all()
            for descriptor, event in self._events():
                self._tell(descriptor, event)
            if self._next_look is not None and time.monotonic() >= self._next_look:
                self._next_look = None
                self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._take_completed()
            for job in list(self.resolving):
                job.end_if_late()
        for job in list(self._jobs):
            job.drop()
        self._tell_all()

    def _do_things(self) -> None:
        with suppress(IndexError):
            while True:
                self._things_to_do.popleft()()

    def _tell_all(self) -> None:
        complete, self._complete = self._complete, []
        for done, call in complete:
            done(call)

    def _events(self) -> list[tuple[int, int]]:
        """What happened on sockets, after a sleep if nothing is to be done."""
        self._is_asleep = True
        wait_s = 0.0 if self._things_to_do or self._is_closed else self._patience()
        events = self._poll.poll(wait_s)
        self._is_asleep = False
        return events

    def _patience(self) -> float:
        until_look = -1.0 if self._next_look is None else max(0.0, self._next_look - time.monotonic())
        if not self.resolving:
            return until_look
        return _TICK if until_look < 0 else min(_TICK, until_look)

    def _tell(self, descriptor: int, event: int) -> None:
        if descriptor == self._wakeup:
            with suppress(BlockingIOError):
                os.eventfd_read(descriptor)
            return
        what = (pycurl.CSELECT_IN if event & _READ else 0) | (pycurl.CSELECT_OUT if event & _WRITE else 0)
        self._multi.socket_action(descriptor, what | (pycurl.CSELECT_ERR if event & _BROKEN else 0))

    def _take_completed(self) -> None:
        queued = 1
        while queued:
            queued, good, bad = self._multi.info_read()
            for curl in good:
                self._under_way[curl].job.take(0, "")
            for curl, code, message in bad:
                self._under_way[curl].job.take(code, message)

    def _watch(self, event: int, descriptor: int, *_: Any) -> None:
        if event == pycurl.POLL_REMOVE:
            with suppress(OSError, ValueError):  # closed already
                self._poll.unregister(descriptor)
            return
        try:
            self._poll.modify(descriptor, _WANTED[event])
        except FileNotFoundError:
            self._poll.register(descriptor, _WANTED[event])

    def _set_timer(self, wait_ms: int) -> None:
        self._next_look = None if wait_ms < 0 else time.monotonic() + wait_ms / 1000

    def _end(self) -> None:
        self._is_closed = True


def _new_multi(watch: Callable[..., None], set_timer: Callable[[int], None]) -> pycurl.CurlMulti:
    """What libcurl has for all exchanges together.

    Raises:
        OSError: there are no descriptors left for it.
    """
    try:
        multi = pycurl.CurlMulti()
    except pycurl.error as error:
        raise OSError(errno.EMFILE, str(error)) from error
    multi.setopt(pycurl.M_SOCKETFUNCTION, watch)
    multi.setopt(pycurl.M_TIMERFUNCTION, set_timer)
    return multi


def _keep_beside(multi: pycurl.CurlMulti, in_use: int) -> None:
    """Let connections be kept beside so many that are in use: libcurl counts these too, and closes what is beyond the limit."""
    multi.setopt(pycurl.M_MAXCONNECTS, in_use + most_kept())


def is_ours(request: Request) -> bool:
    """Whether a request is one that libcurl makes as pollctl wants it made.

    It would repeat a POST by itself when a kept connection turns out dead, and a GET that must not be; it does not tell
    connections to addresses of one kind apart.
    """
    return request.method in REPEATABLE and request.body is None and request.repeat and not request.family
