"""An executor that never keeps the process from exiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from pollctl.concurrency.threads import start_daemon
from pollctl.errors import MachineError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Job = tuple[Future[Any], Callable[[], Any]]


class DaemonExecutor(Executor):
    """An executor of daemon threads: one that hangs is left to itself.

    It never keeps the process from exiting; leaving its ``with`` block does not wait for what still runs.

    Args:
        max_workers: how many calls run side by side.
    """

    def __init__(self, max_workers: int) -> None:
        self._max_workers = max_workers
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._free = 0  # workers that nothing was given to
        self._lock = threading.Lock()
        self._is_shut = False

    def reserve(self, count: int) -> int:
        """Hire until *count* workers are free, as far as allowed and possible; answers how many are.

        Raises:
            MachineError: there is no worker, free or not, and none can be hired.
        """
        with self._lock:
            while self._free < count and len(self._threads) < self._max_workers and self._is_hired():
                self._free += 1
            return self._free

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Call *fn* in a worker thread.

        Raises:
            MachineError: there is no worker and none can be hired; *fn* is not called.
        """
        future: Future[_T] = Future()
        with self._lock:
            if self._is_shut:
                raise RuntimeError("this executor was shut down: nothing more can be submitted")
            self._jobs.put((future, lambda: fn(*args, **kwargs)))
            if self._free <= 0 and len(self._threads) < self._max_workers:
                self._free += self._hired_for_first_job()
            self._free -= 1  # below 0: calls that wait for a worker
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor's own
        """Take no more calls; *wait* for those that were taken."""
        with self._lock:
            self._is_shut = True
        if cancel_futures:
            self._cancel_waiting()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(wait=False, cancel_futures=True)

    def _is_hired(self) -> bool:
        """Hire one more worker; False where the machine has no thread left for another."""
        try:
            self._threads.append(start_daemon(_serve, self._jobs, self._release, name="pollctl-worker"))
        except MachineError:
            if not self._threads:
                raise
            return False
        return True

    def _hired_for_first_job(self) -> bool:
        try:
            return self._is_hired()
        except MachineError:
            self._jobs.get_nowait()  # nobody is there to take it
            raise

    def _release(self) -> None:
        with self._lock:
            self._free += 1

    def _cancel_waiting(self) -> None:
        with suppress(Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None:
                    job[0].cancel()


def _serve(jobs: SimpleQueue[_Job | None], release: Callable[[], None]) -> None:
    while (job := jobs.get()) is not None:
        future, call = job
        if future.set_running_or_notify_cancel():
            _make(future, call, release)
        else:
            release()
        del job, future, call  # an idle thread holds on to nothing


def _make(future: Future[Any], call: Callable[[], Any], release: Callable[[], None]) -> None:
    """Make a call; the worker counts as free before its result is there, so that who waits for that finds it free."""
    try:
        value = call()
    except BaseException as error:  # noqa: BLE001 - passed on through the future
        release()
        future.set_exception(error)
    else:
        release()
        future.set_result(value)
